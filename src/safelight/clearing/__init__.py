"""Takes passers-by out of a shot on a camera that stands, where what lies behind them is seen at other times."""

from safelight.clearing.film import DEED, MOST, NOBODY, TOO_MUCH, Box, Cleared, Painter, clear, painter_of

__all__ = ["DEED", "MOST", "NOBODY", "TOO_MUCH", "Box", "Cleared", "Painter", "clear", "painter_of"]
