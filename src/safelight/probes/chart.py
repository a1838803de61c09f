"""Probe `chart`: whether a ColorChecker or a grey card is in the picture, where, and how the light made it look.

A glance at the small picture says for nearly every photo that there is none. A chart in a raw is found in the preview
and read on the raw's own light, before any rendering.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Measure, Where
from safelight.errors import MediaError
from safelight.media import raw
from safelight.media.colorchecker import COLUMNS, LABS, ROWS, Balance, balance
from safelight.media.colour import LUMINANCE_709, SRGB_FROM_REC2020, delta_e_lab, lab_of_linear, linear_of_srgb, srgb8
from safelight.media.frame import Bytes, Pixels
from safelight.media.picture import SMALL_SIDE, WORK_SIDE, Picture, shrink
from safelight.probes import Probe, _card
from safelight.probes._chart import CENTRES, LIMITS, Chart, Parts, find, glance, parts, steps

Floats = NDArray[np.float64]

LEAST_SIDE = 60  # px, of the short side: smaller pictures hold no chart that could be read
HINT, CLEAR_HINT = 8, 18  # spots in a row from which a chart is looked for, and at the third size too
SIDES = (
    400,
    200,
    800,
)  # px, at which a chart is looked for: noise is less at the second, small charts larger at the third
SURE = 0.95  # likeness from which no other size is tried
READ = 0.25  # of the step between patches: half the side of the square that is read
MOST_READ = 60  # px, half of that side at most
WHITE, EVERY = 0.97, 0.02  # linear light from which a sample is clipped; share of a patch's samples that may be
MIDDLE_GREY = 0.18
BALANCE = ("chart.gains", "chart.ev", "chart.ev.spread", "chart.de00")
CORNERS = np.array(((-0.5, -0.5), (COLUMNS - 0.5, -0.5), (COLUMNS - 0.5, ROWS - 0.5), (-0.5, ROWS - 0.5)))


def measure(picture: Picture) -> Sequence[Measure]:
    """`chart` (0 or how alike the colours are); where there is one, its corners (px) and patches (linear Rec.2020)."""
    looks = _looks(picture.small)
    found = locate(picture.work, looks)
    if found is None:
        return (Measure(name="chart", value=0.0, unit="certainty"), *_card_measures(picture, looks))
    here = found.scaled(picture.work_scale)
    corners = here.points(CORNERS)
    where = _box(corners, picture.width, picture.height)
    light = _light(picture, here)
    if light is None:
        return (Measure(name="chart", cannot_tell="A chart was seen in the preview, but not in the raw's own light."),)
    patches, clipped = light
    seen = patches @ SRGB_FROM_REC2020.T
    balanced = balance(seen, clipped)
    return (
        Measure(name="chart", value=round(found.alike, 4), unit="certainty", where=where),
        Measure(name="chart.corners", value=[[round(float(v), 1) for v in at] for at in corners], unit="px"),
        Measure(
            name="chart.patches", value=[[round(float(v), 6) for v in one] for one in patches], unit="linear Rec.2020"
        ),
        Measure(name="chart.clipped", value=clipped, unit="patches"),
        *(_cannot_balance() if balanced is None else _balanced(seen, balanced)),
    )


def _cannot_balance() -> Sequence[Measure]:
    reason = "fewer than two of the chart's neutral patches are neither clipped nor black"
    return [Measure(name=name, cannot_tell=reason) for name in BALANCE]


def _balanced(seen: Floats, found: Balance) -> Sequence[Measure]:
    """What the neutral patches say, and how far all patches are from the chart's own colours before and after."""
    right = seen * np.asarray(found.gains) * 2**found.ev
    before, after = (min(_apart(light, lab) for lab in LABS.values()) for light in (seen, right))
    differences = {"as shot": round(before, 2), "balanced": round(after, 2)}
    return (
        Measure(name="chart.gains", value=[round(g, 5) for g in found.gains], unit="linear sRGB"),
        Measure(name="chart.ev", value=round(found.ev, 3), unit="EV"),
        Measure(name="chart.ev.spread", value=round(found.doubt, 3), unit="EV"),
        Measure(name="chart.de00", value=differences, unit="ΔE00"),
    )


def _apart(linear: Floats, lab: Floats) -> float:
    return float(delta_e_lab(lab_of_linear(linear), lab).mean())


def _looks(small: Bytes) -> list[Parts]:
    """The flat parts of a picture at 400 px, under two limits; none of one that is too small."""
    if min(small.shape[:2]) < LEAST_SIDE:
        return []
    step = steps(small)
    return [parts(step, limit) for limit in LIMITS[1:3]]


def _card_measures(picture: Picture, looks: Sequence[Parts]) -> Sequence[Measure]:
    """`card.gains` of linear sRGB that make a grey card neutral, with its box; nothing where none is seen."""
    found = _card.find(picture.small, looks)
    if found is None:
        return ()
    where = _box(found.corners * picture.width / picture.small.shape[1], picture.width, picture.height)
    gains = 1 / found.light
    value = [round(float(g), 5) for g in gains / (gains @ LUMINANCE_709)]
    return (Measure(name="card.gains", value=value, unit="linear sRGB", where=where),)


def locate(work: Bytes, looks: Sequence[Parts]) -> Chart | None:
    """The chart in a picture of at most 1600 px, given with its flat parts; most are dismissed at a glance."""
    hint = glance(looks) if looks else 0
    if hint < HINT:
        return None
    best: Chart | None = None
    for side in SIDES[: 3 if hint >= CLEAR_HINT else 2]:
        seen = shrink(work, side)
        found = find(seen)
        if found is not None and found.alike > (best.alike if best else 0):
            best = found.scaled(work.shape[1] / seen.shape[1])
        if best is not None and best.alike > SURE:
            break
    return best


def _box(corners: Floats, width: int, height: int) -> Where | None:
    (x0, y0), (x1, y1) = np.floor(corners.min(0)), np.ceil(corners.max(0))
    box = max(0, int(x0)), max(0, int(y0)), min(width, int(x1)), min(height, int(y1))
    return Where(box=box) if box[0] < box[2] and box[1] < box[3] else None


def _light(picture: Picture, found: Chart) -> tuple[Floats, list[int]] | None:
    """Patches and clipped ones, from the picture or, for a raw, from its plain development; None: not seen there."""
    if not picture.is_preview or picture.source is None:
        return read(found, linear_of_srgb(picture.rgb))
    try:
        light = raw.develop(picture.source, half=True).pixels
    except MediaError:
        return None
    there = chart_in(light)
    return None if there is None else read(there, light)


def chart_in(light: Pixels) -> Chart | None:
    """The chart in linear Rec.2020 of any brightness, in its px."""
    level = MIDDLE_GREY / max(float(np.median(light[::4, ::4, 1])), 1e-6)
    shown = shrink(srgb8(light * np.float32(min(max(level, 1.0), 64.0))), WORK_SIDE)
    found = locate(shown, _looks(shrink(shown, SMALL_SIDE)))
    return None if found is None else found.scaled(light.shape[1] / shown.shape[1])


def read(found: Chart, light: Pixels) -> tuple[Floats, list[int]]:
    """The median light of each patch, 24 x 3, and the patches that are clipped."""
    patches, clipped = np.empty((len(CENTRES), 3)), []
    for i, centre in enumerate(CENTRES):
        side = min(MOST_READ, max(1, int(READ * _step(found, centre))))
        steps = np.linspace(-READ, READ, min(2 * side + 1, 41))
        cells = centre + np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
        x, y = np.clip(np.rint(found.points(cells)), 0, np.array(light.shape[1::-1]) - 1).astype(int).T
        seen = light[y, x].astype(np.float64)
        patches[i] = np.median(seen, 0)
        if (seen.max(1) >= WHITE).mean() > EVERY:
            clipped.append(i)
    return patches, clipped


def _step(found: Chart, centre: Floats) -> float:
    """Px from a patch to the next, the shorter way."""
    here, right, down = found.points(centre + np.array(((0, 0), (1, 0), (0, 1))))
    return float(min(np.hypot(*(right - here)), np.hypot(*(down - here))))


probe = Probe(
    name="chart",
    version=1,
    emits=("chart", "chart.corners", "chart.patches", "chart.clipped", *BALANCE, "card.gains"),
    measure=measure,
    about="Whether a ColorChecker is in the picture, with the light of its 24 patches; else whether a grey card is.",
)
