"""What a person sees while deciding: a photo before and after its edits, fitted to the view or at 100 % around a point.

The same renderer as for delivery, on less: on the proxy, or on the part of the original that the view shows. Decoded
pictures, and what lies below the edit that is being changed, stay in memory on a shelf of so many bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from safelight import known_bads, plugins, render, work
from safelight.domain import Edit, digest_of
from safelight.media import image, warp
from safelight.media.colour import linear_of_srgb, srgb8
from safelight.media.frame import Bytes, Frame, LinearWords, Matrix, moving, scaling
from safelight.media.picture import WORK_SIDE, shrink
from safelight.media.warp import Warp
from safelight.operators import Stage, Tools
from safelight.review import originals
from safelight.review.originals import Original, Window, bytes_of, cut
from safelight.review.shelf import Shelf
from safelight.state import Photo
from safelight.store.objects import ShootFolder

ROOM = 420_000_000  # bytes: two decoded originals of 24 megapixels, a raw, and some dozen views
SIDES = (480, 800, 1600, 2560)  # px, long sides of a fitted view; what is asked for is rounded up to one of them
CROP_SIDE = 4000  # px, the most that a view at 100 % shows
SLACK = 160  # px more around a view while its framing changes: a turn by some degrees then needs nothing new
REACH = 4  # px that a cubic and the bends of a lens need around a place


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the pictures of one photo are; width and height of the upright original."""

    id: str
    original: Path
    proxy: Path
    width: int
    height: int
    is_raw: bool


def source_of(photo: Photo, folder: ShootFolder) -> Source:
    """The source of a photo of a shoot."""
    return Source(
        id=photo.id, original=folder.root / photo.path, proxy=folder.cached(photo.id).with_suffix(".jpg"),
        width=photo.asset.width or 1, height=photo.asset.height or 1, is_raw=photo.is_raw,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of a picture at 100 %: its pixels, where they lie in it, and how large all of it is."""

    pixels: Bytes
    box: Window
    size: tuple[int, int]


def rounded(side: int) -> int:
    """The smallest of `SIDES` that is not below what a view asks for, or the largest."""
    return next((known for known in SIDES if known >= side), SIDES[-1])


class Previews:
    """Renders what a view shows. Any thread may ask; sRGB bytes come back."""

    def __init__(self, room: int = ROOM) -> None:
        self.shelf = Shelf(room)

    # ------------------------------------------------------------ fitted to the view

    def base(self, source: Source, side: int) -> Bytes:
        """The photo before any edit, upright, with a long side of at most `side` px. A raw shows its camera's picture.

        Comes from the proxy where that is large enough and there. Raises MediaError where neither can be read."""
        key = ("base", source.id, side)
        return np.asarray(self.shelf.get(key, lambda: self._base(source, side), bytes_of), np.uint8)

    def fitted(
        self, source: Source, edits: Sequence[Edit], tools: Tools, *, side: int, changed: str | None = None
    ) -> Bytes:
        """The photo with these edits. `changed` names the operator whose sliders move: what lies below it is kept, so
        that the next position costs that edit and those above it only.

        A raw's camera look is in its preview already and is left out."""
        todo = tuple(edit for edit in render.order(edits) if plugins.operator(edit.operator).stage is not Stage.BASE)
        plain = self.base(source, side)
        base: Bytes | LinearWords = plain
        height, width = plain.shape[:2]
        geometry = scaling(width / source.width, height / source.height)
        below = 0 if changed is None else _below(todo, changed)
        if below:
            key = ("below", source.id, side, _digest(todo[:below]))
            made = self._under(plain, todo[:below], tools, geometry, last=_warps(todo[below : below + 1]))
            base = self.shelf.get(key, made, bytes_of)
        return render.render_bytes(base, todo[below:], tools, geometry=geometry)

    def ruined(self, source: Source, edits: Sequence[Edit], tools: Tools, *, task: str, side: int) -> Bytes:
        """The photo with these edits, that of `task` spoilt on purpose; of any side, the original's own included."""
        key = ("ruined", source.id, side, task, _digest(edits))

        def make() -> Bytes:
            rgb = self.base(source, side)
            geometry = scaling(rgb.shape[1] / source.width, rgb.shape[0] / source.height)
            frame = Frame(pixels=linear_of_srgb(rgb), geometry=geometry)
            return srgb8(known_bads.ruin(frame, edits, task, tools)[0].pixels)

        return np.asarray(self.shelf.get(key, make, bytes_of), np.uint8)

    def _base(self, source: Source, side: int) -> Bytes:
        if side <= WORK_SIDE and source.proxy.exists():
            return shrink(image.read(source.proxy), side)
        return shrink(self._decoded(source), side)

    def _decoded(self, source: Source) -> Bytes:
        """The original as a viewer shows it, at its own size; a raw's own preview."""
        if not source.is_raw and isinstance(found := self.original(source), np.ndarray):
            return found
        key = ("decoded", source.id)
        return np.asarray(self.shelf.get(key, lambda: work.decode(source.original)[0], bytes_of), np.uint8)

    def _under(
        self, base: Any, edits: Sequence[Edit], tools: Tools, geometry: Matrix, *, last: bool
    ) -> Callable[[], Any]:
        """How to make what lies below the changed edit: bytes before a resampling (`last`), else words of light."""
        if last:
            return partial(render.render_bytes, base, edits, tools, geometry=geometry)

        def words() -> LinearWords:
            light = base.frame() if isinstance(base, LinearWords) else base
            frame = light if isinstance(light, Frame) else Frame(pixels=linear_of_srgb(light))
            return render.words_of(render.render(replace(frame, geometry=geometry), edits, tools).pixels)

        return words

    # ------------------------------------------------------------ at 100 %

    def size(self, source: Source, edits: Sequence[Edit]) -> tuple[int, int]:
        """Width and height of the original after its edits."""
        return self._warp(_parts(edits)[1], (source.width, source.height)).size

    def original(self, source: Source) -> Original:
        """The original at its own size and depth; a raw takes seconds the first time."""
        key = ("original", source.id)
        found: Original = self.shelf.get(key, lambda: originals.opened(source.original, is_raw=source.is_raw), bytes_of)
        return found

    def region(
        self,
        source: Source,
        edits: Sequence[Edit],
        tools: Tools,
        *,
        at: tuple[float, float],
        view: tuple[int, int],
        changed: str | None = None,
        hurry: bool = False,
    ) -> Region:
        """The part of the finished picture, `view` = (width, height) at most, around the place that the original's
        pixel `at` has come to. What is not in view is not rendered, but for operators that must see the whole.
        `changed` as in `fitted`; in a `hurry`, what is slow, lies below it and is not kept yet is left out."""
        whole = self.original(source)
        height, width = originals.size_of(whole)
        first, framing, last = _parts(edits)
        bend = self._warp(framing, (width, height))
        x, y = (float(v[0]) for v in bend.inverse(np.array([at[0]]), np.array([at[1]])))
        box = _window((x, y), view, bend.size)
        margins = _margin(first), _margin(last)
        if None in margins:
            key = ("finished", source.id, _digest(tuple(edits)))
            done = self.shelf.get(key, lambda: self._finished(whole, edits, tools), bytes_of)
            return Region(pixels=cut(done, box), box=box, size=bend.size)
        outer = _grown(box, margins[1] or 0, bend.size)
        inner = _source_window(bend, outer, (width, height)) if framing else outer
        tile = _grown(inner, margins[0] or 0, (width, height))
        pixels = self._tile(source, first, tools, tile=tile, changed=changed, hurry=hurry)
        pixels = cut(pixels, _within(inner, tile))
        if framing:
            around = (moving(outer[0], outer[1]), *bend.steps, moving(-inner[0], -inner[1]))
            pixels = warp.resample(pixels, Warp(size=_size(outer), steps=around))
        if last:
            there = moving(-outer[0], -outer[1]) @ bend.matrix
            pixels = render.render_bytes(pixels, last, tools, geometry=there)
        return Region(pixels=cut(pixels, _within(box, outer)), box=box, size=bend.size)

    def _tile(
        self, source: Source, first: Sequence[Edit], tools: Tools, *, tile: Window, changed: str | None,
        hurry: bool,
    ) -> Bytes:  # fmt: skip
        """A part of the original after the edits before framing, of which those below the changed one are kept."""
        todo = tuple(first)
        whole = changed not in {edit.operator for edit in todo}
        below = 0 if changed is None else len(todo) if whole else _below(todo, changed)
        if not below:
            return self._rendered(source, todo, tools, tile)
        under = todo[:below]
        kept = self._kept(source, under, tile, last=whole)
        if kept is None and hurry:
            under = tuple(edit for edit in under if plugins.operator(edit.operator).draft is None)
            kept = self._kept(source, under, tile, last=whole)
        if kept is None:
            wide = _grown(tile, SLACK if whole else 0, (source.width, source.height))
            base: Any = originals.part(self.original(source), wide)
            kept = wide, self._under(base, under, tools, moving(-wide[0], -wide[1]), last=whole)()
            self.shelf.put(("tile", source.id, _digest(under), whole), kept, bytes_of(kept[1]))
        part: Any = originals.part(kept[1], _within(tile, kept[0]))
        return render.render_bytes(part, todo[below:], tools, geometry=moving(-tile[0], -tile[1]))

    def _kept(self, source: Source, under: Sequence[Edit], tile: Window, *, last: bool) -> tuple[Window, Any] | None:
        """What lies below a changed edit, where it has been rendered for this tile or more."""
        found: tuple[Window, Any] | None = self.shelf.found(("tile", source.id, _digest(under), last))
        return found if found is not None and _inside(tile, found[0]) else None

    def _rendered(self, source: Source, edits: Sequence[Edit], tools: Tools, tile: Window) -> Bytes:
        part: Any = originals.part(self.original(source), tile)
        return render.render_bytes(part, edits, tools, geometry=moving(-tile[0], -tile[1]))

    def _finished(self, whole: Original, edits: Sequence[Edit], tools: Tools) -> Bytes:
        height, width = originals.size_of(whole)
        return render.render_bytes(originals.part(whole, (0, 0, width, height)), edits, tools)

    def framed(self, mask: Bytes, framing: Sequence[Edit], box: Window | None = None) -> Bytes:
        """A mask of the original's size, moved as the framing moves the picture; of the result a part, if asked."""
        size = mask.shape[1], mask.shape[0]
        bend = self._warp(framing, size)
        if box is None:
            return warp.resample(mask, bend, how=cv2.INTER_LINEAR)
        inner = _source_window(bend, box, size)
        around = (moving(box[0], box[1]), *bend.steps, moving(-inner[0], -inner[1]))
        return warp.resample(cut(mask, inner), Warp(size=_size(box), steps=around), how=cv2.INTER_LINEAR)

    @staticmethod
    def _warp(framing: Sequence[Edit], size: tuple[int, int]) -> Warp:
        found = render.steps(framing)
        return render.Run(steps=found).warp(*size) if found else Warp(size=size)


# ---------------------------------------------------------------- which edits lie where


def _parts(edits: Sequence[Edit]) -> tuple[tuple[Edit, ...], tuple[Edit, ...], tuple[Edit, ...]]:
    """The edits before framing, those that move pixels, and those after."""
    todo = render.order(edits)
    warped = [i for i, edit in enumerate(todo) if _warps((edit,))]
    first, last = (warped[0], warped[-1] + 1) if warped else (len(todo), len(todo))
    return todo[:first], todo[first:last], todo[last:]


def _warps(edits: Sequence[Edit]) -> bool:
    return any(plugins.operator(edit.operator).warp is not None for edit in edits)


def _below(todo: Sequence[Edit], changed: str) -> int:
    """How many of the edits, from the first on, can be kept while those of operator `changed` change.

    Pointwise edits next to a changed pointwise one are not: together with it they are one table. All resampling is
    one."""
    here = next((i for i, edit in enumerate(todo) if edit.operator == changed), len(todo))
    warped = next((i for i, edit in enumerate(todo) if _warps((edit,))), None)
    if warped is not None and here >= warped:
        return warped
    if not plugins.operator(changed).pointwise:
        return here
    return 1 + max((i for i in range(here) if not plugins.operator(todo[i].operator).pointwise), default=-1)


def _margin(edits: Sequence[Edit]) -> int | None:
    return render.Run(steps=render.steps(edits)).margin


def _digest(edits: Sequence[Edit]) -> str:
    return digest_of([[edit.operator, edit.version, edit.params] for edit in edits])


# ---------------------------------------------------------------- windows


def _window(at: tuple[float, float], view: tuple[int, int], size: tuple[int, int]) -> Window:
    """A window of at most `view` around a place, moved so that it lies in a picture of this size."""
    spans = []
    for middle, length, most in zip(at, view, size, strict=True):
        length = min(length, most, CROP_SIDE)  # noqa: PLW2901
        start = min(max(round(middle - length / 2), 0), most - length)
        spans.append((start, start + length))
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def cut_around(rgb: Bytes, at: tuple[float, float], view: tuple[int, int]) -> tuple[Bytes, Window]:
    """The part of a picture around a place, and where it lies."""
    box = _window(at, view, (rgb.shape[1], rgb.shape[0]))
    return cut(rgb, box), box


def _grown(box: Window, by: int, size: tuple[int, int]) -> Window:
    return max(0, box[0] - by), max(0, box[1] - by), min(size[0], box[2] + by), min(size[1], box[3] + by)


def _source_window(bend: Warp, box: Window, size: tuple[int, int]) -> Window:
    """The pixels of the source that a window of the result is sampled from."""
    across, down = np.meshgrid(np.linspace(box[0], box[2] - 1, 17), np.linspace(box[1], box[3] - 1, 17))
    places = [bend.back(across, down, channel) for channel in range(3 if bend.by_channel else 1)]
    xs, ys = (np.stack([place[axis] for place in places]) for axis in (0, 1))
    found = int(np.floor(xs.min())), int(np.floor(ys.min())), int(np.ceil(xs.max())) + 1, int(np.ceil(ys.max())) + 1
    x0, y0, x1, y1 = _grown(found, REACH, size)
    return min(x0, size[0] - 1), min(y0, size[1] - 1), max(x1, 1), max(y1, 1)


def _inside(box: Window, outer: Window) -> bool:
    return box[0] >= outer[0] and box[1] >= outer[1] and box[2] <= outer[2] and box[3] <= outer[3]


def _within(box: Window, outer: Window) -> Window:
    return box[0] - outer[0], box[1] - outer[1], box[2] - outer[0], box[3] - outer[1]


def _size(box: Window) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]
