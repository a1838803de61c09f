"""What people say: verdicts, choices, marks, and taking them back. One door, `safelight.verdicts`."""

from collections.abc import Sequence

from fastapi import APIRouter

from safelight import verdicts
from safelight.domain import Cull, Say
from safelight.errors import UsageError
from safelight.review.entries import printable
from safelight.review.given import TheSession, Who
from safelight.review.models import Answered, Choice, Decision, Left, MarkGiven
from safelight.review.session import Session
from safelight.state import Footage, Photo, ShootState

router = APIRouter(prefix="/api/shoots/{shoot}")


@router.post("/verdicts")
def decide(at: TheSession, me: Who, said: Decision) -> Answered:
    """A verdict on photos: about the operators that are named, or about everything that is proposed."""
    saying = verdicts.Saying(
        say=Say(said.say), by=me.name, operators=tuple(said.operators), params=said.params, reason=said.reason,
        note=said.note, seconds=said.seconds, group=said.group,
    )  # fmt: skip
    since = at.revision
    with at.deciding() as state:
        done = verdicts.decide(at.library, state, chosen(state, said.photos), saying)
    return answer(at, since, done)


@router.post("/choices")
def choose(at: TheSession, me: Who, said: Choice) -> Answered:
    """For each photo named, whether it stays: one decision, undone at once."""
    wanted = {
        **dict.fromkeys(said.keep, Cull.KEEP), **dict.fromkeys(said.reject, Cull.REJECT),
        **dict.fromkeys(said.undecided, Cull.UNDECIDED),
    }  # fmt: skip
    if not wanted or len(wanted) != len(said.keep) + len(said.reject) + len(said.undecided):
        raise UsageError("Each photo is named once, and one at least.", remedy="Send every id in one of the lists.")
    saying = verdicts.Saying(say=Say.MODIFY, by=me.name, reason=said.reason, seconds=said.seconds, group=said.group)
    since = at.revision
    with at.deciding() as state:
        chosen(state, list(wanted))
        done = verdicts.choose(at.library, state, wanted, saying)
    return answer(at, since, done)


@router.post("/marks")
def mark(at: TheSession, me: Who, said: MarkGiven) -> Answered:
    """Stars or a colour."""
    if (said.rating is None) == (said.label is None):
        raise UsageError("A mark is either stars or a colour.", remedy="Send `rating` or `label`.")
    name, value = ("rating", said.rating) if said.rating is not None else ("label", said.label or "")
    since = at.revision
    at.mark(chosen(at.fresh(), said.photos), name, value, by=me.name)
    return answer(at, since)


@router.post("/undo")
def undo(at: TheSession, me: Who) -> Answered:
    """Takes back what the reviewer said last on this shoot, in whatever browser, before or after a restart."""
    since = at.revision
    kind, _, left = at.undo(me.name)
    found = answer(at, since)
    found.undone = kind
    found.left = left_of(left)
    return found


def chosen(state: ShootState, ids: list[str]) -> list[Photo]:
    """Photos by id. Raises UsageError for one that is not of this shoot."""
    try:
        return [state.photos[i] for i in dict.fromkeys(ids)]
    except KeyError as error:
        raise UsageError("There is no such photo in this shoot.", remedy="Load the page again.") from error


def judged(state: ShootState, ids: list[str]) -> list[Photo | Footage]:
    """Photos and clips by id. Raises UsageError for one that is not of this shoot."""
    found = [state.judged(i) for i in dict.fromkeys(ids)]
    if None in found:
        raise UsageError("There is no such photo or clip in this shoot.", remedy="Load the page again.")
    return [one for one in found if one is not None]


def answer(at: Session, since: int, done: verdicts.Said | None = None) -> Answered:
    """What came of a decision, with the entries that changed after revision `since`."""
    shown = at.shown(since)
    return Answered(
        written=len(done.verdicts) if done else 0,
        left=left_of(done.left if done else ()),
        since=since, revision=shown["revision"], photos=shown["photos"], counts=shown["counts"],
        order=shown["order"], groups=shown["groups"],
    )  # fmt: skip


def left_of(left: Sequence[tuple[str, str, str]]) -> list[Left]:
    """What could not be answered, and why."""
    return [Left(path=printable(path), operator=name, because=why) for path, name, why in left]
