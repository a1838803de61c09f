"""Fits the constants that probes and operators ship, always left out by photo first."""
