"""A retoucher's file back: an edit of its own of the photo it was made from, after the gate has looked at it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight import engine, verdicts
from safelight.deliver.limits import of_studio
from safelight.domain import Cull, Edit, Input, Say, Version, digest_of
from safelight.errors import Refused, SafelightError, Truncated, UsageError
from safelight.handoff.out import BRIEF
from safelight.handoff.recognise import Job, Parent, Seen, rescue, see
from safelight.operators import Stage
from safelight.plugins import operator
from safelight.state import Photo, ShootState
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder

OPERATOR = "external"


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
        file=file, named=named.id if named else None, sure=of is not None, parents=parents, state=where.state,
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
    records.save_versions(library, state.shoot.id, [(photo.id, version)], checkpoint="returned")
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
    if seen.either:
        names = " and ".join(state.photos[photo].path for photo in seen.either)
        raise Refused(
            f"{file.name} is as much like {names}, which are frames of one motif.",
            remedy="Name the photo it was made from with --of.",
        )
    if seen.mirrored and named is not None:
        raise Refused(
            f"{file.name} shows {named.path} mirrored.", remedy="Have it turned over again, and sent as it was shot."
        )
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
    remedy = "Have it sent again." if error["code"] == Truncated.code else error["remedy"]
    return kinds.get(error["code"], SafelightError)(error["cause"], remedy=remedy)


def _kinds(kind: type[SafelightError]) -> Iterable[type[SafelightError]]:
    yield kind
    for lower in kind.__subclasses__():
        yield from _kinds(lower)
