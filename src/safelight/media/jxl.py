"""JPEG XL: libjxl through imagecodecs, where that is installed; size, colours and metadata by our own reading (ISO/IEC
18181-1:2024 annexes D and E, 18181-2).

The decoder does not give the profile, so the head of the codestream is read here: colours that it says by number are
believed, an embedded profile cannot be unpacked and is refused.
"""

import importlib
import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safelight import limits
from safelight.errors import Unsupported
from safelight.media import boxes, profiles
from safelight.media.colour import REC709, REC2020
from safelight.media.decoded import P3, Decoded, from_planes, high_range
from safelight.media.formats import damaged, truncated
from safelight.media.ifd import Fetch, from_bytes

PACKAGE = "imagecodecs"
_BARE = b"\xff\x0a"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_PRIMARIES = {1: REC709, 9: REC2020, 11: P3}
_GREY, _D65 = 1, 1
_LINEAR, _CURVES = 8, frozenset({1, 13})  # BT.709 is shown as sRGB is
_HIGH_RANGE = frozenset({16, 18})
_MOST = 16 << 20  # bytes of metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """What the codestream says of its colours; `strange` is why they cannot be known."""

    primaries: int = 1
    transfer: int = 13
    gamma: float | None = None
    grey: bool = False
    strange: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Upright size, colours, metadata; whether a whole JPEG can be made of it again; the length that it must have."""

    width: int
    height: int
    colours: Colours
    exif: bytes | None = None
    xmp: bytes | None = None
    jpeg: bool = False
    animated: bool = False
    need: int = 0


def installed() -> bool:
    """Whether the decoder is here."""
    return importlib.util.find_spec(PACKAGE) is not None


def facts(fetch: Fetch) -> Facts | None:
    """The head of a JPEG XL file; None where it is cut off."""
    if fetch(0, 2) == _BARE:
        return _of_stream(fetch(2, 4096))
    stream, exif, xmp, jpeg, need = b"", None, None, False, 0
    for box in boxes.walk(fetch):
        size = min(box.end - box.start, _MOST)
        if box.end < 1 << 61:
            need = box.end
        if box.name in (b"jxlc", b"jxlp") and not stream:
            skip = 4 if box.name == b"jxlp" else 0
            stream = fetch(box.start + skip, min(4096, box.end - box.start))
        elif box.name == b"Exif":
            exif = boxes.tiff_of(fetch(box.start, size))
        elif box.name == b"xml ":
            xmp = fetch(box.start, size)
        elif box.name == b"jbrd":
            jpeg = True
    found = _of_stream(stream[2:]) if stream[:2] == _BARE else None
    if found is None:
        return None
    return Facts(
        width=found.width, height=found.height, colours=found.colours, animated=found.animated, exif=exif, xmp=xmp,
        jpeg=jpeg, need=need,
    )  # fmt: skip


def parts(fetch: Fetch) -> list[tuple[int, int]]:
    """(offset, size) of the codestream in a container; none for a bare one, whose length is the file's."""
    return [(b.start, b.end - b.start) for b in boxes.walk(fetch) if b.name in (b"jxlc", b"jxlp")]


def as_jpeg(data: bytes, path: Path) -> bytes | None:
    """The JPEG that was packed into this file, byte for byte; None where there is none. Raises as `decode`."""
    said = _checked(data, path)
    if not said.jpeg:
        return None
    try:
        return bytes(_library(path).jpegxl_decode_jpeg(data))
    except (ValueError, RuntimeError) as error:
        raise damaged(path, str(error)) from error


def decode(data: bytes, path: Path) -> Decoded:
    """The (first) picture. Raises Truncated, Unreadable, TooLarge and Unsupported."""
    said = _checked(data, path)
    if said.colours.strange:
        raise Unsupported(
            f"{path.name} holds {said.colours.strange}, which cannot be read from JPEG XL here.",
            remedy="Export it with sRGB, Display P3 or Rec. 2020 colours, or as TIFF.",
        )
    library = _library(path)
    try:
        planes = np.asarray(library.jpegxl_decode(data, index=0 if said.animated else None))
    except (ValueError, RuntimeError) as error:
        if said.need == 0:  # a bare stream does not say how long it is
            raise truncated(path, have=len(data)) from error
        raise damaged(path, str(error)) from error
    planes = planes[..., None] if planes.ndim == 2 else planes
    planes = planes.astype(np.float32) if planes.dtype.kind == "f" else planes
    colours = said.colours
    if colours.transfer in _HIGH_RANGE and planes.dtype == np.uint16 and planes.shape[2] >= 3:
        primaries = _PRIMARIES[colours.primaries]
        return Decoded(rgb=high_range(planes[..., :3], colours.transfer, primaries))
    return from_planes(planes, _profile(colours), model="grey" if planes.shape[2] < 3 else "rgb")


def _checked(data: bytes, path: Path) -> Facts:
    said = facts(from_bytes(data))
    if said is None:
        raise truncated(path, have=len(data))
    if said.need > len(data):
        raise truncated(path, have=len(data), need=said.need)
    limits.check_size(path.name, said.width, said.height)
    return said


def _library(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the package has no types
    try:
        return importlib.import_module(PACKAGE)
    except ImportError as error:
        raise Unsupported(
            f"{path.name} is a JPEG XL file, and the package that decodes it is not installed.",
            remedy="pip install 'safelight[jxl]'",
        ) from error


def _profile(colours: Colours) -> bytes | None:
    """The profile of these colours; None for sRGB."""
    if colours.grey:
        return None
    if colours.gamma is not None:
        curve = struct.pack(">4s4xIH2x", b"curv", 1, round(256 / colours.gamma))
    elif colours.transfer == _LINEAR:
        curve = struct.pack(">4s4xI", b"curv", 0)
    else:
        return None if colours.primaries == 1 else profiles.of_primaries("JPEG XL", _PRIMARIES[colours.primaries])
    return profiles.of_curve("JPEG XL", _PRIMARIES[colours.primaries], curve)


# ---------------------------------------------------------------- the head of the codestream


class _Bits:
    """Numbers of some bits, the lowest first (18181-1, annex B)."""

    def __init__(self, data: bytes) -> None:
        self.number, self.left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self.left:
            raise EOFError
        value = self.number & ((1 << count) - 1)
        self.number >>= count
        self.left -= count
        return value

    def choose(self, *forms: tuple[int, int]) -> int:
        """One of four forms (number added, bits)."""
        added, bits = forms[self.take(2)]
        return added + self.take(bits)

    def enum(self) -> int:
        return self.choose((0, 0), (1, 0), (2, 4), (18, 6))


def _of_stream(data: bytes) -> Facts | None:
    bits = _Bits(data)
    try:
        width, height = _size(bits)
        colours, orientation, animated = _metadata(bits)
    except EOFError:
        return None
    if orientation > 4:
        width, height = height, width
    return Facts(width=width, height=height, colours=colours, animated=animated)


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        return 8 * (bits.take(5) + 1) if small else 1 + bits.choose((0, 9), (0, 13), (0, 18), (0, 30))

    height = side()
    ratio = bits.take(3)
    if ratio == 0:
        return side(), height
    up, down = _RATIOS[ratio]
    return height * up // down, height


def _metadata(bits: _Bits) -> tuple[Colours, int, bool]:
    """(colours, orientation, whether it moves)."""
    if bits.take(1):
        return Colours(), 1, False
    orientation, animated = 1, False
    if bits.take(1):
        orientation = 1 + bits.take(3)
        if bits.take(1):
            _size(bits)
        if bits.take(1):
            return Colours(strange="a preview before its colours"), orientation, False
        animated = bool(bits.take(1))
        if animated:
            bits.choose((100, 0), (1000, 0), (1, 10), (1, 30))
            bits.choose((1, 0), (1001, 0), (1, 8), (1, 10))
            bits.choose((0, 0), (0, 3), (0, 16), (0, 32))
            bits.take(1)
    _depth(bits)
    bits.take(1)
    for _ in range(bits.choose((0, 0), (1, 0), (2, 4), (1, 12))):
        if not bits.take(1) and not _extra(bits):
            return Colours(strange="channels of a rare kind"), orientation, animated
    bits.take(1)
    return _colours(bits), orientation, animated


def _depth(bits: _Bits) -> None:
    if bits.take(1):
        bits.choose((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)
    else:
        bits.choose((8, 0), (10, 0), (12, 0), (1, 6))


def _extra(bits: _Bits) -> bool:
    """Reads over an extra channel; False for kinds whose length is not known here."""
    kind = bits.enum()
    _depth(bits)
    bits.choose((0, 0), (3, 0), (4, 0), (1, 3))
    bits.take(8 * bits.choose((0, 0), (0, 4), (16, 5), (48, 10)))
    if kind == 0:
        bits.take(1)
    return kind in (0, 1)


def _colours(bits: _Bits) -> Colours:
    if bits.take(1):
        return Colours()
    packed, space = bits.take(1), bits.enum()
    if packed:
        return Colours(strange="a colour profile")
    if space not in (0, _GREY):
        return Colours(strange="colours of a rare kind")
    if bits.enum() != _D65:
        return Colours(strange="colours under another white than D65")
    primaries = bits.enum() if space != _GREY else 1
    if primaries not in _PRIMARIES:
        return Colours(strange="primaries of its own")
    if bits.take(1):
        return Colours(primaries=primaries, gamma=bits.take(24) / 1e7 or None, grey=space == _GREY)
    transfer = bits.enum()
    if transfer not in _CURVES | _HIGH_RANGE | {_LINEAR}:
        return Colours(strange="a tone curve of a rare kind")
    if space == _GREY and transfer not in _CURVES:
        return Colours(strange="grey of a rare kind")
    return Colours(primaries=primaries, transfer=transfer, grey=space == _GREY)
