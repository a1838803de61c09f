"""Another program opens what we write, and shows the frames that were meant."""

import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest

from safelight import interchange
from safelight.interchange.programme import Clip, Gap, Programme, Track
from safelight.media import video
from tests.made_clips import make_clip


@pytest.mark.skipif(shutil.which("melt") is None, reason="melt is not installed")
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001)])
def test_melt_shows_the_frames_that_were_meant(tmp_path, rate):
    path = make_clip(tmp_path / "a b.mkv", frames=30, rate=rate, codec="ffv1", step=74, size=(192, 108))
    media = {"media": path.as_uri(), "media_start": 500, "media_length": 30}
    clips = (
        Clip(name="one", source=505, length=6, **media),
        Gap(length=3),
        Clip(name="two", source=520, length=5, **media),
    )
    meant = [*range(5, 11), None, None, None, *range(20, 25)]
    programme = Programme(name="cut", rate=rate, tracks=(Track(kind="video", items=clips),))
    interchange.write(tmp_path / "cut.mlt", programme)
    all_of_it, shown = levels(tmp_path, path), levels(tmp_path, tmp_path / "cut.mlt")
    assert len(all_of_it) == 30
    assert np.abs(np.diff(all_of_it)).min() > 40, "each frame can be told from the next"
    assert shown == pytest.approx([0 if n is None else all_of_it[n] for n in meant], abs=6)


def levels(folder, path):
    """How bright each frame is that melt renders."""
    subprocess.run(
        ["melt", "-silent", str(path), "-consumer", f"avformat:{folder / 'out.mkv'}", "vcodec=ffv1", "an=1",
         "real_time=-1"],
        check=True, capture_output=True, timeout=120, env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    stills = video.frames(folder / "out.mkv")
    return [float(s.rgb[s.rgb.shape[0] // 2 :, s.rgb.shape[1] // 2 :].mean()) for s in stills]
