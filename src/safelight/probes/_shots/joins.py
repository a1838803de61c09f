"""Joins of a clip from its small frames: cuts to the frame, dissolves, fades and wipes as spans."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from safelight.probes._shots import distances, net
from safelight.probes._shots.frames import Thumb

USUAL_RATE = 27  # frames a second: what the network was fitted on, within a few
SHORTEST = 3  # frames: what changes in less is a cut
BESIDE = 2  # frames: something gradual that touches a cut is the cut
LONGEST = 400  # frames: what goes on for longer joins nothing
COLOUR_SPREAD = 1.5 / 128  # of full chroma: footage that stays below has no colour
EVEN, BLACK, WHITE = (
    12 / 255,
    32 / 255,
    220 / 255,
)  # twice the spread of an even frame; its level when it is black, white
ALIKE, DIFFERENT_PLACES = 0.8, 0.15  # highest correlation of two shots, least distance of tones in most places
FLAT = 0.25  # of a whole picture's contrast: parts with less are like nothing
AROUND = 8  # frames to either side that say what is usual
JUMP, USUAL, FLOOR, TURNED = (
    0.3,
    3.0,
    0.03,
    0.2,
)  # least change of tones at a cut in motion, how many times what is usual
# and a little, least change of edges
HIDDEN = 0.8  # what such a cut counts as having come out of the networks
STILL = 0.1  # share of that which places in the midst of a wipe change by from frame to frame
AT_A_TIME = 1024  # frames that are described and read at once
MARGIN = net.REACH + max(*distances.LAGS, *(2 * reach for reach in distances.REACHES)) // 2 + 1  # that an answer needs
LIKELY_CUT, LIKELY_GRADUAL = 0.15, 0.5  # least output of the network for something to be weighed

Floats = npt.NDArray[np.float32]


class Into(StrEnum):
    """How a shot begins."""

    START = "start"
    CUT = "cut"
    DISSOLVE = "dissolve"
    FADE = "fade"
    WIPE = "wipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """`start` is the first frame that the join changes, `frame` the first pure frame of the new shot; for a cut both
    are the first frame of the new shot. `score` is the chance that there is a join."""

    into: Into
    start: int
    frame: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How far an output of the network is believed: σ(`slope` · logit + `bias`) is the chance that there is a join,
    and from `least` of it the join is told."""

    bias: float
    slope: float
    least: float

    def chance(self, output: float) -> float:
        """The chance that there is a join."""
        inner = min(max(output, 1e-6), 1 - 1e-6)
        return float(1 / (1 + np.exp(-self.bias - self.slope * np.log(inner / (1 - inner)))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Frames in order: N×5 `outputs` of the networks (`net.CLASSES`), and their descriptors, as in `distances`."""

    outputs: Floats
    tones: Floats
    edges: Floats
    fine: Floats
    level: Floats

    def then(self, more: "Seen") -> "Seen":
        """These frames and those."""
        return Seen(**{name: np.concatenate((getattr(self, name), getattr(more, name))) for name in self.__slots__})

    def since(self, first: int) -> "Seen":
        """The frames from this one on."""
        return Seen(**{name: getattr(self, name)[first:] for name in self.__slots__})

    def until(self, end: int) -> "Seen":
        """The frames before this one."""
        return Seen(**{name: getattr(self, name)[:end] for name in self.__slots__})

    def cells(self, one: int, other: int) -> Floats:
        """How unlike the tones of two frames are in each cell, 0 to 1."""
        apart = np.abs(self.tones[one] - self.tones[other]).reshape(-1, distances.TONES)
        return np.asarray(apart.sum(axis=1) / 2, np.float32)


def find(
    thumbs: Iterable[Thumb], rate: Fraction | None, *, nets: Sequence[net.Net], trust: Mapping[Into, Trust]
) -> list[Join]:
    """All joins that are to be told, in order. Fast footage is read at every nth frame, its cuts then put where
    neighbours differ most."""
    step = max(1, round(float(rate) / USUAL_RATE)) if rate else 1
    differ: list[float] = []
    found = told(candidates(_seen(_every(thumbs, step, differ), nets)), trust)
    return found if step == 1 else [_placed(join, differ, step) for join in found]


def told(found: Iterable[Join], trust: Mapping[Into, Trust]) -> list[Join]:
    """The candidates that are believed, with their chances, in order."""
    believed = []
    for join in found:
        chance = trust[join.into].chance(join.score)
        if chance >= trust[join.into].least:
            believed.append(Join(into=join.into, start=join.start, frame=join.frame, score=round(chance, 3)))
    cuts = [join.frame for join in believed if join.into is Into.CUT]
    return sorted(
        (j for j in believed if j.into is Into.CUT or not any(j.start - BESIDE <= c <= j.frame + BESIDE for c in cuts)),
        key=lambda join: join.start,
    )


def candidates(parts: Iterable[Seen]) -> list[Join]:
    """What may be a join in a clip that comes in parts, with the output of the networks as its score."""
    outputs: list[Floats] = []
    others: list[Join] = []
    known, first = None, 0
    for part in parts:
        outputs.append(part.outputs)
        known = part if known is None else known.then(part)
        settled, found = _gradual(known)
        others += [replace(join, start=join.start + first, frame=join.frame + first) for join in found]
        known, first = known.since(settled), first + settled
    cuts = list(_cuts(np.concatenate(outputs))) if outputs else []
    hidden = [join for join in others if join.into is Into.CUT]
    plain = [cut for cut in cuts if cut.score > HIDDEN or not any(abs(cut.frame - h.frame) <= BESIDE for h in hidden)]
    alone = [h for h in hidden if not any(abs(h.frame - cut.frame) <= BESIDE for cut in plain)]
    return [*plain, *alone, *(join for join in others if join.into is not Into.CUT)]


def _cuts(outputs: Floats) -> Iterator[Join]:
    cut = outputs[:, 1]
    for at in np.flatnonzero(cut[1:] > LIKELY_CUT) + 1:
        if cut[at] == cut[max(0, at - 2) : at + 3].max():
            yield Join(into=Into.CUT, start=int(at), frame=int(at), score=float(cut[at]))


def _gradual(known: Seen) -> tuple[int, list[Join]]:
    """Runs of frames in which something gradual is likelier than nothing and that look like what they say; and from
    which frame on there is more to come. What runs out at the end joins nothing."""
    found: list[Join] = []
    any_of = known.outputs[:, 2:].sum(axis=1)
    inside = np.concatenate(([False], any_of > LIKELY_GRADUAL, [False]))
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    last = len(any_of) - BESIDE
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end >= last:
            return max(start - BESIDE, 0) if end - start <= LONGEST else max(last, 0), found
        if end - start >= SHORTEST:
            kind = Into(net.CLASSES[2 + int(known.outputs[start:end, 2:].sum(axis=0).argmax())])
            seen_as = _seen_as(kind, known, start, end)
            if seen_as is not None:
                score = float(np.sort(any_of[start:end])[-SHORTEST:].mean())
                found.append(Join(into=seen_as, start=start, frame=end, score=score))
            else:
                found += _hidden(known, start, end)
    return max(last, 0), found


def _seen_as(kind: Into, known: Seen, start: int, end: int) -> Into | None:
    """What a run is by its physics. A fade holds a frame that is black or white. Whatever else joins two shots lies
    between pictures that differ, in structure and in most places; and in a wipe most places stand still most of the
    time, which they do not when the camera is thrown round or something comes close."""
    a, b = max(start - BESIDE, 0), end + BESIDE
    level = known.level[a:b]
    even = (level[:, 1] < EVEN) & ((level[:, 0] < BLACK) | (level[:, 0] > WHITE))
    if kind is Into.FADE and bool(even.any()):
        return kind
    places = known.cells(a, b)
    if _alike(known.fine[a], known.fine[b]) > ALIKE or np.sort(places)[len(places) // 4 - 1] < DIFFERENT_PLACES:
        return None
    if kind is Into.WIPE:
        steps = [float(np.median(known.cells(at, at + 1))) for at in range(start, end)]
        return kind if np.median(steps) < STILL * float(np.median(places)) else None
    return Into.DISSOLVE


def _alike(one: Floats, other: Floats) -> float:
    """The highest correlation of two fine pictures, one of them moved by up to a quarter of its sides: what a camera
    does that pans."""
    width, height = distances.FINE
    a, b = one.reshape(height, width), other.reshape(height, width)
    best = -1.0
    for down in range(-(height // 4), height // 4 + 1):
        for across in range(-(width // 4), width // 4 + 1):
            left = a[max(down, 0) : height + min(down, 0), max(across, 0) : width + min(across, 0)]
            right = b[max(-down, 0) : height + min(-down, 0), max(-across, 0) : width + min(-across, 0)]
            left, right = left - left.mean(), right - right.mean()
            scale = float(np.sqrt((left * left).sum() * (right * right).sum()))
            best = max(best, float((left * right).sum()) / max(scale, FLAT))
    return best


def _hidden(known: Seen, start: int, end: int) -> Iterator[Join]:
    """Cuts in the midst of fast motion, which the networks take for something gradual: most places and the edges jump
    far above what is usual around, and what was before does not come back, as it does after a flash."""
    first, last = max(start - AROUND, 1), min(end + AROUND, len(known.outputs))
    steps = np.array([np.median(known.cells(at - 1, at)) for at in range(first, last)])
    for at in range(start, end):
        here = at - first
        around = np.delete(steps[max(here - AROUND, 0) : here + AROUND + 1], min(here, AROUND))
        if here < 0 or steps[here] < JUMP or steps[here] < USUAL * np.median(around) + FLOOR:
            continue
        if steps[here] < steps[max(here - SHORTEST, 0) : here + SHORTEST + 1].max():
            continue
        turned = 1 - float(known.edges[at - 1] @ known.edges[at])
        back = np.median(known.cells(at - 1, min(at + SHORTEST, len(known.outputs) - 1)))
        if turned >= TURNED and back > steps[here] / 2:
            yield Join(into=Into.CUT, start=at, frame=at, score=HIDDEN)


def _seen(thumbs: Iterable[Thumb], nets: Sequence[net.Net]) -> Iterator[Seen]:
    """A clip in parts. Some hundred frames are held at a time."""
    held: list[Thumb] = []
    answered = 0
    for thumb in thumbs:
        held.append(thumb)
        if len(held) - answered >= AT_A_TIME + MARGIN:
            yield _part(held, nets).since(answered).until(AT_A_TIME)
            held = held[answered + AT_A_TIME - MARGIN :]
            answered = MARGIN
    if len(held) > answered:
        yield _part(held, nets).since(answered)


def _part(thumbs: Sequence[Thumb], nets: Sequence[net.Net]) -> Seen:
    return seen(distances.describe(thumbs), nets)


def seen(described: Mapping[str, Floats], nets: Sequence[net.Net]) -> Seen:
    """What the networks say of frames, from the descriptors of `distances`."""
    rows = distances.rows(described)
    coloured = bool((np.abs(described["colour"][::16]).mean(axis=1) > COLOUR_SPREAD).any())
    outputs = np.asarray(np.mean([one(rows, coloured=coloured) for one in nets], axis=0), np.float32)
    return Seen(
        outputs=outputs,
        tones=described["tones"],
        edges=described["edges"],
        fine=described["fine"],
        level=described["level"],
    )


def _every(thumbs: Iterable[Thumb], step: int, differ: list[float]) -> Iterator[Thumb]:
    """Every nth frame; how much each frame differs from the one before is noted on the way."""
    last = None
    for index, thumb in enumerate(thumbs):
        if step > 1:
            differ.append(0.0 if last is None else float(np.abs(thumb.grey.astype(np.int16) - last.grey).mean()))
            last = thumb
        if index % step == 0:
            yield thumb


def _placed(join: Join, differ: Sequence[float], step: int) -> Join:
    """A join of every nth frame, in frames of the clip."""
    start, frame = join.start * step, min(join.frame * step, len(differ))
    if join.into is Into.CUT:
        near = range(max(1, start - step + 1), start + 1)
        start = frame = max(near, key=lambda index: differ[index])
    return Join(into=join.into, start=start, frame=frame, score=join.score)
