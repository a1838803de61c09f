"""The order of frames within one group: a weighted sum of what can be told, 0 (worst) to 1, with its parts kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safelight.operators import Subject

WEIGHTS = {  # a prior, before any studio's own picks are known: what photographers say they look at, in that order
    "sharpness": 0.36,
    "eyes": 0.24,
    "exposure": 0.18,
    "colour": 0.07,
    "framing": 0.07,
    "smile": 0.05,
    "level": 0.03,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A frame with its score and the parts it is made of; a part that cannot be told is not there."""

    subject: Subject
    score: float
    parts: Mapping[str, float]


def rank(members: Sequence[Subject]) -> list[Ranked]:
    """Members by score, best first; equal scores in order of path. A part counts only where every member has it, so
    that a frame is never preferred for what could not be measured on another."""
    parts = [_parts(member) for member in members]
    common = [name for name in WEIGHTS if all(name in p for p in parts)]
    total = sum(WEIGHTS[name] for name in common) or 1.0
    ranked = [
        Ranked(subject=m, score=sum(WEIGHTS[n] * p[n] for n in common) / total, parts={n: p[n] for n in common})
        for m, p in zip(members, parts, strict=True)
    ]
    return sorted(ranked, key=lambda r: (-r.score, r.subject.path))


def _parts(subject: Subject) -> dict[str, float]:
    """What speaks for a frame, each 0..1."""
    out: dict[str, float] = {}
    if (sharpness := subject.number("sharpness")) is not None:
        out["sharpness"] = sharpness
    if (closed := subject.number("eyes.closed")) is not None:
        out["eyes"] = 1 - closed
    over, under = subject.number("exposure.over"), subject.number("exposure.under")
    if over is not None and under is not None:
        out["exposure"] = 1 - max(over, under)
    if (cut := subject.number("subject.cut")) is not None:
        out["framing"] = 1 - cut
    if (cast := subject.number("colour.cast")) is not None:
        out["colour"] = 1 - cast
    if (tilt := subject.number("tilt")) is not None:
        out["level"] = 1 - tilt
    if (smile := subject.number("smile")) is not None:
        out["smile"] = smile
    return out
