"""What several commands of the command line share: options, and how a document is shown."""

from pathlib import Path
from typing import Any

import click

from safelight.files import json_text

FOLDER = click.Path(path_type=Path, file_okay=False)

library_option = click.option(
    "--library", type=click.Path(path_type=str), metavar="DIR", help="The studio library; default: your data folder."
)
cache_option = click.option("--cache", type=FOLDER, help="Where .safelight goes for a shoot that is read-only.")
sign_option = click.option(
    "--sign-off", metavar="NAME", help="Who has looked at it and signs that it is final; else it is a draft."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


def show(document: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json_text(document, indent=1))
