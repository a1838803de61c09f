"""A delivery holds the cuts of clips: approved, listened to, measured as they were encoded, signed for, on record."""

import hashlib
import json
from fractions import Fraction

import pytest

from safelight import cuts, deliver, interchange, lots, verdicts, weights
from safelight.deliver import gate
from safelight.deliver.accept import Word, accept
from safelight.domain import Drawn, Measure, Say, Verdict
from safelight.errors import Refused, UsageError
from safelight.ledger import rules
from safelight.line import Options
from safelight.media import container, film_xmp
from safelight.store import records, schema
from safelight.store.library import now
from safelight.verdicts import Saying
from tests import made_talk
from tests.conftest import START, save_jpeg, textured
from tests.line.test_cli import call

INLINE = Options(engine="inline", only=("cull",))
HEARD = {"joins": 3, "expected": 12, "found": 12, "differences": []}


pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def folder(library, tmp_path):
    """A shoot of one clip in which somebody talks, with cuts proposed, and one photo that is kept."""
    place = tmp_path / "talk"
    made_talk.save(place, "talk.mov")
    save_jpeg(place / "IMG_1.JPG", textured(1), taken=START)
    library.run(place, options=INLINE)
    made_talk.known(library, place)
    library.verdict(place, ["IMG_1.JPG"], operator="cull", say="modify", by="Ada", params={"decision": "keep"})
    return place


def say(library, folder, what=Say.APPROVE, **more):
    state = library.state(folder)
    for name in sorted(state.clips["talk.mov"].waits()):
        saying = Saying(say=what, by="Ada", operators=(name,), **more)
        verdicts.decide(library.store, state, [state.clips["talk.mov"]], saying)


def listened(library, folder, value=HEARD):
    """What a run has heard at the joins of the cut as it stands."""
    clip = library.state(folder).clips["talk.mov"]
    measure = Measure(name="cut.heard_back", value=value)
    records.save_evidence(library.store, [(clip.cut(proposed=True).id, "heard_back@1", "made", [measure])])


def send(library, folder, to, **more):
    return library.deliver(folder, to, order=deliver.Order(to=to, **more))


def rows(made):
    return {file["kind"]: file for file in made["files"]}


def test_nothing_leaves_while_cuts_wait_and_the_refusal_says_which(library, folder, tmp_path):
    with pytest.raises(
        Refused, match=r"1 clip has cuts that nobody has answered .*talk\.mov: retakes, tighten"
    ) as refused:
        send(library, folder, tmp_path / "out", sign_off="Ada")
    assert "--no-clips" in refused.value.remedy
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True
    told = gate.ask(library.state(folder), draft=True)
    assert (told.clips, told.open) == ((), (("talk.mov", ("retakes", "tighten")),))
    made = send(library, folder, tmp_path / "photos", clips=False, sign_off="Ada")
    assert [file["name"] for file in made["files"]] == ["IMG_1.jpg"]


def test_an_approved_cut_leaves_as_a_timeline_with_its_row(library, folder, tmp_path, mark_times):
    before = mark_times(folder)
    say(library, folder)
    listened(library, folder)
    made = send(library, folder, tmp_path / "out", sign_off="Ada")
    row = rows(made)["timeline"]
    path = tmp_path / "out" / "talk.otio"
    assert row["name"] == path.name
    assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert row["source"] == {"asset": library.state(folder).clips["talk.mov"].asset.id, "path": "talk.mov"}
    assert {v["operator"]: (v["by"], v["say"]) for v in row["verdicts"]} == {
        "retakes": ("Ada", "approve"), "tighten": ("Ada", "approve"),
    }  # fmt: skip
    assert {e["operator"] for e in row["edits"]} == {"tighten@1", "retakes@1"}
    assert {c["name"]: c["value"] for c in row["checks"]} == {"lift.wrong_duration": 0.0, "lift.wrong_content": 0.0}
    assert (row["gate"]["verdict"], row["gate"]["open"], row["width"]) == ("pass", [], None)
    clip = library.state(folder).clips["talk.mov"]
    kept = sum(b - a for a, b in cuts.kept(clip))
    assert interchange.read(path).programme.length == kept
    assert Fraction(row["seconds"]) == Fraction(kept, 25)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "talk.otio", "IMG_1.jpg", "manifest.json", "report.html", "job-record.html", "job-record.pdf",
    }  # fmt: skip
    assert "talk.otio" in (tmp_path / "out" / "report.html").read_text()
    assert mark_times(folder) == before, "originals are only read"
    assert "2 files written" in deliver.words(made, tmp_path / "out")


def test_what_is_only_dropped_or_rejected_leaves_nothing_of_a_clip(library, folder, tmp_path):
    say(library, folder, Say.REJECT)
    assert [f["name"] for f in send(library, folder, tmp_path / "out", sign_off="Ada")["files"]] == ["IMG_1.jpg"]


def test_a_cut_that_was_begun_is_not_finished(library, folder, tmp_path):
    clip = library.state(folder).clips["talk.mov"]
    say(library, folder)
    first = next(c.name for one in cuts.listed(clip) if one.operator == "tighten" for c in one.cuts)
    state = library.state(folder)
    answer = cuts.answered(clip, "tighten", [cuts.Answer(name=first, say="drop")], Saying(say=Say.MODIFY, by="Ada"))
    verdicts.decide(library.store, state, [state.clips["talk.mov"]], answer)
    with pytest.raises(Refused, match=r"talk\.mov: tighten"):
        send(library, folder, tmp_path / "out", sign_off="Ada")


def test_what_is_heard_otherwise_wants_a_named_person(library, folder, tmp_path):
    say(library, folder)
    said = {"frame": 20, "at": 9, "expected": "bread", "heard": "bed", "text": "“bread” is heard as “bed”."}
    listened(library, folder, HEARD | {"found": 11, "differences": [said]})
    with pytest.raises(Refused, match=r"talk.mov: heard back, look. “bread” is heard as “bed”.") as refused:
        send(library, folder, tmp_path / "out")
    assert "--sign-off NAME" in refused.value.remedy
    assert not (tmp_path / "out" / "talk.otio").exists()
    made = send(library, folder, tmp_path / "out", sign_off="Ada")
    assert rows(made)["timeline"]["gate"]["answered"][0]["by"] == "Ada"


def test_where_nobody_could_listen_it_says_so(library, folder, tmp_path, monkeypatch):
    say(library, folder)
    monkeypatch.setattr(weights, "installed", dict)
    with pytest.raises(Refused, match="Nobody has listened to its joins"):
        send(library, folder, tmp_path / "out")


def test_a_film_is_held_to_its_place_as_it_was_encoded(library, folder, tmp_path):
    say(library, folder)
    listened(library, folder)
    with pytest.raises(Refused) as refused:
        send(library, folder, tmp_path / "out", films="web_video", sign_off="Ada")
    broken = {m.name: m for m in refused.value.waiting}
    assert "web_video.loudness.integrated" in broken, "it was measured"
    assert {m.path for m in broken.values()} == {"talk.mov"}
    assert all(m.text for m in broken.values())
    assert not list((tmp_path / "out").iterdir())
    state = library.state(folder)
    clip = state.clips["talk.mov"]
    with pytest.raises(UsageError, match="has not said"):
        accept(library.store, state, [clip], ["web_video.file.length"], Word(by="Ada", reason="wanted"))
    accept(library.store, state, [clip], sorted(broken), Word(by="Ada", reason="wanted"))
    made = send(library, folder, tmp_path / "out", films="web_video", sign_off="Ada")
    row = rows(made)["film"]
    assert row["name"] == "talk.mp4"
    assert row["sha256"] == hashlib.sha256((tmp_path / "out" / "talk.mp4").read_bytes()).hexdigest()
    assert {a["finding"] for a in row["gate"]["answered"]} >= set(broken)
    assert row["gate"]["open"] == []
    assert (row["width"], row["height"]) == (96, 64)
    assert len(container.timing(tmp_path / "out" / "talk.mp4").pts) == Fraction(row["seconds"]) * 25
    assert any("humanEdits (IPTC DigitalSourceType)" in told for told in row["losses"])
    assert b"digitalsourcetype/humanEdits" in (film_xmp.read(tmp_path / "out" / "talk.mp4") or b"")
    assert rows(made)["captions"]["name"] == "talk.srt"
    assert (tmp_path / "out" / "talk.srt").read_text().count("-->") >= 1
    assert "0:0" in (tmp_path / "out" / "report.html").read_text()


def test_a_clip_that_changed_since_is_listed_and_the_rest_goes_out(library, folder, tmp_path):
    say(library, folder)
    listened(library, folder)
    made_talk.save(folder, "other.mov")
    (folder / "talk.mov").write_bytes((folder / "other.mov").read_bytes()[:-4000])
    made = send(library, folder, tmp_path / "out", sign_off="Ada")
    assert [f["name"] for f in made["files"]] == ["IMG_1.jpg"]
    (failed,) = made["failed"]
    assert failed["path"] == "talk.mov"
    assert failed["remedy"]
    assert not list((tmp_path / "out").glob("talk*"))


def test_names_do_not_clash_and_forms_are_chosen(library, folder, tmp_path):
    say(library, folder)
    listened(library, folder)
    made = send(library, folder, tmp_path / "out", sign_off="Ada", timelines="fcpxml", names="job")
    assert sorted(f["name"] for f in made["files"]) == ["job.fcpxml", "job.jpg"]
    with pytest.raises(UsageError, match="no form of timelines"):
        send(library, folder, tmp_path / "more", sign_off="Ada", timelines="avi")
    with pytest.raises(UsageError, match="no place for films"):
        send(library, folder, tmp_path / "more", sign_off="Ada", films="cinema")


def test_what_was_cut_alone_is_a_lot_of_its_own(library, folder, tmp_path):
    """One clip that a rule cut and nobody looked at, beside a photo that somebody decided on."""
    state = library.state(folder)
    clip = state.clips["talk.mov"]
    for name in sorted(clip.waits()):
        proposal = clip.proposals[name]
        row = {"shoot": state.shoot.id, "asset": clip.id, "operator": name, "drawn": Drawn.REVIEW.value,
               "seed": state.shoot.id, "share": 0.1, "lot": f"{name}///all", "at": now()}  # fmt: skip
        library.store.append(schema.draws, [row])
        alone = Verdict(
            at=now(), by=f"policy:{name}", asset=clip.id, shoot=state.shoot.id, operator=name,
            version=proposal.edit.version, say=Say.APPROVE, proposal=proposal.id, params=dict(proposal.edit.params),
        )  # fmt: skip
        records.save_verdicts(library.store, [alone])
    state = library.state(folder)
    about = [*state.photos.values(), *state.footage.values()]
    told = lots.told(library.store, state, rules(library.store), about)
    assert (told["photos"], told["clips"], {row["task"] for row in told["lots"]}) == (0, 1, {"retakes", "tighten"})
    assert all(row["bad_at_most"] == row["done_alone"] == 1 for row in told["lots"]), "nobody looked at any"
    assert told["text"].startswith("1 clip was cut in some way that nobody looked at.")


def test_the_command_hands_over_cuts_and_films(library, folder, tmp_path, capsys):
    say(library, folder)
    listened(library, folder)
    base = ("deliver", folder, "--library", library.store.folder, "--sign-off", "Ada")
    code, out, err = call(capsys, *base, "--to", tmp_path / "out", "--films", "web_video")
    assert code == 4
    assert "web video.loudness.integrated" in err
    assert "safelight accept" in err
    code, out, err = call(capsys, *base, "--to", tmp_path / "out", "--timelines", "edl", "--json")
    assert (code, {f["kind"] for f in json.loads(out)["files"]}) == (0, {"photo", "timeline"})
    code, out, err = call(
        capsys, "accept", folder / "talk.mov", "--finding", "web_video.loudness.integrated", "--reason", "wanted",
        "--by", "Ada", "--library", library.store.folder,
    )  # fmt: skip
    assert (code, out) == (0, "1 finding answered.\n")
