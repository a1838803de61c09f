"""What a returned file is: which photo it was made from, how it lies on it, what was done to it. Runs in a worker."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from safelight import checking, limits, render, weights, work
from safelight.channels import encoded
from safelight.detectors import Placement, alike, place
from safelight.domain import Edit
from safelight.errors import SafelightError, Unsupported
from safelight.media import ifd, image, write
from safelight.media.formats import first_bytes, sniff
from safelight.media.frame import Bytes, Matrix, scaling
from safelight.media.picture import shrink
from safelight.operators import Stage, Tools
from safelight.pairs import Check, candidates
from safelight.pairs.job import entry_of
from safelight.pairs.matching import AGREED
from safelight.plugins import operator
from safelight.store.objects import ShootFolder
from safelight.workers import Lost

SIDE = 1600  # px, long side at which files are compared
_SUBFILE, _SMALL_OR_MASK = 254, 0b101  # TIFF NewSubfileType, and its bits that say so
LIKELY = 4  # photos that a file is laid upon, of those that look alike and of those that share details
SAME = 0.97  # of the likeness of the best: how alike a photo must be to be the one that a file was made from


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A photo that a file may have been made from: its proxy (or original), full size, edits below the file."""

    photo: str
    path: str
    shown: Path
    original: Path
    width: int
    height: int
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Asks what a returned file is. `named` is the photo that its name or, if `sure`, a person says, if any."""

    file: Path
    named: str | None
    parents: tuple[Parent, ...]
    state: Path
    sure: bool = False
    limits: Mapping[str, checking.Thresholds] | None = None
    place: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a returned file is: the photo it was made from, where that photo's version lies in it, and the gate's
    entry; or the photo that it shows instead of the one that was named; or those of which it may be any; or an
    error. `mirrored` says that it would lie on the photo that was named if it were turned over."""

    file: Path
    photo: str | None = None
    instead: str | None = None
    either: tuple[str, ...] = ()
    mirrored: bool = False
    agreed: float = 0.0
    size: tuple[int, int] = (1, 1)  # of the version at full scale
    matrix: tuple[float, ...] = ()
    entry: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: Mapping[str, str] | None = None


def see(job: Job) -> Seen:
    """Decodes a returned file, finds the photo it was made from, lays the two on each other and asks the detectors."""
    try:
        limits.begin(work.OPENING, seconds=limits.opening(100_000_000, size=job.file.stat().st_size))
        one_picture(job.file)
        written = encoded.read(job.file)
        limits.begin("the gate", seconds=4 * limits.plugin(written.width * written.height))
        return _see(job, written)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is about this file
        return Seen(file=job.file, error=work.refusal(job.file, error, what="taken"))


def one_picture(file: Path) -> None:
    """Raises Unsupported for a TIFF whose layers stand in it as pictures side by side, as some programs write them:
    the first of them is not what the retoucher saw."""
    head = first_bytes(file)
    if sniff(head, file.suffix) != "tiff":
        return
    pages = [d for d in ifd.directories(ifd.from_bytes(file.read_bytes())) if d.path.isdigit()]
    pages = [d for d in pages if not int(d.number(_SUBFILE) or 0) & _SMALL_OR_MASK]
    if len(pages) > 1:
        raise Unsupported(
            f"{file.name} holds {len(pages)} pictures, and which of them is meant cannot be told.",
            remedy="Flatten the layers, or export it as PSD, PNG or JPEG.",
        )


def rescue(job: Job, lost: Lost) -> Seen:
    """A file whose worker was lost cannot be taken."""
    return Seen(file=job.file, error=work.as_json(lost.error(job.file.name)))


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A file laid on a version, both at a small size: the version's bytes, how the file lies on it, the way from
    the version's full-size pixels to the small ones, and its full size (width, height)."""

    parent: Parent
    shown: Bytes
    placement: Placement
    to_small: Matrix
    whole: tuple[int, int]

    @property
    def agreed(self) -> float:
        """Which share of the two lines up; 0 where they cannot be laid on each other."""
        return 0.0 if self.placement.cannot is not None else self.placement.agreed

    @property
    def holds(self) -> bool:
        """Whether the file shows what the version shows."""
        return self.agreed >= AGREED


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """The photo that a file was made from; or, where frames of one motif cannot be told apart, all that it may be.

    `agreed` is how far the photo that was named lines up."""

    laid: Laid | None = None
    either: tuple[Parent, ...] = ()
    agreed: float = 0.0


def look_at(rgb: Bytes) -> Bytes:
    """A file's picture at the size at which it is laid on photos."""
    return shrink(rgb, SIDE)


def recognise(job: Job, small: Bytes) -> Recognised:
    """The photo that a picture (see `look_at`) was made from.

    A person who names the photo is believed if it lines up; the name of a file only if every other frame of the motif
    is less alike. Else those that look alike are tried, then those that share details. Nothing is taken that does not
    line up."""
    named = next((parent for parent in job.parents if parent.photo == job.named), None)
    first = None if named is None else lay(named, small, job.state)
    agreed = 0.0 if first is None else first.agreed
    if first is not None and first.holds and job.sure:
        return Recognised(laid=first, agreed=agreed)
    shown = _shown(job.parents)
    if first is None or not first.holds:
        first = _found(job, shown, small)
    if first is None:
        return Recognised(agreed=agreed)
    alike = _alike([first, *_kin(job, shown, first, small)], small)
    best = max(how for how, _ in alike)
    same = [laid for how, laid in alike if how >= SAME * best]
    if len(same) == 1:
        return Recognised(laid=same[0], agreed=agreed)
    return Recognised(either=tuple(laid.parent for laid in same), agreed=agreed)


def _found(job: Job, shown: Sequence[tuple[Parent, candidates.Look]], small: Bytes) -> Laid | None:
    """The likeliest photo on which a picture lies; None where it lies on none."""
    looks, tried, own = [look for _, look in shown], {job.named}, candidates.look(small)
    for ranked in (candidates.by_whole, candidates.by_details):
        for i in ranked(looks, own)[:LIKELY]:
            parent = shown[i][0]
            if parent.photo in tried:
                continue
            tried.add(parent.photo)
            laid = lay(parent, small, job.state)
            if laid.holds:
                return laid
    return None


def _kin(job: Job, shown: Sequence[tuple[Parent, candidates.Look]], first: Laid, small: Bytes) -> list[Laid]:
    """Other photos that may be frames of the same motif, and on which the picture lies too."""
    own = next((i for i, (parent, _) in enumerate(shown) if parent.photo == first.parent.photo), None)
    if own is None:
        return []
    others = [*shown[:own], *shown[own + 1 :]]
    ranked = candidates.kin([look for _, look in others], shown[own][1], candidates.look(small))[:LIKELY]
    return [laid for i in ranked if (laid := lay(others[i][0], small, job.state)).holds]


def _alike(found: Sequence[Laid], small: Bytes) -> list[tuple[float, Laid]]:
    """How alike a picture is to each version on which it lies; one alone needs no figure."""
    if len(found) == 1:
        return [(1.0, found[0])]
    return [(alike(laid.shown, small, laid.placement), laid) for laid in found]


def mirrored(job: Job, small: Bytes) -> bool:
    """Whether a picture, turned over, lies on the photo that was named."""
    named = next((parent for parent in job.parents if parent.photo == job.named), None)
    return named is not None and lay(named, np.ascontiguousarray(small[:, ::-1]), job.state).holds


def lay(parent: Parent, small: Bytes, state: Path) -> Laid:
    """A small picture laid on a parent's version; `state` is the shoot's state folder, for kept work."""
    rgb = shrink(work.decode(parent.shown)[0], SIDE)
    frame = image.frame_of(rgb)
    scale = scaling(frame.width / parent.width, frame.height / parent.height)
    frame = frame.moved(frame.pixels, scale)
    tools = Tools(kept=ShootFolder(state, state).kept, weights={})
    # A raw is shown by its preview, which has the camera's look already.
    edits = [e for e in parent.edits if operator(e.operator).stage is not Stage.BASE]
    done = render.render(frame, edits, tools)
    whole = round(done.width * parent.width / rgb.shape[1]), round(done.height * parent.height / rgb.shape[0])
    shown = write.to_srgb8(done)
    to_small = scaling(done.width / whole[0], done.height / whole[1])
    return Laid(parent=parent, shown=shown, placement=place(shown, small), to_small=to_small, whole=whole)


def matrix_of(laid: Laid, small: Bytes, size: tuple[int, int]) -> Matrix:
    """The homography from the version's full-size pixels to those of a file of this size (width, height)."""
    from_small = scaling(size[0] / small.shape[1], size[1] / small.shape[0])
    matrix = from_small @ _forward(laid.placement, small.shape[:2]) @ laid.to_small
    return np.asarray(matrix / matrix[2, 2], np.float64)


def _see(job: Job, written: encoded.Encoded) -> Seen:
    look = look_at(written.rgb)
    said = recognise(job, look)
    found, agreed = said.laid, said.agreed
    if found is None:
        return Seen(
            file=job.file, agreed=agreed, either=tuple(parent.photo for parent in said.either),
            mirrored=not said.either and mirrored(job, look),
        )  # fmt: skip
    if job.named not in (None, found.parent.photo):
        return Seen(file=job.file, instead=found.parent.photo, agreed=agreed)
    compared = checking.compare(found.shown, look, weights=weights.installed(), limits=job.limits)
    by = "name" if job.named else "picture"
    check = Check(before=found.parent.original, after=job.file, by=by, place=job.place)
    matrix = matrix_of(found, look, (written.width, written.height))
    return Seen(
        file=job.file, photo=found.parent.photo, agreed=found.agreed, size=found.whole,
        entry=entry_of(check, compared, (), look), matrix=tuple(float(round(v, 9)) for v in matrix.ravel()),
        notes=_notes(written, found.whole),
    )  # fmt: skip


def _forward(placement: Placement, shape: tuple[int, int]) -> Matrix:
    """The homography from the parent's small pixels to the file's that comes nearest to a placement."""
    x, y = np.meshgrid(np.linspace(0, shape[1] - 1, 5), np.linspace(0, shape[0] - 1, 5))
    u, v = placement.back(x, y)
    there, here = (np.stack([a.ravel(), b.ravel()], -1) for a, b in ((u, v), (x, y)))
    matrix, _ = cv2.findHomography(there, here)
    return np.eye(3) if matrix is None else np.asarray(matrix, np.float64)


def _notes(written: encoded.Encoded, whole: tuple[int, int]) -> tuple[str, ...]:
    """What of a file people should know: smaller, or of fewer bits than what went out."""
    notes = []
    if max(written.width, written.height) < 0.98 * max(whole):
        here, there = (f"{w:,} x {h:,}" for w, h in ((written.width, written.height), whole))
        notes.append(f"It is smaller than what went out: {here} of {there} px.")
    if written.format == "jpeg":
        notes.append("It is a JPEG of 8 bits.")
    if written.profile not in (None, "", "sRGB"):
        notes.append(f"Its profile is {written.profile}; colours are converted.")
    return tuple(notes)


def _shown(parents: Iterable[Parent]) -> list[tuple[Parent, candidates.Look]]:
    """Parents with what they look like, from their thumbnails where there are any; a photo that cannot be
    shown is no candidate."""
    seen = []
    for parent in parents:
        try:
            thumb = parent.shown.with_suffix(".thumb.jpg")
            place = thumb if parent.shown != parent.original and thumb.exists() else parent.shown
            seen.append((parent, candidates.look(work.decode(place)[0])))
        except (SafelightError, OSError, ValueError):
            continue
    return seen
