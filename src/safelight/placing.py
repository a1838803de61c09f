"""Which recordings of a shoot are of one event, and where each lies in it: cameras and recorders in step by sound.

Long recordings with a clear voice are references, and every other one is compared with them until it is placed. What
is compared lies in the cache for as long as a run lasts. How two are compared, and when they are refused, is in
`media.syncing`.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from safelight import engine, limits, soundtrack
from safelight.domain import Json, Measure
from safelight.media import syncing
from safelight.media.syncing import LEAST_OVERLAP_S, Match
from safelight.state import ShootState
from safelight.work import refusal
from safelight.workers import Lost

SYNC = "sync@1"
REFERENCES = 4  # recordings that others are compared with, so that a long day costs no square of its clips
S_A_SECOND = 0.05  # what comparing may compute for a second of both


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A clip or a sound that may be of an event. `wave`: where what is compared lies, or goes; `at`: when it was begun,
    as its camera says; `clear_db`: how far the voice stands above its room, as far as is known; `fresh`: nobody has
    compared it yet; `event`: in which an earlier run placed it."""

    asset: str
    full: Path
    seconds: float
    wave: Path
    camera: str | None = None
    at: datetime | None = None
    clear_db: float = 0.0
    fresh: bool = True
    event: str | None = None

    @property
    def worth(self) -> float:
        """As a reference. Noise is often the same in places where nobody hears the same."""
        return self.seconds * max(self.clear_db, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A recording in an event, which has the name of its reference. `match`: where it lies in that; None: it is the
    reference."""

    asset: str
    event: str
    match: Match | None = None

    @property
    def agrees(self) -> tuple[tuple[float, float], ...] | None:
        """Spans of its own time in which its place is sure; None: all."""
        return self.match.agrees if self.match is not None else None

    def in_event(self, at: float) -> float:
        """A time of the recording as one of the event."""
        offset, rate = self._line
        return offset + at * rate

    def of_event(self, at: float) -> float:
        """A time of the event as one of the recording."""
        offset, rate = self._line
        return (at - offset) / rate

    @property
    def _line(self) -> tuple[float, float]:
        if self.match is None or self.match.offset_s is None:
            return 0.0, 1.0
        return self.match.offset_s, 1 + (self.match.drift_ppm or 0.0) * 1e-6

    def measure(self) -> Measure:
        """As evidence keeps it."""
        m = self.match
        value: dict[str, Json] = {
            "event": self.event, "offset_s": 0.0 if m is None or m.offset_s is None else round(m.offset_s, 6),
            "drift_ppm": 0.0 if m is None or m.drift_ppm is None else round(m.drift_ppm, 3),
            "drift_spread_ppm": None if m is None or m.drift_spread_ppm is None else round(m.drift_spread_ppm, 3),
            "agreeing": m.agreeing if m else None, "windows": m.windows if m else None,
            "overlap_s": round(m.overlap_s, 3) if m else None,
            "agrees": [[round(a, 3), round(b, 3)] for a, b in m.agrees] if m else None,
        }  # fmt: skip
        return Measure(name="sync", value=value, unit="s")

    @classmethod
    def of(cls, asset: str, told: Measure | None) -> "Placed | None":
        """What evidence says; None where it was not placed."""
        v = told.value if told is not None else None
        if not isinstance(v, dict):
            return None
        if v["event"] == asset:
            return cls(asset=asset, event=asset)
        match = Match(
            offset_s=v["offset_s"], drift_ppm=v["drift_ppm"], drift_spread_ppm=v["drift_spread_ppm"],
            windows=v["windows"], agreeing=v["agreeing"], overlap_s=v["overlap_s"],
            agrees=tuple((a, b) for a, b in v["agrees"]),
        )  # fmt: skip
        return cls(asset=asset, event=str(v["event"]), match=match)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Asks where one recording lies in another."""

    reference: Recording
    other: Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Where it lies, or why that cannot be told."""

    other: str
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What comparing came to: those that were placed, references among them, and of the others why not. `compared`: all
    of which something is to be noted."""

    placed: Mapping[str, Placed] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    compared: frozenset[str] = frozenset()

    def and_(self, later: "Places") -> "Places":
        """With what was found later."""
        return Places(
            placed={**self.placed, **later.placed}, told={**self.told, **later.told},
            compared=self.compared | later.compared,
        )  # fmt: skip

    def measures(self, names: Mapping[str, str | None]) -> Iterator[tuple[str, list[Measure]]]:
        """Of each recording that was compared, by its true name where it was looked at under another (`names`); nothing
        of one that was changed meanwhile."""
        for asset in self.compared:
            name = names.get(asset, asset)
            one = self.placed.get(asset)
            event = names.get(one.event, one.event) if one is not None else None
            if name is None:
                continue
            if one is not None and event is not None:
                yield name, [replace(one, asset=name, event=event).measure()]
            elif asset in self.told:
                yield name, [Measure(name="sync", cannot_tell=self.told[asset])]
            else:
                yield name, []


def events(state: ShootState) -> list[dict[str, Placed]]:
    """The events of a shoot as its record has them: path and place of each recording, the reference first."""
    found: dict[str, dict[str, Placed]] = {}
    known = {clip.asset.id: clip.path for clip in state.clips.values()}
    for clip in state.footage.values():
        one = Placed.of(clip.id, clip.facts.get("sync"))
        if one is not None and one.event in known:
            found.setdefault(one.event, {})[clip.path] = one
    return [
        dict(sorted(members.items(), key=lambda m: (m[1].match is not None, m[0])))
        for members in found.values() if len(members) > 1
    ]  # fmt: skip


def compare(job: Compare) -> Compared:
    """What a worker does to compare two recordings."""
    lasts = job.reference.seconds + job.other.seconds
    limits.begin("sync", seconds=limits.opening(0) + S_A_SECOND * lasts)
    heard = []
    for one in (job.reference, job.other):
        try:
            heard.append(_heard(one))
        except Exception as error:  # noqa: BLE001 - a sound that cannot be decoded is evidence, not a crash
            why = f"{one.full.name} cannot be compared: {refusal(one.full, error)['cause']}"
            return Compared(other=job.other.asset, match=Match(cannot_tell=why))
    return Compared(other=job.other.asset, match=syncing.match(*heard))


def lost_comparison(job: Compare, lost: Lost) -> Compared:
    """A comparison whose worker was lost."""
    return Compared(other=job.other.asset, match=Match(cannot_tell=f"comparing was cut off: {lost.told}"))


def _heard(one: Recording) -> syncing.Heard:
    if not one.wave.exists():  # it was listened to in an earlier run
        soundtrack.keep_compared(one.full, one.wave)
    return syncing.kept(one.wave)


def place(executor: Executor, width: int, recordings: Sequence[Recording]) -> Places:
    """Places fresh recordings of a shoot. References of earlier runs come first; what follows one of them is none."""
    placed: dict[str, Placed] = {}
    told: dict[str, str] = {}
    able = sorted(
        (r for r in recordings if r.seconds >= LEAST_OVERLAP_S),
        key=lambda r: (r.event != r.asset, -r.worth, r.full),
    )
    asked = 0
    for reference in able:
        waiting = [
            r for r in able if r.fresh and r.asset not in placed and r is not reference and _may_meet(reference, r)
        ]
        follows = reference.event not in (None, reference.asset) or (reference.asset in placed and reference.fresh)
        if asked == REFERENCES or follows or not waiting:
            continue
        asked += 1
        jobs: list[engine.Job] = [(compare, Compare(reference=reference, other=r)) for r in waiting]
        for found in engine.stream(executor, width, iter(jobs), rescue=lost_comparison):
            if found.match.offset_s is None:
                told.setdefault(found.other, f"not in step with {reference.full.name}: {found.match.cannot_tell}")
                continue
            placed[found.other] = Placed(asset=found.other, event=reference.asset, match=found.match)
            placed[reference.asset] = Placed(asset=reference.asset, event=reference.asset)
    return Places(
        placed=placed, told={a: why for a, why in told.items() if a not in placed},
        compared=frozenset(placed) | {r.asset for r in recordings if r.fresh},
    )  # fmt: skip


def _may_meet(one: Recording, two: Recording) -> bool:
    """Whether two recordings may have run at once: those of one camera do not, by its own clock."""
    if one.camera is None or one.camera != two.camera or one.at is None or two.at is None:
        return True
    return one.at < two.at + timedelta(seconds=two.seconds) and two.at < one.at + timedelta(seconds=one.seconds)
