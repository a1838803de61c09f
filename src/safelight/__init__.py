"""The first pass over a shoot, with the record of how often it was right."""

import os

# onnxruntime queues a telemetry event when it is imported; nothing here calls out.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
