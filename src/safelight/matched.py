"""What a person's choice of a hero shot says about other clips of the shoot, kept as evidence: a grade rests on it."""

from collections.abc import Mapping

from safelight.domain import Json, Measure, digest_of
from safelight.matching import Matched
from safelight.state import Footage
from safelight.store import records
from safelight.store.library import Library

MATCH, NAME = "match@1", "shot.matched"


def keep(library: Library, hero: Footage, found: Mapping[str, tuple[Footage, Matched]]) -> None:
    """Writes it, in the place of what was said of another hero before."""
    rows = []
    for clip, match in found.values():
        key = digest_of([MATCH, hero.id, clip.id])[:24]
        rows.append((clip.id, MATCH, key, [measure(hero, clip, match)]))
    records.save_evidence(library, rows)


def measure(hero: Footage, clip: Footage, match: Matched) -> Measure:
    """How far a clip is from the hero, and the ASC CDL that brings it there; none where they are alike already."""
    told = clip.facts.get("clip.colour")
    colour = told.value if told is not None and isinstance(told.value, dict) else {}
    if colour.get("hdr"):
        return Measure(name=NAME, cannot_tell=f"it is {colour['hdr']}, and a grade is in display values")
    if match.cannot_tell is not None:
        return Measure(name=NAME, cannot_tell=f"beside {hero.path}, {match.cannot_tell}")
    cdl = match.grade.cdl if match.grade is not None else None
    numbers: dict[str, Json] | None = None if cdl is None else {
        "slope": list(cdl.slope), "offset": list(cdl.offset), "power": list(cdl.power), "saturation": cdl.saturation,
    }  # fmt: skip
    value: dict[str, Json] = {
        "hero": hero.path, "asset": hero.asset.id, "cdl": numbers, "before": match.before, "after": match.after,
        "share": round(match.share, 3),
    }  # fmt: skip
    return Measure(name=NAME, value=value)
