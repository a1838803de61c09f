"""`safelight cut`: rough cuts from the record and without it, as timelines, captions and films."""

import json
import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from click.testing import CliRunner

from safelight import captions, cuts, interchange, rough, verdicts
from safelight.cli import cli
from safelight.cutting import assembly, heard_back, joined, render
from safelight.cutting.assembly import Material, Piece
from safelight.domain import Say
from safelight.media import container, sound, video
from safelight.speech.recogniser import Recogniser, Said
from safelight.verdicts import Saying
from tests import made_talk
from tests.made_clips import make_clip, sine


@pytest.fixture
def folder(library, tmp_path):
    return made_talk.shoot(library, tmp_path / "talk", "talk.mov")


def run(library, *arguments, code=0):
    named = [*map(str, arguments), "--library", str(library.store.folder), "--no-listen"]
    done = CliRunner().invoke(cli, ["cut", *named])
    assert done.exit_code == code, done.output + repr(done.exception)
    return done.stdout


def test_a_timeline_captions_and_a_film_of_what_the_record_says(library, folder, tmp_path):
    before = (folder / "talk.mov").read_bytes()
    told = json.loads(run(
        library, folder / "talk.mov", "--json", "--to", tmp_path / "cut.otio", "--captions", tmp_path / "cut.vtt",
        "--render", tmp_path / "cut.mp4",
    ))  # fmt: skip
    assert (told["schema"], told["files"], told["losses"]) == ("safelight.cut/1", ["cut.otio"], [])
    (clip,) = told["clips"]
    assert {c["rule"] for c in clip["cuts"]} == {"pause", "retake"}
    assert clip["open"] == len(clip["cuts"]), "nobody has looked yet"
    kept = sum(b - a for a, b in clip["kept"])
    assert kept == told["frames"] == interchange.read(tmp_path / "cut.otio").programme.length
    assert {m["name"] for m in told["markers"]} >= {"jump_cut", "chapter"}
    facts = container.contents(tmp_path / "cut.draft.mp4")
    assert len(container.timing(tmp_path / "cut.draft.mp4").pts) == kept == told["render"]["frames"]
    assert abs(facts.sounds[0].duration_s - Fraction(kept, 25)) < Fraction(1, 25)
    text = " ".join(line for cue in captions.read(tmp_path / "cut.draft.vtt").cues for line in cue.lines)
    assert text.startswith("We begin with bread and salt."), "the take that goes is not captioned"
    assert (folder / "talk.mov").read_bytes() == before


def test_captions_of_a_cut_mind_its_joins_and_the_rules_that_are_asked_for(library, folder, tmp_path):
    (clip,) = library.state(folder).footage.values()
    made = rough.cut([(folder / "talk.mov", clip)], rough.Wanted(), listen=False)
    shots, rate = rough.shots(made), made.made.programme.rate
    assert shots == [at for at, _, _ in assembly.joins(made.made)] != []
    for preset in ("netflix", "dcmp"):
        said = run(library, folder / "talk.mov", "--captions", tmp_path / "a.srt", "--preset", preset)
        found = captions.read(tmp_path / "a.draft.srt")
        broken = [b for b in captions.check(found, captions.PRESETS[preset], rate=rate, shots=shots) if not b.soft]
        assert bool(broken) != (f"within the rules of {preset}" in said)
    run(library, folder / "talk.mov", "--captions", tmp_path / "a.srt", "--preset", "fcc", code=1)


def test_only_what_people_decided(library, folder, tmp_path):
    assert json.loads(run(library, folder, "--decided", "--json"))["frames"] == 300
    state = library.state(folder)
    verdicts.decide(library.store, state, list(state.footage.values()), Saying(say=Say.APPROVE, by="Ada"))
    told = json.loads(run(library, folder, "--decided", "--json"))
    assert told["frames"] < 300
    assert told["clips"][0]["open"] == 0


def test_a_length_takes_whole_sentences_in_order(library, folder):
    told = json.loads(run(library, folder, "--length", "5s", "--json"))
    assert told["seconds"] <= 5
    taken = [s["text"] for s in told["sentences"] if s["taken"]]
    assert taken, "something fits"
    assert next(s["text"] for s in told["sentences"]) == "We begin with bread."
    assert all(a["start"] <= b["start"] for a, b in zip(told["pieces"], told["pieces"][1:], strict=False))
    assert "in " in run(library, folder, "--length", "5s")
    assert "No sentence is as short" in CliRunner().invoke(
        cli, ["cut", str(folder), "--length", "0.1s", "--library", str(library.store.folder)]
    ).exception.cause  # fmt: skip


def test_passages_play_in_their_own_order(library, folder, tmp_path):
    rows = tmp_path / "chosen.csv"
    rows.write_text("clip,start,end,words\ntalk.mov,,,10-12\ntalk.mov,4,5,\n")
    told = json.loads(run(library, folder, "--passages", rows, "--json"))
    first, *rest = told["pieces"]
    assert first["start"] >= 8.5 * 25
    assert rest[-1]["end"] == 125
    rows.write_text("clip,start,end,words\nother.mov,1,2,\n")
    done = CliRunner().invoke(
        cli, ["cut", str(folder), "--passages", str(rows), "--library", str(library.store.folder)]
    )
    assert "none of these" in done.exception.cause


def test_struck_words_and_another_pace(library, folder):
    balanced, fast = (json.loads(run(library, folder, "--json", *more))["frames"] for more in ([], ["--pace", "fast"]))
    assert fast < balanced
    struck = json.loads(run(library, folder, "--strike", "10-12", "--json"))
    assert {c["rule"] for c in struck["clips"][0]["cuts"]} == {"pause", "retake", "struck"}


def test_a_clip_that_no_shoot_knows_is_cut_by_its_levels(library, tmp_path):
    made_talk.save(tmp_path / "alone")
    told = json.loads(run(library, tmp_path / "alone" / "talk.wav", "--json"))
    assert told["frames"] < 300
    assert "levels alone" in told["clips"][0]["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pace", "brisk"], "no pace"),
        (["--strike", "x"], "--strike"),
        (["--strike", "99"], "not there"),
        (["--length", "3m", "--passages", "talk.mov"], "different things"),
        (["--passages", "talk.mov"], "no list of passages"),
        (["--to", "talk.mov"], "is the original"),
        (["--render", "film.avi"], "not written as .avi"),
        (["--cutaway", "talk.wav"], "no picture to cut away to"),
    ],
)
def test_wrong_usage_is_said(library, folder, monkeypatch, arguments, said):
    monkeypatch.chdir(folder)
    made_talk.save(folder.parent, "talk.wav")
    shutil.move(folder.parent / "talk.wav", folder / "talk.wav")
    named = ["cut", "talk.mov", *arguments, "--no-listen", "--library", str(library.store.folder)]
    done = CliRunner().invoke(cli, named)
    assert said in str(getattr(done.exception, "cause", done.exception)) + done.output


def material(path, **more):
    facts = container.contents(path)
    length = int(facts.duration_s * facts.picture.rate) if facts.picture else 300
    return Material(path=path, facts=facts, rate=Fraction(25), length=length, **more)


def grey(path):
    return [float(s.rgb[-20:].mean()) for s in video.frames(path)]


def test_a_film_has_exactly_the_frames_and_is_copied_where_they_stand_alone(tmp_path):
    path = make_clip(tmp_path / "a.mov", frames=40, codec="mjpeg", pixels="yuvj420p", heard=sine(1.6), step=5)
    made = assembly.assemble(
        [material(path)], [Piece(clip=0, start=30, end=36), Piece(clip=0, start=4, end=9)], name="x"
    )
    done = render.render(made, tmp_path / "out.mov")
    assert (done.copied, done.encoded) == (((0, 30, 36), (0, 4, 9)), ())
    source = grey(path)
    assert grey(tmp_path / "out.mov") == pytest.approx([source[n] for n in (*range(30, 36), *range(4, 9))], abs=0.01)
    again = render.render(made, tmp_path / "again.mp4", preview=True)
    assert again.encoded == ((0, 30, 36), (0, 4, 9))
    assert grey(tmp_path / "again.mp4") == pytest.approx(grey(tmp_path / "out.mov"), abs=3)
    long = make_clip(tmp_path / "b.mp4", frames=40, options={"g": "20"})
    groups = assembly.assemble([material(long)], [Piece(clip=0, start=20, end=40)], name="x")
    assert render.render(groups, tmp_path / "whole.mp4").copied == ((0, 20, 40),), "a range of whole groups"
    inside = assembly.assemble([material(long)], [Piece(clip=0, start=21, end=40)], name="x")
    assert "in groups" in render.render(inside, tmp_path / "part.mp4").notes[0]


def test_a_turned_clip_stays_turned_and_another_is_turned_to_it(tmp_path):
    turned = make_clip(tmp_path / "turned.mp4", frames=10, rotation=90)
    plain = make_clip(tmp_path / "plain.mp4", frames=10)
    one, two = material(turned), material(plain)
    made = assembly.assemble([one, two], [Piece(clip=0, start=0, end=5), Piece(clip=1, start=0, end=5)], name="x")
    render.render(made, tmp_path / "out.mp4")
    facts = container.contents(tmp_path / "out.mp4")
    assert (facts.picture.rotation, facts.picture.width) == (one.facts.picture.rotation, one.facts.picture.width)
    shown = list(video.frames(tmp_path / "out.mp4"))
    assert np.abs(shown[2].rgb.astype(int) - next(iter(video.frames(turned))).rgb).mean() < 12
    height, width = shown[7].rgb.shape[:2]
    assert width < height
    middle = shown[7].rgb[height // 2 - 20 : height // 2 + 20]
    assert middle.mean() > 25, "the other lies across the middle, between bars"
    assert shown[7].rgb[: height // 8].mean() < 25


def test_the_sound_keeps_its_level_and_fades_at_joins(tmp_path):
    made_talk.save(tmp_path)
    path = make_clip(tmp_path / "a.mov", frames=50, heard=sine(2.0, 1000))
    made = assembly.assemble(
        [material(path)], [Piece(clip=0, start=0, end=20), Piece(clip=0, start=30, end=50)], name="x"
    )
    render.render(made, tmp_path / "out.wav")
    heard = sound.read(tmp_path / "out.wav").samples[:, 0]
    assert len(heard) == 40 * 1920
    join = 20 * 1920
    assert np.abs(heard[join - 48 : join + 48]).max() < 0.03, "faded where they meet"
    assert np.abs(heard[:join]).max() == pytest.approx(0.25, abs=0.002)
    with joined.heard(made, rate=16000) as both:
        again = both.window(Fraction(1, 2), Fraction(1))
    assert (len(again), np.abs(again[4792:4808]).max() < 0.05) == (8000, True)


def test_joins_are_listened_to_and_what_differs_is_marked(tmp_path):
    made_talk.save(tmp_path)
    spoken = tuple(cuts.word_of(w) for w in made_talk.heard()[0].value["words"])
    one = material(tmp_path / "talk.wav", words=spoken)
    made = assembly.assemble([one], [Piece(clip=0, start=0, end=60), Piece(clip=0, start=95, end=300)], name="x")

    def recogniser(text):
        return Recogniser(name="made", version=1, languages=("en",),
                          hear=lambda samples, weights: [Said(text=w, confidence=1) for w in text.split()])  # fmt: skip

    everything = " ".join(w.text for w in spoken[:11])
    with joined.heard(made, rate=16000) as both:
        good = heard_back.listen(made, both, recogniser("We begin with bread. We begin with bread and salt."), {})
        bad = heard_back.listen(made, both, recogniser("We begin with bread. We begin salt."), {})
    assert everything
    assert (good.joins, good.differences) == (1, ())
    assert good.found == good.expected > 0
    assert any("with" in d.expected for d in bad.differences)
    marks = [m.name for m in assembly.marked(made, bad.differences).programme.markers]
    assert "heard_back" in marks


def test_cutaways_are_offered_and_switched_off(library, folder, tmp_path):
    steady = make_clip(tmp_path / "hands.mov", frames=100, step=0)
    told = json.loads(run(library, folder, "--cutaway", steady, "--json", "--to", tmp_path / "cut.otio"))
    assert told["cutaways"] >= 1
    above = interchange.read(tmp_path / "cut.otio").programme.tracks[1]
    assert [c.enabled for c in above.items if hasattr(c, "enabled")] == [False] * told["cutaways"]


@pytest.mark.skipif(shutil.which("melt") is None, reason="melt is not installed")
def test_another_program_plays_the_cut(library, folder, tmp_path):
    told = json.loads(run(library, folder, "--json", "--to", tmp_path / "cut.mlt"))
    subprocess.run(
        ["melt", "-silent", str(tmp_path / "cut.mlt"), "-consumer", f"avformat:{tmp_path / 'out.mkv'}", "vcodec=ffv1",
         "an=1", "real_time=-1"],
        check=True, capture_output=True, timeout=120, env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert len(container.timing(tmp_path / "out.mkv").pts) == told["frames"]


def test_lost_words_are_known(library, folder):
    state = library.state(folder)
    made = rough.cut([(folder / "talk.mov", state.clips["talk.mov"])], rough.Wanted(), listen=False)
    assert assembly.lost_words(made.made) == []
