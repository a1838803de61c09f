"""How far a shoot is from a final delivery: undecided, unanswered, found by checks. Reads, and changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safelight.deliver import gate
from safelight.domain import Cull, Input, Measure, Version
from safelight.operators import FINDING, faults
from safelight.state import Footage, Photo, ShootState
from safelight.store import records
from safelight.store.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A check of a kept photo's version that found a fault: which operator's, how strong, 0..1."""

    photo: Photo
    operator: str
    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """How far a shoot is from a final delivery. `missing` says what stands in its way, in sentences; none is ready."""

    kept: tuple[Photo, ...]
    undecided: tuple[Photo, ...]
    unanswered: tuple[tuple[Photo, tuple[str, ...]], ...]  # kept photos, and the operators without an answer
    findings: tuple[Finding, ...]
    missing: tuple[str, ...]
    uncut: tuple[tuple[Footage, tuple[str, ...]], ...] = ()  # clips, and the cuts that nobody has answered

    @property
    def ready(self) -> bool:
        """Whether a final delivery would be let through."""
        return not self.missing


def checklist(
    state: ShootState, checks: Mapping[str, Sequence[tuple[str, Measure]]] | None = None, *, clips: bool = True
) -> Checklist:
    """What is undecided, unanswered and found by checks; `checks` by photo, see `tried`; with `clips`, what is open of
    their cuts. Reads, and changes nothing."""
    photos = list(state.photos.values())
    kept = tuple(photo for photo in photos if photo.decision is Cull.KEEP)
    undecided = tuple(photo for photo in photos if not photo.decided)
    unanswered = tuple((p, gate.unsettled(p)) for p in photos if p.decided and gate.unsettled(p))
    findings = [
        Finding(photo=photo, operator=operator, name=name, value=value)
        for photo in kept
        for operator, measure in (checks or {}).get(photo.id, ())
        for name, value in faults([measure]).items()
        if value >= FINDING
    ]
    waiting = gate.open_of(state, clips=clips)
    missing = gate.reasons(waiting)
    if not missing and not kept and not (clips and any(clip.edits() for clip in state.footage.values())):
        missing = (f"{gate.nothing(state)}.",)
    return Checklist(
        kept=kept, undecided=undecided, unanswered=unanswered, missing=missing,
        uncut=tuple((one, names) for one, names in waiting if isinstance(one, Footage)),
        findings=tuple(sorted(findings, key=lambda f: (-f.value, f.photo.path, f.name))),
    )  # fmt: skip


def tried(library: Library, state: ShootState) -> dict[str, list[tuple[str, Measure]]]:
    """What the checks said about each kept photo's version as it stands, by photo: (operator, measure)."""
    versions = {
        Version(inputs=(Input(id=photo.id),), edits=photo.edits(proposed=True)).id: photo.id
        for photo in state.photos.values()
        if photo.decision is Cull.KEEP
    }
    found = records.evidence(library, list(versions)) if versions else {}
    return {
        photo: [(by.split("@")[0], measure) for measure, by in found.get(version, {}).values()]
        for version, photo in versions.items()
    }
