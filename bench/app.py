"""The review app in a real browser: how soon there is something to see, how a shoot of 10,000 opens and scrolls, how
long from a verdict to the next picture at 24 megapixels, what the page takes in memory, how many keys a shoot costs."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench._browser import WATCH_LONG_TASKS, Server, chromium, reason_to_skip
from bench._made_shoot import Made, jpeg, make, small
from bench._presses import decide_all
from bench._two_browsers import decide_at_once
from bench.harness import Data, MissingData, Result
from safelight.api import Library
from safelight.line import Options
from safelight.store.library import Library as Store

LARGE = (1600, 2000)  # stacks of five and single photos: 10,000 photos
WEDDING = (350, 250)  # 2,000 photos
FULL = (6000, 4000)
SMALL, ADDED, SAID, PRESSED = 160, 40, 2000, 100  # photos before and during a run; verdicts, of them by keys
TURNS, STEPS, VIEWED = 120, 40, 1000
OPENED, MEANWHILE, SETTLED = 5, 120, 2500  # times that a shoot is opened; photos of a run meanwhile; ms until it rests
VIEW, WIDE = {"width": 1920, "height": 1080}, {"width": 2560, "height": 1440}
NEXT = """(key) => new Promise((done) => {
  const loupe = document.querySelector('sl-loupe');
  const began = performance.now();
  loupe.ondrawn = () => requestAnimationFrame(() => done(performance.now() - began));
  setTimeout(() => done(null), 4000);
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey: true, bubbles: true }));
})"""
DRAWN = "() => document.querySelector('sl-stage').dataset.drawn === document.querySelector('sl-cull').model.current"
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"


def run(data: Data) -> Iterable[Result]:
    """Each part with a server of its own, on shoots made for it."""
    reason = reason_to_skip()
    if reason is not None:
        raise MissingData(f"no browser: {reason}")
    with chromium() as browser:
        yield from _on(data.work / "large", browser, LARGE, None, _large)
        yield from _on(data.work / "wide", browser, LARGE, None, _viewed, view=WIDE)
        yield from _on(data.work / "full", browser, (40, 160), FULL, _turning)
        yield from _on(data.work / "full-wide", browser, (40, 160), FULL, _turning, view=WIDE)
        yield from _on(data.work / "wedding", browser, WEDDING, None, _presses)
        yield from _two(data.work / "two", browser)


Part = Callable[[Any, Server, Made], Iterable[Result]]


def _on(
    work: Path, browser: Any, size: tuple[int, int], full: tuple[int, int] | None, part: Part,
    view: dict[str, int] = VIEW,
) -> Iterable[Result]:  # fmt: skip
    """Makes a shoot, opens the app on it, and lets a part measure."""
    with Store.open(work / "library") as library:
        made = make(library, work / "shoot", stacks=size[0], singles=size[1], full=full)
    server = Server(work / "shoot", work / "library")
    server.start()
    context = browser.new_context(viewport=view)
    page = context.new_page()
    page.add_init_script(WATCH_LONG_TASKS)
    try:
        page.goto(server.link)
        page.wait_for_selector(".cell sl-thumb[data-drawn]", timeout=60_000)
        yield from part(page, server, made)
    finally:
        context.close()
        server.stop()


def _large(page: Any, server: Server, made: Made) -> Iterable[Result]:
    n = len(made.state.photos)
    paints, cells = [], []
    for _ in range(5):
        page.goto(f"{server.address}/")
        page.wait_for_selector(".cell sl-thumb[data-drawn]")
        cells.append(float(page.evaluate("() => performance.now()")))
        paints.append(float(page.evaluate(PAINT)))
    yield _at_most("app.first_paint.ms", float(np.median(paints)), 1500, n)
    yield _at_most("app.first_pictures.ms", float(np.median(cells)), 1500, n)
    yield from _opened(page, server, n)
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
    yield from _viewed(page, server, made)


def _opened(page: Any, server: Server, n: int) -> Iterator[Result]:
    """Tasks of the main thread from the first moment on until the page rests, while a run goes on in its library."""
    longest, many = 0.0, 0
    with _running(server.library):
        for _ in range(OPENED):
            page.goto(f"{server.address}/")
            page.wait_for_selector(".cell sl-thumb[data-drawn]")
            page.wait_for_timeout(SETTLED)
            tasks = page.evaluate("() => window.longTasks")
            longest, many = max([longest, *tasks]), many + len(tasks)
    note = f"{many} above 50 ms in {OPENED} starts while a run goes on; 0 where there was none"
    yield _at_most("app.start.longest_task.ms", longest, 50, n, note=note)


@contextmanager
def _running(library: Path) -> Iterator[None]:
    """A first pass over another shoot of the library, in a process of its own."""
    shoot = library.parent / "meanwhile"
    _small(shoot, range(MEANWHILE))
    command = [sys.executable, "-m", "safelight", "run", str(shoot), "--library", str(library), "--jobs", "1"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        run.terminate()
        run.wait()


def _viewed(page: Any, _server: Server, _made: Made) -> Iterator[Result]:
    """What the page takes after so many pictures."""
    wide = _width(page)
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    for _ in range(VIEWED):  # each is drawn before the next is asked for
        page.keyboard.press("ArrowRight")
        page.wait_for_function(DRAWN, polling="raf")
    page.wait_for_timeout(1000)
    resident, private = _memory()
    note = "resident, of the largest renderer, with the browser's own program"
    yield _at_most(f"app.page_memory{wide}.mb", resident, 500, VIEWED, unit="MB", note=note)
    yield Result(
        name=f"app.page_memory{wide}.private.mb", value=private, n=VIEWED, unit="MB", note="of this page alone"
    )


def _turning(page: Any, _server: Server, _made: Made) -> Iterable[Result]:
    """From Shift and the key until the next picture is drawn: with time to make it ready, and without."""
    wide = _width(page)
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
        name += wide  # noqa: PLW2901
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


def _two(work: Path, browser: Any) -> Iterable[Result]:
    """Two people who disagree, and a run that adds photos meanwhile."""
    shoot = work / "shoot"
    _small(shoot, range(SMALL))
    with Library.open(work / "library") as library:
        library.run(shoot, options=Options(engine="inline"))
    server = Server(shoot, work / "library")
    server.start()
    _small(shoot, range(SMALL, SMALL + ADDED))
    contexts = [browser.new_context(viewport=VIEW) for _ in range(2)]
    try:
        pages = [context.new_page() for context in contexts]
        found = decide_at_once(pages, server, work / "library", count=SAID, pressed=PRESSED)
    finally:
        for context in contexts:
            context.close()
        server.stop()
    note = f"{PRESSED} by keys; a run added {found['new']} photos meanwhile"
    yield Result(
        name="app.two_browsers.verdicts", value=found["verdicts"], bar=SAID, want="at least", n=SAID, note=note
    )
    yield _at_most("app.two_browsers.lost", found["lost"], 0, SAID, unit="")
    yield _at_most("app.two_browsers.doubled", found["doubled"], 0, SAID, unit="")


def _small(folder: Path, numbers: range) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in numbers:
        (folder / f"{i:04d}.jpg").write_bytes(jpeg(small(i), 90))


def _width(page: Any) -> str:
    """What figures of a wide window are called."""
    return ".wide" if page.viewport_size == WIDE else ""


def _memory() -> tuple[float, float]:
    """Memory of the largest process that renders pages below this one, MB: resident, and what nobody shares.

    Some 130 MB of the resident memory are the pages of the browser's program, which all its processes share; the bar
    is on the larger figure all the same, which is what a person sees in a task manager."""
    sizes = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in child.cmdline():
                found = child.memory_full_info()
                sizes.append((found.rss / 1e6, found.uss / 1e6))
        except psutil.Error:
            continue
    return max(sizes, default=(0.0, 0.0))


def _at_most(name: str, value: float, bar: float, n: int, *, unit: str = "ms", note: str = "") -> Result:
    return Result(name=name, value=value, bar=bar, want="at most", n=n, unit=unit, note=note)
