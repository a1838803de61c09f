"""What programs call: the same functions that the command line calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from safelight import deliver as delivering
from safelight import explain, ledger, line, queue, report, verdicts
from safelight import propose as proposing
from safelight.deliver import Order
from safelight.domain import Asset, Genre, Say, Verdict
from safelight.errors import UsageError
from safelight.line import Options, Pass, Progress
from safelight.operators import Wishes
from safelight.report import trust
from safelight.state import Footage, Photo, ShootState
from safelight.store import carried, records
from safelight.store import library as store
from safelight.store.objects import ShootFolder
from safelight.store.records import Shoot


def silent(progress: Progress) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Library:
    """A studio's library, open. Use it in a `with`, or close it."""

    store: store.Library

    @classmethod
    def open(cls, path: Path | str | None = None) -> Self:
        """Opens (and makes, where it is new) the library in folder `path`, by default the user's own.
        Raises LibraryError if it is damaged, locked or on a network file system."""
        return cls(store.Library.open(path))

    def run(
        self, folder: Path | str, *, options: Options | None = None, cache: Path | None = None,
        tell: Callable[[Progress], None] = silent,
    ) -> Pass:  # fmt: skip
        """Makes the first pass over a folder and writes its report, and beside it where every task stands. Raises
        NothingFound, UsageError or LibraryError; a bad file raises nothing and is listed in the state's `failed`."""
        where = ShootFolder.at(Path(folder), cache=cache)
        made = line.first_pass(self.store, where, options or Options(), tell)
        if made.changed or not report.path_of(where).exists():
            report.write(self.store, ShootState.load(self.store, made.shoot), where)
            trust.write(ledger.document(self.store), report.path_of(where).with_name("trust.html"))
        return replace(made, report=report.path_of(where))

    def deliver(
        self,
        folder: Path | str,
        to: Path | str,
        *,
        order: Order | None = None,
        cache: Path | None = None,
        tell: Callable[[Progress], None] = silent,
    ) -> dict[str, Any]:
        """Writes the finished files of a shoot to an empty folder and returns the manifest (`safelight.delivery/1`).
        Raises Refused where questions are open and the order is no draft."""
        where = ShootFolder.at(Path(folder), cache=cache)
        chosen = replace(order or Order(to=Path(to)), to=Path(to))
        return delivering.deliver(self.store, where, self.state(folder, cache=cache), chosen, tell=tell)

    def shoots(self) -> list[Shoot]:
        """All shoots that were ever run."""
        return records.shoots(self.store)

    def state(self, folder: Path | str, *, cache: Path | None = None, evidence: bool = True) -> ShootState:
        """The current state of a shoot, without evidence if that is not asked for. Raises UsageError if nothing was
        ever run on this folder."""
        where = ShootFolder.at(Path(folder), cache=cache)
        known = where.shoot_id()
        shoot = records.shoot_of(self.store, known) if known else None
        if shoot is None:
            raise UsageError(f"{where.root} is not in the library.", remedy=f"safelight run {where.root}")
        return ShootState.load(self.store, shoot, evidence=evidence)

    def propose(self, folder: Path | str, *, only: Sequence[str]) -> ShootState:
        """Asks these operators anew what they would do with what is known of a shoot; nothing is looked at again."""
        rules = ledger.rules(self.store)
        record = ledger.record(self.store, rules)
        asked = proposing.Asked(rules=rules, wishes=Wishes(), record=record, only=tuple(only))
        proposing.propose(self.store, self.state(folder), asked)
        return self.state(folder)

    def queue(
        self, folder: Path | str, *, task: str = queue.EVERYTHING, cache: Path | None = None
    ) -> tuple[ShootState, queue.Queue]:
        """A shoot, and what of it waits for a person, photos and cuts of clips, worst first."""
        where, state = ShootFolder.at(Path(folder), cache=cache), self.state(folder, cache=cache)
        return state, queue.waiting(self.store, state, where, ledger.rules(self.store), task=task, clips=True)

    def assets(self, folder: Path | str | None = None) -> list[Asset]:
        """All readable originals of a shoot, or of every shoot."""
        if folder is not None:
            state = self.state(folder)
            return [p.asset for p in state.photos.values()] + [c.asset for c in state.clips.values()]
        found: dict[str, Asset] = {}
        for shoot in self.shoots():
            ids = [str(f.asset) for f in records.files(self.store, shoot.id).values() if f.asset]
            found |= records.assets(self.store, ids)
        return list(found.values())

    def explain(self, asset: Asset | str | Path, *, folder: Path | str | None = None) -> dict[str, Any]:
        """The entry of `safelight.explain/1` for an asset, its id, or its path. Raises UsageError if it is unknown."""
        for state in self._states(asset, folder):
            photo, clip = _find(state, asset), _find_clip(state, asset)
            if photo is not None or clip is not None:
                photos, clips = [photo] if photo else [], [clip] if clip and not photo else []
                found: dict[str, Any] = explain.document(self.store, state, photos, clips=clips)["assets"][0]
                return found
        raise UsageError(f"{asset} is not in the library.", remedy="Run `safelight run` on its folder first.")

    def verdict(
        self, folder: Path | str, photos: Sequence[str], *, operator: str | None, say: Say | str, by: str,
        params: Mapping[str, Any] | None = None, reason: str = "", note: str = "", seconds: float | None = None,
    ) -> tuple[Verdict, ...]:  # fmt: skip
        """Records what a person decides about photos and clips (paths or ids) of a shoot; without an operator, of all
        that is proposed. Raises UsageError before anything is written."""
        state = self.state(folder, evidence=False)
        saying = verdicts.Saying(
            say=Say(say), by=by, operators=(operator,) if operator else (), params=params, reason=reason, note=note,
            seconds=seconds,
        )  # fmt: skip
        said = verdicts.decide(self.store, state, [state.named(p) for p in photos], saying)
        self.carry(state)
        return said.verdicts

    def carry(self, state: ShootState, *, cache: Path | None = None) -> None:
        """Brings the copy of the record that travels with a shoot's folder up to date."""
        carried.write(self.store, ShootFolder.at(Path(state.shoot.root), cache=cache), state.shoot.id)

    def close(self) -> None:
        """Gives the database back."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _states(self, asset: Asset | str | Path, folder: Path | str | None) -> list[ShootState]:
        if folder is not None:
            return [self.state(folder)]
        path = asset if isinstance(asset, Path) else None
        shoots = self.shoots()
        if path is not None:
            full = path.expanduser().resolve()
            shoots = [s for s in shoots if Path(s.root) in full.parents]
        return [ShootState.load(self.store, shoot) for shoot in shoots]


def _find(state: ShootState, asset: Asset | str | Path) -> Photo | None:
    if isinstance(asset, Asset):
        asset = asset.id
    if isinstance(asset, Path):
        asset = str(asset.expanduser().resolve().relative_to(state.shoot.root))
    found = state.by_path.get(asset) or state.photos.get(asset)
    return found or next((p for p in state.photos.values() if p.asset.id == asset), None)


def _find_clip(state: ShootState, asset: Asset | str | Path) -> Footage | None:
    if isinstance(asset, Path):
        asset = str(asset.expanduser().resolve().relative_to(state.shoot.root))
    name = asset.id if isinstance(asset, Asset) else asset
    return state.clips.get(name) or next((c for c in state.clips.values() if c.asset.id == name), None)


def run(
    folder: Path | str, *, library: Path | str | None = None, only: Sequence[str] = (), policy: Path | None = None,
    jobs: int | None = None, engine: str = "process", target: int | None = None,
    genre: Genre | str | None = None, ratio: str | None = None,
) -> Pass:  # fmt: skip
    """Makes the first pass over a folder with the user's library, or the one named."""
    wishes = Wishes(target=target, genre=None if genre is None else Genre(genre), ratio=ratio)
    options = Options(only=tuple(only), policy=policy, jobs=jobs, engine=engine, wishes=wishes)
    with Library.open(library) as opened:
        return opened.run(folder, options=options)
