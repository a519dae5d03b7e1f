"""Keys and certificates of a control plane, made anew for each start; they are worth nothing elsewhere."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = timedelta(days=30)
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority of one control plane.

    Args:
        folder: Where its certificates go.
        name: Its name and the stem of its file.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _subject(name)
        public = self._key.public_key()
        unsigned = (
            _unsigned(self._subject, issuer=self._subject, key=public)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        self.certificate = folder / f"{name}.crt"
        self.certificate.write_bytes(_pem(unsigned.sign(self._key, hashes.SHA256())))

    def issue(
        self, name: str, *, group: str = "", server_names: Sequence[str] = (), identity: str = ""
    ) -> Pair:
        """Make a certificate for a client, or for a server on this machine.

        Args:
            name: Common name: the user, or any name for a server; also the stem of its files.
            group: Group of the user.
            server_names: Names of a server, beside 127.0.0.1; none: a client.
            identity: URI of a workload in a mesh, which is client and server by it; none: not one.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
        unsigned = _unsigned(_subject(name, group), issuer=self._subject, key=key.public_key())
        if server_names:
            purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
            names: list[x509.GeneralName] = [x509.DNSName(item) for item in server_names]
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
            unsigned = unsigned.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if identity:
            purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
            uri: list[x509.GeneralName] = [x509.UniformResourceIdentifier(identity)]
            unsigned = unsigned.add_extension(x509.SubjectAlternativeName(uri), critical=True)
        unsigned = (
            unsigned.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        stem = name.replace(":", "-")
        pair = Pair(certificate=self._folder / f"{stem}.crt", key=self._folder / f"{stem}.key")
        pair.certificate.write_bytes(_pem(unsigned.sign(self._key, hashes.SHA256())))
        write_private(pair.key, key)
        return pair


def service_account_keys(folder: Path) -> Path:
    """Make the key that signs service account tokens; the API server takes only the traditional format."""
    path = folder / "service-accounts.key"
    write_private(path, ec.generate_private_key(ec.SECP256R1()))
    return path


def write_private(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a key that only its owner may read."""
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    path.touch(mode=0o600)
    path.write_bytes(content)


def _subject(name: str, group: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if group:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(parts)


def _unsigned(
    subject: x509.Name, *, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
