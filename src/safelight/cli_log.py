"""`safelight log`: the shots of clips as rows, found by what is said and seen in them, carried into other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safelight.cli_options import cache_option, json_option, library_option, show
from safelight.errors import UsageError
from safelight.words import lasting, many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.shotlog import Asked, Found, Row
    from safelight.state import Footage

SCHEMA = "safelight.log/1"
PROGRAMS = ("plain", "resolve", "premiere")
SHOWN_WORDS = 12


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--find", "words", metavar="WORDS", default="", help="Shots in which this is said or that are called so.")
@click.option("--steady", is_flag=True, help="Shots as steady as on a tripod.")
@click.option("--sharp", is_flag=True, help="Shots whose key frame is sharp.")
@click.option("--clean", is_flag=True, help="Shots without faults of picture or sound.")
@click.option("--faces", type=click.IntRange(min=0), metavar="N", help="Shots with so many faces in the key frame.")
@click.option(
    "--longer", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Shots of so many seconds at least."
)
@click.option(
    "--csv", "table", type=click.Path(path_type=Path, dir_okay=False), help="Write the shots found as a table."
)
@click.option("--for", "program", type=click.Choice(PROGRAMS), default="plain", show_default=True,
              help="Whose columns the table has.")  # fmt: skip
@click.option("--xmp", is_flag=True, help="Write all shots of these clips as markers into sidecars beside them.")
@cache_option
@library_option
@json_option
def log(
    paths: tuple[Path, ...], words: str, steady: bool, sharp: bool, clean: bool, faces: int | None, longer: float,
    table: Path | None, program: str, xmp: bool, cache: Path | None, library: str | None, as_json: bool,
) -> int:  # fmt: skip
    """List the shots of clips, of all below a folder, or of those in the current one. Exit code 1 if none is found.

    What is searched is what the last run measured and heard; nothing is looked at anew. The clips are not touched."""
    from safelight import places, shotlog, sidecars
    from safelight.api import Library
    from safelight.shotlog import markers, tables

    asked = shotlog.Asked(words=words, steady=steady, sharp=sharp, clean=clean, faces=faces, longer=longer)
    rows: list[Row] = []
    clips: list[Footage] = []
    written: list[markers.Written] = []
    document: list[dict[str, Any]] = []
    roots: list[Path] = []
    with Library.open(library) as opened:
        for state, _, found, _ in places.find(opened, paths or (Path(),), cache=cache):
            root = Path(state.shoot.root)
            here = [r for c in found for r in shotlog.rows_of(c, tags=sidecars.keywords(root / c.path))]
            rows, clips, roots = rows + here, clips + found, [*roots, root]
            written += markers.write(root, here) if xmp else []
    told = shotlog.find(rows, asked)
    if table is not None:
        _table(table, tables.FOR[program](told.rows, roots[0]), program)
    if as_json:
        document = [row.json for row in told.rows]
        show({
            "schema": SCHEMA, "asked": _asked(asked), "of": len(rows), "shots": document, "unknown": told.unknown,
            "unheard": [{"clip": clip, "because": because} for clip, because in shotlog.unheard(clips)],
            "sidecars": [{"path": str(w.path), "did": w.did, "because": w.because or None} for w in written],
        })  # fmt: skip
    else:
        _tell(told, rows, clips, asked)
        for one in written:
            click.echo(f"{one.path}: {one.did}" + (f", {one.because}" if one.because else ""))
        if table is not None:
            click.echo(f"{table}: {many(len(told.rows), 'shot')}, columns for {program}.")
    refused = any(w.did == "refused" for w in written)
    return 1 if refused or (rows and not told.rows) else 0


def _table(path: Path, text: str, program: str) -> None:
    """Writes a table and reads it back; one that says so already is left alone."""
    import csv
    import io

    from safelight.files import write_atomic

    data = text.encode("utf-8", "backslashreplace")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written.", remedy="Name a file in a folder that is there.")
    if path.exists() and path.read_bytes() == data:
        return
    if path.exists() and path.suffix.lower() not in (".csv", ".txt"):
        raise UsageError(f"{path.name} is there and no table.", remedy="Name a file that ends in .csv.")
    write_atomic(path, data)
    back = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))
    if back != list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""))):
        raise UsageError(f"{path.name} does not read back as it was written for {program}.", remedy="Look at the disk.")


def _asked(asked: "Asked") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(asked)


def _tell(found: "Found", rows: "Sequence[Row]", clips: "Sequence[Footage]", asked: "Asked") -> None:
    from safelight import shotlog
    from safelight.domain import Kind

    clip = None
    for row in found.rows:
        if row.clip != clip:
            clip = row.clip
            click.echo(clip + (f", reel {row.reel}" if row.reel else ""))
        said = " ".join(text for _, _, text in row.words[:SHOWN_WORDS]) + (" …" if len(row.words) > SHOWN_WORDS else "")
        marks = ", ".join((*row.tags, *row.marks))
        more = "  ".join(part for part in (marks, f"“{said}”" if said else "") if part)
        click.echo(f"  {row.number:4d}  {row.label_in}–{row.label_out}  {lasting(row.seconds):>6}  {more}".rstrip())
    if not rows:
        unseen = [c for c in clips if c.asset.kind is Kind.VIDEO]
        click.echo(
            "There are no clips here." if not unseen else "Nobody has looked for shots here; safelight run does."
        )
    elif asked.nothing:
        click.echo(f"{many(len(rows), 'shot')} in {many(len({r.clip for r in rows}), 'clip')}.")
    else:
        click.echo(
            f"{many(len(found.rows), 'shot')} of {len(rows):,}." if found.rows else f"No such shot among {len(rows):,}."
        )
    if found.unknown:
        click.echo(f"In {many(found.unknown, 'shot')} it could not be told.")
    if asked.words:
        for name, because in shotlog.unheard(clips):
            click.echo(f"Not searched for words: {name}: {because}")
