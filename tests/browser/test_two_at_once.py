"""Two people and a run on one library."""

import shutil

from bench._browser import Server
from bench._two_browsers import decide_at_once
from safelight.api import Library
from safelight.line import Options
from tests.conftest import START, save_jpeg, textured


def test_two_browsers_and_a_run_lose_nothing_and_double_nothing(browser, tmp_path):
    """A small form; the bench says 2,000 verdicts."""
    for i in range(30):
        save_jpeg(tmp_path / "made" / f"{i:04d}.JPG", textured(i), taken=START)
    shoot, made = tmp_path / "shoot", sorted((tmp_path / "made").iterdir())
    shoot.mkdir()
    for path in made[:20]:
        shutil.move(path, shoot)
    with Library.open(tmp_path / "library") as library:
        library.run(shoot, options=Options(engine="inline"))
    server = Server(shoot, tmp_path / "library")
    server.start()
    for path in made[20:]:
        shutil.move(path, shoot)
    contexts = [browser.new_context() for _ in range(2)]
    try:
        pages = [context.new_page() for context in contexts]
        found = decide_at_once(pages, server, tmp_path / "library", count=200, pressed=20)
        assert found == {"verdicts": 200, "lost": 0, "doubled": 0, "new": 10}
    finally:
        for context in contexts:
            context.close()
        server.kill()
