"""The queue as a browser gets it: what waits for a person, worst first, in one shoot or in all. The one place that asks
`safelight.queue`.

What is behind an item stays here. A browser gets a token, the photo and the edit to look at; how the item was drawn is
told after the answer. A picture that was spoilt on purpose is rendered when it is looked at and never kept. While it
waits, it stands in the place of the honest item, which comes when it has been answered: of two that looked the same,
everybody would know that one is spoilt.
"""

import secrets
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from safelight import blind, ledger, plugins, queue, verdicts
from safelight.domain import Cull, Edit, Say
from safelight.errors import UsageError
from safelight.learn.doubt import Doubts
from safelight.operators import Medium
from safelight.queue import EVERYTHING, Item
from safelight.review import card
from safelight.review.entries import printable
from safelight.review.session import Session
from safelight.state import Footage, Judged, Photo
from safelight.store.library import now

CULL = "cull"
STEPS = 2  # digits of an item's harm: drawn ones have that of a neighbour, which must be nothing rare


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """What came of an answer: what was written, and whether the item had been spoilt on purpose."""

    said: verdicts.Said
    planted: bool = False


@dataclass(slots=True)
class Waiting:
    """Tokens of one start of the app, and which items they stand for."""

    _items: dict[str, tuple[str, Item]] = field(default_factory=dict)
    _tokens: dict[tuple[str, ...], str] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def shown(self, at: Session, *, task: str, most: int) -> dict[str, Any]:
        """The first items of a shoot as a browser may see them, how many there are by task, and how many mistakes are
        to be expected in all of them."""
        found = self.everywhere([at], task=task, shoot=EVERYTHING, most=most)
        return {name: found[name] for name in ("items", "count", "tasks", "expected")}

    def everywhere(self, sessions: Iterable[Session], *, task: str, shoot: str, most: int) -> dict[str, Any]:
        """The same over several shoots, as one queue. Tasks are counted in the shoot that is asked for, shoots in the
        task: what else one might choose."""
        opened = {at.shoot.id: at for at in sessions}
        doubts = queue.doubts_of(next(iter(opened.values())).library) if opened else None
        queues = {id_: _queue(at, doubts) for id_, at in opened.items()}
        items = queue.together(queues)
        tasks = Counter(item.operator for id_, item in items if shoot in (EVERYTHING, id_))
        shoots = Counter(id_ for id_, item in items if task in (EVERYTHING, item.operator))
        chosen = [
            (opened[id_], item)
            for id_, item in items
            if task in (EVERYTHING, item.operator) and shoot in (EVERYTHING, id_)
        ]
        return {
            "items": [self._shown(at, item) for at, item in chosen[:most]],
            "count": len(chosen),
            "tasks": dict(sorted(tasks.items())),
            "shoots": [
                {"id": id_, "name": printable(at.shoot.name), "count": shoots[id_],
                 "expected": round(queues[id_].expected, 1)}
                for id_, at in opened.items() if shoots[id_]
            ],
            "expected": round(sum(queues[id_].expected for id_ in opened if shoot in (EVERYTHING, id_)), 1),
        }  # fmt: skip

    def of(self, at: Session, token: str) -> Item:
        """The item of a token. Raises UsageError for one that was never given out for this shoot."""
        if self.shoot_of(token) != at.shoot.id:
            raise _unknown()
        return self._items[token][1]

    def shoot_of(self, token: str) -> str:
        """The shoot of a token. Raises UsageError for one that was never given out."""
        if token not in self._items:
            raise _unknown()
        return self._items[token][0]

    def answer(self, sessions: Iterable[Session], tokens: list[str], saying: verdicts.Saying) -> Replied:
        """Writes what a person says about items, of one task where there are several: one decision, undone at once,
        and recorded as bundled. `sessions` are the shoots that may be answered.

        Of several together, the honest items behind spoilt ones are answered too: they looked the same."""
        places = {at.shoot.id: at for at in sessions}
        items: dict[str, list[Item]] = {}
        for token in dict.fromkeys(tokens):
            shoot = self.shoot_of(token)
            if shoot not in places:
                raise _unknown()
            items.setdefault(shoot, []).append(self._items[token][1])
        every = [item for some in items.values() for item in some]
        tasks = {item.operator for item in every}
        if len(tasks) != 1:
            raise UsageError(
                "One answer is about one task.", remedy="Choose a task in the queue, then answer together."
            )
        saying = replace(_about(saying, next(iter(tasks))), at=now(), bundled=len(every) if len(every) > 1 else None)
        said = verdicts.Said(verdicts=(), left=())
        for shoot, some in items.items():
            more = _answered(places[shoot], some, saying, alone=len(every) == 1)
            said = verdicts.Said(verdicts=said.verdicts + more.verdicts, left=said.left + more.left)
        return Replied(said=said, planted=len(every) == 1 and every[0].known_bad is not None)

    def _shown(self, at: Session, item: Item) -> dict[str, Any]:
        known, about = plugins.operators().get(item.operator), at.state.judged(item.photo)
        if isinstance(about, Footage):
            return self._about(at, item, about, (16, 9))
        photo = at.state.photos[item.photo]
        return self._about(at, item, photo, (3, 2)) | {
            "picture": known is not None and known.medium is Medium.FRAME,
            "suggested": None if item.params is None else item.params.get("decision"),
            "because": list(item.because) if item.operator == CULL else [],
        }

    def _about(self, at: Session, item: Item, about: Judged, usual: tuple[int, int]) -> dict[str, Any]:
        """An item as a page lists it; an item about a clip or a sound is judged on the clip's own page. `usual`: the
        shape of what has no size of its own."""
        return {
            "token": self._token(at, item), "shoot": at.shoot.id, "photo": about.id, "path": printable(about.path),
            "width": about.asset.width or usual[0], "height": about.asset.height or usual[1],
            "operator": item.operator, "picture": False, "suggested": None, "because": list(item.because),
            "blind": item.known_bad is None and item.operator in blind.of(at.veil, about),
            "harm": round(item.harm, STEPS), "clip": isinstance(about, Footage),
        }  # fmt: skip

    def _token(self, at: Session, item: Item) -> str:
        key = at.shoot.id, item.photo, item.operator, item.known_bad.id if item.known_bad else ""
        with self._lock:
            token = self._tokens.setdefault(key, secrets.token_urlsafe(12))
            self._items[token] = at.shoot.id, item
        return token


def edits(item: Item, photo: Photo) -> tuple[Edit, ...]:
    """The edits that an item shows; `photo` as people may see it."""
    return photo.edits(proposed=True) if item.known_bad is None else item.known_bad.upon


def card_of(item: Item, photo: Photo) -> dict[str, Any]:
    """The card of an item's edit; `photo` as people may see it."""
    made = card.card(photo, plugins.operator(item.operator), {})
    return made | {"waits": True, "state": made["state"] or "proposed"}


def _queue(at: Session, doubts: Doubts | None) -> queue.Queue:
    """What waits in a shoot, without the honest items behind spoilt ones that nobody has answered."""
    with at.deciding() as state:
        whole = queue.waiting(at.library, state, at.folder, ledger.rules(at.library), clips=True, doubts=doubts)
    behind = {(item.photo, item.operator) for item in whole.items if item.known_bad is not None}
    shown = tuple(i for i in whole.items if i.known_bad is not None or (i.photo, i.operator) not in behind)
    return replace(whole, items=shown)


def _unknown() -> UsageError:
    return UsageError("This item is not in the queue of this start.", remedy="Load the queue again.")


def _answered(at: Session, items: list[Item], saying: verdicts.Saying, *, alone: bool) -> verdicts.Said:
    """Writes an answer about items of one shoot."""
    with at.deciding() as state:
        for item in items:
            if item.known_bad is not None:
                queue.answer(at.library, state, item, saying)
        meant = [i for i in items if i.known_bad is None or not (alone or i.known_bad.again)]
        about = (state.judged(i) for i in dict.fromkeys(item.photo for item in meant))
        judged = [one for one in about if one is not None]
        return verdicts.decide(at.library, state, judged, saying) if judged else verdicts.Said(verdicts=(), left=())


def _about(saying: verdicts.Saying, task: str) -> verdicts.Saying:
    """The same saying about one task. To reject a photo is to let it go, whatever was proposed."""
    if task == CULL and saying.say is Say.REJECT:
        gone = {"decision": Cull.REJECT.value, "tie_with": ""}
        return replace(saying, say=Say.MODIFY, operators=(CULL,), params=gone)
    return replace(saying, operators=(task,))
