"""A file as it was written: what its bytes say and what they decode to, never what was meant."""

import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from safelight.channels.ground import Ground, ground_of
from safelight.errors import MediaError
from safelight.media import capture, image, profiles, xmp
from safelight.media.formats import HEAD, sniff
from safelight.media.frame import Bytes

MODELS = {"L": "grey", "LA": "grey", "I;16": "grey", "CMYK": "CMYK", "P": "indexed", "1": "bitmap", "LAB": "Lab"}


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """One written file.

    `rgb` is the upright picture as sRGB bytes, H x W x 3, transparent parts over white. `profile` is the name of the
    embedded profile, "" where there is none, None where that cannot be told. `model` is rgb, grey, CMYK and so on.
    """

    path: Path
    size: int
    format: str
    rgb: Bytes
    profile: str | None
    model: str | None
    transparent: NDArray[np.bool_] | None  # where the file lets through what lies below; None without alpha
    orientation: int
    says: dict[str, str]  # XMP properties that rules ask for

    @property
    def height(self) -> int:
        """Rows of the upright picture."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns of the upright picture."""
        return int(self.rgb.shape[1])

    @cached_property
    def ground(self) -> Ground:
        """The plain ground around the subject, if there is one."""
        return ground_of(self.rgb)


def read(path: Path) -> Encoded:
    """Decodes a written file. Raises the errors of `media.image.read`."""
    rgb = image.read(path)
    data = path.read_bytes()
    format_ = sniff(data[:HEAD], path.suffix) or "unknown"
    header = capture.facts(path)
    profile, model, through = _header(data)
    if through is not None:
        through = np.asarray(image.upright(through.astype(np.uint8), header.orientation) > 0)
    return Encoded(
        path=path, size=len(data), format=format_, rgb=rgb, profile=profile, model=model, transparent=through,
        orientation=header.orientation, says=_says(path),
    )  # fmt: skip


def _header(data: bytes) -> tuple[str | None, str | None, NDArray[np.bool_] | None]:
    """Profile, colour model and transparency; None for each where this reader does not know the format."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            mode, icc = opened.mode, opened.info.get("icc_profile")
            through = None
            if "A" in opened.getbands() or "transparency" in opened.info:
                through = np.asarray(opened.convert("RGBA").getchannel("A")) < 255
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None, None, None
    return _profile(icc), MODELS.get(mode, "rgb"), through


def _profile(icc: bytes | None) -> str:
    if not icc:
        return ""
    if profiles.is_srgb(icc):
        return "sRGB"
    try:
        return (ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))) or "").strip() or "unnamed"
    except ImageCms.PyCMSError:
        return "unreadable"


def _says(path: Path) -> dict[str, str]:
    try:
        value = xmp.Packet.parse(xmp.embedded(path)).get(xmp.SOURCE_TYPE)
    except MediaError:
        value = None
    return {xmp.SOURCE_TYPE: str(value)} if value else {}
