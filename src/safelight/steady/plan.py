"""What is to be taken out of a shot's path, within a crop; or why it is left alone.

Moves add up to a path. A Gaussian over time makes the way the camera was meant to go of it; what lies between the two
is shake, and frames are moved by it. Where that would show more of the edge than the crop hides, a frame is moved
less, and its neighbours lead there and back.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from safelight.media.effects import Steady
from safelight.probes._shots.facts import GROWN, PANNED, SEEN, SHORT_S, SPEED, STRAIGHT, SWAY_S, SWELL, TRIPOD
from safelight.steady.track import Track

STRENGTH_S, CROP = Steady().strength_s, Steady().crop
REACH = 0.3  # widths from the middle at which turn and scale are felt
FADES = 2.0  # standard deviations of the smoothing over which a move that the crop forbids fades out
MARGIN = 0.001  # of the zoom: pixels are interpolated at the edge
COMMON = 0.65  # share of points that must follow one move: with fewer, paths came out 0.5 % of the width off
BENT = 0.35  # of the shake: what bends more than this would wobble still

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`shake` before and `left` after, root mean squares in widths of the picture; `moves` N×4 to lay on frames, as in
    `Track.steps`; `zoom`, that keeps edges out of sight, and `crop`, the share of the width that costs. Where
    `cannot_tell` or `left_alone` says why, there are no moves."""

    shake: float | None = None
    left: float | None = None
    moves: Floats | None = None
    zoom: float = 1.0
    cannot_tell: str | None = None
    left_alone: str | None = None

    @property
    def crop(self) -> float:
        """Share of the width that is cut off."""
        return 1 - 1 / self.zoom


def plan(track: Track, *, strength_s: float = STRENGTH_S, crop: float = CROP, anyway: bool = False) -> Plan:
    """`strength_s`: over what time the path is smoothed; `crop`: how much of the width may go, of 1; `anyway`: also
    where the camera is meant to move, whose way then stays."""
    why = unseen(track)
    if why:
        return Plan(cannot_tell=why)
    path = track.path
    shake = shake_of(path, track.rate)
    if shake < TRIPOD:
        return Plan(shake=shake, left_alone="it is as steady as on a tripod")
    if _typical(track.agree[track.known]) < COMMON:
        return Plan(shake=shake, cannot_tell="what is seen moves in more ways than one; nobody can say which is the "
                    "camera's")  # fmt: skip
    wobble = shake_of(track.bending * REACH, track.rate)
    if wobble > max(BENT * shake, TRIPOD):
        return Plan(shake=shake, cannot_tell="the picture bends in itself, by a rolling shutter or by things near and "
                    "far; moved as a whole it would wobble")  # fmt: skip
    meant = _meant(path, track.rate)
    if meant and not anyway:
        return Plan(shake=shake, left_alone=f"the camera {meant}, which may be meant")
    moves = _bounded(path, strength_s * track.rate, track.height, 1 / (1 - crop))
    zoom = float(_needed(moves, track.height).max()) + MARGIN
    return Plan(shake=shake, left=shake_of(path + moves, track.rate), moves=moves, zoom=zoom)


def shake_of(path: Floats, rate: float) -> float:
    """Root mean square of how far a path is off its own smooth way, in widths, as the median tells it. Columns after
    the second are turn and scale, felt at `REACH`."""
    path = path * np.array([1, 1, REACH, REACH])[: path.shape[1]]
    off = path - smooth(path, SWAY_S * rate)
    return float(np.sqrt(np.median(np.square(off).sum(axis=1)) / np.log(2)))  # one knock does not make a shot shaky


def unseen(track: Track) -> str | None:
    """Why nothing can be said of a shot, if so."""
    if track.picture.fields:
        return "its frames are woven of two fields; make whole frames of them first"
    if track.joins:
        first = track.joins[0]
        return f"there is a {first.into} at {first.start / track.rate:.2f} s; only a single shot has one path"
    if len(track) < max(SHORT_S * track.rate, 4):
        return "the shot is too short"
    if track.known[1:].mean() < SEEN:
        return "there is too little to hold on to in the picture, or it moves too fast"
    return None


def _typical(values: Floats) -> float:
    return float(np.median(values)) if len(values) else 0.0


def smooth(path: Floats, sigma: float) -> Floats:
    """Past its ends a path goes on as it came: a straight way stays one."""
    reach = min(int(4 * sigma) + 1, len(path) - 1)
    longer = np.pad(path, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    return np.asarray(gaussian_filter1d(longer, sigma, axis=0, mode="nearest")[reach : reach + len(path)], float)


def _meant(path: Floats, rate: float) -> str | None:
    """What the camera does on purpose, by the rules of the log; a wandering hand does nothing."""
    way = np.diff(smooth(path, SWAY_S * rate), axis=0)
    seconds = len(way) / rate
    far = float(np.hypot(*way[:, :2].sum(axis=0)))
    long = float(np.hypot(*way[:, :2].T).sum())
    if far >= PANNED and far / seconds >= SPEED and far >= STRAIGHT * long:
        return "pans or follows"
    grown, swelled = abs(float(way[:, 2].sum())), float(np.abs(way[:, 2]).sum())
    if grown >= GROWN and grown / seconds >= SWELL and grown >= STRAIGHT * swelled:
        return "zooms"
    return None


def _bounded(path: Floats, sigma: float, height: float, zoom: float) -> Floats:
    """Moves that make a path smooth, none of which needs more zoom than allowed: a frame that would is moved less, and
    so are its neighbours, ever more until it is reached."""
    moves = smooth(path, sigma) - path
    share = np.minimum(1, (zoom - MARGIN - 1) / np.maximum(_needed(moves, height) - 1, 1e-9))
    reach = max(round(FADES * sigma), 1)
    least = minimum_filter1d(share, 2 * reach + 1, mode="nearest")
    moves = moves * gaussian_filter1d(least, reach / 3, radius=reach, mode="nearest")[:, None]
    over = float(_needed(moves, height).max())
    return np.asarray(moves * min(1.0, (zoom - MARGIN - 1) / max(over - 1, 1e-9)))


def _needed(moves: Floats, height: float) -> Floats:
    """The zoom about the middle with which a moved frame still fills the picture."""
    cos, sin = np.abs(np.cos(moves[:, 3])), np.abs(np.sin(moves[:, 3]))
    across = np.abs(np.cos(moves[:, 3]) * moves[:, 0] + np.sin(moves[:, 3]) * moves[:, 1])
    down = np.abs(np.cos(moves[:, 3]) * moves[:, 1] - np.sin(moves[:, 3]) * moves[:, 0])
    grown = np.exp(moves[:, 2]) / 2
    wide = (cos + sin * height) / 2 / np.maximum(grown - across, 1e-9)
    high = (sin + cos * height) / 2 / np.maximum(grown * height - down, 1e-9)
    return np.asarray(np.maximum(wide, high), float)
