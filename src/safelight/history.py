"""A record from what a studio decided before Safelight: kept against rejected pictures in old catalogues.

Each such decision is compared with what the machine proposes for the same photo, and enters the ledger marked as
imported. It teaches the bet on how soon a licence comes and never counts as evidence for one: nobody drew it by coin,
and nobody saw the proposal. What somebody has decided here stays, and what a coin drew to be looked at waits for that.

Catalogues name photos by paths that may have moved since, and `RAW/IMG_0001` is in many shoots. A wrong match would let
go of a photo that was kept. So a photo is known again by its name, the second it was taken and as many of its folders
as agree; where no time is known all folders from the shoot's own on have to agree. Whatever fits twice is left alone.
"""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from safelight import earned, sidecars, verdicts
from safelight.clock import Clock, Tell
from safelight.domain import Cull, Drawn, Say
from safelight.errors import UsageError
from safelight.ledger_rows import IMPORTED
from safelight.state import Photo, ShootState
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.words import many

TABLES = ("Adobe_images", "AgLibraryFile", "AgLibraryFolder", "AgLibraryRootFolder")
CATALOGUE = """
select root.absolutePath || folder.pathFromRoot || file.baseName || '.' || file.extension, image.pick, image.rating,
    {taken}
from Adobe_images image
join AgLibraryFile file on file.id_local = image.rootFile
join AgLibraryFolder folder on folder.id_local = file.folder
join AgLibraryRootFolder root on root.id_local = folder.rootFolder
where image.masterImage is null and (image.pick <> 0 or image.rating <> 0)
limit {most}
"""
MOST, LONGEST, SECONDS = 3_000_000, 1_000_000, 120  # decisions, bytes of one text, and seconds for a whole catalogue
SECOND = len("2026-05-02T14:03:11")
STEPS = 100_000  # of the database, between two looks at the clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """What a catalogue says of one photo: its path, in parts and small letters, whether it was kept, and the second it
    was taken (empty: not known)."""

    parts: tuple[str, ...]
    kept: bool
    taken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of an import: decisions taken; those about photos that this library does not know, that could be about
    several, and that are left to what was or will be decided here; and lines about what could not be read."""

    taken: int
    unknown: int = 0
    unclear: int = 0
    left: int = 0
    troubles: tuple[str, ...] = ()

    def words(self) -> str:
        """As a few sentences."""
        lost = {
            "about photos that were never run": self.unknown,
            "not taken, since they could be about several photos": self.unclear,
            "left to what was decided here, or is to be looked at": self.left,
        }
        said = f"{many(self.taken, 'earlier decision was', 'earlier decisions were')} taken into the record, marked as"
        told = [f"{said} imported.", *(f"{many(n, 'is', 'are')} {what}." for what, n in lost.items() if n)]
        return "\n".join([" ".join(told), *self.troubles])


def take(library: Library, path: Path, *, by: str, tell: Tell) -> Taken:
    """Takes decisions from a Lightroom catalogue (`.lrcat`) or from the sidecars of a shoot's folder, and tells how far
    it is. Raises UsageError for what is neither, and where nothing was ever run on the folder."""
    if path.is_dir():
        return _folder(library, path, by=IMPORTED + by)
    if path.suffix.lower() == ".lrcat":
        return _catalogue(library, path, by=IMPORTED + by, tell=tell)
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
    state = ShootState.load(library, shoot, evidence=False)
    found = sidecars.sync(library, where, state, by=by, held=_held(library, state))
    troubles = [f"Not taken, {item['path']}: {item['cause']}." for item in found["conflicts"]]
    troubles += [f"Cannot be read: {item['path']} ({item['cause']})." for item in found["unreadable"]]
    return Taken(taken=len(found["taken"]), left=found["held"], troubles=tuple(troubles))


def _held(library: Library, state: ShootState) -> frozenset[tuple[str, str]]:
    """(photo, operator) that no earlier decision may answer: a person has decided here, or a coin drew it from what is
    done alone, so that one has to look."""
    coins = earned.coins(library, state.shoot.id)
    drawn = {item for item, coin in coins.items() if coin.lot is not None and coin.drawn is not Drawn.REVIEW}
    return frozenset(drawn | {(photo.id, name) for photo in state.photos.values() for name in photo.standing})


# ---------------------------------------------------------------- catalogues


def _catalogue(library: Library, path: Path, *, by: str, tell: Tell) -> Taken:
    said = ratings(path)
    by_name: dict[str, list[int]] = defaultdict(list)
    for i, old in enumerate(said):
        by_name[old.parts[-1]].append(i)
    shoots = [(shoot, ShootState.load(library, shoot, evidence=False)) for shoot in records.shoots(library)]
    fits: list[tuple[int, str, int]] = []  # how many parts agree, the photo, the decision
    for shoot, state in shoots:
        for photo in state.photos.values():
            here = _parts(str(Path(shoot.root) / photo.path))
            inside = 1 + len(PurePosixPath(photo.path).parts)  # its path in the shoot, and the shoot's folder
            for i in by_name.get(here[-1], ()):
                agree = _agreeing(here, said[i].parts)
                taken = (photo.asset.capture.at or "")[:SECOND]
                if taken == said[i].taken if taken and said[i].taken else agree >= inside:
                    fits.append((agree, f"{shoot.id}/{photo.id}", i))
    of_photo, unclear = _matched(fits)
    count = left = 0
    clock = Clock("take in", len(of_photo), tell)
    for shoot, state in shoots:
        held = _held(library, state)
        for photo in state.photos.values():
            which = of_photo.get(f"{shoot.id}/{photo.id}")
            if which is None:
                continue
            if (photo.id, "cull") in held or "cull" not in photo.proposals:
                left += 1
            else:
                count += _decided(library, state, photo, kept=said[which].kept, by=by)
            clock.step()
    return Taken(
        taken=count, unknown=len(said) - len({i for _, _, i in fits}), unclear=len(unclear), left=left,
    )  # fmt: skip


def _matched(fits: Sequence[tuple[int, str, int]]) -> tuple[Mapping[str, int], frozenset[int]]:
    """Which decision is about which photo, where each is the only best of the other; and the decisions that are about
    no photo for sure. A photo that several old paths name as well, all deciding the same, is unclear all the same."""
    best_of_photo, best_of_old = _best((p, a, i) for a, p, i in fits), _best((i, a, p) for a, p, i in fits)
    sure = {
        photo: olds[0] for photo, olds in best_of_photo.items() if len(olds) == 1 and best_of_old[olds[0]] == [photo]
    }
    return sure, frozenset(best_of_old) - frozenset(sure.values())


def _best(fits: Iterable[tuple[Any, int, Any]]) -> dict[Any, list[Any]]:
    """For each, those that agree most with it."""
    most: dict[Any, tuple[int, list[Any]]] = {}
    for one, agree, other in fits:
        before, there = most.get(one, (0, []))
        if agree > before:
            most[one] = agree, [other]
        elif agree == before:
            there.append(other)
    return {one: there for one, (_, there) in most.items()}


def _decided(library: Library, state: ShootState, photo: Photo, *, kept: bool, by: str) -> int:
    params = {"decision": (Cull.KEEP if kept else Cull.REJECT).value, "tie_with": ""}
    saying = verdicts.Saying(say=Say.MODIFY, by=by, operators=("cull",), params=params)
    return len(verdicts.decide(library, state, [photo], saying).verdicts)


def ratings(path: Path) -> Sequence[Old]:
    """What a Lightroom catalogue says: flagged or rated is kept, a reject flag is not, anything else says nothing. The
    catalogue is opened read-only, and nothing in it can keep the program busy for ever. Raises UsageError."""
    if not path.is_file():
        raise UsageError(f"There is no catalogue {path}.", remedy="Name the .lrcat file.")
    for behind in ("-wal", "-journal"):
        beside = path.with_name(path.name + behind)
        if beside.is_file() and beside.stat().st_size:
            raise UsageError(
                f"The catalogue {path.name} is in use: {beside.name} holds what is not in it yet.",
                remedy="Close Lightroom, or copy the catalogue once it is closed.",
            )
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            rows = _rows(connection, path.name)
    except sqlite3.Error as error:
        raise UsageError(
            f"The catalogue {path.name} cannot be read ({error}).", remedy="Close Lightroom, or name a copy of it."
        ) from error
    found = []
    for name, pick, rating, taken in rows:
        flag, stars = (value if isinstance(value, int | float) else 0 for value in (pick, rating))
        if isinstance(name, str) and (flag or stars) and (parts := _parts(name)):
            when = taken[:SECOND] if isinstance(taken, str) and len(taken) >= SECOND else ""
            found.append(Old(parts=parts, kept=flag >= 0, taken=when))
    return found


def _rows(connection: sqlite3.Connection, name: str) -> Sequence[tuple[Any, ...]]:
    end = time.monotonic() + SECONDS
    connection.text_factory = lambda data: data.decode("utf-8", "replace")  # one odd name is one photo not found
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    marks = ",".join("?" * len(TABLES))
    known = f"select count(*) from sqlite_master where type = 'table' and name in ({marks})"  # noqa: S608 - ours
    if connection.execute(known, TABLES).fetchone() != (len(TABLES),):
        raise UsageError(
            f"{name} is no Lightroom catalogue.", remedy="Name the .lrcat file that Lightroom opens, or a copy of it."
        )
    columns = {row[1] for row in connection.execute("pragma table_info(Adobe_images)")}
    taken = "image.captureTime" if "captureTime" in columns else "null"
    return connection.execute(CATALOGUE.format(taken=taken, most=MOST)).fetchall()


def _parts(path: str) -> tuple[str, ...]:
    pure = PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
    return tuple(part.lower() for part in pure.parts)


def _agreeing(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts of two paths agree, from their ends on."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
