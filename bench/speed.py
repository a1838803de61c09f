"""What a 24-megapixel JPEG costs, as ratios to one full libjpeg-turbo decode on one core, in the same run.

`speed.probes.jpeg24.decodes`: all probes over one picture, decode and proxies included. `speed.render.jpeg24.*`:
exposure and white balance from file to file against decode and encode, and against `darktable-cli` where it is there.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import simplejpeg
from PIL import Image

from bench.harness import Data, MissingData, Result
from safelight import line, plugins, weights, work
from safelight.deliver import presets
from safelight.deliver.write import Job, deliver_one
from safelight.domain import Edit, Kind

SIZE = (6000, 4000)
ROUNDS = 5
PEER_FEW, PEER_MANY = 2, 22  # photos; the difference gives the marginal cost without the start
EXPOSURE_EV = 0.4


def run(data: Data) -> Iterable[Result]:
    """Measures in turns, so that a busy machine is busy for all of them."""
    cv2.setNumThreads(1)
    files = _photos(data)
    decode, encode, plain, faces, render = [], [], [], [], []
    installed = weights.installed()
    for _ in range(ROUNDS):
        for path in files:
            content = path.read_bytes()
            decode.append(_cpu(partial(simplejpeg.decode_jpeg, content)))
            rgb = simplejpeg.decode_jpeg(content)
            encode.append(_cpu(partial(simplejpeg.encode_jpeg, rgb, quality=92, colorsubsampling="444")))
            plain.append(_cpu(partial(_look, path, data.work, faces=False)))
            if installed:
                faces.append(_cpu(partial(_look, path, data.work, faces=True)))
            render.append(_cpu(partial(_render, path, data.work)))
    base, both = median(decode), median(decode) + median(encode)
    yield Result(name="speed.decode.jpeg24.cpu_s", value=base, unit="s", n=len(decode))
    yield _ratio("speed.probes.jpeg24.decodes", plain, base, 3.0)
    yield _ratio("speed.probes_with_faces.jpeg24.decodes", faces, base, 6.0)
    yield _ratio("speed.render.jpeg24.decode_encodes", render, both, 4.0)
    yield from _darktable(files, data.work, median(render))


def _ratio(name: str, seconds: list[float], base: float, bar: float) -> Result:
    if not seconds:
        return Result(name=name, value=None, n=0, note="not measured: no weights are installed")
    low, high = np.quantile(seconds, [0.05, 0.95]) / base
    return Result(
        name=name, value=median(seconds) / base, n=len(seconds), unit="decodes", bar=bar, want="at most",
        low=float(low), high=float(high),
    )  # fmt: skip


def _photos(data: Data) -> list[Path]:
    """Three photographs at 24 megapixels, quality 92, 4:2:0, out of the largest clean ones."""
    folder = data.find("photos")
    if folder is None:
        raise MissingData("there is no folder `photos` with clean photographs")
    largest = sorted(folder.glob("*.jpg"), key=lambda p: (-p.stat().st_size, p.name))[:3]
    made = []
    for source in largest:
        path = data.work / f"{source.stem}.jpg"
        with Image.open(source) as image:
            wide = image.convert("RGB")
            if wide.height > wide.width:
                wide = wide.rotate(90, expand=True)
            wide.resize(SIZE, Image.Resampling.LANCZOS).save(path, quality=92, subsampling=2)
        made.append(path)
    return made


def _cpu(job: Callable[[], object]) -> float:
    began = time.process_time()
    job()
    return time.process_time() - began


def _look(path: Path, folder: Path, *, faces: bool) -> None:
    identity = work.identify(work.Identify(path=path.name, full=path))
    assert identity.asset is not None
    assert identity.asset.kind is Kind.PHOTO
    keys = line.probe_keys()
    asked = {p.name: keys[p.name] for p in plugins.ordered_probes() if p.name in keys and (faces or not p.weights)}
    proxy = folder / f"proxy-{time.monotonic_ns()}"
    looked = work.look(
        work.Look(
            path=path.name, full=path, asset=identity.asset, keys=asked, proxy=proxy,
            weights=weights.installed() if faces else {},
        )
    )  # fmt: skip
    assert looked.error is None
    assert not looked.troubles, looked.troubles


def _render(path: Path, folder: Path) -> None:
    written = deliver_one(
        Job(
            photo="x", original=path, edits=_edits(), preset=presets.JPEG, target=folder / "rendered.jpg", state=folder,
            sidecar=None, says={}, write_sidecar=False,
        )
    )  # fmt: skip
    assert written.error is None, written.error


def _edits() -> tuple[Edit, ...]:
    """Exposure and white balance that change something, whatever the params are called."""
    balance = plugins.operator("white_balance")
    names = list(balance.params.__dataclass_fields__)
    step = {"red": 1.1, "mired": 12.0}
    params = {name: step[name] for name in names if name in step}
    assert params, names
    exposure = plugins.operator("exposure")
    return (
        Edit(operator=balance.name, version=balance.version, params=params),
        Edit(operator=exposure.name, version=exposure.version, params={"ev": EXPOSURE_EV}),
    )


def _darktable(files: list[Path], folder: Path, ours: float) -> Iterable[Result]:
    """Marginal CPU seconds a photo of `darktable-cli` with exposure and white balance, by the same measure as ours."""
    program = shutil.which("darktable-cli")
    name = "speed.render.jpeg24.times_faster_than_darktable"
    if program is None:
        yield Result(name=name, value=None, n=0, note="not measured: darktable-cli is not installed")
        return
    few, many = (_peer(program, files, folder / f"peer{count}", count) for count in (PEER_FEW, PEER_MANY))
    marginal = (many - few) / (PEER_MANY - PEER_FEW)
    yield Result(
        name=name, value=marginal / ours, n=PEER_MANY - PEER_FEW, unit="times", bar=5.0, want="at least",
        beside={"darktable_cli_cpu_s": marginal, "safelight_cpu_s": ours},
    )  # fmt: skip


def _peer(program: str, files: list[Path], folder: Path, count: int) -> float:
    """CPU seconds of one `darktable-cli` over a folder of `count` photos, children included."""
    source, target = folder / "in", folder / "out"
    source.mkdir(parents=True)
    target.mkdir()
    for i in range(count):
        shutil.copy(files[i % len(files)], source / f"{i:03d}.jpg")
    before = _children()
    command = [program, "--import", str(source), str(target), "--out-ext", "jpg"]
    core = [
        "--core",
        "--configdir",
        str(folder / "config"),
        "--cachedir",
        str(folder / "cache"),
        "--library",
        ":memory:",
    ]
    subprocess.run([*command, *core], check=True, capture_output=True)
    written = len(list(target.iterdir()))
    assert written == count, f"darktable-cli wrote {written} of {count}"
    return _children() - before


def _children() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
