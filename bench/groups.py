"""Grouping of made shoots, of real pairs and of a made memory card: agreement with the truth, and speed.

Scores are within a shoot, because the same photo stands in several. `bcubed` is the B-cubed F1 over photos (Bagga and
Baldwin, 1998). Beside ours: a 64-bit perceptual hash with threshold 10 among neighbours within 30 s or without times,
linked singly, as duplicate finders do. No constant is fitted here; they are set by hand, with the margins that stand
beside them in the code, after seeing these photos.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench._best import best_results
from bench._film import film as film_of
from bench.harness import Data, MissingData, Result
from safelight.domain import PROTECTED, Asset, GroupKind, Kind
from safelight.media import capture
from safelight.media.picture import Picture
from safelight.probes import Findings, Member, groups, layout
from safelight.work import decode

KINDS = {
    "burst": GroupKind.BURST,
    "near_duplicate": GroupKind.DUPLICATE,
    "moment": GroupKind.DUPLICATE,
    "bracket": GroupKind.BRACKET,
    "focus_stack": GroupKind.FOCUS_STACK,
    "panorama": GroupKind.PANORAMA,
}
MANY = 10_000
ROUNDS = 4  # of both sizes in turn: other work on the machine slows them alike
HASH_BITS, HASH_WINDOW_S = 10, 30.0
Partition = Mapping[str, str]  # photo → name of its group


@dataclass(frozen=True, kw_only=True)
class Shoot:
    """Rows of the truth, what the program sees of them, and what it found."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    members: Sequence[Member]
    found: Findings

    @property
    def truth(self) -> Partition:
        """Photo → group as the recipe made it."""
        return {row["file"]: row["group"] for row in self.rows}

    @property
    def kinds(self) -> Mapping[str, str]:
        """Photo → what the recipe made it part of."""
        return {row["file"]: row["kind"] for row in self.rows}

    @property
    def ours(self) -> Partition:
        """Photo → group as found; a photo without one is alone."""
        sets = (group for group in self.found.groups if group.kind is not GroupKind.SCENE)
        return {row["file"]: row["file"] for row in self.rows} | {m: group.id for group in sets for m in group.members}


def run(data: Data) -> Iterable[Result]:
    """Made shoots, the card, and ten thousand photos; whatever of them is there."""
    shoots = list(_shoots(data))
    if not shoots:
        raise MissingData("neither groups/truth.csv nor card/truth.json is there: run recipe `groups` or `card` first")
    made = [shoot for shoot in shoots if shoot.name not in ("card", "real")]
    cards = [shoot for shoot in shoots if shoot.name == "card"]
    real = [shoot for shoot in shoots if shoot.name == "real"]
    yield from _agreement(made, "groups")
    yield from _agreement(cards, "groups.card")
    yield from _real(real)
    yield from _films(data)
    yield _unmerged("groups.hard_negatives.merged", [*made, *real])
    yield from best_results(data)
    for card in cards:
        yield from _card(card)
    yield from _speed([member for shoot in shoots if shoot.name != "real" for member in shoot.members])


# ---------------------------------------------------------------- what there is


def _shoots(data: Data) -> Iterator[Shoot]:
    for relative, recipe in (("groups/truth.csv", "groups"), ("card/truth.json", "card")):
        try:
            folder, rows = data.table(relative, recipe=recipe)
        except MissingData:
            continue
        by_shoot: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            by_shoot[row.get("shoot", "card")].append(row)
        for name, own in by_shoot.items():
            members = [member_of(folder, row["file"]) for row in own]
            yield Shoot(name=name, rows=own, members=members, found=groups.survey(members))


def member_of(folder: Path, file: str) -> Member:
    """A photo as the grouping sees it; its path in the table stands for its digest."""
    header = capture.header(folder / file)
    rgb, is_preview = decode(folder / file)
    picture = Picture(rgb=rgb, capture=header.capture, is_preview=is_preview)
    asset = Asset(
        id=file, content=None, kind=Kind.PHOTO, format=header.format, width=header.width, height=header.height,
        capture=header.capture,
    )  # fmt: skip
    return Member(asset=asset, path=file, facts={m.name: m for m in layout.measure(picture)})


# ---------------------------------------------------------------- agreement


def bcubed(truth: Partition, found: Partition, photos: Iterable[str] | None = None) -> float:
    """B-cubed F1 over these photos (all, if not said)."""
    true_sets, found_sets = _sets(truth), _sets(found)
    precision, recall = [], []
    for photo in truth if photos is None else photos:
        mine, right = found_sets[found[photo]], true_sets[truth[photo]]
        both = len(mine & right)
        precision.append(both / len(mine))
        recall.append(both / len(right))
    if not precision:
        return float("nan")
    p, r = float(np.mean(precision)), float(np.mean(recall))
    return 2 * p * r / (p + r)


def pairwise(truth: Partition, found: Partition, kinds: Mapping[str, str], kind: str) -> tuple[int, int, int]:
    """Pairs with a photo of this kind: rightly together, wrongly together, missed."""
    photos = sorted(truth)
    right = wrong = missed = 0
    for i, a in enumerate(photos):
        for b in photos[i + 1 :]:
            if kind not in (kinds[a], kinds[b]):
                continue
            same, together = truth[a] == truth[b], found[a] == found[b]
            right += same and together
            wrong += together and not same
            missed += same and not together
    return right, wrong, missed


def _sets(partition: Partition) -> dict[str, set[str]]:
    out: dict[str, set[str]] = defaultdict(set)
    for photo, name in partition.items():
        out[name].add(photo)
    return out


def _agreement(shoots: Sequence[Shoot], name: str) -> Iterator[Result]:
    if not shoots:
        return
    peers = [by_hash(shoot.members) for shoot in shoots]
    ours = [bcubed(shoot.truth, shoot.ours) for shoot in shoots]
    theirs = [bcubed(shoot.truth, peer) for shoot, peer in zip(shoots, peers, strict=True)]
    sizes = [len(shoot.rows) for shoot in shoots]
    yield Result(
        name=f"{name}.bcubed_f1", value=float(np.average(ours, weights=sizes)), n=sum(sizes), bar=0.97,
        want="at least", beside={"phash": float(np.average(theirs, weights=sizes))},
        note=f"by shoot {', '.join(f'{value:.3f}' for value in ours)}",
    )  # fmt: skip
    for kind in [*KINDS, "single"]:
        yield from _of_kind(shoots, peers, kind, name)


def _of_kind(shoots: Sequence[Shoot], peers: Sequence[Partition], kind: str, name: str) -> Iterator[Result]:
    members = [[photo for photo, own in shoot.kinds.items() if own == kind] for shoot in shoots]
    number = sum(map(len, members))
    if not number:
        return
    pairs = list(zip(shoots, peers, members, strict=True))
    ours = [bcubed(shoot.truth, shoot.ours, own) for shoot, _, own in pairs if own]
    theirs = [bcubed(shoot.truth, peer, own) for shoot, peer, own in pairs if own]
    weights = [len(own) for own in members if own]
    yield Result(
        name=f"{name}.{kind}.bcubed_f1", value=float(np.average(ours, weights=weights)), n=number,
        bar=0.95 if kind == "burst" else None, want="at least" if kind == "burst" else None,
        beside={"phash": float(np.average(theirs, weights=weights))},
    )  # fmt: skip
    counts = np.sum([pairwise(shoot.truth, shoot.ours, shoot.kinds, kind) for shoot in shoots], axis=0)
    peer_counts = np.sum([pairwise(s.truth, peer, s.kinds, kind) for s, peer, _ in pairs], axis=0)
    if kind == "burst":
        yield _pairwise_f1(f"{name}.{kind}.pairwise_f1", counts, peer_counts)
    for what, other in (("precision", 1), ("recall", 2)):
        if counts[0] + counts[other]:
            yield Result(
                name=f"{name}.{kind}.{what}", value=_share(counts, other), n=int(counts[0] + counts[other]),
                unit="of pairs", beside={"phash": _share(peer_counts, other)},
            )  # fmt: skip
    if kind in KINDS:
        yield _recognised(shoots, kind, name)


def _share(counts: Sequence[int], other: int) -> float:
    whole = counts[0] + counts[other]
    return float(counts[0] / whole) if whole else float("nan")


def _pairwise_f1(name: str, ours: Sequence[int], theirs: Sequence[int], note: str = "") -> Result:
    """F1 over pairs, from how many are rightly together, wrongly together, missed."""
    values = [float(2 * c[0] / max(2 * c[0] + c[1] + c[2], 1)) for c in (ours, theirs)]
    return Result(
        name=name, value=values[0], n=int(ours[0] + ours[2]), unit="of pairs", bar=0.95, want="at least",
        beside={"phash": values[1]}, note=note,
    )  # fmt: skip


def _recognised(shoots: Sequence[Shoot], kind: str, name: str) -> Result:
    """Share of the sets that were found whole, alone, and as what they are."""
    wanted = KINDS[kind]
    seen = held = 0
    for shoot in shoots:
        exact = {(group.kind, frozenset(group.members)) for group in shoot.found.groups}
        for group, photos in _sets(shoot.truth).items():
            if shoot.kinds[next(iter(photos))] == kind:
                seen += 1
                held += (wanted, frozenset(photos)) in exact
                assert shoot.truth[next(iter(photos))] == group
    bar = 1.0 if wanted in PROTECTED else None
    return Result(
        name=f"{name}.{kind}.recognised", value=held / seen, n=seen, unit="of sets", bar=bar,
        want="at least" if bar else None,
    )  # fmt: skip


def by_hash(members: Sequence[Member]) -> Partition:
    """The peer: photos within 10 of 64 bits, and within 30 s where both have times, are one group."""
    bits = np.array([[int(str(m.facts["hash.perceptual"].value), 16) >> k & 1 for k in range(64)] for m in members])
    times = np.array([_seconds(m) for m in members])
    label = list(range(len(members)))
    apart = np.abs(times[:, None] - times[None])
    distance = (bits[:, None] != bits[None]).sum(axis=2)
    for i, j in zip(*np.nonzero((distance <= HASH_BITS) & ~(apart > HASH_WINDOW_S)), strict=True):
        low, high = sorted((label[i], label[j]))
        label = [low if one == high else one for one in label]
    return {member.asset.id: str(one) for member, one in zip(members, label, strict=True)}


def _seconds(member: Member) -> float:
    at = member.asset.capture.at
    return float("nan") if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()


# ---------------------------------------------------------------- real pairs, the card


def _real(shoots: Sequence[Shoot]) -> Iterator[Result]:
    for shoot in shoots:
        peer = by_hash(shoot.members)
        counts = {"phash": 0, "ours": 0}
        pairs = _sets({row["file"]: str(_parameters(row)["pair"]) for row in shoot.rows})
        for pair in pairs.values():
            a, b = sorted(pair)
            for name, found in (("ours", shoot.ours), ("phash", peer)):
                counts[name] += (found[a] == found[b]) == (shoot.truth[a] == shoot.truth[b])
        yield Result(
            name="groups.real_pairs.right", value=counts["ours"] / len(pairs), n=len(pairs), unit="of pairs",
            beside={"phash": counts["phash"] / len(pairs)},
        )  # fmt: skip


def _unmerged(name: str, shoots: Sequence[Shoot]) -> Result:
    """Pairs of photos that stand alone, with whatever lies near them, and of real pairs that are no duplicates."""
    merged = seen = 0
    for shoot in shoots:
        alone = [row["file"] for row in shoot.rows if row["kind"] in ("single", "real_other")]
        for photo in alone:
            others = [p for p in shoot.ours if p != photo and shoot.truth[p] != shoot.truth[photo]]
            seen += len(others)
            merged += sum(shoot.ours[p] == shoot.ours[photo] for p in others)
    return Result(
        name=name, value=float(merged), n=seen, unit="pairs", bar=0.0, want="at most",
        note="photos alone seconds from others, and real pairs of one place from elsewhere",
    )  # fmt: skip


# ---------------------------------------------------------------- films


def _films(data: Data) -> Iterator[Result]:
    """Bursts out of films. Two shots of one clip may show the same thing again: such pairs are not judged, but for
    frames on either side of a cut."""
    film = film_of(data)
    frames = film.bursts
    if not frames:
        return
    members = [frame.member for frame in frames]
    peer, ours = by_hash(members), alone_or_grouped(members)
    counts = {"ours": np.zeros(3, int), "phash": np.zeros(3, int)}
    across = 0
    for i, a in enumerate(frames):
        for b in frames[i + 1 :]:
            same = (a.clip, a.shot) == (b.clip, b.shot)
            if not same and a.clip == b.clip and abs(a.shot - b.shot) > 1:
                continue
            across += not same
            for name, found in (("ours", ours), ("phash", peer)):
                together = found[a.member.asset.id] == found[b.member.asset.id]
                counts[name] += (same and together, together and not same, same and not together)
    note = f"{len({f.clip for f in frames})} clips, {len({(f.clip, f.shot) for f in frames})} shots"
    yield _pairwise_f1("groups.film.pairwise_f1", counts["ours"].tolist(), counts["phash"].tolist(), note)
    cut = 0
    for a, b in film.cuts:
        found = alone_or_grouped([a.member, b.member])
        cut += found[a.member.asset.id] == found[b.member.asset.id]
    yield Result(
        name="groups.film.hard_negatives.merged", value=float(counts["ours"][1] + cut), n=across + len(film.cuts),
        unit="pairs", bar=0.0, want="at most", beside={"phash": float(counts["phash"][1])},
        note=f"{len(film.cuts)} pairs across a cut, one frame apart; the hash is asked without them",
    )  # fmt: skip


def alone_or_grouped(members: Sequence[Member]) -> Partition:
    """Photo → its group as found, or itself."""
    sets = (group for group in groups.survey(members).groups if group.kind is not GroupKind.SCENE)
    return {m.asset.id: m.asset.id for m in members} | {m: group.id for group in sets for m in group.members}


def _parameters(row: Mapping[str, Any]) -> Mapping[str, Any]:
    value = row["parameters"]
    parsed: Mapping[str, Any] = json.loads(value) if isinstance(value, str) else value
    return parsed


def _card(card: Shoot) -> Iterator[Result]:
    """The clock offset between the two bodies, whichever of them is the reference."""
    ahead = {row["body"]: float(row["clock_offset_s"]) for row in card.rows}
    body = {row["file"]: row["body"] for row in card.rows}
    if len(ahead) < 2:
        return
    told = {photo: measures[0].value for photo, measures in card.found.measures.items()}
    moments = len({row["group"] for row in card.rows if row["kind"] == "moment"})
    errors = []
    for photo, value in told.items():
        if isinstance(value, int | float):
            true = ahead[body[photo]] - next(other for name, other in ahead.items() if name != body[photo])
            errors.append(abs(float(value) - true))
    yield Result(
        name="groups.clock_error_s", value=max(errors, default=None), n=moments, unit="s", bar=1.0, want="at most",
        note="" if errors else f"cannot tell from {moments} common moments",
    )  # fmt: skip


# ---------------------------------------------------------------- speed


def _speed(members: Sequence[Member]) -> Iterator[Result]:
    """Grouping ten and a hundred thousand photos whose descriptors are there."""
    groups.survey(repeated(members, 200))
    few, many = repeated(members, MANY), repeated(members, 10 * MANY)
    rounds = [(_seconds_of(few), _seconds_of(few), _seconds_of(many)) for _ in range(ROUNDS)]
    seconds = {MANY: min(min(a, b) for a, b, _ in rounds), 10 * MANY: min(c for *_, c in rounds)}
    note = "the measured photos over and over, a day later each time; one thread"
    yield Result(
        name="groups.seconds_10000", value=seconds[MANY], n=MANY, unit="CPU s", bar=0.3, want="at most",
        note=f"best of {2 * ROUNDS}; {note}",
    )  # fmt: skip
    yield Result(
        name="groups.seconds_100000", value=seconds[10 * MANY], n=10 * MANY, unit="CPU s",
        note=f"best of {ROUNDS}; {note}",
    )  # fmt: skip
    yield Result(
        name="groups.growth", value=seconds[10 * MANY] / seconds[MANY], n=10 * MANY, unit="times", bar=11.0,
        want="at most", note="100,000 photos against 10,000",
    )  # fmt: skip


def _seconds_of(members: Sequence[Member]) -> float:
    began = time.process_time()
    groups.survey(members)
    return time.process_time() - began


def repeated(members: Sequence[Member], count: int) -> list[Member]:
    """So many photos: the given ones, again on each following day; those without times only once."""
    out: list[Member] = []
    for day in range(count):
        for member in members:
            at = member.asset.capture.at
            if len(out) == count:
                return out
            if at is None and day:
                continue
            later = None if at is None else (datetime.fromisoformat(at) + timedelta(days=day)).isoformat()
            name = f"{day}/{member.path}"
            asset = replace(member.asset, id=name, capture=replace(member.asset.capture, at=later))
            out.append(replace(member, path=name, asset=asset))
    return out
