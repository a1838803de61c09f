"""One pair in a worker: both files decoded, every detector and every rule asked, pictures of what was found."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from safelight import channels as channel_rules
from safelight import checking, limits, weights, work
from safelight.channels import Answer, Channel, encoded, sets
from safelight.checking import Comparison, Outcome, Thresholds
from safelight.detectors import Finding
from safelight.domain import Box
from safelight.errors import Truncated
from safelight.files import write_atomic
from safelight.media import image, manifests
from safelight.media.frame import Bytes
from safelight.media.picture import shrink
from safelight.workers import Lost

NAMES = (
    "halo", "oversmoothing", "warp", "bent_lines", "seam", "fringe", "holes", "clipping", "hue_twist", "banding",
    "ghosting", "jpeg", "fill_repeat", "fill_blur", "identity", "skin_lightening",
    "shadow_left", "reflection_left",
)  # fmt: skip
SHOWN = 560  # px, long side of the pictures on the page
CROP = (360, 270)  # px, at 100 %
CROPS = 3  # findings of a pair that are shown at 100 %
AMBER = (36, 165, 245)  # BGR
UNASKED = "No detector for it is installed."
CREDENTIALS = "credentials"
ALONE = "It is told from before and after together."


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Asks for the check of a pair. `place`, if given, is where pictures go, as the beginning of their names."""

    before: Path | None
    after: Path
    mask: Path | None = None
    channels: tuple[Channel, ...] = ()
    limits: Mapping[str, Thresholds] | None = None
    place: Path | None = None
    by: str = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of a pair: its entry of `safelight.check/1`, or the error that kept it from being checked; the after
    at a small size, by which doubles are found."""

    before: Path | None
    after: Path
    entry: Mapping[str, Any] = field(default_factory=dict)
    thumb: tuple[float, ...] = ()
    error: Mapping[str, str] | None = None


def check_pair(job: Check) -> Checked:
    """Checks one pair. A file that cannot be read comes back as an error."""
    reading = job.after
    try:
        limits.begin(work.OPENING, seconds=2 * limits.opening(50_000_000, size=job.after.stat().st_size))
        after = encoded.read(job.after)
        answers = channel_rules.examine(after, job.channels)
        compared = None
        if job.before is not None:
            reading = job.before
            before = work.decode(job.before)[0]
            reading = job.mask or job.after
            mask = None if job.mask is None else image.read(job.mask)[..., 0]
            limits.begin("the detectors", seconds=4 * limits.plugin(before.shape[0] * before.shape[1]))
            words = checking.deep(job.before, job.after)
            compared = checking.compare(
                before, after.rgb, mask, weights=weights.installed(), limits=job.limits, words=words
            )
        elif not job.channels:
            limits.begin("the detectors", seconds=4 * limits.plugin(after.width * after.height))
            compared = checking.inspect(after.rgb, weights=weights.installed(), words=image.read_words(job.after))
        entry = entry_of(job, compared, answers, after.rgb, unasked=ALONE if job.before is None else UNASKED)
        _vouch(entry, job.after)
    except Exception as error:  # noqa: BLE001 - one pair that fails is listed, the others are checked
        return Checked(before=job.before, after=job.after, error=_error(reading, error))
    thumb = tuple(round(float(v), 1) for v in sets.thumb(after.rgb).ravel())
    return Checked(before=job.before, after=job.after, entry=entry, thumb=thumb)


def rescue(job: Check, lost: Lost) -> Checked:
    """A pair whose worker was lost is listed as not checked."""
    return Checked(
        before=job.before, after=job.after, error=_named(job.after, work.as_json(lost.error(job.after.name)))
    )


def _error(path: Path, error: Exception) -> dict[str, str]:
    told = work.refusal(path, error, what="checked")
    if told["code"] == Truncated.code:
        told = {**told, "remedy": "Copy it again, or have it sent again."}
    return _named(path, told)


def _named(path: Path, error: Mapping[str, str]) -> dict[str, str]:
    return {"path": str(path), **error}


# ---------------------------------------------------------------- the entry of the document


def entry_of(
    job: Check, compared: Comparison | None, answers: Sequence[Answer], after: Bytes, *, unasked: str = UNASKED
) -> dict[str, Any]:
    """A pair's entry of `safelight.check/1`; `unasked` is the reason for findings that no detector was asked for."""
    drawn = Drawn(job.place, after)
    findings = [] if compared is None else [finding_json(compared, f, drawn) for f in _all(compared, unasked)]
    rules = [answer.as_json() | {"mask": drawn.mask(answer)} for answer in answers]
    verdict = Outcome.PASS if compared is None else compared.verdict
    if findings and all(f["cannot_tell"] is not None for f in findings):
        verdict = Outcome.LOOK  # nothing was measured, so nothing can pass
    if any(answer.broken for answer in answers):
        verdict = Outcome.FAIL
    entry = {
        "before": None if job.before is None else str(job.before), "after": str(job.after), "matched_by": job.by,
        "verdict": verdict.value, "findings": findings, "rules": rules,
        "aligned": None if compared is None or compared.alone else aligned(compared),
        "size": [after.shape[1], after.shape[0]],
    }  # fmt: skip
    if job.place is not None and (verdict is not Outcome.PASS or answers):
        entry["shown"] = drawn.pictures(compared)
    return entry


def _all(compared: Comparison, unasked: str) -> list[Finding]:
    """The findings, and for each name that no detector answered for the reason why."""
    answered = {finding.name for finding in compared.findings}
    return [*compared.findings, *(Finding(name=n, cannot_tell=unasked) for n in NAMES if n not in answered)]


def aligned(compared: Comparison) -> dict[str, Any]:
    """How the two pictures were laid on each other."""
    found = compared.placement
    return {
        "kind": found.kind,
        "agreed": round(found.agreed, 3),
        "error_px": round(found.error_px, 2),
        "cannot": found.cannot,
    }


def finding_json(compared: Comparison, finding: Finding, drawn: "Drawn | None" = None) -> dict[str, Any]:
    """A finding as `safelight.check/1` has it, with what it says by itself."""
    return {
        "name": finding.name, "score": _rounded(finding.score), "probability": _rounded(finding.probability),
        "cannot_tell": finding.cannot_tell, "where": list(finding.where) if finding.where else None,
        "heatmap": drawn.heat(compared, finding) if drawn is not None else None, "text": finding.text,
        "outcome": compared.outcome(finding).value,
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def _vouch(entry: dict[str, Any], path: Path) -> None:
    """Adds to an entry whether the content credentials of a file verify, where it carries any. Broken ones want a look:
    whoever gets the file is shown that it was tampered with."""
    told = manifests.told(path)
    if told is None:
        return
    broken = told.verifies is False
    chance = None if told.verifies is None else float(broken)
    entry["findings"].append({
        "name": CREDENTIALS, "score": chance, "probability": chance,
        "cannot_tell": told.text if told.verifies is None else None, "where": None, "heatmap": None, "text": told.text,
        "outcome": (Outcome.LOOK if broken else Outcome.PASS).value,
    })  # fmt: skip
    if broken and entry["verdict"] == Outcome.PASS:
        entry["verdict"] = Outcome.LOOK.value


# ---------------------------------------------------------------- pictures of what was found


@dataclass(frozen=True, slots=True)
class Drawn:
    """Writes the pictures of a pair to files whose names begin with `place`; writes nothing where that is None."""

    place: Path | None
    after: Bytes

    def heat(self, compared: Comparison, finding: Finding) -> str | None:
        """The heat map of a finding that wants a look, amber where it is hot and else transparent."""
        if self.place is None or finding.heat is None or compared.outcome(finding) is Outcome.PASS:
            return None
        return self._png(finding.name, finding.heat)

    def mask(self, answer: Answer) -> str | None:
        """The pixels that a broken rule means."""
        if self.place is None or not answer.broken or answer.mask is None:
            return None
        scale = min(1.0, SHOWN / max(answer.mask.shape))
        plane = answer.mask.astype(np.uint8) * 255
        grown = cv2.dilate(plane, np.ones((3, 3), np.uint8)) if scale < 0.5 else plane
        return self._png(answer.rule, cv2.resize(grown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) / 255)

    def pictures(self, compared: Comparison | None) -> dict[str, Any]:
        """The pair at a small size, and both at 100 % where the worst findings are, the before laid on the after."""
        shown: dict[str, Any] = {"after": self._jpeg("after", shrink(self.after, SHOWN)), "crops": []}
        if compared is None:
            return shown
        everything = 0, 0, self.after.shape[1], self.after.shape[0]
        if not compared.alone:
            shown["before"] = self._jpeg("before", _laid(compared, everything, shrink(self.after, SHOWN).shape[:2]))
        found = [f for f in compared.findings if compared.outcome(f) is not Outcome.PASS and f.where]
        found.sort(key=lambda f: -(f.probability or 0))
        for finding in found[:CROPS]:
            box = around(finding.where or everything, self.after.shape)
            x0, y0, x1, y1 = box
            crops = {"after": self.after[y0:y1, x0:x1]}
            if not compared.alone:
                crops["before"] = _laid(compared, box, (y1 - y0, x1 - x0))
            files = {side: self._jpeg(f"{finding.name}.{side}", rgb) for side, rgb in crops.items()}
            shown["crops"].append({"name": finding.name, "where": list(box), **files})
        return shown

    def _jpeg(self, name: str, rgb: Bytes) -> str:
        data = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality=86, colorspace="RGB", colorsubsampling="444")
        return self._put(f"{name}.jpg", data)

    def _png(self, name: str, heat: NDArray[Any]) -> str:
        rgba = np.empty((*heat.shape, 4), np.uint8)
        rgba[..., :3] = AMBER
        rgba[..., 3] = np.clip(heat * 255, 0, 255).astype(np.uint8)
        return self._put(f"{name}.png", bytes(cv2.imencode(".png", rgba)[1]))

    def _put(self, name: str, data: bytes) -> str:
        assert self.place is not None
        path = self.place.with_name(f"{self.place.name}.{name}")
        write_atomic(path, data)
        return str(path)


def around(box: Box, shape: tuple[int, ...], size: tuple[int, int] = CROP) -> Box:
    """A box of `size` (or as much as there is) about the middle of another, inside the picture."""
    height, width = shape[:2]
    wide, tall = min(size[0], width), min(size[1], height)
    x = min(max((box[0] + box[2] - wide) // 2, 0), width - wide)
    y = min(max((box[1] + box[3] - tall) // 2, 0), height - tall)
    return x, y, x + wide, y + tall


def _laid(compared: Comparison, box: Box, shape: tuple[int, int]) -> Bytes:
    """The before as it lies under a box of the after, in `shape` pixels."""
    before = compared.pair.before
    if compared.placement.cannot is not None:
        return shrink(before, max(shape))
    x = np.linspace(box[0], box[2] - 1, shape[1])
    y = np.linspace(box[1], box[3] - 1, shape[0])
    u, v = compared.placement.back(*np.meshgrid(x, y))
    step = max(1.0, (box[2] - box[0]) / shape[1])
    small = shrink(before, round(max(before.shape[:2]) / step)) if step > 1.5 else before
    zoom = small.shape[1] / before.shape[1]
    across, down = (np.asarray((plane + 0.5) * zoom - 0.5, np.float32) for plane in (u, v))
    return np.asarray(cv2.remap(small, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def key_of(job: Check, labels: Sequence[str]) -> str:
    """Under which name the result of a job is kept: other bytes, detectors or rules give another."""
    stats = [
        (str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in (job.before, job.after, job.mask) if p is not None
    ]
    return hashlib.sha256(repr((stats, tuple(labels), job.channels, job.limits)).encode()).hexdigest()[:24]
