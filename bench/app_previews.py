"""How fast a view follows a slider, at 24 megapixels, on the proxy and at 100 %: milliseconds of CPU.

A made photograph of 6000 x 4000 px with white balance, exposure and tone, straightened. `previews.OPERATOR.ms`: one
slider position after another, each rendered, encoded and its histogram counted, as the app does; the 95th percentile.
`previews.at_100.ms`: a view of 1400 x 900 px at 100 % once the original is decoded; beside it, rendering all of it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Data, Result
from safelight import params, plugins, render
from safelight.domain import Edit
from safelight.media import write
from safelight.media.frame import Bytes
from safelight.media.picture import WORK_SIDE, shrink
from safelight.operators import Tools
from safelight.review import histogram
from safelight.review.preview import Previews, Source

SIZE = (6000, 4000)
BAR_MS = 150
SLIDES = 24
MOVED = {
    "exposure": ("ev", -1.5, 1.5), "white_balance": ("mired", -60.0, 120.0), "tone": ("shadows", -60.0, 60.0),
    "black_and_white": ("red", -80.0, 80.0), "straighten": ("angle", -6.0, 6.0), "crop": ("angle", -6.0, 6.0),
    "painted_light": ("ev", -2.0, 2.0),
}  # fmt: skip


def run(data: Data) -> Iterable[Result]:
    """The figures; the photograph is made here, so that they depend on no file."""
    source = _photograph(data.work)
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.circle(mask, (3000, 2000), 1200, 255, -1)
    kept = bytes(cv2.imencode(".png", mask)[1])
    tools = Tools(kept=lambda _: kept, weights={})
    standing = {
        "white_balance": {"mired": 12.0}, "exposure": {"ev": 0.4}, "tone": {"shadows": 20.0, "contrast": 10.0},
        "straighten": {"angle": 1.2},
    }  # fmt: skip
    for name, (slider, low, high) in MOVED.items():
        yield _sliding(source, tools, name, slider, np.linspace(low, high, SLIDES), standing)
    yield from _crops(source, tools, standing)


def _sliding(
    source: Source,
    tools: Tools,
    name: str,
    slider: str,
    positions: NDArray[np.float64],
    standing: Mapping[str, Mapping[str, float]],
) -> Result:
    previews = Previews()

    def view(value: float) -> None:
        own: dict[str, object] = {slider: float(value)} | ({"mask": "ab" * 32} if name == "painted_light" else {})
        own |= {"amount": 100.0} if name == "black_and_white" else {}
        edits = [_edit(n, v) for n, v in standing.items() if n != name] + [_edit(name, own)]
        _sent(previews.fitted(source, edits, tools, side=WORK_SIDE, changed=name))

    view(float(positions[0]) + 0.01)
    took = _times([partial(view, float(value)) for value in positions])
    middle = float(np.median(took))
    return Result(
        name=f"previews.{name}.ms", value=round(float(np.quantile(took, 0.95)), 1), n=len(took), unit="ms", bar=BAR_MS,
        want="at most", note=f"median {middle:.0f} ms, {WORK_SIDE} px",
    )  # fmt: skip


def _crops(source: Source, tools: Tools, standing: Mapping[str, Mapping[str, float]]) -> Iterator[Result]:
    previews = Previews()
    edits = [_edit(name, values) for name, values in standing.items()]
    whole = previews.original(source)
    rng = np.random.default_rng(4)
    places = [(float(x), float(y)) for x, y in rng.uniform((700, 450), (5300, 3550), (SLIDES, 2))]

    def view(at: tuple[float, float]) -> int:
        return _sent(previews.region(source, edits, tools, at=at, view=(1400, 900)).pixels)

    took = _times([partial(view, at) for at in places])
    all_of_it = _times([lambda: _sent(render.render_bytes(whole, edits, tools))])
    yield Result(
        name="previews.at_100.ms", value=round(float(np.quantile(took, 0.95)), 1), n=len(took), unit="ms", bar=BAR_MS,
        want="at most", beside={"whole_picture": round(float(all_of_it[0]), 1)},
        note=f"median {float(np.median(took)):.0f} ms, 1400 x 900 px",
    )  # fmt: skip


def _photograph(work: Path) -> Source:
    rng = np.random.default_rng(3)
    coarse = rng.random((40, 60, 3), np.float32)
    rgb = np.asarray(20 + 215 * np.clip(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC), 0, 1), np.uint8)
    rgb = np.asarray(cv2.add(rgb, rng.integers(0, 12, rgb.shape, np.uint8)), np.uint8)
    original, proxy = work / "made.jpg", work / "proxy.jpg"
    original.write_bytes(write.encode_jpeg(rgb, quality=90, subsampling="420"))
    proxy.write_bytes(write.encode_jpeg(shrink(rgb, WORK_SIDE), quality=85, subsampling="420"))
    return Source(id="made", original=original, proxy=proxy, width=SIZE[0], height=SIZE[1], is_raw=False)


def _edit(name: str, values: Mapping[str, object]) -> Edit:
    op = plugins.operator(name)
    return Edit(operator=name, version=op.version, params=params.to_json(params.from_json(op.params, values)))


def _sent(rgb: Bytes) -> int:
    """What the app does with a view before it is sent."""
    histogram.of(rgb)
    return len(write.jpeg(rgb, quality=90, subsampling="420"))


def _times(todo: list[Callable[[], object]]) -> NDArray[np.float64]:
    took = []
    for each in todo:
        began = time.process_time()
        each()
        took.append(1000 * (time.process_time() - began))
    return np.array(took)
