"""Measures every claim: `python -m bench` lists what can be run."""

import os

# Before numpy loads: a library that spins on every core while it waits would count in CPU seconds.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
