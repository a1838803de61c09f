"""Sidecars, both ways: what people changed in other programs becomes verdicts, what people decided here is exported.

Our library is the truth, sidecars are exports with an explicit way back. A change counts against what the sidecar
said when it was last seen; where a person has meanwhile decided otherwise here, both are shown and neither wins.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight import __version__, blind, policy, verdicts
from safelight.domain import Cull, Measure, Say, State
from safelight.errors import MediaError
from safelight.files import json_text, write_atomic
from safelight.media import xmp
from safelight.media.formats import RAW_SUFFIXES
from safelight.state import POLICY, Photo, ShootState
from safelight.store import records, schema
from safelight.store.library import Library, now
from safelight.store.objects import ShootFolder

SCHEMA = "safelight.sync/1"
BY = "sidecar@1"
HERE = ("review:", "undo:")  # who gives stars and colours in the review app
WATCHED = ("xmp:Rating", "xmp:Label", "xmpDM:pick", "digiKam:PickLabel", "dc:subject", "lr:hierarchicalSubject")
COLOUR = ("crs:WhiteBalance", "crs:Temperature", "crs:Tint")
TONE = ("crs:Highlights2012", "crs:Shadows2012", "crs:Whites2012", "crs:Blacks2012", "crs:Contrast2012")
DEVELOP = ("crs:Exposure2012", *COLOUR, *TONE)
NEAR_EV = 0.05  # a slider this close to a proposal is the proposal
UNCHECKED = "not checked in Lightroom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A sidecar, or the packet inside a file, as it says now."""

    path: Path
    digest: str
    said: Mapping[str, Any]


# ---------------------------------------------------------------- where sidecars lie


def places(original: Path) -> tuple[Path, ...]:
    """Where a sidecar may lie, under both naming rules: `IMG.xmp` (raws) and `IMG.CR2.xmp`."""
    full = original.with_name(original.name + ".xmp")
    if original.suffix.lower() in RAW_SUFFIXES:
        return original.with_suffix(".xmp"), full
    return (full,)


def beside(original: Path) -> bytes | None:
    """The sidecar that counts: of two, the one whose xmp:MetadataDate is newer."""
    found = [path for path in places(original) if path.is_file()]
    if not found:
        return None
    return max(found, key=_age).read_bytes()


def texts(original: Path) -> dict[str, str]:
    """Titles, captions and the like of a photo, for names: what its sidecar says, or the packet inside."""
    data = beside(original) or xmp.embedded(original)
    try:
        packet = xmp.Packet.parse(data)
    except MediaError:
        return {}
    found = {n: v for prefix in ("dc", "photoshop", "Iptc4xmpCore") for n, v in packet.properties(prefix).items()}
    return {name: value if isinstance(value, str) else " ".join(value) for name, value in found.items()}


def keywords(clip: Path) -> tuple[str, ...]:
    """The keywords that the sidecar of a clip says, under either name; none where it cannot be read."""
    for path in (clip.with_suffix(".xmp"), clip.with_name(clip.name + ".xmp")):
        try:
            said = xmp.Packet.parse(path.read_bytes()).get("dc:subject") if path.is_file() else None
        except (MediaError, OSError):
            continue
        if said:
            return (said,) if isinstance(said, str) else tuple(said)
    return ()


def _age(path: Path) -> tuple[str, int]:
    try:
        date = xmp.Packet.parse(path.read_bytes()).get("xmp:MetadataDate")
    except (MediaError, OSError):
        return "", 0
    return str(date or ""), path.stat().st_mtime_ns


# ---------------------------------------------------------------- back: sidecars to verdicts


def sync(
    library: Library, folder: ShootFolder, state: ShootState, *, by: str,
    held: Collection[tuple[str, str]] = (),
) -> dict[str, Any]:  # fmt: skip
    """Takes changes of ratings, picks, labels, keywords and develop settings back; not of what is `held`, as (photo,
    operator).

    Returns `safelight.sync/1`: what was taken, conflicts (shown, not merged), sidecars that cannot be read, how many
    changes were about what is held."""
    last = {
        row["path"]: row for row in library.newest(schema.sidecars, ["path"], schema.sidecars.c.shoot == state.shoot.id)
    }
    out: dict[str, Any] = {"schema": SCHEMA, "taken": [], "conflicts": [], "unreadable": [], "held": 0}
    notes: list[tuple[str, str, str, list[Measure]]] = []
    seen: list[dict[str, Any]] = []
    for photo in state.photos.values():
        reads = _read_all(folder.root / photo.path, out)
        changed = {r.path: _changes(r, last.get(str(r.path))) for r in reads}
        if not any(changed.values()):
            continue
        wishes = [(r, _wish(r.said, changed[r.path])) for r in reads if changed[r.path]]
        kinds = {wish for _, wish in wishes if wish is not None}
        if len(kinds) > 1 or "conflict" in kinds:
            out["conflicts"].append(_conflict(photo, "; ".join(f"{r.path.name}: {_tell(r.said)}" for r, _ in wishes)))
            continue
        for read, wish in wishes:
            before = last.get(str(read.path))
            if wish is not None and (photo.id, "cull") in held:
                out["held"] += 1
            elif wish is not None and not _cull(library, state, photo, wish, read, before, by=by, out=out):
                continue
            _develop(library, state, photo, read, changed[read.path], by=by, held=held, out=out)
            notes.append((photo.id, BY, f"{BY}/{read.digest[:16]}", _notes(read.said)))
            seen.append(_row(state, photo, read))
    records.save_evidence(library, notes)
    library.append(schema.sidecars, seen)
    return out


def _read_all(original: Path, out: dict[str, Any]) -> list[Read]:
    """The sidecars of an original and the packet inside it."""
    reads = []
    for path in places(original):
        if not path.is_file():
            continue
        try:
            reads.append(_parsed(path, path.read_bytes()))
        except (MediaError, OSError) as error:
            out["unreadable"].append({"path": str(path), "cause": str(error)})
    inside = xmp.embedded(original)
    if inside:
        try:
            reads.append(_parsed(original, inside))
        except MediaError as error:
            out["unreadable"].append({"path": str(original), "cause": str(error)})
    return reads


def _parsed(path: Path, data: bytes) -> Read:
    packet = xmp.Packet.parse(data)
    said = {name: value for name in WATCHED + DEVELOP if (value := packet.get(name)) not in (None, "", [])}
    return Read(path=path, digest=hashlib.sha256(data).hexdigest(), said=said)


def _changes(read: Read, before: Any) -> dict[str, Any]:
    """Properties that differ from what was last seen or written; a property that went away is None."""
    old = json.loads(before["said"]) if before is not None else {}
    return {name: read.said.get(name) for name in WATCHED + DEVELOP if read.said.get(name) != old.get(name)}


def _wish(said: Mapping[str, Any], changed: Mapping[str, Any]) -> str | None:
    """What ratings and picks say about keeping a photo: a decision, `open`, `conflict`, or None if they say nothing
    new. Stars keep, -1 rejects (XMP), picks keep or reject (Lightroom, digiKam)."""
    if not {"xmp:Rating", "xmpDM:pick", "digiKam:PickLabel"} & set(changed):
        return None
    says = set()
    rating, pick, digikam = (_int(said.get(n)) for n in ("xmp:Rating", "xmpDM:pick", "digiKam:PickLabel"))
    if rating is not None and rating != 0:
        says.add(Cull.KEEP.value if rating > 0 else Cull.REJECT.value)
    if pick is not None and pick != 0:
        says.add(Cull.KEEP.value if pick > 0 else Cull.REJECT.value)
    if digikam in (1, 3):
        says.add(Cull.KEEP.value if digikam == 3 else Cull.REJECT.value)
    if len(says) > 1:
        return "conflict"
    return says.pop() if says else "open"


def _cull(
    library: Library,
    state: ShootState,
    photo: Photo,
    wish: str,
    read: Read,
    before: Any,
    *,
    by: str,
    out: dict[str, Any],
) -> bool:
    """Writes the verdict that a rating stands for; False where a person has decided otherwise here meanwhile."""
    standing = photo.standing.get("cull")
    here = photo.decision.value if photo.decided else None
    if wish == here:
        return True
    since = before["at"] if before is not None else ""
    if standing is not None and not standing.by.startswith(POLICY) and standing.at > since and here is not None:
        told = f"{read.path.name} says {wish}, {standing.by} said {here} on {standing.at[:16]}"
        out["conflicts"].append(_conflict(photo, told))
        return False
    if wish == "open":
        if standing is None:
            return True
        saying = verdicts.Saying(say=Say.UNDO, by=by, operators=("cull",), note=f"from {read.path.name}")
    else:
        proposed = photo.proposals.get("cull")
        agrees = (
            proposed is not None
            and proposed.edit.params["decision"] == wish
            and not blind.hides(library, state, photo, "cull")
        )
        saying = verdicts.Saying(
            say=Say.APPROVE if agrees else Say.MODIFY, by=by, operators=("cull",),
            params=None if agrees else {"decision": wish, "tie_with": ""}, note=f"from {read.path.name}",
        )  # fmt: skip
    said = verdicts.decide(library, state, [photo], saying)
    if said.verdicts:
        out["taken"].append({"path": photo.path, "operator": "cull", "say": saying.say.value, "decision": wish})
    return True


def _develop(
    library: Library,
    state: ShootState,
    photo: Photo,
    read: Read,
    changed: Mapping[str, Any],
    *,
    by: str,
    held: Collection[tuple[str, str]],
    out: dict[str, Any],
) -> None:
    """Develop settings that were changed elsewhere: exposure has the same meaning here (stops), white balance and tone
    do not, so that changed ones only say that our proposal was not wanted."""
    note = f"from {read.path.name}"
    if "crs:Exposure2012" in changed and changed["crs:Exposure2012"] is not None and "exposure" in photo.proposals:
        ev = _float(changed["crs:Exposure2012"])
        proposal = photo.proposals["exposure"]
        if ev is not None and (photo.id, "exposure") in held:
            out["held"] += 1
        elif ev is not None:
            near = (
                proposal.cannot_tell is None
                and abs(float(str(proposal.edit.params["ev"])) - ev) <= NEAR_EV
                and not blind.hides(library, state, photo, "exposure")
            )
            saying = verdicts.Saying(
                say=Say.APPROVE if near else Say.MODIFY, by=by, operators=("exposure",),
                params=None if near else {"ev": ev}, note=note,
            )  # fmt: skip
            if verdicts.decide(library, state, [photo], saying).verdicts:
                out["taken"].append({"path": photo.path, "operator": "exposure", "say": saying.say.value, "ev": ev})
    set_there = {n: value for n, value in changed.items() if value is not None}
    answered = {"tone": {n: v for n, v in set_there.items() if n in TONE and _float(v)}}
    if read.said.get("crs:WhiteBalance") != "As Shot":
        answered["white_balance"] = {n: v for n, v in set_there.items() if n in COLOUR}
    for operator, values in answered.items():
        if not values or photo.state(operator) is not State.PROPOSED or (photo.id, operator) in held:
            continue
        told = ", ".join(f"{name.removeprefix('crs:')} {value}" for name, value in values.items())
        saying = verdicts.Saying(
            say=Say.REJECT, by=by, operators=(operator,), note=f"{note}: set in another program to {told}"
        )
        if verdicts.decide(library, state, [photo], saying).verdicts:
            out["taken"].append({"path": photo.path, "operator": operator, "say": "reject", "set": told})


def _notes(said: Mapping[str, Any]) -> list[Measure]:
    """Stars, label and keywords as evidence: they are what somebody said elsewhere, kept apart from the decision."""
    found = []
    rating = _int(said.get("xmp:Rating"))
    if rating is not None and rating >= 0:
        found.append(Measure(name="rating", value=rating, unit="stars"))
    if said.get("xmp:Label"):
        found.append(Measure(name="label", value=str(said["xmp:Label"])))
    if said.get("dc:subject"):
        found.append(Measure(name="keywords", value=list(said["dc:subject"])))
    return found


def _conflict(photo: Photo, told: str) -> dict[str, str]:
    remedy = f'safelight verdict {photo.path!r} --operator cull --say modify --params \'{{"decision": "keep"}}\''
    return {"path": photo.path, "cause": told, "remedy": remedy}


def _row(state: ShootState, photo: Photo, read: Read) -> dict[str, Any]:
    return {
        "shoot": state.shoot.id, "path": str(read.path), "asset": photo.id, "digest": read.digest,
        "said": json_text(dict(read.said)), "at": now(),
    }  # fmt: skip


# ---------------------------------------------------------------- out: decisions to sidecars


def export(library: Library, folder: ShootFolder, state: ShootState) -> dict[str, Any]:
    """Writes what people decided into sidecars: picks as `xmpDM:pick`, the reasons in our own namespace, exposure for
    raws as `crs:Exposure2012`. A photo that nobody has decided on gets no sidecar. One that we did not make
    is copied to `.bak` once before it is changed."""
    written, rows = [], []
    veil = blind.veil(library, state.shoot.id)
    for photo in [p for p in state.photos.values() if p.decided]:
        original = folder.root / photo.path
        target = next((p for p in places(original) if p.is_file()), places(original)[0])
        try:
            old = target.read_bytes() if target.is_file() else None
            packet = xmp.Packet.parse(old)
        except MediaError:
            continue  # sync lists it; a sidecar that cannot be read is not written over
        before = packet.to_bytes()
        for name, value in exported(blind.seen(state, veil, photo)).items():
            packet.set(name, value)
        data = packet.to_bytes()
        if data == before and old is not None:
            continue
        if old is not None and packet_is_foreign(old):
            keep = target.with_name(target.name + ".bak")
            if not keep.exists():
                write_atomic(keep, old)
        write_atomic(target, data)
        written.append(str(target.relative_to(folder.root)))
        rows.append(_row(state, photo, _parsed(target, data)))
    library.append(schema.sidecars, rows)
    return {"written": written}


def packet_is_foreign(data: bytes) -> bool:
    """Whether a sidecar was made by another program."""
    return xmp.Packet.parse(data).get("safelight:Version") is None


def exported(photo: Photo) -> dict[str, Any]:
    """Properties that a sidecar beside the original gets."""
    says: dict[str, Any] = {"safelight:Version": __version__}
    proposal = photo.proposals.get("cull")
    if proposal is not None:
        says["safelight:Suggests"] = str(proposal.edit.params["decision"])
        says["safelight:Because"] = " ".join(b.text for b in proposal.because)
    says["xmpDM:pick"] = "1" if photo.decision is Cull.KEEP else "-1"
    for name, wanted in (("rating", "xmp:Rating"), ("label", "xmp:Label")):
        if photo.by.get(name, "").startswith(HERE):  # what a sidecar says itself stays as it is
            says[wanted] = str(photo.facts[name].value)
    exposure = photo.edit("exposure")
    if exposure is not None and photo.is_raw:
        says["crs:Exposure2012"] = f"{float(str(exposure.params['ev'])):+.2f}"
        says["crs:ProcessVersion"] = "11.0"
        says["safelight:DevelopSettings"] = UNCHECKED
    return says


def delivered(photo: Photo) -> dict[str, Any]:
    """Properties that a delivered file gets: where its pixels come from, by the strongest of what was done."""
    rules = policy.default()
    edits = [e for e in photo.edits() if rules.task(e.operator).needs_licence]
    says: dict[str, Any] = {"safelight:Version": __version__}
    if edits:
        by_hand = any(photo.state(e.operator) is State.MODIFIED for e in edits)
        generated = any(e.params.get("generated") is True for e in edits)
        origin = "humanEdits" if by_hand else "algorithmicallyEnhanced"
        says[xmp.SOURCE_TYPE] = xmp.SOURCE + ("compositeWithTrainedAlgorithmicMedia" if generated else origin)
    rating = photo.facts.get("rating")
    if rating is not None and rating.value is not None:
        says["xmp:Rating"] = str(rating.value)
    return says


def words(found: Mapping[str, Any]) -> str:
    """What a sync did, for a terminal."""
    lines = [f"{len(found['taken']):,} changes taken from sidecars."]
    for item in found["conflicts"]:
        lines += [f"Conflict, {item['path']}: {item['cause']}.", f"  Settle it: {item['remedy']}"]
    lines += [f"Cannot be read: {item['path']} ({item['cause']})" for item in found["unreadable"]]
    if "written" in found:
        lines.append(f"{len(found['written']):,} sidecars written. Develop settings in them are {UNCHECKED}.")
    return "\n".join(lines)


def _tell(said: Mapping[str, Any]) -> str:
    return (
        ", ".join(f"{name.partition(':')[2]} {value}" for name, value in said.items() if name in WATCHED[:4])
        or "nothing"
    )


def _int(value: Any) -> int | None:
    number = _float(value)
    return None if number is None else round(number)


def _float(value: Any) -> float | None:
    try:
        return float(str(value)) if value not in (None, "") else None
    except ValueError:
        return None
