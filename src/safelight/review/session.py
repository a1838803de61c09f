"""A shoot as the app holds it: loaded once, kept fresh, with one door for what people say.

The library is written by others too: a run that goes on, a second browser, the command line. What people said is read
on from where we stopped, at every request; new photos, proposals and groups come with a load in the background, and
requests are answered from the state before until it is there.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import sqlalchemy as sa

from safelight import blind, verdicts
from safelight.collecting import uncollected
from safelight.domain import Verdict
from safelight.errors import LibraryError, UsageError
from safelight.review import clips, entries
from safelight.review.marks import Marks
from safelight.state import Footage, Photo, ShootState
from safelight.store import carried, records, schema
from safelight.store.library import Library
from safelight.store.objects import ShootFolder
from safelight.store.records import Shoot

GROWING = (schema.files, schema.proposals, schema.surveys, schema.evidence, schema.draws)  # what a run adds to
PAUSE_S = 2.0  # between two loads, and …
PAUSE_LOADS = 4  # … at least so many times as long as the last load took
CARRY_S = 2.0  # how long the copy that travels with the folder may lag behind


class Session:
    """One shoot, for all browsers that look at it. `revision` counts changes of what is shown."""

    def __init__(self, library: Library, folder: ShootFolder, shoot: Shoot) -> None:
        self.library, self.folder, self.shoot = library, folder, shoot
        self.lock = threading.RLock()
        self.revision = 0
        self._shown: dict[str, dict[str, Any]] = {}
        self._counts: Counter[str] = Counter()
        self._changed_at: dict[str, int] = {}
        self._structure_at = 0
        self._loader: threading.Thread | None = None
        self._carry: threading.Timer | None = None
        self._took = 0.0
        self._loaded = 0.0
        self.trouble: LibraryError | None = None
        read = self._read()
        with uncollected():
            self._take(*read)

    # ------------------------------------------------------------ reading

    def fresh(self) -> ShootState:
        """The state with everything that was said until now; photos that a run has just added may take a moment."""
        with self.lock:
            self._read_on()
            if self._grown() != self._mark and self._may_load():
                self._loader = threading.Thread(target=self._load, name="load", daemon=True)
                self._loader.start()
            return self.state

    def photo(self, photo: str) -> Photo:
        """A photo by its id, as people may see it. Raises UsageError where the shoot has none such."""
        found = self.fresh().photos.get(photo)
        if found is None:
            raise UsageError("There is no such photo in this shoot.", remedy="Open the shoot's page anew.")
        return blind.seen(self.state, self.veil, found)

    def clip(self, clip: str) -> Footage | None:
        """A clip or a sound by the id of its asset; None where the shoot has none such."""
        self.fresh()
        return self.clips.get(clip)

    def known_clip(self, clip: str) -> Footage:
        """The same. Raises UsageError where the shoot has none such."""
        found = self.clip(clip)
        if found is None:
            raise UsageError("There is no such clip or sound in this shoot.", remedy="Open the shoot's page anew.")
        return found

    def seen(self) -> ShootState:
        """The state as people may see it: for pages, never for what is written."""
        with self.lock:
            return blind.seen_state(self.fresh(), self.veil)

    def known(self, photo: Photo) -> Photo:
        """A copy of a photo with everything that was measured on it."""
        found = records.evidence(self.library, [photo.id])[photo.id]
        facts = {name: measure for name, (measure, _) in found.items()}
        return replace(photo, facts=facts, by={name: by for name, (_, by) in found.items()})

    def shown(self, since: int = -1) -> dict[str, Any]:
        """What the pages list: photos whose entry changed after revision `since`, and the groups if those did."""
        with self.lock:
            self.fresh()
            ids = self._order if since < 0 else [i for i in self._order if self._changed_at[i] > since]
            whole = since < self._structure_at
            return {
                "revision": self.revision,
                "photos": [self._shown[i] for i in ids],
                "order": self._order if whole else None,
                "groups": entries.groups(self.seen()) if whole else None,
                "clips": [clips.entry(c) for c in self.clips.values()] if whole else None,
                "counts": self.counts(),
                "failed": [entries.failed(f) for f in self.state.failed],
            }

    def counts(self) -> dict[str, Any]:
        """The running count: what stays, what goes, what is open, against what was asked for."""
        names = ("kept", "rejected", "undecided", "open")
        return {
            "photos": len(self._order), **{name: self._counts[name] for name in names},
            "target": self.state.asked.target,
        }  # fmt: skip

    # ------------------------------------------------------------ saying

    @contextmanager
    def deciding(self) -> Iterator[ShootState]:
        """The state to decide upon, for one at a time; what is written meanwhile by others is read before and after.
        Pages see the difference when the block is left."""
        with self.lock:
            self._read_on()
            before = len(self.state.ledger.rows)
            try:
                yield self.state
            finally:
                self._settle(before)

    def touched(self, photos: list[Photo]) -> None:
        """Makes entries of these photos anew; to be called where something else than a verdict changed."""
        with self.lock:
            self._show(photos)

    def last(self, by: str) -> str | None:
        """When a person said the newest thing that stands here, verdict or mark; None where there is none."""
        said, marked = verdicts.last_of(self.fresh(), by), self.marks.last_of(by)
        return max((one.at for one in (said, marked) if one is not None), default=None)

    def undo(self, by: str) -> tuple[Literal["", "verdict", "mark"], list[str], list[tuple[str, str, str]]]:
        """Takes back the newest thing that a person said here, verdict or mark: what it was, the photos, what stayed
        because somebody else has decided since."""
        with self.deciding() as state:
            said, marked = verdicts.last_of(state, by), self.marks.last_of(by)
            if marked is not None and (said is None or marked.at > said.at):
                photos = self.marks.undo(self.library, by)
                self._remark(photos)
                return "mark", photos, []
            done = verdicts.undo_last(self.library, state, by=by)
            return ("verdict" if said else ""), [v.asset for v in done.verdicts], list(done.left)

    def mark(self, photos: list[Photo], name: str, value: int | str, *, by: str) -> None:
        """Gives stars (`rating`) or a colour (`label`) to photos."""
        with self.lock:
            self.marks.give(self.library, [p.id for p in photos], name, value, by=by)
            self._remark([p.id for p in photos])

    def close(self) -> None:
        """Writes what has to be written before the app ends."""
        timer = self._carry
        if timer is not None:
            timer.cancel()
            self._carry_now()

    # ------------------------------------------------------------ how it stays fresh

    def _may_load(self) -> bool:
        waited = time.monotonic() - self._loaded
        return self._loader is None and waited > max(PAUSE_S, PAUSE_LOADS * self._took)

    def _load(self) -> None:
        try:
            read = self._read()
            with self.lock, uncollected():
                self._take(*read)
        except LibraryError as error:
            self.trouble = error
        finally:
            self._loader = None
            self._loaded = time.monotonic()

    def _read(self) -> tuple[tuple[int, ...], ShootState, Marks, blind.Veil]:
        began = time.monotonic()
        mark = self._grown()  # before the load: what comes while it goes on is loaded next time
        with uncollected():
            state, marks = self._state()
        self._took = time.monotonic() - began
        return mark, state, marks, blind.veil(self.library, self.shoot.id)

    def _state(self) -> tuple[ShootState, Marks]:
        shoot = records.shoot_of(self.library, self.shoot.id) or self.shoot
        state = ShootState.load(self.library, shoot, evidence=False)
        for subject, found in records.evidence(self.library, list(state.photos), names=entries.NEEDS).items():
            state.photos[subject].facts = {name: measure for name, (measure, _) in found.items()}
        said = records.evidence(self.library, [c.asset.id for c in state.clips.values()], names=clips.NEEDS)
        for clip in state.clips.values():
            clip.facts = {name: measure for name, (measure, _) in said.get(clip.asset.id, {}).items()}
        return state, Marks.read(self.library, list(state.photos))

    def _take(self, mark: tuple[int, ...], state: ShootState, marks: Marks, veil: blind.Veil) -> None:
        """Puts a loaded state in the place of the one before."""
        self._mark, self.state, self.marks, self.veil = mark, state, marks, veil
        self._loaded = time.monotonic()
        self.clips = clips.by_id(state.clips)
        order = entries.order(state)
        hidden = [i for i in veil.controls if "cull" in veil.controls[i]]
        structure = (
            order,
            [(g.id, g.members) for g in state.groups],
            [f.path for f in state.failed],
            hidden,
            list(self.clips),
        )
        if structure != getattr(self, "_structure", None):
            self.revision += 1
            self._structure, self._structure_at, self._order = structure, self.revision, order
        for gone in self._shown.keys() - state.photos.keys():
            self._counts.subtract(entries.counted(self._shown.pop(gone)))
        self._show(list(state.photos.values()))
        self._read_on()

    def _read_on(self) -> None:
        fresh = records.read_on(self.library, self.state.ledger, self.shoot.id)
        self._attach(fresh)

    def _settle(self, before: int) -> None:
        """Our own verdicts are in the ledger already, without their numbers; others may have come between them."""
        own = self.state.ledger.rows[before:]
        if not own:
            return
        seq = schema.verdicts.c.seq
        with self.library.transaction(reading=True) as connection:
            found = connection.execute(
                sa.select(sa.func.count(seq), sa.func.max(seq)).where(
                    seq > self.state.ledger.seq, schema.verdicts.c.shoot == self.shoot.id
                )
            ).one()
        if found[0] == len(own):
            self.state.ledger.seq = found[1]
            self._attach(own)
        else:  # others wrote meanwhile: the order in the library is the one that counts
            self.recount()
        self._carry_soon()

    def recount(self) -> None:
        """Reads the ledger anew: where others wrote between our lines, and where somebody else leads now."""
        with self.lock:
            self.state.ledger = records.ledger(self.library, self.shoot.id)
            self._attach(self.state.ledger.rows)

    def _attach(self, fresh: list[Verdict]) -> None:
        if not fresh:
            return
        touched = {}
        for verdict in fresh:
            self.state.hold(verdict.asset, verdict.operator)
            photo = self.state.photos.get(verdict.asset)
            if photo is not None:
                touched[photo.id] = photo
                touched |= self._fellows(photo, verdict.operator)
            elif verdict.asset in self.state.footage:
                self.revision += 1  # no list shows it, but the clip's page does
        self._show(list(touched.values()))

    def _fellows(self, photo: Photo, operator: str) -> dict[str, Photo]:
        """The frames of a stack that said less, and stood otherwise, while one of them was to be judged blind."""
        if operator != "cull" or photo.group is None or "cull" not in self.veil.controls.get(photo.id, ()):
            return {}
        self.revision += 1
        self._structure_at = self.revision
        return {m: self.state.photos[m] for m in photo.group.members if m in self.state.photos}

    def _remark(self, ids: list[str]) -> None:
        photos = [self.state.photos[i] for i in ids if i in self.state.photos]
        for photo in photos:
            photo.facts = {**photo.facts, **self.marks.measures(photo.id)}
        self._show(photos)

    def _show(self, photos: list[Photo]) -> None:
        """Makes the entries of photos anew; those that differ get a new revision."""
        made = {p.id: entries.entry(blind.seen(self.state, self.veil, p)) for p in photos}
        changed = [i for i, entry in made.items() if self._shown.get(i) != entry]
        if changed:
            self.revision += 1
            for i in changed:
                if i in self._shown:
                    self._counts.subtract(entries.counted(self._shown[i]))
                self._counts.update(entries.counted(made[i]))
                self._shown[i], self._changed_at[i] = made[i], self.revision

    def _grown(self) -> tuple[int, ...]:
        with self.library.transaction(reading=True) as connection:
            return tuple(connection.execute(sa.select(sa.func.max(t.c.seq))).scalar() or 0 for t in GROWING)

    # ------------------------------------------------------------ the copy that travels with the folder

    def _carry_soon(self) -> None:
        if self._carry is None:
            self._carry = threading.Timer(CARRY_S, self._carry_now)
            self._carry.daemon = True
            self._carry.start()

    def _carry_now(self) -> None:
        self._carry = None
        try:
            carried.write(self.library, self.folder, self.shoot.id)
        except (OSError, LibraryError) as error:
            self.trouble = LibraryError(
                f"The copy of the record in {self.folder.state} could not be written ({error}).",
                remedy="Everything is in the library; check that the folder can be written.",
            )


def plain(value: Any) -> bytes:
    """Compact JSON as bytes, for lists too long to be checked entry by entry. Names of files may be no UTF-8."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()
