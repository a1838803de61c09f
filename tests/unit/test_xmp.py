import pytest
from lxml import etree

from safelight.errors import NotMedia
from safelight.media import credentials, xmp

LIGHTROOM = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:odd="http://example.org/odd/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmp:Rating="3" odd:thing="kept" crs:Exposure2012="+0.50">
   <xmp:Label>Red</xmp:Label>
   <dc:subject><rdf:Bag><rdf:li>bride</rdf:li><rdf:li>church</rdf:li></rdf:Bag></dc:subject>
   <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">Anna</rdf:li></rdf:Alt></dc:rights>
   <crs:MaskGroupBasedCorrections><rdf:Seq>
    <rdf:li rdf:parseType="Resource"><crs:What>Correction</crs:What></rdf:li>
   </rdf:Seq></crs:MaskGroupBasedCorrections>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def test_values_are_read_from_attributes_elements_and_lists():
    packet = xmp.Packet.parse(LIGHTROOM)
    assert packet.get("xmp:Rating") == "3"
    assert packet.get("xmp:Label") == "Red"
    assert packet.get("dc:subject") == ["bride", "church"]
    assert packet.get("dc:rights") == "Anna"
    assert packet.number("crs:Exposure2012") == 0.5
    assert packet.get("xmpDM:pick") is None
    assert packet.number("xmp:Label") is None


def test_only_what_is_set_changes():
    packet = xmp.Packet.parse(LIGHTROOM)
    packet.set("xmp:Rating", "5")
    packet.set("xmp:Label", "Green")
    packet.set("xmpDM:pick", "1")
    written = packet.to_bytes()
    again = xmp.Packet.parse(written)
    assert (again.get("xmp:Rating"), again.get("xmp:Label"), again.get("xmpDM:pick")) == ("5", "Green", "1")
    assert b"xmlns:xmpDM" in written
    for name in ("xmpDM:pick", "xmp:Rating", "xmp:Label"):
        again.set(name, None)
    original = xmp.Packet.parse(LIGHTROOM)
    for name in ("xmp:Rating", "xmp:Label"):
        original.set(name, None)
    bodies = [p.to_bytes().split(b"?>", 1)[1].rsplit(b"<?", 1)[0].strip() for p in (again, original)]
    canon = [etree.tostring(etree.fromstring(body), method="c14n2") for body in bodies]
    strip = [c.replace(b' xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/"', b"") for c in canon]
    assert strip[0] == strip[1]
    assert b"MaskGroupBasedCorrections" in strip[0]
    assert b'odd:thing="kept"' in strip[0]


def test_setting_nothing_writes_the_same_packet_again():
    once = xmp.Packet.parse(LIGHTROOM).to_bytes()
    assert xmp.Packet.parse(once).to_bytes() == once


@pytest.mark.parametrize("data", [b"garbage", b"<a/>", b"<x:xmpmeta", b"\xff\xfeg\x00a\x00r\x00"])
def test_what_is_no_xmp_is_refused(data):
    with pytest.raises(NotMedia):
        xmp.Packet.parse(data)


def test_entities_are_not_expanded(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("do not read")
    data = f"""<!DOCTYPE a [<!ENTITY e SYSTEM "file://{secret}">]>
    <rdf:RDF xmlns:rdf="{xmp.RDF}"><rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:Label>&e;</xmp:Label>
    </rdf:Description></rdf:RDF>""".encode()
    try:
        label = xmp.Packet.parse(data).get("xmp:Label")
    except NotMedia:
        return
    assert "do not read" not in str(label)


def test_utf16_and_darktable_sidecars_are_read(shared):
    for path in sorted((shared / "metadata" / "xmp").glob("*.xmp")):
        packet = xmp.Packet.parse(path.read_bytes())
        assert packet.get("xmp:CreateDate") or packet.properties("darktable"), path.name
        assert xmp.Packet.parse(packet.to_bytes()).to_bytes() == packet.to_bytes()


def test_the_strongest_origin_of_pixels_wins():
    generated = xmp.SOURCE + "trainedAlgorithmicMedia"
    assert xmp.strongest(None, xmp.SOURCE + "algorithmicallyEnhanced") == xmp.SOURCE + "algorithmicallyEnhanced"
    assert xmp.strongest(generated, xmp.SOURCE + "algorithmicallyEnhanced") == generated
    assert xmp.strongest("digitalCapture", xmp.SOURCE + "humanEdits") == xmp.SOURCE + "humanEdits"
    assert xmp.strongest(None, None) is None


def test_credentials_are_noticed(shared):
    folder = shared / "metadata" / "c2pa"
    assert credentials.present(folder / "C.jpg")
    assert credentials.present(folder / "CA.jpg")
    assert not credentials.present(folder / "A.jpg")
    sidecar = xmp.Packet.parse(None)
    sidecar.set(xmp.PROVENANCE, "self#jumbf=/c2pa/urn:uuid:0/c2pa.claim")
    packet, _ = xmp.for_delivery(folder / "C.jpg", sidecar.to_bytes(), {})
    assert len(credentials.lost([folder / "C.jpg", folder / "A.jpg"], what="the file")) == 1
    assert xmp.Packet.parse(packet).get(xmp.PROVENANCE) is None, "it would point to credentials that are not there"
