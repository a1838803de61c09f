"""Pointwise edits as one transform from sRGB bytes to sRGB bytes, applied by OpenColorIO.

A run that is linear (white balance, exposure) becomes a 3x3 matrix between two curves, any other a 3-D table.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import PyOpenColorIO as Ocio
from numpy.typing import NDArray

from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020, decode, encode
from safelight.media.frame import Bytes, Frame, Matrix
from safelight.operators import Tools

NODES = 49  # a side of the 3-D table
SHAPE = 1.5  # nodes lie at value = (i / 48) ** 1.5: dense in the shadows, where lifting bends the curve most
CURVE = 4096  # samples of the sRGB curve over linear 0..1; its error stays below a tenth of a level
LINEAR = 3e-6  # largest deviation from a matrix at any node, of light 0..1 times the gain

Pointwise = Callable[[Frame, Tools], Frame]


def fuse(todo: Sequence[Pointwise], tools: Tools) -> Any:
    """An OpenColorIO processor from sRGB bytes to sRGB bytes that does what these pointwise steps do.

    Values are clipped after the last step only, never inside. Where the run is linear the result is exact; else it
    is a table of 49 x 49 x 49 colours with tetrahedral interpolation, within two levels.
    """
    axis = np.linspace(0, 1, NODES) ** SHAPE
    nodes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)  # red slowest, as setData wants it
    light = decode(nodes.reshape(-1, NODES, 3))
    after = _light_after(light, todo, tools)
    matrix = _matrix_of(light, after)
    if matrix is None:
        parts = [_curve(_shaped), _table(encode(after))]
    else:
        parts = [_curve(decode), _matrix(matrix), _curve(encode, length=CURVE)]
    group = Ocio.GroupTransform()
    for part in parts:
        group.appendTransform(part)
    eight = Ocio.BIT_DEPTH_UINT8
    return Ocio.Config.CreateRaw().getProcessor(group).getOptimizedCPUProcessor(
        eight, eight, Ocio.OPTIMIZATION_DEFAULT
    )  # fmt: skip


def apply_fused(processor: Any, rgb: Bytes) -> Bytes:
    """Bytes through a fused run, in one pass."""
    source = np.ascontiguousarray(rgb)
    out = np.empty_like(source)
    processor.apply(_described(source), _described(out))
    return out


def _described(rgb: Bytes) -> Any:
    height, width, channels = rgb.shape
    return Ocio.PackedImageDesc(rgb, width, height, channels, Ocio.BIT_DEPTH_UINT8, 1, channels, width * channels)


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
    return values ** (1 / SHAPE)


def _curve(function: Callable[[NDArray[Any]], NDArray[Any]], *, length: int = 256) -> Any:
    values = np.repeat(function(np.linspace(0, 1, length))[:, None], 3, axis=1)
    transform = Ocio.Lut1DTransform()
    transform.setLength(length)
    transform.setInterpolation(Ocio.INTERP_LINEAR)
    transform.setData(np.ascontiguousarray(values, np.float32).ravel())
    return transform


def _table(values: NDArray[Any]) -> Any:
    transform = Ocio.Lut3DTransform()
    transform.setGridSize(NODES)
    transform.setInterpolation(Ocio.INTERP_TETRAHEDRAL)
    transform.setData(np.ascontiguousarray(values, np.float32).ravel())
    return transform


def _matrix(matrix: Matrix) -> Any:
    whole = np.eye(4)
    whole[:3, :3] = matrix
    transform = Ocio.MatrixTransform()
    transform.setMatrix(whole.ravel())
    return transform
