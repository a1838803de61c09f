"""Takes a finished picture that a person brought back in place of the photo as it was edited so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from safelight.domain import Measure
from safelight.media import image
from safelight.media.colour import luminance
from safelight.media.frame import Frame, Pixels, scaling
from safelight.operators import Operator, Risk, Stage, Subject, Suggestion, Tools, Wishes
from safelight.params import declare

STRUCTURE = 1e-3  # of display white: the spread of light from which a picture shows something


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalParams:
    """Which file, of which version, and how it lies on it.

    The file is kept as it came, by the sha256 of its bytes. `width` and `height` are those of the version it was made
    from, in px at full size; `matrix` leads from that version's pixel centres to the file's, row by row, so that what
    was drawn on the photo finds its place. A proxy of the version becomes a proxy of the file at the same scale.
    """

    file: str = declare("", help="sha256 of the returned file; empty for none")
    of: str = declare("", help="id of the version it was made from")
    width: int = declare(1, low=1, high=1_000_000, unit="px", help="width of that version")
    height: int = declare(1, low=1, high=1_000_000, unit="px", help="height of that version")
    matrix: tuple[float, ...] = declare((1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0), help="version to file, 3 x 3")
    generated: bool = declare(False, help="whether parts of it were made by a generative model")

    def __post_init__(self) -> None:
        if len(self.matrix) != 9:
            raise ValueError(f"matrix holds 9 numbers, not {len(self.matrix)}")


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[ExternalParams]]:  # noqa: ARG001
    """Nothing: people bring files."""
    return ()


def render(frame: Frame, params: ExternalParams, tools: Tools) -> Frame:
    """The returned picture, in its own size where the frame is the whole version, else reduced as the frame is.

    Raises what `media.image.read` raises for a file that cannot be decoded, and SafelightError for one that is gone.
    """
    if not params.file:
        return frame
    back = returned(tools.kept, params.file)
    scale_x, scale_y = frame.width / params.width, frame.height / params.height
    size = max(1, round(back.width * scale_x)), max(1, round(back.height * scale_y))
    sized_x, sized_y = size[0] / back.width, size[1] / back.height
    placed = np.reshape(params.matrix, (3, 3))
    matrix = scaling(sized_x, sized_y) @ placed @ scaling(1 / scale_x, 1 / scale_y)
    alpha = None
    if frame.alpha is not None:
        alpha = _sized(back.alpha if back.alpha is not None else np.ones(back.pixels.shape[:2], np.float32), size)
    return frame.moved(_sized(_on_white(back), size), matrix, alpha=alpha)


def returned(kept: Callable[[str], bytes], digest: str) -> Frame:
    """The returned file of this digest as light."""
    return image.frame_from(kept(digest), f"returned-{digest[:12]}")


def _on_white(frame: Frame) -> Pixels:
    if frame.alpha is None:
        return frame.pixels
    cover = frame.alpha[..., None]
    return np.asarray(frame.pixels * cover + (1 - cover), np.float32)


def _sized(plane: Pixels, size: tuple[int, int]) -> Pixels:
    if (plane.shape[1], plane.shape[0]) == size:
        return plane
    how = cv2.INTER_AREA if size[0] < plane.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, size, interpolation=how), np.float32)


def check(before: Frame, after: Frame, params: ExternalParams) -> Sequence[Measure]:  # noqa: ARG001
    """Whether the returned picture shows anything where the photo did. What was done to it is for the detectors."""
    name = "external.empty"
    shown, shows = (float(luminance(f.pixels).std()) for f in (before, after))
    if shown < STRUCTURE:
        return (Measure(name=name, unit="fault", cannot_tell="The photo itself shows nothing."),)
    return (Measure(name=name, value=float(shows < STRUCTURE), unit="fault"),)


def spoil(before: Frame, params: ExternalParams) -> Frame:  # noqa: ARG001
    """An empty picture, as a file saved from the wrong layer is."""
    return before.with_pixels(np.ones_like(before.pixels))


operator: Operator[ExternalParams] = Operator(
    name="external",
    version=1,
    params=ExternalParams,
    risk=Risk(complexity=0.9, cost=0.6),
    stage=Stage.RETURNED,
    margin=None,
    propose=propose,
    render=render,
    check=check,
    spoil=spoil,
    material=lambda before, after: before != after,
    material_when="it is another file, or lies elsewhere: digests and matrices are compared exactly",
    examples=(
        ExternalParams(file="ab" * 32, of="cd" * 32, width=48, height=36),
        ExternalParams(file="ab" * 32, width=24, height=36, matrix=(0.0, 1.0, 3.0, 1.0, 0.0, -2.0, 0.0, 0.0, 1.0)),
    ),
    about="Takes a finished picture that a person brought back in place of the photo.",
)
