"""Made files of every format that is opened, all of one picture, so that each can be compared with what went in."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pyvips
import simplejpeg
import tifffile
from PIL import Image, ImageCms

from safelight.media import ifd, profiles, write
from safelight.media.colour import decode
from tests import made_files
from tests.made_files import NEUTRAL, exif_block, make_dng, photo, scene

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
)


def linear(rgb: np.ndarray) -> np.ndarray:
    """Linear light, float32, of sRGB bytes."""
    return decode(rgb / 255).astype(np.float32)


def psd(
    planes: np.ndarray,
    *,
    mode: int = 3,
    packed: bool = True,
    merged: bool = True,
    resources: dict[int, bytes] | None = None,
) -> bytes:
    """A Photoshop file of channels x H x W (uint8, uint16 or float32) without layers."""
    channels, height, width = planes.shape
    wide = planes.dtype.itemsize
    held = {1057: struct.pack(">IB", 1, merged) + bytes(8)} | (resources or {})
    blocks = b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)
        for number, data in held.items()
    )
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, channels, height, width, 8 * wide, mode)
    head += struct.pack(">I", 0) + struct.pack(">I", len(blocks)) + blocks + struct.pack(">I", 0)
    rows = [row.astype(row.dtype.newbyteorder(">")).tobytes() for plane in planes for row in plane]
    if not packed:
        return head + struct.pack(">H", 0) + b"".join(rows)
    literal = [_packbits(row) for row in rows]
    return head + struct.pack(">H", 1) + struct.pack(f">{len(rows)}H", *map(len, literal)) + b"".join(literal)


def _packbits(row: bytes) -> bytes:
    return b"".join(bytes((len(part) - 1,)) + part for part in (row[at : at + 128] for at in range(0, len(row), 128)))


def linear_dng(path: Path, kind: str) -> Path:
    """A linear DNG of `scene`: "words", "float32", "float16", "packed32" (without a predictor), or
    "lossy" (JPEG of bytes under a table)."""
    light = scene() * NEUTRAL
    height, width = light.shape[:2]
    more = []
    if kind == "words":
        bits, form, white, packing, body = (
            16,
            1,
            60000,
            1,
            np.rint(np.clip(light, 0, 1) * 60000).astype("<u2").tobytes(),
        )
    elif kind == "lossy":
        code = np.rint(np.clip(light, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
        body = simplejpeg.encode_jpeg(code, quality=98, colorspace="RGB", colorsubsampling="444")
        bits, form, white, packing = 8, 1, 65535, 34892
        more = [ifd.field(50712, ifd.SHORT, *(round((i / 255) ** 2.2 * 65535) for i in range(256)))]
    else:
        body = light.astype(f"<f{int(kind[-2:]) // 8}").tobytes()
        bits, form, white, packing = int(kind[-2:]), 3, 1, 1
        if kind.startswith("packed"):
            packing, body = 8, zlib.compress(body)

    def tables(at: int) -> bytes:
        sensor = [
            ifd.field(254, ifd.LONG, 0), ifd.field(256, ifd.LONG, width), ifd.field(257, ifd.LONG, height),
            ifd.field(258, ifd.SHORT, bits, bits, bits), ifd.field(259, ifd.SHORT, packing),
            ifd.field(262, ifd.SHORT, 34892), ifd.field(277, ifd.SHORT, 3), ifd.field(284, ifd.SHORT, 1),
            ifd.field(322, ifd.LONG, width), ifd.field(323, ifd.LONG, height),
            ifd.field(ifd.TILE_OFFSETS, ifd.LONG, at), ifd.field(ifd.TILE_COUNTS, ifd.LONG, len(body)),
            ifd.field(339, ifd.SHORT, form, form, form), ifd.field(50714, ifd.LONG, 0, 0, 0),
            ifd.field(50717, ifd.LONG, white, white, white), *more,
        ]  # fmt: skip
        main = made_files._first_directory(0, b"", (height, width), 1, 0.0)
        return ifd.build("<", main, below={ifd.SUB_IFDS: sensor})

    path.write_bytes(tables(len(tables(0))) + body)
    return path


def gray_profile(gamma: float) -> bytes:
    """A grey profile of one gamma."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + bytes(78),
        b"cprt": b"text\0\0\0\0free\0\0\0\0", b"wtpt": struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061),
        b"kTRC": struct.pack(">4s4xIH2x", b"curv", 1, round(gamma * 256)),
    }  # fmt: skip
    at, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4xI4s4s4s6H4s4x4x4x8xI",
        at + len(body),
        0x02100000,
        b"mntr",
        b"GRAY",
        b"XYZ ",
        2026,
        1,
        1,
        0,
        0,
        0,
        b"acsp",
        0,
    )
    head = head[:68] + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def jxl_with(stream: bytes, exif: bytes) -> bytes:
    """A JPEG XL container of a bare codestream with EXIF and XMP."""

    def box(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", 8 + len(data)) + name + data

    head = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    return head + box(b"Exif", bytes(4) + exif) + box(b"xml ", XMP) + box(b"jxlc", stream)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a Pillow picture in a format."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(samples: np.ndarray, **options: object) -> bytes:
    """The bytes of a TIFF."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **({"photometric": "rgb", "metadata": None} | options))
    return buffer.getvalue()


def every(rgb: np.ndarray | None = None) -> dict[str, Callable[[], bytes]]:
    """Makers of lossless or nearly lossless files of a picture in sRGB bytes (default: `photo`), by file name."""
    rgb = photo() if rgb is None else rgb
    picture = Image.fromarray(rgb)
    words = rgb.astype(np.uint16) * 257
    planes = np.moveaxis(rgb, -1, 0)
    exif = exif_block()
    lab = ImageCms.profileToProfile(
        picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    array = np.asarray(lab)
    return {
        "plain.jpg": lambda: write.jpeg(rgb, quality=97, exif=exif, xmp=XMP),
        "progressive.jpg": lambda: saved(picture, "JPEG", quality=97, subsampling=0, progressive=True),
        "plain.png": lambda: saved(picture, "PNG"),
        "words.png": lambda: pyvips.Image.new_from_array(words, interpretation="rgb16").write_to_buffer(".png"),
        "plain.tif": lambda: write.tiff16(words, xmp=XMP, exif=exif),
        "tiles.tif": lambda: tiff(rgb, tile=(64, 64)),
        "planes.tif": lambda: tiff(np.moveaxis(words, -1, 0), planarconfig="separate"),
        "tiles of planes.tif": lambda: tiff(planes, planarconfig="separate", tile=(32, 32)),
        "long words.tif": lambda: tiff(rgb.astype(np.uint32) * 0x1010101),
        "float.tif": lambda: tiff(linear(rgb)),
        "half float.tif": lambda: tiff(linear(rgb).astype(np.float16)),
        "big.tif": lambda: tiff(rgb, bigtiff=True),
        "motorola.tif": lambda: tiff(words, byteorder=">"),
        "deflate.tif": lambda: pyvips.Image.new_from_array(rgb).tiffsave_buffer(compression="deflate"),
        "lzw.tif": lambda: pyvips.Image.new_from_array(rgb).tiffsave_buffer(compression="lzw"),
        "lab.tif": lambda: saved(lab, "TIFF"),
        "plain.webp": lambda: saved(picture, "WEBP", lossless=True, exif=b"Exif\0\0" + exif, xmp=XMP),
        "plain.avif": lambda: saved(picture, "AVIF", quality=100, subsampling="4:4:4", exif=exif, xmp=XMP),
        "ten bits.avif": lambda: pyvips.Image.new_from_array(words, interpretation="rgb16").heifsave_buffer(
            compression="av1", bitdepth=10, lossless=True
        ),
        "plain.jxl": lambda: jxl_with(imagecodecs.jpegxl_encode(rgb, lossless=True), exif),
        "jpeg.jxl": lambda: imagecodecs.jpegxl_encode_jpeg(write.jpeg(rgb, quality=97, exif=exif)),
        "plain.psd": lambda: psd(planes, resources={1058: exif, 1060: XMP}),
        "words.psd": lambda: psd(np.moveaxis(words, -1, 0)),
        "raw.psd": lambda: psd(planes, packed=False),
        "lab.psd": lambda: psd(np.moveaxis(np.dstack((array[..., :1], array[..., 1:] ^ 128)), -1, 0), mode=9),
    }


def made_dngs(folder: Path) -> list[Path]:
    """A DNG of every kind, all of `scene`."""
    return [make_dng(folder / "mosaic.dng", baseline=0.0)] + [
        linear_dng(folder / f"{kind}.dng", kind) for kind in ("words", "float32", "float16", "lossy")
    ]


def packed_zeros(size: int) -> bytes:
    """A zlib stream of so many zeros, made without packing them all."""
    packer = zlib.compressobj(9, wbits=-15)
    megabyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, wbits=-15)
    rest = last.compress(bytes(size % (1 << 20))) + last.flush()
    return b"\x78\xda" + megabyte * (size >> 20) + rest + struct.pack(">HH", size % 65521, 1)


def bomb_png(width: int, height: int) -> bytes:
    """A black PNG that is small as a file and large as a picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = packed_zeros(height * (1 + 3 * width))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


__all__ = [
    "XMP",
    "bomb_png",
    "every",
    "gray_profile",
    "linear",
    "linear_dng",
    "made_dngs",
    "packed_zeros",
    "profiles",
    "psd",
    "saved",
    "tiff",
]
