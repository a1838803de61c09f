"""What one file may cost: pixels, memory and time. Whoever works on a file says which step it is at, and a worker
process that spends more than the step may take is ended, the others and the run are not (`safelight.workers`).

Each limit is an environment variable, so that worker processes see what the run sees.
"""

import os
from collections.abc import Callable

import psutil

from safelight.errors import TooLarge, UsageError

MEGAPIXELS = 500.0  # a 16,384-px panorama of 2:1 has 134; medium-format backs have 151
OPENING_S, OPENING_S_PER_MP, OPENING_S_PER_MB = 10.0, 0.5, 0.25  # computing that reading a file may take
PLUGIN_S, PLUGIN_S_PER_MP = 60.0, 2.0  # computing that one probe or the edits of one photo may take
WAITING = 4.0  # by the clock a step may last so many times as long: slow disks and networks, other programs
MEMORY_SHARE = 0.8  # of the machine's memory, for all workers together
LEAST_MEMORY = 1 << 30  # bytes; what a worker needs for a photo of a usual camera

Listener = Callable[[str, float], None]
_listeners: list[Listener] = []


def begin(step: str, *, seconds: float) -> None:
    """Says that a step begins which may compute for `seconds`; the step before is over. Free where nobody listens."""
    for listener in _listeners:
        listener(step, seconds * patience())


def listen(listener: Listener) -> None:
    """Has every step of this process told to `listener`."""
    _listeners[:] = [listener]


def opening(pixels: int, *, size: int = 0) -> float:
    """Seconds that reading a picture of so many pixels from a file of so many bytes may compute."""
    return OPENING_S + OPENING_S_PER_MP * pixels / 1e6 + OPENING_S_PER_MB * size / 1e6


def plugin(pixels: int) -> float:
    """Seconds that a plug-in may compute on a picture of so many pixels."""
    return PLUGIN_S + PLUGIN_S_PER_MP * pixels / 1e6


def check_size(name: str, width: int | None, height: int | None) -> None:
    """Raises TooLarge for a picture that says it has more pixels than are opened here."""
    most = megapixels()
    if width and height and width * height > most * 1e6:
        raise TooLarge(
            f"{name} says that it has {width:,} x {height:,} pixels ({width * height / 1e6:,.0f} megapixels); "
            f"up to {most:,.0f} are opened.",
            remedy="Raise SAFELIGHT_MEGAPIXELS if the picture is real.",
        )


def megapixels() -> float:
    """The largest picture that is opened."""
    return _number("SAFELIGHT_MEGAPIXELS", MEGAPIXELS)


def patience() -> float:
    """How many times the usual time a step may take."""
    return _number("SAFELIGHT_PATIENCE", 1.0)


def memory(workers: int) -> int:
    """Bytes that one of so many worker processes may hold."""
    usual = max(MEMORY_SHARE * psutil.virtual_memory().total / workers, LEAST_MEMORY)
    return int(_number("SAFELIGHT_MEMORY", usual / 1e6) * 1e6)


def _number(name: str, usual: float) -> float:
    text = os.environ.get(name, "").strip()
    try:
        value = float(text) if text else usual
    except ValueError:
        value = 0.0
    if not value > 0:
        raise UsageError(f"{name} is {text!r}.", remedy="Set it to a number above 0, or unset it.")
    return value
