"""`python -m bench NAME [--data DIR …] [--json] [--keep]`: measures one thing, or `all`; without a name, lists them."""

import argparse
import importlib
import json
import pkgutil
import sys
import tempfile
import time
from pathlib import Path

import bench
from bench import harness


def names() -> list[str]:
    """The benches: modules of this package with a `run`."""
    found = [m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_") and not m.ispkg]
    return [name for name in found if hasattr(importlib.import_module(f"bench.{name}"), "run")]


def main(arguments: list[str] | None = None) -> int:
    """Runs the benches asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--data", type=Path, action="append", metavar="DIR", help="may be given several times")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="write bench/results/NAME.json")
    asked = parser.parse_args(arguments)
    if not asked.name:
        print("\n".join(names()))
        return 0
    wanted = names() if asked.name == "all" else [asked.name]
    if unknown := set(wanted) - set(names()):
        print(f"no bench is called {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    roots = tuple(asked.data or ([harness.DEFAULT_DATA] if harness.DEFAULT_DATA.is_dir() else []))
    missed = 0
    for name in wanted:
        missed += not _one(name, roots, asked)
    return 3 if missed == len(wanted) else 0


def _one(name: str, roots: tuple[Path, ...], asked: argparse.Namespace) -> bool:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as work:
        data = harness.Data(roots=roots, work=Path(work))
        try:
            results = list(importlib.import_module(f"bench.{name}").run(data))
        except harness.MissingData as missing:
            print(f"{name}: {missing}", file=sys.stderr)
            return False
    report = harness.document(name, data, results, time.monotonic() - began)
    harness.show(results)
    if asked.json:
        print(json.dumps(report, indent=1))
    if asked.keep:
        harness.RESULTS.mkdir(exist_ok=True)
        (harness.RESULTS / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main())
