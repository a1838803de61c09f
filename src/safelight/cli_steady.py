"""`safelight steady`: a shot without its shake."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight.cli_options import json_option, library_option, show, sign_option
from safelight.cli_single import begin, tell
from safelight.errors import UsageError

if TYPE_CHECKING:
    from safelight.steady import Steadied

FILE = click.Path(path_type=Path, dir_okay=False)
LEFT = 1


@click.command()
@click.argument("clip", type=FILE)
@click.option("--to", type=FILE, required=True, help="The film to write: .mp4, .mov, .mkv.")
@click.option(
    "--strength", default=0.5, show_default=True, metavar="S", help="Seconds over which the path is smoothed."
)
@click.option("--crop", default=0.1, show_default=True, metavar="SHARE", help="How much of the width may be cut off.")
@click.option("--anyway", is_flag=True, help="Also where the camera is meant to move; its way stays.")
@sign_option
@library_option
@json_option
def steady(
    clip: Path, to: Path, strength: float, crop: float, anyway: bool, sign_off: str | None, library: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Take the shake out of a shot. Exit code 1, and no film, where it is left alone.

    The clip is not touched, its sound is copied. What comes out is a draft, and is called so, until somebody signs for
    it; exit code 4 where questions about the clip are open then."""
    from safelight import steady as steadying
    from safelight.checking import Outcome
    from safelight.deliver import single

    if not 0.1 <= strength <= 5:
        raise UsageError(f"--strength {strength:g} is no time to smooth over.", remedy="From 0.1 to 5 seconds.")
    if not 0.01 <= crop <= 0.3:
        raise UsageError(f"--crop {crop:g} is no share to cut off.", remedy="From 0.01 to 0.3.")

    out = begin(clip, to, sign_off=sign_off, library=library)
    to = out.path
    done = steadying.steady(clip, to, strength_s=strength, crop=crop, anyway=anyway, tell=tell)
    found = done.plan
    written = done.after is not None
    if written:
        steadier = f"Its shake is {done.after:.2%} of the width, measured on the film as it was written."
        (to,) = single.settle([out], [single.Found(name="shake", outcome=Outcome.PASS, text=steadier)])
    if as_json:
        show({
            "schema": "safelight.steady/1", "file": clip.name, "film": to.name if written else None,
            "frames": done.frames, "shake": found.shake, "after": done.after, "crop": round(found.crop, 4),
            "cannot_tell": found.cannot_tell, "left_alone": found.left_alone or done.no_better,
            "notes": list(done.notes),
        })  # fmt: skip
    else:
        _tell(done, clip, to)
        if written:
            click.echo(single.words(to, by=sign_off))
    raise SystemExit(0 if written else LEFT)


def _tell(done: "Steadied", clip: Path, to: Path) -> None:
    found = done.plan
    for note in done.notes:
        click.echo(note)
    if found.cannot_tell:
        click.echo(f"{clip.name}: cannot tell, {found.cannot_tell}.")
    elif found.left_alone or done.no_better:
        click.echo(f"{clip.name}: left alone, {found.left_alone or done.no_better}.")
    if done.after is not None and found.shake is not None:
        click.echo(
            f"{to.name}: of the width, {found.shake:.2%} of shake became {done.after:.2%}; {found.crop:.1%} of it is "
            "cut off."
        )
