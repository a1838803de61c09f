"""Edits in, pixels out: in a fixed order, in strips, and in one pass over bytes where that is possible.

Edits of a version are rendered by stage, whatever order people approved them in: light, look, local, framing. Runs of
operators that promise to be pointwise collapse into one transform from sRGB bytes to sRGB bytes, applied by
OpenColorIO: a 3x3 matrix between two curves where the run is linear (white balance, exposure), else a 3-D table. All
else goes through float light, in strips where the operators promise to be tileable, so that memory stays flat.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import PyOpenColorIO as Ocio
from numpy.typing import NDArray

from safelight import params as json_params
from safelight import plugins
from safelight.domain import Edit
from safelight.errors import UsageError
from safelight.media.colour import (
    REC2020_FROM_SRGB,
    SRGB_FROM_REC2020,
    Words,
    decode,
    encode,
    linear_of_srgb,
    srgb8,
    srgb16,
    strips,
)  # fmt: skip
from safelight.media.frame import Bytes, Frame, Matrix, Pixels, moving
from safelight.media.timeline import Timeline
from safelight.operators import Medium, Operator, Tools

NODES = 49  # a side of the 3-D table
SHAPE = 1.5  # nodes lie at value = (i / 48) ** 1.5: dense in the shadows, where lifting bends the curve most
CURVE = 4096  # samples of the sRGB curve over linear 0..1; its error stays below a tenth of a level
LINEAR = 3e-6  # largest deviation from a matrix at any node, of light 0..1 times the gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An edit with its operator and its params as a dataclass."""

    operator: Operator[Any]
    params: Any

    def __call__(self, subject: Any, tools: Tools) -> Any:
        """The subject after this step."""
        return self.operator.render(subject, self.params, tools)


# ---------------------------------------------------------------- order


def order(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits as they are rendered: by stage, then by the operator's rank and name; equals keep their order."""
    return tuple(sorted(edits, key=lambda edit: _place(plugins.operator(edit.operator))))


def steps(edits: Sequence[Edit], medium: Medium = Medium.FRAME) -> tuple[Step, ...]:
    """What rendering the edits means for this medium, in order; UsageError for operators that are not installed."""
    found = []
    for edit in order(edits):
        operator = plugins.operator(edit.operator)
        if operator.version != edit.version:
            raise UsageError(
                f"The edit is {edit.label}, but {operator.label} is installed.",
                remedy="Its pixels would differ. Install the old version, or run again to have it proposed anew.",
            )
        if operator.medium is medium:
            found.append(Step(operator=operator, params=json_params.from_json(operator.params, edit.params)))
    return tuple(found)


def _place(operator: Operator[Any]) -> tuple[int, int, str]:
    return operator.stage, operator.rank, operator.name


# ---------------------------------------------------------------- the general way


def render(frame: Frame, edits: Sequence[Edit], tools: Tools) -> Frame:
    """The frame with all edits, in float light. The frame given stays as it is."""
    return through(frame, steps(edits), tools)


def render_timeline(timeline: Timeline, edits: Sequence[Edit], tools: Tools) -> Timeline:
    """The timeline with all edits."""
    for step in steps(edits, Medium.TIMELINE):
        timeline = step(timeline, tools)
    return timeline


def render_bytes(source: Bytes | Frame, edits: Sequence[Edit], tools: Tools) -> Bytes:
    """Bytes (sRGB, H x W x 3) with all edits, of sRGB bytes or of light.

    Bytes go at once where every edit is pointwise; all else goes through float light, in strips.
    """
    todo = steps(edits)
    if isinstance(source, Frame):
        return np.asarray(_in_strips(source, todo, tools, back=srgb8, dtype=np.uint8))
    if not todo:
        return source
    if all(step.operator.pointwise for step in todo):
        return apply_fused(fuse(todo, tools), source)
    return np.asarray(_in_strips(source, todo, tools, back=srgb8, dtype=np.uint8))


def render_words(source: Bytes | Words | Frame, edits: Sequence[Edit], tools: Tools) -> Words:
    """Words (sRGB, 0..65535, H x W x 3) with all edits, of sRGB bytes or words or of light, in strips."""
    todo = steps(edits)
    if not todo and not isinstance(source, Frame):
        return source.astype(np.uint16) * np.uint16(257 if source.dtype == np.uint8 else 1)
    return np.asarray(_in_strips(source, todo, tools, back=srgb16, dtype=np.uint16))


def through(frame: Frame, todo: Sequence[Step], tools: Tools) -> Frame:
    """The frame after these steps. Neighbours that are tileable run together over strips of rows."""
    at = 0
    while at < len(todo):
        end = at
        while end < len(todo) and todo[end].operator.tileable:
            end += 1
        frame = _tiled(frame, todo[at:end], tools) if end > at else todo[at](frame, tools)
        at = max(end, at + 1)
    return frame


def tile(frame: Frame, rows: slice, columns: slice = slice(None)) -> Frame:
    """A part of a frame, whose geometry still leads from the upright source."""
    alpha = None if frame.alpha is None else frame.alpha[rows, columns]
    return frame.moved(frame.pixels[rows, columns], moving(-(columns.start or 0), -(rows.start or 0)), alpha=alpha)


def _tiled(frame: Frame, todo: Sequence[Step], tools: Tools) -> Frame:
    out = np.empty_like(frame.pixels)
    for rows in strips(frame.height):
        part = tile(frame, rows)
        for step in todo:
            part = step(part, tools)
        out[rows] = part.pixels
    return frame.with_pixels(out)


def _in_strips(
    source: Bytes | Words | Frame, todo: Sequence[Step], tools: Tools, *, back: Callable[[Pixels], Any], dtype: Any
) -> Any:
    height, width = source.pixels.shape[:2] if isinstance(source, Frame) else source.shape[:2]
    if not all(step.operator.tileable for step in todo):
        return back(through(_light(source, slice(0, height)), todo, tools).pixels)
    out = np.empty((height, width, 3), dtype)
    for rows in strips(height):
        out[rows] = back(through(_light(source, rows), todo, tools).pixels)
    return out


def _light(source: Bytes | Words | Frame, rows: slice) -> Frame:
    if isinstance(source, Frame):
        return tile(source, rows)
    return Frame(pixels=linear_of_srgb(source[rows]), geometry=moving(0, -rows.start))


# ---------------------------------------------------------------- the fast way


def fuse(todo: Sequence[Step], tools: Tools) -> Any:
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


def _light_after(light: NDArray[np.float64], todo: Sequence[Step], tools: Tools) -> NDArray[np.float64]:
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
