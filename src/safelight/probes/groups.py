"""What belongs together in a shoot: clocks, brackets, focus stacks, panoramas, bursts, near-duplicates, scenes.

Needs the evidence of `layout` and the capture facts; looks at no picture. A photo is in at most one group besides its
scene. Brackets, stacks and panoramas come first, because they are one picture in several frames and must survive a
cull; then bursts, then look-alikes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Group, GroupKind, Measure, Scope, digest_of
from safelight.probes import Findings, Member, Probe
from safelight.probes._grouping import clocks, lookalikes, panoramas, scenes, sets
from safelight.probes._grouping import shoot as shoots
from safelight.probes._grouping.sets import Found
from safelight.probes._grouping.shoot import Shoot

LABEL = "groups@1"


def survey(members: Sequence[Member]) -> Findings:
    """Groups and scenes of all photos of a shoot, and how far its cameras' clocks are apart."""
    if not members:
        return Findings()
    shoot = shoots.of(members)
    offsets = clocks.offsets(shoot)
    shoot = clocks.aligned(shoot, offsets)
    found = _sets(shoot)
    everywhere = [_scene(shoot, rows) for rows in scenes.scenes(shoot, [one.rows for one in found])]
    return Findings(
        groups=tuple(_group(shoot, one) for one in [*found, *everywhere]),
        measures=_clock_measures(shoot, offsets),
    )


def _sets(shoot: Shoot) -> list[Found]:
    found = sets.of_runs(shoot)
    bursts = [one for one in found if one.kind is GroupKind.BURST]
    found = [one for one in found if one.kind is not GroupKind.BURST]
    found += panoramas.sweeps(shoot, _free(shoot, [*found, *bursts]))
    found += bursts
    return found + [_lookalikes(shoot, rows) for rows in lookalikes.clusters(shoot, _free(shoot, found))]


def _free(shoot: Shoot, found: Sequence[Found]) -> NDArray[np.bool_]:
    free = np.ones(len(shoot), bool)
    free[sets.rows_of(found)] = False
    return free


def _lookalikes(shoot: Shoot, rows: list[int]) -> Found:
    timed = np.isfinite(shoot.time[rows])
    if not timed.any() and (bracket := sets.by_exposure(shoot, rows)):
        return bracket
    rows = [rows[i] for i in np.lexsort((np.asarray(rows), shoot.time[rows]))]  # unknown times last
    because = f"{len(rows)} photos of the same thing from the same place"
    if not timed.all():
        because += "; not all of them say when they were taken."
    elif len(set(shoot.body[rows])) > 1:
        because += f", seen by {len(set(shoot.body[rows]))} cameras within {np.ptp(shoot.time[rows]):.0f} s."
    else:
        because += f" within {np.ptp(shoot.time[rows]):.0f} s."
    return Found(kind=GroupKind.DUPLICATE, rows=tuple(rows), because=because)


def _scene(shoot: Shoot, rows: list[int]) -> Found:
    rows = [rows[i] for i in np.lexsort((np.asarray(rows), shoot.time[rows]))]
    time = shoot.time[rows]
    time = time[np.isfinite(time)]
    if not len(time):
        because = "Photos without times that look alike."
    else:
        because = f"One stretch of {np.ptp(time) / 60:.0f} minutes without a long pause or a change of light."
    return Found(kind=GroupKind.SCENE, rows=tuple(rows), because=because)


def _group(shoot: Shoot, found: Found) -> Group:
    members = tuple(shoot.ids[row] for row in found.rows)
    name = digest_of([str(found.kind), sorted(members)])[:16]
    return Group(id=name, kind=found.kind, members=members, by=LABEL, because=found.because)


def _clock_measures(shoot: Shoot, offsets: Sequence[clocks.Offset]) -> dict[str, list[Measure]]:
    """`clock.offset_s` of every photo of a body whose clock was compared with the reference's."""
    out = {}
    for offset in offsets:
        measure = Measure(
            name="clock.offset_s", value=offset.seconds, unit="s",
            cannot_tell=None if offset.seconds is not None else offset.because,
        )  # fmt: skip
        for row in np.flatnonzero(shoot.body == offset.body):
            out[shoot.ids[row]] = [measure]
    return out


probe = Probe(
    name="groups",
    version=1,
    emits=("clock.offset_s",),
    needs=("embedding", "layout.thumb", "layout.detail", "layout.light"),
    scope=Scope.SHOOT,
    survey=survey,
    about="Clocks of several cameras, bursts, near-duplicates, brackets, focus stacks, panoramas and scenes.",
)
