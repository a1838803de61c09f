"""Progress on a terminal: one line a stage with count, rate and time left; plain lines where nobody is watching."""

import sys
import time
from datetime import timedelta
from types import TracebackType
from typing import Self, TextIO

from safelight.clock import Progress, Unit

QUIET_LINE_S = 30.0  # into a file or pipe, a line of progress every so often


class Bar:
    """Writes progress to standard error. On a terminal the line is rewritten; elsewhere one line a stage and, for long
    stages, one every half minute."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.stage = ""
        self.spoke = 0.0

    def tell(self, progress: Progress) -> None:
        """Shows how far a stage is."""
        finished = progress.done == progress.total
        if self.live:
            end = "\n" if finished else ""
            self.stream.write(f"\r\x1b[2K{words(progress)}{end}")
        elif finished or time.monotonic() - self.spoke > QUIET_LINE_S:
            self.spoke = time.monotonic()
            self.stream.write(words(progress) + "\n")
        self.stage = "" if finished else progress.stage
        self.stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live and self.stage:
            self.stream.write("\n")


def words(progress: Progress) -> str:
    """`look 412 of 2,000, 6.1 a second, about 4 min left`; of clips `listen 0:41:10 of 6:00:00, about 31 min left`."""
    if progress.unit is Unit.SECONDS:
        line = f"{progress.stage} {timedelta(seconds=progress.done)} of {timedelta(seconds=progress.total)}"
    else:
        line = f"{progress.stage} {progress.done:,} of {progress.total:,}"
    if progress.rate is not None and progress.unit is Unit.FILES:
        line += f", {progress.rate:.1f} a second"
    if progress.seconds_left is not None and progress.done < progress.total:
        line += f", about {span(progress.seconds_left)} left"
    return line


def span(seconds: float) -> str:
    """A stretch of time as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
