"""Which faces are one person: prints in, numbers out. Pure, and careful: what is doubtful is not told.

Average linkage over squared distances, with a strict limit. Two faces in one photo are never one person, and neither
are two about whom somebody has said who they are. A face nearly as close to another person as to its own, and a face
alone that resembles somebody, are left open.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.spatial.distance import squareform

from safelight.domain import Box

SURE = 0.50  # root mean square distance up to which faces are one person
DOUBT = 0.60  # up to here they may be; dlib's own limit for a pair
MARGIN = 0.05  # by which one's own person must be nearer than the next
LENGTH = 128  # numbers of a print
NEVER = 1e9  # squared distance of what must not be joined: no average with it stays below a limit
MOST = 4000  # faces that are compared each with each at once; more are joined block by block, then the blocks
RESEMBLES = "it resembles somebody, and not surely"
BETWEEN = "it is as close to another person as to its own"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face of the shoot: photo, box, 128 numbers; the person it was said to be before, if any; `held` where a person
    said so."""

    asset: str
    box: Box
    numbers: NDArray[np.float32]
    before: int | None = None
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The number of a face's person, negative for one who is new here, or the reason why it is not told."""

    person: int | None = None
    cannot_tell: str | None = None


@dataclass(slots=True)
class Crowd:
    """Faces taken together: what is needed for mean squared distances to others, and the photos they are on."""

    count: int = 0
    total: Floats = field(default_factory=lambda: np.zeros(LENGTH))
    squares: float = 0.0
    photos: set[str] = field(default_factory=set)

    def add(self, asset: str, numbers: Floats) -> None:
        """Takes a face in."""
        self.count += 1
        self.total = self.total + numbers
        self.squares += float(numbers @ numbers)
        self.photos.add(asset)

    def take(self, other: "Crowd") -> None:
        """Takes another crowd in."""
        self.count += other.count
        self.total = self.total + other.total
        self.squares += other.squares
        self.photos |= other.photos

    def apart(self, other: "Crowd") -> float:
        """Root mean square distance between the faces of two crowds; infinite where a photo shows both."""
        if self.photos & other.photos:
            return float("inf")
        between = 2 * float(self.total @ other.total) / (self.count * other.count)
        return float(np.sqrt(max(0.0, self.squares / self.count + other.squares / other.count - between)))


def crowd(faces: Iterable[tuple[str, NDArray[np.float32]]]) -> Crowd:
    """The crowd of (photo, numbers)."""
    made = Crowd()
    for asset, numbers in faces:
        made.add(asset, numbers.astype(np.float64))
    return made


def group(faces: Sequence[Face], known: Mapping[int, Crowd], firm: set[int]) -> list[Answer]:
    """An answer for each face. `known` are persons on photos of other shoots, by number; `firm` the numbers about whom
    somebody has said something: those are never merged, and keep every face that was theirs.

    New persons are numbered -1, -2, … in order of their size.
    """
    order = sorted(range(len(faces)), key=lambda i: (faces[i].asset, faces[i].box))
    answers: list[Answer] = [Answer(cannot_tell="not asked")] * len(faces)
    free = [i for i in order if not faces[i].held]
    persons: dict[int, Crowd] = {}
    for i in order:
        if faces[i].held:
            answers[i] = Answer(person=faces[i].before)
            _into(persons, faces[i])
    numbers = np.array([faces[i].numbers for i in free], np.float64).reshape(len(free), LENGTH)
    labels = _clusters([faces[i] for i in free], numbers, firm)
    open_ = _doubtful(labels, numbers, [faces[i].asset for i in free])
    members: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        if row in open_ and faces[free[row]].before not in firm:
            answers[free[row]] = Answer(cannot_tell=open_[row])
        else:
            members[int(label)].append(free[row])
    crowds = {label: crowd((faces[i].asset, faces[i].numbers) for i in rows) for label, rows in members.items()}
    for label, answer in _named(faces, members, crowds, persons, known, firm).items():
        for i in members[label]:
            answers[i] = answer
    return answers


# ---------------------------------------------------------------- who belongs together


def _clusters(faces: Sequence[Face], numbers: Floats, firm: set[int]) -> NDArray[np.int64]:
    """A label for each face."""
    labels = np.zeros(len(faces), np.int64)
    for start in range(0, len(faces), MOST):
        stop = min(start + MOST, len(faces))
        units = [[row] for row in range(start, stop)]
        labels[start:stop] = labels[:start].max(initial=0) + _linked(units, faces, numbers, firm)
    if len(faces) <= MOST:
        return labels
    units = [np.flatnonzero(labels == label).tolist() for label in range(1, int(labels.max()) + 1)]
    units = sorted(units, key=len, reverse=True)[:MOST]
    for unit, label in zip(units, _linked(units, faces, numbers, firm) + labels.max(), strict=True):
        labels[unit] = label
    return np.unique(labels, return_inverse=True)[1] + 1


def _linked(
    units: Sequence[Sequence[int]], faces: Sequence[Face], numbers: Floats, firm: set[int]
) -> NDArray[np.int64]:
    """Labels from 1 for units, which are rows of faces, by average linkage over mean squared distances."""
    if len(units) < 2:
        return np.ones(len(units), np.int64)
    means = np.array([numbers[unit].mean(axis=0) for unit in units])
    squares = np.array([np.square(numbers[unit]).sum(axis=1).mean() for unit in units])
    apart = np.maximum(squares[:, None] + squares[None, :] - 2 * means @ means.T, 0)
    apart[_never(units, faces, firm)] = NEVER
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    return np.asarray(fcluster(tree, SURE**2, "distance"), np.int64)


def _never(units: Sequence[Sequence[int]], faces: Sequence[Face], firm: set[int]) -> NDArray[np.bool_]:
    """Which pairs of units share a photo, or hold persons who were told apart by somebody."""
    photos = {asset: i for i, asset in enumerate(sorted({face.asset for face in faces}))}
    rows = [(i, photos[faces[row].asset]) for i, unit in enumerate(units) for row in unit]
    at = np.array(rows).T
    shown = csr_array((np.ones(len(rows)), at), shape=(len(units), len(photos)))
    never = np.asarray((shown @ shown.T).toarray() > 0)
    told = np.array([next((faces[r].before or 0 for r in unit if faces[r].before in firm), 0) for unit in units])
    return np.asarray(never | ((told[:, None] != told[None, :]) & (told[:, None] > 0) & (told[None, :] > 0)))


def _doubtful(labels: NDArray[np.int64], numbers: Floats, assets: Sequence[str]) -> dict[int, str]:
    """Rows that are not told, with the reason."""
    count = np.bincount(labels, minlength=1).astype(np.float64)
    means = np.zeros((len(count), numbers.shape[1]))
    np.add.at(means, labels, numbers)
    means /= np.maximum(count, 1)[:, None]
    length = np.square(numbers).sum(axis=1)
    squares = np.bincount(labels, weights=length, minlength=1) / np.maximum(count, 1)
    shows: dict[str, set[int]] = defaultdict(set)
    for asset, label in zip(assets, labels.tolist(), strict=True):
        shows[asset].add(label)
    out = {}
    for row, (asset, label) in enumerate(zip(assets, labels.tolist(), strict=True)):
        apart = length[row] + squares - 2 * means @ numbers[row]
        others = count[label] - 1
        own = apart[label] * count[label] / max(others, 1)  # its distance to itself is 0 and does not count
        apart[count < (2 if others else 1)] = NEVER  # one face that resembles some of a person's is no rival of theirs
        apart[list(shows[asset])] = NEVER  # whoever is seen beside a face is somebody else
        near = float(np.sqrt(max(0.0, apart.min())))
        if others == 0 and near <= DOUBT:
            out[row] = RESEMBLES
        elif others > 0 and near - float(np.sqrt(max(0.0, own))) < MARGIN:
            out[row] = BETWEEN
    return out


# ---------------------------------------------------------------- who they are


def _named(
    faces: Sequence[Face], members: Mapping[int, list[int]], crowds: Mapping[int, Crowd], persons: dict[int, Crowd],
    known: Mapping[int, Crowd], firm: set[int],
) -> dict[int, Answer]:  # fmt: skip
    """The answer for each cluster: who most of its faces were before, else who is known from elsewhere, else new.

    `persons` are the crowds of this shoot by number, those held by a person already in it."""
    votes: dict[int, dict[int, int]] = {}
    for label, rows in members.items():
        told = [faces[i].before for i in rows]
        votes[label] = {p: told.count(p) for p in sorted({p for p in told if p is not None})}
    out: dict[int, Answer] = {}
    claims = [
        (person not in firm, -n, -crowds[label].count, label, person)
        for label in votes
        for person, n in votes[label].items()
    ]
    for _, _, _, label, person in sorted(claims):
        there = persons.get(person)
        taken = there is not None and (person not in firm or bool(there.photos & crowds[label].photos))
        if label not in out and not taken:
            out[label] = Answer(person=person)
            persons.setdefault(person, Crowd()).take(crowds[label])
    fresh = 0
    for label in sorted(set(members) - set(out), key=lambda label: (-crowds[label].count, label)):
        out[label] = _recognised(crowds[label], persons, known)
        if out[label] == Answer():
            fresh -= 1
            out[label] = Answer(person=fresh)
        if out[label].person is not None:
            persons.setdefault(out[label].person or 0, Crowd()).take(crowds[label])
    return out


def _recognised(who: Crowd, here: Mapping[int, Crowd], known: Mapping[int, Crowd]) -> Answer:
    """A person known from other photos, or that it cannot be told which; an empty answer for somebody new."""
    distances = []
    for person in {*known, *(p for p in here if p > 0)}:
        both = [crowds[person] for crowds in (known, here) if person in crowds]
        if any(who.photos & c.photos for c in both):
            continue
        distances.append((min(who.apart(c) for c in both), person))
    distances.sort()
    near = [(distance, person) for distance, person in distances if distance <= SURE]
    if len(near) > 1 and near[1][0] - near[0][0] < MARGIN:
        return Answer(cannot_tell=BETWEEN)
    if near:
        return Answer(person=near[0][1])
    if who.count == 1 and distances and distances[0][0] <= DOUBT:
        return Answer(cannot_tell=RESEMBLES)
    return Answer()


def _into(persons: dict[int, Crowd], face: Face) -> None:
    if face.before is not None:
        persons.setdefault(face.before, Crowd()).add(face.asset, face.numbers.astype(np.float64))
