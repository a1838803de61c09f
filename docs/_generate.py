"""Writes the manual pages of operators, probes and detectors from their declarations, and code into the tutorial.

`--check` only says what is out of date.

python docs/_generate.py [--check]
"""

import inspect
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safelight import contract, params, plugins
from safelight.checking import FAIL, LOOK, thresholds
from safelight.detectors import Detector
from safelight.detectors import template as detector_template
from safelight.detectors.calibration import SET_BY_HAND, calibrated
from safelight.operators import Operator
from safelight.operators import template as operator_template
from safelight.probes import Probe
from safelight.probes import template as probe_template

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Written by docs/_generate.py from the declarations in the code; changes belong there. -->"


def pages() -> dict[Path, str]:
    """Every page and its text: one for each operator, probe and detector, and an index of each."""
    operators = dict(plugins.operators()) | {"template": operator_template.operator}
    probes = dict(plugins.probes()) | {"template": probe_template.probe}
    made = {DOCS / "operators" / f"{name}.md": operator_page(item, probes) for name, item in operators.items()}
    made |= {DOCS / "probes" / f"{name}.md": probe_page(item, operators, probes) for name, item in probes.items()}
    detectors = dict(plugins.detectors()) | {"template": detector_template.detector}
    made |= {DOCS / "detectors" / f"{name}.md": detector_page(item) for name, item in detectors.items()}
    made |= {path: with_code(path.read_text("utf-8")) for path in (DOCS / "tutorial").glob("*.md")}
    made[DOCS / "operators" / "index.md"] = index("Operators", "Evidence in, proposals out; then pixels.", operators)
    about = "A picture before and after an edit in, findings out."
    made[DOCS / "detectors" / "index.md"] = index("Detectors", about, detectors)
    made[DOCS / "probes" / "index.md"] = index("Probes", "Pictures in, evidence out.", probes)
    return made


def operator_page(operator: Operator[Any], probes: Mapping[str, Probe]) -> str:
    """The manual page of an operator."""
    yes = {True: "yes", False: "no"}
    facts = [
        ("version", operator.version),
        ("works on", operator.medium.value),
        ("sees at once", operator.scope.value),
        ("rendered at stage", operator.stage.name.lower()),
        ("pointwise, so that neighbours fuse", yes[operator.pointwise]),
        ("pixels of neighbourhood it needs", "the whole picture" if operator.margin is None else operator.margin),
        ("judgement it takes, 0 to 1", operator.risk.complexity),
        ("cost of a mistake, 0 to 1", operator.risk.cost),
        ("a change counts as a reject when", operator.material_when),
        ("weights", ", ".join(operator.weights) or "none"),
    ]
    lines = [NOTE, f"# {operator.name}", operator.about, _table(("", ""), facts), "## Params"]
    lines.append(_doc(operator.params))
    lines.append(_params_table(operator.params) or "None.")
    lines.append("Params as JSON, as `safelight verdict --params` takes them; the defaults change nothing:")
    shown = (operator.params(), *(operator.examples or contract.examples(operator)))
    lines.append("```json\n" + "\n".join(json.dumps(params.to_json(example)) for example in shown) + "\n```")
    lines.append("## Evidence it reads")
    lines.append(_reads(operator.needs, probes))
    lines.append("## What it does")
    lines.append("\n".join(_does(operator)))
    return "\n\n".join(lines) + "\n"


def probe_page(probe: Probe, operators: Mapping[str, Operator[Any]], probes: Mapping[str, Probe]) -> str:
    """The manual page of a probe."""
    facts = [
        ("version", probe.version),
        ("looks at", "one picture" if probe.measure else "a whole shoot"),
        ("weights", ", ".join(probe.weights) or "none"),
    ]
    emitted = []
    for name in probe.emits:
        readers = [item.name for item in (*operators.values(), *probes.values()) if name in item.needs]
        emitted.append((f"`{name}`", ", ".join(readers) or "people"))
    module = inspect.getmodule(probe.measure or probe.survey)
    return (
        "\n\n".join(
            [
                NOTE,
                f"# {probe.name}",
                probe.about,
                _table(("", ""), facts),
                "## Evidence it leaves",
                _table(("name", "read by"), emitted),
                "## Evidence it reads",
                _reads(probe.needs, probes),
                "## How",
                inspect.getdoc(module) or "",
            ]
        )
        + "\n"
    )


def detector_page(detector: Detector) -> str:
    """The manual page of a detector."""
    limits = thresholds()
    facts = [("version", detector.version), ("weights", ", ".join(detector.weights) or "none")]
    rows = []
    for name in detector.finds:
        known = limits.get(name)
        look, fail = (LOOK, FAIL) if known is None else (known.look, known.fail)
        rows.append((f"`{name}`", f"{look:.2f}", f"{fail:.2f}", _calibrated_on(name)))
    module = inspect.getdoc(inspect.getmodule(detector.detect)) or ""
    found = _table(("finding", "a look from a probability of", "a fail from", "calibrated on"), rows)
    parts = [NOTE, f"# {detector.name}", detector.about, _table(("", ""), facts), "## What it finds", found]
    return "\n\n".join([*parts, "## How", module]) + "\n"


def _calibrated_on(name: str) -> str:
    """Where the step from score to probability comes from."""
    if name not in calibrated():
        return "nothing yet"
    return "set by hand from published figures, not measured" if name in SET_BY_HAND else "the bench"


def with_code(text: str) -> str:
    """The text with the present code of each file that it includes between `<!-- code: PATH -->` and `<!-- end -->`."""

    def block(found: re.Match[str]) -> str:
        code = (DOCS.parent / found[1]).read_text("utf-8").strip()
        return f"<!-- code: {found[1]} -->\n```python\n{code}\n```\n<!-- end -->"

    return re.sub(r"<!-- code: (\S+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


def index(title: str, about: str, items: Mapping[str, Any]) -> str:
    """A list of pages."""
    rows = [(f"[{name}]({name}.md)", item.about) for name, item in sorted(items.items())]
    return "\n\n".join([NOTE, f"# {title}", about, _table(("name", "what it does"), rows)]) + "\n"


def _params_table(params_type: type[Any]) -> str:
    rows = []
    for name, field in params.schema(params_type)["properties"].items():
        bounds = field | field.get("items", {}) | (field.get("prefixItems") or [{}])[0]
        low, high = bounds.get("minimum"), bounds.get("maximum")
        span = "" if low is None and high is None else f"{'' if low is None else f'{low:g}'} to {high:g}"
        if "enum" in field:
            span = ", ".join(str(value) for value in field["enum"])
        words = (field.get("description", ""), field.get("unit", ""), span)
        rows.append((f"`{name}`", f"`{json.dumps(field.get('default'))}`", *words))
    return _table(("field", "default", "meaning", "unit", "values"), rows) if rows else ""


def _reads(needs: tuple[str, ...], probes: Mapping[str, Probe]) -> str:
    if not needs:
        return "None."
    emitters = {name: probe.name for probe in probes.values() for name in probe.emits}
    rows = [
        (
            f"`{name}`",
            f"[{emitters[name]}](../probes/{emitters[name]}.md)"
            if name in emitters
            else plugins.EXTERNAL.get(name, "ingest"),
        )
        for name in needs
    ]
    return _table(("name", "left by"), rows)


def _does(operator: Operator[Any]) -> list[str]:
    parts = {"propose": operator.propose, "render": operator.render, "check": operator.check, "spoil": operator.spoil}
    return [f"- **{name}**: {_doc(part)}" for name, part in parts.items() if part is not None]


def _doc(thing: Any) -> str:
    return " ".join((inspect.getdoc(thing) or "").split())


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in cells)


def main(arguments: list[str]) -> int:
    """Writes the pages, or says which differ."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if "--check" in arguments:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} is out of date: run python docs/_generate.py\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages()[path], "utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
