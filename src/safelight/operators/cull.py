"""Which photos stay: best of each group, technical faults, what counts in a genre, a target count if one was asked for.

Nothing is deleted and nobody is forgotten: a photo that stands alone is never rejected by the machine, every group
keeps at least one frame, brackets, focus stacks and panoramas are kept whole, and each reject has a reason that can
be shown. Where grouping of people is switched on, everybody seen on two good photos or more is on a kept one. What is
neither clearly in nor clearly out is undecided and waits for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from safelight.domain import Because, Cull, Group, Measure, Scope
from safelight.learn.preference import chance_over
from safelight.media.frame import Frame
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes, _ranking
from safelight.operators._genres import PLAIN, Manner, manner
from safelight.operators._people import Cast, cast, missing, spared
from safelight.operators._ranking import PRIOR, QUANTITIES, Ranked, rank, strength
from safelight.operators._target import Keeper, taken_in

LIKELY = 0.7  # from here on the kind of a certain blur is named
FAULTS = {  # evidence: (what is seen, how a sentence names it)
    "blur.motion": "Blurred by motion",
    "blur.defocus": "Out of focus",
    "blur": "Blurred",
    "exposure.over": "Over-exposed, highlights are lost",
    "exposure.under": "Under-exposed",
    "eyes.closed": "Eyes closed",
}
STANDS_OUT = 0.3  # log odds from which a quantity is named as what the best frame has over the others


@dataclass(frozen=True, slots=True, kw_only=True)
class CullParams:
    """Whether a photo stays. `tie_with` names the group's best frame where this one is as good: whoever approves the
    group as it is shown keeps the best and lets the others go. `taste` is the id of the learned preference by which
    the group was ordered, empty for the built-in one."""

    decision: Cull = Cull.UNDECIDED
    tie_with: str = ""
    taste: str = ""


def technical_faults(facts: Mapping[str, Measure], how: Manner = PLAIN) -> tuple[Because, ...]:
    """The faults that are certain, largest first. Blur is told once: as motion or defocus where that is known. Those
    that may be meant in a genre are none."""
    found = []
    for name, text in FAULTS.items():
        value = _number(facts.get(name))
        is_kind = name.startswith("blur.")
        if value is None or value < (LIKELY if is_kind else how.certain):
            continue
        if is_kind and (_number(facts.get("blur")) or 0) < how.certain:
            continue  # the kind of blur means nothing without blur
        found.append(Because(evidence=name, value=value, code=name, text=f"{text} ({value:.0%} sure)."))
    kinds = [b for b in found if b.code.startswith("blur.")]
    if kinds:
        kept = max(kinds, key=lambda b: float(str(b.value)))
        found = [b for b in found if not b.code.startswith("blur") or b is kept]
    meant = [b for b in found if b.code not in how.excused]
    return tuple(sorted(meant, key=lambda b: -float(str(b.value))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """By what frames are compared: the weights, where they come from, and the manner of the genre."""

    weights: Mapping[str, float]
    taste: str
    how: Manner

    def faults(self, subject: Subject) -> tuple[Because, ...]:
        """The faults of a photo that are certain in this genre."""
        return technical_faults(subject.facts, self.how)

    def stress(self, quantity: str) -> str:
        """Why a quantity counts in this genre, as the end of a sentence; nothing where it counts as usual."""
        return f", {self.how.because}" if self.how.because and self.how.stresses(quantity) else ""


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[CullParams]]:
    """One decision for each photo of the shoot, reasons first."""
    taste = wishes.taste
    judge = Judge(
        weights=PRIOR if taste is None else taste.weights, taste="" if taste is None else taste.id,
        how=manner(wishes.genre),
    )  # fmt: skip
    stacks, singles = _stacks(subjects)
    made: dict[str, Suggestion[CullParams]] = {}
    for group, members in stacks:
        made |= {s.member: s for s in (_protected(group, members) if group.protected else _best(members, judge))}
    made |= {subject.asset.id: _single(subject, judge) for subject in singles}
    who = cast(subjects, is_good=lambda subject: not judge.faults(subject))
    if wishes.target is not None:
        made = _towards(wishes.target, made, subjects, judge, who)
    made = _with_everybody(made, subjects, judge, who)
    return [made[subject.asset.id] for subject in subjects]


# ---------------------------------------------------------------- one photo, one group


def _single(subject: Subject, judge: Judge) -> Suggestion[CullParams]:
    """A photo that stands alone is kept, or waits for a person where something is wrong with it."""
    faults = judge.faults(subject)
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


def _best(members: Sequence[Subject], judge: Judge) -> list[Suggestion[CullParams]]:
    """Best of a burst or of near-duplicates: the best is kept, the clearly worse go, ties wait for a person."""
    ranked = rank(members, judge.weights, judge.how)
    best = ranked[0]
    if judge.faults(best.subject):
        text = f"The best of {len(members)} frames, and still not good: a person decides."
        reason = Because(evidence="groups", value=len(members), code="best_is_faulty", text=text)
        return [
            _suggest(r.subject, Cull.UNDECIDED, (*judge.faults(r.subject), reason), 0.5, taste=judge.taste)
            for r in ranked
        ]
    others = [_against(other, best, judge) for other in ranked[1:]]
    gone = {s.member for s in others if s.params is not None and s.params.decision is Cull.REJECT}
    worse = [r for r in ranked[1:] if r.subject.asset.id in gone]
    equals = [r.subject.path for r in ranked[1:] if r.subject.asset.id not in gone]
    kept = Because(
        evidence="groups", value=round(best.chance, 4), code="best",
        text=_why_best(best, worse, equals, judge) if worse or not equals else _why_shown(best, equals),
    )  # fmt: skip
    return [_suggest(best.subject, Cull.KEEP, (kept,), best.chance, taste=judge.taste), *others]


def _why_best(best: Ranked, worse: Sequence[Ranked], equals: Sequence[str], judge: Judge) -> str:
    """What the best frame has over those that go, in words."""
    start = f"The best of {1 + len(worse) + len(equals)} frames"
    whom = "those that go" if equals else "the others"
    over = [best.over(other) for other in worse]
    least = {name: min((one.get(name, 0.0) for one in over), default=0.0) for name in QUANTITIES}
    name, lead = max(least.items(), key=lambda item: item[1])
    text = f"{start}: {QUANTITIES[name].better} than {whom}{judge.stress(name)}." if lead >= STANDS_OUT else f"{start}."
    return f"{text} {_equals(equals)}" if equals else text


def _why_shown(best: Ranked, equals: Sequence[str]) -> str:
    """A group without a clear winner."""
    return f"First of {1 + len(equals)} frames by a little ({best.chance:.0%} likely to be picked). {_equals(equals)}"


def _equals(paths: Sequence[str]) -> str:
    """Which frames are as good as the best."""
    if len(paths) == 1:
        return f"{paths[0]} is as good."
    named = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    return f"As good: {named}."


def _against(other: Ranked, best: Ranked, judge: Judge) -> Suggestion[CullParams]:
    """A frame against the best of its group."""
    faults = judge.faults(other.subject)
    instead = f"{best.subject.path} is proposed instead."
    reasons = best.over(other)
    surer = chance_over(sum(reasons.values()))
    if faults:
        better = Because(evidence="groups", value=round(surer, 4), code="better", text=instead)
        return _suggest(other.subject, Cull.REJECT, (*faults, better), max(0.95, surer), taste=judge.taste)
    if surer < judge.how.clear:
        text = f"As good as {best.subject.path}: one of the two is enough, a person chooses."
        tie = Because(evidence="groups", value=round(1 - surer, 4), code="tie", text=text)
        return _suggest(other.subject, Cull.UNDECIDED, (tie,), 0.5, tie_with=best.subject.asset.id, taste=judge.taste)
    because: list[Because] = []
    for name, gap in reasons.items():
        if gap < STANDS_OUT and because:
            break
        quantity = QUANTITIES[name]
        text = (
            f"{quantity.worse} than {best.subject.path} ({other.value(name):.2f} against {best.value(name):.2f})"
            f"{judge.stress(name)}."
        )
        because.append(
            Because(evidence=quantity.evidence, value=round(other.value(name), 4), code=f"worse.{name}", text=text)
        )
    because[0] = replace(because[0], text=f"{because[0].text} {instead}")
    return _suggest(other.subject, Cull.REJECT, tuple(because[:3]), surer, taste=judge.taste)


# ---------------------------------------------------------------- a target count


def _towards(
    target: int, made: Mapping[str, Suggestion[CullParams]], subjects: Sequence[Subject], judge: Judge, who: Cast
) -> dict[str, Suggestion[CullParams]]:
    """Moves towards about `target` kept photos: some keepers wait for a person, or ties are taken in.

    Every scene and everybody in the cast keep at least one photo and protected sets stay whole, so the count may end
    above the target."""
    out = dict(made)
    by_id = {subject.asset.id: subject for subject in subjects}

    def keeper(s: Suggestion[CullParams]) -> Keeper:
        fixed = judge.how.every_moment or s.because[0].code.startswith("protected")
        power = strength(by_id[s.member], judge.weights, judge.how)
        return Keeper(subject=by_id[s.member], strength=power, fixed=fixed)

    kept = [keeper(s) for s in out.values() if s.params and s.params.decision is Cull.KEEP]
    if len(kept) > target:
        gone, owed = spared(who, kept, target)
        for member, person in owed.items():
            out[member] = replace(out[member], because=(who.only(member, person), *out[member].because))
        for member, stays in gone.items():
            text = f"Beyond the target of about {target}: {stays.path} stands for this part of its scene."
            reason = Because(evidence="groups", value=target, code="target", text=text)
            s = out[member]
            params = replace(s.params or CullParams(), decision=Cull.UNDECIDED)
            out[member] = replace(s, params=params, because=(reason, *s.because), score=0.5)
        return out
    ties = [s for s in out.values() if s.params and s.params.tie_with]
    groups = {s.member: s.params.tie_with for s in ties if s.params}
    for member in taken_in([keeper(s) for s in ties], target - len(kept), groups=groups):
        text = f"As good as the best of its group, and there is room in the target of about {target}."
        reason = Because(evidence="groups", value=target, code="target", text=text)
        s = out[member]
        params = replace(s.params or CullParams(), decision=Cull.KEEP, tie_with="")
        out[member] = replace(s, params=params, because=(reason, *s.because), score=0.6)
    return out


def _with_everybody(
    made: Mapping[str, Suggestion[CullParams]], subjects: Sequence[Subject], judge: Judge, who: Cast
) -> dict[str, Suggestion[CullParams]]:
    """Keeps one photo more for each person of the cast who is on no kept one."""
    out = dict(made)
    kept = [s.member for s in made.values() if s.params and s.params.decision is Cull.KEEP]
    by_id = {subject.asset.id: subject for subject in subjects}
    power = {photo: strength(by_id[photo], judge.weights, judge.how) for photo in who.faces}
    for photo, person in missing(who, kept, power).items():
        reason = who.only(photo, person)
        out[photo] = _suggest(by_id[photo], Cull.KEEP, (reason,), 0.6, taste=judge.taste)
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
    subject: Subject,
    decision: Cull,
    because: tuple[Because, ...],
    score: float,
    *,
    tie_with: str = "",
    taste: str = "",
) -> Suggestion[CullParams]:
    return Suggestion(
        member=subject.asset.id,
        params=CullParams(decision=decision, tie_with=tie_with, taste=taste),
        score=round(score, 4),
        because=because,
        alternatives=tuple(CullParams(decision=d, taste=taste) for d in (Cull.KEEP, Cull.REJECT) if d is not decision),
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
    version=2,
    params=CullParams,
    risk=Risk(complexity=0.4, cost=0.6),
    stage=Stage.CHOICE,
    needs=(
        "blur", "blur.motion", "blur.defocus", "exposure.over", "exposure.under", "sharpness", "faces", "eyes.closed",
        "smile", "mouth.speaking", "subject.cut", "colour.cast", "tilt", "noise", "people",
    ),
    scope=Scope.SHOOT,
    medium=Medium.CHOICE,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=lambda before, after: before.decision is not after.decision,
    material_when="the photo stays where it was to go, goes where it was to stay, or is decided where it was left open",
    learns=_ranking.LEARNS,
    about="Keeps the best of each group and says why the others go.",
)  # fmt: skip
