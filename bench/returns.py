"""Files that come back from a retoucher: is the photo found, does the file lie where it should, is a wrong one refused?

Each of some photos is edited by a seeded light and crop, retouched in one place, and sent back in nine forms under
its own name and under one that says nothing; and another photo is sent under its name.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Data, Result
from safelight import plugins, render
from safelight.domain import Edit
from safelight.handoff.recognise import SIDE, Job, Parent, matrix_of, recognise
from safelight.media import image, write
from safelight.media.frame import Bytes, Matrix, scaling
from safelight.media.picture import shrink
from safelight.operators import Tools

NO_TOOLS = Tools(kept=lambda _: b"", weights={})
MOST = 12  # photos that are drawn
LONG_SIDE = 2400  # px at which photos are worked on
NEAR_PX = 3.0  # at a long side of 1024: the file lies where it should


def run(data: Data) -> Iterable[Result]:
    """Photos drawn by a seed, each against all of the others."""
    _, rows = data.table("photo_tags.csv", recipe="photos")
    rng = np.random.default_rng(1)
    drawn = rng.permutation(len(rows))[:MOST]
    parents = [made for i in drawn if (made := _parent(data, rows[i]["file"])) is not None]
    found: dict[str, list[bool]] = {}
    lies: dict[str, list[float]] = {}
    for number, parent in enumerate(parents):
        rgb = _version(parent)
        for form, change in FORMS.items():
            back, matrix = change(_retouched(rgb, rng), rng)
            small = shrink(back, SIDE)
            for named in (parent.photo, None):
                job = Job(file=parent.original, named=named, parents=tuple(parents), state=data.work)
                laid, _ = recognise(job, small)
                right = laid is not None and laid.parent.photo == parent.photo
                found.setdefault("named" if named else "unnamed", []).append(right)
                found.setdefault(form, []).append(right)
                if right and laid is not None and named:
                    got = matrix_of(laid, small, (back.shape[1], back.shape[0]))
                    lies.setdefault(form, []).append(_off(got, matrix, rgb.shape[1::-1], back))
        other = parents[(number + 1) % len(parents)]
        job = Job(file=parent.original, named=parent.photo, parents=tuple(parents), state=data.work)
        laid, _ = recognise(job, shrink(_version(other), SIDE))
        found.setdefault("wrong", []).append(laid is None or laid.parent.photo == other.photo)
    for name, answers in found.items():
        bar = {"named": 0.98, "unnamed": 0.95, "wrong": 0.98}.get(name)
        want = "at least" if bar else None
        yield Result(name=f"returns.{name}.right", value=float(np.mean(answers)), n=len(answers), bar=bar, want=want)
    off = [value for values in lies.values() for value in values]
    near = float((np.array(off) <= NEAR_PX).mean())
    yield Result(name="returns.lies.right", value=near, n=len(off), bar=0.95, want="at least", note="3 px at 1024")
    yield Result(name="returns.lies.median", value=float(np.median(off)), n=len(off), unit="px at 1024")


def _parent(data: Data, name: str) -> Parent | None:
    path = data.find(name) or data.find(f"photos/{name}")
    if path is None:
        return None
    rgb = shrink(image.read(path), LONG_SIDE)
    place = data.work / f"{Path(name).stem}.png"
    cv2.imwrite(str(place), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    seed = np.random.default_rng(len(name) + int(rgb[0, 0, 0]))
    left, top = (float(v) for v in seed.uniform(0, 0.12, 2))
    edits = (
        _edit("exposure", ev=float(np.round(seed.uniform(-0.5, 0.5), 2))),
        _edit("crop", box=[left, top, left + 0.85, top + 0.85]),
    )
    return Parent(
        photo=name, path=name, shown=place, original=place, width=rgb.shape[1], height=rgb.shape[0], edits=edits
    )


def _edit(name: str, **params: object) -> Edit:
    return Edit(operator=name, version=plugins.operator(name).version, params=params)  # type: ignore[arg-type]


def _version(parent: Parent) -> Bytes:
    return render.render_bytes(image.read(parent.original), parent.edits, NO_TOOLS)


def _retouched(rgb: Bytes, rng: np.random.Generator) -> Bytes:
    """Some spots painted over, and a local brightening."""
    out = rgb.copy()
    height, width = rgb.shape[:2]
    for _ in range(6):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(out, (x, y), int(0.008 * width), [int(v) for v in out[y, x]], -1)
    light = np.zeros((height, width), np.float32)
    cv2.circle(light, (width // 2, height // 2), width // 6, 1.0, -1)
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), width / 25), np.float32)
    return np.asarray(np.clip(out * (1 + 0.12 * light[..., None]), 0, 255), np.uint8)


# ---------------------------------------------------------------- forms in which a file comes back

Form = Callable[[Bytes, np.random.Generator], tuple[Bytes, Matrix]]


def _same(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:  # noqa: ARG001
    return rgb, np.eye(3)


def _jpeg(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:  # noqa: ARG001
    return image.decode_jpeg(write.encode_jpeg(rgb, quality=80, subsampling="420"), Path("back.jpg")), np.eye(3)


def _resized(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    share = float(rng.uniform(0.35, 0.8))
    small = cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scaling(small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0])


def _cropped(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    height, width = rgb.shape[:2]
    x, y = int(rng.uniform(0, 0.25) * width), int(rng.uniform(0, 0.25) * height)
    matrix = np.array([[1.0, 0, -x], [0, 1, -y], [0, 0, 1]])
    return rgb[y : y + int(0.7 * height), x : x + int(0.7 * width)], matrix


def _turned(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    height, width = rgb.shape[:2]
    if rng.random() < 0.5:
        return np.ascontiguousarray(cv2.rotate(rgb, cv2.ROTATE_180)), np.array(
            [[-1.0, 0, width - 1], [0, -1, height - 1], [0, 0, 1]]
        )
    return np.ascontiguousarray(cv2.rotate(rgb, cv2.ROTATE_90_CLOCKWISE)), np.array(
        [[0, -1.0, height - 1], [1, 0, 0], [0, 0, 1]]
    )


def _straightened(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    height, width = rgb.shape[:2]
    angle = float(rng.uniform(1, 4) * rng.choice([-1, 1]))
    matrix = np.vstack((cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.12), [0, 0, 1]))
    return np.asarray(cv2.warpPerspective(rgb, matrix, (width, height)), np.uint8), matrix


def _graded(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    curve = np.clip(255 * (np.arange(256) / 255) ** float(rng.uniform(0.7, 1.4)), 0, 255)
    table = np.stack([np.clip(curve * gain, 0, 255) for gain in rng.uniform(0.88, 1.12, 3)], -1).astype(np.uint8)
    return np.asarray(cv2.LUT(rgb, table[:, None]), np.uint8), np.eye(3)


def _grey(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:  # noqa: ARG001
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2), np.eye(3)


def _cropped_and_small(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    part, first = _cropped(rgb, rng)
    small, then = _resized(part, rng)
    return small, then @ first


FORMS: dict[str, Form] = {
    "same": _same, "jpeg": _jpeg, "resized": _resized, "cropped": _cropped, "turned": _turned, "straightened":
    _straightened, "graded": _graded, "grey": _grey, "cropped_and_small": _cropped_and_small,
}  # fmt: skip


def _off(got: Matrix, true: Matrix, size: tuple[int, int], back: NDArray[np.uint8]) -> float:
    """How far middle and quarters of the version come out from where they are, in px at a long side of 1024."""
    x, y = np.meshgrid(np.array([0.25, 0.5, 0.75]) * size[0], np.array([0.25, 0.5, 0.75]) * size[1])
    points = np.stack((x.ravel(), y.ravel(), np.ones(9)))
    there, here = (m @ points for m in (true, got))
    apart = np.hypot(*(there[:2] / there[2] - here[:2] / here[2]))
    return float(np.median(apart) * 1024 / max(back.shape[:2]))
