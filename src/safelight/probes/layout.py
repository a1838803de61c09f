"""What a photo looks like from across the room: descriptors small enough to compare thousands of photos at once.

`embedding` is 480 bytes in base64: a colour layout (8 x 8 cells of log luminance and two log colour ratios, each
without its mean, so that exposure and white balance fall out) and a gradient-orientation layout (6 x 6 cells x 8
directions, normalised by cell). The cosine of two decoded vectors says how alike two photos are: above about 0.7 the
same framing, whatever its exposure; below about 0.5 another picture. `unpack` decodes many at once.

`layout.thumb` (luma at 96 px), `layout.detail` (where the fine detail lies) and `layout.light` (mean luminance and
colour) serve the grouping: overlaps of panoramas, focus that travels, scenes by light. `hash.perceptual` is the
64-bit hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), in hexadecimal.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from safelight.domain import Json, Measure
from safelight.media.frame import Bytes, Pixels
from safelight.media.picture import Picture, grey
from safelight.probes import Probe

LENGTH = 480  # numbers of an embedding; a multiple of 3, so that base64 needs no padding and texts can be joined
COLOUR_CELLS, SHAPE_CELLS, DIRECTIONS = 8, 6, 8
COLOUR_WEIGHT = 0.4  # of the squared length; the rest is shape
BLOCK = 512  # embeddings that are decoded at once: what fits a processor's cache
STEP = 1 / 400  # of a quantised number; their spread is about 1/22
DARK = 0.02  # linear light below which differences are noise
SHAPE_SIDE, THUMB_SIDE, DETAIL_SIDE, HASH_SIDE = 96, 96, 800, 32  # px
DETAIL_CELLS = 12  # of the detail map, in both directions
DETAIL_STEP = 1 / 16  # log2 units a byte of the detail map


def measure(picture: Picture) -> Sequence[Measure]:
    """Descriptors of one photo; about 10 kB together."""
    small = picture.small
    luma = grey(small)
    light = _log_light(picture.linear_small)
    return (
        Measure(name="embedding", value=pack(_embedding(light, luma))),
        Measure(name="hash.perceptual", value=perceptual_hash(luma)),
        Measure(name="layout.thumb", value=_thumb(luma)),
        Measure(name="layout.detail", value=pack_detail(_detail(picture.grey))),
        Measure(name="layout.light", value=[round(float(v), 3) for v in light.mean((0, 1))], unit="log2"),
    )


# ---------------------------------------------------------------- the texts


def pack(vector: Pixels) -> str:
    """A unit vector of 480 numbers as 640 letters."""
    return _text(np.clip(np.rint(vector / STEP) + 128, 0, 255).astype(np.uint8))


def unpack(texts: Sequence[str]) -> Pixels:
    """Embeddings as float32 rows of unit length, n x 480; ValueError if one has another length."""
    if any(len(text) != LENGTH * 4 // 3 for text in texts):
        raise ValueError(f"an embedding has {LENGTH * 4 // 3} letters")
    rows = np.empty((len(texts), LENGTH), np.float32)
    for start in range(0, len(texts), BLOCK):
        some = texts[start : start + BLOCK]
        block = rows[start : start + BLOCK]
        raw = np.frombuffer(binascii.a2b_base64("".join(some)), np.uint8).reshape(len(some), LENGTH)
        np.subtract(raw, np.float32(128), out=block)
        block /= np.sqrt(np.einsum("ij,ij->i", block, block))[:, None] + np.float32(1e-9)
    return rows


def unpack_thumb(value: Json) -> Bytes:
    """Luma of a `layout.thumb`, H x W uint8, long side 96 px."""
    if not isinstance(value, dict):
        raise TypeError(f"a thumb is an object with width, height and luma, not {value!r}")
    luma = np.frombuffer(binascii.a2b_base64(value["luma"]), np.uint8)
    return np.asarray(luma.reshape(value["height"], value["width"]), np.uint8)


def pack_detail(cells: Pixels) -> str:
    """A map of 12 x 12 log2 numbers as 192 letters; resolves 1/16 from -8 to 7.9."""
    return _text(np.asarray(np.clip(np.rint((cells + 8) / DETAIL_STEP), 0, 255), np.uint8))


def unpack_detail(texts: Iterable[str]) -> Pixels:
    """Detail maps, n x 12 x 12: log2 of the mean absolute Laplacian of a cell at 800 px, in grey levels."""
    raw = binascii.a2b_base64("".join(texts))
    return np.frombuffer(raw, np.uint8).reshape(-1, DETAIL_CELLS, DETAIL_CELLS).astype(np.float32) * DETAIL_STEP - 8


def _text(values: Bytes) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


# ---------------------------------------------------------------- the measurements


def _log_light(small: Pixels) -> Pixels:
    """8 x 8 x 3: log2 luminance (mean of the channels' logs), red over green, blue over green."""
    cells = cv2.resize(small, (COLOUR_CELLS, COLOUR_CELLS), interpolation=cv2.INTER_AREA)
    red, green, blue = np.moveaxis(np.log2(cells + DARK), 2, 0)
    return np.stack(((red + green + blue) / 3, red - green, blue - green), axis=2).astype(np.float32)


def _embedding(light: Pixels, luma: Bytes) -> Pixels:
    colour = np.moveaxis(light - light.mean((0, 1)), 2, 0).ravel()
    shape = _directions(luma).ravel()
    return np.concatenate((np.sqrt(COLOUR_WEIGHT) * _unit(colour), np.sqrt(1 - COLOUR_WEIGHT) * _unit(shape)))


def _unit(vector: Pixels) -> Pixels:
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-9), np.float32)


def _directions(luma: Bytes) -> Pixels:
    """6 x 6 x 8: how the square root of the gradient spreads over directions, by cell, without its mean.

    The log of the luma makes exposure drop out, the root keeps one strong edge from being all of a cell.
    """
    square = cv2.resize(luma, (SHAPE_SIDE, SHAPE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    smooth = cv2.GaussianBlur(np.log(square + 8), (0, 0), 1.5)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    size = np.sqrt(np.hypot(across, down))
    place = (np.arctan2(down, across) / (2 * np.pi) % 1) * DIRECTIONS
    lower = place.astype(np.intp) % DIRECTIONS
    part = (place - np.floor(place)).astype(np.float32)
    planes = np.zeros((DIRECTIONS, SHAPE_SIDE * SHAPE_SIDE), np.float32)
    every = np.arange(SHAPE_SIDE * SHAPE_SIDE)
    planes[lower.ravel(), every] = (size * (1 - part)).ravel()
    planes[((lower + 1) % DIRECTIONS).ravel(), every] += (size * part).ravel()
    cells = _POOL @ planes.reshape(DIRECTIONS, SHAPE_SIDE, SHAPE_SIDE) @ _POOL.T
    strength = np.sqrt((cells**2).sum(axis=0, keepdims=True))
    cells = cells / (strength + 0.3 * np.sqrt((strength**2).mean()) + 1e-9)
    return np.moveaxis(cells - cells.mean(axis=0, keepdims=True), 0, 2)


def _soft_cells() -> Pixels:
    """6 x 96: a cell's share of each pixel, a Gaussian one third wider than the cell, so that shifts matter less."""
    width = SHAPE_SIDE / SHAPE_CELLS
    centres = (np.arange(SHAPE_CELLS) + 0.5) * width - 0.5
    weights = np.exp(-0.5 * ((np.arange(SHAPE_SIDE)[None] - centres[:, None]) / (0.5 * width)) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


_POOL = _soft_cells()


def perceptual_hash(luma: Bytes) -> str:
    """16 hexadecimal digits: which of the 8 x 8 lowest cosine terms of a 32 x 32 thumb lie above their median."""
    square = cv2.resize(luma, (HASH_SIDE, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    terms = cv2.dct(square)[:8, :8].ravel()
    return np.packbits(terms > np.median(terms)).tobytes().hex()


def _thumb(luma: Bytes) -> Json:
    height, width = luma.shape
    scale = THUMB_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    thumb = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    return {"width": size[0], "height": size[1], "luma": _text(thumb)}


def _detail(luma: Bytes) -> Pixels:
    """12 x 12: log2 of the mean absolute Laplacian by cell, in grey levels at 800 px."""
    scale = min(1.0, DETAIL_SIDE / max(luma.shape))
    size = max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale))
    fine = np.abs(cv2.Laplacian(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), cv2.CV_16S))
    cells = _shares(fine.shape[0]) @ fine.astype(np.float32) @ _shares(fine.shape[1]).T
    return np.asarray(np.log2(cells + 2.0**-8), np.float32)


def _shares(length: int) -> Pixels:
    """12 x `length`: each pixel's share of each cell's mean, which is an area average when applied on both sides."""
    ends = np.linspace(0, length, DETAIL_CELLS + 1)
    covered = np.clip(np.arange(length + 1), ends[:-1, None], ends[1:, None])
    return np.asarray(np.diff(covered, axis=1) * (DETAIL_CELLS / length), np.float32)


probe = Probe(
    name="layout",
    version=1,
    emits=("embedding", "hash.perceptual", "layout.thumb", "layout.detail", "layout.light"),
    measure=measure,
    about="How the light, the colours and the edges lie in the frame: what the grouping compares.",
)
