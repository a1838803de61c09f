"""The record at a glance, for a terminal: one line a task and group."""

from collections.abc import Mapping, Sequence
from typing import Any

from safelight.ledger import FEW_SHOOTS, is_of_people, name_of, percent

HEAD = ("task", "state", "wrong", "looked at", "shoots", "alone", "saves", "next step")
WIDEST = 40  # letters of a task's name


def table(found: Mapping[str, Any]) -> str:
    """The cells of what runs now, in columns; empty where there are none."""
    rows = [_row(cell) for cell in found["cells"] if cell["current"]]
    if not rows:
        return ""
    wide = [max(len(row[i]) for row in (HEAD, *rows)) for i in range(len(HEAD))]
    return "\n".join(_line(row, wide) for row in (HEAD, *rows))


def _line(row: Sequence[str], wide: Sequence[int]) -> str:
    words, numbers, end = row[:2], row[2:-1], row[-1]
    cells = [text.ljust(wide[i]) for i, text in enumerate(words)]
    cells += [text.rjust(wide[i]) for i, text in enumerate(numbers, len(words))]
    return "  ".join([*cells, end]).rstrip()


def _row(cell: Mapping[str, Any]) -> tuple[str, ...]:
    name, saved = name_of(cell), cell["saved"]
    alone = percent(cell["share_automated"]) + " %" if cell["state"] == "licensed" and cell["zone"] == "auto" else "–"
    return (
        name if len(name) <= WIDEST else f"{name[: WIDEST - 1].rstrip()}…", cell["state"], _rate(cell),
        f"{cell['drawn']:,}", f"{cell['shoots']:,}", alone, "–" if saved is None else f"{saved['seconds']:.1f} s",
        _next(cell),
    )  # fmt: skip


def _rate(cell: Mapping[str, Any]) -> str:
    rate = cell["reject_rate"]
    if rate["value"] is None or (is_of_people(cell) and cell["shoots"] < FEW_SHOOTS):
        return "–"
    return f"{percent(rate['value'])} % ({percent(rate['low'])}–{percent(rate['high'])} %)"


def _next(cell: Mapping[str, Any]) -> str:
    more = cell["needs"]["verdicts_if_none_bad"]
    if cell["state"] == "never":
        return "left to people"
    if more == 0:
        return "all is let through"
    return "no number would do" if more is None else f"{more:,} more, none bad"
