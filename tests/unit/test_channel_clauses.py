"""Every clause of every book that ships: a written file just inside it and one just outside, and the pixels that a
failure points at."""

import struct
import tomllib
from importlib.resources import files

import cv2
import numpy as np
import pytest
from PIL import Image

from safelight import channels
from safelight.channels import Known, book, encoded, sets
from safelight.channels.book import APPLIES
from safelight.media import profiles, write, xmp

WHITE = 255
BOOKS = {
    name: tomllib.loads(files("safelight.channels").joinpath("books", f"{name}.toml").read_text("utf-8"))
    for name in channels.known()
}
GENERATED = xmp.SOURCE + "trainedAlgorithmicMedia"


# ---------------------------------------------------------------- files


def thing(width, height=None, *, fill=0.9, ground=WHITE, off=(0, 0)):
    """A shaded round thing on a plain ground; `fill` of the shorter side."""
    height = height or width
    picture = np.full((height, width, 3), ground, np.uint8)
    radius = int(min(width, height) * fill / 2)
    middle = width // 2 + off[0], height // 2 + off[1]
    cv2.circle(picture, middle, radius, (150, 60, 40), -1)
    cv2.circle(picture, (middle[0] - radius // 3, middle[1] - radius // 3), radius // 4, (190, 120, 90), -1)
    return picture


def lettered(size=1000):
    picture = thing(size, fill=0.7)
    cv2.putText(picture, "NEW OFFER", (40, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (200, 0, 0), 5)
    return picture


def framed(size=1000, *, width=6):
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.integers(30, 220, (size, size, 3), np.uint8), (0, 0), 4)
    for part in (np.s_[:width], np.s_[size - width :], np.s_[:, :width], np.s_[:, size - width :]):
        picture[part] = (20, 30, 20)
    return picture


def spotted(share):
    """A picture of which this share of the ground is one level off."""
    picture = thing(1000)
    rows, columns = np.nonzero((picture == WHITE).all(-1))
    inner = (rows > 3) & (rows < 996) & (columns > 3) & (columns < 996)
    n = int(share * len(rows))
    picture[rows[inner][:n], columns[inner][:n], 1] = 254
    return picture


def rimmed():
    picture = thing(1000)
    picture[0, 700] = (WHITE, WHITE, 253)
    return picture


def see_through(*, cover):
    picture = np.dstack((thing(1000), np.full((1000, 1000), WHITE, np.uint8)))
    picture[:50, :80, 3] = cover
    return picture


def put(folder, picture, name="A-1.png", *, icc=write.SRGB, quality=95, says=None, size=None):
    """A file as programs write it; `size` in bytes is made up with comments beside the picture."""
    path = folder / name
    shown = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    more = {"icc_profile": icc} if icc else {}
    if says is not None:
        packet = xmp.Packet.parse(None)
        packet.set(xmp.SOURCE_TYPE, says)
        more["xmp"] = packet.to_bytes()
    kind = {"jpg": "JPEG", "tif": "TIFF", "gif": "GIF"}.get(path.suffix[1:].lower(), path.suffix[1:].upper())
    shown.save(path, kind, quality=quality, **more)
    if size is not None:
        data = path.read_bytes()
        lack, comments = size - len(data), []
        while lack > 0:
            part = min(65_000, max(lack, 4))
            comments.append(b"\xff\xfe" + struct.pack(">H", part - 2) + bytes(part - 4))
            lack -= part
        path.write_bytes(data[:2] + b"".join(comments) + data[2:])
    return path


def clause(inside, outside, *, books=(), record=None):
    return {"inside": inside, "outside": outside, "books": books, "record": record or Known()}


def square(n):
    return lambda f: put(f, thing(n))


def wide(width, height):
    return lambda f: put(f, thing(width, height, fill=0.5))


def named(name, **more):
    return lambda f: put(f, thing(1000), name, **more)


CLAUSES = {
    ("background", "colour"): clause(square(1000), lambda f: put(f, thing(1000, ground=254))),
    ("background", "share"): clause(lambda f: put(f, spotted(0.004)), lambda f: put(f, spotted(0.006))),
    ("background", "rim"): clause(square(1000), lambda f: put(f, rimmed())),
    ("fill", "least"): clause(lambda f: put(f, thing(1000, fill=0.86)), lambda f: put(f, thing(1000, fill=0.84))),
    ("whole", ""): clause(
        lambda f: put(f, thing(1000, off=(48, 0))), lambda f: put(f, thing(1000, off=(52, 0)))
    ),
    ("border", ""): clause(lambda f: put(f, framed(width=0)), lambda f: put(f, framed())),
    ("text", ""): clause(lambda f: put(f, thing(1000, fill=0.7)), lambda f: put(f, lettered())),
    ("size", "long_least", 1000): clause(square(1000), square(999)),
    ("size", "long_least", 250): clause(square(250), square(249)),
    ("size", "long_least", 1772): clause(wide(1772, 1182), wide(1771, 1182)),
    ("size", "short_least", 1181): clause(wide(1772, 1181), wide(1772, 1180)),
    ("size", "short_least", 800): clause(square(800), square(799)),
    ("size", "long_most", 10000): clause(wide(10000, 40), wide(10001, 40)),
    ("size", "long_most", 8000): clause(wide(8000, 40), wide(8001, 40)),
    ("size", "long_most", 4472): clause(wide(4472, 800), wide(4473, 800)),
    ("size", "long_most", 4096): clause(wide(4096, 40), wide(4097, 40)),
    ("ratio", "allowed", "shopify"): clause(wide(1000, 996), wide(1000, 994)),
    ("ratio", "allowed", "print"): clause(wide(1500, 1020), wide(1500, 960)),
    ("ratio", "within", "print"): clause(wide(1500, 1018), wide(1500, 962)),
    ("profile", "allowed"): clause(square(400), lambda f: put(f, thing(400), icc=profiles.adobe_rgb())),
    ("profile", "embedded"): clause(square(400), lambda f: put(f, thing(400), icc=None)),
    ("profile", "model"): clause(square(400), lambda f: put(f, Image.fromarray(thing(400)).convert("CMYK"), "A-1.jpg",
                                                            icc=None)),
    ("alpha", ""): clause(square(1000), lambda f: put(f, see_through(cover=40))),
    ("kind", "allowed", "amazon"): clause(named("A-1.tif"), named("A-1.webp")),
    ("kind", "allowed", "amazon_more"): clause(named("A-1.jpg"), named("A-1.webp")),
    ("kind", "allowed", "google_merchant"): clause(named("A-1.webp"), named("A-1.avif")),
    ("kind", "allowed", "print"): clause(named("A-1.tif"), named("A-1.png")),
    ("kind", "allowed", "shopify"): clause(named("A-1.webp"), named("A-1.tif")),
    ("kind", "allowed", "web"): clause(named("A-1.avif"), named("A-1.tif")),
    ("kind", "by its bytes"): clause(named("A-1.jpg"), lambda f: named("A-1.png")(f).rename(f / "A-1.jpg")),
    ("name", ""): clause(named("A-1_b.png"), named("A 1ö.png")),
    ("name", "longest"): clause(named("a" * 116 + ".png"), named("a" * 117 + ".png")),
    ("weight", "most", 16): clause(named("A.jpg", size=16_000_000), named("A.jpg", size=16_010_000)),
    ("weight", "most", 20): clause(named("A.jpg", size=20_000_000), named("A.jpg", size=20_010_000)),
    ("weight", "most", 3): clause(named("A.jpg", size=3_000_000), named("A.jpg", size=3_010_000)),
    ("disclosure", "generated"): clause(
        named("A.jpg", says=GENERATED), named("A.jpg", says=xmp.SOURCE + "humanEdits"), record=Known(generated=True)
    ),
}  # fmt: skip
OF_THE_SET = {("double", "")}  # tested below


def books_of(key):
    """The books in which a clause stands, with its value where it has one."""
    table, setting, *value = key
    found = []
    for name, rules in BOOKS.items():
        if table not in rules or (value and isinstance(value[0], str) and value[0] in BOOKS and value[0] != name):
            continue
        said = rules[table].get(setting)
        if (
            value
            and value[0] not in BOOKS
            and said != value[0]
            and value[0] not in (said if isinstance(said, list) else ())
        ):
            continue
        if table == "alpha" and rules[table].get("allowed"):
            continue
        found.append(name)
    return found


CASES = [(key, name) for key in CLAUSES for name in books_of(key)]


def test_every_clause_of_every_book_has_a_case():
    told = {(name, key[0], *key[1:2]) for key, name in CASES}
    for name, rules in BOOKS.items():
        for table, settings in rules.items():
            if not isinstance(settings, dict) or (table, "") in OF_THE_SET:
                continue
            if table == "alpha" and settings.get("allowed"):
                continue
            assert any(case[:2] == (name, table) for case in told), f"{name}: [{table}]"
            for setting in set(settings) - {APPLIES}:
                assert (name, table, setting) in told, f"{name}: [{table}] {setting}"


@pytest.mark.parametrize(("key", "name"), CASES, ids=lambda v: v if isinstance(v, str) else ".".join(map(str, v)))
def test_a_file_just_inside_and_one_just_outside(tmp_path, key, name):
    case, channel = CLAUSES[key], channels.channel(name)
    rule = f"{name}.{key[0]}"
    answers = {}
    for side in ("inside", "outside"):
        folder = tmp_path / side
        folder.mkdir()
        found = channels.examine(case[side](folder), [channel], record=case["record"])
        answers[side] = next(a for a in found if a.rule == rule)
    assert not answers["inside"].broken, answers["inside"].text
    assert answers["outside"].broken, answers["outside"].text
    assert answers["outside"].remedy
    if answers["outside"].mask is not None:
        box_holds_the_mask(answers["outside"])


def box_holds_the_mask(answer):
    rows, columns = np.nonzero(answer.mask)
    assert answer.where == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), "the box is that of the mask"


# ---------------------------------------------------------------- the pixels that are meant


def only(path, table, **settings):
    kind, ask = channels.rules.RULES[table]
    return ask(encoded.read(path), kind(**settings))


def decoded(path):
    """What another decoder sees."""
    return np.asarray(Image.open(path).convert("RGB"))


def test_the_mask_of_a_ground_is_what_is_not_white_in_the_written_file(tmp_path):
    for picture, name, quality in ((rimmed(), "A.png", 95), (spotted(0.01), "A.png", 95), (thing(1000), "A.jpg", 40)):
        path = put(tmp_path, picture, name, quality=quality)
        answer = only(path, "background")
        assert answer.broken
        seen = decoded(path)
        off = (seen != WHITE).any(-1)
        assert off[answer.mask].all(), "nothing white is meant"
        far = np.hypot(*(np.indices(off.shape) - 500)) > 470  # away from the thing and the blocks in which it ends
        assert answer.mask[far & off].all() or answer.mask.sum() == 1, "nothing that is off is left out"
        box_holds_the_mask(answer)
    assert only(put(tmp_path, rimmed()), "background").where == (700, 0, 701, 1)


def test_dust_on_the_ground_is_no_product(tmp_path):
    dusty = thing(1000)
    dusty[20:100:40, 4:200:40] = 0  # black, each smaller than anything that is sold
    answer = only(put(tmp_path, dusty), "background", share=1.0)
    assert answer.broken
    assert (dusty[answer.mask] == 0).all()
    assert answer.mask.sum() == (dusty == 0).all(-1).sum()


def test_masks_of_thing_letters_border_and_cut(tmp_path):
    letters = only(put(tmp_path, lettered()), "text")
    assert letters.where[3] <= 80
    assert letters.mask[:90].sum() == letters.mask.sum()
    border = only(put(tmp_path, framed()), "border")
    assert border.mask[:6].all()
    assert border.mask[:, -6:].all()
    assert not border.mask[6:-6, 6:-6].any()
    small = only(put(tmp_path, thing(1000, fill=0.5)), "fill", least=0.85)
    assert np.abs(np.array(small.where) - (250, 250, 751, 751)).max() <= 2
    cut = only(put(tmp_path, thing(1000, off=(90, 0))), "whole")
    assert cut.value == ["right"]
    assert cut.where[2] == 1000
    assert cut.mask[:, 999].sum() == cut.mask.sum()


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_transparent_pixels_are_shown_where_they_are_seen(tmp_path, turn):
    picture = np.dstack((thing(300, 200), np.full((200, 300), WHITE, np.uint8)))
    picture[:20, :40, 3] = 0
    exif = Image.Exif()
    exif[274] = turn
    path = tmp_path / "A.png"
    Image.fromarray(picture).save(path, exif=exif, icc_profile=write.SRGB)
    answer = only(path, "alpha")
    upright = {1: (0, 0, 40, 20), 3: (260, 180, 300, 200), 6: (180, 0, 200, 40), 8: (0, 260, 20, 300)}[turn]
    assert answer.where == upright
    assert encoded.read(path).rgb[answer.mask].min() == WHITE, "they lie over white"


def test_a_picture_that_is_there_twice_is_told_whatever_its_form(tmp_path):
    one = put(tmp_path, thing(1000), "A-1.png")
    again = put(tmp_path, cv2.resize(thing(1000), (700, 700), interpolation=cv2.INTER_AREA), "B-1.jpg", quality=80)
    other = put(tmp_path, thing(1000, fill=0.85, off=(0, 12)), "C-1.png")
    there = [sets.Written(path=p, thumb=sets.thumb(encoded.read(p).rgb)) for p in (one, again, other)]
    for name in ("amazon", "shopify"):
        found = channels.examine_set(there, [channels.channel(name)])
        assert [(path.name, a.rule) for path, a in found if a.broken] == [("B-1.jpg", f"{name}.double")]


def test_what_a_shop_asks_may_be_asked_of_some_files_only(tmp_path):
    text = 'schema = "safelight.channel/1"\n[size]\nlong_least = 500\nonly = "*.MAIN.*"\n'
    rules = book.parse(text, "shop", shown="shop")
    for name, broken in (("A.MAIN.png", True), ("A.PT01.png", False)):
        answers = channels.examine(put(tmp_path, thing(200), name), rules)
        assert [a.broken for a in answers] == [True] * broken
