"""From a server's row to the adapter that speaks to it."""

from txt_dashboard import conf, vault
from txt_dashboard.models import Server
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import AttestationServer, Clock, Connection, ServerError


class SecretUnavailable(ServerError):
    """The stored secret can't be opened."""

    code = "secret_unavailable"


def connect(server: Server, clock: Clock) -> AttestationServer:
    """The adapter for this server; raises `ServerError`."""
    try:
        auth_blob = vault.unseal(server.sealed_auth_blob)
    except vault.VaultError as error:
        raise SecretUnavailable(str(error)) from error
    connection = Connection(
        name=server.name,
        url=server.url,
        networks=conf.server_networks(),
        ca_pem=server.ca_pem,
        auth_blob=auth_blob,
        deadline=float(server.deadline_s),
    )
    return KINDS[server.kind].build(connection, clock)
