"""Each check catches a plug-in that breaks its promise: the negative control of the suite."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest

from safelight import contract
from safelight.contract import ContractError
from safelight.domain import Group, GroupKind, Measure, Scope, Where
from safelight.media.timeline import Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Suggestion
from safelight.operators import template as good
from safelight.operators import trim as good_trim
from safelight.probes import Findings, Probe
from safelight.probes import template as good_probe

count = itertools.count(1)


def spoilt(promise, /, **changes):
    """The template operator with some parts replaced must not pass this check."""
    with pytest.raises(ContractError) as caught:
        contract.OPERATOR_CHECKS[promise](replace(good.operator, **changes))
    return str(caught.value)


def brighter(by):
    return lambda frame, params, tools: frame.with_pixels(frame.pixels * np.float32(by))


def when_changed(change):
    """A render that is the identity for the default and does `change` to the pixels elsewhere."""
    return lambda frame, params, tools: frame if params.strength == 0 else frame.with_pixels(change(frame.pixels))


def raises(*_):
    raise RuntimeError("on purpose")


def test_good_one_passes():
    contract.check_operator(good.operator, also_emitted=good_probe.probe.emits)
    contract.check_probe(good_probe.probe)


def test_render_that_crashes():
    assert "raises when it renders" in spoilt("default_is_identity", render=raises)


def test_default_that_changes_something():
    assert "differs" in spoilt("default_is_identity", render=brighter(1.01))


def test_render_to_something_else():
    assert "Frame to ndarray" in spoilt("default_is_identity", render=lambda frame, params, tools: frame.pixels)


def test_render_that_differs_each_time():
    change = lambda pixels: pixels * np.float32(1 + next(count) * 1e-3)  # noqa: E731
    assert "bytes differ" in spoilt("repeats_itself", render=when_changed(change))


def test_render_that_writes_on_its_input():
    def overwrites(frame, params, tools):
        frame.pixels[:] *= 2
        return frame

    assert "its own input" in spoilt("repeats_itself", render=overwrites)


def test_render_to_nan():
    assert "NaN" in spoilt("stays_finite", render=when_changed(lambda p: np.where(p < 0, np.float32(np.nan), p)))


def test_render_that_changes_shape():
    def shorter(frame, params, tools):
        rows = max(1, frame.height - 1)
        return frame.moved(frame.pixels[:rows], np.eye(3), alpha=frame.alpha)

    assert "changes the shape" in spoilt("keeps_the_frame", render=shorter)
    assert "leaves alpha at" in spoilt("keeps_the_frame", render=shorter, stage=Stage.FRAMING)


def test_render_that_drops_alpha():
    dropped = lambda frame, params, tools: replace(frame, alpha=None)  # noqa: E731
    assert "drops or invents alpha" in spoilt("keeps_the_frame", render=dropped)


def test_render_that_changes_geometry():
    shifted = lambda frame, params, tools: frame.moved(frame.pixels, 2 * np.eye(3), alpha=frame.alpha)  # noqa: E731
    assert "geometry" in spoilt("keeps_the_frame", render=shifted)


def test_render_that_changes_meta():
    assert "meta" in spoilt("keeps_the_frame", render=lambda frame, params, tools: replace(frame, meta={"by": "me"}))


def test_lie_about_tiles():
    assert "a tile" in spoilt("tiles_equal_whole", render=when_changed(lambda p: p / (1 + p.max())), pointwise=False)


def test_lie_about_pointwise():
    blurred = when_changed(lambda p: (p + np.roll(p, 1, axis=1)) / 2)
    assert "shuffled" in spoilt("pointwise_is_pointwise", render=blurred)


def test_lie_about_a_gain():
    more = lambda x, y, params: np.float64(1 + params.strength) + 0 * x + 0 * y  # noqa: E731
    assert "its gain" in spoilt("gain_is_render", gain=more, pointwise=False)
    assert "neither pointwise" in spoilt("declares_itself", gain=more)


def test_pointwise_that_no_table_can_hold():
    stripes = when_changed(lambda p: np.where(np.floor(p * 4000) % 2 == 0, p, 0).astype(np.float32))
    assert "levels" in spoilt("fused_equals_chain", render=stripes)


def test_check_that_sees_nothing():
    blind = lambda before, after, params: (Measure(name="x", value=0.0, unit="fault"),)  # noqa: E731
    assert "does not notice" in spoilt("check_notices_spoil", check=blind)


def test_check_that_cries_always():
    always = lambda before, after, params: (Measure(name="x", value=1.0, unit="fault"),)  # noqa: E731
    assert "does not notice" in spoilt("check_notices_spoil", check=always)


def test_check_that_crashes():
    assert "raises when it checks" in spoilt("check_answers", check=raises)


def test_check_that_answers_nan():
    lost = lambda before, after, params: (Measure(name="x", value=float("nan"), unit="fault"),)  # noqa: E731
    assert "not plain and finite" in spoilt("check_answers", check=lost)


def test_operator_without_spoil():
    assert "ships no spoil" in spoilt("declares_itself", spoil=None)


@pytest.mark.parametrize(
    "changes",
    [{"name": "Two words"}, {"version": 0}, {"about": ""}, {"risk": Risk(complexity=2, cost=0)}, {"margin": 1}],
    ids=lambda changes: next(iter(changes)),
)
def test_bad_declaration(changes):
    spoilt("declares_itself", **changes)


def test_need_that_nobody_emits():
    with pytest.raises(ContractError, match=r"'template\.spread'"):
        contract.needs_are_emitted(good.operator)


@dataclass(frozen=True, kw_only=True)
class Forgetful:
    """Loses part of its value on the way through JSON."""

    strength: float = 0.0
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        if self.strength:
            object.__setattr__(self, "strength", self.strength / 2)


def test_params_that_change_on_the_way():
    assert "does not come back" in spoilt("params_survive_json", params=Forgetful, examples=(Forgetful(strength=1.0),))


@dataclass(kw_only=True)
class Loose:
    """Not frozen."""

    strength: float = 0.0


def test_params_that_can_be_changed():
    assert "frozen" in spoilt("params_survive_json", params=Loose, examples=())


# ---------------------------------------------------------------- propose


def proposing(function):
    return spoilt("proposes_soundly", propose=function)


def suggestion(member, **others):
    return Suggestion(**({"member": member, "params": good.TemplateParams()} | others))


def test_proposal_for_a_stranger():
    assert "suggests something for" in proposing(lambda subjects, wishes: [suggestion("nobody")])


def test_two_proposals_for_one():
    assert "suggests something for" in proposing(
        lambda subjects, wishes: [suggestion(s.asset.id) for s in subjects] * 2
    )


def test_proposal_that_differs_each_time():
    changing = lambda subjects, wishes: [suggestion(s.asset.id, score=1 / next(count)) for s in subjects]  # noqa: E731
    assert "the second time" in proposing(changing)


def test_proposal_with_the_params_of_another():
    wrong = lambda subjects, wishes: [suggestion(s.asset.id, params=good_trim.TrimParams()) for s in subjects]  # noqa: E731
    assert "TrimParams" in proposing(wrong)


def test_proposal_that_proposes_and_abstains():
    both = lambda subjects, wishes: [suggestion(s.asset.id, cannot_tell="dark") for s in subjects]  # noqa: E731
    assert "abstains" in proposing(both)


@pytest.mark.parametrize("strength", [7.0, "1"])
def test_params_that_their_own_json_refuses(strength):
    params = good.TemplateParams(strength=strength)
    assert "refuse" in proposing(lambda subjects, wishes: [suggestion(s.asset.id, params=params) for s in subjects])


def test_score_that_is_no_chance():
    assert "chance" in proposing(lambda subjects, wishes: [suggestion(s.asset.id, score=7.0) for s in subjects])


def test_choice_that_forgets_a_member():
    forgetful = Operator(
        name="forgetful", version=1, params=good.TemplateParams, risk=Risk(complexity=0, cost=0), stage=Stage.CHOICE,
        scope=Scope.GROUP, medium=Medium.CHOICE,
        propose=lambda subjects, wishes: [suggestion(s.asset.id) for s in subjects[1:]],
        render=lambda frame, params, tools: frame, check=lambda before, after, params: (), about="Forgets the first.",
    )  # fmt: skip
    with pytest.raises(ContractError, match="chooses only for 0 of 1"):
        contract.proposes_soundly(forgetful)


def test_choice_that_changes_pixels():
    with pytest.raises(ContractError, match="differs"):
        contract.default_is_identity(replace(good.operator, medium=Medium.CHOICE))


def test_trim_that_invents_time():
    def longer(timeline, params, tools):
        return Timeline(clips=(*timeline.clips, *timeline.clips)) if params.keep else timeline

    invented = replace(good_trim.operator, render=longer)
    with pytest.raises(ContractError, match="does not notice"):
        contract.check_notices_spoil(invented)


# ---------------------------------------------------------------- probes


def bad_probe(**changes):
    with pytest.raises(ContractError) as caught:
        contract.check_probe(replace(good_probe.probe, **changes))
    return str(caught.value)


def measuring(function):
    return bad_probe(measure=function)


def luma(value, **others):
    return (Measure(name="template.luma", value=value, **others),)


def test_probe_that_crashes():
    assert "raises on a flat 0 picture" in measuring(raises)


def test_probe_that_crashes_on_tiny_pictures():
    assert "raises on a 1 x 1 picture" in measuring(lambda picture: luma(float(picture.rgb[1].mean())))


def test_probe_with_a_name_it_did_not_declare():
    assert "without declaring it" in measuring(lambda picture: (Measure(name="surprise", value=1),))


def test_probe_that_answers_nan():
    assert "not plain and finite" in measuring(lambda picture: luma(float("nan")))


def test_probe_that_answers_with_an_array():
    assert "not plain and finite" in measuring(lambda picture: luma({"array": picture.rgb}))


def test_probe_that_differs_each_time():
    assert "the second time" in measuring(lambda picture: luma(next(count)))


def test_probe_that_writes_on_the_picture():
    def scribbles(picture):
        picture.rgb[0, 0] += 1
        return luma(0.5)

    assert "writes on" in measuring(scribbles)


def test_probe_with_a_box_outside():
    assert "outside" in measuring(lambda picture: luma(0.5, where=Where(box=(0, 0, 9999, 9999))))


def test_probe_that_emits_nothing():
    assert "emits" in bad_probe(emits=())


def test_probe_with_a_need_that_nobody_emits():
    assert "'moonlight'" in bad_probe(needs=("moonlight",))


def surveying(function):
    with pytest.raises(ContractError) as caught:
        contract.check_probe(
            Probe(name="survey", version=1, emits=("survey.n",), scope=Scope.SHOOT, survey=function, about="Surveys.")
        )
    return str(caught.value)


def test_survey_that_crashes_on_an_empty_shoot():
    assert "shoot of 0" in surveying(lambda members: Findings(measures={members[0].asset.id: ()}))


def test_survey_about_strangers():
    group = Group(id="g", kind=GroupKind.BURST, members=("nobody",), by="survey@1")
    assert "nobody" in surveying(lambda members: Findings(groups=(group,)))


def test_survey_with_undeclared_names():
    surprise = (Measure(name="surprise", value=1),)
    found = surveying(lambda members: Findings(measures={m.asset.id: surprise for m in members}))
    assert "without declaring it" in found
