"""What a person can do about the grouping of people: switch it, look at it, correct it, erase it. With its words."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from safelight import weights
from safelight.errors import UsageError
from safelight.store import erasing, personal, records
from safelight.store.library import Library
from safelight.store.personal import FaceKey, Sighting

SCHEMA = "safelight.people/1"
WEIGHTS = "face_identity"
SHOWN = 3  # photos named for each person in a list
LEAST = 2  # photos a person is on, to be in the list that is shown


def turn(library: Library, *, on: bool, by: str) -> dict[str, Any]:
    """Switches grouping on or off; nothing is said twice."""
    if personal.switch(library).on is not on:
        personal.turn(library, "on" if on else "off", by=by)
    return document(library)


def document(library: Library) -> dict[str, Any]:
    """`safelight.people/1`: the switch, whether it can work, and everybody with number, name and photos."""
    switch = personal.switch(library)
    found = everybody(library)
    shown = _paths(library, {asset for photos in found.values() for asset in photos[:SHOWN]})
    names = personal.said(library).names
    return {
        "schema": SCHEMA,
        "on": switch.on,
        "by": switch.by or None,
        "at": switch.at or None,
        "weights": WEIGHTS in weights.installed(),
        "photos": personal.count(library),
        "people": [
            {
                "person": person, "name": names.get(person), "photos": len(photos),
                "shown": [shown[asset] for asset in photos[:SHOWN] if asset in shown],
            }
            for person, photos in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        ],
    }  # fmt: skip


def everybody(library: Library) -> dict[int, list[str]]:
    """The photos that each person is on, by number."""
    said = personal.said(library)
    found: dict[int, list[str]] = {}
    for asset, faces in sorted(personal.sightings(library).items()):
        for person in {said.one(s.person) for s in faces if s.person is not None}:
            found.setdefault(person, []).append(asset)
    return found


def _paths(library: Library, assets: Collection[str]) -> dict[str, str]:
    """Where photos lie, in full."""
    out: dict[str, str] = {}
    if assets:
        for shoot in records.shoots(library):
            for path, file in records.files(library, shoot.id).items():
                record = file.relinked_from or file.asset
                if record in assets:
                    out.setdefault(str(record), str(Path(shoot.root) / path))
    return out


# ---------------------------------------------------------------- corrections


def name(library: Library, person: int, words: str, *, by: str) -> None:
    """Gives a person a name."""
    number = _known(library, person)
    if not words.strip():
        raise UsageError("A name has at least one letter.", remedy="safelight people name 3 'Anna'")
    personal.say(library, "name", number, name=words.strip(), by=by)


def join(library: Library, person: int, others: Sequence[int], *, by: str) -> None:
    """Says that others are this person too. Raises UsageError where a photo shows two of them."""
    found = everybody(library)
    kept = _known(library, person, found)
    numbers = [_known(library, other, found) for other in others]
    if not set(numbers) - {kept}:
        raise UsageError(f"Person {person} is that person already.", remedy="Name two persons: people join 3 5")
    together = list(found[kept])
    for number in dict.fromkeys(n for n in numbers if n != kept):
        both = sorted(set(together) & set(found[number]))
        if both:
            where = next(iter(_paths(library, both[:1]).values()), both[0])
            raise UsageError(
                f"Two faces in one photo are never one person, and {where} shows both person {kept} and {number}.",
                remedy=f"Say first which photos are wrong: safelight people part {number} PHOTO…",
            )
        together += found[number]
    for number in dict.fromkeys(n for n in numbers if n != kept):
        personal.say(library, "join", kept, other=number, by=by)


def part(library: Library, person: int, assets: Collection[str], *, by: str) -> int:
    """Says that the face on these photos is somebody else's; the number of that somebody. Raises UsageError where the
    person is on none of them, or on no others."""
    said = personal.said(library)
    number = _known(library, person)
    seen = personal.sightings(library)
    theirs = {
        asset: [s for s in faces if s.person is not None and said.one(s.person) == number]
        for asset, faces in seen.items()
    }
    theirs = {asset: faces for asset, faces in theirs.items() if faces}
    wrong = {asset: faces for asset, faces in theirs.items() if asset in assets}
    if not wrong:
        raise UsageError(f"Person {number} is on none of these photos.", remedy="safelight people list")
    if len(wrong) == len(theirs):
        raise UsageError(
            f"These are all the photos that person {number} is on.",
            remedy="Leave one out; there is nobody to part from.",
        )
    keys: list[FaceKey] = [(asset, s.box) for asset, faces in wrong.items() for s in faces]
    moved = {asset: [_moved(s, wrong[asset]) for s in seen[asset]] for asset in wrong}
    given = personal.save_sightings(library, moved)
    personal.say(library, "part", given[-1], other=number, faces=keys, by=by)
    return given[-1]


def _moved(seen: Sighting, wrong: Sequence[Sighting]) -> Sighting:
    return Sighting(box=seen.box, person=-1) if seen in wrong else seen


def _known(library: Library, person: int, found: Mapping[int, Sequence[str]] | None = None) -> int:
    """The number that stands for a person now. Raises UsageError where there is none."""
    number = personal.said(library).one(person)
    if number not in (everybody(library) if found is None else found):
        raise UsageError(f"There is no person {person}.", remedy="safelight people list")
    return number


def erase(library: Library, persons: Sequence[int], *, by: str) -> erasing.Erased:
    """Erases persons, or everything where none is named. Raises LibraryError where something may be left."""
    if not persons:
        done = erasing.everything(library, by=by)
    else:
        found = everybody(library)
        numbers = list(dict.fromkeys(_known(library, person, found) for person in persons))
        several = [erasing.person(library, number, by=by) for number in numbers]
        left = tuple(dict.fromkeys(place for one in several for place in one.left))
        done = erasing.Erased(photos=sum(one.photos for one in several), copies=several[-1].copies, left=left)
    if done.left:
        raise erasing.refused(done)
    return done


# ---------------------------------------------------------------- in words


def words(found: Mapping[str, Any], *, everyone: bool = False) -> str:
    """The document for a terminal."""
    lines = [switch_words(found)]
    shown = [p for p in found["people"] if everyone or p["name"] or p["photos"] >= LEAST]
    for p in shown:
        called = f"person {p['person']}" + (f" ({p['name']})" if p["name"] else "")
        lines.append(f"  {called}: {p['photos']:,} photo{'s' if p['photos'] != 1 else ''}, {', '.join(p['shown'])}")
    if len(found["people"]) > len(shown):
        lines.append(f"  and {len(found['people']) - len(shown):,} seen on one photo each; --all lists them")
    return "\n".join(lines)


def switch_words(found: Mapping[str, Any]) -> str:
    """How the switch stands, what is kept, and what is missing."""
    who = f", by {found['by']} on {found['at'][:10]}" if found["by"] else ""
    lines = [f"Grouping of people is {'on' if found['on'] else 'off'}{who}."]
    if found["photos"]:
        lines.append(f"The library holds what tells apart the faces of {found['photos']:,} photos.")
        if not found["on"]:
            lines.append("It is not used while the switch is off, and stays until `safelight people erase --all`.")
    elif found["on"]:
        lines.append("Nothing is measured yet: the next `safelight run` does it.")
    if found["on"] and not found["weights"]:
        lines.append(f"The weights are not here: safelight models fetch {WEIGHTS}")
    return "\n".join(lines)
