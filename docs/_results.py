"""Writes `docs/benchmarks` and the ratios in the README from the runs kept in `bench/results`.

`--check` only says what is out of date. The README names every bar that is missed, and has ratios only: figures, with
intervals, machine and what stands beside them, are on the pages.

python docs/_results.py [--check]
"""

import importlib.util
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "bench" / "results"
NAV_BEGIN, NAV_END = "  # benchmarks: written by docs/_results.py\n", "  # end\n"
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
MANY = 100.0  # times: beyond, a ratio says nothing more
PERFECT = 1e-9
UNDONE = frozenset({
    "none", "nothing", "before", "as it was", "no look", "left out", "whole picture",  # leaving things alone is no peer
    "at rest", "processor", "median", "p95", "best possible", "after px", "after EV", "printed",  # nor are own figures
})  # fmt: skip


def _sibling(name: str) -> Any:
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


plots = _sibling("_plots")
trust_plots = _sibling("_trust_plots")

Run = Mapping[str, Any]
Row = Mapping[str, Any]


def runs(folder: Path = RESULTS) -> list[Run]:
    """The kept runs, by name."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def index(found: Sequence[Run]) -> str:
    """The overview: each bench with how many of its bars are held."""
    rows = []
    for run in found:
        bars = [row for row in run["results"] if row.get("bar") is not None]
        held = sum(bool(row.get("held")) for row in bars)
        name = run["bench"]
        rows.append((f"[{name.replace('_', ' ')}]({name}.md)", f"{held} of {len(bars)}", run["at"], _machine(run)))
    table = _table(("bench", "bars held", "run on", "machine"), rows) if rows else "Not measured: no run is kept."
    return f"{NOTE}\n\n{INTRODUCTION}\n\n{table}\n"


def page(run: Run) -> str:
    """All figures of a run."""
    head = ("figure", "measured", "interval", "n", "bar", "", "beside", "note")
    title = run["bench"].replace("_", " ")
    parts = [NOTE, f"# {title}", f"Run on {run['at']}, {_machine(run)}, {run['seconds']:,.0f} s."]
    if plots.plot(run["results"]):
        parts.append(f"![Each figure with a bar, measured in bars]({run['bench']}.svg)")
    parts.append(_table(head, [_full(row) for row in run["results"]]))
    return "\n\n".join(parts) + "\n"


def _machine(run: Run) -> str:
    machine = run["machine"]
    return f"{machine['cores']} cores ({machine['cpu']}), Python {machine['python']}"


def block(found: Sequence[Run]) -> str:
    """What the README shows: how many bars are held, those that are missed, and each bench's ratios to its peers."""
    rows = [(run["bench"], row) for run in found for row in run["results"] if row.get("bar") is not None]
    if not rows:
        return f"{BEGIN}\nNot measured: no run is kept.\n{END}"
    missed = [(bench, row) for bench, row in rows if not row.get("held")]
    parts = [f"{len(rows) - len(missed)} of {len(rows)} bars are held."]
    if missed:
        listed = [(_link(bench), f"`{row['name']}`", _in_bars(row)) for bench, row in missed]
        parts += ["Not held:", _table(("bench", "figure", "measured, in bars"), listed)]
    beside = [told for run in found if (told := _beside_peers(run))]
    if beside:
        head = ("bench", "ratios", "median", "lowest", "which is of", "beside")
        parts.append("Errors, misses or seconds of the best peer in the same run over ours: above 1 ours is better.")
        parts.append(_table(head, beside))
    return f"{BEGIN}\n" + "\n\n".join(parts) + f"\n{END}"


def readme(text: str, found: Sequence[Run]) -> str:
    """The README with the present ratios between its markers."""
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block(found), text, flags=re.DOTALL)


def navigation(text: str, found: Sequence[Run]) -> str:
    """The site's configuration with a page for each bench."""
    pages = [("Overview", "index")] + [(run["bench"].replace("_", " "), run["bench"]) for run in found]
    lines = "".join(f"      - {title}: benchmarks/{name}.md\n" for title, name in pages)
    begin, rest = text.split(NAV_BEGIN)
    return f"{begin}{NAV_BEGIN}  - Measured:\n{lines}{NAV_END}{rest.split(NAV_END, 1)[1]}"


def _link(bench: str) -> str:
    return f"[{bench.replace('_', ' ')}](docs/benchmarks/{bench}.md)"


def _beside_peers(run: Run) -> tuple[str, ...] | None:
    """A row for a bench whose figures stand beside those of peers: how many, the middle one, and the lowest."""
    rows = [row for row in run["results"] if row.get("bar") is not None]
    told = [(*ratio, row["name"]) for row in rows if (ratio := _ratio(row))]
    if not told:
        return None
    ranked = sorted(told, key=lambda each: each[0])
    (middle, *_), (lowest, peer, name) = ranked[len(ranked) // 2], ranked[0]
    return _link(run["bench"]), str(len(told)), _times(middle), _times(lowest), f"`{name}`", peer


def _times(ratio: float) -> str:
    return f"over {MANY:.0f}" if ratio > MANY else f"{ratio:.2g}"


def _in_bars(row: Row) -> str:
    if row["value"] is None:
        return "not measured"
    return f"{row['value'] / row['bar']:.2f}" if row["bar"] else f"over a bar of zero by {row['value']:.3g}"


def _ratio(row: Row) -> tuple[float, str] | None:
    """(how many times better than the best beside, its name); None where a ratio would say nothing."""
    named = {name.replace("_", " "): value for name, value in row.get("beside", {}).items()}
    beside = {name: value for name, value in named.items() if value is not None and name not in UNDONE}
    if row["value"] is None or not beside:
        return None
    if row["unit"] == "times" and "than" in row["name"]:
        return row["value"], row["name"].rsplit("than_", 1)[-1].replace("_", " ")
    if any(name.endswith("cpu s") for name in beside):
        return None
    if row["want"] == "at most":
        name = min(beside, key=lambda each: beside[each])
        theirs, ours = beside[name], row["value"]
    elif max(*beside.values(), row["value"], row["bar"]) <= 1:
        name = max(beside, key=lambda each: beside[each])
        theirs, ours = 1 - beside[name], 1 - row["value"]
    else:
        return None
    if theirs <= PERFECT and ours <= PERFECT:
        return 1.0, name
    return theirs / max(ours, PERFECT), name


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
    found, place = runs(), DOCS / "benchmarks"
    front, site = DOCS.parent / "README.md", DOCS.parent / "mkdocs.yml"
    made = {
        place / "index.md": index(found),
        front: readme(front.read_text("utf-8"), found),
        site: navigation(site.read_text("utf-8"), found),
    }
    for run in found:
        made[place / f"{run['bench']}.md"] = page(run)
        picture = plots.plot(run["results"])
        if picture:
            made[place / f"{run['bench']}.svg"] = picture
        if run["bench"] == "trust":
            made |= {DOCS / "images" / name: text for name, text in trust_plots.plots(run["results"]).items()}
    return made


def main(arguments: list[str]) -> int:
    """Writes pages, plots and ratios, or says which differ."""
    made = texts()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    gone = [path for path in (DOCS / "benchmarks").glob("*.*") if path not in made]
    if "--check" in arguments:
        for path in stale + gone:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} is out of date: run python docs/_results.py\n")
        return 1 if stale or gone else 0
    (DOCS / "benchmarks").mkdir(exist_ok=True)
    for path in gone:
        path.unlink()
    for path, text in made.items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
