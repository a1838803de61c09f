"""About so many photos: which keepers wait for a person, or which ties are taken in, so that nothing goes missing.

Each scene gives in proportion to what it has, so that a dark hall is not emptied in favour of a sunny lawn; within a
scene each stretch of time keeps its strongest, so that no moment is emptied in favour of another. Every scene keeps
one, and sets that are one picture in several frames stay whole.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from safelight.operators import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """A photo that is kept so far: how strong it is, 0..1, and whether it must stay."""

    subject: Subject
    strength: float
    fixed: bool


def surplus(keepers: Sequence[Keeper], target: int) -> dict[str, Subject]:
    """Those that wait for a person, with the photo that stays in their stead, so that about `target` are left."""
    by_scene: dict[str, list[Keeper]] = defaultdict(list)
    for keeper in sorted(keepers, key=_in_time):
        by_scene[keeper.subject.scene or keeper.subject.asset.id].append(keeper)
    scenes = list(by_scene.values())
    fixed = [sum(keeper.fixed for keeper in scene) for scene in scenes]
    quotas = shares([len(scene) for scene in scenes], [max(1, least) for least in fixed], target)
    out: dict[str, Subject] = {}
    for scene, quota, least in zip(scenes, quotas, fixed, strict=True):
        loose = [keeper for keeper in scene if not keeper.fixed]
        stretches = _stretches(loose, quota - least)
        instead = max((k for k in scene if k.fixed), key=lambda k: k.strength, default=None)
        for stretch in stretches:
            best = min(stretch, key=lambda k: (-k.strength, k.subject.path))
            out |= {k.subject.asset.id: best.subject for k in stretch if k is not best}
        if not stretches and instead is not None:
            out |= {k.subject.asset.id: instead.subject for k in loose}
    return out


def shares(sizes: Sequence[int], least: Sequence[int], total: int) -> list[int]:
    """How many of each part make `total` together: in proportion to the sizes, at least `least`, at most all.

    More than `total` where the least of all parts is more."""
    if sum(least) >= total:
        return list(least)
    size, low = np.array(sizes, float), np.array(least, float)
    below, above = 0.0, 1.0
    for _ in range(60):
        middle = (below + above) / 2
        if np.clip(middle * size, low, size).sum() > total:
            above = middle
        else:
            below = middle
    wanted = np.clip(below * size, low, size)
    found = np.floor(wanted + 1e-9)
    for part in np.argsort(-(wanted - found), kind="stable"):
        if found.sum() >= total:
            break
        found[part] = min(found[part] + 1, size[part])
    return [int(n) for n in found]


def taken_in(ties: Sequence[Keeper], room: int, *, groups: Mapping[str, str]) -> Collection[str]:
    """So many of the ties: the strongest of each group before the second of any."""
    place: dict[str, int] = defaultdict(int)
    order = []
    for tie in sorted(ties, key=lambda k: (-k.strength, k.subject.path)):
        group = groups[tie.subject.asset.id]
        order.append((place[group], -tie.strength, tie.subject.path, tie.subject.asset.id))
        place[group] += 1
    return [asset for *_, asset in sorted(order)[:room]]


def _stretches(loose: Sequence[Keeper], count: int) -> list[list[Keeper]]:
    """Keepers in order of time, cut into so many stretches of like length; none for none."""
    if count < 1 or not loose:
        return []
    edges = [round(len(loose) * k / count) for k in range(count + 1)]
    return [list(loose[a:b]) for a, b in pairwise(edges) if b > a]


def _in_time(keeper: Keeper) -> tuple[bool, str, str]:
    at = keeper.subject.asset.capture.at
    return at is None, at or "", keeper.subject.path
