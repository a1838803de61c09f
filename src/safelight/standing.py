"""Whether an approval still stands when an edit below it has changed.

Whoever approves an edit sees it on top of those that are rendered before it. When one of them changes by more than its
operator calls material, the approval survives only if the checks pass on the new version; else the photo returns to
review and says why.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from safelight import params as json_params
from safelight import plugins
from safelight.domain import Edit, Measure, Verdict
from safelight.operators import FINDING, Operator, faults
from safelight.render import order

Checked = Mapping[str, tuple[Measure, str]]  # by name: a measure of the version's trial, and who measured


def below(edits: Sequence[Edit], operator: str) -> tuple[Edit, ...]:
    """Those of a version's edits that are rendered before this operator's, in order."""
    known = plugins.operators()
    if operator not in known:
        return ()
    here = Edit(operator=operator, version=known[operator].version, params={})
    placed = order([*(edit for edit in edits if edit.operator in known and edit.operator != operator), here])
    return placed[: placed.index(here)]


def moved(verdict: Verdict, edits: Sequence[Edit]) -> list[str]:
    """The operators below an approved edit that now do something materially else than what was shown."""
    if verdict.upon is None:
        return []
    then, now = (_by_operator(each) for each in (verdict.upon, below(edits, verdict.operator)))
    return [name for name in sorted({*then, *now}) if _differs(name, then.get(name), now.get(name))]


def passed(verdict: Verdict, checked: Checked | None) -> bool:
    """Whether the new version was tried and the approved operator's own check found nothing."""
    if not checked:
        return False
    label = f"{verdict.operator}@{verdict.version}"
    if any(name == "render.failed" for name in checked):
        return False
    return all(value < FINDING for value in faults([m for m, by in checked.values() if by == label]).values())


def words(verdict: Verdict, names: Iterable[str]) -> str:
    """Why an approval does not stand."""
    what = " and ".join(name.replace("_", " ") for name in names)
    return f"{what.capitalize()} changed after {verdict.operator.replace('_', ' ')} was approved: look at it again."


def _by_operator(edits: Iterable[Edit]) -> dict[str, Edit]:
    return {edit.operator: edit for edit in edits}


def _differs(name: str, then: Edit | None, now: Edit | None) -> bool:
    operator = plugins.operators().get(name)
    if operator is None or {e.version for e in (then, now) if e is not None} != {operator.version}:
        return then != now
    one, other = (_params(operator, edit) for edit in (then, now))
    return one != other if operator.material is None else operator.material(one, other)


def _params(operator: Operator[Any], edit: Edit | None) -> Any:
    return operator.params() if edit is None else json_params.from_json(operator.params, edit.params)
