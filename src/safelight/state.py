"""The current state of a shoot: photos and clips with evidence, groups, proposals and what people said. Read, never
kept."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar

from safelight import ingest, plugins, standing
from safelight.domain import (
    Asset,
    Cull,
    Edit,
    Group,
    GroupKind,
    Input,
    Json,
    Kind,
    Measure,
    Proposal,
    Say,
    State,
    Verdict,
    Version,
)
from safelight.errors import UsageError
from safelight.media.formats import RAW_SUFFIXES
from safelight.operators import Medium, Subject, _effects
from safelight.render import order
from safelight.store import personal, records
from safelight.store.library import Library
from safelight.store.records import File, Shoot

POLICY = "policy:"  # verdicts of a named rule carry this before the rule's name
HEARD_BACK = "cut.heard_back"  # evidence about a version: what is heard at its joins
CHECK = "check."  # before the name of a finding that a verdict is about, where else an operator is named
STATES = {
    Say.APPROVE: State.APPROVED,
    Say.MODIFY: State.MODIFIED,
    Say.REJECT: State.REJECTED,
    Say.ESCALATE: State.ESCALATED,
}


@dataclass(slots=True, kw_only=True)
class Judged:
    """What proposals and verdicts are about: a photo, or a clip. `id` is the key of its record: the asset's id, or,
    where another program rewrote the file around the same picture, the id it had when it was first seen."""

    MEDIUM: ClassVar[Medium]  # what its edits work on

    id: str
    path: str
    asset: Asset
    facts: Mapping[str, Measure] = field(default_factory=dict)
    by: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Measure] = field(default_factory=dict)  # about people: they split the record and do nothing else
    proposals: dict[str, Proposal] = field(default_factory=dict)
    standing: dict[str, Verdict] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)  # operators about which people differ
    shaken: dict[str, str] = field(default_factory=dict)  # approvals that an edit below has shaken, and why

    def state(self, operator: str) -> State | None:
        """Where the proposal of an operator stands; None if there is none and nobody said anything."""
        verdict = self.standing.get(operator)
        if verdict is not None:
            applied = verdict.say is Say.APPROVE and verdict.by.startswith(POLICY)
            return State.APPLIED if applied else STATES[verdict.say]
        proposal = self.proposals.get(operator)
        if proposal is None:
            return None
        return State.ABSTAINED if proposal.cannot_tell else State.PROPOSED

    def edits(self, *, proposed: bool = False) -> tuple[Edit, ...]:
        """The edits that make its version, in order: approved ones, with `proposed` also those that wait."""
        found = []
        for name in {*self.proposals, *self.standing}:
            edit = self.edit(name, proposed=proposed)
            if edit is not None:
                found.append(edit)
        known = plugins.operators()
        lost = tuple(edit for edit in found if edit.operator not in known)
        return order([edit for edit in found if edit.operator in known]) + lost

    def edit(self, name: str, *, proposed: bool = False) -> Edit | None:
        """The edit of one operator as it holds now; None for choices and for what was rejected or still waits. An
        approved edit whose operator is not installed any more is still there: rendering it says so."""
        operator = plugins.operators().get(name)
        if operator is not None and operator.medium is not self.MEDIUM:
            return None
        state, proposal, verdict = self.state(name), self.proposals.get(name), self.standing.get(name)
        if (
            verdict is not None
            and state in (State.APPROVED, State.APPLIED, State.MODIFIED)
            and verdict.params is not None
        ):
            return Edit(operator=name, version=verdict.version, params=verdict.params)
        if proposed and state is State.PROPOSED and proposal is not None:
            return proposal.edit
        return None

    def open_questions(self) -> list[str]:
        """Operators whose answer is still missing before this may leave."""
        return sorted(self.waits())

    def waits(self) -> set[str]:
        """Operators whose answer is still missing, or about which people differ."""
        waiting = (State.PROPOSED, State.ESCALATED)
        return {name for name in self.proposals if self.state(name) in waiting} | self.contested


@dataclass(slots=True, kw_only=True)
class Photo(Judged):
    """One picture of the shoot."""

    MEDIUM: ClassVar[Medium] = Medium.FRAME

    relinked_from: str | None = None
    jpeg: str | None = None  # the camera's JPEG beside a raw
    copies: list[str] = field(default_factory=list)
    group: Group | None = None
    scene: Group | None = None

    # ------------------------------------------------------------ what holds now

    @property
    def is_raw(self) -> bool:
        """Whether the original is a camera raw, which people see through its preview."""
        return os.path.splitext(self.path)[1].lower() in RAW_SUFFIXES  # noqa: PTH122 - called for every photo

    @property
    def taken(self) -> datetime | None:
        """When it was taken, on the clock that all bodies of the shoot were aligned to; without a zone."""
        if self.asset.capture.at is None:
            return None
        moment = datetime.fromisoformat(self.asset.capture.at).replace(tzinfo=None)
        offset = self.facts.get("clock.offset_s")
        ahead = float(offset.value) if offset and isinstance(offset.value, int | float) else 0.0
        return moment - timedelta(seconds=ahead)

    @property
    def decision(self) -> Cull:
        """Kept, rejected or undecided: a person's word if there is one, else what the machine proposes."""
        verdict = self.standing.get("cull")
        if verdict is not None and verdict.say in (Say.APPROVE, Say.MODIFY) and verdict.params:
            return Cull(str(verdict.params["decision"]))
        if verdict is not None:
            return Cull.UNDECIDED
        proposal = self.proposals.get("cull")
        return Cull(str(proposal.edit.params["decision"])) if proposal else Cull.UNDECIDED

    @property
    def decided(self) -> bool:
        """Whether somebody other than the machine has settled if this photo stays."""
        verdict = self.standing.get("cull")
        return verdict is not None and verdict.say in (Say.APPROVE, Say.MODIFY) and self.decision is not Cull.UNDECIDED

    def open_questions(self) -> list[str]:
        """Operators whose answer is still missing before this photo may leave; empty for rejected photos."""
        if not self.decided or "cull" in self.contested:
            return ["cull"]
        if self.decision is not Cull.KEEP:
            return []
        return sorted(self.waits() - {"cull"} | set(self.shaken))


def by_time(photos: Iterable[Photo]) -> list[Photo]:
    """Photos in the order in which they were taken; those without a time come last, by path."""
    return sorted(photos, key=lambda p: (p.taken is None, p.taken.isoformat() if p.taken else "", p.path))


@dataclass(slots=True, kw_only=True)
class Footage(Judged):
    """A clip or a sound of the shoot. Files with the same bytes are one in the record: they share what was proposed for
    it and said about it."""

    MEDIUM: ClassVar[Medium] = Medium.TIMELINE

    def open_questions(self) -> list[str]:
        """Operators whose answer is still missing, or of whose cuts somebody has looked at a part."""
        begun = {name for name, verdict in self.standing.items() if verdict.params and verdict.params.get("open")}
        return sorted(self.waits() | begun)

    def cut(self, *, proposed: bool) -> Version:
        """The version whose joins are listened to: what people decided and, with `proposed`, what waits for them. It is
        the same whoever has looked at which cut, as long as the same goes."""
        edits = tuple(replace(edit, params=_gone(edit.params)) for edit in self.edits(proposed=proposed) if _cuts(edit))
        return Version(inputs=(Input(id=self.id),), edits=edits)


def heard_back(library: Library, clip: Footage) -> Measure | None:
    """What was heard at the joins of the cut that is proposed; None where nobody has listened, or nothing is cut."""
    cut = clip.cut(proposed=True)
    if not cut.edits:
        return None
    found = records.evidence(library, [cut.id], names=(HEARD_BACK,)).get(cut.id, {}).get(HEARD_BACK)
    return found[0] if found is not None else None


def _cuts(edit: Edit) -> bool:
    """Whether an edit says what plays, and not how it looks or sounds, or what is read below it."""
    operator = plugins.operators().get(edit.operator)
    return "texts" not in edit.params and (operator is None or not _effects.is_whole(operator))


def _gone(held: Mapping[str, Json]) -> Mapping[str, Json]:
    """Params of a cut without what says only who has looked at what of it."""
    gone = {name: value for name, value in held.items() if name != "stays"}
    return gone | {"open": []} if "open" in gone else gone


@dataclass(slots=True, kw_only=True)
class ShootState:
    """Everything about a shoot at this moment."""

    shoot: Shoot
    photos: dict[str, Photo]
    failed: list[File]
    groups: list[Group]
    ledger: records.Ledger
    by_path: dict[str, Photo]
    clips: dict[str, Footage] = field(default_factory=dict)  # by path
    footage: dict[str, Footage] = field(default_factory=dict)  # the same by record id; of copies, the first by path
    asked: records.Asked = field(default_factory=records.Asked)

    @classmethod
    def load(cls, library: Library, shoot: Shoot, *, evidence: bool = True) -> "ShootState":
        """Reads the state; without `evidence` (by far the largest part) photos have no facts."""
        files = records.files(library, shoot.id)
        photos, by_path, clips = _photos(library, files)
        state = cls(
            shoot=shoot,
            photos=photos,
            failed=[f for f in files.values() if f.error is not None],
            groups=records.groups(library, shoot.id),
            ledger=records.ledger(library, shoot.id),
            by_path=by_path,
            clips=clips,
            footage={clip.id: clip for clip in reversed(clips.values())},
            asked=records.asked(library, shoot.id),
        )
        state._attach(records.proposals(library, shoot.id))
        if evidence:
            for subject, found in records.evidence(library, list(photos)).items():
                photos[subject].facts = {name: measure for name, (measure, _) in found.items()}
                photos[subject].by = {name: by for name, (_, by) in found.items()}
            for subject, keys in personal.keys(library, list(photos)).items():
                photos[subject].keys = keys
            if personal.switch(library).on:
                state._people(library)
            said = records.evidence(library, [clip.asset.id for clip in clips.values()])
            for clip in clips.values():
                clip.facts = {name: measure for name, (measure, _) in said.get(clip.asset.id, {}).items()}
                clip.by = {name: by for name, (_, by) in said.get(clip.asset.id, {}).items()}
        state.shake(library)
        return state

    def shake(self, library: Library) -> None:
        """Finds the approvals that an edit below has shaken, but for those whose checks have passed since."""
        versions: dict[str, tuple[Photo, dict[str, list[str]]]] = {}
        for photo in self.photos.values():
            photo.shaken = {}
            approved = {name: v for name, v in photo.standing.items() if v.upon and photo.edit(name) is not None}
            edits = photo.edits(proposed=True) if approved else ()
            moved = {name: found for name, v in approved.items() if (found := standing.moved(v, edits))}
            if moved:
                versions[Version(inputs=(Input(id=photo.id),), edits=edits).id] = photo, moved
        checked = records.evidence(library, list(versions)) if versions else {}
        for version, (photo, moved) in versions.items():
            photo.shaken = {
                name: standing.words(photo.standing[name], below)
                for name, below in moved.items()
                if not standing.passed(photo.standing[name], checked.get(version))
            }

    def _attach(self, proposals: Mapping[tuple[str, str], Proposal]) -> None:
        for group in self.groups:
            for member in group.members:
                photo = self.photos.get(member)
                if photo is None:
                    continue
                if group.kind is GroupKind.SCENE:
                    photo.scene = group
                else:
                    photo.group = group
        for (asset, operator), proposal in proposals.items():
            about = self.judged(asset)
            if about is not None:
                about.proposals[operator] = proposal
        for asset, operator in self.ledger.standing:
            self.hold(asset, operator)

    def hold(self, asset: str, operator: str) -> None:
        """Brings a photo or a clip to what the ledger says of an operator now."""
        about, key = self.judged(asset), (asset, operator)
        if about is None:
            return
        about.contested.discard(operator)
        differ = key in self.ledger.contested
        if differ and not operator.startswith(CHECK):
            about.contested.add(operator)
        if key in self.ledger.standing and not (differ and operator.startswith(CHECK)):  # nobody has taken it then
            about.standing[operator] = self.ledger.standing[key]
        else:
            about.standing.pop(operator, None)

    def judged(self, id_: str) -> Photo | Footage | None:
        """The photo or the clip of this record; None where the shoot has none such."""
        return self.photos.get(id_) or self.footage.get(id_)

    def all_judged(self) -> Iterator[Photo | Footage]:
        """Every photo, then every clip and sound."""
        yield from self.photos.values()
        yield from self.footage.values()

    def _people(self, library: Library) -> None:
        """Adds who is on each photo to its facts: `people`, the persons' numbers with the boxes of their faces."""
        said = personal.said(library)
        untold = personal.untold(library, list(self.photos))
        for asset, faces in personal.sightings(library, list(self.photos)).items():
            value: list[Json] = [
                {
                    "box": list(s.box), "person": None if s.person is None else said.one(s.person),
                    "cannot_tell": s.cannot_tell,
                }
                for s in faces
            ]  # fmt: skip
            self._add(asset, Measure(name="people", value=value))
        for asset, reason in untold.items():
            self._add(asset, Measure(name="people", cannot_tell=reason))

    def _add(self, asset: str, measure: Measure) -> None:
        photo = self.photos[asset]
        photo.facts = {**photo.facts, measure.name: measure}
        photo.by = {**photo.by, measure.name: "people@1"}

    def subjects(self, ids: Iterable[str] | None = None) -> list[Subject]:
        """Photos as operators see them, in order of path."""
        chosen = self.photos.values() if ids is None else [self.photos[i] for i in ids if i in self.photos]
        return [
            Subject(
                asset=replace(p.asset, id=p.id), path=p.path, facts=p.facts,
                groups=(p.group,) if p.group else (), scene=p.scene.id if p.scene else None,
            )
            for p in chosen
        ]  # fmt: skip

    def clip_subjects(self) -> list[Subject]:
        """Clips and sounds as operators see them, in order of path."""
        return [Subject(asset=c.asset, path=c.path, facts=c.facts) for c in sorted(self.footage.values(), key=_path)]

    def group(self, group_id: str) -> Group:
        """A group or scene by its id or the beginning of it. Raises UsageError if there is none or several."""
        found = [g for g in self.groups if g.id.startswith(group_id)]
        if len(found) != 1:
            known = ", ".join(g.id for g in self.groups[:5])
            raise UsageError(f"{group_id!r} names {len(found)} groups.", remedy=f"Groups of this shoot: {known}, …")
        return found[0]

    def named(self, path: str) -> Photo | Footage:
        """A photo or a clip by its path in the shoot, or its id. Raises UsageError where there is none."""
        return self.clips.get(path) or self.footage.get(path) or self.photo(path)

    def photo(self, path: str) -> Photo:
        """A photo by its path in the shoot, its camera JPEG's or a copy's path, or its id."""
        found = self.by_path.get(path) or self.photos.get(path)
        if found is None:
            raise UsageError(
                f"{path} is not a photo of {self.shoot.name}.", remedy="Run `safelight run` on its folder first."
            )
        return found


def _photos(
    library: Library, files: Mapping[str, File]
) -> tuple[dict[str, Photo], dict[str, Photo], dict[str, Footage]]:
    """Photos by record id and by every path that leads to them; clips and sounds by path."""
    good = [f for f in files.values() if f.asset is not None]
    known = records.assets(library, sorted({str(f.asset) for f in good}))
    photos: dict[str, Photo] = {}
    by_path: dict[str, Photo] = {}
    clips: dict[str, Footage] = {}
    seen: set[str] = set()  # clips
    pairs = ingest.pairs(f.path for f in good)  # a camera JPEG whose raw cannot be read is a photo of its own
    for file in sorted(good, key=lambda f: f.path):
        if file.path in pairs or file.asset not in known:
            continue
        if known[str(file.asset)].kind is not Kind.PHOTO:
            asset = known[str(file.asset)]
            same = next((c for c in clips.values() if c.id == asset.id), None) if asset.id in seen else None
            seen.add(asset.id)
            clips[file.path] = (
                replace(same, path=file.path) if same else Footage(id=asset.id, path=file.path, asset=asset)
            )
            continue
        key = file.relinked_from or str(file.asset)
        photo = photos.get(key)
        if photo is None:
            photo = photos[key] = Photo(
                id=key, path=file.path, asset=known[str(file.asset)], relinked_from=file.relinked_from
            )
        else:
            photo.copies.append(file.path)
        by_path[file.path] = photo
    for jpeg, raw in pairs.items():
        if raw in by_path:
            by_path[raw].jpeg = jpeg
            by_path[jpeg] = by_path[raw]
    return photos, by_path, clips


def needs_a_person(photos: Sequence[Photo]) -> list[Photo]:
    """Photos with an open question."""
    return [photo for photo in photos if photo.open_questions()]


def _path(clip: Footage) -> str:
    return clip.path
