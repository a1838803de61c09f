"""Faces: where they are, whether eyes are closed, who smiles, who was caught mid-word, who is cut by the edge.

Needs the weights `yunet` and `face_landmarker`; without them every answer is "cannot tell". Nothing is said about eyes
that cannot be seen well enough (`_eyes`): turned away by more than 30°, narrower than 20 px in the native picture,
blurred, behind dark glasses, or where two measures do not agree. The constants in `faces.json` were fitted on talking
heads of six people, three of whom blink (`bench/fit/faces.py`). Nothing here has been measured by skin tone or age.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from safelight.domain import Box, Json, Measure, Where
from safelight.media.picture import Picture, grey
from safelight.probes import Probe
from safelight.probes._detail import sharpness_of
from safelight.probes._eyes import LEFT, RIGHT, Eyes, hidden, judge, lids_of, unreadable
from safelight.probes._mesh import DETECTOR, LANDMARKER, SMILE, SURE, Found, Mesh, find, mesh_of, networks

MATTERS = 0.5  # of the largest face's side: smaller faces are passers-by as far as the picture's own measures go
MOST = 24  # faces, largest first, whose mesh is laid: a crowd is not asked one by one
AT_EDGE = 0.08  # of a face's side: a box nearer to the frame than this touches it, as faces moved over the edge show
MOUTH_SHUT, MOUTH_OPEN = 0.08, 0.30  # inner lips apart, by the mouth's width
PATCH = 256  # px: more of a face's own pixels say nothing new about its sharpness

Model = Mapping[str, Mapping[str, float]]
MODEL: Model = json.loads((resources.files(__package__) / "faces.json").read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Everything that is said about one face; None or a state of `cannot_tell` where nothing is."""

    found: Found
    box: Box
    eyes: Eyes
    sharpness: float | None
    smile: float | None = None
    mouth_open: float | None = None
    yaw: float | None = None

    @property
    def speaking(self) -> float | None:
        """How far the mouth is open and not smiling, 0..1."""
        if self.mouth_open is None or self.smile is None:
            return None
        return float(np.clip((self.mouth_open - MOUTH_SHUT) / (MOUTH_OPEN - MOUTH_SHUT), 0, 1)) * (1 - self.smile)


def measure(picture: Picture, *, model: Model = MODEL) -> Sequence[Measure]:
    """`faces`, `eyes.closed`, `smile`, `mouth.speaking` and `subject.cut` of a picture."""
    missing = [name for name in (DETECTOR, LANDMARKER) if name not in picture.weights]
    if missing:
        help_ = ", ".join(f"`safelight models fetch {name}`" for name in missing)
        return [Measure(name=name, cannot_tell=f"no weights for faces are installed; {help_}") for name in EMITS]
    faces = look(picture, model=model)
    listed = Measure(name="faces", value=[as_json(face) for face in faces])
    if not faces:
        return [listed, *(Measure(name=name, cannot_tell="no face was found") for name in EMITS[1:])]
    people = [face for face in faces if face.found.size >= MATTERS * faces[0].found.size]
    return [listed, _closed(people), _smile(people), _speaking(people), _cut(people, picture)]


def look(picture: Picture, *, model: Model = MODEL) -> list[Face]:
    """The faces of a picture whose weights are installed, largest first."""
    nets = networks(picture.weights)
    if nets is None:
        return []
    found = [face for face in find(picture, nets) if _overlaps(face, picture)]
    return [
        _read(picture, face, mesh_of(picture, face, nets), model) if i < MOST else _unread(picture, face)
        for i, face in enumerate(found)
    ]


def _overlaps(face: Found, picture: Picture) -> bool:
    """Whether a find lies in the picture at all; on very narrow pictures the detector sees some beside it."""
    x0, y0, x1, y1 = face.box
    return x0 < picture.width and y0 < picture.height and x1 > 0 and y1 > 0


def as_json(face: Face) -> Json:
    """One entry of `faces`."""
    return {
        "box": list(face.box),
        "score": round(face.found.score, 3),
        "eyes": face.eyes.state,
        "eyes_reason": face.eyes.reason,
        "closed": _rounded(face.eyes.closed),
        "sharpness": _rounded(face.sharpness),
        "smile": _rounded(face.smile),
        "mouth_open": _rounded(face.mouth_open),
        "yaw": None if face.yaw is None else round(face.yaw, 1),
        "landmarks": [[round(float(v), 1) for v in point] for point in face.found.points],
    }


def _read(picture: Picture, found: Found, mesh: Mesh, model: Model) -> Face:
    box = _inside(found.box, picture)
    yaw = mesh.yaw if mesh.presence >= SURE else None
    reason = unreadable(picture, found, mesh)
    if reason is not None:
        sharpness = _face_sharpness(picture, box)
        return Face(found=found, box=box, eyes=Eyes(state="cannot_tell", reason=reason), sharpness=sharpness, yaw=yaw)
    unseen = hidden(mesh)
    sharpness = _eye_sharpness(picture, mesh)
    lips = mesh.inner[:, :2]
    return Face(
        found=found,
        box=box,
        eyes=Eyes(state="cannot_tell", reason=unseen) if unseen else judge(lids_of(mesh), model),
        sharpness=_face_sharpness(picture, box) if sharpness is None else sharpness,
        smile=float(np.clip(mesh.moves[list(SMILE)].mean(), 0, 1)),
        mouth_open=float(np.linalg.norm(lips[13] - lips[14]) / np.linalg.norm(lips[78] - lips[308])),
        yaw=yaw,
    )


def _unread(picture: Picture, found: Found) -> Face:
    reason = f"only the {MOST} largest faces are looked at closely"
    return Face(
        found=found, box=_inside(found.box, picture), eyes=Eyes(state="cannot_tell", reason=reason), sharpness=None
    )


# ---------------------------------------------------------------- of the whole picture


def _closed(people: Sequence[Face]) -> Measure:
    told = [face for face in people if face.eyes.closed is not None]
    if not told:
        return Measure(name="eyes.closed", cannot_tell=people[0].eyes.reason)
    worst = max(told, key=lambda face: face.eyes.closed or 0.0)
    return Measure(name="eyes.closed", value=_rounded(worst.eyes.closed), where=Where(box=worst.box))


def _smile(people: Sequence[Face]) -> Measure:
    told = [face.smile for face in people if face.smile is not None]
    if not told:
        return Measure(name="smile", cannot_tell=people[0].eyes.reason)
    return Measure(name="smile", value=_rounded(float(np.mean(told))))


def _speaking(people: Sequence[Face]) -> Measure:
    told = [(face.speaking, face) for face in people if face.speaking is not None]
    if not told:
        return Measure(name="mouth.speaking", cannot_tell=people[0].eyes.reason)
    most, face = max(told, key=lambda pair: pair[0])
    return Measure(name="mouth.speaking", value=_rounded(most), where=Where(box=face.box))


def _cut(people: Sequence[Face], picture: Picture) -> Measure:
    cuts = [cut(face.found, picture) for face in people]
    worst = int(np.argmax(cuts))
    return Measure(name="subject.cut", value=_rounded(cuts[worst]), where=Where(box=people[worst].box))


def cut(found: Found, picture: Picture) -> float:
    """0 where a face's box keeps clear of the frame, 1 where it reaches it."""
    x0, y0, x1, y1 = found.box
    gap = min(x0, y0, picture.width - x1, picture.height - y1) / found.size
    return float(np.clip(1 - gap / AT_EDGE, 0, 1))


# ---------------------------------------------------------------- sharpness, on native pixels


def _eye_sharpness(picture: Picture, mesh: Mesh) -> float | None:
    """That of the sharper eye."""
    found = []
    for outer, inner, *_ in (RIGHT, LEFT):
        centre = mesh.points[[outer, inner]].mean(axis=0)
        half = np.array([0.8, 0.6]) * np.linalg.norm(mesh.points[outer] - mesh.points[inner])
        found.append(_sharpness(picture, centre, half))
    return max((value for value in found if value is not None), default=None)


def _face_sharpness(picture: Picture, box: Box) -> float | None:
    x0, y0, x1, y1 = box
    return _sharpness(picture, np.array([x0 + x1, y0 + y1]) / 2, np.array([x1 - x0, y1 - y0]) / 2)


def _sharpness(picture: Picture, centre: np.ndarray, half: np.ndarray) -> float | None:
    """That of a patch; None where it lies outside the picture, as places read off a misplaced mesh may."""
    half = np.minimum(half, PATCH / 2)
    x0, y0 = np.maximum(centre - half, 0).astype(int)
    x1, y1 = np.maximum(np.ceil(centre + half), 0).astype(int)
    patch = picture.rgb[y0:y1, x0:x1]
    if not patch.size:
        return None
    return sharpness_of(grey(np.ascontiguousarray(patch)).astype(np.float32) / np.float32(255))


def _inside(box: tuple[float, float, float, float], picture: Picture) -> Box:
    x0, y0 = (max(0, int(np.floor(v))) for v in box[:2])
    x1, y1 = min(picture.width, int(np.ceil(box[2]))), min(picture.height, int(np.ceil(box[3])))
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


EMITS = ("faces", "eyes.closed", "smile", "mouth.speaking", "subject.cut")

probe = Probe(
    name="faces",
    version=1,
    emits=EMITS,
    weights=(DETECTOR, LANDMARKER),
    measure=measure,
    about="Faces with their eyes, smile, mouth and sharpness, and whether the frame cuts one.",
)
