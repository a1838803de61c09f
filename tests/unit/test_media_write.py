import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from safelight.errors import MediaError
from safelight.media import exif, ifd, image, segments, write
from safelight.media.capture import facts, header
from safelight.media.frame import Frame
from safelight.media.profiles import srgb
from tests.made_files import exif_block, make_dng, photo

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


@pytest.fixture
def words():
    return photo().astype(np.uint16) * 256 + np.random.default_rng(0).integers(0, 256, photo().shape).astype(np.uint16)


def test_jpeg_carries_profile_exif_and_xmp_and_the_pixels_of_a_plain_encode():
    data = write.jpeg(photo(), quality=90, exif=exif_block(), xmp=XMP)
    found = segments.facts(data)
    assert (found.icc, found.xmp) == (srgb(), XMP)
    assert found.exif == exif_block()
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.info["icc_profile"] == srgb()
        plain = Image.open(io.BytesIO(write.encode_jpeg(photo(), quality=90)))
        assert np.array_equal(np.asarray(opened), np.asarray(plain))


def test_writers_repeat_themselves(words):
    assert write.jpeg(photo(), exif=exif_block()) == write.jpeg(photo(), exif=exif_block())
    assert write.tiff16(words) == write.tiff16(words)


def test_long_metadata_are_refused():
    with pytest.raises(MediaError, match="70029 bytes"):
        write.jpeg(photo(), xmp=b"x" * 70_000)


def test_large_profiles_are_split():
    icc = bytes(range(256)) * 600
    assert segments.facts(write.jpeg(photo(), icc=icc)).icc == icc


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_is_read_back_by_others(tmp_path, words, order):
    path = tmp_path / "a.tif"
    path.write_bytes(write.tiff16(words, xmp=XMP, exif=exif_block(order=order)))
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert np.array_equal(page.asarray(), words)
        assert page.tags[34675].value == srgb()
        assert page.tags[700].value == XMP
        assert page.tags[272].value == "Canon EOS R5"
    assert np.array_equal(write.to_srgb16(image.read_frame(path)), words)
    assert facts(path).iso == 800


def test_tiff_of_many_strips(tmp_path):
    tall = np.random.default_rng(1).integers(0, 65536, (3000, 300, 3), dtype=np.uint16)
    path = tmp_path / "a.tif"
    path.write_bytes(write.tiff16(tall))
    assert np.array_equal(tifffile.imread(path), tall)


def test_transparent_frames_stand_on_white():
    frame = Frame(pixels=np.zeros((4, 4, 3), np.float32), alpha=np.zeros((4, 4), np.float32))
    assert (write.to_srgb8(frame) == 255).all()
    assert (write.to_srgb16(frame) == 65535).all()


def test_wild_light_is_clipped():
    wild = np.array([[[5.0, 5.0, 5.0], [-1.0, -1.0, -1.0]]], np.float32)
    assert write.to_srgb8(Frame(pixels=wild)).tolist() == [[[255] * 3, [0] * 3]]
    assert write.to_srgb16(Frame(pixels=wild)).tolist() == [[[65535] * 3, [0] * 3]]


# ---------------------------------------------------------------- EXIF


def test_exif_of_a_jpeg_is_patched_in_place(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(write.jpeg(photo(), exif=exif_block(orientation=6)))
    block = exif.exif_for_delivery(path, width=1000, height=1500)
    found = {d.path: d for d in ifd.directories(ifd.from_bytes(block))}
    assert found["0"].number(ifd.ORIENTATION) == 1
    assert [found["0/exif"].number(tag) for tag in (0xA001, 0xA002, 0xA003)] == [1, 1000, 1500]
    assert found["0/exif"].raw(37500) == b"Maker notes of this camera"
    assert "0/gps" in found
    assert len(block) == len(exif_block())


def test_place_and_maker_notes_go_when_asked(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(write.jpeg(photo(), exif=exif_block(orientation=6)))
    block = exif.exif_for_delivery(path, width=10, height=20, gps=False)
    found = {d.path: d for d in ifd.directories(ifd.from_bytes(block))}
    assert set(found) == {"0", "0/exif"}
    assert found["0/exif"].raw(37500) is None
    assert found["0/exif"].text(42036) == "RF24-70mm F2.8 L IS USM"


def test_thumbnail_is_removed(tmp_path):
    main = exif_block()
    at = len(main) + 6 + 2 * 12
    second = b"\x02\0" + b"".join(
        tag.to_bytes(2, "little") + b"\x04\0\x01\0\0\0" + value.to_bytes(4, "little")
        for tag, value in ((513, at), (514, 900))
    )
    first = int.from_bytes(main[4:8], "little")
    end = first + 2 + 12 * int.from_bytes(main[first : first + 2], "little")
    main = main[:end] + len(main).to_bytes(4, "little") + main[end + 4 :]
    path = tmp_path / "a.jpg"
    path.write_bytes(write.jpeg(photo(), exif=main + second + bytes(4) + b"T" * 900))
    block = exif.exif_for_delivery(path, width=10, height=20)
    assert b"TTT" not in block
    assert {d.path for d in ifd.directories(ifd.from_bytes(block))} == {"0", "0/exif", "0/gps"}


def test_exif_of_a_raw_is_built(tmp_path):
    dng = make_dng(tmp_path / "a.dng", orientation=8)
    out = tmp_path / "a.jpg"
    out.write_bytes(write.jpeg(photo(), exif=exif.exif_for_delivery(dng, width=144, height=96)))
    found = header(out).capture
    assert (found.camera, found.at, found.iso, found.orientation) == (
        "Made One", "2026-05-02T14:03:11.250+02:00", 400, 1,
    )  # fmt: skip


def test_no_exif_gives_none(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(photo()).save(path)
    assert exif.exif_for_delivery(path, width=1, height=1) is None
