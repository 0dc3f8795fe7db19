"""What a TPM 1.2 signs, read from bytes. Parsed is not verified.

Source: TPM Main part 2 (structures), level 2 revision 116: TPM_PCR_SELECTION (8.1), TPM_PCR_COMPOSITE (8.2),
TPM_QUOTE_INFO (11.3).
"""

from dataclasses import dataclass

from txt_dashboard.attest.pcr import Bank, Values
from txt_dashboard.attest.tpm_reader import Reader
from txt_dashboard.attest.tpm_types import read_bitmap

_SHA1_SIZE = Bank.SHA1.size
_QUOTE_MARK = bytes.fromhex("01010000") + b"QUOT"  # TPM_STRUCT_VER 1.1.0.0, then the fixed text


@dataclass(frozen=True, slots=True)
class Tpm12QuoteInfo:
    """TPM_QUOTE_INFO: SHA-1 of the composite, and the 20 bytes that the verifier sent."""

    digest: bytes
    nonce: bytes


def parse_tpm12_quote_info(data: bytes) -> Tpm12QuoteInfo:
    """The 48 bytes of a TPM_QUOTE_INFO and nothing behind them; raises `FormatError`."""
    reader = Reader(data)
    mark = reader.take(len(_QUOTE_MARK), "the version and the mark QUOT")
    if mark != _QUOTE_MARK:
        reader.refuse(f"a TPM 1.2 quote begins with {_QUOTE_MARK.hex()}, this with {mark.hex()}", back=len(mark))
    info = Tpm12QuoteInfo(reader.take(_SHA1_SIZE, "digestValue"), reader.take(_SHA1_SIZE, "externalData"))
    reader.end("quote")
    return info


def parse_tpm12_composite(data: bytes) -> Values:
    """The registers and values of a TPM_PCR_COMPOSITE and nothing behind it; raises `FormatError`."""
    reader = Reader(data)
    registers = read_bitmap(reader, reader.number(2, "sizeOfSelect"))
    size = reader.number(4, "valueSize")
    if size != len(registers) * _SHA1_SIZE:
        reader.refuse(f"{len(registers)} registers of {_SHA1_SIZE} bytes don't fill {size} bytes", back=4)
    values = {index: reader.take(_SHA1_SIZE, f"register {index}") for index in registers}
    reader.end("composite")
    return values
