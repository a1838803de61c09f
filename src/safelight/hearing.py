"""What worker processes do to hear a recording: silences, speech, words, who speaks, what is said again.

`prepare` decodes the sound once to 16 kHz in the shoot's cache, and finds speech and silences on every track; `hear`
writes down the words of one piece and keeps them in the cache; `finish` looks at all words together. `opening` does the
first two for the first minutes of a long recording, so that somebody can begin to read. What lies in the cache can be
made again.
"""

import bisect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from safelight import cutting, headway, limits, plugins, soundtrack, weights
from safelight.cutting import level
from safelight.cutting.pauses import UNTOLD
from safelight.domain import Json, Measure, digest_of
from safelight.files import write_atomic
from safelight.media import container
from safelight.media.runs import joined
from safelight.soundtrack import Soundtrack
from safelight.speech import activity, align, breaths, chunks, fillers, levels, lulls, tracks, voices
from safelight.speech.activity import Span
from safelight.speech.tracks import Scan, Track
from safelight.work import refusal
from safelight.workers import Lost

HEARD = "heard@6"
PIECE_S = 60.0  # of speech
OPENING_S, LONG_S = 150.0, 400.0  # how much of a long recording is heard before the rest is read, and what is long
S_A_SECOND = 0.5  # what preparing, and hearing, may compute for a second
READING, SCANNED = 0.3, 0.4  # of preparing a noisy recording: it is read, its voices are found
HELP = "its weights are not installed; safelight models fetch "


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Asks what is heard in a file. `place`: where its pieces lie, in the cache; `portrait`: where a sound's picture
    goes, without suffix. `again`: some of it is written down already. `compared`: where what is compared with other
    recordings goes; None where there are none."""

    asset: str
    full: Path
    place: Path
    seconds: float
    portrait: Path | None = None
    again: bool = False
    compared: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A chunk that is heard at once, the speech in it, in seconds of the sound, the track that it is heard from, how
    far the voice stands above its room there, and where it does (`voiced`): what rings on in a room is no voice."""

    span: Span
    speech: tuple[Span, ...]
    track: Track
    quiet: bool = False  # whether the room is quiet enough to hear fillers
    clear_db: float = 0.0
    voiced: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Asks for the words of some chunks."""

    asset: str
    number: int
    place: Path
    parts: tuple[Part, ...]

    @property
    def kept(self) -> Path:
        """Where its words are kept: what they depend on is in the name."""
        told = [
            [list(p.span), [list(s) for s in p.speech], p.track.stream.number, p.track.channel, p.quiet]
            for p in self.parts
        ]
        return self.place / f"{digest_of([told])[:24]}.{key()}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Speech and silences of a file, and the pieces that are to be heard. `offset`: of the sound's first sample;
    `fillers`: why they cannot be told; `lost`: it was cut off, and is to be asked again."""

    asset: str
    measures: tuple[Measure, ...] = ()
    pieces: tuple[Piece, ...] = ()
    offset: Fraction = Fraction(0)
    seconds: float = 0.0
    heard_from: tuple[dict[str, Json], ...] = ()
    fillers: str | None = None
    lost: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """All that can be heard, in order."""
        return tuple(part for piece in self.pieces for part in piece.parts)

    @property
    def clear(self) -> tuple[tuple[Span, float], ...]:
        """How far the voice stands above its room in each part, at the times of the clip."""
        offset = float(self.offset)
        return tuple(((part.span[0] + offset, part.span[1] + offset), part.clear_db) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Words and fillers of a piece, with times of the sound; or why there is no answer: then it is asked again.
    `listened`: whether fillers were listened for in any part of it."""

    asset: str
    number: int
    words: tuple[dict[str, Json], ...] = ()
    fillers: tuple[dict[str, Json], ...] = ()
    listened: bool = False
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The first words of a long recording, and how many pieces and seconds of it they are."""

    asset: str
    words: tuple[dict[str, Json], ...] = ()
    pieces: int = 0
    seconds: float = 0.0
    offset: Fraction = Fraction(0)

    @property
    def clip_words(self) -> list[dict[str, Json]]:
        """The words at the times of the clip."""
        return [moved(word, self.offset) for word in self.words]

    @property
    def clip_seconds(self) -> float:
        """How far of the clip they are."""
        return self.seconds + float(self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Asks who speaks and what is said again in a recording whose pieces are all heard. Without `voices` it is known
    who speaks."""

    asset: str
    parts: tuple[Part, ...]
    words: tuple[dict[str, Json], ...]
    voices: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Whose each word is, and the rest that only a whole recording tells; times are of the sound."""

    asset: str
    speakers: tuple[str | None, ...]
    turns: tuple[dict[str, Json], ...] | None = None  # None: cannot tell
    count: int | None = None
    takes: tuple[dict[str, Json], ...] = ()
    cannot_tell: str | None = None
    lost: bool = False  # it was cut off, and is to be asked again


def key() -> str:
    """What an answer depends on: another version, other weights or another recogniser mean listening again."""
    papers, chosen = weights.digests(), plugins.recogniser()
    used = [n for n in (activity.NAME, align.NAME, lulls.NAME, voices.NAME, *chosen.weights) if n in papers]
    return digest_of([HEARD, chosen.label, [[n, papers[n]] for n in used]])[:24]


def prepare(job: Listen) -> Prepared:
    """Reads the sound of a file, says where it is silent, and plans what is to be heard."""
    limits.begin("sound", seconds=limits.opening(0) + S_A_SECOND * job.seconds)
    try:
        facts = container.contents(job.full)
        if not facts.sounds:
            return Prepared(asset=job.asset, measures=_nothing("it has no sound"))
        limits.begin("sound", seconds=limits.opening(0) + S_A_SECOND * job.seconds * len(facts.sounds))
        with headway.within(0, READING):
            read = soundtrack.read(job.full, facts, job.place, portrait=job.portrait, compared=job.compared)
    except Exception as error:  # noqa: BLE001 - a sound that cannot be decoded is evidence, not a crash
        return Prepared(asset=job.asset, measures=_nothing(refusal(job.full, error)["cause"]))
    if not read.streams:
        because = read.trouble or "it has no sound"
        rest = tuple(m for m in read.measures if m.name != "loudness")
        return Prepared(asset=job.asset, measures=(*rest, *_nothing(because)))
    scans = _scans(read)
    turns = tracks.choose(scans)
    with headway.within(SCANNED, 1):
        silent = _silent(read, scans, turns)
    return Prepared(
        asset=job.asset, measures=(*read.measures, *silent), offset=read.offset,
        seconds=read.seconds, pieces=_pieces(job, scans, turns), heard_from=_heard_from(scans, turns),
        fillers=_no_fillers(scans, turns),
    )  # fmt: skip


def opening(job: Listen) -> Opened:
    """The words of a long recording's first minutes."""
    limits.begin("sound", seconds=limits.opening(0) + 20 * S_A_SECOND * OPENING_S)
    try:
        facts = container.contents(job.full)
        read = soundtrack.beginning(job.full, facts, job.place / "opening", seconds=OPENING_S)
    except Exception:  # noqa: BLE001 - `prepare` says what is wrong
        return Opened(asset=job.asset)
    scans = _scans(read)
    pieces = list(_pieces(job, scans, tracks.choose(scans)))
    # The last chunk ends where reading did, amid a sentence perhaps: it is left to those who hear the whole.
    parts = [part for piece in pieces for part in piece.parts][:-1]
    pieces = [p for p in pieces if set(p.parts) <= set(parts)]
    words = [word for piece in pieces for word in hear(piece).words]
    until = pieces[-1].parts[-1].span[1] if pieces else 0.0
    return Opened(asset=job.asset, words=tuple(words), pieces=len(pieces), seconds=until, offset=read.offset)


def hear(job: Piece) -> Heard:
    """The words of a piece, from the cache where it was heard before."""
    kept = job.kept
    if not kept.exists():
        limits.begin(HEARD, seconds=limits.opening(0) + 20 * S_A_SECOND * PIECE_S)
        try:
            heard = _heard(job)
        except Exception as error:  # noqa: BLE001 - a broken plug-in costs its words, not the run; it is asked again
            told = f"{plugins.recogniser().label} failed: {type(error).__name__}: {error}"
            return Heard(asset=job.asset, number=job.number, trouble=told)
        write_atomic(kept, json.dumps(heard, ensure_ascii=False).encode())
    found = json.loads(kept.read_text("utf-8"))
    return Heard(
        asset=job.asset, number=job.number, words=tuple(found["words"]), fillers=tuple(found["fillers"]),
        listened=found["listened"],
    )  # fmt: skip


def _heard(job: Piece) -> dict[str, Any]:
    installed, recogniser = weights.installed(), plugins.recogniser()
    listened = False
    words: list[dict[str, Json]] = []
    unsaid: list[dict[str, Json]] = []
    for part in job.parts:
        start, _ = part.span
        inside = [(max(a - start, 0.0), b - start) for a, b in part.speech]
        samples = part.track.cut(part.span)
        found = chunks.hear(samples, inside, recogniser, installed)
        words += [w.json | {"start": round(start + w.start, 3), "end": round(start + w.end, 3)} for w in found]
        listens = part.quiet and align.NAME in installed and fillers.known(found)
        listened = listened or listens
        unsaid += [
            {"start": round(start + f.start, 3), "end": round(start + f.end, 3), "text": f.text, "heard": f.heard}
            for f in fillers.told(samples, found, installed if listens else None)
        ]
    return {"words": words, "fillers": unsaid, "listened": listened}


def finish(job: Finish) -> Finished:
    """Looks at all words of a recording together."""
    lasts = sum(b - a for part in job.parts for a, b in part.speech)
    limits.begin("voices", seconds=limits.opening(0) + S_A_SECOND * lasts)
    installed = weights.installed()
    again = tuple(_takes(job.words))
    if not job.voices:
        return Finished(asset=job.asset, speakers=(), takes=again)
    if voices.NAME not in installed:
        told = voices.Voices(cannot_tell=HELP + voices.NAME)
    else:
        starts = [part.span[0] for part in job.parts]

        def cut(span: Span) -> activity.Samples:
            return job.parts[max(bisect.bisect_right(starts, span[0]) - 1, 0)].track.cut(span)

        inside = [(max(a, p.span[0]), min(b, p.span[1])) for p in job.parts for a, b in p.speech]
        told = voices.tell(cut, inside, installed)
    if told.count is None:
        return Finished(asset=job.asset, speakers=(None,) * len(job.words), takes=again, cannot_tell=told.cannot_tell)
    turns: list[dict[str, Json]] = [
        {"start": round(a, 3), "end": round(b, 3), "speaker": voices.label(v)} for (a, b), v in voices.turns(told)
    ]
    speakers = voices.of_words([(float(w["start"]), float(w["end"])) for w in job.words], told)  # type: ignore[arg-type]
    return Finished(asset=job.asset, speakers=speakers, turns=tuple(turns), count=told.count, takes=again)


def _takes(words: Sequence[dict[str, Json]]) -> Iterator[dict[str, Json]]:
    """Phrases that are said again, by the numbers of their words: a fact, what to do about it is another's."""
    plain = [
        cutting.Word(text=str(w["text"]), start=Fraction(str(w["start"])), end=Fraction(str(w["end"]))) for w in words
    ]
    for take in cutting.takes(plain):
        yield {
            "first": list(take.goes), "again": list(take.stays), "alike": round(take.alike, 2),
            "broken_off": take.broken_off,
        }  # fmt: skip


def lost_sound(job: Listen, lost: Lost) -> Prepared:
    """A file whose worker was lost while its sound was decoded."""
    return Prepared(asset=job.asset, measures=_nothing(f"listening was cut off: {lost.told}"), lost=True)


def lost_opening(job: Listen, lost: Lost) -> Opened:  # noqa: ARG001 - `prepare` meets the same and says it
    """A file whose worker was lost while its beginning was heard."""
    return Opened(asset=job.asset)


def lost_piece(job: Piece, lost: Lost) -> Heard:
    """A piece whose worker was lost: its words are missing, and that is said."""
    return Heard(asset=job.asset, number=job.number, trouble=f"a part was given up: {lost.told}")


def lost_finish(job: Finish, lost: Lost) -> Finished:
    """A recording whose worker was lost while voices were told apart."""
    told = f"it was cut off: {lost.told}"
    return Finished(asset=job.asset, speakers=(None,) * len(job.words), cannot_tell=told, lost=True)


def _scans(read: Soundtrack) -> list[Scan]:
    """What is heard on every track; without weights, how loud it is."""
    installed = weights.installed()
    if activity.NAME in installed:
        return [tracks.scan(track, installed) for track in tracks.tracks(read.streams)]
    return [
        Scan(track=Track(stream=stream), speech=(), levels=loudest, room=levels.floor(loudest, ()))
        for stream, level in read.streams
        for loudest in [level.max(1, initial=levels.NOTHING_DB)]
    ]


def _pieces(job: Listen, scans: Sequence[Scan], turns: Sequence[tuple[int, list[Span]]]) -> tuple[Piece, ...]:
    """Chunks of about a minute of speech each; none where the recogniser is not installed."""
    if not set(plugins.recogniser().weights) <= set(weights.installed()):
        return ()
    parts = [
        Part(
            span=span, speech=tuple(s for s in speech if s[1] > span[0] and s[0] < span[1]), track=scans[number].track,
            quiet=scans[number].clear_db >= fillers.CLEAR_DB, clear_db=tracks.clear(scans[number], span),
            voiced=tracks.voiced(scans[number], span),
        )
        for number, speech in turns
        for span in chunks.chunks(speech, scans[number].levels)
    ]  # fmt: skip
    return pieces(job.asset, job.place, parts)


def pieces(asset: str, place: Path, parts: Iterable[Part]) -> tuple[Piece, ...]:
    """Parts of a recording in pieces of about a minute."""
    groups: list[list[Part]] = []
    filled = PIECE_S
    for part in parts:
        if filled >= PIECE_S:
            groups.append([])
            filled = 0.0
        groups[-1].append(part)
        filled += part.span[1] - part.span[0]
    return tuple(Piece(asset=asset, number=n, place=place, parts=tuple(group)) for n, group in enumerate(groups))


def _no_fillers(scans: Sequence[Scan], turns: Sequence[tuple[int, list[Span]]]) -> str | None:
    if align.NAME not in weights.installed():
        return HELP + align.NAME
    if all(scans[n].clear_db < fillers.CLEAR_DB for n, _ in turns):
        return f"the voice is less than {fillers.CLEAR_DB:.0f} dB above the room"
    return None


def _breaths(scans: Sequence[Scan], turns: Sequence[tuple[int, list[Span]]], offset: Fraction) -> list[Json]:
    """On each track while it is listened to."""
    found = [
        span
        for number, speech in turns
        for scan in [scans[number]]
        for span in breaths.find(scan.track.cut, scan.levels, speech, scan.room)
    ]
    return [moved_span(a, b, offset) | {"measured": "not measured"} for a, b in found]


def _heard_from(scans: Sequence[Scan], turns: Sequence[tuple[int, list[Span]]]) -> tuple[dict[str, Json], ...]:
    """Streams and channels, counted from 1, and for how long each was listened to; the longest first."""
    seconds = dict.fromkeys(range(len(scans)), 0.0)
    for number, speech in turns:
        seconds[number] += sum(b - a for a, b in speech)
    rows: list[dict[str, Json]] = [
        {
            "stream": scans[n].track.stream.number + 1,
            "channel": None if (channel := scans[n].track.channel) is None else channel + 1,
            "seconds": round(s, 1),
        }
        for n, s in seconds.items()
        if s > 0
    ]
    return tuple(sorted(rows, key=lambda row: -float(row["seconds"])))  # type: ignore[arg-type]


def _silent(read: Soundtrack, scans: Sequence[Scan], turns: Sequence[tuple[int, list[Span]]]) -> tuple[Measure, ...]:
    """`quiet`, `lulls`, `sound.floor`, `silences`, `speech`, and `words` where there is nothing to hear or nobody to do
    it. Silence is that of the stream that is listened to most; `quiet` that of the first, which is cut."""
    installed, offset = weights.installed(), read.offset
    speech = joined([span for _, spans in turns for span in spans], gap=0.0)
    most = _heard_from(scans, turns)
    stream = int(most[0]["stream"]) - 1 if most else 0  # type: ignore[arg-type]
    loud = next((v for s, v in read.streams if s.number == stream), read.streams[0][1])
    loud = np.asarray(loud.max(1, initial=levels.NOTHING_DB), np.float32)
    bound = levels.floor(loud, speech)
    rows: list[Json] = [
        moved_span(a, b, offset) | {"level_db": round(db, 1)} for a, b, db in levels.silences(loud, speech, bound)
    ]
    floor: dict[str, Json] = {
        "floor_db": round(bound.floor_db, 1), "below_db": round(bound.below_db, 1),
        "speech_db": None if bound.speech_db is None else round(bound.speech_db, 1),
    }  # fmt: skip
    found = [
        *_still(read, scans), Measure(name="sound.floor", value=floor, unit="dB"), Measure(name="silences", value=rows)
    ]  # fmt: skip
    missing = [n for n in (activity.NAME, *plugins.recogniser().weights) if n not in installed]
    if activity.NAME not in installed:
        found += [Measure(name=n, cannot_tell=HELP + activity.NAME) for n in ("speech", "breaths")]
    else:
        found.append(Measure(name="speech", value=[moved_span(a, b, offset) for a, b in speech]))
        found.append(Measure(name="breaths", value=_breaths(scans, turns, offset)))
    if missing:
        found.append(Measure(name="words", cannot_tell=HELP + " ".join(missing)))
    elif not speech:
        found.append(Measure(name="words", cannot_tell="nobody speaks"))
    return tuple(found)


def _still(read: Soundtrack, scans: Sequence[Scan]) -> Iterator[Measure]:
    """Where the first stream is still, as cuts are planned from it; and, where its room is too loud to tell, where no
    voice is in the noise."""
    if read.levels is None:
        yield Measure(name="quiet", cannot_tell="its first stream cannot be read")
        return
    room = level.room(read.levels)
    yield Measure(name="quiet", value=room.json, unit="s")
    first = next((s for s in scans if s.track.stream.number == 0 and s.track.channel is None), None)
    if first is None or not first.speech or room.untold <= UNTOLD:
        return
    installed = weights.installed()
    if lulls.NAME not in installed:
        yield Measure(name="lulls", cannot_tell=HELP + lulls.NAME)
        return
    found = lulls.find(first.track.cut, len(first.levels) * levels.FRAME_S, first.chances, installed)
    rows: list[Json] = [[*moved_span(*lull.span, read.offset).values(), lull.margin_db] for lull in found]
    yield Measure(name="lulls", value=rows, unit="s")


def _nothing(because: str) -> tuple[Measure, ...]:
    return tuple(
        Measure(name=name, cannot_tell=because) for name in ("loudness", "quiet", "silences", "speech", "words")
    )


def moved_span(start: float, end: float, offset: Fraction) -> dict[str, Json]:
    """A span of the sound in the clip's time, on a grid of a millisecond."""
    return {"start": round(start + float(offset), 3), "end": round(end + float(offset), 3)}


def moved(row: Mapping[str, Any], offset: Fraction) -> dict[str, Json]:
    """The same of a row with a start and an end."""
    return {**row, **moved_span(float(row["start"]), float(row["end"]), offset)}
