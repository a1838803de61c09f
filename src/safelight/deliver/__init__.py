"""Versions to files that leave the building: the gate, the files, their manifest, the page a client can read.

What leaves is photos, rendered; and the cuts of clips, as timelines, and as films where that is asked for.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from safelight import (
    __version__,
    blind,
    channels,
    cuts,
    earned,
    engine,
    ledger,
    line,
    lots,
    overlaid,
    sidecars,
    weights,
)
from safelight.deliver import checked, gate, job_record, limits, manifest, names, presets
from safelight.deliver import clips as of_clips
from safelight.deliver.clips import ClipJob, deliver_clip
from safelight.deliver.write import Job, Written, deliver_one, rescue
from safelight.domain import Cull, Edit, Input, Version
from safelight.errors import UsageError
from safelight.files import PART, json_text, write_atomic
from safelight.line import Progress
from safelight.media import signing
from safelight.state import Footage, Judged, Photo, ShootState, by_time, heard_back
from safelight.store import records, schema
from safelight.store.library import Library, now
from safelight.store.objects import ShootFolder
from safelight.words import many
from safelight.workers import Lost

CLIENT_FILE = "client.toml"  # in a shoot's folder: the rules of its client
DRAFT_FOLDER_NOTE = "DRAFT - not final.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be delivered, how, and who signs."""

    to: Path
    preset: str = "jpeg"
    names: str | None = None
    sidecars: bool = False
    draft: bool = False
    sign_off: str | None = None
    jobs: int | None = None
    channels: tuple[str, ...] = ()  # names, or TOML files
    client: Path | None = None  # a client's TOML file; by default client.toml in the shoot's folder
    clips: bool = True  # whether the cuts of clips are a part of it
    timelines: str = "otio"  # their form
    films: str | None = None  # the place for which each cut is rendered too; None: timelines alone
    says: dict[str, Any] = field(default_factory=dict)


def deliver(
    library: Library, where: ShootFolder, state: ShootState, order: Order, *, tell: Callable[[Progress], None]
) -> dict[str, Any]:
    """Writes a delivery and returns its manifest (`safelight.delivery/1`).

    Raises Refused where questions are open, or a file does not pass the gate, and it is no draft; UsageError where
    the target is not empty, a name, preset or rule cannot be understood, or a certificate is set and cannot sign.
    Nothing is left there then. A file that cannot be written is listed in the manifest.
    """
    template = order.names or names.DEFAULT
    names.validate(template)
    signs(order)
    signing.ready()
    preset = presets.find(order.preset)
    asked = of_clips.wanted(order.timelines, order.films)
    rules = rules_of(order, where)
    trusted = ledger.rules(library)
    earned.settle(library, state, trusted)
    if any(photo.shaken for photo in state.photos.values()):
        state = _caught_up(library, where, state, order, tell)
    answer = _asked(library, state, order)
    if any(photo.is_raw for photo in answer.photos):
        state = _caught_up(library, where, state, order, tell)
        answer = _asked(library, state, order)
    target = _target(order.to, where)
    staging = Path(tempfile.mkdtemp(dir=target, prefix=PART))
    try:
        jobs = _jobs(state, where, answer.photos, order=order, preset=preset, template=template, target=staging)
        jobs = [
            replace(
                job,
                rules=rules,
                limits=limits.of_studio(library),
                findings=where.cached(_version(state.photos[job.photo], job.edits).id),
            )
            for job in jobs
        ]
        taken = [job.target.name for job in jobs]
        cut = _cuts(library, where, state, answer.clips, template=template, asked=asked, target=staging, taken=taken)
        versions = {job.photo: _version(state.photos[job.photo], job.edits) for job in jobs}
        versions |= {job.clip.id: _version(job.clip, job.clip.edits()) for job in cut}
        written = _write(jobs, cut, order, tell)
        checked.remember(library, written, versions)
        of_set = checked.about_the_set(written, rules, state.shoot)
        waiting = checked.missing(state, written, versions, of_set=of_set, signed_by=order.sign_off)
        if waiting and not order.draft:
            raise gate.refuse(waiting, page=str(checked.page(where, written, state, of_set)))
        made = manifest.of(
            state, answer, written, preset=preset, order=manifest.Signed(draft=order.draft, by=order.sign_off),
            versions=versions, weights=weights.digests(), program=__version__, of_set=of_set,
            unseen=lots.told(library, state, trusted, [*answer.photos, *answer.clips]),
        )  # fmt: skip
        for name in _delivered(written):
            (staging / name).replace(target / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    write_atomic(target / "manifest.json", (json_text(made, indent=1) + "\n").encode())
    write_atomic(target / "report.html", manifest.page(made).encode("utf-8", "backslashreplace"))
    paper = job_record.of(made, trusted)
    write_atomic(target / job_record.HTML_NAME, job_record.page(paper).encode("utf-8", "backslashreplace"))
    write_atomic(target / job_record.PDF_NAME, job_record.pdf(paper, at=made["made_at"]))
    if order.draft:
        write_atomic(target / DRAFT_FOLDER_NOTE, manifest.draft_note(made).encode())
    row = {"id": made["id"], "shoot": state.shoot.id, "manifest": json_text(made), "by": order.sign_off}
    library.append(schema.deliveries, [row | {"draft": order.draft, "at": now()}], durable=True)
    records.save_versions(library, state.shoot.id, versions.items(), checkpoint="delivered")
    return made


def _asked(library: Library, state: ShootState, order: Order) -> gate.Answer:
    """What may leave. A draft shows what is kept so far, and nothing of what is to be decided without a suggestion."""
    seen = blind.seen_state(state, blind.veil(library, state.shoot.id)) if order.draft else state
    return gate.ask(seen, draft=order.draft, clips=order.clips)


def planned(where: ShootFolder, state: ShootState, order: Order) -> list[tuple[Judged, str]]:
    """What a delivery would write, in order: photos and clips with the names of their files. Nothing is made or read.

    Raises UsageError where a name or preset cannot be understood."""
    template, preset = order.names or names.DEFAULT, presets.find(order.preset)
    names.validate(template)
    photos = tuple(photo for photo in state.photos.values() if photo.decision is Cull.KEEP)
    jobs = _jobs(state, where, photos, order=order, preset=preset, template=template, target=order.to)
    found: list[tuple[Judged, str]] = [(state.photos[job.photo], job.target.name) for job in jobs]
    clips = [clip for clip in state.footage.values() if order.clips and clip.edits()]
    asked = of_clips.wanted(order.timelines, order.films)
    stems = _stems(where, clips, template=template, asked=asked, taken=[name for _, name in found])
    return found + [(clip, name) for clip, stem in stems for name in of_clips.names(clip, stem, asked)]


def refuse(state: ShootState, order: Order) -> None:
    """Raises what `deliver` would raise about open questions and names, before anything is made."""
    names.validate(order.names or names.DEFAULT)
    signs(order)
    signing.ready()
    presets.find(order.preset)
    of_clips.wanted(order.timelines, order.films)
    gate.ask(state, draft=order.draft, clips=order.clips)


def signs(order: Order) -> None:
    """Raises UsageError where the name of whoever signs is none of a person."""
    if order.sign_off is not None and not gate.is_person(order.sign_off):
        raise UsageError(f"{order.sign_off!r} is not a person's name.", remedy="Sign with your own: --sign-off NAME.")


def _caught_up(
    library: Library, where: ShootFolder, state: ShootState, order: Order, tell: Callable[[Progress], None]
) -> ShootState:
    with where.lock():
        return line.catch_up(library, where, state, jobs=order.jobs, tell=tell)


def rules_of(order: Order, where: ShootFolder) -> tuple[channels.Channel, ...]:
    """The channels that an order names, and those of its client. Raises UsageError for what cannot be understood."""
    beside = where.root / CLIENT_FILE
    client = order.client or (beside if beside.is_file() else None)
    named = tuple(channels.channel(name) for name in order.channels)
    return (*named, *(channels.client(client) if client is not None else ()))


def words(made: dict[str, Any], target: Path) -> str:
    """A delivery in a few lines."""
    kind = "draft" if made["draft"] else "final delivery"
    lines = [f"{many(len(made['files']), 'file')} written to {target} ({kind})."]
    if made["open"]:
        lines.append(f"{many(len(made['open']), 'original')} with open questions; the manifest lists them.")
    lines += [f"  {f['path']!r}: {f.get('cause', '')}" for f in made["failed"][:5]]
    held = [f for f in made["files"] if f["gate"]["open"]]
    if held:
        lines.append(f"{many(len(held), 'file does', 'files do')} not pass the gate; the manifest says why.")
    lost = sorted({loss for f in made["files"] for loss in f["losses"]})
    lines += [f"Note: {loss}" for loss in lost]
    lines.append(f"Manifest: {target / 'manifest.json'}")
    return "\n".join(lines)


def _target(to: Path, where: ShootFolder) -> Path:
    """The folder of the delivery, made if it is not there; it must not hold anything else yet."""
    target = to.expanduser().resolve()
    if target == where.root:
        raise UsageError("A delivery cannot go among the originals.", remedy="Name another folder with --to.")
    try:
        target.mkdir(parents=True, exist_ok=True)
        taken = next((p for p in target.iterdir() if not p.name.startswith(PART)), None)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written ({error.strerror}).", remedy="Name another folder with --to."
        ) from error
    for left in target.glob(f"{PART}*"):  # of a delivery that was ended
        shutil.rmtree(left, ignore_errors=True)
    if taken is not None:
        raise UsageError(f"{target} is not empty ({taken.name}).", remedy="Name a new folder with --to.")
    return target


def _jobs(
    state: ShootState, where: ShootFolder, photos: tuple[Photo, ...], *, order: Order, preset: presets.Preset,
    template: str, target: Path,
) -> list[Job]:  # fmt: skip
    """One job a photo, in the order in which they were taken, with names that do not clash."""
    ordered = by_time(photos)
    wanted = []
    for number, photo in enumerate(ordered, 1):
        wanted.append(names.name(template, _facts(photo, where, state, number, preset), preset.format.suffix))
    return [
        Job(
            photo=photo.id, original=where.root / photo.path, seen=(photo.asset.id, photo.asset.content),
            edits=photo.edits(), preset=preset,
            target=target / chosen, state=where.state, sidecar=sidecars.beside(where.root / photo.path),
            says=sidecars.delivered(photo) | order.says, write_sidecar=order.sidecars,
        )
        for photo, chosen in zip(ordered, names.unique(wanted), strict=True)
    ]  # fmt: skip


def _facts(photo: Photo, where: ShootFolder, state: ShootState, number: int, preset: presets.Preset) -> names.Facts:
    """What a name may be made of."""
    width, height = photo.asset.width or 0, photo.asset.height or 0
    scale = min(1.0, preset.long_side / max(width, height, 1)) if preset.long_side else 1.0
    rating, label = photo.facts.get("rating"), photo.facts.get("label")
    return names.Facts(
        path=photo.path, captured=photo.taken, sequence=number, jobcode=state.shoot.name,
        camera=photo.asset.capture.camera or "", stars=int(str(rating.value)) if rating else None,
        label=str(label.value) if label else "", width=round(width * scale), height=round(height * scale),
        xmp=sidecars.texts(where.root / photo.path),
    )  # fmt: skip


def _cuts(
    library: Library, where: ShootFolder, state: ShootState, clips: Sequence[Footage], *, template: str,
    asked: of_clips.Wanted, target: Path, taken: Sequence[str],
) -> list[ClipJob]:  # fmt: skip
    """One job a clip, with what was heard at the joins of exactly this cut, where a run has listened, and the clips
    that it cuts away to."""
    known = records.evidence(library, [clip.id for clip in clips], names=cuts.EVIDENCE)
    found = []
    for clip, stem in _stems(where, clips, template=template, asked=asked, taken=taken):
        facts = {name: measure for name, (measure, _) in known.get(clip.id, {}).items()}
        whole = replace(clip, facts=facts)
        if not cuts.kept(whole):
            continue  # all of it was left out
        heard = heard_back(library, whole) if whole.cut(proposed=True) == whole.cut(proposed=False) else None
        sources = dict.fromkeys(cutaway.source for cutaway in overlaid.cutaways(whole))
        others = [state.footage[source] for source in sources if source in state.footage]
        beside = tuple((other.id, other.asset, overlaid.other(where.root / other.path, other)) for other in others)
        original = where.root / clip.path
        found.append(
            ClipJob(clip=whole, original=original, stem=target / stem, wanted=asked, heard=heard, beside=beside)
        )
    return found


def _stems(
    where: ShootFolder, clips: Sequence[Footage], *, template: str, asked: of_clips.Wanted, taken: Sequence[str]
) -> list[tuple[Footage, str]]:
    """Names of the clips' files without ending, in the order of their paths; none is that of another file."""
    ordered = sorted(clips, key=lambda clip: clip.path)
    ending = f".{asked.form}"
    wanted = [
        names.name(template, _facts_of_clip(clip, where, number), ending) for number, clip in enumerate(ordered, 1)
    ]
    stems = [Path(name).stem for name in names.unique([*taken, *wanted])[len(taken) :]]
    return list(zip(ordered, stems, strict=True))


def _facts_of_clip(clip: Footage, where: ShootFolder, number: int) -> names.Facts:
    """What a name may be made of."""
    at = clip.asset.capture.at
    return names.Facts(
        path=clip.path, captured=datetime.fromisoformat(at).replace(tzinfo=None) if at else None, sequence=number,
        jobcode=where.root.name, camera=clip.asset.capture.camera or "", width=clip.asset.width or 0,
        height=clip.asset.height or 0,
    )  # fmt: skip


def _write(
    jobs: Sequence[Job], cut: Sequence[ClipJob], order: Order, tell: Callable[[Progress], None]
) -> list[Written]:
    written: list[Written] = []
    done, total = 0, len(jobs) + len(cut)
    tasks: list[engine.Job] = [*((deliver_one, job) for job in jobs), *((deliver_clip, job) for job in cut)]
    with engine.engine("process", jobs=order.jobs) as (executor, width):
        for result in engine.stream(executor, width, iter(tasks), rescue=_rescue):
            written += [result] if isinstance(result, Written) else result
            done += 1
            tell(Progress(stage="deliver", done=done, total=total))
    place = {name: i for i, name in enumerate([*(job.photo for job in jobs), *(job.clip.id for job in cut)])}
    return sorted(written, key=lambda w: place[w.photo])


def _rescue(job: Job | ClipJob, lost: Lost) -> Written | tuple[Written, ...]:
    return of_clips.rescue(job, lost) if isinstance(job, ClipJob) else rescue(job, lost)


def _delivered(written: list[Written]) -> Iterator[str]:
    """The files that leave, with their sidecars: a file that was written and could not be checked stays behind."""
    for one in written:
        if one.error is None:
            yield one.target
            if one.sidecar is not None:
                yield one.sidecar


def _version(about: Judged, edits: tuple[Edit, ...]) -> Version:
    return Version(inputs=(Input(id=about.id),), edits=edits)


__all__ = ["Order", "deliver", "planned", "refuse", "words"]
