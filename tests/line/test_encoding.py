"""Who encodes the pictures of a film, and that it looks the same whoever does."""

import subprocess
from fractions import Fraction

import pytest

from safelight.cutting import assembly, encoding, render
from safelight.cutting.assembly import Piece
from safelight.errors import MediaError
from safelight.media import container
from tests.line.test_rough import grey, material
from tests.made_clips import make_clip, sine


@pytest.fixture(params=["program", "here"])
def route(request, monkeypatch):
    """Each test runs with the program, where there is one, and without."""
    if request.param == "here":
        monkeypatch.setattr(encoding, "h264", lambda: None)
    elif encoding.h264() is None:
        pytest.skip("no ffmpeg program with x264 is here")
    return request.param


HERE = {".mp4": "vp9", ".mov": "prores", ".mkv": "vp9"}
HDR = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_pixels_colour_turn_and_shape_are_kept(tmp_path, route, ending):
    path = make_clip(
        tmp_path / "a.mkv", frames=12, codec="ffv1", pixels="yuv422p10le", colour=HDR, aspect=Fraction(4, 3),
        size=(128, 96), heard=sine(0.48),
    )  # fmt: skip
    turned = make_clip(tmp_path / "t.mp4", frames=12, rotation=90)
    for clip in (path, turned):
        one = material(clip)
        made = assembly.assemble([one, one], [Piece(clip=0, start=0, end=4), Piece(clip=1, start=6, end=12)], name="x")
        done = render.render(made, tmp_path / f"out{ending}")
        facts, was = container.contents(tmp_path / f"out{ending}").picture, one.facts.picture
        assert facts.codec == ("h264" if route == "program" else HERE[ending])
        assert done.encoded
        assert facts.bits == {"h264": was.bits, "prores": 10, "vp9": 8}[facts.codec]
        assert any("10 bits" in note for note in done.notes) == (facts.bits < was.bits)
        for name in ("rotation", "aspect", "width", "height", "primaries", "transfer", "matrix", "rate"):
            assert getattr(facts, name) == getattr(was, name), name
        shown = grey(clip)
        near = 2 if facts.bits == was.bits else 4
        wanted = [shown[n] for n in (*range(4), *range(6, 12))]
        assert grey(tmp_path / f"out{ending}") == pytest.approx(wanted, abs=near)


def test_full_range_looks_the_same(tmp_path, route):
    path = make_clip(tmp_path / "a.mp4", frames=10, codec="mpeg4")
    full = make_clip(tmp_path / "f.mov", frames=10, codec="mjpeg", pixels="yuvj420p")
    made = assembly.assemble(
        [material(full), material(path)], [Piece(clip=0, start=0, end=5), Piece(clip=1, start=5, end=10)], name="x"
    )
    render.render(made, tmp_path / "out.mp4")
    assert grey(tmp_path / "out.mp4") == pytest.approx([*grey(full)[:5], *grey(path)[5:]], abs=3)


def test_no_gpl_encoder_is_used_in_this_process(monkeypatch):
    monkeypatch.setattr(encoding, "h264", lambda: None)
    for ending in render.FILMS:
        for preview in (False, True):
            one = encoding.chosen(ending, preview=preview)
            assert one.program is None
            assert one.codec not in ("libx264", "libx265"), "these are under the GPL"


def test_a_program_that_fails_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'No space left on device' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(encoding, "h264", lambda: str(program))
    path = make_clip(tmp_path / "a.mp4", frames=12)
    made = assembly.assemble([material(path)], [Piece(clip=0, start=1, end=9)], name="x")
    with pytest.raises(MediaError, match="No space left on device"):
        render.render(made, tmp_path / "out" / "film.mp4")
    assert not list((tmp_path / "out").iterdir())


def test_a_program_without_x264_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding.shutil, "which", lambda _: "/usr/bin/ffmpeg")
    listed = subprocess.CompletedProcess([], 0, stdout=b" V..... libopenh264  OpenH264\n")
    monkeypatch.setattr(encoding.subprocess, "run", lambda *_, **__: listed)
    encoding.h264.cache_clear()
    try:
        assert encoding.h264() is None
    finally:
        encoding.h264.cache_clear()
