"""What worker processes do to find where a sound is still, so that cuts can be planned without reading it again."""

from dataclasses import dataclass
from pathlib import Path

from safelight import limits
from safelight.cutting import level
from safelight.domain import Measure, digest_of
from safelight.media import container
from safelight.work import refusal
from safelight.workers import Lost

ROOM = "room@2"
KEY = digest_of([ROOM])[:24]  # under which its answer is kept; another version means listening again
S_A_SECOND = 0.1  # what measuring a second may compute


@dataclass(frozen=True, slots=True, kw_only=True)
class Weigh:
    """Asks where the sound of a file is still."""

    asset: str
    full: Path
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """`quiet`: rows of start, end (seconds), margin (dB); nothing without sound."""

    asset: str
    measures: tuple[Measure, ...] = ()


def weigh(job: Weigh) -> Weighed:
    """Reads the sound once."""
    limits.begin(ROOM, seconds=limits.opening(0) + S_A_SECOND * job.seconds)
    try:
        facts = container.contents(job.full)
        if not facts.sounds:
            return Weighed(asset=job.asset)
        value = level.room(level.measure(job.full, facts=facts)).json
    except Exception as error:  # noqa: BLE001 - a sound that cannot be decoded is evidence, not a crash
        return _nothing(job, refusal(job.full, error)["cause"])
    return Weighed(asset=job.asset, measures=(Measure(name="quiet", value=value, unit="s"),))


def rescue(job: Weigh, lost: Lost) -> Weighed:
    """A file whose worker was lost meanwhile."""
    return _nothing(job, f"measuring its levels was cut off: {lost.told}")


def _nothing(job: Weigh, because: str) -> Weighed:
    return Weighed(asset=job.asset, measures=(Measure(name="quiet", cannot_tell=because),))
