"""What a studio's own picks teach: collected from verdicts and imported ratings, learned, judged on shoots left out.

A pick is a photo that a person kept while others of its group went, or one with more stars than its neighbours. A
studio's weights are used only where they are better than the built-in ones on shoots they were not learned from.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from safelight import plugins
from safelight.domain import Cull, Group, GroupKind, Say, Verdict, digest_of
from safelight.errors import UsageError
from safelight.learn import preference
from safelight.learn.preference import Choice, Report
from safelight.operators import Learns, Operator, Taste, Wishes
from safelight.state import POLICY, Photo, ShootState
from safelight.store import records
from safelight.store.library import Library
from safelight.store.styles import Style, save_style, styles
from safelight.words import many

SCHEMA = "safelight.style/1"
NOTHING = "Nothing has been learned yet. `safelight style learn` learns from what people decided."
DIGITS = 4  # of a weight, so that its digest is the same wherever it was learned


def tasks() -> tuple[str, ...]:
    """Operators that can learn from picks."""
    return tuple(name for name, op in plugins.operators().items() if op.learns is not None)


def taste(library: Library, task: str = "cull") -> Taste | None:
    """What runs use for a task: the newest that was learned, if it was better than the built-in."""
    found = styles(library, task)
    if not found or not found[-1].used:
        return None
    return Taste(id=found[-1].id, weights=found[-1].body["weights"])


def wished(library: Library, shoot: str, new: Wishes, *, forget: Collection[str] = ()) -> Wishes:
    """What holds for a run: what was asked of it, what was asked of the shoot before, and the studio's taste. What is
    asked is remembered for later runs."""
    before = records.asked(library, shoot)
    asked = records.Asked(
        target=new.target or (None if "target" in forget else before.target),
        genre=new.genre or (None if "genre" in forget else before.genre),
    )
    records.save_asked(library, shoot, asked)
    return replace(new, target=asked.target, genre=asked.genre, taste=new.taste or taste(library))


def learn(library: Library, task: str, *, by: str) -> dict[str, Any]:
    """Learns from all shoots of the library and remembers what came of it; the row of `safelight.style/1`.

    Raises UsageError where there is nothing to learn from."""
    op, learns = _learner(task)
    found, picks, lost = [], 0, 0
    for choice, proposed in choices(library, op, learns):
        found.append(choice)
        picks += len(choice.picks)
        lost += sum(proposed[i] is Cull.REJECT for i in choice.picks)
    if not found:
        raise UsageError(
            "No picks to learn from: nobody has kept some photos of a group and let others go.",
            remedy="Decide on some groups, or take ratings in with `safelight sync`, then learn again.",
        )
    names = list(learns.prior)
    learned = preference.learn(found, np.array(list(learns.prior.values()), np.float64), sharpness=_sharpness(names))
    weights = {name: round(float(w), DIGITS) for name, w in zip(names, learned.weights, strict=True)}
    style = Style(
        id=digest_of([op.label, weights])[:16], task=task, used=learned.report.better, by=by,
        body={"weights": weights, "strength": learned.strength, "operator": op.label},
        report=_plain(learned.report)
        | {"learned_from": _sources(found), "picks": {"n": picks, "proposed_to_go": lost}},
    )  # fmt: skip
    save_style(library, style)
    return _rows(styles(library, task))[-1]


def document(library: Library, task: str | None = None) -> dict[str, Any]:
    """`safelight.style/1`: everything that was learned, newest last."""
    return {"schema": SCHEMA, "styles": _rows(styles(library, task))}


# ---------------------------------------------------------------- picks


def choices(library: Library, op: Operator[Any], learns: Learns) -> Iterator[tuple[Choice, Sequence[Cull | None]]]:
    """Every group of every shoot of which people kept some photos and let others go, or gave more and fewer stars,
    with what the machine proposes for its photos now."""
    for shoot in records.shoots(library):
        state = ShootState.load(library, shoot)
        for group in state.groups:
            if group.kind is GroupKind.SCENE or group.protected:
                continue
            photos = [state.photos[m] for m in group.members if m in state.photos]
            better, picks = picked(photos, group, op.name)
            if better:
                subjects = state.subjects([photo.id for photo in photos])
                choice = Choice(
                    shoot=shoot.id, group=f"{shoot.id}/{group.id}", values=learns.values(subjects),
                    better=better, picks=picks,
                )  # fmt: skip
                yield choice, [_proposed(photo, op.name) for photo in photos]


def picked(photos: Sequence[Photo], group: Group, task: str) -> tuple[tuple[tuple[int, int], ...], frozenset[int]]:
    """Pairs of places (preferred, other), and the places that were chosen. Stars tell apart what decisions do not."""
    said = [_said(photo.standing.get(task), group) for photo in photos]
    stars = [_stars(photo) for photo in photos]
    order = {Cull.KEEP: 1, Cull.REJECT: -1}
    better = []
    for i, (one, own) in enumerate(zip(said, stars, strict=True)):
        for j, (other, others) in enumerate(zip(said, stars, strict=True)):
            if one is not None and other is not None and one is not other:
                preferred = order[one] > order[other]
            else:
                preferred = own is not None and others is not None and own > others
            if preferred:
                better.append((i, j))
    beaten = {j for _, j in better}
    return tuple(better), frozenset({i for i, _ in better} - beaten)


def _said(verdict: Verdict | None, group: Group) -> Cull | None:
    """What a person decided on a photo of a group. Approving much at once says nothing about one group in it."""
    if verdict is None or verdict.by.startswith(POLICY) or not verdict.params:
        return None
    if verdict.say not in (Say.APPROVE, Say.MODIFY):
        return None
    seen = verdict.together == group.id or verdict.bundled <= len(group.members) * len(plugins.operators())
    if verdict.say is Say.APPROVE and not seen:
        return None
    decision = Cull(str(verdict.params["decision"]))
    return None if decision is Cull.UNDECIDED else decision


def _proposed(photo: Photo, task: str) -> Cull | None:
    found = photo.proposals.get(task)
    return None if found is None else Cull(str(found.edit.params["decision"]))


def _stars(photo: Photo) -> int | None:
    found = photo.facts.get("rating")
    return found.value if found is not None and isinstance(found.value, int) else None


def _learner(task: str) -> tuple[Operator[Any], Learns]:
    op = plugins.operator(task)
    if op.learns is None:
        raise UsageError(f"{task} cannot learn from picks.", remedy=f"These can: {', '.join(tasks())}.")
    return op, op.learns


def _sharpness(names: Sequence[str]) -> int:
    return names.index("sharpness") if "sharpness" in names else 0


# ---------------------------------------------------------------- what is kept and said of it


def _plain(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "groups": report.groups, "shoots": report.shoots, "level": preference.LEVEL,
        "top1": {name: _rounded(h.top1) for name, h in report.hits.items()},
        "within_top2": {name: _rounded(h.top2) for name, h in report.hits.items()},
        "interval": [_rounded(v) for v in report.interval], "lead": [_rounded(v) for v in report.lead],
        "claimed": _rounded(report.claimed),
        "pairs": {name: _rounded(share) for name, share in report.pairs.items()},
    }  # fmt: skip


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _sources(found: Sequence[Choice]) -> dict[str, Any]:
    shoots = sorted({choice.shoot for choice in found})
    return {"shoots": shoots, "groups": len(found), "pairs": sum(len(choice.better) for choice in found)}


def _rows(found: Sequence[Style]) -> list[dict[str, Any]]:
    """Styles as JSON; in use is the newest of its task, if it was good enough to be used."""
    newest = {style.task: style for style in found}
    return [
        {
            "id": style.id, "task": style.task, "at": style.at, "by": style.by, "used": style.used,
            "in_use": style.used and style is newest[style.task], "body": style.body, "report": style.report,
        }
        for style in found
    ]  # fmt: skip


def line(row: Mapping[str, Any]) -> str:
    """What was learned, in one line of a list."""
    report = row["report"]
    kept = "in use" if row["in_use"] else "not used"
    return f"{row['task']} {row['id']}: {row['at'][:16]}, {many(report['groups'], 'group')}, {kept}"


def words(row: Mapping[str, Any]) -> str:
    """What was learned and whether it is used, for a terminal."""
    report = row["report"]
    shoots = many(report["shoots"], "shoot")
    lines = [f"{row['task']}, learned from {many(report['groups'], 'group')} of {shoots} ({row['id']})."]
    picks = report["picks"]
    lines.append(f"Of {many(picks['n'], 'picked photo')}, the machine proposes {picks['proposed_to_go']:,} to go.")
    if report["shoots"] < preference.FEWEST_SHOOTS:
        lines.append(
            f"Not used: {shoots} cannot show whether it is better than the built-in order; "
            f"{preference.FEWEST_SHOOTS} can."
        )
        return "\n".join(lines)
    low, high = report["interval"]
    lines.append("On shoots that were left out, the photo that people picked came")
    lines.append(f"  {'':11s}first   first or second")
    for name, title in (
        ("learned", "learned"), ("prior", "built-in"), ("sharpest", "sharpest"), ("first", "first shot"),
        ("random", "any"),
    ):  # fmt: skip
        lines.append(f"  {title:11s}{report['top1'][name]:4.0%}    {report['within_top2'][name]:4.0%}")
    lines.append(f"Learned: {low:.0%}–{high:.0%} ({report['level']:.0%} sure); {_lead(report)}")
    lines.append(
        "Runs use it from now on." if row["used"] else "Not used: not better than the built-in order beyond chance."
    )
    return "\n".join(lines)


def _lead(report: Mapping[str, Any]) -> str:
    low, high = (100 * value for value in report["lead"])
    return f"{low:+.0f} to {high:+.0f} points against the built-in order."
