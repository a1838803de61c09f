"""What is about people, in and out of the library: the switch, prints of faces, who is where, what was said, and the
keys by which records are split.

Kept apart from all other evidence, so that nothing that reads evidence, exports a record or writes a report can carry
it along. `erasing` takes it away again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import sqlalchemy as sa

from safelight.domain import Box, Measure
from safelight.files import json_text
from safelight.store import schema
from safelight.store.library import Library, now
from safelight.store.records import CHUNK

ERASED = "erased on request"
SAME_FACE = 0.5  # overlap (intersection over union) of two boxes of one face, found twice

FaceKey = tuple[str, Box]  # asset, box


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Whether people are grouped, who said so and when; `by` and `at` are empty where nobody ever did."""

    on: bool
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """A face with what tells it apart (text, as the probe packs it), or why there is nothing."""

    asset: str
    box: Box
    text: str | None = None
    cannot_tell: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A face with the number of the person it is said to be, or why that is not told."""

    box: Box
    person: int | None = None
    cannot_tell: str | None = None


@dataclass(slots=True, kw_only=True)
class Said:
    """What holds of everything that was said: `alias` leads from a joined number to the one that stays."""

    names: dict[int, str] = field(default_factory=dict)
    alias: dict[int, int] = field(default_factory=dict)
    parted: dict[FaceKey, int] = field(default_factory=dict)
    firm: set[int] = field(default_factory=set)  # persons about whom something was said

    def one(self, person: int) -> int:
        """The number that stands for a person now."""
        while person in self.alias:
            person = self.alias[person]
        return person


# ---------------------------------------------------------------- the switch


def switch(library: Library) -> Switch:
    """How the switch stands; off in a new library."""
    table = schema.people_switch
    rows = library.rows(sa.select(table).where(table.c.say.in_(("on", "off"))).order_by(table.c.seq.desc()).limit(1))
    return Switch(on=rows[0]["say"] == "on", by=rows[0]["by"], at=rows[0]["at"]) if rows else Switch(on=False)


def turn(library: Library, say: Literal["on", "off", "erased"], *, by: str) -> None:
    """Turns the switch, or notes that something was erased."""
    library.append(schema.people_switch, [{"say": say, "by": by, "at": now()}])


def key(library: Library) -> list[int]:
    """Changes whenever the switch was turned, something was said of people, or something was erased."""
    with library.transaction(reading=True) as connection:
        newest = (sa.select(sa.func.max(t.c.seq)) for t in (schema.people_switch, schema.people_said))
        return [connection.execute(statement).scalar() or 0 for statement in newest]


# ---------------------------------------------------------------- prints


def save(library: Library, found: Iterable[tuple[str, str, str, Sequence[Measure]]]) -> None:
    """Appends (asset, by, key, measures) of personal probes, with the mark that this was measured. Faces that were
    erased before stay without a print."""
    listed = list(found)
    gone = {asset: _erased(faces) for asset, faces in sightings(library, [a for a, *_ in listed]).items()}
    rows = [
        {
            "asset": asset, "key": key, "name": m.name, "by": by, "at": now(), "cannot_tell": m.cannot_tell,
            "value": None if m.value is None else json_text(without(m.value, gone.get(asset, []))),
        }
        for asset, by, key, measures in listed for m in measures
    ]  # fmt: skip
    with library.transaction() as connection:
        if rows:
            connection.execute(sa.insert(schema.personal), rows)
        if listed:
            connection.execute(sa.insert(schema.measured), [{"subject": a, "key": key} for a, _, key, _ in listed])


def prints(library: Library, name: str) -> dict[str, list[Print]]:
    """The faces of every photo that was looked at, by asset; `name` is the evidence they are kept under."""
    table = schema.personal
    out: dict[str, list[Print]] = {}
    for row in library.newest(table, ["asset"], table.c.name == name):
        faces = json.loads(row["value"]) if row["value"] else []
        out[row["asset"]] = [
            Print(asset=row["asset"], box=_box(f["box"]), text=f.get("print"), cannot_tell=f.get("cannot_tell"))
            for f in faces
        ]
    return out


def untold(library: Library, assets: Sequence[str]) -> dict[str, str]:
    """Why nothing could be measured on a photo, by asset, for those where it is so."""
    table = schema.personal
    out: dict[str, str] = {}
    for i in range(0, len(assets), CHUNK):
        for row in library.newest(table, ["asset"], table.c.asset.in_(assets[i : i + CHUNK])):
            if row["cannot_tell"]:
                out[row["asset"]] = row["cannot_tell"]
    return out


def count(library: Library) -> int:
    """How many photos have personal data."""
    table = schema.personal
    return int(library.rows(sa.select(sa.func.count(sa.distinct(table.c.asset)).label("n")))[0]["n"])


# ---------------------------------------------------------------- who is on which photo


def sightings(library: Library, assets: Sequence[str] | None = None) -> dict[str, list[Sighting]]:
    """The newest decision about each photo's faces; with joined persons under the number that was first written."""
    table = schema.sightings
    found: list[sa.RowMapping] = []
    if assets is None:
        found += library.newest(table, ["asset"])
    else:
        for i in range(0, len(assets), CHUNK):
            found += library.newest(table, ["asset"], table.c.asset.in_(assets[i : i + CHUNK]))
    return {
        row["asset"]: [
            Sighting(box=_box(f["box"]), person=f["person"], cannot_tell=f["cannot_tell"])
            for f in json.loads(row["faces"])
        ]
        for row in found
    }


def save_sightings(library: Library, found: Mapping[str, Sequence[Sighting]]) -> dict[int, int]:
    """Appends what was decided about photos' faces. Persons new to the library come as negative numbers and get the
    next free ones, which are returned; two runs at once never give the same."""
    fresh = sorted({s.person for faces in found.values() for s in faces if s.person is not None and s.person < 0})
    with library.transaction() as connection:
        highest = [
            connection.execute(sa.select(sa.func.max(column))).scalar() or 0
            for column in (schema.sightings.c.highest, schema.people_said.c.person, schema.people_said.c.other)
        ]
        given = {number: max(highest) + 1 + i for i, number in enumerate(reversed(fresh))}
        rows = [
            row_of(asset, [replace(s, person=given.get(s.person or 0, s.person)) for s in faces])
            for asset, faces in found.items()
        ]
        if rows:
            connection.execute(sa.insert(schema.sightings), rows)
    return given


def row_of(asset: str, faces: Sequence[Sighting]) -> dict[str, Any]:
    """A row of the table of sightings."""
    listed: Any = [{"box": list(s.box), "person": s.person, "cannot_tell": s.cannot_tell} for s in faces]
    highest = max((s.person or 0 for s in faces), default=0)
    return {"asset": asset, "faces": json_text(listed), "highest": highest, "at": now()}


# ---------------------------------------------------------------- what was said


def said(library: Library) -> Said:
    """What holds of everything that people said, oldest first."""
    out = Said()
    for row in library.rows(sa.select(schema.people_said).order_by(schema.people_said.c.seq)):
        person = out.one(row["person"])
        out.firm.add(person)
        if row["say"] == "name":
            out.names[person] = row["name"]
        elif row["say"] == "join":
            other = out.one(row["other"])
            if other != person:
                out.alias[other] = person
                out.names.setdefault(person, out.names.pop(other, ""))
        else:
            out.firm.add(out.one(row["other"]))
            out.parted |= {(asset, _box(box)): person for asset, box in json.loads(row["faces"])}
    out.names = {person: name for person, name in out.names.items() if name}
    return out


def say(
    library: Library, what: Literal["name", "join", "part"], person: int, *, by: str, other: int | None = None,
    name: str | None = None, faces: Sequence[FaceKey] = (),
) -> None:  # fmt: skip
    """Appends what somebody said about a person."""
    listed: Any = [[asset, list(box)] for asset, box in faces]
    library.append(
        schema.people_said,
        [
            {
                "say": what, "person": person, "other": other, "name": name, "by": by, "at": now(),
                "faces": json_text(listed) if listed else None,
            }
        ],
    )  # fmt: skip


# ---------------------------------------------------------------- keys by which records are split


def save_keys(library: Library, found: Iterable[tuple[str, str, Sequence[Measure]]]) -> None:
    """Keeps what (asset, key, measures) tell, in place of what was told before, with the mark that this was measured.
    What cannot be told leaves nothing but the mark."""
    listed = list(found)
    table = schema.risk_keys
    rows = [
        {"asset": asset, "key": key, "name": m.name, "value": str(m.value), "at": now()}
        for asset, key, measures in listed for m in measures if m.value is not None
    ]  # fmt: skip
    with library.transaction() as connection:
        for asset, _, measures in listed:
            names = [m.name for m in measures]
            connection.execute(sa.delete(table).where(table.c.asset == asset, table.c.name.in_(names)))
        if rows:
            connection.execute(sa.insert(table), rows)
        if listed:
            connection.execute(sa.insert(schema.measured), [{"subject": a, "key": key} for a, key, _ in listed])


def keys(library: Library, assets: Sequence[str]) -> dict[str, dict[str, Measure]]:
    """By what the record of each photo is split, where that could be told."""
    table = schema.risk_keys
    out: dict[str, dict[str, Measure]] = {}
    for i in range(0, len(assets), CHUNK):
        for row in library.rows(sa.select(table).where(table.c.asset.in_(assets[i : i + CHUNK])).order_by(table.c.seq)):
            out.setdefault(row["asset"], {})[row["name"]] = Measure(name=row["name"], value=row["value"])
    return out


def forget(library: Library, names: Iterable[str]) -> None:
    """Takes keys of these names out again, with the marks that they were measured."""
    table = schema.risk_keys
    these = table.c.name.in_(list(names))
    if not library.rows(sa.select(table.c.seq).where(these).limit(1)):
        return
    with library.transaction() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("pragma secure_delete = on")
        marks = sa.select(table.c.key).where(these).distinct()
        connection.execute(sa.delete(schema.measured).where(schema.measured.c.key.in_(marks)))
        connection.execute(sa.delete(table).where(these))


# ---------------------------------------------------------------- boxes


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0, width) * max(0, height)
    return both / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - both)


def _box(value: Sequence[int]) -> Box:
    return value[0], value[1], value[2], value[3]


def _erased(faces: Sequence[Sighting]) -> list[Box]:
    return [s.box for s in faces if s.cannot_tell == ERASED]


def without(value: Any, gone: Sequence[Box]) -> Any:
    """A personal answer without the faces that were erased."""
    if not gone or not isinstance(value, list):
        return value
    return [{"box": f["box"], "cannot_tell": ERASED} if _is_among(f, gone) else f for f in value]


def _is_among(face: Any, boxes: Sequence[Box]) -> bool:
    return isinstance(face, dict) and any(overlap(_box(face["box"]), box) > SAME_FACE for box in boxes)
