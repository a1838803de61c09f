"""Fixtures: Chromium before a running `safelight review`, over the demo shoot and a made one. Skipped, with the reason,
where there is no browser."""

import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import _made_shoot
from bench._browser import Server, chromium, reason_to_skip
from safelight.api import Library
from safelight.line import Options
from safelight.review import shortcuts
from tests.browser.desk import make
from tests.conftest import no_coins

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items):
    """One browser at a time: workers of a parallel run take a file each."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser():
    reason = reason_to_skip()
    if reason is not None:
        pytest.skip(reason)
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo shoot, run; skipped where the packages that carry its photographs are not installed."""
    place = tmp_path_factory.mktemp("demo")
    made = subprocess.run([sys.executable, ROOT / "tools/demo.py", place / "demo"], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("no photographs for the demo shoot")
    no_coins(place / "library")
    with Library.open(place / "library") as library:
        library.run(place / "demo/shoot", options=Options(engine="inline"))
    return place


@contextmanager
def serving(shoot, library, place):
    """The app on a copy of a shoot and its library, so that a test may decide as it likes."""
    shutil.copytree(shoot, place / "shoot")
    shutil.copytree(library, place / "library")
    server = Server(place / "shoot", place / "library")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def demo_server(demo, tmp_path):
    """The app on a copy of the demo shoot."""
    with serving(demo / "demo/shoot", demo / "library", tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def made_2000(tmp_path_factory):
    """2,000 photos, of which about 600 shall stay."""
    place = tmp_path_factory.mktemp("made")
    with Library.open(place / "library") as library:
        made = _made_shoot.make(library.store, place / "shoot", stacks=350, singles=250)
    return place, made


@pytest.fixture(scope="session")
def made_10000(tmp_path_factory):
    """10,000 photos."""
    place = tmp_path_factory.mktemp("large")
    with Library.open(place / "library") as library:
        made = _made_shoot.make(library.store, place / "shoot", stacks=1600, singles=2000)
    return place, made


@pytest.fixture
def page(browser):
    """A page whose every complaint fails the test, but for those that the test expects (`page.expected`)."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    opened = context.new_page()
    said: list[str] = []
    opened.expected = ()
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    yield opened
    context.close()
    ignored = ("net::ERR_", *opened.expected)  # a server that is ended while the page is open is no complaint
    assert [s for s in said if not any(e in s for e in ignored)] == []


def cull(page, server):
    """Opens the Cull page and waits for its pictures."""
    page.goto(server.link)
    page.wait_for_selector(".cell sl-thumb[data-drawn]")


def settled(page):
    """Waits until everything that was said has been saved."""
    page.evaluate("() => document.querySelector('sl-cull').model.line")
    until(page, "document.querySelector('sl-cull').model.waiting === 0")


def still(page):
    """Waits until the view shows what it was asked for."""
    page.wait_for_function(
        """() => { const v = document.querySelector("sl-view");
        return v && v.shown && v.there && !v.edited.busy && !v.plain.busy &&
          [...v.querySelectorAll("canvas")].every((c) => c.dataset.drawn === c.dataset.src); }"""
    )


def listening(page):
    """The actions of this page; from now on each only notes itself and whether it goes on, in `window.pressed`."""
    return page.evaluate(
        """async () => {
          const { keys } = await import("/static/js/page.js");
          const there = [...keys.actions.keys()];
          for (const action of there) keys.on(action, (advance) => { window.pressed = [action, advance]; });
          return there;
        }"""
    )


def press_table(page, rows, layout):
    """Presses every key of these rows of the table; each leads to its action and to no other."""
    for row in rows:
        for key in shortcuts.keys_of(row, layout):
            pressed = key.replace("Ctrl", "Control")
            page.evaluate("window.pressed = null")
            page.keyboard.press(pressed)
            assert page.evaluate("window.pressed") == [row.action, False], (row.action, key)
            if row.advances:
                page.keyboard.press(f"Shift+{pressed.upper() if len(pressed) == 1 else pressed}")
                assert page.evaluate("window.pressed") == [row.action, True], (row.action, key)


def until(page, expression, *, seconds=40):
    """Waits for an expression to be true. The page's own policy forbids to evaluate text within it, so we ask from
    here."""
    end = time.monotonic() + seconds
    while not page.evaluate(f"() => Boolean({expression})"):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(40)


def hold(page, path):
    """From now on answers to what is asked for under this path wait, until `let_go`."""
    page.evaluate(
        """(path) => {
          const asked = window.fetch;
          window.held = [];
          window.fetch = async (...about) => {
            const answer = await asked(...about);
            if (window.held && String(about[0]).includes(path)) await new Promise((go) => window.held.push(go));
            return answer;
          };
        }""",
        path,
    )


def let_go(page):
    """Lets the answers come that were held, and all that follow."""
    page.wait_for_function("() => window.held.length > 0")
    page.evaluate("() => { window.held.splice(0).forEach((go) => go()); window.held = null; }")


def model(page, expression):
    """Something of the page's model, by an expression over `m`."""
    return page.evaluate(f"() => {{ const m = document.querySelector('sl-cull').model; return {expression}; }}")


def api(page, path, body=None):
    """What the API says to this browser."""
    return page.evaluate(
        """async ([path, body]) => {
          const shoot = document.body.dataset.shoot;
          const answer = await fetch(`/api/shoots/${shoot}/${path}`, body === null ? {} : {
            method: "POST", body, headers: { "Content-Type": "application/json" } });
          return answer.json();
        }""",
        [path, None if body is None else json.dumps(body)],
    )


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library and the shoot of `desk`, to be copied."""
    place = tmp_path_factory.mktemp("judging")
    make(place)
    return place


@pytest.fixture
def desk(judged, tmp_path, browser):
    """A page before a server of its own; `page.go(name)` opens a page of the shoot."""
    shutil.copytree(judged / "library", tmp_path / "library")
    shutil.copytree(judged / "shoot", tmp_path / "shoot")
    server = Server(tmp_path / "shoot", tmp_path / "library")
    server.start()
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.server = server
    page.expected = ()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(server.link)
    page.shoot = json.loads((tmp_path / "shoot" / ".safelight" / "shoot.json").read_text())["id"]
    page.go = lambda name: page.goto(f"{server.address}/shoots/{page.shoot}/{name}")
    page.ask = lambda path: page.evaluate("path => fetch(path).then(a => a.json())", f"/api/shoots/{page.shoot}/{path}")
    yield page
    context.close()
    server.stop()
    assert [said for said in wrong if not any(text in said for text in page.expected)] == []
