"""What must be settled before anything final leaves: every photo decided, every edit of a kept photo and every cut of
a clip answered, and every written file passed by the detectors and the rules, or taken by a person on their name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safelight import policy
from safelight.checking import Outcome
from safelight.domain import Cull, Kind, Say, Verdict, Version, Zone, digest_of
from safelight.errors import Refused
from safelight.state import CHECK, POLICY, Footage, Judged, Photo, ShootState
from safelight.words import many

LISTED = 8  # things that a refusal names one by one
UNREVIEWED = "a look by a named person"
WORSE = 0.05  # chance by which a finding may rise and still be the one that was taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What may be handed over, and what is open: (path, operators without an answer). Of clips, those of which
    something is cut."""

    photos: tuple[Photo, ...]
    clips: tuple[Footage, ...]
    open: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that holds a file back: a finding or a broken rule that nobody has taken on their name."""

    path: str
    name: str  # of the finding, or `channel.rule`
    outcome: Outcome
    text: str
    chance: float | None = None  # that it is a fault, of a finding
    remedy: str = ""
    picture: str | None = None  # where: a heat map or a mask, as a file


class Held(Refused):
    """Files that wait for a person: `waiting` says which, and what for."""

    def __init__(self, cause: str, *, remedy: str = "", waiting: Sequence[Missing] = ()) -> None:
        super().__init__(cause, remedy=remedy)
        self.waiting = tuple(waiting)


def ask(state: ShootState, *, draft: bool, clips: bool = True) -> Answer:
    """Which photos and, with `clips`, which cuts may leave. A final delivery with open questions is Refused, and the
    refusal says which; a draft takes every photo that is kept so far, with the edits that were approved."""
    waiting = open_of(state, clips=clips)
    kept = tuple(photo for photo in state.photos.values() if photo.decision is Cull.KEEP)
    cut = tuple(clip for clip in state.footage.values() if clip.edits()) if clips else ()
    if not draft and waiting:
        less = ", leave clips out with --no-clips" if any(isinstance(one, Footage) for one, _ in waiting) else ""
        remedy = f"Answer them in `safelight review` or with `safelight verdict`{less}, or hand over a draft: --draft."
        raise Refused(_words(waiting), remedy=remedy)
    if not draft and not kept and not cut:
        what = "Keep some" if state.photos or not state.footage else "Approve cuts, or strike words,"
        raise Refused(f"{nothing(state)}.", remedy=f"{what} in `safelight review` or with `safelight verdict`.")
    return Answer(photos=kept, clips=cut, open=tuple((one.path, names) for one, names in waiting))


Open = Sequence[tuple[Judged, tuple[str, ...]]]


def open_of(state: ShootState, *, clips: bool = True) -> Open:
    """What waits for a person before a final delivery: photos and clips, each with what is open of it."""
    about: list[Judged] = [*state.photos.values(), *(state.footage.values() if clips else ())]
    return [(one, names) for one in about if (names := unsettled(one))]


def nothing(state: ShootState) -> str:
    """Why there is nothing to deliver."""
    if state.photos or not state.footage:
        return "No photo is kept, so there is nothing to deliver"
    return "No cut of a clip is approved, so there is nothing to deliver"


def is_person(name: str) -> bool:
    """Whether a name can be a person's: not empty, and none of a rule."""
    return bool(name.strip()) and not name.strip().startswith(POLICY)


def unsettled(about: Judged) -> tuple[str, ...]:
    """What of a photo or a clip waits for a person: operators without an answer, edits that nobody has looked at."""
    return (*about.open_questions(), *unreviewed(about))


def unreviewed(about: Judged) -> list[str]:
    """Edits that never leave without a named person's look at this very photo or clip, and have had none."""
    if isinstance(about, Photo) and about.decision is not Cull.KEEP:
        return []
    rules = policy.default()
    found = []
    for edit in about.edits():
        proposal, verdict = about.proposals.get(edit.operator), about.standing.get(edit.operator)
        zone = proposal.zone if proposal else rules.task(edit.operator).zone
        looked = verdict is not None and not verdict.by.startswith(POLICY) and verdict.bundled == 1
        if zone is Zone.NEVER_UNREVIEWED and not looked:
            found.append(f"{edit.operator} ({UNREVIEWED})")
    return found


# ---------------------------------------------------------------- findings


def finding_id(version: str, name: str) -> str:
    """What a verdict about a finding of a version is about: the same finding of another version is another."""
    return digest_of([version, name])[:32]


def taken(standing: Mapping[str, Verdict], version: str, found: Missing) -> Verdict | None:
    """The verdict by which a person has taken a finding of this version on their name; None if nobody has, or if what
    they took was a lesser chance than what fails now, in another form of the file."""
    verdict = standing.get(f"{CHECK}{found.name}")
    if verdict is None or verdict.say is not Say.REJECT or verdict.proposal != finding_id(version, found.name):
        return None
    worse = found.chance is not None and verdict.score is not None and found.chance > verdict.score + WORSE
    return None if worse and found.outcome is Outcome.FAIL else verdict


def raised(entry: Mapping[str, Any]) -> list[Missing]:
    """What the detectors and rules hold against a file: findings that are no pass, broken rules."""
    path = str(entry["after"])
    found = [
        Missing(path=path, name=f["name"], outcome=Outcome(f["outcome"]), text=f["text"] or str(f["cannot_tell"]),
                chance=f["probability"], picture=f.get("heatmap"))
        for f in entry["findings"] if f["outcome"] != Outcome.PASS
    ]  # fmt: skip
    cannot = (entry["aligned"] or {}).get("cannot")
    if cannot:
        found.append(Missing(path=path, name="aligned", outcome=Outcome.LOOK, text=str(cannot)))
    elif entry["verdict"] == Outcome.LOOK and not found:
        text = entry.get("unmeasured") or "Nothing could be measured."
        found.append(Missing(path=path, name="measured", outcome=Outcome.LOOK, text=text))
    return found + [
        Missing(
            path=path, name=r["rule"], outcome=Outcome.FAIL, text=r["text"], remedy=r["remedy"], picture=r.get("mask"),
        )
        for r in entry["rules"] if r["held"] is False
    ]  # fmt: skip


def missing(about: Judged, version: Version, entry: Mapping[str, Any], *, signed_by: str | None) -> list[Missing]:
    """What of a file still waits for a person. Whoever signs for the delivery answers for what only wants a look;
    what failed is taken one by one."""
    return [
        m for m in raised({**entry, "after": about.path})
        if taken(about.standing, version.id, m) is None and not (signed_by and m.outcome is Outcome.LOOK)
    ]  # fmt: skip


def refuse(waiting: Sequence[Missing], *, page: str) -> Held:
    """The refusal of a delivery, naming what is missing."""
    files = len({m.path for m in waiting})
    lines = [f"{m.path}: {m.name.replace('_', ' ')}, {m.outcome.value}. {m.text}" for m in waiting[:LISTED]]
    more = f"\n  … and {len(waiting) - LISTED} more" if len(waiting) > LISTED else ""
    looks = all(m.outcome is Outcome.LOOK for m in waiting)
    remedy = (
        f"Look at {page}. Reject the edit, or take a finding on your name with `safelight accept FILE --finding NAME "
        "--reason CODE`."
    )
    return Held(
        f"{many(files, 'file does', 'files do')} not pass:\n  " + "\n  ".join(lines) + more,
        remedy=remedy + (" --sign-off NAME answers for all that only want a look." if looks else ""),
        waiting=waiting,
    )


def reasons(waiting: Open) -> tuple[str, ...]:
    """Why photos and clips that wait for a person hold a delivery back, in words without a stop."""
    photos = [names for one, names in waiting if isinstance(one, Photo)]
    undecided = sum("cull" in names for names in photos)
    unlooked = sum(any(UNREVIEWED in name for name in names) for names in photos)
    unanswered = sum("cull" not in names and any(UNREVIEWED not in n for n in names) for names in photos)
    parts = []
    if undecided:
        parts.append(f"{many(undecided, 'photo is', 'photos are')} not decided")
    if unanswered:
        parts.append(f"{many(unanswered, 'kept photo has', 'kept photos have')} edits that nobody has answered")
    if unlooked:
        parts.append(f"{many(unlooked, 'kept photo needs', 'kept photos need')} {UNREVIEWED}")
    for kind, one, more in ((Kind.VIDEO, "clip has", "clips have"), (Kind.AUDIO, "sound has", "sounds have")):
        some = sum(isinstance(w, Footage) and w.asset.kind is kind for w, _ in waiting)
        if some:
            parts.append(f"{many(some, one, more)} cuts that nobody has answered")
    return tuple(parts)


def _words(waiting: Open) -> str:
    first = "; ".join(
        f"{one.path}: {', '.join(name.replace('_', ' ') for name in names)}" for one, names in waiting[:3]
    )
    return f"{', '.join(reasons(waiting))} (first: {first})."
