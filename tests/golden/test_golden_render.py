"""Pictures that renders gave when they were last looked at; they may move by one level, no more.

A failing test leaves the picture it got beside a copy of the golden one. After a wanted change, run this file as a
script: it writes the pictures anew, and the change of a picture is looked at in review.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest

from safelight import specimens
from safelight.fuse import fuse
from safelight.media.colour import linear_of_srgb, srgb8
from safelight.media.frame import Frame
from safelight.operators import black_and_white, crop, denoise, painted_light, red_eye, straighten, template, tone
from safelight.render import Step, through

HERE = Path(__file__).resolve().parent
TOOLS = specimens.suite_tools()


def step(operator, params):
    return Step(operator=operator, params=params)


CONTRAST = step(template.operator, template.TemplateParams(strength=0.6))
CROP = step(crop.operator, crop.CropParams(box=(0.1, 0.05, 0.9, 0.95), angle=6.0))
STRAIGHTEN = step(straighten.operator, straighten.StraightenParams(angle=-4.0, vertical=0.3, amount=0.8))
LIGHT = step(painted_light.operator, painted_light.PaintedLightParams(ev=1.5, mask="ab" * 32))
TONE = step(tone.operator, tone.ToneParams(highlights=-40.0, shadows=35.0, blacks=-25.0, contrast=20.0))
GREY = step(black_and_white.operator, black_and_white.BlackAndWhiteParams(amount=100.0, red=40.0, blue=-30.0))
PUPILS = (red_eye.Pupil(x=105.0, y=125.0, radius=16.0), red_eye.Pupil(x=25.0, y=120.0, radius=20.0))
RED_EYE = step(red_eye.operator, red_eye.RedEyeParams(pupils=PUPILS))
DENOISE = step(denoise.operator, denoise.operator.examples[0])
RUNS = {
    "template": [CONTRAST],
    "crop": [CROP],
    "denoise": [DENOISE],
    "painted_light": [LIGHT],
    "straighten": [STRAIGHTEN],
    "framed": [STRAIGHTEN, CROP],
    "all_three": [CONTRAST, LIGHT, CROP],
    "tone": [TONE],
    "black_and_white": [GREY],
    "red_eye": [RED_EYE],
}


def scene():
    """The made scene, large enough that a person sees something."""
    return cv2.resize(specimens.scene(), (192, 144), interpolation=cv2.INTER_CUBIC)


def rendered(steps):
    return srgb8(through(Frame(pixels=linear_of_srgb(scene())), steps, TOOLS).pixels)


def near(got, name, folder):
    golden = cv2.imread(str(HERE / f"{name}.png"))[..., ::-1]
    apart = np.abs(got.astype(int) - golden) if got.shape == golden.shape else np.array([255])
    if apart.max() > 1:
        cv2.imwrite(str(folder / f"{name}.got.png"), got[..., ::-1])
        cv2.imwrite(str(folder / f"{name}.golden.png"), golden[..., ::-1])
    return apart.max()


@pytest.mark.parametrize("name", RUNS)
def test_render_is_as_it_was(name, tmp_path):
    assert near(rendered(RUNS[name]), name, tmp_path) <= 1, f"look at {tmp_path}"


def test_fused_render_is_as_it_was(tmp_path):
    assert near(fuse([CONTRAST], TOOLS)(scene()), "template", tmp_path) <= 1, f"look at {tmp_path}"


def test_golden_pictures_tell_a_change(tmp_path):
    other = step(template.operator, template.TemplateParams(strength=0.8))
    assert near(rendered([other]), "template", tmp_path) > 1
    assert {path.name for path in tmp_path.iterdir()} == {"template.got.png", "template.golden.png"}


if __name__ == "__main__":
    for run, todo in RUNS.items():
        cv2.imwrite(str(HERE / f"{run}.png"), rendered(todo)[..., ::-1])
