"""Left behind: the shadow or the reflection of something that was taken out.

Both are looked for where the mask's content was replaced. Shadow: along the border of the part, the light just inside
less the light just outside, in natural logarithms, and the same by how rough the ground is there. Where a shadow ends
at the border of what was filled, a stretch of it drops within a few pixels; how far rings further in and further out
drop or rise is what the ground does by itself, and the unit of the score, the geometric mean of the two. Reflection:
the part as it stood in the before, upside down, is correlated with the after below it, without what varies slowly.
"""

from collections.abc import Sequence

import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._finding import Box
from safelight.detectors._planes import Plane, blurred
from safelight.detectors._rim import distance
from safelight.detectors.answers import PLAIN, cannot, said

NAMES = ("shadow_left", "reflection_left")
SMALL = "no part is large enough and shows other content than before"
SMALLEST = 300  # px of area on the common grid
FEWEST = 40  # px of border
STRETCH = 0.85  # quantile along the border: a shadow may lie on a seventh of it
BESIDE, ALONG = (1.0, 3.0), 8.0  # px at a long side of 1024: how far from the border light is measured, and averaged
RINGS = (7, 12, 17, -7, -12, -17)  # px likewise, inwards: where the ground is measured by itself
CALM, EVEN = 0.02, 0.05  # the least unit of a step, in natural logarithms of light, and of a step by its roughness
SMOOTH = 0.02  # natural logarithms: the least roughness
BUSY = 0.35  # natural logarithms: from where on the ground drowns a shadow
DARK = 0.03  # added to light, so that the logarithm of black is not all that counts
SPARSE = 0.003  # share of a neighbourhood that must lie on a side of a border
REPLACED = 0.3  # share of a part that must show other content than before
LEAST_STRIP = 12  # px, height of a reflection

Window = tuple[slice, slice]


def detect(pair: Pair) -> list[Finding]:
    """Two findings, `shadow_left` and `reflection_left`."""
    why = pair.cannot
    if why is None and pair.ground_changed:
        why = "the ground is another one, not a part that was taken out"
    if why is not None:
        return [cannot(name, why) for name in NAMES]
    if pair.changed is None:
        if pair.plain:
            return [cannot(name, PLAIN) for name in NAMES]
        return [said(pair, name, 0.0, "Nothing was taken out.") for name in NAMES]
    shadows, mirrors = [], []
    for box in pair.changed_boxes:
        part = _part(pair, box)
        if part is None:
            continue
        window, away = part
        shadows.append((*_shadow(pair.level_after[window], away, max(1.0, pair.unit)), window))
        alike = _reflection(pair, box)
        if alike is not None:
            mirrors.append((alike, box))
    return [_shadow_told(pair, shadows), _reflection_told(pair, mirrors)]


def _shadow_told(pair: Pair, found: Sequence[tuple[float, float, float, Plane, Window]]) -> Finding:
    if not found:
        return cannot(NAMES[0], SMALL)
    depth, drop, noise, dark, window = max(found, key=lambda item: item[0])
    if noise > BUSY:
        return cannot(NAMES[0], "the ground is too uneven to tell a shadow from it")
    heat = np.zeros(pair.level_after.shape, np.float32)
    heat[window] = dark
    missing = 100 * (1 - float(np.exp(-max(0.0, drop))))
    return said(
        pair, NAMES[0], depth, f"Beside what was taken out, {missing:.0f} % of the light is missing.", heat=heat
    )


def _reflection_told(pair: Pair, found: Sequence[tuple[float, Box]]) -> Finding:
    if not found:
        return cannot(NAMES[1], "nothing was taken out that has room for a reflection below it")
    alike, (x0, y0, x1, y1) = max(found, key=lambda item: item[0])
    heat = np.zeros(pair.level_after.shape, np.float32)
    heat[y1 : 2 * y1 - y0, x0:x1] = 1
    text = f"What lies below is {100 * max(0.0, alike):.0f} % like what was taken out, upside down."
    return said(pair, NAMES[1], alike, text, heat=heat)


def _part(pair: Pair, box: Box) -> tuple[Window, Plane] | None:
    """A window about a replaced part and the signed distance from its border there; None where the part is too small
    or shows what it showed before."""
    x0, y0, x1, y1 = box
    assert pair.changed is not None
    inside = pair.changed[y0:y1, x0:x1] > 0.5
    area = int(inside.sum())
    if area < SMALLEST:
        return None
    change = np.abs(pair.residual[y0:y1, x0:x1])[inside]
    if float((change > 0.03).mean()) < REPLACED:
        return None
    reach = round(20 * max(1.0, pair.unit))
    window = np.s_[max(0, y0 - reach) : y1 + reach, max(0, x0 - reach) : x1 + reach]
    return window, distance(pair.changed[window])


def _shadow(level: Plane, away: Plane, unit: float) -> tuple[float, float, float, Plane]:
    """How much darker it is just outside a part's border than just inside over a stretch of it, in units of what the
    ground does by itself; the drop and what the ground does, in natural logarithms of light; where it is dark."""
    light = np.asarray(np.log(np.maximum(level, 0) ** np.float32(2.2) + np.float32(DARK)), np.float32)
    planes = _steps(light, away, unit)
    drops = [_drops(plane, away)[0] for plane in planes]
    usual: list[list[float]] = [[], []]
    for ring in RINGS:
        further = away - ring * unit
        for kept, plane in zip(usual, _steps(light, further, unit), strict=True):
            kept.append(max(_drops(plane, further)))
    noise = [float(np.median(kept)) for kept in usual]
    step, rough = (max(0.0, drop) / (n + least) for drop, n, least in zip(drops, noise, (CALM, EVEN), strict=True))
    dark = np.where((np.abs(away) < 1) & np.isfinite(planes[0]), np.clip(planes[0], 0, None), 0)
    return float(np.sqrt(step * rough)), drops[0], noise[0], blurred(dark.astype(np.float32), 4 * unit)


def _drops(steps: Plane, away: Plane) -> tuple[float, float]:
    """How far a stretch of a border drops outwards, and how far one rises."""
    border = (np.abs(away) < 1) & np.isfinite(steps)
    if border.sum() < FEWEST:
        return 0.0, 0.0
    rise, drop = np.quantile(steps[border], (1 - STRETCH, STRETCH))
    return float(drop), -float(rise)


def _steps(light: Plane, away: Plane, unit: float) -> tuple[Plane, Plane]:
    """The light just inside a border less that just outside, and the same by how it varies on both sides; nan where
    either side is not to be seen."""
    means, spreads = [], []
    low, high = BESIDE
    for side in (1, -1):
        ring = ((side * away > low * unit) & (side * away < high * unit)).astype(np.float32)
        total = blurred(ring, ALONG * unit)
        told = np.where(total > SPARSE, np.maximum(total, SPARSE), np.nan)
        means.append(blurred(light * ring, ALONG * unit) / told)
        spreads.append(np.maximum(blurred(light * light * ring, ALONG * unit) / told - means[-1] ** 2, 0))
    step = means[0] - means[1]
    return np.asarray(step, np.float32), np.asarray(step / np.sqrt(sum(spreads) + SMOOTH**2), np.float32)


def _reflection(pair: Pair, box: Box) -> float | None:
    """How alike the after below a part is to the part of the before upside down; None without room for it."""
    x0, y0, x1, y1 = box
    assert pair.changed is not None
    tall = min(y1 - y0, pair.level_after.shape[0] - y1)
    if min(tall, x1 - x0) < LEAST_STRIP:
        return None
    thing = pair.level_before[y1 - tall : y1, x0:x1][::-1]
    weight = (pair.changed[y1 - tall : y1, x0:x1][::-1] > 0.5).astype(np.float32)
    strip = pair.level_after[y1 : y1 + tall, x0:x1]
    return _alike(thing, strip, weight) if weight.sum() >= SMALLEST else None


def _alike(one: Plane, other: Plane, weight: Plane) -> float:
    """The best weighted correlation of two planes over small shifts downwards, without what varies slowly."""
    best = 0.0
    sigma = max(2.0, 0.2 * min(one.shape))
    a = one - blurred(one, sigma)
    for shift in range(0, max(1, len(one) // 6), 2):
        rows = len(one) - shift
        b = other[shift:] - blurred(other[shift:], sigma)
        w, c = weight[:rows], a[:rows]
        total = float(w.sum())
        c, b = c - float((c * w).sum()) / total, b - float((b * w).sum()) / total
        spread = float((w * c * c).sum() * (w * b * b).sum())
        best = max(best, float((w * c * b).sum()) / float(np.sqrt(spread + (1e-5 * total) ** 2)))
    return best


detector = Detector(
    name="left_behind",
    version=2,
    finds=NAMES,
    detect=detect,
    about="Shadows and reflections of what was taken out.",
    alone_cannot="what was to be taken away is known by the picture before",
)
