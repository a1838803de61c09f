"""The command `safelight cut`: a rough cut of clips as a timeline, as captions, as a film."""

import json
import re
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safelight.cli_cut import read_words
from safelight.cli_options import json_option, library_option, show, sign_option
from safelight.errors import UsageError
from safelight.words import many

if TYPE_CHECKING:
    from safelight.cutting.cutaways import Other
    from safelight.cutting.render import Rendered
    from safelight.deliver.single import Found
    from safelight.films import Checked
    from safelight.rough import Passage, Planned, Rough
    from safelight.state import Footage

FILE = click.Path(path_type=Path, dir_okay=False)
SCHEMA = "safelight.cut/1"
DECIDES = "a person decides"
REFUSED = 4


class Length(click.ParamType):  # type: ignore[type-arg]
    """A length of time: `90s`, `3m`, `1m30s`, `2:30`."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """Seconds."""
        text = str(value).strip().lower()
        clock = re.fullmatch(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)", text)
        units = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", text)
        found = clock or (units if text else None)
        if found is None or not any(found.groups()):
            self.fail(f"{value!r} is no length; for example 3m, 90s, 2:30.", param, ctx)
        hours, minutes, seconds = (Fraction(part or 0) for part in found.groups())
        total = 3600 * hours + 60 * minutes + seconds
        if total <= 0:
            self.fail("a length is more than nothing.", param, ctx)
        return total


def _preset(_: click.Context, __: click.Parameter, value: str) -> str:
    from safelight.captions import PRESETS

    if value not in PRESETS:
        raise UsageError(f"There is no preset {value!r}.", remedy=f"There are {', '.join(PRESETS)}.")
    return value


@click.command()
@click.argument("clips", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", type=FILE, help="The timeline: .otio, .fcpxml, .xml (Premiere, Resolve), .edl, .mlt.")
@click.option("--pace", metavar="NAME", help="natural, balanced or fast, for pauses that nobody has judged.")
@click.option("--length", "length_s", type=Length(), metavar="TIME", help="At most how long: 3m, 90s; of sentences.")
@click.option("--passages", type=FILE, help="A list of passages to play in its order, as JSON or CSV.")
@click.option("--strike", metavar="RANGES", help="Words of the clip to leave out, by number from 0: 12-18,40.")
@click.option("--words", type=FILE, help="What was heard in a clip that no shoot knows, as JSON.")
@click.option("--decided", is_flag=True, help="With nothing that still waits for a person.")
@click.option("--cutaway", "cutaways", type=FILE, multiple=True, help="A clip whose steady shots may cover jump cuts.")
@click.option("--captions", type=FILE, help="Captions of the cut: .srt, .vtt, .ttml.")
@click.option(
    "--preset", default="netflix", show_default=True, metavar="NAME", callback=_preset, help="Whose rules they keep."
)
@click.option("--render", "film", type=FILE, help="The cut as a film or sound: .mp4, .mov, .mkv, .wav.")
@click.option("--for", "place", metavar="NAME", help="Check the film for where it goes: see `safelight film`.")
@click.option("--preview", is_flag=True, help="Render small and fast, for looking.")
@click.option("--listen/--no-listen", default=True, show_default=True, help="Listen to the joins once more.")
@sign_option
@library_option
@json_option
def cut(
    clips: tuple[Path, ...], to: Path | None, pace: str | None, length_s: Fraction | None, passages: Path | None,
    strike: str | None, words: Path | None, cutaways: tuple[Path, ...], captions: Path | None, preset: str,
    film: Path | None, place: str | None, sign_off: str | None, library: str | None, *, decided: bool, preview: bool,
    listen: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a rough cut of clips, or of all clips of a folder, and say what a person must decide.

    Pauses are shortened and takes that are said again left out, as people have judged them or as they are proposed;
    with --length whole sentences are chosen. Originals are not touched: the cut is a timeline that names them, a
    proposal. A film and captions are drafts, and are called so, until somebody signs for them. Each file is read back
    after it was written. Exit code 1 if something else is heard at a join than should be, 4 if the film is not fit for
    where it goes, or is signed for and does not pass."""
    from safelight import films, overlaid, rough
    from safelight.cutting.cutaways import Other
    from safelight.deliver import single

    _refuse(pace, passages=passages, length_s=length_s, place=place, film=film, preview=preview, sign_off=sign_off)
    book = films.find(place) if place else None
    chosen, beside, others = _clips(clips, cutaways, library)
    if (strike or words) and len(chosen) != 1:
        raise UsageError("Words are struck, or given, for one clip at a time.", remedy="Name one clip.")
    originals = [path for path, _ in chosen]
    for out in filter(None, (to, captions, film)):
        _may_write(out, originals)
    asked = [clip for _, clip in chosen if clip is not None and not decided]
    singles = {out: single.begin(out, originals, sign_off=sign_off, clips=asked) for out in (captions, film) if out}
    named = film.name if film else None
    captions, film = (singles[out].path if out else None for out in (captions, film))
    wanted = rough.Wanted(
        pace=pace, length_s=length_s, passages=_passages(passages) if passages else (), decided=decided,
        struck=_ranges(strike) if strike else (), beside=beside,
        cutaways=tuple(overlaid.other(p, others[p]) if p in others else Other(path=p) for p in cutaways),
        name=_name(originals, length_s, passages),
    )  # fmt: skip
    made = rough.cut(
        chosen, wanted, words=read_words(words) if words else None, listen=listen,
        tell=lambda text: click.echo(text, err=True),
    )  # fmt: skip
    kept = _on_record(made, chosen, length_s, others, library)
    written = rough.written(to, made.made) if to else None
    if written is not None:
        single.propose(written.files, originals)
    said = _captioned(made, captions, preset=preset) if captions else []
    rendered = _rendered(made, film, preview=preview) if film else None
    checked = films.check(film, book, captions=captions, name=named) if film and book else None
    settled = single.settle(tuple(singles.values()), _found(made, chosen, checked, rendered))
    if as_json:
        show(document(made, written, rendered) | {"check": checked.as_json() if checked else None})
    else:
        said += [*(_held(checked) if checked else ()), *(single.words(path, by=sign_off) for path in settled)]
        _tell(made, rendered, said)
        for line in _kept(kept, [path for path in cutaways if beside and path not in others]):
            click.echo(line)
        if written is not None:
            for loss in written.losses:
                click.echo(f"lost: {loss}")
            names = ", ".join(f.name for f in written.files)
            click.echo(f"{names}: read back, the same in every frame.")
    if checked is not None and not checked.passes and not sign_off:
        raise SystemExit(REFUSED)
    raise SystemExit(1 if made.heard is not None and made.heard.differences else 0)


def _refuse(
    pace: str | None, *, passages: Path | None, length_s: Fraction | None, place: str | None, film: Path | None,
    preview: bool, sign_off: str | None,
) -> None:  # fmt: skip
    """Raises UsageError for options that do not go together."""
    from safelight import cutting
    from safelight.media import signing

    if pace is not None and pace not in cutting.PACES:
        raise UsageError(f"There is no pace {pace!r}.", remedy=f"There are {', '.join(cutting.PACES)}.")
    if passages is not None and length_s is not None:
        raise UsageError("Passages and a length ask for different things.", remedy="Give one of them.")
    if place is not None and film is None:
        raise UsageError("There is no film to check.", remedy="Render one: --render out.mp4.")
    if preview and sign_off:
        raise UsageError("A preview is never final.", remedy="Leave out --preview, or --sign-off.")
    if film is not None and not preview:
        signing.ready()


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--for", "place", required=True, metavar="NAME", help="Where it goes, or a TOML file.")
@click.option("--captions", type=FILE, help="Its captions; default: the file beside it that is called alike.")
@json_option
def film(files: tuple[Path, ...], place: str, captions: Path | None, *, as_json: bool) -> None:
    """Check films before they leave: file, picture, colour tags, loudness, faults, captions.

    Places are web_video, vertical, broadcast_eu, broadcast_us, or a file of your own. Exit code 4 if a rule is broken
    or cannot be told."""
    from safelight import films
    from safelight.media import manifests

    book = films.find(place)
    found = [films.check(path, book, captions=captions) for path in files]
    vouched = [manifests.told(path) for path in files]
    if as_json:
        shown = [
            one.as_json() | {"credentials": told and told.as_json()} for one, told in zip(found, vouched, strict=True)
        ]
        show({"schema": "safelight.film/1", "films": shown})
    else:
        for one, told in zip(found, vouched, strict=True):
            click.echo("\n".join([*_held(one), *([f"  {told.text}"] if told else [])]))
    raise SystemExit(0 if all(one.passes for one in found) else REFUSED)


def _found(
    made: "Rough", chosen: "list[tuple[Path, Footage | None]]", checked: "Checked | None", rendered: "Rendered | None"
) -> "list[Found]":  # fmt: skip
    """What is to be said of a cut that may become final: a rule of its place that is broken holds it back, whoever
    signs answers for the rest."""
    from safelight.checking import Outcome
    from safelight.deliver.single import Found

    look = Outcome.LOOK
    found = [
        Found(name="decided", outcome=look, text=f"No shoot knows {path.name}: nobody has decided about its cuts.")
        for path, clip in chosen
        if clip is None
    ]
    if made.heard is None:
        found.append(Found(name="heard_back", outcome=look, text=f"Nobody has listened: {made.not_heard}."))
    else:
        found += [Found(name="heard_back", outcome=look, text=d.text) for d in made.heard.differences]
    for measure in rendered.measures if rendered is not None else ():
        if measure.unit == "fault" and measure.value:
            outcome = Outcome.FAIL if measure.name.endswith("over_ceiling") else look
            found.append(Found(name=measure.name, outcome=outcome, text=" ".join(rendered.notes if rendered else ())))
    for answer in checked.answers if checked is not None else ():
        if not answer.held:
            outcome = Outcome.FAIL if answer.held is False else look
            found.append(Found(name=answer.rule, outcome=outcome, text=answer.text, remedy=answer.remedy))
    return found


def _held(checked: "Checked") -> list[str]:
    """A check in lines: what is broken or not known, with its remedy."""
    lines = []
    for answer in checked.answers:
        if not answer.held:
            how = "broken" if answer.held is False else "cannot tell"
            lines.append(f"  {how:11s} {answer.rule}: {answer.text} {answer.remedy}".rstrip())
    count = len(checked.answers)
    said = (
        f"fit for {checked.book.name}: all {count} rules hold" if checked.passes else f"not fit for {checked.book.name}"
    )
    return [f"{checked.path.name}: {said}.", *lines]


def _clips(
    paths: tuple[Path, ...], cutaways: tuple[Path, ...], library: str | None
) -> "tuple[list[tuple[Path, Footage | None]], dict[str, Other], dict[Path, Footage]]":
    """The clips, each with its record where a shoot has one; of a folder all, in the order of their names. Then all
    clips of those shoots by id, and of the cutaways those that lie in them."""
    from safelight import ingest, overlaid, places
    from safelight.api import Library
    from safelight.domain import Kind

    found: list[tuple[Path, Any]] = []
    beside: dict[str, Other] = {}
    shoots: dict[Path, Footage] = {}
    with Library.open(library) as opened:
        for path in paths:
            known: dict[Path, Footage] = {}
            try:
                for state, _, clips, _ in places.find(opened, (path,)):
                    root = Path(state.shoot.root)
                    known |= {(root / clip.path).resolve(): clip for clip in clips}
                    beside |= {clip.id: overlaid.other(root / clip.path, clip) for clip in state.footage.values()}
                    shoots |= {(root / clip.path).resolve(): clip for clip in state.clips.values()}
            except UsageError:
                known = {}
            if path.is_dir():
                inside = sorted(p for p in path.rglob("*") if ingest.kind_of(p.name) in (Kind.VIDEO, Kind.AUDIO))
                found += [(p, known.get(p.resolve())) for p in inside if ".safelight" not in p.parts]
            else:
                found.append((path, known.get(path.resolve())))
    if not found:
        raise UsageError("There are no clips or sounds here.", remedy="Name clips, or a folder that holds some.")
    return found, beside, {path: shoots[path.resolve()] for path in cutaways if path.resolve() in shoots}


def _on_record(
    made: "Rough", chosen: "list[tuple[Path, Footage | None]]", length_s: Fraction | None,
    others: "dict[Path, Footage]", library: str | None,
) -> dict[str, int]:  # fmt: skip
    """Puts the choice of sentences, and the cutaways that are offered, on the record of the clips that a shoot knows;
    how many they are, by edit."""
    from safelight import chosen as choice
    from safelight import offered, places
    from safelight.api import Library
    from safelight.domain import exact

    clips = [clip for _, clip in chosen]
    if length_s is None and not others:
        return {}
    kept: dict[str, int] = {}
    with Library.open(library) as opened:
        if length_s is not None:
            kept["select"] = len(choice.keep(opened.store, made, clips, target_s=exact(length_s)))
        if others:
            kept["cutaways"] = len(offered.keep(opened.store, made, clips, others))
        joins = ("split",) if "select" in kept else ()  # other sentences meet at other joins
        for folder in {places.root_of(opened, path.absolute()) for path, clip in chosen if clip is not None}:
            opened.propose(folder, only=(*kept, *joins))
    return {what: count for what, count in kept.items() if count}


def _kept(kept: dict[str, int], elsewhere: list[Path]) -> list[str]:
    """What is on the record now, and which cutaways cannot be."""
    lines = [f"{p.name} is not in the shoot: its cutaways lie in the timeline, not on the record." for p in elsewhere]
    return lines + [
        f"The choice is on the record of {many(count, 'clip')}, as the edit {what}: judge it there."
        for what, count in kept.items()
    ]


def _may_write(out: Path, originals: list[Path]) -> None:
    if any(out.exists() and path.exists() and out.samefile(path) for path in originals):
        raise UsageError(f"{out.name} is the original.", remedy="Give another name.")


def _name(originals: list[Path], length_s: Fraction | None, passages: Path | None) -> str:
    stem = originals[0].stem if len(originals) == 1 else f"{originals[0].stem} and {len(originals) - 1} more"
    action = "string-out" if passages else f"rough cut, {float(length_s):g} s" if length_s else "tightened"
    return f"{stem} {action}"


def _ranges(text: str) -> tuple[tuple[int, int], ...]:
    try:
        pairs = [part.partition("-") for part in text.split(",")]
        return tuple((int(first), int(last or first) + 1) for first, _, last in pairs)
    except ValueError as error:
        raise UsageError(f"--strike {text}: {error}.", remedy="Numbers of words from 0: 12-18,40.") from error


def _passages(path: Path) -> "tuple[Passage, ...]":
    """Rows of `clip`, and `start` and `end` in seconds or `words` as 12-18, as JSON or CSV."""
    import csv

    from safelight.rough import Passage

    try:
        text = path.read_text("utf-8-sig")
        rows = json.loads(text) if path.suffix.lower() == ".json" else list(csv.DictReader(text.splitlines()))
        rows = rows.get("passages", rows) if isinstance(rows, dict) else rows
        found = []
        for row in rows:
            words = str(row.get("words") or "")
            first, _, last = words.partition("-")
            found.append(Passage(
                clip=str(row.get("clip") or ""), words=(int(first), int(last or first) + 1) if words else None,
                start=Fraction(str(row["start"])) if row.get("start") not in (None, "") else None,
                end=Fraction(str(row["end"])) if row.get("end") not in (None, "") else None,
            ))  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError) as error:
        cause = f"{path.name} is no list of passages: {type(error).__name__} {error}."
        raise UsageError(
            cause, remedy="Each row has a clip, and start and end in seconds or words as 12-18."
        ) from error
    if not found:
        raise UsageError(f"{path.name} lists no passage.", remedy="Give one row for each.")
    return tuple(found)


def _captioned(made: "Rough", path: Path, *, preset: str) -> list[str]:
    """Writes the captions of the cut; what is to be said of them."""
    from safelight import captions, rough

    if not rough.spoken(made):
        raise UsageError("No words are known, so there is nothing to caption.", remedy="Let a run hear the clips.")
    found, breaches = rough.captioned(made, captions.PRESETS[preset])
    notes = list(captions.write(path, found, rate=made.made.programme.rate))
    hard = [b for b in breaches if not b.soft]
    by_rule = ", ".join(sorted({b.rule.replace("_", " ") for b in hard}))
    tail = (
        f"; {preset}: {many(len(hard), 'rule')} broken ({by_rule})" if hard else f", all within the rules of {preset}"
    )
    return [*notes, f"{path.name}: {len(found.cues)} captions, read back{tail}."]


def _rendered(made: "Rough", path: Path, *, preview: bool) -> "Rendered":
    from safelight import filming

    return filming.render(made.made, path, preview=preview, tell=lambda text: click.echo(text, err=True))


# ---------------------------------------------------------------- what is said


def document(made: "Rough", written: Any, rendered: "Rendered | None") -> dict[str, Any]:
    """`safelight.cut/1`."""
    programme = made.made.programme
    heard = made.heard
    return {
        "schema": SCHEMA, "name": programme.name, "rate": str(programme.rate), "frames": programme.length,
        "seconds": round(float(programme.length / programme.rate), 3),
        "clips": [_clip(one) for one in made.clips],
        "pieces": [
            {"clip": made.clips[p.clip].path.name, "start": p.start, "end": p.end, "at": at}
            for p, at in zip(made.made.pieces, made.made.places, strict=True)
        ],
        "markers": [asdict(m) for m in programme.markers],
        "sentences": [asdict(s) for s in made.sentences],
        "heard_back": None if heard is None else {
            "joins": heard.joins, "expected": heard.expected, "found": heard.found,
            "differences": [asdict(d) | {"text": d.text} for d in heard.differences],
        },
        "not_heard": made.not_heard or None, "cutaways": sum(not c.enabled for c in made.made.covers),
        "cutaways_shown": sum(c.enabled for c in made.made.covers),
        "rolled": [{"at": made.made.places[n], "by": by} for n, by in sorted(made.made.rolled.items())],
        "notes": list(made.notes),
        "files": [f.name for f in written.files] if written else [], "losses": list(written.losses) if written else [],
        "render": asdict(rendered) if rendered else None,
    }  # fmt: skip


def _clip(one: "Planned") -> dict[str, Any]:
    def row(part: Any) -> dict[str, Any]:
        return {"start": part.start, "end": part.end, "rule": part.rule, "text": part.text,
                "evidence": dict(part.evidence)}  # fmt: skip

    return {
        "file": one.path.name, "rate": str(one.rate), "frames": one.length,
        "words": len(one.talk.words) if one.talk else 0, "kept": [list(r) for r in one.kept],
        "cuts": [row(c) for c in one.cuts], "doubts": [row(d) for d in one.doubts], "open": one.open,
        "notes": list(one.notes),
    }  # fmt: skip


def _tell(made: "Rough", rendered: "Rendered | None", said: list[str]) -> None:
    from safelight.words import lasting

    for one in made.clips:
        _tell_clip(one)
    if made.sentences:
        _tell_sentences(made)
    for note in (*made.notes, *_marked(made)):
        click.echo(note)
    _tell_heard(made)
    for line in (*said, *(rendered.notes if rendered is not None else ())):
        click.echo(line)
    programme = made.made.programme
    click.echo(f"The cut lasts {lasting(float(programme.length / programme.rate))}.")


def _tell_clip(one: "Planned") -> None:
    from safelight.words import many

    for note in one.notes:
        click.echo(f"{one.path.name}: {note}")
    gone = float(sum(c.length for c in one.cuts) / one.rate)
    waits = f", {one.open} of them nobody has looked at" if one.open else ""
    whole = float(one.length / one.rate)
    click.echo(f"{one.path.name}: {many(len(one.cuts), 'cut')} take {gone:.1f} s of {whole:.1f} s{waits}.")
    for doubt in one.doubts:
        click.echo(f"{float(doubt.start / one.rate):9.2f} s  {DECIDES}: {doubt.text}")


def _marked(made: "Rough") -> list[str]:
    from safelight.words import many

    markers = made.made.programme.markers
    counts = {name: sum(m.name == name for m in markers) for name in ("jump_cut", "chapter", "sound_may_lead")}
    said = ", ".join(many(n, name.replace("_", " ")) for name, n in counts.items() if n)
    shown, offered = ([c for c in made.made.covers if c.enabled == on] for on in (True, False))
    lines = [f"Marked: {said}."] if said else []
    if made.made.rolled:
        lines.append(f"At {many(len(made.made.rolled), 'join')} the picture is rolled: the sound leads or trails.")
    lines += [f"{many(len(shown), 'cutaway')} over it, on a track above."] if shown else []
    return lines + ([f"{many(len(offered), 'cutaway')} offered, switched off, on a track above."] if offered else [])


def _tell_heard(made: "Rough") -> None:
    from safelight.words import many

    if made.heard is None:
        click.echo(f"Nobody has listened to the joins: {made.not_heard}.")
        return
    heard, rate = made.heard, made.made.programme.rate
    click.echo(
        f"Listened to {many(heard.joins, 'join')}: {heard.found} of {heard.expected} words beside them are heard."
    )
    for d in heard.differences:
        click.echo(f"{float(d.at / rate):9.2f} s of the cut  {DECIDES}: {d.text}")


def _tell_sentences(made: "Rough") -> None:
    from safelight.cutting.roughcut import REASONS

    click.echo(
        f"Sentences are chosen by {'; '.join(REASONS.values())}. What matters to the story is a person's to say."
    )
    for s in made.sentences:
        text = s.text if len(s.text) <= 70 else s.text[:67] + "…"
        rate = made.clips[s.clip].rate
        click.echo(f"{float(s.frames[0] / rate):9.2f} s  {'in ' if s.taken else 'out'}  {text}")
