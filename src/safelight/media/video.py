"""Frames of a clip in order, upright, small, with exact times."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.errors import NotMedia
from safelight.media import container, hdr
from safelight.media.container import Contents, PictureStream
from safelight.media.frame import Bytes
from safelight.media.picture import halved

PROXY_SIDE = 640  # px, long side; what probes look at
PLANAR = ("yuv420p", "yuvj420p")  # formats whose planes are what `planes` gives
PLANES_SIDE = 768  # px, long side to which others are shrunk
WRAP = 1 << 33  # ticks at which the clock of an MPEG stream runs over


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One frame: its number in order of presentation, when it is shown (seconds from the first), sRGB bytes H×W×3.
    `damaged`: the decoder could not make all of it. `luma`, where asked for: the code values of its luma as they are
    stored, 8 bits of them, in the size and turn of the file; `half`: means of 2 x 2 of these where they were made on
    the way; `planes`, where asked for: the frame as it was coded, good until the next one, and `pack`, which makes the
    frame in another size (long side, px) for as long as it is held."""

    index: int
    at: Fraction
    rgb: Bytes
    damaged: bool = False
    luma: Bytes | None = None
    half: Bytes | None = None
    planes: tuple[Bytes, Bytes, Bytes] | None = None
    pack: Callable[[int], "Packed"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A frame to be put away: `pixels`, H×W×3 in sRGB or one grey picture that holds all its planes, of which `opened`
    makes the upright frame in sRGB; that holds on to nothing."""

    pixels: Bytes
    opened: Callable[[Bytes], Bytes]


@dataclass(slots=True)
class Trouble:
    """What was met while frames were read; filled as reading goes on."""

    sizes: set[tuple[int, int]]
    skipped: int = 0
    ended_early: str | None = None

    def notes(self) -> list[str]:
        """In words."""
        found = []
        if len(self.sizes) > 1:
            listed = ", ".join(f"{w} x {h}" for w, h in sorted(self.sizes))
            found.append(f"The picture changes its size ({listed}); all frames are shown at that of the first.")
        if self.skipped:
            found.append(f"{self.skipped} stretches could not be decoded.")
        if self.ended_early:
            found.append(f"Reading stopped before the end: {self.ended_early}.")
        return found


@dataclass(frozen=True, slots=True)
class Planes:
    """One frame as it was coded: `luma` H×W, `cb` and `cr` of half its sides, uint8; good until the next one."""

    index: int
    at: Fraction
    luma: Bytes
    cb: Bytes
    cr: Bytes


def frames(
    path: Path, *, long_side: int | None = PROXY_SIDE, facts: Contents | None = None, stream: int | None = None,
    start: Fraction = Fraction(0), end: Fraction | None = None, trouble: Trouble | None = None, luma: bool = False,
    planes: bool = False,
) -> Iterator[Still]:  # fmt: skip
    """All frames of [start, end) one after another, decoded once, in square pixels.

    HDR is tone-mapped for looking (`hdr`); the clip is not changed. What lies before `start` is decoded too, so that
    frames keep their numbers. Raises MediaError where no frame can be read; damage on the way is told in `trouble`.
    """
    facts = facts or container.contents(path)
    picture = _chosen(path, facts, stream)
    trouble = trouble if trouble is not None else Trouble(sizes=set())
    size = _size(picture, long_side)
    for index, (at, frame) in enumerate(decoded(path, picture, trouble)):
        if end is not None and at >= end:
            return
        if at >= start:
            coded = _planes(frame) if planes else None
            quick = coded is not None and frame.format.name in PLANAR and not picture.hdr
            rgb, half = _from_planes(coded, picture, size) if quick and coded else (_rgb(frame, picture, size), None)
            yield Still(
                index=index, at=at, rgb=rgb, damaged=frame.is_corrupt, half=half if luma else None,
                luma=None if not luma else coded[0] if quick and coded else _luma(frame), planes=coded,
                pack=partial(_packed, frame, picture) if planes else None,
            )  # fmt: skip


def planes(
    path: Path, *, facts: Contents | None = None, stream: int | None = None, trouble: Trouble | None = None
) -> Iterator[Planes]:
    """All frames one after another as they were coded, not turned, not tone-mapped: for measures that need no more.

    Frames of 8 bits with halved chroma cost nothing beyond decoding; all others are shrunk to that first. Raises as
    `frames` does."""
    facts = facts or container.contents(path)
    picture = _chosen(path, facts, stream)
    trouble = trouble if trouble is not None else Trouble(sizes=set())
    for index, (at, frame) in enumerate(decoded(path, picture, trouble)):
        yield Planes(index, at, *_planes(frame))


def decoded(
    path: Path, picture: PictureStream, trouble: Trouble, *, threads: int = 1
) -> Iterator[tuple[Fraction, Any]]:  # fmt: skip
    """Frames as FFmpeg's decoder gives them, each with its time from the first. Raises MediaError."""
    with container.opened(path) as source:
        shown = source.streams[picture.index]
        shown.codec_context.thread_count = threads
        for at, frame in _timed(container.decoded(source, shown, trouble), picture):
            trouble.sizes.add((frame.width, frame.height))
            yield at, frame


def _planes(frame: Any) -> tuple[Bytes, Bytes, Bytes]:
    if frame.format.name not in PLANAR:
        scale = min(1.0, PLANES_SIDE / max(frame.width, frame.height))
        width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
        frame = frame.reformat(width=width, height=height, format="yuv420p", interpolation="AREA")
    halves = (frame.width + 1) // 2, (frame.height + 1) // 2
    sizes = ((frame.width, frame.height), halves, halves)
    luma, cb, cr = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]
        for plane, (width, height) in zip(frame.planes, sizes, strict=True)
    )
    return luma, cb, cr


def _timed(decoded: Iterator[Any], picture: PictureStream) -> Iterator[tuple[Fraction, Any]]:
    """Frames with their times from the first; a clock that runs over goes on, frames without a time follow the last."""
    last, offset, at = None, 0, Fraction(0)
    step = 1 / picture.rate if picture.rate else Fraction(1, 25)
    for frame in decoded:
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is None:
            at += step if last is not None else 0
        else:
            if last is not None and pts + offset < last - WRAP // 2:
                offset += WRAP
            last = pts + offset
            at = (last - picture.first_pts) * picture.time_base
        last = last if last is not None else picture.first_pts
        yield at, frame


def _chosen(path: Path, facts: Contents, stream: int | None) -> PictureStream:
    found = [p for p in facts.pictures if stream in (None, p.index)]
    if not found:
        raise NotMedia(f"{path.name} has no picture.", remedy="It is a sound; use it as one.")
    return found[0]


def _size(picture: PictureStream, long_side: int | None) -> tuple[int, int]:
    """Width and height of the upright picture in square pixels, shrunk to `long_side`, never enlarged."""
    width, height = picture.width * picture.aspect, Fraction(picture.height)
    scale = min(Fraction(1), Fraction(long_side) / max(width, height)) if long_side else Fraction(1)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _luma(frame: Any) -> Bytes | None:
    """The luma plane as bytes; None for pixels that have none. Of deeper ones the upper 8 bits."""
    kind = frame.format
    if kind.is_rgb or kind.has_palette or not (kind.is_planar or kind.name in ("nv12", "gray")):
        return None
    plane, bits = frame.planes[0], kind.components[0].bits
    if bits == 8:
        return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width].copy()
    if kind.is_big_endian or bits > 16:
        return None
    deep = np.frombuffer(plane, np.uint16).reshape(-1, plane.line_size // 2)[: frame.height, : frame.width]
    return np.asarray(deep >> (bits - 8), np.uint8)


def _packed(frame: Any, picture: PictureStream, long_side: int) -> Packed:
    """Colour is made only of frames that are opened: most never are."""
    size = _size(picture, long_side)
    if frame.format.name not in PLANAR or picture.hdr:
        return Packed(pixels=_rgb(frame, picture, size), opened=_as_it_is)
    width, height = _as_coded(picture, size)
    luma, cb, cr = _planes(frame.reformat(width=width, height=height, format=frame.format.name, interpolation="AREA"))
    tall, wide = cb.shape
    pixels = np.zeros((height + tall, 2 * wide), np.uint8)
    pixels[:height, :width], pixels[height:, :wide], pixels[height:, wide:] = luma, cb, cr
    return Packed(pixels=pixels, opened=partial(_opened, picture=picture, size=size))


def _as_it_is(pixels: Bytes) -> Bytes:
    return pixels


def _opened(pixels: Bytes, *, picture: PictureStream, size: tuple[int, int]) -> Bytes:
    width, height = _as_coded(picture, size)
    wide = pixels.shape[1] // 2
    planes = pixels[:height, :width], pixels[height:, :wide], pixels[height:, wide:]
    return _upright([cv2.resize(p, (width, height), interpolation=cv2.INTER_LINEAR) for p in planes], picture)


def _as_coded(picture: PictureStream, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a frame before it is turned upright."""
    return (size[1], size[0]) if picture.rotation % 180 else size


def _upright(planes: Sequence[Any], picture: PictureStream) -> Bytes:
    """Colour from planes of one size."""
    rgb = np.asarray(cv2.transform(cv2.merge(planes), _to_rgb(picture)), np.uint8)
    return np.ascontiguousarray(np.rot90(rgb, picture.rotation // 90)) if picture.rotation else rgb


def _from_planes(
    coded: tuple[Bytes, Bytes, Bytes], picture: PictureStream, size: tuple[int, int]
) -> tuple[Bytes, Bytes | None]:
    """A small picture from the planes of a frame: those are shrunk before colour is made of them, which is faster. And
    its luma halved once, if that was on the way."""
    width, height = _as_coded(picture, size)
    luma, half = coded[0], None
    if _twice(luma, width, height):
        luma = half = halved(luma)
    small = [
        cv2.resize(_halved(p, width, height), (width, height), interpolation=cv2.INTER_LINEAR)
        for p in (luma, *coded[1:])
    ]
    return _upright(small, picture), half


def _twice(plane: Bytes, width: int, height: int) -> bool:
    return bool(plane.shape[1] >= 2 * width and plane.shape[0] >= 2 * height)


def _halved(plane: Bytes, width: int, height: int) -> Bytes:
    """A plane halved until it is less than twice as large."""
    while _twice(plane, width, height):
        plane = halved(plane)
    return plane


@cache
def _to_rgb(picture: PictureStream) -> NDArray[np.float32]:
    """3×4: R'G'B' from Y'CbCr code values of 8 bits, ITU-R BT.601, 709 or 2020."""
    red, blue = {"bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}.get(matrix(picture), (0.299, 0.114))
    green = 1 - red - blue
    full = picture.levels == "full" or picture.pixels.startswith("yuvj")
    luma, chroma, foot = (1.0, 1.0, 0.0) if full else (255 / 219, 255 / 224, 16.0)
    made = np.array([
        [luma, 0, chroma * 2 * (1 - red)],
        [luma, -chroma * 2 * (1 - blue) * blue / green, -chroma * 2 * (1 - red) * red / green],
        [luma, chroma * 2 * (1 - blue), 0],
    ])  # fmt: skip
    return np.column_stack((made, -made @ (foot, 128.0, 128.0))).astype(np.float32)


def matrix(picture: PictureStream) -> str:
    """Of luma and chroma, as the stream says or as streams of its size are."""
    return picture.matrix or ("bt709" if picture.height * picture.width > 1024 * 600 else "bt601")


def _rgb(frame: Any, picture: PictureStream, size: tuple[int, int]) -> Bytes:
    width, height = _as_coded(picture, size)
    if picture.hdr:
        raw = frame.reformat(width=width, height=height, format="rgb48le", interpolation="AREA").to_ndarray()
        rgb: Bytes = hdr.for_looking(raw, picture.hdr)
    else:
        space = {"bt709": "ITU709", "bt2020": "bt2020"}.get(matrix(picture), "ITU601")
        rgb = frame.reformat(
            width=width, height=height, format="rgb24", interpolation="AREA", src_colorspace=space
        ).to_ndarray()
    return np.ascontiguousarray(np.rot90(rgb, picture.rotation // 90)) if picture.rotation else rgb
