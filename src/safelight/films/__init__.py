"""What must be right about a film before it leaves: where it goes says which rules hold, each answers for itself.

film ─▶ measured once ─▶ rules of a book ─▶ held, broken with a remedy, or why it cannot be told
"""

from safelight.films.book import Book, find, known
from safelight.films.checked import Checked, check

__all__ = ["Book", "Checked", "check", "find", "known"]
