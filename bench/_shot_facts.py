"""What is said of a shot, on footage whose camera, light and sharpness are known: photos that a drawn camera looks at,
with sensor noise, encoded; and talking heads whose blinks were labelled.

Every other photo in the order of their names. `shake` is the root mean square of a hand's path about its smooth part; a
pan or a zoom has none.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bench.harness import Data, Result, auc
from safelight import weights
from safelight.media import container, video
from safelight.probes import shots
from safelight.probes._shots import facts
from safelight.probes._shots.looks import Looking

SIZE, RATE, COUNT = (640, 360), 25, 50
NOISE = 1.5  # code values of the sensor
SHAKES = ((0.0, "tripod"), (0.002, "handheld"), (0.004, "handheld"), (0.02, "shaky"), (0.04, "shaky"))  # widths
MOVES = {
    "static": (0, 0, 0), "pan right": (1, 0, 0), "pan left": (-1, 0, 0), "tilt down": (0, 1, 0), "tilt up": (0, -1, 0),
    "zoom in": (0, 0, 1), "zoom out": (0, 0, -1),
}  # fmt: skip
WHITE = 250  # of 255: as near to white as the probe takes for white
BLURS = (2.0, 3.0, 5.0)  # px of 640
Grey = NDArray[np.uint8]


@dataclass
class _Met:
    """What came of all cases."""

    kinds: list[bool] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    moves: list[bool] = field(default_factory=list)
    still: list[bool] = field(default_factory=list)
    blurred: list[float] = field(default_factory=list)
    sharp: list[float] = field(default_factory=list)
    light: list[bool] = field(default_factory=list)
    white: list[float] = field(default_factory=list)
    keys: list[bool] = field(default_factory=list)
    abstained: int = 0
    asked: int = 0


def run(data: Data) -> Iterator[Result]:
    """All figures."""
    folder = data.find("photos")
    photos = sorted(p for p in folder.iterdir() if p.suffix in (".jpg", ".png")) if folder else []
    met = _Met()
    rng = np.random.default_rng(8)
    for photo in photos[::2]:
        _photo(_scene(photo), data.work, rng, met)
    n = len(photos[::2])
    if not n:
        return
    yield Result(name="facts.steadiness", value=_share(met.kinds), n=len(met.kinds), bar=0.9, want="at least",
                 note="tripod, handheld or shaky told right, of those told")  # fmt: skip
    yield Result(name="facts.shake.error", value=float(np.median(met.errors)), n=len(met.errors), bar=0.25,
                 want="at most", note="median relative error of the shake of moving hands")  # fmt: skip
    yield Result(name="facts.motion", value=_share(met.moves), n=len(met.moves), bar=0.9, want="at least",
                 note="the camera's move named exactly, of those told")  # fmt: skip
    yield Result(name="facts.motion.passer", value=_share(met.still), n=len(met.still), bar=0.9, want="at least",
                 note="a standing camera with somebody crossing is told to stand")  # fmt: skip
    yield Result(name="facts.camera.untold", value=met.abstained / met.asked, n=met.asked, bar=0.1, want="at most",
                 note="shots of which the camera cannot be told")  # fmt: skip
    yield Result(name="facts.sharpness.auc", value=auc(met.blurred, met.sharp), n=len(met.blurred), bar=0.95,
                 want="at least", note="blur of 2 to 5 px of 640 against the same photos")  # fmt: skip
    yield Result(name="facts.exposure", value=_share(met.light), n=len(met.light), bar=0.95, want="at least",
                 note="three stops under told dark, three over told bright or clipped")  # fmt: skip
    yield Result(name="facts.exposure.white", value=float(np.mean(met.white)), n=len(met.white), bar=0.03,
                 want="at most", note="mean error of the share at white")  # fmt: skip
    yield Result(name="facts.key_frame.sharp", value=_share(met.keys), n=len(met.keys), bar=0.95, want="at least",
                 note="the key frame is one of the few sharp ones")  # fmt: skip
    yield from _heads(data)


def _share(right: Sequence[bool]) -> float:
    return sum(right) / max(len(right), 1)


# ---------------------------------------------------------------- photos that a camera looks at


def _scene(photo: Path) -> Grey:
    if photo.suffix == ".jpg":
        picture = simplejpeg.decode_jpeg(photo.read_bytes(), colorspace="BGR")
    else:
        picture = cv2.imread(str(photo), cv2.IMREAD_COLOR)
    scale = max(2 * SIZE[0] / picture.shape[1], 2 * SIZE[1] / picture.shape[0])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how), np.uint8)


def _seen(scene: Grey, x: float, y: float, zoom: float = 1.0) -> Grey:
    """What a camera sees whose middle lies so many widths beside the scene's."""
    centre = scene.shape[1] / 2 + x * SIZE[0], scene.shape[0] / 2 + y * SIZE[0]
    matrix = cv2.getRotationMatrix2D(centre, 0, zoom)
    matrix[:, 2] += np.array([SIZE[0] / 2, SIZE[1] / 2]) - centre
    return np.asarray(
        cv2.warpAffine(scene, matrix, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


def _hand(amount: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """2×N path of a hand, the root mean square of whose swift part is `amount`."""
    raw = rng.standard_normal((2, COUNT + 6))
    kernel = np.hanning(9)[1:-1]
    path = np.stack([np.convolve(row, kernel, "valid") for row in raw])
    path = path - path.mean(axis=1, keepdims=True)
    found: NDArray[np.float64] = path * (amount / max(float(np.sqrt(np.square(path).sum(axis=0).mean())), 1e-9))
    return found


def _looked(frames: Iterable[Grey], place: Path, rng: np.random.Generator) -> Looking:
    """Frames with noise, encoded, and looked at."""
    path = place / "shot.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in frames:
            noisy = np.clip(frame + rng.normal(0, NOISE, frame.shape), 0, 255).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(noisy, format="bgr24")):
                out.mux(packet)
        out.mux(list(stream.encode()))
    return _read(path)


def _read(path: Path) -> Looking:
    known = container.contents(path)
    assert known.picture is not None
    wide = float(known.picture.width * known.picture.aspect / known.picture.height)
    rate = known.picture.rate or Fraction(RATE)
    looking = Looking(rate=float(rate), full_range=False, aspect=wide, count=COUNT)
    for still in video.frames(path, long_side=64, facts=known, planes=True):
        assert still.planes is not None
        looking.see(still, shots.thumb(*still.planes))
    looking.done()
    return looking


def _told(looking: Looking) -> dict[str, Any]:
    spans = [(0, looking.seen)]
    return next(facts.of_shots(looking, spans, hdr=None, turned=0, weights=weights.installed()))[0]


def _photo(scene: Grey, place: Path, rng: np.random.Generator, met: _Met) -> None:
    for shake, kind in SHAKES:
        pan = np.outer((0.1, 0.0), np.linspace(-1, 1, COUNT)) * rng.integers(2)
        path = _hand(shake, rng) + pan
        looking = _looked((_seen(scene, x, y) for x, y in path.T), place, rng)
        told: dict[str, Any] = facts.steadiness(looking.columns(), RATE)
        met.asked += 1
        if "kind" not in told:
            met.abstained += 1
            continue
        met.kinds.append(told["kind"] == kind)
        if shake:
            met.errors.append(abs(told["shake"] - shake) / shake)
    for name, (x, y, z) in MOVES.items():
        at = np.linspace(-0.5, 0.5, COUNT)
        reach = rng.uniform(0.08, 0.4)
        looking = _looked((_seen(scene, reach * x * t, reach * y * t, float(np.exp(0.3 * (z * t + 0.5)))) for t in at),
                          place, rng)  # fmt: skip
        told = facts.motion(looking.columns(), RATE)
        met.asked += 1
        met.abstained += "camera" not in told
        if "camera" in told:
            met.moves.append(told["camera"] == [name])
    _crossed(scene, place, rng, met)
    _lit(scene, place, rng, met)
    _sharp(scene, place, rng, met)


def _crossed(scene: Grey, place: Path, rng: np.random.Generator, met: _Met) -> None:
    """Something a third of the picture wide crosses before a standing camera; it wears the scene upside down."""
    ground, width = _seen(scene, 0, 0), SIZE[0] // 3
    cloth = _seen(scene[::-1, ::-1].copy(), 0.1, 0.1)[60:, :width]

    def frames() -> Iterator[Grey]:
        for t in np.linspace(-width, SIZE[0], COUNT):
            left, shown = int(t), ground.copy()
            first, last = max(left, 0), min(left + width, SIZE[0])
            shown[60:, first:last] = cloth[:, first - left : last - left]
            yield shown

    told = facts.motion(_looked(frames(), place, rng).columns(), RATE)
    if "camera" in told:
        met.still.append(told["camera"] == ["static"])


def _lit(scene: Grey, place: Path, rng: np.random.Generator, met: _Met) -> None:
    """The photo three stops darker and three lighter; the share of white is known."""
    ground = _seen(scene, 0, 0)
    for gain, right in ((1 / 8, ("dark",)), (8.0, ("bright", "clipped"))):
        table = np.clip(255 * (gain * (np.arange(256) / 255) ** 2.2) ** (1 / 2.2), 0, 255).astype(np.uint8)
        shown = np.asarray(cv2.LUT(ground, table), np.uint8)
        told: dict[str, Any] = facts.exposure(_looked([shown] * 10, place, rng).columns(), None)
        met.light.append(told["kind"] in right)
        if gain > 1:
            clean = cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY)
            met.white.append(abs(told["white"] - float((clean >= WHITE).mean())))


def _sharp(scene: Grey, place: Path, rng: np.random.Generator, met: _Met) -> None:
    """Blur of the whole shot; and a shot that is sharp for a few frames only."""
    ground = _seen(scene, 0, 0)
    for sigma in (0.0, *BLURS):
        shown = cv2.GaussianBlur(ground, (0, 0), sigma) if sigma else ground
        told: Any = _told(_looked([np.asarray(shown, np.uint8)] * 10, place, rng))["sharpness"]
        (met.blurred if sigma else met.sharp).append(float(told.get("blur", np.nan)))
    first = int(rng.integers(8, COUNT - 14))
    soft = np.asarray(cv2.GaussianBlur(ground, (0, 0), 3), np.uint8)
    looking = _looked((ground if first <= i < first + 6 else soft for i in range(COUNT)), place, rng)
    met.keys.append(first <= _told(looking)["key_frame"] < first + 6)


# ---------------------------------------------------------------- talking heads


def _heads(data: Data) -> Iterator[Result]:
    """One face each; the key frame has its eyes open. Judged where a person could say."""
    path = data.find("faces/eyes.json")
    if path is None:
        return
    count: list[bool] = []
    awake: list[bool] = []
    steady: list[bool] = []
    for name, said in json.loads(path.read_text("utf-8"))["clips"].items():
        told: Any = _told(_read(path.parent / name))
        count.append(told["faces"].get("count") == 1)
        steady.append(told["steadiness"].get("kind", "tripod") == "tripod")
        if said["closed"] and told["key_frame"] not in said["unsure"]:
            awake.append(told["key_frame"] not in said["closed"])
    yield Result(name="facts.faces.one", value=_share(count), n=len(count), note="talking heads with one face told")
    yield Result(name="facts.key_frame.awake", value=_share(awake), n=len(awake), note="eyes open, of heads that blink")
    yield Result(name="facts.steadiness.heads", value=_share(steady), n=len(steady),
                 note="standing cameras not told to be held, or nothing said")  # fmt: skip
