"""Takes the shake of a hand out of what plays of a clip, within a crop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from safelight.domain import Because, Measure
from safelight.media.effects import Effect, Steady
from safelight.media.timeline import Timeline
from safelight.operators import Medium, Operator, Risk, Stage, Subject, Suggestion, Wishes, _effects
from safelight.params import declare
from safelight.words import many

NAME = "steady"
USUAL = Steady()
SHAKES = ("handheld", "shaky")  # as a run calls shots that are not on a tripod
STAYS = ("static", "wanders")  # moves of a camera that nobody means; any other is kept
STRENGTH_S, CROP = 0.25, 0.03  # by which a change is material
GENTLER, STRONGER = Steady(crop=0.05), Steady(strength_s=1.0, crop=0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyParams:
    """Over how long the path of the camera is smoothed, and what that may cost; by default it stays as it was."""

    strength_s: float = declare(
        0.0, low=0.0, high=5.0, step=0.1, unit="s",
        help="standard deviation over which the path is smoothed; 0 leaves it as it is, 0.1 is the least else",
    )  # fmt: skip
    crop: float = declare(0.1, low=0.01, high=0.3, step=0.01, help="share of the width that may be cut off")
    anyway: bool = declare(default=False, help="also where the camera is meant to move; its way stays")

    def __post_init__(self) -> None:
        if 0 < self.strength_s < 0.1:
            raise ValueError(f"strength_s is 0 or at least 0.1 s, not {self.strength_s:g}")

    @property
    def effect(self) -> Effect | None:
        """What is to be done; None for nothing."""
        if not self.strength_s:
            return None
        return Effect(name=NAME, settings=Steady(strength_s=self.strength_s, crop=self.crop, anyway=self.anyway))


def propose(subjects: Sequence[Subject], wishes: Wishes) -> Sequence[Suggestion[SteadyParams]]:  # noqa: ARG001
    """The usual smoothing for clips with shots that a hand held while the camera did nothing else. Pans and zooms are
    left to whoever framed them, and so are pictures woven of two fields."""
    found = [_suggest(subject) for subject in subjects]
    return [one for one in found if one is not None]


def _suggest(subject: Subject) -> Suggestion[SteadyParams] | None:
    told, picture = subject.facts.get("shots.facts"), subject.facts.get("clip.picture")
    rows: Any = told.value if told is not None and isinstance(told.value, list) else []
    woven: Any = picture.value if picture is not None and isinstance(picture.value, dict) else {}
    shaky = [(n, row) for n, row in enumerate(rows, 1) if _shakes(row)]
    if not shaky or woven.get("fields"):
        return None
    because = [
        Because(
            evidence="shots.facts", value={"shot": n, "shake": row["steadiness"]["shake"]},
            text=f"Shot {n} of {len(rows)} is {row['steadiness']['kind']}: "
            f"{row['steadiness']['shake']:.2%} of the width off its own smooth way.",
        )
        for n, row in shaky
    ]  # fmt: skip
    others = len(rows) - len(shaky)
    if others:
        text = f"{many(others, 'other shot')} of it stands, moves on purpose, or cannot be told."
        because.append(Because(evidence="shots.facts", value=others, text=text))
    text = "A hand may be meant. Where nothing is gained, or the picture would wobble, a piece is left as it was."
    because.append(Because(evidence="shots.facts", value=None, text=text))
    return Suggestion(
        member=subject.asset.id, params=_params(USUAL), because=tuple(because),
        alternatives=(_params(GENTLER), _params(STRONGER)),
    )  # fmt: skip


def _shakes(row: Any) -> bool:
    camera = row["motion"].get("camera", ())
    return row["steadiness"].get("kind") in SHAKES and bool(camera) and all(move in STAYS for move in camera)


def _params(steady: Steady) -> SteadyParams:
    return SteadyParams(strength_s=steady.strength_s, crop=steady.crop, anyway=steady.anyway)


def check(before: Timeline, after: Timeline, params: SteadyParams) -> Sequence[Measure]:
    """Whether the same plays, and every clip is to be steadied as was asked. What of the shake is left is measured on
    the film of a delivery."""
    return _effects.check(before, after, params.effect, NAME)


def spoil(before: Timeline, params: SteadyParams) -> Timeline:
    """The last clip is forgotten, or, where nothing was asked, steadied."""
    if params.effect is None:
        return _effects.put(before, Effect(name=NAME, settings=USUAL))
    return _effects.without(_effects.put(before, params.effect), NAME)


def material(one: SteadyParams, two: SteadyParams) -> bool:
    """Whether one is steadied and the other not, over another time or with another crop, or pans of one alone."""
    if (one.effect is None) != (two.effect is None):
        return True
    if one.effect is None:
        return False
    longer = abs(one.strength_s - two.strength_s) > STRENGTH_S
    return longer or abs(one.crop - two.crop) > CROP or one.anyway != two.anyway


operator: Operator[SteadyParams] = Operator(
    name=NAME,
    version=1,
    params=SteadyParams,
    risk=Risk(complexity=0.5, cost=0.4),
    stage=Stage.EFFECT,
    rank=3,
    medium=Medium.TIMELINE,
    margin=None,
    needs=("shots.facts", "clip.picture"),
    propose=propose,
    render=_effects.render,
    check=check,
    spoil=spoil,
    material=material,
    material_when="only one is steadied, over more than 0.25 s more or less, with 3 % more crop or less, or pans too",
    examples=(_params(USUAL), SteadyParams(strength_s=1.0, crop=0.2, anyway=True)),
    about="Takes the shake of a hand out of what plays of a clip, within a crop.",
)
