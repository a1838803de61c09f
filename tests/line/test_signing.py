"""What is rendered is signed with the user's own certificate, only where one is set, and off the network."""

import hashlib
import json
import logging
import os
import platform
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from safelight import health, pairs, sound_repair, verdicts
from safelight.cli import cli
from safelight.cutting import assembly, render
from safelight.cutting.assembly import Piece
from safelight.deliver import Order
from safelight.domain import Say
from safelight.errors import MediaError, UsageError
from safelight.line import Options
from safelight.media import credentials, film_xmp, image, levelled, loudness, manifests, signing, xmp
from safelight.media.signing import Deed, Statement
from safelight.verdicts import Saying
from tests.conftest import save_jpeg, textured
from tests.line.test_origin import played
from tests.line.test_rough import material
from tests.made_clips import make_clip, make_sound, sine
from tests.unit.test_clearing import street
from tests.unit.test_steady import hand, place, seen, write

made = pytest.importorskip(
    "tests.made_certificates", reason="the package that signs is not installed: pip install 'safelight[credentials]'"
)


@pytest.fixture
def studio(tmp_path, monkeypatch):
    """A studio with a chain and a key, both set."""
    chain, key = made.make_chain(tmp_path / "safe")
    made.sign_with(monkeypatch, chain, key)
    return chain, key


def stored(path):
    found = manifests.read(path)
    return found, manifests.active(found)


def actions(manifest):
    (one,) = [a for a in manifest["assertions"] if a["label"].startswith("c2pa.actions")]
    return one["data"]["actions"]


def parents(manifest):
    return [(i["title"], i["relationship"], "active_manifest" in i) for i in manifest["ingredients"]]


def of(*originals, origin="humanEdits", **more):
    deeds = (Deed(action="trimmed", text="Two ranges."), Deed(action="transcoded", text="Encoded anew."))
    return Statement(originals=originals, deeds=deeds, origin=origin, **more)


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.m4a", "a.wav", "a.flac", "a.mp3"])
def test_films_and_sounds_are_signed_and_play_as_before(tmp_path, studio, name):
    path = tmp_path / name
    if path.suffix in {".mp4", ".mov"}:
        make_clip(path, frames=12, heard=sine(0.48))
    else:
        codec = {".m4a": "aac", ".wav": "pcm_s16le", ".flac": "flac", ".mp3": "libmp3lame"}[path.suffix]
        make_sound(path, sine(0.5), codec=codec)
    film_xmp.put(path, xmp.Packet.parse(None).to_bytes())
    before, packet = played(path), film_xmp.read(path)
    done = signing.sign(path, name, of(Path("one.mov")))
    assert (played(path), film_xmp.read(path)) == (before, packet)
    assert (done.kept, done.notes) == (frozenset(), ("It is signed by A Studio: content credentials (C2PA).",))
    found, manifest = stored(path)
    assert found["state"] == "Valid"
    assert parents(manifest) == [("one.mov", "parentOf", False)]
    assert [a["action"] for a in actions(manifest)] == ["c2pa.opened", "c2pa.trimmed", "c2pa.transcoded"]
    sources = [a.get("digitalSourceType") for a in actions(manifest)]
    assert sources == [None, xmp.SOURCE + "humanEdits", None]
    assert credentials.present(path), "and is noticed as the credentials of any other file"


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_photographs_are_signed_and_look_as_before(tmp_path, studio, name):
    from safelight.media import write

    rgb = textured(3)
    packet = xmp.Packet.parse(None).to_bytes()
    deep = rgb.astype(np.uint16) * 257
    plain = write.jpeg(rgb, xmp=packet) if name == "a.jpg" else write.tiff16(deep, xmp=packet)
    before, after = tmp_path / f"before{name}", tmp_path / name
    before.write_bytes(plain)
    data, _ = signing.sign_bytes(plain, name, of(before))
    after.write_bytes(data)
    assert manifests.told(after).verifies
    assert xmp.embedded(after) == xmp.embedded(before) == packet
    first, second = (image.read_words(path) for path in (before, after))
    assert np.array_equal(image.read(before), image.read(after))
    assert first is second is None if name == "a.jpg" else np.array_equal(first, second)
    with Image.open(before) as one, Image.open(after) as two:
        assert one.info["icc_profile"] == two.info["icc_profile"]


def test_credentials_of_an_original_stay_inside(tmp_path, studio, monkeypatch):
    one, two = (make_clip(tmp_path / f"{n}.mp4", frames=12) for n in ("one", "two"))
    signing.sign(one, "one.mp4", of(tmp_path / "card.mov", origin="digitalCapture"))
    label = manifests.read(one)["active_manifest"]
    was = one.read_bytes()
    out = make_clip(tmp_path / "film.mp4", frames=5)
    done = signing.sign(out, "film.mp4", of(one))
    found, manifest = stored(out)
    assert done.kept == {one}
    assert parents(manifest) == [("one.mp4", "parentOf", True)]
    assert label in found["manifests"]
    assert done.told([one], what="the film") == done.notes
    both = make_clip(tmp_path / "both.mp4", frames=5)
    done = signing.sign(both, "both.mp4", of(two, one, origin="compositeCapture"))
    found, manifest = stored(both)
    assert sorted(parents(manifest)) == [("one.mp4", "componentOf", True), ("two.mp4", "componentOf", False)]
    assert [a["action"] for a in actions(manifest)][:3] == ["c2pa.created", "c2pa.placed", "c2pa.placed"]
    assert actions(manifest)[0]["digitalSourceType"] == xmp.SOURCE + "compositeCapture"
    assert one.read_bytes() == was
    for name in (signing.CERTIFICATE, signing.KEY):
        monkeypatch.delenv(name)
    bare = make_clip(tmp_path / "bare.mp4", frames=5)
    was = bare.read_bytes()
    lost = signing.sign(bare, "bare.mp4", of(one)).told([one], what="the film")
    assert bare.read_bytes() == was
    assert len(lost) == 1
    assert "one.mp4 are not in the film" in lost[0]


def test_credentials_that_were_broken_before_are_told(tmp_path, studio):
    one = make_clip(tmp_path / "one.mp4", frames=12)
    signing.sign(one, "one.mp4", of(tmp_path / "card.mov"))
    changed(one)
    film = make_clip(tmp_path / "film.mp4", frames=5)
    done = signing.sign(film, "film.mp4", of(one))
    assert "Those of one.mp4 do not verify." in done.notes[1]
    assert manifests.told(film).verifies, "the film itself is what was signed"
    spoilt = make_clip(tmp_path / "spoilt.mp4", frames=5)
    spoilt.write_bytes(spoilt.read_bytes() + (44).to_bytes(4, "big") + b"uuid" + credentials.STORE + b"\0" * 20)
    again = make_clip(tmp_path / "again.mp4", frames=5)
    done = signing.sign(again, "again.mp4", of(spoilt))
    assert any("spoilt.mp4 cannot be read" in note for note in done.notes)
    assert any("spoilt.mp4 are not in" in note for note in done.told([spoilt], what="the film"))


def test_where_something_was_taken_stays_private(tmp_path, studio):
    original = save_jpeg(tmp_path / "one.jpg", textured(1))
    told = {"label": "stds.exif", "data": {"exif:GPSLatitude": "48,12.5N", "exif:GPSLongitude": "16,22.1E"}}
    signs = signing._manifest

    def manifest(statement, inside, media):
        found = signs(statement, inside, media)
        return found | {"assertions": [*found["assertions"], told]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "_manifest", manifest)
        data, _ = signing.sign_bytes(original.read_bytes(), "one.jpg", of(tmp_path / "card.raw"))
    original.write_bytes(data)
    plain = save_jpeg(tmp_path / "two.jpg", textured(1)).read_bytes()
    data, done = signing.sign_bytes(plain, "two.jpg", of(original))
    assert b"48,12.5N" in original.read_bytes()
    assert b"48,12.5N" not in data
    assert done.kept == frozenset()
    assert any("private" in note for note in done.notes)
    data, done = signing.sign_bytes(plain, "two.jpg", of(original, place=True))
    assert b"48,12.5N" in data
    assert done.kept == {original}


def test_a_changed_byte_is_noticed(tmp_path, studio):
    path = make_clip(tmp_path / "a.mp4", frames=12)
    signing.sign(path, "a.mp4", of(tmp_path / "one.mov"))
    changed(path)
    told = manifests.told(path)
    assert told.verifies is False
    assert "changed after it was signed" in told.text


def changed(path):
    """Turns one bit of a picture over."""
    data = bytearray(path.read_bytes())
    data[data.index(b"mdat") + 40] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["a.mkv", "a.opus"])
def test_what_has_no_place_for_credentials_says_so(tmp_path, studio, name):
    path = tmp_path / name
    make_clip(path, frames=5) if name == "a.mkv" else make_sound(path, sine(0.5), codec="libopus")
    before = path.read_bytes()
    done = signing.sign(path, name, of(tmp_path / "one.mov"))
    assert path.read_bytes() == before
    assert done.notes == (f"It is not signed: a {path.suffix} file has no place for content credentials (C2PA).",)


# ---------------------------------------------------------------- through the product


def test_cuts_levels_and_repairs_are_signed(tmp_path, studio):
    one = make_clip(tmp_path / "one.mp4", frames=20, heard=sine(0.8))
    parts = [Piece(clip=0, start=0, end=5), Piece(clip=0, start=9, end=12)]
    cut = assembly.assemble([material(one)], parts, name="x")
    film = tmp_path / "film.mp4"
    done = render.render(cut, film)
    found, manifest = stored(film)
    assert found["state"] == "Valid"
    assert parents(manifest) == [("one.mp4", "parentOf", False)]
    assert [a["action"] for a in actions(manifest)] == ["c2pa.opened", "c2pa.trimmed", "c2pa.transcoded"]
    assert "It is signed by A Studio: content credentials (C2PA)." in done.notes
    preview = tmp_path / "preview.mp4"
    render.render(cut, preview, preview=True)
    assert not credentials.present(preview), "a preview is for looking"
    loud = tmp_path / "loud.wav"
    levelled.level(one, loud, loudness.TARGETS["speech"])
    assert [a["action"] for a in actions(stored(loud)[1])] == ["c2pa.opened", "c2pa.enhanced"]
    mended = tmp_path / "mended.wav"
    sound_repair.repair(one, mended)
    assert manifests.told(mended).by == "A Studio"


def test_a_delivery_is_signed_and_what_a_camera_signed_is_explained(library, make_shoot, studio, tmp_path, mark_times):
    folder = make_shoot(2)
    first = folder / "IMG_0000.JPG"
    data, _ = signing.sign_bytes(first.read_bytes(), "IMG_0000.JPG", of(tmp_path / "card.raw", origin="digitalCapture"))
    first.write_bytes(data)
    before = mark_times(folder)
    library.run(folder)
    state = library.state(folder)
    library.verdict(folder, list(state.photos), operator="cull", say="modify", params={"decision": "keep"}, by="ann")
    made_of = library.deliver(folder, tmp_path / "out", order=Order(to=tmp_path / "out", draft=True))
    names = sorted(f["name"] for f in made_of["files"])
    assert len(names) == 2
    for entry in made_of["files"]:
        path = tmp_path / "out" / entry["name"]
        told = manifests.told(path)
        assert (told.verifies, told.by) == (True, "A Studio")
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest(), "of the signed bytes"
        _, manifest = stored(path)
        assert parents(manifest) == [(entry["source"]["path"], "parentOf", entry["source"]["path"] == "IMG_0000.JPG")]
        assert actions(manifest)[0]["action"] == "c2pa.opened"
    assert mark_times(folder) == before
    shown = CliRunner().invoke(cli, ["explain", str(first), str(folder / "IMG_0001.JPG")], catch_exceptions=False)
    assert shown.output.count("verify: signed by A Studio") == 1


def test_films_of_a_delivery_are_signed_with_what_was_done(library, studio, tmp_path):
    folder = tmp_path / "hand"
    folder.mkdir()
    write(folder / "clip.mp4", seen(place(), hand()), sound_s=2)
    library.run(folder, options=Options(engine="inline", only=("cull",)))
    state = library.state(folder)
    saying = Saying(say=Say.MODIFY, by="Ada", operators=("steady",), params={"strength_s": 0.5})
    assert verdicts.decide(library.store, state, list(state.clips.values()), saying).verdicts
    order = Order(to=tmp_path / "out", films="web_video", draft=True)
    made_of = library.deliver(folder, tmp_path / "out", order=order)
    (entry,) = [f for f in made_of["files"] if f["kind"] == "film"]
    path = tmp_path / "out" / entry["name"]
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest(), "of the signed bytes"
    told = manifests.told(path)
    assert (told.verifies, told.by) == (True, "A Studio")
    _, manifest = stored(path)
    assert parents(manifest) == [("clip.mp4", "parentOf", False)]
    done = [a["action"] for a in actions(manifest)]
    assert done == ["c2pa.opened", "c2pa.enhanced", "c2pa.cropped", "c2pa.transcoded"]


@pytest.mark.parametrize(
    ("command", "frames", "done"),
    [("steady", lambda: seen(place(), hand()), ["c2pa.opened", "c2pa.enhanced", "c2pa.cropped"]),
     ("clear", lambda: [frame for frame, _ in street()], ["c2pa.opened", "c2pa.edited"])],
)  # fmt: skip
def test_steadied_and_cleared_shots_are_signed(tmp_path, studio, command, frames, done):
    clip = write(tmp_path / "clip.mp4", frames())
    said = CliRunner().invoke(cli, [command, str(clip), "--to", str(tmp_path / "film.mp4"), "--json"])
    assert said.exit_code == 0, said.output
    film = tmp_path / "film.draft.mp4"
    told = manifests.told(film)
    assert (told.verifies, told.by) == (True, "A Studio")
    _, manifest = stored(film)
    assert parents(manifest) == [("clip.mp4", "parentOf", False)]
    assert [a["action"] for a in actions(manifest)] == done
    assert any("It is signed by A Studio" in note for note in json.loads(said.stdout)["notes"])


def test_without_a_certificate_or_the_package_all_is_as_it_was(tmp_path, studio, monkeypatch):
    path = make_clip(tmp_path / "a.mp4", frames=5)
    was = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(manifests, "installed", lambda: False)
        done = signing.sign(path, "a.mp4", of(tmp_path / "one.mov"))
        assert done.notes == (signing.NO_PACKAGE,)
        assert "pip install" in doctor()["remedy"]
        assert not doctor()["optional"], "it was asked for"
    assert path.read_bytes() == was
    assert "signed by A Studio (es256), valid until 20" in doctor()["about"]
    for name in (signing.CERTIFICATE, signing.KEY):
        monkeypatch.delenv(name)
    assert signing.ready() is None
    assert signing.sign(path, "a.mp4", of(tmp_path / "one.mov")) == signing.Signed()
    assert path.read_bytes() == was
    assert doctor()["ok"]
    assert "not set up" in doctor()["about"]


def doctor():
    return health.signature()


def test_check_tells_whether_credentials_verify(tmp_path, studio):
    good, bad, none = (save_jpeg(tmp_path / f"{n}.jpg", textured(2)) for n in ("good", "bad", "none"))
    data, _ = signing.sign_bytes(good.read_bytes(), "good.jpg", of(none))
    good.write_bytes(data)
    spoilt = bytearray(data)
    spoilt[-40] ^= 1
    bad.write_bytes(spoilt)
    found = {p.stem: check(p) for p in (good, bad, none)}
    assert found["none"] == []
    assert [(f["outcome"], f["probability"]) for f in found["good"]] == [("pass", 0.0)]
    assert [(f["outcome"], f["probability"]) for f in found["bad"]] == [("look", 1.0)]
    shown = CliRunner().invoke(cli, ["check", str(good), "--to", str(tmp_path / "to")])
    assert "verify: signed by A Studio" in shown.output


def check(path):
    (entry,) = pairs.check_folders(pairs.Request(before=None, after=path), lambda _: None)["pairs"]
    return [f for f in entry["findings"] if f["name"] == "credentials"]


# ---------------------------------------------------------------- certificates and keys


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"days": (-9, -1)}, "ended on"),
        ({"days": (1, 9)}, "begins on"),
        ({"own": True}, "vouches for itself"),
        ({"usage": getattr(made, "FOR_SERVERS", None)}, "the certificate is invalid"),
        ({"password": b"a word"}, "locked with a password"),
    ],
)
def test_a_certificate_that_cannot_sign_is_refused_before_anything_is_made(tmp_path, monkeypatch, settings, cause):
    made.sign_with(monkeypatch, *made.make_chain(tmp_path / "safe", **settings))
    one, out = make_clip(tmp_path / "one.mp4", frames=5, heard=sine(0.2)), tmp_path / "out.wav"
    with pytest.raises(UsageError, match=cause) as refused:
        levelled.level(one, out, loudness.TARGETS["speech"])
    assert refused.value.remedy
    assert not out.exists()
    assert cause in doctor()["about"]


def test_files_that_hold_no_certificate_and_keys_that_do_not_fit(tmp_path, studio, monkeypatch):
    chain, key = studio
    other = made.make_chain(tmp_path / "other")[1]
    for certificate, secret, cause in (
        (chain, other, "does not fit"), (key, key, "holds no certificate"), (chain, chain, "holds no private key"),
        (chain, tmp_path / "gone.pem", "cannot be read"), (chain, None, "SAFELIGHT_KEY is not"),
        (None, key, "SAFELIGHT_CERTIFICATE is not"),
    ):  # fmt: skip
        for name, path in ((signing.CERTIFICATE, certificate), (signing.KEY, secret)):
            monkeypatch.setenv(name, str(path)) if path else monkeypatch.delenv(name)
        with pytest.raises(UsageError, match=cause) as refused:
            signing.ready()
        assert refused.value.remedy


def test_a_file_that_cannot_be_signed_stays_as_it_was(tmp_path, studio):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no film")
    with pytest.raises(MediaError, match=r"film\.mp4 cannot be signed"):
        signing.sign(path, "film.mp4", of(tmp_path / "one.mov"))
    assert path.read_bytes() == b"no film"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["a.mp4"]


def test_the_key_is_neither_copied_nor_told(tmp_path, studio, caplog, capfd):
    _, key = studio
    caplog.set_level(logging.DEBUG)
    path = make_clip(tmp_path / "a.mp4", frames=5)
    signing.sign(path, "a.mp4", of(tmp_path / "one.mov"))
    parts = [line for line in key.read_text().splitlines() if "PRIVATE" not in line]
    said = "".join((caplog.text, *capfd.readouterr(), repr(signing.identity()), str(health.settings())))
    holders = [p for p in tmp_path.rglob("*") if p.is_file() and any(part.encode() in p.read_bytes() for part in parts)]
    assert holders == [key]
    assert not [part for part in parts if part in said]


# ---------------------------------------------------------------- no network

WITHOUT_SOCKETS = """
import ctypes, os, struct, sys
CALL = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}[os.uname().machine]
steps = [(0x20, 0, 0, 4), (0x15, 1, 0, CALL[0]), (0x06, 0, 0, 0x80000000),  # another architecture: end
         (0x20, 0, 0, 0), (0x15, 0, 1, CALL[1]), (0x06, 0, 0, 0x80000000), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter_, 0, 0):
    sys.exit(77)
"""
READS = """
import sys
from pathlib import Path
from safelight.media import manifests, signing
original, film = map(Path, sys.argv[1:])
deed = signing.Deed(action="trimmed", text="x")
one = signing.Statement(originals=(original,), deeds=(deed,), origin=None, place=True)
print(signing.sign(film, film.name, one).notes, manifests.told(film), manifests.told(original))
"""
OPENS = "import socket; socket.socket()"


def ended(code, *arguments):
    command = [sys.executable, "-c", WITHOUT_SOCKETS + code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode == 77:
        pytest.skip("this system does not let a process give sockets up")
    return done


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="asks Linux")
def test_no_socket_is_opened(tmp_path, studio):
    assert ended(OPENS).returncode == -31, "whoever opens one is ended by the system"
    original, film = (make_clip(tmp_path / f"{n}.mp4", frames=5) for n in ("one", "film"))
    point_elsewhere(original, "http://127.0.0.1:9/manifest.c2pa")
    done = ended(READS, original, film)
    assert done.returncode == 0, done.stderr
    assert "signed by A Studio" in done.stdout


def test_a_manifest_that_lies_elsewhere_is_not_fetched(tmp_path, studio):
    import c2pa

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        asked = []
        thread = threading.Thread(target=lambda: asked.append(server.accept()[0].close()), daemon=True)
        path = make_clip(tmp_path / "one.mp4", frames=5)
        point_elsewhere(path, f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa")
        with pytest.raises(MediaError):
            manifests.read(path)
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()
        server.settimeout(5)
        thread.start()
        with pytest.raises(c2pa.C2paError):
            c2pa.Reader(str(path))
        thread.join(5)
        assert asked == [None], "left to itself the package asks"


def point_elsewhere(path, address):
    """A film whose credentials lie at an address, as its XMP says."""
    import c2pa

    info = c2pa.C2paSignerInfo(
        "es256", *(Path(os.environ[n]).read_bytes() for n in (signing.CERTIFICATE, signing.KEY)), None
    )
    with manifests.context() as rules, c2pa.Signer.from_info(info) as signer:
        builder = c2pa.Builder(signing._manifest(of(Path("a.mov")), {}, "video/mp4"), context=rules)
        builder.set_no_embed()
        builder.set_remote_url(address)
        whole = path.with_name("elsewhere.mp4")
        with path.open("rb") as source, whole.open("w+b") as target:
            builder.sign(signer, "video/mp4", source, target)
    whole.replace(path)
    assert address.encode() in path.read_bytes()
