"""The ColorChecker Classic: what its 24 patches look like in daylight.

Reference values: X-Rite (now Calibrite), "Colorimetric values for ColorChecker Family of Targets": CIE L*a*b* under
D50, 2° observer, one table for charts made before November 2014 and one for those made since. Here they are adapted to
D65 (Bradford) and taken as linear sRGB; patch 18, cyan, lies outside that gamut and has a negative red. Patches are
counted from 0, row by row, dark skin first, white at 18, black at 23.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import D50_XYZ, D65_XYZ, LUMINANCE_709, REC709, adaptation, lab_of_linear, to_xyz

Floats = NDArray[np.float64]

COLUMNS, ROWS = 6, 4
NEUTRAL = (18, 19, 20, 21, 22)  # white to neutral 3.5; black is left out, for flare lifts it
NAMES = (
    "dark skin", "light skin", "blue sky", "foliage", "blue flower", "bluish green",
    "orange", "purplish blue", "moderate red", "purple", "yellow green", "orange yellow",
    "blue", "green", "red", "yellow", "magenta", "cyan",
    "white", "neutral 8", "neutral 6.5", "neutral 5", "neutral 3.5", "black",
)  # fmt: skip
_SINCE_2014 = np.array(
    (
        (37.54, 14.37, 14.92), (64.66, 19.27, 17.50), (49.32, -3.82, -22.54),
        (43.46, -12.74, 22.72), (54.94, 9.61, -24.79), (70.48, -32.26, -0.37),
        (62.73, 35.83, 56.50), (39.43, 10.75, -45.17), (50.57, 48.64, 16.67),
        (30.10, 22.54, -20.87), (71.77, -24.13, 58.19), (71.51, 18.24, 67.37),
        (28.37, 15.42, -49.80), (54.38, -39.72, 32.27), (42.43, 51.05, 28.62),
        (81.80, 2.67, 80.41), (50.63, 51.28, -14.12), (49.57, -29.71, -28.32),
        (95.19, -1.03, 2.93), (81.29, -0.57, 0.44), (66.89, -0.75, -0.06),
        (50.76, -0.13, 0.14), (35.63, -0.46, -0.48), (20.64, 0.07, -0.46),
    )
)  # fmt: skip


_BEFORE_2014 = np.array(
    (
        (37.99, 13.56, 14.06), (65.71, 18.13, 17.81), (49.93, -4.88, -21.93),
        (43.14, -13.10, 21.91), (55.11, 8.84, -25.40), (70.72, -33.40, -0.20),
        (62.66, 36.07, 57.10), (40.02, 10.41, -45.96), (51.12, 48.24, 16.25),
        (30.33, 22.98, -21.59), (72.53, -23.71, 57.26), (71.94, 19.36, 67.86),
        (28.78, 14.18, -50.30), (55.26, -38.34, 31.37), (42.10, 53.38, 28.19),
        (81.73, 4.04, 79.82), (51.94, 49.99, -14.57), (51.04, -28.63, -28.64),
        (96.54, -0.43, 1.19), (81.26, -0.64, -0.34), (66.77, -0.73, -0.50),
        (50.87, -0.15, -0.27), (35.66, -0.42, -1.23), (20.46, -0.08, -0.97),
    )
)  # fmt: skip


def _linear(lab_d50: Floats) -> Floats:
    """Linear sRGB of the patches, 24 x 3."""
    fy = (lab_d50[:, 0] + 16) / 116
    f = np.stack((fy + lab_d50[:, 1] / 500, fy, fy - lab_d50[:, 2] / 200), -1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * D50_XYZ
    return np.asarray(xyz @ (np.linalg.inv(to_xyz(REC709)) @ adaptation(D50_XYZ, D65_XYZ)).T, np.float64)


LINEAR = _linear(_SINCE_2014)
EDITIONS = {"since November 2014": LINEAR, "before November 2014": _linear(_BEFORE_2014)}  # linear sRGB
LABS = {name: lab_of_linear(linear) for name, linear in EDITIONS.items()}  # under D65
FEWEST_NEUTRALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What makes a chart's neutral patches neutral and as bright as they are.

    `gains` of linear sRGB keep the luminance of a neutral, `ev` is in stops; `doubt` is the standard deviation of the
    patches' own answers, log2 units.
    """

    gains: tuple[float, float, float]
    ev: float
    doubt: float


def balance(patches: Floats, clipped: Collection[int]) -> Balance | None:
    """The balance of measured patches, 24 x 3 linear sRGB; None where fewer than two neutral ones are usable."""
    usable = [i for i in NEUTRAL if i not in clipped and patches[i].min() > 0]
    if len(usable) < FEWEST_NEUTRALS:
        return None
    ratios = np.log2(LINEAR[usable] / patches[usable])
    gains = 2 ** np.median(ratios, 0)
    gains = gains / (gains @ LUMINANCE_709)
    levels = np.log2((LINEAR[usable] @ LUMINANCE_709) / ((patches[usable] * gains) @ LUMINANCE_709))
    red, green, blue = (float(g) for g in gains)
    return Balance(gains=(red, green, blue), ev=float(np.median(levels)), doubt=float(ratios.std(0).mean()))
