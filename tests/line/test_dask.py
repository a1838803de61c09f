"""A cluster runs the same functions and finds the same."""

import pytest

from safelight.api import Library
from safelight.errors import UsageError
from safelight.line import Options

distributed = pytest.importorskip("distributed", reason="the package distributed is not installed")


@pytest.mark.filterwarnings("ignore")  # the cluster's own shutdown is not ours to tidy
def test_two_workers_of_a_local_cluster_find_what_one_process_finds(make_shoot, tmp_path):
    folder = make_shoot(3, burst=3)
    with Library.open() as library:
        library.run(folder, options=Options(engine="inline"))
        here = library.state(folder)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True)
    with cluster, Library.open(tmp_path / "other") as library:
        address = cluster.scheduler_address.removeprefix("tcp://")
        library.run(folder, options=Options(engine=f"dask://{address}"), cache=tmp_path / "cache")
        there = library.state(folder, cache=tmp_path / "cache")
    assert {i: p.facts for i, p in here.photos.items()} == {i: p.facts for i, p in there.photos.items()}
    assert {i: p.decision for i, p in here.photos.items()} == {i: p.decision for i, p in there.photos.items()}


def test_an_engine_that_does_not_exist_is_named(make_shoot):
    with Library.open() as library, pytest.raises(UsageError, match="dask://HOST:PORT"):
        library.run(make_shoot(1), options=Options(engine="abacus"))
