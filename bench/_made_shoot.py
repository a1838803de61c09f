"""A shoot of any size as probes would leave it, made straight through the store: stacks, singles, moments, small real
pictures in the cache. What a person wants to keep is known."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from safelight import ledger, propose
from safelight.domain import Asset, Capture, Findings, Group, GroupKind, Json, Kind, Measure, digest_of
from safelight.operators import Wishes
from safelight.policy import default
from safelight.state import ShootState
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.store.records import File, Shoot

FRAMES = 5  # of a stack
PER_SCENE = 6  # stacks and singles of a moment
WRONG_BEST, WRONG_SINGLE = 0.2, 0.08  # how often the person wants another frame of a stack; drops a single photo
PICTURES = 40  # different ones; the rest are the same files under other names
START = datetime(2026, 5, 2, 9, 0, 0)  # noqa: DTZ001 - cameras write local time


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The shoot, and the ids that the person wants to keep."""

    state: ShootState
    wanted: frozenset[str]


def make(library: Library, folder: Path, *, stacks: int, singles: int, full: tuple[int, int] | None = None) -> Made:
    """Makes a shoot of `stacks` stacks of five frames and `singles` single photos in `folder`. With `full` = (width,
    height), originals of that size lie there too; else there are only what the cache holds."""
    where = ShootFolder.at(_made(folder))
    shoot = Shoot(id=where.claim(), root=str(where.root), name="Made")
    records.save_shoot(library, shoot)
    rng = np.random.default_rng(5)
    width, height = full or (6000, 4000)
    names: list[tuple[str, Asset]] = []
    found: list[tuple[str, str, str, Sequence[Measure]]] = []
    groups: list[Group] = []
    wanted: set[str] = set()
    scenes: list[list[str]] = []
    moment = START
    for unit in rng.permutation(stacks + singles):
        if len(names) == 0 or len(scenes[-1]) >= PER_SCENE * 3:
            scenes.append([])
            moment += timedelta(minutes=12)
        ids = []
        is_stack = unit < stacks
        best = int(rng.integers(FRAMES)) if is_stack else 0
        for i in range(FRAMES if is_stack else 1):
            moment += timedelta(milliseconds=300 if i else 20_000)
            name = f"{len(names):05d}.jpg"
            at = moment.isoformat(timespec="milliseconds")
            capture = Capture(at=at, camera="Made One" if unit % 3 else "Made Two")
            asset = Asset(
                id=digest_of([shoot.id, name]), content=None, kind=Kind.PHOTO, format="jpeg", width=width,
                height=height, capture=capture,
            )  # fmt: skip
            names.append((name, asset))
            ids.append(asset.id)
            bad = not is_stack and rng.random() < WRONG_SINGLE
            values = {
                "sharpness": 0.9 if i == best else float(rng.uniform(0.2, 0.86)), "blur": 0.97 if bad else 0.05,
                "exposure.over": 0.02, "exposure.under": 0.02,
            }  # fmt: skip
            found.append((asset.id, "made@1", "made", [*_measures(values), _face(width, height)]))
            if not is_stack and not bad:
                wanted.add(asset.id)
        if is_stack:
            chosen = int(rng.integers(FRAMES)) if rng.random() < WRONG_BEST else best
            wanted.add(ids[chosen])
            groups.append(
                Group(id=f"stack{unit:06d}", kind=GroupKind.BURST, members=tuple(ids), by="made@1", because="A burst.")
            )
        scenes[-1] += ids
    groups += [
        Group(id=f"scene{i:05d}", kind=GroupKind.SCENE, members=tuple(m), by="made@1") for i, m in enumerate(scenes)
    ]
    records.save_assets(library, [a for _, a in names])
    records.save_files(library, shoot.id, [File(path=n, asset=a.id, size=1, mtime_ns=1) for n, a in names])
    records.save_evidence(library, found)
    records.save_survey(library, shoot.id, "made", [("made@1", Findings(groups=tuple(groups)))])
    _pictures(where, [(name, asset.id) for name, asset in names], full)
    state = ShootState.load(library, shoot)
    asked = propose.Asked(rules=default(), wishes=Wishes(), record=ledger.record(library, default()), only=("cull",))
    propose.propose(library, state, asked)
    return Made(state=state, wanted=frozenset(wanted))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _measures(values: dict[str, float]) -> list[Measure]:
    return [Measure(name=name, value=value) for name, value in values.items()]


def _face(width: int, height: int) -> Measure:
    box: list[Json] = [width // 3, height // 4, width // 2, height // 2]
    eyes: list[Json] = [[width * 0.38, height * 0.35], [width * 0.45, height * 0.35]]
    return Measure(name="faces", value=[{"box": box, "eyes": "open", "landmarks": eyes, "sharpness": 0.8}])


def _pictures(where: ShootFolder, photos: Sequence[tuple[str, str]], full: tuple[int, int] | None) -> None:
    """Thumbnails and proxies; names of a few files, so that thousands take no room."""
    pool = where.state / "cache" / "made"
    pool.mkdir(parents=True, exist_ok=True)
    for i in range(PICTURES):
        rgb = _picture(i)
        (pool / f"{i}.thumb.jpg").write_bytes(jpeg(cv2.resize(rgb, (360, 240), interpolation=cv2.INTER_AREA), 85))
        (pool / f"{i}.jpg").write_bytes(jpeg(rgb, 85))
        if full is not None and i < 6:
            (pool / f"{i}.full.jpg").write_bytes(jpeg(cv2.resize(rgb, full, interpolation=cv2.INTER_CUBIC), 92))
    for n, (name, id_) in enumerate(photos):
        place = where.cached(id_)
        place.parent.mkdir(parents=True, exist_ok=True)
        for suffix in (".thumb.jpg", ".jpg"):
            os.link(pool / f"{n % PICTURES}{suffix}", place.with_suffix(suffix))
        if full is not None:
            os.link(pool / f"{n % 6}.full.jpg", where.root / name)


def _picture(seed: int) -> np.ndarray:
    """1600 x 1067 px with structure at all scales."""
    rng = np.random.default_rng(seed)
    total = np.zeros((1067, 1600, 3), np.float32)
    for cells in (3, 8, 24, 80, 240):
        coarse = rng.random((cells * 2 // 3 + 1, cells, 3), np.float32)
        total += np.float32(cells**-0.35) * np.asarray(cv2.resize(coarse, (1600, 1067)), np.float32)
    low, high = total.min(), total.max()
    return np.asarray(20 + 215 * (total - low) / (high - low), np.uint8)


def small(seed: int) -> np.ndarray:
    """480 x 320 px of the same kind."""
    return np.asarray(cv2.resize(_picture(seed), (480, 320), interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(rgb: np.ndarray, quality: int) -> bytes:
    """A JPEG of sRGB bytes."""
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality=quality, colorspace="RGB", colorsubsampling="420")
    return bytes(data)
