"""What worker processes do, one file at a time: pure functions from a job to a result, no database.

A file that cannot be used comes back as an error with cause and remedy, never as an exception.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import simplejpeg

from safelight import plugins
from safelight.domain import Asset, Kind, Measure, digest_of
from safelight.errors import MediaError, SafelightError
from safelight.files import write_atomic
from safelight.media import capture, digest, formats, image, raw, write
from safelight.media.frame import Bytes
from safelight.media.picture import Picture, shrink
from safelight.probes import Probe

THUMB_SIDE = 360  # px; what reports and lists show
PROXY_QUALITY = 85


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
    """Asks what probes see in a file. `keys` holds, by probe name, the key under which its answer is kept."""

    path: str
    full: Path
    asset: Asset
    keys: Mapping[str, str]
    weights: Mapping[str, Mapping[str, Path]]
    proxy: Path  # where the proxy goes, without suffix


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
        whole, content, _ = digest.digests(job.full)
        header = capture.header(job.full)
    except MediaError as error:
        return Identity(path=job.path, error=as_json(error))
    except OSError as error:
        return Identity(path=job.path, error=as_json(formats.unreadable(job.full, error)))
    asset = Asset(
        id=whole, content=content, kind=Kind.PHOTO, format=header.format, width=header.width, height=header.height,
        capture=header.capture,
    )  # fmt: skip
    return Identity(path=job.path, asset=asset)


def look(job: Look) -> Looked:
    """Decodes a file once and asks every probe named in `keys`; writes proxy and thumbnail into the cache."""
    began = time.process_time()
    try:
        rgb, is_preview = decode(job.full)
    except MediaError as error:
        return Looked(path=job.path, asset=job.asset, error=as_json(error))
    except OSError as error:
        return Looked(path=job.path, asset=job.asset, error=as_json(formats.unreadable(job.full, error)))
    facts: dict[str, Measure] = {}
    picture = Picture(
        rgb=rgb, capture=job.asset.capture, facts=facts, weights=job.weights, is_preview=is_preview, source=job.full
    )
    found, troubles = [], []
    for probe in plugins.ordered_probes(tuple(job.keys)):
        measures, trouble = ask(probe, picture)
        facts.update({m.name: m for m in measures})
        # A probe that failed is asked again next time: its key is not the one that is looked for.
        key = job.keys[probe.name] + ("!" if trouble else "")
        found.append((probe.label, key, measures))
        if trouble:
            troubles.append((probe.label, trouble))
    _proxies(picture, job.proxy)
    return Looked(
        path=job.path, asset=job.asset, found=tuple(found), troubles=tuple(troubles),
        seconds=time.process_time() - began,
    )  # fmt: skip


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


def _proxies(picture: Picture, place: Path) -> None:
    """The proxy (long side 1600 px) and the thumbnail, for people to look at; both can be made again."""
    if not place.with_suffix(".thumb.jpg").exists():
        small = shrink(picture.small, THUMB_SIDE)
        for suffix, rgb in ((".jpg", picture.work), (".thumb.jpg", small)):
            data = simplejpeg.encode_jpeg(rgb, quality=PROXY_QUALITY, colorspace="RGB", colorsubsampling="420")
            write_atomic(place.with_suffix(suffix), data)


def as_json(error: SafelightError) -> dict[str, str]:
    """An error as it is kept and shown."""
    return {"code": error.code, "cause": error.cause, "remedy": error.remedy}


def probe_key(probe: Probe, weights: Mapping[str, str]) -> str:
    """The key under which a probe's answer is kept: another version or other weights mean asking again."""
    return digest_of([probe.name, probe.version, sorted((n, weights[n]) for n in probe.weights if n in weights)])[:24]
