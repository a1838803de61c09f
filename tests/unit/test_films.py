"""Films before they leave: every rule of a place answers, and what is broken comes with a remedy."""

import json

import pytest
from click.testing import CliRunner

from safelight import films
from safelight.cli import cli
from safelight.domain import Measure
from safelight.errors import UsageError
from safelight.films import book, rules
from safelight.media import container
from tests.made_clips import make_clip, sine

BT709 = {"color_primaries": 1, "color_trc": 1, "colorspace": 1}
GOOD = """1
00:00:00,200 --> 00:00:01,400
A caption that can be read.
"""
OWN = """
schema = "safelight.film/1"
about = "a test"
[file]
formats = ["mp4"]
codecs = ["mpeg4"]
sounds = ["aac"]
name = "ACME_*"
longest_s = 10
most_mb = 5
[picture]
sizes = ["96x64"]
rates = ["25"]
[colour]
[loudness]
target = "podcast"
[faults]
allowed = ["freeze", "duplicate", "dropped", "clipped_audio", "dead_channel", "blocky", "flicker"]
[captions]
preset = "plain"
"""


@pytest.fixture
def place():
    return book.parse(OWN, "own")


@pytest.fixture
def film(tmp_path):
    path = make_clip(tmp_path / "ACME_1.mp4", frames=100, colour=BT709, heard=sine(4.0, 997, level=0.22))
    path.with_suffix(".srt").write_text(GOOD)
    return path


def broken(checked):
    return {a.rule: a.held for a in checked.answers if not a.held}


def test_a_film_that_is_right_passes_and_each_rule_has_answered(film, place):
    checked = films.check(film, place)
    assert broken(checked) == {}, [(a.rule, a.text) for a in checked.answers if not a.held]
    assert checked.passes
    assert {a.rule.split(".")[0] for a in checked.answers} == set(place.rules)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('codecs = ["mpeg4"]', 'codecs = ["h264"]', "file.codec"),
        ('formats = ["mp4"]', 'formats = ["mxf"]', "file.format"),
        ('sounds = ["aac"]', 'sounds = ["opus"]', "file.sound"),
        ('"ACME_*"', '"OTHER_*"', "file.name"),
        ("longest_s = 10", "longest_s = 1", "file.length"),
        ("most_mb = 5", "most_mb = 0.001", "file.size"),
        ('["96x64"]', '["1920x1080"]', "picture.size"),
        ('rates = ["25"]', 'rates = ["29.97"]', "picture.rate"),
        ("[colour]", '[colour]\nprimaries = ["bt2020"]', "colour.primaries"),
        ('"podcast"', '"ebu_r128"', "loudness.integrated"),
    ],
)
def test_each_rule_is_broken_by_what_it_is_about(film, old, new, rule):
    assert old in OWN
    checked = films.check(film, book.parse(OWN.replace(old, new), "own"))
    assert list(broken(checked)) == [rule]
    assert next(a.remedy for a in checked.answers if a.rule == rule)


def test_likely_faults_hold_it_back_unless_they_are_meant(film):
    rows = [{"kind": "black", "start": "2/1", "end": "3/1", "probability": 0.9, "channel": None}]
    found = {
        "faults.picture": Measure(name="faults.picture", value=rows),
        "faults.sound": Measure(name="faults.sound", cannot_tell="cut off"),
    }
    seen = rules.Film(path=film, name=film.name, facts=container.contents(film), found=found)
    picture, heard = rules.faults(seen, rules.Faults())
    assert (picture.held, picture.text) == (False, "black at 2.00 s.")
    assert heard.held is None
    assert rules.faults(seen, rules.Faults(allowed=("black",)))[0].held


@pytest.mark.parametrize(("speech", "held"), [(((0.0, 3.0),), False), ((), None)])
def test_a_place_that_counts_dialogue_asks_where_somebody_speaks(film, monkeypatch, speech, held):
    monkeypatch.setattr("safelight.dialogue.speech", lambda _: speech)
    checked = films.check(film, book.parse(OWN.replace('"podcast"', '"netflix"'), "own"))
    (answer,) = [a for a in checked.answers if a.rule == "loudness.integrated"]
    assert answer.held is held
    assert ("estimate" if speech else "nobody is heard to speak") in answer.text


def test_captions_are_needed_kept_to_rules_and_of_this_cut(film, place):
    captions = film.with_suffix(".srt")
    captions.write_text(GOOD.replace("01,400", "00,210"))
    assert "captions.rules" in broken(films.check(film, place))
    captions.write_text(GOOD + "\n2\n00:01:00,000 --> 00:01:02,000\nFrom another cut.\n")
    assert "captions.within" in broken(films.check(film, place))
    captions.unlink()
    assert broken(films.check(film, place)) == {"captions.there": False}


def test_untagged_and_silent(tmp_path, place):
    path = make_clip(tmp_path / "ACME_2.mp4", frames=100)
    found = broken(films.check(path, place))
    assert found["colour.primaries"] is False
    assert found["loudness.integrated"] is None, "without sound it cannot be told, and that holds it back"


@pytest.mark.parametrize("name", films.known())
def test_places_that_ship_are_understood(name):
    assert films.find(name).about
    assert {"picture", "colour", "loudness", "faults", "captions"} <= set(films.find(name).rules)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not say what it is"),
        ('schema = "safelight.film/1"\n[sound]', "no rule"),
        ('schema = "safelight.film/1"\n[file]\nsise = 1', "no field"),
        ('schema = "safelight.film/1"\n[loudness]\ntarget = "loud"', "no target"),
        ('schema = "safelight.film/1"\n[captions]\npreset = "mine"', "no preset"),
        ('schema = "safelight.film/1"\n[picture]\nrates = ["fast"]', "fast"),
        ("[", "not valid TOML"),
    ],
)
def test_what_cannot_be_meant_is_said(text, said):
    with pytest.raises(UsageError) as raised:
        book.parse(text, "own")
    assert said in raised.value.cause


def test_the_command_refuses(film, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(OWN)
    done = CliRunner().invoke(cli, ["film", str(film), "--for", str(own)])
    assert (done.exit_code, "fit for own" in done.output) == (0, True)
    own.write_text(OWN.replace('"podcast"', '"ebu_r128"'))
    done = CliRunner().invoke(cli, ["film", str(film), "--for", str(own), "--json"])
    assert done.exit_code == 4
    told = json.loads(done.stdout)
    assert (told["schema"], told["films"][0]["passes"]) == ("safelight.film/1", False)
    assert "no place for films" in CliRunner().invoke(cli, ["film", str(film), "--for", "moon"]).exception.cause
