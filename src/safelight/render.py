"""Edits in, pixels out: in a fixed order, in strips, with one pass over bytes and one resampling where possible.

Edits of a version are rendered by stage, whatever order people approved them in: repair, light, look, local, framing,
output. What follows each other is taken together: pointwise edits of bytes as one table (`fuse`), geometric edits as
one resampling (`media.warp`), all else in float light over strips of rows that overlap by as many pixels as the
operators need, so that memory stays flat.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any, TypeAlias

import cv2
import numpy as np

from safelight import params as json_params
from safelight import plugins
from safelight.domain import Edit
from safelight.errors import UsageError
from safelight.fuse import apply_fused, fuse
from safelight.media import warp
from safelight.media.colour import ROWS, Words, linear_of_srgb, srgb8, srgb16
from safelight.media.frame import Bytes, Frame, LinearWords, Matrix, Pixels, moving
from safelight.media.timeline import Timeline
from safelight.media.warp import Warp
from safelight.operators import Medium, Operator, Tools

TOP = 4.0  # light up to here goes from float to a table; words then are fine enough for the darkest byte
NO_OFFSET = np.zeros(4)
OVERLAP = 6  # rows of a strip for each row of its margin: a strip is then worked on by a third more than it gives


Source: TypeAlias = Bytes | Words | LinearWords | Frame  # bytes and words are sRGB-encoded


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


def render_bytes(source: Source, edits: Sequence[Edit], tools: Tools, *, geometry: Matrix | None = None) -> Bytes:
    """Bytes (sRGB, H x W x 3) with all edits, of sRGB bytes or words or of light. `geometry` leads from the upright
    original to bytes or words that were resized or cut out of it; a Frame knows its own."""
    return np.asarray(_rendered(source, steps(edits), tools, back=srgb8, dtype=np.uint8, geometry=geometry))


def render_words(source: Source, edits: Sequence[Edit], tools: Tools) -> Words:
    """Words (sRGB, 0..65535, H x W x 3) with all edits, of sRGB bytes or words or of light."""
    if isinstance(source, np.ndarray) and source.dtype == np.uint8:
        source = source.astype(np.uint16) * np.uint16(257)
    return np.asarray(_rendered(source, steps(edits), tools, back=srgb16, dtype=np.uint16))


def through(frame: Frame, todo: Sequence[Step], tools: Tools) -> Frame:
    """The frame after these steps, in float light."""
    for run in runs(todo):
        if run.warped:
            frame = warp.apply(frame, run.warp(frame.width, frame.height))
        elif run.margin is None:
            frame = run.over(frame, tools)
        else:
            out = np.empty_like(frame.pixels)
            for rows, pixels in run.strips(frame.height, partial(tile, frame), tools):
                out[rows] = pixels
            frame = frame.with_pixels(out)
    return frame


def tile(frame: Frame, rows: slice, columns: slice = slice(None)) -> Frame:
    """A part of a frame, whose geometry still leads from the upright source."""
    alpha = None if frame.alpha is None else frame.alpha[rows, columns]
    return frame.moved(frame.pixels[rows, columns], moving(-(columns.start or 0), -(rows.start or 0)), alpha=alpha)


# ---------------------------------------------------------------- runs of steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Neighbours in a version that are rendered together."""

    steps: tuple[Step, ...]

    @property
    def warped(self) -> bool:
        """Whether this run moves pixels, as one resampling."""
        return self.steps[0].operator.warp is not None

    @property
    def pointwise(self) -> bool:
        """Whether every pixel's result depends on that pixel alone."""
        return all(step.operator.pointwise for step in self.steps)

    @property
    def split(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The steps up to the last one that is not pointwise, and the pointwise ones after it."""
        last = max((i for i, step in enumerate(self.steps) if not step.operator.pointwise), default=-1)
        return self.steps[: last + 1], self.steps[last + 1 :]

    @property
    def margin(self) -> int | None:
        """How many pixels around a tile its result needs; None for the whole picture."""
        margins = [step.operator.margin for step in self.steps]
        return None if None in margins else sum(margin or 0 for margin in margins)

    def warp(self, width: int, height: int) -> Warp:
        """All geometric edits of the run as one, for a picture of this size."""
        done = Warp(size=(width, height))
        for step in self.steps:
            assert step.operator.warp is not None
            done = done.then(step.operator.warp(*done.size, step.params))
        return done

    def over(self, frame: Frame, tools: Tools) -> Frame:
        """The frame after these steps, one by one."""
        for step in self.steps:
            frame = step(frame, tools)
        return frame

    def strips(self, height: int, light: Callable[[slice], Frame], tools: Tools) -> Iterator[tuple[slice, Pixels]]:
        """Rows of a picture and what they become, strip by strip; `light` gives rows as they are before."""
        margin = self.margin or 0
        for rows in _rows(height, margin):
            first, last = max(0, rows.start - margin), min(height, rows.stop + margin)
            done = self.over(light(slice(first, last)), tools)
            yield rows, done.pixels[rows.start - first : rows.stop - first]


def runs(todo: Sequence[Step]) -> Iterator[Run]:
    """The steps, those together that are rendered together in float light."""

    def together(step: Step) -> object:
        if step.operator.warp is not None:
            return "warp"
        return id(step) if step.operator.margin is None else "strips"

    for _, run in groupby(todo, key=together):
        yield Run(steps=tuple(run))


def _rows(height: int, margin: int) -> Iterator[slice]:
    step = max(ROWS, OVERLAP * margin)
    return (slice(start, min(start + step, height)) for start in range(0, height, step))


def words_of(light: Pixels) -> LinearWords:
    """Light as words that reach up to `TOP`: what stands between two runs where the second one is a table."""
    words = cv2.add(light * np.float32(65535 / TOP), NO_OFFSET, dtype=cv2.CV_16U)  # rounds and clips
    return LinearWords(words=np.asarray(words, np.uint16), top=TOP)


def _rendered(
    source: Source, todo: Sequence[Step], tools: Tools, *, back: Callable[[Pixels], Any], dtype: Any,
    geometry: Matrix | None = None,
) -> Any:  # fmt: skip
    """Bytes or words after all steps. Before and after a resampling the picture has the depth in which it leaves."""
    if isinstance(source, Frame):
        geometry = source.geometry
    elif geometry is None:
        geometry = np.eye(3)
    for warped, group in groupby(todo, key=lambda step: step.operator.warp is not None):
        run = Run(steps=tuple(group))
        if warped:
            pixels = _encoded(source, tools, back=back, dtype=dtype)
            one = run.warp(pixels.shape[1], pixels.shape[0])
            source, geometry = warp.resample(pixels, one), one.matrix @ geometry
        elif run.margin is None:
            whole = slice(0, size_of(source)[0])
            source = back(through(_light(source, geometry, whole), run.steps, tools).pixels)
        elif dtype == np.uint8:
            source = _to_bytes(source, run, tools, geometry)
        else:
            source = _over_strips(source, run, tools, geometry=geometry, back=back, dtype=dtype)
    return _encoded(source, tools, back=back, dtype=dtype)


def _to_bytes(source: Source, run: Run, tools: Tools, geometry: Matrix) -> Bytes:
    """Bytes after a run of light, its pointwise end as one table."""
    if run.pointwise and isinstance(source, LinearWords):
        return apply_fused(fuse(run.steps, tools, top=source.top), source.words)
    if run.pointwise and isinstance(source, np.ndarray) and source.dtype == np.uint8:
        return apply_fused(fuse(run.steps, tools), np.asarray(source, np.uint8))
    back: Callable[[Pixels], Any] = srgb8
    first, last = run.split
    if first and last and not isinstance(source, Frame):  # a Frame may hold colours that words cannot
        run, processor = Run(steps=first), fuse(last, tools, top=TOP)
        back = partial(_through_words, processor)
    return np.asarray(_over_strips(source, run, tools, geometry=geometry, back=back, dtype=np.uint8))


def _through_words(processor: Any, light: Pixels) -> Bytes:
    return apply_fused(processor, words_of(light).words)


def _over_strips(
    source: Source, run: Run, tools: Tools, *, geometry: Matrix, back: Callable[[Pixels], Any], dtype: Any
) -> Any:
    out = np.empty((*size_of(source), 3), dtype)
    for rows, pixels in run.strips(len(out), partial(_light, source, geometry), tools):
        out[rows] = back(pixels)
    return out


def _encoded(source: Source, tools: Tools, *, back: Callable[[Pixels], Any], dtype: Any) -> Any:
    if isinstance(source, np.ndarray) and source.dtype == dtype:
        return source
    return _over_strips(source, Run(steps=()), tools, geometry=np.eye(3), back=back, dtype=dtype)


def _light(source: Source, geometry: Matrix, rows: slice) -> Frame:
    if isinstance(source, Frame):
        return tile(source, rows)
    if isinstance(source, LinearWords):
        frame = source.frame(rows)
        return replace(frame, geometry=frame.geometry @ geometry)
    return Frame(pixels=linear_of_srgb(source[rows]), geometry=moving(0, -rows.start) @ geometry)


def size_of(source: Source) -> tuple[int, int]:
    """Height and width in pixels."""
    if isinstance(source, Frame):
        return source.height, source.width
    height, width = (source.words if isinstance(source, LinearWords) else source).shape[:2]
    return int(height), int(width)
