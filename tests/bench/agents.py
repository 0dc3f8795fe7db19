"""Polling 1,000 agents of a Keylime: everything of ours beside HTTP, against json.loads and one bulk UPDATE.

The poll is the one between two quotes: the verifier is asked what it says, and no agent's TPM.
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace

from tests.bench.report import Line, report
from tests.bench.stopwatch import in_turns
from tests.bench.world import BETWEEN_POLLS, installation, sqlite

from django.db import connection, transaction  # isort: skip - after the settings

from tests.factories import NOON
from tests.rows import make_server, put_set
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.attest import entries
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part, Policy, Requirement
from txt_dashboard.models import Attestation, Host, HostEvent, Quoted, Server
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers.base import Connection
from txt_dashboard.servers.keylime import Keylime

AGENTS = 1000
ROUNDS = 7
ALLOWED = 4


class Fleet:
    """A verifier's bodies without the verifier, agents that showed a quote a while ago, and a worker."""

    def __init__(self) -> None:
        self.now = NOON
        self.body = b""
        self.read: list[bytes] = []
        client = SimpleNamespace(url=SimpleNamespace(path=""), get=self._get, close=lambda: None)
        nowhere = Connection("keylime", "https://keylime", ())
        self.worker = Worker(
            lambda: self.now,
            lambda _row, clock: Keylime(nowhere, clock=clock, client=client),  # type: ignore[arg-type]
        )
        year = NOON + timedelta(days=365)
        self.server = make_server("keylime", kind="keylime", batch_size=500, interval_s=60, listed_at=year)
        need = Requirement(Part.PLATFORM, Bank.SHA256, frozenset({0, 7}))
        of = entries.PolicyOf("keylime", "", Policy((need,), timedelta(hours=12), word_is_enough=True))
        put_set({entries.policy_id("keylime", ""): entries.policy_entry(of)})
        Host.objects.bulk_create(Host(name=_uuid(each), since=NOON, created_at=NOON) for each in range(AGENTS))
        ids = Host.objects.values_list("id", flat=True)
        Attestation.objects.bulk_create(Attestation(host_id=id_, server=self.server, due_at=NOON) for id_ in ids)

    def quoted(self) -> None:
        """From now on all hosts have shown a quote that lasts."""
        Attestation.objects.update(voucher=Voucher.QUOTE.value, doubt=None)
        Server.objects.update(passes_quotes=True, quote_interval_s=24 * 3600)
        shown = {"nonce": b"", "selection": {}, "message": b"", "signature": b"", "reported": {}, "public": b""}
        more = {"approved": b"", "set_number": current_reference().number, "last_seen": None, "counters": None}
        Quoted.objects.bulk_create(
            Quoted(attestation_id=id_, at=self.now, due_at=self.now + timedelta(days=1), **shown, **more)
            for id_ in Attestation.objects.values_list("id", flat=True)
        )

    def prepare(self) -> None:
        self.now += BETWEEN_POLLS
        rows = {_uuid(each): _row(each, self.now) for each in range(AGENTS)}
        self.body = json.dumps({"code": 200, "status": "Success", "results": rows}).encode()

    def poll(self) -> None:
        self.read = []
        self.worker.turn()

    def peer(self) -> None:
        """Decodes the bodies that a poll reads, and writes a time for each host at once."""
        for _ in range(AGENTS // self.server.batch_size):
            json.loads(self.body)
        ids = list(Attestation.objects.order_by("id").values_list("id", flat=True))
        form = "(%s, %s)" if sqlite() else "(%s, CAST(%s AS timestamp with time zone))"
        sql = (
            f"WITH new (id, at) AS (VALUES {', '.join([form] * len(ids))}) UPDATE txt_dashboard_attestation AS old "  # noqa: S608 - no values
            "SET valid_until = new.at FROM new WHERE old.id = new.id"
        )
        moments = [self.now + timedelta(minutes=10, milliseconds=id_ % 1000) for id_ in ids]
        adapted = [connection.ops.adapt_datetimefield_value(each) for each in moments]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [each for pair in zip(ids, adapted, strict=True) for each in pair])

    def check(self) -> None:
        good = Attestation.objects.filter(asked_at=self.now, answered=True, host__state="trusted").count()
        if good != AGENTS or len(self.read) != AGENTS // self.server.batch_size:
            raise AssertionError(f"Only {good} of {AGENTS} hosts were polled, with {len(self.read)} requests.")

    def _get(self, *_args: object, **_more: object) -> bytes:
        self.read.append(self.body)
        return self.body


def main() -> int:
    """Runs the bench."""
    with installation():
        return report(lines(Fleet()))


def lines(fleet: Fleet) -> Iterator[Line]:
    fleet.prepare()
    fleet.poll()
    fleet.check()
    fleet.quoted()
    history = HostEvent.objects.count()
    work, limit = in_turns(ROUNDS, fleet.poll, fleet.peer, fleet.prepare)
    fleet.check()
    engine = "" if sqlite() else f" ({connection.vendor})"
    yield Line(
        f"poll of 1,000 Keylime agents, nothing changed{engine}",
        work,
        limit,
        "json.loads and one UPDATE",
        ALLOWED,
        "s",
    )
    written = HostEvent.objects.count() - history
    yield Line("  history that those polls wrote", written, AGENTS * ROUNDS, "hosts polled", 0, "rows")


def _uuid(number: int) -> str:
    return f"d432fbb3-d2f1-4a97-9ef7-{number:012x}"


def _row(number: int, now: datetime) -> dict[str, object]:
    """As long as a real one's."""
    at = int(now.timestamp()) - number % 2
    policy = {str(index): [f"{index:02x}" * 32] for index in (*range(8), 17, 18)}
    return {
        "operational_state": 3, "v": None, "ip": "10.1.0.1", "port": 9002,
        "tpm_policy": json.dumps({**policy, "mask": "0x600ff"}), "meta_data": "{}", "has_mb_refstate": 0,
        "has_runtime_policy": 0, "accept_tpm_hash_algs": ["sha512", "sha384", "sha256"],
        "accept_tpm_encryption_algs": ["ecc", "rsa"], "accept_tpm_signing_algs": ["ecschnorr", "rsassa"],
        "hash_alg": "sha256", "enc_alg": "rsa", "sign_alg": "rsassa", "verifier_id": "default",
        "verifier_ip": "10.1.0.2", "verifier_port": 8881, "severity_level": None, "last_event_id": None,
        "attestation_count": 23, "last_received_quote": at, "last_successful_attestation": at,
        "attestation_status": "PASS", "attestation_period": "2s", "maximum_attestation_interval": "10s",
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
