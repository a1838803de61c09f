"""Final Cut Pro's XML, version 1.12: rational seconds, a spine with things connected to it, lanes.

`offset` is a place in what holds an item, `start` one in the item's own time, which includes its timecode. What is
written keeps to whole frames of the sequence; what is read may not, and is then moved and counted.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any
from urllib.parse import quote

from lxml import etree

from safelight.errors import NotMedia
from safelight.interchange._xml import child, parsed
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
    tidy,
)
from safelight.media import timecode

VERSION = "1.12"
DISSOLVE = "FxPlug:4731E73A-8DAC-4113-9A30-AE85B1761265"
REEL = "com.apple.proapps.studio.reel"


def with_media(programme: Programme, losses: Losses) -> Programme:
    """Every clip with a link and the range of its medium: the union of what is known and used of it."""
    ranges: dict[tuple[str, str | None], tuple[int, int]] = {}
    missing = 0
    for clip in _clips(programme):
        missing += clip.media is None
        used = clip.source, clip.source + max(taken(clip), 1)
        known = clip.media_start, clip.media_length
        if known[0] is not None and known[1] is not None:
            used = min(used[0], known[0]), max(used[1], known[0] + known[1])
        start, end = ranges.get(_key(clip), used)
        ranges[_key(clip)] = min(start, used[0]), max(end, used[1])
    losses.add("clips without a link to media, linked to a file of their name", missing)

    def linked(item: Item) -> Item:
        if not isinstance(item, Clip):
            return item
        start, end = ranges[_key(item)]
        return replace(item, media=_key(item)[0], media_start=start, media_length=end - start)

    tracks = tuple(replace(t, items=tuple(map(linked, t.items))) for t in programme.tracks)
    return replace(programme, tracks=tracks)


def _key(clip: Clip) -> tuple[str, str | None]:
    return clip.media or f"file:///missing/{quote(clip.name or 'clip')}", clip.reel


def taken(clip: Clip) -> int:
    """Source frames that a clip spans, rounded up."""
    span = clip.length * abs(clip.speed)
    return -(-span.numerator // span.denominator)


def _clips(programme: Programme) -> Iterator[Clip]:
    return (i for t in programme.tracks for i in t.items if isinstance(i, Clip))


def carried(programme: Programme, losses: Losses) -> Programme:
    """What the format can hold of a programme."""
    programme = with_media(programme, losses)
    spine = next((t for t in programme.tracks if t.kind == "video"), Track(kind="video", items=()))
    moved, stay = dict[int, list[Marker]](), []
    for marker in programme.markers:
        found = next((n for n, (at, i) in enumerate(placed(spine)) if isinstance(i, Clip)
                      and at <= marker.at < at + i.length), None)  # fmt: skip
        if found is None:
            stay.append(marker)
        else:
            at = placed(spine)[found][0]
            moved.setdefault(found, []).append(replace(marker, at=marker.at - at))
    losses.add("markers of the programme, now on the clip below", sum(map(len, moved.values())))
    tracks = []
    for track in programme.tracks:
        items: list[Item] = []
        for n, item in enumerate(track.items):
            more = tuple(moved.get(n, ())) if track is spine else ()
            items.append(_plain(item, more, losses))
        tracks.append(replace(track, items=tuple(items)))
    losses.add("markers behind the end", sum(m.at >= programme.length for m in stay))
    stay = [m for m in stay if m.at < programme.length]
    return tidy(replace(programme, tracks=tuple(tracks), markers=tuple(_uncoloured(m, losses) for m in stay)))


def _plain(item: Item, more: tuple[Marker, ...], losses: Losses) -> Item:
    if isinstance(item, Transition) and item.kind != "dissolve":
        losses.add("wipes, written as dissolves")
        return replace(item, kind="dissolve", code="")
    if isinstance(item, Clip):
        return replace(item, markers=tuple(_uncoloured(m, losses) for m in (*item.markers, *more)))
    return item


def _uncoloured(marker: Marker, losses: Losses) -> Marker:
    losses.add("colours of markers", marker.colour != "RED")
    return replace(marker, colour="RED")


# ---------------------------------------------------------------- writing


class _Writer:
    def __init__(self, programme: Programme) -> None:
        self.p = programme
        self.assets: dict[tuple[str, str | None], str] = {}
        self.root = etree.Element("fcpxml", version=VERSION)
        self.resources = etree.SubElement(self.root, "resources")
        rate = programme.rate
        etree.SubElement(
            self.resources, "format", id="r1", frameDuration=f"{rate.denominator}/{rate.numerator}s", width="1920",
            height="1080", colorSpace="1-1-1 (Rec. 709)",
        )  # fmt: skip
        self.dissolve: str | None = None

    def time(self, frames: int) -> str:
        return f"{frames * self.p.rate.denominator}/{self.p.rate.numerator}s" if frames else "0s"

    def write(self) -> str:
        p = self.p
        video = [t for t in p.tracks if t.kind == "video"]
        audio = [t for t in p.tracks if t.kind == "audio"]
        for track in p.tracks:
            for item in track.items:
                if isinstance(item, Clip):
                    self.asset(item)
        event = etree.SubElement(etree.SubElement(self.root, "library"), "event", name=p.name)
        sequence = etree.SubElement(
            etree.SubElement(event, "project", name=p.name), "sequence", format="r1", duration=self.time(p.length),
            tcStart=self.time(p.start), tcFormat="DF" if p.drop else "NDF", audioLayout="stereo", audioRate="48k",
        )  # fmt: skip
        spine = etree.SubElement(sequence, "spine")
        items = list(video[0].items) if video else []
        short = p.length - (video[0].length if video else 0)
        if short > 0:
            items.append(Gap(length=short))
        hosts = self.items(spine, items, origin=p.start)
        for lane, track in [*enumerate(video[1:], 1), *((-n, t) for n, t in enumerate(audio, 1))]:
            self.connect(hosts, track, lane)
        for marker in p.markers:
            at, element, start = next(h for h in reversed(hosts) if h[0] <= marker.at)
            self.marker(element, marker, start - at)
        _sort(spine)
        text = etree.tostring(self.root, pretty_print=True, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n\n{text}'

    def asset(self, clip: Clip) -> str:
        key = (str(clip.media), clip.reel)
        if key not in self.assets:
            self.assets[key] = f"r{len(self.assets) + 2}"
            kinds = {t.kind for t in self.p.tracks for i in t.items if isinstance(i, Clip) and (i.media, i.reel) == key}
            facts = {"id": self.assets[key], "name": clip.name, "start": self.time(clip.media_start or 0)}
            facts |= {"duration": self.time(clip.media_length or 1), "format": "r1"}
            facts |= {"hasVideo": "1"} if "video" in kinds else {}
            sound = {"hasAudio": "1", "audioSources": "1", "audioChannels": "2", "audioRate": "48000"}
            asset = etree.SubElement(self.resources, "asset", facts | (sound if "audio" in kinds else {}))
            etree.SubElement(asset, "media-rep", kind="original-media", src=str(clip.media))
            if clip.reel:
                etree.SubElement(etree.SubElement(asset, "metadata"), "md", key=REEL, value=clip.reel)
        return self.assets[key]

    def items(self, parent: Any, items: list[Item], *, origin: int) -> list[tuple[int, Any, int]]:
        """Writes items one after another; returns where each begins, its element and its own start."""
        hosts = []
        for at, item in placed(Track(kind="video", items=tuple(items))):
            if isinstance(item, Transition):
                self.transition(parent, item, origin + at)
            elif isinstance(item, Gap):
                gap = etree.SubElement(
                    parent, "gap", name="Gap", offset=self.time(origin + at), start="0s",
                    duration=self.time(item.length),
                )  # fmt: skip
                hosts.append((at, gap, 0))
            else:
                hosts.append((at, self.clip(parent, item, origin + at, kind="video"), item.source))
        return hosts

    def clip(self, parent: Any, clip: Clip, offset: int, *, kind: str, lane: int = 0) -> Any:
        attributes = {"ref": self.asset(clip), "name": clip.name, "offset": self.time(offset)}
        attributes |= {"start": self.time(clip.source), "duration": self.time(clip.length), "srcEnable": kind}
        attributes |= {"lane": str(lane)} if lane else {}
        attributes |= {} if clip.enabled else {"enabled": "0"}
        element = etree.SubElement(parent, "asset-clip", attributes)
        if clip.speed != 1:
            curve = etree.SubElement(element, "timeMap")
            end = (clip.source + clip.length * clip.speed) / self.p.rate
            for time, value in (
                (self.time(clip.source), self.time(clip.source)),
                (self.time(clip.source + clip.length), f"{end.numerator}/{end.denominator}s"),
            ):
                etree.SubElement(curve, "timept", time=time, value=value, interp="linear")
        for marker in clip.markers:
            self.marker(element, marker, clip.source)
        return element

    def marker(self, parent: Any, marker: Marker, origin: int) -> None:
        attributes = {"start": self.time(origin + marker.at), "duration": self.time(marker.length)}
        attributes |= {"value": marker.name} | ({"note": marker.comment} if marker.comment else {})
        etree.SubElement(parent, "marker", attributes)

    def transition(self, parent: Any, item: Transition, cut: int) -> None:
        if self.dissolve is None:
            self.dissolve = f"r{1000 + len(self.assets)}"
            etree.SubElement(self.resources, "effect", id=self.dissolve, name="Cross Dissolve", uid=DISSOLVE)
        element = etree.SubElement(
            parent, "transition", name="Cross Dissolve", offset=self.time(cut - item.before),
            duration=self.time(item.before + item.after),
        )  # fmt: skip
        etree.SubElement(element, "filter-video", ref=self.dissolve, name="Cross Dissolve")

    def connect(self, hosts: list[tuple[int, Any, int]], track: Track, lane: int) -> None:
        """A track above or below: clip by clip, or, where it has transitions, as a storyline of its own."""
        if any(isinstance(i, Transition) for i in track.items):
            _, element, start = hosts[0]
            line = etree.SubElement(element, "spine", lane=str(lane), offset=self.time(start))
            for at, item in placed(track):
                if isinstance(item, Transition):
                    self.transition(line, item, at)
                elif isinstance(item, Gap):
                    etree.SubElement(line, "gap", name="Gap", offset=self.time(at), start="0s",
                                     duration=self.time(item.length))  # fmt: skip
                else:
                    self.clip(line, item, at, kind=track.kind)
            return
        for at, item in placed(track):
            if isinstance(item, Clip):
                begins, element, start = next(h for h in reversed(hosts) if h[0] <= at)
                self.clip(element, item, start + at - begins, kind=track.kind, lane=lane)


_ORDER = {"note": 0, "conform-rate": 1, "timeMap": 2, "asset-clip": 3, "spine": 3, "gap": 3, "marker": 5}


def _sort(spine: Any) -> None:
    """Children in the order that the format's definition asks for."""
    for element in spine.iter("asset-clip", "gap"):
        element[:] = sorted(element, key=lambda e: _ORDER.get(e.tag, 4))


def text_of(programme: Programme) -> str:
    """The document; the programme must be as `carried` gives it."""
    return _Writer(programme).write()


# ---------------------------------------------------------------- reading


class _Reader:
    def __init__(self, root: Any, losses: Losses) -> None:
        self.losses = losses
        self.formats = {f.get("id"): f for f in root.iter("format")}
        self.assets = {a.get("id"): a for a in root.iter("asset")}
        self.tracks: dict[int, list[tuple[int, int, Item]]] = {}
        self.kinds: dict[int, str] = {}
        self.markers: list[Marker] = []
        self.rate = Fraction(25)

    def frames(self, text: str | None) -> int:
        exact = seconds(text) * self.rate
        if exact.denominator != 1:
            self.losses.add("times between two frames, moved by less than one")
        return (exact + Fraction(1, 2)).__floor__()

    def read(self, root: Any, rate: Fraction | None) -> Programme:
        sequence = next(root.iter("sequence"), None)
        project = next(root.iter("project"), None)
        if project is not None:
            sequence = child(project, "sequence")
        if sequence is None:
            raise NotMedia("It holds clips and no timeline.", remedy="Export the project, not the event.")
        self.rate = rate or self._rate(sequence)
        start = self.frames(sequence.get("tcStart"))
        spine = child(sequence, "spine")
        self.line(spine if spine is not None else etree.Element("spine"), lane=0, shift=self._origin(spine, start))
        lanes = sorted(self.tracks, key=lambda lane: (self.kinds[lane] == "audio", abs(lane)))
        tracks = tuple(Track(kind=self.kinds[lane], items=self._in_line(self.tracks[lane])) for lane in lanes)
        drop = sequence.get("tcFormat") == "DF" and timecode.can_drop(self.rate)
        name = (project.get("name") if project is not None else None) or "timeline"
        return tidy(
            Programme(name=name, rate=self.rate, tracks=tracks, start=start, drop=drop, markers=tuple(self.markers))
        )

    def _rate(self, sequence: Any) -> Fraction:
        found = self.formats.get(sequence.get("format"))
        step = seconds(found.get("frameDuration")) if found is not None else Fraction(0)
        if not step:
            raise NotMedia("It does not say its frame rate.", remedy="Give it: --rate 25.")
        return timecode.exact_rate(1 / step)

    def _origin(self, spine: Any, start: int) -> int:
        """What offsets in the spine count from: the sequence's first label, or 0 where a program left it out."""
        first = spine[0].get("offset") if spine is not None and len(spine) else None
        return start if first is not None and self.frames(first) >= start else 0

    def line(self, line: Any, *, lane: int, shift: int) -> None:
        """Items of a spine; record frame = offset - shift."""
        at = 0
        for element in line:
            if element.tag == "transition":
                begin, length = self.frames(element.get("offset")) - shift, self.frames(element.get("duration"))
                self._put(lane, at, at, Transition(before=at - begin, after=begin + length - at), "video")
                continue
            if element.tag not in ("asset-clip", "clip", "gap", "video", "audio", "ref-clip", "sync-clip", "mc-clip",
                                   "title"):  # fmt: skip
                continue
            offset = element.get("offset")
            at = self.frames(offset) - shift if offset is not None else at
            at = self.one(element, lane, at)

    def one(self, element: Any, lane: int, at: int) -> int:
        """An item at record frame `at`, and what is connected to it; where it ends."""
        length, start = self._length(element), self.frames(element.get("start"))
        if element.tag == "gap":
            for marker in element.findall("marker"):
                self.markers.append(self.marker(marker, start - at))
        else:
            kind = self._kind(element, lane)
            self._put(lane, at, at + length, self.clip(element, length, start), kind)
        for connected in element:
            below = connected.get("lane")
            if below is None:
                continue
            place = at + self.frames(connected.get("offset")) - start
            if connected.tag == "spine":
                self.line(connected, lane=int(below), shift=-place)
            else:
                self.one(connected, int(below), place)
        return at + length

    def _length(self, element: Any) -> int:
        if element.get("duration") is not None:
            return self.frames(element.get("duration"))
        asset = self.assets.get(element.get("ref"))
        return self.frames(asset.get("duration")) if asset is not None else 0

    def _kind(self, element: Any, lane: int) -> str:
        enabled = element.get("srcEnable")
        if enabled in ("audio", "video"):
            return str(enabled)
        return "audio" if lane < 0 else "video"

    def clip(self, element: Any, length: int, start: int) -> Clip:
        inner = element if element.get("ref") else next((e for e in element.iter() if e.get("ref") in self.assets),
                                                        element)  # fmt: skip
        asset = self.assets.get(inner.get("ref"))
        speed, source = self._speed(element, start)
        media = reel = None
        known: tuple[int | None, int | None] = (None, None)
        if asset is not None:
            rep = child(asset, "media-rep")
            media = asset.get("src") or (rep.get("src") if rep is not None else None)
            reel = next((md.get("value") for md in asset.iter("md") if md.get("key") == REEL), None)
            known = self.frames(asset.get("start")), self.frames(asset.get("duration"))
        else:
            self.losses.add("compound, multicam or title clips, read without their contents")
        if element.get("start") is None and asset is not None and element.tag == "asset-clip":
            source = known[0] or 0
        return Clip(
            name=element.get("name") or "", length=length, source=source, media=media, reel=reel, speed=speed,
            media_start=known[0], media_length=known[1], enabled=element.get("enabled") != "0",
            markers=tuple(self.marker(m, start) for m in element.findall("marker")),
        )  # fmt: skip

    def _speed(self, element: Any, start: int) -> tuple[Fraction, int]:
        curve = child(element, "timeMap")
        if curve is None or len(curve) < 2:
            return Fraction(1), start
        times = [seconds(p.get("time")) for p in curve]
        values = [seconds(p.get("value")) for p in curve]
        if len(curve) > 2:
            self.losses.add("variable speeds, read as their mean")
        speed = (values[-1] - values[0]) / (times[-1] - times[0]) if times[-1] != times[0] else Fraction(1)
        source = (values[0] + (start / self.rate - times[0]) * speed) * self.rate
        return speed, (source + Fraction(1, 2)).__floor__()

    def marker(self, element: Any, origin: int) -> Marker:
        return Marker(
            at=self.frames(element.get("start")) - origin, length=max(self.frames(element.get("duration")), 1),
            name=element.get("value") or "", comment=element.get("note") or "",
        )  # fmt: skip

    def _put(self, lane: int, start: int, end: int, item: Item, kind: str) -> None:
        self.tracks.setdefault(lane, []).append((start, end, item))
        if isinstance(item, Clip):
            self.kinds[lane] = kind
        self.kinds.setdefault(lane, kind)

    def _in_line(self, found: list[tuple[int, int, Item]]) -> tuple[Item, ...]:
        """Items by place, with gaps between them."""
        items: list[Item] = []
        at = 0
        for start, end, item in sorted(found, key=lambda f: f[0]):
            if start < at:
                self.losses.add("clips of one lane that lie over each other, left out")
                continue
            if start > at:
                items.append(Gap(length=start - at))
            items.append(item)
            at = end
        return tuple(items)


def seconds(text: str | None) -> Fraction:
    """`1001/30000s`, `5s`, `3.2s`; 0 where there is none. Raises NotMedia."""
    if not text:
        return Fraction(0)
    try:
        return Fraction(text.strip().removesuffix("s"))
    except (ValueError, ZeroDivisionError):
        raise NotMedia(f"{text!r} is no time.", remedy="Export it anew.") from None


def parse(data: bytes, *, losses: Losses, rate: Fraction | None = None) -> Programme:
    """The first project of a document. Raises NotMedia where there is none."""
    root = parsed(data, "fcpxml")
    return _Reader(root, losses).read(root, rate)
