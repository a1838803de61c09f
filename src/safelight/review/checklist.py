"""The checklist of a delivery as the page shows it: what stands in its way, what checks found, what will be written."""

from collections.abc import Iterable, Sequence
from typing import Any

from safelight import deliver
from safelight.deliver import Order, ready
from safelight.review.entries import printable
from safelight.review.session import Session
from safelight.state import CHECK, Judged
from safelight.words import many

SHOWN = 400  # rows of each list


def of(at: Session, order: Order, me: str) -> dict[str, Any]:
    """How far a shoot is from the delivery that is ordered by the reviewer `me`. Raises UsageError for names or presets
    that there are not."""
    state = at.seen()
    found = ready.checklist(state, ready.tried(at.library, state), clips=order.clips)
    rules = deliver.rules_of(order, at.folder)
    files = deliver.planned(at.folder, state, order)
    photos, clips = _by_task(found.unanswered), _by_task(found.uncut)
    return {
        "ready": found.ready,
        "unsigned": unsigned(order, me),
        "missing": [f"{text[0].upper()}{text[1:].rstrip('.')}." for text in found.missing],
        "kept": len(found.kept),
        "undecided": _listed(found.undecided),
        "unanswered": [
            {"operator": name.partition(" ")[0], "title": name.replace("_", " "), "clips": of_clips, **_listed(some)}
            for of_clips, by_task in ((False, photos), (True, clips))
            for name, some in sorted(by_task.items(), key=lambda row: -len(row[1]))
        ],
        "findings": [
            {
                "photo": f.photo.id, "path": printable(f.photo.path), "operator": f.operator, "name": f.name,
                "value": round(f.value, 3), "text": f"{spoken(f)} at {f.value:.0%}",
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


def spoken(finding: ready.Finding) -> str:
    """What a check found, as people say it."""
    return finding.name.removeprefix(CHECK).replace(".", " ").replace("_", " ")


def unsigned(order: Order, me: str) -> dict[str, str] | None:
    """What is wrong with the signature of an order by the reviewer `me`, and what to do; None where nothing is."""
    if not order.sign_off:
        if order.draft:
            return None
        return {
            "cause": "A final delivery is signed off by name, and nobody has signed.",
            "remedy": f"Write your name, {me}, or hand over a draft.",
        }
    if order.sign_off == me:
        return None
    return {
        "cause": f"{me} sits at this browser, and {order.sign_off} is to sign: nobody signs for somebody else.",
        "remedy": f"Sign as {me}, or say on the page People that you are {order.sign_off}.",
    }


def _by_task(open_: Iterable[tuple[Judged, tuple[str, ...]]]) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = {}
    for about, names in open_:
        for name in names:
            found.setdefault(name, []).append(about)
    return found


def _listed(photos: Sequence[Judged]) -> dict[str, Any]:
    return {"count": len(photos), "first": [{"photo": p.id, "path": printable(p.path)} for p in photos[:SHOWN]]}
