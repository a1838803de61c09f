"""Exact time: frame rates as fractions, frames ↔ timecode labels, frames ↔ seconds. No floats are kept.

A label names a frame of a day; of a drop-frame label no frame is dropped, only names are: at 29.97 the names `;00` and
`;01` (at 59.94 four names, at 119.88 eight) of every minute but the tenth. Labels and frames are a bijection over 24
hours (SMPTE ST 12-1).
"""

import re
from fractions import Fraction

HOURS = 24
NTSC = Fraction(1000, 1001)
RATES = (
    Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(48000, 1001),
    Fraction(48), Fraction(50), Fraction(60000, 1001), Fraction(60), Fraction(100), Fraction(120000, 1001),
    Fraction(120),
)  # fmt: skip
NEAR = 2e-4  # relative; 23.98 is meant as 24000/1001, and 24 lies five times as far
_LABEL = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")


def exact_rate(value: float | Fraction | str) -> Fraction:
    """The rate that is meant: 29.97, "29.97", "30000/1001" → 30000/1001; whole rates as they are.

    Raises ValueError for what lies near no rate that is in use.
    """
    try:
        asked = Fraction(value)
    except (ValueError, ZeroDivisionError, OverflowError, TypeError):
        raise ValueError(f"{value!r} is no frame rate") from None
    if asked > 0:
        known = min(RATES, key=lambda rate: abs(rate - asked))
        if abs(known - asked) <= NEAR * known:
            return known
        if asked.denominator == 1:
            return asked
    raise ValueError(f"{value!r} is no frame rate in use; write it as a fraction such as 30000/1001")


def is_known(rate: Fraction) -> bool:
    """Whether programmes are made at this rate."""
    return rate in RATES


def nominal(rate: Fraction) -> int:
    """Frames that a second of labels counts: 30 at 29.97."""
    return -(-rate.numerator // rate.denominator)


def can_drop(rate: Fraction) -> bool:
    """Whether drop-frame labels exist at this rate; 23.976 has none."""
    return rate / NTSC == nominal(rate) and nominal(rate) % 30 == 0


def dropped(rate: Fraction) -> int:
    """Names left out in a minute of drop-frame labels: 2, 4 or 8. Raises ValueError where there are none."""
    if not can_drop(rate):
        raise ValueError(f"there is no drop-frame timecode at {rate} frames a second")
    return nominal(rate) // 15


def frames_a_day(rate: Fraction, *, drop: bool = False) -> int:
    """How many labels 24 hours have."""
    names = HOURS * 3600 * nominal(rate)
    return names - dropped(rate) * 9 * 6 * HOURS if drop else names


def frame_of(label: str, rate: Fraction, *, drop: bool | None = None) -> int:
    """The frame of a day that a label names: `01:00:00:00`, `01:00:00;00`.

    A semicolon (or comma) before the frames means drop-frame unless `drop` says otherwise. Raises ValueError for what
    is no label, and for labels that do not exist at this rate; nothing is rounded.
    """
    found = _LABEL.fullmatch(label.strip())
    if found is None:
        raise ValueError(f"{label!r} is no timecode")
    h, m, s, f = (int(found[i]) for i in (1, 2, 3, 5))
    nom = nominal(rate)
    if h >= HOURS or m >= 60 or s >= 60 or f >= nom:
        raise ValueError(f"{label!r} does not exist at {rate} frames a second")
    if drop is None:
        drop = found[4] in ";," and can_drop(rate)
    minutes = 60 * h + m
    frame = (60 * minutes + s) * nom + f
    if not drop:
        return frame
    names = dropped(rate)
    if s == 0 and f < names and m % 10:
        raise ValueError(f"{label!r} does not exist in drop-frame timecode")
    return frame - names * (minutes - minutes // 10)


def label_of(frame: int, rate: Fraction, *, drop: bool = False) -> str:
    """The label of a frame; after 24 hours they begin anew. `;` before the frames marks drop-frame."""
    nom = nominal(rate)
    n = frame % frames_a_day(rate, drop=drop)
    if drop:
        names = dropped(rate)
        tens, rest = divmod(n, 600 * nom - 9 * names)
        n += 9 * names * tens
        if rest >= names:
            n += names * ((rest - names) // (60 * nom - names))
    seconds, f = divmod(n, nom)
    width = len(str(nom - 1))
    mark = ";" if drop else ":"
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{f:0{width}d}"


def seconds_of(frame: int, rate: Fraction) -> Fraction:
    """When a frame begins, in seconds."""
    return frame / rate


def frame_at(seconds: Fraction, rate: Fraction) -> int:
    """The frame that is shown at an instant: the last one that has begun."""
    return (seconds * rate).__floor__()


def nearest_frame(seconds: Fraction, rate: Fraction) -> int:
    """The frame whose beginning is nearest; of two as near, the later."""
    return (seconds * rate + Fraction(1, 2)).__floor__()


def is_on_frame(seconds: Fraction, rate: Fraction) -> bool:
    """Whether a frame begins at exactly this instant."""
    return (seconds * rate).denominator == 1
