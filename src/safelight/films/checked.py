"""A film measured once, and what the rules of a place say about it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight import footage, soundtrack
from safelight.channels.answer import Answer
from safelight.errors import MediaError
from safelight.films.book import Book
from safelight.films.rules import RULES, Film
from safelight.media import container

SCHEMA = "safelight.film/1"


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


def check(path: Path, book: Book, *, captions: Path | None = None) -> Checked:
    """Measures a film as a first pass would, and asks every rule. Raises MediaError for what cannot be read."""
    facts = container.contents(path)
    with tempfile.TemporaryDirectory(prefix="safelight-") as folder:
        seen = footage.watch(footage.Watch(path=path.name, full=path, cache=Path(folder)))
        heard = soundtrack.read(path, facts, Path(folder)) if facts.sounds else soundtrack.Soundtrack()
    if seen.error is not None:
        raise MediaError(seen.error["cause"], remedy=seen.error.get("remedy", ""))
    film = Film(path=path, facts=facts, found={m.name: m for m in (*seen.measures, *heard.measures)}, captions=captions)
    answers = [answer for name, settings in book.rules.items() for answer in RULES[name][1](film, settings)]
    return Checked(path=path, book=book, answers=tuple(answers))
