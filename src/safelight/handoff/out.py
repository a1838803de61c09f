"""Photos out: a layered file and plain TIFFs for each, and one brief for all of them."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safelight import engine, sidecars
from safelight.domain import Input, Json, Version
from safelight.errors import UsageError
from safelight.files import json_text, write_atomic
from safelight.handoff.layers import Handed, Job, hand_over, rescue
from safelight.line import Progress, Tell
from safelight.report import uri
from safelight.state import CHECK, Photo, ShootState
from safelight.store import records
from safelight.store.library import Library, now
from safelight.store.objects import ShootFolder
from safelight.words import many

SCHEMA = "safelight.handoff/1"
BRIEF = "handoff.json"
BY_NAME = {  # evidence that says where to look, with the least value that is worth a look
    "blur": 0.5, "exposure.over": 0.5, "exposure.under": 0.5, "colour.cast": 0.5, "noise": 0.5, "eyes.closed": 0.5,
    "red_eye": 0.5,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place to look at: what, where (px of the original, half-open; None for the whole photo), how sure."""

    name: str
    text: str
    value: Json = None
    where: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a retoucher is told of a photo: what was done, what is open, where to look."""

    done: tuple[dict[str, Any], ...] = ()
    open: tuple[dict[str, Any], ...] = ()
    look: tuple[Spot, ...] = field(default=())


def hand_out(
    library: Library, where: ShootFolder, state: ShootState, photos: Sequence[Photo], *, to: Path, note: str = "",
    jobs: int | None = None, tell: Tell,
) -> dict[str, Any]:  # fmt: skip
    """Writes PSD, TIFFs and the brief (HTML, Markdown, JSON) for these photos; the JSON is returned
    (`safelight.handoff/1`).

    Raises UsageError where the folder holds files of the same names already."""
    target = to.expanduser().resolve()
    if target == where.root:
        raise UsageError("A hand-off cannot go among the originals.", remedy="Name another folder with --to.")
    work = [_job(photo, where, target) for photo in photos]
    _clear(work, target)
    handed: list[Handed] = []
    with engine.engine("process", jobs=jobs) as (executor, width):
        for result in engine.stream(executor, width, iter([(hand_over, job) for job in work]), rescue=rescue):
            handed.append(result)
            tell(Progress(stage="hand over", done=len(handed), total=len(work)))
    handed.sort(key=lambda h: h.path)
    versions = [(p.id, Version(inputs=(Input(id=p.id),), edits=p.edits())) for p in photos]
    records.save_versions(library, state.shoot.id, versions, checkpoint="handed-over")
    findings = records.facts(library, [v.id for _, v in versions])
    made = {
        "schema": SCHEMA, "made_at": now(), "note": note,
        "shoot": {"id": state.shoot.id, "name": state.shoot.name, "root": str(where.root)},
        "photos": [_entry(h, state.photos[h.photo], findings.get(h.version, {})) for h in handed if h.error is None],
        "failed": [{"path": h.path, **h.error} for h in handed if h.error is not None],
    }  # fmt: skip
    pictures = {h.path: h.shown for h in handed}
    write_atomic(target / BRIEF, (json_text(made, indent=1) + "\n").encode())
    write_atomic(target / "handoff.md", markdown(made).encode("utf-8", "backslashreplace"))
    write_atomic(target / "handoff.html", page(made, pictures).encode("utf-8", "backslashreplace"))
    return made


def _job(photo: Photo, where: ShootFolder, target: Path) -> Job:
    edits = photo.edits()
    name = photo.path.rpartition(".")[0].replace("/", "-")
    return Job(
        photo=photo.id, path=photo.path, original=where.root / photo.path, edits=edits, state=where.state,
        version=Version(inputs=(Input(id=photo.id),), edits=edits).id, target=target / name,
        sidecar=sidecars.beside(where.root / photo.path),
    )  # fmt: skip


def _clear(work: Sequence[Job], target: Path) -> None:
    """Makes the folder; raises UsageError where something would be written over, which may be a retoucher's work."""
    names = [job.target.name for job in work]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"Two photos are called {twice[0]}.", remedy="Hand them over into two folders.")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{target} cannot be made ({error.strerror}).", remedy="Name another with --to.") from error
    there = {path.stem.removesuffix(".base") for path in target.iterdir()}
    if taken := sorted(there & {*names, "handoff"}):
        raise UsageError(f"{target} holds {taken[0]} already.", remedy="Name a new folder with --to.")


# ---------------------------------------------------------------- the brief


def _entry(handed: Handed, photo: Photo, findings: Mapping[str, Any]) -> dict[str, Any]:
    brief = brief_of(photo, findings)
    return {
        "path": handed.path, "photo": handed.photo, "version": handed.version, "files": list(handed.files),
        "layers": list(handed.layers), "width": handed.width, "height": handed.height, "done": list(brief.done),
        "open": list(brief.open),
        "look": [
            {"name": s.name, "text": s.text, "value": s.value, "where": list(s.where) if s.where else None}
            for s in brief.look
        ],
    }  # fmt: skip


def brief_of(photo: Photo, findings: Mapping[str, Any]) -> Brief:
    """What is known of a photo that a retoucher should know; `findings` are what the gate measured of its version."""
    done = tuple(
        {"operator": e.operator, "version": e.version, "params": dict(e.params), "because": _because(photo, e.operator)}
        for e in photo.edits()
    )
    waiting = [name for name in photo.open_questions() if name != "cull"]
    abstained = [(name, p) for name, p in sorted(photo.proposals.items()) if p.cannot_tell and name not in waiting]
    open_ = [{"operator": n, "text": "Proposed, and nobody has answered."} for n in waiting]
    open_ += [{"operator": n, "text": str(p.cannot_tell)} for n, p in abstained]
    return Brief(done=done, open=tuple(open_), look=(*_faults(photo), *_found(findings)))


def _because(photo: Photo, operator: str) -> list[str]:
    proposal = photo.proposals.get(operator)
    return [] if proposal is None else [b.text for b in proposal.because]


def _faults(photo: Photo) -> list[Spot]:
    spots = []
    for name, least in BY_NAME.items():
        fact = photo.facts.get(name)
        if fact is not None and isinstance(fact.value, int | float) and fact.value >= least:
            box = fact.where.box if fact.where else None
            words = name.replace(".", ", ").replace("_", " ")
            text = f"{words}, about {100 * float(fact.value):.0f} % sure"
            spots.append(Spot(name=name, value=float(fact.value), where=box, text=text[0].upper() + text[1:] + "."))
    return spots


def _found(findings: Mapping[str, Any]) -> list[Spot]:
    return [
        Spot(name=name.removeprefix(CHECK), value=m.value, where=m.where.box if m.where else None,
             text=f"{name.removeprefix(CHECK).replace('_', ' ').capitalize()} may have been left by the edits so far.")
        for name, m in sorted(findings.items())
        if name.startswith(CHECK) and isinstance(m.value, float) and m.value >= 0.5
    ]  # fmt: skip


def markdown(made: Mapping[str, Any]) -> str:
    """The brief as Markdown."""
    lines = [f"# {made['shoot']['name']}: for retouching", ""]
    lines += [made["note"], ""] if made["note"] else []
    lines += [HOW, ""]
    for photo in made["photos"]:
        lines += [
            f"## {photo['path']}",
            "",
            f"Files: {', '.join(photo['files'])}, {photo['width']} x {photo['height']} px.",
            "",
        ]
        for title, items in _parts(photo):
            lines += [f"**{title}**", "", *(f"- {item}" for item in items), ""]
    lines += [f"Not handed over: {f['path']}: {f['cause']}" for f in made["failed"]]
    return "\n".join(lines) + "\n"


HOW = (
    "Work in the PSD (or in the plain TIFF) and save under any name as PSD with Maximise compatibility, TIFF, PNG "
    "or JPEG. "
    "Layers are from below: the photo as it was taken, then one for each thing that was done, each with its mask. "
    "NAME.tif is the topmost layer, NAME.base.tif the lowest. Crop, size, bits and profile may change."
)


def _parts(photo: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    done = [
        f"{d['operator'].replace('_', ' ')} {json.dumps(d['params'])}"
        + "".join(f" {text}" for text in d["because"][:1])
        for d in photo["done"]
    ]
    open_ = [f"{o['operator'].replace('_', ' ')}: {o['text']}" for o in photo["open"]]
    look = [
        s["text"]
        + (f" At x {s['where'][0]} to {s['where'][2]}, y {s['where'][1]} to {s['where'][3]} px." if s["where"] else "")
        for s in photo["look"]
    ]
    parts = [("What was done", done or ["Nothing."]), ("What is open", open_ or ["Nothing."])]
    return [*parts, ("Where to look", look or ["Nothing stands out."])]


def page(made: Mapping[str, Any], pictures: Mapping[str, bytes]) -> str:
    """The brief as a page that needs nothing else."""
    cards = []
    for photo in made["photos"]:
        shown = uri(pictures[photo["path"]]) if pictures.get(photo["path"]) else ""
        told = "".join(
            f"<h3>{html.escape(title)}</h3><ul>{''.join(f'<li>{html.escape(item)}' for item in items)}</ul>"
            for title, items in _parts(photo)
        )
        cards.append(
            f"<article><figure><img src='{shown}' alt='{html.escape(photo['path'])}'></figure><div>"
            f"<h2>{html.escape(photo['path'])}</h2><p>{html.escape(', '.join(photo['files']))}, {photo['width']} × "
            f"{photo['height']} px</p>{told}</div></article>"
        )
    failed = "".join(
        f"<p>Not handed over: {html.escape(f['path'])}: {html.escape(f['cause'])}</p>" for f in made["failed"]
    )
    name, note = html.escape(made["shoot"]["name"]), html.escape(made["note"])
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{name}: for retouching</title>
<style>
body {{ font: 13px/1.45 system-ui, sans-serif; background: #1b1b1b; color: #e6e6e6; margin: 24px; max-width: 1280px; }}
h1 {{ font-size: 20px; font-weight: 600; }} h2 {{ font-size: 15px; margin: 0; }}
h3 {{ font-size: 13px; margin: 12px 0 0; }}
p {{ color: #a3a3a3; max-width: 90ch; }} ul {{ margin: 4px 0; padding-left: 16px; }} li {{ overflow-wrap: anywhere; }}
article {{ display: grid; grid-template-columns: minmax(240px, 480px) 1fr; gap: 16px; margin: 16px 0;
  background: #242424; }}
figure {{ margin: 0; background: #2e2e2e; padding: 8px; }} img {{ max-width: 100%; display: block; }}
article div {{ padding: 12px; }}
</style>
<h1>{name}: for retouching</h1>
<p>{note}</p><p>{html.escape(HOW)}</p>
{"".join(cards)}{failed}
</html>
"""


def words(made: Mapping[str, Any], target: Path) -> str:
    """A hand-off in a few lines."""
    lines = [f"{many(len(made['photos']), 'photo')} handed over to {target}."]
    lines += [f"  {f['path']!r}: {f['cause']}" for f in made["failed"][:5]]
    lines.append(f"Brief: {target / 'handoff.html'}")
    lines.append("When they come back: safelight return FILE…")
    return "\n".join(lines)
