"""What commands share that write one file of a clip: its draft until somebody signs, and how far they are."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from safelight.deliver.single import Single

EVERY = 250  # frames between lines of progress


def begin(source: Path, to: Path, *, sign_off: str | None, library: str | None) -> "Single":
    """The file to be made. What people still have to say of the clip is asked only where somebody signs."""
    from safelight import places
    from safelight.deliver import single

    clips = places.clips_known(library, source) if sign_off else []
    return single.begin(to, [source], sign_off=sign_off, clips=clips)


def tell(what: str, number: int) -> None:
    """Says now and then how many frames are done."""
    if number % EVERY == 0:
        click.echo(f"{what} {number} frames", err=True)
