"""What picks teach, from verdicts and ratings to the next run."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from safelight import plugins, sidecars, style
from safelight.cli import cli
from safelight.domain import Cull, Genre, Group, GroupKind, Say, Verdict
from safelight.errors import UsageError
from safelight.line import Options
from safelight.media import xmp
from safelight.operators import Wishes
from safelight.store import records, styles
from safelight.store.objects import ShootFolder
from tests.unit.test_cull import subject

INLINE = Options(engine="inline")
GROUP = Group(id="g", kind=GroupKind.BURST, members=("a", "b", "c"), by="t")


def verdict(decision, *, say=Say.MODIFY, by="ann", bundled=1, group=None):
    return Verdict(
        at="2026", by=by, asset="a", shoot="s", operator="cull", version=2, say=say, bundled=bundled, together=group,
        params={"decision": decision, "tie_with": "", "taste": ""},
    )  # fmt: skip


class Told:
    """A photo as far as picks go."""

    def __init__(self, verdict=None, stars=None):
        self.standing = {"cull": verdict} if verdict else {}
        self.facts = {"rating": type("M", (), {"value": stars})} if stars is not None else {}


def picked(*photos):
    return style.picked(photos, GROUP, "cull")


def test_what_was_kept_is_preferred_to_what_went():
    better, picks = picked(Told(verdict("keep")), Told(verdict("reject")), Told())
    assert (better, picks) == (((0, 1),), {0})


def test_stars_tell_apart_what_was_kept():
    better, picks = picked(Told(verdict("keep"), 5), Told(verdict("keep"), 3), Told(verdict("reject"), 5))
    assert set(better) == {(0, 1), (0, 2), (1, 2)}
    assert picks == {0}


def test_stars_alone_are_picks():
    better, picks = picked(Told(stars=1), Told(stars=4), Told())
    assert (better, picks) == (((1, 0),), {1})


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (verdict("keep", say=Say.APPROVE, group="g", bundled=2000), True),
        (verdict("keep", say=Say.APPROVE, bundled=3), True),
        (verdict("keep", say=Say.APPROVE, bundled=2000), False),
        (verdict("keep", say=Say.MODIFY, bundled=2000), True),
        (verdict("keep", by="policy:cull"), False),
        (verdict("undecided"), False),
        (verdict("keep", say=Say.REJECT), False),
    ],
)
def test_what_nobody_looked_at_is_no_pick(one, counts):
    better, _ = picked(Told(one), Told(verdict("reject")))
    assert bool(better) is counts


def test_a_group_of_which_all_stays_teaches_nothing():
    assert picked(Told(verdict("keep")), Told(verdict("keep")))[0] == ()


def test_nothing_to_learn_from_is_said(library):
    with pytest.raises(UsageError, match="No picks"):
        style.learn(library.store, "cull", by="ann")
    with pytest.raises(UsageError, match="cannot learn"):
        style.learn(library.store, "exposure", by="ann")


def test_what_is_not_better_is_kept_and_not_used(library, make_shoot):
    folder = make_shoot(0, burst=4)
    library.run(folder, options=INLINE)
    state = library.state(folder)
    first, *rest = sorted(state.photos)
    library.verdict(folder, [first], operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    library.verdict(folder, rest, operator="cull", say="modify", params={"decision": "reject"}, by="ann")
    row = style.learn(library.store, "cull", by="ann")
    assert row["used"] is False
    assert row["report"]["groups"] == 1
    assert row["report"]["picks"]["n"] == 1
    assert "Not used" in style.words(row)
    assert style.taste(library.store) is None
    assert not library.run(folder, options=INLINE).looked


def test_a_taste_that_is_used_orders_the_next_run_and_is_named(library, make_shoot):
    folder = make_shoot(0, burst=3)
    library.run(folder, options=INLINE)
    assert not library.run(folder, options=INLINE).changed
    before = {name: p.decision for name, p in library.state(folder).photos.items()}
    weights = dict.fromkeys(plugins.operator("cull").learns.prior, 0.0) | {"sharpness": -50.0}
    styles.save_style(
        library.store,
        styles.Style(id="blurry", task="cull", body={"weights": weights}, report={}, used=True, by="ann"),
    )
    assert library.run(folder, options=INLINE).changed
    assert not library.run(folder, options=INLINE).changed
    photos = library.state(folder).photos
    assert {p.proposals["cull"].edit.params["taste"] for p in photos.values()} == {"blurry"}
    assert {name: p.decision for name, p in photos.items()} != before


def test_stars_in_sidecars_are_picks(library, make_shoot):
    folder = make_shoot(1, burst=3)
    library.run(folder, options=INLINE)
    (group,) = [g for g in library.state(folder).groups if g.kind is GroupKind.BURST]
    paths = {m: library.state(folder).photos[m].path for m in group.members}
    for member, stars in zip(group.members, (3, 5, -1), strict=True):
        packet = xmp.Packet.parse(None)
        packet.set("xmp:Rating", str(stars))
        (folder / f"{paths[member]}.xmp").write_bytes(packet.to_bytes())
    sidecars.sync(library.store, ShootFolder.at(folder), library.state(folder), by="ben")
    op = plugins.operator("cull")
    ((choice, _),) = style.choices(library.store, op, op.learns)
    assert set(choice.better) == {(1, 0), (1, 2), (0, 2)}
    assert choice.picks == {1}
    assert choice.values.shape == (3, len(op.learns.prior))


def test_the_order_by_path_of_equals_is_no_taste():
    same = [subject(name) for name in "ab"]
    values = plugins.operator("cull").learns.values(same)
    assert np.array_equal(values[0], values[1], equal_nan=True)


def test_the_command_line_learns_reports_and_lists(library, make_shoot, tmp_path):
    folder = make_shoot(0, burst=4)
    library.run(folder, options=INLINE)
    first = min(p.path for p in library.state(folder).photos.values())
    where = ["--library", str(library.store.folder)]

    def run(*arguments, code=0):
        result = CliRunner().invoke(cli, [*arguments, *where], standalone_mode=False)
        assert result.return_value == code, result.output
        return result.output

    assert "Nothing has been learned" in run("style", "list")
    run("verdict", str(folder / first), "--best")
    assert "1 group of 1 shoot" in run("style", "learn")
    found = json.loads(run("style", "report", "--json"))
    assert found["schema"] == "safelight.style/1"
    assert found["styles"][-1]["used"] is False
    assert "cull" in run("style", "list")


def kept(library, folder):
    return sum(p.decision is Cull.KEEP for p in library.state(folder).photos.values())


def test_what_is_asked_of_a_shoot_holds_until_it_is_asked_otherwise(library, make_shoot):
    folder = make_shoot(4)
    asked = Options(engine="inline", wishes=Wishes(target=2, genre=Genre.SPORT))
    library.run(folder, options=asked)
    assert kept(library, folder) == 2
    again = library.run(folder, options=INLINE)
    assert not again.changed, "what was asked before still holds"
    assert library.state(folder).asked == records.Asked(target=2, genre=Genre.SPORT)
    other = library.run(folder, options=Options(engine="inline", forget=("target",)))
    assert other.changed
    assert library.state(folder).asked == records.Asked(target=None, genre=Genre.SPORT)
    assert kept(library, folder) > 2
