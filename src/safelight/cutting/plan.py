"""What is proposed to be cut, and what a person must decide: whole frames, half-open, with the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Evidence = tuple[tuple[str, float | str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Frames [start, end) that go. `rule` names why; `leaves_s`: what stays of the pause, seconds; `look`: listed for a
    glance though both witnesses agree."""

    start: int
    end: int
    rule: str
    text: str
    evidence: Evidence = ()
    leaves_s: Fraction | None = None
    look: bool = False

    @property
    def length(self) -> int:
        """Frames."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Frames [start, end) which the witnesses do not agree about, or which are a person's to judge; they stay."""

    start: int
    end: int
    rule: str
    text: str
    evidence: Evidence = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Cuts in order and apart, doubts in order, of `length` frames at `rate` frames a second."""

    rate: Fraction
    length: int
    cuts: tuple[Cut, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        """Frame ranges that stay."""
        edges = [0, *(edge for cut in self.cuts for edge in (cut.start, cut.end)), self.length]
        return tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a)

    @property
    def saved_s(self) -> float:
        """Seconds that go."""
        return float(sum(cut.length for cut in self.cuts) / self.rate)


def in_order(cuts: Sequence[Cut], *, shortest: int) -> tuple[Cut, ...]:
    """Cuts in order; of two that leave less than `shortest` frames between them, the smaller stays undone."""
    found: list[Cut] = []
    for cut in sorted(cuts, key=lambda c: c.start):
        if found and cut.start - found[-1].end < shortest:
            if cut.length <= found[-1].length:
                continue
            found.pop()
        found.append(cut)
    return tuple(found)
