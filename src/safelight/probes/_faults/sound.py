"""Which spans of a sound are faults: clipped, humming, clicking, dead, turned over, dropped out, silent, off centre.

One pass over blocks, two seconds of them in memory; what spans blocks is joined at the end.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from safelight.media.runs import runs
from safelight.media.sound import Block, Samples
from safelight.probes._faults.hum import Hum
from safelight.probes._faults.spans import Fault, limited

CELL_S = 0.1
QUIET = 10 ** (-66 / 20)  # a channel below it, while another is above, is dead
HEARD = 10 ** (-45 / 20)  # speech and the like are above
NOTHING = 1e-5
SILENCE_S, DROPOUT_S = 0.4, (0.003, 0.4)
DEAD_S, TURNED_S, OFF_S = 1.0, 1.2, 2.0
TURNED = 0.35  # least negative correlation
OFF, STANDING = 0.006, 0.003  # of full scale; four in five tenths of a second lie so far to the same side
CLICK, LONE, ALONE = 55.0, 3.0, 1.5  # times what is usual around; times the next largest within 2.5 and 12.5 ms
SHARP = 0.22  # of the loudness around: a voice that is mastered loud has edges too
AT_ONCE = 4096  # windows of a running median
CLIPPED = 10  # samples in flat runs at one ceiling in a cell of half a second


@dataclass(slots=True)
class _Cells:
    """Numbers of each tenth of a second: of each of its channels loudness and mean, and their likeness."""

    level: "array[float]" = field(default_factory=lambda: array("d"))
    mean: "array[float]" = field(default_factory=lambda: array("d"))
    likeness: "array[float]" = field(default_factory=lambda: array("d"))


class Listening:
    """Hears blocks one after another."""

    def __init__(self) -> None:
        self.kept: list[Fault] = []
        self.cells = _Cells()
        self.start: Fraction | None = None
        self.rate = 0
        self.before: Samples | None = None  # the end of the block before
        self.hum = Hum()
        self.zeros: tuple[Fraction, float] | None = None  # where nothing began, and how loud it was before
        self.open: dict[str, list[tuple[Fraction, Fraction, float]]] = defaultdict(list)

    def hear(self, block: Block) -> None:
        """One more block."""
        if self.start is None:
            self.start, self.rate = block.at, block.rate
        size = max(round(CELL_S * block.rate), 1)
        samples = block.samples
        for first in range(0, len(samples) - size + 1, size):
            part = samples[first : first + size].astype(np.float64)
            mean = part.mean(0)
            self.cells.level.extend(np.sqrt(((part - mean) ** 2).mean(0)))
            self.cells.mean.extend(mean)
            self.cells.likeness.append(_likeness(part) if samples.shape[1] == 2 else 1.0)
        lead = self.before if self.before is not None else samples[:0]
        joined = np.concatenate([lead, samples])
        at = block.at - Fraction(len(lead), block.rate)
        self._clipped(joined, at, len(lead))
        self._clicks(joined, at)
        self._nothing(joined, at, len(lead))
        self.hum.hear(samples, self.rate)
        self.before = joined[-round(0.25 * block.rate) :]

    def done(self) -> list[Fault]:
        """All faults with their strength, likely or not."""
        if self.start is None or not self.cells.level:
            return []
        if self.zeros is not None and self.before is not None:
            end = self.start + len(self.cells.likeness) * Fraction(1, 10)
            self._silent(self.zeros[0], end, self.zeros[1], 0.0)
        return [
            *self.kept,
            *self._joined("clipping", 0.6),
            *self._joined("click", 0.002),
            *self._channels(),
            *(
                Fault(
                    kind="hum",
                    start=self.start + Fraction(start),
                    end=self.start + Fraction(end),
                    strength=limited(strength),
                    hertz=hertz,
                )
                for start, end, strength, hertz in self.hum.found()
            ),
        ]

    # ------------------------------------------------------------ samples

    def _clipped(self, samples: Samples, at: Fraction, fresh: int) -> None:
        """Runs of samples at one ceiling, of which many are exactly there and few just below."""
        cell = self.rate // 4
        for first in range(fresh, len(samples), cell):
            part = np.abs(samples[max(first - cell // 2, 0) : first + cell])
            for channel in range(part.shape[1]):
                x = part[:, channel]
                top = float(x.max(initial=0))
                if top < 0.1:
                    continue
                there = x >= top * (1 - 1e-4) - 5e-5
                flat = [r for r in runs(there) if r[1] - r[0] >= 2]
                count = sum(b - a for a, b in flat)
                below = int((x >= top * 0.985).sum()) - int(there.sum())
                if count >= 4 and len(flat) >= 2:
                    begin = max(first - cell // 2, 0)
                    span = at + Fraction(begin + flat[0][0], self.rate), at + Fraction(begin + flat[-1][1], self.rate)
                    self.open["clipping"].append(
                        (*span, min(count / CLIPPED, 3.0) * min(count / max(0.8 * below, 1), 2.0))
                    )

    def _clicks(self, samples: Samples, at: Fraction) -> None:
        """Samples that what came before does not lead to, over before a thousandth of a second has passed."""
        if len(samples) < 2048:
            return
        for channel in range(samples.shape[1]):
            x = samples[:, channel].astype(np.float64)
            rest = np.abs(np.convolve(x, [1, -4, 6, -4, 1], mode="same")) / 16
            short, wide = self.rate // 4000, self.rate // 400
            peak = rest
            usual = np.sqrt(_boxed(rest**2, wide * 2 + 1)) + 2e-5
            for first, end in runs(peak > 3.0 * usual, bridge=short):
                if first < wide or end > len(x) - wide:
                    continue
                beside = np.concatenate([rest[first - wide : first - 4], rest[end + 12 : end + 12 + wide]])
                usual_there = float(np.sqrt((beside**2).mean())) + 3e-5
                most = float(rest[first:end].max())
                after = float(rest[end + 16 : end + 16 + wide].max(initial=0))
                before = float(rest[max(first - wide, 0) : first - 4].max(initial=0))
                lone = most / max(after, before, 6e-5)
                far = np.concatenate([rest[max(first - 5 * wide, 0) : first - 4], rest[end + 16 : end + 5 * wide]])
                alone = most / max(float(far.max(initial=0)), 6e-5)  # a voice has such a peak in each of its periods
                strength = min(most / (CLICK * usual_there), lone / LONE, alone / ALONE)
                if strength > 0.4:
                    loud = np.concatenate([x[max(first - 8 * wide, 0) : first - 4], x[end + 16 : end + 8 * wide]])
                    strength = min(strength, most / (SHARP * max(_rms(loud), 1e-4)))
                if strength > 0.4:
                    self.open["click"].append(
                        (at + Fraction(first, self.rate), at + Fraction(end, self.rate), strength)
                    )

    def _nothing(self, samples: Samples, at: Fraction, fresh: int) -> None:
        """Digital silence on all channels: short in the middle of sound it is a dropout, long it is silence."""
        none = np.abs(samples).max(1) < NOTHING
        least = round(DROPOUT_S[0] * self.rate)
        near = round(0.02 * self.rate)
        if self.zeros is not None:
            ends = fresh + int(np.argmin(none[fresh:])) if not none[fresh:].all() else None
            if ends is None:
                return
            after = _rms(samples[ends : ends + near])
            self._silent(self.zeros[0], at + Fraction(ends, self.rate), self.zeros[1], after)
            self.zeros, begin = None, ends
        else:
            begin = 0
        for first, end in runs(none):
            if end <= max(begin, fresh) or first < begin or end - first < least:
                continue
            before = _rms(samples[max(first - near, 0) : first])
            if end == len(samples):
                self.zeros = at + Fraction(first, self.rate), before
            else:
                self._silent(at + Fraction(first, self.rate), at + Fraction(end, self.rate), before,
                             _rms(samples[end : end + near]))  # fmt: skip

    def _silent(self, start: Fraction, end: Fraction, before: float, after: float) -> None:
        seconds = float(end - start)
        if seconds >= SILENCE_S:
            self.kept.append(Fault(kind="silence", start=start, end=end, strength=limited(seconds / SILENCE_S)))
        else:
            strength = min(before, after) / (HEARD / 6)
            self.kept.append(Fault(kind="dropout", start=start, end=end, strength=limited(strength)))

    # ------------------------------------------------------------ spans

    def _joined(self, kind: str, gap_s: float) -> Iterator[Fault]:
        """What lies close together is one fault, as strong as its strongest part."""
        spans = sorted(self.open[kind])
        now: list[tuple[Fraction, Fraction, float]] = []
        for span in [*spans, None]:
            if now and (span is None or span[0] - max(s[1] for s in now) > gap_s):
                yield Fault(
                    kind=kind, start=now[0][0], end=max(s[1] for s in now), strength=limited(max(s[2] for s in now))
                )
                now = []
            if span is not None:
                now.append(span)

    def _cell(self, kind: str, span: tuple[int, int], strength: float, channel: int | None = None) -> Fault:
        assert self.start is not None
        start, end = (self.start + Fraction(place, 10) for place in span)
        return Fault(kind=kind, start=start, end=end, strength=limited(strength), channel=channel)

    def _channels(self) -> Iterator[Fault]:
        """Channels that are dead, turned over, or off centre."""
        count = len(self.cells.likeness)
        level, mean = (np.array(rows).reshape(count, -1) for rows in (self.cells.level, self.cells.mean))
        least = round(1 / CELL_S)
        for channel in range(level.shape[1]):
            off = np.abs(_median(mean[:, channel], 5))
            for span in runs(off > OFF / 2, bridge=2):
                if span[1] - span[0] >= OFF_S * least:
                    weight = 1 / (level[span[0] : span[1], channel] + NOTHING) ** 2  # pauses say it best
                    there = float(abs((weight * mean[span[0] : span[1], channel]).sum()) / weight.sum())
                    side = np.sign(np.median(mean[slice(*span), channel]))  # a lopsided voice swings, an offset stands
                    stands = float(np.quantile(side * mean[slice(*span), channel], 0.2))
                    yield self._cell("dc_offset", span, min(there / OFF, stands / STANDING), channel)
        if level.shape[1] != 2:
            return
        for channel in (0, 1):
            own, other = level[:, channel], level[:, 1 - channel]
            for span in runs((own < QUIET) & (other > 2 * own + NOTHING), bridge=1):
                length = span[1] - span[0]
                loud = float(np.quantile(other[span[0] : span[1]], 0.9)) / (6 * QUIET)
                if length >= DEAD_S * least:
                    yield self._cell("dead_channel", span, loud, channel)
        likeness = np.where(level.min(1) > 2 * QUIET, np.array(self.cells.likeness), 0.0)
        smooth = _median(np.where(level.min(1) > 2 * QUIET, likeness, np.nan), 9)
        for span in runs(smooth < -TURNED / 2, bridge=12):
            if span[1] - span[0] >= TURNED_S * least:
                yield self._cell("inverted_phase", span, -float(np.nanmedian(smooth[span[0] : span[1]])) / TURNED)


def _likeness(part: NDArray[np.float64]) -> float:
    """Correlation of left and right below a kilohertz or so: rooms differ above."""
    from scipy.signal import sosfilt  # late: it takes half a second to come, and most runs hear nothing

    low = sosfilt(_low(), part, axis=0)
    low -= low.mean(0)
    scale = float(np.sqrt((low**2).sum(0).prod()))
    return float((low[:, 0] * low[:, 1]).sum()) / scale if scale > 1e-9 else 0.0


@cache
def _low() -> NDArray[np.float64]:
    from scipy.signal import butter

    return np.asarray(butter(2, 0.03, output="sos"))


def _rms(samples: Samples) -> float:
    return float(np.sqrt((samples.astype(np.float64) ** 2).mean())) if samples.size else 0.0


def _boxed(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Running mean."""
    sums: NDArray[np.float64] = np.cumsum(np.concatenate([[0.0], np.pad(values, size // 2, mode="edge")]))
    return np.asarray(np.maximum(sums[size:] - sums[:-size], 0)[: len(values)] / size, float)


def _median(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Running median that passes over what is not known."""
    padded = np.pad(values, size // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    found = np.zeros(len(values))
    for first in range(0, len(values), AT_ONCE):
        part = windows[first : first + AT_ONCE]
        known = np.isfinite(part).any(1)
        found[first : first + AT_ONCE][known] = np.nanmedian(part[known], axis=1)
    return found
