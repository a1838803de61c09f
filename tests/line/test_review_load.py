"""How many decisions a shoot costs a person: 2,000 photos, of which 600 shall stay."""

import numpy as np

from safelight import ledger, propose, verdicts
from safelight.api import Library
from safelight.deliver import gate
from safelight.domain import Asset, Capture, Cull, Findings, Group, GroupKind, Kind, Measure, Say, digest_of
from safelight.operators import Wishes
from safelight.state import ShootState
from safelight.store import records
from safelight.store.records import File, Shoot

STACKS, FRAMES, SINGLES, SCENES = 350, 5, 250, 100
WRONG_BEST, WRONG_SINGLES = 0.2, 20  # how often the machine's best is not the person's; singles that a person drops


def asset(name: str) -> Asset:
    return Asset(id=digest_of(name), content=None, kind=Kind.PHOTO, format="jpeg", width=6, height=4, capture=Capture())


def made_shoot(library: Library) -> tuple[ShootState, set[str]]:
    """A shoot as probes would leave it, and what the person wants to keep; no pixels are needed for that."""
    rng = np.random.default_rng(5)
    shoot = Shoot(id="made", root="/made", name="made")
    records.save_shoot(library.store, shoot)
    assets, groups, wanted, found = [], [], set(), []
    scenes: list[list[str]] = [[] for _ in range(SCENES)]

    def add(name: str, scene: int, sharpness: float, blur: float) -> str:
        made = asset(name)
        assets.append((name, made))
        scenes[scene].append(made.id)
        values = {"sharpness": sharpness, "blur": blur, "exposure.over": 0.02, "exposure.under": 0.02}
        found.append((made.id, "made@1", "made", [Measure(name=n, value=float(v)) for n, v in values.items()]))
        return made.id

    for stack in range(STACKS):
        best, chosen = int(rng.integers(FRAMES)), int(rng.integers(FRAMES))
        chosen = chosen if rng.random() < WRONG_BEST else best
        ids = [
            add(f"s{stack:03d}-{i}.jpg", stack % SCENES, 0.9 if i == best else rng.uniform(0.2, 0.88), 0.05)
            for i in range(FRAMES)
        ]
        groups.append(Group(id=f"stack{stack:04d}", kind=GroupKind.BURST, members=tuple(ids), by="made@1"))
        wanted.add(ids[chosen])
    for single in range(SINGLES):
        wanted.add(add(f"x{single:03d}.jpg", single % SCENES, 0.8, 0.97 if single < WRONG_SINGLES else 0.05))
    groups += [
        Group(id=f"scene{i:04d}", kind=GroupKind.SCENE, members=tuple(m), by="made@1") for i, m in enumerate(scenes)
    ]
    records.save_assets(library.store, [a for _, a in assets])
    records.save_files(library.store, shoot.id, [File(path=name, asset=a.id, size=1, mtime_ns=1) for name, a in assets])
    records.save_evidence(library.store, found)
    records.save_survey(library.store, shoot.id, "made", [("made@1", Findings(groups=tuple(groups)))])
    state = ShootState.load(library.store, shoot)
    rules = ledger.rules(library.store)
    record = ledger.record(library.store, rules)
    asked = propose.Asked(rules=rules, wishes=Wishes(), record=record, only=("cull",))
    propose.propose(library.store, state, asked)
    return state, wanted


def test_two_thousand_photos_are_final_after_seven_hundred_decisions():
    with Library.open() as library:
        state, wanted = made_shoot(library)
        assert (len(state.photos), len(wanted)) == (2000, 600)
        approve = verdicts.Saying(say=Say.APPROVE, by="ann")
        decisions = 0
        for group in [g for g in state.groups if g.kind is GroupKind.SCENE]:
            verdicts.decide(library.store, state, verdicts.members(state, group.id), approve)
            decisions += 1
        for photo in [state.photos[i] for i in sorted(wanted)]:
            if photo.decision is not Cull.KEEP or not photo.decided:
                verdicts.best(library.store, state, [photo], approve)
                decisions += 1
        kept = {p.id for p in state.photos.values() if p.decision is Cull.KEEP}
        assert kept == wanted
        assert gate.ask(ShootState.load(library.store, state.shoot), draft=False).open == ()
        assert decisions <= 700
        assert decisions >= SCENES, "the count must count"


def test_a_reject_by_the_machine_always_has_a_reason_and_a_better_frame():
    with Library.open() as library:
        state, _ = made_shoot(library)
        for photo in state.photos.values():
            if photo.decision is Cull.REJECT:
                assert photo.group is not None
                assert photo.proposals["cull"].because[0].text
        for group in [g for g in state.groups if g.kind is GroupKind.BURST]:
            assert any(state.photos[m].decision is Cull.KEEP for m in group.members)
