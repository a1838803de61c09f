"""The first page: the shoots of the library, or what to do where there are none; help; the tour."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from safelight.review import tour as steps_of
from safelight.review.entries import printable
from safelight.review.given import TheDesk, page
from safelight.store import records

router = APIRouter()


@router.get("/", include_in_schema=False)
def first(request: Request, at: TheDesk) -> Response:
    """The shoots; where the start was asked for one, that one."""
    at.look()
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
    to = chosen["id"] if chosen else None
    steps = [(step, steps_of.address(to, i) if to else None) for i, step in enumerate(steps_of.STEPS, 1)]
    return page(request, "tour.html", on=chosen["name"] if chosen else "", steps=steps)


@router.get("/api/shoots")
def shoots(at: TheDesk) -> list[dict[str, Any]]:
    """The shoots of this library, newest first."""
    return _shoots(at)


def _shoots(at: TheDesk) -> list[dict[str, Any]]:
    filmed = records.filmed(at.library)
    return [
        {
            "id": shoot.id, "name": printable(shoot.name), "folder": printable(shoot.root), "client": shoot.client,
            "here": Path(shoot.root).is_dir(), "clips": shoot.id in filmed,
        }
        for shoot in reversed(records.shoots(at.library))
    ]  # fmt: skip
