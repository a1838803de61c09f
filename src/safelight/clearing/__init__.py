"""Takes passers-by out of a shot on a camera that stands, where what lies behind them is seen at other times."""

from safelight.clearing.film import Box, Cleared, clear

__all__ = ["Box", "Cleared", "clear"]
