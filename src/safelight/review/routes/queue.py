"""The page Queue: what needs a person first, and answering it. How an item was drawn is told to nobody before."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel, Field

from safelight import verdicts
from safelight.domain import Say
from safelight.queue import EVERYTHING
from safelight.review.entries import printable
from safelight.review.given import TheDesk, TheSession, Who, page
from safelight.review.leaving import while_there
from safelight.review.models import Answered, Checked, Left, Seconds
from safelight.review.routes.cull import telling
from safelight.review.routes.judge import turning as turning_of
from safelight.review.routes.previews import Painted, Painting, Shown, TheRoom, View, painted, rendered
from safelight.review.routes.verdicts import answer, left_of
from safelight.review.waiting import Waiting, card_of, edits
from safelight.store.reviewers import Reviewer
from safelight.verdicts import REASONS

router = APIRouter()
MOST = 200
MOST_TURNS = 3


def waiting(request: Request) -> Waiting:
    """The tokens of this start."""
    found: Waiting = request.app.state.waiting
    return found


TheQueue = Annotated[Waiting, Depends(waiting)]


class Reply(Checked):
    """What a person says about items of the queue, of one task where there are several."""

    tokens: Annotated[list[str], Field(min_length=1, max_length=20_000)]
    say: Literal["approve", "modify", "reject", "escalate"]
    params: dict[str, Any] | None = None
    reason: str = ""
    note: Annotated[str, Field(max_length=10_000)] = ""
    seconds: Seconds = None


@router.get("/shoots/{shoot}/queue", include_in_schema=False)
def queue(request: Request, at: TheSession) -> HTMLResponse:
    """The page."""
    return page(request, "queue.html", shoot=at, title=printable(at.shoot.name), reasons=REASONS)


@router.get("/api/shoots/{shoot}/queue")
def items(
    at: TheSession, given: TheQueue, task: str = EVERYTHING, most: Annotated[int, Query(ge=1, le=2000)] = MOST
) -> dict[str, Any]:
    """What waits for a person, worst first: all that blocks delivery, or one task."""
    return given.shown(at, task=task, most=most)


@router.get("/queue", include_in_schema=False)
def all_shoots(request: Request) -> HTMLResponse:
    """The page of what waits in all shoots."""
    return page(request, "queue.html", title="all shoots")


@router.get("/api/queue")
def everywhere(
    at: TheDesk, given: TheQueue, task: str = EVERYTHING, shoot: str = EVERYTHING,
    most: Annotated[int, Query(ge=0, le=2000)] = MOST,
) -> dict[str, Any]:  # fmt: skip
    """What waits for a person in all shoots whose folder is here, as one queue, worst first: all that blocks a
    delivery, one task, or one shoot."""
    return given.everywhere(at.here(), task=task, shoot=shoot, most=most)


class Replied(Answered):
    """What came of an answer; `planted` says, now that it is given, that the item had been spoilt on purpose."""

    planted: bool = False


class RepliedAnywhere(BaseModel):
    """What came of an answer about items of whatever shoots."""

    written: int
    left: list[Left] = []
    planted: bool = False


@router.post("/api/queue")
def reply_anywhere(at: TheDesk, given: TheQueue, me: Who, said: Reply) -> RepliedAnywhere:
    """Answers items by their tokens, of whatever shoots. Several at once are one bundled decision."""
    shoots = dict.fromkeys(given.shoot_of(token) for token in said.tokens)
    done = given.answer([at.session(shoot) for shoot in shoots], said.tokens, _saying(me, said))
    written = len(done.said.verdicts) + done.planted
    return RepliedAnywhere(written=written, left=left_of(done.said.left), planted=done.planted)


class TakenBack(BaseModel):
    """Whether something was taken back, and what of it stays because somebody else has decided since."""

    undone: bool
    left: list[Left] = []


@router.post("/api/undo")
def undo_anywhere(at: TheDesk, me: Who) -> TakenBack:
    """Takes back what the reviewer said last, in whatever shoot, browser or start of the app."""
    left = at.undo(me.name)
    return TakenBack(undone=left is not None, left=left_of(left or ()))


@router.get("/api/changes", responses={200: {"content": {"text/event-stream": {}}}})
async def changes(request: Request, at: TheDesk) -> StreamingResponse:
    """Tells each time that something changes in any shoot, as server-sent events."""

    def revision() -> int:
        for session in at.here():
            session.fresh()
        return sum(session.revision for session in at.here())

    return telling(request, revision)


@router.post("/api/shoots/{shoot}/queue")
def reply(at: TheSession, given: TheQueue, me: Who, said: Reply) -> Replied:
    """Answers items by their tokens. Several at once are one bundled decision."""
    since = at.revision
    done = given.answer([at], said.tokens, _saying(me, said))
    found = answer(at, since, done.said).model_dump()
    return Replied(**found | {"written": found["written"] + done.planted}, planted=done.planted)


def _saying(me: Reviewer, said: Reply) -> verdicts.Saying:
    return verdicts.Saying(
        say=Say(said.say), by=me.name, params=said.params, reason=said.reason, note=said.note, seconds=said.seconds
    )


# ---------------------------------------------------------------- one item, as the page of a photo is asked


@router.get("/api/shoots/{shoot}/queue/{token}/cards")
def cards(at: TheSession, given: TheQueue, token: str) -> dict[str, Any]:
    """The card of an item's edit."""
    item = given.of(at, token)
    photo = at.known(at.photo(item.photo))
    return {
        "id": photo.id, "path": printable(photo.path), "width": photo.asset.width, "height": photo.asset.height,
        "raw": photo.is_raw, "cards": [card_of(item, photo)], "others": [],
    }  # fmt: skip


@router.post("/api/shoots/{shoot}/queue/{token}/view", response_model=Shown)
async def view(request: Request, at: TheSession, given: TheQueue, kept: TheRoom, token: str, asked: View) -> Any:
    """A view of what an item asks about, unless who asks for it leaves before it is done."""

    def made(go_on: Callable[[], None]) -> Shown:
        item = given.of(at, token)
        photo = at.photo(item.photo)
        spoilt = item.operator if item.known_bad is not None and asked.change is None else None
        return rendered(at, kept, photo, asked, shown=edits(item, photo), spoilt=spoilt, go_on=go_on)

    return await while_there(request, made)


@router.post("/api/shoots/{shoot}/queue/{token}/masks")
def paint(at: TheSession, given: TheQueue, kept: TheRoom, token: str, said: Painting) -> Painted:
    """Paints on the photo of an item."""
    return painted(at, kept, at.photo(given.of(at, token).photo), said)


@router.get("/api/shoots/{shoot}/queue/{token}/cards/{operator}/turning")
def turning(at: TheSession, given: TheQueue, token: str, operator: str) -> list[dict[str, Any]]:
    """What would have changed the suggestion; nothing for an item that comes without one."""
    item = given.of(at, token)
    return [] if item.params is None or operator != item.operator else turning_of(at, item.photo, operator, MOST_TURNS)
