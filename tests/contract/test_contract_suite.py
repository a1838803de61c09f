"""One suite over every registered operator and probe, and the two templates."""

from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from safelight import contract, plugins, specimens
from safelight.media.picture import Picture
from safelight.operators import Medium, Wishes
from safelight.operators import template as operator_template
from safelight.probes import template as probe_template

ROOT = Path(__file__).resolve().parents[2]
OPERATORS = [operator_template.operator, *plugins.operators().values()]
PROBES = [probe_template.probe, *plugins.probes().values()]


@pytest.mark.parametrize("check", contract.OPERATOR_CHECKS.values(), ids=contract.OPERATOR_CHECKS)
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_operator_keeps_its_promise(operator, check):
    check(operator)


@pytest.mark.parametrize("check", contract.PROBE_CHECKS.values(), ids=contract.PROBE_CHECKS)
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_probe_keeps_its_promise(probe, check):
    check(probe)


@pytest.fixture(scope="module")
def measured():
    """Five photos with all the evidence that the probes leave about them without weights."""
    subjects = specimens.subjects(5, {})
    pictures = [rgb for rgb in specimens.pictures().values() if min(rgb.shape[:2]) > 40]
    probes = [*plugins.ordered_probes(), probe_template.probe]
    found = []
    for subject, rgb in zip(subjects, pictures, strict=True):
        facts = {}
        for probe in probes:
            if probe.measure is not None:
                facts |= {
                    m.name: m for m in probe.measure(Picture(rgb=rgb, capture=subject.asset.capture, facts=facts))
                }
        found.append(replace(subject, facts=facts))
    return found


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_suggestions_from_measured_evidence_are_sound_and_render(operator, measured):
    contract.suggestions_are_sound(operator, measured)
    for suggestion in operator.propose(measured, Wishes()):
        if suggestion.params is not None and operator.medium is Medium.FRAME:
            after = operator.render(specimens.frames()[0], suggestion.params, specimens.suite_tools())
            assert np.isfinite(after.pixels).all()


@pytest.mark.parametrize("item", [*OPERATORS, *PROBES], ids=lambda item: item.label)
def test_every_need_is_emitted(item):
    contract.needs_are_emitted(item, also_emitted=probe_template.probe.emits)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_every_operator_has_something_to_try(operator):
    tried = contract.examples(operator)
    assert any(params != operator.params() for params in tried)


def test_nothing_is_broken():
    assert plugins.broken() == ()


def test_prototypes_cover_every_medium():
    assert {operator.medium for operator in OPERATORS} == set(Medium)


@pytest.fixture
def generate():
    spec = spec_from_file_location("generate_docs", ROOT / "docs" / "_generate.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_manual_pages_are_up_to_date(generate, capsys):
    assert (generate.main(["--check"]), capsys.readouterr().err) == (0, "")


def test_stale_manual_pages_are_named_and_written_anew(generate, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "DOCS", tmp_path / "docs")
    tutorial = tmp_path / "docs" / "tutorial" / "page.md"
    tutorial.parent.mkdir(parents=True)
    tutorial.write_text("before\n<!-- code: some.py -->\nold\n<!-- end -->\nafter\n", "utf-8")
    (tmp_path / "some.py").write_text("new = 1\n", "utf-8")
    assert generate.main(["--check"]) == 1
    assert "docs/operators/crop.md is out of date" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert "```python\nnew = 1\n```" in tutorial.read_text("utf-8")
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("kind", ["operators", "probes"])
def test_every_plugin_has_a_manual_page(kind):
    names = {"template", *getattr(plugins, kind)()}
    assert {path.stem for path in (ROOT / "docs" / kind).glob("*.md")} == {*names, "index"}
