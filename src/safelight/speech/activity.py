"""Where somebody speaks: Silero's network, 32 ms at a time, and what it says as spans.

Silero VAD 6 (MIT). Each step of 512 samples is preceded by the 64 before it; its state goes on from step to step, so
long sound is heard in blocks of any length with the same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.media.runs import joined

NAME = "silero_vad"
RATE = 16_000
STEP, CONTEXT = 512, 64  # samples
STEP_S = STEP / RATE
BEGINS, GOES_ON = 0.5, 0.35  # probabilities: a span begins above the first and ends below the second, …
GAP_S, SHORTEST_S = 0.1, 0.1  # … after so long; shorter spans are none
WIDER_S = 0.03  # the network answers late at both ends

Samples = NDArray[np.float32]
Span = tuple[float, float]  # seconds, half-open


@cache
def session(path: Path) -> Any:
    """A graph, opened once in a process, on one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # the arena of the largest chunk would stay for good
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@dataclass(slots=True)
class Activity:
    """Probabilities of speech of a stream of samples: `hear` takes blocks, `done` the rest."""

    weights: Mapping[str, Mapping[str, Path]]
    found: list[NDArray[np.float32]] = field(default_factory=list)
    _waiting: Samples = field(default_factory=lambda: np.zeros(CONTEXT, np.float32))
    _state: tuple[NDArray[np.float32], NDArray[np.float32]] = field(
        default_factory=lambda: (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))
    )

    def hear(self, samples: Samples) -> None:
        """Takes the next samples."""
        waiting = np.concatenate([self._waiting, samples])
        steps = (len(waiting) - CONTEXT) // STEP
        if steps:
            heard = np.lib.stride_tricks.sliding_window_view(waiting, CONTEXT + STEP)[: steps * STEP : STEP]
            h, c = self._state
            net = session(self.weights[NAME]["silero_vad_16k_sequence.onnx"])
            probabilities, h, c = net.run(None, {"input": np.ascontiguousarray(heard), "h": h, "c": c})
            self._state = (h, c)
            self.found.append(np.asarray(probabilities, np.float32))
        self._waiting = waiting[steps * STEP :]

    def done(self) -> NDArray[np.float32]:
        """All probabilities, one a step; the last step is filled with silence."""
        rest = len(self._waiting) - CONTEXT
        if rest > 0:
            self.hear(np.zeros(STEP - rest, np.float32))
        return np.concatenate(self.found) if self.found else np.zeros(0, np.float32)


def spans(probabilities: NDArray[np.float32]) -> list[Span]:
    """Stretches of speech, widened a little."""
    found: list[list[float]] = []
    speaking = False
    quiet_since = 0
    for step, p in enumerate(probabilities):
        if not speaking and p >= BEGINS:
            speaking = True
            if found and (step * STEP_S - found[-1][1]) < GAP_S:
                pass
            else:
                found.append([step * STEP_S, 0.0])
            quiet_since = step + 1
        elif speaking and p >= GOES_ON:
            quiet_since = step + 1
        if speaking:
            found[-1][1] = quiet_since * STEP_S
            speaking = (step + 1 - quiet_since) * STEP_S < GAP_S
    ends = len(probabilities) * STEP_S
    wide = [(max(a - WIDER_S, 0.0), min(b + WIDER_S, ends)) for a, b in found if b - a >= SHORTEST_S]
    return joined(wide, gap=0.0)
