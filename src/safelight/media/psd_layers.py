"""A Photoshop file that was saved without a picture of its layers: they are drawn one on the other by psd-tools.

What it does not draw as Photoshop does (shadows, glows, bevels, some adjustments) is refused by name, never left out.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWN = frozenset({
    "pixel", "group", "type", "smartobject", "shape", "solidcolorfill", "brightnesscontrast", "levels", "curves",
    "exposure", "huesaturation", "invert", "posterize", "threshold",
})  # fmt: skip
EFFECTS = frozenset({"ColorOverlay"})  # effects that come out as they should


def strange(data: bytes) -> list[str]:
    """What in the visible layers cannot be drawn, in words."""
    from psd_tools import PSDImage

    found = list(_visible(PSDImage.open(BytesIO(data))))
    kinds = [f"{layer.kind} ({layer.name})" for layer in found if layer.kind not in DRAWN]
    effects = [
        f"{type(effect).__name__} ({layer.name})"
        for layer in found if layer.has_effects()
        for effect in layer.effects if effect.enabled and type(effect).__name__ not in EFFECTS
    ]  # fmt: skip
    return kinds + effects


def drawn(data: bytes) -> NDArray[Any]:
    """The layers of an RGB or grey file as one picture: words, H x W x channels, the last one cover. Raises what
    psd-tools raises for a damaged file."""
    from psd_tools import PSDImage
    from psd_tools.composite import composite

    colour, _, cover = composite(PSDImage.open(BytesIO(data)), force=True)
    planes = np.concatenate((np.asarray(colour, np.float32), np.asarray(cover, np.float32)), axis=2)
    return np.asarray(np.rint(np.clip(planes, 0, 1) * 65535), np.uint16)


def _visible(layers: Any) -> Iterator[Any]:
    for layer in layers:
        if layer.visible:
            yield layer
            if layer.is_group():
                yield from _visible(layer)
