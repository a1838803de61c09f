"""What a programme shows while its sound plays: pieces whose joins are rolled away from those of the sound, and other
clips that lie over them. Nothing here moves a sound, or the length.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

from safelight.cutting.leads import crosses
from safelight.cutting.pieces import Cover, Material, Piece, Shown
from safelight.media.timeline import Split

NEAR_S = 1  # of where a piece begins: a split means that join
LEFT = 2  # frames of a picture that stay at least: fewer are a flash


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The pictures of a programme one after another; the numbers of the pieces that begin with a rolled join, with the
    frames by which it is; what could not be rolled, in sentences."""

    shown: tuple[Shown, ...]
    rolled: Mapping[int, int]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`length` frames of the programme from `at` on that show a clip from `first` seconds of it; `over`: in the place
    of what is heard."""

    material: Material
    first: Fraction
    at: int
    length: int
    over: bool = False


def seen(
    materials: Sequence[Material], pieces: Sequence[Piece], places: Sequence[int], length: int, rate: Fraction
) -> Seen:
    """Rolls the joins that people decided to. `places`: where pieces begin in a programme of `length` frames."""
    edges, rolled, notes = [*places, length], dict[int, int](), list[str]()
    for n, split in _meant(materials, pieces, notes):
        at, by = places[n], round(split.by * rate)
        why = "it would move by less than a frame" if not by else _not_enough(materials, pieces, edges, n, by, rate)
        if why:
            notes.append(_untouched(materials[pieces[n].clip], split, why))
        else:
            edges[n], rolled[n] = at + by, by
    shown = tuple(
        Shown(piece=n, into=edge - at, at=edge, length=end - edge)
        for n, (at, edge, end) in enumerate(zip(places, edges[:-1], edges[1:], strict=True))
    )
    return Seen(shown=shown, rolled=rolled, notes=tuple(notes))


def nearest(materials: Sequence[Material], pieces: Sequence[Piece], clip: int, split: Split) -> int | None:
    """The number of the piece of a clip (by number) whose join a split means; None where there is none near it."""
    found: list[tuple[Fraction, int]] = []
    for n, (one, two) in enumerate(pairwise(pieces), 1):
        off = abs(two.start / materials[clip].rate - split.at)
        if two.clip == clip and (one.clip != clip or one.end != two.start) and off <= NEAR_S:
            found.append((off, n))
    return min(found)[1] if found else None


def _meant(
    materials: Sequence[Material], pieces: Sequence[Piece], notes: list[str]
) -> Iterator[tuple[int, Split]]:  # fmt: skip
    """Splits with the pieces they roll, in the order of the programme; those without a join are told."""
    found = dict[int, tuple[Split, Material]]()
    for clip in sorted({p.clip for p in pieces}):
        material = materials[clip]
        for split in material.splits:
            n = nearest(materials, pieces, clip, split)
            if n is None or n in found:
                why = "there is no join near it any more" if n is None else "its join is rolled already"
                notes.append(_untouched(material, split, why))
            else:
                found[n] = split, material
    for n in sorted(found):
        yield n, found[n][0]


def _untouched(material: Material, split: Split, why: str) -> str:
    return f"{material.path.name}: the picture at {float(split.at):.2f} s is not rolled: {why}."


def _not_enough(
    materials: Sequence[Material], pieces: Sequence[Piece], edges: Sequence[int], n: int, by: int, rate: Fraction
) -> str | None:
    """Why a join cannot be rolled by so many frames of the programme; None where it can."""
    one, two = pieces[n - 1], pieces[n]
    before, after = materials[one.clip], materials[two.clip]
    edge = edges[n] + by
    if not before.facts.picture or not after.facts.picture:
        return "there is no picture on one side"
    if edge - edges[n - 1] < LEFT or edges[n + 1] - edge < LEFT:
        return "too little of a picture would be left"
    if by > 0:
        held = one.end + by * before.rate / rate
        if held > before.length:
            return f"{before.path.name} has no picture so long after it"
        return "another shot begins in what would be held" if crosses(before.shots, one.end, ceil(held)) else None
    first = two.start + by * after.rate / rate
    if first < 0:
        return f"{after.path.name} has no picture so long before it"
    shot = crosses(after.shots, int(first) + 1, two.start + 1)
    return "another shot ends in what would be shown before it" if shot else None


def runs(
    materials: Sequence[Material], pieces: Sequence[Piece], shown: Sequence[Shown], covers: Sequence[Cover],
    rate: Fraction,
) -> Iterator[Run]:  # fmt: skip
    """What is seen from the first frame to the last, with the covers that are enabled; these lie apart."""
    laid = sorted((c for c in covers if c.enabled), key=lambda c: c.at)
    for part in shown:
        piece = pieces[part.piece]
        material = materials[piece.clip]
        zero = piece.start / material.rate + Fraction(part.into - part.at) / rate
        at, end = part.at, part.at + part.length
        for cover in [c for c in laid if c.at < end and c.end > part.at]:
            if cover.at > at:
                yield Run(material=material, first=zero + at / rate, at=at, length=cover.at - at)
            first, stop = max(cover.at, at), min(cover.end, end)
            yield Run(
                material=cover.material, first=(cover.start + first - cover.at) / rate, at=first, length=stop - first,
                over=True,
            )  # fmt: skip
            at = stop
        if at < end:
            yield Run(material=material, first=zero + at / rate, at=at, length=end - at)
