"""Delivered raws of known lenses, pixel against pixel, beside RawTherapee and darktable.

What they should be is the raw developed and moved by the recipe's own lens, which needs no inversion that way. Blocks
of both pictures are registered; how far they lie apart, but for one shift, turn and enlargement of the whole, is the
error.
"""

import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Data, Result
from safelight import params
from safelight.deliver import presets
from safelight.deliver.write import Job, deliver_one
from safelight.domain import Edit
from safelight.media import capture, digest, image, raw, write
from safelight.media.frame import Bytes
from safelight.media.picture import grey
from safelight.operators import lens, vignetting

Floats = NDArray[np.float64]

BLOCK = 128  # px, a side of what is registered
ACROSS = 14  # blocks across the picture
CONTRAST = 6.0  # standard deviation in levels below which a block shows nothing
TRUST = 0.25  # response of the phase correlation from which on it is believed
RAWTHERAPEE = """[Version]
AppVersion=5.9
Version=349
[Exposure]
Auto=false
HistogramMatching=false
[LensProfile]
LcMode={mode}
UseDistortion=true
UseVignette=true
UseCA=true
[Common Properties for Transformations]
AutoFill=false
"""


DARKTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/" darktable:xmp_version="4"
 darktable:auto_presets_applied="1" darktable:history_end="1" darktable:iop_order_version="2">
<darktable:history><rdf:Seq><rdf:li darktable:num="0" darktable:operation="lens" darktable:enabled="1"
 darktable:modversion="5" darktable:params="{params}" darktable:multi_name="" darktable:multi_priority="0"
 darktable:blendop_version="7" darktable:blendop_params="gz12eJxjYGBgkGAAgRNODESDBnsIHll8ANNSGQM="/></rdf:Seq>
</darktable:history></rdf:Description></rdf:RDF></x:xmpmeta>
"""
EVERYTHING = 59  # darktable's flags: fringes, vignetting, distortion, geometry, scale


def delivered(
    data: Data, folder: Path, picked: Sequence[tuple[Mapping[str, Any], lens.LensParams, vignetting.VignettingParams]]
) -> Iterator[Result]:
    """The median and the worst block of a few delivered raws."""
    ours: list[Floats] = []
    none: list[Floats] = []
    theirs: dict[str, list[Floats]] = {"rawtherapee": [], "darktable": []}
    for row, bend, light in picked:
        path = folder / row["file"]
        plain = write.to_srgb8(raw.develop(path))
        should = _as_it_should_be(plain, row["lens"])
        none.append(_apart(should, plain))
        ours.append(_apart(should, _delivered(path, bend, light, data.work)))
        for name, peer in (
            ("rawtherapee", _rawtherapee(path, data.work)),
            ("darktable", _darktable(path, row, bend, data.work)),
        ):
            if peer is not None and abs(peer.shape[1] - plain.shape[1]) < BLOCK:
                theirs[name].append(_apart(should, _middle(peer, should.shape)))
    beside, worst = ({"raw": _quantile(none, q)} | {n: _quantile(t, q) for n, t in theirs.items()} for q in (0.5, 0.95))
    count = sum(map(len, ours))
    yield Result(
        name="lens.delivered.off.median", value=_quantile(ours, 0.5), unit="diagonals", n=count,
        beside={k: v for k, v in beside.items() if np.isfinite(v)}, note=f"blocks of {len(ours)} raws",
    )  # fmt: skip
    yield Result(
        name="lens.delivered.off.q95", value=_quantile(ours, 0.95), unit="diagonals", n=count, bar=0.001,
        want="at most", beside={k: v for k, v in worst.items() if np.isfinite(v)},
    )  # fmt: skip


def _quantile(found: Sequence[Floats], q: float) -> float:
    return float(np.quantile(np.concatenate(found), q)) if found else float("nan")


def _as_it_should_be(rgb: Bytes, truth: Mapping[str, Any]) -> Bytes:
    """The picture without its lens, each colour looked up by the recipe's formula."""
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x - np.float32((width - 1) / 2), y - np.float32((height - 1) / 2)
    r = np.hypot(x, y) / np.float32((min(width, height) - 1) / 2)
    a, b, c = truth["ptlens"]
    bent = r * r * r * a + r * r * b + r * c + (1 - a - b - c)
    planes = []
    for channel, (v, cubic) in enumerate((truth["tca_red"], (1.0, 0.0), truth["tca_blue"])):
        share = (bent * (cubic * (r * bent) ** 2 + v)).astype(np.float32)
        places = x * share + np.float32((width - 1) / 2), y * share + np.float32((height - 1) / 2)
        planes.append(cv2.remap(np.ascontiguousarray(rgb[..., channel]), *places, cv2.INTER_CUBIC))
    return np.dstack(planes)


def _delivered(path: Path, bend: lens.LensParams, light: vignetting.VignettingParams, folder: Path) -> Bytes:
    """The file that a delivery writes with both edits, read back."""
    edits = (
        Edit(operator="vignetting", version=vignetting.operator.version, params=params.to_json(light)),
        Edit(operator="lens", version=lens.operator.version, params=params.to_json(bend)),
    )
    target = folder / f"{path.stem}.jpg"
    written = deliver_one(
        Job(photo="x", original=path, seen=digest.digests(path)[:2], edits=edits, preset=presets.JPEG, target=target,
            state=folder, sidecar=None, says={}, write_sidecar=False)
    )  # fmt: skip
    assert written.error is None, written.error
    return image.read(target)


def _rawtherapee(path: Path, folder: Path) -> Bytes | None:
    """What RawTherapee makes of it with lensfun's profile; None where it is not installed or fails."""
    program = shutil.which("rawtherapee-cli")
    if program is None:
        return None
    profile, target = folder / "lens.pp3", folder / f"{path.stem}.rt.jpg"
    profile.write_text(RAWTHERAPEE.format(mode="lfauto"), encoding="utf-8")
    command = [program, "-o", str(target), "-j95", "-js3", "-Y", "-p", str(profile), "-c", str(path)]
    subprocess.run(command, capture_output=True, check=False)
    return image.read(target) if target.exists() else None


def _darktable(path: Path, row: Mapping[str, Any], bend: lens.LensParams, folder: Path) -> Bytes | None:
    """What darktable makes of it with the same entry of lensfun; None where it is not installed or fails."""
    program = shutil.which("darktable-cli")
    if program is None:
        return None
    told, camera = row["lens"], capture.facts(path).camera or ""
    numbers = struct.pack(
        "<iifffffi",
        EVERYTHING,
        0,
        1.0,
        1.0,
        told["focal_mm"],
        told["f_number"],
        1000.0,
        1,  # rectilinear
    )
    names = [name.encode().ljust(128, b"\0") for name in (camera, bend.profile.rsplit(" at ", 1)[0])]
    sidecar, target = folder / f"{path.stem}.xmp", folder / f"{path.stem}.dt.jpg"
    settings = (numbers + b"".join(names) + struct.pack("<iffi", 0, 1.0, 1.0, 1)).hex()
    sidecar.write_text(DARKTABLE.format(params=settings), encoding="utf-8")
    core = ["--core", "--library", ":memory:", "--configdir", str(folder / "darktable"), "--disable-opencl"]
    subprocess.run([program, str(path), str(sidecar), str(target), *core], capture_output=True, check=False)
    return image.read(target) if target.exists() else None


def _middle(rgb: Bytes, shape: tuple[int, ...]) -> Bytes:
    """A picture whose border another program cut, put back in the middle of one of this shape."""
    out = np.zeros(shape, np.uint8)
    top, left = (shape[0] - rgb.shape[0]) // 2, (shape[1] - rgb.shape[1]) // 2
    out[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
    return out


def _apart(one: Bytes, two: Bytes) -> Floats:
    """For each block that shows something, how far the two lie apart as a share of the diagonal."""
    height, width = one.shape[:2]
    first, second = (cv2.GaussianBlur(grey(rgb), (0, 0), 1.5).astype(np.float32) for rgb in (one, two))
    window = cv2.createHanningWindow((BLOCK, BLOCK), cv2.CV_32F)
    step = width // ACROSS
    places, shifts = [], []
    for y in range(BLOCK, height - 2 * BLOCK, step):
        for x in range(BLOCK, width - 2 * BLOCK, step):
            cells = [picture[y : y + BLOCK, x : x + BLOCK] for picture in (first, second)]
            if min(float(cell.std()) for cell in cells) < CONTRAST:
                continue
            cells = [(cell - cell.mean()) / cell.std() for cell in cells]
            shift, response = cv2.phaseCorrelate(cells[0], cells[1], window)
            if response >= TRUST:
                places.append((x + BLOCK / 2 - width / 2, y + BLOCK / 2 - height / 2))
                shifts.append(shift)
    if len(places) < 8:
        return np.empty(0)
    at, moved = np.array(places), np.array(shifts)
    # one shift, turn and enlargement: moved = (a x - b y + c, b x + a y + d)
    ones, zeros = np.ones(len(at)), np.zeros(len(at))
    design = np.concatenate([
        np.stack([at[:, 0], -at[:, 1], ones, zeros], 1), np.stack([at[:, 1], at[:, 0], zeros, ones], 1),
    ])  # fmt: skip
    fitted, *_ = np.linalg.lstsq(design, moved.T.ravel(), rcond=None)
    left = (moved.T.ravel() - design @ fitted).reshape(2, -1)
    return np.asarray(np.hypot(left[0], left[1]) / np.hypot(width, height))
