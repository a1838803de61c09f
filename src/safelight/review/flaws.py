"""Flaws of the kinds that machines make, put into a good photograph on purpose: for practising to see them.

Pictures that are made here go to the page that asks for them and nowhere else: nothing of this knows the library, and
no edit, version or delivery can name it. The same seed makes the same flaws.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.media.colour import decode, encode
from safelight.media.frame import Bytes

Rng = np.random.Generator
Box = tuple[int, int, int, int]
Lit = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of flaw: its name, what to look for, and how it is made: the picture with it, and where it is."""

    name: str
    title: str
    look_for: str
    make: Callable[[Bytes, Rng], tuple[Bytes, Box]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A picture with a flaw, or with none (`kind` None), and where it is."""

    rgb: Bytes
    kind: str | None
    box: Box | None


def plant(rgb: Bytes, kind: str | None, seed: int) -> Planted:
    """The picture with a flaw of this kind; with None as it is. H x W x 3 sRGB bytes, sides of at least 200 px."""
    if kind is None:
        return Planted(rgb=rgb, kind=None, box=None)
    made, box = KINDS[kind].make(rgb, np.random.default_rng(seed))
    return Planted(rgb=made, kind=kind, box=box)


def lesson(seed: int, pictures: int, *, flawed: int = 20, clean: int = 4) -> list[tuple[int, str | None, int]]:
    """What a round of practice shows, in order: which picture, which flaw, the flaw's seed. Every kind comes up."""
    rng = np.random.default_rng(seed)
    names = list(KINDS)
    kinds: list[str | None] = [names[i % len(names)] for i in range(flawed)]
    kinds += [None] * clean
    kinds = [kinds[i] for i in rng.permutation(len(kinds))]
    order = np.concatenate([rng.permutation(pictures) for _ in range(-(-len(kinds) // pictures))])
    return [(int(order[i]), kind, int(rng.integers(2**31))) for i, kind in enumerate(kinds)]


# ---------------------------------------------------------------- where


def _place(rgb: Bytes, rng: Rng, *, share: float, busy: bool) -> Box:
    """A part of the picture, about `share` of its sides: of a dozen at random the one with most (or least) detail,
    which is where such a flaw would be."""
    height, width = rgb.shape[:2]
    w, h = max(48, int(width * share)), max(48, int(height * share))
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    found = []
    for _ in range(12):
        x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
        part = grey[y : y + h, x : x + w]
        detail = float(cv2.Laplacian(part, cv2.CV_32F).std())
        lit = 25 < float(part.mean()) < 225  # a flaw in the black or the white nobody could see
        found.append((lit, detail if busy else -detail, (x, y, x + w, y + h)))
    return max(found)[2]


def _soft(shape: tuple[int, int], box: Box, rng: Rng, *, edge: float = 0.12) -> Lit:
    """A rounded area in the box, 0..1, that fades out to its border; H x W x 1."""
    x0, y0, x1, y1 = box
    mask = np.zeros(shape, np.float32)
    centre = ((x0 + x1) // 2, (y0 + y1) // 2)
    axes = (int((x1 - x0) * 0.42), int((y1 - y0) * 0.42))
    cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 30)), 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, edge * min(x1 - x0, y1 - y0)))
    return np.asarray(soft, np.float32)[..., None]


def _mixed(rgb: Bytes, other: NDArray[np.floating] | Bytes, share: Lit) -> Bytes:
    out = rgb.astype(np.float32) * (1 - share) + np.asarray(other, np.float32) * share
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def _whole(rgb: Bytes) -> Box:
    return 0, 0, rgb.shape[1], rgb.shape[0]


# ---------------------------------------------------------------- kinds


def _halo(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """Edges with a bright and a dark seam, from contrast that was raised with too wide a radius."""
    radius = max(rgb.shape[:2]) / 90
    soft = cv2.GaussianBlur(rgb, (0, 0), radius)
    lifted = cv2.addWeighted(rgb, 1 + float(rng.uniform(0.9, 1.3)), soft, -float(rng.uniform(0.9, 1.3)), 0)
    return np.asarray(lifted, np.uint8), _place(rgb, rng, share=0.4, busy=True)


def _plastic(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """Texture that is smoothed away while edges stay."""
    box = _place(rgb, rng, share=0.4, busy=True)
    smooth = rgb
    for _ in range(4):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 9, 45, max(rgb.shape) / 120), np.uint8)
    return _mixed(rgb, smooth, _soft(rgb.shape[:2], box, rng)), box


def _warped(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """A part that was pushed inwards or outwards: what is straight behind it bends."""
    box = _place(rgb, rng, share=0.38, busy=True)
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = box
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    dx, dy = (x - (x0 + x1) / 2) / ((x1 - x0) / 2), (y - (y0 + y1) / 2) / ((y1 - y0) / 2)
    near = np.clip(1 - (dx**2 + dy**2), 0, 1) ** 1.5
    push = float(rng.choice((-1, 1)) * rng.uniform(0.16, 0.24))
    mx, my = x - dx * near * push * (x1 - x0), y - dy * near * push * (y1 - y0)
    bent = cv2.remap(
        rgb, mx.astype(np.float32), my.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(bent, np.uint8), box


def _seam(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """The border of a mask: light and colour step there, in a line that nothing in the scene explains."""
    box = _place(rgb, rng, share=0.42, busy=False)
    light = decode(rgb / np.float32(255)) * (2 ** float(rng.choice((-1, 1)) * rng.uniform(0.25, 0.4)))
    light *= np.array((1.06, 1.0, 0.94) if rng.random() < 0.5 else (0.94, 1.0, 1.06))
    other = np.clip(encode(light), 0, 1) * 255
    return _mixed(rgb, other, _soft(rgb.shape[:2], box, rng, edge=0.006)), box


def _repeat(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """A fill that copied a part of the picture next to it, details and all."""
    box = _place(rgb, rng, share=0.24, busy=True)
    x0, y0, x1, y1 = box
    width = rgb.shape[1]
    shift = int((x1 - x0) * rng.uniform(0.85, 1.0))
    to = x0 + shift if x1 + shift <= width else max(0, x0 - shift)
    moved = rgb.copy()
    w = min(x1 - x0, width - to)
    moved[y0:y1, to : to + w] = rgb[y0:y1, x0 : x0 + w]
    there = to, y0, to + w, y1
    return _mixed(rgb, moved, _soft(rgb.shape[:2], there, rng, edge=0.08)), (min(x0, to), y0, max(x1, to + w), y1)


def _hue(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """Colours of one area turned: shadows or a shirt of a tint that the light does not have."""
    box = _place(rgb, rng, share=0.42, busy=False)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    angle = float(rng.uniform(0, 2 * np.pi))
    lab[..., 1] += 16 * np.cos(angle)
    lab[..., 2] += 16 * np.sin(angle)
    turned = cv2.cvtColor(np.clip(lab, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
    return _mixed(rgb, np.asarray(turned, np.uint8), _soft(rgb.shape[:2], box, rng)), box


def _banding(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """Smooth tones in steps, from too few levels."""
    box = _place(rgb, rng, share=0.5, busy=False)
    step = float(rng.uniform(12, 18))
    smooth = cv2.GaussianBlur(rgb, (0, 0), 2.0).astype(np.float32)
    coarse = np.floor(smooth / step) * step + step / 2
    return _mixed(rgb, coarse, _soft(rgb.shape[:2], box, rng)), box


def _oversharp(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """Fine edges and grain raised until they glitter."""
    soft = cv2.GaussianBlur(rgb, (0, 0), 1.0)
    amount = float(rng.uniform(2.6, 3.4))
    return np.asarray(cv2.addWeighted(rgb, 1 + amount, soft, -amount, 0), np.uint8), _place(
        rgb, rng, share=0.4, busy=True
    )


def _tilt(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """The whole picture turned by some degrees, cut so that no corner is empty."""
    height, width = rgb.shape[:2]
    degrees = float(rng.choice((-1, 1)) * rng.uniform(2.5, 4.0))
    lean = np.radians(abs(degrees))
    grow = float(max(np.cos(lean) + np.sin(lean) * height / width, np.cos(lean) + np.sin(lean) * width / height))
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, grow)
    return np.asarray(cv2.warpAffine(rgb, turn, (width, height), flags=cv2.INTER_CUBIC), np.uint8), _whole(rgb)


def _clipping(rgb: Bytes, rng: Rng) -> tuple[Bytes, Box]:
    """Highlights lifted until they are paper white without drawing."""
    light = decode(rgb / np.float32(255)).astype(np.float32)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    bright = float(np.quantile(luma, 1 - rng.uniform(0.14, 0.2)) / 255)
    gain = 1.0 / max(float(decode(np.array(bright))), 0.05)
    share = np.clip((luma / np.float32(255) - 0.6 * bright) / (0.4 * bright), 0, 1)[..., None]
    out = np.clip(encode(light * (1 + (gain - 1) * share)), 0, 1) * 255
    made = np.rint(out).astype(np.uint8)
    rows, columns = np.nonzero((made == 255).all(-1))
    if not len(rows):
        return made, _whole(rgb)
    (y0, y1), (x0, x1) = (np.quantile(v, (0.05, 0.95)).astype(int) for v in (rows, columns))
    return made, (int(x0), int(y0), int(x1) + 1, int(y1) + 1)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="halo", title="Halo", make=_halo,
             look_for="Follow dark edges against something bright: a pale seam runs along them."),
        Kind(name="plastic", title="Plastic surface", make=_plastic,
             look_for="Skin, cloth or leaves without pores, threads or veins, beside parts that have them."),
        Kind(name="warp", title="Warped shape", make=_warped,
             look_for="Lines behind a person that bend, things that are rounder or narrower than they are."),
        Kind(name="seam", title="Seam of a mask", make=_seam,
             look_for="A border where light or warmth steps, that no object and no shadow explains."),
        Kind(name="repeat", title="Repeated fill", make=_repeat,
             look_for="The same leaf, stain or fold twice, side by side."),
        Kind(name="hue", title="Twisted colour", make=_hue,
             look_for="One area with a tint that its surroundings, in the same light, do not have."),
        Kind(name="banding", title="Banding", make=_banding,
             look_for="Skies, walls and soft backgrounds in steps, like a map with contour lines."),
        Kind(name="oversharp", title="Sharpened too much", make=_oversharp,
             look_for="Hair and leaves that glitter, white dots, grain like sand."),
        Kind(name="tilt", title="Tilt", make=_tilt,
             look_for="The horizon, door frames and water: what must be level or upright is neither."),
        Kind(name="clipping", title="Lost highlights", make=_clipping,
             look_for="White cloth, clouds and foreheads as flat as paper."),
    )
}  # fmt: skip
