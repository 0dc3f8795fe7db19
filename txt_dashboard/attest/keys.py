"""Attestation keys: read from what people and registrars hand over, judged, and used to check a signature.

Sources: TPM 2.0 Library part 2, revision 1.38, section 8.3 (TPMA_OBJECT: only a restricted signing key refuses to
sign what looks like a TPM's structure and was not made by the TPM); RFC 7468 (PEM); RFC 5280 (X.509).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.steps import StepFinding, StepReason
from txt_dashboard.attest.tpm_public import (
    Attribute,
    Curve,
    PublicArea,
    RsaNumbers,
    parse_tpm2b_public,
)
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.attest.tpm_types import Signature, SigningAlgorithm, SigningScheme

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_SIZE_LIMIT = 64 * 1024  # bytes; a certificate with many extensions has a few thousand
_UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion)  # what cryptography raises for odd bytes
_PEM_BEGIN = b"-----BEGIN "
_DER_SEQUENCE = b"\x30"

_RSA_ALGORITHMS = (SigningAlgorithm.RSASSA, SigningAlgorithm.RSAPSS)
_EXPONENT = 65537
_RSA_BITS = range(2048, 4096 + 1)
_CURVES: dict[Curve, ec.EllipticCurve] = {Curve.P256: ec.SECP256R1(), Curve.P384: ec.SECP384R1()}
_CURVE_NAMES = frozenset(curve.name for curve in _CURVES.values())

_HASHES: dict[Bank, hashes.HashAlgorithm] = {
    Bank.SHA1: hashes.SHA1(),  # noqa: S303 - verified only where the caller allows it
    Bank.SHA256: hashes.SHA256(),
    Bank.SHA384: hashes.SHA384(),
    Bank.SHA512: hashes.SHA512(),
}
_ECDSA = {bank: ec.ECDSA(algorithm) for bank, algorithm in _HASHES.items()}
_PKCS1 = padding.PKCS1v15()
# TPMs differ in the salt's length (as long as fits, or as the hash), so it is read from the signature.
_PSS = {bank: padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO) for bank, algorithm in _HASHES.items()}

_MUST_BE_SET = {
    Attribute.RESTRICTED: "is not restricted",
    Attribute.SIGN: "does not sign",
    Attribute.FIXED_TPM: "may leave its TPM",
    Attribute.SENSITIVE_DATA_ORIGIN: "was not made inside the TPM",
}


@dataclass(frozen=True)
class AttestationKey:
    """A public key, and the TPM's description of it where there is one (`area`)."""

    public: PublicKey
    area: PublicArea | None = None
    from_certificate: bool = False

    @property
    def name(self) -> bytes | None:
        """The TPM's name of the key, nameAlg ‖ H(public area); `None` without a description."""
        return self.area.name if self.area else None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo in hex: equal for one key, however it was handed over."""
        spki = self.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(spki).hexdigest()

    @cached_property
    def findings(self) -> tuple[StepFinding, ...]:
        """What step `key` finds; never empty. A key with a failure proves nothing: don't enroll it."""
        found = [] if self.usable else [StepFinding(StepReason.KEY_KIND, {"kind": _kind(self.public)})]
        if self.area is not None:
            found.append(_judge_attributes(self.area.attributes))
        else:
            found.append(StepFinding(StepReason.KEY_UNDESCRIBED))
        if self.from_certificate:
            found.append(StepFinding(StepReason.KEY_UNCERTIFIED))
        return tuple(found)

    @cached_property
    def usable(self) -> bool:
        """Whether signatures are checked with keys of this kind and size at all."""
        if isinstance(self.public, rsa.RSAPublicKey):
            return self.public.key_size in _RSA_BITS and self.public.public_numbers().e == _EXPONENT
        return self.public.curve.name in _CURVE_NAMES

    def refutes(self, message: bytes, signature: Signature) -> StepFinding | None:
        """Why this key did not make the signature over the message; `None` where it did. Never raises."""
        if not self.usable:
            return StepFinding(StepReason.SIGNATURE_UNTRIED)
        if signature.scheme not in self._schemes:
            params = {"used": signature.scheme, "expected": self._expected}
            return StepFinding(StepReason.SIGNATURE_SCHEME, params)
        try:
            self._check(message, signature)
        except (InvalidSignature, UnsupportedAlgorithm):
            return StepFinding(StepReason.SIGNATURE_INVALID)
        return None

    @cached_property
    def _schemes(self) -> frozenset[SigningScheme]:
        """What this key can sign with: one scheme where the TPM describes the key, else all of its kind."""
        schemes = frozenset(SigningScheme(algorithm, bank) for algorithm in self._algorithms for bank in Bank)
        return schemes & {self.area.scheme} if self.area and self.area.scheme else schemes

    @property
    def _algorithms(self) -> tuple[SigningAlgorithm, ...]:
        return _RSA_ALGORITHMS if isinstance(self.public, rsa.RSAPublicKey) else (SigningAlgorithm.ECDSA,)

    @property
    def _expected(self) -> str:
        described = self.area.scheme if self.area else None
        return str(described) if described else " or ".join(algorithm.name for algorithm in self._algorithms)

    @cached_property
    def _check(self) -> Callable[[bytes, Signature], None]:
        if isinstance(self.public, rsa.RSAPublicKey):
            return partial(_check_rsa, self.public)
        return partial(_check_ecdsa, self.public)


def _check_rsa(public: rsa.RSAPublicKey, message: bytes, signature: Signature) -> None:
    algorithm, bank = signature.scheme
    padded = _PSS[bank] if algorithm is SigningAlgorithm.RSAPSS else _PKCS1
    public.verify(signature.values[0], message, padded, _HASHES[bank])


def _check_ecdsa(public: ec.EllipticCurvePublicKey, message: bytes, signature: Signature) -> None:
    r, s = signature.values
    encoded = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    public.verify(encoded, message, _ECDSA[signature.scheme.hash])


def load_key(data: bytes) -> AttestationKey:
    """A key from TPM2B_PUBLIC, or from PEM or DER of a public key or a certificate; raises `FormatError`.

    Of a certificate only the key is taken: its issuer and its dates are not checked. Keys of kinds
    that we don't accept load, so that their `findings` can say so.
    """
    if len(data) > _SIZE_LIMIT:
        raise FormatError(f"a key of {len(data)} bytes, {_SIZE_LIMIT} are allowed")
    text = data.strip()
    if text.startswith(_PEM_BEGIN):
        return _load_pem(text)
    # A TPM2B_PUBLIC begins with its size, which is far below the 0x30.. that opens every DER key.
    if data.startswith(_DER_SEQUENCE):
        return _load_der(data)
    return _load_area(parse_tpm2b_public(data))


def _load_pem(text: bytes) -> AttestationKey:
    if text.count(_PEM_BEGIN) != 1:
        raise FormatError("the PEM file holds more than one entry, so which key is meant is open")
    certified = text.startswith(_PEM_BEGIN + b"CERTIFICATE-----")
    try:
        public = x509.load_pem_x509_certificate(text).public_key() if certified else load_pem_public_key(text)
    except _UNREADABLE as error:
        raise FormatError(f"no key can be read from this PEM: {error}") from None
    return AttestationKey(_supported(public), from_certificate=certified)


def _load_der(data: bytes) -> AttestationKey:
    try:
        public = load_der_public_key(data)
    except _UNREADABLE:
        return AttestationKey(_supported(_certified(data)), from_certificate=True)
    return AttestationKey(_supported(public))


def _certified(data: bytes) -> PublicKeyTypes:
    try:
        return x509.load_der_x509_certificate(data).public_key()
    except _UNREADABLE as error:
        raise FormatError(f"no key and no certificate can be read from this DER: {error}") from None


def _load_area(area: PublicArea) -> AttestationKey:
    try:
        return AttestationKey(_numbers(area).public_key(), area)
    except _UNREADABLE as error:
        raise FormatError(f"the TPM2B_PUBLIC describes no key: {error}") from None


def _numbers(area: PublicArea) -> rsa.RSAPublicNumbers | ec.EllipticCurvePublicNumbers:
    public = area.public
    if isinstance(public, RsaNumbers):
        return rsa.RSAPublicNumbers(public.exponent, public.modulus)
    return ec.EllipticCurvePublicNumbers(public.x, public.y, _CURVES[public.curve])


def _supported(public: PublicKeyTypes) -> PublicKey:
    if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise FormatError("the key is neither RSA nor ECDSA")
    return public


def _kind(public: PublicKey) -> str:
    if isinstance(public, rsa.RSAPublicKey):
        return f"RSA of {public.key_size} bits with exponent {public.public_numbers().e}"
    return f"The curve {public.curve.name}"


def _judge_attributes(attributes: int) -> StepFinding:
    flaws = [flaw for attribute, flaw in _MUST_BE_SET.items() if not attributes & attribute]
    if attributes & Attribute.DECRYPT:
        flaws.append("may decrypt")
    if flaws:
        return StepFinding(StepReason.KEY_ATTRIBUTES, {"flaws": ", ".join(flaws)})
    return StepFinding(StepReason.KEY_SOUND)
