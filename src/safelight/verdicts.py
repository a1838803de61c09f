"""What people decide, from wherever they say it: the command line, the app, a sidecar. One door into the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from safelight import blind, earned, params, plugins, standing, weights
from safelight.domain import Cull, Drawn, Edit, Input, Proposal, Say, State, Verdict, Version
from safelight.earned import Coins
from safelight.errors import UsageError
from safelight.operators import Medium, Operator
from safelight.state import CHECK, POLICY, Judged, Photo, ShootState
from safelight.store import records
from safelight.store.library import Library, now
from safelight.store.schema import RETURNED
from safelight.words import many

NOT_SHOWN = "a coin drew it to be decided without a suggestion, so that the time saved can be measured"
HOW = (
    "Decide each in `safelight review`, or by name with `safelight verdict PHOTO --operator NAME --say modify|reject`."
)
NAMED = 3  # items that are named one by one
REASONS = {  # reason codes; free text goes into the note
    "too_bright": "Too bright",
    "too_dark": "Too dark",
    "too_warm": "Too warm",
    "too_cool": "Too cool",
    "mood_lost": "The mood is lost",
    "not_sharp": "Not sharp",
    "eyes": "Eyes or expression",
    "framing": "Framing",
    "moment": "The moment counts more",
    "duplicate": "One of these is enough",
    "taste": "A matter of taste",
    "no_fault": "What was found is no fault",
    "wanted": "It is wanted so",
    "word_lost": "A word or its ending is lost",
    "pace": "The pause is meant",
    RETURNED: "A client sent it back",
    "other": "Something else",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A decision before it is applied to its targets."""

    say: Say
    by: str
    operators: tuple[str, ...] = ()  # empty: everything that is proposed
    params: Mapping[str, Any] | None = None
    reason: str = ""
    note: str = ""
    seconds: float | None = None
    group: str | None = None  # the scene or group that was shown as one
    drawn: Drawn | None = None
    at: str | None = None  # the moment of the decision; default: now. What was said at one moment is undone at once
    bundled: int | None = None  # how many items the decision answers, where it is written in parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of a decision: verdicts written, and (path, operator, why) of what it could not answer."""

    verdicts: tuple[Verdict, ...]
    left: tuple[tuple[str, str, str], ...]

    @property
    def passed_over(self) -> int:
        """How many of the answered a coin had drawn to be looked at one by one, and were answered with others: on the
        record nobody has looked at them."""
        return sum(v.drawn in (Drawn.CANARY, Drawn.AUDIT) and v.bundled > 1 and not v.bad for v in self.verdicts)


def told(said: Sequence[Said]) -> list[str]:
    """What came of decisions, as lines: what is left is counted by why."""
    written, over = sum(len(one.verdicts) for one in said), sum(one.passed_over for one in said)
    left: dict[str, list[str]] = {}
    for path, name, why in (row for one in said for row in one.left):
        left.setdefault(why, []).append(f"{path}, {name.replace('_', ' ')}")
    stays = many(sum(map(len, left.values())), "stays as it was", "stay as they were")
    lines = [f"{written:,} answered." + (f" {stays}:" if left else "")]
    for why, items in left.items():
        more = f" … and {len(items) - NAMED} more" if len(items) > NAMED else ""
        lines.append(f"  {len(items):,}: {why} ({'; '.join(items[:NAMED])}{more}).")
    if NOT_SHOWN in left:
        lines.append(f"  {HOW}")
    if over:
        lines.append(
            f"A coin had drawn {many(over, 'item')} of these to be looked at one by one. Answered together, they count "
            "as not looked at."
        )
    return lines


def decide(library: Library, state: ShootState, photos: Sequence[Judged], saying: Saying) -> Said:
    """Writes one verdict for each photo or clip and operator that the decision is about, in one transaction.

    What is to be decided without its suggestion (`blind`) is never approved, and not rejected with others: it stays
    open. What else a coin drew is answered like the rest; answered together it is recorded as that, and counts as not
    looked at.

    Raises UsageError for an unknown operator, reason or param, before anything is written."""
    checked(saying)
    saying = replace(saying, at=saying.at or now())
    verdicts: list[Verdict] = []
    left: list[tuple[str, str, str]] = []
    coins = earned.coins(library, state.shoot.id, [photo.id for photo in photos])
    unseen = blind.unseen(blind.drawn(coins), photos)
    alone = len(photos) == len(saying.operators) == 1 and (saying.bundled or 1) == 1
    held: list[tuple[Judged, str]] = []
    for photo in photos:
        for name in saying.operators or _all_of(photo):
            if (photo.id, name) in unseen and _needs_seeing(saying.say, alone=alone):
                held.append((photo, name))
                continue
            hidden = (photo.id, name) in unseen
            outcome = _answer(photo, plugins.operator(name), saying, shown_together=len(photos) > 1, hidden=hidden)
            if isinstance(outcome, str):
                if saying.operators or name == "cull":
                    left.append((photo.path, name, outcome))
                continue
            verdicts.append(_verdict(photo, name, saying, answer=outcome, state=state, coins=coins, unseen=unseen))
    bundled = max(saying.bundled or 1, len(verdicts))
    final = tuple(_bundled(v, bundled) for v in verdicts)
    records.save_verdicts(library, final)
    for verdict in final:
        state.ledger.add(verdict)
        state.hold(verdict.asset, verdict.operator)
    state.shake(library)
    left += [(photo.path, name, NOT_SHOWN) for photo, name in held if saying.operators or name in photo.waits()]
    return Said(verdicts=final, left=tuple(left))


def _needs_seeing(say: Say, *, alone: bool) -> bool:
    """Whether a decision takes a suggestion as it is, or leaves it, so that it cannot mean one that was not shown.
    Whoever looks at one photo alone may say that nothing is to be done there."""
    return say is Say.APPROVE or (say is Say.REJECT and not alone)


def decide_set(library: Library, state: ShootState, photos: Sequence[Judged], saying: Saying) -> Said:
    """One decision about a set that was named as one: whoever names it has not looked at each, even where only one of
    them was left to answer."""
    return decide(library, state, photos, replace(saying, bundled=len(photos)))


def decide_each(library: Library, state: ShootState, wanted: Mapping[str, Sequence[Photo]], saying: Saying) -> Said:
    """One decision that is about other photos for each operator: undone at once, its verdicts recorded as bundled."""
    saying = replace(saying, at=saying.at or now(), bundled=sum(map(len, wanted.values())) or None)
    parts = [
        decide(library, state, photos, replace(saying, operators=(name,))) for name, photos in wanted.items() if photos
    ]
    return Said(verdicts=sum((p.verdicts for p in parts), ()), left=sum((p.left for p in parts), ()))


def best(library: Library, state: ShootState, photos: Sequence[Photo], saying: Saying) -> Said:
    """One decision about whole stacks: these photos stay, and the rest of their groups goes."""
    chosen = {photo.id for photo in photos}
    rest = {m for photo in photos if photo.group is not None for m in photo.group.members} - chosen
    saying = replace(saying, at=saying.at or now())
    out = []
    for ids, decision in ((chosen, Cull.KEEP), (rest, Cull.REJECT)):
        wanted = [state.photos[i] for i in sorted(ids) if i in state.photos]
        params_ = {"decision": decision.value, "tie_with": ""}
        out.append(decide(library, state, wanted, replace(saying, say=Say.MODIFY, operators=("cull",), params=params_)))
    return Said(verdicts=out[0].verdicts + out[1].verdicts, left=out[0].left + out[1].left)


def choose(library: Library, state: ShootState, wanted: Mapping[str, Cull], saying: Saying) -> Said:
    """One decision that names for each photo (by id) whether it stays: an approval where the machine proposed the
    same, else a change."""
    saying = replace(saying, at=saying.at or now(), operators=("cull",))
    photos = [state.photos[i] for i in wanted]
    unseen = blind.unseen(blind.drawn(earned.coins(library, state.shoot.id, list(wanted))), photos)
    agreed, changed = [], {decision: list[Photo]() for decision in Cull}
    for id_, decision in wanted.items():
        photo = state.photos[id_]
        proposal = photo.proposals.get("cull")
        offered = proposal if (id_, "cull") not in unseen else None
        if offered is not None and offered.edit.params["decision"] == decision.value != Cull.UNDECIDED.value:
            agreed.append(photo)
        else:
            changed[decision].append(photo)
    parts = [decide(library, state, agreed, replace(saying, say=Say.APPROVE, params=None))] if agreed else []
    for decision, photos in changed.items():
        params_ = {"decision": decision.value, "tie_with": ""}
        if photos:
            parts.append(decide(library, state, photos, replace(saying, say=Say.MODIFY, params=params_)))
    return Said(verdicts=sum((p.verdicts for p in parts), ()), left=sum((p.left for p in parts), ()))


def last_of(state: ShootState, by: str) -> Verdict | None:
    """The newest verdict of a person on this shoot that nobody has taken back."""
    ledger = state.ledger
    mine = (
        v for v in reversed(ledger.rows)
        if v.by == by and v.say is not Say.UNDO and (state.judged(v.asset) or _is_apart(v))
    )  # fmt: skip
    return next((v for v in mine if v in ledger.kept(v.asset, v.operator)), None)


def undo_last(library: Library, state: ShootState, *, by: str) -> Said:
    """Takes back the newest decision of a person, with everything it answered. What somebody else has decided on the
    same items stands, and is named in `left`."""
    last = last_of(state, by)
    if last is None:
        return Said(verdicts=(), left=())
    at = now()
    act = [v for v in state.ledger.rows if v.at == last.at and v.by == by]
    done = _taken_back(library, state, [v for v in act if _is_apart(v)], at=at)
    act = [v for v in act if state.judged(v.asset) and not _is_apart(v)]
    left: list[tuple[str, str, str]] = []
    for name in dict.fromkeys(v.operator for v in act):
        mine = [v for v in act if v.operator == name and v in state.ledger.kept(v.asset, name)]
        saying = Saying(say=Say.UNDO, by=by, operators=(name,), at=at)
        about = [found for v in mine if (found := state.judged(v.asset)) is not None]
        done += decide(library, state, about, saying).verdicts
        for one in about:
            holds = one.standing.get(name)
            if holds is not None and holds.by != by:
                left.append((one.path, name, f"what {holds.by} said stands"))
    return Said(verdicts=tuple(done), left=tuple(left))


def _is_apart(verdict: Verdict) -> bool:
    """Whether a verdict is about no edit of a photo: about a finding, or about what was spoilt on purpose or asked
    anew, which has an id of its own."""
    is_own = verdict.drawn is Drawn.KNOWN_BAD or verdict.asset == verdict.proposal
    return is_own or verdict.operator.startswith(CHECK)


def _taken_back(library: Library, state: ShootState, said: Sequence[Verdict], *, at: str) -> list[Verdict]:
    """Takes back verdicts that are about no edit of a photo; returns those that photos show."""
    kept = [v for v in said if v in state.ledger.kept(v.asset, v.operator)]
    back = [replace(v, at=at, say=Say.UNDO, params=None, reason="", note="", seconds=None, material=None) for v in kept]
    records.save_verdicts(library, back)
    for verdict in back:
        state.ledger.add(verdict)
        state.hold(verdict.asset, verdict.operator)
    return [v for v in back if state.judged(v.asset)]


def members(state: ShootState, group_id: str) -> list[Photo]:
    """Photos of a scene or group."""
    return [state.photos[m] for m in state.group(group_id).members if m in state.photos]


# ---------------------------------------------------------------- one photo, one operator


def _all_of(photo: Judged) -> list[str]:
    """Operators that have something to say about a photo, culling first; edits only of photos that may stay."""
    said = {name for name in photo.standing if not name.startswith(CHECK)}
    return sorted({*photo.proposals, *said}, key=lambda name: (name != "cull", name))


def _answer(
    photo: Judged, op: Operator[Any], saying: Saying, *, shown_together: bool, hidden: bool
) -> tuple[Mapping[str, Any] | None, Proposal | None] | str:
    """The params that hold after this decision, and the proposal it answers; or why it cannot be answered so."""
    if (op.medium is Medium.TIMELINE) != (photo.MEDIUM is Medium.TIMELINE):
        return "it is about clips" if op.medium is Medium.TIMELINE else "it is about photos"
    proposal = photo.proposals.get(op.name)
    if saying.say is Say.UNDO:
        holds = photo.standing.get(op.name)
        if holds is None or holds.by.startswith(POLICY):
            return "nobody has decided anything that could be undone"
        return None, proposal
    if saying.say is Say.MODIFY:
        assert saying.params is not None
        offered = proposal if not hidden else None
        base = offered.edit.params if offered else params.to_json(op.params())
        return params.to_json(params.from_json(op.params, {**base, **saying.params})), proposal
    if saying.say is Say.APPROVE:
        return _approval(photo, op, saying, shown_together=shown_together)
    return "nothing is proposed" if proposal is None else (None, proposal)


def _approval(
    photo: Judged, op: Operator[Any], saying: Saying, *, shown_together: bool
) -> tuple[Mapping[str, Any] | None, Proposal | None] | str:
    """What approving means: what is proposed, or what stands, seen again on what has changed below it."""
    proposal = photo.proposals.get(op.name)
    held = photo.standing.get(op.name)
    if op.name in photo.shaken or (op.name in photo.contested and held is not None and held.params is not None):
        return photo.standing[op.name].params, proposal
    if proposal is None:
        return "nothing is proposed"
    if proposal.cannot_tell is not None:
        return f"the machine proposes nothing: {proposal.cannot_tell}"
    if not saying.operators and photo.state(op.name) is not State.PROPOSED and op.name not in photo.contested:
        return "answered before"
    if op.name == "cull" and proposal.edit.params["decision"] == Cull.UNDECIDED.value:
        if shown_together and proposal.edit.params["tie_with"]:
            # Whoever approves a stack as it is shown takes its best and lets its equals go.
            return {**proposal.edit.params, "decision": Cull.REJECT.value}, proposal
        return "undecided: say whether it is kept or rejected"
    return proposal.edit.params, proposal


def _verdict(
    photo: Judged,
    name: str,
    saying: Saying,
    *,
    answer: tuple[Mapping[str, Any] | None, Proposal | None],
    state: ShootState,
    coins: Coins,
    unseen: frozenset[tuple[str, str]],
) -> Verdict:
    values, proposal = answer
    coin = coins.get((photo.id, name))
    op = plugins.operator(name)
    return Verdict(
        at=saying.at or now(),
        by=saying.by,
        asset=photo.id,
        shoot=state.shoot.id,
        operator=name,
        version=proposal.edit.version if proposal else op.version,
        say=saying.say,
        proposal=proposal.id if proposal else None,
        group=proposal.group if proposal else None,
        weights=weights.used(op.weights),
        score=proposal.score if proposal else None,
        reason=saying.reason,
        note=saying.note,
        params=values,
        seconds=saying.seconds,
        drawn=saying.drawn or (coin.drawn if coin is not None else Drawn.REVIEW),
        upon=standing.below(_edits(photo, unseen), name) if op.medium is Medium.FRAME else None,
        together=saying.group,
        shown=None if (photo.id, name) in unseen else _shown(photo, proposal),
        material=_material(op, proposal, values) if saying.say is Say.MODIFY else None,
    )


def _edits(photo: Judged, unseen: frozenset[tuple[str, str]]) -> tuple[Edit, ...]:
    """The edits with which a photo was shown."""
    return tuple(edit for edit in photo.edits(proposed=True) if (photo.id, edit.operator) not in unseen)


def _shown(photo: Judged, proposal: Proposal | None) -> Mapping[str, Any] | None:
    """What stood beside the proposal: its reasons, and the version whose checks were shown."""
    if proposal is None:
        return None
    edits = photo.edits(proposed=True)
    version = Version(inputs=(Input(id=photo.id),), edits=edits).id if edits else None
    return {"because": [[b.evidence, b.value] for b in proposal.because], "version": version}


def _material(op: Operator[Any], proposal: Proposal | None, values: Mapping[str, Any] | None) -> bool | None:
    """Whether a change is large enough to count as a reject, by the operator's threshold. Where nothing was offered
    nothing was wrong; None where it was made by another version of the operator."""
    if proposal is None or not proposal.offers:
        return False
    if proposal.edit.version != op.version or op.material is None or values is None:
        return None
    before, after = (params.from_json(op.params, each) for each in (proposal.edit.params, values))
    return op.material(before, after)


def _bundled(verdict: Verdict, count: int) -> Verdict:
    fields = {name: getattr(verdict, name) for name in Verdict.__slots__}
    seconds = verdict.seconds / count if verdict.seconds is not None else None
    return Verdict(**(fields | {"bundled": count, "seconds": seconds}))


def checked(saying: Saying) -> None:
    """Raises UsageError for a decision that cannot be meant: an unknown operator, reason or param, or nobody's name.
    What is said of a suggestion that was spoilt on purpose is no decision about a photo."""
    if saying.drawn is Drawn.KNOWN_BAD:
        raise UsageError("That is no decision about a photo.", remedy="Answer it through the queue.")
    if not saying.by.strip() or saying.by.startswith(POLICY):
        raise UsageError(
            f"A decision by {saying.by!r} is nobody's.",
            remedy="Name a person; only the line itself speaks as a policy.",
        )
    if saying.reason and saying.reason not in REASONS:
        raise UsageError(
            f"{saying.reason!r} is not a reason.", remedy=f"Reasons are {', '.join(REASONS)}; more goes into --note."
        )
    if saying.reason == RETURNED and saying.say in (Say.APPROVE, Say.UNDO):
        raise UsageError(
            f"What a client sent back is not right as it was: {saying.say.value} and {RETURNED!r} do not go together.",
            remedy="Say reject, or modify with what is right.",
        )
    if (saying.say is Say.MODIFY) != (saying.params is not None):
        raise UsageError(
            "Only `modify` takes params, and it needs them.", remedy="For example --params '{\"ev\": 0.5}'."
        )
    if saying.say is Say.MODIFY and len(saying.operators) != 1:
        raise UsageError("`modify` is about one operator.", remedy="Name it with --operator.")
    for name in saying.operators:
        op = plugins.operator(name)
        if saying.params is not None:
            params.from_json(op.params, {**params.to_json(op.params()), **saying.params})
