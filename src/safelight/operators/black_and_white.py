"""Black and white: the light of a picture without its colours, each hue as bright as is asked.

Proposed for few pictures of a shoot, and only where the colours are what is wrong: light that the white balance cannot
be told of, or noise that colour makes worse; and where light and dark carry the picture without them. The weights keep
what stands out apart from its surroundings, in the direction that its light has already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Measure, Scope
from safelight.media import greys
from safelight.media import tone as curves
from safelight.media.colour import SRGB_FROM_REC2020, brightest, dimmest, encode
from safelight.media.frame import Frame, Pixels
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes, white_balance
from safelight.params import declare

Vector = NDArray[np.float64]

MOST_SHARE, MOST = 0.03, 8  # of the photos of a shoot, at most, but one may always be proposed
NOISY, NOISE = 0.9, 8.0  # probability, levels of 255: colour noise that nobody takes for grain
CAST = 0.5  # probability from which a light whose colour cannot be told troubles
DISAGREE = 8.0  # degrees between the estimators of a light's colour: mixed light
STRUCTURE = 4.0  # EV between the darkest and the brightest twentieth
COLOURS_CARRY = 0.5  # probability of coloured light that is meant so: its colours stay
FULL = 100.0
REACH = 1.0  # EV of a hue at 100
APART = 1.0  # EV between what stands out and its surroundings that is aimed at
STRONGEST = 60.0  # of a hue's weight, as proposed: more brings out noise
LOST = 0.02  # share of pixels newly lost in black or white that is a fault
COLOUR_LEFT = 0.02  # encoded, between channels: more is seen as a tint
MATERIAL_WEIGHT, MATERIAL_AMOUNT, MATERIAL_CONTRAST = 25.0, 10.0, 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackAndWhiteParams:
    """How much of the colours goes, and how bright each hue comes out; 100 is one stop at full saturation."""

    amount: float = declare(
        0.0, low=0.0, high=100.0, step=1.0, unit="%", help="how much of the colour goes; 0 leaves the picture as it is"
    )
    red: float = declare(0.0, low=-100.0, high=100.0, step=1.0, help="reds: positive for brighter")
    yellow: float = declare(0.0, low=-100.0, high=100.0, step=1.0, help="yellows, and half of skin and orange")
    green: float = declare(0.0, low=-100.0, high=100.0, step=1.0, help="greens")
    cyan: float = declare(0.0, low=-100.0, high=100.0, step=1.0, help="cyans")
    blue: float = declare(0.0, low=-100.0, high=100.0, step=1.0, help="blues, and half of a sky")
    magenta: float = declare(0.0, low=-100.0, high=100.0, step=1.0, help="magentas")
    contrast: float = declare(
        0.0, low=-100.0, high=100.0, step=1.0, help="slope in the middle of the range: half as much again at 100"
    )


# ---------------------------------------------------------------- propose


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[BlackAndWhiteParams]]:
    """A conversion for the few photos of a shoot whose colours are what is wrong; nothing about all others."""
    light = {s.member: s for scene in _scenes(subjects) for s in white_balance.propose(scene, wishes)}
    found = [(reasons, s) for s in subjects if (reasons := _why(s, light.get(s.asset.id)))]
    most = max(1, min(MOST, int(MOST_SHARE * len(subjects))))
    found.sort(key=lambda pair: (-len(pair[0]), -(pair[1].number("noise") or 0.0), pair[1].asset.id))
    return [_suggest(subject, reasons) for reasons, subject in found[:most]]


def _scenes(subjects: Sequence[Subject]) -> list[list[Subject]]:
    """The subjects by scene, as the white balance sees them; one that is in none stands alone."""
    found: dict[str, list[Subject]] = {}
    for subject in subjects:
        found.setdefault(subject.scene or subject.asset.id, []).append(subject)
    return list(found.values())


def _why(subject: Subject, light: Suggestion[white_balance.WhiteBalanceParams] | None) -> tuple[Because, ...]:
    """What speaks for it; nothing where colours may carry the picture, or light and dark do not."""
    mood, spread = subject.number("colour.mood"), _structure(subject)
    if mood is None or mood >= COLOURS_CARRY or spread is None or spread < STRUCTURE:
        return ()
    because = []
    cast, disagreement = subject.number("colour.cast"), subject.number("colour.disagreement")
    if light is not None and light.params is None and (cast or 0.0) >= CAST and (disagreement or 0.0) >= DISAGREE:
        text = (
            f"The colour of the light cannot be told: the estimators are {disagreement:.0f}° apart, as in mixed light."
        )
        because.append(
            Because(evidence="colour.disagreement", value=disagreement, text=text, code="black_and_white.light")
        )
    chance, sigma = subject.number("noise"), subject.number("noise.sigma")
    if chance is not None and sigma is not None and chance >= NOISY and sigma >= NOISE:
        text = f"Colour noise of {sigma:.0f} levels; without colour it looks like grain."
        because.append(Because(evidence="noise.sigma", value=sigma, text=text, code="black_and_white.noise"))
    if because:
        text = f"Light and dark carry the picture: they lie {spread:.1f} EV apart."
        because.append(
            Because(evidence="luma.quantiles", value=round(spread, 2), text=text, code="black_and_white.structure")
        )
    return tuple(because)


def _structure(subject: Subject) -> float | None:
    """EV between the darkest and the brightest twentieth."""
    found = subject.facts.get("luma.quantiles")
    if found is None or found.value is None:
        return None
    tones = np.array(found.value, np.float64).reshape(-1, 2)
    low, high = np.interp((0.05, 0.95), tones[:, 0], tones[:, 1])
    return float(high - low)


def _suggest(subject: Subject, reasons: tuple[Because, ...]) -> Suggestion[BlackAndWhiteParams]:
    weights, because = weights_for(subject)
    plain = BlackAndWhiteParams(amount=FULL)
    params = BlackAndWhiteParams(amount=FULL, **weights)
    return Suggestion(
        member=subject.asset.id,
        params=params,
        score=0.5,  # a matter of taste: as likely as not
        because=(*reasons, *because),
        alternatives=() if params == plain else (plain,),
    )


def weights_for(subject: Subject) -> tuple[dict[str, float], tuple[Because, ...]]:
    """Weights of the hues that keep what stands out apart from its surroundings; none where its light does already."""
    inside, outside = (_shares(subject, f"hues.{part}") for part in ("subject", "ground"))
    apart = subject.number("hues.apart")
    if inside is None or outside is None or apart is None or abs(apart) >= APART:
        return {}, ()
    differ = inside - outside
    side = 1.0 if apart >= 0 else -1.0
    gains = float(np.abs(differ).sum())  # EV that weights of ±100 would put between them
    if gains < 0.05:
        return {}, ()
    wanted = (APART - abs(apart)) / gains * FULL / REACH
    weights = np.rint(np.clip(side * np.sign(differ) * wanted, -STRONGEST, STRONGEST)) + 0.0
    weights = np.where(np.abs(differ) < 0.02, 0.0, weights)
    after = apart + float(differ @ weights) / FULL * REACH
    if abs(after - apart) < 0.1:
        return {}, ()
    name = greys.HUES[int(np.argmax(np.abs(differ)))]
    text = (
        f"What stands out differs from its surroundings in {name}: {abs(apart):.1f} EV apart, {abs(after):.1f} after."
    )
    because = Because(evidence="hues.apart", value=apart, text=text, code="black_and_white.apart")
    return dict(zip(greys.HUES, map(float, weights), strict=True)), (because,)


def _shares(subject: Subject, name: str) -> Vector | None:
    found = subject.facts.get(name)
    if found is None or not isinstance(found.value, Sequence) or len(found.value) != len(greys.HUES):
        return None
    return np.array(found.value, np.float64)


# ---------------------------------------------------------------- render and check


def render(frame: Frame, params: BlackAndWhiteParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """Each pixel on its way to the grey of its weighted luminance, on the contrast curve; nothing is clipped."""
    if params.amount == 0:
        return frame
    level = _grey(frame, params)[..., None]
    return frame.with_pixels(frame.pixels + np.float32(params.amount / FULL) * (level - frame.pixels))


def _grey(frame: Frame, params: BlackAndWhiteParams) -> Pixels:
    stops = np.array([getattr(params, name) for name in greys.HUES], np.float64) / FULL * REACH
    level = greys.grey(frame.pixels, stops)
    if params.contrast == 0:
        return level
    table = curves.table_of(highlights=0, shadows=0, whites=0, blacks=0, contrast=params.contrast)
    return np.asarray(curves.through(level, table), np.float32)


def check(before: Frame, after: Frame, params: BlackAndWhiteParams) -> Sequence[Measure]:
    """What was newly lost in black or white, and whether as much colour is left as was asked."""
    was, now = (np.asarray(cv2.transform(f.pixels, SRGB_FROM_REC2020), np.float32) for f in (before, after))
    lost = float((_lost(now) & ~_lost(was)).mean())
    had, has = (float(np.mean(np.ptp(encode(np.clip(light, 0, 1)), axis=2))) for light in (was, now))
    left = abs(has - had * (1 - params.amount / FULL)) if params.amount in (0.0, FULL) else max(0.0, has - had)
    return (
        Measure(name="black_and_white.lost", value=min(1.0, lost / LOST / 2), unit="fault"),
        Measure(name="black_and_white.colour", value=min(1.0, left / COLOUR_LEFT / 2), unit="fault"),
    )


def _lost(light: Pixels) -> NDArray[np.bool_]:
    return np.asarray((dimmest(light) >= 1) | (brightest(light) < 1 / 255 / 12.92))


def spoil(before: Frame, params: BlackAndWhiteParams) -> Frame:  # noqa: ARG001
    """A strong tint, and nearly everything lost in black or white."""
    return before.with_pixels((before.pixels - np.float32(0.18)) * np.array((1500, 900, 500), np.float32))


def material(before: BlackAndWhiteParams, after: BlackAndWhiteParams) -> bool:
    """Whether a hue comes out a quarter of a stop elsewhere, or colour or contrast are clearly different."""
    hues = max(abs(getattr(before, name) - getattr(after, name)) for name in greys.HUES)
    return (
        hues >= MATERIAL_WEIGHT
        or abs(before.amount - after.amount) >= MATERIAL_AMOUNT
        or abs(before.contrast - after.contrast) >= MATERIAL_CONTRAST
    )


operator: Operator[BlackAndWhiteParams] = Operator(
    name="black_and_white",
    version=1,
    params=BlackAndWhiteParams,
    risk=Risk(complexity=0.7, cost=0.3),
    stage=Stage.LOOK,
    rank=30,  # after the tones
    needs=("noise", "noise.sigma", "luma.quantiles", "hues.subject", "hues.ground", "hues.apart",
           *white_balance.operator.needs),
    scope=Scope.SHOOT,
    pointwise=True,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="a hue differs by 25 or more, the amount by 10 or the contrast by 15, in slider units of 100",
    examples=(
        BlackAndWhiteParams(amount=100.0),
        BlackAndWhiteParams(amount=100.0, red=30.0, yellow=20.0, blue=-40.0, contrast=25.0),
        BlackAndWhiteParams(amount=50.0, green=-20.0),
    ),
    artefacts=("clipping", "banding"),  # its hues go on purpose
    about="Turns a photo black and white, each hue as bright as is asked; proposed where colours are what is wrong.",
)  # fmt: skip
