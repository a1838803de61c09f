import pytest
from PIL import Image

from safelight.domain import Capture
from safelight.errors import NotMedia, Truncated, Unreadable, Unsupported
from safelight.media import ifd, write
from safelight.media.capture import camera_name, facts, header
from tests.made_files import exif_block, make_dng, photo, text


@pytest.fixture
def jpeg(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(write.jpeg(photo(), exif=exif_block(orientation=6)))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
def test_facts_of_a_jpeg(tmp_path, order):
    path = tmp_path / "a.jpg"
    path.write_bytes(write.jpeg(photo(), exif=exif_block(order=order)))
    assert facts(path) == Capture(
        at="2026-05-02T14:03:11.250+02:00",
        camera="Canon EOS R5",
        serial="0123",
        lens="RF24-70mm F2.8 L IS USM",
        iso=800,
        seconds=1 / 250,
        bias_ev=-0.667,
        bracketed=True,
    )


def test_header_gives_the_upright_size(jpeg):
    found = header(jpeg)
    assert (found.format, found.width, found.height, found.capture.orientation) == ("jpeg", 96, 144, 6)


def test_header_of_png_tiff_and_dng(tmp_path):
    Image.fromarray(photo()).save(tmp_path / "a.png")
    (tmp_path / "a.tif").write_bytes(write.tiff16(photo().astype("u2"), exif=exif_block(order=">")))
    dng = make_dng(tmp_path / "a.dng", orientation=8, crop=10)
    found = [header(tmp_path / name) for name in ("a.png", "a.tif", "a.dng")]
    assert [(h.format, h.width, h.height) for h in found] == [
        ("png", 144, 96), ("tiff", 144, 96), ("dng", 220, 140),
    ]  # fmt: skip
    assert found[0].capture == Capture()
    assert found[1].capture.camera == "Canon EOS R5"
    assert found[2].capture.serial == "12345"
    assert facts(dng, dng.read_bytes()[:500]) == found[2].capture


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS 5D Mark III", "Canon EOS 5D Mark III"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("SONY", "ILCE-7M4", "Sony ILCE-7M4"),
        ("OLYMPUS IMAGING CORP.", "E-M1", "Olympus E-M1"),
        ("FUJIFILM", "X-T4", "Fujifilm X-T4"),
        ("Apple", "iPhone 15", "Apple iPhone 15"),
        ("LG", "G5", "LG G5"),
        (None, "Thing", "Thing"),
        ("Maker", None, "Maker"),
        (None, None, None),
    ],
)
def test_camera_names(make, model, name):
    assert camera_name(make, model) == name


def exif_of(tmp_path, *fields, main=()):
    path = tmp_path / "a.jpg"
    block = ifd.build("<", [text(272, "Cam"), *main], below={ifd.EXIF_IFD: list(fields)})
    path.write_bytes(write.jpeg(photo(), exif=block))
    return facts(path)


def test_odd_values_are_left_out(tmp_path):
    found = exif_of(
        tmp_path,
        ifd.field(33434, ifd.RATIONAL, (0, 0)),
        ifd.field(33437, ifd.RATIONAL, (0, 1)),
        ifd.field(37380, ifd.SRATIONAL, (2147483647, 1)),
        ifd.field(37382, ifd.RATIONAL, (4294967295, 1)),
        text(36867, "0000:00:00 00:00:00"),
        text(42036, ""),
        main=[ifd.field(ifd.ORIENTATION, ifd.SHORT, 77)],
    )
    assert found == Capture(camera="Cam")


def test_time_falls_back_and_pads(tmp_path):
    assert exif_of(tmp_path, text(36868, "2024:01:02 03:04:05"), text(37522, "7")).at == "2024-01-02T03:04:05.700"
    assert exif_of(tmp_path, main=[text(306, "2024:01:02 03:04:05")]).at == "2024-01-02T03:04:05.000"


def test_endless_and_cut_directories_end(tmp_path):
    block = bytearray(exif_block())
    block[4:8] = (8).to_bytes(4, "little")
    loop = ifd.build("<", [text(272, "Cam")], below={})
    loop = loop[:22] + (8).to_bytes(4, "little") + loop[26:]
    for broken in (bytes(block[:40]), bytes(block[:100]), loop, b"II*\0\xff\xff\xff\xff", b"II*\0"):
        path = tmp_path / "a.jpg"
        path.write_bytes(write.jpeg(photo(), exif=broken))
        assert header(path).width == 144


def test_every_cut_of_a_header_is_survived(jpeg, tmp_path):
    stream = jpeg.read_bytes()
    short = tmp_path / "b.jpg"
    outcomes = set()
    for length in range(4, 700, 7):
        short.write_bytes(stream[:length])
        try:
            outcomes.add(header(short).format)
        except Truncated:
            outcomes.add("truncated")
    assert "truncated" in outcomes


def test_canon_and_nikon_notes_give_the_serial(shared):
    assert facts(shared / "metadata/makernotes/Canon1DmkIII.jpg").serial == "500292"
    assert facts(shared / "metadata/makernotes/CanonRaw.cr2").serial == "123456789"
    assert facts(shared / "metadata/makernotes/CanonRaw.cr3").lens == "EF-M15-45mm f/3.5-6.3 IS STM"
    assert facts(shared / "metadata/makernotes/FujiFilm.raf").iso == 100


def test_real_headers_never_raise_anything_else(shared):
    seen = []
    for path in sorted((shared / "metadata").rglob("*.*")):
        try:
            seen.append(header(path).format)
        except (NotMedia, Unsupported):
            continue
    assert {"jpeg", "dng", "cr2", "cr3", "nef", "raf", "rw2"} <= set(seen)


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.jpg").write_text("notes")
    with pytest.raises(NotMedia):
        header(tmp_path / "a.jpg")
    with pytest.raises(Unreadable):
        header(tmp_path / "b.jpg")
    assert facts(tmp_path / "a.jpg") == Capture()
