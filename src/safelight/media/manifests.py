"""Manifests of content credentials (C2PA) as they are read: whether they verify, who signed, what they tell.

Reading needs the package of `safelight[credentials]`. It is told to stay off the network: nothing is fetched that lies
elsewhere, no revocation is asked for. Whether a signer can be trusted is not judged, since nobody here keeps a list.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import Any

from safelight.errors import MediaError
from safelight.media import credentials

PACKAGE = "c2pa-python"
INSTALL = "pip install 'safelight[credentials]'"
NAMED = "content credentials (C2PA)"
SETTINGS: dict[str, Any] = {
    "version": 1,
    "verify": {
        "verify_trust": False, "verify_after_sign": False, "ocsp_fetch": False, "remote_manifest_fetch": False,
    },
    "core": {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 64},
    "builder": {"thumbnail": {"enabled": False}},  # a small picture of what the client may not have got
}  # fmt: skip
MEDIA = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".m4a": "audio/mp4", ".mov": "video/quicktime", ".wav": "audio/wav",
    ".flac": "audio/flac", ".mp3": "audio/mpeg", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".tif": "image/tiff",
    ".tiff": "image/tiff", ".dng": "image/dng", ".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif",
    ".png": "image/png", ".webp": "image/webp", ".avi": "video/avi", ".jxl": "image/jxl", ".gif": "image/gif",
    ".nef": "image/x-nikon-nef", ".arw": "image/x-sony-arw",
}  # fmt: skip
CHANGED = "the file was changed after it was signed"
FAILURES = {  # beginnings of C2PA's codes, and what is said of them
    "assertion.dataHash": CHANGED, "assertion.bmffHash": CHANGED, "assertion.boxesHash": CHANGED,
    "assertion.hashedURI": "what it says was changed after it was signed",
    "claimSignature": "the signature does not fit", "signingCredential.expired": "the certificate had ended",
    "signingCredential.invalid": "the certificate is none for this purpose",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of a file's credentials: `verifies`, None where nobody here can tell; `by`, as whom they are
    signed; `text`, a sentence."""

    verifies: bool | None
    by: str | None
    text: str

    def as_json(self) -> dict[str, Any]:
        """As fields."""
        return {"verifies": self.verifies, "signed_by": self.by, "text": self.text}


@cache
def installed() -> bool:
    """Whether the package is here."""
    return util.find_spec("c2pa") is not None and util.find_spec("cryptography") is not None


def reader() -> str:
    """By what credentials are read, with its version; empty where the package is missing."""
    return f"{PACKAGE} {metadata.version(PACKAGE)}" if installed() else ""


def told(path: Path) -> Told | None:
    """What a file's credentials are worth; None where it carries none."""
    if not credentials.present(path):
        return None
    if not installed():
        text = f"It carries {NAMED}; whether they verify cannot be told here. Needed: {INSTALL}"
        return Told(verifies=None, by=None, text=text)
    try:
        found = read(path)
    except MediaError as error:
        return Told(verifies=False, by=None, text=f"It carries {NAMED} that cannot be read: {error.cause}")
    by, at = signer(found)
    who = f"signed by {by or 'somebody without a name'}{f' on {at[:10]}' if at else ''}"
    wrong = failures(found)
    if wrong:
        return Told(verifies=False, by=by, text=f"Its {NAMED}, {who}, do not verify: {'; '.join(wrong)}.")
    text = f"Its {NAMED} verify: {who}. Whether that name can be trusted is not asked."
    return Told(verifies=True, by=by, text=text)


def read(path: Path, *, verify: bool = True) -> dict[str, Any]:
    """The manifest store of a file as the package tells it; `verify`: with what came of every check, for which all of
    the file is read. Raises MediaError where it cannot be read or holds none."""
    with path.open("rb") as file:
        return store(file, MEDIA.get(path.suffix.lower()), verify=verify)


def store(file: Any, media: str | None, *, verify: bool = True) -> dict[str, Any]:
    """The same of an open file; `media`: its type, None to have it guessed."""
    import c2pa

    try:
        with context(verify_after_reading=verify) as rules, c2pa.Reader(media, file, context=rules) as found:
            document = json.loads(found.json())
            return {**document, "state": found.get_validation_state()}
    except c2pa.C2paError as error:
        raise MediaError(reason(error)) from error


def context(**verify: bool) -> Any:
    """How the package works here: without a network."""
    import c2pa

    return c2pa.Context.from_dict({**SETTINGS, "verify": {**SETTINGS["verify"], **verify}})


def reason(error: Exception) -> str:
    """What the package says, as a sentence."""
    told_of = str(error).split("\n")[0].strip().rstrip(".")
    return f"{told_of}."


def signer(found: dict[str, Any]) -> tuple[str | None, str | None]:
    """As whom a store's newest manifest is signed, and when a third party saw it, where one did."""
    said = active(found).get("signature_info", {})
    return said.get("common_name") or said.get("issuer"), said.get("time")


def active(found: dict[str, Any]) -> dict[str, Any]:
    """The newest manifest of a store."""
    manifests = found.get("manifests", {})
    return dict(manifests.get(found.get("active_manifest"), {}))


def failures(found: dict[str, Any]) -> list[str]:
    """What is wrong with the newest manifest of a store, in words; nothing where it verifies."""
    wrong = found.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    told_of = [_failure(one) for one in wrong]
    if not told_of and found.get("state") == "Invalid":
        told_of = [_failure(one) for one in found.get("validation_status", [])] or ["the package does not say why"]
    return list(dict.fromkeys(told_of))


def _failure(one: dict[str, Any]) -> str:
    code = str(one.get("code", ""))
    known = next((text for begin, text in FAILURES.items() if code.startswith(begin)), None)
    return known or f"{one.get('explanation') or 'it is not said why'} ({code})"


def tells_place(found: dict[str, Any]) -> bool:
    """Whether any manifest of a store says where something was taken."""
    words = ("gps", "latitude", "longitude", "locationcreated", "locationshown")
    return any(any(word in key.lower() for word in words) for key in _keys(found.get("manifests", {})))


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
