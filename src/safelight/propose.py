"""Evidence to proposals: asks the operators, places each answer in a zone, tosses the coins, tries the edits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg

from safelight import earned, limits, params, plugins, render
from safelight.domain import (
    Cull,
    Edit,
    GroupKind,
    Input,
    Measure,
    Proposal,
    Say,
    Scope,
    Verdict,
    Version,
    Zone,
    digest_of,
)
from safelight.files import write_atomic
from safelight.learn.record import Record
from safelight.media import image, write
from safelight.media.frame import Frame, scaling
from safelight.media.picture import shrink
from safelight.operators import Medium, Operator, Stage, Subject, Suggestion, Tools, Wishes
from safelight.policy import Policy
from safelight.state import POLICY, Judged, Photo, ShootState
from safelight.store import records
from safelight.store.library import Library, now
from safelight.store.objects import ShootFolder
from safelight.workers import Lost

TRIAL_SIDE = 720  # px, long side of the before and after that people compare in a list
TRIED = "trial@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Under which rules, wishes and record, and which operators (empty: all)."""

    rules: Policy
    wishes: Wishes
    record: Record
    only: Sequence[str] = ()
    whole: bool = True  # whether all of the shoot was looked at; before that nothing is drawn and nothing done alone


def propose(library: Library, state: ShootState, asked: Asked) -> list[str]:
    """Writes what operators suggest now: new proposals are added, those that no longer follow are withdrawn.

    Culling comes first; edits are proposed for photos that stay. Returns what went wrong in operators that raised."""
    troubles: list[str] = []
    only = asked.only
    decider = earned.Decider.of(library, state, asked.rules, asked.record, whole=asked.whole)
    found = [op for op in plugins.operators().values() if not only or op.name in only]
    for op in sorted(found, key=lambda op: (op.medium is not Medium.CHOICE, op.stage, op.name)):
        about: Mapping[str, Judged] = state.footage if op.medium is Medium.TIMELINE else state.photos
        before = {one.id: one.proposals[op.name] for one in about.values() if op.name in one.proposals}
        made = {p.asset: p for p in decider.place(op.name, list(_proposals(op, state, asked, troubles)))}
        fresh = [p for asset, p in made.items() if asset not in before or _differs(before[asset], p)]
        gone = [p for asset, p in before.items() if asset not in made]
        records.save_proposals(library, state.shoot.id, fresh, gone)
        for one in about.values():
            one.proposals.pop(op.name, None)
            if one.id in made:
                one.proposals[op.name] = made[one.id]
        if asked.whole:
            _take_back(library, state, op.name, asked.rules)
            _apply(library, state, op, about)
    return troubles


def _differs(old: Proposal, new: Proposal) -> bool:
    return (old.id, old.zone, old.group) != (new.id, new.zone, new.group)


def _take_back(library: Library, state: ShootState, task: str, rules: Policy) -> None:
    """What was done alone and is not to be done alone any more waits for a person again."""

    def holds(photo: Judged, name: str) -> bool:
        return name != task or (name in photo.proposals and photo.proposals[name].zone is Zone.AUTO)

    earned.taken_back(library, state, rules, holds)


def _proposals(op: Operator[Any], state: ShootState, asked: Asked, troubles: list[str]) -> Iterable[Proposal]:
    """What one operator suggests for the photos it may touch."""
    identity = params.to_json(op.params())
    for subjects in _sets(op, state):
        bundle = digest_of([op.label, sorted(s.asset.id for s in subjects)])[:16] if len(subjects) > 1 else None
        for suggestion in _suggestions(op, subjects, asked.wishes, troubles):
            about = state.judged(suggestion.member)
            if about is None or (
                op.medium is Medium.FRAME and isinstance(about, Photo) and about.decision is not Cull.KEEP
            ):
                continue
            if (
                suggestion.cannot_tell is None
                and params.to_json(suggestion.params) == identity
                and op.medium is not Medium.CHOICE
            ):
                continue  # nothing to do
            yield _proposal(op, suggestion, about, asked.rules, bundle, client=state.shoot.client)


def _suggestions(
    op: Operator[Any], subjects: Sequence[Subject], wishes: Wishes, troubles: list[str]
) -> Sequence[Suggestion[Any]]:
    """An operator's answer for a set; one that raises abstains for all of it, and says why."""
    try:
        return op.propose(subjects, wishes)
    except Exception as error:  # noqa: BLE001 - a broken plug-in must not stop a shoot
        reason = f"{op.label} failed: {type(error).__name__}: {error}"
        troubles.append(reason)
        return [Suggestion(member=s.asset.id, params=None, cannot_tell=reason) for s in subjects]


def _sets(op: Operator[Any], state: ShootState) -> Iterable[list[Subject]]:
    """The sets that one call of `propose` sees, by the operator's scope."""
    of_clips = op.medium is Medium.TIMELINE
    subjects = {s.asset.id: s for s in (state.clip_subjects() if of_clips else state.subjects())}
    if op.scope is Scope.SHOOT:
        yield list(subjects.values())
        return
    if op.scope is Scope.ASSET:
        yield from ([s] for s in subjects.values())
        return
    wanted = {g.id: g for g in state.groups if (g.kind is GroupKind.SCENE) == (op.scope is Scope.SCENE)}
    alone = set(subjects)
    for group in wanted.values():
        there = [subjects[m] for m in group.members if m in subjects]
        alone -= {s.asset.id for s in there}
        if there:
            yield there
    yield from ([subjects[asset]] for asset in subjects if asset in alone)


def _proposal(
    op: Operator[Any], suggestion: Suggestion[Any], photo: Judged, rules: Policy, bundle: str | None, *,
    client: str | None,
) -> Proposal:  # fmt: skip
    """A suggestion as it is kept. Which zone it is in is for the record to say."""
    chosen = op.params() if suggestion.params is None else suggestion.params
    edit = Edit(operator=op.name, version=op.version, params=params.to_json(chosen))
    alternatives = tuple(
        Edit(operator=op.name, version=op.version, params=params.to_json(a)) for a in suggestion.alternatives
    )
    because = [[b.evidence, b.value, b.text] for b in suggestion.because]
    return Proposal(
        id=digest_of([photo.id, op.label, edit.params, suggestion.cannot_tell, because])[:32],
        asset=photo.id,
        edit=edit,
        zone=Zone.REVIEW,
        group=rules.group(op.name, {**photo.facts, **photo.keys}, client),
        score=suggestion.score,
        because=suggestion.because,
        alternatives=alternatives,
        cannot_tell=suggestion.cannot_tell,
        bundle=bundle,
    )


def _apply(library: Library, state: ShootState, op: Operator[Any], about: Mapping[str, Judged]) -> None:
    """Applies what is in zone auto, as a verdict of the policy's rule, where no person has said anything."""
    said = []
    for photo in about.values():
        proposal, standing = photo.proposals.get(op.name), photo.standing.get(op.name)
        if proposal is None or proposal.zone is not Zone.AUTO or not proposal.offers:
            continue
        by_rule = standing is not None and standing.by.startswith(POLICY)
        if standing is not None and (not by_rule or standing.proposal == proposal.id):
            continue
        said.append(
            Verdict(
                at=now(), by=f"{POLICY}{op.name}", asset=photo.id, shoot=state.shoot.id, operator=op.name,
                version=op.version, say=Say.APPROVE, proposal=proposal.id, score=proposal.score,
                params=proposal.edit.params, group=proposal.group,
            )
        )  # fmt: skip
        photo.standing[op.name] = said[-1]
    records.save_verdicts(library, said)


# ---------------------------------------------------------------- trying the edits on the proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Asks for before and after of a version on the proxy, and what the operators' checks say."""

    photo: str
    version: Version
    proxy: Path
    original: Path
    width: int  # of the original, upright
    height: int
    place: Path  # `place`.before.jpg and `place`.after.jpg
    kept: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The checks of a trial, by operator; `error` says why there are none."""

    photo: str
    version: Version
    measures: tuple[tuple[str, tuple[Measure, ...]], ...] = ()
    error: str | None = None


def trials(library: Library, state: ShootState, folder: ShootFolder) -> list[Trial]:
    """Keepers whose proposed version has not been tried, or whose pictures are gone from the cache."""
    wanted: dict[str, Trial] = {}
    for photo in state.photos.values():
        edits = photo.edits(proposed=True)
        if photo.decision is not Cull.KEEP or not edits:
            continue
        job = trial(photo, edits, folder)
        wanted[job.version.id] = job
    done = records.measured(library, wanted)
    return [
        job
        for version, job in wanted.items()
        if (version, TRIED) not in done or not job.place.with_suffix(".after.jpg").exists()
    ]


def trial(photo: Photo, edits: tuple[Edit, ...], folder: ShootFolder, *, named: str | None = None) -> Trial:
    """Asks for these edits of a photo on its proxy; the pictures are kept under the version's id or as `named`."""
    version = Version(inputs=(Input(id=photo.id),), edits=edits)
    return Trial(
        photo=photo.id, version=version, proxy=folder.cached(photo.id).with_suffix(".jpg"),
        original=folder.root / photo.path, width=photo.asset.width or 1, height=photo.asset.height or 1,
        place=folder.cached(named or version.id), kept=folder.state,
    )  # fmt: skip


def try_edits(job: Trial) -> Tried:
    """Renders the edits one after the other on the proxy, each with its own check. Runs in a worker.

    A raw's proxy is its embedded preview, which has the camera's look already; that edit is left out here and
    checked on the raw itself when it is delivered."""
    try:
        before, frame, tools = opened(job)
        measures: list[tuple[str, tuple[Measure, ...]]] = []
        for edit in job.version.edits:
            op = plugins.operator(edit.operator)
            if op.stage is Stage.BASE:
                continue
            values = params.from_json(op.params, edit.params)
            limits.begin(op.label, seconds=limits.plugin(frame.width * frame.height))
            after = render.render(frame, (edit,), tools)
            measures.append((op.label, tuple(op.check(frame, after, values))))
            frame = after
    except Exception as error:  # noqa: BLE001 - a render that fails is a finding about this photo, not the end of a run
        return Tried(photo=job.photo, version=job.version, error=f"{type(error).__name__}: {error}")
    show(job, before, frame)
    return Tried(photo=job.photo, version=job.version, measures=tuple(measures))


def opened(job: Trial) -> tuple[Frame, Frame, Tools]:
    """The proxy as it is shown, the same in the original's coordinates, and what a render may use."""
    rgb = shrink(image.read(job.proxy if job.proxy.exists() else job.original), TRIAL_SIDE)
    before = image.frame_of(rgb)
    frame = before.moved(before.pixels, scaling(before.width / job.width, before.height / job.height))
    return before, frame, Tools(kept=ShootFolder(job.kept, job.kept).kept, weights={})


def show(job: Trial, before: Frame, after: Frame) -> None:
    """Writes the pictures that people compare."""
    for suffix, shown in ((".before.jpg", before), (".after.jpg", after)):
        pixels = np.ascontiguousarray(write.to_srgb8(shown))
        data = simplejpeg.encode_jpeg(pixels, quality=82, colorspace="RGB", colorsubsampling="420")
        write_atomic(job.place.with_suffix(suffix), data)


def rescue(job: Trial, lost: Lost) -> Tried:
    """A trial whose worker was lost is a finding about this photo."""
    return Tried(photo=job.photo, version=job.version, error=f"{lost.step} was cut off: {lost.told}")


def remember(library: Library, shoot: str, tried: list[Tried]) -> None:
    """Writes what trials found and the versions they are about; the list is empty afterwards."""
    records.save_versions(library, shoot, [(t.photo, t.version) for t in tried], checkpoint="first-pass")
    found: list[tuple[str, str, str, Sequence[Measure]]] = []
    for t in tried:
        failed = (Measure(name="render.failed", value=t.error),) if t.error else ()
        found.append((t.version.id, TRIED, TRIED, failed))
        found += [(t.version.id, label, f"{TRIED}/{label}", measures) for label, measures in t.measures]
    records.save_evidence(library, found)
    tried.clear()
