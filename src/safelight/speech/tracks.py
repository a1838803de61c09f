"""Which of several microphones is listened to: the channels and streams of one recording, and where each is clearest.

A camera's own sound beside a lapel microphone, two people on the two channels of a stereo stream: each stretch of
speech is heard once, from where the voice stands furthest above its room. A track is one channel of a stream, or all of
its channels mixed. Streams lie as 16-bit samples at 16 kHz in files of their own, from one common zero.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.media.runs import joined, runs
from safelight.speech import activity
from safelight.speech.activity import RATE, Samples, Span
from safelight.speech.levels import DIGITAL_DB, FRAME_S, NOTHING_DB, Floor, Levels, floor, levels
from safelight.speech.recogniser import Files

APART_DB, OFTEN = 3.0, 0.1  # channels that differ by so much, in such a share of what is heard, are two microphones
HEARD_DB = -60.0
MOST = 8  # tracks of one recording that are listened to
WORSE_DB = 15.0  # a track whose voice stands so much less above its room than the best one's is left out
BETTER_DB = 3.0  # by so much another track must be clearer to be changed to
COVERS = 0.8  # of the speech that any track has in a stretch
TURN_S = 0.3  # pauses that do not end a stretch
TOLD_DB = 6.0  # by so much a voice must stand above its room for the level to tell where it is
SMOOTH, SHORTEST_S = 10, 0.2  # frames over which a level is taken, and the shortest stretch of a voice
BLOCK_S = 60
FULL = 32768.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A stream of sound: its place among those of the file, its channels, and where its samples lie."""

    number: int
    channels: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What can be listened to. `channel` None: all of them, mixed."""

    stream: Stream
    channel: int | None = None

    def cut(self, span: Span) -> Samples:
        """Its samples in a span, mono."""
        held: Any = np.memmap(self.stream.path, "<i2", "r").reshape(-1, self.stream.channels)
        part = held[round(span[0] * RATE) : round(span[1] * RATE)].astype(np.float32) / np.float32(FULL)
        return mixed(part) if self.channel is None else np.ascontiguousarray(part[:, self.channel])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Where somebody speaks on a track, how loud it is, and how loud its room. `chances`: of a voice, each of the
    detector's steps."""

    track: Track
    speech: tuple[Span, ...]
    levels: Levels
    room: Floor
    chances: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def clear_db(self) -> float:
        """How far the voice stands above the room; -inf where nobody speaks."""
        loud = self.room.speech_db
        return float("-inf") if loud is None else loud - max(self.room.floor_db, DIGITAL_DB)


def mixed(samples: NDArray[np.float32]) -> Samples:
    """Mono: the mean of the channels, or the louder one where they cancel each other."""
    mean = samples.mean(1)
    if not len(samples) or samples.shape[1] == 1 or np.square(mean).mean() >= np.square(samples).mean() / 16:
        return np.ascontiguousarray(mean, np.float32)
    return np.ascontiguousarray(samples[:, int(np.square(samples).mean(0).argmax())], np.float32)


def tracks(streams: Sequence[tuple[Stream, NDArray[np.float32]]]) -> list[Track]:
    """What is worth listening to, by the levels of each channel (frames × channels): each stream as a whole, and its
    channels where they are not alike."""
    found = [Track(stream=stream) for stream, _ in streams]
    for stream, level in streams:
        loud = level[level.max(1, initial=NOTHING_DB) > HEARD_DB]
        if stream.channels > 1 and len(loud) and (np.ptp(loud, axis=1) > APART_DB).mean() > OFTEN:
            found += [Track(stream=stream, channel=c) for c in range(stream.channels) if level[:, c].max() > HEARD_DB]
    return found[:MOST]


def scan(track: Track, weights: Files) -> Scan:
    """Listens to a whole track, a minute at a time."""
    voice = activity.Activity(weights)
    found: list[Levels] = []
    for block in _blocks(track):
        voice.hear(block)
        found.append(levels(block[:, None], RATE))
    level = np.concatenate(found) if found else np.zeros(0, np.float32)
    chances = voice.done()
    speech = activity.spans(chances)
    return Scan(track=track, speech=tuple(speech), levels=level, room=floor(level, speech), chances=chances)


def _blocks(track: Track) -> Iterator[Samples]:
    at = 0.0
    while len(block := track.cut((at, at + BLOCK_S))):
        yield block
        at += BLOCK_S


def choose(scans: Sequence[Scan]) -> list[tuple[int, list[Span]]]:
    """Who is listened to when: (number of the scan, spans of speech), in order of time. Each stretch of speech goes to
    the track that is clearest there; a track is left only for one that is clearer by 3 dB."""
    best = max((s.clear_db for s in scans), default=float("-inf"))
    alive = [n for n, s in enumerate(scans) if s.speech and s.clear_db >= best - WORSE_DB]
    turns: list[tuple[int, list[Span]]] = []
    for stretch in joined([span for n in alive for span in scans[n].speech], gap=TURN_S if len(alive) > 1 else 0.0):
        inside = {n: _within(scans[n].speech, stretch) for n in alive}
        most = max(_seconds(spans) for spans in inside.values())
        above = {n: clear(scans[n], stretch) for n in alive if _seconds(inside[n]) >= COVERS * most}
        last = turns[-1][0] if turns else None
        chosen = max(above, key=lambda n: (above[n] + (BETTER_DB if n == last else 0.0), -n))
        if last is None and above[chosen] < above[min(above)] + BETTER_DB:
            chosen = min(above)
        if chosen == last:
            turns[-1][1].extend(inside[chosen])
        else:
            turns.append((chosen, list(inside[chosen])))
    return turns


def _within(speech: Sequence[Span], stretch: Span) -> list[Span]:
    return [s for s in speech if s[0] < stretch[1] and s[1] > stretch[0]]


def _seconds(speech: Sequence[Span]) -> float:
    return sum(b - a for a, b in speech)


def clear(one: Scan, stretch: Span) -> float:
    """How far a stretch stands above the room of a track."""
    part = one.levels[round(stretch[0] / FRAME_S) : round(stretch[1] / FRAME_S)]
    return float(np.percentile(part, 75)) - max(one.room.floor_db, DIGITAL_DB) if len(part) else float("-inf")


def voiced(one: Scan, stretch: Span) -> tuple[Span, ...]:
    """Where in a stretch the level lies nearer to that of the voice than to the room's; nothing where they lie too near
    to each other to tell."""
    if one.clear_db < TOLD_DB or one.room.speech_db is None:
        return ()
    first = round(stretch[0] / FRAME_S)
    part = np.asarray(one.levels[first : round(stretch[1] / FRAME_S)], np.float64)
    if not len(part):
        return ()
    smooth = 10 * np.log10(np.convolve(10 ** (part / 10), np.ones(SMOOTH) / SMOOTH, "same"))
    loud = smooth > (max(one.room.floor_db, DIGITAL_DB) + one.room.speech_db) / 2
    spans = [((first + a) * FRAME_S, (first + b) * FRAME_S) for a, b in runs(loud)]
    return tuple((a, b) for a, b in joined(spans, gap=TURN_S) if b - a >= SHORTEST_S)
