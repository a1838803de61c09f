import re

import pytest

from safelight import plugins, policy
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


def line_of(text):
    with pytest.raises(UsageError) as error:
        policy.parse(HEAD + text, "mine.toml", base=policy.default(), tasks=("grade",))
    assert error.value.remedy
    found = re.search(r"mine\.toml, line (\d+): ", error.value.cause)
    return int(found[1]) if found else error.value.cause


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[task.cull]\nalpha = 1\n", 3), ("[task.cull]\nalpha = 0\n", 3), ("\n[task.crop]\n# no\nzone = 'auto'\n", 5),
        ("[task.no_such]\nzone = 'human'\n", 2), ("[task.lens.cap]\n'lens.guess' = 'auto'\n", 3),
        ("[client.'Ada & Co'.task.trim]\nzone = 'auto'\n", 3), ("task.trim.zone = 'auto'\n", 2),
        ("[task.tone]\nneeds_licence = false\n", 3), ("[task.tone]\ngroups = []\n", 3),
        ("[task.tone]\naudit = 0.01\n", 3), ("[task.tone]\ncanary = 0\n", 3), ("[task.tone]\nzone = 'nobody'\n", 3),
        ("[client.A]\nstakes = 'huge'\n", 3), ("[client.A]\ncolour = 1\n", 3), ("opt_out = 'skin'\n", 2),
    ],
)  # fmt: skip
def test_what_would_raise_a_level_or_is_unknown_is_refused_with_its_line(text, line):
    assert line_of(text) == line


def test_a_client_has_rules_of_its_own_over_those_of_the_studio():
    text = HEAD + "[client.Ada.task.exposure]\nzone = 'never-unreviewed'\n[client.Ben]\nstakes = 'high'\n"
    rules = policy.parse(text, "mine.toml", base=policy.default())
    assert rules.zone("exposure", {}, licensed=True) is Zone.AUTO
    assert rules.zone("exposure", {}, licensed=True, client="Ada") is Zone.NEVER_UNREVIEWED
    assert rules.zone("tone", {}, licensed=True, client="Ada") is Zone.AUTO
    assert rules.zone("tone", {}, licensed=True, client="Ben") is Zone.REVIEW
    assert rules.zone("tone", {}, licensed=True, stakes="high") is Zone.REVIEW


def test_every_operator_has_its_place_on_the_map_and_so_has_the_work_of_others():
    tasks = policy.default().tasks
    assert set(plugins.operators()) < set(tasks)
    others = {name: tasks[name] for name in set(tasks) - set(plugins.operators())}
    assert all(task.needs_licence for task in others.values())
    safe, hybrid, human, never = ({name for name, task in others.items() if task.zone is zone} for zone in policy.ORDER)
    assert safe == {"tagging", "transcription", "logging", "segmentation", "naming", "version_tracking"}
    assert {"skin", "background", "object_removal", "rough_cut", "grading"} < hybrid
    assert {"story", "creative_direction", "compositing", "artistic_retouch", "brand_tone"} < human
    assert never == {"generative_fill", "stylised_portrait", "continuity", "final_delivery"}


def test_a_studio_chooses_its_promise_and_what_is_laid_over_it_can_only_promise_more():
    studio = policy.parse(HEAD + "[task.tone]\nalpha = 0.05\n", "mine.toml", base=policy.default())
    assert studio.task("tone").alpha == 0.05
    for rule in ("alpha = 0.06", "delta = 0.2", "audit = 0.05", "canary = 4"):
        with pytest.raises(UsageError) as error:
            policy.parse(HEAD + f"[task.tone]\n{rule}\n", "run.toml", base=studio, promised=True)
        assert "run.toml, line 3: " in error.value.cause
    run = policy.parse(HEAD + "[task.tone]\nalpha = 0.01\ncanary = 9\n", "run.toml", base=studio, promised=True)
    assert (run.task("tone").alpha, run.task("tone").canary) == (0.01, 9)


def test_a_client_is_never_promised_less_than_the_studio_promises():
    text = HEAD + (
        "[task.tone]\nalpha = 0.01\naudit = 0.2\n"
        "[client.Ada.task.tone]\nalpha = 0.03\ndelta = 0.05\naudit = 0.1\ncanary = 8\n"
    )
    tone = policy.parse(text, "mine.toml", base=policy.default()).task("tone", "Ada")
    assert (tone.alpha, tone.delta, tone.audit, tone.canary) == (0.01, 0.05, 0.2, 8)


def test_two_policy_files_are_laid_over_each_other(tmp_path):
    studio, run = tmp_path / "policy.toml", tmp_path / "run.toml"
    studio.write_text(HEAD + "[task.tone]\nalpha = 0.05\n")
    run.write_text(HEAD + "[task.tone]\nalpha = 0.08\n")
    assert policy.load(run).task("tone").alpha == 0.08
    with pytest.raises(UsageError):
        policy.load(run, studio=studio)


def test_a_group_is_told_by_evidence_and_unknown_without_it():
    rules = policy.default()
    face, tone = (Measure(name=n, value=v) for n, v in (("faces", [{"box": [0, 0, 9, 9]}]), ("skin_tone", "8-10")))
    assert rules.group("denoise", {"faces": face}) is None
    assert rules.group("exposure", {}) is None
    assert rules.group("exposure", {"faces": Measure(name="faces", value=[])}) == "nobody"
    assert rules.group("exposure", {"faces": face}) is None
    assert rules.group("exposure", {"faces": face, "skin_tone": tone}) == "skin_tone:8-10"
    private = policy.parse(HEAD + "opt_out = ['skin_tone']\n", "mine.toml", base=rules)
    assert private.group("exposure", {"faces": face, "skin_tone": tone}) is None


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", 'schema = "safelight.policy/9"', HEAD + "[tasks]\n", HEAD + '[task.cull]\nzone = "maybe"\n',
     HEAD + "[task.cull]\ncolour = 1\n", HEAD + "[task.cull]\nalpha = 2\n", HEAD + '[task.cull]\naudit = "much"\n'],
)  # fmt: skip
def test_a_policy_that_cannot_be_understood_is_refused_with_its_place(text):
    with pytest.raises(UsageError) as error:
        policy.parse(text, "mine.toml", base=policy.default())
    assert "mine.toml" in error.value.cause
