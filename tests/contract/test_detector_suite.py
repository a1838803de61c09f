"""One suite over every registered detector and the template, and its negative control."""

from dataclasses import replace

import numpy as np
import pytest

from safelight import contract_detectors, plugins
from safelight.contract import ContractError
from safelight.detectors import Finding
from safelight.detectors import template as good

DETECTORS = [good.detector, *plugins.detectors().values()]
NAMES = {
    "halo", "oversmoothing", "warp", "bent_lines", "seam", "fringe", "holes", "clipping", "hue_twist", "banding",
    "ghosting", "jpeg", "fill_repeat", "fill_blur", "identity", "skin_lightening",
}  # fmt: skip


@pytest.mark.parametrize("check", contract_detectors.DETECTOR_CHECKS.values(), ids=contract_detectors.DETECTOR_CHECKS)
@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_detector_keeps_its_promise(detector, check):
    check(detector)


def test_every_finding_has_one_detector():
    found = [name for detector in plugins.detectors().values() for name in detector.finds]
    assert len(found) == len(set(found))
    assert set(found) >= NAMES


def spoilt(promise, **changes):
    with pytest.raises(ContractError) as caught:
        contract_detectors.DETECTOR_CHECKS[promise](replace(good.detector, **changes))
    return str(caught.value)


def scoring(score, **more):
    return lambda pair: [Finding(name="blank_border", score=score(pair), probability=0.1, text="So it is.", **more)]


def test_suite_notices_broken_promises():
    drawn = np.random.default_rng(1)
    assert "no lower-case word" in spoilt("detector_declares_itself", name="Blank Border")
    assert "sentence" in spoilt("detector_declares_itself", about="Sides")
    assert "gave no answer" in spoilt("detector_answers", detect=lambda pair: [])
    assert "ZeroDivisionError" in spoilt("detector_answers", detect=lambda pair: 1 / 0)
    assert "nan" in spoilt("detector_answers", detect=scoring(lambda pair: float("nan")))
    assert "outside" in spoilt("detector_answers", detect=scoring(lambda pair: 1.0, where=(0, 0, 9999, 1)))
    assert "second time" in spoilt("detector_repeats_itself", detect=scoring(lambda pair: float(drawn.random())))
    told = spoilt("detector_knows_what_it_cannot_tell", detect=scoring(lambda pair: float(pair.before.std())))
    assert "nothing in common" in told
    sure = [Finding(name="blank_border", score=1.0, probability=0.9, text="So it is.")]
    assert "untouched" in spoilt("legal_edits_pass", detect=lambda pair: sure)
