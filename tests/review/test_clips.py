"""Clips and sounds in the app: listed, shown and played, and never decided."""

import shutil

import numpy as np
import pytest

from safelight import report
from safelight.domain import Asset, Kind, Measure
from safelight.line import Options
from safelight.media import image, waveform
from safelight.media.sound import Block
from safelight.review import clips
from safelight.state import Footage
from safelight.store.objects import ShootFolder
from safelight.words import lasting
from tests.made_clips import make_clip, make_sound, sine
from tests.review.conftest import TOKEN

HOSTILE = '<img src=x onerror=alert(1)>"&\u202e.wav'


@pytest.fixture
def shoot(library, tmp_path):
    """The shoot with a clip that browsers play, one that they do not, and a sound with a hostile name."""
    folder = tmp_path / "shoot"
    make_clip(folder / "played.webm", codec="libvpx-vp9", frames=30, rate=25)
    make_clip(folder / "old.mp4", codec="mpeg4", frames=10)
    make_sound(folder / HOSTILE, np.concatenate([sine(2), sine(1) * 0]))
    library.run(folder, options=Options(engine="inline"))
    return folder


@pytest.fixture
def played(shoot, open_app):
    return open_app(shoot)


def listed(app):
    return {clip["path"]: clip for clip in app.get("photos")["clips"]}


def address(app, clip, what="play"):
    return f"/shoots/{app.shoot}/photos/{clip['id']}/{what}"


def test_they_are_listed_beside_the_photos_and_nothing_is_said_of_them(played):
    found = played.get("photos")
    assert found["counts"]["photos"] == len(found["photos"]) == 7
    by_path = listed(played)
    assert len(by_path) == 3
    clip = by_path["played.webm"]
    assert (clip["kind"], clip["duration"], clip["unplayable"]) == ("video", pytest.approx(1.2), "")
    assert (clip["decision"], clip["decided"], clip["proposed"], clip["open"]) == ("none", False, None, [])
    assert "mpeg4" in by_path["old.mp4"]["unplayable"]
    assert played.get(f"photos?since={found['revision']}")["clips"] is None
    for path, body in (
        ("choices", {"keep": [clip["id"]]}), ("marks", {"photos": [clip["id"]], "rating": 3}),
        ("verdicts", {"photos": [clip["id"]], "say": "approve"}),
    ):  # fmt: skip
        assert "no such photo" in played.post(path, body, status=400)["cause"]


def test_the_original_is_played_in_parts(played, shoot):
    for path, kind in (("played.webm", "video/webm"), (HOSTILE, "audio/wav")):
        clip = next(c for p, c in listed(played).items() if p.endswith(path[-4:]))
        data = (shoot / path).read_bytes()
        whole = played.client.get(address(played, clip))
        assert (whole.status_code, whole.headers["content-type"], whole.content) == (200, kind, data)
        assert whole.headers["accept-ranges"] == "bytes"
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert "media-src 'self'" in whole.headers["content-security-policy"]
        part = played.client.get(address(played, clip), headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, data[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"
        last = played.client.get(address(played, clip), headers={"Range": "bytes=-5"})
        assert (last.status_code, last.content) == (206, data[-5:])
        beyond = played.client.get(address(played, clip), headers={"Range": f"bytes={len(data)}-"})
        assert beyond.status_code == 416


def test_nobody_plays_without_the_key(played):
    for clip in listed(played).values():
        for what in ("play", "thumb.jpg", "proxy.jpg"):
            for headers in ({"Authorization": ""}, {"Authorization": f"Bearer {TOKEN}x"}):
                answer = played.client.get(address(played, clip, what), headers=headers)
                assert (answer.status_code, "printed" in answer.text) == (401, True)
        assert played.client.get(address(played, clip), headers={"Host": "evil.example"}).status_code == 421
        assert played.client.post(address(played, clip)).status_code == 405


def test_what_is_no_clip_is_not_played(played, shoot):
    photo = played.photos()["IMG_0000.JPG"]["id"]
    for name in ("f" * 64, photo, "x", "%2e%2e", "..%2f..%2fetc%2fpasswd", "played.webm", "%00"):
        assert played.client.get(f"/shoots/{played.shoot}/photos/{name}/play").status_code == 404, name
    answer = played.client.get(address(played, listed(played)["old.mp4"]))
    assert (answer.status_code, "mpeg4" in answer.json()["cause"]) == (415, True)


def test_a_link_put_in_the_place_of_a_clip_leads_nowhere(played, shoot, tmp_path):
    clip = listed(played)["played.webm"]
    (tmp_path / "secret.webm").write_bytes(b"secret")
    (shoot / "played.webm").unlink()
    assert played.client.get(address(played, clip)).status_code == 404
    (shoot / "played.webm").symlink_to(tmp_path / "secret.webm")
    answer = played.client.get(address(played, clip))
    assert (answer.status_code, b"secret" in answer.content) == (404, False)


def test_pictures_are_those_of_the_run_and_are_made_again(played, shoot, mark_times):
    before = mark_times(shoot)
    for again in (False, True):
        if again:
            shutil.rmtree(shoot / ".safelight" / "cache")
        for clip in listed(played).values():
            for what, side in (("thumb.jpg", 360), ("proxy.jpg", 1600), ("full.jpg", 1600)):
                answer = played.client.get(address(played, clip, what))
                assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
                (shoot.parent / "got.jpg").write_bytes(answer.content)
                longest = max(image.read(shoot.parent / "got.jpg").shape)
                assert longest == (side if clip["kind"] == "audio" else 96)
    assert mark_times(shoot) == before


def test_a_waveform_is_high_where_it_is_loud():
    levels: list[float] = []
    samples = np.concatenate([sine(2, level=0.5), sine(2) * 0, sine(1, level=1.0)])[:, None]
    blocks = [Block(at=0, samples=samples[i : i + 48000], rate=48000) for i in range(0, len(samples), 48000)]
    assert len(list(waveform.heard(blocks, levels))) == len(blocks)
    assert len(levels) == 5 * waveform.A_SECOND
    high = (waveform.drawn(levels)[..., 0] == waveform.INK).sum(axis=0) / waveform.HEIGHT
    fifths = [high[i * 320 + 20 : i * 320 + 300].mean() for i in range(5)]
    assert fifths == pytest.approx([0.48, 0.48, 0, 0, 0.96], abs=0.02)
    assert waveform.drawn([0.5]).shape == (waveform.HEIGHT, waveform.WIDTH, 3)


@pytest.mark.parametrize(
    ("kind", "form", "picture", "sounds", "why"),
    [
        (Kind.VIDEO, "mp4", ("h264", "yuv420p"), ["aac"], ""),
        (Kind.VIDEO, "mp4", ("h264", "yuv422p10le"), ["aac"], "yuv422p10le"),
        (Kind.VIDEO, "mp4", ("hevc", "yuv420p"), ["aac"], "hevc"),
        (Kind.VIDEO, "webm", ("av1", "yuv420p10le"), [], ""),
        (Kind.VIDEO, "mov", ("h264", "yuv420p"), ["pcm_s16le"], ""),
        (Kind.VIDEO, "mov", ("prores", "yuv422p10le"), ["pcm_s16le"], "prores"),
        (Kind.VIDEO, "avi", ("h264", "yuv420p"), ["aac"], "avi"),
        (Kind.VIDEO, "mp4", ("h264", "yuv420p"), ["ac3"], "ac3"),
        (Kind.AUDIO, "m4a", None, ["alac"], "alac"),
        (Kind.AUDIO, "flac", None, ["flac"], ""),
    ],
)
def test_what_browsers_play(kind, form, picture, sounds, why):
    facts = {"clip.sounds": Measure(name="clip.sounds", value=[{"codec": s} for s in sounds])}
    if picture:
        facts["clip.picture"] = Measure(name="clip.picture", value=dict(zip(("codec", "pixels"), picture, strict=True)))
    asset = Asset(id="a" * 64, content=None, kind=kind, format=form, width=None, height=None)
    found = clips.unplayable(Footage(id=asset.id, path="x", asset=asset, facts=facts))
    assert (why in found, bool(found)) == (True, bool(why))


def test_lengths_in_words():
    assert [lasting(s) for s in (0.44, 7.4, 59.6, 3723)] == ["0.4 s", "0:07", "1:00", "1:02:03"]


def test_the_report_shows_them_with_length_and_shots(library, shoot):
    page = report.page(library.store, library.state(shoot), ShootFolder.at(shoot))
    part = page[page.index('id="clips"') :]
    assert part.count("data:image/jpeg;base64,") >= 3
    assert "clip, 0:01, 1 shot<br>played.webm" in part
    assert "sound, 0:03<br>" in part
    assert "<img src=x" not in page
