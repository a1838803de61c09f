"""Reviewers: who sits at this browser, who is known, who leads."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from safelight.errors import UsageError
from safelight.review.desk import Desk
from safelight.review.given import REVIEWER, TheDesk, Who, page
from safelight.review.models import Person, Record, ReviewerChange, SignIn, Totals
from safelight.review.own_record import all_totals, own_record
from safelight.store import reviewers

router = APIRouter()


@router.get("/people", include_in_schema=False)
def people(request: Request, at: TheDesk) -> HTMLResponse:
    """The page."""
    return page(request, "people.html", known=list(reviewers.reviewers(at.library).values()))


@router.get("/api/reviewers")
def known(at: TheDesk) -> list[Person]:
    """Everybody who decides in this library."""
    return [_person(who) for who in reviewers.reviewers(at.library).values()]


@router.get("/api/me")
def me(who: Who) -> Person:
    """Who asks."""
    return _person(who)


@router.post("/api/me")
def sign_in(request: Request, answer: Response, at: TheDesk, said: SignIn) -> Person:
    """Says who sits at this browser; with a PIN where that reviewer has one."""
    found = at.who(None, said.name, said.pin)
    _sits(request, answer, at, found.name)
    return _person(found)


@router.get("/api/me/record")
def record(at: TheDesk, who: Who) -> Record:
    """How fast and how sure the one who asks is; nobody else is told."""
    return own_record(at.library, who.name)


@router.get("/api/reviewers/totals")
def totals(at: TheDesk, who: Who) -> Totals:
    """What all reviewers together have done; for a lead. No figure of a single person."""
    if not who.lead:
        raise UsageError("Totals are for a lead.", remedy="Say on the page People who leads.")
    return all_totals(at.library)


@router.post("/api/reviewers")
def change(request: Request, answer: Response, at: TheDesk, who: Who, said: ReviewerChange) -> Person:
    """Adds a reviewer, or changes one: oneself, or anybody where one leads. Where nobody leads, anybody may say who
    does. Whoever gives themselves a PIN goes on sitting at this browser."""
    everybody = reviewers.reviewers(at.library)
    leading = who.lead or not any(each.lead for each in everybody.values())
    if said.lead is not None and not leading:
        raise UsageError("Only a lead says who leads.", remedy="Ask the lead to change it.")
    if said.name in everybody and said.name != who.name and not leading:
        raise UsageError("Only a lead changes other people.", remedy="Ask the lead to change it.")
    before = reviewers.leads(at.library)
    made = reviewers.save(at.library, said.name, by=who.name, pin=said.pin, lead=said.lead)
    if reviewers.leads(at.library) != before:
        at.recount()
    if made.name == who.name:
        _sits(request, answer, at, made.name)
    return _person(made)


def _sits(request: Request, answer: Response, at: Desk, name: str) -> None:
    """Says to the browser who sits at it."""
    answer.set_cookie(REVIEWER, at.sign(name), httponly=True, samesite="strict", secure=request.url.scheme == "https")


def _person(who: reviewers.Reviewer) -> Person:
    return Person(name=who.name, lead=who.lead, locked=who.locked)
