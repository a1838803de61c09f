"""How a raw's noise is made up once it is developed: what the camera smoothed in its preview is still there.

Only raws whose preview is noisy are developed, at full size, for demosaicing decides how coarse the noise is. What is
measured is the same as on other pictures (`noise_model`).
"""

from collections.abc import Sequence
from dataclasses import replace

from safelight.domain import Measure
from safelight.errors import MediaError
from safelight.media import raw
from safelight.media.colour import srgb8
from safelight.media.picture import Picture
from safelight.probes import Probe, noise, noise_model


def judge(picture: Picture) -> Sequence[Measure]:
    """`raw.noise.model` and `raw.noise.level`; nothing for other files, and for raws whose preview has no noise."""
    if picture.source is None or not picture.is_preview:
        return ()
    sigma = next(m for m in noise.judge(picture) if m.name == "noise.sigma")
    if sigma.cannot_tell is None and float(sigma.value or 0) < noise_model.HEARD:  # type: ignore[arg-type]
        return ()
    try:
        light = raw.develop(picture.source).pixels
    except MediaError as trouble:
        return tuple(
            Measure(name=name, cannot_tell=f"the raw could not be developed ({trouble.cause})") for name in EMITS
        )
    found = noise_model.measured(noise_model.tiles(srgb8(light)))
    return tuple(replace(measure, name=f"raw.{measure.name}") for measure in found)


EMITS = tuple(f"raw.{name}" for name in noise_model.probe.emits)

probe = Probe(
    name="raw_noise",
    version=1,
    emits=EMITS,
    of_raws=True,
    measure=judge,
    about="What the noise of a raw is made of once it is developed, where its preview is noisy.",
)
