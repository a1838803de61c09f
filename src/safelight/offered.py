"""Which cutaways `safelight cut --cutaway` offered, kept as evidence: the edit `cutaways` rests on it."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from safelight.cutting import assembly
from safelight.cutting.cutaways import Offer
from safelight.domain import Json, Measure, digest_of, exact
from safelight.rough import Rough
from safelight.state import Footage
from safelight.store import records
from safelight.store.library import Library

OFFER, NAME = "cutaway@1", "cutaways.offered"


def keep(
    library: Library, made: Rough, clips: Sequence[Footage | None], others: Mapping[Path, Footage]
) -> list[str]:  # fmt: skip
    """Writes what was offered over each clip that a shoot knows, nothing included, in the place of what was offered
    before; the ids of those over which something was. `others`: the clips cut away to that the same shoot knows, by
    their paths."""
    by_clip: dict[str, dict[Fraction, Json]] = {clip.id: {} for clip in clips if clip is not None}
    for offer in made.offers:
        number, frame = assembly.source_of(made.made, offer.cover.at)
        clip, other = clips[number], others.get(offer.cover.material.path)
        if clip is not None and other is not None:
            at = frame / made.clips[number].rate
            by_clip[clip.id][at] = _row(offer, made, number, at, other)
    keys = {id_: digest_of([OFFER, id_, sorted({other.id for other in others.values()})])[:24] for id_ in by_clip}
    told: dict[str, list[Json]] = {
        id_: [row for _, row in sorted(found.items(), key=lambda item: item[0])] for id_, found in by_clip.items()
    }
    rows = [(id_, OFFER, keys[id_], [Measure(name=NAME, value=found)]) for id_, found in told.items()]
    records.save_evidence(library, rows)
    return [id_ for id_, found in told.items() if found]


def _row(offer: Offer, made: Rough, number: int, at: Fraction, other: Footage) -> dict[str, Json]:
    """One of them: seconds of the clip, or of the other."""
    rate, of_clip = made.made.programme.rate, made.clips[number].rate
    one, two = offer.over
    return {
        "name": f"cutaway-{one.end}", "at": exact(at), "length": exact(offer.cover.length / rate),
        "source": other.id, "title": offer.cover.material.path.name, "start": exact(offer.cover.start / rate),
        "over": [exact(one.end / of_clip), exact(two.start / of_clip)], "steady": [exact(s) for s in offer.steady],
    }  # fmt: skip
