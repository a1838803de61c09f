"""Steady shots that could lie over a jump cut: offered, on a track that is switched off."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from safelight.cutting.assembly import Assembly, Cover, joins
from safelight.cutting.programme import frames_of
from safelight.errors import UsageError
from safelight.media import container, timecode, video

SEEN_SIDE = 96  # px, long side in which movement is looked for
STEADY = 2.5  # levels by which a picture's mean may change from frame to frame
SETTLED_S = Fraction(1, 4)  # after a change of shot, and before
BEFORE_S, LASTS_S = Fraction(1, 2), Fraction(2)  # a cutaway begins so long before the cut, and lasts so long
APART_S = 8  # between two cutaways


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


def offered(made: Assembly, shots: Sequence[Path]) -> list[Cover]:
    """A cutaway over each jump cut that is far enough from the one before, as long as there are steady shots."""
    rate = made.programme.rate
    lasts, lead = round(LASTS_S * rate), round(BEFORE_S * rate)
    places = _places(made, lasts, lead)
    covers = []
    for at, (path, start) in zip(places, _stretches(shots), strict=False):
        facts = container.contents(path)
        own, length = frames_of(path)
        covers.append(
            Cover(
                path=path, facts=facts, rate=own, start=timecode.nearest_frame(start, rate), at=at, length=lasts,
                media_length=max(timecode.nearest_frame(length / own, rate), 1),
            )
        )  # fmt: skip
    return covers


def _places(made: Assembly, lasts: int, lead: int) -> list[int]:
    found: list[int] = []
    for at, one, two in joins(made):
        begins = max(at - lead, 0)
        if one.clip != two.clip or not made.materials[one.clip].facts.picture:
            continue
        if begins + lasts <= made.programme.length and (
            not found or begins - found[-1] >= APART_S * made.programme.rate
        ):
            found.append(begins)
    return found


def _stretches(shots: Sequence[Path]) -> Iterator[tuple[Path, Fraction]]:
    """Two seconds each, none twice."""
    for path in shots:
        if not container.contents(path).picture:
            raise UsageError(f"{path.name} has no picture to cut away to.", remedy="Name clips with --cutaway.")
        for start, end in steady(path):
            at = start
            while at + LASTS_S <= end:
                yield path, at
                at += LASTS_S
