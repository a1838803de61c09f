"""Which photos stay: best of each group, technical faults, a target count if one was asked for.

Nothing is deleted and nobody is forgotten: a photo that stands alone is never rejected by the machine, every group
keeps at least one frame, brackets, focus stacks and panoramas are kept whole, and each reject has a reason that can
be shown. What is neither clearly in nor clearly out is undecided and waits for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from safelight.domain import Because, Cull, Group, Measure, Scope
from safelight.media.frame import Frame
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.operators._ranking import Ranked, rank

CERTAIN = 0.9  # from here on a fault is called one; below, it only counts in the ranking
LIKELY = 0.7  # from here on the kind of a certain blur is named
FAULTS = {  # evidence: (what is seen, how a sentence names it)
    "blur.motion": "Blurred by motion",
    "blur.defocus": "Out of focus",
    "blur": "Blurred",
    "exposure.over": "Over-exposed, highlights are lost",
    "exposure.under": "Under-exposed",
    "eyes.closed": "Eyes closed",
}
MEASURED_BY = {  # part of the ranking: the evidence that it comes from
    "sharpness": "sharpness",
    "eyes": "eyes.closed",
    "exposure": "exposure.over",
    "smile": "smile",
    "framing": "subject.cut",
    "colour": "colour.cast",
    "level": "tilt",
}
CLEARLY_WORSE = 0.12  # of the ranking score: less is a tie, and a tie is for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class CullParams:
    """Whether a photo stays. `tie_with` names the group's best frame where this one is as good: whoever approves the
    group as it is shown keeps the best and lets the others go."""

    decision: Cull = Cull.UNDECIDED
    tie_with: str = ""


def technical_faults(facts: Mapping[str, Measure]) -> tuple[Because, ...]:
    """The faults that are certain, largest first. Blur is told once: as motion or defocus where that is known."""
    found = []
    for name, text in FAULTS.items():
        value = _number(facts.get(name))
        is_kind = name.startswith("blur.")
        if value is None or value < (LIKELY if is_kind else CERTAIN):
            continue
        if is_kind and (_number(facts.get("blur")) or 0) < CERTAIN:
            continue  # the kind of blur means nothing without blur
        found.append(Because(evidence=name, value=value, code=name, text=f"{text} ({value:.0%} sure)."))
    kinds = [b for b in found if b.code.startswith("blur.")]
    if kinds:
        kept = max(kinds, key=lambda b: float(str(b.value)))
        found = [b for b in found if not b.code.startswith("blur") or b is kept]
    return tuple(sorted(found, key=lambda b: -float(str(b.value))))


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[CullParams]]:
    """One decision for each photo of the shoot, reasons first."""
    stacks, singles = _stacks(subjects)
    made: dict[str, Suggestion[CullParams]] = {}
    for group, members in stacks:
        made |= {s.member: s for s in (_protected(group, members) if group.protected else _best(members))}
    made |= {subject.asset.id: _single(subject) for subject in singles}
    if wishes.target is not None:
        made = _towards(wishes.target, made, subjects)
    return [made[subject.asset.id] for subject in subjects]


# ---------------------------------------------------------------- one photo, one group


def _single(subject: Subject) -> Suggestion[CullParams]:
    """A photo that stands alone is kept, or waits for a person where something is wrong with it."""
    faults = technical_faults(subject.facts)
    if faults:
        text = "The only photo of its moment: a person decides."
        alone = Because(evidence="groups", value=1, code="alone", text=text)
        return _suggest(subject, Cull.UNDECIDED, (*faults, alone), 0.5)
    reason = Because(
        evidence="groups", value=1, code="only", text="The only photo of its moment, and no fault was found."
    )
    return _suggest(subject, Cull.KEEP, (reason,), 1 - _worst(subject) / 2)


def _protected(group: Group, members: Sequence[Subject]) -> list[Suggestion[CullParams]]:
    """Frames that make one picture together are kept together."""
    name = group.kind.value.replace("_", " ")
    text = f"One of {len(members)} frames of a {name}, kept together."
    reason = Because(evidence="groups", value=len(members), code=f"protected.{group.kind.value}", text=text)
    return [_suggest(member, Cull.KEEP, (reason,), 0.99) for member in members]


def _best(members: Sequence[Subject]) -> list[Suggestion[CullParams]]:
    """Best of a burst or of near-duplicates: the best is kept, the clearly worse go, ties wait for a person."""
    ranked = rank(members)
    best = ranked[0]
    faults = technical_faults(best.subject.facts)
    if faults:
        text = f"The best of {len(members)} frames, and still not good: a person decides."
        reason = Because(evidence="groups", value=len(members), code="best_is_faulty", text=text)
        return [_suggest(r.subject, Cull.UNDECIDED, (*technical_faults(r.subject.facts), reason), 0.5) for r in ranked]
    lead = ranked[1].score if len(ranked) > 1 else 0.0
    worse = [r for r in ranked[1:] if best.score - r.score >= CLEARLY_WORSE or technical_faults(r.subject.facts)]
    text = f"The best of {len(members)} frames" + (
        _advantage(best, worse, len(ranked) - 1) if worse else ", by a little."
    )
    kept = Because(evidence="sharpness", value=best.score, code="best", text=text)
    out = [_suggest(best.subject, Cull.KEEP, (kept,), min(0.95, 0.6 + best.score - lead))]
    return out + [_against(other, best) for other in ranked[1:]]


def _advantage(best: Ranked, worse: Sequence[Ranked], others: int) -> str:
    """What the best frame has over the clearly worse ones, in words; a full stop where nothing stands out."""
    whom = "the others" if len(worse) == others else "those that go"
    better = {
        "sharpness": "sharper", "eyes": "eyes open", "exposure": "better exposed", "colour": "colours more neutral",
        "level": "more level",
    }  # fmt: skip
    for name, words in better.items():
        values = [other.parts[name] for other in worse if name in other.parts]
        if name in best.parts and values and best.parts[name] - max(values) > 0.05:
            return f": {words} than {whom}."
    return "."


def _against(other: Ranked, best: Ranked) -> Suggestion[CullParams]:
    """A frame against the best of its group."""
    faults = technical_faults(other.subject.facts)
    instead = f"{best.subject.path} is proposed instead."
    if faults:
        reasons = (*faults, Because(evidence="groups", value=best.score, code="better", text=instead))
        return _suggest(other.subject, Cull.REJECT, reasons, 0.95)
    gap = best.score - other.score
    if gap < CLEARLY_WORSE:
        text = f"As good as {best.subject.path}: one of the two is enough, a person chooses."
        reason = Because(evidence="sharpness", value=gap, code="tie", text=text)
        return _suggest(other.subject, Cull.UNDECIDED, (reason,), 0.5, tie_with=best.subject.asset.id)
    weakest = max(other.parts, key=lambda name: best.parts.get(name, 0) - other.parts[name])
    words = {
        "sharpness": "Less sharp", "eyes": "Eyes less open", "exposure": "Less well exposed",
        "smile": "Expression less happy", "framing": "Someone is cut by the edge", "colour": "Colours less neutral",
        "level": "Less level",
    }  # fmt: skip
    here, there = other.parts[weakest], best.parts.get(weakest, 0.0)
    text = f"{words[weakest]} than {best.subject.path} ({here:.2f} against {there:.2f}). {instead}"
    reason = Because(evidence=MEASURED_BY[weakest], value=here, code=f"worse.{weakest}", text=text)
    return _suggest(other.subject, Cull.REJECT, (reason,), min(0.95, 0.5 + gap))


# ---------------------------------------------------------------- a target count


def _towards(
    target: int, made: Mapping[str, Suggestion[CullParams]], subjects: Sequence[Subject]
) -> dict[str, Suggestion[CullParams]]:
    """Moves towards about `target` kept photos: weakest keepers wait for a person, ties are taken in, strongest first.

    Every scene keeps at least one photo and protected sets stay whole, so the count may end above the target."""
    out = dict(made)
    keepers = [s for s in out.values() if s.params and s.params.decision is Cull.KEEP]
    strength = {subject.asset.id: rank([subject])[0].score for subject in subjects}
    scene = {subject.asset.id: subject.scene or subject.asset.id for subject in subjects}
    if len(keepers) > target:
        left: dict[str, int] = {}
        for s in keepers:
            left[scene[s.member]] = left.get(scene[s.member], 0) + 1
        loose = [s for s in keepers if not s.because[0].code.startswith("protected")]
        surplus = len(keepers) - target
        for s in sorted(loose, key=lambda s: (strength[s.member], s.member)):
            if surplus == 0:
                break
            if left[scene[s.member]] > 1:
                left[scene[s.member]] -= 1
                surplus -= 1
                text = f"Beyond the target of about {target}: its scene has {left[scene[s.member]]} stronger photos."
                reason = Because(evidence="groups", value=target, code="target", text=text)
                out[s.member] = replace(
                    s, params=CullParams(decision=Cull.UNDECIDED), because=(reason, *s.because), score=0.5
                )
    else:
        ties = [s for s in out.values() if s.params and s.params.tie_with]
        ties.sort(key=lambda s: (-strength[s.member], s.member))
        for s in ties[: target - len(keepers)]:
            text = f"As good as the best of its group, and there is room in the target of about {target}."
            reason = Because(evidence="groups", value=target, code="target", text=text)
            out[s.member] = replace(s, params=CullParams(decision=Cull.KEEP), because=(reason, *s.because), score=0.6)
    return out


# ---------------------------------------------------------------- small parts


def _stacks(subjects: Sequence[Subject]) -> tuple[list[tuple[Group, list[Subject]]], list[Subject]]:
    """Photos by the group they are in, and those that stand alone. A raw and its JPEG are one photo already."""
    stacks: dict[str, tuple[Group, list[Subject]]] = {}
    singles = []
    for subject in subjects:
        if subject.groups:
            stacks.setdefault(subject.groups[0].id, (subject.groups[0], []))[1].append(subject)
        else:
            singles.append(subject)
    whole = [stack for stack in stacks.values() if len(stack[1]) > 1]
    return whole, singles + [stack[1][0] for stack in stacks.values() if len(stack[1]) == 1]


def _suggest(
    subject: Subject, decision: Cull, because: tuple[Because, ...], score: float, *, tie_with: str = ""
) -> Suggestion[CullParams]:
    return Suggestion(
        member=subject.asset.id,
        params=CullParams(decision=decision, tie_with=tie_with),
        score=round(score, 4),
        because=because,
        alternatives=tuple(CullParams(decision=d) for d in (Cull.KEEP, Cull.REJECT) if d is not decision),
    )


def _worst(subject: Subject) -> float:
    return max((_number(subject.facts.get(name)) or 0.0 for name in FAULTS), default=0.0)


def _number(measure: Measure | None) -> float | None:
    if measure is None or not isinstance(measure.value, int | float):
        return None
    return float(measure.value)


def render(frame: Frame, params: CullParams, tools: Tools) -> Frame:  # noqa: ARG001 - a choice changes no pixels
    """The same frame: whether a photo stays is no change of it."""
    return frame


def check(before: Frame, after: Frame, params: CullParams) -> Sequence[Measure]:  # noqa: ARG001
    """Whether the picture is untouched."""
    touched = before is not after and not np.array_equal(before.pixels, after.pixels)
    return (Measure(name="cull.touched", value=touched),)


def spoil(before: Frame, params: CullParams) -> Frame:  # noqa: ARG001
    """A choice that darkens the picture."""
    return before.with_pixels(before.pixels * np.float32(0.5) - np.float32(0.1))


operator: Operator[CullParams] = Operator(
    name="cull",
    version=1,
    params=CullParams,
    risk=Risk(complexity=0.4, cost=0.6),
    stage=Stage.CHOICE,
    needs=(
        "blur", "blur.motion", "blur.defocus", "exposure.over", "exposure.under", "sharpness", "eyes.closed", "smile",
        "subject.cut", "colour.cast", "tilt",
    ),
    scope=Scope.SHOOT,
    medium=Medium.CHOICE,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=lambda before, after: before.decision is not after.decision,
    about="Keeps the best of each group and says why the others go.",
)  # fmt: skip
