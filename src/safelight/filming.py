"""A cut as a film with all that is done to its clips: shake and passers-by are looked into first, clip by clip, and
what is left of them is measured on the film as it was written.

    pieces ─▶ path, empty place ─▶ frames rendered ─▶ tracked again ─▶ measures
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from safelight import clearing, dialogue, refilm, steady, weights
from safelight.cutting import render as rendering
from safelight.cutting.assembly import Assembly, Material
from safelight.cutting.reading import Change, Rework
from safelight.cutting.render import FILMS, Rendered
from safelight.domain import Measure
from safelight.media import container
from safelight.media.container import Timing
from safelight.media.effects import Clear, Steady
from safelight.media.repair.deepfilter import WEIGHTS
from safelight.words import many

NOT_STEADIED, STILL_SHAKES = "steady.not_done", "steady.still_shakes"
NOT_CLEARED, CLEARED = "clear.not_done", "clear.changed"
TOLD: Mapping[str, str] = {
    NOT_STEADIED: "Nothing of what plays could be steadied.",
    STILL_SHAKES: "It still shakes where shake was to be taken out.",
    NOT_CLEARED: "Who passes could not be taken out.",
    CLEARED: "Who passes was taken out: look at all of it.",
}  # what a measure of a film says where it is a finding
Tell = Callable[[str], None]


def render(made: Assembly, out: Path, *, preview: bool = False, tell: Tell = lambda _: None) -> Rendered:
    """Writes a programme to `out` as `cutting.render` does, with all that is asked for of its clips. Raises UsageError,
    MediaError."""
    ending = out.suffix.lower()
    works = [_Work(made, n, ending, tell) for n in _to_do(made)]
    if ending in FILMS:
        for work in works:
            work.look()
    done = rendering.render(
        made, out, preview=preview, tell=tell, cleaner=weights.installed().get(WEIGHTS), hears=dialogue.speech,
        reworks={work.material.path: work.rework for work in works},
    )  # fmt: skip
    if not works or ending not in FILMS:
        return done
    again = steady.track(out) if not preview and any(w.calm is not None and w.calm.steadied for w in works) else None
    notes = [note for work in works for note in work.told(again)]
    measures = [measure for work in works for measure in work.measures(again)]
    return replace(done, notes=(*done.notes, *notes), measures=(*done.measures, *_worst(measures)))


def _to_do(made: Assembly) -> list[int]:
    """The clips that play whose frames are to be steadied or cleared."""
    played = sorted({piece.clip for piece in made.pieces})
    return [n for n in played if made.materials[n].asked(Steady) or made.materials[n].asked(Clear)]


def _worst(measures: Sequence[Measure]) -> list[Measure]:
    """Of several clips the measures that say most."""
    found: dict[str, Measure] = {}
    for measure in measures:
        held = found.get(measure.name)
        if held is None or _number(measure) > _number(held):
            found[measure.name] = measure
    return list(found.values())


def _number(measure: Measure) -> float:
    return float(measure.value) if isinstance(measure.value, int | float) else -1.0


@dataclass(slots=True)
class _Work:
    """One clip of a programme, from what is asked for to what came of it."""

    made: Assembly
    number: int
    ending: str
    tell: Tell
    rework: Rework = field(default_factory=lambda: Rework(change=None, why="", deeds=()))
    timing: Timing | None = None
    seen: steady.Track | None = None
    calm: steady.Calm | None = None
    painter: clearing.Painter | None = None
    refused: str | None = None  # why nobody is taken out

    @property
    def material(self) -> Material:
        return self.made.materials[self.number]

    def look(self) -> None:
        """Finds the path and the empty place. A clip without a picture has neither."""
        material = self.material
        picture = material.facts.picture
        if picture is None:
            return
        asked, who = material.asked(Steady), material.asked(Clear)
        self.timing = container.timing(material.path, stream=picture.index)
        shape = refilm.shape_of(material.facts, self.ending)
        if who is not None:
            self.tell(f"looking for who passes in {material.path.name}")
            found = clearing.painter_of(material.path, material.facts, shape, where=who.where, tell=_quiet)
            if isinstance(found, clearing.Cleared):
                self.refused = found.cannot_tell
            else:
                self.painter = found
        if asked is not None:
            self.tell(f"following the camera of {material.path.name}")
            self.seen = steady.track(material.path, facts=material.facts)
            self.calm = steady.calm(self.seen, [(first, end) for first, end, _ in self._played()], asked)
        self.rework = self._rework(shape)

    def _frame(self, at: Fraction) -> int:
        """The frame of the clip that is shown at an instant; times are rounded to the ticks of its container."""
        assert self.timing is not None
        return self.timing.frame_at(at + 1 / (4 * self.material.rate))

    def _played(self) -> list[tuple[int, int, int]]:
        """Frames [first, end) of the clip that play, and the frame of the programme that shows the first."""
        rate = self.material.rate
        return [
            (self._frame(start / rate), self._frame((end - 1) / rate) + 1, part.at)
            for (clip, start, end), part in zip(self.made.seen_ranges, self.made.shown, strict=True)
            if clip == self.number
        ]

    def _visible(self) -> list[tuple[int, int, int]]:
        """The same without what lies under a cutaway."""
        step = 1 / self.made.programme.rate
        return [
            (self._frame(run.first), self._frame(run.first + (run.length - 1) * step) + 1, run.at)
            for run in self.made.runs
            if not run.over and run.material is self.material
        ]

    def _rework(self, shape: refilm.Shape) -> Rework:
        painter, calm = self.painter, self.calm if self.calm is not None and self.calm.steadied else None

        def change(frame: Any, at: Fraction) -> Any:
            n = self._frame(at)
            if painter is not None:
                frame = painter.paint(frame, n, shape)
            if calm is None or n >= len(calm.moves) or (calm.zooms[n] == 1 and not calm.moves[n].any()):
                return frame
            return steady.moved(frame, shape, calm.moves[n], float(calm.zooms[n]))

        done: Change | None = change if painter is not None or calm is not None else None
        why = ["who passes is taken out"] if painter is not None else []
        why += ["its shake is taken out"] if calm is not None else []
        deeds = [clearing.DEED] if painter is not None else []
        deeds += steady.DEEDS if calm is not None else []
        return Rework(change=done, why=" and ".join(why), deeds=tuple(deeds), composed=painter is not None)

    # ------------------------------------------------------------ what came of it

    def told(self, again: steady.Track | None) -> list[str]:
        """In sentences. `again`: the film as it was tracked."""
        return [*self._who(), *self._shake(again)]

    def _who(self) -> list[str]:
        name = self.material.path.name
        if self.refused is not None:
            return [f"{name}: nobody is taken out: {self.refused}."]
        if self.painter is None:
            return []
        if not self.painter.changed:
            return [f"{name}: {clearing.NOBODY} in what plays."]
        where = f"{many(self.painter.changed, 'frame')}, in up to {self.painter.largest:.1%} of the picture"
        return [f"{name}: what lies behind is shown in {where}."]

    def _shake(self, again: steady.Track | None) -> list[str]:
        if self.calm is None:
            return []
        name, rate = self.material.path.name, float(self.material.rate)
        found = [
            f"{name} is left as it was from {s.first / rate:.2f} to {s.end / rate:.2f} s: {s.why}."
            for s in self.calm.left
        ]  # fmt: skip
        if not self.calm.steadied:
            return found
        before, after = self._before_and_after(again)
        became = f" became {after:.2%}" if after is not None else " is taken out as far as the crop allows"
        return [*found, f"{name}: of the width, {before:.2%} of shake{became}; {self.calm.crop:.1%} of it is cut off."]

    def measures(self, again: steady.Track | None) -> list[Measure]:
        """What is left of it on the film."""
        found = []
        if self.refused is not None or self.painter is not None:
            failed = self.refused is not None or (self.painter is not None and self.painter.largest > clearing.MOST)
            changed = self.painter is not None and self.painter.changed > 0
            found = [
                Measure(name=NOT_CLEARED, value=float(failed), unit="fault"),
                Measure(name=CLEARED, value=float(changed), unit="fault"),
            ]
        if self.calm is None:
            return found
        found.append(Measure(name=NOT_STEADIED, value=float(not self.calm.steadied), unit="fault"))
        if again is not None and self.calm.steadied:
            before, after = self._before_and_after(again)
            left = 1.0 if after is None else after / before
            found += [
                Measure(name=STILL_SHAKES, value=float(left > steady.WORTH), unit="fault"),
                Measure(name="steady.left", value=round(left, 3), unit="of the shake"),
            ]
        return found

    def _before_and_after(self, again: steady.Track | None) -> tuple[float, float | None]:
        """The shake of what was steadied, in widths, in the clip and on the film, mean over frames; None where the film
        does not tell."""
        assert self.seen is not None
        rows = []
        for first, end, at, length in self._shown():
            part = self.seen.part(first, end)
            film = again.part(at, at + length) if again is not None else None
            told = film is not None and steady.unseen(film) is None
            after = steady.shake_of(film.path, film.rate) if film is not None and told else None
            rows.append((end - first, steady.shake_of(part.path, part.rate), after))
        frames = sum(n for n, _, _ in rows)
        before = sum(n * one for n, one, _ in rows) / max(frames, 1)
        known = [(n, two) for n, _, two in rows if two is not None]
        if not known:
            return before, None
        return before, sum(n * two for n, two in known) / sum(n for n, _ in known)

    def _shown(self) -> list[tuple[int, int, int, int]]:
        """Frames [first, end) of the clip that were steadied, with the first frame and the number of those that show
        them in the film; what is too short to tell anything is left out."""
        assert self.calm is not None
        assert self.seen is not None
        assert self.timing is not None
        found = []
        for start, stop, place in self._visible():
            for span in self.calm.steadied:
                first, end = max(start, span.first), min(stop, span.end)
                if first < end and steady.unseen(self.seen.part(first, end)) is None:
                    before, lasts = (
                        self.timing.at(b) - self.timing.at(a) for a, b in ((start, first), (first, end - 1))
                    )
                    at, length = (round(seconds * self.made.programme.rate) for seconds in (before, lasts))
                    found.append((first, end, place + at, length + 1))
        return found


def _quiet(what: str, frames: int) -> None:
    """Nobody is told of single frames."""


__all__ = ["TOLD", "render"]
