"""Pictures of known colours in other colour spaces and orientations, and how far a screenshot is from them."""

import io

import numpy as np
from PIL import Image

from safelight.media import colour, profiles
from tests.browser.conftest import until
from tests.conftest import START

PATCHES = ((196, 64, 48), (60, 150, 70), (50, 80, 170), (128, 128, 128))  # sRGB; each a quarter of the picture


def shoot_of_patches(folder):
    """Three JPEGs that show the same four patches: plain, in Adobe RGB with its profile, and turned by a quarter."""
    folder.mkdir(parents=True)
    plain = picture()
    for name, rgb, more, orientation in (
        ("plain.jpg", plain, {}, 1),
        ("turned.jpg", np.rot90(plain, 1), {}, 6),
        ("wide.jpg", wide(plain), {"icc_profile": profiles.adobe_rgb()}, 1),
    ):
        exif = Image.Exif()
        exif[274] = orientation
        exif.get_ifd(0x8769)[36867] = START.strftime("%Y:%m:%d %H:%M:%S")
        image = Image.fromarray(np.ascontiguousarray(rgb))
        image.save(folder / name, quality=98, subsampling=0, exif=exif, **more)
    return folder


def picture():
    """The patches, 800 x 600: upper left, upper right, lower left, lower right."""
    made = np.zeros((600, 800, 3), np.uint8)
    for i, patch in enumerate(PATCHES):
        made[300 * (i // 2) :, 400 * (i % 2) :] = patch
    return made


def wide(rgb):
    """The same colours in Adobe RGB's numbers."""
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    srgb_to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz_to_adobe = np.array(
        [[2.0413690, -0.5649464, -0.3446944], [-0.9692660, 1.8760108, 0.0415560], [0.0134474, -0.1183897, 1.0154096]]
    )
    light = np.clip(linear @ (xyz_to_adobe @ srgb_to_xyz).T, 0, 1)
    return np.round(255 * light ** (256 / 563)).astype(np.uint8)


def differences(page):
    """By picture and view, the largest ΔE00 of a patch in a screenshot against the truth."""
    found = {}
    ids = page.evaluate("() => [...document.querySelector('sl-cull').model.photos.values()].map((p) => [p.path, p.id])")
    for path, id_ in ids:
        page.evaluate(f"document.querySelector('sl-cull').model.go('{id_}')")
        if page.evaluate("document.querySelector('sl-cull').view") == "grid":
            page.keyboard.press("Space")
        until(page, f"document.querySelector('sl-stage')?.dataset.drawn === '{id_}'")
        found[f"{path}, fitted"] = worst(page, "sl-stage canvas")
        page.keyboard.press("z")
        until(page, "[...document.querySelectorAll('sl-stage .large img')].some((i) => i.complete && i.naturalWidth)")
        page.wait_for_timeout(300)
        found[f"{path}, 100 %"] = worst(page, "sl-stage .large img", at_centre=True)
        page.keyboard.press("z")
    return found


def worst(page, selector, *, at_centre=False):
    """The largest ΔE00 of the four patches of an element in a screenshot of it."""
    element = page.locator("sl-stage" if at_centre else selector)
    shot = np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB"))
    height, width = shot.shape[:2]
    dx, dy = (60, 60) if at_centre else (width // 4, height // 4)
    out = []
    for i, patch in enumerate(PATCHES):
        x = width // 2 + (dx if i % 2 else -dx)
        y = height // 2 + (dy if i // 2 else -dy)
        seen = shot[y - 8 : y + 8, x - 8 : x + 8].reshape(-1, 3).mean(axis=0)
        out.append(delta_e(seen, np.array(patch, float)))
    return round(max(out), 2)


def delta_e(one, other):
    """CIEDE2000 of two sRGB colours of 0..255."""
    return float(colour.delta_e(*(c.round().astype(np.uint8).reshape(1, 1, 3) for c in (one, other))).item())
