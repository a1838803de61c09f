import contextlib
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from safelight.cutting import assembly, render
from safelight.cutting.assembly import Piece
from safelight.errors import MediaError, NotMedia, Truncated, Unreadable, Unsupported
from safelight.media import container, hdr, sound, video
from tests.line.test_rough import material
from tests.made_clips import make_clip, make_sound, sine
from tests.made_laces import make_laced

NTSC = Fraction(30000, 1001)


def all_frames(path, **asked):
    return list(video.frames(path, **asked))


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), NTSC, Fraction(50), Fraction(60000, 1001)])
@pytest.mark.parametrize("suffix", ["mov", "mkv", "mp4"])
def test_rates_and_times_are_exact_in_every_container(tmp_path, rate, suffix):
    path = make_clip(tmp_path / f"a.{suffix}", rate=rate, frames=30)
    facts, times = container.contents(path), container.timing(path)
    assert facts.picture.rate == times.rate == rate
    assert not times.variable
    assert len(times.pts) == 30
    assert times.duration_s == 30 / rate
    stills = all_frames(path)
    assert [s.index for s in stills] == list(range(30))
    assert [s.at for s in stills] == [times.at(i) for i in range(30)]
    off = [abs(s.at - s.index / rate) for s in stills]
    assert max(off) <= times.time_base
    levels = [float(s.rgb[40:, 40:].mean()) for s in stills]
    assert levels == sorted(levels), "frames come in order of presentation"


def test_variable_rate_is_told_by_presentation_time(tmp_path):
    pts = [0, 40, 80, 200, 233, 266, 400, 433]
    path = make_clip(tmp_path / "v.mkv", frames=8, pts=pts, time_base=Fraction(1, 1000))
    times = container.timing(path)
    assert times.variable
    assert [times.at(i) for i in range(8)] == [Fraction(p, 1000) for p in pts]
    assert [s.at for s in all_frames(path)] == [Fraction(p, 1000) for p in pts]
    assert [times.frame_at(Fraction(p, 1000)) for p in (0, 39, 40, 199, 200, 10_000)] == [0, 0, 1, 2, 3, 7]


def test_a_codec_is_called_by_its_name_whichever_library_decodes_it(tmp_path):
    clip = make_clip(tmp_path / "a.mkv", codec="libsvtav1", options={"preset": "12"}, frames=3)
    sound = make_sound(tmp_path / "a.mp3", sine(0.4), codec="libmp3lame")
    assert container.contents(clip).picture.codec == "av1"
    assert container.contents(sound).sounds[0].codec == "mp3"


def test_rotation_is_applied_once(tmp_path):
    path = make_clip(tmp_path / "r.mp4", rotation=90)
    picture = container.contents(path).picture
    assert (picture.width, picture.height, picture.rotation) == (64, 96, 90)
    rgb = all_frames(path)[0].rgb
    assert rgb.shape == (96, 64, 3)
    # turned counter-clockwise by 90 degrees, the square at the top left comes to lie at the bottom left
    assert rgb[-10:, :8].mean() > 180
    assert rgb[:10, :8].mean() < 60


def test_pixels_that_are_not_square_are_made_so(tmp_path):
    path = make_clip(tmp_path / "s.mp4", aspect=Fraction(2))
    picture = container.contents(path).picture
    assert (picture.width, picture.height, picture.aspect) == (96, 64, 2)
    assert all_frames(path)[0].rgb.shape == (64, 192, 3)


def test_frames_are_shrunk_and_never_enlarged(tmp_path):
    path = make_clip(tmp_path / "s.mp4", frames=1)
    assert all_frames(path, long_side=48)[0].rgb.shape == (32, 48, 3)
    assert all_frames(path, long_side=4000)[0].rgb.shape == (64, 96, 3)


def test_a_stretch_keeps_the_numbers_of_its_frames(tmp_path):
    path = make_clip(tmp_path / "s.mov", frames=25)
    part = all_frames(path, start=Fraction(1, 5), end=Fraction(2, 5))
    assert [s.index for s in part] == [5, 6, 7, 8, 9]


def test_timecode_and_reel_are_read(tmp_path):
    path = make_clip(tmp_path / "t.mov", rate=NTSC, tags={"timecode": "09:59:50;04", "reel_name": "B001"})
    facts = container.contents(path)
    assert (facts.timecode, facts.timecode_rate) == ("09:59:50;04", NTSC)


def test_the_time_reference_of_a_broadcast_wave_is_a_time_of_day(tmp_path):
    path = make_sound(
        tmp_path / "b.wav", sine(0.5), tags={"time_reference": str(48000 * 36000 + 24000)},
        options={"write_bext": "1"},
    )  # fmt: skip
    facts = container.contents(path)
    assert (facts.timecode, facts.timecode_rate) == ("10:00:00.500", 1000)
    assert facts.picture is None
    assert facts.sounds[0].rate == 48000


def test_colour_tags_and_hdr_are_told_and_hdr_is_made_visible(tmp_path):
    tags = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}
    path = make_clip(
        tmp_path / "h.mkv", codec="libx265", pixels="yuv420p10le", colour=tags, frames=3,
        options={"x265-params": "log-level=none:pools=1"},
    ) if "libx265" in av.codecs_available else make_clip(tmp_path / "h.mkv", codec="ffv1", pixels="yuv420p10le",
                                                         colour=tags, frames=3)  # fmt: skip
    picture = container.contents(path).picture
    assert (picture.primaries, picture.transfer, picture.matrix, picture.hdr) == ("bt2020", "pq", "bt2020", "pq")
    assert picture.bits == 10
    assert all_frames(path)[0].rgb.dtype == np.uint8


@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_brighter_hdr_is_brighter_and_reference_white_is_no_longer_clipped(transfer):
    ramp = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None], 3, axis=2)
    shown = hdr.for_looking(ramp, transfer)[0, :, 1].astype(int)
    assert (np.diff(shown) >= 0).all()
    assert shown[0] == 0
    assert shown[-1] == 255
    white = {"pq": 0.5807, "hlg": 0.75}[transfer]  # reference white of BT.2408: 203 cd/m²
    assert 170 < np.interp(white * 63, np.arange(64), shown) < 240


def test_several_streams_are_told_and_the_default_is_shown(shared):
    path = shared / "video" / "nasa_13013.mp4"
    facts = container.contents(path)
    assert [p.width for p in facts.pictures] == [480, 320]
    assert len(facts.sounds) == 2
    assert facts.subtitles == 2
    assert len(all_frames(path, stream=facts.pictures[1].index)) == 325


def test_a_phone_clip_has_the_frames_its_packets_have(shared):
    path = shared / "video" / "phone_dog.mp4"
    times = container.timing(path)
    assert times.variable
    assert [s.at for s in all_frames(path)] == [times.at(i) for i in range(41)]


# ---------------------------------------------------------------- damage


def test_a_clip_that_was_never_finished_says_so(tmp_path):
    whole = make_clip(tmp_path / "w.mp4", frames=40).read_bytes()
    (tmp_path / "a.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    with pytest.raises(Truncated, match=r"moov.*missing"):
        container.contents(tmp_path / "a.mp4")


def test_without_sound_or_without_picture(tmp_path):
    silent = container.contents(make_clip(tmp_path / "a.mp4"))
    assert "It has no sound." in silent.notes
    with pytest.raises(NotMedia, match="no sound"):
        sound.read(tmp_path / "a.mp4")
    make_sound(tmp_path / "b.mp4", sine(0.4), codec="aac")
    facts = container.contents(tmp_path / "b.mp4")
    assert facts.picture is None
    with pytest.raises(NotMedia, match="no picture"):
        all_frames(tmp_path / "b.mp4")
    with pytest.raises(NotMedia, match="no picture"):
        container.timing(tmp_path / "b.mp4")


def test_a_wrong_duration_is_counted_right(tmp_path):
    path = make_clip(tmp_path / "a.mkv", frames=25)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3  # Duration, eight bytes
    struct.pack_into(">d", data, at, 900 * struct.unpack_from(">d", data, at)[0])
    path.write_bytes(data)
    assert container.contents(path).duration_s > 800
    assert container.timing(path).duration_s == 1


def test_times_below_zero_begin_at_the_first_frame(tmp_path):
    path = make_clip(tmp_path / "n.nut", frames=10, pts=list(range(-4, 6)), time_base=Fraction(1, 25))
    times = container.timing(path)
    assert times.at(0) == 0
    assert times.rate == 25
    assert [s.at for s in all_frames(path)] == [Fraction(i, 25) for i in range(10)]


def test_a_clock_that_runs_over_goes_on(tmp_path):
    path = make_clip(
        tmp_path / "w.ts", frames=10, codec="mpeg2video", later=(1 << 33) // 3600 - 3,
        container_options={"mpegts_copyts": "1"},
    )  # fmt: skip
    times = container.timing(path)
    assert times.rate == 25
    assert len(times.pts) == 10
    assert [round(s.at * 25) for s in all_frames(path)] == list(range(10))


def test_a_clip_of_no_rate_is_timed_by_its_frames(tmp_path):
    path = make_clip(tmp_path / "a.avi", frames=10)
    data = bytearray(path.read_bytes())
    strh = data.index(b"strh") + 8
    struct.pack_into("<II", data, strh + 20, 0, 0)  # scale and rate
    path.write_bytes(data)
    with contextlib.suppress(Unsupported):
        times = container.timing(path)
        assert len(times.pts) == 10
        assert times.rate is None or times.rate > 0


def test_a_picture_that_changes_its_size_is_shown_at_that_of_the_first(tmp_path):
    one, two = (
        make_clip(tmp_path / f"{n}.ts", size=size, codec="mpeg2video", shift=shift)
        for n, size, shift in ((1, (96, 64), 0), (2, (128, 96), 12))
    )
    path = tmp_path / "a.ts"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    trouble = video.Trouble(sizes=set())
    shapes = {s.rgb.shape for s in all_frames(path, trouble=trouble)}
    assert shapes == {(64, 96, 3)}
    assert "changes its size" in trouble.notes()[0]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "avi"])
def test_a_cut_clip_gives_what_it_holds_or_says_why_not(tmp_path, suffix):
    whole = make_clip(tmp_path / f"w.{suffix}", frames=60, codec="mpeg2video" if suffix == "ts" else "mpeg4")
    path = tmp_path / f"c.{suffix}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    count, refused = 0, None
    try:
        count = len(all_frames(path))
    except MediaError as error:
        refused = error
    assert 0 < count < 60 or (refused is not None and refused.remedy)


@pytest.mark.parametrize("content", [b"", b"no clip at all, only text\n" * 90, bytes(4000)])
def test_what_is_no_clip_is_refused(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(MediaError) as refused:
        container.contents(tmp_path / "a.mp4")
    assert refused.value.remedy


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(Unreadable, match="no longer there"):
        container.contents(tmp_path / "none.mp4")


# ---------------------------------------------------------------- sound


def test_sound_comes_in_blocks_with_exact_times(tmp_path):
    path = make_sound(tmp_path / "a.wav", sine(2.5))
    found = list(sound.blocks(path))
    assert [(b.at, len(b.samples)) for b in found] == [(0, 48000), (1, 48000), (2, 24000)]
    joined = np.concatenate([b.samples for b in found])[:, 0]
    assert np.abs(joined - sine(2.5)).max() < 1e-4


def test_sound_is_resampled_and_mixed_down(tmp_path):
    stereo = np.stack([sine(1), sine(1)], axis=1)
    path = make_sound(tmp_path / "a.flac", stereo, codec="flac")
    block = sound.read(path, rate=16000, mono=True)
    assert block.samples.shape == (16000, 1)
    assert np.sqrt(np.mean(block.samples**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.02)


def test_sound_beside_a_picture_is_timed_from_the_first_frame(tmp_path):
    path = make_clip(tmp_path / "a.mkv", frames=25, sound_s=1, shift=5)
    first = next(sound.blocks(path))
    assert first.at == Fraction(-1, 5)


def test_missing_sound_is_filled_with_silence(tmp_path):
    path = tmp_path / "g.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=48000)
        stream.layout = "mono"
        for start in (0, 48000, 144000):
            frame = av.AudioFrame.from_ndarray(np.full((1, 48000), 9000, np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            for packet in stream.encode(frame):
                out.mux(packet)
    holes = sound.Holes()
    joined = np.concatenate([b.samples for b in sound.blocks(path, holes=holes)])
    assert len(joined) == 4 * 48000
    assert holes.filled_s == 1
    assert np.abs(joined[2 * 48000 + 100 : 3 * 48000 - 100]).max() == 0


@pytest.mark.parametrize("laces", [[1] * 12, [4, 4, 4], [1, 2, 1, 2, 2, 4]])
def test_frames_that_share_a_block_of_matroska_are_counted_and_timed(tmp_path, laces):
    path = make_laced(tmp_path / "laced.mkv", laces)
    facts = container.contents(path)
    timing = container.timing(path)
    seen = list(video.frames(path, facts=facts))
    assert len(timing.pts) == len(seen) == 12
    assert (timing.rate, timing.variable) == (25, False)
    assert [timing.at(n) for n in range(12)] == [still.at for still in seen] == [Fraction(n, 25) for n in range(12)]
    assert np.all(np.diff([still.rgb[40, 60, 0] for still in seen]) > 0)


def test_what_is_rendered_of_shared_blocks_is_what_was_seen(tmp_path):
    clip = material(make_laced(tmp_path / "laced.mkv", [4, 4, 4]))
    cut = assembly.assemble([clip], [Piece(clip=0, start=2, end=9)], name="x")
    render.render(cut, tmp_path / "film.mp4", preview=True)
    grey = [float(still.rgb[40, 60, 0]) for still in video.frames(tmp_path / "film.mp4")]
    assert np.allclose(grey, [20 + 6 * n for n in range(2, 9)], atol=4)
