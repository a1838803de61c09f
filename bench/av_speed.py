"""Two hours, two cameras, one recorder: what a first pass costs, stage by stage, and whether it can be killed.

The minute at 1080p of recipe `reels`, joined again and again without coding anew, under the sound of recipe
`interview`: of the first set that lasts as long (`interview --minutes 120`), or of the longest, again and again.
`BENCH_MINUTES` makes it shorter than 120. Beside the stages: decoding alone, to the size of proxies.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import psutil

from bench.harness import Data, MissingData, Result
from bench.scale import Peak
from safelight import footage, listening, weights
from safelight.api import Library
from safelight.line import Options, Progress
from safelight.media import container, video
from safelight.state import ShootState
from safelight.store import records
from safelight.store.library import Library as Store
from safelight.workers import keep_freed_memory

PICTURES, SOUNDS = "reels/truth.json", "interview/truth.json"
SHORT_MIN = 10
JOBS = 2
ENDS_S = 60  # by which recordings of an event may be shorter than it


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    minutes = int(os.environ.get("BENCH_MINUTES", "120"))
    if shutil.which("ffmpeg") is None:
        raise MissingData("ffmpeg is not installed: it joins the media")
    short, long = data.work / "short", data.work / "long"
    shoot(data, short, min(SHORT_MIN, minutes))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:  # what it loads is no memory of a first pass
        yield apart.submit(_against_decoding, next(short.glob("A*.mp4"))).result()
    first = _first_pass(short, data.work / "library-short")
    if minutes <= SHORT_MIN:
        yield from _figures(first, first, minutes)
        yield from _again(short, data.work / "library-short")
    yield from _killed(short, data.work, _told(short, data.work / "library-short"))
    if minutes <= SHORT_MIN:
        return
    shoot(data, long, minutes)
    whole = _first_pass(long, data.work / "library-long")
    yield from _figures(whole, first, minutes)
    yield from _again(long, data.work / "library-long")


def shoot(data: Data, folder: Path, minutes: float) -> None:
    """Two cameras with their scratch sound and a recorder, as long as asked."""
    pictures = [path.parent for path in data.every(PICTURES, recipe="reels")]
    reels = [reel for root in pictures for reel in sorted(root.glob("reel_1080_*.mp4"))]
    sounds = _sounds(data, 60 * minutes)
    cameras = [path for role, path in sorted(sounds.items()) if role.startswith("camera")]
    if not reels or len(cameras) < 2:
        raise MissingData("recipe `reels` has no reel at 1080p, or recipe `interview` too few cameras")
    folder.mkdir(parents=True)
    for name, reel, sound in zip("AB", (reels[0], reels[-1]), cameras, strict=False):
        _ffmpeg("-stream_loop", "-1", "-i", reel, "-stream_loop", "-1", "-i", sound, "-map", "0:v:0", "-map", "1:a:0",
                "-c:v", "copy", "-c:a", "aac", "-b:a", "96k", "-t", 60 * minutes,
                folder / f"{name}001.mp4")  # fmt: skip
    _ffmpeg("-stream_loop", "-1", "-i", sounds["recorder"], "-map", "0:a:0", "-c", "copy", "-t", 60 * minutes,
            folder / "recorder.wav")  # fmt: skip


def _sounds(data: Data, seconds: float) -> dict[str, Path]:
    """The recordings of one event by the role of what made them."""
    found: list[tuple[float, dict[str, Path]]] = []
    for path in data.every(SOUNDS, recipe="interview"):
        sets: dict[str, dict[str, Path]] = {}
        for item in json.loads(path.read_text("utf-8"))["items"]:
            sets.setdefault(item["set"], {})[item["role"]] = path.parent / item["file"]
        found += [(float(container.contents(s["recorder"]).duration_s or 0), s) for s in sets.values()]
    long_enough = [(lasts, sounds) for lasts, sounds in found if lasts >= seconds - ENDS_S]
    return long_enough[0][1] if long_enough else max(found, key=lambda f: f[0])[1]


def _ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def _against_decoding(clip: Path) -> Result:
    """A minute of picture, looked at and only decoded, CPU s of this process, which computes in one thread and keeps
    freed memory as worker processes do. Decoding is that to proxies; beside it that to the size at which frames are
    looked at, and FFmpeg's own to proxies."""
    cv2.setNumThreads(1)
    keep_freed_memory()
    facts = container.contents(clip)
    minute = clip.with_name("minute.mp4")
    _ffmpeg("-i", clip, "-map", "0:v", "-c", "copy", "-t", 60, minute)
    job = footage.See(
        asset="", full=minute, place=clip.parent / ".cache" / "minute", seconds=60, weights=weights.installed()
    )
    frames = round(60 * float((facts.picture.rate if facts.picture else None) or 25))
    looked = _ms_a_frame(partial(footage.see, job), frames)
    proxies, small = (
        _ms_a_frame(partial(_decoded, minute, side), frames) for side in (video.PROXY_SIDE, footage.SEEN_SIDE)
    )
    peer = _ms_a_frame(partial(_decoded_by_ffmpeg, minute, video.PROXY_SIDE), frames)
    minute.unlink()
    return Result(
        name="picture.against_decoding", value=looked / proxies, n=frames, unit="times", bar=1.5, want="at most",
        beside={"FFmpeg": looked / peer},
        note=f"{looked:.1f} ms a frame; decoding to {video.PROXY_SIDE} px alone {proxies:.1f}, by FFmpeg {peer:.1f}; "
        f"to {footage.SEEN_SIDE} px, where faults are looked for, {small:.1f}",
    )  # fmt: skip


def _decoded(clip: Path, side: int) -> None:
    for _ in video.frames(clip, long_side=side, planes=True):
        pass


def _decoded_by_ffmpeg(clip: Path, side: int) -> None:
    _ffmpeg("-threads", 1, "-filter_threads", 1, "-i", clip, "-vf", f"scale={side}:-2", "-f", "null", "-")


def _ms_a_frame(work: Callable[[], object], frames: int) -> float:
    """CPU time of this process and those that it starts, the better of two."""
    found = []
    for _ in range(2):
        began = _children_s()
        work()
        found.append(1000 * (_children_s() - began) / frames)
    return min(found)


class _Stages:
    """Seconds by stage, from what a run tells: a stage ends when it says that it has done all of its files."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.took: dict[str, float] = {}

    def __call__(self, told: Progress) -> None:
        if told.done == told.total:
            now = time.monotonic()
            self.took[told.stage], self.last = now - self.last, now


def _first_pass(folder: Path, library: Path) -> dict[str, Any]:
    """One first pass: seconds in all and by stage, peak of memory, seconds until the first words could be read."""
    stages = _Stages()
    spent = _children_s()
    with Library.open(library) as opened, Peak() as peak:
        words: dict[str, float] = {}
        saved = records.save_evidence

        def noted(*arguments: Any, **options: Any) -> None:
            saved(*arguments, **options)
            for asset, by, _, measures in arguments[1]:
                if by == listening.HEARD and any(m.name == "words" and m.value for m in measures):
                    words.setdefault(asset, time.monotonic() - stages.began)

        records.save_evidence = noted
        try:
            opened.run(folder, options=Options(jobs=JOBS), tell=stages)
        finally:
            records.save_evidence = saved
        seconds = time.monotonic() - stages.began
    return {
        "seconds": seconds, "stages": stages.took, "megabytes": peak.megabytes, "words": words,
        "cpu_s": _children_s() - spent,
    }  # fmt: skip


def _children_s() -> float:
    own = psutil.Process().cpu_times()
    return float(own.user + own.system + own.children_user + own.children_system)


def _figures(whole: dict[str, Any], short: dict[str, Any], minutes: int) -> Iterable[Result]:
    length = 60.0 * minutes
    yield Result(
        name="first_words.s", value=max(whole["words"].values(), default=None), n=len(whole["words"]), unit="s",
        bar=120, want="at most", note="until minutes of each of the recordings can be read",
    )  # fmt: skip
    for stage, took in whole["stages"].items():
        yield Result(name=f"stage.{stage}", value=took / length, n=minutes, unit="of real time", note=f"{took:.0f} s")
    yield Result(
        name="whole", value=whole["seconds"] / length, n=minutes, unit="of real time", bar=1, want="at most",
        note=f"{whole['seconds']:.0f} s for {minutes} minutes of two cameras at 1080p and a recorder, {JOBS} workers; "
        f"{whole['cpu_s']:.0f} CPU s",
    )  # fmt: skip
    yield Result(name="memory.mb", value=whole["megabytes"], n=minutes, unit="MB", note="summed over all processes")
    if whole is not short:
        yield Result(
            name="memory.growth", value=whole["megabytes"] / short["megabytes"], n=minutes, unit="times", bar=1.15,
            want="at most", note=f"against {SHORT_MIN} minutes",
        )  # fmt: skip


def _again(folder: Path, library: Path) -> Iterable[Result]:
    """A second run over the same files."""
    with Library.open(library) as opened:
        began = time.monotonic()
        done = opened.run(folder, options=Options(jobs=JOBS))
        seconds = time.monotonic() - began
    yield Result(name="second_run.looked", value=done.looked + done.changed, n=3, bar=0, want="at most", unit="files")
    yield Result(name="second_run.s", value=seconds, n=1, unit="s", bar=2, want="at most")


def _killed(folder: Path, work: Path, expected: dict[str, Any]) -> Iterable[Result]:
    """Runs that are killed, with all their workers, while they listen and while they look; then run to the end."""
    shutil.rmtree(folder / ".safelight")
    library, pieces = work / "library-killed", 0
    kept: dict[Path, int] = {}
    stopped = 0
    stops: tuple[Callable[[], bool], ...] = (lambda: len(_pieces(folder)) >= 3, lambda: _seen(library) >= 1)
    for enough in stops:
        with _started(folder, library) as process:
            while process.poll() is None and not enough():
                time.sleep(0.2)
            stopped += process.poll() is None
            _kill(process)
        kept |= {path: path.stat().st_mtime_ns for path in _pieces(folder)}
        pieces = max(pieces, len(kept))
    with _started(folder, library) as process:
        process.wait()
    again = sum(path.stat().st_mtime_ns != at for path, at in kept.items() if path.exists())
    lost = sum(expected[name] != found for name, found in _told(folder, library).items())
    yield Result(name="killed.stopped", value=stopped, n=len(stops), unit="runs", bar=len(stops), want="at least",
                 note="that were not over when they were killed")  # fmt: skip
    yield Result(name="killed.differences", value=lost, n=len(expected), unit="recordings", bar=0, want="at most",
                 note="words, speech, silences, shots and faults against a run that nobody stopped")  # fmt: skip
    yield Result(name="killed.heard_twice", value=again, n=pieces, unit="pieces", bar=0, want="at most")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Ends a run and all its workers at once."""
    if process.poll() is not None:
        return
    found = psutil.Process(process.pid).children(recursive=True)
    for child in found:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    process.kill()


def _started(folder: Path, library: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "safelight", "run", str(folder), "--library", str(library), "--jobs", str(JOBS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _pieces(folder: Path) -> list[Path]:
    return sorted((folder / ".safelight").glob("cache/*/*.heard/*.json"))


def _seen(library: Path) -> int:
    """How many clips have been looked at, as the library says while a run is writing it."""
    if not library.exists():
        return 0
    with Library.open(library) as opened:
        return sum(c.facts.get("shots") is not None for c in _clips(opened.store))


def _clips(library: Store) -> Iterator[Any]:
    for known in records.shoots(library):
        yield from ShootState.load(library, known).clips.values()


def _told(folder: Path, library: Path) -> dict[str, Any]:
    """What a library says about each file of a shoot."""
    with Library.open(library) as opened:
        return {
            path: opened.explain(path, folder=folder)
            for path in sorted(p.name for p in folder.iterdir() if p.is_file())
        }
