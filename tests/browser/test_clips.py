"""Clips and sounds on the Cull page: seen, played, and never decided."""

import pytest

from bench._browser import Server
from safelight.api import Library
from safelight.line import Options
from tests.browser.conftest import cull, model, until
from tests.conftest import START, save_jpeg, textured
from tests.made_clips import make_clip, make_sound, sine


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "shoot"
    for i in range(2):
        save_jpeg(folder / f"IMG_{i}.JPG", textured(i), taken=START)
    make_clip(folder / "played.webm", codec="libvpx-vp9", frames=50, rate=25)
    make_clip(folder / "quick.mov", codec="libx264", frames=25, rate=25, sound_s=1)
    make_clip(folder / "old.mp4", codec="mpeg4", frames=10)
    make_sound(folder / "wild.wav", sine(3))
    with Library.open(tmp_path / "library") as library:
        library.run(folder, options=Options(engine="inline"))
    server = Server(folder, tmp_path / "library")
    server.start()
    yield server
    server.kill()


def go(page, path):
    page.evaluate("(path) => { const m = document.querySelector('sl-cull').model; "
                  "m.go([...m.photos.values()].find((p) => p.path === path).id); }", path)  # fmt: skip


def test_clips_are_seen_and_played_and_keys_say_nothing_about_them(page, server):
    cull(page, server)
    until(page, "document.querySelectorAll('.cell sl-thumb[data-drawn]').length === 6")
    counts = page.locator(".cell .count").all_text_contents()
    assert sorted(counts) == ["", "", "▶ 0.4 s", "▶ 0:01", "▶ 0:02", "♪ 0:03"]
    assert "2 photos · 4 clips and sounds" in page.locator("#status").text_content()
    go(page, "played.webm")
    page.keyboard.press("Space")
    until(page, "document.querySelector('sl-loupe video').readyState >= 1")
    assert page.evaluate("() => document.querySelector('sl-loupe video').duration") == pytest.approx(2, abs=0.1)
    page.evaluate("() => document.querySelector('sl-loupe video').play()")
    for key in ("p", "x", "3", "b"):
        page.keyboard.press(key)
        assert "not culled" in page.locator("#told").text_content()
    page.keyboard.press("z")
    assert "not magnified" in page.locator("#told").text_content()
    assert model(page, "[m.waiting, m.counts.kept, m.counts.rejected, m.at(m.current).decision]") == [0, 0, 0, "none"]
    page.keyboard.press("Space")
    assert page.evaluate("() => document.querySelector('sl-loupe video').paused")
    page.keyboard.press("Space")
    go(page, "quick.mov")
    until(page, "document.querySelector('sl-loupe video')?.readyState >= 2")
    go(page, "wild.wav")
    until(page, "document.querySelector('sl-loupe audio')?.readyState >= 1")
    until(page, "document.querySelector('sl-loupe .still').naturalWidth === 1600")
    go(page, "old.mp4")
    until(
        page, "document.querySelector('sl-loupe .clip figcaption')?.textContent.includes('browsers do not play mpeg4')"
    )
    assert "proposed" not in page.locator("sl-why").text_content()
    go(page, "IMG_0.JPG")
    until(page, "document.querySelector('sl-loupe sl-stage')?.dataset.drawn")
    page.keyboard.press("p")
    until(page, "document.querySelector('sl-cull').model.counts.kept === 1")
