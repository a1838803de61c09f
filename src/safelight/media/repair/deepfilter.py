"""Speech without the noise around it: DeepFilterNet3 (Schröter et al., 2023) through ONNX, at 48 kHz, without delay.

Its three graphs see whole sequences, so sound goes in as stretches that overlap: each begins with two seconds that the
one before has covered, in which the recurrent parts find their state. The statistics of the features run on.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WEIGHTS = "deepfilter"  # the name of their package
RATE = 48000
SIZE, HOP = 960, 480
BANDS, DEEP, ORDER, AHEAD = 32, 96, 5, 2  # bands of gains; bins that are filtered, over so many frames, so many ahead
LEAST_BINS = 2  # of a band
KEEPS = 0.99  # of the running means, a hop: a time constant of one second
WARM, STRETCH = 200, 1000  # hops that find the state again; hops that are kept of each stretch
FILES = ("enc.onnx", "erb_dec.onnx", "df_dec.onnx")


class Model:
    """The graphs, loaded once. `files`: paths by the names in `FILES`."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        import os

        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # the arena of the longest stretch would stay for good
        self.encoder, self.gains, self.filters = (
            ort.InferenceSession(str(files[name]), options, providers=["CPUExecutionProvider"]) for name in FILES
        )
        self.bands = _bands()
        half = (np.arange(SIZE) + 0.5) / SIZE
        self.window = np.sin(np.pi / 2 * np.sin(np.pi * half) ** 2).astype(np.float32)

    def voice(self, samples: Floats) -> Floats:
        """What the model takes for a voice in mono samples at 48 kHz; same length, same place in time. A share of the
        difference, taken away, turns noise down by as much as that share: the transform there and back is exact."""
        count = -(-len(samples) // HOP) + 1
        padded = np.concatenate([np.zeros(HOP, np.float32), samples, np.zeros(count * HOP - len(samples), np.float32)])
        frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP][:count]
        spectrum = (np.fft.rfft(frames * self.window, axis=1) / SIZE).astype(np.complex64)
        levels, phases = self._features(spectrum)
        out = np.empty_like(spectrum)
        for start in range(0, count, STRETCH):
            first, end = max(start - WARM, 0), min(start + STRETCH, count)
            ahead = min(end + 10, count)
            made = self._stretch(spectrum, levels, phases, first, ahead)
            out[start:end] = made[start - first : end - first]
        waves = (np.fft.irfft(out * SIZE, SIZE, axis=1) * self.window).astype(np.float32)
        added = np.zeros((count + 1) * HOP, np.float32)
        added[:-HOP] += waves[:, :HOP].ravel()
        added[HOP:] += waves[:, HOP:].ravel()
        return np.ascontiguousarray(added[HOP : HOP + len(samples)])

    def _features(self, spectrum: NDArray[np.complex64]) -> tuple[Floats, NDArray[np.complex64]]:
        """Levels of the bands and the lower bins, each against its own running mean."""
        power = np.abs(spectrum) ** 2
        levels = 10 * np.log10(power @ self.bands + 1e-10)
        size = np.abs(spectrum[:, :DEEP])
        from scipy.signal import lfilter

        means, _ = lfilter([1 - KEEPS], [1, -KEEPS], levels, axis=0, zi=KEEPS * np.linspace(-60, -90, BANDS)[None])
        sizes, _ = lfilter([1 - KEEPS], [1, -KEEPS], size, axis=0, zi=KEEPS * np.linspace(0.001, 0.0001, DEEP)[None])
        phases = spectrum[:, :DEEP] / np.sqrt(np.maximum(sizes, 1e-12))
        return ((levels - means) / 40).astype(np.float32), phases.astype(np.complex64)

    def _stretch(
        self, spectrum: NDArray[np.complex64], levels: Floats, phases: NDArray[np.complex64], first: int, end: int
    ) -> NDArray[np.complex64]:
        """Cleaned frames of [first, end). What the graphs see lies `AHEAD` frames ahead."""
        seen = np.minimum(np.arange(first, end) + AHEAD, len(levels) - 1)
        late = (np.arange(first, end) + AHEAD >= len(levels))[:, None]
        erb = np.where(late, 0, levels[seen])[None, None].astype(np.float32)
        deep = np.where(late, 0, phases[seen])
        spec = np.stack([deep.real, deep.imag])[None].astype(np.float32)
        e0, e1, e2, e3, emb, c0, _ = self.encoder.run(None, {"feat_erb": erb, "feat_spec": spec})
        gains = self.gains.run(None, {"emb": emb, "e3": e3, "e2": e2, "e1": e1, "e0": e0})[0][0, 0]
        coefs = self.filters.run(None, {"emb": emb, "c0": c0})[0].reshape(end - first, DEEP, ORDER, 2)
        noisy = spectrum[first:end]
        made: Any = noisy * (gains @ (self.bands > 0).T.astype(np.float32))
        padded = np.zeros((end - first + ORDER - 1, DEEP), np.complex64)
        low, high = first - (ORDER - 1 - AHEAD), end + AHEAD
        inside = slice(max(low, 0), min(high, len(spectrum)))
        padded[inside.start - low : inside.stop - low] = spectrum[inside, :DEEP]
        taps = coefs[..., 0] + 1j * coefs[..., 1]
        made[:, :DEEP] = sum(padded[k : k + end - first] * taps[:, :, k] for k in range(ORDER))
        return np.asarray(made, np.complex64)


def _bands() -> Floats:
    """Bins x bands: each column averages the bins of a band that is equally wide on the ERB scale, two at least."""

    def erb(hertz: float) -> float:
        return 9.265 * float(np.log1p(hertz / (24.7 * 9.265)))

    def hertz(place: float) -> float:
        return 24.7 * 9.265 * float(np.expm1(place / 9.265))

    bins, width = SIZE // 2 + 1, RATE / SIZE
    step = (erb(RATE / 2) - erb(0)) / BANDS
    widths, before, over = [], 0, 0
    for n in range(1, BANDS + 1):
        upto = round(hertz(erb(0) + n * step) / width)
        count = upto - before - over
        over = max(LEAST_BINS - count, 0)
        widths.append(max(count, LEAST_BINS))
        before = upto
    widths[-1] += 1
    widths[-1] -= sum(widths) - bins
    table = np.zeros((bins, BANDS), np.float32)
    at = 0
    for n, count in enumerate(widths):
        table[at : at + count, n] = 1 / count
        at += count
    return table
