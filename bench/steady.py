"""Shake that is known, laid on real shots: how near is the path that is found, and how much of it is in the film.

Shots are those of `shots.json` without a join in them. Each is written as it is through a window, and shaken by a path
of known shift, turn and scale; from a frame of it a shot on a tripod and a smooth pan are made too. The path is judged
on what came on top of the shot's own. Beside it on the same files: FFmpeg's vidstab (two passes) and deshake, as they
come. What the eye sees is judged by no tracker: the mean PSNR of each frame beside the next, in the middle of the
picture.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Data, Result
from safelight import steady
from safelight.media import video
from safelight.media.frame import Bytes
from safelight.probes._shots.facts import SWAY_S
from safelight.steady.plan import shake_of, smooth

TRUTH = "video/shots.json"
LEAST, MOST, SIDE, WINDOW, RATE = 45, 60, 960, 0.86, 25  # frames, px, share of the side, frames a second
AMOUNTS = (0.005, 0.012)
PEERS = ("vidstab", "deshake")

Floats = NDArray[np.float64]


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    shaken, still = [], []
    for truth in data.every(TRUTH, recipe="video"):
        for number, (name, frames) in enumerate(_shots(truth)):
            base = _written(data.work / "base.mp4", frames, np.zeros((len(frames), 4)))
            own = steady.track(base)
            for amount in AMOUNTS:
                path = _hand(len(frames), amount, seed=number)
                clip = _written(data.work / "shaken.mp4", frames, path)
                shaken.append({"name": name, "amount": amount} | _row(clip, path, own, data.work))
            for kind, path in (("tripod", np.zeros((LEAST, 4))), ("pan", _pan())):
                clip = _written(data.work / f"{kind}.mp4", [frames[0]] * LEAST, path)
                found = steady.steady(clip, data.work / "out.mp4")
                still.append({"name": name, "kind": kind, "left": found.after is None})
    yield from _results(shaken, still)


def _results(shaken: list[dict[str, Any]], still: list[dict[str, Any]]) -> Iterator[Result]:
    made = [r for r in shaken if r["after"] is not None]
    errors = [r["error"] for r in made]
    yield Result(name="path.median", value=float(np.median(errors)) if made else None, n=len(made), bar=0.001,
                 unit="widths RMS", want="at most")  # fmt: skip
    yield Result(name="path.largest", value=max(errors, default=None), n=len(made), unit="widths RMS")
    for key, unit, bar, want in (
        ("left", "of the shake, median", 0.25, "at most"), ("gain", "dB PSNR of neighbours, median", 0.0, "at least")
    ):  # fmt: skip
        beside = {p: float(np.median([r[p][key] for r in made if p in r])) for p in PEERS if any(p in r for r in made)}
        value = float(np.median([r["ours"][key] for r in made])) if made else None
        yield Result(name=key, value=value, n=len(made), unit=unit, bar=bar, want=want, beside=beside)
    worse = [f"{r['name']} {r['amount']}" for r in made if r["ours"]["gain"] < 0]
    beside = {p: float(sum(r[p]["gain"] < 0 for r in shaken if p in r)) for p in PEERS if any(p in r for r in shaken)}
    yield Result(name="made_worse", value=len(worse), n=len(shaken), unit="films whose frames are less alike", bar=0,
                 want="at most", beside=beside, note="; ".join(worse))  # fmt: skip
    said = sorted({f"{r['name']}: {r['why']}" for r in shaken if r["after"] is None})
    yield Result(name="steadied", value=len(made) / max(len(shaken), 1), n=len(shaken), unit="of shaken shots",
                 note="; ".join(said))  # fmt: skip
    for kind in ("tripod", "pan"):
        rows = [r for r in still if r["kind"] == kind]
        yield Result(name=f"left_alone.{kind}", value=sum(r["left"] for r in rows) / max(len(rows), 1), n=len(rows),
                     unit="of shots", bar=1, want="at least")  # fmt: skip


def _row(clip: Path, path: Floats, own: steady.Track, work: Path) -> dict[str, Any]:
    out = work / "out.mp4"
    out.unlink(missing_ok=True)
    done = steady.steady(clip, out)
    told: dict[str, Any] = {
        "after": done.after, "why": done.plan.cannot_tell or done.plan.left_alone or done.no_better,
        "error": _error(steady.track(clip).path - own.path, path),
    }  # fmt: skip
    films = {"ours": out if done.after is not None else None, **{peer: _peer(peer, clip, work) for peer in PEERS}}
    alike = _alike(clip)
    for name, film in films.items():
        if film is not None:
            told[name] = {"gain": _alike(film) - alike}
            if done.after is not None and done.plan.shake:
                told[name]["left"] = (done.after if name == "ours" else _shake(film)) / done.plan.shake
    return told


def _error(found: Floats, path: Floats) -> float:
    """How far the faster part of a path is off that which was laid on, across and down."""
    off = found - path
    off -= smooth(off, SWAY_S * RATE)
    return float(np.sqrt(np.square(off[:, :2]).sum(axis=1).mean()))


def _shake(film: Path) -> float:
    seen = steady.track(film)
    return shake_of(seen.path, seen.rate)


def _alike(film: Path) -> float:
    greys = (cv2.cvtColor(f.rgb, cv2.COLOR_RGB2GRAY).astype(float) for f in video.frames(film, long_side=480))
    middle = (g[len(g) // 8 : -len(g) // 8, g.shape[1] // 8 : -g.shape[1] // 8] for g in greys)
    apart = [float(np.square(one - other).mean()) for one, other in pairwise(middle)]
    return float(np.mean(10 * np.log10(255**2 / np.maximum(apart, 0.01))))


def _peer(name: str, clip: Path, work: Path) -> Path | None:
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    out, moves = work / f"{name}.mp4", work / "moves.trf"
    said = [program, "-v", "error", "-y", "-i", str(clip)]
    passes = [["-vf", f"vidstabdetect=result={moves}", "-f", "null", "-"], ["-vf", f"vidstabtransform=input={moves}"]]
    chains = passes if name == "vidstab" else [["-vf", "deshake"]]
    for chain in chains:
        ends = [] if chain[-1] == "-" else ["-c:v", "libx264", "-crf", "16", str(out)]
        if subprocess.run([*said, *chain, *ends], check=False, capture_output=True).returncode:
            return None
    return out


def _shots(truth: Path) -> Iterator[tuple[str, list[Bytes]]]:
    """The frames of each shot that is long enough, at most MOST of them, away from its joins."""
    for name, said in json.loads(truth.read_text("utf-8"))["clips"].items():
        gradual = [(s["start"], s["end"]) for key in ("dissolves", "fades") for s in said.get(key, [])]
        joins = sorted([(c - 2, c + 2) for c in said.get("cuts", [])] + gradual)
        kept: list[Bytes] = []
        part = 0
        for still in video.frames(truth.parent / name, long_side=SIDE):
            inside = not any(start <= still.index <= end for start, end in joins)
            if inside and len(kept) < MOST:
                kept.append(still.rgb)
            elif not inside:
                if len(kept) >= LEAST:
                    part += 1
                    yield f"{name} {part}", kept
                kept = []
        if len(kept) >= LEAST:
            yield f"{name} {part + 1}", kept


def _hand(frames: int, amount: float, *, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    at = np.arange(frames) / RATE
    path = np.zeros((frames, 4))
    for column, share in enumerate((1, 1, 0.4, 0.4)):
        for hertz in rng.uniform(1.2, 6, 5):
            path[:, column] += share * amount * rng.normal() * np.sin(2 * np.pi * (hertz * at + rng.random())) / hertz
    return path


def _pan() -> Floats:
    """From side to side of what the window has about it, beginning and ending softly."""
    path = np.zeros((LEAST, 4))
    path[:, 0] = -0.07 * np.sin(np.linspace(-np.pi / 2, np.pi / 2, LEAST))
    return path


def _written(place: Path, frames: list[Bytes], path: Floats) -> Path:
    """Frames through a window that moves, in widths of the window."""
    high, wide = frames[0].shape[:2]
    width, height = (int(side * WINDOW) // 2 * 2 for side in (wide, high))
    middle = np.array([(wide - 1) / 2, (high - 1) / 2])
    with av.open(str(place), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(RATE), options={"crf": "16", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for rgb, (across, down, grow, turn) in zip(frames, path, strict=True):
            cos, sin = np.exp(grow) * np.cos(turn), np.exp(grow) * np.sin(turn)
            way = np.array([[cos, -sin], [sin, cos]])
            to = np.array([(width - 1) / 2 + across * width, (height - 1) / 2 + down * width])
            matrix = np.column_stack((way, to - way @ middle))
            seen = cv2.warpAffine(rgb, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(seen, np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    return place
