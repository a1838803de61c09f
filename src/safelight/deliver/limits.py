"""The thresholds of findings for a studio: those of the bench, moved by what its people said of findings."""

from collections import defaultdict
from collections.abc import Mapping

from safelight import checking
from safelight.checking import Thresholds
from safelight.domain import Say
from safelight.learn import findings
from safelight.state import CHECK
from safelight.store import records
from safelight.store.library import Library

FALSE_ALARM = "no_fault"  # the reason that calls a finding wrong; others say that it is wanted, or borne


def of_studio(library: Library) -> dict[str, Thresholds]:
    """Thresholds by finding."""
    usual = checking.thresholds()
    learned = {
        name: findings.thresholds(said, look=was.look, fail=was.fail)
        for name, said in answers(library).items()
        for was in [usual.get(name, Thresholds())]
    }
    return {**usual, **{name: Thresholds(look=look, fail=fail) for name, (look, fail) in learned.items()}}


def answers(library: Library) -> Mapping[str, list[tuple[float, bool]]]:
    """What people said of findings: by name, the chance that was told and whether it was a fault."""
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for verdict in records.ledger(library).rows:
        if not verdict.operator.startswith(CHECK) or verdict.score is None:
            continue
        fault = verdict.say is Say.APPROVE
        if fault or (verdict.say is Say.REJECT and verdict.reason == FALSE_ALARM):
            found[verdict.operator.removeprefix(CHECK)].append((verdict.score, fault))
    return found
