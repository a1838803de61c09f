"""A person answers a finding of the gate: takes it on their name, or says that it is a fault. A verdict with a reason,
about one version of one photo."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from safelight.deliver import checked, gate
from safelight.domain import Input, Measure, Say, Verdict, Version
from safelight.errors import UsageError
from safelight.state import CHECK, Judged, ShootState
from safelight.store import records
from safelight.store.library import Library, now
from safelight.verdicts import REASONS

SET_RULES = ("missing",)  # of a channel: about no single photo


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody says of a finding: REJECT lets the file go in spite of it, APPROVE says that it is a fault."""

    by: str
    reason: str
    note: str = ""
    say: Say = Say.REJECT


def accept(
    library: Library, state: ShootState, photos: Sequence[Judged], findings: Sequence[str], word: Word
) -> list[Verdict]:
    """Records a word about findings of these photos and clips as they are now; of a finding about the set, about this
    shoot. It holds for this version alone: a changed edit is judged anew. Several are one decision, recorded as
    bundled.

    Raises UsageError for an unknown reason, and for a finding that the gate has not raised about a photo."""
    if word.reason not in REASONS:
        raise UsageError(f"{word.reason!r} is not a reason.", remedy=f"Reasons are {', '.join(REASONS)}.")
    if not gate.is_person(word.by):
        raise UsageError("A finding is taken on a name.", remedy="Give yours with --by.")
    of_set = [name for name in findings if name.rpartition(".")[2] in SET_RULES]
    shoot = state.shoot.id
    made = [_verdict(shoot, shoot, name, word, about=shoot, score=None) for name in of_set]
    raised = records.facts(library, [_version(photo).id for photo in photos])
    for photo in photos:
        version = _version(photo).id
        known = raised.get(version, {})
        for name in findings:
            if name not in of_set:
                _known(photo, name, known)
                chance = _chance(known.get(f"{CHECK}{name}"))
                made.append(_verdict(photo.id, shoot, name, word, about=version, score=chance))
    at = now()
    made = [replace(verdict, at=at, bundled=len(made)) for verdict in made]
    records.save_verdicts(library, made)
    for verdict in made:
        state.ledger.add(verdict)
        state.hold(verdict.asset, verdict.operator)
    return made


def _version(photo: Judged) -> Version:
    return Version(inputs=(Input(id=photo.id),), edits=photo.edits())


def _known(photo: Judged, name: str, known: dict[str, Measure]) -> None:
    raised = sorted(n.removeprefix(CHECK) for n in _names(known))
    if name not in raised and name not in checked.WITHOUT_MEASURE and not name.endswith(".double"):
        told = ", ".join(raised) or "nothing yet: run `safelight deliver` first"
        raise UsageError(f"The gate has not said {name!r} of {photo.path}.", remedy=f"It has said: {told}.")


def _names(known: Iterable[str]) -> list[str]:
    return [name for name in known if name.startswith(CHECK)]


def _chance(measure: Measure | None) -> float | None:
    value = None if measure is None else measure.value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _verdict(asset: str, shoot: str, name: str, word: Word, *, about: str, score: float | None) -> Verdict:
    return Verdict(
        at=now(), by=word.by, asset=asset, shoot=shoot, operator=f"{CHECK}{name}", version=1, say=word.say,
        proposal=gate.finding_id(about, name), score=score, reason=word.reason, note=word.note,
    )  # fmt: skip
