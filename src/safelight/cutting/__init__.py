"""Where a talk may be cut: pauses that are quiet to the level and empty of words, takes that are said again, passages
that somebody struck, a selection that fits a length. Plans in whole frames, each cut with its evidence."""

from safelight.cutting.facts import NEEDS, Talk, word_of
from safelight.cutting.level import Levels, Room, Still, measure, room, room_of
from safelight.cutting.passages import strike
from safelight.cutting.pauses import PACES, Pace, tighten
from safelight.cutting.plan import Cut, Doubt, Plan
from safelight.cutting.programme import frames_of, programme
from safelight.cutting.retakes import Take, takes
from safelight.cutting.select import Passage, select
from safelight.cutting.speech import Spoken, Word, suspects

__all__ = [
    "NEEDS", "PACES", "Cut", "Doubt", "Levels", "Pace", "Passage", "Plan", "Room", "Spoken", "Still", "Take",
    "Talk", "Word", "frames_of", "measure", "programme", "room", "room_of", "select", "strike", "suspects", "takes",
    "tighten", "word_of",
]  # fmt: skip
