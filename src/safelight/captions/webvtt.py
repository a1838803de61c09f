"""WebVTT (W3C, 2019): a header, then blocks parted by empty lines; notes, styles and regions are passed over."""

import html
import re

from safelight.captions._text import bare, clock, in_order, seconds, wrongs
from safelight.captions.cue import Captions, Cue
from safelight.errors import NotMedia

_STAMP = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIME = re.compile(rf"^\s*{_STAMP}\s+-->\s+{_STAMP}([ \t].*)?$")


def parse(text: str) -> Captions:
    """Cues of a file. Raises NotMedia without the header; damaged cues are counted in the notes."""
    if not re.match(r"WEBVTT([ \t\n]|$)", text):
        raise NotMedia("It does not begin with WEBVTT.", remedy="Give it its right name, or convert it.")
    cues: list[Cue] = []
    styled = broken = backwards = placed = 0
    for block in re.split(r"\n{2,}", text)[1:]:
        lines = block.strip("\n").split("\n")
        at = next((i for i, line in enumerate(lines[:2]) if "-->" in line), None)
        if at is None or lines[0].startswith("NOTE"):
            continue
        m = _TIME.match(lines[at])
        if m is None:
            broken += 1
            continue
        start, end = seconds(*m.groups()[:4]), seconds(*m.groups()[4:8])
        if end <= start:
            backwards += 1
            continue
        plain = [bare(line) for line in lines[at + 1 :]]
        styled += any(had for _, had in plain)
        placed += bool((m[9] or "").strip())
        cues.append(Cue(start=start, end=end, lines=tuple(html.unescape(line) for line, _ in plain if line)))
    notes = (
        wrongs(broken, "could not be read: their times are damaged or cut off")
        + wrongs(backwards, "end before they start and were left out")
        + wrongs(styled, "lose their styling")
        + wrongs(placed, "lose their place on the screen")
    )
    return Captions(cues=in_order(cues), notes=notes)


def text_of(captions: Captions) -> str:
    """The file."""
    return "WEBVTT\n\n" + "\n".join(
        f"{clock(cue.start, '.')} --> {clock(cue.end, '.')}\n" + "\n".join(map(_escaped, cue.lines)) + "\n"
        for cue in captions.cues
    )


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
