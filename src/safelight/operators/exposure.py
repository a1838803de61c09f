"""Exposure: the whole picture made brighter or darker by a number of stops.

A photo that stands alone is corrected by its own estimate: not at all within a dead zone, by a small step where it may
as well be a mood, in full where it is clearly off. Frames of a scene that show the same things are brought to one level
by them: that of a chart, or of their well-exposed frames. Other frames of one burst or of near-duplicates are brought
to the level of their well-exposed frames by the tones that are clipped in neither. Brackets are left alone.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Group, GroupKind, Measure, Scope
from safelight.media.colour import brightest, luminance, sparse
from safelight.media.frame import Frame
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes, _relative, _settings
from safelight.operators._relative import Relative
from safelight.operators._settings import Shared
from safelight.params import declare

DEAD_ZONE = 0.4  # EV: estimates below are left alone
CLEAR = 0.8  # EV: estimates from here on are followed in full
SMALL_STEP = 0.45  # EV: the most that is proposed between the two
SCENE_DEAD_ZONE = 0.15  # EV: frames of one group within are alike
FAULT = 0.5  # probability from which a frame is no reference for others
STEP = 0.05  # EV
MOST = 4.0  # EV
HEADROOM_SHARE = 0.005  # of pixels that the measure `clip.headroom` lets reach white
HEADROOM_SLACK = 0.1  # EV that a brightening may go beyond the highlights' headroom
APPROVED = 0.33  # EV: a person leaves an error of up to this alone
LEVEL_DEAD_ZONE = 0.08  # EV: frames that show the same things are alike within
OUTLIER, OUTLIER_SPREADS = 0.5, 2.0  # EV off the middle, and of its standard error, from which a frame is named
LEAST_DOUBT = 0.06  # EV, of an alignment
CHART_DOUBT = 0.25  # EV, of a chart in another frame of the scene, by the settings
DEEP, DEEPEST = -6.0, -9.0  # EV below white: darker tones are compared only if nothing else is there
FEWEST_TONES = 3
MARGIN = 0.02  # share of pixels next to the clipped ones that is not compared either
ALIGNED = frozenset({GroupKind.BURST, GroupKind.DUPLICATE})
BLOWN = 0.02  # share of pixels newly at white that is a fault
OFF = 0.25  # EV between the asked and the measured change that is a fault

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureParams:
    """How much brighter."""

    ev: float = declare(
        0.0, low=-5.0, high=5.0, step=STEP, unit="EV", help="stops: positive is brighter, negative darker, 0 as it is"
    )


# ---------------------------------------------------------------- propose


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[ExposureParams]]:  # noqa: ARG001
    """One suggestion for each photo of a scene that is no part of a bracket, focus stack or panorama."""
    free = [s for s in subjects if not any(group.protected for group in s.groups)]
    made: dict[str, Suggestion[ExposureParams]] = {}
    for linked in _relative.linked(free):
        made |= {s.member: s for s in _levelled(linked)}
    made |= {member: found for member, found in _by_charts(free) if member not in made or made[member].params is None}
    moved = {member: s.params.ev for member, s in made.items() if s.params is not None}
    for members in _look_alikes(free):
        made |= {s.member: s for s in _aligned(members, moved) if s.member not in made}
    together = _settings.shared(free)
    return [made.get(s.asset.id) or _alone(s, together.get(s.asset.id)) for s in free]


def _by_charts(subjects: Sequence[Subject]) -> Iterator[tuple[str, Suggestion[ExposureParams]]]:
    """Frames with a chart, and those that the same body took with known settings in its scene."""
    charts = [s for s in subjects if s.number("chart.ev") is not None]
    for subject in subjects:
        chart = subject if subject in charts else _chart_for(subject, charts)
        if chart is not None:
            yield subject.asset.id, _by_chart(subject, chart)


def _chart_for(subject: Subject, charts: Sequence[Subject]) -> Subject | None:
    """The first chart of the same body whose settings and this frame's own are known."""
    told = _settings.let_in(subject) is not None
    body = subject.asset.capture.body
    return next((c for c in charts if told and c.asset.capture.body == body and _settings.let_in(c) is not None), None)


def _by_chart(subject: Subject, chart: Subject) -> Suggestion[ExposureParams]:
    """What makes the chart's greys as bright as they are, less what this frame's settings let in more."""
    more = (_settings.let_in(subject) or 0.0) - (_settings.let_in(chart) or 0.0) if subject is not chart else 0.0
    ev = (chart.number("chart.ev") or 0.0) - more
    text = f"The grey patches of the ColorChecker are {_off(chart.number('chart.ev') or 0.0)}."
    because = [Because(evidence="chart.ev", value=chart.number("chart.ev"), text=text, code="exposure.chart")]
    if subject is not chart:
        text = f"The chart is in {chart.path}; this frame's settings let in {_more(more)}."
        because.append(Because(evidence="chart.ev", value=round(more, 2), text=text, code="exposure.settings"))
    if ev > _headroom(subject):
        text = f"Highlights beyond white are lost with it: there is room for {_headroom(subject):+.1f} EV."
        because.append(Because(evidence="clip.headroom", value=subject.number("clip.headroom"), text=text))
    spread = math.hypot(chart.number("chart.ev.spread") or 0.0, 0.0 if subject is chart else CHART_DOUBT)
    return _suggest(subject, ev, because, score=_chance(0.0, spread), alternatives=(0.0,))


def _off(ev: float) -> str:
    return (
        f"{abs(ev):.1f} EV too {'dark' if ev > 0 else 'bright'}" if abs(ev) >= STEP else "as bright as they should be"
    )


def _more(ev: float) -> str:
    return f"{abs(ev):.1f} EV {'more' if ev > 0 else 'less'} light" if abs(ev) >= STEP else "the same light"


def _look_alikes(subjects: Sequence[Subject]) -> list[list[Subject]]:
    """The bursts and near-duplicates among these, each photo in the largest that it belongs to."""
    by_group: dict[str, list[Subject]] = {}
    for subject in subjects:
        groups = [group for group in subject.groups if group.kind in ALIGNED]
        if groups:
            by_group.setdefault(max(groups, key=_size).id, []).append(subject)
    return [members for members in by_group.values() if len(members) > 1]


def _size(group: Group) -> tuple[int, str]:
    return len(group.members), group.id


# ---------------------------------------------------------------- a photo alone


def _alone(subject: Subject, together: Shared | None = None) -> Suggestion[ExposureParams]:
    """By its own estimate, drawn towards what its settings and the scene's other frames say where these agree."""
    ev, spread = subject.number("exposure.ev"), subject.number("exposure.ev.spread")
    if ev is None or spread is None:
        return _abstain(subject, _why_not(subject.facts))
    by_scene = []
    if together is not None:
        text = f"By itself it would be {ev:+.1f} EV; {together.count} frames of the scene and their settings weigh in."
        by_scene = [Because(evidence="exposure.ev", value=ev, text=text, code="exposure.settings")]
        ev, spread = together.ev, together.spread
    if abs(ev) >= CLEAR and spread > abs(ev):
        return _abstain(subject, f"The estimate of {ev:+.1f} EV is uncertain by {spread:.1f} EV.")
    small = DEAD_ZONE <= abs(ev) < CLEAR
    wanted = 0.0 if abs(ev) < DEAD_ZONE else math.copysign(min(abs(ev), SMALL_STEP if small else MOST), ev)
    because = [_seen(subject, ev, spread), *by_scene]
    if small and abs(ev) > SMALL_STEP:
        text = f"This may be the light of the scene, so no more than {SMALL_STEP:.2f} EV is proposed."
        because.append(Because(evidence="exposure.ev", value=ev, text=text, code="exposure.small_step"))
    limit = _headroom(subject)
    held = min(wanted, limit)
    if held < wanted:
        because.append(_holding_back(subject, wanted, held))
    others = (ev,) if small else (held - spread, held + spread)
    return _suggest(subject, held, because, score=_chance(held - ev, spread), alternatives=others if wanted else ())


def _seen(subject: Subject, ev: float, spread: float) -> Because:
    """The largest reason in words, with the tone it rests on."""
    median = subject.number("luma.median")
    tone = f"The middle tone lies at {median:.0%} of white" if median is not None else "By its tones"
    if abs(ev) < DEAD_ZONE:
        text = f"{tone}; the light is right within {max(spread, abs(ev)):.1f} EV."
    elif ev > 0:
        text = f"{tone}; the photo is about {ev:.1f} EV too dark (± {spread:.1f} EV)."
    else:
        text = f"{tone}; the photo is about {-ev:.1f} EV too bright (± {spread:.1f} EV)."
    if ev <= -DEAD_ZONE and (clipped := subject.number("clip.high")):
        text = f"{text[:-1]}, and {clipped:.1%} of it is clipped at white."
    return Because(evidence="exposure.ev", value=ev, text=text, code="exposure.alone")


def _headroom(subject: Subject) -> float:
    """The most by which a photo may become brighter without clipping more highlights."""
    headroom = subject.number("clip.headroom")
    return MOST if headroom is None else max(0.0, headroom + HEADROOM_SLACK)


def _holding_back(subject: Subject, wanted: float, held: float) -> Because:
    text = f"Held back from {wanted:+.1f} to {held:+.1f} EV: more would clip over {HEADROOM_SHARE:.1%} of the pixels."
    return Because(
        evidence="clip.headroom", value=subject.number("clip.headroom"), text=text, code="exposure.highlights"
    )


def _why_not(facts: Mapping[str, Measure]) -> str:
    found = facts.get("exposure.ev")
    if found is None or found.cannot_tell is None:
        return "The exposure was not measured."
    return f"The exposure cannot be told: {found.cannot_tell}."


# ---------------------------------------------------------------- frames that show the same things


def _levelled(linked: Sequence[tuple[Subject, Relative]]) -> list[Suggestion[ExposureParams]]:
    """Every frame at one level: what a chart among them asks for, or the middle.

    The middle is that of all frames where half of them are well exposed, else that of the well-exposed ones; frames
    that no well-exposed one stands beside are not levelled here.
    """
    chart = next(((s, own) for s, own in linked if s.number("chart.ev") is not None), None)
    references = [own for subject, own in linked if _well_exposed(subject)]
    if chart is not None:
        target = chart[1].level + (chart[0].number("chart.ev") or 0.0)
    elif references:
        most = len(references) * 2 >= len(linked)  # then what is off is the exception, and all frames tell the middle
        target = float(np.median([own.level for own in ([o for _, o in linked] if most else references)]))
    else:
        return []
    levels = np.array([own.level for _, own in linked])
    steps = target - levels
    wanted = np.where(np.abs(steps) < LEVEL_DEAD_ZONE, 0.0, np.clip(steps, -MOST, MOST))
    room = [MOST if chart is not None else _headroom(subject) for subject, _ in linked]
    after = _relative.spread_ev(levels + np.rint(np.minimum(wanted, room) / STEP) * STEP)
    scene = Levels(before=_relative.spread_ev(levels), after=after, middle=float(np.median(levels)), count=len(linked))
    return [
        _level(subject, own, float(ev), scene, chart=chart and chart[0])
        for (subject, own), ev in zip(linked, wanted, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How far the frames of a set lie apart before and after, and their middle level; EV."""

    before: float
    after: float
    middle: float
    count: int


def _level(
    subject: Subject, own: Relative, wanted: float, scene: Levels, *, chart: Subject | None
) -> Suggestion[ExposureParams]:
    off = own.level - scene.middle
    others = f"the other {scene.count - 1}" if scene.count > 2 else "the other one"
    if abs(off) >= OUTLIER and abs(off) > OUTLIER_SPREADS * scene.before / math.sqrt(scene.count):
        side = "darker" if off < 0 else "brighter"
        text, code = f"This frame is {abs(off):.1f} EV {side} than {others} of the scene.", "exposure.outlier"
    else:
        within = max(abs(off), STEP)
        text = f"The same things lie within {within:.2f} EV of the middle of the {scene.count} frames that show them."
        code = "exposure.scene"
    because = [Because(evidence="light.relative", value=round(off, 3), text=text, code=code)]
    if chart is not None:
        text = f"The level is that of the ColorChecker{'' if chart is subject else f' in {chart.path}'}."
        because.append(Because(evidence="chart.ev", value=chart.number("chart.ev"), text=text, code="exposure.chart"))
    text = f"Frames that share content spread by {scene.before:.2f} EV, with these corrections by {scene.after:.2f} EV."
    because.append(Because(evidence="scene.spread.ev", value=round(scene.before, 3), text=text, code="exposure.spread"))
    held = wanted if chart is not None else min(wanted, max(_headroom(subject), 0.0))
    if held < wanted:
        because.append(_holding_back(subject, wanted, held))
    ev = subject.number("exposure.ev")
    alone = (ev,) if ev is not None and abs(ev) >= DEAD_ZONE else ()
    score = _chance(held - wanted, math.hypot(LEAST_DOUBT, own.doubt))
    return _suggest(subject, held, because, score=score, alternatives=alone)


# ---------------------------------------------------------------- frames of one group


def _aligned(members: Sequence[Subject], moved: Mapping[str, float]) -> list[Suggestion[ExposureParams]]:
    """Every frame at the middle level of the well-exposed ones; none if there are no such frames.

    `moved` holds the stops by which some of those are corrected already.
    """
    references = _references(members)
    found = []
    for subject in members:
        steps = [
            step + moved.get(other.asset.id, 0.0) for other in references if (step := _step(subject, other)) is not None
        ]
        if steps:
            found.append(_align(subject, np.array(steps), references))
    return found


def _references(members: Sequence[Subject]) -> list[Subject]:
    """Frames without an exposure fault; the sharp ones if there are any."""
    well = [s for s in members if _well_exposed(s)]
    return [s for s in well if (s.number("blur") or 0.0) < FAULT] or well


def _well_exposed(subject: Subject) -> bool:
    over, under = subject.number("exposure.over"), subject.number("exposure.under")
    return over is not None and under is not None and max(over, under) < FAULT


def _step(subject: Subject, reference: Subject) -> float | None:
    """Stops from one frame to another: the middle difference of the tones that neither clips nor buries."""
    if subject.asset.id == reference.asset.id:
        return 0.0
    mine, theirs = _tones(subject), _tones(reference)
    if mine is None or theirs is None or not np.array_equal(mine[:, 0], theirs[:, 0]):
        return None
    clipped = max(subject.number("clip.high") or 0.0, reference.number("clip.high") or 0.0)
    unclipped = mine[:, 0] < 1 - clipped - MARGIN
    for floor in (DEEP, DEEPEST):
        told = unclipped & (mine[:, 1] > floor) & (theirs[:, 1] > floor)
        if np.count_nonzero(told) >= FEWEST_TONES:
            return float(np.median((theirs - mine)[told, 1]))
    return None


def _tones(subject: Subject) -> Vector | None:
    """Shares of pixels and the tones below which they lie, n x 2."""
    found = subject.facts.get("luma.quantiles")
    return None if found is None or found.value is None else np.array(found.value, np.float64).reshape(-1, 2)


def _align(subject: Subject, steps: Vector, references: Sequence[Subject]) -> Suggestion[ExposureParams]:
    step = float(np.median(steps))
    wanted = 0.0 if abs(step) < SCENE_DEAD_ZONE else float(np.clip(step, -MOST, MOST))
    because = [_apart(step, len(references))]
    clip_too = max(s.number("clip.high") or 0.0 for s in references) > HEADROOM_SHARE
    held = wanted if clip_too else min(wanted, _headroom(subject))
    if held < wanted:
        because.append(_holding_back(subject, wanted, held))
    doubt = math.hypot(LEAST_DOUBT, float(steps.std()))
    ev = subject.number("exposure.ev")
    own = (ev,) if ev is not None and abs(ev) >= DEAD_ZONE else ()
    return _suggest(subject, held, because, score=_chance(held - step, doubt), alternatives=own)


def _apart(step: float, count: int) -> Because:
    others = f"the group's {count} well-exposed frames" if count > 1 else "the group's well-exposed frame"
    if abs(step) < SCENE_DEAD_ZONE:
        text = f"The tones lie within {max(abs(step), STEP):.2f} EV of {others}."
    else:
        side = "below" if step > 0 else "above"
        text = f"The tones lie {abs(step):.1f} EV {side} {others}."
    return Because(evidence="luma.quantiles", value=round(step, 3), text=text, code="exposure.scene")


# ---------------------------------------------------------------- suggestions


def _suggest(
    subject: Subject, ev: float, because: Sequence[Because], *, score: float, alternatives: Sequence[float]
) -> Suggestion[ExposureParams]:
    params = _params(ev)
    others = [other for value in alternatives if (other := _params(value)) != params]
    return Suggestion(
        member=subject.asset.id, params=params, score=round(score, 3), because=tuple(because),
        alternatives=tuple(others[:2]),
    )  # fmt: skip


def _abstain(subject: Subject, why: str) -> Suggestion[ExposureParams]:
    return Suggestion(member=subject.asset.id, params=None, cannot_tell=why)


def _params(ev: float) -> ExposureParams:
    held = min(max(ev, -MOST), MOST)
    return ExposureParams(ev=round(round(held / STEP) * STEP, 2) + 0.0)


def _chance(off: float, spread: float) -> float:
    """That a proposal so far `off` an estimate of normal errors errs by no more than a person leaves alone."""
    scale = max(spread, LEAST_DOUBT) * math.sqrt(2)
    return (math.erf((APPROVED - off) / scale) + math.erf((APPROVED + off) / scale)) / 2


# ---------------------------------------------------------------- render and check


def render(frame: Frame, params: ExposureParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """Scene-linear light times two to the power of `ev`; nothing is clipped."""
    if params.ev == 0:
        return frame
    return frame.with_pixels(frame.pixels * np.float32(2.0**params.ev))


def check(before: Frame, after: Frame, params: ExposureParams) -> Sequence[Measure]:
    """Whether the light changed by what was asked, and how much of the picture is newly at white."""
    light, new_light = (luminance(sparse(frame.pixels)) for frame in (before, after))
    seen = (light > 1e-4) & (new_light > 1e-6)
    change = float(np.median(np.log2(new_light[seen] / light[seen]))) if seen.any() else params.ev
    blown = float((_at_white(after) & ~_at_white(before)).mean())
    return (
        Measure(name="exposure.change", value=round(change, 4), unit="EV"),
        Measure(name="exposure.off", value=min(1.0, abs(change - params.ev) / OFF / 2), unit="fault"),
        Measure(name="exposure.new_clipping", value=round(blown, 5), unit="share"),
        Measure(name="exposure.blown", value=min(1.0, blown / BLOWN / 2), unit="fault"),
    )


def spoil(before: Frame, params: ExposureParams) -> Frame:
    """Two stops more than asked."""
    return before.with_pixels(before.pixels * np.float32(2.0 ** (params.ev + 2)))


def _at_white(frame: Frame) -> NDArray[np.bool_]:
    return np.asarray(brightest(frame.pixels) >= 1)


operator: Operator[ExposureParams] = Operator(
    name="exposure",
    version=1,
    params=ExposureParams,
    risk=Risk(complexity=0.25, cost=0.3),
    stage=Stage.LIGHT,
    rank=10,  # after white balance
    needs=(
        "exposure.over", "exposure.under", "exposure.ev", "exposure.ev.spread",
        "luma.median", "luma.quantiles", "clip.high", "clip.headroom", "blur", "chart.ev", "chart.ev.spread",
        "light.relative", "scene.spread.ev",
    ),
    scope=Scope.SCENE,
    pointwise=True,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=lambda before, after: abs(before.ev - after.ev) > 0.15,
    material_when="the light differs by more than 0.15 EV",
    examples=(ExposureParams(ev=0.7), ExposureParams(ev=-1.3)),
    about="Makes a photo brighter or darker, by its own light or to the level of its well-exposed neighbours.",
)  # fmt: skip
