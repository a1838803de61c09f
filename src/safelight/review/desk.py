"""What one start of the app holds: the library, its shoots as they are opened, and who sits before it."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from safelight.errors import SafelightError, UsageError
from safelight.line import Options, know
from safelight.review.session import Session
from safelight.store import records, reviewers
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.store.reviewers import Reviewer


@dataclass(slots=True, kw_only=True)
class Desk:
    """`name`: who decides where nobody says otherwise. `cache`: where state of read-only shoots lies. `wanted`:
    the folder that was asked for."""

    library: Library
    name: str
    cache: Path | None = None
    wanted: Path | None = None
    first: str | None = None  # the shoot that was asked for
    trouble: dict[str, str] | None = None  # what is wrong with the folder that was asked for
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _sessions: dict[str, Session] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def look(self) -> None:
        """Finds the shoot of the folder that was asked for, or what is wrong with it. While there is none it is looked
        for again: its first run may have begun since."""
        if self.wanted is None or self.first is not None:
            return
        self.trouble = None
        try:
            where = ShootFolder.at(self.wanted, cache=self.cache)
            known = where.shoot_id()
            if known is None or records.shoot_of(self.library, known) is None:
                raise UsageError(f"Nothing was run on {where.root} yet.", remedy=f"safelight run {where.root}")
            self.first = know(self.library, where, Options()).id
        except SafelightError as error:
            self.trouble = {"cause": error.cause, "remedy": error.remedy}

    def session(self, shoot: str) -> Session:
        """A shoot of this library, loaded at its first use. Raises UsageError where there is none such."""
        with self._lock:
            if shoot not in self._sessions:
                known = records.shoot_of(self.library, shoot)
                if known is None:
                    raise UsageError("There is no such shoot in this library.", remedy="Choose one on the first page.")
                self._sessions[shoot] = Session(self.library, self._folder(known.root), known)
            return self._sessions[shoot]

    def _folder(self, root: str) -> ShootFolder:
        """The folder of a shoot; where it is gone or unplugged, what was decided can still be seen."""
        try:
            return ShootFolder.at(Path(root), cache=self.cache)
        except UsageError:
            return ShootFolder(Path(root), Path(root) / ".safelight")

    def here(self) -> list[Session]:
        """The shoots of this library whose folder is here."""
        return [self.session(shoot.id) for shoot in records.shoots(self.library) if Path(shoot.root).is_dir()]

    def undo(self, by: str) -> list[tuple[str, str, str]] | None:
        """Takes back the newest thing that a person said, in whatever shoots: (path, operator, why) of what stays
        because somebody else has decided since; None where there is nothing to take back."""
        found = {id(at): (moment, at) for at in self.here() if (moment := at.last(by)) is not None}
        newest = max((moment for moment, _ in found.values()), default=None)
        if newest is None:
            return None
        return [row for moment, at in found.values() if moment == newest for row in at.undo(by)[2]]

    def recount(self) -> None:
        """Reads the ledgers of open shoots anew, after somebody else leads."""
        for session in self._sessions.values():
            session.recount()

    def close(self) -> None:
        """Writes what is waiting to be written."""
        for session in self._sessions.values():
            session.close()

    # ------------------------------------------------------------ who

    def sign(self, name: str) -> str:
        """A cookie's text that says who sits at this browser; good until the app ends."""
        body = base64.urlsafe_b64encode(json.dumps(name).encode()).decode()
        return f"{body}.{self._signature(body)}"

    def who(self, signed: str | None, named: str | None = None, pin: str | None = None) -> Reviewer:
        """The reviewer of a request: by the browser's cookie, by name (and PIN) of a program, else the default.
        Raises UsageError where a PIN is needed or wrong."""
        name = unquote(named) if named else self._signed(signed) or self.name
        known = reviewers.reviewers(self.library)
        if name not in known:
            return reviewers.save(self.library, name, by=name)
        proven = self._signed(signed) == name or not known[name].locked
        if not proven and not reviewers.knows(self.library, name, pin or ""):
            raise UsageError(f"{name} is kept with a PIN.", remedy="Say who you are on the page People.")
        return known[name]

    def _signed(self, text: str | None) -> str | None:
        body, _, signature = (text or "").partition(".")
        if not body or not hmac.compare_digest(signature, self._signature(body)):
            return None
        return str(json.loads(base64.urlsafe_b64decode(body)))

    def _signature(self, body: str) -> str:
        return hmac.new(self.secret, body.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
