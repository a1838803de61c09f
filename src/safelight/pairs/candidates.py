"""Which of many pictures one may show, told from small pictures: by the whole of it, then by details that both have,
however it was cropped and whichever way up."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes
from safelight.media.picture import grey, shrink

WHOLE = 20  # px, side of the picture by which the whole is compared
SIDE = 320  # px, long side at which details are looked for
DETAILS = 400  # of a picture
RATIO = 0.64  # squared distance of the nearest detail to that of the next (Lowe 2004)
ALIKE = 0.5  # likeness from which two pictures may be one
KIN = 0.75  # likeness from which two photos may be frames of one motif, or …
SHARED, ABOUT = 8, 0.5  # … details in common, and of those in common with the other frame


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """What is remembered of a picture, about 50 kB: it as a whole, evened, and descriptors of its details, N x 128."""

    whole: NDArray[np.float32]
    details: Bytes


def look(rgb: Bytes) -> Look:
    """The look of a picture of any size."""
    plane = np.asarray(cv2.resize(grey(rgb), (WHOLE, WHOLE), interpolation=cv2.INTER_AREA), np.float32)
    finder = cv2.SIFT.create(nfeatures=DETAILS, contrastThreshold=0.02)
    points, found = finder.detectAndCompute(grey(shrink(rgb, SIDE)), None)
    return Look(
        np.asarray((plane - plane.mean()) / max(float(plane.std()), 1.0), np.float32),
        np.asarray(found, np.uint8) if points else np.zeros((0, 128), np.uint8),
    )


def likeness(one: Look, other: Look) -> float:
    """How alike two pictures are as a whole, -1 to 1, whichever way up the second is."""
    return max(float((one.whole * np.rot90(other.whole, turns)).mean()) for turns in range(4))


def by_whole(looks: Sequence[Look], of: Look, *, least: float = ALIKE) -> list[int]:
    """Those that look alike as a whole, the likeliest first."""
    how = np.array([likeness(one, of) for one in looks])
    return [int(i) for i in np.argsort(-how, kind="stable") if how[i] >= least]


def by_details(looks: Sequence[Look], of: Look, *, least: float = 1) -> list[int]:
    """Those that share at least so many details, the one with most first."""
    wanted = _rooted(of)
    counts = np.array([_shared(wanted, _rooted(one)) for one in looks])
    return [int(i) for i in np.argsort(-counts, kind="stable") if counts[i] >= least]


def kin(looks: Sequence[Look], first: Look, of: Look) -> list[int]:
    """Those from which a picture may have been made instead of from the `first`, the likeliest first: all with which it
    shares about as many details, as with another view of the same wall, and all that look like the first."""
    least = max(SHARED, ABOUT * _shared(_rooted(of), _rooted(first)))
    sharing = by_details(looks, of, least=least)
    return sharing + [i for i in by_whole(looks, first, least=KIN) if i not in sharing]


def _rooted(one: Look) -> NDArray[np.float32]:
    """Descriptors as square roots of shares (Arandjelović and Zisserman 2012)."""
    found = one.details.astype(np.float32)
    return np.asarray(np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-6)), np.float32)


def _shared(wanted: NDArray[np.float32], there: NDArray[np.float32]) -> int:
    """How many details of one picture have a clear partner in another."""
    if not len(wanted) or len(there) < 2:
        return 0
    apart = 1 - wanted @ there.T
    nearest = np.partition(apart, 1, axis=1)[:, :2]
    return int((nearest[:, 0] < RATIO * nearest[:, 1]).sum())
