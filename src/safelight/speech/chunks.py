"""Speech cut into chunks that a recogniser takes, heard one by one, and its words with times."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from safelight.domain import Json
from safelight.media.runs import joined
from safelight.speech import align
from safelight.speech.activity import RATE, Samples, Span
from safelight.speech.levels import FRAME_S, Levels
from safelight.speech.recogniser import Files, Recogniser, Said

GAP_S, PAD_S, LONGEST_S = 0.3, 0.25, 12.0
EARLIEST_S = 6.0  # into a chunk, where one that is too long may be parted
PEAK = 0.7
LOOP = 4  # words: so many that come twice back to back, or one that often, may be a loop of the recogniser …
ALIKE, EITHER_SIDE_S = 0.6, 0.1  # … where each turn, heard alone with so much around it, does not say so many letters
A_LETTER_S, A_WORD_S, SUSPECT = 0.065, 0.12, 3.0  # what a word lasts by its letters; so many times as long is odd
UNSURE, FEWEST = 0.5, 8  # mean confidence, of so many words, below which the language is in doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as it is written, in [start, end) seconds. `timed`: `aligned`, `recognised` or `estimated`."""

    text: str
    start: float
    end: float
    confidence: float
    timed: str

    @property
    def suspect(self) -> bool:
        """Whether something else may lie in it."""
        return lasts_long(self.text, self.end - self.start)

    @property
    def json(self) -> dict[str, Json]:
        """As evidence keeps it; times on a grid of a millisecond."""
        return {
            "text": self.text, "start": round(self.start, 3), "end": round(self.end, 3), "speaker": None,
            "confidence": self.confidence, "timed": self.timed, "suspect": self.suspect,
        }  # fmt: skip


def lasts_long(text: str, seconds: float) -> bool:
    """Whether a word lasts so long that something else may lie in it: a swallowed retake, a laugh, a cough."""
    letters = sum(map(len, align.spelt(text))) or len(text)
    return seconds > SUSPECT * (A_WORD_S + A_LETTER_S * letters)


def chunks(speech: Sequence[Span], levels: Levels) -> list[Span]:
    """Stretches of at most 12 s that hold all speech, parted where nobody speaks, or else where it is quietest."""
    ends = len(levels) * FRAME_S
    found: list[Span] = []
    for start, end in joined(speech, gap=GAP_S):
        at = start
        while end - at > LONGEST_S - 2 * PAD_S:
            first, last = at + EARLIEST_S, at + LONGEST_S - 2 * PAD_S
            window = levels[round(first / FRAME_S) : round(last / FRAME_S)]
            smooth = np.convolve(window, np.ones(9) / 9, "same")
            smooth[:5], smooth[-5:] = np.inf, np.inf
            cut = first + int(smooth.argmin()) * FRAME_S
            found.append((at, cut))
            at = cut
        found.append((at, end))
    out: list[Span] = []
    for a, b in found:
        if out and b - out[-1][0] <= LONGEST_S - 2 * PAD_S:
            out[-1] = (out[-1][0], b)
        else:
            out.append((a, b))
    starts = [max(a - PAD_S, (out[i - 1][1] + a) / 2 if i else 0.0) for i, (a, _) in enumerate(out)]
    stops = [min(b + PAD_S, starts[i + 1] if i + 1 < len(out) else ends) for i, (_, b) in enumerate(out)]
    return list(zip(starts, stops, strict=True))


def hear(samples: Samples, speech: Sequence[Span], recogniser: Recogniser, weights: Files) -> list[Word]:
    """The words of one chunk; times are of the chunk. `speech` is where somebody speaks in it."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0 or not speech:
        return []
    english = recogniser.languages[0] == "en" and align.NAME in weights
    said = list(recogniser.hear(samples * np.float32(PEAK / peak), weights))
    if _loop(said):
        said = _without_loops(said, samples, recogniser, weights) if english else unlooped(said)
    times = align.align(samples, [w.text for w in said], weights) if english else None
    if times is not None:
        return [_word(w, span, "aligned") for w, span in zip(said, times, strict=True)]
    own = [(w.start, w.end) for w in said if w.start is not None and w.end is not None]
    if own and len(own) == len(said):
        return [_word(w, span, "recognised") for w, span in zip(said, own, strict=True)]
    return [_word(w, span, "estimated") for w, span in zip(said, spread(len(said), speech), strict=True)]


def _word(said: Said, span: Span, timed: str) -> Word:
    return Word(text=said.text, start=span[0], end=span[1], confidence=said.confidence, timed=timed)


def spread(count: int, speech: Sequence[Span]) -> list[Span]:
    """So many words evenly over where somebody speaks; a word may reach over a pause."""
    lengths = np.cumsum([0.0] + [b - a for a, b in speech])
    marks = np.linspace(0, lengths[-1], count + 1)

    def place(mark: float, *, ends: bool) -> float:
        i = int(np.searchsorted(lengths, mark, "left" if ends else "right")) - 1
        i = min(max(i, 0), len(speech) - 1)
        return float(speech[i][0] + mark - lengths[i])

    return [(place(a, ends=False), place(b, ends=True)) for a, b in itertools.pairwise(marks)]


def unlooped(said: Sequence[Said]) -> list[Said]:
    """Words up to where the recogniser begins to say the same over and over, by what is written alone."""
    loop = _loop(said)
    return list(said) if loop is None else list(said[: loop[0] + loop[1]])


def _loop(said: Sequence[Said], since: int = 0) -> tuple[int, int, int] | None:
    """What comes again and again, from a word on: where it begins, how many words it has, how often it comes."""
    plain = ["".join(align.spelt(w.text)) for w in said]
    for n in range(LOOP, (len(plain) - since) // 2 + 1):
        for at in range(since, len(plain) - 2 * n + 1):
            if plain[at : at + n] == plain[at + n : at + 2 * n]:
                return at, n, _times(plain, at, n)
    for at in range(since, len(plain) - LOOP + 1):
        if len(set(plain[at : at + LOOP])) == 1:
            return at, 1, _times(plain, at, 1)
    return None


def _times(plain: Sequence[str], at: int, n: int) -> int:
    times = 1
    while plain[at + times * n : at + (times + 1) * n] == plain[at : at + n]:
        times += 1
    return times


def _without_loops(said: list[Said], samples: Samples, recogniser: Recogniser, weights: Files) -> list[Said]:
    """Without what only the recogniser says again: people repeat themselves too, and then each turn has a sound of its
    own. It is looked for by alignment and heard alone."""
    since = 0
    while (loop := _loop(said, since)) is not None:
        at, n, times = loop
        turns = align.align(samples, [w.text for w in said[: at + n * times]], weights)
        if turns is None:
            return said[: at + n]
        for turn in range(times):
            first, last = at + n * turn, at + n * (turn + 1)
            span = (max(turns[first][0] - EITHER_SIDE_S, 0.0), turns[last - 1][1] + EITHER_SIDE_S)
            if turn and not _says(cut(samples, span), said[first:last], recogniser, weights):
                return said[:first]
        since = at + n * times
    return said


def _says(samples: Samples, words: Sequence[Said], recogniser: Recogniser, weights: Files) -> bool:
    """Whether these words are heard in a sound, by most of their letters, and once."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0:
        return False
    wanted = "".join("".join(align.spelt(w.text)) for w in words)
    alone = unlooped(recogniser.hear(samples * np.float32(PEAK / peak), weights))
    heard = "".join("".join(align.spelt(w.text)) for w in alone)
    return SequenceMatcher(None, wanted, heard, autojunk=False).ratio() >= ALIKE


def language(words: Sequence[dict[str, Json]], recogniser: Recogniser) -> tuple[str | None, str]:
    """The language and why: a recogniser of one language writes it whatever is spoken, but is unsure."""
    only = recogniser.languages[0]
    if len(words) < FEWEST:
        return only, f"{recogniser.name} knows {only}; there are too few words to doubt it"
    mean = float(np.mean([w["confidence"] for w in words]))
    if mean < UNSURE:
        return None, f"{recogniser.name} knows {only}, but is unsure of most words ({mean:.2f} on average)"
    return only, f"{recogniser.name} knows {only} and is sure of most words ({mean:.2f} on average)"


def cut(samples: Samples, span: Span) -> Samples:
    """The samples of a span."""
    return samples[round(span[0] * RATE) : round(span[1] * RATE)]
