"""Reading little-endian fields from untrusted bytes, never beyond their end."""

import struct
from typing import NoReturn
from uuid import UUID

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class LogError(ValueError):
    """A log, or the data of one event, can't be read as what it says it is.

    `offset` counts bytes from the start of the log to the field at fault.
    """

    def __init__(self, offset: int, sentence: str) -> None:
        super().__init__(f"byte {offset}: {sentence}")
        self.offset = offset
        self.sentence = sentence


class Cursor:
    """A position in `data`, which begins at byte `start` of the log; every method raises `LogError`."""

    __slots__ = ("_at", "_data", "_start")

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data = data
        self._start = start
        self._at = 0

    @property
    def offset(self) -> int:
        """Where the next field begins, in bytes from the start of the log."""
        return self._start + self._at

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def fail(self, sentence: str) -> NoReturn:
        """Raises `LogError` with the present offset."""
        raise LogError(self.offset, sentence)

    def take(self, size: int, what: str = "field") -> bytes:
        """The next `size` bytes."""
        if size > self.left:
            self.fail(f"the {what} has {size} bytes, but only {self.left} are left")
        self._at += size
        return self._data[self._at - size : self._at]

    def part(self, size: int, what: str = "part") -> "Cursor":
        """A cursor over the next `size` bytes alone."""
        start = self.offset
        return Cursor(self.take(size, what), start)

    def rest(self) -> bytes:
        """All bytes not read yet."""
        return self.take(self.left)

    def end(self, what: str) -> None:
        """Raises `LogError` unless everything was read."""
        if self.left:
            self.fail(f"{self.left} bytes follow the {what}")

    def u8(self) -> int:
        """An unsigned byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """An unsigned number of two bytes."""
        return int(_U16.unpack(self.take(2))[0])

    def u32(self) -> int:
        """An unsigned number of four bytes."""
        return int(_U32.unpack(self.take(4))[0])

    def u64(self) -> int:
        """An unsigned number of eight bytes."""
        return int(_U64.unpack(self.take(8))[0])

    def guid(self) -> UUID:
        """An EFI_GUID: 16 bytes, its first three fields little-endian (UEFI 2.10, appendix A)."""
        return UUID(bytes_le=self.take(16, "GUID"))
