"""What must outlive a worker while it writes golden values to a server."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from txt_dashboard.actions.claim import Claim
from txt_dashboard.models import Publication, PublicationState, Registering, Server, WhitelistReading
from txt_dashboard.servers.mle import MleRef, Registration

RETRY = timedelta(minutes=5)
ASKED_FOR = 0  # instead of a set's number: a person asked for it


def publications(server: Server, mles: Mapping[MleRef, str], now: datetime) -> dict[str, Publication]:
    """The rows of these MLEs (and the baselines that they publish), made where they are missing; by version."""
    Publication.objects.bulk_create(
        [
            Publication(server=server, baseline=baseline, mle=ref.stored(), version=ref.version, changed_at=now)
            for ref, baseline in sorted(mles.items(), key=lambda each: each[0].version)
        ],
        ignore_conflicts=True,
    )
    found = Publication.objects.filter(server=server, version__in=[ref.version for ref in mles])
    return {row.version: row for row in found}


def take_to_prove(rows: Sequence[Publication], now: datetime, until: datetime) -> bool:
    """Gives all of these to this worker, to try them on a first host; whether it got them. Else it has none."""
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    taken: list[int] = []
    for row in sorted(rows, key=lambda each: each.pk):
        if not Publication.objects.filter(free, pk=row.pk).update(lease_until=until):
            release(taken)
            return False
        taken.append(row.pk)
    return True


def release(ids: Collection[int]) -> None:
    """Lets others try."""
    Publication.objects.filter(pk__in=ids).update(lease_until=None)


def settle_proof(rows: Sequence[Publication], state: PublicationState, now: datetime, *, host: str, why: str) -> None:
    """Writes what came of trying these on a first host."""
    for row in rows:
        row.state, row.first_host, row.problem = state, host, why
        row.changed_at, row.lease_until = now, None
        row.save()


def is_given_up(row: Publication, now: datetime) -> bool:
    """Whether it failed lately: it is left alone for a while."""
    return row.state == PublicationState.FAILED and now < row.changed_at + RETRY


def begin(attestation_id: int, wanted: Registration, number: int, now: datetime) -> None:
    """Keeps what is about to be done, before it is done."""
    values = {"wanted": wanted.stored(), "problem": "", "set_number": number, "try_at": now}
    Registering.objects.update_or_create(attestation_id=attestation_id, defaults=values)


def done(attestation_id: int) -> None:
    """The server has it so."""
    Registering.objects.filter(attestation_id=attestation_id).delete()


def note(attestation_id: int, why: str, number: int, now: datetime) -> None:
    """It can't be done now; it is tried again after a while, or under another signed set."""
    values = {"wanted": None, "problem": why, "set_number": number, "try_at": now + RETRY}
    Registering.objects.update_or_create(attestation_id=attestation_id, defaults=values)


def stay(attestation_id: int, why: str, now: datetime) -> None:
    """It is still to be done, after a while."""
    Registering.objects.filter(attestation_id=attestation_id).update(problem=why, try_at=now + RETRY)


def under_way(claim: Claim, now: datetime) -> dict[int, Registration]:
    """Registrations that were begun and not finished, by whoever, of the attestations that are claimed."""
    rows = Registering.objects.filter(attestation__lease=claim.lease, wanted__isnull=False, try_at__lte=now)
    return {row.attestation_id: Registration.read(row.wanted) for row in rows if row.wanted is not None}


def unfinished(attestation_ids: Collection[int]) -> set[int]:
    """Those of them that are still to be registered."""
    rows = Registering.objects.filter(attestation_id__in=attestation_ids, wanted__isnull=False)
    return set(rows.values_list("attestation_id", flat=True))


def read_soon(server: Server, now: datetime) -> None:
    """Something was written there: what is there is read with the next turn."""
    WhitelistReading.objects.filter(server=server).update(due_at=now)


def is_anybody_out(server: Server) -> bool:
    """Whether a host of this server may be out of it now: no other is taken out before that one is in again."""
    begun = Registering.objects.filter(attestation__server=server, wanted__isnull=False)
    return begun.exclude(set_number=ASKED_FOR).exists()


def left_alone(attestation_ids: Collection[int], number: int, now: datetime) -> set[int]:
    """Those for which it was found lately, under this signed set, that it can't be done."""
    rows = Registering.objects.filter(attestation_id__in=attestation_ids, wanted__isnull=True, set_number=number)
    return set(rows.filter(try_at__gt=now).values_list("attestation_id", flat=True))
