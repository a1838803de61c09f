"""The page Trust: what `safelight trust` says, in the app."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from safelight import ledger, plugins
from safelight.domain import Drawn, Say, Verdict
from safelight.store import records

START = datetime.fromisoformat("2025-01-05T10:00:00.000+00:00")


@pytest.fixture
def app(library, make_shoot, open_app):
    from safelight.line import Options

    folder = make_shoot(2)
    library.run(folder, options=Options(engine="inline", only=("cull",)))
    return open_app(folder)


def history(library, *, shoots=30, task="exposure", group="all", bad=0.0, seed=0):
    """Five answers a shoot to what was drawn by coin, one shoot a week."""
    version, rng = plugins.operators()[task].version, np.random.default_rng(seed)
    records.save_verdicts(
        library.store,
        [
            Verdict(
                at=(START + timedelta(weeks=s, seconds=n)).isoformat(timespec="milliseconds"), by="ben",
                asset=f"{s}-{task}-{group}-{n}", shoot=f"shoot {s}", operator=task, version=version, group=group,
                say=Say.REJECT if rng.random() < bad else Say.APPROVE, score=float(rng.uniform(0.4, 0.9)),
                drawn=Drawn.AUDIT, seconds=float(rng.uniform(2, 6)),
            )
            for s in range(shoots) for n in range(5)
        ],
    )  # fmt: skip


def test_a_library_without_answers_says_what_will_come(app):
    page = app.client.get("/trust").text
    assert "Nobody has decided anything yet" in page
    assert app.client.get("/trust.css").headers["content-type"].startswith("text/css")
    assert app.client.get("/api/trust").json()["schema"] == "safelight.trust/1"


def test_the_page_says_what_the_command_says(app, library):
    history(library)
    history(library, task="crop", bad=0.1, group="<script>alert(1)</script>")
    found = app.client.get("/api/trust").json()
    assert found == ledger.document(library.store, ledger.rules(library.store))
    page = app.client.get("/trust").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    exposure = next(c for c in found["cells"] if c["task"] == "exposure" and c["current"])
    assert ledger.rate_words(exposure) in page
    assert ledger.rate_words(exposure) in ledger.words(found)
    assert "None wrong so far (0–" in page
    assert 'style="' not in page, "the app allows no style that is written into a page"
    assert '<a href="/trust" aria-current="page"' in page


def test_a_group_of_few_people_is_not_called_measured(app, library):
    history(library, task="white_balance", group="skin_tone:dark", shoots=4)
    history(library, task="white_balance", group="skin_tone:light", shoots=20)
    few, many = ("Not measured: 20 looked at in 4 shoots, 0 of them wrong.", "None wrong so far (0–")
    page = app.client.get("/trust").text
    told = ledger.words(app.client.get("/api/trust").json())
    for text in (page, told):
        assert few in text
        assert many in text
        assert ledger.NOT_LISTED in text


def test_plots_say_what_they_show(app, library):
    history(library, shoots=10, bad=0.5)
    page = app.client.get("/trust").text
    assert (
        'aria-label="Reliability map. exposure · all, takes little judgement, a mistake costs little: apprentice.'
        in page
    )
    assert "exposure · all: after 10 shoots" in page
    assert "% is promised." in page
