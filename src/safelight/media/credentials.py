"""Content credentials (C2PA): whether a file carries them, and what is said where they are lost.

They are a signed statement about exactly these bytes. A file that is made from them can hold them only among its own
(`signing`); where it has none, that they stay with the original alone is told.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from safelight.errors import MediaError
from safelight.media import boxes, formats, riff
from safelight.media.ifd import Fetch

STORE = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # of the uuid box in ISO media (C2PA 2.2, A.5.1)
IN_RIFF = b"C2PA"  # the chunk in WAV, AVI and WebP (C2PA 2.2, A.3.9)
HEAD = 1 << 20  # bytes within which JPEG, PNG, TIFF and ID3 keep theirs


def present(path: Path) -> bool:
    """Whether a file carries a C2PA manifest store: a box of ISO media or JPEG XL wherever it stands, a chunk of RIFF,
    or JUMBF near the beginning of anything else. What cannot be read carries none."""
    try:
        head = formats.first_bytes(path, HEAD)
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size

            def fetch(offset: int, count: int) -> bytes:
                if offset >= size:
                    return b""
                file.seek(offset)
                return file.read(min(count, size - offset))

            if head[4:8] in (b"ftyp", b"JXL "):
                return _boxed(fetch)
            if head[:4] in (b"RIFF", b"RF64"):
                return any(chunk.name == IN_RIFF for chunk in riff.chunks(fetch))
    except (MediaError, OSError):
        return False
    return b"c2pa" in head and (b"jumb" in head or b"caBX" in head)


def _boxed(fetch: Fetch) -> bool:
    return any(
        (box.name == b"uuid" and fetch(box.start, 16) == STORE)
        or (box.name == b"jumb" and b"c2pa" in fetch(box.start, min(box.end - box.start, 256)))
        for box in boxes.walk(fetch)
    )


def lost(paths: Iterable[Path], *, what: str) -> list[str]:
    """A sentence for each original whose credentials are not in `what`: "the film", "the sound"."""
    return [
        f"Content credentials (C2PA) of {path.name} are not in {what}: they vouch for the original's bytes alone, and "
        "stay with it."
        for path in dict.fromkeys(paths)
        if present(path)
    ]
