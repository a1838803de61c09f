"""The rules that captions are held to, as presets of numbers, and the breaches of them.

Sources: Netflix timed text style guides (general requirements, English and others), BBC subtitle guidelines, DCMP
captioning key. Times are counted in frames of the picture, so that a file of milliseconds is judged as it is shown.
The FCC's order gives no numbers, so there is no preset of that name.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from safelight.captions.cue import Captions, Cue
from safelight.media.timecode import nearest_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Limits; None: there is no such rule."""

    name: str
    about: str
    line_characters: int
    lines: int = 2
    characters_a_second: int | None = None
    seconds_a_word: Fraction | None = None  # least time on screen
    shortest_s: Fraction | None = None
    longest_s: Fraction | None = None
    gap_frames: int | None = None  # least gap to the next cue …
    close_below_s: Fraction | None = None  # … and longer ones below this are to be closed to it
    apart_s: Fraction | None = None  # cues touch, or lie so far apart
    shot_frames: int | None = None  # a cue ends so many frames before a shot change, or half a second from it
    no_straddling: bool = False  # a cue lies within one shot
    orphan_letters: int | None = None  # of several lines none is one word of so few letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that a cue (number, from 1) breaks: `value` against `limit`. Soft ones are advice."""

    rule: str
    cue: int
    value: float | str
    limit: float | str
    text: str
    soft: bool = False


def _netflix(name: str, about: str, *, line_characters: int = 42, characters_a_second: int = 20) -> Preset:
    return Preset(
        name=name, about=about, line_characters=line_characters, characters_a_second=characters_a_second,
        shortest_s=Fraction(5, 6), longest_s=Fraction(7), gap_frames=2, close_below_s=Fraction(1, 2), shot_frames=2,
        orphan_letters=3,
    )  # fmt: skip


PRESETS = MappingProxyType({
    preset.name: preset
    for preset in (
        _netflix("netflix", "Netflix, English, adults"),
        _netflix("netflix_children", "Netflix, English, for children", characters_a_second=17),
        _netflix("netflix_other", "Netflix, other Latin languages", characters_a_second=17),
        _netflix("netflix_ja", "Netflix, Japanese", line_characters=23, characters_a_second=4),
        _netflix("netflix_ko", "Netflix, Korean", line_characters=16, characters_a_second=12),
        _netflix("netflix_zh", "Netflix, Chinese", line_characters=16, characters_a_second=9),
        _netflix("netflix_th", "Netflix, Thai", line_characters=35, characters_a_second=17),
        Preset(
            name="bbc", about="BBC, pre-recorded", line_characters=37, seconds_a_word=Fraction(3, 10),
            apart_s=Fraction(1), no_straddling=True,
        ),
        Preset(
            name="dcmp", about="DCMP, educational media", line_characters=32, shortest_s=Fraction(2),
            longest_s=Fraction(6), seconds_a_word=Fraction(60, 235),
        ),
        Preset(
            name="plain", about="what any player can show", line_characters=42, characters_a_second=25,
            shortest_s=Fraction(1, 2), longest_s=Fraction(10),
        ),
    )
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A cue with its neighbour, in frames."""

    number: int
    cue: Cue
    start: int
    end: int
    following: int | None
    rate: Fraction
    shots: Sequence[int]

    @property
    def lasts(self) -> Fraction:
        return (self.end - self.start) / self.rate


def check(captions: Captions, preset: Preset, *, rate: Fraction, shots: Iterable[int] = ()) -> tuple[Breach, ...]:
    """All breaches, by cue. `shots` are the first frames of shots; without them the rules about cuts say nothing."""
    cues = captions.cues
    frames = [(nearest_frame(c.start, rate), nearest_frame(c.end, rate)) for c in cues]
    cuts = sorted(shots)
    found: list[Breach] = []
    for i, (cue, (start, end)) in enumerate(zip(cues, frames, strict=True)):
        following = frames[i + 1][0] if i + 1 < len(cues) else None
        case = _Case(number=i + 1, cue=cue, start=start, end=end, following=following, rate=rate, shots=cuts)
        found += [breach for rule in RULES for breach in rule(case, preset)]
    return tuple(found)


# ---------------------------------------------------------------- one function a rule


def line_length(case: _Case, p: Preset) -> Iterator[Breach]:
    """Characters in a line."""
    longest = max(map(len, case.cue.lines), default=0)
    if longest > p.line_characters:
        yield _breach(case, "line_length", longest, p.line_characters, f"a line has {longest} characters")


def line_count(case: _Case, p: Preset) -> Iterator[Breach]:
    """Lines at once."""
    count = len(case.cue.lines)
    if count > p.lines:
        yield _breach(case, "line_count", count, p.lines, f"it has {count} lines")


def reading_speed(case: _Case, p: Preset) -> Iterator[Breach]:
    """Characters a second, or seconds a word."""
    if case.lasts <= 0:
        return
    if p.characters_a_second is not None:
        speed = case.cue.characters / case.lasts
        if speed > p.characters_a_second:
            text = f"{float(speed):.1f} characters a second"
            yield _breach(case, "reading_speed", float(speed), p.characters_a_second, text)
    if p.seconds_a_word is not None:
        least = p.seconds_a_word * case.cue.words
        if case.lasts < least:
            text = f"{case.cue.words} words in {float(case.lasts):.2f} s"
            yield _breach(case, "reading_speed", float(case.lasts), float(least), text)


def too_short(case: _Case, p: Preset) -> Iterator[Breach]:
    """Least time on screen."""
    if p.shortest_s is not None and case.lasts < p.shortest_s:
        text = f"it is shown for {float(case.lasts):.2f} s"
        yield _breach(case, "too_short", float(case.lasts), float(p.shortest_s), text)


def too_long(case: _Case, p: Preset) -> Iterator[Breach]:
    """Most time on screen."""
    if p.longest_s is not None and case.lasts > p.longest_s:
        text = f"it is shown for {float(case.lasts):.2f} s"
        yield _breach(case, "too_long", float(case.lasts), float(p.longest_s), text)


def overlap(case: _Case, p: Preset) -> Iterator[Breach]:  # noqa: ARG001 - holds for all
    """Shown when the next one starts."""
    if case.following is not None and case.following < case.end:
        over = case.end - case.following
        yield _breach(case, "overlap", over, 0, f"it is still shown for {over} frames of the next one")


def gap(case: _Case, p: Preset) -> Iterator[Breach]:
    """Frames to the next one."""
    if case.following is None or case.following < case.end:
        return
    frames = case.following - case.end
    if p.gap_frames is not None and frames < p.gap_frames:
        yield _breach(case, "gap", frames, p.gap_frames, f"{frames} frames to the next one")
    close = p.close_below_s
    if p.gap_frames is not None and close is not None and p.gap_frames < frames < close * case.rate:
        text = f"{frames} frames to the next one: close it to {p.gap_frames}"
        yield _breach(case, "gap", frames, p.gap_frames, text)
    if p.apart_s is not None and 0 < frames < p.apart_s * case.rate:
        text = f"{float(frames / case.rate):.2f} s to the next one: close it, or leave {float(p.apart_s):g} s"
        yield _breach(case, "gap", frames, 0, text)


def shot_change(case: _Case, p: Preset) -> Iterator[Breach]:
    """Starts and ends near cuts."""
    half, before = round(case.rate / 2), p.shot_frames
    for cut in case.shots if before is not None else ():
        early, late = case.start - cut, case.end - cut
        if early != 0 and abs(early) < half:
            text = f"it starts {abs(early)} frames {'after' if early > 0 else 'before'} a cut (frame {cut})"
            yield _breach(case, "shot_change", early, f"0 or {half} frames", text)
        elif late != -(before or 0) and abs(late) <= half:
            text = f"it ends {abs(late)} frames {'after' if late > 0 else 'before'} a cut (frame {cut})"
            yield _breach(case, "shot_change", late, f"-{before} or {half} frames", text)
    for cut in case.shots if p.no_straddling else ():
        if case.start < cut < case.end:
            yield _breach(case, "shot_change", cut, "none within", f"it runs over a cut (frame {cut})")


def orphan(case: _Case, p: Preset) -> Iterator[Breach]:
    """One short word alone on a line."""
    if p.orphan_letters is None or len(case.cue.lines) < 2:
        return
    for line in case.cue.lines:
        letters = "".join(c for c in line if c.isalnum())
        if " " not in line.strip() and len(letters) <= p.orphan_letters:
            yield _breach(case, "orphan", line, p.orphan_letters, f"“{line}” stands alone on its line")


HANGING = frozenset((
    "a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "this", "that", "these", "those",
    "and", "or", "but", "nor", "of", "to", "in", "on", "at", "by", "for", "with", "from", "is", "are", "was",
    "were", "be", "been", "has", "have", "had", "will", "would", "can", "could", "shall", "should", "may",
    "might", "must", "not",
))  # fmt: skip


def line_break(case: _Case, p: Preset) -> Iterator[Breach]:
    """English lines that end between words that belong together, or two lines that fit on one: advice."""
    lines = case.cue.lines
    for line in lines[:-1]:
        last = line.split()[-1].lower() if line.split() else ""
        if last in HANGING:
            text = f"its line ends with “{last}”"
            yield _breach(case, "line_break", last, "after punctuation, before a conjunction", text, soft=True)
    if len(lines) > 1 and sum(map(len, lines)) + len(lines) - 1 <= p.line_characters and lines[0][:1] != "-":
        yield _breach(case, "line_break", len(lines), 1, "its lines fit on one", soft=True)


RULES: tuple[Callable[[_Case, Preset], Iterator[Breach]], ...] = (
    line_length, line_count, reading_speed, too_short, too_long, overlap, gap, shot_change, orphan, line_break,
)  # fmt: skip


def _breach(case: _Case, rule: str, value: float | str, limit: float | str, text: str, *, soft: bool = False) -> Breach:
    return Breach(rule=rule, cue=case.number, value=value, limit=limit, text=text, soft=soft)
