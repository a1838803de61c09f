"""One file that a command makes of clips, outside a delivery: a proposal, a draft, or final on a person's name.

What another program goes on with (a timeline, a grade) is a proposal. What plays or is read as it is (a film, a sound,
captions) is a draft and is called so in its name, until a person signs for it: then it goes through the gate of
deliveries. Whatever it is, a paper beside it says so: of what it was made, who signed, what the gate found.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight import __version__
from safelight.checking import Outcome
from safelight.deliver import gate
from safelight.errors import Refused, UsageError
from safelight.files import json_text, write_atomic
from safelight.state import Footage
from safelight.store.library import now

SCHEMA = "safelight.made/1"
DRAFT, PAPER = ".draft", ".made.json"
SIDECAR = ".xmp"  # beside films whose format cannot hold where they come from
PROPOSAL, FINAL = "proposal", "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a check says of a file: `name` of the check or rule, and a sentence."""

    name: str
    outcome: Outcome
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A file that is to be made: `to`, the name that it has when it is final, who signs for it, and its sources."""

    to: Path
    by: str | None
    sources: tuple[Path, ...]

    @property
    def path(self) -> Path:
        """Where it is written: under a name that says draft, which it loses once it has passed."""
        return draft_of(self.to)


def begin(to: Path, sources: Sequence[Path], *, sign_off: str | None, clips: Sequence[Footage] = ()) -> Single:
    """A file to be made of `sources`, of which `clips` are those that a shoot knows.

    Raises UsageError where the name is none of a person, or `to` is a source; Refused where somebody signs and a
    question about one of the clips is open.
    """
    if sign_off is not None and not gate.is_person(sign_off):
        raise UsageError(f"{sign_off!r} is not a person's name.", remedy="Sign with your own: --sign-off NAME.")
    if sign_off is not None and DRAFT in to.suffixes:
        raise UsageError(f"{to.name} is the name of a draft.", remedy="Give the name that it is to have.")
    for place in (to, draft_of(to)):
        if place.exists() and any(source.exists() and place.samefile(source) for source in sources):
            raise UsageError(f"{place.name} is the original.", remedy="Give another name.")
    waiting = [(clip, names) for clip in clips if (names := gate.unsettled(clip))]
    if sign_off is not None and waiting:
        first = "; ".join(f"{c.path}: {', '.join(n.replace('_', ' ') for n in names)}" for c, names in waiting[:3])
        raise Refused(
            f"{to.name} cannot be final: {', '.join(gate.reasons(waiting))} ({first}).",
            remedy="Answer them in `safelight review` or with `safelight verdict`; without --sign-off it is a draft.",
        )
    return Single(to=to, by=sign_off, sources=tuple(sources))


def draft_of(to: Path) -> Path:
    """`film.draft.mp4` of `film.mp4`."""
    return to if DRAFT in to.suffixes else to.with_name(f"{to.stem}{DRAFT}{to.suffix}")


def settle(made: Sequence[Single], found: Sequence[Found] = ()) -> tuple[Path, ...]:
    """Gives files that were made together their names and papers; where they lie. What somebody has signed and does not
    pass stays as a draft, and Refused says why."""
    failed = [f for f in found if f.outcome is Outcome.FAIL]
    places = []
    for one in made:
        final = one.by is not None and not failed
        place = one.path
        if final:
            place = one.path.replace(one.to)
            beside = one.path.with_name(one.path.name + SIDECAR)
            if beside.exists():
                beside.replace(one.to.with_name(one.to.name + SIDECAR))
        _paper(place, [place], kind=FINAL if final else DRAFT[1:], sources=one.sources,
               by=one.by if final else None, found=found)  # fmt: skip
        places.append(place)
    signed = [one.to.name for one in made if one.by]
    if failed and signed:
        waiting = [
            gate.Missing(path=signed[0], name=f.name, outcome=f.outcome, text=f.text, remedy=f.remedy) for f in failed
        ]
        lines = "\n  ".join(f"{m.name.replace('_', ' ')}: {m.text} {m.remedy}".rstrip() for m in waiting)
        raise gate.Held(
            f"{', '.join(signed)} cannot be final, and stays as a draft:\n  {lines}", waiting=waiting,
            remedy="Mend it and sign again. `safelight deliver --films` takes findings on a name.",
        )  # fmt: skip
    return tuple(places)


def propose(files: Sequence[Path], sources: Sequence[Path]) -> Path:
    """Writes the paper of files that another program goes on with, beside the first of them; where it lies."""
    return _paper(files[0], files, kind=PROPOSAL, sources=sources, by=None, found=())


def words(path: Path, *, by: str | None) -> str:
    """What a command says of a file that it made."""
    if by:
        return f"{path.name} is final, signed by {by}."
    return f"{path.name} is a draft: look at it, then sign for it with --sign-off NAME."


def _paper(
    beside: Path, files: Sequence[Path], *, kind: str, sources: Sequence[Path], by: str | None, found: Sequence[Found]
) -> Path:
    answered = [
        {"finding": f.name, "by": by, "reason": "signed_off"} for f in found if f.outcome is Outcome.LOOK and by
    ]
    document: dict[str, Any] = {
        "schema": SCHEMA, "kind": kind, "made_at": now(), "program": f"safelight {__version__}", "signed_off_by": by,
        "files": [_file(path) for path in files], "sources": [_file(path) for path in sources],
        "gate": {
            "verdict": max((f.outcome for f in found), key=list(Outcome).index, default=Outcome.PASS).value,
            "findings": [
                {"name": f.name, "outcome": f.outcome.value, "text": f.text, "remedy": f.remedy} for f in found
            ],
            "answered": answered,
            "open": [] if by else [f.name for f in found if f.outcome is not Outcome.PASS],
        } if kind != PROPOSAL else None,
    }  # fmt: skip
    place = beside.with_name(beside.name + PAPER)
    write_atomic(place, (json_text(document, indent=1) + "\n").encode())
    return place


def _file(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "sha256": sha256, "bytes": path.stat().st_size}


__all__ = ["Found", "Single", "begin", "draft_of", "propose", "settle", "words"]
