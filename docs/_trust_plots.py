"""Plots of measured trust from the kept run of `bench trust`: what a licence costs, how often it is false, how many bad
items pass before it is taken away, and how long it takes studios of three sizes.

Greys and one accent, as everywhere: dark is what was measured, pale what stands beside it.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

WIDTH, LINE, LABEL, PAD = 760, 18, 330, 30  # px
INK, FAINT, RULE, ACCENT = "#5c5c5c", "#8c8c8c", "#c4c4c4", "#f5a524"
MOST_RATE = 1.0
Z = 1.645  # 90 % on both sides


def plots(rows: Sequence[Row]) -> dict[str, str]:
    """Name and SVG of each plot whose figures are there."""
    made = {"licence": licence(rows), "plan": plan(rows), "exposure": exposure(rows), "paces": paces(rows)}
    return {f"trust-{name}.svg": text for name, text in made.items() if text is not None}


# ---------------------------------------------------------------- what a licence costs


def licence(rows: Sequence[Row]) -> str | None:
    """From how many verdicts on a task is licensed, by the bad ones among them."""
    told = [(int(row["name"].rsplit("_", 1)[1]), row) for row in rows if row["name"].startswith("table.bad_")]
    if not told:
        return None
    height, left, base = 240, 60, 190
    most_k = max(bad for bad, _ in told)
    most_n = max(float(row["value"]) for _, row in told)

    def place(bad: float, verdicts: float) -> str:
        return f"{left + (WIDTH - left - 190) * verdicts / most_n:.1f} {base - (base - 30) * bad / most_k:.1f}"

    ours = [(bad, float(row["value"])) for bad, row in told]
    once = [(bad, float(row["beside"]["exact_binomial_looked_at_once"])) for bad, row in told]
    parts = [_open(height), f'<path d="M{left} 20V{base}H{WIDTH - 190}" fill="none" stroke="{INK}"/>']
    for line, colour, name in ((ours, INK, "may be looked at any time"), (once, FAINT, "may be looked at once only")):
        path = "L".join(place(*point) for point in line)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for bad, verdicts in line:
            x, y = place(bad, verdicts).split()
            title = html.escape(f"{bad} bad: from {verdicts:.0f} on")
            parts.append(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"><title>{title}</title></circle>')
        x, y = place(*line[-1]).split()
        parts.append(_text(float(x) + 10, float(y) + (4 if line is ours else -8), name, colour=colour))
    for bad, verdicts in ours:
        x, y = place(bad, verdicts).split()
        parts.append(_text(left - 8, float(y) + 4, f"{bad}", end=True))
        parts.append(f'<text x="{x}" y="{base + 16}" text-anchor="middle" fill="{INK}">{verdicts:.0f}</text>')
    parts.append(
        _text(left, height - 14, "verdicts, of which so many bad (upwards): licensed to the right of the line")
    )
    return _close(parts)


# ---------------------------------------------------------------- how often a licence is false


def plan(rows: Sequence[Row]) -> str | None:
    """The falsification plan: how often each way to be wrong was, with its interval; controls must be beyond."""
    shown = [row for row in rows if row["name"].startswith(("false_licence.", "control.")) and row["n"] > 1]
    if not shown:
        return None
    height = PAD + LINE * len(shown) + 36
    allowed = float(shown[0]["bar"])

    def x(rate: float) -> float:
        return LABEL + (WIDTH - LABEL - 20) * rate / MOST_RATE

    parts = [_open(height), _text(x(allowed), 14, "allowed", middle=True)]
    parts.append(f'<path d="M{x(allowed):.1f} 20V{height - 36}" stroke="{INK}"/>')
    for i, row in enumerate(shown):
        y = PAD + LINE * i + LINE / 2
        is_control = row["name"].startswith("control.")
        low, high = wilson(float(row["value"]), int(row["n"]))
        name = html.escape(_named(row["name"].replace("false_licence.", "")))
        fill = "#ffffff" if is_control else INK if row.get("held") else ACCENT
        title = f"<title>{row['value']:.3g} ({low:.3g} to {high:.3g}) of {row['n']:,} studios</title>"
        parts += [
            f'<path d="M{LABEL} {y}H{WIDTH - 20}" stroke="{RULE}" stroke-width="0.5"/>',
            f'<text x="{LABEL - 10}" y="{y + 4}" text-anchor="end" fill="{FAINT if is_control else INK}">{name}</text>',
            f'<path d="M{x(low):.1f} {y}H{x(high):.1f}" stroke="{INK}" stroke-width="1.5"/>',
            f'<circle cx="{x(float(row["value"])):.1f}" cy="{y}" r="4" stroke="{INK}" fill="{fill}">{title}</circle>',
        ]
    legend = "share of made studios with a false licence   ● the design   ○ one of its rules broken on purpose"
    return _close([*parts, _text(LABEL - 200, height - 10, legend, colour=FAINT)])


def wilson(share: float, n: int) -> tuple[float, float]:
    """90 % interval of a share of n."""
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * (share * (1 - share) / n + Z * Z / (4 * n * n)) ** 0.5 / (1 + Z * Z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


# ---------------------------------------------------------------- what passes before a licence is gone


def exposure(rows: Sequence[Row]) -> str | None:
    """Bad items that pass, by case: the median, up to the worst one in ten, beside the printed formula."""
    shown = [r for r in rows if r["name"].startswith("exposure.") and "printed" in r.get("beside", {})]
    if not shown:
        return None
    height = PAD + LINE * len(shown) + 36
    most = max(float(row["beside"]["p90"]) for row in shown)

    def x(items: float) -> float:
        return LABEL + (WIDTH - LABEL - 20) * items / most

    parts = [_open(height)]
    for tick in _ticks(most):
        parts.append(_text(x(tick), 14, f"{tick:g}", middle=True))
        parts.append(f'<path d="M{x(tick):.1f} 20V{height - 36}" stroke="{RULE}" stroke-width="0.5"/>')
    for i, row in enumerate(shown):
        y = PAD + LINE * i + LINE / 2
        printed, median, worst = (float(row["beside"][name]) for name in ("printed", "median", "p90"))
        told = _named(row["name"].removeprefix("exposure.").removesuffix(".median_over_printed"))
        drop = re.fullmatch(r"step to (\d+)\.audit (\d+)(?:\.(.*))?", told)
        if drop is not None:
            told = drop[3] or f"to {drop[1]} % bad, {drop[2]} % audited"
        name = html.escape(told)
        title = html.escape(f"median {median:.0f}, one in ten more than {worst:.0f}, printed {printed:.0f}")
        parts += [
            f'<text x="{LABEL - 10}" y="{y + 4}" text-anchor="end" fill="{INK}">{name}</text>',
            f'<path d="M{x(median):.1f} {y}H{x(worst):.1f}" stroke="{INK}" stroke-width="1.5"/>',
            f'<circle cx="{x(median):.1f}" cy="{y}" r="4" fill="{INK}"><title>{title}</title></circle>',
            f'<circle cx="{x(printed):.1f}" cy="{y}" r="4" fill="none" stroke="{FAINT}"/>',
        ]
    legend = "bad items that nobody saw before the licence was gone   ● median, up to one in ten   ○ as it is printed"
    return _close([*parts, _text(LABEL - 260, height - 10, legend, colour=FAINT)])


def _ticks(most: float) -> Iterable[int]:
    step = next(s for s in (10, 20, 50, 100, 200, 500) if most / s <= 8)
    return range(0, int(most) + 1, step)


# ---------------------------------------------------------------- how long it takes


def paces(rows: Sequence[Row]) -> str | None:
    """Years until each step, for studios of three sizes."""
    shown = [row for row in rows if row["name"].startswith("pace.")]
    if not shown:
        return None
    sizes = sorted(int(name.rsplit("_", 1)[1]) for name in shown[0]["beside"])
    most = max(float(value) for row in shown for value in row["beside"].values())
    height = PAD + 2 * LINE * len(shown) + 36

    def x(years: float) -> float:
        return LABEL + (WIDTH - LABEL - 60) * years / most

    parts = [_open(height)]
    for i, row in enumerate(shown):
        y = PAD + 2 * LINE * i + LINE / 2
        told = (
            _named(row["name"].removeprefix("pace.")).replace("risk 0.004", "0.4 % bad").replace("risk 0", "none bad")
        )
        name = html.escape(re.sub(r"shoots until (\d+)", r"until \1 % are done alone", told))
        parts.append(f'<text x="{LABEL - 10}" y="{y + 4}" text-anchor="end" fill="{INK}">{name}: '
                     f'{row["value"]:.0f} shoots</text>')  # fmt: skip
        for j, size in enumerate(sizes):
            years = float(row["beside"][f"years_at_{size}"])
            shade = (INK, FAINT, RULE)[j % 3]
            top = y - 6 + 8 * j
            parts.append(f'<rect x="{LABEL}" y="{top:.0f}" width="{x(years) - LABEL:.1f}" height="6" fill="{shade}"/>')
            parts.append(
                f'<text x="{x(years) + 4:.0f}" y="{top + 7:.0f}" font-size="9" fill="{INK}">{years:.2g}</text>'
            )
    legend = "years, with " + ", ".join(f"{size}" for size in sizes) + " shoots a year (dark to pale)"
    return _close([*parts, _text(LABEL, height - 10, legend, colour=FAINT)])


# ---------------------------------------------------------------- pieces


def _named(name: str) -> str:
    """A figure's name as words; a point after a letter sets parts apart, one after a digit is part of a number."""
    return re.sub(r"(?<=[a-z])\.", ": ", name).replace("_", " ").replace("icc", "correlation")


def _open(height: float) -> str:
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="11">'


def _close(parts: Sequence[str]) -> str:
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, *, middle: bool = False, end: bool = False, colour: str = INK) -> str:
    anchor = ' text-anchor="middle"' if middle else ' text-anchor="end"' if end else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{anchor} fill="{colour}">{html.escape(text)}</text>'
