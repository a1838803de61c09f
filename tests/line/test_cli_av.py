import json

import numpy as np
import pytest
from click.testing import CliRunner

from safelight.cli import cli, main
from tests.made_clips import make_clip, make_sound, sine
from tests.made_ltc import played

SRT = "1\n00:00:01,000 --> 00:00:03,000\nSome words to read.\n\n2\n00:00:02,520 --> 00:00:05,000\nMore of them.\n"


def ran(*arguments, code=0):
    done = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert done.exit_code == code, done.output
    return done.output


def refused(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    return stopped.value.code


def test_captions_are_checked(tmp_path):
    (tmp_path / "a.srt").write_text(SRT)
    assert "overlap" in ran("captions", "check", tmp_path / "a.srt", "--rate", "25", code=1)
    document = json.loads(ran("captions", "check", tmp_path / "a.srt", "--rate", "29.97", "--json", code=1))
    assert document["rate"] == "30000/1001"
    assert [b["rule"] for b in document["breaches"]] == ["overlap"]
    (tmp_path / "cuts.txt").write_text("25\n30\n")
    document = json.loads(
        ran("captions", "check", tmp_path / "a.srt", "--rate", "25", "--cuts", tmp_path / "cuts.txt", "--json", code=1)
    )
    assert "shot_change" in {b["rule"] for b in document["breaches"]}


def test_captions_are_converted_and_originals_kept(tmp_path):
    (tmp_path / "a.srt").write_text(SRT)
    assert "2 cues" in ran("captions", "convert", tmp_path / "a.srt", tmp_path / "a.ttml", "--rate", "25")
    assert 'begin="25f"' in (tmp_path / "a.ttml").read_text()
    assert refused("captions", "convert", tmp_path / "a.srt", tmp_path / "a.srt") == 2
    assert (tmp_path / "a.srt").read_text() == SRT


@pytest.mark.parametrize(
    "arguments",
    [
        ["captions", "check", "a.srt"],
        ["captions", "check", "a.srt", "--rate", "25", "--preset", "none"],
        ["captions", "check", "a.srt", "--rate", "25", "--cuts", "a.srt"],
        ["captions", "check", "a.srt", "--rate", "26.5"],
        ["loudness", "a.srt", "--to", "b.wav"],
        ["loudness", "a.srt", "--target", "moon"],
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.srt").write_text(SRT)
    assert refused(*arguments) == 2


def test_loudness_is_measured_and_reached(tmp_path):
    path = make_sound(tmp_path / "a.wav", np.repeat(sine(4, 1000)[:, None], 2, 1))
    document = json.loads(ran("loudness", path, "--json"))
    assert document["loudness"]["integrated_lufs"] == pytest.approx(-12, abs=0.3)
    text = ran("loudness", path, "--target", "podcast", "--to", tmp_path / "b.flac")
    assert "-16.0 LUFS" in text
    assert "b.draft.flac is a draft" in text
    assert not (tmp_path / "b.flac").exists()
    text = ran("loudness", path, "--target", "podcast", "--to", tmp_path / "b.flac", "--sign-off", "Ann Example")
    assert "b.flac is final, signed by Ann Example" in text
    assert json.loads((tmp_path / "b.flac.made.json").read_text())["kind"] == "final"
    assert refused("loudness", path, "--target", "podcast", "--to", path, "--sign-off", "Ann Example") == 2
    assert refused("loudness", make_clip(tmp_path / "c.mp4")) == 1


def test_a_repaired_sound_is_a_draft_until_somebody_signs(tmp_path):
    path = make_sound(tmp_path / "a.wav", np.repeat(sine(4, 1000)[:, None], 2, 1))
    told = json.loads(ran("sound", "repair", path, "--to", tmp_path / "b.wav", "--json"))
    assert told["to"] == "b.draft.wav"
    assert (tmp_path / "b.draft.wav").is_file()
    assert "b.wav is final" in ran("sound", "repair", path, "--to", tmp_path / "b.wav", "--sign-off", "Ann Example")
    assert (tmp_path / "b.wav").is_file()


EDL = "TITLE: cut\n001  AX  V  C  01:00:00:00 01:00:02:00 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: one\n"


def test_timelines_are_read_and_converted(tmp_path):
    (tmp_path / "a.edl").write_text(EDL)
    assert "one" in ran("timeline", "read", tmp_path / "a.edl", "--rate", "25")
    text = ran("timeline", "convert", tmp_path / "a.edl", tmp_path / "a.fcpxml", "--rate", "25")
    assert "the same in every frame" in text
    document = json.loads(ran("timeline", "read", tmp_path / "a.fcpxml", "--json"))
    assert document["tracks"][0]["clips"][0]["frames"] == 50
    assert refused("timeline", "convert", tmp_path / "a.edl", tmp_path / "a.edl", "--rate", "25") == 2
    assert refused("timeline", "read", tmp_path / "a.edl") == 2


def test_recordings_are_placed_by_their_sound(tmp_path):
    rng = np.random.default_rng(1)
    wave = (rng.normal(0, 0.2, 40 * 16000) * np.repeat(rng.random(400) ** 3, 1600)).astype(np.float32)
    one = make_sound(tmp_path / "a.wav", wave, rate=16000)
    two = make_sound(tmp_path / "b.wav", wave[5 * 16000 : 30 * 16000], rate=16000)
    other = make_sound(tmp_path / "c.wav", rng.normal(0, 0.2, 20 * 16000).astype(np.float32), rate=16000)
    text = ran("align", one, two, "--to", tmp_path / "t.otio")
    assert "b.wav: +5.0000 s" in text
    document = json.loads(ran("timeline", "read", tmp_path / "t.otio", "--json"))
    assert [t["clips"][0]["at"] for t in document["tracks"]] == [0, 125]
    document = json.loads(ran("align", one, other, "--json", code=1))
    assert document["others"][0]["offset_s"] is None
    assert document["others"][0]["cannot_tell"]


@pytest.mark.parametrize(
    ("shift", "words"), [(0, "they agree"), (37, "37.0 frames): they disagree, the sound decides")]
)
def test_timecode_on_a_channel_is_a_witness_and_no_judge(tmp_path, shift, words):
    rng = np.random.default_rng(1)
    room = (rng.normal(0, 0.2, 40 * 16000) * np.repeat(rng.random(400) ** 3, 1600)).astype(np.float32)
    one = np.column_stack([room, played(90000, 40, rate=16000)])
    two = np.column_stack([played(90000 + 5 * 25 + shift, 25, rate=16000), room[5 * 16000 : 30 * 16000]])
    first = make_sound(tmp_path / "a.wav", one, rate=16000)
    other = make_sound(tmp_path / "b.wav", two, rate=16000)
    text = ran("align", first, other)
    assert "b.wav: +5.0000 s" in text
    assert words in text
    found = json.loads(ran("align", first, other, "--json"))["others"][0]
    assert found["ltc_offset_s"] == pytest.approx(5 + shift / 25, abs=0.002)
    assert found["offset_s"] == pytest.approx(5, abs=0.001)


def test_timecode_alone_places_nothing(tmp_path):
    one = make_sound(tmp_path / "a.wav", played(90000, 20))
    two = make_sound(tmp_path / "b.wav", played(90050, 20))
    text = ran("align", one, two, code=1)
    assert "cannot tell" in text
    assert "timecode says +2.0000 s; nothing else does" in text
