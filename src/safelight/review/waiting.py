"""The queue as a browser gets it: what waits for a person, worst first. The one place that asks `safelight.queue`.

What is behind an item stays here. A browser gets a token, the photo and the edit to look at; how the item was drawn is
told after the answer. A picture that was spoilt on purpose is rendered when it is looked at and never kept.
"""

import secrets
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from safelight import ledger, plugins, queue, verdicts
from safelight.domain import Cull, Edit, Say
from safelight.errors import UsageError
from safelight.operators import Medium
from safelight.queue import EVERYTHING, Item
from safelight.review import blind, card
from safelight.review.entries import printable
from safelight.review.session import Session
from safelight.state import Photo

CULL = "cull"


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
        """The first items as a browser may see them, how many there are by task, and how many mistakes are to be
        expected in all of them."""
        with at.deciding() as state:
            whole = queue.waiting(at.library, state, at.folder, ledger.rules(at.library))
        tasks: dict[str, int] = {}
        for item in whole.items:
            tasks[item.operator] = tasks.get(item.operator, 0) + 1
        chosen = [item for item in whole.items if task in (EVERYTHING, item.operator)]
        return {
            "items": [self._shown(at, state.photos[item.photo], item) for item in chosen[:most]],
            "count": len(chosen),
            "tasks": tasks,
            "expected": round(whole.expected, 1),
        }

    def of(self, at: Session, token: str) -> Item:
        """The item of a token. Raises UsageError for one that was never given out for this shoot."""
        found = self._items.get(token)
        if found is None or found[0] != at.shoot.id:
            raise UsageError("This item is not in the queue of this start.", remedy="Load the queue again.")
        return found[1]

    def answer(self, at: Session, tokens: list[str], saying: verdicts.Saying) -> Replied:
        """Writes what a person says about items, of one task where there are several: one decision, undone at once,
        and recorded as bundled."""
        items = [self.of(at, token) for token in dict.fromkeys(tokens)]
        tasks = {item.operator for item in items}
        if len(tasks) != 1:
            raise UsageError(
                "One answer is about one task.", remedy="Choose a task in the queue, then answer together."
            )
        saying = _about(saying, next(iter(tasks)))
        with at.deciding() as state:
            planted = [item for item in items if item.known_bad is not None]
            for item in planted:
                queue.answer(at.library, state, item, saying)
            photos = [state.photos[i.photo] for i in items if i.known_bad is None and i.photo in state.photos]
            said = verdicts.Said(verdicts=(), left=())
            if photos:
                said = verdicts.decide(at.library, state, photos, saying)
        return Replied(said=said, planted=len(items) == 1 and bool(planted))

    def _shown(self, at: Session, photo: Photo, item: Item) -> dict[str, Any]:
        known = plugins.operators().get(item.operator)
        return {
            "token": self._token(at, item),
            "photo": photo.id,
            "path": printable(photo.path),
            "width": photo.asset.width or 3,
            "height": photo.asset.height or 2,
            "operator": item.operator,
            "picture": known is not None and known.medium is Medium.FRAME,
            "suggested": None if item.params is None else item.params.get("decision"),
            "because": list(item.because) if item.operator == CULL else [],
            "blind": item.known_bad is None and item.operator in blind.of(at.controls, photo),
            "harm": item.harm,
        }

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


def _about(saying: verdicts.Saying, task: str) -> verdicts.Saying:
    """The same saying about one task. To reject a photo is to let it go, whatever was proposed."""
    if task == CULL and saying.say is Say.REJECT:
        gone = {"decision": Cull.REJECT.value, "tie_with": ""}
        return replace(saying, say=Say.MODIFY, operators=(CULL,), params=gone)
    return replace(saying, operators=(task,))
