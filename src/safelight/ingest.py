"""A folder to a list of files worth looking at: what is new, what is gone, which raw and JPEG are one picture."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from safelight.domain import Kind
from safelight.media import jxl
from safelight.media.formats import OPTIONAL_SUFFIXES, PICTURE_SUFFIXES, RAW_SUFFIXES
from safelight.store.objects import FOLDER
from safelight.store.records import File

CLIPS = frozenset({".mp4", ".mov", ".mxf", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".m4v"})
SOUNDS = frozenset({".wav", ".bwf", ".aif", ".aiff", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus"})
PASSING = frozenset({"media-unreadable", "media-too-large", "media-too-slow", "media-crashed"})
PAIRABLE = frozenset({".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".hif"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A file as the folder shows it: path relative to the shoot, size, time of change; kind by its name."""

    path: str
    size: int
    mtime_ns: int
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run has to do: photos to look at, photos that are as they were, the same of clips and sounds, paths that
    have vanished, and for each camera JPEG the raw it belongs to."""

    fresh: tuple[Seen, ...]
    same: tuple[File, ...]
    clips: tuple[Seen, ...]
    same_clips: tuple[File, ...]
    gone: tuple[File, ...]
    pairs: Mapping[str, str]


def kind_of(name: str) -> Kind | None:
    """What a file's name promises; None for everything else (sidecars, text, …)."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - called for every file of a card
    if suffix in PICTURE_SUFFIXES:
        return Kind.PHOTO
    if suffix in CLIPS:
        return Kind.VIDEO
    return Kind.AUDIO if suffix in SOUNDS else None


def walk(root: Path) -> Iterator[Seen]:
    """All media files under `root`, in order of their paths. Hidden folders, links to folders and Safelight's own
    folder are left out; a file that vanishes meanwhile is skipped."""
    waiting = [os.fspath(root)]
    found: list[Seen] = []
    base = len(os.path.join(os.fspath(root), ""))  # noqa: PTH118
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue  # a folder we may not read; its parent is listed, nothing in it can be promised
        for entry in entries:
            if entry.name.startswith(".") or entry.name == FOLDER:
                continue
            if entry.is_dir(follow_symlinks=False):
                if not os.path.exists(os.path.join(entry.path, "manifest.json")):  # noqa: PTH110, PTH118
                    waiting.append(entry.path)  # a delivery inside the shoot is not part of it
                continue
            kind = kind_of(entry.name)
            if kind is None:
                continue
            try:
                stat = entry.stat()
            except OSError:
                continue
            found.append(Seen(path=entry.path[base:], size=stat.st_size, mtime_ns=stat.st_mtime_ns, kind=kind))
    yield from sorted(found, key=lambda seen: seen.path)


def plan(root: Path, known: Mapping[str, File]) -> Plan:
    """Compares the folder with what was seen last time, by size and time of change."""
    seen = list(walk(root))
    photos = [s for s in seen if s.kind is Kind.PHOTO]
    fresh, same = _parted(photos, known)
    clips, same_clips = _parted([s for s in seen if s.kind is not Kind.PHOTO], known)
    present = {item.path for item in seen}
    return Plan(
        fresh=tuple(fresh),
        same=tuple(same),
        clips=tuple(clips),
        same_clips=tuple(same_clips),
        gone=tuple(file for path, file in known.items() if path not in present),
        pairs=pairs(item.path for item in photos),
    )


def _parted(seen: Iterable[Seen], known: Mapping[str, File]) -> tuple[list[Seen], list[File]]:
    """What is new or changed, and what is as it was."""
    fresh, same = [], []
    for item in seen:
        before = known.get(item.path)
        unchanged = before is not None and (before.size, before.mtime_ns) == (item.size, item.mtime_ns)
        if before is not None and unchanged and not _try_again(before):
            same.append(before)
        else:
            fresh.append(item)
    return fresh, same


def _try_again(file: File) -> bool:
    """Whether what failed may work now: rights, a plugged-in disk, other limits, a decoder that was installed; a
    truncated file is what it is."""
    code = "" if file.error is None else file.error.get("code")
    optional = os.path.splitext(file.path)[1].lower() in OPTIONAL_SUFFIXES  # noqa: PTH122
    return code in PASSING or (code == "media-unsupported" and optional and jxl.installed())


def pairs(paths: Iterable[str]) -> dict[str, str]:
    """Camera JPEG → raw, where both carry the same name in one folder."""
    listed = list(paths)
    raws: dict[str, str] = {}
    for path in listed:
        stem, suffix = os.path.splitext(path)  # noqa: PTH122
        if suffix.lower() in RAW_SUFFIXES:
            raws[stem.lower()] = path
    out = {}
    for path in listed:
        stem, suffix = os.path.splitext(path)  # noqa: PTH122
        if suffix.lower() in PAIRABLE and stem.lower() in raws:
            out[path] = raws[stem.lower()]
    return out
