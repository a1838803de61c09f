"""The failure gallery: what went wrong in a shoot, by kind, at 100 %, with the evidence and what was done instead.

Made from what people rejected or changed by more than a touch, and from checks that found a fault. A page that teaches:
whoever has seen it knows what to look for.
"""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight import engine, limits, plugins, render, work
from safelight.domain import Box, Cull, Drawn, Edit, Input, Measure, Proposal, Say, Verdict, Version
from safelight.files import write_atomic
from safelight.learn.rows import POLICY
from safelight.line import Progress
from safelight.media import image, raw, write
from safelight.operators import FINDING, Medium, Tools, faults
from safelight.standing import below
from safelight.state import Photo, ShootState
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.verdicts import REASONS
from safelight.words import many
from safelight.workers import Lost

SCHEMA = "safelight.gallery/1"
WIDE, TALL = 480, 360  # px of a crop at full scale
SMALL = 480  # px of the long side in which the largest change is looked for
OF_A_KIND = 12  # cases of one kind that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One failure: of which edit on top of which others, what stood as evidence, and what was done instead."""

    photo: str
    path: str
    operator: str
    kind: str
    evidence: tuple[str, ...]
    instead: str
    upon: tuple[Edit, ...]
    edit: Edit | None  # None: a choice, which changes no pixels
    other: Edit | None = None  # what a person put in its place
    where: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Asks for a case's crops."""

    case: Case
    original: Path
    kept: Path
    place: Path  # `place`-before.jpg, `place`-after.jpg, `place`-instead.jpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The crops of a case, by name of the part; `error` says why there are none."""

    case: Case
    pictures: Mapping[str, str]
    error: str | None = None


# ---------------------------------------------------------------- what went wrong


def collect(library: Library, state: ShootState) -> list[Case]:
    """All failures of a shoot, the most frequent kind first."""
    found = [*_rejected(library, state), *_faulty(library, state)]
    sizes: dict[str, int] = {}
    for case in found:
        sizes[case.kind] = sizes.get(case.kind, 0) + 1
    return sorted(found, key=lambda case: (-sizes[case.kind], case.kind, case.path))


def _rejected(library: Library, state: ShootState) -> Iterable[Case]:
    """What people rejected, or changed by more than a touch. Nobody rejects what was not shown to them."""
    said = [v for v in state.ledger.standing.values() if v.asset in state.photos and not v.by.startswith(POLICY)]
    seen = [v for v in said if not (v.drawn is Drawn.CONTROL and v.say is Say.REJECT)]
    wanted = [v for v in seen if v.bad and v.say is not Say.ESCALATE and v.proposal]
    offered = records.proposals_by_id(library, [str(v.proposal) for v in wanted])
    for verdict in wanted:
        proposal = offered.get(str(verdict.proposal))
        if proposal is not None and proposal.offers:
            yield _case(state.photos[verdict.asset], verdict, proposal)


def _case(photo: Photo, verdict: Verdict, proposal: Proposal) -> Case:
    name = verdict.operator.replace("_", " ")
    op = plugins.operators().get(verdict.operator)
    drawn = op is not None and op.medium is Medium.FRAME
    reason = REASONS.get(verdict.reason, "")
    other = None
    if verdict.say is Say.MODIFY and drawn and verdict.params is not None:
        other = Edit(operator=verdict.operator, version=verdict.version, params=verdict.params)
    note = (f"“{verdict.note}”",) if verdict.note else ()
    return Case(
        photo=photo.id, path=photo.path, operator=verdict.operator,
        kind=f"{name}: {reason.lower() if reason else 'rejected' if verdict.say is Say.REJECT else 'changed'}",
        evidence=(*(b.text for b in proposal.because), *note), instead=_instead(verdict, proposal, drawn=drawn),
        upon=verdict.upon or (), edit=proposal.edit if drawn else None, other=other,
    )  # fmt: skip


def _instead(verdict: Verdict, proposal: Proposal, *, drawn: bool) -> str:
    if verdict.say is Say.REJECT:
        return "A person refused it; the photo stayed as it was."
    before, after = proposal.edit.params, verdict.params or {}
    changed = [key for key in after if after[key] != before.get(key)]
    told = ", ".join(f"{key} {_plain(before.get(key))} → {_plain(after[key])}" for key in changed[:4])
    return f"A person set {told}." if drawn or told else "A person decided otherwise."


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def _faulty(library: Library, state: ShootState) -> Iterable[Case]:
    """Edits whose own check found a fault when they were tried."""
    versions: dict[str, tuple[Photo, tuple[Edit, ...]]] = {}
    for photo in state.photos.values():
        edits = photo.edits(proposed=True)
        if photo.decision is Cull.KEEP and edits:
            versions[Version(inputs=(Input(id=photo.id),), edits=edits).id] = photo, edits
    for version, found in records.evidence(library, list(versions)).items():
        photo, edits = versions[version]
        for edit in edits:
            measures = [measure for measure, by in found.values() if by == edit.label]
            for name, value in faults(measures).items():
                if value >= FINDING:
                    measure = next(m for m in measures if m.name == name)
                    yield _fault(photo, edit, edits, measure)


def _fault(photo: Photo, edit: Edit, edits: tuple[Edit, ...], measure: Measure) -> Case:
    state = photo.state(edit.operator)
    instead = {
        "proposed": "It waits for a person, and says so.", "approved": "A person saw it and approved it all the same.",
        "applied": "It was done alone.",
    }.get(state.value if state else "", "A person decided on it.")  # fmt: skip
    return Case(
        photo=photo.id, path=photo.path, operator=edit.operator,
        kind=f"{edit.operator.replace('_', ' ')}: check found {measure.name.rpartition('.')[2].replace('_', ' ')}",
        evidence=(f"{measure.name} is {float(str(measure.value)):.2f} (0 none, 1 certain).",), instead=instead,
        upon=below(edits, edit.operator), edit=edit, where=measure.where.box if measure.where else None,
    )  # fmt: skip


# ---------------------------------------------------------------- pictures


def crops(job: Job) -> Shown:
    """Renders a case at full scale and cuts out where it shows most. Runs in a worker."""
    case = job.case
    try:
        is_raw = raw.is_raw(job.original)
        limits.begin(work.OPENING, seconds=limits.opening(60_000_000, size=job.original.stat().st_size))
        source: Any = raw.linear_words(job.original) if is_raw else image.read(job.original)
        height, width = render.size_of(source)
        limits.begin(case.operator, seconds=3 * limits.plugin(width * height))
        tools = Tools(kept=ShootFolder(job.kept, job.kept).kept, weights={})
        edits = {"before": case.upon, "after": case.upon, "instead": case.upon}
        for part, edit in (("after", case.edit), ("instead", case.other)):
            if edit is None:
                del edits[part]
            else:
                edits[part] = render.order((*case.upon, edit))
        made = {part: render.render_bytes(source, chosen, tools) for part, chosen in edits.items()}
    except Exception as error:  # noqa: BLE001 - one case without a picture is still told
        return Shown(case=case, pictures={}, error=f"{type(error).__name__}: {error}")
    middle = _middle(case, made)
    written = {}
    for part, pixels in made.items():
        target = job.place.with_name(f"{job.place.name}-{part}.jpg")
        write_atomic(target, write.encode_jpeg(np.ascontiguousarray(_cut(pixels, middle)), quality=92))
        written[part] = target.name
    return Shown(case=case, pictures=written)


def _middle(case: Case, made: Mapping[str, NDArray[np.uint8]]) -> tuple[float, float]:
    """Where to look, as shares of height and width: the place that a check names, else where most has changed."""
    before = made["before"]
    if case.where is not None:
        x0, y0, x1, y1 = case.where
        height, width = before.shape[:2]
        return min(1.0, (y0 + y1) / 2 / height), min(1.0, (x0 + x1) / 2 / width)
    after = made.get("after")
    if after is None:
        return 0.5, 0.5
    scale = SMALL / max(before.shape[:2])
    size = max(8, round(before.shape[1] * scale)), max(8, round(before.shape[0] * scale))
    one, other = (cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.float32) for each in (before, after))
    change = cv2.blur(np.abs(one - other).sum(axis=2), (size[0] // 6 + 1, size[1] // 6 + 1))
    y, x = np.unravel_index(int(change.argmax()), change.shape)
    return (float(y) + 0.5) / size[1], (float(x) + 0.5) / size[0]


def _cut(pixels: NDArray[np.uint8], middle: tuple[float, float]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    top = int(np.clip(middle[0] * height - TALL / 2, 0, max(0, height - TALL)))
    left = int(np.clip(middle[1] * width - WIDE / 2, 0, max(0, width - WIDE)))
    return pixels[top : top + TALL, left : left + WIDE]


def rescue(job: Job, lost: Lost) -> Shown:
    """A case whose worker was lost is told without pictures."""
    return Shown(case=job.case, pictures={}, error=f"{lost.step} was cut off: {lost.told}")


# ---------------------------------------------------------------- the page


def make(
    library: Library, state: ShootState, folder: ShootFolder, to: Path, *, jobs: int | None,
    tell: Callable[[Progress], None],
) -> dict[str, Any]:  # fmt: skip
    """Writes the gallery to a folder: `index.html` and its crops. Returns `safelight.gallery/1`."""
    cases = collect(library, state)
    chosen: list[Case] = []
    for case in cases:
        if sum(c.kind == case.kind for c in chosen) < OF_A_KIND:
            chosen.append(case)
    to.mkdir(parents=True, exist_ok=True)
    todo = [
        Job(
            case=case, original=folder.root / case.path, kept=folder.state, place=to / f"{number:03d}",
        )
        for number, case in enumerate(chosen, 1)
    ]  # fmt: skip
    shown: list[Shown] = []
    with engine.engine("process", jobs=jobs) as (executor, width):
        for one in engine.stream(executor, width, iter([(crops, job) for job in todo]), rescue=rescue):
            shown.append(one)
            tell(Progress(stage="gallery", done=len(shown), total=len(todo)))
    place = {id_of(job.case): n for n, job in enumerate(todo)}
    shown.sort(key=lambda one: place[id_of(one.case)])
    kinds: dict[str, int] = {}
    for case in cases:
        kinds[case.kind] = kinds.get(case.kind, 0) + 1
    write_atomic(to / "index.html", page(state.shoot.name, kinds, shown).encode("utf-8", "backslashreplace"))
    return {
        "schema": SCHEMA, "shoot": state.shoot.name, "kinds": kinds,
        "cases": [
            {
                "path": s.case.path, "operator": s.case.operator, "kind": s.case.kind,
                "evidence": list(s.case.evidence), "instead": s.case.instead, "pictures": dict(s.pictures),
                "error": s.error,
            }
            for s in shown
        ],
    }  # fmt: skip


def id_of(case: Case) -> tuple[str, str, str]:
    """What tells cases apart."""
    return case.photo, case.operator, case.kind


def page(name: str, kinds: Mapping[str, int], shown: Sequence[Shown]) -> str:
    """The page, without anything loaded from elsewhere."""
    parts = []
    for kind, count in kinds.items():
        cases = "".join(_figure(one) for one in shown if one.case.kind == kind)
        parts.append(f"<h2>{html.escape(kind.capitalize())} <small>{count:,}</small></h2>{cases}")
    body = "".join(parts) or "<p>Nothing was rejected, changed or found faulty.</p>"
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>What went wrong: {html.escape(name)}</title>
<style>
body {{ font: 13px system-ui, sans-serif; background: #1b1b1b; color: #e6e6e6; margin: 24px; }}
h1 {{ font-size: 20px; font-weight: 600; }} h2 {{ font-size: 15px; margin: 32px 0 8px; }}
small, figcaption {{ color: #a3a3a3; font-weight: 400; }} figure {{ margin: 0 0 24px; }}
.crops {{ display: flex; flex-wrap: wrap; gap: 8px; background: #2e2e2e; padding: 8px; width: fit-content; }}
.crops span {{ display: block; color: #a3a3a3; padding-bottom: 4px; }}
figcaption p {{ margin: 4px 0 0; max-width: 100ch; }} strong {{ color: #e6e6e6; font-weight: 600; }}
</style>
<h1>What went wrong: {html.escape(name)}</h1>
<p>{many(sum(kinds.values()), "case")}. Crops are at 100 %, at the place that changed most or that a check names.</p>
{body}
</html>
"""


def _figure(one: Shown) -> str:
    case = one.case
    labels = {"before": "before", "after": "as it was suggested", "instead": "what a person did instead"}
    crops_ = "".join(
        f'<div><span>{labels[part]}</span><img src="{html.escape(file)}" alt="{labels[part]}"></div>'
        for part, file in one.pictures.items()
    )
    evidence = "".join(f"<p>{html.escape(text)}</p>" for text in case.evidence)
    missing = f"<p>No picture: {html.escape(one.error)}</p>" if one.error else ""
    return (
        f'<figure><div class="crops">{crops_}</div><figcaption>'
        f"<p><strong>{html.escape(printable(case.path))}</strong></p>{evidence}<p>{html.escape(case.instead)}</p>{missing}</figcaption></figure>"
    )


def printable(path: str) -> str:
    """A path as it can be shown."""
    text = path.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def words(made: Mapping[str, Any], to: Path) -> str:
    """The gallery in a few lines."""
    if not made["kinds"]:
        return "Nothing was rejected, changed by more than a touch, or found faulty."
    lines = [f"{kind}: {count:,}" for kind, count in list(made["kinds"].items())[:8]]
    return "\n".join([*lines, f"Gallery: {to / 'index.html'}"])


__all__: Sequence[str] = ("Case", "collect", "make", "page", "words")
