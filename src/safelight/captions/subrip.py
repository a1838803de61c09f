"""SubRip: numbered cues with times to the millisecond. Numbers are not trusted, order is by time."""

import re

from safelight.captions._text import bare, clock, in_order, seconds, wrongs
from safelight.captions.cue import Captions, Cue

_TIME = re.compile(
    r"^\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
)


def parse(text: str) -> Captions:
    """Cues of a file that may be damaged: what can be read is kept, the rest is counted in the notes."""
    lines = text.split("\n")
    marked = [i for i, line in enumerate(lines) if "-->" in line]
    cues: list[Cue] = []
    broken = styled = backwards = 0
    for at, following in zip(marked, [*marked[1:], len(lines)], strict=False):
        m = _TIME.match(lines[at])
        if m is None:
            broken += 1
            continue
        body = lines[at + 1 : following]
        if following < len(lines):
            body = _without_number(body)
        plain = [bare(line) for line in body]
        styled += any(had for _, had in plain)
        start, end = seconds(*m.groups()[:4]), seconds(*m.groups()[4:])
        if end <= start:
            backwards += 1
            continue
        cues.append(Cue(start=start, end=end, lines=tuple(line for line, _ in plain if line)))
    notes = (
        wrongs(broken, "could not be read: their times are damaged or cut off")
        + wrongs(backwards, "end before they start and were left out")
        + wrongs(styled, "lose their styling")
    )
    return Captions(cues=in_order(cues), notes=notes)


def _without_number(body: list[str]) -> list[str]:
    """A cue's lines without the number of the next one."""
    rest = list(body)
    while rest and not rest[-1].strip():
        rest.pop()
    return rest[:-1] if rest and rest[-1].strip().isdigit() else body


def text_of(captions: Captions) -> str:
    """The file, without markup."""
    return "\n".join(
        f"{i}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n" + "\n".join(cue.lines) + "\n"
        for i, cue in enumerate(captions.cues, 1)
    )
