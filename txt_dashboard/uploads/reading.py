"""What every reader of uploads shares: the refusal, the limits, and values from digits."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from msgspec import MsgspecError
from msgspec.json import Decoder

from txt_dashboard.attest.pcr import Bank, PcrError, parse_index, parse_value
from txt_dashboard.attest.reference import InvalidReference
from txt_dashboard.attest.text import shown

LARGEST = 16 * 1024 * 1024  # bytes
MOST_ENTRIES = 10_000
MOST_SENTENCES = 20
_SHOWN = 60  # characters of a name

Shape = TypeVar("Shape")


class Unusable(ValueError):
    """An upload can't be used: a sentence for each thing that is wrong with it, as far as they were looked for."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


class Errors:
    """Collects what is wrong with single entries, so that a person can mend all of it at once."""

    def __init__(self) -> None:
        self._sentences: list[str] = []

    @contextmanager
    def of(self, what: str, name: str) -> Iterator[None]:
        """What is refused inside is a sentence about this entry; the entries after it are still read."""
        try:
            yield
        except (PcrError, InvalidReference, OverflowError) as error:
            if len(self._sentences) < MOST_SENTENCES:
                self._sentences.append(f'{what} "{shown(name, _SHOWN)}": {error}.')

    def check(self) -> None:
        """Raises `Unusable` if anything was refused."""
        if self._sentences:
            raise Unusable(*self._sentences)


def decode(decoder: Decoder[Shape], document: bytes, form: str) -> Shape:
    """JSON of a known shape; raises `Unusable`."""
    if len(document) > LARGEST:
        raise Unusable(f"The file is larger than {LARGEST // 1024 // 1024} MiB.")
    try:
        return decoder.decode(document)
    except (MsgspecError, UnicodeDecodeError) as error:
        raise Unusable(f"The file is not in the {form} form: {shown(str(error))}.") from None
    except RecursionError:
        raise Unusable(f"The file is not in the {form} form: it is nested too deeply.") from None


def read_values(pairs: Iterable[tuple[str, str]], bank: Bank | None = None) -> Mapping[int, bytes]:
    """Registers and their values in digits; raises `PcrError` that names the register."""
    values: dict[int, bytes] = {}
    for name, digits in pairs:
        index = parse_index(name)
        if index in values:
            raise PcrError(f"register {index} is named twice")
        try:
            values[index] = parse_value(digits, bank)
        except PcrError as error:
            raise PcrError(f"register {index}: {error}") from None
    return values
