"""Writes the page of measured results, and the table in the README, from the runs kept in `bench/results`.

`--check` only says what is out of date. Every figure that has a bar is in the README, those that miss it too.

python docs/_results.py [--check]
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "bench" / "results"
BEGIN, END = "<!-- results: written by docs/_results.py -->", "<!-- end -->"
NOTE = "<!-- Written by docs/_results.py from bench/results; changes belong there. -->"
INTRODUCTION = """# Measured

Each claim is measured by a bench, and the last kept run of each stands here, with its bar where it has one. *Held*
means that the bar was reached, *not held* that it was missed. Beside our figure stands what simple measures or other
programs reach on the same files in the same run. Intervals are 90 %, drawn over photos, never over copies of one. What
was fitted was fitted without the photo it is measured on.

`python -m bench` lists the benches; `python -m bench NAME --data DIR` runs one; `--keep` writes its figures
to `bench/results`."""
HELD = {True: "held", False: "**not held**", None: ""}

Run = Mapping[str, Any]
Row = Mapping[str, Any]


def runs(folder: Path = RESULTS) -> list[Run]:
    """The kept runs, by name."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def page(found: Sequence[Run]) -> str:
    """All figures of all runs."""
    parts = [NOTE, INTRODUCTION]
    for run in found:
        machine = run["machine"]
        parts.append(f"## {run['bench'].replace('_', ' ')}")
        parts.append(
            f"Run on {run['at']}, {machine['cores']} cores ({machine['cpu']}), Python {machine['python']}, "
            f"{run['seconds']:,.0f} s."
        )
        head = ("figure", "measured", "interval", "n", "bar", "", "beside", "note")
        parts.append(_table(head, [_full(row) for row in run["results"]]))
    if not found:
        parts.append("Not measured: no run is kept.")
    return "\n\n".join(parts) + "\n"


def block(found: Sequence[Run]) -> str:
    """What the README shows: how many bars are held, those that are missed, and all of them folded away."""
    rows = [(run["bench"], row) for run in found for row in run["results"] if row.get("bar") is not None]
    if not rows:
        return f"{BEGIN}\nNot measured: no run is kept.\n{END}"
    missed = [(bench, row) for bench, row in rows if not row.get("held")]
    parts = [f"{len(rows) - len(missed)} of {len(rows)} bars are held."]
    if missed:
        parts += ["Not held:", _bars(missed)]
    parts.append(f"<details><summary>All {len(rows)} bars</summary>\n\n{_bars(rows)}\n\n</details>")
    return f"{BEGIN}\n" + "\n\n".join(parts) + f"\n{END}"


def _bars(rows: Sequence[tuple[str, Row]]) -> str:
    listed = [
        (bench.replace("_", " "), f"`{row['name']}`", _number(row), _bar(row), HELD[row.get("held")], _beside(row))
        for bench, row in rows
    ]
    return _table(("bench", "figure", "measured", "bar", "", "beside"), listed)


def readme(text: str, found: Sequence[Run]) -> str:
    """The README with the present table between its markers."""
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block(found), text, flags=re.DOTALL)


def _full(row: Row) -> tuple[str, ...]:
    interval = f"{row['low']:g} to {row['high']:g}" if row.get("low") is not None else ""
    note = str(row.get("note", ""))
    return (
        f"`{row['name']}`", _number(row), interval, f"{row['n']:,}", _bar(row), HELD[row.get("held")], _beside(row),
        note,
    )  # fmt: skip


def _number(row: Row) -> str:
    if row["value"] is None:
        return "not measured"
    return f"{row['value']:.4g} {row['unit']}".strip()


def _bar(row: Row) -> str:
    return "" if row.get("bar") is None else f"{row['want']} {row['bar']:g}"


def _beside(row: Row) -> str:
    told = [(name, value) for name, value in row.get("beside", {}).items() if value is not None]
    return ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in told)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def texts() -> dict[Path, str]:
    """Each file that this writes, with the text it should have."""
    found, front = runs(), DOCS.parent / "README.md"
    return {DOCS / "results.md": page(found), front: readme(front.read_text("utf-8"), found)}


def main(arguments: list[str]) -> int:
    """Writes page and table, or says which differ."""
    stale = [path for path, text in texts().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} is out of date: run python docs/_results.py\n")
        return 1 if stale else 0
    for path, text in texts().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
