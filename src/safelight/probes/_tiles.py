"""Where to look at detail: the tiles of a picture that have structure, and some that have none, to hear its noise."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.frame import Pixels
from safelight.probes._detail import MARGIN

Corner = tuple[int, int]

TILE = 64  # px, side of a tile without its surroundings
CELL = 16  # px, a quarter of a tile: a small subject fills one and is not averaged away
STRUCTURED = 64  # tiles with structure, half of them by fine, half by coarse structure
PLAIN = 12  # tiles without structure
STEEP = 0.08  # per coarse px: steeper gradients count no more, or one window in the dark would be all there is
BRIGHT_DOT = 0.01  # squared luma of a band: the same for fine structure
CLIPPED = (0.06, 0.94)  # mean luma outside which a tile shows no noise


def choose(luma: Pixels) -> list[Corner]:
    """Upper left corners (x, y) of the tiles worth looking at; of small pictures that is all of them.

    Fine structure finds a small sharp subject on blurred ground; coarse structure finds edges however blurred or
    noisy they are, so that a picture without fine structure is judged by its edges and not by its noise.
    """
    height, width = luma.shape
    down, across = max(1, height // TILE), max(1, width // TILE)
    half = _half(luma)
    quarter = _half(half)
    coarse, fine = _coarse(quarter, down, across), _fine(half, down, across)
    level = _area(quarter, down, across).ravel()
    order = [int(i) for i in np.argsort(-fine, kind="stable")[: STRUCTURED // 2]]
    taken = set(order)
    order += [int(i) for i in np.argsort(-coarse, kind="stable") if i not in taken][: STRUCTURED - len(order)]
    taken = set(order)
    plain = [int(i) for i in np.argsort(coarse, kind="stable") if i not in taken and CLIPPED[0] < level[i] < CLIPPED[1]]
    rows, columns = np.linspace(0, height - TILE, down).astype(int), np.linspace(0, width - TILE, across).astype(int)
    return [(int(columns[i % across]), int(rows[i // across])) for i in order + plain[:PLAIN]]


def cut(luma: Pixels, corners: Sequence[Corner], *, side: int = TILE) -> Pixels:
    """Tiles with `MARGIN` px of surroundings on each side, mirrored at the picture's border: N x H x W."""
    padded = cv2.copyMakeBorder(luma, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REFLECT_101)
    reach = side + 2 * MARGIN
    return np.stack([np.asarray(padded[y : y + reach, x : x + reach], np.float32) for x, y in corners])


def _coarse(quarter: Pixels, down: int, across: int) -> NDArray[np.float32]:
    """Mean gradient of each tile at a quarter of the size, flat."""
    small = cv2.GaussianBlur(quarter, (0, 0), 0.8)
    x = cv2.Sobel(small, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    y = cv2.Sobel(small, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    steep = np.minimum(np.sqrt(x * x + y * y), np.float32(STEEP))
    return _area(np.asarray(steep, np.float32), down, across).ravel()


def _fine(half: Pixels, down: int, across: int) -> NDArray[np.float32]:
    """Energy of the finest band at half the size in the best quarter of each tile's cells, flat."""
    soft = cv2.GaussianBlur(half, (0, 0), 0.6)
    band = soft - cv2.GaussianBlur(soft, (0, 0), 1.5)
    parts = TILE // CELL
    cells = _area(np.minimum(band * band, np.float32(BRIGHT_DOT)), down * parts, across * parts)
    tiles = cells.reshape(down, parts, across, parts).transpose(0, 2, 1, 3).reshape(down * across, parts * parts)
    return np.asarray(np.sort(tiles, axis=1)[:, -parts:].mean(axis=1), np.float32)


def _half(image: Pixels) -> Pixels:
    """The means of 2 x 2 px; an odd last row or column is left out."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    return _area(image[: 2 * height, : 2 * width], height, width)


def _area(image: Pixels, rows: int, columns: int) -> Pixels:
    return np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)


def hotspots(luma: Pixels, corners: Sequence[Corner]) -> list[Corner]:
    """The middle (x, y) of the most structured cell of each tile."""
    found = []
    for x, y in corners:
        tile = luma[y : y + TILE, x : x + TILE]
        steps = np.abs(np.diff(tile, axis=0))[:, :-1] + np.abs(np.diff(tile, axis=1))[:-1]
        cells = _area(np.asarray(steps, np.float32), TILE // CELL, TILE // CELL)
        row, column = divmod(int(np.argmax(cells)), TILE // CELL)
        found.append((x + column * CELL + CELL // 2, y + row * CELL + CELL // 2))
    return found
