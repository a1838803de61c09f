"""The command `safelight guide`: the checklist before a task is switched on."""

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from safelight.checklist import QUESTIONS
from safelight.cli_options import json_option, library_option, show
from safelight.errors import UsageError


def _questions(command: Callable[..., Any]) -> Callable[..., Any]:
    """One pair of options for each question of the checklist."""
    for question in reversed(QUESTIONS):
        name = question.name.replace("_", "-")
        command = click.option(f"--{name}/--not-{name}", question.name, default=None, help=question.text)(command)
    return command


@click.command()
@click.argument("task")
@click.option("--client", metavar="NAME", help="For this client only; default: for all work of the studio.")
@_questions
@click.option("--dry-run", is_flag=True, help="Only advise; write nothing.")
@click.option("--policy", type=click.Path(path_type=Path, dir_okay=False), help="The policy file that is written.")
@click.option("--by", metavar="NAME", help="Who answers; default: your login name.")
@library_option
@json_option
def guide(
    task: str, client: str | None, dry_run: bool, policy: Path | None, by: str | None, library: str | None,
    as_json: bool, **answers: bool | None,
) -> None:  # fmt: skip
    """Ask what a careful studio asks before TASK is switched on, advise, and write it into the policy."""
    from safelight import guide as guiding
    from safelight.store.library import Library

    with Library.open(library) as opened:
        guiding.known(task)
        if not as_json and any(answer is None for answer in answers.values()):
            click.echo("\n".join(["The record:", *(f"  {line}" for line in guiding.beside(opened, task, client)), ""]))
        told = {question.name: _answer(question, answers[question.name]) for question in guiding.QUESTIONS}
        found = guiding.document(opened, task, told, client=client, by=by or getpass.getuser())
        if not dry_run:
            found["written"] = str(guiding.write(opened, found, policy))
    if as_json:
        show(found)
    else:
        click.echo(guiding.words(found))


def _answer(question: Any, given: bool | None) -> bool:
    """What was said on the command line, or is asked for where somebody is there to answer."""
    if given is not None:
        return given
    name = question.name.replace("_", "-")
    if not sys.stdin.isatty():
        raise UsageError(f"Not answered: {question.text}", remedy=f"Say --{name} or --not-{name}.")
    return click.confirm(question.text, err=True)
