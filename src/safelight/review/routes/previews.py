"""Photos before and after their edits, as they would be with other params, at 100 %, under a mask; and painting one.

A picture that had to be rendered is answered as an address, so that what belongs to it (histogram, size) comes along.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from safelight.operators import Medium, Stage, Tools, always
from safelight.render import order
from safelight.review import histogram, masks, preview
from safelight.review.given import TheSession
from safelight.review.leaving import while_there
from safelight.review.models import Checked
from safelight.review.originals import Window
from safelight.review.preview import Previews, Source, source_of
from safelight.review.session import Session
from safelight.review.shelf import Shelf
from safelight.state import Photo
from safelight.store.objects import ShootFolder

router = APIRouter(prefix="/api/shoots/{shoot}")
pictures = APIRouter(prefix="/shoots/{shoot}", responses={200: {"content": {"image/jpeg": {}}}})
QUALITY = 90
VIEWS, MASKS = 96_000_000, 96_000_000  # bytes of pictures that were made for somebody, and of masks not kept yet
PROXY = 1600  # px
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

    def tools(self, folder: ShootFolder, go_on: Callable[[], None] = always) -> Tools:
        """Kept work of a shoot, and masks that nobody has kept yet."""
        return Tools(kept=_Kept(folder, self), weights={}, go_on=go_on)


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
    draft: bool = False  # while a slider moves: operators that take long show nearly the same, sooner
    overlay: Literal["none", "mask", "change", "clipping"] = "none"
    mask: Digest = ""  # the mask to show; empty: that of the changed edit


class Shown(BaseModel):
    """A view: where its picture is, its size and that of the whole, what of the whole it shows, and its tones; `draft`
    where some operator shows only nearly what it does."""

    image: str
    width: int
    height: int
    whole: tuple[int, int]
    box: tuple[int, int, int, int]
    histogram: dict[str, Any]
    draft: bool
    milliseconds: float


@router.post("/photos/{photo}/view", response_model=Shown)
async def view(request: Request, at: TheSession, kept: TheRoom, photo: str, asked: View) -> Any:
    """Renders a view of a photo, unless who asks for it leaves before it is done."""
    return await while_there(request, lambda go_on: rendered(at, kept, at.photo(photo), asked, go_on=go_on))


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
    return painted(at, kept, at.photo(photo), said)


@router.post("/masks/{digest}")
def keep(at: TheSession, kept: TheRoom, digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]) -> Painted:
    """Keeps a painted mask for good, so that a verdict may name it."""
    data = kept.tools(at.folder).kept(digest)
    return Painted(mask=at.folder.keep(data), covers=round(float(masks.from_png(data).mean()) / 255, 4))


# ---------------------------------------------------------------- how a view is made


def rendered(
    at: Session,
    kept: Room,
    photo: Photo,
    asked: View,
    *,
    shown: Sequence[Edit] | None = None,
    spoilt: str | None = None,
    go_on: Callable[[], None] = always,
) -> Shown:
    """A view of a photo. `shown` are its edits where they are not its own; `spoilt` is one of their operators, whose
    edit is spoilt on purpose; `go_on` as in `Tools`."""
    began = time.perf_counter()
    source = source_of(photo, at.folder)
    whole_edits = edits_of(photo, asked, shown)
    edits = drafted(whole_edits, asked.change.operator) if asked.draft and asked.change else whole_edits
    draft = asked.draft and any(plugins.operator(edit.operator).draft is not None for edit in whole_edits)
    tools = kept.tools(at.folder, go_on)
    view_ = _Viewed(kept=kept, tools=tools, source=source, edits=edits, asked=asked, spoilt=spoilt)
    rgb, box, whole = view_.pixels()
    told = histogram.of(rgb)
    rgb = view_.overlaid(rgb, box)
    data = write.jpeg(rgb, quality=QUALITY, subsampling="444" if asked.at else "420")
    key = digest_of([photo.id, asked.model_dump(mode="json"), _plain(edits), spoilt])[:40]
    kept.views.put((at.shoot.id, key), data, len(data))
    return Shown(
        image=f"/shoots/{at.shoot.id}/views/{key}.jpg", width=rgb.shape[1], height=rgb.shape[0], whole=whole, box=box,
        histogram=told, draft=draft, milliseconds=round(1000 * (time.perf_counter() - began), 1),
    )  # fmt: skip


def painted(at: Session, kept: Room, photo: Photo, said: Painting) -> Painted:
    """A mask with further marks, held in memory until it is kept."""
    width, height = photo.asset.width or 1, photo.asset.height or 1
    tools = kept.tools(at.folder)
    mask = masks.from_png(tools.kept(said.mask)) if said.mask else masks.blank(width, height)
    if mask.shape != (height, width):
        raise UsageError("This mask belongs to a picture of another size.", remedy="Begin a new one.")
    source = source_of(photo, at.folder)
    for mark in said.marks:
        stroke = masks.Stroke(
            shape=mark.shape, points=tuple(mark.points), radius=mark.radius, hardness=mark.hardness, flow=mark.flow
        )
        picture = kept.previews.base(source, PROXY) if mark.shape is masks.Shape.POINT else None
        mask = masks.painted(mask, stroke, picture=picture)
    data = masks.png(mask)
    digest = masks.digest(data)
    kept.masks.put(digest, data, len(data))
    return Painted(mask=digest, covers=round(float(mask.mean()) / 255, 4))


def edits_of(photo: Photo, asked: View, shown: Sequence[Edit] | None = None) -> tuple[Edit, ...]:
    """The edits that a view shows, in order: the photo's, or those given, with what is to be changed. Raises
    UsageError for params that the operator does not take."""
    edits = {edit.operator: edit for edit in (photo.edits(proposed=True) if shown is None else shown)}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Viewed:
    """A view that is being made."""

    kept: Room
    tools: Tools
    source: Source
    edits: tuple[Edit, ...]
    asked: View
    spoilt: str | None = None

    def pixels(self) -> tuple[Bytes, Window, tuple[int, int]]:
        """The view, which part of the whole it shows, and how large the whole is."""
        asked, previews, tools = self.asked, self.kept.previews, self.tools
        shown = self._before() if asked.before else self.edits
        if self.spoilt is not None and not (asked.before and _is_picture(self.spoilt)):
            return self._ruined()
        changed = asked.change.operator if asked.change else None
        if asked.at is not None:
            found = previews.region(
                self.source, shown, tools, at=asked.at, view=asked.view, changed=changed, hurry=asked.draft
            )
            return found.pixels, found.box, found.size
        rgb = previews.fitted(self.source, shown, tools, side=preview.rounded(asked.side), changed=changed)
        whole = previews.size(self.source, shown)
        return rgb, (0, 0, *whole), whole

    def overlaid(self, rgb: Bytes, box: Window) -> Bytes:
        """The view, which is this part of the whole, with what was asked to be shown on it."""
        if self.asked.overlay == "clipping":
            return histogram.marked(rgb)
        if self.asked.overlay == "change":
            bare = self.asked.model_copy(update={"before": True, "framed": True})
            other, _, _ = replace(self, asked=bare).pixels()
            return masks.shown(rgb, masks.changed(other, rgb)) if other.shape == rgb.shape else rgb
        digest = self.asked.mask or next((str(e.params["mask"]) for e in self.edits if e.params.get("mask")), "")
        if self.asked.overlay == "none" or not digest:
            return rgb
        mask = masks.from_png(self.tools.kept(digest))
        framing = (
            [] if self.asked.before and not self.asked.framed else [e for e in self.edits if _stage(e) is Stage.FRAMING]
        )
        part = box if self.asked.at is not None else None
        if part and mask.shape != (height := self.source.height, width := self.source.width):
            mask = masks.placed(mask, scaling(width / mask.shape[1], height / mask.shape[0]), (width, height))
        if framing or part:  # through the same lens, straightening and crop as the picture
            mask = self.kept.previews.framed(mask, framing, part)
        size = rgb.shape[1], rgb.shape[0]
        return masks.shown(rgb, masks.placed(mask, scaling(size[0] / mask.shape[1], size[1] / mask.shape[0]), size))

    def _before(self) -> tuple[Edit, ...]:
        """What of the edits belongs to the picture before them: a raw's camera look, the framing where it is asked."""
        wanted = {Stage.BASE} if self.source.is_raw else set()
        wanted |= {Stage.FRAMING} if self.asked.framed else set()
        return tuple(edit for edit in self.edits if _stage(edit) in wanted)

    def _ruined(self) -> tuple[Bytes, Window, tuple[int, int]]:
        """The same of a picture that is spoilt: all of it is rendered, and cut at 100 %."""
        assert self.spoilt is not None
        asked, whole = self.asked, (self.source.width, self.source.height)
        side = max(whole) if asked.at is not None else preview.rounded(asked.side)
        rgb = self.kept.previews.ruined(self.source, self.edits, self.tools, task=self.spoilt, side=side)
        if asked.at is None:
            return rgb, (0, 0, *whole), whole
        size = rgb.shape[1], rgb.shape[0]
        return *preview.cut_around(rgb, asked.at, asked.view), size


def _listed(at: Session, kept: Room, photo: Photo, asked: View) -> Response:
    """A small picture of a list: the one that the first pass has made where it is there, else a new one."""
    if asked.side <= SMALL:
        version = Version(inputs=(Input(id=photo.id),), edits=photo.edits(proposed=True))
        place = at.folder.cached(version.id).with_suffix(".before.jpg" if asked.before else ".after.jpg")
        if place.is_file():
            return FileResponse(place, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})
    source, edits = source_of(photo, at.folder), edits_of(photo, asked)

    def make() -> bytes:
        viewed = _Viewed(kept=kept, tools=kept.tools(at.folder), source=source, edits=edits, asked=asked)
        return write.jpeg(viewed.pixels()[0], quality=QUALITY, subsampling="420")

    key = digest_of([photo.id, asked.model_dump(mode="json"), _plain(edits)])
    data = kept.views.get(key, make, len)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


def drafted(edits: Sequence[Edit], changed: str) -> tuple[Edit, ...]:
    """The edits, from the changed one on as drafts; what lies below it is rendered once, as it will be delivered,
    when the slider rests."""
    here = next((i for i, edit in enumerate(edits) if edit.operator == changed), len(edits))
    return (*edits[:here], *(_draft_of(edit) for edit in edits[here:]))


def _draft_of(edit: Edit) -> Edit:
    """The edit with params whose render looks the same sooner, where its operator has such."""
    operator = plugins.operator(edit.operator)
    if operator.draft is None:
        return edit
    params = json_params.from_json(operator.params, edit.params)
    return replace(edit, params=json_params.to_json(operator.draft(params)))


def _plain(edits: Sequence[Edit]) -> list[list[Any]]:
    return [[edit.operator, edit.version, edit.params] for edit in edits]


def _is_picture(operator: str) -> bool:
    """Whether the operator changes pixels, so that there is an honest picture before it."""
    return plugins.operator(operator).medium is Medium.FRAME


def _stage(edit: Edit) -> Stage:
    return plugins.operator(edit.operator).stage


def _within(side: int) -> int:
    return min(max(side, 64), 8000)


__all__ = ["Change", "Room", "TheRoom", "View", "drafted", "painted", "pictures", "rendered", "router"]
