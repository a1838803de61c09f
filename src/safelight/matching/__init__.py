"""Brings a shot to the look of another of the same place, as an ASC CDL and a 3-D table, or says why it cannot."""

from safelight.matching.cdl import Grade
from safelight.matching.files import write_cdl, write_cube
from safelight.matching.shots import Look, Matched, look_of, match
from safelight.media.effects import CDL

__all__ = ["CDL", "Grade", "Look", "Matched", "look_of", "match", "write_cdl", "write_cube"]
