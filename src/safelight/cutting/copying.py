"""Pictures of a cut that are copied, packet by packet: only where every range stands by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from safelight.cutting.assembly import Assembly, Material
from safelight.media import container


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Where each piece lies among the packets of the only clip, in the order of decoding: [first, last)."""

    material: Material
    spans: tuple[tuple[int, int], ...]
    firsts: tuple[int, ...]  # the pts with which each piece begins


def copyable(made: Assembly) -> "Spans | str":
    """The packets of the pieces where they stand by themselves, or why they do not."""
    if any(cover.enabled for cover in made.covers):
        return "a cutaway lies over it"
    shown = {p.clip for p in made.pieces}
    if len(shown) != 1:
        return "it is made of several clips"
    material = made.materials[shown.pop()]
    picture = material.facts.picture
    if picture is None or material.rate != made.programme.rate or picture.rate != material.rate:
        return "its frames are counted at another rate"
    with container.opened(material.path) as source:
        rows = [
            (int(p.pts), bool(p.is_keyframe)) for p in source.demux(source.streams[picture.index]) if p.pts is not None
        ]
    order = sorted(pts for pts, _ in rows)
    ranges = made.seen_ranges
    if max(end for _, _, end in ranges) > len(order):
        return "it has fewer frames than it says"
    number = {pts: n for n, pts in enumerate(order)}
    spans, firsts = [], []
    for _, start, end in ranges:
        inside = [i for i, (pts, _) in enumerate(rows) if start <= number[pts] < end]
        alone = inside[-1] - inside[0] + 1 == len(inside) == end - start
        if not alone or not rows[inside[0]][1] or rows[inside[0]][0] != order[start]:
            return f"{picture.codec} keeps frames in groups, and a range begins or ends inside one"
        spans.append((inside[0], inside[-1] + 1))
        firsts.append(order[start])
    return Spans(material=material, spans=tuple(spans), firsts=tuple(firsts))


def packets(out: Any, source: Spans, made: Assembly) -> Iterator[tuple[Fraction, list[Any]]]:
    """Copies packets; times follow the programme. Pieces that go back in the clip are read again."""
    picture = source.material.facts.picture
    assert picture is not None
    stream: Any = None
    for (first, last), begins, part in zip(source.spans, source.firsts, made.shown, strict=True):
        with container.opened(source.material.path) as opened:
            template = opened.streams[picture.index]
            if stream is None:
                stream = out.add_stream_from_template(template)
            shift = round(part.at / made.programme.rate / picture.time_base) - begins
            number = -1
            for packet in opened.demux(template):
                if packet.pts is None:
                    continue
                number += 1
                if number < first:
                    continue
                if number >= last:
                    break
                packet.pts += shift
                packet.dts = packet.dts + shift if packet.dts is not None else packet.pts
                packet.stream = stream
                yield packet.pts * picture.time_base, [packet]
