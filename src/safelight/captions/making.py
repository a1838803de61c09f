"""Captions out of words: which words share a caption, how its lines break, when it shows, all within one preset.

Every way to part the words is weighed, from the first word to the last (dynamic programming): a caption that would
break a rule costs more than any that does not, and among those that keep all rules breaks at sentences, commas and
pauses cost least. Source of the order of line breaks: Netflix timed text style guide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

from safelight.captions.cue import Captions, Cue
from safelight.captions.rules import HANGING, Preset
from safelight.media.timecode import nearest_frame

JOINS = frozenset({"and", "but", "or", "nor", "so", "because", "if", "when", "while", "that", "which", "who", "where"})
LEADS = frozenset({"of", "to", "in", "on", "at", "by", "for", "with", "from", "into", "over", "under", "about", "as"})
BROKEN = 1000.0  # what a broken rule costs; a break in the middle of a phrase costs a few
PAUSE_S, LONG_PAUSE_S = Fraction(3, 10), Fraction(3, 2)  # a pause that invites a break; one that a caption never spans
LINGER_S = Fraction(3, 10)  # a caption stays so long after its last word where there is room
MOST_WORDS = 40  # in a caption, whatever its preset allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A word as it was heard, seconds of the clip. A change of `speaker` ends a caption."""

    text: str
    start: Fraction
    end: Fraction
    speaker: str | None = None


def make(
    words: Sequence[Spoken], preset: Preset, *, rate: Fraction, shots: Sequence[int] = (), language: str | None = None
) -> Captions:
    """The captions of a clip at `rate` frames a second. `shots`: first frames of shots. What cannot be said in time
    within the rules (somebody speaks too fast) breaks one: `check` tells which."""
    frames = _Frames(words, preset, rate, tuple(sorted(shots)))
    count = len(words)
    best: list[tuple[float, int, tuple[int, int]]] = [(0.0, 0, (0, 0))]
    for end in range(1, count + 1):
        found = [
            (best[start][0] + cost, start, times)
            for start in range(max(end - MOST_WORDS, 0), end)
            if (weighed := frames.weigh(start, end)) is not None
            for cost, times in [weighed]
        ]
        best.append(min(found))
    cues: list[Cue] = []
    at = count
    while at > 0:
        _, start, (first, last) = best[at]
        lines = broken([w.text for w in words[start:at]], preset)
        cues.append(Cue(start=first / rate, end=last / rate, lines=tuple(lines or [_text(words[start:at])])))
        at = start
    return Captions(cues=tuple(reversed(cues)), language=language, rate=rate)


def broken(words: Sequence[str], preset: Preset) -> list[str] | None:
    """Words as lines, the lower one the longer, broken where they part most easily; None where they do not fit."""
    whole = " ".join(words)
    if len(whole) <= preset.line_characters:
        return [whole]
    if preset.lines < 2:
        return None
    ways: list[tuple[float, list[str]]] = []
    for at in range(1, len(words)):
        lines = [" ".join(words[:at]), " ".join(words[at:])]
        if max(map(len, lines)) > preset.line_characters or any(_orphan(line, preset) for line in lines):
            continue
        uneven = abs(len(lines[1]) - len(lines[0])) / 10 + (0.5 if len(lines[0]) > len(lines[1]) else 0.0)
        ways.append((_apart(words[at - 1], words[at]) + uneven, lines))
    return min(ways)[1] if ways else None


def _orphan(line: str, preset: Preset) -> bool:
    letters = sum(c.isalnum() for c in line)
    return preset.orphan_letters is not None and " " not in line and letters <= preset.orphan_letters


def _apart(before: str, after: str) -> float:
    """How much two words belong together."""
    if before.endswith((".", "!", "?", "…")):
        return 0.0
    if before.endswith((",", ";", ":", "–", "—")):
        return 0.5
    plain = "".join(c for c in before.lower() if c.isalnum() or c == "'")
    following = "".join(c for c in after.lower() if c.isalnum() or c == "'")
    if plain in HANGING:
        return 8.0
    if following in JOINS:
        return 1.5
    return 2.0 if following in LEADS else 4.0


def _text(words: Sequence[Spoken]) -> str:
    return " ".join(w.text for w in words)


class _Frames:
    """The times that captions may take, in frames."""

    def __init__(self, words: Sequence[Spoken], preset: Preset, rate: Fraction, cuts: tuple[int, ...]) -> None:
        self.words, self.preset, self.rate, self.cuts = words, preset, rate, cuts
        self.half = round(rate / 2)
        self.starts = [self._snapped(nearest_frame(w.start, rate)) for w in words]

    def weigh(self, start: int, end: int) -> tuple[float, tuple[int, int]] | None:
        """What a caption of these words costs, and when it shows; None where it is no caption at all."""
        words = self.words[start:end]
        if len(words) > 1 and (
            words[-1].start - words[-2].end > LONG_PAUSE_S or words[-1].speaker != words[-2].speaker
            or any(b.speaker != a.speaker or b.start - a.end > LONG_PAUSE_S for a, b in pairwise(words))
        ):  # fmt: skip
            return None
        lines = broken([w.text for w in words], self.preset)
        if lines is None and len(words) > 1:
            return None
        first = self.starts[start]
        following = self.starts[end] if end < len(self.words) else None
        last, wrong = self._end(words, first, following)
        cost = BROKEN * (wrong + (lines is None)) + 1.0
        if end < len(self.words):
            pause = self.words[end].start - words[-1].end
            apart = _apart(words[-1].text, self.words[end].text)
            cost += apart * (0.3 if pause >= PAUSE_S else 1.0)
        if lines is not None and len(lines) > 1:
            at = len(lines[0].split())
            cost += 0.2 + 0.3 * _apart(words[at - 1].text, words[at].text)
        return cost, (first, last)

    def _snapped(self, frame: int) -> int:
        """A start near a cut lies on it, or half a second before."""
        if self.preset.no_straddling:
            return next((cut for cut in self.cuts if abs(cut - frame) <= self.half), frame)
        if self.preset.shot_frames is None:
            return frame
        for cut in self.cuts:
            early = cut - frame
            if -self.half < early < 0.75 * self.half:
                return cut
            if 0.75 * self.half <= early < self.half:
                return max(cut - self.half, 0)
        return frame

    def _end(self, words: Sequence[Spoken], first: int, following: int | None) -> tuple[int, int]:
        """The end nearest to what is wished that breaks fewest rules, and how many it breaks."""
        spoken = max(nearest_frame(words[-1].end, self.rate), first + 1)
        least = max(spoken, first + self._least(words))
        wished = max(least, spoken + round(LINGER_S * self.rate))
        p = self.preset
        gap, ends = p.gap_frames or 0, {wished, least, spoken}
        if p.longest_s is not None:
            ends.add(first + int(p.longest_s * self.rate))
        if following is not None:
            ends.add(following - gap)
            apart = max(p.close_below_s or Fraction(0), p.apart_s or Fraction(0))
            ends.add(following - ceil(apart * self.rate))
        for cut in self.cuts if p.shot_frames is not None or p.no_straddling else ():
            ends |= {cut - (p.shot_frames or 0), cut + self.half + 1}
        rated = [(self._wrong(words, first, e, following, spoken), abs(e - wished), e) for e in ends if e > first]
        wrong, _, last = min(rated)
        return last, wrong

    def _least(self, words: Sequence[Spoken]) -> int:
        """Frames that it takes to read them."""
        p, text = self.preset, _text(words)
        least = [p.shortest_s or Fraction(0)]
        if p.characters_a_second is not None:
            least.append(Fraction(len(text), p.characters_a_second))
        if p.seconds_a_word is not None:
            least.append(p.seconds_a_word * len(words))
        return ceil(max(least) * self.rate)

    def _wrong(self, words: Sequence[Spoken], first: int, last: int, following: int | None, spoken: int) -> int:
        """How many rules an end breaks. A caption that goes while its last word is spoken breaks one as well."""
        p = self.preset
        found = [last - first < self._least(words), last < spoken - round(self.rate / 5)]
        found.append(p.longest_s is not None and last - first > p.longest_s * self.rate)
        if following is not None:
            gap = following - last
            found += [gap < (p.gap_frames or 0)] * 2
            found.append(
                p.gap_frames is not None and p.close_below_s is not None
                and p.gap_frames < gap < p.close_below_s * self.rate
            )  # fmt: skip
            found.append(p.apart_s is not None and 0 < gap < p.apart_s * self.rate)
        if p.shot_frames is not None:
            found += [
                last - cut != -p.shot_frames and abs(last - cut) <= self.half
                for cut in self.cuts
                if first == cut or abs(first - cut) >= self.half
            ]
        if p.no_straddling:
            found += [first < cut < last for cut in self.cuts]
        return sum(found)
