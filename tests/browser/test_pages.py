"""Every page: nothing serious for axe, all by keyboard, and nothing that a hostile shoot could run or break."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from bench._browser import Server
from safelight.api import Library
from safelight.domain import Measure
from safelight.line import Options
from safelight.store import records
from tests.browser.conftest import cull, model, settled, until
from tests.conftest import START, save_jpeg, textured
from tests.review.test_judging import propose

PAGES = ("/?from=here", "/help", "/people", "/tour", "/queue")
HOSTILE = "<img src=x onerror=window.ran=1>\"'&.JPG"
SCRIPT = "<script>window.ran=2</script>"


def axe(page):
    """What axe finds serious or worse on a page."""
    spec = find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-playwright-python is not installed")
    page.evaluate((Path(spec.origin).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    return [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in bad]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_serious(page, demo_server, theme):
    page.goto(demo_server.link)
    page.evaluate(f"localStorage.setItem('safelight.theme', '{theme}')")
    for address in PAGES:
        page.goto(demo_server.address + address)
        page.wait_for_timeout(150)
        assert axe(page) == [], address
    cull(page, demo_server)
    assert axe(page) == [], "grid"
    page.keyboard.press("Space")
    until(page, "document.querySelector('sl-stage')?.dataset.drawn")
    page.wait_for_selector(".faces sl-thumb[data-drawn]")
    assert axe(page) == [], "loupe"
    page.keyboard.press("c")
    until(page, "document.querySelectorAll('sl-stage').length === 5")
    assert axe(page) == [], "compare"


def test_the_pages_work_by_keyboard_alone(page, demo_server):
    """From the skip link on, focus goes through everything that can be pressed, and can be seen."""
    cull(page, demo_server)
    page.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(24):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                """() => {
                  const at = document.activeElement, style = getComputedStyle(at);
                  const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
                  return [at.tagName, name.trim().slice(0, 30),
                    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
                }"""
            )
        )
    tags = {tag for tag, _, _ in seen}
    assert {"A", "BUTTON", "SELECT", "INPUT", "SL-GRID"} <= tags
    assert all(name for tag, name, _ in seen if tag != "BODY"), seen
    unseen = [(tag, name) for tag, name, visible in seen if not visible and tag not in ("BODY", "MAIN")]
    assert unseen == []


@pytest.fixture
def hostile_server(tmp_path):
    """A shoot with script in a file's name and keyword, a title of 10,000 characters, an original that is gone."""
    shoot = tmp_path / "shoot"
    for i, name in enumerate((HOSTILE, "long.JPG", "gone.JPG", "proxy.JPG", "\u202egnp.exe.JPG")):
        save_jpeg(shoot / name, textured(i), taken=START)
    (shoot / "cut.JPG").write_bytes((shoot / "long.JPG").read_bytes()[:4000])
    with Library.open(tmp_path / "library") as library:
        library.run(shoot, options=Options(engine="inline"))
        state = library.state(shoot)
        ids = {photo.path: photo.id for photo in state.photos.values()}
        words = [SCRIPT, "x" * 10_000]
        records.save_evidence(
            library.store,
            [(id_, "sidecar@1", "hostile", [Measure(name="keywords", value=words)]) for id_ in ids.values()],
        )
    (shoot / "gone.JPG").unlink()
    for picture in (shoot / ".safelight/cache").rglob(f"{ids['gone.JPG']}*"):
        picture.unlink()
    server = Server(shoot, tmp_path / "library", name=SCRIPT)
    server.start()
    yield server, ids
    server.kill()


def test_a_hostile_shoot_breaks_nothing_and_runs_nothing(page, hostile_server):
    server, ids = hostile_server
    page.expected = ("404", "422")
    page.goto(server.link)
    page.wait_for_selector(".cell sl-thumb[data-drawn]")
    page.keyboard.press("Space")
    for _ in range(len(ids)):
        page.wait_for_timeout(250)
        page.keyboard.press("ArrowDown")
    shown = page.inner_text("sl-cull")
    assert "<script>" in shown or "<img" in shown, "what is hostile is shown as text"
    model(page, f"m.go('{ids['gone.JPG']}')")
    until(page, "document.querySelector('sl-stage .note')?.textContent.includes('not here')")
    page.keyboard.press("p")
    settled(page)
    assert model(page, f"m.photos.get('{ids['gone.JPG']}').decision") == "keep"
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "long words stay inside the page"


def test_a_hostile_shoot_runs_nothing_on_any_other_page(page, hostile_server, tmp_path):
    """Judging, the queue of one shoot and of all, delivering, practising, and around: what is hostile stays text."""
    server, ids = hostile_server
    page.expected = ("404", "422")
    with Library.open(tmp_path / "library") as library:
        state = library.state(tmp_path / "shoot", evidence=False)
        keep = {"decision": "keep", "tie_with": ""}
        library.verdict(
            tmp_path / "shoot", list(ids), operator="cull", say="modify", by=SCRIPT, params=keep, note=SCRIPT
        )
        for i, photo in enumerate(state.photos.values()):
            propose(library, state.shoot.id, photo.id, "exposure", ev=0.1 * (i + 1), text=SCRIPT)
    page.goto(server.link)
    shoot = page.evaluate("document.body.dataset.shoot")
    names = [f"/shoots/{shoot}/{name}" for name in ("judge", "queue", "deliver", "practise?seed=3", "cull?tour=1")]
    for address in (*names, *PAGES):
        page.goto(server.address + address)
        page.wait_for_timeout(700)
        if address.endswith("/judge"):
            page.keyboard.press("Space")
            page.wait_for_timeout(900)
        assert page.evaluate("window.ran") is None, address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert page.locator("main").inner_text().strip(), address
    page.goto(server.address + names[1])
    page.locator(".because, .side", has_text="<script>").first.wait_for()  # the reason is shown as it is written


def test_the_tour_goes_over_the_pages_of_the_demo_shoot_in_five_steps(page, demo_server):
    page.goto(demo_server.address + "/tour?" + demo_server.link.split("?")[1])
    page.get_by_role("link", name="Begin here").click()
    seen = []
    for step in range(1, 6):
        told = page.locator(".touring")
        told.get_by_text(f"{step} of 5:").wait_for()
        seen.append(page.url.split("?")[0].rsplit("/", 1)[1])
        if step == 2:
            page.wait_for_selector(".cell sl-thumb[data-drawn]")
            page.keyboard.press("Enter")  # what the step says can be done while it is read
            settled(page)
        if step < 5:
            told.get_by_role("link", name="Next").click()
    assert seen == ["cull", "cull", "judge", "queue", "deliver"]
    page.get_by_role("link", name="End the tour").click()
    page.locator("#order").wait_for()
    assert page.locator(".touring").count() == 0


def test_people_say_who_they_are_and_see_their_own_record_only(page, browser, demo_server):
    """Two reviewers, one behind a PIN, in two browsers; a conflict returns to the queue until the lead has spoken."""
    page.expected = ("400",)
    cull(page, demo_server)
    page.goto(demo_server.address + "/people")
    page.get_by_role("button", name="Make lead").click()
    page.get_by_text("Ada leads.").wait_for()
    page.get_by_label("New PIN").fill("2468")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_text("The PIN is set.").wait_for()
    context = browser.new_context()
    other = context.new_page()
    other.goto(demo_server.link)  # the name of this start is Ada, who is kept with a PIN now
    assert "Who are you?" in other.inner_text("header")
    other.goto(demo_server.address + "/people")
    for name, pin in (("Ada", "1111"), ("Grace", "")):
        other.get_by_label("Name", exact=True).fill(name)
        other.get_by_label("PIN, where there is one").fill(pin)
        other.get_by_role("button", name="That is me").click()
        if pin:
            other.get_by_text("is kept with a PIN").wait_for()
    other.get_by_text("At this browser, Grace decides.").wait_for()
    for one, key in ((other, "p"), (page, "x")):
        cull(one, demo_server)
        one.keyboard.press("Space")
        one.keyboard.press("End")
        one.keyboard.press(key)
        settled(one)
    last = model(page, "m.current")
    assert model(page, f"[m.photos.get('{last}').decision, m.photos.get('{last}').contested.length]") == [
        "reject",
        0,
    ], "the lead's word counts"
    other.keyboard.press("p")  # Grace differs again, after the lead
    settled(other)
    until(page, f"document.querySelector('sl-cull').model.photos.get('{last}').contested.includes('cull')")
    page.goto(page.url.split("/cull")[0] + "/queue?task=cull")
    page.locator(".list li", has_text=model(other, f"m.photos.get('{last}').path")).first.wait_for()
    for one in (page, other):
        one.goto(demo_server.address + "/people")
        one.get_by_role("heading", name="Your own record").wait_for()
    assert "All together" in page.inner_text("main")
    assert "All together" not in other.inner_text("main")
    assert "2 decisions, 2 verdicts" in other.inner_text("main"), "Grace's own, and nobody else's"
    told = other.evaluate("fetch('/api/reviewers/totals').then(a => a.status)")
    assert told == 400, "totals are for the lead"
    context.close()


def test_a_proxy_deleted_while_it_is_shown_is_made_again(page, hostile_server, tmp_path):
    server, ids = hostile_server
    page.expected = ("404", "422")
    page.goto(server.link)
    page.wait_for_selector(".cell sl-thumb[data-drawn]")
    for picture in (tmp_path / "shoot/.safelight/cache").rglob(f"{ids['proxy.JPG']}*"):
        picture.unlink()
    model(page, f"m.go('{ids['proxy.JPG']}')")
    page.keyboard.press("Space")
    until(page, f"document.querySelector('sl-stage')?.dataset.drawn === '{ids['proxy.JPG']}'")


def test_an_empty_library_says_what_to_do_and_a_bad_folder_what_is_wrong(page, tmp_path):
    for folder, told in ((None, "The library is empty"), (tmp_path, "Nothing was run on")):
        server = Server(folder, tmp_path / "library")
        server.start()
        try:
            page.goto(server.link)
            assert told in page.inner_text("main")
            assert "safelight run" in page.inner_text("main")
        finally:
            server.stop()


def test_a_shoot_that_was_asked_for_before_its_first_run_opens_by_itself(page, tmp_path):
    save_jpeg(tmp_path / "shoot" / "A.JPG", textured(1), taken=START)
    server = Server(tmp_path / "shoot", tmp_path / "library")
    server.start()
    try:
        page.goto(server.link)
        assert "Nothing was run on" in page.inner_text("main")
        with Library.open(tmp_path / "library") as library:
            library.run(tmp_path / "shoot", options=Options(engine="inline"))
        page.wait_for_selector(".cell sl-thumb[data-drawn]", timeout=15_000)
    finally:
        server.stop()


def test_the_page_fills_up_while_the_library_grows(page, demo_server, tmp_path):
    cull(page, demo_server)
    for i in range(3):
        save_jpeg(tmp_path / "shoot" / f"NEW_{i}.JPG", textured(50 + i), taken=START)
    with Library.open(tmp_path / "library") as library:
        library.run(tmp_path / "shoot", options=Options(engine="inline"))
    until(page, "document.getElementById('status').textContent.includes('20 photos')", seconds=30)
