"""TTML (W3C, TTML2) and its profile IMSC 1.1 Text: times in clock form, offsets, ticks or frames of an exact rate."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from safelight.captions._text import clock, in_order, wrongs
from safelight.captions.cue import Captions, Cue
from safelight.errors import NotMedia
from safelight.media import timecode

TT = "http://www.w3.org/ns/ttml"
TTP = "http://www.w3.org/ns/ttml#parameter"
TTS = "http://www.w3.org/ns/ttml#styling"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
IMSC = "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
_CLOCK = re.compile(r"(\d{2,}):(\d{2}):(\d{2})(?:\.(\d+)|[:;](\d{2,})(?:\.(\d+))?)?")
_OFFSET = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|f|t)")
_UNITS = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}
DEFAULT_RATE = Fraction(30)  # TTML2 7.2.3
ROUNDED = Fraction(1, 2000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """How a document counts."""

    rate: Fraction
    ticks: Fraction
    labels: bool  # ttp:timeBase="smpte": clock times with frames are timecode
    drop: bool
    says_rate: bool


def parse(data: bytes) -> Captions:
    """Cues of a document. Raises NotMedia for what is no TTML; paragraphs without a time are counted in the notes."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise NotMedia(f"It is not well-formed XML: {error.msg}.", remedy="Export it anew.") from error
    if etree.QName(root).localname != "tt":
        raise NotMedia(f"It is XML of another kind ({etree.QName(root).localname}).", remedy="Give it its right name.")
    base = _base(root)
    cues: list[Cue] = []
    untimed = 0
    for paragraph, begin, end in _paragraphs(root, base):
        lines = tuple(line for line in _lines(paragraph) if line)
        if begin is None or end is None or end <= begin:
            untimed += bool(lines)
        elif lines:
            cues.append(Cue(start=begin, end=end, lines=lines))
    styled = sum(1 for e in root.iter("{*}span") if e.attrib)
    notes = wrongs(untimed, "have no usable time and were left out") + wrongs(styled, "or parts of cues lose styling")
    language = root.get(LANG) or None
    return Captions(cues=in_order(cues), language=language, rate=base.rate if base.says_rate else None, notes=notes)


def _base(root: etree._Element) -> _Base:
    said = _whole(root, "frameRate")
    rate = Fraction(said) if said else DEFAULT_RATE
    factor = re.fullmatch(r"\s*(\d+)[ :](\d+)\s*", _parameter(root, "frameRateMultiplier") or "")
    if factor and int(factor[1]) and int(factor[2]):
        rate *= Fraction(int(factor[1]), int(factor[2]))
    ticks, sub = _whole(root, "tickRate"), _whole(root, "subFrameRate") or 1
    return _Base(
        rate=rate, ticks=Fraction(ticks) if ticks else rate * sub if said else Fraction(1),
        labels=_parameter(root, "timeBase") == "smpte", drop=_parameter(root, "dropMode") == "dropNTSC",
        says_rate=bool(said),
    )  # fmt: skip


def _parameter(root: etree._Element, name: str) -> str | None:
    found = root.xpath("@*[local-name() = $name]", name=name)
    return str(found[0]) if isinstance(found, list) and found else None


def _whole(root: etree._Element, name: str) -> int:
    """A parameter that is a whole number; 0 where it is none."""
    text = _parameter(root, name) or ""
    return int(text) if text.isascii() and text.isdigit() else 0


def _paragraphs(root: etree._Element, base: _Base) -> Iterator[tuple[etree._Element, Fraction | None, Fraction | None]]:
    """Each paragraph with its begin and end; times of what is around it are added (parallel containers)."""
    for paragraph in root.iter("{*}p"):
        chain = [paragraph, *paragraph.iterancestors()]
        origin = sum((_time(e.get("begin"), base) or Fraction(0) for e in chain[1:]), Fraction(0))
        begin, end = _time(paragraph.get("begin"), base), _time(paragraph.get("end"), base)
        lasts = _time(paragraph.get("dur"), base)
        if begin is None and chain[1].get("begin") is not None:
            begin = Fraction(0)
        if end is None and lasts is not None and begin is not None:
            end = begin + lasts
        yield (
            paragraph,
            None if begin is None else origin + begin,
            None if end is None else origin + end,
        )


def _time(text: str | None, base: _Base) -> Fraction | None:
    """Exact seconds of a time expression; None where there is none or it says nothing."""
    if text is None:
        return None
    offset = _OFFSET.fullmatch(text.strip())
    if offset:
        unit = offset[2]
        step = 1 / base.rate if unit == "f" else 1 / base.ticks if unit == "t" else _UNITS[unit]
        return Fraction(offset[1]) * step
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    h, m, s = (int(found[i]) for i in (1, 2, 3))
    if base.labels and found[5]:
        try:
            return timecode.frame_of(f"{h:02d}:{m:02d}:{s:02d}:{found[5]}", base.rate, drop=base.drop) / base.rate
        except ValueError:
            return None
    whole = Fraction(h * 3600 + m * 60 + s)
    if found[4]:
        return whole + Fraction(int(found[4]), 10 ** len(found[4]))
    return whole + Fraction(int(found[5]), 1) / base.rate if found[5] else whole


def _lines(paragraph: etree._Element) -> list[str]:
    parts: list[str] = [paragraph.text or ""]
    for element in paragraph.iterdescendants():
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name == "br":
            parts.append("\n")
        elif name == "span":
            parts.append(element.text or "")
        parts.append(element.tail or "")
    joined = re.sub(r"[ \t]*\n[ \t]*", " ", "".join(p if p != "\n" else "\0" for p in parts))
    return [" ".join(line.split()) for line in joined.split("\0")]


def text_of(captions: Captions, *, rate: Fraction | None = None) -> str:
    """An IMSC 1.1 Text document. With a rate, times are frames where every cue lies on one, or beside one by no more
    than milliseconds round; else milliseconds."""
    rate = rate or captions.rate
    in_frames = rate is not None and all(
        abs(timecode.nearest_frame(t, rate) / rate - t) <= ROUNDED
        for cue in captions.cues
        for t in (cue.start, cue.end)
    )
    attributes = ""
    if rate is not None and in_frames:
        nominal = timecode.nominal(rate)
        factor = rate / nominal
        attributes = f' ttp:frameRate="{nominal}"'
        if factor != 1:
            attributes += f' ttp:frameRateMultiplier="{factor.numerator} {factor.denominator}"'
    rows = "\n".join(
        f'      <p xml:id="c{i}" begin="{_written(cue.start, rate, in_frames=in_frames)}" '
        f'end="{_written(cue.end, rate, in_frames=in_frames)}">' + "<br/>".join(map(escape, cue.lines)) + "</p>"
        for i, cue in enumerate(captions.cues, 1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="{TT}" xmlns:ttp="{TTP}" xmlns:tts="{TTS}" xml:lang={quoteattr(captions.language or "")} \
ttp:timeBase="media"{attributes} ttp:contentProfiles="{IMSC}">
  <head>
    <styling>
      <style xml:id="s" tts:fontFamily="proportionalSansSerif" tts:fontSize="100%" tts:lineHeight="normal" \
tts:color="white" tts:textAlign="center"/>
    </styling>
    <layout>
      <region xml:id="bottom" tts:origin="10% 80%" tts:extent="80% 15%" tts:displayAlign="after"/>
    </layout>
  </head>
  <body style="s" region="bottom">
    <div>
{rows}
    </div>
  </body>
</tt>
"""


def _written(at: Fraction, rate: Fraction | None, *, in_frames: bool) -> str:
    return f"{timecode.nearest_frame(at, rate)}f" if in_frames and rate is not None else clock(at, ".")
