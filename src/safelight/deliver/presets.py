"""Forms in which files leave: built-in presets, those of plug-ins (`safelight.deliveries`), and preset files."""

import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from safelight import plugins
from safelight.domain import Edit
from safelight.errors import UsageError

SHARPENER = "output_sharpening"


class Format(StrEnum):
    """Kinds of file that can be written."""

    JPEG = "jpeg"
    TIFF16 = "tiff16"

    @property
    def suffix(self) -> str:
        """With its dot."""
        return ".jpg" if self is Format.JPEG else ".tif"


class Sharpen(StrEnum):
    """For which medium a file is sharpened, at the size that is delivered."""

    NONE = "none"
    SCREEN = "screen"
    PRINT = "print"


STRENGTH = {
    Sharpen.SCREEN: {"amount": 0.5, "radius": 0.6},  # seen pixel by pixel
    Sharpen.PRINT: {"amount": 0.9, "radius": 1.1},  # 300 px an inch: ink spreads over about a pixel
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A form of file. `long_side` px, 0 for full size; nothing is ever enlarged. Colour is always sRGB with profile."""

    name: str
    format: Format = Format.JPEG
    quality: int = 92
    subsampling: str = "444"
    long_side: int = 0
    gps: bool = False  # where a photo was taken is private unless the client asks
    sharpen: Sharpen = Sharpen.NONE
    about: str = ""

    @property
    def output(self) -> tuple[Edit, ...]:
        """What is done to a picture at its delivered size."""
        if self.sharpen is Sharpen.NONE:
            return ()
        operator = plugins.operator(SHARPENER)
        return (Edit(operator=operator.name, version=operator.version, params=STRENGTH[self.sharpen]),)


JPEG = Preset(name="jpeg", about="Full-size JPEG for print and archive.")
WEB = Preset(
    name="web", long_side=2048, quality=88, subsampling="420", sharpen=Sharpen.SCREEN,
    about="JPEG of 2,048 px for the web, sharpened for screens.",
)  # fmt: skip
PRINT = Preset(name="print", quality=95, sharpen=Sharpen.PRINT, about="Full-size JPEG, sharpened for print.")
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
    names = ", ".join(preset.name for preset in known())
    raise UsageError(f"{name!r} is not a preset.", remedy=f"Presets are {names}, or name a .toml file.")


def known() -> list[Preset]:
    """The presets that are installed, by name."""
    found = (point.load() for point in entry_points(group="safelight.deliveries"))
    return sorted((preset for preset in found if isinstance(preset, Preset)), key=lambda preset: preset.name)


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
        data |= {"format": Format(data.get("format", "jpeg")), "sharpen": Sharpen(data.get("sharpen", "none"))}
        preset = Preset(name=path.stem, **data)
    except (TypeError, ValueError) as error:
        formats, media = (", ".join(item.value for item in names) for names in (Format, Sharpen))
        raise UsageError(f"{path}: {error}.", remedy=f"Formats are {formats}; sharpen is {media}.") from error
    if not 1 <= preset.quality <= 100:
        raise UsageError(f"{path}: quality is {preset.quality}.", remedy="Use 1 to 100.")
    return preset
