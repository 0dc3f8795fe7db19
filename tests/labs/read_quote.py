#!/usr/bin/env python3
"""read_quote.py UUID: fresh PCR values of a running (pull-mode) agent, proven by its registered AK (RSASSA).
Environment from `keylime-lab.sh env`; needs `cryptography` beside the standard library."""

import base64
import hashlib
import http.client
import json
import os
import secrets
import ssl
import sys
from struct import unpack_from
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HASHES = {0x4: hashes.SHA1(), 0xB: hashes.SHA256(), 0xC: hashes.SHA384(), 0xD: hashes.SHA512()}


def need(condition, what):
    if not condition:
        sys.exit(f"refused: {what}")


def get(host, port, path, **trust):
    ctx = ssl.create_default_context(**trust)
    ctx.check_hostname = "cafile" in trust  # an agent's self-signed certificate is pinned instead
    ctx.load_cert_chain(os.environ["KEYLIME_CLIENT_CERT"], os.environ["KEYLIME_CLIENT_KEY"])
    connection = http.client.HTTPSConnection(host, port, context=ctx, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    need(answer.status == 200, f"{path}: {answer.status}")
    return json.load(answer)["results"]


def sized(b, o):
    end = o + 2 + unpack_from(">H", b, o)[0]
    return b[o + 2 : end], end


def aik(tpm2b):
    kind, _, attributes = unpack_from(">HHI", tpm2b, 2)
    o = sized(tpm2b, 10)[1]
    symmetric, scheme, _, _, e = unpack_from(">HHHHI", tpm2b, o)
    need((kind, symmetric, scheme) == (1, 0x10, 0x14), "not an RSASSA key")
    need(attributes & 0x50032 == 0x50032, "not a restricted signing key of a TPM")  # it could sign a forged quote
    return rsa.RSAPublicNumbers(e or 65537, int.from_bytes(sized(tpm2b, o + 12)[0], "big")).public_key()


def verify(quote, key, nonce):
    msg, sig, blob = (base64.b64decode(x) for x in quote.removeprefix("r").split(":"))
    key.verify(sized(sig, 4)[0], msg, padding.PKCS1v15(), digest := HASHES[unpack_from(">H", sig, 2)[0]])
    need(msg[:6] == bytes.fromhex("ff5443478018"), "not a TPM quote")
    extra, o = sized(msg, sized(msg, 6)[1])
    need(extra == nonce.encode(), "another nonce")
    clock, resets, _, _, _, banks = unpack_from(">QIIBQI", msg, o)
    order, o = [], o + 29
    for _ in range(banks):
        bank, size = unpack_from(">HB", msg, o)
        order += [(HASHES[bank], i) for i in range(8 * size) if msg[o + 3 + i // 8] >> i % 8 & 1]
        o += 3 + size
    values, p = (
        [],
        136,
    )  # tpm2-tools' file, little endian: 16 selections of 8 bytes, then lists of 8 digests of 2 + 64
    for _ in range(unpack_from("<I", blob, 132)[0]):
        at = [p + 4 + 66 * i for i in range(unpack_from("<I", blob, p)[0])]
        values, p = values + [blob[q + 2 : q + 2 + unpack_from("<H", blob, q)[0]] for q in at], p + 532
    need([len(v) for v in values] == [bank.digest_size for bank, _ in order], "values and selection differ")
    need(hashlib.new(digest.name, b"".join(values)).digest() == sized(msg, o)[0], "these values were not signed")
    return {
        "reset_count": resets,
        "clock_ms": clock,
        "pcrs": {f"{b.name}:{i}": v.hex() for (b, i), v in zip(order, values, strict=True)},
    }


u, nonce = urlsplit(os.environ["KEYLIME_REGISTRAR_URL"]), secrets.token_hex(10)  # alphanumeric, at most 64
reg = get(u.hostname, u.port, f"/v2.6/agents/{sys.argv[1]}", cafile=os.environ["KEYLIME_CA_CERT"])
path = f"/v2.1/quotes/integrity?nonce={nonce}&mask=0x600ff&partial=1"
print(
    json.dumps(
        verify(
            get(reg["ip"], reg["port"], path, cadata=reg["mtls_cert"])["quote"],
            aik(base64.b64decode(reg["aik_tpm"])),
            nonce,
        ),
        indent=1,
    )
)
