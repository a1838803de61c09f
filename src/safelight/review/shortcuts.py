"""The one table of shortcuts: the keyboard handling, the help page, the manual and their test are made from it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """An action, what it does in words, its keys in our own map and in darktable's (empty: the same)."""

    action: str
    page: str  # "cull", "judge", "queue", "cut", "all"
    group: str
    keys: tuple[str, ...]
    text: str
    advances: bool = False  # Shift with the key also goes on to the next
    darktable: tuple[str, ...] = ()


def _row(action: str, group: str, keys: str, text: str, **more: Any) -> Shortcut:
    return Shortcut(
        action=action, page=more.pop("page", "cull"), group=group, keys=tuple(keys.split()), text=text, **more
    )


DECIDE, MARK, MOVE, LOOK, EVERYWHERE = "Decide", "Mark", "Move", "Look", "Everywhere"
EDITS = "Judge edits, and the queue"
PLAY, CUTS, WORDS = "Clips: play", "Clips: cuts", "Clips: words"
TABLE = (
    _row("approve", DECIDE, "Enter", "Approve the stack as it is shown, with its edits, and go to the next open one"),
    _row("moment", DECIDE, "a", "Approve the moment as it is shown, and go to the next", darktable=("Ctrl+a",)),
    _row("pick", DECIDE, "p", "Keep", advances=True),
    _row("reject", DECIDE, "x", "Reject", advances=True, darktable=("r",)),
    _row("undecide", DECIDE, "u", "Undecided", advances=True),
    _row("best", DECIDE, "b", "Keep this one, let the rest of its stack go", advances=True),
    _row("escalate", DECIDE, "e", "Hand to somebody else", advances=True),
    *(
        _row(f"rate{n}", MARK, str(n), f"{n} star{'s' * (n != 1)}" if n else "No stars", advances=True)
        for n in range(6)
    ),
    *(
        _row(f"label{name}", MARK, str(n), name, advances=True, darktable=(f"F{n - 5}",))
        for n, name in ((6, "Red"), (7, "Yellow"), (8, "Green"), (9, "Blue"))
    ),
    _row("left", MOVE, "ArrowLeft", "Previous in the stack, or before it; with Shift at 100 %: look further left"),
    _row("right", MOVE, "ArrowRight", "Next in the stack, or after it; with Shift at 100 %: look further right"),
    _row("up", MOVE, "ArrowUp", "Stack before; with Shift at 100 %: look further up"),
    _row("down", MOVE, "ArrowDown", "Stack after; with Shift at 100 %: look further down"),
    _row("first", MOVE, "Home", "First photo"),
    _row("last", MOVE, "End", "Last photo"),
    _row("open", MOVE, "n", "Next that is open"),
    _row("loupe", LOOK, "Space", "Photo large, or back to the grid", darktable=("Space", "z")),
    _row("zoom", LOOK, "z", "100 %, at the eyes where there are some", darktable=("Alt+1",)),
    _row("before", LOOK, "\\", "Before, after", darktable=("o",)),
    _row("split", LOOK, "y", "Before and after side by side", darktable=("Ctrl+y",)),
    _row("compare", LOOK, "c", "Compare the frames of the stack, or those that are marked; zoom is linked"),
    _row("mark", LOOK, "m", "Mark for comparing"),
    _row("panel", LOOK, "w", "Show or hide why", darktable=("Tab",)),
    _row("filter", LOOK, "f", "Filter"),
    *(
        _row(action, EDITS, keys, text, page="judge", **more)
        for action, keys, text, more in (
            (
                "approve",
                "Enter",
                "Approve what is shown: the photo's edits, or all of the scene that is not marked",
                {},
            ),
            ("reject", "x", "Reject the edit, or those of marked photos; then a number names the reason", {}),
            ("reason", "1 2 3 4 5 6 7 8 9 0", "Reason of the rejection, by its number", {}),
            ("escalate", "e", "Hand to somebody else", {}),
            ("modify", "d", "Change the edit with its sliders", {}),
            ("mark", "m", "Mark the photo in the scene, so that it is left out", {}),
            ("all", "s", "Mark all photos of the scene, or none", {}),
            ("left", "ArrowLeft", "Photo before; at 100 %: look further left", {}),
            ("right", "ArrowRight", "Photo after; at 100 %: look further right", {}),
            ("up", "ArrowUp", "Edit before; in the sheet: row above; at 100 %: look further up", {}),
            ("down", "ArrowDown", "Edit after; in the sheet: row below; at 100 %: look further down", {}),
            ("open", "n", "Next that waits", {}),
            ("loupe", "Space", "Photo large, or back to the scene", {"darktable": ("Space", "z")}),
            ("zoom", "z", "100 % at the pointer", {"darktable": ("Alt+1",)}),
            ("before", "\\", "Before, after", {"darktable": ("o",)}),
            ("split", "y", "Before and after side by side", {"darktable": ("Ctrl+y",)}),
            ("wipe", "v", "Before and after with a line between them", {}),
            ("overlay", "l", "Show the mask, or where something changed", {}),
            ("clipping", "j", "Show what is clipped", {"darktable": ("Alt+o",)}),
            ("panel", "w", "Show or hide the card", {"darktable": ("Tab",)}),
            ("point", "t", "Point at a place: drag a box, or click; again: the middle of what is seen", {}),
        )
    ),
    _row("pick", EDITS, "p", "In the queue: keep the photo that is asked about", page="queue"),
    *(
        _row(action, group, keys, text, page="cut", **more)
        for action, group, keys, text, more in (
            ("play", PLAY, "Space", "Play, or stop", {}),
            ("backwards", PLAY, "j", "Play backwards; again: faster", {}),
            ("stop", PLAY, "k", "Stop", {}),
            ("forwards", PLAY, "l", "Play; again: faster", {}),
            ("left", PLAY, "ArrowLeft", "A frame back; with Shift a second", {}),
            ("right", PLAY, "ArrowRight", "A frame on; with Shift a second", {}),
            ("first", PLAY, "Home", "To the beginning", {}),
            ("last", PLAY, "End", "To the end", {}),
            ("around_before", PLAY, "b", "Play two seconds around the cut as it was", {}),
            ("around_after", PLAY, "a", "Play two seconds around the cut as it would be", {}),
            ("before", PLAY, "\\", "Play on over cuts, or leave them out", {}),
            ("nearer", PLAY, "+ =", "Waveform larger", {}),
            ("farther", PLAY, "- _", "Waveform smaller", {}),
            ("zoom", PLAY, "z", "Waveform: the cut, or the whole clip", {}),
            ("up", CUTS, "ArrowUp", "Cut before", {}),
            ("down", CUTS, "ArrowDown", "Cut after", {}),
            ("open", CUTS, "n", "Next that waits", {}),
            ("pick", CUTS, "p", "Approve the cut; of a doubt: cut it after all", {"advances": True}),
            ("reject", CUTS, "x", "Drop the cut: what it takes stays; leave a doubt as it is", {"advances": True}),
            ("approve", CUTS, "Enter", "Approve everything that waits in the edit of the cut", {}),
            ("reason", CUTS, "1 2 3 4 5 6 7 8 9 0", "Why the whole edit is rejected, by number", {}),
            ("escalate", CUTS, "e", "Hand the edit to somebody else", {}),
            ("start_later", CUTS, "[ {", "Trim: the cut starts a frame later; with Shift five", {}),
            ("end_earlier", CUTS, "] }", "Trim: the cut ends a frame earlier; with Shift five", {}),
            ("start_earlier", CUTS, "; :", "The cut starts a frame earlier; with Shift five", {}),
            ("end_later", CUTS, "' \"", "The cut ends a frame later; with Shift five", {}),
            ("in", CUTS, "i", "A range starts here", {}),
            ("out", CUTS, "o", "A range ends here", {}),
            ("cut", CUTS, "c", "Cut the range out", {}),
            ("move", CUTS, "m", "Move the cut to the range", {}),
            ("word_before", WORDS, ", <", "Word before; with Shift the selection grows", {}),
            ("word_after", WORDS, ". >", "Word after; with Shift the selection grows", {}),
            ("strike", WORDS, "s Delete Backspace", "Strike the selected words, or take them in again", {}),
            ("unsure", WORDS, "u", "Next word whose text or time is in doubt", {}),
            ("captions", WORDS, "t", "Cuts, or captions", {}),
            ("panel", WORDS, "w", "Show or hide the list", {}),
        )
    ),
    _row("undo", EVERYWHERE, "Ctrl+z Meta+z", "Undo what you said last", page="all"),
    _row("help", EVERYWHERE, "?", "These keys", page="all", darktable=("h",)),
    _row("back", EVERYWHERE, "Escape", "Back", page="all"),
)


def table() -> list[dict[str, Any]]:
    """The table as the pages read it."""
    return [asdict(row) for row in TABLE]


def keys_of(row: Shortcut, layout: str) -> tuple[str, ...]:
    """The keys of an action in the map `own` or `darktable`."""
    return row.darktable if layout == "darktable" and row.darktable else row.keys
