"""What was found, as one document for programs and one table for people."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safelight.checking import Outcome
from safelight.pairs.job import CREDENTIALS
from safelight.words import many, printable

SCHEMA = "safelight.check/1"
COST = {  # what a finding costs where a client sees it, 0 to 1
    "identity": 1.0, "skin_lightening": 1.0, "warp": 0.9, "holes": 0.8, "seam": 0.8, "bent_lines": 0.7, "fringe": 0.7,
    "fill_repeat": 0.7, "fill_blur": 0.6, "oversmoothing": 0.6, "ghosting": 0.6, "halo": 0.5, "hue_twist": 0.5,
    "shadow_left": 0.5, "reflection_left": 0.6, "clipping": 0.4, "banding": 0.4, "jpeg": 0.3,
}  # fmt: skip
USUAL = 0.6  # of a finding of somebody's own detector
TABLE = 40  # lines of a table at most


def harm(entry: Mapping[str, Any]) -> float:
    """The expected harm of sending a pair's after to a client as it is: the dearest of its findings, by chance and
    cost; a broken rule is certain."""
    return 1.0 if any(rule["held"] is False for rule in entry.get("rules", ())) else _found(entry)


def _found(entry: Mapping[str, Any]) -> float:
    told = (f for f in entry["findings"] if f["outcome"] != Outcome.PASS)
    return max(((f["probability"] or 0.0) * COST.get(f["name"], USUAL) for f in told), default=0.0)


def worst_first(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Pairs by their harm; of those that break rules, as all files of a vendor may, by what was found beside."""
    return sorted(entries, key=lambda e: (-harm(e), -_found(e), str(e["after"])))


def document(entries: Iterable[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """`safelight.check/1`, the pairs that would do most harm first."""
    pairs = [{k: v for k, v in e.items() if k != "shown"} for e in worst_first(entries)]
    return {"schema": SCHEMA, "pairs": pairs, **more}


def verdict_of(entries: Iterable[Mapping[str, Any]]) -> Outcome:
    """The worst verdict among pairs."""
    return max((Outcome(e["verdict"]) for e in entries), key=list(Outcome).index, default=Outcome.PASS)


def words(found: Mapping[str, Any], *, page: Path | None = None) -> str:
    """The document as a table: a line a pair, worst first, then what could not be done."""
    pairs: Sequence[Mapping[str, Any]] = found["pairs"]
    lines = [line(pair) for pair in pairs[:TABLE]]
    if len(pairs) > TABLE:
        lines.append(f"… and {len(pairs) - TABLE} more; --json lists them all.")
    lines += [f"not checked  {_name(e['path'])}: {printable(e['cause'])}" for e in found.get("failed", ())[:TABLE]]
    lines += [_rule("set", rule) for rule in found.get("set_rules", ()) if rule["held"] is False]
    alone = found.get("unmatched", {"before": [], "after": []})
    if alone["after"]:
        lines.append(f"{many(len(alone['after']), 'file has', 'files have')} no before: {_few(alone['after'])}")
    if alone["before"]:
        lines.append(
            f"{many(len(alone['before']), 'original has', 'originals have')} no after: {_few(alone['before'])}"
        )
    count = Counter(pair["verdict"] for pair in pairs)
    told = ", ".join(f"{count[o.value]} {o.value}" for o in Outcome if count[o.value])
    what = "pair" if any(pair["before"] for pair in pairs) else "file"
    lines.append(f"{many(len(pairs), what)}: {told or 'nothing to check'}.")
    if page is not None:
        lines.append(f"Page: {page}")
    return "\n".join(lines)


def line(pair: Mapping[str, Any]) -> str:
    """One pair: verdict, name, and a sentence for each finding that is not a pass."""
    said = [f for f in pair["findings"] if f["outcome"] != Outcome.PASS]
    said.sort(key=lambda f: -(f["probability"] or 0))
    told = [_finding(f) for f in said]
    told += [f["text"] for f in pair["findings"] if f["name"] == CREDENTIALS and f["outcome"] == Outcome.PASS]
    told += [f"{rule['rule']}: {rule['text']}" for rule in pair.get("rules", ()) if rule["held"] is False]
    cannot = (pair.get("aligned") or {}).get("cannot")
    told += [f"not aligned: {cannot}"] if cannot else []
    untold = sum(f["cannot_tell"] is not None for f in pair["findings"])
    if not told and untold:
        told = [f"{untold} of {len(pair['findings'])} cannot be told"]
    return f"{pair['verdict']:<5} {_name(pair['after'])}" + "".join(f"\n      {text}" for text in told)


def _finding(found: Mapping[str, Any]) -> str:
    name, chance = found["name"].replace("_", " "), found["probability"]
    return f"{name}: {found['cannot_tell']}" if chance is None else f"{name} {100 * chance:.0f} %: {found['text']}"


def _rule(what: str, rule: Mapping[str, Any]) -> str:
    return f"{what:<5} {rule['rule']}: {rule['text']}"


def _name(path: str) -> str:
    return printable(Path(path).name)


def _few(paths: Sequence[str]) -> str:
    return ", ".join(_name(p) for p in paths[:3]) + (", …" if len(paths) > 3 else "")
