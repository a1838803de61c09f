"""Shadows and reflections of things that were taken out, on recipe `removal`.

The thing is filled with the recipe's truth, which is the hardest case for what compares fills and the fairest for what
looks beside them. Beside the areas stands the plain comparison of both pictures, ΔE of what lies beside the thing.
"""

from collections.abc import Iterable

import numpy as np

from bench._left import TELLABLE, Left, measured
from bench.harness import Data, Result, auc, bootstrap
from safelight.detectors.calibration import calibrated
from safelight.detectors.left_behind import NAMES

BARS = {"shadow_left": 0.9, "reflection_left": 0.9}
COVERAGE = 0.8
GROUNDS = ("plain", "texture", "structure")
FALSE = 0.05


def run(data: Data) -> Iterable[Result]:
    """All figures."""
    folder, rows = data.table("removal/truth.csv", recipe="removal")
    pairs = list(measured(folder, rows))
    for name in NAMES:
        bad = [p for p in pairs if p.left == name and p.visible >= TELLABLE]
        clean = [p for p in pairs if not p.left]
        scores = _told(bad, name), _told(clean, name)
        told = [(p.source, bool(p.left), s) for p in (*bad, *clean) if (s := p.scores[name]) is not None]
        low, high = bootstrap(told)
        yield Result(
            name=f"{name}.auc", value=auc(*scores), n=len(told), bar=BARS[name], want="at least", low=low, high=high,
        )  # fmt: skip
        line = float(np.quantile(scores[1], 1 - FALSE))
        yield Result(
            name=f"{name}.recall", value=float(np.mean([s > line for s in scores[0]])), n=len(scores[0]),
            note="at 5 % false alarms",
        )  # fmt: skip
        fail = calibrated()[name]["look"]
        yield Result(
            name=f"{name}.look", value=fail, n=len(told), unit="probability", note="from which a look is asked"
        )
        yield Result(
            name=f"{name}.coverage", value=len(scores[0]) / max(1, len(bad)), n=len(bad), bar=COVERAGE, want="at least",
        )  # fmt: skip
        for ground in GROUNDS:
            here = [_told([p for p in side if p.ground == ground], name) for side in (bad, clean)]
            if all(here):
                yield Result(name=f"{name}.{ground}.auc", value=auc(*here), n=len(here[0]) + len(here[1]))


def _told(pairs: Iterable[Left], name: str) -> list[float]:
    return [s for p in pairs if (s := p.scores[name]) is not None]
