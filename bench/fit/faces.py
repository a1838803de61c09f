"""Fits `faces.json`: `python -m bench.fit.faces --data DIR`, DIR as shared/data with faces/eyes.json.

For each of two measures (blink, opening of the lids): the middle between the least closed of the closed eyes and the
most closed of the open ones, and half that gap. Six talking heads of six people; folds leave one person out.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench._heldout import fit_and_write
from bench.eyes import clips
from bench.harness import Data
from safelight.media.picture import Picture
from safelight.probes._eyes import Lids, lids_of, unreadable
from safelight.probes._mesh import find, mesh_of, networks
from safelight.weights import installed


@dataclass(frozen=True, kw_only=True)
class Row:
    """One frame of one person whose eyes are either open or closed."""

    source: str
    closed: bool
    lids: Lids


def main() -> None:
    """Reads the clips, measures the lids, fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    fit_and_write("faces", rows(Data(roots=(parser.parse_args().data,), work=Path())), lambda row: row.source, fit)


def rows(data: Data) -> list[Row]:
    """All frames that were labelled open or closed and whose mesh may be read."""
    found = []
    weights = installed()
    nets = networks(weights)
    if nets is None:
        raise SystemExit("the weights yunet and face_landmarker are not installed")
    for clip in clips(data):
        for frame in clip.frames:
            if frame.closed is None:
                continue
            picture = Picture(rgb=frame.rgb, weights=weights)
            for face in find(picture, nets)[:1]:
                mesh = mesh_of(picture, face, nets)
                if unreadable(picture, face, mesh) is None:
                    found.append(Row(source=clip.name, closed=frame.closed, lids=lids_of(mesh)))
    return found


def fit(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Middle and half gap of both measures."""
    closed, still_open = [r.lids for r in rows if r.closed], [r.lids for r in rows if not r.closed]
    return {
        "blink": _between(max(max(x.blink) for x in still_open), min(min(x.blink) for x in closed)),
        "opening": _between(max(max(x.opening) for x in closed), min(min(x.opening) for x in still_open)),
    }


def _between(low: float, high: float) -> dict[str, float]:
    if low >= high:
        raise SystemExit(
            f"open and closed eyes overlap ({low:.3f} against {high:.3f}): this measure cannot be fitted so"
        )
    return {"middle": round((low + high) / 2, 4), "half_gap": round((high - low) / 2, 4)}


if __name__ == "__main__":
    main()
