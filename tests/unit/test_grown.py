"""What grows with every frame stays small and exact."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.media.grown import Moments, Spool
from safelight.media.video import Still
from safelight.probes._faults.frames import Measuring

BYTES_A_FRAME = 400  # that faults may hold of each frame; two hours at 25 frames a second are 72 MB


@given(st.lists(st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**9), min_size=1))
def test_moments_are_exact(at):
    moments = Moments()
    for one in at:
        moments.append(one)
    assert list(moments) == at
    assert [moments[n] for n in range(len(moments))] == at
    assert moments[-1] == at[-1]
    assert moments.get(0) == at[0]
    assert moments.get(len(at)) is moments.get(-1) is moments.get(None) is None


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_spool_gives_back_what_it_got(tmp_path, on_disk):
    rows = np.random.default_rng(1).standard_normal((70, 6)).astype(np.float16)
    rows[3, 2] = np.nan
    spool = Spool(6, np.float16, tmp_path if on_disk else None)
    for first, end in ((0, 20), (20, 20), (20, 69), (69, 70)):
        spool.add(rows[first:end])
        assert np.array_equal(spool[max(end - 5, 0) : end], rows[max(end - 5, 0) : end], equal_nan=True)
    assert len(spool) == 70
    assert np.array_equal(spool[:], rows, equal_nan=True)
    assert spool[60:90].shape == (10, 6)
    assert spool[80:90].shape == (0, 6)
    assert list(tmp_path.iterdir()) == []  # it has no name: a process that is killed leaves none
    spool.close()


def test_faults_hold_little_of_each_frame(tmp_path):
    noise = np.random.default_rng(2).integers(0, 255, (9, 144, 256, 3), np.uint8)

    def held(count):
        before, measuring = tracemalloc.get_traced_memory()[0], Measuring(room=tmp_path)
        for n in range(count):
            rgb = noise[n % 9]
            measuring.see(Still(index=n, at=Fraction(n, 25), rgb=rgb, luma=rgb[..., 1]))
        assert len(measuring.rows) == count
        held_now = tracemalloc.get_traced_memory()[0] - before
        measuring.close()
        return held_now

    tracemalloc.start()
    try:
        held(64)  # what is made once
        grown = (held(1280) - held(640)) / 640
    finally:
        tracemalloc.stop()
    assert grown < BYTES_A_FRAME
