"""Every reader of untrusted bytes in `attest`, run over any input: it may answer or refuse, and nothing else."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.attest.forge import NONCE, Forge, bitmap
from tests.attest.logbuilder import Record, agile_log, container, ima_entry, real_form, sha1_log
from tests.servers.keylime_world import BOOTED, blob
from txt_dashboard.attest import ima
from txt_dashboard.attest.eventlog.align import align
from txt_dashboard.attest.eventlog.checks import problems
from txt_dashboard.attest.eventlog.cursor import LogError
from txt_dashboard.attest.eventlog.kinds import Kind
from txt_dashboard.attest.eventlog.log import Log, parse, parse_partially
from txt_dashboard.attest.eventlog.replay import judge, replay
from txt_dashboard.attest.eventlog.story import stories
from txt_dashboard.attest.eventlog.varying import BaselineError, Structure, baseline, compare
from txt_dashboard.attest.eventlog.why import explain
from txt_dashboard.attest.keys import AttestationKey, load_key
from txt_dashboard.attest.offline_verify import parse_registers
from txt_dashboard.attest.pcr import Bank, PcrError
from txt_dashboard.attest.pcr_blob import parse_pcr_blob
from txt_dashboard.attest.quote import Demand, Quote, Tpm12Quote, verify, verify_tpm12
from txt_dashboard.attest.text import shown, shown_hex
from txt_dashboard.attest.tpm12_types import parse_tpm12_composite, parse_tpm12_quote_info
from txt_dashboard.attest.tpm_public import parse_tpm2b_public
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.attest.tpm_types import parse_attest, parse_signature

_RSA, _P256 = Forge.rsa(), Forge.p256()
_KEYS = (_RSA.key(), _P256.key())
_KINDS = tuple(Kind)
_REAL = {True: agile_log(*real_form()), False: sha1_log(*real_form())}
_QUOTE12 = b"\x01\x01\x00\x00QUOT" + bytes(40)
_COMPOSITE = b"\x00\x03" + bitmap((0, 17)) + (40).to_bytes(4, "big") + bytes(40)


def exercise_log(data: bytes) -> None:
    """Parses, replays, tells, compares and judges a log."""
    partial = parse_partially(data)
    assert all(story.text.isprintable() for story in stories(partial.log.events))
    try:
        log = parse(data)
    except LogError as error:
        _in_range(error.offset, data)
        return
    for bank in log.banks:
        judge(log, bank, replay(log, bank))
    problems(log)
    for story in stories(log.events):
        assert all(text.isprintable() for text in (story.thing.name, story.text, *story.details))
    if log.banks:
        assert explain(log, log).registers == {}
        other = parse(_REAL[log.banks != (Bank.SHA1,)])
        if set(log.banks) & set(other.banks):
            assert explain(other, log).sentence.isprintable()
    _vary(log)


def exercise_event(data: bytes) -> None:
    """Tells one event of a type that the first two bytes choose, and varies it."""
    kind, register = _KINDS[data[0] % len(_KINDS)] if data else 0, data[1] % 24 if len(data) > 1 else 0
    if kind != Kind.EV_NO_ACTION:
        exercise_log(agile_log(Record(register, kind, data[2:]), banks=("sha256",)))


def exercise_ima(data: bytes) -> None:
    """Parses and replays an IMA list."""
    try:
        entries = ima.parse(data)
    except LogError as error:
        _in_range(error.offset, data)
        return
    for bank in (Bank.SHA1, Bank.SHA256):
        ima.replay(entries, bytes(bank.size))
    assert all(entry.name.isprintable() for entry in entries)


def exercise_alignment(data: bytes) -> None:
    """Aligns two lists of one-byte digests: each position is matched, moved or left in one gap, and once."""
    old, new = ([bytes([each]) for each in half] for half in (data[::2], data[1::2]))
    gaps, moved = align(old, new)
    alone = [at for gap in gaps for at in gap.old] + [at for at, _ in moved]
    others = [at for gap in gaps for at in gap.new] + [at for _, at in moved]
    left, right = set(alone), set(others)
    assert (len(left), len(right)) == (len(alone), len(others))
    matched = [each for at, each in enumerate(old) if at not in left]
    assert matched == [each for at, each in enumerate(new) if at not in right]
    assert all(old[at] == new[to] for at, to in moved)


def exercise_quote(data: bytes) -> None:
    """Verifies what a host might send: nothing raises, and nothing that our keys did not sign is accepted."""
    cut = int.from_bytes(data[:2], "big")
    message, signature = data[2 : 2 + cut], data[2 + cut :]
    registers = {Bank.SHA256: {index: data[index : index + 32] for index in range(8)}}
    demand = Demand(NONCE, {Bank.SHA256: frozenset(range(8))})
    for key in _KEYS:
        verification = verify(Quote(message, signature, registers), key, demand)
        assert all(result.reason.isprintable() for result in verification.steps)
        assert not verification.accepted
        verify_tpm12(Tpm12Quote(message, signature, data), key, demand)


def exercise_key(data: bytes) -> None:
    """Loads a key of any form, and judges it."""
    try:
        key: AttestationKey = load_key(data)
    except FormatError as error:
        _in_range(error.offset or 0, data)
        return
    assert key.findings
    assert all(str(finding).isprintable() for finding in key.findings)
    assert len(key.fingerprint) == 64


def exercise_registers(data: bytes) -> None:
    """Reads a file of register values."""
    try:
        registers = parse_registers(data)
    except PcrError:
        return
    assert all(len(value) == bank.size for bank, values in registers.items() for value in values.values())


def exercise_text(data: bytes) -> None:
    """Makes text safe to show."""
    assert shown(data.decode("utf-8", "backslashreplace")).isprintable()
    assert shown(data.decode("utf-16-le", "surrogatepass" if len(data) % 2 == 0 else "replace")[:200]).isprintable()
    assert shown_hex(data).isprintable()


def _structure(read: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def exercise(data: bytes) -> None:
        try:
            read(data)
        except FormatError as error:
            _in_range(error.offset, data)

    return exercise


def _in_range(offset: int | None, data: bytes) -> None:
    assert offset is not None
    assert 0 <= offset <= len(data)


def _vary(log: Log) -> None:
    for bank in log.banks[:1]:
        for register, structure in (
            (1, Structure.BOOT_ORDER),
            (1, Structure.BOOT_ENTRY),
            (5, Structure.PARTITIONS),
            (8, Structure.UUIDS),
        ):
            try:
                golden = baseline(log, bank, register, {0: structure})
            except BaselineError:
                continue
            assert compare(golden, log, replay(log, bank)[register]) is None


@dataclass(frozen=True)
class Target:
    """What is run over any bytes, and inputs of real form to begin with.

    `a_byte` is how many bytes of memory one byte of input may cost: an event or entry of 40 is an object or two.
    """

    exercise: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    a_byte: int = 64


def _quotes() -> tuple[bytes, ...]:
    whole = [(forge.message, forge.quote().signature) for forge in (_RSA, _P256, _RSA.but(nonce=bytes(20)))]
    # Nothing good: the fuzzer must not be handed what it is to find.
    return tuple(len(message).to_bytes(2, "big") + message[:-1] + b"\0" + signature for message, signature in whole)


_IMA = b"".join(ima_entry(f"/{n}", template=template) for n in range(2) for template in ("ima-ng", "ima-sig"))
_ASCII = b"10 " + b"0" * 40 + b" ima-sig sha256:00 /a 00\n" + b"10 " + b"1" * 40 + b" ima-ng sha256:00 /b\n"
_EVENTS = tuple(
    bytes([_KINDS.index(Kind(record.kind)), record.register]) + record.data
    for record in real_form()
    if record.kind != Kind.EV_NO_ACTION
)

TARGETS = {
    "log": Target(exercise_log, (*_REAL.values(), container(*real_form()), agile_log(*real_form()) + bytes(64))),
    "event": Target(exercise_event, _EVENTS),
    "ima": Target(exercise_ima, (_IMA, _ASCII)),
    "alignment": Target(exercise_alignment, (b"abcdeabcdf", b"aabbccddzz"), a_byte=256),
    "quote": Target(exercise_quote, _quotes()),
    "attest": Target(
        _structure(parse_attest), (_RSA.message, _RSA.but(selection={"sha1": (0,), "sha384": (1,)}).message)
    ),
    "signature": Target(_structure(parse_signature), (_RSA.quote().signature, _P256.quote().signature)),
    "register values": Target(_structure(parse_pcr_blob), (blob({0: bytes(32)}), blob(BOOTED))),
    "public": Target(_structure(parse_tpm2b_public), (_RSA.area, _P256.area)),
    "TPM 1.2 quote": Target(_structure(parse_tpm12_quote_info), (_QUOTE12,)),
    "TPM 1.2 composite": Target(_structure(parse_tpm12_composite), (_COMPOSITE,)),
    "key": Target(exercise_key, (_RSA.area, _P256.area)),
    "registers": Target(exercise_registers, (json.dumps({"sha256": {"0": "ab" * 32}}).encode(),)),
    "text": Target(exercise_text, ("grüß \u202e Gott".encode(),)),
}
