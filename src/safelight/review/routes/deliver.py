"""The page Deliver: the checklist, signing off by name, and the delivery itself, which goes on in the background."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from pydantic import Field

from safelight import channels, deliver, films
from safelight.deliver import Order, checked, gate, names, presets
from safelight.deliver.accept import Word, accept
from safelight.deliver.clips import FORMS
from safelight.domain import Input, Say, Version
from safelight.errors import MediaError, SafelightError, UsageError
from safelight.line import Progress
from safelight.review import checklist
from safelight.review.entries import printable
from safelight.review.given import TheSession, Who, page
from safelight.review.models import Checked, Photos
from safelight.review.routes.verdicts import judged
from safelight.review.session import Session
from safelight.state import Footage
from safelight.words import many

router = APIRouter()


@dataclass(slots=True, kw_only=True)
class Delivering:
    """One delivery at a time for each shoot: how far it is, what came of it, what went wrong."""

    done: int = 0
    total: int = 0
    running: bool = True
    text: str = ""
    trouble: dict[str, str] | None = None
    to: str = ""
    held: tuple[gate.Missing, ...] = ()  # what keeps it back, file by file

    def tell(self, progress: Progress) -> None:
        """Takes a step of the line."""
        self.done, self.total = progress.done, progress.total


@dataclass(slots=True)
class Deliveries:
    """The newest delivery of each shoot of this start."""

    by_shoot: dict[str, Delivering] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.Lock)


def deliveries(request: Request) -> Deliveries:
    """The deliveries of this start."""
    found: Deliveries = request.app.state.deliveries
    return found


TheDeliveries = Annotated[Deliveries, Depends(deliveries)]


class Ordered(Checked):
    """What is to be delivered, how and where. A final delivery is signed off by name."""

    to: Annotated[str, Field(max_length=4000)]
    preset: Annotated[str, Field(max_length=200)] = "jpeg"
    names: Annotated[str, Field(max_length=500)] = ""
    channels: Annotated[tuple[str, ...], Field(max_length=50)] = ()  # names, or TOML files
    client: Annotated[str, Field(max_length=4000)] = ""  # a client's TOML file; empty: client.toml of the shoot
    draft: bool = False
    sidecars: bool = False
    sign_off: Annotated[str, Field(max_length=200)] = ""
    clips: bool = True  # whether the cuts of clips are a part of it
    timelines: Literal["otio", "fcpxml", "xml", "edl", "mlt"] = "otio"
    films: Annotated[str, Field(max_length=4000)] = (
        ""  # the place that each cut is rendered for; empty: timelines alone
    )


@router.get("/shoots/{shoot}/deliver", include_in_schema=False)
def deliver_page(request: Request, at: TheSession) -> HTMLResponse:
    """The page."""
    return page(
        request, "deliver.html", shoot=at, title=printable(at.shoot.name), presets=presets.known(),
        tokens=names.TOKENS, default=names.DEFAULT, to=printable(str(_proposed(at))), channels=channels.known(),
        client=(at.folder.root / deliver.CLIENT_FILE).is_file(), clips=len(at.clips), forms=FORMS,
        places=[films.find(name) for name in films.known()],
    )  # fmt: skip


@router.post("/api/shoots/{shoot}/checklist")
def check(at: TheSession, me: Who, said: Ordered) -> dict[str, Any]:
    """What stands in the way of a delivery, and what it would write. Reads, and changes nothing."""
    return checklist.of(at, _order(said), me.name)


@router.post("/api/shoots/{shoot}/deliveries", status_code=202)
def begin(at: TheSession, given: TheDeliveries, me: Who, said: Ordered) -> dict[str, Any]:
    """Begins a delivery. Refused where something is missing, and the refusal says what. A final delivery needs the
    name of who signs it off: nobody signs for somebody else."""
    order = _order(said)
    if unsigned := checklist.unsigned(order, me.name):
        raise UsageError(unsigned["cause"], remedy=unsigned["remedy"])
    if not order.to.is_absolute():
        raise UsageError(f"{said.to!r} is not a whole path.", remedy="Name the folder from the root on.")
    deliver.rules_of(order, at.folder)  # before anything begins: a channel or client that there is not
    deliver.refuse(at.fresh(), order)
    with given.lock:
        before = given.by_shoot.get(at.shoot.id)
        if before is not None and before.running:
            raise UsageError("A delivery of this shoot is being written.", remedy="Wait until it is done.")
        job = given.by_shoot[at.shoot.id] = Delivering(to=printable(str(order.to)))
    threading.Thread(target=_write, args=(at, order, job), name="deliver", daemon=True).start()
    return told(job, at)


@router.get("/api/shoots/{shoot}/deliveries")
def progress(at: TheSession, given: TheDeliveries) -> dict[str, Any] | None:
    """How far the newest delivery of this start is; nothing where there is none."""
    job = given.by_shoot.get(at.shoot.id)
    return None if job is None else told(job, at)


class Accepted(Checked):
    """A finding of the gate that a person takes on their name, or says to be a fault (`fault`). Of several photos it is
    one decision, recorded as bundled and undone at once."""

    photos: Photos | None = None  # or clips; None: a rule about the whole set
    finding: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(min_length=1, max_length=80)]
    note: Annotated[str, Field(max_length=10_000)] = ""
    fault: bool = False


@router.post("/api/shoots/{shoot}/findings")
def take(at: TheSession, me: Who, said: Accepted) -> dict[str, Any]:
    """Answers a finding of the gate about photos as they are now: a verdict with its reason, told in the manifest."""
    word = Word(by=me.name, reason=said.reason, note=said.note, say=Say.APPROVE if said.fault else Say.REJECT)
    with at.deciding() as state:
        photos = judged(state, said.photos or [])
        made = accept(at.library, state, photos, [said.finding], word)
    return {"written": len(made), "by": me.name}


@router.get("/shoots/{shoot}/findings/{number}.jpg", responses={200: {"content": {"image/jpeg": {}}}})
def mask(at: TheSession, given: TheDeliveries, number: int) -> Response:
    """Where a finding of the newest refusal lies, as a picture."""
    job = given.by_shoot.get(at.shoot.id)
    picture = job.held[number].picture if job is not None and 0 <= number < len(job.held) else None
    if picture is None or not Path(picture).is_file():
        raise MediaError("There is no picture of this finding.")
    return FileResponse(picture, headers={"Cache-Control": "no-store"})


def told(job: Delivering, at: Session) -> dict[str, Any]:
    """A delivery as the page shows it; what holds it back without what was answered since."""
    return {
        "done": job.done, "total": job.total, "running": job.running, "text": job.text, "trouble": job.trouble,
        "to": job.to, "held": [_held(at, i, m) for i, m in enumerate(job.held)],
    }  # fmt: skip


def _held(at: Session, number: int, m: gate.Missing) -> dict[str, Any]:
    photo = at.state.by_path.get(m.path) or at.state.clips.get(m.path)
    standing = photo.standing if photo else checked.of_shoot(at.state)
    version = Version(inputs=(Input(id=photo.id),), edits=photo.edits()).id if photo else at.shoot.id
    word = gate.taken(standing, version, m)
    here = m.picture is not None and Path(m.picture).is_file()
    return {
        "photo": photo.id if photo else None, "clip": isinstance(photo, Footage), "path": printable(m.path),
        "finding": m.name,
        "title": m.name.replace("_", " ").replace(".", ": "), "outcome": m.outcome.value, "text": printable(m.text),
        "remedy": m.remedy, "picture": f"/shoots/{at.shoot.id}/findings/{number}.jpg" if here else None,
        "taken_by": word.by if word else None, "reason": word.reason if word else None,
    }  # fmt: skip


def _write(at: Session, order: Order, job: Delivering) -> None:
    try:
        made = deliver.deliver(at.library, at.folder, at.fresh(), order, tell=job.tell)
        job.text = deliver.words(made, order.to)
    except gate.Held as error:
        count = len({m.path for m in error.waiting})
        job.held = error.waiting
        job.trouble = {
            "cause": f"Nothing was written: {many(count, 'file does', 'files do')} not pass. Each is listed with what "
            "was found.", "remedy": "Take a finding on your name with a reason, or reject the edit; then sign again.",
        }  # fmt: skip
    except SafelightError as error:
        job.trouble = {"cause": error.cause, "remedy": error.remedy}
    except OSError as error:
        job.trouble = {"cause": f"{order.to} cannot be written ({error.strerror}).", "remedy": "Name another folder."}
    finally:
        job.running = False


def _order(said: Ordered) -> Order:
    return Order(
        to=Path(said.to).expanduser(), preset=said.preset, names=said.names or None, sidecars=said.sidecars,
        draft=said.draft, sign_off=said.sign_off.strip() or None, channels=said.channels,
        client=Path(said.client).expanduser() if said.client.strip() else None, clips=said.clips,
        timelines=said.timelines, films=said.films.strip() or None,
    )  # fmt: skip


def _proposed(at: Session) -> Path:
    """A folder beside the shoot's that is not there yet."""
    root = at.folder.root
    for number in range(1, 1000):
        place = root.with_name(f"{root.name} delivery" + (f" {number}" if number > 1 else ""))
        if not place.exists():
            return place
    return root.with_name(f"{root.name} delivery")
