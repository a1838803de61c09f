"""OpenTimelineIO documents, which timelines are kept in, to and from whole frames.

Rates are floating-point numbers there; the exact ones that are meant are taken. Our own facts lie under
`metadata["safelight"]` and nowhere else. Documents are written as schema versions that 0.18 reads (Clip.2, Marker.2).
"""

import contextlib
import json
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from safelight.errors import NotMedia, Unsupported
from safelight.interchange.programme import Clip, Gap, Item, Losses, Marker, Programme, Track, Transition, tidy
from safelight.media import timecode
from safelight.media.effects import CDL

OURS = "safelight"
NEWER = {"Marker.3": "Marker.2", "Clip.3": "Clip.2"}


def loads(text: str) -> tuple[Any, list[str]]:
    """The timeline of a document, and notes. Raises NotMedia and Unsupported."""
    notes: list[str] = []
    try:
        plain = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise NotMedia(f"It is no OpenTimelineIO document: {error}.", remedy="Export it anew.") from error
    newer = _older(plain)
    if newer:
        notes.append(f"{newer} parts are of a newer version and were read as the older one.")
    try:
        found = otio.adapters.read_from_string(json.dumps(plain), "otio_json")
    except otio.exceptions.OTIOError as error:
        raise Unsupported(f"It cannot be read: {error}.", remedy="Export it for OpenTimelineIO 0.18.") from error
    if not isinstance(found, otio.schema.Timeline):
        raise NotMedia("It holds no timeline.", remedy="Export the timeline, not a bin or a clip.")
    return found, notes


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _older(value: Any) -> int:
    """Rewrites parts of versions that are too new; how many."""
    count = 0
    if isinstance(value, dict):
        schema = NEWER.get(str(value.get("OTIO_SCHEMA")))
        if schema:
            value["OTIO_SCHEMA"] = schema
            count += 1
        colour = value.get("color")
        if isinstance(colour, dict):
            value["color"] = str(colour.get("name") or "RED").upper()
        elif "color" in value and colour is None:
            del value["color"]
        return count + sum(_older(v) for v in value.values())
    return sum(_older(v) for v in value) if isinstance(value, list) else 0


def dumps(timeline: Any) -> str:
    """The document."""
    text: str = otio.adapters.write_to_string(timeline, "otio_json", target_schema_versions={"Clip": 2, "Marker": 2})
    json.loads(text, parse_constant=_refuse)
    return text


# ---------------------------------------------------------------- to frames


class _Reader:
    """Counts one timeline at one rate."""

    def __init__(self, rate: Fraction, losses: Losses) -> None:
        self.rate, self.losses = rate, losses

    def frames(self, time: Any) -> int:
        """A time as whole frames of the programme; what lies between two is moved and counted."""
        exact = Fraction(time.value).limit_denominator(10**6) * self.rate / _rate(time.rate, self.rate)
        if exact.denominator != 1:
            self.losses.add("times between two frames of the programme, moved by less than one")
        return (exact + Fraction(1, 2)).__floor__()

    def item(self, item: Any) -> Item | None:
        if isinstance(item, otio.schema.Transition):
            name = str(item.transition_type)
            wipe = name != otio.schema.TransitionTypes.SMPTE_Dissolve
            code = str(item.metadata.get("cmx_3600", {}).get("wipe", item.metadata.get(OURS, {}).get("wipe", "")))
            return Transition(
                before=self.frames(item.in_offset), after=self.frames(item.out_offset),
                kind="wipe" if wipe else "dissolve", code=(code or "001") if wipe else "",
            )  # fmt: skip
        try:
            length = self.frames(item.duration())
        except (otio.exceptions.OTIOError, NotImplementedError):
            raise NotMedia(
                f"{item.name or 'A clip'!s} has neither a range nor a medium of known length.",
                remedy="Link its media and export again.",
            ) from None
        if isinstance(item, otio.schema.Gap):
            return Gap(length=length)
        if not isinstance(item, otio.schema.Clip):
            self.losses.add("nested timelines, kept as empty clips")
            return Clip(name=item.name or "nested", length=length, source=0)
        return self.clip(item, length)

    def clip(self, item: Any, length: int) -> Clip:
        reference, speed = item.media_reference, Fraction(1)
        for effect in item.effects:
            if isinstance(effect, otio.schema.FreezeFrame):
                speed = Fraction(0)
            elif isinstance(effect, otio.schema.LinearTimeWarp):
                speed = Fraction(effect.time_scalar).limit_denominator(10000)
            else:
                self.losses.add("effects")
        available = reference.available_range if reference is not None else None
        source = (item.source_range or item.available_range()).start_time
        own = item.metadata.get(OURS, {})
        reel = own.get("reel") or item.metadata.get("cmx_3600", {}).get("reel")
        start = self.frames(source)
        return Clip(
            name=item.name or "", length=length, source=start, reel=str(reel) if reel else None,
            media=getattr(reference, "target_url", None) or None,
            media_start=self.frames(available.start_time) if available else None,
            media_length=self.frames(available.duration) if available else None, speed=speed,
            enabled=bool(item.enabled), grade=self.grade(item.metadata.get("cdl")),
            markers=tuple(self.marker(m, origin=start) for m in item.markers),
        )  # fmt: skip

    def grade(self, told: Any) -> CDL | None:
        """A grade as OpenTimelineIO's own reader of lists keeps it; what is none is counted."""
        if told is None:
            return None
        try:
            sop = told["asc_sop"]
            slope, offset, power = (_three(sop[name]) for name in ("slope", "offset", "power"))
            return CDL(slope=slope, offset=offset, power=power, saturation=float(told.get("asc_sat", 1.0)))
        except (KeyError, TypeError, ValueError):
            self.losses.add("colour corrections that are no ASC CDL")
            return None

    def marker(self, marker: Any, *, origin: int) -> Marker:
        length = max(self.frames(marker.marked_range.duration), 1)
        return Marker(
            at=self.frames(marker.marked_range.start_time) - origin, length=length, name=marker.name or "",
            comment=str(getattr(marker, "comment", "") or ""), colour=str(marker.color or "RED"),
        )  # fmt: skip


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in values)
    return red, green, blue


def _rate(value: float, default: Fraction) -> Fraction:
    if value == 1.0:
        return Fraction(1)
    try:
        return timecode.exact_rate(value)
    except ValueError:
        return Fraction(value).limit_denominator(1001) if value > 0 else default


def rate_of(timeline: Any) -> Fraction | None:
    """The rate that a timeline counts in."""
    if timeline.global_start_time is not None:
        with contextlib.suppress(ValueError):
            return timecode.exact_rate(timeline.global_start_time.rate)
    for kind in (timeline.video_tracks(), timeline.audio_tracks()):
        for track in kind:
            for item in track:
                with contextlib.suppress(otio.exceptions.OTIOError, NotImplementedError, ValueError, AttributeError):
                    return timecode.exact_rate(item.duration().rate)
    return None


def programme_of(timeline: Any, losses: Losses, *, rate: Fraction | None = None) -> Programme:
    """The timeline in whole frames. Raises NotMedia where its rate or a clip's length cannot be told."""
    rate = rate or rate_of(timeline)
    if rate is None:
        raise NotMedia("It does not say its frame rate.", remedy="Give it: --rate 25.")
    reader, tracks = _Reader(rate, losses), []
    for track in timeline.tracks:
        if not isinstance(track, otio.schema.Track):
            losses.add("nested timelines, left out")
            continue
        items = [found for item in track if (found := reader.item(item)) is not None]
        tracks.append(Track(kind="audio" if track.kind == otio.schema.TrackKind.Audio else "video", items=tuple(items)))
    start = reader.frames(timeline.global_start_time) if timeline.global_start_time is not None else 0
    own = timeline.metadata.get(OURS, {})
    return tidy(
        Programme(
            name=timeline.name or "timeline",
            rate=rate,
            tracks=tuple(tracks),
            start=start,
            drop=bool(own.get("drop", False)) and timecode.can_drop(rate),
            markers=tuple(reader.marker(m, origin=0) for m in timeline.tracks.markers),
        )
    )  # fmt: skip


# ---------------------------------------------------------------- from frames


class _Writer:
    """Makes the parts of a document at one rate."""

    def __init__(self, rate: Fraction) -> None:
        self.rate = float(rate)

    def time(self, frames: int) -> Any:
        return otio.opentime.RationalTime(frames, self.rate)

    def span(self, start: int, length: int) -> Any:
        return otio.opentime.TimeRange(self.time(start), self.time(length))

    def marker(self, m: Marker, origin: int) -> Any:
        where = self.span(origin + m.at, m.length)
        return otio.schema.Marker(name=m.name, marked_range=where, color=m.colour, comment=m.comment)

    def item(self, item: Item) -> Any:
        if isinstance(item, Gap):
            return otio.schema.Gap(source_range=self.span(0, item.length))
        if isinstance(item, Clip):
            return self.clip(item)
        dissolve = item.kind == "dissolve"
        return otio.schema.Transition(
            transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve if dissolve else "SMPTE_Wipe",
            in_offset=self.time(item.before), out_offset=self.time(item.after),
            metadata={} if dissolve else {OURS: {"wipe": item.code}},
        )  # fmt: skip

    def clip(self, c: Clip) -> Any:
        known = c.media_start is not None and c.media_length is not None
        available = self.span(c.media_start or 0, c.media_length or 0) if known else None
        made = otio.schema.Clip(
            name=c.name, source_range=self.span(c.source, c.length), effects=_effects(c.speed),
            media_reference=otio.schema.ExternalReference(target_url=c.media, available_range=available)
            if c.media else otio.schema.MissingReference(available_range=available),
            markers=[self.marker(m, c.source) for m in c.markers], metadata={OURS: {"reel": c.reel}} if c.reel else {},
        )  # fmt: skip
        made.enabled = c.enabled
        if c.grade is not None:
            sop = {name: list(getattr(c.grade, name)) for name in ("slope", "offset", "power")}
            made.metadata["cdl"] = {"asc_sop": sop, "asc_sat": c.grade.saturation}
        return made


def _effects(speed: Fraction) -> list[Any]:
    if speed == 0:
        return [otio.schema.FreezeFrame()]
    return [] if speed == 1 else [otio.schema.LinearTimeWarp(time_scalar=float(speed))]


def timeline_of(programme: Programme) -> Any:
    """The document of a programme."""
    writer = _Writer(programme.rate)
    timeline = otio.schema.Timeline(name=programme.name, global_start_time=writer.time(programme.start))
    if programme.drop:
        timeline.metadata[OURS] = {"drop": True}
    for track in programme.tracks:
        kind = otio.schema.TrackKind.Video if track.kind == "video" else otio.schema.TrackKind.Audio
        made = otio.schema.Track(kind=kind)
        made.extend(map(writer.item, track.items))
        timeline.tracks.append(made)
    timeline.tracks.markers.extend(writer.marker(m, 0) for m in programme.markers)
    return timeline
