"""Frames of a clip with a grade, in the display values it was fitted in. Size, pixels, tags and range stay."""

from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.cutting.assembly import Material
from safelight.errors import UsageError
from safelight.media import video
from safelight.media.container import PictureStream
from safelight.media.effects import CDL

KINDS = {"bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593), "bt601": (0.299, 0.114)}  # of red and blue in luma
TAGS = ("color_primaries", "color_trc", "colorspace", "color_range")
STRIP = 64  # rows


def grade_of(material: Material) -> CDL | None:
    """The grade of a clip. Raises UsageError for one with HDR, whose values no such grade is fitted in."""
    found = material.asked(CDL)
    picture = material.facts.picture
    if found is not None and picture is not None and picture.hdr:
        raise UsageError(
            f"{material.path.name} is {picture.hdr}: a grade in display values cannot be applied to it.",
            remedy="Take the grade back, or grade it in a program that does.",
        )
    return found if picture is not None else None


def graded(frame: Any, grade: CDL, picture: PictureStream) -> Any:
    """A frame with a grade: only what the grade changes is added, so that one that changes nothing leaves every sample
    as it was."""
    if not frame.format.name.startswith("yuv"):
        frame = frame.reformat(format="yuv444p")
    made = av.VideoFrame(frame.width, frame.height, frame.format.name)
    depth = 1 << (frame.format.components[0].bits - 8)
    matrix, foot = _matrix(picture, full=picture.levels == "full" or frame.format.name.startswith("yuvj"))
    luma, *chroma = (plane.astype(np.float32) / depth for plane in _planes(frame)[:3])
    new = _planes(made)
    wide, high = luma.shape[1], luma.shape[0]
    full = [cv2.resize(c, (wide, high), interpolation=cv2.INTER_LINEAR) - 128 for c in chroma]
    changed = _changed(np.stack([luma - foot, *full], -1), grade, matrix)
    most = 256 * depth - 1
    for target, was, change in zip(new, (luma, *chroma), np.moveaxis(changed, -1, 0), strict=False):
        small = change if change.shape == was.shape else cv2.resize(
            change, (was.shape[1], was.shape[0]), interpolation=cv2.INTER_AREA
        )  # fmt: skip
        target[:] = np.clip(np.round((was + small) * depth), 0, most).astype(target.dtype)
    for extra, was in zip(new[3:], _planes(frame)[3:], strict=False):
        extra[:] = was
    for name in TAGS:
        setattr(made, name, getattr(frame, name))
    return made


def _planes(frame: Any) -> list[NDArray[Any]]:
    """The planes of a frame, which may be written to."""
    kind = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    return [np.frombuffer(p, np.uint8).view(kind).reshape(p.height, -1)[:, : p.width] for p in frame.planes]


def _matrix(picture: PictureStream, *, full: bool) -> tuple[NDArray[np.float32], float]:
    """3×3: R'G'B' from Y'CbCr of 8 bits about their zeros, and the zero of luma; ITU-R BT.601, 709 or 2020."""
    red, blue = KINDS.get(video.matrix(picture), KINDS["bt601"])
    green = 1 - red - blue
    luma, chroma = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    rows = [
        [luma, 0, chroma * 2 * (1 - red)],
        [luma, -chroma * 2 * (1 - blue) * blue / green, -chroma * 2 * (1 - red) * red / green],
        [luma, chroma * 2 * (1 - blue), 0],
    ]
    return np.asarray(np.array(rows) / 255, np.float32), 0.0 if full else 16.0


def _changed(coded: NDArray[np.float32], grade: CDL, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much luma and chroma change, a strip at a time so that memory stays small."""
    back = np.linalg.inv(matrix).T
    out = np.empty_like(coded)
    for row in range(0, len(coded), STRIP):
        rgb = np.clip(coded[row : row + STRIP] @ matrix.T, 0, 1)
        out[row : row + STRIP] = (grade(rgb) - rgb) @ back
    return out
