"""Rules about one written file. Each is a small function from what the file is and the rule's settings to an
`Answer`.

A rule's settings are a frozen dataclass whose fields are the keys of its table in a channel's TOML.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from safelight.channels import marks
from safelight.channels.answer import Answer
from safelight.channels.encoded import Encoded
from safelight.channels.ground import apart, box_of, rim_of
from safelight.errors import UsageError
from safelight.media import xmp
from safelight.params import declare

PLAIN = "The ground is not plain, so the product cannot be told from it."
NOTHING = "Nothing stands on the ground."
GENERATED = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What our own record knows of a file: operators of its version, whether any part was generated."""

    operators: tuple[str, ...] = ()
    generated: bool | None = None


# ---------------------------------------------------------------- settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """The colour of the ground."""

    colour: tuple[int, int, int] = declare((255, 255, 255), low=0, high=255, help="sRGB of the ground")
    within: int = declare(0, low=0, high=255, unit="levels", help="how far from it a channel may be")
    share: float = declare(0.995, low=0, high=1, help="least share of the ground that has the colour")
    rim: bool = declare(True, help="every outermost pixel that is not product must have it too")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """How much of the frame the product takes: its box on the longer of its two shares."""

    least: float = declare(0.0, low=0, high=1, help="least share of the frame")
    most: float = declare(1.0, low=0, high=1, help="greatest share of the frame")


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """The free space around the product, each as a share of the frame's width or height."""

    least: float = declare(0.0, low=0, high=0.5, help="least on every side")
    most: float = declare(0.5, low=0, high=0.5, help="greatest on the side with least")
    centred: float = declare(1.0, low=0, high=1, help="greatest difference of opposite sides")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The product is whole: it touches no edge but these."""

    may_touch: tuple[str, ...] = declare((), help="of top, bottom, left, right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Pixels; 0 where nothing is asked."""

    long_least: int = declare(0, low=0, unit="px", help="least longer side")
    long_most: int = declare(0, low=0, unit="px", help="greatest longer side")
    short_least: int = declare(0, low=0, unit="px", help="least shorter side")
    megapixels_most: float = declare(0.0, low=0, help="greatest area")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Width to height."""

    allowed: tuple[str, ...] = declare((), help="such as 1:1 or 4:5")
    within: float = declare(0.005, low=0, high=1, help="relative deviation that counts as none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """A drawn frame around the picture."""

    allowed: bool = declare(False, help="whether there may be one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Lettering, logos and watermarks beside the product."""

    allowed: bool = declare(False, help="whether there may be any")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The embedded colour profile."""

    allowed: tuple[str, ...] = declare(("sRGB",), help="names of profiles")
    required: bool = declare(True, help="whether one must be embedded")
    model: str = declare("rgb", help="colour model of the file: rgb, grey or CMYK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpha:
    """Transparency."""

    allowed: bool = declare(False, help="whether pixels may be transparent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Bytes of the file; 0 where nothing is asked."""

    most: float = declare(0.0, low=0, unit="MB", help="greatest size")
    least: float = declare(0.0, low=0, unit="MB", help="least size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The format of the file, by its bytes and by its name."""

    allowed: tuple[str, ...] = declare(("jpeg",), help="formats, such as jpeg, png, tiff, webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """The file's name."""

    pattern: str = declare("", help="regular expression for the name without its suffix; empty: any")
    longest: int = declare(120, low=1, unit="bytes", help="greatest length with suffix")
    safe: bool = declare(True, help="only letters without accents, digits, dot, dash and underscore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What the file says about where its pixels come from (IPTC DigitalSourceType)."""

    generated: tuple[str, ...] = declare(
        GENERATED[:2], help="values of which one must stand in a file with generated parts"
    )
    always: bool = declare(False, help="whether every file must say where its pixels come from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swatch:
    """A colour that must come out right, such as that of a brand."""

    colour: str = declare("#000000", help="sRGB as #RRGGBB")
    delta_e: float = declare(3.0, low=0, unit="ΔE00", help="greatest difference")
    search: float = declare(18.0, low=0, unit="ΔE00", help="how far off a pixel may be and still be meant")
    share: float = declare(
        0.003, low=0, high=1, help="least share of the picture that is meant, else it cannot be told"
    )


# ---------------------------------------------------------------- the product and its ground


def background(file: Encoded, rule: Background) -> Answer:
    """Whether the ground has the colour, to the level, in what the file decodes to."""
    off = apart(file.rgb, rule.colour) > rule.within
    ground = file.ground
    wanted = f"RGB {', '.join(map(str, rule.colour))}"
    if not ground.plain:
        bad = off & rim_of(off.shape)
        return _broken(
            "background",
            f"The ground is not plain: {100 * _share(bad, rim_of(off.shape)):.0f} % of the rim is not {wanted}.",

            f"Cut the product out and put it on {wanted}.", value=None, wanted=wanted, mask=bad,
        )  # fmt: skip
    bad = off & ground.inner
    right = 1 - _share(bad, ground.inner)
    rim = off & ~ground.subject & rim_of(off.shape)
    value = round(right, 5)
    if right < rule.share:
        worst = _levels(file, bad)
        return _broken(
            "background", f"{100 * right:.2f} % of the ground is {wanted}; the rest is about {worst}.",
            f"Fill the ground with {wanted} and save at a higher quality; then check the saved file again.",
            value=value,
            wanted=wanted, mask=bad,
        )  # fmt: skip
    if rule.rim and rim.any():
        return _broken(
            "background", f"{int(rim.sum()):,} pixels of the rim are not {wanted}.",
            f"Fill the ground with {wanted} up to the edge.", value=value, wanted=wanted, mask=rim,
        )  # fmt: skip
    return _held("background", f"{100 * right:.2f} % of the ground is {wanted}.", value=value, wanted=wanted)


def fill(file: Encoded, rule: Fill) -> Answer:
    """Whether the product fills enough of the frame."""
    box = file.ground.box
    if not file.ground.plain or box is None:
        return _untold("fill", PLAIN if not file.ground.plain else NOTHING)
    share = max((box[2] - box[0]) / file.width, (box[3] - box[1]) / file.height)
    wanted, value = [rule.least, rule.most], round(share, 4)
    if share < rule.least:
        return _broken(
            "fill",
            f"The product fills {100 * share:.0f} % of the frame; at least {100 * rule.least:.0f} % are asked for.",
            "Crop closer.", value=value, wanted=wanted, mask=file.ground.subject,
        )  # fmt: skip
    if share > rule.most:
        return _broken(
            "fill", f"The product fills {100 * share:.0f} % of the frame; at most {100 * rule.most:.0f} % are allowed.",
            "Leave more ground around it.", value=value, wanted=wanted, mask=file.ground.subject,
        )  # fmt: skip
    return _held("fill", f"The product fills {100 * share:.0f} % of the frame.", value=value, wanted=wanted)


def margins(file: Encoded, rule: Margins) -> Answer:
    """Whether the free space around the product is as asked."""
    box = file.ground.box
    if not file.ground.plain or box is None:
        return _untold("margins", PLAIN if not file.ground.plain else NOTHING)
    left, right = box[0] / file.width, 1 - box[2] / file.width
    top, bottom = box[1] / file.height, 1 - box[3] / file.height
    found = {"left": left, "right": right, "top": top, "bottom": bottom}
    told = ", ".join(f"{side} {100 * share:.1f} %" for side, share in found.items())
    value, wanted = {side: round(share, 4) for side, share in found.items()}, [rule.least, rule.most]
    apart_ = max(abs(left - right), abs(top - bottom))
    if min(found.values()) < rule.least or min(found.values()) > rule.most:
        least, most = 100 * rule.least, 100 * rule.most
        return _broken("margins", f"Free space: {told}; asked for is {least:g} to {most:g} % on the narrowest side.",
                       "Crop or extend the ground.", value=value, wanted=wanted, mask=file.ground.subject)  # fmt: skip
    if apart_ > rule.centred:
        return _broken("margins", f"The product stands off the middle: {told}.", "Move it to the middle.", value=value,
                       wanted=wanted, mask=file.ground.subject)  # fmt: skip
    return _held("margins", f"Free space: {told}.", value=value, wanted=wanted)


def whole(file: Encoded, rule: Whole) -> Answer:
    """Whether the product is inside the frame."""
    if not file.ground.plain:
        return _untold("whole", PLAIN)
    cut = [edge for edge in file.ground.edges if edge not in rule.may_touch]
    if cut:
        bad = file.ground.subject & rim_of(file.ground.subject.shape)
        return _broken("whole", f"The product is cut off at the {' and '.join(cut)}.", "Show the whole product.",
                       value=cut, mask=bad)  # fmt: skip
    return _held("whole", "The product is inside the frame.", value=[])


def border(file: Encoded, rule: Border) -> Answer:
    """Whether a frame was drawn around the picture."""
    found = marks.band(file.rgb)
    width = 0 if found is None else found.px
    if found is not None and found.ground and not rule.allowed:
        told = f"An even band of {width} px runs around the picture; border and ground cannot be told apart."
        return _untold("border", told)
    if width and not rule.allowed:
        mask = np.ones(file.rgb.shape[:2], bool)
        mask[width:-width, width:-width] = False
        return _broken("border", f"A border of {width} px runs around the picture.", "Crop it off.", value=width,
                       wanted=0,
                       mask=mask)  # fmt: skip
    return _held("border", "There is no border." if not width else f"A border of {width} px.", value=width)


def text(file: Encoded, rule: Text) -> Answer:
    """Whether something beside the product looks like lettering. Lettering over the product is not read."""
    if rule.allowed:
        return _held("text", "Lettering is allowed.")
    if not file.ground.plain:
        return _untold("text", "Lettering is only looked for on a plain ground.")
    mask = marks.lettering(file.ground.subject)
    if mask is not None:
        return _broken("text", "A row of marks beside the product looks like lettering.", "Take it out.", value=True,
                       wanted=False, mask=mask)  # fmt: skip
    return _untold("text", "None was seen on the ground; lettering over the product is not read.")


def swatch(file: Encoded, rule: Swatch, name: str) -> Answer:
    """How far the brand's colour is off in the pixels that are meant to have it."""
    found = marks.nearest_to(file.rgb, _colour(rule.colour, name), search=rule.search)
    key = f"swatch.{name}"
    if found is None or found.share < rule.share:
        return _untold(key, f"Too little of the picture is near {rule.colour} to measure it.")
    told = f"{name} ({rule.colour}) is off by ΔE00 {found.delta_e:.1f} over {100 * found.share:.1f} % of the picture"
    value, wanted = round(found.delta_e, 2), rule.delta_e
    if found.delta_e > rule.delta_e:
        remedy = f"Correct the colour, which is {found.hex} here; at most {rule.delta_e:g} is allowed."
        return _broken(key, f"{told}.", remedy, value=value, wanted=wanted, mask=found.mask)
    return _held(key, f"{told}.", value=value, wanted=wanted)


# ---------------------------------------------------------------- the file


def size(file: Encoded, rule: Size) -> Answer:
    """Whether the picture has enough pixels, and not too many."""
    long_side, short_side = max(file.width, file.height), min(file.width, file.height)
    area = file.width * file.height / 1e6
    told, value = f"The picture has {file.width:,} x {file.height:,} px", [file.width, file.height]
    wrong = [
        (long_side < rule.long_least, f"at least {rule.long_least:,} px on the longer side", "Deliver it larger."),
        (short_side < rule.short_least, f"at least {rule.short_least:,} px on the shorter side", "Deliver it larger."),
        (0 < rule.long_most < long_side, f"at most {rule.long_most:,} px on the longer side", "Deliver it smaller."),
        (0 < rule.megapixels_most < area, f"at most {rule.megapixels_most:g} megapixels", "Deliver it smaller."),
    ]
    for is_wrong, wanted, remedy in wrong:
        if is_wrong:
            return _broken("size", f"{told}; asked for is {wanted}.", remedy, value=value, wanted=wanted)
    return _held("size", f"{told}.", value=value)


def ratio(file: Encoded, rule: Ratio) -> Answer:
    """Whether width to height is one of those allowed."""
    if not rule.allowed:
        return _held("ratio", "Any ratio is allowed.")
    here = file.width / file.height
    for allowed in rule.allowed:
        wide, tall = _ratio(allowed)
        if abs(here * tall / wide - 1) <= rule.within:
            return _held("ratio", f"The picture is {allowed}.", value=round(here, 4), wanted=list(rule.allowed))
    return _broken("ratio", f"The picture is {here:.3f} to 1; allowed is {' or '.join(rule.allowed)}.",
                   f"Crop it to {rule.allowed[0]}.", value=round(here, 4), wanted=list(rule.allowed))  # fmt: skip


def profile(file: Encoded, rule: Profile) -> Answer:
    """Whether the embedded profile and the colour model are as asked."""
    if file.profile is None or file.model is None:
        return _untold("profile", f"The profile of a {file.format} is not read here.")
    if file.model != rule.model:
        return _broken("profile", f"The file is {file.model}, not {rule.model}.", f"Save it as {rule.model}.",
                       value=file.model, wanted=rule.model)  # fmt: skip
    if not file.profile and not rule.required:
        return _held("profile", "No profile is embedded.", value="")
    if file.profile not in rule.allowed:
        has = f"Its profile is {file.profile}" if file.profile else "No profile is embedded"
        return _broken("profile", f"{has}; asked for is {' or '.join(rule.allowed)}.",
                       f"Convert it to {rule.allowed[0]} and embed the profile." if rule.allowed else "Leave it out.",
                       value=file.profile, wanted=list(rule.allowed))  # fmt: skip
    return _held("profile", f"The profile is {file.profile}.", value=file.profile, wanted=list(rule.allowed))


def alpha(file: Encoded, rule: Alpha) -> Answer:
    """Whether pixels are transparent, or the file has an alpha channel at all."""
    if file.model is None:
        return _untold("alpha", f"Transparency of a {file.format} is not read here.")
    through = file.transparent
    if through is None or rule.allowed:
        return _held("alpha", "The file has no transparency." if through is None else "Transparency is allowed.")
    share = float(through.mean())
    told = f"{100 * share:.1f} % of the picture is transparent." if share else "The file has an alpha channel."
    return _broken("alpha", told, "Flatten it on the ground's colour.", value=round(share, 4), wanted=0,
                   mask=through if through.shape == file.rgb.shape[:2] else None)  # fmt: skip


def weight(file: Encoded, rule: Weight) -> Answer:
    """Whether the file is small enough, and not suspiciously small."""
    size_mb = file.size / 1e6
    told, value = f"The file has {size_mb:.2f} MB", round(size_mb, 3)
    if rule.most and size_mb > rule.most:
        return _broken("weight", f"{told}; at most {rule.most:g} are allowed.",
                       "Save it smaller or at a lower quality.",
                       value=value, wanted=rule.most)  # fmt: skip
    if size_mb < rule.least:
        return _broken("weight", f"{told}; at least {rule.least:g} are asked for.", "Save it at a higher quality.",
                       value=value, wanted=rule.least)  # fmt: skip
    return _held("weight", f"{told}.", value=value)


def kind(file: Encoded, rule: Kind) -> Answer:
    """Whether the format is allowed, and the suffix says the truth."""
    if file.format not in rule.allowed:
        return _broken("kind", f"The file is a {file.format}; allowed is {', '.join(rule.allowed)}.",
                       f"Save it as {rule.allowed[0]}.", value=file.format, wanted=list(rule.allowed))  # fmt: skip
    suffix = file.path.suffix.lower().lstrip(".")
    same = {"jpg": "jpeg", "jpe": "jpeg", "tif": "tiff", "heif": "heic"}.get(suffix, suffix)
    if same != file.format:
        return _broken("kind", f"The name says {suffix or 'nothing'}, the bytes say {file.format}.",
                       f"Name it .{file.format}.", value=suffix, wanted=file.format)  # fmt: skip
    return _held("kind", f"The file is a {file.format}.", value=file.format, wanted=list(rule.allowed))


def name(file: Encoded, rule: Name) -> Answer:
    """Whether the file is called as asked."""
    called = file.path.name
    length = len(called.encode("utf-8", "surrogateescape"))
    if length > rule.longest:
        return _broken("name", f"The name has {length} bytes; at most {rule.longest} are allowed.", "Shorten it.",
                       value=called, wanted=rule.longest)  # fmt: skip
    if rule.safe and not re.fullmatch(r"[A-Za-z0-9._-]+", called):
        strange = sorted({c for c in called if not re.match(r"[A-Za-z0-9._-]", c)})
        return _broken("name", f"The name holds {' '.join(map(repr, strange[:5]))}.",
                       "Use letters without accents, digits, dot, dash and underscore.", value=called)  # fmt: skip
    if rule.pattern and not re.fullmatch(rule.pattern, file.path.stem):
        return _broken("name", f"{file.path.stem} does not follow the pattern {rule.pattern}.",
                       "Deliver it with --names after that pattern.", value=called, wanted=rule.pattern)  # fmt: skip
    return _held("name", "The name is as asked.", value=called)


def disclosure(file: Encoded, rule: Disclosure, known: Known) -> Answer:
    """Whether the file says where its pixels come from as strongly as the record knows it."""
    said = file.says.get(xmp.SOURCE_TYPE, "").rsplit("/", 1)[-1]
    value = said or None
    if known.generated and said not in rule.generated:
        return _broken("disclosure", f"Parts were generated, and the file says {said or 'nothing'}.",
                       f"Deliver it with DigitalSourceType {rule.generated[-1] if rule.generated else ''}.",
                       value=value,
                       wanted=list(rule.generated))  # fmt: skip
    if rule.always and not said:
        return _broken("disclosure", "The file does not say where its pixels come from.",
                       "Deliver it from Safelight, or set DigitalSourceType.", value=None, wanted="any")  # fmt: skip
    if said:
        return _held("disclosure", f"The file says {said}.", value=value)
    if known.generated is None:
        return _untold("disclosure", "The file says nothing, and nobody recorded whether parts were generated.")
    return _held("disclosure", "Nothing was generated, and nothing needs to be said.", value=value)


# ---------------------------------------------------------------- the table of rules

RULES: Mapping[str, tuple[type[Any], Callable[..., Answer]]] = {
    "background": (Background, background), "fill": (Fill, fill), "margins": (Margins, margins),
    "whole": (Whole, whole),
    "border": (Border, border), "text": (Text, text), "size": (Size, size), "ratio": (Ratio, ratio),
    "profile": (Profile, profile), "alpha": (Alpha, alpha), "weight": (Weight, weight), "kind": (Kind, kind),
    "name": (Name, name), "disclosure": (Disclosure, disclosure),
}  # fmt: skip


def check_settings(rule: Any) -> None:
    """Raises UsageError for settings that are of the right kind and cannot be meant."""
    if isinstance(rule, Name):
        try:
            re.compile(rule.pattern)
        except re.error as error:
            raise UsageError(
                f"pattern {rule.pattern!r} is no regular expression: {error}.",
                remedy="Write it as Python's `re` takes it, such as [A-Z]{3}-[0-9]+.",
            ) from error
    elif isinstance(rule, Ratio):
        for allowed in rule.allowed:
            _ratio(allowed)
    elif isinstance(rule, Swatch):
        _colour(rule.colour, "colour")
    elif isinstance(rule, Whole):
        strange = set(rule.may_touch) - {"top", "bottom", "left", "right"}
        if strange:
            raise UsageError(f"may_touch holds {min(strange)!r}.", remedy="Sides are top, bottom, left and right.")


def _ratio(text: str) -> tuple[float, float]:
    found = re.fullmatch(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", text)
    if not found or not float(found[1]) or not float(found[2]):
        raise UsageError(f"{text!r} is no ratio.", remedy="Write it as 4:5.")
    return float(found[1]), float(found[2])


def _colour(text: str, name: str) -> tuple[int, int, int]:
    found = re.fullmatch(r"#([0-9A-Fa-f]{6})", text)
    if not found:
        raise UsageError(f"{name}: {text!r} is no colour.", remedy="Write sRGB as #RRGGBB.")
    value = bytes.fromhex(found[1])
    return value[0], value[1], value[2]


def _share(part: Any, of: Any) -> float:
    whole_ = int(of.sum())
    return float((part & of).sum()) / whole_ if whole_ else 0.0


def _levels(file: Encoded, mask: Any) -> str:
    return "RGB " + ", ".join(str(int(v)) for v in np.median(file.rgb[mask], axis=0))


def _held(rule: str, text: str, *, value: Any = None, wanted: Any = None) -> Answer:
    return Answer(rule=rule, held=True, text=text, value=value, wanted=wanted)


def _untold(rule: str, reason: str) -> Answer:
    return Answer(rule=rule, held=None, text=reason)


def _broken(rule: str, text: str, remedy: str, *, value: Any = None, wanted: Any = None, mask: Any = None) -> Answer:
    return Answer(
        rule=rule, held=False, text=text, remedy=remedy, value=value, wanted=wanted, mask=mask,
        where=None if mask is None else box_of(mask),
    )  # fmt: skip
