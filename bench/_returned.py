"""Forms in which a retoucher's file comes back, each written to a file as programs write it, with the way on which the
version lies in it."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin
from psd_tools import PSDImage
from psd_tools.constants import Resource
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResource

from safelight.handoff import layers
from safelight.media import profiles, write
from safelight.media.frame import Bytes, Matrix, scaling

STILL = np.eye(3)
LAYERS_TAG = 37724  # TIFF ImageSourceData


@dataclass(frozen=True, kw_only=True)
class Came:
    """A file that came back and the way from the version's pixels to the file's; `truth` is None where the right answer
    is a refusal."""

    file: Path
    truth: Matrix | None


Form = Callable[[Bytes, np.random.Generator, Path], Came]


def retouched(rgb: Bytes, rng: np.random.Generator) -> Bytes:
    """Some spots painted over, and a local brightening."""
    out = rgb.copy()
    height, width = rgb.shape[:2]
    for _ in range(6):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(out, (x, y), int(0.008 * width) + 1, [int(v) for v in out[y, x]], -1)
    light = np.zeros((height, width), np.float32)
    cv2.circle(light, (width // 2, height // 2), width // 6, 1.0, -1)
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), width / 25), np.float32)
    return np.asarray(np.clip(out * (1 + 0.12 * light[..., None]), 0, 255), np.uint8)


# ---------------------------------------------------------------- what is done to the picture


def _cropped(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    height, width = rgb.shape[:2]
    x, y = int(rng.uniform(0, 0.25) * width), int(rng.uniform(0, 0.25) * height)
    part = rgb[y : y + int(0.7 * height), x : x + int(0.7 * width)]
    return np.ascontiguousarray(part), np.array([[1.0, 0, -x], [0, 1, -y], [0, 0, 1]])


def _resized(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    share = float(rng.uniform(0.35, 0.8))
    small = cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scaling(small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0])


def _turned(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    height, width = rgb.shape[:2]
    turn = int(rng.integers(3))
    how = (cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE)[turn]
    way = (
        [[-1.0, 0, width - 1], [0, -1, height - 1], [0, 0, 1]],
        [[0, -1.0, height - 1], [1, 0, 0], [0, 0, 1]],
        [[0, 1.0, 0], [-1, 0, width - 1], [0, 0, 1]],
    )[turn]
    return np.ascontiguousarray(cv2.rotate(rgb, how)), np.array(way)


def _straightened(rgb: Bytes, rng: np.random.Generator) -> tuple[Bytes, Matrix]:
    height, width = rgb.shape[:2]
    angle = float(rng.uniform(1, 4) * rng.choice([-1, 1]))
    matrix = np.vstack((cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.12), [0, 0, 1]))
    return np.asarray(cv2.warpPerspective(rgb, matrix, (width, height), flags=cv2.INTER_CUBIC), np.uint8), matrix


def _graded(rgb: Bytes, rng: np.random.Generator) -> Bytes:
    curve = np.clip(255 * (np.arange(256) / 255) ** float(rng.uniform(0.7, 1.4)), 0, 255)
    table = np.stack([np.clip(curve * gain, 0, 255) for gain in rng.uniform(0.88, 1.12, 3)], -1).astype(np.uint8)
    return np.asarray(cv2.LUT(rgb, table[:, None]), np.uint8)


def _grey(rgb: Bytes) -> Bytes:
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


# ---------------------------------------------------------------- how it is written


def _put(place: Path, data: bytes) -> Path:
    place.write_bytes(data)
    return place


def _tiff(rgb: Bytes, place: Path) -> Path:
    return _put(place.with_suffix(".tif"), write.tiff16(rgb.astype(np.uint16) * 257))


def _jpeg(rgb: Bytes, place: Path, quality: int = 80) -> Path:
    return _put(place.with_suffix(".jpg"), write.encode_jpeg(rgb, quality=quality, subsampling="420"))


def _adobe(rgb: Bytes, place: Path) -> Path:
    wide = profiles.adobe_rgb()
    turned = ImageCms.profileToProfile(
        Image.fromarray(rgb), ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(BytesIO(wide))
    )
    assert turned is not None
    file = place.with_suffix(".jpg")
    turned.save(file, quality=92, icc_profile=wide)
    return file


def _document(rgb: Bytes) -> bytes:
    words = rgb.astype(np.uint16) * 257
    return layers.photoshop([layers.Layer(name="Base", pixels=words // 2), layers.Layer(name="Skin", pixels=words)])


def _psd(rgb: Bytes, place: Path) -> Path:
    return _put(place.with_suffix(".psd"), _document(rgb))


def without_composite(data: bytes) -> bytes:
    """A Photoshop file as it is saved with Maximise compatibility off: an empty picture, and a word that says so."""
    document, key = PSDImage.open(BytesIO(data)), Resource.VERSION_INFO
    document.image_resources[key] = ImageResource(key=key.value, data=struct.pack(">IB", 1, False) + bytes(12))
    record = document._record  # noqa: SLF001 - `save` would write the picture that is to be missing
    record.image_data = ImageData.new(record.header, color=0)
    out = BytesIO()
    record.write(out)
    return out.getvalue()


# ---------------------------------------------------------------- the forms


def _eight_bit(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    return Came(file=_jpeg(rgb, place), truth=STILL)


def _other_profile(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    return Came(file=_adobe(rgb, place), truth=STILL)


def _of(change: Callable[[Bytes, np.random.Generator], tuple[Bytes, Matrix]]) -> Form:
    def made(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:
        picture, way = change(rgb, rng)
        return Came(file=_tiff(picture, place), truth=way)

    return made


def _tagged(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    """Stored turned, with the EXIF word that turns it back."""
    exif = Image.Exif()
    exif[274] = 6
    file = place.with_suffix(".jpg")
    stored = np.ascontiguousarray(cv2.rotate(rgb, cv2.ROTATE_90_COUNTERCLOCKWISE))
    Image.fromarray(stored).save(file, quality=92, exif=exif)
    return Came(file=file, truth=STILL)


def _layered_psd(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    return Came(file=_psd(rgb, place), truth=STILL)


def _bare_psd(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    return Came(file=_put(place.with_suffix(".psd"), without_composite(_document(rgb))), truth=STILL)


def _layered_tiff(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    fields = TiffImagePlugin.ImageFileDirectory_v2()
    fields[LAYERS_TAG], fields.tagtype[LAYERS_TAG] = b"Adobe Photoshop Document Data Block\0" + bytes(4000), 7
    file = place.with_suffix(".tif")
    Image.fromarray(rgb).save(file, tiffinfo=fields)
    return Came(file=file, truth=STILL)


def _pages(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    file = place.with_suffix(".tif")
    Image.fromarray(rgb // 2).save(file, save_all=True, append_images=[Image.fromarray(rgb)])
    return Came(file=file, truth=None)


def _truncated(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:
    file = (_tiff, _jpeg, _psd)[int(rng.integers(3))](rgb, place)
    return Came(file=_put(file, file.read_bytes()[: int(rng.uniform(0.3, 0.95) * file.stat().st_size)]), truth=None)


def _mirrored(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    return Came(file=_jpeg(np.ascontiguousarray(rgb[:, ::-1]), place, 92), truth=None)


def _all_at_once(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:
    """Turned, cropped, smaller, another tone, another profile, 8 bits."""
    part, first = _cropped(rgb, rng)
    small, then = _resized(part, rng)
    turned, last = _turned(_graded(small, rng), rng)
    return Came(file=_adobe(turned, place), truth=last @ then @ first)


def _graded_file(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:
    return Came(file=_tiff(_graded(rgb, rng), place), truth=STILL)


def _grey_file(rgb: Bytes, rng: np.random.Generator, place: Path) -> Came:  # noqa: ARG001
    return Came(file=_jpeg(_grey(rgb), place, 92), truth=STILL)


FORMS: Mapping[str, Form] = {
    "eight_bit": _eight_bit, "other_profile": _other_profile, "turned": _of(_turned), "turned_by_a_tag": _tagged,
    "cropped": _of(_cropped), "resized": _of(_resized), "straightened": _of(_straightened), "graded": _graded_file,
    "grey": _grey_file, "layered_psd": _layered_psd, "psd_without_composite": _bare_psd,
    "layered_tiff": _layered_tiff, "tiff_of_pages": _pages, "mirrored": _mirrored, "truncated": _truncated,
    "all_at_once": _all_at_once,
}  # fmt: skip
