"""Every person stays covered: which photos show whom, and what a cull owes to them.

Reads the evidence `people`, which is there only where grouping of people is switched on. A person counts who was told
apart on at least two photos without a certain fault: somebody seen once may be a passer-by, and keeps what the photo's
moment keeps. Nothing here makes a photo go. No number and no name gets into a reason, so that none outlives an erasure.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from safelight.domain import Because
from safelight.operators import Subject
from safelight.operators._target import Keeper, surplus

FRAMES = 2  # good photos that a person is on, to be owed one
CODE = "people.only"
TEXT = "The only kept photo with one of the people."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is on which good photo: the persons who count, each with the place of their face in `people`."""

    faces: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    def people(self, photo: str) -> set[int]:
        """The persons on a photo."""
        return set(self.faces.get(photo, ()))

    def everybody(self) -> set[int]:
        """All persons who count."""
        return {person for faces in self.faces.values() for person in faces}

    def only(self, photo: str, person: int) -> Because:
        """The reason of the only kept photo with a person; its value is the place of the face in `people`."""
        return Because(evidence="people", value=self.faces[photo][person], code=CODE, text=TEXT)


def cast(subjects: Sequence[Subject], *, is_good: Callable[[Subject], bool]) -> Cast:
    """The cast of a shoot; nobody where nothing is known of people."""
    faces = {s.asset.id: found for s in subjects if (found := _faces(s)) and is_good(s)}
    frames: dict[int, int] = {}
    for found in faces.values():
        for person in found:
            frames[person] = frames.get(person, 0) + 1
    return Cast(
        faces={
            photo: {person: place for person, place in found.items() if frames[person] >= FRAMES}
            for photo, found in faces.items()
        }
    )


def missing(who: Cast, kept: Collection[str], strength: Mapping[str, float]) -> dict[str, int]:
    """Photos of those in `strength` to keep as well, each with a person who is on no kept one: those that show most of
    them first, then the strongest."""
    photos = [photo for photo in who.faces if photo in strength]
    lost = {person for photo in photos for person in who.people(photo)}
    lost -= {person for photo in kept for person in who.people(photo)}
    wanted = {}
    while lost:
        photo = max(photos, key=lambda p: (len(who.people(p) & lost), strength[p], p))
        wanted[photo] = min(who.people(photo) & lost)
        lost -= who.people(photo)
    return wanted


def spared(who: Cast, keepers: Sequence[Keeper], target: int) -> tuple[dict[str, Subject], dict[str, int]]:
    """What `surplus` takes away where everybody on a keeper stays on one, and the keepers that stay for a person."""
    strength = {keeper.subject.asset.id: keeper.strength for keeper in keepers}
    owed: dict[str, int] = {}
    while True:
        fixed = [replace(k, fixed=True) if k.subject.asset.id in owed else k for k in keepers]
        gone = surplus(fixed, target)
        more = missing(who, strength.keys() - gone.keys(), strength)
        if not more:
            return gone, owed
        owed |= more


def _faces(subject: Subject) -> dict[int, int]:
    found = subject.facts.get("people")
    listed = found.value if found is not None and isinstance(found.value, list) else []
    return {face["person"]: place for place, face in enumerate(listed) if isinstance(face.get("person"), int)}
