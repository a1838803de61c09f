"""Names of delivered files from a template, in darktable's spelling: `$(EXIF.YEAR)$(EXIF.MONTH)-$(FILE.NAME)`.

Inside `$(…)`: a token, then at most one of `-default` (where the token is empty), `+text` (where it is not), `^^` and
`,,` (upper and lower case), `//a/b` (replace). What comes out is safe everywhere: `[A-Za-z0-9._-]`, NFC, no dot or
space at the end, at most 120 bytes, and no two files share a name.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from safelight.errors import UsageError

DEFAULT = "$(FILE.NAME)"
LONGEST = 120  # bytes, with suffix
_VARIABLE = re.compile(r"\$\(([A-Za-z][A-Za-z0-9_.]*)(\[[0-9,]+\])?([^)]*)\)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# Devices of a system that still reserves them as file names.
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What tokens are made of. `captured` is the aligned moment of the photo; numbers are of the delivered picture."""

    path: str
    captured: datetime | None = None
    sequence: int = 1
    jobcode: str = ""
    camera: str = ""
    stars: int | None = None
    label: str = ""
    version: int = 1
    width: int = 0
    height: int = 0
    xmp: Mapping[str, str] | None = None


TOKENS = (
    "FILE.NAME", "FILE.EXTENSION", "SEQUENCE", "EXIF.YEAR", "EXIF.MONTH", "EXIF.DAY", "EXIF.HOUR", "EXIF.MINUTE",
    "EXIF.SECOND", "EXIF.MSEC", "JOBCODE", "MODEL", "STARS", "LABELS", "VERSION", "WIDTH.EXPORT", "HEIGHT.EXPORT",
)  # fmt: skip


def validate(template: str) -> None:
    """Raises UsageError for a token that does not exist, before any file is written."""
    for match in _VARIABLE.finditer(template):
        token = match[1]
        if token not in TOKENS and not token.startswith("Xmp."):
            raise UsageError(f"$({token}) is not a token for names.", remedy=f"Tokens are {', '.join(TOKENS)}, Xmp.….")
    rest = _VARIABLE.sub("", template)
    if "$(" in rest:
        raise UsageError(f"{template!r} has a $( that is not closed.", remedy="For example $(EXIF.YEAR)-$(FILE.NAME).")
    if not template.strip():
        raise UsageError("The template for names is empty.", remedy=f"The default is {DEFAULT}.")


def name(template: str, facts: Facts, suffix: str) -> str:
    """One safe file name with its suffix (`.jpg`)."""
    text = _VARIABLE.sub(lambda match: _resolve(match, facts), template)
    return _safe(text, PurePosixPath(facts.path).stem, suffix)


def unique(names: Iterable[str]) -> list[str]:
    """The names in order, later ones with `-2`, `-3` … where they would clash; case does not tell files apart."""
    taken: set[str] = set()
    out = []
    for wanted in names:
        stem, dot, suffix = wanted.rpartition(".")
        chosen, number = wanted, 2
        while chosen.lower() in taken:
            tail = f"-{number}{dot}{suffix}"
            chosen = stem[: LONGEST - len(tail)] + tail
            number += 1
        taken.add(chosen.lower())
        out.append(chosen)
    return out


def _resolve(match: "re.Match[str]", facts: Facts) -> str:
    token, brackets, change = match[1], match[2], match[3]
    value = _value(token, brackets, facts)
    if not change:
        return value
    if change.startswith("-"):
        return value or change[1:]
    if change.startswith("+"):
        return change[1:] if value else ""
    if change == "^^":
        return value.upper()
    if change == ",,":
        return value.lower()
    if change.startswith("//"):
        old, _, new = change[2:].partition("/")
        return value.replace(old, new) if old else value
    raise UsageError(f"{match[0]} is not understood after {token}.", remedy="Use -default, +text, ^^, ,, or //a/b.")


def _value(token: str, brackets: str | None, facts: Facts) -> str:
    path = PurePosixPath(facts.path)
    if token.startswith("SEQUENCE"):
        width, _, start = (brackets or "[4,1]")[1:-1].partition(",")
        return str(facts.sequence - 1 + int(start or 1)).zfill(int(width))
    if token.startswith("EXIF."):
        forms = {
            "YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "HOUR": "%H", "MINUTE": "%M", "SECOND": "%S",
        }  # fmt: skip
        part = token.removeprefix("EXIF.")
        if facts.captured is None:
            return ""
        return f"{facts.captured.microsecond // 1000:03d}" if part == "MSEC" else facts.captured.strftime(forms[part])
    if token.startswith("Xmp."):
        return (facts.xmp or {}).get(token.removeprefix("Xmp.").replace(".", ":", 1), "")
    plain = {
        "FILE.NAME": path.stem,
        "FILE.EXTENSION": path.suffix[1:],
        "JOBCODE": facts.jobcode,
        "MODEL": facts.camera,
        "STARS": "" if facts.stars is None else str(facts.stars),
        "LABELS": facts.label,
        "VERSION": str(facts.version),
        "WIDTH.EXPORT": str(facts.width),
        "HEIGHT.EXPORT": str(facts.height),
    }
    return plain[token]


def _safe(text: str, fallback: str, suffix: str) -> str:
    # Letters with marks become plain ones (é → e); what has no plain form becomes a dash.
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    if text.strip() and not plain.strip():
        plain = fallback.encode("ascii", "ignore").decode()
    stem = _UNSAFE.sub("-", plain).strip("-. ") or "photo"
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    return unicodedata.normalize("NFC", stem[: LONGEST - len(suffix)].rstrip(".- ") + suffix)
