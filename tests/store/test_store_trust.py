"""The record on each engine: the same rows say the same, and what another program does to them is noticed."""

import sqlalchemy as sa

from safelight import ledger
from safelight.domain import Drawn, Measure, Say, Verdict
from safelight.ledger_rows import of_library
from safelight.store import erasing, personal, records
from safelight.store.library import Library


def said(shoot, i, **more):
    fields = {"say": Say.APPROVE, "drawn": Drawn.AUDIT, "by": "ann", "score": 0.9} | more
    return Verdict(
        at=f"2026-{1 + shoot // 28:02d}-{1 + shoot % 28:02d}T10:00:{i:02d}.000+00:00", asset=f"{shoot}/{i}",
        shoot=f"s{shoot}", operator="exposure", version=1, **fields,
    )  # fmt: skip


def filled(library, monkeypatch):
    monkeypatch.setattr(ledger, "running", lambda _: {})
    records.save_verdicts(library, [said(s, i) for s in range(30) for i in range(5)])
    records.save_verdicts(library, [said(30, 0, by="import:ann"), said(30, 1, reason="client_return", say=Say.REJECT)])
    records.save_verdicts(library, [said(31, i, drawn=Drawn.REVIEW) for i in range(5)])


def test_a_licence_is_earned_and_kept_on_each_engine(library, monkeypatch):
    filled(library, monkeypatch)
    columns, aside = of_library(library)
    assert (len(columns), aside) == (152, []), "of those that came by their turn none is read"
    found = ledger.document(library)
    (cell,) = [c for c in found["cells"] if c["current"]]
    assert (cell["state"], cell["drawn"], cell["answered"]) == ("licensed", 151, 157)
    assert ledger.document(library) == found == ledger.rebuilt(library, ledger.rules(library))


def test_what_another_program_changes_or_takes_out_is_noticed_on_each_engine(place, monkeypatch):
    with Library.open(place) as library:
        filled(library, monkeypatch)
        assert ledger.document(library)["set_aside"] == []
        with library.transaction() as connection:
            connection.execute(sa.text("update verdicts set verdict = 'maybe' where seq = 7"))
        assert [row["line"] for row in ledger.document(library)["set_aside"]] == [7]
        assert set(records.ledger(library).aside) == {7}
        with library.transaction() as connection:
            connection.execute(sa.text("delete from verdicts where seq = 7"))
        found = ledger.document(library)
        assert found["set_aside"] == []
        assert [c["drawn"] for c in found["cells"]] == [150]


def test_keys_of_the_record_are_replaced_forgotten_and_measured_again(library):
    def tone(value, key="k1"):
        personal.save_keys(library, [("a", key, [Measure(name="skin_tone", value=value)]), ("b", key, [])])

    tone("dark")
    assert {n: m.value for n, m in personal.keys(library, ["a", "b"])["a"].items()} == {"skin_tone": "dark"}
    tone("light", "k2")
    assert personal.keys(library, ["a"])["a"]["skin_tone"].value == "light"
    unknown = Measure(name="skin_tone", cannot_tell="the light is coloured")
    personal.save_keys(library, [("a", "k3", [unknown])])
    assert personal.keys(library, ["a"]) == {}
    tone("dark", "k4")
    erasing.keys(library, ["other"])
    assert personal.keys(library, ["a"])
    erasing.keys(library, ["skin_tone"])
    assert personal.keys(library, ["a"]) == {}
    assert ("a", "k4") not in records.measured(library, ["a"])
