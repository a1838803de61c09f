"""Who is one person: sitters told apart and kept together, doubtful faces counted, tone by tone where recipe `skin` is.

A sitter is whoever sits in one talking head, one portrait, one set of retouched or re-graded pictures: each in one
sitting, so recall is that of an easy case, and what matters is how seldom two sitters become one. Every face is taken
as a photo of its own. Intervals draw sitters, never single faces. The limits were chosen on these same few sitters,
below what dlib's author recommends; nothing was fitted, and nothing is held out but what the recipes change.

Beside the figures stands dlib's own rule, as many use it: every pair of faces nearer than 0.6 is one person, and so on
along the chain.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.stats import beta

from bench._skin_tones import measured
from bench.eyes import clips
from bench.harness import Data, MissingData, Result
from safelight.domain import Asset, Cull, Kind, Measure
from safelight.media.frame import Bytes
from safelight.media.image import read
from safelight.media.picture import Picture
from safelight.operators import Subject, Wishes
from safelight.operators import cull as culling
from safelight.people.faces import unpacked
from safelight.people.grouping import SURE, Answer, Face, group
from safelight.probes import _identity, faces, people
from safelight.weights import installed

EVERY = 6  # frames of a talking head: neighbours say nothing new
FAULTS_EVERY = 7  # rows of recipe `quality` with a face; no multiple of the five strengths, so that all come up
CHAINED = 0.6  # dlib's limit for a pair
LIMITS = "few sitters, one sitting each; other days, ages, relatives, children: not measured"
PICTURES = (".jpg", ".png")
ROUNDS = 400

Weights = Mapping[str, Mapping[str, Path]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A picture of one sitter: its tone bucket, the print of the face where it has one, and how sharp the face is."""

    sitter: str
    tone: str = ""
    numbers: NDArray[np.float32] | None = None
    sharpness: float | None = None


def run(data: Data) -> Iterable[Result]:
    """Pairs, B-cubed, coverage; the same under faults and tones; who is left out of a cull; the time of a face."""
    weights = installed()
    missing = {"face_identity", "yunet", "face_landmarker"} - set(weights)
    if missing:
        raise MissingData(f"weights are not installed: `safelight models fetch {' '.join(sorted(missing))}`")
    plain = list(sitters(data, weights))
    if len({seen.sitter for seen in plain}) < 2:
        raise MissingData("faces/eyes.json and portraits are under none of the folders: they come with shared/data")
    yield from _distances(plain)
    yield from _grouped("people", plain, note=LIMITS)
    yield from _covered(plain)
    yield from _faulty(data, weights, plain)
    yield from _toned(data, weights, plain)
    yield from measured(data, weights)
    yield _pace(weights)


# ---------------------------------------------------------------- sitters


def sitters(data: Data, weights: Weights) -> Iterator[Seen]:
    """Frames of the talking heads, and every picture of the tables that shows one face."""
    for clip in clips(data):
        for frame in clip.frames[::EVERY]:
            yield from _one(frame.rgb, weights, Seen(sitter=clip.name))
    for path, sitter in stills(data):
        yield from _one(read(path), weights, Seen(sitter=sitter))


def stills(data: Data) -> Iterator[tuple[Path, str]]:
    """Portraits, photos with a visible face, and sets of one sitter: file and sitter.

    In `pairs` a sitter's name is what stands before the first `_`."""
    table = data.find("README.md")
    for folder in ("faces", "pairs/skin", "pairs/looks"):
        for name in _listed(table, folder):
            if table is not None:
                yield table.parent / folder / name, sitter_of(f"{folder}/{name}")
    if data.find("photo_tags.csv") is not None:
        folder_of, rows = data.table("photo_tags.csv", recipe="shared/data")
        for row in rows:
            if row["face_visible"] == "yes":
                yield folder_of / row["file"], sitter_of(row["file"])


def sitter_of(source: str) -> str:
    """The sitter of a picture by its place in the data; recipes name their sources so too."""
    folder, _, name = source.rpartition("/")
    return f"{folder}/{name.partition('_')[0]}" if folder.startswith("pairs") else source


def _listed(table: Path | None, folder: str) -> list[str]:
    if table is None:
        return []
    section = table.read_text("utf-8").partition(f"### {folder}/\n")[2].partition("\n###")[0]
    cells = [line.strip("|").split("|")[0].strip() for line in section.splitlines() if line.startswith("|")]
    return [name for name in cells if name.endswith(PICTURES) and (table.parent / folder / name).exists()]


def _one(rgb: Bytes, weights: Weights, seen: Seen) -> Iterator[Seen]:
    """The one face of a picture; nothing where there is none or several."""
    facts: dict[str, Measure] = {}
    picture = Picture(rgb=rgb, facts=facts, weights=weights)
    facts |= {m.name: m for m in faces.probe.measure(picture)} if faces.probe.measure else {}
    found = facts["faces"].value
    (prints,) = people.measure(picture)
    if isinstance(found, list) and len(found) == 1 and isinstance(prints.value, list):
        text = prints.value[0].get("print")
        sharpness = found[0]["sharpness"]
        yield replace(seen, numbers=unpacked(text) if text else None, sharpness=sharpness)


# ---------------------------------------------------------------- figures


def answers(rows: Sequence[Seen]) -> list[Answer]:
    """What the grouping says of each, each on a photo of its own."""
    told = [(i, row) for i, row in enumerate(rows) if row.numbers is not None]
    made = [Face(asset=f"{i:06d}", box=(0, 0, 1, 1), numbers=row.numbers) for i, row in told if row.numbers is not None]
    out = [Answer(cannot_tell="no print")] * len(rows)
    for (i, _), answer in zip(told, group(made, {}, set()), strict=True):
        out[i] = answer
    return out


def chained(rows: Sequence[Seen]) -> list[Answer]:
    """What dlib's rule says of each."""
    told = [i for i, row in enumerate(rows) if row.numbers is not None]
    _, labels = connected_components(_apart([rows[i] for i in told]) < CHAINED)
    out = [Answer(cannot_tell="no print")] * len(rows)
    for i, label in zip(told, labels, strict=True):
        out[i] = Answer(person=int(label) + 1)
    return out


def _apart(rows: Sequence[Seen]) -> Floats:
    numbers = np.array([row.numbers for row in rows], np.float64).reshape(len(rows), -1)
    squares = np.square(numbers).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * numbers @ numbers.T, 0)))


def _distances(rows: Sequence[Seen]) -> Iterator[Result]:
    """How far pictures of one sitter and of two lie apart, one figure a sitter or a pair of sitters."""
    told = [row for row in rows if row.numbers is not None]
    apart = _apart(told)
    of = np.array([row.sitter for row in told])
    names = sorted(set(of))
    own = [float(apart[np.ix_(of == n, of == n)].max()) for n in names if (of == n).sum() > 1]
    nearest = [float(apart[np.ix_(of == a, of == b)].min()) for i, a in enumerate(names) for b in names[:i]]
    yield Result(
        name="people.distance.own.farthest", value=max(own), n=len(own),
        note=f"sitters; median of their farthest {np.median(own):.2f}",
    )  # fmt: skip
    yield Result(
        name="people.distance.strangers.nearest", value=min(nearest), n=len(nearest),
        note=f"pairs of sitters; 1 in 20 nearer than {np.quantile(nearest, 0.05):.2f}; the limit is {SURE:.2f}",
    )  # fmt: skip


def _grouped(name: str, rows: Sequence[Seen], *, note: str = "") -> Iterator[Result]:
    """Precision and recall over pairs of faces and by face (B-cubed), and how many are told at all."""
    ours, theirs = answers(rows), chained(rows)
    of = [row.sitter for row in rows]
    for title, counts in (("pairs", pairs), ("bcubed", bcubed)):
        for part, mine, peer in zip(("precision", "recall"), counts(of, ours), counts(of, theirs), strict=True):
            low, high = _interval(of, mine)
            yield Result(
                name=f"{name}.{title}.{part}", value=_ratio(mine), low=low, high=high, n=len(set(of)),
                beside={"chained<0.6": _ratio(peer)}, note=f"sitters, {len(rows)} faces; {note}",
            )  # fmt: skip
    yield from _by_sitter(name, of, ours)
    told = [answer.person is not None for answer in ours]
    yield Result(
        name=f"{name}.coverage", value=float(np.mean(told)), n=len(rows), note="faces; the rest cannot be told"
    )


def _by_sitter(name: str, of: Sequence[str], said: Sequence[Answer]) -> Iterator[Result]:
    """How many pairs of sitters share a number, and how many sitters have several; each with its 90 % interval
    (Clopper and Pearson 1934), which takes pairs for independent though they share sitters."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for sitter, answer in zip(of, said, strict=True):
        if answer.person is not None:
            numbers[sitter].add(answer.person)
    mixed = [bool(numbers[a] & numbers[b]) for a, b in combinations(sorted(numbers), 2)]
    several = Counter(sitter for sitter, answer in zip(of, said, strict=True) if answer.person is not None)
    split = [len(numbers[sitter]) > 1 for sitter, count in several.items() if count > 1]
    for what, events, note in (("merged", mixed, "pairs of sitters under one number"), ("split", split, "sitters")):
        low, high = _exact(sum(events), len(events))
        yield Result(
            name=f"{name}.{what}", value=_share(sum(events), len(events)), low=low, high=high, n=len(events), note=note
        )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _exact(events: int, n: int) -> tuple[float, float]:
    """90 % interval of a share, without approximation."""
    low = beta.ppf(0.05, events, n - events + 1) if events else 0.0
    high = beta.ppf(0.95, events + 1, n - events) if events < n else 1.0
    return float(low), float(high)


def pairs(sitters_of: Sequence[str], said: Sequence[Answer]) -> tuple[Floats, Floats]:
    """For each face, the pairs with it that are rightly said to be one person, of those said to be, and of those that
    are: two tables of part and whole. Pairs with a face that is not told are missed."""
    of, number = np.array(sitters_of), np.array([answer.person or 0 for answer in said])
    other = ~np.eye(len(of), dtype=bool)
    true = (of[:, None] == of[None]) & other
    one = (number[:, None] == number[None]) & (number != 0)[:, None] & other
    both = (true & one).sum(axis=1)
    return np.array([both, one.sum(axis=1)], float), np.array([both, true.sum(axis=1)], float)


def bcubed(sitters_of: Sequence[str], said: Sequence[Answer]) -> tuple[Floats, Floats]:
    """For each face, the share of its group that is its sitter, and of its sitter that is in its group (Bagga and
    Baldwin 1998), each with its weight. A face that is not told has no precision, and stands alone in the recall."""
    both, one = pairs(sitters_of, said)[0]
    true = pairs(sitters_of, said)[1][1]
    told = np.array([answer.person is not None for answer in said], float)
    return np.array([told * (both + 1) / (one + 1), told]), np.array([(both + 1) / (true + 1), np.ones(len(told))])


def _ratio(counts: Floats) -> float:
    part, whole = counts.sum(axis=1)
    return float(part / whole) if whole else math.nan


def _interval(sitters_of: Sequence[str], counts: Floats) -> tuple[float | None, float | None]:
    """90 % over sitters, drawn with replacement."""
    rng = np.random.default_rng(1)
    names = sorted(set(sitters_of))
    sums = np.array([counts[:, np.array(sitters_of) == name].sum(axis=1) for name in names])
    drawn = sums[rng.integers(len(names), size=(ROUNDS, len(names)))].sum(axis=1)
    values = drawn[drawn[:, 1] > 0, 0] / drawn[drawn[:, 1] > 0, 1]
    if not len(values):
        return None, None
    low, high = np.quantile(values, [0.05, 0.95])
    return float(low), float(high)


# ---------------------------------------------------------------- a cull


def _covered(rows: Sequence[Seen]) -> Iterator[Result]:
    """Sitters on a kept photo where half as many photos are wanted as there are sitters, all in one scene."""
    said = answers(rows)
    shown = [_subject(i, row, said[i]) for i, row in enumerate(rows) if row.sharpness is not None]
    owners = {s.asset.id: rows[int(s.path)].sitter for s in shown}
    owed = Counter(rows[i].sitter for i, answer in enumerate(said) if answer.person is not None)
    wanted = {sitter for sitter, count in owed.items() if count > 1}
    target = max(1, len(wanted) // 2)
    blind = [replace(s, facts={k: v for k, v in s.facts.items() if k != "people"}) for s in shown]
    kept = {}
    for name, subjects in (("with", shown), ("without", blind)):
        made = culling.propose(subjects, Wishes(target=target))
        photos = [m.member for m in made if m.params is not None and m.params.decision is Cull.KEEP]
        kept[name] = (len({owners[photo] for photo in photos} & wanted) / len(wanted), len(photos))
    yield Result(
        name="people.cull.covered", value=kept["with"][0], n=len(wanted), beside={"people off": kept["without"][0]},
        note=f"sitters told apart twice or more, target {target}: {kept['with'][1]} kept, {kept['without'][1]} off",
    )  # fmt: skip


def _subject(i: int, row: Seen, answer: Answer) -> Subject:
    face = {"box": [0, 0, 1, 1], "person": answer.person, "cannot_tell": answer.cannot_tell}
    facts = {
        "people": Measure(name="people", value=[face]),
        "sharpness": Measure(name="sharpness", value=row.sharpness or 0.0),
    }
    asset = Asset(id=f"{i:064x}", content=None, kind=Kind.PHOTO, format="jpeg", width=1, height=1)
    return Subject(asset=asset, path=f"{i:06d}", facts=facts, scene="one")


# ---------------------------------------------------------------- faults and tones


def _faulty(data: Data, weights: Weights, plain: Sequence[Seen]) -> Iterator[Result]:
    """Sitters of recipe `quality`, each under every fault, among all others; nothing without its table."""
    if data.find("quality/truth.csv") is None:
        return
    folder, table = data.table("quality/truth.csv", recipe="quality")
    known = {seen.sitter for seen in plain}
    shown = [row for row in table if sitter_of(row["source"]) in known and row["kind"] != "clean"]
    made = [
        seen for row in shown[::FAULTS_EVERY]
        for seen in _one(read(folder / row["file"]), weights, Seen(sitter=sitter_of(row["source"])))
    ]  # fmt: skip
    if not made:
        return
    rows = [*plain, *made]
    yield from _grouped("people.faults", rows, note="with faults of recipe quality")
    yield _mistaken("people.faults", rows, answers(rows), note="faces under a number that is mostly another sitter's")


def _toned(data: Data, weights: Weights, plain: Sequence[Seen]) -> Iterator[Result]:
    """Re-rendered skin: whether a sitter stays one person, and whether sitters of one tone come nearer together."""
    if data.find("skin/truth.csv") is None:
        return
    folder, table = data.table("skin/truth.csv", recipe="skin")
    files = {row["file"]: row for row in table if row["kind"] == "clean"}
    rows = [
        seen for file, row in files.items()
        for seen in _one(read(folder / file), weights, Seen(sitter=sitter_of(row["source"]), tone=row["bucket"]))
        if seen.numbers is not None
    ]  # fmt: skip
    own = {row.sitter: row for row in rows if row.tone == "own"}
    for tone in dict.fromkeys(row.tone for row in rows):
        here = [row for row in rows if row.tone == tone]
        moved = [float(_apart([row, own[row.sitter]])[0, 1]) for row in here if row.sitter in own]
        if tone != "own" and moved:
            yield Result(
                name=f"people.skin.{tone}.own_distance", value=float(np.median(moved)), n=len(moved),
                note=f"sitters, median; {sum(d <= SURE for d in moved)} of {len(moved)} within the limit. Re-rendered:"
                " a screening, no substitute for people of each group",
            )  # fmt: skip
        apart = _apart(here)[np.triu_indices(len(here), 1)]
        if len(apart):
            yield Result(
                name=f"people.skin.{tone}.strangers", value=float(np.median(apart)), n=len(apart),
                beside={"nearest": float(apart.min())},
                note=f"pairs of sitters of this tone, median distance; {int((apart <= SURE).sum())} within the limit",
            )  # fmt: skip
    if rows:
        whole = [*(seen for seen in plain if seen.sitter not in {r.sitter for r in rows}), *rows]
        yield _mistaken("people.skin", whole, answers(whole), note="faces of all tones under another sitter's number")


def _mistaken(name: str, rows: Sequence[Seen], said: Sequence[Answer], *, note: str) -> Result:
    """Faces whose number is mostly another sitter's."""
    owners: dict[int, Counter[str]] = defaultdict(Counter)
    for row, answer in zip(rows, said, strict=True):
        if answer.person is not None:
            owners[answer.person][row.sitter] += 1
    wrong = [
        owners[answer.person].most_common(1)[0][0] != row.sitter
        for row, answer in zip(rows, said, strict=True) if answer.person is not None
    ]  # fmt: skip
    return Result(name=f"{name}.mistaken", value=float(sum(wrong)), n=len(wrong), unit="faces", note=note)


def _pace(weights: Weights) -> Result:
    """Milliseconds of this process for one print."""
    net = _identity.network(weights)
    assert net is not None
    square = np.random.default_rng(1).integers(0, 256, (_identity.SIDE, _identity.SIDE, 3)).astype(np.uint8)
    spent = []
    for _ in range(20):
        began = time.process_time()
        _identity.embed(square, net)
        spent.append(time.process_time() - began)
    return Result(name="people.print.time", value=1000 * float(np.median(spent)), n=len(spent), unit="ms of a core")
