"""Forms in which files leave: built-in presets, those of plug-ins (`safelight.deliveries`), and preset files."""

import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from safelight.errors import UsageError


class Format(StrEnum):
    """Kinds of file that can be written."""

    JPEG = "jpeg"
    TIFF16 = "tiff16"

    @property
    def suffix(self) -> str:
        """With its dot."""
        return ".jpg" if self is Format.JPEG else ".tif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A form of file. `long_side` px, 0 for full size; nothing is ever enlarged. Colour is always sRGB with profile."""

    name: str
    format: Format = Format.JPEG
    quality: int = 92
    subsampling: str = "444"
    long_side: int = 0
    gps: bool = False  # where a photo was taken is private unless the client asks
    about: str = ""


JPEG = Preset(name="jpeg", about="Full-size JPEG for print and archive.")
WEB = Preset(name="web", long_side=2048, quality=88, subsampling="420", about="JPEG of 2,048 px for the web.")
TIFF16 = Preset(name="tiff16", format=Format.TIFF16, about="Full-size 16-bit TIFF for a retoucher.")


def find(name: str) -> Preset:
    """The preset of this name, or in this TOML file. Raises UsageError listing those that exist."""
    path = Path(name)
    if path.suffix == ".toml":
        return _from_file(path)
    for point in entry_points(group="safelight.deliveries", name=name):
        preset = point.load()
        if isinstance(preset, Preset):
            return preset
    known = sorted({point.name for point in entry_points(group="safelight.deliveries")})
    raise UsageError(f"{name!r} is not a preset.", remedy=f"Presets are {', '.join(known)}, or name a .toml file.")


def _from_file(path: Path) -> Preset:
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The preset {path} cannot be read ({error.strerror}).") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    known = {f.name for f in fields(Preset)} - {"name"}
    if unknown := set(data) - known:
        raise UsageError(
            f"{path}: {min(unknown)!r} is not part of a preset.", remedy=f"Parts are {', '.join(sorted(known))}."
        )
    try:
        preset = Preset(name=path.stem, **(data | {"format": Format(data.get("format", "jpeg"))}))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {error}.", remedy=f"Formats are {', '.join(f.value for f in Format)}.") from error
    if not 1 <= preset.quality <= 100:
        raise UsageError(f"{path}: quality is {preset.quality}.", remedy="Use 1 to 100.")
    return preset
