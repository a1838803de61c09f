"""What a whole first pass costs from file to file: all light and geometry, 24 and 45 megapixels, JPEG and raw.

Beside it, in turns on the same photos: decode and encode alone, LibRaw's own development, `darktable-cli` and
`rawtherapee-cli` by their marginal cost over a folder.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Self

import psutil
import rawpy
import simplejpeg
from PIL import Image

from bench._speed_peers import FEW, MANY, Peer
from bench.harness import Data, Result
from bench.scale import Peak
from safelight import engine, plugins
from safelight.deliver import judge, presets
from safelight.deliver.write import Job, deliver_one
from safelight.domain import Edit, Json
from safelight.media import digest, raw
from safelight.params import to_json

SIZES = {"jpeg24": (6000, 4000), "jpeg45": (8256, 5504)}
ROUNDS = 3
LIGHT = ("vignetting", "white_balance", "exposure", "tone")
FRAMING = ("lens", "straighten", "crop")
OF_RAWS = ("camera_look",)


def edits(names: Iterable[str], size: tuple[int, int]) -> tuple[Edit, ...]:
    """The first example of each of these operators, as far as they are installed, for a picture of this size."""
    found = plugins.operators()
    return tuple(
        Edit(operator=name, version=found[name].version, params=_sized(to_json(found[name].examples[0]), size))
        for name in names
        if name in found
    )


def _sized(params: Mapping[str, Json], size: tuple[int, int]) -> Mapping[str, Json]:
    return {**params, "size": list(size)} if "size" in params else params


def of_jpegs(data: Data, photos: Callable[[Data, tuple[int, int]], list[Path]], *, light: float) -> Iterable[Result]:
    """Whole passes over JPEGs against decode and encode, utilisation, memory, and peers; `light` is what exposure and
    white balance alone take, CPU s for 24 megapixels."""
    for name, size in SIZES.items():
        todo = edits((*LIGHT, *FRAMING), size)
        what = ", ".join(edit.operator for edit in todo)
        files = photos(data, size)
        base, ours = [], []
        for _ in range(ROUNDS):
            for path in files:
                base.append(_cpu(partial(_decode_and_encode, path)))
                ours.append(timed(path, todo, data.work))
        gated, plain = (median(some) for some in zip(*ours, strict=True))
        yield Result(
            name=f"speed.first_pass.{name}.decode_encodes", value=gated / median(base), n=len(ours), unit="times",
            bar=6.0, want="at most", note=f"{what}; the gate included",
            beside={"cpu_s": gated, "without_gate_cpu_s": plain},
        )  # fmt: skip
        if name == "jpeg24":
            yield from _peers(files, data.work, light=light, whole=plain)
        else:
            yield from _both_cores(files, todo, data.work)


def of_raws(data: Data) -> Iterable[Result]:
    """Whole passes over raws against LibRaw's own development and an encode."""
    name = "speed.first_pass.raw.postprocess_encodes"
    folder = data.find("card")
    raws = [path for path in folder.rglob("*") if path.suffix.lower() == ".dng"] if folder else []
    files = sorted(raws, key=lambda p: (-p.stat().st_size, p.name))[:3]
    if not files:
        yield Result(name=name, value=None, n=0, note="not measured: no raws under card/, which recipe `card` makes")
        return
    height, width = raw.linear_words(files[0]).words.shape[:2]
    todo = edits((*LIGHT, *OF_RAWS, *FRAMING), (width, height))
    base, ours = [], []
    for _ in range(ROUNDS):
        for path in files:
            base.append(_cpu(partial(_postprocess_and_encode, path)))
            ours.append(timed(path, todo, data.work))
    gated, plain = (median(some) for some in zip(*ours, strict=True))
    yield Result(
        name=name, value=gated / median(base), n=len(ours), unit="times", bar=1.5, want="at most",
        note=f"{width * height / 1e6:.0f} MP: {', '.join(edit.operator for edit in todo)}",
        beside={"cpu_s": gated, "without_gate_cpu_s": plain},
    )  # fmt: skip


class Gate:
    """CPU seconds that the gate takes: reading back what was written and judging it, which no peer does."""

    def __init__(self) -> None:
        self.spent = 0.0

    def __enter__(self) -> Self:
        self._judge = judge.judge
        judge.judge = self._timed
        return self

    def __exit__(self, *error: object) -> None:
        judge.judge = self._judge

    def _timed(self, *arguments: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return self._judge(*arguments, **named)
        finally:
            self.spent += time.process_time() - began


def timed(path: Path, todo: Sequence[Edit], folder: Path) -> tuple[float, float]:
    """CPU seconds of one photo from file to file, with the gate and without."""
    with Gate() as gate:
        whole = _cpu(partial(deliver, path, todo, folder))
    return whole, whole - gate.spent


def deliver(path: Path, todo: Sequence[Edit], folder: Path, target: str = "rendered.jpg") -> None:
    """One photo from file to file."""
    written = deliver_one(
        Job(
            photo="x", original=path, seen=digest.digests(path)[:2], edits=tuple(todo), preset=presets.JPEG,
            target=folder / target, state=folder, sidecar=None, says={}, write_sidecar=False,
        )
    )  # fmt: skip
    assert written.error is None, written.error


def _decode_and_encode(path: Path) -> None:
    rgb = simplejpeg.decode_jpeg(path.read_bytes())
    simplejpeg.encode_jpeg(rgb, quality=92, colorsubsampling="444")


def _postprocess_and_encode(path: Path) -> None:
    with rawpy.imread(str(path)) as opened:
        rgb = opened.postprocess(use_camera_wb=True)
    simplejpeg.encode_jpeg(rgb, quality=92, colorsubsampling="444")


def _cpu(job: Callable[[], object]) -> float:
    began = time.process_time()
    job()
    return time.process_time() - began


# ---------------------------------------------------------------- both cores, all memory


def _both_cores(files: Sequence[Path], todo: Sequence[Edit], folder: Path) -> Iterable[Result]:
    """Two workers over many photos: how much of both cores they use, and what memory all processes take."""
    count = 8 * len(files)
    jobs = [(_one, (files[i % len(files)], todo, folder, f"{i}.jpg")) for i in range(count)]
    with Peak() as peak, engine.engine("process", jobs=2) as (executor, width):
        list(engine.stream(executor, width, iter(jobs[:2])))  # workers are up
        idle, began = _used(), time.monotonic()
        list(engine.stream(executor, width, iter(jobs)))
        share = (_used() - idle) / (time.monotonic() - began) / 2
    yield Result(
        name="speed.first_pass.jpeg45.utilisation", value=share, unit="of both cores", n=count, bar=0.85,
        want="at least",
    )  # fmt: skip
    yield Result(
        name="speed.first_pass.jpeg45.memory.mb", value=peak.megabytes, unit="MB", n=count, bar=2500, want="at most",
        note="resident, summed over all processes; shared pages count in each",
    )  # fmt: skip


def _one(job: tuple[Path, Sequence[Edit], Path, str]) -> None:
    deliver(*job)


def _used() -> float:
    """CPU seconds of this process and its children."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


# ---------------------------------------------------------------- peers


def _peers(files: Sequence[Path], folder: Path, *, light: float, whole: float) -> Iterable[Result]:
    same = "the same edits in both, as near as their tools come; without our gate, for which they have nothing"
    for what, ours, name, bar in (
        ("first_pass", whole, "darktable", 4.0),
        ("render", light, "darktable", 5.0),
        ("first_pass", whole, "rawtherapee", 12.0),
    ):
        label = f"speed.{what}.jpeg24.times_faster_than_{name}"
        theirs = Peer(name=name, light=what == "render").seconds(files, folder / f"{what}-{name}")
        if theirs is None:
            yield Result(name=label, value=None, n=0, note=f"not measured: {name}-cli is not installed")
            continue
        yield Result(
            name=label, value=theirs / ours, n=MANY - FEW, unit="times", bar=bar, want="at least", note=same,
            beside={f"{name}_cpu_s": theirs, "safelight_cpu_s": ours},
        )  # fmt: skip


def scaled(source: Path, size: tuple[int, int], target: Path) -> Path:
    """A photograph at another size, quality 92, 4:2:0."""
    with Image.open(source) as image:
        wide = image.convert("RGB")
        if wide.height > wide.width:
            wide = wide.rotate(90, expand=True)
        wide.resize(size, Image.Resampling.LANCZOS).save(target, quality=92, subsampling=2)
    return target
