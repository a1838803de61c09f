"""Decisions made in other programs come back as verdicts; decisions made here go out without losing anything."""

import numpy as np
import pytest

from safelight import sidecars
from safelight.deliver import Order
from safelight.domain import Cull, Drawn, Say, State
from safelight.line import Options
from safelight.media import xmp
from safelight.store import schema
from safelight.store.library import now
from safelight.store.objects import ShootFolder
from tests.conftest import save_jpeg, textured

INLINE = Options(engine="inline")
DARKTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:darktable="http://darktable.sf.net/"
  xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" {properties} darktable:history_end="9"/>
</rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def folder(library, make_shoot):
    made = make_shoot(3)
    library.run(made, options=INLINE)
    return made


def say(folder, name, properties):
    (folder / f"{name}.xmp").write_text(DARKTABLE.format(properties=properties))


def sync(library, folder):
    return sidecars.sync(library.store, ShootFolder.at(folder), library.state(folder), by="ben")


def decision(library, folder, path):
    return library.state(folder).photo(path).decision


def test_ratings_picks_and_rejects_come_back_once(library, folder):
    say(folder, "IMG_0000.JPG", 'xmp:Rating="-1"')
    say(folder, "IMG_0001.JPG", 'xmpDM:pick="-1"')
    say(folder, "IMG_0002.JPG", 'xmp:Rating="4" xmp:Label="Rot"')
    taken = sync(library, folder)["taken"]
    assert len(taken) == 3
    assert decision(library, folder, "IMG_0000.JPG") is Cull.REJECT
    assert decision(library, folder, "IMG_0001.JPG") is Cull.REJECT
    assert decision(library, folder, "IMG_0002.JPG") is Cull.KEEP
    photo = library.state(folder).photo("IMG_0002.JPG")
    assert (photo.facts["rating"].value, photo.facts["label"].value) == (4, "Rot")
    assert photo.standing["cull"].by == "ben"
    assert sync(library, folder)["taken"] == []


def test_taking_a_rating_away_undoes_its_verdict(library, folder):
    say(folder, "IMG_0000.JPG", 'xmp:Rating="-1"')
    sync(library, folder)
    say(folder, "IMG_0000.JPG", 'xmp:Rating="0"')
    sync(library, folder)
    assert not library.state(folder).photo("IMG_0000.JPG").decided


def test_conflicts_are_shown_and_never_merged(library, folder):
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    say(folder, "IMG_0000.JPG", 'xmp:Rating="-1"')
    say(folder, "IMG_0001.JPG", 'xmp:Rating="3" xmpDM:pick="-1"')
    found = sync(library, folder)
    assert {c["path"] for c in found["conflicts"]} == {"IMG_0000.JPG", "IMG_0001.JPG"}
    assert decision(library, folder, "IMG_0000.JPG") is Cull.KEEP
    assert len(sync(library, folder)["conflicts"]) == 2, "a conflict stays until somebody settles it"


def test_a_settled_conflict_is_no_conflict_any_more(library, folder):
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    say(folder, "IMG_0000.JPG", 'xmp:Rating="-1"')
    sync(library, folder)
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "reject"}, by="ann")
    found = sync(library, folder)
    assert found["conflicts"] == []


def test_a_broken_sidecar_is_listed_and_left_alone(library, folder):
    path = folder / "IMG_0000.JPG.xmp"
    path.write_text("not xml")
    found = sync(library, folder)
    assert found["unreadable"][0]["path"] == str(path)
    sidecars.export(library.store, ShootFolder.at(folder), library.state(folder))
    assert path.read_text() == "not xml"


def test_export_keeps_what_was_there_and_a_copy(library, folder):
    say(folder, "IMG_0000.JPG", 'xmp:Rating="2"')
    before = (folder / "IMG_0000.JPG.xmp").read_bytes()
    sync(library, folder)
    sidecars.export(library.store, ShootFolder.at(folder), library.state(folder))
    packet = xmp.Packet.parse((folder / "IMG_0000.JPG.xmp").read_bytes())
    assert packet.get("darktable:history_end") == "9"
    assert packet.get("xmp:Rating") == "2", "stars are a person's, an export never touches them"
    assert packet.get("xmpDM:pick") == "1"
    assert (folder / "IMG_0000.JPG.xmp.bak").read_bytes() == before
    assert sync(library, folder)["taken"] == [], "our own export is no change"


def test_suggestions_never_look_like_a_persons_choice(library, folder):
    library.verdict(folder, ["IMG_0000.JPG"], operator="cull", say="modify", params={"decision": "reject"}, by="ann")
    sidecars.export(library.store, ShootFolder.at(folder), library.state(folder))
    packet = xmp.Packet.parse((folder / "IMG_0000.JPG.xmp").read_bytes())
    assert packet.get("xmpDM:pick") == "-1"
    assert packet.get("safelight:Suggests") in {"keep", "undecided", "reject"}
    assert not (folder / "IMG_0001.JPG.xmp").exists(), "nobody has decided on this one"


def test_tones_set_elsewhere_say_that_ours_were_not_wanted(library, make_shoot):
    folder = make_shoot(1)
    save_jpeg(folder / "HAZY.JPG", (95 + 0.42 * textured(7, width=480, height=320)).astype(np.uint8))
    library.run(folder, options=INLINE)
    assert library.state(folder).photo("HAZY.JPG").state("tone") is State.PROPOSED
    say(folder, "HAZY.JPG", 'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Blacks2012="0"')
    assert sync(library, folder)["taken"] == []
    say(folder, "HAZY.JPG", 'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Blacks2012="-12"')
    (taken,) = sync(library, folder)["taken"]
    assert (taken["operator"], taken["say"], taken["set"]) == ("tone", "reject", "Blacks2012 -12")
    assert library.state(folder).photo("HAZY.JPG").state("tone") is State.REJECTED


def test_commands_and_an_edited_sidecar_lead_to_a_final_delivery(library, folder, tmp_path):
    library.verdict(folder, ["IMG_0000.JPG", "IMG_0001.JPG"], operator="cull", say="modify",
                    params={"decision": "keep"}, by="ann")  # fmt: skip
    say(folder, "IMG_0002.JPG", 'xmpDM:pick="-1"')
    sync(library, folder)
    for photo in library.state(folder).photos.values():
        for name in photo.open_questions():
            library.verdict(folder, [photo.path], operator=name, say=Say.REJECT, by="ann")
    made = library.deliver(folder, tmp_path / "out", order=Order(to=tmp_path, sidecars=True, sign_off="ann"))
    assert (made["draft"], made["open"], len(made["files"])) == (False, [], 2)
    assert all((tmp_path / "out" / f["sidecar"]).is_file() for f in made["files"])


def test_what_was_judged_blind_elsewhere_is_a_persons_own_decision(library, folder):
    """A pick in another program, of a photo whose suggestion nobody has seen: taken, and never as an approval."""
    state = library.state(folder)
    photo = state.photo("IMG_0000.JPG")
    row = {"shoot": state.shoot.id, "asset": photo.id, "operator": "cull", "drawn": "control", "seed": state.shoot.id,
           "share": 0.05, "lot": None, "at": now()}  # fmt: skip
    library.store.append(schema.draws, [row])
    say(folder, "IMG_0000.JPG", 'xmp:Rating="4"')
    say(folder, "IMG_0001.JPG", 'xmp:Rating="4"')
    sync(library, folder)
    said = {v.asset: v for v in library.state(folder).ledger.rows if v.operator == "cull"}
    own, other = said[photo.id], said[state.photo("IMG_0001.JPG").id]
    assert (own.say, own.params["decision"], own.drawn, own.shown) == (Say.MODIFY, "keep", Drawn.CONTROL, None)
    assert other.say is Say.APPROVE
