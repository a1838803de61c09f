"""Clips of every kind that is promised, and every kind of broken one, as a first pass looks at them: all of it, or what
is missing with the reason."""

import re
import struct
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from safelight import footage
from safelight.domain import Kind
from safelight.errors import MediaError
from safelight.media import container, proxies, video
from safelight.shotlog import rows_of
from safelight.state import Footage
from tests.made_clips import make_clip, make_sound, sine

KINDS = {
    "mp4-h264": ("a.mp4", {"codec": "libx264"}),
    "mp4-h265": ("a.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none:pools=1"}}),
    "mov-prores": ("a.mov", {"codec": "prores_ks", "pixels": "yuv422p10le"}),
    "mov-dnxhr": ("a.mov", {"codec": "dnxhd", "pixels": "yuv422p", "size": (256, 120),
                            "options": {"profile": "dnxhr_lb"}}),
    "mov-animation": ("a.mov", {"codec": "qtrle", "pixels": "rgb24"}),
    "mov-jpeg": ("a.mov", {"codec": "mjpeg", "pixels": "yuvj422p"}),
    "mxf-mpeg2": ("a.mxf", {"codec": "mpeg2video"}),
    "mkv-ffv1": ("a.mkv", {"codec": "ffv1", "pixels": "yuv444p"}),
    "webm-vp9": ("a.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}),
    "mkv-av1": ("a.mkv", {"codec": "libsvtav1", "options": {"preset": "12"}}),
    "avi-mpeg4": ("a.avi", {}),
    "mpg-mpeg2": ("a.mpg", {"codec": "mpeg2video"}),
    "odd-sizes": ("a.mkv", {"codec": "ffv1", "size": (101, 67)}),
    "narrow": ("a.mkv", {"codec": "ffv1", "size": (16, 200)}),
    "one-frame": ("a.mp4", {"frames": 1}),
    "8k": ("a.mkv", {"codec": "mjpeg", "pixels": "yuvj420p", "size": (7680, 4320), "frames": 2}),
    "turned": ("a.mp4", {"rotation": 90, "size": (160, 96)}),
    "wide-pixels": ("a.mkv", {"aspect": Fraction(16, 11)}),
    "interlaced": ("a.mpg", {"codec": "mpeg2video", "options": {"flags": "+ildct+ilme", "top": "1"}}),
    "variable": ("a.mkv", {"pts": [0, 3, 4, 9, 12, 13, 20, 21, 22, 30, 31, 40], "time_base": Fraction(1, 100)}),
}  # fmt: skip


def watched(path):
    """Who it is and what its picture shows, as two steps of a run say it."""
    cache = path.parent / "cache"
    made = footage.watch(footage.Watch(path=path.name, full=path, cache=cache))
    if made.asset is None or made.asset.kind is not Kind.VIDEO:
        return made
    place = cache / made.asset.id[:2] / made.asset.id
    seen = footage.see(footage.See(asset=made.asset.id, full=path, place=place, seconds=1))
    return replace(made, measures=made.measures + seen.measures)


def made_of(kind, folder):
    """A clip of this kind, and how it was made; skipped where FFmpeg cannot."""
    name, how = KINDS[kind]
    how = {"frames": 12, "size": (256, 144)} | how
    if how.get("codec", "mpeg4") not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {how['codec']}")
    return make_clip(folder / name, **how), how


def facts(made):
    return {m.name: m for m in made.measures}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_clip_is_looked_at_and_logged(tmp_path, kind):
    path, how = made_of(kind, tmp_path)
    name, made = path.name, watched(path)
    assert made.error is None
    found = facts(made)
    assert found["clip.frames"].value == how["frames"]
    assert found["shots"].value == []
    (fact,) = found["shots.facts"].value
    assert 0 <= fact["key_frame"] < how["frames"]
    (row,) = rows_of(Footage(id=made.asset.id, path=name, asset=made.asset, facts=found))
    assert (row.start_frame, row.end_frame) == (0, how["frames"])
    folder = tmp_path / "cache" / made.asset.id[:2] / f"{made.asset.id}{footage.KEYS}"
    shown = folder / f"{fact['key_frame']:07d}.jpg"
    assert shown.is_file()
    assert found["faults.picture"].cannot_tell is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_clip_has_a_proxy_in_its_own_time(tmp_path, kind):
    path, _ = made_of(kind, tmp_path)
    made = proxies.proxy(path, tmp_path / "cache")
    shown, facts_ = container.contents(made).picture, container.contents(path).picture
    assert [s.at for s in video.frames(made)] == pytest.approx([s.at for s in video.frames(path)], abs=1e-5)
    assert min(shown.width, shown.height) <= 540
    wide, high = facts_.width * facts_.aspect, facts_.height
    assert shown.width / shown.height == pytest.approx(float(wide / high), rel=2.5 / min(shown.width, shown.height))
    assert proxies.about(made).notes == ("It has no sound.",)


def test_what_a_key_frame_shows_is_upright(tmp_path):
    made = watched(make_clip(tmp_path / "a.mp4", rotation=90, size=(160, 96)))
    folder = tmp_path / "cache" / made.asset.id[:2] / f"{made.asset.id}{footage.KEYS}"
    (shown,) = folder.iterdir()
    with av.open(str(shown)) as picture:
        frame = next(picture.decode(video=0))
    assert (frame.width, frame.height) == (96, 160)


@pytest.mark.parametrize(("suffix", "codec"), [("mov", "mpeg4"), ("mxf", "mpeg2video")])
def test_reels_and_drop_frame_labels_reach_the_log(tmp_path, suffix, codec):
    path = make_clip(
        tmp_path / f"a.{suffix}", codec=codec, rate=Fraction(30000, 1001), tags={"timecode": "01:08:59;28"}
        | ({"reel_name": "B7"} if suffix == "mxf" else {}), stream_tags={"reel_name": "B7", "timecode": "01:08:59;28"},
    )  # fmt: skip
    made = watched(path)
    (row,) = rows_of(Footage(id=made.asset.id, path=path.name, asset=made.asset, facts=facts(made)))
    assert (row.reel, row.label_in, row.label_out) == ("B7", "01:08:59;28", "01:09:00;12")


def test_hdr_is_shown_tone_mapped_and_its_exposure_not_told(tmp_path):
    tags = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}
    made = watched(make_clip(tmp_path / "h.mkv", codec="ffv1", pixels="yuv420p10le", colour=tags))
    found = facts(made)
    assert found["clip.colour"].value["hdr"] == "pq"
    assert "HDR" in found["shots.facts"].value[0]["exposure"]["cannot_tell"]


# ---------------------------------------------------------------- broken ones


def unfinished(path):
    whole = make_clip(path, frames=30).read_bytes()
    path.write_bytes(whole[: whole.index(b"moov") - 4])


def zero_sound(path):
    """A track of sound without a sample."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        out.add_stream("pcm_s16le", rate=48000).layout = "mono"
        for _ in range(12):
            out.mux(stream.encode(av.VideoFrame(96, 64, "yuv420p")))
        out.mux(stream.encode())


def only_sound(path):
    make_sound(path, sine(0.5), codec="aac")


def too_long(path):
    make_clip(path, frames=25)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3
    struct.pack_into(">d", data, at, 900 * struct.unpack_from(">d", data, at)[0])
    path.write_bytes(data)


def below_zero(path):
    make_clip(path, frames=10, pts=list(range(-4, 6)), time_base=Fraction(1, 25))


def runs_over(path):
    options = {"mpegts_copyts": "1"}
    make_clip(path, frames=10, codec="mpeg2video", later=(1 << 33) // 3600 - 3, container_options=options)


def no_rate(path):
    make_clip(path, frames=10)
    data = bytearray(path.read_bytes())
    struct.pack_into("<II", data, data.index(b"strh") + 28, 0, 0)
    path.write_bytes(data)


def two_sizes(path):
    one, two = path.with_name("1.ts"), path.with_name("2.ts")
    make_clip(one, codec="mpeg2video")
    make_clip(two, codec="mpeg2video", size=(128, 96), shift=12)
    path.write_bytes(one.read_bytes() + two.read_bytes())


def half(path):
    whole = make_clip(path, frames=60, codec="mpeg2video").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def torn(path):
    """The index is whole, the frames are noise."""
    data = bytearray(make_clip(path, frames=30, codec="libx264").read_bytes())
    at = data.index(b"mdat") + 8
    end = data.index(b"moov") - 8
    data[at:end] = np.random.default_rng(1).integers(0, 256, end - at, np.uint8).tobytes()
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_bytes(b"no clip at all, only text\n" * 90)


BROKEN = {  # name, how it is made, what the error says, or None and what a note or a "cannot tell" says
    "unfinished": ("a.mp4", unfinished, "index", None),
    "zero-sound": ("a.mov", zero_sound, None, "nothing to hear|no sound"),
    "only-sound": ("a.mp4", only_sound, None, None),
    "too-long": ("a.mkv", too_long, None, r"says that it lasts 900\.0 s; its frames last 1\.0 s"),
    "below-zero": ("a.nut", below_zero, None, "no sound"),
    "runs-over": ("a.ts", runs_over, None, "no sound"),
    "no-rate": ("a.avi", no_rate, None, "no sound"),
    "two-sizes": ("a.ts", two_sizes, None, "changes its size"),
    "half": ("a.ts", half, None, "no sound"),
    "torn": ("a.mp4", torn, "damaged: it promises a picture, but no frame", None),
    "empty": ("a.mp4", empty, "empty|holds nothing|no bytes", None),
    "text": ("a.mp4", text, "not|no clip", None),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_every_kind_of_broken_clip_is_an_error_or_a_stated_loss(tmp_path, kind):
    name, make, error, stated = BROKEN[kind]
    path = tmp_path / name
    make(path)
    made = watched(path)
    if error is not None:
        assert made.error is not None, [m.value for m in made.measures]
        assert made.error["remedy"]
        assert re.search(error, made.error["cause"]), made.error
        return
    assert made.error is None, made.error
    said = " ".join(str(m.value) for m in made.measures if m.name == "file.note")
    said += " ".join(m.cannot_tell or "" for m in made.measures)
    if stated is not None:
        assert re.search(stated, said), said
    if kind == "only-sound":
        assert made.asset.kind is Kind.AUDIO
        return
    found = facts(made)
    if found["shots"].cannot_tell is None:
        rows = rows_of(Footage(id=made.asset.id, path=name, asset=made.asset, facts=found))
        assert rows[0].at == 0
        assert rows[-1].until > 0


@pytest.mark.parametrize("kind", BROKEN)
def test_every_broken_clip_has_a_proxy_of_what_it_holds_or_none(tmp_path, kind):
    name, make, refused, said = BROKEN[kind]
    make(tmp_path / name)
    cache = tmp_path / "cache"
    if refused is not None:
        with pytest.raises(MediaError) as error:
            proxies.proxy(tmp_path / name, cache)
        assert error.value.remedy
        assert not cache.exists() or not list(cache.iterdir())
        return
    told = proxies.about(proxies.proxy(tmp_path / name, cache))
    assert bool(told.frames) is (kind != "only-sound")
    if kind == "two-sizes":
        assert any(re.search(said, note) for note in told.notes)


def test_a_time_that_no_number_holds_costs_the_picture_and_not_the_run(tmp_path, monkeypatch):
    path = make_clip(tmp_path / "a.mp4", frames=12, size=(256, 144))
    read = video.frames

    def strange(*args, **how):
        for number, still in enumerate(read(*args, **how)):
            yield replace(still, at=Fraction(2**70 + number, 3)) if number > 5 else still

    monkeypatch.setattr(video, "frames", strange)
    found = facts(watched(path))
    assert {"shots", "faults.picture"} <= found.keys()
    assert all(found[name].cannot_tell for name in ("shots", "faults.picture"))
