"""The TPM 2.0 of a simulated host: its attestation key, and quotes that it signs. All numbers are big-endian.

Keys follow from the fleet's seed and the host, so that they are the same after each start. They are no secrets, and
a fleet's RSA keys share their primes, for making those takes long: never use them for anything else.

Sources: TPM 2.0 Library part 2, revision 1.38: TPMS_ATTEST (10.12.8), TPML_PCR_SELECTION (10.9.7), TPMT_SIGNATURE
(11.3.4), TPM2B_PUBLIC (12.2.5), TPMA_OBJECT (8.3); FIPS 186-5, appendix B.3.1 (Miller-Rabin).
"""

import hashlib
import struct
from collections.abc import Mapping
from functools import cache
from itertools import count
from math import gcd
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.simulator.bootlog import ALGORITHMS

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Selection = Mapping[Bank, tuple[int, ...]]

_RSA, _ECC, _NULL, _SHA256, _RSASSA, _ECDSA, _P256 = 0x01, 0x23, 0x10, 0x0B, 0x14, 0x18, 0x03
_ATTRIBUTES = 0x00050072  # fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign
_QUOTE = bytes.fromhex("ff5443478018")  # magic and type
_FIRMWARE = 0x0001_0203_0004_0005
_EXPONENT = 65537
_ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ROW = 32  # hosts whose keys share their first prime
_SIEVE = tuple(
    number for number in range(3, 2000, 2) if all(number % each for each in range(3, 45, 2) if each < number)
)
_WITNESSES = (2, 3, 5, 7)  # plenty for a number of 1024 bits that nobody chose to deceive


class Counters(NamedTuple):
    """How often the TPM was reset, and its clock in milliseconds; it is never restarted without a reset."""

    resets: int
    clock: int


class Quote(NamedTuple):
    """TPMS_ATTEST, and the TPMT_SIGNATURE over it."""

    message: bytes
    signature: bytes


@cache
def rsa_key(seed: int, number: int) -> Key:
    """RSA-2048, another one for each number of a host; the first of a fleet take half a second each."""
    p, q = _prime(seed, "p", number // _ROW), _prime(seed, "q", number % _ROW)
    private = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, private, private % (p - 1), private % (q - 1), pow(q, -1, p), public)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


@cache
def p256_key(seed: int, number: int) -> Key:
    """ECDSA on P-256, another one for each number of a host."""
    secret = int.from_bytes(_bytes(seed, "P-256", number, 40)) % (_ORDER_P256 - 1) + 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def public_area(key: Key) -> bytes:
    """TPM2B_PUBLIC: what the TPM itself says of the key."""
    public = key.public_key()
    head = struct.pack(">HI", _SHA256, _ATTRIBUTES) + _sized(b"") + struct.pack(">H", _NULL)
    if isinstance(public, rsa.RSAPublicKey):
        modulus = public.public_numbers().n.to_bytes(256)
        rest = struct.pack(">HHHI", _RSASSA, _SHA256, 2048, 0) + _sized(modulus)
        return _sized(struct.pack(">H", _RSA) + head + rest)
    point = public.public_numbers()
    rest = (
        struct.pack(">HHHH", _ECDSA, _SHA256, _P256, _NULL)
        + _sized(point.x.to_bytes(32))
        + _sized(point.y.to_bytes(32))
    )
    return _sized(struct.pack(">H", _ECC) + head + rest)


def quote(key: Key, nonce: bytes, selection: Selection, registers: Registers, counters: Counters) -> Quote:
    """A quote of the selected registers; these must all be in `registers`."""
    chosen, joined = struct.pack(">I", len(selection)), b""
    for bank, indexes in selection.items():
        bitmap = sum(1 << index for index in indexes).to_bytes(3, "little")
        chosen += struct.pack(">HB", ALGORITHMS[bank], len(bitmap)) + bitmap
        joined += b"".join(registers[bank][index] for index in sorted(indexes))
    signer = struct.pack(">H", _SHA256) + hashlib.sha256(b"the endorsement key" + public_area(key)).digest()
    clock = struct.pack(">QIIBQ", counters.clock, counters.resets, 0, 1, _FIRMWARE)
    message = _QUOTE + _sized(signer) + _sized(nonce) + clock + chosen + _sized(hashlib.sha256(joined).digest())
    return Quote(message, _sign(key, message))


def _sign(key: Key, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        value = key.sign(message, padding.PKCS1v15(), SHA256())
        return struct.pack(">HH", _RSASSA, _SHA256) + _sized(value)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return struct.pack(">HH", _ECDSA, _SHA256) + _sized(r.to_bytes(32)) + _sized(s.to_bytes(32))


@cache
def _prime(seed: int, side: str, number: int) -> int:
    """The first prime of 1024 bits behind bytes that follow from the arguments; two make a modulus of 2048."""
    start = int.from_bytes(_bytes(seed, f"prime {side}", number, 128)) | 0b11 << 1022 | 1
    rests = [(each, start % each) for each in _SIEVE]
    for step in count(0, 2):
        if all((rest + step) % each for each, rest in rests) and _is_prime(start + step):
            return start + step
    raise AssertionError("primes never end")


def _is_prime(number: int) -> bool:
    """Whether it passes Miller and Rabin's test, and fits the exponent."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return gcd(number - 1, _EXPONENT) == 1 and all(_passes(number, odd, twos, witness) for witness in _WITNESSES)


def _passes(number: int, odd: int, twos: int, witness: int) -> bool:
    power = pow(witness, odd, number)
    if power in {1, number - 1}:
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


def _bytes(seed: int, purpose: str, number: int, size: int) -> bytes:
    return hashlib.shake_256(f"{seed}\n{purpose}\n{number}\n".encode()).digest(size)


def _sized(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data
