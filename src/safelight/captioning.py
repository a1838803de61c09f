"""Captions of a cut: made of the words that play, but for those that a person set, which follow their words.

A caption that was set is kept beside its words: it shows as long before the first and after the last of them that still
play, so that a cut elsewhere never moves it away from what it says.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from safelight import captions
from safelight.captions import Breach, Captions, Cue, Preset, Spoken
from safelight.cutting import Word
from safelight.media.timecode import nearest_frame
from safelight.media.timeline import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Seconds [start, end) of a clip (by number) that play from `at` on."""

    clip: int
    start: Fraction
    end: Fraction
    at: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A word that plays whole: with its times in the cut, and where it lies in its clip."""

    spoken: Spoken
    clip: int
    number: int
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A caption, the words [first, last) of those that play which it stands for, and whether a person set it."""

    cue: Cue
    first: int
    last: int
    own: bool = False


def said(played: Iterable[Played], words: Sequence[Sequence[Word]]) -> list[Said]:
    """The words that play whole, of each clip's words in the order of their starts."""
    found = []
    starts = [[w.start for w in some] for some in words]
    for part in played:
        shift = part.at - part.start
        first, last = (bisect_left(starts[part.clip], at) for at in (part.start, part.end))
        for number, w in enumerate(words[part.clip][first:last], first):
            if w.end <= part.end:
                spoken = Spoken(text=w.text, start=w.start + shift, end=w.end + shift, speaker=w.speaker)
                found.append(Said(spoken=spoken, clip=part.clip, number=number, start=w.start, end=w.end))
    return found


def captioned(
    words: Sequence[Said], texts: Sequence[Sequence[Text]], preset: Preset, *, rate: Fraction, shots: Sequence[int]
) -> list[Caption]:
    """The captions of a cut. `texts`: those that were set, of each clip; one whose words do not play is left out."""
    own = sorted(_placed(words, texts, rate), key=lambda c: c.first)
    made: list[Caption] = []
    at = 0
    for one in own:
        made += _made(words, at, one.first, preset, rate=rate, shots=shots)
        made.append(one)
        at = one.last
    made += _made(words, at, len(words), preset, rate=rate, shots=shots)
    return _apart(made, preset, rate)


def checked(made: Sequence[Caption], preset: Preset, *, rate: Fraction, shots: Sequence[int]) -> tuple[Breach, ...]:
    """Which rules they break."""
    return tuple(captions.check(listed(made, rate=rate), preset, rate=rate, shots=shots))


def listed(made: Sequence[Caption], *, rate: Fraction, language: str | None = None) -> Captions:
    """As what files hold."""
    return Captions(cues=tuple(one.cue for one in made), language=language, rate=rate)


def text_for(
    words: Sequence[Said], lines: Sequence[str], *, start: Fraction, end: Fraction, rate: Fraction
) -> Text:  # fmt: skip
    """A caption for these words of one clip, that shows from `start` to `end`, seconds of the cut."""
    head, tail = words[0], words[-1]
    first, last = (Fraction(nearest_frame(at, rate)) / rate for at in (start, end))
    return Text(
        first=head.start, last=tail.end, after=first - head.spoken.start, rest=last - tail.spoken.end,
        lines=tuple(lines),
    )  # fmt: skip


def _placed(words: Sequence[Said], texts: Sequence[Sequence[Text]], rate: Fraction) -> Iterable[Caption]:
    for clip, some in enumerate(texts):
        for text in some:
            inside = [i for i, w in enumerate(words) if w.clip == clip and _stands_for(text, w)]
            run = inside[:1]
            for i in inside[1:]:
                if i != run[-1] + 1:
                    break  # it plays a second time
                run.append(i)
            if not run:
                continue
            start = max(words[run[0]].spoken.start + text.after, Fraction(0))
            end = words[run[-1]].spoken.end + text.rest
            first = nearest_frame(start, rate)
            last = max(nearest_frame(end, rate), first + 1)
            cue = Cue(start=first / rate, end=last / rate, lines=text.lines)
            yield Caption(cue=cue, first=run[0], last=run[-1] + 1, own=True)


def _stands_for(text: Text, word: Said) -> bool:
    return text.first <= (word.start + word.end) / 2 < text.last


def _made(
    words: Sequence[Said], first: int, last: int, preset: Preset, *, rate: Fraction, shots: Sequence[int]
) -> Iterable[Caption]:
    some = [w.spoken for w in words[first:last]]
    for cue, a, b in captions.parted(some, preset, rate=rate, shots=shots) if some else ():
        yield Caption(cue=cue, first=first + a, last=first + b)


def _apart(made: Sequence[Caption], preset: Preset, rate: Fraction) -> list[Caption]:
    """Captions that were made give way to those that were set beside them."""
    gap, out = (preset.gap_frames or 0) / rate, list(made)
    for i, one in enumerate(out):
        if one.own:
            continue
        cue = one.cue
        if i and out[i - 1].own:
            cue = replace(cue, start=max(cue.start, min(out[i - 1].cue.end + gap, cue.end - 1 / rate)))
        if i + 1 < len(out) and out[i + 1].own:
            cue = replace(cue, end=min(cue.end, max(out[i + 1].cue.start - gap, cue.start + 1 / rate)))
        out[i] = replace(one, cue=cue)
    return out
