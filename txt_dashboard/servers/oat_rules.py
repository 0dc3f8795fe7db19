"""What the generations of OpenAttestation take, and what they mean by the numbers of their faults.

Read in the servers' own sources: `Source/WLMService`, `Source/AttestationService` and `init.sql` for 1.x,
`services/WLMService`, `services/AttestationService`, `ErrorCode` and `mtwilson.sql` for 2.x.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from txt_dashboard.attest.pcr import REGISTER_COUNT
from txt_dashboard.servers.base import NotTaken, Refused
from txt_dashboard.servers.mle import HIGHEST_PORT, Mle, MleKind, MleRef, Registration
from txt_dashboard.servers.oat_wire import is_name


@dataclass(frozen=True)
class Rules:
    """One generation's limits, in characters, and its faults, by number."""

    registers: Mapping[MleKind, frozenset[int]]
    longest: Mapping[str, int]
    forbidden: frozenset[str]
    put_registers_anew: bool  # whether PUT hosts gives a host other MLEs
    port_is_text: bool
    owner_exists: frozenset[int]
    mle_exists: frozenset[int]
    mle_missing: frozenset[int]
    host_missing: frozenset[int]
    sentences: Mapping[int, str]

    def check_mle(self, mle: Mle) -> None:
        """Raises `NotTaken` where this generation would refuse the MLE, or hold something else."""
        self._check_texts(_texts_of(mle.ref))
        self._check_texts([("MLE's description", "description", mle.description)])
        if not mle.values:
            raise NotTaken("an MLE without values would match every host")
        if outside := sorted(set(mle.values) - self.registers[mle.ref.kind]):
            listed = ", ".join(map(str, outside))
            raise NotTaken(f"this server takes no register {listed} in a {mle.ref.kind} whitelist")

    def check_registration(self, wanted: Registration) -> None:
        """Raises `NotTaken` where this generation would refuse the host, which may be taken out by then."""
        if not is_name(wanted.host):
            raise NotTaken("no host can have this name")
        if wanted.bios is None or wanted.vmm is None:
            raise NotTaken(f"{wanted.host} needs a BIOS and a VMM whitelist to be judged by")
        if (wanted.bios.kind, wanted.vmm.kind) != (MleKind.BIOS, MleKind.VMM):
            raise NotTaken(f"{wanted.host} would be registered with a whitelist of the wrong kind")
        if wanted.port is None or not 0 < wanted.port <= HIGHEST_PORT or not wanted.address:
            raise NotTaken(f"{wanted.host} needs the address and the port of its agent")
        self._check_texts(_texts_of(wanted.bios))
        self._check_texts(_texts_of(wanted.vmm))
        self._check_texts(
            [
                ("host's name", "host", wanted.host),
                ("host's address", "address", wanted.address),
                ("host's e-mail address", "email", wanted.email),
                ("host's connection string", "connection", wanted.connection),
                ("host's description", "description", wanted.description),
            ]
        )

    def told(self, refused: Refused) -> Refused:
        """The same with a sentence of ours, where we know what the number means."""
        sentence = self.sentences.get(refused.fault)
        return Refused(f"{sentence} (its error {refused.fault})", refused.fault) if sentence else refused

    def _check_texts(self, texts: Iterable[tuple[str, str, str]]) -> None:
        for what, limit, text in texts:
            longest = self.longest[limit]
            if len(text) > longest:
                raise NotTaken(f"the {what} is longer than the {longest} characters that this server holds")
            if not text.isascii() or (text and not text.isprintable()):
                raise NotTaken(f"the {what} holds characters that this server does not keep as they are")
            if refused := "".join(sorted(self.forbidden & set(text))):
                raise NotTaken(f"the {what} holds {refused}, which this server refuses: change it there first")


def _texts_of(ref: MleRef) -> Iterator[tuple[str, str, str]]:
    yield "MLE's name", "name", ref.name
    yield "MLE's version", "version", ref.version
    yield "manufacturer's name", "owner", ref.oem
    yield "operating system's name", "owner", ref.os_name
    yield "operating system's version", "os_version", ref.os_version
    has_owner = ref.oem if ref.kind is MleKind.BIOS else ref.os_name and ref.os_version
    if not (ref.name and ref.version and has_owner):
        raise NotTaken(f"a {ref.kind} whitelist needs a name, a version and whom it belongs to")


_ALL = frozenset(range(REGISTER_COUNT))
_TOO_LONG = "the server refused a text as too long or for a character in it, or failed: look into its log"

V1 = Rules(
    registers={MleKind.BIOS: _ALL, MleKind.VMM: _ALL},
    longest={
        "host": 50,
        "address": 50,
        "email": 100,
        "connection": 100,
        "description": 100,
        "name": 50,
        "version": 100,
        "os_version": 50,
        "owner": 50,
    },
    forbidden=frozenset("#&+:\"'"),
    put_registers_anew=False,
    port_is_text=True,
    owner_exists=frozenset({1006}),
    mle_exists=frozenset({1006}),
    mle_missing=frozenset({1007}),
    host_missing=frozenset({404, 2000}),
    sentences={
        404: "the server does not know the host",
        500: _TOO_LONG,
        1006: "the server has it already, or lacks the manufacturer or operating system that it belongs to",
        1007: "the server has no such MLE",
        2000: "the server does not know the host",
        2001: "the server knows the host already, or lacks an MLE that it shall be judged by",
    },
)

V2 = Rules(
    registers={MleKind.BIOS: frozenset(range(6)), MleKind.VMM: frozenset(range(17, 21))},
    longest={
        "host": 40,
        "address": 20,
        "email": 45,
        "connection": 1000,
        "description": 100,
        "name": 100,
        "version": 100,
        "os_version": 50,
        "owner": 100,
    },
    forbidden=frozenset(),
    put_registers_anew=True,
    port_is_text=False,
    owner_exists=frozenset({2002, 2005}),
    mle_exists=frozenset({2007}),
    mle_missing=frozenset({2009}),
    host_missing=frozenset({1003}),
    sentences={
        1003: "the server does not know the host",
        1004: "the server lacks an MLE that the host shall be judged by",
        1005: "the server knows the host already",
        1006: "another host has this address at the server",
        1008: "the server misses something in the host's registration",
        1011: "the server can't reach the host's agent, which it asks whenever a host is registered",
        1012: "the host's agent failed, which the server asks whenever a host is registered",
        1024: "the host's agent did not answer, which the server asks whenever a host is registered",
        1025: "the host's agent answered something else than the server expected",
        1027: "the server does not accept the attestation key of the host",
        2001: "the server lacks the manufacturer that the MLE belongs to",
        2004: "the server lacks the operating system that the MLE belongs to",
        2007: "the server has an MLE of this name and version already",
        2009: "the server has no such MLE",
        2010: "hosts are registered with this MLE",
        2021: "the server takes SHA-1 values only",
        4001: "the server can't reach the host's agent over TLS",
    },
)
