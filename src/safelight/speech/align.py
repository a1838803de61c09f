"""When each of given words was spoken: forced alignment by pocketsphinx with its English model.

Huggins-Daines et al. 2006 (BSD). Times come in steps of 10 ms. Words that the dictionary does not hold are spelt by
simple rules. An answer with words missing is refused: then nothing is known about where they lie.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from safelight.speech.activity import RATE, Samples, Span
from safelight.speech.letters import sounds

NAME = "pocketsphinx_en"
FRAME_S = 0.01
PEAK, DITHERS = 0.9, (3e-3, 1e-2)  # digital silence ends an alignment early; a little noise keeps it going
PAD_S = 0.2  # silence on both sides: the path must begin and end in it
BEAMS = {"beam": 1e-80, "wbeam": 1e-60, "pbeam": 1e-80}  # how unlikely a path may become and still be followed
FRONT_END = {  # what the model was made with
    "lowerf": 130.0, "upperf": 6800.0, "nfilt": 25, "transform": "dct", "lifter": 22, "feat": "1s_c_d_dd",
    "svspec": "0-12/13-25/26-38", "agc": "none", "cmn": "batch", "varnorm": False, "remove_noise": True,
}  # fmt: skip


def align(samples: Samples, words: Sequence[str], weights: Mapping[str, Mapping[str, Path]]) -> list[Span] | None:
    """Start and end of each word in seconds, in order; None where they cannot be found. `words` may be written with
    punctuation; one without a letter is refused as well."""
    spoken = [spelt(word) for word in words]
    if not words or not all(spoken):
        return None
    heard = decoder(weights[NAME]["mdef.bytes"].parent)
    parts = [part for word in spoken for part in word]
    know(heard, parts)
    search(heard, BEAMS)
    heard.set_align_text(" ".join(parts))
    tried = ([span for _, *span in spans(heard, samples, dither)] for dither in DITHERS)
    found = next((each for each in tried if len(each) == len(parts)), None)
    if found is None:
        return None
    times, at = [], 0
    for word in spoken:
        times.append((found[at][0], found[at + len(word) - 1][1]))
        at += len(word)
    return times


def know(heard: Any, parts: Sequence[str]) -> None:
    """Teaches a decoder the words that it does not know, as they are spelt."""
    for part in set(parts):
        if heard.lookup_word(part) is None:
            heard.add_word(part, " ".join(sounds(part)), True)


def search(heard: Any, beams: Mapping[str, float]) -> None:
    """How widely a decoder looks, from the next sentence or grammar on."""
    for name, chance in beams.items():
        heard.config[name] = chance


def spans(heard: Any, samples: Samples, dither: float) -> list[tuple[str, float, float]]:
    """What a decoder hears, word by word with start and end; nothing where nothing fits."""
    lasts = len(samples) / RATE

    def clock(frame: int) -> float:
        return min(max(frame * FRAME_S - PAD_S, 0.0), lasts)

    try:
        with warnings.catch_warnings():  # without, what was noise before is taken off this sound too
            warnings.simplefilter("ignore", DeprecationWarning)
            heard.start_stream()
        heard.start_utt()
        heard.process_raw(_dithered(samples, dither), full_utt=True)
        heard.end_utt()
        return [
            (s.word, clock(s.start_frame), clock(s.end_frame + 1))
            for s in heard.seg() or ()
            if not s.word.startswith(("<", "[", "("))
        ]
    except RuntimeError:  # it says so where nothing fits
        return []


def spelt(word: str) -> tuple[str, ...]:
    """A written word as the dictionary has it: lower case, hyphens parted, numbers said."""
    from safelight.speech.letters import said_numbers

    text = said_numbers(word.lower().replace("’", "'"))
    return tuple(p for p in (re.sub(r"[^a-z']", "", part).strip("'") for part in re.split(r"[-\s/]", text)) if p)


def _dithered(samples: Samples, dither: float) -> bytes:
    samples = np.pad(samples, round(PAD_S * RATE))
    peak = float(np.abs(samples).max(initial=0.0))
    scaled = samples * (PEAK / peak if peak > 0 else 1.0)
    noise = np.random.default_rng(1).normal(0, dither, len(samples))
    return (np.clip(scaled + noise, -1, 1) * 32767).astype("<i2").tobytes()


@cache
def decoder(folder: Path) -> Any:
    """The aligner with its models, opened once in a process."""
    from pocketsphinx import Config, Decoder

    config = Config(
        hmm=None, lm=None, dict=str(folder / "dictionary.bytes"), fdict=str(folder / "noisedict.bytes"),
        mdef=str(folder / "mdef.bytes"), mean=str(folder / "means.bytes"), var=str(folder / "variances.bytes"),
        tmat=str(folder / "transition_matrices.bytes"), sendump=str(folder / "sendump.bytes"), samprate=16000,
        loglevel="FATAL", **BEAMS, **FRONT_END,
    )  # fmt: skip
    return Decoder(config)
