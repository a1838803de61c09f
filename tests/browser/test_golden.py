"""Every page looks as it was last looked at: 1280 and 2560 px, dark and light."""

import pytest
from PIL import Image

from tests.browser import golden
from tests.browser.test_every_page import AROUND, NAMES, opened

KEYS = {"loupe": "Space", "judge-photo": "Space", "compare": "c"}  # what is pressed before they are looked at


def pages():
    """Names of the golden pictures with the address of each."""
    named = [(address.split("?")[0].strip("/") or "start", address) for address in (*NAMES, *AROUND)]
    return [
        *named,
        ("queue-all", "/queue"),
        ("trust", "/trust"),
        ("loupe", "cull"),
        ("compare", "cull"),
        ("judge-photo", "judge"),
    ]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", golden.SIZES)
def test_every_page_looks_as_it_did(browser, demo_server, theme, width):
    context = browser.new_context(viewport={"width": width, "height": golden.SIZES[width]})
    page = context.new_page()
    wrong = {}
    try:
        for name, address in pages():
            opened(page, demo_server, theme, address)
            if name in KEYS:
                page.keyboard.press(KEYS[name])
                page.wait_for_timeout(1200)
            page.wait_for_timeout(500)
            full = f"{name}-{width}-{theme}"
            if found := golden.looked_at(page, full):
                wrong[full] = found
    finally:
        context.close()
    assert wrong == {}, f"new pictures and differences are in {golden.FAILED}"


def test_a_page_that_looks_different_is_told(tmp_path):
    """The comparison itself can fail."""
    name = "help-1280-dark"
    picture = Image.open(golden.PLACE / f"{name}.webp").convert("RGB")
    parts = golden.boxes()[name]
    assert golden.apart(name, picture, parts) == []
    picture.paste((200, 30, 30), (200, 200, 600, 500))
    parts = {**parts, "#main": [0, 80, 1280, 720]}
    assert len(golden.apart(name, picture, parts)) == 2
    golden.left(name, picture, tmp_path)
    assert (tmp_path / f"{name}.difference.png").exists()
