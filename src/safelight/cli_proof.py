"""The commands that prove how work was checked: sampling what was done alone, and the gallery of failures."""

from dataclasses import asdict
from pathlib import Path

import click

from safelight.cli_options import FOLDER, cache_option, json_option, library_option, show
from safelight.errors import UsageError

SCHEMA = "safelight.sample/1"


class Share(click.ParamType[float]):
    """A share such as 5% or 0.05."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The share as a number between 0 and 1."""
        text = str(value).strip()
        try:
            number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            number = 0.0
        if not 0 < number < 1:
            self.fail(f"{value!r} is no share; write 5% or 0.05.", param, ctx)
        return number


@click.command()
@click.argument("folder", type=FOLDER, required=False)
@click.option("--at-most", type=Share(), default="5%", show_default=True, help="The share of bad ones to rule out.")
@click.option("--level", type=Share(), default="95%", show_default=True, help="How sure that must be.")
@click.option("--of", "count", type=click.IntRange(min=1), help="Only count: how many to look at of so many.")
@cache_option
@library_option
@json_option
def sample(
    folder: Path | None, at_most: float, level: float, count: int | None, cache: Path | None, library: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Draw by coin, from what was done alone in FOLDER, as many items as it takes to promise a bound; they wait in the
    queue. Run again: says how far it is, and draws only what is missing."""
    from safelight.learn import bound
    from safelight.words import many

    if (count is None) == (folder is None):
        raise UsageError("Say what is to be sampled.", remedy="Name a shoot, or a number with --of.")
    if count is not None:
        wanted = bound.plan(count, at_most, level=level)
        if as_json:
            show({"schema": SCHEMA, "of": count, "look_at": wanted, "at_most": at_most, "level": level})
            return
        click.echo(
            f"Look at {wanted:,} of {count:,}, drawn by coin. If none is bad, less than {100 * at_most:.3g} % of the "
            f"rest is, {level:.0%} sure."
        )
        return
    from safelight import ledger, lots
    from safelight.api import Library

    assert folder is not None
    with Library.open(library) as opened:
        state = opened.state(folder, cache=cache)
        plans = lots.sample(opened.store, state, ledger.rules(opened.store), share=at_most, level=level)
        opened.carry(state, cache=cache)
    if as_json:
        show({"schema": SCHEMA, "at_most": at_most, "level": level, "lots": [asdict(plan) for plan in plans]})
        return
    if not plans:
        click.echo("Nothing was done alone in this shoot: there is nothing to sample.")
    for plan in plans:
        click.echo(
            f"{plan.task.replace('_', ' ').capitalize()}: look at {plan.look_at:,} of {plan.of:,}; "
            f"{plan.looked:,} of {many(plan.drawn, 'drawn item', 'drawn items')} looked at, {plan.bad:,} bad. "
            f"So far at most {plan.bad_at_most:,} of {plan.of:,} are bad, {level:.0%} sure."
        )


@click.command()
@click.argument("folder", type=FOLDER, default=Path())
@click.option("--to", required=True, type=FOLDER, help="Where the page and its pictures go.")
@click.option("--jobs", type=click.IntRange(min=1), help="Worker processes; default: one a core.")
@cache_option
@library_option
@json_option
def gallery(
    folder: Path, to: Path, jobs: int | None, cache: Path | None, library: str | None, as_json: bool
) -> None:  # fmt: skip
    """Show what went wrong in FOLDER, at 100 %: what people rejected, what checks found, what was done instead."""
    from safelight import terminal
    from safelight.api import Library
    from safelight.report import gallery as gallery_
    from safelight.store.objects import ShootFolder

    with Library.open(library) as opened, terminal.Bar() as bar:
        where = ShootFolder.at(folder, cache=cache)
        target = to.expanduser().resolve()
        if target == where.root:
            raise UsageError("A gallery cannot go among the originals.", remedy="Name another folder with --to.")
        state = opened.state(folder, cache=cache)
        made = gallery_.make(opened.store, state, where, target, jobs=jobs, tell=bar.tell)
    if as_json:
        show(made)
    else:
        click.echo(gallery_.words(made, target))
