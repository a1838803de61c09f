"""A photo as a retoucher gets it: layered, 16 bits a channel, each operator a layer with its mask. Runs in a worker.

The document has the frame that is delivered. All layers together show the photo as it is delivered, in any program
that lays normal layers on each other; fading or masking one undoes a part of what the machine did there and nothing
else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Compression, Resource
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResource

from safelight import limits, params, plugins, render, work
from safelight.domain import Edit
from safelight.errors import MediaError, SafelightError
from safelight.files import write_atomic
from safelight.media import capture, exif, image, raw, warp, write, xmp
from safelight.media.colour import Words
from safelight.media.frame import Bytes, Frame, LinearWords
from safelight.media.warp import Warp
from safelight.operators import Stage, Tools
from safelight.store.objects import ShootFolder
from safelight.workers import Lost

BASE = "Base"
CHANGED = 32  # of 65,535: an eighth of a level of a byte, from which a pixel counts as changed by a local operator
WHITE = 65535
SOFT = 6  # px by which the mask of what changed is widened
UNDER = (Stage.BASE, Stage.FRAMING)  # what every layer has
LARGEST = 30_000  # px, longest side of a Photoshop file


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A photo to be handed over: its original, the edits of its version, where the files go, without suffix."""

    photo: str
    path: str
    original: Path
    edits: tuple[Edit, ...]
    version: str
    target: Path
    state: Path  # the shoot's state folder, for kept work
    sidecar: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What was written for a photo: file names, layers from below, size; or the error that kept it from being
    written."""

    photo: str
    path: str
    version: str
    files: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    width: int = 0
    height: int = 0
    shown: bytes = b""  # a small JPEG for the brief
    error: Mapping[str, str] | None = None


def hand_over(job: Job) -> Handed:
    """Writes `target`.psd, `target`.base.tif and `target`.tif. Whatever goes wrong comes back as an error."""
    try:
        return _hand_over(job)
    except Exception as error:  # noqa: BLE001 - one photo that fails is listed, the others are handed over
        return Handed(
            photo=job.photo, path=job.path, version=job.version,
            error=work.refusal(job.original, error, what="handed over"),
        )  # fmt: skip


def rescue(job: Job, lost: Lost) -> Handed:
    """A photo whose worker was lost is listed as not handed over."""
    return Handed(
        photo=job.photo, path=job.path, version=job.version, error=work.as_json(lost.error(job.original.name))
    )


def _hand_over(job: Job) -> Handed:
    header = capture.header(job.original)
    pixels = (header.width or 0) * (header.height or 0)
    limits.begin(work.OPENING, seconds=limits.opening(4 * pixels, size=job.original.stat().st_size))
    source = _source(job.original)
    tools = Tools(kept=ShootFolder(job.state, job.state).kept, weights={})
    limits.begin("layers", seconds=limits.plugin(pixels) * (2 + len(job.edits)))
    found = layers(source, job.edits, tools)
    base, final = found[0].pixels, found[-1].shown
    if max(final.shape) > LARGEST:
        raise MediaError(
            f"{job.original.name} is {max(final.shape):,} px wide; a Photoshop file holds {LARGEST:,}.",
            remedy="Deliver it as TIFF with --preset tiff16.",
        )
    limits.begin("writing", seconds=limits.opening(pixels * (2 + len(found))))
    packet, _ = xmp.for_delivery(job.original, job.sidecar, {"safelight:Version": job.version})
    height, width = final.shape[:2]
    block = exif.exif_for_delivery(job.original, width=width, height=height, gps=False)
    files = {
        f"{job.target.name}.psd": photoshop(found, xmp_packet=packet),
        f"{job.target.name}.base.tif": write.tiff16(base, xmp=packet, exif=block),
        f"{job.target.name}.tif": write.tiff16(final, xmp=packet, exif=block),
    }
    for name, data in files.items():
        write_atomic(job.target.with_name(name), data)
    small = cv2.resize(final, None, fx=(s := 480 / max(width, height, 480)), fy=s, interpolation=cv2.INTER_AREA)
    return Handed(
        photo=job.photo, path=job.path, version=job.version, files=tuple(files), width=width, height=height,
        layers=tuple(layer.name for layer in found),
        shown=write.encode_jpeg(np.asarray(small / 257, np.uint8), quality=82, subsampling="420"),
    )  # fmt: skip


def _source(path: Path) -> LinearWords | Frame:
    return raw.linear_words(path) if raw.is_raw(path) else image.read_frame(path)


# ---------------------------------------------------------------- layers


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Pixels of the whole document (words, H x W x 3, sRGB) and how much of them counts (bytes, H x W); `together` is
    what it and all below it show, where a mask makes that another picture."""

    name: str
    pixels: Words
    mask: Bytes | None = None
    together: Words | None = None

    @property
    def shown(self) -> Words:
        """What this layer and all below it show."""
        return self.pixels if self.together is None else self.together


def layers(source: LinearWords | Frame, edits: Sequence[Edit], tools: Tools) -> list[Layer]:
    """The base and one layer for each operator that does not frame, from below as they are rendered.

    Operators that frame are in every layer, since a document has one frame; sharpening for a medium and returned
    files are left out, the first because it is done at the delivered size, the second because a returned file has
    layers of its own."""
    staged = [(edit, plugins.operator(edit.operator).stage) for edit in render.order(edits)]
    under = [edit for edit, stage in staged if stage in UNDER]
    above = [edit for edit, stage in staged if stage not in (*UNDER, Stage.RETURNED, Stage.OUTPUT)]
    found = [Layer(name=BASE, pixels=render.render_words(source, under, tools))]
    for count, edit in enumerate(above, 1):
        below, after = found[-1].shown, render.render_words(source, [*under, *above[:count]], tools)
        mask = _mask(edit, below, after, source=source, under=under, tools=tools)
        pixels, mask = unmixed(below, after, mask)
        name = edit.operator.replace("_", " ").capitalize()
        found.append(Layer(name=name, pixels=pixels, mask=mask, together=after))
    return found


def unmixed(below: Words, after: Words, mask: Bytes) -> tuple[Words, Bytes]:
    """The pixels that show `after` where a mask lays them on `below`, and the mask, opened where it lets too little of
    them through: its soft edge is in `after` already and would count twice."""
    pixels, opened = after.copy(), mask.copy()
    rows, columns = np.nonzero(mask < 255)
    was, wanted = (plane[rows, columns].astype(np.float32) for plane in (below, after))
    change = wanted - was
    room = np.where(change > 0, WHITE - was, was)
    least = np.ceil(255 * (np.abs(change) / np.maximum(room, 1)).max(1, initial=0)).clip(0, 255)
    least[np.abs(change).max(1, initial=0) <= CHANGED] = 0
    through = np.maximum(mask[rows, columns], least)
    found = was + change * (255 / np.maximum(through, 1))[:, None]
    pixels[rows, columns] = np.where(through[:, None] > 0, np.rint(found.clip(0, WHITE)), was)
    opened[rows, columns] = through
    return pixels, opened


def _mask(
    edit: Edit, before: Words, after: Words, *, source: LinearWords | Frame, under: Sequence[Edit], tools: Tools
) -> Bytes:
    """Where an operator acts: its own painted mask as it lies in the document, else what it changed where it acts on
    parts of a picture, else everywhere."""
    digest = edit.params.get("mask")
    if isinstance(digest, str) and digest:
        return _painted(tools.kept(digest), render.size_of(source), under)
    if plugins.operator(edit.operator).stage is not Stage.LOCAL:
        return np.full(after.shape[:2], 255, np.uint8)
    changed = (np.abs(after.astype(np.int32) - before).max(-1) > CHANGED).astype(np.uint8) * 255
    return np.asarray(cv2.dilate(changed, np.ones((2 * SOFT + 1, 2 * SOFT + 1), np.uint8)), np.uint8)


def _painted(data: bytes, size: tuple[int, int], under: Sequence[Edit]) -> Bytes:
    mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise SafelightError("A painted mask is no PNG.", remedy="Paint it again.")
    height, width = size
    whole = np.zeros((height, width), np.uint8)
    whole[: mask.shape[0], : mask.shape[1]] = mask[:height, :width]
    way = Warp(size=(width, height))
    for edit in under:
        operator = plugins.operator(edit.operator)
        if operator.warp is not None:
            way = way.then(operator.warp(*way.size, params.from_json(operator.params, edit.params)))
    if not way.steps:
        return whole
    return np.ascontiguousarray(warp.resample(np.dstack([whole] * 3), way)[..., 0])


# ---------------------------------------------------------------- Photoshop


def photoshop(found: Sequence[Layer], *, xmp_packet: bytes | None = None) -> bytes:
    """A PSD of 16 bits with these layers from below, the profile, and what they show together as the composite that
    programs without layers show (Adobe Photoshop File Formats Specification, 2019)."""
    height, width = found[-1].pixels.shape[:2]
    document = PSDImage.new("RGB", (width, height), depth=16)
    for layer in found:
        made = document.create_pixel_layer_from_array(layer.pixels, name=layer.name, compression=Compression.ZIP)
        if layer.mask is not None:
            made.create_mask(Image.fromarray(layer.mask), compression=Compression.ZIP)
    for key, data in ((Resource.ICC_PROFILE, write.SRGB), (Resource.XMP_METADATA, xmp_packet)):
        if data:
            document.image_resources[key] = ImageResource(key=key.value, data=data)
    record: Any = document._record  # noqa: SLF001 - `save` would composite the layers anew, slowly; the result is known
    record.image_data = ImageData.new(record.header, color=0)
    record.image_data.set_data([_big_endian(found[-1].shown[..., c]) for c in range(3)], record.header)
    out = BytesIO()
    record.write(out)
    return out.getvalue()


def _big_endian(plane: NDArray[np.uint16]) -> bytes:
    return np.ascontiguousarray(plane).astype(">u2").tobytes()
