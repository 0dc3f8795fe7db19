"""The signed answer by which others see that traits in Placement still follow from what we know. Pure.

    {"payload": "{\\"at\\": \\"2026-03-01T12:00:00+00:00\\", \\"cloud\\": \\"east\\"}",
     "key": "<id of the key>", "signature": "<base64>"}

The signature is over the payload's bytes as they stand, for the purpose of heartbeats alone (`attest.signing`), so
that nothing needs a canonical form. `at` is the moment of the last reconciliation of that cloud that ended well: a
process that only lives must not keep old traits alive.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from txt_dashboard.attest.signing import PublicKeys, Purpose, Signature, SigningError, SigningKey

WELL_KNOWN = "/.well-known/txt-dashboard/heartbeat"
LARGEST = 16 * 1024  # bytes of an answer
_LONGEST_NAME = 255


class BadHeartbeat(ValueError):
    """Not a heartbeat that counts; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """At that moment the traits of that cloud were right."""

    at: datetime  # aware
    cloud: str


def sign(heartbeat: Heartbeat, key: SigningKey) -> bytes:
    """The answer to serve."""
    payload = json.dumps({"at": heartbeat.at.astimezone(UTC).isoformat(), "cloud": heartbeat.cloud})
    signature = key.sign(Purpose.HEARTBEAT, payload.encode())
    value = base64.b64encode(signature.value).decode()
    return json.dumps({"payload": payload, "key": signature.key_id, "signature": value}).encode()


def read(answer: bytes, keys: PublicKeys) -> Heartbeat:
    """The heartbeat in an answer, signed by a valid one of these keys; raises `BadHeartbeat`."""
    envelope = _object(answer)
    payload, key, signature = (envelope.get(name) for name in ("payload", "key", "signature"))
    if not isinstance(payload, str) or not isinstance(key, str) or not isinstance(signature, str):
        raise BadHeartbeat("the answer has no payload with a signature")
    try:
        signed, raw = payload.encode(), base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise BadHeartbeat("the signature is no base64, or the payload no text") from None
    try:
        keys.verify(Purpose.HEARTBEAT, signed, Signature(key, raw))
    except SigningError as error:
        raise BadHeartbeat(str(error)) from None
    return _heartbeat(_object(signed))


def _object(text: bytes) -> dict[str, object]:
    try:
        found = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadHeartbeat("the answer is no JSON object, or too large")
    return found


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
