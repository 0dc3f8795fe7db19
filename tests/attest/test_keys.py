"""Keys: the same key in every form, the attributes an attestation key must have, and no error but ours."""

import hashlib
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.attest.forge import ECDSA, SOUND, Forge, ec_key, rsa_key
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.steps import Outcome, StepReason
from txt_dashboard.attest.tpm_reader import FormatError

FORGES = [Forge.rsa(), Forge.rsa(3072), Forge.rsa(4096), Forge.p256(), Forge(ec_key(ec.SECP384R1), ECDSA, "sha384")]
SPKI = PublicFormat.SubjectPublicKeyInfo


def certificate(private, encoding: Encoding) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ak")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, private.public_key(), 7, start, start + timedelta(days=1))
    return builder.sign(private, hashes.SHA256()).public_bytes(encoding)


def reasons(data: bytes) -> list[StepReason]:
    return [finding.reason for finding in load_key(data).findings]


@pytest.mark.parametrize("forge", FORGES)
def test_one_key_is_the_same_in_every_form(forge: Forge) -> None:
    public = forge.private.public_key()
    forms = [
        forge.area,
        public.public_bytes(Encoding.PEM, SPKI),
        b"\n" + public.public_bytes(Encoding.PEM, SPKI) + b"\n\n",
        public.public_bytes(Encoding.DER, SPKI),
        certificate(forge.private, Encoding.PEM),
        certificate(forge.private, Encoding.DER),
    ]
    keys = [load_key(form) for form in forms]
    assert {key.fingerprint for key in keys} == {hashlib.sha256(public.public_bytes(Encoding.DER, SPKI)).hexdigest()}
    assert all(key.refutes(forge.message, forge.parsed_signature()) is None for key in keys)


def test_the_name_is_the_algorithm_and_the_hash_of_the_public_area() -> None:
    area = Forge.rsa().area
    assert load_key(area).name == b"\x00\x0b" + hashlib.sha256(area[2:]).digest()
    assert load_key(Forge.rsa().private.public_key().public_bytes(Encoding.PEM, SPKI)).name is None


def test_a_described_key_is_sound() -> None:
    assert reasons(Forge.rsa().area) == [StepReason.KEY_SOUND]


@pytest.mark.parametrize(
    ("attributes", "flaw"),
    [
        (SOUND & ~(1 << 16), "not restricted"),
        (SOUND & ~(1 << 18), "does not sign"),
        (SOUND & ~(1 << 1), "may leave its TPM"),
        (SOUND & ~(1 << 5), "not made inside"),
        (SOUND | 1 << 17, "may decrypt"),
    ],
)
def test_each_attribute_counts(attributes: int, flaw: str) -> None:
    (finding,) = load_key(Forge.rsa().but(attributes=attributes).area).findings
    assert finding.reason is StepReason.KEY_ATTRIBUTES
    assert flaw in str(finding)


def test_other_attributes_don_t_count() -> None:
    assert reasons(Forge.rsa().but(attributes=SOUND | 1 << 10 | 1 << 2).area) == [StepReason.KEY_SOUND]


def test_a_key_without_description_is_a_warning() -> None:
    assert reasons(rsa_key().public_key().public_bytes(Encoding.PEM, SPKI)) == [StepReason.KEY_UNDESCRIBED]


def test_a_certificate_is_taken_for_its_key_alone() -> None:
    assert reasons(certificate(rsa_key(), Encoding.DER)) == [StepReason.KEY_UNDESCRIBED, StepReason.KEY_UNCERTIFIED]


@pytest.mark.parametrize("private", [rsa_key(1024), rsa_key(2040), rsa_key(2048, 3), ec_key(ec.SECP521R1)])
def test_a_key_of_a_kind_that_we_don_t_accept_says_so_and_verifies_nothing(private) -> None:
    key = load_key(private.public_key().public_bytes(Encoding.DER, SPKI))
    assert key.findings[0].reason is StepReason.KEY_KIND
    assert key.findings[0].reason.outcome is Outcome.FAIL
    forge = Forge.rsa()
    finding = key.refutes(forge.message, forge.parsed_signature())
    assert finding is not None
    assert finding.reason is StepReason.SIGNATURE_UNTRIED


PEM = rsa_key().public_key().public_bytes(Encoding.PEM, SPKI)
DER = rsa_key().public_key().public_bytes(Encoding.DER, SPKI)


ED25519 = ed25519.Ed25519PrivateKey.generate().public_key()
NO_KEYS = {
    "nothing": b"",
    "text": b"no key",
    "two PEM entries": PEM + PEM,
    "PEM cut": PEM[:-40],
    "DER and a byte": DER + b"\x00",
    "DER cut": DER[:-1],
    "TPM2B_PUBLIC and a byte": Forge.rsa().area + b"\x00",
    "TPM2B_PUBLIC cut": Forge.rsa().area[:-1],
    "another kind, DER": ED25519.public_bytes(Encoding.DER, SPKI),
    "another kind, PEM": ED25519.public_bytes(Encoding.PEM, SPKI),
    "private": rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    "certificate and a byte": certificate(rsa_key(), Encoding.DER) + b"\x00",
    "empty certificate": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "too long": b"0" * (64 * 1024 + 1),
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_is_no_key_is_refused(name: str) -> None:
    with pytest.raises(FormatError):
        load_key(NO_KEYS[name])


def test_a_point_off_the_curve_is_refused() -> None:
    area = Forge.p256().area
    with pytest.raises(FormatError):
        load_key(area[:-1] + bytes([area[-1] ^ 1]))


FORMS = {
    "PEM": PEM,
    "DER": DER,
    "RSA area": Forge.rsa().area,
    "P-256 area": Forge.p256().area,
    "certificate": certificate(rsa_key(), Encoding.DER),
}


def read(data: bytes) -> bool:
    """Whether a key could be read; any error but ours comes through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cryptography warns of odd certificates before it reads them
        try:
            return bool(load_key(data).findings)
        except FormatError:
            return False


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_any_change_of_a_key_is_read_or_refused(form: str, data: st.DataObject) -> None:
    whole = FORMS[form]
    at = data.draw(st.integers(0, len(whole) - 1))
    read(whole[:at] + data.draw(st.binary(max_size=5)) + whole[at + data.draw(st.integers(0, 5)) :])


@given(data=st.binary(max_size=400))
def test_any_bytes_are_a_key_or_refused(data: bytes) -> None:
    read(data)
