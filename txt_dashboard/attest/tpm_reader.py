"""Fields taken off the front of untrusted big-endian bytes: bounded, nothing guessed."""

from struct import Struct
from typing import NoReturn

from txt_dashboard.attest.pcr import Bank

HASH_ALGORITHMS = {0x0004: Bank.SHA1, 0x000B: Bank.SHA256, 0x000C: Bank.SHA384, 0x000D: Bank.SHA512}  # TPM_ALG_ID


class FormatError(ValueError):
    """Bytes are not what they should be. `offset` is where, in bytes; `None` where no place can be named."""

    def __init__(self, sentence: str, offset: int | None = None) -> None:
        super().__init__(sentence if offset is None else f"{sentence}, at offset {offset}")
        self.offset = offset


class Reader:
    """Takes fields off the front of `data`; every length is bounded by what is left and by the field's own limit.

    Slices beyond the end come out short and are refused right after: nothing is allocated by a claimed length.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been taken."""
        return len(self._data) - self._at

    def take(self, size: int, what: str) -> bytes:
        """The next `size` bytes; raises `FormatError` where fewer are left."""
        value = self._data[self._at : self._at + size]
        if len(value) != size:
            self._refuse_short(size, what)
        self._at += size
        return value

    def number(self, size: int, what: str) -> int:
        """An unsigned number of `size` bytes; raises `FormatError`."""
        return int.from_bytes(self.take(size, what), "big")

    def numbers(self, layout: Struct, what: str) -> tuple[int, ...]:
        """Several numbers that stand side by side; raises `FormatError`."""
        start = self._at
        if start + layout.size > len(self._data):
            self._refuse_short(layout.size, what)
        self._at = start + layout.size
        return layout.unpack_from(self._data, start)

    def sized(self, limit: int, what: str) -> bytes:
        """A TPM2B: two bytes of length, then as many bytes; raises `FormatError` beyond `limit`."""
        start = self._at + 2
        size = int.from_bytes(self._data[self._at : start], "big")
        value = self._data[start : start + size]
        if size > limit or len(value) != size or start > len(self._data):
            self.refuse(f"{what} does not fit: {size} bytes claimed, {max(self.left - 2, 0)} left, {limit} allowed")
        self._at = start + size
        return value

    def skip(self, mark: bytes) -> bool:
        """Takes these bytes if they are the next ones, and says whether they were."""
        found = self._data.startswith(mark, self._at)
        self._at += len(mark) if found else 0
        return found

    def hash_algorithm(self, what: str) -> Bank:
        """A TPMI_ALG_HASH; raises `FormatError` for one we don't know."""
        number = self.number(2, what)
        bank = HASH_ALGORITHMS.get(number)
        if bank is None:
            self.refuse(f"{what} is {number:#06x}, no hash algorithm we know", back=2)
        return bank

    def refuse(self, sentence: str, back: int = 0) -> NoReturn:
        """Raises `FormatError` for the field that began `back` bytes ago."""
        raise FormatError(sentence, self._at - back)

    def end(self, what: str) -> None:
        """Raises `FormatError` where bytes follow the structure `what`."""
        if self._at != len(self._data):
            self.refuse(f"{self.left} bytes follow the {what}")

    def _refuse_short(self, size: int, what: str) -> NoReturn:
        self.refuse(f"{what} needs {size} bytes, {self.left} are left")
