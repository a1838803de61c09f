"""Params of operators as plain JSON: one declaration, from which JSON, command line, form and manual page follow.

Params are frozen dataclasses of these field types: bool, int, float, str, Fraction, an Enum, `X | None`,
`tuple[X, ...]`, `tuple[X, Y]`, and further such dataclasses. A field says what it is with `declare`:

    ev: float = declare(0.0, low=-5.0, high=5.0, step=0.05, unit="EV", help="brightness in stops")
"""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from fractions import Fraction
from typing import Any, TypeVar

from safelight.domain import Json
from safelight.errors import UsageError
from safelight.operators import Operator

P = TypeVar("P")
_WORDS = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a text"}


def declare(
    default: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    unit: str = "",
    help: str = "",  # noqa: A002 - the word that users read
) -> Any:
    """A dataclass field with bounds (inclusive), a step for sliders, a unit and a sentence of help."""
    given = {"low": low, "high": high, "step": step, "unit": unit, "help": help}
    return dataclasses.field(default=default, metadata={k: v for k, v in given.items() if v not in (None, "")})


def identity(operator: Operator[P]) -> P:
    """The params that change nothing: the defaults."""
    return operator.params()


def to_json(params: Any) -> dict[str, Json]:
    """Params as plain JSON values; `from_json` brings back an equal value."""
    return {field.name: _plain(getattr(params, field.name)) for field in dataclasses.fields(params)}


def from_json(params_type: type[P], data: Mapping[str, Any]) -> P:
    """Params from plain JSON; fields that are left out keep their defaults.

    Raises UsageError that names the field for unknown names, wrong types, values out of bounds and NaN.
    """
    if not isinstance(data, Mapping):
        raise UsageError(f"Params must be an object, not {data!r}.", remedy=_example(params_type))
    kinds, fields = _kinds(params_type), _fields(params_type)
    unknown = [name for name in data if name not in fields]
    if unknown:
        remedy = f"There are: {', '.join(fields) or 'none'}."
        raise UsageError(f"{params_type.__name__} has no field {unknown[0]!r}.", remedy=remedy)
    values = {name: _value(kinds[name], data[name], name) for name in data}
    for name, value in values.items():
        _within_bounds(fields[name], value)
    try:
        return params_type(**values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{params_type.__name__}: {error}.", remedy=_example(params_type)) from error


def schema(params_type: type[Any]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the params, with defaults, bounds and help; `step` and `unit` are ours."""
    kinds = _kinds(params_type)
    return {
        "type": "object",
        "title": params_type.__name__,
        "properties": {
            name: _schema_of(kinds[name], field.metadata) | _words(field) | _default(field)
            for name, field in _fields(params_type).items()
        },
        "additionalProperties": False,
    }


# ---------------------------------------------------------------- values out


def _plain(value: Any) -> Json:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, Enum):
        return _plain(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_json(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"params hold {type(value).__name__}, which has no plain JSON form")


# ---------------------------------------------------------------- values in


def _value(kind: Any, given: Any, name: str) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _optional(inner, given, name)
    if origin is tuple:
        return _tuple(inner, given, name)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return from_json(kind, given)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind, given, name)
    return _fraction(given, name) if kind is Fraction else _scalar(kind, given, name)


def _scalar(kind: Any, given: Any, name: str) -> Any:
    is_bool = isinstance(given, bool)
    if kind is float and isinstance(given, int | float) and not is_bool and math.isfinite(given):
        return float(given)
    if (kind is int and isinstance(given, int) and not is_bool) or (kind in (bool, str) and isinstance(given, kind)):
        return given
    raise UsageError(f"{name} must be {_WORDS.get(kind, kind)}, not {given!r}.")


def _optional(choices: tuple[Any, ...], given: Any, name: str) -> Any:
    if given is None and type(None) in choices:
        return None
    (kind,) = (choice for choice in choices if choice is not type(None))
    return _value(kind, given, name)


def _tuple(inner: tuple[Any, ...], given: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(given, list | tuple):
        raise UsageError(f"{name} must be a list, not {given!r}.")
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_value(inner[0], item, f"{name}[{i}]") for i, item in enumerate(given))
    if len(inner) != len(given):
        raise UsageError(f"{name} must hold {len(inner)} values, not {len(given)}: {given!r}.")
    return tuple(_value(k, item, f"{name}[{i}]") for i, (k, item) in enumerate(zip(inner, given, strict=True)))


def _enum(kind: type[Enum], given: Any, name: str) -> Enum:
    try:
        return kind(given)
    except ValueError:
        allowed = ", ".join(repr(member.value) for member in kind)
        raise UsageError(f"{name} must be one of {allowed}, not {given!r}.") from None


def _fraction(given: Any, name: str) -> Fraction:
    exact = isinstance(given, str | int | Fraction) and not isinstance(given, bool)
    try:
        if exact:
            return Fraction(given)
    except (ValueError, ZeroDivisionError):
        pass
    raise UsageError(f"{name} must be an exact number such as '1001/30000', not {given!r}.")


def _within_bounds(field: dataclasses.Field[Any], value: Any) -> None:
    low, high = field.metadata.get("low"), field.metadata.get("high")
    for number in value if isinstance(value, tuple) else (value,):
        if not isinstance(number, int | float | Fraction) or isinstance(number, bool):
            continue
        if (low is not None and number < low) or (high is not None and number > high):
            span = f"{'-∞' if low is None else f'{low:g}'} to {'∞' if high is None else f'{high:g}'}"
            unit = field.metadata.get("unit", "")
            raise UsageError(f"{field.name} must lie in {span}{f' {unit}' if unit else ''}, not {number}.")


# ---------------------------------------------------------------- schema


def _schema_of(kind: Any, limits: Mapping[str, Any]) -> dict[str, Any]:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema_of(choice, limits) for choice in inner]}
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        return {"type": "array", "items": _schema_of(inner[0], limits)}
    if origin is tuple:
        items = [_schema_of(item, limits) for item in inner]
        return {"type": "array", "prefixItems": items, "minItems": len(inner), "maxItems": len(inner)}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return schema(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [_plain(member) for member in kind]}
    return _schema_of_scalar(kind, limits)


def _schema_of_scalar(kind: Any, limits: Mapping[str, Any]) -> dict[str, Any]:
    if kind is Fraction:
        return {"type": "string", "pattern": r"^-?\d+(/\d+)?$"}
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    called = {"low": "minimum", "high": "maximum"}
    bounds = {called[key]: limits[key] for key in called if key in limits and kind in (int, float)}
    return {"type": names[kind]} | bounds


def _words(field: dataclasses.Field[Any]) -> dict[str, Any]:
    called = {"help": "description", "unit": "unit", "step": "step"}
    return {called[key]: field.metadata[key] for key in called if key in field.metadata}


def _default(field: dataclasses.Field[Any]) -> dict[str, Any]:
    if field.default is not dataclasses.MISSING:
        return {"default": _plain(field.default)}
    if field.default_factory is not dataclasses.MISSING:
        return {"default": _plain(field.default_factory())}
    return {}


# ---------------------------------------------------------------- small words


def _kinds(params_type: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(params_type)


def _fields(params_type: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    return {field.name: field for field in dataclasses.fields(params_type)}


def _example(params_type: type[Any]) -> str:
    return f"Known fields: {', '.join(_fields(params_type)) or 'none'}."
