"""What waits for a person, worst first, and how many mistakes are left if one stops now.

The expected harm of an item is the chance that its suggestion is wrong, times how much a mistake would be seen, times
what is at stake. Items that a coin drew take places that a coin gives them, among the others: neither the order nor
anything else about an item says how it was drawn. What is behind an item must stay with the program until it has been
answered.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from safelight import earned, known_bads, ledger_rows, plugins, verdicts
from safelight.domain import Cull, Drawn, Input, State, Verdict, Version
from safelight.earned import Coin
from safelight.known_bads import KnownBad
from safelight.learn import draws
from safelight.learn.doubt import UNKNOWN, Doubts
from safelight.operators import Medium
from safelight.policy import HIGH, Policy
from safelight.state import Judged, Photo, ShootState
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.verdicts import Saying

EVERYTHING = ""
FACES, NO_FACES = 1.0, 0.7  # how much a mistake in a picture is seen
FIRST = 3  # canaries are placed in the first third: all of their kind wait for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question to a person. `harm` is the expected harm, 0 to 1; `left` the mistakes to be expected in what comes
    after it. `params` is the suggestion, None where the item comes without one; `pictures` the name under which
    before and after lie in the shoot's cache. `known_bad` is not to be shown."""

    photo: str  # or the clip
    operator: str
    harm: float
    left: float
    params: Mapping[str, Any] | None
    because: tuple[str, ...]
    pictures: str | None
    known_bad: KnownBad | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Items in order, and the mistakes to be expected in all of them together. `most` is the expected harm of an item
    whose `harm` is 1."""

    items: tuple[Item, ...]
    expected: float
    most: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An item before it has its place."""

    photo: Judged
    operator: str
    harm: float
    chance: float
    coin: Coin | None
    bad: KnownBad | None = None


def waiting(
    library: Library, state: ShootState, folder: ShootFolder, rules: Policy, *, task: str = EVERYTHING,
    clips: bool = False, doubts: Doubts | None = None,
) -> Queue:  # fmt: skip
    """Everything that blocks a final delivery of a shoot, or one task of it; with it what a coin mixed in. What was
    done alone and may not be any more is taken back first. With `clips`, the cuts that wait for a person too. `doubts`
    are those of the library, where they are known."""
    earned.settle(library, state, rules)
    doubts = doubts or doubts_of(library)
    coins = earned.coins(library, state.shoot.id)
    entries = [
        _entry(photo, name, state, rules, doubts, coins.get((photo.id, name)))
        for photo in (state.all_judged() if clips else state.photos.values())
        for name in photo.open_questions()
        if task in (EVERYTHING, name)
    ]
    by_item = {(e.photo.id, e.operator): e for e in entries}
    mixed = [
        replace(by_item[bad.asset, bad.operator], bad=bad, chance=0.0)
        for bad in known_bads.waiting(library, state, folder)
        if (bad.asset, bad.operator) in by_item
        and not _is_control(by_item[bad.asset, bad.operator])
        and rules.task(bad.operator, state.shoot.client).known_bad
    ]
    return _queue(_placed(state.shoot.id, entries, mixed))


def doubts_of(library: Library) -> Doubts:
    """How likely suggestions are wrong, by all that was ever said."""
    return Doubts.of(ledger_rows.of_library(library)[0])


def together(queues: Mapping[str, Queue]) -> list[tuple[str, Item]]:
    """The items of several queues as one, worst first, each with the name of its queue: harm and mistakes left are
    told anew, over all. Each queue keeps its own order, so that drawn items stay among those of their kind."""
    most = max((found.most for found in queues.values()), default=0.0) or 1.0
    told: list[list[tuple[str, Item, float]]] = []
    for name, found in queues.items():
        before = (found.expected, *(item.left for item in found.items))
        chances = [high - low for high, low in pairwise(before)]
        scale = found.most / most
        told.append(
            [
                (name, replace(item, harm=round(item.harm * scale, 3)), chance)
                for item, chance in zip(found.items, chances, strict=True)
            ]
        )
    merged = list(heapq.merge(*told, key=lambda row: -row[1].harm))
    left = sum(found.expected for found in queues.values())
    out = []
    for name, item, chance in merged:
        left = max(0.0, left - chance)
        out.append((name, replace(item, left=round(left, 2))))
    return out


def _entry(
    photo: Judged, name: str, state: ShootState, rules: Policy, doubts: Doubts, coin: Coin | None
) -> _Entry:  # fmt: skip
    chance = _chance(photo, name, doubts)
    seen = rules.task(name, state.shoot.client).cost * _visibility(photo, name)
    at_stake = 1.0 if rules.stakes(state.shoot.client, state.shoot.stakes) == HIGH else 0.5
    return _Entry(photo=photo, operator=name, harm=chance * seen * at_stake, chance=chance, coin=coin)


def _chance(photo: Judged, name: str, doubts: Doubts) -> float:
    """The chance that leaving an item as it is would be wrong."""
    proposal = photo.proposals.get(name)
    if photo.state(name) is State.ESCALATED:
        return 1.0  # somebody has said that this needs another pair of eyes
    if proposal is None or not proposal.offers or name in photo.shaken:
        return UNKNOWN
    return doubts.chance(name, proposal.score)


def _visibility(photo: Judged, name: str) -> float:
    """How much a mistake would be seen: a lost photo, or a lost word, as much as a spoilt face."""
    if not isinstance(photo, Photo):
        return FACES
    if name == "cull" and photo.decision is not Cull.KEEP:
        return FACES
    faces = photo.facts.get("faces")
    return NO_FACES if faces is not None and faces.cannot_tell is None and not faces.value else FACES


# ---------------------------------------------------------------- places


def _placed(seed: str, entries: Iterable[_Entry], mixed: Sequence[_Entry]) -> list[_Entry]:
    """Worst first; drawn ones where a coin puts them, with the harm of whatever they come to stand behind, or, where
    that is nothing, before."""
    listed = list(entries)
    drawn = [e for e in listed if _is_drawn(e)]
    plain = [e for e in listed if not _is_drawn(e)]
    plain.sort(key=lambda e: (-e.harm, e.photo.path, e.operator))
    keyed = [((i + 0.5) / max(1, len(plain)), e) for i, e in enumerate(plain)]
    for entry in (*drawn, *mixed):
        place = draws.coin(seed, f"place/{entry.operator}/{'twice' if entry.bad else 'once'}", entry.photo.id)
        if entry.bad is None and entry.coin is not None and entry.coin.drawn is Drawn.CANARY:
            place /= FIRST
        keyed.append((place, entry))
    keyed.sort(key=lambda pair: (pair[0], pair[1].photo.path, pair[1].operator))
    out: list[_Entry] = []
    harm = plain[0].harm if plain else max((e.harm for _, e in keyed), default=0.0)
    for _, entry in keyed:
        harm = harm if _is_drawn(entry) else entry.harm
        out.append(replace(entry, harm=harm))
    return out


def _is_drawn(entry: _Entry) -> bool:
    """Whether a coin, and not its turn, brings an item here: a spoilt one, or one that would be done alone."""
    return entry.bad is not None or (entry.coin is not None and entry.coin.lot is not None)


def _is_control(entry: _Entry) -> bool:
    """Whether an item comes without its suggestion; a spoilt twin would show it."""
    return entry.coin is not None and entry.coin.drawn is Drawn.CONTROL


def _queue(entries: Sequence[_Entry]) -> Queue:
    expected = left = sum(e.chance for e in entries)
    most = max((e.harm for e in entries), default=0.0)
    items = []
    for entry in entries:
        left -= entry.chance
        items.append(_item(entry, harm=entry.harm / most if most else 0.0, left=max(0.0, left)))
    return Queue(items=tuple(items), expected=expected, most=most)


def _item(entry: _Entry, *, harm: float, left: float) -> Item:
    photo, name, bad = entry.photo, entry.operator, entry.bad
    proposal = photo.proposals.get(name)
    op = plugins.operators().get(name)
    edits = photo.edits(proposed=True)
    pictures = Version(inputs=(Input(id=photo.id),), edits=edits).id if edits else None
    if op is not None and op.medium is not Medium.FRAME:
        pictures = None  # the photo itself is what is looked at
    params = dict(proposal.edit.params) if proposal is not None and proposal.offers else None
    because = tuple(b.text for b in proposal.because) if proposal is not None else ()
    if bad is not None:
        pictures, params = bad.id, dict(known_bads.shown_params(bad))
    elif _is_control(entry):
        params, because, pictures = None, (), None
    return Item(
        photo=photo.id, operator=name, harm=round(harm, 3), left=round(left, 2), params=params, because=because,
        pictures=pictures, known_bad=bad,
    )  # fmt: skip


# ---------------------------------------------------------------- answers


def answer(library: Library, state: ShootState, item: Item, saying: Saying) -> tuple[Verdict, ...]:
    """Writes what a person says about an item; returns the verdicts. Raises UsageError where it cannot be meant."""
    saying = replace(saying, operators=(item.operator,))
    if item.known_bad is not None:
        return (known_bads.answer(library, state, item.known_bad, saying),)
    about = state.judged(item.photo)
    return verdicts.decide(library, state, [about] if about is not None else [], saying).verdicts


__all__ = ["EVERYTHING", "Item", "Queue", "answer", "doubts_of", "together", "waiting"]
