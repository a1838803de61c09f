"""The command `safelight trust`: what each task has earned, measured from people's own verdicts."""

import getpass
from pathlib import Path
from typing import Any

import click

from safelight.cli_options import json_option, library_option, show

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--export", type=FILE, help="Write the ledger to a .csv or .jsonl file.")
@click.option("--groups", is_flag=True, help="With --export: groups that are about people too.")
@click.option("--replay", type=FILE, help="Judge a ledger's file.")
@click.option("--import", "history", type=click.Path(path_type=Path), help="Take an old catalogue in.")
@click.option("--by", metavar="NAME", help="With --import: whose decisions they were; default: your login name.")
@click.option("--policy", type=FILE, help="Judge by this policy file.")
@click.option("--page", type=FILE, help="Write the same as a page with plots.")
@library_option
@json_option
def trust(
    export: Path | None, groups: bool, replay: Path | None, history: Path | None, by: str | None,
    policy: Path | None, page: Path | None, library: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Say what each task has earned, how often it was wrong, and what the next step needs."""
    from safelight import ledger
    from safelight.store.library import Library

    with Library.open(library) as opened:
        if history is not None:
            from safelight import history as past  # late, as below: who only asks need not wait for what takes in
            from safelight import terminal

            with terminal.Bar() as bar:
                taken = past.take(opened, history, by=by or getpass.getuser(), tell=bar.tell)
            click.echo(taken.words(), err=True)
        rules = ledger.rules(opened, policy)
        found: dict[str, Any] = ledger.document(opened, rules) if replay is None else ledger.replayed(replay, rules)
        if export is not None:
            ledger.export(opened, export, groups=groups)
    if page is not None:
        from safelight.report import trust as pages

        pages.write(found, page)
    if as_json:
        show(found)
    else:
        from safelight import trust_table

        click.echo("\n\n".join(filter(None, [trust_table.table(found), ledger.words(found)])))
    return 0
