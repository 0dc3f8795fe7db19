"""The signed answer by which others see that traits still follow from what we know."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.attest.signing import PublicKeys, Purpose, SigningKey
from txt_dashboard.cloud.heartbeat import LARGEST, BadHeartbeat, Heartbeat, read, sign

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
OTHER = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
KEYS = PublicKeys({}).with_key(KEY.public)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEAT = Heartbeat(NOON, "east")


def signed(payload: str, purpose: Purpose = Purpose.HEARTBEAT) -> bytes:
    signature = base64.b64encode(KEY.sign(purpose, payload.encode()).value).decode()
    return json.dumps({"payload": payload, "key": KEY.key_id, "signature": signature}).encode()


def test_what_is_signed_can_be_read():
    assert read(sign(BEAT, KEY), KEYS) == BEAT
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    assert read(sign(Heartbeat(elsewhere, "east"), KEY), KEYS) == BEAT


def test_while_keys_change_either_will_do():
    assert read(sign(BEAT, KEY), PublicKeys({}).with_key(OTHER.public).with_key(KEY.public)) == BEAT


def test_another_key_will_not():
    with pytest.raises(BadHeartbeat, match="not one of the public keys"):
        read(sign(BEAT, OTHER), KEYS)
    with pytest.raises(BadHeartbeat):
        read(sign(BEAT, KEY), PublicKeys({}))


def test_nor_one_that_was_declared_void():
    with pytest.raises(BadHeartbeat, match="compromised"):
        read(sign(BEAT, KEY), KEYS.with_all_void())


@pytest.mark.parametrize("purpose", [Purpose.SIGNED_SET, Purpose.AUDIT_HEAD])
def test_a_signature_made_for_something_else_is_none(purpose):
    payload = json.loads(sign(BEAT, KEY))["payload"]
    with pytest.raises(BadHeartbeat, match="not key"):
        read(signed(payload, purpose), KEYS)


@pytest.mark.parametrize(
    "payload",
    [
        "[]",
        "{}",
        '{"at": "2026-03-01T12:00:00", "cloud": "east"}',
        '{"at": "noon", "cloud": "east"}',
        '{"at": 1, "cloud": "east"}',
        '{"at": "2026-03-01T12:00:00Z", "cloud": ""}',
        '{"at": "2026-03-01T12:00:00Z"}',
        json.dumps({"at": "2026-03-01T12:00:00Z", "cloud": "x" * 256}),
    ],
)
def test_a_payload_that_says_too_little_does_not_count_even_signed(payload):
    with pytest.raises(BadHeartbeat):
        read(signed(payload), KEYS)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"null",
        b"[" * 15_000,
        b" " * (LARGEST + 1),
        b'{"payload": 1, "signature": ""}',
        signed("{}").replace(b'"key"', b'"kex"'),
        b"\xff",
    ],
)
def test_what_is_no_heartbeat_is_refused(answer):
    with pytest.raises(BadHeartbeat):
        read(answer, KEYS)


@given(at=st.integers(0, len(sign(BEAT, KEY)) - 1), flip=st.integers(1, 255))
def test_no_changed_byte_makes_another_heartbeat(at, flip):
    answer = bytearray(sign(BEAT, KEY))
    answer[at] ^= flip
    try:
        found = read(bytes(answer), KEYS)
    except BadHeartbeat:
        return
    assert found == BEAT
