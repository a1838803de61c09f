"""What the pages that judge are tried on: a burst, and a chart in a wide colour space, turned by a quarter."""

import io
from datetime import timedelta
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from safelight.api import Library
from safelight.line import Options
from safelight.media import profiles
from safelight.store import records
from tests.conftest import START, no_coins, save_jpeg, textured
from tests.review.test_judging import propose

PATCHES = ((200, 60, 60), (60, 170, 80), (70, 80, 190), (128, 128, 128), (230, 200, 90), (30, 30, 30))
SIDE = 200  # px of a patch


def chart() -> np.ndarray:
    """Six patches in two rows, sRGB, lying."""
    rows = [np.concatenate([np.full((SIDE, SIDE, 3), p, np.uint8) for p in PATCHES[i : i + 3]], 1) for i in (0, 3)]
    return np.concatenate(rows, 0)


def save_chart(path: Path, *, icc: bytes, orientation: int) -> None:
    """The chart as a camera turned by a quarter would write it, in another colour space."""
    image = Image.fromarray(chart())
    source = ImageCms.createProfile("sRGB")
    wide = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    image = ImageCms.profileToProfile(image, source, wide, renderingIntent=1)
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Test", "Test One", orientation
    exif.get_ifd(0x8769).update({36867: "2026:05:03 09:00:00"})
    turned = image.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else image
    turned.save(path, quality=98, subsampling=0, icc_profile=icc, exif=exif)


def make(place: Path) -> None:
    """A library with a shoot of a burst and a wide-gamut, turned chart, everything kept, exposures proposed."""
    for i in range(4):
        picture = np.roll(textured(1000, width=900, height=600), 3 * i, axis=1)
        save_jpeg(place / "shoot" / f"IMG_{i:04d}.JPG", picture, taken=START + timedelta(milliseconds=400 * i))
    save_chart(place / "shoot" / "WIDE.JPG", icc=profiles.adobe_rgb(), orientation=6)
    no_coins(place / "library")
    with Library.open(place / "library") as library:
        library.run(place / "shoot", options=Options(engine="inline"))
        state = library.state(place / "shoot", evidence=False)
        for photo in state.photos.values():
            for name in [n for n in photo.proposals if n != "cull"]:
                records.save_proposals(library.store, state.shoot.id, [], [photo.proposals[name]])
            ev = 2.5 if photo.path == "IMG_0003.JPG" else 0.3
            propose(library, state.shoot.id, photo.id, "exposure", ev=ev, score=0.6 if ev > 1 else 0.95)
        keep = {"decision": "keep", "tie_with": ""}
        library.verdict(place / "shoot", list(state.photos), operator="cull", say="modify", by="Ada", params=keep)


def said(tmp_path, operator):
    """What people said of an operator, oldest first."""
    with Library.open(tmp_path / "library") as library:
        return [v for v in library.state(tmp_path / "shoot").ledger.rows if v.operator == operator]
