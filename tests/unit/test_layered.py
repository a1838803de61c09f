"""Layered files: what the layers show together, in other programs too; files without a picture of their layers."""

import shutil
import struct
import subprocess
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from psd_tools import PSDImage
from psd_tools.constants import BlendMode, Resource
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResource

from safelight import plugins
from safelight.domain import Edit
from safelight.errors import Truncated, Unsupported
from safelight.handoff import layers, recognise
from safelight.media import digest, image, psd_layers, write
from safelight.operators import Tools
from safelight.store.objects import ShootFolder


@pytest.fixture(scope="module")
def scene():
    """Words of a scene with light, dark and detail, 120 x 160."""
    rng = np.random.default_rng(3)
    plane = cv2.GaussianBlur(rng.uniform(0, 65535, (120, 160, 3)).astype(np.float32), (0, 0), 4)
    plane = (plane - plane.min()) / (plane.max() - plane.min()) * 65535
    return np.asarray(np.rint(plane), np.uint16)


def soft(shape, *, at=(80, 60), radius=34, sigma=9):
    mask = np.zeros(shape[:2], np.uint8)
    cv2.circle(mask, at, radius, 255, -1)
    return cv2.GaussianBlur(mask, (0, 0), sigma)


@pytest.fixture
def document(tmp_path, scene):
    """(PSD of a photo with three edits of which one was painted softly, its layers)."""
    where = ShootFolder.at(tmp_path)
    digest_ = where.keep(bytes(cv2.imencode(".png", soft(scene.shape))[1]))
    edits = [
        Edit(operator=name, version=plugins.operator(name).version, params=params)
        for name, params in (
            ("exposure", {"ev": 0.4}), ("painted_light", {"ev": 1.6, "mask": digest_}),
            ("crop", {"box": [0.05, 0.05, 0.95, 0.9]}),
        )
    ]  # fmt: skip
    source = image.frame_of((scene // 257).astype(np.uint8))
    found = layers.layers(source, edits, Tools(kept=where.kept, weights={}))
    file = tmp_path / "x.psd"
    file.write_bytes(layers.photoshop(found))
    return file, found


def test_the_layers_together_are_the_delivered_picture(document):
    file, found = document
    wanted = found[-1].shown.astype(int)
    drawn = psd_layers.drawn(file.read_bytes())
    assert np.abs(drawn[..., :3].astype(int) - wanted).max() <= 2 * layers.CHANGED
    assert drawn[..., 3].min() == 65535
    assert np.abs(write.to_srgb16(image.read_frame(file)).astype(int) - wanted).max() <= 2


def has_imagemagick():
    """Whether `convert` is ImageMagick's: other programs have the name, too."""
    told = (
        subprocess.run(["convert", "-version"], capture_output=True, check=False) if shutil.which("convert") else None
    )
    return told is not None and told.returncode == 0 and b"ImageMagick" in told.stdout


@pytest.mark.skipif(not has_imagemagick(), reason="ImageMagick is not installed")
def test_another_program_lays_the_layers_on_each_other_as_we_do(document, tmp_path):
    file, found = document
    command = ["convert", f"{file}[1-99]", "-background", "white", "-flatten", "-depth", "16", str(tmp_path / "f.png")]
    subprocess.run(command, check=True, timeout=60)
    flat = cv2.cvtColor(cv2.imread(str(tmp_path / "f.png"), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB)
    assert np.abs(flat.astype(int) - found[-1].shown).max() <= 2 * layers.CHANGED


def test_where_a_mask_lets_too_little_through_it_is_opened(scene):
    after = scene.copy()
    after[:40] = 65535  # white cannot be reached through half a mask
    mask = np.full(scene.shape[:2], 128, np.uint8)
    mask[80:] = 0
    after[90] = scene[90] // 2
    pixels, opened = layers.unmixed(scene, after, mask)
    through = opened[..., None] / 255
    assert np.abs(scene + (pixels.astype(float) - scene) * through - after).max() <= 2
    assert (opened[:40] == 255).any()
    assert (opened[100:] == 0).all(), "nothing is opened where nothing changed"


# ---------------------------------------------------------------- without a composite


def without_composite(data):
    """The file as Photoshop saves it with Maximise compatibility off: an empty picture, and a word that says so."""
    document, key = PSDImage.open(BytesIO(data)), Resource.VERSION_INFO
    document.image_resources[key] = ImageResource(key=key.value, data=struct.pack(">IB", 1, False) + bytes(12))
    record = document._record
    record.image_data = ImageData.new(record.header, color=0)
    out = BytesIO()
    record.write(out)
    return out.getvalue()


def test_a_file_without_a_picture_of_its_layers_is_drawn(document, tmp_path):
    file, found = document
    bare = tmp_path / "bare.psd"
    bare.write_bytes(without_composite(file.read_bytes()))
    assert np.abs(image.read(bare).astype(int) - found[-1].shown // 257).max() <= 1
    other = tmp_path / "other.psd"
    other.write_bytes(without_composite(layers.photoshop(found[:1])))
    assert digest.digests(bare)[1] != digest.digests(other)[1], "an empty picture says nothing of what it holds"


def test_blending_modes_opacity_and_hidden_layers_are_drawn(tmp_path, scene):
    below, above = layers.Layer(name="Base", pixels=scene), layers.Layer(name="Light", pixels=scene[::-1].copy())
    file = tmp_path / "x.psd"
    file.write_bytes(layers.photoshop([below, above]))
    made = PSDImage.open(file)
    made[1].blend_mode, made[1].opacity = BlendMode.MULTIPLY, 128
    made.save(file)
    file.write_bytes(without_composite(file.read_bytes()))
    wanted = scene * (1 - 128 / 255 + 128 / 255 * (scene[::-1] / 65535))
    assert np.abs(image.read(file) - wanted / 257).max() <= 1
    made[1].visible = False
    made.save(file)
    file.write_bytes(without_composite(file.read_bytes()))
    assert np.abs(image.read(file).astype(int) - scene // 257).max() <= 1


def test_what_cannot_be_drawn_is_refused_by_name(document, tmp_path, monkeypatch):
    bare = tmp_path / "bare.psd"
    bare.write_bytes(without_composite(document[0].read_bytes()))
    monkeypatch.setattr(psd_layers, "DRAWN", frozenset())
    with pytest.raises(Unsupported, match=r"pixel \(Base\)") as told:
        image.read(bare)
    assert "Maximise compatibility" in told.value.remedy


def test_a_file_without_a_picture_that_ends_early_says_so(document, tmp_path):
    bare = tmp_path / "bare.psd"
    bare.write_bytes(without_composite(document[0].read_bytes())[:9000])
    with pytest.raises(Truncated):
        image.read(bare)


# ---------------------------------------------------------------- layers in a TIFF


def test_a_tiff_of_one_picture_for_each_layer_is_refused(tmp_path, scene):
    pages = [Image.fromarray((scene // 257).astype(np.uint8)), Image.fromarray((scene[::-1] // 257).astype(np.uint8))]
    file = tmp_path / "x.tif"
    pages[0].save(file, save_all=True, append_images=pages[1:])
    seen = recognise.see(recognise.Job(file=file, named=None, parents=(), state=tmp_path))
    assert seen.error
    assert "2 pictures" in seen.error["cause"]


def test_a_tiff_with_photoshop_s_layers_is_what_it_shows(tmp_path, scene):
    file = tmp_path / "x.tif"
    fields = TiffImagePlugin.ImageFileDirectory_v2()
    fields[37724] = b"Adobe Photoshop Document Data Block\0" + bytes(400)
    fields.tagtype[37724] = 7
    Image.fromarray((scene // 257).astype(np.uint8)).save(file, tiffinfo=fields)
    recognise.one_picture(file)
    assert np.array_equal(image.read(file), scene // 257)
