"""Made frames, pictures, timelines and shoots, small and of every odd kind: what the contract checks look at."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from safelight.domain import Asset, Capture, Group, GroupKind, Kind, Measure
from safelight.media.colour import linear_of_srgb
from safelight.media.frame import Bytes, Frame
from safelight.media.timeline import Clip, Timeline
from safelight.operators import Subject, Tools


def suite_tools() -> Tools:
    """Tools whose every kept object is a soft round mask, 48 x 36 px."""
    return Tools(kept=_round_mask, weights={})


def _round_mask(digest: str) -> bytes:  # noqa: ARG001 - every digest names this mask
    y, x = np.mgrid[:36, :48]
    distance = np.hypot((x - 24) / 20, (y - 18) / 15)
    mask = (np.clip(1.5 - distance, 0, 1) * 255).astype(np.uint8)
    return bytes(cv2.imencode(".png", mask)[1])


def scene() -> Bytes:
    """A made picture of 48 x 36 px: soft colours, edges, some noise."""
    rng = np.random.default_rng(11)
    soft = cv2.resize(rng.random((4, 5, 3)), (48, 36), interpolation=cv2.INTER_CUBIC)
    soft[8:20, 10:30] = 0.7 * soft[8:20, 10:30] + 0.25
    return np.asarray(np.clip((0.08 + 0.8 * soft + rng.normal(0, 0.02, soft.shape)) * 255, 0, 255), np.uint8)


def ramps() -> Bytes:
    """All greys and all pure and mixed colours from black, 8 x 256 px."""
    level = np.arange(256)
    rows: list[Any] = [level[:, None] * np.array(mix) for mix in np.ndindex(2, 2, 2) if any(mix)]
    rows.append((level[:, None] * np.array((1, 0.6, 0.4))).astype(int))
    return np.stack(rows).astype(np.uint8)


def frames() -> tuple[Frame, ...]:
    """An ordinary frame first; then alpha and meta, wild light, black, one pixel, odd sizes."""
    rng = np.random.default_rng(5)
    light = linear_of_srgb(scene())
    alpha = rng.random(light.shape[:2]).astype(np.float32)
    wild = rng.normal(0, 4, (7, 13, 3)).astype(np.float32)
    wild[0, :4] = [[0.0, 0.0, 0.0], [1e4, 1e4, 1e4], [-1.0, 0.0, 1.0], [1e-30, 0.0, 0.0]]
    return (
        Frame(pixels=light),
        Frame(pixels=light, alpha=alpha, meta={"note": "kept"}),
        Frame(pixels=wild),
        Frame(pixels=np.zeros((5, 3, 3), np.float32)),
        Frame(pixels=np.full((1, 1, 3), 0.4, np.float32)),
        Frame(pixels=rng.random((1, 9, 3)).astype(np.float32)),
        Frame(pixels=rng.random((11, 1, 3)).astype(np.float32)),
    )


def tall(rows: int) -> Frame:
    """An ordinary frame of so many rows and 30 columns, with texture and noise."""
    rng = np.random.default_rng(9)
    soft = cv2.resize(rng.random((max(2, rows // 8), 5, 3)), (30, rows), interpolation=cv2.INTER_CUBIC)
    return Frame(pixels=np.clip(0.1 + 0.7 * soft + rng.normal(0, 0.03, soft.shape), 0, 1).astype(np.float32))


def timelines() -> tuple[Timeline, ...]:
    """Two clips at 30000/1001 frames a second, then one clip used twice."""
    rate = Fraction(30000, 1001)
    first = Clip(source="a" * 64, start=Fraction(1), end=Fraction(1) + 60 / rate, rate=rate)
    second = Clip(source="b" * 64, start=Fraction(0), end=Fraction(7, 2), rate=rate)
    return (Timeline(clips=(first, second)), Timeline(clips=(second, second)))


def pictures() -> dict[str, Bytes]:
    """Pictures that a probe must survive, by what they are."""
    rng = np.random.default_rng(3)
    flats = {f"flat {level}": np.full((48, 64, 3), level, np.uint8) for level in (0, 128, 255)}
    odd = {
        f"{width} x {height}": rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for width, height in ((1, 1), (2, 2), (7, 5), (3000, 3), (2, 2500))
    }
    return (
        flats | odd | {"made": cv2.resize(scene(), (320, 240)), "noisy": rng.integers(0, 256, (90, 120, 3), np.uint8)}
    )


def facts_for(needs: Sequence[str]) -> tuple[Mapping[str, Measure], ...]:
    """Facts about a subject: no evidence at all, and evidence that cannot tell."""
    return ({}, {name: Measure(name=name, cannot_tell="not told in this test") for name in needs})


def subjects(count: int, facts: Mapping[str, Measure]) -> list[Subject]:
    """So many photos of one burst in one scene, all with these facts."""
    ids = [f"{i:064x}" for i in range(1, count + 1)]
    burst = Group(id="burst", kind=GroupKind.BURST, members=tuple(ids), by="contract@1")
    return [
        Subject(
            asset=Asset(
                id=id_, content=None, kind=Kind.PHOTO, format="jpeg", width=48, height=36,
                capture=Capture(at=f"2026-05-02T14:03:{i:02d}.000"),
            ),
            path=f"{i}.jpg",
            facts=facts,
            groups=(burst,) if count > 1 else (),
            scene="scene",
        )
        for i, id_ in enumerate(ids)
    ]  # fmt: skip
