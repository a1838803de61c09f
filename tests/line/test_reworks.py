"""What is done to the pictures of clips: shake and passers-by, judged and undone, taken out where a film is made."""

from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from safelight import deliver, effects, filming, rough, steady
from safelight.cutting.cutaways import Other
from safelight.domain import Say, State, Zone
from safelight.explain import words
from safelight.line import Options
from safelight.media import film_xmp
from safelight.media.effects import Clear, Steady
from safelight.probes.shots import Into, Join
from tests import judged
from tests.unit import test_clearing, test_steady

ONLY = Options(engine="inline", only=("steady",))


pytestmark = pytest.mark.usefixtures("in_process")


def shoot(library, folder, frames, **more):
    """A shoot of one clip of these frames."""
    folder.mkdir()
    test_steady.write(folder / "clip.mp4", frames, **more)
    library.run(folder, options=ONLY)
    return folder


the_clip = partial(judged.the_clip, path="clip.mp4")
say = partial(judged.say, path="clip.mp4")


def film(library, folder, out, *spans, decided=True):
    """The clip, or these seconds of it, as a film with what was decided."""
    passages = tuple(rough.Passage(start=Fraction(a), end=Fraction(b)) for a, b in spans)
    wanted = rough.Wanted(decided=decided, passages=passages)
    cut = rough.cut([(folder / "clip.mp4", the_clip(library, folder))], wanted, listen=False)
    return cut, filming.render(cut.made, out)


def shake(path, first=0, end=None):
    seen = steady.track(path)
    part = seen.part(first, end if end is not None else len(seen))
    return steady.shake_of(part.path, part.rate)


def test_a_handheld_clip_is_offered_steadying_and_steadied_in_a_film_alone(library, tmp_path, mark_times):
    folder = shoot(library, tmp_path / "hand", test_steady.seen(test_steady.place(), test_steady.hand()), sound_s=2)
    before = mark_times(folder)
    clip = the_clip(library, folder)
    assert clip.proposals["steady"].zone is Zone.REVIEW
    assert clip.open_questions() == ["steady"]
    (listed,) = effects.listed(clip)
    assert (listed.state, listed.text) == (
        State.PROPOSED, "shake taken out over 0.5 s, at most 10% of the width cut off",
    )  # fmt: skip
    assert listed.because[0].startswith("Shot 1 of 1 is ")
    assert len(listed.choices) == 2
    assert "steady: proposed." in words(library.explain("clip.mp4", folder=folder))
    was = shake(folder / "clip.mp4")
    assert effects.of(clip) == (), "it waits"

    say(library, folder, "steady")
    assert "steady, said by Ada: shake taken out over 0.5 s" in words(library.explain("clip.mp4", folder=folder))
    cut, done = film(library, folder, tmp_path / "calm.mp4")
    assert shake(tmp_path / "calm.mp4") < 0.25 * was
    faults = {m.name: m.value for m in done.measures if m.unit == "fault"}
    assert faults == {"steady.not_done": 0.0, "steady.still_shakes": 0.0}
    assert any("of shake became" in note for note in done.notes)
    assert any("its shake is taken out" in note for note in done.notes), "why it is encoded anew"
    assert b"algorithmicallyEnhanced" in (film_xmp.read(tmp_path / "calm.mp4") or b"")
    (loss,) = effects.lost(cut.made)
    assert loss.startswith("clip.mp4 looks as it was filmed here; a film that Safelight renders has: shake taken out")

    say(library, folder, "steady", Say.MODIFY, params={"strength_s": 1.0, "crop": 0.05})
    assert effects.of(the_clip(library, folder))[0].settings == Steady(strength_s=1.0, crop=0.05)
    say(library, folder, "steady", Say.UNDO)
    say(library, folder, "steady", Say.UNDO)
    assert effects.of(the_clip(library, folder)) == ()
    assert mark_times(folder) == before, "originals are only read"


def test_a_delivery_measures_what_is_left_of_shake(library, tmp_path):
    folder = shoot(library, tmp_path / "hand", test_steady.seen(test_steady.place(), test_steady.hand()), sound_s=2)
    say(library, folder, "steady")
    order = deliver.Order(to=tmp_path / "out", films="web_video", draft=True)
    made = library.deliver(folder, tmp_path / "out", order=order)
    row = next(file for file in made["files"] if file["kind"] == "film")
    found = {c["name"]: c["value"] for c in row["checks"]}
    assert (found["steady.still_shakes"], found["steady.wrong_effect"]) == (0, 0)
    assert 0 < found["steady.left"] < 0.3
    losses = next(file for file in made["files"] if file["kind"] == "timeline")["losses"]
    assert any("looks as it was filmed here" in loss for loss in losses)


def test_pieces_of_a_clip_are_steadied_each_by_itself_in_one_size(library, tmp_path):
    path = test_steady.hand(frames=100)
    path[50:, 0] += 0.3  # the hand goes elsewhere in a stretch that is cut out
    rgb = test_steady.place(size=(640, 300))
    folder = shoot(library, tmp_path / "hand", test_steady.seen(rgb, path))
    say(library, folder, "steady", Say.MODIFY, params={"strength_s": 0.5})
    _, done = film(library, folder, tmp_path / "calm.mov", (0, Fraction(8, 5)), (Fraction(12, 5), 4))
    was = [shake(folder / "clip.mp4", *part) for part in ((0, 40), (60, 100))]
    now = [shake(tmp_path / "calm.mov", *part) for part in ((0, 40), (40, 80))]
    assert all(two < 0.3 * one for one, two in zip(was, now, strict=True))
    faults = {m.name: m.value for m in done.measures if m.unit == "fault"}
    assert faults == {"steady.not_done": 0.0, "steady.still_shakes": 0.0}


def test_what_a_rolled_join_holds_is_steadied_too_and_a_cutaway_is_not_measured(library, tmp_path):
    path = test_steady.hand(frames=100)
    path[55:, 0] += 0.3
    rgb = test_steady.place(size=(640, 300))
    folder = shoot(library, tmp_path / "hand", test_steady.seen(rgb, path))
    say(library, folder, "steady", Say.MODIFY, params={"strength_s": 0.5})
    say(library, folder, "split", Say.MODIFY, params={"marks": [{"name": "a", "at": "12/5", "by": "8/25"}]})
    clip = the_clip(library, folder)
    mark = {"name": "a", "at": "3/25", "length": "8/25", "source": clip.id, "start": "3/1"}
    say(library, folder, "cutaways", Say.MODIFY, params={"marks": [mark]})
    passages = tuple(rough.Passage(start=a, end=b) for a, b in ((Fraction(0), Fraction(8, 5)), (Fraction(12, 5), None)))
    wanted = rough.Wanted(decided=True, passages=passages, beside={clip.id: Other(path=folder / "clip.mp4")})
    cut = rough.cut([(folder / "clip.mp4", the_clip(library, folder))], wanted, listen=False)
    assert (cut.made.rolled, len(cut.made.covers)) == ({1: 8}, 1)
    done = filming.render(cut.made, tmp_path / "calm.mov")
    was = [shake(folder / "clip.mp4", *part) for part in ((12, 48), (68, 100))]
    now = [shake(tmp_path / "calm.mov", *part) for part in ((12, 48), (48, 80))]
    assert all(two < 0.3 * one for one, two in zip(was, now, strict=True))
    faults = {m.name: m.value for m in done.measures if m.unit == "fault"}
    assert faults == {"steady.not_done": 0.0, "steady.still_shakes": 0.0}


def followed(path, joins=()):
    """What was seen of a camera on such a path."""
    frames = len(path)
    return steady.Track(
        picture=SimpleNamespace(fields=None), rate=25.0, height=0.5625,
        steps=np.diff(path, axis=0, prepend=path[:1]), bends=np.zeros((frames, 2)), agree=np.ones(frames),
        known=np.ones(frames, bool), joins=tuple(joins), notes=(),
    )  # fmt: skip


def test_shots_have_paths_of_their_own_and_a_dissolve_leads_from_one_to_the_other():
    one, two = (test_steady.hand(frames=40, seed=seed) for seed in (1, 2))
    path = np.concatenate([one, np.full((10, 4), 0.2), two + 0.4])
    join = Join(into=Into.DISSOLVE, start=40, frame=50, score=0.9)
    found = steady.calm(followed(path, [join]), [(0, 90)], Steady())
    assert [(s.first, s.end, s.why) for s in found.spans] == [(0, 40, None), (50, 90, None)]
    alone = steady.plan(followed(one))
    assert np.allclose(found.moves[:40], alone.moves)
    assert found.zooms[0] == pytest.approx(alone.zoom)
    steps = np.abs(np.diff(found.moves[39:51], axis=0))
    assert np.allclose(steps, steps[0]), "evenly"
    assert found.crop == pytest.approx(1 - 1 / found.zooms.max())


def test_pieces_that_are_left_alone_keep_the_size_of_their_shot():
    found = steady.calm(followed(test_steady.hand(frames=90)), [(0, 50), (60, 65), (70, 90)], Steady())
    assert [s.why for s in found.spans] == [None, "the shot is too short", None]
    assert len(set(found.zooms[[10, 62, 80]])) == 1
    assert not found.moves[50:70].any()


def test_what_stands_or_pans_is_not_offered_steadying(library, tmp_path):
    still = shoot(library, tmp_path / "still", test_steady.seen(test_steady.place(), test_steady.hand(0.0001)))
    pan = shoot(library, tmp_path / "pan", test_steady.pan())
    assert "steady" not in the_clip(library, still).proposals
    assert "steady" not in the_clip(library, pan).proposals


def test_a_clip_that_cannot_be_steadied_is_left_as_it_was_and_told(library, tmp_path):
    folder = shoot(library, tmp_path / "pan", test_steady.pan())
    say(library, folder, "steady", Say.MODIFY, params={"strength_s": 0.5})
    _, done = film(library, folder, tmp_path / "pan.mp4")
    assert any("which may be meant" in note for note in done.notes)
    assert {m.name: m.value for m in done.measures} == {"steady.not_done": 1.0}
    assert not any("encoded anew: its shake" in note for note in done.notes)


# ---------------------------------------------------------------- passers-by


def test_passers_by_are_taken_out_where_somebody_asks(library, tmp_path):
    pairs = list(test_clearing.street())
    folder = shoot(library, tmp_path / "street", [seen for seen, _ in pairs], sound_s=1.6)
    assert "clear" not in the_clip(library, folder).proposals
    say(library, folder, "clear", Say.MODIFY, params={"who": "passers_by"})
    (listed,) = effects.listed(the_clip(library, folder))
    assert (listed.operator, listed.text) == ("clear", "who passes taken out")
    cut, done = film(library, folder, tmp_path / "empty.mp4")
    before = test_clearing.off(folder / "clip.mp4", pairs)
    assert test_clearing.off(tmp_path / "empty.mp4", pairs) < 0.4 * before
    assert {m.name: m.value for m in done.measures} == {"clear.not_done": 0.0, "clear.changed": 1.0}
    assert b"compositeCapture" in (film_xmp.read(tmp_path / "empty.mp4") or b"")
    assert "who passes taken out" in effects.lost(cut.made)[0]
    order = deliver.Order(to=tmp_path / "out", films="web_video", draft=True)
    row = next(f for f in library.deliver(folder, tmp_path / "out", order=order)["files"] if f["kind"] == "film")
    assert "clear.changed" in row["gate"]["open"], "somebody looks at all of it"
    say(library, folder, "clear", Say.UNDO)
    assert effects.of(the_clip(library, folder)) == ()


def test_who_cannot_be_taken_out_is_told_with_the_film(library, tmp_path):
    turning = test_clearing.street(camera=lambda k: (2 * k - 40, 0), who=lambda _: -60)
    folder = shoot(library, tmp_path / "street", [seen for seen, _ in turning])
    say(library, folder, "clear", Say.MODIFY, params={"who": "passers_by", "where": [0, 0, 100, 100]})
    assert effects.of(the_clip(library, folder))[0].settings == Clear(where=(0, 0, 100, 100))
    _, done = film(library, folder, tmp_path / "empty.mp4")
    assert {m.name: m.value for m in done.measures} == {"clear.not_done": 1.0, "clear.changed": 0.0}
    assert any("nobody is taken out: " in note for note in done.notes)
