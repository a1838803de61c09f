"""A person who knows what to keep, at the keyboard: how many keys it takes to decide a whole shoot on the Cull page."""

from collections.abc import Collection
from typing import Any

UNITS = """() => {
  const m = document.querySelector('sl-cull').model;
  return m.units.map((u) => ({ members: u.members, scene: m.at(u.members[0]).scene, top: m.top(u),
    proposed: u.members.map((id) => [m.at(id).proposed, Boolean(m.at(id).tie)]) }));
}"""
CURRENT = "() => document.querySelector('sl-cull').model.current"


def decide_all(page: Any, wanted: Collection[str]) -> int:
    """Decides every photo so that exactly the `wanted` stay; the number of keys pressed.

    Looks at a moment at once, as on a contact sheet: stacks that are shown right up to the last wrong one are approved
    one by one, wrong ones are put right, and the rest of the moment is approved with one key."""
    keys = Keyboard(page)
    keys.press("Space")
    units = page.evaluate(UNITS)
    at = 0
    while at < len(units):
        end = at
        while end < len(units) and units[end]["scene"] == units[at]["scene"]:
            end += 1
        wrong = [i for i in range(at, end) if not right(units[i], wanted)]
        for i in range(at, wrong[-1] + 1 if wrong else at):
            if right(units[i], wanted):
                keys.press("Enter")
            else:
                put_right(keys, units[i], wanted)
        if not wrong or wrong[-1] + 1 < end:
            keys.press("a")
        at = end
    return keys.count


class Keyboard:
    """Counts what is pressed; Shift with a key is one press."""

    def __init__(self, page: Any) -> None:
        self.page, self.count = page, 0

    def press(self, key: str) -> None:
        """Presses a key."""
        self.page.keyboard.press(key)
        self.count += 1

    def current(self) -> str:
        """The id of the photo that is shown."""
        return str(self.page.evaluate(CURRENT))


def right(unit: dict[str, Any], wanted: Collection[str]) -> bool:
    """Whether approving a stack as it is shown keeps what is wanted."""
    for photo, (proposed, tie) in zip(unit["members"], unit["proposed"], strict=True):
        kept = proposed == "keep"
        if proposed == "undecided" and not tie:
            return False
        if kept != (photo in wanted):
            return False
    return True


def put_right(keys: Keyboard, unit: dict[str, Any], wanted: Collection[str]) -> None:
    """Says of a stack or a single photo what is wanted, and goes on."""
    members = unit["members"]
    keep = [photo for photo in members if photo in wanted]
    assert keys.current() in members, "the page is at the stack that is meant"
    if not keep:
        keys.press("Shift+X")
        return
    for _ in range(len(members)):
        if keys.current() == keep[0]:
            break
        keys.press("ArrowRight")
    keys.press("Shift+B")
