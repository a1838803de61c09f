"""The gate for anybody's edits: files and folders, matched, checked, resumed, watched."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import safelight
from safelight import pairs, plugins
from safelight.checking import Outcome
from safelight.errors import UsageError
from safelight.pairs import job, matching, run
from safelight.workers import Lost, Why
from tests.conftest import save_jpeg, textured
from tests.line.test_cli import call

SIZE = {"width": 420, "height": 300}


pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Two quick detectors; the others have tests of their own."""
    found = plugins.detectors()
    monkeypatch.setattr(plugins, "detectors", lambda: {name: found[name] for name in ("clipping", "jpeg")})


def silent(progress):
    assert 0 <= progress.done <= progress.total


@pytest.fixture
def folders(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    for number in range(4):
        save_jpeg(before / f"IMG_{number}.jpg", textured(number, **SIZE))
    after.mkdir()
    return before, after


def test_files_are_matched_by_name_by_added_name_and_by_picture(folders):
    before, after = folders
    shutil.copy(before / "IMG_0.jpg", after / "img_0.jpg")
    Image.open(before / "IMG_1.jpg").save(after / "IMG_1_final-2.png")
    turned = np.rot90(textured(2, **SIZE)).copy()
    save_jpeg(after / "from the vendor.jpg", turned)
    save_jpeg(after / "another.jpg", textured(99, **SIZE))
    (after / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    found = matching.match(before, after)
    assert {(p.before.name, p.after.name, p.by) for p in found.pairs} == {
        ("IMG_0.jpg", "img_0.jpg", "name"),
        ("IMG_1.jpg", "IMG_1_final-2.png", "name+"),
        ("IMG_2.jpg", "from the vendor.jpg", "picture"),
    }
    assert [p.name for p in found.alone_before] == ["IMG_3.jpg"]
    assert {p.name for p in found.alone_after} == {"another.jpg", "broken.jpg"}
    assert [p.name for p in found.unread] == ["broken.jpg"]


def test_numbers_are_not_endings_of_each_other(folders):
    before, after = folders
    save_jpeg(before / "IMG_10.jpg", textured(10, **SIZE))
    save_jpeg(after / "IMG_10-edit.jpg", textured(10, **SIZE))
    assert [p.before.name for p in matching.match(before, after).pairs] == ["IMG_10.jpg"]


def test_every_finding_has_a_number_or_a_reason(folders, tmp_path):
    before, after = folders
    shutil.copy(before / "IMG_0.jpg", after)
    found = pairs.check_folders(pairs.Request(before=before, after=after, to=tmp_path / "to"), silent)
    assert found["schema"] == "safelight.check/1"
    (pair,) = found["pairs"]
    names = [f["name"] for f in pair["findings"]]
    assert set(job.NAMES) <= set(names)
    assert len(names) == len(set(names))
    for finding in pair["findings"]:
        assert (finding["probability"] is None) == (finding["score"] is None) == (finding["cannot_tell"] is not None)
    assert found["unmatched"]["before"] == [str(before / f"IMG_{n}.jpg") for n in (1, 2, 3)]


def test_nothing_is_checked_twice_and_changes_are_checked_again(folders, tmp_path, monkeypatch):
    before, after = folders
    for number in (0, 1):
        shutil.copy(before / f"IMG_{number}.jpg", after)
    request = pairs.Request(before=before, after=after, to=tmp_path / "to")
    first = pairs.check_folders(request, silent)
    asked = []
    real = run.check_pair
    monkeypatch.setattr(run, "check_pair", lambda one: asked.append(one.after.name) or real(one))
    assert pairs.check_folders(request, silent)["pairs"] == first["pairs"]
    assert asked == []
    save_jpeg(after / "IMG_1.jpg", textured(1, **SIZE) // 2)
    pairs.check_folders(request, silent)
    assert asked == ["IMG_1.jpg"]


def test_a_file_that_cannot_be_read_costs_itself(capsys, folders):
    before, after = folders
    shutil.copy(before / "IMG_0.jpg", after)
    (after / "IMG_1.jpg").write_bytes((before / "IMG_1.jpg").read_bytes()[:3000])
    code, out, _ = call(capsys, "check", before, after, "--json")
    found = json.loads(out)
    assert [(e["code"], e["remedy"]) for e in found["failed"]] == [
        ("media-truncated", "Copy it again, or have it sent again.")
    ]
    assert len(found["pairs"]) == 1
    assert code == 1


def test_broken_rules_fail_with_exit_code_four(capsys, folders, tmp_path):
    before, after = folders
    shutil.copy(before / "IMG_0.jpg", after)
    code, out, _ = call(capsys, "check", before, after, "--channel", "amazon", "--to", tmp_path / "to")
    assert code == 4
    assert "amazon.background" in out
    page = (tmp_path / "to" / "check.html").read_text("utf-8")
    assert "amazon.background" in page
    assert "data:image/jpeg" in page
    assert "http" not in page.replace("http-equiv", "")
    assert call(capsys, "check", after, "--channel", "amazon")[0] == 4
    assert call(capsys, "check", after, "--mask", after)[0] == 2
    assert call(capsys, "check", before, tmp_path / "none")[0] == 2
    assert call(capsys, "check", before, after / "IMG_0.jpg")[0] == 2


def test_a_picture_by_itself_is_asked_for_what_it_shows(capsys, tmp_path):
    save_jpeg(tmp_path / "good.jpg", textured(1, **SIZE))
    _, small = cv2.imencode(".jpg", textured(2, **SIZE), [cv2.IMWRITE_JPEG_QUALITY, 6])
    Image.fromarray(cv2.imdecode(small, cv2.IMREAD_COLOR)).save(tmp_path / "blocks.png")
    code, out, _ = call(capsys, "check", tmp_path, "--to", tmp_path / "to", "--json")
    told = {pair["after"].rsplit("/", 1)[1]: pair for pair in json.loads(out)["pairs"]}
    jpeg = {name: next(f for f in pair["findings"] if f["name"] == "jpeg") for name, pair in told.items()}
    assert code == 4
    assert jpeg["blocks.png"]["outcome"] == "fail"
    assert jpeg["good.jpg"]["outcome"] == "pass"
    assert told["good.jpg"]["before"] is None
    assert told["good.jpg"]["aligned"] is None
    warp = next(f for f in told["good.jpg"]["findings"] if f["name"] == "warp")
    assert "before" in warp["cannot_tell"]
    assert "before at 100 %" not in (tmp_path / "to" / "check.html").read_text("utf-8")


def test_findings_come_worst_first_with_heat_maps_and_crops(folders, tmp_path, monkeypatch):
    """With a detector whose answer is known."""
    from safelight.detectors import Detector, Finding

    def detect(pair):
        off = float(np.abs(pair.level_after - pair.level_before).mean())
        heat = np.ones((20, 28), np.float32)
        finding = Finding(
            name="halo", score=off, probability=min(1.0, 20 * off), where=(10, 10, 60, 50), heat=heat, text="Seen."
        )
        return (finding,)

    known = Detector(name="halo", version=1, finds=("halo",), detect=detect, about="Known.")
    monkeypatch.setattr(plugins, "detectors", lambda: {"halo": known})
    before, after = folders
    for number, spoilt in ((0, 0), (1, 90), (2, 60)):
        rgb = textured(number, **SIZE)
        rgb[40:200, 60:300] = np.clip(rgb[40:200, 60:300].astype(int) + spoilt, 0, 255)
        save_jpeg(after / f"IMG_{number}.jpg", rgb)
    to = tmp_path / "to"
    found = pairs.check_folders(pairs.Request(before=before, after=after, to=to), silent)
    verdicts = [(p["after"][-5], p["verdict"]) for p in found["pairs"]]
    assert verdicts == [("1", "fail"), ("2", "fail"), ("0", "pass")]
    worst = next(f for f in found["pairs"][0]["findings"] if f["name"] == "halo")
    heat = cv2.imread(worst["heatmap"], cv2.IMREAD_UNCHANGED)
    assert heat.shape[2] == 4
    page = (to / "check.html").read_text("utf-8")
    assert page.index("IMG_1.jpg") < page.index("IMG_2.jpg") < page.index("IMG_0.jpg")
    assert "after, 100 %" in page
    assert pairs.verdict_of(found["pairs"]) is Outcome.FAIL
    assert "Seen." in pairs.words(found)


def test_files_that_all_break_a_rule_come_by_what_was_found_beside():
    def entry(name, chance):
        found = [{"name": "warp", "outcome": "fail" if chance > 0.9 else "look", "probability": chance}]
        return {"after": name, "findings": found, "rules": [{"held": False}], "verdict": "fail"}

    found = pairs.document([entry("a", 0.3), entry("b", 0.95), {**entry("c", 0.99), "rules": []}])["pairs"]
    assert [pair["after"] for pair in found] == ["b", "a", "c"]


def test_a_pair_of_which_nothing_can_be_told_does_not_pass(folders, monkeypatch):
    monkeypatch.setattr(plugins, "detectors", dict)
    before, _ = folders
    found = job.check_pair(pairs.Check(before=before / "IMG_0.jpg", after=before / "IMG_0.jpg"))
    assert found.entry["verdict"] == "look"


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(run, "SETTLED_S", 0.1)
    monkeypatch.setattr(run, "LOOK_S", 0.05)


def watched(request, steps, *, most=200):
    """Watches while each step is done once what it waits for has come: (documents, last document)."""
    told, left, turns = [], list(steps), iter(range(most))

    def stop():
        if left and left[0][0](told):
            left.pop(0)[1]()
        return not left or next(turns, None) is None

    everything = pairs.watch(request, silent, told.append, stop=stop)
    assert not left, "something did not come"
    return told, everything


def after_pairs(count):
    return lambda told: sum(len(d["pairs"]) + len(d["failed"]) for d in told) >= count


def test_watching_checks_what_has_settled_once(folders, tmp_path, hasty):
    before, after = folders
    (after / ".part-IMG_3.jpg").write_bytes((before / "IMG_3.jpg").read_bytes())
    request = pairs.Request(before=before, after=after, to=tmp_path / "to")
    told, everything = watched(
        request,
        [
            (after_pairs(0), lambda: shutil.copy(before / "IMG_0.jpg", after)),
            (after_pairs(1), lambda: shutil.copy(before / "IMG_1.jpg", after)),
            (after_pairs(2), lambda: None),
        ],
    )
    assert sorted(names(p) for d in told for p in d["pairs"]) == ["IMG_0.jpg", "IMG_1.jpg"]
    assert len(everything["pairs"]) == 2
    assert sorted(map(Path, everything["unmatched"]["before"])) == [before / "IMG_2.jpg", before / "IMG_3.jpg"]
    with pytest.raises(UsageError, match="Only folders"):
        pairs.watch(pairs.Request(before=before, after=after / "IMG_0.jpg"), silent, told.append)


def names(pair):
    return Path(pair["after"]).name


def test_the_page_of_a_watched_folder_tells_of_all_that_is_there(folders, tmp_path, hasty):
    """Half a file that stalls, the rest of it, another name, one that is taken away, one that comes back."""
    before, after = folders
    whole = (before / "IMG_0.jpg").read_bytes()
    page = tmp_path / "to" / "check.html"
    seen = []

    def look():
        seen.append(page.read_text("utf-8"))

    steps = [
        (after_pairs(0), lambda: (after / "IMG_0.jpg").write_bytes(whole[: len(whole) // 2])),
        (after_pairs(1), lambda: (look(), (after / "IMG_0.jpg").write_bytes(whole))),
        (after_pairs(2), lambda: shutil.copy(before / "IMG_1.jpg", after)),
        (after_pairs(3), lambda: (after / "IMG_1.jpg").rename(after / "IMG_1-b.jpg")),
        (after_pairs(4), lambda: (look(), (after / "IMG_0.jpg").unlink())),
        (lambda _: "IMG_0.jpg" not in page.read_text("utf-8").partition("Without a partner")[0], look),
        (after_pairs(4), lambda: (after / "IMG_0.jpg").write_bytes(whole)),
        (after_pairs(5), lambda: None),
    ]
    _, everything = watched(pairs.Request(before=before, after=after, to=tmp_path / "to"), steps)
    assert "ends early" in seen[0]
    assert "ends early" not in seen[1]
    assert "IMG_1-b.jpg" in seen[1], "a file of an earlier batch is still told of"
    assert "IMG_0.jpg" in seen[1]
    assert sorted(map(names, everything["pairs"])) == ["IMG_0.jpg", "IMG_1-b.jpg"]
    assert everything["failed"] == []


def test_a_file_that_goes_while_it_is_asked_for_costs_itself(folders, tmp_path, monkeypatch):
    before, after = folders
    for number in range(2):
        shutil.copy(before / f"IMG_{number}.jpg", after)
    real = matching.match

    def match(*paths, **more):
        found = real(*paths, **more)
        (after / "IMG_0.jpg").unlink()
        return found

    monkeypatch.setattr(matching, "match", match)
    found = pairs.check_folders(pairs.Request(before=before, after=after, to=tmp_path / "to"), silent)
    assert [names(p) for p in found["pairs"]] == ["IMG_1.jpg"]
    assert [Path(f["path"]).name for f in found["failed"]] == ["IMG_0.jpg"]


def test_names_are_shown_as_they_can_be_shown(folders, tmp_path):
    before, after = folders
    shutil.copy(before / "IMG_0.jpg", after / "IMG_0 \u202egpj.\n[31m.jpg")
    found = pairs.check_folders(pairs.Request(before=before, after=after, to=tmp_path / "to"), silent)
    for text in (pairs.words(found), Path(found["page"]).read_text("utf-8")):
        assert "\u202e" not in text
        assert "\\u202e" in text


def test_what_is_no_picture_that_is_read_is_told(folders):
    before, after = folders
    shutil.copy(before / "IMG_0.jpg", after)
    Image.new("RGB", (40, 40)).save(after / "IMG_1.gif")
    (after / "IMG_2.jpg").symlink_to(after / "nowhere.jpg")
    (after / "folder.jpg").mkdir()
    found = matching.match(before, after)
    assert {p.name: e["code"] for p, e in found.unread.items()} == {
        "IMG_1.gif": "media-unsupported", "IMG_2.jpg": "media-unreadable",
    }  # fmt: skip


def test_a_part_of_a_picture_under_another_name_finds_it(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"

    def detailed(seed):
        fine = np.random.default_rng(seed).normal(0, 12, (160, 213)).astype(np.float32)
        fine = cv2.resize(fine, (640, 480), interpolation=cv2.INTER_CUBIC)[..., None]
        return np.clip(textured(seed, width=640, height=480) + fine, 0, 255).astype(np.uint8)

    for number in range(12):
        save_jpeg(before / f"IMG_{number}.jpg", detailed(number))
    save_jpeg(after / "web.jpg", np.rot90(detailed(3)[150:450, 30:400]).copy())
    found = matching.match(before, after)
    assert [(p.before.name, p.after.name) for p in found.pairs] == [("IMG_3.jpg", "web.jpg")]


def test_from_python(folders):
    before, _ = folders
    found = safelight.check(before / "IMG_0.jpg", before / "IMG_0.jpg")
    assert found.placement.still


def test_a_worker_that_is_lost_costs_its_pair(folders):
    before, _ = folders
    one = pairs.Check(before=before / "IMG_0.jpg", after=before / "IMG_0.jpg")
    lost = job.rescue(one, Lost(Why.CRASHED, step="the detectors", told="its process died of SIGSEGV"))
    assert lost.error["code"] == "media-crashed"
    assert lost.error["path"].endswith("IMG_0.jpg")
