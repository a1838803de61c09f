"""Joins of shots on real clips and on generated programmes, in colour and on a grey copy; PySceneDetect beside.

The tables `video/shots.json` and `synthetic/shots/shots.json` of the data. A cut is found within one frame, a gradual
change anywhere in its span; everything else is false. With recipe `reels` of the audio-visual set also generated
programmes, where whip pans, short shots, punch-ins and traps are many. Films whose sources went into the fit are
judged by the networks of the fold that did not see them.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import _shot_facts
from bench._heldout import FOLDS
from bench.harness import Data, MissingData, Result
from safelight.media import container, video
from safelight.media.video import Still
from safelight.probes import shots
from safelight.probes._shots import joins, net
from safelight.probes._shots.joins import Trust
from safelight.probes.shots import Into, Join, Thumb

TABLES = ("video/shots.json", "synthetic/shots/shots.json")
REELS = "reels/truth.json"
SIDE = 256  # px of the frames that the peers are given
SHORTEST = 3  # frames of a shot, which the peers are told
BINS = 10
TIMES = 2  # how often a clip is decoded and looked at: the better time counts, for a difference of two is small
OTHERS = ("wipe", "whip_pan")  # joins for which no bar is set
Spans = list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a clip holds: cuts by frame, gradual changes by span and kind."""

    path: Path
    cuts: list[int]
    gradual: Spans
    optional: Spans  # neither right nor wrong: a fade out of plain grey at the very beginning, a whip pan, a wipe
    sources: Sequence[str] = ()
    others: dict[str, Spans] = field(default_factory=dict)  # of them: wipes and whip pans


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    found = [data.find(table) for table in TABLES]
    clips = [c for table in found if table is not None for c in _clips(table)]
    if not clips:
        raise MissingData(f"neither {' nor '.join(TABLES)} is there")
    yield from _figures("given", clips, grey=False)
    yield from _figures("given.grey", clips, grey=True)
    reels = data.find(REELS)
    if reels is None:
        yield Result(name="reels.cuts.f1", value=None, n=0, note="run recipe `reels` of av.py first")
    else:
        yield from _figures("reels", list(_reels(reels)), grey=False)
    yield from _shot_facts.run(data)


def _clips(table: Path) -> Iterator[Truth]:
    said = json.loads(table.read_text("utf-8"))
    if isinstance(said, dict):
        for name, clip in said["clips"].items():
            spans = [(d["start"], d["end"]) for d in clip.get("dissolves", [])]
            fades = [(f["start"], f["end"]) for f in clip.get("fades", [])]
            yield Truth(path=table.parent / name, cuts=clip["cuts"], gradual=spans, optional=fades,
                        sources=[f"{table.parent.name}/{name}"])  # fmt: skip
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
        spans: dict[bool, Spans] = {True: [], False: []}
        for join in item["joins"]:
            if join["kind"] != "cut":
                asked = join["kind"].startswith(("dissolve", "fade"))
                spans[asked].append((join["start_frame"], join["end_frame"]))
        cuts = [j["frame"] for j in item["joins"] if j["kind"] == "cut"]
        others = {
            kind: [(j["start_frame"], j["end_frame"]) for j in item["joins"] if j["kind"] == kind] for kind in OTHERS
        }
        yield Truth(path=table.parent / item["file"], cuts=cuts, gradual=spans[True], optional=spans[False],
                    sources=item["sources"], others=others)  # fmt: skip


def _figures(name: str, clips: list[Truth], *, grey: bool) -> Iterator[Result]:
    ours, peers = Counter[str](), {peer: Counter[str]() for peer in _peers()}
    seconds, frames, minutes = 0.0, 0, 0.0
    believed: list[tuple[float, bool]] = []
    for clip in clips:
        facts = container.contents(clip.path)
        rate = facts.picture.rate if facts.picture else None
        nets, trust = _model(tuple(clip.sources))
        alone, looked = [], []
        for _ in range(TIMES):
            began = time.process_time()
            count = sum(1 for _ in video.planes(clip.path, facts=facts))
            alone.append(time.process_time() - began)
            began = time.process_time()
            found = joins.find(_thumbs(clip.path, facts, grey=grey), rate, nets=nets, trust=trust)
            looked.append(time.process_time() - began)
        seconds += min(looked) - min(alone)
        frames += count
        minutes += count / float(rate or 25) / 60
        scored, rights = _scored(clip, found)
        ours += scored
        ours += _others(clip, found)
        believed += rights
        for peer, theirs in _theirs(clip.path, facts, grey=grey).items():
            peers[peer] += _scored(clip, theirs)[0]
    cuts, gradual = sum(len(c.cuts) for c in clips), sum(len(c.gradual) for c in clips)
    given = name != "reels"
    yield _result(f"{name}.cuts", ours["cuts"], cuts, _beside(peers, "cuts"), "found", cuts - 1 if given else None)
    yield _result(f"{name}.gradual", ours["gradual"], gradual, _beside(peers, "gradual"), "found",
                  gradual if given else None)  # fmt: skip
    yield _result(f"{name}.false", ours["false"] + ours["false gradual"], frames, _beside(peers, "false"), "joins",
                  0 if given else None, want="at most")  # fmt: skip
    f1 = {peer: _f1(found, cuts) for peer, found in peers.items()}
    yield _result(f"{name}.cuts.f1", _f1(ours, cuts), cuts, f1, "", None if given else 0.97)
    if f1:
        yield _result(f"{name}.cuts.ahead", 100 * (_f1(ours, cuts) - max(f1.values())), cuts, {}, "points", 3)
    if not given:
        yield _result(f"{name}.gradual.recall", ours["gradual"] / max(gradual, 1), gradual, {}, "", 0.85)
        yield _result(f"{name}.gradual.false", 10 * ours["false gradual"] / minutes, frames, {}, "in 10 min", 1,
                      want="at most")  # fmt: skip
        for kind in OTHERS:
            count = sum(len(c.others.get(kind, ())) for c in clips)
            yield _result(f"{name}.{kind}.recall", ours[kind] / max(count, 1), count, {}, "", None)
        yield _result(f"{name}.wipe.false", 10 * ours["false wipe"] / minutes, ours["told wipe"], {}, "in 10 min", 0.3,
                      want="at most", note="told as wipes where nothing gradual is")  # fmt: skip
        yield _result(f"{name}.ece", _calibration_error(believed), len(believed), {}, "", 0.05, want="at most")
    yield _result(f"{name}.ms_a_frame", 1e3 * seconds / frames, frames, {}, "ms", 1, want="at most",
                  note="beyond decoding")  # fmt: skip


def _result(
    name: str, value: float, n: int, beside: dict[str, float], unit: str, bar: float | None, *,
    want: str = "at least", note: str = "",
) -> Result:  # fmt: skip
    held: dict[str, Any] = {} if bar is None else {"bar": bar, "want": want}
    return Result(name=name, value=value, n=n, unit=unit, beside=beside, note=note, **held)


def _beside(peers: dict[str, Counter[str]], key: str) -> dict[str, float]:
    return {f"scenedetect_{peer}": float(found[key] + found[f"{key} gradual"]) for peer, found in peers.items()}


def _f1(found: Counter[str], cuts: int) -> float:
    """Of hard cuts."""
    return 2 * found["cuts"] / max(cuts + found["cuts"] + found["false"], 1)


def _calibration_error(believed: list[tuple[float, bool]]) -> float:
    """Expected calibration error of what was told, over bins of one width."""
    chance, right = np.array([c for c, _ in believed]), np.array([r for _, r in believed], float)
    at = np.minimum((chance * BINS).astype(int), BINS - 1)
    gaps = [abs(float((chance - right)[at == n].sum())) for n in range(BINS)]
    return sum(gaps) / max(len(believed), 1)


@cache
def _model(sources: tuple[str, ...]) -> tuple[Sequence[net.Net], dict[Into, Trust]]:
    """The networks and chances of the fold that saw none of these sources; those that ship if no fold did."""
    folds = json.loads((FOLDS / "shots.folds.json").read_text("utf-8"))["folds"]
    both = net.read((FOLDS / "shots.folds.npz").read_bytes())
    each = len(both) // len(folds)
    seen = [n for n, fold in enumerate(folds) if set(fold["sources"]) & set(sources)]
    if not seen:
        return net.fitted(), dict(shots.trust())
    if len(seen) > 1:
        raise MissingData(f"every fold saw one of {', '.join(sources)}")
    held = folds[seen[0]]
    nets = both[seen[0] * each : (seen[0] + 1) * each]
    return nets, {Into(kind): Trust(**values) for kind, values in held["trust"].items()}


def _thumbs(path: Path, facts: container.Contents, *, grey: bool) -> Iterator[Thumb]:
    for shown in video.planes(path, facts=facts):
        small = shots.thumb(shown.luma, shown.cb, shown.cr)
        yield replace(small, colour=np.full_like(small.colour, 128)) if grey else small


def _grey(still: Still) -> Still:
    level = still.rgb.mean(2, keepdims=True).astype(np.uint8)
    return replace(still, rgb=np.repeat(level, 3, axis=2))


def _scored(clip: Truth, found: list[Join]) -> tuple[Counter[str], list[tuple[float, bool]]]:
    """What was found, and for each join that was told its chance and whether it is one."""
    left, believed = list(found), []
    scored: Counter[str] = Counter()

    def take(fits: Callable[[Join], bool]) -> bool:
        match = next((j for j in left if fits(j)), None)
        if match is not None:
            left.remove(match)
            believed.append((match.score, True))
        return match is not None

    for cut in clip.cuts:
        scored["cuts"] += take(partial(_hits, cut=cut))
    for start, end in clip.gradual:
        scored["gradual"] += take(partial(_within, start=start, end=end))
    for join in left:
        right = any(_within(join, start=start, end=end) for start, end in (*clip.gradual, *clip.optional))
        believed.append((join.score, right))
        if not right:
            scored["false" if join.into is Into.CUT else "false gradual"] += 1
    return scored, believed


def _others(clip: Truth, found: list[Join]) -> Counter[str]:
    """Wipes and whip pans within which something was told; and what was told as a wipe where there is nothing."""
    met: Counter[str] = Counter()
    for kind, spans in clip.others.items():
        met[kind] = sum(any(_within(j, start=start, end=end) for j in found) for start, end in spans)
    wipes = [j for j in found if j.into is Into.WIPE]
    spans = [*clip.gradual, *clip.optional]
    met["told wipe"] = len(wipes)
    met["false wipe"] = sum(not any(_within(j, start=start, end=end) for start, end in spans) for j in wipes)
    return met


def _hits(join: Join, *, cut: int) -> bool:
    return join.into is Into.CUT and abs(join.frame - cut) <= 1


def _within(join: Join, *, start: int, end: int) -> bool:
    return join.start <= end and start <= join.frame


def _peers() -> dict[str, Any]:
    """PySceneDetect's detectors, each with one setting."""
    try:
        from scenedetect import AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector
    except ImportError:
        return {}
    made = {"content": ContentDetector, "adaptive": AdaptiveDetector, "hash": HashDetector,
            "histogram": HistogramDetector}  # fmt: skip
    return {name: make(min_scene_len=SHORTEST) for name, make in made.items()}


def _theirs(path: Path, facts: container.Contents, *, grey: bool) -> dict[str, list[Join]]:
    """What they find in the same small frames."""
    detectors = _peers()
    if not detectors:
        return {}
    from scenedetect import FrameTimecode

    found: dict[str, list[int]] = {name: [] for name in detectors}
    for still in video.frames(path, long_side=SIDE, facts=facts):
        at: Any = FrameTimecode(still.index, 25.0)
        bgr = np.ascontiguousarray((_grey(still) if grey else still).rgb[..., ::-1])
        for name, detector in detectors.items():
            found[name] += [int(t.frame_num) for t in detector.process_frame(at, bgr)]
    return {
        name: [Join(into=Into.CUT, start=f, frame=f, score=1.0) for f in sorted(set(frames))]
        for name, frames in found.items()
    }
