"""What is said of a shot: how steady, sharp and lit it is, how the camera moves, who is in it, what frame shows it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from safelight.domain import Json, Measure
from safelight.media.frame import Bytes
from safelight.media.picture import Picture
from safelight.probes import faces, sharpness
from safelight.probes._shots.looks import Aside, Columns, Looking

SHORT_S = 0.4  # of a shot in which nothing can be said about the camera
SWAY_S = 0.3  # standard deviation, seconds, of what counts as the path of the camera: faster is shake
TRIPOD, SHAKY = 0.0006, 0.008  # widths, root mean square of shake: below and above
SEEN = 0.6  # share of a shot's frames whose move must be known
PANNED, GROWN = 0.04, 0.05  # of the width, and of the scale: least that is called a move of the camera
SPEED, SWELL = 0.01, 0.015  # widths, and logarithm of the scale, a second: slower is a creep nobody sees
STRAIGHT = 0.6  # length of the way to that of the path: less wanders
AIMED = 0.4  # part of a slanted move that counts in each direction
DARK, DIM, BRIGHT = 0.06, 0.25, 0.72  # median of luma as a share of the range: dark anyway, dark if nothing is light
LIGHT = 0.55  # 98th percentile: above it something is light
WHITE = 0.03  # of the picture: clipped more than this is told
BLURRED = 0.5  # chance from which a shot is told to be soft
EDGE = 6  # frames beside a join at which a frame is still seen badly
ASKED = 3  # frames whose eyes are looked at, at most
CLOSED = 0.5

Weights = Mapping[str, Mapping[str, Path]]


def of_shots(
    looking: Looking, spans: Sequence[tuple[int, int]], *, hdr: str | None, turned: int, weights: Weights
) -> Iterator[tuple[dict[str, Json], Bytes | None]]:
    """For each span of frames [first, end) seen alone what is said of it, and its key frame, H×W×3, if there is one:
    one after another, for hours have thousands. `turned`: degrees counter-clockwise from frames as coded to upright
    ones."""
    columns = looking.columns()
    for first, end in spans:
        rows = columns.of(first, end)
        key, picture, found = _key(looking, columns, first, end, weights)
        told: dict[str, Json] = {
            "key_frame": key, "steadiness": steadiness(rows, looking.rate),
            "motion": motion(rows, looking.rate, turned), "exposure": exposure(rows, hdr),
            "sharpness": _sharpness(found), "faces": _faces(found, picture),
        }  # fmt: skip
        yield told, picture


# ---------------------------------------------------------------- of all frames of a shot


def steadiness(rows: Columns, rate: float) -> dict[str, Json]:
    """`kind` tripod, handheld or shaky, from `shake`: the root mean square of how far the picture is off the smooth
    path of its camera, in widths of the picture, as the median tells it."""
    moves = _moves(rows, rate)
    if isinstance(moves, str):
        return {"cannot_tell": moves}
    path = np.cumsum(moves[:, :2], axis=0)
    path = path - _line(path)  # a filter bends it at its ends
    off = path - gaussian_filter1d(path, SWAY_S * rate, axis=0, mode="nearest")
    edge = min(round(SWAY_S * rate), len(path) // 4)
    off = off[edge : len(path) - edge or None]
    shake = float(np.sqrt(np.median(np.square(off).sum(axis=1)) / np.log(2)))  # one knock does not make a shot shaky
    kind = "tripod" if shake < TRIPOD else "handheld" if shake < SHAKY else "shaky"
    return {"kind": kind, "shake": round(shake, 5)}


def motion(rows: Columns, rate: float, turned: int = 0) -> dict[str, Json]:
    """`camera`: what it does, such as ["pan right", "zoom in"], or ["static"], or ["wanders"]; `speed` in widths a
    second, `zoom` the factor over the whole shot."""
    moves = _moves(rows, rate)
    if isinstance(moves, str):
        return {"cannot_tell": moves}
    way = gaussian_filter1d(moves, SWAY_S * rate, axis=0, mode="nearest")
    seconds = len(moves) / rate
    across, down = _upright(way[:, 0], way[:, 1], turned)
    net = np.array([across.sum(), down.sum()])
    far, long = float(np.hypot(*net)), float(np.hypot(across, down).sum())
    grown = float(way[:, 2].sum())
    camera: list[Json] = []
    if far >= PANNED and far / seconds >= SPEED and far >= STRAIGHT * long:
        # what is seen goes left where the camera pans right
        if abs(net[0]) >= AIMED * far:
            camera.append("pan right" if net[0] < 0 else "pan left")
        if abs(net[1]) >= AIMED * far:
            camera.append("tilt down" if net[1] < 0 else "tilt up")
    if (
        abs(grown) >= GROWN
        and abs(grown) / seconds >= SWELL
        and abs(grown) >= STRAIGHT * float(np.abs(way[:, 2]).sum())
    ):
        camera.append("zoom in" if grown > 0 else "zoom out")
    if not camera:
        camera.append("wanders" if long / seconds >= 2 * SPEED and long >= 2 * PANNED else "static")
    return {"camera": camera, "speed": round(long / seconds, 4), "zoom": round(float(np.exp(grown)), 3)}


def exposure(rows: Columns, hdr: str | None) -> dict[str, Json]:
    """`median` of the luma as a share of its range, `white` and `black`: shares of the picture that are clipped, and
    what that makes of it: `kind` dark, bright, clipped or normal."""
    if hdr is not None:
        return {"cannot_tell": "its light is HDR, whose white depends on the grade"}
    if not len(rows):
        return {"cannot_tell": "it has no frame of its own"}
    median, light, white, black = (float(np.median(rows[name])) for name in ("median", "light", "white", "black"))
    dark = median < DARK or (median < DIM and light < LIGHT)
    kind = "dark" if dark else "bright" if median > BRIGHT else "clipped" if white > WHITE else "normal"
    return {"kind": kind, "median": round(median, 3), "white": round(white, 4), "black": round(black, 4)}


def _moves(rows: Columns, rate: float) -> npt.NDArray[np.float64] | str:
    """N×3 of moves across, down, and scale between the frames of a shot, gaps filled; or why that cannot be told."""
    if len(rows) - 1 < SHORT_S * rate or len(rows) < 4:
        return "the shot is too short"
    known = rows["known"][1:] > 0
    if known.mean() < SEEN:
        return "there is too little to hold on to in the picture, or it moves too fast"
    at = np.arange(len(known))
    return np.stack([np.interp(at, at[known], rows[name][1:][known]) for name in ("across", "down", "grow")], axis=1)


def _line(off: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    at = np.arange(len(off), dtype=float)
    return np.stack([np.polyval(np.polyfit(at, column, 1), at) for column in off.T], axis=1)


def _upright(across: Any, down: Any, turned: int) -> tuple[Any, Any]:
    """A shift in the picture as it is shown; `turned` degrees counter-clockwise."""
    return {0: (across, down), 90: (down, -across), 180: (-across, -down), 270: (-down, across)}[turned % 360]


# ---------------------------------------------------------------- of the frame that shows it


def _key(
    looking: Looking, columns: Columns, first: int, end: int, weights: Weights
) -> tuple[int | None, Bytes | None, dict[str, Measure]]:
    """The frame that shows a shot best, and what the probes of photos find in it. Of the best few one whose people have
    their eyes open."""
    best: tuple[float, Aside, Bytes, dict[str, Measure]] | None = None
    for aside in _ranked(looking.aside, columns, first, end)[:ASKED]:
        rgb = looking.picture(aside)
        picture = Picture(rgb=rgb, weights=weights)
        found = {m.name: m for m in faces.measure(picture)}
        closed = found["eyes.closed"].value
        shut = float(closed) if isinstance(closed, int | float) else 0.0
        if best is None or shut < best[0]:
            best = shut, aside, rgb, found
        if shut < CLOSED:
            break
    if best is None:
        return None, None, {}
    _, aside, rgb, found = best
    seen = Picture(rgb=rgb, weights=weights, facts=found)
    return aside.frame, rgb, found | {m.name: m for m in sharpness.measure(seen)}


def _ranked(asides: Sequence[Aside], columns: Columns, first: int, end: int) -> list[Aside]:
    """Frames of a shot that were put aside, best first: sharp, still, of the light that the shot usually has, not right
    beside a join."""
    inside = [a for a in asides if first <= a.frame < end]
    if not inside:
        return []
    usual = float(np.median(columns["mean"][first:end]))
    spread = max(float(np.percentile(np.abs(columns["mean"][first:end] - usual), 75)), 4.0)
    edge = min(EDGE, (end - first) / 4)

    def rank(aside: Aside) -> float:
        unlike = abs(float(columns["mean"][aside.frame]) - usual) / spread
        beside = min(aside.frame - first, end - 1 - aside.frame) < edge
        return aside.worth / (1 + unlike) * (0.3 if beside else 1.0)

    return sorted(inside, key=rank, reverse=True)


def _sharpness(found: Mapping[str, Measure]) -> dict[str, Json]:
    """`kind` sharp or soft, with the chance that the key frame, the sharpest that the shot has, is `blur`red, and
    whether by motion or defocus where that can be told."""
    blur = found.get("blur")
    if blur is None:
        return {"cannot_tell": "no frame shows the shot alone"}
    if not isinstance(blur.value, int | float):
        return {"cannot_tell": blur.cannot_tell}
    cause = None
    parts = [found[name].value for name in ("blur.motion", "blur.defocus")]
    if blur.value >= BLURRED and all(isinstance(p, int | float) for p in parts):
        cause = "motion" if float(str(parts[0])) > float(str(parts[1])) else "defocus"
    kind = "soft" if blur.value >= BLURRED else "sharp"
    return {"kind": kind, "blur": round(float(blur.value), 3), "cause": cause}


def _faces(found: Mapping[str, Measure], picture: Bytes | None) -> dict[str, Json]:
    """`count` of faces in the key frame, the height of the `largest` as a share of the picture's, and whether
    somebody's eyes are `closed` there."""
    listed = found.get("faces")
    if listed is None or picture is None:
        return {"cannot_tell": "no frame shows the shot alone"}
    if listed.cannot_tell is not None:
        return {"cannot_tell": listed.cannot_tell}
    rows: list[Any] = list(listed.value) if isinstance(listed.value, list) else []
    tall = [(row["box"][3] - row["box"][1]) / picture.shape[0] for row in rows]
    closed = found["eyes.closed"].value
    return {
        "count": len(rows), "largest": round(float(max(tall)), 3) if tall else None,
        "closed": closed >= CLOSED if isinstance(closed, int | float) else None,
    }  # fmt: skip
