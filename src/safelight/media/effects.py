"""What is done to the sound or the picture of a clip when it is rendered, and not before: plain values, no pixels."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Colours: TypeAlias = NDArray[np.float64]  # …×3, display values 0 to 1
LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """What of a sound is mended: hum by span (seconds) and mains frequency (Hz), clicks by span, noise by at most so
    many dB where somebody speaks. Nothing by default."""

    hum: tuple[tuple[Fraction, Fraction, float], ...] = ()
    clicks: tuple[tuple[Fraction, Fraction], ...] = ()
    noise_db: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How loud a clip is to be: at `lufs`, by a gain that is measured on what of it plays, or on its `dialogue` alone;
    or louder by `gain_db`. What is encoded stays below `ceiling_dbtp` (true peak)."""

    lufs: float | None = None
    dialogue: bool = False
    gain_db: float = 0.0
    ceiling_dbtp: float = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CDL:
    """ASC CDL 1.2 in display values: slope, offset, power of R, G and B, then saturation about the luma of Rec. 709.
    `reverse`: saturation first, then power, offset, slope."""

    slope: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    power: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    reverse: bool = False

    def __call__(self, rgb: NDArray[Any]) -> Colours:
        """Colours (…×3, display values 0 to 1) after it."""
        x = np.asarray(rgb, np.float64)
        if self.reverse:
            x = np.clip(_saturated(x, self.saturation), 0, 1)
            return np.asarray(np.clip((x ** np.array(self.power) + self.offset) * self.slope, 0, 1))
        x = np.clip(x * self.slope + self.offset, 0, 1) ** np.array(self.power)
        return np.asarray(np.clip(_saturated(x, self.saturation), 0, 1))


def _saturated(x: Colours, saturation: float) -> Colours:
    luma = (x @ LUMA)[..., None]
    return np.asarray(luma + (x - luma) * saturation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """Shake is taken out: the camera's path is smoothed over so many seconds (standard deviation), of the width at most
    the share `crop` goes. `anyway`: also where the camera is meant to move, whose way stays."""

    strength_s: float = 0.5
    crop: float = 0.1
    anyway: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """Who passes is replaced by what lies behind, in the box `where` (left, top, right, bottom: px of the upright
    picture, half-open); None: anywhere."""

    where: tuple[int, int, int, int] | None = None


Settings: TypeAlias = Repairs | Level | CDL | Steady | Clear


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One of them, with the name of the operator that asks for it."""

    name: str
    settings: Settings
