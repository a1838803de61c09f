"""Pointwise edits as one transform to sRGB bytes, from sRGB bytes, linear words or light, applied by OpenColorIO.

A run that is linear (white balance, exposure) becomes a 3x3 matrix before a curve, any other a 3-D table. Light may be
multiplied by a gain of its place before: roots are taken of light for the table, and the root of a product is the
product of the roots.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import PyOpenColorIO as Ocio
from numpy.typing import NDArray

from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020, Words, decode, encode, strips
from safelight.media.frame import Bytes, Frame, Matrix, Pixels
from safelight.media.gains import Gains
from safelight.operators import Tools

NODES = 45  # a side of the 3-D table for bytes, …
WIDE_NODES = 51  # … and for light, whose values reach further both ways
ROOT = 3.2  # of light: nodes lie at equal distances of it, dense in the shadows, where lifting bends the curve most
SHAPE = 1.5  # the same root of sRGB-encoded values, nearly
LOWEST = -0.15  # sRGB-encoded share of `top`: colours of words may lie so far outside sRGB; beyond they are clipped
CURVE = 4096  # samples of the sRGB curve over linear 0..1; its error stays below a tenth of a level
LINEAR = 3e-6  # largest deviation from a matrix at any node, of light 0..1 times the gain
FEW = 97  # every so many nodes tell at once that a run is no matrix
NO_OFFSET = np.zeros(4)
ROWS = 16  # a strip of so many rows in float stays in the cache

Pointwise = Callable[[Frame, Tools], Frame]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fused:
    """Pointwise steps as one transform: `processor` takes shares of the light that is worked on, in single precision
    with a fourth channel, and leaves 0..255 in place. Bytes become shares through `entry`; `most` is the largest gain.
    """

    processor: Any
    top: float
    most: float
    root: float = 1.0  # of gains, where `entry` holds roots
    entry: NDArray[np.float32] | None = None

    def __call__(self, pixels: Bytes | Words | Pixels, gains: Gains | None = None) -> Bytes:
        """SRGB bytes of a picture, H x W x 3: of sRGB bytes, of words of which 65535 is light `top`, or of light."""
        out = np.empty(pixels.shape, np.uint8)
        times = None if gains is None else gains.root(self.root)
        for rows in strips(len(pixels), ROWS):
            part = self._shares(np.ascontiguousarray(pixels[rows]), None if times is None else times(rows))
            self.processor.applyRGBA(part)
            done = cv2.add(part, NO_OFFSET, dtype=cv2.CV_8U)  # rounds and clips
            cv2.cvtColor(done, cv2.COLOR_RGBA2RGB, dst=out[rows])
        return out

    def _shares(self, pixels: NDArray[Any], times: Pixels | None) -> Pixels:
        four = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
        if self.entry is not None:
            shares = cv2.LUT(four, self.entry)
            if times is not None:
                cv2.multiply(shares, cv2.cvtColor(times, cv2.COLOR_GRAY2RGBA), dst=shares)
            return np.asarray(shares, np.float32)
        unit = np.float32(1 / (65535 if pixels.dtype == np.uint16 else self.top) / self.most)
        times = np.full(pixels.shape[:2], unit) if times is None else times * unit
        return np.asarray(cv2.multiply(four, cv2.cvtColor(times, cv2.COLOR_GRAY2RGBA), dtype=cv2.CV_32F), np.float32)


def fuse(todo: Sequence[Pointwise], tools: Tools, *, top: float | None = None, most: float = 1.0) -> Fused:
    """What these pointwise steps do to sRGB bytes; with `top` to linear Rec.2020, of which words of 65535 are light
    `top`.

    Gains up to `most` may come before. Values are clipped after the last step only, never inside. Where the run is
    linear the result is exact; else it is a table of colours with tetrahedral interpolation, within two levels for
    colours of sRGB.
    """
    most = max(1.0, most)
    if top is None:
        return _of_bytes(todo, tools, most)
    return Fused(processor=_processor(_of_light(todo, tools, top * most)), top=top, most=most)


def _of_bytes(todo: Sequence[Pointwise], tools: Tools, most: float) -> Fused:
    light = _grid(np.linspace(0, 1, NODES) ** ROOT) * most
    after = _light_after(light, todo, tools)
    matrix = _matrix_of(light, after)
    shares = decode(np.arange(256) / 255) / most
    if matrix is None:
        entry = (shares ** (1 / ROOT)).astype(np.float32)
        return Fused(processor=_processor([_table(after, NODES)]), top=1, most=most, root=ROOT, entry=entry)
    parts = [_matrix(matrix * most), _curve(encode, length=CURVE, most=255)]
    return Fused(processor=_processor(parts), top=1, most=most, entry=shares.astype(np.float32))


def _of_light(todo: Sequence[Pointwise], tools: Tools, top: float) -> list[Any]:
    """A signed shape, so that colours somewhat outside sRGB find their place in the table."""
    low, reach = float(decode(np.array(LOWEST))), float(_shaped(np.array(-LOWEST)))
    places = np.linspace(0, 1, WIDE_NODES) * (1 + reach) - reach
    light = _grid(decode(np.copysign(np.abs(places) ** SHAPE, places))) * top
    after = _light_after(light, todo, tools)
    matrix = _matrix_of(light, after)
    if matrix is not None:
        whole = np.asarray(matrix @ SRGB_FROM_REC2020 * top, np.float64)
        return [_matrix(whole), _curve(encode, length=CURVE, most=255)]

    def shaped(shares: NDArray[Any]) -> NDArray[Any]:
        return (_shaped(encode(shares * (1 - low) + low)) + reach) / (1 + reach)

    inward = _matrix(np.asarray(SRGB_FROM_REC2020 / (1 - low), np.float64), offset=-low / (1 - low))
    return [inward, _curve(shaped, length=65536), _table(after, WIDE_NODES)]


def _grid(axis: NDArray[Any]) -> NDArray[Any]:
    """All colours with these values, as a picture; red changes slowest, as setData wants it."""
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, len(axis), 3)


def _light_after(light: NDArray[np.float64], todo: Sequence[Pointwise], tools: Tools) -> NDArray[np.float64]:
    """Linear sRGB before and after the steps."""
    frame = Frame(pixels=(light @ REC2020_FROM_SRGB.T).astype(np.float32))
    for step in todo:
        frame = step(frame, tools)
    return frame.pixels.astype(np.float64) @ SRGB_FROM_REC2020.T


def _matrix_of(light: NDArray[np.float64], after: NDArray[np.float64]) -> Matrix | None:
    """The matrix that the steps are, if they are one at every node."""
    x, y = light.reshape(-1, 3), after.reshape(-1, 3)
    for every in (FEW, 1):
        found, *_ = np.linalg.lstsq(x[::every], y[::every], rcond=None)
        gain = max(1.0, float(np.abs(found).max()))
        if float(np.abs(x[::every] @ found - y[::every]).max()) > LINEAR * gain:
            return None
    return np.asarray(found.T, np.float64)


def _shaped(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.copysign(np.abs(values) ** (1 / SHAPE), values))


def _processor(parts: Sequence[Any]) -> Any:
    group = Ocio.GroupTransform()
    for part in parts:
        group.appendTransform(part)
    return Ocio.Config.CreateRaw().getProcessor(group).getDefaultCPUProcessor()


def _curve(function: Callable[[NDArray[Any]], NDArray[Any]], *, length: int, most: float = 1) -> Any:
    values = np.repeat(function(np.linspace(0, 1, length))[:, None], 3, axis=1) * most
    transform = Ocio.Lut1DTransform()
    transform.setLength(length)
    transform.setInterpolation(Ocio.INTERP_LINEAR)
    transform.setData(np.ascontiguousarray(values, np.float32).ravel())
    return transform


def _table(light: NDArray[np.float64], nodes: int) -> Any:
    """A table of sRGB-encoded values, 0..255, of linear sRGB."""
    transform = Ocio.Lut3DTransform()
    transform.setGridSize(nodes)
    transform.setInterpolation(Ocio.INTERP_TETRAHEDRAL)
    transform.setData((encode(light.astype(np.float32)) * np.float32(255)).ravel())
    return transform


def _matrix(matrix: Matrix, *, offset: float = 0.0) -> Any:
    whole = np.eye(4)
    whole[:3, :3] = matrix
    transform = Ocio.MatrixTransform()
    transform.setMatrix(whole.ravel())
    transform.setOffset([offset] * 3 + [0.0])
    return transform
