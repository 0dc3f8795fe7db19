"""Register values as tpm2-tools writes them to a file, which Keylime's agents send beside a quote.

No structure of the TPM's own but one of C in memory: little-endian, of fixed size whatever is used of it. Sixteen
selections of eight bytes behind their count, then lists of eight digests of 66 bytes behind theirs.
"""

from struct import Struct

from txt_dashboard.attest.pcr import REGISTER_COUNT, Bank, Registers
from txt_dashboard.attest.tpm_reader import HASH_ALGORITHMS, Reader

_SELECTIONS, _SELECTION = 16, Struct("<HB4sx")  # hash, size of the bitmap, the bitmap, padding
_DIGESTS, _DIGEST = 8, Struct("<H64s")  # size, bytes
_MOST_LISTS = -(-_SELECTIONS * REGISTER_COUNT // _DIGESTS)

Chosen = list[tuple[Bank, int]]


def parse_pcr_blob(data: bytes) -> Registers:
    """The values by bank and index, with nothing behind them; raises `FormatError`."""
    reader = Reader(data)
    chosen = _chosen(reader)
    digests = _digests(reader)
    reader.end("register values")
    if len(digests) != len(chosen):
        reader.refuse(f"{len(digests)} values for {len(chosen)} registers")
    banks: dict[Bank, dict[int, bytes]] = {}
    for (bank, index), digest in zip(chosen, digests, strict=True):
        if len(digest) != bank.size:
            reader.refuse(f"the value of register {index} has {len(digest)} bytes, which is none of {bank}")
        if banks.setdefault(bank, {}).setdefault(index, digest) is not digest:
            reader.refuse(f"register {index} is named twice")
    return banks


def _chosen(reader: Reader) -> Chosen:
    count = _count(reader, _SELECTIONS, "selections")
    chosen: Chosen = []
    for number in range(_SELECTIONS):
        algorithm, size, bitmap = _SELECTION.unpack(reader.take(_SELECTION.size, "a selection"))
        if number >= count:
            continue
        bank = HASH_ALGORITHMS.get(algorithm)
        if bank is None or size > len(bitmap):
            reader.refuse("a selection is of no bank that we know, or longer than it can be")
        bits = int.from_bytes(bitmap[:size], "little")
        if bits >> REGISTER_COUNT:
            reader.refuse(f"a selection names registers beyond {REGISTER_COUNT - 1}")
        chosen += [(bank, index) for index in range(REGISTER_COUNT) if bits >> index & 1]
    return chosen


def _digests(reader: Reader) -> list[bytes]:
    digests: list[bytes] = []
    for _ in range(_count(reader, _MOST_LISTS, "lists of values")):
        count = _count(reader, _DIGESTS, "values")
        slots = [_DIGEST.unpack(reader.take(_DIGEST.size, "a value")) for _ in range(_DIGESTS)]
        if any(size > len(value) for size, value in slots[:count]):
            reader.refuse("a value is longer than any register")
        digests += [value[:size] for size, value in slots[:count]]
    return digests


def _count(reader: Reader, most: int, what: str) -> int:
    count = int.from_bytes(reader.take(4, f"the number of {what}"), "little")
    if count > most:
        reader.refuse(f"{count} {what}, at most {most} are possible", back=4)
    return count
