"""The signed answer by which others see that traits still follow from what we know."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.cloud.heartbeat import LARGEST, BadHeartbeat, Heartbeat, read, read_keys, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEAT = Heartbeat(NOON, "east")


def pem(key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed(payload: str) -> bytes:
    signature = KEY.sign(b"txt-dashboard heartbeat 1\n" + payload.encode())
    return json.dumps({"payload": payload, "signature": base64.b64encode(signature).decode()}).encode()


def test_what_is_signed_can_be_read():
    assert read(sign(BEAT, KEY), [KEY.public_key()]) == BEAT
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    assert read(sign(Heartbeat(elsewhere, "east"), KEY), [KEY.public_key()]) == BEAT


def test_while_keys_change_either_will_do():
    assert read(sign(BEAT, KEY), [OTHER.public_key(), KEY.public_key()]) == BEAT


def test_another_key_will_not():
    with pytest.raises(BadHeartbeat, match="none of the keys"):
        read(sign(BEAT, OTHER), [KEY.public_key()])
    with pytest.raises(BadHeartbeat):
        read(sign(BEAT, KEY), [])


def test_a_signature_made_for_something_else_is_none():
    payload = json.loads(sign(BEAT, KEY))["payload"]
    signature = base64.b64encode(KEY.sign(payload.encode())).decode()
    with pytest.raises(BadHeartbeat, match="none of the keys"):
        read(json.dumps({"payload": payload, "signature": signature}).encode(), [KEY.public_key()])


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
        read(signed(payload), [KEY.public_key()])


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"null", b"[" * 15_000, b" " * (LARGEST + 1), b'{"payload": 1, "signature": ""}', b"\xff"],
)
def test_what_is_no_heartbeat_is_refused(answer):
    with pytest.raises(BadHeartbeat):
        read(answer, [KEY.public_key()])


@given(at=st.integers(0, len(sign(BEAT, KEY)) - 1), flip=st.integers(1, 255))
def test_no_changed_byte_makes_another_heartbeat(at, flip):
    answer = bytearray(sign(BEAT, KEY))
    answer[at] ^= flip
    try:
        found = read(bytes(answer), [KEY.public_key()])
    except BadHeartbeat:
        return
    assert found == BEAT


def test_a_file_may_hold_several_keys(tmp_path):
    file = tmp_path / "signing.pub"
    file.write_bytes(pem(KEY) + pem(OTHER))
    assert len(read_keys(file)) == 2


@pytest.mark.parametrize(
    "content", [b"", b"no key", pem(KEY) + pem(generate_ec(SECP256R1())), pem(KEY)[:60], b"\xff"]
)
def test_a_file_without_keys_or_with_other_ones_is_refused(tmp_path, content):
    file = tmp_path / "signing.pub"
    file.write_bytes(content)
    with pytest.raises(BadHeartbeat):
        read_keys(file)
    with pytest.raises(BadHeartbeat):
        read_keys(tmp_path / "not there")
