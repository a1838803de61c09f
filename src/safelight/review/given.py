"""What routes are given: the desk, the shoot in the address, who asks, and pages out of templates."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any

import jinja2
from fastapi import Cookie, Depends, Header, Request
from fastapi.responses import HTMLResponse

from safelight.review import shortcuts, tour
from safelight.review.desk import Desk
from safelight.review.session import Session
from safelight.store.reviewers import Reviewer

HERE = Path(__file__).parent
REVIEWER = "safelight_reviewer"  # the cookie that says who sits at this browser


def desk(request: Request) -> Desk:
    """The desk of this start."""
    found: Desk = request.app.state.desk
    return found


TheDesk = Annotated[Desk, Depends(desk)]


def session(shoot: str, at: TheDesk) -> Session:
    """The shoot that the address names."""
    return at.session(shoot)


def who(
    at: TheDesk,
    safelight_reviewer: Annotated[str | None, Cookie(include_in_schema=False)] = None,
    x_safelight_reviewer: Annotated[str | None, Header(description="Who asks, for programs.")] = None,
    x_safelight_pin: Annotated[str | None, Header(description="That reviewer's PIN, where there is one.")] = None,
) -> Reviewer:
    """Who asks."""
    return at.who(safelight_reviewer, x_safelight_reviewer, x_safelight_pin)


TheSession = Annotated[Session, Depends(session)]
Who = Annotated[Reviewer, Depends(who)]


def page(request: Request, name: str, **values: Any) -> HTMLResponse:
    """A page out of its template. Values are escaped; data for scripts go into `data-` attributes or the API."""
    at = desk(request)
    try:
        me = at.who(request.cookies.get(REVIEWER)).name
    except Exception:  # noqa: BLE001 - a page that asks who you are must open for whom that is not known
        me = ""
    shoot = values.pop("shoot", None)
    step = tour.under_way(shoot.shoot.id, request.query_params.get("tour")) if shoot is not None else None
    made = (
        templates()
        .get_template(name)
        .render(shoot=shoot, me=me, tour=step, here=request.url.path, shortcuts=shortcuts.table(), **values)
    )
    return HTMLResponse(made)


@cache
def templates() -> jinja2.Environment:
    """The pages' templates."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    made.filters["thousands"] = lambda n: f"{n:,}"
    return made
