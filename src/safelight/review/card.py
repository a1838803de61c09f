"""The card of one edit: what is done, on which evidence, how sure that is, what would have changed it, what else could
be done.

What would have changed it is not told by a formula of its own: the operator is asked again about the same photos with
one piece of its evidence moved, and where its answer turns, that is it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from safelight import blind, params
from safelight.domain import Json, Measure, Proposal, State
from safelight.operators import FINDING, Operator, Subject, Suggestion, Wishes, faults
from safelight.review.forms import form, words
from safelight.state import Photo
from safelight.verdicts import REASONS

HALVINGS = 7  # of the way on which the answer turns: it is told to a hundredth of it
MOST = 3  # changes that are told, and …
TRIED = 6  # … at most so many kinds of evidence that are tried
SMALLER, LARGER = 0.02, 5.0  # how far a number is moved
SHARES = ("share", "probability", "fault")  # these end at 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A piece of evidence, the value it has, the one from which on the answer is another, and that answer in words."""

    evidence: str
    value: float
    instead: float
    unit: str
    text: str


def card(photo: Photo, operator: Operator[Any], checks: Mapping[str, tuple[Measure, str]]) -> dict[str, Any]:
    """The card of what an operator proposes for a photo, or of what stands; `checks` are those of the tried version.

    Reasons come largest first, as the operator gave them."""
    name = operator.name
    proposal, standing = photo.proposals.get(name), photo.standing.get(name)
    held = standing.params if standing is not None and standing.params is not None else None
    values = held or (proposal.edit.params if proposal is not None else params.to_json(operator.params()))
    state = photo.state(name)
    found = [m for m, by in checks.values() if by == operator.label]
    return {
        "operator": name,
        "title": name.replace("_", " "),
        "about": operator.about,
        "state": state.value if state else None,
        "zone": proposal.zone.value if proposal else None,
        "params": dict(values),
        "said": words(values, operator),
        "form": form(operator),
        "score": None if proposal is None else proposal.score,
        "sure": _sure(proposal),
        "cannot_tell": proposal.cannot_tell if proposal else None,
        "because": [
            {"evidence": b.evidence, "value": b.value, "text": b.text, "code": b.code}
            for b in (proposal.because if proposal else ())
            if b.code != blind.SURE
        ],
        "alternatives": [
            {"params": dict(other.params), "text": words(other.params, operator)}
            for other in (proposal.alternatives if proposal else ())
        ],
        "checks": [_check(m) for m in found],
        "faults": {fault: value for fault, value in faults(found).items() if value >= FINDING},
        "shaken": photo.shaken.get(name),
        "decided_by": standing.by if standing else None,
        "blind": blind.is_blank(proposal),
        "waits": state in (State.PROPOSED, State.ESCALATED) or name in photo.shaken,
    }


def sure(score: float | None) -> str:
    """A score in words, with what it is worth."""
    if score is None:
        return "How often this is right has not been estimated."
    return f"About {score:.0%} of such proposals would be approved, by the operator's own estimate."


def _sure(proposal: Proposal | None) -> str:
    if blind.is_blank(proposal):
        return ""
    return blind.LATER if blind.is_unsaid(proposal) else sure(proposal.score if proposal else None)


def settable(operator: Operator[Any]) -> bool:
    """Whether a person can set all that the operator needs, so that it can be added where nothing was proposed."""
    kinds = {field["kind"] for field in form(operator)}
    return bool(kinds & {"slider", "box"}) and "measured" not in kinds


def reasons() -> dict[str, str]:
    """The codes of reasons that a rejection can give, with their words."""
    return dict(REASONS)


def _check(m: Measure) -> dict[str, Any]:
    return {"name": m.name, "value": m.value, "unit": m.unit, "cannot_tell": m.cannot_tell}


# ---------------------------------------------------------------- what would have changed it


def turning_points(
    operator: Operator[Any], subjects: Sequence[Subject], member: str, cited: Sequence[str], wishes: Wishes
) -> list[Change]:
    """Which evidence of one member, taken towards zero or some times larger, makes the operator answer otherwise, in
    the order of `cited`, then of what else it reads.

    `subjects` are the set that one call of `propose` sees. Each number is moved alone."""
    asked = _Asked(operator, subjects, member, wishes)
    found: list[Change] = []
    for name in _numbers(operator, asked.own, cited)[:TRIED]:
        value = asked.own.number(name)
        assert value is not None
        ends = (
            value * SMALLER,
            value * LARGER if asked.own.facts[name].unit not in SHARES else min(1.0, value * LARGER),
        )
        far = next((end for end in ends if asked.differs(name, end)), None)
        if far is not None:
            found.append(_change(asked, name, value, far))
        if len(found) == MOST:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """An operator that is asked again with one number of one member moved."""

    operator: Operator[Any]
    subjects: Sequence[Subject]
    member: str
    wishes: Wishes

    @property
    def own(self) -> Subject:
        return next(subject for subject in self.subjects if subject.asset.id == self.member)

    def answer(self, name: str, value: float) -> Suggestion[Any] | None:
        """What would be suggested; None where the operator does not take such a value."""
        own = self.own
        moved = replace(own, facts={**own.facts, name: replace(own.facts[name], value=value)})
        subjects = [moved if subject is own else subject for subject in self.subjects]
        try:
            return self._ask(subjects)
        except Exception:  # noqa: BLE001 - a value that no probe gives may be more than an operator can take
            return self._ask(self.subjects)

    def differs(self, name: str, value: float) -> bool:
        return _differs(self.operator, self._ask(self.subjects), self.answer(name, value))

    def _ask(self, subjects: Sequence[Subject]) -> Suggestion[Any] | None:
        return next((s for s in self.operator.propose(subjects, self.wishes) if s.member == self.member), None)


def _change(asked: _Asked, name: str, value: float, far: float) -> Change:
    """Where between a value and one that turns the answer it turns."""
    near = value
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        near, far = (near, middle) if asked.differs(name, middle) else (middle, far)
    unit = asked.own.facts[name].unit
    there = f"{_told(name)} at {_number(far, unit)} instead of {_number(value, unit)}"
    text = f"{there}: {_instead(asked.operator, asked.answer(name, far))}"
    return Change(evidence=name, value=value, instead=far, unit=unit, text=text)


def _numbers(operator: Operator[Any], own: Subject, cited: Sequence[str]) -> list[str]:
    """What was cited first, then all else that the operator reads; numbers that are not zero already."""
    names = dict.fromkeys([*cited, *operator.needs])
    return [name for name in names if name in operator.needs and own.number(name) not in (None, 0.0)]


def _params(operator: Operator[Any], suggestion: Suggestion[Any] | None) -> Any:
    """What would be proposed; None for nothing."""
    if suggestion is None or suggestion.params is None or suggestion.cannot_tell is not None:
        return None
    return None if suggestion.params == operator.params() else suggestion.params


def _differs(operator: Operator[Any], one: Suggestion[Any] | None, other: Suggestion[Any] | None) -> bool:
    """Whether two answers are materially different."""
    mine, theirs = _params(operator, one), _params(operator, other)
    if mine is None or theirs is None:
        return (mine is None) != (theirs is None)
    return bool(mine != theirs if operator.material is None else operator.material(mine, theirs))


def _instead(operator: Operator[Any], suggestion: Suggestion[Any] | None) -> str:
    values = _params(operator, suggestion)
    if values is not None:
        said = words(params.to_json(values), operator)
        return f"{said} would be proposed."
    if suggestion is not None and suggestion.cannot_tell is not None:
        return "nothing would be proposed, since it could not be told."
    return "nothing would be proposed."


def _told(name: str) -> str:
    return name.replace(".", " ").replace("_", " ")


def _number(value: Json, unit: str) -> str:
    shown = f"{value:.3g}" if isinstance(value, int | float) else str(value)
    return f"{shown} {unit}" if unit and unit not in ("probability", "share", "fault") else shown
