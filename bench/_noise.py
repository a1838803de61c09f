"""Noise of known strength on clean photos, what other programs make of it, and how results are judged."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import decode, encode
from safelight.media.frame import Bytes, Pixels
from safelight.media.image import read
from safelight.media.picture import WORK_SIDE, shrink

ISOS = (800, 1600, 3200, 6400, 12800, 25600)
AREA, CROP = 896, 256  # px, sides of what gets noise and of what is compared, in the middle of a photo
ELECTRONS, READ_NOISE = 40_000, 3  # at white and ISO 100; both in electrons
DAYLIGHT = np.array((2.0, 1.0, 1.6))  # gains of a camera's red, green and blue
DEMOSAICED = 0.6  # px, sigma of the blur that noise has after demosaicing
LUMA = np.array((0.2126, 0.7152, 0.0722), np.float32)
BANDS = (0.0, 0.7, 1.4, 2.8)  # px, sigma: differences of neighbours are the three fine bands
BLOCK = 16  # px
LOW_CONTRAST = (1.0, 100.0)  # squared levels of the three bands of a block that counts as fine low-contrast texture


@dataclass(frozen=True, kw_only=True)
class Noisy:
    """A clean photo with noise, and the part in the middle of both that is compared."""

    picture: Bytes
    part: tuple[slice, slice]
    clean: Bytes
    correlated: bool


def photo(path: Path) -> Bytes:
    """The middle of a photo at 1600 px."""
    rgb = shrink(read(path), WORK_SIDE)
    return np.ascontiguousarray(rgb[middle(rgb, AREA)])


def middle(rgb: Bytes, side: int) -> tuple[slice, slice]:
    """Where the middle of a picture lies."""
    top, left = (max(0, (whole - side) // 2) for whole in rgb.shape[:2])
    return slice(top, top + side), slice(left, left + side)


def add(rgb: Bytes, iso: int, *, seed: tuple[int, int], correlated: bool) -> Noisy:
    """Poisson-Gauss noise in linear light: variance a I + b per channel; correlated as after demosaicing if asked."""
    rng = np.random.default_rng(seed)
    light, electrons = decode(rgb / 255.0), ELECTRONS * 100 / iso
    deviation = np.sqrt(DAYLIGHT * light / electrons + (DAYLIGHT * READ_NOISE / electrons) ** 2)
    grain = rng.standard_normal(rgb.shape, np.float32)
    if correlated:
        soft = cv2.GaussianBlur(grain, (0, 0), DEMOSAICED, borderType=cv2.BORDER_REFLECT_101)
        grain = np.asarray(soft, np.float32)
        grain /= grain.std()
    noisy = np.rint(encode(np.clip(light + deviation * grain, 0, 1)) * 255).astype(np.uint8)
    part = middle(rgb, CROP)
    return Noisy(picture=noisy, part=part, clean=rgb[part], correlated=correlated)


# ---------------------------------------------------------------- others


def nlm(rgb: Bytes, h: float) -> Bytes:
    """OpenCV's non-local means for colour pictures, 7 px patches in 21 px windows, at one strength."""
    done = cv2.fastNlMeansDenoisingColored(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), None, h, h, 7, 21)
    return np.asarray(cv2.cvtColor(done, cv2.COLOR_BGR2RGB), np.uint8)


def bayes_shrink(rgb: Bytes) -> Bytes:
    """scikit-image's BayesShrink of wavelets in YCbCr, with its own estimate of the noise."""
    from skimage.restoration import denoise_wavelet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = denoise_wavelet(
            rgb / 255.0, method="BayesShrink", mode="soft", convert2ycbcr=True, rescale_sigma=True, channel_axis=-1
        )
    return np.asarray(np.rint(np.clip(done, 0, 1) * 255), np.uint8)


def strengths(iso: int) -> tuple[int, ...]:
    """Values of h around the best one for this sensitivity."""
    best = (iso / 200) ** 0.5
    return tuple(sorted({round(best * factor) for factor in (0.5, 0.7, 1.0, 1.4, 1.8, 2.4) if best * factor >= 1.5}))


# ---------------------------------------------------------------- how good


def judged(clean: Bytes, after: Bytes) -> Mapping[str, float]:
    """PSNR in dB, SSIM of luma, and the clean photo's fine texture in the result: its share, and how alike."""
    from skimage import metrics

    error = float(np.mean(np.square(clean.astype(np.float64) - after)))
    one, two = luma(clean), luma(after)
    compare: Any = metrics.structural_similarity
    ssim = compare(one, two, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    share, alike = texture(one, two)
    return {"psnr": 10 * np.log10(255**2 / max(error, 1e-3)), "ssim": float(ssim), "share": share, "texture": alike}


def luma(rgb: Bytes) -> Pixels:
    """BT.709 weighted sum of encoded values, 0..255."""
    return np.asarray(rgb.astype(np.float32) @ LUMA, np.float32)


def texture(clean: Pixels, after: Pixels) -> tuple[float, float]:
    """In blocks of fine low-contrast texture, over three fine bands: cross energy over energy of the clean photo, and
    their correlation. The share is 1 where nothing was done; left-over noise and made-up detail lower only the
    correlation. nan where there is no such texture.
    """
    pairs = list(zip(bands(clean), bands(after), strict=True))
    energy = means(np.sum([a * a for a, _ in pairs], axis=0))
    some = (energy > LOW_CONTRAST[0]) & (energy < LOW_CONTRAST[1])
    if not some.any():
        return float("nan"), float("nan")
    cross, mine, theirs = (
        sum(float(means(product)[some].sum()) for product in products)
        for products in ([a * b for a, b in pairs], [a * a for a, _ in pairs], [b * b for _, b in pairs])
    )
    return cross / mine, cross / float(np.sqrt(mine * theirs))


def bands(plane: Pixels) -> list[Pixels]:
    """The three finest bands."""
    soft = [plane if sigma == 0 else cv2.GaussianBlur(plane, (0, 0), sigma) for sigma in BANDS]
    return [np.asarray(fine - coarse, np.float32) for fine, coarse in pairwise(soft)]


def means(plane: NDArray[np.float32]) -> Pixels:
    """Means of blocks."""
    size = max(1, plane.shape[1] // BLOCK), max(1, plane.shape[0] // BLOCK)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
