"""Red eyes painted over real portraits: how many are found, what is left of them, and what is found where nothing is.

No real red eye was at hand. Pupils are painted where the iris is, a little off, in reds as a flash brings them back
(crimson to orange, dull to bright, the catch-light kept), softened and saved as JPEG with halved colour. They stand on
the clean faces of recipe `skin`, in four skins, so that each has its figure; sitters are few, and the thresholds were
set while looking at two of them. Negatives are the same faces unpainted, the same in very warm light, talking heads,
and photos in which a face is seen. Beside stands the rule of tutorials: red above 150 and above green and blue
together, in the same iris, for as large a share of it.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bench.eyes import EVERY, clips, stills
from bench.harness import Data, MissingData, Result
from safelight import specimens
from safelight.domain import Asset, Kind, Measure
from safelight.media.colour import delta_e, encode, linear_of_srgb, srgb8
from safelight.media.frame import Bytes, Frame
from safelight.media.image import read
from safelight.media.picture import TO_LINEAR, Picture
from safelight.operators import Subject, Wishes
from safelight.operators.red_eye import ACT, STILL_RED, RedEyeParams, operator
from safelight.probes import faces, red_eye
from safelight.probes._mesh import find, mesh_of, networks
from safelight.weights import installed

TIMES = 5  # each face is painted so often, each time with other eyes
FOUND, FALSE, RESIDUAL, KEPT = 0.9, 0.01, 0.05, 1.0  # bars
UNSEEN = "painted eyes; real red eyes: not measured"

Weights = Mapping[str, Mapping[str, Path]]


@dataclass(frozen=True, kw_only=True)
class Iris:
    """Where an iris is, native px, as the mesh sees it."""

    x: float
    y: float
    radius: float
    rim: tuple[tuple[float, float], ...]  # of the lids about it


@dataclass(frozen=True, kw_only=True)
class Painted:
    """A painted eye, and what became of it."""

    bucket: str
    found: bool
    rule: bool
    left: float | None  # share of the painted pupil that is still red after the correction
    ring: float | None  # ΔE00 that the correction made in the iris around it


def run(data: Data) -> Iterable[Result]:
    """Figures over all skins and for each; false finds."""
    weights = installed()
    if networks(weights) is None:
        raise MissingData("the weights yunet and face_landmarker are not installed: `safelight models fetch` them")
    folder, table = data.table("skin/truth.csv", recipe="skin")
    rows = [row for row in table if row["kind"] == "clean"]
    eyes = [eye for row in rows for eye in _painted_face(folder / row["file"], row["bucket"], weights)]
    yield from _figures("red_eye", eyes, bars=True)
    for bucket in sorted({eye.bucket for eye in eyes}):
        yield from _figures(f"red_eye.{bucket}", [eye for eye in eyes if eye.bucket == bucket])
    yield from _false_finds(data, [folder / row["file"] for row in rows], weights)


# ---------------------------------------------------------------- painted eyes


def irises(picture: Picture, weights: Weights) -> list[Iris]:
    """Irises of the open eyes of a picture that are large enough to be judged."""
    nets = networks(weights)
    if nets is None:
        return []
    found = []
    for face in find(picture, nets):
        mesh = mesh_of(picture, face, nets)
        for (centre, *rim), lids in zip(red_eye.IRISES, red_eye.LIDS, strict=True):
            radius = float(np.mean([np.linalg.norm(mesh.points[i] - mesh.points[centre]) for i in rim]))
            if radius >= red_eye.SMALLEST:
                x, y = mesh.points[centre]
                edge = tuple((float(u), float(v)) for u, v in mesh.points[list(lids)])
                found.append(Iris(x=float(x), y=float(y), radius=radius, rim=edge))
    return found


def paint(rgb: Bytes, iris: Iris, rng: np.random.Generator) -> tuple[Bytes, Iris]:
    """The picture with one red pupil in this iris, and where the pupil is."""
    radius = iris.radius * rng.uniform(0.45, 0.8)
    x, y = (v + iris.radius * rng.uniform(-0.12, 0.12) for v in (iris.x, iris.y))
    red = rng.uniform(110, 235)
    colour = np.array((red, red * rng.uniform(0.12, 0.4), red * rng.uniform(0.12, 0.35)))
    rows, columns = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    away = np.hypot(columns - x, rows - y) / radius
    share = np.clip((1.1 - away) / 0.25, 0, 1)
    share *= rgb.mean(axis=2) < 150  # the catch-light lies on top
    share *= _between(rgb, iris)
    shade = 0.75 + 0.35 * np.clip(1 - away, 0, 1) + rng.normal(0, 0.04, away.shape)
    out = rgb + share[..., None] * (colour * shade[..., None] - rgb)
    return np.asarray(np.clip(np.rint(out), 0, 255), np.uint8), replace(iris, x=x, y=y, radius=radius)


def _between(rgb: Bytes, iris: Iris) -> NDArray[np.float32]:
    """1 between the lids, softly 0 beyond."""
    mask = np.zeros(rgb.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.rint(np.array(iris.rim)).astype(np.int32)], 1.0)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.06 * iris.radius + 0.3), np.float32)


def _painted_face(path: Path, bucket: str, weights: Weights) -> Iterator[Painted]:
    clean = read(path)
    places = irises(Picture(rgb=clean), weights)
    for time in range(TIMES):
        rng = np.random.default_rng((time, zlib.crc32(f"{path.parent.name}/{path.name}".encode())))
        rgb, pupils = clean, []
        for iris in places:
            rgb, pupil = paint(rgb, iris, rng)
            pupils.append(pupil)
        saved = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality=90, colorsubsampling="420")
        yield from _judged(simplejpeg.decode_jpeg(saved), places, pupils, bucket, weights)


def _judged(
    rgb: Bytes, places: Sequence[Iris], pupils: Sequence[Iris], bucket: str, weights: Weights
) -> Iterator[Painted]:
    params = proposed(rgb, weights)
    after = rgb
    if params is not None:
        after = srgb8(operator.render(Frame(pixels=linear_of_srgb(rgb)), params, specimens.suite_tools()).pixels)
    for iris, pupil in zip(places, pupils, strict=True):
        hits = () if params is None else params.pupils
        found = any(np.hypot(hit.x - pupil.x, hit.y - pupil.y) < 0.6 * iris.radius for hit in hits)
        open_ = _between(rgb, iris) > 0.5
        inside, ring = (
            open_ & _disc(rgb, pupil, 0.0, 1.0),
            open_ & _disc(rgb, iris, 1.15 * pupil.radius / iris.radius + 0.12, 1.1),
        )
        still = red_eye.redness(TO_LINEAR[after[inside]]) > STILL_RED
        yield Painted(
            bucket=bucket,
            found=found,
            rule=_rule(rgb, iris),
            left=float(still.mean()) if found and still.size else None,
            ring=float(delta_e(rgb[ring][None], after[ring][None]).mean()) if found and ring.any() else None,
        )


def _disc(rgb: Bytes, iris: Iris, low: float, high: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    away = np.hypot(columns - iris.x, rows - iris.y) / iris.radius
    return np.asarray((away >= low) & (away < high))


def _rule(rgb: Bytes, iris: Iris) -> bool:
    red, green, blue = (rgb[_disc(rgb, iris, 0.0, 1.0)][:, i].astype(int) for i in range(3))
    return bool(((red > 150) & (red > green + blue)).mean() > red_eye.ENOUGH)


def proposed(rgb: Bytes, weights: Weights) -> RedEyeParams | None:
    """What the operator suggests for a picture; None for nothing or an abstention."""
    (made,) = operator.propose([_subject(rgb, _facts(rgb, weights))], Wishes()) or (None,)
    return None if made is None else made.params


def _facts(rgb: Bytes, weights: Weights) -> dict[str, Measure]:
    picture = Picture(rgb=rgb, weights=weights)
    facts = {m.name: m for m in faces.measure(picture)}
    picture.facts = facts
    return facts | {m.name: m for m in red_eye.measure(picture)}


def _subject(rgb: Bytes, facts: Mapping[str, Measure]) -> Subject:
    height, width = rgb.shape[:2]
    asset = Asset(id="a", content=None, kind=Kind.PHOTO, format="jpeg", width=width, height=height)
    return Subject(asset=asset, path="a.jpg", facts=facts)


def _figures(name: str, eyes: Sequence[Painted], *, bars: bool = False) -> Iterator[Result]:
    if not eyes:
        yield Result(name=f"{name}.found", value=None, n=0, note="no iris is large enough")
        return
    found = [eye for eye in eyes if eye.found]
    yield Result(
        name=f"{name}.found", value=len(found) / len(eyes), n=len(eyes), bar=FOUND if bars else None,
        want="at least" if bars else None, note=UNSEEN, beside={"red_over_150": float(np.mean([e.rule for e in eyes]))},
    )  # fmt: skip
    if not found:
        return
    left = [e.left for e in found if e.left is not None]
    yield Result(
        name=f"{name}.left", value=float(np.mean(left)), n=len(left), unit="of the pupil",
        bar=RESIDUAL if bars else None, want="at most" if bars else None,
        note=f"95th percentile {np.quantile(left, 0.95):.2f}",
    )  # fmt: skip
    rings = [e.ring for e in found if e.ring is not None]
    yield Result(
        name=f"{name}.iris", value=float(np.mean(rings)) if rings else None, n=len(rings), unit="ΔE00",
        bar=KEPT if bars else None, want="at most" if bars else None, note="change of the iris about the pupil",
    )  # fmt: skip


# ---------------------------------------------------------------- where nothing is


def _false_finds(data: Data, clean: Sequence[Path], weights: Weights) -> Iterator[Result]:
    for name, pictures in (
        ("skin", (read(path) for path in clean)),
        ("warm", (_warm(read(path)) for path in clean)),
        ("heads", (f.rgb for clip in clips(data) for f in clip.frames if f.number % EVERY == 0)),
        ("photos", _with_faces(data)),
    ):
        chances, rules = [], []
        for rgb in pictures:
            found = _facts(rgb, weights)["red_eye"].value
            if isinstance(found, float):
                chances.append(found)
                rules.append(any(_rule(rgb, iris) for iris in irises(Picture(rgb=rgb), weights)))
        if chances:
            yield Result(
                name=f"red_eye.false.{name}", value=float(np.mean(np.array(chances) >= ACT)), n=len(chances), bar=FALSE,
                want="at most", unit="of pictures", beside={"red_over_150": float(np.mean(rules))},
                note=f"highest chance {max(chances):.2f}",
            )  # fmt: skip


def _warm(rgb: Bytes) -> Bytes:
    """The picture in light of about 2400 K, as if balanced for daylight: red 1.4 stops over blue."""
    light = TO_LINEAR[rgb] * np.array((1.5, 0.95, 0.55))
    return np.asarray(np.clip(np.rint(encode(np.minimum(light, 1)) * 255), 0, 255), np.uint8)


def _with_faces(data: Data) -> Iterator[Bytes]:
    for path, _ in stills(data):
        yield read(path)
    folder, rows = data.table("photo_tags.csv", recipe="shared/data")
    for row in rows:
        if row["face_visible"] == "yes":
            yield read(folder / row["file"])
