import numpy as np
import pytest

from safelight.errors import Truncated
from safelight.media import raw
from safelight.media.colour import SRGB_FROM_REC2020
from safelight.media.formats import sniff
from tests.made_files import make_dng, scene


def near(one, two):
    return float(np.abs(one - two)[4:-4, 4:-4].mean())


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_preview_and_development_stand_upright(tmp_path, orientation):
    path = make_dng(tmp_path / "a.dng", orientation=orientation)
    preview, frame = raw.preview(path), raw.develop(path)
    assert preview.shape == frame.pixels.shape == (160, 240, 3)
    assert preview[10, 5].mean() < 40
    assert preview[10, 110].mean() > 150
    light = frame.pixels @ SRGB_FROM_REC2020.T
    assert near(light, scene()) < 0.01


def test_half_size_is_the_same_light(tmp_path):
    path = make_dng(tmp_path / "a.dng", orientation=6)
    half = raw.develop(path, half=True).pixels @ SRGB_FROM_REC2020.T
    assert half.shape == (80, 120, 3)
    assert near(half, scene().reshape(80, 2, 120, 2, 3).mean((1, 3))) < 0.01


def test_light_above_display_white_is_kept(tmp_path):
    one = raw.develop(make_dng(tmp_path / "a.dng", baseline=0.0)).pixels
    two = raw.develop(make_dng(tmp_path / "b.dng", baseline=1.5)).pixels
    assert near(one, two) < 0.01  # the file's own baseline exposure is honoured
    assert one.max() < 1.001


def test_default_crop_is_what_the_camera_shows(tmp_path):
    path = make_dng(tmp_path / "a.dng", crop=10)
    whole = raw.develop(make_dng(tmp_path / "b.dng")).pixels
    assert raw.develop(path).pixels.shape == raw.preview(path).shape == (140, 220, 3)
    assert np.array_equal(raw.develop(path).pixels, whole[10:-10, 10:-10])
    assert raw.develop(path, half=True).pixels.shape == (70, 110, 3)


def test_brightness_does_not_follow_the_brightest_pixel(tmp_path):
    frame = raw.develop(make_dng(tmp_path / "a.dng"))
    assert np.quantile(frame.pixels, 0.999) < 0.95  # the scene's brightest patch is 0.9, not stretched to 1


def test_raw_without_preview(tmp_path):
    path = make_dng(tmp_path / "a.dng", preview=False)
    assert raw.preview(path) is None
    assert raw.develop(path).pixels.shape == (160, 240, 3)


def test_truncated_raw_is_refused_with_sizes(tmp_path):
    path = make_dng(tmp_path / "a.dng")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for ask in (raw.preview, raw.develop):
        with pytest.raises(Truncated, match=r"ends early \(.* of .*\)\. Copy it"):
            ask(path)


def test_header_only_raws_are_refused(shared):
    for name in ("DNG.dng", "Panasonic.rw2", "FujiFilm.raf", "CanonRaw.cr3"):
        path = shared / "metadata/makernotes" / name
        assert raw.is_raw(path)
        with pytest.raises(Truncated):
            raw.develop(path)


def test_real_raws_develop(shared):
    frame = raw.develop(shared / "raw/bmpcc4k_lake.dng", half=True)
    assert frame.pixels.shape == (1080, 2048, 3)
    assert frame.pixels.max() > 2  # 2.65 stops of headroom are written in the file
    grass = np.median(frame.pixels[860:1000, 300:900], (0, 1))
    assert grass[1] > grass[0] > grass[2]


def test_is_raw_goes_by_the_bytes(tmp_path):
    make_dng(tmp_path / "a.tif")
    assert raw.is_raw(tmp_path / "a.tif")
    (tmp_path / "b.dng").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    assert not raw.is_raw(tmp_path / "b.dng")


@pytest.mark.parametrize(
    ("head", "suffix", "format_"),
    [
        (b"\xff\xd8\xff\xe1", ".nef", "jpeg"),
        (b"II*\0\x10\0\0\0CR\2\0", ".cr2", "cr2"),
        (b"MM\0*" + bytes(20), ".NEF", "nef"),
        (b"II*\0" + bytes(20), ".tif", "tiff"),
        (b"\0\0\0\x18ftypcrx ", ".cr3", "cr3"),
        (b"\0\0\0\x18ftypheic", ".heic", "heic"),
        (b"\0\0\0\x18ftypmp42", ".mp4", None),
        (b"FUJIFILMCCD-RAW 0201", ".raf", "raf"),
        (b"hello", ".jpg", None),
    ],
)
def test_sniffing(head, suffix, format_):
    assert sniff(head, suffix) == format_
