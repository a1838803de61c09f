"""What was done alone in a shoot, lot by lot, and how much of it can be bad at most: the coin's own guarantee.

A lot is what one licence let through in one shoot, without the canaries that came before. Some of it was drawn by coin
and looked at. What nobody else looked at is bounded by the exact hypergeometric bound of `learn.bound`, whatever the
photos are like. A photo that leaves the selection leaves its lot, for the coin knows nothing of that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from safelight import earned
from safelight.domain import Drawn
from safelight.earned import Coin
from safelight.learn import bound, draws
from safelight.learn.bound import Lot
from safelight.learn.rows import POLICY
from safelight.policy import Policy
from safelight.state import Judged, Photo, ShootState
from safelight.store import schema
from safelight.store.library import Library, now
from safelight.store.schema import IMPORTED
from safelight.words import many

LEVEL = bound.LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One lot: of which task, what was done alone in it, what was drawn, what was looked at and what was bad.

    What was approved together with other photos, with one key, was not looked at; the bound takes it for bad. So it is
    with what was decided before Safelight and taken in."""

    id: str
    task: str
    alone: tuple[str, ...]  # done alone, and nobody looked at it
    drawn: tuple[str, ...]  # drawn by coin
    looked: int  # of the drawn, answered by a person, one by one or as bad
    bad: int  # of those, bad
    size: int

    @property
    def passed_over(self) -> int:
        """How many of the drawn nobody looked at."""
        return len(self.drawn) - self.looked

    def lot(self, *, level: float = LEVEL) -> Lot:
        """Its bound, at a level."""
        return Lot(unseen=self.size, audited=len(self.drawn), bad=self.bad + self.passed_over, level=level)


def parts(state: ShootState, coins: Mapping[tuple[str, str], Coin], photos: Collection[str]) -> list[Part]:
    """The lots of a shoot among these photos and clips that hold anything done alone; of culling, among all photos.
    What is done to clips is done by tasks of their own, so that they are lots of their own."""
    found: dict[str, list[tuple[Judged, str, Coin]]] = {}
    for (asset, task), coin in coins.items():
        about = state.judged(asset)
        if coin.lot is None or coin.drawn is Drawn.CANARY or about is None:
            continue
        if task == "cull" or asset in photos:
            found.setdefault(coin.lot, []).append((about, task, coin))
    together = _together(state) if found else frozenset()
    made = [_part(name, items, together) for name, items in sorted(found.items())]
    return [part for part in made if part.alone]


def _together(state: ShootState) -> frozenset[tuple[str, str]]:
    """The decisions, by moment and person, that answered several photos at once."""
    about: dict[tuple[str, str], str] = {}
    several = set()
    for verdict in state.ledger.rows:
        if about.setdefault((verdict.at, verdict.by), verdict.asset) != verdict.asset:
            several.add((verdict.at, verdict.by))
    return frozenset(several)


def _part(name: str, items: Sequence[tuple[Judged, str, Coin]], together: Collection[tuple[str, str]]) -> Part:
    task = items[0][1]
    alone = [photo.id for photo, _, _ in items if earned.applied_alone(photo, task)]
    drawn = [photo for photo, _, coin in items if coin.drawn is Drawn.AUDIT]
    said = [photo.standing.get(task) for photo in drawn]
    answered = [v for v in said if v is not None and not v.by.startswith((POLICY, IMPORTED))]
    looked = [v for v in answered if v.bad or (v.at, v.by) not in together]
    return Part(
        id=name, task=task, alone=tuple(sorted(alone)), drawn=tuple(sorted(p.id for p in drawn)),
        looked=len(looked), bad=sum(v.bad for v in looked), size=len(items),
    )  # fmt: skip


def told(
    library: Library, state: ShootState, rules: Policy, photos: Sequence[Judged], *, level: float = LEVEL
) -> dict[str, object]:  # fmt: skip
    """What nobody looked at in a delivery of these photos and clips, as its manifest says it. Each lot is bounded at a
    level at which all of them hold together."""
    client = state.shoot.client
    changed = [photo for photo in photos if earned.changed_alone(photo, rules, client)]
    unseen = {photo.id for photo in changed if isinstance(photo, Photo)}
    clips = {clip.id for clip in changed if not isinstance(clip, Photo)}
    found = parts(state, earned.coins(library, state.shoot.id), {photo.id for photo in photos})
    each = 1 - (1 - level) / max(1, len(found))
    rows, most, known = [], 0, set()
    for part in found:
        lot = part.lot(level=each)
        left = min(lot.left_at_most, len(part.alone))
        most += left
        known |= {(asset, part.task) for asset in part.alone}
        rows.append(
            {
                "task": part.task, "done_alone": len(part.alone), "of": part.size, "audited": part.looked,
                "passed_over": part.passed_over, "bad_found": part.bad, "bad_at_most": left, "level": each,
                "text": _words(part, left, each),
            }
        )  # fmt: skip
    loose = sum(
        (photo.id, task) not in known for photo in photos for task in earned.changed_alone(photo, rules, client)
    )
    return {
        "photos": len(unseen), "clips": len(clips),
        "audited": sum(p.looked for p in found), "bad_found": sum(p.bad for p in found),
        "bad_at_most": most + loose,
        "level": level, "lots": rows, "text": _text(len(unseen), len(clips), rows, loose),
    }  # fmt: skip


def _words(part: Part, left: int, level: float) -> str:
    name = part.task.replace("_", " ").capitalize()
    done = f"{name}: {len(part.alone):,} were done alone"
    if not part.drawn:
        return f"{done}, and none of them was drawn to be looked at."
    over = f", {part.passed_over:,} not looked at one by one, which count as bad here" if part.passed_over else ""
    return (
        f"{done}. Of {part.size:,} of their kind, {len(part.drawn):,} were drawn by coin: {part.looked:,} looked at, "
        f"{part.bad:,} of them bad and put right{over}. At most {left:,} of those done alone are bad "
        f"({level:.1%} sure)."
    )


def _text(photos: int, clips: int, rows: Sequence[Mapping[str, object]], loose: int) -> str:
    if not photos and not clips and not rows:
        return "Somebody decided on every photo and every change in this delivery."
    told = [f"{many(photos, 'photo was', 'photos were')} changed"] if photos or not clips else []
    told += [f"{many(clips, 'clip was', 'clips were')} cut"] if clips else []
    start = f"{' and '.join(told)} in some way that nobody looked at."
    tail = f" Of {many(loose, 'change')} nothing was drawn to be looked at." if loose else ""
    return " ".join([start, *(str(row["text"]) for row in rows)]) + tail


# ---------------------------------------------------------------- looking at more


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many items of a lot are looked at so that, if none is bad, less than a share of the rest is."""

    task: str
    of: int
    look_at: int
    drawn: int
    looked: int
    bad: int
    bad_at_most: int


def sample(library: Library, state: ShootState, rules: Policy, *, share: float, level: float = LEVEL) -> list[Plan]:
    """Draws as many more items of each lot as the promise asks for, logs them as audits, and gives them to a person.

    The coin is the one that drew the audits, so that what was drawn before counts and a plan that was laid aside goes
    on. What was done alone and is drawn now waits for an answer again."""
    coins = earned.coins(library, state.shoot.id)
    kept = {photo.id for photo in state.photos.values() if photo.decision != "reject"} | set(state.footage)
    fresh: set[tuple[str, str]] = set()
    plans = []
    for part in parts(state, coins, kept):
        want = bound.plan(part.size, share, level=level)
        order = sorted(part.alone, key=lambda asset: draws.coin(state.shoot.id, part.task, asset))
        more = order[: max(0, want - len(part.drawn))]
        fresh |= {(asset, part.task) for asset in more}
        library.append(
            schema.draws,
            [
                {"shoot": state.shoot.id, "asset": asset, "operator": part.task, "drawn": Drawn.AUDIT.value,
                 "seed": state.shoot.id, "share": want / part.size, "lot": part.id, "at": now()}
                for asset in more
            ],
        )  # fmt: skip
        plans.append(
            Plan(
                task=part.task, of=part.size, look_at=want, drawn=len(part.drawn) + len(more), looked=part.looked,
                bad=part.bad, bad_at_most=bound.at_most(part.size, part.looked, part.bad, level=level),
            )
        )  # fmt: skip
    earned.taken_back(library, state, rules, lambda photo, task: (photo.id, task) not in fresh)
    return plans
