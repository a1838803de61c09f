"""Which weights lie on this machine, whole and as their papers say. The checksum cannot be switched off."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import platformdirs

from safelight.domain import digest_of
from safelight.weights.catalogue import File, Manifest, catalogue

VARIABLE = "SAFELIGHT_WEIGHTS"


class State(StrEnum):
    """How a set of weights stands on this machine."""

    INSTALLED = "installed"
    MISSING = "missing"
    DAMAGED = "damaged"  # there, but the sha256 is not that of the manifest


def folder() -> Path:
    """Where weights lie: `$SAFELIGHT_WEIGHTS`, or `weights` in the user's data folder for Safelight."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser().resolve()
    return Path(platformdirs.user_data_dir("safelight", appauthor=False)) / "weights"


def installed() -> Mapping[str, Mapping[str, Path]]:
    """The files of every set of weights that is whole, by manifest name and file name.

    A set with a missing or damaged file is left out; `state` says which it is.
    """
    return {item.name: paths(item) for item in catalogue() if state(item) is State.INSTALLED}


def digests() -> Mapping[str, str]:
    """One sha256 for every installed set, over those of its files: what a cached answer depends on."""
    return {
        item.name: digest_of([[file.name, file.sha256] for file in item.files])
        for item in catalogue()
        if state(item) is State.INSTALLED
    }


def used(names: Sequence[str]) -> str:
    """Digests of those of these sets that are installed, as the ledger names them; most operators use none."""
    if not names:
        return ""
    papers = digests()
    return ",".join(sorted(papers[name] for name in names if name in papers))


def paths(item: Manifest) -> dict[str, Path]:
    """Where the files of a manifest belong, by name."""
    return {file.name: folder() / item.name / file.name for file in item.files}


def state(item: Manifest) -> State:
    """Whether all files of a manifest are there and unaltered."""
    places = paths(item)
    found = [_whole(file, places[file.name]) for file in item.files]
    if None in found:
        return State.MISSING
    return State.INSTALLED if all(found) else State.DAMAGED


def _whole(file: File, path: Path) -> bool | None:
    """Whether a file has the content of its papers; None where it cannot be read."""
    try:
        stat = path.stat()
        if stat.st_size != file.size:
            return False
        return _sha256(path, stat.st_size, stat.st_mtime_ns) == file.sha256
    except OSError:
        return None


@lru_cache(maxsize=256)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    # Size and time are in the key: a file that changes is read again, one that does not is read once in a process.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
