"""Takes the shake out of a shot and leaves its camera's way, or says why it is left alone."""

from safelight.steady.film import Steadied, steady
from safelight.steady.plan import CROP, STRENGTH_S, Plan, plan
from safelight.steady.track import Track, track

__all__ = ["CROP", "STRENGTH_S", "Plan", "Steadied", "Track", "plan", "steady", "track"]
