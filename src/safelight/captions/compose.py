"""Captions out of words with times, held to a preset's rules as they are made."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Protocol

from safelight.captions.cue import Captions, Cue
from safelight.captions.rules import PRESETS, Preset

PAUSE_S = Fraction(1)  # without a word: a cue ends
USUAL_GAP = 2  # frames between cues, where a preset names none
LONGEST_S, SHORTEST_S = Fraction(7), Fraction(5, 6)  # where a preset names none


class Spoken(Protocol):
    """A word with its times in seconds."""

    @property
    def text(self) -> str:
        """As it is written."""

    @property
    def start(self) -> Fraction:
        """Seconds."""

    @property
    def end(self) -> Fraction:
        """Seconds."""


def compose(
    words: Sequence[Spoken], *, rate: Fraction, preset: Preset = PRESETS["netflix"], language: str | None = None
) -> Captions:
    """Cues of whole words. A cue ends with a sentence, before a pause, or where the next word would be too much; it
    stays as long as it may be needed to be read, if there is room."""
    groups = list(_groups(words, preset, rate))
    gap = Fraction(preset.gap_frames or USUAL_GAP) / rate
    shortest = preset.shortest_s or SHORTEST_S
    cues: list[Cue] = []
    for i, group in enumerate(groups):
        lines = _lines([w.text for w in group], preset)
        start = _on_frame(group[0].start, rate)
        if cues and start < cues[-1].end + gap:
            start = _on_frame(cues[-1].end + gap, rate, up=True)
        following = groups[i + 1][0].start if i + 1 < len(groups) else None
        latest = start + (preset.longest_s or LONGEST_S)
        if following is not None:
            latest = min(latest, _on_frame(following, rate) - gap)
        end = max(group[-1].end, start + max(shortest, _reading_s(lines, preset)))
        close = preset.close_below_s
        if following is not None and close is not None and following - end < close:
            end = latest
        end = max(min(_on_frame(end, rate, up=True), latest), start + 1 / rate)
        cues.append(Cue(start=start, end=end, lines=lines))
    return Captions(cues=tuple(cues), language=language, rate=rate)


def _on_frame(seconds: Fraction, rate: Fraction, *, up: bool = False) -> Fraction:
    return Fraction(-(-seconds * rate // 1) if up else seconds * rate // 1) / rate


def _reading_s(lines: Sequence[str], preset: Preset) -> Fraction:
    needed = Fraction(0)
    if preset.characters_a_second:
        needed = Fraction(sum(map(len, lines)), preset.characters_a_second)
    if preset.seconds_a_word:
        needed = max(needed, preset.seconds_a_word * sum(len(line.split()) for line in lines))
    return needed


def _groups(words: Sequence[Spoken], preset: Preset, rate: Fraction) -> Iterator[list[Spoken]]:
    group: list[Spoken] = []
    longest = preset.longest_s or LONGEST_S
    for word in words:
        if group:
            texts = [w.text for w in group] + [word.text]
            sentence = group[-1].text.rstrip("\"'”’)").endswith((".", "!", "?", "…"))
            lasted = group[-1].end - group[0].start
            full = not _fits(texts, preset) or word.end - group[0].start > longest - 2 / rate
            if (
                full
                or word.start - group[-1].end >= PAUSE_S
                or (sentence and lasted >= (preset.shortest_s or SHORTEST_S))
            ):
                yield group
                group = []
        group.append(word)
    if group:
        yield group


def _fits(texts: Sequence[str], preset: Preset) -> bool:
    return all(len(line) <= preset.line_characters for line in _lines(texts, preset))


def _lines(texts: Sequence[str], preset: Preset) -> tuple[str, ...]:
    """One line where it fits, else two as even as can be; the upper one the shorter."""
    whole = " ".join(texts)
    if len(whole) <= preset.line_characters or len(texts) == 1:
        return (whole,)
    halves = [(" ".join(texts[:i]), " ".join(texts[i:])) for i in range(1, len(texts))]
    return min(halves, key=lambda h: (max(map(len, h)) > preset.line_characters, _alone(h, preset), _uneven(h)))


def _alone(lines: Sequence[str], preset: Preset) -> bool:
    letters = preset.orphan_letters or 0
    return any(" " not in line and sum(c.isalnum() for c in line) <= letters for line in lines)


def _uneven(lines: Sequence[str]) -> int:
    ends = lines[0].rstrip().endswith((",", ".", ";", ":", "?", "!"))
    return abs(len(lines[0]) - len(lines[1])) - (12 if ends else 0)
