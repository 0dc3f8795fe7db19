"""What is stored of a host's evidence, read back as the rules' own types."""

from collections.abc import Mapping, Sequence

from txt_dashboard.attest.evidence import Evidence, Verdict, Voucher
from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.models import Attestation, Measurement


def read_evidence(attestation: Attestation) -> Evidence | None:
    """The last evidence of this server for this host, or `None` where none ever came."""
    if attestation.attested_at is None or not attestation.verdict:
        return None
    measurements = [each for each in (attestation.platform, attestation.vmm) if each is not None]
    return Evidence(
        verdict=Verdict(attestation.verdict),
        attested_at=attestation.attested_at,
        registers=union(measurements, attestation.others),
        voucher=Voucher(attestation.voucher),
        finding=read_finding(attestation.doubt),
        details=attestation.details,
    )


def read_finding(stored: Mapping[str, object] | None) -> Finding | None:
    """The finding that was stored; `None` stays `None`."""
    if stored is None:
        return None
    params = stored.get("params")
    return Finding(Reason.of(str(stored["code"])), dict(params) if isinstance(params, Mapping) else {})


def union(measurements: Sequence[Measurement], others: Mapping[str, Mapping[str, str]]) -> Registers:
    """All register values that are kept of a host: those of its measurements, and the others."""
    registers: dict[Bank, dict[int, bytes]] = {}
    for row in measurements:
        registers.setdefault(Bank(row.bank), {}).update(parse_values(row.values))
    for bank, values in others.items():
        registers.setdefault(Bank(bank), {}).update(parse_values(values))
    return registers


def parse_values(values: Mapping[str, str]) -> dict[int, bytes]:
    """Register values from their stored form."""
    return {int(index): bytes.fromhex(value) for index, value in values.items()}
