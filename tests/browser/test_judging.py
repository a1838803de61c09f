"""Judging edits, the queue and practising in real Chromium, by keys alone."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from bench import _browser
from safelight.media.colour import delta_e
from safelight.review import shortcuts
from tests.browser.conftest import listening, press_table, still
from tests.browser.desk import PATCHES, SIDE, said

pytestmark = pytest.mark.skipif(_browser.reason_to_skip() is not None, reason=_browser.reason_to_skip() or "")


def waits(page) -> list[str]:
    return sorted(p["path"] for scene in page.ask("scenes") for p in scene["photos"] if p["waits"])


def large(page) -> None:
    page.go("judge")
    page.wait_for_selector(".cell img")
    page.keyboard.press("Space")
    still(page)


def test_a_scene_is_approved_but_for_the_marked_and_undone_with_two_keys(desk):
    desk.go("judge")
    desk.wait_for_selector(".cell img")
    assert "IMG_0003" in desk.locator(".cell").first.inner_text()  # stands apart, so it comes first
    desk.keyboard.press("m")
    desk.keyboard.press("Enter")
    desk.get_by_text("3 edits approved.").wait_for()
    assert waits(desk) == ["IMG_0003.JPG", "WIDE.JPG"]
    desk.keyboard.press("Control+z")
    desk.get_by_text("Taken back.").wait_for()
    assert len(waits(desk)) == 5


def test_at_100_the_middle_follows_a_slider_and_the_whole_comes_when_it_rests(desk):
    """Drafts are asked for while it moves, smaller than the view until they are known to be in time."""
    large(desk)
    asked = []
    desk.on("request", lambda r: asked.append(json.loads(r.post_data)) if r.url.endswith("/view") else None)
    desk.keyboard.press("z")
    still(desk)
    whole = asked[-1]["view"]
    assert desk.evaluate("document.querySelector('sl-view').at.join()") == "450,300"  # the middle of the photo
    desk.keyboard.press("d")
    still(desk)
    asked.clear()
    slider = desk.locator("#f-ev")
    slider.focus()
    slider.evaluate("s => { s.value = 2; s.dispatchEvent(new Event('input', { bubbles: true })); }")
    desk.wait_for_function("() => !document.querySelector('sl-view').edited.busy")
    assert [(a["draft"], a["change"]["params"]["ev"]) for a in asked] == [(True, 2)]
    assert asked[0]["view"][0] <= whole[0]
    slider.evaluate("s => s.dispatchEvent(new Event('change', { bubbles: true }))")
    still(desk)
    shown = desk.evaluate("(({ box, draft }) => ({ box, draft }))(document.querySelector('sl-view').shown)")
    assert [shown["box"][2] - shown["box"][0], shown["draft"]] == [min(whole[0], 900), False]
    assert desk.evaluate("document.querySelector('sl-view').patch") is None


def test_a_slider_is_followed_by_the_view_and_kept_with_enter(desk):
    large(desk)
    assert desk.evaluate("document.querySelector('sl-view').shown.histogram.high.any") > 0.3
    desk.keyboard.press("d")
    desk.locator("#f-ev").focus()
    desk.keyboard.press("Home")  # five stops less
    desk.wait_for_function("() => document.querySelector('sl-view').shown.histogram.high.any < 0.01")
    desk.locator("#f-ev").blur()
    desk.keyboard.press("Enter")
    desk.get_by_text("1 edit changed.").wait_for()
    photo = desk.evaluate("document.querySelector('sl-photo').photo")
    (card,) = (c for c in desk.ask(f"photos/{photo}/cards")["cards"] if c["operator"] == "exposure")
    assert (card["state"], card["params"]) == ("modified", {"ev": -5.0})


def test_side_by_side_at_full_size_shows_the_same_place(desk):
    large(desk)
    desk.keyboard.press("y")
    desk.keyboard.press("z")
    desk.wait_for_function(
        """() => { const v = document.querySelector("sl-view");
        return v.shown?.at && v.other?.at && !v.edited.busy; }"""
    )
    for _ in range(2):
        boxes = desk.evaluate(
            "[document.querySelector('sl-view').shown.box, document.querySelector('sl-view').other.box]"
        )
        assert boxes[0] == boxes[1]
        desk.keyboard.press("ArrowLeft")
        desk.wait_for_timeout(300)
        still(desk)
    widths = desk.eval_on_selector_all(".pane canvas", "all => all.map(c => c.getBoundingClientRect().width / c.width)")
    assert widths == pytest.approx([1, 1], abs=0.01)
    desk.keyboard.press("v")
    still(desk)
    sizes = desk.locator(".layer canvas").evaluate_all("all => all.map((c) => [c.clientWidth, c.width, c.className])")
    assert [size[0] for size in sizes] == [size[1] for size in sizes], "with a line between them it is 100 %, too"
    assert {size[2] for size in sizes} == {"exact"}


def test_a_rejection_by_key_and_number_carries_its_reason(desk):
    large(desk)
    desk.keyboard.press("x")
    desk.get_by_role("group", name="Why not?").wait_for()
    desk.keyboard.press("1")
    desk.get_by_text("1 edit rejected.").wait_for()
    assert "IMG_0003.JPG" not in waits(desk)


def test_a_place_on_the_screen_is_that_place_on_the_photo(desk):
    """Where the picture does not fill its pane, too: its corners are the photo's."""
    large(desk)
    corners = desk.evaluate(
        """() => { const view = document.querySelector("sl-view");
        const box = view.querySelector("canvas").getBoundingClientRect();
        const scale = Math.min(box.width / view.width, box.height / view.height);
        const [x, y] = [(box.width - view.width * scale) / 2, (box.height - view.height * scale) / 2];
        const at = (right, down) => view.spot({ clientX: right, clientY: down });
        return [...at(box.left + x, box.top + y), ...at(box.right - x, box.bottom - y)]; }"""
    )
    assert corners == pytest.approx([0, 0, 900, 600], abs=3)


def test_painting_with_the_mouse_makes_a_mask(desk):
    large(desk)
    desk.select_option(".side select", "painted_light")
    desk.locator("#f-ev").focus()
    desk.keyboard.press("End")
    box = desk.locator("sl-view canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    desk.mouse.move(x - 80, y)
    desk.mouse.down()
    desk.mouse.move(x + 80, y, steps=8)
    desk.mouse.up()
    desk.get_by_text("Painted.").wait_for()
    mask = desk.evaluate("document.querySelector('sl-photo').values.mask")
    desk.get_by_role("button", name="Keep this change").click()
    desk.get_by_text("1 edit changed.").wait_for()
    photo = desk.evaluate("document.querySelector('sl-photo').photo")
    (card,) = (c for c in desk.ask(f"photos/{photo}/cards")["cards"] if c["operator"] == "painted_light")
    assert card["params"] == {"ev": 5.0, "mask": mask}


def test_one_change_is_tried_on_a_scene_and_applied_with_enter(desk):
    large(desk)
    desk.keyboard.press("d")
    desk.get_by_role("button", name="Try on the scene").click()
    desk.get_by_role("heading", name="Exposure on 4 photos").wait_for()
    desk.wait_for_function("() => Object.keys(document.querySelector('sl-judge').trial).length === 4")
    desk.keyboard.press("Enter")
    desk.get_by_text("4 edits changed.").wait_for()
    assert waits(desk) == ["WIDE.JPG"]
    desk.keyboard.press("Control+z")
    desk.get_by_text("Taken back.").wait_for()
    assert len(waits(desk)) == 5


def test_an_eraser_takes_away_what_a_brush_has_painted(desk):
    large(desk)
    desk.select_option(".side select", "painted_light")
    box = desk.locator("sl-view canvas").first.bounding_box()
    y = box["y"] + box["height"] / 2
    covered = []
    for tool, (x0, x1) in (("Brush", (300, 500)), ("Eraser", (400, 520))):
        button = desk.get_by_role("button", name=tool)
        if button.get_attribute("aria-pressed") != "true":
            button.click()
        with desk.expect_response(lambda answer: answer.url.endswith("/masks")) as painted:
            desk.mouse.move(x0, y)
            desk.mouse.down()
            desk.mouse.move(x1, y, steps=8)
            desk.mouse.up()
        covered.append(painted.value.json()["covers"])
    assert 0 < covered[1] < 0.8 * covered[0]


def test_a_brush_and_a_box_are_led_by_keys(desk):
    large(desk)
    desk.select_option(".side select", "painted_light")
    covered = []
    for tool, steps in (("Brush", 6), ("Eraser", 2), ("Box or point", 4)):
        button = desk.get_by_role("button", name=tool)
        button.focus()
        if button.get_attribute("aria-pressed") == "true":
            desk.keyboard.press("Enter")
        desk.keyboard.press("Enter")
        desk.wait_for_function("document.activeElement.matches('.pane.drawing')")
        with desk.expect_response(lambda answer: answer.url.endswith("/masks")) as painted:
            desk.keyboard.press("Space")
            for _ in range(steps):
                desk.keyboard.press("ArrowRight")
                desk.keyboard.press("ArrowDown")
            desk.keyboard.press("Space")
        covered.append(painted.value.json()["covers"])
    assert 0 < covered[1] < min(covered[0], covered[2])
    desk.keyboard.press("Escape")
    assert desk.evaluate("document.querySelector('sl-view').tool") == ""


def test_a_place_that_is_pointed_at_goes_along_with_the_verdict(desk, tmp_path):
    large(desk)
    box = desk.locator("sl-view canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    desk.keyboard.press("t")
    desk.mouse.move(x - 60, y - 40)
    desk.mouse.down()
    desk.mouse.move(x + 60, y + 40, steps=4)
    desk.mouse.up()
    desk.get_by_text("1 place pointed at").wait_for()
    desk.keyboard.press("t")
    desk.mouse.click(x + 100, y)
    desk.get_by_text("2 places pointed at").wait_for()
    desk.keyboard.press("x")
    desk.keyboard.press("2")
    desk.get_by_text("1 edit rejected.").wait_for()
    verdict = said(tmp_path, "exposure")[-1]
    assert (verdict.say, verdict.reason) == ("reject", "too_dark")
    first, second = (list(map(int, part.split(","))) for part in verdict.note.removeprefix("here ").split("; "))
    assert first[0] < first[2]
    assert first[1] < first[3]
    assert first[2] < (second[0] + second[2]) / 2, "the click lies right of the box, in pixels of the photo"


def test_a_place_can_be_pointed_at_by_keys_alone(desk, tmp_path):
    large(desk)
    for key in ("t", "t", "x", "0"):
        desk.keyboard.press(key)
    desk.get_by_text("1 edit rejected.").wait_for()
    x0, y0, x1, y1 = map(int, said(tmp_path, "exposure")[-1].note.removeprefix("here ").split(","))
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == (450, 300), "the middle of a photo of 900 by 600"


def test_one_verdict_goes_to_a_whole_scene_and_one_undo_takes_it_back(desk):
    """Rejected with a reason, and handed on: all that are marked, at once."""
    desk.go("judge")
    desk.wait_for_selector(".cell img")
    for keys, told in (("sx1", "4 edits rejected."), ("se", "4 edits handed on.")):
        for key in keys:
            desk.keyboard.press(key)
        desk.get_by_text(told).wait_for()
        desk.keyboard.press("Control+z")
        desk.get_by_text("Taken back.").wait_for()
        assert len(waits(desk)) == 5
        desk.wait_for_function("() => document.querySelector('sl-judge').now.open === 4")


def test_a_restart_forgets_no_answer_and_undo_still_takes_it_back(desk):
    desk.expected = ("Failed to load resource", "ERR_")
    desk.go("judge")
    desk.wait_for_selector(".cell img")
    desk.keyboard.press("Enter")
    desk.get_by_text("4 edits approved.").wait_for()
    desk.server.stop()
    desk.server.start()
    for name in ("judge", "queue"):
        desk.go(name)
        desk.wait_for_selector(".cell, .list li")
        assert waits(desk) == ["WIDE.JPG"]
    desk.keyboard.press("Control+z")
    desk.get_by_text("Taken back.").wait_for()
    assert len(waits(desk)) == 5


@pytest.mark.parametrize("name", ["judge", "queue"])
def test_a_server_killed_amid_an_answer_loses_that_one_at_most_and_says_so(desk, tmp_path, name):
    desk.expected = ("Failed to load resource", "ERR_")
    desk.go(name)
    desk.wait_for_selector(".cell img, .list li")
    first = desk.locator(".cell, .list li").first.inner_text()
    desk.server.kill()
    desk.keyboard.press("Enter")
    desk.locator("#alarm", has_text="The app does not answer").wait_for()
    assert desk.locator(".cell, .list li").first.inner_text() == first, "nothing looks answered"
    desk.server.start()
    assert said(tmp_path, "exposure") == []
    desk.go(name)
    desk.wait_for_selector(".cell img, .list li")
    desk.keyboard.press("Enter")
    desk.locator("#told > div").wait_for()
    assert said(tmp_path, "exposure")


def test_wide_gamut_and_turned_pictures_look_right(desk):
    """Patches of an Adobe RGB file that is tagged as turned, as the screen shows them."""
    photos = desk.ask("photos")["photos"]
    wide = next(p["id"] for p in photos if p["path"] == "WIDE.JPG")
    desk.go(f"judge?photo={wide}")
    still(desk)
    desk.keyboard.press("\\")
    desk.wait_for_timeout(200)
    still(desk)
    shot = np.asarray(Image.open(io.BytesIO(desk.locator("sl-view canvas").first.screenshot())).convert("RGB"))
    size = desk.evaluate("(() => { const v = document.querySelector('sl-view').shown; return [v.width, v.height]; })()")
    height, width = shot.shape[:2]
    scale = min(width / size[0], height / size[1])
    left, top = (width - size[0] * scale) / 2, (height - size[1] * scale) / 2
    assert size[0] > size[1]  # lies, as it was taken
    for i, patch in enumerate(PATCHES):
        x, y = left + (i % 3 + 0.5) * SIDE * scale, top + (i // 3 + 0.5) * SIDE * scale
        seen = shot[int(y) - 5 : int(y) + 6, int(x) - 5 : int(x) + 6].reshape(-1, 3).mean(0).round().astype(np.uint8)
        apart = float(delta_e(seen[None, None], np.array(patch, np.uint8)[None, None])[0, 0])
        assert apart < 2, (patch, seen.tolist())


def test_the_queue_is_emptied_by_keys(desk):
    desk.go("queue")
    desk.locator(".list li").first.wait_for()
    for left in range(5, 0, -1):
        assert desk.evaluate("document.querySelector('sl-queue').count") == left
        desk.keyboard.press("Enter")
        desk.wait_for_function("n => document.querySelector('sl-queue').count === n", arg=left - 1)
    desk.get_by_role("heading", name="Nothing waits").wait_for()


def test_a_round_of_practice_ends_with_a_score_for_each_kind(desk):
    desk.go("practise?seed=5")
    desk.get_by_role("heading", name="What is wrong?").wait_for()
    for _ in range(24):
        desk.keyboard.press("Enter")  # nothing is wrong
        desk.get_by_role("button", name="Next").wait_for()
        desk.keyboard.press("Enter")
    desk.get_by_role("heading", name="0 of 20 flaws noticed, 0 named right").wait_for()
    desk.get_by_text("0 of 4 good photographs were called flawed.").wait_for()


@pytest.mark.parametrize("layout", ["own", "darktable"])
@pytest.mark.parametrize(("name", "others"), [("judge", {"queue"}), ("queue", set())])
def test_every_key_of_the_table_does_what_it_says(desk, name, others, layout):
    """Each key is pressed, in both maps; each leads to its action and to no other."""
    desk.evaluate(f"localStorage.setItem('safelight.keys', '{layout}')")
    desk.go(name)
    desk.wait_for_selector("sl-view, .cell")
    actions = listening(desk)
    rows = [row for row in shortcuts.TABLE if row.page in ({"judge", "queue", "all"} - others)]
    without = {(name, row.action) for row in rows if row.action not in actions}
    assert without <= {("queue", action) for action in ("mark", "all", "loupe")}, "a list has no marks, no sheet"
    press_table(desk, [row for row in rows if row.action in actions], layout)


@pytest.mark.parametrize("name", ["judge", "queue", "deliver", "practise"])
def test_every_control_has_a_name_and_can_be_reached(desk, name):
    desk.go(name)
    desk.wait_for_selector("main button, main select")
    nameless = desk.evaluate(
        """[...document.querySelectorAll("button, select, input, a[href]")]
        .filter((e) => e.offsetParent !== null)
        .filter((e) => !(e.getAttribute("aria-label") || e.labels?.length || e.textContent.trim() || e.title))
        .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    assert desk.evaluate("[...document.querySelectorAll('main img')].every((i) => i.hasAttribute('alt'))")
    desk.keyboard.press("Tab")
    ring = desk.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
