"""The first pass over a shoot, with the record of how often it was right.

`safelight.run(folder)` makes a first pass; `safelight.Library` opens the record; `safelight.check(before,
after)` looks for artefacts; `safelight.domain` has the nouns.
"""

import os
from importlib import import_module
from typing import Any

# onnxruntime queues a telemetry event when it is imported; nothing here calls out.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

_API = {
    "run": "safelight.api",
    "Library": "safelight.api",
    "check": "safelight.checking",
    "inspect": "safelight.checking",
}  # imported on first use: workers need none of it


def __getattr__(name: str) -> Any:
    """The public functions, imported when they are first asked for."""
    if name in _API:
        return getattr(import_module(_API[name]), name)
    raise AttributeError(f"module 'safelight' has no attribute {name!r}")
