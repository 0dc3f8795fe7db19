"""Golden values and policies from a file.

`uploads.ours` reads it: whole or not at all.
"""

from datetime import datetime

import msgspec
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.permissions import Actor, Invalid, Verb, require
from txt_dashboard.attest.draft import contradictions
from txt_dashboard.attest.reference import Baseline
from txt_dashboard.models import Baseline as BaselineRow
from txt_dashboard.models import Policy as PolicyRow
from txt_dashboard.models import Server
from txt_dashboard.uploads.ours import PolicyDraft, read_document
from txt_dashboard.uploads.reading import Unusable


class Loaded(msgspec.Struct, frozen=True):
    """How many baselines and policies of the file are new or changed."""

    baselines: int
    policies: int


def load_reference(actor: Actor, document: bytes, *, now: datetime) -> Loaded:
    """Puts the file's baselines and policies in force; the workers' next turn appraises by them.

    A baseline that is there already stays; a policy of the same server and pool is replaced. Raises
    `NotAllowed`, and `Invalid` with a sentence for each entry that can't be used (nothing is loaded then).
    """
    require(actor, Verb.LOAD_BASELINES)
    try:
        read = read_document(document)
    except Unusable as error:
        raise Invalid({"file": list(error.sentences)}) from None
    errors = [f'Baseline "{each.name[:60]}": {why}' for each in read.baselines for why in contradictions(each)]
    servers = dict(Server.objects.values_list("name", "id"))
    strange = [each.server for each in read.policies if each.server not in servers]
    errors += [f'Policy of "{name[:60]}": there is no attestation server of this name.' for name in strange]
    if errors:
        raise Invalid({"file": errors[:20]})
    baselines = [each.baseline() for each in read.baselines]
    policies = [_policy(each, servers[each.server]) for each in read.policies]
    with transaction.atomic():
        before = BaselineRow.objects.count()
        BaselineRow.objects.bulk_create([_row(each, now) for each in baselines], ignore_conflicts=True)
        PolicyRow.objects.bulk_create(
            policies,
            update_conflicts=True,
            unique_fields=["server", "pool"],
            update_fields=["parts", "validity_s", "word_is_enough"],
        )
        loaded = Loaded(BaselineRow.objects.count() - before, len(policies))
        names = sorted(each.name for each in baselines)[:50]
        detail = {"baselines": loaded.baselines, "policies": loaded.policies, "names": names}
        audit.record(at=now, actor=actor.name, verb=Verb.LOAD_BASELINES, detail=detail)
    return loaded


def _policy(read: PolicyDraft, server_id: int) -> PolicyRow:
    parts = {
        need.part.value: {"bank": need.bank.value, "registers": list(need.indexes)}
        for need in read.policy.requirements
    }
    return PolicyRow(
        server_id=server_id,
        pool=read.pool,
        parts=parts,
        validity_s=int(read.policy.validity.total_seconds()),
        word_is_enough=read.policy.word_is_enough,
    )


def _row(baseline: Baseline, now: datetime) -> BaselineRow:
    return BaselineRow(
        key=baseline.key,
        name=baseline.name,
        part=baseline.part.value,
        bank=baseline.bank.value,
        values={str(index): value.hex() for index, value in sorted(baseline.values.items())},
        pools=sorted(baseline.pools),
        not_before=baseline.not_before,
        not_after=baseline.not_after,
        loaded_at=now,
    )
