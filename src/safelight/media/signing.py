"""Content credentials (C2PA) of what is made here: signed with a certificate and a key of the user's, or not at all.

    originals ─▶ ingredients ─┐
                              ├─▶ manifest ─▶ signed into the file ─▶ read back
    what was done ─▶ actions ─┘

Nothing here opens a socket: no authority stamps the time. The key is read where it lies, for each signature anew; it is
handed to the package that signs and to nothing else.
"""

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from safelight import __version__
from safelight.errors import MediaError, UsageError
from safelight.files import written_whole
from safelight.media import credentials, manifests, write
from safelight.media.manifests import MEDIA, NAMED
from safelight.media.xmp import SOURCE

CERTIFICATE, KEY = "SAFELIGHT_CERTIFICATE", "SAFELIGHT_KEY"
UNSET = f"Without {CERTIFICATE} and {KEY} files are written unsigned."
NO_PACKAGE = f"It is not signed: {CERTIFICATE} is set, but the package that signs is missing. {manifests.INSTALL}"
CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
PURPOSE = (
    "It must be an X.509 certificate for signatures (key usage digitalSignature; extended key usage emailProtection or "
    "documentSigning), no authority's own and signed by one, with those of its issuers behind it in the same file."
)
UNCHANGED = frozenset({"transcoded", "resized", "repackaged"})  # actions that leave what is shown as it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """As whom is signed. `until`: when the certificate ends, and with it what it has signed."""

    name: str
    until: datetime
    algorithm: str
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that was done: an action as C2PA calls it, without the prefix, and what it was in words."""

    action: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What credentials say: of which originals, what was done in order, where it comes from (a code of IPTC, None:
    cannot be told). `place`: whether originals' credentials that say where they were taken may come along."""

    originals: tuple[Path, ...]
    deeds: tuple[Deed, ...]
    origin: str | None
    place: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What came of it. `kept`: originals whose own credentials are inside; `notes`: in sentences."""

    kept: frozenset[Path] = frozenset()
    notes: tuple[str, ...] = ()

    def told(self, originals: Sequence[Path], *, what: str) -> tuple[str, ...]:
        """The notes, and the originals whose credentials are not in `what`: "the film", "the sound"."""
        return (*self.notes, *credentials.lost([p for p in originals if p not in self.kept], what=what))


# ---------------------------------------------------------------- who signs


def asked() -> bool:
    """Whether the settings ask for signatures."""
    return bool(os.environ.get(CERTIFICATE) or os.environ.get(KEY))


def identity() -> Identity | None:
    """Who signs; None where that is not set up, or the package is missing. Raises UsageError for a certificate or a key
    that cannot be used."""
    if not asked() or not manifests.installed():
        return None
    chain, key = _read(CERTIFICATE, KEY), _read(KEY, CERTIFICATE)
    return _identity(chain, key)


def ready() -> Identity | None:
    """The same, once something was signed with it and read back: before hours go into what could not be signed."""
    who = identity()
    if who is not None:
        try:
            _signed(who, BytesIO(write.encode_jpeg(np.zeros((8, 8, 3), np.uint8))), BytesIO(), "image/jpeg", _NOTHING)
        except MediaError as error:
            raise UsageError(
                f"Nothing can be signed with the certificate in {os.environ[CERTIFICATE]}: {error.cause}",
                remedy=f"{PURPOSE} {UNSET}",
            ) from error
    return who


def _read(setting: str, other: str) -> bytes:
    named = os.environ.get(setting)
    if not named:
        raise UsageError(f"{other} is set and {setting} is not.", remedy=f"Set both. {UNSET}")
    try:
        return Path(named).expanduser().read_bytes()
    except OSError as error:
        raise UsageError(
            f"{setting}: {named} cannot be read ({error.strerror}).",
            remedy=f"Name a PEM file that you may read. {UNSET}",
        ) from error


def _identity(chain: bytes, key: bytes) -> Identity:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509.oid import NameOID

    cert_file, key_file = os.environ[CERTIFICATE], os.environ[KEY]
    try:
        own = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise UsageError(
            f"{CERTIFICATE}: {cert_file} holds no certificate in PEM form.",
            remedy="Convert it: openssl x509 -inform der -in FILE -out FILE.pem",
        ) from error
    names = [*own.subject.get_attributes_for_oid(NameOID.COMMON_NAME),
             *own.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]  # fmt: skip
    name = str(names[0].value) if names else own.subject.rfc4514_string()
    now = datetime.now(UTC)
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        over = now > own.not_valid_after_utc
        day = own.not_valid_after_utc if over else own.not_valid_before_utc
        raise UsageError(
            f"The certificate of {name} in {cert_file} {'ended' if over else 'begins'} on {day:%Y-%m-%d}.",
            remedy=f"Name one that is valid today. {UNSET}",
        )
    if own.issuer == own.subject:
        raise UsageError(
            f"The certificate of {name} in {cert_file} vouches for itself, which nobody who checks it accepts.",
            remedy=f"{PURPOSE} {UNSET}",
        )
    try:
        secret = serialization.load_pem_private_key(key, None)
    except TypeError as error:
        raise UsageError(
            f"{KEY}: the key in {key_file} is locked with a password.",
            remedy="Name one without, which only you may read: openssl pkey -in FILE -out FILE.pem",
        ) from error
    except ValueError:
        raise UsageError(
            f"{KEY}: {key_file} holds no private key in PEM form.",
            remedy="Convert it: openssl pkey -in FILE -out FILE.pem",
        ) from None  # what the package says may quote it
    forms = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if secret.public_key().public_bytes(*forms) != own.public_key().public_bytes(*forms):
        raise UsageError(
            f"The key in {key_file} does not fit the first certificate in {cert_file}, that of {name}.",
            remedy="Put your own certificate first, those of its issuers behind it, and name its key.",
        )
    return Identity(name=name, until=own.not_valid_after_utc, algorithm=_algorithm(secret), chain=chain, key=key)


def _algorithm(secret: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    curve = CURVES.get(secret.curve.name) if isinstance(secret, ec.EllipticCurvePrivateKey) else None
    if curve is not None:
        return curve
    if isinstance(secret, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(secret, rsa.RSAPrivateKey):
        return "ps256"
    raise UsageError(
        f"{KEY}: content credentials are not signed with a key of this kind.",
        remedy=f"There are ECDSA on P-256, P-384 and P-521, Ed25519, and RSA from 2048 bits on. {UNSET}",
    )


# ---------------------------------------------------------------- what is signed


def sign(place: Path, name: str, statement: Statement) -> Signed:
    """Signs a finished file that lies at `place` and will be `name`, where the settings ask for it. Raises MediaError
    where it cannot be signed, UsageError as `identity` does; the file is as it was then."""
    who = identity()
    if who is None:
        return Signed(notes=(NO_PACKAGE,) if asked() else ())
    media = MEDIA.get(place.suffix.lower())
    if media is None:
        return Signed(notes=(f"It is not signed: a {place.suffix} file has no place for {NAMED}.",))
    with written_whole(place) as made, place.open("rb") as source, made.open("w+b") as target:
        return _named(name, who, source, target, media, statement)


def sign_bytes(data: bytes, name: str, statement: Statement) -> tuple[bytes, Signed]:
    """The same of a finished file in memory."""
    who = identity()
    if who is None:
        return data, Signed(notes=(NO_PACKAGE,) if asked() else ())
    target = BytesIO()
    done = _named(name, who, BytesIO(data), target, MEDIA[Path(name).suffix.lower()], statement)
    return target.getvalue(), done


def _named(name: str, who: Identity, source: Any, target: Any, media: str, statement: Statement) -> Signed:
    try:
        return _signed(who, source, target, media, statement)
    except MediaError as error:
        raise MediaError(
            f"{name} cannot be signed: {error.cause}", remedy=f"See `safelight doctor`. {UNSET}"
        ) from error


def _signed(who: Identity, source: Any, target: Any, media: str, statement: Statement) -> Signed:
    import c2pa

    inside, left = _ingredients(statement)
    try:
        info = c2pa.C2paSignerInfo(who.algorithm, who.chain, who.key, None)
        with manifests.context() as rules, closing(c2pa.Signer.from_info(info)) as signer:
            builder = c2pa.Builder(_manifest(statement, inside, media), context=rules)
            with closing(builder):
                for n, path in inside.items():
                    with path.open("rb") as original:
                        builder.add_ingredient(_ingredient(statement, n), MEDIA[path.suffix.lower()], original)
                builder.sign(signer, media, source, target)
    except c2pa.C2paError as error:
        raise MediaError(manifests.reason(error)) from error
    target.seek(0)
    found = manifests.store(target, media)
    wrong = manifests.failures(found)
    if wrong:
        raise MediaError(f"what was written does not verify: {'; '.join(wrong)}.")
    kept = frozenset(inside.values())
    return Signed(kept=kept, notes=(f"It is signed by {who.name}: {NAMED}.", *_kept(kept, found), *left))


def _manifest(statement: Statement, inside: dict[int, Path], media: str) -> dict[str, Any]:
    count = len(statement.originals)
    return {
        "claim_generator_info": [{"name": "Safelight", "version": __version__}],
        "format": media,
        "ingredients": [_ingredient(statement, n) for n in range(count) if n not in inside],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": _actions(statement)}}],
    }


def _ingredient(statement: Statement, n: int) -> dict[str, Any]:
    """The n-th original: the parent where it is the only one, a component of several."""
    path = statement.originals[n]
    media = MEDIA.get(path.suffix.lower())
    return {
        "title": path.name.encode("utf-8", "replace").decode(), "label": _label(n),
        "relationship": "parentOf" if len(statement.originals) == 1 else "componentOf",
        **({"format": media} if media else {}),
    }  # fmt: skip


def _label(n: int) -> str:
    return f"original-{n + 1}"


def _actions(statement: Statement) -> list[dict[str, Any]]:
    """What was done, as C2PA has it: one original is opened; of several something new is created, and each is placed
    in it."""
    origin = {"digitalSourceType": SOURCE + statement.origin} if statement.origin else {}
    used = [{"parameters": {"ingredientIds": [_label(n)]}} for n in range(len(statement.originals))]
    if len(used) == 1:
        begun = [{"action": "c2pa.opened", **used[0]}]
    else:
        begun = [{"action": "c2pa.created", **origin}, *({"action": "c2pa.placed", **one} for one in used)]
    done = [
        {"action": f"c2pa.{deed.action}", "description": deed.text, **({} if deed.action in UNCHANGED else origin)}
        for deed in statement.deeds
    ]
    return [*begun, *done]


def _ingredients(statement: Statement) -> tuple[dict[int, Path], list[str]]:
    """Which originals go in with their own credentials, by number, and why others do not."""
    inside, left = {}, []
    for n, path in enumerate(statement.originals):
        if not credentials.present(path) or path.suffix.lower() not in MEDIA:
            continue
        try:
            found = manifests.read(path, verify=False)
        except MediaError as error:
            left.append(f"The {NAMED} of {path.name} cannot be read: {error.cause}")
            continue
        if manifests.tells_place(found) and not statement.place:
            left.append(f"The {NAMED} of {path.name} say where it was taken, which is private: they are left out.")
            continue
        inside[n] = path
    return inside, left


def _kept(kept: frozenset[Path], found: dict[str, Any]) -> list[str]:
    """What is said of the originals' credentials that are inside; those that were broken before stay so."""
    if not kept:
        return []
    broken = [
        str(one.get("title")) for one in manifests.active(found).get("ingredients", [])
        if one.get("validation_results", {}).get("activeManifest", {}).get("failure")
    ]  # fmt: skip
    names = ", ".join(sorted(path.name for path in kept))
    worse = f" Those of {', '.join(broken)} do not verify." if broken else ""
    return [f"The {NAMED} of {names} are inside.{worse}"]


_NOTHING = Statement(originals=(), deeds=(Deed(action="edited", text="A trial."),), origin="digitalCreation")
