"""Tracks of markers in an XMP packet: `xmpDM:Tracks`, a bag of structures.

RDF lets the fields of a structure stand as attributes or elements, in a node or under `rdf:parseType="Resource"`; all
are read (XMP specification part 1, ISO 16684-1, 7.9). Ours are written as Premiere writes them.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from lxml import etree

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DM = "http://ns.adobe.com/xmp/1.0/DynamicMedia/"
TRACKS = f"{{{DM}}}Tracks"
_ITEM, _NODE = f"{{{RDF}}}li", f"{{{RDF}}}Description"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """`start` and `duration` count at the rate of the track. `probability` 0..1 or None."""

    start: int
    duration: int
    name: str
    comment: str
    probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Markers under one name; `rate` counts a second."""

    name: str
    kind: str
    rate: Fraction
    markers: tuple[Marker, ...]


def read(element: Any) -> list[Track]:
    """The tracks of an `xmpDM:Tracks` element. Markers whose times are no whole numbers are left out."""
    found = []
    for track in _items(element):
        markers = [m for m in (_marker(one) for one in _items(_child(track, "markers"))) if m is not None]
        rate = _rate(_text(track, "frameRate"))
        found.append(Track(
            name=_text(track, "trackName"), kind=_text(track, "trackType"), rate=rate, markers=tuple(markers)
        ))  # fmt: skip
    return found


def put(element: Any, track: Track) -> None:
    """Puts a track among others, in place of the one of its name."""
    bag = next((c for c in element if c.tag in (f"{{{RDF}}}Bag", f"{{{RDF}}}Seq", f"{{{RDF}}}Alt")), None)
    if bag is None:
        bag = etree.SubElement(element, f"{{{RDF}}}Bag")
    for item in [i for i in bag.iterfind(_ITEM) if _text(_struct(i), "trackName") == track.name]:
        bag.remove(item)
    whole = track.rate.denominator == 1
    rate = f"f{track.rate.numerator}" + ("" if whole else f"s{track.rate.denominator}")
    node = _node(bag, {"trackName": track.name, "trackType": track.kind, "frameRate": rate})
    seq = etree.SubElement(etree.SubElement(node, f"{{{DM}}}markers"), f"{{{RDF}}}Seq")
    for m in track.markers:
        said = {
            "startTime": str(m.start), "duration": str(m.duration), "name": m.name, "comment": m.comment,
            "type": track.kind,
        }  # fmt: skip
        _node(seq, said | ({} if m.probability is None else {"probability": f"{m.probability:g}"}))


def _node(holder: Any, fields: dict[str, str]) -> Any:
    node = etree.SubElement(etree.SubElement(holder, _ITEM), _NODE)
    for name, value in fields.items():
        node.set(f"{{{DM}}}{name}", printable(value))
    return node


def printable(text: str) -> str:
    """A text as it can be kept: without what XML cannot hold, white space as single blanks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _items(element: Any) -> list[Any]:
    if element is None:
        return []
    return [_struct(item) for holder in element for item in holder.iterfind(_ITEM)]


def _struct(item: Any) -> Any:
    """The node that holds the fields of a structure."""
    inner = item.find(_NODE)
    return item if inner is None else inner


def _child(node: Any, name: str) -> Any:
    return node.find(f"{{{DM}}}{name}")


def _text(node: Any, name: str) -> str:
    element = _child(node, name)
    return str(node.get(f"{{{DM}}}{name}") or (element.text if element is not None else "") or "")


def _rate(text: str) -> Fraction:
    """`f30000s1001`, `f25`; without one times are seconds."""
    number, _, base = text.removeprefix("f").partition("s")
    try:
        return Fraction(int(number), int(base or 1))
    except (ValueError, ZeroDivisionError):
        return Fraction(1)


def _marker(node: Any) -> Marker | None:
    chance = _text(node, "probability")
    try:
        return Marker(
            start=int(_text(node, "startTime") or 0), duration=int(_text(node, "duration") or 0),
            name=_text(node, "name"), comment=_text(node, "comment"), probability=float(chance) if chance else None,
        )  # fmt: skip
    except ValueError:
        return None
