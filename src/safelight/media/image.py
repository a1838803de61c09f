"""Picture files to upright pixels: sRGB bytes for looking at, a full-depth Frame for working on.

A file that ends early is never passed off as whole: its structure is walked to the end, and the decoders are strict.
Bytes after a picture's own end (MPF, gain map, motion photo) are legal.
"""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyvips
import simplejpeg
from numpy.typing import NDArray

from safelight import limits
from safelight.errors import Unsupported
from safelight.media import heif, ifd, jxl, profiles, psd, segments, tiff, webp
from safelight.media.colour import Words, linear_of_srgb, srgb8, srgb16, strips
from safelight.media.decoded import Decoded, from_planes, light, with_vips
from safelight.media.formats import HEAD, damaged, not_media, sniff, truncated, unreadable, unsupported
from safelight.media.frame import Bytes, Frame

_ADOBE_INTEROP, _UNCALIBRATED = "R03", 0xFFFF
STRIP = 512  # rows whose light is in memory at once
_TURNS = {2: 1, 3: -1, 4: 0}  # orientation to cv2.flip's code


def read(path: Path) -> Bytes:
    """An upright picture as sRGB bytes, H x W x 3; transparent parts show white.

    Takes what `formats.KNOWN` lists but raws, see `media.raw`; of an animation the first frame. Raises Unreadable,
    Truncated, NotMedia, TooLarge and Unsupported.
    """
    decoded = _decoded(path)
    if decoded.rgb.dtype == np.float32:
        rgb = srgb8(decoded.rgb)  # type: ignore[arg-type]
    elif decoded.rgb.dtype == np.uint16 and decoded.icc is not None:
        rgb = _through_light(decoded)
    else:
        rgb = _to_bytes(decoded.rgb)  # type: ignore[arg-type]
        if decoded.icc is not None:
            rgb = profiles.to_srgb8(rgb, decoded.icc)
    if decoded.alpha is not None:
        cover = decoded.alpha[..., None]
        rgb = np.rint(rgb * cover + 255 * (1 - cover)).astype(np.uint8)
    return upright(rgb, decoded.orientation)


def read_words(path: Path) -> Words | None:
    """An upright picture as sRGB words (uint16), alpha on white as in `read`; None where the file has eight bits a
    channel.

    Raises as `read`.
    """
    with path.open("rb") as file:
        if sniff(file.read(HEAD), path.suffix) not in _DEEP:
            return None
    decoded = _decoded(path)
    if decoded.rgb.dtype != np.uint16:
        return None
    words = srgb16(light(decoded))
    if decoded.alpha is not None:
        cover = decoded.alpha[..., None]
        words = np.rint(words * cover + 65535 * (1 - cover)).astype(np.uint16)
    return np.asarray(upright(words, decoded.orientation))


def read_stored(path: Path) -> Decoded:
    """An upright picture as it is stored, with its depth and profile. Raises as `read`."""
    found = _decoded(path)
    alpha = None if found.alpha is None else upright(found.alpha, found.orientation)
    return replace(found, rgb=upright(found.rgb, found.orientation), alpha=alpha, orientation=1)


def read_frame(path: Path) -> Frame:
    """An upright picture at full depth as scene-linear Rec.2020; colours outside sRGB and light above white are kept.

    Raises as `read`.
    """
    return _frame(_decoded(path))


def frame_from(data: bytes, name: str) -> Frame:
    """`read_frame` for a file's bytes in memory; `name` is what errors call it. Raises as `read`, but Unreadable."""
    return _frame(_of_bytes(data, Path(name)))


def _frame(decoded: Decoded) -> Frame:
    alpha = None if decoded.alpha is None else upright(decoded.alpha, decoded.orientation)
    return Frame(pixels=upright(light(decoded), decoded.orientation), alpha=alpha)


def frame_of(rgb: Bytes) -> Frame:
    """The Frame of an upright picture in sRGB bytes; `write.to_srgb8` gives the same bytes back."""
    return Frame(pixels=linear_of_srgb(rgb))


def upright(pixels: NDArray, orientation: int) -> NDArray:  # type: ignore[type-arg]
    """An array turned and mirrored as EXIF Orientation 1-8 says; itself, not a copy, for 1."""
    if orientation in _TURNS:
        return np.asarray(cv2.flip(pixels, _TURNS[orientation]))
    if orientation == 5:
        return np.asarray(cv2.transpose(pixels))
    if orientation == 6:
        return np.asarray(cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE))
    if orientation == 7:
        return np.asarray(cv2.flip(cv2.transpose(pixels), -1))
    if orientation == 8:
        return np.asarray(cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE))
    return pixels


def decode_jpeg(data: bytes, path: Path) -> Bytes:
    """The pixels of a JPEG stream as stored, RGB, by libjpeg-turbo; `path` names the file in errors."""
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, strict=True), np.uint8)
    except ValueError as error:
        reason = str(error)
    if "remature end" in reason or not segments.ends(data):
        raise truncated(path, have=len(data))
    if "extraneous bytes" in reason:  # stray bytes between whole segments, as some cameras write them
        found = _forgiving(data)
        if found is not None:
            return found
    raise damaged(path, reason)


def _forgiving(data: bytes) -> Bytes | None:
    """The same decoder without its strictness, which refuses what stands between segments even where it is harmless;
    None where it gives up too."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if bgr is None else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


# ---------------------------------------------------------------- formats


def _decoded(path: Path) -> Decoded:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    return _of_bytes(data, path)


def _of_bytes(data: bytes, path: Path) -> Decoded:
    if not data:
        raise truncated(path, have=0)
    format_ = sniff(data[:HEAD], path.suffix)
    if format_ is None:
        raise not_media(path, data[:HEAD])
    decoder = _DECODERS.get(format_)
    if decoder is None:
        raise unsupported(path, format_)
    try:
        return decoder(data, path)
    except pyvips.Error as error:
        reason = str(error).strip().splitlines()
        if any("not supported" in line or "unsupported" in line.lower() for line in reason):
            raise Unsupported(
                f"{path.name} is of a kind that is not read here: {reason[-1].strip()}.",
                remedy="Save it as an ordinary TIFF or JPEG.",
            ) from error
        if any("premature end" in line.lower() or "end of" in line.lower() for line in reason):
            raise truncated(path, have=len(data)) from error
        raise damaged(path, reason[-1].strip() if reason else "no reason given") from error


def _jpeg(data: bytes, path: Path) -> Decoded:
    facts = segments.facts(data)
    limits.check_size(path.name, facts.width, facts.height)
    directories = ifd.directories(ifd.from_bytes(facts.exif)) if facts.exif else []
    orientation = ifd.orientation(directories)
    if facts.components == 4 or facts.frame == 0xC3 or facts.precision != 8:
        if not segments.ends(data):
            raise truncated(path, have=len(data))
        return with_vips(data, path, orientation=orientation)
    rgb = decode_jpeg(data, path)
    if facts.components == 1:
        return from_planes(rgb[..., :1], facts.icc, model="grey", orientation=orientation)
    return Decoded(rgb=rgb, icc=profile_of(facts.icc, directories), orientation=orientation)


def _png(data: bytes, path: Path) -> Decoded:
    at, exif = 8, None
    while True:
        head = data[at : at + 8]
        length, name = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if len(head) < 8 or at + 12 + length > len(data):
            raise truncated(path, have=len(data))
        if name == b"IEND":
            break
        if name == b"IHDR" and length >= 8:
            limits.check_size(path.name, *struct.unpack_from(">II", data, at + 8))
        if name == b"eXIf":
            exif = data[at + 8 : at + 8 + length]
        at += 12 + length
    orientation = ifd.orientation(ifd.directories(ifd.from_bytes(exif))) if exif else 1
    return with_vips(data, path, orientation=orientation)


def _webp(data: bytes, path: Path) -> Decoded:
    facts = webp.facts(ifd.from_bytes(data))
    limits.check_size(path.name, facts.width, facts.height)
    if facts.need > len(data) or not facts.parts:
        raise truncated(path, have=len(data), need=facts.need)
    directories = ifd.directories(ifd.from_bytes(facts.exif)) if facts.exif else []
    return with_vips(data, path, orientation=ifd.orientation(directories))


def _jxl(data: bytes, path: Path) -> Decoded:
    packed = jxl.as_jpeg(data, path)
    return jxl.decode(data, path) if packed is None else _jpeg(packed, path)


_DECODERS: dict[str, Callable[[bytes, Path], Decoded]] = {
    "jpeg": _jpeg, "png": _png, "tiff": tiff.decode, "webp": _webp, "heic": heif.decode, "avif": heif.decode,
    "psd": psd.decode, "jxl": _jxl,
}  # fmt: skip
_DEEP = ("png", "tiff", "psd", "jxl")  # formats that may have sixteen bits a channel


# ---------------------------------------------------------------- colour and orientation


def profile_of(icc: bytes | None, directories: list[ifd.Directory]) -> bytes | None:
    """The RGB profile that matters; None where the colours are sRGB's."""
    if icc is not None:
        return None if icc[16:20] != b"RGB " or profiles.is_srgb(icc) else icc
    for directory in directories:  # DCF: Adobe RGB is told by the interoperability index and "uncalibrated"
        if directory.path == "0/exif" and directory.number(0xA001) == _UNCALIBRATED:
            below = next((d for d in directories if d.path == "0/exif/interop"), None)
            if below is not None and below.text(1) == _ADOBE_INTEROP:
                return profiles.adobe_rgb()
    return None


def _through_light(decoded: Decoded) -> Bytes:
    """Words under a profile as sRGB bytes, rounded once, in strips."""
    out = np.empty(decoded.rgb.shape, np.uint8)
    for rows in strips(len(out), STRIP):
        out[rows] = srgb8(light(replace(decoded, rgb=decoded.rgb[rows])))
    return out


def _to_bytes(rgb: Bytes | Words) -> Bytes:
    if rgb.dtype == np.uint8:
        return rgb  # type: ignore[return-value]
    return ((rgb.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
