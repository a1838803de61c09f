"""Which photos of a shoot a picture may show, told from small pictures: by the whole of it, then by details that both
have, however it was cropped and whichever way up."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Bytes
from safelight.media.picture import grey, shrink
from safelight.pairs.matching import likeness

SIDE = 320  # px, long side at which details are looked for
DETAILS = 400  # of a picture
RATIO = 0.64  # squared distance of the nearest detail to that of the next (Lowe 2004)
ALIKE = 0.6  # likeness from which two pictures may be one
KIN = 0.75  # likeness, and …
SHARED = 8  # … details in common from which two photos may be frames of one motif

Details = NDArray[np.float32]


def by_whole(shown: Sequence[Bytes], picture: Bytes) -> list[int]:
    """Those that look alike as a whole, the likeliest first."""
    how = np.array([likeness(one, picture) for one in shown])
    return [int(i) for i in np.argsort(-how, kind="stable") if how[i] >= ALIKE]


def by_details(shown: Iterable[Bytes], picture: Bytes, *, least: int = 1) -> list[int]:
    """Those that share at least so many details, the one with most first."""
    wanted = _details(picture)
    counts = np.array([_shared(wanted, _details(one)) for one in shown])
    return [int(i) for i in np.argsort(-counts, kind="stable") if counts[i] >= least]


def kin(shown: Sequence[Bytes], near: Sequence[bool], of: Bytes) -> list[int]:
    """Those that may be another frame of the same motif, the likeliest first: all that look alike, and of those that
    were taken `near` it all that share details with it, as another view of the same wall does."""
    how = np.array([likeness(one, of) for one in shown])
    whole = [int(i) for i in np.argsort(-how, kind="stable") if how[i] >= KIN]
    there = [i for i, is_near in enumerate(near) if is_near and i not in whole]
    return whole + [there[i] for i in by_details((shown[i] for i in there), of, least=SHARED)]


def _details(rgb: Bytes) -> Details:
    """Descriptors of a picture's features, N x 128, as square roots of shares (Arandjelović and Zisserman 2012)."""
    finder = cv2.SIFT.create(nfeatures=DETAILS, contrastThreshold=0.02)
    points, looks = finder.detectAndCompute(grey(shrink(rgb, SIDE)), None)
    found = np.asarray(looks, np.float32) if points else np.zeros((0, 128), np.float32)
    return np.asarray(np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-6)), np.float32)


def _shared(wanted: Details, there: Details) -> int:
    """How many details of one picture have a clear partner in another."""
    if not len(wanted) or len(there) < 2:
        return 0
    apart = 1 - wanted @ there.T
    nearest = np.partition(apart, 1, axis=1)[:, :2]
    return int((nearest[:, 0] < RATIO * nearest[:, 1]).sum())
