"""The plot of the sixty shoots: how much of each was done alone, and what was bad among it."""

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.earned import Shoot

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 760, 300, 44, 28, 64  # px
INK, FAINT, RULE, ACCENT = "#5c5c5c", "#a3a3a3", "#c4c4c4", "#f5a524"


def plot(shoots: "Sequence[Shoot]", *, lens: int, alpha: float) -> str:
    """An SVG: a column a shoot, as high as the share that was done alone; a dot over it for each bad one."""
    each = (WIDTH - LEFT - 12) / len(shoots)
    base = HEIGHT - BOTTOM
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="11">',
        f'<path d="M{LEFT} {TOP}V{base}H{WIDTH - 12}" fill="none" stroke="{INK}"/>',
    ]
    for share in (0.0, 0.5, 1.0):
        y = base - share * (base - TOP)
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end" fill="{INK}">{share:.0%}</text>')
    for i, shoot in enumerate(shoots):
        x = LEFT + i * each
        part = shoot.alone / shoot.offered if shoot.offered else 0.0
        high = part * (base - TOP)
        told = html.escape(" ".join([f"Shoot {shoot.number}: {shoot.alone} of {shoot.offered} alone.", *shoot.events]))
        # What a person was shown is amber, as everywhere: the rest of the column up to the whole shoot.
        parts.append(
            f'<g><title>{told}</title><rect x="{x + 1:.1f}" y="{TOP}" width="{each - 2:.1f}" '
            f'height="{base - TOP - high:.1f}" fill="{ACCENT}" opacity=".35"/>'
            f'<rect x="{x + 1:.1f}" y="{base - high:.1f}" width="{each - 2:.1f}" height="{high:.1f}" fill="{INK}"/></g>'
        )
        parts += [
            f'<circle cx="{x + each / 2:.1f}" cy="{base - 6 - 8 * k:.1f}" r="3" fill="#ffffff"/>'
            for k in range(shoot.let_through)
        ]
        if shoot.number % 10 == 0 or shoot.number == 1:
            parts.append(
                f'<text x="{x + each / 2:.1f}" y="{base + 14}" text-anchor="middle" fill="{INK}">{shoot.number}</text>'
            )
    x = LEFT + (lens - 0.5) * each
    parts.append(f'<path d="M{x:.1f} {TOP - 8}V{base}" stroke="{INK}" stroke-dasharray="3 2"/>')
    parts.append(f'<text x="{x:.1f}" y="{TOP - 12}" text-anchor="middle" fill="{INK}">the lens breaks</text>')
    alone, bad = sum(s.alone for s in shoots), sum(s.let_through for s in shoots)
    rate = f"{bad / alone:.1%}" if alone else "nothing"
    legend = "shoots; dark: done alone, pale: shown to a person, white dot: a bad one that nobody saw"
    total = f"{bad} bad of {alone:,} done alone, {rate}; promised: at most {alpha:.0%}"
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 28}" fill="{INK}">{legend}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 10}" fill="{FAINT}">{total}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
