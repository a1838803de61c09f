"""The Cull page, and the lists it shows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from safelight import explain
from safelight.domain import Input, Version
from safelight.review import entries
from safelight.review.given import TheSession, page
from safelight.review.session import plain
from safelight.verdicts import REASONS

router = APIRouter()
LINES, PART = "application/x-ndjson", 200  # photos of a line
LOOK_S = 0.7  # how often the library is asked whether something is new


@router.get("/shoots/{shoot}/cull", include_in_schema=False)
def cull(request: Request, at: TheSession) -> HTMLResponse:
    """The page."""
    return page(request, "cull.html", shoot=at, title=entries.printable(at.shoot.name), reasons=REASONS)


@router.get("/api/shoots/{shoot}/photos", responses={200: {"content": {"application/json": {}, LINES: {}}}})
def photos(request: Request, at: TheSession, since: int = -1) -> Response:
    """The photos of a shoot in the order in which they were taken, with groups and counts; with `since`, those that
    changed after that revision. For who accepts `application/x-ndjson`, in lines: the first without photos, then lists
    of some hundred, so that a page need not read ten thousand at a stretch."""
    shown = at.shown(since)
    if LINES not in request.headers.get("accept", ""):
        return Response(plain(shown), media_type="application/json")
    return StreamingResponse(_lines(shown), media_type=LINES)


def _lines(shown: dict[str, Any]) -> Iterator[bytes]:
    listed = shown["photos"]
    yield plain({**shown, "photos": []}) + b"\n"
    for start in range(0, len(listed), PART):
        yield plain(listed[start : start + PART]) + b"\n"


@router.get("/api/shoots/{shoot}/photos/{photo}")
def one(at: TheSession, photo: str) -> dict[str, Any]:
    """Everything known and decided about a photo, and why: the entry of `safelight.explain/1`."""
    known = at.known(at.photo(photo))
    found: dict[str, Any] = explain.document(at.library, at.fresh(), [known], veil=at.veil)["assets"][0]
    found["id"] = photo
    found["path"] = entries.printable(found["path"])
    edits = known.edits(proposed=True)
    found["version"] = Version(inputs=(Input(id=photo),), edits=edits).id if edits else None
    found["evidence"] = [e for e in found["evidence"] if len(str(e["value"])) < 400]  # not what only programs read
    return found


@router.get("/api/shoots/{shoot}/changes", responses={200: {"content": {"text/event-stream": {}}}})
async def changes(request: Request, at: TheSession) -> StreamingResponse:
    """Tells the revision each time that it changes, as server-sent events."""

    def revision() -> int:
        at.fresh()
        return at.revision

    return telling(request, revision)


def telling(request: Request, revision: Callable[[], int]) -> StreamingResponse:
    """A stream that tells what `revision` says each time that it says something else, until the app ends."""

    async def tell() -> AsyncIterator[str]:
        told = -1
        while not (request.app.state.ending() or await request.is_disconnected()):
            found = await asyncio.to_thread(revision)
            yield f"data: {found}\n\n" if found != told else ": still here\n\n"
            told = found
            await asyncio.sleep(LOOK_S)

    return StreamingResponse(tell(), media_type="text/event-stream")
