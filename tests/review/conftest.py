"""Fixtures: the app over a shoot of the test, spoken to as a program and as a browser would."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from safelight.api import Library
from safelight.line import Options, know
from safelight.review import Opening, create_app, desk_of
from safelight.review.security import Door
from safelight.store.objects import ShootFolder
from tests import made_talk
from tests.conftest import START, no_coins, save_jpeg, textured
from tests.made_clips import make_clip

TOKEN = "a-token-for-tests-only"  # noqa: S105
ORIGIN = "http://localhost:8421"


class Program:
    """A program with the key of the start."""

    def __init__(self, client: TestClient, shoot: str) -> None:
        self.client, self.shoot = client, shoot

    def photos(self) -> dict[str, dict]:
        return {p["path"]: p for p in self.get("photos")["photos"]}

    def get(self, path: str, **more):
        answer = self.client.get(f"/api/shoots/{self.shoot}/{path}", **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object = None, *, status: int = 200, by: str = "Ada"):
        headers = {"X-Safelight-Reviewer": by}
        answer = self.client.post(f"/api/shoots/{self.shoot}/{path}", json=body or {}, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a shoot of three single photos and a burst of four, and the library it was run with."""
    place = tmp_path_factory.mktemp("ran")
    pictures = [textured(i) for i in range(3)] + [np.roll(textured(1000), i, axis=1) for i in range(4)]
    for i, picture in enumerate(pictures):
        gap = timedelta(minutes=5 * i) if i < 3 else timedelta(hours=1, milliseconds=200 * i)
        save_jpeg(place / "shoot" / f"IMG_{i:04d}.JPG", picture, taken=START + gap)
    no_coins(place / "library")
    with Library.open(place / "library") as opened:
        opened.run(place / "shoot", options=Options(engine="inline"))
    return place


@pytest.fixture
def library(ran: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of that library, with a copy of the shoot where the test may write."""
    shutil.copytree(ran / "library", tmp_path / "library")
    shutil.copytree(ran / "shoot", tmp_path / "shoot")
    with Library.open(tmp_path / "library") as opened:
        known = ShootFolder.at(tmp_path / "shoot")
        know(opened.store, known, Options())
        yield opened


@pytest.fixture
def open_app(library: Library) -> Iterator[Callable[[Path], Program]]:
    """Opens the app on a folder; several times in one test are several starts."""
    opened = []

    def start(folder: Path) -> Program:
        desk = desk_of(library.store, folder, Opening(name="Ada"))
        client = TestClient(
            create_app(desk, Door(token=TOKEN)), base_url=ORIGIN, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        client.__enter__()
        opened.append(client)
        return Program(client, desk.first or "")

    yield start
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def app(open_app, library: Library, tmp_path: Path) -> Program:
    """The app on that shoot."""
    return open_app(tmp_path / "shoot")


@pytest.fixture
def with_hands(library, tmp_path, open_app):
    """A shoot of a talk and of hands that can be cut away to: the app, the folder, ids by path, where the talk is."""
    place = tmp_path / "two"
    place.mkdir()
    make_clip(place / "hands.mov", frames=100, step=1)
    app = open_app(made_talk.shoot(library, place, "talk.mov"))
    ids = {row["path"]: row["clip"] for row in app.get("cuts")}
    return app, place, ids, f"clips/{ids['talk.mov']}"
