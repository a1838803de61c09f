"""The command `safelight review`."""

import getpass
from pathlib import Path

import click

from safelight.cli_options import FOLDER, cache_option, library_option

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("folder", type=FOLDER, required=False)
@click.option("--port", type=click.IntRange(0, 65535), help="Default: 8421, or any that is free; 0: any that is free.")
@click.option("--no-browser", is_flag=True, help="Print the link only.")
@click.option("--host", default="localhost", show_default=True, help="For other machines too; only with TLS.")
@click.option("--certificate", type=FILE, help="For TLS: a certificate as PEM.")
@click.option("--key", type=FILE, help="For TLS: its key as PEM.")
@click.option("--token", metavar="TEXT", help="The key to this start, 16 characters or more; default: a new one.")
@click.option("--by", metavar="NAME", help="Who decides; default: your login name.")
@cache_option
@library_option
def review(
    folder: Path | None, port: int | None, no_browser: bool, host: str, certificate: Path | None, key: Path | None,
    token: str | None, by: str | None, cache: Path | None, library: str | None,
) -> None:  # fmt: skip
    """Open the review app on FOLDER, or on all shoots of the library. It may be opened while a run goes on."""
    from safelight.engine import one_thread

    one_thread()  # several views may be rendered at once
    from safelight.review import Opening, serve
    from safelight.store.library import Library

    opening = Opening(
        name=by or getpass.getuser(), host=host, port=port, token=token, certificate=certificate, key=key, cache=cache,
        browser=not no_browser,
    )  # fmt: skip
    with Library.open(library) as opened:
        serve(opened, folder, opening, click.echo)
