"""What every detector promises, as plain checks: ours and a plug-in author's alike.

from safelight.contract_detectors import check_detector
check_detector(my_detector)  # raises ContractError, which says what does not hold and for which pair
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from safelight import specimens
from safelight.checking import FAIL, LOOK, compare
from safelight.contract import ContractError
from safelight.detectors import Detector, Finding
from safelight.media.frame import Bytes

Mask = NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A made pair: what it is, both pictures, a mask or none, whether the edit is one that anybody may make."""

    what: str
    before: Bytes
    after: Bytes
    mask: Mask = None
    legal: bool = False


def check_detector(detector: Detector) -> None:
    """Every promise of a detector."""
    for check in DETECTOR_CHECKS.values():
        check(detector)


def detector_declares_itself(detector: Detector) -> None:
    """Name, version, sentence; each finding named once, as a lower-case word."""
    if not detector.name.isidentifier() or detector.name != detector.name.lower():
        _fail(detector, "has a name that is no lower-case word")
    if detector.version < 1:
        _fail(detector, "counts versions from 1")
    if not detector.about.endswith("."):
        _fail(detector, "says what it finds in a sentence, in `about`")
    if not detector.finds or len(set(detector.finds)) != len(detector.finds):
        _fail(detector, f"names each finding once, and at least one, not {detector.finds}")
    if not all(name.isidentifier() and name == name.lower() for name in detector.finds):
        _fail(detector, f"has findings that are no lower-case words: {detector.finds}")


def detector_answers(detector: Detector) -> None:
    """For every pair, however odd, one sound answer for each finding that it names; the pictures stay as they are.

    Sizes, crops, and turns that differ, flat and tiny pictures, masks of nothing and of everything are normal input.
    """
    for case in cases():
        before, after = case.before.copy(), case.after.copy()
        findings = _findings(detector, case)
        names = sorted(finding.name for finding in findings)
        if names != sorted(detector.finds):
            _fail(detector, f"answers for {names} instead of {sorted(detector.finds)} for {case.what}")
        for finding in findings:
            _sound(detector, finding, case)
        if not (np.array_equal(before, case.before) and np.array_equal(after, case.after)):
            _fail(detector, f"writes on the pictures of {case.what}")


def detector_repeats_itself(detector: Detector) -> None:
    """The same pair gives the same findings, heat maps among them."""
    for case in cases():
        first, second = _findings(detector, case), _findings(detector, case)
        if [_told(f) for f in first] != [_told(f) for f in second]:
            _fail(detector, f"answers something else the second time for {case.what}")


def detector_knows_what_it_cannot_tell(detector: Detector) -> None:
    """A pair that cannot be aligned gets no score, unless the after shows it by itself: then it is the same for any
    before."""
    after = picture()
    unlike = [np.full_like(after, 128), np.random.default_rng(2).integers(0, 256, after.shape, np.uint8)]
    told = [
        {f.name: f.score for f in _findings(detector, Case(what="pictures of other things", before=b, after=after))}
        for b in (np.ascontiguousarray(u[:, : -after.shape[1] // 3]) for u in unlike)
    ]
    for name in detector.finds:
        one, other = (scores[name] for scores in told)
        if one is not None and other is not None and abs(one - other) > 1e-6:
            _fail(detector, f"scores {name} of pictures that have nothing in common: {one:g} and {other:g}")


def legal_edits_pass(detector: Detector) -> None:
    """An untouched pair gives no probability of a look or more; what anybody may do to a picture none of a fail."""
    for case in cases():
        limit = LOOK if np.array_equal(case.before, case.after) else FAIL
        for finding in _findings(detector, case) if case.legal else ():
            if finding.probability is not None and finding.probability >= limit:
                _fail(detector, f"finds {finding.name} ({finding.probability:.2f}) in {case.what}: {finding.text}")


# ---------------------------------------------------------------- what the checks look at


@cache
def picture() -> Bytes:
    """A made picture of 360 x 270 px with texture, edges, long lines and a gentle ground."""
    rng = np.random.default_rng(12)
    y, x = np.mgrid[:270, :360].astype(np.float32)
    ground = 0.35 + 0.3 * x / 360 + 0.1 * y / 270
    rgb = np.stack((ground, 0.9 * ground, 0.8 * ground + 0.05), -1)
    texture = cv2.GaussianBlur(rng.normal(0, 1, (270, 360)).astype(np.float32), (0, 0), 1.1)
    leaves = cv2.GaussianBlur(((x - 250) ** 2 + (y - 90) ** 2 < 70**2).astype(np.float32), (0, 0), 1)
    rgb += (0.12 * texture * leaves)[..., None] * np.array((0.7, 1, 0.6), np.float32)
    rgb[170:240, 40:170] = (0.62, 0.24, 0.18)
    rgb[170:240:14, 40:170] *= 0.6
    rgb[60:130, 30:34] = rgb[30:34, 30:200] = 0.12
    rgb = cv2.GaussianBlur(np.asarray(rgb, np.float32), (0, 0), 0.7) + rng.normal(0, 0.004, rgb.shape)
    return np.asarray(np.clip(rgb * 255 + 0.5, 0, 255), np.uint8)


def cases() -> Iterator[Case]:
    """Legal edits of a made picture first, then odd pairs."""
    before = picture()
    height, width = before.shape[:2]
    levels = np.arange(256) / 255
    curve = (255 * (levels**0.8 * 0.92 + 0.03) + 0.5).astype(np.uint8)
    small = cv2.resize(before, (width * 2 // 3, height * 2 // 3), interpolation=cv2.INTER_AREA)
    saved = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(before, quality=95, colorsubsampling="444"))
    large = cv2.resize(before, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    legal: dict[str, tuple[Any, Any]] = {
        "an untouched pair": (before, before.copy()),
        "another exposure": (before, cv2.LUT(before, curve)),
        "a smaller after": (before, small),
        "a smaller before": (small, cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)),
        "a crop": (before, before[20:-14, 30:-10].copy()),
        "a turn by a quarter": (before, np.ascontiguousarray(before.transpose(1, 0, 2)[:, ::-1])),
        "an after saved as JPEG": (before, saved),
        "another size of both": (large, small),
    }
    for what, (first, second) in legal.items():
        yield Case(what=what, before=first, after=np.asarray(second, np.uint8), legal=True)
    everything, nothing = np.full((height, width), 255, np.uint8), np.zeros((height, width), np.uint8)
    yield Case(what="a mask of everything", before=before, after=before.copy(), mask=everything, legal=True)
    yield Case(what="a mask of nothing", before=before, after=before.copy(), mask=nothing, legal=True)
    blurred = np.asarray(cv2.GaussianBlur(before, (0, 0), 3), np.uint8)
    disc = np.asarray(cv2.circle(nothing.copy(), (250, 90), 50, 255, -1), np.uint8)
    mixed = np.where(disc[..., None] > 0, blurred, before)
    yield Case(what="a blurred part", before=before, after=mixed, mask=disc)
    yield Case(what="another picture", before=before, after=np.ascontiguousarray(255 - before[::-1]))
    odd = specimens.pictures()
    for what, rgb in odd.items():
        yield Case(what=f"a {what} picture", before=rgb, after=rgb.copy())
    yield Case(what="a flat and a noisy picture", before=odd["flat 128"], after=odd["noisy"])


# ---------------------------------------------------------------- small words


def _findings(detector: Detector, case: Case) -> tuple[Finding, ...]:
    found = compare(case.before, case.after, case.mask, detectors=[detector])
    for finding in found.findings:
        if finding.name in found.failed:
            _fail(detector, f"has no answer about {finding.name} for {case.what}. {finding.cannot_tell}")
    return found.findings


def _sound(detector: Detector, finding: Finding, case: Case) -> None:
    if finding.cannot_tell is not None:
        if not finding.cannot_tell.strip():
            _fail(detector, f"gives no reason why it cannot tell {finding.name} for {case.what}")
        return
    assert finding.score is not None
    assert finding.probability is not None
    if not np.isfinite(finding.score) or not 0 <= finding.probability <= 1:
        _fail(detector, f"{finding.name} of {case.what} is {finding.score} with probability {finding.probability}")
    if not finding.text.endswith("."):
        _fail(detector, f"says nothing in a sentence about {finding.name} of {case.what}")
    if finding.where is not None:
        x0, y0, x1, y1 = finding.where
        height, width = case.after.shape[:2]
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            _fail(detector, f"{finding.name} lies at {finding.where}, outside the after of {case.what}")
    if finding.heat is not None and not (
        np.isfinite(finding.heat).all() and 0 <= finding.heat.min() <= finding.heat.max() <= 1
    ):
        _fail(detector, f"the heat map of {finding.name} for {case.what} leaves 0..1")


def _told(finding: Finding) -> tuple[Any, ...]:
    heat = None if finding.heat is None else finding.heat.tobytes()
    return (finding.name, finding.score, finding.probability, finding.cannot_tell, finding.where, heat, finding.text)


def _fail(detector: Detector, what: str) -> None:
    raise ContractError(f"{detector.label}: {what}")


DETECTOR_CHECKS: Mapping[str, Callable[[Detector], None]] = {
    check.__name__: check
    for check in (
        detector_declares_itself, detector_answers, detector_repeats_itself, detector_knows_what_it_cannot_tell,
        legal_edits_pass,
    )
}  # fmt: skip
