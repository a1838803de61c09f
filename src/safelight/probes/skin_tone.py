"""Skin tone: a wide bucket of how the skin in a picture is rendered. A key of the record and nothing else.

Tools fail more often on skin that they saw less of, so a task's licence on one kind of skin must not rest on another.
The bucket is the individual typology angle, atan((L* - 50) / b*), of both cheeks (Chardon and others 1991), after the
judged cast was taken out. In a photograph that angle is skin, light and edit at once: one stop moves it by one bucket.
So there are three wide buckets and much that cannot be told: light that is coloured, off or judged by nobody, faces
that are small or turned away, cheeks that are no skin, and angles near an edge. Whose bucket cannot be told needs the
licences of all. It says nothing about a person: the same face is in another bucket in another light.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.colour import decode, lab_of_linear
from safelight.media.picture import Picture
from safelight.probes import Probe
from safelight.probes.faces import MATTERS

LIGHT, MEDIUM, DARK, MIXED = "light", "medium", "dark", "mixed"
EDGES = (-30.0, 28.0)  # degrees: below is dark (ITA's "dark"), above is light (from "intermediate" on)
NEAR = 10.0  # degrees from an edge within which nothing is said: a fourth of a stop
FEWEST_PX = 24  # px between the eyes
TURNED = 40.0  # degrees of yaw; beyond, one cheek is all that is seen
MOST = 8  # faces, largest first
CAST, SURE = 0.5, 0.5  # a cast is likely from the first on, and its gains are used from the second on
MEANT = 0.9  # of `colour.mood`, which is at a half where nothing speaks for it: the light is coloured on purpose
OFF = 0.5  # chance of a wrong exposure from which on nothing is said
LEAST_CHROMA, HUES = 8.0, (15.0, 85.0)  # CIE chroma and hue angle in degrees within which all skin lies
CLIPPED = (3, 250)  # levels that count as clipped
HALF = 0.17  # of the distance between the eyes: half a patch's side

Numbers = NDArray[np.float64]


def measure(picture: Picture) -> Sequence[Measure]:
    """`skin_tone` of a picture: light, medium, dark, mixed, or why it cannot be told."""
    reason, tones = _of_faces(picture)
    if reason is None and tones:
        return (Measure(name=EVIDENCE, value=tones.pop() if len(tones) == 1 else MIXED),)
    return (Measure(name=EVIDENCE, cannot_tell=reason or "no face was found"),)


def bucket(angle: float) -> str:
    """The bucket of an individual typology angle in degrees."""
    return DARK if angle < EDGES[0] else LIGHT if angle > EDGES[1] else MEDIUM


def _of_faces(picture: Picture) -> tuple[str | None, set[str]]:
    """Why nothing can be said of a picture, or the buckets of the faces that matter in it."""
    faces = picture.facts.get("faces")
    if faces is None or not isinstance(faces.value, list):
        return (faces.cannot_tell if faces else None) or "no faces were looked for", set()
    reason, gains = _light(picture)
    if reason is not None:
        return reason, set()
    tones = set()
    for face in _people(faces.value):
        told = _tone(picture, face, gains)
        if told not in (LIGHT, MEDIUM, DARK):
            return told, set()
        tones.add(told)
    return None, tones


def _people(faces: Sequence[Any]) -> list[Any]:
    """Faces that the picture is about, as the probe of faces has it."""
    sizes = [max(f["box"][2] - f["box"][0], f["box"][3] - f["box"][1]) for f in faces]
    return [f for f, size in zip(faces, sizes, strict=True) if size >= MATTERS * max(sizes)][:MOST]


def _light(picture: Picture) -> tuple[str | None, Numbers]:
    """Why the light of a picture hides the skin's tone, or the gains that take its cast out."""
    plain = np.ones(3)
    cast, mood, sure, gains = (picture.value(f"colour.{n}") for n in ("cast", "mood", "confidence", "gains"))
    off = [picture.value(f"exposure.{side}") for side in ("over", "under")]
    if not isinstance(cast, float) or not all(isinstance(each, float) for each in off):
        return "nobody could judge the light", plain
    if isinstance(mood, float) and mood >= MEANT:
        return "the light is coloured, and may be meant so", plain
    if max(each for each in off if isinstance(each, float)) >= OFF:
        return "the exposure is off", plain
    if cast < CAST:
        return None, plain
    if not isinstance(sure, float) or sure < SURE or not isinstance(gains, list):
        return "the light is coloured, and nobody knows by how much", plain
    return None, np.asarray(gains, np.float64)


def _tone(picture: Picture, face: Mapping[str, Any], gains: Numbers) -> str:
    """The bucket of one face, or why it cannot be told."""
    points = np.asarray(face["landmarks"], np.float64)
    apart = float(np.linalg.norm(points[1] - points[0]))
    yaw = face.get("yaw")
    if apart < FEWEST_PX:
        return f"the eyes are {apart:.0f} px apart; {FEWEST_PX} px are needed"
    if yaw is None or abs(yaw) > TURNED:
        return "a face is turned away or partly hidden"
    cheeks = []
    for eye, mouth in ((0, 3), (1, 4)):
        cheek = _skin(picture, (points[eye] + points[mouth]) / 2, HALF * apart, gains)
        if cheek is None:
            return "what is seen of a cheek is not skin, or clipped"
        cheeks.append(cheek)
    angle = angle_of(np.mean(cheeks, axis=0))
    if min(abs(angle - edge) for edge in EDGES) < NEAR:
        return "it lies between two buckets"
    return bucket(angle)


def angle_of(lab: Numbers) -> float:
    """The individual typology angle of a colour in CIE L*a*b*, degrees."""
    return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


def _skin(picture: Picture, centre: Numbers, half: float, gains: Numbers) -> Numbers | None:
    """Median L*a*b* of a patch; None where it is no skin or clipped."""
    x0, y0 = np.maximum(np.floor(centre - half), 0).astype(int)
    x1, y1 = np.ceil(centre + half).astype(int)
    patch = picture.rgb[y0:y1, x0:x1].reshape(-1, 3)
    whole = np.asarray(((patch >= CLIPPED[0]) & (patch <= CLIPPED[1])).all(axis=1), np.bool_)
    if not len(whole) or whole.mean() < 0.5:
        return None
    found = np.median(lab_of_linear(decode(patch[whole] / 255) * gains), axis=0)
    hue, chroma = np.degrees(np.arctan2(found[2], found[1])), np.hypot(found[1], found[2])
    return np.asarray(found) if chroma >= LEAST_CHROMA and HUES[0] <= hue <= HUES[1] else None


EVIDENCE = "skin_tone"

probe = Probe(
    name="skin_tone",
    version=1,
    emits=(EVIDENCE,),
    needs=(
        "faces", "colour.cast", "colour.mood", "colour.confidence", "colour.gains", "exposure.over", "exposure.under",
    ),
    personal=True,
    splits=True,
    measure=measure,
    about="A wide bucket of how skin is rendered, by which records of work on it are kept apart.",
)  # fmt: skip
