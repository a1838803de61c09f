"""The EXIF block of a delivered file: the source's own, true again after the pixels were turned, cut or scaled.

Orientation becomes 1, the colour space sRGB, the pixel dimensions are the delivered ones, and the embedded thumbnail
goes, for it shows the picture as it was before. A JPEG's block is patched in place, so that maker notes keep their
offsets; from raws, TIFF and PNG a new block is built without maker notes, whose offsets would no longer hold.
"""

import struct
from pathlib import Path

from safelight.media import ifd, segments
from safelight.media.capture import container

MAKER_NOTE, COLOUR_SPACE, WIDTH, HEIGHT = 37500, 0xA001, 0xA002, 0xA003
_SRGB = 1
LIMIT = 65_000  # bytes; a JPEG segment holds no more
DESCRIPTIVE = frozenset({270, 271, 272, 305, 306, 315, 33432})  # description, make, model, software, time, artist, ©


def exif_for_delivery(path: Path, *, width: int, height: int, gps: bool = True) -> bytes | None:
    """The EXIF block (a TIFF structure, no "Exif" head) for a delivery of `path` at this size; None if it has none.

    Without `gps` the place is left out, and maker notes too, for they may hold it. Raises Unreadable and NotMedia.
    """
    with container(path) as (format_, fetch, directories):
        if not directories:
            return None
        if format_ == "jpeg" and gps:
            block = segments.facts(fetch(0, 1 << 22)).exif
            return None if block is None else _patched(block, directories, width=width, height=height)
        return _built(directories, width=width, height=height, gps=gps)


def _patched(block: bytes, directories: list[ifd.Directory], *, width: int, height: int) -> bytes:
    data = bytearray(block)
    main = directories[0]
    changes = [(main, ifd.ORIENTATION, 1), (main, 256, width), (main, 257, height)]
    for detail in (d for d in directories if d.path == "0/exif"):
        changes += [(detail, WIDTH, width), (detail, HEIGHT, height), (detail, COLOUR_SPACE, _SRGB)]
    for directory, tag, value in changes:
        entry = directory.entries.get(tag)
        if entry is not None and entry.type in (ifd.SHORT, ifd.LONG) and entry.count == 1:
            code = directory.order + ("H" if entry.type == ifd.SHORT else "I")
            struct.pack_into(code, data, entry.offset, min(value, 65535) if entry.type == ifd.SHORT else value)
    for thumbnail in (d for d in directories if d.path == "1"):
        for at, size in zip(thumbnail.integers(ifd.JPEG_OFFSET), thumbnail.integers(ifd.JPEG_LENGTH), strict=False):
            end = min(at + size, len(data))
            data[at:end] = bytes(max(end - at, 0))
            if end == len(data):
                del data[at:]
    for interop in (d for d in directories if d.path.endswith("/interop")):
        entry = interop.entries.get(1)
        if entry is not None and entry.count == 4:
            data[entry.offset : entry.offset + 3] = b"R98"  # DCF's word for sRGB
    first = struct.unpack_from(main.order + "I", data, 4)[0]
    count = struct.unpack_from(main.order + "H", data, first)[0]
    struct.pack_into(main.order + "I", data, first + 2 + 12 * count, 0)
    return bytes(data)


def _built(directories: list[ifd.Directory], *, width: int, height: int, gps: bool) -> bytes:
    by_path = {directory.path: directory for directory in directories}
    main, order = directories[0], directories[0].order
    fields = [item for item in ifd.copied(main) if item.tag in DESCRIPTIVE]
    fields.append(ifd.field(ifd.ORIENTATION, ifd.SHORT, 1, order=order))
    detail = by_path.get("0/exif")
    exif = ifd.copied(detail, without=frozenset({MAKER_NOTE, COLOUR_SPACE, WIDTH, HEIGHT})) if detail else []
    exif += [
        ifd.field(COLOUR_SPACE, ifd.SHORT, _SRGB, order=order),
        ifd.field(WIDTH, ifd.LONG, width, order=order),
        ifd.field(HEIGHT, ifd.LONG, height, order=order),
    ]
    place = ifd.copied(by_path["0/gps"]) if gps and "0/gps" in by_path else []
    block = ifd.build(order, fields, below={ifd.EXIF_IFD: exif, ifd.GPS_IFD: place})
    if len(block) > LIMIT:
        exif = [item for item in exif if len(item.data) <= 256]
        block = ifd.build(order, fields, below={ifd.EXIF_IFD: exif, ifd.GPS_IFD: place})
    return block
