"""Culling as a person does it: by keyboard, fast, and nothing said is lost."""

import pytest

from bench._browser import WATCH_LONG_TASKS, Server
from bench._presses import decide_all
from safelight.api import Library
from safelight.deliver import gate
from safelight.domain import Cull
from safelight.line import Options
from safelight.operators import Wishes
from safelight.review import shortcuts
from tests.browser.conftest import api, cull, listening, model, press_table, settled, until
from tests.conftest import START, save_jpeg, textured

CURRENT = "m.photos.get(m.current)"
LONGEST_MS = 250  # a busy machine takes longer than the 50 ms of one at rest; what grows with the shoot takes seconds


def test_the_grid_shows_stacks_with_the_best_on_top_and_counts_what_is_open(page, demo_server):
    cull(page, demo_server)
    assert page.locator(".cell").count() == 7
    first = page.locator(".cell").first
    until(page, "document.querySelector('.cell sl-thumb').dataset.drawn")
    assert first.locator("sl-thumb").get_attribute("data-drawn") == first.get_attribute("data-id")
    assert "stack of 5" in first.get_attribute("aria-label")
    assert "17 need you" in page.inner_text("#status")
    until(page, "[...document.querySelectorAll('.cell sl-thumb')].every((t) => t.dataset.drawn)")


def test_enter_approves_a_stack_and_goes_on(page, demo_server):
    cull(page, demo_server)
    before = model(page, "m.unit.id")
    page.keyboard.press("Enter")
    assert model(page, "m.unit.id") != before
    settled(page)
    assert "12 need you" in page.inner_text("#status")
    photos = {p["id"]: p for p in api(page, "photos")["photos"]}
    decided = [p for p in photos.values() if p["decided"]]
    assert len(decided) == 5
    assert sum(p["decision"] == "keep" for p in decided) == 1


def press_all(page, keys):
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.parametrize("layout", ["own", "darktable"])
def test_every_shortcut_does_something(page, demo_server, layout):
    """The table makes the keys, the help page and this test."""
    page.goto(demo_server.link)
    page.evaluate(f"localStorage.setItem('safelight.keys', '{layout}')")
    cull(page, demo_server)
    rows = [row for row in shortcuts.TABLE if row.page in ("cull", "all")]
    assert {row.action for row in rows} <= set(listening(page))
    press_table(page, rows, layout)


def test_pick_reject_undecided_and_best_are_what_they_say(page, demo_server):
    cull(page, demo_server)
    page.keyboard.press("Space")
    page.keyboard.press("p")
    assert model(page, f"{CURRENT}.decision") == "keep"
    page.keyboard.press("x")
    assert model(page, f"{CURRENT}.decision") == "reject"
    page.keyboard.press("u")
    settled(page)
    assert model(page, f"[{CURRENT}.decision, {CURRENT}.decided]") == ["undecided", False]
    page.keyboard.press("ArrowRight")
    chosen = model(page, "m.current")
    page.keyboard.press("b")
    settled(page)
    decisions = model(page, "m.unit.members.map((id) => [id, m.at(id).decision])")
    assert {id_ for id_, decision in decisions if decision == "keep"} == {chosen}
    assert {decision for id_, decision in decisions if id_ != chosen} == {"reject"}


def test_a_bracket_is_one_thing(page, demo_server):
    cull(page, demo_server)
    page.keyboard.press("Space")
    press_all(page, ["ArrowDown", "ArrowDown"])
    assert model(page, "m.unit.group.protected")
    page.keyboard.press("x")
    settled(page)
    assert model(page, "m.unit.members.map((id) => m.at(id).decision)") == ["reject"] * 3


def test_shift_applies_and_advances(page, demo_server):
    cull(page, demo_server)
    page.keyboard.press("Space")
    first = model(page, "m.current")
    page.keyboard.press("Shift+P")
    assert model(page, "m.current") != first
    page.keyboard.press("Shift+3")
    settled(page)
    assert model(page, f"m.photos.get('{first}').decision") == "keep"
    assert model(page, "[...m.photos.values()].filter((p) => p.rating === 3).length") == 1


def test_stars_and_colours_show_and_can_be_filtered(page, demo_server):
    cull(page, demo_server)
    press_all(page, ["4", "8"])
    settled(page)
    assert model(page, f"[{CURRENT}.rating, {CURRENT}.label]") == [4, "Green"]
    page.select_option("select[aria-label='Rating']", "4")
    assert page.locator(".cell").count() == 1
    page.select_option("select[aria-label='Rating']", "5")
    until(page, "document.querySelectorAll('.cell').length === 0")


def test_filters_leave_what_they_name(page, demo_server):
    cull(page, demo_server)
    page.select_option("select[aria-label='Finding']", "exposure.over")
    assert page.locator(".cell").count() >= 1
    assert model(
        page, "m.shown.every((i) => m.units[i].members.some((id) => m.at(id).findings.includes('exposure.over')))"
    )
    page.get_by_role("button", name="Show all").click()
    page.fill("input[type=search]", "IMG_0015")
    assert page.locator(".cell").count() == 1
    page.keyboard.press("f")
    assert page.input_value("input[type=search]") == "IMG_0015f", "who writes gives no commands"
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Decision", "now keys are the page's"


FILTERS = {  # of each select, what every photo that is left has
    "Decision": "p.decision === v", "Reason": "p.reasons.includes(v)", "Finding": "p.findings.includes(v)",
    "Zone": "p.zone === v", "Rating": "p.rating >= Number(v)", "Colour": "p.label === v",
    "Moment": "p.scene === v", "Camera": "p.camera === v",
}  # fmt: skip


def test_each_filter_leaves_what_it_names_and_nothing_else(page, two_cameras):
    """Reason, finding, zone, rating, colour, moment, camera, decision, and what is open."""
    cull(page, two_cameras)
    press_all(page, ["4", "8"])
    settled(page)
    whole = page.locator(".cell").count()
    for name, holds in FILTERS.items():
        box = page.locator(f"select[aria-label='{name}']")
        box.focus()  # the moments are listed for who reaches for them
        value = box.locator("option").nth(1).get_attribute("value")
        box.select_option(value)
        left = page.evaluate(
            f"""v => {{ const m = document.querySelector('sl-cull').model;
            const holds = (unit) => unit.members.some((id) => {{ const p = m.at(id); return {holds}; }});
            return [m.shown.length, m.units.filter(holds).length, m.shown.every((i) => holds(m.units[i]))]; }}""",
            value,
        )
        assert left[0] == left[1] > 0, name
        assert left[2], name
        page.get_by_role("button", name="Show all").click()
        until(page, f"document.querySelectorAll('.cell').length === {whole}")
    page.keyboard.press("Enter")
    settled(page)
    page.get_by_label("open only").check()
    assert page.locator(".cell").count() == whole - 1


@pytest.fixture
def two_cameras(demo_server, tmp_path):
    """The demo shoot with two photos more, of another camera."""
    demo_server.stop()
    for i in range(2):
        taken = START.replace(hour=20)
        save_jpeg(tmp_path / "shoot" / f"B_{i}.JPG", textured(90 + i), taken=taken, camera="Other Two")
    with Library.open(tmp_path / "library") as library:
        library.run(tmp_path / "shoot", options=Options(engine="inline"))
    demo_server.start()
    return demo_server


def test_what_is_marked_is_compared_two_to_six_frames(page, demo_server):
    cull(page, demo_server)
    press_all(page, ["m", "ArrowRight", "m", "c"])
    until(page, "document.querySelectorAll('sl-stage').length === 2")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    for _ in range(5):
        press_all(page, ["ArrowRight", "m"])
    page.keyboard.press("c")
    until(page, "document.querySelectorAll('sl-stage').length === 6")


def test_the_running_count_goes_towards_the_target(page, demo_server, tmp_path):
    demo_server.stop()
    with Library.open(tmp_path / "library") as library:
        library.run(tmp_path / "shoot", options=Options(engine="inline", wishes=Wishes(target=6)))
    demo_server.start()
    cull(page, demo_server)
    assert "0 kept of about 6" in page.inner_text("#status")
    page.keyboard.press("p")
    settled(page)
    assert "1 kept of about 6" in page.inner_text("#status")


def test_undo_reaches_back_over_a_restart(page, demo_server):
    page.expected = ("Failed to load resource", "ERR_CONNECTION", "net::")
    cull(page, demo_server)
    page.keyboard.press("Enter")
    settled(page)
    demo_server.stop()
    demo_server.start()
    cull(page, demo_server)
    assert "12 need you" in page.inner_text("#status")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#told > div")
    assert "17 need you" in page.inner_text("#status")
    assert model(page, "[...m.photos.values()].filter((p) => p.decided).length") == 0
    page.keyboard.press("Enter")
    settled(page)
    page.keyboard.press("?")
    page.wait_for_url("**/help")
    page.keyboard.press("Control+z")  # on every page
    until(page, "document.getElementById('told').textContent.includes('Taken back')")
    page.keyboard.press("Escape")
    page.wait_for_url("**/cull")
    until(page, "document.getElementById('status').textContent.includes('17 need you')")


def test_a_server_killed_in_the_middle_loses_at_most_that_verdict_and_says_so(page, demo_server):
    page.expected = ("Failed to load resource", "ERR_", "net::")
    cull(page, demo_server)
    page.keyboard.press("Space")
    page.keyboard.press("Shift+P")
    settled(page)
    before = model(page, "m.current")
    demo_server.kill()
    page.keyboard.press("Shift+X")
    page.wait_for_selector("#alarm > div")
    assert "Not saved" in page.inner_text("#alarm")
    assert model(page, f"m.photos.get('{before}').path") in page.inner_text("#alarm")
    assert model(page, "m.current") == before, "the picture comes back"
    assert model(page, f"[{CURRENT}.decision, {CURRENT}.decided]")[1] is False
    demo_server.start()
    cull(page, demo_server)
    assert model(page, "[...m.photos.values()].filter((p) => p.decided).length") == 1, "what was saved is there"


def test_what_others_say_shows_without_a_reload(page, browser, demo_server):
    cull(page, demo_server)
    context = browser.new_context()
    other = context.new_page()
    cull(other, demo_server)
    other.keyboard.press("Enter")
    until(page, "document.getElementById('status').textContent.includes('12 need you')")
    context.close()


def test_compare_links_the_zoom(page, demo_server):
    cull(page, demo_server)
    press_all(page, ["c", "z"])
    until(page, "document.querySelectorAll('sl-stage .large img').length === 5")
    moved = page.evaluate(
        """() => {
          document.querySelector('sl-loupe').look({ on: true, x: 0.25, y: 0.6 });
          return [...document.querySelectorAll('sl-stage')].map((s) => [s.zoom.x, s.zoom.y]);
        }"""
    )
    assert moved == [[0.25, 0.6]] * 5
    before = model(page, "m.current")
    press_all(page, ["Shift+ArrowRight", "Shift+ArrowUp"])
    x, y = page.evaluate("(({ x, y }) => [x, y])(document.querySelector('sl-stage').zoom)")
    assert (x > 0.25, y < 0.6, model(page, "m.current")) == (True, True, before), "keys look around, too"
    until(page, "document.querySelectorAll('.framed .faces sl-thumb').length === 5")  # each frame's, beside it
    assert "sharpness" in page.locator(".framed .faces figcaption").first.inner_text()


def test_before_and_after_of_a_photo_with_edits(page, demo_server):
    cull(page, demo_server)
    edited = model(page, "[...m.photos.values()].find((p) => p.edits > 0)?.id")
    if edited is None:
        pytest.skip("the demo shoot has no photo with an edit")
    model(page, f"m.go('{edited}')")
    page.keyboard.press("y")
    until(page, "document.querySelectorAll('sl-stage').length === 2")
    until(page, "[...document.querySelectorAll('sl-stage')].every((s) => s.dataset.drawn)")
    page.keyboard.press("\\")
    until(page, "document.querySelectorAll('sl-stage').length === 1")


def test_10000_photos_scroll_from_end_to_end_with_few_cells_at_hand(page, made_10000):
    """How smooth that is on a machine at rest, the bench says; nothing here may take as long as thousands of cells."""
    place, made = made_10000
    server = Server(place / "shoot", place / "library")
    server.start()
    try:
        page.add_init_script(WATCH_LONG_TASKS)
        cull(page, server)
        until(page, "document.getElementById('status').textContent.includes('10,000 photos')")
        assert model(page, "m.shown.length") == 3600, "stacks of five and single photos"
        page.wait_for_timeout(500)
        page.evaluate("() => { window.longTasks.length = 0; }")
        page.mouse.move(600, 400)
        most = 0
        for _ in range(25):
            page.mouse.wheel(0, 900)
            page.wait_for_timeout(30)
            most = max(most, page.locator(".cell").count())
        assert most < 120
        page.keyboard.press("End")
        last = model(page, "m.current")
        assert last in model(page, "m.units[3599].members")
        until(page, f"document.querySelector('.cell.here sl-thumb').dataset.drawn === '{last}'")
        assert page.locator(".cell").count() < 120
        assert max(page.evaluate("window.longTasks"), default=0) < LONGEST_MS
    finally:
        server.stop()
    assert len(made.state.photos) == 10_000


def test_2000_photos_with_600_keepers_take_700_presses_at_most(page, made_2000, tmp_path):
    """A person who wants another frame in every fifth stack, and drops some singles, presses and is counted."""
    place, made = made_2000
    server = Server(place / "shoot", place / "library")
    server.start()
    try:
        cull(page, server)
        pressed = decide_all(page, made.wanted)
        settled(page)
    finally:
        server.stop()
    with Library.open(place / "library") as library:
        answer = gate.ask(library.state(place / "shoot"), draft=False)
        state = library.state(place / "shoot")
    assert {photo.id for photo in answer.photos} == made.wanted
    assert all(photo.decision is not Cull.UNDECIDED for photo in state.photos.values())
    assert pressed <= 700, pressed
    print(f"{pressed} key presses")
