"""Hosts registered with their server from a list."""

from datetime import datetime

from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.hosts import load_hosts
from txt_dashboard.actions.permissions import Actor, Invalid, NotFound, Verb, require
from txt_dashboard.actions.publish.records import ASKED_FOR
from txt_dashboard.models import Attestation, Registering, Server
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.registrations import read_registrations

SHOWN = 20  # lines that are named


def register_hosts(actor: Actor, text: str, *, server: str, now: datetime) -> int:
    """Hosts from a CSV file (`servers.registrations.HEADER`); workers register each before they first ask for it.

    The MLEs that the file names must be at the server. Returns how many. Raises `Invalid` with every line that
    can't be used (and then changes nothing), `NotFound`, `NotAllowed`.
    """
    require(actor, Verb.LOAD_HOSTS)
    row = Server.objects.filter(name=server).first()
    if row is None:
        raise NotFound(f"There is no attestation server named {server}.")
    if KINDS[row.kind].whitelist is None or not row.counts:
        raise Invalid({"server": [f"{server} must be of a kind that takes registrations, and count."]})
    read = read_registrations(text)
    if read.problems:
        raise Invalid({"hosts": [f"Line {each.line}: {each.sentence}." for each in read.problems[:SHOWN]]})
    wanted = {each.registration.host: each.registration for each in read.hosts}
    with transaction.atomic():
        load_hosts(actor, [(each.registration.host, each.pool) for each in read.hosts], server=server, now=now)
        ours = Attestation.objects.filter(server=row, host__name__in=wanted).values_list("id", "host__name")
        Registering.objects.bulk_create(
            [
                Registering(attestation_id=id_, wanted=wanted[name].stored(), set_number=ASKED_FOR, try_at=now)
                for id_, name in ours
            ],
            update_conflicts=True,
            unique_fields=["attestation"],
            update_fields=["wanted", "problem", "set_number", "try_at"],
            batch_size=500,
        )
        Attestation.objects.filter(server=row, registering__set_number=ASKED_FOR).update(due_at=now)
        detail = {"hosts": len(wanted), "server": server}
        audit.record(at=now, actor=actor.name, verb="register hosts", target=server, detail=detail)
    return len(wanted)
