"""Short-time objective intelligibility (Taal, Hendriks, Heusdens & Jensen 2011): how much of the words is left, 0..1."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

Floats = NDArray[np.float64]

RATE, SIZE, HOP, FFT = 10000, 256, 128, 512
BANDS, LOWEST = 15, 150.0  # third octaves from this centre, Hz
SEGMENT = 30  # frames, 384 ms
QUIET_DB, CLIP_DB = 40.0, -15.0


def stoi(clean: Floats, heard: Floats, *, rate: int) -> float:
    """How intelligible `heard` is against `clean`: mono, the same samples, longer than a second of speech."""
    x, y = (resample_poly(part, RATE, rate) for part in (clean, heard))
    frames_x, frames_y = (_frames(part) for part in (x, y))
    level = 20 * np.log10(np.linalg.norm(frames_x, axis=1) + 1e-12)
    loud = level > level.max() - QUIET_DB
    one, two = (_bands(frames[loud]) for frames in (frames_x, frames_y))
    found = []
    for end in range(SEGMENT, one.shape[1] + 1):
        a, b = one[:, end - SEGMENT : end], two[:, end - SEGMENT : end]
        b = b * (np.linalg.norm(a, axis=1) / (np.linalg.norm(b, axis=1) + 1e-12))[:, None]
        b = np.minimum(b, a * (1 + 10 ** (-CLIP_DB / 20)))
        a, b = (part - part.mean(1, keepdims=True) for part in (a, b))
        norm = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-12
        found.append(float(((a * b).sum(1) / norm).mean()))
    return float(np.mean(found))


def _frames(samples: Floats) -> Floats:
    window = np.hanning(SIZE + 2)[1:-1]
    return np.asarray(np.lib.stride_tricks.sliding_window_view(samples, SIZE)[::HOP] * window)


def _bands(frames: Floats) -> Floats:
    power = np.abs(np.fft.rfft(frames, FFT, axis=1)) ** 2
    hertz = np.fft.rfftfreq(FFT, 1 / RATE)
    centres = LOWEST * 2 ** (np.arange(BANDS) / 3)
    inside = (hertz >= centres[:, None] * 2 ** (-1 / 6)) & (hertz < centres[:, None] * 2 ** (1 / 6))
    return np.asarray(np.sqrt(inside.astype(float) @ power.T))
