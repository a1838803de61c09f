"""Recordings are heard: the first minutes of the long ones, then everything, in pieces, so that a run that was cut off
goes on where it was; at last who speaks. What single workers do is in `hearing`.

What was not heard (a worker that was given up, a recogniser that broke) is told as `missing`, and its answer is not the
last: the next run asks again, and hears those pieces alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from safelight import engine, plugins, sharing
from safelight.clock import Clock
from safelight.domain import Json, Measure, exact
from safelight.hearing import (
    HEARD,
    LONG_S,
    Finish,
    Finished,
    Heard,
    Listen,
    Opened,
    Piece,
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
from safelight.hearing import pieces as pieces_of
from safelight.placing import Places, Recording, place
from safelight.sharing import Share, Voice
from safelight.speech import chunks

BATCH_S = 8 * 3600.0  # recordings are prepared until there is so much to hear: what waits lies on the disk

PREPARING = 0.4  # of the time that a recording takes, until its pieces are known

TOLD = ("words", "speakers", "fillers")  # what those who follow take over

Save = Callable[[str, Sequence[Measure], bool], None]  # asset, measures, whether they are the last

__all__ = ["HEARD", "Listen", "Together", "key", "listen", "spans_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Recordings of a shoot that may be of one event, those to be heard among them. `facts`: measures by these names of
    one that was heard earlier."""

    recordings: tuple[Recording, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    facts: Callable[[str, Sequence[str]], Mapping[str, Measure]] = lambda _, __: {}


def listen(
    executor: Executor, width: int, jobs: Sequence[Listen], save: Save, clock: Clock, together: Together | None = None
) -> Places:
    """Hears recordings, some hours at a time; `save` gets each one's measures, the words again whenever those that were
    heard have doubled; `clock` counts their seconds. Returns which of them are of one event: their words are heard
    once."""
    together = together or Together()
    begun = _begun(executor, width, jobs, save, clock)
    again = {job.asset for job in jobs if job.again}
    event = _Event(together, later={job.asset for job in jobs})
    left = {job.asset: job.seconds for job in jobs}  # seconds that the clock has not counted

    def count(asset: str, share: float = 1.0) -> None:
        """Of what is left of a recording."""
        clock.step(share * left[asset])
        left[asset] *= 1 - share

    for batch in list(_batches(jobs)) or [[]]:
        known: dict[str, _Growing] = {}
        for made in engine.stream(
            executor, width, iter([(prepare, j) for j in batch]), rescue=lost_sound, clock=clock,
            weigh=lambda job: PREPARING * float(job.seconds),
        ):  # fmt: skip
            known[made.asset] = _Growing(made, save, begun.get(made.asset))
            done = known[made.asset].begin(again=made.asset in again)
            count(made.asset, 1.0 if done else PREPARING)
        following = event.follow(executor, width, known)
        pieces = [(hear, p) for j in batch for p in known[j.asset].pieces]
        for found in engine.stream(executor, width, iter(pieces), rescue=lost_piece, clock=clock):
            count(found.asset, 1 / known[found.asset].waiting)
            known[found.asset].add(found)
        heard = [j.asset for j in batch if known[j.asset].prepared.pieces]
        _end(executor, width, [known[name] for name in heard if name not in following], count)
        event.lead(known, following)
        _end(executor, width, [known[name] for name in following], count)
        for job in batch:
            for samples in job.place.rglob("*.16k"):
                samples.unlink(missing_ok=True)
    for one in together.recordings:
        one.wave.unlink(missing_ok=True)
    return event.places


def _begun(executor: Executor, width: int, jobs: Sequence[Listen], save: Save, clock: Clock) -> dict[str, Opened]:
    """The first minutes of long recordings, so that somebody can begin to read."""
    long = [(opening, job) for job in jobs if job.seconds > LONG_S and not job.again]
    begun = {}
    for opened in engine.stream(executor, width, iter(long), rescue=lost_opening, clock=clock):
        begun[opened.asset] = opened
        if opened.pieces:
            save(opened.asset, [_words(opened.clip_words, heard_s=opened.clip_seconds)], False)
    return begun


def _end(executor: Executor, width: int, growing: Sequence["_Growing"], count: Callable[[str], None]) -> None:
    """Writes what only whole recordings tell."""
    known = {one.prepared.asset: one for one in growing}
    jobs: list[engine.Job] = [(finish, one.last) for one in growing]
    for ended in engine.stream(executor, width, iter(jobs), rescue=lost_finish):
        known[ended.asset].end(ended)
        count(ended.asset)


@dataclass(slots=True)
class _Event:
    """Which recordings are of one event, as batches of them become known; and who is heard for whom."""

    together: Together
    later: set[str]  # those that nobody has prepared yet
    places: Places = field(default_factory=Places)
    compared: set[str] = field(default_factory=set)
    voices: dict[str, Voice | None] = field(default_factory=dict)
    told: dict[str, Mapping[str, Measure]] = field(default_factory=dict)

    def follow(self, executor: Executor, width: int, known: Mapping[str, "_Growing"]) -> dict[str, Share]:
        """Compares those that are prepared with those before, and tells who can follow which parts are left to hear."""
        self.later -= known.keys()
        here = [r for r in self.together.recordings if r.asset not in self.later]
        if not any(r.fresh and r.asset not in self.compared for r in here):
            return {}
        for asset in {r.asset for r in here} - self.voices.keys():
            self.voices[asset] = self._voice(asset, known.get(asset))
        self.places = self.places.and_(place(executor, width, [self._as_known(r) for r in here]))
        self.compared |= {r.asset for r in here}
        voices = {asset: voice for asset, voice in self.voices.items() if voice is not None}
        found = sharing.plan(self.places.placed.values(), voices)
        following = {asset: share for asset, share in found.items() if asset in known}
        for asset, share in following.items():
            known[asset].follow(share)
        return following

    def _as_known(self, one: Recording) -> Recording:
        voice, placed = self.voices[one.asset], self.places.placed.get(one.asset)
        return replace(
            one, fresh=one.fresh and one.asset not in self.compared, clear_db=voice.clear_db if voice else 0.0,
            event=placed.event if placed else one.event,
        )  # fmt: skip

    def _voice(self, asset: str, one: "_Growing | None") -> Voice | None:
        if one is None:
            return Voice.of(asset, self.together.paths[asset], self.together.facts(asset, sharing.OF_VOICES))
        facts = {m.name: m for m in one.prepared.measures}
        return Voice.of(asset, self.together.paths[asset], facts, one.prepared.clear) if one.pieces else None

    def lead(self, known: Mapping[str, "_Growing"], following: Mapping[str, Share]) -> None:
        """Gives those who follow what was heard where they are led."""
        self.told |= {asset: one.told_last for asset, one in known.items() if asset in self.places.placed}
        for asset, share in following.items():
            leader = share.leader.asset
            known[asset].leader = self.told.get(leader) or self.together.facts(leader, TOLD)


@dataclass(slots=True)
class _Growing:
    """The words of one recording as its pieces come. One that follows another is told at the end: `leader` is what was
    heard there."""

    prepared: Prepared
    save: Save
    opened: Opened | None
    found: dict[int, Heard] = field(default_factory=dict)
    told: int = 0
    pieces: tuple[Piece, ...] = ()
    share: Share | None = None
    leader: Mapping[str, Measure] = field(default_factory=dict)
    told_last: Mapping[str, Measure] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pieces = self.prepared.pieces
        self.told = self.opened.pieces if self.opened is not None else self._kept

    def begin(self, *, again: bool) -> bool:
        """Writes what is known before a word is heard; whether that is all. Nothing is taken back that an earlier run
        found."""
        done = not self.prepared.pieces
        if not (self.prepared.lost and again):
            self.save(self.prepared.asset, self.prepared.measures, done and not self.prepared.lost)
        return done

    def follow(self, share: Share) -> None:
        """Leaves out what another recording hears as well."""
        self.share = share
        offset = float(self.prepared.offset)
        own = [part for part in self.prepared.parts if not share.holds(part, offset)]
        if self.prepared.pieces:
            self.pieces = pieces_of(self.prepared.asset, self.prepared.pieces[0].place, own)

    @property
    def _kept(self) -> int:
        """Pieces from the first on that an earlier run heard: it told their words."""
        count = 0
        while count < len(self.pieces) and self.pieces[count].kept.exists():
            count += 1
        return count

    @property
    def waiting(self) -> int:
        """How much is left to do: pieces, and the end."""
        return len(self.pieces) - len(self.found) + 1

    def add(self, piece: Heard) -> None:
        """Takes a piece. Words are written when they have doubled, up to the first gap."""
        self.found[piece.number] = piece
        count = 0
        while count in self.found:
            count += 1
        if self.share is None and count and count >= 2 * self.told:
            self.told = count
            heard_s = self.pieces[count - 1].parts[-1].span[1] + float(self.prepared.offset)
            self.save(self.prepared.asset, [self._words(self._own(count), heard_s=heard_s)], False)

    @property
    def last(self) -> Finish:
        """What is asked when all pieces are there."""
        return Finish(
            asset=self.prepared.asset, parts=tuple(part for piece in self.pieces for part in piece.parts),
            words=tuple(w for p in self._heard for w in p.words) if self.share is None else tuple(self._both("words")),
            voices=self.share is None,
        )  # fmt: skip

    def end(self, ended: Finished) -> None:
        """Writes the whole: words with their voices, and what only the whole tells."""
        takes = Measure(name="takes", value=list(ended.takes))
        if self.share is None:
            own = [w | {"speaker": s} for w, s in zip(self._own(), ended.speakers, strict=True)]
            told = [self._words(own), self._speakers(ended), self._fillers, takes]
        else:
            told = [self._words(self._both("words")), self._speakers_there, self._fillers, takes]
        complete = not ended.lost and not any(p.trouble for p in self._heard) and not self._missing_there
        self.told_last = {m.name: m for m in told}
        self.save(self.prepared.asset, told, complete)

    @property
    def _heard(self) -> list[Heard]:
        return [self.found[n] for n in sorted(self.found)]

    def _own(self, count: int | None = None) -> list[dict[str, Json]]:
        """Words that were heard in so many pieces, at the clip's times."""
        return [moved(w, self.prepared.offset) for p in self._heard[:count] for w in p.words]

    # ------------------------------------------------------------ what another recording heard

    def _there(self, name: str, inside: str) -> list[dict[str, Any]]:
        """Rows of a measure of the recording that was listened to instead, at the times of this one."""
        measure = self.leader.get(name)
        told = measure.value if measure is not None else None
        rows: Any = told.get(inside, []) if isinstance(told, dict) else told or []
        assert self.share is not None
        offset = float(self.prepared.offset)
        own = [(a + offset, b + offset) for piece in self.pieces for a, b in (part.span for part in piece.parts)]
        return self.share.rows(rows, own)

    def _both(self, name: str) -> list[dict[str, Json]]:
        return sharing.merged(self._own(), self._there(name, name))

    @property
    def _missing_there(self) -> list[dict[str, Any]]:
        return self._there("words", "missing") if self.share is not None else []

    @property
    def _speakers_there(self) -> Measure:
        told = self.leader.get("speakers")
        if told is None or not isinstance(told.value, dict):
            why = told.cannot_tell if told is not None and told.cannot_tell else "nothing was heard"
            return Measure(name="speakers", cannot_tell=why)
        return Measure(name="speakers", value={
            "count": told.value["count"], "turns": [*self._there("speakers", "turns")],
        })  # fmt: skip

    # ------------------------------------------------------------ as evidence

    def _speakers(self, ended: Finished) -> Measure:
        if ended.turns is None:
            return Measure(name="speakers", cannot_tell=ended.cannot_tell)
        turns = [moved(turn, self.prepared.offset) for turn in ended.turns]
        return Measure(name="speakers", value={"count": ended.count, "turns": [*turns]})

    @property
    def _fillers(self) -> Measure:
        own = [moved(f, self.prepared.offset) | {"measured": "made data only"} for p in self._heard for f in p.fillers]
        there = self.leader.get("fillers")
        if there is not None and there.cannot_tell is None:
            return Measure(name="fillers", value=list(sharing.merged(own, self._there("fillers", "fillers"))))
        because = self.prepared.fillers
        if because is None and not any(p.listened for p in self._heard):
            because = there.cannot_tell if there is not None else "its words are unsure"
        return Measure(name="fillers", cannot_tell=because) if because else Measure(name="fillers", value=list(own))

    def _words(self, rows: Sequence[dict[str, Json]], *, heard_s: float | None = None) -> Measure:
        """`heard_s`: how far this is known; None: to the end."""
        offset = self.prepared.offset
        missing = [
            (moved_span(part.span[0], part.span[1], offset), p.trouble)
            for p in self._heard if p.trouble for part in self.pieces[p.number].parts
        ]  # fmt: skip
        missing += [(row, f"{self.share.leader.path} was not heard there") for row in self._missing_there if self.share]
        whole = heard_s is None
        return _words(
            rows, whole=whole, heard_s=self.prepared.seconds + float(offset) if heard_s is None else heard_s,
            missing=missing, heard_from=self._heard_from,
        )  # fmt: skip

    @property
    def _heard_from(self) -> Sequence[dict[str, Json]]:
        if self.share is None:
            return self.prepared.heard_from
        own = sum(b - a for piece in self.pieces for part in piece.parts for a, b in [part.span])
        all_ = sum(b - a for part in self.prepared.parts for a, b in [part.span])
        there: dict[str, Json] = {"recording": self.share.leader.path, "seconds": round(all_ - own, 1)}
        return [there, *({**row, "seconds": round(own, 1)} for row in self.prepared.heard_from[:1] if own)]


def _words(
    words: Sequence[dict[str, Json]], *, heard_s: float, whole: bool = False,
    missing: Sequence[tuple[dict[str, Json], str]] = (), heard_from: Sequence[dict[str, Json]] = (),
) -> Measure:  # fmt: skip
    recogniser = plugins.recogniser()
    language, because = chunks.language(words, recogniser)
    value: dict[str, Json] = {
        "language": language, "language_because": because, "recogniser": recogniser.label,
        "heard_s": round(heard_s, 3), "whole": whole, "words": list(words),
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
