"""The part of bench `lens` that looks at pictures: a real pair, chessboards, photographs bent by known lenses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Data, MissingData, Result, quantile_interval
from safelight.domain import Asset, Capture, Kind, Measure
from safelight.media import bends, capture, image, warp
from safelight.media.chains import chains
from safelight.media.frame import Bytes
from safelight.media.picture import Picture, grey, shrink
from safelight.operators import Subject, Suggestion, Wishes, lens
from safelight.probes import lens as probe

Floats = NDArray[np.float64]

LONG = 0.25  # half diagonals: edges of a real building that are looked at
BOARD = (9, 6)  # inner corners
STRAIGHT = 0.001  # of the diagonal: bar of the issue
FALSE, TWICE = 0.05, 0.0  # bars: photos not bent that get a guess; corrected photos that are corrected again
KNOWN = (  # a lens that bends much, one that bends little, a wave, and a long one that bends the other way
    Capture(camera="Canon EOS 5D Mark III", lens="EF24-105mm f/4L IS USM", focal_mm=24.0, f_number=8.0),
    Capture(camera="NIKON D750", lens="AF-S NIKKOR 24-120mm f/4G ED VR", focal_mm=24.0, f_number=8.0),
    Capture(camera="Sony ILCE-7M3", lens="FE 16-35mm F2.8 GM", focal_mm=16.0, f_number=8.0),
    Capture(camera="NIKON D750", lens="AF-S NIKKOR 24-120mm f/4G ED VR", focal_mm=120.0, f_number=8.0),
)
BENDS = (-0.09, -0.06, -0.03, 0.03, 0.06)  # r³ of a half diagonal by which photographs of no known lens are bent


def suggest(picture: Picture) -> tuple[Suggestion[lens.LensParams], dict[str, Measure]]:
    """What is proposed for a picture alone, and the evidence."""
    facts = {m.name: m for m in probe.judge(picture)}
    asset = Asset(id="x", content=None, kind=Kind.PHOTO, format="jpeg", width=picture.width, height=picture.height,
                  capture=picture.capture)  # fmt: skip
    (found,) = lens.operator.propose([Subject(asset=asset, path="", facts=facts)], Wishes())
    return found, facts


def corrected(rgb: Bytes, params: lens.LensParams) -> Bytes:
    """The picture as delivered with this edit alone."""
    return warp.resample(rgb, lens.placement(rgb.shape[1], rgb.shape[0], params))


# ---------------------------------------------------------------- the real pair and chessboards


def pair(data: Data) -> Iterator[Result]:
    """A real building, and chessboards whose lens nobody names."""
    folder = data.find("pairs/lens")
    if folder is None:
        raise MissingData("there is no folder `pairs/lens` with real pictures of bent lines")
    path, after = folder / "building_distorted.jpg", folder / "building_corrected.jpg"
    rgb = image.read(path)
    found, _ = suggest(Picture(rgb=rgb, capture=capture.facts(path), source=path))
    ours = corrected(rgb, found.params or lens.LensParams())
    twice, _ = suggest(Picture(rgb=image.read(after), capture=capture.facts(after), source=after))
    figures = [_long_bends(picture) for picture in (rgb, ours, image.read(after))]
    yield Result(
        name="lens.pair.bend.q90", value=figures[1][1], unit="diagonals", n=1, bar=STRAIGHT, want="at most",
        beside={"before": figures[0][1], "photographers_own": figures[2][1]}, note="edges longer than an eighth",
    )  # fmt: skip
    yield Result(
        name="lens.pair.bend.median", value=figures[1][0], unit="diagonals", n=1,
        beside={"before": figures[0][0], "photographers_own": figures[2][0]},
    )  # fmt: skip
    yield Result(
        name="lens.pair.corrected_again", value=float(twice.params not in (None, lens.LensParams())), n=1, bar=0.0,
        want="at most", note="the photographer's own correction, by what its file says",
    )  # fmt: skip
    yield from _boards(sorted((folder / "chessboard").glob("*.jpg")))


def _long_bends(rgb: Bytes) -> tuple[float, float]:
    """Median and 0.9 quantile of how far long edges are bent, as shares of the diagonal."""
    seen = chains(grey(shrink(rgb, probe.SIDE_TO_TELL)))
    bend = np.abs(seen.bend[seen.length > LONG]) / 2
    return float(np.median(bend)), float(np.quantile(bend, 0.9))


def _boards(paths: Sequence[Path]) -> Iterator[Result]:
    """How far rows and columns of chessboards are from lines: as they are, by our guess, by calibration on all."""
    views = [(rgb, corners) for path in paths if (corners := _corners(rgb := image.read(path))) is not None]
    if len(views) < 3:
        return
    size = views[0][0].shape[1], views[0][0].shape[0]
    ideal = _calibrated([corners for _, corners in views], size)
    rows, told = [], 0
    for (rgb, corners), best in zip(views, ideal, strict=True):
        found, _ = suggest(Picture(rgb=rgb))
        told += found.params is not None
        x, y = lens.placement(*size, found.params or lens.LensParams()).inverse(corners[:, 0], corners[:, 1])
        rows.append([_crooked(points) / np.hypot(*size) for points in (corners, np.stack([x, y], 1), best)])
    before, ours, calibrated = np.median(np.array(rows), axis=0)
    yield Result(
        name="lens.boards.crooked", value=float(ours), unit="diagonals", n=len(rows),
        beside={"before": float(before), "calibrated_on_all": float(calibrated)},
        note=f"{told} of {len(rows)} single pictures get a guess; RMS of corners about their rows and columns",
    )  # fmt: skip


def _corners(rgb: Bytes) -> Floats | None:
    there, corners = cv2.findChessboardCorners(grey(rgb), BOARD)
    if not there:
        return None
    sharp = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.01)
    return np.asarray(cv2.cornerSubPix(grey(rgb), corners, (5, 5), (-1, -1), sharp), np.float64).reshape(-1, 2)


def _calibrated(views: Sequence[Floats], size: tuple[int, int]) -> list[Floats]:
    board = np.zeros((BOARD[0] * BOARD[1], 3), np.float32)
    board[:, :2] = np.mgrid[: BOARD[0], : BOARD[1]].T.reshape(-1, 2)
    points = [view.astype(np.float32)[:, None] for view in views]
    _, matrix, terms, _, _ = cv2.calibrateCamera([board] * len(views), points, size, None, None)
    return [np.asarray(cv2.undistortPoints(p, matrix, terms, P=matrix), np.float64).reshape(-1, 2) for p in points]


def _crooked(points: Floats) -> float:
    """Root mean square distance of a board's corners from the best line through each row and column, px."""
    grid = points.reshape(BOARD[1], BOARD[0], 2)
    lines = [*grid, *np.swapaxes(grid, 0, 1)]
    left = [np.linalg.svd(line - line.mean(axis=0), compute_uv=False)[1] ** 2 / len(line) for line in lines]
    return float(np.sqrt(np.mean(left)))


# ---------------------------------------------------------------- photographs


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One photograph bent by a known amount (0: not at all), and what was proposed."""

    source: str
    bend: float
    proposed: bool
    left: float  # of the diagonal, after what was proposed


def lines(data: Data) -> Iterator[Result]:
    """Lenses that are not told, and lenses that are while nothing says whether they were corrected."""
    folder, table = data.table("photo_tags.csv", recipe="photo_tags.csv of the photographs")
    photos = {row["file"]: shrink(image.read(folder / row["file"]), 1600) for row in table}
    guesses = [_guessed(name, rgb, k) for name, rgb in photos.items() for k in (0.0, *BENDS)]
    straight, bent = [g for g in guesses if not g.bend], [g for g in guesses if g.bend]
    yield Result(
        name="lens.lines.false", value=float(np.mean([g.proposed for g in straight])), n=len(straight), bar=FALSE,
        want="at most", note="photographs as they are that get a guess; their own lenses are not known to be straight",
    )  # fmt: skip
    yield Result(
        name="lens.lines.coverage", value=float(np.mean([g.proposed for g in bent])), n=len(bent),
        note="share of bent photographs that get a guess; most have no long edges",
    )  # fmt: skip
    told = [g for g in bent if g.proposed]
    if told:
        share = np.array([g.left / g.bend for g in told])
        low, high = quantile_interval(share, [g.source for g in told])
        yield Result(
            name="lens.lines.left.median", value=float(np.median(share)), n=len(told), bar=0.5, want="at most", low=low,
            high=high, note="share of the bend that a guess leaves",
        )  # fmt: skip
        yield Result(
            name="lens.lines.made_worse", value=float(np.mean(share > 1)), n=len(told), bar=0.02, want="at most",
            note="guesses that leave lines more bent",
        )  # fmt: skip
    yield from _twice(photos)


def _guessed(name: str, rgb: Bytes, k: float) -> Tried:
    there = (1.0, 0.0, k)
    found, _ = suggest(Picture(rgb=seen_through(rgb, there) if k else rgb))
    aspect = rgb.shape[1] / rgb.shape[0]
    made = found.params.distortion if found.params is not None else lens.NONE
    return Tried(source=name, bend=bends.bend(there, aspect), proposed=found.params is not None,
                 left=_left(there, made, aspect))  # fmt: skip


def _left(there: Sequence[float], made: Sequence[float], aspect: float) -> float:
    """How far lines are bent, as a share of the diagonal, that were bent by one and straightened by the other."""
    half = np.array([aspect, 1.0]) / np.hypot(aspect, 1.0)
    run, worst = np.linspace(-1, 1, 33), 0.0
    for along, across in ((0, 1), (1, 0)):
        for share in np.linspace(0, 0.9, 7):
            line = np.zeros((len(run), 2))
            line[:, along], line[:, across] = run * half[along] * 0.9, share * half[across]
            taken = line * bends.at(made, np.hypot(*line.T))[:, None]
            seen = taken + bends.undoing(there)(taken)
            chord = seen[0] + (seen[-1] - seen[0]) * (run[:, None] + 1) / 2
            worst = max(worst, float(np.hypot(*(seen - chord).T).max()))
    return worst / 2


def seen_through(rgb: Bytes, polynomial: Sequence[float]) -> Bytes:
    """The picture as a lens draws it whose correction is this polynomial; what it cannot show is mirrored."""
    height, width = rgb.shape[:2]
    unit = np.hypot(width, height) / 2
    y, x = np.mgrid[:height, :width].astype(np.float64)
    places = np.stack([(x - (width - 1) / 2).ravel(), (y - (height - 1) / 2).ravel()], axis=1) / unit
    ideal = ((places + bends.undoing(polynomial)(places)) * unit).astype(np.float32).reshape(height, width, 2)
    return np.asarray(
        cv2.remap(rgb, ideal[..., 0] + np.float32((width - 1) / 2), ideal[..., 1] + np.float32((height - 1) / 2),
                  cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101), np.uint8,
    )  # fmt: skip


def _twice(photos: dict[str, Bytes]) -> Iterator[Result]:
    """Photographs of a 3:2 shape with a known lens in their facts, as corrected and as drawn by it."""
    again, left, silent, total = 0, 0, 0, 0
    for rgb in (_shaped(rgb) for rgb in photos.values()):
        for facts in KNOWN:
            first, evidence = suggest(Picture(rgb=rgb, capture=facts))
            profile = evidence["lens.profile"].value
            assert isinstance(profile, dict)
            drawn, _ = suggest(Picture(rgb=seen_through(rgb, profile["distortion"]), capture=facts))
            total += 1
            again += first.params not in (None, lens.LensParams())
            left += drawn.params == lens.LensParams()
            silent += drawn.params is None
    yield Result(
        name="lens.twice.corrected_again", value=again / total, n=total, bar=TWICE, want="at most",
        beside={"whenever_the_lens_is_known": 1.0}, note="photographs that need nothing, judged by their lines alone",
    )  # fmt: skip
    yield Result(
        name="lens.twice.taken_for_corrected", value=left / total, n=total,
        note="photographs as the lens drew them that are taken for corrected",
    )  # fmt: skip
    yield Result(
        name="lens.twice.coverage", value=1 - (left + silent) / total, n=total,
        note="photographs as the lens drew them for which the correction is proposed",
    )  # fmt: skip


def _shaped(rgb: Bytes) -> Bytes:
    """The middle of a photograph at 3:2 or 2:3."""
    height, width = rgb.shape[:2]
    aspect = 1.5 if width >= height else 2 / 3
    w, h = min(width, round(height * aspect)), min(height, round(width / aspect))
    return np.ascontiguousarray(rgb[(height - h) // 2 : (height - h) // 2 + h, (width - w) // 2 : (width - w) // 2 + w])
