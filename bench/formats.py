"""Whether every kind of file is opened as it is, and what comes of hostile ones.

`real.*`: every picture below the data's folders is opened, and those of `metadata/makernotes`, which are heads of raws
without a picture, are refused with a reason. Capture facts are compared with exiftool's where that is installed.
`exact.*`: what our decoders give against a second, independent one, on real files and on made ones.
`hostile.*`: a made corpus (`tests/hostile.py`), with damaged copies of the real files, through `safelight run` and
`deliver` in processes of their own. A cut file is "passed off as whole" where a picture comes out of it.
"""

import importlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
import tifffile
from PIL import Image, ImageOps

from bench.harness import ROOT, Data, Result
from safelight import work
from safelight.errors import SafelightError
from safelight.media import image, profiles, raw
from safelight.media.capture import container, header
from safelight.media.formats import PICTURE_SUFFIXES

STEP = 40  # of the table of a made JPEG, levels
MEMORY_MB = 2500  # what a worker may hold in the run over the corpus
ADDRESSES = 24 << 30  # bytes of address space for every process of it
SLOW_S = 10.0
PEER_FILES = 24  # cut files that slow peers are asked about
NAMES = "../$(FILE.NAME)/../../$(Xmp.dc.title)$(EXIF.YEAR)"


def run(data: Data) -> Iterable[Result]:
    """All figures; real files where the data have them."""
    real = sorted({p for root in data.roots for p in _pictures(root)})
    whole = [p for p in real if "makernotes" not in p.parts or p.suffix == ".jpg"]
    yield from _real(whole, [p for p in real if p not in set(whole)])
    yield from _facts([p for p in real if "metadata" in p.parts or "raw" in p.parts])
    yield from _exact(whole, data.work)
    yield from _hostile(data)


def _pictures(root: Path) -> Iterator[Path]:
    for folder in ("metadata", "raw", "photos", "photo_faults", "kodak", "faces", "near_duplicates"):
        for path in (root / folder).rglob("*"):
            if path.suffix.lower() in PICTURE_SUFFIXES:
                yield path


# ---------------------------------------------------------------- real files


def _real(whole: list[Path], heads: list[Path]) -> Iterator[Result]:
    failed, seconds, pixels = [], 0.0, 0
    for path in whole:
        began = time.process_time()
        try:
            rgb, _ = work.decode(path)
        except SafelightError as error:
            failed.append(f"{path.name}: {error.cause}")
            continue
        seconds += time.process_time() - began
        said = header(path)
        if said.width and not raw.is_raw(path) and (said.height, said.width) != rgb.shape[:2]:
            failed.append(f"{path.name}: said to be {said.width} x {said.height}, is {rgb.shape[1]} x {rgb.shape[0]}")
        pixels += rgb.shape[0] * rgb.shape[1]
    by_kind = Counter(p.suffix.lower() for p in whole)
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(by_kind.items()))
    yield Result(
        name="real.opened", value=1 - len(failed) / max(len(whole), 1), n=len(whole), bar=1, want="at least",
        note="; ".join(failed[:5]) or kinds,
    )  # fmt: skip
    yield Result(name="real.speed", value=pixels / 1e6 / max(seconds, 1e-9), n=len(whole), unit="megapixels a second")
    refused = 0
    for path in heads:
        try:
            raw.develop(path)
        except SafelightError as error:
            refused += bool(error.remedy)
    yield Result(name="real.heads_refused", value=refused / max(len(heads), 1), n=len(heads), bar=1, want="at least")


def _facts(paths: list[Path]) -> Iterator[Result]:
    """Camera, exposure, ISO and time against exiftool's reading."""
    if shutil.which("exiftool") is None or not paths:
        yield Result(name="real.facts_agree", value=None, n=0, note="exiftool is not installed")
        return
    tags = ("-Model", "-ExposureTime", "-ISO", "-FNumber", "-DateTimeOriginal", "-LensModel", "-SerialNumber")
    done = subprocess.run(
        ["exiftool", "-j", "-n", *tags, *map(str, paths)], capture_output=True, text=True, check=False
    )
    same, wrong, missed = 0, [], []
    for path, theirs in zip(paths, json.loads(done.stdout), strict=True):
        ours = header(path).capture
        for name, mine, his in (
            ("model", ours.camera, theirs.get("Model")), ("seconds", ours.seconds, theirs.get("ExposureTime")),
            ("iso", ours.iso, theirs.get("ISO")), ("f", ours.f_number, theirs.get("FNumber")),
            ("at", (ours.at or "")[:19].replace("-", ":").replace("T", " "), theirs.get("DateTimeOriginal")),
        ):  # fmt: skip
            if his in (None, "", 0):
                continue
            if mine in (None, ""):
                missed.append(f"{path.name} {name}")
            elif _alike(mine, his):
                same += 1
            else:
                wrong.append(f"{path.name} {name}: {mine} for {his}")
    total = same + len(wrong) + len(missed)
    yield Result(
        name="real.facts_agree", value=same / max(total, 1), n=total, unit="of exiftool's", bar=0.97, want="at least",
        note="; ".join([*wrong[:4], *(f"{m} not read" for m in missed[:4])]),
    )  # fmt: skip


def _alike(mine: Any, his: Any) -> bool:
    if isinstance(mine, str):
        return str(his).split(".")[0].strip().lower() in mine.lower()
    first = float(str(his).split()[0])
    return abs(float(mine) - first) <= 0.02 * abs(first) + 1e-6


# ---------------------------------------------------------------- a second decoder


def _exact(whole: list[Path], place: Path) -> Iterator[Result]:
    """The largest difference in levels of 255 from a second decoder, and how fast both are."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    for path in whole:
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".avif"):
            compared = _compared(path, _pillow)
            if compared is not None:
                found.setdefault(f"real{path.suffix.lower()}", []).append(compared)
    made = importlib.import_module("tests.made_formats")
    big = np.kron(importlib.import_module("tests.made_files").photo(), np.ones((6, 6, 1), np.uint8))
    for name, make in made.every(big).items():
        path = place / name
        path.write_bytes(make())
        peer = _tifffile if path.suffix == ".tif" else _pillow
        compared = _compared(path, peer)
        if compared is not None:
            found.setdefault(f"made{path.suffix}", []).append(compared)
    yield _drawn_in()
    for name, rows in found.items():
        far, ours, theirs = max(r[0] for r in rows), sum(r[1] for r in rows), sum(r[2] for r in rows)
        yield Result(
            name=f"exact.{name}", value=far, n=len(rows), unit="levels at most", bar=1, want="at most",
            note=f"{ours / len(rows) * 1e3:.0f} ms a file, the other decoder {theirs / len(rows) * 1e3:.0f}",
        )  # fmt: skip


def _compared(path: Path, peer: Any) -> tuple[int, float, float] | None:
    """(largest difference, our seconds, theirs); None where the other decoder does not read it, or reads other
    colours."""
    began = time.process_time()
    try:
        ours = image.read(path)
    except SafelightError:
        return None
    between = time.process_time()
    theirs = peer(path)
    after = time.process_time()
    if theirs is None or theirs.shape != ours.shape:
        return None
    return int(np.abs(ours.astype(int) - theirs).max()), between - began, after - between


def _pillow(path: Path) -> Any:
    """Pillow's picture, upright, 8 bits; None for profiles, inks and depths that it does not bring to sRGB by
    itself."""
    if path.suffix.lower() in (".avif", ".jxl"):
        return _imagecodecs(path)
    with container(path) as (_, _, directories):
        if image.profile_of(None, directories) is not None:
            return None  # Adobe RGB that only EXIF tells of
    try:
        with Image.open(path) as opened:
            icc = opened.info.get("icc_profile")
            if opened.mode not in ("RGB", "L") or (icc and not profiles.is_srgb(icc)):
                return None
            return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    except (OSError, ValueError):
        return None


def _imagecodecs(path: Path) -> Any:
    """What libavif and libjxl give, 8 bits; Pillow's own AVIF is off by a level, for it converts colours at 8 bits.

    A JPEG that was packed is taken out and decoded as the JPEG that it is: libjxl's own pixels of it are no inverse of
    ITU-T T.81, for it draws coefficients towards zero, by what it expects them to have been (`_drawn_in`).
    """
    codecs = importlib.import_module("imagecodecs")
    data = path.read_bytes()
    try:
        if path.suffix.lower() == ".avif":
            pixels = codecs.avif_decode(data)
        else:
            jpeg = _packed(data)
            pixels = codecs.jpegxl_decode(data) if jpeg is None else np.asarray(Image.open(io.BytesIO(jpeg)))
    except (ValueError, RuntimeError):
        return None
    most = 255 if pixels.dtype == np.uint8 else 1023 if pixels.max() < 1024 else 65535
    return np.rint(pixels[..., :3] * (255 / most)).astype(np.uint8)


def _packed(data: bytes) -> bytes | None:
    """The JPEG that was packed into a JPEG XL file; None where there is none."""
    try:
        return bytes(importlib.import_module("imagecodecs").jpegxl_decode_jpeg(data))
    except (ValueError, RuntimeError):
        return None


def _drawn_in() -> Result:
    """One wave of one coefficient of 1, whose height T.81 gives: how much of it is left, by ours and by libjxl."""
    codecs = importlib.import_module("imagecodecs")
    wave = np.cos((2 * np.arange(8) + 1) * 3 * np.pi / 16) * STEP / 4 / np.sqrt(2)
    drawn = np.rint(128 + np.tile(wave, (64, 8))).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(drawn).save(stream, "jpeg", qtables=[[STEP] * 64])
    ours = image.decode_jpeg(stream.getvalue(), Path("wave.jpg"))[..., 0]
    libjxl = codecs.jpegxl_decode(codecs.jpegxl_encode_jpeg(stream.getvalue())).reshape(64, 64, -1)[..., 0]
    full = np.tile(wave, 8)
    kept, theirs = (float(((plane - 128.0) @ full).mean() / (full @ full)) for plane in (ours, libjxl))
    return Result(
        name="exact.made.jxl.wave_kept", value=kept, n=64, bar=0.97, want="at least", beside={"libjxl": theirs},
        note="of the height that T.81 gives one coefficient of a packed JPEG; bytes are rounded",
    )  # fmt: skip


def _tifffile(path: Path) -> Any:
    """Tifffile's samples as bytes; None for what it needs further packages for, and for Lab."""
    try:
        with tifffile.TiffFile(path) as opened:
            page: Any = opened.pages[0]
            samples = page.asarray()
            if page.planarconfig == 2:
                samples = np.moveaxis(samples, 0, -1)
            if page.photometric not in (1, 2):
                return None
    except (ValueError, KeyError, TypeError):
        return None
    if samples.dtype.kind == "f":
        light = samples.astype(np.float64)
        coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.abs(light) ** (1 / 2.4) - 0.055)
        return np.rint(np.clip(coded, 0, 1) * 255).astype(np.uint8)
    return np.rint(samples / (np.iinfo(samples.dtype).max / 255)).astype(np.uint8)


# ---------------------------------------------------------------- hostile files


def _hostile(data: Data) -> Iterator[Result]:
    hostile = importlib.import_module("tests.hostile")
    place = data.work / "hostile"
    folder = place / "corpus"
    made: Mapping[str, str] = hostile.write_corpus(folder, real=data.find("metadata"))
    promises = {name: promise for name, promise in made.items() if not name.startswith(".")}  # hidden files stay so
    before = _listing(place, without=("library", "out", "temp"))
    ran = _command(place, "run", str(folder), "--jobs", "2", "--json")
    failed = {f["path"]: f for f in json.loads(ran.stdout)["failed"]} if ran.stdout else {}
    opened = set(promises) - set(failed)
    told = [f for f in failed.values() if f.get("cause") and f.get("remedy") and f.get("code", "").startswith("media")]
    codes = Counter(f["code"] for f in failed.values())
    cut = [n for n, p in promises.items() if p == hostile.Promise.CUT]
    whole = [n for n, p in promises.items() if p == hostile.Promise.WHOLE]
    counts = ", ".join(f"{n} {code}" for code, n in codes.most_common())
    yield Result(
        name="hostile.files", value=len(promises), n=len(promises), bar=500, want="at least",
        note=f"{len(opened)} opened; refused: {counts}",
    )  # fmt: skip
    yield _none(
        "hostile.run_crashed",
        int(ran.returncode not in (0, 1)),
        1,
        note="" if ran.returncode in (0, 1) else ran.stderr[-300:],
    )
    for code, name in (("media-crashed", "crashed"), ("media-too-slow", "slow")):
        bad = [p for p, f in failed.items() if f["code"] == code]
        yield _none(f"hostile.{name}", len(bad), len(promises), note=", ".join(bad[:5]))
    yield _none("hostile.without_reason", len(failed) - len(told), len(failed))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    yield Result(
        name="hostile.memory", value=peak, n=len(promises), unit="MB of the largest process", bar=MEMORY_MB,
        want="at most",
    )  # fmt: skip
    seconds = json.loads(ran.stdout)["seconds"] if ran.stdout else None
    yield Result(name="hostile.seconds", value=seconds, n=len(promises), unit="s for all")
    beside = _peers(folder, [n for n in cut if n.startswith("cut-")])
    yield _none("hostile.cut_as_whole", len(set(cut) & opened), len(cut), beside=beside,
                note="peers: share of the cut files that give a picture; ours: number")  # fmt: skip
    yield _none("hostile.whole_refused", len(set(whole) & set(failed)), len(whole))
    yield from _delivered(place, folder, before)


def _none(name: str, value: int, n: int, *, note: str = "", beside: Mapping[str, float] | None = None) -> Result:
    return Result(name=name, value=value, n=n, bar=0, want="at most", note=note, beside=beside or {})


def _delivered(place: Path, folder: Path, before: Mapping[str, int]) -> Iterator[Result]:
    """What was opened is delivered under names that try to leave the folder."""
    keep = ("--all", "--operator", "cull", "--say", "modify", "--params", '{"decision": "keep"}')
    _command(place, "verdict", "--folder", str(folder), *keep)
    out = place / "out"
    done = _command(place, "deliver", str(folder), "--to", str(out), "--draft", "--names", NAMES, "--json")
    manifest = json.loads((out / "manifest.json").read_text("utf-8")) if (out / "manifest.json").exists() else {}
    files, lost = manifest.get("files", []), manifest.get("failed", [])
    yield _none(
        "hostile.deliver_crashed",
        int(done.returncode not in (0, 1)),
        1,
        note="" if done.returncode in (0, 1) else done.stderr[-300:],
    )
    yield Result(
        name="hostile.delivered", value=len(files), n=len(files) + len(lost), note=f"{len(lost)} listed as failed"
    )
    inside = all((out / f["name"]).resolve().parent == out.resolve() for f in files)
    after = _listing(place, without=("library", "out", "temp"))
    strange = [name for name, at in after.items() if before.get(name) != at] + [n for n in before if n not in after]
    yield _none("hostile.written_outside", len(strange) + (not inside), len(after), note=", ".join(strange[:5]))


def _command(place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The program with a library of its own and bounds on memory, in a process group of its own."""
    (place / "temp").mkdir(exist_ok=True)
    environment = os.environ | {
        "SAFELIGHT_LIBRARY": str(place / "library"), "SAFELIGHT_MEMORY": str(MEMORY_MB), "TMPDIR": str(place / "temp"),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "safelight", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES)),
        timeout=3000,
        errors="replace",
        cwd=place,
    )


def _listing(place: Path, *, without: tuple[str, ...]) -> dict[str, int]:
    """Every file below `place` but the program's own, with its time of change."""
    skip = {place / name for name in without}
    found = {}
    for root, folders, files in os.walk(place):
        folders[:] = [f for f in folders if Path(root) / f not in skip and f != ".safelight"]
        for name in files:
            path = Path(root) / name
            found[str(path.relative_to(place))] = path.lstat().st_mtime_ns
    return found


def _peers(folder: Path, names: list[str]) -> dict[str, float]:
    """The share of cut files out of which other programs make a picture."""
    found = {
        "pillow": _share(names, lambda n: _loads(folder / n)),
        "libvips": _share(names, lambda n: _vips(folder / n)),
    }
    few = [n for n in names if n.endswith((".jpg", ".tif", ".png", ".dng"))]
    few = [few[i] for i in np.unique(np.linspace(0, len(few) - 1, PEER_FILES).round().astype(int))] if few else []
    for program in ("darktable-cli", "rawtherapee-cli"):
        if shutil.which(program) is not None:
            found[program.removesuffix("-cli")] = _share(few, lambda n, program=program: _exports(program, folder / n))
    return found


def _share(names: list[str], opens: Any) -> float:
    return float(sum(map(opens, names)) / max(len(names), 1))


def _loads(path: Path) -> bool:
    try:
        with Image.open(path) as opened:
            opened.load()
    except Exception:  # noqa: BLE001 - whatever it raises, it did not take it for whole
        return False
    return True


def _vips(path: Path) -> bool:
    try:
        pyvips.Image.new_from_buffer(path.read_bytes(), "").avg()
    except pyvips.Error:
        return False
    return True


def _exports(program: str, path: Path) -> bool:
    target = path.parent.parent / "temp" / f"{path.stem}.{program}.jpg"
    target.parent.mkdir(exist_ok=True)
    more = {
        "darktable-cli": [str(path), str(target), "--core", "--library", ":memory:", "--configdir", str(target.parent)],
        "rawtherapee-cli": ["-q", "-Y", "-o", str(target), "-j90", "-c", str(path)],
    }
    try:
        subprocess.run([program, *more[program]], capture_output=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        return False
    return target.exists()
