"""Folders of pairs through the workers: resumable, nothing checked twice, the page written as results come."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from safelight import channels, engine, plugins
from safelight.channels import Channel, Written, sets
from safelight.checking import Thresholds
from safelight.errors import NothingFound, UsageError
from safelight.files import json_text, write_atomic
from safelight.line import Progress, Tell
from safelight.pairs import matching
from safelight.pairs.document import document
from safelight.pairs.job import Check, Checked, check_pair, key_of, rescue
from safelight.pairs.page import page

SETTLED_S = 2.0  # a file that did not change for so long is whole
LOOK_S = 1.0  # how often a watched folder is looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be checked: two files or two folders, or with `before` None pictures
    by themselves: only the rules of some channels, or without those what the pictures show. `to` is
    where page, pictures and results go; None keeps nothing."""

    before: Path | None
    after: Path
    mask: Path | None = None
    channels: tuple[Channel, ...] = ()
    limits: Mapping[str, Thresholds] | None = None  # of findings; the bench's by default
    to: Path | None = None
    jobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    jobs: tuple[Check, ...]
    alone_before: tuple[Path, ...] = ()
    alone_after: tuple[Path, ...] = ()
    unread: Mapping[Path, Mapping[str, str]] = field(default_factory=dict)


def check_folders(request: Request, tell: Tell, *, among: Sequence[Path] | None = None) -> dict[str, Any]:
    """Checks what was asked and returns `safelight.check/1`; the page, if one is written, is named by `page`.

    Raises NothingFound where there is no pair, UsageError for a file beside a folder."""
    plan = _plan(request, among)
    if not plan.jobs and among is None:
        raise NothingFound(
            f"No picture of {request.after} has its before in {request.before}.",
            remedy="Name two files, or two folders whose pictures belong together.",
        )
    kept = _Kept(request.to)
    done = list(_checked(plan.jobs, kept, request.jobs, tell))
    done.sort(key=lambda c: str(c.after))
    entries = [c.entry for c in done if c.error is None]
    set_answers = _about_the_set(done, request)
    found = document(
        entries,
        failed=[
            *(c.error for c in done if c.error is not None),
            *({"path": str(p), **e} for p, e in plan.unread.items()),
        ],
        unmatched={
            "before": [str(p) for p in plan.alone_before],
            "after": [str(p) for p in plan.alone_after if p not in plan.unread],
        },
        set_rules=set_answers,
    )
    if request.to is not None:
        place = request.to / "check.html"
        write_atomic(place, page(entries, found).encode("utf-8", "backslashreplace"))
        found["page"] = str(place)
    return found


def watch(
    request: Request, tell: Tell, say: Callable[[dict[str, Any]], None], *, stop: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Checks pictures as they arrive in a folder, once each, when they have stopped changing; until `stop` says so.

    What was checked before, in this call or an earlier one, is not checked again; `say` gets the document of each
    batch. Returns the document of all that is there."""
    if request.before is None or not request.after.is_dir() or not request.before.is_dir():
        raise UsageError(
            "Only folders can be watched.", remedy="Name the folder of the originals and the one to watch."
        )
    seen: dict[Path, tuple[int, int, float]] = {}
    told: set[tuple[Path, int, int]] = set()
    while True:
        ready = [path for path in _settled(request.after, seen) if (path, *seen[path][:2]) not in told]
        if ready:
            say(check_folders(request, tell, among=ready))
            told |= {(path, *seen[path][:2]) for path in ready}
        if stop():
            return check_folders(request, tell, among=sorted(path for path, *_ in told))
        time.sleep(LOOK_S)


def _settled(folder: Path, seen: dict[Path, tuple[int, int, float]]) -> list[Path]:
    """Pictures that have not changed for a while; `seen` remembers size, time of change and since when."""
    now, ready = time.monotonic(), []
    for path in matching.pictures(folder):
        try:
            stat = path.stat()
        except OSError:
            continue  # it went between the listing and the look
        size, changed, since = seen.get(path, (-1, -1, now))
        if (size, changed) != (stat.st_size, stat.st_mtime_ns):
            since = now
        seen[path] = stat.st_size, stat.st_mtime_ns, since
        if stat.st_size and now - since >= SETTLED_S:
            ready.append(path)
    return ready


# ---------------------------------------------------------------- parts


def _plan(request: Request, among: Sequence[Path] | None) -> _Plan:
    before, after = request.before, request.after
    for path in (before, after, request.mask):
        if path is not None and not path.exists():
            raise UsageError(f"{path} is not there.", remedy="Name two files or two folders.")
    if before is None:
        files = matching.pictures(after) if after.is_dir() else [after]
        return _Plan(
            jobs=tuple(Check(before=None, after=p, channels=request.channels, limits=request.limits) for p in files)
        )
    if before.is_dir() != after.is_dir():
        raise UsageError(f"{before} and {after} are a folder and a file.", remedy="Name two files or two folders.")
    if not after.is_dir():
        if request.mask is not None and request.mask.is_dir():
            raise UsageError(f"{request.mask} is a folder.", remedy="Name the mask of this picture.")
        return _Plan(
            jobs=(
                Check(before=before, after=after, mask=request.mask, channels=request.channels, limits=request.limits),
            )
        )
    found = matching.match(before, after, among=among)
    masks = {} if request.mask is None else _masks(request.mask)
    jobs = [
        Check(before=p.before, after=p.after, by=p.by, channels=request.channels, limits=request.limits,
              mask=masks.get(p.after.stem.lower()) or masks.get(p.before.stem.lower()))
        for p in found.pairs
    ]  # fmt: skip
    return _Plan(jobs=tuple(jobs), alone_before=found.alone_before, alone_after=found.alone_after,
                 unread=found.unread)  # fmt: skip


def _masks(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is no folder.", remedy="Name a folder of masks that are called as the pictures are."
        )
    return {path.stem.lower(): path for path in matching.pictures(folder)}


def _checked(jobs: Sequence[Check], kept: "_Kept", count: int | None, tell: Tell) -> Iterator[Checked]:
    """Results of all jobs: those that are there already, then the others as workers finish them."""
    labels = [detector.label for detector in plugins.detectors().values()]
    keys = {id(job): key_of(job, labels) for job in jobs}
    fresh = []
    for job in jobs:
        known = kept.result(keys[id(job)], job)
        if known is None:
            fresh.append((keys[id(job)], job))
        else:
            yield known
    if not fresh:
        return
    began, done = time.monotonic(), 0
    tell(Progress(stage="check", done=0, total=len(fresh)))
    by_after = {job.after: key for key, job in fresh}
    asked = ((check_pair, kept.placed(key, job)) for key, job in fresh)
    with engine.engine("process", jobs=min(count or os.cpu_count() or 1, len(fresh))) as (executor, width):
        for result in engine.stream(executor, width, iter(asked), rescue=rescue):
            kept.keep(by_after[result.after], result)
            done += 1
            rate = done / max(time.monotonic() - began, 1e-6)
            tell(
                Progress(stage="check", done=done, total=len(fresh), rate=rate, seconds_left=(len(fresh) - done) / rate)
            )
            yield result


@dataclass(frozen=True, slots=True)
class _Kept:
    """Results that lie in a folder, so that nothing is checked twice; None keeps nothing."""

    to: Path | None

    def placed(self, key: str, job: Check) -> Check:
        """The job with a place for its pictures."""
        if self.to is None:
            return job
        return Check(
            before=job.before, after=job.after, mask=job.mask, channels=job.channels, limits=job.limits, by=job.by,
            place=self.to / "results" / key,
        )  # fmt: skip

    def result(self, key: str, job: Check) -> Checked | None:
        """The result of a job that was done before; failures are tried again."""
        if self.to is None:
            return None
        try:
            data = json.loads((self.to / "results" / f"{key}.json").read_text(encoding="utf-8"))
            thumb = np.reshape(data["thumb"], sets.SHAPE)  # raises ValueError for what an older Safelight has kept
            return Checked(before=job.before, after=job.after, entry=data["entry"], thumb=tuple(thumb.ravel().tolist()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, result: Checked) -> None:
        """Writes a result, unless it is a failure."""
        if self.to is not None and result.error is None:
            text = json_text({"entry": result.entry, "thumb": result.thumb})
            write_atomic(self.to / "results" / f"{key}.json", text.encode())


def _about_the_set(done: Iterable[Checked], request: Request) -> list[dict[str, Any]]:
    if not request.after.is_dir():
        return []
    files = [
        Written(path=c.after, thumb=np.reshape(np.array(c.thumb, np.float32), sets.SHAPE) if c.thumb else None)
        for c in done
    ]
    answers = channels.examine_set(files, request.channels)
    return [answer.as_json() | {"file": None if path is None else str(path)} for path, answer in answers]
