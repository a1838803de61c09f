"""A corpus of hostile files: damaged, cut off, lying about themselves, or made to harm. The same bytes for the same
seed.

`write(folder)` puts it on a disk. Three kinds of promise: a file that is `CUT` must be refused, one that is `WHOLE`
must be opened, and of `ANY` only the rule for all holds: no crash, no hang, no more memory than allowed, nothing
written anywhere else, and a cause with a remedy where it is refused.
"""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from safelight.media import boxes, ifd, segments, webp, write
from tests.made_files import exif_block, photo
from tests.made_formats import XMP, bomb_png, every, made_dngs, packed_zeros, saved, tiff

SEED = 7
FLIPS, HEAD_FLIPS, CUTS = 5, 3, 9  # of each base file
MOST = 4_000_000  # bytes of a real file that is damaged
SUFFIXES = (".jpg", ".png", ".tif", ".webp", ".avif", ".heic", ".jxl", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw",
            ".raf", ".rw2", ".orf")  # fmt: skip
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b']><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    + b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>&l;</dc:title>'
    + b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
OUTSIDE = LAUGHS.split(b"<!ENTITY a")[0] + (
    b'<!ENTITY l SYSTEM "file:///etc/passwd">]>' + LAUGHS.split(b"]>", 1)[1]
)  # fmt: skip
PACKETS = {
    "laughs": LAUGHS,
    "outside": OUTSIDE,
    "network": OUTSIDE.replace(b"file:///etc/passwd", b"http://127.0.0.1:9/x"),
    "deep": b"<x:xmpmeta>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</x:xmpmeta>",
    "wide": XMP.replace(b'Rating="4"', b'Rating="' + b"9" * 60_000 + b'"'),
    "broken": XMP[:-40],
    "bytes": bytes(range(256)) * 20,
    "utf16": b"\xff\xfe" + b"\xd8\xd8" * 500,
    "empty": b"",
}


class Promise(StrEnum):
    """What must come of a file."""

    CUT = "must be refused"
    WHOLE = "must be opened"
    ANY = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A file: its name, its bytes, and what must come of it."""

    name: str
    data: bytes
    promise: Promise = Promise.ANY


@cache
def bases(folder: Path) -> dict[str, bytes]:
    """Small whole files of every format, by name; `folder` is for writers that need one."""
    found = {name.replace(" ", "-"): make() for name, make in every().items()}
    return found | {f"dng-{path.name}": path.read_bytes() for path in made_dngs(folder)}


def cases(folder: Path, *, seed: int = SEED, real: Path | None = None) -> Iterator[Case]:
    """The whole corpus, one file at a time; with damaged copies of the files below `real`, where that is given."""
    rng = np.random.default_rng(seed)
    whole = bases(folder)
    if real is not None:
        for path in sorted(p for p in real.rglob("*") if p.suffix.lower() in SUFFIXES and p.stat().st_size < MOST):
            data = path.read_bytes()
            for number in range(FLIPS):
                within = (len(data), 65_536, 4096)[number % 3]
                turned = flipped(data, rng, within, 1 + 4**number)
                yield Case(name=f"real-{path.stem}-{number}{path.suffix}", data=turned)
            yield Case(name=f"real-{path.stem}-cut{path.suffix}", data=data[: int(rng.integers(len(data)))])
    for name, data in whole.items():
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        for number in range(FLIPS):
            yield Case(name=f"flip-{stem}-{number}{suffix}", data=flipped(data, rng, len(data), 1 + 4**number))
        for number in range(HEAD_FLIPS):
            yield Case(name=f"head-{stem}-{number}{suffix}", data=flipped(data, rng, 512, 2 + 6 * number))
        for number, at in enumerate(cuts(name, data, rng)):
            yield Case(name=f"cut-{stem}-{number}{suffix}", data=data[:at], promise=Promise.CUT)
        yield Case(name=f"zeros-{stem}{suffix}", data=data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    yield from _large(whole)
    yield from _bombs()
    yield from _metadata(whole)
    yield from _disguised(whole, rng)


def flipped(data: bytes, rng: np.random.Generator, within: int, count: int) -> bytes:
    """The bytes with `count` random bits turned over among the first `within`."""
    out = bytearray(data)
    for at in rng.integers(0, min(within, len(data)), count):
        out[at] ^= 1 << int(rng.integers(8))
    return bytes(out)


def cuts(name: str, data: bytes, rng: np.random.Generator) -> list[int]:
    """Where to cut a file: at the borders of its parts, in their middles, and at random, before its picture ends."""
    if name.endswith(".jpg"):
        marks = [s.end for s in segments.walk(data)]
    elif name.endswith(".png"):
        marks, at = [], 8
        while at < len(data):
            marks.append(at)
            at += 12 + int.from_bytes(data[at : at + 4], "big")
    elif name.endswith((".tif", ".dng")):
        marks = [e for d in ifd.directories(ifd.from_bytes(data)) for e in (d.end, *(a + n for a, n in d.blocks()))]
    elif name.endswith(".avif") or data[4:8] == b"JXL ":
        marks = [box.end for box in boxes.walk(ifd.from_bytes(data))]
    elif name.endswith(".webp"):
        marks = [at + size for at, size in webp.facts(ifd.from_bytes(data)).parts]
    else:
        marks = [26, 30, 40, len(data) // 2]
    last = len(data.rstrip(b"\0")) - 2 if name.endswith((".jpg", ".png")) else len(data) - 1
    places = {0, 1, 7, last, *(m - 1 for m in marks), *(m for m in marks), *rng.integers(2, len(data) - 2, 4).tolist()}
    inside = sorted(at for at in places if 0 <= at <= last)
    chosen = [int(i) for i in np.unique(np.linspace(0, len(inside) - 1, CUTS).round())]
    return [inside[i] for i in chosen]


# ---------------------------------------------------------------- sizes that lie, and pictures too large


def _large(whole: dict[str, bytes]) -> Iterator[Case]:
    rgb = photo()
    for side in (65_500, 65_535):
        jpeg = bytearray(whole["plain.jpg"])
        frame = next(s for s in segments.walk(bytes(jpeg)) if s.marker in segments.FRAMES)
        struct.pack_into(">HH", jpeg, frame.payload + 1, side, side)
        yield Case(name=f"large-{side}.jpg", data=bytes(jpeg), promise=Promise.CUT)
    png = whole["plain.png"]
    for width, height in ((0x7FFFFFFF, 0x7FFFFFFF), (1_000_000, 1_000_000), (0, 10), (0x7FFFFFFF, 1)):
        head = struct.pack(">II", width, height) + png[24:29]
        body = png[:12] + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head)) + png[33:]
        yield Case(name=f"large-{width}x{height}.png", data=body, promise=Promise.CUT)
    for name in ("plain.tif", "deflate.tif", "tiles.tif", "big.tif", "dng-mosaic.dng", "dng-words.dng"):
        for width, height in ((60_000, 60_000), (4_000_000_000, 4_000_000_000), (1, 4_000_000_000), (0, 0)):
            yield Case(name=f"large-{width}x{height}-{name}", data=_resized(whole[name], width, height))
    for name, at in (("plain.psd", 14), ("words.psd", 14)):
        data = bytearray(whole[name])
        struct.pack_into(">II", data, at, 300_000, 300_000)
        yield Case(name=f"large-{name}", data=bytes(data), promise=Promise.CUT)
    data = bytearray(whole["plain.avif"])
    struct.pack_into(">II", data, data.find(b"ispe") + 8, 60_000, 60_000)
    yield Case(name="large.avif", data=bytes(data), promise=Promise.CUT)
    data = bytearray(whole["plain.webp"])
    at = data.find(b"VP8X") + 12
    data[at : at + 6] = b"\xff\xff\xff\xff\xff\xff"
    yield Case(name="large.webp", data=bytes(data))
    for shape in ((8, 65_500), (65_500, 8)):
        long = np.tile(rgb[:8, :8], (shape[0] // 8 + 1, shape[1] // 8 + 1, 1))[: shape[0], : shape[1]]
        yield Case(name=f"long-{shape[1]}x{shape[0]}.jpg", data=write.encode_jpeg(long), promise=Promise.WHOLE)
        yield Case(
            name=f"long-{shape[1]}x{shape[0]}.png", data=saved(Image.fromarray(long), "PNG"), promise=Promise.WHOLE
        )
        yield Case(name=f"long-{shape[1]}x{shape[0]}.tif", data=tiff(long), promise=Promise.WHOLE)


def _resized(data: bytes, width: int, height: int) -> bytes:
    """A TIFF whose largest directory says another size."""
    out = bytearray(data)
    for directory in ifd.directories(ifd.from_bytes(data)):
        for tag, value in ((256, width), (257, height)):
            entry = directory.entries.get(tag)
            if entry is not None:
                short = entry.type == ifd.SHORT
                struct.pack_into(
                    directory.order + ("H" if short else "I"),
                    out,
                    entry.offset,
                    value & (0xFFFF if short else 0xFFFFFFFF),
                )
    return bytes(out)


def _bombs() -> Iterator[Case]:
    yield Case(name="bomb-600-megapixels.png", data=bomb_png(30_000, 20_000), promise=Promise.CUT)
    packed = packed_zeros(300_000_000)
    for name, body in (
        (b"iCCP", b"x\0\0" + packed),
        (b"zTXt", b"Comment\0\0" + packed),
        (b"eXIf", b"II*\0" + bytes(300_000)),
    ):
        chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        png = saved(Image.fromarray(photo()), "PNG")
        yield Case(name=f"bomb-{name.decode()}.png", data=png[:33] + chunk + png[33:])
    strip = packed_zeros(400_000_000)
    fields = [
        ifd.field(256, ifd.LONG, 100), ifd.field(257, ifd.LONG, 100), ifd.field(258, ifd.SHORT, 8),
        ifd.field(259, ifd.SHORT, 8), ifd.field(262, ifd.SHORT, 1), ifd.field(277, ifd.SHORT, 1),
        ifd.field(278, ifd.LONG, 100), ifd.field(279, ifd.LONG, len(strip)),
    ]  # fmt: skip
    first = len(ifd.build("<", [*fields, ifd.field(273, ifd.LONG, 0)], below={}))
    yield Case(name="bomb-strip.tif", data=ifd.build("<", [*fields, ifd.field(273, ifd.LONG, first)], below={}) + strip)
    frames = [Image.fromarray(np.full((16, 16, 3), i % 256, np.uint8)) for i in range(600)]
    yield Case(name="bomb-frames.webp", data=saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("../../../escape.txt"), bytes(1_000_000))
    yield Case(name="bomb-zip.psd", data=buffer.getvalue(), promise=Promise.CUT)


# ---------------------------------------------------------------- metadata


def _metadata(whole: dict[str, bytes]) -> Iterator[Case]:
    stream = write.encode_jpeg(photo(), quality=97)
    for name, block in _exif_blocks().items():
        if len(block) < 65_000:
            yield Case(
                name=f"exif-{name}.jpg", data=_with_app(stream, 0xE1, b"Exif\0\0" + block), promise=Promise.WHOLE
            )
        yield Case(name=f"exif-{name}.webp", data=saved(Image.fromarray(photo()), "WEBP", exif=b"Exif\0\0" + block))
        yield Case(name=f"exif-{name}.tif", data=block)
        yield Case(name=f"exif-{name}.dng", data=block)
    for name, packet in PACKETS.items():
        if len(packet) < 65_000:
            yield Case(
                name=f"xmp-{name}.jpg", data=_with_app(stream, 0xE1, segments.XMP_HEAD + packet), promise=Promise.WHOLE
            )
        if packet:
            yield Case(name=f"xmp-{name}.webp", data=saved(Image.fromarray(photo()), "WEBP", xmp=packet))
            yield Case(
                name=f"xmp-{name}.tif",
                data=write.tiff16(photo().astype(np.uint16) * 257, xmp=packet),
                promise=Promise.WHOLE,
            )
    for name, icc in _profiles().items():
        for kind, suffix in (("JPEG", ".jpg"), ("PNG", ".png"), ("TIFF", ".tif"), ("WEBP", ".webp")):
            yield Case(name=f"icc-{name}{suffix}", data=saved(Image.fromarray(photo()), kind, icc_profile=icc))


def _with_app(stream: bytes, marker: int, payload: bytes) -> bytes:
    return stream[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload + stream[2:]


def _exif_blocks() -> dict[str, bytes]:
    good = exif_block()
    one = ifd.build("<", [ifd.field(274, ifd.SHORT, 6)], below={})
    looped = bytearray(one)
    struct.pack_into("<I", looped, len(one) - 4, 8)  # the next directory is this one
    to_itself = ifd.build(
        "<", [ifd.field(ifd.EXIF_IFD, ifd.LONG, 8), ifd.field(ifd.SUB_IFDS, ifd.LONG, 8, 8, 8, 8)], below={}
    )
    entry = struct.pack("<HHII", 305, 2, 0xFFFFFFFF, 8)
    table = struct.pack("<H", 65_535) + entry * 65_535 + bytes(4)
    million = b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + struct.pack("<Q", 1_000_000)
    chain = b"II*\0" + struct.pack("<I", 8)
    for number in range(3000):
        chain += struct.pack("<HHHII", 1, 256, 3, 1, number) + struct.pack("<I", 8 + 18 * (number + 1))
    return {
        "loop": bytes(looped), "to-itself": to_itself, "no-directory": b"II*\0\xff\xff\xff\xff",
        "all-tags": b"II*\0\x08\0\0\0" + table[: 2 + 12 * 5000],
        "million": million + struct.pack("<HHQQ", 305, 2, 1 << 62, 1 << 62) * 50_000,
        "65535-entries": b"II*\0\x08\0\0\0" + table, "chain": chain, "short": good[:40],
        "counts": ifd.build("<", [ifd.Field(tag=t, type=5, count=0xFFFFFFF, data=b"\1\0\0\0") for t in range(256, 300)],
        below={}), "orientation": ifd.build("<", [ifd.field(274, ifd.SHORT, 65535)], below={}),
        "nul": ifd.build("<", [ifd.blob(271, ifd.ASCII, b"\xff" * 100), ifd.blob(272, ifd.ASCII, bytes(9))], below={}),
        "zero-division": ifd.build("<", [ifd.field(33434, ifd.RATIONAL, (1, 0), (0, 0))], below={}),
    }  # fmt: skip


def _profiles() -> dict[str, bytes]:
    good = bytearray(write.SRGB)
    lies = bytes(good[:128]) + struct.pack(">I", 0xFFFFFFFF) + bytes(good[132:])
    far = bytes(good[:136]) + struct.pack(">II", 0xFFFFFF00, 0xFFFFFFFF) + bytes(good[144:])
    cmyk = bytes(good[:16]) + b"CMYK" + bytes(good[20:])
    return {
        "noise": bytes(range(256)) * 8, "short": bytes(good[:90]), "count": lies, "far": far, "model": cmyk,
        "long": bytes(good) + bytes(200_000), "grey": bytes(good[:16]) + b"GRAY" + bytes(good[20:]),
    }  # fmt: skip


# ---------------------------------------------------------------- disguises


def _disguised(whole: dict[str, bytes], rng: np.random.Generator) -> Iterator[Case]:
    others = {
        "text": b"Dear client,\n" * 50, "html": b"<!doctype html><script>alert(1)</script>" * 20,
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "pdf": b"%PDF-1.7\n" + bytes(500), "elf": b"\x7fELF" + bytes(900), "noise": rng.bytes(4000),
        "zeros": bytes(5000),
        "empty": b"", "script": b"#!/bin/sh\nrm -rf /\n", "gif": saved(Image.fromarray(photo()), "GIF"),
    }  # fmt: skip
    for name, data in others.items():
        for suffix in SUFFIXES[:8] if name != "noise" else SUFFIXES:
            yield Case(name=f"is-{name}{suffix}", data=data, promise=Promise.CUT)
    for name in ("plain.jpg", "plain.png", "plain.tif", "plain.webp", "plain.avif", "plain.psd", "dng-mosaic.dng"):
        for suffix in SUFFIXES:
            if not name.endswith(suffix):
                yield Case(name=f"was-{name.replace('.', '-')}{suffix}", data=whole[name])
    jpeg = whole["plain.jpg"]
    buffer = io.BytesIO(jpeg)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(zipfile.ZipInfo("../escape.txt"), "out")
    yield Case(name="poly-zip.jpg", data=buffer.getvalue(), promise=Promise.WHOLE)
    yield Case(
        name="poly-html.jpg", data=_with_app(jpeg, 0xFE, b"--><script>alert(1)</script><!--"), promise=Promise.WHOLE
    )
    yield Case(name="poly-two.jpg", data=jpeg + jpeg, promise=Promise.WHOLE)
    yield Case(name="poly-png.jpg", data=jpeg + whole["plain.png"], promise=Promise.WHOLE)
    yield Case(name="poly-gif.jpg", data=b"GIF89a" + jpeg, promise=Promise.CUT)
    yield Case(name="poly-tail.tif", data=whole["plain.tif"] + b"<?php system($_GET[0]); ?>", promise=Promise.WHOLE)


# ---------------------------------------------------------------- a whole folder


NAMES = (
    "..\\..\\escape.jpg", "CON.jpg", "nul.jpg", "-rf.jpg", "$(touch escape).jpg", "`touch escape`.jpg", "%s%n%x.jpg",
    "a\nb.jpg", "\u202egpj.exe.jpg", "tab\there.jpg", "x" * 240 + ".jpg", "name;rm.jpg", "|pipe.jpg",
    "..jpg", "...jpg.jpg", " .jpg", "'quote\".jpg", "<img src=x onerror=alert(1)>.jpg", "C:evil.jpg", "~root.jpg",
)  # fmt: skip


def write_corpus(folder: Path, *, seed: int = SEED, real: Path | None = None) -> dict[str, Promise]:
    """Writes the corpus with names, sidecars, links and pipes that are tricks themselves; what must come of each
    file."""
    folder.mkdir(parents=True, exist_ok=True)
    spare = folder.parent / f"{folder.name}-spare"
    spare.mkdir(exist_ok=True)
    promises = {}
    for case in cases(spare, seed=seed, real=real):
        (folder / case.name).write_bytes(case.data)
        promises[case.name] = case.promise
    jpeg = bases(spare)["plain.jpg"]
    for number, name in enumerate(NAMES):
        varied = _with_app(jpeg, 0xFE, b"%d" % number)
        (folder / name).write_bytes(varied)
        promises[name] = Promise.WHOLE
    for number, (name, packet) in enumerate(PACKETS.items()):
        (folder / f"sidecar-{name}.jpg").write_bytes(_with_app(jpeg, 0xFE, b"s%d" % number))
        (folder / f"sidecar-{name}.jpg.xmp").write_bytes(packet)
        promises[f"sidecar-{name}.jpg"] = Promise.WHOLE
    (folder / "passwd.jpg").symlink_to("/etc/passwd")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    (folder / "loop-a.jpg").symlink_to("loop-b.jpg")
    (folder / "loop-b.jpg").symlink_to("loop-a.jpg")
    (folder / "again").symlink_to(".", target_is_directory=True)
    (folder / "up").symlink_to("..", target_is_directory=True)
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    promises |= dict.fromkeys(("passwd.jpg", "zero.jpg", "pipe.jpg"), Promise.CUT)
    return promises
