"""Faces and their meshes: a detector (YuNet) and a landmark network (MediaPipe's), both run by OpenCV's DNN module.

Boxes and points are in pixels of the native picture unless they say otherwise. Nothing here decides anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes
from safelight.media.picture import Picture, shrink

DETECTOR = "yunet"
LANDMARKER = "face_landmarker"

DETECT_SIDES = (
    320,
    960,
)  # px, long sides: the detector knows faces of about 10 to 300 px, so large ones need the small
LEAST_SCORE = 0.8  # below it there were boxes without faces
NARROWEST = 32  # px, the detector's coarsest step; narrower pictures get answers from memory beside them
LEAST_SIDE = 8  # px, of a box as the detector saw it
SAME_FACE = 0.3  # overlap (intersection over union) of two boxes of one face
SIDE = 256  # px, of the square that the landmark network sees
MARGIN = 1.5  # side of that square over the longer side of the face
SURE = 0.95  # presence below which a second, better aligned look is taken, and then nothing is read

# What the second network reads of the mesh, in its order (MediaPipe, face_blendshapes).
BLENDSHAPE_POINTS = np.array(
    [
        0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
        81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
        154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249,
        251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314,
        317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382,
        384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473,
        474, 475, 476, 477,
    ]
)  # fmt: skip
BLINK = (9, 10)  # of the 52 movements: the subject's left eye, then the right
SMILE = (44, 45)

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A face as the detector sees it: x0, y0, x1, y1 and five points (eyes, nose, corners of the mouth), native px."""

    box: tuple[float, float, float, float]
    points: Points  # 5 x 2; the eye on the picture's left first
    score: float

    @property
    def size(self) -> float:
        """The longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """A face's 478 points and what moves in it.

    `points` are 478 x 2 native px; `inner` the same 478 x 3 in px of `crop`, the upright RGB square that was looked at;
    `presence` 0..1 says whether there was a face in it; `moves` are 52 numbers 0..1.
    """

    points: Points
    inner: Points
    crop: Bytes
    presence: float
    moves: NDArray[np.float64]

    @property
    def yaw(self) -> float:
        """How far the head is turned aside, degrees, from the depths of the cheeks; 0 looks at the camera."""
        right, left = self.inner[234], self.inner[454]
        return float(np.degrees(np.arctan2(left[2] - right[2], left[0] - right[0])))


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The three networks of one process. They keep state while they run, so one thread uses them at a time."""

    detector: Any
    mesh: Any
    moves: Any
    lock: Lock = field(default_factory=Lock)


def networks(weights: Mapping[str, Mapping[str, Path]]) -> Networks | None:
    """The networks behind a picture's weights, loaded once in a process; None where a set is not installed."""
    if DETECTOR not in weights or LANDMARKER not in weights:
        return None
    return _load(
        str(weights[DETECTOR]["face_detection_yunet_2023mar.onnx"]),
        str(weights[LANDMARKER]["face_landmarks_detector.tflite"]),
        str(weights[LANDMARKER]["face_blendshapes.tflite"]),
    )


@cache
def _load(detector: str, mesh: str, moves: str) -> Networks:
    return Networks(
        detector=cv2.FaceDetectorYN.create(detector, "", (320, 320), LEAST_SCORE, SAME_FACE, 5000),
        mesh=cv2.dnn.readNetFromTFLite(mesh),
        moves=cv2.dnn.readNetFromTFLite(moves),
    )


def find(picture: Picture, nets: Networks) -> list[Found]:
    """The faces of a picture, largest first."""
    found: list[Found] = []
    for side in DETECT_SIDES:
        rgb = shrink(picture.work, side)
        found += _detected(rgb, nets, picture.width / rgb.shape[1])
        if max(rgb.shape) < side:
            break
    kept: list[Found] = []
    for face in sorted(found, key=lambda f: -f.score):
        if all(_overlap(face.box, other.box) < SAME_FACE for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda f: (-f.size, f.box))


def _detected(rgb: Bytes, nets: Networks, scale: float) -> list[Found]:
    if min(rgb.shape[:2]) < NARROWEST:
        return []
    with nets.lock:
        nets.detector.setInputSize((rgb.shape[1], rgb.shape[0]))
        _, rows = nets.detector.detect(np.ascontiguousarray(rgb[:, :, ::-1]))
    found = []
    for row in np.asarray([] if rows is None else rows, np.float64):
        x, y, width, height = row[:4] * scale
        if min(row[2:4]) < LEAST_SIDE:
            continue
        found.append(
            Found(box=(x, y, x + width, y + height), points=row[4:14].reshape(5, 2) * scale, score=float(row[14]))
        )
    return found


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, width) * max(0.0, height)
    return both / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - both)


def mesh_of(picture: Picture, face: Found, nets: Networks) -> Mesh:
    """The mesh of a face. Where the first look is unsure, a second one is aligned by the mesh that the first gave."""
    x0, y0, x1, y1 = face.box
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    first = _look(picture, nets, centre, MARGIN * face.size, face.points[1] - face.points[0])
    if first.presence >= SURE:
        return first
    across = first.points[263] - first.points[33]
    turn = np.arctan2(across[1], across[0])
    upright = first.points @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    low, high = upright.min(axis=0), upright.max(axis=0)
    middle = (low + high) / 2 @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    side = MARGIN * float((high - low).max())
    if side < LEAST_SIDE:
        return first
    second = _look(picture, nets, middle, side, across)
    return max(first, second, key=lambda m: m.presence)


def _look(picture: Picture, nets: Networks, centre: Points, side: float, across: Points) -> Mesh:
    """Runs both networks on the square of this centre and side whose upper edge runs along `across`."""
    crop, matrix = _square(picture, centre, side, float(np.arctan2(across[1], across[0])))
    with nets.lock:
        nets.mesh.setInput(cv2.dnn.blobFromImage(crop, 1 / 255))
        points, presence, _ = nets.mesh.forward(["Identity", "Identity_1", "Identity_2"])
        inner = np.asarray(points, np.float64).reshape(478, 3)
        native = _through(inner[:, :2], np.asarray(cv2.invertAffineTransform(matrix), np.float64))
        nets.moves.setInput(native[BLENDSHAPE_POINTS][None].astype(np.float32))
        moves = np.array(nets.moves.forward(), np.float64).ravel()
    return Mesh(
        points=native,
        inner=inner,
        crop=crop,
        presence=float(1 / (1 + np.exp(-float(np.ravel(presence)[0])))),
        moves=moves,
    )


def _square(picture: Picture, centre: Points, side: float, turn: float) -> tuple[Bytes, NDArray[np.float64]]:
    """A turned square of the picture as SIDE x SIDE pixels, and the 2 x 3 matrix from native px to it."""
    level = picture.work if side / picture.work_scale >= SIDE else picture.rgb
    scale = picture.width / level.shape[1]
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners = np.array([centre + axes @ np.array(v) * side / 2 for v in ((-1, -1), (1, -1), (-1, 1))])
    target = np.array([[0, 0], [SIDE, 0], [0, SIDE]], np.float32)
    reach = side * np.sqrt(0.5)
    low = np.clip(np.floor((centre - reach) / scale), 0, [level.shape[1] - 1, level.shape[0] - 1]).astype(int)
    high = np.maximum(np.ceil((centre + reach) / scale).astype(int), low + 1)
    patch = level[low[1] : high[1], low[0] : high[0]]
    small = shrink(patch, max(1, round(max(patch.shape) * min(1.0, 1.5 * SIDE * scale / side))))
    zoom = np.array([small.shape[1] / patch.shape[1], small.shape[0] / patch.shape[0]])
    local = (corners / scale - low) * zoom
    move = cv2.getAffineTransform(local.astype(np.float32), target)
    crop = cv2.warpAffine(np.ascontiguousarray(small), move, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, np.uint8), np.asarray(cv2.getAffineTransform(corners.astype(np.float32), target))


def _through(points: Points, matrix: NDArray[np.float64]) -> Points:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float64)
