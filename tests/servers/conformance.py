"""What every adapter promises, whatever kind of server it speaks to, as tests that run for each kind.

A new kind needs a `Rig`: a real server on this machine that speaks the kind's wire and can be made to misbehave. It
is added to `RIGS` in `test_conformance`, which fails while a kind has none. docs/new-server.md tells the whole way.
"""

from typing import Protocol

from txt_dashboard.servers.base import AttestationServer, QuoteServer

KNOWN = ("hv1", "hv2", "hv3")


class Rig(Protocol):
    """A server of one kind that knows the hosts `KNOWN`, trusts them, and does what a test tells it. Close it."""

    kinds: tuple[str, ...]  # keys of `txt_dashboard.servers.KINDS` that this is

    def adapter(self, *, deadline: float = 5.0) -> AttestationServer:
        """What `KINDS` makes for this server."""
        ...

    def quotes(self) -> QuoteServer:
        """What `KINDS` makes to ask for quotes."""
        ...

    def forget(self, host: str) -> None:
        """The server knows this host no longer."""
        ...

    def garble(self, host: str) -> None:
        """What the server says of this host has another form than it should."""
        ...

    def distrust(self, host: str) -> None:
        """The server found that this host is not what it should be."""
        ...

    def date(self, seconds: float) -> None:
        """The server's clock is this far ahead of ours; behind, where it is negative."""
        ...

    def say(self, body: bytes, status: int = 200) -> None:
        """Whatever the server is asked from now on, it answers this."""
        ...

    def hang(self) -> None:
        """The server takes connections and answers none."""
        ...

    def rekey(self, host: str) -> bytes:
        """The host's TPM has another attestation key from now on; the TPM2B_PUBLIC of the one that it had."""
        ...

    def calls(self) -> dict[str, str]:
        """How the server itself calls each host."""
        ...

    def requests(self) -> int:
        """How often the server was asked."""
        ...

    def close(self) -> None:
        """Ends all that it started."""
        ...
