"""What the camera did to its own picture: a raw's rendering, fitted to the preview that the camera embedded.

The raw is developed at half size, both pictures are reduced to a few hundred pixels, and matrix and curve are fitted
(`media.look`). Pixels at edges count less, for a camera may have corrected its lens in the preview alone.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.errors import MediaError
from safelight.media import look, raw
from safelight.media.colour import SRGB_FROM_REC2020, delta_e, encode, srgb8
from safelight.media.frame import Bytes, Pixels
from safelight.media.picture import TO_LINEAR, Picture, grey, shrink
from safelight.probes import Probe

SIDE = 384  # px, long side at which both pictures are compared
SAMPLES = 1800  # pixels of the fit, on a regular grid
EDGE = 0.05  # step of encoded luma between neighbours that halves a pixel's weight
LEAST_SPREAD = 0.02  # standard deviation of the preview's encoded values: below, it says nothing about a curve
SHAPE = 0.06  # share by which the two pictures' aspect may differ, for cameras crop their JPEGs
FAR = 10.0  # ΔE00 on average: beyond, the preview is not a rendering of this light alone


def measure(picture: Picture) -> Sequence[Measure]:
    """`raw.look` (matrix and curve) and `raw.look.error` (mean ΔE00 to the preview); nothing for other files."""
    if picture.source is None or not picture.is_preview:
        return ()
    try:
        light, shown = _small_pair(picture.source, picture.rgb)
    except MediaError as trouble:
        return _cannot_tell(f"The raw could not be developed. {trouble.cause}")
    if light is None:
        return _cannot_tell("The embedded preview shows another part of the picture than the raw.")
    samples = _grid(light.shape[:2])
    lit, seen = light.reshape(-1, 1, 3)[samples], shown.reshape(-1, 1, 3)[samples]
    if float(seen.std()) < LEAST_SPREAD * 255:
        return _cannot_tell("The embedded preview is of one colour.")
    weight = _flatness(shown).ravel()[samples]
    matrix, curve = look.fit_look(lit[:, 0] @ SRGB_FROM_REC2020.T, seen[:, 0] / 255, weight)
    error = float(delta_e(srgb8(look.apply_look(lit, matrix, curve)), seen).mean())
    if error > FAR:
        return _cannot_tell(f"The embedded preview differs from every plain rendering (ΔE00 {error:.1f} on average).")
    return (
        Measure(name="raw.look", value={"matrix": matrix, "curve": curve}),
        Measure(name="raw.look.error", value=round(error, 2), unit="ΔE00"),
    )


def _cannot_tell(reason: str) -> Sequence[Measure]:
    return tuple(Measure(name=name, cannot_tell=reason) for name in probe.emits)


def _small_pair(source: Path, preview: Bytes) -> tuple[Pixels | None, Bytes]:
    """The raw's linear light and its preview at the same small size; None where their shapes do not fit."""
    light = raw.develop(source, half=True).pixels
    height, width = light.shape[:2]
    if abs(np.log(preview.shape[1] / preview.shape[0] * height / width)) > SHAPE:
        return None, preview
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    nearly = shrink(_same_shape(preview, width / height), 2 * SIDE)  # bytes first: the same but for rounding, and fast
    small = cv2.resize(cv2.LUT(nearly, TO_LINEAR), size, interpolation=cv2.INTER_AREA)
    shown = np.rint(encode(small) * 255).astype(np.uint8)
    return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32), shown


def _same_shape(pixels: Bytes, aspect: float) -> Bytes:
    """The middle of a picture with this width over height."""
    height, width = pixels.shape[:2]
    keep_w, keep_h = min(width, round(height * aspect)), min(height, round(width / aspect))
    top, left = (height - keep_h) // 2, (width - keep_w) // 2
    return pixels[top : top + keep_h, left : left + keep_w]


def _grid(shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Flat indices of about SAMPLES pixels on a regular grid."""
    step = max(1, round((shape[0] * shape[1] / SAMPLES) ** 0.5))
    index = np.arange(shape[0] * shape[1]).reshape(shape)
    return index[step // 2 :: step, step // 2 :: step].ravel()


def _flatness(shown: Bytes) -> NDArray[np.float64]:
    """1 where neighbours are alike, down to 0 at edges."""
    luma = grey(shown).astype(np.float64) / 255
    down, across = np.gradient(luma) if min(luma.shape) > 1 else (np.zeros_like(luma), np.zeros_like(luma))
    return np.asarray(1 / (1 + (down**2 + across**2) / EDGE**2))


probe = Probe(
    name="camera_look",
    version=1,
    emits=("raw.look", "raw.look.error"),
    of_raws=True,
    measure=measure,
    about="How the camera rendered its own picture of a raw: colour matrix and tone curve, fitted to its preview.",
)
