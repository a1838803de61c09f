"""Corrections of lenses against known ones: bent lines, coloured edges and dark corners; unknown lenses; done twice.

`card`: the operators' proposals for raws of recipe `card`, against the lens that the recipe drew through, over the
whole frame. The recipe's numbers are lensfun's, so this measures that the right entry is found and rightly applied, and
not how well lensfun measured the lens; `lens.pair` does that, on a real photograph. `lens.lines`: photographs bent by a
known amount, whose lens is not told. `lens.twice`: the same photographs with a known lens in their facts, bent by it or
not, where no file says which. Shares are of photos; a corrected photo that is corrected again is the mistake to avoid.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import _lens_peers as peers
from bench import _lens_pictures as pictures
from bench.harness import Data, Result
from safelight import work
from safelight.domain import Asset, Capture, Kind, Measure
from safelight.media.frame import Frame, scaling
from safelight.media.picture import Picture
from safelight.media.warp import Warp
from safelight.operators import Subject, Wishes, lens, vignetting
from safelight.probes import lens as probe

Floats = NDArray[np.float64]

RESIDUAL = 0.001  # of the diagonal: bar of the issue for bent lines
HALVED = 0.5  # bar for fringes and corners
EACH = 8  # raws of each lens that are looked at
GRID = 41  # places a side at which geometry is compared
STEP = 16  # px between those at which light is


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """One raw: the farthest that a point is off in shares of the diagonal, before and after; fringes in px; EV."""

    model: str
    source: str
    bent: tuple[float, float]
    fringes: tuple[float, float]
    corners: tuple[float, float]
    said_unknown: bool
    edits: tuple[lens.LensParams, vignetting.VignettingParams]


def run(data: Data) -> Iterable[Result]:
    """The card, its delivered raws, the real pair and chessboards, then photographs that are bent here."""
    yield from card(data)
    yield from pictures.pair(data)
    yield from pictures.lines(data)


# ---------------------------------------------------------------- card


def card(data: Data) -> Iterator[Result]:
    """Raws of known lenses."""
    folder, table = data.table("card/truth.json", recipe="card")
    rows = _some(table)
    done = [_corrected(folder, row) for row in rows]
    found = [d for d in done if d is not None]
    sharp = {
        row["lens"]["model"]: (row, *d.edits) for row, d in zip(rows, done, strict=True) if d and not row["faults"]
    }
    yield Result(
        name="lens.card.found", value=len(found) / len(rows), n=len(rows), bar=1.0, want="at least",
        note="share of raws whose lens is known and for which a correction is proposed",
    )  # fmt: skip
    yield _worst("lens.card.bent", [d.bent for d in found], [d.source for d in found], bar=RESIDUAL)
    for model in sorted({d.model for d in found}):
        some = [d for d in found if d.model == model]
        name = "".join(c if c.isalnum() else "_" for c in model).strip("_")
        yield _worst(f"lens.card.bent.{name}", [d.bent for d in some], [d.source for d in some])
    for what, unit in (("fringes", "px"), ("corners", "EV")):
        before, after = np.array([getattr(d, what) for d in found]).T
        yield Result(
            name=f"lens.card.{what}.left", value=float(np.max(after / before)), n=len(found), bar=HALVED,
            want="at most", beside={f"before_{unit}": float(before.max()), f"after_{unit}": float(after.max())},
            note="the largest share that is left of what a raw had",
        )  # fmt: skip
    yield Result(
        name="lens.unknown.said", value=float(np.mean([d.said_unknown for d in found])), n=len(found), bar=1.0,
        want="at least", note="the same raws with a lens, a camera or a focal length that nobody knows",
    )  # fmt: skip
    yield from peers.delivered(data, folder, list(sharp.values()))


def _some(table: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Evenly spread raws of each lens."""
    by_lens: dict[str, list[Mapping[str, Any]]] = {}
    for row in table:
        by_lens.setdefault(row["lens"]["model"], []).append(row)
    return [rows[i] for rows in by_lens.values() for i in np.unique(np.linspace(0, len(rows) - 1, EACH).astype(int))]


def _worst(
    name: str, pairs: Sequence[tuple[float, float]], sources: Sequence[str], *, bar: float | None = None
) -> Result:
    before, after = np.array(pairs).T
    return Result(
        name=name, value=float(after.max()), n=len(after), unit="diagonals", bar=bar,
        want=None if bar is None else "at most", beside={"before": float(before.max())},
        note=f"{len(set(sources))} photos; the farthest point of the worst raw, but for the enlargement",
    )  # fmt: skip


def _corrected(folder: Path, row: Mapping[str, Any]) -> Corrected | None:
    path = folder / row["file"]
    asset = work.identify(work.Identify(path=row["file"], full=path)).asset
    assert asset is not None
    rgb, is_preview = work.decode(path)
    picture = Picture(rgb=rgb, capture=asset.capture, is_preview=is_preview, source=path)
    facts = {m.name: m for m in probe.judge(picture)}
    bend, light = _proposed(asset, facts)
    if bend is None or light is None:
        return None
    truth, size = row["lens"], (row["sensor"]["width"], row["sensor"]["height"])
    if row["orientation"] in (6, 8):
        size = size[1], size[0]
    nothing = lens.placement(*size, lens.LensParams())
    return Corrected(
        model=truth["model"], source=row["source"],
        bent=(_off(truth, nothing), _off(truth, lens.placement(*size, bend))),
        fringes=(_fringes(truth, nothing), _fringes(truth, lens.placement(*size, bend))),
        corners=(_corners(truth, size, vignetting.VignettingParams()), _corners(truth, size, light)),
        edits=(bend, light),
        said_unknown=all(_unknown(replace(picture, capture=capture)) for capture in _strangers(asset.capture)),
    )  # fmt: skip


def _proposed(
    asset: Asset, facts: Mapping[str, Measure]
) -> tuple[lens.LensParams | None, vignetting.VignettingParams | None]:
    subject = Subject(asset=asset, path="", facts=facts)
    (bend,), (light,) = lens.operator.propose([subject], Wishes()), vignetting.operator.propose([subject], Wishes())
    return bend.params, light.params


def _strangers(capture: Capture) -> tuple[Capture, ...]:
    """The facts of lenses that are in no database, or that the file does not name."""
    return (
        replace(capture, lens=f"{capture.lens} III"), replace(capture, lens="Helios-44M 58mm f/2"),
        replace(capture, lens=None), replace(capture, camera="Made One"), replace(capture, focal_mm=None),
    )  # fmt: skip


def _unknown(picture: Picture) -> bool:
    """Whether it is said that the lens is unknown, and nothing but a guess by lines is proposed."""
    facts = {m.name: m for m in probe.judge(picture)}
    asset = Asset(id="x", content=None, kind=Kind.PHOTO, format="dng", width=picture.width, height=picture.height,
                  capture=picture.capture)  # fmt: skip
    bend, light = _proposed(asset, facts)
    told = facts["lens.profile"].cannot_tell or ""
    return told.startswith("lens unknown: ") and light is None and (bend is None or bend.profile == "by its lines")


# ---------------------------------------------------------------- the recipe's lens


def _ideal(
    truth: Mapping[str, Any], x: Floats, y: Floats, size: tuple[int, int], channel: int
) -> tuple[Floats, Floats]:
    """Where pixels of the sensor look in the scene, px from the middle: the recipe's own formula."""
    x, y = x - (size[0] - 1) / 2, y - (size[1] - 1) / 2
    radius = np.hypot(x, y) / ((min(size) - 1) / 2)
    ideal = np.linspace(0, 2.4, 8192)
    a, b, c = truth["ptlens"]
    bent = ideal * (a * ideal**3 + b * ideal**2 + c * ideal + 1 - a - b - c)
    v, cubic = {0: truth["tca_red"], 1: (1.0, 0.0), 2: truth["tca_blue"]}[channel]
    ratio = np.interp(radius, bent * (cubic * bent**2 + v), ideal) / np.maximum(radius, 1e-6)
    return x * ratio, y * ratio


def _places(size: tuple[int, int]) -> tuple[Floats, Floats]:
    x, y = np.meshgrid(np.linspace(0, size[0] - 1, GRID), np.linspace(0, size[1] - 1, GRID))
    return x, y


def _off(truth: Mapping[str, Any], warp: Warp) -> float:
    """The farthest that the scene in the result is from a plainly enlarged one, as a share of the diagonal."""
    x, y = _places(warp.size)
    seen_x, seen_y = _ideal(truth, *warp.back(x, y), warp.size, 1)
    x, y = x - (warp.size[0] - 1) / 2, y - (warp.size[1] - 1) / 2
    scale = float((seen_x * x + seen_y * y).sum() / (x * x + y * y).sum())
    return float(np.hypot(seen_x - scale * x, seen_y - scale * y).max() / np.hypot(*warp.size))


def _fringes(truth: Mapping[str, Any], warp: Warp) -> float:
    """The farthest in px that red or blue of a point lies beside its green in the result."""
    x, y = _places(warp.size)
    red, green, blue = (_ideal(truth, *warp.back(x, y, channel), warp.size, channel) for channel in range(3))
    return max(float(np.hypot(c[0] - green[0], c[1] - green[1]).max()) for c in (red, blue))


def _corners(truth: Mapping[str, Any], size: tuple[int, int], params: vignetting.VignettingParams) -> float:
    """How many stops the corners are from the middle in the result."""
    k1, k2, k3 = truth["vignetting_pa"]
    width, height = (side // STEP for side in size)
    small = Frame(pixels=np.ones((height, width, 3), np.float32), geometry=scaling(width / size[0], height / size[1]))
    x, y = np.meshgrid((np.arange(width) + 0.5) * size[0] / width, (np.arange(height) + 0.5) * size[1] / height)
    r2 = ((x - size[0] / 2) ** 2 + (y - size[1] / 2) ** 2) / ((size[0] - 1) ** 2 + (size[1] - 1) ** 2) * 4
    light = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) * (vignetting.over(small, params) if params.k1 else 1.0)
    return float(np.abs(np.log2(light)).max())
