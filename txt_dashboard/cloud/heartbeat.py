"""The signed answer by which others see that traits in Placement still follow from what we know. Pure.

    {"payload": "{\\"at\\": \\"2026-03-01T12:00:00+00:00\\", \\"cloud\\": \\"east\\"}", "signature": "<base64>"}

The signature (Ed25519) is over a fixed prefix and the payload's bytes as they stand, so that nothing needs a
canonical form, and no signature made for another purpose can pass for one of these. `at` is the moment of the last
reconciliation of that cloud that ended well: a process that only lives must not keep old traits alive.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

WELL_KNOWN = "/.well-known/txt-dashboard/heartbeat"
LARGEST = 16 * 1024  # bytes of an answer, and of a file of keys
_PREFIX = b"txt-dashboard heartbeat 1\n"
_LONGEST_NAME = 255
_END_OF_KEY = "-----END PUBLIC KEY-----"


class BadHeartbeat(ValueError):
    """Not a heartbeat that counts; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """At that moment the traits of that cloud were right."""

    at: datetime  # aware
    cloud: str


def sign(heartbeat: Heartbeat, key: Ed25519PrivateKey) -> bytes:
    """The answer to serve."""
    payload = json.dumps({"at": heartbeat.at.astimezone(UTC).isoformat(), "cloud": heartbeat.cloud})
    signature = base64.b64encode(key.sign(_PREFIX + payload.encode())).decode()
    return json.dumps({"payload": payload, "signature": signature}).encode()


def read(answer: bytes, keys: Iterable[Ed25519PublicKey]) -> Heartbeat:
    """The heartbeat in an answer, signed by one of these keys; raises `BadHeartbeat`."""
    envelope = _object(answer)
    payload, signature = envelope.get("payload"), envelope.get("signature")
    if not isinstance(payload, str) or not isinstance(signature, str):
        raise BadHeartbeat("the answer has no payload with a signature")
    try:
        signed, raw = _PREFIX + payload.encode(), base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise BadHeartbeat("the signature is no base64, or the payload no text") from None
    if not any(_verifies(key, raw, signed) for key in keys):
        raise BadHeartbeat("the signature is by none of the keys that count")
    return _heartbeat(_object(payload.encode()))


def read_keys(file: Path) -> tuple[Ed25519PublicKey, ...]:
    """All public keys in a PEM file, the new and the old one while keys change; raises `BadHeartbeat`."""
    try:
        text = file.read_bytes()[:LARGEST].decode("ascii")
    except (OSError, UnicodeDecodeError):
        raise BadHeartbeat(f"{file} can't be read, or is no PEM file") from None
    blocks = [block + _END_OF_KEY for block in text.split(_END_OF_KEY)[:-1]]
    try:
        keys = [load_pem_public_key(block.encode()) for block in blocks]
    except (ValueError, UnsupportedAlgorithm):
        keys = []
    found = tuple(key for key in keys if isinstance(key, Ed25519PublicKey))
    if not found or len(found) != len(blocks):
        raise BadHeartbeat(f"{file} holds no Ed25519 public keys, or other things too")
    return found


def _object(text: bytes) -> dict[str, object]:
    try:
        found = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadHeartbeat("the answer is no JSON object, or too large")
    return found


def _verifies(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _heartbeat(fields: dict[str, object]) -> Heartbeat:
    at, cloud = fields.get("at"), fields.get("cloud")
    if not isinstance(at, str) or not isinstance(cloud, str) or not 0 < len(cloud) <= _LONGEST_NAME:
        raise BadHeartbeat("the payload lacks at or cloud")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise BadHeartbeat("at is no date") from None
    if moment.tzinfo is None:
        raise BadHeartbeat("at has no zone")
    return Heartbeat(moment.astimezone(UTC), cloud)
