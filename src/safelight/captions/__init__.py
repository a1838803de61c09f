"""Captions: cues in exact time, their files (SRT, WebVTT, TTML/IMSC), the rules they are held to."""

from safelight.captions.cue import Captions, Cue
from safelight.captions.files import ENDINGS, parse, read, text_of, write
from safelight.captions.making import Spoken, make, parted
from safelight.captions.rules import PRESETS, Breach, Preset, check

__all__ = [
    "ENDINGS", "PRESETS", "Breach", "Captions", "Cue", "Preset", "Spoken", "check", "make", "parse", "parted", "read",
    "text_of", "write",
]  # fmt: skip
