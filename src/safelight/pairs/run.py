"""Folders of pairs through the workers: resumable, nothing checked twice, the page written as results come."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from safelight import channels, engine, plugins
from safelight.channels import Channel, Written, sets
from safelight.checking import Thresholds
from safelight.errors import NothingFound, UsageError
from safelight.files import json_text, write_atomic
from safelight.line import Progress, Tell
from safelight.media import manifests
from safelight.pairs import matching
from safelight.pairs.document import document
from safelight.pairs.job import Check, Checked, check_pair, key_of, rescue
from safelight.pairs.page import page
from safelight.work import refusal

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


def check_folders(request: Request, tell: Tell) -> dict[str, Any]:
    """Checks what was asked and returns `safelight.check/1`; the page, if one is written, is named by `page`.

    Raises NothingFound where there is no pair, UsageError for a file beside a folder."""
    plan = _plan(request, None, tell)
    if not plan.jobs:
        raise NothingFound(
            f"No picture of {request.after} has its before in {request.before}."
            if request.before
            else f"No picture is in {request.after}.",
            remedy="Name two files, or two folders whose pictures belong together.",
        )
    return _report(request, plan, list(_checked(plan.jobs, _Kept(request.to), request.jobs, tell)))


def watch(
    request: Request, tell: Tell, say: Callable[[dict[str, Any]], None], *, stop: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Checks pictures as they arrive in a folder, once each, when they have stopped changing; until `stop` says so.

    What was checked before, in this call or an earlier one, is not checked again; a file that was taken away is
    forgotten. `say` gets the document of each batch; the page tells of all. Returns the document of all that is there.
    """
    if request.before is None or not request.after.is_dir() or not request.before.is_dir():
        raise UsageError(
            "Only folders can be watched.", remedy="Name the folder of the originals and the one to watch."
        )
    seen: dict[Path, tuple[int, int, float]] = {}
    told: dict[Path, tuple[int, int]] = {}
    found: dict[str, Any] = {}
    done: dict[Path, Checked] = {}
    alone: dict[Path, Mapping[str, str] | None] = {}  # without a before, and why it could not be looked at
    while True:
        ready = [path for path in _settled(request.after, seen) if told.get(path) != seen[path][:2]]
        gone = [path for path in told if path not in seen]
        for path in (*gone, *ready):
            for known in (told, done, alone):
                known.pop(path, None)
        if ready:
            told |= {path: seen[path][:2] for path in ready}
            plan = _plan(request, ready, tell)
            batch = list(_checked(plan.jobs, _Kept(request.to), request.jobs, tell))
            done |= {checked.after: checked for checked in batch}
            alone |= {path: plan.unread.get(path) for path in plan.alone_after}
            say(_document(request, replace(plan, alone_before=()), batch))
        if ready or gone or not found:
            found = _report(request, _all(request, done, alone), list(done.values()))
        if stop():
            return found
        time.sleep(LOOK_S)


def _all(request: Request, done: Mapping[Path, Checked], alone: Mapping[Path, Mapping[str, str] | None]) -> _Plan:
    """What a watched folder has come to so far."""
    assert request.before is not None
    taken = {checked.before for checked in done.values()}
    return _Plan(
        jobs=(), alone_before=tuple(p for p in matching.pictures(request.before) if p not in taken),
        alone_after=tuple(alone), unread={path: why for path, why in alone.items() if why is not None},
    )  # fmt: skip


def _document(request: Request, plan: _Plan, done: Sequence[Checked]) -> dict[str, Any]:
    return document(
        [c.entry for c in done if c.error is None],
        failed=[
            *(c.error for c in done if c.error is not None),
            *({"path": str(p), **e} for p, e in plan.unread.items()),
        ],
        unmatched={
            "before": [str(p) for p in plan.alone_before],
            "after": [str(p) for p in plan.alone_after if p not in plan.unread],
        },
        set_rules=_about_the_set(done, request),
    )


def _report(request: Request, plan: _Plan, done: list[Checked]) -> dict[str, Any]:
    """The document of all that was checked; its page, where one is wanted."""
    done.sort(key=lambda c: str(c.after))
    found = _document(request, plan, done)
    if request.to is not None:
        place = request.to / "check.html"
        entries = [c.entry for c in done if c.error is None]
        write_atomic(place, page(entries, found).encode("utf-8", "backslashreplace"))
        found["page"] = str(place)
    return found


def _settled(folder: Path, seen: dict[Path, tuple[int, int, float]]) -> list[Path]:
    """Pictures that have not changed for a while; `seen` remembers size, time of change and since when."""
    now, ready, there = time.monotonic(), [], set[Path]()
    for path in matching.pictures(folder):
        try:
            stat = path.stat()
        except OSError:
            continue  # it went between the listing and the look
        size, changed, since = seen.get(path, (-1, -1, now))
        if (size, changed) != (stat.st_size, stat.st_mtime_ns):
            since = now
        seen[path] = stat.st_size, stat.st_mtime_ns, since
        there.add(path)
        if stat.st_size and now - since >= SETTLED_S:
            ready.append(path)
    for path in [path for path in seen if path not in there]:
        del seen[path]
    return ready


# ---------------------------------------------------------------- parts


def _plan(request: Request, among: Sequence[Path] | None, tell: Tell) -> _Plan:
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
    found = matching.match(before, after, among=among, tell=tell)
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
    labels = [*(detector.label for detector in plugins.detectors().values()), manifests.reader()]
    fresh = []
    for job in jobs:
        try:
            key = key_of(job, labels)
        except OSError as error:  # it went after the folder was listed
            yield Checked(
                before=job.before, after=job.after, error={"path": str(job.after), **refusal(job.after, error)}
            )
            continue
        known = kept.result(key, job)
        if known is None:
            fresh.append((key, job))
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
