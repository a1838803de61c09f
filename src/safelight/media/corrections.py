"""What was done about the lens before a file came here: by the camera, or by the program that wrote it.

Correcting twice bends lines the other way, so what the file says decides, and what it does not say stays unknown.
Sources: the `crs` and `darktable` properties in XMP; maker notes of Canon (0x4016), Nikon (0x002A, 0x002B) and Sony
(0x2011 to 0x2013), as ExifTool 12.57 names them; DNG 1.7 for opcode lists.
"""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import MediaError
from safelight.media import ifd, xmp
from safelight.media.capture import MAKE, MAKER_NOTE, SOFTWARE, bare_directory, container
from safelight.media.formats import RAW_FORMATS

OPCODES_3 = 51022
WARP_RECTILINEAR = 1
_LINEAR_RAW = 34892
_RAW_NAMES = re.compile(
    rb"\.(?:3fr|arw|cr2|cr3|crw|dng|erf|iiq|kdc|mrw|nef|nrw|orf|pef|raf|raw|rw2|srw|x3f)[\"<]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """Whether bent lines, coloured edges and dark corners were corrected already (None: the file does not say); who
    says so; and `warp`, the maker's own polynomials in a DNG for red, green and blue: powers of r, the distance from
    the middle in half diagonals."""

    lines: bool | None = None
    fringes: bool | None = None
    corners: bool | None = None
    by: str = ""
    warp: tuple[tuple[float, ...], ...] = ()


def corrections(path: Path) -> Corrections:
    """What a picture file says about corrections of its lens; nothing where it cannot be read."""
    try:
        with container(path) as (format_, _, directories):
            if format_ in RAW_FORMATS:
                return _of_raw(directories)
            program = _by_program(xmp.embedded(path) or b"")
            return program or _by_camera(directories)
    except MediaError:
        return Corrections()


def _of_raw(directories: list[ifd.Directory]) -> Corrections:
    """Sensor data are as the lens left them, but for DNGs that a program has developed to full colour already."""
    if any(directory.number(262) == _LINEAR_RAW for directory in directories):
        return Corrections()
    warps = [warp for directory in directories if (warp := _warp(directory.raw(OPCODES_3) or b""))]
    return Corrections(lines=False, fringes=False, corners=False, by="raw", warp=warps[0] if warps else ())


def _warp(opcodes: bytes) -> tuple[tuple[float, ...], ...]:
    """Radial polynomials of a DNG's WarpRectilinear about the middle; empty where it has another or none."""
    at = 4
    for _ in range(struct.unpack(">I", opcodes[:4])[0] if len(opcodes) >= 4 else 0):
        head = opcodes[at : at + 16]
        if len(head) < 16:
            break
        code, _, _, size = struct.unpack(">4I", head)
        body = opcodes[at + 16 : at + 16 + size]
        planes = struct.unpack(">I", body[:4])[0] if len(body) >= 4 else 0
        if code == WARP_RECTILINEAR and planes in (1, 3) and len(body) == 4 + 48 * planes + 16:
            *terms, x, y = struct.unpack(f">{6 * planes + 2}d", body[4:])
            sets = [terms[6 * plane : 6 * plane + 6] for plane in range(planes)]
            if max(abs(x - 0.5), abs(y - 0.5)) > 0.002 or any(abs(t) > 1e-5 for s in sets for t in s[4:]):
                return ()
            made = tuple((k0, 0.0, k1, 0.0, k2, 0.0, k3) for k0, k1, k2, k3, *_ in sets)
            return made * (3 // planes)
        at += 16 + size
    return ()


def _by_program(packet: bytes) -> Corrections | None:
    """What the program that developed a picture wrote into it; None where none did."""
    if b"darktable:operation" in packet:
        steps = re.findall(rb'darktable:operation="lens"\s+darktable:enabled="(\d)"', packet)
        done = b"1" in steps
        if done or _RAW_NAMES.search(packet):
            return Corrections(lines=done, fringes=done, corners=done, by="darktable")
    if b"crs:AlreadyApplied" in packet or b"crs:HasSettings" in packet:
        enabled = _said(packet, b"crs:LensProfileEnable")
        if enabled is not None and (enabled == b"1" or _RAW_NAMES.search(packet)):
            done = enabled == b"1"
            fringes = done or _said(packet, b"crs:AutoLateralCA") == b"1"
            return Corrections(lines=done, fringes=fringes, corners=done, by="Lightroom")
    return None


def _said(packet: bytes, name: bytes) -> bytes | None:
    """The value of a simple XMP property, written as an attribute or as an element."""
    found = re.search(re.escape(name) + rb"\s*(?:=\s*[\"']|>)([^\"'<]*)", packet)
    return None if found is None else found[1].strip()


# ---------------------------------------------------------------- cameras


def _by_camera(directories: list[ifd.Directory]) -> Corrections:
    """What the camera was set to, unless another program wrote the file since."""
    by_path = {directory.path: directory for directory in directories}
    main, detail = by_path.get("0"), by_path.get("0/exif")
    entry = None if detail is None else detail.entries.get(MAKER_NOTE)
    if main is None or detail is None or entry is None:
        return Corrections()
    make = (main.text(MAKE) or "").lower()
    if re.search(r"photoshop|lightroom|gimp|capture one|darktable|affinity", (main.text(SOFTWARE) or "").lower()):
        return Corrections()
    if make.startswith("canon"):
        return _canon(bare_directory(detail, entry.offset))
    if make.startswith("sony"):
        head = detail.fetch(entry.offset, 12)
        return _sony(bare_directory(detail, entry.offset + (12 if head.startswith(b"SONY") else 0)))
    data = detail.raw(MAKER_NOTE) or b""
    if make.startswith("nikon") and data.startswith(b"Nikon\0\x02"):
        return _nikon(next(iter(ifd.directories(ifd.from_bytes(data[10:]))), None))
    return Corrections()


def _canon(note: ifd.Directory | None) -> Corrections:
    settings = () if note is None else note.integers(0x4016)
    if len(settings) < 8:
        return Corrections()
    optimised = len(settings) > 9 and settings[9] == 1  # Digital Lens Optimizer
    corners, fringes, lines = (_switch(settings[n], {0: False, 1: True}) for n in (5, 6, 7))
    return Corrections(lines=lines, fringes=True if optimised else fringes, corners=corners, by="camera")


def _nikon(note: ifd.Directory | None) -> Corrections:
    if note is None:
        return Corrections()
    info = note.raw(0x002B) or b""
    lines = _switch(info[4], {0: False, 1: True}) if len(info) > 4 else None
    control = note.number(0x002A)
    corners = None if control is None else _switch(int(control), {0: False, 1: True, 3: True, 5: True})
    told = lines is not None or corners is not None
    return Corrections(lines=lines, fringes=True if told else None, corners=corners, by="camera" if told else "")


def _sony(note: ifd.Directory | None) -> Corrections:
    if note is None:
        return Corrections()
    corners, fringes, lines = (
        _switch(int(note.number(tag) or 0) if tag in note.entries else -1, {0: False, 2: True})
        for tag in (0x2011, 0x2012, 0x2013)
    )
    told = (corners, fringes, lines) != (None, None, None)
    return Corrections(lines=lines, fringes=fringes, corners=corners, by="camera" if told else "")


def _switch(value: int, meaning: dict[int, bool]) -> bool | None:
    return meaning.get(value)
