"""What a policy and a ledger must not take, and proof that each of their guards is noticed when it is gone."""

import json
import re

import pytest

from safelight import ledger_rows, policy
from safelight.errors import UsageError
from tests.mutants import unguarded

HEAD = 'schema = "safelight.policy/1"\n'
TASKS = ("grade",)
STUDIO = (
    "[task.exposure]\nzone = 'review'\nstrict = true\n[task.exposure.cap]\nmarks = 'human'\n"
    "[client.Ada]\nstakes = 'high'\n"
)

# What is refused: the file, and its line that is named (None where no line is to blame).
RAISED = {
    "[task.crop]\nzone = 'auto'\n": 3,
    "[task.trim]\n\nzone = 'auto'\n": 4,
    "task.trim.zone = 'auto'\n": 2,
    "[task.external]\nzone = 'review'\n": 3,
    "[default]\nzone = 'auto'\n": 3,
    "[task.grade]\nzone = 'auto'\n": 3,
    "[client.Ada.task.trim]\nzone = 'auto'\n": 3,
    "[client.'Ada & Co'.task.cull.cap]\nfaces = 'auto'\n": 3,
    "[task.cull.cap]\nfaces = 'auto'\n": 3,
    "[task.lens.cap]\n'lens.guess' = 'auto'\n": 3,
    "[task.tone]\nneeds_licence = false\n": 3,
    "[task.tone]\ngroups = []\n": 3,
    "[task.tone]\ngroups = ['lens']\n": 3,
}
OVER_STUDIO = {  # laid over STUDIO, which is stricter than what ships
    "[task.exposure]\nzone = 'auto'\n": 3,
    "[task.exposure]\nstrict = false\n": 3,
    "[task.exposure.cap]\nmarks = 'review'\n": 3,
    "[client.Ada]\nstakes = 'normal'\n": 3,
}
WRONG = {
    "[task.no_such]\nzone = 'human'\n": 2,
    "[client.A.task.no_such]\nzone = 'human'\n": 2,
    "[tasks]\n": 2,
    "[task.cull]\ncolour = 1\n": 3,
    "[client.A]\ncolour = 1\n": 3,
    "[client.A]\nstakes = 'huge'\n": 3,
    "[task.tone]\naudit = 0.01\n": 3,
    "[task.tone]\ncanary = 0\n": 3,
    "[task.tone]\ncanary = 2.5\n": 3,
    "[task.tone]\ncanary = nan\n": 3,
    "[task.tone]\ncanary = inf\n": 3,
    "[task.tone]\nzone = 'nobody'\n": 3,
    "[task.tone]\ngroups = 'skin_tone'\n": 3,
    "[task.tone]\ngroups = ['skin_tone', 3]\n": 3,
    "[task.tone]\nstrict = 1\n": 3,
    "[task.tone]\ncap = 'review'\n": 3,
    "task = 'tone'\n": 2,
    "client = 3\n": 2,
    "[client]\nA = 'high'\n": 3,
    "default = 'review'\n": 2,
    "opt_out = 'skin'\n": 2,
    "opt_out = [1]\n": 2,
    "[task.tone]\nalpha = 0.01\n[task.tone]\nalpha = 0.02\n": 4,
    "[task.tone]\nalpha = 0.01\nalpha = 0.02\n": 4,
    "[task.tone\n": 2,
} | {
    f"[task.tone]\n{rule} = {value}\n": 3
    for rule in ("alpha", "delta", "complexity", "cost", "audit", "control", "known_bad")
    for value in ("1.5", "-0.1", "nan", "'much'", "true", "[]", "{}", "2026-01-01")
} | {f"[task.tone]\n{rule} = {value}\n": 3 for rule in ("alpha", "delta") for value in ("0", "1", "1.0")}  # fmt: skip
NO_POLICY = ("", "nonsense", "schema = 3\n", 'schema = "safelight.policy/9"\n', "\x00")


def told(module, text, base):
    """What comes of a file over a policy: nothing wrong, or what is said of it."""
    try:
        module.parse(text, "mine.toml", base=base, tasks=TASKS)
    except UsageError as error:
        return error.cause, error.remedy
    except Exception as error:  # noqa: BLE001 - a crash is no refusal
        return type(error).__name__
    return None


def loaded(module, folder):
    """What comes of files that are none, a folder in the place of one and bytes that are no text; and of one that
    promises less than the studio's."""
    (folder / "bytes.toml").write_bytes(b"\xff\xfe")
    studio, less = folder / "studio.toml", folder / "less.toml"
    studio.write_text(HEAD + "[task.tone]\nalpha = 0.01\n")
    less.write_text(HEAD + "[task.tone]\nalpha = 0.02\n")
    for path in (folder, folder / "bytes.toml", less):
        try:
            yield module.load(path, studio=studio)
        except UsageError as error:
            yield error.cause, error.remedy
        except Exception as error:  # noqa: BLE001 - as above
            yield type(error).__name__


def cases():
    studio = policy.parse(HEAD + STUDIO, "studio.toml", base=policy.default())
    shipped = policy.default()
    yield from ((HEAD + text, shipped, line) for text, line in (RAISED | WRONG).items())
    yield from ((HEAD + text, studio, line) for text, line in OVER_STUDIO.items())
    yield from ((text, shipped, None) for text in NO_POLICY)
    yield HEAD + "[default]\nzone = 'review'\n", None, 2  # the first layer has to name every rule


@pytest.mark.parametrize(("text", "base", "line"), list(cases()))
def test_a_malformed_policy_is_refused_with_its_line_and_what_to_do(text, base, line):
    found = told(policy, text, base)
    assert isinstance(found, tuple), found
    cause, remedy = found
    assert remedy
    assert "mine.toml" in cause
    if line is not None:
        assert int(re.search(r"line (\d+)", cause)[1]) == line


def test_each_guard_of_a_policy_is_noticed_when_it_is_gone(tmp_path):
    wanted = [(text, base) for text, base, _ in cases()]

    def all_told(module):
        return [*(told(module, text, base) for text, base in wanted), *loaded(module, tmp_path)]

    before = all_told(policy)
    assert [line for line, mutant in unguarded(policy) if all_told(mutant) == before] == []


# ---------------------------------------------------------------- rows of a ledger

WHOLE = {
    "at": "2026-01-01T00:00:00.000+00:00", "by": "ann", "asset": "a", "shoot": "s", "operator": "tone", "version": 1,
    "verdict": "approve", "drawn": "audit", "score": 0.9, "seconds": 2.5, "bundled": 1, "material": None,
}  # fmt: skip
SPOILT = {
    "at": ["", "yesterday", "2026-13-01", None, 3], "by": ["", None, 3, "\ufffd"], "asset": ["", None],
    "shoot": ["", None], "operator": ["", None], "version": ["one", -1, 1.5, None, True],
    "verdict": ["maybe", "", None],
    "drawn": ["lot", 3], "score": ["high", "nan", "inf", True], "seconds": ["long", "-inf", True],
    "bundled": ["two", 1.5, -3], "material": ["perhaps", 7],
}  # fmt: skip
LINES = ["{", "[1, 2]", '"text"', "null", '{"at": }', "{}", "\ufffd"]


def rows():
    yield from (json.dumps(WHOLE | {name: value}) for name, values in SPOILT.items() for value in values)
    yield from LINES
    yield from (json.dumps({k: v for k, v in WHOLE.items() if k != name}) for name in ledger_rows.NEEDED)
    yield json.dumps(WHOLE)[:-30]


def read(module, path):
    try:
        found, aside = module.of_file(path)
    except UsageError as error:
        return error.cause
    except Exception as error:  # noqa: BLE001 - a crash sets nothing aside
        return type(error).__name__
    return [row.at for row in found], [(a.line, a.because) for a in aside]


def written(folder):
    """The same rows in files of each form, and files that are no ledger."""
    lines = list(rows())
    (folder / "spoilt.jsonl").write_text("\n".join([json.dumps(WHOLE), *lines, json.dumps(WHOLE)]), encoding="utf-8")
    head, whole = ",".join(WHOLE), ",".join("" if v is None else str(v) for v in WHOLE.values())
    cells = [whole.replace(",audit,", f",{bad},") for bad in ("lot", "\0", '"')] + [whole + ",more", whole[:40]]
    (folder / "spoilt.csv").write_text("\n".join([head, *cells[:2], *cells[3:], whole, cells[2]]), encoding="utf-8")
    (folder / "long.csv").write_text("\n".join([head, "x" * ((1 << 24) + 1), whole]), encoding="utf-8")
    (folder / "other.csv").write_text("name,age\nann,3\n", encoding="utf-8")
    (folder / "ledger.xls").write_bytes(b"")
    return [folder / name for name in ("spoilt.jsonl", "spoilt.csv", "long.csv", "other.csv", "ledger.xls", "gone.csv")]


def test_no_row_is_dropped_in_silence(tmp_path):
    lines, *_ = written(tmp_path)
    found, aside = read(ledger_rows, lines)
    assert len(found) + len(aside) == len(lines.read_text("utf-8").split("\n"))
    assert [line for line, _ in aside] == list(range(2, len(aside) + 2)), "all but the first and the last"
    assert all(because for _, because in aside)


def test_each_guard_of_a_ledger_is_noticed_when_it_is_gone(tmp_path):
    paths = written(tmp_path)
    before = [read(ledger_rows, path) for path in paths]
    unnoticed = [line for line, mutant in unguarded(ledger_rows) if [read(mutant, p) for p in paths] == before]
    assert unnoticed == []
