"""The shoot over time as one small drawing: a row a camera, a mark a photo, keepers filled."""

from collections.abc import Sequence
from html import escape

from safelight.domain import Cull
from safelight.state import Photo

WIDTH, ROW, LEFT, TOP = 1200, 22, 240, 6  # px


def timeline(photos: Sequence[Photo]) -> str:
    """An SVG drawing; empty where fewer than two photos carry a time."""
    timed = [(photo.taken, photo) for photo in photos if photo.taken is not None]
    if len(timed) < 2:
        return ""
    first, last = min(t for t, _ in timed), max(t for t, _ in timed)
    span = max((last - first).total_seconds(), 1.0)
    bodies = sorted({photo.asset.capture.body or "camera unknown" for _, photo in timed})
    height = TOP * 2 + ROW * len(bodies) + 16
    told = f"{len(timed)} photos over {span / 60:.0f} minutes"
    parts = [f'<svg class="timeline" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{told}">']
    for row, body in enumerate(bodies):
        y = TOP + ROW * row
        parts.append(f'<text x="0" y="{y + 14}">{escape(body[:38])}</text>')
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y + ROW - 4}" y2="{y + ROW - 4}"/>')
    for taken, photo in timed:
        x = LEFT + 4 + (WIDTH - LEFT - 8) * (taken - first).total_seconds() / span
        y = TOP + ROW * bodies.index(photo.asset.capture.body or "camera unknown")
        parts.append(f'<rect class="{_class(photo)}" x="{x - 1:.1f}" y="{y}" width="2" height="{ROW - 5}"/>')
    foot = height - 4
    parts.append(f'<text x="{LEFT}" y="{foot}">{first:%H:%M}</text>')
    parts.append(f'<text x="{WIDTH}" y="{foot}" text-anchor="end">{last:%H:%M}</text></svg>')
    return "".join(parts)


def _class(photo: Photo) -> str:
    return {Cull.KEEP: "keep", Cull.REJECT: "gone", Cull.UNDECIDED: "open"}[photo.decision]
