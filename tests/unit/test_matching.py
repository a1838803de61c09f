import json

import cv2
import numpy as np
import PyOpenColorIO as ocio  # noqa: N813
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight import matching
from safelight.cli import cli
from safelight.matching import CDL, Look
from safelight.matching.cdl import fit
from tests.made_clips import make_clip

SHIFT = CDL(slope=(1.1, 0.95, 0.88), offset=(0.01, -0.01, 0.0), power=(1.08, 0.96, 1.0), saturation=0.85)


def place(seed=1, size=(640, 360)):
    """A wall of patches of many colours and sizes."""
    rng = np.random.default_rng(seed)
    picture = np.full((size[1], size[0], 3), 128, np.uint8)
    for _ in range(220):
        x, y = rng.integers(0, size[0] - 20), rng.integers(0, size[1] - 20)
        w, h = rng.integers(15, 70, 2)
        colour = rng.integers(25, 215, 3)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), [int(c) for c in colour], -1)
    return cv2.GaussianBlur(picture, (0, 0), 0.8)


def look(picture, name="shot"):
    return Look(name=name, stills=(picture,))


def graded(picture, grade):
    return np.round(grade(picture / 255.0) * 255).astype(np.uint8)


def closer(picture, scale=1.2):
    height, width = picture.shape[:2]
    matrix = np.array([[scale, 0, -0.1 * width], [0, scale, -0.08 * height]])
    return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR)


def test_a_shot_in_another_framing_comes_back():
    wall = place()
    found = matching.match(look(wall), look(graded(closer(wall), SHIFT)))
    assert found.before > 4
    assert found.after < 1
    back = graded(graded(closer(wall), SHIFT), found.grade.cdl)
    assert np.abs(back.astype(int) - closer(wall)).mean() < 3


def test_shots_alike_are_left_alone_and_places_that_differ_are_said():
    wall = place()
    alike = matching.match(look(wall), look(closer(wall)))
    assert alike.alike
    assert alike.grade is None
    other = matching.match(look(wall), look(place(seed=9)))
    assert other.grade is None
    assert "too little in common" in other.cannot_tell
    black = matching.match(look(wall), look(np.zeros_like(wall)))
    assert black.grade is None


def test_somebody_who_moved_does_not_pull_the_grade():
    wall, other = place(), closer(place())
    other[60:260, 200:330] = (200, 40, 30)
    found = matching.match(look(wall), look(graded(other, SHIFT)))
    back = graded(graded(closer(wall), SHIFT), found.grade.cdl)
    assert np.abs(back.astype(int) - closer(wall)).mean() < 3


@settings(max_examples=20)
@given(
    slope=st.tuples(*[st.floats(0.8, 1.25)] * 3), power=st.tuples(*[st.floats(0.85, 1.2)] * 3),
    saturation=st.floats(0.7, 1.3),
)  # fmt: skip
def test_numbers_that_were_put_on_are_taken_off(slope, power, saturation):
    colours = np.random.default_rng(3).uniform(0.1, 0.7, (600, 3))
    shifted = CDL(slope=slope, power=power, saturation=saturation)(colours)
    inside = (shifted < 0.97).all(1)
    found = fit(shifted, colours, np.ones(len(colours)), reverse=True)
    assert np.abs(found(shifted) - colours)[inside].mean() < 0.004


def test_another_program_reads_both_files(tmp_path):
    matching.write_cdl(tmp_path / "a.cdl", SHIFT, name="a & b")
    matching.write_cube(tmp_path / "a.cube", SHIFT, name='a "b"')
    colours = np.random.default_rng(0).uniform(0.05, 0.95, (200, 3)).astype(np.float32)
    read = ocio.CDLTransform.CreateFromFile(str(tmp_path / "a.cdl"), "a & b")
    assert np.allclose(read.getSlope(), SHIFT.slope, atol=1e-6)
    assert read.getSat() == pytest.approx(SHIFT.saturation)
    config = ocio.Config.CreateRaw()
    table = config.getProcessor(ocio.FileTransform(str(tmp_path / "a.cube"), interpolation=ocio.INTERP_TETRAHEDRAL))
    through = colours.copy()
    table.getDefaultCPUProcessor().applyRGB(through)
    assert np.abs(through - SHIFT(colours)).max() < 0.02
    with pytest.raises(ValueError, match="saturation last"):
        matching.write_cdl(tmp_path / "b.cdl", CDL(reverse=True), name="b")


def test_the_command_says_what_it_could_not_match(tmp_path):
    one, two = make_clip(tmp_path / "one.mp4"), make_clip(tmp_path / "two.mp4", step=2)
    done = CliRunner().invoke(cli, ["match", str(one), str(two), "--to", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.output)["others"][0]["cannot_tell"]
    assert not (tmp_path / "out").exists()
