"""Which after belongs to which before: by name, then by name with what people add to it, then by picture."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from safelight.detectors import place
from safelight.files import PART
from safelight.line import Progress, Tell
from safelight.media.formats import PICTURE_SUFFIXES
from safelight.media.frame import Bytes
from safelight.media.picture import shrink
from safelight.pairs import candidates
from safelight.work import decode, refusal

SIDE = 1000  # px, long side at which partners are compared
NOT_READ = frozenset({".gif", ".bmp", ".jp2", ".exr", ".hdr", ".svg", ".eps", ".tga"})  # pictures of other kinds
LIKELY = 4  # partners of each picture that are looked at closely
AT_ONCE = 12  # pictures that are held decoded
SURE = 0.85  # share of the blocks from which no other partner is looked for
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


def strange(folder: Path) -> dict[Path, Mapping[str, str]]:
    """Files below a folder that somebody may take for pictures and that are not looked at, and why: kinds that are not
    read here, links that lead nowhere."""
    found = dict[Path, Mapping[str, str]]()
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", PART)) for part in path.relative_to(folder).parts)
        lost = path.suffix.lower() in PICTURE_SUFFIXES and path.is_symlink() and not path.exists()
        if not hidden and (lost or (path.suffix.lower() in NOT_READ and path.is_file())):
            try:
                decode(path)
            except Exception as error:  # noqa: BLE001 - the reason is what is asked for
                found[path] = refusal(path, error)
    return found


def match(before: Path, after: Path, *, among: Sequence[Path] | None = None, tell: Tell = lambda _: None) -> Matches:
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
    found, unread = by_picture([p for p in befores if p in left], waiting, tell)
    if among is None:
        unread |= strange(after)
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


def by_picture(
    befores: Sequence[Path], afters: Sequence[Path], tell: Tell = lambda _: None
) -> tuple[list[Matched], dict[Path, Mapping[str, str]]]:
    """Pairs among files whose names say nothing, and why some could not be looked at. The likeliest partners of each
    are aligned, the best that hold are taken. Of a file no more than its look is kept, and a few pictures at a time."""
    if not afters:
        return [], {}
    done = 0

    def seen(paths: Sequence[Path]) -> tuple[dict[Path, candidates.Look], dict[Path, Mapping[str, str]]]:
        nonlocal done
        looks, unread = dict[Path, candidates.Look](), dict[Path, Mapping[str, str]]()
        for path in paths:
            try:
                looks[path] = candidates.look(_picture(path))
            except Exception as error:  # noqa: BLE001 - what cannot be decoded has no partner, and the reason is told
                unread[path] = refusal(path, error)
            done += 1
            tell(Progress(stage="match", done=done, total=len(befores) + len(afters)))
        return looks, unread

    here, unread = seen(afters)
    there = seen(befores)[0] if here else {}
    decoded = lru_cache(maxsize=AT_ONCE)(_picture)
    found: list[tuple[float, Path, Path]] = []
    for after, own in here.items():
        found += [(agreed, before, after) for before, agreed in _agreeing(there, own, after, decoded)]
    pairs: list[Matched] = []
    taken: set[Path] = set()
    for _, before, after in sorted(found, key=lambda item: -item[0]):
        if before not in taken and after not in taken:
            pairs.append(Matched(before=before, after=after, by="picture"))
            taken |= {before, after}
    return pairs, unread


def _agreeing(
    there: Mapping[Path, candidates.Look], own: candidates.Look, after: Path, decoded: Callable[[Path], Bytes]
) -> list[tuple[Path, float]]:
    """Partners that hold, with how far they agree: of those that look alike, and unless one of them is sure, of those
    that share details."""
    paths, looks = list(there), list(there.values())
    found: dict[Path, float] = {}
    for ranked in (candidates.by_whole, candidates.by_details):
        for i in ranked(looks, own)[:LIKELY]:
            if paths[i] not in found:
                found[paths[i]] = agreement(decoded(paths[i]), decoded(after))
        if max(found.values(), default=0.0) >= SURE:
            break
    return [(path, agreed) for path, agreed in found.items() if agreed >= AGREED]


def _picture(path: Path) -> Bytes:
    return shrink(decode(path)[0], SIDE)


def agreement(before: Bytes, after: Bytes) -> float:
    """Which share of two pictures lines up, 0 where they cannot be aligned."""
    found = place(before, after)
    return 0.0 if found.cannot is not None else found.agreed
