"""The nouns of Safelight: frozen values, no I/O, no third-party imports.

A shoot goes in as *assets*; probes leave *evidence* about them; operators make *proposals* that rest on evidence;
people (or a named rule of the *policy*) answer with *verdicts*; approved edits make *versions*; versions leave the
building in a *delivery*. Around them stand plain rows: shoot, client, group, person.

Boxes are pixels of the upright picture, half-open (x0, y0, x1, y1). Times are seconds, exact as `Fraction`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Box: TypeAlias = tuple[int, int, int, int]


class Kind(StrEnum):
    """What an asset is."""

    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"


class GroupKind(StrEnum):
    """Why assets belong together. A pair is a raw and its JPEG; a scene is one place in one light."""

    BURST = "burst"
    DUPLICATE = "duplicate"
    BRACKET = "bracket"
    FOCUS_STACK = "focus_stack"
    PANORAMA = "panorama"
    PAIR = "pair"
    SCENE = "scene"


PROTECTED = frozenset({GroupKind.BRACKET, GroupKind.FOCUS_STACK, GroupKind.PANORAMA})  # one picture in several frames


class Zone(StrEnum):
    """Who acts: the four zones of the reliability map, from most to least automatic."""

    AUTO = "auto"
    REVIEW = "review"
    HUMAN = "human"
    NEVER_UNREVIEWED = "never_unreviewed"


class Say(StrEnum):
    """What a verdict says."""

    APPROVE = "approve"
    MODIFY = "modify"
    REJECT = "reject"
    ESCALATE = "escalate"
    UNDO = "undo"


class Drawn(StrEnum):
    """How an item came before a person: by its turn, or by a coin that was tossed before anything was shown.

    A known bad is a deliberately spoilt suggestion, which tells how much a reviewer notices; a control comes without
    any suggestion, which tells how long the work takes a person alone."""

    REVIEW = "review"
    CANARY = "canary"
    AUDIT = "audit"
    KNOWN_BAD = "known_bad"
    CONTROL = "control"


class State(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    APPROVED = "approved"
    MODIFIED = "modified"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    ABSTAINED = "abstained"
    FAILED = "failed"


class Cull(StrEnum):
    """Whether a photo is kept."""

    KEEP = "keep"
    REJECT = "reject"
    UNDECIDED = "undecided"


class Genre(StrEnum):
    """What kind of shoot it is: it decides what counts between frames, and how strict culling is."""

    WEDDING = "wedding"
    SPORT = "sport"
    PORTRAIT = "portrait"
    PRODUCT = "product"


class Scope(StrEnum):
    """How much one call sees."""

    ASSET = "asset"
    GROUP = "group"
    SCENE = "scene"
    SHOOT = "shoot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Facts that the camera wrote. Unknown is None; `at` is ISO 8601 with milliseconds and, if known, an offset."""

    at: str | None = None
    camera: str | None = None  # "make model"
    serial: str | None = None
    lens: str | None = None
    iso: int | None = None
    seconds: float | None = None
    f_number: float | None = None
    focal_mm: float | None = None
    bias_ev: float | None = None
    bracketed: bool | None = None
    distance_m: float | None = None
    flash: bool | None = None
    orientation: int = 1
    software: str | None = None

    @property
    def body(self) -> str | None:
        """One camera body: model and serial number."""
        return f"{self.camera} {self.serial or ''}".strip() if self.camera else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One original. `id` is the sha256 of its bytes; `content` the sha256 of its picture or sound data alone."""

    id: str
    content: str | None
    kind: Kind
    format: str  # "jpeg", "dng", …
    width: int | None  # of the upright picture
    height: int | None
    capture: Capture = field(default_factory=Capture)
    duration_s: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A region (`box`) or a stretch of time (`start`, `end`, seconds, half-open) that a measurement is about."""

    box: Box | None = None
    start: Fraction | None = None
    end: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A named value as a probe or a check hands it in. `cannot_tell` holds the reason when there is no value."""

    name: str
    value: Json = None
    unit: str = ""
    where: Where | None = None
    cannot_tell: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.cannot_tell is None):
            raise ValueError(f"measure {self.name!r} needs either a value or the reason why it cannot tell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A measure with its subject (an asset's, version's or group's id) and who measured (`sharpness@1`)."""

    subject: str
    by: str
    measure: Measure

    @property
    def name(self) -> str:
        """The measure's name."""
        return self.measure.name

    @property
    def value(self) -> Json:
        """The measure's value; None if it cannot tell."""
        return self.measure.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Assets that belong together, best or first in time first; `protected` sets are kept or dropped whole."""

    id: str
    kind: GroupKind
    members: tuple[str, ...]
    by: str
    because: str = ""

    @property
    def protected(self) -> bool:
        """Whether the frames make one picture together, so that none of them may be rejected by the machine."""
        return self.kind in PROTECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a probe over a shoot found: groups, and measures by asset id."""

    groups: tuple[Group, ...] = ()
    measures: Mapping[str, Sequence[Measure]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An operator, its version and its params as plain JSON; no pixels."""

    operator: str
    version: int
    params: Mapping[str, Json]

    @property
    def label(self) -> str:
        """`exposure@1`."""
        return f"{self.operator}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One reason of a proposal: the evidence it cites, the value it had, and a sentence; largest reason first."""

    evidence: str
    value: Json
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An edit for one member of a set, not yet applied. Proposals of one call share `bundle`."""

    id: str
    asset: str
    edit: Edit
    zone: Zone
    score: float | None
    because: tuple[Because, ...]
    alternatives: tuple[Edit, ...] = ()
    cannot_tell: str | None = None
    bundle: str | None = None
    group: str | None = None  # the risk group of the record that it belongs to

    @property
    def offers(self) -> bool:
        """Whether it offers anything that could be done: neither an abstention nor a choice left open."""
        return self.cannot_tell is None and self.edit.params.get("decision") != Cull.UNDECIDED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What somebody said about a proposal, once and for ever; undo is another verdict.

    `group` is the risk group, a part of the task that earns its own licence; None is everything else. `material` says
    of a change whether it was large enough, by the operator's threshold, to count as a reject; None where nothing was
    changed or nobody knows."""

    at: str
    by: str
    asset: str
    shoot: str
    operator: str
    version: int
    say: Say
    proposal: str | None = None
    group: str | None = None
    weights: str = ""
    score: float | None = None
    reason: str = ""
    note: str = ""
    params: Mapping[str, Json] | None = None
    seconds: float | None = None
    drawn: Drawn = Drawn.REVIEW
    bundled: int = 1  # how many items this one decision answered
    upon: tuple[Edit, ...] | None = None  # the edits below the decided one, as they were shown; None: not known
    together: str | None = None  # the scene or group that was shown as one
    shown: Mapping[str, Json] | None = None  # the evidence that stood beside it: reasons and findings, name and value
    material: bool | None = None

    @property
    def bad(self) -> bool:
        """Whether it says that the machine was wrong: rejected, handed on, or changed by more than a touch."""
        return self.say in (Say.REJECT, Say.ESCALATE) or (self.say is Say.MODIFY and self.material is not False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What a version is made of: an asset or another version, whole or a half-open range in seconds."""

    id: str
    start: Fraction | None = None
    end: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Inputs and ordered edits; the id is the hash of exactly that, so equal work has one name."""

    inputs: tuple[Input, ...]
    edits: tuple[Edit, ...] = ()

    @property
    def body(self) -> dict[str, Json]:
        """Inputs and edits as plain JSON: what the id is the hash of, and what is kept."""
        return {
            "inputs": [[i.id, exact(i.start), exact(i.end)] for i in self.inputs],
            "edits": [[e.operator, e.version, e.params] for e in self.edits],
        }

    @property
    def id(self) -> str:
        """sha256 of the canonical JSON of inputs and edits."""
        return digest_of(self.body)


# ---------------------------------------------------------------- canonical form


def exact(seconds: Fraction | None) -> str | None:
    """A time as `1001/30000`."""
    return None if seconds is None else f"{seconds.numerator}/{seconds.denominator}"


def canonical(value: Json) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text. NaN and infinity are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: Json) -> str:
    """sha256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
