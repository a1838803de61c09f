"""Edits in, pixels out: in a fixed order, in strips, with one pass over bytes and one resampling where possible.

Edits of a version are rendered by stage, whatever order people approved them in: repair, light, look, local, framing,
output. What follows each other is taken together: gains and pointwise edits of bytes as one table (`fuse`), geometric
edits as one resampling (`media.warp`), all else in float light over strips of rows that overlap by as many pixels as
the operators need, so that memory stays flat.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, zip_longest
from typing import Any, TypeAlias

import cv2
import numpy as np

from safelight import params as json_params
from safelight import plugins
from safelight.domain import Edit
from safelight.errors import UsageError
from safelight.fuse import fuse
from safelight.media import warp
from safelight.media.colour import ROWS, Words, linear_of_srgb, srgb8, srgb16
from safelight.media.frame import Bytes, Frame, LinearWords, Matrix, Pixels, moving
from safelight.media.gains import Gains
from safelight.media.timeline import Timeline
from safelight.media.warp import Warp
from safelight.operators import Medium, Operator, Tools

NO_OFFSET = np.zeros(4)
TOP = 4.0  # light up to here goes from float to a table
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
    def split(self) -> tuple[tuple[Step, ...], tuple[Step, ...], tuple[Step, ...]]:
        """Its end is gains, then pointwise steps: what comes before it, the gains, the pointwise steps."""
        last = first = len(self.steps)
        while last and self.steps[last - 1].operator.pointwise:
            last = first = last - 1
        while first and self.steps[first - 1].operator.gain is not None:
            first -= 1
        return self.steps[:first], self.steps[first:last], self.steps[last:]

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
            tools.go_on()
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
    """Bytes or words after all steps. Before and after a resampling the picture has the depth in which it leaves; of a
    picture that is cut afterwards, only the part that stays is worked on."""
    if isinstance(source, Frame):
        geometry = source.geometry
    elif geometry is None:
        geometry = np.eye(3)
    parts = [Run(steps=tuple(group)) for _, group in groupby(todo, key=lambda step: step.operator.warp is not None)]
    one: Warp | None = None
    for run, after in zip_longest(parts, parts[1:]):
        height, width = size_of(source)
        if run.warped:
            one = one or run.warp(width, height)
            source, geometry = (
                warp.resample(_encoded(source, tools, back=back, dtype=dtype), one),
                one.matrix @ geometry,
            )
            one = None
        elif run.margin is None:
            source = back(through(_light(source, geometry, slice(0, height)), run.steps, tools).pixels)
        else:
            if after is not None:
                one = after.warp(width, height)
                rows, columns = one.reach(width, height, margin=run.margin)
                source, geometry = _part(source, rows, columns), moving(-columns.start, -rows.start) @ geometry
                one = one.of_part(columns.start, rows.start)
            if dtype == np.uint8:
                source = _to_bytes(source, run, tools, geometry)
            else:
                source = _over_strips(source, run, tools, geometry=geometry, back=back, dtype=dtype)
    return _encoded(source, tools, back=back, dtype=dtype)


def _to_bytes(source: Source, run: Run, tools: Tools, geometry: Matrix) -> Bytes:
    """Bytes after a run of light, its end of gains and pointwise steps as one transform."""
    first, gains, last = run.split
    if isinstance(source, Frame) or not (gains or last):  # a Frame may hold colours that a table cannot
        return np.asarray(_over_strips(source, run, tools, geometry=geometry, back=srgb8, dtype=np.uint8))
    height, width = size_of(source)
    light = _gains(gains, geometry, width, height) if gains else None
    most = 1.0 if light is None else light.most
    if first:
        fused, out = fuse(last, tools, top=TOP, most=most), np.empty((height, width, 3), np.uint8)
        for rows, pixels in Run(steps=first).strips(height, partial(_light, source, geometry), tools):
            out[rows] = fused(pixels, None if light is None else light.below(rows.start))
        return out
    if isinstance(source, LinearWords):
        return fuse(last, tools, top=source.top, most=most)(source.words, light)
    if source.dtype == np.uint8:
        return fuse(last, tools, most=most)(np.asarray(source, np.uint8), light)
    return np.asarray(_over_strips(source, run, tools, geometry=geometry, back=srgb8, dtype=np.uint8))


def _gains(gains: Sequence[Step], geometry: Matrix, width: int, height: int) -> Gains:
    functions = [partial(_gain, step) for step in gains]
    return Gains.over(functions, geometry, width, height)


def _gain(step: Step, x: Matrix, y: Matrix) -> Any:
    assert step.operator.gain is not None
    return step.operator.gain(x, y, step.params)


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
    pixels = source.frame(rows).pixels if isinstance(source, LinearWords) else linear_of_srgb(source[rows])
    return Frame(pixels=pixels, geometry=moving(0, -rows.start) @ geometry)


def _part(source: Source, rows: slice, columns: slice) -> Source:
    if isinstance(source, Frame):
        return tile(source, rows, columns)
    if isinstance(source, LinearWords):
        return replace(source, words=source.words[rows, columns])
    return source[rows, columns]


def size_of(source: Source) -> tuple[int, int]:
    """Height and width in pixels."""
    if isinstance(source, Frame):
        return source.height, source.width
    height, width = (source.words if isinstance(source, LinearWords) else source).shape[:2]
    return int(height), int(width)
