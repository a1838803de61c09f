"""The page of a check: worst first, heat maps and 100 % crops beside the words. Needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from safelight.checking import Outcome
from safelight.pairs.document import harm, worst_first
from safelight.words import printable

LARGEST = 20_000_000  # bytes of pictures in a page; what comes after is told in words


def page(entries: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> str:
    """The HTML of a check; `entries` carry the places of their pictures, `found` is the document of all."""
    ordered = worst_first(entries)
    room = [LARGEST]
    cards = [_card(entry, room) for entry in ordered if entry["verdict"] != Outcome.PASS]
    return _template().render(
        cards=cards,
        passed=[_row(entry) for entry in ordered if entry["verdict"] == Outcome.PASS],
        count={o.value: sum(e["verdict"] == o.value for e in entries) for o in Outcome},
        failed=[{**error, "path": printable(Path(error["path"]).name)} for error in found["failed"]],
        alone={side: [printable(Path(p).name) for p in paths] for side, paths in found["unmatched"].items()},
        set_rules=[rule for rule in found["set_rules"] if rule["held"] is False],
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
    )


def uri(path: str | None, room: list[int]) -> str:
    """A picture as data, as long as there is room for it in the page; empty otherwise."""
    if path is None or room[0] <= 0:
        return ""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return ""
    room[0] -= len(data) * 4 // 3
    return f"data:image/{'png' if path.endswith('.png') else 'jpeg'};base64,{base64.b64encode(data).decode()}"


def _card(entry: Mapping[str, Any], room: list[int]) -> dict[str, Any]:
    shown = entry.get("shown") or {}
    said = sorted(
        (f for f in entry["findings"] if f["outcome"] != Outcome.PASS), key=lambda f: -(f["probability"] or 0)
    )
    broken = [rule for rule in entry["rules"] if rule["held"] is False]
    size = entry.get("size") or [1, 1]
    return _row(entry) | {
        "harm": round(100 * harm(entry)),
        "before_picture": uri(shown.get("before"), room),
        "after_picture": uri(shown.get("after"), room),
        "findings": [_finding(f, room, size) for f in said],
        "rules": [{**rule, "picture": uri(rule["mask"], room), "box": _share(rule["where"], size)} for rule in broken],
        "crops": [
            {"name": c["name"].replace("_", " "), "before": uri(c.get("before"), room), "after": uri(c["after"], room)}
            for c in shown.get("crops", ())
        ],
    }  # fmt: skip


def _finding(found: Mapping[str, Any], room: list[int], size: Sequence[int]) -> dict[str, Any]:
    return {
        "name": found["name"].replace("_", " "), "text": found["text"] or found["cannot_tell"],
        "outcome": found["outcome"],
        "sure": None if found["probability"] is None else round(100 * found["probability"]),
        "picture": uri(found["heatmap"], room),
        "box": _share(found["where"], size),
    }  # fmt: skip


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    untold = [f for f in entry["findings"] if f["cannot_tell"] is not None]
    return {
        "name": printable(Path(entry["after"]).name),
        "before": printable(Path(entry["before"]).name) if entry["before"] else "",
        "verdict": entry["verdict"],
        "matched_by": entry["matched_by"],
        "cannot": (entry["aligned"] or {}).get("cannot"),
        "told": len(entry["findings"]) - len(untold),
        "untold": [{"name": f["name"].replace("_", " "), "reason": f["cannot_tell"]} for f in untold],
        "open_rules": [rule for rule in entry["rules"] if rule["held"] is None],
    }


def _share(box: Sequence[int] | None, size: Sequence[int]) -> str:
    """A box as CSS, in shares of the picture; empty where there is none."""
    if box is None or size == [1, 1]:
        return ""
    left, top = 100 * box[0] / size[0], 100 * box[1] / size[1]
    width, height = 100 * (box[2] - box[0]) / size[0], 100 * (box[3] - box[1]) / size[1]
    return f"left:{left:.2f}%;top:{top:.2f}%;width:{width:.2f}%;height:{height:.2f}%"


def _template() -> jinja2.Template:
    source = files("safelight.pairs").joinpath("page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(source)
