"""Proxies show what the clip shows when it shows it."""

from fractions import Fraction

import av
import numpy as np
import pytest

from safelight import soundtrack
from safelight.errors import MediaError, NotMedia
from safelight.files import PART
from safelight.media import container, proxies, sound, video, waveform
from safelight.media.sound import Block
from tests.made_clips import make_clip, make_sound, sine

NTSC = Fraction(30000, 1001)


def times(path):
    return [s.at for s in video.frames(path)]


def left(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(PART)]


def tone_from(silence_s, *, seconds=1.0):
    return np.concatenate([np.zeros(round(silence_s * 48000), np.float32), sine(seconds, 1000.0)])


def onset(path):
    """When a tone begins that nothing precedes, in the clip's time."""
    for block in sound.blocks(path, mono=True):
        loud = np.flatnonzero(np.abs(block.samples[:, 0]) > 0.05)
        if len(loud):
            return float(block.at) + int(loud[0]) / block.rate
    return None


def test_frames_and_sound_keep_their_times(tmp_path):
    path = make_clip(tmp_path / "a.mov", frames=40, rate=NTSC, heard=tone_from(0.5))
    made = proxies.proxy(path, tmp_path / "cache")
    assert times(made) == times(path) == [i / NTSC for i in range(40)]
    assert onset(made) == pytest.approx(onset(path), abs=0.001)
    told = proxies.about(made)
    assert (told.frames, told.notes) == (40, ())
    assert told.end == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize("pts", [[0, 40, 80, 200, 233, 266, 400, 433], [900, 940, 1300, 1301, 1302, 5000]])
def test_a_variable_rate_stays_as_it_is(tmp_path, pts):
    path = make_clip(tmp_path / "v.mkv", frames=len(pts), pts=pts, time_base=Fraction(1, 1000))
    made = proxies.proxy(path, tmp_path)
    assert times(made) == [Fraction(p - pts[0], 1000) for p in pts]


def test_sound_that_begins_before_the_picture_stays_in_its_place(tmp_path):
    path = make_clip(tmp_path / "o.mkv", frames=30, heard=tone_from(0.6), shift=5)
    assert onset(path) == pytest.approx(0.4, abs=0.002)
    made = proxies.proxy(path, tmp_path)
    assert times(made) == times(path)
    assert onset(made) == pytest.approx(0.4, abs=0.002)


def test_sound_later_than_the_picture_begins_with_silence(tmp_path):
    blocks = [Block(at=Fraction(1, 4), samples=np.ones((48000, 1), np.float32), rate=48000)]
    job = proxies._Job(tmp_path, None, height=540, tell=lambda _: None)
    samples = np.concatenate(list(job._first(iter(blocks), 1)))
    assert len(samples) == 60000
    assert (int(samples[:12000].sum()), int(samples[12000:].sum())) == (0, 48000)


def test_it_is_upright_of_square_pixels_and_never_larger(tmp_path):
    path = make_clip(tmp_path / "r.mp4", size=(192, 128), rotation=90, aspect=Fraction(3, 2))
    made = proxies.proxy(path, tmp_path, height=64)
    picture = container.contents(made).picture
    assert (picture.rotation, picture.aspect) == (0, 1)
    source = container.contents(path).picture
    assert picture.width / picture.height == pytest.approx(source.width * source.aspect / source.height, rel=0.05)
    assert min(picture.width, picture.height) == 64
    one, two = (next(video.frames(p, long_side=64)).rgb.astype(int) for p in (path, made))
    assert np.abs(one - np.asarray(two)[: one.shape[0], : one.shape[1]]).mean() < 8
    large = container.contents(proxies.proxy(path, tmp_path, height=2000)).picture
    assert (large.width, large.height) == (86, 192)


def test_colours_stay_whatever_the_clip_was_tagged_with(tmp_path):
    looks = []
    for name, tags in (("a", {"colorspace": 1}), ("b", {"colorspace": 5})):
        path = make_clip(tmp_path / f"{name}.mkv", codec="libx264", colour=tags, frames=3)
        shown = path, proxies.proxy(path, tmp_path)
        looks += [next(video.frames(p)).rgb.astype(float).mean((0, 1)) for p in shown]
    assert np.abs(looks[0] - looks[1]).max() < 3
    assert np.abs(looks[2] - looks[3]).max() < 3


def test_high_range_is_mapped_for_looking(tmp_path):
    path = make_clip(
        tmp_path / "h.mkv", codec="libx265", pixels="yuv420p10le", frames=3, step=0,
        colour={"color_primaries": 9, "color_trc": 16, "colorspace": 9},
    )  # fmt: skip
    assert container.contents(path).picture.hdr == "pq"
    made = proxies.proxy(path, tmp_path)
    picture = container.contents(made).picture
    assert (picture.hdr, picture.transfer, picture.bits) == (None, "bt709", 8)
    one, two = (next(video.frames(p)).rgb.astype(float).mean() for p in (path, made))
    assert abs(one - two) < 4


def combed(path, *, frames=10):
    """A bar that moves between the fields of a frame, top field first."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg2video", rate=25, options={"flags": "+ilme+ildct", "top": "1"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for i in range(frames):
            rgb = np.full((96, 128, 3), 40, np.uint8)
            for field in (0, 1):
                rgb[field::2, 8 * i + 4 * field : 8 * i + 4 * field + 24] = 220
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def comb(path):
    """How much neighbouring lines differ beside how much those two apart do."""
    rows = [s.rgb[..., 1].astype(float) for s in video.frames(path)][2:-2]
    return float(np.mean([np.abs(np.diff(r, axis=0)).mean() / (np.abs(r[2:] - r[:-2]).mean() + 0.5) for r in rows]))


def test_fields_are_woven_into_whole_frames(tmp_path):
    path = combed(tmp_path / "i.mpg")
    assert container.contents(path).picture.fields == "top"
    made = proxies.proxy(path, tmp_path)
    assert len(times(made)) == 10
    assert times(made) == pytest.approx(times(path), abs=1e-4)
    assert comb(path) > 3
    assert comb(made) < 1.5


def test_a_key_frame_is_never_far(tmp_path):
    made = proxies.proxy(make_clip(tmp_path / "k.mkv", frames=60, options={"g": "600"}), tmp_path)
    with av.open(str(made)) as source:
        keys = [float(p.pts * p.time_base) for p in source.demux(video=0) if p.size and p.is_keyframe]
    assert keys[0] == 0
    assert max(np.diff([*keys, 60 / 25])) <= 0.56


def test_a_clip_that_breaks_off_is_copied_as_far_as_it_goes(tmp_path):
    path = make_clip(tmp_path / "t.mkv", frames=100, codec="mjpeg", pixels="yuvj420p", step=1)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    made = proxies.proxy(path, tmp_path)
    told = proxies.about(made)
    assert 40 < told.frames < 80
    assert len(times(made)) == told.frames
    broken = make_clip(tmp_path / "m.mp4", frames=50, container_options={"movflags": "+faststart"})
    broken.write_bytes(broken.read_bytes()[:-400])
    assert any("ends early" in n or "before the end" in n for n in proxies.about(proxies.proxy(broken, tmp_path)).notes)


def test_what_cannot_be_played_leaves_nothing_behind(tmp_path):
    path, cache = tmp_path / "x.mp4", tmp_path / "cache"
    path.write_bytes(b"\0" * 5000)
    with pytest.raises(MediaError):
        proxies.proxy(path, cache)
    with pytest.raises(MediaError):
        proxies.proxy(tmp_path / "gone.mp4", cache)
    assert not cache.exists() or not list(cache.iterdir())


def test_work_that_is_called_off_leaves_nothing_behind(tmp_path):
    path, cache = make_clip(tmp_path / "a.mov", frames=50, sound_s=2.0), tmp_path / "cache"

    def tell(at):
        if at > Fraction(1):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        proxies.proxy(path, cache, tell=tell)
    assert list(cache.iterdir()) == []
    assert proxies.about(proxies.proxy(path, cache)).frames == 50


def test_it_is_made_once_and_anew_for_another_file(tmp_path):
    cache = tmp_path / "cache"
    path = make_clip(tmp_path / "a.mov", frames=5, sound_s=0.2)
    first, heard = proxies.proxy(path, cache), proxies.peaks(path, cache)
    stamp = first.stat().st_mtime_ns, heard.stat().st_mtime_ns
    assert proxies.proxy(path, cache) == first
    assert proxies.peaks(path, cache) == heard
    assert (first.stat().st_mtime_ns, heard.stat().st_mtime_ns) == stamp
    assert proxies.proxy(path, cache, height=32) != first
    (tmp_path / "other").mkdir()
    make_clip(tmp_path / "other" / "a.mov", frames=5, sound_s=0.2)
    assert proxies.proxy(tmp_path / "other" / "a.mov", cache) != first
    make_clip(path, frames=7, sound_s=0.3)
    assert proxies.about(proxies.proxy(path, cache)).frames == 7
    assert proxies.peaks(path, cache) != heard
    assert left(cache) == []


def test_a_sound_alone_has_a_proxy_too(tmp_path):
    path = make_sound(tmp_path / "s.wav", tone_from(0.3))
    made = proxies.proxy(path, tmp_path)
    assert container.contents(made).picture is None
    assert onset(made) == pytest.approx(0.3, abs=0.002)


# ---------------------------------------------------------------- peaks


def pairs(path):
    return np.frombuffer(path.read_bytes(), "<i2").reshape(-1, 2) / 32767


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_peaks_lie_where_the_sound_is(tmp_path, rate):
    samples = np.zeros((2 * rate, 2), np.float32)
    samples[rate // 2, 0], samples[rate, 1] = 0.5, -0.25
    found = pairs(proxies.peaks(make_sound(tmp_path / "s.wav", samples, rate=rate), tmp_path))
    assert len(found) == 200
    assert found[rate // 2 * 100 // rate] == pytest.approx([0, 0.5], abs=1e-3)
    assert found[100] == pytest.approx([-0.25, 0], abs=1e-3)
    assert np.abs(found).sum() == pytest.approx(0.75, abs=0.01)


def test_quiet_speech_is_seen(tmp_path):
    found = pairs(proxies.peaks(make_sound(tmp_path / "q.wav", sine(1.0, level=0.003)), tmp_path))
    assert (found[5:-5, 1] > 0.0025).all()
    assert (found[5:-5, 0] < -0.0025).all()


def test_peaks_follow_the_clips_time(tmp_path):
    heard = waveform.Peaks()
    ones = np.ones((1000, 1), np.float32)
    for at in (Fraction(-1, 2), Fraction(1, 2), Fraction(505, 1000), Fraction(2)):
        heard.hear(Block(at=at, samples=ones[: 5 if at == Fraction(1, 2) else 600], rate=1000))
    found = np.frombuffer(heard.data, "<i2").reshape(-1, 2)[:, 1] > 0
    assert len(found) == 260
    assert found[:10].all()
    assert not found[10:50].any()
    assert found[50:110].all()
    assert not found[111:200].any()
    assert found[200:].all()


def test_the_reading_that_listens_makes_them_too(tmp_path):
    path = make_clip(tmp_path / "a.mov", frames=50, heard=tone_from(0.5), shift=5)
    soundtrack.read(path, container.contents(path), tmp_path / "heard")
    heard = proxies.peaks_place(path, tmp_path / "heard")
    assert heard.exists()
    assert heard.read_bytes() == proxies.peaks(path, tmp_path).read_bytes()


def test_a_clip_without_sound_has_no_peaks(tmp_path):
    with pytest.raises(NotMedia):
        proxies.peaks(make_clip(tmp_path / "a.mov", frames=3), tmp_path)
    assert not list(tmp_path.glob("*.peaks"))
