"""The promises of recognisers: ours keeps them, a tiny plug-in does, and each way of breaking one is noticed."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from safelight import plugins, weights
from safelight.contract import ContractError
from safelight.contract_recognisers import RECOGNISER_CHECKS, check_recogniser
from safelight.speech.recogniser import Recogniser, Said


def loudly(samples, _weights):
    """Says one word for each second that is loud."""
    seconds = [samples[i : i + 16000] for i in range(0, len(samples), 16000)]
    return [
        Said(text=f"word{n}", confidence=0.5, start=float(n), end=n + len(s) / 16000)
        for n, s in enumerate(seconds)
        if np.abs(s).max() > 0.05
    ]


tiny = Recogniser(name="tiny", version=1, languages=("de",), hear=loudly, about="A word for each loud second.")


def test_a_tiny_plug_in_keeps_them():
    check_recogniser(tiny)


@pytest.mark.parametrize("check", RECOGNISER_CHECKS.values(), ids=RECOGNISER_CHECKS)
def test_ours_keeps_them(check):
    if not set(plugins.recogniser().weights) <= set(weights.installed()):
        pytest.skip("the weights of speech are not installed")
    check(plugins.recogniser())


def spoilt(samples, _weights):
    samples[:] = 0
    return []


COUNT = iter(range(100))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(tiny, name="My Words"), "lower-case"),
        (replace(tiny, languages=()), "languages"),
        (replace(tiny, about=""), "sentence"),
        (replace(tiny, weights=("nowhere",)), "papers"),
        (replace(tiny, hear=lambda *_: "words"), "something else"),
        (replace(tiny, hear=lambda *_: [Said(text="two words", confidence=1.0)]), "not one word"),
        (replace(tiny, hear=lambda *_: [Said(text="a", confidence=2.0)]), "not within 0 to 1"),
        (replace(tiny, hear=lambda *_: [Said(text="a", confidence=1.0, start=9.0, end=10.0)]), "places a word"),
        (replace(tiny, hear=spoilt), "writes on the samples"),
        (replace(tiny, hear=lambda *_: [Said(text=f"w{next(COUNT)}", confidence=1.0)]), "asked again"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_broken_promise_is_noticed(bad, why):
    with pytest.raises(ContractError, match=why):
        check_recogniser(bad)


def test_a_plug_in_is_found_and_listens_when_it_is_named(monkeypatch):
    point = EntryPoint(name="tiny", group=plugins.RECOGNISERS, value=f"{__name__}:tiny")
    found = plugins.load(plugins.RECOGNISERS, Recogniser, [point]).found
    assert found["tiny"].label == "tiny@1"
    monkeypatch.setattr(plugins, "recognisers", lambda: found)
    monkeypatch.setenv(plugins.RECOGNISER, "tiny")
    assert plugins.recogniser().name == "tiny"
    monkeypatch.setenv(plugins.RECOGNISER, "nobody")
    with pytest.raises(plugins.UsageError, match="nobody"):
        plugins.recogniser()
