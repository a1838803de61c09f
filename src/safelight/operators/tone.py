"""Tone: highlights, shadows, white and black point, contrast; one curve for the whole picture.

Sliders go from -100 to 100, as photographers know them; what 100 does is said at each, and is no other program's
meaning. Proposed is what the probe `tone` misses, for the exposure that is proposed beside it, three quarters of the
way, and no further than the frame can take: highlights that would clip, shadows that would drown, noise that would be
lifted, levels that would tear apart. What was held back is said in numbers. Frames of one scene get one curve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Measure, Scope
from safelight.media import tone as curves
from safelight.media.colour import SRGB_FROM_REC2020, brightest, dimmest, encode, encoded8, sparse
from safelight.media.frame import Frame, Pixels
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes, exposure
from safelight.operators._sliders import SLIDERS, Held, Limits, encoded, hold, solve, tightest
from safelight.params import declare

Vector = NDArray[np.float64]

LEAVE, ACT = 0.65, 0.8  # chance of a fault below which tones are right, and from which a curve is proposed
STRENGTH = 0.75  # of what the probe misses: the rest is left to taste
SAME_TONES = 0.05  # encoded: frames of a scene whose moves lie this close together share them
SMALL = 5.0  # of a slider: a curve that moves none further is none
HELD = 0.05  # EV: less is not worth a word
EIGHT_BITS = frozenset({"jpeg", "png", "webp", "heic", "avif"})
MATERIAL = 3.0  # L*, of any tone: what a careful viewer sees side by side
LOST = 0.02  # share of pixels newly lost in black or white that is a fault
OFF = 0.25  # EV between the asked and the measured change of a tone that is a fault
TWISTED = 6.0  # degrees in CIE L*a*b*, of the 95th percentile of coloured pixels, that is a fault
COLOURED = 12.0  # C*: hues of paler pixels are not looked at
TORN = 0.25  # share of the range in gaps of `GAP` unused levels or more, newly, that is a fault
GAP = 3
BLACK = 1 / 255 / 12.92  # light of the darkest byte above black
SEEN = {  # what is seen where a slider goes up, and where it goes down
    "highlights": ("Bright tones are too dark.", "Bright tones are too close to white."),
    "shadows": ("Shadows are too dark.", "Shadows are too bright."),
    "whites": ("Nothing comes near white.", "Too much lies at white."),
    "blacks": ("The darkest tones are blocked.", "Nothing comes near black."),
    "contrast": ("The middle is flat.", "The contrast is too hard."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneParams:
    """What happens to which tones. Positive is brighter, or more contrast; black itself stays black."""

    highlights: float = declare(
        0.0, low=-100.0, high=100.0, step=1.0,
        help="tones about three quarters of the range: 100 lifts them by a third of a stop, -100 lowers them by 0.8",
    )  # fmt: skip
    shadows: float = declare(
        0.0, low=-100.0, high=100.0, step=1.0, help="tones four stops below white and darker: 100 lifts by one stop"
    )
    whites: float = declare(
        0.0, low=-100.0, high=100.0, step=1.0, help="white and what is near: 100 lifts it by 0.3 of the encoded range"
    )
    blacks: float = declare(
        0.0, low=-100.0, high=100.0, step=1.0, help="darkest tones: -100 makes a quarter of the encoded range black"
    )
    contrast: float = declare(
        0.0, low=-100.0, high=100.0, step=1.0, help="slope in the middle of the range: half as much again at 100"
    )


# ---------------------------------------------------------------- propose


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a frame lacks, or the frames of a scene do; tones are encoded and after the exposure proposed beside."""

    fault: float  # chance that the tones are off
    tones: Vector  # at the shares of the probe
    moves: Vector  # of these tones
    limits: Limits
    ev: float
    frames: int = 1


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[ToneParams]]:
    """One curve for the frames of a scene that lack the same; none for brackets, focus stacks and panoramas."""
    free = [s for s in subjects if not any(group.protected for group in s.groups)]
    brighter = {s.member: s.params.ev for s in exposure.propose(free, wishes) if s.params is not None}
    found = [_wanted(subject, brighter.get(subject.asset.id, 0.0)) for subject in free]
    known = [wanted for wanted in found if wanted is not None]
    return [_suggest(s, wanted and _shared(wanted, known)) for s, wanted in zip(free, found, strict=True)]


def _wanted(subject: Subject, ev: float) -> Wanted | None:
    """The probe's answer for this exposure; in a straight line between those that it gave."""
    found, seen = subject.facts.get("tone.moves"), _tones(subject)
    if found is None or not isinstance(found.value, Mapping) or seen is None:
        return None
    rows = np.array(found.value["by_ev"], np.float64)
    fault, *moves = (float(np.interp(ev, rows[:, 0], column)) for column in rows[:, 1:].T)
    places = np.interp(np.array(found.value["shares"], np.float64), seen[:, 0], np.minimum(seen[:, 1] + ev, 0))
    tones = np.asarray(encode(2.0**places), np.float64)
    return Wanted(fault=fault, tones=tones, moves=np.array(moves), limits=_limits(subject, ev, float(tones[0])), ev=ev)


def _limits(subject: Subject, ev: float, floor: float) -> Limits:
    headroom = subject.number("clip.headroom")
    return Limits(
        top=encoded(min(0.0, ev - headroom)) if headroom is not None else 1.0,
        floor=floor,
        noise=subject.number("noise.sigma"),
        eight_bits=subject.asset.format in EIGHT_BITS,
    )


def _shared(own: Wanted, known: Sequence[Wanted]) -> Wanted:
    """The middle of the scene where it lacks the same, as far as all can take it; else the frame's own."""
    middle = np.median([w.moves for w in known], axis=0)
    same = [w for w in known if float(np.abs(w.moves - middle).max()) <= SAME_TONES]
    if len(same) < 2 or float(np.abs(own.moves - middle).max()) > SAME_TONES:
        return own
    return Wanted(
        fault=float(np.median([w.fault for w in same])),
        tones=np.median([w.tones for w in same], axis=0),
        moves=np.median([w.moves for w in same], axis=0),
        limits=tightest([w.limits for w in same]),
        ev=own.ev,
        frames=len(same),
    )


def _tones(subject: Subject) -> Vector | None:
    """Shares of pixels and the tones below which they lie (EV from white), n x 2."""
    found = subject.facts.get("luma.quantiles")
    return None if found is None or found.value is None else np.array(found.value, np.float64).reshape(-1, 2)


def _suggest(subject: Subject, wanted: Wanted | None) -> Suggestion[ToneParams]:
    member = subject.asset.id
    if wanted is None:
        return Suggestion(member=member, params=None, cannot_tell=_why_not(subject.facts))
    if wanted.fault < LEAVE:
        text = f"The tones look right: the chance that they are not is {wanted.fault:.0%}."
        right = Because(evidence="tone.fault", value=round(wanted.fault, 4), text=text, code="tone.right")
        return Suggestion(member=member, params=ToneParams(), score=round(1 - wanted.fault, 4), because=(right,))
    if wanted.fault < ACT:
        text = f"The tones may be meant so: a fault is {wanted.fault:.0%} likely, and {ACT:.0%} would be enough."
        doubt = Because(evidence="tone.fault", value=round(wanted.fault, 4), text=text, code="tone.undecided")
        return Suggestion(member=member, params=None, cannot_tell=text, because=(doubt,))
    sliders, held = hold(solve(wanted.tones, STRENGTH * wanted.moves), wanted.limits)
    if float(np.abs(sliders).max()) < SMALL:
        text = "What could be done without harm is too little to be seen."
        little = Because(evidence="tone.fault", value=round(wanted.fault, 4), text=text, code="tone.little")
        because = (little, *_holdings(held))
        return Suggestion(member=member, params=ToneParams(), score=round(1 - wanted.fault, 4), because=because)
    params = _params(sliders)
    simple, _ = hold(solve(wanted.tones, STRENGTH * wanted.moves, only=("contrast",)), wanted.limits)
    others = (_params(np.rint(sliders / 2)), _params(simple))
    return Suggestion(
        member=member,
        params=params,
        score=round(wanted.fault, 4),
        because=(*_reasons(subject, wanted, params), *_holdings(held)),
        alternatives=tuple(other for other in dict.fromkeys(others) if other not in (params, ToneParams())),
    )


def _why_not(facts: Mapping[str, Measure]) -> str:
    found = facts.get("tone.moves")
    if found is None or found.cannot_tell is None:
        return "The tones were not measured."
    return f"The tones cannot be told: {found.cannot_tell}."


def _params(sliders: Vector) -> ToneParams:
    return ToneParams(**{name: float(value) + 0.0 for name, value in zip(SLIDERS, sliders, strict=True)})


def _reasons(subject: Subject, wanted: Wanted, params: ToneParams) -> tuple[Because, ...]:
    """What is seen at which tones, the ends of the histogram, the exposure that is assumed, the scene."""
    order = sorted(SLIDERS, key=lambda name: -abs(getattr(params, name)))
    reasons = [
        Because(evidence="tone.moves", value=value, text=SEEN[name][value < 0], code=f"tone.{name}")
        for name in order[:2]
        if abs(value := getattr(params, name)) >= SMALL
    ]
    text = f"The chance that the tones are off is {wanted.fault:.0%}."
    reasons.append(Because(evidence="tone.fault", value=round(wanted.fault, 4), text=text, code="tone.sure"))
    floor, ceiling = subject.number("tone.floor"), subject.number("tone.ceiling")
    if floor is not None and ceiling is not None:
        low, high = (encoded(min(0.0, end + wanted.ev)) for end in (floor, ceiling))
        text = f"The tones reach from {low:.0%} to {high:.0%} of the range."
        reasons.append(Because(evidence="tone.floor", value=floor, text=text, code="tone.range"))
    if wanted.ev:
        text = f"Meant for the picture at {wanted.ev:+.1f} EV, as its exposure is proposed."
        reasons.append(Because(evidence="exposure.ev", value=wanted.ev, text=text, code="tone.exposure"))
    if wanted.frames > 1:
        text = f"The same curve for {wanted.frames} frames of the scene."
        reasons.append(Because(evidence="tone.moves", value=wanted.frames, text=text, code="tone.scene"))
    return tuple(reasons)


def _holdings(held: Sequence[Held]) -> tuple[Because, ...]:
    """What the frame could not take, in numbers."""
    why = {
        "highlights": ("clip.headroom", f"more would clip over {exposure.HEADROOM_SHARE:.1%} of the pixels"),
        "shadows": ("luma.quantiles", "more would bury the darkest tones"),
        "noise": ("noise.sigma", "more would lift the noise with the shadows"),
        "levels": ("luma.quantiles", "more would tear its eight bits apart"),
    }
    found = []
    for item in held:
        evidence, reason = why[item.by]
        if item.by == "levels":
            text = f"Held back by {item.amount:.0%}: {reason}."
        elif item.amount >= HELD:
            text = f"Held {item.amount:.1f} EV back: {item.by}; {reason}."
        else:
            continue
        found.append(Because(evidence=evidence, value=round(item.amount, 3), text=text, code=f"tone.held_{item.by}"))
    return tuple(found)


# ---------------------------------------------------------------- render and check


def render(frame: Frame, params: ToneParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """Light through the curve, hues as they are; nothing is clipped."""
    if params == ToneParams():
        return frame
    return frame.with_pixels(curves.apply(frame.pixels, curves.table_of(**asdict(params))))


def check(before: Frame, after: Frame, params: ToneParams) -> Sequence[Measure]:
    """Whether tones went where they were sent, what was newly lost, hues turned, and levels torn apart.

    A curve that is the same everywhere makes no halo, so none is looked for."""
    was, now = _srgb(before), _srgb(after)
    light, done = brightest(was), brightest(now)
    lost = float(((done >= 1) & (light < 1)).mean()), float(((done < BLACK) & (light >= BLACK)).mean())
    twist = _twist(sparse(was), sparse(now))
    return (
        Measure(name="tone.off", value=min(1.0, _off(sparse(light), sparse(done), params) / OFF / 2), unit="fault"),
        Measure(name="tone.new_clipping", value=round(lost[0], 5), unit="share"),
        Measure(name="tone.blown", value=min(1.0, lost[0] / LOST / 2), unit="fault"),
        Measure(name="tone.buried", value=min(1.0, lost[1] / LOST / 2), unit="fault"),
        Measure(name="tone.hue", value=min(1.0, twist / TWISTED / 2), unit="fault"),
        Measure(name="tone.torn", value=float(np.clip((_torn(done) - _torn(light)) / TORN / 2, 0, 1)), unit="fault"),
    )


def _srgb(frame: Frame) -> Pixels:
    return np.asarray(cv2.transform(frame.pixels, SRGB_FROM_REC2020), np.float32)


def _off(light: Pixels, done: Pixels, params: ToneParams) -> float:
    """Median distance in stops between where the brightest channels went and where the curve sends them."""
    seen = (light > 1e-3) & (light < 1)
    if not seen.any():
        return 0.0
    sent = curves.through(light[seen], curves.table_of(**asdict(params)))
    return float(np.median(np.abs(np.log2(np.maximum(done[seen], 1e-5) / np.maximum(sent, 1e-5)))))


def _twist(was: Pixels, now: Pixels) -> float:
    """Degrees by which the hues of coloured pixels turned, 95th percentile."""
    lab = [cv2.cvtColor(np.clip(light, 0, 1), cv2.COLOR_LRGB2LAB) for light in (was, now)]
    inside = (dimmest(np.minimum(was, now)) >= 0) & (brightest(np.maximum(was, now)) <= 1)
    coloured = inside & np.all([np.hypot(x[..., 1], x[..., 2]) >= COLOURED for x in lab], axis=0)
    if not coloured.any():
        return 0.0
    one, other = (np.arctan2(x[..., 2], x[..., 1])[coloured] for x in lab)
    return float(np.degrees(np.quantile(np.abs(np.angle(np.exp(1j * (one - other)))), 0.95)))


def _torn(light: Pixels) -> float:
    """Share of the levels between the darkest and the brightest that lie in gaps of GAP or more unused ones."""
    used = np.flatnonzero(cv2.calcHist([encoded8(light)], [0], None, [256], (0, 256)))
    gaps = np.diff(used) - 1
    return float(gaps[gaps >= GAP].sum() / max(used[-1] - used[0], 1))


def spoil(before: Frame, params: ToneParams) -> Frame:  # noqa: ARG001
    """A curve so steep that nearly everything ends in black or white."""
    return before.with_pixels((before.pixels - np.float32(0.18)) * np.float32(1000))


def material(before: ToneParams, after: ToneParams) -> bool:
    """Whether any tone ends more than 3 L* elsewhere, which a careful viewer sees side by side."""
    one, other = (_lightness(curves.table_of(**asdict(p))) for p in (before, after))
    return float(np.abs(one - other).max()) > MATERIAL


def _lightness(light: Vector) -> Vector:
    """CIE L* of luminance, white at 1."""
    return np.where(light > (6 / 29) ** 3, 116 * np.cbrt(light) - 16, light * (29 / 3) ** 3)


operator: Operator[ToneParams] = Operator(
    name="tone",
    version=1,
    params=ToneParams,
    risk=Risk(complexity=0.4, cost=0.3),
    stage=Stage.LOOK,
    rank=10,  # after a raw's base rendering
    needs=(
        "tone.fault", "tone.moves", "tone.floor", "tone.ceiling", "noise.sigma", *exposure.operator.needs,
    ),
    scope=Scope.SCENE,
    pointwise=True,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="any tone ends more than 3 L* elsewhere",
    examples=(
        ToneParams(highlights=-40.0, shadows=35.0),
        ToneParams(whites=20.0, blacks=-30.0, contrast=15.0),
        ToneParams(highlights=100.0, shadows=100.0, whites=-60.0, blacks=40.0, contrast=-100.0),
    ),
    about="Takes haze, dull whites, blocked shadows and hot highlights back, as far as the frame can take it.",
)  # fmt: skip
