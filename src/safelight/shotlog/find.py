"""Shots that fit what is asked: words that are said, names, tags, faults, and what was measured. None is an answer."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from safelight.shotlog.rows import Row

STEM = 4  # letters from which a word also finds longer ones that begin with it
_WORD = re.compile(r"[\w']+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a shot must be, all of it. `words`: as text; a phrase that is said counts where it begins, even if it goes
    on in the next shot."""

    words: str = ""
    steady: bool = False
    sharp: bool = False
    clean: bool = False  # no fault
    faces: int | None = None
    longer: float = 0.0  # seconds

    @property
    def nothing(self) -> bool:
        """Whether all shots fit."""
        return self == Asked()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Shots that fit, those in which the words are said one after another first; and how many could not be asked: what
    was asked about was not measured in them."""

    rows: tuple[Row, ...]
    unknown: int = 0


def find(rows: Sequence[Row], asked: Asked) -> Found:
    """The rows that fit, otherwise in their order."""
    sought = words_of(asked.words)
    spoken = _spoken(rows, sought)
    fitting, unknown = [], 0
    for row in rows:
        fits = _fits(row, asked)
        if fits is None:
            unknown += 1
        elif fits and (row.key in spoken or _has(row, sought)):
            fitting.append(row)
    fitting.sort(key=lambda row: row.key not in spoken)
    return Found(rows=tuple(fitting), unknown=unknown)


def _fits(row: Row, asked: Asked) -> bool | None:
    """None where it cannot be told."""
    told: list[bool | None] = []
    if asked.steady:
        told.append(_kind(row, "steadiness", "kind", "tripod"))
    if asked.sharp:
        told.append(_kind(row, "sharpness", "kind", "sharp"))
    if asked.faces is not None:
        told.append(_kind(row, "faces", "count", asked.faces))
    if asked.clean:
        told.append(not row.faults)
    told.append(row.seconds >= asked.longer)
    if False in told:
        return False
    return None if None in told else True


def _kind(row: Row, name: str, key: str, wanted: object) -> bool | None:
    fact = row.facts.get(name, {})
    return fact[key] == wanted if key in fact else None


def _has(row: Row, sought: Sequence[str]) -> bool:
    """Whether all words are somewhere about the shot."""
    about = [row.clip, row.reel or "", row.spoken, row.into if row.into != "start" else "", *row.tags, *row.marks]
    there = [word for text in about for word in words_of(text)]
    return all(any(_same(word, one) for one in there) for word in sought)


def _spoken(rows: Sequence[Row], sought: Sequence[str]) -> set[tuple[str, int]]:
    """Shots in which the words are said one after another, or begin to be."""
    if not sought:
        return set()
    said = [(row, word) for row in rows for _, _, text in row.words for word in words_of(text)]
    found = set()
    for first, (row, _) in enumerate(said):
        part = said[first : first + len(sought)]
        if len(part) == len(sought) and all(
            other.clip == row.clip and _same(word, one) for word, (other, one) in zip(sought, part, strict=True)
        ):
            found.add(row.key)
    return found


def _same(sought: str, word: str) -> bool:
    return word == sought or (len(sought) >= STEM and word.startswith(sought))


def words_of(text: str) -> list[str]:
    """Words in small letters without marks, as they are compared."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return [w.strip("'") for w in _WORD.findall(plain.replace("_", " ").replace("’", "'")) if w.strip("'")]
