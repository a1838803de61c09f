"""Capture facts: what the camera wrote about a picture, read from its header alone, for files of any maker.

Sources: EXIF 2.32, DNG 1.7, CIPA DC-008; Canon and Nikon keep serial number and lens of older bodies in maker notes.
"""

import math
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from safelight import limits
from safelight.domain import Capture
from safelight.media import boxes, ifd, jxl, psd, segments, webp
from safelight.media.formats import (
    HEAD,
    KNOWN_ELSEWHERE,
    first_bytes,
    not_media,
    sniff,
    truncated,
    unreadable,
    unsupported,
)

MAKE, MODEL, SOFTWARE, MAKER_NOTE = 271, 272, 305, 37500
_PNG_SIGNATURE = 8
_PNG_XMP = b"XML:com.adobe.xmp" + bytes(5)  # keyword, not compressed, no language, no translation
_XMP = 700
_SAY_SIZE = frozenset({"jpeg", "png", "webp", "heic", "avif", "jxl", "psd"})  # formats whose header holds the size
_GAIN_MAP = "The gain map for bright screens is not looked at, only the base picture."
_UPRIGHT_SWAPS = frozenset({5, 6, 7, 8})  # orientations that exchange width and height
_NOISE_WORDS = re.compile(
    r"\b(corporation|corp\.?|co\.?,? ?ltd\.?|camera|imaging|optical|company|inc\.?|electronics|electric|digital)\b.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Format, size of the upright picture (None where the header does not say) and capture facts; `note` says what of
    the file is not looked at."""

    format: str
    width: int | None
    height: int | None
    capture: Capture
    note: str | None = None


def header(path: Path) -> Header:
    """What the first bytes of a picture say; decodes nothing. Odd or damaged fields are left out.

    Raises Unreadable, Truncated (no bytes, or no frame header), NotMedia, TooLarge, and Unsupported for formats known
    by name.
    """
    head = first_bytes(path)
    format_ = sniff(head, path.suffix)
    if format_ is None:
        raise not_media(path, head)
    if format_ in KNOWN_ELSEWHERE:
        raise unsupported(path, format_)
    with _source(path, head) as fetch:
        found = _contents(format_, fetch)
        directories, size = found.directories, found.size
        if format_ in _SAY_SIZE and size is None:
            raise truncated(path, have=path.stat().st_size)
        capture = _capture(directories)
        width, height = size or _largest(directories) or (None, None)
    if found.upright:
        capture = replace(capture, orientation=1)
    elif capture.orientation in _UPRIGHT_SWAPS:
        width, height = height, width
    limits.check_size(path.name, width, height)
    return Header(format=format_, width=width, height=height, capture=capture, note=found.note)


def facts(path: Path, head: bytes | None = None) -> Capture:
    """The capture facts alone; empty where the file has none. Raises Unreadable only; `head` saves a read."""
    head = first_bytes(path) if head is None else head
    format_ = sniff(head, path.suffix)
    if format_ is None or format_ in KNOWN_ELSEWHERE:
        return Capture()
    with _source(path, head) as fetch:
        found = _contents(format_, fetch)
        capture = _capture(found.directories)
        return replace(capture, orientation=1) if found.upright else capture


@contextmanager
def container(path: Path) -> Iterator[tuple[str, ifd.Fetch, list[ifd.Directory]]]:
    """A file's format, a reader and its TIFF directories, for as long as the file is open. Raises as `header`."""
    head = first_bytes(path)
    format_ = sniff(head, path.suffix)
    if format_ is None:
        raise not_media(path, head)
    with _source(path, head) as fetch:
        yield format_, fetch, _contents(format_, fetch).directories


def packet(path: Path) -> bytes | None:
    """The XMP packet inside a file, whatever its format; None where there is none. Raises as `header`."""
    head = first_bytes(path)
    format_ = sniff(head, path.suffix)
    if format_ is None:
        raise not_media(path, head)
    with _source(path, head) as fetch:
        return _contents(format_, fetch).xmp


@contextmanager
def _source(path: Path, head: bytes) -> Iterator[ifd.Fetch]:
    """Reads from `head` where it reaches, from the file beyond."""
    try:
        with path.open("rb") as file:
            end = os.fstat(file.fileno()).st_size

            def fetch(offset: int, size: int) -> bytes:
                if offset + size <= len(head):
                    return head[offset : offset + size]
                if offset >= end:
                    return b""
                file.seek(offset)
                return file.read(min(size, end - offset))

            yield fetch
    except OSError as error:
        raise unreadable(path, error) from error


# ---------------------------------------------------------------- containers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """What a container says: TIFF directories with the facts, the stored picture's (width, height) where it says it,
    its XMP packet, whether it turns the picture itself, and what of it is not looked at."""

    directories: list[ifd.Directory] = field(default_factory=list)
    size: tuple[int, int] | None = None
    xmp: bytes | None = None
    upright: bool = False
    note: str | None = None


def _contents(format_: str, fetch: ifd.Fetch) -> _Contents:
    return _READERS.get(format_, _tiff)(fetch)


def _tiff(fetch: ifd.Fetch) -> _Contents:
    directories = ifd.directories(fetch)
    return _Contents(directories=directories, xmp=next((x for d in directories if (x := d.raw(_XMP))), None))


def _raf(fetch: ifd.Fetch) -> _Contents:
    place = fetch(84, 4)
    return replace(_jpeg(fetch, struct.unpack(">I", place)[0] if len(place) == 4 else 0), size=None)


def _webp(fetch: ifd.Fetch) -> _Contents:
    said = webp.facts(fetch)
    size = (said.width, said.height) if said.width else None
    return _Contents(directories=_tables(said.exif), size=size, xmp=said.xmp, note=_first_of(said.frames))


def _jxl(fetch: ifd.Fetch) -> _Contents:
    said = jxl.facts(fetch)
    if said is None:
        return _Contents()
    return _Contents(
        directories=_tables(said.exif), size=(said.width, said.height), xmp=said.xmp, upright=True,
        note=_first_of(1 + said.animated),
    )  # fmt: skip


def _psd(fetch: ifd.Fetch) -> _Contents:
    said = psd.facts(fetch)
    if said is None:
        return _Contents()
    note = "Layers are not looked at, only their composite."
    return _Contents(directories=_tables(said.exif), size=(said.width, said.height), xmp=said.xmp, note=note)


def _tables(exif: bytes | None) -> list[ifd.Directory]:
    return ifd.directories(ifd.from_bytes(exif)) if exif else []


def _first_of(frames: int) -> str | None:
    return "An animation: its first frame is looked at." if frames > 1 else None


def _heif(fetch: ifd.Fetch) -> _Contents:
    still = boxes.still(fetch)
    if still is None or not still.width:
        return _Contents()
    note = _GAIN_MAP if still.gain_map else _first_of(still.frames)
    return _Contents(
        directories=_tables(still.exif), size=(still.width, still.height), xmp=still.xmp, upright=True, note=note
    )


def _jpeg(fetch: ifd.Fetch, at: int = 0) -> _Contents:
    found = segments.facts(fetch(at, HEAD))
    if not found.width:  # a large profile or thumbnail may stand before the frame header
        found = segments.facts(fetch(at, 64 * HEAD))
    size = (found.width, found.height) if found.width else None
    note = _GAIN_MAP if found.xmp is not None and b"hdrgm:" in found.xmp else None
    return _Contents(directories=_tables(found.exif), size=size, xmp=found.xmp, note=note)


def _png(fetch: ifd.Fetch) -> _Contents:
    size: tuple[int, int] | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    at = _PNG_SIGNATURE
    while len(head := fetch(at, 8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IHDR" and len(data := fetch(at + 8, 8)) == 8:
            size = struct.unpack(">II", data)
        elif name == b"eXIf":
            exif = fetch(at + 8, length)
        elif name == b"iTXt" and fetch(at + 8, len(_PNG_XMP)) == _PNG_XMP:
            xmp = fetch(at + 8, length)[len(_PNG_XMP) :]
        elif name in (b"IDAT", b"IEND"):
            break
        at += length + 12
    return _Contents(directories=_tables(exif), size=size, xmp=xmp)


def _cr3(fetch: ifd.Fetch) -> _Contents:
    """Canon's CR3 keeps four TIFF structures in boxes CMT1..CMT4: IFD0, EXIF, maker notes, GPS."""
    found = []
    head = fetch(0, 4 * HEAD)
    for box, path in ((b"CMT1", "0"), (b"CMT2", "0/exif"), (b"CMT4", "0/gps")):
        at = head.find(box)
        if at < 4:
            continue
        size = max(struct.unpack_from(">I", head, at - 4)[0] - 8, 0)
        found += [replace(d, path=path) for d in ifd.directories(ifd.from_bytes(head[at + 4 : at + 4 + size]))[:1]]
    return _Contents(directories=found)


_READERS: dict[str, Callable[[ifd.Fetch], _Contents]] = {
    "jpeg": _jpeg, "png": _png, "webp": _webp, "heic": _heif, "avif": _heif, "jxl": _jxl, "psd": _psd, "raf": _raf,
    "cr3": _cr3,
}  # fmt: skip


def _largest(directories: list[ifd.Directory]) -> tuple[int, int] | None:
    """The size of the main picture: the DNG default crop, else the largest directory's."""
    sizes = []
    for directory in directories:
        crop = directory.numbers(50720)
        width, height = directory.number(256), directory.number(257)
        if width and height:
            area = (int(crop[0]), int(crop[1])) if len(crop) == 2 and all(crop) else (int(width), int(height))
            sizes.append((area[0] * area[1], area))
        elif _is_panasonic(directory):
            top, left, bottom, right = (int(directory.number(tag) or 0) for tag in (4, 5, 6, 7))
            sizes.append(((right - left) * (bottom - top), (right - left, bottom - top)))
    return max(sizes)[1] if sizes else None


def _is_panasonic(directory: ifd.Directory) -> bool:
    """Whether this is the first directory of an RW2, where Panasonic keeps facts under tags of its own."""
    return directory.path == "0" and {1, 0x118} <= directory.entries.keys()


# ---------------------------------------------------------------- fields


def _capture(directories: list[ifd.Directory]) -> Capture:
    by_path = {directory.path: directory for directory in directories}
    main = by_path.get("0")
    if main is None:
        return Capture()
    detail = by_path.get("0/exif", main)
    make = main.text(MAKE)
    notes = _maker_notes(detail, make or "")
    orientation = int(main.number(ifd.ORIENTATION) or 1)
    mode, flash = detail.number(41986), detail.number(37385)
    iso = detail.number(34855) or detail.number(34866) or (main.number(23) if _is_panasonic(main) else None)
    bias = detail.number(37380)
    return Capture(
        at=_time(main, detail),
        camera=camera_name(make, main.text(MODEL)),
        serial=detail.text(42033) or main.text(50735) or notes.get("serial"),
        lens=detail.text(42036) or notes.get("lens"),
        iso=int(iso) if iso else None,
        seconds=_positive(detail.number(33434)),
        f_number=_positive(detail.number(33437)),
        focal_mm=_positive(detail.number(37386)),
        bias_ev=round(bias, 3) if bias is not None and abs(bias) < 20 else None,
        bracketed=None if mode is None else mode == 2,
        distance_m=_distance(detail.number(37382)),
        flash=None if flash is None else bool(int(flash) & 1),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        software=main.text(SOFTWARE),
    )


def camera_name(make: str | None, model: str | None) -> str | None:
    """Make and model as people say them: "Canon" and "Canon EOS R5" give "Canon EOS R5"."""
    if not model:
        return make
    maker = _NOISE_WORDS.sub("", make or "").strip(" ,.")
    if not maker or model.lower().startswith(maker.lower()):
        return model
    return f"{maker.title() if maker.isupper() and len(maker) > 3 else maker} {model}"


def _time(main: ifd.Directory, detail: ifd.Directory) -> str | None:
    """ISO 8601 with milliseconds: DateTimeOriginal with its SubSec and Offset, else digitised, else modified."""
    for directory, stamp, fraction, offset in (
        (detail, 36867, 37521, 36881), (detail, 36868, 37522, 36882), (main, 306, 37520, 36880),
    ):  # fmt: skip
        text = directory.text(stamp)
        found = re.match(r"(\d{4})[:\-/](\d\d)[:\-/](\d\d)[ T](\d\d):(\d\d):(\d\d)", text or "")
        if found is None or not 1 <= int(found[2]) <= 12 or not 1 <= int(found[3]) <= 31:
            continue
        digits = "".join(re.findall(r"\d", detail.text(fraction) or ""))
        zone = detail.text(offset) or ""
        zone = zone if re.fullmatch(r"[+-]\d\d:\d\d", zone) else ""
        y, m, d, hours, minutes, seconds = found.groups()
        return f"{y}-{m}-{d}T{hours}:{minutes}:{seconds}.{(digits + '000')[:3]}{zone}"
    return None


def _positive(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value > 0 else None


def _distance(value: float | None) -> float | None:
    """Metres; the standard's codes for unknown (0) and infinity (all ones) are left out."""
    return value if value is not None and 0 < value < 1e6 else None


def _maker_notes(detail: ifd.Directory, make: str) -> dict[str, str]:
    """Serial number and lens of Canon and Nikon bodies that say them nowhere else."""
    entry = detail.entries.get(MAKER_NOTE)
    if entry is None or entry.count < 16:
        return {}
    if make.startswith("Canon"):
        return _canon(detail, entry)
    if make.upper().startswith("NIKON"):
        data = detail.raw(MAKER_NOTE) or b""
        if data.startswith(b"Nikon\0\x02"):
            found = ifd.directories(ifd.from_bytes(data[10:]))
            serial = found[0].text(0x001D) if found else None
            return {"serial": serial} if serial else {}
    return {}


def _canon(detail: ifd.Directory, entry: ifd.Entry) -> dict[str, str]:
    note = bare_directory(detail, entry.offset)
    if note is None:
        return {}
    number, lens = note.number(0x000C), note.text(0x0095)
    return ({"serial": str(int(number))} if number else {}) | ({"lens": lens} if lens else {})


def bare_directory(detail: ifd.Directory, at: int) -> ifd.Directory | None:
    """A directory at a place in the TIFF structure from whose start its offsets count, as Canon and Sony write them."""
    start = detail.fetch(0, 4)
    if start[:2] not in (b"II", b"MM"):
        return None
    moved = start + struct.pack(detail.order + "I", at)

    def fetch(offset: int, size: int) -> bytes:
        data = detail.fetch(offset, size)
        return moved + data[8:] if offset == 0 else data

    return next(iter(ifd.directories(fetch)), None)
