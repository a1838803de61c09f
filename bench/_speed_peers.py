"""The same edits by `darktable-cli` and `rawtherapee-cli`: CPU seconds a photo, by the marginal cost over a folder.

Both get what our first pass does, as near as their own tools come: white balance, exposure, a global tone curve, a
known lens (distortion and vignetting by lensfun), a turn of 1.8° and the crop; with `light`, white balance and exposure
alone. Their sharpening and noise reduction are off.
"""

import io
import resource
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from safelight.media import image

FEW, MANY = 2, 22  # photos; the difference gives the marginal cost without the start
CAMERA, LENS = "Canon EOS 5D Mark III", "Canon EF 24-105mm f/4L IS USM"
FOCAL_MM, F_NUMBER = 24.0, 4.0
BOX = (0.1, 0.2, 0.9, 0.8)
TURN, EV = 1.8, 0.7
TONES = ((0.0, 0.0), (0.1, 0.13), (0.5, 0.52), (0.85, 0.82), (1.0, 1.0))  # shadows up, highlights down
INSIDE = (0.032, 0.968, 0.043, 0.957)  # left, right, top, bottom of what a turned picture of 3:2 fills
DISTORTION, VIGNETTING, SCALE, RECTILINEAR = 8, 2, 32, 1  # as darktable numbers them

DARKTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/" darktable:xmp_version="4"
 darktable:auto_presets_applied="1" darktable:history_end="{count}" darktable:iop_order_version="2">
<darktable:history><rdf:Seq>{items}</rdf:Seq></darktable:history></rdf:Description></rdf:RDF></x:xmpmeta>
"""
ITEM = """<rdf:li darktable:num="{num}" darktable:operation="{name}" darktable:enabled="1"
 darktable:modversion="{version}" darktable:params="{params}" darktable:multi_name="" darktable:multi_priority="0"
 darktable:blendop_version="7" darktable:blendop_params="gz12eJxjYGBgkGAAgRNODESDBnsIHll8ANNSGQM="/>"""

RAWTHERAPEE = f"""[Version]
AppVersion=5.9
Version=349
[Exposure]
Auto=false
Compensation={EV}
CurveMode=Standard
Curve=1;{";".join(f"{x};{y}" for x, y in TONES)};
[White Balance]
Enabled=true
Setting=Custom
Temperature=5200
Green=1.02
[Rotation]
Degree={TURN}
[Crop]
Enabled=true
X={{x}}
Y={{y}}
W={{width}}
H={{height}}
FixRatio=false
[LensProfile]
LcMode=lfmanual
LFCameraMake=Canon
LFCameraModel={CAMERA}
LFLens={LENS}
UseDistortion=true
UseVignette=true
UseCA=false
[Common Properties for Transformations]
AutoFill=true
"""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A program that edits folders; `light` asks for white balance and exposure alone."""

    name: str
    light: bool = False

    def seconds(self, files: Sequence[Path], folder: Path) -> float | None:
        """CPU seconds for one photo more, children included; None where the program is not installed."""
        program = shutil.which(f"{self.name}-cli")
        if program is None:
            return None
        few, many = (self._over(program, files, folder / str(count), count) for count in (FEW, MANY))
        return (many - few) / (MANY - FEW)

    def _over(self, program: str, files: Sequence[Path], folder: Path, count: int) -> float:
        source, target = folder / "in", folder / "out"
        source.mkdir(parents=True)
        target.mkdir()
        width, height = Image.open(files[0]).size
        for i in range(count):
            path = source / f"{i:03d}.jpg"
            path.write_bytes(_by_a_known_lens(files[i % len(files)].read_bytes()))
            path.with_name(f"{path.name}.xmp").write_text(_sidecar(light=self.light), encoding="utf-8")
        command = self._command(program, source, target, folder, (width, height))
        before = _of_children()
        subprocess.run(command, check=True, capture_output=True)
        spent = _of_children() - before
        written = sorted(target.glob("*.jpg"))
        assert len(written) == count, f"{self.name} wrote {len(written)} of {count}"
        done = image.read(written[0]).shape
        assert self.light or done[0] < 0.7 * height, f"{self.name} did not crop {height} px: {done}"
        return spent

    def _command(self, program: str, source: Path, target: Path, scratch: Path, size: tuple[int, int]) -> list[str]:
        if self.name == "darktable":
            own = ["--configdir", str(scratch / "config"), "--cachedir", str(scratch / "cache"), "--disable-opencl"]
            asked = ["--import", str(source), str(target), "--out-ext", "jpg", "--core", "--library", ":memory:"]
            return [program, *asked, *own]
        recipe, (left, top, right, bottom) = scratch / "edit.pp3", BOX
        box = {"x": left * size[0], "y": top * size[1], "width": (right - left) * size[0]}
        box["height"] = (bottom - top) * size[1]
        recipe.write_text(RAWTHERAPEE.format(**{k: round(v) for k, v in box.items()}), encoding="utf-8")
        return [program, "-o", str(target), "-p", str(recipe), "-j92", "-Y", "-c", str(source)]


def _sidecar(*, light: bool) -> str:
    """A history of darktable 4.2: operations with the versions of their params, each a C structure."""
    steps = [
        ("temperature", 3, struct.pack("<4f", 1.2, 1.0, 0.85, float("nan"))),
        ("exposure", 6, struct.pack("<iffffi", 0, 0.0, EV, 50.0, -4.0, 0)),
    ]
    if not light:
        steps += [("lens", 5, _lens()), ("tonecurve", 5, _curve()), ("ashift", 5, _turn())]
        steps.append(("crop", 1, struct.pack("<4fii", *BOX, -1, -1)))
    items = [
        ITEM.format(num=n, name=name, version=version, params=params.hex())
        for n, (name, version, params) in enumerate(steps)
    ]
    return DARKTABLE.format(count=len(items), items="".join(items))


def _lens() -> bytes:
    flags = DISTORTION | VIGNETTING | SCALE
    numbers = struct.pack("<iifffffi", flags, 0, 1.0, 1.0, FOCAL_MM, F_NUMBER, 1000.0, RECTILINEAR)
    names = [name.encode().ljust(128, b"\0") for name in (CAMERA, LENS)]
    return numbers + b"".join(names) + struct.pack("<iffi", 0, 1.0, 1.0, 1)


def _curve() -> bytes:
    """Lightness; the two colour channels stay."""
    level = [value for node in TONES for value in node]
    straight = [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
    nodes = [value for channel in (level, straight, straight) for value in (*channel, *[0.0] * (40 - len(channel)))]
    return struct.pack("<120f10i", *nodes, len(TONES), 3, 3, 2, 2, 2, 1, 0, 1, 0)


def _turn() -> bytes:
    numbers = struct.pack("<8fii4f", TURN, 0.0, 0.0, 0.0, 28.0, 1.0, 100.0, 1.0, 0, 1, *INSIDE)
    return numbers + bytes(200 * 4 + 4 + 8 * 4)  # no lines drawn by hand


def _by_a_known_lens(jpeg: bytes) -> bytes:
    """The same JPEG with EXIF that names camera, focal length and aperture."""
    exif = Image.Exif()
    exif[271], exif[272] = CAMERA.split(maxsplit=1)[0], CAMERA
    exif.get_ifd(0x8769).update({37386: FOCAL_MM, 33437: F_NUMBER, 42036: LENS})
    small = io.BytesIO()
    Image.new("RGB", (8, 8)).save(small, "jpeg", exif=exif)
    data = small.getvalue()
    start = data.index(b"\xff\xe1")
    return jpeg[:2] + data[start : start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")] + jpeg[2:]


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
