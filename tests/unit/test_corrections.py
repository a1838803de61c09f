"""What files say about corrections that were made already."""

import struct

import pytest
from PIL import Image

from safelight.media import ifd
from safelight.media.corrections import Corrections, corrections
from tests.made_files import make_dng, photo, text

PACKET = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description %s/></x:xmpmeta>'
DARKTABLE = b'xmpMM:DerivedFrom="IMG_1.CR2" darktable:operation="lens" darktable:enabled="%d"'
LIGHTROOM = b'crs:RawFileName="IMG_1.CR2" crs:HasSettings="True" crs:LensProfileEnable="%d" crs:AutoLateralCA="0"'


def jpeg(path, *, exif=b"", packet=b""):
    Image.fromarray(photo()).save(path, exif=exif, xmp=packet)
    return path


def exif(make, note, *, software="1.0", order="<"):
    main = [text(271, make), text(305, software)]
    below = {ifd.EXIF_IFD: [ifd.blob(37500, ifd.UNDEFINED, note)]}
    return b"Exif\0\0" + ifd.build(order, main, below=below)


def with_note(make, fields, *, head=b"", software="1.0"):
    """An EXIF block whose maker note is a bare directory with offsets from the start of the TIFF structure."""
    room = b"\1" * 400
    plain = exif(make, room, software=software)
    note = head + moved(fields, plain.index(room) - len(b"Exif\0\0") + len(head))
    return exif(make, note.ljust(len(room), b"\0"), software=software)


def moved(fields, at):
    """A directory at `at` of its structure, values behind it."""
    table, values = struct.pack("<H", len(fields)), b""
    end = at + 2 + 12 * len(fields) + 4
    for item in fields:
        inline = item.data.ljust(4, b"\0")
        if len(item.data) > 4:
            inline = struct.pack("<I", end + len(values))
            values += item.data
        table += struct.pack("<HHI", item.tag, item.type, item.count) + inline
    return table + bytes(4) + values


def canon(*settings):
    data = struct.pack(f"<{len(settings)}i", *settings)
    return with_note("Canon", [ifd.Field(tag=0x4016, type=9, count=len(settings), data=data)])


def sony(*, lines, head=b"SONY DSC \0\0\0"):
    fields = [ifd.field(tag, ifd.LONG, value) for tag, value in ((0x2011, 0), (0x2012, 2), (0x2013, lines))]
    return with_note("SONY", fields, head=head)


def nikon(lines, corners):
    fields = [ifd.field(0x2A, ifd.SHORT, corners), ifd.blob(0x2B, ifd.UNDEFINED, b"0100" + bytes([lines]))]
    return exif("NIKON CORPORATION", b"Nikon\0\x02\x10\0\0" + ifd.build("<", fields, below={}))


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (canon(40, 0, 0, 0, 0, 1, 1, 0), (False, True, True)),
        (canon(40, 0, 0, 0, 0, 0, 0, 1), (True, False, False)),
        (canon(40, 0, 0, 0, 0, 0, 0, 0, 0, 1), (False, True, False)),  # the Digital Lens Optimizer
        (sony(lines=2), (True, True, False)),
        (sony(lines=0, head=b""), (False, True, False)),
        (sony(lines=0xFFFFFFFF), (None, True, False)),
        (nikon(1, 3), (True, True, True)),
        (nikon(0, 0), (False, True, False)),
    ],
)
def test_cameras_say_how_they_were_set(tmp_path, block, said):
    found = corrections(jpeg(tmp_path / "a.jpg", exif=block))
    assert (found.lines, found.fringes, found.corners) == said
    assert found.by == "camera"


def test_a_camera_says_nothing_about_what_a_program_did_afterwards(tmp_path):
    fields = [ifd.field(0x2013, ifd.LONG, 0)]
    block = with_note("SONY", fields, software="Adobe Photoshop 26.1")
    assert corrections(jpeg(tmp_path / "a.jpg", exif=block)) == Corrections()


@pytest.mark.parametrize("said", [DARKTABLE, LIGHTROOM])
@pytest.mark.parametrize("done", [True, False])
def test_programs_that_developed_a_raw_say_what_they_did(tmp_path, said, done):
    found = corrections(jpeg(tmp_path / "a.jpg", packet=PACKET % (said % done)))
    assert (found.lines, found.fringes, found.corners) == (done, done, done)
    assert found.by == ("darktable" if said is DARKTABLE else "Lightroom")


def test_a_program_that_did_nothing_to_a_jpeg_leaves_it_to_the_camera(tmp_path):
    packet = PACKET % b'crs:HasSettings="True" crs:LensProfileEnable="0"'
    assert corrections(jpeg(tmp_path / "a.jpg", packet=packet)) == Corrections()


def test_a_raw_is_as_the_lens_drew_it(tmp_path):
    found = corrections(make_dng(tmp_path / "a.dng"))
    assert (found.lines, found.by, found.warp) == (False, "raw", ())


def opcodes(*, planes=3, centre=0.5, tangential=0.0):
    sets = [(1.01 + n / 1000, -0.02, 0.003, 0.0, tangential, 0.0) for n in range(planes)]
    body = struct.pack(">I", planes) + struct.pack(f">{6 * planes}d", *sum(sets, ())) + struct.pack(">2d", centre, 0.5)
    other = struct.pack(">4I", 9, 0x01030000, 0, 4) + bytes(4)
    return struct.pack(">I", 2) + other + struct.pack(">4I", 1, 0x01030000, 0, len(body)) + body


def with_opcodes(path, data):
    fields = [ifd.field(262, ifd.SHORT, 32803), text(271, "Made"), ifd.blob(51022, ifd.UNDEFINED, data),
              ifd.field(50706, ifd.BYTE, 1, 4, 0, 0)]  # fmt: skip
    path.write_bytes(ifd.build("<", fields, below={}))
    return path


def test_a_dng_may_bring_its_makers_own_polynomials(tmp_path):
    red, green, _ = corrections(with_opcodes(tmp_path / "a.dng", opcodes())).warp
    assert green == (1.011, 0.0, -0.02, 0.0, 0.003, 0.0, 0.0)
    assert red[0] == 1.01
    assert corrections(with_opcodes(tmp_path / "b.dng", opcodes(planes=1))).warp[2][0] == 1.01


@pytest.mark.parametrize("data", [opcodes(centre=0.4), opcodes(tangential=0.01), opcodes()[:60], b"", b"\0\0"])
def test_polynomials_that_are_not_plainly_radial_are_left_alone(tmp_path, data):
    found = corrections(with_opcodes(tmp_path / "a.dng", data))
    assert (found.lines, found.warp) == (False, ())


def test_a_dng_that_was_developed_already_says_nothing(tmp_path):
    fields = [ifd.field(262, ifd.SHORT, 34892), text(271, "Made"), ifd.field(50706, ifd.BYTE, 1, 4, 0, 0)]
    (tmp_path / "a.dng").write_bytes(ifd.build("<", fields, below={}))
    assert corrections(tmp_path / "a.dng") == Corrections()


def test_a_file_that_cannot_be_read_says_nothing(tmp_path):
    assert corrections(tmp_path / "missing.jpg") == Corrections()


def test_the_real_pair_says_which_of_the_two_was_corrected(shared):
    before, after = (corrections(shared / "pairs" / "lens" / f"building_{n}.jpg") for n in ("distorted", "corrected"))
    assert (before.lines, before.by) == (False, "darktable")
    assert after.lines
