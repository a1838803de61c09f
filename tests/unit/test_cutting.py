import json
import wave as wav
from fractions import Fraction

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight import cutting, interchange
from safelight.cli import cli
from safelight.cutting import PACES, Passage, Word, level, pauses
from safelight.cutting.level import RATE
from safelight.media.sound import Block

TALK = ((0.5, 2.0), (3.6, 5.0), (5.3, 7.0), (12.0, 14.0))  # seconds in which somebody speaks


def wave(*, seconds=15.0, talk=TALK, room=1e-3, quietly=0.0, seed=1):
    """A voice (hiss and hum in bursts) over a room; `quietly`: its level in the last tenth of each burst."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    sound = rng.normal(0, room, len(t))
    for start, end in talk:
        part = (t >= start) & (t < end)
        voice = 0.1 * np.sin(2 * np.pi * 180 * t[part]) + rng.normal(0, 0.05, part.sum())
        if quietly:
            voice[-int(0.1 * (end - start) * RATE) :] *= quietly
        sound[part] += voice
    return sound.astype(np.float32)


def saved(path, samples):
    """As 16-bit PCM."""
    with wav.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


def levels_of(samples, channels=1):
    block = np.repeat(samples[:, None], channels, 1)
    return level.of_blocks(
        Block(at=Fraction(i, RATE), samples=block[i : i + RATE], rate=RATE) for i in range(0, len(block), RATE)
    )


def heard(samples):
    return cutting.room(levels_of(samples))


def words(*rows):
    return [Word(text=t, start=Fraction(a), end=Fraction(b)) for t, a, b in rows]


SAID = words(
    ("unquestionably", "0.5", "2"),
    ("understandably.", "3.6", "5"),
    ("nevertheless", "5.3", "7"),
    ("introductions", "12", "14"),
)


@settings(max_examples=25)
@given(
    rate=st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(50)]),
    pace=st.sampled_from(sorted(PACES)), quietly=st.sampled_from([0.0, 0.05, 0.2]), seed=st.integers(0, 50),
)  # fmt: skip
def test_no_cut_touches_speech(rate, pace, quietly, seed):
    plan = cutting.tighten(heard(wave(quietly=quietly, seed=seed)), pace=PACES[pace], rate=rate, length=int(15 * rate))
    assert plan.cuts
    for cut in plan.cuts:
        assert all(cut.end / rate <= start or cut.start / rate >= end for start, end in TALK)
        assert cut.leaves_s >= Fraction(7, 20) - Fraction(1, 1000)
    assert sum(b - a for a, b in plan.kept) + sum(c.length for c in plan.cuts) == plan.length


def test_each_word_keeps_its_breath_and_the_pause_is_as_asked():
    plan = cutting.tighten(heard(wave()), pace=PACES["natural"], rate=Fraction(25), length=375, words=SAID)
    first = plan.cuts[0]
    assert first.rule == "pause"
    assert first.start / plan.rate - 2 >= Fraction(1, 5)
    assert Fraction(18, 5) - first.end / plan.rate >= Fraction(3, 20)
    assert abs(first.leaves_s - Fraction(1, 2)) <= 1 / plan.rate
    assert dict(first.evidence)["word.before"] == "unquestionably"
    assert dict(first.evidence)["level.margin_db"] > 0


def test_a_word_where_it_is_quiet_goes_to_a_person():
    mistaken = sorted([*SAID, Word(text="ghost", start=Fraction(3), end=Fraction("3.2"))], key=lambda w: w.start)
    plan = cutting.tighten(heard(wave()), pace=PACES["natural"], rate=Fraction(25), length=375, words=mistaken)
    assert not any(c.start / 25 < 3.2 and c.end / 25 > 3 for c in plan.cuts)
    assert any(d.rule == "two_witnesses" and "ghost" in d.text for d in plan.doubts)


def test_sound_without_words_and_words_too_long_are_told():
    odd = words(("so", "0.5", "2"), ("again", "12", "14"))
    plan = cutting.tighten(heard(wave()), pace=PACES["balanced"], rate=Fraction(25), length=375, words=odd)
    assert {d.rule for d in plan.doubts} >= {"suspect_word"}
    assert not plan.cuts or all(c.rule == "pause" for c in plan.cuts)


@pytest.mark.parametrize(("voiced", "sound", "is_told"), [(0.3, 0.6, True), (0.3, 0.4, False), (0.1, 0.6, False)])
def test_a_word_that_was_broken_off_and_not_written_down_is_told(voiced, sound, is_told):
    half = Fraction(1, 2)
    stills = (
        cutting.Still(start=Fraction(2), end=Fraction(4), margin_db=4.0),
        cutting.Still(start=4 + Fraction(str(sound)), end=Fraction(6), margin_db=4.0),
    )
    plan = cutting.tighten(
        cutting.Room(stills=stills, end=Fraction(10)), pace=PACES["balanced"], rate=Fraction(25), length=250,
        words=words(("done.", "1.5", "2"), ("Ask", "6", "6.3")),
        speech=((Fraction(3, 2), Fraction(2)), (4 + half / 10, 4 + half / 10 + Fraction(str(voiced))), (6, 7)),
    )  # fmt: skip
    assert ("sound_without_words" in {d.rule for d in plan.doubts}) == is_told


def test_a_quarter_of_a_minute_is_a_persons_to_judge():
    long = heard(wave(seconds=40, talk=((1, 3), (30, 33), (35, 39))))
    plan = cutting.tighten(long, pace=PACES["fast"], rate=Fraction(25), length=1000, words=words(("a", "1", "1.2")))
    assert any(d.rule == "long_silence" for d in plan.doubts)
    assert all(c.length <= 15 * 25 for c in plan.cuts)


def test_where_the_picture_moves_or_shots_join_nothing_is_cut():
    levels = heard(wave())
    plain = cutting.tighten(levels, pace=PACES["natural"], rate=Fraction(25), length=375, words=SAID)
    moving = cutting.tighten(levels, pace=PACES["natural"], rate=Fraction(25), length=375, words=SAID,
                             moving=[(Fraction(2), Fraction(4))])  # fmt: skip
    joined = cutting.tighten(levels, pace=PACES["natural"], rate=Fraction(25), length=375, words=SAID,
                             joins=[plain.cuts[0].start + 2])  # fmt: skip
    assert any(d.rule == "picture_moves" for d in moving.doubts)
    assert any(d.rule == "near_a_join" for d in joined.doubts)
    assert len(moving.cuts) == len(joined.cuts) == len(plain.cuts) - 1


def test_noise_as_loud_as_the_voice_gives_no_cut():
    plan = cutting.tighten(heard(wave(room=0.06)), pace=PACES["fast"], rate=Fraction(25), length=375)
    assert not plan.cuts
    assert any("too loud" in note for note in plan.notes)


def test_digital_silence_and_opposed_channels():
    sound = wave(room=0)
    assert cutting.tighten(heard(sound), pace=PACES["fast"], rate=Fraction(25), length=375).cuts
    opposed = np.stack([sound, -sound], 1)
    levels = level.of_blocks(
        Block(at=Fraction(i), samples=opposed[i * RATE : (i + 1) * RATE], rate=RATE) for i in range(15)
    )
    plan = cutting.tighten(cutting.room(levels), pace=PACES["fast"], rate=Fraction(25), length=375)
    assert all(c.end / 25 <= s or c.start / 25 >= e for c in plan.cuts for s, e in TALK)


def test_blocks_of_any_size_give_the_same_levels():
    sound = wave(seconds=4)[:, None]
    odd = level.of_blocks(Block(at=Fraction(0), samples=part, rate=RATE) for part in np.array_split(sound, 11))
    assert np.allclose(odd.bands, levels_of(sound[:, 0]).bands, atol=1e-3)
    assert not len(level.of_blocks([]).bands)
    assert not cutting.room(level.of_blocks([])).stills


def test_struck_words_go_at_quiet_edges_and_run_on_words_do_not():
    levels = heard(wave())
    plan = cutting.strike(SAID, [(1, 2)], levels, rate=Fraction(25), length=375)
    (cut,) = plan.cuts
    assert cut.rule == "struck"
    assert 2 <= cut.start / 25 <= 3.6
    assert 5 <= cut.end / 25 <= 5.3
    halves = words(("one", "0.5", "1.2"), ("two", "1.2", "2"))
    (doubt,) = cutting.strike(halves, [(1, 2)], levels, rate=Fraction(25), length=375).doubts
    assert doubt.rule == "no_gap"
    asked = cutting.strike(halves, [(1, 2)], levels, rate=Fraction(25), length=375, anyway=True)
    assert [c.look for c in asked.cuts] == [True], "a person's word goes before the machine's doubt"
    assert asked.doubts == (doubt,)
    with pytest.raises(ValueError, match="not there"):
        cutting.strike(SAID, [(3, 9)], levels, rate=Fraction(25), length=375)


def test_takes_said_again_are_found_and_new_sentences_are_not():
    text = "the quick brown fox. the quick brown fox jumps over. nothing here is like it."
    said = [Word(text=w, start=Fraction(i), end=Fraction(i) + Fraction(1, 2)) for i, w in enumerate(text.split())]
    close = [Word(text=w.text, start=w.start / 3, end=w.start / 3 + Fraction(1, 4)) for w in said]
    (take,) = cutting.takes(close)
    assert (take.goes, take.stays, take.broken_off) == ((0, 4), (4, 10), True)


@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=8), target=st.integers(1, 60),
    worth=st.lists(st.floats(0.1, 1), min_size=8, max_size=8),
)  # fmt: skip
def test_a_selection_fits_and_is_the_best_there_is(lengths, target, worth):
    at, passages = Fraction(0), []
    for n, w in zip(lengths, worth, strict=False):
        passages.append(Passage(start=at, end=at + n, reasons={"speech": w}))
        at += n
    chosen = cutting.select(passages, target_s=Fraction(target))
    took = sum(passages[i].worth for i in chosen)
    assert sum(lengths[i] for i in chosen) <= target
    best = max(
        sum(p.worth for i, p in enumerate(passages) if mask >> i & 1)
        for mask in range(1 << len(passages))
        if sum(n for i, n in enumerate(lengths) if mask >> i & 1) <= target
    )
    assert took == pytest.approx(best)


def test_what_is_marked_stays_or_is_said_to_be_too_long():
    two = [Passage(start=Fraction(0), end=Fraction(9), reasons={}, must=True),
           Passage(start=Fraction(9), end=Fraction(10), reasons={"speech": 1.0})]  # fmt: skip
    assert cutting.select(two, target_s=Fraction(10)) == (0, 1)
    assert cutting.select(two, target_s=Fraction(9)) == (0,)
    with pytest.raises(ValueError, match="longer than the target"):
        cutting.select(two, target_s=Fraction(5))


def test_the_command_writes_a_timeline_of_the_original(tmp_path, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_LIBRARY", str(tmp_path / "library"))
    clip = tmp_path / "talk.wav"
    saved(clip, wave())
    heard_as = tmp_path / "words.json"
    heard_as.write_text(json.dumps({"words": [
        {"text": w.text, "start": float(w.start), "end": float(w.end)} for w in SAID
    ]}))  # fmt: skip
    before = clip.read_bytes()
    to = tmp_path / "cut.otio"
    done = CliRunner().invoke(cli, ["tighten", str(clip), "--words", str(heard_as), "--to", str(to), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["schema"] == "safelight.tighten/1"
    read = interchange.read(to).programme
    assert read.length == told["frames"] - sum(c["end"] - c["start"] for c in told["cuts"])
    assert clip.read_bytes() == before
    struck = CliRunner().invoke(cli, ["tighten", str(clip), "--words", str(heard_as), "--strike", "1"])
    assert "“understandably.” goes" in struck.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pace", "brisk"], "no pace"),
        (["--strike", "1"], "are not known"),
        (["--words", "bad.json"], "no list of words"),
        (["--words", "good.json", "--strike", "7-x"], "--strike"),
        (["--words", "good.json", "--strike", "900"], "not there"),
        (["--words", "good.json", "--to", "talk.wav"], "is the original"),
    ],
)
def test_wrong_usage_is_said(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAFELIGHT_LIBRARY", str(tmp_path / "library"))
    saved("talk.wav", wave(seconds=3, talk=((0.5, 1),)))
    (tmp_path / "bad.json").write_text('[{"text": "x"}]')
    (tmp_path / "good.json").write_text('[{"text": "x", "start": "1/2", "end": 1}]')
    done = CliRunner().invoke(cli, ["tighten", "talk.wav", *arguments])
    assert done.exit_code != 0
    assert said in str(done.exception) + done.output


SEVENTHS = st.integers(0, 210).map(lambda n: Fraction(n, 7))


@given(st.lists(st.tuples(SEVENTHS, SEVENTHS).map(sorted).map(tuple), max_size=10), SEVENTHS, SEVENTHS)
@settings(max_examples=50)
def test_what_of_spans_lies_between_two_moments_is_the_sum_of_each(spans, one, two):
    low, high = sorted((one, two))
    wanted = sum((max(min(b, high) - max(a, low), Fraction(0)) for a, b in spans), Fraction(0))
    assert pauses._Spans(spans).within(low, high) == wanted
