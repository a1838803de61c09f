"""Certificates for signing, made anew for each test: an authority of its own, and what it vouches for."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("c2pa", reason="the package that signs is not installed: pip install 'safelight[credentials]'")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOR_MAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
FOR_SERVERS = ExtendedKeyUsageOID.SERVER_AUTH
PEM = serialization.Encoding.PEM


def make_chain(
    folder: Path, *, name="A Studio", days=(-1, 365), key=None, usage=FOR_MAIL, own=False, password=None
) -> tuple[Path, Path]:  # fmt: skip
    """Files of a certificate chain and of its private key. `own`: the certificate vouches for itself."""
    folder.mkdir(parents=True, exist_ok=True)
    root, secret = ec.generate_private_key(ec.SECP256R1()), key or ec.generate_private_key(ec.SECP256R1())
    issuer = _name("An Authority")
    by = (_name(name), secret) if own else (issuer, root)
    leaf = _certificate(_name(name), secret, by, days, [
        (x509.BasicConstraints(ca=False, path_length=None), True), (_usage(signs=True), True),
        (x509.ExtendedKeyUsage([usage]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(by[1].public_key()), False),
        (x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), False),
    ])  # fmt: skip
    top = _certificate(issuer, root, (issuer, root), (-2, 3650), [
        (x509.BasicConstraints(ca=True, path_length=None), True), (_usage(signs=False), True),
        (x509.SubjectKeyIdentifier.from_public_key(root.public_key()), False),
    ])  # fmt: skip
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(leaf.public_bytes(PEM) + (b"" if own else top.public_bytes(PEM)))
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private.write_bytes(secret.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))
    return chain, private


def sign_with(monkeypatch: pytest.MonkeyPatch, chain: Path, key: Path) -> None:
    """Sets a chain and a key, as a user does."""
    monkeypatch.setenv("SAFELIGHT_CERTIFICATE", os.fspath(chain))
    monkeypatch.setenv("SAFELIGHT_KEY", os.fspath(key))


def _name(common):
    parts = ((NameOID.COUNTRY_NAME, "GB"), (NameOID.ORGANIZATION_NAME, "Made"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _usage(*, signs):
    return x509.KeyUsage(
        digital_signature=signs, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=not signs, crl_sign=not signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _certificate(subject, secret, by, days, extensions):
    issuer, signer = by
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1]))
    )  # fmt: skip
    for extension, critical in extensions:
        made = made.add_extension(extension, critical=critical)
    return made.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())
