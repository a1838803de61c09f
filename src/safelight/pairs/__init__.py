"""Files before and after somebody's edit: matched, checked in workers, told as a table, a document and a page.

Works on any vendor's, plug-in's or retoucher's output; needs no library and no shoot.
"""

from safelight.pairs.document import SCHEMA, document, harm, line, verdict_of, words
from safelight.pairs.job import Check, Checked
from safelight.pairs.matching import Matched, match
from safelight.pairs.run import Request, check_folders, watch

__all__ = [
    "SCHEMA", "Check", "Checked", "Matched", "Request", "check_folders", "document", "harm", "line", "match",
    "verdict_of",
    "watch", "words",
]  # fmt: skip
