"""What readers of caption files share: decoding, markup."""

import codecs
import re
from collections.abc import Iterable
from fractions import Fraction

from safelight.captions.cue import Cue

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<\d+:[\d:.]+>|\{\\[^{}]*\}")


def decoded(data: bytes) -> tuple[str, str | None]:
    """Text with plain line ends, and a note where it is no UTF-8: such files are read as Windows Latin-1."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _plain(data[len(mark) :].decode(name, "replace")), None
    try:
        return _plain(data.decode("utf-8")), None
    except UnicodeDecodeError as error:
        note = f"It is not UTF-8 (byte {error.start} is 0x{data[error.start]:02x}) and was read as Windows Latin-1."
        return _plain(data.decode("cp1252", "replace")), note


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def bare(line: str) -> tuple[str, bool]:
    """The line without markup, and whether there was any."""
    out = _TAG.sub("", line)
    return out.strip(), out != line


def in_order(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """By start, then end; cues of the same time stay as they came."""
    return tuple(sorted(cues, key=lambda cue: (cue.start, cue.end)))


def clock(seconds: Fraction, mark: str) -> str:
    """`HH:MM:SS` and milliseconds behind `mark`, to the nearest."""
    total = (seconds * 1000 + Fraction(1, 2)).__floor__()
    return f"{total // 3_600_000:02d}:{total // 60_000 % 60:02d}:{total // 1000 % 60:02d}{mark}{total % 1000:03d}"


def seconds(hours: str | None, minutes: str, whole: str, part: str) -> Fraction:
    """Exact seconds of a clock's fields; `part` are decimals."""
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(whole) + Fraction(int(part), 10 ** len(part))


def wrongs(count: int, what: str) -> tuple[str, ...]:
    """A note about so many cues, if there are any."""
    return (f"Of its cues, {count} {what}.",) if count else ()
