"""A shot without those who pass as a film: where somebody is, what lies behind; everywhere else the frame as it was."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from safelight import refilm
from safelight.clearing import plate
from safelight.clearing.plate import Floats, Mask, Moves, Planes, Plate
from safelight.errors import MediaError, UsageError
from safelight.files import written_whole
from safelight.media import container, origin, video
from safelight.media.container import Contents
from safelight.media.signing import Deed
from safelight.probes import shots
from safelight.probes.shots import Into
from safelight.refilm import Refilm, Shape
from safelight.steady.track import NAMES, between
from safelight.steady.track import small as small_of

DEED = Deed(action="edited", text="Who passes was replaced by what lies behind, from other frames of the same clip.")
SAMPLES, ROOM = 61, 512 << 20  # frames of which the plate is made, at most, and bytes that they may take
FEWEST = 15  # frames below which nothing is known to be free
WANDERS, STANDS = 0.03, 0.0005  # widths from the first frame: a hand that holds still, and what surely is a tripod
KNOWN = 0.9  # share of frames whose place must be known
UNTOLD = 0.01  # share of the picture where somebody may stand all the time
MOST = 0.6  # share of a frame that may be taken from others
FAINT = 0.6  # of a bound: what differs by so much belongs to what surely differs beside it
SPECK = 0.0004  # share of the picture that surely differs: less is no passer-by, …
AROUND = 0.02  # of the long side: what is taken around what differs, for soft shadows and edges
REACH = 3  # … but a foot or a hand, whose limb is too thin to be seen, up to so many times as far from one
NOBODY, TOO_MUCH = "nobody passes", f"more than {MOST:.0%} of a frame differs from the others"
FEATHER = 1.5  # px of the small picture over which the two are blended

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What came of it. `changed`: frames in which something was taken out; `largest`: the most of one, as a share of
    the picture. Where `cannot_tell` or `left_alone` says why, no film was written."""

    frames: int
    changed: int = 0
    largest: float = 0.0
    cannot_tell: str | None = None
    left_alone: str | None = None
    notes: tuple[str, ...] = ()


def clear(
    clip: Path, out: Path, *, where: Box | None = None, tell: Callable[[str, int], None] = lambda _, __: None
) -> Cleared:
    """Writes a clip of one shot to `out` without those who pass. `where`: only there, px of the upright picture,
    half-open. The clip is not touched; nothing is written where it is left alone. `tell` is told of each frame what was
    done. Raises UsageError, MediaError."""
    refilm.refuse(clip, out)
    facts = container.contents(clip)
    if facts.picture is None:
        raise UsageError(f"{clip.name} has no picture.", remedy="Name a clip that has one.")
    painter = painter_of(clip, facts, refilm.shape_of(facts, out.suffix.lower()), where=where, tell=tell)
    if isinstance(painter, Cleared):
        return painter
    frames = painter.seen.frames
    with written_whole(out) as part:
        job = Refilm(clip=clip, facts=facts, change=painter.paint, tell=tell)
        job.write(part)
        if painter.largest > MOST or not painter.changed:
            part.unlink()
            if not painter.changed:
                return Cleared(frames=frames, left_alone=NOBODY, notes=tuple(job.notes))
            return Cleared(frames=frames, cannot_tell=TOO_MUCH)
        if painter.number != frames:
            raise MediaError(f"{out.name} came out with {painter.number} frames, not {frames}.")
        told_of = origin.tell_of_film(part, out, clip, [DEED], how=origin.COMPOSED)
    return Cleared(frames=frames, changed=painter.changed, largest=painter.largest, notes=(*job.notes, *told_of))


def painter_of(
    clip: Path, facts: Contents, shape: Shape, *, where: Box | None, tell: Callable[[str, int], None]
) -> "Painter | Cleared":
    """What puts the empty place where somebody is, or why the clip, which has a picture, is left as it is. It is read
    once. Raises UsageError for a box outside of it, MediaError."""
    picture = facts.picture
    assert picture is not None
    if picture.fields is not None:
        return Cleared(frames=0, cannot_tell="its frames are woven of two fields")
    seen = _Seen.of(clip, facts, shape, tell)
    why = seen.unseen()
    if why:
        return Cleared(frames=seen.frames, cannot_tell=why)
    empty = seen.plate()
    within = seen.within(where)
    if float((empty.untold & within).mean()) > UNTOLD:
        told = "somebody or something moves on one spot all the time; what lies behind is not seen"
        return Cleared(frames=seen.frames, cannot_tell=told if where else f"{told}. Name where to look")
    return Painter(seen=seen, plate=empty, within=within & ~empty.untold)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A clip as it was read once: where its camera was at each frame from the first, and frames out of all of it."""

    facts: Contents
    shape: Shape
    bits: int
    frames: int
    moves: Moves  # N×4, of every frame
    known: Mask
    joined: bool
    sampled: tuple[int, ...]
    samples: tuple[Planes, ...]

    @classmethod
    def of(cls, clip: Path, facts: Contents, shape: Shape, tell: Callable[[str, int], None]) -> "_Seen":
        """Reads it. Raises MediaError."""
        picture = facts.picture
        assert picture is not None
        count = len(container.timing(clip, stream=picture.index).pts)
        deep = 2 if "10le" in shape.pixels else 1
        room = max(FEWEST, min(SAMPLES, ROOM // (shape.size[0] * shape.size[1] * 2 * deep)))
        wanted = set(np.linspace(0, count - 1, min(count, room)).round().astype(int).tolist())
        rows: list[tuple[float, ...]] = []
        kept: dict[int, Planes] = {}
        first: list[Any] = []
        bits = 8

        def thumbs() -> Any:
            nonlocal bits
            for number, (_, frame) in enumerate(video.decoded(clip, picture, video.Trouble(sizes=set()), threads=2)):
                coded = frame if frame.format.name == shape.pixels else frame.reformat(format=shape.pixels)
                bits = coded.format.components[0].bits
                planes = [
                    p[: t[1], : t[0]] for p, t in zip(refilm.planes(coded), _sizes(shape), strict=True)
                ]  # fmt: skip
                if number in wanted:
                    kept[number] = [p.copy() for p in planes]
                luma, cb, cr = (np.asarray(p >> (bits - 8), np.uint8) for p in planes)
                grey = small_of(luma, picture)
                first[:] = first or [grey]
                rows.append(between(first[0], grey) if number else (0, 0, 0, 0, 0, 0, 1, 1))
                tell("looked at", number + 1)
                yield shots.thumb(luma, cb, cr)

        joins = shots.find(thumbs(), picture.rate)
        told = np.array(rows, float).reshape(-1, len(NAMES))
        moves, known = told[:, :4], told[:, 7] > 0
        at = np.arange(len(moves))
        if known.any():
            moves = np.stack([np.interp(at, at[known], c[known]) for c in moves.T], axis=1)
        found = cls(
            facts=facts, shape=shape, bits=bits, frames=len(moves), moves=moves, known=known,
            joined=any(j.into is not Into.START for j in joins), sampled=tuple(kept), samples=tuple(kept.values()),
        )  # fmt: skip
        return replace(found, moves=np.zeros_like(moves)) if found._stands() else found

    def _stands(self) -> bool:
        """Whether its camera stands on something."""
        far = np.hypot(*self.moves[:, :2].T).max(initial=0)
        if far < STANDS or far > WANDERS or len(self.samples) < FEWEST:
            return bool(far < STANDS)
        seen = [self.small(planes) for planes in self.samples]
        return plate.stands(seen, self.moves[list(self.sampled)], plate.fine_of(self.shape, self.size))

    @property
    def size(self) -> tuple[int, int]:
        """Of the small pictures."""
        scale = min(1.0, plate.SIDE / max(self.shape.size))
        return max(round(self.shape.size[0] * scale), 16), max(round(self.shape.size[1] * scale), 16)

    def small(self, planes: Planes) -> Floats:
        """A frame as it is looked at."""
        return plate.small(planes, self.size, self.bits)

    @property
    def black(self) -> float:
        """The code value of black, in 8 bits."""
        picture = self.facts.picture
        assert picture is not None
        return 0.0 if picture.levels == "full" or picture.pixels.startswith("yuvj") else 16.0

    def unseen(self) -> str | None:
        """Why nothing can be said of it."""
        if self.joined:
            return "it is more than one shot; cut it apart first"
        if len(self.samples) < FEWEST:
            return f"it has fewer than {FEWEST} frames"
        if self.known.mean() < KNOWN:
            return "there is too little to hold on to in the picture, or its camera moves"
        if np.hypot(*self.moves[:, :2].T).max() > WANDERS or np.abs(self.moves[:, 2]).max() > WANDERS:
            return "its camera moves"
        return None

    def plate(self) -> Plate:
        """The empty place."""
        moves = self.moves[list(self.sampled)]
        return plate.made(self.samples, moves, self.size, self.shape, bits=self.bits, black=self.black)

    def within(self, where: Box | None) -> Mask:
        """Where passers-by are looked for, in small pictures. Raises UsageError for a box outside of the picture."""
        width, height = self.size
        mask = np.ones((height, width), bool)
        if where is None:
            return mask
        picture = self.facts.picture
        assert picture is not None
        left, top, right, bottom = where
        if not (0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height):
            raise UsageError(
                f"The box {left},{top},{right},{bottom} is not in the picture.",
                remedy=f"Left, top, right, bottom within {picture.width} x {picture.height}.",
            )
        upright = np.zeros((picture.height, picture.width), np.uint8)
        upright[top:bottom, left:right] = 1
        coded = np.ascontiguousarray(np.rot90(upright, -picture.rotation // 90))
        return np.asarray(cv2.resize(coded, (width, height), interpolation=cv2.INTER_AREA) > 0)


def _sizes(shape: Shape) -> list[tuple[int, int]]:
    """Width and height of the three planes."""
    width, height = shape.size
    across = 1 if "444" in shape.pixels else 2
    down = 2 if "420" in shape.pixels else 1
    return [(width, height), *[(width // across, height // down)] * 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """A small frame, what is `there` behind it in its light, `gain` times as bright, and by how many bounds they are
    `off`."""

    small: Floats
    there: Floats
    gain: float
    off: Floats


@dataclass(slots=True, kw_only=True)
class Painter:
    """Puts the plate where somebody is."""

    seen: _Seen
    plate: Plate
    within: Mask
    number: int = 0
    changed: int = 0
    largest: float = 0.0
    limit: Floats = field(init=False)
    passing: list[Mask] = field(default_factory=list)  # who passes in the sampled frames, where the camera stands

    def __post_init__(self) -> None:
        self.limit = plate.bound(self.plate.small, self.plate.grain, stands=self.stands)
        for planes in self.seen.samples if self.stands else ():
            self.passing.append(_somebody(self._compared(planes, self.plate.small).off))

    @property
    def stands(self) -> bool:
        """Whether the camera stands on something."""
        return not self.seen.moves.any()

    def paint(self, frame: Any, number: int, shape: Shape) -> Any:
        """A frame of the film."""
        self.number = number + 1
        if frame.format.name != shape.pixels:
            frame = frame.reformat(format=shape.pixels)
        made = refilm.tagged(frame, shape)
        targets = refilm.planes(made)
        for source, target in zip(refilm.planes(frame), targets, strict=True):
            target[:] = source[: target.shape[0], : target.shape[1]]
        move = self.seen.moves[min(number, len(self.seen.moves) - 1)]
        here = plate.laid(self.plate.small, move, plate.fine_of(shape, self.seen.size), back=True)
        seen = self._compared(targets, here)
        somebody = _somebody(seen.off)
        mask = _taken_out(somebody, self._soon(number), self._differs(seen)) & self.within
        if not mask.any():
            return made
        self.changed += bool((somebody & self.within).any())
        self.largest = max(self.largest, float(mask.mean()))
        soft = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), FEATHER), np.float32)
        most = (1 << self.seen.bits) - 1
        for n, target in enumerate(targets):
            self._lay(target, n, move, seen.gain, soft, most)
        return made

    def _compared(self, planes: Planes, here: Floats) -> "_Compared":
        """A frame and the small plate as its camera sees it."""
        small = self.seen.small(planes)
        gain = plate.gain(small, here, self.seen.black)
        there = plate.lit(here, gain, self.seen.black)
        return _Compared(small=small, there=there, gain=gain, off=plate.differs(small, there) / self.limit)

    def _soon(self, number: int) -> Mask:
        """Who passes in the sampled frames before and after one."""
        after = bisect_left(self.seen.sampled, number)
        found = [self.passing[n] for n in (after - 1, after) if 0 <= n < len(self.passing)]
        return np.asarray(np.logical_or.reduce(found)) if found else np.zeros_like(self.within)

    def _differs(self, seen: "_Compared") -> Mask:
        """Where a frame surely differs: as a whole and, if it is laid down to the pixel, in detail."""
        if not self.stands:
            return np.asarray(seen.off > 1)
        return np.asarray((seen.off > 1) | (plate.rough(seen.small, seen.there) > self.plate.rough))

    def _lay(self, target: npt.NDArray[Any], n: int, move: Moves, gain: float, soft: Floats, most: int) -> None:
        foot = np.float32((self.seen.black if n == 0 else 128) * (1 << (self.seen.bits - 8)))
        size = target.shape[::-1]
        share = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
        behind = plate.laid(self.plate.planes[n], move, plate.fine_of(self.seen.shape, size), back=True)
        behind = (behind - foot) * np.float32(gain) + foot
        mixed = target + share * (behind - target)
        np.copyto(target, np.clip(np.round(mixed), 0, most).astype(target.dtype), where=share > 0)


def _somebody(differs: Floats) -> Mask:
    """Who surely passes, where pictures differ by so many bounds: stretches larger than a speck, with what differs less
    beside them."""
    surely = _opened(differs > 1)
    count, labels = cv2.connectedComponents((differs > FAINT).astype(np.uint8))
    large = np.bincount(labels.ravel(), surely.ravel(), minlength=count) >= SPECK * surely.size
    large[0] = False
    return np.asarray(large[labels])


def _taken_out(somebody: Mask, soon: Mask, differs: Mask) -> Mask:
    """What is taken out of a frame: somebody with whatever differs near, closed, filled and a little larger than what
    was seen. Near is also who is there `soon`, or was a moment ago: of who comes in the first sliver is a speck."""
    around = max(round(AROUND * max(differs.shape)), 2)
    near = np.asarray(cv2.dilate((somebody | soon).astype(np.uint8), _disc(REACH * around)), np.uint8)
    mask = cv2.morphologyEx(somebody | (near & _opened(differs)), cv2.MORPH_CLOSE, _disc(around))
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(mask), outlines, -1, 1, -1)
    return np.asarray(cv2.dilate(filled, _disc(around)) > 0)


def _opened(mask: Mask) -> npt.NDArray[np.uint8]:
    """Without single specks."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
