"""Questions that are about no photo's state: suggestions spoilt on purpose, to learn what a reviewer notices, and
honest ones that are asked anew because another version of an operator makes them now.

They have a table of their own and an id that belongs to no photo. Verdicts about them carry that id in place of the
photo's, so that no state of a photo, no version and no delivery can ever come from one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import sqlalchemy as sa

from safelight import ledger_builds, limits, params, plugins, propose, render, weights
from safelight.domain import Cull, Drawn, Edit, Proposal, Say, State, Verdict, digest_of
from safelight.files import json_text
from safelight.learn import draws
from safelight.media.frame import Frame
from safelight.operators import FINDING, Medium, Operator, Stage, Tools, faults
from safelight.policy import Policy
from safelight.propose import Trial
from safelight.state import Photo, ShootState
from safelight.store import records, schema
from safelight.store.library import Library, now
from safelight.store.objects import ShootFolder
from safelight.verdicts import Saying, checked
from safelight.workers import Lost

SMEAR = 0.08  # of the long side: how far a spoilt photo is smeared
CHOICE = {"decision": Cull.KEEP.value}  # what is suggested for a photo that was ruined on purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBad:
    """One of them: of which photo's proposal it is the spoilt form, or the form that another version gives it."""

    id: str
    shoot: str
    asset: str
    operator: str
    version: int
    params: Mapping[str, Any]
    upon: tuple[Edit, ...]
    score: float | None
    again: bool = False  # not spoilt: what another version suggests for what was drawn and answered before


def make(library: Library, state: ShootState, rules: Policy) -> None:
    """Draws, by coin, among what waits for a person, and remembers what is to be spoilt; with it what is to be asked
    anew. Once for each item."""
    have = {(k.asset, k.operator) for k in of_shoot(library, state.shoot.id) if not k.again}
    rows = []
    for photo in state.photos.values():
        for task, proposal in photo.proposals.items():
            share = rules.task(task, state.shoot.client).known_bad
            if (photo.id, task) in have or draws.coin(state.shoot.id, f"known_bad/{task}", photo.id) >= share:
                continue
            if photo.state(task) is State.PROPOSED and _can_be_spoilt(photo, proposal):
                rows.append(_row(state, photo, proposal))
    library.append(schema.known_bads, [*rows, *_again(library, state)])


def _can_be_spoilt(photo: Photo, proposal: Proposal) -> bool:
    op = plugins.operators().get(proposal.edit.operator)
    if op is None or not proposal.offers or photo.decision is not Cull.KEEP:
        return False
    return op.medium is Medium.CHOICE or (op.medium is Medium.FRAME and op.spoil is not None)


def _again(library: Library, state: ShootState) -> list[dict[str, Any]]:
    """Where another version of an operator suggests something else than before for what was drawn by coin and answered
    one by one, all such items of the shoot are asked anew. What was approved stays as it is, whatever is said now."""
    have = {k.id for k in of_shoot(library, state.shoot.id) if k.again}
    changed: dict[tuple[str, int, int], bool] = {}
    rows = []
    for photo in state.photos.values():
        for task, proposal in photo.proposals.items():
            said, edit = photo.standing.get(task), proposal.edit
            if said is None or said.version == edit.version or not proposal.offers:
                continue
            if said.drawn not in (Drawn.CANARY, Drawn.AUDIT) or said.bundled > 1:
                continue
            between = (task, said.version, edit.version)
            if between not in changed:
                changed[between] = ledger_builds.unlike(library, *between)
            if changed[between]:
                rows.append(_row(state, photo, proposal, again=True))
    return [row for row in rows if row["id"] not in have]


def _row(state: ShootState, photo: Photo, proposal: Proposal, *, again: bool = False) -> dict[str, Any]:
    task = proposal.edit.operator
    what = f"again/{proposal.edit.version}" if again else "known_bad"
    edits = photo.edits(proposed=True)
    if again and plugins.operator(task).medium is Medium.FRAME:
        edits = render.order([*(edit for edit in edits if edit.operator != task), proposal.edit])
    return {
        "id": digest_of([state.shoot.id, photo.id, task, what])[:32], "shoot": state.shoot.id,
        "asset": photo.id, "operator": task, "version": proposal.edit.version,
        "params": json_text(proposal.edit.params), "upon": json_text(records.upon_json(edits)),
        "score": proposal.score, "again": again, "at": now(),
    }  # fmt: skip


def of_shoot(library: Library, shoot: str) -> list[KnownBad]:
    """All that were ever drawn in a shoot."""
    table = schema.known_bads
    return [
        KnownBad(
            id=row["id"], shoot=shoot, asset=row["asset"], operator=row["operator"], version=row["version"],
            params=json.loads(row["params"]), upon=records.upon_from(row["upon"]) or (), score=row["score"],
            again=bool(row["again"]),
        )
        for row in library.rows(sa.select(table).where(table.c.shoot == shoot).order_by(table.c.seq))
    ]  # fmt: skip


def waiting(library: Library, state: ShootState, folder: ShootFolder) -> list[KnownBad]:
    """Those that nobody has answered and whose pictures are there. A choice that is asked anew is about the photo."""
    return [
        bad
        for bad in of_shoot(library, state.shoot.id)
        if (bad.id, bad.operator) not in state.ledger.standing
        and bad.asset in state.photos
        and (_is_choice(bad) or folder.cached(bad.id).with_suffix(".after.jpg").exists())
    ]


def _is_choice(bad: KnownBad) -> bool:
    """Whether one is asked anew about a choice, which needs no picture of its own."""
    op = plugins.operators().get(bad.operator)
    return bad.again and op is not None and op.medium is Medium.CHOICE


def answer(library: Library, state: ShootState, bad: KnownBad, saying: Saying) -> Verdict:
    """Writes what a person says about one. It changes nothing about any photo; of one that is asked anew it is evidence
    for the version that runs, as the answer before it was for the one that ran then."""
    checked(saying)
    op = plugins.operators().get(bad.operator)
    material = None
    if saying.say is Say.MODIFY and op is not None and op.material is not None and saying.params is not None:
        shown = shown_params(bad)
        before, after = (params.from_json(op.params, {**shown, **more}) for more in ({}, saying.params))
        material = op.material(before, after)
    drawn, group, papers = Drawn.KNOWN_BAD, None, ""
    if bad.again and op is not None:
        photo = state.photos[bad.asset]
        drawn = photo.standing[bad.operator].drawn if bad.operator in photo.standing else Drawn.AUDIT
        group = photo.proposals[bad.operator].group if bad.operator in photo.proposals else None
        papers = weights.used(op.weights)
    said = Verdict(
        at=saying.at or now(), by=saying.by, asset=bad.id, shoot=bad.shoot, operator=bad.operator, version=bad.version,
        say=saying.say, proposal=bad.id, score=bad.score, reason=saying.reason, note=saying.note,
        params=dict(saying.params) if saying.params is not None else None, seconds=saying.seconds,
        drawn=drawn, material=material, group=group, weights=papers, bundled=saying.bundled or 1,
    )  # fmt: skip
    records.save_verdicts(library, [said])
    state.ledger.add(said)
    return said


# ---------------------------------------------------------------- pictures


def trials(library: Library, state: ShootState, folder: ShootFolder) -> list[tuple[Trial, str]]:
    """What is to be rendered, with the operator that is spoilt; an empty name where none is."""
    return [
        (propose.trial(state.photos[bad.asset], bad.upon, folder, named=bad.id), "" if bad.again else bad.operator)
        for bad in of_shoot(library, state.shoot.id)
        if (bad.id, bad.operator) not in state.ledger.standing
        and bad.asset in state.photos
        and not _is_choice(bad)
        and not folder.cached(bad.id).with_suffix(".after.jpg").exists()
    ]


def spoil(job: tuple[Trial, str]) -> str | None:
    """Renders a photo's edits with one of them spoilt. Runs in a worker. Where the spoilt edit's own check does not
    notice it, a person need not either: no picture is written and it is never shown. Returns what went wrong."""
    trial, task = job
    if not task:
        return propose.try_edits(trial).error
    try:
        before, frame, tools = propose.opened(trial)
        ruined, noticed = ruin(frame, trial.version.edits, task, tools)
    except Exception as error:  # noqa: BLE001 - one known bad fewer is no reason to stop a run
        return f"{task}: {type(error).__name__}: {error}"
    if noticed:
        is_choice = plugins.operator(task).medium is Medium.CHOICE
        propose.show(trial, ruined if is_choice else before, ruined)
    return None


def ruin(frame: Frame, edits: Sequence[Edit], task: str, tools: Tools) -> tuple[Frame, bool]:
    """A frame with its edits, the one of `task` spoilt, and whether that edit's own check notices it. Of a choice the
    photo itself is ruined, and nothing else is done to it."""
    if plugins.operator(task).medium is Medium.CHOICE:
        return _smeared(frame), True
    noticed = False
    for edit in edits:
        op = plugins.operator(edit.operator)
        if op.stage is Stage.BASE and op.name != task:
            continue
        values = params.from_json(op.params, edit.params)
        limits.begin(op.label, seconds=limits.plugin(frame.width * frame.height))
        if op.name != task:
            frame = render.render(frame, (edit,), tools)
            continue
        assert op.spoil is not None
        after = op.spoil(frame, values)
        noticed, frame = _noticed(op, frame, after, values), after
    return frame, noticed


def _noticed(op: Operator[Any], before: Frame, after: Frame, values: Any) -> bool:
    return any(value >= FINDING for value in faults(op.check(before, after, values)).values())


def _smeared(frame: Frame) -> Frame:
    """A photo that nobody would keep: moved by a twelfth of its length while it was taken."""
    length = max(9, round(SMEAR * max(frame.width, frame.height)))
    kernel = np.eye(length, dtype=np.float32) / length
    smeared = cv2.filter2D(frame.pixels, -1, kernel, borderType=cv2.BORDER_REFLECT)
    return frame.with_pixels(np.asarray(smeared, np.float32))


def rescue(job: tuple[Trial, str], lost: Lost) -> str:
    """A worker that was lost over a spoilt render."""
    return f"{job[1]}: {lost.step} was cut off: {lost.told}"


def shown_params(bad: KnownBad) -> Mapping[str, Any]:
    """What is suggested, as it is shown: the honest params, for a spoilt picture does not say that it is one."""
    return {**bad.params, **CHOICE} if "decision" in bad.params and not bad.again else bad.params


__all__: Sequence[str] = (
    "KnownBad", "answer", "make", "of_shoot", "rescue", "ruin", "shown_params", "spoil", "trials",
    "waiting",
)  # fmt: skip
