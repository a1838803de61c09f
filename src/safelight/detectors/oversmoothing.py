"""Over-smoothing: fine texture that is gone from skin, cloth or leaves, as from a blurred or painted-over surface.

In two fine bands the share of the before's own texture that is still there, kept = cross-energy of before and after
over the before's energy above its noise; cross-energy, so that grain put on top does not count as texture. The score
is the loss inside the mask less the loss outside it, so that true denoising, resizing and saving do not count.
Without a mask the worst connected part is compared with the rest. Where the content was replaced there is nothing to
compare.
"""

from itertools import pairwise

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._planes import Flags, Plane, band, blurred, resized, upsized
from safelight.detectors._skin import skin
from safelight.detectors.answers import cannot, said

BANDS = ((0.0, 1.0), (1.0, 2.0))  # px of the grid, sigmas of the two Gaussians
NOISE_SHARES = (0.35, 0.08)  # of the noise variance that lies in each band
CELL = 16  # px
FACE, FEWEST, COARSE = (
    90,
    400,
    30,
)  # px of a face's side; px of skin and of the rest; of a face's size in coarse structure
FLOOR = (0.6 / 255) ** 2  # energy of rounding to bytes, in encoded levels squared


def detect(pair: Pair) -> list[Finding]:
    """One finding, `oversmoothing`."""
    if pair.cannot:
        return [cannot("oversmoothing", pair.cannot)]
    kept, weight, energy = texture_kept(pair)
    if weight.sum() < 4:
        return [cannot("oversmoothing", "there is too little fine texture")]
    core = None if pair.mask_core is None else _cells(pair.mask_core)
    if core is not None and pair.mask_work is not None and (weight * (core > 0.7)).sum() >= 3:
        inside, outside = core > 0.7, _cells(pair.mask_work) < 0.1
        replaced = upsized(pair.replaced, (core.shape[1], core.shape[0]))
        if replaced[inside].mean() > 0.5:
            return [said(pair, "oversmoothing", 0.0, "The content of the mask was replaced, not smoothed.")]
        usual = _usual(kept, weight * outside, energy)
        lost = np.minimum(usual, 1) - kept
        score = 0.5 * float(np.average(lost, weights=weight * inside)) + 0.5 * quantile(lost, weight * inside, 0.65)
        heat = np.maximum(0, lost) * (weight > 0) * (_cells(pair.mask_work) > 0.5)
    else:
        calm = _mean_around(np.minimum(_usual(kept, weight, energy), 1) - kept, weight)
        score = quantile(calm, weight, 0.97)
        heat = np.maximum(0, calm) * (weight > 0)
    text = f"{max(0.0, 100 * score):.0f} % of the fine texture is gone from one part and not from the rest."
    return [said(pair, "oversmoothing", score, text, heat=heat)]


def alone(pair: Pair) -> list[Finding]:
    """Skin of a picture by itself that is plain where eyes, brows and hair beside it are sharp: by how much finer the
    structure of the face is off its skin than on it, as a logarithm."""
    why = pair.cannot
    if why is None and not pair.faces_after:
        why = "no face was found, or the weights that find faces are not installed"
    where = None if why else skin(pair)
    if where is None:
        return [cannot("oversmoothing", why or "no skin is seen")]
    cover = resized(where, pair.grid_size)
    best, heat = None, np.zeros(cover.shape, np.float32)
    for face in pair.faces_after:
        x0, y0, x1, y1 = (max(0, round(v)) for v in face.box)
        level, part = pair.level_after[y0:y1, x0:x1], cover[y0:y1, x0:x1]
        if min(level.shape) < FACE:
            continue
        on, off = part > 0.6, part < 0.25
        if min(on.sum(), off.sum()) < FEWEST:
            continue
        coarse = face.size / COARSE
        fine = [(band(level, *b)[on] ** 2, band(level, *b)[off] ** 2) for b in ((0.0, 1.0), (coarse, 2 * coarse))]
        (skin_fine, rest_fine), (skin_wide, rest_wide) = [(float(a.mean()), float(b.mean())) for a, b in fine]
        plain = np.log((rest_fine + FLOOR) / (rest_wide + FLOOR)) - np.log((skin_fine + FLOOR) / (skin_wide + FLOOR))
        if best is None or plain > best:
            best = float(plain)
            heat = np.zeros(cover.shape, np.float32)
            heat[y0:y1, x0:x1] = part
    if best is None:
        return [cannot("oversmoothing", "no face is large enough")]
    text = "Skin has less fine structure than the face around it lets one expect."
    return [said(pair, "oversmoothing", best, text, heat=heat, alone=True)]


def texture_kept(pair: Pair) -> tuple[Plane, Plane, Plane]:
    """By cells of 16 px: the share of fine texture kept (0..1.2), how much there is to go by (weight, 0..1), and its
    log energy."""
    slope = blurred(pair.slope, 2)
    before, after = pair.level_before, pair.level_after
    clear = _cells(pair.usable) > 0.9
    noise = (FLOOR + pair.noise_before**2) * _cells(slope * slope)
    kept = weight = np.zeros_like(noise)
    for (fine, coarse), share in zip(BANDS, NOISE_SHARES, strict=True):
        b, a = (band(p, fine, coarse) for p in (before, after))
        b = b * slope
        signal = np.maximum(_cells(b * b) - share * noise, 0)
        told = np.asarray(np.clip(signal / (2 * share * noise + 1e-9) - 0.5, 0, 1) * clear, np.float32)
        ratio = np.clip(_cells(a * b) / np.maximum(signal, 1e-9), 0, 1.2)
        kept = (kept * weight + ratio * told) / np.maximum(weight + told, 1e-6)
        weight = np.maximum(weight, told)
    energy = np.log(_cells((band(before, 0, BANDS[-1][1]) * slope) ** 2) + 1e-7)
    return np.asarray(kept, np.float32), np.asarray(weight, np.float32), np.asarray(energy, np.float32)


def _cells(plane: Plane | Flags) -> Plane:
    return resized(plane, (max(1, plane.shape[1] // CELL), max(1, plane.shape[0] // CELL)))


def quantile(values: Plane, weight: Plane, q: float) -> float:
    """The weighted quantile of a plane."""
    order = np.argsort(values.ravel())
    total = np.cumsum(weight.ravel()[order])
    return float(values.ravel()[order][min(len(order) - 1, int(np.searchsorted(total, q * total[-1])))])


def _usual(kept: Plane, weight: Plane, energy: Plane) -> Plane:
    """What is kept, by its energy: medians in eight bins of cells that weigh, joined by lines; 1 where nothing does."""
    known = weight > 0.2
    if known.sum() < 8:
        return np.ones_like(kept)
    edges = np.quantile(energy[known], np.linspace(0, 1, 9))
    middles, values = [], []
    for low, high in pairwise(edges):
        here = known & (energy >= low) & (energy <= high)
        if here.any():
            middles.append(float(np.median(energy[here])))
            values.append(quantile(kept, weight * here, 0.5))
    return np.interp(energy, middles, values).astype(np.float32)


def _mean_around(values: Plane, weight: Plane) -> Plane:
    """The weighted mean of 5 x 5 cells."""
    top, low = (cv2.blur(p.astype(np.float32), (5, 5)) for p in (values * weight, weight))
    return np.asarray(top / np.maximum(low, 1e-3), np.float32)


detector = Detector(
    name="oversmoothing",
    version=1,
    finds=("oversmoothing",),
    detect=detect,
    alone=alone,
    about="Fine texture lost in one part.",
)
