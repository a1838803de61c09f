"""What counts in which kind of shoot. Every field changes what is proposed; bench `taste` measures by how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from safelight.domain import Genre


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one genre is culled.

    `counts` multiplies what a quantity weighs between the frames of a group; quantities that count more than usual are
    named in reasons with `because`. `clear` is the chance of being preferred from which the better of two frames lets
    the other go, `certain` the probability from which a fault is called one. `excused` are faults that may be meant.
    `eyes_by_size`: closed eyes count by the size of their face, whoever is in the picture. `every_moment`: a target
    keeps one photo of every group and every photo that stands alone, not only one of every scene.
    """

    counts: Mapping[str, float] = field(default_factory=dict)
    because: str = ""
    clear: float = 0.88
    certain: float = 0.9
    excused: frozenset[str] = frozenset()
    eyes_by_size: bool = False
    every_moment: bool = False

    def stresses(self, quantity: str) -> bool:
        """Whether a quantity counts more here than elsewhere."""
        return self.counts.get(quantity, 1.0) > 1


PLAIN = Manner()
MANNERS: Mapping[Genre, Manner] = {
    Genre.WEDDING: Manner(
        counts={"eyes": 1.3, "smile": 1.5},
        because="which counts at a wedding",
        clear=0.93,
        certain=0.95,
        eyes_by_size=True,
    ),
    Genre.SPORT: Manner(
        counts={"sharpness": 1.3, "framing": 3.0, "smile": 0.0, "mouth": 0.0},
        because="which counts in sport",
        clear=0.8,
        excused=frozenset({"blur.motion"}),
    ),
    Genre.PORTRAIT: Manner(
        counts={"face": 2.0, "eyes": 2.0, "smile": 2.0, "mouth": 2.0},
        because="which counts in a portrait",
    ),
    Genre.PRODUCT: Manner(
        counts={"exposure": 2.0, "colour": 2.0, "level": 2.0},
        because="which counts for products",
        certain=0.85,
        every_moment=True,
    ),
}


def manner(genre: Genre | None) -> Manner:
    """How a genre is culled; without one, as any shoot."""
    return PLAIN if genre is None else MANNERS[genre]
