"""Who is on the photos of a shoot: prints out of the library, numbers of persons into it."""

import base64
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Box
from safelight.people.grouping import Answer, Crowd, Face, crowd, group
from safelight.store import personal
from safelight.store.library import Library
from safelight.store.personal import Print, Said, Sighting

EVIDENCE = "people.prints"  # what the probe `people` leaves of a photo
LABEL = "people@1"


def group_shoot(library: Library, assets: Collection[str]) -> None:
    """Decides who is on these photos, all of one shoot, and writes what has changed."""
    prints = personal.prints(library, EVIDENCE)
    seen = personal.sightings(library)
    said = personal.said(library)
    mine = sorted(asset for asset in prints if asset in assets)
    told = [p for asset in mine for p in prints[asset] if p.text is not None]
    faces = [_face(p, seen.get(p.asset, ()), said) for p in told]
    others = [p for asset, listed in prints.items() if asset not in assets for p in listed]
    answers = dict(
        zip(((p.asset, p.box) for p in told), group(faces, _known(others, seen, said), said.firm), strict=True)
    )
    decided = {asset: [_sighting(p, answers) for p in prints[asset]] for asset in mine}
    personal.save_sightings(library, {a: now for a, now in decided.items() if now != list(seen.get(a, ()))})


def _face(found: Print, seen: Sequence[Sighting], said: Said) -> Face:
    parted = said.parted.get((found.asset, found.box))
    before = parted if parted is not None else before_of(found.box, seen)
    return Face(
        asset=found.asset, box=found.box, numbers=unpacked(found.text or ""),
        before=None if before is None else said.one(before), held=parted is not None,
    )  # fmt: skip


def before_of(box: Box, seen: Sequence[Sighting]) -> int | None:
    """The person that a face was said to be when it was last looked at, found again by its place."""
    here = [(personal.overlap(box, s.box), s.person) for s in seen if s.person is not None]
    most, person = max(here, default=(0.0, None), key=lambda pair: pair[0])
    return person if most > personal.SAME_FACE else None


def _known(others: Iterable[Print], seen: dict[str, list[Sighting]], said: Said) -> dict[int, Crowd]:
    """Persons on photos of other shoots, by number."""
    found: dict[int, list[tuple[str, NDArray[np.float32]]]] = {}
    for p in others:
        person = before_of(p.box, seen.get(p.asset, ())) if p.text is not None else None
        if person is not None:
            found.setdefault(said.one(person), []).append((p.asset, unpacked(p.text or "")))
    return {person: crowd(faces) for person, faces in found.items()}


def _sighting(found: Print, answers: dict[tuple[str, Box], Answer]) -> Sighting:
    answer = answers.get((found.asset, found.box), Answer(cannot_tell=found.cannot_tell))
    return Sighting(box=found.box, person=answer.person, cannot_tell=answer.cannot_tell)


def unpacked(text: str) -> NDArray[np.float32]:
    """A print as numbers: base64 of float16, little-endian."""
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)
