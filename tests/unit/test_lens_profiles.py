"""Which lens the capture facts name, and the numbers of its profile."""

import lensfunpy
import numpy as np
import pytest

from safelight.domain import Capture
from safelight.media import bends
from safelight.probes import _lens_profiles as profiles

FULL = {"camera": "Canon EOS 5D Mark III", "focal_mm": 24.0, "f_number": 4.0}


def find(width=6000, height=4000, **facts):
    return profiles.find(Capture(**{**FULL, **facts}), width, height)


@pytest.mark.parametrize(
    ("camera", "lens", "focal", "match", "model"),
    [
        ("Canon EOS 5D Mark III", "EF24-105mm f/4L IS USM", 24, "exact", "Canon EF 24-105mm f/4L IS USM"),
        ("NIKON D750", "AF-S NIKKOR 24-120mm f/4G ED VR", 24, "exact", "Nikon AF-S Nikkor 24-120mm f/4G ED VR 170"),
        ("NIKON D750", "24.0-120.0 mm f/4.0", 24, "range", "Nikon AF-S Nikkor 24-120mm f/4G ED VR 170"),
        ("Sony ILCE-7M3", "FE 16-35mm F2.8 GM", 16, "exact", "FE 16-35mm f/2.8 GM"),
        ("Fujifilm X-T3", "XF18-55mmF2.8-4 R LM OIS", 18, "exact", "XF18-55mmF2.8-4 R LM OIS"),
        ("Canon EOS 6D", "50mm F1.4 DG HSM | Art 014", 50, "exact", "Sigma 50mm f/1.4 DG HSM [A]"),
        (
            "NIKON D850",
            "TAMRON SP 24-70mm F/2.8 Di VC USD G2 A032",
            24,
            "exact",
            "Tamron SP 24-70mm F/2.8 Di VC USD G2 (A032)",
        ),
        ("NIKON D750", "24-70mm f/2.8G", 24, "close", "Nikon AF-S Zoom-Nikkor 24-70mm f/2.8G ED"),
        ("Sony DSC-RX100", "28-100mm F1.8-4.9", 10.4, "fixed", "DSC-RX100 & compatibles (Standard)"),
        ("Canon EOS M50", "EF-M15-45mm f/3.5-6.3 IS STM", 15, "exact", "Canon EF-M 15-45mm f/3.5-6.3 IS STM"),
    ],
)
def test_a_lens_is_found_by_its_words(camera, lens, focal, match, model):
    found = find(camera=camera, lens=lens, focal_mm=focal)
    assert (found.match, found.lens) == (match, model)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"camera": None}, "which camera"),
        ({"focal_mm": None}, "focal length"),
        ({"lens": None}, "which lens"),
        ({"camera": "Made One", "lens": "EF24-105mm f/4L IS USM"}, "the Made One is not in the database"),
        ({"lens": "EF24-105mm f/4L IS III USM"}, "not in the database"),  # another generation is another lens
        ({"lens": "EF24-105mm f/4L"}, "not in the database"),
        ({"camera": "Nikon COOLPIX P6000", "lens": None}, "the lens of the Coolpix P6000 is not in the database"),
        ({"lens": "EF24-105mm f/4L IS USM", "focal_mm": 300.0}, "no measurements"),
        ({"camera": "NIKON D750", "lens": "50.0 mm f/1.4", "focal_mm": 50.0}, "bend lines differently"),
        ({"lens": "EF8-15mm f/4L FISHEYE USM", "focal_mm": 15.0}, "fisheye"),
    ],
)
def test_a_lens_that_is_not_certain_is_unknown_and_says_why(facts, why):
    found = find(**facts)
    assert isinstance(found, profiles.Unknown)
    assert why in found.why


def test_a_cropped_photo_has_its_middle_elsewhere():
    assert "cropped" in find(4000, 4000, lens="EF24-105mm f/4L IS USM").why
    assert find(4000, 6000, lens="EF24-105mm f/4L IS USM").match == "exact"


def test_corners_without_light_are_beyond_correction():
    wide, stopped = (find(camera="Canon EOS R", lens="RF16mm F2.8 STM", focal_mm=16.0, f_number=f) for f in (2.8, 8.0))
    assert wide.distortion == stopped.distortion
    assert wide.light is None
    assert 1 + sum(stopped.light) > profiles.DARK


def test_without_the_package_every_lens_is_unknown(monkeypatch):
    monkeypatch.setattr(profiles, "_lensfun", lambda: None)
    assert "doctor" in find(lens="EF24-105mm f/4L IS USM").why


@pytest.mark.parametrize(
    ("camera", "lens", "focal"),
    [
        ("Canon EOS 5D Mark III", "EF24-105mm f/4L IS USM", 24.0),
        ("Canon EOS 5D Mark III", "EF35mm f/1.4L USM", 35.0),
        ("NIKON D750", "AF-S NIKKOR 24-120mm f/4G ED VR", 70.0),
        ("Sony ILCE-7M3", "FE 16-35mm F2.8 GM", 16.0),
        ("Canon EOS-1D Mark III", "EF16-35mm f/2.8L II USM", 35.0),
        ("Panasonic DMC-GH2", "LUMIX G VARIO 14-42mm F3.5-5.6", 14.0),
    ],
)
def test_polynomials_lead_where_lensfun_leads(camera, lens, focal):
    width, height = 1728, (1152 if "Panasonic" not in camera else 1296)
    found = find(width, height, camera=camera, lens=lens, focal_mm=focal)
    database = lensfunpy.Database(load_common=False)
    body = next(c for c in database.cameras if c.model == found.camera)
    entry = max((x for x in database.lenses if x.model == found.lens and x.crop_factor <= body.crop_factor * 1.04),
                key=lambda x: x.crop_factor)  # fmt: skip
    modifier = lensfunpy.Modifier(entry, body.crop_factor, width, height)
    modifier.initialize(focal, 4.0, scale=1.0, pixel_format=np.float32,
                        flags=int(lensfunpy.ModifyFlags.DISTORTION | lensfunpy.ModifyFlags.TCA))  # fmt: skip
    theirs = modifier.apply_subpixel_geometry_distortion()[::64, ::64]
    y, x = np.mgrid[0:height:64, 0:width:64].astype(float)
    dx, dy, unit = x - (width - 1) / 2, y - (height - 1) / 2, np.hypot(width, height) / 2
    for channel, colour in enumerate((found.red or (1.0,), (1.0,), found.blue or (1.0,))):
        share = bends.at(bends.both(found.distortion, colour), np.hypot(dx, dy) / unit)
        apart = np.hypot(dx * share + (width - 1) / 2 - theirs[..., channel, 0],
                         dy * share + (height - 1) / 2 - theirs[..., channel, 1])  # fmt: skip
        assert apart.max() < 0.15  # px; lensfun takes square roots to three digits only
        assert np.median(apart) < 0.05


def test_light_in_the_corners_is_what_lensfun_says():
    found = find(1728, 1152, lens="EF24-105mm f/4L IS USM")
    database = lensfunpy.Database(load_common=False)
    body = next(c for c in database.cameras if c.model == found.camera)
    entry = next(x for x in database.lenses if x.model == found.lens and x.crop_factor == 1)
    modifier = lensfunpy.Modifier(entry, body.crop_factor, 1728, 1152)
    modifier.initialize(24.0, 4.0, distance=1000.0, scale=1.0, pixel_format=np.float32,
                        flags=int(lensfunpy.ModifyFlags.VIGNETTING))  # fmt: skip
    lit = np.ones((1152, 1728, 3), np.float32)
    assert modifier.apply_color_modification(lit)
    assert 1 + sum(found.light) == pytest.approx(1 / lit[0, 0, 0], rel=0.01)
