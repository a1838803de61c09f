"""The `.safelight` folder beside a shoot: content-addressed objects, the shoot's own id, its lock."""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import LibraryError, SafelightError, UsageError
from safelight.files import PART, write_atomic

FOLDER = ".safelight"


@dataclass(frozen=True, slots=True)
class ShootFolder:
    """`root` holds the originals; `state` is `.safelight` beside them, or elsewhere for a read-only shoot."""

    root: Path
    state: Path

    @classmethod
    def at(cls, root: Path, *, cache: Path | None = None) -> "ShootFolder":
        """The folder of a shoot; `cache` names another place for the state. Nothing is made. Raises UsageError where
        there is no such folder."""
        root = root.expanduser().resolve()
        if not root.is_dir():
            raise UsageError(f"{root} is not a folder.", remedy="Name the folder that holds the shoot.")
        if cache is not None:
            key = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
            state = cache.expanduser().resolve() / f"{root.name}-{key}"
        else:
            state = root / FOLDER
        return cls(root, state)

    # ------------------------------------------------------------ identity and lock

    def shoot_id(self) -> str | None:
        """The shoot's id, which is carried along with the folder; None where nothing was ever run on it."""
        try:
            return str(json.loads((self.state / "shoot.json").read_text(encoding="utf-8"))["id"])
        except (OSError, ValueError, KeyError):
            return None

    def claim(self) -> str:
        """The shoot's id; makes it and the state folder where they are not there yet. Raises UsageError with the
        remedy where the state cannot be written."""
        try:
            for part in ("cache", "kept", "reports", "log"):
                (self.state / part).mkdir(parents=True, exist_ok=True)
            with self._turn():
                found = self.shoot_id()
                if found is None:
                    found = secrets.token_hex(8)
                    write_atomic(self.state / "shoot.json", json.dumps({"id": found}).encode())
        except OSError as error:
            raise UsageError(
                f"{self.state} cannot be written ({error.strerror}).",
                remedy="Name a folder that can be written with --cache DIR; the shoot itself may stay read-only.",
            ) from error
        return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One process at a time, for the moment in which a shoot gets its id: two first runs must agree on it."""
        handle = os.open(self.state, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One run at a time works on a shoot; a second one is told which process holds it.

        The holder's number stays in the file only where a run was killed; what that one left half-written goes."""
        path = self.state / "run.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                raise LibraryError(
                    f"Another run (process {holder}) is working on {self.root}.",
                    remedy="Wait until it is done, or end it and run again: nothing is lost.",
                ) from error
            if os.fstat(handle).st_size:
                for part in self.state.rglob(f"{PART}*"):
                    part.unlink(missing_ok=True)
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            yield
            os.ftruncate(handle, 0)
        finally:
            os.close(handle)

    # ------------------------------------------------------------ objects

    def cached(self, name: str) -> Path:
        """Where a recomputable object lies: `name` is its key, spread over 256 folders."""
        return self.state / "cache" / name[:2] / name

    def keep(self, data: bytes) -> str:
        """Stores work of a person for good; returns its digest."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.state / "kept" / digest[:2] / digest
        if not path.exists():
            write_atomic(path, data)
        return digest

    def kept(self, digest: str) -> bytes:
        """A kept object. Raises SafelightError if it is missing or its bytes have changed."""
        path = self.state / "kept" / digest[:2] / digest
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SafelightError(
                f"Kept work {digest[:12]} is missing from {self.state / 'kept'}.",
                remedy="Bring the folder `kept` back from a copy of the shoot.",
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise SafelightError(
                f"Kept work {digest[:12]} in {self.state / 'kept'} has changed.",
                remedy="Bring the folder `kept` back from a copy of the shoot.",
            )
        return data
