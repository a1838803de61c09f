"""Pictures as the browser gets them: thumbnails, proxies, faces, the whole; clips and sounds as their pictures and
to be played. Their names are the ids of photos and assets, digests of what is in them: a browser may keep them for
ever."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from PIL import ExifTags, Image

from safelight import footage, plugins, render, work
from safelight.errors import MediaError, SafelightError
from safelight.files import write_atomic
from safelight.media import image, raw
from safelight.media.frame import Bytes
from safelight.media.picture import Picture, shrink
from safelight.operators import Stage, Tools
from safelight.review import clips
from safelight.review.entries import printable
from safelight.review.given import TheSession
from safelight.review.routes.previews import TheRoom
from safelight.review.session import Session
from safelight.state import Footage, Photo

router = APIRouter(prefix="/shoots/{shoot}/photos/{photo}", responses={200: {"content": {"image/jpeg": {}}}})
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
PLAYED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"video/*": {}, "audio/*": {}}}, 206: {"description": "The part that was asked for"},
    404: {"description": "Not a clip or sound of this shoot, or its file is gone"},
    415: {"description": "Browsers do not play it"}, 416: {"description": "There is no such part"},
}  # fmt: skip
FACE_SIDE = 160  # px of a face in the strip
FACE_ROOM = 0.45  # of its size that is shown around a face
FULL_QUALITY = 92
LARGE = 0.9  # of a raw's side: a preview from there on shows what the raw holds


@router.get("/thumb.jpg")
def thumb(request: Request, at: TheSession, photo: str) -> Response:
    """Long side 360 px, upright, sRGB."""
    return _sent(request, _shown(at, photo, ".thumb.jpg"), photo)


@router.get("/proxy.jpg")
def proxy(request: Request, at: TheSession, photo: str) -> Response:
    """Long side 1600 px, upright, sRGB."""
    return _sent(request, _shown(at, photo, ".jpg"), photo)


@router.get("/full.jpg")
def full(request: Request, at: TheSession, given: TheRoom, photo: str) -> Response:
    """Every pixel: a JPEG original as it is, which browsers show upright and in its colours; anything else decoded, a
    raw without a large preview developed. Of a clip or a sound, its largest picture."""
    if at.clip(photo):
        return _sent(request, _shown(at, photo, ".jpg"), photo)
    found = at.photo(photo)
    original = at.folder.root / found.path
    if found.asset.format == "jpeg" and original.is_file() and _for_browsers(original):
        return _sent(request, original, photo)
    place = at.folder.cached(photo).with_suffix(".full.jpg")
    if not place.is_file():
        rgb = _decoded(original, lambda: _whole(found, original, given.tools(at.folder)))
        write_atomic(place, simplejpeg.encode_jpeg(rgb, quality=FULL_QUALITY, colorspace="RGB", colorsubsampling="444"))
    return _sent(request, place, photo)


@router.get("/play", responses=PLAYED)
def play(at: TheSession, photo: str) -> Response:
    """The original of a clip or a sound, byte by byte as it lies there, where browsers play its kind; parts of it are
    asked for with `Range`."""
    clip = at.clip(photo)
    if clip is None:
        return _no(404, "There is no such clip or sound in this shoot.", "Open the shoot's page anew.")
    if why := clips.unplayable(clip):
        return _no(415, why, "Open the original in a player.")
    original = clips.original(at.folder.root, clip)
    if original is None:
        return _no(404, f"{printable(clip.path)} is not in the shoot's folder.", "Bring the file back as it was.")
    return FileResponse(original, media_type=clips.media_type(clip), headers=FOR_EVER)


@router.get("/faces/{number}.jpg")
def face(request: Request, at: TheSession, photo: str, number: int) -> Response:
    """One face, from the proxy; faces are numbered as evidence lists them."""
    found = at.photo(photo)
    faces = found.facts["faces"].value if "faces" in found.facts else None
    if not isinstance(faces, list) or not 0 <= number < len(faces):
        raise MediaError("There is no such face on this photo.")
    if _known(request, tag := f'"{photo[:32]}-{number}"'):
        return Response(status_code=304, headers={"ETag": tag, **FOR_EVER})
    rgb = image.read(_made(at, found, ".jpg"))
    scale = rgb.shape[1] / (found.asset.width or rgb.shape[1])
    x0, y0, x1, y1 = (float(v) * scale for v in faces[number]["box"])
    half = max(x1 - x0, y1 - y0) * (0.5 + FACE_ROOM)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    cut = rgb[max(0, int(y - half)) : int(y + half) + 1, max(0, int(x - half)) : int(x + half) + 1]
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(shrink(cut, FACE_SIDE)), quality=85, colorspace="RGB")
    return Response(data, media_type="image/jpeg", headers={"ETag": tag, **FOR_EVER})


def _sent(request: Request, path: Path, photo: str) -> Response:
    tag = f'"{photo[:40]}-{path.suffixes[0].strip(".")}"'
    if _known(request, tag):
        return Response(status_code=304, headers={"ETag": tag, **FOR_EVER})
    return FileResponse(path, media_type="image/jpeg", headers={"ETag": tag, **FOR_EVER})


def _known(request: Request, tag: str) -> bool:
    return tag in request.headers.get("if-none-match", "")


def _no(status: int, cause: str, remedy: str) -> Response:
    return JSONResponse({"code": "media", "cause": cause, "remedy": remedy}, status_code=status)


def _shown(at: Session, id_: str, suffix: str) -> Path:
    """The picture of a photo, a clip or a sound, by id."""
    clip = at.clip(id_)
    return _poster(at, clip, suffix) if clip else _made(at, at.photo(id_), suffix)


def _poster(at: Session, clip: Footage, suffix: str) -> Path:
    """The picture of a clip or a sound; made again where the cache has none."""
    place = at.folder.cached(clip.asset.id)
    path = place.with_suffix(suffix)
    if not path.is_file():
        original = clips.original(at.folder.root, clip)
        if original is not None:
            _portrayed(original, place)
        if not path.is_file():
            raise MediaError(f"There is no picture of {printable(clip.path)}.", remedy="Open the original in a player.")
    return path


def _portrayed(original: Path, place: Path) -> None:
    try:
        footage.portray(original, place)
    except SafelightError:
        raise
    except Exception as error:
        raise MediaError(f"{printable(original.name)} cannot be shown ({type(error).__name__}).") from error


def _made(at: Session, photo: Photo, suffix: str) -> Path:
    """A picture in the cache; made again from the original where somebody has deleted it."""
    place = at.folder.cached(photo.id)
    path = place.with_suffix(suffix)
    if not path.is_file():
        rgb = _decoded(at.folder.root / photo.path)
        picture = Picture(rgb=rgb, capture=photo.asset.capture, facts={}, weights={}, is_preview=photo.is_raw)
        work.proxies(picture, place)
    return path


def _whole(photo: Photo, original: Path, tools: Tools) -> Bytes:
    """The picture at the size of its original. What a camera has put into a raw may be a small one: at 100 % it would
    be blurred by its enlargement, so the raw is developed, where it will look as its camera showed it."""
    preview = raw.preview(original) if photo.is_raw else None
    if not photo.is_raw or (preview is not None and max(preview.shape) >= LARGE * max(_size(photo))):
        return work.decode(original)[0]
    look = [edit for edit in photo.edits(proposed=True) if plugins.operator(edit.operator).stage is Stage.BASE]
    if preview is not None and not look:
        return preview
    return render.render_bytes(raw.linear_words(original), look, tools)


def _size(photo: Photo) -> tuple[int, int]:
    return photo.asset.width or 1, photo.asset.height or 1


def _decoded(original: Path, read: Callable[[], Bytes] | None = None) -> Bytes:
    if not original.is_file():
        raise MediaError(
            f"{original.name} is not in its folder any more, and no copy is in the cache.",
            remedy="Bring the file back, or connect the disk that it lies on.",
        )
    try:
        return read() if read else work.decode(original)[0]
    except SafelightError:
        raise
    except Exception as error:
        raise MediaError(f"{original.name} cannot be shown ({type(error).__name__}).") from error


def _for_browsers(original: Path) -> bool:
    """Whether a browser shows this JPEG as we do: three channels or one, and sRGB. Wide gamuts are converted here,
    where every browser shows them alike."""
    with Image.open(original) as opened:
        profile = opened.info.get("icc_profile") or b""
        adobe = opened.getexif().get_ifd(ExifTags.IFD.Interop).get(1) == "R03"
        return opened.mode in ("RGB", "L") and not adobe and (not profile or b"sRGB" in profile)
