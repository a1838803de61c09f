"""Cuts of clips on the record: proposed, explained, judged whole and one by one, undone, counted."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from safelight import blind, cuts, ledger, queue, relistening, summary, verdicts
from safelight.cli import cli
from safelight.cuts import Answer
from safelight.domain import Drawn, Measure, Say, State, Zone
from safelight.errors import UsageError
from safelight.explain import words
from safelight.line import Options
from safelight.state import heard_back
from safelight.store import records, schema
from safelight.store.library import now
from safelight.store.objects import ShootFolder
from safelight.verdicts import Saying
from tests import made_talk

INLINE = Options(engine="inline", only=("cull",))


@pytest.fixture
def folder(library, tmp_path):
    return made_talk.shoot(library, tmp_path / "talk")


def the_clip(library, folder):
    return library.state(folder).clips["talk.wav"]


def saying(say=Say.MODIFY, **more):
    return Saying(say=say, by="Ada", **more)


def decide(library, folder, said):
    state = library.state(folder)
    return verdicts.decide(library.store, state, [state.clips["talk.wav"]], said)


def tightening(clip):
    return next(one for one in cuts.listed(clip) if one.operator == "tighten")


def test_a_run_proposes_cuts_and_says_why(library, folder):
    clip = the_clip(library, folder)
    assert set(clip.proposals) == {"tighten", "retakes"}
    assert {p.zone for p in clip.proposals.values()} == {Zone.REVIEW}
    assert clip.open_questions() == ["retakes", "tighten"]
    entry = library.explain("talk.wav", folder=folder)
    by_name = {p["operator"]: p for p in entry["proposals"]}
    assert by_name["tighten"]["state"] == "proposed"
    assert len(by_name["tighten"]["alternatives"]) == 2, "the two other paces"
    assert any("becomes" in b["text"] for b in by_name["tighten"]["because"])
    assert any("broken off" in b["text"] for b in by_name["retakes"]["because"])
    assert "tighten: proposed" in words(entry)
    kept = cuts.kept(clip, proposed=True)
    assert cuts.kept(clip) == [(0, 300)], "nothing is cut before somebody says so"
    spoken = [(a, b) for text, a, b in made_talk.SAID[4:]]
    assert all(any(x <= a * 25 and b * 25 <= y for x, y in kept) for a, b in spoken), "no word of a take that stays"
    assert all(y <= 0.5 * 25 or x >= 2.2 * 25 for x, y in kept[1:]), "the first take is gone"


def test_cuts_wait_in_the_queue_and_are_answered_there(library, folder):
    state, waiting = library.queue(folder)
    items = {item.operator: item for item in waiting.items}
    assert set(items) == {"tighten", "retakes"}
    assert summary.of_status(state, waiting)["cuts"] == {"clips": 1, "waiting": 1}
    rules = ledger.rules(library.store)
    photos_alone = queue.waiting(library.store, state, ShootFolder.at(folder), rules)
    assert not photos_alone.items, "who asks for photos gets photos"
    (said,) = queue.answer(library.store, state, items["tighten"], saying(Say.APPROVE))
    assert (said.operator, said.say, said.upon) == ("tighten", Say.APPROVE, None)
    clip = the_clip(library, folder)
    assert clip.state("tighten") is State.APPROVED
    assert clip.open_questions() == ["retakes"]
    assert len(cuts.kept(clip)) > 1


def test_the_command_answers_for_clips(library, folder):
    named = [str(folder / "talk.wav"), "--library", str(library.store.folder), "--by", "Ada"]
    done = CliRunner().invoke(cli, ["verdict", *named, "--say", "approve"])
    assert (done.exit_code, done.output.splitlines()[0]) == (0, "2 answered.")
    params = json.dumps({"cuts": [{"name": "own", "start": "5/2", "end": "3/1"}]})
    done = CliRunner().invoke(cli, ["verdict", *named, "--operator", "tighten", "--say", "modify", "--params", params])
    assert done.exit_code == 0, done.output
    assert [(c.name, c.state) for c in tightening(the_clip(library, folder)).cuts if c.goes] == [("own", "added")]
    done = CliRunner().invoke(cli, ["verdict", *named, "--operator", "tighten", "--say", "undo"])
    assert the_clip(library, folder).state("tighten") is State.APPROVED
    done = CliRunner().invoke(cli, ["verdict", *named, "--operator", "exposure", "--say", "approve"])
    assert "it is about photos" in done.output


def test_single_answers_are_one_edit_that_stays_open(library, folder):
    before = tightening(the_clip(library, folder))
    first, second, *rest = (c.name for c in before.cuts)
    for answer in (Answer(name=first, say="drop"), Answer(name=second, say="approve")):
        decide(library, folder, cuts.answered(the_clip(library, folder), "tighten", [answer], saying()))
    clip = the_clip(library, folder)
    states = {c.name: c.state for c in tightening(clip).cuts}
    assert states == {first: "dropped", second: "approved", **dict.fromkeys(rest, "proposed")}
    assert "tighten" in clip.open_questions(), "the rest was not looked at"
    verdicts.undo_last(library.store, library.state(folder), by="Ada")
    assert tightening(the_clip(library, folder)).cuts[1].state == "proposed"
    assert tightening(the_clip(library, folder)).cuts[0].state == "dropped"


def test_all_approved_one_by_one_is_an_approval(library, folder):
    clip = the_clip(library, folder)
    answers = [Answer(name=c.name, say="approve") for c in tightening(clip).cuts]
    said = decide(library, folder, cuts.answered(clip, "tighten", answers, saying())).verdicts
    assert [v.say for v in said] == [Say.APPROVE]
    assert "tighten" not in the_clip(library, folder).open_questions()


@pytest.mark.parametrize(("shorter", "material"), [(2, False), (26, True)])
def test_moves_are_material_by_what_goes(library, folder, shorter, material):
    clip = the_clip(library, folder)
    first, *rest = tightening(clip).cuts
    answers = [Answer(name=first.name, say="move", start=first.start + shorter, end=first.end)]
    answers += [Answer(name=c.name, say="approve") for c in rest]
    (said,) = decide(library, folder, cuts.answered(clip, "tighten", answers, saying())).verdicts
    assert (said.say, said.material) == (Say.MODIFY, material)


def test_what_cannot_be_meant_is_refused(library, folder):
    clip = the_clip(library, folder)
    name = tightening(clip).cuts[0].name
    for answer, why in (
        (Answer(name="nothing", say="drop"), "no cut"),
        (Answer(name=name, say="move", start=20, end=10), "cannot go from"),
        (Answer(name=name, say="move", start=0, end=10_000), "cannot go from"),
        (Answer(name=name, say="move", start=0, end=299), "follow each other"),
    ):
        with pytest.raises(UsageError, match=why):
            cuts.answered(clip, "tighten", [answer], saying())
    with pytest.raises(UsageError, match="cuts nothing"):
        cuts.answered(clip, "trim", [Answer(name=name, say="drop")], saying())
    with pytest.raises(UsageError, match="not offered"):
        cuts.at_pace(clip, "brisk", saying())
    with pytest.raises(UsageError, match="not there"):
        cuts.strike(clip, [(12, 20)], saying())


def test_another_pace_is_open_until_it_is_looked_at(library, folder):
    decide(library, folder, cuts.at_pace(the_clip(library, folder), "fast", saying()))
    one = tightening(the_clip(library, folder))
    assert (one.pace, {c.state for c in one.cuts}) == ("fast", {"proposed"})
    assert all(c.text and c.evidence for c in one.cuts), "its reasons follow from the evidence"
    assert "tighten" in the_clip(library, folder).open_questions()


def test_words_are_struck_and_taken_in_again(library, folder):
    clip = the_clip(library, folder)
    chosen, left = cuts.strike(clip, [(10, 13)], saying())
    assert not left
    decide(library, folder, chosen)
    clip = the_clip(library, folder)
    assert cuts.struck(clip) == [(10, 13)]
    assert not any(a < 10.8 * 25 and b > 9 * 25 for a, b in cuts.kept(clip))
    chosen, left = cuts.strike(clip, [(11, 12)], saying(), back=True)
    assert len(left) == 2, "comes runs into its neighbours"
    decide(library, folder, chosen)
    assert cuts.struck(the_clip(library, folder)) == [(10, 11), (12, 13)]
    chosen, _ = cuts.strike(the_clip(library, folder), [(0, 13)], saying(), back=True)
    decide(library, folder, chosen)
    assert cuts.kept(the_clip(library, folder)) == [(0, 300)]


def test_a_reject_leaves_the_clip_whole_and_counts(library, folder):
    decide(library, folder, saying(Say.REJECT, operators=("tighten",), reason="pace"))
    clip = the_clip(library, folder)
    assert cuts.kept(clip) == [(0, 300)]
    assert {c.state for c in tightening(clip).cuts} == {"dropped"}
    cells = {c["task"]: c for c in ledger.document(library.store)["cells"]}
    assert "tighten" in cells


def test_copies_of_a_clip_share_what_was_said(library, folder):
    (folder / "again.wav").write_bytes((folder / "talk.wav").read_bytes())
    library.run(folder, options=INLINE)
    decide(library, folder, saying(Say.REJECT, operators=("retakes",)))
    state = library.state(folder)
    assert {state.clips[n].state("retakes") for n in ("talk.wav", "again.wav")} == {State.REJECTED}
    assert len(state.footage) == 1


def test_what_is_heard_otherwise_at_the_joins_stands_beside_the_cuts(library, folder, monkeypatch):
    clip = the_clip(library, folder)
    assert heard_back(library.store, clip) is None
    job = relistening.Relisten(
        asset=clip.id, version=clip.cut(proposed=True).id, full=folder / clip.path, words=cuts.words(clip),
        kept=tuple(cuts.kept(clip, proposed=True)), **cuts.counted(clip),
    )  # fmt: skip
    monkeypatch.setattr(relistening.weights, "installed", dict)
    assert "not installed" in relistening.relisten(job).measure.cannot_tell
    told = {
        "frame": 50,
        "at": 40,
        "expected": "bread.",
        "heard": "",
        "text": "“bread.” should be heard here, and is not.",
    }
    value = {"joins": 2, "expected": 9, "found": 8, "differences": [told]}
    measures = [Measure(name="cut.heard_back", value=value)]
    records.save_evidence(library.store, [(job.version, relistening.HEARD_BACK, "made", measures)])
    clip = the_clip(library, folder)
    (doubt,) = cuts.told_back(clip, heard_back(library.store, clip))
    assert (doubt.start, doubt.rule) == (50, "heard_back")
    told = library.explain("talk.wav", folder=folder)
    assert "8 of 9 words are heard" in words(told)
    assert told["not_measured"]["emotional_tone"].startswith("Not measured")
    left = cuts.answered(clip, doubt.operator, [cuts.Answer(name=doubt.name, say="leave")], saying(Say.MODIFY))
    decide(library, folder, left)
    clip = the_clip(library, folder)
    (doubt,) = cuts.told_back(clip, heard_back(library.store, clip))
    assert doubt.stays, "the cut is the same, so what was heard of it holds; and somebody has said that it is right"
    decide(library, folder, saying(Say.REJECT, operators=("retakes",)))
    assert heard_back(library.store, the_clip(library, folder)) is None, "another cut has joins of its own"


def test_without_words_it_says_so_and_without_speech_nothing(library, folder):
    clip = the_clip(library, folder)
    known = cuts.talk(clip)
    assert known.rate == 25
    silent = {**clip.facts, "words": replace(clip.facts["words"], value=None, cannot_tell="nobody speaks"),
              "speech": replace(clip.facts["speech"], value=[])}  # fmt: skip
    with pytest.raises(UsageError, match="Nobody is known to speak"):
        cuts.talk(replace(clip, facts=silent))
    unheard = {**silent, "speech": replace(clip.facts["speech"], value=None, cannot_tell="no weights")}
    with pytest.raises(UsageError, match="not known"):
        cuts.talk(replace(clip, facts=unheard))


def test_a_clip_that_is_judged_blind_tells_no_cut(library, folder):
    """Where controls are drawn among clips: no cut is told, in no way of looking, and no answer can mean one."""
    state = library.state(folder)
    shown = library.explain("talk.wav", folder=folder)
    row = {"shoot": state.shoot.id, "asset": state.clips["talk.wav"].id, "operator": "tighten", "drawn": "control",
           "seed": state.shoot.id, "share": 0.05, "lot": None, "at": now()}  # fmt: skip
    library.store.append(schema.draws, [row])
    told = library.explain("talk.wav", folder=folder)
    by_name = {p["operator"]: p for p in told["proposals"]}
    assert (by_name["tighten"]["blind"], by_name["tighten"]["params"]["cuts"]) == (True, [])
    assert [b["text"] for b in by_name["tighten"]["because"]] == [blind.TEXT]
    assert by_name["retakes"] == next(p for p in shown["proposals"] if p["operator"] == "retakes")
    assert blind.TEXT in words(told)
    seen = blind.seen_state(state, blind.veil(library.store, state.shoot.id))
    assert not [c for one in cuts.listed(seen.clips["talk.wav"]) if one.operator == "tighten" for c in one.cuts]
    said = decide(library, folder, saying(Say.APPROVE))
    assert [(left[1], left[2]) for left in said.left] == [("tighten", verdicts.NOT_SHOWN)]
    assert [v.operator for v in said.verdicts] == ["retakes"]
    mine = saying(params={"cuts": [{"name": "own", "start": "5/2", "end": "3/1"}]}, operators=("tighten",))
    assert [v.drawn for v in decide(library, folder, mine).verdicts] == [Drawn.CONTROL]
    assert not next(p for p in library.explain("talk.wav", folder=folder)["proposals"])["blind"]
