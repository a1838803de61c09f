"""The rough cut of one clip or several, from the record where a shoot knows them: what `safelight cut` writes.

clips ─▶ what goes (record, pace, struck words) ─▶ what is taken (passages, length) ─▶ programme ─▶ heard again
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from safelight import captioning, cuts, effects, interchange, overlaid, weights
from safelight.captioning import Played, Said
from safelight.captions import Breach, Captions, Preset
from safelight.cutting import PACES, Talk, Word, assembly, cutaways, heard_back, joined, measure, room, roughcut
from safelight.cutting.assembly import Assembly, Cover, Material, Piece
from safelight.cutting.cutaways import Offer, Other
from safelight.cutting.facts import frames, joins_of
from safelight.cutting.heard_back import Heard
from safelight.cutting.plan import Cut, Doubt
from safelight.cutting.roughcut import Sentence
from safelight.domain import Edit, Measure, exact
from safelight.errors import UsageError
from safelight.media import container, credentials
from safelight.media.container import Contents
from safelight.media.effects import Effect
from safelight.media.runs import rest
from safelight.media.timeline import Chapter, Cutaway, Split, Text
from safelight.speech import moonshine
from safelight.state import Footage

Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a rough cut is to be. `pace`: for clips whose pauses nobody has judged; None: as the record proposes.
    `passages`: (clip, frames) in the order in which they play. `struck`: words of the only clip. `decided`: with
    nothing that waits for a person. `cutaways`: clips whose steady shots are offered; `beside`: all clips of the
    shoots, by id, for cutaways that the record names."""

    pace: str | None = None
    length_s: Fraction | None = None
    passages: tuple["Passage", ...] = ()
    struck: tuple[Range, ...] = ()
    decided: bool = False
    cutaways: tuple[Other, ...] = ()
    beside: Mapping[str, Other] = field(default_factory=dict)
    name: str = "rough cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch that somebody chose: seconds of a clip, or its words by number; half-open. `clip` is a file's name;
    empty where there is only one."""

    clip: str = ""
    start: Fraction | None = None
    end: Fraction | None = None
    words: Range | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One clip before it is joined to others: what is played of it, what goes and why, what a person must say."""

    path: Path
    facts: Contents
    rate: Fraction
    length: int
    talk: Talk | None
    kept: tuple[Range, ...]
    cuts: tuple[Cut, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    open: int = 0  # cuts that nobody has looked at
    notes: tuple[str, ...] = ()
    faults: tuple[tuple[Fraction, Fraction], ...] = ()
    texts: tuple[Text, ...] = ()  # captions that a person set
    effects: tuple[Effect, ...] = ()  # what is done to its sound and picture where it is rendered
    chapters: tuple[Chapter, ...] | None = None  # None: nobody was asked about them
    shots: tuple[int, ...] | None = None  # frames at which later shots begin; None: nobody has looked
    splits: tuple[Split, ...] = ()  # joins whose picture a person rolled
    leads: tuple[Split, ...] | None = None  # those that wait; None: nobody was asked
    cutaways: tuple[Cutaway, ...] = ()  # that a person approved
    waiting: tuple[Cutaway, ...] = ()  # that are offered on the record


@dataclass(frozen=True, slots=True, kw_only=True)
class Rough:
    """The cut. `sentences`: all there were, and whether each was taken; empty where no length was asked for. `offers`:
    cutaways that were looked for."""

    made: Assembly
    clips: tuple[Planned, ...]
    sentences: tuple[Sentence, ...] = ()
    offers: tuple[Offer, ...] = ()
    heard: Heard | None = None
    not_heard: str = ""  # why nobody listened to the joins
    notes: tuple[str, ...] = field(default=())


def cut(
    clips: Sequence[tuple[Path, Footage | None]], wanted: Wanted, *, words: Sequence[Word] | None = None,
    listen: bool = True, tell: Callable[[str], None] = lambda _: None,
) -> Rough:  # fmt: skip
    """The rough cut of these clips, in this order. `words`: what is heard in the only clip, where no shoot knows it.

    Raises UsageError for what cannot be meant, MediaError for a clip that cannot be read."""
    planned = [planned_of(path, clip, wanted, words=words) for path, clip in clips]
    sentences: tuple[Sentence, ...] = ()
    if wanted.passages:
        pieces = [p for passage in wanted.passages for p in _passage(planned, passage)]
    elif wanted.length_s is not None:
        sentences, pieces = _fitting(planned, wanted.length_s)
    else:
        pieces = [Piece(clip=n, start=a, end=b) for n, one in enumerate(planned) for a, b in one.kept]
    if not pieces:
        raise UsageError("Nothing is left to play.", remedy="Strike less, or ask for a longer cut.")
    materials = [
        Material(
            path=p.path, facts=p.facts, rate=p.rate, length=p.length, words=p.talk.words if p.talk else (),
            doubts=p.doubts, effects=p.effects, chapters=p.chapters, shots=p.shots, splits=p.splits, leads=p.leads,
        )
        for p in planned
    ]  # fmt: skip
    made = assembly.assemble(materials, pieces, name=wanted.name)
    offers = cutaways.offered(made, wanted.cutaways) if wanted.cutaways else []
    covers, notes = _covers(made, planned, wanted, offers)
    if covers:
        made = assembly.assemble(materials, pieces, name=wanted.name, covers=covers)
    rough = Rough(
        made=made, clips=tuple(planned), sentences=sentences, offers=tuple(offers), notes=(*made.notes, *notes)
    )  # fmt: skip
    return _listened(rough, tell) if listen else replace(rough, not_heard="it was not asked for")


def _covers(
    made: Assembly, planned: Sequence[Planned], wanted: Wanted, offers: Sequence[Offer]
) -> tuple[list[Cover], list[str]]:  # fmt: skip
    """What lies over the picture: cutaways that people approved, and beside them, switched off, those that wait; or
    that were looked for now, in their place. What cannot be shown is told."""
    shown, notes = overlaid.laid(made, [p.cutaways for p in planned], wanted.beside, enabled=True)
    if offers:
        clear = [o.cover for o in offers if not any(o.cover.at < c.end and o.cover.end > c.at for c in shown)]
        return [*shown, *clear], notes
    waiting, told = overlaid.laid(made, [p.waiting for p in planned], wanted.beside, enabled=False, under=shown)
    return [*shown, *waiting], [*notes, *told]


def written(path: Path, made: Assembly) -> interchange.Written:
    """Writes the timeline of a cut; among its losses, the credentials that a film rendered from it will not have."""
    done = interchange.write(path, made.programme)
    used = [made.materials[piece.clip].path for piece in made.pieces]
    used += [cover.material.path for cover in made.covers if cover.enabled]
    lost = credentials.lost(used, what="a film that is rendered from it")
    return replace(done, losses=(*done.losses, *effects.lost(made), *lost))


def planned_of(
    path: Path, clip: Footage | None, wanted: Wanted, *, words: Sequence[Word] | None = None
) -> Planned:  # fmt: skip
    """What is cut of one clip: as the record has it, or, of one that no shoot knows, as it is found now."""
    facts = container.contents(path)
    if clip is None:
        return _unknown(path, facts, wanted, words)
    rate, length = frames(clip.facts, clip.asset.duration_s)
    talk = Talk.of(clip.facts, clip.asset.duration_s)
    known = talk if isinstance(talk, Talk) else None
    notes = [talk] if isinstance(talk, str) else []
    clip = _at_pace(clip, wanted.pace)
    anew = cuts.SELECT if wanted.length_s is not None else None  # sentences are chosen anew
    listed = [one for one in cuts.listed(clip) if one.operator != anew]
    taken = [c for one in listed for c in one.cuts if c.goes and (c.state != "proposed" or not wanted.decided)]
    gone = [
        Cut(start=c.start, end=c.end, rule=c.rule, text=c.text or "A person's cut.", evidence=tuple(_told(c.evidence)))
        for c in taken
    ]
    doubts = [
        Doubt(start=d.start, end=d.end, rule=d.rule, text=d.text, evidence=tuple(_told(d.evidence)))
        for one in listed for d in one.doubts if not d.stays
    ]  # fmt: skip
    struck, unsure = _struck(known, wanted, path)
    return Planned(
        path=path, facts=facts, rate=rate, length=length, talk=known, kept=_kept(length, [*gone, *struck]),
        cuts=tuple(sorted([*gone, *struck], key=lambda c: (c.start, c.end))),
        doubts=tuple(sorted([*doubts, *unsure], key=lambda d: d.start)),
        open=sum(c.state == "proposed" for one in listed for c in one.cuts),
        notes=(*notes, *(note for one in listed for note in one.notes)), faults=_faults(clip.facts),
        texts=cuts.texts(clip), effects=effects.of(clip, proposed=not wanted.decided),
        chapters=cuts.chapters(clip, proposed=not wanted.decided), shots=joins_of(clip.facts),
        splits=overlaid.splits(clip), leads=overlaid.leads(clip, proposed=not wanted.decided),
        cutaways=overlaid.cutaways(clip), waiting=() if wanted.decided else overlaid.waiting(clip),
    )  # fmt: skip


def _unknown(path: Path, facts: Contents, wanted: Wanted, words: Sequence[Word] | None) -> Planned:
    rate = facts.picture.rate if facts.picture and facts.picture.rate else None
    said = {"clip.rate": Measure(name="clip.rate", value=exact(rate))} if rate else {}
    fixed, length = frames(said, facts.duration_s)
    talk, found = None, []
    notes = [f"No shoot knows {path.name}: it is cut by its levels alone."] if words is None else []
    doubts: tuple[Doubt, ...] = ()
    if facts.sounds:
        heard = room(measure(path, facts=facts))
        talk = Talk(words=tuple(words or ()), speech=None, room=heard, rate=fixed, length=length)
        pace = PACES[wanted.pace or "balanced"]
        plan = talk.tightened(pace) if words is not None else talk.by_level(pace)
        found, doubts = list(plan.cuts), plan.doubts
        notes += plan.notes
    struck, unsure = _struck(talk if words is not None else None, wanted, path)
    if struck:
        found = [c for c in found if not any(c.start < s.end and c.end > s.start for s in struck)]
    return Planned(
        path=path, facts=facts, rate=fixed, length=length, talk=talk if words is not None else None,
        kept=_kept(length, [*found, *struck]), doubts=(*doubts, *unsure), open=len(found), notes=tuple(notes),
        cuts=tuple(sorted([*found, *struck], key=lambda c: (c.start, c.end))),
    )  # fmt: skip


def _at_pace(clip: Footage, pace: str | None) -> Footage:
    """With the proposal for another pace, where nobody has answered."""
    proposal = clip.proposals.get(cuts.TIGHTEN)
    if pace is None or proposal is None or not proposal.offers or cuts.TIGHTEN in clip.standing:
        return clip
    for edit in proposal.alternatives:
        if edit.params.get("pace") == pace:
            others: tuple[Edit, ...] = (proposal.edit, *(e for e in proposal.alternatives if e is not edit))
            chosen = replace(proposal, edit=edit, alternatives=others)
            return replace(clip, proposals={**clip.proposals, cuts.TIGHTEN: chosen})
    return clip


def _struck(talk: Talk | None, wanted: Wanted, path: Path) -> tuple[list[Cut], list[Doubt]]:
    if not wanted.struck:
        return [], []
    if talk is None:
        raise UsageError(f"The words of {path.name} are not known.", remedy="Let a run hear it first, or give --words.")
    try:
        plan = talk.without(list(wanted.struck), anyway=True)
    except ValueError as error:
        raise UsageError(f"--strike: {error}.", remedy="Numbers of words from 0: 12-18,40.") from error
    return list(plan.cuts), list(plan.doubts)


def _told(evidence: Mapping[str, Any]) -> list[tuple[str, float | str]]:
    return [(k, v) for k, v in evidence.items() if isinstance(v, int | float | str)]


def _kept(length: int, gone: Sequence[Cut]) -> tuple[Range, ...]:
    """The frame ranges that stay."""
    return tuple(rest(((one.start, one.end) for one in gone), length))


def _faults(facts: Mapping[str, Measure]) -> tuple[tuple[Fraction, Fraction], ...]:
    rows: list[Any] = []
    for name in ("faults.picture", "faults.sound"):
        found = facts.get(name)
        rows += found.value if found is not None and isinstance(found.value, list) else []
    return tuple((Fraction(row["start"]), Fraction(row["end"])) for row in rows)


# ---------------------------------------------------------------- what is taken


def _within(kept: Sequence[Range], first: int, last: int) -> list[Range]:
    return [(max(a, first), min(b, last)) for a, b in kept if a < last and b > first]


def _passage(planned: Sequence[Planned], wanted: Passage) -> list[Piece]:
    """What plays of a passage: its words or seconds, without what goes inside it."""
    numbers = [n for n, p in enumerate(planned) if wanted.clip in ("", p.path.name, p.path.stem, str(p.path))]
    if len(numbers) != 1:
        raise UsageError(
            f"A passage is of {wanted.clip or 'no clip'!r}, which is {'none' if not numbers else 'several'} of these.",
            remedy=f"Name one of {', '.join(p.path.name for p in planned)}.",
        )
    one = planned[numbers[0]]
    if wanted.words is not None:
        if one.talk is None or not 0 <= wanted.words[0] < wanted.words[1] <= len(one.talk.words):
            there = len(one.talk.words) if one.talk else 0
            raise UsageError(f"Words {wanted.words} are not in {one.path.name}.", remedy=f"It has {there} words.")
        first, last = one.talk.around(wanted.words)
    else:
        start, end = wanted.start or Fraction(0), wanted.end
        first = round(start * one.rate)
        last = one.length if end is None else min(round(end * one.rate), one.length)
    if not 0 <= first < last:
        raise UsageError(
            f"A passage of {one.path.name} ends before it begins.", remedy="Give start and end in seconds."
        )
    return [Piece(clip=numbers[0], start=a, end=b) for a, b in _within(one.kept, first, last)]


def _fitting(planned: Sequence[Planned], target_s: Fraction) -> tuple[tuple[Sentence, ...], list[Piece]]:
    """The sentences of all clips that fit a length, in order; clips in which nobody speaks are left out."""
    found = [
        s for n, one in enumerate(planned) if one.talk is not None and one.talk.words
        for s in roughcut.sentences(one.talk, clip=n, faults=one.faults)
    ]  # fmt: skip
    if not found:
        raise UsageError("Nobody is known to speak in these clips.", remedy="Let a run hear them: `safelight run`.")
    ranges = [_within(planned[s.clip].kept, *s.frames) for s in found]
    plays = [
        sum((Fraction(b - a) for a, b in some), Fraction(0)) / planned[s.clip].rate
        for s, some in zip(found, ranges, strict=True)
    ]
    chosen = set(roughcut.fitting(found, plays, target_s=target_s))
    if not chosen:
        raise UsageError(
            f"No sentence is as short as {float(target_s):g} s.", remedy="Ask for a longer cut with --length."
        )
    pieces = [Piece(clip=found[i].clip, start=a, end=b) for i in sorted(chosen) for a, b in ranges[i]]
    return tuple(replace(s, taken=i in chosen) for i, s in enumerate(found)), _joined(pieces)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces that follow each other in their clip as one."""
    out: list[Piece] = []
    for piece in pieces:
        if out and out[-1].clip == piece.clip and out[-1].end == piece.start:
            out[-1] = replace(out[-1], end=piece.end)
        else:
            out.append(piece)
    return out


# ---------------------------------------------------------------- captions of it


def spoken(rough: Rough) -> list[Said]:
    """The words that are heard in the cut, with its times."""
    made = rough.made
    played = [
        Played(
            clip=piece.clip, start=piece.start / made.materials[piece.clip].rate,
            end=piece.end / made.materials[piece.clip].rate, at=at / made.programme.rate,
        )
        for piece, at in zip(made.pieces, made.places, strict=True)
    ]  # fmt: skip
    return captioning.said(played, [m.words for m in made.materials])


def captioned(rough: Rough, preset: Preset) -> tuple[Captions, tuple[Breach, ...]]:
    """The captions of the cut by a preset's rules, those that a person set as they are, and what of the rules they
    break."""
    rate, changes = rough.made.programme.rate, shots(rough)
    made = captioning.captioned(
        spoken(rough), [p.texts for p in rough.clips], preset, rate=rate, shots=changes
    )  # fmt: skip
    return captioning.listed(made, rate=rate), captioning.checked(made, preset, rate=rate, shots=changes)


def shots(rough: Rough) -> list[int]:
    """Frames of the programme at which its picture changes: where it is joined, at the cuts of the clips, and where a
    cutaway begins and ends."""
    made = rough.made
    rate = made.programme.rate
    found = {
        two.at for one, two in pairwise(made.runs)
        if one.material is not two.material or abs(one.first + one.length / rate - two.first) >= 1 / rate
    }  # fmt: skip
    for run in made.runs:
        first, end = run.first, run.first + run.length / rate
        inside = [j / run.material.rate for j in run.material.shots or ()]
        found |= {run.at + round((j - first) * rate) for j in inside if first < j < end}
    return sorted(found) if any(c.facts.picture for c in rough.clips) else []


# ---------------------------------------------------------------- the second witness


def _listened(rough: Rough, tell: Callable[[str], None]) -> Rough:
    """With what is heard at the joins; doubts become markers of the programme."""
    made = rough.made
    installed = weights.installed()
    count = len(assembly.joins(made))
    if not any(m.words for m in made.materials):
        return replace(rough, not_heard="no words are known")
    if not count:
        return replace(rough, not_heard="there are no joins")
    if moonshine.NAME not in installed:
        return replace(rough, not_heard=f"its weights are not installed: safelight models fetch {moonshine.NAME}")
    tell(f"listening to {count} joins")
    with joined.heard(made, rate=heard_back.RATE) as sound:
        heard = heard_back.listen(made, sound, moonshine.recogniser, installed)
    return replace(rough, heard=heard, made=assembly.marked(made, heard.differences))
