"""Out to a retoucher and back: every way in which a file may come back gets the right answer."""

import json
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage

from safelight import deliver, engine, explain, handoff, plugins
from safelight.api import Library
from safelight.contract_detectors import picture
from safelight.deliver.accept import Word, accept
from safelight.domain import Say
from safelight.errors import Refused, Truncated, UsageError
from safelight.handoff import back, layers
from safelight.handoff.recognise import Job, Parent, recognise
from safelight.media import image, profiles, write
from safelight.operators import Tools
from safelight.store.objects import ShootFolder
from safelight.verdicts import Saying, decide
from tests.conftest import SHARED, save_jpeg

silent = partial(lambda progress: None)
PHOTOS = ("canyon.jpg", "fig_bowl.jpg", "dandelion.jpg")


@pytest.fixture(scope="module")
def inline():
    """Work is done in this process, and the gate asks one quick detector; the others have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        real, found = engine.engine, plugins.detectors()
        patch.setattr(engine, "engine", lambda name="process", *, jobs=None: real("inline"))
        patch.setattr(plugins, "detectors", lambda: {"clipping": found["clipping"]})
        yield


@pytest.fixture(scope="module")
def studio(inline, tmp_path_factory):
    """A library that these tests share."""
    with Library.open(tmp_path_factory.mktemp("studio")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shoot(studio, tmp_path_factory):
    """Three real photos, kept, everything that was proposed rejected; the first brightened and cropped by hand."""
    if not SHARED.is_dir():
        pytest.skip("the shared media are not here")
    folder = tmp_path_factory.mktemp("work") / "shoot"
    for name in PHOTOS:
        rgb = image.read(SHARED / "photos" / name)
        scale = 800 / max(rgb.shape)
        save_jpeg(folder / name, cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    studio.run(folder)
    state = studio.state(folder)
    for photo in state.photos.values():
        say(studio, state, photo, "cull", {"decision": "keep"})
        for name in photo.open_questions():
            decide(studio.store, state, [photo], Saying(say=Say.REJECT, by="ann", operators=(name,)))
    say(studio, state, state.photo(PHOTOS[0]), "exposure", {"ev": 0.3})
    say(studio, state, state.photo(PHOTOS[0]), "crop", {"box": [0.05, 0.05, 0.9, 0.95]})
    return folder


def say(library, state, photo, operator, params):
    decide(library.store, state, [photo], Saying(say=Say.MODIFY, by="ann", operators=(operator,), params=params))


@pytest.fixture(scope="module")
def sent(shoot, studio, tmp_path_factory):
    """(shoot, state, folder of the hand-off, its brief)."""
    state, to = studio.state(shoot), tmp_path_factory.mktemp("retoucher") / "for-rita"
    photos = list(state.photos.values())
    brief = handoff.hand_out(studio.store, ShootFolder.at(shoot), state, photos, to=to, note="Softly.", tell=silent)
    return shoot, state, to, brief


@pytest.fixture
def library(studio):
    """The library of these tests."""
    return studio


@pytest.fixture
def handed(sent, studio):
    """What was handed over; whatever comes back in a test is taken away after it."""
    yield sent
    state = studio.state(sent[0])
    photo = state.photo(PHOTOS[0])
    while "external" in photo.standing:
        decide(studio.store, state, [photo], Saying(say=Say.UNDO, by="ann", operators=("external",)))


def final(to, name="canyon"):
    return image.read(to / f"{name}.tif")


def retouched(rgb):
    """A spot taken away by hand."""
    out = rgb.copy()
    cv2.circle(out, (out.shape[1] // 2, out.shape[0] // 3), 14, tuple(int(v) for v in np.median(rgb, (0, 1))), -1)
    return cv2.GaussianBlur(out, (0, 0), 0.5)


def come_back(library, handed, file, **more):
    shoot, _, _, _ = handed
    return handoff.bring_back(library.store, ShootFolder.at(shoot), library.state(shoot), file, by="rita", **more)


# ---------------------------------------------------------------- out


def test_a_layered_file_has_the_photo_and_a_layer_with_mask_for_each_operator(handed):
    _, _, to, brief = handed
    entry = next(p for p in brief["photos"] if p["path"] == "canyon.jpg")
    assert entry["layers"] == ["Base", "Exposure"]
    document = PSDImage.open(to / "canyon.psd")
    assert (document.depth, document.size) == (16, (entry["width"], entry["height"]))
    assert [layer.name for layer in document] == entry["layers"]
    top = list(document)[-1]
    assert top.has_mask()
    deep = top.numpy("color")
    tiff = image.read_frame(to / "canyon.tif").pixels
    assert np.abs(write.to_srgb16(image.read_frame(to / "canyon.psd")).astype(int) - np.rint(deep * 65535)).max() <= 2
    assert np.abs(image.read_frame(to / "canyon.psd").pixels - tiff).max() < 1e-4
    base = image.read(to / "canyon.base.tif")
    assert base.shape == final(to).shape, "every layer has the delivered frame"
    assert final(to).mean() > base.mean() + 5


def test_a_painted_mask_is_the_mask_of_its_layer(tmp_path, shared):
    rgb = image.read(shared / "kodak" / "kodim05.png")
    mask = np.zeros(rgb.shape[:2], np.uint8)
    mask[100:200, 150:300] = 255
    where = ShootFolder.at(tmp_path)
    digest = where.keep(bytes(cv2.imencode(".png", mask)[1]))
    light = edit("painted_light", {"ev": 0.8, "mask": digest})
    found = layers.layers(image.frame_of(rgb), [light], Tools(kept=where.kept, weights={}))
    assert [layer.name for layer in found] == ["Base", "Painted light"]
    assert np.array_equal(found[1].mask, mask)
    below = PSDImage.open(_file(tmp_path / "x.psd", layers.photoshop(found)))
    assert np.array_equal(np.asarray(list(below)[1].mask.topil()), mask)


def _file(path, data):
    path.write_bytes(data)
    return path


def edit(name, params):
    from safelight.domain import Edit

    return Edit(operator=name, version=plugins.operator(name).version, params=params)


def test_the_brief_says_what_was_done_and_where_to_look(handed):
    _, _, to, brief = handed
    entry = next(p for p in brief["photos"] if p["path"] == "canyon.jpg")
    assert [d["operator"] for d in entry["done"]] == ["exposure", "crop"]
    assert json.loads((to / "handoff.json").read_text("utf-8")) == json.loads(json.dumps(brief))
    for name in ("handoff.md", "handoff.html"):
        text = (to / name).read_text("utf-8")
        assert "Softly." in text
        assert "Where to look" in text
        assert "http" not in text


def test_nothing_of_a_retoucher_is_written_over(handed, library):
    shoot, state, to, _ = handed
    with pytest.raises(UsageError, match="holds canyon"):
        handoff.hand_out(library.store, ShootFolder.at(shoot), state, list(state.photos.values()), to=to, tell=silent)


# ---------------------------------------------------------------- back


def rotated(rgb, path):
    Image.fromarray(np.rot90(rgb).copy()).save(path, quality=95)


def cropped(rgb, path):
    write_tiff(rgb[40:-30, 60:-50], path)


def resized(rgb, path):
    small = cv2.resize(rgb, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    Image.fromarray(small).save(path, quality=95)


def other_profile(rgb, path):
    from PIL import ImageCms

    wide = ImageCms.profileToProfile(
        Image.fromarray(rgb), ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(_bytes(profiles.adobe_rgb()))
    )
    wide.save(path, quality=95, icc_profile=profiles.adobe_rgb())


def _bytes(data):
    from io import BytesIO

    return BytesIO(data)


def layered(rgb, path):
    words = rgb.astype(np.uint16) * 257
    path.write_bytes(
        layers.photoshop([layers.Layer(name="Base", pixels=words // 2), layers.Layer(name="Skin", pixels=words)])
    )


def write_tiff(rgb, path):
    path.write_bytes(write.tiff16(rgb.astype(np.uint16) * 257))


@pytest.mark.parametrize(
    ("name", "change", "by"),
    [
        ("canyon.tif", write_tiff, "name"),
        ("canyon_final-2.jpg", rotated, "name"),
        ("canyon crop.tif", cropped, "name"),
        ("canyon.jpg", resized, "name"),
        ("canyon-adobe.jpg", other_profile, "name"),
        ("canyon.psd", layered, "name"),
        ("from rita.tif", write_tiff, "picture"),
        ("DSC_4711.jpg", resized, "picture"),
    ],
)
def test_a_file_comes_back_whatever_became_of_it(handed, library, tmp_path, name, change, by):
    shoot, _, to, _ = handed
    file = tmp_path / "in" / name
    file.parent.mkdir()
    change(retouched(final(to)), file)
    came = come_back(library, handed, file)
    assert came.photo.path == "canyon.jpg"
    assert came.entry["matched_by"] == by
    assert came.entry["aligned"]["cannot"] is None
    state = library.state(shoot)
    assert explain.document(library.store, state, [state.photo("canyon.jpg")])["assets"][0]["versions"][-1] == {
        "id": came.version.id, "edits": [f"{e.operator}@{e.version}" for e in came.version.edits],
        "checkpoint": "returned",
    }  # fmt: skip
    edit_ = state.photo("canyon.jpg").edit("external")
    assert edit_.params["file"] == came.digest
    assert ShootFolder.at(shoot).kept(came.digest) == file.read_bytes()
    corner = np.reshape(edit_.params["matrix"], (3, 3)) @ [edit_.params["width"] / 2, edit_.params["height"] / 2, 1]
    shown = image.read(file)
    lies = corner[:2] / corner[2]
    want = {"canyon crop.tif": (edit_.params["width"] / 2 - 60, edit_.params["height"] / 2 - 40)}.get(
        name, (shown.shape[1] / 2, shown.shape[0] / 2)
    )
    assert np.abs(lies - want).max() < 3, "what was drawn on the photo finds its place"


def test_what_was_returned_is_what_is_delivered(handed, library, tmp_path):
    shoot, _, to, _ = handed
    work = retouched(final(to))[20:-20, 30:-40]
    file = tmp_path / "canyon.png"
    Image.fromarray(work).save(file)
    came = come_back(library, handed, file, generated=True)
    state = library.state(shoot)
    order = deliver.Order(to=tmp_path / "out", preset="tiff16", sign_off="lea")
    for photo, names in open_findings(library, shoot, state, order):
        accept(library.store, state, [photo], names, Word(by="ann", reason="wanted"))
    made = library.deliver(shoot, tmp_path / "out", order=order)
    entry = next(f for f in made["files"] if f["source"]["path"] == "canyon.jpg")
    assert np.array_equal(image.read(tmp_path / "out" / entry["name"]), work)
    assert entry["version"] == came.version.id
    assert [e["operator"] for e in entry["edits"]][-1] == "external@1"
    assert {"operator": "external", "by": "rita"}.items() <= next(
        v for v in entry["verdicts"] if v["operator"] == "external"
    ).items()
    from safelight.channels import encoded

    assert "compositeWithTrainedAlgorithmicMedia" in str(encoded.read(tmp_path / "out" / entry["name"]).says)


def open_findings(library, folder, state, order):
    """What a first attempt is refused for: (photo, names of findings)."""
    try:
        library.deliver(folder, order.to, order=order)
    except Refused as refused:
        lines = [line.strip().split(": ", 2) for line in refused.cause.splitlines()[1:]]
        return [(state.photo(path), [what.partition(",")[0].replace(" ", "_")]) for path, what, *_ in lines]
    for path in order.to.iterdir():
        path.unlink()
    return []


def test_a_wrong_picture_is_refused_by_name(handed, library, tmp_path):
    _, _, to, _ = handed
    file = tmp_path / "canyon.jpg"
    Image.fromarray(final(to, "fig_bowl")).save(file)
    with pytest.raises(Refused, match=r"shows fig_bowl\.jpg"):
        come_back(library, handed, file)


def test_another_frame_of_the_motif_is_told_whatever_scene_it_is_of(tmp_path):
    wall = cv2.resize(picture(), (900, 675), interpolation=cv2.INTER_CUBIC)
    aside = np.array([[0.7, 0.1, 60], [-0.1, 0.9, 80], [-3e-4, 1e-4, 1]])
    frames = {"a": wall[:540, :720], "b": cv2.warpPerspective(wall, aside, (720, 540))}
    parents = []
    for name, rgb in frames.items():
        file = tmp_path / f"{name}.png"
        Image.fromarray(rgb).save(file)
        parents.append(Parent(photo=name, path=name, shown=file, original=file, width=720, height=540, edits=()))
    small = cv2.resize(frames["b"], (360, 270), interpolation=cv2.INTER_AREA)
    said = recognise(Job(file=file, named="a", parents=tuple(parents), state=tmp_path), small)
    assert said.agreed >= 0.5, "it lies on the photo that its name says"
    assert said.laid is not None
    assert said.laid.parent.photo == "b"


def test_of_frames_that_are_as_much_alike_only_a_person_s_word_is_believed(tmp_path):
    rgb = cv2.resize(picture(), (720, 540), interpolation=cv2.INTER_CUBIC)
    file = tmp_path / "a.png"
    Image.fromarray(rgb).save(file)
    parents = tuple(
        Parent(photo=name, path=name, shown=file, original=file, width=720, height=540, edits=()) for name in "ab"
    )
    job = Job(file=file, named="a", parents=parents, state=tmp_path)
    said = recognise(job, rgb)
    assert said.laid is None
    assert {parent.photo for parent in said.either} == {"a", "b"}
    sure = recognise(replace(job, sure=True), rgb)
    assert sure.laid is not None
    assert sure.laid.parent.photo == "a"


def test_a_picture_of_nothing_we_know_is_refused(handed, library, tmp_path, shared):
    file = tmp_path / "canyon.jpg"
    file.write_bytes((shared / "photos" / "ladybird.jpg").read_bytes())
    with pytest.raises(Refused, match=r"does not show canyon\.jpg"):
        come_back(library, handed, file)
    renamed = file.rename(tmp_path / "new.jpg")
    with pytest.raises(Refused, match="shows none of the photos"):
        come_back(library, handed, renamed)


@pytest.mark.parametrize("suffix", [".tif", ".psd", ".jpg"])
def test_a_file_that_ends_early_is_refused(handed, library, tmp_path, suffix):
    _, _, to, _ = handed
    whole = tmp_path / f"whole{suffix}"
    {".tif": write_tiff, ".psd": layered, ".jpg": resized}[suffix](final(to), whole)
    file = tmp_path / f"canyon{suffix}"
    file.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(Truncated):
        come_back(library, handed, file)
    assert library.state(handed[0]).photo("canyon.jpg").edit("external") is None


def test_a_changed_edit_below_sends_a_returned_file_to_review(handed, library, tmp_path):
    shoot, _, to, _ = handed
    file = tmp_path / "canyon.tif"
    write_tiff(retouched(final(to)), file)
    come_back(library, handed, file)
    state = library.state(shoot)
    assert state.photo("canyon.jpg").open_questions() == []
    say(library, state, state.photo("canyon.jpg"), "exposure", {"ev": -1.5})
    assert "external" in library.state(shoot).photo("canyon.jpg").open_questions()
    decide(library.store, state, [state.photo("canyon.jpg")], Saying(say=Say.UNDO, by="ann", operators=("exposure",)))


def test_the_shoot_is_found_by_the_brief(handed):
    shoot, _, to, _ = handed
    assert back.shoot_of(to / "canyon.psd") == shoot.resolve()
    assert back.shoot_of(shoot / "x.psd") is None
