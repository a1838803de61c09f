"""The job record: one page for a client, as HTML and as PDF. Everything on it comes from the delivery's manifest.

What was done by machine, what by people, what was checked and how, how much of what nobody saw can be bad at most, and
what software had a hand in it.
"""

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from safelight import plugins
from safelight.deliver import fonts
from safelight.learn.rows import POLICY
from safelight.operators import FINDING
from safelight.policy import Policy
from safelight.words import many

if TYPE_CHECKING:
    from fpdf import FPDF

HTML_NAME, PDF_NAME = "job-record.html", "job-record.pdf"
LEFT_OUT = (
    "Letters in brackets, as [U+5A5A], are Unicode numbers: no font at hand could write them. job-record.html has them."
)
TITLE, HEAD, BODY = 16, 11, 9  # points
MARGIN, LINE = 18, 4.6  # mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A heading, a line under it, and sections of sentences."""

    title: str
    under: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]


def of(made: Mapping[str, Any], rules: Policy) -> Record:
    """The record of a delivery from its manifest."""
    shoot = made["shoot"]
    client = f" for {shoot['client']}" if shoot["client"] else ""
    kind = "Draft" if made["draft"] else "Delivery"
    signed = f"Signed off by {made['signed_off_by']}." if made["signed_off_by"] else "Nobody has signed this."
    when = datetime.fromisoformat(made["made_at"]).strftime("%Y-%m-%d %H:%M UTC")
    return Record(
        title=f"{shoot['name']}{client}",
        under=f"{kind} of {many(len(made['files']), 'file')}, {when}. {signed}",
        sections=(
            ("What the machine did", tuple(_machine(made, rules))),
            ("What people did", tuple(_people(made))),
            ("What was checked, and how", tuple(_checked(made))),
            ("What nobody looked at", (made["unseen"]["text"],)),
            ("Disclosure", tuple(_disclosed(made))),
        ),
    )  # fmt: skip


def _answers(made: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """(operator, who, what) of every decision that stands on a delivered file."""
    for file in made["files"]:
        for said in file["verdicts"]:
            yield said["operator"], said["by"], said["say"]


def _named(counts: Mapping[str, int], *, most: int = 8) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in ordered[:most])
    return shown + (f" and {len(ordered) - most} more" if len(ordered) > most else "")


def _machine(made: Mapping[str, Any], rules: Policy) -> Iterable[str]:
    client = made["shoot"]["client"]
    alone, base, suggested = Counter[str](), Counter[str](), Counter[str]()
    for operator, by, say in _answers(made):
        if by.startswith(POLICY):
            (alone if rules.task(operator, client).needs_licence else base)[operator] += 1
        elif say == "approve":
            suggested[operator] += 1
    if suggested:
        yield f"Suggested, and approved by a person: {_named(suggested)}."
    yield (
        f"Done alone, as the studio's own record allows: {_named(alone)}."
        if alone
        else "Nothing was done that a person did not approve."
    )
    if base:
        yield f"Rendered as the camera showed it: {_named(base)}."


def _people(made: Mapping[str, Any]) -> Iterable[str]:
    changed, refused, who = Counter[str](), Counter[str](), set[str]()
    for operator, by, say in _answers(made):
        if by.startswith(POLICY):
            continue
        who.add(by)
        (changed if say == "modify" else refused if say == "reject" else Counter[str]())[operator] += 1
    if not who:
        yield "Nobody has answered anything."
        return
    yield f"Decided by {', '.join(sorted(who))}."
    if changed:
        yield f"Changed by hand: {_named(changed)}."
    if refused:
        yield f"Refused, so that it stayed as it was: {_named(refused)}."


def _checked(made: Mapping[str, Any]) -> Iterable[str]:
    checks = [check for file in made["files"] for check in file["checks"]]
    faults = [c for c in checks if c["unit"] in ("fault", "probability") and c["cannot_tell"] is None]
    found = [c for c in faults if c["value"] is not None and float(c["value"]) >= FINDING]
    untold = sum(c["cannot_tell"] is not None for c in checks)
    if faults:
        names = ", ".join(sorted({c["name"].replace("_", " ").replace(".", ": ") for c in faults})[:12])
        yield f"Each edit was measured on the finished pixels: {many(len(faults), 'check')} ({names})."
        yield f"{many(len(found), 'finding')}; the manifest says where." if found else "None of them found a fault."
    else:
        yield "No edit needed a check."
    if untold:
        yield f"{many(untold, 'check')} could not tell; the manifest says why."
    yield from _gate([file["gate"] for file in made["files"]])
    yield "Every file's sha256 stands in manifest.json, with the version it was made from."
    if made["failed"]:
        yield f"{many(len(made['failed']), 'original')} could not be delivered; the manifest says why."
    if made["open"]:
        yield f"{many(len(made['open']), 'original has', 'originals have')} open questions."


def _gate(found: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """What was found when the written files were opened again, and who took it on their name."""
    if not found:
        return
    clean = sum(not gate["open"] and not gate["answered"] for gate in found)
    yield (
        "Each written file was opened again and searched for what its edits could have done to it: "
        f"{clean:,} of {len(found):,} had nothing to answer."
    )
    taken = Counter(str(answer["by"]) for gate in found for answer in gate["answered"])
    if taken:
        names = ", ".join(f"{name} {count:,}" for name, count in sorted(taken.items()))
        yield f"Findings that a person looked at and took on their name: {names}."
    left = sum(bool(gate["open"]) for gate in found)
    if left:
        yield f"{many(left, 'file has', 'files have')} findings that nobody has answered; the manifest says which."


def _disclosed(made: Mapping[str, Any]) -> Iterable[str]:
    used = sorted({edit["operator"] for file in made["files"] for edit in (*file["edits"], *file["output"])})
    known = plugins.operators()
    for label in used[:10]:
        op = known.get(label.partition("@")[0])
        yield f"{label}: {op.about if op is not None else 'not installed any more.'}"
    if len(used) > 10:
        yield f"… and {len(used) - 10} more, listed in the manifest."
    if not used:
        yield "No file was changed by software but for its size and format."
    weights = made["made_with"]["weights"]
    models = f" Models at hand while it was made: {', '.join(sorted(weights))}." if weights else ""
    yield f"Made with {made['made_with']['program']}.{models} The originals are as the camera wrote them."


# ---------------------------------------------------------------- two forms of one page


def page(record: Record) -> str:
    """As HTML, without anything loaded from elsewhere; prints on one page."""
    parts = "".join(
        f"<h2>{html.escape(head)}</h2>" + "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        for head, lines in record.sections
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{html.escape(record.title)}</title>
<style>
@page {{ margin: 18mm; }}
body {{ font: 13px/1.4 system-ui, sans-serif; background: #fff; color: #1d1d1d; margin: 32px auto; max-width: 80ch; }}
h1 {{ font-size: 20px; font-weight: 600; margin: 0; }} h2 {{ font-size: 13px; font-weight: 600; margin: 20px 0 4px; }}
p {{ margin: 0 0 4px; }} h1 + p {{ color: #5c5c5c; border-bottom: 1px solid #e2e2e2; padding-bottom: 12px; }}
</style>
<h1>{html.escape(record.title)}</h1>
<p>{html.escape(record.under)}</p>
{parts}
</html>
"""


def pdf(record: Record, *, at: str) -> bytes:
    """As PDF on A4. A letter that no font here can write is written as its Unicode number, and the page says so.

    `at` is the moment of the delivery, so that the same delivery gives the same file on the same system."""
    text = [record.title, record.under, *(line for head, lines in record.sections for line in (head, *lines))]
    with TemporaryDirectory(prefix="safelight-") as folder:
        letters = {ord(letter) for line in text for letter in line if not fonts.is_unseen(letter)}
        faces = fonts.own(Path(folder), letters)
        lacking = letters - {letter for face in faces for letter in face.letters}
        more = fonts.of_system(lacking)
        try:
            return _drawn(record, [*faces, *more], at=at)
        except Exception:
            if not more:
                raise
            return _drawn(record, faces, at=at)  # a font of the system that is broken stops no delivery


def _drawn(record: Record, faces: Sequence[fonts.Face], *, at: str) -> bytes:
    from fpdf import FPDF  # late: it brings half a second of fonts, and few commands draw a page

    made = FPDF(format="A4", unit="mm")
    made.set_creation_date(datetime.fromisoformat(at))
    made.set_title(record.title.encode("utf-8", "replace").decode())
    made.set_creator("safelight")
    made.set_margins(MARGIN, MARGIN)
    made.set_auto_page_break(True, MARGIN)
    made.add_page()
    try:
        return _written(made, record, faces)
    finally:
        for font in made.fonts.values():
            getattr(font, "ttfont").close()  # noqa: B009 - not typed there


def _written(made: "FPDF", record: Record, faces: Sequence[fonts.Face]) -> bytes:
    write = _Writer(made, faces)
    write.line(record.title, size=TITLE)
    write.line(record.under, size=BODY, grey=92)
    made.line(MARGIN, made.get_y() + 1, made.w - MARGIN, made.get_y() + 1)
    for head, lines in record.sections:
        made.ln(LINE)
        write.line(head, size=HEAD)
        for text in lines:
            write.line(text, size=BODY, grey=40)
    if write.left_out:
        made.ln(LINE)
        write.line(LEFT_OUT, size=BODY, grey=92)
    return bytes(made.output())


class _Writer:
    """Lines of text in the first font, and letters that it lacks in the first of the others that has them."""

    def __init__(self, made: "FPDF", faces: Sequence[fonts.Face]) -> None:
        self.made, self.left_out = made, False
        self.known = frozenset[int]().union(*(face.letters for face in faces))
        names = [f"page{i}" for i in range(len(faces))]
        for name, face in zip(names, faces, strict=True):
            made.add_font(name, fname=face.path, collection_font_number=face.number)
        self.family = names[0]
        made.set_fallback_fonts(names[1:])

    def line(self, text: str, *, size: int, grey: int = 29) -> None:
        """Writes a paragraph."""
        shown = "".join(self._shown(letter) for letter in text)
        self.made.set_text_shaping(fonts.needs_shaping(shown), direction="ltr")  # the page is English, names may not be
        self.made.set_font(self.family, size=size)
        self.made.set_text_color(grey)
        self.made.multi_cell(0, size * 0.5, shown, new_x="LMARGIN", new_y="NEXT", align="L")

    def _shown(self, letter: str) -> str:
        if ord(letter) in self.known:
            return letter
        if fonts.is_unseen(letter):
            return ""
        self.left_out = True
        return fonts.code(letter)


__all__: Sequence[str] = ("HTML_NAME", "PDF_NAME", "Record", "of", "page", "pdf")
