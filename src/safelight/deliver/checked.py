"""What the gate found about the files of a delivery: into the record, onto a page, and what of it nobody has
answered."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from safelight import channels, pairs
from safelight.channels import Channel, Written, sets
from safelight.checking import Outcome
from safelight.deliver import gate, write
from safelight.domain import Measure, Version, Where
from safelight.files import write_atomic
from safelight.pairs.page import page as page_of
from safelight.state import CHECK, Judged, ShootState
from safelight.store import records
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.store.records import Shoot

BY = "gate@1"
WITHOUT_MEASURE = ("aligned", "measured")  # what may be raised without being anybody's measure

SetAnswers = Sequence[tuple[str | None, channels.Answer]]  # by photo, None for the set


def remember(library: Library, written: Sequence[write.Written], versions: Mapping[str, Version]) -> None:
    """Appends what was found to the evidence about each version."""
    found: dict[str, list[Measure]] = {}
    for w in written:
        measures = [_measure(f) for f in w.judged.get("findings", ())] + [
            Measure(name=f"{CHECK}{r['rule']}", value=not r["held"], unit="broken") for r in w.judged.get("rules", ())
            if r["held"] is not None
        ]  # fmt: skip
        if measures:
            found.setdefault(versions[w.photo].id, []).extend(measures)
    records.save_evidence(library, [(version, BY, BY, measures) for version, measures in found.items()])


def _measure(finding: Mapping[str, Any]) -> Measure:
    where = Where(box=tuple(finding["where"])) if finding["where"] else None
    return Measure(
        name=f"{CHECK}{finding['name']}", value=finding["probability"], cannot_tell=finding["cannot_tell"],
        unit="probability", where=where,
    )  # fmt: skip


def about_the_set(written: Sequence[write.Written], rules: Sequence[Channel], shoot: Shoot) -> SetAnswers:  # noqa: ARG001
    """What the rules say about all files together."""
    there = {
        Path(w.target): (w.photo, np.reshape(np.array(w.thumb, np.float32), sets.SHAPE) if w.thumb else None)
        for w in written if w.error is None and w.kind == "photo"
    }  # fmt: skip
    files = [Written(path=path, thumb=thumb) for path, (_, thumb) in there.items()]
    return [(None if path is None else there[path][0], answer) for path, answer in channels.examine_set(files, rules)]


def missing(
    state: ShootState, written: Sequence[write.Written], versions: Mapping[str, Version], *, of_set: SetAnswers,
    signed_by: str | None,
) -> list[gate.Missing]:  # fmt: skip
    """All that holds the delivery back, the failures first."""
    found = [
        m for w in written if w.judged
        for m in gate.missing(about(state, w), versions[w.photo], w.judged, signed_by=signed_by)
    ]  # fmt: skip
    for photo, answer in of_set:
        if not answer.broken:
            continue
        standing = state.photos[photo].standing if photo else of_shoot(state)
        version = versions[photo].id if photo else state.shoot.id
        path = state.photos[photo].path if photo else state.shoot.name
        open_ = gate.Missing(
            path=path, name=answer.rule, outcome=Outcome.FAIL, text=answer.text, remedy=answer.remedy
        )  # fmt: skip
        if gate.taken(standing, version, open_) is None:
            found.append(open_)
    return sorted(found, key=lambda m: m.outcome is not Outcome.FAIL)


def of_shoot(state: ShootState) -> dict[str, Any]:
    """Verdicts about the shoot as a whole, by what they are about."""
    own = [key for key in state.ledger.standing if key[0] == state.shoot.id and key not in state.ledger.contested]
    return {key[1]: state.ledger.standing[key] for key in own}


def page(where: ShootFolder, written: Sequence[write.Written], state: ShootState, of_set: SetAnswers) -> Path:
    """Writes the page of a refused delivery beside the shoot's reports; where it lies."""
    place = where.state / "reports" / "gate.html"
    entries = [{**w.judged, "before": about(state, w).path, "after": about(state, w).path} for w in written if w.judged]
    found = pairs.document(
        entries, failed=[{"path": w.target, **w.error} for w in written if w.error is not None],
        unmatched={"before": [], "after": []}, set_rules=[answer.as_json() for _, answer in of_set],
    )  # fmt: skip
    write_atomic(place, page_of(entries, found).encode("utf-8", "backslashreplace"))
    return place


def about(state: ShootState, w: write.Written) -> Judged:
    """The photo or the clip that a file was made of."""
    about = state.judged(w.photo)
    assert about is not None
    return about


def told(w: write.Written, state: ShootState, version: Version, *, signed_by: str | None) -> dict[str, Any]:
    """What the manifest says of a file: verdict, findings and rules, and who has taken what on their name."""
    photo = about(state, w)
    raised = gate.raised({**w.judged, "after": photo.path}) if w.judged else []
    accepted = [(m, gate.taken(photo.standing, version.id, m)) for m in raised]
    answered: list[dict[str, Any]] = [
        {"finding": m.name, "by": v.by, "reason": v.reason, "note": v.note, "at": v.at}
        for m, v in accepted
        if v is not None
    ]
    looks = [m for m, v in accepted if v is None and m.outcome is Outcome.LOOK and signed_by]
    answered += [{"finding": m.name, "by": signed_by, "reason": "signed_off", "note": "", "at": None} for m in looks]
    names = {a["finding"] for a in answered}
    keep = ("verdict", "findings", "rules", "aligned", "compared_px", "delivered_px")
    entry = {key: w.judged.get(key) for key in keep}
    for key, picture in (("findings", "heatmap"), ("rules", "mask")):
        entry[key] = [{k: v for k, v in item.items() if k != picture} for item in entry[key] or ()]
    return entry | {"answered": answered, "open": [m.name for m in raised if m.name not in names]}
