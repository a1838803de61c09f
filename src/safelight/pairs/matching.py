"""Which after belongs to which before: by name, then by name with what people add to it, then by picture."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.detectors import place
from safelight.files import PART
from safelight.media.formats import PICTURE_SUFFIXES
from safelight.media.frame import Bytes
from safelight.media.picture import grey, shrink
from safelight.work import decode, refusal

LOOK = 20  # px, side of the small picture by which likely partners are found
SIDE = 1000  # px, long side at which partners are compared
LIKELY = 4  # partners of each picture that are looked at closely
AGREED = 0.5  # share of the comparable blocks that must agree before two pictures are called one


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A pair, and how it was found: name, name+ (something added to it) or picture."""

    before: Path
    after: Path
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Pairs, and files of both sides that have no partner; of these, why some could not be looked at."""

    pairs: tuple[Matched, ...]
    alone_before: tuple[Path, ...]
    alone_after: tuple[Path, ...]
    unread: Mapping[Path, Mapping[str, str]] = field(default_factory=dict)


def pictures(folder: Path) -> list[Path]:
    """Files below a folder whose names promise a picture; nothing hidden and nothing that is still being written."""
    found = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if any(part.startswith((".", PART)) for part in inside) or path.suffix.lower() not in PICTURE_SUFFIXES:
            continue
        if path.is_file():
            found.append(path)
    return sorted(found)


def match(before: Path, after: Path, *, among: Sequence[Path] | None = None) -> Matches:
    """Pairs of two folders; `among` are the afters that are asked about, all by default."""
    befores, afters = pictures(before), list(pictures(after) if among is None else among)
    pairs: list[Matched] = []
    left = set(befores)
    waiting: list[Path] = []
    by_place, by_stem = _index(befores, before), _stems(befores)
    for path in afters:
        partner = by_place.get(_key(path, after)) or _only(by_stem.get(path.stem.lower(), []))
        by = "name"
        if partner is None:
            partner, by = _only(_longest(path.stem, befores)), "name+"
        if partner is None:
            waiting.append(path)
        else:
            pairs.append(Matched(before=partner, after=path, by=by))
            left.discard(partner)
    found, unread = by_picture([p for p in befores if p in left], waiting)
    pairs += found
    taken = {p.after for p in found}
    left -= {p.before for p in found}
    order = {path: i for i, path in enumerate(afters)}
    return Matches(
        pairs=tuple(sorted(pairs, key=lambda p: order[p.after])), alone_before=tuple(sorted(left)),
        alone_after=tuple(p for p in waiting if p not in taken), unread=unread,
    )  # fmt: skip


def _index(paths: Iterable[Path], root: Path) -> dict[str, Path]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[_key(path, root)].append(path)
    return {key: some[0] for key, some in found.items() if len(some) == 1}


def _key(path: Path, root: Path) -> str:
    return path.relative_to(root).with_suffix("").as_posix().lower()


def _stems(paths: Iterable[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[path.stem.lower()].append(path)
    return found


def _only(paths: Sequence[Path]) -> Path | None:
    return paths[0] if len(paths) == 1 else None


def _longest(stem: str, befores: Iterable[Path]) -> list[Path]:
    """The befores whose name begins or ends this one, apart from letters and digits that would make it another
    number; the longest such names only."""
    stem = stem.lower()
    fits = [
        path for path in befores
        if re.match(rf"{re.escape(path.stem.lower())}(?![a-z0-9])", stem)
        or re.search(rf"(?<![a-z0-9]){re.escape(path.stem.lower())}$", stem)
    ]  # fmt: skip
    most = max((len(path.stem) for path in fits), default=0)
    return [path for path in fits if len(path.stem) == most]


# ---------------------------------------------------------------- by picture


def by_picture(befores: Sequence[Path], afters: Sequence[Path]) -> tuple[list[Matched], dict[Path, Mapping[str, str]]]:
    """Pairs among files whose names say nothing, and why some could not be looked at. The likeliest partners of each
    are aligned, the best that hold are taken."""
    seen_after, unread = _seen(afters)
    seen_before = _seen(befores)[0] if seen_after else {}
    found: list[tuple[float, Path, Path]] = []
    for after, picture in seen_after.items():
        likely = sorted(seen_before, key=lambda b: -likeness(seen_before[b], picture))[:LIKELY]
        found += [(agreed, b, after) for b in likely if (agreed := agreement(seen_before[b], picture)) >= AGREED]
    pairs: list[Matched] = []
    taken: set[Path] = set()
    for _, before, after in sorted(found, key=lambda item: -item[0]):
        if before not in taken and after not in taken:
            pairs.append(Matched(before=before, after=after, by="picture"))
            taken |= {before, after}
    return pairs, unread


def agreement(before: Bytes, after: Bytes) -> float:
    """Which share of two pictures lines up, 0 where they cannot be aligned."""
    found = place(before, after)
    return 0.0 if found.cannot is not None else found.agreed


def likeness(one: Bytes, other: Bytes) -> float:
    """How alike two pictures are at a small size, -1 to 1, whichever way up the second is."""
    small = _small(one)
    return max(float((small * np.rot90(_small(other), k)).mean()) for k in range(4))


def _small(rgb: Bytes) -> NDArray[np.float32]:
    plane = np.asarray(cv2.resize(grey(rgb), (LOOK, LOOK), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray((plane - plane.mean()) / max(float(plane.std()), 1.0), np.float32)


def _seen(paths: Iterable[Path]) -> tuple[dict[Path, Bytes], dict[Path, Mapping[str, str]]]:
    """Small pictures of the files that can be decoded, and why the others cannot."""
    found, unread = dict[Path, Bytes](), dict[Path, Mapping[str, str]]()
    for path in paths:
        try:
            found[path] = shrink(decode(path)[0], SIDE)
        except Exception as error:  # noqa: BLE001 - what cannot be decoded has no partner, and the reason is told
            unread[path] = refusal(path, error)
    return found, unread
