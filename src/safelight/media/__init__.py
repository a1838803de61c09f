"""Bytes to pictures and back. Conversions of colour, orientation and depth happen here and nowhere else."""
