"""Worker processes that may be lost one at a time: whoever crashes, hangs or takes too much memory costs its own job.

A `concurrent.futures.Executor` of `count` processes, each with a pipe of its own and a thread here that watches it. A
shared queue, as the standard library's pool has, breaks as a whole when one process dies. A job whose process was lost
raises `Lost` from its future; a fresh process takes the next one.
"""

import contextlib
import ctypes
import os
import pickle
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess  # noqa: TC003 - spelt out for readers
from typing import Any

import psutil

from safelight import headway, limits
from safelight.errors import Crashed, MediaError, SafelightError, TooLarge, TooSlow

TICK_S = 0.1  # how often a busy process is looked at
STARTING = "starting"
STARTING_S = 60.0  # imports of a fresh process, on a slow disk
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
LONG_S = 5.0  # of a job, after which freed memory is given back
WORN_S = 30.0  # of a job, after which a process is replaced before it does another kind of work
KEPT, KEPT_ARRAY = 128 << 20, 32 << 20  # bytes that a process keeps, and that one array may have at most
_NEAR = 0.5  # a crash of a process that holds this share of its memory is put down to memory


class Why(StrEnum):
    """What cost a job its process."""

    CRASHED = "crashed"
    SLOW = "slow"
    LARGE = "large"


_ERRORS: dict[Why, tuple[type[MediaError], str]] = {
    Why.CRASHED: (Crashed, "Leave it out, or open it in another program and export it anew."),
    Why.SLOW: (TooSlow, "Leave it out, or allow more with SAFELIGHT_PATIENCE."),
    Why.LARGE: (TooLarge, "Allow more with SAFELIGHT_MEMORY or use fewer workers (--jobs 1)."),
}


class Lost(Exception):
    """A job's process ended, or was ended, at a step. `told` says what was seen: a signal, seconds, megabytes."""

    def __init__(self, why: Why, *, step: str, told: str) -> None:
        super().__init__(why, step, told)
        self.why, self.step, self.told = why, step, told

    def __reduce__(self) -> tuple[object, ...]:
        return _lost, (self.why, self.step, self.told)

    def error(self, name: str) -> SafelightError:
        """The loss as an error about the file of this name."""
        kind, remedy = _ERRORS[self.why]
        return kind(f"{name} was given up at {self.step}: {self.told}.", remedy=remedy)


def _lost(why: Why, step: str, told: str) -> Lost:
    return Lost(why, step=step, told=told)


class Going(Future[Any]):
    """A job in a worker, and how far it is, 0 to 1, as its worker says."""

    far: float = 0.0


@dataclass(frozen=True, slots=True)
class _Task:
    kind: str  # of work: its function
    data: bytes
    future: Going


class Workers(Executor):
    """`count` processes, started when they are needed; each may hold `memory` bytes."""

    def __init__(self, count: int, *, memory: int) -> None:
        self._memory = memory
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._attend, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Hands a picklable call to the next free process."""
        if self._stop.is_set():
            raise RuntimeError("no job is taken after shutdown")
        future = Going()
        try:
            self._tasks.put(_Task(repr(fn), pickle.dumps((fn, args, kwargs)), future))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Lets queued jobs finish; with `cancel_futures` the queue is emptied and busy processes are ended."""
        if cancel_futures:
            self._stop.set()
        for _ in self._threads:
            self._tasks.put(None)
        if wait or cancel_futures:
            for thread in self._threads:
                thread.join()
        self._stop.set()

    def _attend(self) -> None:
        """The thread of one process: hands it jobs, watches it, replaces it."""
        process: _Process | None = None
        while (task := self._tasks.get()) is not None:
            if self._stop.is_set():
                task.future.cancel()
            if not task.future.set_running_or_notify_cancel():
                continue
            try:
                if process is not None and process.worn(task.kind):
                    process.end()
                if process is None or not process.alive():
                    process = _Process(self._memory)
                answer, error = process.do(task, self._stop)
            except Exception as trouble:  # noqa: BLE001 - whatever happens, the job has an end and the thread goes on
                process = None
                answer, error = None, trouble
            if error is not None:
                task.future.set_exception(error)
            else:
                task.future.set_result(answer)
        if process is not None:
            process.end()


class _Process:
    """One process from this side of its pipe."""

    _starting = threading.Lock()  # starting one process tidies up after others

    def __init__(self, memory: int) -> None:
        context = get_context("spawn")  # the same on every system; a fork would copy locks of threads
        here, there = context.Pipe()
        self.memory, self.pipe = memory, here
        self.process: SpawnProcess = context.Process(target=_serve, args=(there, memory))
        with self._starting:
            self.process.start()
        there.close()
        self.seen = psutil.Process(self.process.pid)
        self.did, self.took = "", 0.0  # the kind of its last job, and its seconds

    def alive(self) -> bool:
        """Whether it can take a job."""
        return self.process.is_alive()

    def worn(self, kind: str) -> bool:
        """Whether it holds what long work of another kind needed, models and all: a fresh one takes a second."""
        return self.took > WORN_S and self.did != kind

    def do(self, task: _Task, stop: threading.Event) -> tuple[Any, BaseException | None]:
        """(result, None) or (None, what the job raised). Raises Lost, and then the process is gone."""
        step, began, may_compute, computed = STARTING, time.monotonic(), STARTING_S, 0.0
        since, peak = began, 0
        try:
            self.pipe.send_bytes(task.data)
            while not stop.is_set():
                ready = connection.wait([self.pipe, self.process.sentinel], TICK_S)
                if self.pipe in ready:
                    kind, *said = self.pipe.recv()
                    if kind == "far":
                        task.future.far = said[0]
                        continue
                    if kind != "step":
                        self.did, self.took = task.kind, time.monotonic() - since
                        return said[0], said[1]
                    step, may_compute, computed = said
                    began = time.monotonic()
                    continue
                if ready:
                    break
                peak = max(peak, self.seen.memory_info().rss)
                self._judge(step, peak, time.monotonic() - began, may_compute=may_compute, computed=computed)
        except (OSError, EOFError, psutil.NoSuchProcess):
            pass  # it is gone; how it went is looked at below
        except Exception:
            self.end()
            raise
        told = self.end()
        why = Why.LARGE if peak > _NEAR * self.memory else Why.CRASHED
        raise Lost(why, step=step, told=told)

    def _judge(self, step: str, held: int, lasted: float, *, may_compute: float, computed: float) -> None:
        """Raises Lost for a process that holds or takes more than it may."""
        if held > self.memory:
            told = f"{held / 1e6:,.0f} MB of memory, where {self.memory / 1e6:,.0f} are allowed"
            raise Lost(Why.LARGE, step=step, told=told)
        if lasted < may_compute:
            return
        times = self.seen.cpu_times()
        if times.user + times.system - computed > may_compute:
            raise Lost(Why.SLOW, step=step, told=f"still computing after {may_compute:,.0f} s")
        if lasted > limits.WAITING * may_compute:
            raise Lost(Why.SLOW, step=step, told=f"no answer after {lasted:,.0f} s")

    def end(self) -> str:
        """Ends it at once, and says how it had ended by itself."""
        self.pipe.close()
        self.process.join(TICK_S)
        self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        if code == -signal.SIGKILL:
            return "its process was ended, from outside or by the system"
        return f"its process died of {signal.Signals(-code).name}" if code < 0 else f"its process left with code {code}"


# ---------------------------------------------------------------- inside the process


def _serve(pipe: "connection.Connection[Any, Any]", memory: int) -> None:
    """Does jobs until the pipe closes."""
    _settle(memory)
    step = STARTING

    def tell(name: str, seconds: float) -> None:
        nonlocal step
        step = name
        pipe.send(("step", name, seconds, time.process_time()))

    limits.listen(tell)
    headway.listen(lambda share: pipe.send(("far", share)))
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        answer: Any = None
        error: BaseException | None = None
        began = time.monotonic()
        try:
            function, args, kwargs = pickle.loads(data)  # noqa: S301 - from our own parent
            limits.begin(STARTING, seconds=STARTING_S)
            answer = function(*args, **kwargs)
        except MemoryError:
            error = Lost(Why.LARGE, step=step, told=f"more than {memory / 1e6:,.0f} MB of memory")
        except Exception as raised:  # noqa: BLE001 - the future carries whatever the job raised
            error = raised
        try:
            pipe.send(("done", answer, error))
        except BrokenPipeError:
            return
        except Exception as raised:  # noqa: BLE001 - what cannot be pickled is told in words
            pipe.send(("done", None, RuntimeError(f"{type(raised).__name__}: {raised} ({answer or error!r:.200})")))
        if time.monotonic() - began > LONG_S:
            give_back()


def keep_freed_memory() -> None:
    """Has glibc keep what arrays give back, for the next ones: else the system takes and clears the same pages over and
    over, a twelfth of the time of a photo. Elsewhere nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        change = ctypes.CDLL("libc.so.6").mallopt
        change(M_MMAP_THRESHOLD, KEPT_ARRAY)
        change(M_TRIM_THRESHOLD, KEPT)


def give_back() -> None:
    """Gives the system what was kept for the next arrays: else a process that listens, looks and cleans holds at last
    what the dearest of them took. Photos follow each other too fast for that. Elsewhere than in glibc nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _settle(memory: int) -> None:
    """One thread a worker, Ctrl-C for the parent, a bound on memory, and no chatter of C libraries on the terminal."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    keep_freed_memory()
    if sys.platform == "linux":  # elsewhere this limit does not cover what is mapped; there the parent's look must do
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        bound = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    # LibRaw and libtiff print what they think of a damaged file; it comes back as our errors.
    ours = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(ours, "w", buffering=1, errors="backslashreplace")
