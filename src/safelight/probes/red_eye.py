"""Red eyes: pupils that give a flash back in red, in eyes that are not closed and large enough to be measured.

A pupil is black, an iris may be brown, and warm light reddens both; the back of the eye is redder than any of them and
bright. So a pixel counts as red where its red stands out from its green and blue by far more than that of the white of
the same eye, which shows the colour of the light whatever the skin, and is bright besides. Enough of them inside the
iris make a red eye; their middle and their spread say where the pupil is. Pupils that are bright without being red (a
mirrored window, another shine) are told apart, and said to be so.

Needs the weights `yunet` and `face_landmarker`. Not asked of eyes that are closed, hidden or turned away, nor where the
camera says that its flash was off. No real red eye was at hand: positives are painted ones (`bench/red_eye.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.frame import Pixels
from safelight.media.picture import TO_LINEAR, Picture
from safelight.probes import Probe
from safelight.probes._eyes import hidden, lids_of, unreadable
from safelight.probes._mesh import DETECTOR, LANDMARKER, Found, Mesh, mesh_of, networks

Vector = NDArray[np.float64]

IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))  # of the mesh: centre, then four on the rim
LIDS = (  # of the mesh: the rim of each eye
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
OPEN = 0.09  # opening of the lids by the width of the eye: a red pupil makes the blink uncertain, not this
SMALLEST = 3.0  # px, radius of an iris: below, a few pixels would decide
REACH = 1.15  # radii of the iris within which red is looked for: the mesh is off by as much
FAINT = 0.01  # of white, added to channels before their ratio is taken, about the noise of dark pixels
STANDS_OUT = 1.3  # stops of red over green and blue, beyond those of the white: brown irises reach about 0.9
BRIGHT = 0.035  # of white: the least red of a lit pupil; unlit ones and brown irises in shade are darker
ENOUGH, SURELY = 0.06, 0.16  # share of the iris that is red: chance of a half, and nearly certain
CORE = 0.35  # of the iris's radius: surely pupil
SHINE = 0.7  # of the white's light: a core brighter than this is no pupil that light did not come out of
RED_AGAINST_GREY = 0.6  # stops: a bright core less red than this beyond the white is another shine
WARMEST = 1.1  # stops of red in the white of an eye, as in the light of candles; more is skin or the red itself
GROWN = 0.8  # of STANDS_OUT and BRIGHT: what touches red and is this red belongs to it
COVERED = 0.4  # share of an iris that counts as seen at least, however far the lids come down
PLAIN_WHITE = np.full(3, 0.2)  # where no white is to be seen
BULK = 0.95  # share of the red pixels that lies within the radius that is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """One eye: where its pupil is in native px, and how likely it is red; `shine` where it is bright but not red."""

    x: float
    y: float
    radius: float
    chance: float
    shine: bool = False


def measure(picture: Picture) -> Sequence[Measure]:
    """`red_eye` (chance that a pupil is red) and `red_eye.eyes` (where, with the width of the picture looked at)."""
    faces = picture.facts.get("faces")
    if faces is None or faces.value is None or not isinstance(faces.value, Sequence):
        reason = faces.cannot_tell if faces is not None and faces.cannot_tell else "no faces were looked for"
        return _silent(reason)
    if picture.capture.flash is False:
        return _silent("no flash was fired")
    nets = networks(picture.weights)
    if nets is None:
        return _silent("no weights for faces are installed")
    if not faces.value:
        return _silent("no face was found")
    found: list[Eye] = []
    reasons: list[str] = []
    for face in (_found(entry) for entry in faces.value if isinstance(entry, Mapping) and entry["eyes"] != "closed"):
        mesh = mesh_of(picture, face, nets)
        why_not = unreadable(picture, face, mesh) or hidden(mesh)
        found += [] if why_not else look(picture, mesh)
        reasons += [why_not] if why_not else []
    told = [eye for eye in found if not eye.shine]
    if not found:
        return _silent(reasons[0] if reasons else f"no iris of {SMALLEST:.0f} px or more lies open")
    if not told:
        return _silent("the pupils are bright but not red: a reflection, or another shine")
    red = [eye for eye in told if eye.chance >= 0.5]
    return (
        Measure(name="red_eye", value=round(max(eye.chance for eye in told), 4), unit="probability"),
        Measure(name="red_eye.eyes", value={"width": picture.width, "eyes": [_as_json(eye) for eye in red]}),
    )


def _silent(reason: str) -> Sequence[Measure]:
    return [Measure(name=name, cannot_tell=reason) for name in EMITS]


def _found(face: Mapping[str, Any]) -> Found:
    box = tuple(float(v) for v in face["box"])
    return Found(box=box, points=np.array(face["landmarks"], np.float64), score=float(face["score"]))  # type: ignore[arg-type]


def _as_json(eye: Eye) -> dict[str, float]:
    return {"x": round(eye.x, 2), "y": round(eye.y, 2), "radius": round(eye.radius, 2), "chance": round(eye.chance, 4)}


def look(picture: Picture, mesh: Mesh) -> list[Eye]:
    """Both eyes of a face, without those that are closed, or whose iris is too small or outside the picture."""
    found = []
    for iris, lids, opening in zip(IRISES, LIDS, lids_of(mesh).opening, strict=True):
        centre = mesh.points[iris[0]]
        radius = float(np.mean([np.linalg.norm(mesh.points[i] - centre) for i in iris[1:]]))
        if radius >= SMALLEST and opening >= OPEN:
            eye = _judge(picture, centre, radius, mesh.points[list(lids)])
            found += [eye] if eye is not None else []
    return found


def _white(light: Pixels) -> Vector:
    """Linear light of the white of an eye, from what lies between the lids beside the iris: its brighter half."""
    if not len(light):
        return PLAIN_WHITE
    level = light[:, 1]
    return np.asarray(np.median(light[level >= np.median(level)], axis=0), np.float64)


def _judge(picture: Picture, centre: Vector, radius: float, rim: Vector) -> Eye | None:
    """One eye from its iris and the rim of its lids; None where it reaches out of the picture."""
    low = np.floor(np.minimum(rim.min(axis=0), centre - REACH * radius)).astype(int)
    high = np.ceil(np.maximum(rim.max(axis=0), centre + REACH * radius)).astype(int) + 1
    if (low < 0).any() or (high > (picture.width, picture.height)).any():
        return None
    light = TO_LINEAR[picture.rgb[low[1] : high[1], low[0] : high[0]]]
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
    away = np.hypot(x - centre[0], y - centre[1]) / radius
    mask = np.zeros(away.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(rim - low).astype(np.int32)], 1)
    white = _white(light[(mask > 0) & (away > REACH)])
    over_white = redness(light) - float(np.clip(redness(white.astype(np.float32)), 0, WARMEST))
    red = (over_white > STANDS_OUT) & (light[..., 0] > BRIGHT) & (away <= REACH)
    seen = np.count_nonzero((away <= 1) & (mask > 0))
    share = float(red.sum() / max(seen, COVERED * np.pi * radius**2))
    core = away <= max(CORE, 0.8 / radius)
    bright = float(np.median(light[core].max(axis=1))) > SHINE * float(white.max())
    shine = bright and float(np.median(over_white[core])) < RED_AGAINST_GREY and share < ENOUGH
    if not red.any():
        return Eye(x=float(centre[0]), y=float(centre[1]), radius=radius, chance=0.0, shine=shine)
    slope = 2.94 / (SURELY - ENOUGH)  # log odds of 0.95
    weaker = (over_white > GROWN * STANDS_OUT) & (light[..., 0] > GROWN * BRIGHT) & (away <= REACH)
    _, parts = cv2.connectedComponents(weaker.astype(np.uint8))
    red = np.isin(parts, np.unique(parts[red])) & weaker
    middle = float(x[red].mean()), float(y[red].mean())
    spread = np.hypot(x[red] - middle[0], y[red] - middle[1])
    return Eye(
        x=middle[0],
        y=middle[1],
        radius=max(float(np.sqrt(red.sum() / np.pi)), float(np.quantile(spread, BULK)) + 0.5),
        chance=float(1 / (1 + np.exp(-slope * (share - ENOUGH)))),
        shine=shine,
    )


def redness(light: Pixels) -> Vector:
    """Stops by which red stands out from the larger of green and blue, linear light of sRGB's primaries."""
    others = np.maximum(light[..., 1], light[..., 2])
    return np.asarray(np.log2((light[..., 0] + FAINT) / (others + FAINT)), np.float64)


EMITS = ("red_eye", "red_eye.eyes")

probe = Probe(
    name="red_eye",
    version=1,
    emits=EMITS,
    needs=("faces",),
    weights=(DETECTOR, LANDMARKER),
    measure=measure,
    about="Whether a flash came back red from open eyes, and where their pupils are.",
)
