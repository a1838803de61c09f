"""What the record allows in a shoot: which items may be done alone, which of them a person is shown by coin, and why.

A task's confident items in a shoot are those that the record lets through. Before any of them is done alone, the
canaries among them (drawn by coin) are looked at; one that is bad sends the rest to a person too. Of the rest a share
is audited, drawn by coin as well: an audited item waits for a person like any other and nothing about it says so.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from safelight import ledger
from safelight.domain import Drawn, Proposal, Say, Verdict, Zone
from safelight.learn import draws, drift
from safelight.learn.record import Record, Standing
from safelight.learn.rows import POLICY
from safelight.policy import HIGH, Policy, Task
from safelight.state import Judged, ShootState
from safelight.store import records, schema
from safelight.store.library import Library, now
from safelight.store.schema import IMPORTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """How an item of a task was drawn, and the licence under which it would be done alone (None: it waits anyway)."""

    drawn: Drawn
    lot: str | None = None


Coins = Mapping[tuple[str, str], Coin]  # by (asset, operator)


def standing(record_: Record, shoot: records.Shoot, proposal: Proposal, *, stakes: str, unfamiliar: str) -> Standing:
    """What the record says of one proposal."""
    return record_.licensed(
        proposal.edit.operator, proposal.group or "", shoot.client or "", proposal.score,
        high_stakes=stakes == HIGH, unfamiliar=unfamiliar,
    )  # fmt: skip


# ---------------------------------------------------------------- gear that the record knows


def gear(state: ShootState) -> list[str]:
    """Cameras and lenses of a shoot."""
    captures = [photo.asset.capture for photo in state.photos.values()]
    return sorted({text for c in captures for text in (c.camera, c.lens) if text})


def unfamiliar(library: Library, state: ShootState) -> str:
    """In what a shoot is unlike those that were run before it; empty where it is not."""
    known: set[str] = set()
    for found in library.newest(schema.runs, ["shoot"], schema.runs.c.shoot != state.shoot.id):
        known |= set(json.loads(found["summary"]).get("gear", ()))
    return drift.unfamiliar(known, gear(state))


# ---------------------------------------------------------------- coins


FEW = 500  # items whose coins are looked up one by one; those of more are read with all others


def coins(library: Library, shoot: str, assets: Sequence[str] | None = None) -> dict[tuple[str, str], Coin]:
    """How each item of a shoot, or of these photos and clips of it, was drawn, as last logged."""
    table = schema.draws.c
    wanted = sa.select(table.asset, table.operator, table.drawn, table.lot).where(table.shoot == shoot)
    if assets is not None and len(assets) <= FEW:
        wanted = wanted.where(table.asset.in_(assets))
    found = library.rows(wanted.order_by(table.seq))
    return {(row["asset"], row["operator"]): Coin(drawn=Drawn(row["drawn"]), lot=row["lot"]) for row in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Places the proposals of a shoot: the record and the policy it goes by, and the coins tossed so far."""

    library: Library
    state: ShootState
    rules: Policy
    record: Record
    unfamiliar: str
    coins: dict[tuple[str, str], Coin]
    whole: bool  # whether all of the shoot has been looked at: no coin is tossed before that

    @classmethod
    def of(cls, library: Library, state: ShootState, rules_: Policy, known: Record, *, whole: bool) -> "Decider":
        """For a shoot as it is now."""
        return cls(
            library=library, state=state, rules=rules_, record=known, unfamiliar=unfamiliar(library, state),
            coins=coins(library, state.shoot.id), whole=whole,
        )  # fmt: skip

    def place(self, task: str, made: Sequence[Proposal]) -> list[Proposal]:
        """The proposals of a task in the zones where they belong now. Coins are tossed and logged on the way."""
        rule = self.rules.task(task, self.state.shoot.client)
        stakes = self.rules.stakes(self.state.shoot.client, self.state.shoot.stakes)
        if not rule.needs_licence:
            return [self._in_zone(p, licensed=True) for p in made]
        by_group: dict[str, list[Proposal]] = defaultdict(list)
        for proposal in made:
            by_group[proposal.group or ""].append(proposal)
        out = []
        for group, some in sorted(by_group.items()):
            found = {
                p.asset: standing(self.record, self.state.shoot, p, stakes=stakes, unfamiliar=self.unfamiliar)
                for p in some
            }
            zones = {p.asset: self._in_zone(p, licensed=found[p.asset].auto) for p in some}
            confident = {asset for asset, p in zones.items() if p.zone is Zone.AUTO and p.offers}
            lot = self._lot(task, group, found) if confident else None
            if self.whole:
                self._toss(task, rule, [p for p in some if p.offers], found, confident=confident, lot=lot)
            may = self._canaries_passed(task, confident)
            for p in zones.values():
                coin = self.coins.get((p.asset, task))
                alone = p.asset in confident and may and coin is not None and coin.drawn is Drawn.REVIEW
                out.append(p if alone or p.zone is not Zone.AUTO else replace(p, zone=Zone.REVIEW))
        return out

    def _in_zone(self, proposal: Proposal, *, licensed: bool) -> Proposal:
        about, shoot = self.state.judged(proposal.asset), self.state.shoot
        assert about is not None
        zone = self.rules.zone(
            proposal.edit.operator, about.facts, licensed=licensed, client=shoot.client, stakes=shoot.stakes
        )
        return replace(proposal, zone=zone)

    def _lot(self, task: str, group: str, found: Mapping[str, Standing]) -> str:
        """Names the licence: what is done alone under one licence in a shoot is one lot."""
        threshold = next((s.threshold for s in found.values() if s.auto), None)
        return f"{task}/{group}/{self.state.shoot.client or ''}/{'all' if threshold is None else f'{threshold:.6g}'}"

    def _toss(
        self, task: str, rule: Task, items: Sequence[Proposal], found: Mapping[str, Standing], *, confident: set[str],
        lot: str | None,
    ) -> None:  # fmt: skip
        """Draws among the items of a task and risk group, and logs what is new. Once drawn, an item stays drawn."""
        if not items:
            return
        scores = {p.asset: p.score for p in items}
        share = max(s.audit for s in found.values())
        canary = max(s.canary for s in found.values())
        sizes = len(confident) if confident else len(items)
        evidence = max(math.ceil(share * max(0, sizes - canary)), 0 if confident else draws.EVIDENCE)
        first = items[0]
        ladder = self.record.ladder(task, first.group or "", self.state.shoot.client or "")
        seed = self.state.shoot.id
        drawn = draws.draw(seed, task, scores, canary=canary, audit=share, evidence=evidence, ladder=ladder)
        among = draws.draw(seed, task, {a: scores[a] for a in confident}, canary=canary, audit=share, evidence=evidence)
        fresh = []
        for asset in scores:
            new = among.get(asset) if asset in confident else drawn.get(asset)
            if new is None and asset not in confident and rule.control:
                new = Drawn.CONTROL if draws.coin(seed, f"control/{task}", asset) < rule.control else None
            old = self.coins.get((asset, task))
            coin = _after(old, new or Drawn.REVIEW, lot if asset in confident else None)
            if coin != old and not self._answered(asset, task):
                self.coins[asset, task] = coin
                fresh.append((asset, coin))
            elif old is None:
                self.coins[asset, task] = coin
        self.library.append(
            schema.draws,
            [
                {"shoot": seed, "asset": asset, "operator": task, "drawn": coin.drawn.value, "seed": seed,
                 "share": share, "lot": coin.lot, "at": now()}
                for asset, coin in fresh
            ],
        )  # fmt: skip

    def _answered(self, asset: str, task: str) -> bool:
        about = self.state.judged(asset)
        verdict = about.standing.get(task) if about is not None else None
        return verdict is not None and not verdict.by.startswith(POLICY)

    def _canaries_passed(self, task: str, confident: Iterable[str]) -> bool:
        """Whether every canary among the confident items was answered by a person, one by one, and none was bad."""
        for asset in confident:
            coin = self.coins.get((asset, task))
            if coin is None or coin.drawn is not Drawn.CANARY:
                continue
            about = self.state.judged(asset)
            verdict = about.standing.get(task) if about is not None else None
            if verdict is None or verdict.by.startswith((POLICY, IMPORTED)) or verdict.bundled > 1 or verdict.bad:
                return False
        return True


def _after(old: Coin | None, new: Drawn, lot: str | None) -> Coin:
    """What an item is drawn as now. A control whose suggestion is to be done alone is one no more."""
    if old is None or old.drawn is Drawn.REVIEW:
        return Coin(drawn=new, lot=lot)
    if old.drawn is Drawn.CONTROL and lot is not None:
        return Coin(drawn=new, lot=lot)
    if old.drawn is Drawn.AUDIT and new is Drawn.CANARY:
        return Coin(drawn=new, lot=lot)
    return Coin(drawn=old.drawn, lot=lot)


# ---------------------------------------------------------------- what does not hold any more


def applied_alone(photo: Judged, task: str) -> bool:
    """Whether a rule of the policy, and nobody else, answered a task of this photo."""
    verdict = photo.standing.get(task)
    return verdict is not None and verdict.by.startswith(POLICY)


def changed_alone(photo: Judged, rules_: Policy, client: str | None) -> list[str]:
    """Tasks that were done alone on this photo under a licence."""
    return [name for name in photo.standing if applied_alone(photo, name) and rules_.task(name, client).needs_licence]


def taken_back(
    library: Library, state: ShootState, rules_: Policy, holds: Callable[[Judged, str], bool]
) -> list[Verdict]:
    """What was done alone, does not hold any more and has not been delivered goes back to a person: written as an undo
    of the rule that did it. `holds` says of a photo and a task whether it may still be done alone."""
    gone = records.delivered(library, state.shoot.id)
    said = [
        Verdict(
            at=now(), by=photo.standing[task].by, asset=photo.id, shoot=state.shoot.id, operator=task,
            version=photo.standing[task].version, say=Say.UNDO, proposal=photo.standing[task].proposal,
            group=photo.standing[task].group, note=TAKEN_BACK,
        )
        for photo in state.all_judged() if photo.id not in gone
        for task in changed_alone(photo, rules_, state.shoot.client) if not holds(photo, task)
    ]  # fmt: skip
    records.save_verdicts(library, said)
    for verdict in said:
        state.ledger.add(verdict)
        state.hold(verdict.asset, verdict.operator)
    return said


TAKEN_BACK = "The record does not allow this any more: a person looks at it."


def settle(library: Library, state: ShootState, rules_: Policy) -> list[Verdict]:
    """Takes back what the record, as it is now, would not let be done alone: a licence may be lost in another shoot,
    and stakes may rise. Nothing is done where nothing was done alone."""
    if not any(changed_alone(photo, rules_, state.shoot.client) for photo in state.all_judged()):
        return []
    known = ledger.record(library, rules_)
    stakes = rules_.stakes(state.shoot.client, state.shoot.stakes)

    def holds(photo: Judged, task: str) -> bool:
        proposal = photo.proposals.get(task)
        return (
            proposal is not None
            and standing(known, state.shoot, proposal, stakes=stakes, unfamiliar="").auto
            and rules_.task(task, state.shoot.client).zone is Zone.AUTO
        )

    return taken_back(library, state, rules_, holds)
