"""What can be typed, set, read or met as an error has its place in the manual."""

import re
import tomllib
from dataclasses import fields
from importlib.metadata import entry_points

import click
import pytest

from safelight import errors, health, plugins, policy, verdicts
from safelight.cli import cli
from safelight.deliver import names, presets
from safelight.domain import Say, Zone
from safelight.sidecars import DEVELOP, WATCHED, exported
from tests.docs import ROOT, commands, page


def codes(kind=errors.SafelightError):
    return {kind.code} | {code for below in kind.__subclasses__() for code in codes(below)}


def sections(text):
    return set(re.findall(r"^## (.+)$", text, flags=re.MULTILINE))


def test_every_error_code_has_its_section_and_no_other():
    assert sections(page("errors.md")) == codes()


def test_every_section_on_errors_says_causes_and_what_to_do():
    for part in page("errors.md").split("\n## ")[1:]:
        assert "**What to do.**" in part, part.splitlines()[0]


def test_every_command_and_option_is_in_the_reference():
    text = page("cli.md")
    found = dict(commands())
    assert len(found) >= 10
    for path, command in found.items():
        head = f"## safelight {' '.join(path)}\n"
        assert head in text
        part = text.split(head)[1].split("\n## ")[0]
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(f"`{name}`" in part for name in option.opts), (path, option.name)


def test_every_command_is_shown_in_use():
    text = page("../README.md") + "".join(p.read_text("utf-8") for p in (ROOT / "docs").rglob("*.md"))
    for path, _ in commands():
        assert f"safelight {' '.join(path)}" in text.replace(page("cli.md"), ""), path


@pytest.mark.parametrize("setting", health.SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting):
    row = next(line for line in page("settings.md").splitlines() if line.startswith(f"| {setting.name} |"))
    for way in re.findall(r"--[a-z]+|SAFELIGHT_[A-Z]+", setting.where):
        assert way in row


def test_every_variable_that_is_read_is_documented():
    code = "".join(p.read_text("utf-8") for p in (ROOT / "src").rglob("*.py"))
    read = set(re.findall(r"\bSAFELIGHT_[A-Z_]+\b", code))
    assert read >= {"SAFELIGHT_LIBRARY", "SAFELIGHT_WEIGHTS"}
    assert [name for name in read if name not in page("settings.md")] == []


def test_every_option_of_a_run_that_sets_something_is_a_setting():
    options = {f"--{o.name}" for o in cli.commands["run"].params if isinstance(o, click.Option)}
    said = set(re.findall(r"--[a-z]+", page("settings.md")))
    assert options - said == {"--only", "--as_json"}, "asked of one run, set for none"


def test_every_preset_and_every_part_of_one_is_documented():
    text = page("delivering.md")
    for point in entry_points(group="safelight.deliveries"):
        assert f"| `{point.name}` |" in text
    block = re.search(r"```toml\n(# print.*?)```", text, flags=re.DOTALL)
    assert set(tomllib.loads(block[1])) == {f.name for f in fields(presets.Preset)} - {"name"}


def test_the_preset_shown_works(tmp_path):
    block = re.search(r"```toml\n(# print.*?)```", page("delivering.md"), flags=re.DOTALL)
    (tmp_path / "print.toml").write_text(block[1], "utf-8")
    assert presets.find(str(tmp_path / "print.toml")).long_side == 4000


def test_every_token_for_names_is_documented_and_no_other():
    shown = set(re.findall(r"\$\(([A-Z.]+)(?:\[[0-9,]+\])?\)", page("delivering.md")))
    assert shown == set(names.TOKENS)


def test_every_reason_say_and_zone_is_documented():
    assert all(f"| `{reason}` |" in page("cli.md") for reason in verdicts.REASONS)
    assert all(f"| `{say.value}` |" in page("policy.md") for say in Say)
    assert all(f"| `{zone.value}` |" in page("policy.md") for zone in Zone)


def test_every_rule_of_a_policy_is_documented():
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", page("policy.md"), flags=re.MULTILINE))
    assert rows >= {f.name for f in fields(policy.Task)}


def test_the_policy_shown_works():
    shown = re.findall(r"```toml\n(.*?)```", page("policy.md"), flags=re.DOTALL)
    assert len(shown) == 2
    rules = policy.parse(shown[0], "the example", base=policy.default())
    assert rules.task("exposure").zone is Zone.HUMAN
    assert rules.task("white_balance") == policy.default().task("white_balance")


def test_every_property_of_sidecars_is_documented():
    text = page("sidecars.md")
    assert [name for name in (*WATCHED, *DEVELOP) if f"`{name}`" not in text] == []
    code = (ROOT / "src" / "safelight" / "sidecars.py").read_text("utf-8")
    written = set(re.findall(r'says\["([A-Za-z]+:[A-Za-z0-9]+)"\]', code.split(f"def {exported.__name__}")[1]))
    assert len(written) >= 6
    assert [name for name in written - {"xmp:Rating"} if f"`{name}`" not in text] == []


@pytest.mark.parametrize("kind", ["probes", "operators"])
def test_every_probe_and_operator_has_its_page_in_the_manual(kind):
    navigation = page("../mkdocs.yml")
    for name in getattr(plugins, kind)():
        assert (ROOT / "docs" / kind / f"{name}.md").is_file(), name
        assert f"{kind}/{name}.md" in navigation, name


def test_every_package_is_accounted_for():
    project = tomllib.loads(page("../pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    text = page("decisions/packages.md")
    known = {name for cell in re.findall(r"^\|(.+)\|$", text, flags=re.MULTILINE) for name in re.split(r"[|, ]+", cell)}
    assert [r for r in wanted if re.split(r"[<>=\[]", r)[0] not in known] == []


def test_every_decision_is_listed_and_says_what_would_change_our_mind():
    folder = ROOT / "docs" / "decisions"
    for decision in folder.glob("*.md"):
        if decision.name == "index.md":
            continue
        text = decision.read_text("utf-8").lower()
        assert f"]({decision.name})" in page("decisions/index.md"), decision.name
        assert f"decisions/{decision.name}" in page("../mkdocs.yml"), decision.name
        assert all(part in text for part in ("context", "choice", "rejected", "what would change our mind")), decision


def test_every_page_is_in_the_navigation():
    docs = ROOT / "docs"
    pages = {p.relative_to(docs).as_posix() for p in docs.rglob("*.md")}
    assert {p for p in pages if f": {p}\n" not in page("../mkdocs.yml")} == set()
