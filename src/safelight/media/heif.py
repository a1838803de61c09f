"""HEIC and AVIF: HEVC through libheif (pi-heif), AV1 through libvips; turned, cut and mirrored as the container says.

EXIF Orientation repeats what the container says (ISO/IEC 23008-12, 6.5.10) and is not applied again.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pi_heif
from numpy.typing import NDArray

from safelight import limits
from safelight.errors import Unsupported
from safelight.media import boxes, ifd, profiles
from safelight.media.colour import REC709, REC2020
from safelight.media.decoded import HLG, P3, PQ, Decoded, filled, from_planes, high_range, with_vips
from safelight.media.formats import damaged, truncated

_PRIMARIES = {1: REC709, 9: REC2020, 12: P3}  # ITU-T H.273, table 2


def decode(data: bytes, path: Path) -> Decoded:
    """The primary picture. Raises Truncated, Unreadable, TooLarge, Unsupported and pyvips.Error."""
    said = boxes.still(ifd.from_bytes(data))
    if said is None:
        raise truncated(path, have=len(data))
    if said.need > len(data):
        raise truncated(path, have=len(data), need=said.need)
    limits.check_size(path.name, said.width, said.height)
    icc = said.icc
    if icc is None and said.nclx is not None and said.nclx[0] in _PRIMARIES and said.nclx[0] != 1:
        icc = profiles.of_primaries(f"Primaries {said.nclx[0]}", _PRIMARIES[said.nclx[0]])
    if said.codec == "hvc1":
        planes = _hevc(data, path)
        found = from_planes(planes, icc, model="grey" if planes.shape[2] < 3 else "rgb")
    elif said.codec == "av01":
        found = with_vips(data, path, icc=icc)
    else:
        raise Unsupported(
            f"{path.name} holds a picture coded as {said.codec!r}, which is not opened here.",
            remedy="Export it as JPEG or TIFF and run again.",
        )
    transfer = said.nclx[1] if said.nclx is not None and said.icc is None else 0
    if transfer in (PQ, HLG) and found.rgb.dtype == np.uint16:
        primaries = _PRIMARIES.get(said.nclx[0] if said.nclx else 9, REC2020)
        return Decoded(rgb=high_range(found.rgb, transfer, primaries), alpha=found.alpha)
    return found


def _hevc(data: bytes, path: Path) -> NDArray[Any]:
    try:
        heif = pi_heif.open_heif(data, convert_hdr_to_8bit=False, hdr_to_16bit=False)
        planes = np.array(heif)  # a copy: the library takes its memory back
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError) as error:
        raise damaged(path, str(error)) from error
    planes = planes[..., None] if planes.ndim == 2 else planes
    return filled(planes, int(heif.info.get("bit_depth", 8))) if planes.dtype == np.uint16 else planes
