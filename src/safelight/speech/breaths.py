"""Where somebody draws breath: short noise between words, above the room and far below speech.

Not measured: there are no labelled breaths. What is found is shown and nothing is done about it.
"""

from collections.abc import Callable, Sequence

import numpy as np

from safelight.media.runs import runs
from safelight.speech.activity import RATE, Samples, Span
from safelight.speech.levels import FRAME_S, Floor, Levels

ABOVE_ROOM_DB, BELOW_SPEECH_DB = 4.0, 10.0
SHORTEST_S, LONGEST_S = 0.12, 0.8
BEFORE_S = 0.6  # of speech: whoever breathes in is about to speak
FLAT = 0.1  # geometric to arithmetic mean of the spectrum from 500 Hz to 6 kHz: noise, no tone


def find(cut: Callable[[Span], Samples], level: Levels, speech: Sequence[Span], room: Floor) -> list[Span]:
    """Spans in seconds. `speech` in order; `level` every 10 ms of the sound that `cut` gives samples of."""
    if room.speech_db is None:
        return []
    found: list[Span] = []
    ends = [0.0, *(b for _, b in speech)]
    for (start, _), before in zip(speech, ends, strict=False):
        first = max(round(max(before, start - BEFORE_S - LONGEST_S) / FRAME_S), 0)
        part = level[first : round(start / FRAME_S)]
        between = (part > room.floor_db + ABOVE_ROOM_DB) & (part < room.speech_db - BELOW_SPEECH_DB)
        for a, b in runs(between):
            span = ((first + a) * FRAME_S, (first + b) * FRAME_S)
            fits = SHORTEST_S <= span[1] - span[0] <= LONGEST_S and start - span[1] <= BEFORE_S
            if fits and _flat(cut(span)):
                found.append(span)
    return found


def _flat(samples: Samples) -> bool:
    power = np.square(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))))
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    band = power[(hz >= 500) & (hz <= 6000)] + 1e-20
    return float(np.exp(np.log(band).mean()) / band.mean()) > FLAT
