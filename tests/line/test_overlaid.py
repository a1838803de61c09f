"""Rolled joins and cutaways: proposed with their reasons, shown once a person approved them, undone."""

import json
import shutil
import subprocess
from itertools import pairwise

import pytest
from click.testing import CliRunner

from safelight import deliver, effects, interchange, ledger, listening, overlaid, propose, rough
from safelight.cli import cli
from safelight.domain import Measure, Say, State, Zone
from safelight.explain import words
from safelight.interchange.programme import Clip, placed
from safelight.media import container, film_xmp, video
from safelight.operators import Wishes
from safelight.store import records
from tests import made_talk
from tests.judged import say, the_clip
from tests.made_clips import make_clip

SAID = (
    ("Why?", 0.5, 1.2), ("That", 3.0, 3.3), ("was", 3.4, 3.6), ("all.", 3.7, 4.2), ("Because", 8.2, 8.8),
    ("salt", 8.9, 9.3), ("is", 9.4, 9.5), ("old.", 9.6, 10.2), ("Well.", 10.5, 10.8), ("Yes.", 11.0, 11.6),
)  # fmt: skip
TALK, HANDS = "talk.mov", "hands.mov"
SECONDS = 14.0
GONE = ((60, 200), (260, 272))  # frames of the sentences that do not stay: between two shots, and within one
HEARD = [*range(60), *range(200, 260), *range(272, 350)]
BY = 13  # frames: the first word begins 0.2 s after the join, and eight frames of it are heard first

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def folder(library, tmp_path):
    """A shoot of a question and an answer in two shots, of which a sentence between them was left out and one within
    the answer, and of hands that keep still."""
    place = tmp_path / "talk"
    place.mkdir()
    make_clip(
        place / TALK, frames=350, codec="mjpeg", pixels="yuvj420p", heard=made_talk.wave(said=SAID, seconds=SECONDS),
    )  # fmt: skip
    make_clip(place / HANDS, frames=120, step=1, codec="mjpeg", pixels="yuvj420p", size=(64, 64))
    library.run(place, options=made_talk.PASS)
    clips = library.state(place).clips
    made_talk.known(library, place, said=SAID, silent=(clips[HANDS].id,), seconds=SECONDS)
    found = dict(made_talk.heard(SAID)[0].value)
    found["words"] = [w | {"speaker": "A" if n < 4 else "B"} for n, w in enumerate(found["words"])]
    joins = [{"frame": 150, "at": "6/1", "into": "cut", "score": 0.99}]
    sentences = [{"frames": list(frames), "text": "", "reasons": {}, "taken": False} for frames in GONE]
    chosen = {"target_s": "8/1", "clips": 1, "rate": "25/1", "sentences": sentences}
    told = {"words": found, "shots": joins, "shots.facts": [], "sentences.chosen": chosen}
    rows = [Measure(name=name, value=value) for name, value in told.items()]
    records.save_evidence(library.store, [(clips[TALK].id, listening.HEARD, "more", rows)])
    rules = ledger.rules(library.store)
    asked = propose.Asked(rules=rules, wishes=Wishes(), record=ledger.record(library.store, rules))
    assert not propose.propose(library.store, library.state(place), asked)
    for operator in ("tighten", "retakes", "loudness"):
        if operator in the_clip(library, place, path=TALK).proposals:
            say(library, place, operator, Say.REJECT, path=TALK, reason="taste")
    say(library, place, "select", path=TALK)
    return place


def cut(library, *arguments):
    named = [*map(str, arguments), "--library", str(library.store.folder), "--no-listen"]
    done = CliRunner().invoke(cli, ["cut", *named])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.stdout


def offer(library, folder):
    return cut(library, folder / TALK, "--cutaway", folder / HANDS)


def others(library, folder):
    """All clips of the shoot, as they may be cut away to."""
    return {clip.id: overlaid.other(folder / clip.path, clip) for clip in library.state(folder).clips.values()}


def grey(path):
    """The level of each frame, in the middle of its lower half."""
    shown = [s.rgb for s in video.frames(path)]
    high, wide = shown[0].shape[:2]
    return [float(rgb[high * 5 // 8 : high * 7 // 8, wide * 7 // 16 : wide * 9 // 16].mean()) for rgb in shown]


def tracks(path):
    """What each track of a timeline shows, frame by frame: medium and frame of it."""
    programme = interchange.read(path).programme
    found = []
    for track in programme.tracks:
        shown = [None] * programme.length
        for at, item in placed(track):
            if isinstance(item, Clip) and item.enabled:
                shown[at : at + item.length] = [(item.name, item.source + k) for k in range(item.length)]
        found.append((track.kind, shown))
    return found


ROLLED = [*range(60 + BY), *range(200 + BY, 260), *range(272, 350)]


def test_a_j_cut_is_proposed_shown_once_it_is_approved_and_undone(library, folder, tmp_path):
    clip = the_clip(library, folder, path=TALK)
    assert clip.proposals["split"].zone is Zone.HUMAN
    assert clip.open_questions() == ["split"]
    (listed,) = [one for one in effects.listed(clip) if one.operator == "split"]
    assert (listed.state, listed.text) == (State.PROPOSED, "at 0:08 the picture comes 0.52 s after its sound (J cut)")
    assert "“Because” at 8.2 s is said by another voice than “Why?”, in another shot (2)" in listed.because[1]
    assert "split: proposed." in words(library.explain(TALK, folder=folder))
    told = json.loads(cut(library, folder / TALK, "--json", "--to", tmp_path / "waits.otio"))
    assert told["rolled"] == []
    (mark,) = [m for m in told["markers"] if m["name"] == "sound_may_lead"]
    assert (mark["at"], mark["length"]) == (60, BY)
    assert [frames for _, frames in tracks(tmp_path / "waits.otio")] == [[("talk", n) for n in HEARD]] * 2
    cut(library, folder / TALK, "--render", tmp_path / "before.wav")

    say(library, folder, "split", path=TALK)
    assert "split, said by Ada: at 0:08 the picture" in words(library.explain(TALK, folder=folder))
    out = tmp_path / "film.mov"
    told = json.loads(cut(
        library, folder / TALK, "--decided", "--json", "--to", tmp_path / "cut.otio", "--render", out
    ))  # fmt: skip
    assert told["rolled"] == [{"at": 60, "by": BY}]
    assert "sound_may_lead" not in {m["name"] for m in told["markers"]}
    film, source = grey(tmp_path / "film.draft.mov"), grey(folder / TALK)
    assert film == pytest.approx([source[n] for n in ROLLED], abs=0.01), "every frame is the one that was meant"
    assert told["render"]["copied"] == [[0, 0, 60 + BY], [0, 200 + BY, 260], [0, 272, 350]], (
        "it still stands alone, frame by frame"
    )
    cut(library, folder / TALK, "--render", tmp_path / "after.wav")
    assert (tmp_path / "after.draft.wav").read_bytes() == (tmp_path / "before.draft.wav").read_bytes(), (
        "heard as it was"
    )
    for ending in ("otio", "fcpxml", "xml", "mlt"):
        cut(library, folder / TALK, "--decided", "--to", tmp_path / f"cut.{ending}")
        assert tracks(tmp_path / f"cut.{ending}") == [
            ("video", [("talk", n) for n in ROLLED]), ("audio", [("talk", n) for n in HEARD]),
        ], ending  # fmt: skip

    say(library, folder, "split", Say.UNDO, path=TALK)
    assert the_clip(library, folder, path=TALK).state("split") is State.PROPOSED
    say(library, folder, "split", Say.REJECT, path=TALK, reason="taste")
    told = json.loads(cut(library, folder / TALK, "--json"))
    assert told["rolled"] == []
    assert "sound_may_lead" not in {m["name"] for m in told["markers"]}, "somebody has answered"


def test_a_cutaway_from_elsewhere_is_offered_in_the_timeline_alone(library, folder, tmp_path):
    (tmp_path / "else").mkdir()
    shutil.move(folder / HANDS, tmp_path / "else" / "other.mov")
    said = cut(library, folder / TALK, "--cutaway", tmp_path / "else" / "other.mov", "--to", tmp_path / "cut.otio")
    assert "1 cutaway offered, switched off" in said
    assert "other.mov is not in the shoot: its cutaways lie in the timeline, not on the record." in said
    assert "cutaways" not in the_clip(library, folder, path=TALK).proposals


def test_a_person_sets_an_l_cut_and_one_whose_join_is_gone_is_told(library, folder):
    mark = [{"name": "own", "at": "41/5", "by": "-6/25"}]
    say(library, folder, "split", Say.MODIFY, path=TALK, params={"marks": mark})
    told = json.loads(cut(library, folder / TALK, "--json"))
    assert told["rolled"] == [{"at": 60, "by": -6}]
    say(library, folder, "select", Say.REJECT, path=TALK, reason="taste")
    told = json.loads(cut(library, folder / TALK, "--json"))
    assert told["rolled"] == []
    assert any("there is no join near it any more" in note for note in told["notes"])


def test_captions_mind_the_picture_that_is_seen(library, folder):
    offer(library, folder)
    changes = []
    for operator in (None, "split", "cutaways"):
        if operator:
            say(library, folder, operator, path=TALK)
        wanted = rough.Wanted(decided=True, beside=others(library, folder))
        made = rough.cut([(folder / TALK, the_clip(library, folder, path=TALK))], wanted, listen=False)
        changes.append(rough.shots(made))
    assert changes == [[60, 120], [60 + BY, 120], [60 + BY, *COVER]]


COVER = (108, 158)  # half a second before the jump within the answer, for two seconds
SHOWN = [*range(6, 56)]  # frames of the hands


def test_cutaways_are_offered_on_the_record_and_shown_once_approved(library, folder, tmp_path):
    assert "on the record of 1 clip, as the edit cutaways" in offer(library, folder)
    clip = the_clip(library, folder, path=TALK)
    assert clip.proposals["cutaways"].zone is Zone.HUMAN
    (listed,) = [one for one in effects.listed(clip) if one.operator == "cutaways"]
    assert listed.text == "hands.mov from 0:09 on for 2.0 s"
    assert "over the jump from 10.40 to 10.88 s: hands.mov from 0.24 s, which keeps still" in listed.because[1]
    say(library, folder, "split", Say.REJECT, path=TALK, reason="taste")
    told = json.loads(cut(library, folder / TALK, "--json", "--to", tmp_path / "waits.otio"))
    assert (told["cutaways"], told["cutaways_shown"]) == (1, 0), "what waits lies there, switched off"
    assert tracks(tmp_path / "waits.otio")[1] == ("video", [None] * len(HEARD))
    assert json.loads(cut(library, folder / TALK, "--json", "--decided"))["cutaways"] == 0

    say(library, folder, "cutaways", path=TALK)
    out = tmp_path / "film.mov"
    told = json.loads(cut(
        library, folder / TALK, "--decided", "--json", "--to", tmp_path / "cut.otio", "--render", out
    ))  # fmt: skip
    assert (told["cutaways"], told["cutaways_shown"]) == (0, 1)
    assert any("encoded anew: a cutaway lies over it" in note for note in told["render"]["notes"])
    film, source, hands = grey(tmp_path / "film.draft.mov"), grey(folder / TALK), grey(folder / HANDS)
    first, end = COVER
    assert film[:first] + film[end:] == pytest.approx([source[n] for n in HEARD[:first] + HEARD[end:]], abs=2.5)
    assert film[first:end] == pytest.approx([hands[n] for n in SHOWN], abs=2.5)
    assert all(two > one - 0.3 for one, two in pairwise(film[first:end])), "each frame once, in order"
    facts = container.contents(tmp_path / "film.draft.mov")
    assert abs(facts.sounds[0].duration_s - len(HEARD) / 25) < 0.04
    assert b"composite" in (film_xmp.read(tmp_path / "film.draft.mov") or b""), "of two clips"
    above = tracks(tmp_path / "cut.otio")[1][1]
    assert above[first:end] == [("hands", n) for n in SHOWN]
    assert above[:first] + above[end:] == [None] * (len(HEARD) - 50)

    say(library, folder, "cutaways", Say.UNDO, path=TALK)
    assert the_clip(library, folder, path=TALK).state("cutaways") is State.PROPOSED
    cut(library, folder / TALK, "--passages", passages(tmp_path), "--cutaway", folder / HANDS)
    assert "cutaways" not in the_clip(library, folder, path=TALK).proposals, "asked anew, nothing has to be covered"
    assert json.loads(cut(library, folder / TALK, "--json"))["cutaways_shown"] == 0


def test_a_cutaway_has_the_grade_of_its_own_clip(library, folder, tmp_path):
    """In the film, in a timeline that can carry it, and not that of the clip it lies over."""
    offer(library, folder)
    say(library, folder, "split", Say.REJECT, path=TALK, reason="taste")
    say(library, folder, "cutaways", path=TALK)
    say(library, folder, "grade", Say.MODIFY, path=HANDS, params={"slope": [0.5] * 3})
    out = tmp_path / "film.mov"
    cut(library, folder / TALK, "--decided", "--to", tmp_path / "cut.otio", "--render", out)
    film, source, hands = grey(tmp_path / "film.draft.mov"), grey(folder / TALK), grey(folder / HANDS)
    first, end = COVER
    assert film[:first] + film[end:] == pytest.approx([source[n] for n in HEARD[:first] + HEARD[end:]], abs=2.5)
    assert film[first:end] == pytest.approx([hands[n] / 2 for n in SHOWN], abs=2.5)
    below, above = (
        {c.grade.slope if c.grade else None for c in track.items if isinstance(c, Clip)}
        for track in interchange.read(tmp_path / "cut.otio").programme.tracks[:2]
    )
    assert (below, above) == ({None}, {(0.5, 0.5, 0.5)})


def passages(folder):
    (folder / "one.csv").write_text("clip,start,end,words\ntalk.mov,0,2,\n")
    return folder / "one.csv"


def send(library, folder, to):
    order = deliver.Order(to=to, films="broadcast_eu", draft=True)
    return library.deliver(folder, to, order=order)


def test_a_delivery_shows_both_and_refuses_a_cutaway_that_is_gone_or_changed(library, folder, tmp_path):
    offer(library, folder)
    with pytest.raises(Exception, match=r"talk\.mov: cutaways, split"):
        library.deliver(folder, tmp_path / "no", order=deliver.Order(to=tmp_path / "no", sign_off="Ada"))
    for operator in ("split", "cutaways"):
        say(library, folder, operator, path=TALK)
    made = send(library, folder, tmp_path / "out")
    (row,) = [file for file in made["files"] if file["kind"] == "timeline"]
    assert {e["operator"] for e in row["edits"]} == {"select@1", "split@1", "cutaways@1"}
    film = grey(tmp_path / "out" / "talk.mp4")
    source, hands = grey(folder / TALK), grey(folder / HANDS)
    wanted = [source[n] for n in ROLLED]
    wanted[COVER[0] : COVER[1]] = [hands[n] for n in SHOWN]
    assert film == pytest.approx(wanted, abs=4)

    shutil.copy(folder / HANDS, tmp_path / "kept.mov")
    make_clip(folder / HANDS, frames=120, step=2)
    (failed,) = send(library, folder, tmp_path / "changed")["failed"]
    assert "hands.mov is not the file that was looked at" in failed["cause"]
    (folder / HANDS).unlink()
    (failed,) = send(library, folder, tmp_path / "gone")["failed"]
    assert "hands.mov is not there" in failed["cause"]
    done = CliRunner().invoke(cli, ["cut", str(folder / TALK), "--library", str(library.store.folder)])
    assert "talk.mov cuts away to hands.mov at 9.92 s, which is not here" in done.exception.cause


@pytest.mark.skipif(shutil.which("melt") is None, reason="melt is not installed")
def test_another_program_shows_what_the_film_shows(library, folder, tmp_path):
    offer(library, folder)
    for operator in ("split", "cutaways"):
        say(library, folder, operator, path=TALK)
    cut(library, folder / TALK, "--decided", "--to", tmp_path / "cut.mlt")
    subprocess.run(
        ["melt", "-silent", str(tmp_path / "cut.mlt"), "-consumer", f"avformat:{tmp_path / 'out.mkv'}", "vcodec=ffv1",
         "an=1", "real_time=-1", "width=96", "height=64"],
        check=True, capture_output=True, timeout=120, env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    shown, source, hands = grey(tmp_path / "out.mkv"), grey(folder / TALK), grey(folder / HANDS)
    wanted = [source[n] for n in ROLLED]
    wanted[COVER[0] : COVER[1]] = [hands[n] for n in SHOWN]
    assert shown == pytest.approx(wanted, abs=8)
