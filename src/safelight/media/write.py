"""Pictures to the bytes of files: sRGB bytes or words to JPEG or 16-bit TIFF.

Every writer gives the same bytes for the same input, on any day.
"""

import struct

import numpy as np
import simplejpeg

from safelight.errors import MediaError
from safelight.media import colour, ifd, profiles, segments
from safelight.media.colour import Words
from safelight.media.exif import DESCRIPTIVE, MAKER_NOTE
from safelight.media.frame import Bytes, Frame, Pixels

SRGB = profiles.srgb()
SEGMENT = 65_533  # bytes of payload that one JPEG segment holds
STRIP_BYTES = 1 << 20
_XMP_TAG, _ICC_TAG = 700, 34675


def to_srgb8(frame: Frame) -> Bytes:
    """A Frame as sRGB bytes, H x W x 3, over white where it is transparent; every byte of `frame_of` comes back."""
    return colour.srgb8(_on_white(frame))


def to_srgb16(frame: Frame) -> Words:
    """A Frame as sRGB words 0..65535, H x W x 3, over white where it is transparent."""
    return colour.srgb16(_on_white(frame))


def _on_white(frame: Frame) -> Pixels:
    if frame.alpha is None:
        return frame.pixels
    cover = frame.alpha[..., None]
    return frame.pixels * cover + (1 - cover)


# ---------------------------------------------------------------- formats


def encode_jpeg(rgb: Bytes, *, quality: int = 92, subsampling: str = "444") -> bytes:
    """A bare JPEG stream of sRGB bytes by libjpeg-turbo."""
    return bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(rgb), quality=quality, colorspace="RGB", colorsubsampling=subsampling
        )
    )


def jpeg(
    rgb: Bytes,
    *,
    quality: int = 92,
    subsampling: str = "444",
    exif: bytes | None = None,
    icc: bytes = SRGB,
    xmp: bytes | None = None,
) -> bytes:
    """A JPEG file of sRGB bytes with EXIF block (a TIFF structure), profile and XMP packet.

    Raises MediaError where EXIF or XMP is too long for its segment.
    """
    stream = encode_jpeg(rgb, quality=quality, subsampling=subsampling)
    head = next(segment.end for segment in segments.walk(stream) if segment.marker == segments.APP0)
    extra = b"" if exif is None else _segment(segments.APP1, segments.EXIF_HEAD + exif)
    extra += b"" if xmp is None else _segment(segments.APP1, segments.XMP_HEAD + xmp)
    room = SEGMENT - len(segments.ICC_HEAD) - 2
    pieces = [icc[at : at + room] for at in range(0, len(icc), room)]
    for number, piece in enumerate(pieces, 1):
        extra += _segment(segments.APP2, segments.ICC_HEAD + bytes((number, len(pieces))) + piece)
    return stream[:head] + extra + stream[head:]


def _segment(marker: int, payload: bytes) -> bytes:
    if len(payload) > SEGMENT:
        raise MediaError(
            f"Metadata of {len(payload)} bytes do not fit into a JPEG (at most {SEGMENT}).",
            remedy="Deliver them in a sidecar.",
        )
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def tiff16(rgb: Words, *, icc: bytes = SRGB, xmp: bytes | None = None, exif: bytes | None = None) -> bytes:
    """An uncompressed 16-bit TIFF 6.0 of words 0..65535, H x W x 3, with profile, XMP packet and EXIF directories.

    `exif` is a block as for a JPEG. Raises MediaError above 4 GB, where TIFF ends.
    """
    height, width = rgb.shape[:2]
    rows = max(1, STRIP_BYTES // (width * 6))
    counts = [min(rows, height - top) * width * 6 for top in range(0, height, rows)]
    if sum(counts) > 0xFFF00000:
        raise MediaError(f"A picture of {width} x {height} is too large for TIFF.", remedy="Deliver a smaller size.")
    described = ifd.directories(ifd.from_bytes(exif)) if exif else []
    order = described[0].order if described else "<"

    def fields(first: int) -> list[ifd.Field]:
        offsets = [int(at) for at in first + np.cumsum([0, *counts[:-1]])]
        own = [
            ifd.field(256, ifd.LONG, width, order=order),
            ifd.field(257, ifd.LONG, height, order=order),
            ifd.field(258, ifd.SHORT, 16, 16, 16, order=order),
            ifd.field(259, ifd.SHORT, 1, order=order),
            ifd.field(262, ifd.SHORT, 2, order=order),
            ifd.field(ifd.STRIP_OFFSETS, ifd.LONG, *offsets, order=order),
            ifd.field(ifd.ORIENTATION, ifd.SHORT, 1, order=order),
            ifd.field(277, ifd.SHORT, 3, order=order),
            ifd.field(278, ifd.LONG, rows, order=order),
            ifd.field(ifd.STRIP_COUNTS, ifd.LONG, *counts, order=order),
            ifd.field(282, ifd.RATIONAL, (300, 1), order=order),
            ifd.field(283, ifd.RATIONAL, (300, 1), order=order),
            ifd.field(284, ifd.SHORT, 1, order=order),
            ifd.field(296, ifd.SHORT, 2, order=order),
            ifd.blob(_ICC_TAG, ifd.UNDEFINED, icc),
        ]
        own += [ifd.blob(_XMP_TAG, ifd.BYTE, xmp)] if xmp else []
        return own + [item for d in described[:1] for item in ifd.copied(d) if item.tag in DESCRIPTIVE]

    below = {
        tag: ifd.copied(directory, without=frozenset({MAKER_NOTE}))
        for directory in described
        for name, tag in (("0/exif", ifd.EXIF_IFD), ("0/gps", ifd.GPS_IFD))
        if directory.path == name
    }
    first = len(ifd.build(order, fields(0), below=below))
    first += first % 2
    head = ifd.build(order, fields(first), below=below).ljust(first, b"\0")
    return head + np.ascontiguousarray(rgb).astype(order + "u2", copy=False).tobytes()
