"""Measures every claim: `python -m bench` lists what can be run."""
