"""Timelines through every format: read, written, read back, compared in frames.

`given.*`: the timelines of the data. `made.*`: drawn programmes at eight rates, with gaps, dissolves, wipes, changes of
speed and markers. Beside ours the adapters of OpenTimelineIO: what they read of our files is an independent opener (its
cuts are compared with ours), what they make of a round trip of their own is the peer.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio

from bench.harness import Data, Result
from safelight.errors import SafelightError, UsageError
from safelight.interchange import edl, fcpxml, files, otio, xmeml
from safelight.interchange.programme import Clip, Gap, Item, Losses, Marker, Programme, Track, Transition, placed, tidy
from safelight.media import timecode

RATES = tuple(r for r in timecode.RATES if r.numerator not in (48000, 48, 100, 120000, 120))
ADAPTERS = {".edl": "cmx_3600", ".fcpxml": "fcpx_xml", ".xml": "fcp_xml"}
DRAWN = 25  # programmes a rate


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    yield from _labels()
    folder = data.find("metadata/timelines")
    if folder is not None:
        yield from _given(folder, data.work)
    yield from _made(data.work)


def _labels() -> Iterator[Result]:
    wrong = count = 0
    for rate in timecode.RATES:
        for drop in (False, True) if timecode.can_drop(rate) else (False,):
            day = timecode.frames_a_day(rate, drop=drop)
            for frame in range(0, day, 97):
                count += 1
                wrong += timecode.frame_of(timecode.label_of(frame, rate, drop=drop), rate) != frame
    yield Result(name="labels.wrong", value=wrong, n=count, bar=0, want="at most",
                 note="every 97th frame of 24 hours at every rate, drop and non-drop")  # fmt: skip


def _rate_of_list(path: Path) -> Fraction:
    """The lowest usual rate at which a list's labels exist and its events last as long in source as in record."""
    best = Fraction(24), 10**9
    for rate in (Fraction(24), Fraction(25), Fraction(30)):
        losses = Losses()
        try:
            edl.parse(path.read_text("utf-8"), rate=rate, losses=losses)
        except SafelightError:
            continue
        off = sum(losses.found.values())
        if off < best[1]:
            best = rate, off
    return best[0]


def _given(folder: Path, work: Path) -> Iterator[Result]:
    paths = sorted(p for p in folder.iterdir() if p.suffix in files.READ)
    opened = {}
    peers = 0
    for path in paths:
        rate = _rate_of_list(path) if path.suffix == ".edl" else None
        try:
            opened[path] = files.read(path, rate=rate).programme
        except SafelightError:
            continue
        finally:
            peers += _peer_reads(path, rate)
    yield Result(
        name="given.read", value=len(opened) / max(len(paths), 1), n=len(paths), unit="of files", bar=1,
        want="at least", beside={"otio_adapters": peers / max(len(paths), 1)},
    )  # fmt: skip
    for ending in (".otio", ".edl", ".fcpxml", ".xml"):
        same = sum(_round_trip(work / f"{i}{ending}", p) for i, p in enumerate(opened.values()))
        yield Result(
            name=f"given.round_trip.{ending[1:]}", value=same / max(len(opened), 1), n=len(opened), unit="of timelines",
            bar=1, want="at least",
        )  # fmt: skip


def _peer_reads(path: Path, rate: Fraction | None) -> bool:
    try:
        more = {"rate": float(rate), "ignore_timecode_mismatch": True} if rate else {}
        found = opentimelineio.adapters.read_from_file(str(path), **more)
    except Exception:  # noqa: BLE001 - a peer that fails has not read it
        return False
    return isinstance(found, opentimelineio.schema.Timeline)


def _round_trip(path: Path, programme: Programme) -> bool:
    try:
        files.write(path, programme)  # raises where what is read back is something else
    except UsageError:
        return False
    return True


# ---------------------------------------------------------------- made


def drawn(rate: Fraction, seed: int) -> Programme:
    """A programme of two picture and two sound tracks."""
    r = random.Random(f"{rate}/{seed}")  # noqa: S311 - drawn, not secret
    medium = [f"file:///media/clip_{n}.mov" for n in range(6)]

    def clip() -> Clip:
        length, n = r.randint(12, 600), r.randrange(6)
        speed = r.choice([Fraction(1)] * 6 + [Fraction(0), Fraction(1, 2), Fraction(2)])
        notes = tuple(Marker(at=r.randrange(length), name=f"note {r.randint(1, 99)}") for _ in range(r.randint(0, 1)))
        return Clip(name=f"clip_{n}", source=90_000 + r.randint(700, 3000), length=length, media=medium[n],
                    media_start=90_000, media_length=6000, speed=speed, markers=notes, reel=f"A00{n}")  # fmt: skip

    def track(kind: str) -> Track:
        items: list[Item] = []
        for _ in range(r.randint(3, 12)):
            new = clip()
            last = items[-1] if items else None
            if r.random() < 0.2:
                items.append(Gap(length=r.randint(1, 200)))
            elif isinstance(last, Clip) and last.speed == new.speed == 1 and r.random() < 0.3:
                items.append(Transition(before=4, after=4))
            items.append(new)
        return Track(kind=kind, items=tuple(items))

    tracks = tuple(track(kind) for kind in ("video", "video", "audio", "audio"))
    drop = timecode.can_drop(rate) and seed % 2 == 0
    return tidy(Programme(name=f"cut {seed}", rate=rate, tracks=tracks, drop=drop, start=timecode.nominal(rate) * 3600))


def _made(work: Path) -> Iterator[Result]:
    made = [drawn(rate, seed) for rate in RATES for seed in range(DRAWN)]
    for ending in (".otio", ".edl", ".fcpxml", ".xml"):
        same = sum(_round_trip(work / f"{i}{ending}", p) for i, p in enumerate(made))
        peer, opener, asked = 0, 0, 0
        if ending in ADAPTERS:
            for i, p in enumerate(made):
                asked += 1
                opener += _cuts_alike(work / f"{i}{ending}", p, ending)
                peer += _peer_trip(p, ending)
        yield Result(
            name=f"made.round_trip.{ending[1:]}", value=same / len(made), n=len(made), unit="of programmes", bar=1,
            want="at least", beside={"otio_adapter": peer / asked} if asked else {}, note=f"{len(RATES)} rates",
        )  # fmt: skip
        if asked:
            yield Result(name=f"made.opened_by_adapter.{ending[1:]}", value=opener / asked, n=asked,
                         unit="with the same cuts")  # fmt: skip


Cuts = Counter[tuple[str, int, int]]


def _cuts(programme: Programme) -> Cuts:
    return Counter((t.kind, at, i.length) for t in programme.tracks for at, i in placed(t) if isinstance(i, Clip))


def _adapter(path_or_text: str, ending: str, rate: Fraction) -> Any:
    more = {"rate": float(rate), "ignore_timecode_mismatch": True} if ending == ".edl" else {}
    found = opentimelineio.adapters.read_from_string(path_or_text, ADAPTERS[ending], **more)
    while isinstance(found, opentimelineio.schema.SerializableCollection) and len(found):
        found = found[0]
    return found


def _cuts_alike(path: Path, programme: Programme, ending: str) -> bool:
    """Whether the adapter finds the cuts of our file (of a list: of its first track) where they are."""
    try:
        found = _adapter(path.read_text("utf-8"), ending, programme.rate)
        theirs = otio.programme_of(found, Losses(), rate=programme.rate)
    except Exception:  # noqa: BLE001 - a peer that fails has not opened it
        return False
    if ending == ".edl":
        meant = edl.carried(programme, Losses())[0]
    else:
        meant = (fcpxml if ending == ".fcpxml" else xmeml).carried(programme, Losses())
    return _cuts(theirs) == _cuts(meant)


def _peer_trip(programme: Programme, ending: str) -> bool:
    """The adapter's own round trip of the same programme, as far as it is one: equal frames of the first track."""
    asked = replace(programme, tracks=programme.tracks[:1], markers=()) if ending == ".edl" else programme
    try:
        text = opentimelineio.adapters.write_to_string(
            otio.timeline_of(asked), ADAPTERS[ending], **({"rate": float(programme.rate)} if ending == ".edl" else {})
        )
        back = otio.programme_of(_adapter(text, ending, programme.rate), Losses(), rate=programme.rate)
    except Exception:  # noqa: BLE001 - a peer that fails has no round trip
        return False
    return _cuts(back) == _cuts(asked)
