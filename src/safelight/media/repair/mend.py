"""Hum and clicks taken out of samples, nowhere else than where they were found."""

import numpy as np
import scipy  # its `signal` comes when it is asked for: it takes a second
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz

Floats = NDArray[np.float32]

HARMONICS = 12
WIDE_HZ = 1.4  # of a notch
ORDER = 32  # of the autoregression that fills clicks
AROUND = 1024  # samples from which it is learned
LONGEST = 96  # samples that are filled at once


def without_hum(samples: Floats, rate: int, *, mains_hz: float) -> Floats:
    """Mono samples without a mains frequency and its harmonics, by narrow notches both ways in time: no delay."""
    out = samples.astype(np.float64)
    for n in range(1, HARMONICS + 1):
        if mains_hz * n >= rate / 2 - 10:
            break
        b, a = scipy.signal.iirnotch(mains_hz * n, mains_hz * n / WIDE_HZ, fs=rate)
        out = scipy.signal.filtfilt(b, a, out, padlen=min(len(out) - 1, 3 * rate // 2))
    return np.asarray(out, np.float32)


def without_clicks(samples: Floats, spans: list[tuple[int, int]]) -> Floats:
    """Mono samples with these spans filled by what an autoregression of their surroundings leads to from both sides
    (Janssen et al., 1986): the least squares of its residual."""
    out = samples.astype(np.float64)
    for first, end in spans:
        first, end = max(first - 3, ORDER), min(end + 3, len(out) - ORDER)  # noqa: PLW2901 - a little wider than found
        if not 0 < end - first <= LONGEST:
            continue
        left, right = out[max(first - AROUND, 0) : first], out[end : end + AROUND]
        part = np.concatenate([left, right])
        size = len(part)
        lags = np.array([part[: size - k] @ part[k:] for k in range(ORDER + 1)]) / size
        if lags[0] <= 1e-12:
            continue
        lags[0] *= 1 + 1e-6
        taps = np.concatenate([[1.0], -solve_toeplitz(lags[:-1], lags[1:])])
        count = end - first
        window = out[first - ORDER : end + ORDER].copy()
        window[ORDER : ORDER + count] = 0
        rows = count + ORDER
        matrix = np.zeros((rows, len(window)))
        for row in range(rows):
            matrix[row, row : row + ORDER + 1] = taps[::-1]
        unknown = matrix[:, ORDER : ORDER + count]
        filled, *_ = np.linalg.lstsq(unknown, -matrix @ window, rcond=None)
        out[first:end] = filled
    return np.asarray(out, np.float32)
