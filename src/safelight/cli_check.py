"""The command `safelight check`: the gate for anybody's edits, on two files or two folders."""

import getpass
import os
from pathlib import Path
from typing import Any

import click

from safelight.cli_options import FOLDER, cache_option, json_option, library_option, show
from safelight.errors import UsageError
from safelight.words import many

DONE, SOME_FAILED, REFUSED = 0, 1, 4
PATH = click.Path(path_type=Path)
RESULTS = Path(".safelight") / "check"

channel_option = click.option(
    "--channel", "channels", multiple=True, metavar="NAME",
    help="Also the rules of a place: amazon, amazon_more, google_merchant, print, shopify, web, or a TOML file.",
)  # fmt: skip
client_option = click.option(
    "--client", type=click.Path(path_type=Path, dir_okay=False), help="Also the rules of a client's TOML file."
)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="[BEFORE] AFTER")
@click.option("--mask", type=PATH, help="Where the edit was meant to act: a file, or a folder of masks called alike.")
@channel_option
@client_option
@click.option("--to", type=FOLDER, help="Where page, heat maps and results go; default: .safelight/check beside AFTER.")
@click.option("--watch", is_flag=True, help="Stay, and check pictures as they arrive in the folder AFTER.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes; default: one a core.")
@library_option
@json_option
def check(
    paths: tuple[Path, ...], mask: Path | None, channels: tuple[str, ...], client: Path | None, to: Path | None,
    watch: bool, jobs: int | None, library: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Check AFTER against BEFORE: two files, or two folders matched by name, else by picture.

    With one path: what the pictures show by themselves; with a --channel or --client only these rules, on the files
    as they were written. Exit code 4 if something fails."""
    from safelight import pairs, terminal
    from safelight.checking import Outcome

    rules = rules_of(channels, client)
    if len(paths) > 2 or (len(paths) == 1 and mask is not None):
        said = f"{len(paths)} paths were named." if len(paths) > 2 else "A mask was named, and no BEFORE."
        raise UsageError(said, remedy="Name BEFORE and AFTER, or one path without --mask.")
    before, after = paths if len(paths) == 2 else (None, paths[0])
    place = to or (after if after.is_dir() else after.parent) / RESULTS
    request = pairs.Request(
        before=before, after=after, mask=mask, channels=rules, limits=_limits(library), to=place, jobs=jobs
    )
    with terminal.Bar() as bar:
        if watch:
            click.echo(f"Watching {after}; Ctrl-C ends it, and what was checked stays checked.", err=True)
            pairs.watch(request, bar.tell, lambda found: _tell(found, as_json=as_json))
        found = pairs.check_folders(request, bar.tell)
    _tell(found, as_json=as_json)
    broken = any(rule["held"] is False for rule in found["set_rules"])
    if broken or pairs.verdict_of(found["pairs"]) is Outcome.FAIL:
        return REFUSED
    return SOME_FAILED if found["failed"] else DONE


def _limits(named: str | None) -> Any:
    """The studio's thresholds, where there is a library; None for those of the bench."""
    from safelight.deliver.limits import of_studio
    from safelight.store.library import Library, default_folder

    place = named or os.environ.get("SAFELIGHT_LIBRARY") or str(default_folder())
    if "://" not in place and not (Path(place) / "library.sqlite").exists():
        return None
    with Library.open(named) as opened:
        return of_studio(opened)


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    from safelight import pairs

    if as_json:
        show(found)
    else:
        click.echo(pairs.words(found, page=Path(found["page"]) if "page" in found else None))


def rules_of(channels: tuple[str, ...], client: Path | None) -> tuple[Any, ...]:
    """The channels that were named, and those of a client's file."""
    from safelight.channels import channel
    from safelight.channels import client as read_client

    found = [channel(name) for name in channels]
    return (*found, *(read_client(client) if client is not None else ()))


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option("--finding", "findings", multiple=True, required=True, metavar="NAME", help="As the refusal names it.")
@click.option("--reason", metavar="CODE", help="Why, from the list in the manual.")
@click.option("--fault", is_flag=True, help="Take nothing: say that it is a fault, so that thresholds learn from it.")
@click.option("--note", default="", metavar="TEXT", help="Why, in your own words.")
@click.option("--by", metavar="NAME", help="On whose name; default: your login name.")
@cache_option
@library_option
def accept(
    paths: tuple[Path, ...], findings: tuple[str, ...], reason: str | None, fault: bool, note: str, by: str | None,
    cache: Path | None, library: str | None,
) -> int:  # fmt: skip
    """Take findings of the gate on your name, for these photos and clips as they are now; or say that they are faults.

    Recorded as a verdict with its reason, and told in the manifest. A changed edit is judged anew."""
    from safelight import places
    from safelight.api import Library
    from safelight.deliver.accept import Word
    from safelight.deliver.accept import accept as take
    from safelight.domain import Say

    if not (reason or fault):
        raise UsageError("Say why.", remedy="Name a --reason, or --fault if it is one.")
    say = Say.APPROVE if fault else Say.REJECT
    word = Word(by=by or getpass.getuser(), reason=reason or "other", note=note, say=say)
    count = 0
    with Library.open(library) as opened:
        for state, photos, clips, _ in places.find(opened, paths, cache=cache, evidence=False):
            count += len(take(opened.store, state, [*photos, *clips], findings, word))
            opened.carry(state, cache=cache)
    click.echo(f"{many(count, 'finding')} answered.")
    return DONE
