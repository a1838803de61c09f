"""What lensfun's database knows of a lens: how it bends lines, splits colours and darkens corners, at one setting.

The database comes with the package `lensfunpy` (CC BY-SA 3.0). Names are compared word by word: lensfun's own search
takes one generation of a lens for another. All polynomials here are in r, the distance from the picture's middle in
half diagonals, so that they hold for the preview and for the developed raw alike.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from safelight.domain import Capture
from safelight.media import bends
from safelight.media.capture import camera_name

Polynomial = tuple[float, ...]  # coefficients of 1, r, r², …

INFINITY_M = 1000.0  # what the database calls infinity; taken where the camera did not write a distance
SHAPE = 0.02  # share by which a picture's aspect may differ from its sensor's
SAME_BEND = 0.001  # of the diagonal: lenses of like names that differ by less are one
REACH = 1.1  # share by which a focal length may lie outside a lens's range, for cameras round

_FOUR_THIRDS = frozenset({"Micro 4/3 System", "4/3 System", "Hasselblad H", "Mamiya 645", "Leica S"})
_MAKERS = frozenset({
    "canon", "nikon", "sony", "fujifilm", "panasonic", "olympus", "om", "pentax", "sigma", "tamron", "tokina",
    "samyang", "zeiss", "leica", "minolta", "konica", "samsung", "ricoh", "hasselblad",
})  # fmt: skip
_NOISE = frozenset({"mm", "lens", "f", "fe"})  # said by some and not by others
_SAME = {"art": "a", "contemporary": "c", "sports": "s"}
_NAMES = re.compile(r"(?:f/?|1:)(\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?)|(\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?)|([a-z]+)")
_TELLING = re.compile(r"^(ii|iii|iv|v|is|vr|os|oss|vc|stm|usm|dx|di|dc|dg|art|c|s|a|f?\d.*)$")

WIDE, BENT = 1.5, 0.1  # aspect, and the share of its diagonal from which on a bend is a mistake in the database
DARK, BRIGHT = 0.06, 1.2  # of the middle's light: corners beyond correction, or numbers far from what was measured
SENSORS = (3 / 2, 4 / 3, 16 / 9, 1.0)  # shapes that the database knows
ASKED = 1000  # px, half the short side of the picture about which lensfun is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A lens at one setting. `match` is `exact`, `close`, `range` (by focal length and aperture alone) or `fixed`.

    A point of the corrected picture at r comes from r · distortion(r) of the picture as it was taken; red and blue
    from r · red(r) and r · blue(r) of where green does. `light` is k1, k2, k3 of the light 1 + k1 r² + k2 r⁴ + k3 r⁶.
    None: not in the database for this setting.
    """

    camera: str
    lens: str
    match: str
    focal_mm: float
    distortion: Polynomial | None = None
    red: Polynomial | None = None
    blue: Polynomial | None = None
    light: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Why a lens is not known, as the end of the sentence `lens unknown: …`."""

    why: str


def find(capture: Capture, width: int, height: int) -> Profile | Unknown:
    """The profile for these capture facts and a picture of this size (upright or not)."""
    if capture.camera is None:
        return Unknown(why="the file does not say which camera took it")
    if capture.focal_mm is None:
        return Unknown(why="the file does not say the focal length")
    if _lensfun() is None:
        return Unknown(why="the package lensfunpy cannot be loaded here; `safelight doctor` says more")
    camera = _cameras().get(_letters(capture.camera))
    if camera is None:
        return Unknown(why=f"the {capture.camera} is not in the database")
    aspect = max(width, height) / min(width, height)
    if not any(abs(aspect / native - 1) < SHAPE for native in _aspects(camera)):
        return Unknown(why=f"the photo is cropped ({aspect:.2f} : 1), so its middle may not be the lens's")
    found = _matching(camera, capture)
    if isinstance(found, Unknown):
        return found
    match, lenses = found
    profiles = [_profile(lens, camera, match, capture) for lens in lenses]
    known = [profile for profile in profiles if profile.distortion or profile.red or profile.light]
    if not known:
        return Unknown(why=f"the database has no measurements of the {profiles[0].lens} at {capture.focal_mm:g} mm")
    if len({profile.lens for profile in known}) > 1 and _apart(known) > SAME_BEND:
        return Unknown(why=f"{len(known)} lenses of this name bend lines differently")
    return known[0]


# ---------------------------------------------------------------- names


@cache
def _lensfun() -> Any:
    """The package; None where it cannot be loaded, for its wheel relies on the system's GLib."""
    try:
        import lensfunpy
    except ImportError:
        return None
    return lensfunpy


@cache
def _database() -> Any:
    return _lensfun().Database(load_common=False)  # the same on every machine, whatever else is installed there


@cache
def _cameras() -> dict[str, Any]:
    """Cameras by name; those that the database has twice with different sensors are left out."""
    found: dict[str, Any] = {}
    for camera in _database().cameras:
        key = _letters(camera_name(camera.maker, camera.model) or "")
        if key in found and abs(found[key].crop_factor / camera.crop_factor - 1) > 0.01:
            found.pop(key)
            continue
        found[key] = camera
    return found


@cache
def _lenses() -> tuple[tuple[frozenset[str], Any], ...]:
    """The words of every lens's name, and the lens."""
    return tuple((words(lens.model), lens) for lens in _database().lenses)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def words(name: str) -> frozenset[str]:
    """What a lens's name says: `24-105`, `f4` and single words, without makers; `EF24-105mm f/4L` has ef and l."""
    text = re.sub(r"(?<=\d)\.0(?!\d)", "", name.lower())
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", "", text)  # AF-S
    text = re.sub(r"(?<![a-z\d.-])[a-z]?\d{3}(?![\d.-]|\s*mm)", " ", text)  # numbers of editions, as A032, 014, 170
    text = re.sub(r"(?<=\d)\s*mm", " ", text)
    found = set()
    for aperture, number, word in _NAMES.findall(text):
        found.add(f"f{aperture}" if aperture else number or word)
    return frozenset(_SAME.get(word, word) for word in found - _MAKERS - _NOISE)


def _matching(camera: Any, capture: Capture) -> tuple[str, list[Any]] | Unknown:
    """How the lens was found, and the entries that it may be."""
    fitting = [(said, lens) for said, lens in _lenses() if camera.mount in lens.mounts]
    if camera.mount[:1].islower():  # the database writes mounts of lenses that do not come off so
        name = f"lens of the {camera.model}"
        if not fitting:
            return Unknown(why=f"the {name} is not in the database")
        return _on_sensor("fixed", [lens for _, lens in fitting], camera, name)
    if capture.lens is None:
        return Unknown(why="the file does not say which lens took it")
    given = words(capture.lens)
    numbers = {word for word in given if re.match(r"f?\d", word)}
    for pool in (fitting, _adaptable(camera)):
        same = [lens for said, lens in pool if said == given]
        if same:
            return _on_sensor("exact", same, camera, capture.lens)
    if given == numbers:
        alike = [lens for said, lens in fitting if numbers <= said and _covers(lens, capture.focal_mm)]
        if len({lens.model for lens in alike}) > 1 and not numbers:
            alike = []
        if alike:
            return _on_sensor("range", alike, camera, capture.lens)
    close = [
        (len(said ^ given), lens)
        for said, lens in fitting
        if numbers <= said and (said <= given or given <= said) and not any(map(_TELLING.match, said ^ given))
    ]
    if close:
        nearest = min(distance for distance, _ in close)
        return _on_sensor("close", [lens for distance, lens in close if distance == nearest], camera, capture.lens)
    return Unknown(why=f"the {capture.lens} is not in the database")


def _adaptable(camera: Any) -> Iterable[tuple[frozenset[str], Any]]:
    """Lenses of mounts that an adapter brings to this camera."""
    mount = _database().find_mount(camera.mount)
    others = set(mount.compat) - {"Generic"} if mount is not None else set()
    return ((said, lens) for said, lens in _lenses() if others & set(lens.mounts))


def _covers(lens: Any, focal_mm: float | None) -> bool:
    return focal_mm is not None and lens.min_focal / REACH <= focal_mm <= lens.max_focal * REACH


def _on_sensor(match: str, lenses: Sequence[Any], camera: Any, name: str) -> tuple[str, list[Any]] | Unknown:
    """Of each lens the measurements on the sensor that is least larger than this camera's; fisheyes are left alone."""
    if any(str(lens.type.name) != "RECTILINEAR" for lens in lenses):
        return Unknown(why=f"the {name} is a fisheye, which bends lines on purpose")
    large = [lens for lens in lenses if lens.crop_factor <= camera.crop_factor * 1.04]
    if not large:
        return Unknown(why=f"the {name} was measured on a smaller sensor only")
    best: dict[str, Any] = {}
    for lens in large:
        if lens.model not in best or lens.crop_factor > best[lens.model].crop_factor:
            best[lens.model] = lens
    return match, list(best.values())


def _aspects(camera: Any) -> tuple[float, ...]:
    """Width over height of the camera's sensor; of cameras with a lens of their own, what such sensors have."""
    if camera.mount[:1].islower():
        return 3 / 2, 4 / 3
    return (4 / 3,) if camera.mount in _FOUR_THIRDS else (3 / 2,)


# ---------------------------------------------------------------- numbers


def _profile(lens: Any, camera: Any, match: str, capture: Capture) -> Profile:
    focal, f_number = capture.focal_mm or 0.0, capture.f_number
    found = Profile(camera=camera.model, lens=lens.model, match=match, focal_mm=focal)
    if not _covers(lens, focal):
        return found
    if lens.calib_distortion or lens.calib_tca:
        reach = _reach(lens, camera)
    if lens.calib_distortion:
        distortion = _bent(lens.interpolate_distortion(focal), reach)
        found = replace(found, distortion=distortion if bends.bend(distortion, WIDE) < BENT else None)
    if lens.calib_tca:
        red, blue = _split(lens.interpolate_tca(focal), reach)
        found = replace(found, red=red, blue=blue)
    if lens.calib_vignetting and f_number is not None:
        light = lens.interpolate_vignetting(focal, f_number, capture.distance_m or INFINITY_M)
        if light is not None:
            share = lens.crop_factor / camera.crop_factor  # the corner of this sensor on the one that was measured
            k1, k2, k3 = (_rounded(k * share ** (2 * n)) for n, k in enumerate(light.terms[:3], 1))
            r2 = np.linspace(0, 1, 20) ** 2
            left = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
            found = replace(found, light=(k1, k2, k3) if left.min() > DARK and left.max() < BRIGHT else None)
    return found


def _reach(lens: Any, camera: Any) -> float:
    """The corner's distance in the database's unit, half the short side of the sensor that was measured.

    The package does not say which shape that sensor had, so lensfun is asked where it would put one point.
    """
    lensfunpy, focal = _lensfun(), lens.min_focal
    distortion, fringes = lens.interpolate_distortion(focal), lens.interpolate_tca(focal)
    flags = lensfunpy.ModifyFlags.DISTORTION if distortion is not None else lensfunpy.ModifyFlags.TCA
    modifier = lensfunpy.Modifier(lens, camera.crop_factor, 3 * ASKED + 1, 2 * ASKED + 1)
    modifier.initialize(focal, 8.0, scale=1.0, flags=int(flags), pixel_format=np.float32)
    corner = float(np.hypot(1.5 * ASKED, ASKED))
    if distortion is not None:
        place = modifier.apply_geometry_distortion(1.5 * ASKED + 0.9 * corner, ASKED, 1, 1)[0, 0]
    else:
        place = modifier.apply_subpixel_distortion(1.5 * ASKED + 0.9 * corner, ASKED, 1, 1)[0, 0, 0]
    reached = (place[0] - 1.5 * ASKED) / (0.9 * corner)

    def miss(aspect: float) -> float:
        reach = _corner(lens, camera, aspect)
        polynomial = _bent(distortion, reach) if distortion is not None else _split(fringes, reach)[0]
        return abs(float(np.polynomial.polynomial.polyval(0.9, polynomial)) - float(reached))

    return _corner(lens, camera, min(SENSORS, key=miss))


def _corner(lens: Any, camera: Any, aspect: float) -> float:
    return float(lens.crop_factor / camera.crop_factor * np.hypot(aspect, 1))


def _bent(measured: Any, reach: float) -> Polynomial:
    """The database's polynomial, whose unit is half a short side, in half diagonals."""
    model, terms = measured.model.name, measured.terms
    powers: Polynomial
    if model == "PTLENS":
        a, b, c = terms[:3]
        powers = (1 - a - b - c, c, b, a)
    elif model == "POLY3":
        powers = (1 - terms[0], 0.0, terms[0])
    elif model == "POLY5":
        powers = (1.0, 0.0, terms[0], 0.0, terms[1])
    else:
        raise ValueError(f"lensfun has a new model of distortion, {model}")
    return _scaled(powers, reach)


def _split(measured: Any, reach: float) -> tuple[Polynomial, Polynomial]:
    """Red's and blue's polynomials in half diagonals."""
    terms = [*measured.terms, *(0.0,) * 6]
    red, blue = ((terms[n], terms[n + 2], terms[n + 4]) for n in (0, 1))  # lensfun has v, c, b of both by turns
    return _scaled(red, reach), _scaled(blue, reach)


def _scaled(powers: Sequence[float], reach: float) -> Polynomial:
    return tuple(_rounded(value * reach**n) for n, value in enumerate(powers))


def _rounded(value: float) -> float:
    return float(f"{value:.7f}") + 0.0


def _apart(profiles: Sequence[Profile]) -> float:
    """By how much of the diagonal these profiles place some point differently."""
    r = np.linspace(0, 1, 20)
    at = [r * np.polynomial.polynomial.polyval(r, profile.distortion or (1.0,)) / 2 for profile in profiles]
    return float(np.ptp(np.stack(at), axis=0).max())
