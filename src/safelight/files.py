"""Files written whole or not at all."""

import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON for people and programs: readable as it is, with escapes only where a file's name is no UTF-8."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(
        value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False, sort_keys=indent is None
    )
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent, separators=separators, allow_nan=False, sort_keys=indent is None)
    return text


PART = ".part-"  # how files begin that are not whole yet


def write_atomic(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all: a temporary file in the same folder, synced, then renamed. OSError passes
    through, and nothing is left behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PART)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
        _flush_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """The place where a file is written by somebody who needs a name, with the ending of `path`; it takes its own name
    once it is whole and synced. Nothing is left behind where that fails, nor written where it has been taken away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PART, suffix=path.suffix.lower())
    os.close(handle)
    place = Path(name)
    try:
        yield place
        if place.exists():
            with place.open("rb") as written:
                os.fsync(written.fileno())
            place.chmod(0o644)
            place.replace(path)
            _flush_folder(path.parent)
    finally:
        place.unlink(missing_ok=True)


def nameless(room: Path | None) -> IO[bytes]:
    """A file in `room` that no folder lists and that is gone once it is closed, however its process ends; one in memory
    without a room."""
    return tempfile.TemporaryFile(dir=room) if room else io.BytesIO()


def _flush_folder(folder: Path) -> None:
    """Puts the new name on the disk too, where the system can do that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
