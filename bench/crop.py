"""Crops to named ratios of photos with people: whether heads stay whole, ratios are exact, and who is asked at all.

Each photo with a face is framed anew at random, many times, so that faces stand everywhere. Whether a face was cut is
judged by finding faces again in the crop. Beside it stands the crop of the middle, which needs no faces. How often a
crop is proposed that nobody wished for is counted over the good pictures of recipe `quality`.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.harness import Data, MissingData, Result
from safelight.domain import Asset, Kind, Measure
from safelight.media.frame import Bytes
from safelight.media.image import read
from safelight.media.picture import Picture, shrink
from safelight.operators import Subject, Wishes
from safelight.operators.crop import RATIOS, CropParams, operator
from safelight.probes import faces, layout
from safelight.probes._mesh import networks
from safelight.weights import installed

FRAMINGS = 10  # of each photo
SIDE = 1600  # px
LEAST = 0.6  # of a side that a framing keeps
KEPT, EXACT, ASKED = 0.99, 1.0, 0.1  # bars: faces found again, px, share of photos
ROOM = 0.02, 0.4  # of the height above a head that is neither tight nor empty
SAME = 0.5  # of a face's own size that its place may be off when it is found again

Weights = Mapping[str, Mapping[str, Path]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One crop: whether faces were found again, in ours and in the middle's; its ratio's error; room above heads."""

    source: str
    kept: bool | None  # None: declined
    middle_kept: bool
    off_px: float
    room: float


def run(data: Data) -> Iterable[Result]:
    """Ratios, then how often a photo is asked about."""
    weights = installed()
    if networks(weights) is None:
        raise MissingData("the weights yunet and face_landmarker are not installed: `safelight models fetch` them")
    yield from ratio_results([case for path in _people(data) for case in _cases(path, weights)])
    folder, table = data.table("quality/truth.csv", recipe="quality")
    yield from asked_results([folder / row["file"] for row in table if row["faulty"] == "no"], weights)


def _people(data: Data) -> list[Path]:
    """Photos whose table says that a face is visible, and the clean portraits of recipe `skin`, one for each sitter."""
    folder, table = data.table("photo_tags.csv", recipe="photo_tags.csv of the data")
    found = [folder / row["file"] for row in table if row["face_visible"] == "yes"]
    skin = data.find("skin/truth.csv")
    if skin is not None:
        with skin.open(newline="", encoding="utf-8") as file:
            by_sitter = {row["source"]: skin.parent / row["clean"] for row in csv.DictReader(file)}
        found += [path for source, path in sorted(by_sitter.items()) if (folder / source) not in found]
    return found


def _cases(path: Path, weights: Weights) -> Iterator[Case]:
    rgb = shrink(read(path), SIDE)
    rng = np.random.default_rng(1)
    for _ in range(FRAMINGS):
        framed = _framed(rgb, rng)
        subject = _subject(path.name, framed, weights)
        boxes = _boxes(subject)
        if not boxes:
            continue
        for ratio in RATIOS:
            (suggestion,) = operator.propose([subject], Wishes(ratio=ratio))
            params = suggestion.params
            if params == CropParams():
                continue
            middle = _middle(framed, params.ratio if params else ratio)
            if params is None:
                middle_kept = _again(framed[middle[1] : middle[3], middle[0] : middle[2]], boxes, middle, weights)
                yield Case(
                    source=f"{path.parent.name}/{path.stem}",
                    kept=None,
                    middle_kept=middle_kept,
                    off_px=0.0,
                    room=float("nan"),
                )
                continue
            warp = operator.warp(framed.shape[1], framed.shape[0], params) if operator.warp else None
            assert warp is not None
            assert warp.shift is not None
            (left, top), (width, height) = warp.shift, warp.size
            box = left, top, left + width, top + height
            across, _, down = params.ratio.partition(":")
            wanted = float(across) / float(down)
            yield Case(
                source=f"{path.parent.name}/{path.stem}",
                kept=_again(framed[top : top + height, left : left + width], boxes, box, weights),
                middle_kept=_again(framed[middle[1] : middle[3], middle[0] : middle[2]], boxes, middle, weights),
                off_px=min(abs(width - height * wanted), abs(height - width / wanted)),
                room=(min(b[1] for b in boxes) - top) / height,
            )


def _framed(rgb: Bytes, rng: np.random.Generator) -> Bytes:
    """A random window of at least three fifths of each side."""
    height, width = rgb.shape[:2]
    across, down = (int(side * rng.uniform(LEAST, 1)) for side in (width, height))
    x, y = rng.integers(0, width - across + 1), rng.integers(0, height - down + 1)
    return np.ascontiguousarray(rgb[y : y + down, x : x + across])


def _subject(name: str, rgb: Bytes, weights: Weights) -> Subject:
    picture = Picture(rgb=rgb, weights=weights)
    facts: dict[str, Measure] = {m.name: m for m in (*layout.measure(picture), *faces.measure(picture))}
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=picture.width, height=picture.height)
    return Subject(asset=asset, path=name, facts=facts)


def _boxes(subject: Subject) -> list[tuple[float, float, float, float]]:
    """Faces that are whole in the picture and large enough to matter."""
    listed = subject.facts["faces"].value
    assert isinstance(listed, list)
    width, height = subject.asset.width or 0, subject.asset.height or 0
    found = [tuple(face["box"]) for face in listed]
    largest = max((b[3] - b[1] for b in found), default=0)
    return [b for b in found if b[0] > 0 and b[1] > 0 and b[2] < width and b[3] < height and b[3] - b[1] >= largest / 2]


def _middle(rgb: Bytes, ratio: str) -> tuple[int, int, int, int]:
    """The largest box of a ratio in the middle of the picture."""
    height, width = rgb.shape[:2]
    across, _, down = ratio.partition(":")
    wanted = float(across) / float(down)
    w, h = round(min(width, height * wanted)), round(min(height, width / wanted))
    return (width - w) // 2, (height - h) // 2, (width - w) // 2 + w, (height - h) // 2 + h


def _again(
    rgb: Bytes, boxes: Sequence[tuple[float, float, float, float]], box: tuple[int, int, int, int], weights: Weights
) -> bool:
    """Whether every face lies inside the crop and is found in it."""
    found = faces.look(Picture(rgb=np.ascontiguousarray(rgb), weights=weights))
    for x0, y0, x1, y1 in boxes:
        if x0 < box[0] or y0 < box[1] or x1 > box[2] or y1 > box[3]:
            return False
        middle, size = np.array([(x0 + x1) / 2 - box[0], (y0 + y1) / 2 - box[1]]), max(x1 - x0, y1 - y0)
        places = [np.array([(f.box[0] + f.box[2]) / 2, (f.box[1] + f.box[3]) / 2]) for f in found]
        if not any(float(np.hypot(*(place - middle))) < SAME * size for place in places):
            return False
    return True


def ratio_results(cases: Sequence[Case]) -> Iterator[Result]:
    """Faces, ratios, room above heads."""
    made = [c for c in cases if c.kept is not None]
    photos = len({c.source for c in cases})
    if not made:
        yield Result(name="crop.faces_whole", value=None, n=0, bar=KEPT, want="at least", note="no face was found")
        return
    yield Result(
        name="crop.faces_whole", value=float(np.mean([bool(c.kept) for c in made])), n=len(made), bar=KEPT,
        want="at least", beside={"middle": float(np.mean([c.middle_kept for c in made]))},
        note=f"{photos} photos, {FRAMINGS} framings, {len(RATIOS)} ratios; every face whole and found again",
    )  # fmt: skip
    declined = [c for c in cases if c.kept is None]
    yield Result(
        name="crop.declined", value=len(declined) / len(cases), n=len(cases),
        beside={"middle_would_have_been_whole": float(np.mean([c.middle_kept for c in declined])) if declined else 0.0},
        note="no box of the ratio leaves head and shoulders whole",
    )  # fmt: skip
    yield Result(
        name="crop.ratio.off", value=max(c.off_px for c in made), n=len(made), unit="px", bar=EXACT, want="at most",
        note="the largest",
    )  # fmt: skip
    yield Result(
        name="crop.headroom", value=float(np.mean([ROOM[0] <= c.room <= ROOM[1] for c in made])), n=len(made),
        note="share with 2 to 40 % of the height above the highest face",
    )  # fmt: skip


def asked_results(paths: Sequence[Path], weights: Weights) -> Iterator[Result]:
    """How many good pictures a crop is proposed for that nobody wished for."""
    asked = [bool(operator.propose([_subject(p.name, shrink(read(p), SIDE), weights)], Wishes())) for p in paths]
    yield Result(
        name="crop.asked", value=float(np.mean(asked)), n=len(asked), bar=ASKED, want="at most",
        note="of good pictures, without a wish",
    )  # fmt: skip
