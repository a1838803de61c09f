"""Takes the shake out of a shot and leaves its camera's way, or says why it is left alone."""

from safelight.steady.film import DEEDS, WORTH, Steadied, moved, steady
from safelight.steady.pieces import Calm, Span, calm
from safelight.steady.plan import CROP, STRENGTH_S, Plan, plan, shake_of, unseen
from safelight.steady.track import Track, track

__all__ = [
    "CROP", "DEEDS", "STRENGTH_S", "WORTH", "Calm", "Plan", "Span", "Steadied", "Track", "calm", "moved", "plan",
    "shake_of", "steady", "track", "unseen",
]  # fmt: skip
