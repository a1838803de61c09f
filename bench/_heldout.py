"""Models that never saw a photo: written by the fits, used by the benches."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from bench.harness import ROOT

FOLDS = ROOT / "bench" / "fit"
SHIPPED = ROOT / "src" / "safelight" / "probes"

T = TypeVar("T")


def model_of(name: str, source: str) -> Mapping[str, Any] | None:
    """The model of `bench/fit/NAME.folds.json` that was fitted without this source; None: it is in no fold.

    A source that no fold holds was not there when the shipped model was fitted, so that one is held out already.
    """
    return next((fold["model"] for fold in _folds(name) if source in fold["sources"]), None)


@cache
def _folds(name: str) -> list[dict[str, Any]]:
    path = FOLDS / f"{name}.folds.json"
    if not path.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["folds"]
    return found


def fit_and_write(
    name: str,
    rows: Sequence[T],
    source: Callable[[T], str],
    fit: Callable[[Sequence[T]], Any],
    *,
    folds: int | None = None,
) -> None:
    """Fits on all rows for the shipped `NAME.json`, and without each source in turn (or `folds` parts) for its fold."""
    sources = sorted({source(row) for row in rows})
    parts = [sources[first :: folds or len(sources)] for first in range(folds or len(sources))]
    _write(SHIPPED / f"{name}.json", fit(rows))
    left_out = [{"sources": left, "model": fit([row for row in rows if source(row) not in left])} for left in parts]
    _write(FOLDS / f"{name}.folds.json", {"folds": left_out})


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
