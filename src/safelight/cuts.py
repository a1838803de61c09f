"""The cuts of a clip: what is proposed, what people made of it, what is left to play; and single answers as one edit.

A person judges cuts one by one, and each answer is a verdict on the whole edit: what is dropped or moved is changed
there, and what nobody has looked at yet is named in its `open`. So an answer is undone like any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, TypedDict

from safelight import blind, plugins
from safelight import params as json_params
from safelight.cutting import NEEDS, PACES, Spoken, Talk, Word, word_of
from safelight.cutting.facts import frames
from safelight.domain import Because, Json, Measure, Proposal, Say, State, digest_of, exact
from safelight.errors import UsageError
from safelight.media.timeline import Chapter, Clip, Text, Timeline
from safelight.operators import Medium, Operator, Tools
from safelight.operators._lifts import CUT, DOUBT
from safelight.params import to_json
from safelight.state import Footage
from safelight.verdicts import Saying

TIGHTEN, STRIKE, CAPTIONS, SELECT, CHAPTERS = "tighten", "strike", "captions", "select", "chapters"
HEARD = "heard_back-"  # before the frame, in the names of joins at which something else was heard
REST = "rest"  # is open while somebody cuts a clip without a suggestion, until they say that this is all
EVIDENCE = NEEDS  # what a clip's facts must hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Frames [start, end) that go, or would. `state`: proposed, approved, dropped, moved or added; `was`: the frames as
    they were proposed; `inside`: words that are heard there."""

    name: str
    operator: str
    start: int
    end: int
    state: str
    was: tuple[int, int] | None
    rule: str
    text: str
    evidence: Mapping[str, Json] = field(default_factory=dict)
    inside: tuple[str, ...] = ()

    @property
    def goes(self) -> bool:
        """Whether it is cut as things stand."""
        return self.state != "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Frames [start, end) that stay until a person says otherwise, and why. `stays`: a person has looked and left them
    as they are."""

    operator: str
    start: int
    end: int
    rule: str
    text: str
    evidence: Mapping[str, Json] = field(default_factory=dict)
    stays: bool = False

    @property
    def name(self) -> str:
        """What it is called where it is answered, and cut after all."""
        return f"{self.rule}-{self.start}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One operator's edit of a clip: where it stands, its cuts and doubts by time, and what else it says. `blind`:
    whether it is judged without a suggestion, so that all its cuts are a person's own."""

    operator: str
    state: State | None
    zone: str
    by: str | None
    cannot_tell: str | None
    pace: str | None
    cuts: tuple[Cut, ...]
    doubts: tuple[Doubt, ...]
    notes: tuple[str, ...]
    blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person says about one cut, by name: `approve`, `drop`, or `move` to frames [start, end); and about one
    doubt: `leave`, that it stays as it is."""

    name: str
    say: str
    start: int | None = None
    end: int | None = None


def operators() -> list[Operator[Any]]:
    """Those that lift stretches out of a clip, in the order in which they are rendered."""
    found = [op for op in plugins.operators().values() if op.medium is Medium.TIMELINE and hasattr(op.params(), "cuts")]
    return sorted(found, key=lambda op: (op.stage, op.rank, op.name))


def words(clip: Footage, first: int = 0, most: int | None = None) -> tuple[Word, ...]:
    """What is heard in a clip, or so many words of it from one on; nothing where that is not known."""
    told = clip.facts.get("words")
    value: Any = told.value if told is not None else None
    rows = value["words"] if isinstance(value, dict) else []
    return tuple(word_of(row) for row in rows[first : None if most is None else first + most])


def talk(clip: Footage) -> Talk:
    """The talk in a clip. Raises UsageError where it is not known."""
    found = Talk.of(clip.facts, clip.asset.duration_s)
    if isinstance(found, Talk):
        return found
    raise UsageError(
        found or f"Nobody is known to speak in {clip.path}.", remedy="Let a run hear all of it: `safelight run`."
    )


# ---------------------------------------------------------------- what there is


def listed(clip: Footage) -> list[Listed]:
    """Every edit of a clip that lifts something, as things stand."""
    return [one for op in operators() if (one := _listed(clip, op)) is not None]


def _listed(clip: Footage, op: Operator[Any]) -> Listed | None:
    proposal, verdict = clip.proposals.get(op.name), clip.standing.get(op.name)
    state = clip.state(op.name)
    if proposal is None and verdict is None:
        return None
    held = _held(clip, op)
    told = _reasons(clip, proposal, held)
    return Listed(
        operator=op.name, state=state, zone=proposal.zone.value if proposal else "human",
        by=verdict.by if verdict else None, cannot_tell=proposal.cannot_tell if proposal else None,
        pace=held.get("pace"), cuts=tuple(_cuts(clip, op.name, proposal, held, told)),
        doubts=tuple(_left_alone(d, held) for d in _doubts(op.name, proposal)),
        notes=tuple(b.text for b in (proposal.because if proposal else ()) if not b.code),
        blind=blind.is_blank(proposal),
    )  # fmt: skip


def _doubts(operator: str, proposal: Proposal | None) -> Iterable[Doubt]:
    for b in proposal.because if proposal else ():
        span = _frames(b)
        if span and b.code.startswith(DOUBT):
            rule = b.code.removeprefix(DOUBT)
            yield Doubt(operator=operator, start=span[0], end=span[1], rule=rule, text=b.text, evidence=_rest(b))


def _left_alone(doubt: Doubt, held: Mapping[str, Any]) -> Doubt:
    return replace(doubt, stays=doubt.name in held.get("stays", ()))


def _held(clip: Footage, op: Operator[Any]) -> Mapping[str, Any]:
    """The params that hold, or would if the proposal were approved; after a reject, those of no change."""
    verdict, proposal = clip.standing.get(op.name), clip.proposals.get(op.name)
    if verdict is not None and verdict.params is not None:
        return verdict.params
    if verdict is not None and verdict.say is Say.REJECT:
        return {**(proposal.edit.params if proposal else {}), "cuts": [], "open": [], "stays": []}
    return proposal.edit.params if proposal is not None and proposal.offers else to_json(op.params())


def _reasons(clip: Footage, proposal: Proposal | None, held: Mapping[str, Any]) -> dict[str, Because]:
    """The reasons of cuts, by the cuts' names: as proposed, or, of another pace, as they follow from the evidence."""
    found = {_name(b): b for b in (proposal.because if proposal else ()) if b.code.startswith(CUT)}
    pace = held.get("pace")
    if pace in PACES and proposal is not None and pace != proposal.edit.params.get("pace"):
        known = Talk.of(clip.facts, clip.asset.duration_s)
        plan = known.tightened(PACES[pace]) if isinstance(known, Talk) else None
        for c in plan.cuts if plan else ():
            value: dict[str, Json] = {"frames": [c.start, c.end], **dict(c.evidence)}
            found[f"{c.rule}-{c.start}"] = Because(evidence="quiet", value=value, text=c.text, code=CUT + c.rule)
    return found


def _cuts(
    clip: Footage, operator: str, proposal: Proposal | None, held: Mapping[str, Any], told: Mapping[str, Because]
) -> Iterable[Cut]:
    rate, _ = frames(clip.facts, clip.asset.duration_s)
    offered = _offered(proposal, held, rate)
    now = {c["name"]: _span(c, rate) for c in held["cuts"]}
    open_ = set(held.get("open", ()))
    unanswered = clip.standing.get(operator) is None
    spoken = Spoken.of(words(clip))
    rows = []
    for name in {*offered, *now}:
        span, was, because = now.get(name), offered.get(name), told.get(name)
        if span is None:
            state = "dropped"
        elif was is None:
            state = "added"
        elif span != was:
            state = "moved"
        else:
            state = "proposed" if unanswered or name in open_ else "approved"
        start, end = span or was or (0, 0)
        rows.append(Cut(
            name=name, operator=operator, start=start, end=end, state=state, was=was,
            rule=because.code.removeprefix(CUT) if because else name.rpartition("-")[0] or operator,
            text=because.text if because else "", evidence=_rest(because) if because else {},
            inside=tuple(w.text for w in spoken.within(start / rate, end / rate)),
        ))  # fmt: skip
    return sorted(rows, key=lambda c: (c.start, c.end))


def _offered(proposal: Proposal | None, held: Mapping[str, Any], rate: Fraction) -> dict[str, tuple[int, int]]:
    """Cuts as the machine would make them for the pace that holds, by name."""
    if proposal is None or not proposal.offers:
        return {}
    for edit in (proposal.edit, *proposal.alternatives):
        if edit.params.get("pace") == held.get("pace"):
            rows: Any = edit.params["cuts"]
            return {c["name"]: _span(c, rate) for c in rows}
    return {}


def _span(cut: Mapping[str, Any], rate: Fraction) -> tuple[int, int]:
    return round(Fraction(cut["start"]) * rate), round(Fraction(cut["end"]) * rate)


def _frames(because: Because) -> tuple[int, int] | None:
    value: Any = because.value
    return (value["frames"][0], value["frames"][1]) if isinstance(value, dict) and "frames" in value else None


def _name(because: Because) -> str:
    found = _frames(because)
    return f"{because.code.removeprefix(CUT)}-{found[0]}" if found else ""


def _rest(because: Because) -> dict[str, Json]:
    value: Any = because.value
    return {k: v for k, v in value.items() if k != "frames"} if isinstance(value, dict) else {}


def timeline(clip: Footage, *, proposed: bool = False) -> Timeline:
    """What is left to play: with what people decided, and with `proposed` also with what waits for them."""
    rate, length = frames(clip.facts, clip.asset.duration_s)
    if not length:
        return Timeline(clips=())
    made = Timeline(clips=(Clip(source=clip.id, start=Fraction(0), end=length / rate, rate=rate),))
    for edit in clip.edits(proposed=proposed):
        op = plugins.operator(edit.operator)
        held = edit.params if proposed else _answered_in(edit.params)
        made = op.render(made, json_params.from_json(op.params, held), NO_TOOLS)
    return made


def _answered_in(held: Mapping[str, Any]) -> Mapping[str, Any]:
    """An edit without those of its cuts that nobody has looked at yet."""
    open_ = set(held.get("open", ()))
    return {**held, "cuts": [c for c in held["cuts"] if c["name"] not in open_], "open": []} if open_ else held


def _nothing_kept(digest: str) -> bytes:
    raise UsageError(f"A timeline needs no kept object {digest[:12]}.")


NO_TOOLS = Tools(kept=_nothing_kept, weights={})


def kept(clip: Footage, *, proposed: bool = False) -> list[tuple[int, int]]:
    """The frame ranges of a clip that are played, in order."""
    return [
        (round(part.start * part.rate), round(part.end * part.rate)) for part in timeline(clip, proposed=proposed).clips
    ]


class Counted(TypedDict):
    """How the frames of a clip are counted."""

    rate: Fraction
    length: int


def counted(clip: Footage) -> Counted:
    """The rate in which a clip is cut, and how many frames it has."""
    rate, length = frames(clip.facts, clip.asset.duration_s)
    return Counted(rate=rate, length=length)


def told_back(clip: Footage, measure: Measure | None) -> list[Doubt]:
    """What was heard otherwise, as doubts at frames of the clip, of the operator whose cut is nearest."""
    value: Any = measure.value if measure is not None and measure.value is not None else {"differences": ()}
    held = {one.operator: _held(clip, _lifting(one.operator)) for one in listed(clip)}
    made = [c for one in listed(clip) for c in one.cuts if c.goes]
    found = []
    for d in value["differences"]:
        frame = d["frame"]
        near = min(made, key=lambda c: min(abs(c.start - frame), abs(c.end - frame)), default=None)
        doubt = Doubt(
            operator=near.operator if near else "", start=frame, end=frame + 1, rule=HEARD.rstrip("-"), text=d["text"],
            evidence={"expected": d["expected"], "heard": d["heard"]},
        )  # fmt: skip
        found.append(_left_alone(doubt, held.get(doubt.operator, {})))
    return found


# ---------------------------------------------------------------- single answers


def answered(clip: Footage, operator: str, answers: Sequence[Answer], saying: Saying) -> Saying:
    """A decision about single cuts and doubts as one about the whole edit. Raises UsageError for a cut that there is
    not, or one that is moved upon another or out of the clip."""
    op = _lifting(operator)
    one = _listed(clip, op)
    if one is None and any(said.say not in ("move", "leave") for said in answers):
        raise UsageError(f"{operator} proposes no cuts for {clip.path}.", remedy="See `safelight explain`.")
    rate, length = frames(clip.facts, clip.asset.duration_s)
    listed_ = one.cuts if one is not None else ()  # a person may cut where nothing is proposed
    cuts = {c.name: c for c in listed_}
    now = {c.name: (c.start, c.end) for c in listed_ if c.goes}
    open_ = {c.name for c in listed_ if c.state == "proposed"}
    doubts = {d.name for d in one.doubts} if one is not None else set()
    stays = set(_held(clip, op).get("stays", ()))
    for said in answers:
        if said.say == "leave":
            if said.name not in doubts and not said.name.startswith(HEARD):
                raise UsageError(f"There is no doubt {said.name!r} in {clip.path}.", remedy="Load the list again.")
            stays.add(said.name)
            continue
        stays.discard(said.name)
        cut = cuts.get(said.name)
        if cut is None and (said.say != "move" or said.start is None):
            raise UsageError(f"There is no cut {said.name!r} in {clip.path}.", remedy="Load the list again.")
        open_.discard(said.name)
        if said.say == "drop":
            now.pop(said.name, None)
        elif said.say == "approve" and cut is not None:
            now[said.name] = cut.was or (cut.start, cut.end)
        elif said.start is None or said.end is None or not 0 <= said.start < said.end <= length:
            raise UsageError(
                f"{said.name} cannot go from frame {said.start} to {said.end}.",
                remedy=f"The clip has the frames 0 to {length}; a cut runs forwards.",
            )
        else:
            now[said.name] = (said.start, said.end)
    value = _params(op, now, rate, pace=one.pace if one is not None else None, open_=open_, stays=stays)
    if one is not None and one.blind:
        return _about(saying, operator, Say.MODIFY, {**value, "open": [REST]})
    return _as_decision(clip, operator, value, saying)


def finished(clip: Footage, operator: str, saying: Saying) -> Saying:
    """That the cuts somebody made in a clip without a suggestion are all. Raises UsageError where there are none."""
    held = clip.standing.get(operator)
    if held is None or not held.params or held.params.get("open") != [REST]:
        raise UsageError(
            f"Nobody was shown what {operator} suggests for {clip.path}, so that nothing can be approved.",
            remedy="Cut what you would cut, then say that this is all; or reject it, to leave the clip as it is.",
        )
    return _about(saying, operator, Say.MODIFY, {**held.params, "open": []})


def approved(clip: Footage, operator: str, saying: Saying) -> Saying:
    """An approval of all that is proposed, which keeps what was said of doubts."""
    held, proposal = clip.standing.get(operator), clip.proposals.get(operator)
    stays = held.params.get("stays") if held is not None and held.params else None
    if not stays or proposal is None or not proposal.offers:
        return saying
    return _about(saying, operator, Say.MODIFY, {**proposal.edit.params, "stays": stays})


def at_pace(clip: Footage, pace: str, saying: Saying) -> Saying:
    """The choice of a pace, whose cuts nobody has looked at yet. Raises UsageError for one that is not offered."""
    proposal = clip.proposals.get(TIGHTEN)
    is_shown = proposal is not None and proposal.offers and not blind.is_blank(proposal)
    for edit in (proposal.edit, *proposal.alternatives) if proposal is not None and is_shown else ():
        if edit.params.get("pace") == pace:
            rows: Any = edit.params["cuts"]
            names = [c["name"] for c in rows]
            stays = _held(clip, _lifting(TIGHTEN)).get("stays", ())
            return _about(saying, TIGHTEN, Say.MODIFY, {**edit.params, "open": names, "stays": list(stays)})
    raise UsageError(f"The pace {pace!r} is not offered for {clip.path}.", remedy=f"There are {', '.join(PACES)}.")


def texts(clip: Footage) -> tuple[Text, ...]:
    """The captions that a person set."""
    held = clip.standing.get(CAPTIONS)
    if held is None or held.params is None:
        return ()
    found: tuple[Text, ...] = json_params.from_json(plugins.operator(CAPTIONS).params, held.params).texts
    return found


def chapters(clip: Footage, *, proposed: bool = False) -> tuple[Chapter, ...] | None:
    """The chapters that people decided about, and with `proposed` also those that wait; None where none were proposed
    and nobody has set any."""
    proposal = clip.proposals.get(CHAPTERS)
    if CHAPTERS not in clip.standing and (proposal is None or not proposal.offers):
        return None
    return timeline(clip, proposed=proposed).chapters


def set_captions(clip: Footage) -> str:
    """Changes with the captions that people set; empty where there are none."""
    return digest_of([to_json(t) for t in texts(clip)])[:12] if texts(clip) else ""


def captioned(clip: Footage, text: Text, saying: Saying, *, back: bool = False) -> Saying:
    """That a caption is as somebody set it, in place of others for the same words; or, with `back`, that none is."""
    rest = [t for t in texts(clip) if t.last <= text.first or t.first >= text.last]
    now = sorted([*rest, *([] if back else [text])], key=lambda t: t.first)
    params = plugins.operator(CAPTIONS).params
    return _about(saying, CAPTIONS, Say.MODIFY, to_json(params(texts=tuple(now))))


def struck(clip: Footage) -> list[tuple[int, int]]:
    """The words that are struck, as index ranges, half-open."""
    verdict = clip.standing.get(STRIKE)
    rows: Any = verdict.params["cuts"] if verdict is not None and verdict.params is not None else []
    return [(int(a), int(b)) for a, _, b in (c["name"].partition("-") for c in rows)]


def strike(
    clip: Footage, ranges: Sequence[tuple[int, int]], saying: Saying, *, back: bool = False
) -> tuple[Saying, list[Doubt]]:
    """Strikes words (index ranges, half-open), or takes that `back`; and what runs into the words beside it, so that
    the join wants to be listened to. Raises UsageError for words that are not there."""
    known = talk(clip)
    numbers = {n for a, b in struck(clip) for n in range(a, b)}
    said = set[int]()
    for first, last in ranges:
        if not 0 <= first < last <= len(known.words):
            raise UsageError(
                f"Words {first} to {last} are not there.", remedy=f"{clip.path} has {len(known.words)} words."
            )
        said |= set(range(first, last))
    numbers = numbers - said if back else numbers | said
    plan = known.without(_joined(numbers), anyway=True)
    now = {str(dict(c.evidence)["range"]): (c.start, c.end) for c in plan.cuts}
    held = clip.standing.get(STRIKE)
    stays: Any = held.params.get("stays", ()) if held is not None and held.params else ()
    value = _params(_lifting(STRIKE), now, known.rate, pace=None, open_=set(), stays=set(stays))
    left = [
        Doubt(operator=STRIKE, start=d.start, end=d.end, rule=d.rule, text=d.text, evidence=dict(d.evidence))
        for d in plan.doubts
    ]
    return _about(saying, STRIKE, Say.MODIFY, value), left


def _joined(numbers: Iterable[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for n in sorted(numbers):
        if found and found[-1][1] == n:
            found[-1] = (found[-1][0], n + 1)
        else:
            found.append((n, n + 1))
    return found


def _lifting(name: str) -> Operator[Any]:
    found = {op.name: op for op in operators()}
    if name not in found:
        raise UsageError(f"{name} cuts nothing out of clips.", remedy=f"There are {', '.join(found)}.")
    return found[name]


def _params(
    op: Operator[Any],
    now: Mapping[str, tuple[int, int]],
    rate: Fraction,
    *,
    pace: str | None,
    open_: set[str],
    stays: set[str],
) -> dict[str, Any]:
    rows = [
        {"name": name, "start": exact(a / rate), "end": exact(b / rate)}
        for name, (a, b) in sorted(now.items(), key=lambda item: item[1])
    ]
    value: dict[str, Any] = {"cuts": rows, "stays": sorted(stays)} | ({"pace": pace} if pace else {})
    if hasattr(op.params(), "open"):
        value["open"] = [name for name, _ in sorted(now.items(), key=lambda item: item[1]) if name in open_]
    return to_json(json_params.from_json(op.params, value))


def _as_decision(clip: Footage, operator: str, value: Mapping[str, Any], saying: Saying) -> Saying:
    """An approval where nothing of what is proposed was changed and all was looked at, else a change."""
    proposal = clip.proposals.get(operator)
    op = plugins.operator(operator)
    same = proposal is not None and proposal.offers and json_params.from_json(op.params, proposal.edit.params)
    if same and same == json_params.from_json(op.params, value):
        return _about(saying, operator, Say.APPROVE, None)
    return _about(saying, operator, Say.MODIFY, value)


def _about(saying: Saying, operator: str, say: Say, value: Mapping[str, Any] | None) -> Saying:
    return replace(saying, say=say, operators=(operator,), params=value)
