"""Raw files: the camera's own picture inside them, and their development into scene-linear light by LibRaw.

Before anything is decoded, the file's own tables say how long it must be: a preview is whole long before its sensor
data are, and LibRaw develops emptied data to black.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import rawpy

from safelight import limits
from safelight.errors import Truncated, Unreadable, Unsupported
from safelight.media import ifd, profiles, segments
from safelight.media.capture import container
from safelight.media.colour import Words
from safelight.media.formats import HEAD, RAW_FORMATS, first_bytes, sniff, truncated, unsupported
from safelight.media.frame import Bytes, Frame, LinearWords
from safelight.media.image import decode_jpeg, profile_of, upright

BASELINE_EXPOSURE = 50730  # DNG: stops to add, as the camera maker sees mid grey
PREVIEW_SPACE, _ADOBE = 50970, 3  # DNG: PreviewColorSpace
_JPEG_COMPRESSIONS = (6, 7)
_CFA, _LINEAR_RAW = 32803, 34892
_KIND, _FLOAT, _PREDICTOR, _DEFLATE = 339, 3, 317, 8  # SampleFormat and Predictor, with the values that matter


def is_raw(path: Path) -> bool:
    """Whether the file's bytes are a camera raw. Raises Unreadable and, for an empty file, Truncated."""
    return sniff(first_bytes(path), path.suffix) in RAW_FORMATS


def preview(path: Path) -> Bytes | None:
    """The largest JPEG inside a raw, upright, sRGB bytes; None where there is none. Reads little more than it.

    Raises Unreadable, and Truncated where the file ends before its sensor data do.
    """
    with container(path) as (format_, fetch, directories):
        _whole(path, format_, fetch, directories)
        found, turn = _largest_jpeg(format_, fetch, directories), ifd.orientation(directories)
        adobe = any(directory.number(PREVIEW_SPACE) == _ADOBE for directory in directories)
    data = found or _thumbnail(path)
    if data is None:
        return None
    facts = segments.facts(data)
    limits.check_size(f"The preview of {path.name}", facts.width, facts.height)
    rgb = decode_jpeg(data, path)
    icc = profile_of(facts.icc or (profiles.adobe_rgb() if adobe else None), directories)
    return upright(rgb if icc is None else profiles.to_srgb8(rgb, icc), turn)


def develop(path: Path, *, half: bool = False) -> Frame:
    """A raw as a Frame, see `linear_words`."""
    return linear_words(path, half=half).frame()


def linear_words(path: Path, *, half: bool = False) -> LinearWords:
    """A raw as upright scene-linear Rec.2020: the camera's white balance, no automatic brightness, no tone curve.

    1.0 is display white: sensor saturation times the file's BaselineExposure, so highlights reach above 1 where the
    camera kept headroom. Saturated channels are clipped at the least sensitive one's saturation, which keeps burnt
    parts neutral. `half` makes one pixel of each 2x2 of the mosaic. Raises Unreadable, Truncated and Unsupported.
    """
    with container(path) as (format_, fetch, directories):
        _whole(path, format_, fetch, directories)
        _understood(path, directories)
        gain, crop = 2.0 ** baseline_exposure(directories), _default_crop(directories)
        turn = ifd.orientation(directories) if directories else None
    try:
        with rawpy.imread(str(path)) as raw:
            words: Any = raw.postprocess(
                half_size=half,
                use_camera_wb=True,
                no_auto_bright=True,
                adjust_maximum_thr=0.0,
                output_bps=16,
                gamma=(1, 1),
                output_color=rawpy.ColorSpace.Rec2020,
                highlight_mode=rawpy.HighlightMode.Clip,
                user_flip=None if turn is None else 0,
            )
    except rawpy.LibRawError as error:
        raise _refused(path, error) from error
    words = _cropped(words, crop, half=half) if crop else words
    return LinearWords(words=np.ascontiguousarray(upright(words, turn or 1)), top=gain)


def _understood(path: Path, directories: list[ifd.Directory]) -> None:
    """Raises Unsupported for floating point that LibRaw would develop to noise: packed without a predictor."""
    for directory in directories:
        packed = directory.number(_KIND) == _FLOAT and directory.number(259) == _DEFLATE
        if packed and (directory.number(_PREDICTOR) or 1) == 1:
            raise Unsupported(
                f"{path.name} holds packed floating point without a predictor, which is not read here.",
                remedy="Convert it with a DNG converter, or export it as TIFF.",
            )


def baseline_exposure(directories: list[ifd.Directory]) -> float:
    """DNG's BaselineExposure in stops; 0 for other raws."""
    return next((v for d in directories if (v := d.number(BASELINE_EXPOSURE)) is not None), 0.0)


def _default_crop(directories: list[ifd.Directory]) -> tuple[int, int, int, int] | None:
    """DNG's DefaultCrop as (left, top, width, height) of the active area, as it lies on the sensor."""
    for directory in directories:
        origin, size = directory.integers(50719), directory.integers(50720)
        if len(origin) == 2 and len(size) == 2 and directory.number(262) in (_CFA, _LINEAR_RAW):
            return (*origin, *size)
    return None


def _cropped(pixels: Words, crop: tuple[int, int, int, int], *, half: bool) -> Words:
    """The crop of a developed picture; all of it where the crop does not fit."""
    left, top, width, height = (value // 2 for value in crop) if half else crop
    if top + height > pixels.shape[0] or left + width > pixels.shape[1] or min(width, height) < 1:
        return pixels
    return pixels[top : top + height, left : left + width]


# ---------------------------------------------------------------- the file's own tables


def _whole(path: Path, format_: str, fetch: ifd.Fetch, directories: list[ifd.Directory]) -> None:
    """Raises Truncated if the file is shorter than its tables say."""
    have = path.stat().st_size
    need = _needed(format_, fetch, directories, have)
    if need > have:
        raise truncated(path, have=have, need=need)


def _needed(format_: str, fetch: ifd.Fetch, directories: list[ifd.Directory], have: int) -> int:
    if format_ == "cr3":
        return _boxes_end(fetch, have)
    if format_ == "raf":
        head = fetch(84, 24)
        jpeg_at, jpeg_size, _, _, data_at, data_size = struct.unpack(">6I", head) if len(head) == 24 else (0,) * 6
        return int(max(jpeg_at + jpeg_size, data_at + data_size))
    return max((_end(directory) for directory in directories), default=0)


def _end(directory: ifd.Directory) -> int:
    """Where the last byte must lie that a directory's picture needs."""
    blocks = directory.blocks()
    end = max((at + size for at, size in blocks + _old_jpeg(directory)), default=0)
    short = _least_bytes(directory) - sum(size for _, size in blocks)
    return end + max(short, 0) if blocks else end


def _least_bytes(directory: ifd.Directory) -> int:
    """The fewest bytes that sensor data of this size can take: as they are, or one bit a sample in lossless JPEG."""
    width, height, bits = (int(directory.number(tag) or 0) for tag in (256, 257, 258))
    if directory.number(262) != _CFA:
        return 0
    return width * height * {1: bits, 7: 1}.get(int(directory.number(259) or 0), 0) // 8


def _boxes_end(fetch: ifd.Fetch, have: int) -> int:
    at: int = 0
    while at < have and len(head := fetch(at, 16)) >= 8:
        size = struct.unpack_from(">I", head)[0]
        if size == 1 and len(head) == 16:
            size = struct.unpack_from(">Q", head, 8)[0]
        if size < 8:
            break
        at += int(size)
    return at


def _old_jpeg(directory: ifd.Directory) -> list[tuple[int, int]]:
    offset, size = directory.integers(ifd.JPEG_OFFSET), directory.integers(ifd.JPEG_LENGTH)
    return [(offset[0], size[0])] if offset and size else []


def _largest_jpeg(format_: str, fetch: ifd.Fetch, directories: list[ifd.Directory]) -> bytes | None:
    """The bytes of the largest viewable JPEG that the tables name."""
    places = []
    for directory in directories:
        blocks = directory.blocks()
        if len(blocks) == 1 and directory.number(259) in _JPEG_COMPRESSIONS:
            places += blocks
        places += _old_jpeg(directory)
    if format_ == "raf" and len(head := fetch(84, 8)) == 8:
        places.append(struct.unpack(">II", head))
    best: tuple[int, int, int] | None = None
    for offset, size in places:
        if fetch(offset, 2) != b"\xff\xd8":
            continue
        facts = segments.facts(fetch(offset, min(size, HEAD)))
        if facts.precision == 8 and facts.frame not in (0, 0xC3) and facts.components == 3:
            best = max(best or (0, 0, 0), (facts.width * facts.height, offset, size))
    return fetch(best[1], best[2]) if best else None


def _thumbnail(path: Path) -> bytes | None:
    """The preview that LibRaw finds, for raws that keep it in places of their own."""
    try:
        with rawpy.imread(str(path)) as raw:
            thumb: Any = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    except rawpy.LibRawError as error:
        raise _refused(path, error) from error
    return bytes(thumb.data) if thumb.format == rawpy.ThumbFormat.JPEG else None


def _refused(path: Path, error: Exception) -> Exception:
    """LibRaw's refusal in our words."""
    text = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    if isinstance(error, rawpy.LibRawFileUnsupportedError):
        return unsupported(path, path.suffix[1:] or "raw")
    if isinstance(error, rawpy.LibRawIOError | rawpy.LibRawDataError):  # it ran off the end, or lost its way
        return Truncated(f"{path.name} has broken sensor data ({text}).", remedy="Copy it from the card again.")
    return Unreadable(f"{path.name} cannot be developed: {text}.", remedy="Convert it to DNG and run again.")
