"""The commands `safelight handoff` and `safelight return`: out to a retoucher, and back through the gate."""

import getpass
from pathlib import Path
from typing import Any

import click

from safelight.cli_options import FOLDER, cache_option, json_option, library_option, show
from safelight.errors import SafelightError, UsageError

DONE, SOME_FAILED, REFUSED = 0, 1, 4
PATHS = click.Path(path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATHS)
@click.option("--to", required=True, type=FOLDER, help="Where the files and the brief go.")
@click.option("--note", default="", metavar="TEXT", help="What you want, in your own words; stands above the brief.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes; default: one a core.")
@cache_option
@library_option
@json_option
def handoff(
    paths: tuple[Path, ...], to: Path, note: str, jobs: int | None, cache: Path | None, library: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Write a layered file, plain 16-bit TIFFs and a brief for a retoucher."""
    from safelight import handoff as out
    from safelight import places, terminal
    from safelight.api import Library
    from safelight.store.objects import ShootFolder

    with Library.open(library) as opened, terminal.Bar() as bar:
        found = list(places.find(opened, paths, cache=cache))
        if len(found) != 1:
            raise UsageError("Photos of several shoots were named.", remedy="Hand over one shoot at a time.")
        state, photos, *_ = found[0]
        where = ShootFolder.at(Path(state.shoot.root), cache=cache)
        made = out.hand_out(opened.store, where, state, photos, to=to, note=note, jobs=jobs, tell=bar.tell)
        opened.carry(state, cache=cache)
    if as_json:
        show(made)
    else:
        click.echo(out.words(made, to))
    return SOME_FAILED if made["failed"] else DONE


@click.command("return")
@click.argument("files", nargs=-1, required=True, type=PATHS)
@click.option(
    "--of", "original", type=PATHS, help="The photo that the file was made from, where its name does not say."
)
@click.option("--folder", type=FOLDER, help="The shoot; default: what the brief beside the file says.")
@click.option("--generated", is_flag=True, help="Parts were made by a generative model; delivered files will say so.")
@click.option("--by", metavar="NAME", help="Whose work it is; default: your login name.")
@click.option("--note", default="", metavar="TEXT", help="What was done, in your own words.")
@cache_option
@library_option
@json_option
def bring_back(
    files: tuple[Path, ...], original: Path | None, folder: Path | None, generated: bool, by: str | None, note: str,
    cache: Path | None, library: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Take retouched files back as edits of their photos, and check them against what went out.

    Exit code 4 if a file shows another photo, or fails the check."""
    from safelight.api import Library

    if original is not None and len(files) != 1:
        raise UsageError("--of is about one file.", remedy="Return the files one by one.")
    came, refused = [], []
    with Library.open(library) as opened:
        for file in files:
            try:
                one = _one(
                    opened, file, original, folder, cache, by=by or getpass.getuser(), generated=generated, note=note
                )
                came.append(one)
            except SafelightError as error:
                if len(files) == 1:
                    raise
                refused.append((file, error))
    return _told(came, refused, as_json=as_json)


def _one(opened: Any, file: Path, original: Path | None, folder: Path | None, cache: Path | None, **more: Any) -> Any:
    from safelight import places
    from safelight.handoff import bring_back as take
    from safelight.handoff.back import shoot_of
    from safelight.store.objects import ShootFolder

    root = folder or (places.root_of(opened, original.expanduser().absolute()) if original else shoot_of(file))
    if root is None:
        raise UsageError(
            f"No brief lies beside {file.name}, so its shoot is not known.", remedy="Name the shoot with --folder."
        )
    state = opened.state(root, cache=cache)
    where = ShootFolder.at(root, cache=cache)
    of = None
    if original is not None:
        full = original.expanduser().absolute()
        of = state.photo(str(full.relative_to(where.root)) if full.is_relative_to(where.root) else str(original))
    one = take(opened.store, where, state, file, of=of, **more)
    opened.carry(state, cache=cache)
    return one


def _told(came: list[Any], refused: list[tuple[Path, SafelightError]], *, as_json: bool) -> int:
    from safelight.checking import Outcome
    from safelight.pairs import document, line, verdict_of

    entries = [one.entry for one in came]
    if as_json:
        show(
            document(
                entries,
                returned=[
                    {"file": str(one.file), "photo": one.photo.path, "sha256": one.digest, "version": one.version.id,
                     "notes": list(one.notes)}
                    for one in came
                ],
                failed=[{"path": str(f), "code": e.code, "cause": e.cause, "remedy": e.remedy} for f, e in refused],
            )
        )  # fmt: skip
    else:
        for one in came:
            click.echo(f"{one.file.name} is an edit of {one.photo.path} now.")
            click.echo("\n".join([line(one.entry), *(f"      {note}" for note in one.notes)]))
        for file, error in refused:
            click.echo(f"{file.name} was not taken: {error.cause} {error.remedy}")
    if verdict_of(entries) is Outcome.FAIL or any(e.exit == REFUSED for _, e in refused):
        return REFUSED
    return SOME_FAILED if refused else DONE
