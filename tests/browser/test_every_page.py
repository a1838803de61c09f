"""Each page of a shoot, judging included: nothing serious for axe in dark and light, all by keys, focus that shows."""

import pytest

from tests.browser.test_pages import axe

NAMES = ("cull", "judge", "queue", "deliver", "practise?seed=5")
AROUND = ("/help", "/people", "/tour", "/?from=here")
FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? (at.textContent || at.title);
  const box = at.getBoundingClientRect();
  return { tag: at.tagName, name: name.trim().slice(0, 40), inside: box.bottom > 0 && box.top < innerHeight,
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
}"""
REACHABLE = """() => [...document.querySelectorAll(
  'main button, main select, main input, main a[href], main summary, main textarea')]
  .filter((e) => e.checkVisibility() && !e.disabled && e.tabIndex >= 0 && e.type !== 'radio').length"""


def opened(page, server, theme, address):
    """A page of the demo shoot (by its name) or around it (by its path), at rest."""
    if not page.url.startswith(server.address):
        page.goto(server.link)
        page.shoot = page.evaluate("document.body.dataset.shoot")
    page.evaluate(f"localStorage.setItem('safelight.theme', '{theme}')")
    page.goto(server.address + (address if address.startswith("/") else f"/shoots/{page.shoot}/{address}"))
    page.wait_for_timeout(200 if address.startswith("/") else 900)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_serious_on_any_page(page, demo_server, theme):
    found = {}
    for address in (*NAMES, *AROUND, "/queue", "/trust"):
        opened(page, demo_server, theme, address)
        found[address] = axe(page)
        if address == "judge":
            page.keyboard.press("Space")
            page.wait_for_timeout(900)
            found["judge, one photo"] = axe(page)
    assert {name: bad for name, bad in found.items() if bad} == {}


@pytest.mark.parametrize("address", [*NAMES, *AROUND, "/queue", "/trust"])
def test_every_control_is_reached_by_tab_and_shows_that_it_is(page, demo_server, address):
    opened(page, demo_server, "dark", address)
    wanted = page.evaluate(REACHABLE)
    page.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(min(wanted, 40) + 14):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUS))
    controls = [one for one in seen if one["tag"] not in ("BODY", "MAIN")]
    assert len(controls) >= min(wanted, 40)
    assert [one for one in controls if not (one["name"] and one["seen"] and one["inside"])] == []
