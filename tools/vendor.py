"""Brings Lit into the review app's static files, out of its npm packages: python tools/vendor.py.

Import specifiers are made relative, because the browser finds modules by path here; nothing else is changed. The
digests in `pins.json` are checked by a test, so that what lies there is what was brought in.
"""

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/safelight/review/static/js/vendor"
PACKAGES = {
    "lit-html@3.3.3": (
        "lit-html.js", "directive.js", "directive-helpers.js", "directives/repeat.js", "LICENSE",
    ),
    "lit-element@4.2.2": ("lit-element.js",),
    "@lit/reactive-element@2.1.2": ("reactive-element.js", "css-tag.js"),
}  # fmt: skip
RELATIVE = {'"@lit/reactive-element"': '"./reactive-element.js"', '"lit-html"': '"./lit-html.js"'}


def main() -> int:
    """Fetches the packages with npm, writes the files and their digests."""
    pins = {}
    for package, names in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True)  # noqa: S607
            (archive,) = Path(folder).glob("*.tgz")
            with tarfile.open(archive) as packed:
                for name in names:
                    source = packed.extractfile(f"package/{name}")
                    assert source is not None
                    path = TARGET / "lit" / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(relative(source.read().decode()).encode())
                    pins[f"lit/{name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (TARGET / "pins.json").write_text(json.dumps({"packages": list(PACKAGES), "sha256": pins}, indent=1) + "\n")
    return 0


def relative(source: str) -> str:
    """A module whose imports are paths, without the name of a source map that is not there."""
    for name, path in RELATIVE.items():
        source = source.replace(name, path)
    return re.sub(r"\n?//# sourceMappingURL=.*\n?", "\n", source)


if __name__ == "__main__":
    sys.exit(main())
