"""The commands about clips, sounds and captions: `safelight captions …`, `safelight loudness`."""

from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safelight.cli_options import json_option, library_option, show, sign_option
from safelight.cli_single import begin
from safelight.errors import UsageError

if TYPE_CHECKING:
    from safelight.interchange.programme import Programme
    from safelight.media.syncing import Match
    from safelight.placing import Placed
    from safelight.state import Footage

FILE = click.Path(path_type=Path, dir_okay=False)
BROKEN = 1


class _Rate(click.ParamType):  # type: ignore[type-arg]
    """A frame rate: 25, 29.97, 30000/1001."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        from safelight.media.timecode import exact_rate

        try:
            return exact_rate(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


rate_option = click.option("--rate", type=_Rate(), metavar="RATE", help="Frames a second: 25, 29.97, 30000/1001.")


@click.group()
def captions() -> None:
    """Caption files: SRT, WebVTT, TTML."""


@captions.command("check")
@click.argument("file", type=FILE)
@click.option("--preset", default="netflix", show_default=True, metavar="NAME", help="Whose rules.")
@rate_option
@click.option("--cuts", type=FILE, help="A text file of frames where shots begin, one a line.")
@json_option
def check(file: Path, preset: str, rate: Fraction | None, cuts: Path | None, as_json: bool) -> None:
    """Say which rules a caption file breaks, and where. Exit code 1 if it breaks any."""
    from safelight import captions as caps

    if preset not in caps.PRESETS:
        raise UsageError(f"There is no preset {preset!r}.", remedy=f"There are {', '.join(caps.PRESETS)}.")
    found = caps.read(file)
    rate = rate or found.rate
    if rate is None:
        raise UsageError(f"{file.name} does not say its frame rate.", remedy="Give it: --rate 25.")
    breaches = caps.check(found, caps.PRESETS[preset], rate=rate, shots=_frames(cuts))
    if as_json:
        show({
            "schema": "safelight.captions/1", "file": file.name, "preset": preset, "rate": str(rate),
            "cues": len(found.cues), "notes": found.notes, "breaches": [asdict(b) for b in breaches],
        })  # fmt: skip
    else:
        for note in found.notes:
            click.echo(note)
        for b in breaches:
            click.echo(f"{b.cue:5d}  {'advice' if b.soft else 'broken':7s} {b.rule:14s} {b.text}")
        hard = sum(not b.soft for b in breaches)
        click.echo(f"{len(found.cues)} cues, {hard} breaches of {preset}, {len(breaches) - hard} pieces of advice.")
    raise SystemExit(BROKEN if any(not b.soft for b in breaches) else 0)


def _frames(path: Path | None) -> list[int]:
    if path is None:
        return []
    try:
        return [int(line) for line in path.read_text("utf-8").split()]
    except (OSError, ValueError) as error:
        raise UsageError(f"{path.name} is no list of frames: {error}.", remedy="One whole number a line.") from error


@captions.command("make")
@click.argument("clip", type=FILE)
@click.option("--to", type=FILE, required=True, help="The file to write: .srt, .vtt, .ttml.")
@click.option("--preset", default="netflix", show_default=True, metavar="NAME", help="Whose rules.")
@rate_option
@sign_option
@library_option
def make_captions(
    clip: Path, to: Path, preset: str, rate: Fraction | None, sign_off: str | None, library: str | None
) -> None:
    """Make captions of the words that a run heard in a clip; those that somebody set in the app stay as they are. Exit
    code 1 if a rule could not be kept."""
    from safelight import captioning, cuts
    from safelight import captions as caps
    from safelight.checking import Outcome
    from safelight.deliver import single

    if preset not in caps.PRESETS:
        raise UsageError(f"There is no preset {preset!r}.", remedy=f"There are {', '.join(caps.PRESETS)}.")
    out = begin(clip, to, sign_off=sign_off, library=library)
    to = out.path
    found, shots, own = _heard(clip, library)
    rate, rules = rate or own or Fraction(25), caps.PRESETS[preset]
    heard: Any = found.facts["words"].value
    words = cuts.words(found)
    whole = captioning.Played(
        clip=0, start=Fraction(0), end=max(w.end for w in words) if words else rate, at=Fraction(0)
    )
    spoken = captioning.said([whole], [words])
    set_ = captioning.captioned(spoken, [cuts.texts(found)], rules, rate=rate, shots=shots)
    made = captioning.listed(set_, rate=rate, language=heard["language"])
    for note in caps.write(to, made, rate=rate):
        click.echo(note)
    hard = [b for b in captioning.checked(set_, rules, rate=rate, shots=shots) if not b.soft]
    for b in hard:
        click.echo(f"{b.cue:5d}  broken  {b.rule:14s} {b.text}")
    guessed = sum(w["timed"] == "estimated" for w in heard["words"])
    if guessed:
        click.echo(f"{guessed} of {len(spoken)} words have times that are estimated: look at their captions.")
    click.echo(
        f"{len(made.cues)} captions of {len(spoken)} words are in {to.name}; {preset}: {len(hard)} rules broken."
    )
    said = [single.Found(name=b.rule, outcome=Outcome.LOOK, text=f"Caption {b.cue}: {b.text}") for b in hard]
    click.echo(single.words(*single.settle([out], said), by=sign_off))
    raise SystemExit(BROKEN if hard else 0)


def _heard(clip: Path, library: str | None) -> "tuple[Footage, list[int], Fraction | None]":
    """A clip whose words a run has heard, the first frames of its shots and its frame rate."""
    from safelight import places
    from safelight.api import Library

    with Library.open(library) as opened:
        found = [one for _, _, clips, _ in places.find(opened, (clip,), cache=None) for one in clips]
        facts = found[0].facts if found else {}
    words: Any = facts["words"].value if "words" in facts else None
    if not isinstance(words, dict):
        because = facts["words"].cannot_tell if "words" in facts else "no run has heard it"
        raise UsageError(f"The words of {clip.name} are not known: {because}.", remedy="safelight run FOLDER")
    if not words["whole"]:
        raise UsageError(f"{clip.name} is still being heard.", remedy="Run again to go on: safelight run FOLDER")
    shots: Any = facts["shots"].value if "shots" in facts else None
    rate: Any = facts["clip.rate"].value if "clip.rate" in facts else None
    return found[0], [int(s["frame"]) for s in shots or () if s["into"] != "start"], Fraction(rate) if rate else None


@captions.command("convert")
@click.argument("file", type=FILE)
@click.argument("to", type=FILE)
@rate_option
def convert(file: Path, to: Path, rate: Fraction | None) -> None:
    """Write a caption file in another format; the ending says which. What is lost is said."""
    from safelight import captions as caps

    if to.exists() and to.samefile(file):
        raise UsageError(f"{to.name} is the original.", remedy="Give another name.")
    found = caps.read(file)
    lost = caps.write(to, found, rate=rate)
    for note in (*found.notes, *lost):
        click.echo(note)
    click.echo(f"{len(found.cues)} cues are in {to.name}, read back and the same.")


@click.command()
@click.argument("file", type=FILE)
@click.option("--target", metavar="NAME", help="Where it is to be delivered: ebu_r128, streaming, podcast, …")
@click.option("--to", type=FILE, help="Write it at the target: .wav, .flac, .m4a, .mp3, .opus.")
@sign_option
@library_option
@json_option
def loudness(
    file: Path, target: str | None, to: Path | None, sign_off: str | None, library: str | None, as_json: bool
) -> None:
    """Measure how loud a clip or sound is, or bring it to a target by one measured gain."""
    from safelight import dialogue
    from safelight.deliver import single
    from safelight.media import levelled
    from safelight.media.loudness import TARGETS, measure

    if target is not None and target not in TARGETS:
        raise UsageError(f"There is no target {target!r}.", remedy=f"There are {', '.join(TARGETS)}.")
    if to is not None and target is None:
        raise UsageError("A target is missing.", remedy="Name it: --target podcast.")
    speech = dialogue.of(file, TARGETS[target] if target else None)
    document: dict[str, Any] = {"schema": "safelight.loudness/1", "file": file.name, "target": target}
    notes: list[str] = []
    if to is not None and target is not None:
        out = begin(file, to, sign_off=sign_off, library=library)
        done = levelled.level(file, out.path, TARGETS[target], speech=speech)
        (place,) = single.settle([out])
        notes = [*done.notes(TARGETS[target]), single.words(place, by=sign_off)]
        document |= {"before": _plain(asdict(done.before)), "gain_db": done.gain_db, "limited_db": done.limited_db}
        found = done.after
    else:
        found = measure(file, fine=True, speech=speech)
    document |= {"loudness": _plain(asdict(found)), "notes": notes}
    if as_json:
        show(document)
        return
    rows = [
        ("integrated", found.integrated_lufs, "LUFS"), ("range", found.range_lu, "LU"),
        ("true peak", found.true_peak_dbtp, "dBTP"), ("momentary, at most", found.momentary_max_lufs, "LUFS"),
        ("short-term, at most", found.short_term_max_lufs, "LUFS"),
    ]  # fmt: skip
    if speech is not None:
        rows.insert(1, ("dialogue, estimated", found.dialogue_lufs, "LUFS"))
    for name, value, unit in rows:
        click.echo(f"{name:20s} {'cannot tell' if value is None else f'{value:7.1f} {unit}'}")
    for note in notes:
        click.echo(note)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {k: float(v) if isinstance(v, Fraction) else v for k, v in values.items()}


@click.group()
def timeline() -> None:
    """Timelines: OpenTimelineIO, EDL, FCPXML, xmeml."""


@timeline.command("read")
@click.argument("file", type=FILE)
@rate_option
@json_option
def read_timeline(file: Path, rate: Fraction | None, as_json: bool) -> None:
    """Say what a timeline holds, track by track, and what of it could not be read."""
    from safelight import interchange
    from safelight.interchange.programme import Clip, placed
    from safelight.media.timecode import label_of

    opened = interchange.read(file, rate=rate)
    p = opened.programme
    if as_json:
        show({
            "schema": "safelight.timeline/1", "file": file.name, "name": p.name, "rate": str(p.rate), "drop": p.drop,
            "start": label_of(p.start, p.rate, drop=p.drop), "frames": p.length, "notes": opened.notes,
            "tracks": [
                {"kind": t.kind, "clips": [
                    {"name": c.name, "at": at, "frames": c.length, "source": c.source, "media": c.media, "reel": c.reel,
                     "speed": str(c.speed)}
                    for at, c in placed(t) if isinstance(c, Clip)]}
                for t in p.tracks],
        })  # fmt: skip
        return
    click.echo(f"{p.name}: {p.length} frames at {p.rate}, from {label_of(p.start, p.rate, drop=p.drop)}")
    for track in p.tracks:
        click.echo(f"{track.kind}")
        for at, item in placed(track):
            if isinstance(item, Clip):
                label = label_of(p.start + at, p.rate, drop=p.drop)
                click.echo(f"  {label}  {item.length:6d} frames  {item.name}")
    for note in opened.notes:
        click.echo(f"not read: {note}")


@timeline.command("convert")
@click.argument("file", type=FILE)
@click.argument("to", type=FILE)
@rate_option
@click.option("--media", multiple=True, type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER",
              help="Link clips to the files below this folder.")  # fmt: skip
def convert_timeline(file: Path, to: Path, rate: Fraction | None, media: tuple[Path, ...]) -> None:
    """Write a timeline in another format, read it back, compare it frame by frame, and say what the format lost.

    With --media clips are linked anew, by the name of their file, their own, or their reel, where a file holds the
    frames that are shown. Exit code 1 if one is not found."""
    from safelight import interchange

    if to.exists() and to.samefile(file):
        raise UsageError(f"{to.name} is the original.", remedy="Give another name.")
    opened = interchange.read(file, rate=rate)
    found = interchange.relink(opened.programme, media) if media else None
    done = interchange.write(to, found.programme if found else opened.programme)
    for note in opened.notes:
        click.echo(f"not read: {note}")
    for missing in found.missing if found else ():
        click.echo(f"not linked: {missing}")
    for loss in done.losses:
        click.echo(f"lost: {loss}")
    if found:
        click.echo(f"{found.linked} clips are linked.")
    click.echo(f"{', '.join(f.name for f in done.files)}: read back, the same in every frame.")
    raise SystemExit(BROKEN if found and found.missing else 0)


@click.command()
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("others", type=FILE, nargs=-1)
@click.option("--to", type=FILE, help="Write a timeline with all that were placed: .otio, .fcpxml, .xml.")
@library_option
@json_option
def align(reference: Path, others: tuple[Path, ...], to: Path | None, library: str | None, as_json: bool) -> None:
    """Place recordings of one event by their sound, against the first; or, of a folder, tell what its runs have placed.

    Timecode that is played on a channel is a witness: where it says otherwise that is told, and the sound decides. Exit
    code 1 if one cannot be placed."""
    from safelight import placing
    from safelight.api import Library

    if reference.is_dir() and not others:
        with Library.open(library) as opened:
            events = placing.events(opened.state(reference))
        _told_events(reference, events, to, as_json=as_json)
        return
    if not others:
        raise UsageError("Name at least two recordings, or a folder that a run has looked at.")
    _align(reference, others, to, as_json=as_json)


def _told_events(folder: Path, events: "list[dict[str, Placed]]", to: Path | None, *, as_json: bool) -> None:
    """What is known of the events of a shoot, and a timeline of each: the second one is called NAME-2."""
    from safelight.interchange import side_by_side

    if as_json:
        show({
            "schema": "safelight.align/1", "folder": folder.name,
            "events": [
                {
                    "reference": next(iter(event)),
                    "others": [{"file": path} | asdict(p.match) for path, p in event.items() if p.match is not None],
                }
                for event in events
            ],
        })  # fmt: skip
    for event in [] if as_json else events:
        click.echo(f"{next(iter(event))}:")
        for path, one in event.items():
            if one.match is not None:
                click.echo(f"  {_place(path, one.match)}")
    if not events and not as_json:
        click.echo("No two recordings of the shoot are of one event, as far as their sound tells.")
    for number, event in enumerate(events if to else (), 1):
        assert to is not None
        goes = to if number == 1 else to.with_name(f"{to.stem}-{number}{to.suffix}")
        paths = [folder / path for path in event]
        matches = {folder / path: one.match for path, one in event.items() if one.match is not None}
        _write_together(goes, side_by_side(paths[0], matches), paths, as_json=as_json)


def _align(reference: Path, others: tuple[Path, ...], to: Path | None, *, as_json: bool) -> None:
    from safelight.interchange import side_by_side
    from safelight.media import ltc, syncing

    heard, code = syncing.heard_at_once(reference)
    codes, found = ({reference: code} if code else {}), {}
    for other in others:
        one, code = syncing.heard_at_once(other)
        codes |= {other: code} if code else {}
        found[other] = syncing.match(heard, one)
    said = {o: ltc.apart(codes[reference], codes[o]) for o in others if o in codes and reference in codes}
    if as_json:
        show({
            "schema": "safelight.align/1", "reference": reference.name,
            "others": [
                {"file": other.name} | asdict(match) | {"ltc_offset_s": said.get(other)}
                for other, match in found.items()
            ],
        })  # fmt: skip
    for other, m in {} if as_json else found.items():
        click.echo(_place(other.name, m))
        if other in said:
            click.echo(f"{other.name}: {ltc.witness(said[other], m.offset_s, codes[other].rate)}")
    if to is not None:
        together = side_by_side(reference, {o: m for o, m in found.items() if m.offset_s is not None})
        _write_together(to, together, [reference, *others], as_json=as_json)
    raise SystemExit(BROKEN if any(m.offset_s is None for m in found.values()) else 0)


def _place(name: str, match: "Match") -> str:
    if match.offset_s is None:
        return f"{name}: cannot tell, {match.cannot_tell}"
    drift = f"{match.drift_ppm:+.1f} ppm ± {2 * (match.drift_spread_ppm or 0):.1f}"
    return f"{name}: {match.offset_s:+.4f} s, {drift}, {match.agreeing} of {match.windows} stretches agree"


def _write_together(to: Path, together: "Programme", sources: list[Path], *, as_json: bool) -> None:
    from safelight.deliver import single
    from safelight.interchange import write

    done = write(to, together)
    single.propose(done.files, sources)
    for loss in done.losses:
        click.echo(f"lost: {loss}", err=as_json)
    click.echo(f"{to.name}: read back, the same in every frame.", err=as_json)


@click.group()
def sound() -> None:
    """Repair of sound: noise, hum, clicks."""


@sound.command("repair")
@click.argument("file", type=FILE)
@click.option("--to", type=FILE, required=True, help="Where it goes: .wav, .flac, .m4a, .mp3, .opus.")
@click.option("--noise", type=click.FloatRange(0, 30), default=12.0, show_default=True, metavar="DB",
              help="By how much noise under speech is turned down at most; 0 leaves it.")  # fmt: skip
@click.option("--keep", multiple=True, type=click.Choice(["hum", "clicks", "noise"]), help="Leave this as it is.")
@click.option("--target", metavar="NAME", help="Also bring it to a loudness: ebu_r128, streaming, podcast, …")
@sign_option
@library_option
@json_option
def repair(
    file: Path, to: Path, noise: float, keep: tuple[str, ...], target: str | None, sign_off: str | None,
    library: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Mend the sound of a clip or sound where faults were found, and write it. Everything else stays as it is."""
    from safelight import sound_repair
    from safelight.deliver import single
    from safelight.media.loudness import TARGETS

    if target is not None and target not in TARGETS:
        raise UsageError(f"There is no target {target!r}.", remedy=f"There are {', '.join(TARGETS)}.")
    goal = TARGETS[target] if target else None
    out = begin(file, to, sign_off=sign_off, library=library)
    done = sound_repair.repair(file, out.path, noise_db=noise, keep=keep, target=goal)
    (place,) = single.settle([out])
    if as_json:
        show({"schema": "safelight.sound/1", "file": file.name, "to": place.name} | done.plain())
        return
    for note in (*done.notes, single.words(place, by=sign_off)):
        click.echo(note)
