"""Final Cut Pro 7's XML (xmeml 5), which Premiere and Resolve read: whole frames, ends exclusive.

`in` and `out` count from the first frame of the file; where a transition joins, `start` or `end` is -1 and the clip
reaches to the transition's far side.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from lxml import etree

from safelight.errors import NotMedia
from safelight.interchange import fcpxml
from safelight.interchange._xml import child, parsed
from safelight.interchange.programme import Clip, Gap, Item, Losses, Marker, Programme, Track, Transition, placed, tidy
from safelight.media import timecode

VERSION = "5"


def carried(programme: Programme, losses: Losses) -> Programme:
    """What the format can hold of a programme."""
    programme = fcpxml.with_media(programme, losses)
    if not rate_is_written(programme.rate):
        raise NotMedia(f"xmeml has no rate of {programme.rate}.", remedy="Write OTIO or FCPXML.")
    tracks = [replace(t, items=tuple(_plain(i, losses) for i in t.items)) for t in programme.tracks]
    markers = tuple(_uncoloured(m, losses) for m in programme.markers)
    return tidy(replace(programme, tracks=tuple(tracks), markers=markers))


def rate_is_written(rate: Fraction) -> bool:
    """Whether timebase and `ntsc` can say it."""
    return rate.denominator == 1 or rate == timecode.nominal(rate) * timecode.NTSC


def _plain(item: Item, losses: Losses) -> Item:
    if isinstance(item, Transition):
        if item.kind != "dissolve":
            losses.add("wipes, written as dissolves")
        total = item.before + item.after
        if item.before and item.after and item.before != total // 2:
            losses.add("transitions off the middle of their cut, moved to it")
            item = replace(item, before=total // 2, after=total - total // 2)
        return replace(item, kind="dissolve", code="")
    if isinstance(item, Clip):
        speed, source = item.speed, item.source
        if speed not in (0, 1):
            speed = Fraction(round(speed * 10000), 10000)
            source = (item.media_start or 0) + _back(_forth(source - (item.media_start or 0), speed), speed)
            losses.add("speeds and their first frames, rounded", (speed, source) != (item.speed, item.source))
        return replace(item, speed=speed, source=source, markers=tuple(_uncoloured(m, losses) for m in item.markers))
    return item


def _forth(frames: int, speed: Fraction) -> int:
    return round(frames / speed)


def _back(frames: int, speed: Fraction) -> int:
    return round(frames * speed)


def _uncoloured(marker: Marker, losses: Losses) -> Marker:
    losses.add("colours of markers", marker.colour != "RED")
    return replace(marker, colour="RED")


# ---------------------------------------------------------------- writing


def _add(parent: Any, tag: str, text: object = None, **attributes: str) -> Any:
    element = etree.SubElement(parent, tag, attributes)
    if text is not None:
        element.text = str(text)
    return element


class _Writer:
    def __init__(self, programme: Programme) -> None:
        self.p = programme
        self.files: dict[tuple[str, str | None], str] = {}
        self.ids: dict[tuple[int, int], str] = {}

    def rate(self, parent: Any) -> None:
        element = _add(parent, "rate")
        _add(element, "timebase", timecode.nominal(self.p.rate))
        _add(element, "ntsc", "TRUE" if self.p.rate.denominator != 1 else "FALSE")

    def timecode(self, parent: Any, frame: int) -> Any:
        element = _add(parent, "timecode")
        self.rate(element)
        _add(element, "string", timecode.label_of(frame, self.p.rate, drop=self.p.drop))
        _add(element, "frame", frame)
        _add(element, "displayformat", "DF" if self.p.drop else "NDF")
        return element

    def write(self) -> str:
        p = self.p
        root = etree.Element("xmeml", version=VERSION)
        sequence = _add(root, "sequence", id="sequence-1")
        _add(sequence, "name", p.name)
        _add(sequence, "duration", p.length)
        self.rate(sequence)
        self.timecode(sequence, p.start)
        media = _add(sequence, "media")
        for kind in ("video", "audio"):
            part = _add(media, kind)
            if kind == "video":
                self.characteristics(_add(part, "format"))
            for n, track in enumerate(p.tracks):
                if track.kind == kind:
                    self.track(_add(part, "track"), track, n)
        for marker in p.markers:
            self.marker(sequence, marker, 0)
        self.links(root)
        text = etree.tostring(root, pretty_print=True, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n{text}'

    def characteristics(self, parent: Any) -> None:
        element = _add(parent, "samplecharacteristics")
        self.rate(element)
        for tag, value in (("width", 1920), ("height", 1080), ("anamorphic", "FALSE"),
                           ("pixelaspectratio", "square"), ("fielddominance", "none")):  # fmt: skip
            _add(element, tag, value)

    def track(self, parent: Any, track: Track, number: int) -> None:
        found = placed(track)
        for n, (at, item) in enumerate(found):
            if isinstance(item, Transition):
                self.transition(parent, item, at)
            elif isinstance(item, Clip):
                before = found[n - 1][1] if n else None
                after = found[n + 1][1] if n + 1 < len(found) else None
                self.clip(parent, item, at, (before, after), f"clipitem-{number + 1}-{n + 1}", track.kind)

    def transition(self, parent: Any, item: Transition, cut: int) -> None:
        element = _add(parent, "transitionitem")
        _add(element, "start", cut - item.before)
        _add(element, "end", cut + item.after)
        _add(element, "alignment", "start" if not item.before else "end" if not item.after else "center")
        self.rate(element)
        effect = _add(element, "effect")
        for tag, value in (("name", "Cross Dissolve"), ("effectid", "Cross Dissolve"),
                           ("effectcategory", "Dissolve"), ("effecttype", "transition"),
                           ("mediatype", "video")):  # fmt: skip
            _add(effect, tag, value)

    def clip(
        self, parent: Any, clip: Clip, at: int, sides: tuple[Item | None, Item | None], name: str, kind: str
    ) -> None:
        head = sides[0].before if isinstance(sides[0], Transition) else 0
        tail = sides[1].after if isinstance(sides[1], Transition) else 0
        element = _add(parent, "clipitem", id=name)
        _add(element, "name", clip.name)
        _add(element, "enabled", "TRUE" if clip.enabled else "FALSE")
        _add(element, "duration", clip.media_length)
        self.rate(element)
        _add(element, "start", -1 if isinstance(sides[0], Transition) else at)
        _add(element, "end", -1 if isinstance(sides[1], Transition) else at + clip.length)
        begin = clip.source - (clip.media_start or 0)
        begin = begin if clip.speed in (0, 1) else _forth(begin, clip.speed)
        _add(element, "in", begin - head)
        _add(element, "out", begin + clip.length + tail)
        if clip.speed == 0:
            _add(element, "stillframe", "TRUE")
        self.file(element, clip)
        if clip.speed not in (0, 1):
            self.speed(element, clip.speed, kind)
        for marker in clip.markers:
            self.marker(element, marker, begin)
        _add(_add(element, "sourcetrack"), "mediatype", kind)

    def file(self, parent: Any, clip: Clip) -> None:
        key = (str(clip.media), clip.reel)
        if key in self.files:
            _add(parent, "file", id=self.files[key])
            return
        self.files[key] = f"file-{len(self.files) + 1}"
        element = _add(parent, "file", id=self.files[key])
        _add(element, "name", clip.name)
        _add(element, "pathurl", str(clip.media).replace("file:///", "file://localhost/", 1))
        self.rate(element)
        _add(element, "duration", clip.media_length)
        label = self.timecode(element, clip.media_start or 0)
        if clip.reel:
            _add(_add(label, "reel"), "name", clip.reel)
        media = _add(element, "media")
        kinds = {t.kind for t in self.p.tracks for i in t.items if isinstance(i, Clip) and (i.media, i.reel) == key}
        if "video" in kinds:
            self.characteristics(_add(media, "video"))
        if "audio" in kinds:
            sound = _add(_add(media, "audio"), "samplecharacteristics")
            _add(sound, "depth", 16)
            _add(sound, "samplerate", 48000)

    def speed(self, parent: Any, speed: Fraction, kind: str) -> None:
        effect = _add(_add(parent, "filter"), "effect")
        for tag, value in (("name", "Time Remap"), ("effectid", "timeremap"), ("effectcategory", "motion"),
                           ("effecttype", "motion"), ("mediatype", kind)):  # fmt: skip
            _add(effect, tag, value)
        for identity, text in (("variablespeed", "0"), ("speed", _decimal(abs(speed) * 100)),
                               ("reverse", "TRUE" if speed < 0 else "FALSE")):  # fmt: skip
            parameter = _add(effect, "parameter")
            _add(parameter, "parameterid", identity)
            _add(parameter, "name", identity)
            _add(parameter, "value", text)

    def marker(self, parent: Any, marker: Marker, origin: int) -> None:
        element = _add(parent, "marker")
        _add(element, "comment", marker.comment)
        _add(element, "name", marker.name)
        _add(element, "in", origin + marker.at)
        _add(element, "out", -1 if marker.length == 1 else origin + marker.at + marker.length)

    def links(self, root: Any) -> None:
        """Ties picture and sound of one file that lie at one place in step; they may begin and end apart."""
        items = root.findall(".//clipitem")
        in_step: dict[tuple[str, int], list[Any]] = {}
        for item in items:
            start, end, first = (_number(item, tag) for tag in ("start", "end", "in"))
            if -1 not in (start, end):
                in_step.setdefault((item.find("file").get("id"), start - first), []).append(item)
        for together in (some for alike in in_step.values() for some in _overlapping(alike)):
            if len({i.findtext("sourcetrack/mediatype") for i in together}) < 2:
                continue
            for item in together:
                for other in together:
                    link = _add(item, "link")
                    _add(link, "linkclipref", other.get("id"))
                    _add(link, "mediatype", other.findtext("sourcetrack/mediatype"))


def _overlapping(items: list[Any]) -> list[list[Any]]:
    """Clip items in groups of those that play at one time."""
    groups: list[list[Any]] = []
    last = 0
    for item in sorted(items, key=lambda i: _number(i, "start")):
        if groups and _number(item, "start") < last:
            groups[-1].append(item)
        else:
            groups.append([item])
        last = max(last, _number(item, "end"))
    return groups


def _decimal(value: Fraction) -> str:
    return f"{float(value):.4f}".rstrip("0").rstrip(".")


def text_of(programme: Programme) -> str:
    """The document; the programme must be as `carried` gives it."""
    return _Writer(programme).write()


# ---------------------------------------------------------------- reading


class _Reader:
    def __init__(self, root: Any, losses: Losses, rate: Fraction) -> None:
        self.losses, self.base = losses, rate
        self.files = {f.get("id"): f for f in root.iter("file") if len(f)}

    def track(self, element: Any, kind: str) -> Track:
        found = [e for e in element if e.tag in ("clipitem", "generatoritem", "transitionitem")]
        items: list[Item] = []
        at = 0
        for n, item in enumerate(found):
            if item.tag == "transitionitem":
                cut = self.cut(item)
                start, end = _number(item, "start"), _number(item, "end")
                items += [Gap(length=cut - at)] if cut > at else []
                at = max(at, cut)
                items.append(Transition(before=cut - start, after=end - cut))
                continue
            before, after = (found[n - 1] if n else None), (found[n + 1] if n + 1 < len(found) else None)
            start, end, head = self.place(item, before, after)
            if start < at:
                raise NotMedia(f"{item.findtext('name')} begins before the clip before it ends.",
                               remedy="Export it anew.")  # fmt: skip
            items += [Gap(length=start - at)] if start > at else []
            items.append(self.clip(item, end - start, head))
            at = end
        return Track(kind=kind, items=tuple(items))

    def cut(self, item: Any) -> int:
        start, end = _number(item, "start"), _number(item, "end")
        where = (item.findtext("alignment") or "center").split("-")[0]
        return start if where == "start" else end if where == "end" else start + (end - start) // 2

    def place(self, item: Any, before: Any, after: Any) -> tuple[int, int, int]:
        """Record start and end at the cuts, and by how many frames `in` lies before the start."""
        start, end, head = _number(item, "start"), _number(item, "end"), 0
        if start == -1 and before is not None and before.tag == "transitionitem":
            start = self.cut(before)
            head = start - _number(before, "start")
        if end == -1 and after is not None and after.tag == "transitionitem":
            end = self.cut(after)
        if start < 0 or end < start:
            raise NotMedia(f"{item.findtext('name')} has no usable place in the sequence.", remedy="Export it anew.")
        return start, end, head

    def clip(self, item: Any, length: int, head: int) -> Clip:
        reference = item.find("file")
        file = self.files.get(reference.get("id")) if reference is not None else None
        begin = _number(item, "in") + head
        media_start = media_length = None
        media = reel = None
        if file is not None:
            media = (file.findtext("pathurl") or "").replace("file://localhost/", "file:///", 1) or None
            media_start = int(file.findtext("timecode/frame") or 0)
            media_length = int(file.findtext("duration") or 0) or None
            reel = file.findtext("timecode/reel/name")
        speed = self.speed(item)
        offset = begin if speed in (0, 1) else _back(begin, speed)
        return Clip(
            name=item.findtext("name") or "", length=length, source=(media_start or 0) + offset, media=media, reel=reel,
            media_start=media_start, media_length=media_length, speed=speed,
            enabled=(item.findtext("enabled") or "TRUE").upper() != "FALSE",
            markers=tuple(_marker(m, begin) for m in item.findall("marker")),
        )  # fmt: skip

    def speed(self, item: Any) -> Fraction:
        if (item.findtext("stillframe") or "").upper() == "TRUE":
            return Fraction(0)
        for effect in item.findall("filter/effect"):
            if (effect.findtext("effectid") or "") != "timeremap":
                self.losses.add("effects")
                continue
            values = {p.findtext("parameterid"): p.findtext("value") for p in effect.findall("parameter")}
            if (values.get("variablespeed") or "0") not in ("0", "FALSE"):
                self.losses.add("variable speeds, read as constant")
            speed = Fraction(str(values.get("speed") or "100")) / 100
            return -speed if (values.get("reverse") or "").upper() == "TRUE" else speed
        return Fraction(1)


def _number(element: Any, tag: str) -> int:
    text = element.findtext(tag)
    try:
        return int(str(text))
    except ValueError:
        raise NotMedia(f"{text!r} is no frame number ({tag}).", remedy="Export it anew.") from None


def _marker(element: Any, origin: int) -> Marker:
    start, end = _number(element, "in"), _number(element, "out")
    return Marker(
        at=start - origin, length=max(end - start, 1) if end != -1 else 1, name=element.findtext("name") or "",
        comment=element.findtext("comment") or "",
    )  # fmt: skip


def parse(data: bytes, *, losses: Losses) -> Programme:
    """The first sequence of a document. Raises NotMedia where there is none."""
    root = parsed(data, "xmeml")
    sequence = next(root.iter("sequence"), None)
    if sequence is None:
        raise NotMedia("It holds no sequence.", remedy="Export the sequence.")
    base = int(sequence.findtext("rate/timebase") or 0)
    ntsc = (sequence.findtext("rate/ntsc") or "").upper() == "TRUE"
    if base <= 0:
        raise NotMedia("It does not say its frame rate.", remedy="Export it anew.")
    rate = base * timecode.NTSC if ntsc else Fraction(base)
    reader = _Reader(root, losses, rate)
    tracks = [
        reader.track(track, kind) for kind in ("video", "audio") for track in sequence.findall(f"media/{kind}/track")
    ]
    label = child(sequence, "timecode")
    drop = label is not None and label.findtext("displayformat") == "DF" and timecode.can_drop(rate)
    start = int(label.findtext("frame") or 0) if label is not None else 0
    return tidy(
        Programme(
            name=sequence.findtext("name") or "timeline",
            rate=rate,
            tracks=tuple(tracks),
            start=start,
            drop=drop,
            markers=tuple(_marker(m, 0) for m in sequence.findall("marker")),
        )
    )  # fmt: skip
