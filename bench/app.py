"""The review app in a real browser: how soon there is something to see, how a shoot of 10,000 scrolls, how long from a
verdict to the next picture at 24 megapixels, what the page takes in memory, how many keys a shoot costs."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench._browser import WATCH_LONG_TASKS, Server, chromium, reason_to_skip
from bench._made_shoot import Made, make
from bench._presses import decide_all
from bench.harness import Data, MissingData, Result
from safelight.store.library import Library

LARGE = (1600, 2000)  # stacks of five and single photos: 10,000 photos
WEDDING = (350, 250)  # 2,000 photos
FULL = (6000, 4000)
TURNS, STEPS, VIEWED = 120, 40, 1000
VIEW = {"width": 1920, "height": 1080}
NEXT = """(key) => new Promise((done) => {
  const loupe = document.querySelector('sl-loupe');
  const began = performance.now();
  loupe.ondrawn = () => requestAnimationFrame(() => done(performance.now() - began));
  setTimeout(() => done(null), 4000);
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey: true, bubbles: true }));
})"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"


def run(data: Data) -> Iterable[Result]:
    """Each part with a server of its own, on shoots made for it."""
    reason = reason_to_skip()
    if reason is not None:
        raise MissingData(f"no browser: {reason}")
    with chromium() as browser:
        yield from _on(data.work / "large", browser, LARGE, None, _large)
        yield from _on(data.work / "full", browser, (40, 160), FULL, _turning)
        yield from _on(data.work / "wedding", browser, WEDDING, None, _presses)


Part = Callable[[Any, Server, Made], Iterable[Result]]


def _on(work: Path, browser: Any, size: tuple[int, int], full: tuple[int, int] | None, part: Part) -> Iterable[Result]:
    """Makes a shoot, opens the app on it, and lets a part measure."""
    with Library.open(work / "library") as library:
        made = make(library, work / "shoot", stacks=size[0], singles=size[1], full=full)
    server = Server(work / "shoot", work / "library")
    server.start()
    context = browser.new_context(viewport=VIEW)
    page = context.new_page()
    page.add_init_script(WATCH_LONG_TASKS)
    try:
        page.goto(server.link)
        page.wait_for_selector(".cell img[src]", timeout=60_000)
        yield from part(page, server, made)
    finally:
        context.close()
        server.stop()


def _large(page: Any, server: Server, made: Made) -> Iterable[Result]:
    n = len(made.state.photos)
    paints, cells = [], []
    for _ in range(5):
        page.goto(f"{server.address}/")
        page.wait_for_selector(".cell img[src]")
        cells.append(float(page.evaluate("() => performance.now()")))
        paints.append(float(page.evaluate(PAINT)))
    yield _at_most("app.first_paint.ms", float(np.median(paints)), 1500, n)
    yield _at_most("app.first_pictures.ms", float(np.median(cells)), 1500, n)
    page.wait_for_timeout(2000)
    page.evaluate("() => { window.longTasks.length = 0; }")
    page.mouse.move(600, 500)
    for _turn in range(TURNS):
        page.mouse.wheel(0, 420)
        page.wait_for_timeout(16)
    page.wait_for_timeout(300)
    for i in range(12):
        page.evaluate(f"() => {{ document.querySelector('sl-grid').scrollTop = {(i * 7919) % 12 * 20000}; }}")
        page.wait_for_timeout(150)
    tasks = page.evaluate("() => window.longTasks")
    yield _at_most("app.scroll.long_tasks", len(tasks), 0, n, unit="", note="tasks of the main thread above 50 ms")
    yield _at_most("app.scroll.longest_task.ms", max(tasks, default=0.0), 50, n, note="0 where none was above 50 ms")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    for _ in range(VIEWED):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(15)
    page.wait_for_timeout(1000)
    yield _at_most("app.page_memory.mb", _memory(), 500, VIEWED, unit="MB", note="resident, of the largest renderer")


def _turning(page: Any, _server: Server, _made: Made) -> Iterable[Result]:
    """From Shift and the key until the next picture is drawn: with time to make it ready, and without."""
    page.keyboard.press("Space")
    page.wait_for_timeout(1500)
    for name, pause, bar in (("warm", 700, 100), ("cold", 0, 250)):
        times = []
        for _step in range(STEPS):
            if name == "cold":  # nothing of the next pictures is there, neither in the page nor in the browser's cache
                page.evaluate("() => { const p = document.querySelector('sl-loupe').pictures; p.kept.clear(); }")
                page.context.new_cdp_session(page).send("Network.clearBrowserCache")
            took = page.evaluate(NEXT, "P")
            times += [float(took)] if took is not None else []
            page.wait_for_timeout(pause)
        yield _at_most(f"app.verdict_to_next.{name}.ms", float(np.median(times)), bar, len(times), note="median, 24 MP")
        yield Result(
            name=f"app.verdict_to_next.{name}.p95.ms", value=float(np.quantile(times, 0.95)), n=len(times), unit="ms"
        )


def _presses(page: Any, _server: Server, made: Made) -> Iterable[Result]:
    pressed = decide_all(page, made.wanted)
    page.evaluate("() => document.querySelector('sl-cull').model.line")
    photos = len(made.state.photos)
    note = f"to keep {len(made.wanted)}"
    yield _at_most("app.presses.2000", pressed, 700, photos, unit="keys", note=note)


def _memory() -> float:
    """Resident memory of the largest process that renders pages below this one, MB."""
    sizes = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in child.cmdline():
                sizes.append(child.memory_info().rss)
        except psutil.Error:
            continue
    return max(sizes, default=0) / 1e6


def _at_most(name: str, value: float, bar: float, n: int, *, unit: str = "ms", note: str = "") -> Result:
    return Result(name=name, value=value, bar=bar, want="at most", n=n, unit=unit, note=note)
