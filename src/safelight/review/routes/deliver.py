"""The page Deliver: the checklist, signing off by name, and the delivery itself, which goes on in the background."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from safelight import deliver
from safelight.deliver import Order, names, presets
from safelight.errors import SafelightError, UsageError
from safelight.line import Progress
from safelight.review import checklist
from safelight.review.entries import printable
from safelight.review.given import TheSession, page
from safelight.review.models import Checked
from safelight.review.session import Session

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
    draft: bool = False
    sidecars: bool = False
    sign_off: Annotated[str, Field(max_length=200)] = ""


@router.get("/shoots/{shoot}/deliver", include_in_schema=False)
def deliver_page(request: Request, at: TheSession) -> HTMLResponse:
    """The page."""
    return page(
        request, "deliver.html", shoot=at, title=printable(at.shoot.name), presets=presets.known(),
        tokens=names.TOKENS, default=names.DEFAULT, to=printable(str(_proposed(at))),
    )  # fmt: skip


@router.post("/api/shoots/{shoot}/checklist")
def check(at: TheSession, said: Ordered) -> dict[str, Any]:
    """What stands in the way of a delivery, and what it would write. Reads, and changes nothing."""
    return checklist.of(at, _order(said))


@router.post("/api/shoots/{shoot}/deliveries", status_code=202)
def begin(at: TheSession, given: TheDeliveries, said: Ordered) -> dict[str, Any]:
    """Begins a delivery. Refused where something is missing, and the refusal says what. A final delivery needs the
    name of who signs it off."""
    order = _order(said)
    if not order.draft and not order.sign_off:
        raise UsageError("A final delivery is signed off by name.", remedy="Write your name, or hand over a draft.")
    if not order.to.is_absolute():
        raise UsageError(f"{said.to!r} is not a whole path.", remedy="Name the folder from the root on.")
    deliver.refuse(at.fresh(), order)
    with given.lock:
        before = given.by_shoot.get(at.shoot.id)
        if before is not None and before.running:
            raise UsageError("A delivery of this shoot is being written.", remedy="Wait until it is done.")
        job = given.by_shoot[at.shoot.id] = Delivering(to=printable(str(order.to)))
    threading.Thread(target=_write, args=(at, order, job), name="deliver", daemon=True).start()
    return told(job)


@router.get("/api/shoots/{shoot}/deliveries")
def progress(at: TheSession, given: TheDeliveries) -> dict[str, Any] | None:
    """How far the newest delivery of this start is; nothing where there is none."""
    job = given.by_shoot.get(at.shoot.id)
    return None if job is None else told(job)


def told(job: Delivering) -> dict[str, Any]:
    """A delivery as the page shows it."""
    return {
        "done": job.done, "total": job.total, "running": job.running, "text": job.text, "trouble": job.trouble,
        "to": job.to,
    }  # fmt: skip


def _write(at: Session, order: Order, job: Delivering) -> None:
    try:
        made = deliver.deliver(at.library, at.folder, at.fresh(), order, tell=job.tell)
        job.text = deliver.words(made, order.to)
    except SafelightError as error:
        job.trouble = {"cause": error.cause, "remedy": error.remedy}
    except OSError as error:
        job.trouble = {"cause": f"{order.to} cannot be written ({error.strerror}).", "remedy": "Name another folder."}
    finally:
        job.running = False


def _order(said: Ordered) -> Order:
    return Order(
        to=Path(said.to).expanduser(), preset=said.preset, names=said.names or None, sidecars=said.sidecars,
        draft=said.draft, sign_off=said.sign_off.strip() or None,
    )  # fmt: skip


def _proposed(at: Session) -> Path:
    """A folder beside the shoot's that is not there yet."""
    root = at.folder.root
    for number in range(1, 1000):
        place = root.with_name(f"{root.name} delivery" + (f" {number}" if number > 1 else ""))
        if not place.exists():
            return place
    return root.with_name(f"{root.name} delivery")
