"""Where somebody says um or uh: the words are aligned once more, with a filler allowed between any two of them.

Recognisers leave fillers out, or turn them into words. The grammar gives a filler so small a chance that the sound must
speak for it. Measured on made fillers only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from safelight.speech import align
from safelight.speech.activity import Samples
from safelight.speech.chunks import UNSURE, Word

SPOKEN = {"um": "AH M", "uh": "AH", "er": "ER"}
WRITTEN = frozenset({"um", "umm", "uh", "uhh", "er", "erm", "uhm", "hm", "hmm", "mm", "mmm"})
CLEAR_DB = 24.0  # by which the voice must stand above the room: noise is taken for fillers
BEAMS = {"beam": 1e-60, "wbeam": 1e-40, "pbeam": 1e-60}  # half the time of those that align; of 21 none more is missed
CHANCE = 0.0025  # of each filler between two words
SHORTEST_S = 0.18  # what is shorter is a part of a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """A filler in [start, end) seconds of the chunk. `heard`: `written` by the recogniser, or found by `alignment`."""

    text: str
    start: float
    end: float
    heard: str


def told(samples: Samples, words: Sequence[Word], weights: Mapping[str, Mapping[str, Path]] | None) -> list[Filler]:
    """All fillers of a chunk in order: those that the recogniser wrote, and, where there are weights, those that it
    left out. Where words are unsure or do not fit the sound, any noise fits between them as well: none is sought."""
    written = [
        Filler(text=w.text, start=w.start, end=w.end, heard="written")
        for w in words
        if "".join(align.spelt(w.text)) in WRITTEN
    ]
    left_out = find(samples, [w.text for w in words], weights) if weights is not None and known(words) else []
    apart = [f for f in left_out if not any(f.start < w.end and f.end > w.start for w in written)]
    return sorted([*written, *apart], key=lambda f: f.start)


def known(words: Sequence[Word]) -> bool:
    """Whether the words of a chunk are sure enough to look for fillers between them."""
    return all(w.timed == "aligned" for w in words) and (not words or fmean(w.confidence for w in words) >= UNSURE)


def find(samples: Samples, words: Sequence[str], weights: Mapping[str, Mapping[str, Path]]) -> list[Filler]:
    """Fillers between the words of a chunk, as they were said."""
    spoken = [part for word in words for part in align.spelt(word)]
    if not spoken:
        return []
    decoder = align.decoder(weights[align.NAME]["mdef.bytes"].parent)
    align.know(decoder, spoken)
    for name, phones in SPOKEN.items():
        if decoder.lookup_word(f"{name}_f") is None:
            decoder.add_word(f"{name}_f", phones, True)
    chance = CHANCE
    choice = " | ".join(f"/{chance}/ {name}_f" for name in SPOKEN)
    optional = f"( /{1 - chance * len(SPOKEN)}/ <NULL> | {choice} )"
    sentence = " ".join([optional, *(f"{word} {optional}" for word in spoken)])
    align.search(decoder, BEAMS)
    decoder.add_jsgf_string("fillers", f"#JSGF V1.0;\ngrammar f;\npublic <s> = {sentence};\n")
    decoder.activate_search("fillers")
    tried = (align.spans(decoder, samples, dither) for dither in align.DITHERS)
    found = next((each for each in tried if each), [])
    return [
        Filler(text=name[:-2], start=a, end=b, heard="alignment")
        for name, a, b in found
        if name.endswith("_f") and b - a >= SHORTEST_S
    ]
