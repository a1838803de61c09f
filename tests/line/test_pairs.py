"""A raw and its camera JPEG are one photo, and neither is lost when the other cannot be read."""

import shutil

import pytest

from safelight.deliver import Order
from safelight.line import Options
from tests.conftest import save_jpeg, textured
from tests.made_files import make_dng

INLINE = Options(engine="inline")


@pytest.fixture
def card(tmp_path):
    folder = tmp_path / "card"
    folder.mkdir()
    make_dng(folder / "IMG_1.DNG")
    save_jpeg(folder / "IMG_1.JPG", textured(1))
    save_jpeg(folder / "IMG_2.JPG", textured(2))
    return folder


def test_a_pair_is_one_photo_that_is_asked_about_once(library, card, capsys):
    library.run(card, options=INLINE)
    state = library.state(card)
    assert set(state.photos) == {state.photo("IMG_1.DNG").id, state.photo("IMG_2.JPG").id}
    assert state.photo("IMG_1.JPG") is state.photo("IMG_1.DNG")
    entry = library.explain(card / "IMG_1.DNG", folder=card)
    assert entry["group"]["kind"] == "pair"
    again = library.run(card, options=INLINE)
    assert (again.looked, again.changed) == (0, False)


@pytest.mark.parametrize("engine", ["inline", "process"])
def test_the_jpeg_of_an_unreadable_raw_is_a_photo_of_its_own(library, card, engine):
    data = (card / "IMG_1.DNG").read_bytes()
    (card / "IMG_1.DNG").write_bytes(data[: len(data) // 2])
    library.run(card, options=Options(engine=engine, jobs=2))
    state = library.state(card)
    assert [f.path for f in state.failed] == ["IMG_1.DNG"]
    photo = state.photo("IMG_1.JPG")
    assert photo.path == "IMG_1.JPG"
    assert photo.facts
    assert "cull" in photo.proposals


def test_a_raw_that_comes_back_takes_its_jpeg_along(library, card, tmp_path):
    shutil.move(card / "IMG_1.DNG", tmp_path / "aside.dng")
    library.run(card, options=INLINE)
    assert library.state(card).photo("IMG_1.JPG").jpeg is None
    shutil.move(tmp_path / "aside.dng", card / "IMG_1.DNG")
    library.run(card, options=INLINE)
    photo = library.state(card).photo("IMG_1.DNG")
    assert photo.jpeg == "IMG_1.JPG"
    assert len(library.state(card).photos) == 2


def test_a_raw_is_delivered_from_the_raw(library, card, tmp_path):
    library.run(card, options=INLINE)
    library.verdict(card, ["IMG_1.DNG"], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    library.verdict(card, ["IMG_2.JPG"], operator="cull", say="modify", params={"decision": "reject"}, by="ann")
    made = library.deliver(card, tmp_path / "out", order=Order(to=tmp_path, draft=True))
    (file,) = made["files"]
    assert file["source"]["path"] == "IMG_1.DNG"
    assert made["failed"] == []
