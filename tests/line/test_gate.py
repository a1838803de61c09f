"""Nothing final leaves without a pass, or a person who takes what was found on their name."""

import json

import cv2
import numpy as np
import pytest

from safelight import deliver, plugins
from safelight.checking import Thresholds
from safelight.deliver import gate, judge, limits
from safelight.deliver.accept import Word, accept
from safelight.detectors import Detector, Finding
from safelight.domain import Edit, Input, Measure, Say, Verdict, Version, Zone
from safelight.errors import Refused, UsageError
from safelight.media import image
from safelight.media.frame import Frame, scaling
from safelight.operators import Tools
from safelight.state import CHECK
from safelight.store import records, schema
from safelight.store.library import now
from safelight.verdicts import Saying, decide
from tests.conftest import save_jpeg, textured
from tests.line.test_cli import call

ANN = Word(by="ann", reason="no_fault")
NO_TOOLS = Tools(kept=lambda digest: b"", weights={})


def told(name, chance):
    """A detector that always answers the same."""

    def detect(pair):
        return (Finding(name=name, score=chance, probability=chance, where=(1, 1, 9, 9), text=f"{name} was seen."),)

    return Detector(name=name, version=1, finds=(name,), detect=detect, about="Known.")


@pytest.fixture
def detectors(monkeypatch):
    """The detectors that are installed; empty until a test adds some."""
    found = {}
    monkeypatch.setattr(plugins, "detectors", lambda: found)
    return found


@pytest.fixture
def shoot(make_shoot, library, in_process, detectors):
    """Two photos, kept, all questions answered, the first brightened by hand."""
    folder = make_shoot(2)
    library.run(folder)
    state = library.state(folder)
    for photo in state.photos.values():
        say(library, state, photo, "cull", {"decision": "keep"})
        for name in photo.open_questions():
            decide(library.store, state, [photo], Saying(say=Say.REJECT, by="ann", operators=(name,)))
    say(library, state, state.photo("IMG_0000.JPG"), "exposure", {"ev": 0.2})
    return folder


def say(library, state, photo, operator, params):
    decide(library.store, state, [photo], Saying(say=Say.MODIFY, by="ann", operators=(operator,), params=params))


def send(library, folder, to, **more):
    return library.deliver(folder, to, order=deliver.Order(to=to, **more))


# ---------------------------------------------------------------- what is refused, and how it goes out


def test_what_passes_goes_out_and_the_manifest_says_so(shoot, library, tmp_path, detectors):
    detectors["clipping"] = told("clipping", 0.01)
    made = send(library, shoot, tmp_path / "out")
    assert [f["gate"]["verdict"] for f in made["files"]] == ["pass", "pass"]
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {
        "IMG_0000.jpg", "IMG_0001.jpg", "manifest.json", "report.html",
    }  # fmt: skip
    edited = made["files"][0]["gate"]["findings"]
    assert {f["name"]: f["cannot_tell"] for f in edited}["halo"] == judge.UNASKED
    assert made["files"][1]["gate"]["findings"] == [], "an untouched photo has nothing to be found"


def test_what_fails_is_refused_by_name_and_nothing_is_left(shoot, library, tmp_path, detectors):
    detectors["clipping"] = told("clipping", 0.99)
    with pytest.raises(Refused, match=r"IMG_0000\.JPG: clipping, fail\. clipping was seen\.") as refused:
        send(library, shoot, tmp_path / "out", sign_off="lea")
    assert list((tmp_path / "out").iterdir()) == []
    page = shoot / ".safelight" / "reports" / "gate.html"
    assert str(page) in refused.value.remedy
    assert "clipping was seen." in page.read_text("utf-8")


def test_a_person_takes_a_finding_on_their_name(shoot, library, tmp_path, detectors, capsys):
    detectors["clipping"] = told("clipping", 0.97)
    with pytest.raises(Refused):
        send(library, shoot, tmp_path / "out")
    photo = shoot / "IMG_0000.JPG"
    taking = ("accept", photo, "--finding", "clipping", "--by", "ann", "--note", "It is the sun.")
    assert call(capsys, *taking, "--reason", "because")[0] == 2
    assert call(capsys, "accept", photo, "--finding", "halos", "--by", "ann", "--reason", "wanted")[0] == 2
    assert call(capsys, *taking, "--reason", "wanted")[0] == 0
    verdict = library.state(shoot).photo("IMG_0000.JPG").standing["check.clipping"]
    assert (verdict.by, verdict.reason, verdict.score) == ("ann", "wanted", 0.97)
    made = send(library, shoot, tmp_path / "out")
    (answered,) = made["files"][0]["gate"]["answered"]
    assert answered["by"] == "ann"
    assert answered["note"] == "It is the sun."
    assert made["files"][0]["gate"]["open"] == []
    assert [e["operator"] for e in made["files"][0]["edits"]] == ["exposure@1"]
    assert "clipping taken by ann" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_what_was_taken_holds_for_that_version_alone(shoot, library, tmp_path, detectors):
    detectors["clipping"] = told("clipping", 0.97)
    with pytest.raises(Refused):
        send(library, shoot, tmp_path / "out")
    state = library.state(shoot)
    accept(library.store, state, [state.photo("IMG_0000.JPG")], ["clipping"], ANN)
    say(library, state, state.photo("IMG_0000.JPG"), "exposure", {"ev": 0.6})
    with pytest.raises(Refused, match="clipping"):
        send(library, shoot, tmp_path / "out")


def test_who_signs_answers_for_what_wants_a_look(shoot, library, tmp_path, detectors):
    detectors["clipping"] = told("clipping", 0.7)
    with pytest.raises(Refused, match="look") as refused:
        send(library, shoot, tmp_path / "out")
    assert "--sign-off" in refused.value.remedy
    made = send(library, shoot, tmp_path / "out", sign_off="lea")
    assert [(a["finding"], a["by"]) for a in made["files"][0]["gate"]["answered"]] == [("clipping", "lea")]


def test_a_draft_goes_out_and_says_what_is_open(shoot, library, tmp_path, detectors):
    detectors["clipping"] = told("clipping", 0.99)
    made = send(library, shoot, tmp_path / "out", draft=True)
    assert made["files"][0]["gate"]["open"] == ["clipping"]
    assert "1 file does not pass" in deliver.words(made, tmp_path)


def test_rules_of_channel_and_client_are_asked_of_the_written_file(shoot, library, tmp_path, detectors):
    (shoot / "client.toml").write_text(
        'schema = "safelight.client/1"\nclient = "Acme"\nforbidden = ["exposure"]\n[size]\nlong_least = 240\n', "utf-8"
    )
    with pytest.raises(Refused, match=r"IMG_0000\.JPG: Acme\.forbidden") as refused:
        send(library, shoot, tmp_path / "out")
    assert "Acme.size" not in refused.value.cause
    rules = tmp_path / "shop.toml"
    rules.write_text('schema = "safelight.channel/1"\n[size]\nlong_least = 4000\n[double]\n', "utf-8")
    with pytest.raises(Refused) as refused:
        send(library, shoot, tmp_path / "out", channels=(str(rules),))
    assert "shop.size" in refused.value.cause
    state = library.state(shoot)
    photos = list(state.photos.values())
    accept(library.store, state, photos, ["shop.size"], ANN)
    accept(library.store, state, photos[:1], ["Acme.forbidden"], ANN)
    made = send(library, shoot, tmp_path / "out", channels=(str(rules),))
    assert {a["finding"] for a in made["files"][0]["gate"]["answered"]} == {"shop.size", "Acme.forbidden"}
    assert json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))["set_rules"]


def test_a_view_that_is_missing_is_taken_for_the_shoot(shoot, library, tmp_path, detectors):
    detectors["clipping"] = told("clipping", 0.01)
    rules = tmp_path / "shop.toml"
    text = (
        'schema = "safelight.channel/1"\n[missing]\nitem = "(?P<item>[A-Z]+)_(?P<view>.+)"\nviews = ["0000", "0007"]\n'
    )
    rules.write_text(text, "utf-8")
    with pytest.raises(Refused, match=r"shop\.missing, fail\. IMG lacks 0007"):
        send(library, shoot, tmp_path / "out", channels=(str(rules),))
    state = library.state(shoot)
    accept(library.store, state, [], ["shop.missing"], ANN)
    assert send(library, shoot, tmp_path / "out", channels=(str(rules),))["files"]


def test_what_may_never_leave_unreviewed_needs_a_look_at_that_photo(shoot, library, tmp_path, monkeypatch, detectors):
    from safelight import policy

    detectors["clipping"] = told("clipping", 0.01)
    rules = policy.parse(
        'schema = "safelight.policy/1"\n[task.exposure]\nzone = "never_unreviewed"\n', "test", base=policy.default()
    )
    monkeypatch.setattr(policy, "default", lambda: rules)
    state = library.state(shoot)
    both = Saying(say=Say.MODIFY, by="ann", operators=("exposure",), params={"ev": 0.1})
    decide(library.store, state, list(state.photos.values()), both)
    assert rules.task("exposure").zone is Zone.NEVER_UNREVIEWED
    with pytest.raises(Refused, match="2 kept photos need a look by a named person"):
        send(library, shoot, tmp_path / "out")
    for photo in state.photos.values():
        say(library, state, photo, "exposure", {"ev": 0.1})
    assert send(library, shoot, tmp_path / "out")["files"]


def test_a_verdict_about_a_finding_is_no_edit_and_no_question(shoot, library):
    state = library.state(shoot)
    photo = state.photo("IMG_0000.JPG")
    before = photo.edits()
    photo.standing[f"{CHECK}halo"] = Verdict(
        at=now(), by="ann", asset=photo.id, shoot=state.shoot.id, operator=f"{CHECK}halo", version=1, say=Say.REJECT
    )
    assert photo.edits() == before
    assert photo.open_questions() == []
    decide(library.store, state, [photo], Saying(say=Say.APPROVE, by="ann"))


def test_what_people_say_of_findings_moves_the_thresholds(shoot, library, tmp_path, detectors):
    detectors["clipping"] = told("clipping", 0.93)
    usual = limits.of_studio(library.store).get("clipping", Thresholds()).fail
    with pytest.raises(Refused, match="clipping, fail"):
        send(library, shoot, tmp_path / "out")
    state = library.state(shoot)
    photo = state.photo("IMG_0000.JPG")
    for number in range(60):
        word = ANN if number % 4 == 0 else Word(by="ann", reason="other", say=Say.APPROVE)
        if number % 4:
            library.store.append(schema.evidence, [chance_row(photo, 0.98)])
        else:
            library.store.append(schema.evidence, [chance_row(photo, 0.93)])
        accept(library.store, state, [photo], ["clipping"], word)
    now_fails = limits.of_studio(library.store)["clipping"].fail
    assert now_fails > usual
    assert now_fails == pytest.approx(0.98)
    assert send(library, shoot, tmp_path / "out")["files"][0]["gate"]["verdict"] == "pass"


def chance_row(photo, chance):
    version = Version(inputs=(Input(id=photo.id),), edits=photo.edits()).id
    measure = Measure(name="check.clipping", value=chance, unit="probability")
    return records._evidence_row(version, "gate@1", measure)


def test_only_what_the_gate_has_said_can_be_taken(shoot, library):
    state = library.state(shoot)
    with pytest.raises(UsageError, match="has not said"):
        accept(library.store, state, [state.photo("IMG_0000.JPG")], ["halo"], ANN)
    with pytest.raises(UsageError, match="on a name"):
        accept(library.store, state, [state.photo("IMG_0000.JPG")], ["aligned"], Word(by=" ", reason="wanted"))


# ---------------------------------------------------------------- what is compared


def edit(name, params):
    return Edit(operator=name, version=plugins.operator(name).version, params=params)


def test_detectors_are_asked_for_what_the_edits_can_cause():
    light, crop, file = edit("exposure", {"ev": 1.0}), edit("crop", {}), edit("external", {"file": "ab"})
    assert judge.could_cause([]) == frozenset()
    assert judge.could_cause([crop]) == frozenset()
    assert judge.could_cause([light]) == frozenset(judge.OF_POINTS)
    assert judge.could_cause([crop], jpeg_quality=60) == {"jpeg", "banding"}
    assert judge.could_cause([light, file]) is None
    for operator in plugins.operators().values():
        assert operator.artefacts is None or operator.artefacts, (
            "an operator that can cause nothing is pointwise or framing"
        )


def test_the_geometry_of_our_own_edits_is_known(tmp_path, detectors):
    detectors["seam"] = told("seam", 0.01)
    rgb = textured(5, width=800, height=600)
    edits = [edit("crop", {"box": [0.1, 0.2, 0.7, 0.9]}), edit("straighten", {"angle": 2.0})]
    from safelight import render

    small = image.frame_of(rgb)
    out = render.render_bytes(rgb, edits, NO_TOOLS)
    before, warp, size = judge._before(small, edits, NO_TOOLS)
    assert size == out.shape[1::-1]
    x, y = size[0] / 2, size[1] / 2
    u, v = (round(float(place)) for place in warp.back(np.array(x), np.array(y)))
    patch = before[v - 10 : v + 11, u - 10 : u + 11].astype(float)
    there = out[int(y) - 10 : int(y) + 11, int(x) - 10 : int(x) + 11].astype(float)
    assert np.corrcoef(patch.ravel(), there.ravel())[0, 1] > 0.9
    path = save_jpeg(tmp_path / "out.jpg", out)
    entry = judge.judge(
        path, path, small, [*edits, edit("painted_light", {"ev": 0.0})], rules=(), tools=NO_TOOLS, jpeg_quality=95,
        place=None,
    )  # fmt: skip
    assert entry["aligned"] == {"kind": entry["aligned"]["kind"], "agreed": 1.0, "error_px": 0.0, "cannot": None}


def test_a_small_file_is_compared_in_its_own_size(tmp_path, detectors):
    rgb = textured(6, width=800, height=600)
    path = save_jpeg(tmp_path / "out.jpg", cv2.resize(rgb, (400, 300), interpolation=cv2.INTER_AREA))
    detectors["clipping"] = told("clipping", 0.01)
    small = Frame(pixels=image.frame_of(rgb).pixels, geometry=scaling(1.0, 1.0))
    entry = judge.judge(
        path, path, small, [edit("exposure", {"ev": 0.0})], rules=(), tools=NO_TOOLS, jpeg_quality=95, place=None
    )
    assert entry["compared_px"] == [400, 300]


def test_a_finding_of_another_version_is_another():
    one = Version(inputs=(Input(id="a"),)).id
    two = Version(inputs=(Input(id="a"),), edits=(edit("exposure", {"ev": 1.0}),)).id
    assert gate.finding_id(one, "halo") != gate.finding_id(two, "halo") != gate.finding_id(two, "warp")
