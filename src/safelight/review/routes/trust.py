"""The page Trust: what each task has earned, of all shoots of the library, as `safelight trust` says it."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from safelight import ledger
from safelight.report import trust
from safelight.review.given import TheDesk, page

router = APIRouter()


@router.get("/trust", include_in_schema=False)
def shown(request: Request, at: TheDesk) -> HTMLResponse:
    """The page."""
    inside = trust.fragment(_document(at))
    return page(request, "trust.html", inside=Markup(inside))  # noqa: S704 - every text in it is escaped where it is made


@router.get("/trust.css", include_in_schema=False)
def looks() -> Response:
    """How its inside looks."""
    return Response(trust.css(), media_type="text/css", headers={"Cache-Control": "no-cache"})


@router.get("/api/trust")
def document(at: TheDesk) -> dict[str, Any]:
    """What each task has earned: `safelight.trust/1`."""
    return _document(at)


def _document(at: TheDesk) -> dict[str, Any]:
    return ledger.document(at.library, ledger.rules(at.library))
