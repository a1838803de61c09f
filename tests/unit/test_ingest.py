import os

import pytest

from safelight import ingest
from safelight.domain import Kind
from safelight.store.records import File


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_media_are_found_in_order_and_the_rest_is_left_alone(tmp_path):
    touch(
        tmp_path,
        "b.JPG",
        "a/c.dng",
        "note.txt",
        "b.xmp",
        ".hidden/d.jpg",
        ".safelight/cache/e.jpg",
        "clip.MOV",
        "._b.JPG",
    )
    touch(tmp_path, "delivered/manifest.json", "delivered/f.jpg")
    found = list(ingest.walk(tmp_path))
    assert [(s.path, s.kind) for s in found] == [
        ("a/c.dng", Kind.PHOTO),
        ("b.JPG", Kind.PHOTO),
        ("clip.MOV", Kind.VIDEO),
    ]


@pytest.mark.parametrize(
    "name", ["new\nline.jpg", "emoji 🎞️.jpg", " space .jpg", "quote'\".jpg", "-dash.jpg", "a" * 200 + ".jpg"]
)
def test_hostile_names_are_only_names(tmp_path, name):
    touch(tmp_path, name)
    assert [s.path for s in ingest.walk(tmp_path)] == [name]


def test_names_that_are_no_utf8_are_kept_as_they_are(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    assert [os.fsencode(s.path) for s in ingest.walk(tmp_path)] == [b"caf\xe9.jpg"]


def test_a_raw_and_its_jpeg_are_one_picture():
    found = ingest.pairs(["d/IMG_1.CR2", "d/IMG_1.JPG", "d/img_2.jpg", "e/IMG_1.JPG", "d/IMG_3.dng", "d/IMG_3.png"])
    assert found == {"d/IMG_1.JPG": "d/IMG_1.CR2"}


def test_plan_tells_new_changed_same_and_gone(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    seen = {s.path: s for s in ingest.walk(tmp_path)}
    known = {p: File(path=p, asset=p * 10, size=s.size, mtime_ns=s.mtime_ns) for p, s in seen.items() if p != "c.jpg"}
    known["b.jpg"] = File(path="b.jpg", asset="b", size=99, mtime_ns=1)
    known["d.jpg"] = File(path="d.jpg", asset="d", size=1, mtime_ns=1)
    plan = ingest.plan(tmp_path, known)
    assert [s.path for s in plan.fresh] == ["b.jpg", "c.jpg"]
    assert [f.path for f in plan.same] == ["a.jpg"]
    assert [f.path for f in plan.gone] == ["d.jpg"]


def test_what_could_not_be_opened_is_tried_again_and_what_is_truncated_is_not(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg")
    seen = {s.path: s for s in ingest.walk(tmp_path)}
    codes = {"a.jpg": "media-unreadable", "b.jpg": "media-truncated"}
    known = {
        p: File(path=p, asset=None, size=s.size, mtime_ns=s.mtime_ns, error={"code": codes[p]}) for p, s in seen.items()
    }
    assert [s.path for s in ingest.plan(tmp_path, known).fresh] == ["a.jpg"]
