"""The contact sheet of clips in the report: a key frame for every shot, to be narrowed down by typing."""

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from safelight import footage, shotlog, sidecars
from safelight.shotlog import Row
from safelight.shotlog.find import words_of
from safelight.state import Footage
from safelight.store.objects import ShootFolder
from safelight.words import lasting

SIDE, QUALITY = 240, 70  # px, and of JPEG, of key frames in the page
MANY = 400  # shots from which on they are smaller
WORDS = 16  # shown of what is said


def sheet(clips: Mapping[str, Footage], where: ShootFolder, picture: Callable[[Path, int, int], str]) -> str:
    """The part of the page about shots; empty where there are none. `picture` makes the source of an image from a file,
    a side in px and a quality."""
    rows = [row for _, c in sorted(clips.items()) for row in shotlog.rows_of(c, tags=_tags(where, c))]
    if not rows:
        return ""
    side = SIDE if len(rows) <= MANY else SIDE * 2 // 3
    source = files("safelight.report").joinpath("shots.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    cards = [_card(row, picture(_path(where, row), side, QUALITY)) for row in rows]
    unheard = shotlog.unheard(list(clips.values()))
    return environment.from_string(source).render(cards=cards, count=len(rows), unheard=unheard)


def _tags(where: ShootFolder, clip: Footage) -> tuple[str, ...]:
    return sidecars.keywords(where.root / clip.path)


def _path(where: ShootFolder, row: Row) -> Path:
    place = where.cached(row.asset)
    return footage.key_frame(place.with_name(place.name + footage.KEYS), row.key_frame)


def _card(row: Row, picture: str) -> dict[str, Any]:
    words = row.spoken.split()
    spoken = " ".join(words[:WORDS]) + (" …" if len(words) > WORDS else "")
    about = [row.clip, row.reel or "", row.spoken, row.into, *row.tags, *row.marks]
    return {
        "clip": row.clip, "number": row.number,
        "at": row.label_in, "until": row.label_out, "lasts": lasting(row.seconds),
        "picture": picture, "marks": [*row.tags, *row.marks], "spoken": spoken,
        "said": " ".join(shotlog.sentences(row.facts).values()),
        "about": " ".join(dict.fromkeys(word for text in about for word in words_of(text))),
    }  # fmt: skip
