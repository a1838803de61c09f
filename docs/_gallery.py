"""Writes the gallery of failures: for every finding a picture with that flaw, and what `safelight check` says of it.

Pictures are made here, or are free photographs that packages carry (`pip install 'safelight[demo]'`); flaws are
planted by our own code. What the check does not see is shown as missed. Figures come from the kept bench run.

python docs/_gallery.py
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from safelight import plugins
from safelight.checking import Comparison, Outcome, check
from safelight.detectors import Finding
from safelight.review import flaws

Bytes = NDArray[np.uint8]
Box = tuple[int, int, int, int]

DOCS = Path(__file__).resolve().parent
RUN = DOCS.parent / "bench" / "results" / "artefacts.json"
NOTE = (
    "<!-- Written by docs/_gallery.py, which makes the pictures and runs the check on them; changes belong there. -->"
)
CROP = 300, 240  # px, width and height
AMBER = (245, 165, 36)
MISSED = "; this example is among those it misses"
SAID = {Outcome.PASS: "missed", Outcome.LOOK: "look", Outcome.FAIL: "fail"}
INTRODUCTION = """# Gallery of failures

What the detectors look for, one made example each: the picture before, the same place after, and where the check looked
hardest (amber, scaled to its own hottest place, with its box). `safelight check` was run on these very pairs with its
shipped thresholds; where it does not see its own example, that is said. Where a mask of the edit was given, what the
check says without one stands beside. An example shows what a flaw looks like; how often a detector is right is told by
the measured figures, from the [bench of artefacts](benchmarks/artefacts.md)."""
CREDITS = """## Where the pictures come from

Grounds, façades and objects are made by `docs/_gallery.py`. Three photographs come with scikit-image: a portrait of
Eileen Collins (NASA, public domain), Chelsea the cat (Stéfan van der Walt, CC0) and a cup of coffee (Rachel Michetti,
CC0). Every flaw was put in by code of this project."""


# What is to be known about examples that are hard: shown where the check does not see them.
BANDING = "The share is taken over all gentle ground: steps in one part, beside grain everywhere else, are diluted."
WARP = "Where a push is strong the part counts as other content and is no longer compared by blocks."
LINES = "Ledges cut the uprights into short pieces, each bent by little; and only the forty longest lines are followed."
FACE = "The limit is that of another person; a face that was only made slimmer stays below it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A pair with one flaw: which finding it is for, what was done, where it is (None: everywhere), a mask or none, and
    what is to be known about a miss."""

    finding: str
    done: str
    before: Bytes
    after: Bytes
    where: Box | None = None
    mask: Bytes | None = None
    why: tuple[str, ...] = ()


# ---------------------------------------------------------------- pictures


def photograph(file: str) -> Bytes:
    """A photograph out of scikit-image's folder; SystemExit where it is not installed."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise SystemExit("The photographs are not installed: pip install 'safelight[demo]'")
    return np.asarray(Image.open(Path(spec.origin).parent / "data" / file).convert("RGB"), np.uint8)


def done(values: NDArray[Any]) -> Bytes:
    """Bytes of float levels 0..255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def disc(shape: tuple[int, ...], x: float, y: float, rx: float, ry: float, soft: float = 1.0) -> NDArray[np.float32]:
    """A soft ellipse 0..1, H x W x 1."""
    v, u = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    hard = (np.hypot((u - x) / rx, (v - y) / ry) < 1).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(hard, (0, 0), soft), np.float32)[..., None]


def mixed(under: NDArray[Any], over: NDArray[Any], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Float levels of one picture over another."""
    return np.asarray(under, np.float32) * (1 - share) + np.asarray(over, np.float32) * share


def ground(size: tuple[int, int], colour: tuple[int, int, int], seed: int, rough: float = 9.0) -> NDArray[np.float32]:
    """A rough surface of one colour, float levels; `size` is (width, height)."""
    rng = np.random.default_rng(seed)
    level = np.zeros((size[1], size[0]), np.float32)
    for sigma, share in ((0.7, 1.0), (2.0, 0.8), (6.0, 0.6)):
        noise = cv2.GaussianBlur(rng.standard_normal(level.shape).astype(np.float32), (0, 0), sigma)
        level += share * noise / noise.std()
    return np.asarray(colour, np.float32) + rough * level[..., None]


def sky(size: tuple[int, int] = (640, 480)) -> Bytes:
    """A clear sky at dusk with a little grain."""
    down, across = np.linspace(0, 1, size[1])[:, None, None], np.linspace(-0.5, 0.5, size[0])[None, :, None]
    level = np.array((58, 84, 140)) + down * np.array((150, 90, 20)) + 30 * across
    return done(level + np.random.default_rng(7).normal(0, 0.8, level.shape))


def facade(size: tuple[int, int] = (720, 540)) -> Bytes:
    """A front with windows in straight rows."""
    out = ground(size, (176, 164, 146), 3, 3.0)
    for y in range(40, size[1] - 60, 100):
        out[y + 74 : y + 80] -= 45
        for x in range(36, size[0] - 50, 84):
            out[y : y + 62, x : x + 44] = np.array((58, 66, 78)) + 0.25 * (out[y : y + 62, x : x + 44] - 160)
            out[y : y + 62, x + 20 : x + 24] += 110
            out[y - 4 : y, x - 4 : x + 48] += 40
    for x in range(8, size[0], 168):
        out[:, x : x + 7] += 35
    return done(cv2.GaussianBlur(out, (0, 0), 0.8))


def planted(finding: str, kind: str, file: str, seed: int, text: str) -> Case:
    """A photograph with a flaw of the kinds that the review app plants for practice."""
    before = photograph(file)
    made = flaws.plant(before, kind, seed)
    return Case(finding=finding, done=text, before=before, after=made.rgb, where=made.box)


# ---------------------------------------------------------------- cases


def cases() -> Iterator[Case]:
    """One for each finding."""
    yield from on_photographs()
    yield from on_faces()
    yield from on_lines()
    yield from fills()
    yield from cut_outs()
    yield from removals()


def on_photographs() -> Iterator[Case]:
    """What is done to whole pictures, or to parts of any."""
    yield planted("halo", "halo", "chelsea.png", 4, "Local contrast raised with too wide a radius.")
    yield planted("oversmoothing", "plastic", "chelsea.png", 2, "Texture smoothed away, edges kept.")
    seam = planted("seam", "seam", "coffee.png", 5, "A local adjustment that ends at a hard border.")
    yield replace(seam, mask=done(255 * (np.ptp(seam.after.astype(int) - seam.before, axis=2) > 0)))
    yield planted("clipping", "clipping", "coffee.png", 3, "Highlights lifted to paper white.")
    dusk = sky()
    banded = flaws.plant(dusk, "banding", 1)
    yield Case(finding="banding", done="Smooth tones rounded to a few levels.", before=dusk, after=banded.rgb,
               where=banded.box, why=(BANDING,))  # fmt: skip
    yield planted("hue_twist", "hue", "coffee.png", 6, "The colours of one area turned.")
    pushed = planted("warp", "warp", "coffee.png", 3, "A part pushed out of place.")
    yield replace(pushed, why=(WARP,))
    cup = photograph("coffee.png")
    twice = done(mixed(cup, np.roll(cup, (9, 14), (0, 1)), np.float32(0.35)))
    yield Case(finding="ghosting", done="Two frames merged that were not aligned.", before=cup, after=twice)
    found, saved = cv2.imencode(".jpg", cup[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 12])
    assert found
    small = np.asarray(cv2.imdecode(saved, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)
    yield Case(finding="jpeg", done="Saved as JPEG of quality 12.", before=cup, after=small, where=(240, 80, 420, 220))


def on_faces() -> Iterator[Case]:
    """What is done to people."""
    portrait = photograph("astronaut.png")
    face = (170, 50, 278, 200)
    x, y, w, h = 224, 125, 50, 72
    light = disc(portrait.shape, x, y, w, h, 8)
    lab = cv2.cvtColor(portrait, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 0] += 26 * light[..., 0]
    lighter = cv2.cvtColor(done(lab), cv2.COLOR_LAB2RGB)
    yield Case(finding="skin_lightening", done="A face made lighter than its surroundings.", before=portrait,
               after=np.asarray(lighter, np.uint8), where=face)  # fmt: skip
    v, u = np.mgrid[: portrait.shape[0], : portrait.shape[1]].astype(np.float32)
    near = disc(portrait.shape, x, y, w * 1.3, h * 1.2, 14)[..., 0]
    low = np.clip((v - y) / h, -1, 1)
    slim = cv2.remap(portrait, u + (u - x) * near * 0.28 * low, v + near * 9, cv2.INTER_CUBIC)
    yield Case(finding="identity", done="The features of a face moved and its jaw narrowed.", before=portrait,
               after=np.asarray(slim, np.uint8), where=face, why=(FACE,))  # fmt: skip


def on_lines() -> Iterator[Case]:
    """What is done to buildings."""
    front = facade()
    v, u = np.mgrid[:540, :720].astype(np.float32)
    push = 9 * np.exp(-((u - 340) ** 2) / (2 * 60**2) - ((v - 260) ** 2) / (2 * 70**2))
    bent = np.asarray(cv2.remap(front, u - push, v, cv2.INTER_CUBIC), np.uint8)
    yield Case(finding="bent_lines", done="The wall behind a body that was made slimmer.", before=front, after=bent,
               where=(250, 160, 460, 370), why=(LINES,))  # fmt: skip
    lean = np.clip((u - 400) / 60, 0, 1) * (v - 270) * 0.07
    part = np.asarray(cv2.remap(front, u, v + lean, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), np.uint8)
    yield Case(finding="perspective", done="One side of a front drawn in another perspective.", before=front,
               after=part, where=(360, 300, 660, 540))  # fmt: skip


def fills() -> Iterator[Case]:
    """What is put where something was taken out."""
    lawn = ground((640, 480), (104, 118, 74), 8, 13.0)
    thing = disc(lawn.shape, 320, 240, 80, 62, 1.5)
    before = done(mixed(lawn, ground((640, 480), (150, 60, 50), 9, 4.0), thing))
    hole = disc(lawn.shape, 320, 240, 92, 74, 0.8)
    mask = done(255 * hole[..., 0])
    patch = lawn[60:84, 60:84]
    copied = done(mixed(lawn, np.tile(patch, (20, 27, 1))[:480, :640], hole))
    where = (228, 166, 412, 314)
    yield Case(finding="fill_repeat", done="A fill of copies of one patch.", before=before, after=copied, where=where,
               mask=mask)  # fmt: skip
    smooth = done(mixed(lawn, cv2.GaussianBlur(lawn, (0, 0), 22), hole))
    yield Case(finding="fill_blur", done="A fill without the texture around it.", before=before, after=smooth,
               where=where, mask=mask)  # fmt: skip


def cut_outs() -> Iterator[Case]:
    """An object on a new ground, cut badly."""
    size = (640, 480)
    thing, old, new = (
        ground(size, c, s, 3.0) for c, s in (((164, 84, 62), 1), ((40, 128, 62), 2), ((196, 204, 214), 3))
    )
    solid = disc(thing.shape, 320, 240, 120, 110, 2.6)
    before = mixed(old, thing, solid)
    fringed = done(mixed(new, before, solid))
    matte = done(255 * solid[..., 0])
    yield Case(finding="fringe", done="A rim of the green ground came along.", before=done(before), after=fringed,
               where=(200, 120, 320, 240), mask=matte)  # fmt: skip
    gap = disc(thing.shape, 350, 230, 42, 50, 1.5)
    ring = np.asarray(solid * (1 - gap), np.float32)
    before = mixed(old, thing, ring)
    after = mixed(new, thing, ring)
    after = mixed(after, old, np.asarray(gap * solid, np.float32))
    yield Case(finding="holes", done="A gap of the object still shows the green ground.", before=done(before),
               after=done(after), where=(290, 170, 410, 290), mask=done(255 * ring[..., 0]))  # fmt: skip


def removals() -> Iterator[Case]:
    """Something was taken out, and what it threw stayed."""
    size = (640, 480)
    floor = ground(size, (168, 160, 148), 5, 4.0)
    post = disc(floor.shape, 320, 180, 54, 90, 1.2)
    thing = ground(size, (92, 62, 120), 6, 6.0)
    thing += 40 * np.sin(np.arange(480) / 6)[:, None, None]
    shade = disc(floor.shape, 420, 250, 110, 26, 3.0)
    shaded = floor * (1 - 0.42 * shade)
    mask = done(255 * disc(floor.shape, 320, 180, 60, 97, 0.8)[..., 0])
    clean = np.asarray(mask[..., None] / np.float32(255), np.float32)
    yield Case(finding="shadow_left", done="The object was taken out, its shadow stayed.",
               before=done(mixed(shaded, thing, post)), after=done(mixed(shaded, floor, clean)),
               where=(260, 150, 530, 290), mask=mask)  # fmt: skip
    below = np.float32(0.4) * disc(floor.shape, 320, 360, 54, 90, 1.2)
    turned = np.roll(thing[::-1], 60, 0)
    wet = mixed(floor, turned, below)
    yield Case(finding="reflection_left", done="The object was taken out, its reflection in a wet floor stayed.",
               before=done(mixed(wet, thing, post)), after=done(mixed(wet, floor, clean)), where=(220, 260, 420, 460),
               mask=mask)  # fmt: skip


# ---------------------------------------------------------------- the page


def figures() -> dict[str, str]:
    """What the kept run measured of each finding, in words."""
    run = json.loads(RUN.read_text("utf-8"))["results"] if RUN.exists() else []
    rows = {row["name"]: row for row in run}
    told = {}
    for name in {n.split(".")[0] for n in rows}:
        area, rate = rows.get(f"{name}.estimated.auc"), rows.get(f"{name}.estimated.recall")
        if area and rate and area["value"] is not None and rate["value"] is not None:
            hits = f"hit rate {100 * rate['value']:.0f} % at 5 % false alarms (n = {rate['n']})"
            told[name] = f"AUC {area['value']:.3f} (n = {area['n']}), {hits}"
    return told


def crop(picture: Bytes, where: Box | None) -> Bytes:
    """The part about a place, at 100 %."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = where or (0, 0, width, height)
    w, h = min(CROP[0], width), min(CROP[1], height)
    left = min(max(0, (x0 + x1 - w) // 2), width - w)
    top = min(max(0, (y0 + y1 - h) // 2), height - h)
    return picture[top : top + h, left : left + w]


def heat_map(after: Bytes, finding: Finding) -> Bytes:
    """The whole after in grey, with what was found in amber and the box; as wide or as high as a crop."""
    height, width = after.shape[:2]
    zoom = min(CROP[0] / width, CROP[1] / height)
    size = round(width * zoom), round(height * zoom)
    small = cv2.resize(after, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32) * np.float32(0.7)
    out = np.repeat(grey, 3, axis=2)
    if finding.heat is not None:
        share = np.clip(cv2.resize(finding.heat, size, interpolation=cv2.INTER_LINEAR), 0, 1)[..., None]
        out = mixed(out, np.asarray(AMBER, np.float32), np.asarray(0.85 * share, np.float32))
    shown = done(out)
    if finding.where is not None:
        x0, y0, x1, y1 = (round(v * zoom) for v in finding.where)
        cv2.rectangle(shown, (x0, y0), (min(x1, size[0] - 1), min(y1, size[1] - 1)), (255, 255, 255), 1)
    return shown


def checked(case: Case, folder: Path) -> tuple[Comparison, Finding]:
    """What `safelight check` says of the pair as files."""
    paths = {}
    for name, picture in (("before", case.before), ("after", case.after), ("mask", case.mask)):
        if picture is not None:
            paths[name] = folder / f"{name}.png"
            Image.fromarray(picture).save(paths[name])
    found = check(paths["before"], paths["after"], paths.get("mask"))
    return found, next(f for f in found.findings if f.name == case.finding)


def verdict(found: Comparison, finding: Finding) -> str:
    """What came out, in words."""
    if finding.probability is None:
        return f"**cannot tell** ({finding.cannot_tell})"
    return f"**{SAID[found.outcome(finding)]}** (chance {finding.probability:.2f})"


def beside(case: Case, found: Comparison) -> str:
    """What else the check holds against the pair."""
    told = [(f.name, found.outcome(f)) for f in found.findings if f.name != case.finding]
    seen = [f"{name} ({outcome})" for name, outcome in told if outcome is not Outcome.PASS]
    return f"Of the same pair it also says: {', '.join(seen)}." if seen else "It finds nothing else in this pair."


def section(case: Case, finding: Finding, here: str, measured: str, *, saw: bool) -> str:
    """The part of the page about one finding, with what was measured of it and whether the check saw this example;
    writes its pictures."""
    where = case.where or finding.where
    pictures = {
        "before": crop(case.before, where), "after": crop(case.after, where), "heat": heat_map(case.after, finding)
    }  # fmt: skip
    cells = []
    for name, picture in pictures.items():
        path = DOCS / "gallery" / f"{case.finding}-{name}.webp"
        Image.fromarray(np.ascontiguousarray(picture)).save(path, quality=76, method=6)
        alt = f"{case.finding.replace('_', ' ')}: {'where it was found' if name == 'heat' else name}"
        cells.append(f"![{alt}](gallery/{path.name})")
    detector = next(d.name for d in plugins.detectors().values() if case.finding in d.finds)
    head = "| before | after | what the check sees |\n| --- | --- | --- |\n"
    sentence = finding.text or f"Cannot tell: {finding.cannot_tell}."
    last = f"Here: {here} Measured: {measured}{'' if saw else MISSED}. Detector: [{detector}](detectors/{detector}.md)."
    return "\n\n".join(
        [f"## {case.finding}", case.done, f"{head}| {' | '.join(cells)} |", f"> {sentence}", *case.why, last]
    )


def main() -> int:
    """Writes the page and its pictures."""
    (DOCS / "gallery").mkdir(exist_ok=True)
    told, parts, seen, missed = figures(), [], 0, []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases():
            found, finding = checked(case, Path(folder))
            here = verdict(found, finding)
            if case.mask is not None:
                blind = verdict(*checked(replace(case, mask=None), Path(folder)))
                here = f"{here}, with a mask; {blind}, without"
            saw = finding.probability is not None and found.outcome(finding) is not Outcome.PASS
            seen += saw
            here += f". {beside(case, found)}"
            case = replace(case, why=() if saw else case.why)  # noqa: PLW2901
            print(f"{case.finding}: {here}")
            parts.append(section(case, finding, here, told.get(case.finding, "not measured"), saw=saw))
            missed += [] if saw else [f"[{case.finding}](#{case.finding})"]
    count = f"The check sees {seen} of its {len(parts)} examples" + (
        f"; it misses {', '.join(missed)}." if missed else "."
    )
    (DOCS / "gallery.md").write_text("\n\n".join([NOTE, INTRODUCTION, count, *parts, CREDITS]) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
