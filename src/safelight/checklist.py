"""The checklist that a careful studio goes through before a task is switched on, and what follows from the answers.

Adopt what is rule-bound, harmless and has gone well; calibrate (suggest, and let a person say yes) where one of these
is not so; resist where a task is creative, where a mistake would do damage that nobody would see before it leaves, or
where nobody could do it by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Advice(StrEnum):
    """What to do with a task."""

    ADOPT = "adopt"
    CALIBRATE = "calibrate"
    RESIST = "resist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line of the checklist: `good` is what follows from yes, `bad` from no."""

    name: str
    text: str
    good: str
    bad: str


QUESTIONS = (
    Question(
        name="repetitive", text="Is it repetitive: the same rule for every photo?",
        good="It follows a rule.", bad="It is creative: taste, story or brand decide, not a rule.",
    ),
    Question(
        name="harmless", text="Would a small mistake be harmless, seen by nobody or easily forgiven?",
        good="A small mistake would do no harm.", bad="A small mistake would be seen, or do damage.",
    ),
    Question(
        name="examples", text="Are there past examples to learn from and to compare with?",
        good="There are examples.", bad="There are no examples to compare with.",
    ),
    Question(
        name="went_well", text="Has it gone well before, for work like this?",
        good="It has gone well before.", bad="It has not gone well before, or nobody knows.",
    ),
    Question(
        name="looked_at", text="Will a person look before it is delivered?",
        good="A person looks before it leaves.", bad="Nobody looks before it leaves.",
    ),
    Question(
        name="fallback", text="Could a person do it by hand if the machine fails?",
        good="A person can do it by hand.", bad="There is no way to do it by hand.",
    ),
)  # fmt: skip


def advise(answers: Mapping[str, bool]) -> Advice:
    """What follows from the answers, by question."""
    creative, risky = not answers["repetitive"], not answers["harmless"]
    if creative or not answers["fallback"] or (risky and not answers["looked_at"]):
        return Advice.RESIST
    return Advice.ADOPT if not risky and answers["examples"] and answers["went_well"] else Advice.CALIBRATE


def reasons(answers: Mapping[str, bool], advice: Advice) -> list[str]:
    """What speaks for the advice, the weightiest first."""
    if advice is Advice.ADOPT:
        return [q.good if answers[q.name] else q.bad for q in QUESTIONS]
    return [q.bad for q in QUESTIONS if not answers[q.name]] or ["Nothing speaks against it."]
