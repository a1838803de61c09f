"""Lens: straight lines made straight and coloured edges brought together, by a known profile or by the lines alone.

Coefficients are in half diagonals, so that a proposal made on a raw's preview fits the developed raw. They stand in
the params: a version means the same pixels whatever the database says later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.domain import Because, Measure
from safelight.media import bends, warp
from safelight.media.chains import chains
from safelight.media.colour import grey8
from safelight.media.frame import Frame
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare
from safelight.probes.lens import DOUBT, FOUND, Guess, estimate

NONE = (1.0,)
BENT, SPLIT = 0.001, 0.0001  # of the diagonal: bends and fringes below are left alone
SCORES = {"file": 0.95, "exact": 0.93, "fixed": 0.9, "close": 0.85, "range": 0.75}
BY_LINES = 0.75  # times the score, where the picture's lines alone say that it was not corrected
GUESSED = 0.5  # score of a bend that was found by lines
MATERIAL = 0.002  # of the diagonal by which some point moves
SAMPLES = 96  # a side of the grid of points at which `check` compares
ASIDE = 1.0  # px both ways: pixels that are off by as much are a fault however little was asked
FLAT = 1e-4  # of the square root of light: below, nothing shows where it comes from
STRAIGHT = 0.0015  # of the diagonal by which lines may be bent more than before


@dataclass(frozen=True, slots=True, kw_only=True)
class LensParams:
    """Where the corrected picture comes from: a point at r half diagonals from the middle from r · (p0 + p1 r + …)."""

    distortion: tuple[float, ...] = declare(NONE, help="coefficients of 1, r, r² …; 1 alone leaves lines as they are")
    red: tuple[float, ...] = declare(NONE, help="where red comes from, beside green, in the picture that was taken")
    blue: tuple[float, ...] = declare(NONE, help="where blue comes from, beside green")
    scale: float = declare(1.0, low=0.5, high=2.0, step=0.001, help="enlargement after it, so that corners are filled")
    profile: str = declare("", help="which lens at which setting, in words")

    def __post_init__(self) -> None:
        for name in ("distortion", "red", "blue"):
            if not getattr(self, name):
                raise ValueError(f"{name} needs one coefficient at least")


# ---------------------------------------------------------------- propose


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[LensParams]]:  # noqa: ARG001
    """One suggestion for each photo whose lens is known, or whose lines tell how it bends; else the reason why not."""
    return [_one(subject) for subject in subjects]


def _one(subject: Subject) -> Suggestion[LensParams]:
    found = subject.facts.get("lens.profile")
    if found is None:
        return _abstain(subject, "The lens was not looked up.")
    if found.cannot_tell is not None:
        return _guess(subject, found.cannot_tell)
    profile: Mapping[str, Any] = found.value  # type: ignore[assignment]
    return _known(subject, profile)


def _known(subject: Subject, profile: Mapping[str, Any]) -> Suggestion[LensParams]:
    """What the profile says, as far as it has not been done already."""
    bend, fringe = subject.number("lens.bend") or 0.0, subject.number("lens.fringe") or 0.0
    already = subject.facts.get("lens.already")
    state: Mapping[str, Any] = already.value if already and already.value else {}  # type: ignore[assignment]
    words = _words(profile)
    lines_left = bend >= BENT and state.get("lines") is False
    fringes_left = fringe >= SPLIT and state.get("fringes") is False
    full = _params(profile, subject, lines=bend >= BENT, fringes=fringe >= SPLIT)
    if already is None or already.cannot_tell is not None:
        if bend < BENT:
            return _nothing(subject, f"{words}: lines bend by less than {BENT:.1%} of the diagonal.", bend)
        why = already.cannot_tell if already and already.cannot_tell else "whether it was corrected was not measured"
        return Suggestion(
            member=subject.asset.id, params=None, alternatives=(full,), cannot_tell=f"{words}, but {why}."
        )
    if state.get("lines") and not fringes_left:
        return _nothing(subject, f"{words}: corrected already, by {state['by']}.", bend)
    params = _params(profile, subject, lines=lines_left, fringes=fringes_left)
    if params == LensParams():
        return _nothing(subject, f"{words}: lines bend by less than {BENT:.1%} of the diagonal.", bend)
    because = []
    if lines_left:
        text = f"{words}: straight lines bend by up to {bend:.1%} of the diagonal."
        because.append(Because(evidence="lens.bend", value=bend, text=text, code="lens.bend"))
    if fringes_left:
        text = f"{words}: colours part by up to {fringe:.2%} of the diagonal in the corners."
        because.append(Because(evidence="lens.fringe", value=fringe, text=text, code="lens.fringe"))
    because.append(Because(evidence="lens.already", value=dict(state), text=_untouched(state), code="lens.untouched"))
    score = SCORES.get(profile["match"], 0.5) * (BY_LINES if state.get("by") == "its lines" else 1.0)
    others = [
        _params(profile, subject, lines=lines, fringes=fringes)
        for lines, fringes in ((True, False), (False, True))
        if (lines_left or not lines) and (fringes_left or not fringes)
    ]
    return Suggestion(
        member=subject.asset.id, params=params, score=round(score, 3), because=tuple(because),
        alternatives=tuple(other for other in others if other not in (params, LensParams())),
    )  # fmt: skip


def _words(profile: Mapping[str, Any]) -> str:
    """The lens and its setting, and how it was found where its name was not written in full."""
    at = f" at {profile['focal_mm']:g} mm" if profile["focal_mm"] else ""
    how = {
        "close": " (by a name that is nearly the same)",
        "range": " (by focal length and aperture alone)",
        "file": " (by the maker's numbers in the file)",
    }
    return f"Known lens: {profile['lens']}{at}{how.get(profile['match'], '')}"


def _untouched(state: Mapping[str, Any]) -> str:
    by = state["by"]
    if by == "raw":
        return "A raw is as the lens drew it."
    if by == "its lines":
        return f"Its long edges are straighter with the profile than without (log likelihood {state['gain']:g} higher)."
    if by == "camera":
        return "The camera was set not to correct it."
    return f"{by} did not correct it."


def _guess(subject: Subject, why: str) -> Suggestion[LensParams]:
    """A bend that the lines agree on, for a lens that is not known."""
    unknown = f"{why[0].upper()}{why[1:]}."
    lines = subject.facts.get("lens.lines")
    if lines is None or lines.value is None:
        more = f" By its lines: {lines.cannot_tell}." if lines is not None and lines.cannot_tell else ""
        return _abstain(subject, unknown + more)
    value: Mapping[str, Any] = lines.value  # type: ignore[assignment]
    text = (
        f"Its {value['edges']} long edges agree that lines bend by {value['bend']:.1%} of the diagonal"
        f" (k {value['k']:+.3f} ± {value['spread']:.3f}); this is a guess."
    )
    because = (
        Because(evidence="lens.lines", value=value["k"], text=text, code="lens.lines"),
        Because(evidence="lens.profile", value=None, text=unknown, code="lens.unknown"),
    )
    params, half = (
        _filled(LensParams(distortion=_part(value["distortion"], share), profile="by its lines"), subject)
        for share in (1.0, 0.5)
    )
    return Suggestion(
        member=subject.asset.id, params=params, score=GUESSED, because=because, alternatives=(half,)
    )  # fmt: skip


def _part(polynomial: Sequence[float], share: float) -> tuple[float, ...]:
    return tuple(float(n == 0) + share * (value - (n == 0)) for n, value in enumerate(polynomial))


def _params(profile: Mapping[str, Any], subject: Subject, *, lines: bool, fringes: bool) -> LensParams:
    """The profile's numbers as far as they are asked for; the identity where nothing is."""
    distortion = tuple(profile["distortion"]) if lines and profile["distortion"] else NONE
    red = tuple(profile["red"]) if fringes and profile["red"] else NONE
    blue = tuple(profile["blue"]) if fringes and profile["blue"] else NONE
    if (distortion, red, blue) == (NONE, NONE, NONE):
        return LensParams()
    at = f" at {profile['focal_mm']:g} mm" if profile["focal_mm"] else ""
    return _filled(
        LensParams(distortion=distortion, red=red, blue=blue, profile=f"{profile['lens']}{at}"), subject
    )  # fmt: skip


def _filled(params: LensParams, subject: Subject) -> LensParams:
    """The same with the enlargement that leaves no corner without picture."""
    aspect = (subject.asset.width or 3) / (subject.asset.height or 2)
    colours = [bends.both(params.distortion, colour) for colour in (NONE, params.red, params.blue)]
    return replace(params, scale=round(bends.filling(colours, aspect) + 5e-5, 4))


def _nothing(subject: Subject, text: str, bend: float) -> Suggestion[LensParams]:
    because = (Because(evidence="lens.bend", value=bend, text=text, code="lens.nothing"),)
    return Suggestion(member=subject.asset.id, params=LensParams(), score=None, because=because)


def _abstain(subject: Subject, why: str) -> Suggestion[LensParams]:
    return Suggestion(member=subject.asset.id, params=None, cannot_tell=why)


# ---------------------------------------------------------------- render


def placement(width: int, height: int, params: LensParams) -> warp.Warp:
    """Where each pixel of the corrected picture comes from; its size stays."""
    middle, unit = ((width - 1) / 2, (height - 1) / 2), float(np.hypot(width, height) / 2)
    steps: list[warp.Step] = []
    if params.scale != 1:
        back = 1 / params.scale
        steps.append(
            np.array([[back, 0, middle[0] * (1 - back)], [0, back, middle[1] * (1 - back)], [0, 0, 1]], np.float64)
        )
    if params.distortion != NONE:
        steps.append(warp.Radial(centre=middle, unit=unit, polynomial=(params.distortion,)))
    if (params.red, params.blue) != (NONE, NONE):
        steps.append(warp.Radial(centre=middle, unit=unit, polynomial=(params.red, NONE, params.blue)))
    return warp.Warp(size=(width, height), steps=tuple(steps))


def render(frame: Frame, params: LensParams, tools: Tools) -> Frame:  # noqa: ARG001 - needs no kept objects
    """The picture resampled once, each colour from its own place."""
    return warp.apply(frame, placement(frame.width, frame.height, params))


# ---------------------------------------------------------------- check


def check(before: Frame, after: Frame, params: LensParams) -> Sequence[Measure]:
    """Whether size and pixels are as asked, no corner is empty, and lines are no less straight than before."""
    same = (after.width, after.height) == (before.width, before.height)
    return (
        Measure(name="lens.wrong_size", value=float(not same), unit="fault"),
        _empty(before, params),
        _misplaced(before, after, params) if same else _cannot("lens.misplaced", "The size is wrong."),
        _bent(before, after),
    )


def _empty(before: Frame, params: LensParams) -> Measure:
    """The share of the border that comes from outside the picture; a fiftieth is a finding."""
    width, height = before.width, before.height
    across, down = np.linspace(0, width - 1, SAMPLES), np.linspace(0, height - 1, SAMPLES)
    x = np.concatenate([across, across, np.zeros(SAMPLES), np.full(SAMPLES, width - 1.0)])
    y = np.concatenate([np.zeros(SAMPLES), np.full(SAMPLES, height - 1.0), down, down])
    slack = 0.5 + 0.0005 * float(np.hypot(width, height))
    outside = np.zeros(len(x), np.bool_)
    for channel in range(3):
        sx, sy = placement(width, height, params).back(x, y, channel)
        outside |= (np.minimum(sx, sy) < -slack) | (sx > width - 1 + slack) | (sy > height - 1 + slack)
    return Measure(name="lens.empty", value=round(min(1.0, 25 * float(outside.mean())), 4), unit="fault")


def _misplaced(before: Frame, after: Frame, params: LensParams) -> Measure:
    """How far the pixels are from those that should be there, beside how far they would be without the edit, or a
    pixel off."""
    name = "lens.misplaced"
    columns = np.unique(np.linspace(0, after.width - 1, SAMPLES).astype(np.intp))
    rows = np.unique(np.linspace(0, after.height - 1, SAMPLES).astype(np.intp))
    x, y = (places.astype(np.float64) for places in np.meshgrid(columns, rows))
    done = placement(before.width, before.height, params)
    far, asked, aside = 0.0, 0.0, 0.0
    for channel in range(3):
        should = _at(before, *done.back(x, y, channel), channel)
        far += float(np.abs(_at(after, x, y, channel) - should).mean())
        asked += float(np.abs(_at(before, x, y, channel) - should).mean())
        aside += float(np.abs(_at(before, x + ASIDE, y + ASIDE, channel) - _at(before, x, y, channel)).mean())
    if max(asked, aside) < FLAT:
        return _cannot(name, "The picture is flat.")
    return Measure(name=name, value=round(min(1.0, far / max(asked, aside)), 4), unit="fault")


def _at(frame: Frame, x: NDArray[Any], y: NDArray[Any], channel: int) -> NDArray[np.float64]:
    plane = np.ascontiguousarray(frame.pixels[..., channel])
    values = cv2.remap(
        plane, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.sqrt(np.clip(values, 0, 4)), np.float64)


def _bent(before: Frame, after: Frame) -> Measure:
    """How much more the long edges agree that lines are bent than they did before."""
    name, aspect = "lens.bent", before.width / before.height
    was = _sure(before)
    now = None if was is None else _sure(after)
    if was is None or now is None:
        return _cannot(name, "There are too few long edges.")
    more = bends.bend(now.polynomial, aspect) - bends.bend(was.polynomial, aspect) if now.gain >= FOUND else 0.0
    return Measure(name=name, value=round(float(np.clip(more / STRAIGHT / 2, 0, 1)), 4), unit="fault")


def _sure(frame: Frame) -> Guess | None:
    """What the long edges agree on; None where they do not."""
    guess = estimate(chains(grey8(frame.pixels)))
    return guess if guess is not None and guess.spread <= DOUBT else None


def _cannot(name: str, why: str) -> Measure:
    return Measure(name=name, unit="fault", cannot_tell=why)


def spoil(before: Frame, params: LensParams) -> Frame:
    """The bend the other way; a strong one where none was asked."""
    asked = params.distortion if params.distortion != NONE else (1.0, 0.0, 0.3)
    turned = tuple(2 * (n == 0) - value for n, value in enumerate(asked))
    return warp.apply(before, placement(before.width, before.height, replace(params, distortion=turned)))


def material(before: LensParams, after: LensParams) -> bool:
    """Whether some colour of some point would stand elsewhere by a fifth of a per cent of the diagonal."""
    r = np.linspace(0, 1, 24)

    def places(params: LensParams) -> NDArray[np.float64]:
        to = r / params.scale
        every = [bends.both(params.distortion, colour) for colour in (NONE, params.red, params.blue)]
        return np.stack([to * bends.at(polynomial, to) for polynomial in every])

    return float(np.abs(places(before) - places(after)).max()) / 2 > MATERIAL


operator: Operator[LensParams] = Operator(
    name="lens",
    version=1,
    params=LensParams,
    risk=Risk(complexity=0.2, cost=0.3),
    stage=Stage.FRAMING,
    rank=0,
    needs=("lens.profile", "lens.bend", "lens.fringe", "lens.already", "lens.lines"),
    margin=None,
    propose=propose,
    render=render,
    check=check,
    warp=placement,
    spoil=spoil,
    material=material,
    material_when="some colour of some point stands more than 0.2 % of the diagonal elsewhere",
    examples=(
        LensParams(distortion=(1.06, 0.0, -0.3, 0.12), scale=1.02, profile="a strong barrel"),
        LensParams(distortion=(1.0, 0.0, 0.2), red=(1.01,), blue=(0.99, 0.0, 0.004), scale=1.2),
    ),
    about="Makes straight lines straight and brings coloured edges together, by the profile of a known lens.",
)
