"""Mean and spread of luma: a complete small probe, and part of the tutorial.

Copy this file, give the probe a name of its own, and register it under the entry point group `safelight.probes`.
`safelight.contract.check_probe` then says whether all promises hold.
"""

from collections.abc import Sequence

from safelight.domain import Measure
from safelight.media.picture import Picture
from safelight.probes import Probe

FEWEST = 16  # px: below, a spread says nothing


def measure(picture: Picture) -> Sequence[Measure]:
    """Mean and standard deviation of sRGB-encoded luma, 0..1; a picture of a few pixels has no spread to speak of."""
    luma = picture.luma
    mean = Measure(name="template.luma", value=round(float(luma.mean()), 4))
    if luma.size < FEWEST:
        return (mean, Measure(name="template.spread", cannot_tell=f"The picture has only {luma.size} pixels."))
    return (mean, Measure(name="template.spread", value=round(float(luma.std()), 4)))


probe = Probe(
    name="template",
    version=1,  # one more whenever a value changes
    emits=("template.luma", "template.spread"),  # every name that `measure` may return
    measure=measure,
    about="How bright a picture is on average, and how far its brightness spreads.",
)
