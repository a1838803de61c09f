"""The record through the library, the command line and files."""

import csv
import json
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from sqlite3 import connect

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from safelight import history, ledger, ledger_kept, ledger_rows, policy, trust_table
from safelight.cli import cli
from safelight.domain import Drawn, Say, Verdict
from safelight.errors import UsageError
from safelight.ledger_rows import of_file, of_library, styles_in_use
from safelight.report import trust as pages
from safelight.store import records, schema
from safelight.store.library import Library
from tests.made_catalogue import catalogue

ENDLESS = """drop table Adobe_images; create view Adobe_images as
with recursive row(n) as (select 0 union all select n + 1 from row)
select n as id_local, 0 as rootFile, null as masterImage, 1.0 as pick, null as rating from row"""

START = datetime(2026, 1, 1, tzinfo=UTC)


def said(shoot, i, *, say=Say.APPROVE, drawn=Drawn.AUDIT, operator="exposure", **more):
    at = (START + timedelta(days=shoot, seconds=i)).isoformat(timespec="milliseconds")
    fields = {"version": 1, "score": 0.9, "by": "ann"} | more
    return Verdict(
        at=at, asset=f"{shoot:032x}{i:032x}", shoot=f"shoot-{shoot}", operator=operator, say=say, drawn=drawn, **fields
    )  # fmt: skip


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "running", lambda _: {})  # what is installed here has nothing to do with these rows
    with Library.open(tmp_path / "library") as opened:
        records.save_verdicts(opened, [said(s, i) for s in range(30) for i in range(5)])
        yield opened


def only(found):
    (cell,) = [c for c in found["cells"] if c["current"]]
    return cell


def test_what_is_kept_of_the_record_is_what_the_ledger_says(library):
    rules = ledger.rules(library)
    kept = ledger.document(library)
    assert only(kept)["state"] == "licensed"
    assert json.loads(json.dumps(ledger.rebuilt(library, rules))) == json.loads(json.dumps(kept))
    assert ledger.document(library) == kept, "asked again, nothing is counted again"
    assert len(library.rows(sa.select(schema.trust))) == 1
    records.save_verdicts(library, [said(31, i, say=Say.REJECT) for i in range(5)])
    after = ledger.document(library)
    assert only(after)["state"] == "demoted"
    assert after == ledger.rebuilt(library, rules)


def test_the_document_says_what_others_rely_on(library):
    cell = only(ledger.document(library))
    wanted = {
        "task", "style", "group", "version", "zone", "state", "shoots", "n", "k", "reject_rate", "alpha", "delta",
        "e_value", "threshold", "share_automated", "needs", "seconds_saved", "history",
    }  # fmt: skip
    assert wanted <= set(cell)
    assert cell["e_value"] >= 1 / cell["delta"]
    assert cell["reject_rate"]["low"] == 0
    assert 0 < cell["reject_rate"]["high"] < 0.05
    assert cell["history"][0]["event"] == "licensed"
    assert cell["seconds_saved"] is None
    told = ledger.words(ledger.document(library))
    assert "at most 2 % is bad; the method is wrong less than 1 time in 10" in told
    assert "Time saved: not measured." in told


def test_an_export_replayed_says_the_same(library, tmp_path):
    told = {"say": Say.MODIFY, "params": {"ev": 0.3}, "note": "no end of\u2028a \x85line"}
    records.save_verdicts(library, [said(40, i, material=i < 2, **told) for i in range(5)])
    for name in ("ledger.csv", "ledger.jsonl"):
        ledger.export(library, tmp_path / name)
        again = ledger.replayed(tmp_path / name, ledger.rules(library))
        assert again["set_aside"] == []
        one, other = only(again), only(ledger.document(library))
        would = one.pop("would_have")
        assert one == other | {"answered": one["answered"]}
        assert would["items"] == 155
        assert (would["automated"], would["bad_let_through"]) == (0, 0), "every one of them was drawn and looked at"


def test_a_replay_says_what_would_have_been_done_alone(tmp_path):
    rows = [said(s, i, drawn=Drawn.AUDIT if i < 5 else Drawn.REVIEW) for s in range(40) for i in range(25)]
    rows[-1] = said(39, 24, say=Say.REJECT, drawn=Drawn.REVIEW)
    with Library.open(tmp_path / "library") as opened:
        records.save_verdicts(opened, rows)
        ledger.export(opened, tmp_path / "ledger.csv")
    cell = only(ledger.replayed(tmp_path / "ledger.csv", policy.default()))
    assert cell["would_have"] == {"items": 1000, "automated": 11 * 20, "bad_let_through": 1}
    bad = [said(s, i, say=Say.REJECT, drawn=Drawn.AUDIT if i < 5 else Drawn.REVIEW) for s in (40, 41) for i in range(9)]
    canary = said(39, 30, say=Say.REJECT, drawn=Drawn.CANARY)
    with Library.open(tmp_path / "library") as opened:
        records.save_verdicts(opened, [canary, *bad])
        ledger.export(opened, tmp_path / "later.csv")
    found = ledger.replayed(tmp_path / "later.csv", policy.default())
    assert only(found)["would_have"] == {"items": 1000 + 18 + 1, "automated": 10 * 20, "bad_let_through": 0}
    told = ledger.words(found)
    assert "2026-01-29 licensed: 145 looked at, 0 bad" in told
    assert "2026-02-10 demoted: " in told, "it says when it would have been stopped"
    assert "1 shoot would have gone to a person, since a canary was bad." in told


def test_what_cannot_be_read_is_set_aside_with_its_line(library, tmp_path):
    path = tmp_path / "ledger.jsonl"
    ledger.export(library, path)
    lines = path.read_text().splitlines()
    lines[3] = lines[3][:-40]
    lines[7] = lines[7].replace('"verdict":"approve"', '"verdict":"yes"')
    lines[9] = lines[9].replace('"version":1', '"version":"one"')
    lines.insert(11, "[1, 2]")
    path.write_text("\n".join(lines)[:-30], encoding="utf-8")
    found = ledger.replayed(path, ledger.rules(library))
    assert [row["line"] for row in found["set_aside"]] == [4, 8, 10, 12, len(lines)]
    assert "not whole JSON" in found["set_aside"][0]["because"]
    assert "'yes'" in found["set_aside"][1]["because"]
    assert only(found)["drawn"] == 150 - 4
    assert "Set aside, line 4" in ledger.words(found)


def test_a_table_is_read_as_strictly(library, tmp_path):
    path = tmp_path / "ledger.csv"
    ledger.export(library, path)
    lines = path.read_bytes().split(b"\r\n")
    lines[2] = lines[2].replace(b",0.9,", b",high,")
    lines[4] = lines[4].replace(b"ann", b"\xff\xfe")
    lines[6] = lines[6][:30]
    path.write_bytes(b"\r\n".join(lines))
    rows, aside = of_file(path)
    assert [a.line for a in aside] == [3, 5, 7]
    assert len(rows) == 147
    assert "not UTF-8" in aside[1].because
    path.write_text("name,age\nann,3\n")
    with pytest.raises(UsageError, match="no column 'at'"):
        of_file(path)
    with pytest.raises(UsageError, match="neither CSV"):
        of_file(tmp_path / "ledger.xls")


def test_a_row_that_another_program_spoilt_is_set_aside(library):
    with library.transaction() as connection:
        connection.execute(sa.text("update verdicts set verdict = 'maybe' where seq = 7"))
        connection.execute(sa.text("update verdicts set score = 'high' where seq = 9"))
    columns, aside = of_library(library)
    assert len(columns) == 148
    assert [(a.line, a.because) for a in aside] == [
        (7, "its verdict is 'maybe'"), (9, "its score is 'high' and its seconds are None"),
    ]  # fmt: skip
    with library.transaction() as connection:
        connection.execute(
            sa.text("insert into draws (shoot, asset, operator, drawn, seed, at) values ('','','','','','')")
        )
    assert [a["line"] for a in ledger.document(library)["set_aside"]] == [7, 9]


SPOILT = ("''", "'x'", "x'ff00'", "cast(x'fffe' as text)", "'bytes:zz'", "-5", "1e999", "0.5")
COLUMNS = ("at", "by", "asset", "shoot", "operator", "version", "weights", "score", "verdict", "reason", "note",
           "params", "seconds", "drawn", "bundled", "upon", "shown", "material", "group", "together")  # fmt: skip
NEVER = {("verdict", "'x'"), ("version", "'x'"), ("score", "1e999"), ("by", "cast(x'fffe' as text)"), ("at", "''")}


def test_whatever_another_program_writes_into_a_row_takes_no_other_row_along(library):
    """Every column with every kind of nonsense: the row counts, or is set aside by its number; nothing falls over."""
    aside = set()
    for column in COLUMNS:
        for value in SPOILT:
            with library.transaction() as connection:
                connection.execute(sa.text("create table kept as select * from verdicts where seq = 7"))
                connection.execute(sa.text(f'update verdicts set "{column}" = {value} where seq = 7'))  # noqa: S608
            columns, record = of_library(library)
            read = records.ledger(library)
            for found, named in ((len(columns), {a.line for a in record}), (len(read.rows), set(read.aside))):
                assert (found, named) in ((150, set()), (149, {7})), (column, value)
            assert not record or read.aside or column == "by", (column, value)
            if record:
                aside.add((column, value))
                assert [a["line"] for a in ledger.document(library)["set_aside"]] == [7], (column, value)
            with library.transaction() as connection:
                connection.execute(sa.text("delete from verdicts where seq = 7"))
                connection.execute(sa.text("insert into verdicts select * from kept"))
                connection.execute(sa.text("drop table kept"))
    assert aside >= NEVER


def test_a_run_says_which_rows_it_set_aside(library, make_shoot, tmp_path):
    from safelight.api import Library as Studio
    from safelight.line import Options

    folder, options = make_shoot(2), Options(engine="inline", only=("cull",))
    with Studio.open(tmp_path / "studio") as studio:
        studio.run(folder, options=options)
        studio.verdict(folder, list(studio.state(folder).photos), operator="cull", say="approve", by="ann")
        with studio.store.transaction() as connection:
            connection.execute(sa.text("update verdicts set verdict = 'maybe', drawn = 'review' where seq = 1"))
        made = studio.run(folder, options=replace(options, only=("cull", "exposure")))
        assert "Row 1 of the ledger is set aside: its verdict is 'maybe'." in made.troubles
        assert [row["line"] for row in ledger.document(studio.store)["set_aside"]] == [1], "though it would not count"


def test_a_row_that_is_spoilt_later_is_noticed_though_nothing_was_added(library, monkeypatch):
    monkeypatch.setattr(ledger_kept, "WORTH", 1)
    assert not ledger.document(library)["set_aside"]
    with library.transaction() as connection:
        connection.execute(sa.text("update verdicts set verdict = 'maybe' where seq = 7"))
    assert [a["line"] for a in ledger.document(library)["set_aside"]] == [7]


@pytest.mark.parametrize("spoilt", ["", "cut", "flipped", "gone"])
def test_only_what_came_since_is_read_and_it_comes_to_the_same(library, monkeypatch, spoilt):
    monkeypatch.setattr(ledger_kept, "WORTH", 1)
    of_library(library)
    kept = library.folder / ledger_kept.FILE_NAME
    data = bytearray(kept.read_bytes())
    if spoilt == "cut":
        kept.write_bytes(data[: len(data) // 2])
    elif spoilt == "flipped":
        data[len(data) // 2] ^= 1
        kept.write_bytes(data)
    elif spoilt == "gone":
        with library.transaction() as connection:
            connection.execute(sa.text("delete from verdicts where seq = 20"))
    with library.transaction() as connection:
        mark, before = ledger_kept.load(library.folder, connection)
    assert (before is None) == bool(spoilt) == (mark is None)
    if mark is not None:
        with library.transaction(reading=True) as connection:
            assert ledger_rows._read(connection, after=mark)[0].at == []
            assert len(ledger_rows._read(connection, after=mark - 3)[0].at) == 3
    for at in ("2031-01-01T00:00:00.000+00:00", "2001-01-01T00:00:00.000+00:00"):  # the second is older than all
        said = Verdict(
            at=at, by="bo", asset=f"new{at}", shoot="later", operator="exposure", version=1, say=Say.REJECT,
            drawn=Drawn.AUDIT, score=0.3,
        )  # fmt: skip
        undo = replace(said, asset="0/3", shoot="s0", say=Say.UNDO)
        records.save_verdicts(library, [said, undo])
        told = ledger.rebuilt(library, ledger.rules(library))
        (library.folder / ledger_kept.FILE_NAME).unlink()
        assert told == ledger.rebuilt(library, ledger.rules(library))


def test_two_reviewers_who_write_at_once_lose_nothing(library):
    def write(name):
        for i in range(20):
            records.save_verdicts(library, [said(50, i, by=name, operator=name)])

    writers = [threading.Thread(target=write, args=(name,)) for name in ("tone", "crop")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = {c["task"]: c["drawn"] for c in ledger.document(library)["cells"]}
    assert found == {"exposure": 150, "tone": 20, "crop": 20}


def test_groups_about_people_leave_only_if_somebody_asks(library, tmp_path):
    records.save_verdicts(library, [said(60, 0, group="skin_tone:3"), said(60, 1, group="nobody")])
    for asked, wanted in ((False, {"", "nobody"}), (True, {"", "nobody", "skin_tone:3"})):
        ledger.export(library, tmp_path / "ledger.csv", groups=asked)
        with (tmp_path / "ledger.csv").open(newline="") as file:
            assert {row["group"] for row in csv.DictReader(file)} == wanted


def test_the_page_shows_map_rates_and_what_comes_next(library):
    records.save_verdicts(library, [said(70, i, operator="<tone>") for i in range(5)])
    found = ledger.document(library)
    page = pages.page(found)
    assert "<tone>" not in page, "names are text"
    assert "&lt;tone&gt;" in page
    for word in ("Reliability map", "licensed", "more looked at, none bad", "not measured", "What happened"):
        assert word in page
    assert page.count('class="curve"') == 1, "one shoot is no curve"
    assert "http" not in page.replace("http://www.w3.org", ""), "nothing is fetched"
    empty = pages.fragment({"cells": [], "deliveries": [], "set_aside": []})
    assert "Nobody has decided anything yet" in empty


def test_a_table_shows_every_task_at_a_glance(library):
    found = ledger.document(library)
    head, row = trust_table.table(found).splitlines()
    cell = only(found)
    assert head.split()[:3] == ["task", "state", "wrong"]
    assert row.startswith(f"exposure  {cell['state']}  ")
    assert f"{cell['drawn']:,}  " in row
    assert (cell["state"], row.endswith("100 %      –  all is let through")) == ("licensed", True)
    young = cell | {"state": "apprentice", "needs": cell["needs"] | {"verdicts_if_none_bad": 1084}}
    assert trust_table.table({"cells": [young]}).endswith("–      –  1,084 more, none bad")
    assert trust_table.table(found | {"cells": []}) == ""


def test_the_command_line_replays_and_writes_the_page(library, tmp_path):
    ledger.export(library, tmp_path / "ledger.csv")
    asked = ["trust", "--library", str(tmp_path / "other"), "--replay", str(tmp_path / "ledger.csv")]
    shown = CliRunner().invoke(cli, [*asked, "--page", str(tmp_path / "trust.html"), "--json"], standalone_mode=False)
    found = json.loads(shown.stdout)
    assert found["schema"] == "safelight.trust/1"
    assert only(found)["would_have"]["items"] == 150
    assert (tmp_path / "trust.html").read_text().startswith("<!doctype html>")


def test_a_catalogue_teaches_the_bet_and_never_licenses(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "running", lambda _: {})
    with Library.open(tmp_path / "library") as opened:
        records.save_verdicts(opened, [said(s, i, by="import:lightroom") for s in range(80) for i in range(5)])
        cell = only(ledger.document(opened))
        assert (cell["state"], cell["n"], cell["drawn"]) == ("apprentice", 0, 0)


def test_a_catalogue_says_which_photos_were_kept(tmp_path):
    photos = [
        ("2019/Wedding/", "IMG_1", "CR2", 1.0, None), ("2019/Wedding/", "IMG_2", "CR2", -1.0, 3.0),
        ("2019/Wedding/", "IMG_3", "CR2", 0.0, 4.0), ("2019/Wedding/", "IMG_4", "CR2", 0.0, None),
        ("2019/Δάφνη/", "IMG_5", "jpg", 1.0, None, "2019-06-01T12:00:01.5"),
        ("odd/", "IMG_6", "jpg", None, 2.0), ("odd/", "IMG_7", "jpg", "yes", None),
        ("odd/", b"\xff", "jpg", -1.0, None),
    ]  # fmt: skip
    path = catalogue(tmp_path / "old.lrcat", photos)
    before = path.read_bytes()
    assert {old.parts[-2:]: (old.kept, old.taken) for old in history.ratings(path)} == {
        ("wedding", "img_1.cr2"): (True, ""), ("wedding", "img_2.cr2"): (False, ""),
        ("wedding", "img_3.cr2"): (True, ""), ("δάφνη", "img_5.jpg"): (True, "2019-06-01T12:00:01"),
        ("odd", "img_6.jpg"): (True, ""), ("odd", "\ufffd.jpg"): (False, ""),
    }  # fmt: skip
    assert path.read_bytes() == before


@pytest.mark.parametrize("act", ["drop table Adobe_images", "alter table AgLibraryFile drop column baseName", ENDLESS])
def test_a_catalogue_of_another_form_is_refused_and_keeps_nobody_busy(tmp_path, act):
    path = catalogue(tmp_path / "old.lrcat", [("a/", "b", "jpg", 1, None)])
    with closing(connect(path)) as opened:
        opened.executescript(act)
    with pytest.raises(UsageError, match=r"old\.lrcat") as caught:
        history.ratings(path)
    assert caught.value.remedy


def test_a_catalogue_that_lightroom_has_open_is_not_read_in_part(tmp_path):
    path = catalogue(tmp_path / "old.lrcat", [("a/", "b", "jpg", 0, None)])
    with closing(connect(path)) as opened:
        opened.execute("pragma journal_mode=wal")
        opened.execute("update Adobe_images set pick = 1")
        opened.commit()
        with pytest.raises(UsageError, match="in use"):
            history.ratings(path)
    assert len(history.ratings(path)) == 1


@pytest.mark.parametrize("body", [b"", b"no catalogue at all, whatever its name says" * 40, None])
def test_what_is_no_catalogue_is_an_error_that_says_so(tmp_path, body):
    path = tmp_path / "old.lrcat"
    if body is None:  # cut off in the middle
        whole = catalogue(tmp_path / "whole.lrcat", [("a/", "b", "jpg", 1, None)]).read_bytes()
        path.write_bytes(whole[: len(whole) // 3])
    else:
        path.write_bytes(body)
    with pytest.raises(UsageError, match=r"old.lrcat (cannot be read|is no)") as caught:
        history.ratings(path)
    assert "copy" in caught.value.remedy
    shown = CliRunner().invoke(cli, ["trust", "--library", str(tmp_path / "l"), "--import", str(path)])
    assert shown.exception is not None


def test_the_style_in_use_when_it_was_said_goes_with_a_verdict(library):
    def learned(id_, day, *, used):
        at = (START + timedelta(days=day)).isoformat(timespec="milliseconds")
        row = {"id": id_, "task": "exposure", "body": "{}", "report": "{}", "used": used, "by": "ann", "at": at}
        library.append(schema.styles, [row])

    learned("first", 10, used=True)
    learned("worse", 20, used=False)
    columns, _ = of_library(library)
    counted = {name: int((columns.style == i).sum()) for i, name in enumerate(columns.names["style"])}
    assert counted == {"": 100, "first": 50}
    assert styles_in_use(library) == {"exposure": ""}


def test_reviewers_are_told_what_they_noticed_and_known_bads_make_no_group_of_their_own(library):
    rows = [said(s, i, group="skin_tone:dark") for s in range(80, 84) for i in range(5)]
    known = [said(s, 9, say=Say.APPROVE if s % 5 else Say.REJECT, drawn=Drawn.KNOWN_BAD) for s in range(40)]
    tone = [replace(v, operator="tone") for v in (*rows, *known)]
    records.save_verdicts(library, tone)
    found = ledger.document(library)
    (cell,) = [c for c in found["cells"] if c["task"] == "tone"]
    assert (cell["group"], cell["reviewers"]["known_bads"], cell["reviewers"]["caught"]) == ("skin_tone:dark", 40, 8)
    told = ledger.words({**found, "cells": [cell]})
    assert told.startswith("tone · skin tone dark: apprentice.")
    assert "Of 40 suggestions that were spoilt on purpose 8 were noticed, so a licence is tested at 0.2" in told
    assert "8 were noticed" in pages.page(found)


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ((84, 17, 9.0), "84 more looked at, none bad: about 17 shoots, 9 weeks at this pace."),
        ((84, 1, None), "84 more looked at, none bad: about 1 shoot."),
        ((900, 793, 453.0), "900 more looked at, none bad: about 793 shoots, 9 years at this pace."),
        ((None, None, None), "No number of verdicts would earn a licence now."),
    ],
)
def test_what_the_next_step_needs_is_a_sentence(needs, words):
    verdicts, shoots, weeks = needs
    assert ledger.needs_words({"verdicts_if_none_bad": verdicts, "shoots": shoots, "weeks": weeks}) == words


def test_findings_are_named_as_what_they_are(library):
    records.save_verdicts(library, [said(3, 9, operator="check.halo", drawn=Drawn.REVIEW)])
    assert ledger.task_words("check.halo") == "findings of halo"
    assert ledger.task_words("white_balance") == "white balance"


NUMBER, TEXT, SHARE = (int, float), str, (int, float, type(None))
CELL = {
    "task": TEXT, "style": (str, type(None)), "group": (str, type(None)), "version": TEXT, "zone": TEXT, "state": TEXT,
    "shoots": int, "n": int, "k": int, "reject_rate": dict, "alpha": float, "delta": float, "e_value": NUMBER,
    "threshold": SHARE, "share_automated": NUMBER, "needs": dict, "seconds_saved": SHARE, "history": list,
}  # fmt: skip
DELIVERY = {
    "id": TEXT, "unseen": int, "audited": int, "bad_found": int, "bad_at_most": (int, type(None)),
    "level": (float, type(None)),
}  # fmt: skip


def test_the_document_has_the_form_that_others_rely_on(library):
    rows = [said(s, 7 + i, drawn=Drawn.CONTROL, seconds=9.0 + i) for s in range(4) for i in range(4)]
    rows += [said(40, i, seconds=4.0 + 0.1 * i) for i in range(20)]
    records.save_verdicts(library, rows)
    unseen = {"photos": 600, "audited": 60, "bad_found": 0, "bad_at_most": 27, "level": 0.95}
    row = {"id": "d1", "shoot": "shoot-1", "manifest": json.dumps({"unseen": unseen}), "by": "ann", "draft": False}
    library.append(schema.deliveries, [row | {"at": START.isoformat()}])
    found = json.loads(json.dumps(ledger.document(library), allow_nan=False))
    assert found["schema"] == "safelight.trust/1"
    cell = only(found)
    for name, kind in CELL.items():
        assert isinstance(cell[name], kind), name
    assert cell["seconds_saved"] > 0
    assert cell["state"] in ("apprentice", "licensed", "demoted", "never")
    assert set(cell["reject_rate"]) == {"value", "low", "high", "level"}
    assert all({"at", "event", "because"} <= set(event) for event in cell["history"])
    (delivery,) = found["deliveries"]
    for name, kind in DELIVERY.items():
        assert isinstance(delivery[name], kind), name
    assert (delivery["unseen"], delivery["bad_at_most"]) == (600, 27)
    assert found["set_aside"] == []
