"""Made pictures and raws that several tests need."""

from pathlib import Path

import cv2
import numpy as np

from safelight.media import ifd, write
from safelight.media.colour import REC709, encode, to_xyz
from safelight.media.image import upright

NEUTRAL = (0.5, 1.0, 0.625)  # camera RGB of white
TURNED_BACK = {1: 1, 3: 3, 6: 8, 8: 6}


def scene() -> np.ndarray:
    """An upright picture in linear sRGB, 160 x 240: colours, greys, a dark and a bright corner."""
    y, x = np.mgrid[0:160, 0:240].astype(float)
    colour = np.stack((x / 240, y / 160, 1 - x / 240), -1) * 0.7 + 0.05
    colour[:40, :120] = (x[:40, :120, None] / 120) ** 2 * 0.9
    colour[120:, 180:] = (0.02, 0.03, 0.01)
    return colour


def photo() -> np.ndarray:
    """A colourful picture in sRGB bytes, 96 x 144, with fine grain."""
    small = cv2.resize(scene(), (144, 96), interpolation=cv2.INTER_AREA)
    grain = np.random.default_rng(4).normal(0, 0.02, small.shape)
    return np.rint(np.clip(encode(small) + grain, 0, 1) * 255).astype(np.uint8)


def text(tag: int, value: str) -> ifd.Field:
    """A field of text."""
    return ifd.blob(tag, ifd.ASCII, value.encode() + b"\0")


def exif_block(*, orientation: int = 1, order: str = "<") -> bytes:
    """An EXIF block as a camera writes it."""
    main = [
        text(271, "Canon"),
        text(272, "Canon EOS R5"),
        ifd.field(ifd.ORIENTATION, ifd.SHORT, orientation, order=order),
    ]
    shot = [
        ifd.field(33434, ifd.RATIONAL, (1, 250), order=order),
        ifd.field(34855, ifd.SHORT, 800, order=order),
        text(36867, "2026:05:02 14:03:11"),
        text(36881, "+02:00"),
        ifd.field(37380, ifd.SRATIONAL, (-2, 3), order=order),
        text(37521, "25"),
        ifd.blob(37500, ifd.UNDEFINED, b"Maker notes of this camera"),
        ifd.field(0xA001, ifd.SHORT, 65535, order=order),
        ifd.field(0xA002, ifd.LONG, 6000, order=order),
        ifd.field(0xA003, ifd.LONG, 4000, order=order),
        ifd.field(41986, ifd.SHORT, 2, order=order),
        text(42033, "0123"),
        text(42036, "RF24-70mm F2.8 L IS USM"),
    ]
    place = [ifd.field(2, ifd.RATIONAL, (52, 1), (31, 1), (0, 1), order=order)]
    return ifd.build(order, main, below={ifd.EXIF_IFD: shot, ifd.GPS_IFD: place})


def make_dng(path: Path, *, orientation: int = 1, baseline: float = 0.5, preview: bool = True, crop: int = 0) -> Path:
    """Writes a DNG of `scene` with the camera's own, more contrasty picture in it; `crop` pixels are cut all round."""
    lying = upright(scene(), TURNED_BACK[orientation])
    height, width = lying.shape[:2]
    camera = lying * NEUTRAL / 2**baseline
    plane = np.empty((height, width))
    for (dy, dx), channel in (((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 2)):
        plane[dy::2, dx::2] = camera[dy::2, dx::2, channel]
    mosaic = np.rint(512 + np.clip(plane, 0, 1) * 15000).astype("<u2").tobytes()
    code = encode(np.clip(lying, 0, 1))
    shown = np.rint(np.clip(code + 0.3 * (code - 0.5) * (1 - np.abs(2 * code - 1)), 0, 1) * 255).astype(np.uint8)
    shown = shown[crop : height - crop, crop : width - crop]
    jpeg = write.encode_jpeg(shown, quality=95) if preview else b""

    def tables(first: int) -> bytes:
        main = _first_directory(first, jpeg, shown.shape, orientation, baseline)
        sensor = _sensor(first + len(jpeg), len(mosaic), (width, height), crop)
        return ifd.build("<", main, below={ifd.SUB_IFDS: sensor, ifd.EXIF_IFD: _shot()})

    path.write_bytes(tables(len(tables(0))) + jpeg + mosaic)
    return path


def _first_directory(
    at: int, jpeg: bytes, shape: tuple[int, ...], orientation: int, baseline: float
) -> list[ifd.Field]:
    matrix = [(round(v * 10000), 10000) for v in np.linalg.inv(to_xyz(REC709)).ravel()]
    main = [
        ifd.field(254, ifd.LONG, 1),
        text(271, "Made"),
        text(272, "Made One"),
        ifd.field(ifd.ORIENTATION, ifd.SHORT, orientation),
        ifd.field(50706, ifd.BYTE, 1, 4, 0, 0),
        text(50708, "Made One"),
        ifd.field(50721, ifd.SRATIONAL, *matrix),
        ifd.field(50728, ifd.RATIONAL, *[(round(v * 10000), 10000) for v in NEUTRAL]),
        ifd.field(50730, ifd.SRATIONAL, (round(baseline * 100), 100)),
        text(50735, "12345"),
        ifd.field(50778, ifd.SHORT, 21),
    ]
    if jpeg:
        main += [
            ifd.field(256, ifd.LONG, shape[1]),
            ifd.field(257, ifd.LONG, shape[0]),
            ifd.field(259, ifd.SHORT, 7),
            ifd.field(262, ifd.SHORT, 6),
            ifd.field(ifd.STRIP_OFFSETS, ifd.LONG, at),
            ifd.field(ifd.STRIP_COUNTS, ifd.LONG, len(jpeg)),
        ]
    return main


def _sensor(at: int, size: int, shape: tuple[int, int], crop: int) -> list[ifd.Field]:
    width, height = shape
    return [
        ifd.field(254, ifd.LONG, 0),
        ifd.field(256, ifd.LONG, width),
        ifd.field(257, ifd.LONG, height),
        ifd.field(258, ifd.SHORT, 16),
        ifd.field(259, ifd.SHORT, 1),
        ifd.field(262, ifd.SHORT, 32803),
        ifd.field(ifd.STRIP_OFFSETS, ifd.LONG, at),
        ifd.field(277, ifd.SHORT, 1),
        ifd.field(278, ifd.LONG, height),
        ifd.field(ifd.STRIP_COUNTS, ifd.LONG, size),
        ifd.field(33421, ifd.SHORT, 2, 2),
        ifd.field(33422, ifd.BYTE, 0, 1, 1, 2),
        ifd.field(50714, ifd.LONG, 512),
        ifd.field(50717, ifd.LONG, 15512),
        ifd.field(50719, ifd.LONG, crop, crop),
        ifd.field(50720, ifd.LONG, width - 2 * crop, height - 2 * crop),
        ifd.field(50829, ifd.LONG, 0, 0, height, width),
    ]


def _shot() -> list[ifd.Field]:
    return [
        text(36867, "2026:05:02 14:03:11"),
        text(36881, "+02:00"),
        text(37521, "25"),
        ifd.field(34855, ifd.SHORT, 400),
        ifd.field(41986, ifd.SHORT, 2),
    ]
