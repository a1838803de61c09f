"""HDR frames made visible: PQ (SMPTE ST 2084) and HLG (ITU-R BT.2100) to sRGB bytes, for looking only."""

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import REC2020, SRGB_FROM_REC2020, encode
from safelight.media.decoded import HLG, PQ, high_range
from safelight.media.frame import Bytes

CODES = {"pq": PQ, "hlg": HLG}
PEAK = 1000 / 203  # of diffuse white: the brightest light that keeps a step to the next
LIFT = 1.6  # brings diffuse white to about 0.8


def for_looking(words: NDArray[np.uint16], transfer: str) -> Bytes:
    """Bytes, sRGB, of a frame of BT.2020 code values (H×W×3, 16 bits) under "pq" or "hlg". Highlights up to 1000 cd/m²
    roll off (Reinhard's curve with a white point, 2002); brighter ones are white."""
    light = high_range(words, CODES[transfer], REC2020)
    light = np.maximum(cv2.transform(light, SRGB_FROM_REC2020), 0)
    mapped = LIFT * light * (1 + light / PEAK**2) / (1 + light)
    return (encode(np.clip(mapped, 0, 1)) * 255 + 0.5).astype(np.uint8)
