"""Lens: what it did to the picture, from lensfun's database by the capture facts, and whether that was undone already.

Raws are as the lens drew them. Other files say in maker notes or XMP whether the camera or a program corrected them;
where they do not, the picture's own long edges tell whether they are straighter with the profile than without. Of a
lens that is not known, the same edges may tell how it bends lines. Both are guesses, and say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from safelight.domain import Json, Measure
from safelight.media import bends
from safelight.media.chains import Chains, Floats, chains
from safelight.media.corrections import Corrections, corrections
from safelight.media.picture import Picture, grey, shrink
from safelight.probes import Probe
from safelight.probes._lens_profiles import Profile, Unknown, find

SIDE = 800  # px, long side at which edges are followed to find a bend …
SIDE_TO_TELL = 1200  # … and to tell two states apart
CASES = np.linspace(-0.15, 0.35, 101)  # k of lenses that are made; negative is a cushion
POWERS = (2, 4, 6)  # of the polynomial that leads back
SURE = 4.0  # log likelihood by which one state beats the other, and no strength between or beyond beats it
STRENGTHS = np.linspace(-1.0, 2.5, 36)  # of a known correction: 0 and 1 are lenses, others are curved things
FOUND = 7.0  # log likelihood by which a bend beats none
DOUBT = 0.02  # the widest spread of a bend that is told
LEAST = 0.0025  # of the diagonal: lines bent by less are not worth a guess


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A bend found by lines: what was taken at r half diagonals belongs at r (1 + k r²); how far k may err, how many
    edges there were, and by how much likelier they are straight so than as they are, as a logarithm."""

    k: float
    spread: float
    edges: int
    gain: float

    @property
    def polynomial(self) -> tuple[float, ...]:
        """The same the other way, as `media.bends` has it."""
        taken = np.linspace(0.01, 1, 100)
        belongs = taken * (1 + self.k * taken**2)
        fitted, *_ = np.linalg.lstsq(np.stack([belongs**n for n in POWERS], 1), taken / belongs - 1, rcond=None)
        found = dict(zip(POWERS, fitted, strict=True)) | {0: 1.0}
        return tuple(round(float(found.get(n, 0.0)), 6) for n in range(max(POWERS) + 1))


def judge(picture: Picture) -> Sequence[Measure]:
    """`lens.profile` and what follows from it, or the reason why there is none and what the lines say instead."""
    told = corrections(picture.source) if picture.source is not None else Corrections()
    if picture.is_preview and not told.by:
        told = Corrections(lines=False, fringes=False, corners=False, by="raw")
    found: Profile | Unknown = find(picture.capture, picture.width, picture.height)
    if told.warp:
        found = _of_file(picture, told, found)
    aspect = picture.width / picture.height
    if isinstance(found, Unknown):
        return (*_silent(f"lens unknown: {found.why}"), *_by_lines(picture, told))
    measures = [
        Measure(name="lens.profile", value=_plain(found)),
        Measure(name="lens.bend", value=round(bends.bend(found.distortion or (1.0,), aspect), 5), unit="diagonals"),
        Measure(
            name="lens.fringe", unit="diagonals",
            value=round(max(bends.apart(found.red or (1.0,)), bends.apart(found.blue or (1.0,))), 6),
        ),
    ]  # fmt: skip
    if found.light is None:
        measures.append(
            Measure(name="lens.falloff", cannot_tell="the database has no usable numbers for this aperture")
        )
    else:
        corner = max(1 + sum(found.light), 0.01)
        measures.append(Measure(name="lens.falloff", value=round(float(-np.log2(corner)), 3), unit="EV"))
    return (*measures, *_already(picture, found, told))


# ---------------------------------------------------------------- corrected already


def _already(picture: Picture, found: Profile, told: Corrections) -> Sequence[Measure]:
    """`lens.already` by what the file says, else by its lines; and `lens.guess` where lines alone speak."""
    state: dict[str, Json] = {"lines": told.lines, "fringes": told.fringes, "corners": told.corners, "by": told.by}
    if told.lines is not None or found.distortion is None:
        if told.lines is None:
            return (Measure(name="lens.already", cannot_tell="the file does not say whether it was corrected"),)
        return (Measure(name="lens.already", value=state),)
    seen = chains(grey(shrink(picture.work, SIDE_TO_TELL)))
    if len(seen):
        shares = seen.likelihood(_bends(seen, found.distortion)[:, None] * STRENGTHS)
        as_is, undone = (float(shares[np.abs(STRENGTHS - state).argmin()]) for state in (0, 1))
        if abs(undone - as_is) >= SURE and shares.max() - max(undone, as_is) < SURE:
            state |= {"lines": bool(as_is > undone), "by": "its lines", "gain": round(float(abs(undone - as_is)), 1)}
            return Measure(name="lens.already", value=state), Measure(name="lens.guess", value=True)
    why = "the file does not say whether its lens was corrected, and its lines do not tell"
    return (Measure(name="lens.already", cannot_tell=why),)


def _bends(seen: Chains, polynomial: Sequence[float]) -> Floats:
    return seen.bends_by(bends.undoing(polynomial))


# ---------------------------------------------------------------- a lens that is not known


def _by_lines(picture: Picture, told: Corrections) -> Sequence[Measure]:
    """`lens.lines` and `lens.guess`, where lines agree on a bend; else `lens.lines` says that they do not."""
    if told.lines:
        return (Measure(name="lens.lines", cannot_tell=f"corrected already, by {told.by}"),)
    guess = estimate(chains(grey(shrink(picture.work, SIDE))))
    if guess is None:
        return (Measure(name="lens.lines", cannot_tell="no long edges"),)
    amount = bends.bend(guess.polynomial, picture.width / picture.height)
    if guess.gain < FOUND or guess.spread > DOUBT:
        return (Measure(name="lens.lines", cannot_tell="the long edges do not agree on a bend"),)
    if amount < LEAST:
        return (Measure(name="lens.lines", cannot_tell=f"lines are straight within {LEAST:.2%} of the diagonal"),)
    value: dict[str, Json] = {
        "k": round(guess.k, 4), "spread": round(guess.spread, 4), "edges": guess.edges, "gain": round(guess.gain, 1),
        "bend": round(amount, 5), "distortion": list(guess.polynomial),
    }  # fmt: skip
    return Measure(name="lens.lines", value=value), Measure(name="lens.guess", value=True)


def estimate(seen: Chains) -> Guess | None:
    """The bend that most long edges agree on; None without any."""
    if not len(seen):
        return None
    bent = seen.bends_by(lambda places: places * (places**2).sum(axis=1, keepdims=True))
    likelihood = seen.likelihood(bent[:, None] * CASES)
    weight = np.exp(likelihood - likelihood.max())
    weight /= weight.sum()
    k = float((weight * CASES).sum())
    return Guess(
        k=k, spread=float(np.sqrt((weight * (CASES - k) ** 2).sum())), edges=len(seen),
        gain=float(likelihood.max() - likelihood[np.abs(CASES).argmin()]),
    )  # fmt: skip


# ---------------------------------------------------------------- small words


def _of_file(picture: Picture, told: Corrections, found: Profile | Unknown) -> Profile:
    """The maker's own polynomials in a DNG go before the database's."""
    red, green, blue = told.warp
    r = np.linspace(0, 1, 40)
    split = []
    for colour in (red, blue):
        share = bends.at(colour, r) / bends.at(green, r)
        fitted = np.polynomial.polynomial.polyfit(r * bends.at(green, r), share, (0, 2, 4))
        split.append(tuple(float(f"{value:.7f}") + 0.0 for value in fitted))
    capture = picture.capture
    base = Profile(
        camera=capture.camera or "", lens=capture.lens or "lens", match="file", focal_mm=capture.focal_mm or 0.0
    )
    if isinstance(found, Profile):
        base = replace(found, match="file")
    return replace(base, distortion=green, red=split[0], blue=split[1])


def _plain(found: Profile) -> dict[str, Json]:
    values: dict[str, Any] = {
        "camera": found.camera, "lens": found.lens, "match": found.match, "focal_mm": found.focal_mm,
        "distortion": found.distortion, "red": found.red, "blue": found.blue, "light": found.light,
    }  # fmt: skip
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _silent(why: str) -> Sequence[Measure]:
    return (Measure(name="lens.profile", cannot_tell=why),)


probe = Probe(
    name="lens",
    version=2,
    emits=(
        "lens.profile", "lens.bend", "lens.fringe", "lens.falloff", "lens.already", "lens.lines", "lens.guess",
    ),
    measure=judge,
    about="What the lens did to lines, colours and corners, by lensfun's database or by the picture's own lines.",
)  # fmt: skip
