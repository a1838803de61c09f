"""Python's search for cycles among objects, put off where it only costs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """While hundreds of thousands of small objects come that all stay, looking for cycles among them would be a quarter
    of the time and more."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
