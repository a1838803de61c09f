"""Every record comes back as it went in, on each engine."""

import json
import os
from dataclasses import replace
from fractions import Fraction

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight import propose
from safelight.domain import (
    Asset,
    Because,
    Capture,
    Drawn,
    Edit,
    Findings,
    Group,
    GroupKind,
    Input,
    Kind,
    Measure,
    Proposal,
    Say,
    Verdict,
    Version,
    Where,
    Zone,
    digest_of,
)
from safelight.files import json_text
from safelight.store import records, schema
from safelight.store.library import now
from safelight.store.records import CHUNK, File, Ledger, Shoot

LONG = "a-name-as-plug-ins-may-choose-it." * 9
ODD_NAMES = [
    "IMG_0001.JPG", "two\nlines.jpg", "tab\tand\\backslash.jpg", "📷 Jürgen & 안녕.jpg", "👩‍🚀.nef", "bytes:00.jpg",
    "'; drop table files; --.jpg", "100% %s :name ?.jpg", os.fsdecode(b"latin1-\xe9\xff.jpg"), " leading.jpg",
]  # fmt: skip
ODD_TEXTS = [
    "",
    "two\nlines",
    "emoji 🙂",
    "a NUL \0 inside",
    "half a pair \ud83d",
    "bytes:ff",
    "from argv \udce9",
    "%s :x",
]


def asset(number=0, **fields):
    base = Asset(
        id=digest_of(number), content=digest_of([number]), kind=Kind.PHOTO, format="jpeg", width=6000, height=4000
    )
    return replace(base, **fields)


def proposal(number=0, **fields):
    base = Proposal(
        id=digest_of(["proposal", number]), asset=digest_of(0), zone=Zone.REVIEW, score=0.5, because=(),
        edit=Edit(operator="cull", version=1, params={"decision": "keep", "tie_with": ""}),
    )  # fmt: skip
    return replace(base, **fields)


def verdict(number=0, **fields):
    base = Verdict(
        at=f"2026-05-02T10:00:00.{number:03d}+00:00", by="ann", asset=digest_of(0), shoot="s", operator="cull",
        version=1, say=Say.APPROVE,
    )  # fmt: skip
    return replace(base, **fields)


# ---------------------------------------------------------------- shoots, assets, files


def test_a_shoot_comes_back(library):
    made = Shoot(id="a1", root=os.fsdecode(b"/jobs/f\xeate"), name="fête\n💍", client="Ünal & Söhne", stakes="high")
    records.save_shoot(library, made)
    assert records.shoot_of(library, "a1") == made
    assert records.shoot_of(library, "a2") is None
    assert records.shoots(library) == [made]


def test_the_newest_row_of_a_shoot_counts_and_the_same_again_is_no_row(library):
    first = Shoot(id="a1", root="/old", name="job")
    moved = replace(first, root="/new")
    for seen in (first, first, moved, moved):
        records.save_shoot(library, seen)
    assert records.shoot_of(library, "a1") == moved
    assert [row["root"] for row in library.rows(sa.select(schema.shoots).order_by("seq"))] == ["/old", "/new"]


def test_assets_come_back_with_what_the_camera_wrote(library):
    capture = Capture(
        at="2026-05-02T14:03:11.120+02:00", camera="Test\0 Öne", serial="\udcff7", lens="50 mm f/1.4", iso=12800,
        seconds=1 / 8000, f_number=1.4, focal_mm=50.0, bias_ev=-1 / 3, bracketed=True, distance_m=1e-3, flash=False,
        orientation=6, software="“1.0”",
    )  # fmt: skip
    made = [
        asset(1, capture=capture),
        asset(2, content=None, width=None, height=None, format=LONG),
        asset(3, kind=Kind.VIDEO, duration_s=Fraction(1001, 30000)),
        asset(4, kind=Kind.AUDIO, duration_s=Fraction(10**40 + 1, 3**50)),
    ]
    records.save_assets(library, made)
    assert records.assets(library, [a.id for a in made]) == {a.id: a for a in made}


def test_a_known_asset_stays_as_it_was(library):
    records.save_assets(library, [asset(1)])
    records.save_assets(library, [asset(1, width=1), asset(2), asset(2)])
    assert records.assets(library, [asset(1).id, asset(2).id, "none"]) == {a.id: a for a in (asset(1), asset(2))}


def test_content_leads_to_the_oldest_asset(library):
    same = digest_of("picture")
    for number in (7, 3, 5):
        records.save_assets(library, [asset(number, content=same)])
    oldest = min(
        library.rows(sa.select(schema.assets.c.at, schema.assets.c.id)), key=lambda row: (row["at"], row["id"])
    )
    assert records.assets_by_content(library, [same, digest_of("other")]) == {same: oldest["id"]}


def test_files_come_back_whatever_their_names(library):
    made = [
        File(path=name, asset=digest_of(1), size=5 * 2**40, mtime_ns=2**62, relinked_from=digest_of(2))
        for name in ODD_NAMES
    ]
    failed = [
        replace(f, path=f"bad {f.path}", asset=None, error={"code": "media", "cause": f"{f.path!r}\0{f.path}"})
        for f in made
    ]
    records.save_files(library, "s", made + failed)
    assert records.files(library, "s") == {f.path: f for f in made + failed}


def test_a_vanished_file_is_left_out_until_it_is_seen_again(library):
    there = File(path="a.jpg", asset=digest_of(1), size=1, mtime_ns=1)
    for present, found in ((True, {"a.jpg": there}), (False, {}), (True, {"a.jpg": there})):
        records.save_files(library, "s", [replace(there, present=present)])
        assert records.files(library, "s") == found
    assert records.files(library, "another") == {}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(min_size=1, max_size=40))
def test_any_name_a_system_can_give_is_found_again(raw):
    name = os.fsdecode(raw)
    kind = schema.PathText()
    stored = kind.process_bind_param(name, None)
    assert "\0" not in stored
    assert stored.encode()
    assert kind.process_result_value(stored, None) == name


# ---------------------------------------------------------------- evidence


MEASURES = [
    Measure(name="number", value=0.1 + 0.2, unit="ev"),
    Measure(name="zero", value=0),
    Measure(name="false", value=False),
    Measure(name="list", value=[1, [2.5, None], {"ü": "\0"}]),
    Measure(name="box", value=1e-300, where=Where(box=(0, 0, 6000, 4000))),
    Measure(name="span", value=1, where=Where(start=Fraction(0), end=Fraction(1001, 30000))),
    Measure(name="both", value=1, where=Where(box=(1, 2, 3, 4), start=Fraction(1, 3))),
    Measure(name="no answer", cannot_tell="no face is\nlarge enough 🙁"),
    Measure(name=LONG, value="x", unit=LONG),
]


def test_evidence_comes_back(library):
    subject = digest_of(1)
    records.save_evidence(library, [(subject, "probe@1", "key", MEASURES), (LONG, LONG, LONG, MEASURES[:1])])
    assert records.facts(library, [subject]) == {subject: {m.name: m for m in MEASURES}}
    assert records.evidence(library, [LONG]) == {LONG: {"number": (MEASURES[0], LONG)}}
    assert records.measured(library, [subject, LONG]) == {(subject, "key"), (LONG, LONG)}


def test_the_newest_measure_of_a_name_counts(library):
    old, new = Measure(name="sharpness", value=1), Measure(name="sharpness", cannot_tell="too small")
    other = Measure(name="noise", value=2)
    records.save_evidence(library, [("a", "p@1", "k", [old, other]), ("b", "p@1", "k", [old])])
    records.save_evidence(library, [("a", "p@2", "k2", [new])])
    assert records.evidence(library, ["a", "b"]) == {
        "a": {"sharpness": (new, "p@2"), "noise": (other, "p@1")}, "b": {"sharpness": (old, "p@1")},
    }  # fmt: skip


def test_looking_without_finding_is_remembered(library):
    records.save_evidence(library, [("a", "p@1", "k", [])])
    assert records.measured(library, ["a"]) == {("a", "k")}
    assert records.facts(library, ["a"]) == {}


def test_what_is_no_number_is_refused_and_nothing_of_its_batch_is_written(library):
    for value in (float("nan"), float("inf"), [float("-inf")]):
        found = [Measure(name="good", value=1), Measure(name="bad", value=value)]
        with pytest.raises(ValueError, match="JSON compliant"):
            records.save_evidence(library, [("a", "p@1", "k", found)])
        with pytest.raises(ValueError, match="JSON compliant"):
            records.save_verdicts(library, [verdict(), verdict(params={"ev": value})])
    assert records.facts(library, ["a"]) == {}
    assert records.measured(library, ["a"]) == set()
    assert records.ledger(library).rows == []


def test_a_survey_brings_its_groups_and_measures(library):
    scene = Group(id=LONG, kind=GroupKind.SCENE, members=(digest_of(1), digest_of(2)), by=LONG, because="one light 💡")
    burst = Group(id="b", kind=GroupKind.BURST, members=(), by="groups@1")
    aligned = Measure(name="clock.offset_s", value=-3600.5, unit="s")
    found = [("groups@1", Findings(groups=(scene, burst), measures={digest_of(1): [aligned]})), ("other@1", Findings())]
    assert records.groups(library, "s") == []
    records.save_survey(library, "s", "first", found)
    records.save_survey(library, "s", "first", found)
    assert records.groups(library, "s") == [scene, burst]
    assert records.facts(library, [digest_of(1)]) == {digest_of(1): {"clock.offset_s": aligned}}
    records.save_survey(library, "s", "second", [("groups@1", Findings(groups=(burst,)))])
    assert (records.survey_key(library, "s"), records.groups(library, "s")) == ("second", [burst])
    records.save_survey(library, "s", "first", found)
    assert records.groups(library, "s") == [scene, burst]
    assert records.survey_key(library, "another") is None


# ---------------------------------------------------------------- proposals


def test_proposals_come_back(library):
    whole = proposal(
        1, asset=LONG, score=None, cannot_tell="no\nlight", bundle=LONG,
        edit=Edit(operator=LONG, version=2**31 - 1, params={"ev": -0.1, "mask": [1, {"a": None}], "text": "\0🙂"}),
        because=(
            Because(evidence="sharpness", value=[0.1], text="“soft”", code="soft"),
            Because(evidence="", value=None, text=""),
        ),
        alternatives=(Edit(operator=LONG, version=2**31 - 1, params={}),),
    )  # fmt: skip
    records.save_proposals(library, "s", [whole, proposal(2)])
    assert records.proposals(library, "s") == {(LONG, LONG): whole, (digest_of(0), "cull"): proposal(2)}
    assert records.proposals(library, "another") == {}


def test_a_withdrawn_proposal_is_gone_until_it_is_made_again(library):
    key = digest_of(0), "cull"
    records.save_proposals(library, "s", [proposal(1)])
    records.save_proposals(library, "s", [proposal(2)])
    assert records.proposals(library, "s") == {key: proposal(2)}
    records.save_proposals(library, "s", [], withdrawn=[proposal(2)])
    assert records.proposals(library, "s") == {}
    records.save_proposals(library, "s", [proposal(3)])
    assert records.proposals(library, "s") == {key: proposal(3)}


# ---------------------------------------------------------------- the ledger


def test_verdicts_come_back_in_the_order_in_which_they_were_said(library):
    said = [
        verdict(3, say=Say.MODIFY, params={"decision": "keep", "weight": 0.1}, proposal=digest_of("p"), group=LONG,
                weights=LONG * 3, score=0.1 + 0.2, reason="moment", note="the look", seconds=1e-3, drawn=Drawn.CANARY,
                bundled=40),
        verdict(1, params={}),
        verdict(2, params=None, operator=LONG, by=LONG),
        verdict(0, say=Say.UNDO),
    ]  # fmt: skip
    records.save_verdicts(library, said)
    records.save_verdicts(library, [verdict(4, shoot="another")])
    assert records.ledger(library, "s").rows == said
    assert records.ledger(library).rows == [*said, verdict(4, shoot="another")]


def test_what_people_type_comes_back(library):
    said = [verdict(note=text, by=text, reason=text) for text in ODD_TEXTS]
    measures = [Measure(name=f"n{number}", cannot_tell=text) for number, text in enumerate(ODD_TEXTS)]
    shoots = [Shoot(id=f"s{number}", root="/a", name="a", client=text) for number, text in enumerate(ODD_TEXTS)]
    records.save_verdicts(library, said)
    records.save_evidence(library, [("a", "p@1", "k", measures)])
    for shoot in shoots:
        records.save_shoot(library, shoot)
    assert records.ledger(library).rows == said
    assert records.shoots(library) == shoots
    assert records.facts(library, ["a"])["a"] == {m.name: m for m in measures}


SAYINGS = st.lists(
    st.tuples(
        st.sampled_from([Say.APPROVE, Say.MODIFY, Say.REJECT, Say.ESCALATE, Say.UNDO, Say.UNDO]),
        st.sampled_from(["x", "y"]),
        st.sampled_from(["cull", "crop"]),
        st.sampled_from(["s", "t"]),
    ),
    max_size=40,
)


def said_of(sayings):
    return [
        verdict(number, say=say, asset=photo, operator=operator, shoot=shoot)
        for number, (say, photo, operator, shoot) in enumerate(sayings)
    ]


def stacks_of(said):
    """What stands, told with nothing but stacks: a saying lies on top, an undo takes the top of its shoot away."""
    stacks = {}
    for v in said:
        stack = stacks.setdefault((v.asset, v.operator), [])
        mine = [other for other in stack if other.shoot == v.shoot]
        if v.say is not Say.UNDO:
            stack.append(v)
        elif mine:
            stack.remove(mine[-1])
    return {key: stack[-1] for key, stack in stacks.items() if stack}


@settings(max_examples=150)
@given(sayings=SAYINGS)
def test_any_sequence_of_sayings_and_undos_is_a_stack(sayings):
    book = Ledger()
    said = said_of(sayings)
    for count, one in enumerate(said, 1):
        book.add(one)
        assert book.standing == stacks_of(said[:count])
    assert book.rows == said


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sayings=SAYINGS)
def test_the_library_keeps_undo_chains(library, sayings):
    before = len(records.ledger(library).rows)
    said = said_of(sayings)
    records.save_verdicts(library, said)
    book = Ledger()
    for one in records.ledger(library).rows[before:]:
        book.add(one)
    assert (book.rows, book.standing) == (said, stacks_of(said))


# ---------------------------------------------------------------- what is written without a noun of its own


def test_trials_leave_versions_and_evidence(library):
    version = Version(
        inputs=(Input(id=digest_of(1)),), edits=(Edit(operator="crop", version=2, params={"box": [1, 2]}),)
    )
    measures = (Measure(name="crop.lost", value=0.25),)
    tried = [
        propose.Tried(photo=digest_of(1), version=version, measures=(("crop@2", measures),)),
        propose.Tried(photo=digest_of(2), version=Version(inputs=()), error="ValueError: “no”\n"),
    ]
    propose.remember(library, "s", tried)
    rows = library.rows(sa.select(schema.versions).order_by(schema.versions.c.seq))
    assert [(row["id"], row["asset"]) for row in rows] == [
        (version.id, digest_of(1)),
        (Version(inputs=()).id, digest_of(2)),
    ]
    assert json.loads(rows[0]["body"]) == {
        "inputs": [[digest_of(1), None, None]], "edits": [["crop", 2, {"box": [1, 2]}]],
    }  # fmt: skip
    facts = records.facts(library, [version.id, Version(inputs=()).id])
    assert facts == {
        version.id: {"crop.lost": measures[0]},
        Version(inputs=()).id: {"render.failed": Measure(name="render.failed", value="ValueError: “no”\n")},
    }


def test_the_newest_state_of_a_sidecar_counts(library):
    row = {"shoot": "s", "asset": digest_of(1), "digest": digest_of("x"), "at": now()}
    for path in ODD_NAMES:
        for rating in (1, 5):
            said = json_text({"rating": rating, "path": path})
            library.append(schema.sidecars, [row | {"path": path, "said": said}])
    table = schema.sidecars
    found = {r["path"]: json.loads(r["said"]) for r in library.newest(table, ["path"], table.c.shoot == "s")}
    assert found == {path: {"rating": 5, "path": path} for path in ODD_NAMES}


def test_deliveries_and_runs_come_back(library):
    delivered = {
        "id": LONG, "shoot": "s", "manifest": json_text({"files": ODD_NAMES}), "by": "Ann\0 Ünal", "draft": False,
        "at": now(),
    }  # fmt: skip
    ran = {"shoot": "s", "key": LONG, "summary": json_text({"looked": 4}), "at": now()}
    library.append(schema.deliveries, [delivered, delivered | {"by": None, "draft": True}])
    library.append(schema.runs, [ran])
    first, second = library.rows(sa.select(schema.deliveries).order_by(schema.deliveries.c.seq))
    assert {name: first[name] for name in delivered} == delivered
    assert (second["by"], second["draft"]) == (None, True)
    assert json.loads(first["manifest"]) == {"files": ODD_NAMES}
    assert {name: library.rows(sa.select(schema.runs))[0][name] for name in ran} == ran


# ---------------------------------------------------------------- many at once


def test_more_than_one_statement_can_carry(library):
    count = CHUNK + 7
    ids = [digest_of(n) for n in range(count)]
    made = [asset(n, content=ids[n]) for n in range(count)]
    records.save_assets(library, made)
    records.save_assets(library, made)
    records.save_evidence(library, [(i, "p@1", "k", [Measure(name="n", value=n)]) for n, i in enumerate(ids)])
    assert records.assets(library, ids) == {a.id: a for a in made}
    assert records.assets_by_content(library, ids) == dict(zip(ids, ids, strict=True))
    assert records.measured(library, ids) == {(i, "k") for i in ids}
    assert {i: found["n"].value for i, found in records.facts(library, ids).items()} == {
        i: n for n, i in enumerate(ids)
    }
