"""Noise reduction: what light and sensor made grainy, and nothing else, as strongly as it was measured.

The picture is brought to a scale on which its noise is the same in the dark as in the light, and to luma and two
differences of colour; there blocks are shrunken by what noise of the measured strength, at each frequency, could have
made (`_shrink`). Colour is treated more strongly, and follows luma's edges. A share of luma's noise stays as grain, for
a picture without any looks like wax. Photos of one camera at one sensitivity in one scene get the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import cv2
import numpy as np

from safelight.domain import Because, Measure, Scope
from safelight.media.colour import REC2020_FROM_SRGB, SRGB_FROM_REC2020
from safelight.media.frame import Frame, Pixels, moving
from safelight.media.noise import MIX, OCTAVES, UNMIX, NoiseModel, mixed, stable, unbiased
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.operators._shrink import SIDE, Effort, clean, doubled, halved
from safelight.params import declare

SEEN = 0.5  # chance that a viewer of the whole picture calls it noisy, from which on something is proposed
SEEN_CLOSE = 4.0  # levels of 255 at mid-grey, at full size: the same for who looks closely
LUMA, CHROMA = (0.75, 0.85), (1.0, 1.3)  # what is proposed for little noise and for much; the measured noise times that
MUCH = 8.0  # levels of 255 at mid-grey
LESS = 0.4  # of the variance of others of that camera at that sensitivity: what is below has less noise
GRAIN = 0.15
SMALLER = 0.75  # of native size: what is shown smaller is a preview
GRID = 32  # px: blocks of all sizes begin at multiples of it
RADIUS = 4  # px, of the neighbourhood in which colour follows luma
FOLLOW = 0.5  # of luma's noise: variance of clean luma from which on colour follows it
WIDE = 1536  # px, of what is worked on at once: more takes more memory and no less time
MARGIN = 112  # px: what luma (32), following it (8) and colour (68) reach, rounded up
STEP = 0.05
BLOCK = 16  # px, of what a check compares
BEYOND = 3.0  # times the noise's variance: more than that taken from a block is texture
SHIFT = 2.0  # levels of 255 by which a colour may move
OVERSHOOT = 2.0  # deviations of the noise beyond the neighbourhood's extremes
ROUNDING = 0.3 / 255  # deviation of rounding to a byte, on the stable scale at its steepest
NO_DENSITY = (0.0,) * len(OCTAVES)


class Quality(StrEnum):
    """How thoroughly; anything that is shown smaller than it was taken is a preview. At full size, FAST looks as FINAL
    does to within a mean ΔE00 of 1.5, where PREVIEW leaves colours coarse."""

    PREVIEW = "preview"
    FAST = "fast"
    FINAL = "final"


EFFORTS = {
    Quality.PREVIEW: (
        Effort(first=4, second=0, sizes=2, threshold=2.7), Effort(first=2, second=0, sizes=2, threshold=3.2),
    ),
    Quality.FAST: (
        Effort(first=4, second=0, sizes=2, threshold=2.7), Effort(first=2, second=0, sizes=3, threshold=3.2),
    ),
    Quality.FINAL: (
        Effort(first=16, second=16, sizes=2, threshold=2.7), Effort(first=4, second=4, sizes=3, threshold=3.2),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiseParams:
    """How strongly, and the noise that was measured.

    `slope` is a of red, green and blue in variance = a (light + `offset`), linear sRGB, 1 = display white. `density`
    is the variance of Y, Co and Cg by octave (`safelight.media.noise`).
    """

    luma: float = declare(0.0, low=0.0, high=2.0, step=STEP, help="strength for light and dark, 1 is as measured")
    chroma: float = declare(0.0, low=0.0, high=2.0, step=STEP, help="strength for colour, 1 is as measured")
    grain: float = declare(0.0, low=0.0, high=1.0, step=STEP, help="share of luma's noise that stays as grain")
    quality: Quality = declare(Quality.FINAL, help="fast and preview take a third and a fifth")  # noqa: RUF009 - a field
    slope: tuple[float, float, float] = declare(
        (0.0, 0.0, 0.0), low=0.0, high=10.0, help="measured noise by light: R, G, B"
    )
    offset: float = declare(
        0.0, low=0.0, high=10.0, unit="of white", help="light at which the sensor's own noise equals that"
    )
    density: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]] = declare(
        (NO_DENSITY, NO_DENSITY, NO_DENSITY), help="measured noise by octave, coarse to fine: Y, Co, Cg"
    )

    def __post_init__(self) -> None:
        if any(len(row) != len(OCTAVES) or min(row) < 0 for row in self.density):
            raise ValueError(f"density holds three rows of {len(OCTAVES)} numbers that are not negative")


# ---------------------------------------------------------------- propose


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[DenoiseParams]]:  # noqa: ARG001
    """The same for all noisy photos of one camera at one sensitivity in a scene, if half of them are seen to be noisy.

    None for frames of a bracket, focus stack or panorama.
    """
    alike: dict[object, list[Subject]] = {}
    for subject in subjects:
        if not any(group.protected for group in subject.groups):
            alike.setdefault(_sensor(subject), []).append(subject)
    return [suggestion for members in alike.values() for suggestion in _together(members)]


def _together(members: Sequence[Subject]) -> list[Suggestion[DenoiseParams]]:
    """Suggestions for photos whose noise is alike, with the middle of what was measured on them.

    One on which noise is seen and could not be measured takes what the others have; without others it abstains. One
    with clearly less is taken by itself: texture makes what is measured larger, never smaller.
    """
    told = {s.asset.id: (model, level) for s in members if (model := _model(s)) and (level := _level(s)) is not None}
    seen = [s for s in members if _seen(s)]
    if 2 * sum(s.asset.id in told for s in seen) < len(told):
        return []
    wanted = [s for s in members if s.asset.id in told or _seen(s) is not False]
    model = _middle([model for model, _ in told.values()]) if told else None
    level = float(np.median([level for _, level in told.values()])) if told else 0.0
    made: list[Suggestion[DenoiseParams]] = []
    for subject in wanted:
        own = told.get(subject.asset.id)
        if own is not None and model is not None and _less(own[0], model):
            made += [_suggestion(subject, *own, of=1)] if _seen(subject) else []
        elif model is None or _seen(subject) is None:
            made.append(Suggestion(member=subject.asset.id, params=None, cannot_tell=_why_not(subject.facts)))
        else:
            made.append(_suggestion(subject, model, level, of=len(told)))
    return made


def _less(one: NoiseModel, model: NoiseModel) -> bool:
    """Whether any channel has less noise than could be chance."""
    return any(own < LESS * middle for own, middle in zip(one.slope, model.slope, strict=True))


def _suggestion(subject: Subject, model: NoiseModel, level: float, *, of: int) -> Suggestion[DenoiseParams]:
    luma, chroma = (_rising(span, level) for span in (LUMA, CHROMA))
    params = DenoiseParams(
        luma=luma, chroma=chroma, grain=GRAIN, slope=model.slope, offset=model.offset, density=_three(model.density)
    )
    return Suggestion(
        member=subject.asset.id,
        params=params,
        score=round(max(subject.number("noise") or 0.0, SEEN), 3),
        because=(_how_much(subject, level, of=of), _kept(model)),
        alternatives=(replace(params, grain=0.0), replace(params, luma=_stepped(luma / 2))),
    )


def _rising(span: tuple[float, float], level: float) -> float:
    """From the first to the second as noise grows: a little of it hides less, and is worth less of the texture."""
    return _stepped(span[0] + (span[1] - span[0]) * min(1.0, level / MUCH))


def _stepped(value: float) -> float:
    return round(round(value / STEP) * STEP, 2)


def _seen(subject: Subject) -> bool | None:
    """Whether noise is seen in the whole picture or at full size; None where that cannot be told."""
    chance, level = subject.number("noise"), _level(subject)
    if chance is None and level is None:
        return None
    return (chance or 0.0) >= SEEN or (level or 0.0) >= SEEN_CLOSE


def _model(subject: Subject) -> NoiseModel | None:
    """What was measured on the raw or, where there is none, on the picture."""
    found = subject.facts.get("raw.noise.model") or subject.facts.get("noise.model")
    if found is None or not isinstance(found.value, Mapping):
        return None
    value: Mapping[str, Any] = found.value
    red, green, blue = value["slope"]
    return NoiseModel(
        slope=(red, green, blue), offset=value["offset"], density=tuple(tuple(row) for row in value["density"])
    )


def _level(subject: Subject) -> float | None:
    """Green's deviation at mid-grey: of a developed raw, else of the picture."""
    of_raw = subject.number("raw.noise.level")
    return subject.number("noise.level") if of_raw is None else of_raw


def _sensor(subject: Subject) -> object:
    """What makes noise alike: the camera and its sensitivity; a photo without either stands alone."""
    capture = subject.asset.capture
    known = capture.body is not None and capture.iso is not None
    return (capture.body, capture.iso, subject.asset.format) if known else subject.asset.id


def _middle(models: Sequence[NoiseModel]) -> NoiseModel:
    """The middle of several models, number by number."""
    if len(models) == 1:
        return models[0]

    def middle(rows: Sequence[Sequence[float]]) -> tuple[float, ...]:
        return tuple(float(f"{v:.4g}") for v in np.median(np.array(rows), axis=0))

    red, green, blue = middle([m.slope for m in models])
    (offset,) = middle([(m.offset,) for m in models])
    density = tuple(middle([m.density[row] for m in models]) for row in range(3))
    return NoiseModel(slope=(red, green, blue), offset=offset, density=density)


def _three(rows: Sequence[tuple[float, ...]]) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    grey, orange, green = rows
    return grey, orange, green


def _how_much(subject: Subject, level: float, *, of: int) -> Because:
    iso = subject.asset.capture.iso
    at = f", at ISO {iso:,}" if iso else ""
    size = "at the size of a screen" if (subject.number("noise") or 0.0) >= SEEN else "at full size"
    about = f"Noise of about {level / 255:.1%} of white in the mid-tones{at}"
    text = f"{about}; it is seen {size}." if of == 1 else f"{about}, the middle of {of} photos; it is seen {size}."
    return Because(evidence="noise.level", value=round(level, 3), text=text, code="denoise.seen")


def _kept(model: NoiseModel) -> Because:
    grey, orange, _ = (np.sqrt(sum(row[-3:])) for row in model.density)
    text = f"Colour is {orange / max(float(grey), 1e-9):.1f} times as noisy as luma; {GRAIN:.0%} of luma's noise stays."
    return Because(evidence="noise.model", value=None, text=text, code="denoise.kept")


def _why_not(facts: Mapping[str, Measure]) -> str:
    for name in ("noise", "raw.noise.model", "noise.model"):
        found = facts.get(name)
        if found is not None and found.cannot_tell is not None:
            return f"The noise cannot be told: {found.cannot_tell}."
    return "The noise was not measured."


# ---------------------------------------------------------------- render


def render(frame: Frame, params: DenoiseParams, tools: Tools) -> Frame:
    """The frame with less noise. A frame that is smaller than the original has less to begin with, and is a preview."""
    if params.luma == params.chroma == 0 or not any(any(row) for row in params.density):
        return frame
    out = np.empty_like(frame.pixels)
    for first in range(0, frame.width, WIDE):
        start = max(0, first - MARGIN)
        part = frame.moved(frame.pixels[:, start : first + WIDE + MARGIN], moving(-start, 0))
        out[:, first : first + WIDE] = _rendered(part, params, tools)[:, first - start : first - start + WIDE]
    return frame.with_pixels(out)


def _rendered(frame: Frame, params: DenoiseParams, tools: Tools) -> Pixels:
    scale = min(1.0, float(np.sqrt(abs(np.linalg.det(frame.geometry[:2, :2])))))
    quality = params.quality if scale >= SMALLER else Quality.PREVIEW
    top, left = (-round(frame.geometry[i, 2] - (scale - 1) / 2) % GRID for i in (1, 0))
    light = cv2.transform(frame.pixels, SRGB_FROM_REC2020)
    values = _on_grid(stable(np.asarray(light, np.float32), params.offset), top, left)
    grey, *colours = mixed(values, MIX)
    luma, chroma = EFFORTS[quality]
    model = NoiseModel(slope=params.slope, offset=params.offset, density=params.density)
    half = quality is Quality.PREVIEW  # its colour is worked on at half the size
    shrink = scale / 2 if half else scale
    tools.go_on()
    done = _clean(grey, model, 0, luma, scale=scale, strength=params.luma)
    guide = halved(done) if half else done
    planes = [done + np.float32(params.grain) * (grey - done)]
    for channel, plane in enumerate(colours, 1):
        tools.go_on()
        small = halved(plane) if half else plane
        follows = _following(small, guide, model, scale=shrink) if params.chroma else np.zeros_like(small)
        less = follows + _clean(
            np.asarray(small - follows, np.float32), model, channel, chroma, scale=shrink, strength=params.chroma
        )
        planes.append(doubled(less) if half else less)
    inside = slice(GRID + top, GRID + top + frame.height), slice(GRID + left, GRID + left + frame.width)
    rgb = mixed(np.asarray(cv2.merge([plane[inside] for plane in planes]), np.float32), UNMIX)
    back = cv2.merge([unbiased(v, params.offset, a) for v, a in zip(rgb, params.slope, strict=True)])
    return np.asarray(cv2.transform(back, REC2020_FROM_SRGB), np.float32).reshape(frame.pixels.shape)


def _on_grid(values: Pixels, top: int, left: int) -> Pixels:
    """The picture mirrored at its border, so that it begins and ends on the grid, at least GRID px outside."""
    bottom, right = (GRID + -(before + size) % GRID for before, size in zip((top, left), values.shape[:2], strict=True))
    wide = cv2.copyMakeBorder(values, GRID + top, bottom, GRID + left, right, cv2.BORDER_REFLECT_101)
    return np.asarray(wide, np.float32)


def _clean(plane: Pixels, model: NoiseModel, channel: int, effort: Effort, *, scale: float, strength: float) -> Pixels:
    if strength == 0:
        return plane
    variances = [model.variances(channel, SIDE, scale=scale / 2**size) * strength**2 for size in range(effort.sizes)]
    return clean(plane, variances, effort)


def _following(plane: Pixels, guide: Pixels, model: NoiseModel, *, scale: float) -> Pixels:
    """The plane as far as it is a straight line of luma nearby (guided filter, He, Sun & Tang 2013)."""
    variance = FOLLOW * float(model.variances(0, SIDE, scale=scale).mean())
    mean, level = _box(plane), _box(guide)
    spread = _box(guide * guide) - level * level + np.float32(variance + 1e-12)
    slope = np.asarray((_box(plane * guide) - mean * level) / spread, np.float32)
    return np.asarray(_box(slope) * guide + _box(mean - slope * level), np.float32)


def _box(plane: Pixels) -> Pixels:
    side = 2 * RADIUS + 1
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)


# ---------------------------------------------------------------- check


def check(before: Frame, after: Frame, params: DenoiseParams) -> Sequence[Measure]:
    """Whether more was taken than noise explains, colours moved, or edges overshoot."""
    scale = min(1.0, float(np.sqrt(abs(np.linalg.det(before.geometry[:2, :2])))))
    offset = max(params.offset, 1e-3)
    was, now = (mixed(stable(_srgb_light(f), offset), MIX) for f in (before, after))
    model = NoiseModel(slope=params.slope, offset=offset, density=params.density)
    noise = float(model.variances(0, SIDE, scale=scale).mean()) + ROUNDING**2
    taken = _means(np.square(was[0] - now[0])) / np.float32(noise)
    lost = float(np.quantile(taken, 0.9))
    moved = max(float(np.median(np.abs(_means(a - b)))) for a, b in zip(was[1:], now[1:], strict=True))
    levels = moved * np.sqrt(0.18 + offset) * 1.055 / 2.4 * 0.18 ** (1 / 2.4 - 1) * 255
    beyond = float(np.quantile(_overshoot(was[0], now[0]), 0.999)) / float(np.sqrt(noise))
    return (
        Measure(name="denoise.removed", value=round(float(np.median(taken)), 4), unit="of the noise"),
        Measure(name="denoise.oversmoothed", value=round(min(1.0, lost / BEYOND / 2), 4), unit="fault"),
        Measure(name="denoise.colour_moved", value=round(min(1.0, levels / SHIFT / 2), 4), unit="fault"),
        Measure(name="denoise.halo", value=round(min(1.0, beyond / OVERSHOOT / 2), 4), unit="fault"),
    )


def spoil(before: Frame, params: DenoiseParams) -> Frame:  # noqa: ARG001 - as bad whatever was asked
    """Everything smoothed away, edges too."""
    return before.with_pixels(np.asarray(cv2.GaussianBlur(before.pixels, (0, 0), 4.0), np.float32))


def _srgb_light(frame: Frame) -> Pixels:
    return np.clip(cv2.transform(frame.pixels, SRGB_FROM_REC2020), 0, 16).astype(np.float32).reshape(frame.pixels.shape)


def _means(plane: Pixels) -> Pixels:
    """Means of blocks, or of the whole plane where it is small."""
    size = max(1, plane.shape[1] // BLOCK), max(1, plane.shape[0] // BLOCK)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _overshoot(was: Pixels, now: Pixels) -> Pixels:
    """How far the result lies outside what its neighbourhood held before."""
    nearby = np.ones((5, 5), np.uint8)
    outside = np.maximum(now - cv2.dilate(was, nearby), cv2.erode(was, nearby) - now)
    return np.asarray(np.maximum(outside, 0), np.float32)


def _material(before: DenoiseParams, after: DenoiseParams) -> bool:
    """Whether a person changed more than a touch."""
    return (
        abs(before.luma - after.luma) > 0.2
        or abs(before.chroma - after.chroma) > 0.4
        or abs(before.grain - after.grain) > 0.2
    )


_EXAMPLE = DenoiseParams(
    luma=LUMA[1], chroma=CHROMA[1], grain=GRAIN, slope=(0.0032, 0.0016, 0.0026), offset=0.0144,
    density=((0.0025,) * 5 + (0.0015, 0.0004), (0.0048,) * 5 + (0.0028, 0.0008), (0.0025,) * 5 + (0.0015, 0.0004)),
)  # fmt: skip

operator: Operator[DenoiseParams] = Operator(
    name="denoise",
    version=2,
    params=DenoiseParams,
    risk=Risk(complexity=0.3, cost=0.3),
    stage=Stage.REPAIR,
    needs=("noise", "noise.model", "noise.level", "raw.noise.model", "raw.noise.level"),
    scope=Scope.SCENE,
    margin=MARGIN,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=_material,
    material_when="luma or grain differ by more than 0.2, or chroma by more than 0.4, of full strength",
    examples=(_EXAMPLE, replace(_EXAMPLE, quality=Quality.PREVIEW, grain=0.0)),
    artefacts=("oversmoothing", "banding", "ghosting", "clipping"),
    draft=lambda params: replace(params, quality=Quality.FAST) if params.quality is Quality.FINAL else params,
    about="Takes sensor noise out, as strongly as it was measured: colour more than luma, and some grain stays.",
)
