"""Where shots of a clip join: cuts, dissolves, fades, wipes, each with its chance. One pass over small frames.

A frame becomes a row of distances to the frames around it: histograms and edges of cells, the normalised picture,
colour, and how far it is a mixture of those before and after (`_shots.distances`). Small networks over time, fitted on
programmes made of openly licensed footage (`shots.json` says which and how), tell joins from flashes, whips of the
camera and things that pass; their mean output becomes a chance by a logistic of its own for each kind, fitted on
sources that the networks had not seen.
"""

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from importlib.resources import files

from safelight.probes._shots import joins, net
from safelight.probes._shots.frames import Thumb, thumb
from safelight.probes._shots.joins import Into, Join, Trust

__all__ = ["Into", "Join", "Thumb", "find", "thumb", "trust"]


def find(thumbs: Iterable[Thumb], rate: Fraction | None) -> list[Join]:
    """All joins of frames that follow each other (`rate` of them a second, None where nobody knows), in order."""
    return joins.find(thumbs, rate, nets=net.fitted(), trust=trust())


@cache
def trust() -> Mapping[Into, Trust]:
    """How far each kind of join is believed."""
    said = json.loads(files("safelight.probes").joinpath("shots.json").read_text("utf-8"))
    return {Into(kind): Trust(**values) for kind, values in said["trust"].items()}
