"""Sixty shoots of pictures: when culling earns its licence, what it lets through, what a broken lens does.

Photographs with faults of known kind lie in folders as bursts, each file a rendering of its own with its own time. The
product makes its first pass over one folder after the other: who the files are, probes (each learned one by a model
that never saw the photo), bursts, culling, coins, licences, canaries, audits, spoilt suggestions. Between two passes a
made reviewer answers the queue, and errs as often as stated. From shoot LENS on a lens is decentred: half of every
frame is out of focus, until all of a shoot has come before the reviewer, who then sends the lens away.
"""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench._earned_plot import plot
from bench._earned_shoots import Pool, Truth, pools, write
from bench._heldout_probes import held_out
from bench.harness import ROOT, Data, Result
from safelight import ledger, queue
from safelight.api import Library
from safelight.domain import Cull, Say
from safelight.learn import audit
from safelight.line import Options
from safelight.policy import NOBODY, SCHEMA
from safelight.queue import Item
from safelight.state import POLICY, Photo, ShootState
from safelight.verdicts import Saying

SHOOTS = 60
LENS = 45  # the shoot, counted from 1, in which the lens breaks
ALPHA, DELTA = 0.02, 0.1  # what this studio asks of culling; the policy that ships asks .005
STUDIO = f'schema = "{SCHEMA}"\n\n[task.cull]\nalpha = {ALPHA}\ndelta = {DELTA}\n'
MISSED, PICKY = 0.05, 0.001  # shares of bad decisions that the reviewer approves, and of good ones that he rejects
FIRST = 1 / 3  # of a queue: what is answered before the machine is asked again; canaries stand there
SECONDS = (1.0, 3.0)  # that an answer takes
PASS = Options(engine="inline", only=("cull",))
SEED = 1


@dataclass(kw_only=True)
class Shoot:
    """What became of one shoot: what was decided in it, by whom, and what was bad of what nobody saw."""

    number: int
    offered: int = 0
    alone: int = 0
    let_through: int = 0
    state: str = "apprentice"
    events: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Story:
    """The shoots so far, in a library of their own; `broken` while the lens is in use."""

    place: Path
    rng: np.random.Generator
    shoots: list[Shoot] = field(default_factory=list)
    cell: Mapping[str, Any] = field(default_factory=dict)
    broken: bool = False

    def copy(self, place: Path) -> "Story":
        """The same up to here, to go on otherwise."""
        shutil.copytree(self.place, place)
        return replace(self, place=place, rng=np.random.default_rng(SEED + 1), shoots=list(self.shoots))


def run(data: Data) -> Iterable[Result]:
    """Sixty shoots in order, and the last of them again with a lens that stays whole."""
    calm, broken = stories(pools(data), data.work)
    yield from _told(broken, calm)


def stories(some: Sequence[Pool], work: Path) -> tuple[Story, Story]:
    """Sixty shoots without and with a broken lens; the same ones until it breaks."""
    sources = {pool.code: pool.source for pool in some}
    with held_out(lambda path: sources[path.stem.rpartition("_")[2]]):
        calm = begin(work / "calm")
        for number in range(1, LENS):
            go_on(calm, some, number)
        broken = calm.copy(work / "broken")
        for number in range(LENS, SHOOTS + 1):
            go_on(calm, some, number)
            broken.broken |= number == LENS
            go_on(broken, some, number)
    return calm, broken


def begin(place: Path) -> Story:
    """A studio with its policy and nothing else."""
    (place / "library").mkdir(parents=True)
    (place / "library" / "policy.toml").write_text(STUDIO, encoding="utf-8")
    return Story(place=place, rng=np.random.default_rng(SEED))


def go_on(story: Story, some: Sequence[Pool], number: int) -> None:
    """One shoot: a pass, the first of the queue, a pass again, the rest of the queue."""
    folder = story.place / f"shoot-{number:02d}"
    truths = write(folder, some, story.rng, number, broken=story.broken)
    shoot = Shoot(number=number)
    before = len(story.cell.get("history", ()))
    with Library.open(story.place / "library") as library:
        library.run(folder, options=PASS)
        shoot.state = str(_cell(library).get("state", "apprentice"))
        _answer(library, folder, truths, story.rng, FIRST)
        library.run(folder, options=PASS)
        _answer(library, folder, truths, story.rng, 1)
        state = library.state(folder)
        story.cell = _cell(library)
    shoot.offered = sum("cull" in photo.proposals and photo.proposals["cull"].offers for photo in state.photos.values())
    alone = [p for p in state.photos.values() if "cull" in p.standing and p.standing["cull"].by.startswith(POLICY)]
    shoot.alone, shoot.let_through = len(alone), sum(is_wrong(p, p.decision, state, truths) for p in alone)
    shoot.events = [e["because"] for e in story.cell["history"][before:] if e["event"] != "canary_failed"]
    if len(story.cell["history"]) - before > len(shoot.events):
        shoot.events.append("A canary was bad: all of the shoot went to the reviewer.")
    if story.broken and not alone:
        story.broken = False
        shoot.events.append("The reviewer saw all of it and sent the lens away.")
    story.shoots.append(shoot)
    shutil.rmtree(folder)


def _cell(library: Library) -> Mapping[str, Any]:
    """Where culling stands for pictures without faces; a person sees all those with faces."""
    cells = ledger.document(library.store)["cells"]
    return next((c for c in cells if c["task"] == "cull" and c["group"] == NOBODY and c["current"]), {})


# ---------------------------------------------------------------- the reviewer


def _answer(
    library: Library, folder: Path, truths: Mapping[str, Truth], rng: np.random.Generator, share: float
) -> None:  # fmt: skip
    """Answers the first items of what waits, one by one, knowing nothing of how they were drawn."""
    state, found = library.queue(folder, task="cull")
    for item in found.items[: int(np.ceil(share * len(found.items)))]:
        queue.answer(library.store, state, item, _said(item, state, truths, rng))


def _said(item: Item, state: ShootState, truths: Mapping[str, Truth], rng: np.random.Generator) -> Saying:
    """What the reviewer says to an item: to what is shown, or without a suggestion what he would do. A photo that was
    spoilt on purpose looks spoilt."""
    photo = state.photos[item.photo]
    seconds = float(rng.uniform(*SECONDS))
    if item.known_bad is not None and not item.known_bad.again:
        truths = {**truths, photo.path: Truth(good=False)}
    right = Cull.REJECT if not truths[photo.path].good or _spared(photo, state, truths) else Cull.KEEP
    saying = Saying(say=Say.MODIFY, by="ann", params={"decision": right.value}, seconds=seconds)
    if item.params is None:
        return saying
    bad = is_wrong(photo, Cull(item.params["decision"]), state, truths)
    sees = rng.random() >= MISSED if bad else rng.random() < PICKY
    if not sees:
        return Saying(say=Say.APPROVE, by="ann", seconds=seconds)
    return saying if bad else Saying(say=Say.REJECT, by="ann", reason="taste", seconds=seconds)


def is_wrong(photo: Photo, decision: Cull, state: ShootState, truths: Mapping[str, Truth]) -> bool:
    """Whether a decision is bad: an unfit frame is kept, or a fit one goes though no fit one of its stack stays."""
    good = truths[photo.path].good
    if decision is Cull.KEEP:
        return not good
    return decision is Cull.REJECT and good and not _spared(photo, state, truths)


def _spared(photo: Photo, state: ShootState, truths: Mapping[str, Truth]) -> bool:
    """Whether another fit frame of the same stack stays."""
    others = [state.photos[m] for m in photo.group.members if m != photo.id] if photo.group else []
    return any(truths[other.path].good and other.decision is not Cull.REJECT for other in others)


# ---------------------------------------------------------------- what is told


def _told(broken: Story, calm: Story) -> Iterable[Result]:
    shoots, cell = broken.shoots, broken.cell
    licensed = next((s.number for s in shoots if s.state == "licensed"), None)
    n = sum(s.offered for s in shoots)
    yield Result(
        name="culling.licensed_from_shoot", value=licensed, n=n, unit="shoots", bar=SHOOTS, want="at most",
        note=f"alpha {ALPHA:g}, delta {DELTA:g}, {cell['drawn']} drawn by coin. {cell['because']}",
    )  # fmt: skip
    for name, some in (
        ("without_a_broken_lens", calm.shoots),
        ("before_it_broke", shoots[: LENS - 1]),
        ("all", shoots),
    ):
        alone = sum(s.alone for s in some)
        bad = sum(s.let_through for s in some)
        yield Result(
            name=f"culling.let_through.{name}", value=bad / alone if alone else None, n=alone,
            bar=ALPHA, want="at most", note=f"{bad} bad of {alone} done alone",
        )  # fmt: skip
    told = [s for s in shoots if s.number >= (licensed or SHOOTS)]
    share = sum(s.alone for s in told) / max(1, sum(s.offered for s in told))
    yield Result(
        name="culling.share_alone_since_licence", value=share, n=sum(s.offered for s in told),
        note="of all photos; those with faces always wait for a person",
    )  # fmt: skip
    first = next(s for s in shoots if s.number == LENS)
    yield Result(
        name="lens.let_through_in_the_shoot", value=first.let_through, n=first.offered, unit="photos", bar=0,
        want="at most", note=" ".join(first.events) or "nothing was noticed",
    )  # fmt: skip
    after = [s for s in shoots if s.number >= LENS]
    found = sum(s.let_through for s in after)
    yield Result(
        name="lens.let_through_until_the_end", value=found, n=sum(s.offered for s in after), unit="photos",
        beside={"printed_exposure_at_5_alpha": audit.exposure(5 * ALPHA, ALPHA, cell["audit"])},
        note="; ".join(f"shoot {s.number}: {e}" for s in after for e in s.events),
    )  # fmt: skip
    known = cell["reviewers"]
    yield Result(
        name="reviewer.known_bads_caught", value=known["caught"] / max(1, known["known_bads"]), n=known["known_bads"]
    )
    rate = cell["reject_rate"]
    yield Result(name="culling.reject_rate", value=rate["value"], n=cell["drawn"], low=rate["low"], high=rate["high"])


if __name__ == "__main__":  # python -m bench.earned DIR WORK: draws the plot of the manual
    *roots, work = map(Path, sys.argv[1:])
    _, made = stories(pools(Data(roots=tuple(roots), work=work)), work)
    (ROOT / "docs" / "images" / "earned.svg").write_text(plot(made.shoots, lens=LENS, alpha=ALPHA), encoding="utf-8")
