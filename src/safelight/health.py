"""What works on this machine, what is missing and what to do about it; what can be set; which weights there are."""

import importlib
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from safelight import __version__, limits, plugins, weights
from safelight.errors import SafelightError
from safelight.media import formats, jxl, manifests, signing
from safelight.media.manifests import NAMED
from safelight.store import library as store

PACKAGES = {  # import name: (what it is for, remedy)
    "cv2": "pictures and faces",
    "simplejpeg": "JPEG",
    "rawpy": "camera raws",
    "lensfunpy": "known lenses",
    "pyvips": "TIFF, PNG and wide-gamut profiles",
    "PyOpenColorIO": "rendering",
    "pi_heif": "HEIC",
    "psutil": "limits of worker processes",
    "lxml": "sidecars",
    "distributed": "a Dask cluster (optional)",
}
OPTIONAL = frozenset({"distributed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Something that can be set: where it is set, what it means, what holds now."""

    name: str
    where: str
    about: str
    now: Callable[[], str]


def _library_now() -> str:
    """Where the library lies; of an address only the server and the name, without a password."""
    named = os.environ.get("SAFELIGHT_LIBRARY") or str(store.default_folder())
    return make_url(named).render_as_string(hide_password=True) if "://" in named else named


def _signature_now() -> str:
    """The files that are named; what is in the key stays there."""
    named = [os.environ.get(name) or "not set" for name in (signing.CERTIFICATE, signing.KEY)]
    return " and ".join(named) if signing.asked() else "none: nothing is signed"


SETTINGS = (
    Setting(
        name="library", where="--library DIR or SAFELIGHT_LIBRARY", about="Where the studio library lies.",
        now=_library_now,
    ),
    Setting(
        name="weights", where="SAFELIGHT_WEIGHTS", about="Where weights lie.", now=lambda: str(weights.folder()),
    ),
    Setting(
        name="policy", where="--policy FILE", about="What the machine may do alone; laid over the built-in policy.",
        now=lambda: "built in",
    ),
    Setting(
        name="cache", where="--cache DIR", about="Where .safelight goes for a shoot that is read-only.",
        now=lambda: ".safelight in the shoot's folder",
    ),
    Setting(
        name="jobs", where="--jobs N", about="Worker processes of a run.", now=lambda: str(os.cpu_count() or 1),
    ),
    Setting(
        name="memory", where="SAFELIGHT_MEMORY", about="Megabytes that one worker process may hold.",
        now=lambda: f"{limits.memory(os.cpu_count() or 1) / 1e6:.0f}",
    ),
    Setting(
        name="megapixels", where="SAFELIGHT_MEGAPIXELS", about="The largest picture that is opened.",
        now=lambda: f"{limits.megapixels():g}",
    ),
    Setting(
        name="patience", where="SAFELIGHT_PATIENCE",
        about="How many times the usual time a step of work on one file may take before it is cut off.",
        now=lambda: f"{limits.patience():g}",
    ),
    Setting(
        name="recogniser", where="SAFELIGHT_RECOGNISER", about="Who writes down speech.",
        now=lambda: os.environ.get(plugins.RECOGNISER) or plugins.recogniser_by_default(),
    ),
    Setting(
        name="signature", where="SAFELIGHT_CERTIFICATE and SAFELIGHT_KEY",
        about="A certificate chain and its private key (PEM files) with which what is rendered is signed.",
        now=_signature_now,
    ),
    Setting(name="target", where="--target N", about="Keep about so many photos.", now=lambda: "none"),
    Setting(
        name="genre", where="--genre NAME", about="What kind of shoot: what counts, how strictly.", now=lambda: "none"
    ),
    Setting(
        name="ratio", where="--ratio W:H", about="A crop of every keeper to this ratio is proposed.", now=lambda: "none"
    ),
    Setting(
        name="stakes", where="--stakes normal or --stakes high", about="High: a person sees everything in a shoot.",
        now=lambda: "normal",
    ),
    Setting(name="client", where="--client NAME", about="Whose shoot it is.", now=lambda: "nobody's"),
    Setting(
        name="people", where="safelight people on or off", about="Whether faces are said to be one person.",
        now=lambda: "kept in the library: safelight people status",
    ),
)  # fmt: skip


# ---------------------------------------------------------------- doctor


def examine(library: str | None = None) -> dict[str, Any]:
    """`safelight.doctor/1`: packages, plug-ins, weights, library, each with its state and a remedy."""
    checks = [
        *_packages(), *_formats(), *_plugins(), *_weights(), signature(), _library(library), _disk(),
    ]  # fmt: skip
    return {
        "schema": "safelight.doctor/1",
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "ok": all(c["ok"] or c["optional"] for c in checks),
        "checks": checks,
    }


def _check(name: str, *, ok: bool, about: str, remedy: str = "", optional: bool = False) -> dict[str, Any]:
    return {"name": name, "ok": ok, "about": about, "remedy": "" if ok else remedy, "optional": optional}


def _packages() -> list[dict[str, Any]]:
    found = []
    for module, purpose in PACKAGES.items():
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - a package that breaks at import is what is looked for
            remedy = (
                "pip install 'safelight[dask]'" if module in OPTIONAL else "pip install --force-reinstall safelight"
            )
            about = f"{purpose}: {error}"
            found.append(_check(module, ok=False, about=about, remedy=remedy, optional=module in OPTIONAL))
        else:
            found.append(_check(module, ok=True, about=f"{purpose}, {_version(module)}", optional=module in OPTIONAL))
    return found


def _formats() -> list[dict[str, Any]]:
    """What is opened, and on what that was tested."""
    found = []
    for known in formats.FORMATS:
        ok = known.extra != "jxl" or jxl.installed()
        about = f"{known.tested}; {' '.join(known.suffixes)}; {known.decoder}"
        remedy = f"pip install 'safelight[{known.extra}]'"
        found.append(_check(f"format {known.about}", ok=ok, about=about, remedy=remedy, optional=bool(known.extra)))
    return found


def _version(module: str) -> str:
    for name in metadata.packages_distributions().get(module, []):
        return metadata.version(name)
    return "version unknown"


def _plugins() -> list[dict[str, Any]]:
    probes, operators = plugins.probes(), plugins.operators()
    good = [
        _check("probes", ok=bool(probes), about=", ".join(probes), remedy="pip install --force-reinstall safelight"),
        _check(
            "operators",
            ok=bool(operators),
            about=", ".join(operators),
            remedy="pip install --force-reinstall safelight",
        ),
    ]
    remedy = "Install a version that fits, or remove it with pip uninstall."
    return good + [_check(f"{b.group}: {b.name}", ok=False, about=b.error, remedy=remedy) for b in plugins.broken()]


def _weights() -> list[dict[str, Any]]:
    installed = weights.installed()
    return [
        _check(
            f"weights {m.name}", ok=m.name in installed, about=m.task, optional=True,
            remedy=f"safelight models fetch {m.name}",
        )
        for m in weights.catalogue()
    ]  # fmt: skip


def signature() -> dict[str, Any]:
    """Whether what is rendered is signed, as whom and until when. Not a fault where nobody asked for it."""
    if not manifests.installed():
        return _check("signature", ok=False, about=f"{NAMED} of what is rendered", remedy=manifests.INSTALL,
                      optional=not signing.asked())  # fmt: skip
    try:
        who = signing.ready()
    except SafelightError as error:
        return _check("signature", ok=False, about=error.cause, remedy=error.remedy)
    if who is None:
        about = f"not set up: what is rendered carries no {NAMED}"
    else:
        about = f"what is rendered is signed by {who.name} ({who.algorithm}), valid until {who.until:%Y-%m-%d}"
    return _check("signature", ok=True, about=f"{about}; {manifests.reader()}", optional=True)


def _library(place: str | None) -> dict[str, Any]:
    try:
        with store.Library.open(place) as opened:
            where = str(opened.place)
    except SafelightError as error:
        return _check("library", ok=False, about=error.cause, remedy=error.remedy)
    return _check("library", ok=True, about=where)


def _disk() -> dict[str, Any]:
    place = store.default_folder()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e9
    return _check("disk", ok=free > 1, about=f"{free:.1f} GB free for the library", remedy="Make room on the disk.")


def words(found: Mapping[str, Any]) -> str:
    """The examination for a terminal."""
    lines = [f"safelight {found['version']}, Python {found['python']}"]
    for c in found["checks"]:
        state = "works  " if c["ok"] else "missing" if c["optional"] else "BROKEN "
        lines.append(f"  {state}  {c['name']}: {c['about']}")
        if c["remedy"]:
            lines.append(f"           {c['remedy']}")
    return "\n".join(lines)


# ---------------------------------------------------------------- settings and models


def settings() -> dict[str, Any]:
    """`safelight.settings/1`."""
    rows = [{"name": s.name, "where": s.where, "about": s.about, "now": s.now()} for s in SETTINGS]
    return {"schema": "safelight.settings/1", "settings": rows}


def settings_words(found: Mapping[str, Any]) -> str:
    """The settings for a terminal."""
    return "\n".join(f"{s['name']}: {s['now']}\n  {s['about']} Set it with {s['where']}." for s in found["settings"])


def models() -> dict[str, Any]:
    """`safelight.models/1`: the papers of all weights, and whether they are here."""
    installed = weights.installed()
    rows = [
        {
            "name": m.name, "task": m.task, "installed": m.name in installed, "megabytes": round(m.size / 1e6, 1),
            "from": m.requirement, "files": {f.name: f.sha256 for f in m.files},
            "licence": {"code": m.licence.code, "weights": m.licence.weights, "data": m.licence.data},
            "commercial": m.licence.commercial, "measured": m.measured,
        }
        for m in weights.catalogue()
    ]  # fmt: skip
    chosen = os.environ.get(plugins.RECOGNISER) or plugins.recogniser_by_default()
    heard = [
        {"name": r.name, "version": r.version, "languages": list(r.languages), "about": r.about,
         "weights": list(r.weights), "listens": name == chosen}
        for name, r in plugins.recognisers().items()
    ]  # fmt: skip
    return {"schema": "safelight.models/1", "folder": str(weights.folder()), "models": rows, "recognisers": heard}


def models_words(found: Mapping[str, Any]) -> str:
    """The weights for a terminal."""
    lines = [f"Weights lie in {Path(found['folder'])}."]
    for m in found["models"]:
        here = "installed" if m["installed"] else "not installed"
        lines.append(f"{m['name']} ({m['megabytes']} MB, {here}): {m['task']}")
        lines.append(f"  weights: {m['licence']['weights']}; commercial use: {m['commercial']}; from {m['from']}")
    lines.append("Who writes down speech:")
    for r in found["recognisers"]:
        mark = ", the one that listens" if r["listens"] else f", listens with {plugins.RECOGNISER}={r['name']}"
        lines.append(f"{r['name']} ({', '.join(r['languages'])}{mark}): {r['about']}")
    return "\n".join(lines)
