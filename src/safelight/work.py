"""What worker processes do, one file at a time: pure functions from a job to a result, no database.

A file that cannot be used comes back as an error with cause and remedy, never as an exception.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg

from safelight import limits, plugins
from safelight.domain import Asset, Kind, Measure, digest_of
from safelight.engine import Again
from safelight.errors import MediaError, SafelightError, TooLarge
from safelight.files import write_atomic
from safelight.media import capture, digest, formats, image, raw, write
from safelight.media.frame import Bytes
from safelight.media.picture import Picture, shrink
from safelight.probes import Probe
from safelight.workers import Lost

OPENING, INGEST = "opening", "ingest@1"
THUMB_SIDE = 360  # px; what reports and lists show
PROXY_QUALITY = 85
PICTURES = (".jpg", ".thumb.jpg")  # for people to look at, and the same small


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """Asks who a file is."""

    path: str
    full: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a file is, or why it cannot be said."""

    path: str
    asset: Asset | None = None
    error: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Asks what probes see in a file. `keys` holds, by probe name, the key under which its answer is kept; `without`,
    by label, why a probe is not asked."""

    path: str
    full: Path
    asset: Asset
    keys: Mapping[str, str]
    weights: Mapping[str, Mapping[str, Path]]
    proxy: Path  # where the proxy goes, without suffix
    without: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What probes saw: (by, key, measures) for each probe, or the error that kept the picture from being decoded."""

    path: str
    asset: Asset
    found: tuple[tuple[str, str, tuple[Measure, ...]], ...] = ()
    error: Mapping[str, str] | None = None
    seconds: float = 0.0
    troubles: tuple[tuple[str, str], ...] = field(default=())  # (probe, what it raised)


def identify(job: Identify) -> Identity:
    """Digests and capture facts of a file."""
    try:
        limits.begin(OPENING, seconds=limits.opening(0, size=job.full.stat().st_size))
        header = capture.header(job.full)
        limits.check_size(job.full.name, header.width, header.height)
        whole, content, _ = digest.digests(job.full)
    except Exception as error:  # noqa: BLE001 - whatever strange bytes make our readers do, it is about this file
        return Identity(path=job.path, error=refusal(job.full, error))
    asset = Asset(
        id=whole, content=content, kind=Kind.PHOTO, format=header.format, width=header.width, height=header.height,
        capture=header.capture,
    )  # fmt: skip
    return Identity(path=job.path, asset=asset)


def look(job: Look) -> Looked:
    """Decodes a file once and asks every probe named in `keys`; writes proxy and thumbnail into the cache."""
    began = time.process_time()
    pixels = (job.asset.width or 0) * (job.asset.height or 0)
    try:
        limits.begin(OPENING, seconds=limits.opening(pixels, size=job.full.stat().st_size))
        rgb, is_preview = decode(job.full)
        note = capture.header(job.full).note
    except Exception as error:  # noqa: BLE001 - as above
        return Looked(path=job.path, asset=job.asset, error=refusal(job.full, error))
    facts: dict[str, Measure] = {}
    picture = Picture(
        rgb=rgb, capture=job.asset.capture, facts=facts, weights=job.weights, is_preview=is_preview, source=job.full
    )
    found: list[tuple[str, str, tuple[Measure, ...]]] = []
    troubles = []
    if note:
        found.append((INGEST, INGEST, (Measure(name="file.note", value=note),)))
    for probe in plugins.ordered_probes(tuple(job.keys)):
        trouble = job.without.get(probe.label)
        if trouble is None:
            limits.begin(probe.label, seconds=limits.plugin(rgb.shape[0] * rgb.shape[1]))
            measures, trouble = ask(probe, picture)
        else:
            measures = tuple(Measure(name=name, cannot_tell=trouble) for name in probe.emits)
        facts.update({m.name: m for m in measures})
        # A probe that failed is asked again next time: its key is not the one that is looked for.
        key = job.keys[probe.name] + ("!" if trouble else "")
        found.append((probe.label, key, measures))
        if trouble:
            troubles.append((probe.label, trouble))
    limits.begin("writing the proxy", seconds=limits.opening(pixels))
    proxies(picture, job.proxy)
    return Looked(
        path=job.path, asset=job.asset, found=tuple(found), troubles=tuple(troubles),
        seconds=time.process_time() - began,
    )  # fmt: skip


def rescue(job: Identify | Look, lost: Lost) -> Any:
    """What becomes of a file whose worker was lost: it is looked at again without the probe that was at work; a file
    that cannot be opened comes back as an error."""
    if isinstance(job, Identify):
        return Identity(path=job.path, error=as_json(lost.error(job.full.name)))
    if lost.step in {probe.label for probe in plugins.probes().values()}:
        reason = f"{lost.step} was cut off: {lost.told}"
        return Again((look, replace(job, without={**job.without, lost.step: reason})))
    return Looked(path=job.path, asset=job.asset, error=as_json(lost.error(job.full.name)))


def ask(probe: Probe, picture: Picture) -> tuple[tuple[Measure, ...], str | None]:
    """A probe's answer; one that raises abstains, and what it raised is passed on."""
    assert probe.measure is not None
    try:
        return tuple(probe.measure(picture)), None
    except Exception as error:  # noqa: BLE001 - a broken plug-in must not lose a frame
        reason = f"{probe.label} failed: {type(error).__name__}: {error}"
        return tuple(Measure(name=name, cannot_tell=reason) for name in probe.emits), reason


def decode(path: Path) -> tuple[Bytes, bool]:
    """Upright sRGB bytes of a picture; for a raw its embedded preview, or half-size development where it has none."""
    if not raw.is_raw(path):
        return image.read(path), False
    preview = raw.preview(path)
    if preview is not None:
        return preview, True
    return write.to_srgb8(raw.develop(path, half=True)), True


def proxies(picture: Picture, place: Path) -> None:
    """The proxy (long side 1600 px) and the thumbnail, for people to look at; both can be made again."""
    if not all(place.with_suffix(suffix).exists() for suffix in PICTURES):
        keep_picture(place, picture.work, small=shrink(picture.small, THUMB_SIDE))


def keep_picture(place: Path, rgb: Bytes, *, small: Bytes | None = None) -> None:
    """Puts a picture and its thumbnail into the cache: `place` without suffix."""
    for suffix, pixels in zip(PICTURES, (rgb, shrink(rgb, THUMB_SIDE) if small is None else small), strict=True):
        write_atomic(place.with_suffix(suffix), jpeg(pixels))


def jpeg(rgb: Bytes) -> bytes:
    """A picture as it is kept for people to look at."""
    return bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(rgb), quality=PROXY_QUALITY, colorspace="RGB", colorsubsampling="420"
        )
    )


def refusal(path: Path, error: Exception, *, what: str = "understood") -> dict[str, str]:
    """Why a file cannot be understood, delivered, …, whatever was raised about it."""
    if isinstance(error, OSError):
        error = formats.unreadable(path, error)
    elif isinstance(error, MemoryError):
        error = TooLarge(
            f"{path.name} needs more memory than a worker may hold.",
            remedy="Allow more with SAFELIGHT_MEMORY or use fewer workers (--jobs 1).",
        )
    elif not isinstance(error, SafelightError):
        error = MediaError(
            f"{path.name} cannot be {what} ({type(error).__name__}: {error}).",
            remedy="Open it in another program and export it anew; please report it with the file.",
        )
    return as_json(error)


def as_json(error: SafelightError) -> dict[str, str]:
    """An error as it is kept and shown."""
    return {"code": error.code, "cause": error.cause, "remedy": error.remedy}


def probe_key(probe: Probe, weights: Mapping[str, str]) -> str:
    """The key under which a probe's answer is kept: another version or other weights mean asking again."""
    return digest_of([probe.name, probe.version, sorted((n, weights[n]) for n in probe.weights if n in weights)])[:24]
