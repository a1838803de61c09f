"""What grows with every frame stays small and exact."""

import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.media.grown import Moments, Spool

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
    from safelight.media.video import Still
    from safelight.probes._faults.frames import Measuring

    noise = np.random.default_rng(2).integers(0, 255, (9, 144, 256, 3), np.uint8)

    def held(count):
        measuring = Measuring(room=tmp_path)
        for n in range(count):
            rgb = noise[n % 9]
            measuring.see(Still(index=n, at=Fraction(n, 25), rgb=rgb, luma=rgb[..., 1]))
        total = _size(measuring.rows)
        measuring.close()
        return total

    assert (held(1280) - held(640)) / 640 < BYTES_A_FRAME


def _size(thing, seen=None):
    """Bytes of an object and of all that it alone reaches."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type):
        return 0
    seen.add(id(thing))
    total = thing.nbytes if isinstance(thing, np.ndarray) else sys.getsizeof(thing)
    if isinstance(thing, list | tuple):
        return total + sum(_size(one, seen) for one in thing)
    if isinstance(thing, dict):
        return total + sum(_size(one, seen) for pair in thing.items() for one in pair)
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    parts = [getattr(thing, name, None) for name in slots] + list(getattr(thing, "__dict__", {}).values())
    return total + sum(_size(one, seen) for one in parts)
