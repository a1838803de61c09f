"""The manual is tested like code; what these tests share."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click

from safelight.cli import cli

ROOT = Path(__file__).resolve().parents[2]


@cache
def page(name: str) -> str:
    """A page of the manual by its path below `docs`."""
    return (ROOT / "docs" / name).read_text("utf-8")


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command
