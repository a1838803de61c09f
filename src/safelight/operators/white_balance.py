"""White balance: takes the colour of the light out where the picture says clearly what it was.

Params name the light that a picture was made in and wrongly balanced for, as the sliders of raw converters do:
`mired` on the warm (+) or cool (-) side of 6504 K daylight, `tint` in thousandths of Duv to the green (+) or
magenta (-) side of the Planckian locus. The gains are exactly the linear sRGB white of 6504 K over that of the named
light, scaled so that a neutral keeps its luminance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Measure, Scope
from safelight.media.frame import Frame
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

Vector = NDArray[np.float64]

DAYLIGHT = 1e6 / 6504  # mired
LUMINANCE = np.array((0.2126, 0.7152, 0.0722))  # of linear sRGB, ITU-R BT.709
XYZ_OF_SRGB = np.array(  # IEC 61966-2-1
    ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
)
SRGB_OF_2020 = np.array(  # linear, both D65; ITU-R BT.2087
    ((1.6604910, -0.5876411, -0.0728499), (-0.1245505, 1.1328999, -0.0083494), (-0.0181508, -0.1005789, 1.1187297))
)
ACT = 1.0  # log odds of a cast, less half of those of a mood, from which a correction is proposed
LEAVE = 0.5  # chance of a cast below which the picture is called right
SAME_LIGHT = 5.0  # degrees between two frames' estimates up to which their light is taken as one
SMALL = 2.0  # degrees: smaller corrections are not worth a person's look
OFF = 1.5  # degrees between the neutral that was promised and the one that came out that make a finding
CLIPPED = 0.05  # share of newly clipped pixels that makes a finding
LEAST_PRIMARY = 0.05  # of a light's white: beyond, sRGB cannot show the light


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteBalanceParams:
    """The light to take out."""

    mired: float = declare(
        0.0, low=-105.0, high=300.0, step=1.0, unit="mired", help="how much warmer than daylight the light was"
    )
    tint: float = declare(
        0.0, low=-60.0, high=60.0, step=0.5, unit="Duv/1000", help="how green the light was; negative for magenta"
    )


# ---------------------------------------------------------------- params and gains


def gains_of(params: WhiteBalanceParams) -> Vector:
    """Gains of red, green and blue in linear sRGB."""
    gains = _white(0.0, 0.0) / _white(params.mired, params.tint)
    return np.asarray(gains / (gains @ LUMINANCE))


def params_of(gains: Sequence[float] | Vector) -> WhiteBalanceParams:
    """The nearest params whose gains these are, to 1 mired and .5 of tint, within their bounds."""
    xyz = XYZ_OF_SRGB @ (_white(0.0, 0.0) / np.asarray(gains, np.float64))
    u, v = _uv(xyz[0] / xyz.sum(), xyz[1] / xyz.sum())
    mireds = np.arange(-105.0, 300.5, 1.0)
    locus = np.array([_uv(*_planckian(m)) for m in mireds])
    best = int(np.argmin(((locus - (u, v)) ** 2).sum(1)))
    across = _directions(float(mireds[best]))[1]
    tint = 1000 * float(((u, v) - locus[best]) @ across)
    return WhiteBalanceParams(mired=float(mireds[best]), tint=float(np.clip(round(2 * tint) / 2, -60, 60)) + 0.0)


def _white(mired: float, tint: float) -> Vector:
    """Linear sRGB of a light of luminance 1."""
    u, v = np.array(_uv(*_planckian(mired))) + tint / 1000 * _directions(mired)[1]
    x, y = 3 * u / (2 * u - 8 * v + 4), 2 * v / (2 * u - 8 * v + 4)
    rgb = np.linalg.solve(XYZ_OF_SRGB, np.array((x / y, 1.0, (1 - x - y) / y)))
    return np.maximum(rgb, LEAST_PRIMARY)


def _directions(mired: float) -> tuple[Vector, Vector]:
    """Unit vectors in CIE 1960 along the locus, to the cool side, and across it, to the green side."""
    kelvin = 1e6 / (DAYLIGHT + mired)
    along = np.subtract(_uv(*_planckian(1e6 / (kelvin * 1.002) - DAYLIGHT)), _uv(*_planckian(mired)))
    along /= np.hypot(*along)
    across = np.array((along[1], -along[0]))
    return along, across if across[1] > 0 else -across


def _planckian(mired: float) -> tuple[float, float]:
    """CIE 1931 chromaticity of a black body `mired` warmer than 6504 K (Kang et al. 2002, 1667 to 25000 K)."""
    kelvin = 1e6 / (DAYLIGHT + mired)
    t = 1e3 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y


def _uv(x: float, y: float) -> tuple[float, float]:
    """CIE 1960 (u, v) of (x, y)."""
    scale = -2 * x + 12 * y + 3
    return 4 * x / scale, 6 * y / scale


# ---------------------------------------------------------------- propose


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the probe found on one frame, or the median over the frames of one light."""

    gains: Vector
    cast: float
    mood: float
    confidence: float
    disagreement: float
    frames: int = 1

    @property
    def degrees(self) -> float:
        """Angle of the correction."""
        return _angle(self.gains, np.ones(3))


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[WhiteBalanceParams]]:  # noqa: ARG001
    """One correction for all frames of a scene that agree about the light; others are judged alone."""
    found = [_estimate(subject) for subject in subjects]
    known = [e for e in found if e is not None]
    return [
        _suggest(subject, estimate and _shared(estimate, known))
        for subject, estimate in zip(subjects, found, strict=True)
    ]


def _estimate(subject: Subject) -> Estimate | None:
    gains = subject.facts.get("colour.gains")
    numbers = [subject.number(f"colour.{name}") for name in ("cast", "mood", "confidence", "disagreement")]
    if gains is None or not _is_gains(gains.value) or any(n is None for n in numbers):
        return None
    cast, mood, confidence, disagreement = (float(n) for n in numbers if n is not None)
    vector = np.asarray(gains.value, np.float64)
    return Estimate(gains=vector, cast=cast, mood=mood, confidence=confidence, disagreement=disagreement)


def _is_gains(value: object) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 3:
        return False
    return all(isinstance(v, int | float) and v > 0 for v in value)


def _shared(own: Estimate, known: Sequence[Estimate]) -> Estimate:
    """The median of the scene where it is the same light, else the frame's own."""
    middle = np.exp(np.median([np.log(e.gains) for e in known], axis=0))
    same = [e for e in known if _angle(e.gains, middle) <= SAME_LIGHT]
    if len(same) < 2 or _angle(own.gains, middle) > SAME_LIGHT:
        return own
    return Estimate(
        gains=np.exp(np.median([np.log(e.gains) for e in same], axis=0)),
        cast=float(np.median([e.cast for e in same])),
        mood=float(np.median([e.mood for e in same])),
        confidence=float(np.median([e.confidence for e in same])),
        disagreement=float(np.median([e.disagreement for e in same])),
        frames=len(same),
    )


def _suggest(subject: Subject, light: Estimate | None) -> Suggestion[WhiteBalanceParams]:
    member = subject.asset.id
    if light is None:
        fact = subject.facts.get("colour.cast")
        reason = fact.cannot_tell if fact is not None and fact.cannot_tell else "nobody measured it"
        return Suggestion(member=member, params=None, cannot_tell=f"The colour of the light is not known: {reason}.")
    if light.cast < LEAVE or light.degrees < SMALL:
        text = f"The white balance looks right: the chance that it is off is {light.cast:.0%}."
        right = Because(evidence="colour.cast", value=light.cast, text=text, code="white_balance.right")
        return Suggestion(member=member, params=WhiteBalanceParams(), score=round(1 - light.cast, 4), because=(right,))
    doubt = _doubt(light)
    if doubt is not None:
        return Suggestion(member=member, params=None, cannot_tell=doubt.text, because=(doubt,))
    params = params_of(light.gains)
    half = WhiteBalanceParams(mired=float(round(params.mired / 2)), tint=round(params.tint) / 2)
    return Suggestion(
        member=member,
        params=params,
        score=light.confidence,
        because=_reasons(light, params),
        alternatives=(half, WhiteBalanceParams()),
    )


def _doubt(light: Estimate) -> Because | None:
    """Why a picture that may have a cast is left to a person: it may be meant so, or the cast is not sure enough."""
    cast, mood = (np.log(p / (1 - p)) for p in np.clip((light.cast, light.mood), 1e-3, 1 - 1e-3))
    if cast - mood / 2 >= ACT:
        return None
    if light.mood > 0.5:
        text = f"Coloured light, or nothing neutral in the picture ({light.mood:.0%} sure): perhaps it is meant so."
        return Because(evidence="colour.mood", value=light.mood, text=text, code="white_balance.mood")
    text = f"The estimators are {light.disagreement:.0f}° apart, and a cast is only {light.cast:.0%} likely."
    return Because(evidence="colour.cast", value=light.cast, text=text, code="white_balance.undecided")


def _reasons(light: Estimate, params: WhiteBalanceParams) -> tuple[Because, ...]:
    """The cast in words and numbers, how well it is known, and whose estimate it is."""
    kelvin = round(1e6 / (DAYLIGHT + params.mired), -2)
    side = {
        "warm": f"Too warm: a grey is {light.degrees:.0f}° off, as in light of {kelvin:.0f} K.",
        "cool": f"Too cool: a grey is {light.degrees:.0f}° off, as in light of {kelvin:.0f} K.",
        "green": f"Too green: a grey is {light.degrees:.0f}° off ({params.tint:+.1f} tint).",
        "magenta": f"Too magenta: a grey is {light.degrees:.0f}° off ({params.tint:+.1f} tint).",
    }[_direction(light.gains)]
    sure = f"The chance of a cast is {light.cast:.0%}; the estimators are {light.disagreement:.0f}° apart."
    reasons = (
        Because(evidence="colour.gains", value=light.gains.tolist(), text=side, code="white_balance.cast"),
        Because(evidence="colour.cast", value=light.cast, text=sure, code="white_balance.sure"),
    )
    if light.frames == 1:
        return reasons
    text = f"The same correction for {light.frames} frames in the same light."
    return (*reasons, Because(evidence="colour.gains", value=light.frames, text=text, code="white_balance.scene"))


def _direction(gains: Vector) -> str:
    """The side of the light that these gains take out."""
    red, green, blue = -np.log(gains)
    amber, green_side = (red - blue) / np.sqrt(2), (2 * green - red - blue) / np.sqrt(6)
    if abs(amber) >= abs(green_side):
        return "warm" if amber > 0 else "cool"
    return "green" if green_side > 0 else "magenta"


def _angle(one: Vector, other: Vector) -> float:
    """Degrees between grey and what `one` makes of a colour that `other` makes grey."""
    ratio = one / other
    return float(np.degrees(np.arccos(np.clip(ratio.sum() / np.linalg.norm(ratio) / np.sqrt(3), -1, 1))))


# ---------------------------------------------------------------- render and check


def render(frame: Frame, params: WhiteBalanceParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """Diagonal gains in linear sRGB primaries, as one matrix on linear Rec.2020; nothing is clipped."""
    if params == WhiteBalanceParams():
        return frame
    return _through(frame, gains_of(params))


def _through(frame: Frame, gains: Vector) -> Frame:
    matrix = np.linalg.solve(SRGB_OF_2020, gains[:, None] * SRGB_OF_2020)
    return frame.with_pixels(np.asarray(cv2.transform(frame.pixels, matrix), np.float32))


def check(before: Frame, after: Frame, params: WhiteBalanceParams) -> Sequence[Measure]:
    """Whether a neutral went where the params say, and how much was newly clipped on an sRGB display."""
    was, now = (_srgb(frame).reshape(-1, 3) for frame in (before, after))
    done = np.maximum(now.mean(0, dtype=np.float64), 1e-6) / np.maximum(was.mean(0, dtype=np.float64), 1e-6)
    off = _angle(done, gains_of(params))
    clipped = float((now > 1).any(1).mean() - (was > 1).any(1).mean())
    return (
        Measure(name="white_balance.off", value=min(off / OFF / 2, 1.0), unit="fault"),
        Measure(name="white_balance.clipped", value=float(np.clip(clipped / CLIPPED / 2, 0, 1)), unit="fault"),
    )


def _srgb(frame: Frame) -> NDArray[np.float32]:
    return np.asarray(cv2.transform(frame.pixels, SRGB_OF_2020), np.float32)


def spoil(before: Frame, params: WhiteBalanceParams) -> Frame:
    """The correction, and a strong magenta cast on top."""
    return _through(before, gains_of(params) * (1.5, 0.7, 1.5))


def material(one: WhiteBalanceParams, other: WhiteBalanceParams) -> bool:
    """Whether two corrections differ by more than 3 degrees, which a careful viewer names."""
    return _angle(gains_of(one), gains_of(other)) > 3.0


operator: Operator[WhiteBalanceParams] = Operator(
    name="white_balance",
    version=1,
    params=WhiteBalanceParams,
    risk=Risk(complexity=0.3, cost=0.2),
    stage=Stage.LIGHT,
    needs=("colour.cast", "colour.gains", "colour.mood", "colour.confidence", "colour.disagreement"),
    scope=Scope.SCENE,
    pointwise=True,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    examples=(WhiteBalanceParams(mired=60.0), WhiteBalanceParams(mired=-30.0, tint=10.0)),
    about="Takes out the colour of a light that the picture was wrongly balanced for.",
)
