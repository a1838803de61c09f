"""A made talk whose words are known: bursts of a voice over a room, and what a run would have heard in them."""

import numpy as np

from safelight import ledger, listening, propose
from safelight.cutting import level
from safelight.domain import Measure
from safelight.line import Options
from safelight.media import container
from safelight.operators import Wishes
from safelight.store import records
from tests.made_clips import make_clip, make_sound

RATE = level.RATE
PASS = Options(engine="inline", only=("cull",))
SAID = (  # text, start, end: seconds
    ("We", 0.5, 0.7), ("begin", 0.8, 1.3), ("with", 1.4, 1.6), ("bread.", 1.7, 2.2),
    ("We", 4.0, 4.2), ("begin", 4.3, 4.8), ("with", 4.9, 5.1), ("bread", 5.2, 5.6),
    ("and", 5.7, 5.9), ("salt.", 6.0, 6.6),
    ("Then", 9.0, 9.4), ("comes", 9.5, 10.0), ("water.", 10.1, 10.8),
)  # fmt: skip
SECONDS = 12.0
NOTHING = (Measure(name="words", cannot_tell="it has no sound"), Measure(name="speech", value=[]))


def wave(*, seconds=SECONDS, said=SAID, room=1e-3, seed=1):
    """The talk at 48 kHz: hum and hiss where a word is, the room elsewhere."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    sound = rng.normal(0, room, len(t))
    for _, start, end in said:
        part = (t >= start) & (t < end)
        sound[part] += 0.1 * np.sin(2 * np.pi * 180 * t[part]) + rng.normal(0, 0.05, part.sum())
    return sound.astype(np.float32)


def save(folder, name="talk.wav"):
    """The talk as a sound, or, for a name that ends in .mov, with a picture."""
    folder.mkdir(exist_ok=True)
    if not name.endswith(".mov"):
        return make_sound(folder / name, wave())
    return make_clip(folder / name, frames=int(SECONDS * 25), options={"g": "12"}, heard=wave())


def heard(said=SAID, *, seconds=SECONDS):
    """What listening keeps of the talk."""
    rows = [
        {"text": t, "start": a, "end": b, "confidence": 0.9, "timed": "aligned", "suspect": False, "speaker": None}
        for t, a, b in said
    ]
    words = {"language": "en", "language_because": "said", "recogniser": "known", "heard_s": seconds, "whole": True,
             "words": rows, "troubles": []}  # fmt: skip
    return (
        Measure(name="words", value=words),
        Measure(name="speech", value=[{"start": a - 0.05, "end": b + 0.05} for _, a, b in said]),
    )


def shoot(library, folder, name="talk.wav"):
    """A folder with the talk, passed and heard."""
    save(folder, name)
    library.run(folder, options=PASS)
    known(library, folder)
    return folder


def known(library, folder, *, said=SAID, said_in=None, silent=(), seconds=SECONDS):
    """The state of a shoot whose clips were all heard to say this, with what is proposed for them. `said_in`: other
    words by clip; in `silent` clips nobody was heard."""
    state = library.state(folder)
    in_ = {clip: (said_in or {}).get(clip, said) for clip in state.footage}
    rows = [(clip, listening.HEARD, "made", heard(in_[clip], seconds=seconds)) for clip in in_ if clip not in silent]
    rows += [(clip, listening.HEARD, "made", NOTHING) for clip in silent]
    for clip in state.footage.values():
        if not container.contents(folder / clip.path).sounds:
            continue
        still = level.room(level.measure(folder / clip.path)).json
        rows.append((clip.id, listening.HEARD, "made", [Measure(name="quiet", value=still, unit="s")]))
    records.save_evidence(library.store, rows)
    rules = ledger.rules(library.store)
    asked = propose.Asked(rules=rules, wishes=Wishes(), record=ledger.record(library.store, rules))
    assert not propose.propose(library.store, library.state(folder), asked)
    return library.state(folder)
