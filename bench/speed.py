"""What a 24-megapixel JPEG costs, as ratios to one full libjpeg-turbo decode on one core, in the same run.

`speed.probes.jpeg24.decodes`: all probes over one picture, decode and proxies included. `speed.render.jpeg24.*`:
exposure and white balance from file to file, without the gate, against decode and encode. `speed.first_pass.*`: all
light and geometry.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import simplejpeg

from bench import _first_pass
from bench.harness import Data, MissingData, Result
from safelight import line, plugins, weights, work
from safelight.domain import Edit, Kind
from safelight.workers import keep_freed_memory

SIZE = (6000, 4000)
ROUNDS = 5
EXPOSURE_EV = 0.4


def run(data: Data) -> Iterable[Result]:
    """Measures in turns, so that a busy machine is busy for all of them."""
    cv2.setNumThreads(1)
    keep_freed_memory()  # as worker processes do
    files = _photos(data)
    decode, encode, plain, faces, render = [], [], [], [], []
    installed, keys = weights.installed(), line.probe_keys()
    for _ in range(ROUNDS):
        for path in files:
            content = path.read_bytes()
            decode.append(_cpu(partial(simplejpeg.decode_jpeg, content)))
            rgb = simplejpeg.decode_jpeg(content)
            encode.append(_cpu(partial(simplejpeg.encode_jpeg, rgb, quality=92, colorsubsampling="444")))
            plain.append(_cpu(partial(_look, path, data.work, keys)))
            if installed:
                faces.append(_cpu(partial(_look, path, data.work, keys, faces=True)))
            render.append(_first_pass.timed(path, _edits(), data.work)[1])
    base, both = median(decode), median(decode) + median(encode)
    yield Result(name="speed.decode.jpeg24.cpu_s", value=base, unit="s", n=len(decode))
    yield _ratio("speed.probes.jpeg24.decodes", plain, base, 3.0)
    yield _ratio("speed.probes_with_faces.jpeg24.decodes", faces, base, 6.0)
    yield _ratio("speed.render.jpeg24.decode_encodes", render, both, 4.0)
    yield from _first_pass.of_jpegs(data, _photos, light=median(render))
    yield from _first_pass.of_raws(data)


def _ratio(name: str, seconds: list[float], base: float, bar: float) -> Result:
    if not seconds:
        return Result(name=name, value=None, n=0, note="not measured: no weights are installed")
    low, high = np.quantile(seconds, [0.05, 0.95]) / base
    return Result(
        name=name, value=median(seconds) / base, n=len(seconds), unit="decodes", bar=bar, want="at most",
        low=float(low), high=float(high),
    )  # fmt: skip


def _photos(data: Data, size: tuple[int, int] = SIZE) -> list[Path]:
    """Three photographs at this size, quality 92, 4:2:0, out of the largest clean ones."""
    folder = data.find("photos")
    if folder is None:
        raise MissingData("there is no folder `photos` with clean photographs")
    largest = sorted(folder.glob("*.jpg"), key=lambda p: (-p.stat().st_size, p.name))[:3]
    return [_first_pass.scaled(source, size, data.work / f"{source.stem}-{size[0]}.jpg") for source in largest]


def _cpu(job: Callable[[], object]) -> float:
    began = time.process_time()
    job()
    return time.process_time() - began


def _look(path: Path, folder: Path, keys: Mapping[str, str], *, faces: bool = False) -> None:
    identity = work.identify(work.Identify(path=path.name, full=path))
    assert identity.asset is not None
    assert identity.asset.kind is Kind.PHOTO
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
