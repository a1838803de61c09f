"""Pauses shortened in made talks: is a word ever touched, is the pause as asked, how many pauses are found; are takes
that are said again seen; are the words beside the joins heard back.

Recipe `talks` of the audio-visual set knows every span of speech by the energy of the clean recordings, also where
room tone lies over it. Three paces at eight rates. Beside it on the same files: a fixed threshold of 4 % of full scale
with 0.2 s on both sides, the usual setting of silence cutters. The shorter talks are heard by the packaged recogniser,
as a first pass hears them, the noisy ones too: what is cut in noise rests on all witnesses.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench import _bitten, _listened
from bench.harness import Data, Result
from safelight import cutting, hearing, weights
from safelight.cutting import PACES, Plan, Spoken, Talk, Word, assembly, bites, heard_back, joined
from safelight.cutting.assembly import Material, Piece
from safelight.domain import Measure
from safelight.media import container, sound
from safelight.media.runs import runs
from safelight.speech import activity, lulls, moonshine

RECIPE = "talks/truth.json"
RATES = (
    Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(48), Fraction(50),
    Fraction(60000, 1001),
)  # fmt: skip
USUAL = Fraction(25)
LONGEST_S = 600  # of a talk that is heard
TOO_FAR_S = (Fraction(1, 4), Fraction(1, 10))
FLAGS = ("suspect_word", "sound_without_words", "two_witnesses")
WRITTEN = 0.75  # share of the words of two takes that are written down, below which one was swallowed
FIXED, MARGIN_S = 0.04, 0.2
TOLERANCE_S = 0.01  # of the truth's own window
Span: TypeAlias = tuple[float, float]


def run(data: Data) -> Iterable[Result]:
    """All figures, clean and noisy talks apart."""
    found = data.every(RECIPE, recipe="talks")
    talks = [(path.parent, item) for path in found for item in json.loads(path.read_text("utf-8"))["items"]]
    for name, noisy in (("quiet_room", False), ("noisy", True)):
        yield from _figures(name, [(f, i) for f, i in talks if (i["noise"] is not None) == noisy])
    yield from _in_noise([(f, i) for f, i in talks if i["noise"] is not None and Fraction(i["duration"]) < LONGEST_S])
    yield from _takes([i for _, i in talks])
    yield from _heard_talks([(f, i) for f, i in talks if i["noise"] is None and Fraction(i["duration"]) < LONGEST_S])


def _figures(name: str, talks: Sequence[tuple[Path, dict[str, Any]]]) -> Iterator[Result]:
    cuts = damaged = peer_cuts = peer_damaged = longer = shortened = said = hurt = peer_hurt = 0
    worst, off, cut_s = 0.0, [], 0.0
    for folder, item in talks:
        room = cutting.room(cutting.measure(folder / item["file"]))
        speech = [(float(Fraction(s["start"])), float(Fraction(s["end"]))) for s in item["speech"]]
        others = _fixed(folder / item["file"])
        peer_cuts += len(others)
        peer_damaged += sum(_inside(span, speech) > TOLERANCE_S for span in others)
        words, peer_hurt = _said(item), peer_hurt + _hurt(_said(item), others, speech)
        said += len(words)
        for rate in RATES:
            for pace in cutting.PACES.values():
                plan = cutting.tighten(room, pace=pace, rate=rate, length=int(room.end * rate))
                inside = [_inside(span, speech) for span in _spans(plan)]
                cuts, damaged = cuts + len(inside), damaged + sum(i > TOLERANCE_S for i in inside)
                worst, cut_s = max([worst, *inside]), cut_s + plan.saved_s
                if rate == USUAL and pace is cutting.PACES["balanced"]:
                    hurt += _hurt(words, _spans(plan), speech)
                off += [float(abs(Fraction(c.leaves_s or 0) - pace.sentence) * rate) for c in plan.cuts]
                gaps = [(a, b) for (_, a), (b, _) in pairwise(speech) if b - a > pace.longer + 0.2]
                longer += len(gaps)
                shortened += sum(any(a < e and b > s for s, e in _spans(plan)) for a, b in gaps)
    yield Result(name=f"{name}.cuts_in_speech", value=damaged, n=cuts, unit="cuts", bar=0, want="at most",
                 beside={"fixed_threshold": peer_damaged}, note=f"the fixed threshold: of {peer_cuts}")  # fmt: skip
    yield Result(name=f"{name}.words_damaged", value=hurt, n=said, unit="words", bar=0, want="at most",
                 beside={"fixed_threshold": peer_hurt}, note="balanced pace at 25 frames a second")  # fmt: skip
    yield Result(name=f"{name}.most_speech_in_a_cut", value=worst, n=cuts, unit="s")
    yield Result(name=f"{name}.pauses_shortened", value=shortened / max(longer, 1), n=longer, unit="of long pauses")
    yield Result(name=f"{name}.pause_left.largest_error", value=max(off, default=None), n=len(off), unit="frames",
                 bar=1, want="at most", note="against what was asked, of the pause as heard")  # fmt: skip


def _in_noise(talks: Sequence[tuple[Path, dict[str, Any]]]) -> Iterator[Result]:
    """Noisy talks as a first pass cuts them: by words, voices, levels, and what a denoiser leaves."""
    if not {moonshine.NAME, activity.NAME, lulls.NAME} <= set(weights.installed()):
        return
    cuts = damaged = longer = shortened = 0
    worst, off, saved = 0.0, [], 0.0
    for folder, item in talks:
        talk = _hear(folder / item["file"])
        speech = [(float(Fraction(s["start"])), float(Fraction(s["end"]))) for s in item["speech"]]
        for rate in RATES:
            for pace in cutting.PACES.values():
                plan = replace(talk, rate=rate, length=int(talk.room.end * rate)).tightened(pace)
                inside = [_inside(span, speech) for span in _spans(plan)]
                cuts, damaged = cuts + len(inside), damaged + sum(i > TOLERANCE_S for i in inside)
                worst, saved = max([worst, *inside]), saved + plan.saved_s
                off += [
                    float(abs(Fraction(c.leaves_s or 0) - 2) * rate) for c in plan.cuts if c.rule == "pause_in_noise"
                ]
                gaps = [(a, b) for (_, a), (b, _) in pairwise(speech) if b - a > pace.longer + 0.2]
                longer += len(gaps)
                shortened += sum(any(a < e and b > s for s, e in _spans(plan)) for a, b in gaps)
    yield Result(name="noisy.heard.cuts_in_speech", value=damaged, n=cuts, unit="cuts", bar=0, want="at most",
                 note="all witnesses")  # fmt: skip
    yield Result(name="noisy.heard.most_speech_in_a_cut", value=worst, n=cuts, unit="s")
    yield Result(name="noisy.heard.pauses_shortened", value=shortened / max(longer, 1), n=longer,
                 unit="of long pauses")  # fmt: skip
    yield Result(name="noisy.heard.pause_left.largest_error", value=max(off, default=None), n=len(off), unit="frames",
                 bar=1, want="at most", note="against the two seconds that stay of a lull")  # fmt: skip


def _spans(plan: Plan) -> list[Span]:
    return [(float(c.start / plan.rate), float(c.end / plan.rate)) for c in plan.cuts]


def _inside(span: Span, speech: Sequence[Span]) -> float:
    """Seconds of speech within a span."""
    return sum(max(0.0, min(span[1], e) - max(span[0], s)) for s, e in speech)


def _hurt(words: Sequence[Word], cuts: Sequence[Span], speech: Sequence[Span]) -> int:
    """Words of which a cut takes something that is speech by its energy."""
    taken = [(max(a, s), min(b, e)) for a, b in cuts for s, e in speech if min(b, e) - max(a, s) > TOLERANCE_S]
    return sum(any(w.start < b and w.end > a for a, b in taken) for w in words)


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


# ---------------------------------------------------------------- talks as the recogniser hears them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Talk:
    path: Path
    item: dict[str, Any]
    talk: Talk


def _heard_talks(talks: Sequence[tuple[Path, dict[str, Any]]]) -> Iterator[Result]:
    if moonshine.NAME not in weights.installed() or activity.NAME not in weights.installed():
        return
    heard = [_Talk(path=folder / item["file"], item=item, talk=_hear(folder / item["file"])) for folder, item in talks]
    yield from _retakes(heard)
    yield from _heard_back(heard)


def _hear(path: Path) -> Talk:
    """A talk as a first pass knows it."""
    with tempfile.TemporaryDirectory() as folder:
        made = hearing.prepare(hearing.Listen(asset="talk", full=path, place=Path(folder), seconds=LONGEST_S))
        rows = [w for piece in made.pieces for w in hearing.hear(piece).words]
    facts = {m.name: m for m in made.measures}
    facts["words"] = Measure(name="words", value={"whole": True, "words": rows})
    found = Talk.of(facts, Fraction(int(made.seconds * 1000), 1000))
    assert isinstance(found, Talk)
    return found


def _retakes(heard: Sequence[_Talk]) -> Iterator[Result]:
    """Takes said again: found, or some flag where they are; those of which one was not written down apart."""
    asked = seen = swallowed = flagged = flags = chance = 0
    minutes = 0.0
    for one in heard:
        talk, item = one.talk, one.item
        plan = talk.tightened(PACES["balanced"])
        doubts = [(d.start / talk.rate, d.end / talk.rate) for d in plan.doubts if d.rule in FLAGS]
        takes = [(talk.words[t.goes[0]].start, talk.words[t.goes[1] - 1].end) for t in talk.takes()]
        said = {s["number"]: s for s in item["sentences"]}
        for again in item["retakes"]:
            first, last = said[again["first"]], said[again["again"]]
            span = Fraction(first["start"]), Fraction(last["end"])
            hit = any(a < span[1] and b > span[0] for a, b in (*takes, *doubts))
            asked, seen = asked + 1, seen + hit
            count = sum(span[0] <= w.start < span[1] for w in talk.words)
            if first["text"] is not None and count < WRITTEN * 2 * len(first["text"].split()):
                swallowed, flagged = swallowed + 1, flagged + hit
        if not item["retakes"]:
            minutes += float(Fraction(item["duration"])) / 60
            flags, chance = flags + len(doubts), chance + len(takes)
    yield Result(name="heard.retakes.seen", value=seen / max(asked, 1), n=asked, bar=0.8, want="at least",
                 note="found as a take, or flagged where it is; words as recognised")  # fmt: skip
    yield Result(name="heard.swallowed.flagged", value=flagged / swallowed if swallowed else None, n=swallowed, bar=0.8,
                 want="at least",
                 note=f"whole takes of which less than {WRITTEN:.0%} of the words were written down")  # fmt: skip
    yield Result(name="heard.flags_in_10_minutes", value=10 * flags / max(minutes, 1e-9), n=round(minutes), bar=2,
                 want="at most",
                 note=f"talks without retakes; {chance} more where one recording was drawn twice in a row")  # fmt: skip


def _heard_back(heard: Sequence[_Talk]) -> Iterator[Result]:
    """Words beside the joins: how many are heard, and how many bites are noticed."""
    expected = found = told = silent = noticed = 0
    minutes = 0.0
    strict = _listened.Count()
    far: dict[Fraction, list[int]] = {by: [0, 0] for by in TOO_FAR_S}
    for one in heard:
        talk = one.talk
        plan = talk.tightened(PACES["balanced"])
        material = Material(path=one.path, facts=container.contents(one.path), rate=talk.rate, length=talk.length,
                            words=talk.words)  # fmt: skip
        made = assembly.assemble([material], [Piece(clip=0, start=a, end=b) for a, b in plan.kept], name="talk")
        if not assembly.joins(made):
            continue
        files = weights.installed()
        with joined.heard(made, rate=heard_back.RATE) as sounds:
            good = heard_back.listen(made, sounds, moonshine.recogniser, files)
            bitten = _bitten.Bitten(sounds, _bitten.spans(made))
            bad = heard_back.listen(made, bitten, moonshine.recogniser, files)
        _listened.count(made, _said(one.item), strict)
        expected, found, told = expected + good.expected, found + good.found, told + len(good.differences)
        minutes += made.programme.length / float(made.programme.rate) / 60
        silent += len(bitten.spans)
        places = [d.at / made.programme.rate for d in bad.differences]
        noticed += sum(any(abs(at - a) < 1 for at in places) for a, _ in bitten.spans)
        for by, row in far.items():
            cut, joins = _bitten.too_far(made, by)
            with joined.heard(cut, rate=heard_back.RATE) as sounds:
                seen = bites.bites(cut, sounds, Spoken.of(assembly.programme_words(cut)), files)
            ats = [assembly.joins(cut)[n][0] for n in joins]
            row[0] += sum(any(abs(d.at - at) < cut.programme.rate for d in seen) for at in ats)
            row[1] += len(joins)
    yield from _listened.results(strict)
    yield Result(name="heard_back.found", value=found / max(expected, 1), n=expected, bar=0.99, want="at least",
                 note="words within 1.5 s of a join, as the product listens: two hearings and alignment")  # fmt: skip
    yield Result(name="heard_back.told_in_10_minutes", value=10 * told / max(minutes, 1e-9), n=round(minutes),
                 unit="differences", bar=2, want="at most",
                 note=f"false alarms of the same listening: {told} in all, nothing is bitten")  # fmt: skip
    yield Result(name="heard_back.bites_noticed", value=noticed / max(silent, 1), n=silent,
                 note=f"{float(_bitten.SILENT_S):g} s gone silent at an end of a word beside a join")  # fmt: skip
    for by, (hits, count) in far.items():
        yield Result(name=f"heard_back.too_far.{float(by):g}_s", value=hits / max(count, 1), n=count, bar=0.8,
                     want="at least", note="cuts that reach so far into a word, noticed by sound alone")  # fmt: skip


def _said(item: dict[str, Any]) -> list[Word]:
    """What is said by the truth, by letters over each sentence's span."""
    words: list[Word] = []
    for s in item["sentences"]:
        if s["text"] is None:
            continue
        start, end, said = Fraction(s["start"]), Fraction(s["end"]), s["text"].split()
        ends = list(accumulate((len(w) + 1 for w in said), initial=0))
        times = [start + (end - start) * e / ends[-1] for e in ends]
        words += [Word(text=t, start=a, end=b) for t, a, b in zip(said, times, times[1:], strict=False)]
    return words
