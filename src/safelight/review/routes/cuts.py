"""Cuts of clips: the list with its evidence, the words, single answers, struck words, and what is left to play.

Frames are those of the clip at `rate`; ranges are half-open. Every answer is a verdict on the whole edit of an
operator, and `POST …/undo` takes it back.
"""

import tempfile
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from safelight import blind, cuts, effects, overlaid, rough, verdicts
from safelight.cutting import PACES
from safelight.cutting.cutaways import Other
from safelight.cutting.facts import frames
from safelight.cutting.speech import Word as SpokenWord
from safelight.domain import Say
from safelight.errors import UsageError
from safelight.review import clips
from safelight.review.entries import printable
from safelight.review.given import TheSession, Who
from safelight.review.models import Checked, PhotoId, Seconds
from safelight.review.session import Session
from safelight.state import Footage, heard_back
from safelight.store import records

router = APIRouter(prefix="/api/shoots/{shoot}")
Frame = Annotated[int, Field(ge=0, le=1 << 40)]
Name = Annotated[str, Field(min_length=1, max_length=80)]


class Cut(BaseModel):
    """Frames that go, or would. `was`: as proposed; `inside`: words that are heard in it; `seconds`: start and end."""

    name: str
    operator: str
    start: int
    end: int
    seconds: tuple[float, float]
    state: Literal["proposed", "approved", "dropped", "moved", "added"]
    was: tuple[int, int] | None
    rule: str
    text: str
    evidence: dict[str, Any]
    inside: list[str]


class Doubt(BaseModel):
    """Frames that stay until a person says otherwise, and why. `stays`: a person has looked and said so."""

    name: str
    operator: str
    start: int
    end: int
    seconds: tuple[float, float]
    rule: str
    text: str
    evidence: dict[str, Any]
    stays: bool


class Edit(BaseModel):
    """What one operator cuts out of a clip, and where that stands. `waits`: whether a person is still asked. `blind`:
    without a suggestion; cuts are a person's own then, and `approve` says that they are all."""

    operator: str
    state: str | None
    waits: bool
    zone: str
    by: str | None
    cannot_tell: str | None
    pace: str | None
    cuts: list[Cut]
    doubts: list[Doubt]
    notes: list[str]
    blind: bool


class Choice(BaseModel):
    """Params that are offered as well, and what they do, in words."""

    params: dict[str, Any]
    text: str


class Effect(BaseModel):
    """What is done to the sound or the picture of a clip where a film is made of it, or how it is marked, in words.
    `doubts`: what a person should listen or look to first; `choices`: other params, to be sent to `…/effect`."""

    operator: str
    state: str | None
    waits: bool
    zone: str
    by: str | None
    cannot_tell: str | None
    text: str
    because: list[str]
    doubts: list[str]
    choices: list[Choice]


class Sheet(BaseModel):
    """The cuts of a clip. `kept`: frame ranges that are played as things stand, and with all that is proposed. `heard`:
    what is heard otherwise at the joins of the latter; `not_heard`: why nobody has listened to them."""

    clip: str
    path: str
    rate: str
    frames: int
    seconds: float
    paces: list[str]
    edits: list[Edit]
    effects: list[Effect]
    kept: list[tuple[int, int]]
    kept_with_proposed: list[tuple[int, int]]
    struck: list[tuple[int, int]]
    heard: list[Doubt]
    not_heard: str | None
    captions: str  # changes with what people set of its captions
    left: list[Doubt] = []  # after a strike: what runs into the words beside it


class Word(BaseModel):
    """A word with its times in seconds. `struck`: by a person; `gone`: some cut that stands takes a part of it."""

    number: int
    text: str
    start: float
    end: float
    confidence: float
    estimated: bool
    suspect: bool
    struck: bool
    gone: bool


class Words(BaseModel):
    """What is heard in a clip; `whole` is false while it is still being heard, `cannot_tell` says why nothing is."""

    clip: str
    language: str | None
    whole: bool
    cannot_tell: str | None
    words: list[Word]


class ClipRow(BaseModel):
    """A clip or a sound: its cuts, how many wait for a person, and the seconds that are played; why it has none."""

    clip: str
    path: str
    seconds: float
    waits: list[str]
    cuts: int
    doubts: int
    open: int
    plays_s: float
    plays_with_proposed_s: float
    because: str


class Range(BaseModel):
    """A part of the clip that is played: frames of the source, and the frame at which it begins in the cut."""

    start: int
    end: int
    at: int
    seconds: tuple[float, float]


class Played(BaseModel):
    """The cut as it would be played."""

    clip: str
    rate: str
    frames: int
    seconds: float
    ranges: list[Range]


class OneAnswer(Checked):
    """What a person says about one cut. `move` sets its frames; with a new name, it adds a cut. `leave`, of a doubt:
    a person has looked, and it stays as it is."""

    name: Name
    say: Literal["approve", "drop", "move", "leave"]
    start: Frame | None = None
    end: Frame | None = None


class Answers(Checked):
    """Answers about cuts of one operator."""

    operator: Name
    cuts: Annotated[list[OneAnswer], Field(min_length=1, max_length=20_000)]
    reason: str = ""
    note: Annotated[str, Field(max_length=10_000)] = ""
    seconds: Seconds = None


class Whole(Checked):
    """A verdict on everything that an operator proposes for a clip."""

    operator: Name
    say: Literal["approve", "reject", "escalate", "undo"]
    reason: str = ""
    note: Annotated[str, Field(max_length=10_000)] = ""
    seconds: Seconds = None


class PaceChosen(Checked):
    """Another pace for the pauses."""

    pace: Literal["natural", "balanced", "fast"]


class EffectChosen(Checked):
    """Other settings of what is done to sound or picture."""

    operator: Name
    params: dict[str, Any]


class Struck(Checked):
    """Words by their numbers, half-open; `back` takes them in again."""

    ranges: Annotated[list[tuple[Frame, Frame]], Field(min_length=1, max_length=10_000)]
    back: bool = False
    seconds: Seconds = None


@router.get("/cuts")
def every(at: TheSession) -> list[ClipRow]:
    """All clips and sounds of the shoot, those that wait for a person first, then by path."""
    rows = []
    at.fresh()
    known = records.evidence(at.library, list(at.clips), names=cuts.EVIDENCE)
    for id_ in at.clips:
        clip = _with(at, id_, known.get(id_, {}))
        listed, waits = cuts.listed(clip), clip.open_questions()
        made = [c for one in listed for c in one.cuts]
        rows.append(ClipRow(
            clip=id_, path=printable(clip.path), seconds=float(clip.asset.duration_s or 0), waits=waits,
            cuts=len(made), doubts=sum(not d.stays for one in listed for d in one.doubts),
            open=sum(c.state == "proposed" and c.operator in waits for c in made),
            plays_s=_seconds(clip, proposed=False), plays_with_proposed_s=_seconds(clip, proposed=True),
            because="" if made else _why_none(clip, listed),
        ))  # fmt: skip
    return sorted(rows, key=lambda row: (not row.waits, row.path))


@router.get("/clips/{clip}/cuts")
def sheet(at: TheSession, clip: PhotoId) -> Sheet:
    """Every cut of a clip with its evidence and where it stands, and what a person must say."""
    return _sheet(at, known_clip(at, clip))


@router.get("/clips/{clip}/words")
def words(
    at: TheSession, clip: PhotoId, first: Annotated[int, Query(ge=0)] = 0,
    most: Annotated[int, Query(ge=1, le=100_000)] = 100_000,
) -> Words:  # fmt: skip
    """The words of a clip with their times: at most so many from one on, since a talk of hours has many."""
    found = known_clip(at, clip)
    told = found.facts.get("words")
    value: Any = told.value if told is not None and told.value is not None else {}
    struck = {n for a, b in cuts.struck(found) for n in range(a, b)}
    rate, _ = frames(found.facts, found.asset.duration_s)
    gone = _Gone([(a / rate, b / rate) for a, b in cuts.kept(found)])
    rows = [
        Word(
            number=n, text=printable(w.text), start=float(w.start), end=float(w.end), confidence=w.confidence,
            estimated=w.estimated, suspect=bool(w.suspect), struck=n in struck, gone=gone.takes(w),
        )
        for n, w in enumerate(cuts.words(found, first, most), first)
    ]  # fmt: skip
    return Words(
        clip=clip, language=value.get("language"), whole=bool(value.get("whole")), words=rows,
        cannot_tell=told.cannot_tell if told is not None else "nobody has listened yet",
    )  # fmt: skip


@router.get("/clips/{clip}/programme")
def programme(at: TheSession, clip: PhotoId, *, proposed: bool = False) -> Played:
    """What is played, in order: as people decided, and with `proposed` also as the machine would have it."""
    found = known_clip(at, clip)
    rate, _ = frames(found.facts, found.asset.duration_s)
    ranges, place = [], 0
    for a, b in cuts.kept(found, proposed=proposed):
        ranges.append(Range(start=a, end=b, at=place, seconds=(float(a / rate), float(b / rate))))
        place += b - a
    return Played(clip=clip, rate=str(rate), frames=place, seconds=float(place / rate), ranges=ranges)


@router.get("/clips/{clip}/timeline.{ending}", responses={200: {"content": {"application/octet-stream": {}}}})
def timeline(
    at: TheSession, clip: PhotoId, ending: Literal["otio", "fcpxml", "xml", "edl", "mlt"], *, proposed: bool = False
) -> Response:
    """The cut as a timeline for another program, read back before it is sent. What the format cannot carry is told in
    the header `X-Safelight-Losses`; of a list (EDL) the picture is sent."""
    found = known_clip(at, clip)
    path = clips.original(at.folder.root, found)
    if path is None:
        raise UsageError(
            f"{printable(found.path)} is not in the shoot's folder.", remedy="Bring the file back as it was."
        )
    wanted = rough.Wanted(decided=not proposed, name=path.stem, beside=beside(at, found))
    made = rough.cut([(path, found)], wanted, listen=False)
    with tempfile.TemporaryDirectory(prefix="safelight-") as folder:
        written = rough.written(Path(folder) / f"cut.{ending}", made.made)
        data = written.files[0].read_bytes()
    losses = "; ".join(written.losses).encode("ascii", "replace").decode()
    name = f"attachment; filename*=UTF-8''{quote(path.stem)}.{ending}"
    headers = {"Content-Disposition": name, "X-Safelight-Losses": losses, "Cache-Control": "no-store"}
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.post("/clips/{clip}/cuts")
def answer(at: TheSession, me: Who, clip: PhotoId, said: Answers) -> Sheet:
    """Answers single cuts: kept as a verdict on the operator's whole edit, in which the rest stays open."""
    found = known_clip(at, clip)
    answers = [cuts.Answer(name=c.name, say=c.say, start=c.start, end=c.end) for c in said.cuts]
    saying = verdicts.Saying(
        say=Say.MODIFY, by=me.name, reason=said.reason, note=said.note, seconds=said.seconds
    )  # fmt: skip
    return _said(at, clip, cuts.answered(found, said.operator, answers, saying))


@router.post("/clips/{clip}/verdict")
def decide(at: TheSession, me: Who, clip: PhotoId, said: Whole) -> Sheet:
    """A verdict on everything that an operator proposes for the clip."""
    saying = verdicts.Saying(
        say=Say(said.say), by=me.name, operators=(said.operator,), reason=said.reason, note=said.note,
        seconds=said.seconds,
    )  # fmt: skip
    found = known_clip(at, clip)
    if said.say == "approve" and (said.operator in blind.of(at.veil, found)):
        saying = cuts.finished(found, said.operator, saying)
    elif said.say == "approve":
        saying = cuts.approved(found, said.operator, saying)
    return _said(at, clip, saying)


@router.post("/clips/{clip}/pace")
def pace(at: TheSession, me: Who, clip: PhotoId, said: PaceChosen) -> Sheet:
    """Chooses another pace; its cuts are open then."""
    saying = verdicts.Saying(say=Say.MODIFY, by=me.name)
    return _said(at, clip, cuts.at_pace(known_clip(at, clip), said.pace, saying))


@router.post("/clips/{clip}/effect")
def effect(at: TheSession, me: Who, clip: PhotoId, said: EffectChosen) -> Sheet:
    """Settles what is done to the sound or the picture of a clip, its chapters, splits or cutaways, with params of
    one's own. UsageError for an operator that does none of these."""
    known = [op.name for op in effects.operators()]
    if said.operator not in known:
        raise UsageError(
            f"{said.operator} changes no sound and no picture, and marks nothing.",
            remedy=f"There are {', '.join(known)}.",
        )
    saying = verdicts.Saying(say=Say.MODIFY, by=me.name, operators=(said.operator,), params=said.params)
    verdicts.checked(saying)
    return _said(at, clip, saying)


@router.post("/clips/{clip}/strike")
def strike(at: TheSession, me: Who, clip: PhotoId, said: Struck) -> Sheet:
    """Strikes words, or takes them in again; picture and sound follow. `left` names what wants to be listened to."""
    saying = verdicts.Saying(say=Say.MODIFY, by=me.name, seconds=said.seconds)
    chosen, left = cuts.strike(known_clip(at, clip), said.ranges, saying, back=said.back)
    found = _said(at, clip, chosen)
    rate = Fraction(found.rate)
    return found.model_copy(update={"left": [_doubt(d, rate) for d in left]})


# ---------------------------------------------------------------- what is shown


def known_clip(at: Session, id_: str) -> Footage:
    """A clip of the shoot as people may see it, with what cuts are planned from. Raises UsageError where there is none
    such."""
    at.fresh()
    return _with(at, id_, records.evidence(at.library, [id_], names=cuts.EVIDENCE).get(id_, {}))


def beside(at: Session, clip: Footage) -> dict[str, Other]:
    """The clips of the shoot that its cutaways show, or would show, by id; those that are not there are left out."""
    shown = {mark.source for mark in (*overlaid.cutaways(clip), *overlaid.waiting(clip))} & set(at.state.footage)
    return {
        id_: overlaid.other(there, one)
        for id_ in shown
        if (there := clips.original(at.folder.root, one := at.state.footage[id_])) is not None
    }


def _with(at: Session, id_: str, known: Mapping[str, Any]) -> Footage:
    clip = at.state.footage.get(id_)
    if clip is None:
        raise UsageError("There is no such clip or sound in this shoot.", remedy="Open the shoot's page anew.")
    seen = blind.seen_clip(at.veil, clip)
    return replace(seen, facts={name: measure for name, (measure, _) in known.items()})


def _said(at: Session, id_: str, saying: verdicts.Saying) -> Sheet:
    say_of(at, id_, saying)
    return _sheet(at, known_clip(at, id_))


def say_of(at: Session, id_: str, saying: verdicts.Saying) -> None:
    """Writes what somebody says about a clip. Raises UsageError where it cannot be said."""
    with at.deciding() as state:
        clip = state.footage.get(id_)
        if clip is None:
            raise UsageError("There is no such clip or sound in this shoot.", remedy="Open the shoot's page anew.")
        done = verdicts.decide(at.library, state, [clip], saying)
        if done.left and not done.verdicts:
            raise UsageError(f"{clip.path} cannot be answered so: {done.left[0][2]}.", remedy="Load the list again.")


def _sheet(at: Session, clip: Footage) -> Sheet:
    rate, length = frames(clip.facts, clip.asset.duration_s)
    open_ = clip.open_questions()
    back = heard_back(at.library, clip)
    return Sheet(
        clip=clip.id, path=printable(clip.path), rate=str(rate), frames=length, seconds=float(length / rate),
        paces=list(PACES), edits=[_edit(one, rate, waits=one.operator in open_) for one in cuts.listed(clip)],
        effects=[_effect(one, waits=one.operator in open_) for one in effects.listed(clip)],
        captions=cuts.set_captions(clip), kept=cuts.kept(clip),
        kept_with_proposed=cuts.kept(clip, proposed=True), struck=cuts.struck(clip),
        heard=[_doubt(d, rate) for d in cuts.told_back(clip, back)],
        not_heard="the next run listens to them" if back is None else back.cannot_tell,
    )  # fmt: skip


def _effect(one: effects.Listed, *, waits: bool) -> Effect:
    return Effect.model_validate(asdict(one) | {"waits": waits, "state": one.state.value if one.state else None})


def _edit(one: cuts.Listed, rate: Fraction, *, waits: bool) -> Edit:
    return Edit(
        operator=one.operator, state=one.state.value if one.state else None, waits=waits, zone=one.zone, by=one.by,
        cannot_tell=one.cannot_tell, pace=one.pace, cuts=[_cut(c, rate) for c in one.cuts],
        doubts=[_doubt(d, rate) for d in one.doubts], notes=list(one.notes), blind=one.blind,
    )  # fmt: skip


def _cut(one: cuts.Cut, rate: Fraction) -> Cut:
    return Cut.model_validate(asdict(one) | {"seconds": (float(one.start / rate), float(one.end / rate))})


def _doubt(one: cuts.Doubt, rate: Fraction) -> Doubt:
    seconds = float(one.start / rate), float(one.end / rate)
    return Doubt.model_validate(asdict(one) | {"name": one.name, "seconds": seconds})


class _Gone:
    """What is not played, asked about word after word."""

    def __init__(self, kept: list[tuple[Fraction, Fraction]]) -> None:
        self.kept = kept
        self.starts = [a for a, _ in kept]

    def takes(self, word: SpokenWord) -> bool:
        """Whether a part of the word is not played."""
        at = bisect_right(self.starts, word.start) - 1
        return at < 0 or self.kept[at][1] < word.end


def _why_none(clip: Footage, listed: list[cuts.Listed]) -> str:
    told = next((one.cannot_tell for one in listed if one.cannot_tell), None)
    if told:
        return f"cannot tell: {told}"
    words = clip.facts.get("words")
    if words is None:
        return "nobody has listened yet"
    return "nothing to do" if words.cannot_tell is None else f"no words: {words.cannot_tell}"


def _seconds(clip: Footage, *, proposed: bool) -> float:
    return float(cuts.timeline(clip, proposed=proposed).duration)
