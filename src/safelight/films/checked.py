"""A film measured once, and what the rules of a place say about it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight import dialogue, footage, soundtrack
from safelight.channels.answer import Answer
from safelight.domain import Measure
from safelight.errors import MediaError, SafelightError
from safelight.films.book import Book
from safelight.films.rules import RULES, Film
from safelight.media import container, loudness
from safelight.media.container import Contents
from safelight.media.loudness import TARGETS

SCHEMA = "safelight.film/1"
OF_FRAMES = {"faults", "captions"}  # rules that ask for every frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A film, the place that it is meant for, and every rule's answer."""

    path: Path
    book: Book
    answers: tuple[Answer, ...]

    @property
    def passes(self) -> bool:
        """Whether nothing is broken, and nothing is left that cannot be told."""
        return all(answer.held for answer in self.answers)

    def as_json(self) -> dict[str, Any]:
        """As fields."""
        return {
            "file": self.path.name, "for": self.book.name, "passes": self.passes,
            "rules": [answer.as_json() for answer in self.answers],
        }  # fmt: skip


def _looked(path: Path, facts: Contents, room: Path) -> tuple[Measure, ...]:
    """What every frame shows: faults, and where shots join."""
    if facts.picture is None:
        return ()
    seconds = float(facts.duration_s or 0)
    return footage.see(footage.See(asset=path.name, full=path, place=room / "film", seconds=seconds)).measures


def _dialogue(path: Path, facts: Contents, book: Book) -> tuple[Measure, ...]:
    """How loud it is where somebody speaks, if a rule asks for that."""
    settings = book.rules.get("loudness")
    if settings is None or not facts.sounds or not TARGETS[settings.target].dialogue:
        return ()
    name = "loudness.dialogue"
    try:
        found = loudness.measure(path, speech=dialogue.of(path, TARGETS[settings.target])).dialogue_lufs
    except SafelightError as error:
        return (Measure(name=name, cannot_tell=str(error).rstrip(".")),)
    return (Measure(name=name, value=found, cannot_tell=None if found is not None else "nobody is heard to speak"),)


def check(path: Path, book: Book, *, captions: Path | None = None, name: str | None = None) -> Checked:
    """Measures a film as a first pass would, and asks every rule; `name` is what a draft will be called. Raises
    MediaError for what cannot be read."""
    facts = container.contents(path)
    with tempfile.TemporaryDirectory(prefix="safelight-") as folder:
        seen = footage.watch(footage.Watch(path=path.name, full=path, cache=Path(folder)))
        heard = soundtrack.read(path, facts, Path(folder)) if facts.sounds else soundtrack.Soundtrack()
        looked = _looked(path, facts, Path(folder)) if book.rules.keys() & OF_FRAMES else ()
    if seen.error is not None:
        raise MediaError(seen.error["cause"], remedy=seen.error.get("remedy", ""))
    found = {m.name: m for m in (*seen.measures, *heard.measures, *looked, *_dialogue(path, facts, book))}
    film = Film(path=path, name=name or path.name, facts=facts, found=found, captions=captions)
    answers = [answer for name, settings in book.rules.items() for answer in RULES[name][1](film, settings)]
    return Checked(path=path, book=book, answers=tuple(answers))
