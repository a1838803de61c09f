"""A retoucher's file back: which photo it is, how it lies on it, what was done to it; then an edit of its own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from safelight import checking, engine, limits, render, verdicts, weights, work
from safelight.channels import encoded
from safelight.deliver.limits import of_studio
from safelight.detectors import Placement, place
from safelight.domain import Cull, Edit, Input, Say, Version, digest_of
from safelight.errors import Refused, SafelightError, UsageError
from safelight.handoff.out import BRIEF
from safelight.media import image, write
from safelight.media.frame import Bytes, Matrix, scaling
from safelight.media.picture import shrink
from safelight.operators import Stage, Tools
from safelight.pairs import Check
from safelight.pairs.job import entry_of
from safelight.pairs.matching import AGREED, likeness
from safelight.plugins import operator
from safelight.state import Photo, ShootState
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.workers import Lost

OPERATOR = "external"
SIDE = 1600  # px, long side at which files are compared
LIKELY = 5  # photos that a file of unknown name is laid upon


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A file that came back: the photo it is an edit of now, its digest, and what the gate says."""

    file: Path
    photo: Photo
    digest: str
    version: Version
    entry: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def bring_back(
    library: Library, where: ShootFolder, state: ShootState, file: Path, *, by: str, of: Photo | None = None,
    generated: bool = False, note: str = "",
) -> Returned:  # fmt: skip
    """Takes a retoucher's file as an edit of its photo, by `by`, and runs the gate against the version it was made
    from.

    The file is kept as it came. Raises the errors of `media.image.read` for a file that cannot be read, Refused for
    one that shows another photo or none."""
    if not file.is_file():
        raise UsageError(f"{file} is not a file.", remedy="Name the file that came back.")
    named = of or _named(state, file)
    parents = tuple(_parent(photo, where) for photo in state.photos.values())
    job = Job(
        file=file, named=named.id if named else None, parents=parents, state=where.state,
        limits=of_studio(library),
        place=where.cached(digest_of(str(file.resolve()))[:32]),
    )  # fmt: skip
    with engine.engine("process", jobs=1) as (executor, width):
        (seen,) = engine.stream(executor, width, iter([(see, job)]), rescue=rescue)
    if seen.error is not None:
        raise _raised(seen.error)
    photo = _settled(state, seen, named, file)
    digest = where.keep(file.read_bytes())
    parent = Version(inputs=(Input(id=photo.id),), edits=below(photo))
    params = {
        "file": digest, "of": parent.id, "width": seen.size[0], "height": seen.size[1], "matrix": list(seen.matrix),
        "generated": generated,
    }  # fmt: skip
    saying = verdicts.Saying(say=Say.MODIFY, by=by, operators=(OPERATOR,), params=params, note=note)
    verdicts.decide(library, state, [photo], saying)
    version = Version(inputs=(Input(id=photo.id),), edits=photo.edits())
    return Returned(file=file, photo=photo, digest=digest, version=version, entry=seen.entry, notes=seen.notes)


def shoot_of(file: Path) -> Path | None:
    """The folder of the shoot that the brief beside a file names; None where there is no brief or no such folder."""
    root = _brief(file).get("shoot", {}).get("root")
    return Path(root) if isinstance(root, str) and Path(root).is_dir() else None


def below(photo: Photo) -> tuple[Edit, ...]:
    """The edits of a photo that a returned file takes the place of."""
    return tuple(e for e in photo.edits() if operator(e.operator).stage < Stage.RETURNED)


def _parent(photo: Photo, where: ShootFolder) -> Parent:
    proxy, original = where.cached(photo.id).with_suffix(".jpg"), where.root / photo.path
    return Parent(
        photo=photo.id, path=photo.path, shown=proxy if proxy.exists() else original, original=original,
        width=photo.asset.width or 1, height=photo.asset.height or 1, edits=below(photo),
    )  # fmt: skip


def _named(state: ShootState, file: Path) -> Photo | None:
    """The photo that a file's name means: by the brief beside it, else by the name of the original in it."""
    for entry in _brief(file).get("photos", ()):
        stems = [Path(name).stem.lower().removesuffix(".base") for name in entry["files"]]
        if any(file.stem.lower().startswith(stem) for stem in stems) and entry["photo"] in state.photos:
            return state.photos[entry["photo"]]
    stem = file.stem.lower()
    fits = [p for p in state.photos.values() if stem.startswith(Path(p.path).stem.lower())]
    fits = [p for p in fits if not stem[len(Path(p.path).stem) :][:1].isalnum()]
    longest = max((len(Path(p.path).stem) for p in fits), default=0)
    fits = [p for p in fits if len(Path(p.path).stem) == longest]
    return fits[0] if len(fits) == 1 else None


def _brief(file: Path) -> Mapping[str, Any]:
    """The brief that lies beside a file, or above it; empty where there is none."""
    for folder in (file.parent, file.parent.parent):
        try:
            found = json.loads((folder / BRIEF).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _settled(state: ShootState, seen: Seen, named: Photo | None, file: Path) -> Photo:
    """The photo that a file is an edit of. Raises Refused where that is not clear or not true."""
    if seen.photo is not None:
        photo = state.photos[seen.photo]
        if photo.decision is Cull.REJECT:
            raise Refused(
                f"{file.name} was made from {photo.path}, which is rejected.",
                remedy=f"Keep it first: safelight verdict {photo.path} --operator cull --say modify "
                '--params \'{"decision": "keep"}\'.',
            )
        return photo
    other = state.photos[seen.instead].path if seen.instead else None
    if named is not None and other is not None:
        raise Refused(
            f"{file.name} is called after {named.path} and shows {other}.", remedy=f"If that is right: --of {other}."
        )
    if named is not None:
        raise Refused(
            f"{file.name} does not show {named.path}: {100 * seen.agreed:.0f} % of it lines up.",
            remedy="Name the photo it was made from with --of, or send the right file.",
        )
    raise Refused(
        f"{file.name} shows none of the photos of {state.shoot.name}.",
        remedy="Name the photo it was made from with --of.",
    )


def _raised(error: Mapping[str, str]) -> SafelightError:
    """The error that a worker brought, of its own kind."""
    kinds = {kind.code: kind for kind in _kinds(SafelightError)}
    return kinds.get(error["code"], SafelightError)(error["cause"], remedy=error["remedy"])


def _kinds(kind: type[SafelightError]) -> Iterable[type[SafelightError]]:
    yield kind
    for lower in kind.__subclasses__():
        yield from _kinds(lower)


# ---------------------------------------------------------------- in the worker


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


def _see(job: Job, written: encoded.Encoded) -> Seen:
    small = shrink(written.rgb, SIDE)
    parents = {p.photo: p for p in job.parents}
    agreed = 0.0
    if job.named is not None:
        found = _laid(parents[job.named], small, job)
        agreed = found[1].agreed if found[1].cannot is None else 0.0
        if agreed >= AGREED:
            return _taken(job, parents[job.named], written, found)
    others = [p for p in job.parents if p.photo != job.named]
    for parent in _likeliest(others, small):
        found = _laid(parent, small, job)
        if found[1].cannot is None and found[1].agreed >= AGREED:
            if job.named is not None:
                return Seen(file=job.file, instead=parent.photo, agreed=agreed)
            return _taken(job, parent, written, found)
    return Seen(file=job.file, agreed=agreed)


def _laid(parent: Parent, small: Bytes, job: Job) -> tuple[Bytes, Placement, Matrix, tuple[int, int]]:
    """The parent's version at a small size, where the file lies on it, the way from the version's full-size pixels to
    the small ones, and its full size."""
    rgb = shrink(work.decode(parent.shown)[0], SIDE)
    frame = image.frame_of(rgb)
    scale = scaling(frame.width / parent.width, frame.height / parent.height)
    frame = frame.moved(frame.pixels, scale)
    tools = Tools(kept=ShootFolder(job.state, job.state).kept, weights={})
    # A raw is shown by its preview, which has the camera's look already.
    edits = [e for e in parent.edits if operator(e.operator).stage is not Stage.BASE]
    done = render.render(frame, edits, tools)
    whole = round(done.width * parent.width / rgb.shape[1]), round(done.height * parent.height / rgb.shape[0])
    shown = write.to_srgb8(done)
    to_small = scaling(done.width / whole[0], done.height / whole[1])
    return shown, place(shown, small), to_small, whole


def _taken(
    job: Job, parent: Parent, written: encoded.Encoded, found: tuple[Bytes, Placement, Matrix, tuple[int, int]]
) -> Seen:
    shown, placement, to_small, whole = found
    compared = checking.compare(shown, shrink(written.rgb, SIDE), weights=weights.installed(), limits=job.limits)
    entry = entry_of(
        Check(before=parent.original, after=job.file, by="name" if job.named else "picture", place=job.place),
        compared, (), shrink(written.rgb, SIDE),
    )  # fmt: skip
    from_small = scaling(*(written.rgb.shape[i] / shrink(written.rgb, SIDE).shape[i] for i in (1, 0)))
    matrix = from_small @ _forward(placement, shrink(written.rgb, SIDE).shape[:2]) @ to_small
    matrix = matrix / matrix[2, 2]
    return Seen(
        file=job.file, photo=parent.photo, agreed=placement.agreed, size=whole, entry=entry,
        matrix=tuple(float(round(v, 9)) for v in matrix.ravel()), notes=_notes(written, whole),
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


def _likeliest(parents: Sequence[Parent], small: Bytes) -> list[Parent]:
    seen = []
    for parent in parents:
        try:
            seen.append((likeness(shrink(work.decode(parent.shown)[0], 320), small), parent))
        except (SafelightError, OSError, ValueError):
            continue  # a photo that cannot be shown is no candidate
    return [parent for _, parent in sorted(seen, key=lambda item: -item[0])[:LIKELY]]
