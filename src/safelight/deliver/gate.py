"""What must be settled before anything final leaves: every photo decided, every edit of a kept photo answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from safelight.domain import Cull
from safelight.errors import Refused
from safelight.state import Photo, ShootState
from safelight.words import many


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What may be handed over, and what is open: (path, operators without an answer)."""

    photos: tuple[Photo, ...]
    open: tuple[tuple[str, tuple[str, ...]], ...]


def ask(state: ShootState, *, draft: bool) -> Answer:
    """Which photos may leave. A final delivery with open questions is Refused, and the refusal says which; a draft
    takes every photo that is kept so far, with the edits that were approved."""
    photos = list(state.photos.values())
    waiting = tuple((photo.path, tuple(photo.open_questions())) for photo in photos if photo.open_questions())
    kept = tuple(photo for photo in photos if photo.decision is Cull.KEEP)
    if not draft and waiting:
        raise Refused(
            _words(waiting), remedy="Answer them with `safelight verdict`, or hand over a draft with --draft."
        )
    if not draft and not kept:
        raise Refused("No photo is kept, so there is nothing to deliver.", remedy="Keep some with `safelight verdict`.")
    return Answer(photos=kept, open=waiting)


def _words(waiting: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    undecided = sum("cull" in names for _, names in waiting)
    unanswered = len(waiting) - undecided
    parts = []
    if undecided:
        parts.append(f"{many(undecided, 'photo is', 'photos are')} not decided")
    if unanswered:
        parts.append(f"{many(unanswered, 'kept photo has', 'kept photos have')} edits that nobody has answered")
    first = ", ".join(path for path, _ in waiting[:3])
    return f"{' and '.join(parts)} (first: {first})."
