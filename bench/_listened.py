"""Part of the bench of cutting: whether the words beside the joins are heard back, strictly.

A word counts as heard back where the recogniser writes it, letter by letter, when it hears the joined sound once. It
counts only among those that could be: that the recogniser wrote in the first pass and writes again, letter by letter,
where it hears the same stretch of the uncut sound once more; and, apart, among all that was said by the truth.

A small recogniser contradicts itself when the same sound comes to it in another window. How often it does is measured
beside it: the uncut sound is heard in windows that begin and end with the same words, the whole pause between them.
What that control loses is the recogniser's; what is lost beyond it, or in two windows though it was settled, would be
the cut's.
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
LAID_S = (Fraction(0), Fraction(1, 2))  # by which a window lies before its place
LEAST_LETTERS = 3  # of a word: shorter ones are written by what stands around them


@dataclass(slots=True)
class Count:
    """Words beside joins. `sure`: written by the first pass and again where the uncut sound is heard around both edges;
    of these `kept` are heard in the cut sound, `again` where the uncut sound is heard once more in a window laid as
    the cut's, with the whole pause in it. `settled`: heard there in two such windows; of these `lost` in both windows
    of the cut. `said` by the truth: of these heard in the uncut sound and in the cut one."""

    sure: int = 0
    kept: int = 0
    again: int = 0
    settled: int = 0
    lost: int = 0
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
            ends = one.end / material.rate, two.start / material.rate
            before = [w for e in ends for w in _heard(uncut, e, e)]
            after, moved = (_heard(cut, place - by, place - by) for by in LAID_S)
            twice = [_heard(uncut, ends[0] - by, ends[1] - by) for by in LAID_S]
            near = _near(programme_words(made), place)
            sure = _found(near, before)
            once, again = (_found(near, words) for words in twice)
            into.sure, into.kept = into.sure + len(sure), into.kept + len(sure & _found(near, after))
            into.again += len(sure & once)
            settled = sure & once & again
            into.settled += len(settled)
            into.lost += len(settled - _found(near, after) - _found(near, moved))
            near = _near(programme_words(told), place)
            into.said += len(near)
            into.uncut, into.cut = into.uncut + len(_found(near, before)), into.cut + len(_found(near, after))


def results(found: Count) -> Iterator[Result]:
    """As figures."""
    strict, control = found.kept / max(found.sure, 1), found.again / max(found.sure, 1)
    yield Result(name="heard_back.strict", value=strict, n=found.sure, bar=0.99, want="at least",
                 beside={"uncut_heard_once_more": control},
                 note="heard once, letter by letter; of words that are heard so in the uncut sound too")  # fmt: skip
    yield Result(name="heard_back.lost_beyond_control", value=control - strict, n=found.sure, bar=0.01, want="at most",
                 note="by how much more is not heard in the cut sound than when the uncut one is heard once more in "
                 "the same windows, with the pause; below 0: less")  # fmt: skip
    yield Result(name="heard_back.lost_in_both_windows", value=found.lost / max(found.settled, 1), n=found.settled,
                 bar=0.01, want="at most",
                 note="of the words that every hearing of the uncut sound writes alike, letter by letter")  # fmt: skip
    yield Result(name="heard_back.of_the_truth", value=found.cut / max(found.said, 1), n=found.said,
                 beside={"uncut": found.uncut / max(found.said, 1)},
                 note="of all words that are said beside joins, whether the recogniser knows them or not")  # fmt: skip


def _near(words: Sequence[Word], place: Fraction) -> list[Word]:
    found = [w for w in words if w.end > place - NEAR_S and w.start < place + NEAR_S]
    return [w for w in found if len(w.plain) >= LEAST_LETTERS]


def _heard(sound: joined.Joined, first: Fraction, last: Fraction) -> list[str]:
    """What is heard from before one place to behind another."""
    samples = sound.window(max(first - AROUND_S, Fraction(0)), last + AROUND_S)
    said = moonshine.hear(heard_back.padded(samples), weights.installed())
    return ["".join(c for c in w.text.casefold() if c.isalnum()) for w in said]


def _found(words: Sequence[Word], heard: Sequence[str]) -> set[int]:
    """Numbers of the words that are heard, in order."""
    wanted = ["".join(c for c in w.plain if c.isalnum()) for w in words]
    blocks = SequenceMatcher(None, wanted, heard, autojunk=False).get_matching_blocks()
    return {i for a, _, n in blocks for i in range(a, a + n)}
