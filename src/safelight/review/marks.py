"""Stars and colours: what people note on a photo besides the decision. They are the measures `rating` and `label`, as a
sidecar's are, so that everything that reads those reads these; the history of a photo's is replayed to undo them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from safelight.domain import Measure
from safelight.errors import UsageError
from safelight.store import records, schema
from safelight.store.library import Library, now

GIVEN, TAKEN = "review:", "undo:"  # before the name of who gave a mark, or took it back
LABELS = ("", "Red", "Yellow", "Green", "Blue", "Purple")  # as Lightroom writes them in English; empty: none
CHUNK = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark on one photo, as somebody gave it."""

    asset: str
    name: str
    value: int | str
    by: str
    at: str


@dataclass(slots=True)
class Marks:
    """All marks of a shoot's photos."""

    _kept: dict[tuple[str, str], list[Mark]] = field(default_factory=dict)

    @classmethod
    def read(cls, library: Library, photos: Sequence[str]) -> "Marks":
        """The marks in the library, sidecars' included."""
        out, table = cls(), schema.evidence
        for start in range(0, len(photos), CHUNK):
            part = photos[start : start + CHUNK]
            wanted = sa.select(table).where(table.c.subject.in_(part), table.c.name.in_(("rating", "label")))
            for row in library.rows(wanted.order_by(table.c.seq)):
                value = records.value_of(row["value"])
                if isinstance(value, int | str):
                    out._add(Mark(asset=row["subject"], name=row["name"], value=value, by=row["by"], at=row["at"]))
        return out

    def give(self, library: Library, photos: Sequence[str], name: str, value: int | str, *, by: str) -> None:
        """Writes a mark on photos. Raises UsageError for one that there is not."""
        good = isinstance(value, int) and 0 <= value <= 5 if name == "rating" else value in LABELS
        if name not in ("rating", "label") or not good:
            raise UsageError("There is no such mark.", remedy=f"Stars are 0 to 5, colours {', '.join(LABELS[1:])}.")
        self._write(library, [(photo, name, value) for photo in photos], GIVEN + by)

    def last_of(self, by: str) -> Mark | None:
        """The newest mark that a person gave and that still stands."""
        mine = [kept[-1] for kept in self._kept.values() if kept and kept[-1].by == GIVEN + by]
        return max(mine, key=lambda mark: mark.at, default=None)

    def undo(self, library: Library, by: str) -> list[str]:
        """Takes a person's newest marks back, all that were given at once; returns the photos."""
        last = self.last_of(by)
        if last is None:
            return []
        act = [k[-1] for k in self._kept.values() if k and (k[-1].at, k[-1].by) == (last.at, last.by)]
        before = []
        for mark in act:
            kept = self._kept[mark.asset, mark.name]
            empty: int | str = 0 if mark.name == "rating" else ""
            before.append((mark.asset, mark.name, kept[-2].value if len(kept) > 1 else empty))
        self._write(library, before, TAKEN + by)
        return [mark.asset for mark in act]

    def measures(self, asset: str) -> dict[str, Measure]:
        """The marks of a photo as they stand."""
        found = {}
        for name, unit in (("rating", "stars"), ("label", "")):
            kept = self._kept.get((asset, name))
            if kept is not None:
                value = kept[-1].value if kept else (0 if name == "rating" else "")
                found[name] = Measure(name=name, value=value, unit=unit)
        return found

    def _write(self, library: Library, what: Sequence[tuple[str, str, int | str]], by: str) -> None:
        at = now()
        found = []
        for asset, name, value in what:
            measure = Measure(name=name, value=value, unit="stars" if name == "rating" else "")
            found.append((asset, by, f"{by}/{at}", [measure]))
        records.save_evidence(library, found, at=at)
        for asset, name, value in what:
            self._add(Mark(asset=asset, name=name, value=value, by=by, at=at))

    def _add(self, mark: Mark) -> None:
        kept = self._kept.setdefault((mark.asset, mark.name), [])
        if mark.by.startswith(TAKEN):
            if kept:
                kept.pop()
        else:
            kept.append(mark)
