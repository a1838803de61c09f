"""Pictures of known colours in other colour spaces, depths and orientations, and how far a screenshot is from them."""

import io
import struct
from datetime import timedelta

import numpy as np
import pyvips
import tifffile
from PIL import Image

from safelight.media import colour, profiles
from safelight.media.colour import REC2020, decode, encode
from safelight.media.decoded import P3
from safelight.store import records
from tests import made_formats
from tests.browser.conftest import until
from tests.conftest import START
from tests.review.test_judging import propose

PATCHES = ((196, 64, 48), (60, 150, 70), (50, 80, 170), (128, 128, 128))  # sRGB; each a quarter of the picture
MUTED = ((170, 90, 80), (100, 140, 100), (90, 110, 150), (128, 128, 128))  # what inks can show
PRINTED = ((170, 90, 81), (99, 140, 101), (93, 111, 151), (119, 119, 119))  # what littlecms makes of these inks again
GREYS = tuple((v, v, v) for v in (150, 40, 220, 96))
EV = 0.5  # of the edit that is proposed for each
SIZE = 480, 360

# CSS Color 4, "Sample code for color conversions", printed to five places
TO_XYZ = np.array([[0.41239, 0.35758, 0.18048], [0.21264, 0.71517, 0.07219], [0.01933, 0.11919, 0.95053]])
TO_D50 = np.array([[1.04793, 0.02295, -0.05019], [0.02963, 0.99043, -0.01707], [-0.00924, 0.01506, 0.75187]])
TO_ADOBE = np.array([[2.04159, -0.56501, -0.34473], [-0.96924, 1.87597, 0.04156], [0.01344, -0.11836, 1.01517]])
TO_P3 = np.array([[2.49350, -0.93138, -0.40271], [-0.82949, 1.76266, 0.02362], [0.03585, -0.07617, 0.95688]])
TO_2020 = np.array([[1.71665, -0.35567, -0.25337], [-0.66668, 1.61648, 0.01577], [0.01764, -0.04277, 0.94210]])
TO_PROPHOTO = np.array([[1.34579, -0.25557, -0.05110], [-0.54463, 1.50825, 0.02053], [0.0, 0.0, 1.21197]]) @ TO_D50


def shoot_of_patches(folder):
    """Pictures that show four patches, as `truth` says: every orientation, and colour spaces as cameras and
    editors write them, at 8 and 16 bits."""
    folder.mkdir(parents=True)
    for orientation in range(1, 9):
        _jpeg(folder / f"turned-{orientation}.jpg", picture(), orientation=orientation)
    adobe, p3 = profiles.adobe_rgb(), profiles.of_primaries("P3", P3)
    _jpeg(folder / "adobe.jpg", _bytes(_adobe()), icc_profile=adobe)
    _jpeg(folder / "p3.jpg", _bytes(encode(_light(TO_P3))), icc_profile=p3, orientation=6)
    _jpeg(folder / "grey.jpg", _bytes(_grey())[..., 0], icc_profile=_gamma_grey())
    _tiff(folder / "adobe.tif", _bytes(_adobe()), adobe, orientation=3)
    _tiff(folder / "prophoto.tif", _words(_light(TO_PROPHOTO) ** (1 / 1.8)), _prophoto(), orientation=8)
    _tiff(
        folder / "rec2020.tif", _words(encode(_light(TO_2020))), profiles.of_primaries("2020", REC2020), orientation=6
    )
    _tiff(folder / "grey.tif", _words(_grey())[..., 0], _gamma_grey())
    inks = pyvips.Image.new_from_array(picture(MUTED)).copy(interpretation="srgb")
    inks = inks.icc_transform("cmyk", input_profile="srgb", intent="relative", black_point_compensation=True)
    for name, more in (("cmyk.tif", ""), ("cmyk.jpg", "[Q=98,subsample-mode=off]")):
        inks.write_to_file(f"{folder / name}{more}")
    return folder


def truth(path):
    """The four colours that a picture shows, sRGB."""
    return GREYS if path.startswith("grey") else PRINTED if path.startswith("cmyk") else PATCHES


def lit(patch):
    """A patch after the edit that is proposed for it."""
    return encode(np.clip(decode(np.array(patch) / 255) * 2**EV, 0, 1)) * 255


def light_up(library, folder):
    """Leaves each photo one proposal: EV stops more."""
    state = library.state(folder, evidence=False)
    for photo in state.photos.values():
        others = [made for name, made in photo.proposals.items() if name != "cull"]
        records.save_proposals(library.store, state.shoot.id, [], others)
        propose(library, state.shoot.id, photo.id, "exposure", ev=EV)
    keep = {"decision": "keep", "tie_with": ""}
    library.verdict(folder, list(state.photos), operator="cull", say="modify", by="Ada", params=keep)


def picture(patches=PATCHES):
    """The patches: upper left, upper right, lower left, lower right."""
    made = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for i, patch in enumerate(patches):
        made[SIZE[1] // 2 * (i // 2) :, SIZE[0] // 2 * (i % 2) :] = patch
    return made


def _light(matrix):
    """Linear light of the patches under other primaries."""
    return np.clip(decode(picture() / 255) @ (matrix @ TO_XYZ).T, 0, 1)


def _adobe():
    return _light(TO_ADOBE) ** (256 / 563)


def _grey():
    return decode(picture(GREYS) / 255) ** (1 / 1.8)


def _bytes(code):
    return np.round(255 * code).astype(np.uint8)


def _words(code):
    return np.round(65535 * code).astype(np.uint16)


def _gamma(value):
    return struct.pack(">4s4xIH2x", b"curv", 1, round(value * 256))


def _prophoto():
    """ROMM RGB, whose white is that of the connection space itself."""
    columns = colour.to_xyz(((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), (0.3457, 0.3585))
    back = np.linalg.inv(colour.adaptation(colour.D65_XYZ, colour.D50_XYZ))
    return profiles._profile("ProPhoto", back @ columns, _gamma(1.8))


def _gamma_grey():
    return made_formats.gray_profile(1.8)


def _stored(pixels, orientation):
    """The picture as a file holds it that says to turn it so (EXIF 2.3, 4.6.4 A)."""
    across = np.swapaxes(pixels, 0, 1)
    turned = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: across, 6: across[::-1],
        7: across[::-1, ::-1], 8: across[:, ::-1],
    }  # fmt: skip
    return np.ascontiguousarray(turned[orientation])


def _jpeg(path, pixels, *, orientation=1, **more):
    exif = Image.Exif()
    exif[274] = orientation
    moment = START + timedelta(hours=3 * len(list(path.parent.iterdir())))
    exif.get_ifd(0x8769)[36867] = moment.strftime("%Y:%m:%d %H:%M:%S")
    if pixels.ndim == 3:
        more["subsampling"] = 0
    Image.fromarray(_stored(pixels, orientation)).save(path, quality=98, exif=exif, **more)


def _tiff(path, pixels, icc, *, orientation=1):
    photometric = "rgb" if pixels.ndim == 3 else "minisblack"
    with tifffile.TiffWriter(path) as file:
        turn = (274, 3, 1, orientation, True)
        file.write(
            _stored(pixels, orientation), photometric=photometric, iccprofile=icc, extratags=[turn], metadata=None
        )


# ---------------------------------------------------------------- what the pages show


def names(page):
    """Names and ids of the pictures."""
    return page.evaluate(
        "() => [...document.querySelector('sl-cull').model.photos.values()].map((p) => [p.path, p.id])"
    )


def culled(page, ids):
    """By picture and view of the Cull page, the largest ΔE00 of a patch in a screenshot against the truth."""
    found = {}
    for path, id_ in ids:
        page.evaluate(f"document.querySelector('sl-cull').model.go('{id_}')")
        until(page, f"document.querySelector('.cell.here sl-thumb')?.dataset.drawn === '{id_}'")
        found[f"{path}, grid"] = worst(page, ".cell.here sl-thumb canvas", truth(path))
    page.keyboard.press("Space")
    for path, id_ in ids:
        page.evaluate(f"document.querySelector('sl-cull').model.go('{id_}')")
        until(page, f"document.querySelector('sl-stage')?.dataset.drawn === '{id_}'")
        found[f"{path}, fitted"] = worst(page, "sl-stage canvas", truth(path))
        page.keyboard.press("z")
        whole = "[...document.querySelectorAll('sl-stage .large img')].some((i) => i.complete && i.naturalWidth"
        until(page, f"{whole} && i.src.includes('{id_}'))")
        page.wait_for_timeout(150)
        found[f"{path}, 100 %"] = worst(page, "sl-stage", truth(path), near=True)
        page.keyboard.press("z")
        page.keyboard.press("\\")
        until(page, "document.querySelector('sl-stage')?.dataset.size === 'after'")
        until(page, f"document.querySelector('sl-stage').dataset.drawn === '{id_}'")
        found[f"{path}, after"] = worst(page, "sl-stage canvas", [lit(p) for p in truth(path)])
        page.keyboard.press("\\")
        until(page, "document.querySelector('sl-stage')?.dataset.size === 'proxy'")
    return found


def judged(page, go, ids):
    """The same of the Judge page: after, before, and both at 100 %."""
    found = {}
    still = """(() => { const v = document.querySelector("sl-view"); const i = [...(v?.querySelectorAll("img") ?? [])];
        return v?.shown && v.there && !v.edited.busy && !v.plain.busy && i.every((each) => each.complete); })()"""
    for path, id_ in ids:
        go(f"judge?photo={id_}")
        after = [lit(p) for p in truth(path)]
        before = truth(path)
        for keys, name, wanted, near in (
            ("", "after", after, False), ("z", "after at 100 %", after, True),
            ("\\", "before at 100 %", before, True), ("z", "before", before, False),
        ):  # fmt: skip
            for key in keys:
                page.keyboard.press(key)
            page.wait_for_timeout(100)
            until(page, still)
            found[f"{path}, {name}"] = worst(page, "sl-view img", wanted, near=near)
    return found


def worst(page, selector, patches, *, near=False):
    """The largest ΔE00 of the four patches of an element in a screenshot of it; `near` its middle, where it may show
    less or more than the picture."""
    element = page.locator(selector).first
    shot = np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB"))
    height, width = shot.shape[:2]
    dx, dy = (60, 60) if near else (width // 5, height // 5)
    out = []
    for i, patch in enumerate(patches):
        x = width // 2 + (dx if i % 2 else -dx)
        y = height // 2 + (dy if i // 2 else -dy)
        seen = shot[y - 6 : y + 6, x - 6 : x + 6].reshape(-1, 3).mean(axis=0)
        out.append(delta_e(seen, np.array(patch, float)))
    return round(max(out), 2)


def delta_e(one, other):
    """CIEDE2000 of two sRGB colours of 0..255."""
    return float(colour.delta_e(*(c.round().astype(np.uint8).reshape(1, 1, 3) for c in (one, other))).item())
