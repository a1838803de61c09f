"""The page Queue: what needs a person first, and answering it. How an item was drawn is told to nobody before."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from safelight import verdicts
from safelight.domain import Say
from safelight.review.entries import printable
from safelight.review.given import TheSession, Who, page
from safelight.review.models import Answered, Checked, Seconds
from safelight.review.routes.verdicts import answer
from safelight.review.waiting import EVERYTHING, Waiting
from safelight.verdicts import REASONS

router = APIRouter()
MOST = 200


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


@router.post("/api/shoots/{shoot}/queue")
def reply(at: TheSession, given: TheQueue, me: Who, said: Reply) -> Answered:
    """Answers items by their tokens. Several at once are one bundled decision."""
    saying = verdicts.Saying(
        say=Say(said.say), by=me.name, params=said.params, reason=said.reason, note=said.note, seconds=said.seconds
    )
    since = at.revision
    done = given.answer(at, said.tokens, saying)
    return answer(at, since, done)
