"""Closed eyes on talking heads, per blink and per person, and on portraits; abstentions are counted, not hidden.

Each person is judged by constants that were fitted without that person. The limits beyond which nothing is said (blur,
light, agreement of the networks) were set on these clips and portraits, so `eyes.blurred` is no held-out figure. Beside
every figure stands the usual rule on the same meshes: closed where the eye aspect ratio is below 0.2, never an
abstention.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench._heldout import model_of
from bench.harness import Data, MissingData, Result
from safelight.media.frame import Bytes
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.probes import faces
from safelight.probes._eyes import lids_of
from safelight.probes._mesh import find, mesh_of, networks
from safelight.weights import installed

FIXED = 0.2  # the threshold that most who use the eye aspect ratio use
EVERY = 6  # of the frames with open eyes, in the harder renderings of the clips
UNSEEN = "six people, three of whom blink; real people by skin tone or age: not measured"

Change = Callable[[Bytes], Bytes]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame of a clip; `closed` is None where the labeller was unsure."""

    number: int
    rgb: Bytes
    closed: bool | None


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A talking head: one person."""

    name: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was said about a labelled frame; `fixed` is the answer of the usual rule. None: no face was found."""

    clip: str
    number: int
    closed: bool
    state: str | None
    fixed: str | None


def clips(data: Data) -> Iterator[Clip]:
    """The talking heads of faces/eyes.json, decoded one at a time."""
    table = data.find("faces/eyes.json")
    if table is None:
        raise MissingData("faces/eyes.json is under none of the folders: it comes with shared/data")
    for name, truth in json.loads(table.read_text("utf-8"))["clips"].items():
        yield Clip(name=name, frames=tuple(_frames(table.parent / name, truth)))


def stills(data: Data) -> Iterator[tuple[Path, str]]:
    """Portraits with the words of their row in the data's README: file, ground truth."""
    table = data.find("README.md")
    if table is None:
        return
    section = table.read_text("utf-8").partition("### faces/")[2].partition("\n###")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[0].endswith(".jpg"):
            yield table.parent / "faces" / cells[0], cells[-1]


def run(data: Data) -> Iterable[Result]:
    """Blinks found, open eyes called closed, coverage; the same in the dark and blurred; portraits and profiles."""
    weights = installed()
    if networks(weights) is None:
        raise MissingData("the weights yunet and face_landmarker are not installed: `safelight models fetch` them")
    plain, dark, blurred = [], [], []
    for clip in clips(data):
        plain += answers(clip, weights)
        few = Clip(name=clip.name, frames=tuple(f for f in clip.frames if f.closed or f.number % EVERY == 0))
        dark += answers(few, weights, darker)
        blurred += answers(few, weights, softer)
    yield from _figures("eyes", plain, note=f"held out by person; {UNSEEN}")
    for name in sorted({a.clip for a in plain}):
        yield from _figures(f"eyes.{Path(name).stem}", [a for a in plain if a.clip == name])
    yield from _figures("eyes.dark", dark, note="1/8 of the light and noise: a screening, no proof for dark skin")
    yield from _figures(
        "eyes.blurred",
        [a for a in blurred if not a.closed],
        note="3 px on eyes of 22 px, silence is right; limit set here",
    )
    yield from _stills(data, weights)
    yield from _skin(data, weights)


def answers(clip: Clip, weights: Mapping[str, Mapping[str, Path]], change: Change | None = None) -> list[Answer]:
    """What the probe and the usual rule say about the labelled frames of a clip."""
    model = model_of("faces", clip.name) or faces.MODEL
    found = []
    for frame in clip.frames:
        if frame.closed is None:
            continue
        picture = Picture(rgb=change(frame.rgb) if change else frame.rgb, weights=weights)
        states = _states(picture, model)
        state, fixed = states[0] if states else (None, None)
        found.append(Answer(clip=clip.name, number=frame.number, closed=frame.closed, state=state, fixed=fixed))
    return found


def blinks(rows: Sequence[Answer]) -> list[list[Answer]]:
    """Runs of consecutive closed frames."""
    closed = [row for row in rows if row.closed]
    runs = groupby(enumerate(closed), key=lambda pair: (pair[1].clip, pair[1].number - pair[0]))
    return [[row for _, row in run] for _, run in runs]


def darker(rgb: Bytes) -> Bytes:
    """An eighth of the light, with noise of 6 levels."""
    rng = np.random.default_rng(1)
    dark = 255 * (rgb / 255.0) * (1 / 8) ** (1 / 2.2)
    return np.asarray(np.clip(dark + rng.normal(0, 6, rgb.shape), 0, 255), np.uint8)


def softer(rgb: Bytes) -> Bytes:
    """Blurred by a Gaussian of 3 px."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 3), np.uint8)


def _figures(name: str, rows: Sequence[Answer], *, note: str = "") -> Iterator[Result]:
    events = blinks(rows)
    still_open = [row for row in rows if not row.closed]
    if events:
        found = [any(row.state == "closed" for row in event) for event in events]
        silent = [all(row.state in {None, "cannot_tell"} for row in event) for event in events]
        fixed = [any(row.fixed == "closed" for row in event) for event in events]
        yield Result(
            name=f"{name}.blinks.found",
            value=float(np.mean(found)),
            n=len(events),
            beside={"EAR<0.2": float(np.mean(fixed))},
            note=f"{sum(silent)} of {len(events)} abstained. {note}".strip(),
        )
    yield Result(
        name=f"{name}.open.false_closed",
        value=_share(still_open, "closed"),
        n=len(still_open),
        beside={"EAR<0.2": float(np.mean([row.fixed == "closed" for row in still_open]))},
        note=note,
    )
    told = _share(rows, "open") + _share(rows, "closed")
    yield Result(name=f"{name}.coverage", value=told, n=len(rows), beside={"EAR<0.2": 1.0}, note=note)


def _stills(data: Data, weights: Mapping[str, Mapping[str, Path]]) -> Iterator[Result]:
    portraits, profiles, counted, wanted = [], [], 0, 0
    for path, truth in stills(data):
        states = _states(Picture(rgb=read(path), weights=weights), faces.MODEL)
        people = next((n for word, n in (("one ", 1), ("two ", 2)) if truth.startswith(word)), 0)
        wanted, counted = wanted + people, counted + min(people, len(states))
        if "eyes open" in truth:
            portraits += states[:1] or [(None, None)]
        if "profile" in truth:
            profiles += states
    yield Result(name="eyes.stills.found", value=counted / max(wanted, 1), n=wanted, note="faces found of those there")
    if portraits:
        yield Result(
            name="eyes.stills.open",
            value=float(np.mean([state == "open" for state, _ in portraits])),
            n=len(portraits),
            beside={"EAR<0.2": float(np.mean([fixed == "open" for _, fixed in portraits]))},
            note="portraits with open eyes that are called open",
        )
    yield Result(
        name="eyes.profile.guessed",
        value=float(sum(state != "cannot_tell" for state, _ in profiles)),
        n=len(profiles),
        unit="faces",
        bar=0,
        want="at most",
        beside={"EAR<0.2": float(sum(fixed is not None for _, fixed in profiles))},
        note="profiles whose eyes were judged all the same",
    )


def _skin(data: Data, weights: Mapping[str, Mapping[str, Path]]) -> Iterator[Result]:
    """Whether re-rendered skin changes the answer, for each bucket of recipe `skin`; nothing without its table."""
    if data.find("skin/truth.csv") is None:
        return
    folder, table = data.table("skin/truth.csv", recipe="skin")
    said: dict[str, dict[str, str | None]] = {}
    for row in table:
        if row["kind"] == "clean":
            states = _states(Picture(rgb=read(folder / row["file"]), weights=weights), faces.MODEL)
            said.setdefault(row["bucket"], {})[row["source"]] = states[0][0] if states else None
    own = said.pop("own", {})
    for bucket, states_of in said.items():
        same = [state == own[source] for source, state in states_of.items() if source in own]
        yield Result(
            name=f"eyes.skin.{bucket}.same_answer",
            value=float(np.mean(same)) if same else None,
            n=len(same),
            note="as on the sitter's own skin; re-rendered, a screening, no substitute for people of each group",
        )


def _states(picture: Picture, model: Any) -> list[tuple[str | None, str | None]]:
    """For each face, largest first: what the probe says, what the usual rule says."""
    nets = networks(picture.weights)
    if nets is None:
        return []
    said = [face.eyes.state for face in faces.look(picture, model=model)]
    fixed = []
    for face in find(picture, nets):
        opening = float(np.mean(lids_of(mesh_of(picture, face, nets)).opening))
        fixed.append("closed" if opening < FIXED else "open")
    return list(zip(said, fixed, strict=True))


def _share(rows: Sequence[Answer], state: str) -> float:
    return float(np.mean([row.state == state for row in rows])) if rows else 0.0


def _frames(path: Path, truth: Mapping[str, Sequence[int]]) -> Iterator[Frame]:
    film = cv2.VideoCapture(str(path))
    number = 0
    while True:
        there, bgr = film.read()
        if not there:
            break
        closed = None if number in truth["unsure"] else number in truth["closed"]
        yield Frame(number=number, rgb=np.ascontiguousarray(bgr[:, :, ::-1]), closed=closed)
        number += 1
    film.release()
