"""What an attestation server that takes golden values can do. `KINDS` says which kinds do."""

from typing import Protocol

from txt_dashboard.attest.pcr import Values
from txt_dashboard.servers.mle import InUse, Mle, MleKind, MleRef, Registration


class GoldenValues(Protocol):
    """What one server judges by, for servers that can be asked; everything raises `ServerError`."""

    def in_use(self) -> tuple[InUse, ...]:
        """All values that at least one host is judged by, in a bounded number of requests."""
        ...

    def close(self) -> None:
        """Closes its connections."""
        ...


class Whitelist(GoldenValues, Protocol):
    """The golden values of one server, and which host is judged by which.

    Everything raises `ServerError`; `Refused` is the server's own no. What changes something may be called
    again after any failure or crash: it looks at what is there, does what is left, and looks again.
    """

    def registers(self, kind: MleKind) -> frozenset[int]:
        """The registers that it takes in an MLE of this kind; asks nothing."""
        ...

    def mles(self) -> tuple[MleRef, ...]:
        """All MLEs that it lists, in use or not."""
        ...

    def manifest(self, ref: MleRef) -> Values | None:
        """The values of one MLE, `None` where there is none of that name."""
        ...

    def add_mle(self, mle: Mle) -> None:
        """Makes it hold this MLE, and before it the manufacturer or operating system that the MLE belongs to.

        An identical one that is there already is fine. Raises `Conflict` where another one has the name.
        """
        ...

    def registrations(self) -> tuple[Registration, ...]:
        """All registered hosts."""
        ...

    def registration(self, host: str) -> Registration | None:
        """One host as it is registered, `None` where it is not."""
        ...

    def register(self, wanted: Registration) -> None:
        """Makes the host registered like this, whether or not it was before.

        Raises `NotTaken` before anything is touched. Where the kind of server can only do it by taking the host
        out first, a crash in between leaves the host unregistered: call it again with the same argument.
        """
        ...

    def unregister(self, host: str) -> None:
        """Takes the host out; one that is not registered is fine."""
        ...

    def in_use(self) -> tuple[InUse, ...]:
        """Every MLE that at least one host is judged by, with its values, in a bounded number of requests."""
        ...

    def close(self) -> None:
        """Closes its connections."""
        ...
