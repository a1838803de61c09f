"""Forms from what an operator declares of its params: sliders with bounds, step and unit, switches, choices, masks."""

from collections.abc import Mapping
from typing import Any

from safelight import params
from safelight.domain import Json
from safelight.operators import Operator

DIGEST = "mask"  # a text of this name is a painted mask's digest
CORNERS = ("left", "top", "right", "bottom")


def form(operator: Operator[Any]) -> list[dict[str, Any]]:
    """The fields of an operator's params, in the order in which they are declared.

    `kind` is slider (low, high, step, unit), switch, choice (`options`), text, mask, box (four shares of the picture)
    or measured: what no person sets, such as the noise of a sensor, and which is carried along as it is."""
    declared = params.schema(operator.params)["properties"]
    return [_field(name, given) for name, given in declared.items()]


def words(values: Mapping[str, Json], operator: Operator[Any]) -> str:
    """Params in a few words: what differs from nothing, with units; for lists and summaries."""
    told = []
    for field in form(operator):
        value = values.get(field["name"])
        if field["kind"] in ("measured", "mask") or value == field["default"] or value is None:
            continue
        told.append(_word(field, value))
    if told:
        return ", ".join(told)
    return "as it is" if values == params.to_json(operator.params()) else "as measured"


def _field(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "name": name,
        "label": name.replace("_", " "),
        "help": given.get("description", ""),
        "unit": given.get("unit", ""),
        "default": given.get("default"),
    }
    if "enum" in given:
        return found | {"kind": "choice", "options": given["enum"]}
    if given.get("type") == "boolean":
        return found | {"kind": "switch"}
    if given.get("type") in ("number", "integer") and {"minimum", "maximum", "step"} <= set(given):
        return found | {"kind": "slider", "low": given["minimum"], "high": given["maximum"], "step": given["step"]}
    if given.get("type") == "string" and name == DIGEST:
        return found | {"kind": "mask"}
    if _is_box(name, given):
        return found | {"kind": "box", "labels": CORNERS, "low": 0, "high": 1, "step": 0.001}
    if given.get("type") == "string" and "profile" not in name:
        return found | {"kind": "text"}
    return found | {"kind": "measured"}


def _is_box(name: str, given: Mapping[str, Any]) -> bool:
    parts = given.get("prefixItems", ())
    return name == "box" and len(parts) == 4 and all((p.get("minimum"), p.get("maximum")) == (0, 1) for p in parts)


def _word(field: Mapping[str, Any], value: Json) -> str:
    if isinstance(value, bool):
        return f"{field['label']} {'on' if value else 'off'}"
    if isinstance(value, int | float):
        signed = "+" if field.get("low", 0) < 0 else ""
        number = f"{value:{signed}.2f}".rstrip("0").rstrip(".")
        unit = "" if field["unit"] in ("", field["label"]) else f" {field['unit']}"
        return f"{field['label']} {number}{unit}"
    if isinstance(value, str):
        return f"{field['label']} {value}"
    if isinstance(value, list | tuple):
        return f"{field['label']} {', '.join(f'{v:.3g}' if isinstance(v, int | float) else str(v) for v in value)}"
    return str(field["label"])
