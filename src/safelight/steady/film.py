"""A shot without its shake as a film: every frame at its own time, its sound copied, and looked at again afterwards.

The planes of a frame are moved as they were coded, with the bits they have: no colour is converted, HDR stays what it
was. What was written is tracked again; a film that is no steadier does not appear.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from safelight import refilm
from safelight.errors import MediaError
from safelight.files import written_whole
from safelight.media import container, origin
from safelight.media.signing import Deed
from safelight.refilm import Refilm, Shape, planes, tagged
from safelight.steady.plan import CROP, STRENGTH_S, Plan, plan, shake_of, unseen
from safelight.steady.track import Track, track

DEEDS = (
    Deed(action="enhanced", text="Its shake was taken out."),
    Deed(action="cropped", text="It was enlarged by what that needs."),
)
WORTH = 0.8  # of the shake: a film that keeps more is not worth its crop

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadied:
    """What came of it. `after` is the shake of the film as it was written, in widths of its picture; None where nothing
    was, for which `plan` or `no_better` gives the reason."""

    plan: Plan
    frames: int
    after: float | None = None
    no_better: str | None = None
    notes: tuple[str, ...] = ()


def steady(
    clip: Path, out: Path, *, strength_s: float = STRENGTH_S, crop: float = CROP, anyway: bool = False,
    tell: Callable[[str, int], None] = lambda _, __: None,
) -> Steadied:  # fmt: skip
    """Writes a clip of one shot to `out` without its shake. The clip is not touched; nothing is written where it is
    left alone. `tell` is told of each frame what was done. Raises UsageError, MediaError."""
    refilm.refuse(clip, out)
    facts = container.contents(clip)
    seen = track(clip, facts=facts, tell=lambda n: tell("looked at", n))
    planned = plan(seen, strength_s=strength_s, crop=crop, anyway=anyway)
    if planned.moves is None:
        return Steadied(plan=planned, frames=len(seen), notes=seen.notes)
    with written_whole(out) as part:
        moves, zoom = planned.moves, planned.zoom
        job = Refilm(
            clip=clip, facts=facts, tell=tell, change=lambda frame, n, shape: moved(frame, shape, moves[n], zoom)
        )
        job.write(part)
        again = track(part, tell=lambda n: tell("looked at again", n))
        _counted(again, seen, out.name)
        lost = unseen(again)
        after = 0.0 if lost else shake_of(again.path, again.rate)
        if lost or after > WORTH * (planned.shake or 0):
            why = f"of the shake {after / (planned.shake or 1):.0%} would stay within this crop"
            if lost:
                why = f"of the film nobody could tell whether it is steadier: {lost}"
            part.unlink()
            return Steadied(plan=planned, frames=len(seen), no_better=why, notes=(*seen.notes, *job.notes))
        told = origin.tell_of_film(part, out, clip, DEEDS, how=origin.ENHANCED)
    return Steadied(plan=planned, frames=len(seen), after=after, notes=(*seen.notes, *job.notes, *told))


def _counted(again: Track, seen: Track, name: str) -> None:
    if len(again) != len(seen):
        raise MediaError(f"{name} came out with {len(again)} frames, not {len(seen)}.", remedy="Use another format.")


def moved(frame: Any, shape: Shape, move: Floats, zoom: float) -> Any:
    """A frame moved, turned and scaled, then enlarged about its middle; each plane in the pixels it is coded in."""
    if frame.format.name != shape.pixels:
        frame = frame.reformat(format=shape.pixels)
    made = tagged(frame, shape)
    bits = frame.format.components[0].bits
    for source, target in zip(planes(frame), planes(made), strict=True):
        here, there = source.shape[::-1], target.shape[::-1]
        fine = shape.aspect * (here[0] / frame.width) ** -1 * (here[1] / frame.height)
        warped = cv2.warpAffine(
            source, _matrix(move, zoom, here, there, fine), there, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        target[:] = warped if bits == 8 else np.minimum(warped, (1 << bits) - 1)
    return made


def _matrix(
    move: Floats, zoom: float, size: tuple[int, int], target: tuple[int, int], aspect: float
) -> npt.NDArray[np.float64]:
    """From a pixel of the film's plane to where it comes from; `aspect`: width of a pixel of it to its height."""
    across, down, grow, turn = move
    scale = 1 / np.exp(grow)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    back = np.array([[cos, sin / aspect], [-sin * aspect, cos]])  # against the turn, in pixels that may be oblong
    here, there = ((np.array(s, float) - 1) / 2 for s in (target, size))
    shift = np.array([across * size[0], down * size[0] * aspect])
    return np.column_stack((back / zoom, there - back @ (here / zoom + shift)))
