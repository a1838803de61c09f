"""One photo to one delivered file: rendered at full depth from the original, checked, written. Runs in a worker."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight import limits, params, plugins, render, work
from safelight.channels import Channel
from safelight.checking import Thresholds
from safelight.deliver import judge
from safelight.deliver.presets import Format, Preset
from safelight.domain import Edit, Measure
from safelight.errors import MediaError, Unreadable
from safelight.files import write_atomic
from safelight.media import capture, digest, exif, image, raw, signing, write, xmp
from safelight.media.colour import linear_of_srgb
from safelight.media.frame import Frame, LinearWords, scaling
from safelight.media.picture import shrink
from safelight.media.signing import Deed, Statement
from safelight.operators import Medium, Stage, Tools
from safelight.store.objects import ShootFolder
from safelight.workers import Lost

DEVELOPING = 4  # times as long as opening: a raw at full size
ACTIONS = {  # of C2PA, by operator; any other edit is an edit
    **dict.fromkeys(
        ("white_balance", "exposure", "tone", "black_and_white", "camera_look", "chart_profile", "painted_light",
         "vignetting"),
        "adjustedColor",
    ),
    **dict.fromkeys(("denoise", "output_sharpening"), "enhanced"), "crop": "cropped", "straighten": "orientation",
}  # fmt: skip
CHECK_SIDE = 720  # px, long side at which the operators' own checks look, here as in trials

Checks: TypeAlias = tuple[tuple[str, tuple[Measure, ...]], ...]  # by operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A photo to be written: the original, its edits in order, where it goes, and what its metadata shall say."""

    photo: str
    original: Path
    seen: tuple[str, str | None]  # digests of the original that was looked at: of its bytes, of its picture
    edits: tuple[Edit, ...]
    preset: Preset
    target: Path
    state: Path  # the shoot's state folder, for kept work
    sidecar: bytes | None  # XMP that lies beside the original
    says: Mapping[str, Any]  # XMP properties of the delivered file
    write_sidecar: bool
    rules: tuple[Channel, ...] = ()  # what channels and client ask of the file
    limits: Mapping[str, Thresholds] | None = None  # of findings, by name
    findings: Path | None = None  # where pictures of findings go, as the beginning of their names


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written, or why nothing was. `kind`: photo, or of a clip (`photo` is its id then) its timeline, film or
    captions."""

    photo: str
    target: str
    kind: str = "photo"
    seconds: Fraction | None = None  # how long it plays
    sha256: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    checks: Checks = ()
    losses: tuple[str, ...] = ()
    sidecar: str | None = None
    output: tuple[Edit, ...] = ()  # what was done at the delivered size
    judged: Mapping[str, Any] = field(default_factory=dict)  # its entry of safelight.check/1
    thumb: tuple[float, ...] = ()  # its picture at a small size, by which doubles are found
    error: Mapping[str, str] | None = None


def deliver_one(job: Job) -> Written:
    """Renders, encodes and writes one photo. A file that cannot be read or written comes back as an error."""
    try:
        return _deliver(job)
    except Exception as error:  # noqa: BLE001 - one photo that fails is listed, the others are delivered
        return Written(
            photo=job.photo, target=job.target.name, error=work.refusal(job.original, error, what="delivered")
        )


def rescue(job: Job, lost: Lost) -> Written:
    """A photo whose worker was lost is listed as not delivered."""
    return Written(photo=job.photo, target=job.target.name, error=work.as_json(lost.error(job.original.name)))


def _deliver(job: Job) -> Written:
    _unchanged(job)
    tools = Tools(kept=ShootFolder(job.state, job.state).kept, weights={})
    made = tuple(edit for edit in job.edits if not _is_output(edit))
    pixels, small = _rendered(job, made, tools)
    before = judge.reduced(small, CHECK_SIDE / max(small.width, small.height, CHECK_SIDE))
    output = job.edits[len(made) :] or job.preset.output  # what a person set goes before the preset's
    pixels, checks = _finished(_sized(pixels, job.preset.long_side), output, tools)
    height, width = pixels.shape[:2]
    block = exif.exif_for_delivery(job.original, width=width, height=height, gps=job.preset.gps)
    packet, losses = xmp.for_delivery(job.original, job.sidecar, job.says)
    if job.preset.format is Format.TIFF16:
        data = write.tiff16(pixels, xmp=packet, exif=block)
    else:
        data = write.jpeg(
            pixels, quality=job.preset.quality, subsampling=job.preset.subsampling, exif=block, xmp=packet
        )
    data, signed = signing.sign_bytes(data, job.target.name, _statement(job, (*made, *output), packet))
    losses = (*losses, *signed.told([job.original], what="the delivered file"))
    _put(job.target, data)
    beside = None
    if job.write_sidecar:
        beside = job.target.with_name(job.target.name + ".xmp")
        _put(beside, packet)
    limits.begin("the gate", seconds=4 * limits.plugin(width * height))
    judged = judge.judge(
        job.target,
        job.original,
        small,
        (*made, *output),
        rules=job.rules,
        tools=tools,
        place=job.findings,
        limits=job.limits,
        jpeg_quality=job.preset.quality if job.preset.format is Format.JPEG else None,
    )
    thumb = judged.pop("thumb")
    return Written(
        photo=job.photo, target=job.target.name, sha256=hashlib.sha256(data).hexdigest(), size=len(data), width=width,
        height=height, checks=_checks(before, made, tools) + checks, losses=losses, output=output,
        sidecar=beside.name if beside else None, judged=judged, thumb=thumb,
    )  # fmt: skip


def _unchanged(job: Job) -> None:
    """Raises Unreadable where the original shows another picture than the one that people and checks have seen; what
    other programs write beside the picture may change."""
    now, picture, _ = digest.digests(job.original)
    if now != job.seen[0] and (picture is None or picture != job.seen[1]):
        raise Unreadable(
            f"{job.original.name} is not the file that was looked at: its picture has changed.",
            remedy="Bring the original back, or take the new picture in with `safelight run` and decide about it.",
        )


def _put(path: Path, data: bytes) -> None:
    """Writes a delivered file, or says why it is not there."""
    try:
        write_atomic(path, data)
    except OSError as error:
        raise MediaError(
            f"{path.name} ({len(data) / 1e6:.1f} MB) cannot be written: {error.strerror}.",
            remedy="Make room on the disk, or name another folder, and deliver again.",
        ) from error


def _statement(job: Job, edits: tuple[Edit, ...], packet: bytes) -> Statement:
    """What its content credentials say, where it is signed: each edit that was applied, and how it was written."""
    said = xmp.Packet.parse(packet).get(xmp.SOURCE_TYPE)
    deeds = [
        Deed(action=ACTIONS.get(edit.operator, "edited"), text=f"{edit.operator.replace('_', ' ')} ({edit.label})")
        for edit in edits
    ]
    if job.preset.long_side:
        deeds.append(Deed(action="resized", text=f"To at most {job.preset.long_side} px."))
    deeds.append(Deed(action="transcoded", text=f"Written as {job.preset.format.value}."))
    origin = str(said).removeprefix(xmp.SOURCE) if said else None
    return Statement(originals=(job.original,), deeds=tuple(deeds), origin=origin, place=job.preset.gps)


def _is_output(edit: Edit) -> bool:
    return plugins.operator(edit.operator).stage is Stage.OUTPUT


def _finished(pixels: NDArray[Any], output: tuple[Edit, ...], tools: Tools) -> tuple[NDArray[Any], Checks]:
    """What is done at the delivered size, and its checks, which look at the middle at full scale."""
    if not output:
        return pixels, ()
    deep = pixels.dtype == np.uint16
    done = render.render_words(pixels, output, tools) if deep else render.render_bytes(pixels, output, tools)
    middle = tuple(slice(max(0, (n - CHECK_SIDE) // 2), (n + CHECK_SIDE) // 2) for n in pixels.shape[:2])
    return done, _checks(Frame(pixels=linear_of_srgb(pixels[middle])), output, tools)


def _rendered(job: Job, edits: tuple[Edit, ...], tools: Tools) -> tuple[NDArray[Any], Frame]:
    """The finished pixels (bytes or words), and the small frame before any edit, for checks and gate."""
    deep = job.preset.format is Format.TIFF16
    header = capture.header(job.original)
    pixels, size = (header.width or 0) * (header.height or 0), job.original.stat().st_size
    is_raw = raw.is_raw(job.original)
    limits.begin(work.OPENING, seconds=limits.opening(pixels * (DEVELOPING if is_raw else 1), size=size))
    plain = not deep and header.format == "jpeg"
    if plain:
        source: Any = image.read(job.original)
        small = image.frame_of(shrink(source, judge.SIDE))
    else:
        source = raw.linear_words(job.original) if is_raw else image.read_frame(job.original)
        small = _small(source)
    height, width = render.size_of(source)
    small = small.moved(small.pixels, scaling(small.width / width, small.height / height))
    applied = ", ".join(edit.label for edit in edits)
    limits.begin(applied or "writing", seconds=limits.plugin(width * height) * max(1, len(edits)))
    done = render.render_words(source, edits, tools) if deep else render.render_bytes(source, edits, tools)
    return done, small


def _small(source: LinearWords | Frame) -> Frame:
    if isinstance(source, LinearWords):
        return LinearWords(words=_sized(source.words, judge.SIDE), top=source.top).frame()
    return Frame(pixels=_sized(source.pixels, judge.SIDE))


def _sized(pixels: NDArray[Any], long_side: int) -> NDArray[Any]:
    """Reduced (never enlarged) to `long_side` px by area averaging; 0 keeps the size."""
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width) if long_side else 1
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _checks(before: Frame, edits: tuple[Edit, ...], tools: Tools) -> Checks:
    """What each operator's own check says about its part, on the picture that is delivered."""
    found = []
    for edit in edits:
        op = plugins.operator(edit.operator)
        if op.medium is Medium.FRAME:
            after = render.render(before, (edit,), tools)
            found.append((op.label, tuple(op.check(before, after, params.from_json(op.params, edit.params)))))
            before = after
    return tuple(found)
