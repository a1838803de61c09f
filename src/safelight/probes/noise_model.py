"""How a noisy picture's noise is made up: by light, by channel and by frequency, at native size.

Tiles on a grid are cut into blocks. The smoothest blocks of each brightness are chosen by one half of their DCT
coefficients, like the squares of a chessboard, and noise is measured in the other half, so that choosing the smoothest
does not make the noise look smaller (Ponomarenko et al. 2007; Colom & Buades 2013). How it grows with light gives the
scale on which it is the same everywhere; there its density is measured by octave, the coarser ones on tiles at half and
at a quarter of the size. Where even the smoothest blocks are coarse texture, nothing is told.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from safelight.domain import Json, Measure
from safelight.media.frame import Bytes, Pixels
from safelight.media.noise import MIX, OCTAVES, Vector, dct, stable, variances_of
from safelight.media.picture import TO_LINEAR, Picture
from safelight.probes import Probe

HEARD = 1.0  # levels at mid-grey, at 1600 px: below, noise is not modelled
TILE, SIDE = 32, 8  # px
TILES, FEWEST_TILES = 256, 64  # the most that are looked at, the fewest that tell anything
SMOOTHEST = 0.12  # share of blocks of one brightness
LEVELS, BLOCKS_A_LEVEL = 6, 60  # of brightness, and how many blocks each has at least
FEWEST = 16  # blocks without clipped pixels, for an answer
CLIPPED = 0.03  # share of a block's values that may be black or white
FIRST_OFFSET = 0.01  # of display white: a scale to begin with
OFFSETS = np.geomspace(1e-4, 0.3, 40)
READ_NOISE = 9.0  # k / a: three electrons, squared; what holds the offset where a picture has no shadows
HOLD = 0.05  # weight of that against a level of brightness
TEXTURED = 100.0  # variance at 1/8 over that at 1/2 cycles per px from which on it is no noise, demosaiced or not
STEEPEST = (1.0, 1.1, 1.2, 1.3, 2.2, 30.0)  # the most by which an octave of noise exceeds the next finer
COARSE_COLOUR = (1.0, 1.1, 1.2, 2.0, 6.0, 30.0)  # the same for colour that was kept at half the size
HALVED = 0.66  # steps of colour within pairs of pixels over steps between pairs, below which its size was halved
WHOLE = 3  # the finest octave that halving leaves whole
GREYER = 1.25  # the most by which luma's noise exceeds that of Cg, which is the same where channels are independent
FINE = 2.9  # radius from which on texture counts little
LOUDER = 1.5  # the most by which the model exceeds the noise that is heard in the whole picture
MOST_OF = 0.7  # share of a coarse block's parts that are unclipped
MID_GREY = 0.18

_DOWN, _ACROSS = np.mgrid[:SIDE, :SIDE].reshape(2, -1)
_RADIUS = np.hypot(_DOWN, _ACROSS)
CHOOSING = ((_DOWN + _ACROSS) % 2 == 0) & (_RADIUS > 0) & (_RADIUS < 5)
HEARING = (_DOWN + _ACROSS) % 2 == 1
# which coefficients of tiles at full, half or quarter size tell an octave: (halvings, from radius, below radius)
HEARD_AT = ((2, 0.0, 1.4), (2, 1.4, 2.9), (1, 1.4, 2.9), (0, 1.4, 2.9), (0, 2.9, 5.7), (0, 5.7, 8.6))


def judge(picture: Picture) -> Sequence[Measure]:
    """`noise.model`, and `noise.level`: green's deviation at mid-grey in levels of 255; nothing without noise."""
    if picture.is_preview:  # the raw behind it has other noise: see raw_noise
        return ()
    sigma = picture.facts.get("noise.sigma")
    if sigma is None or sigma.cannot_tell is not None:
        return _silent("the noise was not measured" if sigma is None else str(sigma.cannot_tell))
    if float(sigma.value or 0) < HEARD:  # type: ignore[arg-type]
        return ()
    return measured(tiles(picture.rgb), sigma=float(sigma.value or 0), scale=1 / picture.work_scale)  # type: ignore[arg-type]


def tiles(rgb: Bytes) -> Bytes:
    """Up to TILES tiles on an even grid, n x TILE x TILE x 3."""
    down, across = rgb.shape[0] // TILE, rgb.shape[1] // TILE
    if not down * across:
        return np.empty((0, TILE, TILE, 3), np.uint8)
    step = max(1.0, (down * across / TILES) ** 0.5)
    rows, columns = (np.arange(step / 2, count, step).astype(int) for count in (down, across))
    grid = rgb[: down * TILE, : across * TILE].reshape(down, TILE, across, TILE, 3)
    return grid[rows[:, None], :, columns[None]].reshape(-1, TILE, TILE, 3)


def measured(cut: Bytes, *, sigma: float | None = None, scale: float = 1.0) -> Sequence[Measure]:
    """The model of the noise in these tiles.

    `sigma` is green's deviation at mid-grey, in levels, that was heard in the picture reduced by `scale`, whole
    blocks at a time. Tiles with fine coloured texture everywhere seem to hold more; the model is brought down to it.
    """
    if len(cut) < FEWEST_TILES:
        return _silent("the picture is too small to hear its noise")
    usable = _unclipped(cut)
    if np.count_nonzero(usable) < FEWEST:
        return _silent("nearly all of the picture is black or white")
    light = np.asarray(TO_LINEAR[cut], np.float32)
    brightness = _blocks(light).mean(axis=(1, 2))
    offset = _offset(_coefficients(stable(light, FIRST_OFFSET)), brightness, usable)
    planes = stable(light, offset)
    heard = [_heard(_coefficients(planes), brightness, usable)]
    whole = usable.reshape(len(cut), TILE // SIDE, TILE // SIDE)
    for _ in range(2):
        planes = planes.reshape(len(cut), planes.shape[1] // 2, 2, -1, 2, 3).mean(axis=(2, 4))
        quads = whole.reshape(len(cut), whole.shape[1] // 2, 2, -1, 2)
        whole = quads.mean(axis=(2, 4)) > MOST_OF
        heard.append(_heard(_coefficients(planes), _blocks(planes).mean(axis=(1, 2)), whole.ravel()))
    luma, orange, green = (_by_octave([part[row] for part in heard]) for row in range(3))
    halved = _halved(cut)
    if not halved and green[4] > TEXTURED * green[6]:
        return _silent("nothing in the picture is smooth enough to hear its noise")
    orange, green = (_held(row, COARSE_COLOUR if halved else STEEPEST) for row in (orange, green))
    grey = _held(np.minimum(luma, GREYER * (np.maximum(green, green[WHOLE]) if halved else green)))
    density = grey, orange, green
    slope = _slope(heard[0], density)
    if sigma is not None and not halved:
        smaller = float(variances_of(green, SIDE, scale=scale).mean() / variances_of(green, SIDE).mean())
        quiet = min(1.0, LOUDER * sigma / (_level(slope, offset) * smaller**0.5)) ** 2
        slope, density = slope * quiet, (grey * quiet, orange * quiet, green * quiet)
    return _told(slope, offset, density)


def _told(slope: Vector, offset: float, density: Sequence[Vector]) -> Sequence[Measure]:
    model: dict[str, Json] = {
        "slope": [_short(v) for v in slope],
        "offset": _short(offset),
        "density": [[_short(v) for v in row] for row in density],
    }
    return (
        Measure(name="noise.model", value=model),
        Measure(name="noise.level", value=round(_level(slope, offset), 3), unit="levels of 255"),
    )


def _level(slope: Vector, offset: float) -> float:
    """Green's deviation at mid-grey in levels of 255."""
    deviation = float(np.sqrt(slope[1] * (MID_GREY + offset)))
    return float(deviation * 1.055 / 2.4 * MID_GREY ** (1 / 2.4 - 1) * 255)


def _short(value: float) -> float:
    return float(f"{value:.4g}")


# ---------------------------------------------------------------- what is measured


def _offset(coefficients: Pixels, brightness: Vector, usable: NDArray[np.bool_]) -> float:
    """Offset of the scale on which green against red and blue is as noisy in the dark as in the light."""
    light, variance = [], []
    for part in _smoothest(coefficients, brightness, usable):
        light.append(float(np.median(brightness[part])))
        green = np.einsum("j,njk->nk", MIX[2], coefficients[part])[:, HEARING]
        variance.append(float(np.square(green).mean()) + 1e-12)
    levels = np.array(light)
    shape = (levels + OFFSETS[:, None]) / (levels + FIRST_OFFSET)
    apart = np.log(variance) - np.log(shape)
    slope = np.median(apart, axis=1)
    miss = np.abs(apart - slope[:, None]).mean(axis=1)
    pull = HOLD * np.abs(np.log(OFFSETS / (READ_NOISE * np.exp(slope))))
    return float(OFFSETS[np.argmin(miss + pull)])


def _heard(coefficients: Pixels, brightness: Vector, usable: NDArray[np.bool_]) -> Vector:
    """Mean energies of the smoothest blocks' coefficients, 4 x 64: of Y, Co, Cg, and of Co with Cg; nan of none."""
    chosen = _smoothest(coefficients, brightness, usable)
    if not chosen:
        return np.full((4, SIDE * SIDE), np.nan)
    y, co, cg = np.einsum("ij,njk->ink", MIX, coefficients[np.concatenate(chosen)].astype(np.float64))
    return np.stack([np.mean(one * other, axis=0) for one, other in ((y, y), (co, co), (cg, cg), (co, cg))])


def _by_octave(energies: Sequence[Vector]) -> Vector:
    """Density by `OCTAVES` of one channel, from its energies at full, half and quarter size; coarse ones may be nan."""
    found = [energies[halvings][HEARING & _within(low, high)].mean() * 4**halvings for halvings, low, high in HEARD_AT]
    return np.array([found[0], *found])


def _within(low: float, high: float) -> NDArray[np.bool_]:
    return np.asarray((low <= _RADIUS) & (_RADIUS < high))  # noqa: SIM300 - reads as an interval


def _held(density: Vector, steepest: Sequence[float] = STEEPEST) -> Vector:
    """The density without what only texture can be: from one octave to the next coarser it rises by so much at most."""
    held = density.copy()
    for octave in range(len(OCTAVES) - 2, -1, -1):
        held[octave] = np.fmin(held[octave], held[octave + 1] * steepest[octave])
    return held


def _halved(cut: Bytes) -> bool:
    """Whether colour was kept at half the size, as most JPEGs do: pairs of pixels then share most of theirs."""
    apart = cut[..., 0].astype(np.int16) - cut[..., 1]
    for plane in (apart, apart.transpose(0, 2, 1)):
        steps = np.square(np.diff(plane, axis=2).astype(np.float32))
        within, between = float(steps[..., ::2].mean()), float(steps[..., 1::2].mean())
        if min(within, between) < HALVED * max(within, between):
            return True
    return False


def _slope(energies: Vector, density: Sequence[Vector]) -> Vector:
    """The slopes of red, green and blue: variances of a pixel, from the differences between the channels.

    Where each is noisy by itself var Co = (r + b) / 4, var Cg = (r + 4 g + b) / 16 and their covariance (b - r) / 8.
    """
    fine = HEARING & (_RADIUS >= FINE)
    lean = energies[3][fine].sum() / energies[1][fine].sum()
    grey, orange, green = (float(variances_of(row, SIDE).mean()) for row in density)
    red, blue = 2 * orange * (1 - 2 * lean), 2 * orange * (1 + 2 * lean)
    return np.asarray(np.maximum((red, 4 * green - orange, blue), green / 4) * max(1.0, grey / green))


# ---------------------------------------------------------------- blocks


def _unclipped(cut: Bytes) -> NDArray[np.bool_]:
    inside = ((cut > 0) & (cut < 255)).astype(np.float32)
    return np.asarray(_blocks(inside).mean(axis=(1, 2)) >= 1 - CLIPPED)


def _blocks(tiles_: Pixels) -> Pixels:
    """N x 3 x SIDE^2: the pixels of each block, channel by channel, of n x H x W x 3."""
    n, height, width, channels = tiles_.shape
    cut = tiles_.reshape(n, height // SIDE, SIDE, width // SIDE, SIDE, channels).transpose(0, 1, 3, 5, 2, 4)
    return cut.reshape(-1, channels, SIDE * SIDE)


def _coefficients(tiles_: Pixels) -> Pixels:
    """N x 3 x SIDE^2: the DCT of each block."""
    return np.asarray(_blocks(tiles_) @ dct(SIDE).T, np.float32)


def _smoothest(coefficients: Pixels, brightness: Vector, usable: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Indices of the smoothest usable blocks, for each level of brightness."""
    index = np.flatnonzero(usable)
    if len(index) < 4:
        return []
    energy = np.square(coefficients[:, :, CHOOSING]).sum(axis=(1, 2))
    levels = int(np.clip(len(index) / BLOCKS_A_LEVEL, 1, LEVELS))
    parts = np.array_split(index[np.argsort(brightness[index], kind="stable")], levels)
    return [part[np.argsort(energy[part], kind="stable")[: max(4, int(len(part) * SMOOTHEST))]] for part in parts]


def _silent(why: str) -> Sequence[Measure]:
    return tuple(Measure(name=name, cannot_tell=why) for name in probe.emits)


probe = Probe(
    name="noise_model",
    version=1,
    emits=("noise.model", "noise.level"),
    needs=("noise.sigma",),
    measure=judge,
    about="What a noisy picture's noise is made of: how it grows with light, and how coarse it is, by channel.",
)
