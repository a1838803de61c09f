import json
import math

import numpy as np
import pytest

from bench import _heldout, _quality_more, quality
from bench._measured import Job, Measured, Row, measure_one
from bench._peers import simple
from bench.harness import Data, MissingData, auc
from safelight.domain import Measure


def row(
    kind, strength, *, source="a.png", score=None, faulty=True, tellable="yes", own="", evidence="noise", peers=None
):
    facts = {evidence: Measure(name=evidence, value=score, cannot_tell="no lines" if score is None else None)}
    truth = {
        "file": f"{source}/{kind}_{strength}.jpg", "source": source, "kind": kind, "strength": str(strength),
        "faulty": "yes" if faulty else "no", "tellable": tellable, "own_fault": own,
        "parameters": json.dumps({"sigma_mid_8bit": 4.0, "deg": 2.0}),
    }  # fmt: skip
    return Row(truth=truth, measured=Measured(facts=facts, peers=peers or {}))


def noise_fault():
    return next(f for f in quality.FAULTS if f.name == "noise")


def results(rows):
    return {r.name: r for r in quality.fault_results(noise_fault(), rows)}


def test_an_abstention_ties_with_everything():
    nan = math.nan
    assert auc([nan, nan], [0.1, 0.9]) == 0.5
    assert auc([1.0, nan], [0.0]) == 0.75
    assert auc([1.0], [0.0, nan]) == 0.75
    assert auc([0.2, 0.2], [0.2]) == 0.5


def test_abstentions_lower_auc_coverage_and_recall():
    rows = [row("noise", 3, score=0.9), row("noise", 4, score=None, source="b.png")]
    rows += [row("clean", 0, score=0.1, faulty=False, source=s) for s in ("a.png", "b.png")]
    found = results(rows)
    assert found["noise.auc"].value == 0.75
    assert found["noise.coverage"].value == 0.5
    assert found["noise.coverage"].held is False
    assert found["noise.recall"].value == 0.5
    assert found["noise.false"].value == 0.0


def test_what_cannot_be_told_counts_in_auc_but_not_in_coverage():
    rows = [row("noise", 3, score=0.9), row("noise", 3, score=None, tellable="no")]
    found = results([*rows, row("clean", 0, score=0.1, faulty=False)])
    assert found["noise.auc"].value == 0.75
    assert found["noise.coverage"].value == 1.0


def test_weak_faults_are_reported_without_a_bar():
    found = results([row("noise", 1, score=0.2), row("noise", 3, score=0.9), row("clean", 0, score=0.1, faulty=False)])
    assert found["noise.s1.auc"].bar is None
    assert found["noise.auc"].n == 1


def test_a_base_with_the_fault_itself_is_left_out():
    rows = [
        row("tilt", 3, score=0.0, evidence="tilt", own="tilt"),
        row("tilt", 3, score=0.9, evidence="tilt", source="b.png"),
        row("clean", 0, score=0.8, evidence="tilt", faulty=False, own="tilt"),
        row("clean", 0, score=0.1, evidence="tilt", faulty=False, source="b.png"),
    ]
    tilt = next(f for f in quality.FAULTS if f.name == "tilt")
    found = {r.name: r for r in quality.fault_results(tilt, rows)}
    assert found["tilt.auc"].value == 1.0
    assert found["tilt.auc"].n == 1


def test_a_measure_that_nothing_emits_is_not_measured():
    found = results(
        [row("noise", 3, evidence="other", score=1), row("clean", 0, evidence="other", score=0, faulty=False)]
    )
    assert found["noise.auc"].value is None
    assert "noise.coverage" not in found


def test_peers_stand_beside_with_their_sign():
    peers = {"immerkaer": 9.0, "variance_of_laplacian": 1.0}
    good = {"immerkaer": 1.0, "variance_of_laplacian": 5.0}
    found = results([row("noise", 3, score=0.9, peers=peers), row("clean", 0, score=0.1, faulty=False, peers=good)])
    assert found["noise.auc"].beside == {"immerkaer": 1.0, "variance_of_laplacian": 0.0}


def test_motion_is_held_against_defocus_alone():
    fault = next(f for f in quality.FAULTS if f.name == "blur.motion_vs_defocus")
    rows = [row("blur_motion", 3, score=0.9, evidence="blur.motion")]
    rows += [row("blur_defocus", 3, score=0.2, evidence="blur.motion")]
    rows += [row("clean", 0, score=1.0, evidence="blur.motion", faulty=False)]
    assert next(iter(quality.fault_results(fault, rows))).value == 1.0


def test_wrong_rejects_count_hard_negatives():
    rows = [row("low_key", 0, score=0.95, faulty=False, evidence="exposure.under")]
    rows += [row("film_grain", 0, score=0.1, faulty=False, evidence="blur")]
    rows += [row("clean", 0, score=0.1, faulty=False, evidence="blur")]
    hard, everything = _quality_more.reject_results(rows)
    assert hard.value == 0.5
    assert everything.value == pytest.approx(1 / 3)
    assert hard.held is False


def test_sigma_and_degrees_are_compared_with_the_truth():
    rows = [row("noise", 3, score=5.0, evidence="noise.sigma"), row("tilt", 3, score=1.5, evidence="tilt.degrees")]
    rows += [row("clean", 0, score=-0.5, evidence="tilt.degrees", faulty=False)]
    found = {r.name: r.value for r in _quality_more.noise_and_tilt_results(rows)}
    assert found["noise.sigma.error"] == pytest.approx(0.25)
    assert found["tilt.degrees.error"] == pytest.approx(0.5)
    assert found["tilt.turn.error"] == pytest.approx(0.0)


def test_without_the_recipe_it_is_named(tmp_path):
    with pytest.raises(MissingData, match="quality"):
        list(quality.run(Data(roots=(tmp_path,), work=tmp_path)))


def test_a_photo_gets_the_model_that_never_saw_it(tmp_path, monkeypatch):
    monkeypatch.setattr(_heldout, "FOLDS", tmp_path)
    monkeypatch.setattr(_heldout, "SHIPPED", tmp_path)
    rows = [("a.png", 1.0), ("a.png", 3.0), ("b.png", 5.0)]
    _heldout.fit_and_write(
        "test_mean", rows, lambda r: r[0], lambda some: {"mean": sum(v for _, v in some) / len(some)}
    )
    assert json.loads((tmp_path / "test_mean.json").read_text()) == {"mean": 3.0}
    assert _heldout.model_of("test_mean", "a.png") == {"mean": 5.0}
    assert _heldout.model_of("test_mean", "b.png") == {"mean": 2.0}
    assert _heldout.model_of("test_mean", "c.png") is None
    assert _heldout.model_of("test_no_such", "a.png") is None


def test_peers_answer_as_their_names_say():
    ground = np.full((64, 64, 3), 120, np.uint8)
    rough = ground + np.random.default_rng(1).integers(0, 20, (64, 64, 1), dtype=np.uint8)
    quiet, noisy = simple(ground), simple(rough)
    assert quiet["variance_of_laplacian"] == quiet["immerkaer"] == quiet["log_mean_cast"] == 0
    assert noisy["immerkaer"] == pytest.approx(20 / math.sqrt(12), rel=0.15)
    assert noisy["mean_luma"] > quiet["mean_luma"]
    assert simple(ground * np.uint8((2, 1, 1)))["log_mean_cast"] == pytest.approx(math.log(2) * math.sqrt(1), rel=0.01)


def test_one_file_goes_through_the_noise_probe(tmp_path):
    from PIL import Image

    path = tmp_path / "p.png"
    Image.fromarray(np.random.default_rng(2).integers(90, 160, (256, 320, 3), dtype=np.uint8)).save(path)
    measured = measure_one(Job(path=path, source="kodak/kodim01.png"))
    assert measured.score("noise") > 0.9
    assert math.isnan(measured.score("no such measure"))
