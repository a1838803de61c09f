"""Writes the lock files from `pyproject.toml`: one for running, one more for the demo, one more for development.

Each later file pins only what it adds, at versions that fit the earlier ones.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Resolves with pip's own resolver in a dry run, without installing anything."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    base = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    stages = {
        "requirements.lock": base,
        "requirements-demo.lock": extras["demo"],
        "requirements-dev.lock": [
            *extras["dev"],
            *extras["docs"],
            *extras["bench"],
            *extras["dask"],
            *extras["postgres"],
            *extras["credentials"],
        ],
    }
    pinned: dict[str, str] = {}
    for name, wanted in stages.items():
        found = resolve([*(f"{n}=={v}" for n, v in pinned.items()), *wanted])
        added = {n: v for n, v in found.items() if n not in pinned}
        pinned |= added
        head = f"# Made by tools/lock.py from pyproject.toml with Python 3.{sys.version_info.minor}.\n"
        lines = "".join(f"{n}=={v}\n" for n, v in sorted(added.items()))
        (ROOT / name).write_text(head + lines, encoding="utf-8")
        print(f"{name}: {len(added)} packages")


def resolve(wanted: list[str]) -> dict[str, str]:
    """What pip would install for these requirements, by name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        subprocess.run([*command, "--report", str(report), *wanted], check=True)
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"] for item in installs}


if __name__ == "__main__":
    main()
