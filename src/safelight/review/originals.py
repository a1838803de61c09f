"""Originals for views at 100 %: opened once, held as they are stored, and turned into light only where they are seen.

A JPEG is its sRGB bytes and a raw its developed light, as in a delivery. Anything else keeps its own samples, depth
and profile until a part of it is looked at: that part goes into light by its profile, and is rounded once, at the end.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from safelight import render
from safelight.media import capture, decoded, image, raw
from safelight.media.decoded import Decoded
from safelight.media.frame import Bytes, Frame, LinearWords, moving

Original: TypeAlias = Bytes | LinearWords | Decoded
Window: TypeAlias = tuple[int, int, int, int]  # x0, y0, x1, y1, half-open


def opened(path: Path, *, is_raw: bool) -> Original:
    """An upright original at full depth; a raw takes seconds. Raises MediaError where it cannot be read."""
    if is_raw:
        return raw.linear_words(path)
    return image.read(path) if capture.header(path).format == "jpeg" else image.read_stored(path)


def size_of(whole: Original) -> tuple[int, int]:
    """Height and width in pixels."""
    if isinstance(whole, Decoded):
        return int(whole.rgb.shape[0]), int(whole.rgb.shape[1])
    return render.size_of(whole)


def part(whole: Original, box: Window) -> Bytes | LinearWords | Frame:
    """A part of it as the renderer takes it; what is transparent lies on white."""
    if isinstance(whole, LinearWords):
        return replace(whole, words=cut(whole.words, box))
    if not isinstance(whole, Decoded):
        return cut(whole, box)
    light = decoded.light(replace(whole, rgb=cut(whole.rgb, box)))
    if whole.alpha is not None:
        cover = cut(whole.alpha, box)[..., None]
        light = light * cover + (1 - cover)
    return Frame(pixels=light, geometry=moving(-box[0], -box[1]))


def cut(pixels: NDArray[Any], box: Window) -> NDArray[Any]:
    """A part of an array, on its own."""
    return np.ascontiguousarray(pixels[box[1] : box[3], box[0] : box[2]])


def bytes_of(thing: Any) -> int:
    """What an original or an array takes in memory."""
    if isinstance(thing, LinearWords):
        return int(thing.words.nbytes)
    if isinstance(thing, Decoded):
        return int(thing.rgb.nbytes) + (0 if thing.alpha is None else int(thing.alpha.nbytes))
    return int(thing.nbytes)
