"""Every file once through the quality probes, each with the model that never saw the photo, and through the peers."""

import importlib
import inspect
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2

from bench import _peers
from bench._heldout import model_of
from safelight.domain import Measure
from safelight.media.image import read
from safelight.media.picture import Picture

PROBES = ("sharpness", "exposure", "noise", "tilt", "colour")  # in the order in which they need each other
PROCESSES = 2


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file, the photo it was made from, and which peers are wanted."""

    path: Path
    source: str
    simple: bool = True
    brisque: bool = False


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the probes and the peers said about one file."""

    facts: Mapping[str, Measure]
    peers: Mapping[str, float] = field(default_factory=dict)

    def score(self, name: str) -> float:
        """A measure or a peer's figure as a number; nan where it cannot tell or was not measured."""
        if name in self.peers:
            return self.peers[name]
        found = self.facts.get(name)
        return float(found.value) if found is not None and isinstance(found.value, int | float) else float("nan")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the truth table with what was measured on its file."""

    truth: Mapping[str, Any]
    measured: Measured

    @property
    def source(self) -> str:
        """The photo it was made from."""
        return str(self.truth["source"])

    @property
    def kind(self) -> str:
        """The recipe's kind."""
        return str(self.truth["kind"])

    @property
    def strength(self) -> int:
        """1 to 5; 0 for good pictures."""
        return int(self.truth["strength"])

    @property
    def good(self) -> bool:
        """Clean or a hard negative."""
        return bool(self.truth["faulty"] == "no")

    @property
    def tellable(self) -> bool:
        """Whether a careful viewer could name the fault without the original."""
        return bool(self.truth["tellable"] == "yes")

    def has_itself(self, evidence: str) -> bool:
        """Whether the base has this fault before anything was done to it."""
        root = evidence.split(".", maxsplit=1)[0]
        return any(name.split(".", maxsplit=1)[0] == root for name in self.truth["own_fault"].split(";"))


def measure_all(jobs: Sequence[Job]) -> list[Measured]:
    """All files in their order, two processes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_one_thread) as pool:
        return list(pool.map(measure_one, jobs, chunksize=8))


def measure_one(job: Job) -> Measured:
    """One file."""
    picture = Picture(rgb=read(job.path))
    facts = measure_picture(picture, job.source)
    peers = dict(_peers.simple(picture.work)) if job.simple else {}
    if job.brisque:
        peers["brisque"] = _peers.brisque(picture.work)
    return Measured(facts=facts, peers=peers)


def measure_picture(picture: Picture, source: str) -> dict[str, Measure]:
    """What the quality probes say, and what the picture's facts hold already; models never saw the source."""
    facts: dict[str, Measure] = dict(picture.facts)
    for name in PROBES:
        module = probe_module(name)
        if module is not None:
            picture.facts = facts
            facts = facts | {m.name: m for m in judged(module, picture, model_of(name, source))}
    return facts


def probe_module(name: str) -> ModuleType | None:
    """The probe's module; None where it does not exist."""
    path = f"safelight.probes.{name}"
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        return None


def judged(module: ModuleType, picture: Picture, model: Mapping[str, Any] | None) -> Sequence[Measure]:
    """What a probe says by a model of its own; by the one it ships where that is None, or where it has none."""
    judge = module.judge if hasattr(module, "judge") else module.probe.measure
    if model is None or "model" not in inspect.signature(judge).parameters:
        found: Sequence[Measure] = judge(picture)
        return found
    held_out: Sequence[Measure] = judge(picture, model=model)
    return held_out


def _one_thread() -> None:
    cv2.setNumThreads(1)
