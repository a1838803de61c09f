"""What is seen of a clip beside what is heard: joins whose picture is rolled, and cutaways, as people decided and as it
waits for them. Only what somebody approved is ever shown.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safelight import effects, plugins
from safelight import params as json_params
from safelight.cutting import cutaways as offers
from safelight.cutting.assembly import Assembly, Cover, Material
from safelight.cutting.cutaways import Other
from safelight.errors import UsageError
from safelight.media.effects import CDL
from safelight.media.timeline import Cutaway, Split
from safelight.state import Footage

SPLIT, CUTAWAYS = "split", "cutaways"


def splits(clip: Footage) -> tuple[Split, ...]:
    """The joins that people decided to roll."""
    return tuple(_marks(clip, SPLIT))


def leads(clip: Footage, *, proposed: bool) -> tuple[Split, ...] | None:
    """Those that wait for a person, none without `proposed`; None where nobody was asked."""
    proposal = clip.proposals.get(SPLIT)
    if SPLIT not in clip.standing and (proposal is None or not proposal.offers):
        return None
    return tuple(_marks(clip, SPLIT, waiting=True)) if proposed else ()


def cutaways(clip: Footage) -> tuple[Cutaway, ...]:
    """The cutaways that people decided about."""
    return tuple(_marks(clip, CUTAWAYS))


def waiting(clip: Footage) -> tuple[Cutaway, ...]:
    """Those that wait for a person."""
    return tuple(_marks(clip, CUTAWAYS, waiting=True))


def _marks(clip: Footage, operator: str, *, waiting: bool = False) -> Any:
    if waiting and operator in clip.standing:
        return ()
    edit = clip.edit(operator, proposed=waiting)
    return () if edit is None else json_params.from_json(plugins.operator(operator).params, edit.params).marks


def other(path: Path, clip: Footage) -> Other:
    """A clip of a shoot as it may be cut away to, with the grade that people decided about."""
    return Other(path=path, grade=tuple(e for e in effects.of(clip) if isinstance(e.settings, CDL)))


def laid(
    made: Assembly, asked: Sequence[Sequence[Cutaway]], beside: Mapping[str, Other], *, enabled: bool,
    under: Sequence[Cover] = (),
) -> tuple[list[Cover], list[str]]:  # fmt: skip
    """The cutaways of each clip of a programme where they lie in it, and which cannot be shown, in sentences. `beside`:
    the clips of the shoot, by id; `under`: covers that lie there already. Raises UsageError where one that is
    to be shown is not there; what is only offered is told."""
    others: dict[str, Material] = {}
    covers, notes = list(under), []
    for number, marks in enumerate(asked):
        name = made.materials[number].path.name
        there = [mark for mark in marks if _is_there(mark, beside, others)]
        for mark in marks:
            if mark in there:
                continue
            lost = f"{name} cuts away to {mark.title or mark.source[:12]} at {float(mark.at):.2f} s, which is not here"
            if enabled:
                raise UsageError(f"{lost}.", remedy="Bring the clip back into the shoot, or take the cutaway back.")
            notes.append(f"{lost}: it is not offered.")
        found, told = offers.laid(made, number, there, others, enabled=enabled, beside=covers)
        covers += found
        notes += told
    return covers[len(under) :], notes


def _is_there(mark: Cutaway, beside: Mapping[str, Other], others: dict[str, Material]) -> bool:
    if mark.source not in others:
        one = beside.get(mark.source)
        if one is None or not one.path.is_file():
            return False
        others[mark.source] = offers.material_of(one)
    return True
