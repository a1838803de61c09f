"""Plots of kept runs as SVG: each figure with a bar on a line of its own, measured in bars, with what stands beside it.

Greys and one accent, as everywhere: a filled dot is ours, a ring a simple measure or another program, the upright
line the bar; a figure that misses its bar is amber.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

WIDTH, LABEL, LINE, PAD = 760, 330, 18, 26  # px
INK, FAINT, RULE, ACCENT = "#5c5c5c", "#8c8c8c", "#c4c4c4", "#f5a524"
MOST = 3.0  # bars: what lies beyond stands at the edge


def plot(rows: Sequence[Row]) -> str | None:
    """An SVG of those figures that have a value and a bar that is not zero; None where there are none."""
    shown = [row for row in rows if row.get("bar") and row["value"] is not None]
    if not shown:
        return None
    height = PAD + LINE * len(shown) + PAD
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="11">',
        f'<text x="{_x(1)}" y="14" text-anchor="middle" fill="{INK}">bar</text>',
        f'<line x1="{_x(1)}" x2="{_x(1)}" y1="18" y2="{height - PAD + 4}" stroke="{INK}"/>',
    ]
    for number, row in enumerate(shown):
        parts += _line(row, PAD + LINE * number + LINE / 2)
    legend = "● measured   ○ beside it   better is left for “at most”, right for “at least”; in bars"
    parts.append(f'<text x="{LABEL}" y="{height - 6}" fill="{FAINT}">{legend}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(row: Row, y: float) -> list[str]:
    sign = "≤" if row["want"] == "at most" else "≥"
    label = html.escape(f"{row['name']} {sign} {row['bar']:g} (n={row['n']:,})")
    parts = [
        f'<text x="{LABEL - 10}" y="{y + 4:g}" text-anchor="end" fill="{INK}">{label}</text>',
        f'<line x1="{LABEL}" x2="{WIDTH - 12}" y1="{y:g}" y2="{y:g}" stroke="{RULE}" stroke-width="0.5"/>',
    ]
    for name, value in row.get("beside", {}).items():
        if value is not None:
            title = html.escape(f"{name.replace('_', ' ')} {value:.3g}")
            where = f'cx="{_x(value / row["bar"])}" cy="{y:g}"'
            parts.append(f'<circle {where} r="3.5" fill="none" stroke="{FAINT}"><title>{title}</title></circle>')
    if row.get("low") is not None:
        ends = [_x(row[end] / row["bar"]) for end in ("low", "high")]
        parts.append(f'<line x1="{ends[0]}" x2="{ends[1]}" y1="{y:g}" y2="{y:g}" stroke="{INK}" stroke-width="1.5"/>')
    fill = INK if row.get("held") else ACCENT
    title = html.escape(f"{row['value']:.4g} {row['unit']}".strip())
    where = f'cx="{_x(row["value"] / row["bar"])}" cy="{y:g}"'
    return [*parts, f'<circle {where} r="4" fill="{fill}"><title>{title}</title></circle>']


def _x(bars: float) -> str:
    share = min(max(bars, 0.0), MOST) / MOST
    return f"{LABEL + share * (WIDTH - 12 - LABEL):.1f}"
