"""Pictures of straight things seen through bent lenses."""

import cv2
import numpy as np

from safelight.media import bends


def shelves(*, size=(1200, 800)):
    """Boards and posts, straight and without perspective, in sRGB bytes, with noise."""
    width, height = size
    picture = np.full((height, width, 3), 165, np.uint8)
    for i, y in enumerate(range(30, height, 74)):
        cv2.rectangle(picture, (0, y), (width, y + 16), (60 + 5 * i, 50, 45), -1)
    for i, x in enumerate(range(50, width, 187)):
        cv2.rectangle(picture, (x, 0), (x + 22, height), (90, 70 + 4 * i, 60), -1)
    noise = np.random.default_rng(8).normal(0, 2, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8)


def seen_through(picture, polynomial):
    """The picture as a lens draws it whose correction is this polynomial."""
    height, width = picture.shape[:2]
    unit = np.hypot(width, height) / 2
    y, x = np.mgrid[:height, :width].astype(np.float64)
    places = np.stack([(x - (width - 1) / 2).ravel(), (y - (height - 1) / 2).ravel()], axis=1) / unit
    ideal = (places + bends.undoing(polynomial)(places)) * unit
    ideal = ideal.astype(np.float32)
    map_x = (ideal[:, 0] + (width - 1) / 2).reshape(height, width)
    map_y = (ideal[:, 1] + (height - 1) / 2).reshape(height, width)
    return cv2.remap(picture, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
