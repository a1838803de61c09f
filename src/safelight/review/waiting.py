"""The queue: what waits for a person, worst first. The one place that knows where its order comes from.

What is behind an item stays here. A browser gets a token, the photo and the edit to look at; how the item was drawn,
how sure the machine was and what it expects are told after the answer.
"""

import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

from safelight import plugins, policy, verdicts
from safelight.domain import Proposal, Say
from safelight.errors import UsageError
from safelight.operators import Medium
from safelight.review.entries import printable
from safelight.review.session import Session
from safelight.state import Photo, ShootState

EVERYTHING, CULL = "", "cull"
DOUBT = 0.5  # that a proposal is wrong, where nobody has estimated it


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question to a person: an operator's edit of a photo. `harm` is what is lost if it is wrong, as expected."""

    photo: str
    operator: str
    harm: float


def ordered(state: ShootState, *, task: str = EVERYTHING) -> list[Item]:
    """What blocks a final delivery, in order of expected harm: the chance that the proposal is wrong times what a
    mistake of its task costs."""
    rules = policy.default()
    found = []
    for photo in state.photos.values():
        for name in photo.open_questions():
            if task in (EVERYTHING, name):
                doubt = _doubt(photo.proposals.get(name), shaken=name in photo.shaken)
                found.append(Item(photo=photo.id, operator=name, harm=doubt * rules.task(name).cost))
    return sorted(found, key=lambda item: (-item.harm, state.photos[item.photo].path, item.operator))


def _doubt(proposal: Proposal | None, *, shaken: bool) -> float:
    if proposal is None or proposal.cannot_tell is not None or shaken:
        return 1.0
    return DOUBT if proposal.score is None else 1.0 - proposal.score


@dataclass(slots=True)
class Waiting:
    """Tokens of one start of the app, and which items they stand for."""

    _items: dict[str, tuple[str, Item]] = field(default_factory=dict)
    _tokens: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def shown(self, at: Session, *, task: str = EVERYTHING, most: int) -> dict[str, Any]:
        """The first items as a browser may see them, how many there are by task, and how long all of them are."""
        state = at.fresh()
        every = ordered(state)
        tasks: dict[str, int] = {}
        for item in every:
            tasks[item.operator] = tasks.get(item.operator, 0) + 1
        chosen = [item for item in every if task in (EVERYTHING, item.operator)]
        worst = max((item.harm for item in every), default=0.0) or 1.0
        return {
            "items": [self._item(at, state.photos[item.photo], item, worst) for item in chosen[:most]],
            "count": len(chosen),
            "tasks": tasks,
        }

    def of(self, at: Session, token: str) -> Item:
        """The item of a token. Raises UsageError for one that was never given out for this shoot."""
        found = self._items.get(token)
        if found is None or found[0] != at.shoot.id:
            raise UsageError("This item is not in the queue of this start.", remedy="Load the queue again.")
        return found[1]

    def answer(self, at: Session, tokens: list[str], saying: verdicts.Saying) -> verdicts.Said:
        """Writes what a person says about items, of one task where there are several: one decision, undone at once,
        and recorded as bundled."""
        items = [self.of(at, token) for token in dict.fromkeys(tokens)]
        tasks = {item.operator for item in items}
        if len(tasks) != 1:
            raise UsageError(
                "One answer is about one task.", remedy="Choose a task in the queue, then answer together."
            )
        (task,) = tasks
        with at.deciding() as state:
            photos = [state.photos[item.photo] for item in items if item.photo in state.photos]
            return verdicts.decide(at.library, state, photos, _about(saying, task))

    def _item(self, at: Session, photo: Photo, item: Item, worst: float) -> dict[str, Any]:
        known = plugins.operators().get(item.operator)
        return {
            "token": self._token(at, item),
            "shoot": at.shoot.id,
            "photo": photo.id,
            "path": printable(photo.path),
            "operator": item.operator,
            "picture": known is not None and known.medium is Medium.FRAME,
            "harm": round(item.harm / worst, 3),
            "scene": photo.scene.id if photo.scene else None,
        }

    def _token(self, at: Session, item: Item) -> str:
        key = at.shoot.id, item.photo, item.operator
        with self._lock:
            if key not in self._tokens:
                self._tokens[key] = secrets.token_urlsafe(12)
            token = self._tokens[key]
            self._items[token] = at.shoot.id, item
        return token


def _about(saying: verdicts.Saying, task: str) -> verdicts.Saying:
    """The same saying about one task. An undecided photo can be kept or rejected, but not approved."""
    if task == CULL and saying.say is Say.REJECT:
        return verdicts.Saying(
            say=Say.MODIFY, by=saying.by, operators=(CULL,), params={"decision": "reject", "tie_with": ""},
            reason=saying.reason, note=saying.note, seconds=saying.seconds, group=saying.group,
        )  # fmt: skip
    return verdicts.Saying(
        say=saying.say, by=saying.by, operators=(task,), params=saying.params, reason=saying.reason, note=saying.note,
        seconds=saying.seconds, group=saying.group,
    )  # fmt: skip
