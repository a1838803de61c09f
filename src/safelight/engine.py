"""Where work runs: in this process, in worker processes, or on a Dask cluster. The same functions, the same results.

Workers get picklable jobs and give picklable results; they never write the library.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from safelight.errors import SafelightError, UsageError


class InProcess(Executor):
    """Runs each job at once, for debugging and for tests."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Runs the job and returns its finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the future carries whatever the job raised
            future.set_exception(error)
        return future


def one_thread() -> None:
    """Keeps numerical libraries that are not loaded yet, here and in workers, from starting threads on every core:
    the workers are the parallelism, and threads that spin while they wait take time from them."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")


@contextmanager
def engine(name: str = "process", *, jobs: int | None = None) -> Iterator[tuple[Executor, int]]:
    """(executor, how many jobs to keep in flight) for `inline`, `process` or `dask://HOST:PORT`."""
    count = jobs or os.cpu_count() or 1
    if name == "inline":
        yield InProcess(), 1
    elif name == "process":
        one_thread()
        # Spawned, the same on every system: a fork copies locks of threads, a fork server needs a short temporary path.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, mp_context=context, initializer=_quiet) as pool:
            try:
                yield pool, 2 * count
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    elif name.startswith("dask://"):
        try:
            from distributed import Client
        except ImportError as error:
            raise UsageError(
                "The engine dask needs a package that is not installed.", remedy="pip install 'safelight[dask]'"
            ) from error
        with Client(name.replace("dask://", "tcp://")) as client:  # type: ignore[no-untyped-call]
            workers = max(1, sum(client.nthreads().values()))
            yield client.get_executor(pure=False), 2 * workers
    else:
        raise UsageError(f"{name!r} is not an engine.", remedy="Use process, inline or dask://HOST:PORT.")


def _quiet() -> None:
    """One thread a worker: the processes are the parallelism, and Ctrl-C is the parent's business."""
    import signal

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def stream(
    executor: Executor,
    width: int,
    jobs: Iterator[tuple[Callable[[Any], Any], Any]],
    *,
    then: Callable[[Any], Any] | None = None,
) -> Iterator[Any]:
    """Results of `jobs` (function, argument) as they finish, with at most `width` in flight, so that memory does not
    grow with the number of files. `then(result)` may return a follow-up (function, argument), which goes first: the
    file is still in the page cache. A result that has a follow-up is yielded as well."""
    urgent: deque[tuple[Callable[[Any], Any], Any]] = deque()
    flying: set[Future[Any]] = set()
    exhausted = False
    while True:
        while len(flying) < width:
            if urgent:
                function, argument = urgent.popleft()
            elif exhausted:
                break
            else:
                job = next(jobs, None)
                if job is None:
                    exhausted = True
                    break
                function, argument = job
            flying.add(executor.submit(function, argument))
        if not flying:
            return
        done, flying = wait(flying, return_when=FIRST_COMPLETED)
        for future in done:
            try:
                result = future.result()
            except BrokenProcessPool as error:
                raise SafelightError(
                    "A worker process was ended from outside, most likely because memory ran out.",
                    remedy="Run again with fewer workers (--jobs 1); what was done is kept.",
                ) from error
            follow = then(result) if then else None
            if follow is not None:
                urgent.append(follow)
            yield result
