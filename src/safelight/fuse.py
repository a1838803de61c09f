"""Pointwise edits as one transform to sRGB bytes, from sRGB bytes or from linear words, applied by OpenColorIO.

A run that is linear (white balance, exposure) becomes a 3x3 matrix between two curves, any other a 3-D table.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import PyOpenColorIO as Ocio
from numpy.typing import NDArray

from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020, Words, decode, encode
from safelight.media.frame import Bytes, Frame, Matrix
from safelight.operators import Tools

NODES = 49  # a side of the 3-D table for bytes, …
WIDE_NODES = 57  # … and for words, whose values reach further both ways
SHAPE = 1.5  # nodes lie at value = (i / 48) ** 1.5: dense in the shadows, where lifting bends the curve most
LOWEST = -0.15  # sRGB-encoded share of `top`: colours of words may lie so far outside sRGB; beyond they are clipped
CURVE = 4096  # samples of the sRGB curve over linear 0..1; its error stays below a tenth of a level
LINEAR = 3e-6  # largest deviation from a matrix at any node, of light 0..1 times the gain

Pointwise = Callable[[Frame, Tools], Frame]


def fuse(todo: Sequence[Pointwise], tools: Tools, *, top: float | None = None) -> Any:
    """An OpenColorIO processor to sRGB bytes that does what these pointwise steps do.

    It takes sRGB bytes, or with `top` words of linear Rec.2020 of which 65535 is light `top`. Values are clipped
    after the last step only, never inside. Where the run is linear the result is exact; else it is a table of colours
    with tetrahedral interpolation, within two levels for colours of sRGB.
    """
    parts = _of_bytes(todo, tools) if top is None else _of_words(todo, tools, top)
    group = Ocio.GroupTransform()
    for part in parts:
        group.appendTransform(part)
    depth = Ocio.BIT_DEPTH_UINT8 if top is None else Ocio.BIT_DEPTH_UINT16
    return Ocio.Config.CreateRaw().getProcessor(group).getOptimizedCPUProcessor(
        depth, Ocio.BIT_DEPTH_UINT8, Ocio.OPTIMIZATION_DEFAULT
    )  # fmt: skip


def _of_bytes(todo: Sequence[Pointwise], tools: Tools) -> list[Any]:
    light = decode(_grid(np.linspace(0, 1, NODES) ** SHAPE))
    after = _light_after(light, todo, tools)
    matrix = _matrix_of(light, after)
    if matrix is None:
        return [_curve(_shaped), _table(encode(after), NODES)]
    return [_curve(decode), _matrix(matrix), _curve(encode, length=CURVE)]


def _of_words(todo: Sequence[Pointwise], tools: Tools, top: float) -> list[Any]:
    """A signed shape, so that colours somewhat outside sRGB find their place in the table."""
    low, reach = float(decode(np.array(LOWEST))), float(_shaped(np.array(-LOWEST)))
    places = np.linspace(0, 1, WIDE_NODES) * (1 + reach) - reach
    light = decode(_grid(np.copysign(np.abs(places) ** SHAPE, places))) * top
    after = _light_after(light, todo, tools)
    matrix = _matrix_of(light, after)
    if matrix is not None:
        return [_matrix(np.asarray(matrix @ SRGB_FROM_REC2020 * top, np.float64)), _curve(encode, length=CURVE)]

    def shaped(shares: NDArray[Any]) -> NDArray[Any]:
        return (_shaped(encode(shares * (1 - low) + low)) + reach) / (1 + reach)

    inward = _matrix(np.asarray(SRGB_FROM_REC2020 / (1 - low), np.float64), offset=-low / (1 - low))
    return [inward, _curve(shaped, length=65536), _table(encode(after), WIDE_NODES)]


def _grid(axis: NDArray[Any]) -> NDArray[Any]:
    """All colours with these values, as a picture; red changes slowest, as setData wants it."""
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, len(axis), 3)


def apply_fused(processor: Any, pixels: Bytes | Words) -> Bytes:
    """Bytes or words through a fused run, in one pass; bytes come out."""
    source: Any = np.ascontiguousarray(pixels)
    out = np.empty(source.shape, np.uint8)
    processor.apply(_described(source), _described(out))
    return out


def _described(pixels: Bytes | Words) -> Any:
    height, width, channels = pixels.shape
    depth = Ocio.BIT_DEPTH_UINT8 if pixels.itemsize == 1 else Ocio.BIT_DEPTH_UINT16
    step = channels * pixels.itemsize
    return Ocio.PackedImageDesc(pixels, width, height, channels, depth, pixels.itemsize, step, width * step)


def _light_after(light: NDArray[np.float64], todo: Sequence[Pointwise], tools: Tools) -> NDArray[np.float64]:
    """Linear sRGB before and after the steps."""
    frame = Frame(pixels=(light @ REC2020_FROM_SRGB.T).astype(np.float32))
    for step in todo:
        frame = step(frame, tools)
    return frame.pixels.astype(np.float64) @ SRGB_FROM_REC2020.T


def _matrix_of(light: NDArray[np.float64], after: NDArray[np.float64]) -> Matrix | None:
    """The matrix that the steps are, if they are one at every node."""
    x, y = light.reshape(-1, 3), after.reshape(-1, 3)
    found, *_ = np.linalg.lstsq(x, y, rcond=None)
    gain = max(1.0, float(np.abs(found).max()))
    return np.asarray(found.T, np.float64) if float(np.abs(x @ found - y).max()) <= LINEAR * gain else None


def _shaped(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.copysign(np.abs(values) ** (1 / SHAPE), values))


def _curve(function: Callable[[NDArray[Any]], NDArray[Any]], *, length: int = 256) -> Any:
    values = np.repeat(function(np.linspace(0, 1, length))[:, None], 3, axis=1)
    transform = Ocio.Lut1DTransform()
    transform.setLength(length)
    transform.setInterpolation(Ocio.INTERP_LINEAR)
    transform.setData(np.ascontiguousarray(values, np.float32).ravel())
    return transform


def _table(values: NDArray[Any], nodes: int) -> Any:
    transform = Ocio.Lut3DTransform()
    transform.setGridSize(nodes)
    transform.setInterpolation(Ocio.INTERP_TETRAHEDRAL)
    transform.setData(np.ascontiguousarray(values, np.float32).ravel())
    return transform


def _matrix(matrix: Matrix, *, offset: float = 0.0) -> Any:
    whole = np.eye(4)
    whole[:3, :3] = matrix
    transform = Ocio.MatrixTransform()
    transform.setMatrix(whole.ravel())
    transform.setOffset([offset] * 3 + [0.0])
    return transform
