"""Writes the contract of the review app, docs/openapi.json, out of its routes."""

import json
import sys
from pathlib import Path
from typing import Any

from safelight.review.app import create_app
from safelight.review.desk import Desk
from safelight.review.security import Door
from safelight.store.library import Library

PLACE = Path(__file__).parent / "openapi.json"


def contract(library: Library) -> dict[str, Any]:
    """The OpenAPI schema; the library is only held, never read."""
    app = create_app(Desk(library=library, name="nobody"), Door(token="none"))  # noqa: S106 - no door is opened here
    found: dict[str, Any] = app.openapi()
    found["info"]["version"] = "1"
    return found


def text(found: dict[str, Any]) -> str:
    """The file's text."""
    return json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder, Library.open(folder) as opened:
        PLACE.write_text(text(contract(opened)), encoding="utf-8")
    sys.exit(0)
