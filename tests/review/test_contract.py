"""The contract is committed: a change of the API is seen in the change that makes it."""

import importlib.util
import json
import re
import shutil
import subprocess

import pytest

from safelight.review import shortcuts
from safelight.review.given import HERE
from tests.docs import ROOT


def test_the_committed_contract_is_what_the_routes_say(library):
    spec = importlib.util.spec_from_file_location("contract", ROOT / "docs/_contract.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))
    assert module.contract(library.store) == said, "run `python docs/_contract.py`"


def called():
    """The addresses below /api that the pages' scripts ask, with what is put in as {}."""
    for path in sorted((HERE / "static/js").rglob("*.js")):
        if "vendor" in path.parts:
            continue
        text = path.read_text("utf-8")
        below = [a or b for a, b in re.findall(r"ofShoot\((?:`([^`]+)`|\"([^\"]+)\")", text)]
        whole = [a or b for a, b in re.findall(r"(?:`(/api/[^`]+)`|\"(/api/[^\"]+)\")", text)]
        for address in [f"/api/shoots/{{}}/{a}" for a in below] + whole:
            yield re.sub(r"\$\{[^}]*\}", "{}", address).partition("?")[0]


def test_whatever_a_page_asks_is_in_the_contract(library):
    """A program can do all that a page does: the pages' scripts have no way that is not in the schema."""
    paths = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))["paths"]
    places = ("photos/{photo}", "queue/{token}")  # what scripts call a place, and put in whole
    known = {re.sub(r"\{[^}]*\}", "{}", path) for path in paths}
    known |= {path.replace(re.sub(r"\{[^}]*\}", "{}", place), "{}") for path in set(known) for place in places}
    asked = set(called())
    assert len(asked) > 20
    assert asked - known - {"/api/shoots/{}/{}", "/api/shoots/{}/queue/{}"} == set()


def test_each_key_means_one_thing_in_each_map():
    for layout in ("own", "darktable"):
        for page in {row.page for row in shortcuts.TABLE} - {"all"}:
            pages = {page, "all"} | ({"judge"} if page == "queue" else set())
            keys = [key for row in shortcuts.TABLE if row.page in pages for key in shortcuts.keys_of(row, layout)]
            assert len(keys) == len(set(keys)), (layout, page, sorted(k for k in keys if keys.count(k) > 1))


@pytest.mark.parametrize("place", ["help", "people", "tour", "queue", "shoots/{}/cull", "shoots/{}/deliver"])
def test_every_page_brings_its_keys_along(app, place):
    """Not asked for apart: a key pressed at the first thing shown would be lost if its answer were late."""
    brought = re.search("data-shortcuts='([^']*)'", app.client.get(f"/{place.format(app.shoot)}").text)
    assert json.loads(brought[1]) == json.loads(json.dumps(shortcuts.table()))


def test_the_client_code_is_type_checked():
    tsc = shutil.which("tsc")
    if tsc is None:
        pytest.skip("tsc is not installed")
    done = subprocess.run([tsc, "-p", HERE / "static/js/tsconfig.json"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
