"""Screenshots that are kept: how they are taken, and how far a new one is from its golden one.

Fonts differ from machine to machine, and with them every edge of every letter. So two things are compared, both
forgiving of letters: where the parts of a page lie, and a picture reduced until only tones and blocks are left.

`GOLDEN=keep python -m pytest tests/browser/test_golden.py` makes them anew; look at each before it is committed.
"""

import io
import json
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops

PLACE = Path(__file__).resolve().parents[1] / "golden/pages"
FAILED = Path("build/golden")  # where pictures of what failed go
SIZES = {1280: 720, 2560: 1440}
COARSE = 8  # px of the page for one of the comparison
MOST_APART = 24  # levels of 255 from which a coarse pixel is another one
MOST_OTHER = 0.03  # share of coarse pixels that may be others: letters of another font
MOST_MOVED = 12  # px that an edge of a part may move
SETTLES = 15  # s within which a page comes to rest: a busy machine draws a film's frame late
NAMELESS = """() => { const plain = (text) => text.replaceAll(/\\/[^ ]*\\/pytest-[^ ]*\\//g, "/photos/");
  const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (all.nextNode()) {
    if (all.currentNode.data.includes("pytest-")) all.currentNode.data = plain(all.currentNode.data);
  }
  for (const box of document.querySelectorAll('input[type=text], input:not([type])')) {
    if (box.value.includes("pytest-")) box.value = plain(box.value);
  }
}"""  # where the shoot lies is no part of how a page looks
PARTS = """() => Object.fromEntries(['header.bar', '#main', 'sl-grid', 'sl-loupe', 'sl-stage', 'aside', 'sl-filters',
  '.cell', '.page', 'h1', 'sl-view', 'sl-player', '.controls',
  '.answers', '.words', 'sl-wave'].map((s) => [s, document.querySelector(s)?.getBoundingClientRect()])
  .filter(([, box]) => box?.width).map(([s, b]) => [s, [b.left, b.top, b.right, b.bottom].map(Math.round)]))"""


def taken(page):
    """The page as it looks, and where its parts lie."""
    page.evaluate(NAMELESS)
    shot = page.screenshot(animations="disabled", caret="hide")
    return Image.open(io.BytesIO(shot)).convert("RGB"), page.evaluate(PARTS)


def looked_at(page, name):
    """What has changed since this page was last looked at; kept as it is now, where that is asked for."""
    picture, parts = taken(page)
    if os.environ.get("GOLDEN") == "keep":
        keep(name, picture, parts)
        return []
    until = time.monotonic() + SETTLES
    while (found := apart(name, picture, parts)) and time.monotonic() < until:
        page.wait_for_timeout(500)
        picture, parts = taken(page)
    if found:
        left(name, picture, FAILED)
    return found


def keep(name, picture, parts):
    """Makes this the golden one."""
    PLACE.mkdir(parents=True, exist_ok=True)
    picture.save(PLACE / f"{name}.webp", quality=60, method=6)
    known = boxes() | {name: parts}
    text = json.dumps(dict(sorted(known.items())), separators=(",", ":")).replace('},"', '},\n"')
    (PLACE / "boxes.json").write_text(text + "\n", encoding="utf-8")


def boxes():
    """Where the parts of each golden page lie, in px: left, top, right, bottom."""
    place = PLACE / "boxes.json"
    return json.loads(place.read_text("utf-8")) if place.exists() else {}


def apart(name, picture, parts):
    """What is not as in the golden one, in words."""
    golden = Image.open(PLACE / f"{name}.webp").convert("RGB")
    was = boxes()[name]
    found = [f"{part} is gone or new" for part in sorted(was.keys() ^ parts.keys())]
    found += [
        f"{part} lies at {parts[part]}, not at {was[part]}"
        for part in sorted(was.keys() & parts.keys() - {"h1"})
        if max(abs(a - b) for a, b in zip(was[part], parts[part], strict=True)) > MOST_MOVED
    ]
    if golden.size != picture.size:
        return [*found, f"{picture.size} px, not {golden.size}"]
    size = golden.width // COARSE, golden.height // COARSE
    one, other = (np.asarray(p.resize(size, Image.Resampling.BOX), int) for p in (golden, picture))
    share = float((np.abs(one - other).max(axis=2) > MOST_APART).mean())
    return [*found, f"{share:.1%} of the page look different"] if share > MOST_OTHER else found


def left(name, picture, folder):
    """Leaves the new picture and how it differs from the golden one in `folder`, to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    golden = Image.open(PLACE / f"{name}.webp").convert("RGB")
    picture.save(folder / f"{name}.png")
    if golden.size == picture.size:
        ImageChops.difference(golden, picture).save(folder / f"{name}.difference.png")
