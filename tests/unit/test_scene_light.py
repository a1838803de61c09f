import cv2
import numpy as np
import pytest

from bench import _scenes
from safelight.domain import Asset, Capture, Group, GroupKind, Kind, Measure
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes, exposure, white_balance
from safelight.operators._relative import relative
from safelight.probes import Member, marks, scene_light
from safelight.probes.scene_light import Pair, solved, step_between


def collage(seed):
    """A picture with corners: rectangles of all sizes and colours."""
    rng = np.random.default_rng(seed)
    rgb = np.full((600, 900, 3), 90, np.uint8)
    for _ in range(160):
        x, y, width, height = (int(v) for v in rng.integers(0, (850, 550, 130, 90)))
        colour = [int(c) for c in rng.integers(25, 200, 3)]
        cv2.rectangle(rgb, (x, y), (x + width + 8, y + height + 8), colour, -1)
    return rgb


def marks_of(rgb):
    (found,) = marks.measure(Picture(rgb=rgb))
    return marks.unpack(found.value)


def member(name, rgb, *, at, camera="One"):
    facts = {m.name: m for m in marks.measure(Picture(rgb=rgb))}
    capture = Capture(at=f"2026-05-02T14:{at // 60:02d}:{at % 60:02d}.000", camera=camera)
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=9, height=9, capture=capture)
    return Member(asset=asset, path=name, facts=facts)


@pytest.fixture(scope="module")
def made():
    return _scenes.scene(collage(3), np.random.default_rng(4))


@pytest.fixture(scope="module")
def members(made):
    return [member(f"{i}", framed.rgb, at=i) for i, framed in enumerate(made.frames)]


def test_step_between_two_framings_is_what_was_done(made):
    one, two = made.frames[:2]
    step, doubt = step_between(marks_of(one.rgb), marks_of(two.rgb))
    wanted = np.log2(two.gains / one.gains) + two.ev - one.ev
    np.testing.assert_allclose(step, wanted, atol=0.08)
    assert doubt < 0.1


def test_other_pictures_share_nothing(made):
    assert step_between(marks_of(made.frames[0].rgb), marks_of(collage(8))) is None


def test_pictures_without_corners_have_no_marks():
    assert len(marks_of(np.full((300, 400, 3), 90, np.uint8)).bits) == 0
    with pytest.raises(TypeError, match="marks are a text"):
        marks.unpack(7)


def test_survey_tells_every_frames_light(made, members):
    found = scene_light.survey(members).measures
    light = np.array([found[f"{i}"][0].value["light"] for i in range(len(made.frames))])
    wanted = np.array([np.log2(f.gains) + f.ev for f in made.frames])
    within = np.array([abs(f.ev) < 0.7 for f in made.frames])
    np.testing.assert_allclose(light[within], (wanted - np.median(wanted, 0))[within], atol=0.1)
    np.testing.assert_allclose(light, wanted - np.median(wanted, 0), atol=0.4)  # the frame that clips
    assert found["0"][1].value == pytest.approx(np.std([f.ev for f in made.frames]), abs=0.1)


def test_another_body_and_a_long_pause_are_not_compared(made):
    rgb = made.frames[0].rgb
    assert scene_light.survey([member("a", rgb, at=0), member("b", rgb, at=1, camera="Two")]).measures == {}
    assert scene_light.survey([member("a", rgb, at=0), member("b", rgb, at=900)]).measures == {}


def test_one_wrong_pair_moves_nothing():
    true = np.array([[0.0, 0, 0], [0.5, 0.4, 0.3], [-0.2, 0, 0.1], [0.1, 0.1, 0.1]])
    pairs = [
        Pair(one=i, two=j, step=true[j] - true[i], doubt=0.02) for i, j in ((0, 1), (1, 2), (2, 3), (0, 2), (1, 3))
    ]
    pairs.append(Pair(one=0, two=3, step=np.array([2.0, -1, 0]), doubt=0.02))
    ((rows, light, doubt),) = solved(pairs, 5)
    assert rows.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(light, true - np.median(true, 0), atol=0.05)
    assert (doubt < 0.05).all()


# ---------------------------------------------------------------- decisions


def told(light, *, name, mood=0.1, cast=0.1, gains=(1.0, 1.0, 1.0), **more):
    values = {
        "light.relative": {"set": "s", "light": list(light), "doubt": 0.02}, "exposure.ev": 0.1,
        "exposure.ev.spread": 0.4, "exposure.over": 0.1, "exposure.under": 0.1, "clip.headroom": 3.0, "clip.high": 0.0,
        "colour.cast": cast,
        "colour.gains": list(gains), "colour.mood": mood, "colour.confidence": 0.6, "colour.disagreement": 3.0,
    } | more  # fmt: skip
    facts = {key: Measure(name=key, value=value) for key, value in values.items()}
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=9, height=9)
    return Subject(asset=asset, path=name, facts=facts)


def frames(*lights, **more):
    return [told(light, name=f"{i}", **more) for i, light in enumerate(lights)]


EVEN = (0.0, 0.0, 0.0)


def test_levels_come_together_and_the_outlier_is_named():
    some = frames(EVEN, (0.1,) * 3, (-0.1,) * 3, EVEN, (-0.8,) * 3)
    found = exposure.propose(some, Wishes())
    assert [s.params.ev for s in found] == [0.0, -0.1, 0.1, 0.0, 0.8]
    assert found[4].because[0].text == "This frame is 0.8 EV darker than the other 4 of the scene."
    assert found[4].because[0].code == "exposure.outlier"
    spread = next(b for b in found[0].because if b.evidence == "scene.spread.ev")
    assert (spread.value > 0.3, "by 0.0" in spread.text) == (True, True)


def test_faulty_frames_are_no_reference():
    some = frames(EVEN, EVEN, (1.2,) * 3, (1.2,) * 3, (1.2,) * 3)
    bad = [told((1.2,) * 3, name=s.asset.id, **{"exposure.over": 0.9}) for s in some[2:]]
    assert [s.params.ev for s in exposure.propose([*some[:2], *bad], Wishes())] == [0, 0, -1.2, -1.2, -1.2]


def test_a_frame_too_clipped_to_be_linked_comes_to_its_levelled_neighbours():
    burst = Group(id="g", kind=GroupKind.BURST, members=("0", "1", "2"), by="test")
    shares = [0.1, 0.3, 0.5, 0.7, 0.9]

    def tones(level):
        return Measure(name="luma.quantiles", value=[[share, level - 5 + 4 * share] for share in shares])

    linked = [told((0.2,) * 3, name="0"), told((-0.2,) * 3, name="1")]
    subjects = [
        Subject(asset=s.asset, path=s.path, facts={**s.facts, "luma.quantiles": tones(level)}, groups=(burst,))
        for s, level in zip(linked, (0.2, -0.2), strict=True)
    ]
    facts = {k: v for k, v in linked[0].facts.items() if k != "light.relative"}
    over = Measure(name="exposure.over", value=0.9)
    clipped = Subject(
        asset=told(EVEN, name="2").asset, path="2", groups=(burst,),
        facts={**facts, "luma.quantiles": tones(0.9), "exposure.over": over},
    )  # fmt: skip
    found = exposure.propose([*subjects, clipped], Wishes())
    assert [s.params.ev for s in found] == [-0.2, 0.2, -0.9]


def test_white_balance_differences_are_taken_out():
    warm = (0.15, 0.0, -0.2)
    plain, off = white_balance.propose(frames(EVEN, warm), Wishes())
    assert plain.params == white_balance.WhiteBalanceParams()
    seen = 2 ** np.array(warm) * white_balance.gains_of(off.params)
    np.testing.assert_allclose(seen / seen.mean(), 1, atol=0.01)
    spread = next(b for b in off.because if b.evidence == "scene.spread.de00")
    assert (spread.value > 1, "by 0." in spread.text) == (True, True)


def test_a_frame_that_is_far_off_is_named():
    found = white_balance.propose(frames(EVEN, EVEN, EVEN, (0.25, 0.0, -0.25)), Wishes())
    text = next(b.text for b in found[3].because if b.code == "white_balance.even")
    assert (text.startswith("This frame is "), "warmer than the scene's other frames" in text) == (True, True)


def test_one_light_for_all_frames_of_a_set():
    cast = np.array((0.8, 1.0, 1.4))
    found = white_balance.propose(frames(EVEN, EVEN, (0.3, 0.3, 0.3), cast=0.97, gains=tuple(cast)), Wishes())
    assert len({s.params for s in found}) == 1
    assert found[0].params.mired > 20


def test_coloured_light_that_may_be_meant_is_left():
    found = white_balance.propose(frames(EVEN, (0.2, 0, 0), cast=0.7, mood=0.9, gains=(0.6, 1.0, 1.9)), Wishes())
    assert [s.params for s in found] == [None, None]


def test_a_frame_in_another_light_is_left():
    found = white_balance.propose(frames(EVEN, EVEN, EVEN, (0.8, 0.0, -0.9)), Wishes())
    assert (found[3].params, "another light" in found[3].cannot_tell) == (None, True)


def test_a_chart_in_one_frame_levels_all():
    chart = {"chart.ev": 0.5, "chart.ev.spread": 0.03, "chart.gains": [0.9, 1.0, 1.2]}
    some = [told(EVEN, name="a", **chart), told((0.3,) * 3, name="b")]
    assert [s.params.ev for s in exposure.propose(some, Wishes())] == [0.5, 0.2]
    one, two = white_balance.propose(some, Wishes())
    assert one.params == two.params
    assert one.because[0].code == "white_balance.chart"


def test_relative_is_read_back():
    own = relative(told((0.2, 0.2, 0.2), name="a"))
    assert own.level == pytest.approx(0.2)
    np.testing.assert_allclose(own.tint, 1)
    assert relative(Subject(asset=told(EVEN, name="b").asset, path="b", facts={})) is None


# ---------------------------------------------------------------- settings


def shot(name, ev, *, seconds, camera="One"):
    facts = {
        n: Measure(name=n, value=v)
        for n, v in {"exposure.ev": ev, "exposure.ev.spread": 0.4, "clip.headroom": 4.0, "luma.median": 0.1}.items()
    }
    capture = Capture(seconds=seconds, f_number=4.0, iso=100, camera=camera)
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=9, height=9, capture=capture)
    return Subject(asset=asset, path=name, facts=facts)


def test_settings_of_a_scene_weigh_in():
    some = [shot(f"{i}", 0.0, seconds=0.01) for i in range(5)]
    odd = shot("odd", 0.5, seconds=0.01)  # the same settings in the same light: it is the estimate that errs
    dark = shot("dark", 0.7, seconds=0.005)  # one stop less let in
    found = {s.member: s for s in exposure.propose([*some, odd, dark], Wishes())}
    assert found["odd"].params.ev == 0
    assert found["dark"].params.ev > 0.7
    assert found["dark"].because[1].code == "exposure.settings"


def test_settings_say_nothing_where_estimates_do_not_agree():
    some = [shot(f"{i}", ev, seconds=0.01) for i, ev in enumerate((2.0, -2.0, 1.5, -1.5, 0.9))]
    found = exposure.propose(some, Wishes())
    assert found[4].params.ev == 0.9
    assert all(b.code != "exposure.settings" for b in found[4].because)


def test_settings_of_few_frames_or_another_body_say_nothing():
    some = [shot(f"{i}", 0.0, seconds=0.01) for i in range(4)]
    other = shot("other", 0.9, seconds=0.01, camera="Two")
    assert exposure.propose([*some, other], Wishes())[4].params.ev == 0.9
