"""`safelight clear`: a shot without those who pass."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight.cli_options import json_option, library_option, show, sign_option
from safelight.cli_single import begin, tell
from safelight.errors import UsageError

if TYPE_CHECKING:
    from safelight.clearing import Box

FILE = click.Path(path_type=Path, dir_okay=False)
LEFT = 1


@click.command()
@click.argument("clip", type=FILE)
@click.option("--to", type=FILE, required=True, help="The film to write: .mp4, .mov, .mkv.")
@click.option("--where", metavar="BOX", help="Only there: left,top,right,bottom in pixels of the upright picture.")
@sign_option
@library_option
@json_option
def clear(
    clip: Path, to: Path, where: str | None, sign_off: str | None, library: str | None, as_json: bool
) -> None:  # fmt: skip
    """Take passers-by out of a shot on a camera that stands. Exit code 1, and no film, where it is left alone.

    The clip is not touched, its sound is copied. What comes out is a draft, and is called so, until somebody has looked
    at all of it and signs."""
    from safelight import clearing
    from safelight.deliver import single

    out = begin(clip, to, sign_off=sign_off, library=library)
    done = clearing.clear(clip, out.path, where=_box(where) if where else None, tell=tell)
    if done.changed:
        (to,) = single.settle([out])
    if as_json:
        show({
            "schema": "safelight.clear/1", "file": clip.name, "film": to.name if done.changed else None,
            "frames": done.frames, "changed": done.changed, "largest": round(done.largest, 4),
            "cannot_tell": done.cannot_tell, "left_alone": done.left_alone, "notes": list(done.notes),
        })  # fmt: skip
    else:
        for note in done.notes:
            click.echo(note)
        if done.cannot_tell:
            click.echo(f"{clip.name}: cannot tell, {done.cannot_tell}.")
        elif done.left_alone:
            click.echo(f"{clip.name}: left alone, {done.left_alone}.")
        else:
            click.echo(
                f"{to.name}: what lies behind is shown in {done.changed} of {done.frames} frames, in up to "
                f"{done.largest:.1%} of the picture. {single.words(to, by=sign_off)}"
            )
    raise SystemExit(0 if done.changed else LEFT)


def _box(text: str) -> "Box":
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--where {text} is no box.", remedy="Four whole numbers: 0,100,640,480.") from error
    return left, top, right, bottom
