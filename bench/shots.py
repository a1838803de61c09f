"""Joins of shots on real clips and on the generated reel, in colour and on a grey copy; PySceneDetect beside.

The tables `video/shots.json` and `synthetic/shots/shots.json` of the data. A cut is found within one frame, a gradual
change anywhere in its span; everything else is false. With recipe `reels` of the audio-visual set also generated
programmes, where whip pans, short shots, punch-ins and traps are many.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import Data, MissingData, Result
from safelight.media import container, shots, video
from safelight.media.shots import Join
from safelight.media.video import Still

TABLES = ("video/shots.json", "synthetic/shots/shots.json")
REELS = "reels/truth.json"
SIDE = 256
Spans = list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a clip holds: cuts by frame, gradual changes by span."""

    path: Path
    cuts: list[int]
    gradual: Spans
    optional: Spans  # neither right nor wrong: a fade out of plain grey at the very beginning


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    found = [data.find(table) for table in TABLES]
    clips = [c for table in found if table is not None for c in _clips(table)]
    if not clips:
        raise MissingData(f"neither {' nor '.join(TABLES)} is there")
    yield from _figures("given", clips, grey=False, bars=True)
    yield from _figures("given.grey", clips, grey=True, bars=True)
    reels = data.find(REELS)
    if reels is None:
        yield Result(name="reels.cuts.f1", value=None, n=0, note="run recipe `reels` of av.py first")
    else:
        yield from _figures("reels", list(_reels(reels)), grey=False, bars=False)


def _clips(table: Path) -> Iterator[Truth]:
    said = json.loads(table.read_text("utf-8"))
    if isinstance(said, dict):
        for name, clip in said["clips"].items():
            spans = [(d["start"], d["end"]) for d in clip.get("dissolves", [])]
            fades = [(f["start"], f["end"]) for f in clip.get("fades", [])]
            yield Truth(path=table.parent / name, cuts=clip["cuts"], gradual=spans, optional=fades)
        return
    for clip in said:
        events = clip["events"]
        yield Truth(
            path=table.parent / clip["file"], cuts=[e["frame"] for e in events if e["type"] == "cut"],
            gradual=[(e["start"], e["end"]) for e in events if e["type"] in ("dissolve", "fade_through_black")],
            optional=[],
        )  # fmt: skip


def _reels(table: Path) -> Iterator[Truth]:
    for item in json.loads(table.read_text("utf-8"))["items"]:
        spans = [(j["start_frame"], j["end_frame"]) for j in item["joins"] if j["kind"] != "cut"]
        cuts = [j["frame"] for j in item["joins"] if j["kind"] == "cut"]
        yield Truth(path=table.parent / item["file"], cuts=cuts, gradual=spans, optional=[])


def _figures(name: str, clips: list[Truth], *, grey: bool, bars: bool) -> Iterator[Result]:
    ours, peer = Counter[str](), Counter[str]()
    seconds, frames, peers = 0.0, 0, True
    for clip in clips:
        facts = container.contents(clip.path)
        stills = [_grey(s) if grey else s for s in video.frames(clip.path, long_side=SIDE, facts=facts)]
        began = time.process_time()
        joins = shots.joins(stills)
        seconds += time.process_time() - began
        frames += len(stills)
        ours += _scored(clip, joins)
        theirs = _scenedetect(stills)
        peers = peers and theirs is not None
        peer += _scored(clip, theirs or [])
    cuts, gradual = sum(len(c.cuts) for c in clips), sum(len(c.gradual) for c in clips)
    at_least = {"bar": cuts - 1, "want": "at least"} if bars else {}
    yield Result(name=f"{name}.cuts", value=ours["cuts"], n=cuts, unit="found", beside=_of(peer, "cuts", peers),
                 **at_least)  # type: ignore[arg-type]  # fmt: skip
    yield Result(name=f"{name}.gradual", value=ours["gradual"], n=gradual, unit="found",
                 beside=_of(peer, "gradual", peers),
                 **({"bar": gradual, "want": "at least"} if bars else {}))  # type: ignore[arg-type]  # fmt: skip
    yield Result(name=f"{name}.false", value=ours["false"], n=frames, unit="joins", beside=_of(peer, "false", peers),
                 **({"bar": 0, "want": "at most"} if bars else {}))  # type: ignore[arg-type]  # fmt: skip
    scores = [2 * c["cuts"] / max(cuts + c["cuts"] + c["false"], 1) for c in (ours, peer)]
    yield Result(name=f"{name}.cuts.f1", value=scores[0], n=cuts,
                 beside={"scenedetect_content": scores[1]} if peers else {})  # fmt: skip
    yield Result(name=f"{name}.ms_a_frame", value=1e3 * seconds / frames, n=frames, unit="ms", bar=1, want="at most",
                 note="beyond decoding")  # fmt: skip


def _of(peer: Counter[str], key: str, there: bool) -> dict[str, float]:
    return {"scenedetect_content": float(peer[key])} if there else {}


def _grey(still: Still) -> Still:
    level = still.rgb.mean(2, keepdims=True).astype(np.uint8)
    return replace(still, rgb=np.repeat(level, 3, axis=2))


def _scored(clip: Truth, joins: list[Join]) -> Counter[str]:
    left = list(joins)
    scored: Counter[str] = Counter()

    def take(fits: Callable[[Join], bool]) -> bool:
        match = next((j for j in left if fits(j)), None)
        if match is not None:
            left.remove(match)
        return match is not None

    for cut in clip.cuts:
        scored["cuts"] += take(partial(_hits, cut=cut))
    for start, end in clip.gradual:
        scored["gradual"] += take(partial(_within, start=start, end=end))
    inside = (*clip.gradual, *clip.optional)
    scored["false"] += sum(not any(j.start <= end and start <= j.frame for start, end in inside) for j in left)
    return scored


def _hits(join: Join, *, cut: int) -> bool:
    return join.kind == "cut" and abs(join.frame - cut) <= 1


def _within(join: Join, *, start: int, end: int) -> bool:
    return join.start <= end and start <= join.frame


def _scenedetect(stills: list[Still]) -> list[Join] | None:
    """PySceneDetect's detector of content, one setting, on the same small frames."""
    try:
        from scenedetect import ContentDetector, FrameTimecode
    except ImportError:
        return None
    detector = ContentDetector(min_scene_len=3)
    found: list[int] = []
    for still in stills:
        at: Any = FrameTimecode(still.index, 25.0)
        found += [int(t.frame_num) for t in detector.process_frame(at, np.ascontiguousarray(still.rgb[..., ::-1]))]
    return [Join(kind="cut", start=f, frame=f, score=1.0) for f in found]
