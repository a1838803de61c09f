"""Checks a picture before and after an edit: aligns the two, asks every detector, says pass, look or fail.

`compare` works on pictures in memory, `check` on files, `inspect` on a picture without its before. None of them cares
who made the edit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight import plugins
from safelight.detectors import Detector, Finding, Pair, Placement, known, place
from safelight.detectors.calibration import calibrated, calibrated_alone
from safelight.media import image
from safelight.media.colour import Words
from safelight.media.frame import Bytes
from safelight.media.picture import Picture
from safelight.media.warp import Warp

LOOK, FAIL = 0.5, 0.9  # probability from which a finding wants a look, or fails, where calibration names no other


class Outcome(StrEnum):
    """What the gate says of a pair."""

    PASS = "pass"  # noqa: S105 - a verdict
    LOOK = "look"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Probabilities from which a finding wants a look or fails."""

    look: float = LOOK
    fail: float = FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was found about one pair: every detector's findings, how the two were aligned, the verdict.

    `limits` holds the thresholds that were applied, by finding. `failed` names findings whose detector broke down: they
    want a look, since nobody has measured them. `pair` gives the aligned planes, for pages that show them.
    """

    findings: tuple[Finding, ...]
    placement: Placement
    verdict: Outcome
    limits: Mapping[str, Thresholds]
    pair: Pair = field(repr=False)
    alone: bool = False
    failed: frozenset[str] = frozenset()

    def outcome(self, finding: Finding) -> Outcome:
        """What one finding says by itself."""
        if finding.name in self.failed:
            return Outcome.LOOK
        return _outcome(finding, self.limits.get(finding.name, Thresholds()))


def thresholds(*, alone: bool = False) -> dict[str, Thresholds]:
    """The bench's thresholds of every calibrated finding; `alone`: of those that a picture by itself can have."""
    tables = calibrated_alone() if alone else calibrated()
    return {
        name: Thresholds(look=table.get("look", LOOK), fail=table.get("fail", FAIL)) for name, table in tables.items()
    }


def compare(
    before: Bytes | Picture, after: Bytes | Picture, mask: NDArray[Any] | None = None, *,
    transform: Mapping[str, Any] | Warp | None = None, detectors: Sequence[Detector] | None = None,
    limits: Mapping[str, Thresholds] | None = None, weights: Mapping[str, Mapping[str, Path]] | None = None,
    words: tuple[Words | None, Words | None] = (None, None),
) -> Comparison:  # fmt: skip
    """Findings of all registered detectors (or those given) about a pair of upright pictures, sRGB bytes H x W x 3.

    `mask` says where the edit was meant to act, or is the matte of a cut-out: H x W, bytes or 0..1, in the after's
    size (or the before's, or either's proportions). `transform` is the exact geometry if it is known, see
    `detectors.known`; else it is estimated. Where the two cannot be aligned, only what the after shows by itself is
    told, and the verdict is at least look; so it is where they are too small. `words` are before and after with sixteen
    bits a channel where the files have them (`media.image.read_words`). ValueError for arrays of another form.
    """
    first, second = _rgb(before), _rgb(after)
    size = second.shape[1], second.shape[0]
    placement = place(first, second) if transform is None else known(transform, size)
    pair = Pair(
        before=first, after=second, placement=placement, mask=as_mask(mask, second.shape[:2]), weights=weights or {},
        before_words=_deep(words[0], first), after_words=_deep(words[1], second),
    )  # fmt: skip
    chosen = tuple(plugins.detectors().values()) if detectors is None else tuple(detectors)
    answers = [_asked(detector.detect, pair, detector.finds) for detector in chosen]
    return _judged(pair, answers, thresholds() if limits is None else limits)


def inspect(
    picture: Bytes | Picture | Path | str, *, detectors: Sequence[Detector] | None = None,
    weights: Mapping[str, Mapping[str, Path]] | None = None, words: Words | None = None,
) -> Comparison:  # fmt: skip
    """What one picture shows by itself, without the picture before the edit: a file, or upright sRGB bytes H x W x 3.

    Detectors that have such a form answer, with chances and thresholds of their own; they are right less often than
    with a before, and blame the picture for what it always had. The others say why they cannot tell. `words` is the
    picture with sixteen bits a channel. Raises as `check` for files, ValueError for arrays of another form.
    """
    if isinstance(picture, str | Path):
        from safelight.weights import installed

        words, picture = image.read_words(Path(picture)), image.read(Path(picture))
        weights = installed() if weights is None else weights
    rgb = _rgb(picture)
    fine = _deep(words, rgb)
    placement = known({"type": "identity"}, (rgb.shape[1], rgb.shape[0]))
    pair = Pair(before=rgb, after=rgb, placement=placement, weights=weights or {}, before_words=fine, after_words=fine)
    chosen = tuple(plugins.detectors().values()) if detectors is None else tuple(detectors)
    answers = [_asked(detector.alone or _untold(detector), pair) for detector in chosen]
    return _judged(pair, answers, thresholds(alone=True), alone=True)


def _untold(detector: Detector) -> Callable[[Pair], Iterable[Finding]]:
    """What a detector without such a form says of a picture by itself."""
    return lambda _: [Finding(name=name, cannot_tell=detector.alone_cannot) for name in detector.finds]


def _asked(
    ask: Callable[[Pair], Iterable[Finding]], pair: Pair, finds: Sequence[str] = ()
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """A detector's findings, and the names for which it broke down or gave no usable answer (of `finds` one each is
    due): somebody's plug-in costs its own answers and no others."""
    try:
        found = tuple(ask(pair))
        reason = "The detector gave no answer."
    except Exception as error:  # noqa: BLE001 - whatever a detector throws is about its own findings
        found, reason = (), f"The detector failed: {type(error).__name__}: {error}"
    told = tuple(f for f in found if f.probability is None or np.isfinite(f.probability))
    lost = tuple(name for name in finds if name not in {f.name for f in told})
    return (*told, *(Finding(name=name, cannot_tell=reason) for name in lost)), lost


def _judged(
    pair: Pair, answers: Sequence[tuple[tuple[Finding, ...], tuple[str, ...]]], limits: Mapping[str, Thresholds], *,
    alone: bool = False,
) -> Comparison:  # fmt: skip
    found = tuple(finding for findings, _ in answers for finding in findings)
    failed = frozenset(name for _, names in answers for name in names)
    worst = [_outcome(finding, limits.get(finding.name, Thresholds())) for finding in found]
    least = Outcome.PASS if pair.cannot is None and not failed else Outcome.LOOK
    verdict = max([least, *worst], key=list(Outcome).index)
    return Comparison(
        findings=found, placement=pair.placement, verdict=verdict, limits=limits, pair=pair, alone=alone, failed=failed
    )  # fmt: skip


def check(
    before: Path | str, after: Path | str, mask: Path | str | None = None, *,
    transform: Mapping[str, Any] | Warp | None = None, limits: Mapping[str, Thresholds] | None = None,
) -> Comparison:  # fmt: skip
    """`compare` for files of any kind that Safelight reads; profiles and orientation are taken into account.

    Raises Unreadable, Truncated, NotMedia, TooLarge and Unsupported of `errors`.
    """
    from safelight.weights import installed

    area = None if mask is None else image.read(Path(mask))[..., 0]
    files = Path(before), Path(after)
    return compare(
        image.read(files[0]), image.read(files[1]), area, transform=transform, limits=limits, weights=installed(),
        words=deep(*files),
    )  # fmt: skip


def deep(before: Path, after: Path) -> tuple[Words | None, Words | None]:
    """The `words` of `compare` for two files: both with sixteen bits a channel, or none of them.

    Raises as `check`.
    """
    second = image.read_words(after)
    return (None, None) if second is None else (image.read_words(before), second)


def _outcome(finding: Finding, limits: Thresholds) -> Outcome:
    if finding.probability is None or finding.probability < limits.look:
        return Outcome.PASS
    return Outcome.FAIL if finding.probability >= limits.fail else Outcome.LOOK


def _rgb(picture: Bytes | Picture) -> Bytes:
    rgb = picture.rgb if isinstance(picture, Picture) else np.asarray(picture)
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ValueError(f"a picture is uint8, H x W x 3, not {rgb.dtype} {rgb.shape}")
    return rgb


def _deep(words: Words | None, rgb: Bytes) -> Words | None:
    if words is not None and (words.dtype != np.uint16 or words.shape != rgb.shape):
        raise ValueError(f"words are uint16 of the picture's shape {rgb.shape}, not {words.dtype} {words.shape}")
    return words


def as_mask(mask: NDArray[Any] | None, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """A mask as the detectors want it: float32 0..1 of this shape; ValueError if it is no plane."""
    if mask is None:
        return None
    if mask.ndim != 2 or not mask.size:
        raise ValueError(f"a mask is H x W, not {mask.shape}")
    plane = mask.astype(np.float32) / np.float32(255) if mask.dtype == np.uint8 else mask.astype(np.float32)
    if plane.shape != shape:
        plane = np.asarray(cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    return np.clip(plane, 0, 1)
