"""Our own settings with their types, read when asked for."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from txt_dashboard.attest.quorum import QuorumRules
from txt_dashboard.cloud.enforcement import Enforcement
from txt_dashboard.cloud.pools import PoolSource
from txt_dashboard.servers.base import Agents, Network

SIMULATED_CLOUD = "simulated"  # what the demonstration calls its own


def data_dir() -> Path:
    """Where files of ours live."""
    return Path(settings.TXT_DATA_DIR)


def demo() -> bool:
    """Whether this is the demonstration: plain HTTP, loopback only, simulated fleet."""
    return bool(settings.TXT_DEMO)


def server_networks() -> tuple[Network, ...]:
    """Where attestation servers may be; empty means nowhere."""
    return tuple(settings.TXT_SERVER_NETWORKS)


def client_certificate(server: str) -> Path | None:
    """The file with the certificate that is shown to this server and its agents, and its key."""
    path = _named(settings.TXT_CLIENT_CERTIFICATES).get(server)
    return Path(path) if path else None


def client_certificates() -> tuple[Path, ...]:
    """All those files."""
    return tuple(Path(path) for path in _named(settings.TXT_CLIENT_CERTIFICATES).values())


def agents_of(server: str) -> Agents:
    """Where the agents of this server may be, and the registrar that knows them."""
    return Agents(registrar_of(server), tuple(settings.TXT_KEYLIME_AGENT_NETWORKS), keylime_agent_ports())


def registrar_of(server: str) -> str:
    """The URL of this server's registrar; empty: none is set."""
    return _named(settings.TXT_KEYLIME_REGISTRARS).get(server, "")


def keylime_agent_ports() -> range:
    """The ports that agents may be asked at; raises `ValueError`."""
    first, _, last = str(settings.TXT_KEYLIME_AGENT_PORTS).partition("-")
    return range(int(first), int(last or first) + 1)


def keylime_hooks() -> Mapping[str, str]:
    """The secrets in the addresses that Keylime sends its notices to, by the server's name."""
    return _named(settings.TXT_KEYLIME_HOOKS)


def keylime_publish() -> frozenset[str]:
    """The names of the Keylimes whose agents' policies are rewritten; of all others they are only read."""
    return frozenset(name for each in settings.TXT_KEYLIME_PUBLISH if (name := str(each).strip()))


def clock_tolerance() -> timedelta:
    """How far a server's clock may be ahead of ours."""
    return timedelta(seconds=settings.TXT_CLOCK_TOLERANCE_S)


def tick() -> timedelta:
    """How often workers look for what is due."""
    return timedelta(seconds=settings.TXT_TICK_S)


def history() -> timedelta:
    """How long changes are kept."""
    return timedelta(days=settings.TXT_HISTORY_DAYS)


def proxies() -> int:
    """How many proxies stand before us."""
    return int(settings.TXT_PROXY_COUNT)


def vault_key_file() -> Path:
    """The file of the keys that seal secrets in the database."""
    return Path(settings.TXT_VAULT_KEY_FILE)


def signing_key_file() -> Path:
    """The file of the key that signs the set. Only workers may read it."""
    return Path(settings.TXT_SIGNING_KEY_FILE)


def public_keys_file() -> Path:
    """The file of the public keys that verify the set."""
    return Path(settings.TXT_PUBLIC_KEYS_FILE)


def floor_file() -> Path:
    """The file of the highest number of the set that was seen."""
    return Path(settings.TXT_FLOOR_FILE)


def sets_dir() -> Path:
    """Where workers keep a copy of each set that they signed."""
    return Path(settings.TXT_SETS_DIR)


def quorum() -> QuorumRules:
    """Who must approve."""
    hours = settings.TXT_EMERGENCY_H
    return QuorumRules(
        persons=settings.TXT_QUORUM,
        waiting=timedelta(hours=settings.TXT_APPROVER_WAIT_H),
        emergency=timedelta(hours=hours) if hours else None,
    )


def audit_heads() -> Path | None:
    """The file that signed heads of the activity log go to; `None` for syslog."""
    return None if settings.TXT_AUDIT_HEADS == "syslog" else Path(settings.TXT_AUDIT_HEADS)


def pollhosts() -> tuple[str, str, tuple[str, ...]]:
    """Who may ask PollHosts: the blob, the proxy's header, and what it may say; empty where nothing is set."""
    return settings.TXT_POLLHOSTS_BLOB, settings.TXT_POLLHOSTS_HEADER, tuple(settings.TXT_POLLHOSTS_CLIENTS)


def clouds() -> tuple[str, ...]:
    """The names of the clouds that are connected."""
    return tuple(settings.TXT_CLOUDS)


def clouds_file() -> Path | None:
    """The `clouds.yaml` with their accounts; `None` where OS_* variables name the one cloud."""
    return Path(settings.TXT_CLOUDS_FILE) if settings.TXT_CLOUDS_FILE else None


def clouds_are_simulated() -> bool:
    """Whether what answers as a cloud is the demonstration's stand-in: pages say so."""
    return demo() and clouds() == (SIMULATED_CLOUD,)


def cloud_interval() -> timedelta:
    """How often clouds are looked at."""
    return timedelta(seconds=settings.TXT_CLOUD_INTERVAL_S)


def pools_from() -> PoolSource | None:
    """Which groups of the cloud are the hosts' pools; `None`: none, the inventory names them."""
    found: PoolSource | None = settings.TXT_POOLS_FROM
    return found


def cloud_trait() -> str:
    """The trait of trusted hosts in Placement."""
    return str(settings.TXT_CLOUD_TRAIT)


def instances_interval() -> timedelta:
    """How often the instances of all projects are listed."""
    return timedelta(seconds=settings.TXT_INSTANCES_INTERVAL_S)


def enforcement() -> Enforcement:
    """What makes a flavor a trusted one unless somebody chooses otherwise."""
    return Enforcement(settings.TXT_ENFORCEMENT)


def flavors_interval() -> timedelta:
    """How often flavors are looked at."""
    return timedelta(seconds=settings.TXT_FLAVORS_INTERVAL_S)


def confirm_losses() -> float:
    """From more than this share of hosts, in percent, trust is taken only by who names their number."""
    return float(settings.TXT_CONFIRM_LOSSES_PERCENT)


def api_failures() -> int:
    """How many bad keys and tokens an address may send in a minute."""
    return int(settings.TXT_API_FAILURES)


def keystone_config() -> Path:
    """The clouds.yaml with our own account at Keystone."""
    return Path(settings.TXT_KEYSTONE_CONFIG)


def keystone_cloud() -> str:
    """Its entry for the cloud whose tokens are taken; empty: none are."""
    return str(settings.TXT_KEYSTONE_CLOUD)


def keystone_project() -> str:
    """The id of the project in which roles count."""
    return str(settings.TXT_KEYSTONE_PROJECT)


def keystone_roles() -> Mapping[str, tuple[str, ...]]:
    """Our roles, by the name of the role in Keystone that brings them."""
    mapped: dict[str, tuple[str, ...]] = {}
    for pair in settings.TXT_KEYSTONE_ROLES:
        theirs, _, ours = str(pair).partition("=")
        mapped[theirs.strip()] = (*mapped.get(theirs.strip(), ()), ours.strip())
    return mapped


def _named(pairs: Iterable[str]) -> dict[str, str]:
    """Lines of name=value."""
    split = (str(pair).partition("=") for pair in pairs)
    return {name.strip(): value.strip() for name, _, value in split}
