"""Places where films go, as TOML: a table a rule. Anything unknown is an error."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from safelight import params
from safelight.errors import UsageError
from safelight.films.rules import RULES, checked_settings

SCHEMA = "safelight.film/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A place, and the settings of the rules that hold there."""

    name: str
    about: str
    rules: Mapping[str, Any] = field(default_factory=dict)


def known() -> tuple[str, ...]:
    """The names of the places that ship with Safelight."""
    return tuple(sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml")))


def find(name: str) -> Book:
    """The place of this name, or in this TOML file. Raises UsageError."""
    if name.endswith(".toml"):
        path = Path(name)
        try:
            return parse(path.read_text("utf-8"), path.stem)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{name} cannot be read ({error}).", remedy="Name a TOML file.") from error
    if name not in known():
        raise UsageError(f"{name!r} is no place for films.", remedy=f"There are {', '.join(known())}, or a .toml file.")
    return parse(_folder().joinpath(f"{name}.toml").read_text("utf-8"), name)


def parse(text: str, name: str) -> Book:
    """A book from TOML. Raises UsageError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}.toml is not valid TOML: {error}.") from error
    if data.pop("schema", None) != SCHEMA:
        raise UsageError(f"{name}.toml does not say what it is.", remedy=f'It must say schema = "{SCHEMA}".')
    about = str(data.pop("about", ""))
    rules = {}
    for table, settings in data.items():
        if table not in RULES:
            raise UsageError(f"{name}.toml: there is no rule {table!r}.", remedy=f"There are {', '.join(RULES)}.")
        rules[table] = params.from_json(RULES[table][0], settings)
        checked_settings(rules[table])
    return Book(name=name, about=about, rules=rules)


def _folder() -> Any:
    return files("safelight.films").joinpath("books")
