"""Writes the command-line reference from the commands themselves, and the built-in policy into its page.

`--check` only says what is out of date.

python docs/_reference.py [--check]
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from safelight.cli import cli
from safelight.media.formats import FORMATS
from safelight.verdicts import REASONS

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Written by docs/_reference.py from the commands in the code; changes belong there. -->"
INTRODUCTION = """# Command line

Results go to standard output, progress and errors to standard error. `--json` prints exactly one JSON document that
names its `schema`. There are no colours or moving bars where the stream is not a terminal. Ctrl-C stops a command;
the same command goes on from where it was."""
EXITS = {
    0: "done",
    1: "done, and some files failed or some questions could not be answered so; they are listed",
    2: "wrong usage, settings or policy",
    3: "nothing to do was found: no readable media",
    4: "the gate refused a delivery",
    5: "the library is damaged, locked or in a wrong place",
    130: "interrupted; run the same command again to go on",
}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with its name in full."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def commands_page() -> str:
    """The whole reference."""
    parts = [NOTE, INTRODUCTION]
    parts += [_section(path, command) for path, command in commands(cli)]
    parts.append("## Exit codes")
    parts.append(_table(("code", "means"), [(f"`{code}`", text) for code, text in EXITS.items()]))
    parts.append("## Reasons")
    parts.append("What `safelight verdict --reason` takes. They are kept with the verdict; more goes into `--note`.")
    parts.append(_table(("code", "means"), [(f"`{code}`", text) for code, text in REASONS.items()]))
    return "\n\n".join(parts) + "\n"


def _section(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(("safelight", *path)))
    usage = command.get_usage(context).removeprefix("Usage: ")
    lines = [f"## safelight {' '.join(path)}", command.help or "", f"```text\n{' '.join(usage.split())}\n```"]
    rows = [_row(option) for option in command.params if isinstance(option, click.Option)]
    if rows:
        lines.append(_table(("option", "means", "default"), rows))
    return "\n\n".join(lines)


def _row(option: click.Option) -> tuple[str, str, str]:
    names = " / ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    kind = option.type
    if isinstance(kind, click.Choice):
        names += f" `{'|'.join(kind.choices)}`"
    elif not option.is_flag:
        names += f" `{option.metavar or kind.name.upper().split()[0]}`"
    default = f"`{option.default}`" if option.show_default and isinstance(option.default, str) else ""
    return names, str(option.help) + (" Required." if option.required else ""), default


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def with_files(text: str) -> str:
    """The text with the present content of each file that it names in `<!-- include: PATH -->` … `<!-- end -->`."""

    def block(found: re.Match[str]) -> str:
        path = DOCS.parent / found[1]
        content = path.read_text("utf-8").strip()
        return f"<!-- include: {found[1]} -->\n```{path.suffix[1:]}\n{content}\n```\n<!-- end -->"

    return re.sub(r"<!-- include: (\S+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


def with_formats(text: str) -> str:
    """The text with the table of what is opened between its marks."""
    rows = [(f.about, " ".join(f"`{s}`" for s in f.suffixes), f.decoder, f.tested.value) for f in FORMATS]
    table = _table(("format", "suffixes", "decoded by", "state"), rows)
    return re.sub(
        r"<!-- formats -->\n.*?<!-- end -->", f"<!-- formats -->\n{table}\n<!-- end -->", text, flags=re.DOTALL
    )


def texts() -> dict[Path, str]:
    """Each page that this writes, with the text it should have."""
    policy, formats = DOCS / "policy.md", DOCS / "formats.md"
    return {
        DOCS / "cli.md": commands_page(),
        policy: with_files(policy.read_text("utf-8")),
        formats: with_formats(formats.read_text("utf-8")),
    }


def main(arguments: list[str]) -> int:
    """Writes the pages, or says which differ."""
    stale = {path: text for path, text in texts().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if "--check" in arguments:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} is out of date: run python docs/_reference.py\n")
        else:
            path.write_text(text, "utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
