"""The hostile corpus, through the workers of a run: no crash, no hang, bounded memory, nothing written elsewhere."""

import os

import pytest

from safelight import engine, work
from safelight.errors import MediaError
from safelight.media import xmp
from tests import hostile
from tests.hostile import PACKETS, Promise

MEMORY_MB = 1500


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "corpus"
    return folder, hostile.write_corpus(folder)


def looked_at(folder, names, cache):
    """What becomes of each file: ("opened", asset) or ("refused", error), and every loss of a worker."""
    ends, losses = {}, []

    def then(result):
        if isinstance(result, work.Identity):
            if result.asset is None:
                ends[result.path] = ("refused", result.error)
                return None
            place = cache / result.asset.id[:40]
            return work.look, work.Look(
                path=result.path, full=folder / result.path, asset=result.asset, keys={}, weights={}, proxy=place
            )
        ends[result.path] = ("refused", result.error) if result.error else ("opened", result.asset)
        return None

    def rescue(job, lost):
        losses.append((job.path, lost))
        return work.rescue(job, lost)

    jobs = iter([(work.identify, work.Identify(path=name, full=folder / name)) for name in names])
    with engine.engine("process", jobs=2) as (executor, width):
        for _ in engine.stream(executor, width, jobs, then=then, rescue=rescue):
            pass
    return ends, losses


def everything_below(place):
    return {os.fspath(p): p.lstat().st_mtime_ns for p in place.rglob("*") if not p.is_relative_to(place / "cache")}


def test_the_corpus_is_large_and_the_same_every_time(corpus, tmp_path):
    _, promises = corpus
    assert len(promises) >= 500
    assert {p: sum(v is p for v in promises.values()) >= 50 for p in Promise} == dict.fromkeys(Promise, True)
    one = [(c.name, hash(c.data)) for c in hostile.cases(tmp_path)]
    assert one == [(c.name, hash(c.data)) for c in hostile.cases(tmp_path)]


def test_every_hostile_file_is_opened_or_refused_with_a_reason(corpus, monkeypatch):
    folder, promises = corpus
    monkeypatch.setenv("SAFELIGHT_MEMORY", str(MEMORY_MB))
    cache = folder.parent / "cache"
    before = everything_below(folder.parent)
    ends, losses = looked_at(folder, promises, cache)
    assert set(ends) == set(promises)
    for name, (end, detail) in ends.items():
        if end == "refused":
            assert detail["code"].startswith("media"), (name, detail)
            assert detail["cause"], name
            assert detail["remedy"], name
    wrong = {
        n: (p.value, *ends[n])
        for n, p in promises.items()
        if p is not Promise.ANY and (ends[n][0] == "opened") != (p is Promise.WHOLE)
    }
    assert wrong == {}
    assert [(path, lost.step, lost.told) for path, lost in losses] == []
    assert everything_below(folder.parent) == before, "nothing is written but into the cache"
    assert not (folder.parent.parent / "escape.txt").exists()


@pytest.mark.parametrize("name", PACKETS)
def test_a_sidecar_that_attacks_is_read_or_refused(name):
    try:
        found = xmp.Packet.parse(PACKETS[name])
    except MediaError as error:
        said = f"{error.cause} {error.remedy}"
    else:
        said = f"{found.get('dc:title')} {found.to_bytes().decode()}"
    assert 0 < len(said) < 200_000
    assert "root:" not in said
