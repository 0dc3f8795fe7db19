"""What the demonstration begins with: its accounts, its attestation server and its fleet."""

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group, User
from django.utils import timezone

from txt_dashboard import demo
from txt_dashboard.actions.attestation_keys import propose_key_list
from txt_dashboard.actions.clouds.decide import set_hypervisor
from txt_dashboard.actions.governance.accounts import name_first_approvers, note_roles
from txt_dashboard.actions.governance.apply import apply_servers
from txt_dashboard.actions.governance.decide import approve
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.hosts import load_hosts
from txt_dashboard.actions.permissions import COMMAND_LINE, Actor, Role
from txt_dashboard.actions.reference import propose_file
from txt_dashboard.actions.servers import ServerSettings, add_server, edit_server, propose_counting
from txt_dashboard.demo_options import Options
from txt_dashboard.management.inventory import read_inventory
from txt_dashboard.models import Proposal, Server
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.proposals import impact_of
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.simulator.fleet import build_fleet
from txt_dashboard.simulator.openstack.estate import Estate
from txt_dashboard.simulator.startkit import SERVER

ACCOUNTS = {
    "viewer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "operator2": Role.OPERATOR,
    "approver": Role.APPROVER,
    "approver2": Role.APPROVER,
    "approver3": Role.APPROVER,  # so that an approver can propose, too, and two others decide
    "admin": Role.ADMINISTRATOR,
}
APPROVERS = tuple(name for name, role in ACCOUNTS.items() if role is Role.APPROVER)


def give_accounts(password: str) -> None:
    """All demo accounts, able to log in with this password, whatever became of them since the last start."""
    stored = User.objects.filter(username__in=ACCOUNTS).values_list("password", flat=True).first()
    # One slow hash for all of them; kept while it fits, so that a restart ends no session.
    hashed = stored if stored and check_password(password, stored) else make_password(password)
    for name, role in ACCOUNTS.items():
        user, _ = User.objects.get_or_create(username=name)
        if user.password != hashed or not user.is_active:
            user.password, user.is_active = hashed, True
            user.save(update_fields=["password", "is_active"])
        user.groups.set(Group.objects.get_or_create(name=each.value)[0] for each in {role, Role.VIEWER})
        note_roles(user, {role}, now=timezone.now())
    if not in_force().set.number:
        name_first_approvers(COMMAND_LINE, list(APPROVERS), now=timezone.now())


def give_fleet(options: Options, story: demo.Story) -> None:
    """The simulated server at its present address, its hosts and the golden values of the story's beginning."""
    begins = not in_force().set.number  # at the first start, or on data of a build that knew no signed set
    proposals = _give_server(f"http://127.0.0.1:{options.simulator_port}")
    if begins:
        proposals += [_let_it_count(), *_load(story)]
        if not story.cast:
            _name_controllers(story)
    for proposal in proposals:
        _approve(proposal)
    apply_servers(current_reference(), now=timezone.now())


def _approve(proposal: Proposal) -> None:
    """As the demo approvers would: the story begins with everything approved."""
    for name in APPROVERS:
        user = User.objects.get(username=name)
        found = impact_of(proposal, timezone.now())
        approve(
            Actor(name, frozenset({Role.APPROVER}), user=user.pk),
            proposal.pk,
            reason="The beginning of the demonstration.",
            content_hash=proposal.content_hash,
            impact_hash=found.digest,
            confirmed_losses=found[Change.LOST],
            now=timezone.now(),
        )
    sign_due(timezone.now())


def _give_server(url: str) -> list[Proposal]:
    settings = ServerSettings(name=SERVER, kind="oat-1.6", url=url, simulated=True, interval_s=20, deadline_s=20)
    server = Server.objects.filter(name=SERVER).first()
    if server is None:
        add_server(COMMAND_LINE, settings, now=timezone.now())
    elif server.url != url:
        kept = {name: getattr(server, name) for name in ("ca_pem", "enabled", "interval_s", "batch_size", "parallel")}
        settings = replace(settings, **kept, deadline_s=server.deadline_s)
        moved = edit_server(
            COMMAND_LINE,
            server.pk,
            settings,
            version=server.version,
            reason="The demonstration was started on another port.",
            now=timezone.now(),
        )
        return [moved] if moved else []
    return []


def _let_it_count() -> Proposal:
    server, why = Server.objects.get(name=SERVER), "The simulated server of the demonstration."
    return propose_counting(COMMAND_LINE, server.pk, counts=True, reason=why, now=timezone.now())


def _name_controllers(story: demo.Story) -> None:
    """All but the last, so that there is one to be named on the page of clouds."""
    for name in Estate(build_fleet(story.hosts, story.seed)).controllers[:-1]:
        set_hypervisor(COMMAND_LINE, name, is_one=False, reason="It is a controller.", now=timezone.now())


def _load(story: demo.Story) -> list[Proposal]:
    with tempfile.TemporaryDirectory() as folder:
        inventory, golden, keys = (Path(folder) / name for name in ("inventory.csv", "golden.json", "keys.csv"))
        files = ["--inventory", str(inventory), "--golden", str(golden), "--keys", str(keys)]
        subprocess.run([*demo.simulator(story), *files], check=True, timeout=120)
        load_hosts(COMMAND_LINE, read_inventory(inventory), server=SERVER, now=timezone.now())
        title, reason = "Golden values of the first day", "What the fleet showed when it was set up."
        values = propose_file(COMMAND_LINE, golden.read_bytes(), title=title, reason=reason, now=timezone.now())
        words = {"title": "TPM keys of the DL360", "reason": "The maker sent the list with the machines."}
        bound = propose_key_list(COMMAND_LINE, SERVER, keys.read_bytes(), **words, now=timezone.now())
        return [values, bound]
