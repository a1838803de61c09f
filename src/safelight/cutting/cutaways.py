"""Cutaways: steady shots that could lie over a jump cut, offered on a track that is switched off; and those that people
approved, where what they lie over plays now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from safelight.cutting.assembly import Assembly, Cover, Material, Piece, jumps, place
from safelight.cutting.programme import frames_of
from safelight.errors import UsageError
from safelight.media import container, timecode, video
from safelight.media.effects import Effect
from safelight.media.timeline import Cutaway

SEEN_SIDE = 96  # px, long side in which movement is looked for
STEADY = 2.5  # levels by which a picture's mean may change from frame to frame
SETTLED_S = Fraction(1, 4)  # after a change of shot, and before
BEFORE_S, LASTS_S = Fraction(1, 2), Fraction(2)  # a cutaway begins so long before the cut, and lasts so long
APART_S = 8  # between two cutaways
NEAR_S = 1  # before the moment at which one began, where that is cut: it begins with the join


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A clip that may be cut away to, with its grade: nothing else that is done to it is seen in a cutaway."""

    path: Path
    grade: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A cutaway that is offered: over the join of these two pieces, out of a stretch (seconds) of another clip that
    keeps still."""

    cover: Cover
    over: tuple[Piece, Piece]
    steady: tuple[Fraction, Fraction]


def steady(path: Path) -> list[tuple[Fraction, Fraction]]:
    """Stretches (seconds) of a clip in which the picture keeps still, without its joins. Raises MediaError."""
    before: np.ndarray | None = None
    spans: list[tuple[Fraction, Fraction]] = []
    start: Fraction | None = None
    at = Fraction(0)
    for still in video.frames(path, long_side=SEEN_SIDE, luma=False):
        now = still.rgb.mean(2)
        calm = before is None or float(np.abs(now - before).mean()) <= STEADY
        if calm and start is None:
            start = still.at
        elif not calm and start is not None:
            spans.append((start, at))
            start = None
        before, at = now, still.at
    if start is not None:
        spans.append((start, at))
    return [(a + SETTLED_S, b - SETTLED_S) for a, b in spans if b - a >= LASTS_S + 2 * SETTLED_S]


def offered(made: Assembly, shots: Sequence[Other]) -> list[Offer]:
    """A cutaway over each jump cut that is far enough from the one before, as long as there are steady shots."""
    rate = made.programme.rate
    lasts, lead = round(LASTS_S * rate), round(BEFORE_S * rate)
    others = {one.path: material_of(one) for one in shots}
    found = []
    for (at, over), (path, start, still) in zip(_places(made, lasts, lead), _stretches(others), strict=False):
        cover = _cover(others[path], start, at, lasts, rate)
        found.append(Offer(cover=cover, over=over, steady=still))
    return found


def material_of(one: Other) -> Material:
    """A clip that is cut away to. Raises UsageError for one without a picture, MediaError."""
    facts = container.contents(one.path)
    if not facts.picture:
        raise UsageError(f"{one.path.name} has no picture to cut away to.", remedy="Name clips with --cutaway.")
    rate, length = frames_of(one.path)
    return Material(path=one.path, facts=facts, rate=rate, length=length, effects=one.grade)


def _cover(
    other: Material, start: Fraction, at: int, length: int, rate: Fraction, *, enabled: bool = False
) -> Cover:  # fmt: skip
    return Cover(
        material=other, start=timecode.nearest_frame(start, rate), at=at, length=length, enabled=enabled,
        media_length=max(timecode.nearest_frame(other.length / other.rate, rate), 1),
    )  # fmt: skip


def _places(made: Assembly, lasts: int, lead: int) -> list[tuple[int, tuple[Piece, Piece]]]:
    found: list[tuple[int, tuple[Piece, Piece]]] = []
    for at, one, two in jumps(made):
        begins = max(at - lead, 0)
        if begins + lasts <= made.programme.length and (
            not found or begins - found[-1][0] >= APART_S * made.programme.rate
        ):
            found.append((begins, (one, two)))
    return found


def _stretches(others: Mapping[Path, Material]) -> Iterator[tuple[Path, Fraction, tuple[Fraction, Fraction]]]:
    """Two seconds each, none twice, with the steady stretch that they are of."""
    for path in others:
        for start, end in steady(path):
            at = start
            while at + LASTS_S <= end:
                yield path, at, (start, end)
                at += LASTS_S


# ---------------------------------------------------------------- those that people decided about


def laid(
    made: Assembly, clip: int, asked: Sequence[Cutaway], others: Mapping[str, Material], *, enabled: bool,
    beside: Sequence[Cover] = (),
) -> tuple[list[Cover], list[str]]:  # fmt: skip
    """Cutaways of a clip (by number) where they lie in a programme now, and which of them cannot be shown, in
    sentences. `others`: the clips they show, by id; `beside`: covers that lie there already."""
    rate = made.programme.rate
    covers, notes = list(beside), []
    for one in asked:
        other, at = others[one.source], _begins(made, clip, one.at)
        cover = None if at is None else _cover(
            other, one.start, at, min(round(one.length * rate), made.programme.length - at), rate, enabled=enabled
        )  # fmt: skip
        why = _in_the_way(made, cover, covers)
        if cover is None or why:
            name = made.materials[clip].path.name
            notes.append(f"{name}: the cutaway to {other.path.name} at {float(one.at):.2f} s is not shown: {why}.")
        else:
            covers.append(cover)
    return covers[len(beside) :], notes


def _in_the_way(made: Assembly, cover: Cover | None, covers: Sequence[Cover]) -> str | None:
    """Why a cutaway cannot be shown; None where it can."""
    if cover is None:
        return "what it lay over does not play"
    if not any(m.facts.picture for m in made.materials):
        return "there is no picture"
    if cover.length < 1 or cover.start + cover.length > cover.media_length:
        return f"{cover.material.path.name} does not last so long"
    if any(cover.at < other.end and cover.end > other.at for other in covers):
        return "another one lies there"
    return None


def _begins(made: Assembly, clip: int, at: Fraction) -> int | None:
    """The frame of the programme at which a moment of a clip (by number) plays; where it is cut, the join a little
    before it."""
    rate = made.materials[clip].rate
    frame = round(at * rate)
    found = place(made, clip, frame)
    if found is not None:
        return found
    ends = [end for _, end in pairwise([*made.places, made.programme.length])]
    near = [
        (frame - piece.end, end) for piece, end in zip(made.pieces, ends, strict=True)
        if piece.clip == clip and 0 <= frame - piece.end < NEAR_S * rate and end < made.programme.length
    ]  # fmt: skip
    return min(near)[1] if near else None
