"""Newly clipped: parts that had colour before and are burnt out or drowned now.

A channel is clipped where it reaches 254 of 255 or 1, or the very end where both files have sixteen bits. What was
clipped before does not count, nor do single pixels of an edge that sharpening drives over the end, unless nearly all of
their level went there, as a gain drives fine texture; what lay just below it counts less than what had colour to lose.
Where a second channel is at the end, what was there is gone and counts whole. Where it is one channel alone, the others
still carry the detail, as under a film look that lifts the reds: that counts by the channel's part of luma, and asks
for a look but never fails by itself. The score is the share of the picture, as a logarithm.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors._pair import LUMA
from safelight.detectors._planes import Flags, Plane
from safelight.detectors.answers import cannot, said
from safelight.detectors.calibration import chance

HIGH, LOW = 253.2 / 255, 1.8 / 255  # of the mean of 3 x 3: saving as JPEG moves single pixels off the end
FINE_HIGH, FINE_LOW = 254.7 / 255, 0.3 / 255  # the same of files with sixteen bits, which are not saved as JPEG
NEAR = 1 / 255  # of an end: what was so near it before was clipped already
DEEP = 0.04  # from an end: what was so far from it before counts whole
TOGETHER = 0.8  # of a level: it was driven over the end as a whole
COMMON = 1e-4  # share of the picture that a level must have: fewer are peaks, which sharpening drives there
SQUARE = np.ones((5, 5), np.uint8)  # px: smaller places at an end are no plateau
LEAST = 1e-5  # share of the picture from which anything is counted
ONE_CHANNEL = 0.85  # most that the chance rises to by what single channels have lost


def detect(pair: Pair) -> list[Finding]:
    """One finding, `clipping`."""
    if pair.cannot:
        return [cannot("clipping", pair.cannot)]
    heat = np.zeros(pair.level_after.shape, np.float32)
    stayed = max(float(pair.stayed.mean()), 0.02)
    ends = []
    for high in (True, False):
        at_end = _room(pair.after_work, high=high, fine=pair.fine) <= 0
        driven = _driven(pair, high=high)
        if not at_end.any() and not driven.any():
            ends.append(_End())
            continue
        room = _room(pair.before_work, high=high, fine=pair.fine)
        fresh = pair.stayed[..., None] & (room > NEAR)
        gone, tinted = _lost(at_end, driven, fresh, np.clip(room / DEEP, 0, 1))
        lost = np.maximum(gone, tinted)
        shares = (float(p.mean()) / stayed for p in (gone, tinted, lost > 0))
        ends.append(_End(*shares))
        heat += lost
    worst = max(ends, key=lambda end: end.gone + end.tinted)
    text = (
        f"{100 * worst.touched:.2f} % of the picture is newly {'burnt out' if worst is ends[0] else 'drowned in black'}"
    )
    if worst.gone < worst.tinted:
        text += ", mostly in one colour channel: the others keep the detail"
    found = said(pair, "clipping", _score(worst.gone + worst.tinted), f"{text}.", heat=_spread(heat))
    # What is gone may fail; what single channels have lost beside it may only ask.
    sure = max(chance("clipping", _score(end.gone)) for end in ends)
    return [replace(found, probability=max(sure, min(float(found.probability or 0), ONE_CHANNEL)))]


@dataclass(frozen=True, slots=True)
class _End:
    """Shares of the picture at one end: gone, lost by single channels (by their part of luma), touched at all."""

    gone: float = 0.0
    tinted: float = 0.0
    touched: float = 0.0


def _score(share: float) -> float:
    return float(np.log10(max(share, LEAST) / LEAST))


def _lost(at_end: Flags, driven: Flags, fresh: Flags, weight: Plane) -> tuple[Plane, Plane]:
    """Where two channels are at an end, one of them newly, and how much of each place is lost by single channels; both
    weighed by how far from the end they were."""
    gone: Plane = np.zeros(at_end.shape[:2], np.float32)
    tinted, scattered = np.zeros_like(gone), np.zeros_like(gone)
    both, all_driven = (np.count_nonzero(flags, axis=2) >= 2 for flags in (at_end, driven))
    for c in range(3):
        new = fresh[..., c] & at_end[..., c]
        if new.any():
            gone = np.maximum(gone, (new & both) * weight[..., c])
            tinted += LUMA[c] * _whole(new & ~both) * weight[..., c]
        scattered = np.maximum(scattered, (fresh[..., c] & driven[..., c] & all_driven) * weight[..., c])
    return np.maximum(gone * _whole(gone > 0), scattered), tinted


def _driven(pair: Pair, *, high: bool) -> Flags:
    """Pixels at an end, by channel, to which nearly all pixels of their level in the before went, H x W x 3."""
    out = np.zeros(pair.after_work.shape, np.bool_)
    for c in range(3):
        before, after = pair.before_work[..., c], pair.after_work[..., c]
        ends = pair.stayed & (_left(after, high=high, fine=pair.fine) <= 0)
        if not ends.any():
            continue
        level = (before * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        went, were = (np.bincount(level[flags], minlength=256) for flags in (ends, pair.stayed))
        whole = (went >= TOGETHER * were) & (were >= COMMON * level.size)
        out[..., c] = ends & whole[level] & (_left(before, high=high, fine=pair.fine) > NEAR)
    return out


def alone(pair: Pair) -> list[Finding]:
    """What of a picture by itself is at an end, whoever drove it there."""
    if pair.cannot:
        return [cannot("clipping", pair.cannot)]
    ends = [
        cv2.morphologyEx((_room(p, high=high, fine=pair.fine) <= 0).astype(np.uint8), cv2.MORPH_OPEN, SQUARE)
        for p, high in ((pair.highest_after, True), (pair.lowest_after, False))
    ]
    shares = [float(end.mean()) for end in ends]
    end = "burnt out" if shares[0] >= shares[1] else "drowned in black"
    score = _score(max(shares))
    heat = _spread(np.asarray(ends[0] + ends[1], np.float32))
    return [said(pair, "clipping", score, f"{100 * max(shares):.2f} % of the picture is {end}.", heat=heat, alone=True)]


def _room(values: Plane, *, high: bool, fine: bool) -> Plane:
    """How far each channel, or the outermost of them, is from an end; 0 and less: clipped."""
    return _left(np.asarray(cv2.blur(values, (3, 3)), np.float32), high=high, fine=fine)


def _left(values: Plane, *, high: bool, fine: bool) -> Plane:
    if high:
        return np.asarray((FINE_HIGH if fine else HIGH) - values, np.float32)
    return np.asarray(values - (FINE_LOW if fine else LOW), np.float32)


def _whole(flags: Flags) -> Plane:
    """1 where at least 2 x 2 px are flagged, else 0."""
    return np.asarray(cv2.morphologyEx(flags.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)), np.float32)


def _spread(heat: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(heat, (0, 0), 3), np.float32)


detector = Detector(
    name="clipping",
    version=4,
    finds=("clipping",),
    detect=detect,
    alone=alone,
    about="Highlights or shadows that lost their colour.",
)
