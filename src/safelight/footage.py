"""What worker processes do with clips and sounds: who a file is and what it says about itself; what its picture shows.

Pure functions from a job to a result, as `work` has them for photos. A file that cannot be used comes back as an error
with cause and remedy. `watch` costs one reading of a file's bytes, one of its packets and one frame, so that it is
known soon and listened to; `see` decodes every frame, once.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from safelight import headway, limits, weights
from safelight.domain import Asset, Capture, Json, Kind, Measure, digest_of, exact
from safelight.errors import MediaError
from safelight.files import write_atomic
from safelight.media import container, credentials, digest, sound, video, waveform
from safelight.media.container import Contents, Timing
from safelight.media.formats import unreadable
from safelight.media.picture import shrink
from safelight.probes import shots
from safelight.probes._faults import picture as picture_faults
from safelight.probes._faults.frames import Measuring
from safelight.probes._mesh import DETECTOR, LANDMARKER
from safelight.probes._shots import facts as seen_of
from safelight.probes._shots.looks import Looking
from safelight.soundtrack import faults
from safelight.work import PICTURES, as_json, jpeg, keep_picture, refusal
from safelight.workers import Lost

CLIP, SEEN = "clip@5", "seen@7"
KEY = digest_of([CLIP])[:24]  # under which its answer is kept; another version means looking again
KEYS = ".shots"  # suffix of the folder in the cache that holds the key frames of a clip's shots
KEY_SIDE = 640  # px, long side of a kept key frame
CHUNK = 1 << 22
PLACE = "place-"  # how the name of a place begins; that of bytes is hexadecimal
S_A_MB, S_A_SECOND = 0.05, 4.0  # what reading a megabyte, and decoding a second of picture, may compute
SEEN_SIDE = 256  # px, long side in which faults are looked for
LARGEST = 1600  # px, long side of what people look at


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Asks what a clip or a sound is. `cache`: the folder of what can be made again. `quick`: the shoot in which it
    is to be named by its place for now, by what its header says; None: by its bytes."""

    path: str
    full: Path
    cache: Path
    quick: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What it is, with what was measured, or why it cannot be used."""

    path: str
    asset: Asset | None = None
    measures: tuple[Measure, ...] = ()
    error: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class See:
    """Asks what the picture of a clip shows over its length."""

    asset: str
    full: Path
    place: Path  # in the cache, without suffix: what is kept of it lies beside
    seconds: float
    weights: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)  # of the networks that find faces


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What it shows: where shots join, what is wrong with frames."""

    asset: str
    measures: tuple[Measure, ...]


def seen_key() -> str:
    """What an answer about the picture depends on: another version, or other weights for faces, means looking again."""
    papers = weights.digests()
    return digest_of([SEEN, [[n, papers[n]] for n in (DETECTOR, LANDMARKER) if n in papers]])[:24]


def watch(job: Watch) -> Watched:
    """Looks at one file."""
    try:
        size = job.full.stat().st_size
        limits.begin("opening", seconds=limits.opening(0) + S_A_MB * size / 1e6)
        facts = container.contents(job.full)
        if job.quick is not None:
            return Watched(path=job.path, asset=_asset(_place(job.full, job.quick), None, facts, facts.duration_s))
        whole = _digest(job.full)
        limits.begin("timing", seconds=limits.opening(0) + S_A_MB * size / 1e6)
        content = container.content_digest(job.full)
        timing = container.timing(job.full, stream=facts.picture.index) if facts.picture else None
    except Exception as error:  # noqa: BLE001 - whatever strange bytes make our readers do, it is about this file
        return Watched(path=job.path, error=refusal(job.full, error))
    duration = timing.duration_s if timing else facts.duration_s
    asset = _asset(whole, content, facts, duration)
    measures, notes = (
        _said(facts, timing) + _vouched(job.full),
        list(facts.notes) + list(timing.notes if timing else ()),
    )
    limits.begin("proxy", seconds=limits.opening((asset.width or 0) * (asset.height or 0)) + float(duration or 600))
    if facts.picture:
        notes += _poster(job.full, job.cache / asset.id[:2] / asset.id, facts)
    if (
        timing
        and facts.duration_s
        and abs(facts.duration_s - timing.duration_s) > max(facts.duration_s / 50, Fraction(1, 4))
    ):
        said, seen_s = float(facts.duration_s), float(timing.duration_s)
        notes.append(f"It says that it lasts {said:.1f} s; its frames last {seen_s:.1f} s.")
    if notes:
        measures.append(Measure(name="file.note", value=" ".join(notes)))
    return Watched(path=job.path, asset=asset, measures=tuple(measures))


def _asset(name: str, content: str | None, facts: Contents, duration: Fraction | None) -> Asset:
    return Asset(
        id=name, content=content, kind=Kind.VIDEO if facts.picture else Kind.AUDIO, format=facts.format,
        width=facts.picture.width if facts.picture else None, height=facts.picture.height if facts.picture else None,
        capture=Capture(at=_moment(facts.at), camera=facts.camera), duration_s=duration,
    )  # fmt: skip


def _place(path: Path, shoot: str) -> str:
    """A name for a file that nobody has read yet: of the shoot, the place, the time of change and a quick digest. Two
    files never share it, whatever they hold."""
    stat = path.stat()
    told: list[Json] = [shoot, os.fsencode(path).hex(), stat.st_size, stat.st_mtime_ns, digest.quick(path)]
    return f"{PLACE}{digest_of(told)}"


def still_is(path: Path, seen: tuple[int, int], name: str, shoot: str) -> bool:
    """Whether a file is the one that was named by its place, of this size and time of change."""
    try:
        stat = path.stat()
        return (stat.st_size, stat.st_mtime_ns) == seen and _place(path, shoot) == name
    except (OSError, MediaError):
        return False


def rescue(job: Watch, lost: Lost) -> Watched:
    """What becomes of a file whose worker was lost: an error."""
    return Watched(path=job.path, error=as_json(lost.error(job.full.name)))


def see(job: See) -> Seen:
    """Looks at every frame of a clip."""
    limits.begin("shots", seconds=limits.opening(0) + S_A_SECOND * job.seconds)
    try:
        facts = container.contents(job.full)
        assert facts.picture is not None  # sounds are not asked
        timing = container.timing(job.full, stream=facts.picture.index)
    except Exception as error:  # noqa: BLE001 - as above
        return _unseen(job, refusal(job.full, error)["cause"])
    job.place.parent.mkdir(parents=True, exist_ok=True)
    seen = Measuring(
        interlaced=facts.picture.fields is not None, full_range=_full_range(facts.picture), room=job.place.parent
    )
    with contextlib.closing(seen):
        joins, *shown = _shots(job, facts, timing, seen)
        if joins.cannot_tell is not None:
            return _unseen(job, joins.cannot_tell)
        wrong = faults("faults.picture", job.full, lambda: picture_faults.found(seen.rows, rate=timing.rate))
        return Seen(asset=job.asset, measures=(joins, *shown, wrong))


def lost_picture(job: See, lost: Lost) -> Seen:
    """A clip whose worker was lost while its frames were looked at."""
    return _unseen(job, f"looking for shots was cut off: {lost.told}")


def _unseen(job: See, because: str) -> Seen:
    """A picture that nobody saw is not called free of faults."""
    return Seen(
        asset=job.asset, measures=tuple(Measure(name=n, cannot_tell=because) for n in ("shots", "faults.picture"))
    )


def _digest(path: Path) -> str:
    """sha256 of the bytes, without holding them."""
    whole = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                whole.update(chunk)
    except OSError as error:
        raise unreadable(path, error) from error
    return whole.hexdigest()


def _moment(at: str | None) -> str | None:
    """A date and time as ISO 8601 with milliseconds; None for what is only a date, or unset."""
    if at is None or "T" not in at or at.startswith(("1904", "1970")):
        return None
    try:
        return datetime.fromisoformat(at).isoformat(timespec="milliseconds")
    except ValueError:
        return None


def _said(facts: Contents, timing: Timing | None) -> list[Measure]:
    """What streams there are and how they count."""
    sounds: list[Json] = [
        {"codec": s.codec, "rate": s.rate, "channels": s.channels, "layout": s.layout, "language": s.language}
        for s in facts.sounds
    ]
    found = [Measure(name="clip.sounds", value=sounds)]
    picture = facts.picture
    if picture is not None and timing is not None:
        rate = exact(timing.rate)
        found += [
            Measure(name="clip.rate", value=rate, unit="frames a second") if rate is not None else
            Measure(name="clip.rate", cannot_tell="it has one frame and says no rate"),
            Measure(name="clip.rate.variable", value=timing.variable),
            Measure(name="clip.frames", value=len(timing.pts)),
            Measure(name="clip.picture", value={
                "codec": picture.codec, "pixels": picture.pixels, "bits": picture.bits, "rotation": picture.rotation,
                "aspect": exact(picture.aspect), "fields": picture.fields, "streams": len(facts.pictures),
            }),
            Measure(name="clip.colour", value={
                "primaries": picture.primaries, "transfer": picture.transfer, "matrix": picture.matrix,
                "levels": picture.levels, "hdr": picture.hdr, "mastering": picture.mastering,
            }),
        ]  # fmt: skip
    if facts.timecode:
        found.append(Measure(name="clip.timecode", value=facts.timecode))
    if facts.reel:
        found.append(Measure(name="clip.reel", value=facts.reel))
    return found


def _vouched(full: Path) -> list[Measure]:
    """Whether it carries content credentials; what is made of it holds them only where it is signed itself."""
    return [Measure(name="clip.credentials", value=True)] if credentials.present(full) else []


def _full_range(picture: container.PictureStream) -> bool:
    """Whether all code values are legal: it says so, or its luma is not kept as broadcast keeps it."""
    return picture.levels == "full" or picture.pixels.startswith("yuvj")


def _shots(job: See, facts: Contents, timing: Timing, seen: Measuring) -> tuple[Measure, ...]:
    """Joins of shots, with the frame and the time at which each new shot is seen alone; and what is said of each shot,
    whose key frames go into the cache. One decoding serves both, and the faults."""
    assert facts.picture is not None
    picture = facts.picture
    wide = picture.width * picture.aspect / picture.height
    looking = Looking(
        rate=float(timing.rate or 25), full_range=_full_range(picture), room=job.place.parent,
        aspect=float(1 / wide if picture.rotation % 180 else wide), count=len(timing.pts),
    )  # fmt: skip

    def noted() -> Iterator[shots.Thumb]:
        stills = video.frames(job.full, long_side=SEEN_SIDE, facts=facts, luma=True, planes=True)
        for still in headway.along(stills, job.seconds):
            seen.see(still)
            if still.planes is not None:
                thumb = shots.thumb(*still.planes)
                looking.see(still, thumb)
                yield thumb

    with contextlib.closing(looking):
        try:
            found = shots.find(noted(), timing.rate)
            times = seen.rows.at
        except Exception as error:  # noqa: BLE001 - as above
            return (Measure(name="shots", cannot_tell=refusal(job.full, error)["cause"]),)
        value: list[Json] = [
            {
                "into": j.into.value, "start_frame": j.start, "frame": j.frame, "at": exact(times.get(j.frame)),
                "score": j.score,
            }
            for j in found
        ]  # fmt: skip
        told = Measure(name="shots", value=value)
        spans = list(zip([0, *(j.frame for j in found)], [*(j.start for j in found), len(times)], strict=True))
        try:
            looking.done()
            rows = _shown(looking, spans, picture, job)
        except Exception as error:  # noqa: BLE001 - as above; the joins are known
            return told, Measure(name="shots.facts", cannot_tell=refusal(job.full, error)["cause"])
    for row in rows:
        row["key_at"] = exact(times.get(row["key_frame"]))  # type: ignore[arg-type]
    return told, Measure(name="shots.facts", value=list[Json](rows))


def _shown(
    looking: Looking, spans: list[tuple[int, int]], picture: container.PictureStream, job: See
) -> list[dict[str, Json]]:
    """What is said of each shot. Its key frame is kept beside the others, those of an earlier look go."""
    folder = job.place.with_name(job.place.name + KEYS)
    rows, kept = [], set[str]()
    for row, rgb in seen_of.of_shots(looking, spans, hdr=picture.hdr, turned=picture.rotation, weights=job.weights):
        rows.append(row)
        if rgb is not None:
            place = key_frame(folder, row["key_frame"])
            folder.mkdir(exist_ok=True)
            write_atomic(place, jpeg(shrink(rgb, KEY_SIDE)))
            kept.add(place.name)
    for old in [p for p in folder.glob("*.jpg") if p.name not in kept] if folder.is_dir() else []:
        old.unlink()
    return rows


def key_frame(folder: Path, frame: Json) -> Path:
    """Where the picture of a key frame lies in the folder of its clip."""
    return folder / f"{frame:07d}.jpg" if isinstance(frame, int) else folder / "none"


def portray(full: Path, place: Path) -> None:
    """Makes what people look at anew, `place`.jpg and `place`.thumb.jpg: a clip's frame, a sound's levels. Nothing is
    made where there is nothing to show. Raises MediaError for what cannot be read."""
    facts = container.contents(full)
    if facts.picture:
        _poster(full, place, facts)
        return
    levels: list[float] = []
    for _ in waveform.heard(sound.blocks(full, facts=facts), levels):
        pass
    if levels:
        keep_picture(place, waveform.drawn(levels))


def _poster(full: Path, place: Path, facts: Contents) -> list[str]:
    """A frame for people to look at, a second in: the middle of a clip is dear to reach. Returns what went wrong."""
    if all(place.with_suffix(suffix).exists() for suffix in PICTURES):
        return []
    trouble = video.Trouble(sizes=set())
    shown, notes = None, list[str]()
    try:
        for still in video.frames(full, long_side=LARGEST, facts=facts, trouble=trouble, end=Fraction(1)):
            shown = still
    except Exception as error:  # noqa: BLE001 - as above
        notes.append(refusal(full, error)["cause"])
    if shown is not None:
        keep_picture(place, shown.rgb)
    return notes + trouble.notes()
