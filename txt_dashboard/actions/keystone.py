"""People and programs that Keystone vouches for: their roles here, and the accounts that governance counts.

Roles count only from tokens for the one project that the settings name: in others, whoever manages that project
could hand them out. A person keeps one account whatever they log in with; it has no password, so it opens no page.
"""

import hashlib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.db import transaction

from txt_dashboard import audit, conf
from txt_dashboard.actions.governance.accounts import note_roles
from txt_dashboard.actions.permissions import Actor, Role
from txt_dashboard.cloud.connection import Connection, Limits
from txt_dashboard.cloud.errors import Misconfigured
from txt_dashboard.cloud.login import read_clouds
from txt_dashboard.cloud.tokens import Holder, validate
from txt_dashboard.models import Account

KNOWN_FOR = timedelta(seconds=60)  # how long Keystone's word is taken for true: a revoked token may live so long
BAD = "bad"  # what is kept of a token that is no good
_LONGEST_USERNAME = 150
# Somebody waits for the answer: short, and no more bytes than a token has roles for.
_LIMITS = Limits(connect_timeout=3.0, deadline=8.0, byte_limit=1024 * 1024)


def token_name(token: str) -> str:
    """What a token is remembered by: never itself."""
    return hashlib.sha256(b"token " + token.encode("utf-8", "replace")).hexdigest()


def keystone() -> Connection:
    """Our account at the Keystone of the settings; raises `Misconfigured`."""
    return _connect(conf.keystone_config(), conf.keystone_cloud())


def validate_token(token: str) -> Holder | None:
    """Who holds the token, by Keystone; `None` for one that is no good. Raises `CloudError`."""
    return validate(keystone(), token)


def roles_of(holder: Holder) -> frozenset[Role]:
    """The roles that a token brings: by the settings, and none in another project than theirs."""
    if not holder.project_id or holder.project_id != conf.keystone_project():
        return frozenset()
    mapped = conf.keystone_roles()
    named = {role for name in holder.roles for role in mapped.get(name, ())}
    found = {role for role in Role if role.value in named}
    return frozenset(found | {Role.VIEWER}) if found else frozenset()


def admit(holder: Holder, *, now: datetime) -> Actor | None:
    """Whoever holds the token; `None` where an administrator disabled the account.

    Called for each newly validated token. A person's first one makes the account; from the first token that brings
    the approver's role on, that role ages. A token without it, for the same project, takes it away again.
    """
    roles = roles_of(holder)
    account = _account(holder, roles, now)
    user = account.user
    if not user.is_active:
        return None
    # What a program's token brings says nothing of what the person may.
    if holder.in_person and holder.project_id == conf.keystone_project():
        _keep_roles(user, roles, now)
    return Actor(user.get_username(), roles, user=user.pk, by_key=not holder.in_person, project=holder.project_id)


def is_active(actor: Actor) -> bool:
    """Whether the account that acts is not disabled. One query."""
    return actor.user is not None and User.objects.filter(pk=actor.user, is_active=True).exists()


def _account(holder: Holder, roles: frozenset[Role], now: datetime) -> Account:
    known = Account.objects.select_related("user").filter(source=holder.cloud, source_id=holder.user_id)
    found = known.first()
    if found is not None:
        return found
    with transaction.atomic():
        user, made = User.objects.get_or_create(username=_username(holder))
        account, _ = Account.objects.get_or_create(
            user=user, defaults={"source": holder.cloud, "source_id": holder.user_id}
        )
        if made:
            user.set_unusable_password()
            user.save(update_fields=["password"])
            detail = {"cloud": holder.cloud, "user": holder.user_id, "roles": sorted(role.value for role in roles)}
            audit.record(at=now, actor="keystone", verb="add account", target=user.username, detail=detail)
    if (account.source, account.source_id) != (holder.cloud, holder.user_id):
        raise RuntimeError(f"The account {user.username} belongs to another user of a cloud.")
    return account


def _username(holder: Holder) -> str:
    """A name that no local account can have: those have neither spaces nor brackets."""
    name = f"{holder.user_name[:60]} ({holder.domain[:40]} at {holder.cloud[:20]})"
    taken = Account.objects.filter(user__username=name).exclude(source=holder.cloud, source_id=holder.user_id)
    return f"{name} {holder.user_id[:20]}"[:_LONGEST_USERNAME] if taken.exists() else name


def _keep_roles(user: User, roles: frozenset[Role], now: datetime) -> None:
    held = set(user.groups.values_list("name", flat=True))
    wanted = {role.value for role in roles}
    if held == wanted:
        return
    with transaction.atomic():
        user.groups.set(Group.objects.get_or_create(name=name)[0] for name in sorted(wanted))
        note_roles(user, set(roles), now=now)
        detail = {"roles": sorted(wanted), "before": {"roles": sorted(held)}, "after": {"roles": sorted(wanted)}}
        audit.record(at=now, actor="keystone", verb="set roles", target=user.username, detail=detail)


@cache
def _connect(file: Path, cloud: str) -> Connection:
    clouds = read_clouds(file)
    if cloud not in clouds:
        raise Misconfigured(f"{file} has no cloud {cloud}")
    return Connection(clouds[cloud], _LIMITS)
