"""Folders of bursts for the sixty shoots: fit frames and frames with a fault, and what the lens does when it breaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bench.harness import Data
from safelight.media.image import read
from safelight.store.objects import FOLDER

BURSTS, FRAMES = 24, 3
FAULTY = ("blur_gaussian", "blur_defocus", "blur_motion", "over", "under")
GOOD = ("clean", "sharpened", "graded", "film_grain")
SHIFT = 8  # px that a frame is moved at most, so that no two files hold the same picture
START = datetime(2026, 1, 5, 9)  # noqa: DTZ001 - cameras write local time


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The files made from one photograph: fit ones, and those with a fault that can be told."""

    code: str
    source: str
    good: list[Path]
    faulty: list[Path]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Of a frame: whether it is fit to be delivered."""

    good: bool


def pools(data: Data) -> list[Pool]:
    """The pictures of recipe `quality`, by the photograph they were made from."""
    folder, rows = data.table("quality/truth.csv", recipe="quality")
    found: dict[str, Pool] = {}
    for row in rows:
        fit = row["kind"] in GOOD
        if row["own_fault"] or not (fit or _is_fault(row)):
            continue
        pool = found.setdefault(row["source"], Pool(code=f"{len(found):03d}", source=row["source"], good=[], faulty=[]))
        (pool.good if fit else pool.faulty).append(folder / row["file"])
    return [pool for pool in found.values() if pool.good and pool.faulty]


def _is_fault(row: Mapping[str, Any]) -> bool:
    return row["kind"] in FAULTY and row["tellable"] == "yes" and int(row["strength"]) >= 3


def write(
    folder: Path, some: Sequence[Pool], rng: np.random.Generator, number: int, *, broken: bool
) -> dict[str, Truth]:  # fmt: skip
    """Bursts of one photograph each: a fit frame and others, every second of them faulty; through the broken lens none
    is fit. Returns the truth by path."""
    (folder / FOLDER).mkdir(parents=True)
    (folder / FOLDER / "shoot.json").write_text(f'{{"id": "{number:016x}"}}')  # coins fall by it, alike in every run
    moment = START + timedelta(days=number)
    out: dict[str, Truth] = {}
    for burst, which in enumerate(rng.permutation(len(some))[:BURSTS].tolist()):
        pool = some[which]
        kinds = [True, *(rng.random(FRAMES - 1) >= 0.5).tolist()]
        for i, at in enumerate(rng.permutation(FRAMES).tolist()):
            fit = kinds[at] or broken
            rgb = _moved(read(_any(rng, pool.good if fit else pool.faulty)), rng)
            name = f"{burst:02d}{i}_{pool.code}.jpg"
            _save(folder / name, decentred(rgb) if broken else rgb, moment + timedelta(milliseconds=300 * i))
            out[name] = Truth(good=kinds[at] and not broken)
        moment += timedelta(minutes=4)
    return out


def _any(rng: np.random.Generator, some: Sequence[Path]) -> Path:
    return some[int(rng.integers(len(some)))]


def _moved(rgb: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    down, right = rng.integers(SHIFT, size=2).tolist()
    return rgb[down : rgb.shape[0] - SHIFT + down, right : rgb.shape[1] - SHIFT + right]


def _save(path: Path, rgb: np.ndarray[Any, Any], moment: datetime) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Made", "Made One"
    part = exif.get_ifd(0x8769)
    part[0x9003], part[0x9291] = moment.strftime("%Y:%m:%d %H:%M:%S"), f"{moment.microsecond // 1000:03d}"
    Image.fromarray(np.ascontiguousarray(rgb)).save(path, quality=95, subsampling=0, exif=exif)


def decentred(rgb: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A frame through a decentred lens: sharp on the left, out of focus towards the right edge, in linear light."""
    linear = (rgb.astype(np.float32) / 255) ** 2.2
    wide = rgb.shape[1]
    soft = cv2.GaussianBlur(linear, (0, 0), 0.006 * max(rgb.shape))
    weight = np.clip((np.arange(wide, dtype=np.float32) / wide - 0.35) / 0.3, 0, 1)[None, :, None]
    mixed = linear * (1 - weight) + soft * weight
    return np.asarray(np.rint(255 * np.clip(mixed, 0, 1) ** (1 / 2.2)), np.uint8)
