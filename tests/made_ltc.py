"""Linear timecode as a generator plays it."""

from fractions import Fraction

import numpy as np

from safelight.media import timecode

SYNC = "0011111111111101"


def word(label, *, drop=False):
    """80 bits of a label, lowest bit first."""
    h, m, s, f = (int(part) for part in label.replace(";", ":").split(":"))
    bits = ["0"] * 64
    for first, value, count in (
        (0, f % 10, 4), (8, f // 10, 2), (16, s % 10, 4), (24, s // 10, 3), (32, m % 10, 4), (40, m // 10, 3),
        (48, h % 10, 4), (56, h // 10, 2),
    ):  # fmt: skip
        for k in range(count):
            bits[first + k] = "1" if value >> k & 1 else "0"
    bits[10] = "1" if drop else "0"
    bits[4] = "1"  # a user bit, so that words are not all alike
    return "".join(bits) + SYNC


def played(first, seconds, *, fps=Fraction(25), drop=False, rate=48000, speed=1.0, level=0.3, into=0.0, rise=4):
    """Samples of `seconds` from `into` of the frame `first` on, played at `speed`; edges take `rise` samples."""
    fps = Fraction(fps)
    count = int(seconds * float(fps) * speed) + 3
    bits = "".join(
        word(timecode.label_of(first + k, fps, drop=drop), drop=drop) for k in range(count)
    )  # fmt: skip
    halves = np.repeat(1, 2 * len(bits))
    state = 1
    for i, bit in enumerate(bits):
        state = -state
        halves[2 * i] = state
        if bit == "1":
            state = -state
        halves[2 * i + 1] = state
    times = np.arange(round(seconds * rate)) / rate * speed + into / float(fps)
    wave = halves[(times * float(fps) * 160).astype(int)].astype(float)
    kernel = np.hanning(rise + 2)
    return (level * np.convolve(wave, kernel / kernel.sum(), "same")).astype(np.float32)
