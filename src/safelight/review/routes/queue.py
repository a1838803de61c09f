"""The page Queue: what needs a person first, and answering it. How an item was drawn is told to nobody before."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from safelight import verdicts
from safelight.domain import Say
from safelight.queue import EVERYTHING
from safelight.review.entries import printable
from safelight.review.given import TheDesk, TheSession, Who, page
from safelight.review.models import Answered, Checked, Seconds
from safelight.review.routes.judge import turning as turning_of
from safelight.review.routes.previews import Painted, Painting, Shown, TheRoom, View, painted, rendered
from safelight.review.routes.verdicts import answer
from safelight.review.waiting import Waiting, card_of, edits
from safelight.store import records
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
def all_shoots(request: Request, at: TheDesk, given: TheQueue, task: str = EVERYTHING) -> HTMLResponse:
    """The page of what waits in all shoots, the most mistakes first."""
    return page(request, "everywhere.html", told=everywhere(at, given, task), task=task)


@router.get("/api/queue")
def everywhere(at: TheDesk, given: TheQueue, task: str = EVERYTHING) -> dict[str, Any]:
    """What waits in all shoots whose folder is here: by shoot, those with the most mistakes to be expected first, and
    by task."""
    shoots, tasks = [], Counter[str]()
    for shoot in records.shoots(at.library):
        if not Path(shoot.root).is_dir():
            continue
        told = given.shown(at.session(shoot.id), task=task, most=0)
        tasks.update(told["tasks"])
        if told["count"]:
            row = {"id": shoot.id, "name": printable(shoot.name), "count": told["count"], "tasks": told["tasks"]}
            shoots.append(row | {"expected": told["expected"]})
    shoots.sort(key=lambda row: (-row["expected"], row["name"]))
    return {"shoots": shoots, "tasks": dict(sorted(tasks.items())), "count": sum(row["count"] for row in shoots)}


class Replied(Answered):
    """What came of an answer; `planted` says, now that it is given, that the item had been spoilt on purpose."""

    planted: bool = False


@router.post("/api/shoots/{shoot}/queue")
def reply(at: TheSession, given: TheQueue, me: Who, said: Reply) -> Replied:
    """Answers items by their tokens. Several at once are one bundled decision."""
    saying = verdicts.Saying(
        say=Say(said.say), by=me.name, params=said.params, reason=said.reason, note=said.note, seconds=said.seconds,
        unseen=at.unseen(),
    )  # fmt: skip
    since = at.revision
    done = given.answer(at, said.tokens, saying)
    found = answer(at, since, done.said).model_dump()
    return Replied(**found | {"written": found["written"] + done.planted}, planted=done.planted)


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


@router.post("/api/shoots/{shoot}/queue/{token}/view")
def view(at: TheSession, given: TheQueue, kept: TheRoom, token: str, asked: View) -> Shown:
    """A view of what an item asks about."""
    item = given.of(at, token)
    photo = at.photo(item.photo)
    is_spoilt = item.known_bad is not None and not item.known_bad.again
    spoilt = item.operator if is_spoilt and asked.change is None else None
    return rendered(at, kept, photo, asked, shown=edits(item, photo), spoilt=spoilt)


@router.post("/api/shoots/{shoot}/queue/{token}/masks")
def paint(at: TheSession, given: TheQueue, kept: TheRoom, token: str, said: Painting) -> Painted:
    """Paints on the photo of an item."""
    return painted(at, kept, at.photo(given.of(at, token).photo), said)


@router.get("/api/shoots/{shoot}/queue/{token}/cards/{operator}/turning")
def turning(at: TheSession, given: TheQueue, token: str, operator: str) -> list[dict[str, Any]]:
    """What would have changed the suggestion; nothing for an item that comes without one."""
    item = given.of(at, token)
    return [] if item.params is None or operator != item.operator else turning_of(at, item.photo, operator, MOST_TURNS)
