"""Recordings are heard: the first minutes of the long ones, then everything, in pieces, so that a run that was cut off
goes on where it was; at last who speaks. What single workers do is in `hearing`.

What was not heard (a worker that was given up, a recogniser that broke) is told as `missing`, and its answer is not the
last: the next run asks again, and hears those pieces alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from safelight import engine, plugins
from safelight.domain import Json, Measure, exact
from safelight.hearing import (
    HEARD,
    LONG_S,
    Finish,
    Finished,
    Heard,
    Listen,
    Opened,
    Prepared,
    finish,
    hear,
    key,
    lost_finish,
    lost_opening,
    lost_piece,
    lost_sound,
    moved,
    moved_span,
    opening,
    prepare,
)
from safelight.speech import chunks

BATCH_S = 7200.0  # recordings are prepared until there is so much to hear: what waits lies on the disk

Save = Callable[[str, Sequence[Measure], bool], None]  # asset, measures, whether they are the last

__all__ = ["HEARD", "Listen", "key", "listen", "spans_of"]


def listen(executor: Executor, width: int, jobs: Sequence[Listen], save: Save, step: Callable[[], None]) -> None:
    """Hears recordings, some hours at a time; `save` gets each one's measures, the words again whenever those that were
    heard have doubled, and `step` a call for each finished recording."""
    long = [(opening, job) for job in jobs if job.seconds > LONG_S and not job.again]
    begun: dict[str, Opened] = {}
    again = {job.asset for job in jobs if job.again}
    for opened in engine.stream(executor, width, iter(long), rescue=lost_opening):
        begun[opened.asset] = opened
        if opened.pieces:
            save(opened.asset, [_words(opened.words, opened.offset, heard_s=opened.seconds)], False)
    for batch in _batches(jobs):
        known: dict[str, _Growing] = {}
        for made in engine.stream(executor, width, iter([(prepare, j) for j in batch]), rescue=lost_sound):
            known[made.asset] = _Growing(made, save, begun.get(made.asset))
            if known[made.asset].begin(again=made.asset in again):
                step()
        pieces = [(hear, p) for j in batch for p in known[j.asset].prepared.pieces]
        for found in engine.stream(executor, width, iter(pieces), rescue=lost_piece):
            known[found.asset].add(found)
        ends = [(finish, known[j.asset].last) for j in batch if known[j.asset].prepared.pieces]
        for ended in engine.stream(executor, width, iter(ends), rescue=lost_finish):
            known[ended.asset].end(ended)
            step()
        for job in batch:
            for samples in job.place.rglob("*.16k"):
                samples.unlink(missing_ok=True)


@dataclass(slots=True)
class _Growing:
    """The words of one recording as its pieces come."""

    prepared: Prepared
    save: Save
    opened: Opened | None
    found: dict[int, Heard] = field(default_factory=dict)
    told: int = 0

    def __post_init__(self) -> None:
        self.told = self.opened.pieces if self.opened is not None else self._kept

    def begin(self, *, again: bool) -> bool:
        """Writes what is known before a word is heard; whether that is all. Nothing is taken back that an earlier run
        found."""
        done = not self.prepared.pieces
        if not (self.prepared.lost and again):
            self.save(self.prepared.asset, self.prepared.measures, done and not self.prepared.lost)
        return done

    @property
    def _kept(self) -> int:
        """Pieces from the first on that an earlier run heard: it told their words."""
        count = 0
        while count < len(self.prepared.pieces) and self.prepared.pieces[count].kept.exists():
            count += 1
        return count

    def add(self, piece: Heard) -> None:
        """Takes a piece. Words are written when they have doubled, up to the first gap."""
        self.found[piece.number] = piece
        count = 0
        while count in self.found:
            count += 1
        if count and count >= 2 * self.told:
            self.told = count
            self.save(self.prepared.asset, [self._words(count)], False)

    @property
    def last(self) -> Finish:
        """What is asked when all pieces are there."""
        parts = tuple(part for piece in self.prepared.pieces for part in piece.parts)
        return Finish(asset=self.prepared.asset, parts=parts, words=tuple(w for p in self._pieces for w in p.words))

    def end(self, ended: Finished) -> None:
        """Writes the whole: words with their voices, and what only the whole tells."""
        offset = self.prepared.offset
        gaps = [{**moved(f, offset), "measured": "made data only"} for p in self._pieces for f in p.fillers]
        fillers = (
            Measure(name="fillers", value=list(gaps)) if self.prepared.fillers is None
            else Measure(name="fillers", cannot_tell=self.prepared.fillers)
        )  # fmt: skip
        speakers = (
            Measure(name="speakers", cannot_tell=ended.cannot_tell) if ended.turns is None
            else Measure(name="speakers", value={
                "count": ended.count, "turns": [moved(turn, offset) for turn in ended.turns],
            })
        )  # fmt: skip
        takes = Measure(name="takes", value=list(ended.takes))
        words = self._words(len(self._pieces), speakers=ended.speakers)
        complete = not ended.lost and not any(p.trouble for p in self._pieces)
        self.save(self.prepared.asset, [words, speakers, fillers, takes], complete)

    @property
    def _pieces(self) -> list[Heard]:
        return [self.found[n] for n in sorted(self.found)]

    def _words(self, count: int, *, speakers: Sequence[str | None] | None = None) -> Measure:
        pieces = self._pieces[:count]
        whole = speakers is not None
        words = [w for p in pieces for w in p.words]
        if speakers is not None:
            words = [w | {"speaker": s} for w, s in zip(words, speakers, strict=True)]
        return _words(
            words, self.prepared.offset, whole=whole,
            heard_s=self.prepared.seconds if whole else self.prepared.pieces[count - 1].parts[-1].span[1],
            missing=[
                (moved_span(part.span[0], part.span[1], self.prepared.offset), p.trouble)
                for p in pieces if p.trouble for part in self.prepared.pieces[p.number].parts
            ],
            heard_from=self.prepared.heard_from,
        )  # fmt: skip


def _words(
    heard: Sequence[Mapping[str, Any]], offset: Fraction, *, heard_s: float, whole: bool = False,
    missing: Sequence[tuple[dict[str, Json], str]] = (), heard_from: Sequence[dict[str, Json]] = (),
) -> Measure:  # fmt: skip
    words = [moved(word, offset) for word in heard]
    recogniser = plugins.recogniser()
    language, because = chunks.language(words, recogniser)
    value: dict[str, Json] = {
        "language": language, "language_because": because, "recogniser": recogniser.label,
        "heard_s": round(heard_s + float(offset), 3), "whole": whole, "words": list(words),
        "troubles": list(dict.fromkeys(why for _, why in missing)), "missing": [span for span, _ in missing],
        "heard_from": list(heard_from),
    }  # fmt: skip
    return Measure(name="words", value=value)


def _batches(jobs: Sequence[Listen]) -> Iterator[list[Listen]]:
    batch: list[Listen] = []
    for job in jobs:
        batch.append(job)
        if sum(j.seconds for j in batch) >= BATCH_S:
            yield batch
            batch = []
    if batch:
        yield batch


def spans_of(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of evidence with `at`, their start as a fraction: times lie on a grid of a millisecond."""
    return [{**row, "at": exact(Fraction(round(row["start"] * 1000), 1000))} for row in rows]
