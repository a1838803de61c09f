"""Where work runs: in this process, in worker processes, or on a Dask cluster. The same functions, the same results.

Workers get picklable jobs and give picklable results; they never write the library. A job whose worker is lost costs
that job, not the run.
"""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from safelight import limits
from safelight.clock import Clock
from safelight.errors import SafelightError, UsageError
from safelight.workers import Lost, Why, Workers

Job: TypeAlias = tuple[Callable[[Any], Any], Any]  # a function and its argument


@dataclass(frozen=True, slots=True)
class Again:
    """What is to be done instead of a job that was lost."""

    job: Job


LOOKED_S = 1.0  # how often it is asked how far jobs are

Weigh: TypeAlias = Callable[[Any], float]  # the argument of a job to how much of its stage the job is
Rescue: TypeAlias = Callable[[Any, Lost], Any]  # the argument and its loss to a result, or to `Again`


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
        pool = Workers(count, memory=limits.memory(count))
        try:
            yield pool, 2 * count
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        pool.shutdown()
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


def stream(
    executor: Executor,
    width: int,
    jobs: Iterator[Job],
    *,
    then: Callable[[Any], Job | None] | None = None,
    rescue: Rescue | None = None,
    clock: Clock | None = None,
    weigh: Weigh = lambda _: 0.0,
) -> Iterator[Any]:
    """Results of `jobs` (function, argument) as they finish, with at most `width` in flight, so that memory does not
    grow with the number of files. `then(result)` may return a follow-up (function, argument), which goes first: the
    file is still in the page cache. A result that has a follow-up is yielded as well.

    A job whose worker crashes is tried once more: the system may have ended it for want of memory that others took.
    `rescue(argument, lost)` gives the result of a job that stays lost, or what is to be done `Again` in its place.

    `clock` is told every second how far jobs are that go on, each `weigh(argument)` of its stage; 0 of one that counts
    when it is done.
    """
    urgent: deque[Job] = deque()
    flying: dict[Future[Any], Job] = {}
    crashed: dict[int, Job] = {}
    while True:
        while len(flying) < width and (job := urgent.popleft() if urgent else next(jobs, None)) is not None:
            function, argument = job
            flying[executor.submit(function, argument)] = job
        if not flying:
            return
        for future in _landed(flying, clock, weigh):
            result = _outcome(future, flying.pop(future), crashed, rescue)
            if isinstance(result, Again):
                urgent.append(result.job)
                continue
            follow = then(result) if then else None
            if follow is not None:
                urgent.append(follow)
            yield result


def _landed(flying: Mapping["Future[Any]", Job], clock: Clock | None, weigh: Weigh) -> Collection["Future[Any]"]:
    """Those that are done, once there are any; until then `clock` is told how far all are."""
    if clock is None:
        return wait(flying, return_when=FIRST_COMPLETED).done
    while not (done := wait(flying, timeout=LOOKED_S, return_when=FIRST_COMPLETED).done):
        clock.beside(sum(getattr(future, "far", 0.0) * weigh(job[1]) for future, job in flying.items()))
    return done


def _outcome(future: Future[Any], job: Job, crashed: dict[int, Job], rescue: Rescue | None) -> Any:
    """What a job came to: its result, its rescue, or `Again`. `crashed` holds the jobs that were lost once."""
    try:
        return future.result()
    except Exception as error:
        lost = _loss(error)
        if lost is None:
            raise
    if lost.why is Why.CRASHED and id(job) not in crashed:
        crashed[id(job)] = job
        return Again(job)
    if rescue is None:
        raise SafelightError(
            f"A worker process was lost at {lost.step}: {lost.told}.",
            remedy="Run again with fewer workers (--jobs 1); what was done is kept.",
        ) from lost
    return rescue(job[1], lost)


def _loss(error: Exception) -> Lost | None:
    """The loss that an engine reports, in its own words or in ours."""
    if isinstance(error, Lost):
        return error
    if type(error).__module__.startswith("distributed") and type(error).__name__ == "KilledWorker":
        return Lost(Why.CRASHED, step="cluster", told="the cluster's workers that took it were lost")
    return None
