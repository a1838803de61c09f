"""What is done to the sound and the picture of a clip where it is rendered, and how it is marked: where that stands,
and what of it a timeline cannot carry.

Cuts are answered one by one; these are answered whole, or with other params.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from safelight import cuts, plugins
from safelight import params as json_params
from safelight.cutting.assembly import Assembly
from safelight.domain import Edit, Json, State
from safelight.media.effects import Clear, Effect, Level, Repairs, Steady
from safelight.operators import Medium, Operator, _effects
from safelight.operators._lifts import DOUBT
from safelight.state import Footage

LOST = {(Repairs, Level): "sounds as it was recorded", (Steady, Clear): "looks as it was filmed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Params that are offered, and what they do, in words."""

    params: Mapping[str, Json]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One operator's edit of a clip: where it stands, and in words what it does or would do. `choices`: what else is
    offered; `doubts`: what a person should listen or look to first."""

    operator: str
    state: State | None
    zone: str
    by: str | None
    cannot_tell: str | None
    text: str
    because: tuple[str, ...]
    doubts: tuple[str, ...]
    choices: tuple[Choice, ...]


def operators() -> list[Operator[Any]]:
    """Those that mark a clip, or change how it looks or sounds, in the order in which that is done."""
    found = [op for op in plugins.operators().values() if op.medium is Medium.TIMELINE and _effects.is_whole(op)]
    return sorted(found, key=lambda op: (op.stage, op.rank, op.name))


def of(clip: Footage, *, proposed: bool = False) -> tuple[Effect, ...]:
    """What is done to a clip as people decided, and with `proposed` also what waits for them."""
    made = cuts.timeline(clip, proposed=proposed).clips
    return made[0].effects if made else ()


def listed(clip: Footage) -> list[Listed]:
    """Every such edit of a clip, as things stand."""
    return [found for op in operators() if (found := _listed(clip, op)) is not None]


def _listed(clip: Footage, op: Operator[Any]) -> Listed | None:
    proposal, verdict = clip.proposals.get(op.name), clip.standing.get(op.name)
    if proposal is None and verdict is None:
        return None
    held = clip.edit(op.name, proposed=True)
    offered = (proposal.edit, *proposal.alternatives) if proposal is not None and proposal.offers else ()
    others = [edit for edit in offered if held is None or dict(edit.params) != dict(held.params)]
    choices = [Choice(params=edit.params, text=words(edit)) for edit in others]
    reasons = proposal.because if proposal is not None else ()
    return Listed(
        operator=op.name, state=clip.state(op.name), zone=proposal.zone.value if proposal else "human",
        by=verdict.by if verdict else None, cannot_tell=proposal.cannot_tell if proposal else None,
        text=words(held) if held is not None else _effects.NOTHING,
        because=tuple(b.text for b in reasons if not b.code.startswith(DOUBT)),
        doubts=tuple(b.text for b in reasons if b.code.startswith(DOUBT)),
        choices=(*choices, *(_without(held) if held is not None else ())),
    )  # fmt: skip


def _without(held: Edit) -> Iterator[Choice]:
    """The same without one of its marks: so they are answered one by one."""
    rows: Any = held.params.get("marks", ())
    if len(rows) < 2:
        return
    marks = json_params.from_json(plugins.operator(held.operator).params, held.params).marks
    for row, mark in zip(rows, marks, strict=True):
        left = [other for other in rows if other["name"] != row["name"]]
        yield Choice(params={**held.params, "marks": left}, text=f"without {_effects.called(mark)}")


def words(edit: Edit) -> str:
    """What an edit does to a clip, in words."""
    op = plugins.operator(edit.operator)
    return _effects.words(op, json_params.from_json(op.params, edit.params))


def lost(made: Assembly) -> list[str]:
    """What is done to clips and a timeline of originals does not carry, in sentences."""
    found = []
    for n in sorted({piece.clip for piece in made.pieces}):
        material = made.materials[n]
        for kinds, how in LOST.items():
            told = [_effects.said(effect) for effect in material.effects if isinstance(effect.settings, kinds)]
            if told:
                found.append(
                    f"{material.path.name} {how} here; a film that Safelight renders has: {'; '.join(told)}."
                )  # fmt: skip
    return found


__all__ = ["Choice", "Listed", "listed", "lost", "of", "operators", "words"]
