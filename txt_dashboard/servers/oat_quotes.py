"""Quotes and event logs from the simulated OpenAttestation, which has an extension for them. No real one has.

The wire is told in docs/simulator-quotes.md. Nothing is verified here: bytes of hosts are passed on as they are, once
their form and size are those of the contract. One bad row costs that row.
"""

import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder, encode

from txt_dashboard.attest.evidence import NoEvidence
from txt_dashboard.attest.material import Material
from txt_dashboard.attest.pcr import Bank, PcrError, Registers, parse_index, parse_value
from txt_dashboard.attest.quote import Quote, Tpm12Quote
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.servers.base import AnswerUnusable, Clock, Connection, QuoteBatch, Refused, Selection
from txt_dashboard.servers.dates import DateError, parse_date
from txt_dashboard.servers.decode import BadRow, clean, decode_answer, decode_row
from txt_dashboard.servers.http import Client

_RESOURCES = "/AttestationService/resources"
_ROW_BYTES = 32 * 1024  # all registers of all banks as hex take 20,000
_MOST_EXTRA_ROWS = 100
_LOG_BYTES = 16 * 1024 * 1024
_Bytes = Annotated[str, Meta(max_length=8192)]  # base64; the longest TPMT_PUBLIC of RSA-4096 takes 800
_Word = Annotated[str, Meta(max_length=200)]
_REFUSALS = {"unknown": Reason.NOT_KNOWN_TO_SERVER, "timeout": Reason.HOST_TIMEOUT}


class _Row(Struct):
    host_name: str
    refusal: str = ""
    vtime: int | str = ""
    attest: _Bytes = ""
    signature: _Bytes = ""
    public: _Bytes = ""
    composite: _Bytes = ""  # of a TPM 1.2
    registrar: Annotated[dict[_Word, _Word], Meta(max_length=8)] = {}
    pcrs: Annotated[dict[str, Annotated[dict[str, str], Meta(max_length=24)]], Meta(max_length=4)] = {}


class _Named(Struct):
    host_name: str


class _Rows(Struct):
    quotes: list[Raw]


class _Log(Struct):
    host_name: str
    eventlog: str


class _List(Struct):
    host_name: str
    imalist: str


_ROW, _NAMED, _ROWS = Decoder(_Row), Decoder(_Named), Decoder(_Rows)
_LOG, _LIST = Decoder(_Log), Decoder(_List)


class OatQuotes:
    """Asks one server for quotes and logs; fulfils `QuoteServer`.

    Raises `ServerError` for a connection whose own data are unusable.
    """

    adds: frozenset[int] = frozenset()

    def __init__(self, connection: Connection, *, clock: Clock, client: Client | None = None) -> None:
        self._clock = clock
        self._client = client or Client(connection)
        path = self._client.url.path
        self._base = path if path.endswith(_RESOURCES) else path + _RESOURCES

    def quote(self, hosts: Mapping[str, str], nonce: bytes, selection: Selection) -> QuoteBatch:
        """Lets these hosts quote the registers with our nonce."""
        names = tuple(hosts)
        chosen = {bank.value: sorted(indexes) for bank, indexes in selection.items()}
        asked = encode({"hosts": names, "nonce": nonce.hex(), "selection": chosen})
        requested_at = self._clock()
        limit = _ROW_BYTES * (len(names) + _MOST_EXTRA_ROWS)
        body = self._client.post(f"{self._base}/quotes", asked, byte_limit=limit)
        received_at = self._clock()
        answers, remarks = read_quotes(body, names)
        return QuoteBatch(answers, requested_at, received_at, remarks)

    def offers_quotes(self) -> bool:
        """Whether it has the extension: it is asked for the quotes of no host."""
        try:
            self.quote({}, bytes(16), {Bank.SHA256: frozenset({0})})
        except (AnswerUnusable, Refused):
            return False
        return True

    def event_log(self, host: str) -> bytes:
        """The event log of the host's last boot."""
        limit = _LOG_BYTES * 4 // 3 + 1024
        return read_log(self._client.get(f"{self._base}/eventlog", {"host": host}, byte_limit=limit), host)

    def ima_list(self, host: str) -> bytes:
        """What the host's kernel measured since its last boot."""
        limit = _LOG_BYTES * 4 // 3 + 1024
        return read_list(self._client.get(f"{self._base}/imalist", {"host": host}, byte_limit=limit), host)

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()


def read_quotes(body: bytes, asked: Sequence[str]) -> tuple[dict[str, Material | NoEvidence], tuple[str, ...]]:
    """One answer for each host asked for, and remarks; raises `AnswerUnusable` where it is none as a whole."""
    rows = decode_answer(_ROWS, body).quotes
    if len(rows) > len(asked) + _MOST_EXTRA_ROWS:
        raise AnswerUnusable(f"the answer holds {len(rows)} quotes for {len(asked)} hosts")
    wanted = frozenset(asked)
    answers: dict[str, Material | NoEvidence] = {}
    strangers = 0
    for row in rows:
        name, answer = _read_row(row)
        if name not in wanted:
            strangers += 1
        elif name in answers:
            answers[name] = _malformed("it holds more than one quote of this host")
        else:
            answers[name] = answer
    for name in asked:
        answers.setdefault(name, NoEvidence(Finding(Reason.ANSWER_MISSING)))
    return answers, (f"{strangers} quotes are of no host that was asked for",) if strangers else ()


def read_log(body: bytes, host: str) -> bytes:
    """The event log in the answer; raises `AnswerUnusable`, also where it is another host's."""
    answer = decode_answer(_LOG, body)
    return _of_host(answer.host_name, answer.eventlog, host, "event log")


def read_list(body: bytes, host: str) -> bytes:
    """The IMA list in the answer; raises `AnswerUnusable`, also where it is another host's."""
    answer = decode_answer(_LIST, body)
    return _of_host(answer.host_name, answer.imalist, host, "IMA list")


def _of_host(named: str, text: str, host: str, what: str) -> bytes:
    if named != host:
        raise AnswerUnusable(f"the answer is the {what} of another host")
    try:
        return _bytes(text, what)
    except BadRow as error:
        raise AnswerUnusable(str(error)) from None


def _read_row(row: Raw) -> tuple[str, Material | NoEvidence]:
    try:
        decoded = decode_row(_ROW, row)
        return decoded.host_name, _answer(decoded)
    except (BadRow, PcrError, DateError) as error:
        return _name_of(row), _malformed(str(error))


def _answer(row: _Row) -> Material | NoEvidence:
    if row.refusal:
        reason = _REFUSALS.get(row.refusal)
        return NoEvidence(Finding(reason)) if reason else _malformed("it refuses without a reason that is known")
    message, signature, registers = _bytes(row.attest, "attest"), _bytes(row.signature, "signature"), _registers(row)
    quote: Quote | Tpm12Quote = Quote(message, signature, registers)
    if row.composite:
        quote = Tpm12Quote(message, signature, _bytes(row.composite, "composite"), registers.get(Bank.SHA1))
    registrar = {clean(name): clean(word) for name, word in row.registrar.items()}
    return Material(quote, _bytes(row.public, "public"), parse_date(row.vtime), registrar)


def _registers(row: _Row) -> Registers:
    """The values by bank and index; raises `PcrError`, or `BadRow` where one is named twice."""
    registers: dict[Bank, dict[int, bytes]] = {}
    for name, values in row.pcrs.items():
        if name not in set(Bank):
            raise BadRow("it names a bank that no TPM has")
        bank = Bank(name)
        registers[bank] = {parse_index(index): parse_value(value, bank) for index, value in values.items()}
        if len(registers[bank]) != len(values):
            raise BadRow("it names a register twice")
    return registers


def _bytes(text: str, what: str) -> bytes:
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise BadRow(f"its {what} is no base64") from None
    if not data:
        raise BadRow(f"its {what} is empty")
    return data


def _name_of(row: Raw) -> str:
    """The host of a row that can't be used; empty where not even that can be told."""
    try:
        return decode_row(_NAMED, row).host_name
    except BadRow:
        return ""


def _malformed(detail: str) -> NoEvidence:
    return NoEvidence(Finding(Reason.ANSWER_MALFORMED, {"detail": clean(detail)}))
