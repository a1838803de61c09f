"""The straight line on a made shoot: run, decide, deliver, run again."""

import json

import numpy as np
import pytest

from safelight import ledger, ledger_rows, line
from safelight.api import Library
from safelight.deliver import Order
from safelight.domain import Cull, Drawn, GroupKind, Say, Verdict
from safelight.errors import NothingFound, Refused, UsageError
from safelight.line import Options
from safelight.media import image
from safelight.store import records
from tests.conftest import save_jpeg, textured

INLINE = Options(engine="inline")


def test_an_empty_folder_is_nothing_found(library, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingFound):
        library.run(tmp_path / "empty", options=INLINE)


def test_a_shoot_goes_in_people_decide_a_delivery_comes_out(library, make_shoot, tmp_path, mark_times):
    folder = make_shoot(3, burst=4)
    before = mark_times(folder)
    made = library.run(folder, options=INLINE)
    assert made.looked == 7
    assert made.report is not None
    assert "shoot" in made.report.read_text()

    state = library.state(folder)
    assert len(state.photos) == 7
    assert sum(g.kind is GroupKind.BURST for g in state.groups) == 1
    assert all(p.proposals["cull"].because for p in state.photos.values())

    with pytest.raises(Refused) as refused:
        library.deliver(folder, tmp_path / "out")
    assert "7 photos are not decided" in refused.value.cause
    assert not (tmp_path / "out" / "manifest.json").exists()

    library.verdict(folder, list(state.photos), operator=None, say=Say.APPROVE, by="ann")
    for photo in library.state(folder).photos.values():
        if not photo.decided:
            library.verdict(folder, [photo.path], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    manifest = library.deliver(folder, tmp_path / "out", order=Order(to=tmp_path, sign_off="ann"))
    assert manifest["schema"] == "safelight.delivery/1"
    assert manifest["draft"] is False
    assert manifest["signed_off_by"] == "ann"
    assert manifest["open"] == []
    kept = [p for p in library.state(folder).photos.values() if p.decision is Cull.KEEP]
    assert len(manifest["files"]) == len(kept) > 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["id"] == manifest["id"]
    assert not (tmp_path / "out" / "DRAFT - not final.txt").exists()
    assert mark_times(folder) == before


def test_a_second_run_does_nothing(library, make_shoot):
    folder = make_shoot(3)
    library.run(folder, options=INLINE)
    again = library.run(folder, options=INLINE)
    assert (again.looked, again.changed) == (0, False)


def test_a_run_with_nothing_to_do_does_not_read_the_record(library, make_shoot, monkeypatch):
    folder, other = make_shoot(3), make_shoot(2, name="other")
    reads = []
    read = ledger_rows.of_library
    monkeypatch.setattr(ledger, "of_library", lambda *args: reads.append(args) or read(*args))
    library.run(folder, options=INLINE)
    assert reads
    reads.clear()
    assert not library.run(folder, options=INLINE).changed
    assert not reads
    library.run(other, options=INLINE)  # what is said elsewhere may change a licence, so that it is read again
    reads.clear()
    assert not library.run(folder, options=INLINE).changed
    assert len(reads) <= 1
    reads.clear()
    assert not library.run(folder, options=INLINE).changed
    assert not reads


def test_a_licence_that_came_since_lets_the_next_run_look_again(library, make_shoot, monkeypatch):
    folder = make_shoot(3)
    library.run(folder, options=INLINE)
    found = ledger.licences(library.store, ledger.rules(library.store), lambda: pytest.fail("they are kept"))
    state = library.state(folder)
    said = [
        Verdict(
            at=f"2026-01-{day + 1:02d}T10:00:{i:02d}.000+00:00", by="ann", asset=f"{day:032x}{i:032x}", shoot=f"s{day}",
            operator="exposure", version=1, say=Say.APPROVE, drawn=Drawn.AUDIT, score=0.9,
        )
        for day in range(28) for i in range(20)
    ]  # fmt: skip
    records.save_verdicts(library.store, said)
    rules = ledger.rules(library.store)
    fresh = ledger.licences(library.store, rules, lambda: ledger.record(library.store, rules))
    assert fresh != found
    assert library.run(folder, options=INLINE).changed
    assert set(library.state(folder).photos) == set(state.photos)


def test_a_verdict_lets_the_next_run_look_again_without_decoding(library, make_shoot):
    folder = make_shoot(3)
    library.run(folder, options=INLINE)
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "reject"}, by="ann")
    again = library.run(folder, options=INLINE)
    assert again.looked == 0
    assert library.state(folder).photo("IMG_0000.JPG").decision is Cull.REJECT


def test_new_vanished_and_changed_files_are_told_apart(library, make_shoot):
    folder = make_shoot(3)
    library.run(folder, options=INLINE)
    (folder / "IMG_0000.JPG").unlink()
    save_jpeg(folder / "IMG_0009.JPG", textured(9))
    save_jpeg(folder / "IMG_0001.JPG", textured(77))
    made = library.run(folder, options=INLINE)
    assert made.looked == 2
    assert set(library.state(folder).by_path) == {"IMG_0001.JPG", "IMG_0002.JPG", "IMG_0009.JPG"}


def test_two_runs_at_once_the_second_names_the_first(library, make_shoot):
    from safelight.errors import LibraryError
    from safelight.store.objects import ShootFolder

    folder = make_shoot(1)
    where = ShootFolder.at(folder)
    where.claim()
    with where.lock(), pytest.raises(LibraryError, match="process"):
        line.first_pass(library.store, where, INLINE, lambda _: None)


def test_processes_and_inline_find_the_same(library, make_shoot, tmp_path):
    folder = make_shoot(3, burst=3)
    library.run(folder, options=INLINE)
    with Library.open(tmp_path / "other") as other:
        other.run(folder, options=Options(engine="process", jobs=2), cache=tmp_path / "cache")
        there = other.state(folder, cache=tmp_path / "cache")
        here = library.state(folder)
        assert {i: p.facts for i, p in here.photos.items()} == {i: p.facts for i, p in there.photos.items()}
        assert {(g.kind, g.members) for g in here.groups} == {(g.kind, g.members) for g in there.groups}
        assert {i: p.decision for i, p in here.photos.items()} == {i: p.decision for i, p in there.photos.items()}


def test_the_cache_may_be_deleted_and_every_version_renders_the_same_bytes(library, make_shoot, tmp_path):
    import shutil

    folder = make_shoot(2)
    library.run(folder, options=INLINE)
    for path in ("IMG_0000.JPG", "IMG_0001.JPG"):
        library.verdict(folder, [path], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
        library.verdict(folder, [path], operator="exposure", say="modify", params={"ev": 0.4}, by="ann")
    signed = Order(to=tmp_path, sign_off="ann")
    first = library.deliver(folder, tmp_path / "a", order=signed)
    shutil.rmtree(folder / ".safelight" / "cache")
    library.run(folder, options=INLINE)
    second = library.deliver(folder, tmp_path / "b", order=signed)
    assert [f["sha256"] for f in first["files"]] == [f["sha256"] for f in second["files"]]
    assert all(f["edits"][-1]["operator"].startswith("exposure@") for f in first["files"])


def test_forty_folders_share_one_library_and_one_record(library, tmp_path):
    for i in range(40):
        save_jpeg(tmp_path / f"job{i}" / "a.jpg", textured(i, width=64, height=48))
        library.run(tmp_path / f"job{i}", options=INLINE)
    assert len(library.shoots()) == 40
    assert len(library.assets()) == 40


def test_a_moved_shoot_brings_its_record(library, make_shoot):
    folder = make_shoot(2)
    library.run(folder, options=INLINE)
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "reject"}, by="ann")
    moved = folder.rename(folder.with_name("elsewhere"))
    library.run(moved, options=INLINE)
    assert library.state(moved).photo("IMG_0000.JPG").decision is Cull.REJECT
    assert len(library.shoots()) == 1


def test_a_rating_written_into_a_jpeg_keeps_its_record(library, make_shoot):
    folder = make_shoot(2)
    library.run(folder, options=INLINE)
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "reject"}, by="ann")
    path = folder / "IMG_0000.JPG"
    data = path.read_bytes()
    packet = b"http://ns.adobe.com/xap/1.0/\x00" + b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(packet) + 2).to_bytes(2) + packet + data[2:])
    library.run(folder, options=INLINE)
    photo = library.state(folder).photo("IMG_0000.JPG")
    assert photo.decision is Cull.REJECT
    assert photo.relinked_from == photo.id != photo.asset.id
    assert library.explain(photo.asset)["relinked_from"] == photo.id


def test_copies_of_one_file_are_one_photo(library, make_shoot):
    folder = make_shoot(1)
    (folder / "copy.jpg").write_bytes((folder / "IMG_0000.JPG").read_bytes())
    library.run(folder, options=INLINE)
    (photo,) = library.state(folder).photos.values()
    assert photo.copies == ["copy.jpg"]


def test_a_delivery_refuses_a_folder_that_is_not_empty_and_the_originals(library, make_shoot, tmp_path):
    folder = make_shoot(1)
    library.run(folder, options=INLINE)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x.txt").write_text("x")
    for target in (tmp_path / "full", folder):
        with pytest.raises(UsageError):
            library.deliver(folder, target, order=Order(to=target, draft=True))


def test_delivering_without_edits_is_a_plain_decode_and_encode(library, make_shoot, tmp_path):
    folder = make_shoot(1)
    library.run(folder, options=INLINE)
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    library.verdict(folder, ["IMG_0000.JPG"], operator=None, say="reject", by="ann")
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    library.deliver(folder, tmp_path / "tiff", order=Order(to=tmp_path, preset="tiff16"))
    (file,) = (tmp_path / "tiff").glob("*.tif")
    source = image.read(folder / "IMG_0000.JPG").astype(np.int64) * 257
    import tifffile

    assert np.abs(tifffile.imread(file).astype(np.int64) - source).max() <= 1
