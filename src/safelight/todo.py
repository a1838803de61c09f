"""Which jobs a run has, and what the answers mean: files to identify, then pictures to look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from safelight import ingest, weights, work
from safelight.engine import Again
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.store.records import File, Shoot
from safelight.workers import Lost

OFTEN = 3  # photos at which a probe is cut off, and more than half of those looked at, before it is left out


class Todo:
    """The jobs of one run over a folder."""

    def __init__(
        self, library: Library, folder: ShootFolder, shoot: Shoot, plan: ingest.Plan, keys: Mapping[str, str]
    ) -> None:
        self.library, self.folder, self.plan, self.keys = library, folder, plan, keys
        self.weights = weights.installed()
        self.fresh = {seen.path: seen for seen in plan.fresh}
        self.total = len(self.fresh)
        self.raw_failed = {f.path for f in plan.same if f.error is not None}
        self.again = self._unmeasured()
        self.total += len(self.again)
        self.records: dict[str, str] = {}  # asset id → record id, where they differ
        self.before = records.files(library, shoot.id)
        self.settled: set[str] = set()  # identified, and nothing more to do
        self.behind_raws: list[work.Identity] = []  # camera JPEGs that their raw speaks for
        self.looked = 0
        self.cut: dict[str, set[str]] = {}  # probe label → photos at which it was cut off

    def _unmeasured(self) -> list[File]:
        """Known files that some probe has not looked at: a new version, new weights, or a run that was cut short."""
        alone = [f for f in self.plan.same if f.asset and self._pair(f.path) is None]
        files = {f.relinked_from or str(f.asset): f for f in alone}
        done = records.measured(self.library, files)
        return [f for key, f in files.items() if any((key, k) not in done for k in self.keys.values())]

    def jobs(self) -> Iterator[tuple[Callable[[Any], Any], Any]]:
        """Raws and pictures first, then camera JPEGs beside a raw: their raw decides whether they are looked at."""
        known = records.assets(self.library, [str(f.asset) for f in self.again])
        for file in self.again:
            yield work.look, self._look(file.path, known[str(file.asset)], file.relinked_from or str(file.asset))
        for path in sorted(self.fresh, key=lambda p: p in self.plan.pairs):
            yield work.identify, work.Identify(path=path, full=self.folder.root / path)

    def follow_up(self, result: Any) -> tuple[Callable[[Any], Any], Any] | None:
        """After a file is identified, the probes look at it, unless they have or its raw speaks for it."""
        if not isinstance(result, work.Identity):
            self.looked += 1
            if result.error:
                self.raw_failed.add(result.path)
            return None
        if result.asset is None:
            self.raw_failed.add(result.path)
        elif self._wants_a_look(result):
            return work.look, self._look(result.path, result.asset, self._record(result))
        self.settled.add(result.path)
        return None

    def _wants_a_look(self, identity: work.Identity) -> bool:
        record = self._record(identity)
        if self._pair(identity.path) is not None:
            self.behind_raws.append(identity)
            return False
        done = records.measured(self.library, [record])
        return not all((record, key) in done for key in self.keys.values())

    def rescue(self, job: Any, lost: Lost) -> Any:
        """As `work.rescue`; a probe that was cut off often is left out for the rest of the run."""
        found = work.rescue(job, lost)
        if isinstance(found, Again):
            self.cut.setdefault(lost.step, set()).add(job.path)
        return found

    def _without(self) -> dict[str, str]:
        return {
            label: f"{label} was cut off at {len(photos)} photos and left out for the rest of this run"
            for label, photos in self.cut.items()
            if len(photos) >= OFTEN and 2 * len(photos) > self.looked
        }

    def orphans(self) -> Iterator[tuple[Callable[[Any], Any], Any]]:
        """Camera JPEGs whose raw turned out to be unreadable after all: they are the photo now."""
        for identity in self.behind_raws:
            if self.plan.pairs[identity.path] in self.raw_failed and identity.asset is not None:
                yield work.look, self._look(identity.path, identity.asset, self._record(identity))

    def finished(self, result: Any) -> bool:
        """Whether a file has had its last job."""
        return isinstance(result, work.Looked) or result.path in self.settled

    def _look(self, path: str, asset: Any, record: str) -> work.Look:
        full = self.folder.root / path
        return work.Look(
            path=path, full=full, asset=asset, keys=self.keys, weights=self.weights,
            proxy=self.folder.cached(record), without=self._without(),
        )  # fmt: skip

    def _pair(self, path: str) -> str | None:
        raw = self.plan.pairs.get(path)
        return None if raw is None or raw in self.raw_failed else raw

    def _record(self, identity: work.Identity) -> str:
        """The record a file belongs to. A file whose bytes changed while its picture did not keeps its record."""
        assert identity.asset is not None
        asset = identity.asset
        if asset.id in self.records:
            return self.records[asset.id]
        before = self.before.get(identity.path)
        record = asset.id
        if asset.content is not None and before is not None and before.asset not in (None, asset.id):
            old = records.assets(self.library, [str(before.asset)]).get(str(before.asset))
            if old is not None and old.content == asset.content:
                record = before.relinked_from or old.id
        elif asset.content is not None and before is None:
            record = self._moved(asset.content) or asset.id
        self.records[asset.id] = record
        return record

    def _moved(self, content: str) -> str | None:
        """The record of a file that was renamed and rewritten at once: its old place is empty now."""
        old = records.assets_by_content(self.library, [content]).get(content)
        gone = {f.relinked_from or f.asset for f in self.plan.gone}
        return old if old in gone else None

    def record_id(self, looked: work.Looked) -> str:
        """Under which id evidence about a file is kept."""
        return self.records.get(looked.asset.id) or next(
            (f.relinked_from for f in self.again if f.path == looked.path and f.relinked_from), looked.asset.id
        )

    def file(self, identity: work.Identity) -> File:
        """The row of an identified file."""
        seen = self.fresh[identity.path]
        base = File(path=seen.path, asset=None, size=seen.size, mtime_ns=seen.mtime_ns)
        if identity.asset is None:
            return replace(base, error=identity.error)
        record = self._record(identity)
        relinked = record if record != identity.asset.id else None
        return replace(base, asset=identity.asset.id, relinked_from=relinked)

    def failed_file(self, looked: work.Looked) -> File:
        """The row of a file that could be identified and not decoded."""
        seen = self.fresh.get(looked.path)
        known = self.before.get(looked.path)
        size, mtime_ns = (seen.size, seen.mtime_ns) if seen else (known.size, known.mtime_ns) if known else (0, 0)
        return File(path=looked.path, asset=None, size=size, mtime_ns=mtime_ns, error=looked.error)
