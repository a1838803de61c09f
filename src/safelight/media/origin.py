"""Where films and sounds come from: IPTC DigitalSourceType, told in the file or beside it.

A stronger origin that an original tells is never weakened, and none is made up: footage that names no camera and says
nothing of itself may be anything.
"""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safelight import __version__
from safelight.files import write_atomic
from safelight.media import container, film_xmp, signing, xmp
from safelight.media.signing import Deed, Statement
from safelight.media.xmp import SOURCE, SOURCE_TYPE, Packet

CAPTURED = ("digitalCapture", "computationalCapture", "compositeCapture")
GENERATED = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")
JOINED = "humanEdits"  # IPTC's own example: sound with breaks taken out
COMPOSED = "compositeCapture"  # of several elements that were all captured: frames of one clip, say
ENHANCED = "algorithmicallyEnhanced"  # and for this: noise that was turned down
NOT_OURS = ("xmpMM", "xmpDM", "tiff", "exif")  # about the original's own bytes and times


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What a file that is made from `originals` says of itself: `origin`, a code of IPTC or None where it cannot be
    told; `losses`, what of the originals' XMP does not come along, in sentences."""

    originals: tuple[Path, ...]
    packet: bytes
    origin: str | None
    losses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Where it is told: in the file, or in the sidecar that is named. `notes`: that, what of the originals' papers does
    not come along, and who signed, in sentences."""

    origin: str | None
    sidecar: str | None
    notes: tuple[str, ...]


def of_cut(
    codes: Sequence[str | None], *, joined: bool, enhanced: bool = False, composed: bool = False
) -> str | None:  # fmt: skip
    """The origin of a cut from those of its originals. `joined`: something between its ranges is left out; `enhanced`:
    its sound was repaired or brought to a loudness, its colours to those of another shot, or shake was taken out;
    `composed`: parts of frames come from other frames."""
    if len(codes) == 1:
        done = (JOINED if joined else None, ENHANCED if enhanced else None, COMPOSED if composed else None)
        return _code(xmp.strongest(codes[0], *done))
    if any(code in GENERATED for code in codes):
        return GENERATED[1]
    if "compositeSynthetic" in codes:
        return "compositeSynthetic"
    return "compositeCapture" if all(code in CAPTURED for code in codes) else "composite"


def of_sound(code: str | None, *, changed: bool) -> str | None:
    """The origin of a sound from that of its original; `changed`: it was repaired or levelled."""
    return _code(xmp.strongest(code, ENHANCED if changed else None))


def said(original: Path, camera: str | None) -> str | None:
    """The origin that an original tells, in the file or beside it; captured, where it names a camera alone."""
    told = xmp.strongest(*(packet.get(SOURCE_TYPE) for packet in _packets(original, [])))
    return _code(told) or (CAPTURED[0] if camera else None)


def papers_of_cut(
    originals: Sequence[tuple[Path, str | None]], *, joined: bool, enhanced: bool = False, composed: bool = False
) -> Papers:  # fmt: skip
    """The papers of a cut of originals, given with the camera each one names."""
    named = list(dict.fromkeys(originals))
    code = of_cut([said(*one) for one in named], joined=joined, enhanced=enhanced, composed=composed)
    return _papers([p for p, _ in named], code)


def tell(
    place: Path, out: Path, papers: Papers, deeds: Sequence[Deed], *, what: str, sign: bool = True
) -> Told:  # fmt: skip
    """Puts papers into a film or sound that lies at `place` until it is whole and will be `out`, then signs it where
    the settings ask for that. A sidecar is written beside `out` where the container has no place for papers. `deeds`:
    what was done; `what`: as what losses are told, "the film" say. OSError passes through. Raises MediaError,
    UsageError where it should be signed and cannot be."""
    inside = film_xmp.put(place, papers.packet)
    sidecar = None if inside else f"{out.name}.xmp"
    if sidecar is not None:
        write_atomic(out.with_name(sidecar), papers.packet)
    where = "It" if sidecar is None else sidecar
    text = (
        f"{where} says where it comes from: {papers.origin} (IPTC DigitalSourceType)." if papers.origin else
        f"{where} does not say where it comes from: the original neither says so nor names a camera."
    )  # fmt: skip
    statement = Statement(originals=papers.originals, deeds=tuple(deeds), origin=papers.origin)
    signed = signing.sign(place, out.name, statement) if sign else signing.Signed()
    notes = (*papers.losses, text, *signed.told(papers.originals, what=what))
    return Told(origin=papers.origin, sidecar=sidecar, notes=notes)


def tell_of_sound(place: Path, out: Path, original: Path, *, how: str | None) -> tuple[str, ...]:
    """Tells it in a sound that was made from one original, lies at `place` until it is whole, and will be `out`; `how`
    it was changed, None: not at all. What was told, and what of the original's papers is lost, in sentences."""
    code = said(original, container.contents(original).camera)
    papers = _papers([original], of_sound(code, changed=how is not None))
    deed = Deed(action="enhanced", text=how) if how else Deed(action="transcoded", text="Its sound alone.")
    return tell(place, out, papers, [deed], what="this sound").notes


def tell_of_film(place: Path, out: Path, original: Path, deeds: Sequence[Deed], *, how: str) -> tuple[str, ...]:
    """The same of a film with other pixels than those of its one original; `how`: what was done, as IPTC calls it."""
    code = said(original, container.contents(original).camera)
    papers = _papers([original], _code(xmp.strongest(code, how)))
    return tell(place, out, papers, deeds, what="this film").notes


def _papers(originals: Sequence[Path], origin: str | None) -> Papers:
    losses: list[str] = []
    packet = Packet.parse(None)
    if len(originals) == 1:
        inside, *beside = _packets(originals[0], losses)
        packet = beside[0] if beside else inside
        for prefix in ("dc", "photoshop", "Iptc4xmpCore", "Iptc4xmpExt"):
            for name, value in inside.properties(prefix).items():
                if packet.get(name) is None:
                    packet.set(name, value)
        losses += [told for prefix, told in xmp.LEFT_OUT.items() if packet.strip(prefix)]
        for prefix in NOT_OURS:
            packet.strip(prefix)
        packet.set("xmpMM:PreservedFileName", _utf8(originals[0].name))
    for name in ("dc:format", "xmp:ModifyDate", "xmp:MetadataDate", xmp.PROVENANCE):
        packet.set(name, None)
    packet.set("safelight:Version", __version__)
    packet.set("safelight:Sources", [_utf8(path.name) for path in originals])
    packet.set(SOURCE_TYPE, SOURCE + origin if origin else None)
    return Papers(originals=tuple(originals), packet=packet.to_bytes(), origin=origin, losses=tuple(losses))


def _packets(original: Path, losses: list[str]) -> list[Packet]:
    """The packet inside, empty where there is none, and that of the sidecar where there is one."""
    try:
        inside = film_xmp.read(original)
    except OSError:
        inside = None
    told = [(inside, f"XMP inside {original.name}"), *((path.read_bytes(), path.name) for path in _beside(original))]
    return [xmp.parsed(data, f"{what} cannot be read; nothing of it comes along.", losses) for data, what in told]


def _beside(original: Path) -> list[Path]:
    """Its sidecar: under its whole name, or under its stem where no other file can be meant by that."""
    whole, short = original.with_name(original.name + ".xmp"), original.with_suffix(".xmp")
    if whole.is_file():
        return [whole]
    rivals = {p for p in original.parent.glob(glob.escape(original.stem) + ".*") if p.stem == original.stem}
    return [short] if short.is_file() and not rivals - {original, short} else []


def _code(value: str | None) -> str | None:
    return None if value is None else value.removeprefix(SOURCE)


def _utf8(name: str) -> str:
    return name.encode("utf-8", "replace").decode()
