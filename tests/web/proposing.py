"""Proposing golden values as a person does: with the form of a page, after a look at what would follow."""

from django.test import Client

from tests.web.filled import filled
from txt_dashboard.models import Attestation, Proposal
from txt_dashboard.queries.in_force import in_force

WHY = {"reason": "Debian kernel update, change 1182."}
HOST = "/propose/host/hv1/?part=vmm"


def group_of(name: str) -> str:
    return f"/propose/group/{Attestation.objects.get(host__name=name).drift_key}/"


def make(browser: Client, address: str, **changes: object):
    return browser.post(address, {**filled(browser.get(address)), **WHY, **changes, "propose": "1"})


def asked() -> dict[str, object]:
    """The one baseline that the newest proposal adds."""
    proposal = Proposal.objects.latest("id")
    added = [change["after"] for change in proposal.patch["changes"].values() if change["before"] is None]
    assert len(added) == 1
    return added[0]


def baselines() -> list[str]:
    return sorted(id_ for id_ in in_force().set.entries if id_.startswith("baseline:"))
