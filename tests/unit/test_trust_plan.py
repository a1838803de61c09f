"""The falsification plan in small: the same code and seeds as `python -m bench trust`, a hundred studios each."""

import math

import pytest

from bench import _drops as drops
from bench import trust
from safelight.learn import audit

RUNS = 100
ALLOWED = trust.DELTA + 3 * math.sqrt(trust.DELTA * (1 - trust.DELTA) / RUNS)


@pytest.mark.parametrize(
    "part", [trust.false_licences, trust.clustered, trust.reviewers, trust.groups], ids=lambda part: part.__name__
)
def test_false_licences_are_rare_and_negative_controls_fail(part):
    found = {result.name: result.value for result in part(RUNS)}
    licences = {name: value for name, value in found.items() if name.startswith("false_licence.")}
    controls = {name: value for name, value in found.items() if name.startswith("control.")}
    assert licences
    assert controls, "a plan that nothing can fail says nothing"
    assert all(value <= ALLOWED for value in licences.values()), licences
    assert all(value > trust.DELTA for value in controls.values()), controls


def test_the_alarm_comes_about_when_it_is_printed_with_people_as_they_are():
    found = {result.name: result for part in (drops.overlooked, drops.bundles) for result in part(RUNS)}
    for case in ("a_fifth_of_a_group_missed", "half_approved_in_bundles"):
        passed = found[f"exposure.step_to_10.audit_10.{case}.median_over_printed"]
        assert 0.6 <= passed.value <= 1.1, case
        assert passed.beside["p90"] > passed.beside["median"]
        assert passed.beside["printed"] == audit.exposure(0.1, 0.02, 0.1)
    calm = found["false_alarm.true_0.01.half_in_bundles"]
    assert calm.value <= 0.1
    assert calm.value < calm.beside["bundles_left_out"]
    found = {result.name: result for result in trust.unreliable(RUNS)}
    assert found["false_licence.a_fifth_of_a_group_turned_round"].value == 0
    assert found["false_licence.a_fifth_of_a_group_missed"].value <= ALLOWED


def test_careless_reviewers_earn_nothing_and_without_known_bads_they_would():
    found = {result.name: result.value for result in trust.people(2)}
    assert found == {
        "no_licence.approves_everything": 0, "no_licence.answers_in_bundles": 0,
        "control.approves_everything_unchecked": 1,
    }  # fmt: skip
