"""What a file is, told from its first bytes; the name only settles which maker's raw a TIFF is."""

import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from safelight.errors import NotMedia, Truncated, Unreadable, Unsupported

HEAD = 64 * 1024  # bytes that a first look reads


class Tested(StrEnum):
    """On what a decoder has been tested."""

    REAL = "tested on real files"
    MADE = "tested on made files"
    NONE = "decoder only, untested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file that is opened: what it is called, its suffixes, who decodes it, on what that was tested; `extra`
    names what is to be installed for it."""

    about: str
    suffixes: tuple[str, ...]
    decoder: str
    tested: Tested
    extra: str = ""


_MORE_RAWS = (
    ".3fr", ".crw", ".dcr", ".erf", ".fff", ".iiq", ".k25", ".kdc", ".mef", ".mos", ".mrw", ".nrw", ".pef", ".raw",
    ".rwl", ".sr2", ".srf", ".srw", ".x3f",
)  # fmt: skip
# Suffixes of raws are the names that `sniff` gives them. Metadata of CR2 to RW2 are tested on the heads of real files.
FORMATS = (
    Format(about="JPEG of 8 bits: grey, RGB, CMYK; of Ultra HDR the base picture", suffixes=(".jpg", ".jpeg", ".jpe"),
           decoder="libjpeg-turbo", tested=Tested.REAL),
    Format(about="JPEG of 12 bits, lossless JPEG", suffixes=(".jpg",), decoder="libvips", tested=Tested.NONE),
    Format(about="PNG of 8 and 16 bits", suffixes=(".png",), decoder="libvips", tested=Tested.REAL),
    Format(about="TIFF of 8, 16 and 32 bits and floating point: grey, RGB, CMYK, Lab; strips, tiles, planes",
           suffixes=(".tif", ".tiff"), decoder="libvips", tested=Tested.MADE),
    Format(about="WebP; of an animation the first frame", suffixes=(".webp",), decoder="libvips", tested=Tested.MADE),
    Format(about="HEIC of 8 bits", suffixes=(".heic", ".heif", ".hif"), decoder="libheif", tested=Tested.REAL),
    Format(about="HEIC of 10 and 12 bits", suffixes=(".heic", ".heif", ".hif"), decoder="libheif",
           tested=Tested.NONE),
    Format(about="AVIF of 8 to 12 bits, PQ and HLG", suffixes=(".avif",), decoder="libvips", tested=Tested.REAL),
    Format(about="JPEG XL; of an animation the first frame", suffixes=(".jxl",), decoder="libjxl", tested=Tested.MADE,
           extra="jxl"),
    Format(about="Photoshop, the composite: grey, RGB, CMYK, Lab; without one the layers, grey and RGB",
           suffixes=(".psd", ".psb"), decoder="Safelight", tested=Tested.MADE),
    Format(about="DNG of a sensor's mosaic", suffixes=(".dng",), decoder="LibRaw", tested=Tested.REAL),
    Format(about="DNG, linear: whole numbers, floating point, lossy", suffixes=(".dng",), decoder="LibRaw",
           tested=Tested.MADE),
    *(
        Format(about=f"{maker} {suffix[1:].upper()}", suffixes=(suffix,), decoder="LibRaw", tested=Tested.NONE)
        for maker, suffix in (("Canon", ".cr2"), ("Canon", ".cr3"), ("Nikon", ".nef"), ("Sony", ".arw"),
                              ("Fujifilm", ".raf"), ("Panasonic", ".rw2"), ("Olympus", ".orf"))
    ),
    Format(about="other raws that LibRaw knows", suffixes=_MORE_RAWS, decoder="LibRaw", tested=Tested.NONE),
)  # fmt: skip
RAW_SUFFIXES = frozenset(suffix for known in FORMATS if known.decoder == "LibRaw" for suffix in known.suffixes)
RAW_FORMATS = frozenset(suffix[1:] for suffix in RAW_SUFFIXES)
PICTURE_SUFFIXES = frozenset(suffix for known in FORMATS for suffix in known.suffixes)
OPTIONAL_SUFFIXES = frozenset(suffix for known in FORMATS if known.extra for suffix in known.suffixes)
KNOWN_ELSEWHERE = {"gif"}  # recognised, so that the message can name them

_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"FUJIFILMCCD-RAW", "raf"),
    (b"IIU\0", "rw2"),
    (b"IIRO", "orf"),
    (b"IIRS", "orf"),
    (b"MMOR", "orf"),
    (b"\0MRM", "mrw"),
    (b"FOVb", "x3f"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"GIF8", "gif"),
    (b"8BPS", "psd"),
    (b"\0\0\0\x0cJXL ", "jxl"),
    (b"\xff\x0a", "jxl"),
)
_BRANDS = {b"crx ": "cr3", b"avif": "avif", b"avis": "avif"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "heic"
)


def sniff(head: bytes, suffix: str = "") -> str | None:
    """The format that these first bytes begin: "jpeg", "png", "tiff", "dng", "nef", "cr3", "heic", …; None if unknown.

    Most raws are TIFFs inside. A DNG says so itself (tag DNGVersion); for the others the suffix decides.
    """
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    found = next((name for magic, name in _MAGIC if head.startswith(magic)), None)
    if found == "tiff":
        return _tiff_kind(head, suffix.lower())
    return "rwl" if found == "rw2" and suffix.lower() == ".rwl" else found


def _tiff_kind(head: bytes, suffix: str) -> str:
    dng_version = b"\x12\xc6\x01\0\x04\0\0\0" if head[:2] == b"II" else b"\xc6\x12\0\x01\0\0\0\x04"
    if suffix == ".dng" or dng_version in head[:HEAD]:
        return "dng"
    if head[8:10] == b"CR":
        return "cr2"
    return suffix[1:] if suffix in RAW_SUFFIXES else "tiff"


def first_bytes(path: Path, size: int = HEAD) -> bytes:
    """The file's first bytes. Raises Unreadable, and Truncated where there are none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise Unreadable(f"{path.name} is no ordinary file.", remedy="Leave it out.")  # a pipe would wait for ever
        with path.open("rb") as file:
            head = file.read(size)
    except OSError as error:
        raise unreadable(path, error) from error
    if not head:
        raise Truncated(f"{path.name} is empty (0 bytes).", remedy="Copy it from the card again.")
    return head


def unreadable(path: Path, error: OSError) -> Unreadable:
    """The system's refusal in our words."""
    if isinstance(error, FileNotFoundError):
        return Unreadable(f"{path.name} is no longer there.", remedy="Put it back, or run again without it.")
    return Unreadable(
        f"{path.name} cannot be read: {error.strerror or error}.", remedy="Check the file's permissions and the disk."
    )


def unsupported(path: Path, format_: str) -> Unsupported:
    """The format is known by name and not opened here."""
    return Unsupported(
        f"{path.name} is a {format_.upper()} file, which is not opened here.",
        remedy="Export it as JPEG or TIFF and run again.",
    )


def not_media(path: Path, head: bytes) -> NotMedia:
    """The bytes are something else than the name says."""
    what = "text" if _looks_like_text(head) else "no picture format known here"
    return NotMedia(f"{path.name} holds {what}, not a picture.", remedy="Leave it out, or give it its right name.")


def truncated(path: Path, *, have: int, need: int | None = None) -> Truncated:
    """The file ends before its picture does; `need` is how many bytes it should have, where it says so itself."""
    sizes = f"{megabytes(have)} of {megabytes(need)}" if need else f"at {megabytes(have)}"
    comma = "" if need else ","
    brackets = f" ({sizes})" if need else f"{comma} {sizes}"
    return Truncated(f"{path.name} ends early{brackets}.", remedy="Copy it from the card again.")


def damaged(path: Path, reason: str) -> Unreadable:
    """The decoder gave up on a file whose structure is whole."""
    return Unreadable(f"{path.name} is damaged: {reason}.", remedy="Copy it from the card again.")


def megabytes(size: int) -> str:
    """`3.1 MB`; small sizes in kB."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _looks_like_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    printable = sum(byte >= 32 or byte in b"\t\n\r\f" for byte in head[:512])
    return printable >= 0.95 * len(head[:512])
