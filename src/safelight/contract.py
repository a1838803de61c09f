"""What every operator and probe promises, as plain checks: ours and a plug-in author's alike.

    from safelight.contract import check_operator
    check_operator(my_operator)  # raises ContractError, which says what does not hold and where

`OPERATOR_CHECKS` and `PROBE_CHECKS` name the single promises; not every one applies to every kind of operator.
"""

import dataclasses
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np

from safelight import params as json_params
from safelight import plugins, specimens
from safelight.domain import Measure, canonical
from safelight.errors import UsageError
from safelight.fuse import fuse
from safelight.media import warp
from safelight.media.colour import delta_e, linear_of_srgb, srgb8
from safelight.media.frame import Frame, Pixels
from safelight.media.gains import places
from safelight.media.picture import Picture
from safelight.media.timeline import Timeline
from safelight.operators import FINDING, Medium, Operator, Stage, Subject, Wishes, faults
from safelight.probes import Findings, Member, Probe
from safelight.render import Step, through, tile

SAME = 1e-6  # of display white
DRAFTED = 1.5  # ΔE00, on average
FUSED_MEAN, FUSED_MOST, FUSED_SHARE = 0.3, 2, 0.999  # levels on average; levels that this share of values may differ


class ContractError(AssertionError):
    """A promise that does not hold; the text says which one and for what input."""


def check_operator(operator: Operator[Any], *, also_emitted: Collection[str] = ()) -> None:
    """Every promise of an operator. `also_emitted` names evidence of probes that are not registered here."""
    for check in OPERATOR_CHECKS.values():
        check(operator)
    needs_are_emitted(operator, also_emitted=also_emitted)


def check_probe(probe: Probe, *, also_emitted: Collection[str] = ()) -> None:
    """Every promise of a probe."""
    for check in PROBE_CHECKS.values():
        check(probe)
    needs_are_emitted(probe, also_emitted=also_emitted)


def needs_are_emitted(item: Operator[Any] | Probe, *, also_emitted: Collection[str] = ()) -> None:
    """Every evidence that it needs is emitted by some registered probe."""
    emitted = {name for probe in plugins.probes().values() for name in probe.emits} | set(plugins.EXTERNAL)
    for name in item.needs:
        if name not in emitted and name not in also_emitted:
            _fail(item, f"needs {name!r}, which no probe emits")


# ---------------------------------------------------------------- operators of any medium


def declares_itself(operator: Operator[Any]) -> None:
    """Name, version, risk and sentence are there, and whatever changes something can be spoilt."""
    _declared(operator)
    if not (0 <= operator.risk.complexity <= 1 and 0 <= operator.risk.cost <= 1):
        _fail(operator, f"risk lies in 0..1, not {operator.risk}")
    if operator.medium is not Medium.CHOICE and operator.spoil is None:
        _fail(operator, "ships no spoil, so nobody knows whether its check notices anything")
    if operator.pointwise and operator.margin != 0:
        _fail(operator, "is pointwise and therefore needs no margin")
    if operator.gain is not None and (operator.pointwise or operator.margin != 0):
        _fail(operator, "multiplies light by place and is therefore neither pointwise nor in need of a margin")
    if (operator.warp is not None) != (operator.stage is Stage.FRAMING):
        _fail(operator, "frames and has no warp, or has a warp and does not frame")


def says_what_counts(operator: Operator[Any]) -> None:
    """Says, in words and as a function, how large a person's change must be to count as a reject.

    Equal params are never a material change, the order of the two does not matter, and some example is one."""
    if operator.material is None or not operator.material_when:
        _fail(operator, "does not say when a change of params counts as a reject: material and material_when")
    assert operator.material is not None
    every = (operator.params(), *examples(operator))
    if any(operator.material(params, params) for params in every):
        _fail(operator, "calls equal params a material change")
    pairs = [(one, other) for one in every for other in every if one != other]
    if any(operator.material(one, other) != operator.material(other, one) for one, other in pairs):
        _fail(operator, "calls a change material in one direction only")
    if not any(operator.material(one, other) for one, other in pairs):
        _fail(operator, "calls no change between its examples material")


def params_survive_json(operator: Operator[Any]) -> None:
    """Params are a frozen dataclass, go through JSON and come back equal; unknown fields are refused."""
    settings = getattr(operator.params, "__dataclass_params__", None)
    if settings is None or not settings.frozen:
        _fail(operator, f"{operator.params.__name__} is no frozen dataclass")
    for params in (operator.params(), *examples(operator)):
        text = json.dumps(json_params.to_json(params), allow_nan=False)
        if json_params.from_json(operator.params, json.loads(text)) != params:
            _fail(operator, f"{params} does not come back from {text}")
    try:
        json_params.from_json(operator.params, {"no such field": 1})
    except UsageError:
        return
    _fail(operator, "takes unknown fields")


def proposes_soundly(operator: Operator[Any]) -> None:
    """Suggestions are sound for no, one and five subjects, without evidence and with evidence that cannot tell."""
    for count in (0, 1, 5):
        for facts in specimens.facts_for(operator.needs):
            suggestions_are_sound(operator, specimens.subjects(count, facts))


def suggestions_are_sound(operator: Operator[Any], subjects: Sequence[Subject]) -> None:
    """Suggestions are about these subjects, once each, the same every time, within the bounds of params.

    A choice is made for every member of the set.
    """
    first = operator.propose(subjects, Wishes())
    if canonical(_plain(operator, first)) != canonical(_plain(operator, operator.propose(subjects, Wishes()))):
        _fail(operator, "proposes something else the second time")
    members = [suggestion.member for suggestion in first]
    known = [subject.asset.id for subject in subjects]
    if len(set(members)) != len(members) or not set(members) <= set(known):
        _fail(operator, f"got {known}, but suggests something for {members}")
    if operator.medium is Medium.CHOICE and set(members) != set(known):
        _fail(operator, f"chooses only for {len(members)} of {len(known)} members")
    for suggestion in first:
        if (suggestion.params is None) == (suggestion.cannot_tell is None):
            _fail(operator, "suggests params and abstains at once, or neither")
        if suggestion.score is not None and not 0 <= suggestion.score <= 1:
            _fail(operator, f"a score is a chance, not {suggestion.score}")
        for params in (suggestion.params, *suggestion.alternatives):
            if params is not None:
                _within(operator, params)


def _within(operator: Operator[Any], params: Any) -> None:
    try:
        again = json_params.from_json(operator.params, json_params.to_json(params))
    except UsageError as error:
        raise ContractError(f"{operator.label} suggests what its own params refuse: {error}") from error
    if again != params:
        _fail(operator, f"suggests {params}, which becomes {again} through JSON")


def default_is_identity(operator: Operator[Any]) -> None:
    """Default params change nothing; a choice changes nothing in any case."""
    chosen = examples(operator) if operator.medium is Medium.CHOICE else ()
    for params in (operator.params(), *chosen):
        for subject in _inputs(operator):
            _equal(operator, subject, _render(operator, subject, params), f"{params} should change nothing")


def repeats_itself(operator: Operator[Any]) -> None:
    """The same input gives the same bytes, and the input stays as it is."""
    for params in examples(operator):
        for subject, copy in zip(_inputs(operator), _inputs(operator), strict=True):
            first = _render(operator, subject, params)
            _equal(operator, copy, subject, f"its own input under {params}", exactly=True)
            _equal(operator, first, _render(operator, subject, params), f"a second render of {params}", exactly=True)


def check_answers(operator: Operator[Any]) -> None:
    """`check` answers for every input with plain and finite values, or with a reason why it cannot tell."""
    for params in (operator.params(), *examples(operator)):
        for before, copy in zip(_inputs(operator), _inputs(operator), strict=True):
            try:
                measures = operator.check(before, _render(operator, copy, params), params)
            except Exception as error:
                raise ContractError(f"{operator.label} raises when it checks {params}: {error!r}") from error
            for measure in measures:
                _plain_value(operator, measure)


def check_notices_spoil(operator: Operator[Any]) -> None:
    """At least one fault (0 none to 1 certain) of `check` is below 0.5 for the honest render and not for the spoilt."""
    for params in (operator.params(), *examples(operator)):
        before = _inputs(operator)[0]
        honest = faults(operator.check(before, _render(operator, before, params), params))
        if operator.spoil is None:
            continue
        spoilt = faults(operator.check(before, operator.spoil(before, params), params))
        if not any(value >= FINDING > honest.get(name, 0.0) for name, value in spoilt.items()):
            _fail(operator, f"check does not notice the spoilt render of {params}: {spoilt} after {honest}")


# ---------------------------------------------------------------- operators on frames


def keeps_the_frame(operator: Operator[Any]) -> None:
    """Dtype, meta and alpha are kept; shape and geometry too, except by operators that frame or bring a picture."""
    for params in _frame_examples(operator):
        for frame in specimens.frames():
            after = _render(operator, frame, params)
            if after.meta != frame.meta:
                _fail(operator, f"changes meta from {frame.meta} to {after.meta}")
            if (after.alpha is None) != (frame.alpha is None):
                _fail(operator, "drops or invents alpha")
            if after.alpha is not None and after.alpha.shape != after.pixels.shape[:2]:
                _fail(operator, f"leaves alpha at {after.alpha.shape} beside {after.pixels.shape}")
            if operator.stage in (Stage.FRAMING, Stage.RETURNED):
                continue
            if after.pixels.shape != frame.pixels.shape:
                _fail(operator, f"changes the shape from {frame.pixels.shape} to {after.pixels.shape}")
            if not np.array_equal(after.geometry, frame.geometry):
                _fail(operator, "changes the geometry without being a framing operator")


def stays_finite(operator: Operator[Any]) -> None:
    """No NaN and no infinity, however wild the light: below 0, far above 1, black, one pixel, odd sizes."""
    for params in _frame_examples(operator):
        for frame in specimens.frames():
            if not np.isfinite(_render(operator, frame, params).pixels).all():
                _fail(operator, f"returns NaN or infinity for {params} on {frame.pixels.shape}")


def tiles_equal_whole(operator: Operator[Any]) -> None:
    """Rendering tiles with the margin that it names equals rendering the whole, for operators that promise it."""
    margin = operator.margin
    if margin is None:
        return
    for params in _frame_examples(operator):
        for frame in (*specimens.frames(), specimens.tall(2 * margin + 24)):
            whole = _render(operator, frame, params).pixels
            for rows in (slice(0, frame.height // 2), slice(frame.height // 2, frame.height)):
                for columns in (slice(0, frame.width // 3), slice(frame.width // 3, frame.width)):
                    if not frame.pixels[rows, columns].size:
                        continue
                    (above, tall), (left, wide) = _wider(rows, margin), _wider(columns, margin)
                    part = _render(operator, tile(frame, tall, wide), params).pixels[above:, left:]
                    part = part[: rows.stop - rows.start, : columns.stop - columns.start]
                    _near(operator, whole[rows, columns], part, "a tile")


def _wider(part: slice, margin: int) -> tuple[int, slice]:
    """How many pixels are added before a part, and the part with its margin."""
    first = max(0, part.start - margin)
    return part.start - first, slice(first, part.stop + margin)


def render_is_the_warp(operator: Operator[Any]) -> None:
    """Operators that frame render what their warp says, so that several of them can be one resampling."""
    if operator.warp is None:
        return
    for params in _frame_examples(operator):
        for frame in specimens.frames():
            warped = warp.apply(frame, operator.warp(frame.width, frame.height, params))
            _equal(operator, warped, _render(operator, frame, params), f"the warp of {params}")


def gain_is_render(operator: Operator[Any]) -> None:
    """Light is multiplied by the gain of its place and no more, for operators that declare a gain."""
    if operator.gain is None:
        return
    for params in _frame_examples(operator):
        for frame in specimens.frames():
            factors = np.broadcast_to(operator.gain(*places(frame), params), frame.pixels.shape[:2])
            _near(operator, frame.pixels * factors[..., None], _render(operator, frame, params).pixels, "its gain")


def pointwise_is_pointwise(operator: Operator[Any]) -> None:
    """Shuffled pixels give shuffled results, for operators that promise it."""
    if not operator.pointwise:
        return
    for params in _frame_examples(operator):
        for frame in specimens.frames():
            size = frame.height * frame.width
            mixed = np.random.default_rng(7).permutation(size)
            shuffled = dataclasses.replace(
                frame, pixels=frame.pixels.reshape(size, 3)[mixed].reshape(frame.pixels.shape)
            )
            expected = _render(operator, frame, params).pixels.reshape(size, 3)[mixed]
            _near(operator, expected, _render(operator, shuffled, params).pixels.reshape(size, 3), "shuffled pixels")


def draft_looks_the_same(operator: Operator[Any]) -> None:
    """What a view shows while a slider moves is what comes of it, nearly, for operators that have a draft."""
    draft = operator.draft
    if draft is None:
        return
    for params in _frame_examples(operator):
        one, two = (srgb8(_render(operator, specimens.frames()[0], p).pixels) for p in (params, draft(params)))
        if (apart := float(delta_e(one, two).mean())) > DRAFTED:
            _fail(operator, f"the draft of {params} looks different, by ΔE00 {apart:.2f} on average")


def fused_equals_chain(operator: Operator[Any]) -> None:
    """On bytes, the fused run is within two levels of float light, for operators that are pointwise."""
    if not operator.pointwise:
        return
    for params in _frame_examples(operator):
        run = [Step(operator=operator, params=params)]
        fused = fuse(run, specimens.suite_tools())
        for picture in (specimens.scene(), specimens.ramps()):
            chain = srgb8(through(Frame(pixels=linear_of_srgb(picture)), run, specimens.suite_tools()).pixels)
            apart = np.abs(fused(picture).astype(int) - chain.astype(int))
            if apart.mean() > FUSED_MEAN or (apart <= FUSED_MOST).mean() < FUSED_SHARE:
                _fail(
                    operator, f"fused differs for {params}: {apart.mean():.2f} levels on average, {apart.max()} at most"
                )


# ---------------------------------------------------------------- probes


def probe_declares_itself(probe: Probe) -> None:
    """Name, version and sentence are there; emitted names are given once."""
    _declared(probe)
    if not probe.emits or len(set(probe.emits)) != len(probe.emits):
        _fail(probe, f"emits each name once, and at least one, not {probe.emits}")


def probe_answers(probe: Probe) -> None:
    """On flat, tiny, endless and ordinary pictures (or shoots) it answers or says why not, and never raises.

    Names are declared, values plain and finite, boxes inside the picture, the picture untouched, and answers equal.
    """
    if probe.measure is None:
        _survey_answers(probe)
        return
    for label, rgb in specimens.pictures().items():
        for facts in specimens.facts_for(probe.needs):
            answers = []
            for _ in range(2):
                picture = Picture(rgb=rgb.copy(), facts=facts)
                try:
                    answers.append(tuple(probe.measure(picture)))
                except Exception as error:
                    raise ContractError(f"{probe.label} raises on a {label} picture: {error!r}") from error
                if not np.array_equal(picture.rgb, rgb):
                    _fail(probe, f"writes on the {label} picture")
            _sound(probe, answers[0], f"a {label} picture", rgb.shape[:2])
            if answers[0] != answers[1]:
                _fail(probe, f"answers something else the second time, on a {label} picture")


def _survey_answers(probe: Probe) -> None:
    assert probe.survey is not None
    for count in (0, 1, 4):
        for facts in specimens.facts_for(probe.needs):
            members = [Member(asset=s.asset, path=s.path, facts=s.facts) for s in specimens.subjects(count, facts)]
            try:
                found, again = probe.survey(members), probe.survey(members)
            except Exception as error:
                raise ContractError(f"{probe.label} raises on a shoot of {count}: {error!r}") from error
            known = {member.asset.id for member in members}
            _known(probe, found, known)
            for measures in found.measures.values():
                _sound(probe, measures, f"a shoot of {count}")
            if found != again:
                _fail(probe, f"answers something else the second time, on a shoot of {count}")


def _known(probe: Probe, found: Findings, known: Collection[str]) -> None:
    named = {member for group in found.groups for member in group.members} | set(found.measures)
    if not named <= set(known):
        _fail(probe, f"speaks about {sorted(named - set(known))}, which are not in the shoot")


def _sound(probe: Probe, measures: Sequence[Measure], what: str, size: tuple[int, ...] | None = None) -> None:
    for measure in measures:
        if measure.name not in probe.emits:
            _fail(probe, f"returns {measure.name!r} for {what} without declaring it")
        _plain_value(probe, measure, what)
        box = measure.where.box if measure.where is not None else None
        if box is not None and size is not None and not _inside(box, size):
            _fail(probe, f"{measure.name} lies at {box}, outside {what}")


def _inside(box: tuple[int, int, int, int], size: tuple[int, ...]) -> bool:
    return 0 <= box[0] < box[2] <= size[1] and 0 <= box[1] < box[3] <= size[0]


# ---------------------------------------------------------------- what the checks look at


def examples(operator: Operator[Any]) -> tuple[Any, ...]:
    """Params that change something: the operator's own examples, else defaults moved a third towards each bound."""
    if operator.examples:
        return operator.examples
    fields = dataclasses.fields(operator.params)
    made = []
    for towards in ("high", "low"):
        moved = {f.name: _moved(getattr(operator.params(), f.name), f.metadata.get(towards), towards) for f in fields}
        try:
            made.append(operator.params(**moved))
        except (TypeError, ValueError):
            continue
    return tuple(made)


def _moved(value: Any, bound: float | None, towards: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(item, bound, towards) for item in value)
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction | Enum):
        return value
    if isinstance(value, Enum):
        members = list(type(value))
        return members[0 if towards == "high" else -1]
    sign = 1 if towards == "high" else -1
    target = value + sign * 0.3 if bound is None else value + (bound - value) / 3
    return type(value)(target)


def _inputs(operator: Operator[Any]) -> tuple[Any, ...]:
    return specimens.timelines() if operator.medium is Medium.TIMELINE else specimens.frames()


def _frame_examples(operator: Operator[Any]) -> tuple[Any, ...]:
    return examples(operator) if operator.medium is Medium.FRAME else ()


def _render(operator: Operator[Any], subject: Any, params: Any) -> Any:
    try:
        after = operator.render(subject, params, specimens.suite_tools())
    except Exception as error:
        raise ContractError(f"{operator.label} raises when it renders {params}: {error!r}") from error
    if type(after) is not type(subject):
        _fail(operator, f"renders {type(subject).__name__} to {type(after).__name__}")
    return after


# ---------------------------------------------------------------- small words


def _declared(item: Operator[Any] | Probe) -> None:
    if not item.name.isidentifier() or item.name != item.name.lower():
        _fail(item, "has a name that is no lower-case word")
    if item.version < 1:
        _fail(item, "counts versions from 1")
    if not item.about.endswith("."):
        _fail(item, "says what it does in a sentence, in `about`")


def _plain(operator: Operator[Any], suggestions: Sequence[Any]) -> list[Any]:
    for suggestion in suggestions:
        if suggestion.params is not None and not isinstance(suggestion.params, operator.params):
            _fail(operator, f"suggests {type(suggestion.params).__name__}, not {operator.params.__name__}")
    return [
        [s.member, None if s.params is None else json_params.to_json(s.params), s.score, s.cannot_tell]
        + [[b.evidence, b.value, b.text] for b in s.because]
        for s in suggestions
    ]


def _equal(operator: Operator[Any], one: Any, two: Any, what: str, *, exactly: bool = False) -> None:
    if isinstance(one, Timeline):
        if one != two:
            _fail(operator, f"{what}: {two} instead of {one}")
        return
    if one.pixels.shape != two.pixels.shape or not np.array_equal(one.geometry, two.geometry):
        _fail(operator, f"{what}: shape or geometry differ")
    if exactly and one.pixels.tobytes() != two.pixels.tobytes():
        _fail(operator, f"{what}: bytes differ")
    _near(operator, one.pixels, two.pixels, what)


def _near(operator: Operator[Any], one: Pixels, two: Pixels, what: str) -> None:
    if one.shape != two.shape:
        _fail(operator, f"{what}: {two.shape} instead of {one.shape}")
    apart = float((np.abs(one - two) / (1 + np.abs(one))).max()) if one.size else 0.0
    if not apart <= SAME:  # also where it is NaN
        _fail(operator, f"{what}: differs by {apart:.2g}" if math.isfinite(apart) else f"{what}: not a number")


def _plain_value(item: Operator[Any] | Probe, measure: Measure, what: str = "a check") -> None:
    try:
        canonical(measure.value)
    except (TypeError, ValueError) as error:
        _fail(item, f"{measure.name} of {what} is not plain and finite: {error}")


def _fail(item: Operator[Any] | Probe, what: str) -> None:
    raise ContractError(f"{item.label}: {what}")


OPERATOR_CHECKS: Mapping[str, Callable[[Operator[Any]], None]] = {
    check.__name__: check
    for check in (
        declares_itself, says_what_counts, params_survive_json, proposes_soundly, default_is_identity, repeats_itself,
        check_answers, check_notices_spoil, keeps_the_frame, stays_finite, tiles_equal_whole, render_is_the_warp,
        gain_is_render, pointwise_is_pointwise, draft_looks_the_same, fused_equals_chain,
    )
}  # fmt: skip

PROBE_CHECKS: Mapping[str, Callable[[Probe], None]] = {
    check.__name__: check for check in (probe_declares_itself, probe_answers)
}
