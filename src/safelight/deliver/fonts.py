"""Which fonts a PDF needs for its letters: our own for Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari, Thai and
Georgian, the system's for what they lack.

A letter that no font has is written as its Unicode number: `[U+5A5A]` can be looked up, a question mark cannot.
"""

import logging
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont, TTLibError
from pymupdf_fonts import myfont

OWN = ("notos", "figo")  # Noto Sans; FiraGO for arrows, signs and the scripts that it lacks: SIL Open Font License
FOLDERS: Mapping[str, tuple[str, ...]] = {  # where systems keep fonts
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": (r"%WINDIR%\Fonts", r"%LOCALAPPDATA%\Microsoft\Windows\Fonts"),
}
NAMES = (  # those with Chinese, Japanese and Korean letters that systems bring, the fuller ones first
    "NotoSansCJK*-Regular.*", "NotoSans[JKST][PRC]-Regular.*", "SourceHanSans*-Regular.*", "Arial Unicode*",
    "PingFang*",
    "Hiragino Sans*", "AppleSDGothicNeo*", "msyh.*", "msgothic.*", "YuGothM.*", "malgun.*", "simsun.*", "wqy-*",
    "DroidSansFallbackFull.*", "ipag*", "NanumGothic.*", "DejaVuSans.ttf",
)  # fmt: skip
FORMS = (".ttf", ".otf", ".ttc", ".otc")
SET_ON = ("Mn", "Mc", "Cf")  # Unicode's categories of marks, and of letters that say how others are joined
MAY_NOT_EMBED = 0x2  # in a font's OS/2.fsType: its licence forbids to put it into documents
LONG_S = 10  # of fontconfig
logging.getLogger("fontTools.subset").setLevel(logging.ERROR)  # else it tells of hints that it leaves out


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A font in a file, at a place in its collection, and the letters it has, as code points."""

    path: Path
    number: int
    letters: frozenset[int]


def own(folder: Path, letters: Collection[int]) -> list[Face]:
    """Our own fonts as files in a folder, to make a PDF from: the first, and those that have more of the letters."""
    left, made = set(letters), list[Face]()
    for name in OWN:
        data = myfont(name)
        with closing(TTFont(BytesIO(data), lazy=True)) as font:
            known = frozenset(font.getBestCmap())
        if made and not known & left:
            continue
        path = folder / f"{name}.ttf"
        path.write_bytes(data)
        made.append(Face(path=path, number=0, letters=known))
        left -= known
    return made


def of_system(letters: Collection[int]) -> list[Face]:
    """Fonts of this system that have these letters, as few as do; letters that none has are not an error."""
    left, chosen = set(letters), []
    for path in _known() if left else ():
        for face in _faces(path):
            if face.letters & left:
                chosen.append(face)
                left -= face.letters
        if not left:
            break
    while left:  # fontconfig knows of fonts that have other names and places
        letter = min(left)
        found = next((f for p in _listed(letter) for f in _faces(p) if letter in f.letters), None)
        if found is not None:
            chosen.append(found)
        left -= found.letters if found is not None else {letter}
    return chosen


def needs_shaping(text: str) -> bool:
    """Whether letters in a text are turned, joined, or set on each other: a font alone does not do that."""
    return any(unicodedata.bidirectional(x) in ("R", "AL") or unicodedata.category(x) in SET_ON for x in text)


def is_unseen(letter: str) -> bool:
    """Whether a letter only says how others are joined or turned."""
    return unicodedata.category(letter) == "Cf"


def code(letter: str) -> str:
    """A letter as its Unicode number in brackets."""
    return f"[U+{ord(letter):04X}]"


def _known() -> Iterator[Path]:
    roots = [Path(os.path.expandvars(name)).expanduser() for name in FOLDERS.get(sys.platform, ())]
    there = [path for root in roots for path in sorted(root.rglob("*")) if path.suffix.lower() in FORMS]
    for name in NAMES:
        yield from (path for path in there if path.match(name))


def _listed(letter: int) -> list[Path]:
    program = shutil.which("fc-list")
    if program is None:
        return []
    asked = [program, f":charset={letter:x}", "--format", "%{file}\n"]
    try:
        said = subprocess.run(asked, capture_output=True, timeout=LONG_S, check=True).stdout  # noqa: S603 - no shell
    except (OSError, subprocess.SubprocessError):
        return []
    paths = sorted({Path(os.fsdecode(line)) for line in said.splitlines() if line})
    return [path for path in paths if path.suffix.lower() in FORMS]


def _faces(path: Path) -> list[Face]:
    """The font of a file, or the first of its collection; nothing where it cannot be read or may not be embedded."""
    try:
        data = path.read_bytes()
        collection = data.startswith(b"ttcf")
        font = TTCollection(BytesIO(data), lazy=True).fonts[0] if collection else TTFont(BytesIO(data), lazy=True)
        if font["OS/2"].fsType & MAY_NOT_EMBED:
            return []
        return [Face(path=path, number=0, letters=frozenset(font.getBestCmap() or ()))]
    except (OSError, TTLibError, KeyError, AttributeError, AssertionError, ValueError):
        return []
