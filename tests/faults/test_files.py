"""Files that end early, hold something else, cannot be opened or vanish: never passed off as whole pictures."""

import os
import shutil

import numpy as np
import pytest
import pyvips
from PIL import Image

from safelight.errors import MediaError, NotMedia, Truncated, Unreadable
from safelight.media import image, raw, write
from safelight.media.capture import header
from safelight.media.digest import digests
from tests.made_files import exif_block, make_dng, photo

KINDS = ("plain.jpg", "progressive.jpg", "cmyk.jpg", "plain.png", "plain.tif", "deflate.tif", "jpeg.tif", "raw.dng")


@pytest.fixture(params=KINDS)
def whole(request, tmp_path):
    path = tmp_path / request.param
    rgb = np.repeat(np.repeat(photo(), 3, 0), 3, 1)
    if path.name == "plain.jpg":
        path.write_bytes(write.jpeg(rgb, exif=exif_block()))
    elif path.name == "progressive.jpg":
        Image.fromarray(rgb).save(path, progressive=True, quality=90)
    elif path.name == "cmyk.jpg":
        Image.fromarray(rgb).convert("CMYK").save(path)
    elif path.name == "plain.png":
        Image.fromarray(rgb).save(path)
    elif path.name == "plain.tif":
        path.write_bytes(write.tiff16(rgb.astype(np.uint16) * 257))
    elif path.name == "raw.dng":
        make_dng(path)
    else:
        pyvips.Image.new_from_array(rgb).tiffsave(str(path), compression=path.stem)
    return path


def look(path):
    return raw.develop(path).pixels if raw.is_raw(path) else image.read(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_cut_file_is_never_whole(whole, share):
    assert look(whole).size > 0
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaError) as caught:
        look(whole)
    assert caught.type in (Truncated, NotMedia)
    assert caught.value.remedy
    if share >= 0.3:
        assert caught.type is Truncated
        assert "Copy it from the card again." in str(caught.value)
    assert digests(whole)[1] is None or whole.suffix == ".tif"


def test_one_missing_byte_is_noticed(whole):
    data = whole.read_bytes()
    last = data.rstrip(b"\0")
    whole.write_bytes(last[:-2] if whole.suffix != ".dng" else data[:-1])
    with pytest.raises(Truncated):
        look(whole)


def test_an_end_of_zeros_is_noticed(tmp_path):
    path = tmp_path / "a.jpg"
    data = write.jpeg(photo())
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))
    with pytest.raises(Truncated):
        image.read(path)


def test_a_cut_picture_with_an_end_marker_is_noticed(tmp_path):
    path = tmp_path / "a.jpg"
    data = write.jpeg(photo())
    path.write_bytes(data[: len(data) * 2 // 3] + b"\xff\xd9")
    with pytest.raises(Truncated):
        image.read(path)


def test_an_unreadable_file_says_so(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(write.jpeg(photo()))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    for ask in (image.read, header, digests, raw.is_raw):
        with pytest.raises(Unreadable, match="permissions"):
            ask(path)


def test_a_folder_called_jpg_says_so(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    for ask in (image.read, header, digests, raw.is_raw):
        with pytest.raises(Unreadable):
            ask(tmp_path / "a.jpg")


def test_real_photos_cut_anywhere(shared, tmp_path):
    for name in ("photos/canyon.jpg", "metadata/formats/ultra_hdr_subway.jpg", "raw/bmpcc4k_lake.dng"):
        path = tmp_path / name.rsplit("/", maxsplit=1)[-1]
        shutil.copyfile(shared / name, path)
        data = path.read_bytes()
        for share in (0.01, 0.5, 0.8):
            path.write_bytes(data[: int(len(data) * share)])
            with pytest.raises(Truncated):
                look(path)
