"""Things that were costly to make, kept in memory as long as they fit: least recently used goes first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass(slots=True)
class Shelf:
    """Values by key, together no more than `room` bytes. Two threads that want one thing at once make it once."""

    room: int
    used: int = 0
    _things: OrderedDict[Hashable, tuple[Any, int]] = field(default_factory=OrderedDict)
    _making: dict[Hashable, Lock] = field(default_factory=dict)
    _guard: Lock = field(default_factory=Lock)

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """The thing of this key; `make` makes it where it is not there, `size` says how many bytes it takes. What
        is larger than the whole shelf is made and not kept."""
        with self._guard:
            if key in self._things:
                return self._touched(key)
            turn = self._making.setdefault(key, Lock())
        with turn:
            with self._guard:
                if key in self._things:
                    return self._touched(key)
            try:
                made = make()
                self._put(key, made, size(made))
            finally:
                with self._guard:
                    self._making.pop(key, None)
            return made

    def put(self, key: Hashable, thing: Any, size: int) -> None:
        """Keeps a thing that is there already."""
        self._put(key, thing, size)

    def found(self, key: Hashable) -> Any:
        """The thing of this key, or None."""
        with self._guard:
            return self._touched(key) if key in self._things else None

    def _touched(self, key: Hashable) -> Any:
        self._things.move_to_end(key)
        return self._things[key][0]

    def _put(self, key: Hashable, thing: Any, size: int) -> None:
        with self._guard:
            if size > self.room:
                return
            if key in self._things:
                self.used -= self._things.pop(key)[1]
            self._things[key] = thing, size
            self.used += size
            while self.used > self.room:
                _, (_, gone) = self._things.popitem(last=False)
                self.used -= gone
