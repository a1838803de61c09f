import pytest

from safelight import policy
from safelight.domain import Measure, Zone
from safelight.errors import UsageError

HEAD = 'schema = "safelight.policy/1"\n'


def test_without_a_licence_everything_that_changes_a_picture_waits_for_a_person():
    rules = policy.default()
    for task in ("cull", "exposure", "white_balance", "crop", "something_new"):
        assert rules.zone(task, {}, licensed=False) in (Zone.REVIEW, Zone.HUMAN)


def test_what_changes_nothing_needs_no_licence():
    assert policy.default().zone("camera_look", {}, licensed=False) is Zone.AUTO


def test_evidence_caps_the_zone_whatever_was_earned():
    rules = policy.default()
    assert rules.zone("cull", {}, licensed=True) is Zone.AUTO
    faces = Measure(name="faces", value=[{"box": [0, 0, 9, 9]}])
    assert rules.zone("cull", {"faces": faces}, licensed=True) is Zone.REVIEW
    assert rules.zone("cull", {"faces": Measure(name="faces", value=[])}, licensed=True) is Zone.AUTO
    unknown = Measure(name="faces", cannot_tell="no weights")
    assert rules.zone("cull", {"faces": unknown}, licensed=True) is Zone.REVIEW


def test_a_policy_of_ones_own_is_laid_over_the_built_in_one(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(HEAD + '[task.exposure]\nzone = "human"\n')
    rules = policy.load(path)
    assert rules.zone("exposure", {}, licensed=True) is Zone.HUMAN
    assert rules.task("exposure").complexity == policy.default().task("exposure").complexity
    assert rules.zone("white_balance", {}, licensed=True) is Zone.AUTO


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", 'schema = "safelight.policy/9"', HEAD + "[tasks]\n", HEAD + '[task.cull]\nzone = "maybe"\n',
     HEAD + "[task.cull]\ncolour = 1\n", HEAD + "[task.cull]\nalpha = 2\n", HEAD + '[task.cull]\naudit = "much"\n'],
)  # fmt: skip
def test_a_policy_that_cannot_be_understood_is_refused_with_its_place(text):
    with pytest.raises(UsageError) as error:
        policy.parse(text, "mine.toml", base=policy.default())
    assert "mine.toml" in error.value.cause
