"""The page Judge edits: scenes before and after, one photo with the cards of its edits, and what would change them."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from safelight import blind, plugins, style, verdicts
from safelight.deliver import ready
from safelight.domain import Input, Say, Scope, Version
from safelight.operators import Medium, Subject, Wishes
from safelight.review import card, sheet
from safelight.review.entries import printable
from safelight.review.given import TheSession, Who, page
from safelight.review.models import Answered, Checked, Photos, Seconds
from safelight.review.routes.verdicts import answer, chosen
from safelight.review.session import Session
from safelight.state import Photo, ShootState
from safelight.store import records
from safelight.verdicts import REASONS

router = APIRouter()
MOST = 400  # photos of a set that an operator is asked about again


@router.get("/shoots/{shoot}/judge", include_in_schema=False)
def judge(request: Request, at: TheSession) -> HTMLResponse:
    """The page."""
    return page(request, "judge.html", shoot=at, title=printable(at.shoot.name), reasons=REASONS)


@router.get("/api/reasons")
def reasons() -> dict[str, str]:
    """The codes of reasons, with their words."""
    return card.reasons()


@router.get("/api/shoots/{shoot}/scenes")
def scenes(at: TheSession) -> list[dict[str, Any]]:
    """Scenes whose keepers have edits, those that stand apart first."""
    state = at.seen()
    return sheet.scenes(state, ready.checklist(state, ready.tried(at.library, state)).findings)


@router.get("/api/shoots/{shoot}/photos/{photo}/cards")
def cards(at: TheSession, photo: str) -> dict[str, Any]:
    """The cards of a photo's edits, in the order in which they are rendered; then of operators that anybody may add."""
    found = at.known(at.photo(photo))
    version = Version(inputs=(Input(id=photo),), edits=found.edits(proposed=True)).id
    checks = records.evidence(at.library, [version]).get(version, {})
    operators = [op for op in plugins.operators().values() if op.medium is Medium.FRAME]
    operators.sort(key=lambda op: (op.stage, op.rank, op.name))
    own = [op for op in operators if found.state(op.name) is not None]
    return {
        "id": photo,
        "path": printable(found.path),
        "width": found.asset.width,
        "height": found.asset.height,
        "raw": found.is_raw,
        "cards": [card.card(found, op, checks) for op in own],
        "others": [
            {"operator": op.name, "title": op.name.replace("_", " "), "about": op.about}
            for op in operators
            if op not in own and card.settable(op)
        ],
    }


@router.get("/api/shoots/{shoot}/photos/{photo}/cards/{operator}")
def one(at: TheSession, photo: str, operator: str) -> dict[str, Any]:
    """The card of one operator, of one that has proposed nothing too."""
    return card.card(at.known(at.photo(photo)), plugins.operator(operator), {})


@router.get("/api/shoots/{shoot}/photos/{photo}/cards/{operator}/turning")
def turning(
    at: TheSession, photo: str, operator: str, most: Annotated[int, Query(ge=1, le=10)] = card.MOST
) -> list[dict[str, Any]]:
    """What would have changed an operator's answer: it is asked again, with one piece of evidence moved at a time."""
    op, found, state = plugins.operator(operator), at.photo(photo), at.fresh()
    proposal = found.proposals.get(operator)
    if proposal is None or op.medium is not Medium.FRAME or blind.is_blank(proposal):
        return []
    members = _set(state, found, op.scope)
    if len(members) > MOST:
        return []
    subjects = _subjects(at, state, members)
    wishes = Wishes(target=state.asked.target, genre=state.asked.genre, taste=style.taste(at.library))
    changes = card.turning_points(op, subjects, photo, [b.evidence for b in proposal.because], wishes)
    return [
        {"evidence": c.evidence, "value": c.value, "instead": c.instead, "unit": c.unit, "text": c.text}
        for c in changes[:most]
    ]


class Judged(Checked):
    """What a person says about edits of photos that were shown together. Without operators it is about every edit that
    waits; what was answered before stays as it is, but for `modify`, which is about one operator and all photos."""

    photos: Photos
    say: Literal["approve", "modify", "reject", "escalate"]
    operators: tuple[str, ...] = ()
    params: dict[str, Any] | None = None
    reason: str = ""
    note: Annotated[str, Field(max_length=10_000)] = ""
    seconds: Seconds = None
    group: str | None = None


@router.post("/api/shoots/{shoot}/edits")
def decide(at: TheSession, me: Who, said: Judged) -> Answered:
    """One verdict on the edits of one photo, or of a scene: one decision, undone at once."""
    saying = verdicts.Saying(
        say=Say(said.say), by=me.name, params=said.params, reason=said.reason, note=said.note, seconds=said.seconds,
        group=said.group,
    )  # fmt: skip
    since = at.revision
    with at.deciding() as state:
        photos = chosen(state, said.photos)
        done = verdicts.decide_each(at.library, state, _wanted(photos, said), saying)
    return answer(at, since, done)


def _wanted(photos: list[Photo], said: Judged) -> dict[str, list[Photo]]:
    """By operator, the photos that a verdict is about."""
    if said.say == "modify":
        return dict.fromkeys(said.operators, photos)
    if said.say != "approve" and said.operators:  # what stands can be rejected later on
        return {name: [photo for photo in photos if photo.state(name) is not None] for name in said.operators}
    found: dict[str, list[Photo]] = {}
    for photo in photos:
        for name in sheet.waits(photo):
            if not said.operators or name in said.operators:
                found.setdefault(name, []).append(photo)
    return found


def _set(state: ShootState, photo: Photo, scope: Scope) -> list[str]:
    """The photos that one call of an operator's `propose` sees."""
    if scope is Scope.SHOOT:
        return list(state.photos)
    group = {Scope.SCENE: photo.scene, Scope.GROUP: photo.group}.get(scope)
    return [m for m in group.members if m in state.photos] if group is not None else [photo.id]


def _subjects(at: Session, state: ShootState, members: list[str]) -> list[Subject]:
    """These photos with all their evidence, as operators see them."""
    facts = records.facts(at.library, members)
    return [replace(subject, facts=facts.get(subject.asset.id, {})) for subject in state.subjects(members)]
