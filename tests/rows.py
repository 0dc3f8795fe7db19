"""Rows for tests of what stands on the database."""

from collections.abc import Iterable

from tests.factories import NOON, POLICY
from txt_dashboard.attest.reference import Baseline, Policy
from txt_dashboard.models import Attestation, Host, Server
from txt_dashboard.models import Baseline as BaselineRow
from txt_dashboard.models import Policy as PolicyRow


def make_server(name: str = "oat-1", **more: object) -> Server:
    """A server that is due to nothing by itself."""
    values = {"kind": "oat-1.6", "url": "http://127.0.0.1:9", "listed_at": NOON, **more}
    return Server.objects.create(name=name, **values)


def make_host(name: str, server: Server, pool: str = "az1") -> Host:
    """A host that is due to be attested."""
    host = Host.objects.create(name=name, pool=pool, since=NOON, created_at=NOON)
    Attestation.objects.create(host=host, server=server, due_at=NOON)
    return host


def write_reference(server: Server, baselines: Iterable[Baseline], policy: Policy = POLICY) -> None:
    """Puts these baselines and this policy in force."""
    BaselineRow.objects.all().delete()
    BaselineRow.objects.bulk_create(
        BaselineRow(
            key=each.key,
            name=each.name,
            part=each.part,
            bank=each.bank,
            values={str(index): value.hex() for index, value in each.values.items()},
            pools=sorted(each.pools),
            not_before=each.not_before,
            not_after=each.not_after,
            loaded_at=NOON,
        )
        for each in baselines
    )
    PolicyRow.objects.update_or_create(
        server=server,
        pool="",
        defaults={
            "parts": {
                need.part.value: {"bank": need.bank.value, "registers": sorted(need.registers)}
                for need in policy.requirements
            },
            "validity_s": int(policy.validity.total_seconds()),
            "word_is_enough": policy.word_is_enough,
        },
    )
