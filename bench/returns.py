"""Files that come back from a retoucher: is the photo found, does the file lie where it should, is a wrong one refused?

Each of some photos is edited by a seeded light and crop, retouched, and comes back in sixteen forms, as a file, under
its own name and under one that says nothing. Under its name come also another photo of the shoot, one that is not of
the shoot, and another frame of the same motif: the pairs of `near_duplicates`, frames of clips two apart, and what
recipe `groups` has made, where it is there. A wrong one may be refused, or be found to be the photo that it is; it must
never be taken for the photo that its name says.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy import stats

from bench._returned import FORMS, Came, retouched
from bench.harness import Data, Result
from safelight import plugins, render
from safelight.channels import encoded
from safelight.domain import Edit
from safelight.errors import SafelightError
from safelight.handoff.recognise import Job, Parent, Recognised, look_at, matrix_of, mirrored, one_picture, recognise
from safelight.media import image, video
from safelight.media.frame import Bytes, Matrix
from safelight.media.picture import shrink
from safelight.operators import Tools

NO_TOOLS = Tools(kept=lambda _: b"", weights={})
MOST = 15  # photos that are drawn, of which …
OUTSIDE = 3  # … so many are not of the shoot
GROUPS = 12  # pairs of frames that are drawn of those that recipe `groups` has made
LONG_SIDE = 1400  # px at which photos are worked on
NEAR_PX = 3.0  # at a long side of 1024: the file lies where it should
APART = 2  # frames of a clip


@dataclass
class Answers:
    """Right and wrong answers by case, each of a photo."""

    right: dict[str, list[tuple[str, bool]]] = field(default_factory=lambda: defaultdict(list))
    lies: list[float] = field(default_factory=list)

    def result(self, name: str, bar: float | None = None) -> Result:
        """The share of right answers with a 90 % interval over photos, exact where all or none are right."""
        answers = self.right[name]
        by_photo: dict[str, list[bool]] = defaultdict(list)
        for photo, right in answers:
            by_photo[photo].append(right)
        low, high = _interval([float(np.mean(of)) for of in by_photo.values()])
        value = float(np.mean([right for _, right in answers]))
        return Result(
            name=f"returns.{name}.right", value=value, n=len(answers), bar=bar, want="at least" if bar else None,
            low=low, high=high,
        )  # fmt: skip


def run(data: Data) -> Iterable[Result]:
    """Photos drawn by a seed, each against all of the others."""
    _, rows = data.table("photo_tags.csv", recipe="photos")
    rng = np.random.default_rng(1)
    drawn = [made for i in rng.permutation(len(rows)) if (made := _parent(data, rows[i]["file"])) is not None][:MOST]
    parents, outside = drawn[:-OUTSIDE], drawn[-OUTSIDE:]
    found = Answers()
    for number, parent in enumerate(parents):
        _forms(found, parent, parents, data.work, rng)
        other, stranger = parents[(number + 1) % len(parents)], outside[number % OUTSIDE]
        for name, shown in (("wrong_photo", other), ("not_of_the_shoot", stranger)):
            said = _asked(look_at(_version(shown)), parent.photo, parents, data.work)
            right = said.laid is None or said.laid.parent.photo == shown.photo
            found.right[name].append((parent.photo, right))
    for name, pairs in (("wrong_frame", _frames(data)), ("made_frame", _groups(data, rng))):
        for one, other in pairs:
            _frame(found, name, one, other, data.work, rng)
    yield from (found.result(name, bar) for name, bar in (("named", 0.98), ("unnamed", 0.95)))
    yield from (found.result(name) for name in FORMS)
    for name in ("wrong_photo", "not_of_the_shoot", "wrong_frame", "made_frame"):
        if found.right[name]:
            yield found.result(name, None if name == "made_frame" else 1.0)
    yield from (found.result(name) for name in ("right_frame", "right_made_frame") if found.right[name])
    near = float((np.array(found.lies) <= NEAR_PX).mean())
    n = len(found.lies)
    yield Result(name="returns.lies.right", value=near, n=n, bar=0.95, want="at least", note="3 px at 1024")
    yield Result(name="returns.lies.median", value=float(np.median(found.lies)), n=n, unit="px at 1024")


def _forms(found: Answers, parent: Parent, parents: Sequence[Parent], work: Path, rng: np.random.Generator) -> None:
    rgb = _version(parent)
    for form, make in FORMS.items():
        came = make(retouched(rgb, rng), rng, work / "back")
        for named in (parent.photo, None):
            right, way = _answer(came, named, parent, parents, work)
            found.right["named" if named else "unnamed"].append((parent.photo, right))
            found.right[form].append((parent.photo, right))
            if way is not None and came.truth is not None:
                size = image.read(came.file).shape
                found.lies.append(_off(way, came.truth, rgb.shape[1::-1], max(size[:2])))


def _answer(
    came: Came, named: str | None, parent: Parent, parents: Sequence[Parent], work: Path
) -> tuple[bool, Matrix | None]:
    """Whether the answer is right, and how the file was said to lie."""
    try:
        one_picture(came.file)
        written = encoded.read(came.file)
    except SafelightError:
        return came.truth is None, None
    small = look_at(written.rgb)
    said = _asked(small, named, parents, work)
    if came.truth is None:
        job = Job(file=came.file, named=named, parents=tuple(parents), state=work)
        return said.laid is None and (named is None or mirrored(job, small)), None
    if said.laid is None or said.laid.parent.photo != parent.photo:
        return False, None
    return True, matrix_of(said.laid, small, (written.width, written.height))


def _asked(small: Bytes, named: str | None, parents: Sequence[Parent], work: Path) -> Recognised:
    return recognise(Job(file=parents[0].original, named=named, parents=tuple(parents), state=work), small)


def _frame(found: Answers, name: str, one: Parent, other: Parent, work: Path, rng: np.random.Generator) -> None:
    """A frame comes back under the name of another frame of its motif, and under its own."""
    form = ("eight_bit", "graded", "resized", "cropped")[int(rng.integers(4))]
    came = FORMS[form](retouched(_version(one), rng), rng, work / "back")
    small = look_at(image.read(came.file))
    said = _asked(small, other.photo, (one, other), work)
    found.right[name].append((one.photo, said.laid is None or said.laid.parent.photo == one.photo))
    said = _asked(small, one.photo, (one, other), work)
    right = said.laid is not None and said.laid.parent.photo == one.photo
    found.right[name.replace("wrong", "right") if "wrong" in name else f"right_{name}"].append((one.photo, right))


# ---------------------------------------------------------------- photos


def _parent(data: Data, name: str) -> Parent | None:
    path = data.find(name) or data.find(f"photos/{name}")
    return None if path is None else _kept(data, name, image.read(path))


def _kept(data: Data, name: str, rgb: Bytes) -> Parent:
    """A photo of the shoot, with a light and a crop of its own."""
    rgb = shrink(rgb, LONG_SIDE)
    place = data.work / f"{name.replace('/', '-')}.png"
    cv2.imwrite(str(place), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    seed = np.random.default_rng(len(name) + int(rgb[0, 0, 0]))
    left, top = (float(v) for v in seed.uniform(0, 0.12, 2))
    edits = (
        _edit("exposure", ev=float(np.round(seed.uniform(-0.5, 0.5), 2))),
        _edit("crop", box=[left, top, left + 0.85, top + 0.85]),
    )
    return Parent(
        photo=name, path=name, shown=place, original=place, width=rgb.shape[1], height=rgb.shape[0], edits=edits,
    )  # fmt: skip


def _edit(name: str, **params: Any) -> Edit:
    return Edit(operator=name, version=plugins.operator(name).version, params=params)


def _version(parent: Parent) -> Bytes:
    return render.render_bytes(image.read(parent.original), parent.edits, NO_TOOLS)


def _frames(data: Data) -> Iterable[tuple[Parent, Parent]]:
    """Real frames of one motif: photos taken one after the other, frames of a clip."""
    folder, rows = data.table("near_duplicates/near_duplicates.csv", recipe="photos")
    for row in rows:
        one, other = (_kept(data, row[key], image.read(folder / row[key])) for key in ("a", "b"))
        yield one, other
        yield other, one
    for table in ("faces/eyes.json", "video/shots.json"):
        place = data.find(table)
        for name in sorted(_clips(place)) if place is not None else ():
            assert place is not None
            shown = list(islice(video.frames(place.parent / name, long_side=LONG_SIDE), APART + 1))
            if len(shown) > APART and np.abs(shown[0].rgb.astype(int) - shown[APART].rgb).mean() > 0.5:
                one, other = (_kept(data, f"{name}-{i}", shown[i].rgb) for i in (0, APART))
                yield one, other


def _clips(table: Path) -> Iterable[str]:
    return [str(name) for name in json.loads(table.read_text("utf-8"))["clips"]]


def _groups(data: Data, rng: np.random.Generator) -> Iterable[tuple[Parent, Parent]]:
    """Frames that a recipe has made of one picture by moving, lighting and spoiling it."""
    place = data.find("groups/truth.csv")
    if place is None:
        return
    folder, rows = data.table("groups/truth.csv", recipe="groups")
    groups = defaultdict(list)
    for row in rows:
        if row["kind"] in ("burst", "near_duplicate"):
            groups[row["group"]].append(row["file"])
    names = sorted(name for name, files in groups.items() if len(files) > 1)
    for i in rng.permutation(len(names))[:GROUPS]:
        one, other = (_kept(data, file, image.read(folder / file)) for file in groups[names[i]][:2])
        yield one, other


# ---------------------------------------------------------------- measures


def _interval(shares: Sequence[float]) -> tuple[float, float]:
    n = len(shares)
    if min(shares) == max(shares) and shares[0] in (0.0, 1.0):
        found = stats.binomtest(n if shares[0] else 0, n).proportion_ci(0.9, method="exact")
        return float(found.low), float(found.high)
    rng = np.random.default_rng(1)
    means = np.asarray(shares)[rng.integers(n, size=(2000, n))].mean(1)
    low, high = np.quantile(means, [0.05, 0.95])
    return float(low), float(high)


def _off(got: Matrix, true: Matrix, size: tuple[int, int], long_side: int) -> float:
    """How far middle and quarters of the version come out from where they are, in px at a long side of 1024."""
    x, y = np.meshgrid(np.array([0.25, 0.5, 0.75]) * size[0], np.array([0.25, 0.5, 0.75]) * size[1])
    points = np.stack((x.ravel(), y.ravel(), np.ones(9)))
    there, here = (m @ points for m in (true, got))
    apart = np.hypot(*(there[:2] / there[2] - here[:2] / here[2]))
    return float(np.median(apart) * 1024 / long_side)
