"""Rows for tests of what stands on the database."""

from collections.abc import Iterable, Mapping

from tests.factories import NOON, POLICY
from txt_dashboard import conf
from txt_dashboard.actions.governance import keys
from txt_dashboard.actions.governance.restore import store
from txt_dashboard.attest import entries
from txt_dashboard.attest.entries import Entry
from txt_dashboard.attest.reference import Baseline, Endpoint, Policy
from txt_dashboard.attest.signed_set import SignedSet
from txt_dashboard.keyring import signing_key
from txt_dashboard.models import Attestation, Host, Server
from txt_dashboard.queries.in_force import in_force


def make_server(name: str = "oat-1", *, counts: bool = True, **more: object) -> Server:
    """A server that is due to nothing by itself; people approved that it counts."""
    values = {"kind": "oat-1.6", "url": "http://127.0.0.1:9", "listed_at": NOON, **more}
    server = Server.objects.create(name=name, **values)
    if counts:
        count(server)
    return server


def make_host(name: str, server: Server, pool: str = "az1") -> Host:
    """A host that is due to be attested."""
    host = Host.objects.create(name=name, pool=pool, since=NOON, created_at=NOON)
    Attestation.objects.create(host=host, server=server, due_at=NOON)
    return host


def put_set(changed: Mapping[str, Entry | None]) -> SignedSet:
    """Signs the next set without anybody's approval: for tests of what follows from it."""
    keys.create()
    base = in_force().set
    held = {**base.entries, **changed}
    following = SignedSet(
        base.number + 1, base.digest, NOON, {id_: entry for id_, entry in held.items() if entry is not None}
    )
    store(following, following.signed(signing_key(conf.signing_key_file())), None)
    return following


def count(server: Server, *, counts: bool = True) -> None:
    """Puts in force that this server counts, or is only observed."""
    endpoint = Endpoint(server.name, server.kind, server.url, server.ca_pem, counts=counts)
    put_set({entries.server_id(server.name): entries.server_entry(endpoint)})
    Server.objects.filter(pk=server.pk).update(counts=counts)
    server.counts = counts


def write_reference(server: Server, baselines: Iterable[Baseline], policy: Policy = POLICY) -> None:
    """Puts these baselines and this policy in force, instead of those that are, and lets the server count."""
    gone = {id_: None for id_ in in_force().set.entries if id_.startswith("baseline:")}
    new = {entries.baseline_id(each): entries.baseline_entry(each) for each in baselines}
    of = entries.PolicyOf(server.name, "", policy)
    put_set({**gone, **new, entries.policy_id(server.name, ""): entries.policy_entry(of)})
    count(server)
