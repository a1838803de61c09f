"""Ranges of clips one after another as a programme: source-linked, with markers for what a person should look at.

All ranges are frames of their own clip, half-open. Clips of another rate than that of the programme are placed by
time, to
the nearest frame of it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from safelight.cutting import chapters, leads, seen
from safelight.cutting.chapters import CHAPTER_S
from safelight.cutting.leads import Filmed
from safelight.cutting.pieces import Cover, Material, Piece, Shown
from safelight.cutting.seen import Run
from safelight.cutting.speech import Word
from safelight.interchange import first_frame
from safelight.interchange.programme import Clip, Gap, Item, Marker, Programme, Track, tidy
from safelight.media import timecode
from safelight.media.effects import CDL
from safelight.media.runs import joined

HANDLE = 24  # frames on either side of a range, for transitions
USUAL = Fraction(25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """At frame `at` of the programme: words that should be heard and are not, or that are heard and should not.
    `bitten`: what should be heard is there, but not whole."""

    at: int
    expected: str
    heard: str
    bitten: bool = False

    @property
    def text(self) -> str:
        """As a sentence."""
        if self.bitten:
            word = f"“{self.expected}” may not be whole: the" if self.expected else "The"
            return f"{word} cut falls into sound here."
        if not self.heard:
            return f"“{self.expected}” should be heard here, and is not."
        return f"“{self.heard}” is heard here, and should not be."


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A programme and what it is made of. `pieces` are heard, piece i from frame `places[i]` of the programme on;
    `shown` is seen meanwhile, and over it the `covers` that are enabled. `rolled`: the numbers of pieces whose picture
    comes so many frames after their sound, below 0 before it."""

    programme: Programme
    materials: tuple[Material, ...]
    pieces: tuple[Piece, ...]
    places: tuple[int, ...]
    notes: tuple[str, ...]
    shown: tuple[Shown, ...]
    rolled: Mapping[int, int]
    covers: tuple[Cover, ...] = ()

    @property
    def runs(self) -> list[Run]:
        """What is seen, from the first frame to the last."""
        rate = self.programme.rate
        return list(seen.runs(self.materials, self.pieces, self.shown, self.covers, rate))

    @property
    def seen_ranges(self) -> list[tuple[int, int, int]]:
        """The frames [start, end) of clips (by number) whose pictures are shown, under what lies over them."""
        found = []
        for part in self.shown:
            piece = self.pieces[part.piece]
            rate = self.materials[piece.clip].rate
            into = Fraction(part.into) * rate / self.programme.rate
            first = piece.start + round(into)
            whole = part.into == 0 and part.piece + 1 not in self.rolled
            last = piece.end if whole else piece.start + round(into + part.length * rate / self.programme.rate)
            found.append((piece.clip, first, last))
        return found


def rate_of(materials: Sequence[Material]) -> Fraction:
    """The rate of the programme: that of the first clip with a picture."""
    found = next((m.rate for m in materials if m.facts.picture), None)
    return found or next((m.rate for m in materials), USUAL)


def assemble(
    materials: Sequence[Material], pieces: Sequence[Piece], *, name: str, covers: Sequence[Cover] = ()
) -> Assembly:
    """The programme of these pieces, whose pictures are rolled where people decided so. Cutaways lie on a track above;
    those that are only offered are switched off."""
    rate = rate_of(materials)
    places: list[int] = []
    at = 0
    for piece in pieces:
        places.append(at)
        at += _moved(piece.end - piece.start, materials[piece.clip].rate, rate)
    sight = seen.seen(materials, pieces, places, at, rate)
    lengths = [end - begin for begin, end in pairwise([*places, at])]
    heard = [Shown(piece=n, into=0, at=places[n], length=length) for n, length in enumerate(lengths)]
    tracks = [
        Track(kind=kind, items=tuple(_item(materials, pieces, part, rate, kind) for part in parts))
        for kind, parts in (("video", sight.shown), ("audio", heard))
    ]
    if covers:
        tracks.append(Track(kind="video", items=tuple(_over(covers, rate))))
    made = Assembly(
        programme=Programme(name=name, rate=rate, tracks=()), materials=tuple(materials), pieces=tuple(pieces),
        places=tuple(places), notes=(*_notes(materials, pieces, rate), *sight.notes), shown=sight.shown,
        rolled=sight.rolled, covers=tuple(covers),
    )  # fmt: skip
    markers = (*_doubts(made), *_jumps(made), *_chapters(made), *_leads(made))
    return replace(made, programme=tidy(Programme(name=name, rate=rate, tracks=tuple(tracks), markers=markers)))


def _item(
    materials: Sequence[Material], pieces: Sequence[Piece], part: Shown, rate: Fraction, kind: str
) -> Item:  # fmt: skip
    """What a track holds of a piece; nothing where its clip has no such picture or sound."""
    material = materials[pieces[part.piece].clip]
    if not (material.facts.picture if kind == "video" else material.facts.sounds):
        return Gap(length=part.length)
    made_of = _clip(material, pieces[part.piece].start, part, rate)
    return replace(made_of, grade=material.asked(CDL)) if kind == "video" else made_of


def marked(made: Assembly, differences: Sequence[Difference]) -> Assembly:
    """With what was heard otherwise at the joins as markers."""
    markers = tuple(Marker(at=d.at, name="heard_back", comment=d.text, colour="RED") for d in differences)
    programme = tidy(replace(made.programme, markers=(*made.programme.markers, *markers)))
    return replace(made, programme=programme)


def _moved(frames: int, from_: Fraction, to: Fraction) -> int:
    return frames if from_ == to else max(timecode.nearest_frame(frames / from_, to), 1)


def _clip(material: Material, start: int, part: Shown, rate: Fraction) -> Clip:
    zero = first_frame(material.facts, rate)
    first = start if material.rate == rate else timecode.nearest_frame(start / material.rate, rate)
    first += part.into
    return Clip(
        name=material.path.stem, length=part.length, source=zero + first, media=material.path.absolute().as_uri(),
        reel=material.facts.reel, media_start=zero,
        media_length=max(_moved(material.length, material.rate, rate), first + part.length),
    )  # fmt: skip


def _over(covers: Sequence[Cover], rate: Fraction) -> Iterator[Item]:
    at = 0
    for cover in sorted(covers, key=lambda c: c.at):
        if cover.at > at:
            yield Gap(length=cover.at - at)
        path, facts = cover.material.path, cover.material.facts
        zero = first_frame(facts, rate)
        yield Clip(
            name=path.stem, length=cover.length, source=zero + cover.start, media=path.absolute().as_uri(),
            reel=facts.reel, media_start=zero, media_length=cover.media_length, enabled=cover.enabled,
            grade=cover.material.asked(CDL),
        )  # fmt: skip
        at = cover.end


# ---------------------------------------------------------------- what a person should look at


def place(made: Assembly, clip: int, frame: int) -> int | None:
    """Where a frame of a clip lies in the programme; None where it is not played."""
    material = made.materials[clip]
    for piece, at in zip(made.pieces, made.places, strict=True):
        if piece.clip == clip and piece.start <= frame < piece.end:
            return at + _moved(frame - piece.start, material.rate, made.programme.rate) if frame > piece.start else at
    return None


def source_of(made: Assembly, at: int) -> tuple[int, int]:
    """The clip, by number, and its frame that a frame of the programme shows."""
    n = max(bisect_right(made.places, at) - 1, 0)
    piece = made.pieces[n]
    frame = piece.start + _moved(at - made.places[n], made.programme.rate, made.materials[piece.clip].rate)
    return piece.clip, min(frame if at > made.places[n] else piece.start, piece.end - 1)


def joins(made: Assembly) -> list[tuple[int, Piece, Piece]]:
    """Where one piece follows another that it does not follow in the source: frame of the programme, and the two."""
    return [
        (at, one, two)
        for (one, two), at in zip(pairwise(made.pieces), made.places[1:], strict=True)
        if one.clip != two.clip or one.end != two.start
    ]


def jumps(made: Assembly) -> list[tuple[int, Piece, Piece]]:
    """The joins within one framing, as far as is known: those of one clip that lie in no two shots of it."""
    return [
        (at, one, two) for at, one, two in joins(made)
        if one.clip == two.clip and (clip := made.materials[one.clip]).facts.picture
        and not leads.differ(clip.shots, one.end - 1, two.start)
    ]  # fmt: skip


def _doubts(made: Assembly) -> Iterator[Marker]:
    for number, material in enumerate(made.materials):
        for doubt in material.doubts:
            at = place(made, number, doubt.start)
            if at is not None:
                yield Marker(at=at, length=_moved(doubt.end - doubt.start, material.rate, made.programme.rate),
                             name=doubt.rule, comment=doubt.text, colour="YELLOW")  # fmt: skip


def _jumps(made: Assembly) -> Iterator[Marker]:
    for at, _, _ in jumps(made):
        if not any(c.enabled and c.at <= at < c.end for c in made.covers):
            yield Marker(at=at, name="jump_cut", comment="The same framing on both sides: a cutaway would cover it.",
                         colour="CYAN")  # fmt: skip


def _chapters(made: Assembly) -> Iterator[Marker]:
    """Where the record has a chapter; of other clips where one begins, or a sentence after a long pause, a minute or
    more after the chapter before."""
    last: int | None = None
    least = CHAPTER_S * made.programme.rate
    for at, title, sure in sorted([*_begins(made), *_kept(made)]):
        if last is None or at - last >= least or (sure and at > last):
            yield Marker(at=at, name="chapter", comment=title, colour="GREEN")
            last = at


def _kept(made: Assembly) -> Iterator[tuple[int, str, bool]]:
    """Chapters of the record: their places, titles, and that they are sure. One whose first words are cut begins with
    what is left of it; one of which nothing plays is gone."""
    for number, material in enumerate(made.materials):
        marks = material.chapters or ()
        for n, mark in enumerate(marks):
            first = int(mark.at * material.rate)
            end = int(marks[n + 1].at * material.rate) if n + 1 < len(marks) else material.length
            later = [
                at for piece, at in zip(made.pieces, made.places, strict=True)
                if piece.clip == number and first < piece.start < end
            ]  # fmt: skip
            at = place(made, number, first)
            if at is not None or later:
                yield at if at is not None else min(later), mark.title, True


def _begins(made: Assembly) -> Iterator[tuple[int, str, bool]]:
    """Sentences that may begin a chapter: their places, first words, and whether a clip begins with them."""
    heard = {n for n, material in enumerate(made.materials) if material.chapters is not None}
    of_words = [p for p in zip(made.pieces, made.places, strict=True) if p[0].clip not in heard]
    for piece, at in of_words:
        material = made.materials[piece.clip]
        spoken = material.spoken
        for i in spoken.places.beginning(piece.start / material.rate, piece.end / material.rate):
            word, first = spoken.words[i], piece.clip not in heard
            if first or chapters.pause(spoken.words, i) is not None:
                here = at + _moved(int(word.start * material.rate) - piece.start, material.rate, made.programme.rate)
                yield (at if first else here), chapters.title(spoken.words, i), first
            heard.add(piece.clip)
        if piece.clip not in heard:
            heard.add(piece.clip)
            yield at, material.path.stem, True


def _leads(made: Assembly) -> Iterator[Marker]:
    """Where the sound may lead the picture: as it waits for a person, and of clips that nobody was asked about where
    it would be proposed."""
    rate = made.programme.rate
    clips = [_filmed(material) for material in made.materials]
    for number, material in enumerate(made.materials):
        for split in material.leads or ():
            n = seen.nearest(made.materials, made.pieces, number, split)
            if n is not None and n not in made.rolled:
                yield _lead(made, clips, n, round(split.by * rate))
    for n, (one, two) in enumerate(pairwise(made.pieces), 1):
        before, after = made.materials[one.clip], made.materials[two.clip]
        on = one.clip == two.clip and one.end == two.start
        if on or n in made.rolled or after.leads is not None or not before.facts.picture or not after.facts.picture:
            continue
        found = leads.lead(clips[one.clip], one, clips[two.clip], two, same=one.clip == two.clip)
        if found is not None:
            yield _lead(made, clips, n, _moved(found.by, after.rate, rate))


def _lead(made: Assembly, clips: Sequence[Filmed], n: int, by: int) -> Marker:
    piece = made.pieces[n]
    _, word = clips[piece.clip].spoken.beside(piece.start / clips[piece.clip].rate)
    text = f"The picture may change {by} frames later: “{word.text if word else ''}” would be heard first (J cut)."
    if by < 0:
        text = f"The picture may change {-by} frames earlier: the sound before it would trail (L cut)."
    at = made.places[n] + min(by, 0)
    return Marker(at=at, length=abs(by), name="sound_may_lead", colour="PURPLE", comment=text)


def _filmed(material: Material) -> Filmed:
    return Filmed(rate=material.rate, length=material.length, spoken=material.spoken, shots=material.shots)


def _notes(materials: Sequence[Material], pieces: Sequence[Piece], rate: Fraction) -> Iterator[str]:
    for material in materials:
        if material.rate != rate and material.facts.picture:
            yield (
                f"{material.path.name} has {float(material.rate):.5g} frames a second, the timeline {float(rate):.5g}: "
                "its places are rounded to frames of the timeline."
            )
    short = sum(p.start < HANDLE or materials[p.clip].length - p.end < HANDLE for p in pieces)
    if short:
        yield f"{short} of {len(pieces)} ranges have less than {HANDLE} frames of handle, at an end of their clip."


def programme_words(made: Assembly) -> list[Word]:
    """The words that are heard in the programme, with its times; those that a cut touches are left out."""
    found = []
    for piece, at in zip(made.pieces, made.places, strict=True):
        material = made.materials[piece.clip]
        start, end = piece.start / material.rate, piece.end / material.rate
        shift = at / made.programme.rate - start
        inside = [material.spoken.words[n] for n in material.spoken.places.whole(start, end)]
        found += [replace(w, start=w.start + shift, end=w.end + shift) for w in inside]
    return found


def lost_words(made: Assembly) -> list[tuple[int, Word]]:
    """Words of which a part is played and a part is not, with the numbers of their clips."""
    out = []
    for number, material in enumerate(made.materials):
        spans = [(p.start / material.rate, p.end / material.rate) for p in made.pieces if p.clip == number]
        edges = [at for span in joined(spans) for at in span]
        across = {n for at in edges for n in material.spoken.places.touching(at, at)}
        out += [(number, material.spoken.words[n]) for n in sorted(across)]
    return out


__all__ = [
    "Assembly", "Cover", "Difference", "Material", "Piece", "assemble", "joins", "jumps", "lost_words", "marked",
    "place", "programme_words", "rate_of", "source_of",
]  # fmt: skip
