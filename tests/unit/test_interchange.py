import csv
import io
import json
from fractions import Fraction

import pytest
from lxml import etree

from safelight import interchange
from safelight.errors import MediaError, NotMedia, UsageError
from safelight.interchange import edl, files, otio, tables, xmeml
from safelight.interchange.programme import Clip, Gap, Losses, Marker, Programme, Track, Transition, tidy
from tests.made_clips import make_clip

R24, R25, NTSC = Fraction(24), Fraction(25), Fraction(30000, 1001)


def clip(name="one", source=100, length=50, **more):
    return Clip(name=name, source=source, length=length, **more)


def programme(*items, rate=R25, **more):
    return tidy(Programme(name="cut", rate=rate, tracks=(Track(kind="video", items=items),), **more))


FULL = programme(
    Gap(length=10), clip(markers=(Marker(at=3, name="look", comment="here", colour="GREEN", length=4),)),
    Transition(before=3, after=5), clip("two", reel="A001C001_LONG"),
    clip("three", speed=Fraction(1, 2), enabled=False),
    markers=(Marker(at=12, name="start"),), start=90_000,
)  # fmt: skip


@pytest.mark.parametrize("ending", files.WRITTEN)
def test_files_are_written_read_back_and_losses_told(tmp_path, ending):
    done = files.write(tmp_path / f"cut{ending}", FULL)
    assert all(f.is_file() for f in done.files)
    if ending == ".otio":
        assert done.losses == ()
        assert files.read(done.files[0]).programme == FULL
    elif ending in files.READ:
        assert done.losses
        shown = FULL.length - 50 * (ending == ".mlt")  # the last clip is switched off
        assert files.read(done.files[0], rate=R25).programme.length == shown


def test_each_track_of_a_list_is_a_file(tmp_path):
    two = tidy(Programme(name="cut", rate=R25, tracks=(
        Track(kind="video", items=(clip(),)), Track(kind="audio", items=(Gap(length=20), clip("sound"))))))  # fmt: skip
    done = files.write(tmp_path / "cut.edl", two)
    assert [f.name for f in done.files] == ["cut.edl", "cut_2.edl"]
    assert "BL" in done.files[1].read_text()
    assert any("tracks" in loss for loss in done.losses)


def test_a_list_of_more_than_999_events_is_parted(tmp_path):
    many = programme(*(clip(f"c{i}", source=i, length=2) for i in range(2100)))
    done = files.write(tmp_path / "cut.edl", many)
    assert len(done.files) == 3
    assert sum(len(files.read(f, rate=R25).programme.tracks[0].items) for f in done.files) == 2100 + 2
    assert any("999" in loss for loss in done.losses)


def test_drop_frame_lists_say_so():
    text = edl.text_of(edl.carried(programme(clip(), rate=NTSC, drop=True, start=107_892), Losses())[0])
    assert "FCM: DROP FRAME" in text
    assert "01:00:00;00" in text
    assert edl.parse(text, rate=NTSC, losses=Losses()).drop


def test_markers_of_a_list_are_in_record_time():
    text = edl.text_of(
        edl.carried(programme(clip(length=60, markers=(Marker(at=7, name="x"),)), start=90_000), Losses())[0]
    )
    assert "* LOC: 01:00:00:07 RED     x" in text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("001  AX       V     C        01:00:00:25 01:00:02:00 01:00:00:00 01:00:02:00", "exist"),
        ("001  AX       V     C        01:00:02:00 01:00:00:00 01:00:00:00 01:00:02:00", "ends before"),
        ("001  AX       V     C        01:00:00:00 01:00:02:00 01:00:02:00 01:00:00:00", "ends before"),
        ("001  AX       V     C        99:00:00:00 99:00:02:00 01:00:00:00 01:00:02:00", "exist"),
        ("nothing of use", "no event"),
    ],
)
def test_impossible_times_are_told_with_their_line(line, told):
    with pytest.raises(NotMedia, match=told) as refused:
        files.parse(f"TITLE: x\n{line}\n".encode(), "x.edl", rate=R25)
    assert refused.value.remedy


def test_events_that_lie_over_each_other_are_told():
    line = "00{}  AX       V     C        01:00:00:00 01:00:02:00 01:00:0{}:00 01:00:0{}:00"
    with pytest.raises(NotMedia, match="Event 002 begins before"):
        files.parse(f"{line.format(1, 0, 2)}\n{line.format(2, 1, 3)}\n".encode(), "x.edl", rate=R25)


def test_a_list_needs_a_rate_and_windows_text_is_read():
    text = "TITLE: Café\r\n001  AX  V  C  01:00:00:00 01:00:02:00 01:00:00:00 01:00:02:00\r\n".encode("cp1252")
    with pytest.raises(UsageError, match="frame rate"):
        files.parse(text, "x.edl")
    assert files.parse(text, "x.edl", rate=R25).programme.name == "Café"


NO_STEP = (
    b'<fcpxml><resources><format id="r1" frameDuration="1/0s"/></resources>'
    b'<sequence format="r1"><spine/></sequence></fcpxml>'
)
NO_NUMBER = (
    b"<xmeml><sequence><rate><timebase>25</timebase></rate><media><video><track>"
    b"<clipitem><start>a</start></clipitem></track></video></media></sequence></xmeml>"
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.otio", b"{}"), ("x.otio", b"nothing"), ("x.otio", b'{"OTIO_SCHEMA": "Timeline.1", "name": NaN}'),
        ("x.otio", b'{"OTIO_SCHEMA": "Gap.1"}'), ("x.fcpxml", b"<fcpxml/>"), ("x.fcpxml", b"<other/>"),
        ("x.xml", b"<xmeml/>"), ("x.xml", b"<xmeml"), ("x.fcpxml", NO_STEP), ("x.xml", NO_NUMBER),
    ],
)  # fmt: skip
def test_what_is_no_timeline_is_refused(name, data):
    with pytest.raises(MediaError) as refused:
        files.parse(data, name)
    assert refused.value.remedy
    with pytest.raises(UsageError, match="ending"):
        files.parse(data, "x.doc")


def test_newer_documents_are_read_as_older_ones():
    text = json.loads(otio.dumps(otio.timeline_of(FULL)))
    marker = text["tracks"]["children"][0]["children"][1]["markers"][0]
    assert marker["OTIO_SCHEMA"] == "Marker.2"
    marker["OTIO_SCHEMA"], marker["color"] = "Marker.3", {"OTIO_SCHEMA": "Color.1", "name": "Green"}
    opened = files.parse(json.dumps(text).encode(), "x.otio")
    assert opened.programme == FULL
    assert "newer version" in opened.notes[0]


def test_floating_rates_are_the_exact_ones(tmp_path):
    made = programme(clip(), rate=NTSC)
    text = otio.dumps(otio.timeline_of(made)).replace("29.97002997002997", "29.97")
    assert files.parse(text.encode(), "x.otio").programme.rate == NTSC


def test_sound_and_picture_of_one_file_are_linked():
    one = clip(media="file:///a.mov", media_start=0, media_length=500)
    two = tidy(Programme(name="cut", rate=R25, tracks=(
        Track(kind="video", items=(one,)), Track(kind="audio", items=(one,)))))  # fmt: skip
    root = etree.fromstring(xmeml.text_of(xmeml.carried(two, Losses())).encode())
    assert [link.findtext("mediatype") for link in root.findall(".//clipitem")[0].findall("link")] == ["video", "audio"]
    assert len([f for f in root.iter("file") if len(f)]) == 1, "a file is described once"


def test_tables_of_markers(tmp_path):
    table = list(csv.DictReader(io.StringIO(tables.csv_of(FULL))))
    assert [(row["Timecode"], row["Name"]) for row in table] == [("01:00:00:12", "start"), ("01:00:00:13", "look")]
    assert table[1]["Source timecode"] == "00:00:04:03"
    text = tables.resolve_markers(FULL)
    assert "01:00:00:13 01:00:00:14" in text
    assert "here |C:ResolveColorGreen |M:look |D:4" in text


def test_a_file_that_would_say_something_else_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(files.fcpxml, "text_of", lambda p: xmeml.text_of(p).replace("xmeml", "fcpxml"))
    with pytest.raises(UsageError, match="would not say"):
        files.write(tmp_path / "a.fcpxml", FULL)
    spoiled = programme(clip(source=101))
    good = files.fcpxml.carried
    monkeypatch.undo()
    text = files.fcpxml.text_of(good(spoiled, Losses()))
    monkeypatch.setattr(files.fcpxml, "text_of", lambda p: text)
    with pytest.raises(UsageError, match="would not say"):
        files.write(tmp_path / "a.fcpxml", programme(clip()))
    assert list(tmp_path.iterdir()) == []


def test_given_timelines_are_read(shared):
    for path in sorted((shared / "metadata" / "timelines").iterdir()):
        rate = R25 if path.stem in ("25fps", "timecode_mismatch") else R24
        found = files.read(path, rate=rate if path.suffix == ".edl" else None)
        assert found.programme.length > 0, path.name
        assert otio.programme_of(found.timeline, Losses(), rate=found.programme.rate) == found.programme


@pytest.fixture
def rushes(tmp_path):
    """Two clips with timecode in folders of their own, one of them twice, and something that is no clip."""
    (tmp_path / "day 1").mkdir()
    make_clip(tmp_path / "day 1" / "A001C001.mov", frames=50, tags={"timecode": "01:00:00:00"})
    make_clip(tmp_path / "B.mov", frames=20, tags={"timecode": "02:00:00:00"})
    (tmp_path / "day 1" / "b.MOV").write_bytes((tmp_path / "B.mov").read_bytes())
    (tmp_path / "note.mov").write_text("no clip")
    return tmp_path


def linked(rushes, **clip):
    known = Clip(**({"name": "x", "length": 10, "source": 90_000} | clip))
    programme = Programme(name="p", rate=Fraction(25), tracks=(Track(kind="video", items=(known,)),))
    found = interchange.relink(programme, [rushes])
    (item,) = found.programme.tracks[0].items
    return item, found


@pytest.mark.parametrize(
    "clip",
    [
        {"media": "file:///Volumes/Card/A001C001.MOV"}, {"name": "a001c001"}, {"reel": "A001C001"},
        {"name": "x", "reel": "A001C001", "media": "file:///gone/other.mov"},
    ],
)  # fmt: skip
def test_clips_are_linked_to_where_their_files_lie_now(rushes, clip):
    item, found = linked(rushes, **clip)
    assert item.media == (rushes / "day 1" / "A001C001.mov").as_uri()
    assert (item.media_start, item.media_length, found.linked, found.missing) == (90_000, 50, 1, ())


@pytest.mark.parametrize(
    ("clip", "why"),
    [
        ({"name": "C"}, "no clip or sound has its name"),
        ({"name": "a001c001", "source": 90_045}, "frames 90045 to 90055 are shown"),
        ({"name": "a001c001", "speed": Fraction(-6)}, "and A001C001.mov has those from 90000 to 90050"),
        ({"name": "b", "source": 180_000}, "2 files fit"),
        ({"media": "file:///x/note.mov"}, "note.mov cannot be read"),
    ],
)
def test_a_clip_that_no_file_fits_keeps_its_link_and_says_why(rushes, clip, why):
    item, found = linked(rushes, **clip)
    assert (item.media, found.linked) == (clip.get("media"), 0)
    assert why in found.missing[0]


def test_a_picture_that_is_rolled_away_from_its_sound_and_what_lies_over_it_come_back(tmp_path):
    one = {"media": "file:///a.mov", "media_start": 0, "media_length": 500, "reel": "A001"}
    over = {"media": "file:///hands.mov", "media_start": 0, "media_length": 200, "reel": "B002"}
    made = tidy(Programme(name="cut", rate=R25, tracks=(
        Track(kind="video", items=(clip(source=100, length=58, **one), clip(source=208, length=42, **one))),
        Track(kind="video", items=(Gap(length=40), clip("hands", source=10, length=25, **over))),
        Track(kind="audio", items=(clip(source=100, length=50, **one), clip(source=200, length=50, **one))),
    )))  # fmt: skip
    for ending in (".otio", ".fcpxml", ".xml", ".mlt"):
        (path,) = files.write(tmp_path / f"cut{ending}", made).files
        assert files.read(path).programme.tracks == made.tracks, ending
    lists = files.write(tmp_path / "cut.edl", made).files
    for path, track in zip(lists, made.tracks, strict=True):
        (back,) = files.read(path, rate=R25).programme.tracks
        spans = [[(i.length, getattr(i, "source", None)) for i in t.items] for t in (back, track)]
        assert spans[0] == spans[1], path.name
    root = etree.fromstring(xmeml.text_of(xmeml.carried(made, Losses())).encode())
    tied = {i.get("id"): {link.findtext("linkclipref") for link in i.findall("link")} for i in root.iter("clipitem")}
    assert tied == {
        "clipitem-1-1": {"clipitem-1-1", "clipitem-3-1"}, "clipitem-3-1": {"clipitem-1-1", "clipitem-3-1"},
        "clipitem-1-2": {"clipitem-1-2", "clipitem-3-2"}, "clipitem-3-2": {"clipitem-1-2", "clipitem-3-2"},
        "clipitem-2-2": set(),
    }  # fmt: skip
