"""The ten ways in which measured trust could be wrong, each tried a thousand times and more; and what a licence costs.

Every studio is made, so its true rates are known. A false licence is one for work whose true share of bad results is
above what is promised; it may happen in at most δ of the studios (three standard errors are allowed for). Negative
controls break one rule of the design on purpose and must be caught by the same count. The code is that of the product.
"""

import math
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from bench import _drops as drops
from bench import _studios as studios
from bench._studios import ALPHA, CAPPED, DELTA, FREE, Flags, Numbers
from bench.harness import Data, Result
from safelight.domain import Drawn, Say, Verdict
from safelight.learn import bound, course, licence, sensitivity
from safelight.learn.licence import Bet
from safelight.learn.record import Record, Row, Rules, TaskRules
from safelight.store import records
from safelight.store.library import Library

RUNS = 2000
VERDICTS = 4000  # of a run with independent verdicts, a look after each
JUST_BAD = 1.05 * ALPHA
ALLOWED = DELTA + 3 * math.sqrt(DELTA * (1 - DELTA) / RUNS)
TABLE = {0: 144, 1: 284, 2: 391, 3: 487, 5: 662, 8: 903}  # bad ones seen: licensed from so many verdicts on
ROWS = 1_000_000


def run(data: Data) -> Iterable[Result]:
    """The whole plan."""
    yield from table()
    yield from false_licences(RUNS)
    yield from clustered(RUNS)
    yield from reviewers(RUNS)
    yield from drops.drift(RUNS)
    yield from groups(RUNS)
    yield from hypergeometric()
    yield from automation(RUNS)
    yield from paces(200)
    yield from drops.overlooked(RUNS)
    yield from drops.bundles(RUNS)
    yield from unreliable(RUNS)
    yield from people(1000)
    yield from million(data.work, ROWS)


def _rate(name: str, wrong: list[bool], *, fails: bool = False, note: str = "") -> Result:
    """How often something happened; a negative control has to happen more often than is allowed."""
    return Result(
        name=name, value=float(np.mean(wrong)), n=len(wrong), bar=round(ALLOWED, 4),
        want="at least" if fails else "at most", note=note or ("negative control: must fail" if fails else ""),
    )  # fmt: skip


def table() -> Iterator[Result]:
    """The table of n and k that a studio is shown."""
    found = dict(zip(TABLE, licence.table(ALPHA, DELTA, tuple(TABLE)), strict=True))
    for bad, verdicts in TABLE.items():
        yield Result(
            name=f"table.bad_{bad}", value=found[bad], n=1, unit="verdicts", bar=verdicts, want="at most",
            beside={"exact_binomial_looked_at_once": _binomial(bad)},
        )  # fmt: skip


def _binomial(bad: int) -> int:
    """From how many verdicts on an exact binomial test would do that may be looked at once only."""
    from scipy.stats import binom

    n = bad
    while binom.cdf(bad, n, ALPHA) > DELTA:
        n += 1
    return n


# ---------------------------------------------------------------- (1), (2), (3), (7), (10): one licence


def false_licences(runs: int) -> Iterator[Result]:
    """Licences of independent verdicts, looked at after each."""
    rng = np.random.default_rng(1)

    def useless(count: int = VERDICTS, rate: float = JUST_BAD) -> tuple[Numbers, Flags]:
        return rng.random(count), rng.random(count) < rate

    yield _rate(
        "false_licence.useless_score",
        [studios.licensed(course.run(studios.alone(*useless()), FREE)) for _ in range(runs)],
    )
    yield _rate("false_licence.not_monotone", [_not_monotone(rng) for _ in range(runs)])
    yield _rate("control.ladder_from_the_same_verdicts", [_chosen_after(*useless()) for _ in range(runs)], fails=True)
    yield _rate(
        "control.rate_seen_below_alpha", [_seen_below(useless(1000)[1]) for _ in range(runs)], fails=True,
        note="negative control: the usual way, licensed where the rate seen is at most α",
    )  # fmt: skip
    for name, rate, bet in (
        ("2.2_percent", 0.022, Bet(a=0.6, b=199.4)),
        ("4_percent", 0.04, Bet(a=0.6, b=199.4)),
        ("timid", JUST_BAD, Bet(a=30, b=70)),
    ):
        found = [studios.licensed(course.run(studios.alone(*useless(rate=rate)), FREE, bet=bet)) for _ in range(runs)]
        yield _rate(f"false_licence.wrong_prior.{name}", found)
    yield _rate("control.coin_follows_the_score", [_steered(rng) for _ in range(runs)], fails=True)


def _not_monotone(rng: np.random.Generator) -> bool:
    """The safest half is just not good enough, what follows is better: no rung below the first may be reached."""
    score = rng.random(VERDICTS)
    rate = np.where(score >= 0.5, 0.021, np.where(score >= 0.3, 0.001, 0.05))

    def risk(level: float) -> float:
        t = max(level, 0.0)
        parts = [(0.5, 1.0, 0.021), (0.3, 0.5, 0.001), (0.0, 0.3, 0.05)]
        mass = [max(0.0, high - max(low, t)) for low, high, _ in parts]
        return sum(m * r for m, (_, _, r) in zip(mass, parts, strict=True)) / max(sum(mass), 1e-9)

    made = course.run(studios.alone(score, rng.random(VERDICTS) < rate), FREE)
    return studios.ever(made, lambda level: risk(level) > ALPHA)


def _chosen_after(score: Numbers, bad: Flags) -> bool:
    """Every hundred verdicts the threshold is moved to where those seen so far look best, and tested with them."""
    for seen in range(200, len(bad) + 1, 100):
        order = np.argsort(-score[:seen])
        n = np.arange(1, seen + 1)
        if (licence.log_e(n, np.cumsum(bad[:seen][order]), ALPHA) >= -math.log(DELTA)).any():
            return True
    return False


def _seen_below(bad: Flags) -> bool:
    return bool(bad.mean() <= ALPHA)


def _steered(rng: np.random.Generator) -> bool:
    """Only items of which the score is sure are drawn, and the licence taken for all."""
    score = studios.good_score()
    scores, bad = score.draw(rng, VERDICTS)
    drawn = scores > np.quantile(scores, 0.5)
    made = course.run(studios.alone(np.full(int(drawn.sum()), np.nan), bad[drawn]), FREE)
    return studios.licensed(made) and score.base > ALPHA


# ---------------------------------------------------------------- (4): photos of a shoot fail together


def clustered(runs: int) -> Iterator[Result]:
    """With at most five verdicts a shoot behind five canaries, and without."""
    rng = np.random.default_rng(4)
    for icc in (0.0, 0.05, 0.2, 0.5):
        rate = studios.raw_rate(0.025, icc, 5)
        made = [course.run(studios.shoots(rng, 300, rate, icc, canary=5, audits=5), CAPPED) for _ in range(runs)]
        yield _rate(f"false_licence.icc_{icc:g}", [studios.licensed(c) for c in made], note="300 shoots, risk 2.5 %")
    strict = replace(CAPPED, strict=True)
    for icc in (0.05, 0.5):
        rate = studios.raw_rate(JUST_BAD, icc, 5)
        made = [course.run(studios.shoots(rng, 300, rate, icc, canary=5, audits=1), strict) for _ in range(runs)]
        yield _rate(f"false_licence.strict.icc_{icc:g}", [studios.licensed(c) for c in made], note="one a shoot")
    all_ = replace(CAPPED, canary=0, evidence=None)
    for icc in (0.2, 0.5):
        made = [course.run(studios.shoots(rng, 60, 0.03, icc, canary=0, audits=60), all_) for _ in range(runs)]
        yield _rate(f"control.every_photo_counts.icc_{icc:g}", [studios.licensed(c) for c in made], fails=True)


# ---------------------------------------------------------------- (5): people miss things


def reviewers(runs: int) -> Iterator[Result]:
    """A fifth of what is bad is approved; one item in fifty is known to be bad."""
    rng = np.random.default_rng(5)
    plain, corrected = [], []
    for _ in range(runs):
        bad = rng.random(VERDICTS) < 1.1 * ALPHA
        said = bad & (rng.random(VERDICTS) < 0.8)
        none = np.full(VERDICTS, np.nan)
        plain.append(studios.licensed(course.run(studios.alone(none, said), FREE)))
        shown = np.arange(1, VERDICTS + 1) // 50
        caught = np.concatenate([[0], np.cumsum(rng.random(shown[-1]) < 0.8)])[shown]
        level = ALPHA * sensitivity.at_least(shown, caught)
        corrected.append(studios.licensed(course.run(studios.alone(none, said, alpha=level), FREE)))
    yield _rate("false_licence.a_fifth_missed", corrected, note="known-bads say how much is missed")
    yield _rate("control.a_fifth_missed_and_unknown", plain, fails=True)


# ---------------------------------------------------------------- people as they are


def unreliable(runs: int) -> Iterator[Result]:
    """A group of which a fifth of all verdicts is turned round, or a fifth of what is bad is called good."""
    rng = np.random.default_rng(61)
    wrong, other = [], []
    for _ in range(runs):
        of_group = rng.random(VERDICTS) < 0.3
        bad = rng.random(VERDICTS) < np.where(of_group, JUST_BAD, 0.005)
        told = bad ^ (of_group & (rng.random(VERDICTS) < 0.2))
        none = np.full(VERDICTS, np.nan)
        apart = [studios.licensed(course.run(studios.alone(none[g], told[g]), FREE)) for g in (of_group, ~of_group)]
        wrong.append(apart[0])
        other.append(apart[1])
    yield _rate("false_licence.a_fifth_of_a_group_turned_round", wrong, note="a licence for the group")
    yield Result(
        name="groups.licensed_beside_a_group_turned_round", value=float(np.mean(other)), n=runs, bar=0.9,
        want="at least", note="the other group is not harmed",
    )  # fmt: skip
    missed = []
    for _ in range(runs):
        of_group = rng.random(VERDICTS) < 0.3
        bad = rng.random(VERDICTS) < np.where(of_group, 1.1 * ALPHA, 0.005)
        told = bad & ~(of_group & (rng.random(VERDICTS) < 0.2))
        count = int(of_group.sum())
        shown = np.arange(1, count + 1) // 50
        caught = np.concatenate([[0], np.cumsum(rng.random(int(shown[-1])) < 0.8)])[shown]
        level = ALPHA * sensitivity.at_least(shown, caught)
        made = course.run(studios.alone(np.full(count, np.nan), told[of_group], alpha=level), FREE)
        missed.append(studios.licensed(made))
    yield _rate("false_licence.a_fifth_of_a_group_missed", missed, note="known-bads say how much is missed")


# ---------------------------------------------------------------- (8): groups


def groups(runs: int) -> Iterator[Result]:
    """A tenth of the work is bad three times as often at the same score; then the mix changes to one half."""
    rng = np.random.default_rng(8)
    many, few = 0.010, 0.030
    own, pooled, share = [], [], []
    for _ in range(runs):
        is_few = rng.random(VERDICTS) < 0.1
        bad = rng.random(VERDICTS) < np.where(is_few, few, many)
        none = np.full(VERDICTS, np.nan)
        pooled.append(studios.licensed(course.run(studios.alone(none, bad), FREE)))
        apart = [studios.licensed(course.run(studios.alone(none[g], bad[g]), FREE)) for g in (~is_few, is_few)]
        own.append(apart[1])
        share.append(0.5 * apart[0] + 0.5 * apart[1])
    yield _rate("false_licence.group_of_its_own", own, note="a licence for the group with 3 %")
    yield _rate("control.groups_pooled", pooled, fails=True)
    yield Result(
        name="groups.automated_after_the_mix_changed", value=float(np.mean(share)), n=runs, note="of at most .5"
    )


# ---------------------------------------------------------------- (9): what a delivery can hold


def hypergeometric() -> Iterator[Result]:
    """Exact coverage of the upper bound for every number of bad items in the lot."""
    for lot, looked in ((200, 40), (600, 60), (2000, 59)):
        most = np.array([bound.at_most(lot, looked, k) for k in range(looked + 1)])
        least = 1.0
        for bad in range(lot + 1):
            first = int(np.argmax(most >= bad))  # fewer found than this, and the bound is too low
            covered = 1 - (bound.chance_of_so_few(lot, bad, looked, first - 1) if first else 0.0)
            least = min(least, covered)
        yield Result(
            name=f"bound.coverage.{looked}_of_{lot}", value=least, n=lot + 1, bar=bound.LEVEL, want="at least",
            note="the least over every number of bad items",
        )  # fmt: skip
    yield Result(
        name="bound.plan.2000_at_5_percent", value=bound.plan(2000, 0.05), n=1, unit="looked at", bar=59, want="at most"
    )


# ---------------------------------------------------------------- what it earns, and when


def automation(runs: int) -> Iterator[Result]:
    """Share done alone after 3,000 independent, uncapped verdicts, for a score of which the best possible is .75."""
    rng = np.random.default_rng(11)
    score = studios.good_score()
    found, before, wrong = [], [], []
    for _ in range(runs):
        made = course.run(studios.alone(*score.draw(rng, 3000)), FREE)
        found.append(score.share(made.threshold) if made.licensed else 0.0)
        levels = [step.force for step in made.steps if step.event in ("licensed", "widened")]
        before.append(score.share(max(levels[-1], -8.0)) if levels else 0.0)
        wrong.append(studios.ever(made, lambda level: score.risk(max(level, -8.0)) > ALPHA))
    yield Result(
        name="automation.auc_.905.at_3000", value=float(np.mean(found)), n=runs, bar=0.60, want="at least",
        beside={"best_possible": score.best(ALPHA), "but_for_false_alarms": float(np.mean(before))},
    )  # fmt: skip
    yield _rate("false_licence.auc_.905", wrong)


def paces(runs: int) -> Iterator[Result]:
    """Shoots until each rung, with cap and canaries, and what that is in years for studios of three sizes."""
    rng = np.random.default_rng(12)
    score = studios.Score(base=0.01, apart=float(np.sqrt(2) * 1.31))
    shares = (0.5, 0.7, 0.9, 1.0)
    rules = replace(CAPPED, ladder=shares)
    reached: dict[float, list[int]] = {share: [] for share in shares}
    for _ in range(runs):
        looked = studios.scored_shoots(rng, score, 150, canary=5, evidence=5, shares=shares)
        made = course.run(looked, rules)
        levels = {(-np.inf if t is None else t): share for t, share in zip(made.ladder, made.shares, strict=True)}
        for step in made.steps:
            if step.event in ("licensed", "widened"):
                for share in shares:
                    if share <= levels[step.force] and len(reached[share]) < runs:
                        reached[share].append(int(looked.shoot[step.row]) + 1)
    for share in shares:
        if len(reached[share]) >= runs / 2:
            median = float(np.median(sorted(reached[share])[:runs]))
            yield Result(
                name=f"pace.shoots_until_{share:.0%}".replace("%", ""), value=median, n=runs, unit="shoots",
                beside={f"years_at_{pace}": median / pace for pace in (30, 100, 300)},
                note="a task of which 1 % is bad, 60 photos a shoot",
            )  # fmt: skip
    for risk in (0.0, 0.004):
        found = []
        for _ in range(runs):
            looked = studios.shoots(rng, 200, risk, 0.0, canary=5, audits=5)
            steps = [s for s in course.run(looked, CAPPED).steps if s.event == "licensed"]
            found.append(int(looked.shoot[steps[0].row]) + 1 if steps else 200)
        yield Result(
            name=f"pace.first_licence.risk_{risk:g}", value=float(np.median(found)), n=runs, unit="shoots",
            beside={f"years_at_{pace}": float(np.median(found)) / pace for pace in (30, 100, 300)},
        )  # fmt: skip


# ---------------------------------------------------------------- through the whole record


def people(runs: int) -> Iterator[Result]:
    """Reviewers who must not bring a licence: one who approves everything, one who answers in bundles."""
    rules = Rules(default=TaskRules(alpha=ALPHA, delta=DELTA))
    cases = {
        "approves_everything": {"known": True, "bundled": 1},
        "answers_in_bundles": {"known": False, "bundled": 40},
    }
    for name, how in cases.items():
        found = []
        for studio in range(runs):
            rows = list(_careless(studio, known=bool(how["known"]), bundled=int(how["bundled"])))
            found.append(any(c.course.licences for c in Record.from_rows(rows, rules).cells))
        yield Result(name=f"no_licence.{name}", value=float(np.mean(found)), n=len(found), bar=0.0, want="at most")
    rows = list(_careless(0, known=False, bundled=1))
    found = [any(c.course.licences for c in Record.from_rows(rows, rules).cells)]
    yield Result(
        name="control.approves_everything_unchecked", value=float(np.mean(found)), n=1, bar=1.0, want="at least",
        note="negative control: without known-bads nobody could tell",
    )  # fmt: skip


def _careless(studio: int, *, known: bool, bundled: int) -> Iterator[Row]:
    for shoot in range(80):
        for i in range(11):
            kind = "canary" if i < 5 else "audit" if i < 10 else "known_bad"
            if kind == "known_bad" and not known:
                continue
            yield Row(
                at=f"2026-{1 + shoot // 28:02d}-{1 + shoot % 28:02d}T10:00:{i:02d}", by="ann", asset=f"{shoot}/{i}",
                shoot=f"{studio}/{shoot}", operator="exposure", version=1, say="approve", score=0.9,
                drawn=kind, bundled=bundled,
            )  # fmt: skip


# ---------------------------------------------------------------- a large ledger


def million(work: Path, rows: int) -> Iterator[Result]:
    """A ledger of a million verdicts: how long an answer takes, and a verdict."""
    from safelight import ledger

    folder = work / "million"
    with Library.open(folder) as library:
        _fill(folder / "library.sqlite", rows)
        times = {}
        for name in ("first", "again"):
            times[name] = _timed(partial(ledger.document, library))
        waits = []
        for i in range(1000):
            began = time.perf_counter()
            records.save_verdicts(library, [_verdict(i)])
            waits.append(time.perf_counter() - began)
        times["after_verdicts"] = _timed(partial(ledger.document, library))
        times["at_delivery"] = _timed(partial(ledger.record, library, ledger.rules(library)))
        records.save_verdicts(library, [_verdict(1000)])
        times["whole_command"] = _timed(partial(_command, folder))
    shutil.rmtree(folder)
    for name, (seconds, busy) in times.items():
        yield Result(
            name=f"ledger.trust.{name}", value=seconds, n=rows, unit="s", bar=2.0, want="at most",
            beside={"processor": busy},
        )  # fmt: skip
    yield Result(
        name="ledger.verdict", value=1000 * float(np.median(waits)), n=len(waits), unit="ms", bar=5.0, want="at most",
        beside={"p95": 1000 * float(np.quantile(waits, 0.95))},
    )  # fmt: skip


def _command(folder: Path) -> None:
    """`safelight trust` as a person types it, from the start of the program to its end, with a verdict to read."""
    asked = [sys.executable, "-m", "safelight", "trust", "--json", "--library", str(folder)]
    subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds that something takes, and seconds of the processor."""
    began, busy = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - busy


def _verdict(i: int) -> Verdict:
    at = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(milliseconds=i)
    return Verdict(
        at=at.isoformat(timespec="milliseconds"), by="ann", asset=f"{i:064x}", shoot="new", operator="exposure",
        version=1, say=Say.APPROVE, drawn=Drawn.AUDIT, score=0.9,
    )  # fmt: skip


def _fill(path: Path, rows: int) -> None:
    """Verdicts as a studio of ten years leaves them: one in eight drawn by coin."""
    rng = np.random.default_rng(14)
    kinds = np.array(["canary", "audit", "known_bad", "control", "review"])
    drawn = kinds[np.searchsorted([0.01, 0.12, 0.13, 0.14], rng.random(rows))].tolist()
    said = np.where(rng.random(rows) < 0.005, "reject", "approve").tolist()
    scores = rng.random(rows).tolist()
    tasks = ("cull", "exposure", "white_balance", "tone", "crop")
    columns = ("at", '"by"', "asset", "shoot", "operator", "version", "weights", "note", "score", "verdict", "reason",
               "params", "seconds", "drawn", "bundled")  # fmt: skip
    made = (
        (f"{2015 + i // 100_000}-01-01T00:00:00.{i % 1000:03d}+00:00", "ann", f"{i // 5:064x}", f"{i // 600:032x}",
         tasks[i % 5], 1, "", "", scores[i], "reject" if drawn[i] == "known_bad" else said[i], "", '{"ev":0.31}', 2.0,
         drawn[i], 1)
        for i in range(rows)
    )  # fmt: skip
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(f"insert into verdicts ({', '.join(columns)}) values ({','.join('?' * 15)})", made)  # noqa: S608
    connection.close()
