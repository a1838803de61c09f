"""How close a raw's base rendering comes to the camera's own picture, and whether files pass through unharmed.

`look.*` on recipe `card`: raws rendered through `camera_look` against their embedded previews, both reduced to 800 px,
mean CIEDE2000 of each photo. Beside: LibRaw's own rendering with the camera's white balance, and no look at all.
`identity.*` on the folder `photos` of the data: what is delivered without edits against a plain decode and encode.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rawpy
import simplejpeg
from numpy.typing import NDArray

from bench.harness import Data, MissingData, Result, quantile_interval
from safelight.media import image, raw, segments, write
from safelight.media.capture import facts
from safelight.media.colour import Words, delta_e
from safelight.media.frame import Bytes
from safelight.media.look import apply_look
from safelight.media.picture import Picture, shrink
from safelight.media.profiles import is_srgb
from safelight.probes.camera_look import measure

SIDE = 800  # px, long side at which renderings are compared
QUALITY = 92


def run(data: Data) -> Iterable[Result]:
    """The figures; raises MissingData where neither raws nor photos are there."""
    folder = data.find("photos")
    try:
        root, rows = data.table("card/truth.json", recipe="card")
    except MissingData as missing:
        if folder is None:
            raise
        yield Result(name="look.mean_de00", value=None, n=0, note=str(missing))
    else:
        yield from of_card(root, rows)
    if folder is not None:
        yield from _identity(sorted(folder.iterdir()), data.work)


# ---------------------------------------------------------------- the base rendering


def of_card(root: Path, rows: Sequence[dict[str, Any]]) -> Iterator[Result]:
    """The base rendering of a card's raws against their previews."""
    found = [(row["source"], shown) for row in rows if (shown := _compared(root / row["file"])) is not None]
    sources = [source for source, _ in found]
    ours, libraw, none = np.array([shown for _, shown in found]).T
    low, high = quantile_interval(ours, sources, q=0.95)
    note = f"{len(rows) - len(found)} of {len(rows)} raws without a look"
    beside = {"libraw": libraw, "no_look": none}
    yield Result(
        name="look.mean_de00", value=float(ours.mean()), n=len(ours), unit="ΔE00", bar=4, want="at most",
        beside={name: float(values.mean()) for name, values in beside.items()}, note=note,
    )  # fmt: skip
    yield Result(
        name="look.p95_de00", value=float(np.quantile(ours, 0.95)), n=len(ours), unit="ΔE00", bar=6, want="at most",
        low=low, high=high, beside={name: float(np.quantile(values, 0.95)) for name, values in beside.items()},
    )  # fmt: skip
    covered = len(found) / len(rows)
    yield Result(name="look.coverage", value=covered, n=len(rows), unit="of the raws")


def _compared(path: Path) -> tuple[float, float, float] | None:
    """Mean ΔE00 to the preview of our rendering, of LibRaw's, and of bare light; None where nothing was fitted."""
    preview = raw.preview(path)
    if preview is None:
        return None
    found = measure(Picture(rgb=preview, is_preview=True, source=path))
    fitted: Any = found[0].value if found else None
    if fitted is None:
        return None
    frame = raw.develop(path, half=True)
    with rawpy.imread(str(path)) as file:
        peer = file.postprocess(half_size=True, use_camera_wb=True)
    looked = frame.with_pixels(apply_look(frame.pixels, fitted["matrix"], fitted["curve"]))
    shown = shrink(preview, SIDE)
    return _apart(write.to_srgb8(looked), shown), _apart(peer, shown), _apart(write.to_srgb8(frame), shown)


def _apart(rgb: Bytes, shown: Bytes) -> float:
    return float(delta_e(shrink(rgb, SIDE), shown).mean())


# ---------------------------------------------------------------- identity


def _identity(files: Sequence[Path], work: Path) -> Iterator[Result]:
    jpeg_apart, float_apart, word_apart = [], [], []
    for path in files:
        rgb = image.read(path)
        if path.suffix == ".jpg" and _plain(path):
            plain = simplejpeg.decode_jpeg(path.read_bytes())
            delivered = simplejpeg.decode_jpeg(write.jpeg(rgb, quality=QUALITY))
            expected = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(plain, quality=QUALITY, colorsubsampling="444"))
            jpeg_apart.append(_levels(delivered, expected))
        small = shrink(rgb, 1600)
        float_apart.append(_levels(write.to_srgb8(image.frame_of(small)), small))
        word_apart.append(_tiff_apart(_words(small), work / "identity.tif"))
    yield _at_most("identity.jpeg.max_level_error", jpeg_apart, 0, "levels of 255")
    yield _at_most("identity.float.max_level_error", float_apart, 0, "levels of 255")
    yield _at_most("identity.tiff16.max_error", word_apart, 1 / 65535, "of full scale")


def _plain(path: Path) -> bool:
    """Whether a JPEG is upright and sRGB as it lies there, so that its plain decode is what one should see."""
    icc = segments.facts(path.read_bytes()).icc
    return facts(path).orientation == 1 and (icc is None or is_srgb(icc))


def _at_most(name: str, values: Sequence[float], bar: float, unit: str) -> Result:
    return Result(name=name, value=max(values, default=None), n=len(values), unit=unit, bar=bar, want="at most")


def _words(rgb: Bytes) -> Words:
    """Sixteen-bit values whose lower bytes are busy too."""
    low = np.random.default_rng(1).integers(0, 256, rgb.shape)
    return np.asarray(rgb.astype(np.uint16) * 256 + low, np.uint16)


def _tiff_apart(words: Words, place: Path) -> float:
    """Through a TIFF, its full-depth reading and the writer again, in shares of full scale."""
    place.write_bytes(write.tiff16(words))
    return _levels(write.to_srgb16(image.read_frame(place)), words) / 65535


def _levels(one: NDArray[Any], two: NDArray[Any]) -> float:
    return float(np.abs(one.astype(np.int64) - two).max())
