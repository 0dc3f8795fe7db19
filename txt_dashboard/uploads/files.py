"""A file of either form: our own, or OpenAttestation's."""

import msgspec

from txt_dashboard.uploads.mle import read_mles
from txt_dashboard.uploads.ours import Document, read_document
from txt_dashboard.uploads.reading import LARGEST, Unusable


class _Format(msgspec.Struct):
    format: object = None


_DECODER = msgspec.json.Decoder(_Format)


def read_file(document: bytes) -> Document:
    """What a file holds: ours has a `format`, anything else must be one MLE or a list. Raises `Unusable`."""
    return read_document(document) if _is_ours(document) else Document(read_mles(document), ())


def _is_ours(document: bytes) -> bool:
    if len(document) > LARGEST:
        raise Unusable(f"The file is larger than {LARGEST // 1024 // 1024} MiB.")
    try:
        return _DECODER.decode(document).format is not None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
