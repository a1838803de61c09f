import hashlib
import shutil
import struct
import subprocess

import numpy as np
import pytest
from PIL import Image

from safelight.errors import Unreadable
from safelight.media import write
from safelight.media.digest import digests
from tests.made_files import exif_block, make_dng, photo

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rating/></x:xmpmeta>"


def test_a_rating_in_a_jpeg_keeps_the_second_digest(tmp_path):
    plain, rated, other = (tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg"))
    plain.write_bytes(write.jpeg(photo(), exif=exif_block()))
    rated.write_bytes(write.jpeg(photo(), exif=exif_block(orientation=1), xmp=XMP))
    other.write_bytes(write.jpeg(photo()[::-1], exif=exif_block()))
    a, b, c = digests(plain), digests(rated), digests(other)
    assert a[0] == hashlib.sha256(plain.read_bytes()).hexdigest() != b[0]
    assert a[1] == b[1] != c[1]
    assert a[2] == plain.stat().st_size


def test_text_in_a_png_keeps_the_second_digest(tmp_path):
    path, rated = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(photo()).save(path)
    data = path.read_bytes()
    chunk = struct.pack(">I", 10) + b"tEXtrating\x005  " + b"\0\0\0\0"
    rated.write_bytes(data[:33] + chunk[: 4 + 4 + 10 + 4] + data[33:])
    assert digests(path)[0] != digests(rated)[0]
    assert digests(path)[1] == digests(rated)[1]


@pytest.mark.parametrize("kind", ["a.jpg", "a.dng", "a.tif", "a.png"])
def test_exiftool_may_rate_without_changing_the_second_digest(tmp_path, kind):
    tool = shutil.which("exiftool")
    if tool is None:
        pytest.skip("exiftool is not installed")
    path = tmp_path / kind
    if kind == "a.dng":
        make_dng(path)
    elif kind == "a.tif":
        path.write_bytes(write.tiff16(photo().astype(np.uint16) * 257))
    elif kind == "a.png":
        Image.fromarray(photo()).save(path)
    else:
        path.write_bytes(write.jpeg(photo(), exif=exif_block()))
    before = digests(path)
    subprocess.run([tool, "-q", "-overwrite_original", "-XMP:Rating=4", "-Artist=Me", path], check=True)
    after = digests(path)
    assert before[0] != after[0]
    assert before[1] == after[1] is not None


def test_cut_files_have_no_second_digest(tmp_path):
    for name in ("a.jpg", "a.png", "a.dng"):
        path = tmp_path / name
        if name == "a.dng":
            make_dng(path)
        elif name == "a.png":
            Image.fromarray(photo()).save(path)
        else:
            path.write_bytes(write.jpeg(photo()))
        assert digests(path)[1] is not None
        path.write_bytes(path.read_bytes()[:-30])
        assert digests(path)[1] is None


def test_other_files_are_hashed_as_they_are(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"x" * 3_000_000)
    assert digests(path) == (hashlib.sha256(b"x" * 3_000_000).hexdigest(), None, 3_000_000)
    path.write_bytes(b"")
    assert digests(path) == (hashlib.sha256(b"").hexdigest(), None, 0)
    with pytest.raises(Unreadable):
        digests(tmp_path / "gone.jpg")


def test_raws_of_other_makers_have_picture_data(shared):
    found = {path.suffix: digests(path) for path in (shared / "metadata/makernotes").iterdir()}
    assert all(len(whole) == 64 for whole, _, _ in found.values())
    assert found[".cr2"][1] is not None
    assert found[".nef"][1] is not None
