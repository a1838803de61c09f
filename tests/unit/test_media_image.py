import io

import cv2
import numpy as np
import pytest
import pyvips
import simplejpeg
import tifffile
from PIL import Image

from safelight.errors import NotMedia, Truncated, Unreadable, Unsupported
from safelight.media import ifd, image, profiles, segments, write
from safelight.media.colour import REC709, REC2020, SRGB_FROM_REC2020, encode, to_xyz
from tests.made_files import exif_block, make_dng, photo


@pytest.fixture
def rgb():
    return photo()


def save(path, array, **options):
    Image.fromarray(array, options.pop("mode", None)).save(path, **options)
    return path


def as_jpeg(path, rgb, **metadata):
    path.write_bytes(write.jpeg(rgb, quality=95, **metadata))
    return path


def far(one, two):
    return np.abs(one.astype(int) - two).max()


def test_upright_jpeg_is_the_plain_decode(tmp_path, rgb):
    path = as_jpeg(tmp_path / "a.jpg", rgb)
    assert np.array_equal(image.read(path), simplejpeg.decode_jpeg(path.read_bytes()))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_stands_upright(tmp_path, rgb, orientation):
    turned_back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, 1)
    stored = np.ascontiguousarray(image.upright(rgb, turned_back))
    path = as_jpeg(tmp_path / "a.jpg", stored, exif=exif_block(orientation=orientation))
    shown = image.read(path)
    assert shown.shape == rgb.shape
    assert np.abs(shown.astype(int) - rgb).mean() < 4
    assert image.read_frame(path).pixels.shape == rgb.shape
    with Image.open(path) as opened:
        assert opened.getexif()[274] == orientation


def test_upright_agrees_with_pillow(rgb):
    from PIL import ImageOps

    for orientation in range(1, 9):
        picture = Image.fromarray(rgb)
        picture.getexif()[274] = orientation
        assert np.array_equal(image.upright(rgb, orientation), np.asarray(ImageOps.exif_transpose(picture)))


def test_real_orientations_agree(shared):
    upright = [image.read(shared / f"metadata/orientation/landscape_{i}.jpg") for i in range(1, 9)]
    small = [cv2.resize(one, (60, 45), interpolation=cv2.INTER_AREA).astype(int) for one in upright]
    assert max(np.abs(one - small[0]).mean() for one in small) < 4 < np.abs(small[0][::-1] - small[0]).mean()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_lossless_files_keep_every_byte(tmp_path, rgb, suffix):
    assert np.array_equal(image.read(save(tmp_path / f"a.{suffix}", rgb)), rgb)


def test_grey_palette_bilevel_and_cmyk(tmp_path, rgb):
    grey = rgb[..., 1]
    three = np.repeat(grey[..., None], 3, 2)
    assert np.array_equal(image.read(save(tmp_path / "grey.png", grey)), three)
    assert far(image.read(save(tmp_path / "grey.jpg", grey, quality=98)), three) < 12
    assert np.array_equal(image.read(save(tmp_path / "bilevel.tif", grey > 90))[..., 0], np.uint8(255) * (grey > 90))
    palette = Image.fromarray(rgb).quantize(64)
    palette.save(tmp_path / "palette.png")
    assert np.array_equal(image.read(tmp_path / "palette.png"), np.asarray(palette.convert("RGB")))
    white = np.zeros((20, 30, 4), np.uint8)
    for name in ("cmyk.jpg", "cmyk.tif"):
        assert image.read(save(tmp_path / name, white, mode="CMYK")).min() > 240


def test_transparency_shows_white_and_stays_in_the_frame(tmp_path, rgb):
    cover = np.full(rgb.shape[:2], 255, np.uint8)
    cover[:, :40] = 0
    path = save(tmp_path / "a.png", np.dstack((rgb, cover)))
    shown = image.read(path)
    assert (shown[:, :40] == 255).all()
    assert np.array_equal(shown[:, 40:], rgb[:, 40:])
    frame = image.read_frame(path)
    assert np.array_equal(frame.alpha, cover / np.float32(255))
    assert np.array_equal(write.to_srgb8(frame), shown)


def test_sixteen_bits_arrive_whole(tmp_path, rgb):
    words = rgb.astype(np.uint16) * 256 + np.random.default_rng(0).integers(0, 256, rgb.shape).astype(np.uint16)
    for name in ("a.png", "a.tif"):
        pyvips.Image.new_from_array(words, interpretation="rgb16").write_to_file(str(tmp_path / name))
        assert np.array_equal(write.to_srgb16(image.read_frame(tmp_path / name)), words)
        assert far(image.read(tmp_path / name), np.rint(words / 257)) == 0


def test_names_with_brackets_and_newlines_are_read(tmp_path, rgb):
    for name in ("a[page=2].png", "two\nlines 📷.png", "-leading.png"):
        assert np.array_equal(image.read(save(tmp_path / name, rgb)), rgb)


# ---------------------------------------------------------------- profiles


def test_srgb_profiles_change_nothing(tmp_path, rgb):
    assert profiles.is_srgb(profiles.srgb())
    assert np.array_equal(image.read(save(tmp_path / "a.png", rgb, icc_profile=profiles.srgb())), rgb)


def test_adobe_rgb_is_converted(tmp_path, rgb):
    path = save(tmp_path / "a.png", rgb, icc_profile=profiles.adobe_rgb())
    to_srgb = np.linalg.inv(to_xyz(REC709)) @ to_xyz(profiles.ADOBE_PRIMARIES)
    expected = encode(np.clip((rgb / 255) ** profiles.ADOBE_GAMMA @ to_srgb.T, 0, 1)) * 255
    assert far(image.read(path), expected) < 2
    assert far(write.to_srgb8(image.read_frame(path)), expected) < 2


def test_colours_outside_srgb_are_kept(tmp_path):
    green = np.zeros((8, 8, 3), np.uint8)
    green[..., 1] = 255
    frame = image.read_frame(save(tmp_path / "a.png", green, icc_profile=profiles.adobe_rgb()))
    expected = np.linalg.inv(to_xyz(REC2020)) @ to_xyz(profiles.ADOBE_PRIMARIES) @ (0, 1, 0)
    np.testing.assert_allclose(frame.pixels[0, 0], expected, atol=0.005)  # littlecms's Lab ends at a* = -128
    assert (SRGB_FROM_REC2020 @ expected)[0] < -0.1  # no sRGB colour is as green


def test_adobe_rgb_said_by_dcf_alone_is_believed(tmp_path, rgb):
    interop = ifd.build("<", [ifd.blob(1, ifd.ASCII, b"R03\0")], below={})[8:]
    shot = [ifd.field(0xA001, ifd.SHORT, 65535), ifd.field(ifd.INTEROP_IFD, ifd.LONG, 0)]
    block = ifd.build("<", [ifd.field(274, ifd.SHORT, 1)], below={ifd.EXIF_IFD: shot})
    pointer = ifd.INTEROP_IFD.to_bytes(2, "little") + b"\x04\0\x01\0\0\0"
    block = block.replace(pointer + bytes(4), pointer + len(block).to_bytes(4, "little")) + interop
    path = tmp_path / "a.jpg"
    stream = write.encode_jpeg(rgb, quality=95)
    path.write_bytes(
        stream[:20] + b"\xff\xe1" + (len(block) + 8).to_bytes(2, "big") + b"Exif\0\0" + block + stream[20:]
    )
    plain = simplejpeg.decode_jpeg(stream)
    assert np.array_equal(image.read(path), profiles.to_srgb8(plain.copy(), profiles.adobe_rgb()))
    path.write_bytes(path.read_bytes().replace(b"R03", b"R98"))
    assert np.array_equal(image.read(path), plain)


def test_broken_profile_is_taken_for_srgb(tmp_path, rgb):
    assert np.array_equal(image.read(save(tmp_path / "a.png", rgb, icc_profile=b"no profile" * 20)), rgb)


# ---------------------------------------------------------------- what is refused


def test_trailing_bytes_are_legal(tmp_path, rgb):
    path = as_jpeg(tmp_path / "a.jpg", rgb)
    whole = image.read(path)
    with path.open("ab") as file:
        file.write(path.read_bytes() + b"motion photo" * 100)
    assert np.array_equal(image.read(path), whole)


def test_ultra_hdr_and_progressive_files_are_whole(tmp_path, rgb, shared):
    assert image.read(shared / "metadata/formats/ultra_hdr_subway.jpg").shape == (2150, 2856, 3)
    assert image.read(save(tmp_path / "a.jpg", rgb, progressive=True)).shape == rgb.shape


def test_stray_bytes_between_segments_are_forgiven(tmp_path, rgb):
    stream = write.encode_jpeg(rgb)
    quantisation = next(s.start for s in segments.walk(stream) if s.marker == 0xDB)
    path = tmp_path / "a.jpg"
    path.write_bytes(stream[:quantisation] + b"\x11\x22" + stream[quantisation:])
    assert np.array_equal(image.read(path), simplejpeg.decode_jpeg(stream))


def test_other_things_are_named(tmp_path, rgb):
    (tmp_path / "text.jpg").write_text("Dear client,\n")
    with pytest.raises(NotMedia, match="holds text"):
        image.read(tmp_path / "text.jpg")
    (tmp_path / "odd.jpg").write_bytes(b"\0\1\2\3" * 50)
    with pytest.raises(NotMedia):
        image.read(tmp_path / "odd.jpg")
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(Truncated, match="ends early"):
        image.read(tmp_path / "a.jpg")
    with pytest.raises(Unreadable, match="no longer there"):
        image.read(tmp_path / "gone.jpg")
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "GIF")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    with pytest.raises(Unsupported, match="GIF"):
        image.read(tmp_path / "a.jpg")
    with pytest.raises(Unsupported, match="DNG"):
        image.read(make_dng(tmp_path / "a.dng"))


def test_frame_of_bytes_comes_back_exactly():
    every = np.arange(256, dtype=np.uint8)
    cube = np.stack(np.meshgrid(every[::5], every[::5], every, indexing="ij"), -1).reshape(52, -1, 3)
    assert np.array_equal(write.to_srgb8(image.frame_of(cube)), cube)


def test_srgb_curve_is_the_standards():
    np.testing.assert_allclose(encode(np.array([0.0, 0.18, 0.0031308, 1.0])), [0, 0.46135613, 0.04045, 1], atol=1e-5)


def test_words_under_a_profile_are_rounded_once(tmp_path):
    """Every level of a fine ramp comes out as exact arithmetic has it."""
    ramp = np.linspace(0, 65535, 4096).round().astype(np.uint16)[None, :, None].repeat(600, 0).repeat(3, 2)
    tifffile.imwrite(tmp_path / "a.tif", ramp, photometric="rgb", iccprofile=profiles.adobe_rgb())
    exact = 255 * encode((ramp[0, :, 0] / 65535) ** (563 / 256))
    found = image.read(tmp_path / "a.tif")
    assert np.abs(found[0, :, 1] - exact).max() <= 0.52
    assert np.array_equal(found[0], found[-1])
