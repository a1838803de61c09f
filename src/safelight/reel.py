"""The stages of a run that look at clips and sounds: who they are, what is heard, what is seen, what can be mended.

Reading every byte of a large file takes minutes. So a large one that nothing else could be is looked at first under the
name of its place (`Watch.quick`), while its bytes are read in the background; everything that was found waits here
until its true name is known, and only then goes into the library. Nothing that a person or a client relies on is ever
written under a name that is not that of the bytes. A run that is killed before finds what was heard in the cache again.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from safelight import engine, footage, ingest, listening, mending, placing, weights
from safelight.clock import Clock, Tell, Unit
from safelight.domain import Asset, Kind, Measure, digest_of
from safelight.files import write_atomic
from safelight.state import ShootState
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.store.records import File, Shoot

LARGE = 1 << 28  # bytes; a hard disk reads so much in two seconds
BEGUN = "!"  # behind the key of an answer that is not the last
NAMED = ".named"  # suffix of the note in the cache that says what a file is that was looked at by its place
HELD = 8  # recordings whose words are held at a time while it is seen what can be mended

_Lasting = listening.Listen | footage.See | mending.Mend
Found = tuple[str, str, str, Sequence[Measure]]  # asset, by, key, measures


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A file that is looked at before its bytes are known, and what was found so far."""

    job: footage.Watch
    asset: Asset
    seen: tuple[int, int]  # size and time of change
    found: list[Found] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Reel:
    """The clips and sounds of one run."""

    library: Library
    folder: ShootFolder
    shoot: Shoot
    plan: ingest.Plan
    executor: Executor
    width: int
    tell: Tell
    troubles: list[str]
    waiting: dict[str, _Waiting] = field(default_factory=dict)  # by the name of their place
    names: dict[str, str | None] = field(default_factory=dict)  # name of a place → asset; None: what was found is void
    tried: set[str] = field(default_factory=set)  # whose bytes a worker was asked to read
    flying: "dict[str, Future[footage.Watched]]" = field(default_factory=dict)  # their bytes are being read

    def run(self) -> int:
        """All stages; how many files were new."""
        if not (self.plan.clips or self.plan.same_clips):
            return 0
        self._rename()
        fresh = self.watch()
        places = self.listen()
        self.see()
        self.name()
        self.place(places)
        self.mend()
        return fresh

    # ------------------------------------------------------------ who they are

    def watch(self) -> int:
        """Looks at clips and sounds that are new, or that nobody has looked at with this version; how many."""
        done = records.measured(self.library, [str(f.asset) for f in self.plan.same_clips if f.asset])
        again = [f for f in self.plan.same_clips if f.asset and (str(f.asset), footage.KEY) not in done]
        seen = {f.path: (f.size, f.mtime_ns) for f in again} | {
            s.path: (s.size, s.mtime_ns) for s in self.plan.clips
        }  # fmt: skip
        large, clock = self._large(), Clock("watch", len(seen), self.tell)
        jobs = [self._watch(path, quick=path in large) for path in sorted(seen)]
        for watched in engine.stream(
            self.executor, self.width, iter([(footage.watch, job) for job in jobs]), rescue=footage.rescue
        ):
            if watched.path in large and watched.asset is not None:
                self.waiting[watched.asset.id] = _Waiting(
                    job=self._watch(watched.path), asset=watched.asset, seen=seen[watched.path]
                )
            else:
                self._know(watched, seen[watched.path])
            clock.step()
        return len(seen)

    def _watch(self, path: str, *, quick: bool = False) -> footage.Watch:
        return footage.Watch(
            path=path, full=self.folder.root / path, cache=self.folder.state / "cache",
            quick=self.shoot.id if quick else None,
        )  # fmt: skip

    def _large(self) -> set[str]:
        """Paths of new files that are looked at before all their bytes are read: large ones, of a size that no file of
        the studio had before, since what is known already need not be looked at again."""
        sizes = Counter(s.size for s in self.plan.clips)
        alone = [s for s in self.plan.clips if s.size >= LARGE and sizes[s.size] == 1]
        known = records.known_sizes(self.library, [s.size for s in alone])
        return {s.path for s in alone if s.size not in known}

    def _know(self, watched: footage.Watched, seen: tuple[int, int], found: Sequence[Found] = ()) -> None:
        """Writes who a file is, and what was found of it."""
        asset, (size, mtime_ns) = watched.asset, seen
        records.save_assets(self.library, [asset] if asset is not None else [])
        if asset is not None:
            own = [(asset.id, footage.CLIP, footage.KEY, watched.measures)]
            records.save_evidence(self.library, [*own, *((asset.id, *row[1:]) for row in found)])
        name = asset.id if asset else None
        file = File(path=watched.path, asset=name, size=size, mtime_ns=mtime_ns, error=watched.error)
        records.save_files(self.library, self.shoot.id, [file])

    # ------------------------------------------------------------ what they hold

    def listen(self) -> placing.Places:
        """Hears clips and sounds that nobody has heard with these weights: silences, speech, words; and which of them
        are of one event."""
        key, together = listening.key(), self._together()
        compared = {r.asset: r.wave for r in together.recordings}
        jobs = [
            listening.Listen(
                asset=a.id, full=self.folder.root / path, seconds=float(a.duration_s or 600), place=self._heard(a.id),
                portrait=self.folder.cached(a.id) if a.kind is Kind.AUDIO else None, again=again,
                compared=compared[a.id] if len(compared) > 1 else None,
            )
            for path, a, again in self._without(key)
        ]  # fmt: skip
        clock = self._clock("listen", jobs)

        def save(asset: str, measures: Sequence[Measure], last: bool) -> None:
            kept = key if last else key + BEGUN  # only the last answer says that nothing is left
            self._save((asset, listening.HEARD, kept, measures))

        return listening.listen(self.executor, self.width, jobs, save, clock, together)

    def _heard(self, asset: str) -> Path:
        return self.folder.state / "cache" / asset[:2] / f"{asset}.heard"

    def _together(self) -> listening.Together:
        """All recordings of the shoot, and what earlier runs know of them."""
        state = ShootState.load(self.library, self.shoot, evidence=False)
        known = {c.asset.id: (c.path, c.asset) for c in state.clips.values()}
        done = records.measured(self.library, known)
        known |= {w.asset.id: (w.job.path, w.asset) for w in self.waiting.values()}
        told = records.evidence(self.library, list(known), names=("sync",))
        places = {asset: placing.Placed.of(asset, found["sync"][0]) for asset, found in told.items()}
        return listening.Together(
            recordings=tuple(
                placing.Recording(
                    asset=a.id, full=self.folder.root / path, seconds=float(a.duration_s or 600),
                    wave=self._heard(a.id) / "compared", camera=a.capture.camera, at=_moment(a.capture.at),
                    fresh=(a.id, self._placed_key) not in done, event=one.event if one else None,
                )
                for path, a in known.values() for one in [places.get(a.id)]
            ),
            paths={asset: path for asset, (path, _) in known.items()},
            facts=self._facts,
        )  # fmt: skip

    def _facts(self, asset: str, names: Sequence[str]) -> dict[str, Measure]:
        found = records.evidence(self.library, [asset], names=names).get(asset, {})
        return {name: measure for name, (measure, _) in found.items()}

    @property
    def _placed_key(self) -> str:
        """Under which it is noted that a recording was compared with the others of this shoot."""
        return digest_of([placing.SYNC, self.shoot.id])[:24]

    def place(self, places: placing.Places) -> None:
        """Writes which recordings are of one event, now that all have their names."""
        rows: list[Found] = []
        for asset, measures in places.measures(self.names):
            rows.append((asset, placing.SYNC, self._placed_key, measures))
        records.save_evidence(self.library, rows)

    def see(self) -> None:
        """Looks at every frame of clips that nobody has looked at with this version: shots, faults."""
        key, installed = footage.seen_key(), weights.installed()
        jobs = [
            footage.See(
                asset=a.id, full=self.folder.root / path, place=self.folder.cached(a.id), weights=installed,
                seconds=float(a.duration_s or 600),
            )
            for path, a, _ in self._without(key)
            if a.kind is Kind.VIDEO
        ]  # fmt: skip
        for seen in self._counted("see", footage.see, jobs, footage.lost_picture):
            self._save((seen.asset, footage.SEEN, key, seen.measures))

    def mend(self) -> None:
        """Tries the repair of sounds in which faults or noise were heard, once all is known of them."""
        key = mending.key(listening.key())
        for mended in self._counted("mend", mending.mend, list(self._to_mend(key)), mending.lost):
            kept = key + BEGUN if mended.again else key
            records.save_evidence(self.library, [(mended.asset, mending.MENDED, kept, [mended.measure])])

    def _to_mend(self, key: str) -> Iterator[mending.Mend]:
        """What has no answer under this key and something to mend; of what was heard, which is large where it lasts
        for hours, a few recordings are held at a time."""
        state = ShootState.load(self.library, self.shoot, evidence=False)
        clips = {c.asset.id: c for c in state.clips.values()}
        done = records.measured(self.library, clips)
        names = [name for name in clips if (name, key) not in done]
        for first in range(0, len(names), HELD):
            known = records.evidence(self.library, names[first : first + HELD], names=mending.NEEDS)
            for name, facts in known.items():
                asset, full = clips[name].asset, self.folder.root / clips[name].path
                told = {fact: measure for fact, (measure, _) in facts.items()}
                job = mending.asked(name, full, float(asset.duration_s or 600), told)
                if job is not None:
                    yield job

    def _clock(self, stage: str, jobs: Sequence[_Lasting]) -> Clock:
        """Counts the seconds of recordings; names are taken while it goes."""
        return Clock(stage, sum(job.seconds for job in jobs), self.tell, unit=Unit.SECONDS, tick=self._poll)

    def _counted(
        self, stage: str, work: Callable[[Any], Any], jobs: Sequence[_Lasting], rescue: engine.Rescue
    ) -> Iterator[Any]:
        """What came of each job, whose recording a clock counts once that is written."""
        clock, lasts = self._clock(stage, jobs), {job.asset: job.seconds for job in jobs}
        for found in engine.stream(
            self.executor, self.width, iter([(work, job) for job in jobs]), rescue=rescue, clock=clock,
            weigh=lambda job: float(job.seconds),
        ):  # fmt: skip
            yield found
            clock.step(lasts[found.asset])

    def _without(self, key: str) -> list[tuple[str, Asset, bool]]:
        """Path and asset of those that have no last answer under this key, each once, and whether one is begun."""
        state = ShootState.load(self.library, self.shoot, evidence=False)
        known = {c.asset.id: c for c in state.clips.values()}
        done = records.measured(self.library, known)
        asked = [(c.path, c.asset, (n, key + BEGUN) in done) for n, c in known.items() if (n, key) not in done]
        return asked + [(w.job.path, w.asset, False) for w in self.waiting.values()]

    def _save(self, found: Found) -> None:
        """Writes what was found, or keeps it until it is known of whom."""
        self._poll()
        name = self.names.get(found[0], found[0])
        if name is not None and name in self.waiting:
            self.waiting[name].found.append(found)
            if any(measure.name == "words" and measure.value for measure in found[3]):  # somebody may want to read them
                self._read(name)
        elif name is not None:
            records.save_evidence(self.library, [(name, *found[1:])])

    # ------------------------------------------------------------ names

    def _poll(self) -> None:
        """Takes the names of files whose bytes have been read, and has those of the next one read: of those that nobody
        waits for one at a time, so that the other workers go on."""
        self._land([name for name, future in self.flying.items() if future.done()])
        if not self.flying:
            self._read(next((n for n in self.waiting if n not in self.tried), None))

    def _read(self, name: str | None) -> None:
        """Has the bytes of a file read as soon as a worker is free."""
        if name is not None and name not in self.tried:
            self.tried.add(name)
            self.flying[name] = self.executor.submit(footage.watch, self.waiting[name].job)

    def _land(self, names: Sequence[str]) -> None:
        """Takes names that have been read, or waits for them. Where a worker was lost, a file is read once more at the
        end."""
        for name in names:
            future = self.flying.pop(name)
            if future.exception() is None:
                self._settle(name, future.result())

    def name(self) -> None:
        """Waits until all names are known, and moves what lies in the cache to them."""
        self._land(list(self.flying))
        clock = Clock("read", len(self.waiting), self.tell)
        places = {w.job.path: name for name, w in self.waiting.items()}
        jobs: list[engine.Job] = [(footage.watch, w.job) for w in self.waiting.values()]
        for watched in engine.stream(self.executor, self.width, iter(jobs), rescue=footage.rescue):
            self._settle(places[watched.path], watched)
            clock.step()
        self._rename()

    def _settle(self, name: str, watched: footage.Watched) -> None:
        """Writes what waited for a name. What was found of a file that changed meanwhile is of neither: it is dropped,
        and the next run looks at the file anew."""
        waited = self.waiting.pop(name)
        self.names[name] = None
        if watched.asset is None:
            self._know(watched, waited.seen)
            return
        if not footage.still_is(waited.job.full, waited.seen, name, self.shoot.id):
            self.troubles.append(
                f"{watched.path}: it was changed while it was looked at; the next run looks at it anew."
            )
            return
        self.names[name] = watched.asset.id
        write_atomic(self._note(name), watched.asset.id.encode())
        self._know(watched, waited.seen, waited.found)

    def _note(self, name: str) -> Path:
        return self.folder.cached(name).with_suffix(NAMED)

    def _rename(self) -> None:
        """Moves what a run, this one or one that was killed, left in the cache under the name of a place."""
        for note in (self.folder.state / "cache").glob(f"*/*{NAMED}"):
            target = self.folder.cached(note.read_text("utf-8"))
            target.parent.mkdir(parents=True, exist_ok=True)
            for old in [p for p in note.parent.glob(f"{note.stem}*") if p != note]:
                new = target.with_name(target.name + old.name.removeprefix(note.stem))
                if new.exists():
                    shutil.rmtree(old) if old.is_dir() else old.unlink()
                else:
                    old.rename(new)
            note.unlink()


def _moment(at: str | None) -> datetime | None:
    """What a camera's clock says, whatever its zone."""
    return datetime.fromisoformat(at).replace(tzinfo=None) if at else None
