"""A grade as files that other programs open: an ASC colour decision list and a 3-D table."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from safelight.files import write_atomic
from safelight.media.effects import CDL

NAMESPACE = "urn:ASC:CDL:v1.2"
EDGE = 33  # points along each side of the table


def write_cdl(path: Path, grade: CDL, *, name: str) -> None:
    """An ASC ColorCorrection as XML. Raises ValueError for the reverse order, which the format does not have."""
    if grade.reverse:
        raise ValueError("an ASC CDL puts saturation last")
    root = ET.Element("ColorCorrection", {"id": name, "xmlns": NAMESPACE})
    sop = ET.SubElement(root, "SOPNode")
    for tag, values in (("Slope", grade.slope), ("Offset", grade.offset), ("Power", grade.power)):
        ET.SubElement(sop, tag).text = " ".join(f"{v:.6f}" for v in values)
    ET.SubElement(ET.SubElement(root, "SatNode"), "Saturation").text = f"{grade.saturation:.6f}"
    ET.indent(root)
    write_atomic(path, b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="utf-8") + b"\n")


def write_cube(path: Path, grade: CDL, *, name: str) -> None:
    """A .cube table (Adobe's Cube LUT 1.0): red runs fastest, display values from 0 to 1."""
    steps = np.linspace(0, 1, EDGE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    values = grade(np.stack([red, green, blue], -1).reshape(-1, 3))
    title = "".join(c if c.isprintable() and c != '"' else "_" for c in name)
    rows = [f'TITLE "{title}"', f"LUT_3D_SIZE {EDGE}", *(" ".join(f"{v:.6f}" for v in row) for row in values)]
    write_atomic(path, ("\n".join(rows) + "\n").encode())
