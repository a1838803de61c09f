"""A record from what a studio decided before Safelight: kept against rejected pictures in old catalogues.

Each such decision is compared with what the machine proposes for the same photo, and enters the ledger marked as
imported. It teaches the bet on how soon a licence comes and never counts as evidence for one: nobody drew it by coin,
and nobody saw the proposal.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from safelight import sidecars, verdicts
from safelight.domain import Cull, Say
from safelight.errors import UsageError
from safelight.ledger_rows import IMPORTED
from safelight.state import ShootState
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder

CATALOGUE = """
select root.absolutePath || folder.pathFromRoot || file.baseName || '.' || file.extension, image.pick, image.rating
from Adobe_images image
join AgLibraryFile file on file.id_local = image.rootFile
join AgLibraryFolder folder on folder.id_local = file.folder
join AgLibraryRootFolder root on root.id_local = folder.rootFolder
where image.masterImage is null
"""
TAIL = 2  # folder and name, by which a photo is known again when its disk has another name now


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of an import: decisions taken, and those about photos that this library does not know."""

    taken: int
    unknown: int

    def words(self) -> str:
        """As a sentence."""
        lost = f" {self.unknown:,} are about photos that were never run." if self.unknown else ""
        return f"{self.taken:,} earlier decisions were taken into the record, marked as imported.{lost}"


def take(library: Library, path: Path, *, by: str) -> Taken:
    """Takes decisions from a Lightroom catalogue (`.lrcat`) or from the sidecars of a shoot's folder. Raises UsageError
    for what is neither, and where nothing was ever run on the folder."""
    if path.is_dir():
        return _folder(library, path, by=IMPORTED + by)
    if path.suffix.lower() == ".lrcat":
        return _catalogue(library, path, by=IMPORTED + by)
    raise UsageError(
        f"{path.name} is neither a shoot's folder nor a Lightroom catalogue.",
        remedy="Name a folder with sidecars or a .lrcat file; a ledger is looked at with --replay.",
    )


def _folder(library: Library, path: Path, *, by: str) -> Taken:
    where = ShootFolder.at(path)
    known = where.shoot_id()
    shoot = records.shoot_of(library, known) if known else None
    if shoot is None:
        raise UsageError(f"{where.root} is not in the library.", remedy=f"safelight run {where.root}")
    found = sidecars.sync(library, where, ShootState.load(library, shoot, evidence=False), by=by)
    return Taken(taken=len(found["taken"]), unknown=0)


def _catalogue(library: Library, path: Path, *, by: str) -> Taken:
    wanted = ratings(path)
    left = dict(wanted)
    taken = 0
    for shoot in records.shoots(library):
        state = ShootState.load(library, shoot, evidence=False)
        for photo in state.photos.values():
            key = _tail(str(Path(shoot.root) / photo.path))
            kept = left.pop(key, None)
            if kept is None or "cull" in photo.standing or "cull" not in photo.proposals:
                continue
            decision = Cull.KEEP if kept else Cull.REJECT
            saying = verdicts.Saying(
                say=Say.MODIFY, by=by, operators=("cull",), params={"decision": decision.value, "tie_with": ""}
            )
            taken += len(verdicts.decide(library, state, [photo], saying).verdicts)
    return Taken(taken=taken, unknown=len(left))


def ratings(path: Path) -> Mapping[tuple[str, ...], bool]:
    """Whether each photo of a Lightroom catalogue was kept, by the end of its path: flagged or rated is kept, a reject
    flag is not, anything else says nothing. The catalogue is opened read-only. Raises UsageError."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            rows = connection.execute(CATALOGUE).fetchall()
    except sqlite3.Error as error:
        raise UsageError(
            f"The catalogue {path.name} cannot be read ({error}).", remedy="Close Lightroom, or name a copy of it."
        ) from error
    return {_tail(name): pick >= 0 for name, pick, rating in rows if name and (pick or rating)}


def _tail(path: str) -> tuple[str, ...]:
    pure = PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
    return tuple(part.lower() for part in pure.parts[-TAIL:])
