"""Noise reduction against known noise, beside OpenCV's non-local means and scikit-image's BayesShrink.

Clean photos get Poisson-Gauss noise of six sensitivities, every other one correlated as after demosaicing. Ours
measures the noise on the noisy photo and does what it would propose, grain included; non-local means is given the h
that is best on average for each sensitivity and kind of noise, which needs the clean photos; BayesShrink estimates its
own noise. Texture is the correlation of fine bands with the clean photo's, where it has fine low-contrast texture;
`share` is how much of that texture's contrast is left, which is 1 for a picture that nobody touched. The real shot has
no clean original: there, what stays in flat places is compared where both results keep equally much texture.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from bench import _noise
from bench._noise import ISOS
from bench.harness import Data, MissingData, Result
from safelight import specimens
from safelight.domain import Asset, Kind, Measure
from safelight.engine import engine
from safelight.media.colour import linear_of_srgb, srgb8
from safelight.media.frame import Bytes, Frame
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes
from safelight.operators.denoise import DenoiseParams, Quality, operator
from safelight.probes import noise, noise_model
from safelight.render import Step, through

PREVIEW, FINAL = 0.15, 1.5  # bars, s/MP on one core
TIMED, TIMED_PEER = 2000, 1000  # px, sides of what is timed
ROUNDS = 3
GRAINS, STRENGTHS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3), (1.0, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5)
FLAT, TEXTURED = 0.15, 0.3  # shares of the real shot's blocks
GOOD = ("clean", "film_grain", "sharpened", "shallow_focus", "low_key", "high_key", "mood", "graded")
WAYS = ("final", "preview", "no_grain")

Figures = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One noisy photo: figures by way of treating it; empty where its noise could not be told."""

    iso: int
    correlated: bool
    told: bool
    figures: Figures


def run(data: Data) -> Iterable[Result]:
    """Known noise, speed, the real shot, and pictures that should be left alone."""
    folder, table = data.table("photo_tags.csv", recipe="the clean photos")
    photos = [folder / row["file"] for row in table]
    with engine("process", jobs=2) as (pool, _):
        jobs = [pool.submit(cases, path, place) for place, path in enumerate(photos)]
        found = [case for job in jobs for case in job.result()]
    yield from known_noise(found)
    with engine("process", jobs=1) as (pool, _):
        yield from pool.submit(speeds, max(photos, key=lambda path: path.stat().st_size)).result()
    yield from real_shot(data)
    yield from left_alone(data)


# ---------------------------------------------------------------- known noise


def cases(path: Path, place: int, isos: Sequence[int] = ISOS) -> list[Case]:
    """One photo at every sensitivity, by every way."""
    cv2.setNumThreads(1)
    rgb = _noise.photo(path)
    return [_case(rgb, iso, (place, j)) for j, iso in enumerate(isos)]


def _case(rgb: Bytes, iso: int, seed: tuple[int, int]) -> Case:
    noisy = _noise.add(rgb, iso, seed=seed, correlated=bool(sum(seed) % 2))
    params = proposed(noisy.picture)
    part = np.ascontiguousarray(noisy.picture[noisy.part])
    made = {"noisy": part, "bayes_shrink": _noise.bayes_shrink(part)}
    made |= {f"nlm {h}": _noise.nlm(part, h) for h in _noise.strengths(iso)}
    made |= {way: part if params is None else treated(part, _as(params, way)) for way in WAYS}
    return Case(
        iso=iso, correlated=noisy.correlated, told=params is not None,
        figures={way: _noise.judged(noisy.clean, after) for way, after in made.items()},
    )  # fmt: skip


def _as(params: DenoiseParams, way: str) -> DenoiseParams:
    if way == "no_grain":
        return replace(params, grain=0.0)
    return replace(params, quality=Quality.PREVIEW if way == "preview" else Quality.FINAL)


def proposed(rgb: Bytes) -> DenoiseParams | None:
    """What would be proposed if its noise is seen; None where it cannot be told or is below what is modelled."""
    facts = heard(rgb)
    asset = Asset(id="photo", content=None, kind=Kind.PHOTO, format="jpeg", width=None, height=None)
    subject = Subject(asset=asset, path="", facts=facts | {"noise": Measure(name="noise", value=1.0)})
    return next((suggestion.params for suggestion in operator.propose([subject], Wishes())), None)


def heard(rgb: Bytes) -> dict[str, Measure]:
    """What the probes say about a picture's noise."""
    picture = Picture(rgb=rgb)
    picture.facts = {m.name: m for m in noise.judge(picture)}
    return {**picture.facts, **{m.name: m for m in noise_model.judge(picture)}}


def treated(rgb: Bytes, params: DenoiseParams) -> Bytes:
    """Bytes in, bytes out."""
    return srgb8(through(Frame(pixels=linear_of_srgb(rgb)), [_step(params)], specimens.suite_tools()).pixels)


def _step(params: DenoiseParams) -> Step:
    return Step(operator=operator, params=params)


def known_noise(found: Sequence[Case]) -> Iterator[Result]:
    """Means over photos, for all sensitivities together and each alone, with the best peer as the bar."""
    yield Result(
        name="denoise.coverage", value=float(np.mean([c.told for c in found])), n=len(found),
        note="share of noisy photos whose noise could be told; the others stay as they are",
    )  # fmt: skip
    best = {key: _best_nlm(some) for key, some in _by_kind(found).items()}
    for name, some in [("", found), *((f"iso{iso}.", [c for c in found if c.iso == iso]) for iso in ISOS)]:
        if some:
            yield from _means(name, some, best)
    for kind, flag in (("white", False), ("correlated", True)):
        yield from _means(f"{kind}.", [c for c in found if c.correlated == flag], best)


def _means(name: str, some: Sequence[Case], best: Mapping[tuple[int, bool], str]) -> Iterator[Result]:
    for measure, unit in (("psnr", "dB"), ("ssim", ""), ("texture", "")):
        beside = {
            "nlm": _mean(some, measure, lambda c: best[c.iso, c.correlated]),
            "bayes_shrink": _mean(some, measure, lambda _: "bayes_shrink"),
        }
        others = {way: _mean(some, measure, partial(_always, way)) for way in ("noisy", "preview", "no_grain")}
        yield Result(
            name=f"denoise.{name}{measure}", value=_mean(some, measure, lambda _: "final"), n=len(some), unit=unit,
            bar=max(beside.values()), want="at least", beside=beside | others,
        )  # fmt: skip
    ways = {"nlm": lambda c: best[c.iso, c.correlated], "bayes_shrink": lambda _: "bayes_shrink"}
    yield Result(
        name=f"denoise.{name}share", value=_mean(some, "share", lambda _: "final"), n=len(some),
        beside={way: _mean(some, "share", pick) for way, pick in ways.items()},
        note="of the contrast of fine texture; 1 where nothing was done",
    )  # fmt: skip


def _always(way: str, case: Case) -> str:  # noqa: ARG001 - the same for every case
    return way


def _mean(some: Sequence[Case], measure: str, way: Callable[[Case], str]) -> float:
    return float(np.nanmean([c.figures[way(c)][measure] for c in some]))


def _by_kind(found: Sequence[Case]) -> dict[tuple[int, bool], list[Case]]:
    kinds: dict[tuple[int, bool], list[Case]] = {}
    for case in found:
        kinds.setdefault((case.iso, case.correlated), []).append(case)
    return kinds


def _best_nlm(some: Sequence[Case]) -> str:
    """The strength of non-local means with the highest mean PSNR."""
    ways = [way for way in some[0].figures if way.startswith("nlm ")]
    return max(ways, key=lambda way: _mean(some, "psnr", lambda _: way))


# ---------------------------------------------------------------- speed


def speeds(path: Path) -> list[Result]:
    """CPU seconds per megapixel on one core, in turns with the peers."""
    cv2.setNumThreads(1)
    rgb = np.asarray(cv2.resize(read(path), (TIMED, TIMED), interpolation=cv2.INTER_AREA), np.uint8)
    noisy = _noise.add(rgb, 6400, seed=(0, 0), correlated=False).picture
    params, small = proposed(noisy), np.ascontiguousarray(noisy[:TIMED_PEER, :TIMED_PEER])
    if params is None:
        raise MissingData(f"the noise of {path.name} cannot be told")
    light, tools = Frame(pixels=linear_of_srgb(noisy)), specimens.suite_tools()
    work: dict[str, tuple[Callable[[], object], int]] = {
        "preview": (partial(through, light, [_step(_as(params, "preview"))], tools), TIMED),
        "final": (partial(through, light, [_step(params)], tools), TIMED),
        "nlm": (partial(_noise.nlm, small, 8), TIMED_PEER),
        "bayes_shrink": (partial(_noise.bayes_shrink, small), TIMED_PEER),
        "model": (partial(lambda: noise_model.measured(noise_model.tiles(noisy))), TIMED),
    }
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, (do, side) in work.items():
            began = time.process_time()
            do()
            taken[name].append((time.process_time() - began) / (side * side / 1e6))
    beside = {peer: median(taken[peer]) for peer in ("nlm", "bayes_shrink")}
    timed = [
        Result(
            name=f"denoise.{way}.s_per_mp", value=median(taken[way]), n=ROUNDS, unit="s/MP", bar=bar, want="at most",
            beside=beside,
        )
        for way, bar in (("preview", PREVIEW), ("final", FINAL))
    ]  # fmt: skip
    seconds = median(taken["model"]) * TIMED * TIMED / 1e6
    return [*timed, Result(name="denoise.model.s", value=seconds, n=ROUNDS, unit="s", note="noisy photos only")]


# ---------------------------------------------------------------- the real shot


def real_shot(data: Data) -> Iterator[Result]:
    """Noise left in flat places by ours and by the profiled result, at the same kept texture."""
    folder = data.find("pairs/noise")
    if folder is None:
        yield Result(name="denoise.real.noise_left", value=None, n=0, note="not measured: no folder pairs/noise")
        return
    before, profiled = read(folder / "cup_noisy.jpg"), read(folder / "cup_denoised_by_profile.jpg")
    params = proposed(before)
    if params is None:
        yield Result(name="denoise.real.noise_left", value=None, n=0, note="its noise cannot be told")
        return
    kept, left = real(before, profiled)
    wanted = [replace(params, grain=grain, luma=luma) for grain in GRAINS for luma in STRENGTHS]
    tried = [(*real(before, treated(before, ask)), ask) for ask in wanted]
    enough = [one for one in tried if one[0] >= kept]
    mine, noise, ask = min(enough, key=lambda one: one[1]) if enough else max(tried, key=lambda one: one[0])
    yield Result(
        name="denoise.real.noise_left", value=noise, n=1, unit="levels of 255", bar=left, want="at most",
        beside={"profiled": left, "noisy": real(before, before)[1]},
        note=f"at {mine:.3f} kept texture (profiled: {kept:.3f}): luma {ask.luma:.2f}, grain {ask.grain:.2f}",
    )  # fmt: skip
    asked = real(before, treated(before, params))
    yield Result(
        name="denoise.real.proposed.noise_left", value=asked[1], n=1, unit="levels of 255",
        beside={"profiled": left, "texture": asked[0], "profiled_texture": kept}, note="as it would be proposed",
    )  # fmt: skip


def real(before: Bytes, after: Bytes) -> tuple[float, float]:
    """Kept texture and noise left in flat places, root mean square over luma and colours.

    Texture: cross energy of before and after over energy of before, each less what it is in flat places, which noise
    alone makes (the over-smoothing measure of the artefact gate). Both of the finest bands.
    """
    was, now = _noise.bands(_noise.luma(before)), _noise.bands(_noise.luma(after))
    coarse = cv2.GaussianBlur(_noise.luma(before), (0, 0), 2.0)
    order = _noise.means(np.square(coarse - cv2.GaussianBlur(coarse, (0, 0), 6.0)))
    flat, busy = order <= np.quantile(order, FLAT), order >= np.quantile(order, 1 - TEXTURED)
    cross = _noise.means(np.sum([a * b for a, b in zip(was, now, strict=True)], axis=0))
    energy = _noise.means(np.sum([a * a for a in was], axis=0))
    kept = (cross[busy].mean() - cross[flat].mean()) / (energy[busy].mean() - energy[flat].mean())
    left = [np.square(band) for plane in _ycc(after) for band in _noise.bands(plane)]
    return float(kept), float(np.sqrt(_noise.means(np.sum(left, axis=0))[flat].mean()))


def _ycc(rgb: Bytes) -> list[np.ndarray]:
    return [np.asarray(p, np.float32) for p in cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))]


# ---------------------------------------------------------------- pictures to be left alone


def left_alone(data: Data) -> Iterator[Result]:
    """Share of good pictures of recipe `quality` for which anything is proposed, film grain above all."""
    try:
        folder, table = data.table("quality/truth.csv", recipe="quality")
    except MissingData as missing:
        yield Result(name="denoise.good.proposed", value=None, n=0, note=f"not measured: {missing}")
        return
    touched: dict[str, list[bool]] = {}
    for row in table:
        if row["kind"] in GOOD:
            touched.setdefault(row["kind"], []).append(_touches(read(folder / row["file"])))
    every = [one for some in touched.values() for one in some]
    yield Result(
        name="denoise.good.proposed", value=float(np.mean(every)), n=len(every),
        beside={kind: float(np.mean(some)) for kind, some in sorted(touched.items())},
        note="share of good pictures that something is proposed for",
    )  # fmt: skip


def _touches(rgb: Bytes) -> bool:
    asset = Asset(id="photo", content=None, kind=Kind.PHOTO, format="jpeg", width=None, height=None)
    made = operator.propose([Subject(asset=asset, path="", facts=heard(rgb))], Wishes())
    return any(suggestion.params is not None for suggestion in made)
