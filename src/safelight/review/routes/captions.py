"""The captions of a cut: as they would be written, with the rules that they break, and corrected."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from safelight import captioning, captions, cuts, rough, verdicts
from safelight.captioning import Caption, Said
from safelight.captions import Preset
from safelight.cutting.facts import frames
from safelight.domain import Say
from safelight.errors import UsageError
from safelight.media.timeline import Text
from safelight.review.entries import printable
from safelight.review.given import TheSession, Who
from safelight.review.models import Checked, PhotoId, Seconds
from safelight.review.routes.cuts import beside, known_clip, say_of
from safelight.review.session import Session
from safelight.state import Footage

router = APIRouter(prefix="/api/shoots/{shoot}/clips/{clip}/captions")
USUAL = "netflix"
Number = Annotated[int, Field(ge=0, le=1 << 40)]
At = Annotated[float, Field(ge=0, le=1e6)]
Line = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Breach(BaseModel):
    """A rule that a caption does not keep; advice where it is soft."""

    rule: str
    text: str
    soft: bool


class Cue(BaseModel):
    """A caption of the cut. `start` and `end` are seconds of the cut, `at` the frame of the clip where it begins;
    [first, last) the clip's words that it stands for; `own`, whether a person set it."""

    number: int
    start: float
    end: float
    at: int
    lines: list[str]
    breaches: list[Breach]
    first: int
    last: int
    own: bool


class Captioned(BaseModel):
    """The captions of a cut by a preset's rules. `command` writes them to a file."""

    preset: str
    presets: dict[str, str]
    cues: list[Cue]
    hard: int
    soft: int
    own: int
    cannot_tell: str | None
    command: str


class Corrected(Checked):
    """A caption for the clip's words [first, last): its lines, and when it shows, seconds of the cut. With `back` it is
    made of the words again. `preset` and `proposed`: for which cut and rules it is shown."""

    first: Number
    last: Number
    lines: Annotated[tuple[Line, ...], Field(max_length=8)] = ()
    start: At = 0
    end: At = 0
    back: bool = False
    preset: str = USUAL
    proposed: bool = True
    seconds: Seconds = None


@router.get("")
def captioned(at: TheSession, clip: PhotoId, preset: str = USUAL, *, proposed: bool = True) -> Captioned:
    """The captions of the cut as they would be written: with `proposed`, of the cut as the machine would have it where
    nobody has answered."""
    found = known_clip(at, clip)
    return _shown(
        found, _Cut.of(at, found, _rules(preset), proposed=proposed), cuts.texts(found), preset, proposed=proposed
    )


@router.post("")
def correct(at: TheSession, me: Who, clip: PhotoId, said: Corrected) -> Captioned:
    """Sets a caption, or lets it be made again: a verdict, undone like any."""
    found = known_clip(at, clip)
    text = _text(at, found, said)
    saying = verdicts.Saying(say=Say.MODIFY, by=me.name, seconds=said.seconds)
    say_of(at, clip, cuts.captioned(found, text, saying, back=said.back))
    return captioned(at, clip, said.preset, proposed=said.proposed)


@router.post("/tried")
def tried(at: TheSession, clip: PhotoId, said: Corrected) -> Captioned:
    """The captions as they would be with this one; nothing is kept."""
    found = known_clip(at, clip)
    text = _text(at, found, said)
    rest = [t for t in cuts.texts(found) if t.last <= text.first or t.first >= text.last]
    texts = tuple(sorted([*rest, *([] if said.back else [text])], key=lambda t: t.first))
    cut = _Cut.of(at, found, _rules(said.preset), proposed=said.proposed)
    return _shown(found, cut, texts, said.preset, proposed=said.proposed)


# ---------------------------------------------------------------- how it is done


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A cut with what is said in it, and the rules that its captions are held to."""

    rules: Preset
    rate: Fraction
    words: list[Said]
    shots: list[int]

    @classmethod
    def of(cls, at: Session, clip: Footage, rules: Preset, *, proposed: bool) -> "_Cut":
        """As `safelight cut` would make it."""
        if not cuts.kept(clip, proposed=proposed):
            return cls(rules=rules, rate=frames(clip.facts, clip.asset.duration_s)[0], words=[], shots=[])
        wanted = rough.Wanted(decided=not proposed, beside=beside(at, clip))
        made = rough.cut([(at.folder.root / clip.path, clip)], wanted, listen=False)
        return cls(
            rules=rules, rate=made.made.programme.rate, words=rough.spoken(made), shots=rough.shots(made)
        )  # fmt: skip


def _rules(preset: str) -> Preset:
    rules = captions.PRESETS.get(preset)
    if rules is None:
        raise UsageError(f"There are no rules called {preset!r}.", remedy=f"There are {', '.join(captions.PRESETS)}.")
    return rules


def _text(at: Session, clip: Footage, said: Corrected) -> Text:
    """The caption that somebody means. Raises UsageError for words that do not play, or times that run backwards."""
    cut = _Cut.of(at, clip, _rules(said.preset), proposed=said.proposed)
    words = [w for w in cut.words if said.first <= w.number < said.last]
    if not words:
        raise UsageError(
            f"Words {said.first} to {said.last} do not play in this cut.", remedy="Load the captions again."
        )
    lines = [line for line in said.lines if line]
    if said.back:
        return Text(first=words[0].start, last=words[-1].end, after=Fraction(0), rest=Fraction(0), lines=("…",))
    if not lines:
        raise UsageError("A caption has at least one line.", remedy="To lose its words, strike them.")
    if round((said.end - said.start) * cut.rate) < 1:
        raise UsageError(f"It cannot show from {said.start:g} to {said.end:g} s.", remedy="It ends after it begins.")
    start, end = (Fraction(str(round(value, 6))) for value in (said.start, said.end))
    return captioning.text_for(words, lines, start=start, end=end, rate=cut.rate)


def _shown(clip: Footage, cut: _Cut, texts: Sequence[Text], preset: str, *, proposed: bool) -> Captioned:
    made = captioning.captioned(cut.words, [texts], cut.rules, rate=cut.rate, shots=cut.shots)
    by_cue: dict[int, list[Breach]] = {}
    for b in captioning.checked(made, cut.rules, rate=cut.rate, shots=cut.shots):
        by_cue.setdefault(b.cue, []).append(Breach(rule=b.rule.replace("_", " "), text=b.text, soft=b.soft))
    told = clip.facts.get("words")
    every = [b for some in by_cue.values() for b in some]
    because = None if cut.words else (told.cannot_tell if told is not None else None) or "no words are heard in it"
    return Captioned(
        preset=preset, presets={name: p.about for name, p in captions.PRESETS.items()},
        cues=[_cue(n, one, cut, by_cue.get(n, [])) for n, one in enumerate(made, 1)],
        hard=sum(not b.soft for b in every), soft=sum(b.soft for b in every), own=sum(one.own for one in made),
        cannot_tell=because, command=_command(clip, preset, decided=not proposed),
    )  # fmt: skip


def _cue(number: int, one: Caption, cut: _Cut, breaches: list[Breach]) -> Cue:
    head, tail = cut.words[one.first], cut.words[one.last - 1]
    return Cue(
        number=number, start=float(one.cue.start), end=float(one.cue.end), at=int(head.start * cut.rate),
        lines=[printable(line) for line in one.cue.lines], breaches=breaches, first=head.number, last=tail.number + 1,
        own=one.own,
    )  # fmt: skip


def _command(clip: Footage, preset: str, *, decided: bool) -> str:
    name = printable(clip.path).replace("'", "'\\''")
    stem = name.rpartition("/")[2].rpartition(".")[0] or name
    more = ("" if preset == USUAL else f" --preset {preset}") + (" --decided" if decided else "")
    return f"safelight cut '{name}' --captions '{stem}.srt'{more}"
