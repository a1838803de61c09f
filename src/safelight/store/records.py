"""Nouns in and out of the library's tables."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from safelight.domain import (
    Asset,
    Because,
    Capture,
    Drawn,
    Edit,
    Findings,
    Genre,
    Group,
    GroupKind,
    Json,
    Kind,
    Measure,
    Proposal,
    Say,
    Verdict,
    Version,
    Where,
    Zone,
    exact,
)
from safelight.files import json_text
from safelight.store import reviewers, schema, sound
from safelight.store.library import Library, now

CHUNK = 5000  # bound values a statement may carry with room to spare


@dataclass(frozen=True, slots=True, kw_only=True)
class Shoot:
    """A job: a folder of originals, whose it is, and how much is at stake."""

    id: str
    root: str
    name: str
    client: str | None = None
    stakes: str = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of a shoot, and holds for its later runs."""

    target: int | None = None
    genre: Genre | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a shoot: the asset it holds, or the error that keeps it from being one."""

    path: str  # relative to the shoot, as the file system spells it
    asset: str | None
    size: int
    mtime_ns: int
    relinked_from: str | None = None
    error: Mapping[str, str] | None = None
    present: bool = True


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Verdicts, oldest first, and the standing one of each (asset, operator): the newest, or the newest of a lead where
    there is one. Where the latest words of several people differ and no lead has spoken after them, the item is
    contested."""

    rows: list[Verdict] = field(default_factory=list)
    standing: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    contested: set[tuple[str, str]] = field(default_factory=set)
    leads: frozenset[str] = frozenset()
    seq: int = 0  # of the newest row that was read from the library
    aside: dict[int, str] = field(default_factory=dict)  # rows that cannot be read, by number, and why
    _kept: dict[tuple[str, str], list[Verdict]] = field(default_factory=dict)  # what was said and not taken back

    def add(self, verdict: Verdict) -> None:
        """Appends; an undo takes the newest verdict of its shoot away, that person's own where there is one, so that
        the one before it stands again."""
        self.rows.append(verdict)
        key = verdict.asset, verdict.operator
        kept = self._kept.setdefault(key, [])
        if verdict.say is not Say.UNDO:
            kept.append(verdict)
        else:
            here = [i for i in range(len(kept)) if kept[i].shoot == verdict.shoot]
            own = [i for i in here if kept[i].by == verdict.by]
            if here:
                del kept[(own or here)[-1]]
        self.contested.discard(key)
        if not kept:
            self.standing.pop(key, None)
            return
        self.standing[key] = next((v for v in reversed(kept) if v.by in self.leads), kept[-1])
        latest = {v.by: v for v in kept if not v.by.startswith("policy:")}
        if len({_outcome(v) for v in latest.values()}) > 1 and kept[-1].by not in self.leads:
            self.contested.add(key)

    def kept(self, asset: str, operator: str) -> tuple[Verdict, ...]:
        """What was said about an item and not taken back, oldest first."""
        return tuple(self._kept.get((asset, operator), ()))


def _outcome(verdict: Verdict) -> str:
    """What a verdict comes to: params that hold, or that none do."""
    return verdict.say.value if verdict.params is None else json_text(verdict.params)


# ---------------------------------------------------------------- shoots, assets, files


def shoot_of(library: Library, shoot_id: str) -> Shoot | None:
    """The newest row of a shoot."""
    found = library.newest(schema.shoots, ["id"], schema.shoots.c.id == shoot_id)
    return _shoot(found[0]) if found else None


def shoots(library: Library) -> list[Shoot]:
    """All shoots of the studio."""
    return [_shoot(row) for row in library.newest(schema.shoots, ["id"])]


def filmed(library: Library) -> set[str]:
    """Ids of the shoots in which a clip or a sound was ever found."""
    files, assets_ = schema.files, schema.assets
    clips = sa.select(assets_.c.id).where(assets_.c.kind != Kind.PHOTO.value)
    with library.transaction(reading=True) as connection:
        return set(connection.execute(sa.select(files.c.shoot).where(files.c.asset.in_(clips)).distinct()).scalars())


def _shoot(row: sa.RowMapping) -> Shoot:
    return Shoot(id=row["id"], root=row["root"], name=row["name"], client=row["client"], stakes=row["stakes"])


def save_shoot(library: Library, shoot: Shoot) -> None:
    """Remembers a shoot if anything about it is new."""
    if shoot_of(library, shoot.id) != shoot:
        library.append(schema.shoots, [asdict(shoot) | {"at": now()}])


def asked(library: Library, shoot: str) -> Asked:
    """What was last asked of a shoot."""
    found = library.newest(schema.asked, ["shoot"], schema.asked.c.shoot == shoot)
    if not found:
        return Asked()
    genre = found[0]["genre"]
    return Asked(target=found[0]["target"], genre=Genre(genre) if genre else None)


def save_asked(library: Library, shoot: str, what: Asked) -> None:
    """Remembers what is asked of a shoot, if that is new."""
    if asked(library, shoot) != what:
        row = {"shoot": shoot, "target": what.target, "genre": what.genre.value if what.genre else None, "at": now()}
        library.append(schema.asked, [row])


def save_assets(library: Library, found: Iterable[Asset]) -> None:
    """Remembers assets; known ones stay as they are."""
    listed = {asset.id: asset for asset in found}
    with library.transaction() as connection:
        known: set[str] = set()
        for part in chunks(list(listed)):
            known |= set(connection.scalars(sa.select(schema.assets.c.id).where(schema.assets.c.id.in_(part))))
        rows = [
            {
                "id": a.id, "content": a.content, "kind": a.kind.value, "format": a.format, "width": a.width,
                "height": a.height, "duration_s": exact(a.duration_s), "capture": json_text(asdict(a.capture)),
                "at": now(),
            }
            for a in listed.values() if a.id not in known
        ]  # fmt: skip
        if rows:
            connection.execute(sa.insert(schema.assets), rows)


def assets(library: Library, ids: Sequence[str]) -> dict[str, Asset]:
    """Assets by id."""
    out: dict[str, Asset] = {}
    for part in chunks(ids):
        for row in library.rows(sa.select(schema.assets).where(schema.assets.c.id.in_(part))):
            out[row["id"]] = Asset(
                id=row["id"], content=row["content"], kind=Kind(row["kind"]), format=row["format"],
                width=row["width"], height=row["height"], capture=Capture(**json.loads(row["capture"])),
                duration_s=Fraction(row["duration_s"]) if row["duration_s"] else None,
            )  # fmt: skip
    return out


def assets_by_content(library: Library, contents: Sequence[str]) -> dict[str, str]:
    """Oldest known asset id for each content digest."""
    out: dict[str, str] = {}
    for part in chunks(contents):
        found = sa.select(schema.assets.c.id, schema.assets.c.content).where(schema.assets.c.content.in_(part))
        for row in library.rows(found.order_by(schema.assets.c.at, schema.assets.c.id)):
            out.setdefault(row["content"], row["id"])
    return out


def files(library: Library, shoot_id: str) -> dict[str, File]:
    """The shoot's folder as last seen, by path; vanished files are left out."""
    rows = library.newest(schema.files, ["path"], schema.files.c.shoot == shoot_id)
    return {
        row["path"]: File(
            path=row["path"], asset=row["asset"], relinked_from=row["relinked_from"],
            size=row["size"], mtime_ns=row["mtime_ns"],
            error=json.loads(row["error"]) if row["error"] else None,
        )
        for row in rows if row["present"]
    }  # fmt: skip


def known_sizes(library: Library, sizes: Sequence[int]) -> set[int]:
    """Those of these sizes, in bytes, that some file of the studio had."""
    size = schema.files.c.size
    return {row["size"] for row in library.rows(sa.select(size).where(size.in_(list(sizes))).distinct())}


def save_files(library: Library, shoot_id: str, found: Iterable[File]) -> None:
    """Appends what was seen."""
    library.append(
        schema.files,
        [asdict(f) | {"shoot": shoot_id, "at": now(), "error": json_text(f.error) if f.error else None} for f in found],
    )


# ---------------------------------------------------------------- evidence


def measured(library: Library, subjects: Iterable[str]) -> set[tuple[str, str]]:
    """Which (subject, key) pairs of these subjects have been looked at already."""
    out: set[tuple[str, str]] = set()
    for part in chunks(list(subjects)):
        found = sa.select(schema.measured.c.subject, schema.measured.c.key).where(schema.measured.c.subject.in_(part))
        out |= {(row["subject"], row["key"]) for row in library.rows(found)}
    return out


def save_evidence(
    library: Library, found: Iterable[tuple[str, str, str, Sequence[Measure]]], *, at: str | None = None
) -> None:
    """Appends (subject, by, key, measures) in one transaction with the mark that this has been measured."""
    listed = list(found)
    rows = [_evidence_row(subject, by, m, at=at) for subject, by, _, measures in listed for m in measures]
    marks = [{"subject": subject, "key": key} for subject, _, key, _ in listed]
    with library.transaction() as connection:
        if rows:
            connection.execute(sa.insert(schema.evidence), rows)
        if marks:
            connection.execute(sa.insert(schema.measured), marks)


def _evidence_row(subject: str, by: str, m: Measure, *, at: str | None = None) -> dict[str, Any]:
    return {
        "subject": subject, "name": m.name, "value": None if m.value is None else json_text(m.value), "unit": m.unit,
        "place": json_text(where_json(m.where)) if m.where else None, "cannot_tell": m.cannot_tell, "by": by,
        "at": at or now(),
    }  # fmt: skip


def value_of(text: str | None) -> Json:
    """A measure's value from the text that is kept."""
    value: Json = None if text is None else json.loads(text)
    return value


def facts(library: Library, subjects: Sequence[str]) -> dict[str, dict[str, Measure]]:
    """The newest measure of each name, by subject."""
    return {s: {n: m for n, (m, _) in found.items()} for s, found in evidence(library, subjects).items()}


def evidence(
    library: Library, subjects: Sequence[str], *, names: Sequence[str] = ()
) -> dict[str, dict[str, tuple[Measure, str]]]:
    """The newest measure of each name with who measured it, by subject; with `names`, of these only."""
    out: dict[str, dict[str, tuple[Measure, str]]] = defaultdict(dict)
    table = schema.evidence
    named = (table.c.name.in_(names),) if names else ()
    for part in chunks(subjects):
        for row in library.newest(table, ["subject", "name"], table.c.subject.in_(part), *named):
            measure = Measure(
                name=row["name"], value=value_of(row["value"]), unit=row["unit"], cannot_tell=row["cannot_tell"],
                where=where_from(json.loads(row["place"])) if row["place"] else None,
            )  # fmt: skip
            out[row["subject"]][row["name"]] = measure, row["by"]
    return out


def where_json(where: Where) -> dict[str, Any]:
    """A place as JSON: a box, or exact times."""
    return {"box": list(where.box) if where.box else None, "start": exact(where.start), "end": exact(where.end)}


def where_from(value: Mapping[str, Any]) -> Where:
    """The inverse of `where_json`."""
    box = value["box"]
    start, end = (Fraction(value[k]) if value[k] else None for k in ("start", "end"))
    return Where(box=(box[0], box[1], box[2], box[3]) if box else None, start=start, end=end)


# ---------------------------------------------------------------- groups


def groups(library: Library, shoot_id: str) -> list[Group]:
    """The groups of the newest survey of a shoot."""
    key = survey_key(library, shoot_id)
    if key is None:
        return []
    table = schema.groups
    rows = library.rows(sa.select(table).where(table.c.shoot == shoot_id, table.c.survey == key).order_by(table.c.seq))
    return [
        Group(
            id=row["id"], kind=GroupKind(row["kind"]), members=tuple(json.loads(row["members"])), by=row["by"],
            because=row["because"],
        )
        for row in rows
    ]  # fmt: skip


def survey_key(library: Library, shoot_id: str) -> str | None:
    """What the newest survey rested on."""
    found = library.newest(schema.surveys, ["shoot"], schema.surveys.c.shoot == shoot_id)
    return found[0]["key"] if found else None


def save_survey(library: Library, shoot_id: str, key: str, found: Sequence[tuple[str, Findings]]) -> None:
    """Remembers what looking at the whole shoot gave, as (by, findings) of each probe. The same photos looked at
    once more are only named again."""
    rows = [_evidence_row(subject, by, m) for by, f in found for subject, listed in f.measures.items() for m in listed]
    groups_found = [
        {
            "shoot": shoot_id, "survey": key, "id": g.id, "kind": g.kind.value, "members": json_text(g.members),
            "because": g.because, "by": g.by,
        }
        for _, f in found for g in f.groups
    ]  # fmt: skip
    table = schema.groups
    with library.transaction() as connection:
        seen = sa.select(table.c.seq).where(table.c.shoot == shoot_id, table.c.survey == key).limit(1)
        if connection.execute(seen).first() is None and groups_found:
            connection.execute(sa.insert(table), groups_found)
        if rows:
            connection.execute(sa.insert(schema.evidence), rows)
        connection.execute(sa.insert(schema.surveys), [{"shoot": shoot_id, "key": key, "at": now()}])


# ---------------------------------------------------------------- proposals and verdicts


def proposals(library: Library, shoot_id: str) -> dict[tuple[str, str], Proposal]:
    """The newest proposal of each (asset, operator); withdrawn ones are left out."""
    table = schema.proposals
    rows = library.newest(table, ["asset", "operator"], table.c.shoot == shoot_id)
    return {(row["asset"], row["operator"]): _proposal(row) for row in rows if not row["withdrawn"]}


def proposals_by_id(library: Library, ids: Sequence[str]) -> dict[str, Proposal]:
    """Proposals by id, whether they still stand or not."""
    out: dict[str, Proposal] = {}
    for part in chunks(sorted(set(ids))):
        for row in library.rows(sa.select(schema.proposals).where(schema.proposals.c.id.in_(part))):
            out[row["id"]] = _proposal(row)
    return out


def _proposal(row: sa.RowMapping) -> Proposal:
    name, version = row["operator"], row["version"]
    return Proposal(
        id=row["id"], asset=row["asset"], edit=Edit(operator=name, version=version, params=json.loads(row["params"])),
        zone=Zone(row["zone"]), score=row["score"], cannot_tell=row["cannot_tell"], bundle=row["bundle"],
        group=row["group"],
        because=tuple(Because(**item) for item in json.loads(row["because"])),
        alternatives=tuple(
            Edit(operator=name, version=version, params=item) for item in json.loads(row["alternatives"])
        ),
    )  # fmt: skip


def save_proposals(
    library: Library, shoot_id: str, made: Iterable[Proposal], withdrawn: Iterable[Proposal] = ()
) -> None:
    """Appends proposals, and the withdrawal of ones that no longer follow from the evidence."""
    rows = [(p, False) for p in made] + [(p, True) for p in withdrawn]
    library.append(
        schema.proposals,
        [
            {
                "id": p.id, "shoot": shoot_id, "asset": p.asset, "operator": p.edit.operator, "version": p.edit.version,
                "params": json_text(p.edit.params), "zone": p.zone.value, "score": p.score,
                "because": json_text([asdict(b) for b in p.because]),
                "alternatives": json_text([a.params for a in p.alternatives]), "cannot_tell": p.cannot_tell,
                "bundle": p.bundle, "group": p.group, "withdrawn": gone, "at": now(),
            }
            for p, gone in rows
        ],
    )  # fmt: skip


def ledger(library: Library, shoot_id: str | None = None) -> Ledger:
    """The verdicts of a shoot, or of the whole studio."""
    out = Ledger(leads=reviewers.leads(library))
    read_on(library, out, shoot_id)
    return out


def _verdict(row: sa.RowMapping) -> Verdict:
    """A row as a verdict. Raises ValueError or TypeError for what is none."""
    named = [row[name] for name in ("asset", "shoot", "operator")]
    like = {name: row[name] for name in ("at", "version", "bundled", "score", "seconds", "drawn")}
    texts = [row[name] for name in ("by", "weights", "group", "proposal", "reason", "note", "together")]
    if wrong := sound.trouble(named=named, texts=texts, say=row["verdict"], **like):
        raise ValueError(wrong)
    return Verdict(
        at=row["at"], by=row["by"], asset=row["asset"], shoot=row["shoot"], operator=row["operator"],
        version=row["version"], say=Say(row["verdict"]), proposal=row["proposal"], group=row["group"],
        weights=row["weights"], score=row["score"], reason=row["reason"], note=row["note"],
        params=json.loads(row["params"]) if row["params"] else None, seconds=row["seconds"],
        drawn=Drawn(row["drawn"]), bundled=row["bundled"], upon=upon_from(row["upon"]), together=row["together"],
        shown=json.loads(row["shown"]) if row["shown"] else None, material=row["material"],
    )  # fmt: skip


def read_on(library: Library, known: Ledger, shoot_id: str | None = None) -> list[Verdict]:
    """Adds what was said since a ledger was read, by whomever; returns it."""
    table = schema.verdicts
    statement = sa.select(table).where(table.c.seq > known.seq).order_by(table.c.seq)
    if shoot_id is not None:
        statement = statement.where(table.c.shoot == shoot_id)
    fresh = []
    for row in library.rows(statement):
        known.seq = row["seq"]
        try:
            verdict = _verdict(row)
        except (ValueError, TypeError) as error:
            known.aside[row["seq"]] = str(error)
            continue
        known.add(verdict)
        fresh.append(verdict)
    return fresh


def save_verdicts(library: Library, said: Iterable[Verdict]) -> None:
    """Appends to the ledger."""
    rows = []
    for v in said:
        row = {f: getattr(v, f) for f in v.__slots__ if f != "say"}
        texts = {
            "params": None if v.params is None else json_text(v.params),
            "upon": None if v.upon is None else json_text(upon_json(v.upon)),
            "shown": None if v.shown is None else json_text(v.shown),
        }
        rows.append(row | texts | {"verdict": v.say.value, "drawn": v.drawn.value})
    library.append(schema.verdicts, rows)


def upon_json(upon: Sequence[Edit]) -> list[Any]:
    """The edits that a decision rests on, as JSON."""
    return [[edit.operator, edit.version, edit.params] for edit in upon]


def upon_from(text: str | None) -> tuple[Edit, ...] | None:
    """The inverse, from the text that is kept."""
    if text is None:
        return None
    return tuple(Edit(operator=name, version=version, params=params) for name, version, params in json.loads(text))


def save_versions(library: Library, shoot_id: str, made: Iterable[tuple[str, Version]], *, checkpoint: str) -> None:
    """Appends (asset, version) as checkpoints of this name."""
    library.append(
        schema.versions,
        [
            {
                "id": version.id, "shoot": shoot_id, "asset": asset, "body": json_text(version.body),
                "checkpoint": checkpoint, "at": now(),
            }
            for asset, version in made
        ],
    )  # fmt: skip


def delivered(library: Library, shoot_id: str) -> set[str]:
    """Photos of a shoot that have left in a final delivery."""
    table = schema.deliveries
    statement = sa.select(table.c.manifest).where(table.c.shoot == shoot_id, table.c.draft.is_(False))
    manifests = [json.loads(row["manifest"]) for row in library.rows(statement)]
    return {file["source"]["asset"] for made in manifests for file in made["files"]}


def chunks(items: Sequence[str]) -> Iterable[Sequence[str]]:
    """Ids in parts that one statement takes."""
    return (items[i : i + CHUNK] for i in range(0, len(items), CHUNK))
