"""Scenes without flicker, ColorChecker and grey card: made scenes, charts drawn into photos, a real raw with one.

Spread: mean ΔE00 of grey places, known from the photo the frames were made from, to their own mean over the frames of
a scene; places that clip in a frame are left out there. Beside it each frame decided alone. Charts: found if every
corner patch's middle is met within a third of a patch. The raw: all 24 patches through probe, operators and render,
against the published values; beside it the camera's white balance, LibRaw's automatic one, and what is met of patches
that were left out of the fit. Colour models never saw the photo.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import rawpy
from numpy.typing import NDArray

from bench import _charts, _scenes
from bench._heldout import model_of
from bench.harness import Data, MissingData, Result, quantile_interval
from safelight import params as json_params
from safelight.domain import Asset, Capture, Edit, Kind, Measure
from safelight.media import image, raw, write
from safelight.media.colorchecker import COLUMNS, LABS, ROWS
from safelight.media.colour import SRGB_FROM_REC2020, delta_e, delta_e_lab, lab_of_linear
from safelight.media.frame import Bytes
from safelight.media.picture import Picture
from safelight.operators import Subject, Tools, Wishes, chart_profile, exposure, white_balance
from safelight.probes import Member, chart, colour, marks, scene_light
from safelight.probes import exposure as exposure_probe
from safelight.probes._illuminants import reproduction_error
from safelight.render import render
from safelight.work import decode

Floats = NDArray[np.float64]

SCENES, CHARTS, CARDS = 30, 120, 40
HALVED, FOUND, FALSE, CLOSE = 0.5, 0.95, 0.0, 2.5  # bars
FEWEST = 4  # grey places that a photo must have to count
HIT = 1 / 3  # of a patch
CLIPPED = 250  # of 255: grey places beyond are not compared
TOOLS = Tools(kept=lambda _: b"", weights={})
RAW = "raw/canon_x4_colorchart.dng"
OPERATORS = (white_balance.operator, exposure.operator, chart_profile.operator)


def run(data: Data) -> Iterable[Result]:
    """Scenes, charts in photos, photos without, the raw."""
    photos = _photos(data)
    yield from scene_results(photos)
    yield from chart_results(photos)
    yield from card_results(photos)
    yield from false_results(data, photos)
    yield from raw_results(data)


def _photos(data: Data) -> list[tuple[str, Path]]:
    """Clean photos by source name."""
    folder, table = data.table("photo_tags.csv", recipe="shared data")
    names = sorted({row["file"] for row in table if (folder / row["file"]).is_file()})
    return [(name, folder / name) for name in names]


# ---------------------------------------------------------------- scenes


def scene_results(photos: Sequence[tuple[str, Path]]) -> Iterator[Result]:
    """Spread of grey places before, with the joint decision, and with each frame decided alone."""
    before: list[float] = []
    joint: list[float] = []
    alone: list[float] = []
    sources: list[str] = []
    outliers, told = 0, 0
    for number, (name, path) in enumerate(photos):
        if len(sources) == SCENES:
            break
        made = _scenes.scene(image.read(path), np.random.default_rng((3, number)))
        if len(made.places) < FEWEST:
            continue
        subjects = _subjects(name, made)
        sources.append(name)
        before.append(_spread(made, [f.rgb for f in made.frames]))
        together = _rendered(made, _edits(subjects))
        joint.append(_spread(made, together))
        alone.append(_spread(made, _rendered(made, {k: v for s in subjects for k, v in _edits([_alone(s)]).items()})))
        named = {
            s.member
            for s in exposure.propose(subjects, Wishes())
            if any(b.code == "exposure.outlier" for b in s.because)
        }
        far = max(range(len(made.frames)), key=lambda i: abs(made.frames[i].ev - _middle(made)))
        outliers += 1
        told += subjects[far].asset.id in named
    if not sources:
        return
    values = np.array(joint)
    low, high = quantile_interval(values, sources)
    beside = {"before": float(np.median(before)), "alone": float(np.median(alone))}
    yield Result(
        name="consistency.scene.spread_de00", value=float(np.median(values)), n=len(values), unit="ΔE00", low=low,
        high=high, bar=HALVED * float(np.median(before)), want="at most", beside=beside,
        note=f"{_scenes.FRAMES} frames a scene",
    )  # fmt: skip
    yield Result(
        name="consistency.scene.ratio", value=float(np.median(values / np.array(before))), n=len(values), bar=HALVED,
        want="at most", beside={"alone": float(np.median(np.array(alone) / np.array(before)))},
        note="of the spread that is left, median over scenes",
    )  # fmt: skip
    yield Result(
        name="consistency.scene.worse", value=float((values > np.array(before) + 0.1).mean()), n=len(values),
        unit="share", beside={"alone": float((np.array(alone) > np.array(before) + 0.1).mean())},
    )  # fmt: skip
    yield Result(
        name="consistency.scene.outlier_named", value=told / outliers, n=outliers, unit="share",
        note="scenes whose frame that is furthest off is named as such",
    )  # fmt: skip


def _middle(made: _scenes.Scene) -> float:
    return float(np.median([f.ev for f in made.frames]))


def _subjects(source: str, made: _scenes.Scene) -> list[Subject]:
    """The frames as operators see them, a second apart."""
    subjects = []
    for i, framed in enumerate(made.frames):
        picture = Picture(rgb=framed.rgb)
        facts = {m.name: m for m in colour.judge(picture, model=model_of("colour", source))}
        light = exposure_probe.judge(picture, model=model_of("exposure", source) or exposure_probe.MODEL)
        facts |= {m.name: m for m in (*light, *marks.measure(picture), *chart.measure(picture))}
        subjects.append(_subject(f"{i}", facts, Capture(at=f"2026-05-02T14:03:{i:02d}.000", camera="Made")))
    members = [Member(asset=s.asset, path=s.path, facts=s.facts) for s in subjects]
    found = scene_light.survey(members).measures
    return [
        _subject(s.path, {**s.facts, **{m.name: m for m in found.get(s.asset.id, ())}}, s.asset.capture)
        for s in subjects
    ]


def _subject(name: str, facts: Mapping[str, Measure], capture: Capture) -> Subject:
    asset = Asset(id=name, content=None, kind=Kind.PHOTO, format="jpeg", width=1, height=1, capture=capture)
    return Subject(asset=asset, path=name, facts=facts, scene="scene")


def _alone(subject: Subject) -> Subject:
    """The frame without what is known from others."""
    facts = {name: m for name, m in subject.facts.items() if name != "light.relative"}
    return _subject(subject.path, facts, subject.asset.capture)


def _edits(subjects: Sequence[Subject]) -> dict[str, tuple[Edit, ...]]:
    """The proposed edits by frame, in the order in which they are rendered."""
    made: dict[str, tuple[Edit, ...]] = {s.asset.id: () for s in subjects}
    for operator in OPERATORS:
        for suggestion in operator.propose(subjects, Wishes()):
            if suggestion.params is not None:
                edit = Edit(
                    operator=operator.name, version=operator.version, params=json_params.to_json(suggestion.params)
                )
                made[suggestion.member] = (*made[suggestion.member], edit)
    return made


def _rendered(made: _scenes.Scene, edits: Mapping[str, tuple[Edit, ...]]) -> list[Bytes]:
    return [
        write.to_srgb8(render(image.frame_of(framed.rgb), edits[f"{i}"], TOOLS)) for i, framed in enumerate(made.frames)
    ]


def _spread(made: _scenes.Scene, shown: Sequence[Bytes]) -> float:
    """Mean ΔE00 of each grey place in each frame to its mean over the frames that show it unclipped."""
    found = _scenes.seen(made, shown)
    found[_scenes.seen(made, [f.rgb for f in made.frames]).max(2) > CLIPPED] = np.nan
    known: NDArray[np.bool_] = np.isfinite(found.sum(2))
    enough = known.sum(1) >= 2
    values = []
    for place, there in zip(found[enough], known[enough], strict=True):
        own = place[there]
        middle = np.tile(np.rint(own.mean(0)), (len(own), 1))
        values.append(float(delta_e(np.rint(own).astype(np.uint8), middle.astype(np.uint8)).mean()))
    return float(np.mean(values)) if values else float("nan")


# ---------------------------------------------------------------- charts


def chart_results(photos: Sequence[tuple[str, Path]]) -> Iterator[Result]:
    """Charts found where they lie, and how well their greys tell the light."""
    hits, errors, by_size = [], [], []
    for number in range(CHARTS):
        _, path = photos[number % len(photos)]
        made = _charts.made(image.read(path), np.random.default_rng((5, number)))
        facts = {m.name: m for m in chart.measure(Picture(rgb=made.rgb))}
        hit = _hit(facts, made)
        hits.append(hit)
        by_size.append((made.height / min(made.rgb.shape[:2]), hit))
        if hit and facts["chart.gains"].value is not None:
            errors.append(_light_error(facts["chart.gains"], made))
    small = [hit for size, hit in by_size if size < 0.25]
    yield Result(
        name="consistency.chart.found", value=float(np.mean(hits)), n=len(hits), unit="share", bar=FOUND,
        want="at least", beside={"height_below_quarter": float(np.mean(small))} if small else {},
    )  # fmt: skip
    yield Result(
        name="consistency.chart.light_error", value=float(np.median(errors)), n=len(errors), unit="degrees",
        note="of the light that its greys tell, 8-bit JPEG, shade included",
    )  # fmt: skip


def _light_error(gains: Measure, made: _charts.Made) -> float:
    """Degrees between grey and a grey under the drawn light, corrected by these gains."""
    return reproduction_error(np.asarray(made.gains), np.asarray(gains.value, np.float64))


def card_results(photos: Sequence[tuple[str, Path]]) -> Iterator[Result]:
    """Grey cards found, and how well they tell the light."""
    errors = []
    for number in range(CARDS):
        _, path = photos[number % len(photos)]
        made = _charts.made_card(image.read(path), np.random.default_rng((6, number)))
        facts = {m.name: m for m in chart.measure(Picture(rgb=made.rgb))}
        if "card.gains" in facts:
            errors.append(_light_error(facts["card.gains"], made))
    yield Result(
        name="consistency.card.found", value=len(errors) / CARDS, n=CARDS, unit="share",
        note="grey cards drawn as the charts are; sought cautiously on purpose",
    )  # fmt: skip
    if errors:
        yield Result(
            name="consistency.card.light_error", value=float(np.median(errors)), n=len(errors), unit="degrees",
            beside={"most": float(np.max(errors))},
        )  # fmt: skip


def _hit(facts: Mapping[str, Measure], made: _charts.Made) -> bool:
    found = facts.get("chart.corners")
    if found is None or found.value is None:
        return False
    homography = cv2.getPerspectiveTransform(np.asarray(chart.CORNERS, np.float32), np.asarray(found.value, np.float32))
    ends = np.array(((0, 0), (COLUMNS - 1, 0), (COLUMNS - 1, ROWS - 1), (0, ROWS - 1)), np.float64)
    off = np.abs(cv2.perspectiveTransform(ends[None], homography)[0] - made.corners).max()
    return bool(off < HIT * made.height / (ROWS + 1))


def false_results(data: Data, photos: Sequence[tuple[str, Path]]) -> Iterator[Result]:
    """Pictures without a chart in which one is seen."""
    paths = [path for _, path in photos]
    for table, recipe in (("photo_faults/photo_faults.csv", "shared data"), ("quality/truth.csv", "quality")):
        try:
            folder, rows = data.table(table, recipe=recipe)
        except MissingData:
            continue
        paths += [folder / row["file"] for row in rows if (folder / row["file"]).is_file()]
    found = [{m.name: m.value for m in chart.measure(Picture(rgb=image.read(path)))} for path in paths]
    for name, seen in (
        ("chart", [facts["chart"] != 0 for facts in found]),
        ("card", ["card.gains" in facts for facts in found]),
    ):
        yield Result(
            name=f"consistency.{name}.false", value=float(np.mean(seen)), n=len(seen), unit="share", bar=FALSE,
            want="at most",
        )  # fmt: skip


# ---------------------------------------------------------------- the raw


def raw_results(data: Data) -> Iterator[Result]:
    """Mean ΔE00 of a real chart's patches before and after, in a raw by tungsten with dusk behind."""
    path = data.find(RAW)
    if path is None:
        return
    rgb, is_preview = decode(path)
    facts = {m.name: m for m in chart.measure(Picture(rgb=rgb, is_preview=is_preview, source=path))}
    if facts["chart"].value == 0:
        yield Result(
            name="consistency.raw.de00", value=None, n=0, unit="ΔE00", bar=CLOSE, want="at most", note="not found"
        )
        return
    subject = _subject("0", facts, Capture())
    edits = _edits([subject])["0"]
    light = raw.develop(path, half=True)
    after = render(light, edits, TOOLS)
    balanced = render(light, [e for e in edits if e.operator != "chart_profile"], TOOLS)
    beside = {
        "camera": _patches_apart(path, light.pixels),
        "libraw_auto": _patches_apart(path, _libraw_auto(path)),
        "balanced": _patches_apart(path, balanced.pixels),
    }
    (suggestion,) = chart_profile.propose([subject], Wishes())
    tested = next((b.value for b in suggestion.because if b.code == "chart_profile.tested"), None)
    if isinstance(tested, int | float):
        beside["left_out"] = float(tested)
    yield Result(
        name="consistency.raw.de00", value=_patches_apart(path, after.pixels, levelled=False), n=1, unit="ΔE00",
        bar=CLOSE, want="at most", beside=beside, note="camera and libraw_auto brought to the chart's exposure",
    )  # fmt: skip


def _libraw_auto(path: Path) -> NDArray[np.float32]:
    """LibRaw's automatic white balance, otherwise as `raw.develop`."""
    with rawpy.imread(str(path)) as opened:
        words = opened.postprocess(
            half_size=True, use_auto_wb=True, no_auto_bright=True, adjust_maximum_thr=0.0, output_bps=16, gamma=(1, 1),
            output_color=rawpy.ColorSpace.Rec2020, highlight_mode=rawpy.HighlightMode.Clip,
        )  # fmt: skip
    return (words / 65535).astype(np.float32)


def _patches_apart(path: Path, light: NDArray[np.float32], *, levelled: bool = True) -> float:
    """Mean ΔE00 of the patches; `levelled` gives them the chart's own level first, which no peer knows."""
    found = chart.chart_in(raw.develop(path, half=True).pixels)
    assert found is not None
    seen = chart.read(found, light)[0] @ SRGB_FROM_REC2020.T
    levels = seen[19:23] @ (0.2126, 0.7152, 0.0722)
    apart = []
    for lab in LABS.values():
        wanted = ((lab[19:23, 0] + 16) / 116) ** 3
        gain = float(np.median(wanted / levels)) if levelled else 1.0
        apart.append(float(delta_e_lab(lab_of_linear(seen * gain), lab).mean()))
    return min(apart)
