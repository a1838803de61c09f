from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import EntryPoint
from multiprocessing import get_context

import pytest

from safelight import plugins
from safelight.domain import Scope
from safelight.errors import UsageError
from safelight.operators import template as operator_template
from safelight.probes import Findings, Probe
from safelight.probes import template as probe_template


class Ours:
    name = "safelight"


class Theirs:
    name = "zebra-tools"


def point(name, value, owner=Theirs):
    return EntryPoint(name, value, plugins.PROBES)._for(owner)


def loaded(*points, kind=Probe):
    return plugins.load(plugins.PROBES, kind, points)


def made(name, *, emits=(), needs=()):
    return Probe(
        name=name, version=1, emits=emits, needs=needs, scope=Scope.SHOOT, survey=lambda members: Findings(),
        about="A made one.",
    )  # fmt: skip


@pytest.fixture
def installed(monkeypatch):
    def install(*probes):
        monkeypatch.setattr(plugins, "probes", lambda: {probe.name: probe for probe in probes})

    return install


def test_good_one_loads():
    found = loaded(point("template", "safelight.probes.template:probe"))
    assert found.found == {"template": probe_template.probe}
    assert found.broken == ()


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("safelight.probes.no_such_module:probe", "ModuleNotFoundError"),
        ("safelight.probes.template:no_such_value", "AttributeError"),
        ("safelight.operators.template:operator", "is Operator, not Probe"),
        ("safelight.domain:Kind", "not Probe"),
        ("this.ends", "ModuleNotFoundError"),
    ],
)
def test_broken_one_is_recorded_and_others_load(value, error):
    found = loaded(point("bad", value), point("template", "safelight.probes.template:probe"))
    assert list(found.found) == ["template"]
    (broken,) = found.broken
    assert (broken.name, broken.group) == ("bad", plugins.PROBES)
    assert error in broken.error


@pytest.mark.parametrize("line", ["raise SystemExit(3)", "1 / 0", "import nothing_of_this_name", "def"])
def test_import_that_fails_is_never_fatal(line, tmp_path, monkeypatch):
    (tmp_path / "hostile_plugin.py").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "hostile_plugin", raising=False)
    (broken,) = loaded(point("hostile", "hostile_plugin:probe")).broken
    assert broken.error


def test_name_of_entry_point_and_probe_agree():
    (broken,) = loaded(point("other", "safelight.probes.template:probe")).broken
    assert "calls itself 'template'" in broken.error


def test_built_in_wins_a_clash_which_is_reported(tmp_path, monkeypatch):
    (tmp_path / "copied_plugin.py").write_text(
        "from dataclasses import replace\n"
        "from safelight.probes.template import probe as ours\n"
        "probe = replace(ours, version=9)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    theirs = point("template", "copied_plugin:probe")
    found = loaded(theirs, point("template", "safelight.probes.template:probe", Ours))
    assert found.found["template"].version == 1
    assert "taken" in found.broken[0].error
    assert "zebra-tools" in found.broken[0].error


def test_registries_are_cached_and_cannot_be_written():
    assert plugins.probes() is plugins.probes()
    with pytest.raises(TypeError):
        plugins.operators()["x"] = operator_template.operator


def test_registries_work_in_worker_processes():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert sorted(pool.submit(_names).result()) == sorted(plugins.operators())


def _names():
    return list(plugins.operators())


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="crop") as caught:
        plugins.operator("crpo")
    assert "'crpo'" in str(caught.value)


# ---------------------------------------------------------------- order of probes


def test_probes_run_after_those_they_need(installed):
    last, middle, first = made("a", needs=("m",)), made("b", emits=("m",), needs=("f",)), made("c", emits=("f",))
    installed(last, middle, first)
    assert [probe.name for probe in plugins.ordered_probes()] == ["c", "b", "a"]
    assert [probe.name for probe in plugins.ordered_probes(["a", "c"])] == ["a", "c"]


def test_order_does_not_depend_on_the_order_asked_for(installed):
    installed(made("a"), made("b"), made("c", emits=("x",)), made("d", needs=("x",)))
    assert plugins.ordered_probes(["d", "c", "b", "a"]) == plugins.ordered_probes(["a", "b", "c", "d"])


def test_probe_may_need_what_it_emits_itself(installed):
    installed(made("a", emits=("x", "y"), needs=("x",)))
    assert [probe.name for probe in plugins.ordered_probes()] == ["a"]


def test_circle_comes_last_and_is_reported(installed):
    circle = made("a", emits=("x",), needs=("y",)), made("b", emits=("y",), needs=("x",))
    installed(*circle, made("c"))
    assert [probe.name for probe in plugins.ordered_probes()] == ["c", "a", "b"]
    (broken,) = plugins.broken_promises({probe.name: probe for probe in circle}, {})
    assert "needs itself" in broken.error


def test_unknown_probe_is_a_wrong_usage(installed):
    installed(made("a"))
    with pytest.raises(UsageError, match="no probe 'b'"):
        plugins.ordered_probes(["b"])


# ---------------------------------------------------------------- promises between plug-ins


def test_need_that_nobody_emits_is_reported():
    needy = made("a", needs=("moonlight",))
    (broken,) = plugins.broken_promises({"a": needy}, {})
    assert "moonlight" in broken.error
    template = replace(operator_template.operator, needs=("moonlight",))
    (broken,) = plugins.broken_promises({}, {"template": template})
    assert (broken.name, broken.group) == ("template", plugins.OPERATORS)


def test_name_emitted_twice_is_reported():
    (broken,) = plugins.broken_promises({"a": made("a", emits=("x",)), "b": made("b", emits=("x",))}, {})
    assert broken.name == "b"
    assert "which a emits already" in broken.error


def test_external_evidence_counts_as_emitted():
    assert plugins.broken_promises({"a": made("a", needs=tuple(plugins.EXTERNAL))}, {}) == ()
