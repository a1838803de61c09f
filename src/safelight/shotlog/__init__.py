"""The log of clips: every shot a row, to be searched, to be carried into other programs as tables and markers."""

from safelight.shotlog.find import Asked, Found, find
from safelight.shotlog.rows import Row, rows_of, unheard
from safelight.shotlog.said import NAMES, sentences

__all__ = ["NAMES", "Asked", "Found", "Row", "find", "rows_of", "sentences", "unheard"]
