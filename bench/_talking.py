"""Talking heads with labelled eyes as stacks, and pairs of frames between which a genre has to choose.

Eyes are judged by constants that were fitted without that person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bench._best import Stack, subject
from bench._heldout import model_of
from bench._measured import Measured, measure_picture
from bench.eyes import Clip, clips
from bench.harness import Data, MissingData
from safelight.domain import Genre
from safelight.media.frame import Bytes
from safelight.media.picture import Picture
from safelight.operators import Subject
from safelight.probes import faces
from safelight.probes._mesh import networks
from safelight.weights import installed

EVERY = 3  # of the frames with open eyes
LENGTH = 5  # frames of a stack
FEW = 25  # of the frames with open eyes, where each is made into two
SOFTER = 0.9  # px, sigma
DARKER = 0.55  # of the encoded values: almost two stops
SMALLER = (0.45, 0.7)  # the second face of a made group picture, by the first


@dataclass(frozen=True, kw_only=True)
class Direction:
    """Pairs of frames whose first a genre should prefer more often than no genre does, and what they are."""

    name: str
    genre: Genre
    pairs: Sequence[tuple[Subject, Subject]]
    about: str


def stacks(data: Data) -> list[Stack]:
    """Each clip as stacks of five frames in order of time; good are those with open eyes. None without the clips."""
    out = []
    for clip in _clips(data):
        chosen = [f for f in clip.frames if f.closed is not None and (f.closed or f.number % EVERY == 0)]
        for start in range(0, len(chosen) - 1, LENGTH):
            some = chosen[start : start + LENGTH]
            frames = [_subject(f.rgb, f"{clip.name}/{f.number}", clip.name) for f in some]
            good = [not f.closed for f in some]
            if len(some) > 1:
                out.append(Stack(source=clip.name, kind="talking", frames=frames, peers=[{}] * len(some), good=good))
    return out


def directions(data: Data) -> Iterator[Direction]:
    """What portraits, weddings and sport are for; none without the clips."""
    heads = list(_clips(data))
    blinking = [clip for clip in heads if any(f.closed for f in clip.frames)]
    if not blinking:
        return
    dark = [
        (_subject(_darker(rgb), "dark", clip.name), _subject(_softer(rgb), "soft", clip.name))
        for clip in heads
        for rgb in _some(clip, closed=False)[::FEW]
    ]
    yield Direction(
        name="portrait.sharp_but_dark", genre=Genre.PORTRAIT, pairs=dark,
        about="sharp and almost two stops too dark, against a little soft",
    )  # fmt: skip
    yield Direction(
        name="wedding.small_blink", genre=Genre.WEDDING, pairs=list(_groups(blinking)),
        about="made group pictures: the smaller face blinks, against the larger",
    )  # fmt: skip
    cut = [
        (_subject(_softer(rgb), "soft", clip.name), _subject(at_edge, "cut", clip.name))
        for clip in heads
        for rgb in [_first(clip, closed=False)]
        if (at_edge := _cut(rgb)) is not None
    ]
    yield Direction(
        name="sport.whole_but_soft", genre=Genre.SPORT, pairs=cut,
        about="a whole face a little soft, against a sharp one cut by the edge",
    )  # fmt: skip


def _clips(data: Data) -> Iterator[Clip]:
    if networks(installed()) is None:
        return
    try:
        yield from clips(data)
    except MissingData:
        return


def _some(clip: Clip, *, closed: bool) -> list[Bytes]:
    return [frame.rgb for frame in clip.frames if frame.closed is closed]


def _first(clip: Clip, *, closed: bool) -> Bytes:
    return _some(clip, closed=closed)[0]


def _groups(heads: Sequence[Clip]) -> Iterator[tuple[Subject, Subject]]:
    """Two people side by side: only the smaller blinks, only the larger blinks."""
    for large in heads:
        for small in heads:
            if large is small:
                continue
            for scale in SMALLER:
                name = f"{large.name}+{small.name}+{scale}"
                yield (
                    _subject(_beside(_first(large, closed=False), _first(small, closed=True), scale), name, large.name),
                    _subject(_beside(_first(large, closed=True), _first(small, closed=False), scale), name, large.name),
                )


def _beside(one: Bytes, other: Bytes, scale: float) -> Bytes:
    """The second picture at the first's side, smaller, on its own ground."""
    double = cv2.resize(one, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(other, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
    above = double.shape[0] - small.shape[0]
    ground = cv2.copyMakeBorder(small, above, 0, 0, 0, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.hstack((double, ground)))


def _darker(rgb: Bytes) -> Bytes:
    return np.asarray(np.rint(rgb * DARKER), np.uint8)


def _softer(rgb: Bytes) -> Bytes:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), SOFTER), np.uint8)


def _cut(rgb: Bytes) -> Bytes | None:
    """The picture from a little inside the face on; None where none is found."""
    found = faces.look(Picture(rgb=rgb, weights=installed()))
    if not found:
        return None
    x0, _, x1, _ = found[0].box
    return np.ascontiguousarray(rgb[:, x0 + (x1 - x0) // 20 :])


def _subject(rgb: Bytes, name: str, person: str) -> Subject:
    picture = Picture(rgb=rgb, weights=installed())
    seen = faces.measure(picture, model=model_of("faces", person) or faces.MODEL)
    picture.facts = {m.name: m for m in seen}
    return subject(name, Measured(facts=measure_picture(picture, person)))
