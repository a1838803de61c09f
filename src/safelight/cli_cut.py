"""The commands that make a cut and a grade out of clips: `safelight tighten`, `safelight match`."""

import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safelight.cli_options import json_option, library_option, show
from safelight.errors import UsageError
from safelight.words import many

if TYPE_CHECKING:
    from safelight.api import Library
    from safelight.cutting import Plan, Word
    from safelight.matching import Matched
    from safelight.places import Found

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=FILE)
@click.option("--pace", default="balanced", show_default=True, metavar="NAME", help="natural, balanced or fast.")
@click.option(
    "--words", type=FILE, help="What was heard, as JSON: text, start and end in seconds. Default: the record's."
)
@click.option("--strike", metavar="RANGES", help="Words to leave out, by number from 0: 12-18,40.")
@click.option("--to", type=FILE, help="Write the cut as a timeline: .otio, .edl, .fcpxml, .xml, .mlt.")
@library_option
@json_option
def tighten(
    file: Path, pace: str, words: Path | None, strike: str | None, to: Path | None, library: str | None, as_json: bool
) -> None:
    """Shorten the pauses of a talk, or leave out struck words; say what was cut, why, and what a person must decide.

    The clip is not touched, nothing is rendered: the cut is a timeline."""
    from safelight import cutting, interchange
    from safelight.deliver import single

    if pace not in cutting.PACES:
        raise UsageError(f"There is no pace {pace!r}.", remedy=f"There are {', '.join(cutting.PACES)}.")
    heard = read_words(words) if words is not None else _on_record(file, library)
    if strike is not None and heard is None:
        remedy = "Let a run hear it first, or give them: --words FILE."
        raise UsageError(f"The words of {file.name} are not known.", remedy=remedy)
    rate, length = cutting.frames_of(file)
    room = cutting.room(cutting.measure(file))
    if strike is not None and heard is not None:
        plan, action = _struck(heard, strike, room, rate, length), "struck"
    else:
        plan = cutting.tighten(room, pace=cutting.PACES[pace], rate=rate, length=length, words=heard)
        action = f"tightened, {pace}"
    again = cutting.takes(heard) if heard else []
    losses: tuple[str, ...] = ()
    if to is not None:
        if to.exists() and to.samefile(file):
            raise UsageError(f"{to.name} is the original.", remedy="Give another name.")
        done = interchange.write(to, cutting.programme(file, plan, action=action))
        single.propose(done.files, [file])
        losses = tuple(done.losses)
    if as_json:
        show(_document(file, pace, plan) | {
            "takes": [{"goes": list(t.goes), "stays": list(t.stays), "alike": round(t.alike, 2)} for t in again],
            "losses": list(losses),
        })  # fmt: skip
        return
    _tell(plan, losses)
    for take in again:
        said = " ".join(w.text for w in (heard or [])[slice(*take.goes)])
        click.echo(f"said again: “{said}” (words {take.goes[0]}-{take.goes[1] - 1}); the later take is the one to keep")
    if to is not None:
        click.echo(f"{to.name}: read back, the same in every frame.")


def _struck(heard: "list[Word]", strike: str, room: Any, rate: Fraction, length: int) -> "Plan":
    from safelight import cutting

    try:
        ranges = []
        for part in strike.split(","):
            first, _, last = part.partition("-")
            ranges.append((int(first), int(last or first) + 1))
        return cutting.strike(heard, ranges, room, rate=rate, length=length, anyway=True)
    except ValueError as error:
        raise UsageError(f"--strike {strike}: {error}.", remedy="Numbers of words from 0: 12-18,40.") from error


def _on_record(file: Path, library: str | None) -> "list[Word] | None":
    """The words that a run heard in this clip, all of it; None where no shoot knows it or it is still being heard."""
    from safelight import places
    from safelight.api import Library
    from safelight.cutting import word_of

    try:
        with Library.open(library) as opened:
            clips = [clip for _, _, found, _ in places.find(opened, (file,), cache=None) for clip in found]
            told = clips[0].facts.get("words") if clips else None
    except UsageError:
        return None
    value: Any = told.value if told is not None else None
    if not isinstance(value, dict) or not value.get("whole"):
        return None
    return [word_of(row) for row in value["words"]]


def read_words(path: Path) -> "list[Word]":
    """What was heard, from a file. Raises UsageError for one that is no list of words."""
    from safelight.cutting import word_of

    try:
        found = json.loads(path.read_text("utf-8"))
        rows = found.get("words", found) if isinstance(found, dict) else found
        return [word_of({"confidence": 1, **row}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError) as error:
        cause = f"{path.name} is no list of words: {type(error).__name__} {error}."
        raise UsageError(cause, remedy='Each needs "text", "start" and "end".') from error


def _document(file: Path, pace: str, plan: "Plan") -> dict[str, Any]:
    def row(one: Any) -> dict[str, Any]:
        told = {k: v for k, v in asdict(one).items() if k not in {"evidence", "leaves_s"}}
        told["evidence"] = dict(one.evidence)
        told["from"], told["to"] = str(one.start / plan.rate), str(one.end / plan.rate)
        return told

    return {
        "schema": "safelight.tighten/1", "file": file.name, "pace": pace, "rate": str(plan.rate), "frames": plan.length,
        "cuts": [row(c) | {"leaves_s": None if c.leaves_s is None else float(c.leaves_s)} for c in plan.cuts],
        "doubts": [row(d) for d in plan.doubts], "notes": list(plan.notes), "seconds_cut": round(plan.saved_s, 3),
    }  # fmt: skip


def _tell(plan: "Plan", losses: tuple[str, ...]) -> None:
    for note in plan.notes:
        click.echo(note)
    for cut in plan.cuts:
        click.echo(f"{float(cut.start / plan.rate):9.2f} s  cut    {float(cut.length / plan.rate):6.2f} s  {cut.text}")
    for doubt in plan.doubts:
        click.echo(f"{float(doubt.start / plan.rate):9.2f} s  stays            {doubt.text}")
    whole = float(plan.length / plan.rate)
    click.echo(
        f"{len(plan.cuts)} cuts take {plan.saved_s:.1f} s of {whole:.1f} s; a person decides {len(plan.doubts)}."
    )
    for loss in losses:
        click.echo(f"lost: {loss}")


@click.command()
@click.argument("hero", type=FILE)
@click.argument("others", type=FILE, nargs=-1, required=True)
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="Write a .cdl and a .cube for each here.")
@library_option
@json_option
def match(hero: Path, others: tuple[Path, ...], to: Path | None, library: str | None, as_json: bool) -> None:
    """Bring shots of one place to the look of a hero shot. Exit code 1 if one cannot be.

    No clip is touched: the grade is an ASC CDL. Of clips of one shoot it is proposed on the record, where somebody
    judges it, and is applied where a film is made; with --to it is written for a grading program, with a 3-D table."""
    from safelight import matching
    from safelight.deliver import single

    look = matching.look_of(hero)
    found = {other: matching.match(look, matching.look_of(other)) for other in others}
    kept = _proposed(hero, found, library)
    for other, m in found.items():
        if to is not None and m.grade is not None:
            to.mkdir(parents=True, exist_ok=True)
            files = [to / f"{other.stem}.cdl", to / f"{other.stem}.cube"]
            matching.write_cdl(files[0], m.grade.cdl, name=other.stem)
            matching.write_cube(files[1], m.grade.table, name=other.stem)
            single.propose(files, [hero, other])
        if as_json:
            continue
        if m.grade is not None:
            click.echo(f"{other.name}: ΔE00 {m.before:.1f} becomes {m.after:.1f} over what both show ({m.share:.0%})")
        else:
            click.echo(f"{other.name}: {'already alike' if m.alike else f'cannot tell, {m.cannot_tell}'}")
    if kept and not as_json:
        click.echo(
            f"{many(kept, 'grade')} on the record: judge them in `safelight review` or with `safelight verdict`."
        )
    if as_json:
        show({
            "schema": "safelight.match/1", "hero": hero.name, "on_record": kept,
            "others": [{"file": other.name} | asdict(m) for other, m in found.items()],
        })  # fmt: skip
    raise SystemExit(1 if any(m.cannot_tell for m in found.values()) else 0)


def _proposed(hero: Path, found: "dict[Path, Matched]", library: str | None) -> int:
    """Puts on the record what was found for clips that lie in the shoot of the hero; how many are proposed a grade."""
    from safelight import matched
    from safelight.api import Library

    count = 0
    with Library.open(library) as opened:
        for state, _, _, _ in _known(opened, hero):
            clips = {(Path(state.shoot.root) / clip.path).resolve(): clip for clip in state.clips.values()}
            told = {c.id: (c, m) for path, m in found.items() if (c := clips.get(path.resolve())) is not None}
            if not told:
                continue
            matched.keep(opened.store, clips[hero.resolve()], told)
            fresh = opened.propose(state.shoot.root, only=("grade",))
            count += sum("grade" in fresh.footage[name].proposals for name in told)
    return count


def _known(library: "Library", path: Path) -> "list[Found]":
    """The shoot in which a clip lies; none where no shoot knows it."""
    from safelight import places

    try:
        return list(places.find(library, (path,)))
    except UsageError:
        return []
