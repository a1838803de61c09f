"""Picture files to upright pixels: sRGB bytes for looking at, a full-depth Frame for working on.

A file that ends early is never passed off as whole: its structure is walked to the end, and the decoders are strict.
Bytes after a picture's own end (MPF, gain map, motion photo) are legal.
"""

import logging
import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyvips
import simplejpeg
from numpy.typing import NDArray

from safelight.errors import Unreadable, Unsupported
from safelight.media import ifd, profiles, segments
from safelight.media.colour import Words, linear_of_lab50, linear_of_srgb
from safelight.media.formats import HEAD, not_media, sniff, truncated, unreadable, unsupported
from safelight.media.frame import Bytes, Frame, Pixels

pyvips.cache_set_max(0)  # decoded files must not stay in memory
logging.getLogger("pyvips").setLevel(logging.CRITICAL)  # what it warns of comes back as our errors

_ADOBE_INTEROP, _UNCALIBRATED = "R03", 0xFFFF
_TURNS = {2: 1, 3: -1, 4: 0}  # orientation to cv2.flip's code


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A file's pixels as stored: uint8 or uint16 RGB, alpha 0..1 or None, profile (None: sRGB), orientation 1-8."""

    rgb: Bytes | Words
    alpha: Pixels | None = None
    icc: bytes | None = None
    orientation: int = 1


def read(path: Path) -> Bytes:
    """An upright picture as sRGB bytes, H x W x 3; transparent parts show white.

    Takes JPEG, PNG and TIFF (8 and 16 bit, grey, RGB, CMYK, palette). Raises Unreadable, Truncated, NotMedia and
    Unsupported; raws are Unsupported here, see `media.raw`.
    """
    decoded = _decoded(path)
    rgb = _to_bytes(decoded.rgb)
    if decoded.icc is not None:
        rgb = profiles.to_srgb8(rgb, decoded.icc)
    if decoded.alpha is not None:
        cover = decoded.alpha[..., None]
        rgb = np.rint(rgb * cover + 255 * (1 - cover)).astype(np.uint8)
    return upright(rgb, decoded.orientation)


def read_frame(path: Path) -> Frame:
    """An upright picture at full depth as scene-linear Rec.2020; colours outside sRGB are kept.

    sRGB goes by its exact formula; another profile goes through littlecms at 16 bits. Raises as `read`.
    """
    decoded = _decoded(path)
    pixels = linear_of_srgb(decoded.rgb) if decoded.icc is None else _through_profile(decoded.rgb, decoded.icc)
    alpha = None if decoded.alpha is None else upright(decoded.alpha, decoded.orientation)
    return Frame(pixels=upright(pixels, decoded.orientation), alpha=alpha)


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
        return _forgiving(data)
    raise _damaged(path, reason)


def _forgiving(data: bytes) -> Bytes:
    """The same decoder without its strictness, which refuses what stands between segments even where it is harmless."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return np.asarray(cv2.cvtColor(np.asarray(bgr), cv2.COLOR_BGR2RGB), np.uint8)


# ---------------------------------------------------------------- formats


def _decoded(path: Path) -> Decoded:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if not data:
        raise truncated(path, have=0)
    format_ = sniff(data[:HEAD], path.suffix)
    if format_ == "jpeg":
        return _jpeg(data, path)
    if format_ == "png":
        return _png(data, path)
    if format_ == "tiff":
        return _tiff(data, path)
    if format_ is None:
        raise not_media(path, data[:HEAD])
    raise unsupported(path, format_)


def _jpeg(data: bytes, path: Path) -> Decoded:
    facts = segments.facts(data)
    directories = ifd.directories(ifd.from_bytes(facts.exif)) if facts.exif else []
    orientation = _orientation(directories)
    if facts.components == 4 or facts.frame == 0xC3 or facts.precision != 8:
        if not segments.ends(data):
            raise truncated(path, have=len(data))
        return _with_vips(data, path, orientation=orientation)
    rgb = decode_jpeg(data, path)
    return Decoded(
        rgb=rgb, icc=profile_of(facts.icc, directories, components=facts.components), orientation=orientation
    )


def _png(data: bytes, path: Path) -> Decoded:
    at, exif = 8, None
    while True:
        head = data[at : at + 8]
        length, name = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if len(head) < 8 or at + 12 + length > len(data):
            raise truncated(path, have=len(data))
        if name == b"IEND":
            break
        if name == b"eXIf":
            exif = data[at + 8 : at + 8 + length]
        at += 12 + length
    orientation = _orientation(ifd.directories(ifd.from_bytes(exif))) if exif else 1
    return _with_vips(data, path, orientation=orientation)


def _tiff(data: bytes, path: Path) -> Decoded:
    directories = ifd.directories(ifd.from_bytes(data))
    main = directories[:1]
    need = max((offset + size for d in main for offset, size in d.blocks()), default=0)
    need = max(need, *(d.end for d in main)) if need else 0
    if not need or need > len(data):
        raise truncated(path, have=len(data), need=need or None)
    return _with_vips(data, path, orientation=_orientation(directories))


def _with_vips(data: bytes, path: Path, *, orientation: int) -> Decoded:
    """What libvips makes of a file: RGB of 8 or 16 bits whatever the file's own colour model."""
    try:
        image = pyvips.Image.new_from_buffer(data, "", fail_on="error")
        icc = image.get("icc-profile-data") if image.get_typeof("icc-profile-data") else None
        if image.format not in ("uchar", "ushort"):
            raise Unsupported(
                f"{path.name} holds {image.format} samples, which are not read here.",
                remedy="Save it with 8 or 16 bits a channel.",
            )
        if image.interpretation == "cmyk" or (icc is not None and icc[16:20] not in (b"RGB ", b"GRAY")):
            depth = 16 if image.format == "ushort" else 8
            image, icc = image.icc_transform("srgb", input_profile="cmyk", embedded=True, depth=depth), None
        elif image.interpretation not in ("srgb", "rgb", "rgb16", "b-w", "grey16", "multiband"):
            image = image.colourspace("srgb")
        pixels = image.numpy()
    except pyvips.Error as error:
        reason = str(error).strip().splitlines()
        if any("premature end" in line.lower() or "end of" in line.lower() for line in reason):
            raise truncated(path, have=len(data)) from error
        raise _damaged(path, reason[-1] if reason else "no reason given") from error
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    grey = pixels.shape[2] < 3
    colours = 1 if grey else 3
    rgb = np.ascontiguousarray(np.repeat(pixels[..., :1], 3, 2) if grey else pixels[..., :3])
    alpha = None
    if pixels.shape[2] > colours:
        alpha = pixels[..., colours].astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return Decoded(rgb=rgb, alpha=alpha, icc=profile_of(icc, [], components=colours), orientation=orientation)


# ---------------------------------------------------------------- colour and orientation


def profile_of(icc: bytes | None, directories: list[ifd.Directory], *, components: int) -> bytes | None:
    """The profile that matters; None where the colours are sRGB's, or grey, which sRGB's curve stands in for."""
    if icc is not None:
        return None if components == 1 or icc[16:20] != b"RGB " or profiles.is_srgb(icc) else icc
    for directory in directories:  # DCF: Adobe RGB is told by the interoperability index and "uncalibrated"
        if directory.path == "0/exif" and directory.number(0xA001) == _UNCALIBRATED:
            below = next((d for d in directories if d.path == "0/exif/interop"), None)
            if below is not None and below.text(1) == _ADOBE_INTEROP:
                return profiles.adobe_rgb()
    return None


def _through_profile(rgb: Bytes | Words, icc: bytes) -> Pixels:
    image = pyvips.Image.new_from_array(rgb, interpretation="rgb16" if rgb.dtype == np.uint16 else "srgb").copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    lab = image.icc_import(pcs="lab", intent="relative", embedded=True, black_point_compensation=True).numpy()
    return linear_of_lab50(lab)


def _to_bytes(rgb: Bytes | Words) -> Bytes:
    if rgb.dtype == np.uint8:
        return rgb  # type: ignore[return-value]
    return ((rgb.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _orientation(directories: list[ifd.Directory]) -> int:
    value = int(directories[0].number(ifd.ORIENTATION) or 1) if directories else 1
    return value if 1 <= value <= 8 else 1


def _damaged(path: Path, reason: str) -> Unreadable:
    return Unreadable(f"{path.name} is damaged: {reason}.", remedy="Copy it from the card again.")
