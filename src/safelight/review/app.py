"""The app: routes, what must be brought to them, and how an error is told. Its OpenAPI schema is the contract."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

import safelight
from safelight.errors import LibraryError, MediaError, Refused, SafelightError
from safelight.review.desk import Desk
from safelight.review.given import HERE, page
from safelight.review.playing import Playing
from safelight.review.routes import (
    captions,
    cull,
    cuts,
    deliver,
    judge,
    people,
    photos,
    player,
    practise,
    previews,
    queue,
    start,
    trust,
    verdicts,
)
from safelight.review.security import Door, Guard
from safelight.review.shelf import Shelf
from safelight.review.waiting import Waiting

ROUTERS = (
    start.router, cull.router, photos.router, verdicts.router, people.router, judge.router, previews.router,
    previews.pictures, queue.router, deliver.router, practise.router, cuts.router, player.router,
    captions.router,
    trust.router,
)  # fmt: skip
STATUS = {LibraryError: 503, MediaError: 422, Refused: 409}


def create_app(desk: Desk, door: Door, *, closing: Sequence[Callable[[], None]] = ()) -> FastAPI:
    """The app of one start: what it holds, and what a request must bring."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        for close in (app.state.playing.close, desk.close, *closing):
            close()

    app = FastAPI(
        title="Safelight", version=safelight.__version__, lifespan=life, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", description="What the review app's pages call, for programs too.",
    )  # fmt: skip
    app.state.desk = desk
    app.state.room, app.state.waiting = previews.Room(), Waiting()
    app.state.deliveries, app.state.practice = deliver.Deliveries(), Shelf(practise.ROOM)
    app.state.playing = Playing()
    app.state.ending = lambda: False
    app.add_middleware(Guard, door=door)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", Static(directory=HERE / "static"), name="static")
    app.add_exception_handler(SafelightError, _told)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    return app


class Static(StaticFiles):
    """Our own files; a browser asks each time whether they are still the same."""

    async def get_response(self, path: str, scope: object) -> Response:
        """A file with the header that makes browsers ask."""
        answer = await super().get_response(path, scope)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def _told(request: Request, error: Exception) -> Response:
    """An error of ours: JSON for programs, a page for people."""
    assert isinstance(error, SafelightError)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        body = {"code": error.code, "cause": error.cause, "remedy": error.remedy}
        return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store"})
    answer = page(request, "trouble.html", cause=error.cause, remedy=error.remedy)
    answer.status_code = status
    return answer


def _misunderstood(_: Request, error: Exception) -> Response:
    """A request that is not what the contract says: the first thing that is wrong with it."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse(
        {"code": "usage", "cause": f"{where}: {first['msg']}.", "remedy": "See /api/openapi.json."}, status_code=422
    )
