"""Scenes with known truth: one photo framed several ways, each with its own exposure and white balance, from a seed.

Framing is a crop under a slight perspective; light is changed in linear light, within what automatic exposure and white
balance of cameras wander, and one frame is far off. Grey places of the photo are known in every frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from safelight.media.colour import encode, lab
from safelight.media.frame import Bytes
from safelight.media.picture import TO_LINEAR, shrink
from safelight.operators.white_balance import WhiteBalanceParams, gains_of

Floats = NDArray[np.float64]

FRAMES = 7
BASE_SIDE = 1400  # px
EV, FAR_EV = 0.3, (0.7, 1.4)  # standard deviation; of the frame that is far off
MIRED, TINT = 16.0, 3.0  # standard deviations
KEEP = (0.6, 0.9)  # of the photo's width and height that a frame shows
GREYEST, LEVELS = 5.0, (30.0, 80.0)  # L*a*b* chroma up to which a place counts as grey, and its lightness
PLACES, SIDE = 24, 12  # grey places, and half the side of the square around each, px of the base


@dataclass(frozen=True, kw_only=True)
class Framed:
    """One frame: the picture, how the light was changed, and where the base's pixels lie in it."""

    rgb: Bytes
    ev: float
    gains: Floats  # linear sRGB
    homography: Floats  # base px -> frame px


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Frames and the grey places that are known, n x 2 px of the base."""

    frames: tuple[Framed, ...]
    places: Floats


def scene(photo: Bytes, rng: np.random.Generator) -> Scene:
    """One photo framed `FRAMES` ways; places are few or none where it has nothing grey."""
    base = shrink(photo, BASE_SIDE)
    far = int(rng.integers(FRAMES))
    return Scene(frames=tuple(_framed(base, rng, far=i == far) for i in range(FRAMES)), places=_grey(base, rng))


def _framed(base: Bytes, rng: np.random.Generator, *, far: bool) -> Framed:
    height, width = base.shape[:2]
    keep = rng.uniform(*KEEP)
    size = round(width * keep), round(height * keep)
    origin = rng.uniform(0, 1, 2) * (width - size[0], height - size[1])
    ends = np.array(((0, 0), (1, 0), (1, 1), (0, 1))) * size
    seen = origin + ends + rng.normal(0, 0.01, (4, 2)) * size
    homography = cv2.getPerspectiveTransform(seen.astype(np.float32), ends.astype(np.float32))
    ev = float(rng.choice((-1, 1)) * rng.uniform(*FAR_EV) if far else rng.normal(0, EV))
    cast = WhiteBalanceParams(mired=float(rng.normal(0, MIRED)), tint=float(rng.normal(0, TINT)))
    gains = 1 / gains_of(cast)
    light = cv2.warpPerspective(TO_LINEAR[base], homography, size, borderMode=cv2.BORDER_REPLICATE)
    shown = encode(np.clip(np.asarray(light) * (gains * 2**ev), 0, 1))
    noisy = shown * 255 + rng.normal(0, 1.2, shown.shape)
    data = simplejpeg.encode_jpeg(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), quality=90, colorsubsampling="420")
    return Framed(rgb=simplejpeg.decode_jpeg(data), ev=ev, gains=gains, homography=np.asarray(homography, np.float64))


def _grey(base: Bytes, rng: np.random.Generator) -> Floats:
    """Places of the base around which all is even and nearly grey."""
    mean = cv2.blur(base, (2 * SIDE + 1, 2 * SIDE + 1))
    rough = cv2.blur(cv2.absdiff(base, mean), (2 * SIDE + 1, 2 * SIDE + 1)).max(2)
    colour = lab(np.asarray(mean, np.uint8))
    good = (np.hypot(colour[..., 1], colour[..., 2]) < GREYEST) & (rough < 12)
    good &= (colour[..., 0] > LEVELS[0]) & (colour[..., 0] < LEVELS[1])
    good[:SIDE], good[-SIDE:], good[:, :SIDE], good[:, -SIDE:] = False, False, False, False
    y, x = np.nonzero(good)
    chosen = rng.permutation(len(y))[:PLACES]
    return np.stack((x[chosen], y[chosen]), 1).astype(np.float64)


def seen(scenes: Scene, shown: Sequence[Bytes]) -> Floats:
    """Mean sRGB of the grey places in these renderings of the frames, places x frames x 3; nan where outside."""
    out = np.full((len(scenes.places), len(shown), 3), np.nan)
    for k, (framed, rgb) in enumerate(zip(scenes.frames, shown, strict=True)):
        where = cv2.perspectiveTransform(scenes.places[None], framed.homography)[0] if len(scenes.places) else []
        for i, (x, y) in enumerate(np.rint(where).astype(int)):
            half = SIDE // 2
            if half <= x < rgb.shape[1] - half and half <= y < rgb.shape[0] - half:
                out[i, k] = rgb[y - half : y + half + 1, x - half : x + half + 1].reshape(-1, 3).mean(0)
    return out
