"""Quality drops after a licence: bad items that pass before it is taken away, beside the formula that is printed."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from bench import _studios as studios
from bench._studios import ALPHA, CAPPED, FREE, Flags, Numbers
from bench.harness import Result
from safelight.learn import audit, course, sensitivity
from safelight.learn.course import Looked

Told = Callable[[Flags], Flags]  # bad → what is said to be


def drift(runs: int) -> Iterator[Result]:
    """How many bad items pass before the alarm, beside the formula that is printed, and how often it sounds falsely."""
    rng = np.random.default_rng(6)
    for rate, share in ((0.06, 0.1), (0.10, 0.05), (0.10, 0.1), (0.10, 0.2), (0.30, 0.1)):
        printed = audit.exposure(rate, ALPHA, share)
        passed = np.array([_passed(rng, share, partial(_step, rate)) for _ in range(runs)])
        name = f"exposure.step_to_{100 * rate:.0f}.audit_{100 * share:.0f}.median_over_printed"
        ratio, told = float(np.median(passed)) / printed, rate == 0.10
        yield Result(
            name=name, value=ratio, n=runs, bar=1.1 if told else None, want="at most" if told else None,
            beside={"printed": printed, "median": float(np.median(passed)), "p90": float(np.quantile(passed, 0.9))},
        )  # fmt: skip
        if told:
            yield Result(name=f"{name}.low", value=ratio, n=runs, bar=0.6, want="at least")
    ramp = np.array([_passed(rng, 0.1, lambda i: np.minimum(0.008 + 0.092 * i / 2000, 0.1)) for _ in range(runs)])
    yield Result(
        name="exposure.ramp_to_10.audit_10.median", value=float(np.median(ramp)), n=runs, unit="bad items",
        beside={"p90": float(np.quantile(ramp, 0.9))}, note="over 2,000 items",
    )  # fmt: skip
    for rate in (0.005, 0.01, 0.02):
        found = [audit.alarm(rng.random(3000) < rate, ALPHA) is not None for _ in range(runs)]
        yield Result(name=f"false_alarm.true_{rate:g}", value=float(np.mean(found)), n=runs, note="within 3,000 audits")
    waits = [audit.alarm(rng.random(8000) < ALPHA, ALPHA) for _ in range(runs)]
    mean = float(np.mean([8000 if w is None else w + 1 for w in waits]))
    yield Result(name="false_alarm.audits_between", value=mean, n=runs, bar=audit.ALARM, want="at least")


def overlooked(runs: int) -> Iterator[Result]:
    """The drop again, where a fifth of what is bad is called good."""
    rng = np.random.default_rng(61)
    rate, share = 0.10, 0.1
    passed = [_passed(rng, share, partial(_step, rate), said=partial(_missing, rng)) for _ in range(runs)]
    yield from _beside_printed("a_fifth_of_a_group_missed", passed, rate, share)


def _beside_printed(
    name: str, passed: Sequence[int], rate: float, share: float, *, told: bool = True
) -> Iterator[Result]:
    """Bad items that passed beside what is printed, with its bars where it is `told`."""
    printed = audit.exposure(rate, ALPHA, share)
    ratio = float(np.median(passed)) / printed
    beside = {"printed": printed, "median": float(np.median(passed)), "p90": float(np.quantile(passed, 0.9))}
    called = f"exposure.step_to_{100 * rate:.0f}.audit_{100 * share:.0f}.{name}.median_over_printed"
    yield Result(
        name=called, value=ratio, n=len(passed), bar=1.1 if told else None, want="at most" if told else None,
        beside=beside,
    )  # fmt: skip
    if told:
        yield Result(name=f"{called}.low", value=ratio, n=len(passed), bar=0.6, want="at least")


def _missing(rng: np.random.Generator, bad: Flags) -> Flags:
    """What is said of items by somebody who overlooks a fifth of what is bad."""
    return bad & (rng.random(len(bad)) < 0.8)


def bundles(runs: int) -> Iterator[Result]:
    """Half of the approvals come with others, with one key: by somebody who picks the bad ones out first, and by
    somebody who does not look. Through the whole course of a cell, from its licence to its end."""
    rng = np.random.default_rng(62)
    rate, share = 0.10, 0.1
    for name, blind in (("half_approved_in_bundles", False), ("half_approved_in_bundles_unseen", True)):
        found = [_until_demoted(rng, rate, share, blind=blind) for _ in range(runs)]
        yield from _beside_printed(name, [f for f in found if f is not None], rate, share, told=not blind)
    passed = [f for f in (_shoots_until_demoted(rng, rate) for _ in range(runs)) if f is not None]
    yield from _beside_printed("half_approved_in_bundles_unseen.behind_canaries", passed, rate, share, told=False)
    calm, control = [], []
    for _ in range(runs):
        bad = rng.random(3000) < 0.01
        counted = bad | (rng.random(3000) < 0.5)
        calm.append(audit.alarm(bad, ALPHA) is not None)
        control.append(audit.alarm(bad[counted], ALPHA) is not None)
    yield Result(
        name="false_alarm.true_0.01.half_in_bundles", value=float(np.mean(calm)), n=runs, bar=0.1, want="at most",
        beside={"bundles_left_out": float(np.mean(control))}, note="within 3,000 audits",
    )  # fmt: skip


def _until_demoted(rng: np.random.Generator, rate: float, share: float, *, blind: bool) -> int | None:
    """Bad items that nobody saw between the drop and the end of a licence; None where there was none to lose."""
    calm, after = 1000, 2400
    bad = np.concatenate([rng.random(calm) < 0.004, rng.random(after) < rate])
    together = rng.random(len(bad)) < 0.5
    together[:calm] = False
    said = bad & ~together if blind else bad
    looked = replace(studios.alone(np.full(len(bad), np.nan), said), bundled=together & ~said)
    made = course.run(looked, FREE)
    granted = [s.row for s in made.steps if s.event == "licensed" and s.row < calm]
    lost = [s.row for s in made.steps if s.event == "demoted"]
    if not granted or any(row < calm for row in lost):
        return None
    audits = (lost[0] if lost else len(bad)) - calm
    return int(rng.binomial(rng.negative_binomial(audits, share), rate))


def _shoots_until_demoted(rng: np.random.Generator, rate: float) -> int | None:
    """The same in shoots of 60, whose five canaries are answered one by one; of the audits half is approved unseen."""
    calm, after, canary, audits = 60, 120, 5, 6
    bad = rng.random((calm + after, studios.PHOTOS)) < np.where(np.arange(calm + after) < calm, 0.004, rate)[:, None]
    drawn = bad[:, : canary + audits]
    together = rng.random(drawn.shape) < 0.5
    together[:calm] = together[:, :canary] = False
    said = drawn & ~together
    looked = Looked(
        shoot=np.repeat(np.arange(len(bad)), canary + audits), coin=rng.random(drawn.size),
        score=np.full(drawn.size, np.nan), bad=said.ravel(),
        canary=np.tile(np.arange(canary + audits) < canary, len(bad)), returned=np.zeros(drawn.size, np.bool_),
        bundled=(together & ~said).ravel(), alpha=np.full(len(bad), ALPHA),
    )  # fmt: skip
    made = course.run(looked, CAPPED)
    granted = [s for s in made.steps if s.event == "licensed" and looked.shoot[s.row] < calm]
    lost = [int(looked.shoot[s.row]) for s in made.steps if s.event == "demoted"]
    if not granted or any(shoot < calm for shoot in lost):
        return None
    passed: Flags = ~np.asarray(bad[:, :canary].any(axis=1), np.bool_)  # else all of the shoot went to a person
    passed[:calm] = False
    passed[lost[0] if lost else len(bad) :] = False
    return int(bad[passed, canary + audits :].sum())


def _step(rate: float, items: Numbers) -> Numbers:
    return np.full(len(items), rate)


def _passed(
    rng: np.random.Generator, share: float, rate: Callable[[Numbers], Numbers], *, said: Told | None = None
) -> int:  # fmt: skip
    """Bad items that nobody saw between the drop and the alarm, after a thousand audits at 0.8 %."""
    calm = rng.random(1000) < 0.008
    items = int(60_000 * max(1.0, 0.05 / share))
    bad = rng.random(items) < rate(np.arange(items, dtype=np.float64))
    seen = rng.random(items) < share
    level = ALPHA
    if said is not None:
        level = ALPHA * float(sensitivity.at_least(100, rng.binomial(100, said(np.ones(2000, np.bool_)).mean())))
        calm = said(calm)
    at = _after(calm, bad[seen] if said is None else said(bad[seen]), level)
    end = items if at is None else int(np.flatnonzero(seen)[at])
    return int((bad & ~seen)[:end].sum())


def _after(calm: Flags, bad: Flags, alpha: float) -> int | None:
    """The audit at which the alarm sounds, counted from the drop; a false one before it is left out."""
    log = audit.evidence(np.concatenate([calm, bad[:8000]]), alpha)[len(calm) :]
    there = np.flatnonzero(log >= math.log(audit.ALARM))
    return int(there[0]) if len(there) else None
