"""Colours and orientations, in screenshots of real Chromium: known patches within ΔE00 2 of the truth."""

import json

from bench._browser import Server
from safelight.api import Library
from safelight.line import Options
from tests.browser import patches


def test_every_colour_space_and_orientation_looks_right_everywhere(page, tmp_path):
    shoot = patches.shoot_of_patches(tmp_path / "shoot")
    with Library.open(tmp_path / "library") as library:
        library.run(shoot, options=Options(engine="inline"))
        patches.light_up(library, shoot)
    server = Server(shoot, tmp_path / "library")
    server.start()
    try:
        page.goto(server.link)
        page.wait_for_selector(".cell sl-thumb[data-drawn]")
        ids = patches.names(page)
        assert len(ids) == 17
        address = page.url.rsplit("/", 1)[0]
        found = patches.culled(page, ids) | patches.judged(page, lambda where: page.goto(f"{address}/{where}"), ids)
    finally:
        server.kill()
    wrong = {what: apart for what, apart in found.items() if not apart < 2}
    assert not wrong, json.dumps(wrong, indent=1)
