"""What crosses the wire, checked where it comes in. Names are those of the nouns."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

PhotoId = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The photo's id")]
Photos = Annotated[list[PhotoId], Field(min_length=1, max_length=20_000)]
DAY_S = 86_400.0  # who left a page open for longer did not look at it all the time: how long is not known then
Seconds = Annotated[
    float | None,
    Field(ge=0, allow_inf_nan=False, description="How long the person looked"),
    AfterValidator(lambda seconds: seconds if seconds is None or seconds <= DAY_S else None),
]


class Checked(BaseModel):
    """Nothing is taken that is not named."""

    model_config = ConfigDict(extra="forbid")


class Decision(Checked):
    """A verdict on photos. Without operators it is about everything that is proposed for them."""

    photos: Photos
    say: Literal["approve", "modify", "reject", "escalate", "undo"]
    operators: list[str] = []
    params: dict[str, Any] | None = None
    reason: str = ""
    note: Annotated[str, Field(max_length=10_000)] = ""
    seconds: Seconds = None
    group: str | None = None


class Choice(Checked):
    """For each photo, whether it stays."""

    keep: list[PhotoId] = []
    reject: list[PhotoId] = []
    undecided: list[PhotoId] = []
    reason: str = ""
    seconds: Seconds = None
    group: str | None = None


class MarkGiven(Checked):
    """Stars or a colour for photos."""

    photos: Photos
    rating: Annotated[int | None, Field(ge=0, le=5)] = None
    label: Literal["", "Red", "Yellow", "Green", "Blue", "Purple"] | None = None


class Left(BaseModel):
    """What could not be answered so, and why."""

    path: str
    operator: str
    because: str


class Answered(BaseModel):
    """What came of it: how many verdicts were written, and the entries that look different now."""

    written: int
    left: list[Left] = []
    since: int  # photos holds what changed after this revision …
    revision: int  # … up to this one
    photos: list[dict[str, Any]]
    counts: dict[str, Any]
    order: list[str] | None = None  # with `groups`, where stacks stand otherwise now
    groups: list[dict[str, Any]] | None = None
    undone: Literal["", "verdict", "mark"] = ""


class Trouble(BaseModel):
    """Every refusal: a code, what is wrong, what to do."""

    code: str
    cause: str
    remedy: str


class Person(BaseModel):
    """A reviewer as others see them."""

    name: str
    lead: bool
    locked: bool


class Record(BaseModel):
    """A reviewer's own speed and sensitivity, from the ledger; None where nothing can be told yet."""

    verdicts: int
    decisions: int
    seconds: float | None  # median of a decision
    checks: int  # known-bad items that came mixed in
    noticed: int | None  # of them


class Totals(BaseModel):
    """All reviewers together."""

    reviewers: int
    verdicts: int
    decisions: int
    hours: float
    contested: int
    checks: int
    noticed: int


class SignIn(Checked):
    """Who sits at this browser."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    pin: Annotated[str, Field(max_length=200)] = ""


class ReviewerChange(Checked):
    """A new reviewer, or a change of one; what is None stays."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    pin: Annotated[str | None, Field(max_length=200)] = None
    lead: bool | None = None
