"""What every bench shares: results, where the data lies, statistics, machine facts.

A bench is a module of this package with `def run(data: Data) -> Iterable[Result]`. It reads tables, never a list of
file names of its own, and says through `Data.table` which recipe it misses.
"""

import csv
import json
import os
import platform
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "bench" / "results"
PACKAGES = ("numpy", "opencv-python-headless", "simplejpeg", "rawpy", "opencolorio")


class MissingData(Exception):
    """A table that the bench needs is not there; the message names the recipe that makes it."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One figure. `held` follows from `bar` and `want`; `beside` holds the same figure of peers in the same run."""

    name: str
    value: float | None
    n: int
    unit: str = ""
    bar: float | None = None
    want: str | None = None  # "at least" or "at most"
    low: float | None = None  # interval over sources, where there is one
    high: float | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def held(self) -> bool | None:
        """Whether the bar is held; None without a bar."""
        if self.bar is None or self.value is None:
            return None
        return self.value >= self.bar if self.want == "at least" else self.value <= self.bar


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where a bench looks: folders laid out as shared/data or as the recipes write. `work` is scratch space."""

    roots: tuple[Path, ...]
    work: Path

    def find(self, relative: str) -> Path | None:
        """The first root that holds this file or folder."""
        return next((root / relative for root in self.roots if (root / relative).exists()), None)

    def every(self, relative: str, *, recipe: str) -> list[Path]:
        """This file in each root that holds it; raises MissingData naming the recipe."""
        found = [root / relative for root in self.roots if (root / relative).exists()]
        if not found:
            raise MissingData(f"{relative} is not there: run recipe `{recipe}` of av.py first")
        return found

    def table(self, relative: str, *, recipe: str) -> tuple[Path, list[dict[str, Any]]]:
        """The folder and rows of a truth table (CSV or JSON); raises MissingData naming the recipe."""
        path = self.find(relative)
        if path is None:
            raise MissingData(f"{relative} is not under {', '.join(map(str, self.roots))}: run recipe `{recipe}` first")
        if path.suffix == ".json":
            rows = json.loads(path.read_text("utf-8"))
            return path.parent, rows["rows"] if isinstance(rows, dict) and "rows" in rows else rows
        with path.open(newline="", encoding="utf-8") as file:
            return path.parent, list(csv.DictReader(file))


# ---------------------------------------------------------------- statistics


def auc(bad: Sequence[float], good: Sequence[float]) -> float:
    """Chance that a bad item scores higher than a good one, ties count half (Mann-Whitney).

    A score of nan is an abstention: a tie with every other item.
    """
    a, b = np.asarray(bad, float), np.asarray(good, float)
    if not len(a) or not len(b):
        return float("nan")
    told, order = a[~np.isnan(a)], np.sort(b[~np.isnan(b)])
    below, upto = np.searchsorted(order, told, "left"), np.searchsorted(order, told, "right")
    ties = len(a) * len(b) - len(told) * len(order)
    return float(((below + upto).sum() + ties) / 2 / (len(a) * len(b)))


def bootstrap(
    rows: Sequence[tuple[str, bool, float]], *, rounds: int = 400, seed: int = 1, level: float = 0.9
) -> tuple[float, float]:
    """Interval of the AUC over sources: rows are (source, is bad, score); sources are drawn, never single files."""
    rng = np.random.default_rng(seed)
    by_source: dict[str, list[tuple[bool, float]]] = {}
    for source, bad, score in rows:
        by_source.setdefault(source, []).append((bad, score))
    names = sorted(by_source)
    values = []
    for _ in range(rounds):
        drawn = [item for i in rng.integers(len(names), size=len(names)) for item in by_source[names[i]]]
        value = auc([s for b, s in drawn if b], [s for b, s in drawn if not b])
        if np.isfinite(value):
            values.append(value)
    if not values:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def quantile_interval(
    values: NDArray[np.float64], sources: Sequence[str], *, q: float = 0.5, rounds: int = 400, seed: int = 1
) -> tuple[float, float]:
    """90 % interval of a quantile over sources."""
    rng = np.random.default_rng(seed)
    names = sorted(set(sources))
    index = {name: np.flatnonzero(np.asarray(sources) == name) for name in names}
    draws = []
    for _ in range(rounds):
        rows = np.concatenate([index[names[i]] for i in rng.integers(len(names), size=len(names))])
        draws.append(float(np.quantile(values[rows], q)))
    low, high = np.quantile(draws, [0.05, 0.95])
    return float(low), float(high)


# ---------------------------------------------------------------- the document


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        "versions": {name: metadata.version(name) for name in PACKAGES if _has(name)},
    }


def _has(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def document(bench: str, data: Data, results: Iterable[Result], seconds: float) -> dict[str, Any]:
    """The `safelight.bench/1` document of one run; folders by name only, so that no machine's paths are kept."""
    return {
        "schema": "safelight.bench/1",
        "bench": bench,
        "data": ", ".join(root.name for root in data.roots),
        "at": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "results": [_plain(asdict(r) | {"held": r.held}) for r in results],
        "seconds": round(seconds, 1),
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _rounded(value) for key, value in row.items() if value not in (None, "", {})} | {
        "value": _rounded(row["value"]), "unit": row["unit"]
    }  # fmt: skip


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.4g}") if np.isfinite(value) else None
    return value


def show(results: Iterable[Result]) -> None:
    """A table for people on standard error."""
    for r in results:
        mark = {True: "held    ", False: "NOT HELD", None: "        "}[r.held]
        value = "not measured" if r.value is None else f"{r.value:9.4g} {r.unit}"
        interval = "" if r.low is None else f" ({r.low:.3g}-{r.high:.3g})"
        bar = "" if r.bar is None else f"  {r.want} {r.bar:g}"
        peers = "".join(f"  {name} {figure:.3g}" for name, figure in r.beside.items())
        print(f"{mark} {r.name:44s} {value}{interval} n={r.n}{bar}{peers} {r.note}", file=sys.stderr)
