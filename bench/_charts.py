"""A ColorChecker or a grey card drawn into photos: any place, perspective, light, shade, blur and noise, from a seed.

Everything that is light is linear: the chart's published colours under a light of its own, laid over the photo, then
one light, blur and noise for both, then JPEG. Truth: where the middles of the corner patches lie.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from safelight.media.colorchecker import COLUMNS, LINEAR, ROWS
from safelight.media.colour import encode
from safelight.media.frame import Bytes
from safelight.media.picture import TO_LINEAR, shrink
from safelight.operators.white_balance import WhiteBalanceParams, gains_of

Floats = NDArray[np.float64]

PITCH = 48  # px of a patch and its gap, before the chart is laid into the picture
SMALLEST, WIDEST = 0.14, 0.6  # of the picture's short side: the chart's height
TILT, TURN = 50.0, 180.0  # degrees, at most
FRAME, GREY = 0.025, 0.18  # linear light of the chart's frame, and of a grey card
LEAST_SIDE, MOST_SIDE = 900, 1600  # px: smaller photos are enlarged, larger ones reduced


@dataclass(frozen=True, kw_only=True)
class Made:
    """A picture with a chart. `corners` are the middles of patches 1, 6, 24 and 19, px; `height` is the chart's, px."""

    rgb: Bytes
    corners: Floats
    height: float
    gains: tuple[float, float, float]  # of the light on the chart


def made(photo: Bytes, rng: np.random.Generator) -> Made:
    """A photo with a chart somewhere in it."""
    return _made(photo, rng, _flat(rng))


def made_card(photo: Bytes, rng: np.random.Generator) -> Made:
    """A photo with an 18 % grey card somewhere in it; its corners are those of patches that it does not have."""
    shape = ((ROWS + 1) * PITCH, (COLUMNS + 1) * PITCH)
    return _made(photo, rng, np.full((*shape, 3), GREY, np.float32))


def _made(photo: Bytes, rng: np.random.Generator, flat: NDArray[np.float32]) -> Made:
    base = _sized(photo)
    height, width = base.shape[:2]
    size = float(rng.uniform(SMALLEST, WIDEST)) * min(height, width)
    homography = _somewhere(rng, (width, height), size)
    laid = cv2.warpPerspective(flat, homography, (width, height), flags=cv2.INTER_AREA)
    there = np.ones(flat.shape[:2], np.float32)
    mask = cv2.warpPerspective(there, homography, (width, height), flags=cv2.INTER_AREA)[..., None]
    light = _light(rng)
    level = float(2 ** rng.uniform(-1.5, 0.3))
    chart = laid * np.asarray(light * level, np.float32) * _shade(rng, homography, (height, width))[..., None]
    linear = np.asarray(TO_LINEAR[base], np.float32) * (1 - mask) + chart * mask
    linear = cv2.GaussianBlur(linear, (0, 0), float(rng.uniform(0.3, 0.3 + size / ROWS / 14)))
    iso = float(np.exp(rng.uniform(np.log(100), np.log(6400))))
    sigma = np.sqrt(np.maximum(linear, 0) * iso * 2e-6 + (iso * 1e-6) ** 2)
    noisy = linear + sigma * rng.standard_normal(linear.shape, np.float32)
    rgb = np.rint(encode(np.clip(noisy, 0, 1)) * 255).astype(np.uint8)
    quality = int(rng.integers(75, 96))
    shown = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(rgb, quality=quality, colorsubsampling="420"))
    ends = np.array(((0, 0), (COLUMNS - 1, 0), (COLUMNS - 1, ROWS - 1), (0, ROWS - 1)), np.float64)
    corners = cv2.perspectiveTransform(((ends + 1) * PITCH)[None], homography)[0]
    gains = light / light[1]
    return Made(rgb=shown, corners=corners, height=size, gains=(float(gains[0]), 1.0, float(gains[2])))


def _sized(photo: Bytes) -> Bytes:
    """The photo, neither smaller nor larger than charts are tried on."""
    scale = LEAST_SIDE / max(photo.shape[:2])
    if scale <= 1:
        return shrink(photo, MOST_SIDE)
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _flat(rng: np.random.Generator) -> NDArray[np.float32]:
    """The chart before it is laid into a picture, linear light; some with a bright rim."""
    chart = np.full(((ROWS + 1) * PITCH, (COLUMNS + 1) * PITCH, 3), FRAME, np.float32)
    if rng.random() < 0.3:
        cv2.rectangle(chart, (4, 4), (chart.shape[1] - 5, chart.shape[0] - 5), (0.7, 0.7, 0.7), 3)
    half = round(PITCH * rng.uniform(0.39, 0.45))
    for i, colour in enumerate(LINEAR):
        y, x = (PITCH * (1 + k) for k in divmod(i, COLUMNS))
        chart[y - half : y + half, x - half : x + half] = np.maximum(colour, 0)
    return chart


def _somewhere(rng: np.random.Generator, size: tuple[int, int], height: float) -> Floats:
    """A view of the chart from any side, wholly inside the picture."""
    wide, high = (COLUMNS + 1) * PITCH, (ROWS + 1) * PITCH
    ends = np.array(((0, 0), (wide, 0), (wide, high), (0, high)), np.float64)
    plane = np.column_stack((ends - (wide / 2, high / 2), np.zeros(4))) / high
    while True:
        tilt, about, turn = np.radians((rng.uniform(0, TILT), rng.uniform(0, 360), rng.uniform(-TURN, TURN)))
        axis = np.array((np.cos(about), np.sin(about), 0.0)) * tilt
        rotation = cv2.Rodrigues(axis)[0] @ cv2.Rodrigues(np.array((0.0, 0.0, turn)))[0]
        seen = plane @ rotation.T
        depth = seen[:, 2] + rng.uniform(2.5, 8.0)
        flat = seen[:, :2] / depth[:, None]
        flat *= height / (np.linalg.norm(flat[3] - flat[0]) / 2 + np.linalg.norm(flat[2] - flat[1]) / 2)
        flat -= flat.min(0)
        room = np.array(size) - flat.max(0)
        if (room > 0).all():
            placed = flat + rng.uniform(0, 1, 2) * room
            return np.asarray(cv2.getPerspectiveTransform(ends.astype(np.float32), placed.astype(np.float32)))
        height *= 0.9


def _light(rng: np.random.Generator) -> Floats:
    """The colour of the light, from shade to tungsten and off that line; luminance 1."""
    params = WhiteBalanceParams(mired=float(rng.uniform(-60, 160)), tint=float(rng.uniform(-15, 15)))
    gains = 1 / gains_of(params)
    return np.asarray(gains / (gains @ (0.2126, 0.7152, 0.0722)))


def _shade(rng: np.random.Generator, homography: Floats, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Even light, light that falls off over the chart, or a soft shadow across it."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    middle = cv2.perspectiveTransform(np.array([[[3.5 * PITCH, 2.5 * PITCH]]]), homography)[0, 0]
    about = float(rng.uniform(0, 2 * np.pi))
    across = (x - middle[0]) * np.cos(about) + (y - middle[1]) * np.sin(about)
    reach = float(np.abs(homography[0, 0]) + np.abs(homography[0, 1]) + 0.2) * 3 * PITCH
    kind = rng.random()
    if kind < 0.5:
        return np.ones(shape, np.float32)
    if kind < 0.8:
        return np.asarray(2 ** np.clip(across / reach * rng.uniform(0.2, 0.5), -1, 1), np.float32)
    deep = float(rng.uniform(0.3, 1.0))
    return np.asarray(2 ** (-deep / (1 + np.exp(-across / reach * 6))), np.float32)
