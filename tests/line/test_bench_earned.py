"""A small form of the sixty shoots: the made reviewer and the product talk through files and the queue."""

from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np

from bench import _earned_shoots, _heldout_probes, earned
from bench._earned_shoots import Pool
from bench._heldout_probes import held_out
from safelight import plugins
from safelight.media.picture import Picture
from tests.conftest import START, save_jpeg, textured


def made_pools(folder):
    pools = []
    for i in range(4):
        sharp = textured(i, width=320, height=216)
        soft = cv2.GaussianBlur(sharp, (0, 0), 4)
        pool = Pool(code=f"{i:03d}", source=f"made-{i}", good=[folder / f"{i}.jpg"], faulty=[folder / f"{i}soft.jpg"])
        save_jpeg(pool.good[0], sharp)
        save_jpeg(pool.faulty[0], soft)
        pools.append(pool)
    return pools


def test_a_shoot_is_passed_answered_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(_earned_shoots, "BURSTS", 3)
    folder = tmp_path / "pictures"
    folder.mkdir()
    story = earned.begin(tmp_path / "calm")
    with held_out(lambda path: path.stem):
        earned.go_on(story, made_pools(folder), 1)
        other = story.copy(tmp_path / "other")
        other.broken = True
        earned.go_on(other, made_pools(folder), 2)
    (shoot,) = story.shoots
    assert shoot.offered > 0
    assert (shoot.alone, shoot.let_through, shoot.state) == (0, 0, "apprentice"), "nothing was earned yet"
    assert story.cell["drawn"] > 0
    assert [s.number for s in other.shoots] == [1, 2]
    assert "sent the lens away" in other.shoots[-1].events[-1]
    assert not list(tmp_path.glob("*/shoot-*")), "folders are not kept"


def test_held_out_probes_judge_by_the_fold_that_never_saw_the_photo(monkeypatch):
    asked = []
    monkeypatch.setattr(_heldout_probes, "model_of", lambda name, source: asked.append((name, source)))
    picture = Picture(rgb=textured(1), source=Path("made-7.jpg"))
    with held_out(lambda path: path.stem):
        (probe,) = plugins.ordered_probes(("noise",))
        assert probe.measure(picture)
    assert asked == [("noise", "made-7")]
    assert plugins.probes()["noise"].measure is not probe.measure


def test_what_is_bad_about_a_decision(library, tmp_path):
    folder = tmp_path / "shoot"
    folder.mkdir()
    for i, name in enumerate(("a", "b", "c", "d")):
        save_jpeg(
            folder / f"{name}.jpg", textured(i // 2), taken=START + timedelta(minutes=i // 2, milliseconds=300 * i)
        )
    library.run(folder, options=earned.PASS)
    state = library.state(folder)
    photos = state.by_path
    assert photos["a.jpg"].group is photos["b.jpg"].group is not None
    assert photos["a.jpg"].group is not photos["c.jpg"].group
    truths = {f"{name}.jpg": earned.Truth(good=name != "c") for name in "abcd"}
    for name, decision in (("a", "keep"), ("b", "reject"), ("c", "keep"), ("d", "reject")):
        library.verdict(folder, [f"{name}.jpg"], operator="cull", say="modify", params={"decision": decision}, by="ann")
    state = library.state(folder)
    bad = {name: earned.is_wrong(photo, photo.decision, state, truths) for name, photo in state.by_path.items()}
    assert bad == {"a.jpg": False, "b.jpg": False, "c.jpg": True, "d.jpg": True}, "of b's stack a fit frame stays"


def test_a_broken_lens_blurs_one_side():
    rgb = textured(3, width=400, height=200)
    soft = _earned_shoots.decentred(rgb)
    left, right = (np.abs(soft[:, part].astype(int) - rgb[:, part]).mean() for part in (slice(0, 120), slice(300, 400)))
    assert left < 0.5 < right
