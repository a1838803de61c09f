"""A plan as a timeline: source-linked clips of picture and sound, doubts as markers; nothing is rendered."""

from fractions import Fraction
from pathlib import Path

from safelight.cutting.plan import Plan
from safelight.interchange import first_frame
from safelight.interchange.programme import Clip, Marker, Programme, Track, tidy
from safelight.media import container, timecode

USUAL = Fraction(25)  # frames a second where there is no picture


def frames_of(path: Path) -> tuple[Fraction, int]:
    """The rate in which a clip is cut, and how many frames of it there are."""
    facts = container.contents(path)
    rate = facts.picture.rate if facts.picture and facts.picture.rate else USUAL
    rate = rate if timecode.is_known(rate) else USUAL
    return rate, int((facts.duration_s or Fraction(0)) * rate)


def programme(path: Path, plan: Plan, *, action: str) -> Programme:
    """A new timeline named for what was done; picture and sound stay linked frame by frame."""
    facts = container.contents(path)
    zero = first_frame(facts, plan.rate)
    clips = tuple(
        Clip(
            name=path.stem, length=b - a, source=zero + a, media=path.absolute().as_uri(), reel=facts.reel,
            media_start=zero, media_length=plan.length,
        )
        for a, b in plan.kept
    )  # fmt: skip
    kinds = (["video"] if facts.picture else []) + (["audio"] if facts.sounds else [])
    return tidy(Programme(
        name=f"{path.stem} {action}", rate=plan.rate, tracks=tuple(Track(kind=k, items=clips) for k in kinds),
        markers=tuple(_markers(plan)),
    ))  # fmt: skip


def _markers(plan: Plan) -> list[Marker]:
    """Doubts where they lie in the cut; cuts that want a look at their seam."""
    found = [
        Marker(at=_place(plan, d.start), length=max(_place(plan, d.end) - _place(plan, d.start), 1), name=d.rule,
               comment=d.text, colour="YELLOW")
        for d in plan.doubts
    ]  # fmt: skip
    found += [Marker(at=_place(plan, c.start), name=c.rule, comment=c.text, colour="BLUE") for c in plan.cuts if c.look]
    return found


def _place(plan: Plan, frame: int) -> int:
    """Where a frame of the source lies in the cut."""
    return frame - sum(min(c.end, frame) - c.start for c in plan.cuts if c.start < frame)
