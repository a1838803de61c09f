"""The page of a clip: played, looked at, judged by keys alone; and what is hostile, missing or silent."""

import io
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from bench._browser import WATCH_LONG_TASKS
from safelight.api import Library
from safelight.line import Options
from safelight.review import shortcuts
from tests import made_talk
from tests.browser import golden
from tests.browser.conftest import api, hold, let_go, listening, press_table, serving, until
from tests.browser.test_every_page import FOCUS, REACHABLE
from tests.browser.test_pages import axe
from tests.conftest import START, no_coins, save_jpeg, textured
from tests.made_clips import make_clip, make_sound

HOSTILE = "<img src=x onerror=window.ran=1>'&.wav"
LONGEST_MS = 250  # a busy machine takes longer than the 50 ms of one at rest; what grows with the talk takes seconds
SCRIPT = "<script>window.ran=2</script>"
EVIL = (*made_talk.SAID[:4], (SCRIPT, 4.0, 4.9), ("\u202eevil" * 40, 5.0, 6.6), *made_talk.SAID[10:])


@pytest.fixture(scope="module")
def talks(tmp_path_factory):
    """Two talks, one of them with a picture; a hostile one; one that browsers do not play; one that is silent."""
    place = tmp_path_factory.mktemp("talks")
    folder = place / "shoot"
    folder.mkdir()
    save_jpeg(folder / "IMG_0.JPG", textured(0), taken=START)
    make_clip(folder / "talk.mov", codec="libx264", size=(320, 180), frames=300, options={"g": "12"},
              heard=made_talk.wave())  # fmt: skip
    make_clip(folder / "old.avi", codec="mpeg4", frames=300, heard=made_talk.wave(seed=2))
    make_sound(folder / HOSTILE, made_talk.wave(seed=3))
    make_clip(folder / "still.webm", codec="libvpx-vp9", frames=50)
    no_coins(place / "library")
    with Library.open(place / "library") as library:
        library.run(folder, options=Options(engine="inline", only=("cull",)))
        state = library.state(folder)
        said = {clip.id: EVIL if clip.path == HOSTILE else made_talk.SAID for clip in state.footage.values()}
        silent = {clip.id for clip in state.footage.values() if clip.path == "still.webm"}
        made_talk.known(library, folder, said_in=said, silent=silent)
    return place


@pytest.fixture
def server(talks, tmp_path):
    with serving(talks / "shoot", talks / "library", tmp_path) as made:
        yield made


def opened(page, server, path, *, wait=True):
    """The page of a clip, at rest."""
    if not page.url.startswith(server.address):
        page.goto(server.link)
    clip = next(row["clip"] for row in api(page, "cuts") if row["path"] == path)
    shoot = page.evaluate("document.body.dataset.shoot")
    page.goto(f"{server.address}/shoots/{shoot}/cut/{clip}")
    until(page, "document.querySelector('sl-transcript')?.dataset.ready !== undefined")
    if wait:
        until(page, "document.querySelector('.medium')?.readyState >= 2")
        until(page, "document.querySelector('sl-wave').dataset.drawn === 'whole'")
    return f"clips/{clip}"


def m(page, expression):
    """Something of the page, by an expression over `m` (the model), `p` (the player) and `t` (the transcript)."""
    return page.evaluate(
        f"() => {{ const c = document.querySelector('sl-cut'), m = c.model, p = c.player, t = c.transcript;"
        f" return {expression}; }}"
    )


def told(page, text):
    until(page, f"document.getElementById('told').textContent.includes({text!r})")


def states(page):
    return m(page, "m.items.map((i) => i.kind + ' ' + i.state)")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def saved(page):
    page.evaluate("() => document.querySelector('sl-cut').model.settle()")
    page.evaluate("() => document.querySelector('sl-cut').model.line")


def test_a_whole_edit_by_keyboard(page, server):
    """Open, look, approve, trim, drop, strike a word, undo, start anew: the same state."""
    page.goto(server.link)
    page.keyboard.press("Tab")
    page.click("nav >> text=Clips")
    page.wait_for_selector(".clips li")
    assert "4 cuts wait" in page.locator(".clips li", has_text="talk.mov").text_content()
    place = opened(page, server, "talk.mov")
    assert m(page, "m.items.map((i) => i.rule)") == ["retake", "pause", "pause", "pause"]
    assert m(page, "m.item.rule") == "retake"
    assert "Words in it: We begin with bread." in page.locator(".card").text_content().replace("\n", "")
    press(page, "Shift+P")  # approves, and goes on
    saved(page)
    until(page, "document.querySelector('sl-cut').model.items[0].state === 'approved'")
    assert m(page, "[m.item.rule, p.frame === m.item.start]") == ["pause", True]
    before = m(page, "[m.item.start, m.item.end]")
    press(page, "[", "[", "]", "Shift+]", "'")
    assert m(page, "[m.draft.start, m.draft.end]") == [before[0] + 2, before[1] - 5]
    assert m(page, "p.frame") == before[1] - 5
    saved(page)
    assert (m(page, "[m.item.start, m.item.end, m.item.state]")) == [before[0] + 2, before[1] - 5, "moved"]
    press(page, "n", "x")
    saved(page)
    assert states(page) == ["cut approved", "cut moved", "cut dropped", "cut proposed"]
    press(page, "n", "Enter")
    told(page, "waited are approved")
    assert "wait" not in page.locator("#status").text_content()
    # words: "water." is struck
    press(page, "End", ".", "s")
    told(page, "Struck")
    assert m(page, "[...m.struck].lastIndexOf(1)") == 12
    assert page.locator(".word.struck").text_content() == "water."
    press(page, "s")
    told(page, "Taken in again")
    press(page, "s")
    until(page, "document.querySelectorAll('.word.struck').length === 1")
    press(page, "Escape", "Control+z")
    told(page, "Taken back")
    until(page, "document.querySelectorAll('.word.struck').length === 0")
    sheet = api(page, f"{place}/cuts")
    server.kill()
    server.start()
    opened(page, server, "talk.mov")
    assert api(page, f"{place}/cuts") == sheet
    press(page, "Control+z", "Control+z", "Control+z", "Control+z", "Control+z", "Control+z")
    until(page, "document.querySelector('sl-cut').model.items.every((i) => i.waits)")
    told(page, "Taken back")


def test_what_was_read_before_an_answer_does_not_undo_it(page, server):
    """Another window says something, the sheet is asked for again, and a word is struck before it has come."""
    opened(page, server, "talk.mov")
    hold(page, "/cuts")
    page.evaluate("() => { window.loaded = document.querySelector('sl-cut').model.load(); }")
    until(page, "window.held.length")
    press(page, "End", ".", "s")
    told(page, "Struck")
    let_go(page)
    page.evaluate("() => window.loaded")
    assert m(page, "[...m.struck].lastIndexOf(1)") == 12
    assert page.locator(".word.struck").text_content() == "water."
    press(page, "Escape", "Control+z")
    told(page, "Taken back")


def test_every_key_of_the_table_does_what_it_says(page, server):
    """Both maps: darktable has no keys of its own for clips."""
    for layout in ("own", "darktable"):
        page.goto(server.link)
        page.evaluate(f"localStorage.setItem('safelight.keys', '{layout}')")
        opened(page, server, "talk.mov", wait=False)
        rows = [row for row in shortcuts.TABLE if row.page in ("cut", "all")]
        assert {row.action for row in rows} <= set(listening(page))
        press_table(page, rows, layout)


def test_the_playhead_by_keys(page, server):
    opened(page, server, "talk.mov")
    press(page, "Home")
    assert m(page, "p.frame") == 0
    press(page, "ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft")
    assert m(page, "p.frame") == 26
    until(page, "document.querySelector('sl-player').wanted === null")
    assert m(page, "Math.floor(p.medium.currentTime * 25)") == 26
    press(page, "l")
    until(page, "document.querySelector('sl-player').frame > 30")
    press(page, "l")
    assert m(page, "[p.speed, p.medium.playbackRate]") == [1.5, 1.5]
    press(page, "k")
    assert m(page, "[p.speed, p.medium.paused]") == [0, True]
    at = m(page, "p.frame")
    press(page, "j")
    until(page, f"document.querySelector('sl-player').frame < {at}")
    press(page, "Space")
    assert m(page, "p.speed") == 0
    press(page, "End")
    assert m(page, "p.frame") == 299
    assert page.locator(".clock").text_content() == "00:11:24"
    press(page, "+", "+")
    assert m(page, "c.wave.to - c.wave.from") == pytest.approx(3)
    press(page, "z", "z", "t", "w", "w")
    assert m(page, "c.tab") == "captions"
    until(page, "document.querySelector('sl-captions')?.dataset.count > 0")
    press(page, "Escape")
    page.wait_for_url("**/cut")
    page.wait_for_selector(".clips li")


def test_two_seconds_around_a_cut_as_it_was_and_as_it_would_be(page, server):
    opened(page, server, "talk.mov")
    press(page, "ArrowDown", "ArrowDown")
    start, end = m(page, "[m.item.start, m.item.end]")
    assert (start, end) == tuple(m(page, "m.items[2].was"))
    page.evaluate("() => { window.seen = []; document.querySelector('sl-player')"
                  ".addEventListener('frame', (e) => window.seen.push(e.detail)); }")  # fmt: skip
    for key, inside in (("b", True), ("a", False)):
        page.evaluate("() => { window.seen = []; }")
        press(page, key)
        until(page, "document.querySelector('sl-player').speed === 1")
        until(page, "document.querySelector('sl-player').speed === 0")
        seen = page.evaluate("window.seen")
        assert min(seen) == start - 50
        assert max(seen) >= end + 45
        within = [f for f in seen[:-1] if start + 2 < f < end - 2]
        assert bool(within) is inside, (key, within)
        assert m(page, "p.frame") == start
    assert m(page, "p.on") == 1, "the other player was waiting behind the cut"


def test_a_range_is_cut_out_and_a_cut_is_moved(page, server):
    opened(page, server, "talk.mov")
    press(page, "c")
    told(page, "Mark a range first")
    press(page, "Home", *["Shift+ArrowRight"] * 5, "i", *["ArrowRight"] * 9, "o", "c")
    told(page, "Cut out")
    assert m(page, "[m.item.state, m.item.start, m.item.end]") == ["added", 125, 135]
    press(page, "ArrowDown")
    assert m(page, "m.item.start") > 135
    press(page, "i", "ArrowRight", "o", "m")
    told(page, "Moved")
    assert m(page, "[m.item.state, m.item.end - m.item.start]") == ["moved", 2]


def test_copies_are_made_of_what_browsers_do_not_play(page, server):
    page.expected = ("415",)
    opened(page, server, "old.avi")
    assert m(page, "[c.source.copied, p.medium.videoWidth]") == [True, 96]
    press(page, "Home", "ArrowRight", "ArrowRight")
    until(page, "document.querySelector('sl-player').wanted === null")
    assert m(page, "p.frame") == 2


def test_hostile_names_and_words_run_nothing(page, server):
    opened(page, server, HOSTILE)
    words = m(page, "m.words.map((w) => w.text)")
    assert SCRIPT in words
    assert not any("\u202e" in w for w in words)
    press(page, "t")
    until(page, "document.querySelector('sl-captions')?.dataset.count > 0")
    assert HOSTILE.replace("'", "'\\''") in page.locator("sl-captions code").text_content()
    page.goto(page.url.rpartition("/")[0])
    page.wait_for_selector(".clips li")
    assert page.evaluate("window.ran") is None


def test_missing_silent_and_wordless_clips_say_so(page, server, tmp_path):
    page.expected = ("404",)
    (tmp_path / "shoot" / "talk.mov").unlink()
    opened(page, server, "talk.mov", wait=False)
    until(page, "document.querySelector('.screen figcaption')?.textContent.includes('Bring the file back')")
    press(page, "x")
    saved(page)
    assert states(page)[0] == "cut dropped", "what was heard is still known"
    opened(page, server, "still.webm", wait=False)
    until(page, "document.querySelector('sl-wave .told').textContent.includes('no sound')")
    until(page, "document.querySelector('.medium')?.readyState >= 2")
    assert "No words" in page.locator("sl-transcript .told").text_content()
    press(page, "s", "ArrowDown", "n", "Enter", "p", "x", "a", "Home", "i", "ArrowRight", "o", "c")
    told(page, "Cut out")
    assert states(page) == ["cut added"], "where nothing was proposed, too"
    press(page, "t")
    until(page, "document.querySelector('sl-captions')?.textContent.includes('No captions')")


def settled_level(page, meant, *, seconds=5):
    """The level of the frame that is seen, once it is the one that is meant, or after so long."""
    until_then = time.monotonic() + seconds
    while True:
        frame = Image.open(io.BytesIO(page.locator(".medium").first.screenshot())).convert("L")
        level = frame.getpixel((frame.width // 2, frame.height // 2))
        if abs(level - meant) <= 8 or time.monotonic() > until_then:
            return level
        page.wait_for_timeout(100)


def test_the_frame_of_the_playhead_is_the_one_that_is_seen(page, server):
    """Also after jumps that follow faster than the browser seeks."""
    opened(page, server, "talk.mov")
    seen, meant = [], []
    for turn in range(10):
        press(page, *(("ArrowDown", "ArrowDown", "ArrowUp") if turn % 2 else ("ArrowUp", "ArrowUp", "ArrowDown")))
        until(page, "document.querySelector('sl-player').wanted === null")
        meant.append(20 + 6 * m(page, "p.frame") % 200)
        seen.append(settled_level(page, meant[-1]))
    assert len(set(meant)) > 1
    assert seen == pytest.approx(meant, abs=8)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_serious_and_all_is_reached_by_tab(page, server, theme):
    page.goto(server.link)
    page.evaluate(f"localStorage.setItem('safelight.theme', '{theme}')")
    opened(page, server, "talk.mov")
    press(page, ".", "s")
    told(page, "Struck")
    found = {"cuts": axe(page)}
    wanted = page.evaluate(REACHABLE)
    page.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(wanted + 16):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUS))
    controls = [one for one in seen if one["tag"] not in ("BODY", "MAIN")]
    assert len({one["name"] for one in controls}) >= wanted - 6
    assert [one for one in controls if not (one["name"] and one["seen"] and one["inside"])] == []
    page.keyboard.press("t")
    until(page, "document.querySelector('sl-captions')?.dataset.count > 0")
    found["captions"] = axe(page)
    page.goto(page.url.rpartition("/")[0])
    page.wait_for_selector(".clips li")
    found["clips"] = axe(page)
    assert {name: bad for name, bad in found.items() if bad} == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", golden.SIZES)
def test_it_looks_as_it_did(browser, server, theme, width):
    context = browser.new_context(viewport={"width": width, "height": golden.SIZES[width]})
    page = context.new_page()
    wrong = {}
    try:
        page.goto(server.link)
        page.evaluate(f"localStorage.setItem('safelight.theme', '{theme}')")
        for name in ("cut", "cut-captions", "cuts"):
            if name == "cut":
                opened(page, server, "talk.mov")
                press(page, "ArrowDown", "Shift+P", "ArrowUp")
                saved(page)
            elif name == "cut-captions":
                press(page, "t")
                until(page, "document.querySelector('sl-captions')?.dataset.count > 0")
            else:
                page.goto(page.url.rpartition("/")[0])
                page.wait_for_selector(".clips li")
            page.wait_for_timeout(600)
            full = f"{name}-{width}-{theme}"
            if found := golden.looked_at(page, full):
                wrong[full] = found
    finally:
        context.close()
    assert wrong == {}, f"new pictures and differences are in {golden.FAILED}"


def hours(route):
    """What the app would say of a talk of two hours with 20,000 words and 1,500 cuts."""
    rate, frames, count = 25, 180_000, 20_000
    path, asked = urlsplit(route.request.url).path, parse_qs(urlsplit(route.request.url).query)
    if path.endswith("/words"):
        first, most = int(asked["first"][0]), int(asked["most"][0])
        words = [
            {"number": n, "text": ("bread", "and-butter", "comes", "salt.", "I")[n % 5], "start": n * 0.36,
             "end": n * 0.36 + 0.3, "confidence": 0.4 if n % 11 == 0 else 0.9, "estimated": n % 17 == 0,
             "suspect": n % 301 == 0, "struck": False, "gone": False}
            for n in range(first, min(count, first + most))
        ]  # fmt: skip
        return route.fulfill(json={"clip": "", "language": "en", "whole": True, "cannot_tell": None, "words": words})
    if path.endswith("/waveform"):
        columns = int(asked["columns"][0])
        high = [3000 + 200 * (n % 97) for n in range(columns)]
        low = [-h for h in high]
        return route.fulfill(json={"start": 0, "end": 0, "low": low, "high": high, "known_s": frames / rate,
                                   "whole": True, "cannot_tell": ""})  # fmt: skip
    cuts = [
        {"name": f"pause-{a}", "operator": "tighten", "start": a, "end": a + 20, "seconds": [a / rate, a / rate + 0.8],
         "state": "proposed", "was": [a, a + 20], "rule": "pause", "text": "A pause of 1.4 s becomes 0.6 s.",
         "evidence": {"level.margin_db": 12.5}, "inside": []}
        for a in range(100, frames - 100, 120)
    ]  # fmt: skip
    edit = {"operator": "tighten", "state": None, "waits": True, "zone": "human", "by": None, "cannot_tell": None,
            "pace": "balanced", "cuts": cuts, "doubts": [], "notes": []}  # fmt: skip
    ends = [0, *(f for c in cuts for f in (c["start"], c["end"])), frames]
    kept = list(zip(ends[::2], ends[1::2], strict=True))
    return route.fulfill(json={
        "clip": "", "path": "talk.mov", "rate": "25", "frames": frames, "seconds": frames / rate, "paces": ["balanced"],
        "edits": [edit], "kept": [[0, frames]], "kept_with_proposed": kept, "struck": [], "heard": [],
        "not_heard": None, "left": [], "effects": [],
    })  # fmt: skip


def test_a_talk_of_hours_holds_nothing_up(page, server):
    """20,000 words and 1,500 cuts of two hours, as the app would tell them: only what is seen is there, and no task of
    the page takes long while it is scrolled, zoomed and moved through."""
    page.add_init_script(WATCH_LONG_TASKS)
    page.goto(server.link)
    clip = next(row["clip"] for row in api(page, "cuts") if row["path"] == "talk.mov")
    for what in ("words", "waveform", "cuts"):
        page.route(re.compile(f"/api/.*/clips/[0-9a-f]*/{what}"), hours)
    page.goto(f"{server.address}/shoots/{page.evaluate('document.body.dataset.shoot')}/cut/{clip}")
    until(page, "document.querySelector('sl-transcript')?.dataset.ready === '20000'", seconds=60)
    until(page, "document.querySelector('sl-wave').dataset.drawn === 'whole'", seconds=30)
    assert m(page, "m.items.length") > 1400
    assert page.locator(".word").count() < 800
    assert page.locator("sl-cuts .item").count() < 60
    page.wait_for_timeout(300)
    page.evaluate("() => { window.longTasks.length = 0; }")
    for _ in range(25):
        page.evaluate("() => { document.querySelector('.words').scrollBy(0, 3100);"
                      " document.querySelector('sl-cuts .items').scrollBy(0, 1700); }")  # fmt: skip
        page.wait_for_timeout(20)
    for key in ("-", "-", "-", "-", "z", "z", "+", "+", "ArrowDown", "ArrowDown", ".", ".", "End", "Home"):
        press(page, key)
        page.wait_for_timeout(30)
    tasks = page.evaluate("window.longTasks")
    assert not [t for t in tasks if t > LONGEST_MS], tasks


def test_a_caption_is_corrected_with_its_rules_beside_it(page, server):
    place = opened(page, server, "talk.mov")
    press(page, "Home", "t")
    until(page, "document.querySelector('sl-captions')?.dataset.count > 0")
    text = page.locator("sl-captions textarea")
    first = text.input_value()
    page.locator("sl-captions textarea").fill("word " * 30)
    until(page, "document.querySelector('.wrongs .need') !== null")
    assert "characters" in page.locator(".wrongs").text_content()
    assert api(page, f"{place}/captions")["own"] == 0, "nothing is kept while one writes"
    text.press("Escape")
    until(page, "document.querySelector('sl-captions').draft === null")
    assert text.input_value() == first
    text.fill("We begin with BREAD")
    page.locator("sl-captions input").last.fill("nonsense")
    until(page, "document.querySelector('.wrongs')?.textContent.includes('A time is')")
    assert page.locator("sl-captions form [type=submit]").is_disabled()
    page.locator("sl-captions input").last.fill("0:02.400")
    text.press("Control+Enter")
    told(page, "Set.")
    cue = api(page, f"{place}/captions")["cues"][0]
    assert (cue["lines"], cue["end"], cue["own"]) == (["We begin with BREAD"], 2.4, True)
    assert "1 set by hand" in page.locator("sl-captions .head").text_content()
    page.evaluate("document.activeElement.blur()")
    press(page, "Control+z")
    told(page, "Taken back.")
    until(page, "document.querySelector('sl-captions').found.own === 0")
    assert text.input_value() == first


def test_a_doubt_is_left_as_it_is_by_key(page, server):
    """Also what was heard otherwise, as far as it belongs to a cut."""
    place = opened(page, server, "talk.mov")
    said = {"name": "pause-60", "operator": "tighten", "start": 60, "end": 80, "seconds": [2.4, 3.2], "rule": "pause",
            "text": "A word is heard where it is quiet.", "evidence": {}, "stays": False}  # fmt: skip
    sent = []

    def answered(route):
        if route.request.method == "POST":
            sent.append(route.request.post_data_json)
            said["stays"] = True
            return route.fulfill(json=sheet)
        return route.fulfill(json=sheet)

    sheet = api(page, f"{place}/cuts")
    next(e for e in sheet["edits"] if e["operator"] == "tighten")["doubts"] = [said]
    page.route(f"**/{place}/cuts", answered)
    page.reload()
    until(page, "document.querySelector('sl-cut')?.model?.items.some((i) => i.kind === 'doubt')")
    page.evaluate("() => { const m = document.querySelector('sl-cut').model; m.choose('doubt/tighten/pause-60'); }")
    until(page, "document.querySelector('.card')?.textContent.includes('stay until you say otherwise')")
    press(page, "x")
    told(page, "It stays as it is")
    until(page, "document.querySelector('sl-cut').model.item.state === 'stays'")
    assert sent[0]["cuts"] == [{"name": "pause-60", "say": "leave"}]
    assert "left as it is" in page.locator(".card").text_content()


def test_what_is_done_to_the_sound_is_answered_on_the_page(page, server):
    clip = opened(page, server, "talk.mov", wait=False)
    shoot = page.evaluate("document.body.dataset.shoot")
    page.evaluate(
        "([place, said]) => import('/static/js/api.js').then((m) => m.send(place, said))",
        [f"/api/shoots/{shoot}/{clip}/effect", {"operator": "loudness", "params": {"target": "podcast"}}],
    )
    page.reload()
    row = page.locator("[data-effect=loudness]")
    row.wait_for()
    assert "to -16 LUFS, below -1 dBTP" in row.inner_text()
    row.get_by_role("button", name="Take back").click()
    until(page, "document.querySelector('[data-effect=loudness]') === null")
    assert api(page, f"{clip}/cuts")["effects"] == []
