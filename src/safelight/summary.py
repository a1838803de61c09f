"""A shoot in at most twelve lines: what was kept, what needs a person, what failed, what to type next."""

import shlex
from collections import Counter
from typing import Any

from safelight import policy, queue, weights
from safelight.domain import Cull, State
from safelight.line import Pass
from safelight.state import Photo, ShootState, needs_a_person
from safelight.words import many

SCHEMA = "safelight.status/1"


def of_run(state: ShootState, made: Pass, *, library: str | None = None) -> dict[str, Any]:
    """The summary after a run."""
    return of(state, library=library) | {
        "changed": made.changed, "looked": made.looked, "seconds": round(made.seconds, 1), "report": str(made.report),
        "troubles": list(made.troubles),
    }  # fmt: skip


def of_status(state: ShootState, waiting: queue.Queue, *, library: str | None = None) -> dict[str, Any]:
    """The summary with what needs a person first."""
    first = [
        {"path": about.path, "operator": i.operator, "harm": i.harm}
        for i in waiting.items[:3] if (about := state.judged(i.photo)) is not None
    ]  # fmt: skip
    return of(state, library=library) | {
        "answers": len(waiting.items), "expected_wrong": round(waiting.expected, 1), "first": first,
    }  # fmt: skip


def of(state: ShootState, *, library: str | None = None) -> dict[str, Any]:
    """Counts by kind, zone and decision; what waits for a person; what failed."""
    photos = list(state.photos.values())
    decisions = Counter(p.decision.value for p in photos)
    zones = Counter(
        (p.zone.value, name)
        for photo in photos
        for name, p in photo.proposals.items()
        if photo.state(name) is State.PROPOSED and (name == "cull" or photo.decision is Cull.KEEP)
    )
    waiting = needs_a_person(photos)
    return {
        "schema": SCHEMA,
        "shoot": {"id": state.shoot.id, "name": state.shoot.name, "root": state.shoot.root},
        "photos": len(photos),
        "asked": {"target": state.asked.target, "genre": state.asked.genre},
        "kinds": dict(
            Counter(a.kind.value for a in [*(p.asset for p in photos), *(c.asset for c in state.clips.values())])
        ),
        "decisions": {d.value: decisions.get(d.value, 0) for d in Cull},
        "done_alone": sum(_alone(photo) for photo in photos),
        "stakes": state.shoot.stakes,
        "decided_by_people": sum(p.decided for p in photos),
        "groups": dict(Counter(g.kind.value for g in state.groups)),
        "zones": {f"{zone}.{name}": count for (zone, name), count in sorted(zones.items())},
        "needs_a_person": len(waiting),
        "cuts": _cuts(state),
        "undecided": [p.path for p in photos if p.decision is Cull.UNDECIDED],
        "failed": [{"path": f.path, **(f.error or {})} for f in state.failed],
        "missing_weights": sorted(m.name for m in weights.catalogue() if m.name not in weights.installed()),
        "next": _next(state, library, waits=bool(waiting or _cuts(state)["waiting"] or not _leaves(state))),
    }


def _cuts(state: ShootState) -> dict[str, int]:
    """Clips with proposed cuts: all, and those whose cuts wait for a person."""
    clips = [clip for clip in state.footage.values() if clip.proposals]
    return {"clips": len(clips), "waiting": sum(bool(clip.open_questions()) for clip in clips)}


def _leaves(state: ShootState) -> bool:
    """Whether anything could be delivered."""
    return bool(state.photos) or any(clip.edits() for clip in state.footage.values())


def _next(state: ShootState, library: str | None, *, waits: bool) -> str:
    """The command to type next; with the library, where one was named."""
    root = shlex.quote(state.shoot.root)
    named = f" --library {shlex.quote(library)}" if library and "://" not in library else ""
    return f"safelight review {root}{named}" if waits else f"safelight deliver {root} --to DIR{named}"


def words(found: dict[str, Any]) -> str:
    """The summary as people read it."""
    d = found["decisions"]
    lines = []
    if found.get("changed") is False:
        lines.append("Nothing has changed since the last run.")
    gone, decided = ("rejected", found["decided_by_people"]) if found["decided_by_people"] else ("proposed to go", 0)
    tail = f"; {decided:,} decided by people." if decided else "."
    photos = many(found["photos"], "photo")
    about = f" of about {found['asked']['target']:,}" if found["asked"]["target"] else ""
    others = _others(found)
    lines += others
    if found["photos"] or not others:
        lines.append(f"{photos}: {d['keep']:,} kept{about}, {d['reject']:,} {gone}, {d['undecided']:,} undecided{tail}")
    if found["groups"]:
        kinds = ", ".join(many(n, k.replace("_", " ")) for k, n in sorted(found["groups"].items()))
        lines.append(f"Found {kinds}.")
    lines += _waits(found)
    if found["failed"]:
        lines.append(f"{many(len(found['failed']), 'file')} could not be read:")
        lines += [f"  {f['path']!r}: {f.get('cause', '')}" for f in found["failed"][:3]]
        if len(found["failed"]) > 3:
            lines.append(f"  … and {len(found['failed']) - 3} more, all in the report")
    for trouble in found.get("troubles", [])[:3]:
        lines.append(f"Trouble: {trouble}")
    if found["missing_weights"]:
        lines.append("Faces were not looked at: no weights are installed. `safelight models fetch` brings them.")
    if found.get("report"):
        lines.append(f"Report: {found['report']}")
    lines.append(f"Next: {found['next']}")
    return "\n".join(lines)


def _others(found: dict[str, Any]) -> list[str]:
    """What there is besides photos."""
    kinds, lines = found["kinds"], list[str]()
    others = [many(kinds[k], w) for k, w in (("video", "clip"), ("audio", "sound")) if kinds.get(k)]
    if others:
        lines.append(f"{' and '.join(others)}: looked at, listed by `safelight explain`.")
    if found["cuts"]["waiting"]:
        clips = many(found["cuts"]["waiting"], "clip has", "clips have")
        lines.append(f"{clips} proposed cuts that wait for a person; `safelight cut` writes a timeline.")
    return lines


def _waits(found: dict[str, Any]) -> list[str]:
    """What people have left to do, and what was done without them."""
    lines = []
    if found["needs_a_person"]:
        waiting = many(found["needs_a_person"], "photo waits", "photos wait")
        tail = "." if found["done_alone"] else ": nothing is applied before somebody says so."
        lines.append(f"{waiting} for a person{tail}")
    if found.get("first"):
        wrong = f"about {found['expected_wrong']:.0f}" if found["expected_wrong"] >= 1 else "hardly any"
        lines.append(
            f"{many(found['answers'], 'answer')} to give; {wrong} of them wrong, as far as the record tells. First:"
        )
        lines += [f"  {item['path']!r}: {item['operator'].replace('_', ' ')}" for item in found["first"]]
    if found["done_alone"]:
        lines.append(f"{many(found['done_alone'], 'edit was', 'edits were')} made alone, as the record allows.")
    return lines


def _alone(photo: Photo) -> int:
    """Edits that were made alone under a licence; what needs none changes nothing that was seen."""
    rules = policy.default()
    return sum(photo.state(name) is State.APPLIED and rules.task(name).needs_licence for name in photo.standing)
