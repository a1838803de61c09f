"""What other programs make of our files: `exiftool`, `exiv2`, `darktable-cli` and `rawtherapee-cli`, where installed.

`clients.PROGRAM.opened`: delivered files that the program opens without complaint (and, for the two that render, shows
as we do). `clients.sidecar.kept`: of what a sidecar said before we merged ours into it, the share that exiv2 still
reads. `clients.crs.*`: how far darktable's rendering of the sliders we export lies from ours.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.harness import Data, MissingData, Result
from safelight import sidecars
from safelight.api import Library
from safelight.deliver import Order
from safelight.errors import MediaError
from safelight.line import Options
from safelight.media import colour, image, xmp
from safelight.store.objects import ShootFolder

PHOTOS = 4
PRESETS = ("jpeg", "web", "print", "tiff16")
ALIKE = 2.0  # mean ΔE00 up to which another program shows a finished file as we do
EV = 0.7  # of the exposure slider
SIDE = 800  # px, of what is compared
OURS = ("Exif.", "Xmp.xmp.", "Xmp.crs.", "Xmp.xmpMM.", "Xmp.xmpDM.", "Xmp.dc.subject", "Xmp.photoshop.SidecarFor")
SAYS = {"xmp:Rating": "4", "xmp:Label": "Green", "crs:Exposure2012": "+0.70"}
INLINE = Options(engine="inline")


def run(data: Data) -> Iterable[Result]:
    """Deliveries, sidecars, sliders."""
    delivered = _delivered(data)
    yield _exiftool(delivered, data.work / "shoot")
    yield _exiv2(delivered)
    for program in ("darktable-cli", "rawtherapee-cli"):
        yield _shown(program, delivered, data.work / program)
    yield _kept(data)
    yield from _sliders(data)


# ---------------------------------------------------------------- delivered files


def _delivered(data: Data) -> list[Path]:
    folder = data.find("photos")
    if folder is None:
        raise MissingData("there is no folder `photos` with clean photographs")
    shoot = data.work / "shoot"
    shoot.mkdir()
    for path in sorted(folder.glob("*.jpg"), key=lambda p: (-p.stat().st_size, p.name))[:PHOTOS]:
        shutil.copy(path, shoot / path.name)
    files: list[Path] = []
    with Library.open(data.work / "library") as library:
        library.run(shoot, options=INLINE)
        for photo in list(library.state(shoot).by_path):
            library.verdict(shoot, [photo], operator="cull", say="modify", params={"decision": "keep"}, by="bench")
        for preset in PRESETS:
            to = data.work / preset
            order = Order(to=to, preset=preset, sidecars=True, draft=True)
            made = library.deliver(shoot, to, order=order)
            assert not made["failed"], made["failed"]
            files += [to / file["name"] for file in made["files"]]
    return files


def _exiftool(files: Sequence[Path], originals: Path) -> Result:
    """Files without an error, and with no more warnings than the original's own metadata, which go along."""
    name = "clients.exiftool.opened"
    program = shutil.which("exiftool")
    if program is None:
        return _missing(name, "exiftool")
    before = {path.stem: warned for path, (_, warned) in _validated(program, sorted(originals.glob("*.jpg"))).items()}
    both = [path for file in files for path in (file, file.with_name(file.name + ".xmp"))]
    told = _validated(program, both)
    bad = [path for path, (wrong, warned) in told.items() if wrong or warned > before.get(path.name.split(".")[0], 0)]
    note = f"{bad[0].name}: {told[bad[0]][1]} warnings" if bad else ""
    return _share(name, len(told) - len(bad), len(both), note=note)


def _validated(program: str, files: Sequence[Path]) -> dict[Path, tuple[bool, int]]:
    """By file: whether exiftool finds an error, and how many warnings."""
    command = [program, "-json", "-validate", "-error", *map(str, files)]
    out = subprocess.run(command, capture_output=True, check=False)
    found = {}
    for row in json.loads(out.stdout):
        count = re.match(r"(\d+) Warning", str(row.get("Validate", "")))
        found[Path(row["SourceFile"])] = "Error" in row, int(count[1]) if count else 0
    return found


def _exiv2(files: Sequence[Path]) -> Result:
    name = "clients.exiv2.opened"
    program = shutil.which("exiv2")
    if program is None:
        return _missing(name, "exiv2")
    good = 0
    for path in files:
        out = subprocess.run([program, "-q", "-pa", str(path)], capture_output=True, check=False)
        good += out.returncode == 0 and not out.stderr and b"Xmp." in out.stdout
    return _share(name, good, len(files))


def _shown(program: str, files: Sequence[Path], scratch: Path) -> Result:
    """A program opens a file and shows what we wrote."""
    name = f"clients.{program.removesuffix('-cli')}.opened"
    found = shutil.which(program)
    if found is None:
        return _missing(name, program)
    scratch.mkdir()
    apart = []
    for number, path in enumerate(files):
        target = scratch / f"{number}.jpg"
        _render(found, path, target, scratch)
        apart.append(_apart(target, path) if target.exists() else float("inf"))
    good = sum(value <= ALIKE for value in apart)
    return _share(name, good, len(files), note=f"shown within mean ΔE00 {max(apart):.2f}")


def _render(program: str, path: Path, target: Path, scratch: Path, *, sidecar: Path | None = None) -> None:
    if "darktable" in program:
        own = ["--core", "--configdir", str(scratch / f"config-{target.stem}"), "--library", ":memory:"]
        named = [str(sidecar)] if sidecar else []
        command = [program, str(path), *named, str(target), *own, "--conf", "plugins/lighttable/export/iccprofile=sRGB"]
    else:
        command = [program, "-o", str(target), "-Y", "-j95", "-js3", "-c", str(path)]
    subprocess.run(command, capture_output=True, check=False, timeout=300)


def _apart(one: Path, other: Path) -> float:
    """Mean ΔE00 of two pictures, both shrunk."""
    small = [cv2.resize(image.read(path), (SIDE, SIDE * 2 // 3), interpolation=cv2.INTER_AREA) for path in (one, other)]
    return float(np.mean(colour.delta_e(*(np.asarray(each, np.uint8) for each in small))))


# ---------------------------------------------------------------- sidecars


def _kept(data: Data) -> Result:
    """What exiv2 reads from sidecars of other programs before and after ours is merged into them."""
    name, program = "clients.sidecar.kept", shutil.which("exiv2")
    folder = data.find("metadata")
    if program is None:
        return _missing(name, "exiv2")
    if folder is None:
        raise MissingData("there is no folder `metadata` with sidecars")
    kept = total = files = 0
    for path in sorted(folder.rglob("*.xmp")):
        before = _said(program, path)
        try:
            packet = xmp.Packet.parse(path.read_bytes())
        except MediaError:
            continue  # no XMP at all
        for key, value in SAYS.items():
            packet.set(key, value)
        merged = data.work / f"merged-{files}.xmp"
        merged.write_bytes(packet.to_bytes())
        after = _said(program, merged)
        theirs = {line for line in before if not line.startswith(OURS)}
        kept, total, files = kept + len(theirs & after), total + len(theirs), files + 1
    return Result(
        name=name, value=kept / max(total, 1), n=total, unit="of their values", bar=1.0, want="at least",
        note=f"{files} sidecars",
    )  # fmt: skip


def _said(program: str, path: Path) -> set[str]:
    out = subprocess.run([program, "-q", "-PXkv", str(path)], capture_output=True, check=False)
    return {" ".join(line.split()) for line in out.stdout.decode("utf-8", "replace").splitlines()}


# ---------------------------------------------------------------- sliders


def _sliders(data: Data) -> Iterable[Result]:
    """Raws with an exposure of ours: what the sidecar makes of them in darktable, against our own files."""
    program, folder = shutil.which("darktable-cli"), data.find("card")
    name = "clients.crs.exposure.darktable_ev"
    if program is None:
        yield _missing(name, "darktable-cli")
        return
    if folder is None:
        raise MissingData("there is no folder `card` with raws: run recipe `card` first")
    chosen = sorted(folder.rglob("*.DNG"))[:PHOTOS]
    plain, ours = (_of_raws(chosen, data.work / f"raws{ev}", ev=ev) for ev in (0.0, EV))
    raws = [data.work / f"raws{EV}" / "shoot" / path.name for path in chosen]
    scratch = data.work / "sliders"
    scratch.mkdir()
    steps, base, edited = [], [], []
    for path in raws:
        beside = path.with_suffix(".xmp")
        with_slider, without = scratch / f"{path.stem}-with.jpg", scratch / f"{path.stem}-without.jpg"
        _render(program, path, with_slider, scratch)
        said = beside.read_text(encoding="utf-8")
        # Zero counts as not set, and darktable then adds its own 0.7 EV; a hundredth takes the slider's place.
        beside.write_text(said.replace(f'"{EV:+.2f}"', '"+0.01"'), encoding="utf-8")
        _render(program, path, without, scratch)
        steps.append(_stops(with_slider) - _stops(without))
        base.append(_apart(without, plain[path.stem]))
        edited.append(_apart(with_slider, ours[path.stem]))
    yield Result(
        name=name, value=float(np.median(steps)), n=len(steps), unit="EV", beside={"slider": EV},
        note="what darktable makes of the exported slider, by mean linear light after its own tone curve",
    )  # fmt: skip
    yield Result(
        name="clients.crs.exposure.de00", value=float(np.median(edited)), n=len(edited), unit="ΔE00",
        beside={"without the slider": float(np.median(base))},
        note="darktable's rendering against ours; the base renderings differ too",
    )  # fmt: skip


def _of_raws(chosen: Sequence[Path], place: Path, *, ev: float) -> Mapping[str, Path]:
    """Our own files of these raws under this exposure, by name; copies and their sidecars lie in `place`/shoot."""
    shoot = place / "shoot"
    shoot.mkdir(parents=True)
    for source in chosen:
        shutil.copy(source, shoot)
    with Library.open(place / "library") as library:
        library.run(shoot, options=INLINE)
        for path in list(library.state(shoot).by_path):
            said: list[tuple[str, dict[str, Any]]] = [("cull", {"decision": "keep"}), ("exposure", {"ev": ev})]
            for operator, params in said:
                library.verdict(shoot, [path], operator=operator, say="modify", params=params, by="bench")
        sidecars.export(library.store, ShootFolder.at(shoot), library.state(shoot))
        made = library.deliver(shoot, place / "out", order=Order(to=place, draft=True))
    return {Path(file["source"]["path"]).stem: place / "out" / file["name"] for file in made["files"]}


def _stops(path: Path) -> float:
    light = colour.linear_of_srgb(image.read(path))
    return float(np.log2(light.mean()))


# ---------------------------------------------------------------- results


def _share(name: str, good: int, total: int, *, note: str = "") -> Result:
    return Result(name=name, value=good / total, n=total, unit="of files", bar=1.0, want="at least", note=note)


def _missing(name: str, program: str) -> Result:
    return Result(name=name, value=None, n=0, note=f"not measured: {program} is not installed")
