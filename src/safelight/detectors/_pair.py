"""Two pictures on one grid, with what all detectors need, each made once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from safelight.detectors import _legal as legal
from safelight.detectors._align import Placement, lengths
from safelight.detectors._legal import Colours, Tone, guided_base
from safelight.detectors._planes import Flags, Plane, blurred, grown, resized, upsized
from safelight.media.colour import LUMINANCE_709, Words
from safelight.media.frame import Bytes
from safelight.media.picture import Picture, shrink
from safelight.probes._mesh import Found, find, networks

SIDE = 1600  # px, long side of the common grid
UNLIKE = 0.35  # correlation of coarse content below which it is other content
PLAIN = 0.005  # share of the picture with structure, below which nothing is told of what was changed in it
CALM, NOISY = 1.5, 1.5  # px at 512 over which colours of noisy pictures are averaged; levels there that are noisy
SOLID = 0.97  # of a matte, from which a place is the object's alone
RIM = 0.04  # of the long side
LEAST_FACE = 40  # px, of a face on the common grid
LEAST_LONG, LEAST_SHORT = 128, 48  # px of the common grid, sides up to which, below which too little is to be seen
SMALL_SIDE = 512  # px, long side at which tone is fitted
LUMA = LUMINANCE_709.astype(np.float32)  # weights, here of encoded values


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """Planes of a pair at 512 px: luma before and after, the before's base, where they are usable; `zoom` from the
    grid."""

    before: Plane
    after: Plane
    base: Plane
    usable: Flags
    zoom: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return int(self.before.shape[1]), int(self.before.shape[0])


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A picture before and after an edit.

    `before` and `after` are upright sRGB bytes, H x W x 3, each in its own size. `mask` says where the edit was meant
    to act (for a cut-out: the matte), float32 0..1 in the after's size, or None. `placement` leads from the after to
    the before. `before_words` and `after_words` are the same pictures as sRGB words (uint16) where the files have
    sixteen bits a channel; they are used where both are there. Derived planes lie on the after's grid reduced to a
    long side of 1600 px, `scale` native px a pixel; they are float32, sRGB-encoded, 0..1, and read-only by
    convention.
    """

    before: Bytes
    after: Bytes
    placement: Placement
    mask: Plane | None = None
    before_words: Words | None = None
    after_words: Words | None = None
    weights: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)

    @property
    def too_small(self) -> str | None:
        """Why nothing can be told of pictures of this size; None where they are large enough."""
        width, height = self.grid_size
        if max(width, height) > LEAST_LONG and min(width, height) >= LEAST_SHORT:
            return None
        return f"the picture is too small: {width} x {height} px"

    @property
    def cannot(self) -> str | None:
        """Why the two cannot be compared; None where they can."""
        return self.placement.cannot or self.too_small

    # ------------------------------------------------------------ the grid

    @property
    def scale(self) -> float:
        """Length of a pixel of the common grid in px of the after, at least 1."""
        return float(self.after.shape[1] / self.after_work.shape[1])

    @property
    def unit(self) -> float:
        """Px of the common grid for one px at a long side of 1024."""
        return float(max(self.grid_size)) / 1024

    @property
    def fine(self) -> bool:
        """Whether both pictures have sixteen bits a channel."""
        return self.before_words is not None and self.after_words is not None

    @cached_property
    def after_work(self) -> Colours:
        """The after on the common grid, H x W x 3."""
        return _reduced(self.after, self.after_words if self.fine else None, SIDE)

    @cached_property
    def _placed(self) -> tuple[Colours, Plane]:
        shape = self.after_work.shape[:2]
        words = self.before_words if self.fine else None
        if self.placement.still and self.before.shape == self.after.shape:
            return _reduced(self.before, words, SIDE), np.ones(shape, np.float32)
        # Reduced by areas first, to about the size it has on the grid, so that nothing is skipped.
        zoom = self._before_per_pixel
        long_side = round(max(self.before.shape[:2]) / max(1.0, zoom))
        small = _reduced(self.before, words, max(8, long_side))
        out, valid = self.placement.onto(
            small, shape, lengths(self.after, self.after_work), lengths(self.before, small)
        )
        # An estimated lens field is least sure at the rim, where no block looked.
        unsure = self.placement.kind == "lens" and not self.placement.given
        rim = 2 * round(RIM * max(shape)) + 1 if unsure else 5
        edge = cv2.erode(valid, np.ones((rim, rim), np.uint8), borderValue=0.0 if unsure else 1.0)
        return np.clip(out, 0, 1), np.asarray(edge, np.float32)

    @cached_property
    def _before_per_pixel(self) -> float:
        """Length of a pixel of the grid in px of the before, in the middle."""
        x, y = self.after.shape[1] / 2, self.after.shape[0] / 2
        u, v = self.placement.back(np.array([x, x + 8, x]), np.array([y, y, y + 8]))
        area = abs(float((u[1] - u[0]) * (v[2] - v[0]) - (u[2] - u[0]) * (v[1] - v[0]))) / 64
        return float(np.sqrt(max(area, 1e-6)) * self.scale)

    @property
    def before_work(self) -> Colours:
        """The before on the common grid, H x W x 3; replicated at the rim where it has no pixels."""
        return self._placed[0]

    @property
    def valid(self) -> Plane:
        """1 where both pictures have pixels, else 0."""
        return self._placed[1]

    @cached_property
    def mask_work(self) -> Plane | None:
        """The mask on the common grid."""
        if self.mask is None:
            return None
        return resized(self.mask, self.grid_size)

    @cached_property
    def level_before(self) -> Plane:
        """Luma of the before (Rec.709 weights on encoded values)."""
        return np.asarray(cv2.transform(self.before_work, LUMA[None]), np.float32)

    @cached_property
    def level_after(self) -> Plane:
        """Luma of the after."""
        return np.asarray(cv2.transform(self.after_work, LUMA[None]), np.float32)

    @cached_property
    def lowest_before(self) -> Plane:
        """The smallest channel of the before."""
        return _extreme(self.before_work, cv2.min)

    @cached_property
    def highest_before(self) -> Plane:
        """The largest channel of the before."""
        return _extreme(self.before_work, cv2.max)

    @cached_property
    def lowest_after(self) -> Plane:
        """The smallest channel of the after."""
        return _extreme(self.after_work, cv2.min)

    @cached_property
    def highest_after(self) -> Plane:
        """The largest channel of the after."""
        return _extreme(self.after_work, cv2.max)

    @property
    def grid_size(self) -> tuple[int, int]:
        """(width, height) of the common grid, as OpenCV wants sizes."""
        return int(self.after_work.shape[1]), int(self.after_work.shape[0])

    @cached_property
    def mask_core(self) -> Plane | None:
        """The mask without what lies within 5 px (at a long side of 1024) of its rim: healed spots are gone then."""
        if self.mask_work is None:
            return None
        side = 2 * max(1, round(5 * self.unit)) + 1
        return np.asarray(cv2.erode(self.mask_work, np.ones((side, side), np.uint8)), np.float32)

    @cached_property
    def noise_before(self) -> float:
        """Standard deviation of the before's luma noise in its calmest parts, encoded 0..1 (Immerkær 1996, by
        cells)."""
        kernel = np.array(((1, -2, 1), (-2, 4, -2), (1, -2, 1)), np.float32)
        rough = np.abs(cv2.filter2D(self.level_before, -1, kernel)) * np.float32(np.sqrt(np.pi / 2) / 6)
        cells = cv2.resize(
            rough, (max(1, rough.shape[1] // 16), max(1, rough.shape[0] // 16)), interpolation=cv2.INTER_AREA
        )
        return float(np.quantile(cells, 0.1))

    # ------------------------------------------------------------ the legal edit

    @cached_property
    def usable(self) -> Flags:
        """Where both pictures have pixels and no channel of either is at an end."""
        inside = (self.valid > 0) & (self.lowest_before > legal.LOW) & (self.lowest_after > legal.LOW)
        return np.asarray(inside & (self.highest_before < legal.HIGH) & (self.highest_after < legal.HIGH))

    @cached_property
    def base_before(self) -> Plane:
        """The edge-preserving base of the before's luma."""
        radius = max(2, int(legal.BASE_RADIUS * max(self.level_before.shape)))
        return guided_base(self.level_before, radius, legal.BASE_EPS)

    @cached_property
    def small(self) -> Small:
        """Luma of both, its base and where it is usable, averaged to 512 px: noise and fine sharpening are gone
        there."""
        height, width = self.level_after.shape
        zoom = min(1.0, SMALL_SIDE / max(height, width))
        size = max(1, round(width * zoom)), max(1, round(height * zoom))
        before, after, usable = (
            resized(p, size) for p in (self.level_before, self.level_after, self.usable.astype(np.float32))
        )
        base = guided_base(before, max(2, int(legal.BASE_RADIUS * max(before.shape))), legal.BASE_EPS)
        return Small(before=before, after=after, base=base, usable=usable > 0.97, zoom=zoom)

    @cached_property
    def tone(self) -> Tone | None:
        """The legal tone, fitted where the content stayed; None where too little is usable."""
        small = self.small
        stayed = small.usable & ~cv2.resize(self.replaced.astype(np.uint8), small.size).astype(bool)
        fitted = legal.fit_tone(small.before, small.base, small.after, stayed)
        return fitted or legal.fit_tone(small.before, small.base, small.after, small.usable)

    @cached_property
    def replaced(self) -> Flags:
        """On the small planes: where other content stands than before (another ground, a fill). If most of what can be
        told on one side of the mask is other content, all of that side counts."""
        seen, unlike = self._likeness
        found = np.asarray(unlike & seen)
        if self.mask_work is None:
            return found
        mask = resized(self.mask_work, self.small.size)
        near = cv2.dilate(mask, np.ones((7, 7), np.uint8))
        for side, wider in ((mask > 0.7, near > 0.02), (near < 0.1, mask < 0.9)):
            told = seen & side
            if told.sum() >= 12 and unlike[told].mean() > 0.4:
                found = found | wider
        return np.asarray(found)

    @cached_property
    def _likeness(self) -> tuple[Flags, Flags]:
        """On the small planes: where either picture has structure, and where that is not the other's."""
        wide = [p - blurred(p, 8) for p in (self.small.before, self.small.after)]
        both, own, new = (blurred(p, 6) for p in (wide[0] * wide[1], wide[0] ** 2, wide[1] ** 2))
        floor = np.float32(0.006**2)
        unlike = both / np.sqrt((own + floor) * (new + floor)) < UNLIKE
        return np.asarray(np.maximum(own, new) > 4 * floor), np.asarray(unlike)

    @property
    def plain(self) -> bool:
        """Whether there is too little structure to see by itself where something was done."""
        return self.mask_work is None and float(self._likeness[0].mean()) < PLAIN

    @cached_property
    def stayed(self) -> Flags:
        """On the common grid: where both pictures have pixels and the content is the same."""
        return np.asarray((self.valid > 0) & ~upsized(self.replaced, self.grid_size))

    @cached_property
    def expected(self) -> Plane:
        """What the after's luma should be after the legal edit; the before's where nothing could be fitted."""
        if self.tone is None:
            return self.level_before
        return self.tone.expected(self.level_before, self.base_before)

    @cached_property
    def slope(self) -> Plane:
        """How much a small step of the before's luma becomes after the legal edit."""
        return np.ones_like(self.level_before) if self.tone is None else self.tone.slope(self.level_before)

    @cached_property
    def residual(self) -> Plane:
        """The after's luma less what the legal edit explains."""
        return np.asarray((self.level_after - self.expected) * self.valid, np.float32)

    @cached_property
    def expected_colours_small(self) -> tuple[Colours, Colours, Flags] | None:
        """At 512 px: the colours that the after should have, given its luma; those that it has; where both are
        usable. None where too little is."""
        small = self.small
        planes = [resized(p, small.size) for p in (self.before_work, self.after_work)] + [small.before, small.after]
        usable = small.usable & ~self.replaced
        # A picture that is hardly reduced keeps the noise that a denoise takes away: pixels that turn one by one.
        sigma = CALM * float(np.clip(255 * self.noise_before * small.zoom / NOISY - 1, 0, 1))
        if sigma > 0:
            planes = [blurred(p, sigma) for p in planes]
            usable = ~grown(~usable, 5)
        before, after, level_before, level_after = planes
        ratio = np.asarray(np.clip(level_after / np.maximum(level_before, 0.01), 0.25, 4), np.float32)
        # What is bright and coloured is what a hue twist would turn: it hardly votes on what is legal.
        bright, coloured = (
            np.clip((p - low) / 0.1, 0, 1) for p, low in ((level_after, 0.4), (np.ptp(after, axis=2), 0.06))
        )
        found = legal.fit_colour(before, after, level_after, ratio, usable, 1 - 0.9 * bright * coloured)
        return None if found is None else (legal.colour_expected(found, before, level_after, ratio), after, usable)

    @cached_property
    def legal_colours(self) -> Colours:
        """The before on the common grid as the legal edit shows it, channel by channel (a curve each, fitted where the
        content stayed, of a cut-out inside its matte); the before itself where nothing could be fitted."""
        usable = self.usable & self.stayed
        if self.ground_changed and self.mask_work is not None:
            usable &= self.mask_work > SOLID  # levels that the rim alone has would be fitted to the new ground
        return legal.curves_of(self.before_work, self.after_work, usable)

    # ------------------------------------------------------------ faces

    @cached_property
    def faces_before(self) -> tuple[Found, ...]:
        """Faces of the before on the common grid, largest first; none where the finder's weights are not installed."""
        return self._faces(self.before_work)

    @cached_property
    def faces_after(self) -> tuple[Found, ...]:
        """Faces of the after on the common grid."""
        return self._faces(self.after_work)

    def _faces(self, colours: Colours) -> tuple[Found, ...]:
        nets = networks(self.weights)
        if nets is None:
            return ()
        rgb = np.rint(colours * 255).astype(np.uint8)
        return tuple(face for face in find(Picture(rgb=rgb, weights=self.weights), nets) if face.size >= LEAST_FACE)

    # ------------------------------------------------------------ where something was done

    @cached_property
    def ground_changed(self) -> bool:
        """Whether most of what lies outside the mask is other content: the mask is a matte then."""
        if self.mask_work is None:
            return False
        mask = resized(self.mask_work, self.small.size)
        outside = mask < 0.05
        if not outside.any():
            return False
        off = np.abs(self.small.after - self.small.before)
        return bool(self.replaced[outside].mean() > 0.5) and float(np.median(off[outside])) > 0.01

    @cached_property
    def changed(self) -> Plane | None:
        """Where something was done to one part, 0..1 on the common grid: the mask if there is one, else what the
        legal edit does not explain; None where nothing is to be seen."""
        if self.mask_work is not None:
            return self.mask_work
        gone = resized(self.replaced, self.grid_size) * self.valid
        return gone if float((gone > 0.9).sum()) >= 80 else None

    @cached_property
    def changed_boxes(self) -> tuple[tuple[int, int, int, int], ...]:
        """x0, y0, x1, y1 on the common grid of up to eight connected parts of `changed`, the largest first."""
        if self.changed is None:
            return ()
        count, _, stats, _ = cv2.connectedComponentsWithStats((self.changed > 0.5).astype(np.uint8))
        order = sorted(range(1, count), key=lambda i: -int(stats[i][cv2.CC_STAT_AREA]))[:8]
        return tuple((int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, _ in (stats[i] for i in order))


def _extreme(colours: Colours, of: Callable[..., Any]) -> Plane:
    red, green, blue = cv2.split(colours)
    return np.asarray(of(of(red, green), blue), np.float32)


def _reduced(rgb: Bytes, words: Words | None, side: int) -> Colours:
    """A picture as 0..1, reduced to a long side of `side` px; from its words where they are given."""
    small = shrink(rgb, side)
    if words is None:
        return np.multiply(small, np.float32(1 / 255), dtype=np.float32)
    if small.shape != words.shape:
        words = np.asarray(cv2.resize(words, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA), np.uint16)
    return np.multiply(words, np.float32(1 / 65535), dtype=np.float32)
