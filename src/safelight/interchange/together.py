"""Recordings of one event, one above the other where their sound says, as a programme."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.interchange.programme import Clip, Gap, Programme, Track, tidy
from safelight.media import container, timecode

if TYPE_CHECKING:  # measuring sound loads much that most runs do not need
    from safelight.media.syncing import Match

USUAL = Fraction(25)  # where nothing has a picture


def side_by_side(reference: Path, others: Mapping[Path, "Match"]) -> Programme:
    """One track for each picture and each sound, at the rate of the first picture; places are rounded to its frames.

    Drift is not corrected: clips begin in step.
    """
    facts = {path: container.contents(path) for path in (reference, *others)}
    rates = [f.picture.rate for f in facts.values() if f.picture and f.picture.rate]
    rate = next((r for r in rates if timecode.is_known(r)), USUAL)
    starts = {reference: 0.0} | {path: m.offset_s or 0.0 for path, m in others.items()}
    earliest = min(starts.values())
    tracks = []
    for path, start in starts.items():
        place = timecode.nearest_frame(Fraction(start - earliest), rate)
        length = timecode.nearest_frame(facts[path].duration_s or Fraction(0), rate)
        if not length:
            continue
        first = first_frame(facts[path], rate)
        clip = Clip(
            name=path.stem, length=length, source=first, media=path.absolute().as_uri(), reel=facts[path].reel,
            media_start=first, media_length=length,
        )  # fmt: skip
        items = (Gap(length=place), clip) if place else (clip,)
        tracks += [Track(kind="video", items=items)] if facts[path].picture else []
        tracks += [Track(kind="audio", items=items)] if facts[path].sounds else []
    return tidy(Programme(name=reference.stem, rate=rate, tracks=tuple(tracks)))


def first_frame(facts: container.Contents, rate: Fraction) -> int:
    """The frame that a medium's own timecode begins with, at the programme's rate; 0 where it has none."""
    if facts.timecode is None or facts.timecode_rate is None:
        return 0
    try:
        frame = timecode.frame_of(facts.timecode, facts.timecode_rate)
    except ValueError:
        return 0
    return timecode.nearest_frame(frame / facts.timecode_rate, rate)
