"""By what is about people the record is split, and nothing else: no report, no copy, no operator ever sees it."""

import json
from dataclasses import replace
from types import MappingProxyType

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from safelight import explain, ledger, plugins, policy
from safelight.cli import cli
from safelight.domain import Measure
from safelight.line import Options
from safelight.probes.faces import EMITS
from safelight.store import erasing, schema

INLINE = Options(engine="inline", only=("cull", "exposure"))
HEAD = 'schema = "safelight.policy/1"\n'
FACE = {"box": [0, 0, 60, 60], "landmarks": [[1, 1]] * 5, "eyes": "open", "sharpness": 0.5, "smile": 0.1, "yaw": 0.0,
        "score": 0.9, "eyes_reason": None, "closed": 0.0, "mouth_open": 0.0}  # fmt: skip
TONE = "sienna"  # a word that stands nowhere else


def faces(picture):
    return [Measure(name="faces", value=[FACE]), *(Measure(name=n, cannot_tell="not asked") for n in EMITS[1:])]


@pytest.fixture
def asked(monkeypatch):
    """Probes that see a face of one tone in every picture; how often the tone was asked for."""
    calls = []

    def tone(picture):
        calls.append(picture)
        return [Measure(name="skin_tone", value=TONE)]

    found = dict(plugins.probes())
    found["faces"] = replace(found["faces"], measure=faces, weights=())
    found["skin_tone"] = replace(found["skin_tone"], measure=tone)
    monkeypatch.setattr(plugins, "probes", lambda: MappingProxyType(found))
    return calls


def groups(library, folder):
    return {p.group for photo in library.state(folder).photos.values() for p in photo.proposals.values()}


def kept(library):
    return [row["value"] for row in library.store.rows(sa.select(schema.risk_keys.c.value))]


def test_a_picture_is_in_its_group_and_only_the_record_knows(library, make_shoot, asked, tmp_path):
    folder = make_shoot(4)
    library.run(folder, options=INLINE)
    assert groups(library, folder) == {f"skin_tone:{TONE}"}
    assert kept(library) == [TONE] * 4
    state = library.state(folder)
    first = next(iter(state.photos.values()))
    assert all("skin_tone" not in subject.facts for subject in state.subjects())
    assert not library.store.rows(sa.select(schema.evidence).where(schema.evidence.c.name == "skin_tone"))
    assert not library.store.rows(sa.select(schema.personal.c.seq)), "it tells no people apart"
    library.verdict(folder, [p.path for p in state.photos.values()], operator="cull", say="approve", by="ann")
    library.run(folder, options=INLINE)
    told = json.dumps(explain.document(library.store, library.state(folder), [first]), default=str)
    found = {p.name: p for p in (folder / ".safelight").rglob("*") if p.suffix in (".html", ".jsonl", ".json")}
    record = found.pop("trust.html").read_text()
    assert TONE in record, "how often the machine was wrong is told for each group, …"
    assert first.path not in record, "… and of no photo in which it is"
    written = [path.read_bytes() for path in found.values()]
    ledger.export(library.store, tmp_path / "plain.csv")
    for text in (told.encode(), (tmp_path / "plain.csv").read_bytes(), *written):
        assert TONE.encode() not in text
        assert b"skin_tone" not in text
    ledger.export(library.store, tmp_path / "asked.csv", groups=True)
    assert f"skin_tone:{TONE}" in (tmp_path / "asked.csv").read_text()


def test_opting_out_measures_nothing_forgets_what_was_measured_and_pools_the_record(library, make_shoot, asked):
    folder = make_shoot(4)
    library.run(folder, options=INLINE)
    library.verdict(folder, [next(iter(library.state(folder).photos))], operator="cull", say="approve", by="ann")
    assert {c["group"] for c in ledger.document(library.store)["cells"]} == {f"skin_tone:{TONE}"}
    (library.store.folder / "policy.toml").write_text(HEAD + 'opt_out = ["skin_tone"]\n')
    asked.clear()
    assert library.run(folder, options=INLINE).changed
    assert not asked
    assert kept(library) == []
    assert groups(library, folder) == {None}
    assert {c["group"] for c in ledger.document(library.store)["cells"]} == {None}
    assert not library.run(folder, options=INLINE).changed
    (library.store.folder / "policy.toml").unlink()
    library.run(folder, options=INLINE)
    assert len(asked) == 4
    assert groups(library, folder) == {f"skin_tone:{TONE}"}


def test_a_policy_that_opts_out_from_the_start_never_asks(library, make_shoot, asked):
    (library.store.folder / "policy.toml").write_text(HEAD + 'opt_out = ["skin_tone"]\n')
    folder = make_shoot(2)
    library.run(folder, options=INLINE)
    assert not asked
    assert groups(library, folder) == {None}


def test_erasing_what_is_about_people_takes_the_groups_along(library, make_shoot, asked):
    folder = make_shoot(2)
    library.run(folder, options=INLINE)
    erasing.everything(library.store, by="ann")
    assert kept(library) == []
    library.run(folder, options=INLINE)
    assert len(kept(library)) == 2, "it is measured again, as long as the policy asks for it"


def test_what_cannot_be_told_is_kept_nowhere_and_needs_every_licence(library, make_shoot, monkeypatch, asked):
    found = dict(plugins.probes())
    unsure = Measure(name="skin_tone", cannot_tell="the light is coloured")
    found["skin_tone"] = replace(found["skin_tone"], measure=lambda picture: [unsure])
    monkeypatch.setattr(plugins, "probes", lambda: found)
    folder = make_shoot(2)
    library.run(folder, options=INLINE)
    assert kept(library) == []
    assert groups(library, folder) == {None}
    assert not library.run(folder, options=INLINE).changed, "it is not asked again and again"


def test_the_command_line_writes_groups_only_if_asked(library, make_shoot, asked, tmp_path):
    folder = make_shoot(1)
    library.run(folder, options=INLINE)
    library.verdict(folder, [next(iter(library.state(folder).photos))], operator="cull", say="approve", by="ann")
    place = ["--library", str(library.store.folder)]
    for options, there in ((), False), (("--groups",), True):
        path = tmp_path / f"ledger{len(options)}.jsonl"
        done = CliRunner().invoke(cli, ["trust", *place, "--export", str(path), *options], standalone_mode=False)
        assert done.exception is None
        assert (TONE in path.read_text()) is there


def test_the_built_in_policy_asks_for_it_where_skin_is_changed():
    rules = policy.default()
    assert rules.splits == {"skin_tone"}
    assert all("skin_tone" in rules.task(task).groups for task in ("cull", "exposure", "white_balance", "tone"))
    assert replace(rules, opt_out=frozenset({"skin_tone"})).splits == frozenset()
