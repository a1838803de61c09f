"""The report: small enough to send, whole in one file, and nothing from a file's name can break it."""

import os
import re
from html.parser import HTMLParser

from safelight import report
from safelight.domain import Asset, Capture, Cull, Kind
from safelight.line import Options
from safelight.state import Photo, ShootState
from safelight.store.objects import ShootFolder
from safelight.store.records import Ledger, Shoot
from tests.conftest import save_jpeg, textured

INLINE = Options(engine="inline")
VOID = {"meta", "img", "br", "use", "input", "link", "circle", "path", "rect", "line", "th", "td", "tr"}


class Outline(HTMLParser):
    """Collects sources and links, and whether elements are closed in order."""

    def __init__(self):
        super().__init__()
        self.sources, self.open, self.wrong = [], [], []

    def handle_starttag(self, tag, attrs):
        self.sources += [v for k, v in attrs if k in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)


def outline(page):
    parser = Outline()
    parser.feed(page)
    return parser


def test_the_page_needs_nothing_but_itself(library, make_shoot):
    folder = make_shoot(3, burst=4)
    (folder / "broken.jpg").write_bytes(b"")
    page = library.run(folder, options=INLINE).report.read_text()
    found = outline(page)
    assert found.wrong == []
    assert {s.partition(":")[0] for s in found.sources if not s.startswith("#")} == {"data"}
    assert "<script" not in page
    assert "Files that could not be read" in page
    assert page.count("data:image/jpeg") >= 7


def test_every_decision_is_a_word_and_a_shape_and_colour_is_never_alone(library, make_shoot):
    page = library.run(make_shoot(2, burst=3), options=INLINE).report.read_text()
    for word in ("keep", "undecided", "reject"):
        assert f'id="{word}"' in page
    assert re.search(r'aria-label="keep"', page)


def test_two_thousand_photos_stay_below_twenty_five_megabytes(library, tmp_path):
    where = ShootFolder(tmp_path, tmp_path)
    thumb = save_jpeg(tmp_path / "one.jpg", textured(3, width=240, height=160)).read_bytes()
    photos = {}
    for i in range(2000):
        asset = Asset(
            id=f"{i:064x}", content=None, kind=Kind.PHOTO, format="jpeg", width=6, height=4, capture=Capture()
        )
        photos[asset.id] = Photo(id=asset.id, path=f"{i:04d}.jpg", asset=asset)
        path = where.cached(asset.id).with_suffix(".thumb.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(thumb + os.urandom(4))
    state = ShootState(
        shoot=Shoot(id="x", root=str(tmp_path), name="x"),
        photos=photos,
        failed=[],
        groups=[],
        ledger=Ledger(),
        by_path={},
    )
    page = report.page(library.store, state, where)
    assert len(page) < 25_000_000
    assert page.count("<figure") == 2000
    assert all(p.decision is Cull.UNDECIDED for p in photos.values())
