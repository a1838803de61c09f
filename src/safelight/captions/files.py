"""Caption files by their endings."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from safelight.captions import subrip, timedtext, webvtt
from safelight.captions._text import decoded
from safelight.captions.cue import Captions
from safelight.errors import NotMedia, UsageError
from safelight.files import write_atomic
from safelight.media.formats import unreadable

ENDINGS = (".srt", ".vtt", ".ttml", ".xml", ".dfxp", ".imsc")
MOST = 64 << 20  # bytes; a film of captions has a few hundred thousand
_OF_TEXT: dict[str, Callable[[str], Captions]] = {".srt": subrip.parse, ".vtt": webvtt.parse}


def read(path: Path) -> Captions:
    """The captions of a file. Raises MediaError where it cannot be understood at all."""
    ending = _ending(path)
    try:
        if path.stat().st_size > MOST:
            raise NotMedia(f"{path.name} is too large to be captions.", remedy="Give it its right name.")
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    return parse(data, ending, name=path.name)


def parse(data: bytes, ending: str, *, name: str = "The file") -> Captions:
    """Captions of these bytes, as files of this ending hold them."""
    try:
        if ending not in _OF_TEXT:
            found = timedtext.parse(data)
        else:
            text, note = decoded(data)
            found = _OF_TEXT[ending](text)
            found = replace(found, notes=((note,) if note else ()) + found.notes)
    except NotMedia as error:
        raise NotMedia(f"{name} cannot be read. {error.cause}", remedy=error.remedy) from error
    if not found.cues:
        raise NotMedia(f"{name} holds no captions.", remedy="Export it anew.")
    return found


def text_of(captions: Captions, ending: str, *, rate: Fraction | None = None) -> str:
    """What a file of this ending holds."""
    if ending == ".srt":
        return subrip.text_of(captions)
    if ending == ".vtt":
        return webvtt.text_of(captions)
    return timedtext.text_of(captions, rate=rate)


def write(path: Path, captions: Captions, *, rate: Fraction | None = None) -> tuple[str, ...]:
    """Writes a file, reads it back, and says what was lost: times that had to be rounded to the millisecond.

    Raises UsageError where what is read back is something else; nothing is kept then.
    """
    ending = _ending(path)
    data = text_of(captions, ending, rate=rate).encode("utf-8")
    back = parse(data, ending, name=path.name)
    lost = sum(a.start != b.start or a.end != b.end for a, b in zip(captions.cues, back.cues, strict=False))
    if [c.lines for c in back.cues] != [c.lines for c in captions.cues] or _far(captions, back):
        raise UsageError(
            f"{path.name} would not say what the captions say.", remedy="Write another format, and report this."
        )
    write_atomic(path, data)
    return (f"{lost} cues begin or end between milliseconds and were moved by less than one.",) if lost else ()


def _far(one: Captions, two: Captions) -> bool:
    least = Fraction(1, 1000)
    return any(
        abs(a.start - b.start) >= least or abs(a.end - b.end) >= least for a, b in zip(one.cues, two.cues, strict=True)
    )


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(f"{path.name} has no ending of captions.", remedy=f"Known are {', '.join(ENDINGS)}.")
    return ending
