"""The page Practise: photographs with flaws that were planted on purpose, and a score for each kind of flaw."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Request
from fastapi import Path as PathPart
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from safelight.domain import Cull
from safelight.errors import UsageError
from safelight.media import image, write
from safelight.media.frame import Bytes
from safelight.media.picture import shrink
from safelight.review import flaws
from safelight.review.entries import findings
from safelight.review.given import TheSession, page
from safelight.review.models import Checked
from safelight.review.session import Session
from safelight.review.shelf import Shelf

router = APIRouter()
SIDE = 1600
FEWEST, MOST = 1, 24  # photographs that a round is made of
ROOM = 120_000_000  # bytes of planted pictures that stay in memory while a round goes on


def shelf(request: Request) -> Shelf:
    """The pictures of the rounds of this start."""
    found: Shelf = request.app.state.practice
    return found


TheShelf = Annotated[Shelf, Depends(shelf)]
Seed = Annotated[int, PathPart(ge=0, lt=2**31)]


class Guess(Checked):
    """What a person says about one picture of a round: a kind of flaw, or that there is none; where, as shares of its
    width and height."""

    kind: str | None
    at: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] | None = None


@router.get("/shoots/{shoot}/practise", include_in_schema=False)
def practise(request: Request, at: TheSession) -> HTMLResponse:
    """The page."""
    return page(request, "practise.html", shoot=at, kinds=flaws.KINDS.values())


@router.get("/api/shoots/{shoot}/practice/{seed}")
def round_(at: TheSession, made: TheShelf, seed: Seed) -> dict[str, Any]:
    """A round of practice: how many pictures, and the kinds to choose from."""
    lesson = _lesson(at, made, seed)
    return {
        "seed": seed,
        "count": len(lesson),
        "kinds": [{"name": k.name, "title": k.title, "look_for": k.look_for} for k in flaws.KINDS.values()],
    }


@router.get("/shoots/{shoot}/practice/{seed}/{number}.jpg", responses={200: {"content": {"image/jpeg": {}}}})
def picture(at: TheSession, made: TheShelf, seed: Seed, number: int, without: Literal["", "flaw"] = "") -> Response:
    """One picture of a round; `without=flaw` as it was, for comparing after the answer."""
    rgb, planted = _planted(at, made, seed, number)
    data = write.jpeg(rgb if without else planted.rgb, quality=92)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


@router.post("/api/shoots/{shoot}/practice/{seed}/{number}")
def guess(at: TheSession, made: TheShelf, seed: Seed, number: int, said: Guess) -> dict[str, Any]:
    """What was there, and whether it was seen. Nothing of it is written down."""
    if said.kind is not None and said.kind not in flaws.KINDS:
        raise UsageError(f"{said.kind!r} is no kind of flaw.", remedy=f"Kinds are {', '.join(flaws.KINDS)}.")
    rgb, planted = _planted(at, made, seed, number)
    height, width = rgb.shape[:2]
    box = planted.box and [
        planted.box[0] / width,
        planted.box[1] / height,
        planted.box[2] / width,
        planted.box[3] / height,
    ]
    kind = flaws.KINDS[planted.kind] if planted.kind else None
    return {
        "kind": planted.kind,
        "title": kind.title if kind else "Nothing",
        "look_for": kind.look_for if kind else "This photograph is as it was taken. Leaving it alone is right.",
        "box": box,
        "seen": said.kind == planted.kind,
        "noticed": (said.kind is None) == (planted.kind is None),
    }


def _lesson(at: Session, made: Shelf, seed: int) -> list[tuple[int, str | None, int]]:
    return flaws.lesson(seed, len(_pictures(at, made, seed)))


def _pictures(at: Session, made: Shelf, seed: int) -> list[Path]:
    """The photographs of a round, the same until it is over, whatever is decided meanwhile."""
    found: list[Path] = made.get((at.shoot.id, seed), lambda: _good(at), lambda paths: 200 * len(paths))
    return found


def _good(at: Session) -> list[Path]:
    """Good photographs of the shoot: kept ones without findings, else kept ones, else any, spread over it; their
    proxies."""
    places = {p.id: at.folder.cached(p.id).with_suffix(".jpg") for p in at.fresh().photos.values()}
    there = sorted((p for p in at.state.photos.values() if places[p.id].is_file()), key=lambda p: p.path)
    if len(there) < FEWEST:
        raise UsageError("There are no pictures to practise on.", remedy="Run `safelight run` on the shoot first.")
    kept = [p for p in there if p.decision is Cull.KEEP]
    chosen = [p for p in kept if not findings(p)] or kept or there
    spread = np.linspace(0, len(chosen) - 1, min(MOST, len(chosen))).round().astype(int)
    return [places[chosen[i].id] for i in spread]


def _planted(at: Session, made: Shelf, seed: int, number: int) -> tuple[Bytes, flaws.Planted]:
    lesson = _lesson(at, made, seed)
    if not 0 <= number < len(lesson):
        raise UsageError("There is no such picture in this round.", remedy=f"Pictures are 0 to {len(lesson) - 1}.")
    which, kind, own = lesson[number]
    path = _pictures(at, made, seed)[which]

    def make() -> tuple[Bytes, flaws.Planted]:
        rgb = shrink(image.read(path), SIDE)
        return rgb, flaws.plant(rgb, kind, own)

    found: tuple[Bytes, flaws.Planted] = made.get((path, kind, own), make, lambda pair: 2 * pair[0].nbytes)
    return found
