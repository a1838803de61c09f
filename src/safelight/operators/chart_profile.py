"""Chart profile: the colours of a camera in one light, corrected by the ColorChecker that was photographed in it.

White balance and exposure make the chart's greys right; what is left in its colours is the camera's own, and 18 numbers
of a root polynomial (`media.rootpoly`) take most of it out, for all frames of the same body in the same scene. It
stands in the light, after white balance and exposure and before any look: a look changes colours on purpose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Measure, Scope
from safelight.media import rootpoly
from safelight.media.colorchecker import LABS
from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020, brightest, delta_e_lab, lab_of_linear
from safelight.media.frame import Frame
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.operators.white_balance import gains_of, params_of
from safelight.params import declare

Floats = NDArray[np.float64]

WORTH = 0.5  # ΔE00 by which colours that were not fitted must come closer, or nothing is proposed
LIKELY = 0.9  # score of a profile that takes the colours to nothing; less by what is left
MOST = 8.0  # of a coefficient
MOST_CLIPPED = 4  # patches, of 24, that may be left out
LOST = 0.1  # this share of pixels newly lost in black or white is a fault
OFF = 0.02  # of display white, between what was asked and what came out, that is a fault
MATERIAL = 0.05  # of any coefficient


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartProfileParams:
    """Six numbers for each of red, green and blue in linear Rec.2020."""

    coefficients: tuple[float, ...] = declare(
        rootpoly.IDENTITY, low=-MOST, high=MOST,
        help="three rows of six: shares of red, green, blue, √(red·green), √(green·blue), √(red·blue); "
        "rows that sum to 1 keep grey grey",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if len(self.coefficients) != len(rootpoly.IDENTITY):
            raise ValueError(f"needs {len(rootpoly.IDENTITY)} coefficients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A fitted profile and the mean ΔE00 of the patches: balanced only, fitted, and each fitted without itself."""

    path: str
    body: str | None
    params: ChartProfileParams
    edition: str
    balanced: float
    fitted: float
    left_out: float


# ---------------------------------------------------------------- propose


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[ChartProfileParams]]:  # noqa: ARG001
    """The profile of the scene's chart for every frame of the same body; nothing where there is no chart."""
    found = [(subject, profile) for subject in subjects if (profile := _profile(subject)) is not None]
    made = []
    for subject in subjects:
        of_body = [profile for _, profile in found if profile.body == subject.asset.capture.body]
        own = next((profile for other, profile in found if other.asset.id == subject.asset.id), None)
        best = own or min(of_body, key=lambda profile: (profile.left_out, profile.path), default=None)
        if best is not None:
            made.append(_suggest(subject, best, own=own is not None))
    return made


def _profile(subject: Subject) -> Profile | None:
    gains, ev, clipped = (subject.facts.get(f"chart.{name}") for name in ("gains", "ev", "clipped"))
    patches = subject.facts.get("chart.patches")
    if any(fact is None or fact.value is None for fact in (gains, ev, clipped, patches)):
        return None
    assert gains is not None
    assert patches is not None
    assert clipped is not None
    kept = np.setdiff1d(np.arange(24), np.asarray(clipped.value, int))
    if len(kept) < 24 - MOST_CLIPPED:
        return None
    balance = gains_of(params_of(np.asarray(gains.value, np.float64))) * 2.0 ** (subject.number("chart.ev") or 0.0)
    light = (np.asarray(patches.value, np.float64) @ SRGB_FROM_REC2020.T * balance @ REC2020_FROM_SRGB.T)[kept]
    return min((_fitted(subject, light, name, kept) for name in LABS), key=lambda profile: profile.fitted)


def _fitted(subject: Subject, light: Floats, edition: str, kept: NDArray[np.intp]) -> Profile:
    wanted = LABS[edition][kept]
    whole = rootpoly.fit(light, wanted)
    coefficients = tuple(float(c) for c in np.round(np.clip(whole, -MOST, MOST), 5))
    apart = [
        float(_differences(light[[i]], rootpoly.fit(light, wanted, but=i, start=coefficients), wanted[[i]])[0])
        for i in range(len(light))
    ]
    return Profile(
        path=subject.path,
        body=subject.asset.capture.body,
        params=ChartProfileParams(coefficients=coefficients),
        edition=edition,
        balanced=float(_differences(light, rootpoly.IDENTITY, wanted).mean()),
        fitted=float(_differences(light, coefficients, wanted).mean()),
        left_out=float(np.mean(apart)),
    )


def _differences(light: Floats, coefficients: Sequence[float] | Floats, wanted: Floats) -> Floats:
    seen = lab_of_linear(rootpoly.corrected(light, coefficients) @ SRGB_FROM_REC2020.T)
    return np.asarray(delta_e_lab(seen, wanted), np.float64)


def _suggest(subject: Subject, found: Profile, *, own: bool) -> Suggestion[ChartProfileParams]:
    if found.balanced - found.left_out < WORTH:
        reason = (
            f"Beyond white balance and exposure the chart in {found.path} asks for little: ΔE00 {found.balanced:.1f} "
            f"as it is, {found.left_out:.1f} for colours that were not fitted."
        )
        return Suggestion(member=subject.asset.id, params=None, cannot_tell=reason)
    fitted = (
        f"The ColorChecker{'' if own else f' in {found.path}'} comes from ΔE00 {found.balanced:.1f} to "
        f"{found.fitted:.1f} on average, taken as made {found.edition}."
    )
    tested = f"Each patch left out of the fit in turn comes to ΔE00 {found.left_out:.1f}: so other colours fare."
    return Suggestion(
        member=subject.asset.id,
        params=found.params,
        score=round(float(np.clip(LIKELY - found.left_out / 10, 0, 1)), 3),
        because=(
            Because(evidence="chart.patches", value=round(found.fitted, 2), text=fitted, code="chart_profile.fitted"),
            Because(evidence="chart.patches", value=round(found.left_out, 2), text=tested, code="chart_profile.tested"),
        ),
        alternatives=(ChartProfileParams(),),
    )


# ---------------------------------------------------------------- render and check


def render(frame: Frame, params: ChartProfileParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """The root polynomial on scene-linear light; nothing is clipped."""
    if params == ChartProfileParams():
        return frame
    return frame.with_pixels(rootpoly.apply(frame.pixels, params.coefficients))


def check(before: Frame, after: Frame, params: ChartProfileParams) -> Sequence[Measure]:
    """Whether colours went where the params say, and how much was lost in black or white that was not lost before."""
    asked = rootpoly.apply(before.pixels, params.coefficients)
    off = float(np.median(np.abs(after.pixels - asked))) if asked.size else 0.0
    lost = _lost(after) - _lost(before)
    return (
        Measure(name="chart_profile.off", value=min(1.0, off / OFF / 2), unit="fault"),
        Measure(name="chart_profile.lost", value=float(np.clip(lost / LOST / 2, 0, 1)), unit="fault"),
    )


def _lost(frame: Frame) -> float:
    light = brightest(frame.pixels)
    return float(((light <= 0) | (light >= 1)).mean())


def spoil(before: Frame, params: ChartProfileParams) -> Frame:  # noqa: ARG001
    """Twice the light in green, half of it in red."""
    return before.with_pixels(before.pixels * np.array((0.3, 3.0, 1.0), np.float32) + np.float32(0.1))


def material(before: ChartProfileParams, after: ChartProfileParams) -> bool:
    """Whether colours differ visibly."""
    pairs = zip(before.coefficients, after.coefficients, strict=True)
    return max(abs(a - b) for a, b in pairs) >= MATERIAL


operator: Operator[ChartProfileParams] = Operator(
    name="chart_profile",
    version=1,
    params=ChartProfileParams,
    risk=Risk(complexity=0.3, cost=0.3),
    stage=Stage.LIGHT,
    rank=20,  # after white balance and exposure
    needs=("chart.patches", "chart.clipped", "chart.gains", "chart.ev"),
    scope=Scope.SCENE,
    pointwise=True,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="any coefficient differs by 0.05 or more of linear white",
    examples=(
        ChartProfileParams(
            coefficients=(
                1.1,
                -0.1,
                -0.1,
                0.1,
                0.0,
                0.0,
                -0.05,
                1.1,
                -0.1,
                0.05,
                0.0,
                0.0,
                0.0,
                -0.1,
                1.1,
                0.0,
                0.0,
                0.0,
            )
        ),
    ),
    about="Corrects the camera's colours by the ColorChecker that was photographed in the same light.",
)
