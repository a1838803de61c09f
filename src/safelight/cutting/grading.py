"""Frames of a clip with a grade, in the display values that it was fitted in; pixels, tags and range stay as they were."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from safelight.cutting.assembly import Material
from safelight.errors import UsageError
from safelight.media import video
from safelight.media.container import PictureStream
from safelight.media.effects import CDL

MATRICES = {"bt709": "ITU709", "bt2020": "bt2020"}
TAGS = ("color_primaries", "color_trc", "colorspace", "color_range")
WHITE = 65535


def grade_of(material: Material) -> CDL | None:
    """The grade of a clip. Raises UsageError for one with HDR, whose values no such grade is fitted in."""
    found = next((e.settings for e in material.effects if isinstance(e.settings, CDL)), None)
    picture = material.facts.picture
    if found is not None and picture is not None and picture.hdr:
        raise UsageError(
            f"{material.path.name} is {picture.hdr}: a grade in display values cannot be applied to it.",
            remedy="Take the grade back, or grade it in a program that does.",
        )
    return found if picture is not None else None


def graded(frame: Any, grade: CDL, picture: PictureStream) -> Any:
    """A frame with a grade."""
    space = MATRICES.get(video.matrix(picture), "ITU601")
    full = picture.levels == "full" or frame.format.name.startswith("yuvj")
    levels = "JPEG" if full else "MPEG"
    words = frame.reformat(
        format="rgb48le", src_colorspace=space, src_color_range=levels, dst_color_range="JPEG"
    ).to_ndarray()
    made = av.VideoFrame.from_ndarray(_words(words, grade), format="rgb48le").reformat(
        format=frame.format.name, src_color_range="JPEG", dst_colorspace=space, dst_color_range=levels
    )
    for name in TAGS:
        setattr(made, name, getattr(frame, name))
    return made


def _words(rgb: NDArray[np.uint16], grade: CDL) -> NDArray[np.uint16]:
    """Words after a grade, a strip at a time so that memory stays small."""
    out = np.empty_like(rgb)
    for row in range(0, len(rgb), 64):
        part = rgb[row : row + 64].astype(np.float64) / WHITE
        out[row : row + 64] = np.round(grade(part) * WHITE).astype(np.uint16)
    return out
