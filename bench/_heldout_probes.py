"""The product's own probes with models that never saw the photo that a picture was made from, for whole runs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

from bench._heldout import model_of
from bench._measured import PROBES, judged, probe_module
from safelight import plugins
from safelight.domain import Measure
from safelight.media.picture import Picture
from safelight.probes import Probe


@contextmanager
def held_out(source_of: Callable[[Path], str]) -> Iterator[None]:
    """While it is open, each learned probe judges a file by the model of the fold that left its source out. For the
    engine `inline`: other workers load the probes anew."""
    made = {name: _held_out(probe, source_of) if name in PROBES else probe for name, probe in plugins.probes().items()}
    with mock.patch.object(plugins, "probes", return_value=made):
        yield


def _held_out(probe: Probe, source_of: Callable[[Path], str]) -> Probe:
    module = probe_module(probe.name)

    def measure(picture: Picture) -> Sequence[Measure]:
        assert module is not None
        assert picture.source is not None
        return judged(module, picture, model_of(probe.name, source_of(picture.source)))

    return replace(probe, measure=measure)
