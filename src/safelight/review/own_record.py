"""How fast and how sure reviewers are, from the ledger: each one's own for that person alone, totals for a lead."""

from collections.abc import Iterable
from statistics import median

from safelight.domain import Drawn, Say, Verdict
from safelight.review.models import Record, Totals
from safelight.state import POLICY
from safelight.store import records
from safelight.store.library import Library

FEW = 5  # decisions or checks below which a figure says nothing


def own_record(library: Library, name: str) -> Record:
    """The record of one person over all shoots."""
    mine = [v for v in _said(library) if v.by == name]
    seconds = [s for s in _seconds(mine) if s is not None]
    checks = [v for v in mine if v.drawn is Drawn.KNOWN_BAD]
    return Record(
        verdicts=len(mine), decisions=len(_decisions(mine)), checks=len(checks),
        seconds=round(median(seconds), 1) if len(seconds) >= FEW else None,
        noticed=sum(_noticed(v) for v in checks) if len(checks) >= FEW else None,
    )  # fmt: skip


def all_totals(library: Library) -> Totals:
    """What everybody has done together."""
    said = list(_said(library))
    checks = [v for v in said if v.drawn is Drawn.KNOWN_BAD]
    seconds = sum(v.seconds or 0.0 for v in said)
    contested = sum(len(records.ledger(library, shoot.id).contested) for shoot in records.shoots(library))
    return Totals(
        reviewers=len({v.by for v in said}), verdicts=len(said), decisions=len(_decisions(said)),
        hours=round(seconds / 3600, 2), contested=contested, checks=len(checks), noticed=sum(map(_noticed, checks)),
    )  # fmt: skip


def _said(library: Library) -> Iterable[Verdict]:
    """What people said, without what rules did and without undoing."""
    rows = records.ledger(library).rows
    return (v for v in rows if v.say is not Say.UNDO and not v.by.startswith(POLICY))


def _decisions(rows: Iterable[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    """Verdicts of one moment and person are one decision."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in rows:
        found.setdefault((verdict.by, verdict.at), []).append(verdict)
    return found


def _seconds(rows: Iterable[Verdict]) -> list[float | None]:
    """How long each decision took; its verdicts share the time."""
    return [
        None if any(v.seconds is None for v in each) else sum(v.seconds or 0.0 for v in each)
        for each in _decisions(rows).values()
    ]


def _noticed(verdict: Verdict) -> bool:
    return verdict.say in (Say.REJECT, Say.MODIFY, Say.ESCALATE)
