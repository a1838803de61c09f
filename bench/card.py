"""A memory card of raws by two bodies: how soon there are decisions, at what rate it goes on, what is recognised."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Self

import sqlalchemy as sa

from bench import look
from bench.harness import Data, Result
from safelight.api import Library
from safelight.domain import Cull, GroupKind
from safelight.line import Options, Progress
from safelight.state import Photo
from safelight.store import schema

SETS = {"bracket": GroupKind.BRACKET, "focus_stack": GroupKind.FOCUS_STACK, "panorama": GroupKind.PANORAMA}
WARM = 20  # photos after which the rate is taken
CARD = 2000  # photos for which the minutes are told


def run(data: Data) -> Iterable[Result]:
    """One run over the card with two workers, from an empty library."""
    folder, rows = data.table("card/truth.json", recipe="card")
    with Library.open(data.work / "library") as library:
        watch = Watch(library)
        with watch:
            library.run(folder, options=Options(jobs=2), cache=data.work / "cache", tell=watch.tell)
        state = library.state(folder, cache=data.work / "cache")
    raws = {row["file"]: row for row in rows}
    photos = {path: photo for path, photo in state.by_path.items() if path in raws}
    yield Result(
        name="card.first_decisions.s", value=watch.first_decision, unit="s", n=len(raws), bar=30.0, want="at most"
    )
    minutes = CARD / watch.rate / 60 if watch.rate else None
    yield Result(
        name="card.2000.minutes", value=minutes, unit="min", n=len(raws), bar=6.0,
        want="at most", note="culled from previews, at the rate after the first photos",
    )  # fmt: skip
    yield Result(name="card.all.s", value=watch.seconds, unit="s", n=len(raws), note="with edits tried, and the report")
    for name, kind in SETS.items():
        yield from _sets(name, kind, rows, photos)
    yield from _bursts(rows, photos)
    yield from _clock(rows, photos)
    yield from _rejected(rows, photos)
    yield from look.of_card(folder, rows)


class Watch:
    """Notes when the first cull proposals are in the library, and the rate of looking."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.first_decision: float | None = None
        self.marks: list[tuple[int, float]] = []
        self.seconds = 0.0

    def tell(self, progress: Progress) -> None:
        """Takes the progress of the look stage."""
        if progress.stage == "look":
            self.marks.append((progress.done, time.monotonic()))

    @property
    def rate(self) -> float | None:
        """Photos a second after the first ones."""
        later = [mark for mark in self.marks if mark[0] >= WARM]
        if len(later) < 2:
            return None
        (n0, t0), (n1, t1) = later[0], later[-1]
        return (n1 - n0) / (t1 - t0)

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self.began
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        query = sa.select(schema.proposals.c.seq).where(schema.proposals.c.operator == "cull").limit(1)
        while self.first_decision is None and not self._stop.wait(0.25):
            if self.library.store.rows(query):
                self.first_decision = time.monotonic() - self.began


def _sets(name: str, kind: GroupKind, rows: list[dict[str, Any]], photos: Mapping[str, Photo]) -> Iterable[Result]:
    """Share of sets that are one group of their kind with exactly their frames, and share of frames that stay."""
    true: dict[str, list[str]] = {}
    for row in rows:
        if row["kind"] == name:
            true.setdefault(row["group"], []).append(row["file"])
    whole = [files for files in true.values() if len(files) > 1]
    if not whole:
        return
    found = sum(_is_group([photos.get(f) for f in files], kind) for files in whole)
    frames = [photos.get(f) for files in whole for f in files]
    kept = sum(p is not None and p.decision is Cull.KEEP for p in frames)
    yield Result(name=f"card.{name}.recognised", value=found / len(whole), n=len(whole), bar=1.0, want="at least")
    yield Result(name=f"card.{name}.preserved", value=kept / len(frames), n=len(frames), bar=1.0, want="at least")


def _is_group(frames: list[Photo | None], kind: GroupKind) -> bool:
    groups = {p.group.id if p is not None and p.group else None for p in frames}
    first = frames[0]
    return (
        len(groups) == 1
        and first is not None
        and first.group is not None
        and first.group.kind is kind
        and len(first.group.members) == len(frames)
    )


def _bursts(rows: list[dict[str, Any]], photos: Mapping[str, Photo]) -> Iterable[Result]:
    """B-cubed F1 over the frames of bursts: groups found against true groups."""
    frames = [(row["file"], row["group"]) for row in rows if row["kind"] == "burst"]
    truth: dict[str, set[str]] = {}
    for row in rows:
        truth.setdefault(row["group"], set()).add(row["file"])
    ids = {path: photo.id for path, photo in photos.items()}
    paths = {photo: path for path, photo in ids.items()}
    precision, recall = [], []
    for file, group in frames:
        photo = photos.get(file)
        members = photo.group.members if photo is not None and photo.group else (ids.get(file, file),)
        found = {paths.get(m, m) for m in members}
        both = len(found & truth[group])
        precision.append(both / len(found))
        recall.append(both / len(truth[group]))
    if frames:
        p, r = sum(precision) / len(frames), sum(recall) / len(frames)
        yield Result(name="card.burst.bcubed_f1", value=2 * p * r / (p + r), n=len(frames), bar=0.95, want="at least")


def _clock(rows: list[dict[str, Any]], photos: Mapping[str, Photo]) -> Iterable[Result]:
    """Largest error of the offset between the bodies' clocks, over photos of the body that was shifted."""
    offsets = {row["file"]: float(row["clock_offset_s"]) for row in rows}
    told = [
        float(measure.value)
        for photo in photos.values()
        if (measure := photo.facts.get("clock.offset_s")) is not None and isinstance(measure.value, int | float)
    ]
    true = max(offsets.values()) - min(offsets.values())
    value = max((abs(abs(offset) - true) for offset in told), default=None) if told else None
    yield Result(
        name="card.clock.error_s", value=value, unit="s", n=len(told), bar=1.0, want="at most",
        note="" if told else "not measured: no offset was found",
    )  # fmt: skip


def _rejected(rows: list[dict[str, Any]], photos: Mapping[str, Photo]) -> Iterable[Result]:
    """Share of frames that truth calls best and the machine proposes to reject."""
    best = [photos[row["file"]] for row in rows if row["best"] and not row["faults"] and row["file"] in photos]
    wrong = sum(p.decision is Cull.REJECT for p in best)
    if best:
        note = "frames that truth calls best and sound; several of a burst may be best"
        yield Result(name="card.best_rejected.share", value=wrong / len(best), n=len(best), note=note)
