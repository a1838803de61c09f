"""Work that only people should do: out to a retoucher with a brief, and back as an edit that passes the gate."""

from safelight.handoff.back import Returned, bring_back
from safelight.handoff.out import hand_out, words

__all__ = ["Returned", "bring_back", "hand_out", "words"]
