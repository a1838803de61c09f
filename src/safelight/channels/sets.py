"""Rules about all files together: views that are missing, pictures that are there twice."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.channels.answer import Answer
from safelight.media.frame import Bytes
from safelight.media.picture import halved
from safelight.params import declare

THUMB = 24  # px, side at which pictures are compared
SHAPE = THUMB, THUMB, 3
HALVED = 32 * THUMB  # px, shorter side down to which a picture is halved first
TWICE = 4.0  # levels of 255 by which at least …
NEARLY = 0.98  # … such a share of two pictures differs at most that are one


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file of the set and its picture at a small size, SHAPE; None where it could not be decoded."""

    path: Path
    thumb: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Views that every item must have."""

    item: str = declare(
        r"(?P<item>.+?)[._-](?P<view>[^._-]+)",
        help="regular expression for the name without suffix, with groups item and view",
    )
    views: tuple[str, ...] = declare((), help="views that every item needs")
    items: tuple[str, ...] = declare((), help="items that must be there")


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """The same picture in two files."""

    allowed: bool = declare(False, help="whether a picture may be there twice")


def thumb(rgb: Bytes) -> NDArray[np.float32]:
    """A picture at a small size, by which doubles are found: in colour, since one thing is sold in several."""
    while min(rgb.shape[:2]) >= HALVED:
        rgb = halved(rgb)  # several times faster than the whole area average, and within a level of it
    return np.asarray(cv2.resize(rgb.astype(np.float32), (THUMB, THUMB), interpolation=cv2.INTER_AREA), np.float32)


def missing(files: Sequence[Written], rule: Missing) -> list[tuple[Path | None, Answer]]:
    """Items without one of their views, and items that are not there at all."""
    there: dict[str, set[str]] = defaultdict(set)
    for file in files:
        found = re.fullmatch(rule.item, file.path.stem)
        if found and {"item", "view"} <= set(found.groupdict()):
            there[found["item"]].add(found["view"])
    for item in rule.items:
        there.setdefault(item, set())
    lacking = {item: [v for v in rule.views if v not in views] for item, views in sorted(there.items())}
    lacking |= {item: ["every file"] for item, views in there.items() if not views}
    wrong = [
        (None, Answer(rule="missing", held=False, text=f"{item} lacks {', '.join(views)}.", value=item,
                      wanted=list(rule.views), remedy="Deliver them too, or take the item out."))
        for item, views in lacking.items() if views
    ]  # fmt: skip
    return list(wrong) or [(None, Answer(rule="missing", held=True, text=f"{len(there)} items have all their views."))]


def double(files: Sequence[Written], rule: Double) -> list[tuple[Path | None, Answer]]:
    """Pictures that are there twice; each is told at the later file."""
    if rule.allowed:
        return [(None, Answer(rule="double", held=True, text="Pictures may be there twice."))]
    seen = [f for f in files if f.thumb is not None]
    planes = np.array([f.thumb for f in seen], np.float32).reshape(len(seen), -1)
    wrong: list[tuple[Path | None, Answer]] = []
    for i, file in enumerate(seen[1:], 1):
        alike = (np.abs(planes[:i] - planes[i]) <= TWICE).mean(axis=1)
        nearest = int(alike.argmax())
        if alike[nearest] >= NEARLY and planes[i].std() > TWICE:
            text = f"{file.path.name} shows the same picture as {seen[nearest].path.name}."
            wrong.append(
                (file.path, Answer(rule="double", held=False, text=text, remedy="Leave one of them out.",
                                   value=seen[nearest].path.name))
            )  # fmt: skip
    return wrong or [(None, Answer(rule="double", held=True, text="No picture is there twice."))]


SET_RULES: Mapping[str, tuple[type[Any], Callable[..., list[tuple[Path | None, Answer]]]]] = {
    "missing": (Missing, missing),
    "double": (Double, double),
}
