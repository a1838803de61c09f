"""Picture files to upright sRGB bytes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from safelight.media.frame import Bytes


def read(path: Path) -> Bytes:
    """An upright picture as sRGB bytes, H x W x 3."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
