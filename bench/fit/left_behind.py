"""Fits `detectors/calibration_removal.json`: `python -m bench.fit.left_behind --data DIR`, DIR as recipe `removal`
writes it. The same logistic curve as `bench.fit.artefacts`, over things taken out with and without what they left.
"""

import argparse
import json
from pathlib import Path

from bench._left import TELLABLE, measured
from bench.fit.artefacts import logistic
from bench.harness import ROOT, Data
from safelight.detectors.left_behind import NAMES

SHIPPED = ROOT / "src" / "safelight" / "detectors" / "calibration_removal.json"


def main() -> None:
    """Reads the table, measures, fits, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = Data(roots=(parser.parse_args().data,), work=Path())
    pairs = list(measured(*data.table("removal/truth.csv", recipe="removal")))
    tables = {}
    for name in NAMES:
        bad = [s for p in pairs if p.left == name and p.visible >= TELLABLE and (s := p.scores[name]) is not None]
        good = [s for p in pairs if not p.left and (s := p.scores[name]) is not None]
        tables[name] = logistic(bad, good)
    SHIPPED.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
