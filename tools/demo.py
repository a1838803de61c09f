"""Makes a small shoot out of real photographs that installed packages carry, with the faults of a real one.

python tools/demo.py FOLDER      writes FOLDER/shoot: a burst, near-duplicates, a bracket, and frames that are blurred,
                                 badly exposed, wrongly white-balanced and tilted
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
START = datetime(2026, 5, 2, 14, 3, 11)  # noqa: DTZ001 - cameras write local time
CARRIED = {  # photograph: (package, file); credits stand in each package's own documentation
    "portrait": ("skimage", "data/astronaut.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "palace": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
}
EXPOSURE_TIME, F_NUMBER, ISO, TAKEN, SUBSECONDS, BIAS, FOCAL, MODE = (
    33434, 33437, 34855, 36867, 37521, 37380, 37386, 41986,
)  # fmt: skip


def main(folder: Path) -> int:
    """Writes the shoot and says what is in it; returns the exit code."""
    photos = {name: found for name, place in CARRIED.items() if (found := carried(*place)) is not None}
    if not photos:
        print("No photographs were found in installed packages. Install them with: pip install 'safelight[demo]'")
        return 1
    shoot = folder / "shoot"
    shutil.rmtree(folder, ignore_errors=True)
    shoot.mkdir(parents=True)
    rng = np.random.default_rng(1)
    moment, number = START, 0
    for name, frames in scenes(photos, rng):
        for picture, gap, bias in frames:
            number += 1
            save(shoot / f"IMG_{number:04d}.JPG", picture, moment, bias)
            moment += timedelta(seconds=gap)
        print(f"  {name}: {len(frames)} photos")
        moment += timedelta(seconds=70)
    print(f"{number} photos in {shoot}")
    return 0


def carried(package: str, file: str) -> Picture | None:
    """A photograph out of a package's folder, or None."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / file
    return np.asarray(Image.open(path).convert("RGB")) if path.is_file() else None


Frames = list[tuple[Picture, float, float | None]]  # picture, seconds to the next, bias in EV for brackets


def scenes(photos: dict[str, Picture], rng: np.random.Generator) -> Iterator[tuple[str, Frames]]:
    """Each scene's name and frames, as far as its photograph is there."""
    makers: dict[str, tuple[str, Callable[[Picture, np.random.Generator], Frames]]] = {
        "burst of a portrait, one frame blurred by motion": ("portrait", burst),
        "near-duplicates, one under-exposed": ("coffee", near_duplicates),
        "exposure bracket": ("palace", bracket),
        "out of focus": ("flower", lambda p, _: [(p, 9, None), (defocused(p, 6), 9, None)]),
        "over-exposed": ("palace", lambda p, _: [(exposed(p, 2.2), 9, None)]),
        "wrong white balance": ("cat", lambda p, _: [(cast(p), 9, None)]),
        "tilted": ("rocket", lambda p, _: [(p, 40, None), (tilted(p, 4), 9, None)]),
    }
    for name, (photo, make) in makers.items():
        if photo in photos:
            yield name, make(photos[photo], rng)


def burst(picture: Picture, rng: np.random.Generator) -> Frames:
    """Five frames within two seconds, the fourth blurred by motion."""
    frames = [view(picture, rng, 0.012) for _ in range(5)]
    frames[3] = moved(frames[3], 15)
    return [(frame, 0.3, None) for frame in frames]


def near_duplicates(picture: Picture, rng: np.random.Generator) -> Frames:
    """Three views seconds apart, the last too dark."""
    frames = [view(picture, rng, 0.03) for _ in range(3)]
    frames[2] = exposed(frames[2], -2.2)
    return [(frame, 7.0, None) for frame in frames]


def bracket(picture: Picture, rng: np.random.Generator) -> Frames:
    """Three exposures of the same frame."""
    return [(exposed(view(picture, rng, 0.003), ev), 0.4, ev) for ev in (0.0, -1.3, 1.3)]


# ---------------------------------------------------------------- what goes wrong with photographs


def view(picture: Picture, rng: np.random.Generator, reach: float) -> Picture:
    """The scene from a slightly different stand: each corner moves inwards by up to `reach` of the side."""
    height, width = picture.shape[:2]
    corners = np.array(((0, 0), (1, 0), (1, 1), (0, 1)), np.float64)
    inward = np.array(((1, 1), (-1, 1), (-1, -1), (1, -1)))
    quad = (corners + inward * rng.uniform(0, reach, (4, 2))) * (width - 1, height - 1)
    frame = corners * (width - 1, height - 1)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), frame.astype(np.float32))
    return np.asarray(cv2.warpPerspective(picture, matrix, (width, height), flags=cv2.INTER_CUBIC), np.uint8)


def in_light(picture: Picture, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Picture:
    """A change made in linear light (IEC 61966-2-1), clipped as a camera clips."""
    x = picture.astype(np.float32) / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)
    y = np.clip(change(linear), 0, 1)
    encoded = np.where(y <= 0.0031308, y * 12.92, 1.055 * y ** (1 / 2.4) - 0.055)
    return (encoded * 255 + 0.5).astype(np.uint8)


def exposed(picture: Picture, ev: float) -> Picture:
    """`ev` stops brighter or darker."""
    return in_light(picture, lambda light: light * np.float32(2**ev))


def cast(picture: Picture) -> Picture:
    """White balance set for daylight under a lamp."""
    return in_light(picture, lambda light: light * np.float32((1.45, 1.0, 0.55)))


def moved(picture: Picture, length: int) -> Picture:
    """Blurred along a slanting line of `length` px."""
    kernel = np.zeros((length, length), np.float32)
    cv2.line(kernel, (0, length // 3), (length - 1, 2 * length // 3), 1)
    return in_light(picture, lambda light: cv2.filter2D(light, -1, kernel / kernel.sum()))


def defocused(picture: Picture, radius: int) -> Picture:
    """Blurred by a disk of `radius` px."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    kernel = (np.hypot(x, y) <= radius).astype(np.float32)
    return in_light(picture, lambda light: cv2.filter2D(light, -1, kernel / kernel.sum()))


def tilted(picture: Picture, degrees: float) -> Picture:
    """Turned counter-clockwise and cut to the largest upright frame of the same shape."""
    height, width = picture.shape[:2]
    c, s = np.cos(np.radians(abs(degrees))), np.sin(np.radians(abs(degrees)))
    share = min(width / (width * c + height * s), height / (width * s + height * c))
    size = int(width * share), int(height * share)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC), np.uint8)


def save(path: Path, picture: Picture, moment: datetime, bias: float | None) -> None:
    """A JPEG with the facts that a camera would write."""
    exif = Image.Exif()
    exif[271], exif[272] = "Safelight", "Demo camera"
    exif[274] = 1
    stamp = moment.strftime("%Y:%m:%d %H:%M:%S")
    exif[306] = stamp
    exif.get_ifd(0x8769).update(
        {
            EXPOSURE_TIME: 1 / 200 * 2 ** (bias or 0), F_NUMBER: 4.0, ISO: 200, TAKEN: stamp, BIAS: bias or 0.0,
            SUBSECONDS: f"{moment.microsecond // 10000:02d}", FOCAL: 50.0, MODE: 0 if bias is None else 2,
        }
    )  # fmt: skip
    Image.fromarray(picture).save(path, quality=93, subsampling=0, exif=exif)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo")))
