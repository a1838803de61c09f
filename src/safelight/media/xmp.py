"""XMP packets: read a property wherever it stands, change only what is ours, leave everything else as it was.

RDF lets a simple value stand as an attribute or as an element, and a list as Bag, Seq or Alt; both forms are accepted
and an existing property keeps its form (XMP specification part 1, ISO 16684-1). Unknown namespaces, `darktable:*`
histories and `crs:*` masks pass through.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from safelight.errors import MediaError, NotMedia
from safelight.media import capture, xmp_tracks

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
OURS = "urn:safelight:1.0"
NAMESPACES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpDM": "http://ns.adobe.com/xmp/1.0/DynamicMedia/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "darktable": "http://darktable.sf.net/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "dcterms": "http://purl.org/dc/terms/",
    "safelight": OURS,
}
BEGIN = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
END = b'\n<?xpacket end="w"?>'
EMPTY = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
    '<rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
)
ITEM = f"{{{RDF}}}li"
LISTS = tuple(f"{{{RDF}}}{kind}" for kind in ("Bag", "Seq", "Alt"))
LEFT_OUT = {  # namespaces that a delivered file does not carry, and what is said about it
    "crs": "Develop settings of Lightroom or Camera Raw are left out: they are about the original, not these pixels.",
    "darktable": "darktable's edit history is left out: it is about the original, not these pixels.",
    "mwg-rs": "Regions with people's names are left out: they are personal, and a crop would move them.",
}
PROVENANCE = "dcterms:provenance"  # points to a claim among the credentials, which stay with the original
SOURCE_TYPE = "Iptc4xmpExt:DigitalSourceType"
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
STRONGER = (  # origin of pixels, from strongest: one value a file, the strongest wins (IPTC NewsCodes)
    "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "composite",
    "compositeCapture", "humanEdits", "algorithmicallyEnhanced", "computationalCapture", "digitalCapture",
)  # fmt: skip


class Packet:
    """An XMP packet. Properties are named `xmp:Rating`; simple values are text, lists are lists of text."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree

    @classmethod
    def parse(cls, data: bytes | None) -> "Packet":
        """A packet from bytes (UTF-8 or UTF-16), or an empty one. Raises NotMedia for anything but XMP."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
        if not data or not data.strip(b"\0 \r\n\t"):
            return cls(etree.ElementTree(etree.fromstring(EMPTY, parser)))
        try:
            root = etree.fromstring(_plain(data), parser)
        except (etree.XMLSyntaxError, UnicodeError, ValueError) as error:
            raise NotMedia(f"The sidecar is not XMP ({error}).", remedy="Have its program write it again.") from error
        packet = cls(etree.ElementTree(root))
        if not packet._descriptions():
            raise NotMedia("The sidecar holds no rdf:Description.", remedy="Have its program write it again.")
        return packet

    def get(self, name: str) -> str | list[str] | None:
        """The value of a property; of an Alt the first. None where it is not there."""
        found = self._find(name)
        if found is None:
            return None
        holder, element = found
        if element is None:
            return str(holder.get(_qualified(name)))
        for child in element:
            if child.tag in LISTS:
                items = [item.text or "" for item in child.iterfind(ITEM)]
                return (items[0] if items else "") if child.tag == LISTS[2] else items
        return element.text or ""

    def number(self, name: str) -> float | None:
        """A numeric property; Adobe's `+0.50` is understood, text that is no number is None."""
        value = self.get(name)
        try:
            return float(value) if isinstance(value, str) and value.strip() else None
        except ValueError:
            return None

    def set(self, name: str, value: str | Sequence[str] | None) -> None:
        """Gives a property a value (None takes it away); an existing one keeps its place and form."""
        found = self._find(name)
        if value is None:
            if found is not None:
                holder, element = found
                if element is None:
                    del holder.attrib[_qualified(name)]
                else:
                    holder.remove(element)
            return
        if not isinstance(value, str):
            self._set_list(name, list(value), found)
        elif found is None:
            self._declare(name)
            self._descriptions()[0].set(_qualified(name), value)
        elif found[1] is None:
            found[0].set(_qualified(name), value)
        else:
            self._set_text(found[1], value)

    def strip(self, prefix: str) -> bool:
        """Takes away every property of a namespace; whether there were any."""
        space = f"{{{NAMESPACES[prefix]}}}"
        count = 0
        for description in self._descriptions():
            for key in [k for k in description.attrib if k.startswith(space)]:
                del description.attrib[key]
                count += 1
            for child in [c for c in description if isinstance(c.tag, str) and c.tag.startswith(space)]:
                description.remove(child)
                count += 1
        return bool(count)

    def properties(self, prefix: str) -> dict[str, str | list[str]]:
        """All properties of a namespace by their full names; structures are left out."""
        space = f"{{{NAMESPACES[prefix]}}}"
        names = set()
        for description in self._descriptions():
            names |= {k for k in description.attrib if k.startswith(space)}
            names |= {c.tag for c in description if isinstance(c.tag, str) and c.tag.startswith(space)}
        full = (f"{prefix}:{name.removeprefix(space)}" for name in sorted(names))
        return {name: value for name in full if (value := self.get(name)) is not None}

    def tracks(self) -> list[xmp_tracks.Track]:
        """Its tracks of markers."""
        found = [element for d in self._descriptions() for element in d.iterfind(xmp_tracks.TRACKS)]
        return [track for element in found for track in xmp_tracks.read(element)]

    def set_track(self, track: xmp_tracks.Track) -> None:
        """Gives it a track of markers, in place of the one of that name; others stay."""
        self._declare("xmpDM:Tracks")
        found = next((e for d in self._descriptions() for e in d.iterfind(xmp_tracks.TRACKS)), None)
        if found is None:
            found = etree.SubElement(self._descriptions()[0], xmp_tracks.TRACKS)
        xmp_tracks.put(found, track)

    def to_bytes(self) -> bytes:
        """The packet in its wrapper, UTF-8."""
        body = etree.tostring(self._tree.getroot(), encoding="utf-8")
        return BEGIN + body + END

    # ------------------------------------------------------------ where things stand

    def _descriptions(self) -> list[Any]:
        root = self._tree.getroot()
        holder = root if root.tag == f"{{{RDF}}}RDF" else root.find(f"{{{RDF}}}RDF")
        return [] if holder is None else list(holder.iterfind(f"{{{RDF}}}Description"))

    def _find(self, name: str) -> tuple[Any, Any] | None:
        """(description, element), with None as element where the property is an attribute."""
        key = _qualified(name)
        for description in self._descriptions():
            if key in description.attrib:
                return description, None
            element = description.find(key)
            if element is not None:
                return description, element
        return None

    def _declare(self, name: str) -> None:
        """Makes sure that our usual prefix stands for the namespace; lxml would invent ns0."""
        prefix = name.partition(":")[0]
        etree.register_namespace(prefix, NAMESPACES[prefix])

    def _set_text(self, element: Any, value: str) -> None:
        for child in element:
            if child.tag in LISTS:
                item = child.find(ITEM)
                if item is None:
                    item = etree.SubElement(child, ITEM)
                item.text = value
                return
        element.text = value

    def _set_list(self, name: str, values: list[str], found: tuple[Any, Any] | None) -> None:
        self._declare(name)
        if found is not None and found[1] is None:
            del found[0].attrib[_qualified(name)]
            found = None
        element = found[1] if found else etree.SubElement(self._descriptions()[0], _qualified(name))
        holder = next((child for child in element if child.tag in LISTS), None)
        if holder is None:
            element.text = None
            holder = etree.SubElement(element, LISTS[0])
        for item in list(holder.iterfind(ITEM)):
            holder.remove(item)
        for value in values:
            etree.SubElement(holder, ITEM).text = value


def _qualified(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def _plain(data: bytes) -> bytes:
    """The XML without byte-order mark, wrapper and padding, as UTF-8."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    start, end = data.find(b"<x:xmpmeta"), data.rfind(b"</x:xmpmeta>")
    if start >= 0 and end > start:
        return data[start : end + len(b"</x:xmpmeta>")]
    start, end = data.find(b"<rdf:RDF"), data.rfind(b"</rdf:RDF>")
    if start >= 0 and end > start:
        return data[start : end + len(b"</rdf:RDF>")]
    return data.strip(b"\0 \r\n\t")


# ---------------------------------------------------------------- embedded packets, and those of deliveries


def embedded(path: Path) -> bytes | None:
    """The XMP packet inside a file; None where there is none or it cannot be read."""
    try:
        return capture.packet(path)
    except MediaError:
        return None


def for_delivery(original: Path, sidecar: bytes | None, says: Mapping[str, Any]) -> tuple[bytes, tuple[str, ...]]:
    """The packet of a delivered file, and what of the original's could not be kept, in sentences.

    What the original's packet and its sidecar say is carried over, the sidecar being newer; develop settings are not,
    for they are in the pixels now; a stronger origin of the pixels stays."""
    losses: list[str] = []
    inside = parsed(embedded(original), "The original's XMP cannot be read and is not in the delivered file.", losses)
    packet = inside
    if sidecar:
        packet = parsed(sidecar, "The original's sidecar cannot be read and is not in the delivered file.", losses)
        for prefix in ("dc", "photoshop", "Iptc4xmpCore", "Iptc4xmpExt"):
            for name, value in inside.properties(prefix).items():
                if packet.get(name) is None:
                    packet.set(name, value)
    origin = strongest(inside.get(SOURCE_TYPE), packet.get(SOURCE_TYPE), says.get(SOURCE_TYPE))
    losses += [told for prefix, told in LEFT_OUT.items() if packet.strip(prefix)]
    for name in ("tiff:Orientation", "tiff:ImageWidth", "tiff:ImageLength", PROVENANCE):
        packet.set(name, None)
    for name, value in says.items():
        packet.set(name, value)
    packet.set(SOURCE_TYPE, origin)
    packet.set("xmpMM:PreservedFileName", original.name.encode("utf-8", "replace").decode())
    return packet.to_bytes(), tuple(losses)


def parsed(data: bytes | None, loss: str, losses: list[str]) -> Packet:
    """A packet; an empty one where it cannot be read, which is a loss, told so, and no reason to hold anything back."""
    try:
        return Packet.parse(data)
    except NotMedia:
        losses.append(loss)
        return Packet.parse(None)


def strongest(*values: Any) -> str | None:
    """The strongest origin of pixels among several values; values that are not in the list win, as they are newer."""
    codes = [str(v).removeprefix(SOURCE).removeprefix(SOURCE.replace("http:", "https:")) for v in values if v]
    if not codes:
        return None
    best = min(codes, key=lambda code: STRONGER.index(code) if code in STRONGER else -1)
    return SOURCE + best
