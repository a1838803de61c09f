"""Bursts out of films: frames a tenth of a second apart are one burst, other shots and other clips are other pictures.

Clips and their cuts come from `video/shots.json`, talking heads from `faces/eyes.json`. A film's clock is its frame
numbers; clips follow each other after a pause that is too long for a burst and too short to tell them apart by time.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.harness import Data
from safelight.domain import Asset, Capture, Kind
from safelight.media.frame import Bytes
from safelight.media.picture import Picture
from safelight.probes import Member, layout

STEP_S = 0.1  # between the frames of a burst, as cameras take them
LENGTH = 5  # frames of a burst
PAUSE_S = 4.0  # between two clips
MARGIN = 3  # frames that a burst keeps from a cut
START = datetime(2026, 5, 2, 14, 0, 0)  # noqa: DTZ001 - a camera's clock has no zone
TABLES = (("video/shots.json", "video"), ("faces/eyes.json", "faces"))


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame as a photo: the clip and shot it is from, its number in the clip."""

    clip: str
    shot: int
    number: int
    member: Member


@dataclass(frozen=True, kw_only=True)
class Film:
    """The frames of all bursts of all clips, and the pairs of frames on either side of each cut."""

    bursts: Sequence[Frame]
    cuts: Sequence[tuple[Frame, Frame]]


def film(data: Data) -> Film:
    """What the tables name and is there; empty without them."""
    bursts: list[Frame] = []
    cuts: list[tuple[Frame, Frame]] = []
    began = START
    for path, entry in _clips(data):
        reel = cv2.VideoCapture(str(path))
        count, rate = int(reel.get(cv2.CAP_PROP_FRAME_COUNT)), reel.get(cv2.CAP_PROP_FPS) or 25.0
        shots = list(_shots(entry, count))
        wanted = {n: k for k, (start, end) in enumerate(shots) for n in _burst(start, end, rate)}
        edges = {n: k for k, (start, end) in enumerate(shots) for n in (start, end - 1)}
        seen = {}
        for number, rgb in _decoded(reel, max([*wanted, *edges], default=-1)):
            if number in wanted or number in edges:
                shot = wanted.get(number, edges.get(number, 0))
                at = began + timedelta(seconds=number / rate)
                member = _member(rgb, f"{path.name}/{number:05d}", at)
                seen[number] = Frame(clip=path.name, shot=shot, number=number, member=member)
        bursts += [seen[n] for n in wanted if n in seen]
        hard = [(before[1] - 1, after[0]) for before, after in pairwise(shots) if before[1] == after[0]]
        cuts += [(seen[a], seen[b]) for a, b in hard if a in seen and b in seen]
        began += timedelta(seconds=count / rate + PAUSE_S)
    return Film(bursts=bursts, cuts=cuts)


def _clips(data: Data) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for table, folder in TABLES:
        path = data.find(table)
        if path is None:
            continue
        for name, entry in sorted(json.loads(path.read_text("utf-8"))["clips"].items()):
            clip = data.find(f"{folder}/{name}")
            if clip is not None and not entry.get("fades") and "stream" not in entry:  # cuts of the first stream only
                yield clip, entry


def _shots(entry: Mapping[str, Any], count: int) -> Iterator[tuple[int, int]]:
    """Half-open stretches without a cut; a dissolve belongs to none."""
    edges = [(cut, cut) for cut in entry.get("cuts", ()) if cut < count]
    edges += [(d["start"], d["end"]) for d in entry.get("dissolves", ())]
    edges = [(0, 0), *sorted(edges), (count, count)]
    yield from ((before[1], after[0]) for before, after in pairwise(edges) if after[0] - before[1] > 1)


def _burst(start: int, end: int, rate: float) -> list[int]:
    """Frame numbers of one burst from the middle of a shot; none where it is too short for two frames."""
    step = max(1, round(STEP_S * rate))
    room = (end - start - 2 * MARGIN - 1) // step + 1
    length = min(LENGTH, room)
    if length < 2:
        return []
    first = (start + end - (length - 1) * step) // 2
    return [first + k * step for k in range(length)]


def _decoded(reel: cv2.VideoCapture, last: int) -> Iterator[tuple[int, Bytes]]:
    for number in range(last + 1):
        there, bgr = reel.read()
        if not there:
            break
        yield number, np.ascontiguousarray(bgr[:, :, ::-1])
    reel.release()


def _member(rgb: Bytes, name: str, at: datetime) -> Member:
    capture = Capture(at=at.isoformat(timespec="milliseconds"), camera="Film", serial="1")
    height, width = rgb.shape[:2]
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=width, height=height, capture=capture)
    facts = {m.name: m for m in layout.measure(Picture(rgb=rgb, capture=capture))}
    return Member(asset=asset, path=name, facts=facts)
