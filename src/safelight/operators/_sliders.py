"""Which sliders of a tone curve bring tones where they should be, and how far they may go.

Sliders are a vector in the order of `SLIDERS`, -100..100. Tones are encoded (sRGB) luminance, 0..1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safelight.media import tone as curves
from safelight.media.colour import decode, encode

Vector = NDArray[np.float64]

SLIDERS = ("highlights", "shadows", "whites", "blacks", "contrast")
CALM = 4e-4  # encoded, squared, for a slider at its end: of two settings that do alike, the smaller one
ROUNDS = 8
ENDS, ENDS_FIRST = ("blacks", "whites"), 0.004  # encoded: where black and white points do nearly as well, they are it
WORTH = 0.003  # encoded, root mean square: what another slider has to gain
NUDGE = 0.5  # of a slider, for slopes
BURIED = 0.02  # encoded: the darkest hundredth is not driven below
NOISE_MOST = 6.0  # levels of 255 that noise may reach
STEEPEST = 2.5  # levels of the result for one level of an eight-bit original
DARK, MIDDLE = 0.04, 0.4  # encoded: the shadows, where noise is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a frame can take. Tones are encoded and after the exposure that is proposed beside."""

    top: float  # half a hundredth of the pixels has a brighter channel; 1 where more are clipped already
    floor: float  # luminance of the darkest hundredth
    noise: float | None  # levels of 255; None where it is not known
    eight_bits: bool


def tightest(all_: Sequence[Limits]) -> Limits:
    """What every one of several frames can take."""
    noises = [limits.noise for limits in all_ if limits.noise is not None]
    return Limits(
        top=max(limits.top for limits in all_),
        floor=min(limits.floor for limits in all_),
        noise=max(noises, default=None),
        eight_bits=any(limits.eight_bits for limits in all_),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What kept sliders back: which limit, and by how much (EV, or for the levels a share)."""

    by: str  # highlights, shadows, noise, levels
    amount: float


def curve(values: Vector, sliders: Vector) -> Vector:
    """Encoded tones after the sliders."""
    return curves.curve(values, **dict(zip(SLIDERS, map(float, sliders), strict=True)))


def solve(tones: Vector, moves: Vector, only: Sequence[str] = SLIDERS) -> Vector:
    """The fewest sliders that move these tones by so much, as near as they can: one more only where it is worth it."""
    best, left = np.zeros(len(SLIDERS)), float(np.sqrt(np.mean(moves**2)))
    used: tuple[int, ...] = ()
    while len(used) < len(only):
        tried = []
        for which in (i for i, name in enumerate(SLIDERS) if name in only and i not in used):
            sliders = _nearest(tones, moves, np.array((*used, which)))
            off = tones + moves - curve(tones, sliders)
            tried.append((float(np.sqrt(np.mean(off**2))), which, sliders))
        off_by, which, sliders = min(tried, key=lambda t: t[0] - ENDS_FIRST * (SLIDERS[t[1]] in ENDS))
        if off_by > left - WORTH:
            break
        best, left, used = sliders, off_by, (*used, which)
    return np.rint(best) + 0.0


def _nearest(tones: Vector, moves: Vector, used: NDArray[np.intp]) -> Vector:
    """These sliders, all others at zero; Gauss-Newton with bounds."""
    sliders = np.zeros(len(SLIDERS))
    calm = np.eye(len(used)) * CALM / curves.FULL**2
    for _ in range(ROUNDS):
        off = tones + moves - curve(tones, sliders)
        slopes = np.stack([_slope(tones, sliders, which) for which in used.tolist()], 1)
        step = np.linalg.solve(slopes.T @ slopes + calm, slopes.T @ off - calm @ sliders[used])
        sliders[used] = np.clip(sliders[used] + step, -curves.FULL, curves.FULL)
    return sliders


def _slope(tones: Vector, sliders: Vector, which: int) -> Vector:
    """How far tones move with one slider, on the side of zero where it is."""
    nudge = -NUDGE if sliders[which] < 0 else NUDGE
    nudged = sliders.copy()
    nudged[which] += nudge
    return np.asarray((curve(tones, nudged) - curve(tones, sliders)) / nudge)


def hold(sliders: Vector, limits: Limits) -> tuple[Vector, list[Held]]:
    """The sliders as far as the frame can take them, and what held them back."""
    held: list[Held] = []
    for by, names, allowed, cost in (
        ("highlights", ("whites", "highlights"), _keeps_highlights, _lost_at_top),
        ("shadows", ("blacks",), _keeps_shadows, _lost_at_floor),
        ("noise", ("shadows", "blacks"), _keeps_quiet, _lost_in_shadows),
        ("levels", SLIDERS, _keeps_levels, _lost_slope),
    ):
        kept = _as_far(sliders, names, lambda s, allowed=allowed: allowed(s, limits))  # type: ignore[misc]
        if not np.array_equal(kept, sliders):
            held.append(Held(by=by, amount=cost(sliders, kept, limits)))
            sliders = kept
    return sliders, held


def _as_far(sliders: Vector, names: Sequence[str], allowed: Callable[[Vector], bool]) -> Vector:
    """These sliders reduced together, by the least that is allowed; to zero where nothing is."""
    if allowed(sliders):
        return sliders
    mine = np.array([name in names for name in SLIDERS])
    low, high = 0.0, 1.0
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if allowed(_reduced(sliders, mine, middle)) else (low, middle)
    return _reduced(sliders, mine, low)


def _reduced(sliders: Vector, mine: NDArray[np.bool_], share: float) -> Vector:
    return np.where(mine, np.trunc(sliders * share), sliders) + 0.0


# ---------------------------------------------------------------- the limits, and what they cost


def _at(sliders: Vector, tone: float) -> float:
    return float(curve(np.array([tone]), sliders)[0])


def _steepest(sliders: Vector, low: float, high: float) -> float:
    tones = np.linspace(low, high, 33)
    return float((np.diff(curve(tones, sliders)) / np.diff(tones)).max())


def _keeps_highlights(sliders: Vector, limits: Limits) -> bool:
    return _at(sliders, limits.top) <= max(1.0, limits.top) + 1e-9


def _keeps_shadows(sliders: Vector, limits: Limits) -> bool:
    return _at(sliders, limits.floor) >= min(limits.floor, BURIED) - 1e-9


def _keeps_quiet(sliders: Vector, limits: Limits) -> bool:
    if limits.noise is None:
        return True
    return _steepest(sliders, DARK, MIDDLE) * limits.noise <= max(limits.noise, NOISE_MOST) + 1e-9


def _keeps_levels(sliders: Vector, limits: Limits) -> bool:
    return not limits.eight_bits or _steepest(sliders, limits.floor, limits.top) <= STEEPEST


def _lost_at_top(asked: Vector, kept: Vector, limits: Limits) -> float:
    return _stops(_at(asked, limits.top), _at(kept, limits.top))


def _lost_at_floor(asked: Vector, kept: Vector, limits: Limits) -> float:
    return _stops(max(_at(asked, limits.floor), 0.002), _at(kept, limits.floor))


def _lost_in_shadows(asked: Vector, kept: Vector, limits: Limits) -> float:  # noqa: ARG001 - one signature for all
    return _stops(_at(asked, 0.12), _at(kept, 0.12))


def _lost_slope(asked: Vector, kept: Vector, limits: Limits) -> float:
    ends = limits.floor, max(limits.top, limits.floor + 0.01)
    return 1 - _steepest(kept, *ends) / _steepest(asked, *ends)


def _stops(one: float, other: float) -> float:
    light = decode(np.array([one, other]))
    return float(abs(np.log2(max(light[0], 1e-6) / max(light[1], 1e-6))))


def encoded(stops: float) -> float:
    """Encoded value of a tone given in EV from white."""
    return float(encode(np.array([2.0**stops]))[0])
