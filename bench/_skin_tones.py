"""Buckets of skin tone on re-rendered faces, in the light that they were taken in and in worse: who is taken for whom.

The truth is the tone that recipe `skin` rendered. A screening test: few sitters, one skin moved to three tones, no
substitute for real people of each group in real light.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.harness import Data, Result
from safelight.media.colour import decode, encode
from safelight.media.frame import Bytes
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.probes import colour, exposure, faces, skin_tone

if TYPE_CHECKING:
    from safelight.domain import Measure

TONES = (skin_tone.LIGHT, skin_tone.MEDIUM, skin_tone.DARK)
LIGHTS: Mapping[str, tuple[float, float, float]] = {  # gains in linear light
    "as_taken": (1.0, 1.0, 1.0),
    "half_a_stop_under": (0.71, 0.71, 0.71), "half_a_stop_over": (1.41, 1.41, 1.41),
    "a_stop_under": (0.5, 0.5, 0.5), "a_stop_over": (2.0, 2.0, 2.0),
    "warm": (1.25, 1.0, 0.75), "cool": (0.8, 1.0, 1.25), "green": (0.92, 1.08, 0.92),
}  # fmt: skip

Weights = Mapping[str, Mapping[str, Path]]


def measured(data: Data, weights: Weights) -> Iterator[Result]:
    """For each light, how many faces get a bucket and how many of those the right one; in the light as taken, by tone.
    Nothing without the recipe's table."""
    if data.find("skin/truth.csv") is None:
        return
    folder, table = data.table("skin/truth.csv", recipe="skin")
    shown = {row["file"]: row["bucket"] for row in table if row["kind"] == "clean" and row["bucket"] in TONES}
    sitters = len({file.partition("/")[0] for file in shown})
    pixels = {file: read(folder / file) for file in shown}
    for light, gains in LIGHTS.items():
        said = [(true, told(lit(pixels[file], gains), weights)) for file, true in shown.items()]
        named = [(true, tone) for true, tone in said if tone is not None]
        wrong = sum(true != tone for true, tone in named)
        usual = light == "as_taken"
        yield Result(
            name=f"skin_tone.wrong.{light}", value=wrong / max(1, len(said)), n=len(said), bar=0.1 if usual else None,
            want="at most" if usual else None, beside={"told": len(named) / max(1, len(said))},
            note=f"of all faces, {sitters} sitters; {wrong} of {len(named)} told; the rest need every licence",
        )  # fmt: skip
        if usual:
            yield from _confused(said)


def _confused(said: list[tuple[str, str | None]]) -> Iterator[Result]:
    """One row a tone: what its faces were called."""
    for tone in TONES:
        own = Counter(answer for true, answer in said if true == tone)
        count = sum(own.values())
        if count:
            yield Result(
                name=f"skin_tone.{tone}.right", value=own[tone] / count, n=count,
                beside={f"called_{other}": own[other] / count for other in TONES if other != tone}
                | {"not_told": own[None] / count},
            )  # fmt: skip


def lit(rgb: Bytes, gains: tuple[float, float, float]) -> Bytes:
    """A picture under other light."""
    linear = decode(rgb / 255) * np.asarray(gains)
    return np.asarray(np.rint(encode(np.clip(linear, 0, 1)) * 255), np.uint8)


def told(rgb: Bytes, weights: Weights) -> str | None:
    """The bucket of a picture; None where it cannot be told."""
    facts: dict[str, Measure] = {}
    picture = Picture(rgb=rgb, facts=facts, weights=weights)
    for probe in (faces.probe, colour.probe, exposure.probe):
        assert probe.measure is not None
        facts |= {m.name: m for m in probe.measure(picture)}
    (found,) = skin_tone.measure(picture)
    return None if found.value is None else str(found.value)
