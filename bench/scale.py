"""Many files: a second run over 10,000 unchanged assets, memory over all processes, and first decisions on a card."""

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
import psutil
import simplejpeg

from bench.harness import Data, Result
from safelight.api import Library
from safelight.line import Options

ASSETS = 10_000
FEW, MANY = 24, 96  # 24-megapixel photos of the memory runs


def run(data: Data) -> Iterable[Result]:
    """Made pictures: what is measured here does not depend on what they show."""
    yield from _nothing_to_do(data.work / "small")
    yield from _memory(data.work / "large")


def _nothing_to_do(folder: Path) -> Iterable[Result]:
    shoot = folder / "shoot"
    shoot.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for i in range(ASSETS):
        rgb = rng.integers(0, 255, (6, 9, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        (shoot / f"{i:05d}.jpg").write_bytes(simplejpeg.encode_jpeg(rgb, quality=80))
    with Library.open(folder / "library") as library:
        first = _seconds(library, shoot)
        again = min(_seconds(library, shoot) for _ in range(3))
    yield Result(name="scale.first_run_10000.s", value=first, unit="s", n=ASSETS, note="72 x 48 px each")
    yield Result(name="scale.no_op_10000.s", value=again, unit="s", n=ASSETS, bar=2.0, want="at most")


def _seconds(library: Library, shoot: Path) -> float:
    began = time.monotonic()
    library.run(shoot)
    return time.monotonic() - began


def _memory(folder: Path) -> Iterable[Result]:
    """Peak of resident memory summed over all processes, for few and for many photos of 24 megapixels."""
    peaks = []
    for count in (FEW, MANY):
        shoot = folder / f"shoot{count}"
        shoot.mkdir(parents=True)
        rng = np.random.default_rng(2)
        for i in range(count):
            rgb = rng.integers(0, 255, (40, 60, 3), np.uint8).repeat(100, 0).repeat(100, 1)
            (shoot / f"{i:03d}.jpg").write_bytes(simplejpeg.encode_jpeg(rgb, quality=90))
        with Library.open(folder / "library") as library, Peak() as peak:
            library.run(shoot, options=Options(jobs=2))
        peaks.append(peak.megabytes)
    yield Result(
        name="scale.memory.mb", value=peaks[1], unit="MB", n=MANY, bar=2000, want="at most",
        note="resident, summed over all processes; shared pages count in each",
    )  # fmt: skip
    yield Result(
        name="scale.memory.growth", value=peaks[1] / peaks[0], unit="times", n=MANY, bar=1.15, want="at most",
        note=f"{MANY} photos against {FEW}",
    )  # fmt: skip


class Peak:
    """Watches this process and its children four times a second."""

    def __enter__(self) -> Self:
        self.megabytes = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(0.25):
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            self.megabytes = max(self.megabytes, total / 1e6)
