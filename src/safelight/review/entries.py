"""What the pages list of each photo: one small record, enough for the grid, its filters and its counts."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from safelight import blind, explain
from safelight.domain import Cull, GroupKind, State
from safelight.operators import FINDING
from safelight.policy import ORDER
from safelight.state import POLICY, Photo, ShootState, by_time
from safelight.store.records import File

FAULTS = ("blur", "blur.motion", "blur.defocus", "exposure.over", "exposure.under", "eyes.closed")
NEEDS = (*FAULTS, "clock.offset_s", "faces", "sharpness", "rating", "label", "keywords")
RANK = {Cull.KEEP: 0, Cull.UNDECIDED: 1, Cull.REJECT: 2}
OPEN = (State.PROPOSED, State.ESCALATED)


def order(state: ShootState) -> list[str]:
    """Ids in the order in which the photos were taken."""
    return [photo.id for photo in by_time(state.photos.values())]


def findings(photo: Photo) -> list[str]:
    """The faults that were found in a photo."""
    return [name for name in FAULTS if (_number(photo, name) or 0) >= FINDING]


def entry(photo: Photo) -> dict[str, Any]:
    """A photo as lists show it."""
    proposal, verdict = photo.proposals.get("cull"), photo.standing.get("cull")
    params = proposal.edit.params if proposal else {}
    faces = _faces(photo)
    said = verdict is not None and not verdict.by.startswith(POLICY)
    return {
        "id": photo.id,
        "path": printable(photo.path),
        "width": photo.asset.width or 3,
        "height": photo.asset.height or 2,
        "taken": photo.taken.isoformat(timespec="milliseconds") if photo.taken else None,
        "camera": photo.asset.capture.body or "",
        "scene": photo.scene.id if photo.scene else None,
        "group": photo.group.id if photo.group else None,
        "decision": photo.decision.value,
        "decided": photo.decided,
        "by": verdict.by if said and verdict else None,
        "contested": sorted(photo.contested),
        "proposed": params.get("decision"),
        "tie": params.get("tie_with") or None,
        "score": proposal.score if proposal else None,
        "reasons": [b.code or b.evidence for b in proposal.because if b.code != blind.SURE] if proposal else [],
        "because": proposal.because[0].text if proposal and proposal.because else "",
        "findings": findings(photo),
        "faces": len(faces),
        "closed": sum(face.get("eyes") == "closed" for face in faces),
        "sharpness": _number(photo, "sharpness"),
        "rating": int(_number(photo, "rating") or 0),
        "label": _text(photo, "label"),
        "keywords": _words(photo),
        "zone": _zone(photo),
        "open": photo.open_questions(),
        "edits": sum(photo.state(n) in OPEN for n in photo.proposals if n != "cull"),
        "blind": blind.hidden(photo),
    }


def groups(state: ShootState) -> list[dict[str, Any]]:
    """Stacks and protected sets with their members, best first; scenes are told apart by `kind`."""
    found = []
    for group in state.groups:
        members = [m for m in group.members if m in state.photos]
        best = None if group.kind is GroupKind.SCENE else explain.best_of(group, state.photos)
        if best is not None and not group.protected:
            members.sort(key=lambda m: (m != best, RANK[state.photos[m].decision]))
        found.append(
            {
                "id": group.id, "kind": group.kind.value, "members": members, "protected": group.protected,
                "because": group.because, "best": best,
            }
        )  # fmt: skip
    return found


def counted(entry: Mapping[str, Any]) -> Counter[str]:
    """What an entry adds to the running count."""
    decided = entry["decision"] if entry["decided"] else Cull.UNDECIDED
    name = {Cull.KEEP: "kept", Cull.REJECT: "rejected"}.get(decided, "undecided")
    return Counter({name: 1, "open": int(bool(entry["open"]))})


def failed(file: File) -> dict[str, Any]:
    """A file that could not be read, with cause and remedy."""
    return {"path": printable(file.path), **(file.error or {})}


def printable(text: str) -> str:
    """Text as it can be shown: control characters, marks that turn the reading direction, and broken bytes as
    escapes."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)


def _zone(photo: Photo) -> str | None:
    """The least automatic zone among what is proposed for a photo."""
    zones = [proposal.zone for proposal in photo.proposals.values() if proposal.cannot_tell is None]
    return max(zones, key=ORDER.index).value if zones else None


def _faces(photo: Photo) -> list[Any]:
    found = photo.facts.get("faces")
    return list(found.value) if found is not None and isinstance(found.value, list) else []


def _number(photo: Photo, name: str) -> float | None:
    found = photo.facts.get(name)
    return float(found.value) if found is not None and isinstance(found.value, int | float) else None


def _text(photo: Photo, name: str) -> str:
    found = photo.facts.get(name)
    return str(found.value) if found is not None and found.value else ""


def _words(photo: Photo) -> list[str]:
    found = photo.facts.get("keywords")
    return [printable(str(w)) for w in found.value] if found is not None and isinstance(found.value, list) else []
