"""What grows with every frame of a clip, kept small: exact times in memory, rows of numbers in a file without name."""

import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.files import nameless


@dataclass(slots=True)
class Moments:
    """Times of frames in order, exactly, 16 bytes each where objects take eight times that."""

    above: "array[int]" = field(default_factory=lambda: array("q"))
    below: "array[int]" = field(default_factory=lambda: array("q"))

    def append(self, at: Fraction) -> None:
        """One more frame."""
        self.above.append(at.numerator)
        self.below.append(at.denominator)

    def __len__(self) -> int:
        return len(self.above)

    def __getitem__(self, place: int) -> Fraction:
        return Fraction(self.above[place], self.below[place])

    def __iter__(self) -> Iterator[Fraction]:
        return map(Fraction, self.above, self.below)

    def get(self, place: int | None) -> Fraction | None:
        """When a frame is shown; None for one that was never seen."""
        return self[place] if place is not None and 0 <= place < len(self) else None


class Spool:
    """Rows of `width` numbers, added some at a time and read again some at a time, from a file in `room` that is gone
    once it is closed; from memory without a room."""

    def __init__(self, width: int, dtype: Any, room: Path | None = None) -> None:
        self.width, self.dtype, self.count = width, np.dtype(dtype), 0
        self.file = nameless(room)

    def add(self, rows: NDArray[Any]) -> None:
        """More rows, N×width."""
        self.file.seek(0, io.SEEK_END)
        self.file.write(np.ascontiguousarray(rows, self.dtype).tobytes())
        self.count += len(rows)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, part: slice) -> NDArray[Any]:
        """Rows that follow each other."""
        first, end, _ = part.indices(self.count)
        self.file.seek(first * self.width * self.dtype.itemsize)
        data = self.file.read(max(end - first, 0) * self.width * self.dtype.itemsize)
        return np.frombuffer(data, self.dtype).reshape(-1, self.width)

    def close(self) -> None:
        """Gives the file back."""
        self.file.close()
