"""From a server's row to the adapter that speaks to it."""

from txt_dashboard import conf, vault
from txt_dashboard.attest.reference import Endpoint
from txt_dashboard.models import Server
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import AttestationServer, Clock, Connection, QuoteServer, ServerError
from txt_dashboard.servers.policed import PolicedAgents
from txt_dashboard.servers.whitelist import GoldenValues, Whitelist


class SecretUnavailable(ServerError):
    """The stored secret can't be opened."""

    code = "secret_unavailable"


def connect(server: Server, clock: Clock) -> AttestationServer:
    """The adapter for this server, at the address that people approved; raises `ServerError`.

    A server that is not in the signed set is asked where its row says: what it answers does not count.
    """
    entered = Endpoint(server.name, server.kind, server.url, server.ca_pem, counts=False)
    endpoint = current_reference().servers.get(server.name, entered)
    return KINDS[endpoint.kind].build(_connection(server, endpoint), clock)


def connect_whitelist(server: Server) -> Whitelist | None:
    """What writes golden values to this server; raises `ServerError`.

    `None` where its kind takes none, and where nobody approved that it counts: it is told nothing then.
    """
    endpoint = current_reference().servers.get(server.name)
    build = KINDS[endpoint.kind].whitelist if endpoint is not None and endpoint.counts else None
    return build(_connection(server, endpoint)) if build is not None and endpoint is not None else None


def connect_golden(server: Server, clock: Clock) -> GoldenValues | None:
    """What reads the golden values of this server, under the conditions of `connect_whitelist`."""
    endpoint = current_reference().servers.get(server.name)
    build = KINDS[endpoint.kind].golden if endpoint is not None and endpoint.counts else None
    if build is not None and endpoint is not None:
        return build(_connection(server, endpoint), clock)
    return connect_whitelist(server)


def connect_agents(server: Server, clock: Clock) -> PolicedAgents | None:
    """What rewrites the policies of this server's agents; raises `ServerError`.

    `None` unless people approved that the server counts and the settings name it: nothing is written there then.
    """
    endpoint = current_reference().servers.get(server.name)
    if endpoint is None or not endpoint.counts or server.name not in conf.keylime_publish():
        return None
    build = KINDS[endpoint.kind].agents
    return build(_connection(server, endpoint), clock) if build is not None else None


def connect_quotes(server: Server, clock: Clock) -> QuoteServer | None:
    """What asks this server for quotes, `None` where no server of its kind passes them on; raises `ServerError`."""
    entered = Endpoint(server.name, server.kind, server.url, server.ca_pem, counts=False)
    endpoint = current_reference().servers.get(server.name, entered)
    build = KINDS[endpoint.kind].quotes
    return build(_connection(server, endpoint), clock) if build is not None else None


def _connection(server: Server, endpoint: Endpoint) -> Connection:
    try:
        auth_blob = vault.unseal(server.sealed_auth_blob, endpoint.key)
    except vault.VaultError as error:
        raise SecretUnavailable(str(error)) from error
    return Connection(
        name=server.name,
        url=endpoint.url,
        networks=conf.server_networks(),
        ca_pem=endpoint.ca_pem,
        auth_blob=auth_blob,
        client_pem=conf.client_certificate(server.name),
        agents=conf.agents_of(server.name),
        deadline=float(server.deadline_s),
    )
