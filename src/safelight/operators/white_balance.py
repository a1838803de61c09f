"""White balance: takes the colour of the light out where the picture says clearly what it was.

Params name the light that a picture was made in and wrongly balanced for, as the sliders of raw converters do:
`mired` on the warm (+) or cool (-) side of 6504 K daylight, `tint` in thousandths of Duv to the green (+) or
magenta (-) side of the Planckian locus. The gains are exactly the linear sRGB white of 6504 K over that of the named
light, scaled so that a neutral keeps its luminance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Measure, Scope
from safelight.media.colour import LUMINANCE_709, brightest
from safelight.media.frame import Frame
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes, _relative
from safelight.operators._relative import Relative
from safelight.params import declare

Vector = NDArray[np.float64]

DAYLIGHT = 1e6 / 6504  # mired
XYZ_OF_SRGB = np.array(  # IEC 61966-2-1
    ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
)
SRGB_OF_2020 = np.array(  # linear, both D65; ITU-R BT.2087
    ((1.6604910, -0.5876411, -0.0728499), (-0.1245505, 1.1328999, -0.0083494), (-0.0181508, -0.1005789, 1.1187297))
)
ACT = 1.0  # log odds of a cast, less half of those of a mood, from which a correction is proposed
LEAVE = 0.5  # chance of a cast below which the picture is called right
SAME_LIGHT = 5.0  # degrees between two frames' estimates up to which their light is taken as one
CHART_LIGHT = 15.0  # degrees between a frame's estimate and the scene's chart from which its light is another
BY_OWN_CHART, BY_CHART, BY_CARD = 0.97, 0.9, 0.75  # scores
CAMERAS_DIFFER = 14.0  # degrees between frames that show the same things, beyond which it is another light
OUTLIER = 5.0  # degrees between frames that show the same things, from which a frame is named
EVEN = 1.0  # degrees, about one ΔE00 of a grey: smaller differences between frames are not seen, and left
BY_OTHERS = 0.85  # score
EVENED = "white_balance.even"
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
    return np.asarray(gains / (gains @ LUMINANCE_709))


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
    """One correction for all frames of a scene that agree about the light; others are judged alone.

    Frames of a scene with a chart follow its grey patches, unless their own light is clearly another.
    """
    found = [_estimate(subject) for subject in subjects]
    known = [e for e in found if e is not None]
    charts = _charts(subjects)
    even = {s.member: s for linked in _relative.linked(subjects) for s in _evened(linked)}
    made = []
    for subject, estimate in zip(subjects, found, strict=True):
        if subject.asset.id in even:
            made.append(even[subject.asset.id])
        elif (chart := _chart_of(subject, estimate, charts)) is not None:
            made.append(_by_chart(subject, *chart))
        else:
            made.append(_suggest(subject, estimate and _shared(estimate, known)))
    return made


# ---------------------------------------------------------------- frames that show the same things


def _evened(linked: Sequence[tuple[Subject, Relative]]) -> list[Suggestion[WhiteBalanceParams]]:
    """One light for frames that show the same things, and each frame's own difference from it taken out.

    A chart among them says what the light was; else their estimates, brought to the middle of the set, do so together.
    Coloured light that may be meant so is left as it is, and so is a frame that differs by more than cameras do.
    """
    charts = _charts([s for s, _ in linked])
    if charts:
        subject, gains = charts[0]
        tint = next(own.tint for s, own in linked if s is subject)
        return _evenly(linked, gains * tint, chart=subject)
    estimates = [(estimate, own) for s, own in linked if (estimate := _estimate(s)) is not None]
    if not estimates:
        return []
    light = _together(estimates)
    if light.cast < LEAVE or light.degrees < SMALL:
        return _evenly(linked, np.ones(3))
    doubt = _doubt(light)
    if doubt is not None and doubt.code == "white_balance.mood":
        return [Suggestion(member=s.asset.id, params=None, cannot_tell=doubt.text, because=(doubt,)) for s, _ in linked]
    return _evenly(linked, np.ones(3)) if doubt is not None else _evenly(linked, light.gains, light=light)


def _together(estimates: Sequence[tuple[Estimate, Relative]]) -> Estimate:
    """The frames' estimates as one, at the middle of the set: medians, so that no frame pulls alone."""
    gains = np.array([estimate.gains * own.tint for estimate, own in estimates])
    middle = np.exp(np.median(np.log(gains), 0))
    only = [estimate for estimate, _ in estimates]
    return Estimate(
        gains=np.asarray(middle / (middle @ LUMINANCE_709)),
        cast=float(np.median([e.cast for e in only])),
        mood=float(np.median([e.mood for e in only])),
        confidence=float(np.median([e.confidence for e in only])),
        disagreement=float(np.median([e.disagreement for e in only])),
        frames=len(only),
    )


def _evenly(
    linked: Sequence[tuple[Subject, Relative]],
    base: Vector,
    *,
    light: Estimate | None = None,
    chart: Subject | None = None,
) -> list[Suggestion[WhiteBalanceParams]]:
    """For every frame `base`, the correction at the middle of the set, less what the frame has differently."""
    wanted = [_near(base / own.tint) for _, own in linked]
    tints = np.array([own.tint for _, own in linked])
    before = _relative.spread_de00(tints)
    after = _relative.spread_de00(tints * [gains_of(params) for params in wanted])
    text = f"A grey in frames that share content spreads by ΔE00 {before:.1f}, with these corrections by {after:.1f}."
    spread = Because(evidence="scene.spread.de00", value=round(before, 2), text=text, code="white_balance.spread")
    reasons: list[Because] = []
    if chart is not None:
        text = f"The light is that on {_grey_thing(chart)} in {chart.path}."
        reasons = [Because(evidence="chart.gains", value=base.tolist(), text=text, code="white_balance.chart")]
    elif light is not None:
        reasons = list(_reasons(light, params_of(light.gains)))
    score = _chart_score(chart) if chart is not None else light.confidence if light is not None else BY_OTHERS
    made: list[Suggestion[WhiteBalanceParams]] = []
    for (subject, own), params in zip(linked, wanted, strict=True):
        off = _angle(own.tint, np.ones(3))
        if off > CAMERAS_DIFFER and chart is None:
            text = f"The same things differ by {off:.0f}° from the scene's other frames: perhaps in another light."
            made.append(Suggestion(member=subject.asset.id, params=None, cannot_tell=text))
            continue
        seen = Because(evidence="light.relative", value=round(off, 2), text=_apart(own, off, len(linked)), code=EVENED)
        because = (*reasons, seen, spread)
        others = tuple(p for p in (_near(1 / own.tint), WhiteBalanceParams()) if p != params)
        made.append(
            Suggestion(member=subject.asset.id, params=params, score=score, because=because, alternatives=others)
        )
    return made


def _apart(own: Relative, off: float, count: int) -> str:
    """How a frame differs from the middle of its set, in words; one that is far off is named."""
    if off < OUTLIER:
        return f"The same things are {off:.1f}° off the middle of the {count} frames that show them."
    return {
        "warm": f"This frame is {off:.0f}° warmer than the scene's other frames of the same things.",
        "cool": f"This frame is {off:.0f}° cooler than the scene's other frames of the same things.",
        "green": f"This frame is {off:.0f}° greener than the scene's other frames of the same things.",
        "magenta": f"This frame is {off:.0f}° more magenta than the scene's other frames of the same things.",
    }[_direction(1 / own.tint)]


def _near(gains: Vector) -> WhiteBalanceParams:
    """The params of these gains; none where they hardly differ from 1."""
    return params_of(gains) if _angle(gains, np.ones(3)) >= EVEN else WhiteBalanceParams()


# ---------------------------------------------------------------- frames of a scene with a chart, and others


def _charts(subjects: Sequence[Subject]) -> list[tuple[Subject, Vector]]:
    """Frames with a chart and what its greys say; with a grey card where no frame has a chart."""
    for name in ("chart.gains", "card.gains"):
        found = [(subject, gains) for subject in subjects if (gains := _chart_gains(subject, name)) is not None]
        if found:
            return found
    return []


def _chart_gains(subject: Subject, name: str) -> Vector | None:
    """What makes a chart or card grey; a card that says quite another light than the picture is none."""
    found = subject.facts.get(name)
    if found is None or not _is_gains(found.value):
        return None
    gains, own = np.asarray(found.value, np.float64), _estimate(subject)
    if name == "card.gains" and (own is None or _angle(own.gains, gains) > CHART_LIGHT):
        return None
    return gains


def _grey_thing(subject: Subject) -> str:
    """What is grey in a frame, in words."""
    return "the ColorChecker" if "chart.gains" in subject.facts else "what seems a grey card"


def _chart_of(
    subject: Subject, own: Estimate | None, charts: Sequence[tuple[Subject, Vector]]
) -> tuple[Subject, Vector] | None:
    """The chart whose light a frame stands in: its own, or the nearest in time that the same body saw."""
    of_body = [
        (abs(_moment(other) - _moment(subject)), other.path, other, gains)
        for other, gains in charts
        if other.asset.capture.body == subject.asset.capture.body
        and (own is None or _angle(own.gains, gains) <= CHART_LIGHT)
    ]
    mine = next(((other, gains) for other, gains in charts if other.asset.id == subject.asset.id), None)
    if mine is not None or not of_body:
        return mine
    _, _, other, gains = min(of_body, key=lambda one: one[:2])
    return other, gains


def _moment(subject: Subject) -> float:
    """Seconds on the clock; 0 where it is not known."""
    at = subject.asset.capture.at
    return 0.0 if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()


def _chart_score(chart: Subject, *, own: bool = False) -> float:
    if "chart.gains" not in chart.facts:
        return BY_CARD
    return BY_OWN_CHART if own else BY_CHART


def _by_chart(subject: Subject, other: Subject, gains: Vector) -> Suggestion[WhiteBalanceParams]:
    own = other.asset.id == subject.asset.id
    off = _angle(gains, np.ones(3))
    text = f"The grey of {_grey_thing(other)} in {'this frame' if own else other.path} is {off:.1f}° from neutral."
    return Suggestion(
        member=subject.asset.id,
        params=params_of(gains),
        score=_chart_score(other, own=own),
        because=(Because(evidence="chart.gains", value=gains.tolist(), text=text, code="white_balance.chart"),),
        alternatives=(WhiteBalanceParams(),),
    )


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
    was, now = (_srgb(frame) for frame in (before, after))
    done, had = (np.maximum(cv2.mean(light)[:3], 1e-6) for light in (now, was))
    off = _angle(done / had, gains_of(params))
    clipped = float((brightest(now) > 1).mean() - (brightest(was) > 1).mean())
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
    needs=(
        "colour.cast",
        "colour.gains",
        "colour.mood",
        "colour.confidence",
        "colour.disagreement",
        "chart.gains",
        "light.relative",
        "scene.spread.de00",
    ),
    scope=Scope.SCENE,
    pointwise=True,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="the light's colour differs by more than 3 degrees of reproduction angle",
    examples=(WhiteBalanceParams(mired=60.0), WhiteBalanceParams(mired=-30.0, tint=10.0)),
    about="Takes out the colour of a light that the picture was wrongly balanced for.",
)
