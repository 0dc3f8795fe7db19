"""Proposals for the pages to show: run in the product's own shell, where the verbs are at hand."""

from dataclasses import replace
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from txt_dashboard.actions.governance.decide import approve, reject
from txt_dashboard.actions.governance.propose import edit, propose, retire
from txt_dashboard.actions.permissions import Actor, Role
from txt_dashboard.attest.entries import baseline_entry, baseline_id
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline, Part
from txt_dashboard.models import Attestation, Proposal
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.proposals import impact_of


def who(name: str, role: Role) -> Actor:
    """One of the demonstration's people."""
    return Actor(name, frozenset({role}), user=User.objects.get(username=name).pk)


def say_yes(name: str, proposal: Proposal, reason: str) -> None:
    """Approves it as it is."""
    approve(
        who(name, Role.APPROVER), proposal.pk, reason=reason, content_hash=proposal.content_hash,
        impact_hash=impact_of(proposal, timezone.now()).digest, now=timezone.now(),
    )  # fmt: skip


now, operator = timezone.now(), who("operator", Role.OPERATOR)
shown = Attestation.objects.select_related("vmm").exclude(drift_key="").filter(host__pool="az1").first().vmm
kernel = Baseline(
    "VMM kernel 6.1.0-38", Part.VMM, Bank(shown.bank), pools=frozenset({"az1"}),
    values={int(index): bytes.fromhex(value) for index, value in shown.values.items()},
)  # fmt: skip
old = next(each for each in in_force().reference.baselines if each.name == "VMM 6.1.0-37 (R640)")
ends = {**in_force().set.entries[old.id], "not_after": (now + timedelta(days=10)).isoformat()}

words = {"title": kernel.name, "reason": "Debian kernel update, CHG-1182.\nThe canary az1-007 ran it for two days."}
first = replace(kernel, name="VMM 6.1.0-38")
made = propose(operator, {baseline_id(first): baseline_entry(first)}, **words, now=now)
say_yes("approver2", made, "Matches the build record.")
wanted = {baseline_id(kernel): baseline_entry(kernel), old.id: ends}
made = edit(operator, made.pk, wanted, **words, content_hash=made.content_hash, now=timezone.now())
say_yes("approver2", made, "Still matches.")

policy = in_force().set.entries["policy:oat-1/"]
weaker = {**policy, "word_is_enough": True, "validity_s": 600}
weaker["parts"] = {part: {**need, "registers": need["registers"][:-1]} for part, need in policy["parts"].items()}
words = {"title": "Believe oat-1 where we can't tell", "reason": "Half of edge shows no register report."}
propose(who("approver", Role.APPROVER), {"policy:oat-1/": weaker}, **words, now=now)

gone = retire(operator, old.id, reason="The vendor withdrew it.", now=now)
no = {"reason": "180 hosts still boot it.", "content_hash": gone.content_hash}
reject(who("approver", Role.APPROVER), gone.pk, **no, now=timezone.now())
