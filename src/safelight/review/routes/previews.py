"""Photos before and after their edits, as they would be with other params, at 100 %, under a mask; and painting one.

A picture that had to be rendered is answered as an address, so that what belongs to it (histogram, size) comes along.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from safelight import params as json_params
from safelight import plugins
from safelight.domain import Edit, Input, Version, digest_of
from safelight.errors import MediaError, UsageError
from safelight.media import write
from safelight.media.frame import Bytes, scaling
from safelight.operators import Medium, Stage, Tools
from safelight.render import order
from safelight.review import histogram, masks
from safelight.review.given import TheSession
from safelight.review.models import Checked
from safelight.review.preview import Previews, Source, rounded, source_of
from safelight.review.session import Session
from safelight.review.shelf import Shelf
from safelight.state import Photo
from safelight.store.objects import ShootFolder

router = APIRouter(prefix="/api/shoots/{shoot}")
pictures = APIRouter(prefix="/shoots/{shoot}", responses={200: {"content": {"image/jpeg": {}}}})
QUALITY = 90
VIEWS, MASKS = 96_000_000, 96_000_000  # bytes of pictures that were made for somebody, and of masks not kept yet
SMALL = 720  # px: so large are the pictures that the first pass has made
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}

Pair = tuple[float, float]
Digest = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]


class Room:
    """What the app remembers of pictures: decoded ones, views that were asked for, masks that are being painted."""

    def __init__(self) -> None:
        self.previews = Previews()
        self.views = Shelf(VIEWS)
        self.masks = Shelf(MASKS)

    def tools(self, folder: ShootFolder) -> Tools:
        """Kept work of a shoot, and masks that nobody has kept yet."""
        return Tools(kept=_Kept(folder, self), weights={})


@dataclass(frozen=True, slots=True)
class _Kept:
    """Equal for one shoot and room, so that a decoded mask is found again."""

    folder: ShootFolder
    room: Room

    def __call__(self, digest: str) -> bytes:
        found = self.room.masks.found(digest)
        return self.folder.kept(digest) if found is None else bytes(found)


def room(request: Request) -> Room:
    """The room of this start."""
    found: Room = request.app.state.room
    return found


TheRoom = Annotated[Room, Depends(room)]


class Change(Checked):
    """An edit as it would be: an operator with all its params, or None to leave it out."""

    operator: str
    params: dict[str, Any] | None


class View(Checked):
    """What is asked for: the photo's edits, with one of them changed; fitted to `side` px, or with `at` the part
    around a pixel of the original at 100 %, `view` px wide and high."""

    change: Change | None = None
    only: list[str] | None = None  # the operators whose edits are shown; None: all that are proposed or approved
    before: bool = False  # without any edit, but a raw's camera look
    framed: bool = False  # with `before`: cut and turned as the result is, so that both lie on each other
    side: Annotated[int, Field(ge=64, le=8000)] = 1600
    at: Pair | None = None
    view: tuple[Annotated[int, Field(ge=16, le=4000)], Annotated[int, Field(ge=16, le=4000)]] = (1000, 700)
    overlay: Literal["none", "mask", "change", "clipping"] = "none"
    mask: Digest = ""  # the mask to show; empty: that of the changed edit


class Shown(BaseModel):
    """A view: where its picture is, its size and that of the whole, what of the whole it shows, and its tones."""

    image: str
    width: int
    height: int
    whole: tuple[int, int]
    box: tuple[int, int, int, int]
    histogram: dict[str, Any]
    milliseconds: float


@router.post("/photos/{photo}/view")
def view(at: TheSession, kept: TheRoom, photo: str, asked: View) -> Shown:
    """Renders a view of a photo."""
    began = time.perf_counter()
    found = at.photo(photo)
    source, edits = source_of(found, at.folder), edits_of(found, asked)
    rgb, box, whole = _rendered(kept, at.folder, source, edits, asked)
    told = histogram.of(rgb)
    rgb = _overlaid(kept, at.folder, source, edits, asked, rgb)
    data = write.jpeg(rgb, quality=QUALITY, subsampling="444" if asked.at else "420")
    key = digest_of([photo, asked.model_dump(mode="json"), [[e.operator, e.version, e.params] for e in edits]])[:40]
    kept.views.put((at.shoot.id, key), data, len(data))
    return Shown(
        image=f"/shoots/{at.shoot.id}/views/{key}.jpg", width=rgb.shape[1], height=rgb.shape[0], whole=whole, box=box,
        histogram=told, milliseconds=round(1000 * (time.perf_counter() - began), 1),
    )  # fmt: skip


@pictures.get("/views/{key}.jpg")
def made(at: TheSession, kept: TheRoom, key: str) -> Response:
    """A view that was rendered a moment ago."""
    data = kept.views.found((at.shoot.id, key))
    if data is None:
        raise MediaError("This view is not kept any more.", remedy="Ask for it again.")
    return Response(data, media_type="image/jpeg", headers=FOR_EVER)


@pictures.get("/photos/{photo}/before.jpg")
def before(at: TheSession, kept: TheRoom, photo: str, side: int = SMALL) -> Response:
    """A photo before its edits."""
    return _listed(at, kept, at.photo(photo), View(before=True, side=_within(side)))


@pictures.get("/photos/{photo}/after.jpg")
def after(at: TheSession, kept: TheRoom, photo: str, side: int = SMALL) -> Response:
    """A photo with the edits that are proposed or approved."""
    return _listed(at, kept, at.photo(photo), View(side=_within(side)))


# ---------------------------------------------------------------- painting


class Mark(Checked):
    """One mark of a person, in pixels of the upright original."""

    shape: masks.Shape
    points: Annotated[list[Pair], Field(min_length=1, max_length=masks.MOST_POINTS)]
    radius: Annotated[float, Field(ge=0.5, le=4000)] = 40.0
    hardness: Annotated[float, Field(ge=0, le=1)] = 0.5
    flow: Annotated[float, Field(ge=0.01, le=1)] = 1.0


class Painting(Checked):
    """Further marks on a mask; an empty digest is a mask of nothing."""

    mask: Digest = ""
    marks: Annotated[list[Mark], Field(min_length=1, max_length=200)]


class Painted(BaseModel):
    """The mask's digest, and which share of the picture it covers. It is kept for good once it is said so."""

    mask: str
    covers: float


@router.post("/photos/{photo}/masks")
def paint(at: TheSession, kept: TheRoom, photo: str, said: Painting) -> Painted:
    """Paints on a mask. What is painted is held in memory until it is kept."""
    found = at.photo(photo)
    width, height = found.asset.width or 1, found.asset.height or 1
    tools = kept.tools(at.folder)
    mask = masks.from_png(tools.kept(said.mask)) if said.mask else masks.blank(width, height)
    if mask.shape != (height, width):
        raise UsageError("This mask belongs to a picture of another size.", remedy="Begin a new one.")
    source = source_of(found, at.folder)
    for mark in said.marks:
        stroke = masks.Stroke(
            shape=mark.shape, points=tuple(mark.points), radius=mark.radius, hardness=mark.hardness, flow=mark.flow
        )
        picture = kept.previews.base(source, 1600) if mark.shape is masks.Shape.POINT else None
        mask = masks.painted(mask, stroke, picture=picture)
    data = masks.png(mask)
    digest = masks.digest(data)
    kept.masks.put(digest, data, len(data))
    return Painted(mask=digest, covers=round(float(mask.mean()) / 255, 4))


@router.post("/masks/{digest}")
def keep(at: TheSession, kept: TheRoom, digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]) -> Painted:
    """Keeps a painted mask for good, so that a verdict may name it."""
    data = kept.tools(at.folder).kept(digest)
    return Painted(mask=at.folder.keep(data), covers=round(float(masks.from_png(data).mean()) / 255, 4))


# ---------------------------------------------------------------- how a view is made


def edits_of(photo: Photo, asked: View) -> tuple[Edit, ...]:
    """The edits that a view shows, in order. Raises UsageError for params that the operator does not take."""
    edits = {edit.operator: edit for edit in photo.edits(proposed=True)}
    if asked.only is not None:
        edits = {name: edit for name, edit in edits.items() if name in asked.only}
    if asked.change is not None:
        operator = plugins.operator(asked.change.operator)
        if operator.medium is not Medium.FRAME:
            raise UsageError(f"{operator.name} changes no picture.", remedy="Choose an edit of the photo.")
        edits.pop(operator.name, None)
        if asked.change.params is not None:
            values = json_params.to_json(json_params.from_json(operator.params, asked.change.params))
            edits[operator.name] = Edit(operator=operator.name, version=operator.version, params=values)
    return order(list(edits.values()))


def _before(edits: Sequence[Edit], source: Source, *, framed: bool) -> tuple[Edit, ...]:
    """What of the edits belongs to the picture before them: a raw's camera look, and the framing where it is asked."""
    wanted = {Stage.BASE} if source.is_raw else set()
    return tuple(e for e in edits if _stage(e) in (wanted | {Stage.FRAMING} if framed else wanted))


def _rendered(
    kept: Room, folder: ShootFolder, source: Source, edits: Sequence[Edit], asked: View
) -> tuple[Bytes, tuple[int, int, int, int], tuple[int, int]]:
    tools = kept.tools(folder)
    shown = _before(edits, source, framed=asked.framed) if asked.before else tuple(edits)
    if asked.at is not None:
        found = kept.previews.region(source, shown, tools, at=asked.at, view=asked.view)
        return found.pixels, found.box, found.size
    changed = asked.change.operator if asked.change else None
    rgb = kept.previews.fitted(source, shown, tools, side=rounded(asked.side), changed=changed)
    whole = kept.previews.size(source, shown)
    return rgb, (0, 0, *whole), whole


def _overlaid(kept: Room, folder: ShootFolder, source: Source, edits: Sequence[Edit], asked: View, rgb: Bytes) -> Bytes:
    """The view with what was asked to be shown on it."""
    if asked.overlay == "clipping":
        return histogram.marked(rgb)
    if asked.overlay == "change":
        bare = asked.model_copy(update={"before": True, "framed": True})
        other, _, _ = _rendered(kept, folder, source, edits, bare)
        return masks.shown(rgb, masks.changed(other, rgb)) if other.shape == rgb.shape else rgb
    digest = asked.mask or next((str(e.params["mask"]) for e in edits if e.params.get("mask")), "")
    if asked.overlay == "none" or not digest or asked.at is not None:
        return rgb
    mask = masks.from_png(kept.tools(folder).kept(digest))
    size = rgb.shape[1], rgb.shape[0]
    framing = [] if asked.before else [e for e in edits if _stage(e) is Stage.FRAMING]
    if framing:  # through the same lens, straightening and crop as the picture
        there = kept.previews.framed(mask, framing)
        return masks.shown(rgb, masks.placed(there, scaling(size[0] / there.shape[1], size[1] / there.shape[0]), size))
    return masks.shown(rgb, masks.placed(mask, scaling(size[0] / mask.shape[1], size[1] / mask.shape[0]), size))


def _listed(at: Session, kept: Room, photo: Photo, asked: View) -> Response:
    """A small picture of a list: the one that the first pass has made where it is there, else a new one."""
    if asked.side <= SMALL:
        version = Version(inputs=(Input(id=photo.id),), edits=photo.edits(proposed=True))
        place = at.folder.cached(version.id).with_suffix(".before.jpg" if asked.before else ".after.jpg")
        if place.is_file():
            return FileResponse(place, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})
    source, edits = source_of(photo, at.folder), edits_of(photo, asked)

    def make() -> bytes:
        rgb, _, _ = _rendered(kept, at.folder, source, edits, asked)
        return write.jpeg(rgb, quality=QUALITY, subsampling="420")

    key = digest_of([photo.id, asked.model_dump(mode="json"), [[e.operator, e.version, e.params] for e in edits]])
    data = kept.views.get(key, make, len)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


def _stage(edit: Edit) -> Stage:
    return plugins.operator(edit.operator).stage


def _within(side: int) -> int:
    return min(max(side, 64), 8000)


__all__ = ["Change", "Room", "TheRoom", "View", "edits_of", "pictures", "router"]
