"""What goes wrong around a run: bad files, a full disk, a killed process, no network, two runs at once."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from safelight.api import Library
from safelight.deliver import Order
from safelight.errors import SafelightError, UsageError
from safelight.files import write_atomic
from safelight.line import Options
from tests.conftest import save_jpeg, textured

INLINE = Options(engine="inline")


def safelight(*arguments, **more):
    command = [sys.executable, "-m", "safelight", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def test_bad_files_are_listed_with_cause_and_remedy_and_stop_nothing(library, make_shoot):
    folder = make_shoot(2)
    whole = (folder / "IMG_0000.JPG").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("this is no picture")
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "noise.png").write_bytes(os.urandom(3000))
    (folder / "cut.dng").write_bytes(b"II*\0" + b"\0" * 500)
    library.run(folder, options=INLINE)
    state = library.state(folder)
    assert set(state.by_path) == {"IMG_0000.JPG", "IMG_0001.JPG"}
    failed = {f.path: f.error for f in state.failed}
    assert set(failed) == {"truncated.jpg", "empty.jpg", "text.jpg", "noise.png", "cut.dng"}
    assert all(e["cause"] and e["remedy"] and e["code"].startswith("media-") for e in failed.values())
    assert failed["truncated.jpg"]["code"] == "media-truncated"


def test_a_photo_that_cannot_be_opened_here_is_listed_and_not_passed_over(library, make_shoot):
    folder = make_shoot(1)
    (folder / "IMG_9.PNG").write_bytes(b"GIF89a" + bytes(400))
    library.run(folder, options=INLINE)
    (failed,) = library.state(folder).failed
    assert (failed.path, failed.error["code"]) == ("IMG_9.PNG", "media-unsupported")


def test_a_truncated_photo_is_never_passed_off_as_whole(library, tmp_path):
    folder = tmp_path / "shoot"
    whole = save_jpeg(folder / "whole.jpg", textured(1)).read_bytes()
    for share in (0.3, 0.6, 0.9, 0.99):
        (folder / f"cut{share}.jpg").write_bytes(whole[: int(len(whole) * share)])
    library.run(folder, options=INLINE)
    assert set(library.state(folder).by_path) == {"whole.jpg"}


@pytest.mark.parametrize("name", ["new\nline.jpg", "emoji 🎞.jpg", "quote'\"$(rm).jpg", "<b>.jpg"])
def test_hostile_names_go_all_the_way(library, tmp_path, name):
    folder = tmp_path / "shoot"
    save_jpeg(folder / name, textured(1))
    made = library.run(folder, options=INLINE)
    assert "<b>.jpg" not in made.report.read_text()
    library.verdict(folder, [name], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    manifest = library.deliver(folder, tmp_path / "out", order=Order(to=tmp_path, draft=True))
    (file,) = manifest["files"]
    assert file["source"]["path"] == name
    assert (tmp_path / "out" / file["name"]).is_file()


def test_names_that_are_no_utf8_go_all_the_way(library, tmp_path):
    folder = tmp_path / "shoot"
    name = os.fsdecode(b"caf\xe9.jpg")
    save_jpeg(folder / "x.jpg", textured(1)).rename(folder / name)
    library.run(folder, options=INLINE)
    library.verdict(folder, [name], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    manifest = library.deliver(folder, tmp_path / "out", order=Order(to=tmp_path, draft=True))
    assert len(manifest["files"]) == 1


def test_a_file_that_vanishes_during_the_run_is_listed(library, make_shoot, monkeypatch):
    from safelight import work

    folder = make_shoot(3)
    real = work.identify

    def vanishing(job):
        if job.path == "IMG_0001.JPG":
            job.full.unlink(missing_ok=True)
        return real(job)

    monkeypatch.setattr(work, "identify", vanishing)
    library.run(folder, options=INLINE)
    (failed,) = library.state(folder).failed
    assert (failed.path, failed.error["code"]) == ("IMG_0001.JPG", "media-unreadable")


def test_killed_in_the_middle_the_next_run_finishes(tmp_path, mark_times):
    folder = tmp_path / "shoot"
    for i in range(24):
        save_jpeg(folder / f"{i:02d}.jpg", textured(i, width=900, height=600))
    before = mark_times(folder)
    process = safelight("run", folder, "--jobs", 2, start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list((folder / ".safelight").glob("cache/*/*.jpg")):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with Library.open() as library:
        library.run(folder, options=INLINE)
        state = library.state(folder)
        assert len(state.photos) == 24
        assert all(p.facts and "cull" in p.proposals for p in state.photos.values())
        again = library.run(folder, options=INLINE)
        assert (again.looked, again.changed) == (0, False)
    assert not list((folder / ".safelight").rglob(".part-*")), "what a killed run left half-written is cleared away"
    assert mark_times(folder) == before


def test_interrupted_it_says_how_to_go_on(tmp_path):
    folder = tmp_path / "shoot"
    for i in range(30):
        save_jpeg(folder / f"{i:02d}.jpg", textured(i, width=900, height=600))
    # A shell that runs the tests in the background ignores the signal, and children inherit that.
    process = safelight("run", folder, "--jobs", 1, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list((folder / ".safelight").glob("cache/*/*.jpg")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert "Traceback" not in err


def test_two_runs_at_once_finish_or_say_who_holds_the_shoot(make_shoot):
    folder = make_shoot(6)
    both = [safelight("run", folder, "--jobs", 1) for _ in range(2)]
    ends = [(p.communicate(timeout=120), p.returncode) for p in both]
    codes = sorted(code for _, code in ends)
    assert codes in ([0, 0], [0, 5]), ends
    if codes == [0, 5]:
        assert any("process" in err for (_, err), code in ends if code == 5)


def test_two_shoots_at_once_share_the_library(tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    for n, folder in enumerate(folders):
        for i in range(4):
            save_jpeg(folder / f"{i}.jpg", textured(10 * n + i))
    both = [safelight("run", folder, "--jobs", 1) for folder in folders]
    ends = [(p.communicate(timeout=120), p.returncode) for p in both]
    assert [code for _, code in ends] == [0, 0], ends
    with Library.open() as library:
        assert len(library.shoots()) == 2


def full_disk():
    """From here on this process cannot write a file beyond 40 kB: what a full disk looks like to a writer."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))


def test_a_full_disk_leaves_no_half_written_file(tmp_path):
    script = (
        "import sys; from pathlib import Path; from safelight.files import write_atomic\n"
        "try: write_atomic(Path(sys.argv[1]) / 'a.bin', b'x' * 90_000)\n"
        "except OSError as e: print(type(e).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], preexec_fn=full_disk, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "OSError"
    assert list(tmp_path.iterdir()) == []


def test_a_delivery_onto_a_full_disk_lists_what_is_missing(library, make_shoot, tmp_path):
    folder = make_shoot(1)
    library.run(folder, options=INLINE)
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    out = tmp_path / "out"
    script = (
        "import sys, json; from pathlib import Path; from dataclasses import replace\n"
        "from safelight.deliver import write, presets\n"
        "from safelight.media import digest\n"
        "seen = digest.digests(Path(sys.argv[1]))[:2]\n"
        "job = write.Job(photo='x', original=Path(sys.argv[1]), seen=seen, edits=(), preset=presets.TIFF16,\n"
        "                state=Path('.'), target=Path(sys.argv[2]), sidecar=None, says={}, write_sidecar=False)\n"
        "print(json.dumps(dict(write.deliver_one(job).error)))\n"
    )
    out.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder / "IMG_0000.JPG"), str(out / "a.tif")],
        preexec_fn=full_disk, capture_output=True, text=True, check=True,
    )  # fmt: skip
    error = json.loads(done.stdout)
    assert "cannot be written" in error["cause"]
    assert list(out.iterdir()) == []


def test_a_read_only_shoot_names_the_remedy_and_works_with_it(library, make_shoot, tmp_path):
    folder = make_shoot(1)
    (folder / ".safelight").write_text("in the way")
    with pytest.raises(UsageError, match="--cache"):
        library.run(folder, options=INLINE)
    library.run(folder, options=INLINE, cache=tmp_path / "cache")
    assert len(library.state(folder, cache=tmp_path / "cache").photos) == 1


def test_atomic_writing_replaces_whole_files_only(tmp_path):
    path = tmp_path / "a"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_kept_work_that_is_missing_or_changed_is_an_error_that_says_so(tmp_path):
    from safelight.store.objects import ShootFolder

    folder = ShootFolder(tmp_path, tmp_path)
    digest = folder.keep(b"a mask")
    assert folder.kept(digest) == b"a mask"
    (path,) = (tmp_path / "kept").rglob(digest)
    path.write_bytes(b"another")
    with pytest.raises(SafelightError, match="changed"):
        folder.kept(digest)
    path.unlink()
    with pytest.raises(SafelightError, match="missing"):
        folder.kept(digest)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_with_the_cable_pulled_and_nothing_written_elsewhere(make_shoot, tmp_path, monkeypatch):
    folder = make_shoot(3)
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "SAFELIGHT_LIBRARY": str(tmp_path / "library"),
        "TMPDIR": str(tmp_path / "temp"), "SAFELIGHT_WEIGHTS": os.environ.get("SAFELIGHT_WEIGHTS", str(tmp_path / "w")),
    }  # fmt: skip
    (tmp_path / "temp").mkdir()
    pulled = subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True)
    if pulled.returncode != 0:
        pytest.skip("network namespaces are not allowed here")
    for command in (["run", folder], ["verdict", "--folder", folder, "--all", "--say", "approve"],
                    ["deliver", folder, "--to", tmp_path / "out", "--draft"]):  # fmt: skip
        program = ["unshare", "-rn", sys.executable, "-m", "safelight", *map(str, command)]
        done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
    assert [p for p in (tmp_path / "temp").rglob("*") if p.is_file()] == []
    assert {p.name for p in tmp_path.iterdir()} == {"shoot", "home", "library", "temp", "out"}
    assert {p.name for p in folder.iterdir()} == {".safelight", *(f"IMG_{i:04d}.JPG" for i in range(3))}
