"""The segments of a JPEG stream (ITU-T T.81 annex B): enough to find its end, its profile and its EXIF block."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

SOI, EOI, SOS, APP0, APP1, APP2, APP14, APP15, COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..15 without DHT, JPG, DAC
EXIF_HEAD, ICC_HEAD, XMP_HEAD = b"Exif\0\0", b"ICC_PROFILE\0", b"http://ns.adobe.com/xap/1.0/\0"
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A marker with its payload: bytes [start, end) of the stream, marker and length included.

    The segment of SOS runs to the end of its entropy-coded data.
    """

    marker: int
    start: int
    payload: int
    end: int


def walk(data: bytes) -> Iterator[Segment]:
    """The segments from SOI to EOI. A stream that is cut off or broken simply ends before EOI."""
    if data[:2] != b"\xff\xd8":
        return
    yield Segment(marker=SOI, start=0, payload=2, end=2)
    at, size = 2, len(data)
    while at + 2 <= size:
        found = _NEXT_MARKER.search(data, at)
        if found is None:
            return
        start, marker = found.start(), data[found.start() + 1]
        if marker == EOI:
            yield Segment(marker=EOI, start=start, payload=start + 2, end=start + 2)
            return
        if start + 4 > size:
            return
        end = start + 2 + struct.unpack_from(">H", data, start + 2)[0]
        if end > size:
            return
        if marker == SOS:
            after = _NEXT_MARKER.search(data, end)
            end = size if after is None else after.start()
        yield Segment(marker=marker, start=start, payload=start + 4, end=end)
        at = end


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the segments before the first scan say. `components` is 0 where no frame header was found."""

    width: int = 0
    height: int = 0
    components: int = 0
    precision: int = 8
    frame: int = 0  # the SOF marker
    exif: bytes | None = None  # a TIFF structure, without the "Exif" head
    exif_at: int = 0  # where it starts in the stream
    icc: bytes | None = None
    xmp: bytes | None = None


def facts(data: bytes) -> Facts:
    """Size, components, EXIF, ICC profile and XMP packet of a JPEG; reads no further than the first scan."""
    frame = (0, 0, 0, 8, 0)
    exif: bytes | None = None
    exif_at = 0
    xmp: bytes | None = None
    profile: dict[int, bytes] = {}
    for segment in walk(data):
        if segment.marker == SOS:
            break
        body = data[segment.payload : segment.end]
        if segment.marker in FRAMES and len(body) >= 6:
            precision, height, width, components = struct.unpack_from(">BHHB", body)
            frame = (width, height, components, precision, segment.marker)
        elif segment.marker == APP1 and body.startswith(EXIF_HEAD) and exif is None:
            exif, exif_at = body[6:], segment.payload + 6
        elif segment.marker == APP1 and body.startswith(XMP_HEAD) and xmp is None:
            xmp = body[len(XMP_HEAD) :]
        elif segment.marker == APP2 and body.startswith(ICC_HEAD) and len(body) > 14:
            profile[body[12]] = body[14:]
    width, height, components, precision, marker = frame
    return Facts(
        width=width, height=height, components=components, precision=precision, frame=marker,
        exif=exif, exif_at=exif_at, icc=b"".join(profile[i] for i in sorted(profile)) or None, xmp=xmp,
    )  # fmt: skip


def ends(data: bytes) -> bool:
    """Whether the stream reaches its own EOI; what follows that (MPF, gain map, motion photo) is no part of it."""
    last = None
    for last in walk(data):  # noqa: B007
        pass
    return last is not None and last.marker == EOI
