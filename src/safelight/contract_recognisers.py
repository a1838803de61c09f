"""What every recogniser of speech promises, as plain checks: ours and a plug-in author's alike.

from safelight.contract_recognisers import check_recogniser
check_recogniser(my_recogniser)  # raises ContractError, which says what does not hold and for which sound
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

import numpy as np

from safelight import weights
from safelight.contract import ContractError
from safelight.speech.activity import RATE, Samples
from safelight.speech.recogniser import Recogniser, Said


def check_recogniser(recogniser: Recogniser) -> None:
    """Every promise of a recogniser. Its weights must be installed."""
    for check in RECOGNISER_CHECKS.values():
        check(recogniser)


def recogniser_declares_itself(recogniser: Recogniser) -> None:
    """Name, version, languages, sentence; weights that have papers."""
    if not recogniser.name.isidentifier() or recogniser.name != recogniser.name.lower():
        _fail(recogniser, "has a name that is no lower-case word")
    if recogniser.version < 1:
        _fail(recogniser, "counts versions from 1")
    if not recogniser.about.endswith("."):
        _fail(recogniser, "says what it is in a sentence, in `about`")
    if not recogniser.languages or not all(len(c) in {2, 3} and c.islower() for c in recogniser.languages):
        _fail(recogniser, f"names its languages by their codes (en, de), not {recogniser.languages}")
    papers = {item.name for item in weights.catalogue()}
    if unknown := set(recogniser.weights) - papers:
        _fail(recogniser, f"needs weights without papers: {', '.join(sorted(unknown))}")


def recogniser_answers(recogniser: Recogniser) -> None:
    """For every sound, however odd, words with a confidence, in order; the samples stay as they are."""
    for what, samples in sounds():
        before = samples.copy()
        _sound(recogniser, what, recogniser.hear(samples, weights.installed()), len(samples) / RATE)
        if not np.array_equal(before, samples):
            _fail(recogniser, f"writes on the samples it was given ({what})")


def recogniser_repeats_itself(recogniser: Recogniser) -> None:
    """The same words for the same sound."""
    for what, samples in sounds():
        one, two = (list(recogniser.hear(samples.copy(), weights.installed())) for _ in range(2))
        if one != two:
            _fail(recogniser, f"says something else when asked again ({what})")


def sounds() -> Iterator[tuple[str, Samples]]:
    """Made sounds of 16 kHz: what a chunk may be at worst."""
    rng, t = np.random.default_rng(1), np.arange(3 * RATE) / RATE
    yield "a single sample", np.zeros(1, np.float32)
    yield "digital silence", np.zeros(3 * RATE, np.float32)
    yield "noise", rng.normal(0, 0.1, 3 * RATE).astype(np.float32)
    yield "a clipped tone", np.clip(2 * np.sin(2 * np.pi * 220 * t), -1, 1).astype(np.float32)


def _sound(recogniser: Recogniser, what: str, words: object, lasts: float) -> None:
    if not isinstance(words, list | tuple) or not all(isinstance(w, Said) for w in words):
        _fail(recogniser, f"answers with something else than words ({what})")
    for word in words:
        if not word.text or word.text != word.text.strip() or len(word.text.split()) != 1:
            _fail(recogniser, f"gives {word.text!r}, which is not one word ({what})")
        if not 0 <= word.confidence <= 1:
            _fail(recogniser, f"is sure of a word by {word.confidence}, which is not within 0 to 1 ({what})")
        if word.start is not None and not (word.end is not None and 0 <= word.start <= word.end <= lasts + 0.05):
            _fail(recogniser, f"places a word at {word.start} to {word.end} of {lasts:.2f} s ({what})")


def _fail(recogniser: Recogniser, what: str) -> NoReturn:
    raise ContractError(f"The recogniser {recogniser.name} {what}.")


RECOGNISER_CHECKS: Mapping[str, Callable[[Recogniser], None]] = {
    check.__name__: check for check in (recogniser_declares_itself, recogniser_answers, recogniser_repeats_itself)
}
