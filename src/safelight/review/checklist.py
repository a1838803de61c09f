"""The checklist of a delivery as the page shows it: what stands in its way, what checks found, what will be written."""

from collections.abc import Sequence
from typing import Any

from safelight import deliver
from safelight.deliver import Order, ready
from safelight.review.entries import printable
from safelight.review.session import Session
from safelight.words import many

SHOWN = 400  # rows of each list


def of(at: Session, order: Order) -> dict[str, Any]:
    """How far a shoot is from the delivery that is ordered. Raises UsageError for names or presets that there are
    not."""
    state = at.seen()
    found = ready.checklist(state, ready.tried(at.library, state))
    rules = deliver.rules_of(order, at.folder)
    files = deliver.planned(at.folder, state, order)
    by_task: dict[str, list[str]] = {}
    for photo, names in found.unanswered:
        for name in names:
            by_task.setdefault(name, []).append(photo.id)
    return {
        "ready": found.ready,
        "missing": [f"{text[0].upper()}{text[1:].rstrip('.')}." for text in found.missing],
        "kept": len(found.kept),
        "undecided": _listed([(p.id, printable(p.path)) for p in found.undecided]),
        "unanswered": [
            {"operator": name, "title": name.replace("_", " "), "count": len(ids), "first": ids[0]}
            for name, ids in sorted(by_task.items(), key=lambda row: -len(row[1]))
        ],
        "findings": [
            {
                "photo": f.photo.id, "path": printable(f.photo.path), "operator": f.operator, "name": f.name,
                "value": round(f.value, 3), "text": f"{f.name.replace('.', ' ').replace('_', ' ')} at {f.value:.0%}",
            }
            for f in found.findings[:SHOWN]
        ],
        "failed": [{"path": printable(f.path), **(f.error or {})} for f in state.failed[:SHOWN]],
        "files": [{"photo": p.id, "from": printable(p.path), "name": printable(name)} for p, name in files[:SHOWN]],
        "count": len(files),
        "rules": [{"name": r.name, "count": len(r.rules) + len(r.set_rules)} for r in rules],
        "to": printable(str(order.to)),
        "words": f"{many(len(files), 'file')} would be written to {printable(str(order.to))}.",
    }  # fmt: skip


def _listed(rows: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {"count": len(rows), "first": [{"photo": photo, "path": path} for photo, path in rows[:20]]}
