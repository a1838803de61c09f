"""Everything known and decided about photos, and why: the document `safelight.explain/1` and the same in words."""

import json
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from safelight import blind, ingest, params, plugins, shotlog
from safelight.domain import Cull, Edit, Group, GroupKind, Input, Kind, Measure, Proposal, State, Version, exact
from safelight.listening import spans_of
from safelight.media import manifests
from safelight.operators import _effects
from safelight.state import Footage, Judged, Photo, ShootState, heard_back
from safelight.store import personal, records, schema
from safelight.store.library import Library
from safelight.store.records import File
from safelight.words import many

SCHEMA = "safelight.explain/1"
SHOWN_WORDS = 40
SHOWN_REASONS = 6
SHOWN_SHOTS = 12
NOT_MEASURED = {  # of a talk: nothing rests on these, and nothing is cut by them
    "emotional_tone": "Not measured: there is no labelled speech to hold it to. It is a person's to hear.",
    "fillers": "Measured on made ones only, not in talks of people: for a person to look at.",
    "breaths": "Not measured: there are no labelled ones. They are shown.",
}


def document(
    library: Library, state: ShootState, photos: Sequence[Photo], failed: Sequence[File] = (), *,
    clips: Sequence[Footage] = (), veil: blind.Veil | None = None,
) -> dict[str, Any]:  # fmt: skip
    """`safelight.explain/1` for these photos, clips and sounds, and for files that failed. What nobody is told before
    an item is decided (`veil`; None: as the library has it) is not in it."""
    veil = blind.veil(library, state.shoot.id) if veil is None else veil
    photos = [blind.seen(state, veil, photo) for photo in photos]
    trials = {photo.id: Version(inputs=(Input(id=photo.id),), edits=photo.edits(proposed=True)).id for photo in photos}
    checks = records.evidence(library, list(trials.values()))
    versions = _versions(library, state, [photo.id for photo in photos])
    entries = [
        _photo(photo, _group(photo, state, veil), checks.get(trials[photo.id], {}), versions.get(photo.id, []))
        for photo in photos
    ]
    if any("people" in photo.facts for photo in photos):
        names = personal.said(library).names
        for photo, entry in zip(photos, entries, strict=True):
            _name(entry, photo, names)
    paths = {clip.asset.id: clip.path for clip in state.clips.values()}
    told = [_clip(blind.seen_clip(veil, clip), library, paths) for clip in clips]
    return {"schema": SCHEMA, "assets": entries + told + [_failed(f) for f in failed]}


def vouch(entries: Sequence[dict[str, Any]], root: Path, named: Collection[Path]) -> None:
    """Adds to the entries of files that were named whether their content credentials, where they carry any, verify: for
    that all of a file is read."""
    files = {path.resolve() for path in named if path.is_file()}
    for entry in entries:
        full = (root / entry["path"]).resolve()
        if full in files and (told := manifests.told(full)) is not None:
            entry["credentials"] = told.as_json()


def _photo(
    photo: Photo, group: dict[str, Any] | None, checks: Mapping[str, tuple[Measure, str]],
    versions: list[dict[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    capture = photo.asset.capture
    return {
        "id": photo.asset.id,
        "path": photo.path,
        "kind": photo.asset.kind.value,
        "format": photo.asset.format,
        "width": photo.asset.width,
        "height": photo.asset.height,
        "duration_s": None,
        "captured_at": capture.at,
        "camera": capture.body,
        "error": None,
        "copies": photo.copies,
        "evidence": [_measure(m) | {"by": photo.by.get(name)} for name, m in photo.facts.items()],
        "faces": _faces(photo),
        "relinked_from": photo.relinked_from,
        "scene": photo.scene.id if photo.scene else None,
        "group": group,
        "cull": cull(photo),
        "proposals": [_proposal(photo, p, checks) for name, p in sorted(photo.proposals.items()) if name != "cull"],
        "versions": versions,
        "open": photo.open_questions(),
    }


def _clip(clip: Footage, library: Library, paths: Mapping[str, str]) -> dict[str, Any]:
    """A clip or a sound. What nobody has measured yet is null: shots, words, faults. `paths`: of all clips of the
    shoot."""
    asset, loud = clip.asset, clip.facts.get("loudness")
    back = heard_back(library, clip)
    return {
        "id": asset.id, "path": clip.path, "kind": asset.kind.value, "format": asset.format, "width": asset.width,
        "height": asset.height, "duration_s": None if asset.duration_s is None else float(asset.duration_s),
        "duration": exact(asset.duration_s), "captured_at": asset.capture.at, "camera": asset.capture.body,
        "error": None, "evidence": [_measure(m) | {"by": clip.by.get(name)} for name, m in clip.facts.items()],
        "faces": [], "relinked_from": None, "scene": None, "group": None,
        "cull": {"decision": Cull.UNDECIDED.value, "by": "machine", "score": None, "reasons": []},
        "proposals": [_proposal(clip, p, {}) for _, p in sorted(clip.proposals.items())],
        "edits": [_edit(clip, edit) for edit in clip.edits()],
        "versions": [], "open": clip.open_questions(), "shots": _shots(clip), "transcript": _transcript(clip),
        "silences": _spans(clip, "silences"), "fillers": _spans(clip, "fillers"),
        "faults": _faults(clip), "loudness": loud.value if loud is not None else None,
        "heard_back": back.value if back is not None else None, "sync": _sync(clip, paths),
        "not_measured": dict(NOT_MEASURED) if clip.facts.get("words") is not None else {},
    }  # fmt: skip


def _edit(clip: Footage, edit: Edit) -> dict[str, Any]:
    """An edit that holds, and who said so; what it `does`, where that is not to cut."""
    held, op = clip.standing[edit.operator], plugins.operators().get(edit.operator)
    does = None
    if op is not None and _effects.is_whole(op):
        does = _effects.words(op, params.from_json(op.params, edit.params))
    return {"operator": edit.operator, "version": edit.version, "params": edit.params, "by": held.by, "does": does}


def _transcript(clip: Footage) -> dict[str, Any] | None:
    """What is said; null where nobody could hear it. `whole` is false while a recording is still being heard."""
    found = clip.facts.get("words")
    if found is None or not isinstance(found.value, dict):
        return None
    rows: Any = found.value["words"]
    return {**found.value, "words": spans_of(rows)}


def _sync(clip: Footage, paths: Mapping[str, str]) -> dict[str, Any] | None:
    """Where a recording lies in that of an event of the shoot, by its sound; null where it is alone."""
    found = clip.facts.get("sync")
    if found is None or not isinstance(found.value, dict) or found.value["event"] not in paths:
        return None
    return {**found.value, "with": paths[str(found.value["event"])]}


def _spans(clip: Footage, name: str) -> list[dict[str, Any]] | None:
    found = clip.facts.get(name)
    return spans_of(found.value) if found is not None and isinstance(found.value, list) else None


def _faults(clip: Footage) -> list[dict[str, Any]] | None:
    """Faults of picture and sound in order of time; null where nobody could look."""
    told = [clip.facts.get(name) for name in ("faults.picture", "faults.sound")]
    lists = [m.value for m in told if m is not None and isinstance(m.value, list)]
    if not lists:
        return None
    found: list[Any] = [fault for part in lists for fault in part]
    return [
        fault | {"at": fault["start"], "start": float(Fraction(fault["start"])), "until": fault["end"],
                 "end": float(Fraction(fault["end"]))}
        for fault in sorted(found, key=lambda f: (Fraction(f["start"]), f["kind"]))
    ]  # fmt: skip


def _shots(clip: Footage) -> list[dict[str, Any]] | None:
    """Shots between the joins that were found, with what was measured of each; null where nobody could look."""
    found, frames = clip.facts.get("shots"), clip.facts.get("clip.frames")
    if found is None or not isinstance(found.value, list) or frames is None:
        return None
    return [
        {
            "start": float(row.at), "end": float(row.until), "at": exact(row.at), "start_frame": row.start_frame,
            "end_frame": row.end_frame, "into": row.into, "score": row.chance, "timecode": row.label_in,
            "key_frame": row.key_frame, **{name: row.facts.get(name) for name in shotlog.NAMES},
            "said": shotlog.sentences(row.facts), "marks": row.marks,
        }
        for row in shotlog.rows_of(clip)
    ]  # fmt: skip


def _name(entry: dict[str, Any], photo: Photo, names: Mapping[int, str]) -> None:
    """Adds who is on a photo to its faces and its reasons. Nothing that is written down holds this: only a look at the
    library does."""
    found = photo.facts.get("people")
    people: list[Any] = list(found.value) if found is not None and isinstance(found.value, list) else []
    by_box = {tuple(face["box"]): face for face in people}
    told = [by_box.get(tuple(face["box"]), {}) for face in entry["faces"]]
    entry["faces"] = [
        {**face, "person": who.get("person"), "name": names.get(who.get("person", 0))}
        for face, who in zip(entry["faces"], told, strict=True)
    ]
    for reason in entry["cull"]["reasons"]:
        if reason["code"] == "people.only" and reason["value"] < len(people):
            person = people[reason["value"]]["person"]
            if person is not None:
                reason["text"] = f"The only kept photo with {_called(person, names)}."


def _called(person: int, names: Mapping[int, str]) -> str:
    return f"person {person}" + (f" ({names[person]})" if person in names else "")


def _failed(file: File) -> dict[str, Any]:
    keys = (
        "id", "width", "height", "duration_s", "captured_at", "relinked_from", "scene", "group",
    )  # fmt: skip
    return {
        **dict.fromkeys(keys),
        "path": file.path,
        "kind": (ingest.kind_of(file.path) or Kind.PHOTO).value,
        "error": dict(file.error or {}),
        "evidence": [
            {
                "name": "ingest.failed", "value": dict(file.error or {}), "unit": "", "where": None, "by": "ingest@1",
                "cannot_tell": None,
            }
        ],
        "faces": [],
        "cull": {"decision": Cull.UNDECIDED.value, "score": None, "reasons": []},
        "proposals": [],
        "versions": [],
        "open": [],
    }  # fmt: skip


def cull(photo: Photo) -> dict[str, Any]:
    """The decision about a photo with its reasons, largest first, and who made it."""
    proposal = photo.proposals.get("cull")
    verdict = photo.standing.get("cull")
    return {
        "decision": photo.decision.value,
        "by": verdict.by if verdict and photo.decided else "machine",
        "score": proposal.score if proposal else None,
        "blind": blind.is_blank(proposal),
        "reasons": [
            {"code": b.code or b.evidence, "text": b.text, "value": b.value}
            for b in (proposal.because if proposal else ())
        ],
    }


def _proposal(photo: Judged, p: Proposal, checks: Mapping[str, tuple[Measure, str]]) -> dict[str, Any]:
    state = photo.state(p.edit.operator) or State.PROPOSED
    standing = photo.standing.get(p.edit.operator)
    held = standing.params if standing is not None and standing.params is not None else p.edit.params
    return {
        "operator": p.edit.operator,
        "version": p.edit.version,
        "params": held,
        "zone": p.zone.value,
        "state": state.value,
        "score": p.score,
        "blind": blind.is_blank(p),
        "cannot_tell": p.cannot_tell,
        "because": [{"evidence": b.evidence, "value": b.value, "text": b.text} for b in p.because],
        "alternatives": [a.params for a in p.alternatives],
        "checks": [_measure(m) | {"by": by} for m, by in checks.values() if by == p.edit.label],
        "decided_by": standing.by if standing else None,
        "shaken": photo.shaken.get(p.edit.operator),
    }


def _measure(m: Measure) -> dict[str, Any]:
    return {
        "name": m.name, "value": m.value, "unit": m.unit, "cannot_tell": m.cannot_tell,
        "where": records.where_json(m.where) if m.where else None,
    }  # fmt: skip


def _faces(photo: Photo) -> list[Any]:
    found = photo.facts.get("faces")
    return list(found.value) if found is not None and isinstance(found.value, list) else []


def _group(photo: Photo, state: ShootState, veil: blind.Veil) -> dict[str, Any] | None:
    group = photo.group
    if group is None:
        if photo.jpeg is None:
            return None
        return {
            "id": photo.id[:16],
            "kind": GroupKind.PAIR.value,
            "best": True,
            "protected": False,
            "because": photo.jpeg,
        }
    frames = {m: blind.seen(state, veil, state.photos[m]) for m in group.members if m in state.photos}
    return {
        "id": group.id, "kind": group.kind.value, "best": best_of(group, frames) == photo.id,
        "protected": group.protected, "because": group.because,
    }  # fmt: skip


def best_of(group: Group, photos: Mapping[str, Photo]) -> str | None:
    """The member of a group that the machine would keep, of these photos by id; None where it cannot tell or all are
    kept."""
    best = [
        m for m in group.members
        if m in photos and (p := photos[m].proposals.get("cull")) is not None
        and any(b.code in ("best", "best_is_faulty") for b in p.because)
    ]  # fmt: skip
    return best[0] if best else None


def _versions(library: Library, state: ShootState, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Checkpoints of each photo, oldest first."""
    table = schema.versions
    found = sa.select(table.c.id, table.c.asset, table.c.body, table.c.checkpoint).where(
        table.c.shoot == state.shoot.id
    )
    if len(ids) == 1:  # a person looks at one photo of a large shoot
        found = found.where(table.c.asset == ids[0])
    rows = library.rows(found.order_by(table.c.seq))
    wanted = set(ids)
    out: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["asset"] in wanted:
            edits = [f"{name}@{version}" for name, version, _ in json.loads(row["body"])["edits"]]
            out.setdefault(row["asset"], []).append({"id": row["id"], "edits": edits, "checkpoint": row["checkpoint"]})
    return out


# ---------------------------------------------------------------- in words


def words(entry: Mapping[str, Any]) -> str:
    """One photo of the document as a person reads it in a terminal."""
    lines = [entry["path"]]
    if entry["error"]:
        return f"{entry['path']}\n  {entry['error'].get('cause', '')} {entry['error'].get('remedy', '')}"
    if entry["kind"] != Kind.PHOTO:
        return _clip_words(entry)
    who = "" if entry["cull"]["by"] == "machine" else f" (said by {entry['cull']['by']})"
    lines.append(f"  {entry['cull']['decision']}{who}")
    lines += [f"    {reason['text']}" for reason in entry["cull"]["reasons"]]
    if entry["group"]:
        best = ", the best of it" if entry["group"]["best"] else ""
        lines.append(
            f"  {entry['group']['kind'].replace('_', ' ')} {entry['group']['id']}{best}. {entry['group']['because']}"
        )
    people = {face["person"]: face["name"] for face in entry["faces"] if face.get("person")}
    if people:
        lines.append(f"  with {', '.join(_called(p, {p: n} if n else {}) for p, n in sorted(people.items()))}")
    for p in entry["proposals"]:
        said = ", ".join(f"{k} {v:+.2f}" if isinstance(v, float) else f"{k} {v}" for k, v in p["params"].items())
        shown = p["cannot_tell"] or (said if len(said) < 60 and not p["blind"] else "")
        lines.append(f"  {p['operator'].replace('_', ' ')}: {p['state']}. {shown}")
        lines += [f"    {p['shaken']}"] if p["shaken"] else []
        lines += [f"    {b['text']}" for b in p["because"] if b["text"] != p["cannot_tell"]]
    lines += [f"  {e['value']}" for e in entry["evidence"] if e["name"] == "file.note"]
    lines += [f"  {entry['credentials']['text']}"] if entry.get("credentials") else []
    unknown = sorted(e["name"] for e in entry["evidence"] if e["cannot_tell"])
    if unknown:
        lines.append(f"  cannot tell: {', '.join(unknown)}")
    return "\n".join(lines)


def _clip_words(entry: Mapping[str, Any]) -> str:
    facts = {e["name"]: e["value"] for e in entry["evidence"]}
    size = f", {entry['width']} x {entry['height']}" if entry["width"] else ""
    lasts = f", {entry['duration_s']:.2f} s" if entry["duration_s"] is not None else ""
    lines = [entry["path"], f"  {entry['kind']}: {entry['format']}{size}{lasts}"]
    if facts.get("clip.rate"):
        rate = f"{float(Fraction(facts['clip.rate'])):.6g}"
        varies = " on average: its rate varies" if facts.get("clip.rate.variable") else ""
        lines.append(f"  {many(facts['clip.frames'], 'frame')}, {rate} a second{varies}")
    if facts.get("clip.timecode"):
        reel = f", reel {facts['clip.reel']}" if facts.get("clip.reel") else ""
        lines.append(f"  from {facts['clip.timecode']}{reel}")
    if entry.get("credentials"):
        lines.append(f"  {entry['credentials']['text']}")
    elif facts.get("clip.credentials"):
        lines.append("  carries content credentials (C2PA)")
    if entry["shots"]:
        lines.append(f"  {many(len(entry['shots']), 'shot')}")
        lines += [f"    {s['timecode']} {', '.join(s['marks'])}".rstrip() for s in entry["shots"][:SHOWN_SHOTS]]
        lines += ["    … safelight log lists all of them"] if len(entry["shots"]) > SHOWN_SHOTS else []
    lines += [f"  {f['start']:.2f}–{f['end']:.2f} s: {f['kind'].replace('_', ' ')}" for f in entry["faults"] or ()]
    if entry["loudness"]:
        loud = entry["loudness"]
        lines.append(f"  {loud['integrated_lufs']:.1f} LUFS, true peak {loud['true_peak_dbtp']:.1f} dBTP")
    if entry["sync"] and entry["sync"]["with"] != entry["path"]:
        lines.append(_in_step(entry["sync"]))
    if entry["transcript"]:
        lines += _said(entry["transcript"])
    lines += [line for p in entry["proposals"] for line in _cut_words(p)]
    lines += [
        f"  {e['operator'].replace('_', ' ')}, said by {e['by']}: {e['does']}" for e in entry["edits"] if e["does"]
    ]
    if entry["heard_back"]:
        back = entry["heard_back"]
        lines.append(
            f"  {many(back['joins'], 'join')} listened to: {back['found']} of {back['expected']} words are heard"
        )
        lines += [f"    {d['text']}" for d in back["differences"]]
    lines += [f"  {e['value']}" for e in entry["evidence"] if e["name"] in {"file.note", "sound.note"}]
    lines += [f"  cannot tell {e['name']}: {e['cannot_tell']}" for e in entry["evidence"] if e["cannot_tell"]]
    return "\n".join(lines)


def _cut_words(p: Mapping[str, Any]) -> list[str]:
    """A proposed cut of a clip: how it stands, and the first of its reasons."""
    told = [b["text"] for b in p["because"]]
    more = [f"    … and {many(len(told) - SHOWN_REASONS, 'more reason')}"] if len(told) > SHOWN_REASONS else []
    return [
        f"  {p['operator'].replace('_', ' ')}: {p['state']}. {p['cannot_tell'] or ''}".rstrip(),
        *(f"    {text}" for text in told[:SHOWN_REASONS]), *more,
    ]  # fmt: skip


def _in_step(sync: Mapping[str, Any]) -> str:
    drift = f"{sync['drift_ppm']:+.1f} ppm ± {2 * (sync['drift_spread_ppm'] or 0):.1f}"
    return (
        f"  in step with {sync['with']}: begins at {sync['offset_s']:+.4f} s of it, {drift}, "
        f"{sync['agreeing']} of {sync['windows']} stretches agree"
    )


def _said(transcript: Mapping[str, Any]) -> list[str]:
    """The first words of a transcript, with what is to be known about it."""
    words = transcript["words"]
    text = " ".join(word["text"] for word in words[:SHOWN_WORDS])
    more = f" … ({many(len(words), 'word')})" if len(words) > SHOWN_WORDS else ""
    doubt = [] if transcript["language"] else [f"  language not known: {transcript['language_because']}"]
    there = [f"  heard from {h['recording']}" for h in transcript.get("heard_from", ()) if h.get("recording")]
    part = [] if transcript["whole"] else [f"  heard up to {transcript['heard_s']:.0f} s; run again to go on"]
    return [f"  says: {text}{more}", *there, *doubt, *part]
