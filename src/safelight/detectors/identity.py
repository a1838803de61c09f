"""Identity: a face that no longer looks like the same person.

Each face of the before is looked up in the same place of the after; both become 128 numbers (dlib's ResNet), whose
distance is the score. Below 0.6 two photographs are usually of one person; an honest retouch stays far below that.
"""

import numpy as np

from safelight.detectors import Detector, Finding, Pair
from safelight.detectors.answers import cannot, said
from safelight.probes._identity import NAME, chip, embed, network
from safelight.probes._mesh import DETECTOR, LANDMARKER, networks

LARGEST = 4  # faces that are looked at


def detect(pair: Pair) -> list[Finding]:
    """One finding, `identity`, about the face that changed most."""
    if pair.cannot:
        return [cannot("identity", pair.cannot)]
    net = network(pair.weights)
    if net is None or networks(pair.weights) is None:
        return [cannot("identity", "the weights that know faces are not installed: `safelight models fetch` gets them")]
    there = pair.faces_before[:LARGEST]
    if not there:
        return [cannot("identity", "there is no face large enough")]
    before, after = (np.rint(p * 255).astype(np.uint8) for p in (pair.before_work, pair.after_work))
    worst, box = -1.0, None
    for face in there:
        near = [other for other in pair.faces_after if _apart(face.box, other.box) < 0.35 * face.size]
        if not near:
            continue
        other = min(near, key=lambda f: _apart(face.box, f.box))
        far = float(np.linalg.norm(embed(chip(before, face.points), net) - embed(chip(after, other.points), net)))
        if far > worst:
            worst, box = far, other.box
    if box is None:
        return [cannot("identity", "no face of the before is found in the same place of the after")]
    heat = np.zeros(after.shape[:2], np.float32)
    x0, y0, x1, y1 = (max(0, round(v)) for v in box)
    heat[y0:y1, x0:x1] = 1
    text = f"The face differs from itself by {worst:.2f}; from 0.6 on it may be another person."
    return [said(pair, "identity", worst, text, heat=heat)]


def _apart(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return float(np.hypot((a[0] + a[2] - b[0] - b[2]) / 2, (a[1] + a[3] - b[1] - b[3]) / 2))


detector = Detector(
    name="identity",
    version=1,
    finds=("identity",),
    detect=detect,
    weights=(DETECTOR, LANDMARKER, NAME),
    about="Faces that look like somebody else.",
    alone_cannot="whose face it was is known by the picture before",
)
