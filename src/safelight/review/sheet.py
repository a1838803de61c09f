"""What of a shoot's edits waits for a person, scene by scene: the frames that stand apart from the others first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from safelight import blind, plugins
from safelight.deliver.ready import Finding
from safelight.domain import Cull, Json, State
from safelight.operators import Medium
from safelight.review.checklist import spoken
from safelight.review.entries import printable
from safelight.review.forms import form, words
from safelight.state import Photo, ShootState, by_time

FEWEST = 3  # frames that tell what is usual in a scene
APART = 0.08  # of a slider's whole way: from here on a frame stands apart, …
FAR = 0.3  # … and here fully


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an edit stands apart from those of its scene, 0..1, and in which words."""

    apart: float
    text: str


def scenes(state: ShootState, findings: Sequence[Finding] = ()) -> list[dict[str, Any]]:
    """Scenes in which a photo that stays has edits, in order of time, with all photos that stay; frames that stand
    apart, were found at fault or are least sure come first, those without edits last."""
    by_scene: dict[str, list[Photo]] = {}
    for photo in by_time(state.photos.values()):
        if photo.decision is Cull.KEEP:
            by_scene.setdefault(photo.scene.id if photo.scene else "", []).append(photo)
    faults: dict[str, list[Finding]] = {}
    for finding in findings:
        faults.setdefault(finding.photo.id, []).append(finding)
    return [
        _scene(name, photos if name else [p for p in photos if _has_edits(p)], faults)
        for name, photos in by_scene.items()
        if any(_has_edits(photo) for photo in photos)
    ]


def _has_edits(photo: Photo) -> bool:
    return bool(waits(photo) or photo.edits(proposed=True))


def waits(photo: Photo) -> list[str]:
    """The operators whose edits of a photo wait for an answer, whether or not it is decided that the photo stays."""
    known = plugins.operators()
    return sorted(
        name
        for name in {*photo.proposals, *photo.shaken}
        if name in known
        and known[name].medium is Medium.FRAME
        and (photo.state(name) in (State.PROPOSED, State.ESCALATED) or name in photo.shaken)
    )


def _scene(name: str, photos: Sequence[Photo], faults: Mapping[str, Sequence[Finding]]) -> dict[str, Any]:
    usual = _usual(photos) if name else {}
    entries = [_entry(photo, usual, faults.get(photo.id, ())) for photo in photos]
    entries.sort(key=lambda entry: (not entry["edits"] and not entry["waits"], -entry["harm"]))
    first = photos[0].taken
    return {
        "id": name or None,
        "name": f"Scene of {first:%H:%M}" if name and first else entries[0]["path"] if name else "Photos of no scene",
        "photos": entries,
        "open": sum(bool(entry["waits"]) for entry in entries),
        "operators": sorted({operator for entry in entries for operator in entry["waits"]}),
    }


def _entry(photo: Photo, usual: Mapping[tuple[str, str], float], faults: Sequence[Finding]) -> dict[str, Any]:
    edits = {edit.operator: edit for edit in photo.edits(proposed=True)}
    open_, unseen = waits(photo), blind.hidden(photo)
    told = [_apart(name, edits[name].params, usual) for name in edits if name not in unseen]
    apart = max(told, key=lambda standing: standing.apart, default=Standing(apart=0.0, text=""))
    scores = [p.score for name, p in photo.proposals.items() if name in open_ and p.score is not None]
    doubt = 1.0 - min(scores, default=1.0)
    worst = max((finding.value for finding in faults), default=0.0)
    text = next(iter(photo.shaken.values()), "")
    if not text and faults:
        text = f"A check found: {', '.join(map(spoken, faults[:2]))}."
    return {
        "id": photo.id,
        "path": printable(photo.path),
        "width": photo.asset.width or 3,
        "height": photo.asset.height or 2,
        "edits": [
            {
                "operator": name,
                "state": str(photo.state(name)),
                "text": "without a suggestion" if name in unseen else words(edit.params, plugins.operator(name)),
            }
            for name, edit in edits.items()
            if name in plugins.operators()
        ],
        "waits": open_,
        "blind": [name for name in open_ if name in unseen],
        "stands_apart": bool(text) or apart.apart >= 0.5,
        "because": text or apart.text,
        "harm": round(max(worst, apart.apart, 0.5 * doubt, 1.0 if photo.shaken else 0.0), 4),
    }


def _sliders(name: str, values: Mapping[str, Json]) -> dict[str, tuple[float, float, str]]:
    """By name of each slider of an edit: where it is, how long its way is, its unit."""
    operator = plugins.operators().get(name)
    if operator is None:
        return {}
    found = {}
    for field in form(operator):
        value = values.get(field["name"])
        if field["kind"] == "slider" and isinstance(value, int | float):
            found[field["name"]] = float(value), float(field["high"] - field["low"]), str(field["unit"])
    return found


def _usual(photos: Sequence[Photo]) -> dict[tuple[str, str], float]:
    """Where each slider stands in the middle of a scene's frames; an edit that a frame has not stands at zero."""
    seen: dict[tuple[str, str], list[float]] = {}
    for photo in photos:
        unseen = blind.hidden(photo)
        for edit in (e for e in photo.edits(proposed=True) if e.operator not in unseen):
            for slider, (value, _, _) in _sliders(edit.operator, edit.params).items():
                seen.setdefault((edit.operator, slider), []).append(value)
    if len(photos) < FEWEST:
        return {}
    return {key: median(values + [0.0] * (len(photos) - len(values))) for key, values in seen.items()}


def _apart(name: str, values: Mapping[str, Json], usual: Mapping[tuple[str, str], float]) -> Standing:
    found = Standing(apart=0.0, text="")
    for slider, (value, way, unit) in _sliders(name, values).items():
        middle = usual.get((name, slider))
        if middle is None or way <= 0:
            continue
        apart = min(1.0, max(0.0, (abs(value - middle) / way - APART / 2) / (FAR - APART / 2)))
        if apart > found.apart:
            shown = "" if unit in ("", slider) else f" {unit}"
            usually = f"the scene's middle is {middle:+.3g}{shown}" if middle else "most of the scene have none"
            text = f"{name.replace('_', ' ')}: {slider} {value:+.3g}{shown}; {usually}."
            found = Standing(apart=apart, text=text)
    return found
