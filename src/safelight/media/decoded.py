"""A decoded picture before it is turned upright, and the ways from any colour model to linear Rec.2020.

A profile of matrix and curves is applied as it says, so that neither colours outside sRGB nor light above white are
clipped; one of tables goes through littlecms, relative colorimetric with black point compensation.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from safelight.errors import Unsupported
from safelight.media import profiles
from safelight.media.colour import REC2020, REC2020_FROM_SRGB, Words, linear_of_lab50, linear_of_srgb, to_xyz
from safelight.media.frame import Bytes, Pixels

pyvips.cache_set_max(0)  # decoded files must not stay in memory
logging.getLogger("pyvips").setLevel(logging.CRITICAL)  # what it warns of comes back as our errors

P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))  # SMPTE EG 432-1
PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273, table 3
WHITE_NITS = 203  # of diffuse white in HDR (ITU-R BT.2408)
HLG_PEAK_NITS, HLG_GAMMA = 1000, 1.2  # of the display that HLG is meant for (ITU-R BT.2100)
_PLAIN = ("srgb", "rgb", "rgb16", "scrgb", "b-w", "grey16", "multiband", "cmyk")
_MODELS = {1: ("b-w", "grey16"), 3: ("srgb", "rgb16"), 4: ("cmyk", "cmyk")}  # by channels: of bytes, of words


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A file's picture as stored: RGB bytes or words under a profile (None: sRGB), or float32 light in linear Rec.2020;
    alpha 0..1 or None; orientation 1-8 still to be applied."""

    rgb: Bytes | Words | Pixels
    alpha: Pixels | None = None
    icc: bytes | None = None
    orientation: int = 1


def light(decoded: Decoded) -> Pixels:
    """The picture as linear Rec.2020; nothing is clipped. sRGB goes by its exact formula."""
    if decoded.rgb.dtype == np.float32:
        return decoded.rgb  # type: ignore[return-value]
    rgb: Bytes | Words = decoded.rgb  # type: ignore[assignment]
    return linear_of_srgb(rgb) if decoded.icc is None else through_profile(rgb, decoded.icc)


def from_planes(planes: NDArray[Any], icc: bytes | None, *, orientation: int = 1, model: str = "") -> Decoded:
    """A decoded picture of stored samples, H x W x channels of uint8, uint16 or float32.

    `model` is "grey", "rgb", "cmyk" (0 is no ink) or "lab" (float32 CIE L*a*b* under D50); what is left of the
    channels is alpha.
    """
    colours = {"grey": 1, "rgb": 3, "cmyk": 4, "lab": 3}[model]
    if planes.shape[2] < colours:
        raise Unsupported(
            f"The picture has {planes.shape[2]} channels, where its colour model needs {colours}.",
            remedy="Open it in another program and export it anew.",
        )
    samples = planes[..., :colours]
    alpha = None
    if planes.shape[2] > colours:
        most = 1.0 if planes.dtype == np.float32 else float(np.iinfo(planes.dtype).max)
        alpha = np.clip(planes[..., colours].astype(np.float32) / np.float32(most), 0, 1)
    if model == "lab":
        return Decoded(rgb=linear_of_lab50(np.ascontiguousarray(samples)), alpha=alpha, orientation=orientation)
    if planes.dtype == np.float32:
        return Decoded(rgb=_light_of_float(samples, icc), alpha=alpha, orientation=orientation)
    if model == "cmyk":
        return Decoded(rgb=through_profile(samples, icc), alpha=alpha, orientation=orientation)
    space = b"GRAY" if colours == 1 else b"RGB "
    matters = icc is not None and icc[16:20] == space and not profiles.is_srgb(icc)
    if matters and colours == 1:
        return Decoded(rgb=through_profile(samples, icc), alpha=alpha, orientation=orientation)
    rgb = np.ascontiguousarray(np.repeat(samples, 3, 2) if colours == 1 else samples)
    return Decoded(rgb=rgb, alpha=alpha, icc=icc if matters else None, orientation=orientation)


def with_vips(data: bytes, path: Path, *, orientation: int = 1, icc: bytes | None = None) -> Decoded:
    """What libvips makes of a file, whatever its colour model and depth; `icc` is a profile that libvips does not see.
    Raises pyvips.Error and Unsupported."""
    image = pyvips.Image.new_from_buffer(data, "", fail_on="error")
    if image.get_typeof("icc-profile-data"):
        icc = image.get("icc-profile-data")
    if image.format == "uint":  # 32 bits: the upper half
        image = (image >> 16).cast("ushort")
    elif image.format == "double":
        image = image.cast("float")
    if image.format not in ("uchar", "ushort", "float"):
        raise Unsupported(
            f"{path.name} holds samples of the kind {image.format}, which are not read here.",
            remedy="Save it with 8 or 16 bits a channel.",
        )
    if image.interpretation not in _PLAIN and image.format != "float":
        image = image.colourspace("srgb")
    planes: NDArray[Any] = image.numpy()
    if image.format == "ushort" and image.get("vips-loader").startswith("heifload"):
        planes = filled(planes, int(image.get("bits-per-sample")), shifted=True)
    model = "cmyk" if image.interpretation == "cmyk" else "grey" if image.bands < 3 else "rgb"
    return from_planes(planes[..., None] if planes.ndim == 2 else planes, icc, model=model, orientation=orientation)


def filled(words: NDArray[Any], bits: int, *, shifted: bool = False) -> NDArray[np.uint16]:
    """Samples of 9 to 15 bits (at the upper end of their words where `shifted`) as words from 0 to 65535."""
    if not 8 < bits < 16:
        return np.asarray(words, np.uint16)
    most = (1 << bits) - 1
    samples = words.astype(np.uint32) >> (16 - bits if shifted else 0)
    return ((samples * 65535 + most // 2) // most).astype(np.uint16)


def through_profile(samples: NDArray[Any], icc: bytes | None) -> Pixels:
    """Linear Rec.2020 of grey, RGB or CMYK samples (uint8 or uint16) under a profile; CMYK without one is taken for
    that of common offset print, which libvips brings. Raises pyvips.Error where the profile does not fit."""
    words = samples.dtype == np.uint16
    exact = profiles.matrix_and_curves(icc) if icc is not None and samples.shape[2] == 3 else None
    if exact is not None:
        matrix, curves = exact
        steps = np.linspace(0, 1, 65536 if words else 256, dtype=np.float32)
        linear = np.empty(samples.shape, np.float32)
        for channel, curve in enumerate(curves):
            linear[..., channel] = curve(steps)[samples[..., channel]]
        return np.asarray(cv2.transform(linear, matrix), np.float32)
    model = _MODELS[samples.shape[2]][words]
    image = pyvips.Image.new_from_array(np.ascontiguousarray(samples), interpretation=model).copy()
    if icc is not None:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    more = {"input_profile": "cmyk"} if model == "cmyk" else {}
    lab = image.icc_import(pcs="lab", intent="relative", embedded=True, black_point_compensation=True, **more)
    return linear_of_lab50(lab.numpy())


def _light_of_float(samples: NDArray[np.float32], icc: bytes | None) -> Pixels:
    """Linear Rec.2020 of floating-point samples: linear light of sRGB's primaries, or what a profile of matrix and
    curves says. Not-a-number becomes 0."""
    rgb = np.repeat(samples, 3, 2) if samples.shape[2] == 1 else samples
    rgb = np.nan_to_num(np.ascontiguousarray(rgb, np.float32), nan=0.0, posinf=65504.0, neginf=0.0)
    if icc is None or icc[16:20] == b"GRAY":
        return np.asarray(cv2.transform(rgb, REC2020_FROM_SRGB), np.float32)
    found = profiles.matrix_and_curves(icc)
    if found is None:
        raise Unsupported(
            "Floating-point colours under a profile of tables are not read here.",
            remedy="Save it with 16 bits a channel, or with a profile of matrix and curves.",
        )
    matrix, curves = found
    for channel, curve in enumerate(curves):
        rgb[..., channel] = curve(rgb[..., channel])
    return np.asarray(cv2.transform(rgb, matrix), np.float32)


def high_range(words: NDArray[Any], transfer: int, primaries: tuple[tuple[float, float], ...]) -> Pixels:
    """Linear Rec.2020 of words under PQ or HLG (ITU-R BT.2100), 1.0 = diffuse white."""
    code = words.astype(np.float32) / np.float32(65535)
    if transfer == PQ:
        root = code ** (1 / 78.84375)
        nits = 10000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        luma = scene @ np.asarray((0.2627, 0.6780, 0.0593), np.float32)
        nits = HLG_PEAK_NITS * scene * np.maximum(luma, 1e-6)[..., None] ** (HLG_GAMMA - 1)
    matrix = np.linalg.inv(to_xyz(REC2020)) @ to_xyz(primaries)
    return np.asarray(nits / WHITE_NITS @ matrix.T, np.float32)
