"""Pauses shortened in made talks: is a word ever touched, is the pause as asked, how many pauses are found.

Recipe `talks` of the audio-visual set knows every span of speech by the energy of the clean recordings, also where
room tone lies over it. Three paces at four rates. Beside it on the same files: a fixed threshold of 4 % of full scale
with 0.2 s on both sides, the usual setting of silence cutters.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench.harness import Data, Result
from safelight import cutting
from safelight.cutting import Plan, Word
from safelight.media import sound
from safelight.media.runs import runs

RECIPE = "talks/truth.json"
RATES = (Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(50))
FIXED, MARGIN_S = 0.04, 0.2
TOLERANCE_S = 0.01  # of the truth's own window
Span: TypeAlias = tuple[float, float]


def run(data: Data) -> Iterable[Result]:
    """All figures, clean and noisy talks apart."""
    found = data.every(RECIPE, recipe="talks")
    talks = [(path.parent, item) for path in found for item in json.loads(path.read_text("utf-8"))["items"]]
    for name, noisy in (("quiet_room", False), ("noisy", True)):
        yield from _figures(name, [(f, i) for f, i in talks if (i["noise"] is not None) == noisy])
    yield from _takes([i for _, i in talks])


def _figures(name: str, talks: Sequence[tuple[Path, dict[str, Any]]]) -> Iterator[Result]:
    cuts = damaged = peer_cuts = peer_damaged = longer = shortened = 0
    worst, off, cut_s = 0.0, [], 0.0
    for folder, item in talks:
        room = cutting.room(cutting.measure(folder / item["file"]))
        speech = [(float(Fraction(s["start"])), float(Fraction(s["end"]))) for s in item["speech"]]
        others = _fixed(folder / item["file"])
        peer_cuts += len(others)
        peer_damaged += sum(_inside(span, speech) > TOLERANCE_S for span in others)
        for rate in RATES:
            for pace in cutting.PACES.values():
                plan = cutting.tighten(room, pace=pace, rate=rate, length=int(room.end * rate))
                inside = [_inside(span, speech) for span in _spans(plan)]
                cuts, damaged = cuts + len(inside), damaged + sum(i > TOLERANCE_S for i in inside)
                worst, cut_s = max([worst, *inside]), cut_s + plan.saved_s
                asked = float(pace.sentence)
                off += [abs(float(c.leaves_s or 0) - asked) * float(rate) for c in plan.cuts]
                gaps = [(a, b) for (_, a), (b, _) in pairwise(speech) if b - a > pace.longer + 0.2]
                longer += len(gaps)
                shortened += sum(any(a < e and b > s for s, e in _spans(plan)) for a, b in gaps)
    yield Result(name=f"{name}.cuts_in_speech", value=damaged, n=cuts, unit="cuts", bar=0, want="at most",
                 beside={"fixed_threshold": peer_damaged}, note=f"the fixed threshold: of {peer_cuts}")  # fmt: skip
    yield Result(name=f"{name}.most_speech_in_a_cut", value=worst, n=cuts, unit="s")
    yield Result(name=f"{name}.pauses_shortened", value=shortened / max(longer, 1), n=longer, unit="of long pauses")
    yield Result(name=f"{name}.pause_left.largest_error", value=max(off, default=None), n=len(off), unit="frames",
                 bar=1, want="at most", note="against what was asked, of the pause as heard")  # fmt: skip


def _spans(plan: Plan) -> list[Span]:
    return [(float(c.start / plan.rate), float(c.end / plan.rate)) for c in plan.cuts]


def _inside(span: Span, speech: Sequence[Span]) -> float:
    """Seconds of speech within a span."""
    return sum(max(0.0, min(span[1], e) - max(span[0], s)) for s, e in speech)


def _fixed(path: Path) -> list[Span]:
    """What a threshold on the peak of each 25th of a second would cut."""
    heard = sound.read(path, mono=True)
    size = heard.rate // 25
    wave = np.abs(heard.samples[: len(heard.samples) // size * size, 0]).reshape(-1, size).max(1)
    loud = wave >= FIXED
    reach = round(MARGIN_S * 25)
    kept = np.convolve(loud, np.ones(2 * reach + 1), "same") > 0
    return [(a / 25, b / 25) for a, b in runs(~kept) if b - a >= reach]


def _takes(items: Sequence[dict[str, Any]]) -> Iterator[Result]:
    """Whole sentences said again, found from the words as they were said."""
    asked = found = flags = chance = 0
    minutes = 0.0
    for item in items:
        words: list[Word] = []
        spans = {}
        for s in item["sentences"]:
            if s["text"] is None:
                continue
            start, end = Fraction(s["start"]), Fraction(s["end"])
            said = s["text"].split()
            each = (end - start) / len(said)
            spans[s["number"]] = (len(words), len(words) + len(said))
            words += [
                Word(text=w + ("." if i + 1 == len(said) else ""), start=start + i * each, end=start + (i + 1) * each)
                for i, w in enumerate(said)
            ]
        found_takes = cutting.takes(words)
        goes = {t.goes for t in found_takes}
        whole = {spans[r["first"]] for r in item["retakes"] if r["kind"] == "whole" and r["first"] in spans}
        asked, found = asked + len(whole), found + len(whole & goes)
        if not item["retakes"]:
            same = {(spans[a], spans[b]) for a, b in item["repeats"] if a in spans and b in spans}
            minutes += float(Fraction(item["duration"])) / 60
            chance += sum((t.goes, t.stays) in same for t in found_takes)
            flags += sum((t.goes, t.stays) not in same for t in found_takes)
    yield Result(name="takes.whole.found", value=found / max(asked, 1), n=asked, bar=0.8, want="at least",
                 note="from the words as said")  # fmt: skip
    yield Result(name="takes.flags_in_10_minutes", value=10 * flags / max(minutes, 1e-9), n=round(minutes), bar=2,
                 want="at most",
                 note=f"talks without retakes; {chance} more where one recording was drawn twice in a row")  # fmt: skip
