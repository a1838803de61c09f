"""The straight line: a folder goes in, a first pass comes out, and people know what is left for them.

Read `first_pass` from top to bottom. Each stage looks up what is done already, so a run that was killed goes on by
being run again, and a run over an unchanged shoot does nothing.
"""

import functools
import itertools
import time
from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from safelight import (
    cuts,
    earned,
    engine,
    footage,
    ingest,
    known_bads,
    ledger,
    listening,
    mending,
    plugins,
    policy,
    propose,
    relistening,
    style,
    weights,
    work,
)
from safelight.clock import Clock, Progress, Tell
from safelight.domain import Cull, Findings, Scope, digest_of
from safelight.errors import NothingFound
from safelight.files import json_text
from safelight.learn.record import Record
from safelight.operators import Wishes
from safelight.people import faces as people
from safelight.probes import Member, Probe
from safelight.reel import BEGUN, Reel
from safelight.state import ShootState
from safelight.store import carried, erasing, personal, records, schema
from safelight.store.library import Library, now
from safelight.store.objects import ShootFolder
from safelight.store.records import Shoot
from safelight.todo import Todo

__all__ = ["Line", "Options", "Pass", "Progress", "Tell", "catch_up", "first_pass", "know", "run_key"]

FIRST_LOOK_S = 12.0  # decisions are made on what is there after so long, …
LOOK_AGAIN_S = 45.0  # … and again so often while a card is still being read
BATCH = 32  # results that go into the library in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked of a run."""

    only: tuple[str, ...] = ()  # operators; empty means all
    policy: Path | None = None
    jobs: int | None = None
    engine: str = "process"
    wishes: Wishes = field(default_factory=Wishes)
    forget: tuple[str, ...] = ()  # of what was asked of the shoot before: target, genre
    stakes: str | None = None  # how much is at stake in the shoot, and whose it is; None: as before
    client: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a run did."""

    shoot: Shoot
    looked: int
    changed: bool
    seconds: float
    troubles: tuple[str, ...] = ()
    report: Path | None = None


def first_pass(library: Library, folder: ShootFolder, options: Options, tell: Tell) -> Pass:
    """Ingest, probe, survey, propose, try the edits; report is the caller's next line. Raises NothingFound."""
    began = time.monotonic()
    rules = ledger.rules(library, options.policy)
    known = folder.shoot_id()
    if known is None and not any(True for _ in ingest.walk(folder.root)):
        raise _nothing(folder)
    folder.claim()
    with folder.lock():
        shoot = know(library, folder, options)
        aside = carried.read(library, folder, shoot.id)
        plan = ingest.plan(folder.root, records.files(library, shoot.id))
        if not (plan.fresh or plan.same or plan.clips or plan.same_clips):
            raise _nothing(folder)
        options = replace(options, wishes=style.wished(library, shoot.id, options.wishes, forget=options.forget))
        read = functools.cache(partial(ledger.record, library, rules))
        licences = ledger.licences(library, rules, read)
        key = run_key(library, shoot, options, allowed=(rules, licences))
        new = plan.fresh or plan.clips or plan.gone or unheard(library, plan)
        if not new and key == last_run_key(library, shoot):
            return Pass(shoot=shoot, looked=0, changed=False, seconds=time.monotonic() - began)
        with engine.engine(options.engine, jobs=options.jobs) as (executor, width):
            line = Line(
                library=library, folder=folder, shoot=shoot, options=options, rules=rules, record=read(), tell=tell
            )
            looked = line.look(plan, executor, width) + line.reel(plan, executor, width).run()
            state = line.decide()
            if line.look_closer(state, executor, width):
                state = line.decide()
            line.try_edits(state, executor, width)
            line.try_cuts(state, executor, width)
        line.troubles += aside
        line.troubles += [f"Row {n} of the ledger is set aside: {why}." for n, why in state.ledger.aside.items()]
        summary = json_text({"looked": looked, "gear": earned.gear(state)})
        done = {"shoot": shoot.id, "key": run_key(library, shoot, options, allowed=(rules, licences))}
        library.append(schema.runs, [done | {"summary": summary, "at": now()}])
        carried.write(library, folder, shoot.id)
        ledger.licences(library, rules, partial(ledger.record, library, rules))  # a run with nothing to do reads these
        library.backup()
    return Pass(
        shoot=shoot, looked=looked, changed=True, seconds=time.monotonic() - began, troubles=tuple(line.troubles)
    )


def know(library: Library, folder: ShootFolder, options: Options) -> Shoot:
    """The shoot's row, made or brought up to date where the folder has moved, and where stakes or client are said."""
    shoot_id = folder.claim()
    known = records.shoot_of(library, shoot_id)
    shoot = replace(known, root=str(folder.root)) if known else None
    shoot = shoot or Shoot(id=shoot_id, root=str(folder.root), name=folder.root.name)
    shoot = replace(shoot, stakes=options.stakes or shoot.stakes, client=options.client or shoot.client)
    records.save_shoot(library, shoot)
    return shoot


@dataclass(slots=True, kw_only=True)
class Line:
    """The stages of one run, with what all of them need."""

    library: Library
    folder: ShootFolder
    shoot: Shoot
    options: Options
    rules: policy.Policy
    record: Record
    tell: Tell
    troubles: list[str] = field(default_factory=list)

    # ------------------------------------------------------------ look

    def look(self, plan: ingest.Plan, executor: Executor, width: int) -> int:
        """Identifies fresh files and lets the probes look at pictures that nobody has looked at with these probes.

        Results go into the library as they come; what has arrived is decided upon early, so that a slow card does
        not keep a person waiting."""
        erasing.keys(self.library, self.rules.opt_out)
        keys = probe_keys(about_people=about_people(self.library, self.rules))
        self._gone(plan)
        todo = Todo(self.library, self.folder, self.shoot, plan, keys)
        clock = Clock("look", todo.total, self.tell)
        early = time.monotonic() + FIRST_LOOK_S
        identified: list[work.Identity] = []
        seen: list[work.Looked] = []
        for result in itertools.chain(
            engine.stream(executor, width, todo.jobs(), then=todo.follow_up, rescue=todo.rescue),
            engine.stream(executor, width, todo.orphans(), then=todo.follow_up, rescue=todo.rescue),
        ):
            if isinstance(result, work.Identity):
                identified.append(result)
            else:
                seen.append(result)
            if todo.finished(result):
                clock.step()
            if len(identified) + len(seen) >= BATCH or time.monotonic() > early:
                self._remember(todo, identified, seen)
            if time.monotonic() > early and clock.done < todo.total:
                began = time.monotonic()
                self.decide(whole=False)
                took = time.monotonic() - began
                early = time.monotonic() + max(LOOK_AGAIN_S, 10 * took)  # never more than a tenth of the run
        self._remember(todo, identified, seen)
        return int(clock.done)

    def reel(self, plan: ingest.Plan, executor: Executor, width: int) -> Reel:
        """What looks at clips and sounds."""
        return Reel(
            library=self.library, folder=self.folder, shoot=self.shoot, plan=plan, executor=executor, width=width,
            tell=self.tell, troubles=self.troubles,
        )  # fmt: skip

    def _remember(self, todo: Todo, identified: list[work.Identity], seen: list[work.Looked]) -> None:
        """Writes what workers found; both lists are empty afterwards."""
        assets = [i.asset for i in identified if i.asset is not None]
        records.save_assets(self.library, assets)
        files = [todo.file(i) for i in identified] + [todo.failed_file(s) for s in seen if s.error]
        records.save_files(self.library, self.shoot.id, files)
        found = [(todo.record_id(s), by, key, measures) for s in seen for by, key, measures in s.found]
        apart = {p.label: p.splits for p in plugins.probes().values() if p.personal}
        records.save_evidence(self.library, [row for row in found if row[1] not in apart])
        personal.save(self.library, [row for row in found if apart.get(row[1]) is False])
        personal.save_keys(self.library, [(a, key, said) for a, by, key, said in found if apart.get(by)])
        self.troubles += [f"{s.path}: {reason}" for s in seen for _, reason in s.troubles]
        identified.clear()
        seen.clear()

    def _gone(self, plan: ingest.Plan) -> None:
        records.save_files(self.library, self.shoot.id, [replace(f, present=False) for f in plan.gone])

    # ------------------------------------------------------------ decide

    def decide(self, *, whole: bool = True) -> ShootState:
        """Surveys the shoot as a whole and asks the operators what they would do with it. While it is not `whole`,
        nothing is drawn by coin and nothing is done alone that needs a licence."""
        self.survey()
        if personal.switch(self.library).on:
            people.group_shoot(self.library, self._photos())
        state = ShootState.load(self.library, self.shoot)
        asked = propose.Asked(
            rules=self.rules, wishes=self.options.wishes, record=self.record, only=self.options.only, whole=whole
        )
        self.troubles += propose.propose(self.library, state, asked)
        return ShootState.load(self.library, self.shoot)

    def _photos(self) -> set[str]:
        return set(ShootState.load(self.library, self.shoot, evidence=False).photos)

    def survey(self) -> None:
        """Groups, scenes and clocks: probes that see all photos. A survey of the same photos is not repeated."""
        surveyors = [p for p in plugins.ordered_probes() if p.scope is Scope.SHOOT]
        state = ShootState.load(self.library, self.shoot, evidence=False)
        key = digest_of([[p.label for p in surveyors], sorted(state.photos)])[:32]
        if key == records.survey_key(self.library, self.shoot.id):
            return
        state = ShootState.load(self.library, self.shoot)
        members = [
            Member(asset=replace(p.asset, id=p.id), path=p.path, facts=p.facts)
            for p in state.photos.values()
            if p.facts
        ]
        found = [(probe.label, self._surveyed(probe, members)) for probe in surveyors]
        records.save_survey(self.library, self.shoot.id, key, found)

    def _surveyed(self, probe: Probe, members: list[Member]) -> Findings:
        """What a probe over the shoot finds; one that raises finds nothing, and the run says so."""
        assert probe.survey is not None
        try:
            return probe.survey(members)
        except Exception as error:  # noqa: BLE001 - a broken plug-in must not stop a shoot
            self.troubles.append(f"{probe.label} failed: {type(error).__name__}: {error}")
            return Findings()

    # ------------------------------------------------------------ look closer

    def look_closer(self, state: ShootState, executor: Executor, width: int) -> int:
        """Lets the probes that open a raw itself look at the raws that stay; how many there were."""
        keys = probe_keys(of_raws=True)
        raws = {p.id: p for p in state.photos.values() if p.is_raw and p.decision is Cull.KEEP}
        done = records.measured(self.library, raws)
        wanted = [p for p in raws.values() if any((p.id, key) not in done for key in keys.values())]
        clock = Clock("look closer", len(wanted), self.tell)
        installed = weights.installed()
        jobs = [
            work.Look(
                path=p.path, full=self.folder.root / p.path, asset=replace(p.asset, id=p.id), keys=keys,
                weights=installed, proxy=self.folder.cached(p.id),
            )
            for p in wanted
        ]  # fmt: skip
        for looked in engine.stream(executor, width, iter([(work.look, job) for job in jobs]), rescue=work.rescue):
            found = [(looked.asset.id, by, key, measures) for by, key, measures in looked.found]
            records.save_evidence(self.library, found)
            self.troubles += [f"{looked.path}: {reason}" for _, reason in looked.troubles]
            self.troubles += [f"{looked.path}: {looked.error['cause']}"] if looked.error else []
            clock.step()
        return len(wanted)

    # ------------------------------------------------------------ try

    def try_edits(self, state: ShootState, executor: Executor, width: int) -> None:
        """Renders each keeper's proposed edits on its proxy and checks them, so that people see before and after."""
        jobs = propose.trials(self.library, state, self.folder)
        clock = Clock("try edits", len(jobs), self.tell)
        done: list[Any] = []
        for result in engine.stream(
            executor, width, iter([(propose.try_edits, job) for job in jobs]), rescue=propose.rescue
        ):
            done.append(result)
            clock.step()
            if len(done) >= BATCH:
                propose.remember(self.library, self.shoot.id, done)
        propose.remember(self.library, self.shoot.id, done)
        known_bads.make(self.library, state, self.rules)
        spoilt = [(known_bads.spoil, job) for job in known_bads.trials(self.library, state, self.folder)]
        for trouble in engine.stream(executor, width, iter(spoilt), rescue=known_bads.rescue):
            self.troubles += [trouble] if trouble else []

    def try_cuts(self, state: ShootState, executor: Executor, width: int) -> None:
        """Listens to the joins of each clip as it would be cut, so that people know what to listen to."""
        key = relistening.key()
        made = {cut.id: clip for clip in state.footage.values() if (cut := clip.cut(proposed=True)).edits}
        done = records.measured(self.library, made)
        jobs = [
            relistening.Relisten(
                asset=clip.id, version=id_, full=self.folder.root / clip.path, words=cuts.words(clip),
                kept=tuple(cuts.kept(clip, proposed=True)), **cuts.counted(clip),
            )
            for id_, clip in made.items()
            if (id_, key) not in done and cuts.kept(clip, proposed=True)
        ]  # fmt: skip
        clock = Clock("try cuts", len(jobs), self.tell)
        tried = [(relistening.relisten, job) for job in jobs]
        for found in engine.stream(executor, width, iter(tried), rescue=relistening.rescue):
            versions = [(made[found.version].id, made[found.version].cut(proposed=True))]
            records.save_versions(self.library, self.shoot.id, versions, checkpoint="first-pass")
            kept = key + BEGUN if found.lost else key
            records.save_evidence(self.library, [(found.version, relistening.HEARD_BACK, kept, [found.measure])])
            clock.step()


# ---------------------------------------------------------------- keys


def probe_keys(*, of_raws: bool = False, about_people: Collection[str] = ()) -> dict[str, str]:
    """By name of each probe over one picture, the key under which its answers are kept. Personal probes are among them
    only where they are named."""
    papers = weights.digests()
    found = [p for p in plugins.ordered_probes() if p.scope is Scope.ASSET and p.of_raws == of_raws]
    found = [p for p in found if not p.personal or p.name in about_people]
    return {p.name: work.probe_key(p, papers) for p in found}


def about_people(library: Library, rules: policy.Policy) -> set[str]:
    """The personal probes that are asked: those that tell people apart where that is switched on, those that tell
    groups of pictures apart where the policy keeps records apart by them."""
    on = personal.switch(library).on
    return {p.name for p in plugins.probes().values() if p.personal and (rules.splits & {*p.emits} if p.splits else on)}


def catch_up(library: Library, folder: ShootFolder, state: ShootState, *, jobs: int | None, tell: Tell) -> ShootState:
    """Brings photos that a person has kept since the last run to where the machine's own keepers are, as far as that
    needs no licence: raws get their base rendering, and approvals that a later change has shaken are checked again.
    Nothing new is proposed that a person would have to answer, and no record is read: where no licence is needed, none
    is asked for."""
    rules = ledger.rules(library)
    free = tuple(op for op in plugins.operators() if not rules.task(op, state.shoot.client).needs_licence)
    line = Line(
        library=library, folder=folder, shoot=state.shoot, options=Options(only=free), rules=rules,
        record=Record(cells=()), tell=tell,
    )  # fmt: skip
    with engine.engine("process", jobs=jobs) as (executor, width):
        state = line.decide() if line.look_closer(state, executor, width) else state
        if any(photo.shaken for photo in state.photos.values()):
            line.try_edits(state, executor, width)
            state.shake(library)
    return state


def run_key(library: Library, shoot: Shoot, options: Options, *, allowed: tuple[policy.Policy, list[Any]]) -> str:
    """What the result of a run depends on besides the files in the folder, among it the policy and the licences. Equal
    keys: nothing to do."""
    rules, licences = allowed
    with library.transaction(reading=True) as connection:
        newest = [
            connection.execute(sa.select(sa.func.max(t.c.seq)).where(t.c.shoot == shoot.id)).scalar()
            for t in (schema.files, schema.verdicts)
        ]
    operators = sorted(op.label for op in plugins.operators().values())
    keys = [probe_keys(about_people=about_people(library, rules)), probe_keys(of_raws=True)]
    keys.append({"heard": listening.key(), "seen": footage.seen_key()})
    keys.append({"heard_back": relistening.key(), "mended": mending.key(listening.key())})
    said = personal.key(library)
    own = [shoot.stakes, shoot.client, asdict(rules) | {"opt_out": sorted(rules.opt_out)}, licences]
    return digest_of([newest, keys, said, operators, own, asdict(options.wishes), sorted(options.only)])


def unheard(library: Library, plan: ingest.Plan) -> bool:
    """Whether a clip or a sound waits to be heard, or a part of one to be asked again."""
    known = [str(f.asset) for f in plan.same_clips if f.asset]
    done, key = records.measured(library, known), listening.key() if known else ""
    return any((asset, key) not in done for asset in known)


def last_run_key(library: Library, shoot: Shoot) -> str | None:
    """The key of the newest finished run."""
    found = library.newest(schema.runs, ["shoot"], schema.runs.c.shoot == shoot.id)
    return found[0]["key"] if found else None


def _nothing(folder: ShootFolder) -> NothingFound:
    return NothingFound(
        f"No photos, clips or sounds were found in {folder.root}.", remedy="Name the folder that holds the originals."
    )
