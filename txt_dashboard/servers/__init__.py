"""Adapters: one file a kind of attestation server, HTTP in, evidence out. No database, no rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from txt_dashboard.servers.base import AttestationServer, Clock, Connection, QuoteServer
from txt_dashboard.servers.policed import PolicedAgents
from txt_dashboard.servers.whitelist import GoldenValues, Whitelist


@dataclass(frozen=True, slots=True)
class Factory:
    """One kind of attestation server: its name for people, and what makes an adapter of that kind.

    `whitelist` makes what writes golden values, `None` where this kind takes none; `golden` makes what only reads
    them, for kinds that take none and yet show theirs. `quotes` makes what asks for
    quotes and event logs, `None` where no server of this kind passes them on; of the others each must be asked.
    `agents` makes what gives each agent a policy of its own, for kinds that judge agents so.
    All raise `ServerError` for a connection whose own data are unusable; they ask nothing.
    """

    label: str
    build: Callable[[Connection, Clock], AttestationServer]
    whitelist: Callable[[Connection], Whitelist] | None = None
    quotes: Callable[[Connection, Clock], QuoteServer] | None = None
    golden: Callable[[Connection, Clock], GoldenValues] | None = None
    agents: Callable[[Connection, Clock], PolicedAgents] | None = None

    @property
    def shows_values(self) -> bool:
        """Whether such a server can be asked what it judges by."""
        return self.whitelist is not None or self.golden is not None


def _open_attestation(dialect: str) -> Callable[[Connection, Clock], AttestationServer]:
    def build(connection: Connection, clock: Clock) -> AttestationServer:
        # Pages list the kinds without ever asking a server, so they need not load the HTTP client.
        from txt_dashboard.servers.oat import OpenAttestation  # noqa: PLC0415

        return OpenAttestation(connection, dialect=dialect, clock=clock)

    return build


def _oat_whitelist(dialect: str) -> Callable[[Connection], Whitelist]:
    def build(connection: Connection) -> Whitelist:
        from txt_dashboard.servers.oat_whitelist import OatWhitelist  # noqa: PLC0415

        return OatWhitelist(connection, dialect=dialect)

    return build


def _oat_quotes(connection: Connection, clock: Clock) -> QuoteServer:
    from txt_dashboard.servers.oat_quotes import OatQuotes  # noqa: PLC0415

    return OatQuotes(connection, clock=clock)


def _keylime(connection: Connection, clock: Clock) -> AttestationServer:
    from txt_dashboard.servers.keylime import Keylime  # noqa: PLC0415

    return Keylime(connection, clock=clock)


def _keylime_quotes(connection: Connection, clock: Clock) -> QuoteServer:
    from txt_dashboard.servers.keylime_quotes import KeylimeQuotes  # noqa: PLC0415

    return KeylimeQuotes(connection, clock=clock)


def _keylime_policies(connection: Connection, clock: Clock) -> GoldenValues:
    from txt_dashboard.servers.keylime_policy import KeylimePolicies  # noqa: PLC0415

    return KeylimePolicies(connection, clock=clock)


def _keylime_agents(connection: Connection, clock: Clock) -> PolicedAgents:
    from txt_dashboard.servers.keylime_agents import KeylimeAgents  # noqa: PLC0415

    return KeylimeAgents(connection, clock=clock)


KINDS: Mapping[str, Factory] = {
    "oat-1.6": Factory("OpenAttestation 1.5 to 1.7", _open_attestation("1.6"), _oat_whitelist("1.6"), _oat_quotes),
    "oat-2.x": Factory("OpenAttestation 2.x", _open_attestation("2.x"), _oat_whitelist("2.x"), _oat_quotes),
    "keylime": Factory(
        "Keylime 7", _keylime, quotes=_keylime_quotes, golden=_keylime_policies, agents=_keylime_agents
    ),
}
