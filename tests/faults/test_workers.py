"""Workers that crash, hang or take too much memory cost their own job: the others' results are the same as without."""

import os
import platform
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from safelight import engine, limits, workers
from safelight.engine import Again
from safelight.errors import Crashed, MediaError, SafelightError, TooLarge, TooSlow, UsageError
from safelight.workers import Lost, Why

MB = 1_000_000


def double(x):
    return 2 * x


def abort(x):
    limits.begin("opening", seconds=10)
    os.abort()


def leave(x):
    os._exit(7)


def spin(x):
    limits.begin("spinning", seconds=0.3)
    while True:
        pass


def sleep(x):
    limits.begin("sleeping", seconds=0.05)
    time.sleep(60)


def gorge(x):
    limits.begin("eating", seconds=20)
    return len([np.ones(10 * MB, np.uint8) for _ in range(400)])


def raise_it(x):
    raise ValueError(x)


def odd(x):
    return lambda: x  # cannot be pickled


class Riddle:
    """Something that the other side cannot put together again."""

    def __reduce__(self):
        return int, ("riddle",)


def riddle(x):
    return Riddle()


def once(path):
    """Dies the first time, as a process does that the system ends for want of memory that others took."""
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def told(x):
    print("python says", file=sys.stderr)
    os.write(2, b"a library says\n")
    return x


def run(jobs, *, count=2, rescue=None):
    with engine.engine("process", jobs=count) as (executor, width):
        return list(engine.stream(executor, width, iter(jobs), rescue=rescue))


def as_why(argument, lost):
    return (argument, lost.why, lost.step, lost.told)


@pytest.mark.parametrize(
    ("bad", "why", "step"),
    [
        (abort, Why.CRASHED, "opening"),
        (leave, Why.CRASHED, "starting"),
        (spin, Why.SLOW, "spinning"),
        (sleep, Why.SLOW, "sleeping"),
    ],
)
def test_a_lost_worker_costs_its_own_job_alone(bad, why, step):
    jobs = [(bad if i == 3 else double, i) for i in range(12)]
    found = run(jobs, rescue=as_why)
    (lost,) = [f for f in found if isinstance(f, tuple)]
    assert lost[:3] == (3, why, step)
    assert sorted(f for f in found if isinstance(f, int)) == [2 * i for i in range(12) if i != 3]


def test_more_memory_than_allowed_costs_its_own_job_alone(monkeypatch):
    monkeypatch.setenv("SAFELIGHT_MEMORY", "700")
    found = run([(gorge, 0), (double, 1), (double, 2)], rescue=as_why)
    assert sorted(f for f in found if isinstance(f, int)) == [2, 4]
    assert [f[:3] for f in found if isinstance(f, tuple)] == [(0, Why.LARGE, "eating")]


def test_a_job_that_dies_once_is_done_all_the_same(tmp_path):
    assert run([(once, tmp_path / "was here")]) == ["done"]


def test_what_a_job_raises_comes_back_as_it_is():
    with pytest.raises(ValueError, match="7"):
        run([(raise_it, 7)])
    with pytest.raises(RuntimeError, match="pickle"):
        run([(odd, 7)])
    with pytest.raises(ValueError, match="riddle"):
        run([(riddle, 7)])
    with engine.engine("process", jobs=1) as (executor, _):
        assert isinstance(executor.submit(lambda: 0).exception(), Exception)
        assert executor.submit(double, 4).result() == 8


def test_a_rescue_may_ask_for_something_else():
    assert run([(abort, 5)], rescue=lambda argument, _: Again((double, argument))) == [10]


def test_a_loss_without_rescue_is_an_error_that_says_what_was_seen():
    with pytest.raises(SafelightError, match="opening: its process died of SIGABRT"):
        run([(abort, 5)])


@pytest.mark.parametrize(("why", "kind"), [(Why.CRASHED, Crashed), (Why.SLOW, TooSlow), (Why.LARGE, TooLarge)])
def test_a_loss_becomes_an_error_about_the_file(why, kind):
    error = Lost(why, step="opening", told="its process died of SIGSEGV").error("a.jpg")
    assert isinstance(error, kind)
    assert isinstance(error, MediaError)
    assert "a.jpg" in error.cause
    assert error.remedy


def test_closing_in_the_middle_ends_busy_workers():
    with engine.engine("process", jobs=2) as (executor, _):
        futures = [executor.submit(time.sleep, 3000 + i) for i in range(4)]
        time.sleep(1)
        executor.shutdown(cancel_futures=True)
    assert all(future.done() for future in futures)
    with pytest.raises(RuntimeError, match="shutdown"):
        executor.submit(double, 1)


def test_libraries_do_not_write_on_the_terminal(capfd):
    assert run([(told, 1)], count=1) == [1]
    err = capfd.readouterr().err
    assert "python says" in err
    assert "a library says" not in err


@pytest.mark.parametrize("value", ["0", "-1", "much", "nan"])
def test_a_limit_that_is_no_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("SAFELIGHT_PATIENCE", value)
    with pytest.raises(UsageError, match="SAFELIGHT_PATIENCE"):
        limits.patience()


CHURN = """
import resource, numpy as np
from safelight.workers import keep_freed_memory
keep_freed_memory()
def churn():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        arrays = [np.ones(1 << 19) for _ in range(6)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
churn()
print(churn())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep freed memory")
def test_memory_of_arrays_is_not_taken_anew():
    ran = subprocess.run([sys.executable, "-c", CHURN], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 20 * 6 * 1024 / 10  # of 4-kB pages that 4-MB arrays have


HOLDS = """
import psutil, numpy as np
from safelight.workers import give_back, keep_freed_memory
keep_freed_memory()
held = lambda: psutil.Process().memory_info().rss
arrays = [np.ones(1 << 17) for _ in range(200)]  # 200 MB, 1 MB each
last = [np.ones(1 << 10) for _ in range(100)]  # so that the top of the heap is not free
most = held()
del arrays
give_back()
print((most - held()) / 1e6)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to give freed memory back")
def test_memory_is_given_back_after_long_work():
    ran = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True)
    assert float(ran.stdout) > 150


def who(_):
    return os.getpid()


def who_else(_):
    return os.getpid()


@pytest.mark.parametrize(("worn_s", "same"), [(30.0, True), (0.0, False)])
def test_a_worker_is_replaced_between_long_work_of_two_kinds(monkeypatch, worn_s, same):
    monkeypatch.setattr(workers, "WORN_S", worn_s)
    pool = workers.Workers(1, memory=4000 * MB)
    first, again, other = (pool.submit(work, None).result() for work in (who, who, who_else))
    pool.shutdown()
    assert first == again
    assert (other == first) is same
