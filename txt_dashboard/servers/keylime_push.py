"""The latest evidence of an agent that pushes, as a Keylime verifier hands it over (API 3.0). Nothing is verified.

`GET /v3.0/agents/{id}/attestations/latest` answers 201 and `{"data": {"attributes": {"evidence": [{"evidence_type":
"tpm_quote", "chosen_parameters": {"challenge", "certification_key": {"public"}, …}, "data": {"message", "signature",
"subject_data", …}}], "evidence_received_at", …}}}`, bytes in base64, the values of registers (`subject_data`) in the
form that `attest.pcr_blob` reads. An agent that was challenged and has not answered yet has no `data`. Logs may stand
beside the quote, `uefi_log` and `ima_log`, with other parameters and data.

The challenge is the verifier's and not ours, and so is the date: how fresh such evidence is, is its word.
"""

import binascii
from typing import Annotated

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

from txt_dashboard.attest.evidence import NoEvidence
from txt_dashboard.attest.material import Material
from txt_dashboard.attest.pcr_blob import parse_pcr_blob
from txt_dashboard.attest.quote import Quote
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.servers.dates import DateError, parse_date
from txt_dashboard.servers.decode import decode_answer

_QUOTE = "tpm_quote"
_NOTHING = Raw(b"null")

_Bytes = Annotated[str, Meta(max_length=16 * 1024)]  # base64


class _Key(Struct):
    public: _Bytes


class _Chosen(Struct):
    challenge: _Bytes
    certification_key: _Key


class _Data(Struct):
    message: _Bytes
    signature: _Bytes
    subject_data: _Bytes


class _Evidence(Struct):
    evidence_type: str
    chosen_parameters: Raw = _NOTHING  # of a log both are of another form
    data: Raw = _NOTHING


class _Attributes(Struct):
    evidence: Annotated[list[_Evidence], Meta(max_length=16)]
    evidence_received_at: str | None = None


class _Attestation(Struct):
    attributes: _Attributes


class _Answer(Struct):
    data: _Attestation


_ANSWER, _CHOSEN, _DATA = Decoder(_Answer), Decoder(_Chosen | None), Decoder(_Data | None)


def read_latest(body: bytes) -> Material | NoEvidence:
    """What the agent's TPM signed for the verifier; raises `AnswerUnusable`, `FormatError`."""
    attributes = decode_answer(_ANSWER, body).data.attributes
    quotes = [each for each in attributes.evidence if each.evidence_type == _QUOTE]
    if len(quotes) != 1:
        raise FormatError(f"it holds {len(quotes)} quotes, not one")
    chosen = decode_answer(_CHOSEN, bytes(quotes[0].chosen_parameters))
    data = decode_answer(_DATA, bytes(quotes[0].data))
    received_at = attributes.evidence_received_at
    if chosen is None or data is None or received_at is None:
        return NoEvidence(Finding(Reason.ATTESTATION_PENDING))
    values = parse_pcr_blob(in_base64(data.subject_data, "the list of values"))
    quote = Quote(in_base64(data.message, "the quote"), in_base64(data.signature, "the signature"), values)
    public = in_base64(chosen.certification_key.public, "the attestation key")
    try:
        at = parse_date(received_at)
    except DateError as error:
        raise FormatError(str(error)) from None
    return Material(quote, public, at, challenge=in_base64(chosen.challenge, "the challenge"))


def in_base64(text: str, what: str) -> bytes:
    """The bytes, never none; raises `FormatError`."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise FormatError(f"{what} is no base64") from None
    if not data:
        raise FormatError(f"{what} is empty")
    return data
