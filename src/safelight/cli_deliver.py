"""The command that hands finished work over: `safelight deliver`."""

from pathlib import Path

import click

from safelight.cli_check import channel_option, client_option
from safelight.cli_options import FOLDER, cache_option, json_option, library_option, show

DONE, SOME_FAILED = 0, 1


@click.command()
@click.argument("folder", type=FOLDER, default=Path())
@click.option("--to", required=True, type=FOLDER, help="Where the delivery goes; a new or empty folder.")
@click.option(
    "--preset", default="jpeg", show_default=True, metavar="NAME", help="jpeg, web, print, tiff16, or a preset file."
)
@click.option("--names", metavar="TEMPLATE", help="For example '$(EXIF.YEAR)$(EXIF.MONTH)$(EXIF.DAY)-$(FILE.NAME)'.")
@click.option("--sidecars/--no-sidecars", default=False, help="An XMP sidecar beside each file.")
@click.option("--clips/--no-clips", default=True, help="The approved cuts of clips; else photos alone.")
@click.option(
    "--timelines", default="otio", show_default=True, metavar="FORM", help="Of cuts: otio, fcpxml, xml, edl or mlt."
)
@click.option(
    "--films", metavar="PLACE", help="Render each cut too, and check it for where it goes: see `safelight film`."
)
@click.option("--draft", is_flag=True, help="Hand over what is there, marked as a draft.")
@click.option("--sign-off", metavar="NAME", help="Who signs for this delivery.")
@channel_option
@client_option
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes; default: one a core.")
@cache_option
@library_option
@json_option
def deliver(
    folder: Path, to: Path, preset: str, names: str | None, sidecars: bool, clips: bool, timelines: str,
    films: str | None, draft: bool, sign_off: str | None, channels: tuple[str, ...], client: Path | None,
    jobs: int | None, cache: Path | None, library: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Write the finished photos and the cuts of clips with their manifest, if nothing is left open."""
    from safelight import terminal
    from safelight.api import Library
    from safelight.deliver import Order, words

    order = Order(
        to=to, preset=preset, names=names, sidecars=sidecars, draft=draft, sign_off=sign_off, jobs=jobs,
        channels=channels, client=client, clips=clips, timelines=timelines, films=films,
    )  # fmt: skip
    with Library.open(library) as opened, terminal.Bar() as bar:
        manifest = opened.deliver(folder, to, order=order, cache=cache, tell=bar.tell)
    if as_json:
        show(manifest)
    else:
        click.echo(words(manifest, to))
    return SOME_FAILED if manifest["failed"] else DONE
