"""The report of a first pass: one HTML file that needs nothing else, small enough to send, fit for a client's eyes."""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
import simplejpeg

from safelight import blind, explain, summary, weights
from safelight.domain import Cull, Group, GroupKind, Input, Kind, State, Version
from safelight.files import write_atomic
from safelight.report.shots import sheet
from safelight.report.timeline import timeline
from safelight.state import Footage, Photo, ShootState, by_time
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.words import lasting, many

LARGEST = 24_000_000  # bytes of the whole file
PAIRS_ROOM = 6_000_000  # of them for before and after
PAIRS = 80  # before and after shown at most; the rest is one `explain` away
NAMES = {
    GroupKind.BURST: "Burst", GroupKind.DUPLICATE: "Near-duplicates", GroupKind.BRACKET: "Exposure bracket",
    GroupKind.FOCUS_STACK: "Focus stack", GroupKind.PANORAMA: "Panorama",
}  # fmt: skip


def path_of(where: ShootFolder) -> Path:
    """Where the report of a shoot lies."""
    return where.state / "reports" / "report.html"


def write(library: Library, state: ShootState, where: ShootFolder) -> None:
    """Writes the report of a shoot."""
    write_atomic(path_of(where), page(library, state, where).encode("utf-8", "backslashreplace"))


def page(library: Library, state: ShootState, where: ShootFolder) -> str:
    """The HTML of the report, without what nobody is told before an item is decided."""
    state = blind.seen_state(state, blind.veil(library, state.shoot.id))
    photos = by_time(state.photos.values())
    pictures = Pictures(where, len(photos) + len(state.clips))
    waiting = sorted((p for p in photos if p.decision is Cull.UNDECIDED and not _is_tie(p)), key=_harm)
    return _template().render(
        shoot=state.shoot,
        counts=summary.of(state),
        waiting=[_card(p, pictures) for p in waiting],
        groups=[_group(g, state, pictures) for g in sorted(state.groups, key=_settled) if g.kind in NAMES],
        pairs=_pairs(library, photos, where),
        kept=[_card(p, pictures) for p in photos if p.decision is Cull.KEEP],
        rejected=[_card(p, pictures) for p in photos if p.decision is Cull.REJECT and p.group is None],
        clips=[_clip(c, pictures) for _, c in sorted(state.clips.items())],
        shots=sheet(state.clips, where, pictures.file),
        untouched=_untouched(photos),
        failed=[{"path": _printable(f.path), **(f.error or {})} for f in state.failed],
        clocks=_clocks(photos),
        timeline=timeline(photos),
        missing=sorted(m.name for m in weights.catalogue() if m.name not in weights.installed()),
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
    )


class Pictures:
    """Thumbnails as data, at a size that suits their number; once the file is full, as links into the cache beside it.

    A large shoot's report thus stays small enough to send, and its last pictures show only where the shoot lies."""

    def __init__(self, where: ShootFolder, count: int) -> None:
        self.where = where
        self.side = 240 if count <= 600 else 200 if count <= 1200 else 160
        self.quality = 74 if count <= 1200 else 66
        self.room = LARGEST - PAIRS_ROOM
        self.made: dict[str, str] = {}

    def of(self, id_: str) -> str:
        """The thumbnail of a photo or a clip as the source of an image; empty where the cache has none."""
        if id_ not in self.made:
            self.made[id_] = self._of(id_)
        self.room -= len(self.made[id_])
        return self.made[id_]

    def file(self, path: Path, side: int, quality: int) -> str:
        """A picture of the cache as the source of an image, in this size; empty where it is not there."""
        if self.room <= 0:
            return f"../cache/{path.parent.parent.name}/{path.parent.name}/{path.name}"
        try:
            found = uri(_smaller(path.read_bytes(), side, quality))
        except OSError:
            return ""
        self.room -= len(found)
        return found

    def _of(self, id_: str) -> str:
        path = self.where.cached(id_).with_suffix(".thumb.jpg")
        if self.room <= 0:
            return f"../cache/{id_[:2]}/{path.name}"
        try:
            data = path.read_bytes()
        except OSError:
            return ""
        return uri(_smaller(data, self.side, self.quality))


def _smaller(data: bytes, side: int, quality: int) -> bytes:
    rgb = simplejpeg.decode_jpeg(data, colorspace="RGB")
    scale = side / max(rgb.shape)
    if scale >= 1:
        return data
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small = np.ascontiguousarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    return bytes(simplejpeg.encode_jpeg(small, quality=quality, colorspace="RGB", colorsubsampling="420"))


def uri(data: bytes) -> str:
    """JPEG bytes as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


# ---------------------------------------------------------------- parts of the page


def _card(photo: Photo, pictures: Pictures) -> dict[str, Any]:
    entry = explain.cull(photo)
    return {
        "id": anchor(photo),
        "path": _printable(photo.path),
        "picture": pictures.of(photo.id),
        "decision": entry["decision"],
        "by": entry["by"],
        "reasons": [r["text"] for r in entry["reasons"]],
        "edits": [name.replace("_", " ") for name in sorted(photo.proposals) if name != "cull" and _waits(photo, name)],
        "protected": photo.group is not None and photo.group.protected,
    }


def _clip(clip: Footage, pictures: Pictures) -> dict[str, Any]:
    """A clip or a sound: what it is, how long, in how many shots, or why that cannot be told."""
    shots = clip.facts.get("shots")
    told = [{Kind.VIDEO: "clip", Kind.AUDIO: "sound"}[clip.asset.kind]]
    if clip.asset.duration_s is not None:
        told.append(lasting(float(clip.asset.duration_s)))
    if shots is not None:
        joins = shots.value if isinstance(shots.value, list) else None
        told.append(f"shots: {shots.cannot_tell}" if joins is None else many(len(joins) + 1, "shot"))
    return {"path": _printable(clip.path), "picture": pictures.of(clip.asset.id), "told": ", ".join(told)}


def anchor(photo: Photo) -> str:
    """The id of a photo's card in the page."""
    return "p" + hashlib.sha256(photo.id.encode()).hexdigest()[:10]


def _waits(photo: Photo, name: str) -> bool:
    return photo.state(name) is State.PROPOSED


def _group(group: Group, state: ShootState, pictures: Pictures) -> dict[str, Any]:
    members = [state.photos[m] for m in group.members if m in state.photos]
    best = explain.best_of(group, state.photos)
    members.sort(key=lambda p: (p.id != best, p.decision is not Cull.KEEP))
    return {
        "id": group.id, "kind": NAMES[group.kind], "because": group.because, "protected": group.protected, "best": best,
        "members": [_card(p, pictures) | {"best": p.id == best} for p in members],
    }  # fmt: skip


def _pairs(library: Library, photos: list[Photo], where: ShootFolder) -> list[dict[str, Any]]:
    """Before and after of proposed edits, the largest changes first."""
    found = []
    for photo in photos:
        edits = photo.edits(proposed=True)
        if photo.decision is Cull.KEEP and edits:
            version = Version(inputs=(Input(id=photo.id),), edits=edits)
            place = where.cached(version.id)
            if place.with_suffix(".after.jpg").exists():
                found.append((photo, version, place))
    checks = records.evidence(library, [version.id for _, version, _ in found])
    found.sort(key=lambda item: -_size_of_change(item[0]))
    shown, room = [], PAIRS_ROOM
    for photo, version, place in found[:PAIRS]:
        room -= sum(place.with_suffix(s).stat().st_size * 4 // 3 for s in (".before.jpg", ".after.jpg"))
        if room >= 0:
            shown.append((photo, version, place))
    return [
        {
            "path": _printable(photo.path),
            "before": uri(place.with_suffix(".before.jpg").read_bytes()),
            "after": uri(place.with_suffix(".after.jpg").read_bytes()),
            "edits": [_edit(photo, name) for name in sorted(photo.proposals) if name != "cull" and _shown(photo, name)],
            "failed": [m.value for m, _ in checks.get(version.id, {}).values() if m.name == "render.failed"],
        }
        for photo, version, place in shown
    ]


def _settled(group: Group) -> tuple[bool, str]:
    """Groups with a choice to make come first; those that are kept whole last."""
    return group.protected, group.id


def _shown(photo: Photo, name: str) -> bool:
    """Whether a card about an edit says anything to a client: what was answered alone by rule does not."""
    return photo.state(name) in (State.PROPOSED, State.APPROVED, State.MODIFIED) and bool(photo.proposals[name].because)


def _edit(photo: Photo, name: str) -> dict[str, Any]:
    proposal = photo.proposals[name]
    return {
        "name": name.replace("_", " "),
        "state": photo.state(name),
        "sure": None if proposal.score is None else round(100 * proposal.score),
        "because": [b.text for b in proposal.because],
    }


def _size_of_change(photo: Photo) -> float:
    """How far a person would have to look: numbers in the params, and how unsure the machine is."""
    numbers = [
        abs(float(v))
        for name, p in photo.proposals.items()
        if name != "cull" and _waits(photo, name)
        for v in p.edit.params.values()
        if isinstance(v, int | float)
    ]
    return sum(numbers)


def _untouched(photos: Iterable[Photo]) -> list[dict[str, Any]]:
    """What the machine refused to touch, by reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for photo in photos:
        for name, proposal in photo.proposals.items():
            if proposal.cannot_tell and photo.decision is Cull.KEEP:
                reasons.setdefault((name.replace("_", " "), proposal.cannot_tell), []).append(_printable(photo.path))
    ordered = sorted(reasons.items(), key=lambda item: -len(item[1]))
    return [
        {"operator": name, "reason": reason, "count": len(paths), "paths": paths[:6]}
        for (name, reason), paths in ordered
    ]


def _clocks(photos: Iterable[Photo]) -> list[dict[str, Any]]:
    """Camera bodies whose clocks were aligned, with their offsets."""
    found = {}
    for photo in photos:
        offset = photo.facts.get("clock.offset_s")
        if offset is not None and photo.asset.capture.body:
            found[photo.asset.capture.body] = offset
    return [{"body": body, "offset": m.value, "cannot_tell": m.cannot_tell} for body, m in sorted(found.items())]


def _is_tie(photo: Photo) -> bool:
    """Whether a photo waits only because its group has an equal; the group shows it."""
    proposal = photo.proposals.get("cull")
    return proposal is not None and bool(proposal.edit.params["tie_with"])


def _harm(photo: Photo) -> tuple[float, str]:
    """Least sure first."""
    proposal = photo.proposals.get("cull")
    return (proposal.score if proposal and proposal.score is not None else 0.0, photo.path)


def _printable(path: str) -> str:
    """A path as it can be shown: control characters and broken bytes as escapes."""
    text = path.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _template() -> jinja2.Template:
    source = files("safelight.report").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["thousands"] = lambda n: f"{n:,}"
    return environment.from_string(source)
