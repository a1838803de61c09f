"""Edit decision lists, CMX 3600: one track a file, 999 events, reels of eight characters; no frame rate in them.

Record and source times are timecode, out points exclusive. `FCM` lines switch between drop-frame and non-drop.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from safelight.errors import NotMedia
from safelight.interchange.programme import (
    Clip,
    Gap,
    Item,
    Losses,
    Marker,
    Programme,
    Track,
    Transition,
    placed,
    reduce_clips,
    tidy,
)
from safelight.media import timecode
from safelight.media.effects import CDL

MOST_EVENTS = 999
REEL = 8
COLOURS = ("RED", "PINK", "ORANGE", "YELLOW", "GREEN", "CYAN", "BLUE", "PURPLE", "MAGENTA", "BLACK", "WHITE")
_LABEL = r"(\d{2}:\d{2}:\d{2}[:;]\d{2,3})"
_EVENT = re.compile(
    rf"^\s*(\d+)\s+(.*?)\s+(V\d*|A\d*|AA|AA/V|A2/V|B|NONE)\s+(C|D|W\d{{3}}|K\w*)\s+(\d+)?\s*"
    rf"{_LABEL}\s+{_LABEL}\s+{_LABEL}\s+{_LABEL}\s*$"
)
_SPEED = re.compile(r"^\s*M2\s+(.*?)\s+(-?[\d.]+)\s+" + _LABEL)
_NUMBER = r"\s*(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s*"
_SOP = re.compile(rf"^\*\s*ASC_SOP:?\s*\({_NUMBER}\)\s*\({_NUMBER}\)\s*\({_NUMBER}\)", re.IGNORECASE)
_SAT = re.compile(r"^\*\s*ASC_SAT:?\s*(-?[\d.]+)", re.IGNORECASE)
DIGITS = 6  # of a grade
_LOCATOR = re.compile(rf"^\*\s*LOC:\s*{_LABEL}\s+(\S+)\s*(.*)$")


def carried(programme: Programme, losses: Losses) -> list[Programme]:
    """What fits into lists, one programme a file: each track apart, in parts of 999 events."""
    programme = reduce_clips(programme, losses, enabled=True, media=None, media_start=None, media_length=None)
    losses.add("markers of the programme that lie on no clip", len(programme.markers))
    if len(programme.tracks) > 1:
        losses.add("tracks beyond the first, each written as a file of its own", len(programme.tracks) - 1)
    out = []
    for track in programme.tracks:
        alone = replace(programme, tracks=(_plain(track, programme, losses),), markers=())
        out += _parts(tidy(alone), losses)
    return out


def _plain(track: Track, programme: Programme, losses: Losses) -> Track:
    items: list[Item] = []
    for item in track.items:
        if isinstance(item, Transition) and item.before:
            losses.add("transitions moved to begin at their cut")
        if isinstance(item, Clip):
            items.append(_clip(item, programme.rate, losses))
        elif isinstance(item, Transition):
            items += _from_cut(item, items)
        else:
            items.append(item)
    return replace(track, items=tuple(_after_transitions(items)))


def _from_cut(item: Transition, items: list[Item]) -> list[Item]:
    """A transition that begins at its cut: the cut moves to where it began."""
    if item.before and items and isinstance(items[-1], Clip | Gap):
        items[-1] = replace(items[-1], length=items[-1].length - item.before)
    return [item]


def _after_transitions(items: list[Item]) -> list[Item]:
    out: list[Item] = []
    for i, item in enumerate(items):
        previous = items[i - 1] if i else None
        if isinstance(previous, Transition) and previous.before and isinstance(item, Clip):
            moved = round(previous.before * item.speed)
            out.append(replace(item, source=item.source - moved, length=item.length + previous.before,
                               markers=tuple(replace(m, at=m.at + previous.before) for m in item.markers)))  # fmt: skip
        elif isinstance(item, Transition):
            out.append(Transition(before=0, after=item.before + item.after, kind=item.kind, code=item.code))
        else:
            out.append(item)
    return out


def _clip(item: Clip, rate: Fraction, losses: Losses) -> Clip:
    reel = reel_name(item.reel or item.name)
    if item.reel and reel != item.reel:
        losses.add("reel names cut to eight characters")
    speed = item.speed
    if speed not in (0, 1):
        speed = Fraction(round(speed * rate * 10), 10) / rate
        if speed != item.speed:
            losses.add("speeds rounded to a tenth of a frame a second")
    markers = tuple(_marker(m, losses) for m in item.markers)
    return replace(
        item, reel=reel, speed=speed, markers=markers, name=" ".join(item.name.split()), grade=_grade(item.grade)
    )


def _grade(grade: CDL | None) -> CDL | None:
    """With as many digits as are written."""
    if grade is None:
        return None
    slope, offset, power = (_rounded(row) for row in (grade.slope, grade.offset, grade.power))
    return CDL(slope=slope, offset=offset, power=power, saturation=round(grade.saturation, DIGITS))


def _rounded(row: Iterable[float | str]) -> tuple[float, float, float]:
    red, green, blue = (round(float(v), DIGITS) for v in row)
    return red, green, blue


def _marker(m: Marker, losses: Losses) -> Marker:
    if m.length != 1:
        losses.add("lengths of markers")
    if m.comment:
        losses.add("comments of markers")
    colour = m.colour if m.colour in COLOURS else "RED"
    return Marker(at=m.at, name=" ".join(m.name.split()), colour=colour)


def _parts(programme: Programme, losses: Losses) -> list[Programme]:
    """Parts of at most 999 events; each begins where it lies, after a gap that a list cannot hold otherwise."""
    events = [i for i, item in enumerate(programme.tracks[0].items) if isinstance(item, Clip)]
    if len(events) <= MOST_EVENTS:
        return [programme]
    losses.add("parts of 999 events, a file each", -(-len(events) // MOST_EVENTS))
    items, out, at = programme.tracks[0].items, [], 0
    for first in range(0, len(events), MOST_EVENTS):
        start = 0 if first == 0 else events[first]
        stop = events[first + MOST_EVENTS] if first + MOST_EVENTS < len(events) else len(items)
        part = items[start:stop]
        track = replace(programme.tracks[0], items=(Gap(length=at), *part) if at else part)
        out.append(tidy(replace(programme, tracks=(track,))))
        at += sum(i.length for i in part if not isinstance(i, Transition))
    return out


def reel_name(text: str | None) -> str:
    """At most eight characters of A–Z, digits and `_`; `AX` where nothing is known."""
    return re.sub(r"[^A-Za-z0-9_.]", "_", text or "")[:REEL] or "AX"


# ---------------------------------------------------------------- writing


def text_of(programme: Programme) -> str:
    """One list; the programme must be as `carried` gives it."""
    rate, drop = programme.rate, programme.drop
    lines = [f"TITLE: {' '.join(programme.name.split())}", f"FCM: {'DROP FRAME' if drop else 'NON-DROP FRAME'}", ""]
    track = programme.tracks[0]
    channel = "V" if track.kind == "video" else "A"

    def label(frame: int) -> str:
        return timecode.label_of(frame, rate, drop=drop)

    number, joined, previous = 0, None, None
    for at, item in placed(track):
        if isinstance(item, Transition):
            joined = item
            continue
        if isinstance(item, Gap) and joined is None and at:
            previous = None
            continue  # record times leave it out; only one at the beginning must be written
        number += 1
        record = programme.start + at
        reel = item.reel if isinstance(item, Clip) else "BL"
        source = item.source if isinstance(item, Clip) else 0
        taken = source + (item.length if not isinstance(item, Clip) else _taken(item))
        times = f"{label(source)} {label(taken)} {label(record)} {label(record + item.length)}"
        if joined is None:
            lines.append(f"{number:03d}  {reel:<8} {channel:<5} C        {times}")
        else:
            out = previous.reel if previous else "BL"
            end = label(previous.source + _taken(previous)) if previous else label(0)
            zero = f"{end} {end} {label(record)} {label(record)}"
            kind = "D   " if joined.kind == "dissolve" else f"W{joined.code or '001':0>3}"
            lines.append(f"{number:03d}  {out:<8} {channel:<5} C        {zero}")
            lines.append(f"{number:03d}  {reel:<8} {channel:<5} {kind} {joined.after:03d} {times}")
            if previous:
                lines.append(f"* FROM CLIP NAME: {previous.name}")
        if isinstance(item, Clip):
            lines += _remarks(item, record, label, rate, second=joined is not None)
        joined, previous = None, item if isinstance(item, Clip) else None
    return "\n".join(lines) + "\n"


def _taken(clip: Clip) -> int:
    """Source frames that a clip uses."""
    if clip.speed == 0:
        return 1
    return max(round(clip.length * abs(clip.speed)), 1)


def _remarks(clip: Clip, record: int, label: object, rate: Fraction, *, second: bool) -> list[str]:
    assert callable(label)
    lines = []
    if clip.speed != 1:
        lines.append(f"M2   {clip.reel:<8}      {float(clip.speed * rate):05.1f}                {label(clip.source)}")
    lines.append(f"* {'TO' if second else 'FROM'} CLIP NAME: {clip.name}")
    if clip.grade is not None:
        rows = (clip.grade.slope, clip.grade.offset, clip.grade.power)
        sop = "".join(f"({' '.join(f'{v:.{DIGITS}f}' for v in row)})" for row in rows)
        lines += [f"* ASC_SOP {sop}", f"* ASC_SAT {clip.grade.saturation:.{DIGITS}f}"]
    lines += [f"* LOC: {label(record + m.at)} {m.colour:<7} {m.name}".rstrip() for m in clip.markers]
    return lines


# ---------------------------------------------------------------- reading


@dataclass(slots=True, kw_only=True)
class _Event:
    number: str
    reel: str
    channel: str
    kind: str
    length: int
    source: tuple[int, int]
    record: tuple[int, int]
    name: str | None = None
    to_name: str | None = None
    speed: Fraction = Fraction(1)
    locators: list[tuple[int, str, str]]
    freeze: bool = False
    grade: CDL | None = None


def parse(text: str, *, rate: Fraction, losses: Losses) -> Programme:
    """The programme of a list at a rate. Raises NotMedia for impossible times, with the line."""
    events, title, drop = _events(text, rate, losses)
    if not events:
        raise NotMedia("It holds no event.", remedy="Export it as CMX 3600.")
    video = [e for e in events if e.channel.startswith("V") or e.channel in ("B", "AA/V", "A2/V")]
    audio = [e for e in events if e not in video]
    both = [e for e in events if e.channel in ("B", "AA/V", "A2/V")]
    start = min(e.record[0] for e in events)
    tracks = []
    for kind, some in (("video", video), ("audio", audio + both)):
        if some:
            tracks.append(
                Track(kind=kind, items=tuple(_items(some, start, losses, timecode.frames_a_day(rate, drop=drop))))
            )
    return tidy(Programme(name=title, rate=rate, tracks=tuple(tracks), start=start, drop=drop))


def _events(text: str, rate: Fraction, losses: Losses) -> tuple[list[_Event], str, bool]:
    events: list[_Event] = []
    title, drop = "timeline", False
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.strip()
        if plain.startswith("TITLE:"):
            title = plain[6:].strip() or title
        elif plain.startswith("FCM:"):
            drop = "NON" not in plain.upper() and timecode.can_drop(rate)
        elif match := _EVENT.match(line):
            events.append(_event(match, rate, drop, number))
        elif not events or not plain:
            continue
        else:
            _remark(events[-1], plain, rate, losses)
    return events, title, drop


def _event(m: re.Match[str], rate: Fraction, drop: bool, line: int) -> _Event:
    try:
        times = [timecode.frame_of(m[i], rate, drop=drop) for i in (6, 7, 8, 9)]
    except ValueError as error:
        raise NotMedia(
            f"Line {line}: {error}.", remedy="Give the list's own frame rate (--rate), or correct the line."
        ) from error
    for start, end, what in ((times[0], times[1], "source"), (times[2], times[3], "record")):
        if end < start:
            raise NotMedia(f"Line {line}: the {what} ends before it starts.", remedy="Correct the line.")
    return _Event(
        number=m[1], reel=m[2] or "AX", channel=m[3], kind=m[4], length=int(m[5] or 0), source=(times[0], times[1]),
        record=(times[2], times[3]), locators=[],
    )  # fmt: skip


def _remark(event: _Event, plain: str, rate: Fraction, losses: Losses) -> None:
    upper = plain.upper()
    if m := _SPEED.match(plain):
        event.speed = Fraction(m[2]) / rate
        event.freeze = event.speed == 0
    elif m := _LOCATOR.match(plain):
        try:
            place = timecode.frame_of(m[1], rate)
        except ValueError:
            losses.add("markers at impossible times")
        else:
            event.locators.append((place, m[2], m[3].strip()))
    elif m := re.match(r"\*\s*FROM CLIP NAME:\s*(.*)", plain, re.IGNORECASE):
        event.name = m[1].strip()
    elif m := re.match(r"\*\s*TO CLIP NAME:\s*(.*)", plain, re.IGNORECASE):
        event.to_name = m[1].strip()
    elif m := _SOP.match(plain):
        rows = [_rounded(m.groups()[i : i + 3]) for i in (0, 3, 6)]
        before = event.grade or CDL()
        event.grade = replace(before, slope=rows[0], offset=rows[1], power=rows[2])
    elif m := _SAT.match(plain):
        event.grade = replace(event.grade or CDL(), saturation=float(m[1]))
    elif "ASC_SOP" in upper or "ASC_SAT" in upper:
        losses.add("colour corrections (CDL) that cannot be read")


def _items(events: list[_Event], begin: int, losses: Losses, day: int) -> list[Item]:
    items: list[Item] = []
    at = begin
    for event in events:
        if event.record[0] == event.record[1]:
            continue  # the outgoing side of a transition
        if event.record[0] < at:
            raise NotMedia(
                f"Event {event.number} begins before the one before it ends.", remedy="Correct its record times."
            )
        if event.record[0] > at:
            items.append(Gap(length=event.record[0] - at))
        if event.kind != "C":
            wipe = event.kind.startswith("W")
            items.append(
                Transition(before=0, after=event.length, kind="wipe" if wipe else "dissolve",
                           code=event.kind[1:] if wipe else "")
            )  # fmt: skip
        items.append(_item(event, losses, day))
        at = event.record[1]
    return items


def _since(place: int, start: int, day: int) -> int:
    """Frames from `start` to `place`, the shorter way round the day."""
    return (place - start + day // 2) % day - day // 2


def _item(event: _Event, losses: Losses, day: int) -> Item:
    length = event.record[1] - event.record[0]
    if event.reel == "BL":
        return Gap(length=length)
    speed, taken = event.speed, event.source[1] - event.source[0]
    if event.freeze:
        speed = Fraction(0)
    elif speed == 1 and taken != length:
        losses.add("events whose source and record lengths differ; the record's is kept")
    name = (event.to_name if event.kind != "C" else None) or event.name or event.reel
    markers = tuple(
        Marker(
            at=_since(place, event.record[0], day),
            name=text,
            colour=colour.upper() if colour.upper() in COLOURS else "RED",
        )
        for place, colour, text in event.locators
    )
    return Clip(
        name=name, length=length, source=event.source[0], reel=event.reel, speed=speed, markers=markers,
        grade=event.grade,
    )  # fmt: skip
