"""Which sentences of clips `safelight cut --length` chose, kept as evidence: the edit `select` rests on it."""

from collections.abc import Sequence

from safelight.domain import Json, Measure, digest_of, exact
from safelight.rough import Rough
from safelight.state import Footage
from safelight.store import records
from safelight.store.library import Library

CHOOSE, NAME = "choose@1", "sentences.chosen"


def keep(library: Library, made: Rough, clips: Sequence[Footage | None], *, target_s: str | None) -> list[str]:
    """Writes what was chosen of each clip that a shoot knows, in their order; the ids of those clips."""
    rows, told = [], []
    for number, clip in enumerate(clips):
        sentences: list[Json] = [
            {"frames": list(s.frames), "text": s.text, "reasons": dict(s.reasons), "taken": s.taken}
            for s in made.sentences if s.clip == number
        ]  # fmt: skip
        if clip is None or not sentences:
            continue
        value: dict[str, Json] = {
            "target_s": target_s, "clips": len(clips), "rate": exact(made.clips[number].rate), "sentences": sentences
        }  # fmt: skip
        key = digest_of([CHOOSE, clip.id, target_s, len(clips)])[:24]
        rows.append((clip.id, CHOOSE, key, [Measure(name=NAME, value=value)]))
        told.append(clip.id)
    records.save_evidence(library, rows)
    return told
