"""Rows of the log: timecode, search, tables of other programs, markers in sidecars."""

import csv
import io
from fractions import Fraction

import pytest

from safelight.domain import Asset, Kind, Measure
from safelight.media import xmp
from safelight.media.xmp_tracks import Marker, Track
from safelight.shotlog import Asked, find, markers, rows_of, tables, unheard
from safelight.state import Footage

NTSC = Fraction(30000, 1001)
FACTS = {
    "key_frame": 20, "steadiness": {"kind": "tripod", "shake": 0.0001},
    "faces": {"count": 2, "largest": 0.4, "closed": None},
    "motion": {"camera": ["pan left"], "speed": 0.1, "zoom": 1.0},
    "exposure": {"kind": "normal", "median": 0.4, "white": 0.0, "black": 0.0},
    "sharpness": {"kind": "sharp", "blur": 0.1, "cause": None},
}  # fmt: skip


def clip(path="A001.mov", *, label="00:59:59;28", rate=NTSC, words=(), variable=False, **more):
    """A clip of two shots: 60 frames and 40."""
    values = {
        "clip.rate": f"{rate.numerator}/{rate.denominator}", "clip.rate.variable": variable, "clip.frames": 100,
        "clip.timecode": label, "clip.reel": "R7",
        "shots": [{"into": "cut", "start_frame": 60, "frame": 60, "at": str(60 / rate), "score": 0.98}],
        "shots.facts": [FACTS, FACTS | {"faces": {"cannot_tell": "no weights"}}],
        "words": {"words": [{"text": t, "start": s, "end": s + 0.3} for t, s in words], "whole": True},
        "faults.picture": [{"kind": "dropped", "start": "5/2", "end": "26/10"}], **more,
    }  # fmt: skip
    asset = Asset(
        id="a" * 64, content="c" * 64, kind=Kind.VIDEO, format="mov", width=64, height=36, duration_s=100 / rate
    )
    found = {name: Measure(name=name, value=value) for name, value in values.items() if value is not None}
    return Footage(path=path, asset=asset, facts=found)


WORDS = (("The", 0.2), ("wedding", 1.7), ("Cakes,", 2.02), ("indeed.", 2.6))


def test_timecode_goes_on_from_the_clips_own_label_in_drop_frame():
    first, second = rows_of(clip())
    assert (first.label_in, first.label_out) == ("00:59:59;28", "01:00:01;28")
    assert (second.label_in, second.start_frame, second.chance) == ("01:00:01;28", 60, 0.98)
    assert (second.reel, second.faults, first.faults) == ("R7", ("dropped",), ())


def test_without_timecode_a_clip_begins_at_zero_and_a_variable_one_counts_by_its_times():
    assert rows_of(clip(label=None))[1].label_in == "00:00:02:00"
    odd = rows_of(clip(label=None, rate=Fraction(90000, 2999), variable=True))[1]
    assert (odd.base, odd.label_in) == (30, "00:00:02:00")
    assert rows_of(clip(label="25:99:00:00"))[0].label_in == "00:00:00:00", "a label that does not exist"


def test_a_clip_that_nobody_looked_at_has_no_rows():
    asset = clip().asset
    assert rows_of(Footage(path="x.mov", asset=asset)) == []
    assert unheard([Footage(path="x.mov", asset=asset)]) == [("x.mov", "it has not been heard yet")]
    assert unheard([clip()]) == []


def test_a_phrase_is_found_even_across_a_cut_and_before_scattered_words():
    rows = rows_of(clip(words=WORDS))
    assert [row.spoken for row in rows] == ["The wedding", "Cakes, indeed."]
    assert [r.number for r in find(rows, Asked(words="Wedding cake")).rows] == [1]
    assert [r.number for r in find(rows, Asked(words="indeed cakes")).rows] == [2], "all words, in any order"
    assert find(rows, Asked(words="zebra")).rows == ()
    assert find(rows, Asked(words="cat")).rows == (), "short words are whole words"


def test_facts_are_asked_and_what_is_not_known_is_counted():
    rows = rows_of(clip(words=WORDS), tags=["Küche"])
    assert len(find(rows, Asked(steady=True, sharp=True)).rows) == 2
    found = find(rows, Asked(faces=2))
    assert ([r.number for r in found.rows], found.unknown) == ([1], 1)
    assert [r.number for r in find(rows, Asked(clean=True)).rows] == [1]
    assert [r.number for r in find(rows, Asked(longer=1.5)).rows] == [1]
    for sought in ("kuche", "pan left", "tripod", "R7", "A001", "2 faces"):
        assert find(rows, Asked(words=sought)).rows, sought


def read(text):
    return list(csv.reader(io.StringIO(text)))


def test_the_table_of_resolve_has_its_columns_and_a_row_a_clip(tmp_path):
    head, row, more = read(tables.resolve([*rows_of(clip(words=WORDS)), *rows_of(clip("b/B.mov"))], tmp_path))
    found = dict(zip(head, row, strict=True))
    assert (found["File Name"], found["Clip Directory"]) == ("A001.mov", str(tmp_path))
    assert (found["Start TC"], found["End TC"]) == ("00:59:59;28", "01:00:03;08")
    assert found["Description"] == "The wedding Cakes, indeed."
    assert found["Comments"].splitlines()[1].startswith("01:00:01;28 shot 2: tripod, pan left, dropped")
    assert found["Keywords"].split(",") == ["tripod", "pan left", "2 faces", "dropped"]
    assert more[1] == str(tmp_path / "b")


def test_the_list_of_premiere_has_five_columns_inclusive_outs_and_semicolons(tmp_path):
    first, second = read(tables.premiere(rows_of(clip(words=WORDS)), tmp_path))
    assert first[:4] == ["R7", "00;59;59;28", "01;00;01;27", "A001.mov shot 1"]
    assert second[1] == "01;00;01;28"
    assert second[4] == "tripod, pan left, dropped; Cakes, indeed."
    plain = read(tables.premiere(rows_of(clip(label="01:00:00:00", rate=Fraction(25))), tmp_path))
    assert plain[0][1:3] == ["01:00:00:00", "01:00:02:09"]


def test_the_plain_table_holds_everything(tmp_path):
    head, first, _ = read(tables.plain(rows_of(clip(words=WORDS)), tmp_path))
    row = dict(zip(head, first, strict=True))
    assert (row["Steadiness"], row["Camera"], row["Faces"], row["Key frame"]) == ("tripod", "pan left", "2", "20")
    assert row["Words"] == "The wedding"
    assert row["Said"].startswith("Steady as on a tripod")


# ---------------------------------------------------------------- sidecars

FOREIGN = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmp:Rating="4" xmlns:mine="urn:mine" mine:kept="yes">
<dc:subject><rdf:Bag><rdf:li>bride</rdf:li></rdf:Bag></dc:subject>
<xmpDM:Tracks><rdf:Bag><rdf:li rdf:parseType="Resource"><xmpDM:trackName>Comment</xmpDM:trackName>
<xmpDM:trackType>Comment</xmpDM:trackType><xmpDM:frameRate>f25</xmpDM:frameRate><xmpDM:markers><rdf:Seq>
<rdf:li rdf:parseType="Resource"><xmpDM:startTime>50</xmpDM:startTime><xmpDM:duration>10</xmpDM:duration>
<xmpDM:name>mine</xmpDM:name><xmpDM:comment>look &amp; listen</xmpDM:comment></rdf:li>
</rdf:Seq></xmpDM:markers></rdf:li></rdf:Bag></xmpDM:Tracks></rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_markers_read_back_with_their_chance_and_a_second_time_nothing_is_written(tmp_path):
    (tmp_path / "A001.mov").touch()
    rows = rows_of(clip(words=(("Tom", 0.1), ("&", 0.4), ("<Jerry>\x01\n!", 0.8))))
    (made,) = markers.write(tmp_path, rows)
    assert (made.did, made.path.name) == ("written", "A001.xmp")
    (track,) = xmp.Packet.parse(made.path.read_bytes()).tracks()
    assert [Fraction(m.start, markers.TICKS) for m in track.markers] == [0, 60 / NTSC], "exact"
    assert [m.probability for m in track.markers] == [None, 0.98]
    assert track.markers[0].name == "Shot 1: tripod, pan left, 2 faces"
    assert track.markers[0].comment.endswith("“Tom & <Jerry> !”")
    before = made.path.stat().st_mtime_ns
    assert [w.did for w in markers.write(tmp_path, rows)] == ["unchanged"]
    assert made.path.stat().st_mtime_ns == before


def test_what_another_program_wrote_stays(tmp_path):
    path = tmp_path / "A001.xmp"
    path.write_text(FOREIGN, "utf-8")
    for rows in (rows_of(clip()), rows_of(clip(words=WORDS))):
        assert [w.did for w in markers.write(tmp_path, rows)] == ["written"]
    packet = xmp.Packet.parse(path.read_bytes())
    theirs, ours = packet.tracks()
    assert theirs == Track(
        name="Comment", kind="Comment", rate=Fraction(25),
        markers=(Marker(start=50, duration=10, name="mine", comment="look & listen"),),
    )  # fmt: skip
    assert len(ours.markers) == 2
    assert (packet.get("xmp:Rating"), packet.get("dc:subject")) == ("4", ["bride"])
    assert b"urn:mine" in path.read_bytes()
    assert (tmp_path / "A001.xmp.bak").read_text("utf-8") == FOREIGN


def test_a_sidecar_that_cannot_be_read_is_not_written_over(tmp_path):
    path = tmp_path / "A001.xmp"
    path.write_bytes(b"not xml at all")
    (made,) = markers.write(tmp_path, rows_of(clip()))
    assert made.did == "refused"
    assert made.because
    assert path.read_bytes() == b"not xml at all"


@pytest.mark.parametrize("rival", ["A001.CR2", "A001.wav", "A001.mp4"])
def test_a_sidecar_that_could_be_anothers_bears_the_whole_name(tmp_path, rival):
    for name in ("A001.mov", rival):
        (tmp_path / name).touch()
    assert markers.sidecar(tmp_path / "A001.mov").name == "A001.mov.xmp"
    assert markers.sidecar(tmp_path / "B.mov").name == "B.xmp"
