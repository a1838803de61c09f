"""Fits `detectors/calibration_alone.json`: `python -m bench.fit.alone --data DIR --data DIR …`, DIRs as recipe
`artefacts` writes them with one seed or another.

The same logistic curve as `bench.fit.artefacts`, of scores for which the after was looked at by itself.
"""

import argparse
import json
from pathlib import Path

from bench._alone import FINDINGS, measured
from bench.fit.artefacts import PARTS, logistic
from bench.harness import ROOT, Data

SHIPPED = ROOT / "src" / "safelight" / "detectors" / "calibration_alone.json"
FOLDS = ROOT / "bench" / "fit" / "artefacts_alone.folds.json"


def main() -> None:
    """Reads the tables, measures, fits, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True)
    seen = [
        one
        for root in parser.parse_args().data
        for one in measured(*Data(roots=(root,), work=Path()).table("artefacts/truth.csv", recipe="artefacts"))
    ]
    sources = sorted({one.source for one in seen})

    def model(left: list[str]) -> dict[str, object]:
        kept = [one for one in seen if one.source not in left]
        return {
            name: logistic(
                [one.score for one in kept if one.finding == name and one.spoilt],
                [one.score for one in kept if one.finding == name and not one.spoilt],
            )
            for name in FINDINGS
        }

    folds = [{"sources": left, "model": model(left)} for left in (sources[i::PARTS] for i in range(PARTS))]
    for path, content in ((SHIPPED, model([])), (FOLDS, {"folds": folds})):
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
