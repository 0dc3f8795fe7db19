#!/usr/bin/env python3
"""One push-mode attestation (Keylime API 3.0, verifier 7.14.3) from an swtpm: enrol, session, quote, verdict.

With --policy the admin first enrols the agent with a new AK and that PCR policy. The agent proves possession of the
AK (TPM2_Certify over a challenge) for a bearer token, offers what it can attest, quotes what the verifier selects,
and the admin reads the verdict. Prints one JSON object; exit status 0 when the verifier says "pass".
"""

import argparse
import base64
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

import requests

AK = 0x81010009  # persistent handle for the AK of this client; the pull agent keeps its own


def b64(data):
    return base64.b64encode(data).decode()


class Tpm:
    """The swtpm, by tpm2-tools in a scratch directory and by raw commands."""

    def __init__(self, port, password):
        self.port, self.password, self.dir = port, password, tempfile.TemporaryDirectory()
        self.env = dict(os.environ, TPM2TOOLS_TCTI=f"swtpm:host=127.0.0.1,port={port}")

    def run(self, *args, check=True):
        p = subprocess.run(args, env=self.env, cwd=self.dir.name, capture_output=True, text=True)
        if check and p.returncode:
            sys.exit(f"{args[0]}: {p.stderr.strip()}")
        if check:  # no resource manager: what a tool loaded stays loaded
            self.run("tpm2_flushcontext", "-t", check=False)

    def read(self, name):
        with open(os.path.join(self.dir.name, name), "rb") as f:
            return f.read()

    def make_ak(self):
        p = self.password
        self.run("tpm2_evictcontrol", "-C", "o", "-P", p, "-c", hex(AK), check=False)
        self.run("tpm2_createek", "-c", "ek.ctx", "-G", "rsa", "-u", "ek.pub", "-w", p, "-P", p)
        self.run(
            "tpm2_createak",
            "-C",
            "ek.ctx",
            "-c",
            "ak.ctx",
            "-G",
            "rsa",
            "-g",
            "sha256",
            "-s",
            "rsassa",
            "-u",
            "ak.pub",
            "-n",
            "ak.name",
            "-P",
            p,
        )
        self.run("tpm2_evictcontrol", "-C", "o", "-P", p, "-c", "ak.ctx", hex(AK))

    def ak(self):
        self.run("tpm2_readpublic", "-c", hex(AK), "-f", "tss", "-o", "ak.pub", "-n", "ak.name")
        return self.read("ak.pub"), self.read("ak.name")

    def certify(self, data):
        """TPM2_Certify of the AK by the AK over DATA, raw: tpm2_certify 5.4 has no option for qualifying data."""
        empty = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
        body = (
            struct.pack(">III", AK, AK, 2 * len(empty))
            + 2 * empty
            + struct.pack(">H", len(data))
            + data
            + struct.pack(">H", 0x10)
        )
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), 30) as s:
            s.sendall(struct.pack(">HII", 0x8002, 10 + len(body), 0x148) + body)
            while len(answer) < 10 or len(answer) < struct.unpack_from(">I", answer, 2)[0]:
                answer += s.recv(4096) or sys.exit("swtpm closed the connection")
        if rc := struct.unpack_from(">I", answer, 6)[0]:
            sys.exit(f"TPM2_Certify: {rc:#x}")
        end = 16 + struct.unpack_from(">H", answer, 14)[0]
        return answer[16:end], answer[end : end + 6 + struct.unpack_from(">H", answer, end + 4)[0]]

    def quote(self, selection, nonce):
        self.run(
            "tpm2_quote",
            "-c",
            hex(AK),
            "-l",
            selection,
            "-q",
            nonce.hex(),
            "-g",
            "sha256",
            "-m",
            "msg",
            "-s",
            "sig",
            "-o",
            "pcrs",
        )
        return {
            "message": b64(self.read("msg")),
            "signature": b64(self.read("sig")),
            "subject_data": b64(self.read("pcrs")),
        }


class Verifier:
    def __init__(self, a):
        self.url, self.admin_cert, self.ca = a.verifier.rstrip("/"), (a.cert, a.key), a.ca
        self.token = None

    def call(self, method, path, body=None, admin=False, missing_ok=False, tries=3):
        headers = {} if admin else {"Content-Type": "application/vnd.api+json"}
        if self.token and not admin:
            headers["Authorization"] = f"Bearer {self.token}"
        with requests.Session() as s:
            s.trust_env = False
            r = s.request(
                method,
                self.url + path,
                json=body,
                headers=headers,
                verify=self.ca,
                timeout=30,
                cert=self.admin_cert if admin else None,
            )  # an agent has no client certificate
        if r.status_code == 429 and tries > 1:  # one attestation per quote_interval, a few sessions per minute
            time.sleep(int(r.headers.get("Retry-After", 2)))
            return self.call(method, path, body, admin, missing_ok, tries - 1)
        if r.status_code >= 300 and not (missing_ok and r.status_code == 404):
            sys.exit(f"{method} {path}: {r.status_code} {r.text[:300]}")
        return r.json() if r.content else {}

    def enrol(self, agent, ak, policy):
        path = f"/v2.6/agents/{agent}"
        if self.call("DELETE", path, admin=True, missing_ok=True):
            for _ in range(50):  # the verifier may take a while to let go of it
                if self.call("GET", path, admin=True, missing_ok=True).get("code") == 404:
                    break
                time.sleep(0.2)
        policy["mask"] = hex(sum(1 << int(i) for i in policy))  # else the verifier selects nothing
        self.call(
            "POST",
            path,
            {
                "v": None,
                "cloudagent_ip": None,
                "cloudagent_port": None,
                "tpm_policy": json.dumps(policy),
                "runtime_policy": "",
                "runtime_policy_name": "",
                "runtime_policy_key": "",
                "mb_policy": None,
                "mb_policy_name": "",
                "ima_sign_verification_keys": "",
                "metadata": "{}",
                "revocation_key": "",
                "accept_tpm_hash_algs": ["sha256"],
                "accept_tpm_encryption_algs": ["rsa"],
                "accept_tpm_signing_algs": ["rsassa"],
                "ak_tpm": b64(ak),
                "mtls_cert": "disabled",
                "supported_version": "3.0",
            },
            admin=True,
        )

    def session(self, agent, certify):
        proof = {"authentication_class": "pop", "authentication_type": "tpm_pop"}
        d = self.call(
            "POST",
            "/v3.0/sessions",
            {"data": {"type": "session", "attributes": {"agent_id": agent, "authentication_supported": [proof]}}},
        )["data"]
        challenge = d["attributes"]["authentication_requested"][0]["chosen_parameters"]["challenge"]
        message, signature = certify(base64.b64decode(challenge))
        proof = {**proof, "data": {"message": b64(message), "signature": b64(signature)}}
        d = self.call(
            "PATCH",
            f"/v3.0/sessions/{d['id']}",
            {
                "data": {
                    "type": "session",
                    "id": d["id"],
                    "attributes": {"agent_id": agent, "authentication_provided": [proof]},
                }
            },
        )["data"]
        self.token = d["attributes"].get("token") or sys.exit("the verifier refuses the proof of possession")

    def attest(self, agent, ak, name, quote):
        path, kind = (
            f"/v3.0/agents/{agent}/attestations",
            {"evidence_class": "certification", "evidence_type": "tpm_quote"},
        )
        every = list(range(24))
        d = self.call(
            "POST",
            path,
            {
                "data": {
                    "type": "attestation",
                    "attributes": {
                        "evidence_supported": [
                            {
                                **kind,
                                "capabilities": {
                                    "component_version": "2.0",
                                    "hash_algorithms": ["sha256"],
                                    "signature_schemes": ["rsassa"],
                                    "available_subjects": {"sha256": every},
                                    "certification_keys": [
                                        {
                                            "key_class": "asymmetric",
                                            "key_algorithm": "rsa",
                                            "key_size": 2048,
                                            "server_identifier": "ak",
                                            "local_identifier": b64(name),
                                            "public": b64(ak),
                                        }
                                    ],
                                },
                            }
                        ],
                        "system_info": {"boot_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(0))},
                    },
                }
            },
        )
        chosen = d["data"]["attributes"]["evidence_requested"][0]["chosen_parameters"]
        selection = "+".join(
            f"{bank}:{','.join(map(str, pcrs))}" for bank, pcrs in chosen["selected_subjects"].items() if pcrs
        )
        self.call(
            "PATCH",
            path + "/latest",
            {
                "data": {
                    "type": "attestation",
                    "attributes": {
                        "evidence_collected": [
                            {**kind, "data": quote(selection, base64.b64decode(chosen["challenge"]))}
                        ]
                    },
                }
            },
        )
        for _ in range(50):
            d = self.call("GET", path + "/latest", admin=True)["data"]["attributes"]  # answers 201, not 200
            if d["stage"] == "verification_complete":
                return selection, d
            time.sleep(0.2)
        sys.exit("no verdict within 10 s")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--uuid", required=True)
    p.add_argument("--swtpm", type=int, required=True, help="data port")
    p.add_argument(
        "--policy", type=json.loads, help='enrol anew with {"0": ["hex"], ...} (SHA-256); else: enrolled before'
    )
    p.add_argument("--owner-password", default="")
    for name, var in (
        ("verifier", "KEYLIME_PUSH_VERIFIER_URL"),
        ("cert", "KEYLIME_CLIENT_CERT"),
        ("key", "KEYLIME_CLIENT_KEY"),
        ("ca", "KEYLIME_CA_CERT"),
    ):
        p.add_argument(
            "--" + name, default=os.environ.get(var), required=var not in os.environ, help=f"default ${var}"
        )
    a = p.parse_args()
    tpm, verifier = Tpm(a.swtpm, a.owner_password), Verifier(a)
    if a.policy:
        tpm.make_ak()
    ak, name = tpm.ak()
    if a.policy:
        verifier.enrol(a.uuid, ak, a.policy)
    verifier.session(a.uuid, tpm.certify)
    selection, d = verifier.attest(a.uuid, ak, name, tpm.quote)
    v = verifier.call("GET", f"/v2.6/agents/{a.uuid}", admin=True)["results"]
    print(
        json.dumps(
            {
                "uuid": a.uuid,
                "evaluation": d["evaluation"],
                "pcrs": selection,
                **{
                    k: v.get(k)
                    for k in ("operational_state", "attestation_status", "attestation_count", "last_event_id")
                },
            }
        )
    )
    sys.exit(d["evaluation"] != "pass")


try:
    main()
except requests.ConnectionError as e:
    sys.exit(f"keylime-push: {e}")
