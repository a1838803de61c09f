"""Leaves out the sentences that did not fit a length: a first choice, to be changed sentence by sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from safelight.cutting.roughcut import REASONS
from safelight.domain import Because, Json
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _lifts
from safelight.operators._lifts import CUT, Lift
from safelight.params import declare
from safelight.words import many

RULE = "sentence"
SHOWN = 90  # letters of a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectParams:
    """Which sentences go; none given means that all stay."""

    cuts: tuple[Lift, ...] = declare((), unit="s", help="stretches of the clip that go, in order")
    open: tuple[str, ...] = declare((), help="names of cuts that nobody has looked at yet, where somebody has begun to")
    stays: tuple[str, ...] = declare((), help="names of doubts that somebody looked at and left as they are")

    def __post_init__(self) -> None:
        _lifts.in_order(self.cuts)


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[SelectParams]]:  # noqa: ARG001
    """What `safelight cut --length` left out, of clips for which somebody asked for a length."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[SelectParams] | None:
    told = subject.facts.get("sentences.chosen")
    if told is None or not isinstance(told.value, dict):
        return None
    value: Any = told.value
    rate, rows = Fraction(value["rate"]), value["sentences"]
    out = [row for row in rows if not row["taken"]]
    if not out:
        return None
    lifts = tuple(
        Lift(name=f"{RULE}-{first}", start=Fraction(first) / rate, end=Fraction(last) / rate)
        for first, last in (row["frames"] for row in out)
    )
    target = float(Fraction(value["target_s"]))
    first = Because(
        evidence="words", value=len(rows) - len(out),
        text=f"{len(rows) - len(out)} of {len(rows)} sentences stay in a cut of {target:g} s of "
        f"{many(value['clips'], 'clip')}, by {'; '.join(REASONS.values())}. "
        "What matters to the story is a person's to say.",
    )  # fmt: skip
    return Suggestion(
        member=subject.asset.id, params=SelectParams(cuts=lifts), because=(first, *(_reason(row) for row in rows))
    )


def _reason(row: Any) -> Because:
    """A sentence with what speaks for it, and whether it is in or out."""
    text = row["text"] if len(row["text"]) <= SHOWN else f"{row['text'][: SHOWN - 1]}…"
    value: dict[str, Json] = {"frames": list(row["frames"]), **row["reasons"]}
    code = f"in.{RULE}" if row["taken"] else CUT + RULE
    return Because(evidence="words", value=value, text=f"“{text}”", code=code)


operator: Operator[SelectParams] = Operator(
    name="select",
    version=1,
    params=SelectParams,
    risk=Risk(complexity=0.9, cost=0.5),
    stage=Stage.TIME,
    rank=3,
    medium=Medium.TIMELINE,
    margin=None,
    needs=("sentences.chosen",),
    propose=propose,
    render=_lifts.render,
    check=_lifts.check,
    spoil=_lifts.spoil,
    material=_lifts.material,
    material_when=_lifts.MATERIAL,
    examples=tuple(SelectParams(cuts=cuts) for cuts in _lifts.EXAMPLES),
    about="Leaves out the sentences that did not fit a length.",
)
