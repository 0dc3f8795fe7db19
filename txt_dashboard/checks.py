"""Mistakes in settings, each with a number. `check --deploy` shows also what only production needs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from txt_dashboard import conf, keyring, vault
from txt_dashboard.actions.permissions import Role
from txt_dashboard.audit import guards

SHORTEST_BLOB = 20
HIGHEST_PORT = 65535
ROLES = frozenset(role.value for role in Role)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


@register(Tags.security)
def secret_key(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E001: sessions can't be signed."""
    try:
        settings.SECRET_KEY  # noqa: B018 - Django refuses to give an empty one
    except ImproperlyConfigured:
        hint = "Set it to at least 50 random characters, the same for all processes."
        return [Error("TXT_SECRET_KEY is not set.", hint=hint, id="TXT.E001")]
    return []


@register(Tags.security)
def vault_key_is_private(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E002: others on this machine can read the key of all secrets."""
    path = conf.vault_key_file()
    if path.is_file() and path.stat().st_mode & 0o077:
        return [Error(f"Others can read {path}.", hint=f"chmod 600 {path}", id="TXT.E002")]
    return []


@register(Tags.files)
def data_directory_is_writable(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E003: the database or the messages have no place."""
    folder = conf.data_dir()
    if not _uses_files() or (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return []
    hint = "Make it, for the account that runs the product and nobody else, or set TXT_DATA_DIR."
    return [Error(f"The data directory {folder} is not there or can't be written.", hint=hint, id="TXT.E003")]


@register(Tags.security)
def demonstration_stays_on_loopback(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E004: plain HTTP and printed passwords would be open to a network."""
    elsewhere = sorted(set(settings.ALLOWED_HOSTS) - LOOPBACK)
    if conf.demo() and elsewhere:
        hint = "Unset TXT_DEMO, or TXT_ALLOWED_HOSTS."
        return [Error(f"The demonstration would serve {', '.join(elsewhere)}.", hint=hint, id="TXT.E004")]
    return []


@register(Tags.compatibility)
def numbers_make_sense(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E005: a number that nothing could work with."""
    least = {
        "TXT_TICK_S": 0.1,
        "TXT_CLOCK_TOLERANCE_S": 0,
        "TXT_HISTORY_DAYS": 1,
        "TXT_QUORUM": 1,
        "TXT_APPROVER_WAIT_H": 0,
        "TXT_EMERGENCY_H": 0,
        "TXT_CONFIRM_LOSSES_PERCENT": 0,
        "TXT_CLOUD_INTERVAL_S": 1,
        "TXT_INSTANCES_INTERVAL_S": 1,
        "TXT_FLAVORS_INTERVAL_S": 1,
    }
    return [
        Error(f"{name} is {getattr(settings, name)}; it must be at least {number}.", id="TXT.E005")
        for name, number in least.items()
        if not getattr(settings, name) >= number
    ]


@register(Tags.database)
def activity_log_is_guarded(databases: Sequence[str] | None = None, **_kwargs: Any) -> Sequence[CheckMessage]:
    """E007: entries of the activity log could be changed. Asked where a database is named, as `migrate` does."""
    hint = "Find out who took them away, then: txt-dashboard-manage audit guard"
    return [
        Error(f"The activity log's trigger {name} is not as it should be.", hint=hint, id="TXT.E007")
        for alias in databases or ()
        for name in guards.missing(connections[alias])
    ]


@register(Tags.security, deploy=True)
def vault_key_is_usable(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E006: the first secret could not be kept."""
    try:
        vault.seal("a first secret", "")
    except vault.VaultError as error:
        return [Error(str(error), id="TXT.E006")]
    return []


@register(Tags.security)
def signing_key_is_private(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E008: others on this machine can sign what makes hosts trusted."""
    path = conf.signing_key_file()
    if path.is_file() and path.stat().st_mode & 0o077:
        return [Error(f"Others can read {path}.", hint=f"chmod 600 {path}", id="TXT.E008")]
    return []


@register(Tags.security, deploy=True)
def public_keys_are_there(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E009: nothing that is in force could be verified."""
    try:
        keyring.public_keys(conf.public_keys_file())
    except keyring.KeyringError as error:
        return [Error(str(error), id="TXT.E009")]
    return []


@register(Tags.security)
def keystone_is_described(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E010: tokens could not be validated, or would bring no role that there is."""
    if not conf.keystone_cloud():
        return []
    hint = "docs/api.md says what each is for."
    missing = [
        name
        for name in ("TXT_KEYSTONE_CONFIG", "TXT_KEYSTONE_PROJECT", "TXT_KEYSTONE_ROLES")
        if not getattr(settings, name)
    ]
    ours = {role for roles in conf.keystone_roles().values() for role in roles}
    faults = [f"TXT_KEYSTONE_CLOUD needs {name} too." for name in missing]
    faults += [f"TXT_KEYSTONE_ROLES names {role!r}, which is no role." for role in sorted(ours - ROLES)]
    return [Error(fault, hint=hint, id="TXT.E010") for fault in faults]


@register(Tags.security)
def client_keys_are_private(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E011: others on this machine can do all that we may do at an attestation server."""
    return [
        Error(f"Others can read {path}.", hint=f"chmod 600 {path}", id="TXT.E011")
        for path in conf.client_certificates()
        if path.is_file() and path.stat().st_mode & 0o077
    ]


@register(Tags.security)
def keylime_is_described(**_kwargs: Any) -> Sequence[CheckMessage]:
    """E012: Keylime's agents could not be asked, or its notices would be taken from anybody."""
    faults = []
    try:
        ports = conf.keylime_agent_ports()
    except ValueError:
        ports = range(0)
    if not ports or ports[0] < 1 or ports[-1] > HIGHEST_PORT:
        faults.append("TXT_KEYLIME_AGENT_PORTS is no port or range of ports such as 9002-9010.")
    faults += [
        f"{name} must hold pairs, each the name of a server, = and what is for it."
        for name in ("TXT_CLIENT_CERTIFICATES", "TXT_KEYLIME_REGISTRARS", "TXT_KEYLIME_HOOKS")
        if any(not all(map(str.strip, str(pair).partition("="))) for pair in getattr(settings, name))
    ]
    if any(len(secret) < SHORTEST_BLOB for secret in conf.keylime_hooks().values()):
        faults.append("TXT_KEYLIME_HOOKS holds a secret that is short enough to be guessed.")
    faults += [
        f"TXT_KEYLIME_PUBLISH names {name}, and TXT_KEYLIME_REGISTRARS none for it."
        for name in sorted(conf.keylime_publish())
        if not conf.registrar_of(name)
    ]
    hint = "docs/keylime.md says what each is for."
    return [Error(fault, hint=hint, id="TXT.E012") for fault in faults]


@register(Tags.security, deploy=True)
def more_than_one_decides(**_kwargs: Any) -> Sequence[CheckMessage]:
    """W004: one person alone can make hosts trusted."""
    if conf.quorum().persons > 1:
        return []
    hint = "Set it to 2 or more, unless this is a lab."
    return [Warning("TXT_QUORUM is 1: one person's approval is enough.", hint=hint, id="TXT.W004")]


@register(Tags.security, deploy=True)
def pollhosts_is_guarded(**_kwargs: Any) -> Sequence[CheckMessage]:
    """W005: who may ask PollHosts can be guessed, or nobody can although it looks as if."""
    blob, header, clients = conf.pollhosts()
    found = []
    if blob and len(blob) < SHORTEST_BLOB:
        hint = f"Set it to {SHORTEST_BLOB} random characters or more."
        found.append(Warning("TXT_POLLHOSTS_BLOB is short enough to be guessed.", hint=hint, id="TXT.W005"))
    if bool(header) != bool(clients):
        hint = "Set both, or neither."
        only = "TXT_POLLHOSTS_HEADER" if header else "TXT_POLLHOSTS_CLIENTS"
        found.append(Warning(f"{only} alone lets nobody in.", hint=hint, id="TXT.W005"))
    return found


@register(Tags.security, deploy=True)
def servers_have_networks(**_kwargs: Any) -> Sequence[CheckMessage]:
    """W001: no attestation server could be asked."""
    if conf.server_networks():
        return []
    hint = "Name the networks that attestation servers are in, such as 10.1.2.0/24."
    return [Warning("TXT_SERVER_NETWORKS is empty: no server will be asked.", hint=hint, id="TXT.W001")]


@register(Tags.security, deploy=True)
def data_directory_is_private(**_kwargs: Any) -> Sequence[CheckMessage]:
    """W002: others on this machine can read the database."""
    folder = conf.data_dir()
    if _uses_files() and folder.is_dir() and folder.stat().st_mode & 0o077:
        return [Warning(f"Others can look into {folder}.", hint=f"chmod 700 {folder}", id="TXT.W002")]
    return []


@register(Tags.database, deploy=True)
def database_fits_the_broker(**_kwargs: Any) -> Sequence[CheckMessage]:
    """W003: a broker for several machines, a database for one."""
    if _sqlite() and not _spool():
        hint = "Set TXT_DATABASE_URL to PostgreSQL before workers run on a second machine."
        return [Warning("The broker serves several machines, SQLite only this one.", hint=hint, id="TXT.W003")]
    return []


def _sqlite() -> bool:
    return bool(settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3")


def _spool() -> bool:
    return bool(settings.CELERY_BROKER_URL.startswith("spool:"))


def _uses_files() -> bool:
    """Whether anything lies in the data directory."""
    return _spool() or (_sqlite() and Path(settings.DATABASES["default"]["NAME"]).parent == conf.data_dir())
