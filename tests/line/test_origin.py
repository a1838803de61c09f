"""What is rendered says where it comes from and which credentials it has lost. Nothing that is played changes."""

import shutil
import subprocess

import av
import pytest

from safelight import sound_repair
from safelight.cutting import assembly, render
from safelight.cutting.assembly import Piece
from safelight.footage import Watch, watch
from safelight.media import container, credentials, film_xmp, levelled, loudness, origin, xmp
from safelight.media.xmp import SOURCE, SOURCE_TYPE, Packet
from tests.line.test_rough import material
from tests.made_clips import make_clip, make_sound, sine

MARKED = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>" + b" " * 1001
STORE = (44).to_bytes(4, "big") + b"uuid" + credentials.STORE + b"\0\0\0\0manifest\0c2pajumb"[:20]


def signed(path):
    """The clip with a box of credentials behind it, as far as a reader looks."""
    path.write_bytes(path.read_bytes() + STORE)
    return path


def origin_of(path):
    data = film_xmp.read(path)
    told = Packet.parse(data).get(SOURCE_TYPE) if data else None
    return told.removeprefix(SOURCE) if told else None


def played(path):
    """All samples of all streams, decoded."""
    with av.open(str(path)) as source:
        return [bytes(p) for f in source.decode() for p in f.planes]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.m4a", "a.wav"])
def test_a_packet_goes_in_and_comes_out_and_nothing_that_is_played_moves(tmp_path, name):
    path = tmp_path / name
    if path.suffix in (".mp4", ".mov"):
        make_clip(path, frames=12, heard=sine(0.48))
    else:
        make_sound(path, sine(0.5), codec="aac" if path.suffix == ".m4a" else "pcm_s16le")
    before, digest = played(path), container.content_digest(path)
    assert film_xmp.read(path) is None
    assert film_xmp.put(path, MARKED)
    assert film_xmp.read(path) == MARKED
    assert played(path) == before
    assert container.content_digest(path) == digest
    if shutil.which("exiftool"):
        said = subprocess.run(["exiftool", "-b", "-XMP", path], capture_output=True, check=True).stdout
        warned = subprocess.run(["exiftool", "-Warning", path], capture_output=True, check=True).stdout
        assert MARKED.strip() in said
        assert not warned


@pytest.mark.parametrize("name", ["a.mkv", "a.flac", "a.mp3"])
def test_containers_without_a_place_are_left_alone(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".mkv":
        make_clip(path, frames=5)
    else:
        make_sound(path, sine(0.5), codec={".flac": "flac", ".mp3": "libmp3lame"}[path.suffix])
    before = path.read_bytes()
    assert not film_xmp.put(path, MARKED)
    assert path.read_bytes() == before


@pytest.mark.parametrize("end", [-1, -9, 40])
def test_a_file_that_does_not_end_where_its_boxes_do_is_left_alone(tmp_path, end):
    for name in ("a.mp4", "a.mov", "a.wav"):
        path = make_clip(tmp_path / name, frames=5) if name != "a.wav" else \
            make_sound(tmp_path / name, sine(0.1), codec="pcm_s16le")  # fmt: skip
        path.write_bytes(path.read_bytes()[:end])
        before = path.read_bytes()
        assert not film_xmp.put(path, MARKED)
        assert path.read_bytes() == before
        film_xmp.read(path)


@pytest.mark.parametrize(
    ("codes", "joined", "expected"),
    [
        (["digitalCapture"], False, "digitalCapture"),
        (["digitalCapture"], True, "humanEdits"),
        ([None], False, None),
        ([None], True, "humanEdits"),
        (["trainedAlgorithmicMedia"], True, "trainedAlgorithmicMedia"),
        (["digitalCapture", "digitalCapture"], True, "compositeCapture"),
        (["digitalCapture", None], True, "composite"),
        (["digitalCapture", "trainedAlgorithmicMedia"], True, "compositeWithTrainedAlgorithmicMedia"),
        (["compositeSynthetic", None], True, "compositeSynthetic"),
    ],
)
def test_the_origin_of_a_cut_is_never_weaker_than_its_originals(codes, joined, expected):
    assert origin.of_cut(codes, joined=joined) == expected


def test_a_film_says_where_it_comes_from_and_what_was_lost(tmp_path):
    one = signed(make_clip(tmp_path / "one.mp4", frames=20, heard=sine(0.8)))
    two = make_clip(tmp_path / "two.mp4", frames=20)
    (tmp_path / "two.mp4.xmp").write_bytes(_says("trainedAlgorithmicMedia"))
    was = one.read_bytes()
    parts = [Piece(clip=0, start=0, end=5), Piece(clip=0, start=9, end=12)]
    alone = assembly.assemble([material(one)], parts[:1], name="x")
    cut = assembly.assemble([material(one)], parts, name="x")
    both = assembly.assemble([material(one), material(two)], [*parts, Piece(clip=1, start=0, end=9)], name="x")
    film = tmp_path / "film.mp4"
    for made, expected in (
        (cut, "humanEdits"), (both, "compositeWithTrainedAlgorithmicMedia"),
    ):  # fmt: skip
        done = render.render(made, film)
        assert (done.origin, done.sidecar, origin_of(film)) == (expected, None, expected)
        assert any("one.mp4" in note and "C2PA" in note for note in done.notes)
        assert not credentials.present(film), "a stale box is worse than none"
    assert render.render(alone, film).origin == origin_of(film)
    packet = Packet.parse(film_xmp.read(film))
    assert packet.get("xmpMM:PreservedFileName") == "one.mp4"
    assert one.read_bytes() == was
    beside = render.render(cut, tmp_path / "film.mkv")
    assert beside.sidecar == "film.mkv.xmp"
    assert Packet.parse((tmp_path / beside.sidecar).read_bytes()).get(SOURCE_TYPE) == SOURCE + "humanEdits"


def _says(code, **more):
    packet = Packet.parse(None)
    packet.set(SOURCE_TYPE, SOURCE + code)
    for name, value in more.items():
        packet.set(name.replace("_", ":"), value)
    return packet.to_bytes()


def test_captured_footage_that_is_only_trimmed_stays_captured(tmp_path):
    path = make_clip(tmp_path / "a.mp4", frames=20)
    assert film_xmp.put(path, _says("digitalCapture", photoshop_Credit="Ada", crs_Exposure2012="+1.00"))
    made = assembly.assemble([material(path)], [Piece(clip=0, start=3, end=9)], name="x")
    done = render.render(made, tmp_path / "out.mp4")
    assert done.origin == origin_of(tmp_path / "out.mp4") == "digitalCapture"
    packet = Packet.parse(film_xmp.read(tmp_path / "out.mp4"))
    assert (packet.get("photoshop:Credit"), packet.get("crs:Exposure2012")) == ("Ada", None)
    assert xmp.LEFT_OUT["crs"] in done.notes


def test_a_camera_that_is_named_has_captured_it(tmp_path):
    path = make_clip(tmp_path / "a.mp4", frames=5)
    assert origin.said(path, "Canon EOS R5") == "digitalCapture"
    assert origin.said(path, None) is None
    (tmp_path / "a.xmp").write_bytes(_says("screenCapture"))
    assert origin.said(path, None) == "screenCapture"
    (tmp_path / "a.wav").write_bytes(b"another file of that name")
    assert origin.said(path, None) is None, "the sidecar may be about the other"


def test_sound_that_was_changed_says_so_and_sound_that_was_not_does_not(tmp_path):
    path = signed(make_sound(tmp_path / "a.m4a", sine(3.0) * 0.1, codec="aac"))
    target = loudness.TARGETS["podcast"]
    for name in ("out.wav", "out.m4a", "out.flac"):
        notes = levelled.level(path, tmp_path / name, target).notes(target)
        assert any("C2PA" in note for note in notes)
        assert any("algorithmicallyEnhanced" in note for note in notes)
        held = film_xmp.read(tmp_path / name) or (tmp_path / f"{name}.xmp").read_bytes()
        assert Packet.parse(held).get(SOURCE_TYPE) == SOURCE + "algorithmicallyEnhanced"
    done = sound_repair.repair(path, tmp_path / "same.wav", noise_db=0.0)
    assert origin_of(tmp_path / "same.wav") is None
    assert any("does not say where it comes from" in note for note in done.notes)
    both = sound_repair.repair(path, tmp_path / "both.wav", noise_db=0.0, target=target)
    assert Packet.parse(film_xmp.read(tmp_path / "both.wav")).get("xmpMM:PreservedFileName") == "a.m4a"
    assert any("C2PA" in note and "a.m4a" in note for note in both.notes)


def test_credentials_are_a_fact_of_a_clip_wherever_their_box_stands(tmp_path):
    plain, vouched = make_clip(tmp_path / "p.mp4", frames=5), signed(make_clip(tmp_path / "v.mp4", frames=5))
    for path, expected in ((plain, []), (vouched, [True])):
        seen = watch(Watch(path=path.name, full=path, cache=tmp_path / "cache"))
        assert [m.value for m in seen.measures if m.name == "clip.credentials"] == expected
    speaks = make_clip(tmp_path / "s.mp4", frames=5, tags={"comment": "c2pa jumb"})
    assert not credentials.present(speaks), "words are no box"
    wav = make_sound(tmp_path / "w.wav", sine(0.1), codec="pcm_s16le")
    assert not credentials.present(wav)
    wav.write_bytes(wav.read_bytes() + b"C2PA\x04\0\0\0jumb")
    assert credentials.present(wav)


def test_a_timeline_says_what_its_render_will_lose(tmp_path, shared):
    from safelight import rough

    path = shared / "video" / "river_portrait_c2pa.mp4"
    assert credentials.present(path)
    made = assembly.assemble([material(path)], [Piece(clip=0, start=0, end=9)], name="x")
    done = rough.written(tmp_path / "x.otio", made)
    assert any("C2PA" in loss for loss in done.losses)
    render.render(made, tmp_path / "x.mp4", preview=True)
    assert Packet.parse(film_xmp.read(path)).get(xmp.PROVENANCE)
    assert Packet.parse(film_xmp.read(tmp_path / "x.mp4")).get(xmp.PROVENANCE) is None, "it would point to nothing"
