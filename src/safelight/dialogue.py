"""Where somebody speaks in a sound as it plays: what is measured where the loudness of dialogue counts.

The detector of voices that comes with Safelight says it, not the one that the standard's owners license: an estimate,
and called so.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av

from safelight import weights
from safelight.errors import UsageError
from safelight.media import loudness, sound
from safelight.media.loudness import Spans, Target
from safelight.media.sound import Block
from safelight.speech import activity
from safelight.speech.tracks import mixed


def of(path: Path, target: Target | None, *, stream: int | None = None) -> Spans | None:
    """Where somebody speaks in a file's sound, if the target counts that alone. Raises NotMedia where there is no
    sound, UsageError without the weights."""
    return spoken(sound.blocks(path, stream=stream)) if target is not None and target.dialogue else None


def spoken(blocks: Iterable[Block]) -> Spans:
    """Where somebody speaks, seconds from the first sample. Raises UsageError without the weights."""
    installed = weights.installed()
    if activity.NAME not in installed:
        raise UsageError(
            "How loud the dialogue is cannot be measured: the detector of voices is not on this machine.",
            remedy=f"Fetch it: safelight models fetch {activity.NAME}. Or take a target that counts the whole sound.",
        )
    voice = activity.Activity(installed)
    for samples in _at_its_rate(blocks):
        voice.hear(samples)
    return activity.spans(voice.done())


def _at_its_rate(blocks: Iterable[Block]) -> Iterator[activity.Samples]:
    slower = av.AudioResampler(format="fltp", layout="mono", rate=activity.RATE)
    taken = 0
    for block in blocks:
        mono = Block(at=block.at, samples=mixed(block.samples)[:, None], rate=block.rate)
        yield from (f.to_ndarray()[0] for f in slower.resample(loudness.frame_of(mono, "mono", taken)))
        taken += len(block.samples)
    if taken:
        yield from (f.to_ndarray()[0] for f in slower.resample(None))
