"""A face as 128 numbers: dlib's ResNet, run in plain numpy from its published 8-bit weights.

The chip that the network sees is a square of 150 x 150 px with the face upright; five points of the face (eyes, tip of
the nose, corners of the mouth) go where they lie in dlib's mean face (King 2017, `get_face_chip_details`). Images are
N x H x W x C, float32. About 10 ms a face on one core.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from safelight.media.frame import Bytes
from safelight.media.picture import shrink

NAME = "face_identity"
LENGTH = 128
SIDE = 150  # px, of the chip
AROUND = 0.25  # of the face's height, left free on each side
EYES_APART = 0.49  # between the pupils, in the mean face
MEAN_FACE = np.array([[0.2255, 0.2160], [0.7156, 0.2160], [0.4901, 0.5156], [0.2541, 0.7802], [0.7261, 0.7802]])
MEAN_COLOUR = np.array([122.782, 117.001, 104.298], np.float32)  # of the training pictures
SPREAD = np.float32(256)
BLOCKS = (("conv32", 3), ("conv64", 3), ("conv128", 2), ("conv256", 2))  # name, residual units after the first

Floats = NDArray[np.float32]
Points = NDArray[np.float64]
Network = Mapping[str, Floats]


def network(weights: Mapping[str, Mapping[str, Path]]) -> Network | None:
    """The network's numbers by name, loaded once in a process; None where its weights are not installed."""
    files = weights.get(NAME)
    if files is None:
        return None
    return _load(files["face_recognition_model.json"], files["face_recognition_model.bytes"])


@cache
def _load(listed: Path, numbers: Path) -> Network:
    """Each array from its row in the list: bytes times scale plus least value, or float32 as they are. The batch
    normalisation behind each convolution is folded into it. ValueError where the list does not fit the numbers."""
    data = numbers.read_bytes()
    found: dict[str, Floats] = {}
    at = 0
    for group in json.loads(listed.read_text("utf-8")):
        for row in group["weights"]:
            count, packed = int(np.prod(row["shape"])), row.get("quantization")
            raw = np.frombuffer(data, np.uint8 if packed else "<f4", count, at)
            at += raw.nbytes
            values = raw.astype(np.float32)
            if packed:
                values = values * np.float32(packed["scale"]) + np.float32(packed["min"])
            found[row["name"]] = values.reshape(row["shape"])
    if at != len(data):
        raise ValueError(f"{numbers.name} holds {len(data)} bytes, its list {at}")
    return _folded(found)


def _folded(found: Mapping[str, Floats]) -> Network:
    folded = {"fc": found["fc"]}
    for name, filters in found.items():
        layer = name.removesuffix("/conv/filters")
        if layer == name:
            continue
        scale = found[f"{layer}/scale/weights"]
        folded[layer] = filters * scale
        folded[f"{layer}/bias"] = found[f"{layer}/conv/bias"] * scale + found[f"{layer}/scale/biases"]
    return folded


# ---------------------------------------------------------------- the chip


def chip(rgb: Bytes, points: Points) -> Bytes:
    """The face of a picture as the network wants it; `points` are five, in px of the picture."""
    turn = _similarity(points, (MEAN_FACE + AROUND) / (1 + 2 * AROUND) * SIDE)
    corners = np.array([[0, 0], [SIDE, 0], [0, SIDE], [SIDE, SIDE]], np.float64)
    back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
    reach = corners @ back[:, :2].T + back[:, 2]
    low = np.clip(np.floor(reach.min(axis=0)), 0, [rgb.shape[1] - 1, rgb.shape[0] - 1]).astype(int)
    high = np.maximum(np.ceil(reach.max(axis=0)).astype(int), low + 1)
    patch = rgb[low[1] : high[1], low[0] : high[0]]
    # Shrunk by areas to a little more than the chip first, so that the turn that follows does not skip pixels.
    small = shrink(patch, max(1, round(max(patch.shape[:2]) * min(1.0, 1.5 * float(np.hypot(*turn[0, :2]))))))
    zoom = np.array([patch.shape[1] / small.shape[1], patch.shape[0] / small.shape[0]])
    # A pixel's centre in the shrunk patch to its place in the picture, then to the chip.
    step = np.column_stack([turn[:, :2] * zoom, turn[:, :2] @ (low + (zoom - 1) / 2) + turn[:, 2]])
    found = cv2.warpAffine(np.ascontiguousarray(small), step, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(found, np.uint8)


def _similarity(source: Points, target: Points) -> Points:
    """The 2 x 3 matrix of shift, turn and scale that brings points nearest to others (Umeyama 1991)."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, s, v = np.linalg.svd(b.T @ a)
    mirror = np.array([1.0, np.sign(np.linalg.det(u @ v))])
    turn = (u * mirror) @ v * (s @ mirror) / max(float(np.square(a).sum()), 1e-9)
    return np.column_stack([turn, target.mean(axis=0) - turn @ source.mean(axis=0)])


# ---------------------------------------------------------------- the network


def embed(face: Bytes, net: Network) -> Floats:
    """The 128 numbers of one chip. One face at a time, so that they never depend on who else is in the picture."""
    x = (face[None].astype(np.float32) - MEAN_COLOUR) / SPREAD
    x = _pool(_relu(_convolved(x, net, "conv32_down", stride=2, pad=0)), 3, np.max)
    for block, units in BLOCKS:
        if block != "conv32":
            x = _halved(x, net, f"{block}_down")
        for unit in range(1, units + 1):
            x = _relu(_pair(x, net, f"{block}_{unit}") + x)
    x = _halved(x, net, "conv256_down_out")
    return np.asarray((x.mean(axis=(1, 2)) @ net["fc"])[0], np.float32)


def _pair(x: Floats, net: Network, name: str, *, stride: int = 1) -> Floats:
    """The two convolutions of a unit; the first of a halving one looks at whole windows only."""
    first = _relu(_convolved(x, net, f"{name}/conv1", stride=stride, pad=2 - stride))
    return _convolved(first, net, f"{name}/conv2")


def _halved(x: Floats, net: Network, name: str) -> Floats:
    """A unit of half the size, beside it the input's averages. Where one has fewer rows or channels, the rest is 0."""
    parts = (_pair(x, net, name, stride=2), _pool(x, 2, np.mean))
    out = np.zeros([max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True)], np.float32)
    for part in parts:
        out[:, : part.shape[1], : part.shape[2], : part.shape[3]] += part
    return _relu(out)


def _convolved(x: Floats, net: Network, name: str, *, stride: int = 1, pad: int = 1) -> Floats:
    filters = net[name]  # H x W x in x out
    side = filters.shape[0]
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = sliding_window_view(x, (side, side), axis=(1, 2))[:, ::stride, ::stride]
    rows, columns = windows.shape[1:3]
    unrolled = windows.transpose(0, 1, 2, 4, 5, 3).reshape(rows * columns, -1)
    found = unrolled @ filters.reshape(-1, filters.shape[3]) + net[f"{name}/bias"]
    return np.asarray(found.reshape(1, rows, columns, -1), np.float32)


def _pool(x: Floats, side: int, by: Any) -> Floats:
    return np.asarray(by(sliding_window_view(x, (side, side), axis=(1, 2))[:, ::2, ::2], axis=(4, 5)), np.float32)


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)
