"""MLT's XML, which Shotcut, Kdenlive and the command `melt` open: a playlist a track, frames from each file's first.

Frame numbers are inclusive at both ends there.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from safelight.errors import NotMedia
from safelight.interchange import fcpxml
from safelight.interchange._xml import parsed
from safelight.interchange.programme import Clip, Gap, Item, Losses, Programme, Track, Transition, tidy
from safelight.media import timecode

OURS = "safelight:"  # properties that MLT passes over


def carried(programme: Programme, losses: Losses) -> Programme:
    """What the format can hold of a programme."""
    programme = fcpxml.with_media(programme, losses)
    losses.add("markers of the programme", len(programme.markers))
    tracks = []
    for track in programme.tracks:
        items: list[Item] = []
        for item in track.items:
            if isinstance(item, Transition):
                losses.add("transitions, written as cuts")
            else:
                items.append(_plain(item, losses))
        tracks.append(replace(track, items=tuple(items)))
    losses.add("the timecode that the programme begins with", programme.start != 0)
    return tidy(replace(programme, tracks=tuple(tracks), markers=(), start=0, drop=False))


def _plain(item: Clip | Gap, losses: Losses) -> Clip | Gap:
    if isinstance(item, Gap):
        return item
    losses.add("markers on clips", len(item.markers))
    losses.add("clips that are switched off, written as gaps", not item.enabled)
    if not item.enabled:
        return Gap(length=item.length)
    speed, source, begin = item.speed, item.source, item.media_start or 0
    if speed != 1:
        losses.add("held frames and changes of speed, written as they are shot")
    return replace(item, speed=Fraction(1), source=max(source, begin), markers=())


def text_of(programme: Programme) -> str:
    """The document; the programme must be as `carried` gives it."""
    rate = programme.rate
    root = etree.Element("mlt", LC_NUMERIC="C", producer="main", title=programme.name)
    etree.SubElement(
        root, "profile", width="1920", height="1080", progressive="1", sample_aspect_num="1", sample_aspect_den="1",
        display_aspect_num="16", display_aspect_den="9", frame_rate_num=str(rate.numerator),
        frame_rate_den=str(rate.denominator), colorspace="709",
    )  # fmt: skip
    producers: dict[tuple[str, str | None], str] = {}
    for clip in (i for t in programme.tracks for i in t.items if isinstance(i, Clip)):
        key = (str(clip.media), clip.reel)
        if key not in producers:
            producers[key] = f"producer{len(producers)}"
            last = str((clip.media_length or 1) - 1)
            element = etree.SubElement(root, "producer", {"id": producers[key], "in": "0", "out": last})
            _property(element, "length", clip.media_length)
            _property(element, "resource", unquote(urlsplit(str(clip.media)).path))
            _property(element, "mlt_service", "avformat-novalidate")
            _property(element, f"{OURS}start", clip.media_start)
            _property(element, f"{OURS}length", clip.media_length)
            if clip.reel is not None:
                _property(element, f"{OURS}reel", clip.reel)
    for n, track in enumerate(programme.tracks):
        playlist = etree.SubElement(root, "playlist", id=f"playlist{n}")
        for item in track.items:
            if isinstance(item, Transition):
                continue
            if isinstance(item, Clip):
                first = item.source - (item.media_start or 0)
                producer = producers[str(item.media), item.reel]
                entry = etree.SubElement(playlist, "entry", {
                    "producer": producer, "in": str(first), "out": str(first + item.length - 1)
                })  # fmt: skip
                _property(entry, f"{OURS}name", item.name)
            else:
                etree.SubElement(playlist, "blank", length=str(item.length))
    end = str(max(programme.length - 1, 0))
    ground = etree.SubElement(root, "producer", {"id": "ground", "in": "0", "out": end})  # else gaps are white
    _property(ground, "length", programme.length)
    _property(ground, "mlt_service", "color")
    _property(ground, "resource", "black")
    tractor = etree.SubElement(root, "tractor", {"id": "main", "in": "0", "out": end})
    etree.SubElement(tractor, "track", producer="ground")
    for n, track in enumerate(programme.tracks):
        hide = "audio" if track.kind == "video" else "video"
        etree.SubElement(tractor, "track", producer=f"playlist{n}", hide=hide)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + etree.tostring(root, pretty_print=True, encoding="unicode")


def _property(parent: Any, name: str, value: object) -> None:
    etree.SubElement(parent, "property", name=name).text = str(value)


def _said(element: Any, name: str) -> str | None:
    return next((p.text or "" for p in element.findall("property") if p.get("name") == name), None)


def parse(data: bytes, *, losses: Losses) -> Programme:
    """The programme of a document whose times are frames. Raises NotMedia."""
    root = parsed(data, "mlt")
    profile, tractor = root.find("profile"), root.find("tractor")
    if profile is None or tractor is None:
        raise NotMedia("It holds no profile or no tracks.", remedy="Save the project anew.")
    try:
        rate = timecode.exact_rate(Fraction(int(profile.get("frame_rate_num")), int(profile.get("frame_rate_den"))))
        tracks = [_track(root, element, losses) for element in tractor.findall("track")]
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise NotMedia(f"Its times cannot be read: {error}.", remedy="Save the project with times in frames.") from None
    return tidy(Programme(name=root.get("title") or "timeline", rate=rate, tracks=tuple(tracks)))


def _track(root: Any, element: Any, losses: Losses) -> Track:
    playlist = next((p for p in root.findall("playlist") if p.get("id") == element.get("producer")), None)
    items: list[Item] = []
    for entry in playlist if playlist is not None else ():
        if entry.tag == "blank":
            items.append(Gap(length=int(entry.get("length"))))
        elif entry.tag == "entry":
            items.append(_clip(root, entry, losses))
    return Track(kind="audio" if element.get("hide") == "video" else "video", items=tuple(items))


def _clip(root: Any, entry: Any, losses: Losses) -> Clip:
    producer = next((p for p in root.iter("producer", "chain") if p.get("id") == entry.get("producer")), None)
    first, last = int(entry.get("in")), int(entry.get("out"))
    if producer is None:
        losses.add("clips without a producer")
        return Clip(name=entry.get("producer") or "", length=last - first + 1, source=first)
    start, length = int(_said(producer, f"{OURS}start") or 0), _said(producer, f"{OURS}length")
    resource = _said(producer, "resource") or ""
    return Clip(
        name=_said(entry, f"{OURS}name") or resource.rsplit("/", 1)[-1], length=last - first + 1, source=start + first,
        media=f"file://{quote(resource)}", reel=_said(producer, f"{OURS}reel"), media_start=start,
        media_length=int(length) if length else None,
    )  # fmt: skip
