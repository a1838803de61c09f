"""What a returned file is: which photo it was made from, how it lies on it, what was done to it. Runs in a worker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from safelight import checking, limits, render, weights, work
from safelight.channels import encoded
from safelight.detectors import Placement, place
from safelight.domain import Edit
from safelight.errors import SafelightError
from safelight.media import image, write
from safelight.media.frame import Bytes, Matrix, scaling
from safelight.media.picture import grey, shrink
from safelight.operators import Stage, Tools
from safelight.pairs import Check
from safelight.pairs.job import entry_of
from safelight.pairs.matching import AGREED, likeness
from safelight.plugins import operator
from safelight.store.objects import ShootFolder
from safelight.workers import Lost

SIDE = 1600  # px, long side at which files are compared
LIKELY = 5  # photos that a file of unknown name is laid upon, first as a whole, then as a part
PART = 72  # px, long side at which a file is looked for as a part of a photo
SHARES = (0.95, 0.82, 0.7, 0.6, 0.5)  # of the photo's long side that such a part may have


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
    """Asks what a returned file is. `named` is the photo that its name or a person says, if any."""

    file: Path
    named: str | None
    parents: tuple[Parent, ...]
    state: Path
    limits: Mapping[str, checking.Thresholds] | None = None
    place: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a returned file is: the photo it was made from, where that photo's version lies in it, and the gate's
    entry; or the photo that it shows instead of the one that was named; or an error."""

    file: Path
    photo: str | None = None
    instead: str | None = None
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
        written = encoded.read(job.file)
        limits.begin("the gate", seconds=4 * limits.plugin(written.width * written.height))
        return _see(job, written)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is about this file
        return Seen(file=job.file, error=work.refusal(job.file, error, what="taken"))


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


def recognise(job: Job, small: Bytes) -> tuple[Laid | None, float]:
    """The photo that a picture (its long side at most SIDE px) was made from, and how far the named one agrees.

    The named photo is believed if it lines up; else those that look alike are tried. None where nothing lines up."""
    agreed = 0.0
    for parent in job.parents:
        if parent.photo == job.named:
            found = lay(parent, small, job.state)
            agreed = found.agreed
            if agreed >= AGREED:
                return found, agreed
    tried = {job.named}
    shown = _shown(p for p in job.parents if p.photo != job.named)
    for alike in (likeness, within):
        ranked = sorted(shown, key=lambda item: -alike(item[1], small))
        for parent, _ in ranked[:LIKELY]:
            if parent.photo in tried:
                continue
            tried.add(parent.photo)
            found = lay(parent, small, job.state)
            if found.agreed >= AGREED:
                return found, agreed
    return None, agreed


def within(whole: Bytes, part: Bytes) -> float:
    """How alike a picture and the likeliest part of another are at a small size, -1 to 1, whichever way up it is."""
    there = grey(shrink(whole, PART))
    best = -1.0
    for share in SHARES:
        small = grey(shrink(part, round(PART * share)))
        for turns in range(4):
            turned = np.ascontiguousarray(np.rot90(small, turns))
            if turned.shape[0] <= there.shape[0] and turned.shape[1] <= there.shape[1]:
                best = max(best, float(cv2.matchTemplate(there, turned, cv2.TM_CCOEFF_NORMED).max()))
    return best


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
    small = shrink(written.rgb, SIDE)
    found, agreed = recognise(job, small)
    if found is None:
        return Seen(file=job.file, agreed=agreed)
    if job.named not in (None, found.parent.photo):
        return Seen(file=job.file, instead=found.parent.photo, agreed=agreed)
    compared = checking.compare(found.shown, small, weights=weights.installed(), limits=job.limits)
    by = "name" if job.named else "picture"
    check = Check(before=found.parent.original, after=job.file, by=by, place=job.place)
    matrix = matrix_of(found, small, (written.width, written.height))
    return Seen(
        file=job.file, photo=found.parent.photo, agreed=found.agreed, size=found.whole,
        entry=entry_of(check, compared, (), small), matrix=tuple(float(round(v, 9)) for v in matrix.ravel()),
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


def _shown(parents: Iterable[Parent]) -> list[tuple[Parent, Bytes]]:
    """Parents with their pictures at a small size; a photo that cannot be shown is no candidate."""
    seen = []
    for parent in parents:
        try:
            seen.append((parent, shrink(work.decode(parent.shown)[0], 320)))
        except (SafelightError, OSError, ValueError):
            continue
    return seen
