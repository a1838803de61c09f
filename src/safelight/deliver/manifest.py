"""The record that goes along with a delivery: `safelight.delivery/1` for programs, one page for people."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from safelight.checking import Outcome
from safelight.deliver import checked
from safelight.deliver.gate import Answer
from safelight.deliver.presets import Preset
from safelight.deliver.write import Written
from safelight.domain import Measure, Version, digest_of, exact
from safelight.state import ShootState
from safelight.store.library import now
from safelight.store.records import where_json
from safelight.words import lasting, many

SCHEMA = "safelight.delivery/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Whether it is a draft, and who signed for it."""

    draft: bool
    by: str | None


def of(
    state: ShootState, answer: Answer, written: Sequence[Written], *, preset: Preset, order: Signed,
    versions: Mapping[str, Version], weights: Mapping[str, str], program: str, unseen: Mapping[str, Any],
    of_set: checked.SetAnswers = (),
) -> dict[str, Any]:  # fmt: skip
    """The manifest: each file with its source, version, edits, checks and verdicts; what is open; what failed."""
    files = [_file(state, w, versions[w.photo], order) for w in written if w.error is None]
    at = now()
    return {
        "schema": SCHEMA,
        "id": digest_of([state.shoot.id, at, [f["sha256"] for f in files]])[:32],
        "shoot": {"id": state.shoot.id, "name": state.shoot.name, "client": state.shoot.client},
        "made_at": at,
        "made_with": {"program": f"safelight {program}", "weights": dict(weights)},
        "preset": {"name": preset.name, "format": preset.format.value, "long_side": preset.long_side},
        "draft": order.draft,
        "signed_off_by": order.by,
        "files": files,
        "failed": [{"path": checked.about(state, w).path, **w.error} for w in written if w.error is not None],
        "set_rules": [{"photo": photo, **answer.as_json()} for photo, answer in of_set],
        "open": [{"path": path, "operators": list(names)} for path, names in answer.open],
        "unseen": dict(unseen),
    }


def _file(state: ShootState, w: Written, version: Version, order: Signed) -> dict[str, Any]:
    photo = checked.about(state, w)
    return {
        "name": w.target,
        "kind": w.kind,
        "sha256": w.sha256,
        "bytes": w.size,
        "width": w.width or None,
        "height": w.height or None,
        "seconds": exact(w.seconds),
        "source": {"asset": photo.asset.id, "path": photo.path},
        "version": version.id,
        "edits": [{"operator": e.label, "params": e.params} for e in version.edits],
        "output": [{"operator": e.label, "params": e.params} for e in w.output],
        "checks": [_check(label, m) for label, measures in w.checks for m in measures],
        "verdicts": [
            {"operator": name, "by": v.by, "say": v.say.value, "at": v.at, "bundled": v.bundled}
            for name, v in sorted(photo.standing.items())
        ],
        "gate": checked.told(w, state, version, signed_by=order.by),
        "sidecar": w.sidecar,
        "losses": list(w.losses),
    }


def _check(label: str, m: Measure) -> dict[str, Any]:
    return {
        "by": label, "name": m.name, "value": m.value, "unit": m.unit, "cannot_tell": m.cannot_tell,
        "where": where_json(m.where) if m.where else None,
    }  # fmt: skip


def _gate_words(found: Mapping[str, Any]) -> str:
    """What the gate said of a file, in a line."""
    if found["verdict"] == Outcome.PASS:
        return "pass"
    taken = [f"{a['finding'].replace('_', ' ')} taken by {a['by']}" for a in found["answered"]]
    return "; ".join([*taken, *(f"{name.replace('_', ' ')} open" for name in found["open"])])


def _size(file: Mapping[str, Any]) -> str:
    """How large a file is, and how long it plays."""
    parts = [f"{file['width']} × {file['height']}"] if file["width"] else []
    parts += [lasting(float(Fraction(file["seconds"])))] if file["seconds"] else []
    return ", ".join(parts) or "–"


def draft_note(made: Mapping[str, Any]) -> str:
    """The text beside the files of a draft."""
    return (
        f"This is a draft of {made['shoot']['name']}, made {made['made_at']}.\n"
        f"{many(len(made['open']), 'original has', 'originals have')} open questions; "
        "files may change or be left out of the final delivery.\n"
    )


def page(made: Mapping[str, Any]) -> str:
    """The manifest as a page, without anything loaded from elsewhere."""
    rows = "".join(
        f"<tr><td>{html.escape(f['name'])}<td>{html.escape(f['source']['path'])}<td>{_size(f)}"
        f"<td>{html.escape(', '.join(e['operator'] for e in f['edits']) or 'as shot')}"
        f"<td>{html.escape(', '.join(sorted({v['by'] for v in f['verdicts']})))}"
        f"<td>{html.escape(_gate_words(f['gate']))}<td><code>{f['sha256'][:16]}</code>"
        for f in made["files"]
    )
    kind = "Draft" if made["draft"] else "Delivery"
    signed = f"Signed off by {html.escape(made['signed_off_by'])}." if made["signed_off_by"] else "Nobody has signed."
    open_text = (
        f"<p>{many(len(made['open']), 'original has', 'originals have')} open questions.</p>" if made["open"] else ""
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{kind}: {html.escape(made["shoot"]["name"])}</title>
<style>
body {{ font: 13px system-ui, sans-serif; background: #f4f4f4; color: #1d1d1d; margin: 24px; }}
h1 {{ font-size: 20px; font-weight: 600; }} p {{ color: #5c5c5c; max-width: 80ch; }}
table {{ border-collapse: collapse; background: #fff; font-variant-numeric: tabular-nums; }}
td, th {{ border: 1px solid #e2e2e2; padding: 4px 8px; text-align: left; }}
</style>
<h1>{kind}: {html.escape(made["shoot"]["name"])}</h1>
<p>{len(made["files"]):,} files, {html.escape(made["made_at"])}. {signed} {html.escape(made["unseen"]["text"])}</p>
{open_text}
<table><tr><th>File<th>From<th>Size<th>What was done<th>Decided by<th>Check<th>sha256</tr>{rows}</table>
</html>
"""
