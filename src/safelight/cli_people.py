"""The commands `safelight people …`: the grouping of people, off until somebody switches it on."""

import getpass
from pathlib import Path

import click

from safelight.cli_options import cache_option, json_option, library_option, show
from safelight.errors import UsageError

by_option = click.option("--by", metavar="NAME", help="Who says so; default: your login name.")


@click.group()
def people() -> None:
    """Faces said to be one person: off until switched on, on this machine only, erasable."""


@people.command()
@by_option
@library_option
def on(by: str | None, library: str | None) -> None:
    """Switch the grouping of people on, for all shoots of this library from their next run."""
    _turn(library, by, is_on=True)


@people.command()
@by_option
@library_option
def off(by: str | None, library: str | None) -> None:
    """Switch it off. Nothing more is measured or shown; what is there stays until it is erased."""
    _turn(library, by, is_on=False)


def _turn(library: str | None, by: str | None, *, is_on: bool) -> None:
    from safelight.people import acts
    from safelight.store.library import Library

    with Library.open(library) as opened:
        click.echo(acts.switch_words(acts.turn(opened, on=is_on, by=by or getpass.getuser())))


@people.command()
@library_option
@json_option
def status(library: str | None, as_json: bool) -> None:
    """Say whether it is on, since when and by whom, and how much is kept."""
    from safelight.people import acts
    from safelight.store.library import Library

    with Library.open(library) as opened:
        found = acts.document(opened)
    if as_json:
        show({key: value for key, value in found.items() if key != "people"} | {"people": len(found["people"])})
    else:
        click.echo(acts.switch_words(found))


@people.command("list")
@click.option("--all", "everyone", is_flag=True, help="Also those who are on one photo only.")
@library_option
@json_option
def list_people(everyone: bool, library: str | None, as_json: bool) -> None:
    """List everybody with number, name and some of their photos."""
    from safelight.people import acts
    from safelight.store.library import Library

    with Library.open(library) as opened:
        found = acts.document(opened)
    if as_json:
        show(found)
    else:
        click.echo(acts.words(found, everyone=everyone))


@people.command()
@click.argument("person", type=int)
@click.argument("name")
@by_option
@library_option
def name(person: int, name: str, by: str | None, library: str | None) -> None:
    """Give a PERSON (a number of the list) a NAME."""
    from safelight.people import acts
    from safelight.store.library import Library

    with Library.open(library) as opened:
        acts.name(opened, person, name, by=by or getpass.getuser())


@people.command()
@click.argument("person", type=int)
@click.argument("others", type=int, nargs=-1, required=True)
@by_option
@library_option
def join(person: int, others: tuple[int, ...], by: str | None, library: str | None) -> None:
    """Say that OTHERS are PERSON too. Refused where a photo shows two of them."""
    from safelight.people import acts
    from safelight.store.library import Library

    with Library.open(library) as opened:
        acts.join(opened, person, others, by=by or getpass.getuser())


@people.command()
@click.argument("person", type=int)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@by_option
@cache_option
@library_option
def part(person: int, paths: tuple[Path, ...], by: str | None, cache: Path | None, library: str | None) -> None:
    """Say that the face of PERSON on these photos is somebody else's, who gets a number of their own."""
    from safelight import places
    from safelight.api import Library
    from safelight.people import acts

    with Library.open(library) as opened:
        assets = {
            photo.id for _, photos, _, _ in places.find(opened, paths, cache=cache, evidence=False) for photo in photos
        }
        number = acts.part(opened.store, person, assets, by=by or getpass.getuser())
    click.echo(f"They are person {number} now.")


@people.command()
@click.argument("persons", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything about everybody; the switch goes off.")
@by_option
@library_option
def erase(persons: tuple[int, ...], everything: bool, by: str | None, library: str | None) -> None:
    """Erase PERSONS, or everything with --all, from the library and its copies. Cannot be undone."""
    from safelight.people import acts
    from safelight.store.library import Library

    if bool(persons) == everything:
        raise UsageError("Say what is to be erased.", remedy="Name persons by number, or use --all for everything.")
    with Library.open(library) as opened:
        done = acts.erase(opened, persons, by=by or getpass.getuser())
    click.echo(f"Erased what told faces apart. Photos that had something: {done.photos:,}.")
    if done.copies:
        click.echo(f"Copies of the library written anew without anybody's data: {done.copies}.")
