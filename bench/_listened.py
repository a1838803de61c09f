"""Part of the bench of cutting: whether the words beside the joins are heard back, strictly.

A word counts as heard back where the recogniser writes it, letter by letter, when it hears the joined sound once. It
counts only among those that could be: that the recogniser wrote in the first pass and writes again, letter by letter,
where it hears the same stretch of the uncut sound once more; and, apart, among all that was said by the truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction

from bench.harness import Result
from safelight import weights
from safelight.cutting import Word, heard_back, joined
from safelight.cutting.assembly import Assembly, Material, Piece, assemble, joins, programme_words
from safelight.speech import moonshine

AROUND_S, NEAR_S = heard_back.AROUND_S, heard_back.NEAR_S
LEAST_LETTERS = 3  # of a word: shorter ones are written by what stands around them


@dataclass(slots=True)
class Count:
    """Words beside joins: that were heard twice in the uncut sound, of these heard in the cut one; said by the truth,
    of these heard in the uncut sound and in the cut one."""

    sure: int = 0
    kept: int = 0
    said: int = 0
    uncut: int = 0
    cut: int = 0


def count(made: Assembly, truth: Sequence[Word], into: Count) -> None:
    """Hears each join of a cut of one clip, and the same stretches of the clip before it was cut."""
    (material,) = made.materials
    whole = assemble([material], [Piece(clip=0, start=0, end=material.length)], name="uncut")
    spoken = Material(path=material.path, facts=material.facts, rate=material.rate, length=material.length,
                      words=tuple(truth))  # fmt: skip
    told = assemble([spoken], made.pieces, name="truth")
    with joined.heard(made, rate=heard_back.RATE) as cut, joined.heard(whole, rate=heard_back.RATE) as uncut:
        for at, one, two in joins(made):
            place = at / made.programme.rate
            after = _heard(cut, place - AROUND_S, place + AROUND_S)
            ends = one.end / material.rate, two.start / material.rate
            before = [w for e in ends for w in _heard(uncut, e - AROUND_S, e + AROUND_S)]
            for words, sure in ((programme_words(made), True), (programme_words(told), False)):
                near = [w for w in words if w.end > place - NEAR_S and w.start < place + NEAR_S]
                near = [w for w in near if len(w.plain) >= LEAST_LETTERS]
                there = _found(near, before)
                here = _found(near, after)
                if sure:
                    into.sure += len(there)
                    into.kept += len(there & here)
                else:
                    into.said, into.uncut, into.cut = (
                        into.said + len(near), into.uncut + len(there), into.cut + len(here)
                    )  # fmt: skip


def results(found: Count) -> Iterator[Result]:
    """As figures."""
    yield Result(name="heard_back.strict", value=found.kept / max(found.sure, 1), n=found.sure, bar=0.99,
                 want="at least",
                 note="heard once, letter by letter; of words that are heard so in the uncut sound too")  # fmt: skip
    yield Result(name="heard_back.of_the_truth", value=found.cut / max(found.said, 1), n=found.said,
                 beside={"uncut": found.uncut / max(found.said, 1)},
                 note="of all words that are said beside joins, whether the recogniser knows them or not")  # fmt: skip


def _heard(sound: joined.Joined, start: Fraction, end: Fraction) -> list[str]:
    said = moonshine.hear(heard_back.padded(sound.window(max(start, Fraction(0)), end)), weights.installed())
    return ["".join(c for c in w.text.casefold() if c.isalnum()) for w in said]


def _found(words: Sequence[Word], heard: Sequence[str]) -> set[int]:
    """Numbers of the words that are heard, in order."""
    wanted = ["".join(c for c in w.plain if c.isalnum()) for w in words]
    blocks = SequenceMatcher(None, wanted, heard, autojunk=False).get_matching_blocks()
    return {i for a, _, n in blocks for i in range(a, a + n)}
