"""The rules that films are held to: settings as declared params, and a function from a film to an answer each."""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from safelight import captions
from safelight.channels.answer import Answer
from safelight.domain import Measure
from safelight.errors import SafelightError, UsageError
from safelight.media.container import Contents
from safelight.media.loudness import TARGETS
from safelight.media.timecode import exact_rate
from safelight.params import declare

CAPTION_ENDINGS = (".srt", ".vtt", ".ttml", ".xml", ".dfxp")
SHOWN = 3  # faults that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A film as it was measured: what its file says, the evidence, and its captions where there are some."""

    path: Path
    name: str
    facts: Contents
    found: Mapping[str, Measure]
    captions: Path | None = None

    def value(self, name: str) -> Any:
        """The value of a measure; None where there is none."""
        measure = self.found.get(name)
        return measure.value if measure is not None else None

    def why(self, name: str) -> str:
        """Why there is no value."""
        measure = self.found.get(name)
        return (measure.cannot_tell if measure is not None else None) or "it was not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What the file is."""

    formats: tuple[str, ...] = declare((), help="containers; none: any")
    codecs: tuple[str, ...] = declare((), help="codecs of the picture; none: any")
    sounds: tuple[str, ...] = declare((), help="codecs of the sound; none: any")
    name: str = declare("", help="a pattern for the file's name, as in a shell; empty: any")
    longest_s: float | None = declare(None, low=0, unit="s", help="how long it may last")
    most_mb: float | None = declare(None, low=0, unit="MB", help="how large it may be")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What its picture is."""

    sizes: tuple[str, ...] = declare((), help="width x height, upright; none: any")
    rates: tuple[str, ...] = declare((), unit="frames a second", help="none: any")
    constant: bool = declare(True, help="the rate must not vary")
    progressive: bool = declare(True, help="whole frames, no fields")
    square: bool = declare(True, help="square pixels")
    pixels: tuple[str, ...] = declare((), help="pixel formats; none: any")


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """Which colour tags it carries. Untagged pictures are guessed at by players, each in its own way."""

    primaries: tuple[str, ...] = declare(("bt709",), help="what may stand there; none: any, but something")
    transfer: tuple[str, ...] = declare(("bt709",), help="what may stand there; none: any, but something")
    matrix: tuple[str, ...] = declare(("bt709",), help="what may stand there; none: any, but something")
    limited: bool = declare(True, help="levels as broadcast keeps them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loud:
    """How loud it is."""

    target: str = declare("streaming", help="a target of `safelight loudness`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Faults of picture and sound."""

    allowed: tuple[str, ...] = declare((), help="kinds that may be there")


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """Captions beside it."""

    preset: str = declare("netflix", help="whose rules they are held to")
    needed: bool = declare(True, help="they must be there")


def file(film: Film, s: File) -> list[Answer]:
    """Container, codecs, name, length, size."""
    facts = film.facts
    found = [_one_of("file.format", facts.format, s.formats, "It is a {} file", "Render it as {}.")]
    if facts.picture:
        found.append(_one_of("file.codec", facts.picture.codec, s.codecs, "Its picture is {}", "Encode it as {}."))
    found += [
        _one_of("file.sound", heard.codec, s.sounds, "Its sound is {}", "Encode it as {}.") for heard in facts.sounds
    ]
    if s.name:
        held = fnmatch.fnmatchcase(film.name, s.name)
        found.append(Answer(rule="file.name", held=held, value=film.name, wanted=s.name,
                            text=f"It is called {film.name}.", remedy=f"Name it like {s.name}."))  # fmt: skip
    lasts = float(facts.duration_s or 0)
    if s.longest_s is not None:
        found.append(_at_most("file.length", lasts, s.longest_s, "s", "Cut it: `safelight cut --length`."))
    if s.most_mb is not None:
        size = round(film.path.stat().st_size / 1e6, 2)
        found.append(_at_most("file.size", size, s.most_mb, "MB", "Encode it smaller."))
    return found


def picture(film: Film, s: Picture) -> list[Answer]:
    """Size, rate, fields, shape of pixels."""
    shown = film.facts.picture
    if shown is None:
        return [Answer(rule="picture.there", held=False, text="It has no picture.", remedy="Render a film.")]
    found = [_one_of("picture.size", f"{shown.width}x{shown.height}", s.sizes, "It has {} pixels", "Render it at {}.")]
    rate = film.value("clip.rate")
    if s.rates and rate is not None:
        known = {exact_rate(r): r for r in s.rates}
        found.append(Answer(
            rule="picture.rate", held=Fraction(str(rate)) in known, value=str(rate), wanted=list(s.rates),
            text=f"It has {float(Fraction(str(rate))):.6g} frames a second.",
            remedy=f"Conform it to {' or '.join(s.rates)}.",
        ))  # fmt: skip
    if s.constant:
        varies = film.value("clip.rate.variable")
        text = "Its rate varies." if varies else "Its rate is constant."
        found.append(Answer(rule="picture.constant", held=None if varies is None else not varies, text=text,
                            value=varies, wanted=False, remedy="Conform it: `safelight cut --render`."))  # fmt: skip
    if s.progressive:
        found.append(Answer(rule="picture.progressive", held=shown.fields is None, value=shown.fields, wanted=None,
                            text=f"It is {'interlaced' if shown.fields else 'progressive'}.",
                            remedy="Deinterlace it."))  # fmt: skip
    if s.square:
        found.append(Answer(rule="picture.square", held=shown.aspect == 1, value=str(shown.aspect), wanted="1",
                            text=f"Its pixels are {float(shown.aspect):.4g} times as wide as high.",
                            remedy="Render it in square pixels."))  # fmt: skip
    found.append(_one_of("picture.pixels", shown.pixels, s.pixels, "Its pixels are {}", "Encode it in {}."))
    return found


def colour(film: Film, s: Colour) -> list[Answer]:
    """The tags that say what its numbers mean."""
    told = film.value("clip.colour")
    if not isinstance(told, dict):
        return [
            Answer(rule="colour.tags", held=None, text=f"Its colour tags are not known: {film.why('clip.colour')}.")
        ]
    found = []
    for name, wanted in (("primaries", s.primaries), ("transfer", s.transfer), ("matrix", s.matrix)):
        value = told.get(name)
        held = value in wanted if wanted else value is not None
        found.append(Answer(
            rule=f"colour.{name}", held=held, value=value, wanted=list(wanted),
            text=f"Its {name} {'is not said' if value is None else f'is {value}'}.",
            remedy=f"Tag it as {' or '.join(wanted) or 'what it is'}; that changes no pixel.",
        ))  # fmt: skip
    if s.limited:
        full = told.get("levels") == "full"
        found.append(Answer(rule="colour.levels", held=not full, value=told.get("levels"), wanted="limited",
                            text=f"Its levels are {'full' if full else 'limited'}.",
                            remedy="Render it with limited levels."))  # fmt: skip
    return found


def loud(film: Film, s: Loud) -> list[Answer]:
    """Integrated loudness, true peak, and where the target asks for it the loudest three seconds."""
    target, told = TARGETS[s.target], film.value("loudness")
    lufs = told and (film.value("loudness.dialogue") if target.dialogue else told["integrated_lufs"])
    if lufs is None:
        why = film.why("loudness.dialogue" if told and target.dialogue else "loudness")
        return [Answer(rule="loudness.integrated", held=None, text=f"It cannot be told: {why}.")]
    remedy = f"Bring its sound there: `safelight loudness FILE --target {target.name} --to NAME`."
    peak, short = told["true_peak_dbtp"], told["short_term_max_lufs"]
    what = "Its dialogue, by an estimate of where somebody speaks, is" if target.dialogue else "It is"
    found = [
        Answer(rule="loudness.integrated", held=abs(lufs - target.lufs) <= target.tolerance_lu, value=lufs,
               wanted=target.lufs, remedy=remedy,
               text=f"{what} {lufs:.1f} LUFS; {target.lufs:g} ± {target.tolerance_lu:g} are asked for."),
        Answer(rule="loudness.peak", held=None if peak is None else peak <= target.ceiling_dbtp, value=peak,
               wanted=target.ceiling_dbtp, remedy=remedy,
               text="Its peak is not known." if peak is None else f"Its true peak is {peak:.1f} dBTP."),
    ]  # fmt: skip
    if target.short_term_max_lufs is not None and short is not None:
        found.append(Answer(rule="loudness.short_term", held=short <= target.short_term_max_lufs, value=short,
                            wanted=target.short_term_max_lufs, remedy=remedy,
                            text=f"Its loudest three seconds are {short:.1f} LUFS."))  # fmt: skip
    return found


def faults(film: Film, s: Faults) -> list[Answer]:
    """Whether faults of picture or sound are likely."""
    found = []
    for name in ("picture", "sound"):
        told = film.value(f"faults.{name}")
        if f"faults.{name}" not in film.found:
            continue
        if not isinstance(told, list):
            why = film.why(f"faults.{name}")
            found.append(Answer(rule=f"faults.{name}", held=None, text=f"It cannot be told: {why}."))
            continue
        rows: Sequence[Any] = [row for row in told if row["kind"] not in s.allowed]
        first = "; ".join(
            f"{row['kind'].replace('_', ' ')} at {float(Fraction(row['start'])):.2f} s" for row in rows[:SHOWN]
        )
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        found.append(Answer(
            rule=f"faults.{name}", held=not rows, value=len(rows), wanted=0,
            text=f"{first}{more}." if rows else f"No fault of its {name} is likely.",
            remedy="Look at it there; allow the kind if it is meant.",
        ))  # fmt: skip
    return found


def captioned(film: Film, s: Captioned) -> list[Answer]:
    """Whether captions lie beside it, and keep a preset's rules."""
    path = film.captions or next((p for e in CAPTION_ENDINGS if (p := film.path.with_suffix(e)).is_file()), None)
    if path is None:
        return [Answer(
            rule="captions.there", held=not s.needed, text="No captions lie beside it.",
            remedy=f"Put them beside it as {film.path.stem}.srt, or write them: `safelight cut --captions`.",
        )]  # fmt: skip
    try:
        read = captions.read(path)
    except SafelightError as error:
        return [Answer(rule="captions.there", held=False, text=error.cause, remedy=error.remedy)]
    rate = film.value("clip.rate")
    told = film.value("shots")
    shots = [int(row["frame"]) for row in told if row["into"] != "start"] if isinstance(told, list) else []
    fixed = read.rate or Fraction(str(rate or 25))
    hard = [b for b in captions.check(read, captions.PRESETS[s.preset], rate=fixed, shots=shots) if not b.soft]
    late = film.facts.duration_s is not None and any(c.end > film.facts.duration_s + 1 for c in read.cues)
    rules = ", ".join(sorted({b.rule.replace("_", " ") for b in hard}))
    return [
        Answer(rule="captions.there", held=bool(read.cues), value=len(read.cues),
               text=f"{path.name} holds {len(read.cues)} captions.", remedy="Write them anew."),
        Answer(rule="captions.rules", held=not hard, value=len(hard), wanted=0,
               text=f"{len(hard)} breaches of {s.preset}: {rules}." if hard else f"They keep the rules of {s.preset}.",
               remedy=f"See `safelight captions check {path.name} --preset {s.preset}`."),
        Answer(rule="captions.within", held=not late, text="A caption is shown after the end." if late else
               "All are shown within the film.", remedy="They belong to another cut; write them anew."),
    ]  # fmt: skip


def _one_of(rule: str, value: str, wanted: Sequence[str], text: str, remedy: str) -> Answer:
    held = not wanted or value in wanted
    return Answer(rule=rule, held=held, value=value, wanted=list(wanted), text=text.format(value) + ".",
                  remedy=remedy.format(" or ".join(wanted)))  # fmt: skip


def _at_most(rule: str, value: float, most: float, unit: str, remedy: str) -> Answer:
    return Answer(rule=rule, held=value <= most, value=value, wanted=most,
                  text=f"It has {value:g} {unit}; at most {most:g} are asked for.", remedy=remedy)  # fmt: skip


RULES: Mapping[str, tuple[type[Any], Callable[[Film, Any], list[Answer]]]] = MappingProxyType({
    "file": (File, file), "picture": (Picture, picture), "colour": (Colour, colour), "loudness": (Loud, loud),
    "faults": (Faults, faults), "captions": (Captioned, captioned),
})  # fmt: skip
"""By the name of a table in a book."""


def checked_settings(settings: Any) -> None:
    """Raises UsageError for names that do not exist."""
    if isinstance(settings, Loud) and settings.target not in TARGETS:
        raise UsageError(f"There is no target {settings.target!r}.", remedy=f"There are {', '.join(TARGETS)}.")
    if isinstance(settings, Captioned) and settings.preset not in captions.PRESETS:
        raise UsageError(f"There is no preset {settings.preset!r}.", remedy=f"There are {', '.join(captions.PRESETS)}.")
    for rate in settings.rates if isinstance(settings, Picture) else ():
        try:
            exact_rate(rate)
        except ValueError as error:
            raise UsageError(f"{error}.", remedy="For example 25, 29.97, 30000/1001.") from error
