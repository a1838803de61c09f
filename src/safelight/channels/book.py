"""Channels and clients as TOML: which rules hold, with which settings. Anything unknown is an error that names its
line."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from typing import Any

from safelight import params, plugins
from safelight.channels.rules import RULES, Swatch, check_settings
from safelight.channels.sets import SET_RULES
from safelight.errors import UsageError

CHANNEL, CLIENT = "safelight.channel/1", "safelight.client/1"
APPLIES = "only"  # a rule's key for the names of files that it is about
PLAIN_KEYS: Mapping[str, Mapping[str, type[Any]]] = {
    CHANNEL: {"schema": str, "about": str},
    CLIENT: {"schema": str, "about": str, "client": str, "channels": list, "forbidden": list},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that holds for the files whose names match `only` (as in a shell; empty: all)."""

    name: str
    settings: Any
    only: str = ""

    def about(self, path: Path) -> bool:
        """Whether the rule is about a file of this name."""
        return not self.only or fnmatch(path.name, self.only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A place where files go, or a client: rules about each file and about the set of them; operators that must not
    have touched a picture (`forbidden`)."""

    name: str
    about: str = ""
    rules: tuple[Rule, ...] = ()
    set_rules: tuple[Rule, ...] = ()
    forbidden: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)


def known() -> tuple[str, ...]:
    """The names of the channels that ship with Safelight."""
    return tuple(sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml")))


def channel(name: str) -> Channel:
    """The channel of this name, or in this TOML file. Raises UsageError."""
    if name.endswith(".toml"):
        path = Path(name)
        return parse(_text(path), path.stem, shown=str(path))[0]
    if name not in known():
        raise UsageError(
            f"{name!r} is not a channel.", remedy=f"Channels are {', '.join(known())}, or name a .toml file."
        )
    return parse(_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"), name, shown=name)[0]


def client(path: Path) -> tuple[Channel, ...]:
    """A client's own rules and the channels that its file names. Raises UsageError."""
    return parse(_text(path), path.stem, shown=str(path), schema=CLIENT)


def parse(text: str, name: str, *, shown: str, schema: str = CHANNEL) -> tuple[Channel, ...]:
    """Rules from TOML; of a client also the channels that it names. `shown` is what errors call the file."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{shown} is not valid TOML: {error}.") from error
    if data.get("schema") != schema:
        raise UsageError(f"{shown} has schema {data.get('schema')!r}.", remedy=f'It must say schema = "{schema}".')
    plain, tables = _apart(text, data, shown, schema)
    rules, set_rules = [], []
    for table, settings in tables.items():
        if table == "swatch":
            rules += [_rule(text, shown, f"swatch.{n}", s, Swatch) for n, s in settings.items()]
        elif table in RULES:
            rules.append(_rule(text, shown, table, settings, RULES[table][0]))
        else:
            set_rules.append(_rule(text, shown, table, settings, SET_RULES[table][0]))
    forbidden = _texts(text, plain, "forbidden", shown)
    if unknown := sorted(set(forbidden) - set(plugins.operators())):
        raise UsageError(
            f"{_at(shown, line_of(text, '', 'forbidden'))}: {unknown[0]!r} is no operator, so it would forbid nothing.",
            remedy=f"Operators are {', '.join(plugins.operators())}.",
        )
    own = Channel(
        name=str(plain.get("client", name)), about=str(plain.get("about", "")), rules=tuple(rules),
        set_rules=tuple(set_rules), forbidden=forbidden,
    )  # fmt: skip
    return (own, *(channel(each) for each in _texts(text, plain, "channels", shown)))


def line_of(text: str, table: str, key: str) -> int | None:
    """The line, from 1, where a key of a table stands; of the table itself where `key` is empty."""
    here = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if head:
            here = head[1].replace('"', "").replace(" ", "")
            if here == table and not key:
                return number
        elif here == (table if key else "") and re.match(rf"\s*\"?{re.escape(key or table)}\"?\s*[.=]", line):
            return number
    return None


def _apart(text: str, data: Mapping[str, Any], shown: str, schema: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plain keys and tables of rules; unknown ones are errors."""
    kinds = PLAIN_KEYS[schema]
    tables = {*RULES, *SET_RULES, *(("swatch",) if schema == CLIENT else ())}
    for key, value in data.items():
        if (key in kinds and isinstance(value, kinds[key])) or (key in tables and isinstance(value, dict)):
            continue
        what = f"{key!r} should be {kinds[key].__name__}" if key in kinds else f"{key!r} is no rule"
        if key in tables:
            what = f"{key!r} is a table of settings"
        line = line_of(text, key, "") or line_of(text, "", key)
        raise UsageError(f"{_at(shown, line)}: {what}.", remedy=f"Rules are {', '.join(sorted(tables))}.")
    return {k: v for k, v in data.items() if k in kinds}, {k: v for k, v in data.items() if k in tables}


def _rule(text: str, shown: str, table: str, settings: Any, kind: type[Any]) -> Rule:
    if not isinstance(settings, dict):
        raise UsageError(f"{_at(shown, line_of(text, table, ''))}: {table} is a table.", remedy=f"Write [{table}].")
    given = {key: value for key, value in settings.items() if key != APPLIES}
    for key, value in given.items():
        _understood(text, shown, table, kind, {key: value})
    only = settings.get(APPLIES, "")
    if not isinstance(only, str):
        raise UsageError(
            f"{_at(shown, line_of(text, table, APPLIES))}: only is {only!r}.", remedy='Write only = "*.MAIN.*".'
        )
    made = _understood(text, shown, table, kind, given)
    return Rule(name=table, settings=made, only=only)


def _understood(text: str, shown: str, table: str, kind: type[Any], given: Mapping[str, Any]) -> Any:
    """The settings; an error is told with the line of the key it is about."""
    try:
        made = params.from_json(kind, given)
        check_settings(made)
    except UsageError as error:
        key = next(iter(given)) if len(given) == 1 else ""
        cause = error.cause.replace(f"{kind.__name__} has no field", f"[{table}] has no setting")
        raise UsageError(f"{_at(shown, line_of(text, table, key))}: {cause}", remedy=error.remedy) from error
    return made


def _texts(text: str, plain: Mapping[str, Any], key: str, shown: str) -> tuple[str, ...]:
    value = plain.get(key, [])
    if not all(isinstance(item, str) for item in value):
        raise UsageError(
            f"{_at(shown, line_of(text, '', key))}: {key} holds {value!r}.", remedy="Write a list of names."
        )
    return tuple(value)


def _at(shown: str, line: int | None) -> str:
    return shown if line is None else f"{shown}, line {line}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise UsageError(f"{path} cannot be read ({reason}).") from error


def _folder() -> Any:
    return files("safelight.channels").joinpath("books")
