"""The order of frames within one group, by what can be told of them, with what each quantity adds kept.

A frame's quantities run from 0 (bad) to 1 (good); an unknown one makes no difference. What they weigh is the prior
below or what was learned from a studio's picks (`safelight.learn.preference`), times what counts in the genre.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from safelight.learn import preference
from safelight.learn.preference import Numbers
from safelight.operators import Learns, Subject
from safelight.operators._genres import PLAIN, Manner

MATTERS = 0.5  # of the largest face's height: smaller faces are passers-by


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """Something that speaks for a frame: the evidence it is read from, what it weighs a priori (log odds from worst to
    best), and how sentences name a frame that has more or less of it."""

    evidence: str
    weight: float
    read: Callable[[Subject, Manner], float | None]
    better: str
    worse: str


def _of(name: str) -> Callable[[Subject, Manner], float | None]:
    return lambda subject, _: subject.number(name)


def _without(name: str) -> Callable[[Subject, Manner], float | None]:
    def read(subject: Subject, _: Manner) -> float | None:
        value = subject.number(name)
        return None if value is None else 1 - value

    return read


def _exposure(subject: Subject, _: Manner) -> float | None:
    over, under = subject.number("exposure.over"), subject.number("exposure.under")
    return None if over is None or under is None else 1 - max(over, under)


def _steady(subject: Subject, _: Manner) -> float | None:
    blur, motion = subject.number("blur"), subject.number("blur.motion")
    return None if blur is None or motion is None else 1 - blur * motion


def _eyes(subject: Subject, manner: Manner) -> float | None:
    """Whether all eyes are open; by size, a face a third as tall as the largest counts a third."""
    if manner.eyes_by_size:
        faces = _faces(subject)
        told = [float(f["closed"]) * _height(f) for f in faces if f.get("closed") is not None]
        if told:
            return 1 - max(told) / max(_height(f) for f in faces)
    closed = subject.number("eyes.closed")
    return None if closed is None else 1 - closed


def _face(subject: Subject, _: Manner) -> float | None:
    """How sharp the least sharp of the people is, at the eyes where they can be read."""
    faces = _faces(subject)
    least = MATTERS * max(map(_height, faces), default=0.0)
    told = [float(f["sharpness"]) for f in faces if _height(f) >= least and f.get("sharpness") is not None]
    return min(told, default=None)


def _faces(subject: Subject) -> Sequence[Mapping[str, Any]]:
    found = subject.facts.get("faces")
    if found is None or not isinstance(found.value, list | tuple):
        return ()
    return [face for face in found.value if isinstance(face, Mapping) and len(face.get("box", ())) == 4]


def _height(face: Mapping[str, Any]) -> float:
    return float(face["box"][3] - face["box"][1])


# Weights: what photographers say they look at, in that order. The scale was chosen so that frames damaged on purpose
# lead to log odds of 2 and more and undamaged ones to less; fitting the weights themselves on such frames gained
# nothing on photos that were left out.
QUANTITIES: Mapping[str, Quantity] = {
    "sharpness": Quantity(
        evidence="sharpness", weight=6.1, read=_of("sharpness"), better="sharper", worse="Less sharp"
    ),
    "eyes": Quantity(
        evidence="eyes.closed", weight=4.1, read=_eyes, better="eyes open", worse="Eyes less open"
    ),
    "exposure": Quantity(
        evidence="exposure.over", weight=3.1, read=_exposure, better="better exposed", worse="Less well exposed"
    ),
    "face": Quantity(
        evidence="faces", weight=2.0, read=_face, better="sharper at the eyes", worse="Less sharp at the eyes"
    ),
    "framing": Quantity(
        evidence="subject.cut", weight=1.2, read=_without("subject.cut"), better="nobody cut by the edge",
        worse="Someone is cut by the edge",
    ),
    "colour": Quantity(
        evidence="colour.cast", weight=1.2, read=_without("colour.cast"), better="colours more neutral",
        worse="Colours less neutral",
    ),
    "blur": Quantity(evidence="blur", weight=1.0, read=_without("blur"), better="less blurred", worse="More blurred"),
    "smile": Quantity(
        evidence="smile", weight=0.9, read=_of("smile"), better="a happier expression", worse="Expression less happy"
    ),
    "mouth": Quantity(
        evidence="mouth.speaking", weight=0.5, read=_without("mouth.speaking"), better="nobody caught mid-word",
        worse="Someone is caught mid-word",
    ),
    "level": Quantity(evidence="tilt", weight=0.5, read=_without("tilt"), better="more level", worse="Less level"),
    "steady": Quantity(
        evidence="blur.motion", weight=0.5, read=_steady, better="steadier", worse="More blurred by motion"
    ),
    "noise": Quantity(evidence="noise", weight=0.3, read=_without("noise"), better="less noise", worse="Noisier"),
}  # fmt: skip
NAMES = tuple(QUANTITIES)
PRIOR: Mapping[str, float] = {name: quantity.weight for name, quantity in QUANTITIES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A frame with its score against the average of its group, its chance of being the one that people pick, and its
    quantities, NaN where unknown."""

    subject: Subject
    score: float
    chance: float
    values: Numbers
    weights: Numbers

    def over(self, other: "Ranked") -> dict[str, float]:
        """What speaks for this frame over another, in log odds, by quantity, largest first; only what is known of
        both. The sum is all that is held against the other."""
        gaps = self.weights * preference.differences(self.values, other.values)
        both = np.isfinite(self.values) & np.isfinite(other.values)
        return {NAMES[k]: float(gaps[k]) for k in np.argsort(-gaps, kind="stable") if both[k]}

    def value(self, name: str) -> float:
        """One quantity, 0..1."""
        return float(self.values[NAMES.index(name)])


def values_of(members: Sequence[Subject], manner: Manner = PLAIN) -> Numbers:
    """Frames x quantities, NaN where unknown."""
    rows = [[quantity.read(member, manner) for quantity in QUANTITIES.values()] for member in members]
    return np.array(rows, np.float64).reshape(len(members), len(QUANTITIES))  # None becomes NaN


LEARNS = Learns(prior=PRIOR, values=values_of)


def rank(members: Sequence[Subject], weights: Mapping[str, float] = PRIOR, manner: Manner = PLAIN) -> list[Ranked]:
    """Members by score, best first; equal scores in order of path."""
    own = np.array([weights.get(name, 0.0) * manner.counts.get(name, 1.0) for name in NAMES])
    values = values_of(members, manner)
    scores = preference.scores(values, own)
    found = [
        Ranked(subject=m, score=float(s), chance=float(c), values=v, weights=own)
        for m, s, c, v in zip(members, scores, preference.chances(scores), values, strict=True)
    ]
    return sorted(found, key=lambda r: (-r.score, r.subject.path))


def strength(subject: Subject, weights: Mapping[str, float] = PRIOR, manner: Manner = PLAIN) -> float:
    """How much speaks for a photo by itself, 0..1, over what is known of it: to compare photos of different groups."""
    own = np.array([max(weights.get(name, 0.0), 0.0) * manner.counts.get(name, 1.0) for name in NAMES])
    (values,) = values_of([subject], manner)
    known = np.isfinite(values)
    total = float(own[known].sum())
    return float(np.clip((own[known] * values[known]).sum() / total, 0, 1)) if total else 0.0
