"""Where somebody speaks in a sound as it plays: what is measured where the loudness of dialogue counts.

The detector of voices that comes with Safelight says it, not the one that the standard's owners license: an estimate,
and called so.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from safelight import weights
from safelight.errors import UsageError
from safelight.media import sound
from safelight.media.loudness import Speech, Target
from safelight.media.sound import Block
from safelight.speech import activity
from safelight.speech.tracks import mixed


def of(path: Path, target: Target | None) -> Speech | None:
    """Where somebody speaks in a file's sound, if the target counts that alone. Raises NotMedia where there is no
    sound, UsageError without the weights."""
    return speech(sound.blocks(path)) if target is not None and target.dialogue else None


def speech(blocks: Iterable[Block]) -> Speech:
    """Where somebody speaks, seconds from the first sample. Raises UsageError without the weights."""
    installed = weights.installed()
    if activity.NAME not in installed:
        raise UsageError(
            "How loud the dialogue is cannot be measured: the detector of voices is not on this machine.",
            remedy=f"Fetch it: safelight models fetch {activity.NAME}. Or take a target that counts the whole sound.",
        )
    voice = activity.Activity(installed)
    mono = (replace(block, samples=mixed(block.samples)[:, None]) for block in blocks)
    for block in sound.resampled(mono, activity.RATE):
        voice.hear(block.samples[:, 0])
    return activity.spans(voice.done())
