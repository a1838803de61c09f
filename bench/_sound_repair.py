"""What noise reduction gives to speech and takes from what is to be left alone; the graphs as they are used in a run.

Recipe `sound`: speech in recorded noise with its clean file on the same samples; clean and quiet speech, music, noise
without speech. Beside: FFmpeg's `afftdn`, its delay taken out.
"""

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bench._stoi import stoi
from bench.harness import Result
from safelight import weights
from safelight.media import loudness, sound
from safelight.media.effects import Repairs
from safelight.media.repair.chain import repaired
from safelight.media.repair.deepfilter import WEIGHTS, Model
from safelight.media.repair.quieter import Quieter

Floats = NDArray[np.float64]

NOISE_DB = 12.0
AFFTDN_LATE = 1200  # samples at 48 kHz
SNR = 5
WIDE = 16000  # Hz, of wide-band PESQ


def run(folder: Path, items: list[dict[str, Any]]) -> Iterator[Result]:
    """All figures; one that says so where the weights are not there."""
    files = weights.installed().get(WEIGHTS)
    if files is None:
        return
    model = Model(files)
    gains: dict[str, list[float]] = defaultdict(list)
    theirs: list[float] = []
    clearer: list[float] = []
    lost: list[float] = []
    late: list[int] = []
    for item in (i for i in items if i["kind"] == "noise"):
        before, clean, after = _three(folder, item, model)
        gain = si_sdr(after, clean) - si_sdr(before, clean)
        gains[f"{item['snr_db']:g} dB"].append(gain)
        lost.append(stoi(clean, before, rate=48000) - stoi(clean, after, rate=48000))
        late.append(_delay(after, before))
        if item["snr_db"] == SNR:
            gains[Path(item["noise"]).stem].append(gain)
            clearer.append(_pesq(clean, after) - _pesq(clean, before))
            peer = _afftdn(folder / item["file"])
            if peer is not None:
                theirs.append(si_sdr(peer, clean[: len(peer)]) - si_sdr(before, clean))
    at_bar = gains.pop(f"{SNR} dB")
    yield Result(
        name="repair.si_sdr_gain", value=float(np.mean(at_bar)), n=len(at_bar), unit="dB", bar=6, want="at least",
        beside={"ffmpeg afftdn": float(np.mean(theirs))} if theirs else {}, note="speech in noise at 5 dB",
    )  # fmt: skip
    for name, values in sorted(gains.items()):
        yield Result(name=f"repair.si_sdr_gain.{name}", value=float(np.mean(values)), n=len(values), unit="dB")
    yield Result(name="repair.pesq_gain", value=float(np.mean(clearer)), n=len(clearer), bar=0.8, want="at least")
    yield Result(name="repair.stoi_lost", value=max(lost), n=len(lost), bar=0.01, want="at most",
                 note=f"mean {np.mean(lost):.3f}")  # fmt: skip
    yield Result(name="repair.delay", value=max(late, key=abs), n=len(late), unit="samples", bar=0, want="at most")
    yield from _left_alone(folder, [i for i in items if i["leave_alone"] and i["kind"] != "loudness"], model)


def _left_alone(folder: Path, items: list[dict[str, Any]], model: Model) -> Iterator[Result]:
    like: dict[str, list[float]] = defaultdict(list)
    louder: list[float] = []
    for item in items:
        before, _, after = _three(folder, item, model)
        like[item["kind"]].append(100.0 if np.array_equal(before, after) else min(si_sdr(after, before), 100.0))
        was, now = (_lufs(part) for part in (before, after))
        if was is not None and now is not None:
            louder.append(abs(now - was))
    for kind, values in sorted(like.items()):
        yield Result(name=f"left_alone.si_sdr.{kind}", value=min(values), n=len(values), unit="dB", bar=25,
                     want="at least", note="100 is the same, sample by sample")  # fmt: skip
    yield Result(name="left_alone.loudness", value=max(louder), n=len(louder), unit="LU", bar=0.5, want="at most")


def _three(folder: Path, item: dict[str, Any], model: Model) -> tuple[Floats, Floats, Floats]:
    """Before, clean and after, mono at 48 kHz."""
    path = folder / item["file"]
    before = sound.read(path)
    cleaned = repaired(sound.blocks(path), Repairs(), quieter=Quieter(model, NOISE_DB))
    after = np.concatenate([b.samples for b in cleaned])
    clean = sound.read(folder / item["clean_file"])
    return _mono(before.samples, before.rate), _mono(clean.samples, clean.rate), _mono(after, before.rate)


def _lufs(samples: Floats) -> float | None:
    block = sound.Block(at=Fraction(0), samples=samples.astype(np.float32)[:, None], rate=48000)
    return loudness.measure_blocks([block]).integrated_lufs


def _mono(samples: NDArray[np.float32], rate: int) -> Floats:
    mono = samples.astype(np.float64).mean(1)
    return mono if rate == 48000 else np.asarray(resample_poly(mono, 48000, rate))


def si_sdr(heard: Floats, clean: Floats) -> float:
    """Scale-invariant signal-to-distortion ratio, dB (Le Roux et al. 2019)."""
    count = min(len(heard), len(clean))
    x, s = heard[:count] - heard[:count].mean(), clean[:count] - clean[:count].mean()
    wanted = (x @ s) / (s @ s + 1e-20) * s
    return float(10 * np.log10((wanted @ wanted) / max((x - wanted) @ (x - wanted), 1e-20)))


def _delay(after: Floats, before: Floats) -> int:
    """Samples by which the result lags, at most 50 ms either way."""
    most = 2400
    size = 1 << int(np.ceil(np.log2(len(before) + len(after))))
    product = np.fft.irfft(np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size)))
    return int(np.argmax(np.concatenate([product[-most:], product[: most + 1]]))) - most


def _pesq(clean: Floats, heard: Floats) -> float:
    from pesq import pesq

    one, two = (resample_poly(part, WIDE, 48000) for part in (clean, heard))
    return float(pesq(WIDE, one, two, "wb"))


def _afftdn(path: Path) -> Floats | None:
    if shutil.which("ffmpeg") is None:
        return None
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-af", "afftdn=nr=12", "-ac", "1", "-ar", "48000",
               "-f", "f32le", "-"]  # fmt: skip
    said = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(said, np.float32).astype(np.float64)[AFFTDN_LATE:]
