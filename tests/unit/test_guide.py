import itertools

import pytest
from click.testing import CliRunner

from safelight import guide, ledger, policy
from safelight.cli import cli
from safelight.domain import Zone
from safelight.errors import UsageError
from safelight.guide import QUESTIONS, Advice, advise

YES = {question.name: True for question in QUESTIONS}


def but(**changed):
    return YES | changed


@pytest.mark.parametrize(
    ("answers", "advice"),
    [
        (YES, Advice.ADOPT),
        (but(repetitive=False), Advice.RESIST),
        (but(fallback=False), Advice.RESIST),
        (but(harmless=False), Advice.CALIBRATE),
        (but(harmless=False, looked_at=False), Advice.RESIST),
        (but(looked_at=False), Advice.ADOPT),
        (but(examples=False), Advice.CALIBRATE),
        (but(went_well=False), Advice.CALIBRATE),
    ],
)
def test_what_follows_from_the_checklist(answers, advice):
    assert advise(answers) is advice


def test_a_worse_answer_never_brings_bolder_advice():
    order = list(Advice)
    for values in itertools.product((True, False), repeat=len(QUESTIONS)):
        answers = dict(zip(YES, values, strict=True))
        for name in YES:
            assert order.index(advise(answers | {name: False})) >= order.index(advise(answers | {name: True}))
        assert guide.reasons(answers, advise(answers))


def written(library, task, answers=YES, **more):
    found = guide.document(library.store, task, answers, client=more.get("client"), by="ann")
    guide.write(library.store, found, None)
    return ledger.rules(library.store)


def test_the_advice_goes_into_the_policy_and_leaves_the_rest_of_it_alone(library):
    path = library.store.folder / "policy.toml"
    path.write_text(f'# ours\nschema = "{policy.SCHEMA}"\n[task.tone]\nalpha = 0.01  # strict here\n')
    rules = written(library, "tone", but(harmless=False))
    assert (rules.task("tone").zone, rules.task("tone").alpha) == (Zone.REVIEW, 0.01)
    assert "# ours" in path.read_text()
    assert "# strict here" in path.read_text()
    rules = written(library, "exposure", client="Ada & Co")
    assert rules.task("exposure", "Ada & Co").zone is Zone.AUTO
    rules = written(library, "exposure", but(repetitive=False))
    assert rules.task("exposure", "Ada & Co").zone is Zone.HUMAN, "what is stricter for all holds for a client too"
    rules = written(library, "exposure")
    assert rules.task("exposure").zone is Zone.AUTO


def test_adopting_never_raises_what_the_map_allows(library):
    assert written(library, "crop").task("crop").zone is Zone.REVIEW
    assert written(library, "painted_light", client="Ben").task("painted_light", "Ben").zone is Zone.HUMAN


def test_a_policy_that_cannot_be_read_is_left_alone(library):
    path = library.store.folder / "policy.toml"
    path.write_text("nonsense")
    with pytest.raises(UsageError):
        written(library, "tone")
    assert path.read_text() == "nonsense"


def test_from_the_command_line_every_question_must_be_answered():
    options = [f"--{name.replace('_', '-')}" for name in YES]
    left = CliRunner().invoke(cli, ["guide", "tone", *options[1:]])
    assert isinstance(left.exception, UsageError)
    done = CliRunner().invoke(cli, ["guide", "tone", *options, "--by", "ann"])
    assert done.exit_code == 0
    assert done.output.startswith("Adopt: tone.")
    assert "Nothing is on record yet" in done.output
