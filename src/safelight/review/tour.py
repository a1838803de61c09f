"""The tour: five steps, each on the page that it is about, with its words above the page."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: the page of a shoot that it happens on, and what to look at and press there."""

    page: str
    title: str
    text: str


STEPS = (
    Step(
        page="cull", title="Look at what is proposed",
        text="Stacks are shown as one, the best on top. Pale signs are the machine's, a filled dot is keep, a struck "
        "ring reject, an empty ring undecided. The panel at the right says why. Space shows a photograph large.",
    ),
    Step(
        page="cull", title="Approve a stack with one key",
        text="Enter approves the stack as it is shown and goes to the next open one. Where another frame is better, go "
        "to it with the arrows and press B: it stays, the rest goes. Z shows the eyes at 100 %, C compares frames.",
    ),
    Step(
        page="judge", title="Judge the edits of a scene",
        text="Before over after, outliers first. Enter approves all, M leaves a photo out, Space opens one: D changes "
        "it, X rejects it, and the card says why it was proposed.",
    ),
    Step(
        page="queue", title="See what still needs a person",
        text="The queue lists what blocks a delivery, the likeliest harm first. Answer with Enter, X, D or P. Some "
        "come without a suggestion, some were spoilt on purpose: you are told after the answer.",
    ),
    Step(
        page="deliver", title="Deliver",
        text="The list says what is missing and what will be written where. Then somebody signs with a name. Practise, "
        "beside it, trains the eye for what machines do wrong.",
    ),
)  # fmt: skip


def address(shoot: str, number: int) -> str:
    """Where step `number` (the first is 1) happens in a shoot."""
    return f"/shoots/{shoot}/{STEPS[number - 1].page}?tour={number}"


def under_way(shoot: str, asked: str | None) -> Mapping[str, object] | None:
    """The step that a page's address asks for, with the ways back and on; None where it asks for none."""
    if asked is None or not asked.isdecimal() or not 1 <= int(asked) <= len(STEPS):
        return None
    number = int(asked)
    return {
        "number": number, "of": len(STEPS), "step": STEPS[number - 1],
        "back": address(shoot, number - 1) if number > 1 else None,
        "on": address(shoot, number + 1) if number < len(STEPS) else None,
    }  # fmt: skip
