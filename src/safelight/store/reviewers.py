"""Who decides: reviewers by name, with an optional PIN and the mark of the lead, whose word counts."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from safelight.errors import UsageError
from safelight.store import schema
from safelight.store.library import Library, now

LONGEST = 80  # characters of a name
COST = {"n": 2**14, "r": 8, "p": 1}  # scrypt; a PIN is short, so that trying all of them has to be dear


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """A person who decides. `locked` says that a PIN is asked for."""

    name: str
    lead: bool = False
    locked: bool = False


def reviewers(library: Library) -> dict[str, Reviewer]:
    """All reviewers by name, in the order in which they came."""
    rows = library.newest(schema.reviewers, ["name"])
    return {r["name"]: Reviewer(name=r["name"], lead=r["lead"], locked=bool(r["pin"])) for r in rows}


def leads(library: Library) -> frozenset[str]:
    """Names of those whose verdict counts where two people disagree."""
    return frozenset(name for name, who in reviewers(library).items() if who.lead)


def save(library: Library, name: str, *, by: str, pin: str | None = None, lead: bool | None = None) -> Reviewer:
    """Adds a reviewer or changes one. `pin` None keeps what is there, empty takes it away.

    Raises UsageError for a name that is empty, too long, or cannot be read, and for a PIN of fewer than four signs."""
    name = name.strip()
    if not name or len(name) > LONGEST or not name.isprintable() or name.startswith("policy:"):
        raise UsageError("That is not a name.", remedy=f"Use 1 to {LONGEST} characters that can be read.")
    if pin and len(pin) < 4:
        raise UsageError("The PIN is too short.", remedy="Use four characters or more.")
    row = _row(library, name)
    kept = row["pin"] if row is not None else None
    before = bool(row["lead"]) if row is not None else False
    digest = kept if pin is None else _digest(pin) if pin else None
    made = Reviewer(name=name, lead=before if lead is None else lead, locked=bool(digest))
    if row is None or (digest, made.lead) != (kept, before):
        library.append(schema.reviewers, [{"name": name, "pin": digest, "lead": made.lead, "by": by, "at": now()}])
    return made


def knows(library: Library, name: str, pin: str) -> bool:
    """Whether this is the PIN of a reviewer; true for one without."""
    row = _row(library, name)
    if row is None or not row["pin"]:
        return row is not None
    salt, _, _ = row["pin"].partition("$")
    return hmac.compare_digest(row["pin"], _digest(pin, bytes.fromhex(salt)))


def _row(library: Library, name: str) -> sa.RowMapping | None:
    found = library.newest(schema.reviewers, ["name"], schema.reviewers.c.name == name)
    return found[0] if found else None


def _digest(pin: str, salt: bytes | None = None) -> str:
    salt = salt or secrets.token_bytes(16)
    return f"{salt.hex()}${hashlib.scrypt(pin.encode('utf-8', 'surrogatepass'), salt=salt, **COST).hex()}"
