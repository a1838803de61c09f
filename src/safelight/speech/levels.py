"""How loud it is every 10 ms, where it is silent against the room's own floor, and where somebody breathes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safelight.media.runs import runs
from safelight.speech.activity import Span

FRAME_S = 0.01
NOTHING_DB = -140.0  # of samples that are all zero
DIGITAL_DB = -100.0  # what lies below is no room but nothing at all
ABOVE_FLOOR_DB, UNDER_SPEECH_DB = 10.0, 12.0  # silence lies below the smaller of the two bounds
SHORTEST_S, BLIP_S = 0.1, 0.02  # of a silence; of a noise that does not end one

Levels = NDArray[np.float32]  # dB below full scale, one a frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The room's own level, that of speech (None where nobody speaks), and below what it is silent."""

    floor_db: float
    speech_db: float | None
    below_db: float


def levels(samples: NDArray[np.float32], rate: int) -> Levels:
    """RMS of each 10 ms, n × channels to the loudest channel's; a last part frame counts as one."""
    return np.asarray(each(samples, rate).max(1, initial=NOTHING_DB), np.float32)


def each(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The same of each channel: frames × channels."""
    size = round(rate * FRAME_S)
    count = -(-len(samples) // size)
    padded = np.zeros((count * size, samples.shape[1]), np.float32)
    padded[: len(samples)] = samples
    power = np.square(padded.reshape(count, size, samples.shape[1])).mean(1)
    return np.asarray(10 * np.log10(power + 1e-14), np.float32)


def floor(found: Levels, speech: Sequence[Span]) -> Floor:
    """What silence is here: near the quietest tenth of what is outside speech and not digitally empty."""
    inside = _mask(len(found), speech)
    room = found[~inside & (found > DIGITAL_DB)]
    room = room if len(room) >= 20 else found[found > DIGITAL_DB]
    quiet = float(np.percentile(room, 10)) if len(room) else DIGITAL_DB
    heard = found[inside]
    loud = float(np.percentile(heard, 75)) if len(heard) else None
    bounds = [quiet + ABOVE_FLOOR_DB] + ([loud - UNDER_SPEECH_DB] if loud is not None else [])
    if loud is None and len(room) and (found <= DIGITAL_DB).any():
        # Sound between stretches of nothing, and nobody speaks as far as is known: it is no room, it is what is heard.
        bounds.append(float(np.percentile(room, 75)) - UNDER_SPEECH_DB)
    return Floor(floor_db=quiet, speech_db=loud, below_db=max(min(bounds), DIGITAL_DB + ABOVE_FLOOR_DB))


def silences(found: Levels, speech: Sequence[Span], bound: Floor) -> list[tuple[float, float, float]]:
    """Start, end and mean level of stretches that are below the bound and hold no speech."""
    quiet = found < bound.below_db
    for start, end in runs(~quiet):
        if (end - start) * FRAME_S <= BLIP_S and start > 0 and end < len(quiet):
            quiet[start:end] = True
    quiet &= ~_mask(len(found), speech)
    kept = [(a, b) for a, b in runs(quiet) if (b - a) * FRAME_S >= SHORTEST_S]
    return [(a * FRAME_S, b * FRAME_S, float(found[a:b].mean())) for a, b in kept]


def _mask(count: int, spans: Sequence[Span]) -> NDArray[np.bool_]:
    inside = np.zeros(count, bool)
    for a, b in spans:
        inside[round(a / FRAME_S) : round(b / FRAME_S)] = True
    return inside
