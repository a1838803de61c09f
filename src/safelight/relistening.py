"""What worker processes do to check a cut: its joins are listened to once more, before a person is asked about it."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from safelight import limits, weights
from safelight.cutting import Word, assembly, heard_back, joined
from safelight.cutting.assembly import Material, Piece
from safelight.domain import Json, Measure, digest_of
from safelight.media import container
from safelight.speech import align, moonshine
from safelight.work import refusal
from safelight.workers import Lost

HEARD_BACK = "heard_back@2"
S_A_SECOND, S_A_JOIN = 0.1, 20.0  # what decoding a second, and hearing a join, may compute


@dataclass(frozen=True, slots=True, kw_only=True)
class Relisten:
    """Asks what is heard at the joins of a version of a clip: frame ranges at a rate."""

    asset: str
    version: str
    full: Path
    rate: Fraction
    length: int
    kept: tuple[tuple[int, int], ...]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relistened:
    """`cut.heard_back`: joins, words expected and found beside them, and the differences at frames of the clip. `lost`:
    it was cut off, and is to be asked again."""

    version: str
    measure: Measure
    lost: bool = False


def key() -> str:
    """What an answer depends on."""
    papers = weights.digests()
    return digest_of([HEARD_BACK, [[n, papers.get(n)] for n in (moonshine.NAME, align.NAME)]])[:24]


def relisten(job: Relisten) -> Relistened:
    """Hears the joins of one cut."""
    seconds = float(job.length / job.rate)
    limits.begin(HEARD_BACK, seconds=limits.opening(0) + S_A_SECOND * seconds + S_A_JOIN * len(job.kept))
    installed = weights.installed()
    if moonshine.NAME not in installed:
        why = f"its weights are not installed; safelight models fetch {moonshine.NAME}"
        return _nothing(job, why)
    try:
        material = Material(
            path=job.full, facts=container.contents(job.full), rate=job.rate, length=job.length, words=job.words
        )
        pieces = [Piece(clip=0, start=a, end=b) for a, b in job.kept]
        made = assembly.assemble([material], pieces, name=job.full.stem)
        with joined.heard(made, rate=heard_back.RATE) as sound:
            found = heard_back.listen(made, sound, moonshine.recogniser, installed)
    except Exception as error:  # noqa: BLE001 - a sound that cannot be heard again is evidence, not a crash
        return _nothing(job, refusal(job.full, error)["cause"])
    differences: list[Json] = [
        {"frame": assembly.source_of(made, d.at)[1], "at": d.at, "expected": d.expected, "heard": d.heard,
         "text": d.text}
        for d in found.differences
    ]  # fmt: skip
    value: dict[str, Json] = {
        "joins": found.joins, "expected": found.expected, "found": found.found, "differences": differences,
    }  # fmt: skip
    return Relistened(version=job.version, measure=Measure(name="cut.heard_back", value=value))


def rescue(job: Relisten, lost: Lost) -> Relistened:
    """A cut whose worker was lost while its joins were heard."""
    return replace(_nothing(job, f"listening to its joins was cut off: {lost.told}"), lost=True)


def _nothing(job: Relisten, because: str) -> Relistened:
    return Relistened(version=job.version, measure=Measure(name="cut.heard_back", cannot_tell=because))
