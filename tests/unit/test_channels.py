"""Rules of channels and clients on files as they were written."""

import cv2
import numpy as np
import pytest
from PIL import Image

from safelight import channels
from safelight.channels import Known, book, encoded, marks, rules, sets
from safelight.channels.ground import ground_of
from safelight.errors import UsageError
from safelight.media import profiles, write, xmp

WHITE = (255, 255, 255)


def product(*, ground=WHITE, size=600, fill=0.9, off=(0, 0)):
    """A shaded thing on a plain ground."""
    picture = np.full((size, size, 3), ground, np.uint8)
    middle = size // 2 + off[0], size // 2 + off[1]
    radius = int(size * fill / 2)
    cv2.circle(picture, middle, radius, (150, 60, 40), -1)
    cv2.circle(picture, (middle[0] - radius // 3, middle[1] - radius // 3), radius // 4, (190, 120, 90), -1)
    return picture


def file(folder, picture, name="A-1.jpg", *, quality=100, **more):
    path = folder / name
    if path.suffix == ".png":
        Image.fromarray(picture).save(path, **{"icc_profile": write.SRGB} | more)
    else:
        path.write_bytes(write.jpeg(picture, quality=quality, **more))
    return path


def ask(path, rule, **settings):
    """One rule about one file."""
    kind, function = rules.RULES[rule]
    return function(encoded.read(path), kind(**settings))


def of(answers, rule):
    return next(a for a in answers if a.rule.partition(".")[2] == rule)


# ---------------------------------------------------------------- the built-in channels


def test_every_channel_that_ships_can_be_read():
    assert {"amazon", "shopify", "google_merchant", "print", "web"} <= set(channels.known())
    for name in channels.known():
        assert channels.channel(name).rules


def test_a_good_main_picture_passes(tmp_path):
    answers = channels.examine(file(tmp_path, product(size=1200), "A-1.png"), [channels.channel("amazon")])
    assert [a.rule for a in answers if a.broken] == []
    assert of(answers, "text").held is None, "lettering over the product is not read"


@pytest.mark.parametrize(
    ("picture", "rule"),
    [
        (product(size=1200, ground=(254, 255, 255)), "background"),
        (product(size=1200, fill=0.6), "fill"),
        (product(size=1200, off=(90, 0)), "whole"),
        (product(size=700), "size"),
    ],
)
def test_what_breaks_a_rule_is_named_with_mask_and_remedy(tmp_path, picture, rule):
    answers = channels.examine(file(tmp_path, picture, "A-1.png"), [channels.channel("amazon")])
    broken = [a for a in answers if a.broken]
    assert [a.rule for a in broken] == [f"amazon.{rule}"]
    assert broken[0].remedy
    assert rule == "size" or broken[0].mask.any()


def test_near_whites_of_compression_count_as_what_they_are(tmp_path):
    picture = product(size=1000)
    assert ask(file(tmp_path, picture, quality=100), "background").held
    low = ask(file(tmp_path, picture, quality=30), "background")
    assert low.broken
    assert low.value < 0.995
    truth = write_read(picture, 30)
    ground = ground_of(picture)
    assert abs(low.value - (truth[ground.inner] == 255).all(-1).mean()) < 0.01


def write_read(picture, quality):
    return np.asarray(Image.open(__import__("io").BytesIO(write.encode_jpeg(picture, quality=quality))))


# ---------------------------------------------------------------- single rules


def test_fill_and_margins_are_those_of_the_product(tmp_path):
    path = file(tmp_path, product(fill=0.5, off=(30, 0)), "A-1.png")
    assert ask(path, "fill").value == pytest.approx(0.5, abs=0.01)
    found = ask(path, "margins", least=0.1).value
    assert found["left"] - found["right"] == pytest.approx(0.1, abs=0.01)
    assert ask(path, "margins", centred=0.05).broken
    assert ask(path, "margins", least=0.3).broken


def test_without_a_plain_ground_nothing_is_said_of_a_product(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)
    path = file(tmp_path, noise, "A-1.png")
    assert [ask(path, rule).held for rule in ("fill", "margins", "whole", "text")] == [None] * 4
    assert ask(path, "background").broken


def test_a_border_is_one_on_all_sides_only(tmp_path):
    picture = np.random.default_rng(2).integers(60, 200, (200, 300, 3), np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 3)
    framed = picture.copy()
    for part in (np.s_[:9], np.s_[-9:], np.s_[:, :9], np.s_[:, -9:]):
        framed[part] = (20, 20, 20)
    assert marks.band(framed) == marks.Band(px=9, ground=False)
    assert marks.band(picture) is None
    assert marks.band(product()) is None
    framed[-9:] = picture[-9:]
    assert marks.band(framed) is None


@pytest.mark.parametrize(
    ("ground", "box", "held"),
    [(255, np.s_[30:-30, 30:-30], None), (20, np.s_[30:-30, 20:-20], None), (20, np.s_[30:-30, 30:-30], False)],
)
def test_a_box_on_its_ground_is_no_border(tmp_path, ground, box, held):
    picture = np.full((400, 400, 3), ground, np.uint8)
    picture[box] = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 200, (400, 400, 3), np.uint8), (0, 0), 3)[box]
    assert ask(file(tmp_path, picture, "A-1.png"), "border").held is held, "a book on white has an even band too"


def test_lettering_beside_the_product_is_found(tmp_path):
    picture = product(size=800, fill=0.6)
    assert ask(file(tmp_path, picture, "A-1.png"), "text").held is None
    cv2.putText(picture, "NEW OFFER", (40, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (200, 0, 0), 4)
    answer = ask(file(tmp_path, picture, "A-1.png"), "text")
    assert answer.broken
    assert answer.where[3] < 100


def test_profile_alpha_and_format(tmp_path):
    picture = product()
    assert ask(file(tmp_path, picture), "profile").held
    assert ask(file(tmp_path, picture, icc=profiles.adobe_rgb()), "profile").broken
    bare = tmp_path / "B-1.jpg"
    Image.fromarray(picture).save(bare)
    assert ask(bare, "profile").broken
    assert ask(bare, "profile", required=False).held
    Image.fromarray(picture).convert("CMYK").save(bare)
    assert ask(bare, "profile").value == "CMYK"
    alpha = np.dstack((picture, np.full(picture.shape[:2], 255, np.uint8)))
    alpha[:300, :, 3] = 0
    answer = ask(file(tmp_path, alpha, "A-1.png"), "alpha")
    assert answer.value == 0.5
    assert answer.mask[:300].all()
    misnamed = (tmp_path / "A-1.png").rename(tmp_path / "A-2.jpg")
    assert ask(misnamed, "kind", allowed=("jpeg", "png")).broken


def test_size_ratio_weight_and_name(tmp_path):
    path = file(tmp_path, product(size=400)[:200], "Größe 1.jpg")
    assert ask(path, "size", long_least=400, long_most=400, short_least=200).held
    assert ask(path, "size", short_least=201).broken
    assert ask(path, "size", megapixels_most=0.07).broken
    assert ask(path, "ratio", allowed=("2:1",)).held
    assert ask(path, "ratio", allowed=("1:1",)).broken
    assert ask(path, "weight", most=0.001).broken
    assert ask(path, "name").broken
    assert ask(path, "name", safe=False, pattern="[A-Z]+").broken
    assert ask(path, "name", safe=False, pattern="Größe [0-9]").held


def test_a_swatch_says_how_far_its_colour_is_off(tmp_path):
    picture = np.full((300, 300, 3), 240, np.uint8)
    picture[100:200, 100:200] = (200, 16, 46)
    path = file(tmp_path, picture, "A-1.png")
    right = rules.swatch(encoded.read(path), rules.Swatch(colour="#C8102E"), "red")
    assert (right.held, right.value) == (True, 0)
    off = rules.swatch(encoded.read(path), rules.Swatch(colour="#B01030"), "red")
    assert off.broken
    assert 3 < off.value < 10
    assert abs(off.mask.mean() - 1 / 9) < 0.02
    assert rules.swatch(encoded.read(path), rules.Swatch(colour="#00FF00"), "green").held is None


def test_disclosure_is_as_strong_as_the_record(tmp_path):
    def says(code):
        packet = xmp.Packet.parse(None)
        packet.set(xmp.SOURCE_TYPE, xmp.SOURCE + code)
        return encoded.read(file(tmp_path, product(), xmp=packet.to_bytes()))

    rule = rules.Disclosure()
    silent = encoded.read(file(tmp_path, product()))
    assert rules.disclosure(silent, rule, Known()).held is None
    assert rules.disclosure(silent, rule, Known(generated=False)).held
    assert rules.disclosure(silent, rule, Known(generated=True)).broken
    assert rules.disclosure(says("humanEdits"), rule, Known(generated=True)).broken
    assert rules.disclosure(says("trainedAlgorithmicMedia"), rule, Known(generated=True)).held


# ---------------------------------------------------------------- sets


def test_missing_views_and_doubles(tmp_path):
    one, two = sets.thumb(product()), sets.thumb(product(fill=0.4))
    there = [
        sets.Written(path=tmp_path / name, thumb=thumb)
        for name, thumb in (("A_front.jpg", one), ("A_back.jpg", two), ("B_front.jpg", one))
    ]
    lacking = sets.missing(
        there, sets.Missing(item=r"(?P<item>.+)_(?P<view>\w+)", views=("front", "back"), items=("C",))
    )
    assert [a.value for _, a in lacking] == ["B", "C"]
    assert [path.name for path, _ in sets.double(there, sets.Double())] == ["B_front.jpg"]
    assert sets.double(there[:2], sets.Double())[0][1].held


def test_one_thing_in_two_colours_is_no_double(tmp_path):
    red = np.full((240, 240, 3), 255, np.uint8)
    green = red.copy()
    red[40:200, 60:180], green[40:200, 60:180] = (200, 60, 60), (60, 130, 90)
    both = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[100, 100] for p in (red, green)]
    assert abs(int(both[0]) - int(both[1])) <= sets.TWICE, "alike in grey"
    there = [sets.Written(path=tmp_path / f"{n}.jpg", thumb=sets.thumb(p)) for n, p in (("r", red), ("g", green))]
    assert sets.double(there, sets.Double())[0][1].held


# ---------------------------------------------------------------- files of rules


def test_a_client_has_channels_swatches_and_forbidden_operators(tmp_path):
    path = tmp_path / "acme.toml"
    path.write_text(
        'schema = "safelight.client/1"\nclient = "Acme"\nchannels = ["web"]\nforbidden = ["tone"]\n'
        '[swatch.red]\ncolour = "#C8102E"\n[name]\nonly = "*.png"\npattern = "ACME.*"\n',
        "utf-8",
    )
    own, web = channels.client(path)
    assert (own.name, web.name) == ("Acme", "web")
    answers = channels.examine(file(tmp_path, product()), [own], record=Known(operators=("tone", "crop")))
    assert [a.rule for a in answers] == ["Acme.swatch.red", "Acme.forbidden"], "names of JPEGs are free"
    assert answers[1].value == ["tone"]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("[backgrund]\nshare = 1", 2, "'backgrund' is no rule"),
        ("[size]\nlong_least = 5\nlong_leest = 4", 4, "no setting 'long_leest'"),
        ("[fill]\n\nleast = 2", 4, "least must lie in 0 to 1"),
        ("[fill]\nleast = 'much'", 3, "least must be a finite number"),
        ("[ratio]\nallowed = ['4x5']", 3, "'4x5' is no ratio"),
        ("[name]\npattern = '('", 3, "no regular expression"),
        ("fill = 3", 2, "'fill' is a table"),
        ("[whole]\nmay_touch = ['floor']", 3, "may_touch holds 'floor'"),
        ("colour = 1", 2, "'colour' is no rule"),
    ],
)
def test_what_is_not_understood_is_named_with_its_line(text, line, told):
    with pytest.raises(UsageError, match=rf"^shop\.toml, line {line}: .*{told}") as error:
        book.parse('schema = "safelight.channel/1"\n' + text, "shop", shown="shop.toml")
    assert error.value.remedy or "must" in error.value.cause


def test_an_operator_that_is_not_known_cannot_be_forbidden():
    text = 'schema = "safelight.client/1"\nclient = "Acme"\nforbidden = ["tone", "black_and_wite"]\n'
    with pytest.raises(UsageError, match=r"^client\.toml, line 3: 'black_and_wite' is no operator") as error:
        book.parse(text, "acme", shown="client.toml", schema=book.CLIENT)
    assert "black_and_white" in error.value.remedy


def test_other_files_of_rules_are_refused(tmp_path):
    for text, told in (("[fill]", "schema"), ("fill = [", "TOML")):
        with pytest.raises(UsageError, match=told):
            book.parse(text, "x", shown="x.toml")
    with pytest.raises(UsageError, match="not a channel"):
        channels.channel("amazn")
    with pytest.raises(UsageError, match="cannot be read"):
        channels.client(tmp_path / "none.toml")


def test_the_files_shown_in_the_manual_work():
    import re

    from tests.docs import page

    shown = re.findall(r"```toml\n(.*?)```", page("channels.md"), flags=re.DOTALL)
    own = book.parse(shown[0], "shop", shown="shop.toml")[0]
    assert {rule.name for rule in (*own.rules, *own.set_rules)} == {*rules.RULES, *sets.SET_RULES}
    client = book.parse(shown[1], "acme", shown="client.toml", schema=book.CLIENT)
    assert [c.name for c in client] == ["Acme", "amazon", "shopify"]
    for name in (*rules.RULES, *sets.SET_RULES, *channels.known()):
        assert f"`{name}`" in page("channels.md"), name
