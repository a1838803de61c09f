"""Captions out of words: which words share a caption, how its lines break, when it shows, all within one preset.

Every way to part the words is weighed, from the first word to the last (dynamic programming): a caption that would
break a rule costs more than any that does not, and among those that keep all rules breaks at sentences, commas and
pauses cost least. Source of the order of line breaks: Netflix timed text style guide.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from safelight.captions.cue import Captions, Cue
from safelight.captions.rules import HANGING, Preset
from safelight.media.timecode import nearest_frame

JOINS = frozenset({"and", "but", "or", "nor", "so", "because", "if", "when", "while", "that", "which", "who", "where"})
LEADS = frozenset({"of", "to", "in", "on", "at", "by", "for", "with", "from", "into", "over", "under", "about", "as"})
BROKEN = 1000.0  # what a broken rule costs; a break in the middle of a phrase costs a few
EARLY = 0.02  # of a broken rule: what a caption costs that goes a little before its last word does
PAUSE_S, LONG_PAUSE_S = Fraction(3, 10), Fraction(3, 2)  # a pause that invites a break; one that a caption never spans
LINGER_S = Fraction(3, 10)  # a caption stays so long after its last word where there is room
MOST_WORDS = 40  # in a caption, whatever its preset allows
UNSPACED = (("\u0e00", "\u0e7f"), ("\u3000", "\u30ff"), ("\u3400", "\u9fff"), ("\uff00", "\uff65"))


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
    cues = tuple(cue for cue, _, _ in parted(words, preset, rate=rate, shots=shots))
    return Captions(cues=cues, language=language, rate=rate)


def parted(
    words: Sequence[Spoken], preset: Preset, *, rate: Fraction, shots: Sequence[int] = ()
) -> list[tuple[Cue, int, int]]:
    """The same captions, each with the first of its words and the one after its last."""
    frames = _Frames(words, preset, rate, tuple(sorted(shots)))
    found: list[tuple[Cue, int, int]] = []
    way = frames.best()
    while way is not None:
        said = words[way.start : way.end]
        lines = broken([w.text for w in said], preset) or [_text(said)]
        cue = Cue(start=way.first / rate, end=way.last / rate, lines=tuple(lines))
        found.append((cue, way.start, way.end))
        way = way.next
    return found


def broken(words: Sequence[str], preset: Preset) -> list[str] | None:
    """Words as lines, the lower one the longer, broken where they part most easily; None where they do not fit."""
    at = _broken_at(words, preset)
    if at is None:
        return None
    return [line for line in (_run_on(words[:at]), _run_on(words[at:])) if line]


def _broken_at(words: Sequence[str], preset: Preset) -> int | None:
    """The number of words in the upper line of two, 0 where one line is enough; None where they do not fit."""
    if len(_run_on(words)) <= preset.line_characters:
        return 0
    if preset.lines < 2:
        return None
    ways: list[tuple[float, int]] = []
    for at in range(1, len(words)):
        lines = [_run_on(words[:at]), _run_on(words[at:])]
        if max(map(len, lines)) > preset.line_characters or any(_orphan(line, preset) for line in lines):
            continue
        uneven = abs(len(lines[1]) - len(lines[0])) / 10 + (0.5 if len(lines[0]) > len(lines[1]) else 0.0)
        ways.append((_apart(words[at - 1], words[at]) + uneven, at))
    return min(ways)[1] if ways else None


def _run_on(words: Sequence[str]) -> str:
    """Words as they are written one after another: Chinese, Japanese and Thai put no spaces between them."""
    text = ""
    for word in words:
        spaced = text and not (_unspaced(text[-1]) and _unspaced(word[:1]))
        text += f" {word}" if spaced else word
    return text


def _unspaced(letter: str) -> bool:
    return any(first <= letter <= last for first, last in UNSPACED)


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
    return _run_on([w.text for w in words])


@dataclass(frozen=True, slots=True)
class _Way:
    """A caption of the words [start, end) in frames [first, last), what it and all after it cost, and the next one."""

    cost: float
    start: int
    end: int
    first: int
    last: int
    next: "_Way | None"


class _Frames:
    """The times that captions may take, in frames."""

    def __init__(self, words: Sequence[Spoken], preset: Preset, rate: Fraction, cuts: tuple[int, ...]) -> None:
        self.words, self.preset, self.rate, self.cuts = words, preset, rate, cuts
        self.half = round(rate / 2)
        heard = [nearest_frame(w.start, rate) for w in words]
        # A caption begins at the cut that is near; where another one would begin there too, when it is heard.
        self.starts = [tuple(dict.fromkeys((self._snapped(frame), frame))) for frame in heard]

    def best(self) -> _Way | None:
        """The captions that cost least together; found from the last word on."""
        count = len(self.words)
        after: list[list[_Way]] = [[] for _ in range(count + 1)]  # of each word, for each frame it may begin in
        for start in reversed(range(count)):
            phrases = list(self._phrases(start))
            for first in self.starts[start]:
                ways = (
                    self._way(start, end, first, cost, following)
                    for end, cost in phrases
                    for following in after[end] or (None,)
                )
                after[start].append(min(ways, key=lambda w: (w.cost, w.end)))
        return min(after[0], key=lambda w: w.cost, default=None)

    def _way(self, start: int, end: int, first: int, cost: float, following: _Way | None) -> _Way:
        words = self.words[start:end]
        last, wrong = self._end(words, first, following.first if following else None)
        wrong += sum(0 < abs(first - cut) < self.half for cut in self._cuts_near(first, first))
        rest = following.cost if following else 0.0
        return _Way(cost + BROKEN * wrong + rest, start, end, first, last, following)

    def _phrases(self, start: int) -> Iterator[tuple[int, float]]:
        """Ends of captions that begin with this word, and what each costs by its words."""
        words, p = self.words, self.preset
        for end in range(start + 1, min(start + MOST_WORDS, len(words)) + 1):
            before, last = words[max(end - 2, start)], words[end - 1]
            if before.speaker != last.speaker or last.start - before.end > LONG_PAUSE_S:
                return
            texts = [w.text for w in words[start:end]]
            if len(texts) > 1 and len(_run_on(texts)) > p.lines * p.line_characters + 1:
                return
            at = _broken_at(texts, p)
            if at is None and len(texts) > 1:
                continue
            cost = 1.0 if at is not None else 1.0 + BROKEN
            if end < len(words):
                paused = words[end].start - last.end >= PAUSE_S
                cost += _apart(last.text, words[end].text) * (0.3 if paused else 1.0)
            if at:
                cost += 0.2 + 0.3 * _apart(texts[at - 1], texts[at])
            yield end, cost

    def _cuts_near(self, first: int, last: int) -> tuple[int, ...]:
        """Cuts within a second of these frames; none where the preset has no rule about cuts."""
        if self.preset.shot_frames is None and not self.preset.no_straddling:
            return ()
        reach = 2 * self.half
        return self.cuts[bisect_left(self.cuts, first - reach) : bisect_right(self.cuts, last + reach)]

    def _snapped(self, frame: int) -> int:
        """A start near a cut lies on it, or half a second before."""
        cuts = self._cuts_near(frame, frame)
        if self.preset.no_straddling:
            return min(
                (cut for cut in cuts if abs(cut - frame) <= self.half), key=lambda c: abs(c - frame), default=frame
            )
        for cut in cuts:
            early = cut - frame
            if -self.half < early < 0.75 * self.half:
                return cut
            if 0.75 * self.half <= early < self.half:
                return max(cut - self.half, 0)
        return frame

    def _end(self, words: Sequence[Spoken], first: int, following: int | None) -> tuple[int, float]:
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
        cuts = self._cuts_near(first, max(ends))
        for cut in cuts:
            ends |= {cut - (p.shot_frames or 0), cut + self.half + 1}
        rated = [(self._wrong(words, first, e, following, spoken, cuts), abs(e - wished), e) for e in ends if e > first]
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

    def _wrong(
        self, words: Sequence[Spoken], first: int, last: int, following: int | None, spoken: int, cuts: Sequence[int]
    ) -> float:
        """How many rules an end breaks. A caption that goes while its last word is spoken breaks one as well, by more
        than half a second; by less it is only worse than one that stays."""
        p = self.preset
        found = [last - first < self._least(words), last < spoken - self.half]
        found.append(p.longest_s is not None and last - first > p.longest_s * self.rate)
        if following is not None:
            gap = following - last
            found += [gap < (p.gap_frames or 0)] * 2 + [gap < 0] * 2
            found.append(
                p.gap_frames is not None and p.close_below_s is not None
                and p.gap_frames < gap < p.close_below_s * self.rate
            )  # fmt: skip
            found.append(p.apart_s is not None and 0 < gap < p.apart_s * self.rate)
        if p.shot_frames is not None:
            found += [
                last - cut != -p.shot_frames and abs(last - cut) <= self.half
                for cut in cuts
                if first == cut or abs(first - cut) >= self.half
            ]
        if p.no_straddling:
            found += [first < cut < last for cut in cuts] * 2  # rather a moment too short to read than over a cut
        early = EARLY if last < spoken - round(self.rate / 5) else 0.0
        return sum(found) + early
