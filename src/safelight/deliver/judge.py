"""A delivered file against the photo it came from: the detectors that its edits call for, the rules of its channels.

Runs in the worker that wrote the file, on what the written file decodes to. The geometry of our own edits is known
and handed over; a returned file is compared with the version that it was made from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from safelight import channels, checking, pairs, params, plugins, render, weights
from safelight.channels import Channel, Known, encoded, sets
from safelight.detectors import Detector
from safelight.domain import Edit
from safelight.media import write
from safelight.media.frame import Bytes, Frame, scaling
from safelight.media.picture import halved
from safelight.media.warp import Warp
from safelight.operators import Medium, Operator, Stage, Tools
from safelight.pairs.job import entry_of

SIDE = 1600  # px, long side at which a file is compared with its photo
OF_POINTS = ("clipping", "hue_twist", "banding")  # all that a change of each pixel by itself can cause
LOW_QUALITY = 85  # a JPEG below it may show its blocks
UNASKED = "None of the edits can cause it."
NOBODY = "None of the detectors that would look for what these edits can cause is installed."


def could_cause(edits: Sequence[Edit], *, jpeg_quality: int | None = None) -> frozenset[str] | None:
    """Names of the findings that these edits, and a JPEG of this quality, could cause; None: any."""
    names = {"jpeg", "banding"} if jpeg_quality is not None and jpeg_quality < LOW_QUALITY else set()
    for edit in edits:
        found = _of(plugins.operator(edit.operator))
        if found is None:
            return None
        names |= set(found)
    return frozenset(names)


def _of(operator: Operator[Any]) -> tuple[str, ...] | None:
    if operator.artefacts is not None:
        return operator.artefacts
    if operator.medium is not Medium.FRAME or operator.stage is Stage.BASE or operator.warp is not None:
        return ()  # a warp is known exactly, and the contract suite holds the operator to it
    return OF_POINTS if operator.pointwise else None


def judge(
    file: Path, original: Path, small: Frame, edits: Sequence[Edit], *, rules: Sequence[Channel], tools: Tools,
    jpeg_quality: int | None, place: Path | None,
    limits: Mapping[str, checking.Thresholds] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The entry of `safelight.check/1` of a written file. `small` is the photo before any edit, reduced to SIDE, with
    its geometry from the full-size photo; `place` is where pictures of findings go."""
    written = encoded.read(file)
    generated = any(edit.params.get("generated") is True for edit in edits)
    record = Known(operators=tuple(edit.operator for edit in edits), generated=generated)
    answers = channels.examine(written, rules, record=record)
    names = could_cause(edits, jpeg_quality=jpeg_quality)
    asked = _asked(names)
    compared, after = None, written.rgb
    if asked:
        before, warp, size = _before(small, edits, tools)
        if size[0] > written.width:  # a file smaller than that is looked at in its own size
            small = reduced(small, written.width / size[0])
            before, warp, size = _before(small, edits, tools)
        after = _at(written.rgb, size)
        compared = checking.compare(
            before, after, transform=warp, detectors=asked, weights=weights.installed(), limits=limits
        )
        compared = _only(compared, names)
    job = pairs.Check(before=original, after=file, place=place)
    entry = entry_of(job, compared, answers, after, unasked=UNASKED)
    if not asked and names != frozenset() and entry["verdict"] == checking.Outcome.PASS:
        entry |= {"verdict": checking.Outcome.LOOK.value, "unmeasured": NOBODY}
    entry["compared_px"] = list(after.shape[1::-1]) if compared is not None else None
    entry["delivered_px"] = [written.width, written.height]
    entry["thumb"] = tuple(round(float(v), 1) for v in sets.thumb(written.rgb).ravel())
    return entry


def _at(rgb: Bytes, size: tuple[int, int]) -> Bytes:
    """A picture at this size (width, height) by area averaging; halved first, which is several times faster."""
    while rgb.shape[1] >= 2 * size[0] and rgb.shape[0] >= 2 * size[1]:
        rgb = halved(rgb)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def reduced(frame: Frame, scale: float) -> Frame:
    """The frame at a smaller size, its geometry still leading from the full-size photo."""
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    pixels = np.asarray(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    return frame.moved(pixels, scaling(size[0] / frame.width, size[1] / frame.height))


def _asked(names: frozenset[str] | None) -> tuple[Detector, ...]:
    return tuple(d for d in plugins.detectors().values() if names is None or names & set(d.finds))


def _only(compared: checking.Comparison, names: frozenset[str] | None) -> checking.Comparison:
    """The comparison without findings that nobody asked for, with the verdict of those that are left."""
    if names is None:
        return compared
    found = tuple(f for f in compared.findings if f.name in names)
    least = checking.Outcome.PASS if compared.placement.cannot is None else checking.Outcome.LOOK
    verdict = max([least, *map(compared.outcome, found)], key=list(checking.Outcome).index)
    return replace(compared, findings=found, verdict=verdict)


def _before(small: Frame, edits: Sequence[Edit], tools: Tools) -> tuple[Bytes, Warp | None, tuple[int, int]]:
    """What the file is compared with, the way from there to the file, and the size (width, height) it is looked at."""
    ordered = render.order(edits)
    stages = [plugins.operator(edit.operator).stage for edit in ordered]
    if Stage.RETURNED in stages:
        at = stages.index(Stage.RETURNED)
        parent = render.render(small, ordered[:at], tools)
        whole = render.render(parent, ordered[at : at + 1], tools)
        return write.to_srgb8(parent), None, (whole.width, whole.height)
    base = [e for e, stage in zip(ordered, stages, strict=True) if stage is Stage.BASE]
    warp = Warp(size=(small.width, small.height))
    for edit in ordered:
        operator = plugins.operator(edit.operator)
        if operator.warp is not None:
            warp = warp.then(operator.warp(*warp.size, params.from_json(operator.params, edit.params)))
    return write.to_srgb8(render.render(small, base, tools)), warp, warp.size
