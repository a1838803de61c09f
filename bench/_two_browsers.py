"""Two people at two browsers while a run adds photos: what of their verdicts is in the library at the end."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench._browser import Server
from safelight.api import Library

NAMES = ("Ada", "Ben")
TOGETHER = 8  # requests of one browser that are on their way at once
SAY = """([shoot, said, together]) => {
  const say = ([photo, decision, note]) => fetch(`/api/shoots/${shoot}/verdicts`, { method: "POST",
    headers: { "Content-Type": "application/json" }, body: JSON.stringify({ photos: [photo], say: "modify",
      operators: ["cull"], params: { decision, tie_with: "" }, note }) })
      .then((a) => a.json()).then((a) => a.written ?? 0);
  const wait = [...said], written = [];
  const one = async () => { while (wait.length) written.push(await say(wait.shift())); };
  window.saying = Promise.all(Array.from({ length: together }, one)).then(() => { window.written = written; });
}"""


def decide_at_once(pages: Sequence[Any], server: Server, library: Path, *, count: int, pressed: int) -> dict[str, int]:
    """`count` verdicts from two pages at once, of which `pressed` by real keys, while a run looks at new photos that
    lie in the folder already. How many were lost, doubled, and how many photos the run added."""
    for page, name in zip(pages, NAMES, strict=True):
        page.goto(server.link)
        page.wait_for_selector(".cell sl-thumb[data-drawn]")
        page.evaluate(
            """name => fetch("/api/me", { method: "POST", headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ name }) })""",
            name,
        )
    shoot = pages[0].evaluate("document.body.dataset.shoot")
    photos = pages[0].evaluate("document.querySelector('sl-cull').model.order")
    each = (count - pressed) // len(pages)
    run = subprocess.Popen(
        [sys.executable, "-m", "safelight", "run", str(server.folder), "--library", str(library)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    sent = set()
    for page, name in zip(pages, NAMES, strict=True):
        said = []
        for i in range(each):  # both go over all photos, and change their minds each time
            turn, place = divmod(i, len(photos))
            decision = "keep" if turn % 2 == (name == "Ben") else "reject"
            said.append((photos[place], decision, f"{name} {i}"))
        sent |= {note for _, _, note in said}
        page.evaluate(SAY, [shoot, said, TOGETHER])
        page.keyboard.press("Space")
    keys = 0
    while keys < pressed:
        for page in pages:
            page.keyboard.press("Shift+P" if keys // 2 % 2 else "Shift+X")
            keys += 1
    for page in pages:
        page.evaluate("() => window.saying")
        page.evaluate("() => document.querySelector('sl-cull').model.line")
    if run.wait(300):
        raise RuntimeError("the run beside the browsers failed")
    written = sum(sum(page.evaluate("() => window.written")) for page in pages)
    with Library.open(library) as opened:
        state = opened.state(Path(str(server.folder)))
        rows = [v for v in state.ledger.rows if v.by in NAMES]
    notes = [v.note for v in rows if v.note]
    by_key = len(rows) - len(notes)
    return {
        "verdicts": len(rows),
        "lost": len(sent - set(notes)) + max(0, keys - by_key) + (2 * each - written),
        "doubled": len(notes) - len(set(notes)) + max(0, by_key - keys),
        "new": len(state.photos) - len(photos),
    }
