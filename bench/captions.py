"""Caption files with known faults.

Whether every rule is found where it is broken and nowhere else, whether files are read to the frame, whether what is
written comes back the same. Beside it: pysubs2 on the same files.

Recipe `captions` of the audio-visual set: SRT, WebVTT and TTML at 23.976, 25 and 29.97. Captions that are made are of
the words of recipe `talks`, as they were said, over shots of one and a half to nine seconds, held to each preset.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import Data, MissingData, Result
from safelight import captions
from safelight.captions import PRESETS, Captions, check
from safelight.errors import SafelightError
from safelight.media.timecode import nearest_frame

RECIPE, TALKS = "captions/truth.json", "talks/truth.json"
SHORT_S = 600  # of talks that are captioned
RATES = (Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001))
MADE_FOR = ("netflix", "netflix_children", "bbc", "dcmp", "plain")


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    path = data.find(RECIPE)
    if path is None:
        raise MissingData(f"{RECIPE} is not there: run recipe `captions` of av.py first")
    items = json.loads(path.read_text("utf-8"))["items"]
    yield from _rules(path.parent, [i for i in items if not i["quirk"]])
    yield from _reading(path.parent, items)
    yield from _writing(path.parent, [i for i in items if not i["quirk"]], data.work)
    yield from _making(data)


def _rules(folder: Path, items: list[dict[str, Any]]) -> Iterable[Result]:
    """Breaches found against those made, over all files, by rule."""
    made: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    false: Counter[str] = Counter()
    on_clean = 0
    for item in items:
        found = captions.read(folder / item["file"])
        said = check(found, PRESETS["netflix"], rate=Fraction(item["fps"]), shots=item["shot_changes"])
        ours = {(b.cue, b.rule) for b in said if not b.soft}
        truth = {(v["cue"], v["rule"]) for v in item["violations"]}
        made.update(rule for _, rule in truth)
        hit.update(rule for _, rule in truth & ours)
        false.update(rule for _, rule in ours - truth)
        on_clean += len(ours) if item["clean"] else 0
    cues = sum(len(i["cues"]) for i in items)
    for rule in sorted(made):
        yield Result(
            name=f"rule.{rule}.recall", value=hit[rule] / made[rule], n=made[rule], bar=1, want="at least",
            note=f"{false[rule]} false in {cues} cues",
        )  # fmt: skip
    yield Result(name="rules.false", value=sum(false.values()), n=cues, unit="breaches", bar=0, want="at most")
    yield Result(name="clean.breaches", value=on_clean, n=sum(i["clean"] for i in items), bar=0, want="at most")


def _making(data: Data) -> Iterable[Result]:
    """Captions made of talks: rules broken, and those that nobody could keep, where more is said in a stretch than may
    be read in it."""
    try:
        paths = data.every(TALKS, recipe="talks")
    except MissingData:
        return
    talks = [i for path in paths for i in json.loads(path.read_text("utf-8"))["items"]]
    talks = [i for i in talks if Fraction(i["duration"]) < SHORT_S]
    for preset in (PRESETS[name] for name in MADE_FOR):
        broken = fast = count = 0
        for number, item in enumerate(talks):
            rate = RATES[number % len(RATES)]
            drawn = np.random.default_rng(number)
            shots, at = [], 0.0
            while (at := at + drawn.uniform(1.5, 9)) < float(Fraction(item["duration"])):
                shots.append(int(at * rate))
            made = captions.make(_words(item), preset, rate=rate, shots=shots)
            said = [b for b in check(made, preset, rate=rate, shots=shots) if not b.soft]
            hasty = sum(b.rule == "reading_speed" for b in said)
            count, broken, fast = count + len(made.cues), broken + len(said) - hasty, fast + hasty
        yield Result(name=f"made.{preset.name}.broken", value=broken, n=count, unit="rules in captions", bar=0,
                     want="at most", note=f"and {fast} where people speak faster than may be read")  # fmt: skip


def _words(item: dict[str, Any]) -> list[captions.Spoken]:
    """What is said, by letters over each sentence's span."""
    found = []
    for sentence in item["sentences"]:
        if sentence["text"] is None:
            continue
        start, end, said = Fraction(sentence["start"]), Fraction(sentence["end"]), sentence["text"].split()
        ends = list(itertools.accumulate((len(w) + 1 for w in said), initial=0))
        times = [start + (end - start) * e / ends[-1] for e in ends]
        texts = [*said[:-1], f"{said[-1]}."]
        found += [captions.Spoken(text=t, start=a, end=b) for t, a, b in zip(texts, times, times[1:], strict=False)]
    return found


def _reading(folder: Path, items: list[dict[str, Any]]) -> Iterable[Result]:
    """Share of cues that are read with their text and to the frame; what a cut-off file has lost does not count."""
    for quirk in (False, True):
        some = [i for i in items if bool(i["quirk"]) is quirk]
        total = sum(len(i["cues"]) - (i["kind"] == "cut_off") for i in some)
        right = sum(_same(_ours(folder / i["file"]), i) for i in some)
        peer = sum(_same(_pysubs2(folder / i["file"], Fraction(i["fps"])), i) for i in some)
        yield Result(
            name="read.damaged" if quirk else "read.exact", value=right / max(total, 1), n=total, unit="of cues",
            bar=1, want="at least", beside={"pysubs2": peer / max(total, 1)},
        )  # fmt: skip


Rows = list[tuple[Fraction, Fraction, str]]


def _same(rows: Rows, item: dict[str, Any]) -> int:
    rate = Fraction(item["fps"])
    told = {(nearest_frame(a, rate), nearest_frame(b, rate), text) for a, b, text in rows}
    accents = item["kind"] == "latin_1"  # the recipe puts accents on words after it wrote their truth down
    if accents:
        told = {(a, b, text.replace("é", "e")) for a, b, text in told}
    return sum((c["start_frame"], c["end_frame"], c["text"]) in told for c in item["cues"])


def _ours(path: Path) -> Rows:
    try:
        return [(c.start, c.end, "\n".join(c.lines)) for c in captions.read(path).cues]
    except SafelightError:
        return []


def _pysubs2(path: Path, rate: Fraction) -> Rows:
    try:
        import pysubs2

        found = pysubs2.load(str(path), fps=float(rate))
    except Exception:  # noqa: BLE001 - a peer that fails reads nothing
        return []
    return [(Fraction(e.start, 1000), Fraction(e.end, 1000), e.plaintext) for e in found]


def _writing(folder: Path, items: list[dict[str, Any]], work: Path) -> Iterable[Result]:
    """Cues from truth, written, read back: the same frames and text."""
    for ending in (".srt", ".vtt", ".ttml"):
        total = right = 0
        for i, item in enumerate(items):
            rate = Fraction(item["fps"])
            whole = captions.read(folder / item["file"])
            cues = tuple(
                captions.Cue(
                    start=c["start_frame"] / rate, end=c["end_frame"] / rate, lines=tuple(c["text"].split("\n"))
                )
                for c in item["cues"]
            )
            cues = tuple(sorted(cues, key=lambda c: (c.start, c.end)))
            path = work / f"{i}{ending}"
            captions.write(path, Captions(cues=cues, language=whole.language), rate=rate)
            total += len(cues)
            right += _same(_ours(path), item)
        yield Result(
            name=f"written.{ending[1:]}.same", value=right / max(total, 1), n=total, unit="of cues", bar=1,
            want="at least",
        )  # fmt: skip
