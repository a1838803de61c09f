"""A shoot as columns: one row a photo, unknown numbers are NaN, so that whole shoots are compared at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure
from safelight.media.frame import Bytes, Matrix, Pixels
from safelight.probes import Member
from safelight.probes.layout import DETAIL_CELLS, LENGTH, pack_detail, unpack, unpack_detail, unpack_thumb

Whole = NDArray[np.intp]
NUMBERS = attrgetter("seconds", "f_number", "iso", "bias_ev", "distance_m", "focal_mm")
BLOCK = 512  # pairs of looks that are compared at once
UNKNOWN = -1  # body of a photo that does not say
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - clocks on the wall have no zone
SECOND = timedelta(seconds=1)
_PLAIN = pack_detail(np.zeros((DETAIL_CELLS, DETAIL_CELLS), np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shoot:
    """Photos in the order of their paths.

    `time` is seconds (aligned once `clocks` has spoken), `body` an index into `bodies`, `exposure` log2 of light let
    in (seconds x ISO / 100 / f²; 0: unknown), `light` log2 of the scene's own luminance, `look` unit embeddings (zeros:
    unknown). Thumbs and maps of detail are decoded when they are asked for: few are.
    """

    ids: tuple[str, ...]
    bodies: tuple[str, ...]
    time: Matrix
    body: Whole
    exposure: Matrix
    seconds: Matrix
    bias: Matrix
    bracketed: NDArray[np.bool_]
    distance: Matrix
    focal: Matrix
    light: Matrix
    look: Pixels
    facts: tuple[Mapping[str, Measure], ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def timed(self) -> NDArray[np.bool_]:
        """Which photos say when they were taken."""
        return np.isfinite(self.time)

    def with_time(self, time: Matrix) -> "Shoot":
        """The shoot by other clocks."""
        return replace(self, time=time)

    def detail(self, rows: Iterable[int]) -> Pixels:
        """Maps of fine detail, n x 12 x 12; the same everywhere where it is unknown."""
        return unpack_detail(_text(self.facts[row], "layout.detail") or _PLAIN for row in rows)

    def thumb(self, row: int) -> Bytes | None:
        """Luma at 96 px."""
        found = self.facts[row].get("layout.thumb")
        return None if found is None or found.value is None else unpack_thumb(found.value)


def likeness(look: Pixels, one: Whole, other: Whole) -> Pixels:
    """Likeness of the photos in two lists of rows, pair by pair. In blocks, without a copy of all looks."""
    out = np.empty(len(one), np.float32)
    for start in range(0, len(one), BLOCK):
        part = slice(start, start + BLOCK)
        np.einsum("ij,ij->i", look[one[part]], look[other[part]], out=out[part])
    return out


def of(members: Sequence[Member]) -> Shoot:
    """The columns of these members."""
    order = sorted(members, key=lambda member: (member.path, member.asset.id))
    captures = [member.asset.capture for member in order]
    names = [capture.body for capture in captures]
    bodies = tuple(sorted({name for name in names if name}))
    index = {name: number for number, name in enumerate(bodies)}
    numbers = np.array(list(map(NUMBERS, captures)), dtype=np.float64).reshape(len(order), 6)
    seconds, f_number, iso, bias, distance, focal = numbers.T
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.log2(seconds * iso / 100 / f_number**2)
    exposure[~np.isfinite(exposure)] = np.nan
    return Shoot(
        ids=tuple(member.asset.id for member in order),
        bodies=bodies,
        time=_times([capture.at for capture in captures]),
        body=np.array([index.get(name or "", UNKNOWN) for name in names], dtype=np.intp),
        exposure=np.nan_to_num(exposure),
        seconds=seconds,
        bias=bias,
        bracketed=np.array([bool(capture.bracketed) for capture in captures], dtype=bool),
        distance=distance,
        focal=focal,
        light=_brightness(order) - exposure,  # NaN where either is unknown
        look=_looks(order),
        facts=tuple(member.facts for member in order),
    )


def _times(texts: Sequence[str | None]) -> Matrix:
    """Seconds since 1970: in UTC if every photo knows its offset, else as the clocks on the wall show it."""
    moments = [None if text is None else _moment(text) for text in texts]
    zoned = all(moment.tzinfo is not None for moment in moments if moment is not None)
    if zoned:
        seconds = [np.nan if moment is None else moment.timestamp() for moment in moments]
    else:
        seconds = [np.nan if moment is None else (moment.replace(tzinfo=None) - EPOCH) / SECOND for moment in moments]
    return np.array(seconds, dtype=np.float64)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _brightness(members: Sequence[Member]) -> Matrix:
    """Log2 of the picture's mean luminance."""
    found = (member.facts.get("layout.light") for member in members)
    values = [measure.value if measure else None for measure in found]
    return np.array([value[0] if isinstance(value, list | tuple) else np.nan for value in values], dtype=np.float64)


def _looks(members: Sequence[Member]) -> Pixels:
    texts = [_text(member.facts, "embedding") for member in members]
    known = [row for row, text in enumerate(texts) if text is not None]
    if len(known) == len(texts):
        return unpack([text for text in texts if text is not None])
    rows = np.zeros((len(texts), LENGTH), np.float32)
    if known:
        rows[known] = unpack([text for text in texts if text is not None])
    return rows


def _text(facts: Mapping[str, Measure], name: str) -> str | None:
    found = facts.get(name)
    return found.value if found is not None and isinstance(found.value, str) else None
