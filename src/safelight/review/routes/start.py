"""The first page: the shoots of the library, or what to do where there are none; help; the tour."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from safelight.review import shortcuts
from safelight.review.entries import printable
from safelight.review.given import TheDesk, page
from safelight.store import records

router = APIRouter()
TOUR = (
    {
        "title": "Look at what is proposed", "page": "cull",
        "text": "Stacks are shown as one, the best on top. Pale signs are the machine's, a filled dot is keep, a "
        "struck ring reject, an empty ring undecided. The panel at the right says why. Space shows a photograph large.",
    },
    {
        "title": "Approve a stack with one key", "page": "cull",
        "text": "Enter approves the stack as it is shown and goes to the next open one. Where another frame is better, "
        "go to it with the arrows and press B: it stays, the rest goes. Z shows the eyes at 100 %, C compares frames.",
    },
    {
        "title": "Judge the edits of a scene", "page": "judge",
        "text": "Before over after, outliers first. Approve all, or all but the marked. Open one to change it.",
    },
    {
        "title": "See what still needs a person", "page": "queue",
        "text": "The queue lists what blocks a delivery, the likeliest harm first.",
    },
    {
        "title": "Deliver", "page": "deliver",
        "text": "The list says what is missing and what will be written where. Then somebody signs with a name.",
    },
)  # fmt: skip


@router.get("/", include_in_schema=False)
def first(request: Request, at: TheDesk) -> Response:
    """The shoots; where the start was asked for one, that one."""
    if at.first is not None and "from" not in request.query_params:
        return RedirectResponse(f"/shoots/{at.first}/cull", status_code=303)
    return page(request, "start.html", shoots=_shoots(at), trouble=at.trouble, library=at.library.place)


@router.get("/help", include_in_schema=False)
def keys(request: Request) -> HTMLResponse:
    """All shortcuts."""
    return page(request, "help.html")


@router.get("/tour", include_in_schema=False)
def tour(request: Request, at: TheDesk) -> HTMLResponse:
    """Five steps, on the shoot that was asked for, else on the newest whose folder is here."""
    here = [shoot for shoot in _shoots(at) if shoot["here"]]
    chosen = next((shoot for shoot in here if shoot["id"] == at.first), here[0] if here else None)
    return page(
        request, "tour.html", to=chosen["id"] if chosen else None, on=chosen["name"] if chosen else "", steps=TOUR
    )


@router.get("/api/shoots")
def shoots(at: TheDesk) -> list[dict[str, Any]]:
    """The shoots of this library, newest first."""
    return _shoots(at)


@router.get("/api/shortcuts")
def table() -> list[dict[str, Any]]:
    """The table of shortcuts."""
    return shortcuts.table()


def _shoots(at: TheDesk) -> list[dict[str, Any]]:
    return [
        {
            "id": shoot.id, "name": printable(shoot.name), "folder": printable(shoot.root), "client": shoot.client,
            "here": Path(shoot.root).is_dir(),
        }
        for shoot in reversed(records.shoots(at.library))
    ]  # fmt: skip
