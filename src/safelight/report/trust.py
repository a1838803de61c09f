"""The record as a page: the reliability map, each task with its rate and interval, learning curves, what comes next.

`fragment` gives the same inside of a page to whoever has a page of their own, `css` its looks: the review app has
one.
"""

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from safelight.files import write_atomic
from safelight.ledger import (
    NOT_LISTED,
    is_of_people,
    minutes_words,
    name_of,
    needs_words,
    percent,
    rate_words,
    reviewer_words,
)
from safelight.words import many

Cell = Mapping[str, Any]

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 470, 56, 20, 24, 44  # px of the map
NAME = 6.4  # px that a letter of a label takes at most
STEP = 14  # px between labels
LABEL = 36  # letters of a name on the map; the table below has all
CURVE = 250, 118  # px of a learning curve
BAR = 220, 20  # px of a rate with its interval
STATES = {
    "licensed": "done alone where its score is high enough",
    "apprentice": "a person sees everything, and a licence is being earned",
    "demoted": "was licensed; a person sees everything again",
    "never": "the policy leaves it to people",
}


def write(found: Mapping[str, Any], path: Path) -> None:
    """Writes the page."""
    write_atomic(path, page(found).encode("utf-8", "backslashreplace"))


def page(found: Mapping[str, Any]) -> str:
    """The whole page; it needs nothing else."""
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    return _template("trust_page.html").render(
        fragment=Markup(fragment(found)),  # noqa: S704 - ours, escaped
        css=Markup(css()),  # noqa: S704 - ours
        made=made,
    )


def css() -> str:
    """How the inside of the page looks; colours are variables of the page around it."""
    return files("safelight.report").joinpath("trust.css").read_text(encoding="utf-8")


def fragment(found: Mapping[str, Any]) -> str:
    """The inside of the page: map, tasks, what the next step needs, time and harm, history."""
    cells = [cell for cell in found["cells"] if cell["current"]]
    drawn = [cell for cell in cells if cell["drawn"]]
    return _template(
        "trust.html"
    ).render(
        cells=[_row(cell) for cell in cells],
        map=Markup(reliability_map(cells)),  # noqa: S704 - made here, every text escaped
        curves=[{"name": _name(c), "svg": Markup(curve(c))} for c in drawn if len(c["curve"]) > 1],  # noqa: S704
        history=_history(cells),
        states=STATES,
        not_listed=NOT_LISTED if any(map(is_of_people, cells)) else "",
        aside=found["set_aside"],
        deliveries=found["deliveries"][-20:],
    )


# ---------------------------------------------------------------- what stands in the table


def _row(cell: Cell) -> dict[str, Any]:
    return {
        "name": _name(cell), "state": cell["state"], "zone": cell["zone"].replace("_", " "), "mark": _mark(cell),
        "rate": rate_words(cell), "bar": Markup(rate_bar(cell)),  # noqa: S704 - made here, numbers only
        "version": f"version {cell['version'].split('/')[0].rpartition('@')[2]}",
        "next": "Everything is let through." if cell["needs"]["verdicts_if_none_bad"] == 0 else
        "" if cell["state"] == "never" else needs_words(cell["needs"]),
        "next_for": cell["needs"]["for"], "because": cell["because"], "saved": saved_words(cell),
        "harm": harm_words(cell), "would": would_words(cell), "noticed": reviewer_words(cell),
    }  # fmt: skip


def _name(cell: Cell) -> str:
    return name_of(cell)


def _mark(cell: Cell) -> str:
    return {"licensed": "keep", "apprentice": "undecided", "demoted": "reject", "never": "lock"}[cell["state"]]


def saved_words(cell: Cell) -> str:
    """What a suggestion saves, with its interval."""
    saved = cell["saved"]
    if saved is None:
        return "not measured"
    return f"{saved['seconds']:.1f} s an item ({saved['low']:.1f} to {saved['high']:.1f})"


def harm_words(cell: Cell) -> str:
    """What a thousand items come to: done alone, minutes saved, bad ones let through."""
    if cell["state"] != "licensed" or cell["zone"] != "auto":
        return "Nothing is done alone."
    alone = 1000 * cell["share_automated"]
    seen = cell["k"] / cell["n"] if cell["n"] else cell["alpha"]
    bad = alone * min(seen, cell["alpha"])
    time = "" if cell["saved"] is None else f" saves {minutes_words(cell['saved'], alone)} and"
    through = f"{bad:.1f}" if bad >= 0.05 else "0"
    return (
        f"Of 1,000 about {alone:,.0f} are done alone, which{time} lets about {through} bad ones through (at most "
        f"{alone * cell['alpha']:.0f} by its licence)."
    )


def would_words(cell: Cell) -> str:
    """What a replay found; empty outside of one."""
    would = cell.get("would_have")
    if would is None:
        return ""
    return (
        f"Would have done {would['automated']:,} of {would['items']:,} alone and let {would['bad_let_through']:,} bad "
        "ones through."
    )


def _history(cells: Sequence[Cell]) -> list[dict[str, str]]:
    found = [
        {
            "at": e["at"][:10], "name": _name(c), "event": e["event"].replace("_", " "), "because": e["because"],
            "order": e["at"],
        }
        for c in cells
        for e in c["history"]
    ]  # fmt: skip
    return sorted(found, key=lambda e: e["order"], reverse=True)[:60]


# ---------------------------------------------------------------- plots


def reliability_map(cells: Sequence[Cell]) -> str:
    """The map: how much judgement a task takes against what a mistake costs, each task with its rate and state."""
    told = html.escape(" ".join(f"{_name(c)}, {_placed(c)}: {c['state']}. {rate_words(c)}" for c in cells))
    parts = [
        f'<svg class="map" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Reliability map. {told}">',
        *_axes(),
    ]
    taken: list[tuple[float, float, float, float]] = []
    places = _apart(cells)
    for cell, (x, y) in zip(cells, places, strict=True):
        taken.append((x - 7, y - 7, x + 7, y + 7))
        parts.append(_dot(cell, x, y))
    for cell, (x, y) in zip(cells, places, strict=True):
        parts.append(_label(cell, x, y, taken))
    return "\n".join([*parts, "</svg>"])


def _placed(cell: Cell) -> str:
    """Where a task stands on the map, in words."""
    takes = "little" if cell["complexity"] < 0.5 else "much"
    costs = "little" if cell["cost"] < 0.5 else "much"
    return f"takes {takes} judgement, a mistake costs {costs}"


def _axes() -> list[str]:
    x0, x1, y0, y1 = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP
    middle = f'x="{(x0 + x1) / 2}" text-anchor="middle"'
    lines = [
        f'<path class="axis" d="M{x0} {y1}V{y0}H{x1}"/>',
        f'<path class="rule" d="M{_x(0.5):.0f} {y1}V{y0}M{x0} {_y(0.5):.0f}H{x1}"/>',
        f'<text {middle} y="{HEIGHT - 8}">judgement it takes: little on the left, much on the right</text>',
        f'<text transform="rotate(-90)" x="{-(y0 + y1) / 2}" y="16" text-anchor="middle">what a mistake costs</text>',
    ]
    for tick in (0.0, 0.5, 1.0):
        lines.append(f'<text x="{_x(tick):.0f}" y="{y0 + 16}" text-anchor="middle">{tick:g}</text>')
        lines.append(f'<text x="{x0 - 8}" y="{_y(tick) + 4:.0f}" text-anchor="end">{tick:g}</text>')
    return lines


def _apart(cells: Sequence[Cell]) -> list[tuple[float, float]]:
    """Where dots stand; those of one place side by side."""
    seen: dict[tuple[float, float], int] = {}
    out = []
    for cell in cells:
        place = cell["complexity"], cell["cost"]
        nth = seen[place] = seen.get(place, -1) + 1
        out.append((_x(place[0]) + 15 * nth, _y(place[1])))
    return out


def _dot(cell: Cell, x: float, y: float) -> str:
    title = html.escape(f"{_name(cell)}: {cell['state']}. {rate_words(cell)}")
    shape = {
        "licensed": f'<circle class="alone" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        "apprentice": f'<circle class="person" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        "demoted": f'<circle class="person" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        f'<path class="person" d="M{x - 5:.1f} {y + 5:.1f}l10 -10"/>',
        "never": f'<rect class="never" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>',
    }[cell["state"]]
    return f"<g><title>{title}</title>{shape}</g>"


def _label(cell: Cell, x: float, y: float, taken: list[tuple[float, float, float, float]]) -> str:
    """A name with the rate, at the nearest place where nothing else stands, with a hairline to its dot."""
    rate = cell["reject_rate"]
    text = _short(_name(cell))
    if rate["value"] is not None:
        text += f" {percent(rate['value'])} % ({percent(rate['low'])}–{percent(rate['high'])} %)"
    wide = NAME * len(text)
    for far in range(40):
        down = STEP * ((far + 1) // 2) * (1 if far % 2 else -1)
        for left in (x + 10, x - 10 - wide):
            box = left, y + down - STEP / 2, left + wide, y + down + STEP / 2
            if box[0] < LEFT + 2 or box[2] > WIDTH or box[1] < 0 or box[3] > HEIGHT - BOTTOM:
                continue
            if any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken):
                continue
            taken.append(box)
            end = left - 3 if left > x else left + wide + 3
            hair = f'<path class="rule" d="M{x:.1f} {y:.1f}L{end:.1f} {y + down:.1f}"/>' if down else ""
            return f'{hair}<text class="name" x="{left:.1f}" y="{y + down + 4:.1f}">{html.escape(text)}</text>'
    return ""  # no room: the dot tells it when pointed at, and the table below


def _short(name: str) -> str:
    return name if len(name) <= LABEL else f"{name[: LABEL - 1].rstrip()}…"


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def rate_bar(cell: Cell) -> str:
    """A rate with its interval beside the promise α, on a scale of ten times α."""
    rate, alpha = cell["reject_rate"], cell["alpha"]
    width, height = BAR
    most = 10 * alpha

    def at(value: float) -> float:
        return 4 + (width - 8) * float(min(value, most) / most)

    parts = [
        f'<svg class="bounds" viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true">',
        f'<path class="rule" d="M4 {height / 2}H{width - 4}"/>',
        f'<path class="promise" d="M{at(alpha):.1f} 3V{height - 3}"/>',
    ]
    if rate["value"] is not None:
        parts.append(f'<path class="span" d="M{at(rate["low"]):.1f} {height / 2}H{at(rate["high"]):.1f}"/>')
        parts.append(f'<circle class="alone" cx="{at(rate["value"]):.1f}" cy="{height / 2}" r="3.5"/>')
    return "".join([*parts, "</svg>"])


def curve(cell: Cell) -> str:
    """How the measured rate grew sharper: share wrong after each shoot, with the promise as a line."""
    width, height = CURVE
    points = [(shoots, bad / max(n, 1)) for shoots, n, bad in cell["curve"]]
    last, most = points[-1][0], max(2.5 * cell["alpha"], min(max(rate for _, rate in points[1:]), 10 * cell["alpha"]))

    def place(shoots: float, rate: float) -> str:
        return f"{40 + (width - 48) * shoots / last:.1f} {height - 18 - (height - 30) * min(rate / most, 1):.1f}"

    line = "L".join(place(*point) for point in points)
    told = (
        f"{_name(cell)}: after {many(last, 'shoot')} {percent(points[-1][1])} % of {cell['drawn']:,} looked at were "
        f"wrong; {percent(cell['alpha'])} % is promised."
    )
    return (
        f'<svg class="curve" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{html.escape(told)}">'
        f'<path class="axis" d="M40 8V{height - 18}H{width - 8}"/>'
        f'<path class="promise" d="M{place(0, cell["alpha"])}L{place(last, cell["alpha"])}"/>'
        f'<path class="line" d="M{line}"/>'
        f'<text x="36" y="{height - 14}" text-anchor="end">0</text><text x="36" y="14" text-anchor="end">'
        f"{percent(most)} %</text>"
        f'<text x="{width - 8}" y="{height - 4}" text-anchor="end">{last:,} shoots, {cell["drawn"]:,} looked at</text>'
        "</svg>"
    )


def _template(name: str) -> jinja2.Template:
    source = files("safelight.report").joinpath(name).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["thousands"] = lambda n: f"{n:,}"
    return environment.from_string(source)
