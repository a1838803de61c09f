"""How fast a view follows a slider, at 24 megapixels, fitted and at 100 %: milliseconds of CPU.

A made photograph of 6000 x 4000 px with noise reduction, white balance, exposure, tone, and straightened. Each slider
that any operator's form has is drawn from one end to the other; each position is rendered as the page asks for it,
encoded and its histogram counted. The page asks for a draft that is half as large where the last one took longer than
150 ms, twice where it took a quarter of that: the note says on which share of the view's side it settles.
`previews.OPERATOR.ms`: the 95th percentile of all positions of a fitted view, once the form is open, which renders what
lies below the edit; `.at_100.ms`: the same of a view of 1400 x 900 px at 100 %. Beside it the whole view, which
follows when the slider rests. `previews.at_100.ms`: moving such a view about; beside it, rendering all of the
photograph.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.harness import Data, Result
from safelight import params, plugins, render
from safelight.domain import Edit
from safelight.media import write
from safelight.media.frame import Bytes
from safelight.media.picture import WORK_SIDE, shrink
from safelight.operators import Medium, Operator, Tools
from safelight.operators.denoise import operator as denoise
from safelight.review import histogram
from safelight.review.forms import form
from safelight.review.preview import Previews, Source, rounded
from safelight.review.routes.previews import drafted

SIZE = (6000, 4000)
VIEW = (1400, 900)
BAR_MS = 150
SLIDES = 24
POSITIONS = 9  # of each slider
LEAST = 0.25  # share of a view's side; this and how it changes as in static/js/judge/look.js
MIDDLE = (3000.0, 2000.0)
NOISE = params.to_json(denoise.examples[0])
STANDING: Mapping[str, Mapping[str, Any]] = {
    "denoise": NOISE, "white_balance": {"mired": 12.0}, "exposure": {"ev": 0.4},
    "tone": {"shadows": 20.0, "contrast": 10.0}, "straighten": {"angle": 1.2},
}  # fmt: skip
OWN: Mapping[str, Mapping[str, Any]] = {  # what lies elsewhere on a large photograph, or is nothing by itself
    "painted_light": {"mask": "ab" * 32},
    "vignetting": {"k1": -0.5, "k2": -0.2, "size": list(SIZE)},
    "red_eye": {"pupils": [{"x": 3000.0, "y": 2000.0, "radius": 60.0}, {"x": 3400.0, "y": 2010.0, "radius": 60.0}]},
}


def run(data: Data) -> Iterable[Result]:
    """The figures; the photograph is made here, so that they depend on no file."""
    source = _photograph(data.work)
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.circle(mask, (3000, 2000), 1200, 255, -1)
    kept = bytes(cv2.imencode(".png", mask)[1])
    tools = Tools(kept=lambda _: kept, weights={})
    for operator in plugins.operators().values():
        if operator.medium is Medium.FRAME and (values := list(_positions(operator))):
            yield _sliding(source, tools, operator.name, values, at=None)
            yield _sliding(source, tools, operator.name, values, at=MIDDLE)
    yield from _crops(source, tools)


def _positions(operator: Operator[Any]) -> Iterator[dict[str, Any]]:
    """Params of an operator with one slider after another drawn from end to end."""
    first = params.to_json(operator.examples[0]) | dict(OWN.get(operator.name, {}))
    for field in form(operator):
        if field["kind"] == "slider":
            for value in np.linspace(field["low"], field["high"], POSITIONS):
                yield first | {field["name"]: type(field["default"])(value)}
        elif field["kind"] == "box":
            yield from (first | {"box": [left, 0.1, 0.9, 0.9]} for left in np.linspace(0, 0.5, POSITIONS))


def _sliding(
    source: Source, tools: Tools, name: str, values: list[dict[str, Any]], *, at: tuple[float, float] | None
) -> Result:
    previews = Previews()
    previews.original(source), previews.base(source, WORK_SIDE)  # the photo is on the screen before a slider moves

    def view(own: dict[str, Any], share: float, *, draft: bool) -> None:
        edits = [_edit(n, v) for n, v in STANDING.items() if n != name] + [_edit(name, own)]
        edits = [*drafted(render.order(edits), name)] if draft else edits
        if at is None:
            side = rounded(round(WORK_SIDE * share))
            _sent(previews.fitted(source, edits, tools, side=side, changed=name))
        else:
            size = round(VIEW[0] * share), round(VIEW[1] * share)
            _sent(previews.region(source, edits, tools, at=at, view=size, changed=name, hurry=draft).pixels)

    share = _share(0.5, _time(partial(view, values[0], 0.5, draft=True)))  # … and its form has been opened
    view(values[0], 1.0, draft=False)
    took = []
    for own in values:
        took.append(_time(partial(view, own, share, draft=True)))
        settled, share = share, _share(share, took[-1])
    rest = float(np.median([_time(partial(view, own, 1.0, draft=False)) for own in values[-5:]]))
    what = "of 1600 px" if at is None else f"of {VIEW[0]} x {VIEW[1]} px"
    return Result(
        name=f"previews.{name}{'' if at is None else '.at_100'}.ms", value=round(float(np.quantile(took, 0.95)), 1),
        n=len(took), unit="ms", bar=BAR_MS, want="at most", beside={"at_rest": round(rest, 1)},
        note=f"median {float(np.median(took)):.0f}, most {max(took):.0f} ms; settles on {settled:.0%} {what}",
    )  # fmt: skip


def _share(share: float, took: float) -> float:
    """How large the next draft is."""
    return max(LEAST, share / 2) if took > BAR_MS else min(1.0, share * 2) if took < BAR_MS / 4 else share


def _crops(source: Source, tools: Tools) -> Iterator[Result]:
    """Of tones and framing alone: noise reduction is in no hurry, the same place is not looked at twice."""
    previews = Previews()
    edits = [_edit(name, values) for name, values in STANDING.items() if name != "denoise"]
    whole = np.asarray(previews.original(source), np.uint8)
    rng = np.random.default_rng(4)
    places = [(float(x), float(y)) for x, y in rng.uniform((700, 450), (5300, 3550), (SLIDES, 2))]

    def view(at: tuple[float, float]) -> int:
        return _sent(previews.region(source, edits, tools, at=at, view=VIEW).pixels)

    took = np.array([_time(partial(view, at)) for at in places])
    all_of_it = _time(lambda: _sent(render.render_bytes(whole, edits, tools)))
    yield Result(
        name="previews.at_100.ms", value=round(float(np.quantile(took, 0.95)), 1), n=len(took), unit="ms", bar=BAR_MS,
        want="at most", beside={"whole_picture": round(all_of_it, 1)},
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


def _time(do: Callable[[], object]) -> float:
    """Milliseconds of CPU."""
    began = time.process_time()
    do()
    return 1000 * (time.process_time() - began)
