"""Radial bends as polynomials: how far they bend straight lines, how to undo them, how to fill the picture again.

Everything is in half diagonals from the middle. A polynomial f leads from a corrected picture back to the one that
was taken: what stands at r comes from r · f(r).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from safelight.media.chains import Field

Floats = NDArray[np.float64]

LINE = 65  # places along a line, and lines on each side of the middle: LINES
LINES = 8
REACH = 1.6  # half diagonals up to which a bend is undone
LARGEST = 2.0  # times that a picture is enlarged at most to fill itself
SAFE = 1e-4  # share by which the filled picture stays inside


def at(polynomial: Sequence[float], r: Floats) -> Floats:
    """f(r)."""
    return np.asarray(np.polynomial.polynomial.polyval(r, polynomial), np.float64)


def bend(polynomial: Sequence[float], aspect: float) -> float:
    """The most that a straight line across a corrected picture is bent in the one that was taken, as a share of its
    diagonal: the farthest from the chord, over lines that stand and lie."""
    half = _half(aspect)
    run, lines = np.linspace(-1, 1, LINE), np.linspace(0, 1, LINES + 1)
    worst = 0.0
    for along, across in ((0, 1), (1, 0)):
        x = run[None, :] * half[along]
        y = np.broadcast_to(lines[:, None] * half[across], (len(lines), LINE))
        place = y * at(polynomial, np.hypot(x, y))
        chord = place[:, :1] + (place[:, -1:] - place[:, :1]) * (run + 1) / 2
        worst = max(worst, float(np.abs(place - chord).max()))
    return worst / 2


def apart(polynomial: Sequence[float]) -> float:
    """The most that a colour with this polynomial lies beside green, as a share of the diagonal."""
    r = np.linspace(0, 1, LINE)
    return float(np.abs(r * (at(polynomial, r) - 1)).max()) / 2


def undoing(polynomial: Sequence[float]) -> Field:
    """The movement of places of the picture that was taken to where they stand in the corrected one."""
    r = np.linspace(0, REACH, 1024)
    source = r * at(polynomial, r)
    falls = np.flatnonzero(np.diff(source) <= 0)
    end = int(falls[0]) + 1 if len(falls) else len(r)  # beyond, the polynomial folds back and means nothing

    def moved(places: Floats) -> Floats:
        distance = np.hypot(places[:, 0], places[:, 1])
        share = np.interp(distance, source[:end], r[:end]) / np.maximum(distance, 1e-9) - 1
        return np.asarray(places * share[:, None])

    return moved


def filling(polynomials: Sequence[Sequence[float]], aspect: float) -> float:
    """How much a corrected picture must be enlarged so that every colour of its border comes from inside."""
    half = _half(aspect)
    run = np.linspace(0, 1, LINE)
    border = np.concatenate([np.stack([run * half[0], np.full(LINE, half[1])], 1),
                             np.stack([np.full(LINE, half[0]), run * half[1]], 1)])  # fmt: skip
    low, high = 1 / LARGEST, LARGEST

    def inside(scale: float) -> bool:
        place: Floats = border / scale
        r = np.hypot(place[:, 0], place[:, 1])
        return all(bool(np.all(place * at(p, r)[:, None] <= half * (1 + SAFE))) for p in polynomials)

    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if inside(middle) else (middle, high)
    return high


def both(first: Sequence[float], then: Sequence[float]) -> tuple[float, ...]:
    """The polynomial of `then` after `first`: f(r) · g(r · f(r))."""
    f, inner = np.polynomial.Polynomial(first), np.polynomial.Polynomial((0.0, *first))
    return tuple(float(value) for value in (f * np.polynomial.Polynomial(then)(inner)).coef)


def _half(aspect: float) -> Floats:
    """Half the width and height of a picture whose half diagonal is 1."""
    return np.asarray(np.array([aspect, 1.0]) / np.hypot(aspect, 1.0), np.float64)
