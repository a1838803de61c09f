"""Culling by genre, towards a target, and after a studio's own picks: what each knob does to real photos.

Every knob of a genre is taken back alone, and the decisions that this changes are counted: a knob that changes nothing
does not belong there. Wrong rejects of good pictures are counted in every genre. Picks are simulated: somebody of a
known taste picks among the frames of made stacks and of versions of one photo; the stacks of some photos are a shoot,
so that no photo is in two. Quality and eye models are held out by photo and by person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from bench import _talking
from bench._best import Stack, stacks, subject
from bench._measured import Job, Row, measure_all
from bench._quality_more import HARD
from bench.harness import Data, MissingData, Result
from safelight.domain import Cull, Genre
from safelight.learn import preference
from safelight.learn.preference import Choice
from safelight.operators import Subject
from safelight.operators._genres import MANNERS, PLAIN, Manner
from safelight.operators._ranking import NAMES, PRIOR, rank, strength, values_of
from safelight.operators._target import Keeper, surplus
from safelight.operators.cull import Judge, _best, _single, technical_faults

FAULTY = ("blur_gaussian", "blur_defocus", "blur_motion", "over", "under")
MILD, START = 2, 3  # strength of a fault that leaves a choice, and strength from which it is clear
DRAWS, FRAMES = 12, 5  # stacks dealt from the versions of one photo, and frames in each
SHOOTS = 8  # among which stacks are dealt out by photo, to leave shoots out
SEED = 1
FOLDS, FIRMNESS = 5, 0.3  # parts of the photos, and the penalty that did best, of the fit beside the prior
ALIKE = 0.1  # log odds below which two frames are alike
TASTES: Mapping[str, Mapping[str, float]] = {  # of simulated people, in log odds
    "light": {"exposure": 12.0, "colour": 8.0, "sharpness": 2.0},
    "level": {"level": 12.0, "sharpness": 3.0, "exposure": 3.0},
    "as_built_in": {name: 2 * weight for name, weight in PRIOR.items()},
}


def run(data: Data) -> Iterable[Result]:
    """Genres, the target, learning; whatever of the tables is there."""
    rows = _quality(data)
    made = stacks(data)
    talking = _talking.stacks(data)
    if not rows:
        raise MissingData("quality/truth.csv is not there: run recipe `quality` first")
    yield from _prior(made)
    yield from _wrong(rows)
    yield from _strictness(made)
    dealt = list(_dealt(rows))
    towards = list(_talking.directions(data))
    frames = [stack.frames for stack in (*made, *talking, *dealt)] + [pair for one in towards for pair in one.pairs]
    yield from _knobs(rows, frames)
    yield from _directions(rows, towards)
    yield from _target(rows)
    yield from _learned([*made, *dealt])


def _quality(data: Data) -> list[Row]:
    """Good pictures, mild faults of all kinds and clear ones of some, measured."""
    folder, table = data.table("quality/truth.csv", recipe="quality")
    table = [
        row for row in table
        if row["faulty"] == "no"
        or int(row["strength"]) == MILD
        or (row["kind"] in FAULTY and int(row["strength"]) >= START)
    ]  # fmt: skip
    jobs = [Job(path=folder / row["file"], source=row["source"], simple=False) for row in table]
    return [Row(truth=truth, measured=m) for truth, m in zip(table, measure_all(jobs), strict=True)]


# ---------------------------------------------------------------- the prior


def _prior(made: Sequence[Stack]) -> Iterator[Result]:
    """How well the built-in weights tell undamaged frames from damaged ones, and leave undamaged ones tied: the mean
    log loss of such pairs; beside, weights fitted on the stacks of other photos."""
    prior = np.array([PRIOR[name] for name in NAMES])
    sources = sorted({stack.source for stack in made})
    fold = {source: k % FOLDS for k, source in enumerate(np.random.default_rng(SEED).permutation(sources))}
    losses: dict[str, list[float]] = {"built_in": [], "fitted": []}
    for k in range(FOLDS):
        kept = [pairs for stack in made if fold[stack.source] != k for pairs in _told(stack)]
        fitted = preference.fit(kept, prior, strength=FIRMNESS)
        for stack in made:
            if fold[stack.source] == k:
                losses["built_in"] += _losses(stack, prior)
                losses["fitted"] += _losses(stack, fitted)
    yield Result(
        name="taste.prior.log_loss", value=float(np.mean(losses["built_in"])), n=len(losses["built_in"]), unit="nats",
        beside={"fitted": float(np.mean(losses["fitted"])), "coin": float(np.log(2))},
        note="pairs of made stacks; a tie costs log 2 at best; fitted: held out by photo",
    )  # fmt: skip


def _told(stack: Stack) -> Iterator[Choice]:
    """Undamaged before damaged; undamaged ones before each other both ways."""
    places = range(len(stack.good))
    values = values_of(stack.frames)
    picks = frozenset(i for i in places if stack.good[i])
    for better in (
        tuple((i, j) for i in places for j in places if stack.good[i] and not stack.good[j]),
        tuple((i, j) for i in places for j in places if i != j and stack.good[i] and stack.good[j]),
    ):
        if better:
            yield Choice(shoot=stack.source, group=stack.source, values=values, better=better, picks=picks)


def _losses(stack: Stack, weights: preference.Numbers) -> list[float]:
    return [
        float(np.logaddexp(0, -preference.differences(choice.values[i], choice.values[j]) @ weights))
        for choice in _told(stack)
        for i, j in choice.better
    ]


# ---------------------------------------------------------------- genres


def _wrong(rows: Sequence[Row]) -> Iterator[Result]:
    """Good pictures that would be called faulty, in every genre."""
    hard = [r for r in rows if r.kind in HARD and not r.has_itself("blur") and not r.has_itself("exposure")]
    for name, how in _manners():
        wrong = [r for r in hard if technical_faults(r.measured.facts, how)]
        yield Result(
            name=f"taste.{name}.reject.wrong", value=len(wrong) / len(hard) if hard else None, n=len(hard), bar=0.02,
            want="at most", note=", ".join(sorted(f"{r.source} {r.kind}" for r in wrong)[:3]),
        )  # fmt: skip


def _strictness(made: Sequence[Stack]) -> Iterator[Result]:
    """What a genre does with the frames of made stacks: damaged ones that go, undamaged ones that go."""
    for name, how in _manners():
        decided = [_decisions(stack.frames, how) for stack in made]
        good = [
            d is Cull.REJECT
            for stack, own in zip(made, decided, strict=True)
            for d, g in zip(own, stack.good, strict=True)
            if g
        ]
        bad = [
            d is Cull.REJECT
            for stack, own in zip(made, decided, strict=True)
            for d, g in zip(own, stack.good, strict=True)
            if not g
        ]
        first = [stack.good[own.index(Cull.KEEP)] for stack, own in zip(made, decided, strict=True) if Cull.KEEP in own]
        yield Result(name=f"taste.{name}.damaged.gone", value=float(np.mean(bad)), n=len(bad))
        yield Result(name=f"taste.{name}.undamaged.gone", value=float(np.mean(good)), n=len(good))
        yield Result(
            name=f"taste.{name}.best.undamaged", value=float(np.mean(first)), n=len(first), bar=0.95, want="at least"
        )


def _knobs(rows: Sequence[Row], frames: Sequence[Sequence[Subject]]) -> Iterator[Result]:
    """Decisions that change when one knob of a genre is taken back: in stacks, and on photos that stand alone."""
    alone = [[subject(str(r.truth["file"]), r.measured)] for r in rows]
    idle, turned = [], 0
    for genre, how in MANNERS.items():
        for knob, without in _without(how):
            if knob == "every_moment":
                continue  # of the target: measured there
            changed = 0
            for members in (*frames, *alone):
                changed += _decisions(members, how) != _decisions(members, without)
            turned += 1
            idle += [f"{genre}.{knob}"] if not changed else []
            yield Result(
                name=f"taste.{genre}.{knob}.changes", value=float(changed), n=len(frames) + len(alone),
                unit="stacks and photos",
            )  # fmt: skip
    yield Result(
        name="taste.knobs.idle", value=float(len(idle)), n=turned, unit="knobs", bar=0.0, want="at most",
        note=", ".join(idle) or "taken back alone, each changes decisions on these photos",
    )  # fmt: skip


def _without(how: Manner) -> Iterator[tuple[str, Manner]]:
    """Each knob that a genre turns, with the manner in which it is not turned."""
    for name, factor in how.counts.items():
        assert factor != 1
        yield f"counts.{name}", replace(how, counts={n: f for n, f in how.counts.items() if n != name})
    for field in fields(Manner):
        if field.name not in ("counts", "because") and getattr(how, field.name) != getattr(PLAIN, field.name):
            yield field.name, replace(how, **{field.name: getattr(PLAIN, field.name)})


def _directions(rows: Sequence[Row], towards: Sequence[_talking.Direction]) -> Iterator[Result]:
    """That knobs turn the right way: what each is for, beside no genre."""
    clear = [r for r in rows if r.strength >= START and not r.has_itself("blur")]
    moved = [r for r in clear if r.kind == "blur_motion"]
    faulty = [r for r in clear if r.tellable]
    for name, some, genre, about in (
        ("sport.motion.called", moved, Genre.SPORT, "photos moved on purpose by 3 of 5 and more"),
        ("product.faults.called", faulty, Genre.PRODUCT, "made faults of 3 of 5 and more that can be told"),
        ("wedding.faults.called", faulty, Genre.WEDDING, "made faults of 3 of 5 and more that can be told"),
    ):
        called = [[bool(technical_faults(r.measured.facts, how)) for r in some] for how in (MANNERS[genre], PLAIN)]
        if some:
            yield Result(
                name=f"taste.{name}", value=float(np.mean(called[0])), n=len(some), note=about,
                beside={"no_genre": float(np.mean(called[1]))},
            )  # fmt: skip
    for name, other in (("lit", "under"), ("neutral", "cast_tint"), ("level", "tilt")):
        pairs = list(_versions(rows, "blur_gaussian", other))
        if pairs:
            ours, plain = (_preferred(pairs, how) for how in (MANNERS[Genre.PRODUCT], PLAIN))
            yield Result(
                name=f"taste.product.{name}_but_soft", value=ours, n=len(pairs), beside={"no_genre": plain},
                note=f"a little soft, against mild {other.replace('_', ' ')}, of one photo",
            )  # fmt: skip
    for one in towards:
        ours, plain = (_preferred(one.pairs, how) for how in (MANNERS[one.genre], PLAIN))
        yield Result(name=f"taste.{one.name}", value=ours, n=len(one.pairs), beside={"no_genre": plain}, note=one.about)


def _versions(rows: Sequence[Row], one: str, other: str) -> Iterator[tuple[Subject, Subject]]:
    """Two mildly faulty versions of each photo."""
    mild = {(r.source, r.kind): subject(str(r.truth["file"]), r.measured) for r in rows if r.strength == MILD}
    for source in sorted({source for source, _ in mild}):
        if (source, one) in mild and (source, other) in mild:
            yield mild[source, one], mild[source, other]


def _preferred(pairs: Sequence[tuple[Subject, Subject]], how: Manner) -> float:
    """Share of the pairs whose first is preferred; where they are alike, half."""
    told = []
    for one, other in pairs:
        ranked = rank([one, other], PRIOR, how)
        lead = sum(ranked[0].over(ranked[1]).values())
        told.append(0.5 if lead < ALIKE else float(ranked[0].subject is one))
    return float(np.mean(told)) if told else float("nan")


def _manners() -> Iterator[tuple[str, Manner]]:
    yield "none", PLAIN
    yield from ((genre.value, how) for genre, how in MANNERS.items())


def _decisions(members: Sequence[Subject], how: Manner) -> list[Cull]:
    """What is decided on the photos of one stack, or on one photo alone, in their order."""
    judge = Judge(weights=PRIOR, taste="", how=how)
    made = _best(members, judge) if len(members) > 1 else [_single(members[0], judge)]
    decided = {s.member: s.params.decision for s in made if s.params}
    return [decided[member.asset.id] for member in members]


# ---------------------------------------------------------------- the target


def _target(rows: Sequence[Row]) -> Iterator[Result]:
    """A made shoot of the good pictures, a scene a photo, a minute a picture: how near a target is met, and whether
    what is left lies over the scenes as the shoot does; beside, the weakest photos first."""
    good = [r for r in rows if r.good]
    scenes: dict[str, list[Keeper]] = {}
    for i, row in enumerate(good):
        one = subject(str(row.truth["file"]), row.measured)
        at = f"2026-05-02T{i // 60:02d}:{i % 60:02d}:00.000"
        capture = replace(one.asset.capture, at=at)
        one = replace(one, scene=row.source, asset=replace(one.asset, capture=capture))
        scenes.setdefault(row.source, []).append(Keeper(subject=one, strength=strength(one), fixed=i % 9 == 0))
    keepers = [k for some in scenes.values() for k in some]
    least = sum(max(1, sum(k.fixed for k in some)) for some in scenes.values())
    errors, spread, theirs, lost, broken = [], [], [], 0, 0
    targets = range(least, len(keepers), max(1, len(keepers) // 12))
    for target in targets:
        gone = surplus(keepers, target)
        left = {k.subject.asset.id for k in keepers} - set(gone)
        errors.append(abs(len(left) - target) / target)
        lost += sum(not any(k.subject.asset.id in left for k in some) for some in scenes.values())
        broken += sum(k.fixed and k.subject.asset.id not in left for k in keepers)
        spread.append(_unevenness(scenes, left))
        theirs.append(_unevenness(scenes, _weakest_first(scenes, target)))
    n = len(targets)
    yield Result(
        name="taste.target.error", value=max(errors), n=n, bar=0.05, want="at most",
        note=f"largest, of targets from {least} to {len(keepers)}",
    )  # fmt: skip
    yield Result(name="taste.target.scenes.lost", value=float(lost), n=n * len(scenes), bar=0.0, want="at most")
    yield Result(name="taste.target.sets.broken", value=float(broken), n=n * len(keepers), bar=0.0, want="at most")
    yield Result(
        name="taste.target.uneven", value=float(np.mean(spread)), n=n, beside={"weakest_first": float(np.mean(theirs))},
        note="share of what is kept that would have to move for every scene to keep its share",
    )  # fmt: skip
    stay = len(surplus(keepers, least)) - len(surplus([replace(k, fixed=True) for k in keepers], least))
    yield Result(
        name="taste.product.every_moment.changes", value=float(stay),
        n=len(keepers), unit="photos that stay beyond a target",
    )  # fmt: skip


def _unevenness(scenes: Mapping[str, Sequence[Keeper]], left: set[str]) -> float:
    whole = sum(map(len, scenes.values()))
    shares = [
        abs(sum(k.subject.asset.id in left for k in some) / len(left) - len(some) / whole) for some in scenes.values()
    ]
    return sum(shares) / 2


def _weakest_first(scenes: Mapping[str, Sequence[Keeper]], target: int) -> set[str]:
    """The plain rule: the weakest photo of all goes, as long as its scene has another."""
    left = {name: len(some) for name, some in scenes.items()}
    kept = {k.subject.asset.id for some in scenes.values() for k in some}
    for k in sorted((k for some in scenes.values() for k in some if not k.fixed), key=lambda k: k.strength):
        scene = str(k.subject.scene)
        if len(kept) > target and left[scene] > 1:
            left[scene] -= 1
            kept.remove(k.subject.asset.id)
    return kept


# ---------------------------------------------------------------- learning


def _dealt(rows: Sequence[Row]) -> Iterator[Stack]:
    """Stacks of five versions of one photo: good ones and mildly faulty ones."""
    rng = np.random.default_rng(SEED)
    by_source: dict[str, list[Row]] = {}
    for row in rows:
        if row.strength <= MILD:
            by_source.setdefault(row.source, []).append(row)
    for source, versions in sorted(by_source.items()):
        for _ in range(DRAWS if len(versions) >= FRAMES else 0):
            some = [versions[i] for i in rng.choice(len(versions), FRAMES, replace=False)]
            frames = [subject(str(r.truth["file"]), r.measured) for r in some]
            yield Stack(source=source, kind="dealt", frames=frames, peers=[{}] * FRAMES, good=[r.good for r in some])


def _learned(some: Sequence[Stack]) -> Iterator[Result]:
    """What is learned from the picks of three simulated people, on shoots that were left out."""
    prior = np.array([PRIOR[name] for name in NAMES])
    rng = np.random.default_rng(SEED)
    sources = sorted({stack.source for stack in some})
    shoot = {source: f"shoot{k % SHOOTS}" for k, source in enumerate(rng.permutation(sources))}
    values = [values_of(stack.frames) for stack in some]
    for name, weights in TASTES.items():
        true = np.array([weights.get(n, 0.0) for n in NAMES])
        choices = []
        for k, (stack, own) in enumerate(zip(some, values, strict=True)):
            pick = int(rng.choice(len(own), p=preference.chances(preference.scores(own, true))))
            pairs = tuple((pick, j) for j in range(len(own)) if j != pick)
            choices.append(
                Choice(shoot=shoot[stack.source], group=str(k), values=own, better=pairs, picks=frozenset({pick}))
            )
        report = preference.learn(choices, prior).report
        peers = {n: h for n, h in report.hits.items() if n != "learned"}
        peers["own_taste"] = preference.hits(choices, [preference.scores(own, true) for own in values])
        note = f"simulated picks, {report.groups} groups, {report.shoots} shoots left out in turn"
        low, high = report.interval
        yield Result(
            name=f"taste.learned.{name}.top1", value=report.hits["learned"].top1, n=report.groups, low=low, high=high,
            beside={n: h.top1 for n, h in peers.items()}, note=note,
        )  # fmt: skip
        yield Result(
            name=f"taste.learned.{name}.within_top2", value=report.hits["learned"].top2, n=report.groups,
            beside={n: h.top2 for n, h in peers.items()}, note=note,
        )  # fmt: skip
        yield Result(
            name=f"taste.learned.{name}.lead", value=report.hits["learned"].top1 - report.hits["prior"].top1,
            n=report.groups, low=report.lead[0], high=report.lead[1],
            note="used" if report.better else "not used: not better than the built-in beyond chance",
        )  # fmt: skip
        yield Result(
            name=f"taste.learned.{name}.claimed", value=report.claimed, n=report.groups,
            beside={"came true": report.hits["learned"].top1}, note="mean chance claimed for the first frame",
        )  # fmt: skip
