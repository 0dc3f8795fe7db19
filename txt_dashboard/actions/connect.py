"""From a server's row to the adapter that speaks to it."""

from txt_dashboard import conf, vault
from txt_dashboard.attest.reference import Endpoint
from txt_dashboard.models import Server
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import AttestationServer, Clock, Connection, ServerError


class SecretUnavailable(ServerError):
    """The stored secret can't be opened."""

    code = "secret_unavailable"


def connect(server: Server, clock: Clock) -> AttestationServer:
    """The adapter for this server, at the address that people approved; raises `ServerError`.

    A server that is not in the signed set is asked where its row says: what it answers does not count.
    """
    entered = Endpoint(server.name, server.kind, server.url, server.ca_pem, counts=False)
    endpoint = current_reference().servers.get(server.name, entered)
    try:
        auth_blob = vault.unseal(server.sealed_auth_blob, endpoint.key)
    except vault.VaultError as error:
        raise SecretUnavailable(str(error)) from error
    connection = Connection(
        name=server.name,
        url=endpoint.url,
        networks=conf.server_networks(),
        ca_pem=endpoint.ca_pem,
        auth_blob=auth_blob,
        deadline=float(server.deadline_s),
    )
    return KINDS[endpoint.kind].build(connection, clock)
