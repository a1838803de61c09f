"""The page on which a clip's cuts are judged: what is played, and its waveform."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from pydantic import BaseModel

from safelight.domain import Kind
from safelight.errors import UsageError
from safelight.review import clips
from safelight.review.entries import printable
from safelight.review.given import TheSession, page
from safelight.review.models import PhotoId
from safelight.review.peaks import Measured
from safelight.review.playing import Playing
from safelight.review.routes.photos import FOR_EVER, PLAYED
from safelight.review.session import Session
from safelight.state import Footage
from safelight.verdicts import REASONS

router = APIRouter()
WIDEST = 8192  # columns of one answer


def playing(request: Request) -> Playing:
    """What is being made."""
    found: Playing = request.app.state.playing
    return found


ThePlaying = Annotated[Playing, Depends(playing)]


class Played(BaseModel):
    """How a clip is played. `state`: `ready` at `address`; of what browsers do not play, `strange` until a copy is
    asked for, `making` while it is made, or `failed`; `gone`, the original. `copied`: what is played is the small copy.
    `making`: one is on its way, done for `until_s` seconds. `why` also says why none could be made."""

    state: Literal["ready", "strange", "making", "failed", "gone"]
    kind: Literal["video", "audio"]
    address: str | None
    copied: bool
    why: str
    making: bool = False
    until_s: float = 0
    width: int | None
    height: int | None


class Waveform(BaseModel):
    """Lowest and highest sample (32767 is full scale) of stretches of equal length from `start` to `end`, seconds.
    Beyond `known_s` it has not been measured yet. `cannot_tell`: why there is none."""

    start: float
    end: float
    low: list[int]
    high: list[int]
    known_s: float
    whole: bool
    cannot_tell: str


@router.get("/shoots/{shoot}/cut", include_in_schema=False)
def every(request: Request, at: TheSession) -> HTMLResponse:
    """The page: clips and what waits in each."""
    return page(request, "cuts.html", shoot=at, title=printable(at.shoot.name))


@router.get("/shoots/{shoot}/cut/{clip}", include_in_schema=False)
def one(request: Request, at: TheSession, clip: PhotoId) -> HTMLResponse:
    """The page of one clip."""
    found = at.known_clip(clip)
    return page(request, "cut.html", shoot=at, title=printable(found.path), clip=clip, reasons=REASONS)


@router.get("/shoots/{shoot}/clips/{clip}/copy.mp4", responses=PLAYED)
def copy(at: TheSession, given: ThePlaying, clip: PhotoId) -> Response:
    """The small copy of a clip, parts of it with `Range`; 404 where none has been made."""
    found = at.clip(clip)
    made = given.copy(found) if found is not None else None
    place = made.place if made is not None else None
    if place is None:
        body = {"code": "media", "cause": "There is no copy of this clip.", "remedy": "Open its page anew."}
        return JSONResponse(body, status_code=404)
    kind = "video" if found is not None and found.asset.kind is Kind.VIDEO else "audio"
    return FileResponse(place, media_type=f"{kind}/mp4", headers=FOR_EVER)


@router.get("/api/shoots/{shoot}/clips/{clip}/player")
def player(at: TheSession, given: ThePlaying, clip: PhotoId) -> Played:
    """How a clip is played: its original where browsers play it, else a copy once there is one."""
    return _played(at, given, at.known_clip(clip))


@router.post("/api/shoots/{shoot}/clips/{clip}/copy")
def make_copy(at: TheSession, given: ThePlaying, clip: PhotoId) -> Played:
    """Makes a small copy that every browser plays and that is quick to step through; it goes on in the background."""
    found = at.known_clip(clip)
    original = clips.original(at.folder.root, found)
    if original is not None:
        given.make_copy(at, found, original)
    return _played(at, given, found)


@router.get("/api/shoots/{shoot}/clips/{clip}/waveform")
def waveform(
    at: TheSession, given: ThePlaying, clip: PhotoId, start: Annotated[float, Query(ge=0, le=1e6)],
    end: Annotated[float, Query(gt=0, le=1e6)], columns: Annotated[int, Query(ge=1, le=WIDEST)],
) -> Waveform:  # fmt: skip
    """The waveform of a range at a resolution; it is measured in the background at the first question."""
    if not start < end:
        raise UsageError(f"From {start:g} to {end:g} s there is nothing.", remedy="A range runs forwards.")
    chosen = at.known_clip(clip)
    original = clips.original(at.folder.root, chosen)
    found = Measured(cannot_tell=clips.gone(chosen)) if original is None else given.peaks(at, chosen, original)
    low, high = found.between(start, end, columns).T.tolist()
    return Waveform(
        start=start, end=end, low=low, high=high, known_s=round(found.known_s, 3), whole=found.whole,
        cannot_tell=found.cannot_tell,
    )  # fmt: skip


# ---------------------------------------------------------------- how it is done


def _played(at: Session, given: Playing, clip: Footage) -> Played:
    made = given.copy(clip)
    making = made is not None and not made.making.done()
    told: dict[str, Any] = {
        "address": None, "copied": False, "making": making, "until_s": round(made.until_s, 2) if made and making else 0,
        "why": made.failed if made is not None else "",
    }  # fmt: skip
    if made is not None and made.place is not None:
        told |= {"state": "ready", "address": f"/shoots/{at.shoot.id}/clips/{clip.id}/copy.mp4", "copied": True}
    elif clips.original(at.folder.root, clip) is None:
        told |= {"state": "gone", "why": clips.gone(clip)}
    elif not (why := clips.unplayable(clip)):
        told |= {"state": "ready", "address": f"/shoots/{at.shoot.id}/photos/{clip.id}/play"}
    elif making:
        told |= {"state": "making", "why": "A small copy is being made that can be played here."}
    else:
        told |= {"state": "failed" if told["why"] else "strange", "why": told["why"] or why}
    asset = clip.asset
    return Played(kind="video" if asset.kind is Kind.VIDEO else "audio", width=asset.width, height=asset.height, **told)
