"""Fixtures: a small made shoot, a library of its own for each test."""

import os
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

from safelight import engine
from safelight.api import Library

settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no timing decides
settings.load_profile("ours")
TASKS = tomllib.loads((files("safelight") / "policy.toml").read_text("utf-8"))["task"]
NO_CONTROLS = 'schema = "safelight.policy/1"\n' + "".join(f"[task.{name}]\ncontrol = 0.0\n" for name in TASKS)
SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's own library. In that of a test no coin takes a suggestion away, so that a yes to all
    answers all; who tests controls draws them, or writes a policy."""
    place = tmp_path_factory.mktemp("library")
    (place / "policy.toml").write_text(NO_CONTROLS, "utf-8")
    monkeypatch.setenv("SAFELIGHT_LIBRARY", str(place))
    for name in ("SAFELIGHT_CERTIFICATE", "SAFELIGHT_KEY"):  # nobody's signature comes under what a test makes
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def library() -> Iterator[Library]:
    """The library of this test, open."""
    with Library.open() as opened:
        yield opened


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run would give to workers is done in this process."""
    real = engine.engine
    monkeypatch.setattr(engine, "engine", lambda name="process", *, jobs=None: real("inline"))


@pytest.fixture
def shared() -> Path:
    """Real media with ground truth; a clone without them skips, and says so."""
    if not SHARED.is_dir():
        pytest.skip("the shared media are not here")
    return SHARED


def textured(seed: int, *, width: int = 240, height: int = 160) -> np.ndarray:
    """A picture with structure at all scales, different for each seed."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells in (4, 9, 24, 60):
        coarse = rng.random((max(2, cells * height // width), cells, 3), np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / cells**0.35
    for _ in range(6):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        colour = [float(c) for c in rng.random(3)]
        cv2.circle(total, (x, y), int(rng.integers(8, 30)), colour, -1)
    low, high = total.min(), total.max()
    return (20 + 215 * (total - low) / (high - low)).astype(np.uint8)


def save_jpeg(path: Path, rgb: np.ndarray, *, taken: datetime | None = None, camera: str = "Test One") -> Path:
    """A JPEG as a camera writes it."""
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = camera.partition(" ")[0], camera, 1
    if taken is not None:
        stamp = taken.strftime("%Y:%m:%d %H:%M:%S")
        detail = {36867: stamp, 37521: f"{taken.microsecond // 10000:02d}", 33434: 0.005, 34855: 200}
        exif.get_ifd(0x8769).update(detail)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, quality=92, subsampling=0, exif=exif)
    return path


START = datetime(2026, 5, 2, 14, 3, 11)


def no_coins(library: Path) -> None:
    """Lets nothing come without its suggestion and nothing be spoilt on purpose in this library, so that a test knows
    what is in a queue. To be called before anything is run."""
    from safelight import plugins

    rules = "".join(f"[task.{name}]\ncontrol = 0.0\nknown_bad = 0.0\n" for name in plugins.operators())
    library.mkdir(parents=True, exist_ok=True)
    (library / "policy.toml").write_text(f'schema = "safelight.policy/1"\n{rules}', "utf-8")


@pytest.fixture
def make_shoot(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of `count` different photos, minutes apart, and with `burst` one scene of so many frames."""

    def make(count: int = 4, *, burst: int = 0, name: str = "shoot") -> Path:
        folder = tmp_path / name
        for i in range(count):
            save_jpeg(folder / f"IMG_{i:04d}.JPG", textured(i), taken=START + timedelta(minutes=5 * i))
        scene = textured(1000)
        for i in range(burst):
            frame = np.roll(scene, i, axis=1)
            taken = START + timedelta(hours=2, milliseconds=300 * i)
            save_jpeg(folder / f"IMG_{500 + i:04d}.JPG", frame, taken=taken)
        return folder

    return make


@pytest.fixture
def mark_times() -> Callable[[Path], dict[str, tuple[bytes, int]]]:
    """Bytes and times of all originals, to compare afterwards."""

    def mark(folder: Path) -> dict[str, tuple[bytes, int]]:
        return {
            os.fspath(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns)
            for p in sorted(folder.rglob("*"))
            if p.is_file() and ".safelight" not in p.parts
        }

    return mark
