"""What a rule says about a file."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Box, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One rule and one file: held, broken, or why it cannot be told.

    `value` is what was measured and `wanted` what the rule asks for, both in words of the rule's unit. `where` is a
    half-open box in px of the upright picture, `mask` the pixels meant, H x W bool. A broken rule has a `remedy`.
    """

    rule: str
    held: bool | None
    text: str
    remedy: str = ""
    value: Json = None
    wanted: Json = None
    where: Box | None = None
    mask: NDArray[np.bool_] | None = field(default=None, repr=False, compare=False)

    @property
    def broken(self) -> bool:
        """Whether the rule was broken."""
        return self.held is False

    def as_json(self) -> dict[str, Any]:
        """The answer without its mask."""
        return {
            "rule": self.rule, "held": self.held, "value": self.value, "wanted": self.wanted, "text": self.text,
            "remedy": self.remedy, "where": list(self.where) if self.where else None,
        }  # fmt: skip
