"""Our own settings with their types, read when asked for."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings

from txt_dashboard.servers.base import Network


def data_dir() -> Path:
    """Where files of ours live."""
    return Path(settings.TXT_DATA_DIR)


def demo() -> bool:
    """Whether this is the demonstration: plain HTTP, loopback only, simulated fleet."""
    return bool(settings.TXT_DEMO)


def server_networks() -> tuple[Network, ...]:
    """Where attestation servers may be; empty means nowhere."""
    return tuple(settings.TXT_SERVER_NETWORKS)


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


def audit_heads() -> Path | None:
    """The file that signed heads of the activity log go to; `None` for syslog."""
    return None if settings.TXT_AUDIT_HEADS == "syslog" else Path(settings.TXT_AUDIT_HEADS)
