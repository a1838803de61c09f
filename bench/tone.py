"""Tones that known curves spoilt: how much of that the proposal takes back, and what it does to good pictures.

Clean pictures of recipe `quality` go through the curves of `bench._tones` (strengths 2 and 4); the exposure operator
and the tone operator answer as in a run, with models that never saw the photo. What counts is the mean ΔE00 to the
photo before the curve, at 200 px. Beside: only the exposure; CLAHE (OpenCV), histogram equalisation and stretched
intensities (scikit-image), automatic contrast (Pillow). Good pictures of the recipe should stay as they are. At last:
what fusing into a table costs, in levels.
"""

import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from bench._heldout import model_of
from bench._tones import DISTORTIONS, distorted
from bench.harness import Data, Result, quantile_interval
from safelight import specimens
from safelight.domain import Asset, Kind, Measure
from safelight.fuse import fuse
from safelight.media.colour import delta_e, linear_of_srgb, srgb8
from safelight.media.frame import Bytes, Frame
from safelight.media.image import read
from safelight.media.picture import Picture, shrink
from safelight.operators import Subject, Suggestion, Wishes, exposure, tone
from safelight.probes import exposure as light_probe
from safelight.probes import noise as noise_probe
from safelight.probes import tone as tone_probe
from safelight.render import Step, through

STRENGTHS = (2, 4)
SIDE = 900  # px, at which pictures are judged
COMPARED = 200  # px, at which colours are compared
GOOD_MOVED, CLIPPED, FUSED = 0.05, 0.005, 2.0  # bars
SEEN = 2.0  # mean ΔE00 by which a picture has to change to count as moved
TOLD = ("veil", "flat", "faded", "dull")  # what a viewer names without the original, at strength 4
SEED = 71

Peer = Callable[[Bytes], Bytes]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A treated picture: its photo, and mean ΔE00 to it as it is and after each answer."""

    source: str
    kind: str
    strength: int
    before: float
    exposed: float  # after the exposure's proposal alone
    after: float
    proposed: bool
    clipped: float  # share of pixels newly at white through the tone
    peers: Mapping[str, float]

    @property
    def taken_back(self) -> float:
        """Share of the difference that is gone; negative where it grew."""
        return 1 - self.after / max(self.before, 1e-6)


@dataclass(frozen=True, kw_only=True)
class Good:
    """A picture that should stay: what the proposal and the peers would change, in mean ΔE00."""

    source: str
    kind: str
    change: float
    clipped: float
    peers: Mapping[str, float]


def run(data: Data) -> Iterable[Result]:
    """Treated pictures by curve, then good ones, then the table."""
    folder, table = data.table("quality/truth.csv", recipe="quality")
    clean = [row for row in table if row["kind"] == "clean"]
    yield from _of_cases([case for row in clean for case in _cases(folder, row)])
    yield from _of_good([_good(folder, row) for row in table if row["faulty"] == "no"])
    yield from _fusing([shrink(read(folder / row["file"]), SIDE) for row in clean[:6]])


# ---------------------------------------------------------------- treated


def _cases(folder: Path, row: Mapping[str, Any]) -> Iterator[Case]:
    photo = shrink(read(folder / row["file"]), SIDE)
    for kind, make in DISTORTIONS.items():
        for strength in STRENGTHS:
            key = zlib.crc32(f"{row['source']} {kind} {strength}".encode())
            bad = distorted(photo, make(strength, np.random.default_rng((SEED, key))))
            exposed, done, made = _answered(bad, row["source"])
            small = shrink(photo, COMPARED)
            yield Case(
                source=row["source"],
                kind=kind,
                strength=strength,
                before=_apart(small, bad),
                exposed=_apart(small, exposed),
                after=_apart(small, done),
                proposed=made.params not in (None, tone.ToneParams()),
                clipped=_newly_white(exposed, done),
                peers={name: _apart(small, peer(bad)) for name, peer in PEERS.items()},
            )


def _apart(small: Bytes, other: Bytes) -> float:
    return float(delta_e(small, shrink(other, COMPARED)).mean())


def _newly_white(before: Bytes, after: Bytes) -> float:
    return float(((after.max(axis=2) == 255) & (before.max(axis=2) < 255)).mean())


def _answered(rgb: Bytes, source: str) -> tuple[Bytes, Bytes, Suggestion[tone.ToneParams]]:
    """The picture after the exposure's proposal, after the tone's as well, and the latter."""
    subject = _subject(_facts(rgb, source))
    (light,), (made,) = exposure.operator.propose([subject], Wishes()), tone.operator.propose([subject], Wishes())
    run = [] if light.params is None else [Step(operator=exposure.operator, params=light.params)]
    exposed = _rendered(rgb, run)
    if made.params is None:
        return exposed, exposed, made
    return exposed, _rendered(rgb, [*run, Step(operator=tone.operator, params=made.params)]), made


def _facts(rgb: Bytes, source: str) -> dict[str, Measure]:
    picture = Picture(rgb=rgb)
    found: list[Measure] = []
    for name, probe in (("exposure", light_probe), ("noise", noise_probe), ("tone", tone_probe)):
        model = model_of(name, source)
        judge: Any = probe.judge
        found += judge(picture) if model is None else judge(picture, model=model)
    return {m.name: m for m in found}


def _subject(facts: Mapping[str, Measure]) -> Subject:
    asset = Asset(id="a", content=None, kind=Kind.PHOTO, format="jpeg", width=SIDE, height=SIDE)
    return Subject(asset=asset, path="a.jpg", facts=facts)


def _rendered(rgb: Bytes, steps: Sequence[Step]) -> Bytes:
    return fuse(steps, specimens.suite_tools())(rgb) if steps else rgb


def _of_cases(cases: Sequence[Case]) -> Iterator[Result]:
    strong = [c for c in cases if c.kind in TOLD and c.strength == max(STRENGTHS)]
    yield _taken("tone.taken_back", strong, note=f"{', '.join(TOLD)} at strength {max(STRENGTHS)}")
    for kind in DISTORTIONS:
        for strength in STRENGTHS:
            some = [c for c in cases if (c.kind, c.strength) == (kind, strength)]
            yield _taken(f"tone.{kind}.s{strength}.taken_back", some)
    proposed = [c for c in cases if c.proposed]
    yield Result(
        name="tone.new_clipping", value=float(np.mean([c.clipped for c in proposed])) if proposed else None,
        n=len(proposed), unit="of the pixels", bar=CLIPPED, want="at most", note="by proposals, on average",
    )  # fmt: skip
    worse = [c.after > c.exposed + 0.5 for c in proposed]
    yield Result(
        name="tone.worse", value=float(np.mean(worse)) if worse else None, n=len(worse), unit="of the proposals",
        note="more than 0.5 ΔE00 further from the photo than without",
    )  # fmt: skip


def _taken(name: str, cases: Sequence[Case], *, note: str = "") -> Result:
    """The middle share that is taken back; beside, what others take back."""
    taken = np.array([c.taken_back for c in cases])
    low, high = quantile_interval(taken, [c.source for c in cases])
    beside = {"exposure_alone": float(np.median([1 - c.exposed / max(c.before, 1e-6) for c in cases]))}
    for peer in PEERS:
        beside[peer] = float(np.median([1 - c.peers[peer] / max(c.before, 1e-6) for c in cases]))
    share = float(np.mean([c.proposed for c in cases]))
    before, after = (float(np.mean(values)) for values in zip(*((c.before, c.after) for c in cases), strict=True))
    text = f"ΔE00 {before:.1f} to {after:.1f}; {share:.0%} proposed"
    return Result(
        name=name, value=float(np.median(taken)), n=len(taken), unit="of the difference", low=low, high=high,
        beside=beside, note=f"{text}. {note}".strip(),
    )  # fmt: skip


# ---------------------------------------------------------------- good


def _good(folder: Path, row: Mapping[str, Any]) -> Good:
    rgb = shrink(read(folder / row["file"]), SIDE)
    exposed, done, _ = _answered(rgb, row["source"])
    small = shrink(exposed, COMPARED)
    return Good(
        source=row["source"],
        kind=row["kind"],
        change=_apart(small, done),
        clipped=_newly_white(exposed, done),
        peers={name: _apart(shrink(rgb, COMPARED), peer(rgb)) for name, peer in PEERS.items()},
    )


def _of_good(good: Sequence[Good]) -> Iterator[Result]:
    yield _moved("tone.good_moved", good, bar=GOOD_MOVED)
    for kind in sorted({g.kind for g in good}):
        yield _moved(f"tone.good_moved.{kind}", [g for g in good if g.kind == kind])
    harmed = [g.clipped > CLIPPED for g in good]
    yield Result(
        name="tone.good_harmed", value=float(np.mean(harmed)), n=len(harmed), unit="of good pictures",
        note=f"newly clipped over {CLIPPED:.1%} of the pixels",
    )  # fmt: skip


def _moved(name: str, good: Sequence[Good], *, bar: float | None = None) -> Result:
    beside = {peer: float(np.mean([g.peers[peer] > SEEN for g in good])) for peer in PEERS}
    return Result(
        name=name, value=float(np.mean([g.change > SEEN for g in good])), n=len(good), unit="of good pictures", bar=bar,
        want=None if bar is None else "at most", beside=beside, note=f"changed by more than ΔE00 {SEEN:.0f}",
    )  # fmt: skip


# ---------------------------------------------------------------- fusing, peers


def _fusing(pictures: Sequence[Bytes]) -> Iterator[Result]:
    """Levels between the table and float light, over the operator's examples."""
    worst, total = [], []
    for params in tone.operator.examples:
        steps = [Step(operator=tone.operator, params=params)]
        fused = fuse(steps, specimens.suite_tools())
        for rgb in pictures:
            exact = srgb8(through(Frame(pixels=linear_of_srgb(rgb)), steps, specimens.suite_tools()).pixels)
            apart = np.abs(fused(rgb).astype(int) - exact)
            worst.append(float(apart.max()))
            total.append(float(apart.mean()))
    yield Result(
        name="tone.fused.most", value=max(worst), n=len(worst), unit="levels", bar=FUSED, want="at most",
        note=f"{np.mean(total):.3f} levels on average",
    )  # fmt: skip


def _clahe(rgb: Bytes) -> Bytes:
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _equalised(rgb: Bytes) -> Bytes:
    peer: Any = importlib.import_module("skimage.exposure")

    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = np.rint(peer.equalize_hist(lab[..., 0]) * 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _stretched(rgb: Bytes) -> Bytes:
    peer: Any = importlib.import_module("skimage.exposure")

    low, high = np.percentile(rgb, (1, 99))
    return np.asarray(peer.rescale_intensity(rgb, in_range=(float(low), float(high))), np.uint8)


def _autocontrast(rgb: Bytes, *, cutoff: float) -> Bytes:
    return np.asarray(ImageOps.autocontrast(Image.fromarray(rgb), cutoff=cutoff, preserve_tone=True), np.uint8)


PEERS: Mapping[str, Peer] = {
    "clahe": _clahe,
    "equalize_hist": _equalised,
    "rescale_intensity": _stretched,
    "autocontrast": partial(_autocontrast, cutoff=0.5),
}
