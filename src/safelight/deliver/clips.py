"""A clip to what leaves of it: its cut as a timeline, as a film with captions where that is asked for, and what the
gate says of both. Runs in a worker.

Only what people approved is cut. The timeline is read back by whoever writes it; its joins are listened to; the film
is measured as it was encoded and held to the rules of the place where it goes.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from safelight import (
    captions,
    cuts,
    filming,
    films,
    limits,
    params,
    plugins,
    relistening,
    rough,
    sound_repair,
    work,
)
from safelight.channels.answer import Answer
from safelight.checking import Outcome
from safelight.cutting import mixing
from safelight.cutting.cutaways import Other
from safelight.deliver.write import Checks, Written
from safelight.domain import Asset, Input, Kind, Measure, Version
from safelight.errors import Unreadable, UsageError
from safelight.files import PART
from safelight.films import Book
from safelight.media import container
from safelight.media.effects import Repairs
from safelight.media.timeline import Clip, Timeline
from safelight.operators import FINDING, faults
from safelight.rough import Rough
from safelight.state import Footage
from safelight.workers import Lost

FORMS = ("otio", "fcpxml", "xml", "edl", "mlt")  # of timelines
FILM, SOUND, CAPTIONS = ".mp4", ".wav", ".srt"
OF_SOUNDS = ("loudness", "faults")  # the rules of a place that are about sound alone
HEARD_BACK, STILL_HEARD, OVER_CEILING = "heard_back", "sound_repair.still_heard", "loudness.over_ceiling"
S_A_SECOND = 20.0  # what encoding and measuring a second of two megapixels may compute


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is made of clips: timelines in this form, and films for a place; None for no films."""

    form: str = "otio"
    place: Book | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipJob:
    """A clip whose cut is to be written: `clip` with the facts that cuts are planned from, `stem` the path of its files
    without ending. `heard`: what a run has heard at the joins of exactly this cut; None: nobody has listened. `beside`:
    the clips that its cutaways show, by their ids in the record."""

    clip: Footage
    original: Path
    stem: Path
    wanted: Wanted
    heard: Measure | None = None
    beside: tuple[tuple[str, Asset, Other], ...] = ()


def wanted(form: str, place: str | None) -> Wanted:
    """What is to be made. Raises UsageError for a form or a place that there is not."""
    if form not in FORMS:
        raise UsageError(f"{form!r} is no form of timelines.", remedy=f"There are {', '.join(FORMS)}.")
    return Wanted(form=form, place=films.find(place) if place else None)


def names(clip: Footage, stem: str, asked: Wanted) -> list[str]:
    """The files that are made of a clip, as far as that can be told before."""
    made = [f"{stem}.{asked.form}"]
    if asked.place is not None:
        made.append(stem + (FILM if clip.asset.kind is Kind.VIDEO else SOUND))
        made += [stem + CAPTIONS] if _captioned(clip, asked.place) else []
    return made


def deliver_clip(job: ClipJob) -> tuple[Written, ...]:
    """Writes what leaves of one clip, all of it or nothing. What cannot be read or written comes back as an error."""
    room = Path(tempfile.mkdtemp(dir=job.stem.parent, prefix=PART))
    try:
        made = tuple(_delivered(replace(job, stem=room / job.stem.name)))
        for one in made:
            (room / one.target).replace(job.stem.parent / one.target)
    except Exception as error:  # noqa: BLE001 - one clip that fails is listed, the rest is delivered
        return (_failed(job, work.refusal(job.original, error, what="delivered")),)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return made


def rescue(job: ClipJob, lost: Lost) -> tuple[Written, ...]:
    """A clip whose worker was lost is listed as not delivered."""
    return (_failed(job, work.as_json(lost.error(job.original.name))),)


def _failed(job: ClipJob, error: dict[str, str]) -> Written:
    return Written(photo=job.clip.id, target=f"{job.stem.name}.{job.wanted.form}", kind="timeline", error=error)


def _delivered(job: ClipJob) -> Iterable[Written]:
    clip, place = job.clip, job.wanted.place
    seconds = float(clip.asset.duration_s or 0)
    limits.begin("the cut", seconds=limits.opening(0, size=job.original.stat().st_size) + seconds)
    _unchanged(job.clip.asset, job.original)
    for _, asset, other in job.beside:
        _unchanged(asset, other.path)
    beside = {id_: other for id_, _, other in job.beside}
    asked = rough.Wanted(decided=True, beside=beside, name=job.stem.name)
    cut = rough.cut([(job.original, clip)], asked, listen=False)
    made = cut.made
    checks = _checks(clip)
    heard = job.heard if job.heard is not None else _heard(job)
    written = rough.written(_beside(job, f".{job.wanted.form}"), made)
    lasts = made.programme.length / made.programme.rate
    for path in written.files:
        entry = _entry(job, path, findings=[*_wrong(checks), *_listened(heard)], answers=())
        yield replace(
            _written(job, path, entry, kind="timeline"), checks=checks, losses=tuple(written.losses), seconds=lasts
        )
    if place is not None:
        yield from _films(job, cut, place, checks)


def _film_s(clip: Footage) -> float:
    """What making and measuring its film may compute."""
    megapixels = (clip.asset.width or 0) * (clip.asset.height or 0) / 2e6
    return limits.opening(0) + S_A_SECOND * float(clip.asset.duration_s or 0) * max(1.0, megapixels)


def _films(job: ClipJob, cut: Rough, place: Book, checks: Checks) -> Iterable[Written]:
    """The film, and its captions where its place asks for them and its words are known."""
    limits.begin("the film", seconds=_film_s(job.clip))
    is_video = job.clip.asset.kind is Kind.VIDEO
    path = _beside(job, FILM if is_video else SOUND)
    rendered = filming.render(cut.made, path)
    told = _captions(cut, place, _beside(job, CAPTIONS)) if _captioned(job.clip, place) else None
    if not is_video:
        place = replace(place, rules={name: place.rules[name] for name in OF_SOUNDS if name in place.rules})
    limits.begin("the gate", seconds=_film_s(job.clip))
    checked = films.check(path, place, captions=told)
    facts = container.contents(path)
    came_to = (*rendered.measures, *_still_heard(cut, path))
    findings = _measured(came_to, rendered.notes)
    entry = _entry(job, path, findings=findings, answers=[_of_place(a, place) for a in checked.answers])
    yield replace(
        _written(job, path, entry, kind="film"), checks=(*checks, *_named(came_to)), losses=rendered.notes,
        seconds=facts.duration_s,
        width=facts.picture.width if facts.picture else 0, height=facts.picture.height if facts.picture else 0,
    )  # fmt: skip
    if told is not None:
        yield _written(job, told, _entry(job, told, findings=[], answers=()), kind="captions")


def _captioned(clip: Footage, place: Book) -> bool:
    """Whether captions are made: the place has rules for them, and what is said is known."""
    return clip.asset.kind is Kind.VIDEO and "captions" in place.rules and bool(cuts.words(clip))


def _captions(cut: Rough, place: Book, path: Path) -> Path:
    found, _ = rough.captioned(cut, captions.PRESETS[place.rules["captions"].preset])
    captions.write(path, found, rate=cut.made.programme.rate)
    return path


def _beside(job: ClipJob, ending: str) -> Path:
    return job.stem.with_name(job.stem.name + ending)


def _unchanged(asset: Asset, original: Path) -> None:
    """Raises Unreadable where an original plays something else than what people and checks have seen, or is gone."""
    try:
        with original.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == asset.id:
                return
    except FileNotFoundError as error:
        raise Unreadable(f"{original.name} is not there.", remedy="Bring it back as it was.") from error
    if asset.content is None or container.content_digest(original) != asset.content:
        raise Unreadable(
            f"{original.name} is not the file that was looked at: what it plays has changed.",
            remedy="Bring the original back, or take the new one in with `safelight run` and decide about it.",
        )


def _written(job: ClipJob, path: Path, entry: dict[str, Any], *, kind: str) -> Written:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(
        photo=job.clip.id, target=path.name, sha256=sha256, size=path.stat().st_size, judged=entry, kind=kind
    )


# ---------------------------------------------------------------- what the gate says


def _checks(clip: Footage) -> Checks:
    """What each operator's own check says of its part of the cut."""
    found = []
    counted = cuts.counted(clip)
    rate, length = counted["rate"], counted["length"]
    whole = Clip(source=clip.id, start=Fraction(0), end=length / rate, rate=rate)
    before = Timeline(clips=(whole,))
    for edit in clip.edits():
        op = plugins.operator(edit.operator)
        value = params.from_json(op.params, edit.params)
        after = op.render(before, value, cuts.NO_TOOLS)
        found.append((op.label, tuple(op.check(before, after, value))))
        before = after
    return tuple(found)


def _wrong(checks: Checks) -> list[dict[str, Any]]:
    return [
        _finding(name, Outcome.FAIL if value >= FINDING else Outcome.PASS, "The cut is not what was asked for.", value)
        for _, measures in checks
        for name, value in faults(measures).items()
    ]


def _heard(job: ClipJob) -> Measure:
    """What is heard at the joins, where no run has listened to this cut."""
    clip = job.clip
    return relistening.relisten(
        relistening.Relisten(
            asset=clip.id, version=Version(inputs=(Input(id=clip.id),), edits=clip.edits()).id, full=job.original,
            words=cuts.words(clip), kept=tuple(cuts.kept(clip)), **cuts.counted(clip),
        )
    ).measure  # fmt: skip


def _listened(heard: Measure) -> list[dict[str, Any]]:
    """What was heard at the joins, as a finding: a person listens where words are lost, or where nobody could."""
    if heard.value is None:
        text = f"Nobody has listened to its joins: {heard.cannot_tell}"
        return [_finding(HEARD_BACK, Outcome.LOOK, f"{text.rstrip('.')}.", None, cannot_tell=heard.cannot_tell)]
    told: Any = heard.value
    differences = [d["text"] for d in told["differences"]]
    chance = 1 - told["found"] / told["expected"] if told["expected"] else 0.0
    if not differences:
        return [_finding(HEARD_BACK, Outcome.PASS, "", 0.0)]
    more = f" And {len(differences) - 1} more." if len(differences) > 1 else ""
    return [_finding(HEARD_BACK, Outcome.LOOK, f"{differences[0]}{more}", round(max(chance, 0.01), 3))]


def _named(measures: Sequence[Measure]) -> Checks:
    """What was measured on the film, beside the operators' checks."""
    return (("film", tuple(measures)),) if measures else ()


def _measured(measures: Sequence[Measure], notes: Sequence[str]) -> list[dict[str, Any]]:
    """What a film came to: one that passes its ceiling fails, the rest wants a look."""
    loud = next((note for note in notes if note.startswith("As encoded")), "")
    found = []
    for name, value in faults(measures).items():
        text = "What was to be mended is still heard." if name == STILL_HEARD else filming.TOLD.get(name, loud)
        wrong = Outcome.FAIL if name == OVER_CEILING else Outcome.LOOK
        found.append(_finding(name, wrong if value >= FINDING else Outcome.PASS, text, round(value, 3)))
    return found


def _still_heard(cut: Rough, path: Path) -> tuple[Measure, ...]:
    """The chance that what was to be mended is still heard in the film; nothing where nothing was."""
    kinds = set[str]()
    for repairs in mixing.asked(cut.made, Repairs).values():
        kinds |= ({"hum"} if repairs.hum else set()) | ({"click"} if repairs.clicks else set())
    if not kinds:
        return ()
    left = max((f.probability for f in sound_repair.heard(path) if f.kind in kinds), default=0.0)
    return (Measure(name=STILL_HEARD, value=left, unit="probability"),)


def _of_place(answer: Answer, place: Book) -> Answer:
    return replace(answer, rule=f"{place.name}.{answer.rule}")


def _finding(
    name: str, outcome: Outcome, text: str, chance: float | None, *, cannot_tell: str | None = None
) -> dict[str, Any]:
    return {
        "name": name, "score": chance, "probability": chance, "cannot_tell": cannot_tell, "where": None,
        "heatmap": None, "text": text, "outcome": outcome.value,
    }  # fmt: skip


def _entry(
    job: ClipJob, path: Path, *, findings: list[dict[str, Any]], answers: Sequence[Answer]
) -> dict[str, Any]:  # fmt: skip
    """The entry of `safelight.check/1`. A rule that cannot be told wants a look, like any finding of that kind."""
    untold = [a for a in answers if a.held is None]
    findings = [*findings, *(_finding(a.rule, Outcome.LOOK, a.text, None, cannot_tell=a.text) for a in untold)]
    rules = [a.as_json() | {"mask": None} for a in answers if a.held is not None]
    broken = any(rule["held"] is False for rule in rules)
    outcomes = [Outcome(f["outcome"]) for f in findings] + [Outcome.FAIL if broken else Outcome.PASS]
    return {
        "before": str(job.original), "after": str(path), "matched_by": "record",
        "verdict": max(outcomes, key=list(Outcome).index).value,
        "aligned": None, "findings": findings, "rules": rules, "compared_px": None, "delivered_px": None,
    }  # fmt: skip


__all__ = ["FORMS", "ClipJob", "Wanted", "deliver_clip", "names", "rescue", "wanted"]
