"""Clips and sounds as the pages list and play them. What is cut of them, and said about that, is `routes.cuts`'s."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from safelight.domain import Kind
from safelight.review.entries import printable
from safelight.state import Footage

NEEDS = ("clip.picture", "clip.sounds")
TYPES = {  # formats that browsers play, by what the file itself says that it is
    "mp4": "mp4", "mov": "mp4", "webm": "webm", "wav": "wav", "mp3": "mpeg", "m4a": "mp4", "flac": "flac", "ogg": "ogg",
}  # fmt: skip  # QuickTime is where MP4 comes from: browsers read it, but refuse its own name
PICTURES = ("h264", "vp8", "vp9", "av1")
PIXELS = ("yuv420p", "yuvj420p")  # what decoders of browsers know of h264
SOUNDS = ("aac", "mp3", "opus", "vorbis", "flac", "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le")
SHAPES = {Kind.VIDEO: (16, 9), Kind.AUDIO: (4, 1)}  # of what has no size of its own


def by_id(clips: Mapping[str, Footage]) -> dict[str, Footage]:
    """Clips and sounds by the ids of their assets, in the order in which they were made; of copies, one. Those that
    bear no time come last, by path."""
    ordered = sorted(clips.values(), key=lambda c: (_taken(c) is None, _taken(c) or "", c.path))
    found: dict[str, Footage] = {}
    for clip in ordered:
        found.setdefault(clip.asset.id, clip)
    return found


def entry(clip: Footage) -> dict[str, Any]:
    """A clip or a sound as lists show it: with the fields of a photo, none of them decided, proposed or open."""
    asset = clip.asset
    width, height = SHAPES[asset.kind]
    return {
        "id": asset.id, "path": printable(clip.path), "kind": asset.kind.value,
        "duration": float(asset.duration_s) if asset.duration_s is not None else None,
        "unplayable": unplayable(clip), "width": asset.width or width, "height": asset.height or height,
        "taken": _taken(clip), "camera": asset.capture.body or "", "scene": None, "group": None,
        "decision": "none", "decided": False, "by": None, "contested": [], "proposed": None, "tie": None,
        "score": None, "reasons": [], "because": "", "findings": [], "faces": 0, "closed": 0, "sharpness": None,
        "rating": 0, "label": "", "keywords": [], "zone": None, "open": [], "edits": 0, "blind": [],
    }  # fmt: skip


def media_type(clip: Footage) -> str:
    """What its bytes are called on the wire."""
    return f"{'video' if clip.asset.kind is Kind.VIDEO else 'audio'}/{TYPES[clip.asset.format]}"


def unplayable(clip: Footage) -> str:
    """Why browsers do not play it, as a sentence; empty where they do."""
    if clip.asset.format not in TYPES:
        return f"It cannot be played here: browsers do not play {clip.asset.format} files."
    picture, sounds = (_value(clip, name) for name in NEEDS)
    codecs = [s["codec"] for s in sounds] if isinstance(sounds, list) else []
    known: Iterable[str] = codecs[:1] if clip.asset.kind is Kind.VIDEO else codecs
    strange = [codec for codec in known if codec not in SOUNDS]
    if isinstance(picture, dict):
        codec, pixels = picture["codec"], picture["pixels"]
        if codec not in PICTURES:
            strange.insert(0, codec)
        elif codec == "h264" and pixels not in PIXELS:
            strange.insert(0, f"{codec} in {pixels}")
    return f"It cannot be played here: browsers do not play {strange[0]}." if strange else ""


def gone(clip: Footage) -> str:
    """What is said where the original is not in its place."""
    return f"{printable(clip.path)} is not in the shoot's folder. Bring the file back as it was."


def original(root: Path, clip: Footage) -> Path | None:
    """The original below the shoot's folder; None where it is gone, is no file, or a link leads it elsewhere."""
    try:
        path = (root / clip.path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    return path if path.is_file() and path.is_relative_to(root.resolve()) else None


def _value(clip: Footage, name: str) -> Any:
    found = clip.facts.get(name)
    return found.value if found is not None else None


def _taken(clip: Footage) -> str | None:
    if clip.asset.capture.at is None:
        return None
    moment = datetime.fromisoformat(clip.asset.capture.at).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds")
