"""The queue in real Chromium: one list over all shoots, items that come without a suggestion, and what is refused."""

import shutil

import pytest

from bench import _browser
from safelight.api import Library
from safelight.line import Options
from safelight.store import schema
from safelight.store.library import now
from tests.browser.conftest import hold, let_go, still
from tests.conftest import START, save_jpeg, textured
from tests.review.test_judging import propose

pytestmark = pytest.mark.skipif(_browser.reason_to_skip() is not None, reason=_browser.reason_to_skip() or "")

FIRST = '.list [aria-current="true"]'


@pytest.fixture
def two(desk, tmp_path):
    """The page of all shoots, with a second shoot of two photos, one exposure of which is the least sure of all."""
    with Library.open(tmp_path / "library") as library:
        for i in range(2):
            save_jpeg(tmp_path / "other" / f"B_{i}.JPG", textured(70 + i, width=900, height=600), taken=START)
        library.run(tmp_path / "other", options=Options(engine="inline", only=("cull",)))
        state = library.state(tmp_path / "other")
        for i in range(2):
            propose(library, state.shoot.id, state.photo(f"B_{i}.JPG").id, "exposure", ev=0.5, score=(0.1, 0.8)[i])
        keep = {"decision": "keep", "tie_with": ""}
        library.verdict(tmp_path / "other", list(state.photos), operator="cull", say="modify", by="Bob", params=keep)
    desk.goto(desk.url.split("/shoots")[0] + "/queue")
    desk.locator(".list li").first.wait_for()
    return desk


def count(page):
    return page.evaluate("document.querySelector('sl-queue').count")


def counts(page, wanted):
    page.wait_for_function("n => document.querySelector('sl-queue').count === n", arg=wanted)


def test_all_shoots_are_one_list_worst_first_and_answered_by_keys(two):
    assert count(two) == 7
    names = two.locator(".list li").all_inner_texts()
    assert "B_0.JPG" in names[0]
    assert "exposure · other" in names[0]
    assert {"other", "shoot"} == {name.split(" · ")[1].strip() for name in names}
    still(two)
    two.keyboard.press("Enter")
    counts(two, 6)
    two.keyboard.press("d")  # a view, a change and its keeping go to the shoot of the item
    two.locator("#f-ev").focus()
    two.keyboard.press("ArrowRight")
    two.locator("#f-ev").blur()
    two.keyboard.press("Enter")
    counts(two, 5)
    for left in (6, 7):
        two.keyboard.press("Control+z")
        counts(two, left)


def test_all_shoots_can_be_filtered_by_task_and_by_shoot(two):
    assert two.locator("select").first.locator("option").all_inner_texts() == [
        "everything that blocks delivery",
        "exposure (7)",
    ]
    two.locator("select").nth(1).select_option(label="other (2)")
    counts(two, 2)
    assert all("B_" in text for text in two.locator(".list li").all_inner_texts())
    two.locator("select").first.select_option("exposure")
    two.get_by_role("button", name="Approve the 2 listed").click()
    two.get_by_role("heading", name="Nothing of this waits").wait_for()
    assert "shoot=" in two.url, "the address names what is shown"
    two.locator("select").nth(1).select_option("")
    counts(two, 5)
    two.keyboard.press("Control+z")
    counts(two, 7)


def test_who_goes_on_while_the_list_is_asked_for_stays_where_they_went(two):
    hold(two, "/queue?")
    two.evaluate("() => { window.loaded = document.querySelector('sl-queue').load(); }")
    two.locator(".list li button").nth(2).click()
    chosen = two.locator(FIRST).inner_text()
    let_go(two)
    two.evaluate("() => window.loaded")
    assert two.locator(FIRST).inner_text() == chosen


def test_a_change_that_is_asked_for_before_the_edit_is_there_begins_when_it_is(two):
    still(two)
    hold(two, "/cards")
    two.locator(".list li button").nth(1).click()
    two.wait_for_function("() => window.held.length > 0")
    two.keyboard.press("d")
    assert two.locator("#f-ev").count() == 0
    let_go(two)
    two.locator("#f-ev").wait_for()


@pytest.fixture
def control(judged, tmp_path_factory):
    """The same shoot, in which an exposure and a choice were drawn to be judged without a suggestion."""
    place = tmp_path_factory.mktemp("control")
    shutil.copytree(judged, place / "made")
    with Library.open(place / "made/library") as library:
        state = library.state(place / "made/shoot", evidence=False)
        choice = next(p.path for p in state.photos.values() if p.proposals["cull"].offers and p.path != "IMG_0001.JPG")
        rows = [
            {"shoot": state.shoot.id, "asset": state.photo(path).id, "operator": operator, "drawn": "control",
             "seed": state.shoot.id, "share": 0.05, "lot": None, "at": now()}
            for path, operator in (("IMG_0001.JPG", "exposure"), (choice, "cull"))
        ]  # fmt: skip
        library.store.append(schema.draws, rows)
        library.verdict(place / "made/shoot", [choice], operator="cull", say="undo", by="Ada")
    (place / "made/choice").write_text(choice)
    return place / "made"


@pytest.fixture
def blind(control, browser):
    """A page before a server on that shoot."""
    server = _browser.Server(control / "shoot", control / "library")
    server.start()
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(server.link)
    page.shoot = page.evaluate("document.body.dataset.shoot")
    page.choice = (control / "choice").read_text()
    page.go = lambda name: page.goto(f"{server.address}/shoots/{page.shoot}/{name}")
    page.ask = lambda path: page.evaluate("path => fetch(path).then(a => a.json())", f"/api/shoots/{page.shoot}/{path}")
    yield page
    context.close()
    server.stop()


def listed(page, name):
    page.locator(".list li").first.wait_for()
    page.locator(".list li button", has_text=name).first.click()
    page.wait_for_function(
        "name => document.querySelector('.list [aria-current=\"true\"]').innerText.includes(name)", arg=name
    )


def test_an_edit_that_comes_without_a_suggestion_shows_none_and_is_decided_by_itself(blind):
    blind.go("queue")
    listed(blind, "IMG_0001")
    still(blind)
    side = blind.locator(".side").inner_text()
    assert "without a suggestion" in side
    assert "+0.3" not in side
    assert "About 95%" not in side
    before = count(blind)
    blind.keyboard.press("Enter")
    blind.get_by_text("set it with D, or leave the photo as it is with X").wait_for()
    assert count(blind) == before, "there is nothing that Enter could mean"
    listed(blind, "IMG_0000")
    still(blind)
    assert "About 95%" in blind.locator(".side").inner_text(), "others say what is proposed and how sure that is"
    listed(blind, "IMG_0001")
    still(blind)
    blind.keyboard.press("d")
    blind.locator("#f-ev").focus()
    blind.keyboard.press("ArrowRight")
    blind.locator("#f-ev").blur()
    blind.keyboard.press("Enter")
    counts(blind, before - 1)
    photo = next(p for p in blind.ask("photos")["photos"] if p["path"] == "IMG_0001.JPG")
    (card,) = (c for c in blind.ask(f"photos/{photo['id']}/cards")["cards"] if c["operator"] == "exposure")
    assert (card["state"], card["score"]) == ("modified", 0.95), "now it is told"


def test_a_choice_that_comes_without_a_suggestion_is_made_by_one_key(blind):
    blind.go("queue?task=cull")
    listed(blind, blind.choice)
    side = blind.locator(".side").inner_text()
    assert "decide for yourself" in side
    assert "Proposed" not in side
    assert blind.get_by_role("button", name="As proposed").is_disabled()
    blind.keyboard.press("Enter")
    blind.get_by_text("keep it with P or reject it with X").wait_for()
    assert count(blind) == 1
    blind.keyboard.press("p")
    counts(blind, 0)
    photo = next(p for p in blind.ask("photos")["photos"] if p["path"] == blind.choice)
    assert (photo["decision"], photo["decided"], photo["blind"]) == ("keep", True, [])


def test_no_other_page_says_what_would_be_suggested(blind):
    """Cull, its panel, the sheet of the scene and the photo's own cards."""
    photos = {p["path"]: p["id"] for p in blind.ask("photos")["photos"]}
    blind.go(f"cull?photo={photos[blind.choice]}")
    blind.locator("aside", has_text=blind.choice).wait_for()
    blind.locator("aside", has_text="decide for yourself").wait_for()
    why = blind.locator("aside").inner_text()
    assert "keep, proposed" not in why
    assert "reject, proposed" not in why
    blind.go("judge")
    blind.wait_for_selector(".cell img")
    cell = blind.locator(".cell", has_text="IMG_0001").inner_text()
    assert "without a suggestion" in cell
    blind.go(f"judge?photo={photos['IMG_0001.JPG']}")
    still(blind)
    assert "+0.3" not in blind.locator(".side").inner_text()
    assert "without a suggestion" in blind.locator(".side").inner_text()
